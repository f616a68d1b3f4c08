/* The Beta posterior of a node's verdicts.
 *
 *   A = 1 + alpha, B = 1 + beta     in 2^-16, each below 2^32 + 2^16
 *   mean A / (A + B), variance A B / ((A + B)^2 (A + B + 1))
 *
 * A B 2^62 stays below 2^127. */
#include "models/posync/history.h"

#define HISTORY_ONE ((uint64_t)1 << 16)

static uint32_t history_fade(uint32_t count, dc_q31 keep, bool one_more)
{
    uint64_t n = dc_q31_of(count, keep) + (one_more ? HISTORY_ONE : 0);
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

void dc_history_verdict(const struct dc_params *p, struct dc_posync *r, bool passed)
{
    r->alpha = history_fade(r->alpha, p->history_keep, passed);
    r->beta = history_fade(r->beta, p->history_keep, !passed);
}

dc_q31 dc_history_reliability(const struct dc_posync *r)
{
    uint64_t a = HISTORY_ONE + r->alpha, b = HISTORY_ONE + r->beta;
    return dc_q31_ratio(a, a + b);
}

/* floor(sqrt(x)), one bit of it after the other. */
static uint64_t history_root(uint64_t x)
{
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 31; bit != 0; bit >>= 1)
        if ((root | bit) * (root | bit) <= x)
            root |= bit;
    return root;
}

dc_q31 dc_history_deviation(const struct dc_posync *r)
{
    uint64_t a = HISTORY_ONE + r->alpha, b = HISTORY_ONE + r->beta, n = a + b;
    unsigned __int128 spread = ((unsigned __int128)a * b << 62) / ((unsigned __int128)n * n);
    return (dc_q31)history_root((uint64_t)(spread * HISTORY_ONE / (n + HISTORY_ONE)));
}

dc_q31 dc_history_aim(const struct dc_params *p, const struct dc_posync *r)
{
    int64_t a = (int64_t)(HISTORY_ONE + r->alpha), n = a + (int64_t)(HISTORY_ONE + r->beta);
    __int128 less = ((__int128)p->p_hi - p->p_lo) * a;
    return (dc_q31)(((__int128)p->p_hi * n - less) / n);
}

uint32_t dc_history_samples(dc_q31 f, dc_q31 aim, uint32_t k_max)
{
    uint64_t escape = (uint64_t)(DC_ONE - f) << 32, bound = (uint64_t)(DC_ONE - aim) << 32;
    uint64_t power = escape; /* (1 - f)^k in 2^-63 */
    uint32_t k = 1;
    for (; k < k_max && power > bound; k++) {
        unsigned __int128 product = (unsigned __int128)power * escape;
        power = (uint64_t)((product + (((uint64_t)1 << 63) - 1)) >> 63);
    }
    return k;
}

uint64_t dc_history_bound(const struct dc_params *p, const struct dc_posync *r)
{
    uint64_t a = HISTORY_ONE + r->alpha, b = HISTORY_ONE + r->beta;
    return dc_q31_ratio(b, a + b) + (uint64_t)p->ucb_ppm * dc_history_deviation(r) / DC_PPM;
}

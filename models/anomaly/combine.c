/* Integers only: products of p-values with 96 bits behind the point, -ln P with 16 from an integer
 * logarithm, each rounded up.  H_D is a fraction over 840, the least multiple of 1 .. 8. */
#include "models/anomaly/combine.h"

enum { COMBINE_MULTIPLE = 840 };
static const uint64_t combine_ln2 = 2977044472u; /* ln 2 in 2^-32, rounded up */

static uint64_t combine_harmonic(uint32_t n)
{
    uint64_t h = 0;
    for (uint32_t i = 1; i <= n; i++)
        h += COMBINE_MULTIPLE / i;
    return h;
}

/* Insertion: p_(1) <= p_(2) <= ... of those that are there; how many they are. */
static uint32_t combine_sort(const struct dc_pvalue *p, uint32_t count, struct dc_pvalue *sorted)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (p[i].of == 0)
            continue;
        uint32_t j = n++;
        for (; j > 0 && dc_pvalue_less(p[i], sorted[j - 1]); j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = p[i];
    }
    return n;
}

static struct dc_pvalue combine_by(const struct dc_pvalue *sorted, uint32_t n)
{
    struct dc_pvalue best = {UINT32_MAX, UINT32_MAX};
    unsigned __int128 factor = (unsigned __int128)combine_harmonic(n) * n * UINT32_MAX;
    for (uint32_t j = 1; j <= n; j++) {
        unsigned __int128 whole = (unsigned __int128)sorted[j - 1].of * j * COMBINE_MULTIPLE;
        unsigned __int128 rank = (sorted[j - 1].rank * factor + whole - 1) / whole;
        if (rank < best.rank)
            best.rank = (uint32_t)rank;
    }
    return best;
}

static struct dc_pvalue combine_fisher(const struct dc_pvalue *p, uint32_t n)
{
    unsigned __int128 product = (unsigned __int128)1 << 96; /* 2^-96 */
    uint64_t log2 = 0;                                      /* of 1/product, 2^-16 */
    for (uint32_t i = 0; i < n; i++) {
        product = (product * p[i].rank + p[i].of - 1) / p[i].of;
        if (p[i].rank < p[i].of)
            log2 += dc_log2_q16(p[i].of) + 1 - dc_log2_q16(p[i].rank);
    }
    uint64_t log = (log2 * combine_ln2 + UINT32_MAX) >> 32; /* 2^-16; at most 8 * 22.2 */
    unsigned __int128 term = (unsigned __int128)1 << 32, sum = term;
    for (uint32_t i = 1; i < n; i++) { /* at most 178^7 / 7! < 2^41 */
        uint64_t whole = (uint64_t)i << 16;
        term = (term * log + whole - 1) / whole;
        sum += term;
    }
    /* 2^-96; P times its sum is at most 1, but for rounding */
    unsigned __int128 whole =
        (product >> 32) * sum + (((uint32_t)product * sum + UINT32_MAX) >> 32);
    unsigned __int128 rank = (whole >> 64) + ((uint64_t)whole != 0);
    return (struct dc_pvalue){rank < UINT32_MAX ? (uint32_t)rank : UINT32_MAX, UINT32_MAX};
}

struct dc_pvalue dc_combine(enum dc_combine rule, const struct dc_pvalue *p, uint32_t count)
{
    struct dc_pvalue sorted[DC_COMBINE_MAX];
    DC_CHECK(count <= DC_COMBINE_MAX);
    uint32_t n = combine_sort(p, count, sorted);
    if (n == 0)
        return (struct dc_pvalue){0, 0};
    if (n == 1)
        return sorted[0];
    switch (rule) {
    case DC_COMBINE_FISHER: return combine_fisher(sorted, n);
    case DC_COMBINE_BY: return combine_by(sorted, n);
    case DC_COMBINE_BONFERRONI: break;
    }
    return dc_pvalue_times(sorted[0], n);
}

uint64_t dc_combine_factor(enum dc_combine rule, uint32_t count, uint64_t scale)
{
    DC_CHECK(count <= DC_COMBINE_MAX);
    if (rule != DC_COMBINE_BY)
        return count * scale;
    return (uint64_t)(((unsigned __int128)scale * count * combine_harmonic(count) +
                       COMBINE_MULTIPLE - 1) /
                      COMBINE_MULTIPLE);
}

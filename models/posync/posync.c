/* Proof of Sync as pure functions.
 *
 * Every chance is a hash: the first 64 bits of H(domain, beacon || id || ordinal), so that whoever
 * knows the chain knows the outcome, and nobody before the beacon is known.  A coin compares the
 * top 31 of them with a Q1.31; a number below a limit comes by multiplication and rejection (Lemire
 * 2019), exact.  models/README.md 5 and 6. */
#include "models/posync/posync.h"

uint32_t dc_posync_heartbeat_every(const struct dc_params *p, uint32_t nodes)
{
    if (p->heartbeat_every != 0)
        return p->heartbeat_every;
    uint32_t every = (nodes + 499) / 500;
    return every < 20 ? 20 : every;
}

/* Heights h with 1 <= h <= last and h % every == residue. */
static uint64_t posync_due_up_to(uint64_t last, uint32_t residue, uint32_t every)
{
    if (residue == 0)
        return last / every;
    return last < residue ? 0 : (last - residue) / every + 1;
}

uint32_t dc_posync_heartbeats_due(uint64_t first, uint64_t last, uint32_t id, uint32_t every)
{
    if (last < first)
        return 0;
    uint32_t residue = id % every;
    uint64_t before = first == 0 ? 0 : posync_due_up_to(first - 1, residue, every);
    return (uint32_t)(posync_due_up_to(last, residue, every) - before);
}

dc_q31 dc_posync_performance(const struct dc_params *p, const struct dc_posync *r)
{
    uint64_t s = p->ablate & DC_COMPONENT_S ? 0 : p->weight_s_ppm;
    uint64_t a = p->ablate & DC_COMPONENT_A ? 0 : p->weight_a_ppm;
    uint64_t u = p->ablate & DC_COMPONENT_U ? 0 : p->weight_u_ppm;
    uint64_t q = p->ablate & DC_COMPONENT_Q ? 0 : p->weight_q_ppm;
    uint64_t whole = p->ablate == 0 ? DC_PPM : s + a + u + q;
    if (whole == 0)
        return r->proved;
    uint64_t sum = s * r->s + a * r->a + u * r->u + q * r->q;
    return (dc_q31)((unsigned __int128)sum * r->proved / (whole << 31));
}

dc_q31 dc_posync_smooth(const struct dc_params *p, dc_q31 score, dc_q31 performance)
{
    uint64_t sum = (uint64_t)(DC_ONE - p->lambda) * score + (uint64_t)p->lambda * performance;
    return (dc_q31)(sum >> 31);
}

dc_q31 dc_posync_influence(const struct dc_params *p, dc_q31 score)
{
    return p->g_min + dc_q31_mul(DC_ONE - p->g_min, score);
}

uint64_t dc_posync_chance(enum dc_domain domain, const struct dc_hash *hash, uint32_t id,
                          uint64_t ordinal)
{
    uint8_t text[44];
    memcpy(text, hash->b, 32);
    dc_put32(text + 32, id);
    dc_put64(text + 36, ordinal);
    struct dc_hash h = dc_hash_bytes(domain, text, sizeof text);
    return dc_hash_u64(&h);
}

bool dc_posync_drawn_weighted(const struct dc_hash *beacon_f, uint32_t id, uint64_t height,
                              uint64_t weight, uint64_t left)
{
    DC_CHECK(left > 0 && weight <= left);
    uint64_t draw = dc_posync_chance(DC_DOMAIN_DRAW, beacon_f, id, height);
    return (uint64_t)((unsigned __int128)draw * left >> 64) < weight;
}

void dc_posync_draw_window(const struct dc_params *p, bool second, uint32_t *first, uint32_t *last)
{
    uint32_t length = second ? p->epoch_blocks / 3 : p->epoch_blocks * 2 / 3;
    *first = 0;
    *last = length == 0 ? 0 : length - 1;
}

struct dc_hash dc_posync_nonce(const struct dc_hash *beacon_f, uint32_t id, uint64_t height)
{
    uint8_t text[44];
    memcpy(text, beacon_f->b, 32);
    dc_put32(text + 32, id);
    dc_put64(text + 36, height);
    return dc_hash_bytes(DC_DOMAIN_CHALLENGE, text, sizeof text);
}

/* The n-th uniform draw in [0, limit) of a challenge, by rejection. */
static uint64_t posync_below(enum dc_domain domain, const struct dc_hash *nonce, uint32_t id,
                             uint64_t *ordinal, uint64_t limit)
{
    for (;;) {
        uint64_t draw = dc_posync_chance(domain, nonce, id, (*ordinal)++);
        unsigned __int128 m = (unsigned __int128)draw * limit;
        if ((uint64_t)m >= (0 - limit) % limit)
            return (uint64_t)(m >> 64);
    }
}

uint8_t dc_posync_verifiers_draw(uint32_t wanted, const struct dc_hash *nonce, uint32_t id,
                                 const uint32_t *member, uint32_t count, uint32_t *out)
{
    uint32_t others = count;
    for (uint32_t i = 0; i < count; i++)
        others -= member[i] == id;
    wanted = wanted < others ? wanted : others;
    DC_CHECK(wanted <= DC_VERIFIERS_MAX);
    uint8_t n = 0;
    uint64_t ordinal = 0;
    while (n < wanted) {
        uint32_t v = member[posync_below(DC_DOMAIN_VERDICT, nonce, id, &ordinal, count)];
        bool taken = v == id;
        for (uint8_t i = 0; i < n; i++)
            taken = taken || out[i] == v;
        if (!taken)
            out[n++] = v;
    }
    return n;
}

void dc_posync_samples(const struct dc_hash *nonce, uint64_t n, uint32_t k, uint64_t *out)
{
    uint64_t ordinal = 0;
    for (uint32_t i = 0; i < k; i++)
        out[i] = posync_below(DC_DOMAIN_SAMPLE, nonce, 0, &ordinal, n);
}

enum dc_verdict_kind dc_posync_majority(const struct dc_challenge *c, bool closing)
{
    uint32_t count[DC_VERDICT_UNDECIDED + 1] = {0};
    for (uint32_t i = 0; i < c->verifiers; i++) {
        DC_CHECK(c->verdict[i] < DC_VERDICT_UNDECIDED);
        count[c->verdict[i]]++;
    }
    uint32_t pass = count[DC_VERDICT_PASS], fail = count[DC_VERDICT_FAIL];
    uint32_t miss = count[DC_VERDICT_LATE] + count[DC_VERDICT_SILENT];
    if (2 * pass > c->verifiers)
        return DC_VERDICT_PASS;
    if (2 * fail > c->verifiers)
        return DC_VERDICT_FAIL;
    if (2 * miss > c->verifiers)
        return count[DC_VERDICT_LATE] >= count[DC_VERDICT_SILENT] ? DC_VERDICT_LATE
                                                                  : DC_VERDICT_SILENT;
    uint32_t most = pass > fail ? pass : fail;
    most = miss > most ? miss : most;
    bool reachable = 2 * (most + count[DC_VERDICT_NONE]) > c->verifiers;
    return closing || !reachable ? DC_VERDICT_UNDECIDED : DC_VERDICT_NONE;
}

int64_t dc_posync_deadline_ns(const struct dc_params *p, uint32_t k)
{
    return p->deadline_base_ns + (int64_t)k * p->deadline_per_k_ns;
}

/* log2 of a Q1.31 value, in 2^-16: at most 0. */
static int64_t posync_log2(dc_q31 q)
{
    return (int64_t)dc_log2_q16(q == 0 ? 1 : q) - (31 << 16);
}

int64_t dc_posync_sprt_limit(const struct dc_params *p)
{
    return posync_log2(DC_ONE - p->sprt_beta) - posync_log2(p->sprt_alpha);
}

bool dc_posync_sprt(const struct dc_params *p, struct dc_posync *r, bool failed)
{
    r->sprt_q16 += failed ? posync_log2(p->sprt_p1) - posync_log2(p->sprt_p0)
                          : posync_log2(DC_ONE - p->sprt_p1) - posync_log2(DC_ONE - p->sprt_p0);
    int64_t accept = posync_log2(p->sprt_beta) - posync_log2(DC_ONE - p->sprt_alpha);
    if (r->sprt_q16 <= accept)
        r->sprt_q16 = 0; /* shown honest: the test starts afresh */
    return r->sprt_q16 >= dc_posync_sprt_limit(p);
}

/* Proof of Sync as pure functions: the record of a node, the score, the draw of challenges, verdicts,
 * ejection.  Integers in, integers out (models/README.md 5 and 6); the ledger calls them when it
 * executes blocks and keeps the records in state.  Whom to challenge, how hard and when is asked of
 * a policy: policy.h. */
#ifndef MODELS_POSYNC_POSYNC_H
#define MODELS_POSYNC_POSYNC_H

#include "models/base/params.h"
#include "models/crypto/hash.h"

/* Why a node is in T(e): bits. */
enum dc_cause {
    DC_CAUSE_THETA = 1,      /* u < theta */
    DC_CAUSE_FLAG = 2,       /* flagged by anomaly detection */
    DC_CAUSE_AUDIT = 4,      /* audit coin */
    DC_CAUSE_ESCALATION = 8, /* failed, and has not passed since */
    DC_CAUSE_RETRY = 16,     /* undecided last time */
    DC_CAUSE_READY = 32      /* its service is forecast to need what it declared */
};

/* What one verifier, or the majority of those drawn, says. */
enum dc_verdict_kind {
    DC_VERDICT_NONE,
    DC_VERDICT_PASS,
    DC_VERDICT_FAIL, /* an answer with an invalid proof */
    DC_VERDICT_LATE,
    DC_VERDICT_SILENT,
    DC_VERDICT_UNDECIDED /* no majority of the verifiers drawn */
};

#define DC_VERIFIERS_MAX 8

/* The running challenge of a node: at most one at a time. */
struct dc_challenge {
    uint64_t height;                     /* of the block that drew it; 0: none */
    uint64_t f_height;                   /* the certified height whose root and R it uses */
    uint64_t epoch;                      /* e, in whose T(e) the node was */
    uint8_t asking;                      /* 1 or 2 */
    uint8_t cause;                       /* bits of enum dc_cause */
    uint8_t k;                           /* samples */
    uint8_t verifiers;                   /* how many were drawn */
    uint32_t verifier[DC_VERIFIERS_MAX]; /* account ids, distinct */
    uint8_t verdict[DC_VERIFIERS_MAX];   /* enum dc_verdict_kind of each, 0 while missing */
    struct dc_hash nonce;                /* of R_f, node, height: shared by its verifiers */
    uint32_t response_us;                /* median reported response time so far; UINT32_MAX none */
    uint32_t reported_us[DC_VERIFIERS_MAX]; /* what each verifier reported, beside its verdict */
    uint8_t proved[DC_VERIFIERS_MAX];       /* and the samples that it saw proved, of k */
};

/* The Proof of Sync record of a node, in its account.  All zero: nothing is known. */
struct dc_posync {
    dc_q31 u, s, a, q;    /* components of the last settled epoch */
    dc_q31 score;         /* S */
    dc_q31 proved;        /* v: share of the latest challenge's samples that were proved */
    dc_q31 level;         /* Holt's level of u (holt.h) */
    int32_t trend;        /* and its trend per epoch, Q1.31 */
    dc_q31 forecast;      /* u-hat of the epoch to come; of no meaning while seen is 0 */
    uint32_t alpha, beta; /* passes and failures, forgotten by and by, 2^-16 (history.h) */
    uint8_t seen;         /* how many u went into the forecast, saturating */
    uint8_t u_defined, s_defined, q_defined;
    uint8_t in_t;      /* causes for which it is in T(e), 0: not */
    uint8_t escalated; /* failed, and has not passed since */
    uint8_t undecided; /* the last challenge had no majority */
    uint8_t flagged;   /* by anomaly detection, for the epoch to come */
    uint8_t ejected;
    uint32_t asked;                    /* epoch of its newest first asking, plus 1; 0: never */
    uint32_t passed, failed;           /* settled challenges ever */
    int64_t sprt_q16;                  /* log likelihood ratio, base 2, in 2^-16 */
    uint32_t p_value_rank, p_value_of; /* combined conformal p-value: a pair of integers */
    struct dc_challenge challenge;
};

/* Heights between two heartbeats of a node: max(20, ceil(n/500)) unless configured. */
uint32_t dc_posync_heartbeat_every(const struct dc_params *p, uint32_t nodes);
/* Whether a heartbeat of `id` is due at `height`; every node exactly once per `every` heights. */
static inline bool dc_posync_heartbeat_due(uint64_t height, uint32_t id, uint32_t every)
{
    return height % every == id % every;
}
/* How many are due in [first, last]; at height 0, genesis, none is. */
uint32_t dc_posync_heartbeats_due(uint64_t first, uint64_t last, uint32_t id, uint32_t every);

/* P(e) of the components that p->ablate leaves, in proportion to their weights, times v (times v
 * alone when nothing is left); then S(e).  One rounding each. */
dc_q31 dc_posync_performance(const struct dc_params *p, const struct dc_posync *r);
dc_q31 dc_posync_smooth(const struct dc_params *p, dc_q31 score, dc_q31 performance);
/* g(S) = g_min + (1 - g_min) S. */
dc_q31 dc_posync_influence(const struct dc_params *p, dc_q31 score);

/* The first 64 bits of H(domain, hash || id || ordinal); true with probability q by the top 31. */
uint64_t dc_posync_chance(enum dc_domain domain, const struct dc_hash *hash, uint32_t id,
                          uint64_t ordinal);
static inline bool dc_posync_coin(uint64_t chance, dc_q31 q)
{
    return (chance >> 33) < q;
}

/* Whether a member of T(e) not yet drawn is drawn at this height: H(R_f || n || h) < 2^256 *
 * weight / left, with `left` the sum of the weights from this height to the last: at the last with
 * weight everybody is.  Requires weight <= left, left > 0.  A height's chance, seen from the
 * window's beginning, is its share of all weights to within 2^-64. */
bool dc_posync_drawn_weighted(const struct dc_hash *beacon_f, uint32_t id, uint64_t height,
                              uint64_t weight, uint64_t left);
/* Heights of an epoch in which first (second) askings are drawn: [first, last], relative to 0. */
void dc_posync_draw_window(const struct dc_params *p, bool second, uint32_t *first, uint32_t *last);
/* The nonce and the verifiers of a challenge: `wanted` (at most DC_VERIFIERS_MAX) distinct committee
 * members, not the node itself, drawn from `member[count]`, which are distinct; all of them when
 * there are fewer.  Returns how many; fewer verifiers are the first of more. */
struct dc_hash dc_posync_nonce(const struct dc_hash *beacon_f, uint32_t id, uint64_t height);
uint8_t dc_posync_verifiers_draw(uint32_t wanted, const struct dc_hash *nonce, uint32_t id,
                                 const uint32_t *member, uint32_t count, uint32_t *out);
/* Sample indices in [0, n) of a challenge, with replacement, by rejection from the nonce. */
void dc_posync_samples(const struct dc_hash *nonce, uint64_t n, uint32_t k, uint64_t *out);
/* Majority of the verifiers drawn; NONE while open and still reachable, UNDECIDED when `closing`
 * and there is none.  LATE and SILENT count together as a miss (the larger part names it). */
enum dc_verdict_kind dc_posync_majority(const struct dc_challenge *c, bool closing);
/* Deadline of an answer, beside the round-trip allowance: base + k * per_k. */
int64_t dc_posync_deadline_ns(const struct dc_params *p, uint32_t k);
/* Wald's sequential test over settled challenges: adds one outcome, says whether to eject. */
bool dc_posync_sprt(const struct dc_params *p, struct dc_posync *r, bool failed);
int64_t dc_posync_sprt_limit(const struct dc_params *p); /* of sprt_q16, where it says so */

#endif

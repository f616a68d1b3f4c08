/* What the files app_training*.c share: see app_training.c. */
#ifndef MODELS_CLIENT_APP_TRAINING_IMPL_H
#define MODELS_CLIENT_APP_TRAINING_IMPL_H

#include "models/client/app.h"
#include "models/crypto/bfv_proof.h"
#include "models/crypto/bfv_threshold.h"
#include "models/privacy/training.h"

#define TRAINING_MEMBERS 7u /* of the trainers hold the key, at most */
#define TRAINING_SHARES 35u /* sets of 3 among 7 */
#define TRAINING_HALF_BYTES (4 + DC_BFV_POLY_BYTES + DC_BFV_PROOF_BYTES)
#define TRAINING_NAME_BYTES ((size_t)16) /* of a half in HOLD: the beginning of its digest */
/* What a proof costs, in products (DC_COST_BFV_MULTIPLY): two draws of it on average, one check. */
#define TRAINING_PROVE_PRODUCTS 11u
#define TRAINING_CHECK_PRODUCTS 4u
#define TRAINING_WAIT_NS INT64_C(8000000000)   /* of the node, for what may never come */
#define TRAINING_HOLD_NS INT64_C(4000000000)   /* of a member, for others' gradients */
#define TRAINING_SETUP_NS INT64_C(60000000000) /* after which there is no key, or no more rounds */

enum training_step {
    STEP_SEEDS,    /* member to member: contributions, sealed */
    STEP_KEY,      /* member to trainers: marks, parts of the public key */
    STEP_GRADIENT, /* trainer to node: round, ciphertext */
    STEP_HALF,     /* trainer to members: round, c1 of it, proof */
    STEP_HOLD,     /* member to node: round, whose halves it has, the name of each */
    STEP_OPEN,     /* node to members: round, whose sum, which members */
    STEP_PART,     /* member to node: round, members, parts of that sum's decryption */
    STEP_WEIGHTS,  /* node to trainers: rounds done, who took part, weights */
    STEP_DONE,     /* trainer to node: it has the last weights */
    STEP_ASK,      /* send that again: a step, a round */
    STEP_VOTE      /* member to members: round, whose sum, its digest */
};

/* Parts that several members sent: of the key, or of a decryption. */
struct training_parts {
    struct dc_bfv_plan plan;
    uint16_t from; /* members whose parts are here */
    struct dc_bfv_poly *part[DC_BFV_SHARES_MAX];
    struct dc_hash digest[DC_BFV_SHARES_MAX][DC_BFV_COPIES_MAX];
};

/* What a member says is this round's sum.  It says so once. */
struct training_vote {
    uint64_t set; /* 0: nothing yet */
    struct dc_hash sum;
};

struct trainer {
    uint32_t self; /* index among the trainers; below members: holds a part of the key */
    struct dc_training_data data;
    /* making the key */
    struct dc_bfv_member member;
    uint16_t seeds_from; /* members whose contributions are here */
    struct dc_hash given[TRAINING_MEMBERS][TRAINING_SHARES];
    struct dc_hash mark[TRAINING_SHARES]; /* of seeds; zeros until a holder named it */
    struct training_parts key_parts;
    struct dc_bfv_public *key; /* NULL until it is made */
    /* rounds: of this one and the next, whose messages may come early */
    struct dc_bfv_poly *half[2][DC_TRAINING_PARTICIPANTS_MAX];
    uint64_t have[2];
    struct training_vote vote[2][TRAINING_MEMBERS];
    uint8_t *early[DC_TRAINING_PARTICIPANTS_MAX]; /* HALF of round 0, come before the key */
    uint64_t expected;                            /* trainers who are waited for */
    bool summed;
    struct dc_bfv_poly sum; /* of the halves that its own vote names */
    uint16_t openers;       /* members of the newest OPEN that it is in; 0: none */
    bool asked, held;
    int64_t weights_asked_ns;
};

struct aggregator {
    struct dc_bfv_ciphertext *c[DC_TRAINING_PARTICIPANTS_MAX];
    uint64_t have, expected, done;
    uint64_t took, moved; /* whose sum is being opened; whose moved the weights in the last round */
    uint8_t mine[DC_TRAINING_PARTICIPANTS_MAX][TRAINING_NAME_BYTES]; /* of c[k]'s half */
    uint64_t hold[TRAINING_MEMBERS];
    uint8_t held[TRAINING_MEMBERS][DC_TRAINING_PARTICIPANTS_MAX][TRAINING_NAME_BYTES];
    uint16_t holds;   /* members whose hold is here */
    uint16_t cheats;  /* members that were caught */
    uint16_t members; /* that open; 0: still collecting */
    uint32_t tries;
    bool asked; /* for missing parts, again */
    struct dc_bfv_ciphertext sum;
    struct training_parts parts;
};

struct training {
    struct dc_bfv *bfv;
    struct dc_training_shape shape;
    uint8_t secret[32]; /* of this node in this application */
    struct dc_hash about, common;
    uint32_t trainers, members, rounds;
    uint32_t node[DC_TRAINING_PARTICIPANTS_MAX];
    struct dc_bfv_sharing sharing;
    uint32_t round;   /* that is under way */
    int64_t since_ns; /* its beginning, or the newest sign that something moves */
    int64_t weights[DC_TRAINING_FEATURES_MAX + 1];
    bool over;
    uint64_t result;
    struct trainer *trainer;       /* one of the two */
    struct aggregator *aggregator; /* at call.node */
};

/* What every handler is given. */
struct training_turn {
    struct dc_engagement *g;
    struct training *t;
    const struct dc_app_env *env;
    int64_t now_ns;
    struct dc_effects *out;
};

/* --- app_training.c -------------------------------------------------------------------------- */

static inline uint64_t training_all(uint32_t count)
{
    return (UINT64_C(1) << count) - 1; /* count <= 63 */
}
/* The least number of gradients that is ever opened: a sum of fewer says too much of each. */
static inline uint32_t training_least(const struct training *t)
{
    return t->sharing.threshold < 2 ? 2 : t->sharing.threshold;
}
/* Members who have to say the same before one of them opens it: any two such sets have a member in
 * common that is honest, when fewer than `threshold` are not. */
static inline uint32_t training_quorum(const struct training *t)
{
    return (t->members + t->sharing.threshold - 1) / 2 + 1;
}
static inline void training_name(const struct dc_bfv_poly *half, uint8_t name[TRAINING_NAME_BYTES])
{
    struct dc_hash digest = dc_bfv_poly_digest(half);
    memcpy(name, digest.b, TRAINING_NAME_BYTES);
}
/* Index of a node among the trainers, or t->trainers. */
uint32_t dc_training_index(const struct training *t, uint32_t node);
/* To the trainers of a set but this node itself: one effect, since a step has room for few. */
void dc_training_send(const struct training_turn *u, uint64_t set, enum training_step step,
                      const void *body, size_t size);
/* Asks them, or the node when the set is empty, to send a step of this round again. */
void dc_training_ask(const struct training_turn *u, uint64_t set, enum training_step step);
void dc_training_over(const struct training_turn *u, uint64_t result);
void dc_training_refuse(const struct training_turn *u);
/* What a crash leaves of the training: round, weights, who is expected, the own vote.  To be noted
 * when one of them has changed. */
void dc_training_record(const struct training_turn *u);

/* Appends what `member` says of its groups: parts where it is the first, digests elsewhere.  make
 * computes one.  Returns the bytes, dc_mem_*; head bytes are left free in front. */
typedef void dc_training_make_fn(const struct training_turn *u, const struct dc_bfv_plan *plan,
                                 uint32_t group, struct dc_bfv_poly *out);
uint8_t *dc_training_parts_make(const struct training_turn *u, const struct dc_bfv_plan *plan,
                                size_t head, dc_training_make_fn *make, size_t *size);
/* Takes what member m said, once.  False when it is no such thing. */
bool dc_training_parts_take(struct training_parts *p, uint32_t m, const uint8_t *bytes,
                            size_t size);
void dc_training_parts_clear(struct training_parts *p);

/* --- app_training_key.c ---------------------------------------------------------------------- */

void dc_training_seeds_send(const struct training_turn *u, uint32_t to);
void dc_training_seeds_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                            size_t size);
void dc_training_key_send(const struct training_turn *u);
void dc_training_key_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                          size_t size);
void dc_training_key_wait(const struct training_turn *u);

/* --- app_training_round.c: trainers ---------------------------------------------------------- */

void dc_training_round_begin(const struct training_turn *u);
void dc_training_gradient_send(const struct training_turn *u, bool members);
void dc_training_half_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                           size_t size);
void dc_training_hold(const struct training_turn *u);
void dc_training_vote_send(const struct training_turn *u, uint64_t to);
void dc_training_vote_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                           size_t size);
void dc_training_open_take(const struct training_turn *u, const uint8_t *body, size_t size);
void dc_training_weights_take(const struct training_turn *u, const uint8_t *body, size_t size);
void dc_training_round_wait(const struct training_turn *u);

/* --- app_training_sum.c: the node ------------------------------------------------------------ */

void dc_training_sum_take(const struct training_turn *u, uint32_t from, uint8_t step,
                          const uint8_t *body, size_t size);
/* To those trainers. */
void dc_training_weights_send(const struct training_turn *u, uint64_t to);
void dc_training_sum_wait(const struct training_turn *u);

#endif

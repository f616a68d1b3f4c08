/* A trainer's rounds: its own gradient, and, where it is a member, others' halves, votes and the
 * opening of a sum.  Messages of the next round may come while this one runs, since WEIGHTS do not
 * reach all at once; they wait in the other of two places. */
#include "models/client/app_training_impl.h"

#include "models/base/mem.h"

/* --- the own gradient ------------------------------------------------------------------------ */

/* Keeps c1 of trainer k for a round: this one or the next. */
static void half_keep(struct trainer *r, uint32_t round, uint32_t k, const struct dc_bfv_poly *c1)
{
    struct dc_bfv_poly **place = &r->half[round % 2][k];
    if (*place == NULL)
        *place = dc_mem_need(1, sizeof **place, "half a ciphertext");
    **place = *c1;
    r->have[round % 2] |= UINT64_C(1) << k;
}

/* What a proof says about its half besides: whose it is, in which round of which training. */
static struct dc_hash half_context(const struct training *t, uint32_t round, uint32_t k)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_TRAINING);
    dc_hasher_update(&h, t->about.b, DC_HASH_BYTES);
    dc_hasher_update(&h, "half", 4);
    dc_hasher_update64(&h, round);
    dc_hasher_update64(&h, k);
    return dc_hasher_final(&h);
}

static void half_send(const struct training_turn *u, const struct dc_bfv_plain *plain,
                      const struct dc_hash *seed, const struct dc_bfv_poly *c1)
{
    struct training *t = u->t;
    uint8_t *body = dc_mem_need(1, TRAINING_HALF_BYTES, "half a gradient");
    const struct dc_hash context = half_context(t, t->round, t->trainer->self);
    dc_put32(body, t->round);
    dc_bfv_poly_encode(c1, body + 4);
    dc_bfv_prove(t->bfv, t->trainer->key, plain, seed->b, &context, body + 4 + DC_BFV_POLY_BYTES);
    u->out->charge[DC_COST_BFV_MULTIPLY] += TRAINING_PROVE_PRODUCTS;
    dc_training_send(u, training_all(t->members), STEP_HALF, body, TRAINING_HALF_BYTES);
    dc_mem_free(body);
}

/* The gradient of this round under encryption is a function of key, weights and secret: it can be
 * sent again. */
void dc_training_gradient_send(const struct training_turn *u, bool members)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    int64_t gradient[DC_TRAINING_FEATURES_MAX + 1];
    struct dc_bfv_plain plain;
    struct dc_bfv_ciphertext *c = dc_mem_need(1, sizeof *c, "a ciphertext");
    dc_training_gradient(&t->shape, &r->data, t->weights, gradient);
    dc_training_pack(&t->shape, gradient, &plain);
    struct dc_hasher h; /* two rounds with the same gradient are not to show it */
    dc_hasher_init(&h, DC_DOMAIN_TRAINING);
    dc_hasher_update(&h, t->secret, sizeof t->secret);
    dc_hasher_update64(&h, t->round);
    struct dc_hash seed = dc_hasher_final(&h);
    dc_bfv_encrypt(t->bfv, r->key, &plain, seed.b, c);
    u->out->charge[DC_COST_BFV_ENCRYPT]++;
    uint8_t *body = dc_mem_need(1, 4 + DC_BFV_CIPHERTEXT_BYTES, "a gradient");
    dc_put32(body, t->round);
    dc_bfv_ciphertext_encode(c, body + 4);
    dc_app_send(u->g, u->g->call.node, STEP_GRADIENT, body, 4 + DC_BFV_CIPHERTEXT_BYTES, u->out);
    if (members)
        half_send(u, &plain, &seed, &c->c[1]);
    if (r->self < t->members)
        half_keep(r, t->round, r->self, &c->c[1]);
    dc_mem_free(body);
    dc_mem_free(c);
}

static bool complete(const struct trainer *r, uint32_t round)
{
    return (r->expected & ~r->have[round % 2]) == 0;
}

void dc_training_hold(const struct training_turn *u)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    const uint64_t have = r->have[t->round % 2];
    uint8_t body[12 + DC_TRAINING_PARTICIPANTS_MAX * TRAINING_NAME_BYTES];
    size_t size = 12;
    dc_put32(body, t->round);
    dc_put64(body + 4, have);
    for (uint32_t k = 0; k < t->trainers; k++)
        if ((have >> k & 1) != 0) {
            training_name(r->half[t->round % 2][k], body + size);
            size += TRAINING_NAME_BYTES;
        }
    dc_app_send(u->g, u->g->call.node, STEP_HOLD, body, size, u->out);
    r->held = true;
}

/* Samples or weights are new: begins the round t->round. */
void dc_training_round_begin(const struct training_turn *u)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    t->since_ns = u->now_ns;
    r->openers = 0;
    r->summed = r->asked = r->held = false;
    for (uint32_t k = 0; k < t->trainers; k++) {
        uint8_t *early = r->early[k];
        r->early[k] = NULL;
        if (early != NULL)
            dc_training_half_take(u, k, early, TRAINING_HALF_BYTES);
        dc_mem_free(early);
    }
    dc_training_gradient_send(u, true);
    if (r->self < t->members && complete(r, t->round))
        dc_training_hold(u);
}

/* --- a member -------------------------------------------------------------------------------- */

void dc_training_half_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                           size_t size)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    if (r->self >= t->members || size != TRAINING_HALF_BYTES) {
        dc_training_refuse(u);
        return;
    }
    uint32_t round = dc_get32(body);
    if ((round != t->round && round != t->round + 1) || (r->have[round % 2] >> from & 1) != 0)
        return;           /* late; or again, and the first one stands */
    if (r->key == NULL) { /* without which there is no checking; it comes soon */
        if (round == 0 && r->early[from] == NULL) {
            r->early[from] = dc_mem_need(1, size, "half a gradient");
            memcpy(r->early[from], body, size);
        }
        return;
    }
    struct dc_bfv_poly *c1 = dc_mem_need(1, sizeof *c1, "half a ciphertext");
    const struct dc_hash context = half_context(t, round, from);
    u->out->charge[DC_COST_BFV_MULTIPLY] += TRAINING_CHECK_PRODUCTS;
    if (dc_bfv_poly_decode(body + 4, DC_BFV_POLY_BYTES, c1) &&
        dc_bfv_proof_check(t->bfv, r->key, c1, &context, body + 4 + DC_BFV_POLY_BYTES))
        half_keep(r, round, from, c1);
    else
        dc_training_refuse(u);
    dc_mem_free(c1);
    if (round == t->round && !r->held && complete(r, round))
        dc_training_hold(u);
}

static void open_part(const struct training_turn *u, const struct dc_bfv_plan *plan, uint32_t group,
                      struct dc_bfv_poly *out)
{
    const struct training *t = u->t;
    const struct trainer *r = t->trainer;
    dc_bfv_part(t->bfv, &r->member, plan, group, &r->sum, &r->vote[t->round % 2][r->self].sum, out);
}

static void sum_halves(const struct training_turn *u, uint64_t set)
{
    const struct training *t = u->t;
    struct trainer *r = t->trainer;
    struct dc_bfv_ciphertext *sum = dc_mem_need(2, sizeof *sum, "a sum"); /* zeros, and one */
    for (uint32_t k = 0; k < t->trainers; k++)
        if ((set >> k & 1) != 0) {
            sum[1].c[1] = *r->half[t->round % 2][k];
            dc_bfv_add(&sum[0], &sum[1]);
            u->out->charge[DC_COST_BFV_ADD]++;
        }
    r->sum = sum[0].c[1];
    dc_mem_free(sum);
}

static bool open_plan(const struct training *t, uint16_t members, struct dc_bfv_plan *plan)
{
    uint32_t copies = (uint32_t)__builtin_popcount(members) - t->sharing.threshold + 1;
    return (uint32_t)__builtin_popcount(members) >= t->sharing.threshold &&
           dc_bfv_plan_make(&t->sharing, members,
                            copies < DC_BFV_COPIES_MAX ? copies : DC_BFV_COPIES_MAX, plan);
}

/* Members that have voted as this one did. */
static uint16_t open_agreed(const struct training *t)
{
    const struct training_vote *vote = t->trainer->vote[t->round % 2];
    const struct training_vote *own = &vote[t->trainer->self];
    uint16_t agreed = 0;
    for (uint32_t m = 0; m < t->members; m++)
        if (own->set != 0 && vote[m].set == own->set && dc_hash_equal(&vote[m].sum, &own->sum))
            agreed |= (uint16_t)(1u << m);
    return agreed;
}

/* Answers the newest OPEN when enough others would. */
static void open_answer(const struct training_turn *u)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    struct dc_bfv_plan plan;
    size_t size;
    if (r->openers == 0 || !r->summed ||
        (uint32_t)__builtin_popcount(open_agreed(t)) < training_quorum(t) ||
        !open_plan(t, r->openers, &plan))
        return;
    uint8_t *answer = dc_training_parts_make(u, &plan, 6, open_part, &size);
    dc_put32(answer, t->round);
    dc_put16(answer + 4, r->openers);
    dc_app_send(u->g, u->g->call.node, STEP_PART, answer, size, u->out);
    dc_mem_free(answer);
    r->openers = 0;
}

/* This member's vote of the round, to members, if there is one. */
void dc_training_vote_send(const struct training_turn *u, uint64_t to)
{
    const struct training *t = u->t;
    const struct training_vote *own = &t->trainer->vote[t->round % 2][t->trainer->self];
    uint8_t body[12 + DC_HASH_BYTES];
    dc_put32(body, t->round);
    dc_put64(body + 4, own->set);
    memcpy(body + 12, own->sum.b, DC_HASH_BYTES);
    if (own->set != 0)
        dc_training_send(u, to, STEP_VOTE, body, sizeof body);
}

void dc_training_vote_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                           size_t size)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    if (r->self >= t->members || from == r->self || size != 12 + DC_HASH_BYTES) {
        dc_training_refuse(u);
        return;
    }
    const uint32_t round = dc_get32(body);
    struct training_vote *vote = &r->vote[round % 2][from];
    if ((round != t->round && round != t->round + 1) || vote->set != 0)
        return; /* late, or another: the first one stands */
    vote->set = dc_get64(body + 4);
    memcpy(vote->sum.b, body + 12, DC_HASH_BYTES);
    if (round == t->round)
        open_answer(u);
}

/* Adds the halves of this round up and votes for their sum.  False when this member voted for
 * another before it crashed. */
static bool sum_vote(const struct training_turn *u, uint64_t set)
{
    const struct training *t = u->t;
    struct trainer *r = t->trainer;
    struct training_vote *own = &r->vote[t->round % 2][r->self];
    sum_halves(u, set);
    struct dc_hash sum = dc_bfv_poly_digest(&r->sum);
    if (own->set != 0 && !dc_hash_equal(&own->sum, &sum))
        return false;
    *own = (struct training_vote){set, sum};
    r->summed = true;
    dc_training_record(u);
    return true;
}

void dc_training_open_take(const struct training_turn *u, const uint8_t *body, size_t size)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    struct dc_bfv_plan plan;
    if (size != 14 || dc_get32(body) != t->round || r->key == NULL)
        return;
    const uint64_t set = dc_get64(body + 4);
    const uint16_t members = dc_get16(body + 12);
    struct training_vote *own = &r->vote[t->round % 2][r->self];
    /* never a sum of few, never of what this member has not seen, never two in one round */
    if (r->self >= t->members || (uint32_t)__builtin_popcountll(set) < training_least(t) ||
        (set & ~r->have[t->round % 2]) != 0 || (own->set != 0 && own->set != set) ||
        !open_plan(t, members, &plan)) {
        dc_training_refuse(u);
        return;
    }
    const bool again = own->set != 0;
    if (!r->summed && !sum_vote(u, set)) {
        dc_training_refuse(u);
        return;
    }
    if (!again)
        dc_training_vote_send(u, training_all(t->members));
    t->since_ns = u->now_ns;
    r->openers = (members >> r->self & 1) != 0 ? members : 0;
    open_answer(u);
    const uint64_t silent = training_all(t->members) & ~(uint64_t)open_agreed(t);
    if (again && r->openers != 0 && silent != 0) /* votes were lost, perhaps */
        dc_training_ask(u, silent, STEP_VOTE);
}

/* --- the next round -------------------------------------------------------------------------- */

void dc_training_weights_take(const struct training_turn *u, const uint8_t *body, size_t size)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    struct dc_reader in = dc_reader(body, size);
    uint32_t round = dc_read32(&in);
    uint64_t took = dc_read64(&in);
    int64_t weights[DC_TRAINING_FEATURES_MAX + 1];
    for (uint32_t j = 0; j <= t->shape.features; j++)
        weights[j] = (int64_t)dc_read64(&in);
    if (!dc_read_done(&in) || round > t->rounds || !dc_training_sane(&t->shape, weights)) {
        dc_training_refuse(u);
        return;
    }
    if (r->key == NULL || round <= t->round)
        return;
    for (uint32_t old = t->round; old < round && old < t->round + 2; old++) {
        r->have[old % 2] = 0;
        memset(r->vote[old % 2], 0, sizeof r->vote[old % 2]);
    }
    memcpy(t->weights, weights, (t->shape.features + 1) * sizeof *weights);
    t->round = round;
    if (took != 0)
        r->expected = took & training_all(t->trainers);
    dc_training_record(u);
    if (round < t->rounds) {
        dc_training_round_begin(u);
        return;
    }
    dc_app_send(u->g, u->g->call.node, STEP_DONE, NULL, 0, u->out);
    dc_training_over(u, dc_training_digest(&t->shape, t->weights));
}

/* Nothing came for a while: others' halves are asked for once, then it says what it has. */
void dc_training_round_wait(const struct training_turn *u)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    const int64_t waited = u->now_ns - t->since_ns;
    if (waited >= TRAINING_SETUP_NS) {
        dc_training_over(u, DC_APP_REFUSED);
        return;
    }
    if (r->self < t->members && !r->held && waited >= TRAINING_HOLD_NS / 2 && !r->asked) {
        if (!complete(r, t->round))
            dc_training_ask(u, r->expected & ~r->have[t->round % 2], STEP_HALF);
        r->asked = true;
    }
    if (r->self < t->members && !r->held && waited >= TRAINING_HOLD_NS)
        dc_training_hold(u);
    if (waited >= 2 * TRAINING_WAIT_NS && u->now_ns - r->weights_asked_ns >= TRAINING_WAIT_NS) {
        dc_training_ask(u, 0, STEP_WEIGHTS);
        r->weights_asked_ns = u->now_ns;
    }
}

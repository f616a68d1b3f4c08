/* The node that adds up: collects ciphertexts of a round, chooses whose sum is opened and by which
 * members, puts their parts together, moves the weights.
 *
 *     collecting --all expected, or TRAINING_WAIT_NS--> opening --parts agree--> next round
 *          |  too few                                      |  some do not answer, or lie: again
 *          +--> asked again, then the round is void <------+  without them, until too few are */
#include "models/client/app_training_impl.h"

#include "models/base/mem.h"

#define TRIES 4u /* of one round's collecting and opening */

static uint32_t count(uint64_t set)
{
    return (uint32_t)__builtin_popcountll(set);
}

static uint16_t members_expected(const struct training *t)
{
    const struct aggregator *a = t->aggregator;
    return (uint16_t)(a->expected & training_all(t->members) & ~a->cheats);
}

void dc_training_weights_send(const struct training_turn *u, uint64_t to)
{
    const struct training *t = u->t;
    const size_t size = 12 + 8 * ((size_t)t->shape.features + 1);
    uint8_t body[12 + 8 * (DC_TRAINING_FEATURES_MAX + 1)];
    dc_put32(body, t->round);
    dc_put64(body + 4, t->aggregator->moved);
    for (uint32_t j = 0; j <= t->shape.features; j++)
        dc_put64(body + 12 + 8 * (size_t)j, (uint64_t)t->weights[j]);
    dc_training_send(u, to, STEP_WEIGHTS, body, size);
}

/* The round is over; took: whose gradients moved the weights. */
static void next_round(const struct training_turn *u, uint64_t took)
{
    struct training *t = u->t;
    struct aggregator *a = t->aggregator;
    a->moved = took;
    if (took != 0)
        a->expected = took;
    a->have = 0;
    a->holds = a->members = 0;
    a->tries = 0;
    t->round++;
    t->since_ns = u->now_ns;
    dc_training_record(u);
    dc_training_weights_send(u, training_all(t->trainers));
}

/* --- opening --------------------------------------------------------------------------------- */

/* Asks those of a->members who have not answered for the sum of a->took. */
static void open_ask(const struct training_turn *u)
{
    const struct training *t = u->t;
    const struct aggregator *a = t->aggregator;
    uint8_t body[14];
    dc_put32(body, t->round);
    dc_put64(body + 4, a->took);
    dc_put16(body + 12, a->members);
    /* who is not to open may still vote */
    dc_training_send(u, (uint64_t)(a->holds & ~a->parts.from), STEP_OPEN, body, sizeof body);
}

/* Begins an opening by these members, or gives the round up. */
static void open_by(const struct training_turn *u, uint16_t members)
{
    struct training *t = u->t;
    struct aggregator *a = t->aggregator;
    t->since_ns = u->now_ns;
    if (count(members) < t->sharing.threshold || a->tries++ >= TRIES) {
        next_round(u, 0);
        return;
    }
    uint32_t copies = count(members) - t->sharing.threshold + 1;
    a->members = members;
    a->asked = false;
    dc_training_parts_clear(&a->parts);
    bool made =
        dc_bfv_plan_make(&t->sharing, members,
                         copies < DC_BFV_COPIES_MAX ? copies : DC_BFV_COPIES_MAX, &a->parts.plan);
    DC_CHECK(made);
    open_ask(u);
}

/* Trainers whose halves member m has as the node has them. */
static uint64_t held_same(const struct training *t, uint32_t m)
{
    const struct aggregator *a = t->aggregator;
    uint64_t same = 0;
    for (uint32_t k = 0; k < t->trainers; k++)
        if ((a->hold[m] & a->have) >> k & 1 &&
            memcmp(a->held[m][k], a->mine[k], TRAINING_NAME_BYTES) == 0)
            same |= UINT64_C(1) << k;
    return same;
}

/* Chooses members and the trainers whose halves all of them have; drops the members with the fewest
 * while that leaves too few trainers.  Members that were caught are asked for their vote where it
 * does not go without. */
static void choose(const struct training_turn *u)
{
    struct training *t = u->t;
    struct aggregator *a = t->aggregator;
    uint16_t members = (uint16_t)(a->holds & ~a->cheats);
    if (count(members) < training_quorum(t))
        members = a->holds;
    for (;;) {
        uint64_t set = a->have;
        uint32_t fewest = UINT32_MAX, who = 0;
        for (uint32_t m = 0; m < t->members; m++) {
            if ((members >> m & 1) == 0)
                continue;
            const uint64_t same = held_same(t, m);
            set &= same;
            if (count(same) < fewest) {
                fewest = count(same);
                who = m;
            }
        }
        if (count(members) < training_quorum(t))
            return;
        if (count(set) >= training_least(t)) {
            a->took = set;
            memset(&a->sum, 0, sizeof a->sum);
            for (uint32_t k = 0; k < t->trainers; k++)
                if ((set >> k & 1) != 0) {
                    dc_bfv_add(&a->sum, a->c[k]);
                    u->out->charge[DC_COST_BFV_ADD]++;
                }
            a->tries = 0;
            open_by(u, (uint16_t)(members & ~a->cheats));
            return;
        }
        members &= (uint16_t) ~(1u << who);
    }
}

static void sum_open(const struct training_turn *u)
{
    struct training *t = u->t;
    struct aggregator *a = t->aggregator;
    struct dc_bfv_verdict verdict;
    dc_bfv_judge(&a->parts.plan, (const struct dc_hash(*)[DC_BFV_COPIES_MAX])a->parts.digest,
                 &verdict);
    if (!verdict.agreed) {
        a->cheats |= verdict.cheats;
        for (uint32_t m = 0; m < t->members; m++)
            if ((verdict.cheats >> m & 1) != 0)
                dc_effect_note(u->out, DC_NOTE_REFUSED, DC_MSG_APP, t->node[m]);
        if (verdict.cheats == 0) /* one of two lies, and no third says which */
            next_round(u, 0);
        else
            open_by(u, (uint16_t)(a->members & ~a->cheats));
        return;
    }
    struct dc_bfv_plain plain;
    int64_t sum[DC_TRAINING_FEATURES_MAX + 1];
    uint32_t bits =
        dc_bfv_combine(t->bfv, &a->sum, (const struct dc_bfv_poly *const *)a->parts.part,
                       a->parts.plan.groups, &plain);
    u->out->charge[DC_COST_BFV_DECODE]++;
    if (bits > DC_BFV_COMBINE_BITS_MAX) {
        next_round(u, 0);
        return;
    }
    dc_training_unpack(&t->shape, &plain, sum);
    dc_training_step(&t->shape, sum, count(a->took), t->weights);
    next_round(u, a->took);
}

/* --- messages -------------------------------------------------------------------------------- */

static bool gradient_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                          size_t size)
{
    struct aggregator *a = u->t->aggregator;
    if (size != 4 + DC_BFV_CIPHERTEXT_BYTES)
        return false;
    if (dc_get32(body) != u->t->round || a->members != 0 || (a->have >> from & 1) != 0)
        return true; /* late, or again */
    if (a->c[from] == NULL)
        a->c[from] = dc_mem_need(1, sizeof *a->c[from], "a ciphertext");
    if (!dc_bfv_ciphertext_decode(body + 4, size - 4, a->c[from]))
        return false;
    training_name(&a->c[from]->c[1], a->mine[from]);
    a->have |= UINT64_C(1) << from;
    return true;
}

static bool hold_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                      size_t size)
{
    struct aggregator *a = u->t->aggregator;
    if (size < 12 || from >= u->t->members)
        return false;
    const uint64_t have = dc_get64(body + 4);
    if ((have & ~training_all(u->t->trainers)) != 0 ||
        size != 12 + count(have) * TRAINING_NAME_BYTES)
        return false;
    if (dc_get32(body) != u->t->round || a->members != 0)
        return true;
    a->hold[from] = have;
    a->holds |= (uint16_t)(1u << from);
    body += 12;
    for (uint32_t k = 0; k < u->t->trainers; k++)
        if ((have >> k & 1) != 0) {
            memcpy(a->held[from][k], body, TRAINING_NAME_BYTES);
            body += TRAINING_NAME_BYTES;
        }
    return true;
}

static bool part_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                      size_t size)
{
    struct aggregator *a = u->t->aggregator;
    if (size < 6 || from >= u->t->members)
        return false;
    if (dc_get32(body) != u->t->round || dc_get16(body + 4) != a->members ||
        (a->members >> from & 1) == 0)
        return true; /* of an opening that is over */
    if (!dc_training_parts_take(&a->parts, from, body + 6, size - 6))
        return false;
    if (a->parts.from == a->members)
        sum_open(u);
    return true;
}

void dc_training_sum_take(const struct training_turn *u, uint32_t from, uint8_t step,
                          const uint8_t *body, size_t size)
{
    struct training *t = u->t;
    struct aggregator *a = t->aggregator;
    bool good = from < t->trainers;
    if (good && t->round == t->rounds) {
        if (step == STEP_DONE)
            a->done |= UINT64_C(1) << from;
        if ((a->expected & ~a->done) == 0)
            dc_training_over(u, dc_training_digest(&t->shape, t->weights));
        return;
    }
    if (good && step == STEP_GRADIENT)
        good = gradient_take(u, from, body, size);
    else if (good && step == STEP_HOLD)
        good = hold_take(u, from, body, size);
    else if (good && step == STEP_PART)
        good = part_take(u, from, body, size);
    else
        good = false;
    if (!good)
        dc_training_refuse(u);
    const uint16_t members = members_expected(t);
    if (t->round < t->rounds && a->members == 0 && (a->expected & ~a->have) == 0 &&
        (members & ~a->holds) == 0)
        choose(u);
}

/* Nothing has come for too long. */
void dc_training_sum_wait(const struct training_turn *u)
{
    struct training *t = u->t;
    struct aggregator *a = t->aggregator;
    if (u->now_ns - t->since_ns < TRAINING_WAIT_NS)
        return;
    t->since_ns = u->now_ns;
    if (t->round == t->rounds) { /* somebody may not know */
        if (++a->tries < TRIES)
            dc_training_weights_send(u, a->expected & ~a->done);
        else
            dc_training_over(u, dc_training_digest(&t->shape, t->weights));
        return;
    }
    if (a->members != 0) { /* once again, then without them */
        if (a->asked) {
            open_by(u, a->parts.from);
            return;
        }
        a->asked = true;
        open_ask(u);
        return;
    }
    choose(u);
    if (a->members != 0)
        return;
    /* In the first round, trainers may still be making their key. */
    const uint32_t tries =
        t->round == 0 ? (uint32_t)(TRAINING_SETUP_NS / TRAINING_WAIT_NS) + 2 : TRIES;
    if (++a->tries > tries) {
        if (t->round == 0)
            dc_training_over(u, DC_APP_REFUSED);
        else
            next_round(u, 0);
        return;
    }
    const uint64_t missing =
        (training_all(t->trainers) & ~a->have) | (training_all(t->members) & ~(uint64_t)a->holds);
    if (missing != 0)
        dc_training_ask(u, missing, STEP_GRADIENT);
}

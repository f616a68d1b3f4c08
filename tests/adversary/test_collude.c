/* Safety's border: a clique of 40 % and a partition of the honest fork the chain, one of 30 % does
 * not; and what twins and colluders say is evidence where somebody hears both instances. */
#include "tests/adversary/byzantine.h"

enum { VALIDATORS = 10 };

struct split {
    uint64_t clique, victims; /* the rest is the other side */
    int64_t heal_ns;
    const struct town *town;
};

static bool cut(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    const struct split *s = context;
    if (s->town->now_ns >= s->heal_ns || (s->clique >> from & 1) != 0 || (s->clique >> to & 1) != 0)
        return false;
    return (s->victims >> from & 1) != (s->victims >> to & 1);
}

struct outcome {
    bool agree;
    uint64_t height[2], timed_out; /* the side of the others, of the victims */
    uint64_t slashed;
};

/* The first k validators collude, the honest are cut in half for a minute. */
static struct outcome split_run(uint32_t k, enum dc_behaviour behaviour, int64_t heal_ns,
                                int64_t until_ns)
{
    struct town_spec spec = {.validators = VALIDATORS, .suite = DC_SUITE_MODELLED};
    struct town *t = town_make(&spec);
    uint32_t half = (VALIDATORS - k) / 2;
    struct split s = {.clique = (UINT64_C(1) << k) - 1,
                      .victims = ((UINT64_C(1) << half) - 1) << (VALIDATORS - half),
                      .heal_ns = heal_ns,
                      .town = t};
    t->lose = cut;
    t->context = &s;
    byz_begin(t, s.clique,
              (struct dc_byzantine_config){.behaviour = behaviour, .victims = &s.victims});
    town_run(t, until_ns);
    struct outcome o = {.agree = byz_agree(t, s.clique),
                        .height = {t->height[k], t->height[VALIDATORS - 1]},
                        .timed_out = t->timed_out,
                        .slashed = byz_slashed(t, k)};
    town_free(t);
    return o;
}

static void test_forty_percent(void)
{
    struct outcome o = split_run(4, DC_BEHAVIOUR_COLLUDE, INT64_MAX, 60 * SECOND);
    CU_ASSERT_FALSE(o.agree); /* two final blocks of one height */
    CU_ASSERT_TRUE(o.height[0] >= 3 && o.height[1] >= 3);
    o = split_run(5, DC_BEHAVIOUR_COLLUDE, INT64_MAX, 60 * SECOND);
    CU_ASSERT_FALSE(o.agree);
    o = split_run(4, DC_BEHAVIOUR_TWINS, INT64_MAX, 60 * SECOND);
    CU_ASSERT_FALSE(o.agree);
}

/* One side at most has a quorum with the clique: 7 of 10.  After the heal all go on, agreed. */
static void test_thirty_percent(void)
{
    for (uint32_t k = 0; k <= 3; k++) {
        struct outcome o = split_run(k, DC_BEHAVIOUR_COLLUDE, 60 * SECOND, 60 * SECOND);
        CU_ASSERT_TRUE(o.agree);
        CU_ASSERT_TRUE(o.height[0] == 0 || o.height[1] == 0);
        CU_ASSERT_TRUE(o.timed_out > 0);
        o = split_run(k, DC_BEHAVIOUR_COLLUDE, 60 * SECOND, 140 * SECOND);
        CU_ASSERT_TRUE(o.agree);
        CU_ASSERT_TRUE(o.height[0] > 10 && o.height[1] > 10);
        CU_ASSERT_EQUAL(o.slashed & ~((UINT64_C(1) << k) - 1), 0); /* no honest one */
        CU_ASSERT_TRUE(k < 3 || o.slashed != 0);
    }
}

/* Without a partition, a third of the power: evidence of every kind of twin, no fork. */
static void test_evidence(void)
{
    static const struct {
        enum dc_behaviour behaviour;
        uint64_t corrupt, victims;
    } cases[] = {{DC_BEHAVIOUR_TWINS, 1, 0x6},
                 {DC_BEHAVIOUR_TWINS, 1, 0x3e},
                 {DC_BEHAVIOUR_COLLUDE, 3, 0x60},
                 {DC_BEHAVIOUR_COLLUDE, 3, 0x2a}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct town_spec spec = {
            .validators = 7, .services = 2, .clients = 1, .suite = DC_SUITE_MODELLED};
        struct town *t = town_make(&spec);
        byz_begin(t, cases[i].corrupt,
                  (struct dc_byzantine_config){.behaviour = cases[i].behaviour,
                                               .victims = &cases[i].victims});
        town_run(t, 120 * SECOND);
        CU_ASSERT_TRUE(byz_agree(t, cases[i].corrupt) && t->conflicts == 0);
        CU_ASSERT_TRUE(byz_lowest(t, cases[i].corrupt) > 40);
        uint64_t slashed = byz_slashed(t, 6);
        CU_ASSERT_TRUE(slashed != 0 && (slashed & ~cases[i].corrupt) == 0);
        for (uint32_t n = 0; n < 7; n++)
            if ((slashed >> n & 1) != 0)
                CU_ASSERT_EQUAL(dc_state_account(town_state(t, 6), n)->bond, 0);
        CU_ASSERT_TRUE(dc_state_conserved(town_state(t, 6)));
        /* The second instance lives, and nothing of it is told as the node's: town_step checks
         * that each node's commits come once and in order. */
        const struct dc_node *twin = dc_byzantine_twin(t->node[0]);
        CU_ASSERT_TRUE_FATAL(twin != NULL);
        CU_ASSERT_TRUE(twin->chain->final->header.height > 20);
        byz_end(t, cases[i].corrupt, cases[i].behaviour);
        CU_ASSERT_PTR_NULL(dc_byzantine_twin(t->node[0]));
        uint64_t before = byz_lowest(t, 0);
        town_run(t, 150 * SECOND);
        CU_ASSERT_TRUE(byz_lowest(t, 0) > before + 10);
        town_free(t);
    }
}

/* --- what a colluder does that a twin does not -------------------------------------------------
 * */

/* The second validator has timed its round out, and a proposal of it comes: no honest node votes
 * any more, a colluder does, to the leader of the next round. */
static bool lose_to_second(void *context, uint32_t from, uint32_t to, const uint8_t *bytes,
                           size_t size)
{
    return to == 1 && bytes[0] == DC_MSG_PROPOSAL;
}

static const struct dc_effect *late_vote(struct town *t, bool colludes, uint64_t *qc_round)
{
    uint64_t none = 0;
    t->lose = lose_to_second;
    town_run(t, 20 * SECOND);
    if (colludes)
        byz_begin(
            t, 2,
            (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_COLLUDE, .victims = &none});
    struct dc_jolteon *j = &t->node[1]->validator->jolteon;
    struct dc_block *next = NULL;
    for (int i = 0; i < 4000 && next == NULL; i++) { /* a proposal that it has not heard of */
        town_run(t, t->now_ns + 5 * MS);
        const struct dc_follow *f = t->node[0]->chain;
        for (uint32_t k = 0; k < f->known_count; k++)
            if (f->known[k].block->header.round == j->durable.round + 1 &&
                f->known[k].block->header.proposer != 1 && f->known[k].block->qc != NULL &&
                dc_follow_find(&j->chain, &f->known[k].block->header.parent) != NULL)
                next = f->known[k].block;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(next);
    struct dc_sync_msg sync = {
        .epoch = next->header.epoch, .qc = next->qc->bytes, .qc_size = next->qc->size};
    uint8_t *bytes = malloc(1 + next->size + 64 + dc_sync_size(&sync));
    dc_sync_encode(&sync, bytes);
    town_hand(t, 1, next->header.proposer, bytes, dc_sync_size(&sync));
    CU_ASSERT_EQUAL(j->durable.round, next->header.round); /* it has entered the round */
    struct dc_input in = {.kind = DC_INPUT_TIMER,
                          .timer = dc_consensus_timer_value(DC_TIMER_ROUND)};
    j->deadline_ns = j->timer_ns = t->now_ns;
    town_step(t, 1, &in); /* and times it out */
    const struct dc_effect *timeout = town_sends(t, DC_MSG_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL_FATAL(timeout);
    struct dc_timeout m;
    CU_ASSERT_TRUE(dc_timeout_decode(timeout->bytes, timeout->size, &m));
    *qc_round = m.qc_round;
    CU_ASSERT_TRUE(j->chain.high_qc != NULL);
    bytes[0] = DC_MSG_PROPOSAL;
    memcpy(bytes + 1, next->bytes, next->size);
    memcpy(bytes + 1 + next->size, next->signature, 64);
    CU_ASSERT_TRUE(j->durable.last_voted_round >= next->header.round);
    town_hand(t, 1, next->header.proposer, bytes, 1 + (size_t)next->size + 64);
    free(bytes);
    return town_sends(t, DC_MSG_VOTE);
}

static void test_promises(void)
{
    for (uint32_t colludes = 0; colludes < 2; colludes++) {
        struct town_spec spec = {.validators = 4, .suite = DC_SUITE_MODELLED};
        struct town *t = town_make(&spec);
        uint64_t qc_round = 0;
        const struct dc_effect *e = late_vote(t, colludes != 0, &qc_round);
        CU_ASSERT_EQUAL(e != NULL, colludes != 0);
        CU_ASSERT_EQUAL(qc_round != 0, colludes == 0);
        struct dc_vote v;
        if (e != NULL) {
            CU_ASSERT_TRUE_FATAL(dc_vote_decode(e->bytes, e->size, &v));
            struct dc_hash d = dc_vote_digest(TOWN_CHAIN, v.epoch, v.round, &v.block, &v.commits);
            CU_ASSERT_TRUE(dc_verify(&t->crypto, t->set.sign[1].public, d.b, 32, v.signature));
        }
        town_free(t);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"40 % and a partition: a fork", test_forty_percent},
        {"30 %: none", test_thirty_percent},
        {"evidence against twins", test_evidence},
        {"promises broken", test_promises},
    };
    return TEST_MAIN("collude", cases);
}

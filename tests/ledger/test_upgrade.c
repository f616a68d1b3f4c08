/* protocol.upgrade on a chain: nothing before its epoch depends on it, everything from there on does,
 * and what it changes is what those values do when they hold all along. */
#include "tests/ledger/chain.h"

enum { VALIDATORS = 4, SERVICES = 20, BLOCKS = 12, EPOCH = 2 };
static const struct dc_genesis_spec spec = {.seed = 12,
                                            .chain = CHAIN_ID,
                                            .validators = VALIDATORS,
                                            .services = SERVICES,
                                            .clients = 1,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .bond_service = 1000 * DC_DSYNC,
                                            .balance = 1000 * DC_DSYNC,
                                            .capacity_bytes = 1ull << 30,
                                            .regions = 1};

static struct dc_upgrade unchanged(uint32_t epoch)
{
    struct dc_upgrade u = {.epoch = epoch};
#define FIELD(name) u.name = DC_UNCHANGED;
    DC_UPGRADE_TABLE(FIELD)
#undef FIELD
    return u;
}

static const struct dc_upgrade *given;
static void give(struct dc_genesis_set *set)
{
    if (given != NULL)
        set->genesis.upgrade = *given;
}

static struct chain *start(const struct dc_params *p, const struct dc_upgrade *u, bool memo)
{
    struct chain *c = calloc(1, sizeof *c);
    given = u;
    chain_make(c, &spec, p, memo, give, NULL, NULL);
    c->crypto.suite = DC_SUITE_MODELLED;
    return c;
}

static void end(struct chain *c)
{
    chain_free(c);
    free(c);
}

static struct dc_params params(void)
{
    struct dc_params p = chain_params();
    p.epoch_blocks = BLOCKS;
    p.audit = 0;
    p.theta = 0;
    p.k_max_chance = 0;
    p.price_gib_epoch = 1;
    p.heartbeat_every = 3;
    p.answer_heights = 3;
    p.abandon_heights = 1000000;
    return p;
}

/* Who fails, by epoch: nobody before the upgrade's. */
static uint64_t failing_from;
static const struct chain *walked;
static uint8_t says(uint32_t node)
{
    bool fails = walked->tip->header.epoch >= failing_from && node % 4 == 0;
    return fails ? DC_VERDICT_FAIL : DC_VERDICT_PASS;
}

static void walk(struct chain *c, uint64_t height)
{
    walked = c;
    while (c->tip->header.height < height) {
        chain_step(c);
        chain_verdicts(c, says);
        chain_heartbeats(c, NULL);
    }
}

static uint64_t drawn(const struct chain *c, uint64_t epoch)
{
    uint64_t n = 0;
    for (uint64_t h = epoch * BLOCKS + 1; h <= (epoch + 1) * BLOCKS; h++)
        n += c->block[h]->outcome->drawn_count;
    return n;
}

static void test_prefix(void)
{
    struct dc_params p = params();
    struct dc_upgrade more = unchanged(EPOCH), same = unchanged(EPOCH);
    more.audit = DC_ONE;
    more.k = 20;
    more.verifiers = 2;
    failing_from = UINT64_MAX;
    struct chain *c[] = {start(&p, NULL, true), start(&p, &same, true), start(&p, &more, true),
                         start(&p, &more, false)};
    const uint64_t turn = (uint64_t)EPOCH * BLOCKS + 1, last = 5 * BLOCKS;
    for (size_t i = 0; i < 4; i++)
        walk(c[i], last);
    for (uint64_t h = 0; h <= last; h++)
        for (size_t i = 1; i < 3; i++) {
            bool equal = dc_hash_equal(&c[i]->block[h]->id, &c[0]->block[h]->id);
            CU_ASSERT_EQUAL(equal, h < turn);
        }
    /* Executed again at every call, and checked against what it was: the same chain. */
    for (uint64_t h = 0; h <= last; h++)
        CU_ASSERT_TRUE(dc_hash_equal(&c[2]->block[h]->id, &c[3]->block[h]->id));
    for (uint64_t e = 0; e < 5; e++) {
        CU_ASSERT_EQUAL(drawn(c[0], e) + drawn(c[1], e), 0);
        CU_ASSERT_EQUAL(drawn(c[2], e), e < EPOCH ? 0 : VALIDATORS + SERVICES);
    }
    CU_ASSERT_EQUAL(dc_state_params(c[2]->block[turn - 1]->state)->audit, 0);
    CU_ASSERT_EQUAL(dc_state_params(c[2]->block[turn]->state)->audit, DC_ONE);
    CU_ASSERT_EQUAL(dc_state_params(c[2]->block[turn]->state)->theta, 0);
    for (uint64_t h = turn; h <= last; h++) {
        const struct dc_outcome *o = c[2]->block[h]->outcome;
        for (uint32_t i = 0; i < o->drawn_count; i++) {
            const struct dc_challenge *q =
                &dc_state_account(c[2]->block[h]->state, o->drawn[i])->posync.challenge;
            CU_ASSERT(q->k == 20 && q->verifiers == 2);
        }
    }
    for (size_t i = 0; i < 4; i++)
        end(c[i]);
}

/* Slashes, theta and audits of values that hold all along are those of an upgrade to them, when
 * nothing happened before that they would have changed. */
static void test_same_as_always(void)
{
    struct dc_params p = params(), always;
    p.audit = DC_ONE;
    p.slash_first_ppm = 1000;
    p.slash_repeat_ppm = 2000;
    struct dc_upgrade u = unchanged(EPOCH);
    u.slash_first_ppm = 100000;
    u.slash_repeat_ppm = 400000;
    u.slash_fund_ppm = 250000;
    u.rigor = 3;
    always = p;
    always.slash_first_ppm = u.slash_first_ppm;
    always.slash_repeat_ppm = u.slash_repeat_ppm;
    always.slash_fund_ppm = u.slash_fund_ppm;
    always.rigor = u.rigor;
    failing_from = EPOCH;
    struct chain *c[] = {start(&p, &u, true), start(&always, NULL, true), start(&p, NULL, true)};
    uint64_t burned[3], slashed = 0, fewer = 0;
    for (size_t i = 0; i < 3; i++) {
        walk(c[i], 7 * BLOCKS);
        burned[i] = dc_state_meta(chain_state(c[i]))->burned;
        CU_ASSERT_TRUE(dc_state_conserved(chain_state(c[i])));
    }
    for (uint32_t id = 0; id < spec.validators + spec.services + spec.clients; id++) {
        const struct dc_account *a = dc_state_account(chain_state(c[0]), id);
        const struct dc_account *b = dc_state_account(chain_state(c[1]), id);
        CU_ASSERT_EQUAL(memcmp(a, b, sizeof *a), 0);
        slashed += a->slashes;
        fewer += dc_state_account(chain_state(c[2]), id)->bond > a->bond;
    }
    CU_ASSERT(slashed > 5);
    CU_ASSERT(fewer >= 3);
    CU_ASSERT_EQUAL(burned[0], burned[1]);
    CU_ASSERT(burned[0] > burned[2]);
    for (size_t i = 0; i < 3; i++)
        end(c[i]);
}

/* A challenge that is drawn before the upgrade is answered, judged and settled as it was drawn, also
 * its second asking; and theta's controller goes on from the level in force. */
static void test_across(void)
{
    struct dc_params p = params();
    p.audit = DC_ONE;
    struct dc_upgrade u = unchanged(EPOCH);
    u.k = 30;
    u.verifiers = 1;
    u.audit = 0;
    u.theta_mode = DC_THETA_ADAPTIVE;
    u.load_gain = DC_ONE / 2;
    u.load_target = DC_ONE;
    failing_from = UINT64_MAX;
    struct chain *c = start(&p, &u, true);
    walk(c, 4 * BLOCKS);
    const struct dc_outcome *o = c->block[EPOCH * BLOCKS + 1]->outcome;
    CU_ASSERT_EQUAL(o->settled_count, VALIDATORS + SERVICES);
    for (uint32_t i = 0; i < o->settled_count; i++) {
        CU_ASSERT_EQUAL(o->settled[i].challenge.k, 8);
        CU_ASSERT_EQUAL(o->settled[i].challenge.verifiers, 3);
        CU_ASSERT_EQUAL(o->settled[i].verdict, DC_VERDICT_PASS);
    }
    dc_q31 before = dc_state_meta(c->block[EPOCH * BLOCKS]->state)->theta;
    dc_q31 after = dc_state_meta(c->block[EPOCH * BLOCKS + 1]->state)->theta;
    CU_ASSERT_EQUAL(before, 0);
    CU_ASSERT(after >= before);
    end(c);
}

/* dc_store_upgrade before the epoch: as if the values had stood in the genesis; then no more. */
static void test_later(void)
{
    struct dc_params p = params();
    struct dc_upgrade first = unchanged(EPOCH), other = unchanged(EPOCH);
    first.audit = DC_ONE / 2;
    other.audit = DC_ONE;
    other.theta = DC_ONE / 2;
    failing_from = UINT64_MAX;
    struct chain *a = start(&p, &first, true), *b = start(&p, &other, true);
    walk(a, EPOCH * BLOCKS);
    walk(b, 4 * BLOCKS);
    struct dc_upgrade elsewhere = other, wrong = other;
    elsewhere.epoch = EPOCH + 1;
    wrong.k_min = 200;
    CU_ASSERT_FALSE(dc_store_upgrade(a->store, &elsewhere));
    CU_ASSERT_FALSE(dc_store_upgrade(a->store, &wrong));
    CU_ASSERT_TRUE(dc_store_upgrade(a->store, &other));
    walk(a, 4 * BLOCKS);
    for (uint64_t h = 0; h <= 4 * BLOCKS; h++)
        CU_ASSERT_TRUE(dc_hash_equal(&a->block[h]->id, &b->block[h]->id));
    CU_ASSERT_FALSE(dc_store_upgrade(a->store, &first));
    end(a);
    end(b);
    struct chain *none = start(&p, NULL, true);
    CU_ASSERT_FALSE(dc_store_upgrade(none->store, &other));
    end(none);
}

/* Another turn: what is made goes on with another R; what was made stands. */
static void test_turn(void)
{
    struct dc_params p = params();
    p.audit = DC_ONE / 2;
    failing_from = UINT64_MAX;
    struct chain *c[] = {start(&p, NULL, true), start(&p, NULL, true), start(&p, NULL, true),
                         start(&p, NULL, false)};
    for (size_t i = 0; i < 4; i++) {
        walk(c[i], 20);
        if (i > 0)
            CU_ASSERT_TRUE(dc_store_turn(c[i]->store, i == 2 ? 8 : 7));
        walk(c[i], 40);
    }
    for (uint64_t h = 0; h <= 40; h++) {
        const struct dc_hash *r[4];
        for (size_t i = 0; i < 4; i++)
            r[i] = &c[i]->block[h]->header.beacon;
        CU_ASSERT_EQUAL(dc_hash_equal(r[0], r[1]), h <= 21);
        CU_ASSERT_EQUAL(dc_hash_equal(r[1], r[2]), h <= 21);
        CU_ASSERT_TRUE(dc_hash_equal(r[1], r[3]));
    }
    for (uint32_t i = 0; i < DC_LUCK_MAX; i++)
        CU_ASSERT_TRUE(dc_store_turn(c[0]->store, i));
    CU_ASSERT_FALSE(dc_store_turn(c[0]->store, 1));
    walk(c[0], 50);
    for (size_t i = 0; i < 4; i++)
        end(c[i]);
}

int main(void)
{
    static const struct test_case cases[] = {{"nothing before its epoch", test_prefix},
                                             {"as if it had always held", test_same_as_always},
                                             {"a challenge across it", test_across},
                                             {"values given later", test_later},
                                             {"another turn", test_turn}};
    return TEST_MAIN("upgrade", cases);
}

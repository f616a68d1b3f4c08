#include "models/posync/policy.h"
#include "tests/ledger/chain.h"

/* The order of a budget over many epochs (models/README.md 7.6): coverage. */

enum { VALIDATORS = 4, SERVICES = 60, NODES = VALIDATORS + SERVICES, EPOCH = 12 };
static const struct dc_genesis_spec spec = {.seed = 12,
                                            .chain = CHAIN_ID,
                                            .validators = VALIDATORS,
                                            .services = SERVICES,
                                            .clients = 1,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 1000 * DC_DSYNC,
                                            .capacity_bytes = 1ull << 30,
                                            .regions = 1};

static uint8_t all_pass(uint32_t node)
{
    (void)node;
    return DC_VERDICT_PASS;
}

/* How many nodes are asked a second time in six epochs of ten challenges, of 64 nodes; *all: how many
 * are asked at all in seven. */
static uint32_t asked_twice(uint32_t order, uint32_t *all)
{
    struct dc_params p = chain_params();
    p.epoch_blocks = EPOCH;
    p.theta = 0;
    p.audit = DC_ONE;
    p.budget = 10;
    p.order = order;
    p.heartbeat_every = 1000000; /* none: their signatures cost most of the time */
    p.abandon_heights = 1000000;
    static struct chain c;
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    c.crypto.suite = DC_SUITE_MODELLED; /* decisions do not depend on signatures */
    uint32_t count[NODES] = {0}, early = 0;
    *all = 0;
    while (c.tip->header.height < 7 * EPOCH) {
        chain_verdicts(&c, all_pass);
        chain_step(&c);
        uint64_t epoch = c.tip->header.epoch;
        for (uint32_t i = 0; i < c.tip->outcome->drawn_count; i++) {
            uint32_t id = c.tip->outcome->drawn[i];
            CU_ASSERT_EQUAL(dc_state_account(chain_state(&c), id)->posync.asked, epoch + 1);
            early += count[id] == 1 && epoch < 6;
            *all += count[id]++ == 0;
        }
    }
    chain_free(&c);
    return early;
}

/* Nobody is asked twice before everybody was asked once; by random order somebody is. */
static void test_oldest(void)
{
    uint32_t all;
    CU_ASSERT_EQUAL(asked_twice(DC_ORDER_OLDEST, &all), 0);
    CU_ASSERT_EQUAL(all, NODES);
    CU_ASSERT_TRUE(asked_twice(DC_ORDER_RANDOM, &all) > 5);
    CU_ASSERT_TRUE(all < NODES);
}

int main(void)
{
    static const struct test_case cases[] = {{"oldest first", test_oldest}};
    return TEST_MAIN("ledger/order", cases);
}

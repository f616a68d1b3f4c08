#include "tests/ledger/chain.h"

/* Whole epochs on one chain: heartbeats, challenges, verdicts, settlement, rewards. */

static const struct dc_genesis_spec spec = {.seed = 1,
                                            .chain = CHAIN_ID,
                                            .validators = 7,
                                            .services = 20,
                                            .clients = 3,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 5000 * DC_DSYNC,
                                            .capacity_bytes = 64ull << 30,
                                            .regions = 2};

/* Services 7..16 hold paid data for half their capacity; 17..26 are idle. */
static struct dc_deal deals[10];
static void half_used(struct dc_genesis_set *set)
{
    for (uint32_t i = 0; i < 10; i++)
        deals[i] = (struct dc_deal){.client = 27 + i % 3,
                                    .node = 7 + i,
                                    .size_bytes = 32ull << 30,
                                    .price = DC_DSYNC,
                                    .end_epoch = 3};
    set->genesis.deal = deals;
    set->genesis.deals = 10;
}

static bool not_26(uint32_t id)
{
    return id != 26;
}

static uint8_t says(uint32_t node)
{
    return node == 25 ? DC_VERDICT_FAIL : node == 24 ? DC_VERDICT_SILENT : DC_VERDICT_PASS;
}

static void test_epochs(void)
{
    struct chain c;
    struct dc_params p = chain_params();
    p.audit = 0;
    chain_make(&c, &spec, &p, true, half_used, NULL, NULL);
    uint32_t drawn = 0, settled = 0;
    for (uint32_t h = 1; h <= 4 * p.epoch_blocks + 1; h++) {
        chain_heartbeats(&c, not_26);
        chain_verdicts(&c, says);
        uint32_t offered = c.tx_count;
        chain_step(&c);
        for (uint32_t i = 0; i < offered; i++)
            CU_ASSERT_TRUE(c.chosen[i]);
        CU_ASSERT_TRUE(dc_state_conserved(chain_state(&c)));
        const struct dc_outcome *o = c.tip->outcome;
        drawn += o->drawn_count;
        settled += o->settled_count;
        if (h == p.epoch_blocks + 1) {
            CU_ASSERT_TRUE(o->first_of_epoch);
            CU_ASSERT_EQUAL(o->settled_count, 0); /* u was not yet known: no T(0) */
            CU_ASSERT_EQUAL(o->record[7].u, DC_ONE / 2);
            CU_ASSERT_EQUAL(o->record[20].u, 0);
            CU_ASSERT_EQUAL(o->record[7].a, DC_ONE);
            CU_ASSERT_EQUAL(o->record[7].s, DC_ONE);
            CU_ASSERT_EQUAL(o->record[26].a, 0);
            CU_ASSERT_EQUAL(o->record[3].u, DC_ONE);
            CU_ASSERT_EQUAL(o->record[0].in_t, 0);
            CU_ASSERT_EQUAL(o->reward[26], 0); /* sent nothing: unpaid */
            CU_ASSERT_TRUE(o->reward[7] > o->reward[20] && o->reward[20] > 0);
            for (uint32_t id = 17; id < 27; id++)
                CU_ASSERT_EQUAL(dc_state_account(chain_state(&c), id)->posync.in_t, DC_CAUSE_THETA);
            for (uint32_t id = 0; id < 17; id++)
                CU_ASSERT_EQUAL(dc_state_account(chain_state(&c), id)->posync.in_t, 0);
        }
        if (h == 2 * p.epoch_blocks + 1) {
            CU_ASSERT_EQUAL(o->settled_count, 10);
            CU_ASSERT_EQUAL(o->record[25].failed, 1);
            CU_ASSERT_EQUAL(o->reward[25], 0);
            CU_ASSERT_EQUAL(o->record[24].failed, 0); /* silent: asked again */
            CU_ASSERT_EQUAL(o->record[24].challenge.asking, 2);
            CU_ASSERT_EQUAL(o->record[20].passed, 2);
            CU_ASSERT_EQUAL(o->demand_count, 1);
        }
        if (h == 3 * p.epoch_blocks + 1) {
            CU_ASSERT_EQUAL(o->record[24].failed, 1);
            CU_ASSERT_EQUAL(o->record[25].failed, 2);
            CU_ASSERT_EQUAL(o->record[7].u, DC_ONE / 2);
            CU_ASSERT_EQUAL(dc_state_account(chain_state(&c), 7)->used_bytes, 0); /* deals ended */
        }
    }
    CU_ASSERT_TRUE(drawn >= settled && settled >= 30);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->escrow, 0); /* every deal is paid out */
    CU_ASSERT_EQUAL(dc_state_account(chain_state(&c), 25)->slashes,
                    2); /* of three demands, one is still open */
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {{"four epochs", test_epochs}};
    return TEST_MAIN("ledger/scenario", cases);
}

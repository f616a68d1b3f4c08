#include "tests/ledger/chain.h"

/* METER: what is paid for of a deal, who may say so, and what the epoch then costs. */

static const struct dc_genesis_spec spec = {.seed = 5,
                                            .chain = CHAIN_ID,
                                            .validators = 4,
                                            .services = 3,
                                            .clients = 3,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 5000 * DC_DSYNC,
                                            .capacity_bytes = 8ull << 30,
                                            .regions = 2};
enum { NODE = 4, SILENT = 5, CLIENT = 7 };
#define GIB ((uint64_t)1 << 30)
#define PRICE (10 * DC_DSYNC)

static struct chain c;

/* Deal 0 whole, deal 1 a quarter from the beginning, deal 2 on a node that never speaks; deal 3 is
 * the node's own. */
static struct dc_deal deals[4] = {
    {.client = CLIENT, .node = NODE, .size_bytes = 4 * GIB, .price = PRICE, .end_epoch = 6},
    {.client = CLIENT + 1,
     .node = NODE,
     .size_bytes = 2 * GIB,
     .paid_bytes = GIB / 2,
     .price = PRICE,
     .end_epoch = 2},
    {.client = CLIENT + 1, .node = SILENT, .size_bytes = GIB, .price = PRICE, .end_epoch = 6},
    {.client = NODE, .node = NODE, .size_bytes = GIB, .price = PRICE, .end_epoch = 6}};
static void some_deals(struct dc_genesis_set *set)
{
    set->genesis.deal = deals;
    set->genesis.deals = 4;
}

static bool speaks(uint32_t id)
{
    return id != SILENT;
}

static void steps_to(uint64_t height)
{
    while (c.tip->header.height < height) {
        chain_heartbeats(&c, speaks);
        chain_step(&c);
        CU_ASSERT_TRUE(dc_state_conserved(chain_state(&c)));
    }
}

static const struct dc_account *account(uint32_t id)
{
    return dc_state_account(chain_state(&c), id);
}

static const struct dc_deal *deal(uint32_t id)
{
    return dc_state_deal(chain_state(&c), id);
}

static struct dc_tx meter(uint32_t from, uint64_t nonce, uint32_t id, uint64_t paid)
{
    struct dc_tx tx = {.kind = DC_TX_METER, .from = from};
    tx.meter.nonce = nonce;
    tx.meter.deal = id;
    tx.meter.paid_bytes = paid;
    return tx;
}

static void start(void)
{
    struct dc_params p = chain_params();
    p.price_gib_epoch = DC_DSYNC / 100;
    p.heartbeat_every = 5;
    chain_make(&c, &spec, &p, true, some_deals, NULL, NULL);
    c.real_votes = true;
}

static void test_rules(void)
{
    start();
    CU_ASSERT_EQUAL(account(NODE)->used_bytes, 4 * GIB + GIB / 2 + GIB);
    CU_ASSERT_EQUAL(account(NODE)->used_chunks, 7 * GIB / DC_CHUNK_BYTES); /* all is reserved */
    struct dc_tx tx = meter(CLIENT, 0, 0, 4 * GIB + 1);
    CU_ASSERT_FALSE(chain_taken(&c, &tx)); /* more than the deal */
    tx = meter(CLIENT + 1, 0, 0, GIB);
    CU_ASSERT_FALSE(chain_taken(&c, &tx)); /* another's */
    tx = meter(CLIENT, 0, 4, 0);
    CU_ASSERT_FALSE(chain_taken(&c, &tx)); /* no such deal */
    tx = meter(CLIENT, 0, DC_DEAL_NONE, 0);
    CU_ASSERT_FALSE(chain_taken(&c, &tx));
    tx = meter(CLIENT, 0, 0, GIB);
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    CU_ASSERT_EQUAL(account(NODE)->used_bytes, 2 * GIB + GIB / 2);
    CU_ASSERT_EQUAL(account(NODE)->used_chunks, 7 * GIB / DC_CHUNK_BYTES);
    CU_ASSERT_EQUAL(deal(0)->paid_bytes, GIB);
    CU_ASSERT_EQUAL(deal(0)->most_bytes, 4 * GIB);
    CU_ASSERT_EQUAL(deal(0)->size_bytes, 4 * GIB);
    CU_ASSERT_FALSE(chain_taken(&c, &tx)); /* replayed */
    tx = meter(CLIENT, 1, 0, 0);
    CU_ASSERT_TRUE(chain_taken(&c, &tx)); /* nothing at all, for a while */
    CU_ASSERT_EQUAL(account(NODE)->used_bytes, GIB + GIB / 2);
    tx = meter(NODE, 0, 3, GIB / 4);
    CU_ASSERT_TRUE(chain_taken(&c, &tx)); /* node and client in one */
    CU_ASSERT_EQUAL(account(NODE)->used_bytes, GIB / 2 + GIB / 4);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->escrow, (6 + 2 + 6 + 6) * PRICE);

    /* the bond stands for what is reserved, not for what is paid for just now */
    struct dc_tx unbond = {.kind = DC_TX_UNBOND, .from = NODE};
    unbond.bond.nonce = 1;
    unbond.bond.amount = account(NODE)->bond;
    CU_ASSERT_FALSE(chain_taken(&c, &unbond));
    chain_free(&c);
}

/* What an epoch costs: in proportion to the most that was paid for in it; the take is of that. */
static void test_payment(void)
{
    start();
    uint64_t client = account(CLIENT)->balance, other = account(CLIENT + 1)->balance;
    struct dc_tx tx = meter(CLIENT, 0, 0, GIB);
    CU_ASSERT_TRUE(chain_taken(&c, &tx)); /* epoch 0: it began with all 4 GiB */
    steps_to(30);
    uint64_t node = account(NODE)->balance, burned = dc_state_meta(chain_state(&c))->burned;
    steps_to(31);
    const struct dc_outcome *o = c.tip->outcome;
    uint64_t due = PRICE + PRICE / 4 + PRICE, take = PRICE / 20 + PRICE / 80 + PRICE / 20;
    CU_ASSERT_EQUAL(account(CLIENT)->balance, client);
    CU_ASSERT_EQUAL(account(CLIENT + 1)->balance, other + PRICE * 3 / 4 + PRICE);
    CU_ASSERT_EQUAL(account(NODE)->balance, node + due - take + o->reward[NODE]);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->burned, burned + take + o->burned);
    CU_ASSERT_EQUAL(o->record[NODE].u, dc_q31_ratio(GIB + GIB / 2 + GIB, 8 * GIB));
    CU_ASSERT_EQUAL(account(NODE)->posync.u, o->record[NODE].u);
    CU_ASSERT_EQUAL(deal(0)->most_bytes, GIB);

    /* epoch 1: up for one block and down again pays for the peak */
    tx = meter(CLIENT, 1, 0, 3 * GIB);
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    tx = meter(CLIENT, 2, 0, GIB);
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    steps_to(61);
    CU_ASSERT_EQUAL(account(CLIENT)->balance, client + PRICE / 4);
    CU_ASSERT_EQUAL(c.tip->outcome->record[NODE].u, dc_q31_ratio(GIB + GIB / 2 + GIB, 8 * GIB));
    CU_ASSERT_EQUAL(account(NODE)->used_bytes, GIB + GIB); /* deal 1 is over */
    tx = meter(CLIENT + 1, 0, 1, GIB);
    CU_ASSERT_FALSE(chain_taken(&c, &tx));

    /* epoch 2: a quarter, all along; then an odd number of bytes, rounded down */
    tx = meter(CLIENT, 3, 0, 1);
    steps_to(90);
    CU_ASSERT_TRUE(chain_taken(&c, &tx)); /* height 91, epoch 3 */
    CU_ASSERT_EQUAL(account(CLIENT)->balance, client + PRICE / 4 + PRICE * 3 / 4);
    steps_to(151);
    uint64_t one = PRICE / (4 * GIB); /* of epoch 4 */
    CU_ASSERT_EQUAL(account(CLIENT)->balance,
                    client + PRICE / 4 + 2 * (PRICE * 3 / 4) + (PRICE - one));
    steps_to(181);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->escrow, 0); /* all have ended */
    CU_ASSERT_EQUAL(account(NODE)->used_bytes, 0);
    chain_free(&c);
}

static void test_genesis(void)
{
    struct dc_genesis_set set;
    struct dc_params p = chain_params();
    struct dc_error error = {0};
    struct dc_crypto crypto;
    CU_ASSERT_EQUAL_FATAL(dc_crypto_open(&crypto, DC_SUITE_REAL, 8 << 20, 0, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(dc_genesis_set_create(&spec, &p, &set, &error), DC_OK);
    struct dc_deal d = deals[0];
    d.paid_bytes = d.size_bytes + 1;
    set.genesis.deal = &d;
    set.genesis.deals = 1;
    struct dc_store_config config = {.chain = CHAIN_ID, .crypto = &crypto, .memo = true};
    struct dc_store *store;
    CU_ASSERT_EQUAL(dc_store_create(&config, &set.genesis, &store, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "deal 0"));
    dc_genesis_set_free(&set);
    dc_crypto_close(&crypto);
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"who may", test_rules}, {"what it costs", test_payment}, {"at genesis", test_genesis}};
    return TEST_MAIN("ledger/meter", cases);
}

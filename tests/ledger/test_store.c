#include "tests/ledger/chain.h"

#include <pthread.h>

/* The store: interning, forks, what is kept and what goes, threads, refusals of genesis. */

static const struct dc_genesis_spec spec = {.seed = 4,
                                            .chain = CHAIN_ID,
                                            .validators = 4,
                                            .services = 6,
                                            .clients = 2,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 3000 * DC_DSYNC,
                                            .capacity_bytes = 16ull << 30,
                                            .regions = 1};

static void grow(struct chain *c, uint32_t blocks)
{
    while (blocks-- > 0) {
        chain_heartbeats(c, NULL);
        chain_step(c);
    }
}

static bool same_root(const struct dc_block *a, const struct dc_block *b)
{
    struct dc_hash x = dc_state_root(a->state), y = dc_state_root(b->state);
    return dc_hash_equal(&x, &y);
}

static uint8_t *bytes_of(const struct dc_block *b)
{
    uint8_t *bytes = malloc(b->size + 64);
    memcpy(bytes, b->bytes, b->size);
    memcpy(bytes + b->size, b->signature, 64);
    return bytes;
}

static void test_intern(void)
{
    struct chain c;
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    grow(&c, 3);
    uint8_t *bytes = bytes_of(c.tip);
    size_t size = c.tip->size + 64;
    struct dc_block *same = dc_store_intern(c.store, bytes, size);
    CU_ASSERT_PTR_EQUAL(same, c.tip);
    dc_block_drop(same);
    same = dc_store_find(c.store, &c.tip->id);
    CU_ASSERT_PTR_EQUAL(same, c.tip);
    dc_block_drop(same);
    struct dc_hash unknown = {{7}};
    CU_ASSERT_PTR_NULL(dc_store_find(c.store, &unknown));
    for (size_t cut = 0; cut < size; cut++)
        CU_ASSERT_PTR_NULL(dc_store_intern(c.store, bytes, cut));
    /* another signature: the same object, unless the first one is known to be false */
    bytes[size - 1] ^= 1;
    same = dc_store_intern(c.store, bytes, size);
    CU_ASSERT_PTR_EQUAL(same, c.tip);
    dc_block_drop(same);
    atomic_store(&c.tip->signature_ok, 2);
    same = dc_store_intern(c.store, bytes, size);
    CU_ASSERT_PTR_NOT_EQUAL(same, c.tip);
    CU_ASSERT_TRUE(dc_store_execute(c.store, same, NULL));
    CU_ASSERT_TRUE(same_root(same, c.tip));
    dc_block_drop(same);
    free(bytes);
    chain_free(&c);
}

/* A block whose parent is not there cannot be executed, and is not condemned for it. */
static void test_unknown_parent(void)
{
    struct chain c, d;
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    chain_make(&d, &spec, &p, true, NULL, NULL, NULL);
    grow(&c, 3);
    struct dc_block *got[4] = {0};
    for (uint64_t h = 3; h >= 1; h--) { /* arriving the wrong way round */
        uint8_t *bytes = bytes_of(c.block[h]);
        got[h] = dc_store_intern(d.store, bytes, c.block[h]->size + 64);
        CU_ASSERT_EQUAL(dc_store_execute(d.store, got[h], NULL), h == 1);
        free(bytes);
    }
    CU_ASSERT_EQUAL(atomic_load(&got[3]->executed), 0);
    CU_ASSERT_FALSE(dc_store_execute(d.store, got[3], NULL));
    CU_ASSERT_TRUE(dc_store_execute(d.store, got[2], NULL));
    CU_ASSERT_TRUE(dc_store_execute(d.store, got[3], NULL));
    CU_ASSERT_TRUE(same_root(got[3], c.tip));
    for (uint64_t h = 1; h <= 3; h++)
        dc_block_drop(got[h]);
    chain_free(&c);
    chain_free(&d);
}

/* Two blocks on one parent: two states, each as if the other were not there. */
static void test_fork(void)
{
    struct chain c;
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    grow(&c, 4);
    struct dc_tx tx = {.kind = DC_TX_TRANSFER, .from = 10};
    tx.transfer.amount = 5;
    tx.transfer.to = 11;
    struct dc_block_parts parts;
    chain_parts(&c, &parts);
    CU_ASSERT_TRUE(dc_store_build(c.store, c.tip, &parts, NULL, 0, NULL, NULL));
    struct dc_block *empty = chain_intern(&c, &parts);
    chain_parts_drop(&parts);
    uint64_t before = dc_state_account(chain_state(&c), 11)->balance;
    const struct dc_block *parent = c.tip;
    chain_tx(&c, &tx);
    chain_step(&c);
    CU_ASSERT_TRUE(dc_store_execute(c.store, empty, NULL));
    CU_ASSERT_EQUAL(dc_state_account(parent->state, 11)->balance, before);
    CU_ASSERT_EQUAL(dc_state_account(empty->state, 11)->balance, before);
    CU_ASSERT_EQUAL(dc_state_account(chain_state(&c), 11)->balance, before + 5);
    CU_ASSERT_FALSE(same_root(empty, c.tip));
    dc_block_drop(empty);
    chain_free(&c);
}

/* What nobody holds goes when it is old enough; memory does not grow with the chain. */
static void test_collect(void)
{
    struct chain c;
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    size_t at_200 = 0;
    struct dc_hash held = {{0}}, gone = {{0}};
    for (uint32_t h = 1; h <= 600; h++) {
        grow(&c, 1);
        if (h == 150)
            held = c.tip->id;
        if (h == 151)
            gone = c.tip->id;
        if (h > 10 && h - 10 != 150)
            dc_block_drop(c.block[h - 10]);
        if (h > 10)
            dc_store_collect(c.store, h - 9);
        if (h == 400)
            at_200 = dc_store_bytes(c.store);
    }
    CU_ASSERT_TRUE(dc_store_bytes(c.store) < at_200 + at_200 / 4);
    struct dc_block *b = dc_store_find(c.store, &held);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_PTR_NOT_NULL(b->state); /* its holder still has all of it */
    CU_ASSERT_PTR_NULL(atomic_load(&b->parent));
    CU_ASSERT_TRUE(dc_store_execute(c.store, b, NULL));
    CU_ASSERT_EQUAL(dc_store_committee(c.store, b, 4)->epoch, 4);
    dc_block_drop(b);
    CU_ASSERT_PTR_NULL(dc_store_find(c.store, &gone));
    for (uint64_t e = 0; e <= 20; e++) /* committees stay for ever */
        CU_ASSERT_EQUAL(dc_store_committee(c.store, c.tip, e)->epoch, e);
    CU_ASSERT_PTR_NULL(dc_store_committee(c.store, c.tip, 21));
    for (uint64_t h = 1; h <= 590; h++) /* what chain_free must not drop again */
        if (h != 150)
            c.block[h] = NULL;
    chain_free(&c);
}

/* --- threads ------------------------------------------------------------------------------ */

struct crowd {
    struct chain *from;
    struct dc_store *store;
    uint32_t failures;
};

static void *crowd_member(void *arg)
{
    struct crowd *crowd = arg;
    for (uint64_t h = 1; h <= crowd->from->tip->header.height; h++) {
        uint8_t *bytes = bytes_of(crowd->from->block[h]);
        struct dc_block *b = dc_store_intern(crowd->store, bytes, crowd->from->block[h]->size + 64);
        free(bytes);
        bool ok = dc_store_execute(crowd->store, b, NULL);
        struct dc_hash root = dc_state_root(b->state);
        if (!ok || !dc_hash_equal(&root, &b->header.state_root) ||
            dc_store_committee(crowd->store, b, b->header.epoch)->epoch != b->header.epoch)
            __atomic_add_fetch(&crowd->failures, 1, __ATOMIC_SEQ_CST);
        dc_block_drop(b);
    }
    return NULL;
}

static void test_threads(void)
{
    struct chain c, d;
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    chain_make(&d, &spec, &p, true, NULL, NULL, NULL);
    grow(&c, 70);
    struct crowd crowd = {&c, d.store, 0};
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, crowd_member, &crowd), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    CU_ASSERT_EQUAL(crowd.failures, 0);
    chain_free(&c);
    chain_free(&d);
}

/* --- genesis ------------------------------------------------------------------------------ */

static void test_refused(void)
{
    struct dc_params p = chain_params();
    struct dc_crypto crypto = {0};
    struct dc_store_config config = {.chain = CHAIN_ID, .crypto = &crypto, .memo = true};
    for (uint32_t what = 0; what < 9; what++) {
        struct dc_genesis_set set;
        struct dc_error error = {0};
        struct dc_deal deal = {
            .client = 10, .node = 5, .size_bytes = 4096, .price = 1, .end_epoch = 2};
        CU_ASSERT_EQUAL_FATAL(dc_genesis_set_create(&spec, &p, &set, &error), DC_OK);
        struct dc_genesis g = set.genesis;
        g.deal = &deal;
        g.deals = 1;
        switch (what) {
        case 0: g.accounts = 0; break;
        case 1: set.account[3].region = 1; break;
        case 2: g.params.epoch_blocks = 2; break;
        case 3: g.params.lag_halving = 3; break;
        case 4: g.params.verifiers = 9; break;
        case 5: deal.node = 99; break;
        case 6: deal.size_bytes = 17ull << 30; break;
        case 7: deal.price = UINT64_MAX; break;
        default: break;
        }
        struct dc_store *store;
        enum dc_status status = dc_store_create(&config, &g, &store, &error);
        CU_ASSERT_EQUAL(status == DC_OK, what == 8);
        CU_ASSERT_EQUAL(error.text[0] == '\0', what == 8);
        CU_ASSERT_EQUAL(store == NULL, what != 8);
        dc_store_destroy(store);
        dc_genesis_set_free(&set);
    }
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"interning", test_intern}, {"unknown parent", test_unknown_parent},
        {"fork", test_fork},        {"collection", test_collect},
        {"threads", test_threads},  {"refused genesis", test_refused}};
    return TEST_MAIN("ledger/store", cases);
}

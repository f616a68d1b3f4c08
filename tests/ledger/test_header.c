#include "tests/ledger/chain.h"

/* Rules of headers, and account proofs under the root that a header carries. */

static const struct dc_genesis_spec spec = {.seed = 2,
                                            .chain = CHAIN_ID,
                                            .validators = 5,
                                            .services = 4,
                                            .clients = 3,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 5000 * DC_DSYNC,
                                            .capacity_bytes = 8ull << 30,
                                            .regions = 2};

static struct chain c;

static void start(void)
{
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
}

static void steps(uint32_t n)
{
    while (n-- > 0)
        chain_step(&c);
}

static const struct dc_account *account(uint32_t id)
{
    return dc_state_account(chain_state(&c), id);
}

static void test_header(void)
{
    start();
    steps(28);
    for (uint32_t height = 29; height <= 32; height++) { /* across the end of an epoch */
        for (uint32_t what = 0; what < 13; what++) {
            struct dc_block_parts parts;
            chain_parts(&c, &parts);
            CU_ASSERT_TRUE_FATAL(dc_store_build(c.store, c.tip, &parts, NULL, 0, NULL, NULL));
            struct dc_header *h = &parts.header;
            switch (what) {
            case 0: h->timestamp_ns = c.tip->header.timestamp_ns; break;
            case 1: h->proposer = (h->proposer + 1) % 5; break;
            case 2: h->vrf[40] ^= 1; break;
            case 3: h->beacon.b[0] ^= 1; break;
            case 4: h->state_root.b[31] ^= 1; break;
            case 5: h->tx_root.b[3] ^= 1; break;
            case 6: h->committee_root.b[9] ^= 1; break;
            case 7: h->height++; break;
            case 8: h->epoch++; break;
            case 9: h->round++; break;
            case 10: h->seal = 1; break;
            case 11: h->parent.b[0] ^= 1; break;
            default: break; /* as built: valid */
            }
            size_t size = dc_block_encoded_size(&parts);
            uint8_t *bytes = calloc(1, size + 64);
            dc_block_encode(&parts, bytes);
            struct dc_block *block = dc_store_intern(c.store, bytes, size + 64);
            free(bytes);
            bool valid = block != NULL && dc_store_execute(c.store, block, NULL);
            CU_ASSERT_EQUAL(valid, what == 12);
            dc_block_drop(block);
            chain_parts_drop(&parts);
        }
        chain_step(&c);
        CU_ASSERT_EQUAL(dc_hash_is_zero(&c.tip->header.committee_root), height != 30);
        CU_ASSERT_EQUAL(c.tip->outcome->first_of_epoch, height == 31);
    }
    /* timed-out rounds: their leaders led and were not timely */
    c.skip_rounds = 3;
    steps(2);
    c.skip_rounds = 0;
    steps(61 - (uint32_t)c.tip->header.height);
    uint32_t late = 0;
    for (uint32_t i = 0; i < 5; i++)
        late += account(i)->posync.q_defined && account(i)->posync.q < DC_ONE;
    CU_ASSERT_TRUE(late >= 1);
    chain_free(&c);
}

static void test_proof(void)
{
    start();
    steps(3);
    uint8_t proof[4096];
    struct dc_hash root = dc_state_root(chain_state(&c));
    for (uint32_t id = 0; id < 12; id++) {
        size_t size = dc_state_prove(chain_state(&c), id, proof, sizeof proof);
        CU_ASSERT_FATAL(size > 0 && size <= dc_state_prove_size_max(chain_state(&c)));
        CU_ASSERT_TRUE(dc_state_prove_check(&root, id, proof, size));
        CU_ASSERT_FALSE(dc_state_prove_check(&root, id + 1, proof, size));
        CU_ASSERT_EQUAL(dc_state_prove(chain_state(&c), id, proof + 2048, size - 1), 0);
        for (size_t bit = 0; bit < 8 * size; bit += id == 0 ? 1 : 31) {
            proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CU_ASSERT_FALSE(dc_state_prove_check(&root, id, proof, size));
            proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t cut = 0; cut < size; cut++)
            CU_ASSERT_FALSE(dc_state_prove_check(&root, id, proof, cut));
    }
    CU_ASSERT_EQUAL(dc_state_prove(chain_state(&c), 12, proof, sizeof proof), 0);
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {{"headers", test_header},
                                             {"account proofs", test_proof}};
    return TEST_MAIN("ledger/header", cases);
}

#include "models/ledger/state_impl.h"
#include "tests/ledger/chain.h"

#include <stddef.h>

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

struct field {
    size_t offset, size;
};
#define FIELD(type, name)                                                                          \
    {                                                                                              \
        offsetof(struct type, name), sizeof(((struct type *)0)->name)                              \
    }
static const struct field meta_field[] = {FIELD(dc_meta, height),
                                          FIELD(dc_meta, epoch),
                                          FIELD(dc_meta, beacon),
                                          FIELD(dc_meta, accounts),
                                          FIELD(dc_meta, deals),
                                          FIELD(dc_meta, validators),
                                          FIELD(dc_meta, services),
                                          FIELD(dc_meta, minted),
                                          FIELD(dc_meta, burned),
                                          FIELD(dc_meta, fund),
                                          FIELD(dc_meta, escrow),
                                          FIELD(dc_meta, challenges_open),
                                          FIELD(dc_meta, final_height),
                                          FIELD(dc_meta, heartbeat_every),
                                          FIELD(dc_meta, deals_live),
                                          FIELD(dc_meta, heartbeat_every_before),
                                          FIELD(dc_meta, fees),
                                          FIELD(dc_meta, registrar_nonce),
                                          FIELD(dc_meta, theta),
                                          FIELD(dc_meta, below),
                                          FIELD(dc_meta, below_of),
                                          FIELD(dc_meta, outlook[0].demand),
                                          FIELD(dc_meta, load),
                                          FIELD(dc_meta, outlook[4].capacity),
                                          FIELD(dc_meta, outlook[1].level),
                                          FIELD(dc_meta, outlook[2].trend),
                                          FIELD(dc_meta, outlook[0].forecast),
                                          FIELD(dc_meta, outlook[3].seen)};
static const struct field account_field[] = {FIELD(dc_account, balance),
                                             FIELD(dc_account, nonce),
                                             FIELD(dc_account, bond),
                                             FIELD(dc_account, nonce_used),
                                             FIELD(dc_account, roles),
                                             FIELD(dc_account, bond_release_epoch),
                                             FIELD(dc_account, region),
                                             FIELD(dc_account, lock_tier),
                                             FIELD(dc_account, sign_key),
                                             FIELD(dc_account, vrf_key),
                                             FIELD(dc_account, serial),
                                             FIELD(dc_account, valid_from),
                                             FIELD(dc_account, valid_to),
                                             FIELD(dc_account, revoked),
                                             FIELD(dc_account, slashes),
                                             FIELD(dc_account, slashed_equivocation),
                                             FIELD(dc_account, capacity_bytes),
                                             FIELD(dc_account, used_bytes),
                                             FIELD(dc_account, used_chunks),
                                             FIELD(dc_account, joined),
                                             FIELD(dc_account, deal_last),
                                             FIELD(dc_account, filler_root),
                                             FIELD(dc_account, unbonding),
                                             FIELD(dc_account, demand.height),
                                             FIELD(dc_account, posync.u),
                                             FIELD(dc_account, posync.s),
                                             FIELD(dc_account, posync.a),
                                             FIELD(dc_account, posync.q),
                                             FIELD(dc_account, posync.score),
                                             FIELD(dc_account, posync.proved),
                                             FIELD(dc_account, posync.level),
                                             FIELD(dc_account, posync.trend),
                                             FIELD(dc_account, posync.forecast),
                                             FIELD(dc_account, posync.alpha),
                                             FIELD(dc_account, posync.beta),
                                             FIELD(dc_account, posync.seen),
                                             FIELD(dc_account, posync.in_t),
                                             FIELD(dc_account, posync.u_defined),
                                             FIELD(dc_account, posync.flagged),
                                             FIELD(dc_account, posync.s_defined),
                                             FIELD(dc_account, posync.ejected),
                                             FIELD(dc_account, posync.q_defined),
                                             FIELD(dc_account, posync.passed),
                                             FIELD(dc_account, posync.undecided),
                                             FIELD(dc_account, posync.failed),
                                             FIELD(dc_account, posync.escalated),
                                             FIELD(dc_account, posync.sprt_q16),
                                             FIELD(dc_account, posync.p_value_rank),
                                             FIELD(dc_account, posync.p_value_of),
                                             FIELD(dc_account, posync.challenge.asking)};
static const struct field deal_field[] = {FIELD(dc_deal, client),     FIELD(dc_deal, node),
                                          FIELD(dc_deal, prev),       FIELD(dc_deal, size_bytes),
                                          FIELD(dc_deal, paid_bytes), FIELD(dc_deal, most_bytes),
                                          FIELD(dc_deal, price),      FIELD(dc_deal, offset_chunk),
                                          FIELD(dc_deal, end_epoch),  FIELD(dc_deal, root)};

/* The meta leaf, account 6 or deal 0 of a state to be changed. */
static uint8_t *leaf_of(struct dc_state *s, uint32_t kind)
{
    return kind == 0   ? (uint8_t *)&s->meta
           : kind == 1 ? (uint8_t *)dc_state_edit(s, 6)
                       : dc_tree_edit(&s->ledger->deals, &s->deals, 0);
}

static void a_deal(struct dc_genesis_set *set)
{
    static const struct dc_deal deal = {
        .client = 9, .node = 6, .size_bytes = 4096, .price = 1, .end_epoch = 9};
    set->genesis.deal = &deal;
    set->genesis.deals = 1;
}

/* Every byte of state is under the root. */
static void test_root(void)
{
    struct dc_params p = chain_params();
    p.quiet = true;
    chain_make(&c, &spec, &p, true, a_deal, NULL, NULL);
    steps(32);
    const struct dc_state *at = chain_state(&c);
    const struct field *const list[] = {meta_field, account_field, deal_field};
    const size_t count[] = {sizeof meta_field / sizeof meta_field[0],
                            sizeof account_field / sizeof account_field[0],
                            sizeof deal_field / sizeof deal_field[0]};
    for (uint32_t kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < count[kind]; i++) {
            for (size_t j = 0; j < list[kind][i].size; j++) {
                struct dc_state *s = dc_state_begin(at);
                leaf_of(s, kind)[list[kind][i].offset + j] ^= 1;
                dc_state_commit(s);
                CU_ASSERT_FALSE(dc_hash_equal(&s->root, &at->root));
                leaf_of(s, kind)[list[kind][i].offset + j] ^= 1;
                dc_state_commit(s);
                CU_ASSERT_TRUE(dc_hash_equal(&s->root, &at->root));
                dc_state_drop(s);
            }
        }
    }
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {{"headers", test_header},
                                             {"account proofs", test_proof},
                                             {"what is under the root", test_root}};
    return TEST_MAIN("ledger/header", cases);
}

/* The threshold beacon and grants on the real ledger. */
#include "models/crypto/frost.h"
#include "models/ledger/contract.h"
#include "models/wire/evidence.h"
#include "tests/ledger/held.h"

static const struct dc_genesis_spec spec = {.seed = 4,
                                            .chain = CHAIN_ID,
                                            .validators = 7,
                                            .services = 2,
                                            .clients = 2,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 3000 * DC_DSYNC,
                                            .capacity_bytes = 16ull << 30,
                                            .regions = 2};
enum { CLIENT = 9 };
static struct held held;
static struct chain c;

static void edit(struct dc_genesis_set *set)
{
    set->genesis.holders = &held.holders;
}

static void start(uint32_t beacon, bool memo)
{
    held_make(&held);
    struct dc_params p = chain_params();
    p.beacon = beacon;
    p.holders = HELD;
    p.threshold = HELD_THRESHOLD;
    chain_make(&c, &spec, &p, memo, edit, NULL, NULL);
}

/* --- beacon ----------------------------------------------------------------------------------- */

static struct dc_tx share_of(uint32_t i, uint64_t height, uint8_t share[DC_BEACON_SHARE_BYTES])
{
    uint8_t message[DC_BEACON_MESSAGE_BYTES];
    dc_beacon_message(CHAIN_ID, height, message);
    dc_dvrf_share(held.secret[i].share, message, sizeof message, share);
    struct dc_tx tx = {.kind = DC_TX_BEACON, .from = i};
    tx.beacon.height = height;
    tx.beacon.share = share;
    return tx;
}

static bool gives(uint32_t i, uint64_t height)
{
    uint8_t share[DC_BEACON_SHARE_BYTES];
    struct dc_tx tx = share_of(i, height, share);
    return chain_taken(&c, &tx);
}

static struct dc_hash beacon(void)
{
    return dc_state_meta(chain_state(&c))->beacon;
}

/* sigma of a height from any three holders, as each of them could compute it. */
static struct dc_hash expected(const struct dc_hash *before, uint64_t height, uint32_t first)
{
    uint32_t member[HELD_THRESHOLD];
    uint8_t sigma[HELD_THRESHOLD][32], text[64];
    for (uint32_t i = 0; i < HELD_THRESHOLD; i++) {
        uint8_t share[DC_BEACON_SHARE_BYTES];
        member[i] = (first + i) % HELD;
        (void)share_of(member[i], height, share);
        memcpy(sigma[i], share, 32);
    }
    memcpy(text, before->b, 32);
    CU_ASSERT_TRUE(dc_dvrf_combine(member, (const uint8_t(*)[32])sigma, HELD_THRESHOLD, text + 32));
    return dc_hash_bytes(DC_DOMAIN_BEACON, text, sizeof text);
}

static void test_beacon(void)
{
    static const uint32_t order[2][3] = {{0, 1, 2}, {4, 2, 3}};
    struct dc_hash last[2];
    for (int run = 0; run < 2; run++) { /* other holders, the same R */
        start(DC_BEACON_THRESHOLD, run == 0);
        struct dc_hash r = beacon();
        for (uint64_t h = 1; h <= 4; h++) {
            chain_step(&c); /* blocks and their VRF outputs change nothing */
            struct dc_hash same = beacon();
            CU_ASSERT_TRUE(dc_hash_equal(&same, &r));
            CU_ASSERT_TRUE(dc_hash_equal(&c.tip->header.beacon, &r));
            struct dc_hash want = expected(&r, h, (uint32_t)h);
            for (uint32_t i = 0; i < 3; i++) {
                same = beacon();
                CU_ASSERT_TRUE(dc_hash_equal(&same, &r));
                CU_ASSERT_TRUE(gives(order[run][i], h));
                CU_ASSERT_EQUAL(dc_state_vault(chain_state(&c))->beacon_height, i == 2 ? h : h - 1);
            }
            r = beacon();
            CU_ASSERT_TRUE(dc_hash_equal(&r, &want));
            CU_ASSERT_TRUE(dc_hash_equal(&c.tip->header.beacon, &r));
            CU_ASSERT_EQUAL(dc_state_vault(chain_state(&c))->beacon_shares, 0);
        }
        held_steps_to(&c, 70); /* over the turns of epochs: committees are drawn from it */
        last[run] = beacon();
        CU_ASSERT_TRUE(dc_state_conserved(chain_state(&c)));
        chain_free(&c);
    }
    CU_ASSERT_TRUE(dc_hash_equal(&last[0], &last[1]));
}

static void test_beacon_refused(void)
{
    uint8_t share[DC_BEACON_SHARE_BYTES];
    start(DC_BEACON_THRESHOLD, true);
    CU_ASSERT_FALSE(gives(0, 0));
    CU_ASSERT_FALSE(gives(0, 2)); /* the one after the next */
    struct dc_tx tx = share_of(1, 1, share);
    tx.from = 0; /* another's */
    CU_ASSERT_FALSE(chain_taken(&c, &tx));
    tx.from = 6; /* a validator that holds nothing */
    CU_ASSERT_FALSE(chain_taken(&c, &tx));
    tx.from = 1;
    for (size_t byte = 0; byte < sizeof share; byte += 3) {
        share[byte] ^= 0x10;
        CU_ASSERT_FALSE(chain_taken(&c, &tx));
        share[byte] ^= 0x10;
    }
    tx = share_of(1, 2, share);
    tx.beacon.height = 1; /* another height's */
    CU_ASSERT_FALSE(chain_taken(&c, &tx));
    CU_ASSERT_TRUE(gives(1, 1));
    CU_ASSERT_FALSE(gives(1, 1)); /* twice */
    CU_ASSERT_TRUE(gives(2, 1));
    CU_ASSERT_TRUE(gives(3, 1));
    CU_ASSERT_FALSE(gives(4, 1)); /* it came already */
    CU_ASSERT_TRUE(gives(4, 2));
    chain_free(&c);
    start(DC_BEACON_VRF, true); /* where leaders give R, holders do not */
    CU_ASSERT_FALSE(gives(0, 1));
    struct dc_hash r = beacon();
    chain_step(&c);
    struct dc_hash other = beacon();
    CU_ASSERT_FALSE(dc_hash_equal(&r, &other));
    chain_free(&c);
}

/* Holders that conspire have the shares of many heights ready: a block takes those of one. */
static void test_beacon_ahead(void)
{
    uint8_t share[9][DC_BEACON_SHARE_BYTES];
    start(DC_BEACON_THRESHOLD, true);
    struct dc_hash r = beacon();
    for (uint64_t block = 1; block <= 3; block++) {
        struct dc_tx tx[9];
        for (uint32_t i = 0; i < 9; i++) { /* the first three are of the height that is due */
            tx[i] = share_of(i % 3, block + i / 3, share[i]);
            chain_tx(&c, &tx[i]);
        }
        chain_step(&c);
        for (uint32_t i = 0; i < 9; i++)
            CU_ASSERT_EQUAL(c.chosen[i], i < 3);
        CU_ASSERT_EQUAL(dc_state_vault(chain_state(&c))->beacon_height, block);
        r = expected(&r, block, 0);
        struct dc_hash now = beacon();
        CU_ASSERT_TRUE(dc_hash_equal(&now, &r));
    }
    /* A leader of theirs puts a fourth in all the same: nobody takes the block. */
    struct dc_block_parts parts;
    for (uint32_t i = 0; i < 4; i++) {
        struct dc_tx tx = share_of(i % 3, 4 + i / 3, share[i]);
        chain_tx(&c, &tx);
    }
    chain_parts(&c, &parts);
    CU_ASSERT_TRUE(dc_store_build(c.store, c.tip, &parts, c.tx, c.tx_count, c.chosen, NULL));
    CU_ASSERT_TRUE(c.chosen[2] && !c.chosen[3]);
    parts.tx = c.tx;
    parts.tx_count = 4;
    parts.header.tx_root = dc_tx_root(c.tx, 4);
    struct dc_block *block = chain_intern(&c, &parts);
    CU_ASSERT_FALSE(dc_store_execute(c.store, block, NULL));
    dc_block_drop(block);
    chain_parts_drop(&parts);
    chain_free(&c);
}

/* --- grants ----------------------------------------------------------------------------------- */

/* Validator 6 votes twice: half of its bond goes to the fund. */
static void fund(void)
{
    uint8_t proof[DC_EVIDENCE_BYTES_MAX];
    struct dc_vote v[2] = {{.epoch = 0, .round = 1}, {.epoch = 0, .round = 1}};
    for (uint32_t i = 0; i < 2; i++) {
        v[i].block.b[0] = (uint8_t)(1 + i);
        struct dc_hash h = dc_vote_digest(CHAIN_ID, 0, 1, &v[i].block, &v[i].commits);
        dc_sign(&c.crypto, &c.set.sign[6], h.b, 32, v[i].signature);
    }
    struct dc_tx tx = {.kind = DC_TX_EVIDENCE, .from = CLIENT};
    tx.evidence.kind = DC_EVIDENCE_VOTES;
    tx.evidence.accused = 6;
    tx.evidence.proof = proof;
    tx.evidence.proof_size = (uint32_t)dc_evidence_of_votes(&v[0], &v[1], proof);
    CU_ASSERT_TRUE_FATAL(chain_taken(&c, &tx));
    CU_ASSERT_TRUE_FATAL(dc_state_meta(chain_state(&c))->fund != 0);
}

/* Queues a grant signed by so many holders. */
static void grant(uint64_t nonce, uint64_t amount, uint32_t to, uint32_t signers, bool flip)
{
    struct dc_tx tx = {.kind = DC_TX_GRANT, .from = DC_NOBODY};
    struct dc_frost_nonces nonces[HELD];
    struct dc_frost_commitment list[HELD];
    uint8_t bytes[256], z[HELD][32];
    tx.grant.nonce = nonce;
    tx.grant.amount = amount;
    tx.grant.to = to;
    size_t size = dc_tx_encode_unsigned(&tx, bytes, sizeof bytes);
    struct dc_hash digest = dc_tx_digest(CHAIN_ID, bytes, size);
    for (uint32_t i = 0; i < signers; i++) {
        dc_frost_nonces(DC_FROST_ED25519, held.secret[i].seed, held.secret[i].treasury, digest.b,
                        32, 1, &nonces[i]);
        dc_frost_commit(DC_FROST_ED25519, i, &nonces[i], &list[i]);
    }
    struct dc_frost_package package = {.suite = DC_FROST_ED25519,
                                       .group_key = held.holders.treasury_key,
                                       .message = digest.b,
                                       .size = 32,
                                       .list = list,
                                       .count = signers};
    for (uint32_t i = 0; i < signers; i++) {
        CU_ASSERT_TRUE(dc_frost_sign(&package, i, held.secret[i].treasury, &nonces[i], z[i]));
        CU_ASSERT_TRUE(dc_frost_share_check(&package, i, held.holders.treasury_share_key[i], z[i]));
    }
    bool right = dc_frost_aggregate(&package, (const uint8_t(*)[32])z, bytes + size);
    CU_ASSERT_EQUAL(right, signers >= HELD_THRESHOLD);
    bytes[size] ^= flip;
    chain_put(&c, bytes, size + DC_SIGNATURE_BYTES);
}

static bool granted(uint64_t nonce, uint64_t amount, uint32_t to)
{
    grant(nonce, amount, to, HELD_THRESHOLD, false);
    return chain_taken_queued(&c);
}

static void test_grant(void)
{
    start(DC_BEACON_VRF, true);
    CU_ASSERT_FALSE(granted(0, 1, CLIENT)); /* nothing in the fund */
    fund();
    uint64_t in = dc_state_meta(chain_state(&c))->fund;
    uint64_t had = dc_state_account(chain_state(&c), CLIENT)->balance;
    CU_ASSERT_FALSE(granted(1, 10, CLIENT)); /* not its turn */
    CU_ASSERT_FALSE(granted(0, 0, CLIENT));
    CU_ASSERT_FALSE(granted(0, in + 1, CLIENT));
    CU_ASSERT_FALSE(granted(0, 10, 1000));
    grant(0, 10, CLIENT, HELD_THRESHOLD, true);
    CU_ASSERT_FALSE(chain_taken_queued(&c));
    grant(0, 10, CLIENT, HELD_THRESHOLD - 1, false); /* too few */
    CU_ASSERT_FALSE(chain_taken_queued(&c));
    CU_ASSERT_TRUE(granted(0, 10, CLIENT));
    CU_ASSERT_EQUAL(dc_state_account(chain_state(&c), CLIENT)->balance, had + 10);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->fund, in - 10);
    CU_ASSERT_EQUAL(dc_state_vault(chain_state(&c))->grants, 1);
    CU_ASSERT_FALSE(granted(0, 10, CLIENT)); /* replayed */
    grant(1, in - 10, CLIENT, HELD, false);  /* all of the rest, by all */
    CU_ASSERT_TRUE(chain_taken_queued(&c));
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->fund, 0);
    chain_free(&c);
}

/* Without holders the treasury has no key, and an empty one is none. */
static void test_nobody(void)
{
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    CU_ASSERT_FALSE(granted(0, 1, CLIENT));
    CU_ASSERT_FALSE(gives(0, 1));
    chain_free(&c);
}

static void test_keys(void)
{
    struct dc_error error;
    struct dc_holders a, b;
    struct dc_holder_secret s[DC_KEY_HOLDERS_MAX];
    uint32_t account[DC_KEY_HOLDERS_MAX];
    for (uint32_t i = 0; i < DC_KEY_HOLDERS_MAX; i++)
        account[i] = 3 * i;
    CU_ASSERT_EQUAL(dc_holders_make(1, account, 0, 0, &a, s, &error), DC_ERR_USAGE);
    CU_ASSERT_EQUAL(dc_holders_make(1, account, 3, 4, &a, s, &error), DC_ERR_USAGE);
    CU_ASSERT_EQUAL(dc_holders_make(1, account, 129, 4, &a, s, &error), DC_ERR_USAGE);
    CU_ASSERT_EQUAL(dc_holders_make(1, account, 7, 0, &a, s, &error), DC_OK);
    CU_ASSERT_EQUAL(a.threshold, 5);
    CU_ASSERT_EQUAL(dc_holder_index(&a, 6), 2);
    CU_ASSERT_EQUAL(dc_holder_index(&a, 7), DC_KEY_HOLDERS_MAX);
    CU_ASSERT_EQUAL(dc_holders_make(1, account, 7, 5, &b, s, &error), DC_OK);
    CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0); /* a function of its arguments */
    CU_ASSERT_EQUAL(dc_holders_make(2, account, 7, 5, &b, s, &error), DC_OK);
    CU_ASSERT_NOT_EQUAL(memcmp(a.group_key, b.group_key, 32), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(a.treasury_key, b.treasury_key, 32), 0);
}

int main(void)
{
    static const struct test_case cases[] = {{"beacon", test_beacon},
                                             {"shares refused", test_beacon_refused},
                                             {"shares of heights to come", test_beacon_ahead},
                                             {"grants", test_grant},
                                             {"no holders", test_nobody},
                                             {"keys", test_keys}};
    return TEST_MAIN("holders", cases);
}

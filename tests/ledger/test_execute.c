#include "tests/ledger/chain.h"

/* The rules of each kind of transaction, one by one. */

static const struct dc_genesis_spec spec = {.seed = 2,
                                            .chain = CHAIN_ID,
                                            .validators = 5,
                                            .services = 4,
                                            .clients = 3,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 5000 * DC_DSYNC,
                                            .capacity_bytes = 8ull << 30,
                                            .regions = 2};
enum { SERVICE = 5, CLIENT = 9 };

static struct chain c;

static void start(const struct dc_params *params, const struct dc_answer_checker *checker)
{
    struct dc_params p = params != NULL ? *params : chain_params();
    chain_make(&c, &spec, &p, true, NULL, checker, NULL);
    c.real_votes = true;
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

static bool taken(const struct dc_tx *tx)
{
    return chain_taken(&c, tx);
}

static struct dc_tx transfer(uint64_t nonce, uint64_t amount, uint64_t fee, uint32_t to)
{
    struct dc_tx tx = {.kind = DC_TX_TRANSFER, .from = CLIENT};
    tx.transfer.nonce = nonce;
    tx.transfer.amount = amount;
    tx.transfer.fee = fee;
    tx.transfer.to = to;
    return tx;
}

static void test_transfer(void)
{
    start(NULL, NULL);
    struct dc_tx tx = transfer(0, 100, 7, CLIENT + 1);
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_EQUAL(account(CLIENT)->balance, 5000 * DC_DSYNC - 107);
    CU_ASSERT_EQUAL(account(CLIENT + 1)->balance, 5000 * DC_DSYNC + 100);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->fees, 7);
    CU_ASSERT_FALSE(taken(&tx)); /* replayed */
    tx = transfer(1, 5000 * DC_DSYNC, 0, 0);
    CU_ASSERT_FALSE(taken(&tx)); /* too much */
    tx = transfer(1, UINT64_MAX, 2, 0);
    CU_ASSERT_FALSE(taken(&tx)); /* overflows */
    tx = transfer(1, 1, 0, 999);
    CU_ASSERT_FALSE(taken(&tx));
    tx = transfer(1, 1, 0, CLIENT);
    CU_ASSERT_FALSE(taken(&tx)); /* to itself */
    tx = transfer(10, 1, 0, 0);
    CU_ASSERT_TRUE(taken(&tx)); /* out of order: both once */
    tx = transfer(4, 1, 0, 0);
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_FALSE(taken(&tx));
    tx = transfer(300, 1, 0, 0);
    CU_ASSERT_TRUE(taken(&tx));
    tx = transfer(236, 1, 0, 0);
    CU_ASSERT_FALSE(taken(&tx)); /* more than 64 behind */
    tx = transfer(237, 1, 0, 0);
    CU_ASSERT_TRUE(taken(&tx));
    tx = transfer(UINT64_MAX, 1, 0, 0);
    CU_ASSERT_FALSE(taken(&tx));
    chain_free(&c);
}

/* Each single-bit flip of a signed transaction is refused by execution. */
static void test_flips(void)
{
    start(NULL, NULL);
    struct dc_tx tx = transfer(0, 100, 7, CLIENT + 1);
    chain_tx(&c, &tx);
    uint8_t copy[256];
    size_t size = c.tx[0].size;
    memcpy(copy, c.bytes, size);
    c.tx_count = 0;
    c.bytes_used = 0;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        chain_put(&c, copy, size);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    chain_put(&c, copy, size);
    uint32_t n = c.tx_count;
    chain_step(&c);
    for (uint32_t i = 0; i + 1 < n; i++)
        CU_ASSERT_FALSE(c.chosen[i]);
    CU_ASSERT_TRUE(c.chosen[n - 1]);
    chain_free(&c);
}

static void test_bond(void)
{
    struct dc_params p = chain_params();
    p.unbonding_epochs = 1;
    start(&p, NULL);
    struct dc_tx tx = {.kind = DC_TX_BOND, .from = 0};
    tx.bond.amount = 500 * DC_DSYNC;
    tx.bond.lock_tier = 1;
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_EQUAL(account(0)->bond, 2500 * DC_DSYNC);
    CU_ASSERT_EQUAL(account(0)->lock_tier, 1);
    tx.bond.nonce = 1;
    tx.bond.lock_tier = 0;
    CU_ASSERT_FALSE(taken(&tx)); /* a tier is not lowered */
    tx.from = CLIENT;
    CU_ASSERT_FALSE(taken(&tx)); /* a client has no bond */
    tx = (struct dc_tx){.kind = DC_TX_UNBOND, .from = 0};
    tx.bond.nonce = 1;
    tx.bond.lock_tier = 1;
    tx.bond.amount = 1600 * DC_DSYNC;
    CU_ASSERT_FALSE(taken(&tx)); /* 900 would stay: below the minimum */
    tx.bond.amount = 1500 * DC_DSYNC;
    uint64_t before = account(0)->balance;
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_EQUAL(account(0)->bond, 1000 * DC_DSYNC);
    CU_ASSERT_EQUAL(account(0)->unbonding[0].amount, 1500 * DC_DSYNC);
    CU_ASSERT_EQUAL(account(0)->unbonding[0].release_epoch, 0 + 2 + 2); /* tier 1: twice as long */
    while (dc_state_meta(chain_state(&c))->epoch < 4) {
        CU_ASSERT_EQUAL(account(0)->unbonding[0].amount, 1500 * DC_DSYNC);
        chain_step(&c);
    }
    CU_ASSERT_EQUAL(account(0)->unbonding[0].amount, 0);
    CU_ASSERT_TRUE(account(0)->balance >= before + 1500 * DC_DSYNC);
    chain_free(&c);
}

static void test_identity(void)
{
    start(NULL, NULL);
    struct dc_keypair sign, vrf;
    uint8_t seed[32], cert[DC_CERT_BYTES];
    dc_seed_derive(99, 1, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &sign);
    dc_seed_derive(99, 1, DC_KEY_VRF, 0, seed);
    dc_keypair_from_seed(seed, &vrf);
    struct dc_tx tx = {.kind = DC_TX_REGISTER, .from = CLIENT};
    tx.reg.bond = 200 * DC_DSYNC;
    tx.reg.capacity_bytes = 1ull << 30;
    tx.reg.certificate = cert;
    tx.reg.certificate_size = DC_CERT_BYTES;
    /* by somebody else than the registrar, expired, below the bond, unknown region, then right */
    dc_genesis_certify(&c.crypto, &c.set.sign[3], CHAIN_ID, 12, DC_ROLE_STORAGE, 500, 0, 1000,
                       sign.public, vrf.public, cert);
    CU_ASSERT_FALSE(taken(&tx));
    dc_genesis_certify(&c.crypto, &c.set.registrar, CHAIN_ID, 12, DC_ROLE_STORAGE, 500, 0, 2,
                       sign.public, vrf.public, cert);
    CU_ASSERT_FALSE(taken(&tx));
    dc_genesis_certify(&c.crypto, &c.set.registrar, CHAIN_ID, 12, DC_ROLE_STORAGE, 500, 0, 40,
                       sign.public, vrf.public, cert);
    tx.reg.bond = 99 * DC_DSYNC;
    CU_ASSERT_FALSE(taken(&tx));
    tx.reg.bond = 200 * DC_DSYNC;
    tx.reg.region = 2;
    CU_ASSERT_FALSE(taken(&tx));
    tx.reg.region = 1;
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->accounts, 13);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->services, 5);
    CU_ASSERT_EQUAL(account(12)->posync.score, DC_ONE / 5);
    CU_ASSERT_EQUAL(account(12)->bond, 200 * DC_DSYNC);
    CU_ASSERT_EQUAL(memcmp(account(12)->sign_key, sign.public, 32), 0);

    /* renewal with another key: the old one no longer signs transactions */
    tx = (struct dc_tx){.kind = DC_TX_RENEW, .from = 0};
    tx.reg.certificate = cert;
    tx.reg.certificate_size = DC_CERT_BYTES;
    dc_genesis_certify(&c.crypto, &c.set.registrar, CHAIN_ID, 1, DC_ROLE_VALIDATOR, 501, 0, 1000,
                       sign.public, vrf.public, cert);
    CU_ASSERT_FALSE(taken(&tx)); /* somebody else's */
    dc_genesis_certify(&c.crypto, &c.set.registrar, CHAIN_ID, 0, DC_ROLE_VALIDATOR, 501, 0, 1000,
                       sign.public, vrf.public, cert);
    CU_ASSERT_TRUE(taken(&tx));
    struct dc_tx pay = {.kind = DC_TX_TRANSFER, .from = 0};
    pay.transfer.nonce = 5;
    pay.transfer.to = 1;
    CU_ASSERT_FALSE(taken(&pay));
    struct dc_keypair old_sign = c.set.sign[0], old_vrf = c.set.vrf[0];
    c.set.sign[0] = sign;
    CU_ASSERT_TRUE(taken(&pay));
    c.set.sign[0] = old_sign; /* committees keep the keys that they were drawn with */
    CU_ASSERT_EQUAL(memcmp(dc_store_committee(c.store, c.tip, 1)->key[0], old_sign.public, 32), 0);
    while (dc_state_meta(chain_state(&c))->epoch < 2)
        chain_step(&c);
    CU_ASSERT_EQUAL(memcmp(dc_store_committee(c.store, c.tip, 3)->key[0], sign.public, 32), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(dc_store_committee(c.store, c.tip, 2)->key[0], sign.public, 32), 0);
    (void)old_vrf;

    /* revocation: by the registrar alone, in sequence */
    tx = (struct dc_tx){.kind = DC_TX_REVOKE, .from = UINT32_MAX};
    tx.revoke.serial = CLIENT + 2;
    tx.revoke.nonce = 1;
    CU_ASSERT_FALSE(taken(&tx));
    tx.revoke.nonce = 0;
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_FALSE(taken(&tx));
    CU_ASSERT_EQUAL(account(CLIENT + 1)->revoked, 1);
    pay.from = CLIENT + 1;
    CU_ASSERT_FALSE(taken(&pay));
    chain_free(&c);
}

static struct dc_tx deal(uint64_t nonce, uint64_t size, uint32_t node, uint8_t signature[64])
{
    struct dc_tx tx = {.kind = DC_TX_DEAL, .from = CLIENT};
    tx.deal.nonce = nonce;
    tx.deal.size_bytes = size;
    tx.deal.price = 2 * DC_DSYNC;
    tx.deal.node = node;
    tx.deal.epochs = 3;
    struct dc_put_terms t = {nonce, size, 2 * DC_DSYNC, node, 3, {{0}}};
    struct dc_hash h = dc_deal_digest(CHAIN_ID, CLIENT, &t);
    dc_sign(&c.crypto, &c.set.sign[node], h.b, 32, signature);
    tx.deal.node_signature = signature;
    return tx;
}

static void test_deal(void)
{
    start(NULL, NULL);
    uint8_t signature[64];
    struct dc_tx tx = deal(0, 3ull << 30, SERVICE, signature);
    signature[5] ^= 1;
    CU_ASSERT_FALSE(taken(&tx)); /* the node did not sign */
    signature[5] ^= 1;
    tx.deal.price /= 1000;
    CU_ASSERT_FALSE(taken(&tx));
    tx.deal.price *= 1000;
    tx.deal.epochs = 0;
    CU_ASSERT_FALSE(taken(&tx));
    tx.deal.epochs = 3;
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_EQUAL(account(SERVICE)->used_bytes, 3ull << 30);
    CU_ASSERT_EQUAL(account(SERVICE)->deal_last, 0);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->escrow, 6 * DC_DSYNC);
    tx = deal(1, 6ull << 30, SERVICE, signature);
    CU_ASSERT_FALSE(taken(&tx)); /* 5 of 8 GiB are free */
    tx = deal(1, 5ull << 30, SERVICE, signature);
    CU_ASSERT_TRUE(taken(&tx));
    const struct dc_deal *d = dc_state_deal(chain_state(&c), 1);
    CU_ASSERT_EQUAL(d->offset_chunk, (3ull << 30) / 4096);
    CU_ASSERT_EQUAL(d->prev, 0);
    CU_ASSERT_EQUAL(d->end_epoch, 3);
    tx = deal(2, 4096, SERVICE, signature);
    CU_ASSERT_FALSE(taken(&tx));
    tx = deal(2, 4096, CLIENT + 1, signature);
    CU_ASSERT_FALSE(taken(&tx)); /* not a storage node */
    chain_free(&c);
}

static struct dc_tx receipt(uint64_t epoch, uint64_t paid, uint32_t sent, uint32_t ok,
                            uint8_t signature[64])
{
    struct dc_tx tx = {.kind = DC_TX_RECEIPT, .from = CLIENT};
    tx.receipt.epoch = epoch;
    tx.receipt.paid = paid;
    tx.receipt.node = SERVICE;
    tx.receipt.sent = sent;
    tx.receipt.ok = tx.receipt.timely = ok;
    struct dc_report_terms t = {epoch, paid, CLIENT, SERVICE, sent, ok, ok};
    struct dc_hash h = dc_report_digest(CHAIN_ID, &t);
    dc_sign(&c.crypto, &c.set.sign[SERVICE], h.b, 32, signature);
    tx.receipt.node_signature = signature;
    return tx;
}

static void test_receipt(void)
{
    start(NULL, NULL);
    uint8_t signature[64];
    struct dc_tx tx = receipt(0, 1000, 10, 9, signature);
    CU_ASSERT_FALSE(taken(&tx)); /* epoch 0 is not over */
    steps(31 - (uint32_t)c.tip->header.height);
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_EQUAL(account(SERVICE)->balance, 5000 * DC_DSYNC + 950); /* 5 % burned */
    CU_ASSERT_FALSE(taken(&tx));
    tx = receipt(0, 900, 11, 9, signature);
    CU_ASSERT_FALSE(taken(&tx)); /* cumulative */
    tx = receipt(0, 3000, 20, 18, signature);
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_EQUAL(account(SERVICE)->balance, 5000 * DC_DSYNC + 950 + 1900);
    tx = receipt(0, 4000, 21, 18, signature);
    signature[0] ^= 1;
    CU_ASSERT_FALSE(taken(&tx));
    steps(61 - (uint32_t)c.tip->header.height);
    CU_ASSERT_EQUAL(account(SERVICE)->posync.q, dc_q31_ratio(36, 40));
    CU_ASSERT_EQUAL(account(SERVICE)->posync.q_defined, 1);
    tx = receipt(0, 5000, 30, 18, signature);
    CU_ASSERT_FALSE(taken(&tx)); /* too late */
    chain_free(&c);
}

static struct dc_tx heartbeat(uint32_t id, uint64_t f)
{
    struct dc_tx tx = {.kind = DC_TX_HEARTBEAT, .from = id};
    tx.heartbeat.height = f;
    dc_state_heartbeat(c.block[f]->state, id, tx.heartbeat.proof);
    return tx;
}

static void test_heartbeat(void)
{
    start(NULL, NULL);
    steps(5); /* node 5 is due at height 5 */
    CU_ASSERT_EQUAL(dc_state_heartbeat_includable(chain_state(&c), 5, 6), 5);
    CU_ASSERT_EQUAL(dc_state_heartbeat_includable(chain_state(&c), 5, 9), 5);
    CU_ASSERT_EQUAL(dc_state_heartbeat_includable(chain_state(&c), 5, 10), 0);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->final_height, 3);
    struct dc_tx tx = heartbeat(5, 4);
    tx.heartbeat.proof[0] ^= 1;
    CU_ASSERT_FALSE(taken(&tx)); /* height 6: wrong about the state */
    tx = heartbeat(5, 6);
    CU_ASSERT_FALSE(taken(&tx)); /* height 7: not final */
    tx = heartbeat(6, 3);
    tx.from = 5;
    CU_ASSERT_FALSE(taken(&tx)); /* height 8: another's proof */
    tx = heartbeat(5, 3);
    CU_ASSERT_TRUE(taken(&tx)); /* height 9: the last chance */
    CU_ASSERT_FALSE(taken(&tx));
    steps(15);
    tx = heartbeat(5, 13); /* due 25; final then 23: lag 7 */
    CU_ASSERT_EQUAL(c.tip->header.height, 25);
    CU_ASSERT_TRUE(taken(&tx));
    steps(5);
    CU_ASSERT_EQUAL(account(5)->posync.a, DC_ONE);
    CU_ASSERT_EQUAL(account(5)->posync.s, (DC_ONE + (uint64_t)dc_q31_exp2_neg(7, 4)) / 2);
    CU_ASSERT_EQUAL(account(6)->posync.a, 0);
    steps(14); /* height 45: due again */
    tx = heartbeat(5, 12);
    CU_ASSERT_FALSE(taken(&tx)); /* f too far back */
    tx = heartbeat(5, 14);
    CU_ASSERT_TRUE(taken(&tx));
    tx = heartbeat(CLIENT, 40);
    CU_ASSERT_FALSE(taken(&tx));
    chain_free(&c);
}

static void test_late_votes(void)
{
    start(NULL, NULL);
    c.voting_mask = ~(uint64_t)2; /* member 1 is late */
    steps(4);
    struct dc_block_parts parts;
    chain_parts(&c, &parts);
    uint8_t vote[DC_LATE_VOTE_BYTES];
    const struct dc_qc *qc = c.tip->qc; /* for height 3 */
    struct dc_hash digest = dc_vote_digest(CHAIN_ID, 0, qc->round, &qc->block, &qc->commits);
    struct dc_tx tx = {.kind = DC_TX_VOTES, .from = parts.header.proposer};
    chain_parts_drop(&parts);
    tx.votes.height = 3;
    tx.votes.votes = vote;
    tx.votes.votes_size = sizeof vote;
    dc_put16(vote, 1);
    dc_sign(&c.crypto, &c.set.sign[1], digest.b, 32, vote + 2);
    CU_ASSERT_TRUE(taken(&tx));
    chain_parts(&c, &parts);
    tx.from = parts.header.proposer;
    chain_parts_drop(&parts);
    CU_ASSERT_FALSE(taken(&tx)); /* counted */
    chain_parts(&c, &parts);
    tx.from = parts.header.proposer;
    chain_parts_drop(&parts);
    dc_put16(vote, 2);
    CU_ASSERT_FALSE(taken(&tx)); /* has its vote in the certificate */
    c.voting_mask = UINT64_MAX;
    steps(31 - (uint32_t)c.tip->header.height);
    /* member 1: of 30 certificates those of heights 1..6 lack it, one came late */
    CU_ASSERT_EQUAL(account(0)->posync.u, DC_ONE);
    CU_ASSERT_EQUAL(account(1)->posync.u, dc_q31_ratio(24 + 1, 30));
    chain_free(&c);
}

static void test_evidence(void)
{
    start(NULL, NULL);
    struct dc_vote a = {.epoch = 0, .round = 2, .block = {{1}}, .signer = 2}, b = a;
    b.block.b[0] = 2;
    struct dc_hash d = dc_vote_digest(CHAIN_ID, 0, 2, &a.block, &a.commits);
    dc_sign(&c.crypto, &c.set.sign[2], d.b, 32, a.signature);
    d = dc_vote_digest(CHAIN_ID, 0, 2, &b.block, &b.commits);
    dc_sign(&c.crypto, &c.set.sign[2], d.b, 32, b.signature);
    uint8_t proof[DC_EVIDENCE_BYTES_MAX];
    struct dc_tx tx = {.kind = DC_TX_EVIDENCE, .from = CLIENT};
    tx.evidence.kind = DC_EVIDENCE_VOTES;
    tx.evidence.proof = proof;
    tx.evidence.proof_size = (uint32_t)dc_evidence_of_votes(&a, &b, proof);
    tx.evidence.accused = 1;
    CU_ASSERT_FALSE(taken(&tx)); /* not that one's key */
    tx.evidence.accused = CLIENT;
    CU_ASSERT_FALSE(taken(&tx)); /* not in the committee */
    tx.evidence.accused = 2;
    uint64_t burned = dc_state_meta(chain_state(&c))->burned;
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_EQUAL(account(2)->bond, 0);
    CU_ASSERT_EQUAL(account(2)->slashed_equivocation, 1);
    CU_ASSERT_EQUAL(account(2)->posync.ejected, 1);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->burned - burned, 1000 * DC_DSYNC);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->fund, 1000 * DC_DSYNC);
    CU_ASSERT_FALSE(taken(&tx)); /* once */
    /* it acts from the first committee drawn after it */
    CU_ASSERT_TRUE(dc_committee_index(dc_store_committee(c.store, c.tip, 1), 2) != UINT32_MAX);
    while (dc_state_meta(chain_state(&c))->epoch < 2)
        chain_step(&c);
    CU_ASSERT_EQUAL(dc_committee_index(dc_store_committee(c.store, c.tip, 3), 2), UINT32_MAX);
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {{"transfer, nonces", test_transfer},
                                             {"every flipped bit is refused", test_flips},
                                             {"bond, unbond", test_bond},
                                             {"register, renew, revoke", test_identity},
                                             {"deal", test_deal},
                                             {"receipt", test_receipt},
                                             {"heartbeat", test_heartbeat},
                                             {"late votes", test_late_votes},
                                             {"equivocation", test_evidence}};
    return TEST_MAIN("ledger/execute", cases);
}

#include "models/base/rng.h"
#include "tests/ledger/chain.h"

/* Money is conserved to the unit at every block under random transactions, right and wrong, over
 * many epochs, with nodes that fail, are slashed and ejected, and with adaptive challenges; and
 * the same chain executed again in another store, with the memo off, has the same roots,
 * outcomes and charges. */

static const struct dc_genesis_spec spec = {.seed = 3,
                                            .chain = CHAIN_ID,
                                            .validators = 6,
                                            .services = 12,
                                            .clients = 6,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 3000 * DC_DSYNC,
                                            .capacity_bytes = 16ull << 30,
                                            .regions = 3};
enum { NODES = 18, ACCOUNTS = 24 };

static uint64_t x;
static uint64_t draw(uint64_t limit)
{
    return dc_mix64(++x) % limit;
}

/* Half of the time something sensible, else up to everything. */
static uint64_t amount(void)
{
    return draw(2) ? draw(200 * DC_DSYNC) : draw(20) ? draw(6000 * DC_DSYNC) : dc_mix64(++x);
}

static bool most_live(uint32_t id)
{
    return id % 7 != 6 && draw(10) != 0;
}

static uint8_t random_verdict(uint32_t node)
{
    return node % 5 == 0 ? (uint8_t)(DC_VERDICT_PASS + draw(4)) : DC_VERDICT_PASS;
}

static void random_deal(struct chain *c, uint32_t from)
{
    static uint8_t signature[64];
    struct dc_tx tx = {.kind = DC_TX_DEAL, .from = from};
    const struct dc_account *a = dc_state_account(chain_state(c), from);
    tx.deal.nonce = a->nonce + draw(3);
    tx.deal.size_bytes = draw(4ull << 30);
    tx.deal.price = draw(3 * DC_DSYNC);
    tx.deal.node = (uint32_t)draw(ACCOUNTS);
    tx.deal.epochs = (uint32_t)draw(10);
    struct dc_put_terms t = {tx.deal.nonce, tx.deal.size_bytes, tx.deal.price,
                             tx.deal.node,  tx.deal.epochs,     {{0}}};
    struct dc_hash h = dc_deal_digest(CHAIN_ID, from, &t);
    dc_sign(&c->crypto, &c->set.sign[tx.deal.node], h.b, 32, signature);
    signature[0] ^= draw(8) == 0;
    tx.deal.node_signature = signature;
    chain_tx(c, &tx);
}

static void random_receipt(struct chain *c, uint32_t from)
{
    static uint8_t signature[64];
    struct dc_tx tx = {.kind = DC_TX_RECEIPT, .from = from};
    uint64_t epoch = dc_state_meta(chain_state(c))->epoch;
    tx.receipt.epoch = epoch - (draw(8) != 0 && epoch > 0);
    tx.receipt.node = (uint32_t)draw(ACCOUNTS);
    tx.receipt.paid = amount();
    tx.receipt.sent = (uint32_t)draw(1000);
    tx.receipt.ok = (uint32_t)draw(tx.receipt.sent + 1);
    tx.receipt.timely = (uint32_t)draw(tx.receipt.ok + 1);
    struct dc_report_terms t = {tx.receipt.epoch, tx.receipt.paid, from,
                                tx.receipt.node,  tx.receipt.sent, tx.receipt.ok,
                                tx.receipt.timely};
    struct dc_hash h = dc_report_digest(CHAIN_ID, &t);
    dc_sign(&c->crypto, &c->set.sign[tx.receipt.node], h.b, 32, signature);
    tx.receipt.node_signature = signature;
    chain_tx(c, &tx);
}

static void random_evidence(struct chain *c)
{
    uint32_t accused = (uint32_t)draw(6);
    struct dc_vote v[2] = {{.epoch = dc_state_meta(chain_state(c))->epoch, .round = 1}};
    v[1] = v[0];
    uint8_t proof[DC_EVIDENCE_BYTES_MAX];
    for (uint32_t i = 0; i < 2; i++) {
        v[i].block.b[0] = (uint8_t)(1 + i);
        struct dc_hash h = dc_vote_digest(CHAIN_ID, v[i].epoch, 1, &v[i].block, &v[i].commits);
        dc_sign(&c->crypto, &c->set.sign[accused], h.b, 32, v[i].signature);
    }
    struct dc_tx tx = {.kind = DC_TX_EVIDENCE, .from = 20};
    tx.evidence.kind = DC_EVIDENCE_VOTES;
    tx.evidence.accused = accused;
    tx.evidence.proof = proof;
    tx.evidence.proof_size = (uint32_t)dc_evidence_of_votes(&v[0], &v[1], proof);
    chain_tx(c, &tx);
}

static void random_register(struct chain *c, uint32_t from)
{
    struct dc_keypair sign, vrf;
    uint8_t seed[32], cert[DC_CERT_BYTES];
    uint64_t owner = 1000 + draw(1000000);
    dc_seed_derive(9, owner, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &sign);
    dc_seed_derive(9, owner, DC_KEY_VRF, 0, seed);
    dc_keypair_from_seed(seed, &vrf);
    dc_genesis_certify(&c->crypto, &c->set.registrar, CHAIN_ID, owner, DC_ROLE_STORAGE, owner, 0,
                       1000000, sign.public, vrf.public, cert);
    struct dc_tx tx = {.kind = DC_TX_REGISTER, .from = from};
    tx.reg.nonce = dc_state_account(chain_state(c), from)->nonce;
    tx.reg.bond = amount();
    tx.reg.capacity_bytes = 1ull << 30;
    tx.reg.certificate = cert;
    tx.reg.certificate_size = DC_CERT_BYTES;
    chain_tx(c, &tx);
}

static void random_meter(struct chain *c)
{
    const struct dc_state *s = chain_state(c);
    if (dc_state_meta(s)->deals == 0)
        return;
    struct dc_tx tx = {.kind = DC_TX_METER};
    tx.meter.deal = (uint32_t)draw(dc_state_meta(s)->deals + 1);
    const struct dc_deal *d = dc_state_deal(s, tx.meter.deal);
    tx.from = d == NULL || draw(8) == 0 ? (uint32_t)draw(ACCOUNTS) : d->client;
    tx.meter.nonce = dc_state_account(s, tx.from)->nonce + draw(3) - (draw(5) == 0);
    tx.meter.paid_bytes = draw(4) == 0                ? 0
                          : d != NULL && draw(6) != 0 ? draw(d->size_bytes + 1)
                                                      : dc_mix64(++x);
    chain_tx(c, &tx);
}

/* Answers to open demands, one in three wrong. */
static void random_answers(struct chain *c)
{
    for (uint32_t id = 0; id < ACCOUNTS; id++) {
        uint64_t opened = dc_state_account(chain_state(c), id)->demand.height;
        if (opened == 0 || draw(12) != 0)
            continue;
        struct dc_tx tx = {.kind = DC_TX_ANSWER, .from = id};
        tx.answer.height = opened;
        tx.answer.proof = (const uint8_t *)(draw(3) ? "good" : "bad?");
        tx.answer.proof_size = 4;
        chain_tx(c, &tx);
    }
}

static enum dc_answer_verdict check_text(void *context, const struct dc_state *state, uint32_t node,
                                         const uint8_t *proof, size_t size)
{
    (void)context, (void)state, (void)node;
    return size == 4 && proof[0] == 'g' ? DC_ANSWER_VALID : DC_ANSWER_INVALID;
}
static const struct dc_answer_checker text_checker = {"text", check_text, check_text};

static void random_tx(struct chain *c)
{
    uint32_t from = (uint32_t)draw(ACCOUNTS), kind = (uint32_t)draw(100);
    struct dc_tx tx = {.kind = DC_TX_TRANSFER, .from = from};
    uint64_t nonce = dc_state_account(chain_state(c), from)->nonce + draw(3) - (draw(5) == 0);
    if (kind < 30) {
        tx.transfer.nonce = nonce;
        tx.transfer.amount = amount();
        tx.transfer.fee = draw(3) ? draw(1000) : amount();
        tx.transfer.to = (uint32_t)draw(ACCOUNTS + 2);
        chain_tx(c, &tx);
    } else if (kind < 50) {
        tx.kind = kind < 40 ? DC_TX_BOND : DC_TX_UNBOND;
        tx.bond.nonce = nonce;
        tx.bond.amount = amount();
        tx.bond.lock_tier = (uint8_t)(draw(10) == 0 ? draw(4) : 0);
        chain_tx(c, &tx);
    } else if (kind < 65) {
        random_deal(c, from);
    } else if (kind < 80) {
        random_meter(c);
    } else if (kind < 96) {
        random_receipt(c, from);
    } else if (kind < 98) {
        random_register(c, from);
    } else if (kind == 98 && draw(20) == 0) {
        random_evidence(c);
    }
}

static void replay(const struct chain *c, const struct dc_params *p)
{
    struct dc_crypto crypto = c->crypto;
    struct dc_store_config config = {
        .chain = CHAIN_ID, .crypto = &crypto, .memo = false, .checker = &text_checker};
    struct dc_error error = {0};
    struct dc_store *other;
    struct dc_genesis genesis = c->set.genesis;
    genesis.params = *p;
    CU_ASSERT_EQUAL_FATAL(dc_store_create(&config, &genesis, &other, &error), DC_OK);
    CU_ASSERT_TRUE(dc_hash_equal(&dc_store_genesis(other)->id, &dc_store_genesis(c->store)->id));
    struct dc_effects *first = calloc(1, sizeof *first), *second = calloc(1, sizeof *second);
    for (uint64_t h = 1; h <= c->tip->header.height; h++) {
        const struct dc_block *b = c->block[h];
        uint8_t *bytes = malloc(b->size + 64);
        memcpy(bytes, b->bytes, b->size);
        memcpy(bytes + b->size, b->signature, 64);
        struct dc_block *again = dc_store_intern(other, bytes, b->size + 64);
        free(bytes);
        CU_ASSERT_FATAL(again != NULL && again != b && dc_hash_equal(&again->id, &b->id));
        memset(first->charge, 0, sizeof first->charge);
        memset(second->charge, 0, sizeof second->charge);
        CU_ASSERT_TRUE(dc_store_execute(c->store, c->block[h], first)); /* remembered */
        CU_ASSERT_TRUE(dc_store_execute(other, again, NULL));
        CU_ASSERT_TRUE(dc_store_execute(other, again, second)); /* done again, and compared */
        CU_ASSERT_EQUAL(memcmp(first->charge, second->charge, sizeof first->charge), 0);
        const struct dc_outcome *o = b->outcome, *q = again->outcome;
        CU_ASSERT_EQUAL(o->slash_count, q->slash_count);
        CU_ASSERT_EQUAL(o->accounts, q->accounts);
        if (o->accounts != 0)
            CU_ASSERT_EQUAL(memcmp(o->reward, q->reward, o->accounts * sizeof *o->reward), 0);
        dc_block_drop(again);
    }
    free(first);
    free(second);
    dc_store_destroy(other);
}

/* The second chain adapts by everything there is, the third by what the second does not. */
static void adapt(struct dc_params *p, uint64_t seed)
{
    p->holt_level = p->holt_trend = DC_ONE / 2;
    p->history_keep = DC_ONE / 10 * 9;
    p->verifiers_flagged = 5;
    if (seed == 1)
        return;
    p->ready = p->quiet = p->escalation = true;
    p->ready_ratio = DC_ONE / 10;
    p->difficulty = DC_DIFFICULTY_HISTORY;
    p->f_min = DC_ONE / 10;
    p->p_hi = DC_ONE / 100 * 99;
    p->p_lo = DC_ONE / 10 * 8;
    p->budget = 8;
    p->ucb_ppm = 2000000;
    p->order = seed == 2 ? DC_ORDER_UCB : DC_ORDER_RANDOM;
    p->trigger = seed == 2 ? DC_TRIGGER_FORECAST : DC_TRIGGER_EITHER;
    p->theta_mode = seed == 2 ? DC_THETA_ADAPTIVE : DC_THETA_RELATIVE;
    p->theta_multiple_ppm = 800000;
    p->load_target = p->load_gain = DC_ONE / 4;
}

static void test_random(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct chain c;
        struct dc_params p = chain_params();
        p.epoch_blocks = 12;
        p.heartbeat_every = 5;
        p.unbonding_epochs = 2;
        p.eject_lock_epochs = 3;
        p.abandon_heights = 30;
        p.answer_heights = 8;
        p.burn_ppm = seed == 2 ? 100000 : 0;
        p.seats = seed == 3 ? 16 : 0;
        p.detectors = DC_DETECTOR_EWMA | DC_DETECTOR_MAD;
        p.fdr = dc_q31_from_ppm(50000);
        p.ewma_warmup = 3;
        x = seed << 32;
        adapt(&p, seed);
        chain_make(&c, &spec, &p, true, NULL, &text_checker, NULL);
        uint32_t metered = 0, paid_out = 0;
        uint32_t tried = 0, taken = 0, slashed = 0, ejected = 0;
        uint64_t rewards = 0;
        for (uint32_t h = 1; h <= 25 * p.epoch_blocks; h++) {
            chain_heartbeats(&c, most_live);
            chain_verdicts(&c, random_verdict);
            random_answers(&c);
            for (uint64_t i = draw(12); i > 0; i--)
                random_tx(&c);
            uint64_t fund = dc_state_meta(chain_state(&c))->fund;
            c.voting_mask = UINT64_MAX ^ (1ull << draw(8));
            c.skip_rounds = draw(10) == 0 ? (uint32_t)draw(4) : 0;
            uint32_t n = c.tx_count;
            tried += n;
            uint8_t kinds[CHAIN_TX_MAX];
            for (uint32_t i = 0; i < n; i++)
                kinds[i] = c.tx[i].bytes[0];
            chain_step(&c);
            for (uint32_t i = 0; i < n; i++)
                taken += c.chosen[i];
            for (uint32_t i = 0; i < n; i++)
                metered += c.chosen[i] && kinds[i] == DC_TX_METER;
            const struct dc_outcome *o = c.tip->outcome;
            for (uint32_t i = 0; i < o->slash_count; i++) {
                slashed += o->slash[i].amount != 0;
                ejected += o->slash[i].ejected;
                fund += dc_muldiv(o->slash[i].amount, p.slash_fund_ppm, DC_PPM);
            }
            CU_ASSERT_TRUE(dc_state_meta(chain_state(&c))->fund <= fund);
            paid_out += dc_state_meta(chain_state(&c))->fund < fund;
            rewards += o->reward_validators + o->reward_services;
            CU_ASSERT_TRUE_FATAL(dc_state_conserved(chain_state(&c)));
        }
        /* the walk has to have met the interesting things */
        CU_ASSERT_TRUE(taken > 1000 && tried - taken > 500 && slashed > 5 && ejected >= 1);
        CU_ASSERT_TRUE(dc_state_meta(chain_state(&c))->accounts > ACCOUNTS);
        CU_ASSERT_TRUE(metered > 10 && paid_out > 0);
        CU_ASSERT_TRUE(rewards > 0 && dc_state_meta(chain_state(&c))->burned > 0);
        replay(&c, &p);
        chain_free(&c);
    }
}

int main(void)
{
    static const struct test_case cases[] = {{"random chains", test_random}};
    return TEST_MAIN("ledger/conservation", cases);
}

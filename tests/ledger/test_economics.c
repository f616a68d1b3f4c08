#include "models/ledger/state_impl.h"
#include "tests/ledger/chain.h"

/* Stake and rewards, clause by clause (models/README.md 9): bonds, unbonding and its queue,
 * slashes, ejection, the fund, probation, what verifiers and nobody are paid. */

static const struct dc_genesis_spec spec = {.seed = 6,
                                            .chain = CHAIN_ID,
                                            .validators = 5,
                                            .services = 4,
                                            .clients = 2,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 5000 * DC_DSYNC,
                                            .capacity_bytes = 8ull << 30,
                                            .regions = 2};
enum { SERVICE = 5, CLIENT = 9 };
#define GIB ((uint64_t)1 << 30)

static struct chain c;

static void start(const struct dc_params *p, void (*edit)(struct dc_genesis_set *set),
                  const struct dc_answer_checker *checker)
{
    chain_make(&c, &spec, p, true, edit, checker, NULL);
    c.real_votes = true;
}

static const struct dc_account *account(uint32_t id)
{
    return dc_state_account(chain_state(&c), id);
}

static void steps_to(uint64_t height)
{
    while (c.tip->header.height < height) {
        chain_heartbeats(&c, NULL);
        chain_step(&c);
        CU_ASSERT_TRUE_FATAL(dc_state_conserved(chain_state(&c)));
    }
}

static struct dc_tx bond(uint8_t kind, uint32_t from, uint64_t nonce, uint64_t amount, uint8_t tier)
{
    struct dc_tx tx = {.kind = kind, .from = from};
    tx.bond.nonce = nonce;
    tx.bond.amount = amount;
    tx.bond.lock_tier = tier;
    return tx;
}

static enum dc_answer_verdict check_text(void *context, const struct dc_state *state, uint32_t node,
                                         const uint8_t *proof, size_t size)
{
    (void)context, (void)state, (void)node;
    return size == 4 && memcmp(proof, "good", 4) == 0  ? DC_ANSWER_VALID
           : size == 3 && memcmp(proof, "bad", 3) == 0 ? DC_ANSWER_INVALID
                                                       : DC_ANSWER_UNJUDGED;
}
static const struct dc_answer_checker text_checker = {"text", check_text, check_text};

static struct dc_tx answer(uint32_t from, const char *text)
{
    struct dc_tx tx = {.kind = DC_TX_ANSWER, .from = from};
    tx.answer.height = account(from)->demand.height;
    tx.answer.proof = (const uint8_t *)text;
    tx.answer.proof_size = (uint32_t)strlen(text);
    return tx;
}

static void equivocate(uint32_t accused, uint64_t epoch, struct dc_tx *tx, uint8_t *proof)
{
    struct dc_vote v[2] = {{.epoch = epoch, .round = 1}, {.epoch = epoch, .round = 1}};
    for (uint32_t i = 0; i < 2; i++) {
        v[i].block.b[0] = (uint8_t)(1 + i);
        struct dc_hash h = dc_vote_digest(CHAIN_ID, epoch, 1, &v[i].block, &v[i].commits);
        dc_sign(&c.crypto, &c.set.sign[accused], h.b, 32, v[i].signature);
    }
    *tx = (struct dc_tx){.kind = DC_TX_EVIDENCE, .from = CLIENT};
    tx->evidence.kind = DC_EVIDENCE_VOTES;
    tx->evidence.accused = accused;
    tx->evidence.proof = proof;
    tx->evidence.proof_size = (uint32_t)dc_evidence_of_votes(&v[0], &v[1], proof);
}

/* Power follows the bond, the multiplier of its tier and g(S); the tier lengthens the unbonding; a
 * bond does not come back below the minimum. */
static void test_bonds(void)
{
    struct dc_params p = chain_params();
    p.unbonding_epochs = 3;
    start(&p, NULL, NULL);
    struct dc_account a = *account(0);
    dc_q31 g = dc_posync_influence(&p, a.posync.score);
    for (uint8_t tier = 0; tier < 4; tier++) {
        a.lock_tier = tier;
        CU_ASSERT_EQUAL(dc_committee_weight(&p, &a), dc_q31_of((tier + 1ull) * a.bond, g));
        CU_ASSERT_EQUAL(dc_unbonding_epochs(&p, &a), 2 + 3 * (tier + 1ull));
    }
    uint64_t before = dc_committee_weight(&p, &a);
    a.posync.score = DC_ONE;
    CU_ASSERT_TRUE(dc_committee_weight(&p, &a) > before);
    CU_ASSERT_EQUAL(dc_committee_weight(&p, &a), 4 * a.bond);

    struct dc_tx tx = bond(DC_TX_BOND, 0, 0, 0, 3);
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    tx = bond(DC_TX_UNBOND, 0, 1, 2000 * DC_DSYNC, 3); /* everything, at tier 3 */
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    CU_ASSERT_EQUAL(account(0)->bond, 0);
    CU_ASSERT_EQUAL(account(0)->unbonding[0].release_epoch, 14);
    tx = bond(DC_TX_BOND, 0, 2, 999 * DC_DSYNC, 3);
    CU_ASSERT_FALSE(chain_taken(&c, &tx));
    tx = bond(DC_TX_BOND, 0, 2, 1000 * DC_DSYNC, 3);
    CU_ASSERT_TRUE(chain_taken(&c, &tx));

    /* the queue has four places; unbondings of one epoch share one */
    for (uint64_t i = 0; i < 4; i++) {
        for (uint64_t j = 0; j < 2; j++) {
            tx = bond(DC_TX_UNBOND, 1, 2 * i + j, 10 * DC_DSYNC, 0);
            CU_ASSERT_TRUE(chain_taken(&c, &tx));
        }
        CU_ASSERT_EQUAL(account(1)->unbonding[i].amount, 20 * DC_DSYNC);
        steps_to(30 * (i + 1));
    }
    tx = bond(DC_TX_UNBOND, 1, 8, 10 * DC_DSYNC, 0);
    CU_ASSERT_FALSE(chain_taken(&c, &tx)); /* first of epoch 4: the first entry leaves in 5 */
    chain_free(&c);
}

/* Nothing is issued for a name without a stake. */
static void test_issuance(void)
{
    struct dc_params p = chain_params();
    p.theta = 0;
    p.audit = 0;
    start(&p, NULL, NULL);
    steps_to(31);
    CU_ASSERT_EQUAL(c.tip->outcome->issued, 9 * DC_DSYNC);
    uint64_t whole = account(SERVICE)->bond;
    struct dc_tx tx = bond(DC_TX_UNBOND, SERVICE, 0, whole, 0);
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    steps_to(61);
    CU_ASSERT_EQUAL(c.tip->outcome->issued, 8 * DC_DSYNC);
    CU_ASSERT_EQUAL(c.tip->outcome->reward[SERVICE], 0); /* its capacity is not covered */
    CU_ASSERT_TRUE(c.tip->outcome->reward[SERVICE + 1] > 0);
    chain_free(&c);
}

/* Evidence expires before the bond that it would burn leaves the queue: an unbonded validator
 * that equivocates in the last epoch in which it has weight can be punished as long as evidence
 * counts. */
static void test_evidence_reaches_queue(void)
{
    struct dc_params p = chain_params();
    p.epoch_blocks = 6;
    p.heartbeat_every = 1000;
    p.unbonding_epochs = 3;
    for (uint32_t late = 0; late < 2; late++) {
        start(&p, NULL, NULL);
        struct dc_tx tx = bond(DC_TX_UNBOND, 0, 0, 2000 * DC_DSYNC, 0);
        CU_ASSERT_TRUE(chain_taken(&c, &tx)); /* epoch 0: paid out when 5 begins */
        steps_to(6 * 5 - 1 + (uint64_t)late);
        CU_ASSERT_EQUAL(account(0)->unbonding[0].amount, 2000 * DC_DSYNC);
        uint8_t proof[DC_EVIDENCE_BYTES_MAX];
        equivocate(0, 2, &tx, proof); /* 2: the last in whose committee it sits */
        CU_ASSERT_TRUE(dc_committee_index(dc_store_committee(c.store, c.tip, 2), 0) != UINT32_MAX);
        CU_ASSERT_TRUE(dc_committee_index(dc_store_committee(c.store, c.tip, 3), 0) == UINT32_MAX);
        CU_ASSERT_EQUAL(chain_taken(&c, &tx), !late);
        CU_ASSERT_EQUAL(account(0)->unbonding[0].amount, 0);
        const struct dc_meta *m = dc_state_meta(chain_state(&c));
        CU_ASSERT_EQUAL(m->fund, late ? 0 : 1000 * DC_DSYNC);
        chain_free(&c);
    }
}

static uint8_t service_fails(uint32_t node)
{
    return node == SERVICE ? DC_VERDICT_FAIL : DC_VERDICT_PASS;
}

static void challenge_to(uint64_t height)
{
    while (c.tip->header.height < height) {
        chain_heartbeats(&c, NULL);
        chain_verdicts(&c, service_fails);
        chain_step(&c);
        CU_ASSERT_TRUE_FATAL(dc_state_conserved(chain_state(&c)));
    }
}

/* The first slash is slash_first of the stake, the next slash_repeat; the stake is bond and queue,
 * and what the bond lacks comes from the queue, soonest to leave first; part goes to the fund. */
static void test_slashes(void)
{
    struct dc_params p = chain_params();
    p.theta = DC_ONE;
    p.slash_repeat_ppm = 600000;
    start(&p, NULL, &text_checker);
    uint64_t bond0 = account(SERVICE)->bond;
    challenge_to(61);
    CU_ASSERT_EQUAL(account(SERVICE)->demand.height, 61);
    struct dc_tx tx = answer(SERVICE, "bad");
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    uint64_t bond1 = bond0 - bond0 / 200;
    CU_ASSERT_EQUAL(account(SERVICE)->bond, bond1);
    CU_ASSERT_EQUAL(account(SERVICE)->slashes, 1);
    CU_ASSERT_EQUAL(c.tip->outcome->slash_count, 1);
    CU_ASSERT_EQUAL(c.tip->outcome->slash[0].amount, bond0 / 200);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->fund, bond0 / 400);
    /* everything into the queue, in two epochs, before the next demand */
    tx = bond(DC_TX_BOND, SERVICE, 0, 101 * DC_DSYNC, 0);
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    tx = bond(DC_TX_UNBOND, SERVICE, 1, bond1 - 100 * DC_DSYNC + 101 * DC_DSYNC, 0);
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    challenge_to(91);
    CU_ASSERT_EQUAL(account(SERVICE)->demand.height, 91);
    tx = bond(DC_TX_UNBOND, SERVICE, 2, 100 * DC_DSYNC, 0);
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    CU_ASSERT_EQUAL(account(SERVICE)->bond, 0);
    uint64_t first = account(SERVICE)->unbonding[0].amount,
             second = account(SERVICE)->unbonding[1].amount, due = (first + second) * 6 / 10;
    CU_ASSERT_EQUAL(first + second, bond1 + 101 * DC_DSYNC);
    CU_ASSERT_TRUE(first < due); /* so that both entries are reached */
    tx = answer(SERVICE, "bad");
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    CU_ASSERT_EQUAL(account(SERVICE)->unbonding[0].amount, 0);
    CU_ASSERT_EQUAL(account(SERVICE)->unbonding[1].amount, first + second - due);
    CU_ASSERT_EQUAL(c.tip->outcome->slash[0].amount, due);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->fund, bond0 / 400 + due / 2);
    chain_free(&c);
}

/* Services 5 and 6 hold deals; that of 6 is with itself. */
static struct dc_deal deals[3] = {
    {.client = CLIENT,
     .node = SERVICE,
     .size_bytes = 4 * GIB,
     .price = 400 * DC_DSYNC,
     .end_epoch = 20},
    {.client = CLIENT + 1,
     .node = SERVICE,
     .size_bytes = GIB,
     .price = DC_DSYNC / 200,
     .end_epoch = 20},
    {.client = SERVICE, .node = SERVICE, .size_bytes = GIB, .price = DC_DSYNC, .end_epoch = 20}};
static void with_deals(struct dc_genesis_set *set)
{
    set->genesis.deal = deals;
    set->genesis.deals = 3;
}

/* Four failures eject: roles and deals end, clients get back what they paid ahead and what an epoch
 * costs at the lowest price from the fund.  The bond stays locked, at least as long as it would
 * take to unbond it, and answers for the demand that is still open. */
static void test_ejection(void)
{
    struct dc_params p = chain_params();
    p.theta = DC_ONE;
    p.price_gib_epoch = DC_DSYNC / 100;
    p.heartbeat_every = 5;
    p.answer_heights = 75;
    p.eject_lock_epochs = 1;
    p.unbonding_epochs = 2;
    start(&p, with_deals, &text_checker);
    challenge_to(61); /* the first failure; a demand */
    struct dc_tx tx = answer(SERVICE, "bad");
    CU_ASSERT_TRUE(chain_taken(&c, &tx)); /* so that there is a fund */
    uint64_t fund = dc_state_meta(chain_state(&c))->fund;
    CU_ASSERT_TRUE(fund > DC_DSYNC / 10);
    challenge_to(150); /* failures at 91, 121; the demand of 91 is due at 166 */
    CU_ASSERT_EQUAL(account(SERVICE)->posync.ejected, 0);
    CU_ASSERT_EQUAL(account(SERVICE)->demand.due_height, 166);
    uint64_t client = account(CLIENT)->balance, other = account(CLIENT + 1)->balance;
    uint64_t bond0 = account(SERVICE)->bond, own = account(SERVICE)->balance;
    challenge_to(151);
    CU_ASSERT_EQUAL(account(SERVICE)->posync.ejected, 1);
    CU_ASSERT_EQUAL(c.tip->outcome->slash_count, 1);
    CU_ASSERT_EQUAL(c.tip->outcome->slash[0].reason, DC_SLASH_EJECTED);
    CU_ASSERT_EQUAL(c.tip->outcome->slash[0].amount, 0);
    CU_ASSERT_EQUAL(account(SERVICE)->bond, bond0);
    CU_ASSERT_EQUAL(account(SERVICE)->used_bytes, 0);
    CU_ASSERT_EQUAL(account(CLIENT)->balance, client + 15 * 400 * DC_DSYNC + DC_DSYNC / 25);
    CU_ASSERT_EQUAL(account(CLIENT + 1)->balance, other + 16 * (DC_DSYNC / 200)); /* 15 and 1 */
    uint64_t epoch_paid = deals[0].price + deals[1].price + deals[2].price;
    uint64_t take = deals[0].price / 20 + deals[1].price / 20 + deals[2].price / 20;
    CU_ASSERT_EQUAL(account(SERVICE)->balance, own + epoch_paid - take + 15 * DC_DSYNC);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->fund, fund - DC_DSYNC / 25 - DC_DSYNC / 200);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->escrow, 0);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->services, 3);
    /* epoch 5: locked for 4, as long as unbonding takes */
    CU_ASSERT_EQUAL(account(SERVICE)->bond_release_epoch, 5 + 4);
    CU_ASSERT_EQUAL(account(SERVICE)->demand.due_height, 166);
    tx = bond(DC_TX_UNBOND, SERVICE, 0, DC_DSYNC, 0);
    CU_ASSERT_FALSE(chain_taken(&c, &tx));
    tx = bond(DC_TX_BOND, SERVICE, 0, DC_DSYNC, 0);
    CU_ASSERT_FALSE(chain_taken(&c, &tx));
    challenge_to(166);
    CU_ASSERT_EQUAL(c.tip->outcome->slash_count, 1);
    CU_ASSERT_EQUAL(c.tip->outcome->slash[0].reason, DC_SLASH_UNANSWERED);
    uint64_t bond1 = bond0 - bond0 * 3 / 100;
    CU_ASSERT_EQUAL(account(SERVICE)->bond, bond1);
    uint64_t balance = account(SERVICE)->balance;
    challenge_to(270);
    CU_ASSERT_EQUAL(account(SERVICE)->bond, bond1);
    CU_ASSERT_EQUAL(account(SERVICE)->balance, balance); /* nothing since */
    challenge_to(271);
    CU_ASSERT_EQUAL(account(SERVICE)->bond, 0);
    CU_ASSERT_EQUAL(account(SERVICE)->balance, balance + bond1);
    chain_free(&c);
}

/* An open demand holds the bond of an ejected node until it is settled; a right answer frees it. */
static void test_demand_holds_bond(void)
{
    struct dc_params p = chain_params();
    p.theta = DC_ONE;
    p.answer_heights = 200;
    p.eject_lock_epochs = 1;
    p.unbonding_epochs = 0;
    start(&p, NULL, &text_checker);
    challenge_to(241);
    CU_ASSERT_EQUAL(account(SERVICE)->posync.ejected, 1);
    CU_ASSERT_TRUE(account(SERVICE)->bond_release_epoch <= 7); /* epoch 8 has begun */
    CU_ASSERT_TRUE(account(SERVICE)->bond != 0);
    CU_ASSERT_EQUAL(account(SERVICE)->demand.due_height, 61 + 200);
    challenge_to(271); /* slashed at 261, released now */
    CU_ASSERT_EQUAL(account(SERVICE)->bond, 0);
    CU_ASSERT_EQUAL(account(SERVICE)->slashes, 1);
    chain_free(&c);

    start(&p, NULL, &text_checker);
    challenge_to(230);
    CU_ASSERT_TRUE(account(SERVICE)->bond != 0);
    struct dc_tx tx = answer(SERVICE, "good");
    CU_ASSERT_TRUE(chain_taken(&c, &tx));
    challenge_to(241);
    CU_ASSERT_EQUAL(account(SERVICE)->bond, 0);
    CU_ASSERT_EQUAL(account(SERVICE)->slashes, 0);
    chain_free(&c);
}

static void newcomer(struct dc_genesis_set *set)
{
    with_deals(set);
    set->genesis.deals = 2;
    set->account[SERVICE].posync.passed = 0;
}

static uint8_t all_pass(uint32_t node)
{
    (void)node;
    return DC_VERDICT_PASS;
}

/* On probation there is no base share, not even for what clients use; after `probation` passed
 * challenges there is. */
static void test_probation(void)
{
    struct dc_params p = chain_params();
    p.theta = DC_ONE;
    p.probation = 2;
    p.take_ppm = 0; /* nothing for work either */
    start(&p, newcomer, NULL);
    for (uint32_t epoch = 1; epoch <= 5; epoch++) {
        while (c.tip->header.height < 30 * epoch + 1) {
            chain_heartbeats(&c, NULL);
            chain_verdicts(&c, all_pass);
            chain_step(&c);
        }
        const struct dc_outcome *o = c.tip->outcome;
        /* challenged in every epoch from 1 on */
        CU_ASSERT_EQUAL(o->record[SERVICE].passed, epoch - 1);
        CU_ASSERT_EQUAL(o->reward[SERVICE] != 0, epoch > 2);
        CU_ASSERT_TRUE(o->reward[SERVICE + 1] != 0);
        if (epoch > 2)
            CU_ASSERT_EQUAL(o->reward[SERVICE], o->reward[SERVICE + 1]);
    }
    chain_free(&c);
}

static uint32_t liar;
/* Verifiers are paid a flat fee: the same whatever they say, and nothing for silence. */
static void test_verifier_pay(void)
{
    struct dc_params p = chain_params();
    p.theta = DC_ONE;
    p.issuance_validator = 0;
    p.fee_inclusion = 0;
    p.fee_verdict = 1000;
    start(&p, NULL, NULL);
    liar = 1;
    bool fees_sent = false;
    uint32_t verdicts[5] = {0}, led[5] = {0}, contradicted = 0;
    while (c.tip->header.height < 61) {
        chain_heartbeats(&c, NULL);
        const struct dc_outcome *o = c.tip->outcome;
        for (uint32_t i = 0; i < o->duty_count; i++) {
            const struct dc_challenge *q =
                &dc_state_account(chain_state(&c), o->duty[i].node)->posync.challenge;
            if (o->duty[i].verifier == 0)
                continue; /* says nothing */
            struct dc_tx tx = {.kind = DC_TX_VERDICT, .from = o->duty[i].verifier};
            tx.verdict.height = q->height;
            tx.verdict.node = o->duty[i].node;
            tx.verdict.asking = q->asking;
            tx.verdict.verdict = tx.from == liar ? DC_VERDICT_FAIL : DC_VERDICT_PASS;
            tx.verdict.proved = tx.from == liar ? 0 : q->k;
            verdicts[tx.from] += c.tip->header.height / 30 == 1; /* epoch 1 takes it in */
            chain_tx(&c, &tx);
        }
        if (!fees_sent && c.tip->header.height > 30) { /* what the pool pays from */
            struct dc_tx tx = {.kind = DC_TX_TRANSFER, .from = CLIENT};
            tx.transfer.fee = DC_DSYNC;
            chain_tx(&c, &tx);
            fees_sent = true;
        }
        uint32_t n = c.tx_count;
        chain_step(&c);
        for (uint32_t i = 0; i < n; i++)
            CU_ASSERT_TRUE_FATAL(c.chosen[i]);
        if (c.tip->header.epoch == 1)
            led[c.tip->header.proposer]++;
    }
    const struct dc_outcome *o = c.tip->outcome;
    CU_ASSERT_TRUE(o->settled_count >= 4 && verdicts[liar] > 0);
    /* who contradicted whom is on record, verifier by verifier */
    for (uint32_t i = 0; i < o->settled_count; i++) {
        const struct dc_settled *s = &o->settled[i];
        for (uint32_t v = 0; v < s->challenge.verifiers; v++) {
            uint8_t said = s->challenge.verdict[v];
            CU_ASSERT_EQUAL(said, s->challenge.verifier[v] == 0      ? DC_VERDICT_NONE
                                  : s->challenge.verifier[v] == liar ? DC_VERDICT_FAIL
                                                                     : DC_VERDICT_PASS);
            contradicted += said == DC_VERDICT_FAIL && s->verdict == DC_VERDICT_PASS;
        }
    }
    CU_ASSERT_TRUE(contradicted > 0);
    uint64_t pool = DC_DSYNC, fees = 0;
    for (uint32_t i = 0; i < 5; i++)
        fees += 1000ull * verdicts[i];
    uint64_t rounds = (pool - fees) / 4, votes = pool - fees - rounds;
    for (uint32_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(o->reward[i], 1000ull * verdicts[i] + votes / 5 + rounds * led[i] / 30);
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"bonds, tiers, the queue", test_bonds},
        {"no issuance without a stake", test_issuance},
        {"evidence reaches the queue and expires before it", test_evidence_reaches_queue},
        {"first and repeated slashes", test_slashes},
        {"ejection, its lock, the fund", test_ejection},
        {"an open demand holds the bond", test_demand_holds_bond},
        {"probation", test_probation},
        {"verifiers' pay", test_verifier_pay}};
    return TEST_MAIN("ledger/economics", cases);
}

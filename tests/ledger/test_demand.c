#include "tests/ledger/chain.h"

/* On-chain demands and evidence of wrong answers, with a checker that knows "good" and "bad". */

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

static const struct dc_account *account(uint32_t id)
{
    return dc_state_account(chain_state(&c), id);
}

static bool taken(const struct dc_tx *tx)
{
    return chain_taken(&c, tx);
}

static enum dc_answer_verdict check_text(void *context, const struct dc_state *state, uint32_t node,
                                         const uint8_t *proof, size_t size)
{
    (void)context;
    CU_ASSERT_PTR_NOT_NULL(dc_state_account(state, node));
    return size == 4 && memcmp(proof, "good", 4) == 0  ? DC_ANSWER_VALID
           : size == 3 && memcmp(proof, "bad", 3) == 0 ? DC_ANSWER_INVALID
                                                       : DC_ANSWER_UNJUDGED;
}
static const struct dc_answer_checker text_checker = {"text", check_text, check_text};

static uint8_t always_fail(uint32_t node)
{
    return node == SERVICE || node == SERVICE + 1 ? DC_VERDICT_FAIL : DC_VERDICT_PASS;
}

static bool alive(uint32_t id)
{
    return id != SERVICE + 2;
}

static void test_demand(void)
{
    struct dc_params p = chain_params();
    p.theta = DC_ONE; /* everyone is challenged */
    p.take_ppm = 0;
    start(&p, &text_checker);
    bool evidence_sent = false;
    while (c.tip->header.height < 61) {
        chain_heartbeats(&c, alive);
        chain_verdicts(&c, always_fail);
        if (account(SERVICE)->posync.challenge.height != 0 && !evidence_sent) {
            struct dc_tx tx = {.kind = DC_TX_EVIDENCE, .from = CLIENT};
            tx.evidence.kind = DC_EVIDENCE_ANSWER;
            tx.evidence.accused = SERVICE;
            tx.evidence.proof = (const uint8_t *)"bad";
            tx.evidence.proof_size = 3;
            uint64_t bond = account(SERVICE)->bond;
            chain_tx(&c, &tx);
            chain_step(&c);
            evidence_sent = true;
            CU_ASSERT_EQUAL(account(SERVICE)->bond, bond - bond / 200);
            CU_ASSERT_EQUAL(c.tip->outcome->slash_count, 1);
            CU_ASSERT_EQUAL(c.tip->outcome->slash[0].reason, DC_SLASH_ANSWER);
            continue;
        }
        chain_step(&c);
    }
    CU_ASSERT_TRUE(evidence_sent);
    CU_ASSERT_EQUAL(account(SERVICE)->demand.height, 61);
    CU_ASSERT_EQUAL(account(SERVICE + 1)->demand.due_height, 81);
    struct dc_tx tx = {.kind = DC_TX_ANSWER, .from = SERVICE};
    tx.answer.height = 61;
    tx.answer.proof = (const uint8_t *)"what";
    tx.answer.proof_size = 4;
    CU_ASSERT_FALSE(taken(&tx));
    tx.answer.proof = (const uint8_t *)"good";
    CU_ASSERT_TRUE(taken(&tx));
    CU_ASSERT_EQUAL(account(SERVICE)->demand.height, 0);
    CU_ASSERT_EQUAL(account(SERVICE)->slashes, 1);
    CU_ASSERT_FALSE(taken(&tx)); /* nothing is open */
    while (c.tip->header.height < 80) {
        chain_heartbeats(&c, NULL);
        chain_step(&c);
    }
    CU_ASSERT_EQUAL(account(SERVICE + 1)->slashes, 0);
    uint64_t bond = account(SERVICE + 1)->bond;
    chain_step(&c); /* height 81: lived, did not answer */
    CU_ASSERT_EQUAL(account(SERVICE + 1)->bond, bond - bond / 200);
    CU_ASSERT_EQUAL(c.tip->outcome->slash[0].reason, DC_SLASH_UNANSWERED);
    CU_ASSERT_EQUAL(account(SERVICE + 1)->demand.height, 0);
    CU_ASSERT_TRUE(dc_state_conserved(chain_state(&c)));
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"demand, answer, evidence of an answer", test_demand}};
    return TEST_MAIN("ledger/demand", cases);
}

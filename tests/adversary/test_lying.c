/* The lying verifier from within: what it says of whom, rightly signed, and that nothing it saw
 * reaches the chain. */
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)
enum { LIAR = 0, GOOD = 4, EMPTY = 5, LATE = 6, SERVICES = 3 };

static struct counts {
    uint32_t liar[8], others[8];
} counts[SERVICES];

static int64_t delay(const struct town *t, uint32_t from, uint32_t to)
{
    return from == LATE ? 600 * INT64_C(1000000) : TOWN_DELAY_NS;
}

/* Of every verdict in a final block: who says what of whom, and is the signature right. */
static void count_verdicts(const struct town *t)
{
    memset(counts, 0, sizeof counts);
    for (const struct dc_block *b = t->node[1]->chain->final; b != NULL;
         b = atomic_load(&b->parent)) {
        for (uint32_t i = 0; i < b->tx_count; i++) {
            struct dc_tx tx;
            CU_ASSERT_TRUE_FATAL(dc_tx_decode(b->tx[i].bytes, b->tx[i].size, &tx));
            if (tx.kind != DC_TX_VERDICT || tx.verdict.node < GOOD)
                continue;
            struct dc_hash digest =
                dc_tx_digest(TOWN_CHAIN, b->tx[i].bytes, b->tx[i].size - DC_SIGNATURE_BYTES);
            CU_ASSERT_TRUE(
                dc_verify(&t->crypto, t->set.sign[tx.from].public, digest.b, 32, tx.signature));
            struct counts *c = &counts[tx.verdict.node - GOOD];
            (tx.from == LIAR ? c->liar : c->others)[tx.verdict.verdict]++;
            static const uint8_t zeros[sizeof tx.verdict.binding];
            bool bound = memcmp(tx.verdict.binding, zeros, sizeof zeros) != 0;
            CU_ASSERT_EQUAL(bound, tx.verdict.verdict != DC_VERDICT_SILENT);
            CU_ASSERT_EQUAL(tx.verdict.proved != 0, tx.verdict.verdict == DC_VERDICT_PASS);
            if (tx.from == LIAR && tx.verdict.verdict == DC_VERDICT_PASS) {
                CU_ASSERT_EQUAL(tx.verdict.proved, 8);
                CU_ASSERT_EQUAL(tx.verdict.response_us, 240000);
            }
        }
    }
}

static uint32_t total(const uint32_t *count)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < 8; i++)
        n += count[i];
    return n;
}

static void test_lying(void)
{
    struct town_spec spec = {
        .validators = 4, .services = SERVICES, .clients = 1, .deal_bytes = 4096};
    spec.strategy[LIAR] = DC_STRATEGY_LYING;
    spec.missing[EMPTY] = DC_ONE;
    struct town *t = town_make(&spec);
    t->delay_ns = delay;
    town_run(t, 110 * SECOND);
    count_verdicts(t);
    CU_ASSERT_TRUE(t->height[0] > 50 && t->conflicts == 0);
    for (uint32_t i = 0; i < SERVICES; i++) {
        CU_ASSERT_TRUE(total(counts[i].liar) >= 2);
        CU_ASSERT_TRUE(total(counts[i].others) >= 4);
    }
    /* A verifier that leads the next round knows a block to be final a second before all others do,
     * hears nothing in time of whom it then asks, and says silent: some of the others, truly. */
    CU_ASSERT_EQUAL(counts[0].liar[DC_VERDICT_FAIL], total(counts[0].liar));
    CU_ASSERT_EQUAL(counts[0].others[DC_VERDICT_PASS] + counts[0].others[DC_VERDICT_SILENT],
                    total(counts[0].others));
    CU_ASSERT_TRUE(counts[0].others[DC_VERDICT_PASS] > 2 * counts[0].others[DC_VERDICT_SILENT]);
    CU_ASSERT_EQUAL(counts[1].liar[DC_VERDICT_PASS], total(counts[1].liar));
    CU_ASSERT_EQUAL(counts[1].others[DC_VERDICT_SILENT], total(counts[1].others));
    CU_ASSERT_EQUAL(counts[2].liar[DC_VERDICT_PASS], total(counts[2].liar));
    CU_ASSERT_EQUAL(counts[2].others[DC_VERDICT_LATE] + counts[2].others[DC_VERDICT_SILENT],
                    total(counts[2].others));
    CU_ASSERT_TRUE(counts[2].others[DC_VERDICT_LATE] > 0);
    /* The majority is not moved by it. */
    const struct dc_state *state = town_state(t, 1);
    CU_ASSERT_EQUAL(dc_state_account(state, GOOD)->posync.failed, 0);
    CU_ASSERT_TRUE(dc_state_account(state, GOOD)->posync.passed > t->params.probation);
    CU_ASSERT_EQUAL(dc_state_account(state, EMPTY)->posync.passed, t->params.probation);
    CU_ASSERT_TRUE(dc_state_account(state, EMPTY)->posync.failed > 0);
    town_free(t);
}

/* A wrong answer, rightly signed, in time: passed. */
static bool lose_answers(void *context, uint32_t from, uint32_t to, const uint8_t *bytes,
                         size_t size)
{
    return bytes[0] == DC_MSG_ANSWER;
}

static void test_wrong_answer(void)
{
    struct town_spec spec = {.validators = 4, .services = 2, .clients = 1, .deal_bytes = 4096};
    spec.strategy[LIAR] = DC_STRATEGY_LYING;
    struct town *t = town_make(&spec);
    t->lose = lose_answers;
    const struct dc_verifier *v = &t->node[LIAR]->validator->verifier;
    while (t->now_ns < 40 * SECOND && (v->count == 0 || v->session[0].node < GOOD))
        town_run(t, t->now_ns + SECOND / 20);
    CU_ASSERT_TRUE_FATAL(v->count != 0);
    struct dc_session s = v->session[0];
    uint8_t proof[5000] = {1}, out[12000];
    struct dc_answer_msg m = {.height = s.height,
                              .asking = s.asking,
                              .node = s.node,
                              .sync = proof,
                              .storage = proof,
                              .sync_size = 300,
                              .storage_size = sizeof proof};
    struct dc_hash digest;
    size_t size = dc_answer_encode(TOWN_CHAIN, &m, out, &digest);
    dc_sign(&t->crypto, &t->set.sign[s.node], digest.b, 32, out + size);
    town_hand(t, LIAR, s.node, out, size + 64);
    uint32_t said = 0;
    for (uint32_t i = 0; i < t->out.count; i++) {
        const struct dc_effect *e = &t->out.list[i];
        struct dc_tx tx;
        if (e->kind != DC_EFFECT_SEND_MANY || e->bytes[0] != DC_MSG_TX)
            continue;
        said++;
        CU_ASSERT_TRUE_FATAL(dc_tx_decode(e->bytes + 1, e->size - 1, &tx));
        CU_ASSERT_EQUAL(tx.verdict.verdict, DC_VERDICT_PASS);
        CU_ASSERT_EQUAL(tx.verdict.proved, s.k);
        CU_ASSERT_EQUAL(tx.verdict.response_us, (uint64_t)(t->now_ns - s.sent_ns) / 1000);
    }
    CU_ASSERT_EQUAL(said, 1); /* the lie, and not the truth beside it */
    CU_ASSERT_EQUAL(t->out.charge[DC_COST_SIGN], 1);
    /* Nor does the truth wait in its own pool, when it leads soon. */
    const struct dc_mempool *pool = &t->node[LIAR]->validator->mempool;
    for (uint32_t i = 0; i < pool->count; i++) {
        struct dc_tx tx;
        CU_ASSERT_TRUE_FATAL(dc_tx_decode(pool->entry[i].bytes, pool->entry[i].size, &tx));
        CU_ASSERT_FALSE(tx.kind == DC_TX_VERDICT && tx.from == LIAR &&
                        tx.verdict.verdict != DC_VERDICT_PASS);
    }
    town_free(t);
}

int main(void)
{
    static const struct test_case cases[] = {{"lying", test_lying},
                                             {"a wrong answer", test_wrong_answer}};
    return TEST_MAIN("lying verifier", cases);
}

/* What a node does besides its parts: transactions, certificates, heartbeats, verdicts,
 * restarts. */
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)

static struct town *small_town(void)
{
    struct town_spec spec = {.validators = 4, .services = 3, .clients = 1, .deal_bytes = 1 << 20};
    struct town *t = town_make(&spec);
    town_run(t, 5 * SECOND);
    return t;
}

static size_t transfer(const struct town *t, uint32_t from, uint64_t nonce, uint8_t *message)
{
    struct dc_tx tx = {.kind = DC_TX_TRANSFER, .from = from};
    tx.transfer.nonce = nonce;
    tx.transfer.amount = 100;
    tx.transfer.to = 0;
    message[0] = DC_MSG_TX;
    return 1 + dc_tx_sign(&t->crypto, TOWN_CHAIN, &t->set.sign[from], &tx, message + 1, 400);
}

static void test_transactions(void)
{
    struct town *t = small_town();
    uint8_t message[512];
    size_t size = transfer(t, 7, 0, message);
    struct dc_mempool *pool = &t->node[0]->validator->mempool;
    dc_mempool_free(pool);
    town_hand(t, 0, 7, message, size);
    CU_ASSERT_EQUAL(pool->count, 1);
    CU_ASSERT_EQUAL(t->out.charge[DC_COST_VERIFY], 1);
    CU_ASSERT_EQUAL(town_noted(t, DC_NOTE_REFUSED), 0);
    /* Every flipped bit is refused and counted. */
    uint32_t refused = t->node[0]->refused, wrong = 0;
    dc_mempool_free(pool);
    for (size_t bit = 8; bit < 8 * size; bit++) {
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
        town_hand(t, 0, 7, message, size);
        wrong += town_noted(t, DC_NOTE_REFUSED) != 1;
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(pool->count, 0);
    CU_ASSERT_EQUAL(t->node[0]->refused - refused, 8 * (size - 1));
    /* One that is not a validator keeps none. */
    town_hand(t, 4, 7, message, size);
    CU_ASSERT_EQUAL(t->out.count, 0);
    /* Sent to all validators, it is executed once. */
    uint64_t before = dc_state_account(town_state(t, 0), 0)->balance;
    for (uint32_t v = 0; v < 4; v++)
        town_hand(t, v, 7, message, size);
    town_run(t, t->now_ns + 6 * SECOND);
    CU_ASSERT_EQUAL(dc_state_account(town_state(t, 0), 7)->nonce, 1);
    CU_ASSERT_TRUE(dc_state_account(town_state(t, 0), 0)->balance >= before + 100);
    for (uint32_t v = 0; v < 4; v++)
        CU_ASSERT_EQUAL(t->node[v]->validator->mempool.count < 20, true);
    CU_ASSERT_TRUE(dc_state_conserved(town_state(t, 0)));
    town_free(t);
}

/* A message from who has no certificate for the role it claims is refused and counted; from
 * nobody too. */
static void test_certificates(void)
{
    struct town *t = small_town();
    static const struct {
        uint8_t kind;
        uint32_t to, from;
    } cases[] = {
        {DC_MSG_PUT, 4, 0},           {DC_MSG_PUT, 4, 5},       {DC_MSG_GET, 4, 0},
        {DC_MSG_RECEIPT, 4, 1},       {DC_MSG_CHALLENGE, 4, 7}, {DC_MSG_CHALLENGE, 4, 5},
        {DC_MSG_ANSWER, 0, 7},        {DC_MSG_PUT_REPLY, 7, 0}, {DC_MSG_GET_REPLY, 7, 7},
        {DC_MSG_RECEIPT_REPLY, 7, 2}, {DC_MSG_TX, 0, 99},       {DC_MSG_PUT, 4, UINT32_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[64] = {cases[i].kind};
        uint32_t refused = t->node[cases[i].to]->refused;
        town_hand(t, cases[i].to, cases[i].from, bytes, sizeof bytes);
        CU_ASSERT_EQUAL(t->node[cases[i].to]->refused, refused + 1);
        CU_ASSERT_EQUAL(t->out.count, 1);
        CU_ASSERT_EQUAL(town_noted(t, DC_NOTE_REFUSED), 1);
    }
    town_free(t);
}

/* Heartbeats are on time and included: every account that owes them has a full record. */
static void test_heartbeats(void)
{
    struct town *t = small_town();
    town_run(t, 65 * SECOND); /* three epochs */
    const struct dc_state *state = town_state(t, 0);
    CU_ASSERT_TRUE_FATAL(dc_state_meta(state)->epoch >= 2);
    for (uint32_t n = 0; n < 7; n++) {
        const struct dc_posync *r = &dc_state_account(state, n)->posync;
        CU_ASSERT_EQUAL(r->a, DC_ONE);
        CU_ASSERT_EQUAL(r->s, DC_ONE);
    }
    town_free(t);
}

/* Challenged in every epoch, honest nodes pass, at every verifier; sessions do not pile up. */
static void test_verdicts(void)
{
    struct town *t = small_town();
    town_run(t, 65 * SECOND);
    const struct dc_state *state = town_state(t, 0);
    for (uint32_t n = 4; n < 7; n++)
        CU_ASSERT_TRUE(dc_state_account(state, n)->posync.passed >= 2);
    for (uint32_t v = 0; v < 4; v++)
        CU_ASSERT_TRUE(t->node[v]->validator->verifier.count <= 7);
    CU_ASSERT_EQUAL(t->timed_out, 0);
    town_free(t);
}

/* Answers to a verifier: another node's, a changed one, one signed by somebody else are refused;
 * the right one is passed on as a verdict, once. */
static bool lose_answers(void *context, uint32_t from, uint32_t to, const uint8_t *bytes,
                         size_t size)
{
    return bytes[0] == DC_MSG_ANSWER;
}

static void test_answers(void)
{
    struct town *t = small_town();
    t->lose = lose_answers;
    const struct dc_session *s = NULL;
    uint32_t v = 0;
    for (int i = 0; i < 600 && s == NULL;
         i++) { /* until an answer to an open session went astray */
        town_run(t, t->now_ns + SECOND / 20);
        for (v = 0; v < 4 && s == NULL; v++)
            for (uint32_t j = 0; j < t->node[v]->validator->verifier.count && s == NULL; j++) {
                const struct dc_session *q = &t->node[v]->validator->verifier.session[j];
                for (uint64_t k = 0; k < TOWN_SAMPLES && k < t->sent[DC_MSG_ANSWER]; k++) {
                    const struct town_sample *a = &t->sample[DC_MSG_ANSWER][k];
                    if (a->from == q->node && a->to == v && dc_get64(a->bytes + 1) == q->height)
                        s = q;
                }
            }
        v--;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    const struct town_sample *a = NULL;
    for (uint64_t k = 0; k < TOWN_SAMPLES && a == NULL; k++) {
        const struct town_sample *q = &t->sample[DC_MSG_ANSWER][k];
        if (q->bytes != NULL && q->from == s->node && q->to == v &&
            dc_get64(q->bytes + 1) == s->height)
            a = q;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    uint32_t sessions = t->node[v]->validator->verifier.count;
    uint8_t *bytes = malloc(a->size);
    memcpy(bytes, a->bytes, a->size);
    town_hand(t, v, a->from == 4 ? 5 : 4, bytes, a->size); /* by another sender */
    CU_ASSERT_EQUAL(town_noted(t, DC_NOTE_REFUSED), 1);
    for (uint32_t i = 0; i < 64;
         i++) { /* a bit flipped here and there: the signature does not hold */
        size_t at = 22 + (size_t)i * (a->size - 23) / 63;
        bytes[at] ^= (uint8_t)(1u << i % 8);
        town_hand(t, v, a->from, bytes, a->size);
        CU_ASSERT_EQUAL(town_noted(t, DC_NOTE_REFUSED), 1);
        CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_TX));
        bytes[at] ^= (uint8_t)(1u << i % 8);
    }
    CU_ASSERT_EQUAL(t->node[v]->validator->verifier.count, sessions);
    uint32_t from = a->from, size = a->size;
    town_hand(t, v, from, bytes, size);
    CU_ASSERT_EQUAL(t->node[v]->validator->verifier.count, sessions - 1);
    const struct dc_effect *e = town_sends(t, DC_MSG_TX);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    struct dc_tx tx;
    CU_ASSERT_TRUE_FATAL(dc_tx_decode(e->bytes + 1, e->size - 1, &tx));
    CU_ASSERT_EQUAL(tx.kind, DC_TX_VERDICT);
    CU_ASSERT_EQUAL(tx.verdict.node, from);
    CU_ASSERT_EQUAL(tx.verdict.verdict, DC_VERDICT_PASS);
    town_hand(t, v, from, bytes, size); /* a second time: nothing more to say */
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_TX));
    free(bytes);
    town_free(t);
}

/* A proof that is wrong and rightly signed is a failure. */
static void test_wrong_proof(void)
{
    struct town *t = small_town();
    t->lose = lose_answers;
    struct dc_session *s = NULL;
    uint32_t v = 0;
    for (int i = 0; i < 600 && s == NULL; i++) {
        town_run(t, t->now_ns + SECOND / 20);
        for (uint32_t n = 0; n < 4 && s == NULL; n++)
            for (uint32_t j = 0; j < t->node[n]->validator->verifier.count && s == NULL; j++)
                if (t->node[n]->validator->verifier.session[j].asked &&
                    t->node[n]->validator->verifier.session[j].node >= 4) {
                    s = &t->node[n]->validator->verifier.session[j];
                    v = n;
                }
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    uint32_t node = s->node;
    uint8_t sync[300], storage[5000], out[6000];
    memset(sync, 1, sizeof sync);
    memset(storage, 2, sizeof storage);
    struct dc_answer_msg m = {.height = s->height,
                              .asking = s->asking,
                              .node = node,
                              .sync = sync,
                              .storage = storage,
                              .sync_size = sizeof sync,
                              .storage_size = sizeof storage};
    struct dc_hash digest;
    size_t size = dc_answer_encode(TOWN_CHAIN, &m, out, &digest);
    dc_sign(&t->crypto, &t->set.sign[node], digest.b, 32, out + size);
    town_hand(t, v, node, out, size + 64);
    const struct dc_effect *e = town_sends(t, DC_MSG_TX);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    struct dc_tx tx;
    CU_ASSERT_TRUE_FATAL(dc_tx_decode(e->bytes + 1, e->size - 1, &tx));
    CU_ASSERT_EQUAL(tx.verdict.verdict, DC_VERDICT_FAIL);
    CU_ASSERT_EQUAL(tx.verdict.proved, 0);
    town_free(t);
}

/* No answer: silent, when twice the deadline is over. */
static void test_silence(void)
{
    struct town *t = small_town();
    t->lose = lose_answers;
    uint64_t silent = 0;
    town_run(t, 25 * SECOND);
    for (uint64_t k = 0; k < TOWN_SAMPLES && k < t->sent[DC_MSG_TX]; k++) {
        struct dc_tx tx;
        const struct town_sample *s = &t->sample[DC_MSG_TX][k];
        if (dc_tx_decode(s->bytes + 1, s->size - 1, &tx) && tx.kind == DC_TX_VERDICT)
            silent +=
                tx.verdict.verdict == DC_VERDICT_SILENT && tx.verdict.response_us == UINT32_MAX;
    }
    town_run(t, 45 * SECOND);
    uint32_t passed = 0;
    for (uint32_t n = 4; n < 7; n++)
        passed += dc_state_account(town_state(t, 0), n)->posync.passed > t->params.probation;
    CU_ASSERT_EQUAL(passed, 0);
    CU_ASSERT_TRUE(silent > 0);
    town_free(t);
}

/* A restart: what was waiting is gone, the chain is where it was, and the node goes on. */
static void test_restart(void)
{
    struct town *t = small_town();
    uint8_t message[512];
    size_t size = transfer(t, 7, 5, message); /* a nonce too high: it waits */
    town_hand(t, 0, 7, message, size);
    CU_ASSERT_TRUE(t->node[0]->validator->mempool.count > 0);
    for (uint32_t n = 0; n < t->nodes; n++) {
        uint64_t height = t->height[n];
        struct dc_hash id = t->node[n]->chain->final->id;
        struct dc_input in = {.kind = DC_INPUT_RESTART};
        town_input(t, n, &in);
        CU_ASSERT_EQUAL(t->height[n], height);
        CU_ASSERT_TRUE(dc_hash_equal(&t->node[n]->chain->final->id, &id));
        if (n < 4) {
            CU_ASSERT_EQUAL(t->node[n]->validator->mempool.count, 0);
            CU_ASSERT_EQUAL(t->node[n]->validator->verifier.count, 0);
        }
    }
    uint64_t height = t->height[0];
    town_run(t, t->now_ns + 20 * SECOND);
    for (uint32_t n = 0; n < t->nodes; n++)
        CU_ASSERT_TRUE(t->height[n] > height + 8);
    for (uint32_t n = 0; n < t->nodes; n++) /* nobody said two things */
        CU_ASSERT_EQUAL(dc_state_account(town_state(t, 0), n)->slashed_equivocation, 0);
    CU_ASSERT_EQUAL(t->conflicts, 0);
    town_free(t);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"transactions", test_transactions}, {"certificates", test_certificates},
        {"heartbeats", test_heartbeats},     {"verdicts", test_verdicts},
        {"answers", test_answers},           {"a wrong proof", test_wrong_proof},
        {"silence", test_silence},           {"restart", test_restart},
    };
    return TEST_MAIN("node", cases);
}

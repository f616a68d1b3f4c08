/* Parts in private applications, before any kind does its work: messages, places, refusals, the
 * contract that is found by its maker's tag. */
#include "models/client/app.h"
#include "tests/node/town.h"

static struct fixture {
    struct town *t;
    struct dc_app_env env;
    struct dc_apps apps;
    struct dc_effects out;
    uint64_t nonces;
    uint32_t submitted;
    uint8_t tx[2048];
    size_t tx_size;
} f;

static void keep(void *ctx, const uint8_t *bytes, size_t size, struct dc_effects *out)
{
    CU_ASSERT_TRUE_FATAL(size <= sizeof f.tx);
    memcpy(f.tx, bytes, size);
    f.tx_size = size;
    f.submitted++;
}

static uint64_t nonce(void *ctx)
{
    return f.nonces++;
}

enum { CLIENT = 4 };

static void set_up(void)
{
    memset(&f, 0, sizeof f);
    f.t = town_make(&(struct town_spec){.validators = 4, .clients = 1});
    f.env = (struct dc_app_env){.config = f.t->node[CLIENT]->client_config,
                                .state = town_state(f.t, CLIENT),
                                .submit = keep,
                                .nonce = nonce};
}

static void tear_down(void)
{
    dc_apps_free(&f.apps);
    dc_effects_free(&f.out);
    town_free(f.t);
}

static const struct dc_effect *noted(uint32_t note)
{
    for (uint32_t i = 0; i < f.out.count; i++)
        if (f.out.list[i].kind == DC_EFFECT_NOTE && f.out.list[i].timer == note)
            return &f.out.list[i];
    return NULL;
}

static void call(uint8_t kind, uint32_t number)
{
    static const uint32_t others[] = {CLIENT, 1, 2};
    struct dc_app_call app = {.kind = kind,
                              .role = DC_APP_PARTICIPANT,
                              .number = number,
                              .owner = 0,
                              .tag = 77,
                              .close = 9,
                              .end = 20,
                              .node = 1,
                              .count = 3,
                              .participant = others,
                              .rounds = 1,
                              .features = 2,
                              .samples = 2};
    struct dc_call c = {.kind = DC_CALL_APP, .app = &app};
    struct dc_input in = {.kind = DC_INPUT_CALL, .call = &c, .now_ns = 1};
    dc_effects_clear(&f.out);
    dc_apps_call(&f.apps, &f.env, &in, &f.out);
}

/* Whatever is sent is read again as it was; no other bytes are. */
static void test_messages(void)
{
    struct dc_engagement g = {.call = {.kind = DC_APP_TRAINING, .number = 0x01020304}};
    struct dc_effects out = {0};
    static const uint8_t body[] = {9, 8, 7};
    struct dc_app_message m;
    dc_app_send(&g, 5, 6, body, sizeof body, &out);
    CU_ASSERT_EQUAL_FATAL(out.count, 1);
    const struct dc_effect *e = &out.list[0];
    CU_ASSERT(e->kind == DC_EFFECT_SEND && e->to == 5 && e->size == DC_APP_HEAD_BYTES + 3);
    CU_ASSERT_TRUE_FATAL(dc_app_message_decode(e->bytes, e->size, &m));
    CU_ASSERT(m.kind == DC_APP_TRAINING && m.number == 0x01020304 && m.step == 6 && m.size == 3 &&
              memcmp(m.body, body, 3) == 0);
    uint8_t bytes[DC_APP_HEAD_BYTES];
    memcpy(bytes, e->bytes, sizeof bytes);
    CU_ASSERT_TRUE(dc_app_message_decode(bytes, sizeof bytes, &m) && m.size == 0);
    for (size_t size = 0; size < sizeof bytes; size++)
        CU_ASSERT_FALSE(dc_app_message_decode(bytes, size, &m));
    for (unsigned kind = 0; kind < 256; kind++) {
        bytes[1] = (uint8_t)kind;
        CU_ASSERT_EQUAL(dc_app_message_decode(bytes, sizeof bytes, &m), kind < DC_APP_KINDS);
    }
    bytes[1] = 0;
    bytes[0] = DC_MSG_TX;
    CU_ASSERT_FALSE(dc_app_message_decode(bytes, sizeof bytes, &m));
    uint8_t *large = dc_mem_need(1, DC_APP_HEAD_BYTES + DC_APP_BODY_BYTES_MAX + 1, "a message");
    large[0] = DC_MSG_APP;
    CU_ASSERT_TRUE(dc_app_message_decode(large, DC_APP_HEAD_BYTES + DC_APP_BODY_BYTES_MAX, &m));
    CU_ASSERT_FALSE(
        dc_app_message_decode(large, DC_APP_HEAD_BYTES + DC_APP_BODY_BYTES_MAX + 1, &m));
    dc_mem_free(large);
    dc_effects_free(&out);
}

/* Eight places, and no more; a part that is over gives its place back. */
static void test_places(void)
{
    set_up();
    for (uint32_t i = 0; i < DC_APPS_MAX; i++) {
        call(DC_APP_AUCTION, i);
        CU_ASSERT_PTR_NULL(noted(DC_NOTE_APP));
    }
    call(DC_APP_AUCTION, 99);
    const struct dc_effect *e = noted(DC_NOTE_APP);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT(e->a == ((uint64_t)DC_APP_AUCTION << 32 | 99) && e->b == DC_APP_REFUSED);
    dc_effects_clear(&f.out);
    dc_app_done(&f.apps.at[3], 42, &f.out);
    e = noted(DC_NOTE_APP);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT(e->a == ((uint64_t)DC_APP_AUCTION << 32 | 3) && e->b == 42);
    call(DC_APP_AUCTION, 100);
    CU_ASSERT_PTR_NULL(noted(DC_NOTE_APP));
    CU_ASSERT(f.apps.at[3].live && f.apps.at[3].call.number == 100 &&
              f.apps.at[3].contract == DC_CONTRACT_NEW);
    for (uint32_t i = 0; i < DC_APPS_MAX; i++) /* nothing points into what was lent for the call */
        CU_ASSERT(f.apps.at[i].call.participant == NULL ||
                  (f.apps.at[i].memory != NULL && f.apps.at[i].call.participant[0] == CLIENT));
    tear_down();
}

/* A kind that does not exist, and messages that nobody waits for, are refused and told. */
static void test_refused(void)
{
    set_up();
    call(DC_APP_KINDS, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(noted(DC_NOTE_APP));
    CU_ASSERT_EQUAL(noted(DC_NOTE_APP)->b, DC_APP_REFUSED);
    static const uint8_t bytes[][8] = {{DC_MSG_APP, DC_APP_AUCTION, 1, 0, 0, 0, 1, 0},
                                       {DC_MSG_APP, DC_APP_KINDS, 1, 0, 0, 0, 1, 0},
                                       {DC_MSG_APP, 255, 0, 0, 0, 0, 0, 0}};
    for (size_t i = 0; i < 3; i++) {
        struct letter *l = letter_make(bytes[i], sizeof bytes[i]);
        struct dc_input in = {.kind = DC_INPUT_MESSAGE, .from = 1, .payload = &l->payload};
        dc_effects_clear(&f.out);
        dc_apps_message(&f.apps, &f.env, &in, &f.out);
        CU_ASSERT_PTR_NOT_NULL(noted(DC_NOTE_REFUSED));
        letter_drop(l);
    }
    tear_down();
}

/* A call of the account: a nonce of its own, the least fee, its signature; by nobody: none of it. */
static void test_submit(void)
{
    static const uint8_t body[] = {1, 2, 3, 4};
    struct dc_engagement g = {.live = true};
    struct dc_tx tx;
    set_up();
    f.nonces = 5;
    dc_app_submit(&g, &f.env, 3, DC_CONTRACT_ESCROW, 1, body, sizeof body, &f.out);
    CU_ASSERT_TRUE_FATAL(f.submitted == 1 && dc_tx_decode(f.tx, f.tx_size, &tx));
    CU_ASSERT(tx.kind == DC_TX_CALL && tx.from == CLIENT && tx.call.nonce == 5 && f.nonces == 6 &&
              tx.call.fee == f.env.config->params->fee_private && tx.call.contract == 3 &&
              tx.call.kind == DC_CONTRACT_ESCROW && tx.call.method == 1 && tx.call.size == 4);
    struct dc_hash digest = dc_tx_digest(f.env.config->chain, f.tx, f.tx_size - DC_SIGNATURE_BYTES);
    CU_ASSERT_TRUE(dc_verify(f.env.config->crypto, f.env.config->key->public, digest.b,
                             sizeof digest.b, tx.signature));
    CU_ASSERT_EQUAL(f.out.charge[DC_COST_SIGN], 1);
    dc_app_submit_unnamed(&f.env, 3, DC_CONTRACT_ESCROW, 2, body, sizeof body, &f.out);
    CU_ASSERT_TRUE_FATAL(f.submitted == 2 && dc_tx_decode(f.tx, f.tx_size, &tx));
    CU_ASSERT(tx.from == DC_NOBODY && tx.signature == NULL && tx.call.fee == 0 && f.nonces == 6 &&
              f.out.charge[DC_COST_SIGN] == 1);
    CU_ASSERT_TRUE_FATAL(dc_app_under_way(&g)); /* the first one, as it was */
    CU_ASSERT(g.sent[0].nonce == 5 && g.sent[0].tries == 1 && g.sent[1].bytes == NULL);
    CU_ASSERT_TRUE(dc_tx_decode(g.sent[0].bytes, g.sent[0].size, &tx) && tx.call.nonce == 5);
    for (uint32_t i = 0; i < DC_APP_SENT_MAX + 3; i++) /* more than there are places for */
        dc_app_submit(&g, &f.env, 3, DC_CONTRACT_ESCROW, 1, body, sizeof body, &f.out);
    CU_ASSERT(f.submitted == 2 + DC_APP_SENT_MAX + 3);
    for (uint32_t i = 0; i < DC_APP_SENT_MAX; i++) {
        CU_ASSERT_EQUAL(g.sent[i].nonce, 5 + i);
        dc_mem_free(g.sent[i].bytes);
    }
    tear_down();
}

int main(void)
{
    static const struct test_case cases[] = {{"messages", test_messages},
                                             {"places", test_places},
                                             {"refused", test_refused},
                                             {"calls of contracts", test_submit}};
    return TEST_MAIN("client app", cases);
}

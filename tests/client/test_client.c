/* A client from within: what it sends, what it accepts, how often it tries, what it reports. */
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)
enum { HOLDER = 4, OTHER = 5, CLIENT = 7, CHUNKS = 10 };

/* One client on the genesis state of a town, and what it handed over for the chain. */
static struct fixture {
    struct town *t;
    struct dc_client c;
    struct dc_client_config config;
    struct dc_client_env env;
    struct dc_effects out;
    uint32_t submitted;
    uint8_t tx[600];
    size_t tx_size;
} f;

static void keep_submitted(void *ctx, const uint8_t *bytes, size_t size, struct dc_effects *out)
{
    CU_ASSERT_TRUE_FATAL(size <= sizeof f.tx);
    memcpy(f.tx, bytes, size);
    f.tx_size = size;
    f.submitted++;
}

static void set_up(uint32_t retries)
{
    struct town_spec spec = {
        .validators = 4, .services = 3, .clients = 1, .deal_bytes = CHUNKS * 4096};
    memset(&f, 0, sizeof f);
    f.t = town_make(&spec);
    f.config = *f.t->node[CLIENT]->client_config;
    f.config.retries = retries;
    f.config.timeout_ns = SECOND;
    f.env = (struct dc_client_env){&f.config, town_state(f.t, CLIENT), keep_submitted, NULL};
}

static void tear_down(void)
{
    dc_effects_free(&f.out);
    town_free(f.t);
}

static void call(bool put, uint64_t object, uint64_t size_bytes, int64_t now_ns)
{
    struct dc_call call = {
        .kind = put ? DC_CALL_PUT : DC_CALL_GET, .object = object, .size_bytes = size_bytes};
    struct dc_input in = {
        .kind = DC_INPUT_CALL, .call = &call, .now_ns = now_ns, .wall_ns = now_ns};
    dc_effects_clear(&f.out);
    dc_client_call(&f.c, &f.env, &in, &f.out);
}

static void hand(uint32_t from, const uint8_t *bytes, size_t size, int64_t now_ns)
{
    struct letter *l = letter_make(bytes, size);
    struct dc_input in = {.kind = DC_INPUT_MESSAGE,
                          .from = from,
                          .payload = &l->payload,
                          .now_ns = now_ns,
                          .wall_ns = now_ns};
    dc_effects_clear(&f.out);
    dc_client_message(&f.c, &f.env, &in, &f.out);
    letter_drop(l);
}

static void timer(uint64_t value, int64_t now_ns)
{
    struct dc_input in = {
        .kind = DC_INPUT_TIMER, .timer = value, .now_ns = now_ns, .wall_ns = now_ns};
    dc_effects_clear(&f.out);
    dc_client_timer(&f.c, &f.env, &in, &f.out);
}

/* The note of that kind among the effects: its b, or -1 when there is none. */
static int noted(uint32_t note)
{
    for (uint32_t i = 0; i < f.out.count; i++)
        if (f.out.list[i].kind == DC_EFFECT_NOTE && f.out.list[i].timer == note)
            return (int)f.out.list[i].b;
    return -1;
}

static const struct dc_effect *sent(uint8_t kind)
{
    for (uint32_t i = 0; i < f.out.count; i++)
        if (f.out.list[i].kind == DC_EFFECT_SEND && f.out.list[i].bytes[0] == kind)
            return &f.out.list[i];
    return NULL;
}

static uint32_t under_way(void)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < DC_CLIENT_REQUESTS_MAX; i++)
        n += f.c.request[i].id != 0;
    return n;
}

/* --- get -------------------------------------------------------------------------------------- */

/* The right reply to the request in slot 0, `edit` bytes changed afterwards. */
static size_t right_reply(uint8_t *out)
{
    const struct dc_client_request *q = &f.c.request[0];
    const struct dc_content *content = &f.t->object[q->deal];
    uint8_t chunk[DC_CHUNK_BYTES];
    struct dc_hash path[64];
    dc_content_chunk(content, q->chunk, chunk);
    dc_content_path(content, CHUNKS, q->chunk, path);
    return dc_get_reply_encode(q->id, DC_REPLY_OK, chunk, path, (uint8_t)dc_content_depth(CHUNKS),
                               out);
}

static void test_get(void)
{
    set_up(1);
    call(false, 1, 0, SECOND);
    const struct dc_effect *e = sent(DC_MSG_GET);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    uint64_t request, chunk;
    uint32_t deal;
    CU_ASSERT_TRUE(dc_get_decode(e->bytes, e->size, &request, &deal, &chunk));
    CU_ASSERT_EQUAL(deal, 1);
    CU_ASSERT_EQUAL(e->to, OTHER); /* who holds deal 1 */
    CU_ASSERT_TRUE(chunk < CHUNKS);
    uint8_t reply[8192];
    size_t size = right_reply(reply);
    hand(HOLDER, reply, size, SECOND + 1); /* not whom it asked */
    CU_ASSERT_EQUAL(noted(DC_NOTE_GET), -1);
    CU_ASSERT_EQUAL(under_way(), 1);
    hand(OTHER, reply, size, SECOND + 1000);
    CU_ASSERT_EQUAL(noted(DC_NOTE_GET), 1);
    CU_ASSERT_EQUAL(f.out.list[0].a, 1000);
    CU_ASSERT_EQUAL(under_way(), 0);
    hand(OTHER, reply, size, SECOND + 2000); /* again: nobody waits for it */
    CU_ASSERT_EQUAL(f.out.count, 0);
    CU_ASSERT_EQUAL(f.c.open.count, 1);
    CU_ASSERT_EQUAL(f.c.open.node[0].node, OTHER);
    CU_ASSERT_EQUAL(f.c.open.node[0].sent, 1);
    CU_ASSERT_EQUAL(f.c.open.node[0].ok, 1);
    CU_ASSERT_EQUAL(f.c.open.node[0].timely, 1);
    CU_ASSERT_EQUAL(f.c.open.node[0].paid, f.config.price_get);
    tear_down();
}

/* Wrong data, a wrong path, a wrong depth, a refusal: the request has failed and nothing is
 * paid. */
static void test_wrong_get(void)
{
    for (uint32_t i = 0; i < 5; i++) {
        set_up(1);
        call(false, 0, 0, SECOND);
        uint8_t reply[8192];
        size_t size = right_reply(reply);
        switch (i) {
        case 0: reply[11 + 100] ^= 1; break; /* a byte of the chunk */
        case 1: reply[size - 1] ^= 1; break; /* of the path */
        case 2: reply[11 + 4096] ^= 1; break;
        case 3: /* no chunk at all */
            size = dc_get_reply_encode(f.c.request[0].id, DC_REPLY_MISSING, NULL, NULL, 0, reply);
            break;
        default: { /* another chunk than asked for */
            uint64_t other = (f.c.request[0].chunk + 1) % CHUNKS;
            uint8_t chunk[DC_CHUNK_BYTES];
            struct dc_hash path[64];
            dc_content_chunk(&f.t->object[0], other, chunk);
            dc_content_path(&f.t->object[0], CHUNKS, other, path);
            dc_get_reply_encode(f.c.request[0].id, DC_REPLY_OK, chunk, path,
                                (uint8_t)dc_content_depth(CHUNKS), reply);
        }
        }
        hand(HOLDER, reply, size, SECOND + 1000);
        CU_ASSERT_EQUAL(noted(DC_NOTE_GET), 0);
        CU_ASSERT_EQUAL(f.c.open.node[0].sent, 1);
        CU_ASSERT_EQUAL(f.c.open.node[0].ok, 0);
        CU_ASSERT_EQUAL(f.c.open.node[0].paid, 0);
        tear_down();
    }
    set_up(1); /* a reply that does not decode is refused and counted; the request goes on */
    call(false, 0, 0, SECOND);
    uint8_t junk[40] = {DC_MSG_GET_REPLY, 1, 2, 3};
    hand(HOLDER, junk, sizeof junk, SECOND + 1);
    CU_ASSERT_TRUE(noted(DC_NOTE_REFUSED) >= 0);
    CU_ASSERT_EQUAL(under_way(), 1);
    tear_down();
}

static void test_retries(void)
{
    set_up(2);
    call(false, 0, 0, 0);
    uint64_t id = f.c.request[0].id;
    timer(id, SECOND - 1); /* early */
    CU_ASSERT_EQUAL(f.out.count, 0);
    for (int64_t i = 1; i <= 2; i++) {
        timer(id, i * SECOND);
        CU_ASSERT_PTR_NOT_NULL(sent(DC_MSG_GET));
        CU_ASSERT_EQUAL(noted(DC_NOTE_GET), -1);
        timer(id, i * SECOND); /* the same moment again: a later try is under way */
        CU_ASSERT_EQUAL(f.out.count, 0);
    }
    timer(id, 3 * SECOND);
    CU_ASSERT_PTR_NULL(sent(DC_MSG_GET));
    CU_ASSERT_EQUAL(noted(DC_NOTE_GET), 0);
    CU_ASSERT_EQUAL(under_way(), 0);
    timer(id, 4 * SECOND);
    timer(0, 4 * SECOND);
    timer(UINT64_MAX, 4 * SECOND);
    CU_ASSERT_EQUAL(f.out.count, 0);
    tear_down();
}

/* A late answer is an answer, but not a timely one. */
static void test_late(void)
{
    set_up(1);
    call(false, 0, 0, 0);
    uint8_t reply[8192];
    size_t size = right_reply(reply);
    hand(HOLDER, reply, size, SECOND / 2 + 1);
    CU_ASSERT_EQUAL(noted(DC_NOTE_GET), 1);
    CU_ASSERT_EQUAL(f.c.open.node[0].ok, 1);
    CU_ASSERT_EQUAL(f.c.open.node[0].timely, 0);
    tear_down();
}

static void test_limit(void)
{
    set_up(1);
    for (uint32_t i = 0; i < DC_CLIENT_REQUESTS_MAX; i++) {
        call(false, i, 0, SECOND);
        CU_ASSERT_PTR_NOT_NULL(sent(DC_MSG_GET));
    }
    CU_ASSERT_EQUAL(under_way(), DC_CLIENT_REQUESTS_MAX);
    call(false, 1, 0, SECOND); /* one too many fails at once */
    CU_ASSERT_PTR_NULL(sent(DC_MSG_GET));
    CU_ASSERT_EQUAL(noted(DC_NOTE_GET), 0);
    uint64_t id = f.c.request[3].id;
    timer(id, 2 * SECOND);
    timer(id, 3 * SECOND); /* given up: there is room again */
    CU_ASSERT_EQUAL(under_way(), DC_CLIENT_REQUESTS_MAX - 1);
    call(false, 1, 0, SECOND);
    CU_ASSERT_PTR_NOT_NULL(sent(DC_MSG_GET));
    tear_down();
}

/* --- put -------------------------------------------------------------------------------------- */

static void test_put(void)
{
    set_up(1);
    call(true, 9, 50000, SECOND);
    const struct dc_effect *e = sent(DC_MSG_PUT);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    uint64_t request;
    struct dc_hash seed;
    struct dc_put_terms terms;
    CU_ASSERT_TRUE_FATAL(dc_put_decode(e->bytes, e->size, &request, &seed, &terms));
    CU_ASSERT_EQUAL(e->bulk, 50000);
    CU_ASSERT_EQUAL(terms.node, e->to);
    CU_ASSERT_EQUAL(terms.size_bytes, 50000);
    CU_ASSERT_TRUE(e->to >= 4 && e->to < 7);
    struct dc_content content;
    dc_content_init(&content, &seed);
    struct dc_hash root = dc_content_root(&content, dc_chunks_of(50000));
    CU_ASSERT_TRUE(dc_hash_equal(&root, &terms.root));
    uint32_t node = e->to;
    /* The node countersigns; the deal goes on chain, signed by both. */
    uint8_t signature[64], reply[DC_PUT_REPLY_BYTES];
    struct dc_hash digest = dc_deal_digest(TOWN_CHAIN, CLIENT, &terms);
    dc_sign(&f.t->crypto, &f.t->set.sign[node], digest.b, 32, signature);
    size_t size = dc_put_reply_encode(request, DC_REPLY_OK, signature, reply);
    hand(node == HOLDER ? OTHER : HOLDER, reply, size, SECOND + 5); /* from another: nothing */
    CU_ASSERT_EQUAL(f.submitted, 0);
    hand(node, reply, size, SECOND + 10);
    CU_ASSERT_EQUAL(noted(DC_NOTE_PUT), 1);
    CU_ASSERT_EQUAL_FATAL(f.submitted, 1);
    struct dc_tx tx;
    CU_ASSERT_TRUE_FATAL(dc_tx_decode(f.tx, f.tx_size, &tx));
    CU_ASSERT_EQUAL(tx.kind, DC_TX_DEAL);
    CU_ASSERT_EQUAL(tx.from, CLIENT);
    CU_ASSERT_EQUAL(tx.deal.node, node);
    CU_ASSERT_EQUAL(tx.deal.size_bytes, 50000);
    CU_ASSERT_EQUAL(memcmp(tx.deal.node_signature, signature, 64), 0);
    struct dc_hash own = dc_tx_digest(TOWN_CHAIN, f.tx, f.tx_size - 64);
    CU_ASSERT_TRUE(dc_verify(&f.t->crypto, f.t->set.sign[CLIENT].public, own.b, 32, tx.signature));
    CU_ASSERT_EQUAL(f.c.open.count, 0); /* quality is about gets */
    tear_down();
}

static void test_wrong_put(void)
{
    for (uint32_t i = 0; i < 3; i++) {
        set_up(1);
        call(true, 9, 50000, SECOND);
        uint64_t id = f.c.request[0].id;
        uint32_t node = f.c.request[0].node;
        uint8_t signature[64] = {1}, reply[DC_PUT_REPLY_BYTES];
        struct dc_hash digest = {{7}};
        dc_sign(&f.t->crypto, &f.t->set.sign[node], digest.b, 32,
                signature); /* of something else */
        size_t size =
            dc_put_reply_encode(id, i == 0 ? DC_REPLY_REFUSED : DC_REPLY_OK, signature, reply);
        if (i == 2)
            timer(id, 2 * SECOND); /* no answer: a put is not tried again */
        else
            hand(node, reply, size, SECOND + 10);
        CU_ASSERT_EQUAL(noted(DC_NOTE_PUT), 0);
        CU_ASSERT_EQUAL(f.submitted, 0);
        CU_ASSERT_EQUAL(under_way(), 0);
        tear_down();
    }
    set_up(1);
    call(true, 9, UINT64_MAX / 2, SECOND); /* larger than any node */
    CU_ASSERT_PTR_NULL(sent(DC_MSG_PUT));
    CU_ASSERT_EQUAL(under_way(), 0);
    tear_down();
}

/* Each put has a nonce of its own, above the account's. */
static void test_nonces(void)
{
    set_up(1);
    uint64_t last = 0;
    for (uint64_t i = 0; i < 5; i++) {
        call(true, i, 5000, SECOND);
        uint64_t nonce = f.c.request[i].nonce;
        CU_ASSERT_TRUE(i == 0 || nonce == last + 1);
        last = nonce;
    }
    tear_down();
}

/* Replicas go to distinct nodes, under nonces of their own. */
static void test_replicas(void)
{
    set_up(1);
    f.config.replicas = 3;
    call(true, 4, 5000, SECOND);
    CU_ASSERT_EQUAL_FATAL(under_way(), 3);
    const struct dc_client_request *q = f.c.request;
    CU_ASSERT_TRUE(q[0].node != q[1].node && q[0].node != q[2].node && q[1].node != q[2].node);
    CU_ASSERT_TRUE(q[0].nonce != q[1].nonce && q[1].nonce != q[2].nonce);
    tear_down();
}

/* --- reports ---------------------------------------------------------------------------------- */

/* Ends the client's epoch and lives through the next one up to where the reports leave: it is shown
 * every block's state.  The effects are those of the block at which something was sent. */
static void end_epoch(void)
{
    uint64_t epoch = f.c.open.epoch + 1;
    for (int i = 0; i < 1000 && dc_state_meta(f.env.state)->epoch <= epoch; i++) {
        uint64_t height = f.t->height[0];
        while (f.t->height[0] == height)
            town_run(f.t, f.t->now_ns + SECOND / 100);
        f.env.state = town_state(f.t, 0);
        dc_effects_clear(&f.out);
        dc_client_commit(&f.c, &f.env, 0, &f.out);
        if (f.out.count != 0)
            return;
    }
}

static void test_reports(void)
{
    set_up(0);
    uint8_t reply[8192];
    for (uint32_t i = 0; i < 4; i++) { /* four gets from one node, one of them wrong */
        call(false, 0, 0, 0);
        size_t size = right_reply(reply);
        reply[50] ^= i == 2;
        hand(HOLDER, reply, size, 10);
    }
    call(false, 1, 0, 0); /* and one from another that does not answer */
    timer(f.c.request[0].id, SECOND);
    CU_ASSERT_EQUAL(f.c.open.count, 2);
    dc_effects_clear(&f.out);
    dc_client_commit(&f.c, &f.env, 0, &f.out); /* the same epoch: nothing yet */
    CU_ASSERT_EQUAL(f.out.count, 0);
    end_epoch();
    CU_ASSERT_EQUAL_FATAL(f.out.count, 2);
    struct dc_report_terms t[2];
    for (uint32_t i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(dc_receipt_decode(f.out.list[i].bytes, f.out.list[i].size, &t[i]));
        CU_ASSERT_EQUAL(f.out.list[i].to, t[i].node);
        CU_ASSERT_EQUAL(t[i].client, CLIENT);
        CU_ASSERT_EQUAL(t[i].epoch, 0);
    }
    CU_ASSERT_EQUAL(t[0].node, HOLDER);
    CU_ASSERT_TRUE(t[0].sent == 4 && t[0].ok == 3 && t[0].timely == 3);
    CU_ASSERT_EQUAL(t[0].paid, 3 * f.config.price_get);
    CU_ASSERT_TRUE(t[1].node == OTHER && t[1].sent == 1 && t[1].ok == 0 && t[1].paid == 0);
    /* Countersigned, it goes on chain: once. */
    uint8_t bytes[DC_RECEIPT_REPLY_BYTES], signature[64];
    struct dc_hash digest = dc_report_digest(TOWN_CHAIN, &t[0]);
    dc_sign(&f.t->crypto, &f.t->set.sign[HOLDER], digest.b, 32, signature);
    size_t size = dc_receipt_reply_encode(&t[0], signature, bytes);
    hand(OTHER, bytes, size, 0); /* not by whom it is about */
    CU_ASSERT_EQUAL(f.submitted, 0);
    CU_ASSERT_TRUE(noted(DC_NOTE_REFUSED) >= 0);
    hand(HOLDER, bytes, size, 0);
    CU_ASSERT_EQUAL_FATAL(f.submitted, 1);
    struct dc_tx tx;
    CU_ASSERT_TRUE_FATAL(dc_tx_decode(f.tx, f.tx_size, &tx));
    CU_ASSERT_EQUAL(tx.kind, DC_TX_RECEIPT);
    CU_ASSERT_TRUE(tx.receipt.node == HOLDER && tx.receipt.sent == 4 && tx.receipt.ok == 3);
    hand(HOLDER, bytes, size, 0);
    CU_ASSERT_EQUAL(f.submitted, 1);
    tear_down();
}

/* A node cannot make a client report what the client did not say: other numbers, another epoch, a
 * client that never used it. */
static void test_invented(void)
{
    set_up(0);
    uint8_t reply[8192], bytes[DC_RECEIPT_REPLY_BYTES], signature[64];
    call(false, 0, 0, 0);
    size_t size = right_reply(reply);
    hand(HOLDER, reply, size, 10);
    end_epoch();
    struct dc_report_terms right;
    CU_ASSERT_TRUE_FATAL(dc_receipt_decode(f.out.list[0].bytes, f.out.list[0].size, &right));
    for (uint32_t i = 0; i < 7; i++) {
        struct dc_report_terms t = right;
        switch (i) {
        case 0: t.paid += 1; break;
        case 1: t.sent += 10; break;
        case 2: t.ok += 1; break;
        case 3: t.timely = 0; break;
        case 4: t.epoch += 1; break;
        case 5: t.client = 0; break;
        default: t.node = OTHER; /* one that it never asked for anything */
        }
        struct dc_hash digest = dc_report_digest(TOWN_CHAIN, &t);
        dc_sign(&f.t->crypto, &f.t->set.sign[t.node], digest.b, 32, signature);
        size = dc_receipt_reply_encode(&t, signature, bytes);
        hand(t.node, bytes, size, 0);
        CU_ASSERT_EQUAL(f.submitted, 0);
        CU_ASSERT_TRUE(noted(DC_NOTE_REFUSED) >= 0);
    }
    tear_down();
}

/* More nodes than there is room for: the first are reported, nothing else happens; and what was not
 * countersigned for an epoch is given up. */
static void test_reports_limit(void)
{
    set_up(0);
    f.c.open.count = DC_CLIENT_REPORTS_MAX;
    for (uint32_t i = 0; i < DC_CLIENT_REPORTS_MAX; i++)
        f.c.open.node[i] = (struct dc_client_report){.node = 1000 + i, .sent = 1};
    uint8_t reply[8192];
    call(false, 0, 0, 0);
    size_t size = right_reply(reply);
    hand(HOLDER, reply, size, 10);
    CU_ASSERT_EQUAL(noted(DC_NOTE_GET), 1);
    CU_ASSERT_EQUAL(f.c.open.count, DC_CLIENT_REPORTS_MAX);
    end_epoch();
    CU_ASSERT_EQUAL(f.out.count, DC_CLIENT_REPORTS_MAX);
    CU_ASSERT_EQUAL(f.c.open.count, 0);
    CU_ASSERT_EQUAL(f.c.closed.count, DC_CLIENT_REPORTS_MAX);
    end_epoch(); /* in the next epoch nothing was done, and nobody had countersigned */
    CU_ASSERT_EQUAL(f.out.count, 0);
    CU_ASSERT_EQUAL(f.c.closed.count, 0);
    tear_down();
}

/* --- metering --------------------------------------------------------------------------------- */

static void meter(uint64_t deal, uint64_t paid_bytes)
{
    struct dc_call call = {.kind = DC_CALL_METER, .object = deal, .size_bytes = paid_bytes};
    struct dc_input in = {.kind = DC_INPUT_CALL, .call = &call};
    dc_effects_clear(&f.out);
    dc_client_call(&f.c, &f.env, &in, &f.out);
    CU_ASSERT_EQUAL(f.out.count, 0); /* nothing is sent to a holder, and nothing noted */
    CU_ASSERT_EQUAL(under_way(), 0);
}

static void test_meter(void)
{
    set_up(0);
    const uint64_t size = CHUNKS * 4096;
    const uint64_t nonce = dc_state_account(f.env.state, CLIENT)->nonce;
    struct dc_tx tx;
    for (uint32_t i = 0; i < 3; i++) {
        static const uint64_t paid[] = {1000, 0, CHUNKS * 4096 - 1};
        meter(i, paid[i]);
        CU_ASSERT_EQUAL_FATAL(f.submitted, i + 1);
        CU_ASSERT_EQUAL(f.out.charge[DC_COST_SIGN], 1);
        CU_ASSERT_TRUE_FATAL(dc_tx_decode(f.tx, f.tx_size, &tx));
        CU_ASSERT_EQUAL(tx.kind, DC_TX_METER);
        CU_ASSERT_EQUAL(tx.from, CLIENT);
        CU_ASSERT_EQUAL(tx.meter.nonce, nonce + i);
        CU_ASSERT_EQUAL(tx.meter.deal, i);
        CU_ASSERT_EQUAL(tx.meter.paid_bytes, paid[i]);
        struct dc_hash digest = dc_tx_digest(TOWN_CHAIN, f.tx, f.tx_size - DC_SIGNATURE_BYTES);
        CU_ASSERT_TRUE(
            dc_verify(&f.t->crypto, f.t->set.sign[CLIENT].public, digest.b, 32, tx.signature));
    }
    meter(0, size);              /* as it is */
    meter(0, size + 1);          /* more than there is */
    meter(3, 5);                 /* no such deal */
    meter((uint64_t)1 << 32, 5); /* nor that */
    f.config.id = 0;             /* another's deal */
    meter(0, 5);
    CU_ASSERT_EQUAL(f.submitted, 3);
    tear_down();
}

/* It reaches the chain: from then on the deal counts for what is paid. */
static void test_meter_on_chain(void)
{
    set_up(0);
    town_run(f.t, 3 * SECOND);
    uint64_t before = dc_state_account(town_state(f.t, 0), HOLDER)->used_bytes;
    struct dc_call call = {.kind = DC_CALL_METER, .object = 0, .size_bytes = 4096};
    town_call(f.t, CLIENT, f.t->now_ns + 1, call);
    town_run(f.t, f.t->now_ns + 6 * SECOND);
    const struct dc_state *state = town_state(f.t, 0);
    CU_ASSERT_EQUAL(dc_state_deal(state, 0)->paid_bytes, 4096);
    CU_ASSERT_EQUAL(dc_state_account(state, HOLDER)->used_bytes, before - (CHUNKS - 1) * 4096);
    CU_ASSERT_EQUAL(dc_state_account(state, CLIENT)->nonce, 1);
    tear_down();
}

/* --- placement -------------------------------------------------------------------------------- */

static void test_place(void)
{
    struct town_spec spec = {.validators = 4, .services = 30, .clients = 2};
    struct town *t = town_make(&spec);
    const struct dc_state *s = town_state(t, 0);
    uint32_t first[34] = {0};
    for (uint64_t key = 1; key <= 3000; key++) {
        uint32_t node[8];
        for (uint32_t rank = 0; rank < 8; rank++) {
            node[rank] = dc_client_place(s, dc_mix64(key), 4096, rank);
            CU_ASSERT_TRUE_FATAL(node[rank] >= 4 && node[rank] < 34); /* service nodes alone */
            for (uint32_t i = 0; i < rank; i++)
                CU_ASSERT_NOT_EQUAL(node[i], node[rank]);
        }
        CU_ASSERT_EQUAL(dc_client_place(s, dc_mix64(key), 4096, 0), node[0]);
        first[node[0]]++;
    }
    for (uint32_t n = 4; n < 34; n++) /* spread evenly over equals: a hundred each, give or take */
        CU_ASSERT_TRUE(first[n] > 55 && first[n] < 160);
    CU_ASSERT_EQUAL(dc_client_place(s, 1, TOWN_CAPACITY + 1, 0), UINT32_MAX);
    town_free(t);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"get", test_get},
        {"wrong answers to a get", test_wrong_get},
        {"retries", test_retries},
        {"late answers", test_late},
        {"limit", test_limit},
        {"put", test_put},
        {"wrong answers to a put", test_wrong_put},
        {"nonces", test_nonces},
        {"replicas", test_replicas},
        {"reports", test_reports},
        {"invented reports", test_invented},
        {"too many reports", test_reports_limit},
        {"meter", test_meter},
        {"meter on chain", test_meter_on_chain},
        {"placement", test_place},
    };
    return TEST_MAIN("client", cases);
}

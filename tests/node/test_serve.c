/* The storage service from within: puts, gets, receipts and challenges, right ones and wrong
 * ones. */
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)

static struct town *town_of(uint64_t capacity_bytes)
{
    struct town_spec spec = {.validators = 4,
                             .services = 2,
                             .clients = 1,
                             .deal_bytes = 10 * 4096,
                             .capacity_bytes = capacity_bytes};
    spec.missing[5] = DC_ONE; /* the second service node has an empty disk */
    struct town *t = town_make(&spec);
    town_run(t, 3 * SECOND);
    return t;
}
enum { GOOD = 4, EMPTY = 5, CLIENT = 6 };

/* --- put -------------------------------------------------------------------------------------- */

struct put {
    struct dc_hash seed;
    struct dc_put_terms terms;
};

static struct put put_of(const struct town *t, uint64_t size_bytes)
{
    struct put p = {.seed = dc_object_seed(t->set.sign[CLIENT].public, 77)};
    struct dc_content c;
    dc_content_init(&c, &p.seed);
    p.terms = (struct dc_put_terms){.nonce = 1,
                                    .size_bytes = size_bytes,
                                    .price = 5,
                                    .node = GOOD,
                                    .epochs = 3,
                                    .root = dc_content_root(&c, dc_chunks_of(size_bytes))};
    return p;
}

/* The status of the reply, or -1 when there was none. */
static int put_hand(struct town *t, uint32_t node, const struct put *p, const uint8_t **signature)
{
    uint8_t bytes[DC_PUT_BYTES], status;
    uint64_t request;
    size_t size = dc_put_encode(9, &p->seed, &p->terms, bytes);
    town_hand(t, node, CLIENT, bytes, size);
    const struct dc_effect *e = town_sends(t, DC_MSG_PUT_REPLY);
    if (e == NULL)
        return -1;
    CU_ASSERT_EQUAL(e->to, CLIENT);
    CU_ASSERT_TRUE_FATAL(dc_put_reply_decode(e->bytes, e->size, &request, &status, signature));
    CU_ASSERT_EQUAL(request, 9);
    return status;
}

static void test_put(void)
{
    struct town *t = town_of(0);
    const uint8_t *signature;
    struct dc_storage *s = &t->node[GOOD]->service->storage;
    uint32_t held = s->held_count;
    struct put p = put_of(t, 100000);
    CU_ASSERT_EQUAL(put_hand(t, GOOD, &p, &signature), DC_REPLY_OK);
    struct dc_hash digest = dc_deal_digest(TOWN_CHAIN, CLIENT, &p.terms);
    CU_ASSERT_TRUE(dc_verify(&t->crypto, t->set.sign[GOOD].public, digest.b, 32, signature));
    CU_ASSERT_TRUE(t->out.charge[DC_COST_SIGN] == 1 && t->out.charge[DC_COST_HASH] > 0);
    CU_ASSERT_EQUAL(s->held_count, held + 1);

    struct put wrong = p;
    wrong.terms.node = EMPTY; /* meant for another */
    CU_ASSERT_EQUAL(put_hand(t, GOOD, &wrong, &signature), DC_REPLY_REFUSED);
    wrong = p;
    wrong.terms.root.b[3] ^= 1; /* not what was sent */
    CU_ASSERT_EQUAL(put_hand(t, GOOD, &wrong, &signature), DC_REPLY_REFUSED);
    wrong = p;
    wrong.seed.b[0] ^= 1;
    CU_ASSERT_EQUAL(put_hand(t, GOOD, &wrong, &signature), DC_REPLY_REFUSED);
    wrong = put_of(t, 0);
    CU_ASSERT_EQUAL(put_hand(t, GOOD, &wrong, &signature), DC_REPLY_REFUSED);
    wrong = put_of(t, UINT64_MAX);
    CU_ASSERT_EQUAL(put_hand(t, GOOD, &wrong, &signature), DC_REPLY_REFUSED);
    wrong = p;
    wrong.terms.node = EMPTY; /* a disk that holds nothing declines */
    CU_ASSERT_EQUAL(put_hand(t, EMPTY, &wrong, &signature), DC_REPLY_REFUSED);
    town_free(t);
}

/* No room: to the chunk. */
static void test_room(void)
{
    struct town *t = town_of(64 << 20);
    const uint8_t *signature;
    uint64_t free_chunks = (64 << 20) / DC_CHUNK_BYTES - 10; /* ten are under the deal of genesis */
    CU_ASSERT_EQUAL(dc_state_account(town_state(t, GOOD), GOOD)->used_chunks, 10);
    struct put p = put_of(t, (free_chunks + 1) * DC_CHUNK_BYTES);
    CU_ASSERT_EQUAL(put_hand(t, GOOD, &p, &signature), DC_REPLY_REFUSED);
    p = put_of(t, free_chunks * DC_CHUNK_BYTES + 1);
    CU_ASSERT_EQUAL(put_hand(t, GOOD, &p, &signature), DC_REPLY_REFUSED);
    p = put_of(t, free_chunks * DC_CHUNK_BYTES);
    CU_ASSERT_EQUAL(put_hand(t, GOOD, &p, &signature), DC_REPLY_OK);
    town_free(t);
}

/* --- get -------------------------------------------------------------------------------------- */

static int get_hand(struct town *t, uint32_t node, uint32_t deal, uint64_t chunk, bool *right)
{
    uint8_t bytes[DC_GET_BYTES], status, depth;
    uint64_t request;
    const uint8_t *data, *path;
    size_t size = dc_get_encode(3, deal, chunk, bytes);
    town_hand(t, node, CLIENT, bytes, size);
    const struct dc_effect *e = town_sends(t, DC_MSG_GET_REPLY);
    if (e == NULL)
        return -1;
    CU_ASSERT_TRUE_FATAL(
        dc_get_reply_decode(e->bytes, e->size, &request, &status, &data, &path, &depth));
    CU_ASSERT_EQUAL(request, 3);
    *right = status == DC_REPLY_OK && depth == dc_content_depth(10) &&
             dc_content_check(&t->deal[deal].root, 10, chunk, data, path);
    return status;
}

static void test_get(void)
{
    struct town *t = town_of(0);
    bool right;
    for (uint64_t chunk = 0; chunk < 10; chunk++) {
        CU_ASSERT_EQUAL(get_hand(t, GOOD, 0, chunk, &right), DC_REPLY_OK);
        CU_ASSERT_TRUE(right);
        CU_ASSERT_EQUAL(t->out.charge[DC_COST_CHUNK], 1);
    }
    CU_ASSERT_EQUAL(get_hand(t, GOOD, 0, 10, &right), DC_REPLY_MISSING); /* beyond its end */
    CU_ASSERT_EQUAL(get_hand(t, GOOD, 0, UINT64_MAX, &right), DC_REPLY_MISSING);
    CU_ASSERT_EQUAL(get_hand(t, GOOD, 1, 0, &right), DC_REPLY_MISSING); /* another's deal */
    CU_ASSERT_EQUAL(get_hand(t, GOOD, 500, 0, &right), DC_REPLY_MISSING);
    CU_ASSERT_EQUAL(get_hand(t, EMPTY, 1, 0, &right), DC_REPLY_MISSING); /* an empty disk */
    town_free(t);
}

/* --- receipts --------------------------------------------------------------------------------- */

static bool receipt_hand(struct town *t, const struct dc_report_terms *terms,
                         const uint8_t **signature)
{
    uint8_t bytes[DC_RECEIPT_BYTES];
    struct dc_report_terms back;
    size_t size = dc_receipt_encode(terms, bytes);
    town_hand(t, GOOD, CLIENT, bytes, size);
    const struct dc_effect *e = town_sends(t, DC_MSG_RECEIPT_REPLY);
    return e != NULL && dc_receipt_reply_decode(e->bytes, e->size, &back, signature) &&
           memcmp(&back, terms, offsetof(struct dc_report_terms, timely)) == 0;
}

static void test_receipt(void)
{
    struct town *t = town_of(0);
    const uint8_t *signature;
    struct dc_report_terms terms = {
        .epoch = 0, .paid = 10, .client = CLIENT, .node = GOOD, .sent = 5, .ok = 4, .timely = 3};
    CU_ASSERT_TRUE_FATAL(receipt_hand(t, &terms, &signature));
    struct dc_hash digest = dc_report_digest(TOWN_CHAIN, &terms);
    CU_ASSERT_TRUE(dc_verify(&t->crypto, t->set.sign[GOOD].public, digest.b, 32, signature));
    struct dc_report_terms wrong = terms;
    wrong.client = 0; /* somebody else's */
    CU_ASSERT_FALSE(receipt_hand(t, &wrong, &signature));
    CU_ASSERT_EQUAL(town_noted(t, DC_NOTE_REFUSED), 1);
    wrong = terms;
    wrong.node = EMPTY; /* about somebody else */
    CU_ASSERT_FALSE(receipt_hand(t, &wrong, &signature));
    CU_ASSERT_EQUAL(town_noted(t, DC_NOTE_REFUSED), 1);
    town_free(t);
}

/* --- challenges ------------------------------------------------------------------------------- */

static void challenge_hand(struct town *t, uint32_t node, uint32_t from, uint64_t height,
                           uint8_t asking)
{
    uint8_t bytes[DC_CHALLENGE_BYTES];
    size_t size = dc_challenge_encode(height, asking, bytes);
    town_hand(t, node, from, bytes, size);
}

/* The challenge that stands in the account of `node`, run until there is one. */
static const struct dc_challenge *challenge_of(struct town *t, uint32_t node)
{
    for (int i = 0; i < 400; i++) {
        const struct dc_challenge *c =
            &dc_state_account(town_state(t, node), node)->posync.challenge;
        if (c->height != 0 && c->verifiers > 0)
            return c;
        town_run(t, t->now_ns + SECOND / 10);
    }
    CU_FAIL_FATAL("no challenge was drawn");
    return NULL;
}

static void test_challenge(void)
{
    struct town *t = town_of(0);
    struct dc_challenge c = *challenge_of(t, GOOD);
    struct dc_answer_msg m;
    challenge_hand(t, GOOD, c.verifier[0], c.height, c.asking);
    const struct dc_effect *e = town_sends(t, DC_MSG_ANSWER);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT_EQUAL(e->to, c.verifier[0]);
    CU_ASSERT_TRUE_FATAL(dc_answer_decode(TOWN_CHAIN, e->bytes, e->size, &m));
    CU_ASSERT_EQUAL(m.height, c.height);
    CU_ASSERT_EQUAL(m.node, GOOD);
    CU_ASSERT_TRUE(dc_verify(&t->crypto, t->set.sign[GOOD].public, m.digest.b, 32, m.signature));
    uint64_t sample[256];
    const struct dc_block *f = dc_node_block_at(t->node[GOOD], c.f_height);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    dc_posync_samples(&c.nonce, TOWN_CAPACITY / DC_CHUNK_BYTES, c.k, sample);
    CU_ASSERT_TRUE(dc_storage_check(f->state, GOOD, sample, c.k, m.storage, m.storage_size));
    struct dc_hash root = dc_state_root(f->state);
    CU_ASSERT_TRUE(dc_state_prove_check(&root, dc_state_sync_account(f->state, &c.nonce), m.sync,
                                        m.sync_size));
    /* Every verifier gets the same bytes; whoever was not drawn gets none. */
    uint8_t *copy = malloc(e->size);
    uint32_t size = e->size;
    memcpy(copy, e->bytes, size);
    for (uint32_t v = 0; v < t->validators; v++) {
        bool drawn = false;
        for (uint32_t i = 0; i < c.verifiers; i++)
            drawn = drawn || c.verifier[i] == v;
        challenge_hand(t, GOOD, v, c.height, c.asking);
        e = town_sends(t, DC_MSG_ANSWER);
        CU_ASSERT_EQUAL(e != NULL, drawn);
        if (e != NULL)
            CU_ASSERT_TRUE(e->size == size && memcmp(e->bytes, copy, size) == 0);
    }
    free(copy);
    /* Another height or asking than the chain's is not answered. */
    challenge_hand(t, GOOD, c.verifier[0], c.height - 1, c.asking);
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_ANSWER));
    challenge_hand(t, GOOD, c.verifier[0], c.height, (uint8_t)(c.asking + 1));
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_ANSWER));
    town_free(t);
}

static void test_challenge_empty(void)
{
    struct town *t = town_of(0);
    struct dc_challenge c = *challenge_of(t, EMPTY);
    challenge_hand(t, EMPTY, c.verifier[0], c.height, c.asking);
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_ANSWER)); /* nothing to show */
    CU_ASSERT_EQUAL(town_noted(t, DC_NOTE_ANSWERED), 1);
    town_free(t);
}

/* A question that comes before its block waits for it, a handful of them; then it is answered. */
static bool lose_to_good(void *context, uint32_t from, uint32_t to, const uint8_t *bytes,
                         size_t size)
{
    return to == GOOD;
}

static void test_pending(void)
{
    struct town *t = town_of(0);
    t->lose = lose_to_good;
    struct dc_service_state *s = t->node[GOOD]->service;
    const struct dc_challenge *c = NULL;
    uint64_t seen = 0;
    for (int i = 0; i < 200 && c == NULL; i++) { /* as another node knows the chain */
        town_run(t, t->now_ns + SECOND / 10);
        const struct dc_challenge *q = &dc_state_account(town_state(t, 0), GOOD)->posync.challenge;
        if (q->height > t->height[GOOD] + 1)
            c = q;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    seen = c->height;
    uint32_t verifier = c->verifier[0];
    uint8_t asking = c->asking;
    challenge_hand(t, GOOD, verifier, seen, asking);
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_ANSWER));
    CU_ASSERT_EQUAL(s->pendings, 1);
    for (int i = 0; i < 30; i++)
        challenge_hand(t, GOOD, verifier, seen + 1000, 1);
    CU_ASSERT_EQUAL(s->pendings, DC_PENDING_MAX);
    t->lose = NULL;
    uint64_t answers = t->sent[DC_MSG_ANSWER];
    bool answered = false;
    for (int i = 0; i < 100 && !answered; i++) {
        town_run(t, t->now_ns + SECOND / 10);
        answered = s->answer != NULL && s->answer_height == seen;
    }
    CU_ASSERT_TRUE(answered);
    CU_ASSERT_TRUE(t->sent[DC_MSG_ANSWER] > answers);
    town_free(t);
}

/* A put becomes a deal on chain, the node learns where it lies and can show any chunk of it. */
static void test_put_to_deal(void)
{
    struct town *t = town_of(0);
    uint64_t object = 0; /* one that belongs to the node with a disk */
    while (dc_client_place(town_state(t, CLIENT), dc_mix64(object ^ dc_mix64(CLIENT)), 70000, 0) !=
           GOOD)
        object++;
    town_call(t, CLIENT, t->now_ns + 1,
              (struct dc_call){.kind = DC_CALL_PUT, .object = object, .size_bytes = 70000});
    town_run(t, t->now_ns + 8 * SECOND);
    CU_ASSERT_EQUAL(t->put_ok, 1);
    const struct dc_state *state = town_state(t, GOOD);
    CU_ASSERT_EQUAL_FATAL(dc_state_meta(state)->deals, 3);
    const struct dc_deal *d = dc_state_deal(state, 2);
    CU_ASSERT_EQUAL(d->client, CLIENT);
    CU_ASSERT_EQUAL(d->node, GOOD);
    CU_ASSERT_EQUAL(d->offset_chunk, 10);
    const struct dc_held *held = dc_storage_find(&t->node[GOOD]->service->storage, 12);
    CU_ASSERT_PTR_NOT_NULL_FATAL(held);
    CU_ASSERT_EQUAL(held->deal, 2);
    CU_ASSERT_EQUAL(held->offset_chunk, 10);
    uint64_t sample[20];
    for (uint64_t i = 0; i < 20; i++)
        sample[i] = 5 + i; /* over the deal of genesis, this one and filler */
    uint32_t proved;
    size_t max = dc_storage_proof_max(&t->node[GOOD]->service->storage, 20);
    uint8_t *proof = malloc(max);
    size_t size = dc_storage_prove_at(&t->node[GOOD]->service->storage, state, GOOD, sample, 20,
                                      proof, max, &proved);
    CU_ASSERT_TRUE(size != 0);
    CU_ASSERT_TRUE(dc_storage_check(state, GOOD, sample, 20, proof, size));
    free(proof);
    town_free(t);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"put", test_put},
        {"no room", test_room},
        {"get", test_get},
        {"receipt", test_receipt},
        {"challenge", test_challenge},
        {"challenge of an empty disk", test_challenge_empty},
        {"challenge before its block", test_pending},
        {"from put to deal", test_put_to_deal},
    };
    return TEST_MAIN("storage service", cases);
}

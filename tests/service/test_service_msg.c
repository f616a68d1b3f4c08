/* Messages between verifiers, service nodes and clients: round trips, then every single flipped bit
 * and every length.  A flipped bit is refused, or it decodes to something whose encoding is exactly
 * the flipped bytes: no two byte strings mean the same. */
#include "models/base/rng.h"
#include "models/wire/service_msg.h"
#include "tests/support/harness.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t chain = 7;

/* Decodes, and writes what was decoded again; SIZE_MAX when refused. */
typedef size_t again_fn(const uint8_t *bytes, size_t size, uint8_t *out);

static size_t again_challenge(const uint8_t *bytes, size_t size, uint8_t *out)
{
    uint64_t height;
    uint8_t asking;
    if (!dc_challenge_decode(bytes, size, &height, &asking))
        return SIZE_MAX;
    return dc_challenge_encode(height, asking, out);
}
static size_t again_answer(const uint8_t *bytes, size_t size, uint8_t *out)
{
    struct dc_answer_msg m;
    struct dc_hash digest;
    if (!dc_answer_decode(chain, bytes, size, &m))
        return SIZE_MAX;
    size_t n = dc_answer_encode(chain, &m, out, &digest);
    CU_ASSERT(dc_hash_equal(&digest, &m.digest));
    memcpy(out + n, m.signature, 64);
    return n + 64;
}
static size_t again_put(const uint8_t *bytes, size_t size, uint8_t *out)
{
    uint64_t request;
    struct dc_hash seed;
    struct dc_put_terms t;
    if (!dc_put_decode(bytes, size, &request, &seed, &t))
        return SIZE_MAX;
    return dc_put_encode(request, &seed, &t, out);
}
static size_t again_put_reply(const uint8_t *bytes, size_t size, uint8_t *out)
{
    uint64_t request;
    uint8_t status;
    const uint8_t *signature;
    if (!dc_put_reply_decode(bytes, size, &request, &status, &signature))
        return SIZE_MAX;
    return dc_put_reply_encode(request, status, signature, out);
}
static size_t again_get(const uint8_t *bytes, size_t size, uint8_t *out)
{
    uint64_t request, chunk;
    uint32_t deal;
    if (!dc_get_decode(bytes, size, &request, &deal, &chunk))
        return SIZE_MAX;
    return dc_get_encode(request, deal, chunk, out);
}
static size_t again_get_reply(const uint8_t *bytes, size_t size, uint8_t *out)
{
    uint64_t request;
    uint8_t status, depth;
    const uint8_t *chunk, *path;
    struct dc_hash copy[64];
    if (!dc_get_reply_decode(bytes, size, &request, &status, &chunk, &path, &depth))
        return SIZE_MAX;
    CU_ASSERT_EQUAL(chunk != NULL, status == DC_REPLY_OK);
    CU_ASSERT_EQUAL(path != NULL, status == DC_REPLY_OK);
    if (status == DC_REPLY_OK)
        memcpy(copy, path, 32 * (size_t)depth);
    return dc_get_reply_encode(request, status, chunk, copy, depth, out);
}
static size_t again_receipt(const uint8_t *bytes, size_t size, uint8_t *out)
{
    struct dc_report_terms t;
    return dc_receipt_decode(bytes, size, &t) ? dc_receipt_encode(&t, out) : SIZE_MAX;
}
static size_t again_receipt_reply(const uint8_t *bytes, size_t size, uint8_t *out)
{
    struct dc_report_terms t;
    const uint8_t *signature;
    if (!dc_receipt_reply_decode(bytes, size, &t, &signature))
        return SIZE_MAX;
    return dc_receipt_reply_encode(&t, signature, out);
}

/* Returns how many of the flips were refused. */
static size_t attack(again_fn *again, const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size), *out = malloc(size + 8192), *longer = malloc(size + 1);
    size_t refused = 0, wrong = 0;
    memcpy(exact, bytes, size);
    CU_ASSERT_EQUAL(again(exact, size, out), size);
    CU_ASSERT_EQUAL(memcmp(out, bytes, size), 0);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        exact[bit / 8] ^= (uint8_t)(1u << bit % 8);
        size_t n = again(exact, size, out);
        refused += n == SIZE_MAX;
        wrong += n != SIZE_MAX && (n != size || memcmp(out, exact, size) != 0);
        exact[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t n = 0; n < size; n++) { /* in a block of its own, so that ASan sees its end */
        uint8_t *shorter = malloc(n != 0 ? n : 1);
        memcpy(shorter, bytes, n);
        wrong += again(shorter, n, out) != SIZE_MAX;
        free(shorter);
    }
    for (int last = 0; last < 256; last++) {
        memcpy(longer, bytes, size);
        longer[size] = (uint8_t)last;
        wrong += again(longer, size + 1, out) != SIZE_MAX;
    }
    for (int kind = 0; kind < 256; kind++) { /* a decoder takes its own kind alone */
        memcpy(longer, bytes, size);
        longer[0] = (uint8_t)kind;
        wrong += (again(longer, size, out) != SIZE_MAX) != (kind == bytes[0]);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    free(exact);
    free(out);
    free(longer);
    return refused;
}

static void fill(struct dc_stream *s, void *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)dc_next64(s);
}

static struct dc_put_terms terms_of(struct dc_stream *s)
{
    struct dc_put_terms t = {dc_next64(s),           dc_next64(s),           dc_next64(s),
                             (uint32_t)dc_next64(s), (uint32_t)dc_next64(s), {{0}}};
    fill(s, t.root.b, 32);
    return t;
}
static struct dc_report_terms report_of(struct dc_stream *s)
{
    return (struct dc_report_terms){dc_next64(s),           dc_next64(s),
                                    (uint32_t)dc_next64(s), (uint32_t)dc_next64(s),
                                    (uint32_t)dc_next64(s), (uint32_t)dc_next64(s),
                                    (uint32_t)dc_next64(s)};
}

static void test_challenge(void)
{
    uint8_t bytes[DC_CHALLENGE_BYTES];
    for (uint8_t asking = 0; asking < 4; asking++) {
        uint64_t height;
        uint8_t back;
        CU_ASSERT_EQUAL(dc_challenge_encode(0x1122334455667788u, asking, bytes), sizeof bytes);
        CU_ASSERT_EQUAL(dc_challenge_decode(bytes, sizeof bytes, &height, &back),
                        asking == 1 || asking == 2);
        CU_ASSERT(height == 0x1122334455667788u && back == asking);
    }
    dc_challenge_encode(5, 1, bytes);
    CU_ASSERT_EQUAL(attack(again_challenge, bytes, sizeof bytes), 8 + 8);
}

static void test_answer(void)
{
    static const uint32_t sizes[][2] = {{0, 0}, {1, 0}, {0, 1}, {37, 90}, {200, 300}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct dc_stream s = dc_stream(i, dc_name("msg"), dc_name("answer"));
        uint8_t sync[200], storage[300], bytes[DC_ANSWER_HEAD_BYTES + 500];
        fill(&s, sync, sizeof sync);
        fill(&s, storage, sizeof storage);
        struct dc_answer_msg m = {.height = dc_next64(&s),
                                  .asking = (uint8_t)(1 + i % 2),
                                  .node = (uint32_t)dc_next64(&s),
                                  .sync = sync,
                                  .storage = storage,
                                  .sync_size = sizes[i][0],
                                  .storage_size = sizes[i][1]};
        struct dc_answer_msg back;
        struct dc_hash digest;
        size_t n = dc_answer_encode(chain, &m, bytes, &digest);
        fill(&s, bytes + n, 64);
        CU_ASSERT_EQUAL(n + 64, DC_ANSWER_HEAD_BYTES + sizes[i][0] + sizes[i][1]);
        CU_ASSERT_FATAL(dc_answer_decode(chain, bytes, n + 64, &back));
        CU_ASSERT(back.height == m.height && back.asking == m.asking && back.node == m.node);
        CU_ASSERT(back.sync_size == m.sync_size && back.storage_size == m.storage_size);
        CU_ASSERT(memcmp(back.sync, sync, m.sync_size) == 0);
        CU_ASSERT(memcmp(back.storage, storage, m.storage_size) == 0);
        CU_ASSERT(back.signature == bytes + n && dc_hash_equal(&back.digest, &digest));
        CU_ASSERT(dc_answer_decode(chain + 1, bytes, n + 64, &back));
        CU_ASSERT(!dc_hash_equal(&back.digest, &digest)); /* not signed for another chain */
        CU_ASSERT(attack(again_answer, bytes, n + 64) > 0);
        for (size_t bit = 0; bit < 8 * n; bit++) { /* what is signed covers every bit before it */
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CU_ASSERT(!dc_answer_decode(chain, bytes, n + 64, &back) ||
                      !dc_hash_equal(&back.digest, &digest));
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* Sizes near 2^32 in the head do not wrap the reader around. */
static void test_answer_lying_sizes(void)
{
    static const uint32_t lies[] = {UINT32_MAX, UINT32_MAX - 3, 1u << 31, 87, 65, 64};
    uint8_t bytes[DC_ANSWER_HEAD_BYTES + 8] = {DC_MSG_ANSWER, 1, 0, 0, 0, 0, 0, 0, 0, 1};
    struct dc_answer_msg m;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        dc_put32(bytes + 14, lies[i]);
        CU_ASSERT(!dc_answer_decode(chain, bytes, sizeof bytes, &m));
        dc_put32(bytes + 14, 0);
        dc_put32(bytes + 18, lies[i]);
        CU_ASSERT(!dc_answer_decode(chain, bytes, sizeof bytes, &m));
        dc_put32(bytes + 18, 8);
        CU_ASSERT(dc_answer_decode(chain, bytes, sizeof bytes, &m));
    }
}

static void test_put(void)
{
    struct dc_stream s = dc_stream(1, dc_name("msg"), dc_name("put"));
    uint8_t bytes[DC_PUT_BYTES], out[64], reply[DC_PUT_REPLY_BYTES];
    struct dc_hash seed;
    fill(&s, seed.b, 32);
    struct dc_put_terms t = terms_of(&s), back;
    CU_ASSERT_EQUAL(dc_put_encode(99, &seed, &t, bytes), sizeof bytes);
    dc_put_terms_encode(&t, out);
    CU_ASSERT_EQUAL(memcmp(bytes + sizeof bytes - DC_TERMS_BYTES, out, DC_TERMS_BYTES), 0);
    uint64_t request;
    struct dc_hash seed_back;
    CU_ASSERT(dc_put_decode(bytes, sizeof bytes, &request, &seed_back, &back));
    CU_ASSERT(request == 99 && dc_hash_equal(&seed, &seed_back) && back.nonce == t.nonce &&
              back.size_bytes == t.size_bytes && back.price == t.price && back.node == t.node &&
              back.epochs == t.epochs && dc_hash_equal(&back.root, &t.root));
    CU_ASSERT_EQUAL(attack(again_put, bytes, sizeof bytes), 8); /* the kind; all else has meaning */
    fill(&s, out, 64);
    for (uint8_t status = 0; status <= DC_REPLY_MISSING; status++) {
        CU_ASSERT_EQUAL(dc_put_reply_encode(5, status, status == 0 ? out : NULL, reply),
                        sizeof reply);
        CU_ASSERT(attack(again_put_reply, reply, sizeof reply) >= 8 + 6);
    }
}

static void test_get(void)
{
    struct dc_stream s = dc_stream(1, dc_name("msg"), dc_name("get"));
    uint8_t bytes[DC_GET_BYTES], chunk[4096], *reply = malloc(11 + 4096 + 32 * 63);
    CU_ASSERT_EQUAL(dc_get_encode(1, UINT32_MAX, UINT64_MAX - 1, bytes), sizeof bytes);
    CU_ASSERT_EQUAL(attack(again_get, bytes, sizeof bytes), 8);
    struct dc_hash path[63];
    fill(&s, chunk, sizeof chunk);
    fill(&s, path, sizeof path);
    size_t n = dc_get_reply_encode(8, DC_REPLY_OK, chunk, path, 3, reply);
    CU_ASSERT_EQUAL(n, 11 + 4096 + 96);
    CU_ASSERT_EQUAL(attack(again_get_reply, reply, n), 3 * 8); /* kind, status and depth */
    n = dc_get_reply_encode(8, DC_REPLY_OK, chunk, path, 63, reply);
    uint64_t request;
    uint8_t status, depth;
    const uint8_t *c, *p;
    CU_ASSERT(dc_get_reply_decode(reply, n, &request, &status, &c, &p, &depth));
    CU_ASSERT(request == 8 && status == DC_REPLY_OK && depth == 63);
    CU_ASSERT_EQUAL(memcmp(c, chunk, sizeof chunk), 0);
    CU_ASSERT_EQUAL(memcmp(p, path, sizeof path), 0);
    n = dc_get_reply_encode(8, DC_REPLY_MISSING, NULL, NULL, 9, reply);
    CU_ASSERT_EQUAL(n, 11);
    CU_ASSERT(dc_get_reply_decode(reply, n, &request, &status, &c, &p, &depth));
    CU_ASSERT(status == DC_REPLY_MISSING && depth == 0 && c == NULL && p == NULL);
    CU_ASSERT(attack(again_get_reply, reply, n) > 16);
    free(reply);
}

static void test_receipt(void)
{
    struct dc_stream s = dc_stream(1, dc_name("msg"), dc_name("receipt"));
    uint8_t bytes[DC_RECEIPT_BYTES], reply[DC_RECEIPT_REPLY_BYTES], signature[64];
    struct dc_report_terms t = report_of(&s), back;
    fill(&s, signature, 64);
    CU_ASSERT_EQUAL(dc_receipt_encode(&t, bytes), sizeof bytes);
    CU_ASSERT(dc_receipt_decode(bytes, sizeof bytes, &back));
    CU_ASSERT(back.epoch == t.epoch && back.paid == t.paid && back.client == t.client &&
              back.node == t.node && back.sent == t.sent && back.ok == t.ok &&
              back.timely == t.timely);
    CU_ASSERT_EQUAL(attack(again_receipt, bytes, sizeof bytes), 8);
    CU_ASSERT_EQUAL(dc_receipt_reply_encode(&t, signature, reply), sizeof reply);
    CU_ASSERT_EQUAL(attack(again_receipt_reply, reply, sizeof reply), 8);
}

/* What is signed names the chain, the client and every field: any bit of any of them changes it. */
static void test_digests(void)
{
    struct dc_stream s = dc_stream(1, dc_name("msg"), dc_name("digest"));
    const struct dc_put_terms t = terms_of(&s);
    const struct dc_report_terms r = report_of(&s);
    struct dc_hash deal = dc_deal_digest(chain, 3, &t), report = dc_report_digest(chain, &r), h;
    uint8_t bytes[DC_PUT_BYTES], receipt[DC_RECEIPT_BYTES];
    dc_put_encode(0, &deal, &t, bytes);
    for (size_t bit = 8 * (DC_PUT_BYTES - DC_TERMS_BYTES); bit < 8 * DC_PUT_BYTES; bit++) {
        uint64_t request;
        struct dc_put_terms other;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT(dc_put_decode(bytes, sizeof bytes, &request, &h, &other));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        h = dc_deal_digest(chain, 3, &other);
        CU_ASSERT(!dc_hash_equal(&h, &deal));
    }
    dc_receipt_encode(&r, receipt);
    for (size_t bit = 8; bit < 8 * DC_RECEIPT_BYTES; bit++) {
        struct dc_report_terms other;
        receipt[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT(dc_receipt_decode(receipt, sizeof receipt, &other));
        receipt[bit / 8] ^= (uint8_t)(1u << bit % 8);
        h = dc_report_digest(chain, &other);
        CU_ASSERT(!dc_hash_equal(&h, &report));
    }
    h = dc_deal_digest(chain + 1, 3, &t);
    CU_ASSERT(!dc_hash_equal(&h, &deal));
    h = dc_deal_digest(chain, 4, &t);
    CU_ASSERT(!dc_hash_equal(&h, &deal));
    h = dc_report_digest(chain + 1, &r);
    CU_ASSERT(!dc_hash_equal(&h, &report));
}

int main(void)
{
    dc_hash_init();
    static const struct test_case cases[] = {
        {"challenge", test_challenge},
        {"answer", test_answer},
        {"answer with lying sizes", test_answer_lying_sizes},
        {"put", test_put},
        {"get", test_get},
        {"receipt", test_receipt},
        {"digests", test_digests},
    };
    return TEST_MAIN("service messages", cases);
}

/* The group: RFC 9496's vectors, libsodium as a second implementation, and what may not decode. */
#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "models/crypto/group.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <sodium.h>
#include <stdlib.h>

static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                  0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

static void random_bytes(struct dc_stream *s, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)dc_next64(s);
}

/* --- published ------------------------------------------------------------------------------ */

static void check_multiples(const struct json *root)
{
    struct dc_point sum = dc_point_identity(), base = dc_point_base();
    size_t count = 0;
    for (const struct json *v = json_first(json_get(root, "small_multiples")); v; v = v->next) {
        uint8_t want[32], got[32];
        test_hex_all(v->text, want, 32);
        dc_point_encode(&sum, got);
        CU_ASSERT_EQUAL(memcmp(got, want, 32), 0);
        struct dc_scalar a = dc_scalar_u64(count);
        struct dc_point p = dc_point_mul_base(&a), q = dc_point_mul(&a, &base), r;
        CU_ASSERT_TRUE(dc_point_equal(&p, &sum) && dc_point_equal(&q, &sum));
        CU_ASSERT_TRUE(dc_point_decode(want, &r) && dc_point_equal(&r, &sum));
        CU_ASSERT_EQUAL(dc_point_decode_proper(want, &r), count != 0);
        sum = dc_point_add(&sum, &base);
        count++;
    }
    CU_ASSERT_EQUAL(count, 16);
}

static void test_published(void)
{
    size_t size, bad = 0, hashed = 0;
    char *text = test_shared_file("vectors/ristretto/ristretto255.json", &size);
    if (text == NULL)
        return;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    check_multiples(root);
    for (const struct json *v = json_first(json_get(root, "bad_encodings")); v; v = v->next) {
        uint8_t b[32];
        struct dc_point p = dc_point_base();
        test_hex_all(v->text, b, 32);
        CU_ASSERT_FALSE(dc_point_decode(b, &p));
        CU_ASSERT_TRUE(dc_point_is_identity(&p));
        bad++;
    }
    CU_ASSERT_EQUAL(bad, 30);
    for (const struct json *v = json_first(json_get(root, "from_hash")); v; v = v->next) {
        uint8_t in[64], out[32], got[32];
        test_hex_all(json_text(v, "in"), in, 64);
        test_hex_all(json_text(v, "out"), out, 32);
        struct dc_point p = dc_point_from_hash(in);
        dc_point_encode(&p, got);
        CU_ASSERT_EQUAL(memcmp(got, out, 32), 0);
        hashed++;
    }
    CU_ASSERT_EQUAL(hashed, 7);
    json_free(root);
    free(text);
}

/* B~ of the dalek-cryptography/bulletproofs crate. */
static void test_blinding(void)
{
    uint8_t want[32], got[32];
    test_hex_all("8c9240b456a9e6dc65c377a1048d745f94a08cdb7f44cbcd7b46f34048871134", want, 32);
    struct dc_point p = dc_point_blinding();
    dc_point_encode(&p, got);
    CU_ASSERT_EQUAL(memcmp(got, want, 32), 0);
}

/* --- beside libsodium ----------------------------------------------------------------------- */

static void same_point(const struct dc_point *p, const uint8_t want[32])
{
    uint8_t got[32];
    dc_point_encode(p, got);
    CU_ASSERT_EQUAL(memcmp(got, want, 32), 0);
}

static void same_scalar(const struct dc_scalar *a, const uint8_t want[32])
{
    uint8_t got[32];
    dc_scalar_encode(a, got);
    CU_ASSERT_EQUAL(memcmp(got, want, 32), 0);
}

static void test_second_opinion(void)
{
    struct dc_stream s = dc_stream(1, 2, 3);
    for (int i = 0; i < 200; i++) {
        uint8_t u[64], v[64], p[32], q[32], r[32], a[32], b[32], c[32];
        random_bytes(&s, u, 64);
        random_bytes(&s, v, 64);
        crypto_core_ristretto255_from_hash(p, u);
        crypto_core_ristretto255_from_hash(q, v);
        crypto_core_ristretto255_scalar_reduce(a, u);
        crypto_core_ristretto255_scalar_reduce(b, v);
        struct dc_point dp = dc_point_from_hash(u), dq = dc_point_from_hash(v), dr;
        struct dc_scalar da = dc_scalar_wide(u), db = dc_scalar_wide(v), dd;
        same_point(&dp, p);
        same_scalar(&da, a);
        CU_ASSERT_TRUE(dc_scalar_decode(b, &dd) && dc_scalar_equal(&dd, &db));
        crypto_core_ristretto255_scalar_add(c, a, b);
        same_scalar((dd = dc_scalar_add(&da, &db), &dd), c);
        crypto_core_ristretto255_scalar_sub(c, a, b);
        same_scalar((dd = dc_scalar_sub(&da, &db), &dd), c);
        crypto_core_ristretto255_scalar_mul(c, a, b);
        same_scalar((dd = dc_scalar_mul(&da, &db), &dd), c);
        crypto_core_ristretto255_scalar_negate(c, a);
        same_scalar((dd = dc_scalar_neg(&da), &dd), c);
        CU_ASSERT_EQUAL(crypto_core_ristretto255_scalar_invert(c, a), 0);
        same_scalar((dd = dc_scalar_invert(&da), &dd), c);
        CU_ASSERT_EQUAL(crypto_core_ristretto255_add(r, p, q), 0);
        same_point((dr = dc_point_add(&dp, &dq), &dr), r);
        CU_ASSERT_EQUAL(crypto_core_ristretto255_sub(r, p, q), 0);
        same_point((dr = dc_point_sub(&dp, &dq), &dr), r);
        dr = dc_point_neg(&dq);
        dr = dc_point_add(&dp, &dr);
        same_point(&dr, r);
        CU_ASSERT_EQUAL(crypto_scalarmult_ristretto255(r, a, q), 0);
        same_point((dr = dc_point_mul(&da, &dq), &dr), r);
        CU_ASSERT_EQUAL(crypto_scalarmult_ristretto255_base(r, b), 0);
        same_point((dr = dc_point_mul_base(&db), &dr), r);
        CU_ASSERT_TRUE(dc_point_decode(p, &dr) && dc_point_equal(&dr, &dp));
        CU_ASSERT_FALSE(dc_point_equal(&dr, &dq));
    }
}

/* Random strings: both libraries agree on which are points, but for the top bit, which libsodium
 * 1.0.18 overlooks and RFC 9496 refuses. */
static void test_which_decode(void)
{
    struct dc_stream s = dc_stream(4, 5, 6);
    int points = 0;
    for (int i = 0; i < 4000; i++) {
        uint8_t b[32];
        struct dc_point p;
        random_bytes(&s, b, 32);
        b[31] &= i % 4 == 0 ? 0xff : 0x7f;
        b[0] &= i % 8 == 0 ? 0xff : 0xfe;
        bool valid = dc_point_decode(b, &p);
        bool above = b[31] > 0x7f;
        CU_ASSERT_EQUAL(valid, !above && crypto_core_ristretto255_is_valid_point(b) == 1);
        if (valid)
            same_point(&p, b);
        else
            CU_ASSERT_TRUE(dc_point_is_identity(&p));
        points += valid;
    }
    CU_ASSERT_TRUE(points > 400);
}

/* --- edges ---------------------------------------------------------------------------------- */

static void test_scalar_edges(void)
{
    uint8_t b[32], top[32];
    struct dc_scalar a = dc_scalar_one(), one = dc_scalar_one(), zero = dc_scalar_zero();
    memcpy(b, order, 32);
    CU_ASSERT_FALSE(dc_scalar_decode(b, &a)); /* l */
    CU_ASSERT_TRUE(dc_scalar_is_zero(&a));
    for (int i = 0; i < 256; i++) { /* l + 2^i and above */
        memcpy(b, order, 32);
        unsigned carry = 1u << (i % 8);
        for (int k = i / 8; k < 32 && carry != 0; k++) {
            carry += b[k];
            b[k] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry != 0)
            continue;
        a = one;
        CU_ASSERT_FALSE(dc_scalar_decode(b, &a));
        CU_ASSERT_TRUE(dc_scalar_is_zero(&a));
    }
    memset(b, 0xff, 32);
    CU_ASSERT_FALSE(dc_scalar_decode(b, &a));
    memcpy(b, order, 32);
    b[0]--;
    CU_ASSERT_TRUE_FATAL(dc_scalar_decode(b, &a)); /* l - 1 */
    dc_scalar_encode(&a, top);
    CU_ASSERT_EQUAL(memcmp(top, b, 32), 0);
    a = dc_scalar_add(&a, &one);
    CU_ASSERT_TRUE(dc_scalar_is_zero(&a));
    a = dc_scalar_invert(&zero);
    CU_ASSERT_TRUE(dc_scalar_is_zero(&a));
    a = dc_scalar_u64(UINT64_MAX);
    dc_scalar_encode(&a, b);
    for (int i = 0; i < 32; i++)
        CU_ASSERT_EQUAL(b[i], i < 8 ? 0xff : 0);
    struct dc_point p = dc_point_mul_base(&zero), base = dc_point_base();
    CU_ASSERT_TRUE(dc_point_is_identity(&p));
    p = dc_point_mul(&zero, &base);
    CU_ASSERT_TRUE(dc_point_is_identity(&p));
    p = dc_point_identity();
    p = dc_point_mul(&one, &p);
    CU_ASSERT_TRUE(dc_point_is_identity(&p));
}

/* Pedersen's commitment is what it says, and adds up. */
static void test_pedersen(void)
{
    struct dc_stream s = dc_stream(7, 8, 9);
    for (int i = 0; i < 20; i++) {
        uint8_t u[4][64];
        struct dc_scalar k[4];
        for (int n = 0; n < 4; n++) {
            random_bytes(&s, u[n], 64);
            k[n] = i == 0 ? dc_scalar_zero() : dc_scalar_wide(u[n]);
        }
        struct dc_point p = dc_pedersen(&k[0], &k[1]), q = dc_pedersen(&k[2], &k[3]);
        struct dc_point base = dc_point_base(), blinding = dc_point_blinding();
        struct dc_point x = dc_point_mul(&k[0], &base), y = dc_point_mul(&k[1], &blinding);
        x = dc_point_add(&x, &y);
        CU_ASSERT_TRUE(dc_point_equal(&x, &p));
        k[0] = dc_scalar_add(&k[0], &k[2]);
        k[1] = dc_scalar_add(&k[1], &k[3]);
        x = dc_pedersen(&k[0], &k[1]);
        y = dc_point_add(&p, &q);
        CU_ASSERT_TRUE(dc_point_equal(&x, &y));
    }
}

/* --- nonces --------------------------------------------------------------------------------- */

static struct dc_scalar nonce(uint8_t secret, enum dc_domain domain, const char *first,
                              const char *second, int skip)
{
    uint8_t key[32] = {secret};
    struct dc_nonces n;
    dc_nonces_init(&n, key, domain);
    dc_nonces_feed(&n, first, strlen(first));
    dc_nonces_feed(&n, second, strlen(second));
    struct dc_scalar a = dc_nonces_next(&n);
    while (skip-- > 0)
        a = dc_nonces_next(&n);
    return a;
}

static void test_nonces(void)
{
    const struct dc_scalar all[] = {nonce(1, DC_DOMAIN_PROOF_NONCE, "ab", "c", 0),
                                    nonce(1, DC_DOMAIN_PROOF_NONCE, "a", "bc", 0),
                                    nonce(1, DC_DOMAIN_PROOF_NONCE, "abc", "", 0),
                                    nonce(1, DC_DOMAIN_PROOF_NONCE, "", "abc", 0),
                                    nonce(2, DC_DOMAIN_PROOF_NONCE, "ab", "c", 0),
                                    nonce(1, DC_DOMAIN_FROST, "ab", "c", 0),
                                    nonce(1, DC_DOMAIN_PROOF_NONCE, "ab", "c", 1),
                                    nonce(1, DC_DOMAIN_PROOF_NONCE, "ab", "c", 2)};
    size_t count = sizeof all / sizeof all[0];
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            CU_ASSERT_EQUAL(dc_scalar_equal(&all[i], &all[k]), i == k);
    struct dc_scalar again = nonce(1, DC_DOMAIN_PROOF_NONCE, "ab", "c", 0);
    CU_ASSERT_TRUE(dc_scalar_equal(&again, &all[0]));
}

int main(void)
{
    static const struct test_case cases[] = {{"published", test_published},
                                             {"blinding", test_blinding},
                                             {"second_opinion", test_second_opinion},
                                             {"which_decode", test_which_decode},
                                             {"scalar_edges", test_scalar_edges},
                                             {"pedersen", test_pedersen},
                                             {"nonces", test_nonces}};
    dc_crypto_init();
    return TEST_MAIN("group", cases);
}

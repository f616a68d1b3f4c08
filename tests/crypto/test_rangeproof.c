/* Range proofs: dalek's sixteen, every bit of one flipped and a stride of bits of the others, and
 * our own in all sizes. */
#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "models/crypto/generators.h"
#include "models/crypto/innerproduct.h"
#include "models/crypto/rangeproof.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <sodium.h>
#include <stdlib.h>

static struct dc_scalar random_scalar(struct dc_stream *s)
{
    uint8_t wide[64];
    for (int i = 0; i < 64; i += 8)
        dc_put64(wide + i, dc_next64(s));
    return dc_scalar_wide(wide);
}

static bool verify(const char *label, uint32_t bits, uint8_t commitment[][32], uint32_t m,
                   const uint8_t *proof, size_t size)
{
    struct dc_transcript t;
    dc_transcript_init(&t, label);
    return dc_range_verify(&t, bits, (const uint8_t(*)[32])commitment, m, proof, size);
}

/* Flips every stride-th bit of the proof, and of the commitments; returns how many were let pass. */
static size_t let_pass(const char *label, uint32_t bits, uint8_t commitment[][32], uint32_t m,
                       uint8_t *proof, size_t size, size_t stride)
{
    size_t passed = 0;
    for (size_t bit = stride / 2; bit < 8 * size; bit += stride) {
        proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
        passed += verify(label, bits, commitment, m, proof, size);
        proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = stride / 2; bit < (size_t)256 * m; bit += stride) {
        commitment[bit / 256][bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
        passed += verify(label, bits, commitment, m, proof, size);
        commitment[bit / 256][bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
    }
    return passed;
}

/* --- dalek's -------------------------------------------------------------------------------- */

static void check_commitments(uint8_t commitment[8][32])
{
    uint8_t key[32], nonce[8] = {0}, wide[8][64];
    memset(key, 24, sizeof key);
    crypto_stream_chacha20(&wide[0][0], sizeof wide, nonce, key);
    for (uint64_t i = 0; i < 8; i++) {
        uint8_t got[32];
        struct dc_scalar value = dc_scalar_u64(i), blinding = dc_scalar_wide(wide[i]);
        struct dc_point p = dc_pedersen(&value, &blinding);
        dc_point_encode(&p, got);
        CU_ASSERT_EQUAL(memcmp(got, commitment[i], 32), 0);
    }
}

static void check_dalek(const char *label, const struct json *v, uint8_t commitment[8][32])
{
    uint8_t proof[DC_RANGE_BYTES_MAX];
    uint32_t bits = (uint32_t)json_number(v, "n"), m = (uint32_t)json_number(v, "m");
    size_t size = test_hex(json_text(v, "proof"), proof, sizeof proof);
    CU_ASSERT_EQUAL_FATAL(size, dc_range_bytes(bits, m));
    CU_ASSERT_TRUE(verify(label, bits, commitment, m, proof, size));
    CU_ASSERT_FALSE(verify("another label", bits, commitment, m, proof, size));
    CU_ASSERT_FALSE(verify(label, bits, commitment + 8 - m, m, proof, size) && m != 8);
    CU_ASSERT_FALSE(verify(label, bits == 8 ? 16 : bits / 2, commitment, m, proof, size));
    CU_ASSERT_FALSE(verify(label, bits, commitment, m, proof, size - 32));
    /* every bit of the smallest, about 80 of each other */
    size_t stride = bits * m == 8 ? 1 : (8 * size + (size_t)256 * m) / 80;
    CU_ASSERT_EQUAL(let_pass(label, bits, commitment, m, proof, size, stride), 0);
}

static void test_dalek(void)
{
    size_t size, count = 0, commitments = 0;
    char *text = test_shared_file("vectors/bulletproofs_dalek_rangeproof_v1.json", &size);
    if (text == NULL)
        return;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    uint8_t commitment[8][32];
    for (const struct json *v = json_first(json_get(root, "value_commitments")); v; v = v->next) {
        CU_ASSERT_TRUE_FATAL(commitments < 8);
        test_hex_all(v->text, commitment[commitments++], 32);
    }
    CU_ASSERT_EQUAL_FATAL(commitments, 8);
    check_commitments(commitment);
    const char *label = json_text(root, "transcript_label");
    for (const struct json *v = json_first(json_get(root, "proofs")); v; v = v->next, count++)
        check_dalek(label, v, commitment);
    CU_ASSERT_EQUAL(count, 16);
    json_free(root);
    free(text);
}

/* --- our own -------------------------------------------------------------------------------- */

static void test_own(void)
{
    static const uint8_t secret[32] = {7};
    static const uint32_t widths[] = {8, 16, 32, 64};
    struct dc_stream s = dc_stream(3, 3, 3);
    for (size_t w = 0; w < 4; w++) {
        for (uint32_t m = 1; m <= (w == 0 ? 16u : w == 1 ? 4u : 2u); m *= 2) {
            uint64_t value[16];
            struct dc_scalar blinding[16];
            uint8_t commitment[16][32], again[16][32];
            uint8_t proof[DC_RANGE_BYTES_MAX], second[DC_RANGE_BYTES_MAX];
            size_t size = dc_range_bytes(widths[w], m);
            uint64_t top = UINT64_MAX >> (64 - widths[w]);
            for (uint32_t j = 0; j < m; j++) {
                value[j] = j == 0 ? top : j == 1 ? 0 : dc_next64(&s) & top;
                blinding[j] = j == 1 ? dc_scalar_zero() : random_scalar(&s);
            }
            struct dc_transcript t, u;
            dc_transcript_init(&t, "own");
            u = t;
            CU_ASSERT_TRUE_FATAL(
                dc_range_prove(&t, widths[w], value, blinding, m, secret, commitment, proof));
            CU_ASSERT_TRUE_FATAL(
                dc_range_prove(&u, widths[w], value, blinding, m, secret, again, second));
            CU_ASSERT_EQUAL(memcmp(proof, second, size), 0);
            CU_ASSERT_TRUE(verify("own", widths[w], commitment, m, proof, size));
            CU_ASSERT_FALSE(verify("owm", widths[w], commitment, m, proof, size));
            /* another place in the conversation: all the nonces are others */
            dc_transcript_init(&t, "owm");
            CU_ASSERT_TRUE_FATAL(
                dc_range_prove(&t, widths[w], value, blinding, m, secret, commitment, second));
            for (size_t line = 0; line < size / 32; line++)
                CU_ASSERT_NOT_EQUAL(memcmp(proof + 32 * line, second + 32 * line, 32), 0);
            if (m > 1) {
                uint8_t kept[32];
                memcpy(kept, commitment[0], 32);
                memcpy(commitment[0], commitment[1], 32);
                memcpy(commitment[1], kept, 32);
                CU_ASSERT_FALSE(verify("owm", widths[w], commitment, m, second, size));
            }
        }
    }
}

/* Prover and verifier leave the transcript in the same state: what follows is bound to the proof. */
static void test_transcript_after(void)
{
    static const uint8_t secret[32] = {9};
    uint64_t value = 77;
    struct dc_scalar blinding = dc_scalar_u64(12345);
    uint8_t commitment[1][32], proof[DC_RANGE_BYTES_MAX];
    struct dc_transcript t, u;
    dc_transcript_init(&t, "after");
    u = t;
    CU_ASSERT_TRUE(dc_range_prove(&t, 8, &value, &blinding, 1, secret, commitment, proof));
    CU_ASSERT_TRUE(
        dc_range_verify(&u, 8, (const uint8_t(*)[32])commitment, 1, proof, dc_range_bytes(8, 1)));
    struct dc_scalar a = dc_transcript_challenge_scalar(&t, "next");
    struct dc_scalar b = dc_transcript_challenge_scalar(&u, "next");
    CU_ASSERT_TRUE(dc_scalar_equal(&a, &b));
}

static void test_refused(void)
{
    static const uint8_t secret[32] = {1};
    uint64_t value[16] = {256};
    struct dc_scalar blinding[16];
    uint8_t commitment[16][32] = {{0}}, proof[DC_RANGE_BYTES_MAX + 32] = {0};
    for (int i = 0; i < 16; i++)
        blinding[i] = dc_scalar_u64((uint64_t)i);
    struct dc_transcript t;
    dc_transcript_init(&t, "refused");
    CU_ASSERT_FALSE(dc_range_prove(&t, 8, value, blinding, 1, secret, commitment, proof));
    value[0] = 255;
    CU_ASSERT_FALSE(dc_range_prove(&t, 7, value, blinding, 1, secret, commitment, proof));
    CU_ASSERT_FALSE(dc_range_prove(&t, 8, value, blinding, 3, secret, commitment, proof));
    CU_ASSERT_FALSE(dc_range_prove(&t, 8, value, blinding, 0, secret, commitment, proof));
    CU_ASSERT_EQUAL(dc_range_bytes(64, 1), 672);
    CU_ASSERT_EQUAL(dc_range_bytes(64, 8), 864);
    CU_ASSERT_EQUAL(dc_range_bytes(64, 32), 0);
    CU_ASSERT_EQUAL(dc_range_bytes(65, 1), 0);
    dc_transcript_init(&t, "refused");
    CU_ASSERT_TRUE(dc_range_prove(&t, 8, value, blinding, 1, secret, commitment, proof));
    size_t size = dc_range_bytes(8, 1);
    CU_ASSERT_TRUE(verify("refused", 8, commitment, 1, proof, size));
    CU_ASSERT_FALSE(verify("refused", 8, commitment, 1, proof, size + 32));
    CU_ASSERT_FALSE(verify("refused", 8, commitment, 1, proof, 0));
    for (size_t line = 0; line < size / 32; line++) { /* identities and zeros; scalars plus l */
        uint8_t kept[32];
        memcpy(kept, proof + 32 * line, 32);
        memset(proof + 32 * line, 0, 32);
        CU_ASSERT_FALSE(verify("refused", 8, commitment, 1, proof, size));
        unsigned carry = 0;
        static const uint8_t l[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
        for (int i = 0; i < 32; i++, carry >>= 8) {
            carry += (unsigned)kept[i] + l[i];
            proof[32 * line + (size_t)i] = (uint8_t)carry;
        }
        CU_ASSERT_FALSE(verify("refused", 8, commitment, 1, proof, size));
        memcpy(proof + 32 * line, kept, 32);
    }
}

/* A proof for a commitment to 256 as if it were 0 .. 255: an honest prover refuses, so another
 * value's proof is put beside it. */
static void test_outside(void)
{
    static const uint8_t secret[32] = {2};
    uint64_t value = 0;
    struct dc_scalar blinding = dc_scalar_u64(99), large = dc_scalar_u64(256);
    uint8_t commitment[1][32], proof[DC_RANGE_BYTES_MAX];
    struct dc_transcript t;
    dc_transcript_init(&t, "outside");
    CU_ASSERT_TRUE(dc_range_prove(&t, 8, &value, &blinding, 1, secret, commitment, proof));
    struct dc_point p = dc_pedersen(&large, &blinding);
    dc_point_encode(&p, commitment[0]);
    CU_ASSERT_FALSE(verify("outside", 8, commitment, 1, proof, dc_range_bytes(8, 1)));
}

/* --- parts ---------------------------------------------------------------------------------- */

static void check_inner(size_t n, bool factors)
{
    struct dc_stream stream = dc_stream(n, factors, 5);
    struct dc_scalar a[256], b[256], gf[256], hf[256], s[256], k[256 * 2 + 32];
    static struct dc_point x[256 * 2 + 32];
    uint8_t proof[640];
    const struct dc_point *g = dc_generators_long_g(), *h = dc_generators_long_h();
    struct dc_point q = dc_point_blinding();
    size_t count = 0, log = 0;
    while ((size_t)1 << log < n)
        log++;
    for (size_t i = 0; i < n; i++) {
        a[i] = random_scalar(&stream);
        b[i] = random_scalar(&stream);
        gf[i] = factors ? random_scalar(&stream) : dc_scalar_one();
        hf[i] = factors ? random_scalar(&stream) : dc_scalar_one();
        k[2 * i] = dc_scalar_mul(&a[i], &gf[i]);
        k[2 * i + 1] = dc_scalar_mul(&b[i], &hf[i]);
        x[2 * i] = g[i];
        x[2 * i + 1] = h[i];
    }
    k[2 * n] = dc_inner_product(a, b, n);
    x[2 * n] = q;
    struct dc_point claim = dc_msm_vartime(k, x, 2 * n + 1);
    struct dc_transcript t, u;
    dc_transcript_init(&t, "inner");
    u = t;
    dc_inner_prove(&t, &q, factors ? gf : NULL, factors ? hf : NULL, g, h, a, b, n, proof);
    struct dc_inner in;
    CU_ASSERT_FALSE(dc_inner_read(&u, n, proof, dc_inner_bytes(log) + 64, &in, s));
    dc_transcript_init(&u, "inner");
    CU_ASSERT_TRUE_FATAL(dc_inner_read(&u, n, proof, dc_inner_bytes(log), &in, s));
    for (size_t i = 0; i < n; i++) {
        struct dc_scalar one = dc_scalar_mul(&s[i], &s[n - 1 - i]), unit = dc_scalar_one();
        CU_ASSERT_TRUE(dc_scalar_equal(&one, &unit));
        k[count] = dc_scalar_mul(&in.a, &s[i]);
        k[count] = dc_scalar_mul(&k[count], &gf[i]);
        x[count++] = g[i];
        k[count] = dc_scalar_mul(&in.b, &s[n - 1 - i]);
        k[count] = dc_scalar_mul(&k[count], &hf[i]);
        x[count++] = h[i];
    }
    for (size_t r = 0; r < in.rounds; r++) {
        k[count] = dc_scalar_neg(&in.square[r]);
        x[count++] = in.l[r];
        k[count] = dc_scalar_neg(&in.inverse[r]);
        x[count++] = in.r[r];
    }
    k[count] = dc_scalar_mul(&in.a, &in.b);
    x[count++] = q;
    struct dc_point sum = dc_msm_vartime(k, x, count);
    CU_ASSERT_TRUE(dc_point_equal(&sum, &claim));
}

static void test_inner(void)
{
    for (size_t n = 1; n <= 256; n *= 2) {
        check_inner(n, false);
        check_inner(n, true);
    }
}

/* Short and long rows are one chain; rows and parties differ. */
static void test_generators(void)
{
    for (uint32_t i = 0; i < DC_GENERATORS_EACH; i++) {
        CU_ASSERT_TRUE(dc_point_equal(dc_generators_g(0, i), &dc_generators_long_g()[i]));
        CU_ASSERT_TRUE(dc_point_equal(dc_generators_h(0, i), &dc_generators_long_h()[i]));
    }
    CU_ASSERT_FALSE(dc_point_equal(dc_generators_g(0, 0), dc_generators_h(0, 0)));
    CU_ASSERT_FALSE(dc_point_equal(dc_generators_g(0, 0), dc_generators_g(1, 0)));
}

int main(void)
{
    static const struct test_case cases[] = {{"dalek", test_dalek},
                                             {"own", test_own},
                                             {"transcript_after", test_transcript_after},
                                             {"refused", test_refused},
                                             {"outside", test_outside},
                                             {"inner", test_inner},
                                             {"generators", test_generators}};
    dc_crypto_init();
    return TEST_MAIN("rangeproof", cases);
}

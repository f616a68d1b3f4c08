/* Both ElGamal kinds open to what went in, add up, and small logarithms are found. */
#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "models/crypto/elgamal.h"
#include "models/crypto/field.h"
#include "models/crypto/logarithm.h"
#include "tests/support/harness.h"

static struct dc_scalar some(uint64_t number)
{
    uint8_t text[8], wide[64];
    dc_put64(text, number);
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, text, 8),
                   g = dc_hash_pair(DC_DOMAIN_TEST, &h, &h);
    memcpy(wide, h.b, 32);
    memcpy(wide + 32, g.b, 32);
    return dc_scalar_wide(wide);
}

static bool is_amount(const struct dc_point *p, uint64_t amount)
{
    struct dc_scalar a = dc_scalar_u64(amount);
    struct dc_point want = dc_point_mul_base(&a);
    return dc_point_equal(p, &want);
}

static void test_both(void)
{
    for (uint64_t k = 0; k < 50; k++) {
        struct dc_scalar s = some(10 * k), r = some(10 * k + 1), q = some(10 * k + 2),
                         a = dc_scalar_u64(k * k), b = dc_scalar_u64(7 * k), by = dc_scalar_u64(k);
        struct dc_point key = k % 2 == 0 ? dc_twisted_key(&s) : dc_lifted_key(&s);
        struct dc_elgamal x = k % 2 == 0 ? dc_twisted_encrypt(&key, &a, &r)
                                         : dc_lifted_encrypt(&key, &a, &r),
                          y = k % 2 == 0 ? dc_twisted_encrypt(&key, &b, &q)
                                         : dc_lifted_encrypt(&key, &b, &q),
                          sum = dc_elgamal_add(&x, &y), less = dc_elgamal_sub(&sum, &y),
                          many = dc_elgamal_scale(&x, &by);
        struct dc_point open[4];
        const struct dc_elgamal *all[4] = {&x, &sum, &less, &many};
        for (int i = 0; i < 4; i++)
            open[i] = k % 2 == 0 ? dc_twisted_open(&s, all[i]) : dc_lifted_open(&s, all[i]);
        CU_ASSERT_TRUE(is_amount(&open[0], k * k));
        CU_ASSERT_TRUE(is_amount(&open[1], k * k + 7 * k));
        CU_ASSERT_TRUE(is_amount(&open[2], k * k));
        CU_ASSERT_TRUE(is_amount(&open[3], k * k * k));
        struct dc_point wrong = k % 2 == 0 ? dc_twisted_open(&r, &x) : dc_lifted_open(&r, &x);
        CU_ASSERT_FALSE(is_amount(&wrong, k * k));
    }
}

static void test_bytes(void)
{
    struct dc_scalar s = some(1), r = some(2), a = dc_scalar_u64(5), b = dc_scalar_u64(6);
    struct dc_point key = dc_lifted_key(&s);
    struct dc_elgamal x = dc_lifted_encrypt(&key, &a, &r), y = dc_lifted_encrypt(&key, &b, &r), z;
    uint8_t sum[64] = {0}, add[64], bad[64], kept[64];
    dc_elgamal_encode(&x, add);
    CU_ASSERT_TRUE(dc_elgamal_accumulate(sum, add));
    CU_ASSERT_EQUAL(memcmp(sum, add, 64), 0); /* an empty sum is 64 zeros */
    dc_elgamal_encode(&y, add);
    CU_ASSERT_TRUE(dc_elgamal_accumulate(sum, add));
    CU_ASSERT_TRUE_FATAL(dc_elgamal_decode(sum, &z));
    struct dc_point open = dc_lifted_open(&s, &z);
    CU_ASSERT_TRUE(is_amount(&open, 11));
    memcpy(kept, sum, 64);
    memset(bad, 0xff, 64);
    CU_ASSERT_FALSE(dc_elgamal_decode(bad, &z));
    CU_ASSERT_TRUE(dc_point_is_identity(&z.first) && dc_point_is_identity(&z.second));
    CU_ASSERT_FALSE(dc_elgamal_accumulate(sum, bad));
    CU_ASSERT_EQUAL(memcmp(sum, kept, 64), 0);
}

/* One commitment for three readers. */
static void test_group(void)
{
    struct dc_scalar s[3] = {some(1), some(2), some(3)}, r = some(4), a = dc_scalar_u64(77);
    struct dc_point key[3];
    uint8_t group[128];
    for (int i = 0; i < 3; i++)
        key[i] = dc_twisted_key(&s[i]);
    dc_twisted_group(key, 3, &a, &r, group);
    for (int i = 0; i < 3; i++) {
        struct dc_elgamal c;
        CU_ASSERT_TRUE_FATAL(dc_point_decode(group, &c.first));
        CU_ASSERT_TRUE_FATAL(dc_point_decode(group + 32 * (i + 1), &c.second));
        struct dc_point open = dc_twisted_open(&s[i], &c);
        CU_ASSERT_TRUE(is_amount(&open, 77));
    }
}

/* --- logarithms ------------------------------------------------------------------------------ */

static bool found(const struct dc_logarithm *t, uint64_t v)
{
    struct dc_scalar s = dc_scalar_u64(v);
    struct dc_point p = dc_point_mul_base(&s);
    uint8_t encoded[32];
    uint64_t got;
    dc_point_encode(&p, encoded);
    return dc_logarithm_find(t, encoded, &got) && got == v;
}

static void test_logarithm(void)
{
    static const size_t sizes[] = {(size_t)13 << 20, (size_t)1 << 20};
    for (int k = 0; k < 2; k++) {
        struct dc_logarithm *t;
        struct dc_error error;
        CU_ASSERT_EQUAL_FATAL(dc_logarithm_create(sizes[k], &t, &error), DC_OK);
        CU_ASSERT_TRUE(dc_logarithm_bytes(t) <= sizes[k]);
        for (uint64_t v = 0; v < 300; v += k == 0 ? 1 : 17) /* both ends, and around the middle */
            CU_ASSERT_TRUE(found(t, v) && found(t, UINT32_MAX - v) &&
                           found(t, ((uint64_t)1 << 31) - 150 + v));
        struct dc_stream s = dc_stream(5, (uint64_t)k, 0);
        for (int i = 0; i < (k == 0 ? 300 : 30); i++) {
            uint64_t v = dc_next64(&s) >> 32;
            CU_ASSERT_TRUE(found(t, v));
        }
        CU_ASSERT_FALSE(found(t, (uint64_t)1 << 32));
        CU_ASSERT_FALSE(found(t, ((uint64_t)1 << 32) + 1));
        CU_ASSERT_FALSE(found(t, UINT64_MAX));
        struct dc_scalar minus = dc_scalar_one();
        minus = dc_scalar_neg(&minus);
        struct dc_point p = dc_point_mul_base(&minus);
        uint8_t encoded[32];
        uint64_t got = 1;
        dc_point_encode(&p, encoded);
        CU_ASSERT_FALSE(dc_logarithm_find(t, encoded, &got));
        CU_ASSERT_EQUAL(got, 0);
        memset(encoded, 0xff, 32);
        CU_ASSERT_FALSE(dc_logarithm_find(t, encoded, &got));
        dc_logarithm_destroy(t);
    }
}

/* Where blocks and table entries meet: no number falls between them. */
static void test_seams(void)
{
    struct dc_logarithm *t;
    struct dc_error error;
    CU_ASSERT_EQUAL_FATAL(dc_logarithm_create((size_t)1 << 20, &t, &error), DC_OK);
    const int64_t m = 65536, step = 2 * m + 1, far = 513 * step;
    for (int64_t j = 0; j <= 600; j += 83)
        for (int64_t at = -3; at <= 3; at++) {
            int64_t a = j * step + m + at, b = j % 30 * far + 256 * step + m + at;
            for (int sign = -1; sign <= 1; sign += 2) {
                int64_t v = ((int64_t)1 << 31) + sign * a, w = ((int64_t)1 << 31) + sign * b;
                if (v >= 0 && v >> 32 == 0)
                    CU_ASSERT_TRUE(found(t, (uint64_t)v));
                if (w >= 0 && w >> 32 == 0)
                    CU_ASSERT_TRUE(found(t, (uint64_t)w));
            }
        }
    dc_logarithm_destroy(t);
    CU_ASSERT_EQUAL(dc_logarithm_create(1000, &t, &error), DC_ERR_LIMIT);
    CU_ASSERT_PTR_NULL(t);
    dc_logarithm_destroy(NULL);
}

/* The own field arithmetic decodes what libdecaf decodes, and refuses what it refuses. */
static void test_field(void)
{
    struct dc_stream s = dc_stream(6, 0, 0);
    uint32_t valid = 0;
    for (int i = 0; i < 3000; i++) {
        uint8_t bytes[32];
        for (int k = 0; k < 4; k++)
            dc_put64(bytes + 8 * k, dc_next64(&s));
        bytes[31] &= i % 3 == 0 ? 0xff : 0x7f;
        bytes[0] &= i % 5 == 0 ? 0xff : 0xfe;
        struct dc_affine a;
        struct dc_point p;
        bool right = dc_point_decode(bytes, &p);
        valid += right;
        CU_ASSERT_EQUAL(dc_affine_decode(bytes, &a), right);
    }
    CU_ASSERT_TRUE(valid > 300);
    for (uint64_t i = 1; i < 200; i++) {
        struct dc_field a = dc_field_small(i * i * i * 977), b = dc_field_invert(&a), root;
        struct dc_field one = dc_field_mul(&a, &b);
        CU_ASSERT_EQUAL(dc_field_low(&one), 1);
        b = dc_field_square(&a);
        CU_ASSERT_TRUE(dc_field_invsqrt(&b, &root));
        one = dc_field_mul(&root, &a);
        one = dc_field_square(&one);
        CU_ASSERT_EQUAL(dc_field_low(&one), 1);
    }
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"open, add, scale", test_both}, {"bytes", test_bytes},
        {"several readers", test_group}, {"field", test_field},
        {"logarithms", test_logarithm},  {"seams of the table", test_seams}};
    return TEST_MAIN("elgamal", cases);
}

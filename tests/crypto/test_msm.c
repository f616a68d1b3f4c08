/* Sums of many multiples against the sum of single ones, over sizes on both sides of every switch
 * and over the scalars and points that recodings get wrong. */
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "models/crypto/group.h"
#include "tests/support/harness.h"

#define COUNT_MAX 1200

static struct dc_scalar random_scalar(struct dc_stream *s)
{
    uint8_t wide[64];
    for (int i = 0; i < 64; i += 8)
        dc_put64(wide + i, dc_next64(s));
    return dc_scalar_wide(wide);
}

static struct dc_point random_point(struct dc_stream *s)
{
    uint8_t wide[64];
    for (int i = 0; i < 64; i += 8)
        dc_put64(wide + i, dc_next64(s));
    return dc_point_from_hash(wide);
}

static struct dc_point one_by_one(const struct dc_scalar *a, const struct dc_point *p, size_t count)
{
    struct dc_point sum = dc_point_identity();
    for (size_t i = 0; i < count; i++) {
        struct dc_point x = dc_point_mul(&a[i], &p[i]);
        sum = dc_point_add(&sum, &x);
    }
    return sum;
}

static void check(const struct dc_scalar *a, const struct dc_point *p, size_t count)
{
    struct dc_point want = one_by_one(a, p, count);
    struct dc_point fast = dc_msm_vartime(a, p, count), even = dc_msm(a, p, count);
    CU_ASSERT_TRUE(dc_point_equal(&want, &fast));
    CU_ASSERT_TRUE(dc_point_equal(&want, &even));
}

/* Scalars: random, 0, 1, l - 1, 2^k, 2^k - 1 and runs of ones, which carry furthest. */
static struct dc_scalar hard_scalar(struct dc_stream *s, unsigned kind)
{
    uint8_t b[32] = {0};
    struct dc_scalar a = dc_scalar_one(), k;
    unsigned bit = (unsigned)dc_next_below(s, 252);
    switch (kind % 8) {
    case 0: return dc_scalar_zero();
    case 1: return a;
    case 2: return dc_scalar_neg(&a);
    case 3:
    case 4:
        b[bit / 8] = (uint8_t)(1u << bit % 8);
        CU_ASSERT_TRUE_FATAL(dc_scalar_decode(b, &k));
        return kind % 8 == 3 ? k : dc_scalar_sub(&k, &a);
    case 5:
        memset(b, 0xff, 31);
        b[31] = 0x0f;
        CU_ASSERT_TRUE_FATAL(dc_scalar_decode(b, &k)); /* 2^252 - 1 */
        return k;
    case 6:
        memset(b, 0x88, 31);
        b[31] = 0x08;
        CU_ASSERT_TRUE_FATAL(dc_scalar_decode(b, &k));
        return k;
    default: return random_scalar(s);
    }
}

static void test_sizes(void)
{
    static const size_t counts[] = {0,  1,  2,   3,   5,   8,   11,  15,  16,  17,  31,  33,
                                    64, 99, 147, 180, 181, 200, 319, 320, 533, 649, 650, 1101};
    struct dc_stream s = dc_stream(1, 1, 1);
    struct dc_scalar *a = dc_mem_alloc(COUNT_MAX, sizeof *a);
    struct dc_point *p = dc_mem_pages(COUNT_MAX * sizeof *p);
    for (size_t n = 0; n < sizeof counts / sizeof counts[0]; n++) {
        for (size_t i = 0; i < counts[n]; i++) {
            a[i] = random_scalar(&s);
            p[i] = random_point(&s);
        }
        check(a, p, counts[n]);
    }
    dc_mem_free(p);
    dc_mem_free(a);
}

static void test_edges(void)
{
    struct dc_stream s = dc_stream(2, 2, 2);
    struct dc_scalar *a = dc_mem_alloc(COUNT_MAX, sizeof *a);
    struct dc_point *p = dc_mem_pages(COUNT_MAX * sizeof *p);
    static const size_t counts[] = {1, 2, 7, 16, 20, 150, 181, 330, 850};
    for (size_t n = 0; n < sizeof counts / sizeof counts[0]; n++) {
        struct dc_point same = random_point(&s);
        for (unsigned round = 0; round < (counts[n] < 30 ? 8u : 1u); round++) {
            for (size_t i = 0; i < counts[n]; i++) {
                a[i] = hard_scalar(&s, (unsigned)(i + round));
                p[i] = i % 5 == 1   ? dc_point_identity()
                       : i % 5 == 2 ? same
                       : i % 5 == 3 ? dc_point_neg(&same)
                                    : random_point(&s);
            }
            check(a, p, counts[n]);
        }
    }
    for (size_t i = 0; i < 400; i++) { /* nothing at all; then one point under one scalar */
        a[i] = dc_scalar_zero();
        p[i] = random_point(&s);
    }
    check(a, p, 400);
    check(a, p, 20);
    for (size_t i = 0; i < 400; i++) {
        a[i] = hard_scalar(&s, 2);
        p[i] = p[0];
    }
    check(a, p, 400);
    for (size_t i = 0; i < 400; i += 2) { /* what cancels out */
        a[i] = random_scalar(&s);
        a[i + 1] = dc_scalar_neg(&a[i]);
    }
    struct dc_point sum = dc_msm_vartime(a, p, 400);
    CU_ASSERT_TRUE(dc_point_is_identity(&sum));
    sum = dc_msm(a, p, 20);
    CU_ASSERT_TRUE(dc_point_is_identity(&sum));
    dc_mem_free(p);
    dc_mem_free(a);
}

/* Every scalar 2^k and 2^k - 1, each window's edge. */
static void test_powers(void)
{
    struct dc_scalar a[2], one = dc_scalar_one();
    struct dc_point p[2] = {dc_point_base(), dc_point_blinding()};
    a[0] = one;
    for (int k = 0; k < 256; k++) {
        a[1] = dc_scalar_sub(&a[0], &one);
        check(a, p, 2);
        a[0] = dc_scalar_add(&a[0], &a[0]);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"sizes", test_sizes}, {"edges", test_edges}, {"powers", test_powers}};
    dc_crypto_init();
    return TEST_MAIN("msm", cases);
}

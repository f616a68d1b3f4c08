/* Fixed point: against known answers computed with 50 decimal digits, against the long double
 * library where it is exact enough, and against the definition in 128 bits. */
#include "models/base/fixed.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

#include <math.h>

static void test_multiplication(void)
{
    CU_ASSERT_EQUAL(dc_q31_mul(DC_ONE, DC_ONE), DC_ONE);
    CU_ASSERT_EQUAL(dc_q31_mul(DC_ONE, 12345), 12345);
    CU_ASSERT_EQUAL(dc_q31_mul(DC_ONE / 2, DC_ONE / 2), DC_ONE / 4);
    CU_ASSERT_EQUAL(dc_q31_mul(1, DC_ONE - 1), 0);
    struct dc_stream s = dc_stream(1, 0, dc_name("mul"));
    for (int i = 0; i < 100000; i++) {
        dc_q31 a = (dc_q31)dc_next_below(&s, DC_ONE + 1ull);
        dc_q31 b = (dc_q31)dc_next_below(&s, DC_ONE + 1ull);
        dc_q31 p = dc_q31_mul(a, b);
        CU_ASSERT(p <= a && p <= b && p == dc_q31_mul(b, a));
        /* p <= ab < p + 1 in units of 2^-31 */
        CU_ASSERT((uint64_t)p << 31 <= (uint64_t)a * b);
        CU_ASSERT((uint64_t)a * b - ((uint64_t)p << 31) < 1ull << 31);
    }
}

static void test_ratio(void)
{
    static const struct {
        uint64_t a, b;
        dc_q31 ratio;
    } rows[] = {{0, 0, 0},          {5, 0, 0},
                {0, 5, 0},          {5, 5, DC_ONE},
                {6, 5, DC_ONE},     {UINT64_MAX, 1, DC_ONE},
                {1, 2, DC_ONE / 2}, {1, 3, 715827882}, /* floor(2^31 / 3) */
                {2, 3, 1431655765}, {UINT64_MAX - 1, UINT64_MAX, DC_ONE - 1},
                {1, UINT64_MAX, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(dc_q31_ratio(rows[i].a, rows[i].b), rows[i].ratio);
}

static void test_parts_per_million(void)
{
    CU_ASSERT_EQUAL(dc_q31_from_ppm(0), 0);
    CU_ASSERT_EQUAL(dc_q31_from_ppm(1), 2147); /* 2147.483648 */
    CU_ASSERT_EQUAL(dc_q31_from_ppm(300000), 644245094);
    CU_ASSERT_EQUAL(dc_q31_from_ppm(1000000), DC_ONE);
    CU_ASSERT_EQUAL(dc_q31_from_ppm(UINT32_MAX), DC_ONE);
}

static void test_doubles(void)
{
    CU_ASSERT_EQUAL(dc_q31_from_double((double)NAN), 0);
    CU_ASSERT_EQUAL(dc_q31_from_double(-1), 0);
    CU_ASSERT_EQUAL(dc_q31_from_double(-(double)INFINITY), 0);
    CU_ASSERT_EQUAL(dc_q31_from_double((double)INFINITY), DC_ONE);
    CU_ASSERT_EQUAL(dc_q31_from_double(1.0000001), DC_ONE);
    CU_ASSERT_EQUAL(dc_q31_from_double(1 - 0x1p-53), DC_ONE);
    CU_ASSERT_EQUAL(dc_q31_from_double(0.5), DC_ONE / 2);
    CU_ASSERT_EQUAL(dc_q31_from_double(0x1p-33), 0);
    CU_ASSERT_EQUAL(dc_q31_from_double(0x1p-32), 1); /* half rounds up */
    struct dc_stream s = dc_stream(1, 0, dc_name("double"));
    for (int i = 0; i < 10000; i++) {
        dc_q31 q = (dc_q31)dc_next_below(&s, DC_ONE + 1ull);
        CU_ASSERT_EQUAL(dc_q31_from_double(dc_q31_to_double(q)), q);
    }
}

static void test_shares_of_money(void)
{
    CU_ASSERT_EQUAL(dc_q31_of(UINT64_MAX, DC_ONE), UINT64_MAX);
    CU_ASSERT_EQUAL(dc_q31_of(UINT64_MAX, 0), 0);
    CU_ASSERT_EQUAL(dc_q31_of(UINT64_MAX, DC_ONE / 2), UINT64_MAX / 2);
    CU_ASSERT_EQUAL(dc_q31_of(3, DC_ONE / 2), 1);
    CU_ASSERT_EQUAL(dc_muldiv(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_MAX);
    CU_ASSERT_EQUAL(dc_muldiv(1000000007, 999999937, 1000000), 999999943999);
    CU_ASSERT_EQUAL(dc_muldiv(7, 3, 2), 10);
    CU_ASSERT_EQUAL(dc_add_money(UINT64_MAX - 1, 1), UINT64_MAX);
    CU_ASSERT_EQUAL(dc_sub_money(5, 5), 0);
}

/* Exhaustive: every h, every j until the result has been 0 for a while. */
static void test_powers_of_two(void)
{
    for (uint32_t h = 1; h <= 16; h *= 2) {
        dc_q31 before = DC_ONE;
        for (uint64_t j = 0; j < 40 * h; j++) {
            dc_q31 v = dc_q31_exp2_neg(j, h);
            long double exact = exp2l(31 - (long double)j / h);
            CU_ASSERT(v <= before);
            before = v;
            if (j < h)
                CU_ASSERT_EQUAL(v, (dc_q31)llroundl(exact));
            CU_ASSERT(j / h > 31 || fabsl(exact - (long double)v) < 1);
            if (j % h == 0)
                CU_ASSERT_EQUAL(v, j / h > 31 ? 0 : DC_ONE >> j / h);
        }
        CU_ASSERT_EQUAL(dc_q31_exp2_neg(UINT64_MAX, h), 0);
    }
}

/* floor(log2(v) * 65536); Python's decimal with 60 digits. */
static void test_log2_known_answers(void)
{
    static const struct {
        uint64_t v;
        uint32_t log;
    } rows[] = {{1, 0},
                {2, 65536},
                {3, 103872},
                {5, 152169},
                {7, 183982},
                {10, 217705},
                {1000, 653117},
                {65535, 1048574},
                {65537, 1048577},
                {1000000000, 1959352},
                {1000000000000000000, 3918705},
                {((uint64_t)1 << 63) - 1, 4128767},
                {((uint64_t)1 << 63) + 1, 4128768},
                {0xdeadbeefcafebabe, 4181119},
                {UINT64_MAX, 4194303}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(dc_log2_q16(rows[i].v), rows[i].log);
}

/* Every v up to 2^18 and random ones of every length.  The library's error is far below 1e-9 of
 * our unit; where the exact value is nearer than that to a whole number, powers of two apart, the
 * comparison would not be a fair one: none is met. */
static void check_log2(uint64_t v)
{
    long double exact = log2l((long double)v) * 65536;
    long double below = floorl(exact);
    uint32_t got = dc_log2_q16(v);
    if ((v & (v - 1)) == 0)
        CU_ASSERT_EQUAL(got, (uint32_t)(63 - __builtin_clzll(v)) * 65536)
    else if (exact - below > 1e-9L && exact - below < 1 - 1e-9L)
        CU_ASSERT_EQUAL(got, (uint32_t)below)
    else
        CU_ASSERT(fabsl(exact - (long double)got) <= 1 + 1e-9L);
}

static void test_log2_everywhere(void)
{
    for (uint64_t v = 1; v <= 1 << 18; v++)
        check_log2(v);
    struct dc_stream s = dc_stream(1, 0, dc_name("log2"));
    for (int bits = 18; bits < 64; bits++) {
        check_log2((uint64_t)1 << bits);
        for (int i = 0; i < 1000; i++)
            check_log2((uint64_t)1 << bits | dc_next64(&s) >> (64 - bits));
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"multiplication", test_multiplication},
        {"ratio", test_ratio},
        {"parts per million", test_parts_per_million},
        {"doubles", test_doubles},
        {"shares and sums of money", test_shares_of_money},
        {"2^(-j/h), exhaustively", test_powers_of_two},
        {"log2: known answers", test_log2_known_answers},
        {"log2: everywhere", test_log2_everywhere},
    };
    return TEST_MAIN("fixed", cases);
}

/* The Fermi rule: against the formula in floating point, its order and symmetry, and a population
 * that imitates by it against the closed form of its fixation probability. */
#include "models/adversary/fermi.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <stdio.h>

static const uint64_t units[] = {1, 3, 1000, 999999937, 123456789012345};
static const uint32_t selections[] = {0, 1, 655, 65536, 327680, 6553600, UINT32_MAX};

static long double formula(int64_t own, int64_t other, uint64_t unit, uint32_t selection_q16)
{
    long double x = ((long double)other - (long double)own) * selection_q16 / 65536 / unit;
    return 1 / (1 + expl(-x));
}

static void check(int64_t own, int64_t other, uint64_t unit, uint32_t selection)
{
    dc_q31 got = dc_fermi(own, other, unit, selection);
    long double p = formula(own, other, unit, selection), off = fabsl(got / 2147483648.0L - p);
    CU_ASSERT_TRUE(off < 0x1p-28L);
    CU_ASSERT_TRUE(p < 1e-3L || off < 1e-6L * p);
    CU_ASSERT_EQUAL(got + dc_fermi(other, own, unit, selection), DC_ONE);
}

static void test_formula(void)
{
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++)
        for (size_t s = 0; s < sizeof selections / sizeof selections[0]; s++)
            for (uint64_t i = 0; i < 400; i++) {
                /* differences of up to some 16 units, and of any size */
                uint64_t r = dc_mix64(i + 1000 * u + 100000 * s);
                int64_t own = (int64_t)(dc_mix64(r) >> 8) - ((int64_t)1 << 55);
                int64_t small = (int64_t)(r % (32 * units[u] + 1)) - (int64_t)(16 * units[u]);
                check(own, own + small, units[u], selections[s]);
                check((int64_t)r, (int64_t)dc_mix64(r + 1), units[u], selections[s]);
            }
}

static void test_ends(void)
{
    static const int64_t at[] = {INT64_MIN, -1, 0, 1, 77, INT64_MAX};
    for (size_t i = 0; i < 6; i++)
        for (size_t u = 0; u < 5; u++) {
            CU_ASSERT_EQUAL(dc_fermi(at[i], at[i], units[u], 65536), DC_ONE / 2);
            CU_ASSERT_EQUAL(dc_fermi(at[i], at[5 - i], units[u], 0), DC_ONE / 2);
        }
    CU_ASSERT_EQUAL(dc_fermi(1, 2, 0, 65536), DC_ONE / 2);
    CU_ASSERT_EQUAL(dc_fermi(INT64_MIN, INT64_MAX, 1, UINT32_MAX), DC_ONE);
    CU_ASSERT_EQUAL(dc_fermi(INT64_MAX, INT64_MIN, 1, UINT32_MAX), 0);
    /* One base unit of difference out of 2^30 shows in the last places. */
    CU_ASSERT_TRUE(dc_fermi(0, 1, 1 << 28, 65536) > DC_ONE / 2);
}

static void test_monotone(void)
{
    dc_q31 last = 0;
    for (int64_t d = -30000; d <= 30000; d++) { /* seams of the powers included */
        dc_q31 p = dc_fermi(5, 5 + d, 1000, 65536);
        CU_ASSERT_TRUE(p >= last);
        last = p;
    }
    CU_ASSERT_TRUE(last == DC_ONE);
    last = 0;
    for (int64_t d = -200000; d <= 200000; d++) { /* fine steps around the middle: strictly */
        dc_q31 p = dc_fermi(0, d, (uint64_t)1 << 27, 65536);
        CU_ASSERT_TRUE(p > last);
        last = p;
    }
}

/* One mutant among N who earns `advantage` more than each of the others, whatever their numbers.  A
 * reviser and another whom it looks at are drawn; it takes over the other's strategy by the rule.
 * The chances of one less and one more then stand in the ratio exp(-selection advantage) at every
 * state, so that the mutant takes over all with probability (1 - g) / (1 - g^N),
 * g = exp(-selection advantage) (Traulsen, Nowak, Pacheco 2006, eq. 4 with constant payoffs). */
static void test_fixation(void)
{
    enum { N = 10, TRIALS = 20000 };
    static const struct {
        int64_t advantage;
        uint32_t selection_q16;
    } cases[] = {{100, 65536}, {-100, 65536}, {0, 65536}, {300, 65536}, {100, 6554}, {100, 327680}};
    for (uint32_t c = 0; c < 6; c++) {
        struct dc_stream s = dc_stream(7, c, dc_name("fixation"));
        uint64_t fixed = 0;
        for (uint32_t trial = 0; trial < TRIALS; trial++) {
            uint32_t mutants = 1;
            while (mutants != 0 && mutants != N) {
                uint32_t reviser = (uint32_t)dc_next_below(&s, N);
                uint32_t model = (uint32_t)dc_next_below(&s, N - 1);
                model += model >= reviser;
                bool is = reviser < mutants, other = model < mutants;
                dc_q31 p = dc_fermi(is ? cases[c].advantage : 0, other ? cases[c].advantage : 0,
                                    1000, cases[c].selection_q16);
                if (is != other && dc_next64(&s) >> 33 < p)
                    mutants += other ? 1 : -1u;
            }
            fixed += mutants == N;
        }
        double x = (double)cases[c].advantage / 1000 * cases[c].selection_q16 / 65536;
        double p = x == 0 ? 1.0 / N : (1 - exp(-x)) / (1 - exp(-N * x));
        fprintf(stderr, "(%llu fixed, %.0f expected) ", (unsigned long long)fixed, p * TRIALS);
        CU_ASSERT_TRUE(test_binomial_fits(fixed, TRIALS, p, 0.001));
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"formula", test_formula},
        {"ends", test_ends},
        {"monotone", test_monotone},
        {"fixation", test_fixation},
    };
    return TEST_MAIN("fermi", cases);
}

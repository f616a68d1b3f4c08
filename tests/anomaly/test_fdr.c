/* Benjamini-Hochberg: against the definition (sort, then look from the largest down), and the rate
 * of false discoveries that it promises. */
#include "models/anomaly/fdr.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <math.h>
#include <string.h>

enum { N_MAX = 64 };

/* a/b <= c/d by cross-multiplication, c in units where it is exact. */
static bool meets(struct dc_pvalue p, uint32_t i, uint32_t h, dc_q31 fdr)
{
    return ((unsigned __int128)p.rank * h << 31) <= (unsigned __int128)fdr * i * p.of;
}

static uint32_t naive(const struct dc_pvalue *p, uint32_t n, dc_q31 fdr, uint8_t *flag)
{
    uint32_t order[N_MAX], h = 0;
    memset(flag, 0, n);
    for (uint32_t i = 0; i < n; i++) {
        if (p[i].of == 0)
            continue;
        uint32_t j = h++;
        while (j > 0 && (uint64_t)p[i].rank * p[order[j - 1]].of <
                            (uint64_t)p[order[j - 1]].rank * p[i].of) {
            order[j] = order[j - 1];
            j--;
        }
        order[j] = i;
    }
    for (uint32_t k = h; k > 0; k--) {
        if (!meets(p[order[k - 1]], k, h, fdr))
            continue;
        for (uint32_t j = 0; j < k; j++)
            flag[order[j]] = 1;
        return k;
    }
    return 0;
}

/* The example of Benjamini and Hochberg (1995), section 3.3: 15 comparisons of myocardial
 * infarction treatments at level 0.05: the first four are rejected. */
static void test_published_example(void)
{
    static const uint32_t p_e4[15] = {1,   4,    19,   95,   201,  278,  298,  344,
                                      459, 3240, 4262, 5719, 6528, 7590, 10000};
    struct dc_pvalue p[15];
    uint8_t flag[15];
    for (uint32_t i = 0; i < 15; i++)
        p[i] = (struct dc_pvalue){p_e4[14 - i], 10000};
    CU_ASSERT_EQUAL(dc_fdr_flag(p, 15, dc_q31_from_ppm(50000), flag), 4);
    for (uint32_t i = 0; i < 15; i++)
        CU_ASSERT_EQUAL(flag[i], i >= 11);
}

static void test_naive(void)
{
    uint32_t some = 0, none = 0;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("fdr"), dc_name("naive"));
        uint32_t n = (uint32_t)dc_next_below(&s, N_MAX + 1);
        dc_q31 fdr = (dc_q31)(dc_next_below(&s, DC_ONE / 4));
        uint32_t of_max = 1u << (1 + dc_next_below(&s, 31));
        struct dc_pvalue p[N_MAX];
        uint8_t flag[N_MAX], expected[N_MAX];
        for (uint32_t i = 0; i < n; i++) {
            p[i].of = dc_next_below(&s, 8) == 0 ? 0 : 1 + (uint32_t)dc_next_below(&s, of_max);
            uint64_t range = dc_next_below(&s, 2) == 0 ? p[i].of : p[i].of / 16 + 1;
            p[i].rank = p[i].of == 0 ? 0 : 1 + (uint32_t)dc_next_below(&s, range);
            if (p[i].rank > p[i].of)
                p[i].rank = p[i].of;
        }
        uint32_t flags = dc_fdr_flag(p, n, fdr, flag);
        CU_ASSERT_EQUAL(flags, naive(p, n, fdr, expected));
        CU_ASSERT_EQUAL(memcmp(flag, expected, n), 0);
        some += flags > 0;
        none += flags == 0;
    }
    CU_ASSERT(some > 2000 && none > 2000);
}

/* A p-value that meets its bound with equality is flagged; one part in 2^31 less of fdr, and
 * not. */
static void test_edges(void)
{
    struct dc_pvalue p[4] = {{1, 8}, {1, 1}, {1, 1}, {1, 1}};
    uint8_t flag[4];
    CU_ASSERT_EQUAL(dc_fdr_flag(p, 4, DC_ONE / 2, flag), 1);
    CU_ASSERT_EQUAL(flag[0], 1);
    CU_ASSERT_EQUAL(dc_fdr_flag(p, 4, DC_ONE / 2 - 1, flag), 0);
    CU_ASSERT_EQUAL(dc_fdr_flag(p, 4, DC_ONE, flag), 4);
    CU_ASSERT_EQUAL(dc_fdr_flag(p, 4, 0, flag), 0);
    CU_ASSERT_EQUAL(dc_fdr_flag(p, 0, DC_ONE, flag), 0);
    struct dc_pvalue large[2] = {{UINT32_MAX, UINT32_MAX}, {1, UINT32_MAX}};
    CU_ASSERT_EQUAL(dc_fdr_flag(large, 2, DC_ONE, flag), 2);
    CU_ASSERT_EQUAL(dc_fdr_flag(large, 2, 1, flag), 0); /* 1/(2^32 - 1) > 2^-31 / 2 */
    CU_ASSERT_EQUAL(dc_fdr_flag(large, 2, 2, flag), 1);
    CU_ASSERT_EQUAL(flag[1], 1);
}

static void test_bonferroni(void)
{
    struct dc_pvalue p = dc_pvalue_times((struct dc_pvalue){3, 10}, 2);
    CU_ASSERT(p.rank == 6 && p.of == 10);
    p = dc_pvalue_times((struct dc_pvalue){6, 10}, 2);
    CU_ASSERT(p.rank == 10 && p.of == 10);
    p = dc_pvalue_times((struct dc_pvalue){UINT32_MAX, UINT32_MAX}, UINT32_MAX);
    CU_ASSERT(p.rank == UINT32_MAX && p.of == UINT32_MAX);
    CU_ASSERT(dc_pvalue_less((struct dc_pvalue){1, 3}, (struct dc_pvalue){2, 5}));
    CU_ASSERT(!dc_pvalue_less((struct dc_pvalue){2, 6}, (struct dc_pvalue){1, 3}));
}

/* 32 hypotheses, 24 of them true: E[false / max(1, flags)] = (24/32) fdr exactly for independent
 * uniform p-values.  Two-sided z-test at level 0.001 over seeds 1..20000; with all true,
 * P(any flag) = fdr, a binomial test at the same level. */
static void test_false_discovery_rate(void)
{
    enum { N = 32, TRUE = 24, RUNS = 20000 };
    const double fdr = 0.1;
    double sum = 0, square = 0;
    uint64_t any = 0, found = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("fdr"), dc_name("rate"));
        struct dc_pvalue p[N];
        uint8_t flag[N];
        for (uint32_t i = 0; i < N; i++)
            p[i] = (struct dc_pvalue){1 + (uint32_t)(dc_next64(&s) >> 34), 1u << 30};
        any += dc_fdr_flag(p, N, dc_q31_from_double(fdr), flag) > 0;
        for (uint32_t i = TRUE; i < N; i++)
            p[i].rank = 1 + p[i].rank / 64;
        uint32_t flags = dc_fdr_flag(p, N, dc_q31_from_double(fdr), flag), wrong = 0;
        for (uint32_t i = 0; i < TRUE; i++)
            wrong += flag[i];
        found += flags - wrong;
        double share = flags == 0 ? 0 : (double)wrong / flags;
        sum += share;
        square += share * share;
    }
    double mean = sum / RUNS, deviation = sqrt((square / RUNS - mean * mean) / RUNS);
    CU_ASSERT(fabs(mean - fdr * TRUE / N) < 3.29 * deviation);
    CU_ASSERT(test_binomial_fits(any, RUNS, fdr, 0.001));
    CU_ASSERT(found > RUNS * 4u); /* the test would be empty if nothing were found */
}

int main(void)
{
    static const struct test_case cases[] = {
        {"published example", test_published_example},
        {"naive", test_naive},
        {"edges", test_edges},
        {"bonferroni", test_bonferroni},
        {"false discovery rate", test_false_discovery_rate},
    };
    return TEST_MAIN("fdr", cases);
}

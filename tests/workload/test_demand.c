/* Zipf popularity and Poisson arrivals. */
#include "models/base/mem.h"
#include "sim/workload/demand.h"
#include "tests/support/harness.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

#define SEEDS 5

/* What the alias table gives each object, exactly, is its Zipf weight to 2^-30 of a column. */
static void test_weights(void)
{
    static const struct {
        uint32_t count;
        double exponent;
    } cases[] = {{1, 1.1}, {2, 1}, {10, 0}, {1000, 1.1}, {1000, 20}, {4096, 0.5}, {50000, 2}};
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        const uint32_t n = cases[k].count;
        struct ds_popularity p;
        struct dc_error error = {0};
        CU_ASSERT_EQUAL_FATAL(ds_popularity_zipf(n, cases[k].exponent, &p, &error), DC_OK);
        uint64_t *weight = dc_mem_alloc(n, sizeof(*weight)), total = 0;
        double sum = 0;
        for (uint32_t i = 0; i < n; i++) {
            CU_ASSERT_FATAL(p.share[i] <= 1ull << 32 && p.alias[i] < n);
            weight[i] += p.share[i];
            weight[p.alias[i]] += (1ull << 32) - p.share[i];
            sum += pow(i + 1, -cases[k].exponent);
        }
        for (uint32_t i = 0; i < n; i++) {
            double want = pow(i + 1, -cases[k].exponent) / sum * n * 4294967296.0;
            CU_ASSERT_TRUE(fabs((double)weight[i] - want) < (i == 0 ? n + want * 1e-12 : 2));
            total += weight[i];
        }
        CU_ASSERT_EQUAL(total, n * (1ull << 32));
        dc_mem_free(weight);
        ds_popularity_free(&p);
    }
}

/* Chi-square over 50 objects at 0.001 for the five seeds together: 49 degrees of freedom. */
static void test_zipf_draws(void)
{
    enum { N = 50, DRAWS = 100000 };
    struct ds_popularity p;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_popularity_zipf(N, 1.1, &p, &error), DC_OK);
    double sum = 0, limit = gsl_cdf_chisq_Qinv(0.001 / SEEDS, N - 1);
    for (int i = 0; i < N; i++)
        sum += pow(i + 1, -1.1);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct dc_stream s = dc_stream(seed, 1, 1);
        double seen[N] = {0}, chi = 0;
        for (int i = 0; i < DRAWS; i++)
            seen[ds_popularity_at(&p, dc_next64(&s))]++;
        for (int i = 0; i < N; i++) {
            double want = DRAWS * pow(i + 1, -1.1) / sum;
            chi += (seen[i] - want) * (seen[i] - want) / want;
        }
        CU_ASSERT_TRUE(chi < limit);
    }
    ds_popularity_free(&p);
}

static void test_zipf_refusals(void)
{
    struct ds_popularity p;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(ds_popularity_zipf(0, 1, &p, &error), DC_ERR_USAGE);
    CU_ASSERT_EQUAL(ds_popularity_zipf(DS_POPULARITY_COUNT_MAX + 1, 1, &p, &error), DC_ERR_USAGE);
    CU_ASSERT_EQUAL(ds_popularity_zipf(5, -1, &p, &error), DC_ERR_USAGE);
    CU_ASSERT_EQUAL(ds_popularity_zipf(5, NAN, &p, &error), DC_ERR_USAGE);
    for (uint64_t budget = 0; budget < 3; budget++) {
        dc_mem_budget(budget);
        CU_ASSERT_EQUAL(ds_popularity_zipf(5, 1, &p, &error), DC_ERR_IO);
        CU_ASSERT_PTR_NULL(p.alias);
    }
    dc_mem_budget(UINT64_MAX);
}

/* Arrivals in a second are Poisson: over 2,000 seconds at 3 per second, chi-square on the counts
 * 0..8 and more, 9 degrees of freedom. */
static void test_poisson(void)
{
    enum { SECONDS = 2000, CLASSES = 10 };
    struct ds_arrivals a;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_arrivals_init(&a, &error), DC_OK);
    const double limit = gsl_cdf_chisq_Qinv(0.001 / SEEDS, CLASSES - 1);
    const int64_t second = 1000000000, mean_ns = second / 3;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct dc_stream s = dc_stream(seed, 2, 2);
        double seen[CLASSES] = {0}, chi = 0, rest = SECONDS, p = exp(-3);
        int64_t next = ds_arrivals_gap_at(&a, mean_ns, dc_next64(&s));
        for (int64_t t = 0; t < SECONDS; t++) {
            int count = 0;
            for (; next < (t + 1) * second; count++)
                next += ds_arrivals_gap_at(&a, mean_ns, dc_next64(&s));
            seen[count < CLASSES - 1 ? count : CLASSES - 1]++;
        }
        for (int k = 0; k < CLASSES; k++) {
            double want = k < CLASSES - 1 ? SECONDS * p : rest;
            chi += (seen[k] - want) * (seen[k] - want) / want;
            rest -= want;
            p *= 3.0 / (k + 1);
        }
        CU_ASSERT_TRUE(chi < limit);
    }
    CU_ASSERT_EQUAL(ds_arrivals_gap_at(&a, 1, 0), 1);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"zipf: weights of the table", test_weights},
        {"zipf: draws", test_zipf_draws},
        {"zipf: refusals and memory", test_zipf_refusals},
        {"poisson arrivals", test_poisson},
    };
    return TEST_MAIN("demand", cases);
}

/* Distributions against published tables; intervals by how often they cover what they estimate. */
#include "analysis/resample.h"

#include "models/base/rng.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <math.h>

static double uniform(struct dc_stream *s)
{
    return ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
}
static double normal(struct dc_stream *s)
{
    return da_normal_quantile(uniform(s));
}
static struct dc_stream stream_of(uint64_t seed)
{
    return dc_stream(seed, dc_name("test"), dc_name("stats"));
}

/* Student's table (e.g. NIST/SEMATECH e-Handbook 1.3.6.7.2) and the normal one (1.3.6.7.1). */
static void test_tables(void)
{
    static const struct {
        double p, df, t;
    } t[] = {{0.90, 1, 3.078},   {0.975, 1, 12.706}, {0.999, 1, 318.309}, {0.95, 2, 2.920},
             {0.975, 5, 2.571},  {0.995, 5, 4.032},  {0.95, 9, 1.833},    {0.975, 9, 2.262},
             {0.995, 9, 3.250},  {0.999, 9, 4.297},  {0.975, 19, 2.093},  {0.995, 19, 2.861},
             {0.975, 30, 2.042}, {0.99, 60, 2.390},  {0.975, 100, 1.984}, {0.999, 100, 3.174}};
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        CU_ASSERT_DOUBLE_EQUAL(da_t_quantile(t[i].p, t[i].df), t[i].t, 5.01e-4);
        CU_ASSERT_DOUBLE_EQUAL(da_t_quantile(1 - t[i].p, t[i].df), -t[i].t, 5.01e-4);
    }
    static const struct {
        double p, z;
    } z[] = {{0.5, 0},         {0.9, 1.281552},   {0.95, 1.644854},  {0.975, 1.959964},
             {0.99, 2.326348}, {0.995, 2.575829}, {0.999, 3.090232}, {1 - 1e-6, 4.753424}};
    for (size_t i = 0; i < sizeof z / sizeof z[0]; i++) {
        CU_ASSERT_DOUBLE_EQUAL(da_normal_quantile(z[i].p), z[i].z, 5.1e-7);
        CU_ASSERT_DOUBLE_EQUAL(da_normal_below(z[i].z), z[i].p, 1e-7);
    }
    /* closed forms: df 1 is Cauchy's, df 2 t / sqrt(t^2 + 2); far tails and large df */
    CU_ASSERT_DOUBLE_EQUAL(da_t_quantile(1e-9, 1) * 3.14159265358979 * 1e-9, -1, 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(da_t_quantile(0.5 + 1.5 / sqrt(11), 2), 3, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(da_t_quantile(0.975, 1e9), 1.959963985, 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(da_t_quantile(0.975, INFINITY), 1.959963985, 1e-9);
    CU_ASSERT(da_t_quantile(1, 3) == INFINITY && da_t_quantile(0, 3) == -INFINITY);
    CU_ASSERT(isnan(da_t_quantile(0.5, 0)) && isnan(da_t_quantile(NAN, 3)));
    CU_ASSERT(isnan(da_normal_quantile(1.5)));
}

static void test_means(void)
{
    /* NIST StRD, univariate summary statistics: NumAcc3 (mean 1000000.2, deviation 0.1) and
     * NumAcc4 (10000000.2, 0.1): 1001 values that a one-pass variance gets wrong. */
    double x[1001];
    for (int k = 0; k < 2; k++) {
        double base = k == 0 ? 1000000 : 10000000;
        x[0] = base + 0.2;
        for (size_t i = 1; i < 1001; i++)
            x[i] = base + (i % 2 == 1 ? 0.1 : 0.3);
        CU_ASSERT_DOUBLE_EQUAL(da_mean(x, 1001), base + 0.2, 1e-14 * base);
        CU_ASSERT_DOUBLE_EQUAL(sqrt(da_variance(x, 1001)), 0.1, 1e-8);
    }
    const double y[] = {1, 2, 3, 4, 10};
    struct da_estimate e = da_mean_interval(y, 5, 0.95); /* 4 +- 2.776 sqrt(12.5 / 5) */
    CU_ASSERT_DOUBLE_EQUAL(e.value, 4, 0);
    CU_ASSERT_DOUBLE_EQUAL(e.lo, 4 - 2.776445 * sqrt(2.5), 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(e.hi, 4 + 2.776445 * sqrt(2.5), 1e-5);
    CU_ASSERT_EQUAL(e.count, 5);
    CU_ASSERT(isnan(da_mean(y, 0)) && isnan(da_variance(y, 1)));
    e = da_mean_interval(y, 1, 0.95);
    CU_ASSERT(e.value == 1 && isnan(e.lo) && isnan(e.hi));
    const double same[] = {7, 7, 7};
    e = da_mean_interval(same, 3, 0.95);
    CU_ASSERT(e.lo == 7 && e.hi == 7);
    /* Welch on Student's sleep data as two samples: t = 1.8608 on 17.776 degrees, 95 %
     * -0.2054832 .. 3.3654832 (R: t.test(extra ~ group)); paired: 1.58, 0.7001142 .. 2.4598858 */
    const double a[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    const double b[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    e = da_welch_interval(b, 10, a, 10, 0.95);
    CU_ASSERT_DOUBLE_EQUAL(e.value, 1.58, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(e.lo, -0.2054832, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(e.hi, 3.3654832, 1e-6);
    e = da_paired_interval(b, a, 10, 0.95);
    CU_ASSERT_DOUBLE_EQUAL(e.lo, 0.7001142, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(e.hi, 2.4598858, 1e-6);
    e = da_welch_interval(same, 3, same, 3, 0.95);
    CU_ASSERT(e.value == 0 && e.lo == 0 && e.hi == 0);
    CU_ASSERT(isnan(da_welch_interval(a, 10, b, 1, 0.95).lo));
}

/* Clopper and Pearson's 95 % limits as commonly tabulated: 0 of 10 and 5 of 10 (e.g. Newcombe 1998,
 * table I: 81/263, 15/148, 0/20, 1/29). */
static void test_binomial_known(void)
{
    static const struct {
        uint64_t k, n;
        double lo, hi;
    } known[] = {{81, 263, 0.2527, 0.3676}, {15, 148, 0.0578, 0.1617}, {0, 20, 0, 0.1684},
                 {1, 29, 0.0009, 0.1776},   {0, 10, 0, 0.3085},        {5, 10, 0.1871, 0.8129},
                 {10, 10, 0.6915, 1}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct da_estimate e = da_binomial_interval(known[i].k, known[i].n, 0.95);
        CU_ASSERT_DOUBLE_EQUAL(e.lo, known[i].lo, 5.1e-5);
        CU_ASSERT_DOUBLE_EQUAL(e.hi, known[i].hi, 5.1e-5);
    }
    struct da_estimate none = da_binomial_interval(0, 0, 0.95);
    CU_ASSERT(isnan(none.value) && none.lo == 0 && none.hi == 1);
    /* far from where Newton's method converges: 1 of 10^9, by Poisson's limits 0.025318, 5.5716 */
    struct da_estimate rare = da_binomial_interval(1, 1000000000, 0.95);
    CU_ASSERT_DOUBLE_EQUAL(rare.lo * 1e9, 0.025318, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(rare.hi * 1e9, 5.5716, 1e-4);
}

/* Exact, by summation over all outcomes: never below the level, whatever the share. */
static void test_binomial_coverage(void)
{
    for (uint64_t n = 1; n <= 40; n += 3)
        for (double p = 0.01; p < 1; p += 0.07) {
            double covers = 0;
            for (uint64_t k = 0; k <= n; k++) {
                struct da_estimate e = da_binomial_interval(k, n, 0.9);
                if (e.lo <= p && p <= e.hi)
                    covers += exp(test_binomial_log(k, n, p));
            }
            CU_ASSERT(covers >= 0.9);
        }
}

static void test_quantiles(void)
{
    /* type 7 of 1..10 (R: quantile(1:10, c(.25, .5, .9)) = 3.25 5.5 9.1) */
    double x[10] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    CU_ASSERT_DOUBLE_EQUAL(da_quantile_interval(x, 10, 0.25, 0.9).value, 3.25, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(da_quantile_interval(x, 10, 0.9, 0.9).value, 9.1, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(da_quantile_interval(x, 10, 1, 0.9).value, 10, 0);
    /* The median of 10: (x2, x9) covers 0.9785, (x3, x8) only 0.8906 (David and Nagaraja, 7.1) */
    struct da_estimate e = da_quantile_interval(x, 10, 0.5, 0.95);
    CU_ASSERT(e.value == 5.5 && e.lo == 2 && e.hi == 9 && e.count == 10);
    e = da_quantile_interval(x, 10, 0.5, 0.89);
    CU_ASSERT(e.lo == 3 && e.hi == 8);
    /* no pair of 10 covers the 99 % quantile with 95 %: 1 - 0.99^10 = 0.0956 */
    e = da_quantile_interval(x, 10, 0.99, 0.95);
    CU_ASSERT(isnan(e.lo) && isnan(e.hi) && e.value > 9.9);
    CU_ASSERT(isnan(da_quantile_interval(x, 0, 0.5, 0.95).value));
    /* the pair itself, on ranks as values: exact coverage at least the level, and no narrower pair
     * has it */
    double rank[200];
    for (size_t i = 0; i < 200; i++)
        rank[i] = (double)(i + 1);
    for (size_t n = 20; n <= 200; n += 20)
        for (double p = 0.1; p < 0.95; p += 0.1) {
            e = da_quantile_interval(rank, n, p, 0.9);
            if (isnan(e.lo))
                continue;
            uint64_t lo = (uint64_t)e.lo, hi = (uint64_t)e.hi;
            double covers =
                test_binomial_at_most(hi - 1, n, p) - test_binomial_at_most(lo - 1, n, p);
            CU_ASSERT(covers >= 0.9);
            for (uint64_t i = 1; i + (hi - lo) - 1 <= n && hi - lo > 1; i++)
                CU_ASSERT(test_binomial_at_most(i + (hi - lo) - 2, n, p) -
                              test_binomial_at_most(i - 1, n, p) <
                          0.9);
        }
}

struct coverage {
    uint64_t mean, paired, welch, quantile, of;
};
/* Seeds 1..2000: Student's and Welch's intervals cover with 95 % (normal data, unequal variances),
 * the quantile's with what its pair of order statistics has, here on exponential data. */
static void test_coverage(void)
{
    struct coverage c = {.of = 2000};
    double a[30], b[12], d[12], x[30];
    for (uint64_t seed = 1; seed <= c.of; seed++) {
        struct dc_stream s = stream_of(seed);
        for (size_t i = 0; i < 30; i++)
            a[i] = 5 + normal(&s);
        for (size_t i = 0; i < 12; i++) {
            b[i] = 3 + 4 * normal(&s);
            d[i] = b[i] + 1 + 0.3 * normal(&s);
        }
        for (size_t i = 0; i < 30; i++)
            x[i] = -log(uniform(&s));
        struct da_estimate e = da_mean_interval(b, 12, 0.95);
        c.mean += e.lo <= 3 && 3 <= e.hi;
        e = da_paired_interval(d, b, 12, 0.95);
        c.paired += e.lo <= 1 && 1 <= e.hi;
        e = da_welch_interval(a, 30, b, 12, 0.95);
        c.welch += e.lo <= 2 && 2 <= e.hi;
        e = da_quantile_interval(x, 30, 0.75, 0.95);
        double q = log(4);
        c.quantile += e.lo <= q && q <= e.hi;
    }
    CU_ASSERT(test_binomial_fits(c.mean, c.of, 0.95, 1e-3));
    CU_ASSERT(test_binomial_fits(c.paired, c.of, 0.95, 1e-3));
    CU_ASSERT(test_binomial_fits(c.welch, c.of, 0.95, 1e-3));
    double rank[30];
    for (size_t i = 0; i < 30; i++)
        rank[i] = (double)(i + 1);
    struct da_estimate pair = da_quantile_interval(rank, 30, 0.75, 0.95);
    double covers = test_binomial_at_most((uint64_t)pair.hi - 1, 30, 0.75) -
                    test_binomial_at_most((uint64_t)pair.lo - 1, 30, 0.75);
    CU_ASSERT(covers >= 0.95 && covers < 0.99);
    CU_ASSERT(test_binomial_fits(c.quantile, c.of, covers, 1e-3));
}

/* ---- bootstrap ------------------------------------------------------------------------------- */

static void boot_mean(void *ctx, const size_t *row, size_t rows, double *out)
{
    const double *x = ctx;
    out[0] = 0;
    for (size_t i = 0; i < rows; i++)
        out[0] += x[row[i]] / (double)rows;
    out[1] = row[0] == 0 ? 5 : NAN; /* hardly ever defined */
}

/* Against Student's on 30 normal values: half-widths agree, which is what the percentiles are
 * expanded for; against how often it covers. */
static void test_bootstrap(void)
{
    enum { N = 30, DRAWS = 400, SEEDS = 400, WIDTH = 2 };
    static double drawn[DRAWS * WIDTH], other[DRAWS * WIDTH];
    double x[N], ratio = 0;
    uint64_t covers = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct dc_stream s = stream_of(seed);
        for (size_t i = 0; i < N; i++)
            x[i] = normal(&s);
        struct da_estimate t = da_mean_interval(x, N, 0.95);
        CU_ASSERT_FATAL(da_resample(N, DRAWS, seed, WIDTH, boot_mean, x, drawn));
        struct da_estimate boot = da_resample_interval(t.value, drawn, DRAWS, WIDTH, 0, N, 0.95);
        ratio += (boot.hi - boot.lo) / (t.hi - t.lo) / SEEDS;
        covers += boot.lo <= 0 && 0 <= boot.hi;
    }
    CU_ASSERT_DOUBLE_EQUAL(ratio, 1, 0.02);
    CU_ASSERT(test_binomial_fits(covers, SEEDS, 0.95, 1e-3));
    CU_ASSERT(isnan(da_resample_interval(5, drawn, DRAWS, WIDTH, 1, N, 0.95).lo));
    CU_ASSERT(isnan(da_resample_interval(5, drawn, DRAWS, WIDTH, 0, 2, 0.95).lo));
    CU_ASSERT_FATAL(da_resample(N, DRAWS, SEEDS, WIDTH, boot_mean, x, other));
    CU_ASSERT(drawn[0] == other[0]);
    CU_ASSERT_FATAL(da_resample(N, DRAWS, 7, WIDTH, boot_mean, x, other));
    CU_ASSERT(drawn[0] != other[0]);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"tables", test_tables},
        {"means", test_means},
        {"binomial, known", test_binomial_known},
        {"binomial, coverage", test_binomial_coverage},
        {"quantiles", test_quantiles},
        {"coverage", test_coverage},
        {"bootstrap", test_bootstrap},
    };
    return TEST_MAIN("stats", cases);
}

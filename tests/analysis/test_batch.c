/* Correlated series: batch means on the waiting times of M/M/1, and MSER-5 on known transients. */
#include "analysis/stats.h"

#include "models/base/rng.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <math.h>
#include <stdlib.h>

static double uniform(struct dc_stream *s)
{
    return ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
}
static double exponential(struct dc_stream *s)
{
    return -log(uniform(s));
}

/* Waiting times in queue of M/M/1 with service rate 1 and utilisation rho (Lindley's recursion).
 * Stationary from the start: the first customer waits with its limit distribution, 0 with
 * probability 1 - rho, else exponential of rate 1 - rho. */
static void mm1(uint64_t seed, double rho, double *w, size_t n)
{
    struct dc_stream s = dc_stream(seed, dc_name("mm1"), dc_name("times"));
    double now = uniform(&s) < rho ? exponential(&s) / (1 - rho) : 0;
    for (size_t i = 0; i < n; i++) {
        w[i] = now;
        double service = exponential(&s), gap = exponential(&s) / rho;
        now = fmax(now + service - gap, 0);
    }
}

/* The mean wait is rho / (1 - rho) = 4.  Its correlation lasts for some 2 / (1 - sqrt(rho))^2 = 180
 * customers; at 40,000 of them a tenth of the series is twenty times that, and the nominal 90 % is
 * inside what 300 seeds can tell.  At 4,000 the intervals are too short, as they are known to be
 * (Law, 9.5.3): that, too, is seen. */
static void test_mm1(void)
{
    enum { LONG = 40000, SHORT = 4000, SEEDS = 300 };
    double *w = malloc(LONG * sizeof *w);
    uint64_t covers = 0, covers_short = 0, naive = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        mm1(seed, 0.8, w, LONG);
        struct da_estimate e = da_batch_means(w, LONG, 0.9);
        covers += e.lo <= 4 && 4 <= e.hi;
        CU_ASSERT(e.count == LONG);
        e = da_mean_interval(w, LONG, 0.9);
        naive += e.lo <= 4 && 4 <= e.hi;
        e = da_batch_means(w, SHORT, 0.9);
        covers_short += e.lo <= 4 && 4 <= e.hi;
    }
    free(w);
    CU_ASSERT(test_binomial_fits(covers, SEEDS, 0.9, 1e-3));
    CU_ASSERT(covers_short <= covers);
    CU_ASSERT(naive < SEEDS / 3); /* what it is for: the same, as if customers were independent */
}

/* Independent values: 40 batches, so Student's t with 39 degrees; and they cover. */
static void test_independent(void)
{
    enum { N = 4000, SEEDS = 1000 };
    static double x[N]; /* the executable's own */
    uint64_t covers = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("test"), dc_name("batch"));
        for (size_t i = 0; i < N; i++)
            x[i] = exponential(&s);
        struct da_estimate e = da_batch_means(x, N, 0.95);
        covers += e.lo <= 1 && 1 <= e.hi;
    }
    CU_ASSERT(test_binomial_fits(covers, SEEDS, 0.95, 1e-3));
    CU_ASSERT(isnan(da_batch_means(x, 9, 0.95).lo) && da_batch_means(x, 9, 0.95).value > 0);
    CU_ASSERT(!isnan(da_batch_means(x, 10, 0.95).lo));
    CU_ASSERT(isnan(da_batch_means(x, 0, 0.95).value));
    /* a straight line is correlated in any batches: ten of them, of which the mean is known */
    for (size_t i = 0; i < N; i++)
        x[i] = (double)i;
    struct da_estimate e = da_batch_means(x, N, 0.95);
    double y[10];
    for (size_t i = 0; i < 10; i++)
        y[i] = 199.5 + 400 * (double)i;
    struct da_estimate ten = da_mean_interval(y, 10, 0.95);
    CU_ASSERT(e.value == ten.value && e.lo == ten.lo && e.hi == ten.hi);
}

/* Constructed so that the answer is known: `transient` values far above a level that alternates
 * with no noise within five, so the statistic falls until the transient is gone and rises after. */
static void test_mser_constructed(void)
{
    enum { N = 1000 };
    double x[N];
    for (size_t transient = 0; transient <= 300; transient += 5) {
        for (size_t i = 0; i < N; i++)
            x[i] = i < transient ? 10 : (i / 5 % 2 == 0 ? 1 : -1);
        CU_ASSERT_EQUAL(da_mser5(x, N), transient);
    }
    for (size_t i = 0; i < N; i++) /* a transient without an end: never more than half */
        x[i] = exp(-(double)i / 100);
    CU_ASSERT_EQUAL(da_mser5(x, N), N / 2);
    for (size_t i = 0; i < N; i++)
        x[i] = 3;
    CU_ASSERT_EQUAL(da_mser5(x, N), 0);
    CU_ASSERT_EQUAL(da_mser5(x, 9), 0);
    CU_ASSERT_EQUAL(da_mser5(x, 0), 0);
}

/* Against the definition, term by term, on noisy decays; and it removes the bias: an AR(1) that
 * begins 20 deviations off is 5 % biased over 2000 values, and not after truncation. */
static void test_mser_definition(void)
{
    enum { N = 500, B = N / 5, SEEDS = 50 };
    double x[N], y[B], kept = 0, all = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("test"), dc_name("mser"));
        double now = 20;
        for (size_t i = 0; i < N; i++) {
            x[i] = now;
            now = 0.9 * now + da_normal_quantile(uniform(&s));
        }
        for (size_t i = 0; i < B; i++)
            y[i] = da_mean(x + 5 * i, 5);
        double least = INFINITY;
        size_t best = 0;
        for (size_t d = 0; d <= B / 2; d++) {
            double n = (double)(B - d), mean = da_mean(y + d, B - d), sum = 0;
            for (size_t i = d; i < B; i++)
                sum += (y[i] - mean) * (y[i] - mean);
            if (sum / (n * n) < least) {
                least = sum / (n * n);
                best = d;
            }
        }
        size_t drop = da_mser5(x, N);
        CU_ASSERT_EQUAL(drop, best * 5);
        kept += da_mean(x + drop, N - drop) / SEEDS;
        all += da_mean(x, N) / SEEDS;
    }
    CU_ASSERT(fabs(kept) < 0.25 && all > 0.3); /* 20 / (1 - 0.9) / 500 = 0.4 */
}

int main(void)
{
    static const struct test_case cases[] = {
        {"M/M/1", test_mm1},
        {"independent values", test_independent},
        {"MSER-5, constructed", test_mser_constructed},
        {"MSER-5, by its definition", test_mser_definition},
    };
    return TEST_MAIN("batch", cases);
}

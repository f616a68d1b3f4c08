/* Tables against GSL's own distribution functions and closed-form moments. */
#include "models/base/rng.h"
#include "sim/workload/tabulate.h"
#include "tests/support/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCALE 1e9

static const struct {
    struct ds_tabulate_spec spec;
    double mean;
} good[] = {
    {{DS_TABULATE_UNIFORM, {2, 5}, false, 0, 0, SCALE}, 3.5},
    {{DS_TABULATE_NORMAL, {10, 3}, false, 0, 0, SCALE}, 10},
    /* the mean of a normal above 0: m + s phi(m/s) / Phi(m/s) */
    {{DS_TABULATE_NORMAL, {0.25, 0.05}, true, 0, INFINITY, SCALE}, 0.25000007433598},
    {{DS_TABULATE_NORMAL, {0, 1}, true, 0, INFINITY, SCALE}, 0.79788456080287},
    {{DS_TABULATE_NORMAL, {0, 1}, true, 8, INFINITY, SCALE}, 8.1213681122},
    {{DS_TABULATE_NORMAL, {0, 1}, true, -1, 1, SCALE}, 0},
    {{DS_TABULATE_LOGNORMAL, {1, 0.016}, false, 0, 0, 1 << 20}, 1.00012800819},
    {{DS_TABULATE_LOGNORMAL, {2, 1}, false, 0, 0, SCALE}, 3.29744254140},
    {{DS_TABULATE_EXPONENTIAL, {3}, false, 0, 0, SCALE}, 3},
    {{DS_TABULATE_PARETO, {2000, 1.6}, false, 0, 0, 1e6}, 5333.3333333},
    {{DS_TABULATE_PARETO, {1, 3}, false, 0, 0, SCALE}, 1.5},
    {{DS_TABULATE_WEIBULL, {6, 0.7}, false, 0, 0, SCALE}, 7.59494104},
    {{DS_TABULATE_WEIBULL, {1, 50}, false, 0, 0, SCALE}, 0.988844203},
    {{DS_TABULATE_GAMMA, {2.5, 2}, false, 0, 0, SCALE}, 5},
    {{DS_TABULATE_BETA, {2, 5}, false, 0, 0, SCALE}, 2.0 / 7},
    {{DS_TABULATE_BETA, {0.5, 0.5}, false, 0, 0, SCALE}, 0.5},
};
#define GOOD (sizeof(good) / sizeof(good[0]))

static struct dc_dist table_of(struct ds_tabulate_spec spec)
{
    struct dc_dist d;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_tabulate(&spec, &d, &error), DC_OK);
    return d;
}

/* The points are where GSL's distribution function says that they are; all is monotone. */
static void test_points(void)
{
    const int n = DC_DIST_CELLS;
    for (size_t k = 0; k < GOOD; k++) {
        struct dc_dist d = table_of(good[k].spec);
        double scale = good[k].spec.scale;
        CU_ASSERT_EQUAL(d.tail[0], d.cell[n - 1]);
        CU_ASSERT_EQUAL(d.tail[n], d.cell[n]);
        CU_ASSERT_EQUAL(d.min, dc_dist_at(&d, 0));
        CU_ASSERT_TRUE(dc_dist_at(&d, UINT64_MAX) <= d.max);
        for (int i = 0; i < n; i++) {
            CU_ASSERT_TRUE(d.cell[i] <= d.cell[i + 1] && d.tail[i] <= d.tail[i + 1]);
            /* rounding moves a point by up to half a unit */
            double x = (double)d.cell[i], y = (double)d.tail[i];
            double u = (double)i / n, v = 1 - (double)(n - i) / n / n;
            double below = ds_tabulate_cdf(&good[k].spec, (x - 0.6) / scale) - 1e-9;
            double above = ds_tabulate_cdf(&good[k].spec, (x + 0.6) / scale) + 1e-9;
            CU_ASSERT_TRUE(i == 0 ? below < 1.0 / n / 4 : below <= u && u <= above);
            below = ds_tabulate_cdf(&good[k].spec, (y - 0.6) / scale) - 1e-9;
            above = ds_tabulate_cdf(&good[k].spec, (y + 0.6) / scale) + 1e-9;
            CU_ASSERT_TRUE(below <= v && v <= above);
        }
    }
}

/* To 0.002 of the width of the middle three quarters: what straight lines between the points cost
 * the heaviest tail here (a Pareto mean, exponent 1.6, comes out 0.15 % too high). */
static void test_means(void)
{
    for (size_t k = 0; k < GOOD; k++) {
        struct dc_dist d = table_of(good[k].spec);
        double mean = (double)ds_tabulate_mean(&d) / good[k].spec.scale;
        double width = (double)(d.cell[896] - d.cell[128]) / good[k].spec.scale;
        CU_ASSERT_TRUE(fabs(mean - good[k].mean) < 0.002 * width);
    }
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Kolmogorov and Smirnov: 20,000 draws, seeds 1..5, level 0.001 for each table's five together:
 * sqrt(-ln(0.0002 / 2) / 2) = 2.146. */
static void test_draws(void)
{
    enum { N = 20000, SEEDS = 5 };
    static int64_t x[N];
    for (size_t k = 0; k < GOOD; k++) {
        struct dc_dist d = table_of(good[k].spec);
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct dc_stream s = dc_stream(seed, dc_name("test"), k);
            double worst = 0;
            for (int i = 0; i < N; i++)
                x[i] = dc_dist_at(&d, dc_next64(&s));
            qsort(x, N, sizeof(x[0]), compare);
            for (int i = 0; i < N; i++) {
                double f = ds_tabulate_cdf(&good[k].spec, (double)x[i] / good[k].spec.scale);
                worst = fmax(worst, fmax(f - (double)i / N, (double)(i + 1) / N - f));
            }
            CU_ASSERT_TRUE(worst * sqrt(N) < 2.146);
        }
    }
}

static void test_constants(void)
{
    static const struct ds_tabulate_spec same[] = {
        {DS_TABULATE_CONSTANT, {1.5}, false, 0, 0, 1000},
        {DS_TABULATE_NORMAL, {1.5, 0}, true, 0, INFINITY, 1000},
        {DS_TABULATE_LOGNORMAL, {1.5, 0}, false, 0, 0, 1000},
        {DS_TABULATE_UNIFORM, {1.5, 1.5}, false, 0, 0, 1000},
        {DS_TABULATE_CONSTANT, {9}, true, 0, 1.5, 1000},
    };
    for (size_t k = 0; k < sizeof(same) / sizeof(same[0]); k++) {
        struct dc_dist d = table_of(same[k]);
        CU_ASSERT_TRUE(d.min == 1500 && d.max == 1500);
        CU_ASSERT_EQUAL(ds_tabulate_mean(&d), 1500);
        CU_ASSERT_EQUAL(ds_tabulate_cdf(&same[k], 1.499), 0);
        CU_ASSERT_EQUAL(ds_tabulate_cdf(&same[k], 1.5), 1);
    }
    /* A narrow jitter stays near 1 at both ends, which bounds the lookahead. */
    struct dc_dist d = table_of(
        (struct ds_tabulate_spec){DS_TABULATE_LOGNORMAL, {1, 0.016}, false, 0, 0, 1 << 20});
    CU_ASSERT_TRUE(d.min > (1 << 20) * 0.93 && d.max < (1 << 20) * 1.1);
    /* Clamped, never overflowing. */
    d = table_of((struct ds_tabulate_spec){DS_TABULATE_PARETO, {1e18, 0.05}, false, 0, 0, 1});
    CU_ASSERT_EQUAL(d.max, 1ll << 61);
    d = table_of((struct ds_tabulate_spec){DS_TABULATE_UNIFORM, {-5, 5}, true, -1, 2, 10});
    CU_ASSERT_TRUE(d.min == -10 && d.max == 20);
    CU_ASSERT_NOT_EQUAL(ds_tabulate_digest(&d), 0);
    struct dc_dist e = d;
    CU_ASSERT_EQUAL(ds_tabulate_digest(&e), ds_tabulate_digest(&d));
    e.tail[7]++;
    CU_ASSERT_NOT_EQUAL(ds_tabulate_digest(&e), ds_tabulate_digest(&d));
}

static void test_refusals(void)
{
    static const struct {
        struct ds_tabulate_spec spec;
        const char *words;
    } cases[] = {
        {{(enum ds_tabulate_kind)99, {1}, false, 0, 0, 1}, "does not exist"},
        {{DS_TABULATE_CONSTANT, {NAN}, false, 0, 0, 1}, "constant: value is nan"},
        {{DS_TABULATE_UNIFORM, {2, 1}, false, 0, 0, 1}, "uniform: high is 1"},
        {{DS_TABULATE_NORMAL, {2, -1}, false, 0, 0, 1}, "normal: deviation is -1"},
        {{DS_TABULATE_NORMAL, {-1000, 1}, true, 0, INFINITY, 1}, "nothing between"},
        {{DS_TABULATE_LOGNORMAL, {0, 1}, false, 0, 0, 1}, "lognormal: median is 0"},
        {{DS_TABULATE_EXPONENTIAL, {-2}, false, 0, 0, 1}, "exponential: mean is -2"},
        {{DS_TABULATE_PARETO, {1, 0}, false, 0, 0, 1}, "pareto: exponent is 0"},
        {{DS_TABULATE_WEIBULL, {1, INFINITY}, false, 0, 0, 1}, "weibull: shape is inf"},
        {{DS_TABULATE_BETA, {0, 1}, false, 0, 0, 1}, "beta: a is 0"},
        {{DS_TABULATE_UNIFORM, {0, 1}, true, 3, 2, 1}, "range from 3 to 2 is empty"},
        {{DS_TABULATE_UNIFORM, {0, 1}, false, 0, 0, -1}, "scale"},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct dc_dist d;
        struct dc_error error = {0};
        CU_ASSERT_EQUAL(ds_tabulate(&cases[k].spec, &d, &error), DC_ERR_USAGE);
        if (strstr(error.text, cases[k].words) == NULL)
            CU_FAIL(cases[k].words);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"points", test_points},     {"means", test_means},
        {"draws", test_draws},       {"constants and bounds", test_constants},
        {"refusals", test_refusals},
    };
    return TEST_MAIN("tabulate", cases);
}

/* Cumulative sums: the recursion against one written out with the whole history, and the run
 * lengths of a chart with known mean and deviation against published ones. */
#include "models/anomaly/detector.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

#include <math.h>
#include <stdlib.h>

static double uniform(struct dc_stream *s)
{
    return ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
}
static double normal(struct dc_stream *s)
{
    double u = uniform(s), v = uniform(s);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static bool close_to(double score, double expected)
{
    return fabs(score - expected) <= 1e-4 * (1 + expected); /* state is in single precision */
}

/* Everything anew from the history, in double. */
static double naive(const double *x, int n, double floor, const struct dc_detector_config *config)
{
    double mean = 0, variance = 0, up = 0, down = 0, score = -1;
    int seen = 0;
    for (int i = 0; i < n; i++) {
        if (dc_missing(x[i])) {
            score = -1;
            continue;
        }
        double d = x[i] - mean, weight = fmax(1.0 / (seen + 1), config->cusum_weight);
        score = -1;
        if (seen >= (int)config->cusum_warmup) {
            double z = d / sqrt(variance + floor * floor);
            up = fmax(0, up + z - config->cusum_k);
            down = fmax(0, down - z - config->cusum_k);
            score = fmax(up, down);
            up = fmin(up, config->cusum_h);
            down = fmin(down, config->cusum_h);
        }
        mean += weight * d;
        variance = (1 - weight) * (variance + weight * d * d);
        seen++;
    }
    return score;
}

static void test_naive(void)
{
    enum { LENGTH = 200 };
    struct dc_detector_config config = dc_detector_defaults();
    const double floor[2] = {0.01, 0.5};
    uint32_t high = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("cusum"), dc_name("naive"));
        double x[2][LENGTH], row[2], score;
        void *model = NULL;
        for (int i = 0; i < LENGTH; i++) {
            for (int c = 0; c < 2; c++)
                row[c] = x[c][i] =
                    dc_next_below(&s, 10) == 0 ? DC_MISSING : normal(&s) + (i / 50 % 2) * 1.5;
            struct dc_table t = {.rows = 1, .columns = 2, .value = row, .floor = floor};
            dc_detector_cusum.score(&config, model, &t, &score);
            double expected =
                fmax(naive(x[0], i + 1, floor[0], &config), naive(x[1], i + 1, floor[1], &config));
            CU_ASSERT_EQUAL(dc_missing(score), expected < 0);
            CU_ASSERT(expected < 0 || close_to(score, expected));
            high += expected > config.cusum_h;
            model = dc_detector_cusum.learn(&config, model, false, &t, 0);
        }
        dc_detector_cusum.free(model);
    }
    CU_ASSERT(high > 50);
}

enum { CHARTS = 4000 };

/* Charts that know mean 0 and deviation 1 all but exactly, with both sums at 0. */
static void *trained(const struct dc_detector_config *config, struct dc_table *t, double *x)
{
    void *model = NULL;
    for (int i = 0; i < 4000; i++) {
        for (uint32_t r = 0; r < t->rows; r++)
            x[r] = i >= 3998 ? 0 : i % 2 == 0 ? 1.00025 : -1.00025;
        model = dc_detector_cusum.learn(config, model, false, t, 0);
    }
    return model;
}

static double run_length(double shift, double *deviation)
{
    struct dc_detector_config config = dc_detector_defaults();
    config.cusum_weight = 0;
    double *x = calloc(CHARTS, sizeof *x), *score = calloc(CHARTS, sizeof *score);
    uint8_t *running = calloc(CHARTS, 1);
    struct dc_table t = {.rows = CHARTS, .columns = 1, .value = x};
    void *model = trained(&config, &t, x);
    struct dc_stream s = dc_stream(1, dc_name("cusum"), (uint64_t)(shift * 100));
    double sum = 0, square = 0;
    uint32_t left = CHARTS;
    memset(running, 1, CHARTS);
    t.present = running;
    for (int step = 1; left > 0; step++) {
        for (uint32_t r = 0; r < CHARTS; r++)
            x[r] = running[r] ? normal(&s) + shift : 0;
        dc_detector_cusum.score(&config, model, &t, score);
        model = dc_detector_cusum.learn(&config, model, false, &t, 0);
        for (uint32_t r = 0; r < CHARTS; r++)
            if (running[r] && score[r] > config.cusum_h) {
                running[r] = 0;
                left--;
                sum += step;
                square += (double)step * step;
            }
    }
    dc_detector_cusum.free(model);
    free(running);
    free(score);
    free(x);
    *deviation = sqrt((square / CHARTS - sum / CHARTS * sum / CHARTS) / CHARTS);
    return sum / CHARTS;
}

/* Siegmund 1985 (Montgomery, equation 9.7): of one side, drift from the limit's point of view. */
static double siegmund_side(double drift, double h)
{
    double b = h + 1.166;
    return (exp(-2 * drift * b) + 2 * drift * b - 1) / (2 * drift * drift);
}

/* Montgomery, table 9.3: average run length of a two-sided chart with k = 0.5 and h = 4 by shift in
 * deviations; two-sided z-test at level 0.001, allowing for the table's rounding and 0.5 % for
 * what the charts learn of mean and deviation.  And Siegmund's approximation, within 4 %. */
static void test_run_length(void)
{
    static const struct {
        double shift, length, rounding;
    } table[] = {
        {0, 168, 0.5}, {0.5, 26.6, 0.05}, {1, 8.38, 0.005}, {2, 3.34, 0.005}, {3, 2.19, 0.005}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double deviation, length = run_length(table[i].shift, &deviation);
        double slack = table[i].rounding + 0.005 * table[i].length;
        CU_ASSERT(fabs(length - table[i].length) < 3.29 * deviation + slack);
        if (table[i].shift == 0.5 || table[i].shift > 1)
            continue; /* no drift at all; too few steps for the approximation */
        double up = siegmund_side(table[i].shift - 0.5, 4);
        double down = siegmund_side(-table[i].shift - 0.5, 4);
        double both = 1 / (1 / up + 1 / down);
        CU_ASSERT(fabs(length - both) < 3.29 * deviation + 0.04 * both);
    }
}

/* A single outlier, however large, is forgotten h/k values later. */
static void test_forgets(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    double x = 0, score, floor = 1;
    struct dc_table t = {.rows = 1, .columns = 1, .value = &x, .floor = &floor};
    void *model = NULL;
    for (int i = 0; i < 400; i++) {
        x = i % 2 == 0 ? 0.25 : -0.25;
        model = dc_detector_cusum.learn(&config, model, false, &t, 0);
    }
    x = 30;
    dc_detector_cusum.score(&config, model, &t, &score);
    CU_ASSERT(score > 25);
    model = dc_detector_cusum.learn(&config, model, false, &t, 0);
    for (int i = 0; i < 10; i++) {
        x = 0.25 * (i % 2);
        dc_detector_cusum.score(&config, model, &t, &score);
        model = dc_detector_cusum.learn(&config, model, false, &t, 0);
        CU_ASSERT(score <= config.cusum_h);
    }
    CU_ASSERT(score < 1);
    dc_detector_cusum.free(model);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"naive", test_naive},
        {"run length", test_run_length},
        {"forgets", test_forgets},
    };
    return TEST_MAIN("cusum", cases);
}

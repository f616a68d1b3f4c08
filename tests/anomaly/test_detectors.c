/* Detectors against their definitions, computed another way: the moving average as an explicit
 * weighted sum over the whole history, the median by counting; and the sort against qsort. */
#include "models/anomaly/detector.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

#include <math.h>
#include <stdlib.h>

enum { NODES = 40, EPOCHS = 30 };

/* Random features: some missing, some nodes absent, some constant for ever. */
static void make(struct dc_features f[NODES], uint64_t seed, uint32_t epoch)
{
    struct dc_stream s = dc_stream(seed, dc_name_indexed("features", epoch), dc_name("make"));
    for (int i = 0; i < NODES; i++) {
        f[i] = (struct dc_features){.population = (uint8_t)(i % 3 == 0 ? 200 : i % 2)};
        f[i].present = dc_next_below(&s, 10) != 0;
        for (int j = 0; j < DC_FEATURE_COUNT; j++) {
            uint64_t draw = dc_next64(&s) >> 33;
            f[i].value[j] = draw % 8 == 0 ? DC_FEATURE_NONE
                            : i % 7 == 0  ? DC_ONE / 2
                            : j == DC_FEATURE_RESPONSE
                                ? (1u << 30) + (uint32_t)(draw % 400000) - 200000
                                : (uint32_t)draw;
        }
    }
}

/* mean and variance as sums of w_k x_k with the weights that the recursion gives each epoch. */
static void naive_moments(const double *x, int n, double *mean, double *variance)
{
    double weight[EPOCHS];
    for (int i = 0; i < n; i++) {
        double a = 1.0 / (i + 1) > 0.125 ? 1.0 / (i + 1) : 0.125;
        for (int k = 0; k < i; k++)
            weight[k] *= 1 - a;
        weight[i] = a;
    }
    *mean = *variance = 0;
    for (int i = 0; i < n; i++)
        *mean += weight[i] * x[i];
    for (int i = 0; i < n; i++)
        *variance += weight[i] * (x[i] - *mean) * (x[i] - *mean);
}

static double real_of(int feature, uint32_t v)
{
    return feature == DC_FEATURE_RESPONSE ? ldexp((double)v - 1073741824.0, -16)
                                          : ldexp((double)v, -31);
}

static void test_ewma(void)
{
    static struct dc_features past[EPOCHS][NODES];
    const struct dc_params params = {.ewma_warmup = 5};
    uint32_t scored = 0, silent = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        void *state = calloc(NODES, dc_detector_ewma.node_bytes);
        for (uint32_t e = 0; e < EPOCHS; e++) {
            uint32_t score[NODES];
            make(past[e], seed, e);
            dc_detector_ewma.score(&params, state, past[e], NODES, score);
            for (int i = 0; i < NODES; i++) {
                double worst = -1;
                for (int j = 0; j < DC_FEATURE_COUNT && past[e][i].present; j++) {
                    double x[EPOCHS], mean, variance;
                    int n = 0;
                    for (uint32_t k = 0; k < e; k++)
                        if (past[k][i].present && past[k][i].value[j] != DC_FEATURE_NONE)
                            x[n++] = real_of(j, past[k][i].value[j]);
                    if (n < 5 || past[e][i].value[j] == DC_FEATURE_NONE)
                        continue;
                    naive_moments(x, n, &mean, &variance);
                    double floor = j == DC_FEATURE_RESPONSE ? 1.0 / 8 : 1.0 / 128;
                    double z = fabs(real_of(j, past[e][i].value[j]) - mean) /
                               sqrt(variance + floor * floor);
                    worst = z > worst ? z : worst;
                }
                CU_ASSERT_EQUAL(score[i] == DC_SCORE_NONE, worst < 0);
                if (worst >= 0)
                    CU_ASSERT(fabs(score[i] - worst * 65536) < 1 + worst * 1e-6);
                scored += worst >= 0;
                silent += worst < 0;
            }
            dc_detector_ewma.learn(&params, state, past[e], NODES);
        }
        free(state);
    }
    CU_ASSERT(scored > 10000 && silent > 2000);
}

/* A node that never moved: one that jumps from 0.5 to 1 is 0.5 / (1/128) = 64 floors away. */
static void test_ewma_floor(void)
{
    const struct dc_params params = {.ewma_warmup = 3};
    void *state = calloc(1, dc_detector_ewma.node_bytes);
    struct dc_features f = {.present = 1};
    for (int j = 0; j < DC_FEATURE_COUNT; j++)
        f.value[j] = DC_FEATURE_NONE;
    uint32_t score;
    for (int e = 0; e < 20; e++) {
        f.value[DC_FEATURE_QUALITY] = DC_ONE / 2;
        dc_detector_ewma.score(&params, state, &f, 1, &score);
        CU_ASSERT_EQUAL(score, e < 3 ? DC_SCORE_NONE : 0);
        f.value[DC_FEATURE_QUALITY] = DC_ONE;
        dc_detector_ewma.score(&params, state, &f, 1, &score);
        CU_ASSERT_EQUAL(score, e < 3 ? DC_SCORE_NONE : 64u << 16);
        f.value[DC_FEATURE_QUALITY] = DC_ONE / 2;
        dc_detector_ewma.learn(&params, state, &f, 1);
    }
    free(state);
}

/* The element that as many are below as (n - 1) / 2 says, by counting. */
static uint32_t naive_median(const uint32_t *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t below = 0, equal = 0;
        for (uint32_t k = 0; k < n; k++) {
            below += v[k] < v[i];
            equal += v[k] == v[i];
        }
        if (below <= (n - 1) / 2 && (n - 1) / 2 < below + equal)
            return v[i];
    }
    return 0;
}

static void test_mad(void)
{
    const struct dc_params params = {0};
    uint32_t scored = 0, silent = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct dc_features f[NODES];
        uint32_t score[NODES];
        make(f, seed, 0);
        dc_detector_mad.score(&params, NULL, f, NODES, score);
        for (int i = 0; i < NODES; i++) {
            double worst = -1;
            for (int j = 0; j < DC_FEATURE_COUNT && f[i].present; j++) {
                uint32_t v[NODES], n = 0, median;
                for (int k = 0; k < NODES; k++)
                    if (f[k].present && f[k].population == f[i].population &&
                        f[k].value[j] != DC_FEATURE_NONE)
                        v[n++] = f[k].value[j];
                if (n < 8 || f[i].value[j] == DC_FEATURE_NONE)
                    continue;
                median = naive_median(v, n);
                for (uint32_t k = 0; k < n; k++)
                    v[k] = (uint32_t)llabs((long long)v[k] - median);
                double floor = j == DC_FEATURE_RESPONSE ? 65536.0 / 8 : 2147483648.0 / 128;
                double z =
                    fabs((double)f[i].value[j] - median) / (1.4826 * naive_median(v, n) + floor);
                worst = z > worst ? z : worst;
            }
            CU_ASSERT_EQUAL(score[i] == DC_SCORE_NONE, worst < 0);
            if (worst >= 0)
                CU_ASSERT(fabs(score[i] - worst * 65536) < 1.001 + worst * 1e-9);
            scored += worst >= 0;
            silent += worst < 0;
        }
    }
    CU_ASSERT(scored > 5000 && silent > 500);
}

/* The largest possible deviation over the smallest possible scale does not wrap. */
static void test_mad_extremes(void)
{
    const struct dc_params params = {0};
    struct dc_features f[9] = {0};
    uint32_t score[9];
    for (int i = 0; i < 9; i++) {
        f[i].present = 1;
        for (int j = 0; j < DC_FEATURE_COUNT; j++)
            f[i].value[j] = j == DC_FEATURE_RESPONSE && i != 8 ? 0 : DC_FEATURE_NONE;
    }
    f[8].value[DC_FEATURE_RESPONSE] = UINT32_MAX - 1;
    dc_detector_mad.score(&params, NULL, f, 9, score);
    for (int i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(score[i], 0);
    CU_ASSERT_EQUAL(score[8], DC_SCORE_MAX); /* 2^32 / 2^13 in 2^-16 is above what fits */
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void test_sort(void)
{
    static const uint32_t sizes[] = {0, 1, 2, 127, 128, 129, 500, 3000};
    static uint32_t a[3000], b[3000], spare[3000];
    for (uint64_t seed = 1; seed <= 20; seed++)
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            struct dc_stream s = dc_stream(seed, dc_name("sort"), k);
            uint64_t range = (uint64_t)1 << dc_next_below(&s, 33);
            for (uint32_t i = 0; i < sizes[k]; i++)
                a[i] = b[i] = (uint32_t)dc_next_below(&s, range);
            dc_detector_sort(a, spare, sizes[k]);
            qsort(b, sizes[k], sizeof *b, compare);
            CU_ASSERT_EQUAL(memcmp(a, b, sizes[k] * sizeof *a), 0);
        }
}

static void test_table(void)
{
    CU_ASSERT_EQUAL(dc_detectors_on(&(struct dc_params){.detectors = 0}), 0);
    CU_ASSERT_EQUAL(dc_detectors_on(&(struct dc_params){.detectors = DC_DETECTOR_MAD}), 1);
    uint32_t all = 0;
    for (int d = 0; d < DC_DETECTORS; d++) {
        CU_ASSERT_EQUAL(all & dc_detectors[d]->bit, 0);
        all |= dc_detectors[d]->bit;
    }
    CU_ASSERT_EQUAL(all, DC_DETECTOR_EWMA | DC_DETECTOR_MAD);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"ewma", test_ewma}, {"ewma floor", test_ewma_floor},
        {"mad", test_mad},   {"mad extremes", test_mad_extremes},
        {"sort", test_sort}, {"table", test_table},
    };
    return TEST_MAIN("detectors", cases);
}

/* Detectors against their definitions, computed another way: the moving average as an explicit
 * weighted sum over the whole history, the median by counting; and what they share. */
#include "models/anomaly/detector.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

#include <math.h>
#include <stdlib.h>

enum { NODES = 40, EPOCHS = 30, COLUMNS = 6 };

static const double floors[COLUMNS] = {1.0 / 128, 1.0 / 128, 1.0 / 128, 1.0 / 128, 0.125, 100};

struct epoch {
    double value[NODES][COLUMNS];
    uint8_t present[NODES], group[NODES];
};

/* Random values: some missing, some rows absent, some constant for ever. */
static struct dc_table make(struct epoch *e, uint64_t seed, uint32_t epoch)
{
    struct dc_stream s = dc_stream(seed, dc_name_indexed("features", epoch), dc_name("make"));
    for (int i = 0; i < NODES; i++) {
        e->group[i] = (uint8_t)(i % 3 == 0 ? 200 : i % 2);
        e->present[i] = dc_next_below(&s, 10) != 0;
        for (int j = 0; j < COLUMNS; j++) {
            uint64_t draw = dc_next64(&s) >> 33;
            double u = ldexp((double)draw, -31);
            e->value[i][j] = draw % 8 == 0 ? DC_MISSING
                             : i % 7 == 0  ? 0.5
                             : j == 4      ? 6 * u - 3
                             : j == 5      ? 1e6 * u
                                           : u;
        }
    }
    return (struct dc_table){.rows = NODES,
                             .columns = COLUMNS,
                             .value = &e->value[0][0],
                             .present = e->present,
                             .group = e->group,
                             .floor = floors};
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

static bool close_to(double score, double expected)
{
    return fabs(score - expected) <= 2e-5 * (1 + expected); /* state is in single precision */
}

static void test_ewma(void)
{
    static struct epoch past[EPOCHS];
    struct dc_detector_config config = dc_detector_defaults();
    uint32_t scored = 0, silent = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        void *model = NULL;
        for (uint32_t e = 0; e < EPOCHS; e++) {
            double score[NODES];
            struct dc_table t = make(&past[e], seed, e);
            dc_detector_ewma.score(&config, model, &t, score);
            for (int i = 0; i < NODES; i++) {
                double worst = -1;
                for (int j = 0; j < COLUMNS && past[e].present[i]; j++) {
                    double x[EPOCHS], mean, variance;
                    int n = 0;
                    for (uint32_t k = 0; k < e; k++)
                        if (past[k].present[i] && !dc_missing(past[k].value[i][j]))
                            x[n++] = past[k].value[i][j];
                    if (n < 5 || dc_missing(past[e].value[i][j]))
                        continue;
                    naive_moments(x, n, &mean, &variance);
                    double d = fabs(past[e].value[i][j] - mean);
                    double z = d == 0 ? 0 : d / sqrt(variance + floors[j] * floors[j]);
                    worst = z > worst ? z : worst;
                }
                CU_ASSERT_EQUAL(dc_missing(score[i]), worst < 0);
                if (worst >= 0)
                    CU_ASSERT(close_to(score[i], worst));
                scored += worst >= 0;
                silent += worst < 0;
            }
            model = dc_detector_ewma.learn(&config, model, false, &t, 0);
        }
        dc_detector_ewma.free(model);
    }
    CU_ASSERT(scored > 10000 && silent > 2000);
}

/* A node that never moved: one that jumps from 0.5 to 1 is 0.5 / (1/128) = 64 floors away. */
static void test_ewma_floor(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    config.ewma_warmup = 3;
    void *model = NULL;
    double x[2] = {DC_MISSING, 0.5}, score;
    struct dc_table t = {.rows = 1, .columns = 2, .value = x, .floor = floors};
    for (int e = 0; e < 20; e++) {
        x[1] = 0.5;
        dc_detector_ewma.score(&config, model, &t, &score);
        CU_ASSERT(e < 3 ? dc_missing(score) : score == 0);
        x[1] = 1;
        dc_detector_ewma.score(&config, model, &t, &score);
        CU_ASSERT(e < 3 ? dc_missing(score) : score == 64);
        x[1] = 0.5;
        model = dc_detector_ewma.learn(&config, model, false, &t, 0);
        /* the column that nobody has takes no room */
        CU_ASSERT(dc_detector_ewma.bytes(model) < 64);
    }
    t.floor = NULL; /* without a floor any change of what never moved is beyond measure */
    dc_detector_ewma.score(&config, model, &t, &score);
    CU_ASSERT_EQUAL(score, 0);
    x[1] = 0.75;
    dc_detector_ewma.score(&config, model, &t, &score);
    CU_ASSERT_EQUAL(dc_detector_integer(score), DC_SCORE_MAX);
    dc_detector_ewma.free(model);
}

/* The element that as many are below as (n - 1) / 2 says, by counting. */
static double naive_median(const double *v, uint32_t n)
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

static void test_median(void)
{
    static const uint32_t sizes[] = {1, 2, 3, 8, 65, 400};
    double a[400], b[400];
    for (uint64_t seed = 1; seed <= 300; seed++)
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            struct dc_stream s = dc_stream(seed, dc_name("median"), k);
            uint64_t range = (uint64_t)1 << dc_next_below(&s, 12);
            for (uint32_t i = 0; i < sizes[k]; i++)
                a[i] = b[i] = (double)dc_next_below(&s, range) - 7;
            CU_ASSERT_EQUAL(dc_detector_median(a, sizes[k]), naive_median(b, sizes[k]));
        }
}

static void test_mad(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    uint32_t scored = 0, silent = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct epoch e;
        double score[NODES];
        struct dc_table t = make(&e, seed, 0);
        dc_detector_mad.score(&config, NULL, &t, score);
        for (int i = 0; i < NODES; i++) {
            double worst = -1;
            for (int j = 0; j < COLUMNS && e.present[i]; j++) {
                double v[NODES], median;
                uint32_t n = 0;
                for (int k = 0; k < NODES; k++)
                    if (e.present[k] && e.group[k] == e.group[i] && !dc_missing(e.value[k][j]))
                        v[n++] = e.value[k][j];
                if (n < 8 || dc_missing(e.value[i][j]))
                    continue;
                median = naive_median(v, n);
                for (uint32_t k = 0; k < n; k++)
                    v[k] = fabs(v[k] - median);
                double z = fabs(e.value[i][j] - median) / (1.4826 * naive_median(v, n) + floors[j]);
                worst = z > worst ? z : worst;
            }
            CU_ASSERT_EQUAL(dc_missing(score[i]), worst < 0);
            if (worst >= 0)
                CU_ASSERT(fabs(score[i] - worst) <= 1e-12 * worst);
            scored += worst >= 0;
            silent += worst < 0;
        }
    }
    CU_ASSERT(scored > 5000 && silent > 500);
}

/* Every detector: scores are missing or not negative, the same again, and the same whether a model
 * is kept or used up; what is kept does not change; an absent row has no influence. */
static void test_models(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    config.hst_window = 20;
    for (int d = 0; d < DC_DETECTORS; d++) {
        const struct dc_detector_class *class = dc_detectors[d];
        static struct epoch e, other;
        void *kept = NULL, *used = NULL;
        double a[NODES], b[NODES];
        uint32_t scored = 0;
        for (uint32_t k = 0; k < 12; k++) {
            struct dc_table t = make(&e, 77, k), u;
            class->score(&config, kept, &t, a);
            other = e;
            u = t;
            u.value = &other.value[0][0];
            u.present = other.present;
            u.group = other.group;
            for (int i = 0; i < NODES; i++)
                for (int j = 0; j < COLUMNS && !e.present[i]; j++)
                    other.value[i][j] = 1e9;
            class->score(&config, used, &u, b);
            for (int i = 0; i < NODES; i++) {
                CU_ASSERT(dc_missing(a[i]) ? dc_missing(b[i]) : a[i] == b[i]);
                CU_ASSERT(dc_missing(a[i]) || a[i] >= 0);
                CU_ASSERT(e.present[i] || dc_missing(a[i]));
                scored += !dc_missing(a[i]);
            }
            if (class->learn == NULL)
                continue;
            struct dc_hasher h[4];
            struct dc_hash sum[4];
            for (int i = 0; i < 4; i++)
                dc_hasher_init(&h[i], DC_DOMAIN_TEST);
            class->digest(&h[0], kept);
            void *next = class->learn(&config, kept, true, &t, k);
            class->digest(&h[1], kept);
            class->free(kept);
            kept = next;
            used = class->learn(&config, used, false, &u, k);
            class->digest(&h[2], kept);
            class->digest(&h[3], used);
            for (int i = 0; i < 4; i++)
                sum[i] = dc_hasher_final(&h[i]);
            CU_ASSERT(dc_hash_equal(&sum[0], &sum[1]));
            CU_ASSERT(dc_hash_equal(&sum[2], &sum[3]));
            CU_ASSERT(!dc_hash_equal(&sum[0], &sum[2]));
            CU_ASSERT(class->bytes(kept) > 0);
        }
        CU_ASSERT(scored > 100);
        if (class->free != NULL) {
            class->free(kept);
            class->free(used);
        }
    }
}

/* Rows in another order: those of detectors that draw nothing from rows move with them. */
static void test_order(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    static const struct dc_detector_class *const classes[] = {&dc_detector_ewma, &dc_detector_mad,
                                                              &dc_detector_cusum};
    for (int d = 0; d < 3; d++) {
        static struct epoch e, turned;
        void *model = NULL, *turned_model = NULL;
        double a[NODES], b[NODES];
        for (uint32_t k = 0; k < 12; k++) {
            struct dc_table t = make(&e, 5, k), u = t;
            for (int i = 0; i < NODES; i++) {
                memcpy(turned.value[NODES - 1 - i], e.value[i], sizeof e.value[i]);
                turned.present[NODES - 1 - i] = e.present[i];
                turned.group[NODES - 1 - i] = e.group[i];
            }
            u.value = &turned.value[0][0];
            u.present = turned.present;
            u.group = turned.group;
            classes[d]->score(&config, model, &t, a);
            classes[d]->score(&config, turned_model, &u, b);
            for (int i = 0; i < NODES; i++)
                CU_ASSERT(dc_missing(a[i]) ? dc_missing(b[NODES - 1 - i])
                                           : a[i] == b[NODES - 1 - i]);
            if (classes[d]->learn != NULL) {
                model = classes[d]->learn(&config, model, false, &t, 0);
                turned_model = classes[d]->learn(&config, turned_model, false, &u, 0);
            }
        }
        if (classes[d]->free != NULL) {
            classes[d]->free(model);
            classes[d]->free(turned_model);
        }
    }
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

static void test_integer(void)
{
    CU_ASSERT_EQUAL(dc_detector_integer(DC_MISSING), DC_SCORE_NONE);
    CU_ASSERT_EQUAL(dc_detector_integer(0), 0);
    CU_ASSERT_EQUAL(dc_detector_integer(1.5), 98304);
    CU_ASSERT_EQUAL(dc_detector_integer(65535), 65535u << 16);
    CU_ASSERT_EQUAL(dc_detector_integer(65536), DC_SCORE_MAX);
    CU_ASSERT_EQUAL(dc_detector_integer(HUGE_VAL), DC_SCORE_MAX);
}

static void test_features(void)
{
    CU_ASSERT_EQUAL(dc_detector_real(DC_FEATURE_QUALITY, DC_ONE), 1);
    CU_ASSERT_EQUAL(dc_detector_real(DC_FEATURE_CIRCLE, DC_ONE / 4), 0.25);
    CU_ASSERT_EQUAL(dc_detector_real(DC_FEATURE_RESIDUAL, DC_FEATURE_MIDDLE), 0);
    CU_ASSERT_EQUAL(dc_detector_real(DC_FEATURE_RESIDUAL, DC_FEATURE_MIDDLE - DC_ONE / 8), -0.25);
    CU_ASSERT_EQUAL(dc_detector_real(DC_FEATURE_RESPONSE, DC_FEATURE_MIDDLE + (3 << 16)), 3);
    CU_ASSERT_EQUAL(dc_detector_real(DC_FEATURE_TWIN, DC_FEATURE_MIDDLE - (3 << 15)), -1.5);
    for (int f = 0; f < DC_FEATURE_COUNT; f++)
        CU_ASSERT(dc_detector_floor(f) > 0);
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
    CU_ASSERT_EQUAL(all, 31);
}

int main(void)
{
    dc_hash_init();
    static const struct test_case cases[] = {
        {"ewma", test_ewma},   {"ewma floor", test_ewma_floor}, {"median", test_median},
        {"mad", test_mad},     {"models", test_models},         {"order", test_order},
        {"sort", test_sort},   {"integer", test_integer},       {"features", test_features},
        {"table", test_table},
    };
    return TEST_MAIN("detectors", cases);
}

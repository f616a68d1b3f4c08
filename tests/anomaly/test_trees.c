/* Isolation forest and half-space trees: path lengths that can be worked out by hand, scores that
 * must not change when nothing that matters does, strangers that must stand out. */
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

static void forest(const struct dc_detector_config *config, const struct dc_table *fit,
                   const struct dc_table *table, uint64_t seed, double *score)
{
    void *model = dc_detector_iforest.learn(config, NULL, false, fit, seed);
    dc_detector_iforest.score(config, model, table, score);
    dc_detector_iforest.free(model);
}

/* One row apart and n alike: the first cut parts them, so paths are 1 and 1 + c(n).  c as
 * fractions: c(n) = 2 H(n - 1) - 2 (n - 1) / n. */
static void test_mean_depth(void)
{
    static const struct {
        uint32_t n;
        double above, below;
    } exact[] = {{1, 0, 1},   {2, 1, 1},   {3, 5, 3},       {4, 13, 6},
                 {5, 77, 30}, {6, 29, 10}, {10, 4861, 1260}};
    struct dc_detector_config config = dc_detector_defaults();
    config.iforest_trees = 4;
    config.population_min = 2;
    for (size_t k = 0; k < sizeof exact / sizeof exact[0]; k++) {
        double x[11] = {0}, score[11];
        x[exact[k].n] = 5;
        struct dc_table t = {.rows = exact[k].n + 1, .columns = 1, .value = x};
        forest(&config, &t, &t, 1, score);
        CU_ASSERT(fabs(score[exact[k].n] - score[0] - exact[k].above / exact[k].below) < 1e-14);
    }
}

/* 0, 1 and 10: the first cut falls above 1 with probability 9/10.  Mean paths 1.9, 2, 1.1; the path
 * of 10 is 1 or 2, a binomial share, z-test at 0.001. */
static void test_three_points(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    config.iforest_trees = 40000;
    config.population_min = 3;
    double x[3] = {0, 1, 10}, score[3];
    struct dc_table t = {.rows = 3, .columns = 1, .value = x};
    forest(&config, &t, &t, 1, score);
    double longest = 2 + 5.0 / 3, deviation = sqrt(0.9 * 0.1 / 40000);
    CU_ASSERT(fabs(longest - score[0] - 1.9) < 3.29 * deviation);
    CU_ASSERT(fabs(longest - score[1] - 2) < 1e-9);
    CU_ASSERT(fabs(longest - score[2] - 1.1) < 3.29 * deviation);
}

enum { ROWS = 600, COLUMNS = 3 };

static void cloud(double x[ROWS][COLUMNS], uint64_t seed)
{
    struct dc_stream s = dc_stream(seed, dc_name("trees"), dc_name("cloud"));
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            x[i][j] = normal(&s);
}

static uint32_t strangest(const double *score, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (score[i] > score[best])
            best = i;
    return best;
}

static void test_isolated(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    static double x[ROWS][COLUMNS], score[ROWS];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        cloud(x, seed);
        x[seed][0] = 12;
        x[seed][1] = -9;
        struct dc_table t = {.rows = ROWS, .columns = COLUMNS, .value = &x[0][0]};
        forest(&config, &t, &t, seed, score);
        CU_ASSERT_EQUAL(strangest(score, ROWS), seed);
    }
}

/* Twice as large, or in a table with another population, with a column that is constant or one
 * that nobody has: the very same scores.  Another seed: others. */
static void test_indifferent(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    static double x[ROWS][COLUMNS], twice[ROWS][COLUMNS], both[2 * ROWS][COLUMNS];
    static double score[ROWS], again[2 * ROWS];
    static uint8_t group[2 * ROWS];
    cloud(x, 3);
    struct dc_table t = {.rows = ROWS, .columns = COLUMNS, .value = &x[0][0]};
    forest(&config, &t, &t, 7, score);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) {
            twice[i][j] = 2 * x[i][j];
            both[2 * i + 1][j] = x[i][j];
            both[2 * i][j] = 100 + i * j;
        }
    for (int i = 0; i < 2 * ROWS; i++)
        group[i] = i % 2 == 0 ? 9 : 0;
    struct dc_table u = t, v = {.rows = 2 * ROWS, .columns = COLUMNS, .value = &both[0][0]};
    u.value = &twice[0][0];
    v.group = group;
    forest(&config, &u, &u, 7, again);
    CU_ASSERT_EQUAL(memcmp(score, again, sizeof score), 0);
    forest(&config, &v, &v, 7, again);
    for (int i = 0; i < ROWS; i++)
        CU_ASSERT_EQUAL(score[i], again[2 * i + 1]);
    forest(&config, &t, &t, 8, again);
    CU_ASSERT_NOT_EQUAL(memcmp(score, again, sizeof score), 0);
}

/* What is missing counts as the median of its population; with nothing there, there is no score. */
static void test_missing(void)
{
    static double x[ROWS][COLUMNS], score[3];
    struct dc_detector_config config = dc_detector_defaults();
    for (int d = 0; d < 2; d++) {
        const struct dc_detector_class *class = d == 0 ? &dc_detector_iforest : &dc_detector_hst;
        double column[ROWS];
        cloud(x, 4);
        struct dc_table t = {.rows = ROWS, .columns = COLUMNS, .value = &x[0][0]};
        void *model = class->learn(&config, NULL, false, &t, 1);
        for (int i = 0; i < ROWS; i++)
            column[i] = x[i][1];
        double y[3][COLUMNS] = {{1, DC_MISSING, 2},
                                {1, dc_detector_median(column, ROWS), 2},
                                {DC_MISSING, DC_MISSING, DC_MISSING}};
        struct dc_table u = {.rows = 3, .columns = COLUMNS, .value = &y[0][0]};
        class->score(&config, model, &u, score);
        CU_ASSERT_EQUAL(score[0], score[1]);
        CU_ASSERT(dc_missing(score[2]));
        class->free(model);
    }
}

/* A window of equal rows: each tree follows them to full depth with all the mass, so they score 0;
 * what is elsewhere meets an empty half, so it scores log2 of the largest sum. */
static void test_half_spaces(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    static double x[300];
    double y[3] = {0.5, 1.5, -7}, score[3], floor = 0.25;
    for (int i = 0; i < 300; i++)
        x[i] = 0.5;
    struct dc_table t = {.rows = 300, .columns = 1, .value = x, .floor = &floor};
    struct dc_table u = {.rows = 3, .columns = 1, .value = y, .floor = &floor};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        void *model = dc_detector_hst.learn(&config, NULL, false, &t, seed);
        dc_detector_hst.score(&config, model, &u, score);
        CU_ASSERT_EQUAL(score[0], 0);
        double most = log2(300.0 * 25 * 32768 + 1);
        CU_ASSERT(fabs(score[1] - most) < 1e-4);
        CU_ASSERT(fabs(score[2] - most) < 1e-4);
        dc_detector_hst.free(model);
    }
}

/* A stream, a row at a time: silent for the first window; after a shift of the mean strange until
 * that window is over, and ordinary from then on. */
static void test_mean_shift(void)
{
    enum { SHIFT = 1000, END = 1500 };
    struct dc_detector_config config = dc_detector_defaults();
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("trees"), dc_name("shift"));
        double before = 0, during = 0, after = 0;
        void *model = NULL;
        for (int i = 0; i < END; i++) {
            double x[2] = {normal(&s) + (i >= SHIFT ? 5 : 0), normal(&s)}, score;
            struct dc_table t = {.rows = 1, .columns = 2, .value = x};
            dc_detector_hst.score(&config, model, &t, &score);
            CU_ASSERT_EQUAL(dc_missing(score), i < 250);
            before += i >= 250 && i < SHIFT ? score / (SHIFT - 250) : 0;
            during += i >= SHIFT && i < SHIFT + 250 ? score / 250 : 0;
            after += i >= SHIFT + 250 ? score / (END - SHIFT - 250) : 0;
            model = dc_detector_hst.learn(&config, model, false, &t, seed * END + (uint64_t)i);
        }
        CU_ASSERT(during > before + 1.5);
        CU_ASSERT(fabs(after - before) < 0.75);
        dc_detector_hst.free(model);
    }
}

static void test_half_spaces_isolated(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    static double x[ROWS][COLUMNS], score[ROWS];
    uint32_t found = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        cloud(x, seed);
        struct dc_table t = {.rows = ROWS, .columns = COLUMNS, .value = &x[0][0]};
        void *model = dc_detector_hst.learn(&config, NULL, false, &t, seed);
        x[seed][0] = 12;
        x[seed][1] = -9;
        dc_detector_hst.score(&config, model, &t, score);
        found += strangest(score, ROWS) == seed;
        dc_detector_hst.free(model);
    }
    CU_ASSERT(found >= 19);
}

int main(void)
{
    dc_hash_init();
    static const struct test_case cases[] = {
        {"mean depth", test_mean_depth}, {"three points", test_three_points},
        {"isolated", test_isolated},     {"indifferent", test_indifferent},
        {"missing", test_missing},       {"half spaces", test_half_spaces},
        {"mean shift", test_mean_shift}, {"half spaces, isolated", test_half_spaces_isolated},
    };
    return TEST_MAIN("trees", cases);
}

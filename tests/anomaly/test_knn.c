/* Nearest neighbours and series against what they are said to be, written out: the ring when it is
 * full, the gap, groups, copies; quantiles and peaks against sorting what came before. */
#include "models/anomaly/series.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "tests/support/harness.h"

#include <math.h>
#include <stdlib.h>

static double uniform(struct dc_stream *s)
{
    return ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct dc_hash digest(const void *model)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_SCORE);
    dc_detector_knn.digest(&h, model);
    return dc_hasher_final(&h);
}

static bool same_hash(struct dc_hash a, struct dc_hash b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

enum { ROWS = 60, COLUMNS = 2 };
struct history {
    double value[ROWS][COLUMNS];
    uint8_t group[ROWS];
};

static struct history history_make(uint64_t seed)
{
    struct history h;
    struct dc_stream s = dc_stream(seed, dc_name("knn"), dc_name("history"));
    for (int i = 0; i < ROWS; i++) {
        for (int c = 0; c < COLUMNS; c++)
            h.value[i][c] = dc_next_below(&s, 12) == 0 ? DC_MISSING : uniform(&s) * (c + 1);
        h.group[i] = (uint8_t)dc_next_below(&s, 2);
    }
    return h;
}

/* Of row n against the rows before it; -1: cannot be judged. */
static double naive(const struct dc_detector_config *config, const struct history *h, int n)
{
    double scale[COLUMNS], distance[ROWS];
    uint32_t count = 0;
    for (int c = 0; c < COLUMNS; c++) {
        double sum = 0, squares = 0, seen = 0;
        for (int i = 0; i < n; i++)
            if (!dc_missing(h->value[i][c])) {
                sum += h->value[i][c];
                squares += h->value[i][c] * h->value[i][c];
                seen += 1;
            }
        scale[c] = seen > 0 ? sqrt(fmax(squares / seen - sum / seen * sum / seen, 0)) : 0;
    }
    int first = n > (int)config->knn_window ? n - (int)config->knn_window : 0;
    for (int i = first; i < n - (int)config->knn_gap; i++) {
        double sum = 0;
        int both = 0;
        for (int c = 0; c < COLUMNS; c++) {
            double d = (h->value[i][c] - h->value[n][c]) / scale[c];
            if (dc_missing(h->value[i][c]) || dc_missing(h->value[n][c]))
                continue;
            sum += d * d;
            both++;
        }
        if (h->group[i] == h->group[n] && both > 0)
            distance[count++] = sqrt(sum * COLUMNS / both);
    }
    qsort(distance, count, sizeof distance[0], ascending);
    return count < config->population_min || count < config->knn_neighbours
               ? -1
               : distance[config->knn_neighbours - 1];
}

static void test_naive(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    config.knn_neighbours = 3;
    config.knn_window = 25;
    config.population_min = 5;
    int judged = 0, full = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct history h = history_make(seed);
        void *model = NULL;
        config.knn_gap = (uint32_t)(seed % 4);
        for (int n = 0; n < ROWS; n++) {
            struct dc_table t = {.rows = 1, .columns = COLUMNS};
            t.value = h.value[n];
            t.group = &h.group[n];
            double score, expected = naive(&config, &h, n);
            dc_detector_knn.score(&config, model, &t, &score);
            if (n == 0) /* nothing learnt: the table's other rows, of which there are none */
                expected = -1;
            if (expected < 0) {
                CU_ASSERT(dc_missing(score));
            } else {
                CU_ASSERT(fabs(score - expected) <= 1e-9 * (1 + expected));
                judged++;
                full += n > 25;
            }
            model = dc_detector_knn.learn(&config, model, false, &t, 0);
        }
        dc_detector_knn.free(model);
    }
    CU_ASSERT(judged > 400);
    CU_ASSERT(full > 200);
}

/* Row by row, all at once, or each on a copy: the same model; what was copied stays. */
static void test_copies(void)
{
    struct dc_detector_config config = dc_detector_defaults();
    struct history h = history_make(7);
    struct dc_table all = {.rows = ROWS, .columns = COLUMNS, .value = h.value[0], .group = h.group};
    config.knn_window = 40;
    void *whole = dc_detector_knn.learn(&config, NULL, false, &all, 0), *rows = NULL;
    for (int n = 0; n < ROWS; n++) {
        struct dc_table t = {.rows = 1, .columns = COLUMNS};
        t.value = h.value[n];
        t.group = &h.group[n];
        struct dc_hash before = digest(rows);
        void *next = dc_detector_knn.learn(&config, rows, true, &t, 0);
        CU_ASSERT(same_hash(digest(rows), before));
        CU_ASSERT(!same_hash(digest(next), before));
        dc_detector_knn.free(rows);
        rows = next;
    }
    CU_ASSERT(same_hash(digest(rows), digest(whole)));
    CU_ASSERT(dc_detector_knn.bytes(rows) >= 40 * COLUMNS * sizeof(double));
    CU_ASSERT_EQUAL(dc_detector_knn.bytes(NULL), 0);
    dc_detector_knn.free(rows);
    dc_detector_knn.free(whole);
    dc_detector_knn.free(NULL);
}

/* Few different values, so that many are equal. */
static void scores_make(double *score, uint32_t rows, uint64_t seed)
{
    struct dc_stream s = dc_stream(seed, dc_name("series"), dc_name("scores"));
    for (uint32_t i = 0; i < rows; i++)
        score[i] = dc_next_below(&s, 9) == 0 ? DC_MISSING : (double)dc_next_below(&s, 1 + seed * 7);
}

static void test_relative(void)
{
    enum { LENGTH = 700 };
    double score[LENGTH], given[LENGTH], before[LENGTH];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint32_t known = 0;
        scores_make(score, LENGTH, seed);
        memcpy(given, score, sizeof given);
        dc_series_relative(score, LENGTH);
        for (uint32_t i = 0; i < LENGTH; i++) {
            if (dc_missing(given[i]) || known < DC_SERIES_LEAST) {
                CU_ASSERT(dc_missing(score[i]));
            } else {
                qsort(before, known, sizeof before[0], ascending);
                CU_ASSERT_EQUAL(score[i], given[i] / (before[known * 9 / 10] + 0.001));
            }
            if (!dc_missing(given[i]))
                before[known++] = given[i];
        }
    }
}

static void test_peaks(void)
{
    enum { LENGTH = 500 };
    double score[LENGTH], given[LENGTH];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint32_t hold = (uint32_t)(seed * seed);
        scores_make(score, LENGTH, seed);
        memcpy(given, score, sizeof given);
        dc_series_peaks(score, LENGTH, hold);
        for (uint32_t i = 0; i < LENGTH; i++) {
            bool peak = true;
            for (uint32_t k = 1; k <= hold && k <= i; k++)
                peak = peak && !(given[i - k] >= given[i]);
            CU_ASSERT(dc_missing(given[i]) ? dc_missing(score[i])
                                           : score[i] == (peak ? given[i] : 0.0));
        }
    }
    dc_series_relative(score, 0);
    dc_series_peaks(score, 0, 5);
}

static void test_embed(void)
{
    const double value[] = {1, 10, DC_MISSING, 20, 3, DC_MISSING, 5, 40};
    const uint32_t scale[] = {1, 2, 4};
    double out[4 * 2 * 3];
    const double expected[] = {1,          1, 1, 10,         10, 10, /* NaN: missing */
                               DC_MISSING, 1, 1, 20,         15, 15, //
                               3,          3, 2, DC_MISSING, 20, 15, //
                               5,          4, 3, 40,         40, 70.0 / 3};
    dc_series_embed(value, 4, 2, scale, 3, out);
    for (int i = 0; i < 24; i++)
        CU_ASSERT(dc_missing(expected[i]) ? dc_missing(out[i]) : out[i] == expected[i]);
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"naive", test_naive}, {"copies", test_copies}, {"relative", test_relative},
        {"peaks", test_peaks}, {"embed", test_embed},
    };
    return TEST_MAIN("knn", cases);
}

/* Means, quantiles and maxima of what came before, each in a pass.
 *
 * The quantile of all earlier scores comes from a Fenwick tree over the ranks that the scores have
 * in the whole file; only earlier ones are counted in it. */
#include "models/anomaly/series.h"
#include "models/base/mem.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

_Static_assert(FLT_EVAL_METHOD == 0, "double arithmetic must round to double at each step");

void dc_series_embed(const double *value, uint32_t rows, uint32_t columns, const uint32_t *scale,
                     uint32_t scales, double *out)
{
    DC_CHECK(scales > 0 && scales <= DC_SERIES_SCALES_MAX);
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t c = 0; c < columns; c++) {
            double *to = out + ((size_t)row * columns + c) * scales, sum = 0;
            uint32_t back = 0, count = 0;
            for (uint32_t s = 0; s < scales; s++) {
                for (; back < scale[s] && back <= row; back++) {
                    double x = value[(size_t)(row - back) * columns + c];
                    if (!dc_missing(x)) {
                        sum += x;
                        count++;
                    }
                }
                to[s] = count > 0 ? sum / count : DC_MISSING;
            }
        }
}

/* ---- detectors ------------------------------------------------------------------------------- */

/* Of the last `window` rows up to and with row `last`. */
static struct dc_table series_table(const double *value, uint32_t columns, uint32_t last,
                                    uint32_t window)
{
    uint32_t rows = last + 1 < window ? last + 1 : window;
    return (struct dc_table){
        .rows = rows, .columns = columns, .value = value + (size_t)(last + 1 - rows) * columns};
}

/* Running moments of a column (Welford 1962). */
struct series_moments {
    double count, mean, squares;
};

static void series_floor(struct series_moments *moments, const double *x, uint32_t columns,
                         double *floor)
{
    for (uint32_t c = 0; c < columns; c++) {
        struct series_moments *m = &moments[c];
        if (dc_missing(x[c]))
            continue;
        double d = x[c] - m->mean;
        m->count += 1.0;
        m->mean += d / m->count;
        m->squares += d * (x[c] - m->mean);
        floor[c] = 0.5 * sqrt(m->squares / m->count);
    }
}

void dc_series_score(const struct dc_detector_class *class, const struct dc_detector_config *config,
                     const double *value, uint32_t rows, uint32_t columns, uint32_t window,
                     uint64_t seed, double *score)
{
    DC_CHECK(window > 0);
    bool within = class->learn == NULL, whole = class->of_last;
    uint32_t again = window / 8 > 0 ? window / 8 : 1;
    double *spare = dc_mem_need(window, sizeof *spare, "scores of a window");
    struct series_moments *moments = dc_mem_need(columns, sizeof *moments, "a series' floors");
    double *floor = dc_mem_need(columns, sizeof *floor, "a series' floors");
    void *model = NULL;
    for (uint32_t row = 0; row < rows; row++) {
        struct dc_table table = series_table(value, columns, row, within ? window : 1);
        table.floor = floor;
        class->score(config, model, &table, spare);
        score[row] = spare[table.rows - 1];
        series_floor(moments, value + (size_t)row * columns, columns, floor);
        if (within || (whole && (row + 1) % again != 0))
            continue;
        if (whole)
            table = series_table(value, columns, row, window);
        table.floor = floor;
        model = class->learn(config, model, false, &table, seed + row);
    }
    if (class->free != NULL)
        class->free(model);
    dc_mem_free(floor);
    dc_mem_free(moments);
    dc_mem_free(spare);
}

/* ---- scores ---------------------------------------------------------------------------------- */

struct series_ranked {
    double score;
    uint32_t row;
};

static int series_order(const void *a, const void *b)
{
    const struct series_ranked *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* The least rank with more than `below` of those counted in the tree at or below it. */
static uint32_t series_select(const uint32_t *tree, uint32_t size, uint32_t below)
{
    uint32_t at = 0, step = 1;
    while (step <= size / 2)
        step *= 2;
    for (; step > 0; step /= 2)
        if (at + step <= size && tree[at + step] <= below) {
            at += step;
            below -= tree[at];
        }
    return at; /* ranks from 0, the tree from 1 */
}

void dc_series_relative(double *score, uint32_t rows)
{
    struct series_ranked *list = dc_mem_need(rows + 1u, sizeof *list, "ranks of scores");
    uint32_t *rank = dc_mem_need(rows + 1u, sizeof *rank, "ranks of scores");
    uint32_t *tree = dc_mem_need(rows + 1u, sizeof *tree, "ranks of scores");
    uint32_t count = 0, before = 0;
    for (uint32_t row = 0; row < rows; row++)
        if (!dc_missing(score[row]))
            list[count++] = (struct series_ranked){score[row], row};
    qsort(list, count, sizeof *list, series_order);
    for (uint32_t i = 0; i < count; i++)
        rank[list[i].row] = i;
    for (uint32_t row = 0; row < rows; row++) {
        if (dc_missing(score[row]))
            continue;
        double x = score[row];
        if (before >= DC_SERIES_LEAST) {
            uint32_t below = (uint32_t)((uint64_t)before * 9 / 10);
            score[row] = x / (list[series_select(tree, count, below)].score + 0.001);
        } else {
            score[row] = DC_MISSING;
        }
        for (uint32_t i = rank[row] + 1; i <= count; i += i & -i)
            tree[i]++;
        before++;
    }
    dc_mem_free(tree);
    dc_mem_free(rank);
    dc_mem_free(list);
}

void dc_series_peaks(double *score, uint32_t rows, uint32_t hold)
{
    /* Rows whose score nothing after them has reached, oldest and highest first. */
    uint32_t *row = dc_mem_need(rows + 1u, sizeof *row, "peaks of scores");
    double *high = dc_mem_need(rows + 1u, sizeof *high, "peaks of scores");
    uint32_t first = 0, end = 0;
    for (uint32_t i = 0; i < rows; i++) {
        double x = score[i];
        if (dc_missing(x))
            continue;
        while (first < end && i - row[first] > hold)
            first++;
        if (first < end && high[first] >= x)
            score[i] = 0.0;
        while (end > first && high[end - 1] <= x)
            end--;
        row[end] = i;
        high[end++] = x;
    }
    dc_mem_free(high);
    dc_mem_free(row);
}

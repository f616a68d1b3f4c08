/* The scores of `destrasim detect`, and how well they tell the labelled rows from the others. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/base/mem.h"
#include "sim/cmd_detect.h"

/* ---- scores ---------------------------------------------------------------------------------- */

static void gather(struct ds_detect *d)
{
    size_t cells = (size_t)d->csv.rows * d->inputs;
    double *x = dc_mem_need(cells, sizeof *x, "a table"), *to = x;
    for (uint32_t row = 0; row < d->csv.rows; row++) {
        const double *from = d->csv.value + (size_t)row * d->csv.wanted;
        for (uint32_t c = 0; c < d->csv.columns; c++) {
            if (d->csv.column[c].wanted && !d->label[c])
                *to++ = *from;
            from += d->csv.column[c].wanted;
        }
    }
    d->value = x;
    if (!d->series)
        return;
    d->value = dc_mem_need(cells * d->scales, sizeof *d->value, "an embedded series");
    dc_series_embed(x, d->csv.rows, d->inputs, d->scale, d->scales, d->value);
    dc_mem_free(x);
}

/* Standard deviation of a column half of whose values are the same, else 0: their median absolute
 * deviation is 0, and every other value would be infinitely far away. */
static double column_floor(const struct ds_detect *d, uint32_t column, double *spare)
{
    double mean = 0, squares = 0, median;
    uint32_t count = 0, same = 0;
    for (uint32_t row = 0; row < d->csv.rows; row++) {
        double x = d->value[(size_t)row * d->inputs + column], away = x - mean;
        if (dc_missing(x))
            continue;
        spare[count++] = x;
        mean += away / count;
        squares += away * (x - mean);
    }
    if (count == 0)
        return 0;
    median = dc_detector_median(spare, count);
    for (uint32_t i = 0; i < count; i++)
        same += spare[i] == median;
    return 2 * (uint64_t)same >= count ? sqrt(squares / count) : 0;
}

static double *column_floors(const struct ds_detect *d)
{
    double *floor = dc_mem_need(d->inputs, sizeof *floor, "a table's floors");
    double *spare = dc_mem_need(d->csv.rows, sizeof *spare, "a table's floors");
    for (uint32_t c = 0; c < d->inputs; c++)
        floor[c] = column_floor(d, c, spare);
    dc_mem_free(spare);
    return floor;
}

static uint32_t rows_with_values(const struct ds_detect *d)
{
    uint32_t rows = 0;
    for (uint32_t row = 0; row < d->csv.rows; row++) {
        const double *x = d->value + (size_t)row * d->inputs;
        uint32_t c = 0;
        while (c < d->inputs && dc_missing(x[c]))
            c++;
        rows += c < d->inputs;
    }
    return rows;
}

static void score_table(const struct ds_detect *d, const struct dc_detector_class *class,
                        double *score)
{
    struct dc_table table = {.rows = d->csv.rows, .columns = d->inputs, .value = d->value};
    double *floor = column_floors(d);
    table.floor = floor;
    struct dc_detector_config config = d->config;
    uint32_t rows = rows_with_values(d);
    if (config.hst_window > rows)
        config.hst_window = rows; /* the table is its own window, however small */
    /* knn compares with the other rows of the table only if it learnt nothing. */
    bool learns = class->learn != NULL && class != &dc_detector_knn;
    void *model = learns ? class->learn(&config, NULL, false, &table, d->seed) : NULL;
    class->score(&config, model, &table, score);
    if (learns)
        class->free(model);
    dc_mem_free(floor);
}

static void score_series(const struct ds_detect *d, const struct dc_detector_class *class,
                         double *score)
{
    dc_series_score(class, &d->config, d->value, d->csv.rows, d->inputs * d->scales, d->window,
                    d->seed, score);
    dc_series_relative(score, d->csv.rows);
    if (d->hold > 0)
        dc_series_peaks(score, d->csv.rows, d->hold);
}

void ds_detect_score(struct ds_detect *d)
{
    gather(d);
    d->score = dc_mem_need((size_t)d->chosen_count * d->csv.rows, sizeof *d->score, "scores");
    for (uint32_t i = 0; i < d->chosen_count; i++)
        (d->series ? score_series : score_table)(d, d->chosen[i],
                                                 d->score + (size_t)i * d->csv.rows);
}

/* ---- AUROC ----------------------------------------------------------------------------------- */

struct judged {
    double score;
    bool anomaly;
};

static int judged_order(const void *a, const void *b)
{
    const struct judged *x = a, *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

/* Of all pairs of an anomaly and another row, the share in which the anomaly scores higher; equal
 * ones count half.  Not a number where there are no pairs. */
static double auroc(struct judged *list, size_t count, size_t anomalies)
{
    double below = 0, wins = 0;
    qsort(list, count, sizeof *list, judged_order);
    for (size_t i = 0, end; i < count; i = end) {
        size_t hits = 0;
        for (end = i; end < count && list[end].score == list[i].score; end++)
            hits += list[end].anomaly;
        double others = (double)(end - i - hits);
        wins += (double)hits * (below + others / 2);
        below += others;
    }
    return wins / ((double)anomalies * below);
}

static void print_auroc(const struct ds_detect *d, uint32_t which, uint32_t column)
{
    const double *score = d->score + (size_t)which * d->csv.rows;
    struct judged *list = dc_mem_need(d->csv.rows, sizeof *list, "judged rows");
    uint32_t place = ds_detect_place(d, column);
    size_t count = 0, anomalies = 0;
    for (uint32_t row = 0; row < d->csv.rows; row++) {
        double label = d->csv.value[(size_t)row * d->csv.wanted + place];
        if (dc_missing(label) || dc_missing(score[row]))
            continue;
        list[count++] = (struct judged){score[row], label == 1};
        anomalies += label == 1;
    }
    const char *name = d->chosen[which]->name;
    if (anomalies == 0 || anomalies == count)
        fprintf(stderr, "%-8s no AUROC of %s: %zu anomalies among %zu rows with score and label\n",
                name, d->csv.column[column].name, anomalies, count);
    else
        fprintf(stderr, "%-8s AUROC %.6f of %s: %zu anomalies among %zu rows\n", name,
                auroc(list, count, anomalies), d->csv.column[column].name, anomalies, count);
    dc_mem_free(list);
}

void ds_detect_judge(const struct ds_detect *d)
{
    for (uint32_t c = 0; c < d->csv.columns; c++)
        for (uint32_t i = 0; d->label[c] && i < d->chosen_count; i++)
            print_auroc(d, i, c);
}

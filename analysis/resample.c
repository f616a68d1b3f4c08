/* Bootstrap of several statistics at once, and the study as a table. */
#include "analysis/resample.h"

#include "models/base/rng.h"

#include <math.h>
#include <stdlib.h>

bool da_resample(size_t rows, size_t draws, uint64_t seed, size_t width,
                 void (*statistic)(void *ctx, const size_t *row, size_t rows, double *out),
                 void *ctx, double *out)
{
    size_t *row = dc_mem_alloc(rows + !rows, sizeof *row);
    if (!row)
        return false;
    for (size_t d = 0; d < draws; d++) {
        struct dc_stream s = dc_stream(seed, dc_name_indexed("bootstrap", d), dc_name("row"));
        for (size_t i = 0; i < rows; i++)
            row[i] = dc_next_below(&s, rows);
        statistic(ctx, row, rows, out + d * width);
    }
    dc_mem_free(row);
    return true;
}

struct da_estimate da_resample_interval(double value, const double *drawn, size_t draws,
                                        size_t width, size_t column, size_t rows, double level)
{
    struct da_estimate e = {value, NAN, NAN, rows};
    if (rows < 3 || isnan(value))
        return e;
    double *x = dc_mem_alloc(draws + !draws, sizeof *x);
    if (!x)
        return e;
    size_t n = 0;
    for (size_t d = 0; d < draws; d++)
        if (!isnan(drawn[d * width + column]))
            x[n++] = drawn[d * width + column];
    qsort(x, n, sizeof *x, da_rising);
    if (n > 0 && n * 2 >= draws) {
        double stretch = sqrt((double)rows / (double)(rows - 1));
        double tail = da_normal_below(stretch * da_t_quantile((1 - level) / 2, (double)(rows - 1)));
        e.lo = da_quantile_sorted(x, n, tail);
        e.hi = da_quantile_sorted(x, n, 1 - tail);
    }
    dc_mem_free(x);
    return e;
}

double *da_study_table(const struct da_study *s, size_t metric, struct dc_arena *arena)
{
    size_t runs = s->points * s->replications;
    double *table = dc_arena_alloc(arena, (runs + !runs) * sizeof *table);
    if (!table)
        return NULL;
    for (size_t i = 0; i < runs; i++) {
        bool data = s->status[i] == DA_RUN_DONE || s->status[i] == DA_RUN_EXPECTATION;
        table[i] = data ? s->value[i * s->metrics + metric] : NAN;
    }
    return table;
}

/* EWMA z-score: a row against its own past (Roberts 1959; the variance as in Finch 2009,
 * "Incremental calculation of weighted mean and variance").
 *
 *   d = x - mean;   mean += a d;   variance = (1 - a)(variance + a d^2)
 *   score = max over columns of |x - mean| / sqrt(variance + floor^2)
 *
 * The weight a is 1/n for a cell's first values, so that none of them counts more than another, and
 * ewma_weight once that is more: 1/8 is within Roberts's range, 0.05 to 0.25, and exact in binary.
 * A cell counts once it has seen ewma_warmup values.
 *
 * State: 12 bytes a cell.  It is kept in single precision, which halves it and leaves a relative
 * error of 2^-24 in the mean; arithmetic is in double. */
#include "models/anomaly/grid.h"

#include <float.h>
#include <math.h>

_Static_assert(FLT_EVAL_METHOD == 0, "double arithmetic must round to double at each step");

struct ewma_cell {
    float mean, variance;
    uint32_t seen;
};
enum { EWMA_WORDS = sizeof(struct ewma_cell) / sizeof(uint32_t) };

static void ewma_score(const struct dc_detector_config *config, const void *model,
                       const struct dc_table *table, double *score)
{
    for (uint32_t row = 0; row < table->rows; row++) {
        const double *x = dc_table_row(table, row);
        score[row] = DC_MISSING;
        for (uint32_t c = 0; dc_table_present(table, row) && c < table->columns; c++) {
            const struct ewma_cell *m = dc_grid_cell(model, row, c);
            if (m == NULL || dc_missing(x[c]) || m->seen == 0 || m->seen < config->ewma_warmup)
                continue;
            double floor = dc_table_floor(table, c), d = x[c] - (double)m->mean;
            double z = dc_detector_ratio(d < 0 ? -d : d, sqrt((double)m->variance + floor * floor));
            if (!(score[row] >= z))
                score[row] = z;
        }
    }
}

static void *ewma_learn(const struct dc_detector_config *config, void *before, bool keep,
                        const struct dc_table *table, uint64_t seed)
{
    struct dc_grid *g = dc_grid_next(before, keep, table, EWMA_WORDS);
    for (uint32_t row = 0; row < table->rows; row++) {
        const double *x = dc_table_row(table, row);
        for (uint32_t c = 0; dc_table_present(table, row) && c < table->columns; c++) {
            struct ewma_cell *m = dc_grid_cell(g, row, c);
            if (dc_missing(x[c]))
                continue;
            double weight = 1.0 / (m->seen + 1.0);
            if (weight < config->ewma_weight)
                weight = config->ewma_weight;
            double d = x[c] - (double)m->mean;
            m->mean = (float)((double)m->mean + weight * d);
            m->variance = (float)((1.0 - weight) * ((double)m->variance + weight * d * d));
            m->seen += m->seen < UINT32_MAX;
        }
    }
    return g;
}

const struct dc_detector_class dc_detector_ewma = {
    .name = "ewma",
    .meaning = "distance from the row's own moving mean, in its own standard deviations",
    .bit = DC_DETECTOR_EWMA,
    .of_rows = true,
    .score = ewma_score,
    .learn = ewma_learn,
    .digest = dc_grid_digest,
    .bytes = dc_grid_bytes,
    .free = dc_grid_free,
};

/* Two-sided cumulative sums (Page 1954; Montgomery, "Introduction to Statistical Quality Control",
 * chapter 9): a row against its own past, for shifts that are small and last.
 *
 *   z = (x - mean) / sqrt(variance + floor^2)      the cell's own running mean and variance
 *   up   = max(0, up + z - k)
 *   down = max(0, down - z - k)
 *   score = max over columns of max(up, down), the newest value included
 *
 * k is half the shift, in standard deviations, that is found soonest: 0.5.  A chart gives its alarm
 * above h = 4: then one in 168 values raises a false one, and a shift of one deviation takes 8.4
 * (Montgomery, table 9.3).  What is kept of a sum stops at h, so that it is forgotten within h/k
 * values once the cause is gone, however large it was.
 *
 * The mean moves slowly (cusum_weight), or it would follow the shift before the sum has grown; as
 * values come in it is the plain mean of all, until 1/n has fallen to that weight.  A cell counts
 * once it has seen cusum_warmup values; until then sums stay 0.
 *
 * State: 20 bytes a cell, in single precision, as ewma.c. */
#include "models/anomaly/grid.h"

#include <float.h>
#include <math.h>

_Static_assert(FLT_EVAL_METHOD == 0, "double arithmetic must round to double at each step");

struct cusum_cell {
    float mean, variance;
    float up, down;
    uint32_t seen;
};
enum { CUSUM_WORDS = sizeof(struct cusum_cell) / sizeof(uint32_t) };

struct cusum_sums {
    double up, down;
};

static bool cusum_ready(const struct dc_detector_config *config, const struct cusum_cell *m)
{
    return m != NULL && m->seen != 0 && m->seen >= config->cusum_warmup;
}

/* Both sums with x in them. */
static struct cusum_sums cusum_add(const struct dc_detector_config *config,
                                   const struct cusum_cell *m, double x, double floor)
{
    double scale = sqrt((double)m->variance + floor * floor), d = x - (double)m->mean;
    double z = d < 0 ? -dc_detector_ratio(-d, scale) : dc_detector_ratio(d, scale);
    double up = (double)m->up + z - config->cusum_k;
    double down = (double)m->down - z - config->cusum_k;
    return (struct cusum_sums){up > 0 ? up : 0, down > 0 ? down : 0};
}

static void cusum_score(const struct dc_detector_config *config, const void *model,
                        const struct dc_table *table, double *score)
{
    for (uint32_t row = 0; row < table->rows; row++) {
        const double *x = dc_table_row(table, row);
        score[row] = DC_MISSING;
        for (uint32_t c = 0; dc_table_present(table, row) && c < table->columns; c++) {
            const struct cusum_cell *m = dc_grid_cell(model, row, c);
            if (!cusum_ready(config, m) || dc_missing(x[c]))
                continue;
            struct cusum_sums s = cusum_add(config, m, x[c], dc_table_floor(table, c));
            double worst = s.up > s.down ? s.up : s.down;
            if (!(score[row] >= worst))
                score[row] = worst;
        }
    }
}

static void cusum_learn_cell(const struct dc_detector_config *config, struct cusum_cell *m,
                             double x, double floor)
{
    if (cusum_ready(config, m)) {
        struct cusum_sums s = cusum_add(config, m, x, floor);
        m->up = (float)(s.up < config->cusum_h ? s.up : config->cusum_h);
        m->down = (float)(s.down < config->cusum_h ? s.down : config->cusum_h);
    }
    double weight = 1.0 / (m->seen + 1.0);
    if (weight < config->cusum_weight)
        weight = config->cusum_weight;
    double d = x - (double)m->mean;
    m->mean = (float)((double)m->mean + weight * d);
    m->variance = (float)((1.0 - weight) * ((double)m->variance + weight * d * d));
    m->seen += m->seen < UINT32_MAX;
}

static void *cusum_learn(const struct dc_detector_config *config, void *before, bool keep,
                         const struct dc_table *table, uint64_t seed)
{
    struct dc_grid *g = dc_grid_next(before, keep, table, CUSUM_WORDS);
    for (uint32_t row = 0; row < table->rows; row++) {
        const double *x = dc_table_row(table, row);
        for (uint32_t c = 0; dc_table_present(table, row) && c < table->columns; c++)
            if (!dc_missing(x[c]))
                cusum_learn_cell(config, dc_grid_cell(g, row, c), x[c], dc_table_floor(table, c));
    }
    return g;
}

const struct dc_detector_class dc_detector_cusum = {
    .name = "cusum",
    .meaning = "two-sided cumulative sum of the row's deviations from its own running mean",
    .bit = DC_DETECTOR_CUSUM,
    .of_rows = true,
    .score = cusum_score,
    .learn = cusum_learn,
    .digest = dc_grid_digest,
    .bytes = dc_grid_bytes,
    .free = dc_grid_free,
};

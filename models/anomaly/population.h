/* What the detectors of populations share: which rows belong together, and what stands in for a
 * value that a row does not have. */
#ifndef MODELS_ANOMALY_POPULATION_H
#define MODELS_ANOMALY_POPULATION_H

#include "models/anomaly/detector.h"

#define DC_GROUPS 256u

/* The rows that are present, group by group: those of g are row[first[g]] .. row[first[g + 1] - 1],
 * in ascending order. */
struct dc_groups {
    uint32_t *row;
    uint32_t first[DC_GROUPS + 1];
};
void dc_groups_make(struct dc_groups *groups, const struct dc_table *table);
void dc_groups_free(struct dc_groups *groups);
static inline uint32_t dc_groups_size(const struct dc_groups *groups, uint32_t g)
{
    return groups->first[g + 1] - groups->first[g];
}

/* The columns in which a population has values, and their medians, which stand for what a row does
 * not have: it is then nothing unusual in that column. */
struct dc_fill {
    uint32_t live;
    struct dc_fill_column {
        double median;
        uint32_t column, unused;
    } column[];
};
/* Of the rows value[row[i] * columns ...], i < n; row NULL: of rows 0 .. n - 1.  Never NULL; freed
 * by dc_mem_free. */
struct dc_fill *dc_fill_make(const double *value, uint32_t columns, const uint32_t *row,
                             uint32_t n);
struct dc_fill *dc_fill_copy(const struct dc_fill *fill);
static inline size_t dc_fill_bytes(const struct dc_fill *fill)
{
    return fill == NULL ? 0 : sizeof *fill + fill->live * sizeof fill->column[0];
}
/* Writes out[live].  False where x has no value in any live column. */
bool dc_fill_row(const struct dc_fill *fill, const double *x, double *out);
void dc_fill_digest(struct dc_hasher *h, const struct dc_fill *fill);
void dc_digest_double(struct dc_hasher *h, double x);

#endif

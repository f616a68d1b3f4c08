/* What a detector is: a class of functions over tables, and models that they make.
 *
 *   table   rows x columns of numbers, some missing         a node, a step of a series, a record
 *
 *   score(model, table)  --> a number for each row, larger is stranger
 *   learn(model, table)  --> the next model
 *
 * One who scores a table under what was learnt before, and learns it only then, never judges a row
 * by a model that the row has shaped.  The chain does so, epoch by epoch (anomaly.c); `destrasim
 * detect` runs the same code over files.  Only the order of scores of one detector means something.
 *
 * Two kinds of detectors.  Those *of rows* (ewma, cusum) know every row by its index and compare it
 * with its own past: row i of every table is the same node, and a time series is a table of one row
 * at each step.  Those *of populations* compare rows with the other rows of their group: mad with
 * those of the same table, iforest with those of the table learnt last, hst with those of the last
 * full window.  They do not ask which row is which.
 *
 * Each detector has a file of its own; dc_detectors lists them. */
#ifndef MODELS_ANOMALY_DETECTOR_H
#define MODELS_ANOMALY_DETECTOR_H

#include "models/anomaly/anomaly.h"

/* Borrowed.  A value is below 10^38 in magnitude (detectors of rows keep it in single precision), or
 * missing: not a number. */
#define DC_MISSING __builtin_nan("")
struct dc_table {
    uint32_t rows, columns;
    const double *value;    /* [rows][columns] */
    const uint8_t *present; /* [rows]: whether the row takes part; NULL: all do */
    const uint8_t *group;   /* [rows]: its population; NULL: one for all */
    const double *floor;    /* [columns], >= 0: deviations far below this are no news, however still
                               a column has been; NULL: 0 */
};
static inline bool dc_missing(double x)
{
    return !(x == x);
}
static inline const double *dc_table_row(const struct dc_table *t, uint32_t row)
{
    return t->value + (size_t)row * t->columns;
}
static inline bool dc_table_present(const struct dc_table *t, uint32_t row)
{
    return t->present == NULL || t->present[row] != 0;
}
static inline uint8_t dc_table_group(const struct dc_table *t, uint32_t row)
{
    return t->group == NULL ? 0 : t->group[row];
}
static inline double dc_table_floor(const struct dc_table *t, uint32_t column)
{
    return t->floor == NULL ? 0.0 : t->floor[column];
}

/* The numbers of every detector; each one's file says what they mean and where they come from. */
struct dc_detector_config {
    double ewma_weight;      /* of the newest value [1/8] */
    uint32_t ewma_warmup;    /* values of a cell before it counts [5] */
    double cusum_k, cusum_h; /* reference value, limit: in standard deviations [0.5, 4] */
    double cusum_weight;     /* of the newest value in mean and deviation [1/64] */
    uint32_t cusum_warmup;   /* values of a cell before it counts [5] */
    uint32_t population_min; /* rows of a group, below which none of them can be judged [8] */
    uint32_t iforest_trees, iforest_sample;    /* t, psi [100, 256] */
    uint32_t hst_trees, hst_window, hst_depth; /* t, psi, h [25, 250, 15]; at most 128 and 24 */
    double hst_limit; /* of a window's rows: where no more halves are looked at [0.1] */
    /* k, rows kept, newest rows that are no neighbours [5, 4096, 64] */
    uint32_t knn_neighbours, knn_window, knn_gap;
};
struct dc_detector_config dc_detector_defaults(void);
struct dc_detector_config dc_detector_config(const struct dc_params *params);

struct dc_detector_class {
    const char *name;    /* "ewma" */
    const char *meaning; /* one line */
    uint32_t bit;        /* enum dc_detector_bit */
    bool of_rows;        /* else of populations */
    bool of_last; /* a model is of the table learnt last alone: learn ignores what was before */
    /* Writes score[rows] >= 0, or DC_MISSING for a row that is absent or cannot be judged.  model
     * NULL: nothing was learnt. */
    void (*score)(const struct dc_detector_config *config, const void *model,
                  const struct dc_table *table, double *score);
    /* The model after one more table; `before` (NULL: none) had the same config and columns, and at
     * most as many rows.  With `keep` it stays as it was, else it is used up.  The seed names this
     * table: the same inputs give the same model.  NULL function: there is nothing to learn. */
    void *(*learn)(const struct dc_detector_config *config, void *before, bool keep,
                   const struct dc_table *table, uint64_t seed);
    void (*digest)(struct dc_hasher *h, const void *model); /* NULL model is fine */
    size_t (*bytes)(const void *model);                     /* NULL model is fine: 0 */
    void (*free)(void *model);                              /* NULL model is fine */
};

#define DC_DETECTORS 5
extern const struct dc_detector_class dc_detector_ewma, dc_detector_mad, dc_detector_cusum,
    dc_detector_iforest, dc_detector_hst;
extern const struct dc_detector_class *const dc_detectors[DC_DETECTORS];
/* Not one of the chain's, hence without a bit: every row kept is compared with every row scored. */
extern const struct dc_detector_class dc_detector_knn;
/* Detectors of relations: the score is a feature, and what it is compared with is the same feature
 * of the same nodes after chance alone has related them (struct dc_features, null).  However many
 * cheats there are, and since when, their scores do not stand in the window. */
struct dc_relation_class {
    const char *name;
    uint32_t bit; /* enum dc_detector_bit */
    enum dc_feature feature;
    bool small; /* the smaller is the stranger */
};
extern const struct dc_relation_class dc_relations[DC_RELATIONS];
/* The feature's value as a score, larger is stranger; DC_SCORE_NONE of DC_FEATURE_NONE. */
uint32_t dc_relation_score(const struct dc_relation_class *class, uint32_t value);
/* How many of dc_detectors and dc_relations params->detectors switches on. */
uint32_t dc_detectors_on(const struct dc_params *params);

/* A score as the integer that enters state: 2^-16 units, cut at DC_SCORE_MAX; monotone. */
#define DC_SCORE_NONE UINT32_MAX /* of a missing score */
#define DC_SCORE_MAX (UINT32_MAX - 1)
uint32_t dc_detector_integer(double score);

/* What detectors share.  deviation / scale >= 0; nothing over nothing is 0, and over no scale the
 * larger deviation is still the larger ratio. */
static inline double dc_detector_ratio(double deviation, double scale)
{
    return scale > 0.0 ? deviation / scale : deviation * 1e30;
}
/* The lower middle one of v[n], n > 0, none missing; reorders v.  O(n) on average, whatever the
 * order and however many are equal. */
double dc_detector_median(double *v, uint32_t n);
/* Sorts v[n] ascending; spare[n] is overwritten.  Linear: three passes of 11 bits. */
void dc_detector_sort(uint32_t *v, uint32_t *spare, uint32_t n);

/* A feature of a node as a real number: shares as they are, the residual of utilisation in units of
 * utilisation, response and twin in doublings; and its floor in the same units: 1/128 of the whole,
 * an eighth of a doubling. */
double dc_detector_real(enum dc_feature feature, uint32_t value);
double dc_detector_floor(enum dc_feature feature);

#endif

/* How well something tells the guilty from the innocent: ROC and precision-recall.
 *
 * From scores: a positive is called when its score is at least the threshold; equal scores are
 * called together, so a tie is one sloped step of the ROC and half a win in its area.
 *   area        Mann-Whitney, with the interval of DeLong, DeLong and Clarke-Pearson 1988 on the
 *               logit scale, and by bootstrap within each class
 *   precision   average precision (the step sum, as scikit-learn's), and the area under the curve
 *               of achievable points between thresholds (Davis and Goadrich 2006)
 *
 * From operating points: both rates were measured at each of some thresholds (thetas), in paired
 * replications; area by trapezoids through them, (0,0) and (1,1). */
#ifndef ANALYSIS_ROC_H
#define ANALYSIS_ROC_H

#include "analysis/stats.h"
#include "models/base/mem.h"

struct da_roc_point {
    double threshold; /* of the first point INFINITY: nothing is called */
    size_t true_positives, false_positives;
    double tpr, fpr;  /* tpr is the recall */
    double precision; /* of the first point 1, by convention */
};
struct da_roc {
    struct da_roc_point *point; /* by falling threshold: one per distinct score, and the first */
    size_t points;
    size_t positives, negatives;
    struct da_estimate area;                              /* DeLong */
    struct da_estimate area_bootstrap;                    /* the same area */
    struct da_estimate average_precision, precision_area; /* bootstrap */
    struct dc_arena arena;
};

/* DC_ERR_USAGE without both classes or with a NaN score; DC_ERR_IO out of memory.  *out is zeroed
 * first and needs da_roc_free in every case. */
enum dc_status da_roc_scored(const double *score, const bool *positive, size_t n, double level,
                             uint64_t seed, struct da_roc *out, struct dc_error *error) DC_MUST_USE;
void da_roc_free(struct da_roc *out);

struct da_rate_point {
    double x;                     /* theta */
    struct da_estimate fpr, tpr;  /* means over replications, Student's interval */
    struct da_estimate precision; /* bootstrap; NaN where no prevalence was given */
    double youden;                /* tpr - fpr */
};
struct da_rates {
    struct da_rate_point *point; /* by rising mean fpr, then tpr */
    size_t points;
    struct da_estimate area;      /* trapezoids through all points */
    struct da_estimate area_hull; /* of the upper hull: what mixing thresholds at random attains */
    size_t best;                  /* the point of the greatest youden */
    size_t replications;          /* with data at every point */
    struct dc_arena arena;
};

/* x: of each point.  fpr and tpr: points x replications in 0..1, NaN: no data (a replication
 * without all its data is left out, so that points stay paired).  prevalence: share of positives,
 * for the precision; NaN: unknown.  Fails as da_roc_scored; *out needs da_rates_free. */
enum dc_status da_roc_rates(const double *x, const double *fpr, const double *tpr, size_t points,
                            size_t replications, double prevalence, double level, uint64_t seed,
                            struct da_rates *out, struct dc_error *error) DC_MUST_USE;
void da_rates_free(struct da_rates *out);

#endif

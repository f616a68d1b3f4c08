/* What matters and what does not: how much of a metric's variation over a study's points each
 * parameter explains.  Which method follows from the study's design:
 *
 *   SALTELLI  Sobol' indices: first order by Saltelli et al. 2010, total by Jansen 1999;
 *             bootstrap over the rows of the base
 *   GRID      (or any list that is a full factorial) the exact ANOVA decomposition, every level
 *             equally likely; bootstrap over replications
 *   MORRIS    elementary effects on the unit cube, mu, mu* and sigma (Morris 1991; Campolongo et
 *             al. 2007); bootstrap over trajectories
 *
 * Noise is taken out.  Every index is a sum of squares or products of contrasts between points; a
 * square is replaced by the mean product of the contrast in two different replications, which is
 * unbiased however the noise is correlated between points: common random numbers cancel where they
 * should.  With one replication nothing can be told from noise and nothing is taken out.  mu* is a
 * mean of absolute values, which noise raises: it is as measured.
 *
 * An index may come out a little below 0 or above 1: that is its error, and is not clipped; the
 * ends of its interval go no further than 0, 1 and the index itself. */
#ifndef ANALYSIS_SENSITIVITY_H
#define ANALYSIS_SENSITIVITY_H

#include "analysis/stats.h"
#include "analysis/study.h"

struct da_effect {
    struct da_estimate first; /* share of the variance that the parameter explains alone */
    struct da_estimate total; /* ... and with all its interactions */
    /* MORRIS: change of the metric, in its unit, when the parameter moves over its whole range:
     * mean, mean of absolute values, standard deviation (interactions and curvature) */
    struct da_estimate mu, mu_star, sigma;
};
struct da_interaction {
    size_t a, b; /* parameters, a < b */
    struct da_estimate share;
};

struct da_sensitivity {
    enum da_design method;    /* DA_SALTELLI, DA_GRID or DA_MORRIS: what is set below */
    const char *source;       /* the method in one line, for captions */
    struct da_effect *effect; /* one per parameter of the study */
    size_t effects;
    struct da_interaction *interaction; /* DA_GRID: of every pair of parameters */
    size_t interactions;
    double mean, variance; /* of the metric over the design, noise taken out */
    double noise; /* share of the variance among the points' means that was noise; NaN: unknown */
    /* The variation among points is within noise: every share is 0 with the interval 0..1. */
    bool noise_only;
    size_t rows, rows_left_out; /* of the base, trajectories or replications; without full data */
    size_t replications;        /* used at every point */
    struct dc_arena arena;
};

/* The metric's sensitivity.  DC_ERR_USAGE, with what to do, for designs that cannot tell (LHS,
 * SOBOL), where points lack data, or where there is but one row; DC_ERR_IO: out of memory.  *out is
 * zeroed first and needs da_sensitivity_free in every case. */
enum dc_status da_sensitivity(const struct da_study *s, size_t metric, double level, uint64_t seed,
                              struct da_sensitivity *out, struct dc_error *error) DC_MUST_USE;
void da_sensitivity_free(struct da_sensitivity *out);

#endif

/* The bootstrap: of several statistics of one draw at once, so that they stay paired.  Draw d has a
 * stream of its own (seed, "bootstrap[d]"). */
#ifndef ANALYSIS_RESAMPLE_H
#define ANALYSIS_RESAMPLE_H

#include "analysis/stats.h"
#include "analysis/study.h"

enum { DA_DRAWS = 1000 };

/* For each of `draws` draws of `rows` indices out of 0..rows-1, with replacement, the statistic
 * fills its row of out (draws x width).  False: out of memory. */
bool da_resample(size_t rows, size_t draws, uint64_t seed, size_t width,
                 void (*statistic)(void *ctx, const size_t *row, size_t rows, double *out),
                 void *ctx, double *out) DC_MUST_USE;
/* The percentile interval of one column of what da_resample filled; NaN draws are left out.  With
 * few rows percentiles are too narrow by the plug-in variance and by Student's quantile: the level
 * is raised to make up for both (Hesterberg 2015, "expanded percentiles").  The ends are NaN below
 * three rows, where most draws are NaN, and where memory ran out. */
struct da_estimate da_resample_interval(double value, const double *drawn, size_t draws,
                                        size_t width, size_t column, size_t rows, double level);

/* points x replications of one metric, NaN where there is no data; NULL: out of memory. */
double *da_study_table(const struct da_study *s, size_t metric, struct dc_arena *arena);

#endif

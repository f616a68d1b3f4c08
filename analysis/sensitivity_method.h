/* What the methods of sensitivity.h share, and their entries. */
#ifndef ANALYSIS_SENSITIVITY_METHOD_H
#define ANALYSIS_SENSITIVITY_METHOD_H

#include "analysis/sensitivity.h"

struct da_sensitivity_job {
    const struct da_study *s;
    const double *y; /* points x replications of the metric; NaN: no data */
    const char *metric;
    double level;
    uint64_t seed;
};

/* The mean of a[r] b[q] over replications r != q: unbiased for the product of what a and b measure.
 * With one replication their plain product. */
double da_product(const double *a, const double *b, size_t replications);
/* The index of the value among the sorted distinct ones of that parameter in the study; *levels:
 * how many there are.  rank: one per point.  False: out of memory. */
bool da_study_ranks(const struct da_study *s, size_t parameter, size_t *rank, size_t *levels);
/* The interval of a share.  The truth is within 0..1, so the ends are kept there, but for an
 * estimate beyond, which stays inside its interval. */
struct da_estimate da_share_interval(struct da_estimate e);
enum dc_status da_sensitivity_no_memory(struct dc_error *error);

enum dc_status da_sensitivity_saltelli(const struct da_sensitivity_job *job,
                                       struct da_sensitivity *out, struct dc_error *error);
enum dc_status da_sensitivity_grid(const struct da_sensitivity_job *job, struct da_sensitivity *out,
                                   struct dc_error *error);
enum dc_status da_sensitivity_morris(const struct da_sensitivity_job *job,
                                     struct da_sensitivity *out, struct dc_error *error);
/* Whether every combination of the parameters' values is there exactly once. */
bool da_study_is_factorial(const struct da_study *s, bool *memory);

#endif

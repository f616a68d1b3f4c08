/* What gp.c and gp_fit.c share. */
#ifndef ANALYSIS_GP_WORK_H
#define ANALYSIS_GP_WORK_H

#include "analysis/gp.h"

/* Added to every diagonal, in variances of y: below what doubles resolve in a matrix of hundreds.
 * */
#define DA_GP_JITTER 1e-9

enum dc_status da_gp_check(const struct da_gp_data *data, struct dc_error *error) DC_MUST_USE;
void da_gp_standardise(const struct da_gp_data *data, double *shift, double *scale);
/* K of y / scale, whole. */
void da_gp_matrix(const struct da_gp_data *data, const struct da_gp_hyper *hyper, double scale,
                  double *k);
/* K = L L' in place, and L^-1 by rows into half; false: not positive definite. */
bool da_gp_factor(double *k, double *half, size_t count) DC_MUST_USE;
/* out = K^-1 y, of `half` by rows; work: count. */
void da_gp_solve(const double *half, size_t count, const double *y, double *work, double *out);

#endif

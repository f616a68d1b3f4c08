/* Writes study.h5: a struct da_study, xarray-ready.
 *
 *     value(point, replication, metric)  status, trace_digest(point, replication)
 *     x(point, parameter)  seed(replication)  mean, half_width (point, metric)
 *     parameter_*(parameter), metric_*(metric) names and units; failure_*(failure)
 *
 * The same struct gives the same bytes. */
#ifndef SIM_RECORD_STUDY_H
#define SIM_RECORD_STUDY_H

#include "analysis/study.h"

/* Written beside path and renamed when complete.  Errors: DC_ERR_IO. */
enum dc_status ds_study_write(const struct da_study *study, const char *path,
                              struct dc_error *error) DC_MUST_USE;

#endif

/* study.h5 back into a struct da_study. */
#ifndef ANALYSIS_READ_STUDY_H
#define ANALYSIS_READ_STUDY_H

#include "analysis/study.h"

/* DC_ERR_IO when it is missing, unreadable or no study's file.  *out needs da_study_free in every
 * case. */
enum dc_status da_study_read(const char *path, struct da_study *out,
                             struct dc_error *error) DC_MUST_USE;

#endif

/* Inside sim/fault: edits that make one fault less, as rows of (member, type). */
#ifndef SIM_FAULT_MINIMISE_EDIT_H
#define SIM_FAULT_MINIMISE_EDIT_H

#include "sim/fault/minimise.h"

enum ds_minimise_type {
    DS_MINIMISE_TIME,  /* int64_t ns: half */
    DS_MINIMISE_SHARE, /* dc_q31: half */
    DS_MINIMISE_REAL,  /* double, a factor: half, in whole numbers */
    DS_MINIMISE_DIST,
    DS_MINIMISE_TIMES, /* of `every` */
    DS_MINIMISE_END    /* of the table */
};
struct ds_minimise_field {
    size_t offset; /* in struct ds_fault */
    enum ds_minimise_type type;
    bool gone; /* its neutral value (0, 1, none) means that there is no such effect */
};
extern const struct ds_minimise_field ds_minimise_durations[], ds_minimise_magnitudes[];

/* Makes the member less, or neutral; false when there is nothing to do. */
bool ds_minimise_edit(struct ds_fault *f, const struct ds_minimise_field *field, bool neutral);

#endif

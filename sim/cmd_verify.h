/* Inside `verify`: two results files of what should be the same run, and where they part. */
#ifndef SIM_CMD_VERIFY_H
#define SIM_CMD_VERIFY_H

#include "sim/cmd_world.h"
#include "sim/record/read.h"

/* Slices of virtual time with the nodes' rolling digests at their ends. */
struct ds_slice {
    uint64_t index;
    int64_t from_ns, until_ns;
    uint64_t nodes, differing; /* nodes of the run, and those whose digest differs at its end */
    bool *differs;             /* by node */
    uint64_t *digest;          /* at its end, in the first file */
};
void ds_slice_free(struct ds_slice *slice);

/* The first slice at whose end any node's digest differs: bisects, because digests roll on and a
 * difference stays.  *found false: every slice that both files have agrees. */
enum dc_status ds_slices_compare(struct ds_results *a, struct ds_results *b, bool *found,
                                 struct ds_slice *out, struct dc_error *error) DC_MUST_USE;

/* One row of /trace. */
struct ds_trace_event {
    int64_t time_ns;
    uint32_t node, source, kind;
    uint64_t sequence, digest;
};
/* The first row in which two traces differ; false when one has none there to compare. */
enum dc_status ds_traces_compare(struct ds_results *a, struct ds_results *b, bool *found,
                                 struct ds_trace_event *in_a, bool *ends_a,
                                 struct ds_trace_event *in_b, bool *ends_b,
                                 struct dc_error *error) DC_MUST_USE;
/* The event at which the nodes of a slice part, as far as one trace and the other run's digests
 * tell: see cmd_verify_find.c.  *exact: that one is missing in the other run; otherwise it is that
 * one or a later one. */
enum dc_status ds_trace_blame(struct ds_results *traced, const struct ds_slice *slice, bool *found,
                              bool *exact, struct ds_trace_event *out,
                              struct dc_error *error) DC_MUST_USE;

/* The name of the k-th word of a dataset's flag_meanings. */
struct ds_word ds_results_meaning(struct ds_results *r, const char *dataset, uint64_t value);
/* The epoch in which a time lies; the number of closed epochs when it is after all of them. */
uint64_t ds_results_epoch_at(struct ds_results *r, int64_t time_ns);
/* Says which dataset differs first; false when none does. */
bool ds_results_differ(struct ds_results *a, struct ds_results *b, struct ds_text *what);

#endif

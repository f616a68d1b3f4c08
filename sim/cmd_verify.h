/* Inside `verify` and `diff`: two results files, and where their runs part. */
#ifndef SIM_CMD_VERIFY_H
#define SIM_CMD_VERIFY_H

#include "sim/rerun.h"

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

/* The event at which the nodes of a slice part, as far as one run's events and the other's digests
 * tell: see cmd_verify_find.c.  *exact: that one is missing in the other run; otherwise it is that
 * one or a later one. */
bool ds_events_blame(const struct ds_events *events, const struct ds_slice *slice, bool *exact,
                     struct ds_event_seen *out);
/* Whether these events of the slice end in its digests: whether they are the first file's. */
bool ds_events_lead_to(const struct ds_events *events, const struct ds_slice *slice);

/* cmd_verify_fresh.c: the events of a stretch as a fresh process of this program handles them; and
 * what that process prints for it. */
enum dc_status ds_fresh_events(const struct ds_rerun *r, const struct ds_rerun_how *how,
                               int64_t from_ns, int64_t until_ns, struct ds_events *out,
                               struct dc_error *error) DC_MUST_USE;
int ds_fresh_print(const struct ds_events *events);

/* The epoch in which a time lies; the number of closed epochs when it is after all of them. */
uint64_t ds_results_epoch_at(struct ds_results *r, int64_t time_ns);
/* Says which dataset differs first; false when none does. */
bool ds_results_differ(struct ds_results *a, struct ds_results *b, const char *in_a,
                       const char *in_b, struct dc_text *what);

#endif

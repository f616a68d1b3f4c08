/* A run: a resolved scenario in, results out.  The one place where both halves meet: the
 * simulator's events become inputs of nodes, their effects become events.
 *
 *   ds_world_create   nodes, keys, genesis, network, faults; the results file is opened
 *   ds_world_run      to the end, or until *stop is raised
 *   ds_world_finish   digests, summary, expectations; the file is closed
 *   ds_world_destroy
 */
#ifndef SIM_WORLD_WORLD_H
#define SIM_WORLD_WORLD_H

#include <signal.h>

#include "sim/record/record.h"
#include "sim/scenario/scenario.h"

/* What a progress line shows; called between windows, a few times per virtual second at most. */
struct ds_progress {
    int64_t now_ns, end_ns; /* virtual; end: as planned */
    uint64_t epoch, epochs; /* epochs: 0 when the duration is a time */
    uint64_t height;        /* highest final */
    uint64_t events;
};

struct ds_world_options {
    const char *output;       /* path of the results file; NULL: none is written */
    uint32_t parallel_events; /* windows of so many events run on all threads; 0: 4096 */
    uint32_t threads;         /* at least 1 */
    int64_t until_ns;         /* stop early; 0: no */
    bool trace;               /* record every event (also when the scenario says so) */
    int64_t trace_from_ns, trace_until_ns; /* of virtual time; until 0: all */
    const volatile sig_atomic_t *stop;     /* raised by a signal handler, or NULL */
    void (*progress)(void *ctx, const struct ds_progress *p); /* or NULL */
    void *progress_ctx;
    const struct ds_attribute *attributes; /* build_* and version, for the root */
    size_t attribute_count;
};

enum ds_world_end {
    DS_WORLD_DONE,        /* its duration is over */
    DS_WORLD_HALTED,      /* no block was final any more when max_time was reached */
    DS_WORLD_TIME,        /* max_time was reached before its epochs were */
    DS_WORLD_INTERRUPTED, /* by a signal */
    DS_WORLD_UNTIL        /* options.until_ns was reached */
};

struct ds_expectation {
    const char *text; /* as written */
    bool held;
    double value; /* what the metric was */
};

/* What a run came to.  Owned by the world. */
struct ds_summary {
    enum ds_world_end end;
    const struct ds_scalar *scalars; /* every number that `expect` can name */
    size_t scalar_count;
    const struct ds_expectation *expectations;
    size_t expectation_count;
    bool invariants_held;
    const char *violation; /* the first, with virtual time, nodes and evidence; or NULL */
    char trace_digest[33], content_digest[65];
    uint64_t bytes_peak_kernel; /* of pending events; for benchmarks */
};
/* The scalar of that name as a double; NAN when there is none. */
double ds_summary_value(const struct ds_summary *summary, const char *name);

struct ds_world;

/* Errors: DC_ERR_USAGE (with `FILE:LINE:COL: ` where the scenario is to blame), DC_ERR_IO. */
enum dc_status ds_world_create(const struct ds_scenario *scenario,
                               const struct ds_world_options *options, struct ds_world **out,
                               struct dc_error *error) DC_MUST_USE;
enum dc_status ds_world_run(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
/* Must be called once after create, whatever run returned. */
enum dc_status ds_world_finish(struct ds_world *w, struct ds_summary *summary,
                               struct dc_error *error) DC_MUST_USE;
void ds_world_destroy(struct ds_world *w); /* NULL is fine */

/* Counts that benchmarks print; not part of results. */
struct ds_world_counts {
    uint64_t events, windows, parallel_windows;
    uint64_t sign, verify, sign_done, verify_done; /* asked for, and computed */
    size_t chain_bytes, pending_bytes;
};
struct ds_world_counts ds_world_counts(const struct ds_world *w);

/* Names of the trace's event kinds, for `list` and the file. */
extern const char *const ds_event_names[];

#endif

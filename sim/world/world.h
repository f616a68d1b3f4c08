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

#include "models/base/step.h"
#include "sim/record/record.h"
#include "sim/scenario/scenario.h"

/* What a progress line shows; called between windows, a few times per virtual second at most. */
struct ds_progress {
    int64_t now_ns, end_ns; /* virtual; end: as planned */
    uint64_t epoch, epochs; /* epochs: 0 when the duration is a time */
    uint64_t height;        /* highest final */
    uint64_t events;
};

/* What a watcher is told of: everything that happens at the watched nodes, as it happens. */
enum ds_watch_kind {
    DS_WATCH_FAULT,     /* fault number `fault` of the scenario begins; no node */
    DS_WATCH_FAULT_END, /* and ends */
    DS_WATCH_DOWN,      /* the node does nothing from here on; or has not, when watching begins */
    DS_WATCH_UP,        /* and is there again */
    DS_WATCH_START,
    DS_WATCH_RESTART,
    DS_WATCH_SENT,     /* a message leaves `node` for `peer`, where it arrives at due_ns */
    DS_WATCH_LOST,     /* it would have; `lost` says why it does not arrive */
    DS_WATCH_RECEIVED, /* at `node` from `peer`; `down`: the node was, and dropped it */
    DS_WATCH_TIMER,    /* a: the value that it was set with */
    DS_WATCH_CALL,     /* a user asks a client; a: ordinal */
    DS_WATCH_OTHER,    /* of the simulator's own making: see `event` */
    DS_WATCH_COMMIT,   /* `block` is final at the node */
    DS_WATCH_NOTE      /* a node's observation (dc_note, dc_consensus_note) with a and b */
};
struct ds_watched {
    enum ds_watch_kind kind;
    int64_t time_ns;         /* of an event; of SENT, LOST, COMMIT, NOTE: the end of that work */
    uint32_t node, peer;     /* UINT32_MAX: none */
    uint32_t sequence;       /* of an event among those that its source caused */
    uint32_t event;          /* index into ds_event_names; of what a node did: EV_COUNT */
    int64_t sent_ns, due_ns; /* of messages; sent_ns -1: before the watcher looked */
    const uint8_t *bytes;    /* of messages; borrowed for the call, as is block */
    uint32_t size;
    uint64_t content; /* digest of bytes: equal for equal messages */
    uint64_t rolling; /* an event's: the node's digest after it, as in /digest and /trace */
    const struct dc_block *block;
    const char *lost;
    uint64_t a, b;
    uint32_t note, fault;
    bool down;
};

/* Called at barriers on one thread, in order of (time; faults, then nodes; what the node did
 * first): the same calls in the same order for any number of threads.  Changes no result.  Messages
 * are watched when either end is.  A world without a watcher pays one branch per event. */
struct ds_watch {
    void (*watched)(void *ctx, const struct ds_watched *event);
    void *ctx;
    const uint64_t *nodes;    /* a bit per node; NULL: all */
    int64_t from_ns, until_ns; /* until 0: to the end */
    bool events_only;         /* what nodes handled, and nothing else */
};

/* What an EV_CALL that is private asks for, in words, by its payload (ds_watched.a); NULL: it is a
 * request as others are. */
const char *ds_world_private_call(uint64_t payload);

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
    const struct ds_watch *watch; /* or NULL; borrowed */
    const struct ds_attribute *attributes; /* build_* and version, for the root */
    size_t attribute_count;
    bool stop_at_violation; /* end the run where the first is found (DS_WORLD_VIOLATED) */
    bool stop_when_lively;  /* end it 10 s after all whom `heal` healed have gone on (UNTIL) */
    bool wait; /* rows wait in memory for the file of ds_world_adopt; output is not looked at */
};

enum ds_world_end {
    DS_WORLD_DONE,        /* its duration is over */
    DS_WORLD_HALTED,      /* no block was final any more when max_time was reached */
    DS_WORLD_TIME,        /* max_time was reached before its epochs were */
    DS_WORLD_INTERRUPTED, /* by a signal */
    DS_WORLD_UNTIL,       /* options.until_ns was reached */
    DS_WORLD_VIOLATED     /* options.stop_at_violation, and an invariant was */
};

struct ds_expectation {
    const char *text; /* as written */
    bool held;
    double value; /* what the metric was */
};

/* One invariant (sim/check/check.h). */
struct ds_invariant {
    const char *name, *line; /* what must hold */
    uint64_t violations;
    const char *violation; /* the first of it, with virtual time, nodes and evidence; or NULL */
    int64_t violation_ns;
};

/* What a run came to.  Owned by the world. */
struct ds_summary {
    enum ds_world_end end;
    const struct ds_scalar *scalars; /* every number that `expect` can name */
    size_t scalar_count;
    const struct ds_expectation *expectations;
    size_t expectation_count;
    const struct ds_expectation *sometimes; /* what must have occurred */
    size_t sometimes_count;
    bool invariants_held;
    const char *violation; /* the first, with virtual time, nodes and evidence; or NULL */
    const char *invariant; /* its invariant's name, or NULL */
    int64_t violation_ns;
    const struct ds_invariant *invariants; /* all of them */
    size_t invariant_count;
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

/* ---- runs that part (branch.c) ---------------------------------------------------------------- */

/* Goes on until pause says so: asked at every barrier, on one thread, once all that happened before
 * it is observed.  *paused false: the run went to its end, as by ds_world_run.  A paused world holds
 * no thread and no file (options: threads 1, output NULL), so that it may be forked; it goes on with
 * this call or ds_world_run, and nothing tells that it ever paused. */
enum dc_status ds_world_run_until(struct ds_world *w, bool (*pause)(void *ctx, struct ds_world *w),
                                  void *ctx, bool *paused, struct dc_error *error) DC_MUST_USE;
/* From here on everything that is yet to be drawn is drawn by another key: R of blocks yet to be made,
 * luck of messages yet to be sent, arrivals and revisions, noise of machines, times of faults that come
 * again.  What nodes are and what is under way stays.  For copies of a world that is paused, or has not
 * begun. */
enum dc_status ds_world_turn(struct ds_world *w, uint64_t key, struct dc_error *error) DC_MUST_USE;
/* Whether ds_world_level knows the metric, and what it is in the run so far: the largest until now, as of
 * the newest epoch that has begun.  A world that ended has the same number in its summary. */
bool ds_world_level_known(const char *metric);
double ds_world_level(const struct ds_world *w, const char *metric);

/* To the last barrier before anything can read protocol.upgrade.  DC_ERR_USAGE: that is past, because
 * very many blocks became final at once. */
enum dc_status ds_world_run_to_upgrade(struct ds_world *w, bool *paused,
                                       struct dc_error *error) DC_MUST_USE;
/* Whether two scenarios are the same run up to an upgrade: both have one at the same epoch, and
 * beside its values, `expect` and `sometimes` nothing differs.  Else DC_ERR_USAGE: what does. */
enum dc_status ds_world_same_beginning(const struct ds_scenario *a, const struct ds_scenario *b,
                                       struct dc_error *error) DC_MUST_USE;
/* Makes the world, paused there (options.wait), the run of such a scenario: from here on everything
 * is as in its run from the beginning, and so are the bytes of its file at `output` (NULL: none).
 * The scenario is borrowed as by ds_world_create.  Errors: DC_ERR_USAGE when values of the upgrade
 * were read already or cannot be, DC_ERR_IO. */
enum dc_status ds_world_adopt(struct ds_world *w, const struct ds_scenario *scenario,
                              const char *output, struct dc_error *error) DC_MUST_USE;

/* Counts that benchmarks print; not part of results. */
struct ds_world_counts {
    uint64_t events, windows, parallel_windows;
    uint64_t sign, verify, sign_done, verify_done; /* asked for, and computed */
    size_t chain_bytes, pending_bytes;
};
struct ds_world_counts ds_world_counts(const struct ds_world *w);

/* Names of the trace's event kinds, for `list` and the file. */
extern const char *const ds_event_names[];
/* And of message kinds: those of enum dc_message, then the overlay's own. */
extern const char *const ds_message_names[];

/* The table of virtual costs (cost.c).  Its version counts up whenever a constant changes that some
 * older scenario is charged by: results of different versions cannot be compared.  New operations
 * alone (1 to 2) change no older result. */
#define DS_COST_VERSION 2
struct ds_cost {
    const char *name, *meaning;
    uint32_t ns;
};
extern const struct ds_cost ds_costs[DC_COST_COUNT];

#endif

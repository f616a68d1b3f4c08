/* Many runs of one scenario, each in a process of its own: what sweep, tune and select share.
 *
 *     ds_runs_start --fork--> child: load, run, write its file --numbers--> pipe
 *     ds_runs_wait  <--------------------------------------------------------+
 *
 * A child that ends without numbers crashed or reached its limit of processor time: the first
 * words on its standard error and its signal say how.  A run's numbers are a function of its
 * job; the order in which they come back is not, so callers put them where their tag says and
 * decide nothing by order of arrival. */
#ifndef SIM_CMD_RUNS_H
#define SIM_CMD_RUNS_H

#include "analysis/study.h"
#include "sim/cmd_world.h"

struct ds_process;
struct ds_runs;

struct ds_runs_job {
    uint64_t tag;                /* the caller's */
    const char *const *override; /* "PATH=VALUE", in order; the last may be "seed=N" */
    size_t overrides;
    const char *output; /* path of the results file, renamed when complete; NULL: none is written */
};

struct ds_runs_result {
    uint64_t tag;
    enum da_run_status status;
    char text[1024]; /* what failed, in words; of an expectation, the first that did not hold */
    char trace_digest[33]; /* "" when it did not end */
    const double *value;   /* one per name in options.metric; NaN: that run did not measure it.
                              Borrowed until the next ds_runs_wait */
    double wall_s;
    bool outside; /* FAILED for a reason that is not the run's: killed, a full disk, no memory; the
                     same run may well succeed next time */
};

struct ds_runs_options {
    const char *scenario;      /* its path */
    const char *const *metric; /* names of numbers of /summary that the caller wants back */
    size_t metrics;
    unsigned jobs; /* processes at a time, at least 1 */
    double cpu_s;  /* a run over so much processor time has failed; 0: any */
    const volatile sig_atomic_t *stop;
};

/* Errors: DC_ERR_IO (memory, processes). */
enum dc_status ds_runs_open(const struct ds_runs_options *options, struct ds_runs **out,
                            struct dc_error *error) DC_MUST_USE;
/* Processes that may be started now. */
unsigned ds_runs_free(const struct ds_runs *r);
enum dc_status ds_runs_start(struct ds_runs *r, const struct ds_runs_job *job,
                             struct dc_error *error) DC_MUST_USE;
/* Runs with the same seed that share their warm-up (cmd_branch.h), as one process; what cannot be
 * shared runs on its own in there.  Their results come one by one. */
enum dc_status ds_runs_start_shared(struct ds_runs *r, const struct ds_runs_job *job, size_t count,
                                    struct dc_error *error) DC_MUST_USE;
/* Waits for one to end.  False: none is running, or *stop was raised. */
bool ds_runs_wait(struct ds_runs *r, struct ds_runs_result *out);
/* Waits so many ms at most; false: none has ended by then. */
bool ds_runs_poll(struct ds_runs *r, int timeout_ms, struct ds_runs_result *out);
/* Ends what is running; their partial files are removed. */
void ds_runs_close(struct ds_runs *r);

/* ---- inside a child -------------------------------------------------------------------------- */

/* The run itself, in this process on one thread: from loading to its file.  value: room for
 * options->metrics, which result->value then is. */
void ds_runs_execute(const struct ds_runs_options *options, const struct ds_runs_job *job,
                     double *value, struct ds_runs_result *result);
/* What a run of this status (of ds_world_create, run or finish) came to; value as above. */
void ds_runs_judge(const struct ds_runs_options *options, enum dc_status status,
                   const struct dc_error *error, const struct ds_summary *summary, double *value,
                   struct ds_runs_result *result);
/* Likewise, of one whose process ended without a word about it. */
void ds_runs_crashed(const struct ds_runs_options *options, const struct ds_process *p,
                     struct ds_runs_result *out);
/* Removes what a run that did not end well has left of its file. */
void ds_runs_remove_partial(const char *output);

#endif

/* Many runs of one scenario, each in a process of its own: what sweep, tune, rare and compare share.
 *
 *     ds_runs_start --fork--> child: load, run, write its file --numbers--> pipe
 *     ds_runs_wait  <--------------------------------------------------------+
 *
 * A run's numbers are a function of its job; the order in which they come back is not, so callers
 * put them where their tag says and decide nothing by order of arrival. */
#ifndef SIM_CMD_RUNS_H
#define SIM_CMD_RUNS_H

#include "analysis/study.h"
#include "sim/cmd_world.h"

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
/* Waits for one to end.  False: none is running, or *stop was raised. */
bool ds_runs_wait(struct ds_runs *r, struct ds_runs_result *out);
/* Ends what is running; their partial files are removed. */
void ds_runs_close(struct ds_runs *r);

#endif

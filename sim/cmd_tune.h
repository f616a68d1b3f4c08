/* Inside `tune`: from a study to its optimum, with few runs.
 *
 *     study --> da_bayes (analysis/bayes.h) --points--> runs (cmd_runs.h) --numbers--> da_bayes ...
 *                                                          |
 *     DIR/tune.log    every run that has ended, a line each: what --resume reads
 *     DIR/tune.h5     the points that were visited, in the format of study.h5
 *     DIR/optimum.yaml  the scenario at the optimum, with the files that it names beside it
 *
 * A run is named by the digest of its overrides and its seed.  Resuming plays the whole search
 * again and finds what has been run in the log; since what is asked depends on the numbers alone,
 * it comes to where it was.
 *
 *     cmd_tune.c         arguments, and what happens when
 *     cmd_tune_log.c     the folder and the log
 *     cmd_tune_search.c  rounds of runs; search, confirmation, comparison
 *     cmd_tune_write.c   tune.h5 and optimum.yaml
 *     cmd_tune_print.c   progress, the last screen, JSON */
#ifndef SIM_CMD_TUNE_H
#define SIM_CMD_TUNE_H

#include "analysis/bayes.h"
#include "analysis/goals.h"
#include "sim/cmd_runs.h"
#include "sim/scenario/study.h"

struct ds_tune_run {
    uint64_t key, seed;
    uint8_t status; /* enum da_run_status */
    char trace_digest[33];
    const char *text;    /* of a run without data, why; else NULL */
    const double *value; /* one per metric */
};

/* One run that is wanted. */
struct ds_tune_want {
    const char *const *override;
    size_t overrides;
    uint64_t seed;
    const struct ds_tune_run *run; /* once it has ended */
};

struct ds_tune_point {
    const double *x; /* as it was run */
    const char **override;
    size_t overrides;
    const struct ds_tune_run **run; /* of seeds study.seed + 0, 1, 2 ... */
    size_t runs, runs_max;
};

enum ds_tune_end {
    DS_TUNE_BUDGET,
    DS_TUNE_ENOUGH,  /* no point promises more than a tenth of a visit's noise */
    DS_TUNE_NO_DATA, /* no run of the first design has measured the objective */
};

struct ds_tune {
    struct ds_study study;
    struct ds_scenario base;
    struct dc_text base_text;
    char version[64];
    const char *folder;
    uint64_t identity; /* of all that decides what a run with given overrides and seed is */
    int log;           /* file descriptor, or -1 */
    unsigned jobs;
    uint32_t batch;
    double cpu_s;
    bool resume, quiet, json, live;
    const char **metric; /* the first objective's, those of constraints, then others */
    size_t metrics;
    size_t *column; /* of each constraint, in metric */
    struct ds_runs *pool;
    struct ds_tune_run **done; /* all that have ended, in the order of the log */
    size_t dones, dones_max;
    struct da_bayes *bayes;
    struct ds_tune_point *point;
    size_t points, points_max;
    uint64_t budget;        /* runs of the search */
    uint64_t searched;      /* runs that it took */
    uint64_t spent;         /* all runs that were wanted, of the log or not */
    uint64_t fresh, rounds; /* runs of this session */
    enum ds_tune_end end;
    struct da_bayes_best best;
    struct ds_tune_want *confirm, *own; /* at the optimum, of the scenario's own settings */
    size_t confirms, owns;
    const char *phase;
    double begin_s, shown_s;
    struct dc_arena arena;
};

/* ---- cmd_tune_log.c -------------------------------------------------------------------------- */

/* Makes the folder, takes its log and reads it.  Returns an exit code after a message. */
int ds_tune_folder(struct ds_tune *t);
const struct ds_tune_run *ds_tune_find(const struct ds_tune *t, uint64_t key, uint64_t seed);
/* Takes a run's result: into memory and, on disk when it returns, into the log. */
enum dc_status ds_tune_keep(struct ds_tune *t, uint64_t key, uint64_t seed,
                            const struct ds_runs_result *result,
                            struct dc_error *error) DC_MUST_USE;

/* ---- cmd_tune_search.c ----------------------------------------------------------------------- */

int ds_tune_search(struct ds_tune *t);
/* Runs the optimum with seeds that nothing has seen, and the scenario's own settings with the same
 * ones as far as the budget goes. */
int ds_tune_confirm(struct ds_tune *t);
/* Numbers of one metric among runs that have them, into out; other: those of the same seeds, which
 * must have them too, into out_other, or NULL.  Returns how many. */
size_t ds_tune_sample(const struct ds_tune_want *want, const struct ds_tune_want *other,
                      size_t count, size_t metric, double *out, double *out_other);

/* ---- cmd_tune_write.c ------------------------------------------------------------------------ */

int ds_tune_write(struct ds_tune *t);
/* What the results call a metric's unit. */
const struct ds_metric *ds_tune_metric(const char *name);

/* ---- cmd_tune_print.c ------------------------------------------------------------------------ */

void ds_tune_progress(struct ds_tune *t, bool now);
void ds_tune_progress_end(struct ds_tune *t);
/* Whether the optimum is one: feasible by the models, and in the confirmation. */
bool ds_tune_good(const struct ds_tune *t);
void ds_tune_print(struct ds_tune *t, double seconds);
void ds_tune_json(struct ds_tune *t, double seconds);

#endif

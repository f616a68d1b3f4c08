/* Inside `sweep`: a study's runs, its folder, and who decides what is still to be run.
 *
 *     DIR/study.yaml               whose folder it is: program, digest of the scenario, study
 *     DIR/runs/p00012-r003.h5      a run's results
 *     DIR/runs/p00012-r003.failed  a run without data: how it ended, then why
 *     DIR/study.h5                 merged
 *     DIR/.lock                    byte 0: merging; byte 1 + p: point p is somebody's
 *
 * The files of DIR/runs are the only state: whatever is decided is decided from what stands in
 * them, run by run in the order of replications, so a sweep that is killed, resumed, cut into
 * shards or spread over ranks decides the same.
 *
 *     cmd_sweep.c        arguments, and what happens when
 *     cmd_sweep_dir.c    the folder: identity, locks, paths
 *     cmd_sweep_file.c   one run's file to numbers; failed runs
 *     cmd_sweep_work.c   the loop: which run next, until a point is decided
 *     cmd_sweep_merge.c  all files to struct da_study
 *     cmd_sweep_print.c  progress, the last screen, JSON */
#ifndef SIM_CMD_SWEEP_H
#define SIM_CMD_SWEEP_H

#include "sim/cmd_runs.h"
#include "sim/scenario/study.h"

struct ds_mpi;

/* What is known of one run, from its file. */
struct ds_sweep_run {
    uint8_t status; /* enum da_run_status; MISSING: it has no file */
    bool begun;     /* it is running */
    char trace_digest[33];
    const char *text; /* of a run without data: why */
    uint32_t *metric; /* index into ds_sweep.metric, in the order of its /summary */
    double *value;
    uint32_t values;
};

struct ds_sweep_point {
    bool mine;        /* of this shard, or handed to this rank */
    bool seen;        /* its files were looked at */
    uint32_t known;   /* replications 0 .. known - 1 have a file */
    uint32_t decided; /* how many it takes; 0: not decided yet */
};

struct ds_sweep {
    struct ds_study study;
    struct ds_scenario base;  /* with the study's `set` */
    struct dc_text base_text; /* resolved */
    struct dc_text identity;  /* what study.yaml holds */
    char version[64];
    const char *folder;
    struct dc_text merged; /* path of study.h5 */
    int lock;
    uint32_t shard, shards; /* shard from 0 */
    unsigned jobs;
    double cpu_s; /* limit of a run; 0: none */
    bool resume, keep, quiet, json, live;
    struct ds_sweep_point *point;
    struct ds_sweep_run *run; /* point * replications.most + replication */
    struct da_metric *metric; /* of all that were read, in the order in which they were */
    size_t metrics, metrics_max;
    size_t metric_next; /* files list them alike: where the next is probably */
    struct dc_arena arena;
    struct ds_mpi *mpi; /* NULL: one process */
    /* progress */
    double begin_s, shown_s;
    uint64_t runs_found, runs_done; /* before, and by this session */
    uint64_t runs_elsewhere;        /* by other ranks, as they said last */
    double run_s;                   /* their wall times, summed */
    bool incomplete;                /* other shards are still at work */
};

static inline struct ds_sweep_run *ds_sweep_run(struct ds_sweep *s, size_t point,
                                                uint32_t replication)
{
    return &s->run[point * s->study.replications.most + replication];
}

/* ---- cmd_sweep_dir.c ------------------------------------------------------------------------- */

/* Makes the folder or finds it, as this study's, and takes this shard's points.  Returns an exit
 * code after a message. */
int ds_sweep_folder(struct ds_sweep *s);
/* DIR/runs/p00012-r003 and an ending; for dc_mem_free. */
char *ds_sweep_path(const struct ds_sweep *s, size_t point, uint32_t replication,
                    const char *ending);
/* The whole file, for dc_mem_free; NULL: there is none, or it cannot be read (errno). */
char *ds_sweep_slurp(const char *path);
/* Waits until nobody else merges; false: the file system has no locks, which is no error. */
bool ds_sweep_lock_merge(struct ds_sweep *s);
void ds_sweep_unlock(struct ds_sweep *s);

/* ---- cmd_sweep_file.c ------------------------------------------------------------------------ */

/* Reads a run's file, or what is said of its failure, into ds_sweep_run; it stays MISSING when
 * there is none.  What is damaged is removed with a warning, when the point is ours.  Errors:
 * DC_ERR_IO. */
enum dc_status ds_sweep_read(struct ds_sweep *s, size_t point, uint32_t replication,
                             struct dc_error *error) DC_MUST_USE;
/* A run has ended: leaves its failure on disk, if it is one, and reads it. */
enum dc_status ds_sweep_ended(struct ds_sweep *s, size_t point, uint32_t replication,
                              const struct ds_runs_result *result,
                              struct dc_error *error) DC_MUST_USE;

/* ---- cmd_sweep_work.c ------------------------------------------------------------------------ */

/* The number of a run, NaN when it has none of that name. */
double ds_sweep_value(const struct ds_sweep *s, const struct ds_sweep_run *run, const char *metric);
/* Runs that are done, and as far as is known, will be: of the points that are ours. */
void ds_sweep_count(const struct ds_sweep *s, uint64_t *done, uint64_t *all);
/* Reads what there is of a point, and decides it if that is enough. */
enum dc_status ds_sweep_look(struct ds_sweep *s, size_t point, struct dc_error *error) DC_MUST_USE;
/* Runs what the points that are ours still need.  Returns an exit code after a message. */
int ds_sweep_work(struct ds_sweep *s);

/* ---- cmd_sweep_merge.c ----------------------------------------------------------------------- */

/* All runs as a study, which lives as long as s; needs da_study_free. */
enum dc_status ds_sweep_merge(struct ds_sweep *s, struct da_study *out,
                              struct dc_error *error) DC_MUST_USE;

/* ---- cmd_sweep_print.c ----------------------------------------------------------------------- */

void ds_sweep_progress(struct ds_sweep *s, bool now);
void ds_sweep_progress_end(struct ds_sweep *s);
/* What it came to, for people or as JSON. */
void ds_sweep_print(struct ds_sweep *s, const struct da_study *study, double seconds);
void ds_sweep_json(struct ds_sweep *s, const struct da_study *study, double seconds);

#endif

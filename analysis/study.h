/* The results of a study: what a sweep makes and every method reads.
 *
 *     point        one setting of the parameters (a design point)
 *     replication  one run of it; replication r has the same seed at every point (common random
 *                  numbers), so differences between points are paired by replication
 *     metric       one number of a run's /summary
 *
 *     value[(point * replications + replication) * metrics + metric]     NaN: not measured
 *
 * Written as study.h5 by sim/record/study.h, read by read_study.h.  All of it is in the arena. */
#ifndef ANALYSIS_STUDY_H
#define ANALYSIS_STUDY_H

#include "models/base/mem.h"

enum da_scale { DA_LINEAR, DA_LOG };

struct da_parameter {
    const char *path;  /* "protocol.theta" */
    const char *label; /* for axes: "theta"; by default the path's last part */
    const char *unit;  /* "s", "1", "By", "DSYNC", "1/s"; x is in it.  "": words */
    bool words;        /* values are no numbers: x is the index of the value, from 0 */
    enum da_scale scale;
    double lo, hi;           /* of a range; of a list, least and greatest x */
    const char *const *word; /* of a list: its values as written or named, else NULL */
    size_t words_count;      /* above 0: a list */
};

struct da_metric {
    const char *name, *unit, *long_name;
};

enum da_op { DA_LT, DA_LE, DA_GT, DA_GE, DA_EQ, DA_NE };
struct da_objective {
    const char *metric;
    bool maximise;
};
/* The metric's mean meets it with this confidence: its one-sided bound does.  EQ and NE: every
 * replication does. */
struct da_constraint {
    const char *text; /* as written */
    const char *metric;
    enum da_op op;
    double value;
    double confidence; /* 0.95 */
};

enum da_run_status {
    DA_RUN_MISSING,     /* not asked for, or not there yet */
    DA_RUN_DONE,        /* to its end */
    DA_RUN_EXPECTATION, /* likewise, but an expectation of the scenario did not hold: still data */
    DA_RUN_VIOLATED,    /* likewise, but an invariant did not: no data */
    DA_RUN_FAILED       /* refused, crashed or over a limit: no data; see failures */
};
struct da_failure {
    size_t point, replication;
    const char *text;
};

enum da_design { DA_GRID, DA_LHS, DA_SOBOL, DA_SALTELLI, DA_MORRIS, DA_LIST };

struct da_study {
    const char *name, *title;
    const char *text;     /* the study, resolved, as YAML */
    const char *scenario; /* the scenario, resolved, as YAML */
    const char *version;  /* of the program that ran it: "0.1.0 (commit)" */
    enum da_design design;
    size_t base; /* SALTELLI: rows of A and of B; MORRIS: trajectories; else 0 */
    const struct da_parameter *parameter;
    size_t parameters;
    const struct da_metric *metric;
    size_t metrics;
    size_t points, replications; /* replications: of the point that has most */
    uint64_t *seed;              /* of each replication */
    double *x;                   /* points x parameters */
    uint8_t *status;             /* points x replications: enum da_run_status */
    double *value;
    const char **trace_digest; /* points x replications; NULL where there is none */
    const struct da_failure *failure;
    size_t failures;
    const struct da_objective *objective;
    size_t objectives;
    const struct da_constraint *constraint;
    size_t constraints;
    struct dc_arena arena;
};

static inline double da_study_value(const struct da_study *s, size_t point, size_t replication,
                                    size_t metric)
{
    return s->value[(point * s->replications + replication) * s->metrics + metric];
}
static inline double da_study_x(const struct da_study *s, size_t point, size_t parameter)
{
    return s->x[point * s->parameters + parameter];
}

/* Index of a metric or parameter (by path or label); SIZE_MAX: there is none. */
size_t da_study_metric(const struct da_study *s, const char *name);
size_t da_study_parameter(const struct da_study *s, const char *name);
/* The values of a metric at a point, replications in order, those without data left out, into out
 * (room for s->replications); returns how many. */
size_t da_study_sample(const struct da_study *s, size_t point, size_t metric, double *out);
void da_study_free(struct da_study *s);

#endif

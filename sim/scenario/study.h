/* A study: a scenario, parameters that vary, and what is wanted of them.
 *
 *     name: theta
 *     scenario: ../theta-baseline.yaml       # relative to the study
 *     set: {duration: 24 epochs}             # for all of its runs
 *     parameters:
 *       - {path: protocol.theta, values: [0, 0.1, 0.3]}
 *       - {path: protocol.slash_first, range: [0.1 %, 2 %], scale: log}
 *     design: {kind: sobol, points: 64}
 *     replications: 10
 *     objectives: [minimise loss]
 *     constraints: [profit_by_strategy.ghost <= 0]
 *
 * Loading makes the design: every point with its overrides, in order; a point that the scenario's
 * loader refuses is a diagnostic.  All strings live in the study's arena. */
#ifndef SIM_SCENARIO_STUDY_H
#define SIM_SCENARIO_STUDY_H

#include "analysis/study.h"
#include "sim/scenario/scenario.h"

struct ds_study_point {
    const char **override; /* "PATH=VALUE": the study's `set`, then one per parameter and path */
    size_t overrides;
    const double *x;         /* per parameter, as in struct da_study */
    const char *const *text; /* per parameter: the value as written */
};

struct ds_study {
    const char *name, *title; /* title: the comment on the first line, or "" */
    const char *file;         /* the study's own path, for messages */
    const char *scenario;     /* the scenario's path, from the working directory */
    const char *const *set;   /* "PATH=VALUE" */
    size_t sets;
    uint64_t seed; /* replication r, from 0, runs with seed + r [1] */
    struct da_parameter *parameter;
    size_t parameters;
    const struct ds_study_axis *axis; /* of each parameter: how its values are written */
    enum da_design design;
    size_t base;        /* SALTELLI, MORRIS: as in struct da_study */
    uint32_t levels;    /* MORRIS; GRID: of ranges, both ends included */
    size_t plan_points; /* LHS, SOBOL: as asked for */
    uint64_t design_seed;
    struct ds_study_point *point;
    size_t points;
    struct {
        uint32_t least, most; /* a count: both */
        double half_width;    /* 0: a count.  Relative, of `metric`'s mean, at `confidence` */
        const char *metric;   /* the first objective's by default */
        double confidence;
    } replications;
    struct da_objective *objective;
    size_t objectives;
    struct da_constraint *constraint;
    size_t constraints;
    const char **metric; /* that are kept, with their suffix; none: all */
    size_t metrics;
    double confidence; /* of constraints and intervals [95 %] */
    struct {           /* warm-up shared by points: protocol.upgrade.* alone may differ */
        bool given;
        bool share; /* false: every run from its beginning; same bytes */
    } warmup;
    struct {                   /* what `tune` may spend */
        uint32_t runs;         /* at most [a quarter of points x replications, at least 40] */
        uint32_t start;        /* points of the first design [2 per parameter + 2] */
        uint32_t replications; /* a visit of a point [3] */
        uint32_t confirm;      /* runs of the optimum with fresh seeds [20] */
    } tune;
    struct { /* what `rare` estimates: P(metric reaches the last level) */
        bool given;
        const char *metric;
        double *level;           /* increasing, in the metric's unit */
        const char **level_text; /* as written */
        size_t levels;
        uint32_t split; /* runs that go on from each that reaches a level [4] */
        uint32_t roots; /* independent beginnings [100] */
    } rare;
    struct dc_text resolved; /* the study as YAML with every default; what identifies it */
    struct dc_arena arena;
};

/* Whether a file is a study rather than a scenario: it has `scenario` or `parameters` at the top.
 * False as well when it cannot be read. */
bool ds_study_is(const char *path);
/* As ds_scenario_load; overrides edit the study ("replications=2", "design.points=16").  *out is
 * zeroed first and needs ds_study_free in every case. */
enum dc_status ds_study_load(const char *path, const char *const *overrides, size_t count,
                             struct ds_study *out, struct ds_diagnostics *d) DC_MUST_USE;
/* Likewise from memory; with source->folder NULL the scenario and its files are inputs. */
enum dc_status ds_study_load_text(const struct ds_source *source, const char *const *overrides,
                                  size_t count, struct ds_study *out,
                                  struct ds_diagnostics *d) DC_MUST_USE;
void ds_study_free(struct ds_study *study);
/* Runs of the whole study: points x replications.most. */
uint64_t ds_study_runs(const struct ds_study *study);

/* ---- any setting, not only the design's points: what `tune` asks for ------------------------- */

/* The overrides of setting x (one number per parameter) into the arena, as a point's; each x as by
 * ds_study_snap.  NULL: out of memory. */
const char **ds_study_overrides(const struct ds_study *study, const double *x, size_t *count,
                                struct dc_arena *arena);
/* The nearest value that parameter can have: of a range, clamped, whole numbers rounded, others to
 * nine digits or a base unit (ns, byte); of a list, its nearest value. */
double ds_study_snap(const struct ds_study *study, size_t parameter, double x);
/* Its value at u in [0, 1]: along a range, linear or log; the floor(u n)-th of a list of n. */
double ds_study_at(const struct ds_study *study, size_t parameter, double u);

/* ---- for people and editors ------------------------------------------------------------------ */

/* JSON Schema (2020-12) of study files; the table of scenarios/README.md, in Markdown. */
void ds_study_schema(struct dc_text *out);
void ds_study_reference(struct dc_text *out);
/* "study" lists the keys, "study.design.points" documents one; DC_ERR_USAGE as
 * ds_scenario_explain. */
enum dc_status ds_study_explain(const char *path, struct dc_text *out,
                                struct dc_error *error) DC_MUST_USE;

#endif

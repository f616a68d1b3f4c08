/* What the files of bayes.h share.
 *
 *   bayes.c        points, runs, inputs to the unit cube and back
 *   bayes_model.c  noise from replications, and the processes
 *   bayes_pick.c   where to look next
 *   bayes_best.c   what to take, and how sure that is
 *
 * Outputs, all of which are to be small: 0 the objective (its sign turned when maximised), 1 ..
 * bounds the constraints (feasible: at most 0), and last, once a run has failed, the share of runs
 * that fail at a point, less a half. */
#ifndef ANALYSIS_BAYES_WORK_H
#define ANALYSIS_BAYES_WORK_H

#include "analysis/bayes.h"
#include "analysis/gp.h"

struct da_bayes_run {
    size_t point, seed;
};

struct da_bayes_model {
    bool fitted;
    struct da_gp gp;
    struct da_gp_hyper hyper; /* of the last fit */
    size_t fits;
    double noise;     /* sd of one run: its own part, not that which all points share */
    double noise_all; /* sd of one run */
    size_t data_max;  /* what follows: rows of the last fit and room for guesses */
    struct da_gp_data data;
    double *x, *y, *own, *shared;
};

struct da_bayes {
    struct da_bayes_options options;
    size_t inputs, outputs; /* 1 + bounds */
    bool words[DA_GP_INPUTS_MAX];
    size_t points, points_max;
    double *u, *x; /* points x inputs: in the unit cube, and in their own units */
    size_t runs, runs_max;
    struct da_bayes_run *run;
    double *value; /* runs x outputs */
    bool failures; /* one more output */
    bool begun;    /* the first design was asked */
    uint64_t asks, stale;
    double visit; /* runs of a visit: those of most points */
    double improvement;
    struct da_bayes_model *model; /* outputs + 1 */
    double *room;                 /* per bound: what the confirmation needs */
    struct da_bayes_place *place;
    double *chance;
    struct dc_arena arena;
};

/* ---- bayes.c --------------------------------------------------------------------------------- */

/* The nearest setting that exists, in place. */
void da_bayes_snap(const struct da_bayes *b, double *u);
/* A point of the unit cube, new or known; near: how far from a known one in each input it may be to
 * be that one.  SIZE_MAX: out of memory. */
size_t da_bayes_intern(struct da_bayes *b, const double *u, double near);
/* What u means for input i, in its own unit. */
double da_bayes_setting(const struct da_bayes *b, size_t i, double u);
/* Settings of input `i`, SIZE_MAX: a continuum. */
size_t da_bayes_levels(const struct da_bayes *b, size_t i);

/* ---- bayes_model.c --------------------------------------------------------------------------- */

static inline size_t da_bayes_models(const struct da_bayes *b)
{
    return b->outputs + b->failures;
}
enum dc_status da_bayes_fit(struct da_bayes *b, struct dc_error *error) DC_MUST_USE;
/* As if u had been visited and what is expected had come out. */
enum dc_status da_bayes_believe(struct da_bayes *b, const double *u,
                                struct dc_error *error) DC_MUST_USE;
/* Log of the probability that output `o` is at most -margin at u; 0 (certain) for the objective. */
double da_bayes_log_chance(const struct da_bayes *b, size_t o, const double *u, double margin,
                           double *work);
/* Of all outputs, with room for the confirmation. */
double da_bayes_log_feasible(const struct da_bayes *b, const double *u, bool room, double *work);
/* Every bound is met with its room, and runs end, rather than not. */
bool da_bayes_likely(const struct da_bayes *b, const double *u, double *work);
/* Standard deviation of a visit's mean, beside what is shared. */
double da_bayes_visit_noise(const struct da_bayes *b);
double da_bayes_log_normal_below(double z);
/* Numbers of scratch that the functions above need. */
size_t da_bayes_work(const struct da_bayes *b);

/* ---- bayes_pick.c ---------------------------------------------------------------------------- */

/* `count` places in the unit cube, spread evenly, rotated by `draw`. */
void da_bayes_spread(const struct da_bayes *b, uint64_t draw, size_t count, double *u);
/* `count` places around u, the k-th at scale[k % scales]. */
void da_bayes_around(const struct da_bayes *b, const double *centre, const double *scale,
                     size_t scales, uint64_t draw, size_t count, double *u);

#endif

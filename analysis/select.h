/* Which of k settings is best, and with what probability.
 *
 *     da_select_best (KN)       runs as many observations as it needs, system by system
 *     da_best_probability       of data that are there already
 *
 * KN (Kim and Nelson, "A fully sequential procedure for indifference-zone selection in simulation",
 * ACM TOMACS 11(3), 2001) observes every system n0 times, then once more all that are left, and
 * strikes out a system as soon as the sum of its differences to another leaves a triangle:
 *
 *     sum of best's lead   ------ out          W(r) = max(0, delta/2 (h2 S2/delta^2 - r))
 *                     W  |\
 *                        |  \                  h2 = 2 eta (n0 - 1)
 *                        |    \                eta = ((2 alpha/(k-1))^(-2/(n0-1)) - 1) / 2
 *                     0  +------> r
 *
 * When the best is better than all others by at least delta, it is the one that stays with
 * probability >= 1 - alpha, for normal observations with any variances; observation r of all
 * systems may share its random numbers, which makes the variances S2 of the differences, and with
 * them the number of observations, smaller.  When others are nearer than delta, one of them may
 * stay: it is then within delta of the best with that probability (Nelson and Banerjee, 2001). */
#ifndef ANALYSIS_SELECT_H
#define ANALYSIS_SELECT_H

#include "models/base/status.h"

struct da_select_options {
    size_t systems; /* at least 1 */
    double delta;   /* the least difference that matters, above 0 */
    double alpha;   /* in (0, 1 - 1/systems) */
    uint32_t first; /* n0: observations of each before any is struck out, at least 2 */
    uint32_t most;  /* stops undecided at so many observations of a system; 0: never */
    bool maximise;  /* the largest mean is best */
};

/* Observation `replication` of `system`. */
struct da_select_ask {
    size_t system, replication;
};
/* Answers `count` questions, in any order and at once where it can, value[i] to ask[i]; all were
 * never asked before.  NaN: that system has no data, and is out.  An error ends the selection. */
typedef enum dc_status da_select_observe(void *ctx, const struct da_select_ask *ask, size_t count,
                                         double *value, struct dc_error *error);

enum da_select_fate {
    DA_SELECT_LEFT,   /* the winner, and, of an undecided selection, all that were not struck out */
    DA_SELECT_OUT,    /* struck out */
    DA_SELECT_NO_DATA /* an observation was NaN */
};
struct da_select_system {
    enum da_select_fate fate;
    size_t by;       /* OUT: the system that it lost against */
    size_t used;     /* observations, the last of them before it went */
    double mean;     /* of these */
    double *value;   /* [used] */
    size_t capacity; /* inner */
};
struct da_select {
    size_t winner; /* SIZE_MAX: no system has data */
    bool decided;  /* one is left.  False: `most` was reached; winner is the best mean of them */
    size_t used;   /* observations in all */
    struct da_select_system *system; /* [systems] */
    size_t systems;
};

/* *out is set and needs da_select_free in every case.  Errors: DC_ERR_USAGE (options), DC_ERR_IO
 * (memory), what `ask` returns. */
enum dc_status da_select_best(const struct da_select_options *options, da_select_observe *ask,
                              void *ctx, struct da_select *out, struct dc_error *error) DC_MUST_USE;
void da_select_free(struct da_select *s);

/* For each of `systems` settings the probability that its mean is the best, by a Bayesian bootstrap
 * (Rubin, 1981): replications are weighted by Dirichlet(1, ..., 1), with the same weights for all
 * settings, so what they share by common random numbers cancels.  value: systems x replications,
 * NaN: no data; a setting without any has 0.  Equal bests share a draw.  Approximate: with few
 * replications a little too sure.  work: replications + systems numbers. */
void da_best_probability(const double *value, size_t replications, size_t systems, bool maximise,
                         size_t draws, uint64_t seed, double *work, double *probability);

#endif

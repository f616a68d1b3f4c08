/* Bayesian optimisation of something that is slow, noisy and constrained: where to look next.
 *
 *     ask --x--> the caller runs it, several times --numbers--> tell --> models --> ask ...
 *
 * Models: a Gaussian process (gp.h) for the objective and one for each constraint, over the unit
 * cube (ranges of a log scale by their logarithm; words as equal or not).  Points are asked in
 * rounds of a fixed size, so that a round can run side by side and what is asked depends on the
 * numbers alone:
 *
 *   first     a scrambled Sobol' design
 *   then      the greatest augmented expected improvement (Huang, Allen, Notz and Zeng, 2006),
 *             times the probability of feasibility (Gardner et al., 2014); while nothing is
 *             feasible, that probability alone.  Within a round, points that were asked count as
 *             told with what is expected of them (kriging believer).  A point may be visited again.
 *
 * Runs share their random numbers between points (replication r has the same seed at each), so part
 * of the noise is common: it is taken out of comparisons, and kept where a level counts
 * (constraints).  All draws are of dc_stream: same seed and numbers, same questions. */
#ifndef ANALYSIS_BAYES_H
#define ANALYSIS_BAYES_H

#include "models/base/mem.h"

enum da_bayes_kind {
    DA_BAYES_RANGE,  /* any number in [lo, hi] */
    DA_BAYES_WHOLE,  /* whole ones alone */
    DA_BAYES_LEVELS, /* level[0 .. levels - 1], increasing */
    DA_BAYES_WORDS   /* 0 .. levels - 1, without order */
};

struct da_bayes_input {
    enum da_bayes_kind kind;
    bool log; /* RANGE, WHOLE, LEVELS: by the logarithm; all values above 0 */
    double lo, hi;
    const double *level;
    size_t levels;
};

/* The mean of output i + 1 is at most `value` (at least, where above). */
struct da_bayes_bound {
    double value;
    bool above;
};

struct da_bayes_options {
    const struct da_bayes_input *input;
    size_t inputs;
    bool maximise;
    const struct da_bayes_bound *bound;
    size_t bounds;
    double confidence; /* of a feasible recommendation, and of intervals */
    size_t start;      /* points of the first design */
    size_t round;      /* points of a round */
    /* Expected improvement below this share of the noise of one visit at the best point (without
     * noise: of 1 % of the spread of what was seen) ends the search; 0: never. */
    double enough;
    /* A recommendation leaves room at its bounds, so that so many fresh runs can show that they
     * hold; 0: none. */
    size_t confirm;
    uint64_t seed;
};

/* An input's value with its interval: where the best point lies with that confidence.  Words have
 * none; share: the probability that the best point has this value. */
struct da_bayes_place {
    double value, lo, hi, share;
};
struct da_bayes_best {
    size_t point;       /* visited; SIZE_MAX: nothing was told */
    bool feasible;      /* by the models, with the confidence; else: the nearest point to it */
    bool room;          /* and with room for `confirm` */
    double probability; /* that it is feasible */
    double value, value_lo, value_hi;       /* of the objective there, by the model */
    double optimum, optimum_lo, optimum_hi; /* of the best point, wherever it is */
    double regret;                          /* expected: what the best point would gain */
    struct da_bayes_place *place;           /* per input; owned by the struct da_bayes */
    double *chance;                         /* per bound: probability that it is met here */
    size_t worst_bound;                     /* that with the least chance */
};

struct da_bayes; /* points, their numbers, models */

/* Errors: DC_ERR_USAGE (no input, empty or infinite range, log of what is not above 0, ...),
 * DC_ERR_IO. */
enum dc_status da_bayes_open(const struct da_bayes_options *options, struct da_bayes **out,
                             struct dc_error *error) DC_MUST_USE;
void da_bayes_close(struct da_bayes *b);

/* The points of the next round: indices of points (new or visited before) into point, how many into
 * *count: the first design whole, then options.round of them, or 0 when enough is known (three
 * times in succession, after the first design).  Never more than `room`.  Errors: DC_ERR_IO. */
enum dc_status da_bayes_ask(struct da_bayes *b, size_t room, size_t *point, size_t *count,
                            struct dc_error *error) DC_MUST_USE;
/* One run at a point: number `seed` of the seeds (from 0, equal ones share their random numbers);
 * value: the objective, then one per bound; NaN: not measured.  A run without an objective makes
 * the point one that fails, and where most do nothing more is asked. */
enum dc_status da_bayes_tell(struct da_bayes *b, size_t point, size_t seed, const double *value,
                             struct dc_error *error) DC_MUST_USE;

size_t da_bayes_points(const struct da_bayes *b);
/* In the inputs' own units; until the next ask. */
const double *da_bayes_x(const struct da_bayes *b, size_t point);
size_t da_bayes_visits(const struct da_bayes *b, size_t point); /* runs told there */
/* As of the last ask: the greatest expected improvement times its probability of feasibility, and
 * the noise (standard deviation) of a visit; NaN before the first model. */
double da_bayes_improvement(const struct da_bayes *b, double *noise);

/* What to take, from what is known now.  Errors: DC_ERR_IO. */
enum dc_status da_bayes_best(struct da_bayes *b, struct da_bayes_best *best,
                             struct dc_error *error) DC_MUST_USE;

#endif

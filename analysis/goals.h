/* What a study wants, judged from its results: which points meet the constraints, which is best,
 * how sure that is, and where the optimum along a parameter lies.
 *
 * Everything compares points within replications (common random numbers).  Intervals by bootstrap
 * draw whole replications; with few of them the percentiles are widened as Hesterberg 2015 says. */
#ifndef ANALYSIS_GOALS_H
#define ANALYSIS_GOALS_H

#include "analysis/stats.h"
#include "analysis/study.h"
#include "models/base/text.h"

/* --- constraints --------------------------------------------------------------------------- */

enum da_met { DA_UNKNOWN, DA_MET, DA_NOT_MET };
struct da_verdict {
    enum da_met met;
    double mean;
    /* The mean's one-sided bound at the constraint's confidence, on the side that must hold: "<="
     * is met when this is at most the value.  EQ, NE: the value of the worst replication. */
    double bound;
};
/* The verdict on a sample.  Not met: the opposite bound is on the wrong side.  Unknown: neither, or
 * fewer than two values. */
struct da_verdict da_constraint_judge(const struct da_constraint *c, const double *x, size_t n);

struct da_goals {
    size_t points, objectives, constraints;
    struct da_estimate *objective; /* points x objectives: means with Student's interval */
    struct da_verdict *verdict;    /* points x constraints */
    bool *feasible; /* per point: has data of all objectives, and every constraint is met */
    bool *possible; /* likewise, but none is known not to be met */
    size_t feasible_count, possible_count;
    size_t *best;      /* per objective: the feasible point of the best mean; SIZE_MAX: none */
    size_t *met_count; /* per constraint: points that meet it */
    struct dc_arena arena;
};

/* DC_ERR_USAGE: an objective's or constraint's metric is not in the study; DC_ERR_IO: out of
 * memory.  *out is zeroed first and needs da_goals_free in every case. */
enum dc_status da_goals(const struct da_study *s, double level, struct da_goals *g,
                        struct dc_error *error) DC_MUST_USE;
void da_goals_free(struct da_goals *g);
/* Where no point is feasible: which constraints no point meets, or that no point meets them
 * together; per such constraint the nearest point; what to do.  Else nothing is added. */
void da_goals_why_not(const struct da_study *s, const struct da_goals *g, struct dc_text *text);
/* "theta=0.1, audit=adaptive": a point's setting in words, by the labels of parameters. */
void da_study_setting(const struct da_study *s, size_t point, struct dc_text *text);

/* --- the best point ------------------------------------------------------------------------ */

struct da_best {
    size_t point; /* of the best mean */
    /* Its mean, Student's interval; chosen for it, so a little flattered. */
    struct da_estimate value;
    size_t points;
    /* Per point: that it is the best, by da_best_probability.  NaN below three replications. */
    double *chance;
    /* Per point: no other point is significantly better.  Holds the true best with probability
     * `level` at least (the screening of Nelson et al. 2001 with paired differences). */
    bool *contender;
    struct da_estimate *behind; /* per point: how much worse than the best one, paired */
    size_t contenders;
    struct dc_arena arena;
};

/* allowed: NULL, or the points that take part (the feasible ones).  DC_ERR_USAGE: none has data. */
enum dc_status da_best(const struct da_study *s, size_t metric, bool maximise, const bool *allowed,
                       double level, uint64_t seed, struct da_best *out,
                       struct dc_error *error) DC_MUST_USE;
void da_best_free(struct da_best *out);

/* --- the optimum along a parameter --------------------------------------------------------- */

struct da_optimum {
    double group;             /* x of the parameter that groups; NaN without one */
    struct da_estimate x;     /* the best level; interval: the levels that are best in draws */
    struct da_estimate value; /* mean there, Student's interval */
    /* The vertex of a parabola through the (up to) five levels around the best one, and its value;
     * NaN for words and below three levels. */
    struct da_estimate smooth, smooth_value;
    bool edge;     /* the best level is the first or last one: the optimum may lie beyond */
    size_t levels; /* with data */
    double *level; /* x of each, rising */
    struct da_estimate *mean; /* at each, Student's interval: the curve */
    size_t replications;
};
struct da_optima {
    struct da_optimum *group; /* by rising x */
    size_t groups;
    struct dc_arena arena;
};
/* What to look at: the optimum of `metric` along parameter `along`, for each value of `by`
 * (SIZE_MAX: all together); other parameters are averaged over the points there are, but for those
 * that `fixed` pins (NaN: not pinned; one per parameter; NULL: none). */
struct da_along {
    size_t metric;
    bool maximise;
    size_t along, by;
    const double *fixed;
    /* NULL, or points that may take part: a level does when all its points may. */
    const bool *allowed;
    double level;
    uint64_t seed;
};

/* A replication counts in a group when all the group's points have data in it.  DC_ERR_USAGE: no
 * such parameter or metric, or no group with two levels and two replications (a group that lacks
 * them is left out).  *out is zeroed first and needs da_optima_free in every case. */
enum dc_status da_optima(const struct da_study *s, const struct da_along *look,
                         struct da_optima *out, struct dc_error *error) DC_MUST_USE;
void da_optima_free(struct da_optima *out);

#endif

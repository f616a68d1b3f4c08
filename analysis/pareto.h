/* Trade-offs: which points no other point beats in every objective at once.
 *
 * a dominates b: a is nowhere worse and somewhere better.  Equal points do not dominate each other,
 * so duplicates are on the front together.  A NaN puts a point off the front.
 * Hypervolume: of what the front dominates, up to a reference point that is worse; exact, by
 * exclusive volumes (While, Bradstreet, Barone 2012, "WFG"), in two dimensions by a sweep. */
#ifndef ANALYSIS_PARETO_H
#define ANALYSIS_PARETO_H

#include "analysis/stats.h"
#include "analysis/study.h"

enum { DA_PARETO_OBJECTIVES = 8 };

/* value: points x objectives; maximise[objective], NULL: all are minimised. */
void da_pareto_front(const double *value, size_t points, size_t objectives, const bool *maximise,
                     bool *front);
/* Points that are not better than the reference in every objective add nothing.  NaN: out of
 * memory, or more than DA_PARETO_OBJECTIVES.  Time grows exponentially with the objectives: made
 * for up to 6 and some hundred points on the front. */
double da_pareto_hypervolume(const double *value, size_t points, size_t objectives,
                             const bool *maximise, const double *reference);

struct da_pareto {
    size_t points, objectives;
    double *mean;   /* points x objectives: over replications; NaN: no data */
    bool *front;    /* of the means */
    double *chance; /* that the point is on the front: share of draws; NaN below 3 replications */
    double *reference; /* per objective: as given, else the worst mean and a tenth of the range */
    struct da_estimate hypervolume; /* of the front; bootstrap */
    size_t front_count;
    struct dc_arena arena;
};

/* The front of a study's points.  metric[i] indexes the study's metrics.  allowed: the points that
 * take part (NULL: all that have data); reference: NULL for the default.  Replications are drawn
 * for all points together (common random numbers).  DC_ERR_USAGE: no objective, or no point takes
 * part; DC_ERR_IO: out of memory.  *out is zeroed first and needs da_pareto_free in every case. */
enum dc_status da_pareto(const struct da_study *s, const size_t *metric, const bool *maximise,
                         size_t objectives, const bool *allowed, const double *reference,
                         double level, uint64_t seed, struct da_pareto *out,
                         struct dc_error *error) DC_MUST_USE;
void da_pareto_free(struct da_pareto *out);

#endif

/* A study's results as its builders see them; figures of a study. */
#ifndef ANALYSIS_REPORT_STUDY_H
#define ANALYSIS_REPORT_STUDY_H

#include "analysis/goals.h"
#include "analysis/report_parts.h"


struct da_study_view {
    struct da_report *r;
    const struct da_study *s;
    size_t *shown; /* metrics worth figures: objectives, constraints, then those of the trade-off */
    size_t showns, objectives; /* the first `objectives` of them are (all without objectives) */
    size_t theta;              /* the parameter, or SIZE_MAX */
    struct da_goals goals;
    bool judged; /* goals hold */
};

/* A run's number; NaN: no data. */
double da_view_at(const struct da_study_view *v, size_t point, size_t replication, size_t metric);
/* Distinct values of a parameter, ascending; returns how many. */
size_t da_view_levels(const struct da_study_view *v, size_t parameter, double *level);
/* A design gives the parameter hardly the same value twice, so that there are no levels to average
 * over. */
bool da_view_scattered(const struct da_study_view *v, size_t parameter);
/* Mean of a metric over the chosen points (NULL: all): replications in which all of them have data
 * are the sample, points without any data are left out. */
struct da_estimate da_view_mean(const struct da_study_view *v, size_t metric, const bool *chosen);
/* "0.1", or a word. */
const char *da_view_level(const struct da_study_view *v, size_t parameter, double x);
const char *da_view_setting(const struct da_study_view *v, size_t point);
/* What a metric means, as the beginning of a sentence. */
const char *da_view_meaning(const struct da_study_view *v, size_t metric);
void da_view_metric_axis(struct da_axis *axis, const struct da_metric *m);
void da_view_parameter_axis(struct da_axis *axis, const struct da_parameter *p);
/* An axis with a place for every level, however far apart their values are; falling: the greatest
 * is number 0. */
void da_view_level_axis(const struct da_study_view *v, struct da_axis *axis, size_t parameter,
                        bool falling);
/* A name as part of an id: letters, digits and -. */
const char *da_view_id(const struct da_study_view *v, const char *a, const char *b, const char *c);

/* report_points.c: constraints and the best points; all points. */
void da_view_best(const struct da_study_view *v);
void da_view_points(const struct da_study_view *v);

/* report_curves.c */
struct da_figure *da_view_curve(const struct da_study_view *v, size_t metric, size_t parameter);
struct da_figure *da_view_tradeoff(const struct da_study_view *v);
struct da_figure *da_view_heat(const struct da_study_view *v, size_t metric);
struct da_figure *da_view_paired(const struct da_study_view *v, size_t metric);

/* report_effects.c */
struct da_figure *da_view_optimum(const struct da_study_view *v, size_t by);
void da_view_optimum_table(const struct da_study_view *v, size_t by);
struct da_figure *da_view_sensitivity(const struct da_study_view *v, size_t metric);
/* Adds the front's figure and its table. */
void da_view_pareto(const struct da_study_view *v, size_t a, size_t b);
struct da_figure *da_view_roc(const struct da_study_view *v);

#endif

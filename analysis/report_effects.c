/* What matters in a study, where its optimum lies, and what cannot be had together. */
#include "analysis/pareto.h"
#include "analysis/report_study.h"
#include "analysis/roc.h"
#include "analysis/sensitivity.h"

#include <math.h>
#include <string.h>

enum { SEED = 1, LABELS_MAX = 25 };

/* ---- the optimum of theta -------------------------------------------------------------------- */

/* Of the first objective, else of the loss; false: the study tells nothing. */
static bool optima_of(const struct da_study_view *v, size_t by, struct da_optima *out,
                      size_t *metric, bool *maximise)
{
    struct dc_error error = {0};
    *metric = v->s->objectives > 0 ? da_study_metric(v->s, v->s->objective[0].metric)
                                   : da_study_metric(v->s, "loss");
    *maximise = v->s->objectives > 0 && v->s->objective[0].maximise;
    memset(out, 0, sizeof *out);
    if (*metric == SIZE_MAX)
        return false;
    struct da_along look = {.metric = *metric,
                            .maximise = *maximise,
                            .along = v->theta,
                            .by = by,
                            .level = DA_REPORT_LEVEL,
                            .seed = SEED};
    return da_optima(v->s, &look, out, &error) == DC_OK && out->groups > 0;
}

/* The number of a value among those of its parameter. */
static size_t place_of(const struct da_study_view *v, size_t parameter, double x)
{
    double *level = da_report_take(v->r, v->s->points, sizeof *level);
    size_t n = da_view_levels(v, parameter, level), at = 0;
    while (at + 1 < n && level[at] != x)
        at++;
    return at;
}

/* Room above and below, so that the ends of bars do not lie on the frame. */
static void widen(struct da_axis *axis, const double *lo, const double *hi, size_t count)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        least = fmin(least, lo[i]);
        most = fmax(most, hi[i]);
    }
    if (!(most > least))
        return;
    axis->min = least - 0.05 * (most - least);
    axis->max = most + 0.05 * (most - least);
}

struct da_figure *da_view_optimum(const struct da_study_view *v, size_t by)
{
    struct da_optima o;
    struct da_figure *f = NULL;
    size_t metric;
    bool maximise;
    if (optima_of(v, by, &o, &metric, &maximise)) {
        size_t n = o.groups;
        double *x = da_report_take(v->r, 4 * n, sizeof *x), *y = x + n, *lo = y + n, *hi = lo + n;
        for (size_t i = 0; i < n; i++) {
            x[i] = (double)place_of(v, by, o.group[i].group);
            y[i] = o.group[i].x.value;
            lo[i] = o.group[i].x.lo;
            hi[i] = o.group[i].x.hi;
        }
        f = da_figure_new(
            v->r, da_view_id(v, "optimum", v->s->parameter[by].label, ""),
            da_report_text(v->r, "The theta with the %s %s, by %s", maximise ? "most" : "least",
                           v->s->metric[metric].name, v->s->parameter[by].label),
            da_report_text(v->r,
                           "The best of the values of theta that were tried, averaged over the "
                           "other parameters%s; bars reach over the values that are best in 95 %% "
                           "of bootstrap draws of the replications.",
                           v->s->constraints > 0 ? ", whether or not constraints are met" : ""),
            1);
        struct da_series *s = da_figure_line(v->r, f, NULL, x, y, n);
        s->mark = DA_MARK_POINTS;
        s->lo = lo;
        s->hi = hi;
        da_view_level_axis(v, &f->x, by, false);
        da_view_parameter_axis(&f->y, &v->s->parameter[v->theta]);
        if (!v->s->parameter[v->theta].words && !f->y.log)
            widen(&f->y, lo, hi, n);
        f = da_figure_or_nothing(f);
    }
    da_optima_free(&o);
    return f;
}

void da_view_optimum_table(const struct da_study_view *v, size_t by)
{
    struct da_optima o;
    size_t metric;
    bool maximise;
    if (optima_of(v, by, &o, &metric, &maximise)) {
        const struct da_column columns[] = {
            {by == SIZE_MAX ? "group" : v->s->parameter[by].label, "", true},
            {"best theta (95 % interval)", "", false},
            {da_report_text(v->r, "%s there", v->s->metric[metric].name), v->s->metric[metric].unit,
             false},
            {"vertex of a parabola", "", false},
            {"remark", "", true}};
        struct da_column *kept = da_report_take(v->r, 5, sizeof *kept);
        memcpy(kept, columns, sizeof columns);
        struct da_rows *rows = da_rows_begin(
            v->r, "The best theta, its interval by bootstrap over replications", kept, 5);
        for (size_t i = 0; i < o.groups; i++) {
            const struct da_optimum *g = &o.group[i];
            da_rows_add(rows, by == SIZE_MAX ? "all" : da_view_level(v, by, g->group));
            da_rows_add(rows, da_report_interval(v->r, g->x));
            da_rows_add(rows, da_report_interval(v->r, g->value));
            da_rows_add(rows, da_report_interval(v->r, g->smooth));
            da_rows_add(rows, g->edge ? "the last value that was tried on this side" : NULL);
        }
        da_rows_end(rows, NULL);
    }
    da_optima_free(&o);
}

/* ---- sensitivity ----------------------------------------------------------------------------- */

static void bars(const struct da_study_view *v, struct da_figure *f, const char *name,
                 const struct da_estimate *e, size_t count)
{
    double *x = da_report_take(v->r, 4 * count, sizeof *x), *y = x + count, *lo = y + count,
           *hi = lo + count;
    for (size_t i = 0; i < count; i++) {
        x[i] = (double)i;
        y[i] = e[i].value;
        lo[i] = e[i].lo;
        hi[i] = e[i].hi;
    }
    struct da_series *s = da_figure_line(v->r, f, name, x, y, count);
    s->mark = DA_MARK_BARS;
    s->lo = lo;
    s->hi = hi;
}

static struct da_figure *effects(const struct da_study_view *v, const struct da_sensitivity *s,
                                 const struct da_metric *m)
{
    size_t n = s->effects;
    bool morris = s->method == DA_MORRIS;
    struct da_estimate *one = da_report_take(v->r, n, sizeof *one),
                       *two = da_report_take(v->r, n, sizeof *two);
    const char **name = da_report_take(v->r, n, sizeof *name);
    for (size_t i = 0; i < n; i++) {
        one[i] = morris ? s->effect[i].mu_star : s->effect[i].first;
        two[i] = morris ? s->effect[i].sigma : s->effect[i].total;
        name[i] = v->s->parameter[i].label;
    }
    const char *noise =
        s->noise_only ? " The variation among points is within noise: no parameter matters." : "";
    struct da_figure *f = da_figure_new(
        v->r, da_view_id(v, "sensitivity", m->name, ""),
        da_report_text(v->r, "What %s depends on", m->name),
        da_report_text(v->r, "%s Method: %s, with 95 %% intervals by bootstrap.%s",
                       morris ? "Mean size of the change when the parameter moves over its whole "
                                "range, and its spread (interactions, curvature)."
                              : "Share of the variance that each parameter explains alone, and "
                                "with all its interactions.",
                       s->source, noise),
        2);
    bars(v, f, morris ? "mean of absolute changes" : "alone (S)", one, n);
    bars(v, f, morris ? "standard deviation" : "with interactions (ST)", two, n);
    da_figure_axes(f, "parameter", "", morris ? m->name : "share of variance",
                   morris ? m->unit : "");
    f->x.category = name;
    f->x.categories = n;
    return da_figure_or_nothing(f);
}

struct da_figure *da_view_sensitivity(const struct da_study_view *v, size_t metric)
{
    struct da_sensitivity s = {0};
    struct dc_error error = {0};
    struct da_figure *f = NULL;
    if (da_sensitivity(v->s, metric, DA_REPORT_LEVEL, SEED, &s, &error) == DC_OK)
        f = effects(v, &s, &v->s->metric[metric]);
    da_sensitivity_free(&s);
    return f;
}

/* ---- fronts ---------------------------------------------------------------------------------- */

static bool maximised(const struct da_study_view *v, size_t metric)
{
    static const char *const good[] = {
        "detect_5",          "detect_20",          "theta_lift",         "blocks_final",
        "blocks_per_second", "transactions_final", "challenge_precision"};
    for (size_t i = 0; i < v->s->objectives; i++)
        if (da_study_metric(v->s, v->s->objective[i].metric) == metric)
            return v->s->objective[i].maximise;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (strcmp(v->s->metric[metric].name, good[i]) == 0)
            return true;
    return false;
}

static struct da_series *front_series(const struct da_study_view *v, struct da_figure *f,
                                      const struct da_pareto *p, bool front)
{
    size_t most = p->points, n = 0;
    double *x = da_report_take(v->r, 4 * most, sizeof *x), *y = x + most, *lo = y + most,
           *hi = lo + most;
    const char **label = da_report_take(v->r, most, sizeof *label);
    bool *chosen = da_report_take(v->r, most, sizeof *chosen);
    size_t metric = da_study_metric(v->s, f->y.label);
    for (size_t i = 0; i < most; i++) {
        if (p->front[i] != front || isnan(p->mean[2 * i]) || isnan(p->mean[2 * i + 1]))
            continue;
        chosen[i] = true;
        struct da_estimate e = da_view_mean(v, metric, chosen);
        chosen[i] = false;
        x[n] = p->mean[2 * i];
        y[n] = p->mean[2 * i + 1];
        lo[n] = e.lo;
        hi[n] = e.hi;
        label[n++] = da_report_text(v->r, "%zu", i);
    }
    if (n == 0)
        return NULL;
    struct da_series *s = da_figure_line(
        v->r, f, front ? "on the front (number of the point)" : "other points", x, y, n);
    s->mark = DA_MARK_POINTS;
    if (front) {
        s->lo = lo;
        s->hi = hi;
        s->label = n <= LABELS_MAX ? label : NULL;
        s->colour = 1;
    } else {
        s->colour = DA_GREY;
    }
    return s;
}

static void front_table(const struct da_study_view *v, const struct da_pareto *p, size_t a,
                        size_t b)
{
    struct da_column *column = da_report_take(v->r, 5, sizeof *column);
    column[0] = (struct da_column){"point", "", false};
    column[1] = (struct da_column){"setting", "", true};
    column[2] = (struct da_column){v->s->metric[a].name, v->s->metric[a].unit, false};
    column[3] = (struct da_column){v->s->metric[b].name, v->s->metric[b].unit, false};
    column[4] = (struct da_column){"chance to be on the front", "", false};
    struct da_rows *rows =
        da_rows_begin(v->r, "Points on the front, means with 95 % intervals", column, 5);
    bool *chosen = da_report_take(v->r, p->points, sizeof *chosen);
    for (size_t i = 0; i < p->points; i++) {
        if (!p->front[i])
            continue;
        chosen[i] = true;
        da_rows_add(rows, da_report_text(v->r, "%zu", i));
        da_rows_add(rows, da_view_setting(v, i));
        da_rows_add(rows, da_report_interval(v->r, da_view_mean(v, a, chosen)));
        da_rows_add(rows, da_report_interval(v->r, da_view_mean(v, b, chosen)));
        da_rows_add(rows, da_report_percent(v->r, p->chance[i]));
        chosen[i] = false;
    }
    da_rows_end(rows, da_report_text(v->r, "The front of %s and %s, point by point",
                                     v->s->metric[a].name, v->s->metric[b].name));
}

/* Does the metric differ between points at all? */
static bool varies(const struct da_study_view *v, const struct da_pareto *p, size_t objective)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < v->s->points; i++)
        if (!isnan(p->mean[2 * i + objective])) {
            least = fmin(least, p->mean[2 * i + objective]);
            most = fmax(most, p->mean[2 * i + objective]);
        }
    return most > least;
}

void da_view_pareto(const struct da_study_view *v, size_t a, size_t b)
{
    struct da_pareto p = {0};
    struct dc_error error = {0};
    size_t metric[2] = {a, b};
    bool maximise[2] = {maximised(v, a), maximised(v, b)};
    if (da_pareto(v->s, metric, maximise, 2, NULL, NULL, DA_REPORT_LEVEL, SEED, &p, &error) ==
            DC_OK &&
        varies(v, &p, 0) && varies(v, &p, 1)) {
        struct da_figure *f = da_figure_new(
            v->r, da_view_id(v, "pareto", v->s->metric[a].name, v->s->metric[b].name),
            da_report_text(v->r, "%s against %s", v->s->metric[b].name, v->s->metric[a].name),
            da_report_text(v->r,
                           "Means of points; on the front no other point is better in both (%s "
                           "%s, %s %s). Bars: 95 %% intervals. The table says how sure each is to "
                           "be on the front.",
                           maximise[0] ? "more" : "less", v->s->metric[a].name,
                           maximise[1] ? "more" : "less", v->s->metric[b].name),
            2);
        da_view_metric_axis(&f->x, &v->s->metric[a]);
        da_view_metric_axis(&f->y, &v->s->metric[b]);
        (void)front_series(v, f, &p, false);
        (void)front_series(v, f, &p, true);
        da_report_show(v->r, da_figure_or_nothing(f));
        front_table(v, &p, a, b);
        da_report_paragraph(
            v->r,
            "Hypervolume of the front, up to %s = %s and %s = %s: %s (95 %% interval of bootstrap "
            "draws of the replications). The more, the better the trade-off.",
            v->s->metric[a].name, da_report_ratio(v->r, p.reference[0]), v->s->metric[b].name,
            da_report_ratio(v->r, p.reference[1]), da_report_interval(v->r, p.hypervolume));
    }
    da_pareto_free(&p);
}

/* ---- operating points ------------------------------------------------------------------------ */

struct da_figure *da_view_roc(const struct da_study_view *v)
{
    const struct da_study *s = v->s;
    size_t tpr = da_study_metric(s, "detect_20"), fpr = da_study_metric(s, "false_fail_rate");
    if (v->theta == SIZE_MAX || da_view_scattered(v, v->theta) || tpr == SIZE_MAX ||
        fpr == SIZE_MAX)
        return NULL;
    double *theta = da_report_take(v->r, s->points, sizeof *theta);
    size_t n = da_view_levels(v, v->theta, theta);
    double *rate[2] = {da_report_take(v->r, n * s->replications, sizeof(double)),
                       da_report_take(v->r, n * s->replications, sizeof(double))};
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < s->replications; r++)
            for (size_t which = 0; which < 2; which++) {
                double sum = 0;
                size_t count = 0;
                for (size_t p = 0; p < s->points; p++) {
                    double value = da_view_at(v, p, r, which == 0 ? fpr : tpr);
                    if (da_study_x(s, p, v->theta) != theta[i] || isnan(value))
                        continue;
                    sum += value;
                    count++;
                }
                rate[which][i * s->replications + r] = count > 0 ? sum / (double)count : NAN;
            }
    struct da_rates rates = {0};
    struct dc_error error = {0};
    struct da_figure *f = NULL;
    if (n >= 2 && da_roc_rates(theta, rate[0], rate[1], n, s->replications, NAN, DA_REPORT_LEVEL,
                               SEED, &rates, &error) == DC_OK) {
        f = da_figure_new(
            v->r, "roc", "What theta catches and whom it wrongs",
            "Cheats that failed within 20 epochs against challenges of honest nodes that failed, "
            "for each theta (beside its mark), means over the other parameters with the 95 % "
            "interval of the former. Up and to the left is better.",
            1);
        double *x = da_report_take(v->r, 4 * rates.points, sizeof *x), *y = x + rates.points,
               *lo = y + rates.points, *hi = lo + rates.points;
        const char **label = da_report_take(v->r, rates.points, sizeof *label);
        for (size_t i = 0; i < rates.points; i++) {
            x[i] = rates.point[i].fpr.value;
            y[i] = rates.point[i].tpr.value;
            lo[i] = rates.point[i].tpr.lo;
            hi[i] = rates.point[i].tpr.hi;
            label[i] = da_view_level(v, v->theta, rates.point[i].x);
        }
        struct da_series *points = da_figure_line(v->r, f, NULL, x, y, rates.points);
        points->mark = DA_MARK_POINTS;
        points->lo = lo;
        points->hi = hi;
        points->label = rates.points <= LABELS_MAX ? label : NULL;
        da_figure_axes(f, "challenges of honest nodes that failed (false_fail_rate)", "",
                       "cheats that failed (detect_20)", "");
        f = da_figure_or_nothing(f);
    }
    da_rates_free(&rates);
    return f;
}

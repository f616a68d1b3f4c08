/* Curves of a study: a metric over a parameter, over another metric, over two parameters, and
 * against the first point. */
#include "analysis/report_study.h"

#include <math.h>
#include <string.h>

enum { LEVELS_MAX = 30, LINES_MAX = 6, PAIRED_MAX = 60, CAPTION_LINES = 3 };

/* Every combination of values of the parameters has exactly one point. */
static bool is_factorial(const struct da_study_view *v)
{
    double *level = da_report_take(v->r, v->s->points, sizeof *level), all = 1;
    for (size_t i = 0; i < v->s->parameters; i++)
        all *= (double)da_view_levels(v, i, level);
    return all == (double)v->s->points;
}

/* The points at which a parameter has a value; those of `within` (NULL: any). */
static void choose(const struct da_study_view *v, size_t parameter, double x, const bool *within,
                   bool *chosen)
{
    for (size_t p = 0; p < v->s->points; p++)
        chosen[p] = (within == NULL || within[p]) && da_study_x(v->s, p, parameter) == x;
}

/* A line of means over the levels of a parameter, with a band. */
static void curve_line(const struct da_study_view *v, struct da_figure *f, const char *name,
                       size_t metric, size_t parameter, const bool *within)
{
    double *x = da_report_take(v->r, v->s->points, sizeof *x);
    size_t n = da_view_levels(v, parameter, x), count = 0;
    double *y = da_report_take(v->r, n, sizeof *y), *lo = da_report_take(v->r, n, sizeof *lo),
           *hi = da_report_take(v->r, n, sizeof *hi);
    bool *chosen = da_report_take(v->r, v->s->points, sizeof *chosen);
    for (size_t i = 0; i < n; i++) {
        choose(v, parameter, x[i], within, chosen);
        struct da_estimate e = da_view_mean(v, metric, chosen);
        if (isnan(e.value))
            continue;
        x[count] = x[i];
        y[count] = e.value;
        lo[count] = e.lo;
        hi[count++] = e.hi;
    }
    if (count == 0)
        return;
    struct da_series *s = da_figure_line(v->r, f, name, x, y, count);
    s->lo = lo;
    s->hi = hi;
    if (v->s->parameter[parameter].words)
        s->mark = DA_MARK_POINTS;
}

/* How far the metric's means over the levels of a parameter lie apart. */
static double spread(const struct da_study_view *v, size_t parameter, size_t metric)
{
    double *level = da_report_take(v->r, v->s->points, sizeof *level), least = NAN, most = NAN;
    size_t n = da_view_levels(v, parameter, level);
    bool *chosen = da_report_take(v->r, v->s->points, sizeof *chosen);
    for (size_t i = 0; i < n; i++) {
        choose(v, parameter, level[i], NULL, chosen);
        double mean = da_view_mean(v, metric, chosen).value;
        least = fmin(least, mean);
        most = fmax(most, mean);
    }
    return isnan(most) ? 0 : most - least;
}

/* Another parameter of a grid, with 2 to `levels` values: the one that moves the metric most;
 * SIZE_MAX: none. */
static size_t second(const struct da_study_view *v, size_t first, size_t metric, size_t levels)
{
    double *level = da_report_take(v->r, v->s->points, sizeof *level), most = -1;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < v->s->parameters; i++) {
        size_t n = da_view_levels(v, i, level);
        if (i == first || n < 2 || n > levels)
            continue;
        double it = spread(v, i, metric);
        if (it > most) {
            best = i;
            most = it;
        }
    }
    return best;
}

/* Designs in which hardly two points share a value: the points themselves. */
static void cloud(const struct da_study_view *v, struct da_figure *f, size_t metric,
                  size_t parameter)
{
    size_t n = 0;
    double *x = da_report_take(v->r, v->s->points, sizeof *x),
           *y = da_report_take(v->r, v->s->points, sizeof *y);
    bool *chosen = da_report_take(v->r, v->s->points, sizeof *chosen);
    for (size_t p = 0; p < v->s->points; p++) {
        chosen[p] = true;
        x[n] = da_study_x(v->s, p, parameter);
        y[n] = da_view_mean(v, metric, chosen).value;
        n += !isnan(y[n]);
        chosen[p] = false;
    }
    if (n > 0)
        da_figure_line(v->r, f, NULL, x, y, n)->mark = DA_MARK_POINTS;
}

struct da_figure *da_view_curve(const struct da_study_view *v, size_t metric, size_t parameter)
{
    const struct da_metric *m = &v->s->metric[metric];
    const struct da_parameter *p = &v->s->parameter[parameter];
    double *level = da_report_take(v->r, v->s->points, sizeof *level);
    size_t n = da_view_levels(v, parameter, level), by = SIZE_MAX;
    if (n < 2)
        return NULL;
    bool scattered = da_view_scattered(v, parameter);
    if (!scattered && is_factorial(v))
        by = second(v, parameter, metric, LINES_MAX);
    const char *caption = da_report_text(v->r, "%s: %s.", da_view_meaning(v, metric),
                                         scattered ? "the mean of each point over its replications"
                                         : v->s->parameters > (by == SIZE_MAX ? 1u : 2u)
                                             ? "mean over the other parameters, with the 95 % "
                                               "interval of that mean over replications"
                                             : "mean with its 95 % interval over replications");
    struct da_figure *f = da_figure_new(v->r, da_view_id(v, "curve", m->name, p->label),
                                        da_report_text(v->r, "%s over %s", m->name, p->label),
                                        caption, LINES_MAX + 1);
    if (scattered) {
        cloud(v, f, metric, parameter);
    } else if (by == SIZE_MAX) {
        curve_line(v, f, NULL, metric, parameter, NULL);
    } else {
        size_t lines = da_view_levels(v, by, level);
        bool *within = da_report_take(v->r, v->s->points, sizeof *within);
        for (size_t i = 0; i < lines; i++) {
            choose(v, by, level[i], NULL, within);
            curve_line(v, f,
                       da_report_text(v->r, "%s = %s", v->s->parameter[by].label,
                                      da_view_level(v, by, level[i])),
                       metric, parameter, within);
        }
    }
    da_view_parameter_axis(&f->x, p);
    da_view_metric_axis(&f->y, m);
    return da_figure_or_nothing(f);
}

/* ---- what theta buys ------------------------------------------------------------------------- */

static size_t first_of(const struct da_study_view *v, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (da_study_metric(v->s, names[i]) != SIZE_MAX)
            return da_study_metric(v->s, names[i]);
    return SIZE_MAX;
}

/* One line through the values of theta, with theta beside each mark. */
static void tradeoff_line(const struct da_study_view *v, struct da_figure *f, const char *name,
                          size_t cost, size_t loss, const bool *within)
{
    double *level = da_report_take(v->r, v->s->points, sizeof *level);
    size_t n = da_view_levels(v, v->theta, level), count = 0;
    double *x = da_report_take(v->r, n, sizeof *x), *y = da_report_take(v->r, n, sizeof *y),
           *lo = da_report_take(v->r, n, sizeof *lo), *hi = da_report_take(v->r, n, sizeof *hi);
    const char **label = da_report_take(v->r, n, sizeof *label);
    bool *chosen = da_report_take(v->r, v->s->points, sizeof *chosen);
    for (size_t i = 0; i < n; i++) {
        choose(v, v->theta, level[i], within, chosen);
        struct da_estimate a = da_view_mean(v, cost, chosen), b = da_view_mean(v, loss, chosen);
        if (isnan(a.value) || isnan(b.value))
            continue;
        x[count] = a.value;
        y[count] = b.value;
        lo[count] = b.lo;
        hi[count] = b.hi;
        label[count++] = da_view_level(v, v->theta, level[i]);
    }
    if (count == 0)
        return;
    int colour = (int)(f->count / 2);
    struct da_series *line = da_figure_line(v->r, f, name, x, y, count);
    line->colour = colour;
    struct da_series *points = da_figure_line(v->r, f, NULL, x, y, count);
    points->mark = DA_MARK_POINTS;
    points->lo = lo;
    points->hi = hi;
    points->label = label;
    points->colour = colour;
}

struct da_figure *da_view_tradeoff(const struct da_study_view *v)
{
    static const char *const costs[] = {"challenge_bytes_share", "challenges_total"};
    static const char *const losses[] = {"loss", "loss_leaked", "leak_by_strategy"};
    size_t cost = first_of(v, costs, 2), loss = first_of(v, losses, 3), lines;
    double *level = da_report_take(v->r, v->s->points, sizeof *level);
    if (v->theta == SIZE_MAX || cost == SIZE_MAX || loss == SIZE_MAX ||
        da_view_scattered(v, v->theta))
        return NULL;
    struct da_figure *f = da_figure_new(
        v->r, "theta-trade-off", "What theta buys",
        "Loss against the traffic that challenges cost; each mark is a theta, which stands beside "
        "it, with the 95 % interval of the loss over replications. Down and to the left is better.",
        2 * LINES_MAX + 2);
    size_t by = is_factorial(v) ? second(v, v->theta, loss, LINES_MAX) : SIZE_MAX;
    if (by == SIZE_MAX) {
        tradeoff_line(v, f, NULL, cost, loss, NULL);
    } else {
        bool *within = da_report_take(v->r, v->s->points, sizeof *within);
        lines = da_view_levels(v, by, level);
        for (size_t i = 0; i < lines; i++) {
            choose(v, by, level[i], NULL, within);
            tradeoff_line(v, f,
                          da_report_text(v->r, "%s = %s", v->s->parameter[by].label,
                                         da_view_level(v, by, level[i])),
                          cost, loss, within);
        }
    }
    da_view_metric_axis(&f->x, &v->s->metric[cost]);
    da_view_metric_axis(&f->y, &v->s->metric[loss]);
    return da_figure_or_nothing(f);
}

/* ---- two parameters -------------------------------------------------------------------------- */

void da_view_level_axis(const struct da_study_view *v, struct da_axis *axis, size_t parameter,
                        bool falling)
{
    double *level = da_report_take(v->r, v->s->points, sizeof *level);
    size_t n = da_view_levels(v, parameter, level);
    const char **name = da_report_take(v->r, n, sizeof *name);
    for (size_t i = 0; i < n; i++)
        name[falling ? n - 1 - i : i] = da_view_level(v, parameter, level[i]);
    axis->label = v->s->parameter[parameter].label;
    axis->category = name;
    axis->categories = n;
}

struct da_figure *da_view_heat(const struct da_study_view *v, size_t metric)
{
    size_t pick[2] = {SIZE_MAX, SIZE_MAX}, n = 0;
    if (is_factorial(v))
        pick[1] = second(v, SIZE_MAX, metric, LEVELS_MAX);
    if (pick[1] != SIZE_MAX)
        pick[0] = second(v, pick[1], metric, LEVELS_MAX);
    if (pick[0] == SIZE_MAX)
        return NULL;
    double *a = da_report_take(v->r, v->s->points, sizeof *a),
           *b = da_report_take(v->r, v->s->points, sizeof *b);
    size_t na = da_view_levels(v, pick[0], a), nb = da_view_levels(v, pick[1], b);
    double *x = da_report_take(v->r, na * nb, sizeof *x),
           *y = da_report_take(v->r, na * nb, sizeof *y),
           *shade = da_report_take(v->r, na * nb, sizeof *shade);
    bool *within = da_report_take(v->r, v->s->points, sizeof *within),
         *chosen = da_report_take(v->r, v->s->points, sizeof *chosen);
    for (size_t i = 0; i < na; i++) {
        choose(v, pick[0], a[i], NULL, within);
        for (size_t k = 0; k < nb; k++) {
            choose(v, pick[1], b[k], within, chosen);
            x[n] = (double)i;
            y[n] = (double)(nb - 1 - k); /* the first category is on top */
            shade[n] = da_view_mean(v, metric, chosen).value;
            n += !isnan(shade[n]);
        }
    }
    const struct da_metric *m = &v->s->metric[metric];
    struct da_figure *f = da_figure_new(
        v->r, da_view_id(v, "heat", m->name, ""),
        da_report_text(v->r, "%s over %s and %s", m->name, v->s->parameter[pick[0]].label,
                       v->s->parameter[pick[1]].label),
        da_report_text(v->r, "%s: mean over replications%s.", da_view_meaning(v, metric),
                       v->s->parameters > 2 ? " and over the other parameters" : ""),
        1);
    struct da_series *s = da_figure_line(v->r, f, NULL, x, y, n);
    s->mark = DA_MARK_CELLS;
    s->shade = shade;
    da_view_level_axis(v, &f->x, pick[0], false);
    da_view_level_axis(v, &f->y, pick[1], true);
    da_view_metric_axis(&f->shade, m);
    return n > 0 ? da_figure_or_nothing(f) : NULL;
}

/* ---- against the first point ----------------------------------------------------------------- */

struct da_figure *da_view_paired(const struct da_study_view *v, size_t metric)
{
    const struct da_study *s = v->s;
    const struct da_metric *m = &s->metric[metric];
    size_t shown = s->points, n = 0;
    if (shown > PAIRED_MAX)
        return NULL;
    double *a = da_report_take(v->r, s->replications, sizeof *a),
           *b = da_report_take(v->r, s->replications, sizeof *b);
    double *x = da_report_take(v->r, 4 * shown, sizeof *x), *y = x + shown, *lo = y + shown,
           *hi = lo + shown;
    for (size_t p = 1; p < shown; p++) {
        size_t pairs = 0;
        for (size_t r = 0; r < s->replications; r++) {
            a[pairs] = da_view_at(v, p, r, metric);
            b[pairs] = da_view_at(v, 0, r, metric);
            pairs += !isnan(a[pairs]) && !isnan(b[pairs]);
        }
        if (pairs < 2)
            continue;
        struct da_estimate e = da_paired_interval(a, b, pairs, DA_REPORT_LEVEL);
        x[n] = (double)p;
        y[n] = e.value;
        lo[n] = e.lo;
        hi[n++] = e.hi;
    }
    if (n == 0)
        return NULL;
    struct da_figure *f = da_figure_new(
        v->r, da_view_id(v, "paired", m->name, ""),
        da_report_text(v->r, "%s: difference to point 0", m->name),
        da_report_text(v->r,
                       "Point 0 is %s. Differences of runs with the same seed, mean with its 95 %% "
                       "interval; one that does not reach 0 is significant by itself. Points are "
                       "numbered as in the table below.",
                       da_view_setting(v, 0)),
        2);
    struct da_series *points = da_figure_line(v->r, f, NULL, x, y, n);
    points->mark = DA_MARK_POINTS;
    points->lo = lo;
    points->hi = hi;
    da_figure_guide(v->r, f, NULL, 0, 0, (double)shown, 0);
    da_figure_axes(f, "point", "", da_report_text(v->r, "difference of %s", m->name), m->unit);
    return f;
}

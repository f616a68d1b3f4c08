/* The optimum along a parameter, in each group of another.
 *
 * A group is a table, levels x replications: the mean over the group's points of that level in that
 * replication.  A bootstrap draw averages some replications, and finds the best level and the
 * vertex of a parabola again; all groups see the same draws. */
#include "analysis/goals.h"

#include "analysis/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bowl {
    size_t levels, replications;
    double *x, *z;   /* of each level; z: its logarithm where the parameter's scale is one */
    double *y;       /* levels x replications; less is better */
    double *mean;    /* of the draw */
    bool parabola;   /* wanted */
    bool logarithms; /* z is one */
};

/* Least squares of y = c0 + c1 t + c2 t^2 on n points. */
static void parabola_fit(const double *t, const double *y, size_t n, double c[3])
{
    double m[3][4] = {{0}};
    for (size_t i = 0; i < n; i++) {
        double power[3] = {1, t[i], t[i] * t[i]};
        for (int a = 0; a < 3; a++) {
            for (int b = 0; b < 3; b++)
                m[a][b] += power[a] * power[b];
            m[a][3] += power[a] * y[i];
        }
    }
    for (int a = 0; a < 3; a++) /* positive definite: t within -1..1, at least three different */
        for (int b = 0; b < 3; b++) {
            if (a == b)
                continue;
            double f = m[b][a] / m[a][a];
            for (int k = a; k < 4; k++)
                m[b][k] -= f * m[a][k];
        }
    for (int a = 0; a < 3; a++)
        c[a] = m[a][3] / m[a][a];
}

/* The vertex around the best level: a parabola through the two levels on either side of it, at
 * least three in all; kept between the outermost of these.  Without a bowl, the best level. */
static void bowl_vertex(const struct bowl *w, size_t best, double *x, double *value)
{
    size_t from = best < 2 ? 0 : best - 2, to = best + 2 < w->levels ? best + 2 : w->levels - 1;
    double t[5], y[5], c[3], middle, half;
    *x = w->x[best];
    *value = w->mean[best];
    if (!w->parabola || w->levels < 3)
        return;
    middle = (w->z[from] + w->z[to]) / 2;
    half = (w->z[to] - w->z[from]) / 2;
    size_t n = to - from + 1;
    for (size_t i = 0; i < n; i++) {
        t[i] = (w->z[from + i] - middle) / half;
        y[i] = w->mean[from + i] - w->mean[best];
    }
    parabola_fit(t, y, n, c);
    if (!(c[2] > 0))
        return;
    double at = fmin(1, fmax(-1, -c[1] / (2 * c[2])));
    double z = middle + half * at;
    *x = w->logarithms ? exp(z) : z;
    *value = w->mean[best] + c[0] + c[1] * at + c[2] * at * at;
}

enum { BEST, VERTEX, VALUE, BOWL_WIDTH };
static void bowl_statistic(void *ctx, const size_t *row, size_t rows, double *out)
{
    struct bowl *w = ctx;
    size_t best = 0;
    for (size_t l = 0; l < w->levels; l++) {
        w->mean[l] = 0;
        for (size_t r = 0; r < rows; r++)
            w->mean[l] += w->y[l * w->replications + row[r]] / (double)rows;
        if (w->mean[l] < w->mean[best])
            best = l;
    }
    out[BEST] = w->x[best];
    bowl_vertex(w, best, &out[VERTEX], &out[VALUE]);
}

/* --- a group's table ------------------------------------------------------------------------ */

struct optima {
    const struct da_study *s;
    const struct da_along *look;
    const double *y; /* points x replications */
    double *x;       /* room: points */
    bool *whole;     /* room: replications */
    double *drawn;
};

static bool point_in_group(const struct optima *o, size_t point, double group)
{
    const struct da_along *look = o->look;
    if (look->by != SIZE_MAX && da_study_x(o->s, point, look->by) != group)
        return false;
    for (size_t j = 0; look->fixed && j < o->s->parameters; j++)
        if (!isnan(look->fixed[j]) && da_study_x(o->s, point, j) != look->fixed[j])
            return false;
    return true;
}

static size_t distinct(double *x, size_t n)
{
    size_t kept = 0;
    qsort(x, n, sizeof *x, da_rising);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || x[i] != x[kept - 1])
            x[kept++] = x[i];
    return kept;
}

/* Whether all of a level's points may take part and have some data. */
static bool level_usable(const struct optima *o, double group, double x)
{
    size_t n = o->s->replications;
    for (size_t i = 0; i < o->s->points; i++) {
        if (da_study_x(o->s, i, o->look->along) != x || !point_in_group(o, i, group))
            continue;
        bool data = false;
        for (size_t r = 0; r < n && !data; r++)
            data = !isnan(o->y[i * n + r]);
        if (!data || (o->look->allowed && !o->look->allowed[i]))
            return false;
    }
    return true;
}

/* Adds the level's points to its row; takes out replications in which one has no data. */
static void level_sum(struct optima *o, double group, double x, double *row)
{
    size_t n = o->s->replications, count = 0;
    for (size_t i = 0; i < o->s->points; i++) {
        if (da_study_x(o->s, i, o->look->along) != x || !point_in_group(o, i, group))
            continue;
        for (size_t r = 0; r < n; r++) {
            row[r] += o->y[i * n + r];
            o->whole[r] = o->whole[r] && !isnan(o->y[i * n + r]);
        }
        count++;
    }
    for (size_t r = 0; r < n; r++)
        row[r] /= (double)count * (o->look->maximise ? -1 : 1);
}

static bool bowl_rooms(struct bowl *w, size_t levels, size_t replications, struct dc_arena *arena)
{
    w->x = dc_arena_alloc(arena, (levels + 1) * sizeof *w->x);
    w->z = dc_arena_alloc(arena, (levels + 1) * sizeof *w->z);
    w->mean = dc_arena_alloc(arena, (levels + 1) * sizeof *w->mean);
    w->y = dc_arena_alloc(arena, (levels * replications + 1) * sizeof *w->y);
    return w->x && w->z && w->mean && w->y;
}

/* False: out of memory. */
static bool bowl_make(struct optima *o, double group, struct bowl *w, struct dc_arena *arena)
{
    const struct da_parameter *p = &o->s->parameter[o->look->along];
    size_t n = 0, kept = 0, replications = o->s->replications;
    for (size_t i = 0; i < o->s->points; i++)
        if (point_in_group(o, i, group))
            o->x[n++] = da_study_x(o->s, i, o->look->along);
    n = distinct(o->x, n);
    memset(w, 0, sizeof *w);
    if (!bowl_rooms(w, n, replications, arena))
        return false;
    for (size_t r = 0; r < replications; r++)
        o->whole[r] = true;
    for (size_t l = 0; l < n; l++) {
        if (!level_usable(o, group, o->x[l]))
            continue;
        level_sum(o, group, o->x[l], w->y + w->levels * replications);
        w->x[w->levels++] = o->x[l];
    }
    for (size_t l = 0; l < w->levels; l++) /* keeps whole replications; moves down */
        for (size_t r = 0; r < replications; r++)
            if (o->whole[r])
                w->y[kept++] = w->y[l * replications + r];
    w->replications = w->levels ? kept / w->levels : 0;
    w->parabola = !p->words && w->levels >= 3;
    w->logarithms = p->scale == DA_LOG && w->levels > 0 && w->x[0] > 0;
    for (size_t l = 0; l < w->levels; l++)
        w->z[l] = w->logarithms ? log(w->x[l]) : w->x[l];
    return true;
}

/* --- the answer ----------------------------------------------------------------------------- */

static struct da_estimate turned(struct da_estimate e, bool maximise)
{
    return maximise ? (struct da_estimate){-e.value, -e.hi, -e.lo, e.count} : e;
}

/* An interval of levels ends at levels. */
static struct da_estimate outward(struct da_estimate e, const struct bowl *w)
{
    double lo = e.lo, hi = e.hi;
    for (size_t l = 0; l < w->levels; l++) {
        if (w->x[l] <= lo)
            e.lo = w->x[l];
        if (w->x[w->levels - 1 - l] >= hi)
            e.hi = w->x[w->levels - 1 - l];
    }
    return e;
}

/* False: out of memory. */
static bool optimum_find(struct optima *o, struct bowl *w, struct da_optimum *out,
                         struct dc_arena *arena)
{
    const struct da_along *look = o->look;
    double value[BOWL_WIDTH];
    size_t n = w->replications;
    out->levels = w->levels;
    out->replications = n;
    out->level = w->x;
    out->mean = dc_arena_alloc(arena, w->levels * sizeof *out->mean);
    size_t *all = dc_arena_alloc(arena, n * sizeof *all);
    if (!out->mean || !all)
        return false;
    for (size_t r = 0; r < n; r++)
        all[r] = r;
    bowl_statistic(w, all, n, value);
    if (!da_resample(n, DA_DRAWS, look->seed, BOWL_WIDTH, bowl_statistic, w, o->drawn))
        return false;
    struct da_estimate e[BOWL_WIDTH], none = {NAN, NAN, NAN, n};
    for (size_t i = 0; i < BOWL_WIDTH; i++)
        e[i] = da_resample_interval(value[i], o->drawn, DA_DRAWS, BOWL_WIDTH, i, n, look->level);
    out->x = outward(e[BEST], w);
    out->smooth = w->parabola ? e[VERTEX] : none;
    out->smooth_value = w->parabola ? turned(e[VALUE], look->maximise) : none;
    for (size_t l = 0; l < w->levels; l++) {
        out->mean[l] = turned(da_mean_interval(w->y + l * n, n, look->level), look->maximise);
        if (w->x[l] == value[BEST])
            out->value = out->mean[l];
    }
    out->edge = value[BEST] == w->x[0] || value[BEST] == w->x[w->levels - 1];
    return true;
}

static enum dc_status optima_no_memory(struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "out of memory for an optimum");
}

static enum dc_status optima_groups(struct optima *o, size_t groups, const double *group,
                                    struct da_optima *out, struct dc_error *error)
{
    struct bowl w;
    for (size_t g = 0; g < groups; g++) {
        if (!bowl_make(o, group[g], &w, &out->arena))
            return optima_no_memory(error);
        if (w.levels < 2 || w.replications < 2)
            continue;
        struct da_optimum *optimum = &out->group[out->groups++];
        optimum->group = group[g];
        if (!optimum_find(o, &w, optimum, &out->arena))
            return optima_no_memory(error);
    }
    if (out->groups > 0)
        return DC_OK;
    return dc_error_set(
        error, DC_ERR_USAGE,
        "optimum along %s: no setting of the others has two of its values with data "
        "in the same two replications; a grid over it is needed",
        o->s->parameter[o->look->along].path);
}

enum dc_status da_optima(const struct da_study *s, const struct da_along *look,
                         struct da_optima *out, struct dc_error *error)
{
    memset(out, 0, sizeof *out);
    struct optima o = {.s = s, .look = look};
    struct dc_arena *arena = &out->arena;
    size_t groups = 1;
    if (look->metric >= s->metrics || look->along >= s->parameters ||
        (look->by != SIZE_MAX && look->by >= s->parameters) || look->by == look->along)
        return dc_error_set(error, DC_ERR_USAGE,
                            "optimum: the study has no such metric or parameter, or it is to "
                            "group by the parameter it goes along");
    o.y = da_study_table(s, look->metric, arena);
    o.x = dc_arena_alloc(arena, (s->points + 1) * sizeof *o.x);
    o.whole = dc_arena_alloc(arena, (s->replications + 1) * sizeof *o.whole);
    o.drawn = dc_arena_alloc(arena, (size_t)DA_DRAWS * BOWL_WIDTH * sizeof *o.drawn);
    double *group = dc_arena_alloc(arena, (s->points + 1) * sizeof *group);
    out->group = dc_arena_alloc(arena, (s->points + 1) * sizeof *out->group);
    if (!o.y || !o.x || !o.whole || !o.drawn || !group || !out->group)
        return optima_no_memory(error);
    group[0] = NAN;
    if (look->by != SIZE_MAX) {
        for (size_t i = 0; i < s->points; i++)
            group[i] = da_study_x(s, i, look->by);
        groups = distinct(group, s->points);
    }
    return optima_groups(&o, groups, group, out, error);
}

void da_optima_free(struct da_optima *out)
{
    dc_arena_free(&out->arena);
    memset(out, 0, sizeof *out);
}

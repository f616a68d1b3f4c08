/* ROC through operating points: measured rates at some thresholds. */
#include "analysis/resample.h"
#include "analysis/roc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rate {
    double fpr, tpr;
    size_t index;
};
struct rates {
    size_t points, replications; /* these have all data */
    double *fpr, *tpr;           /* points x replications */
    double prevalence;
    struct rate *corner; /* room: points + 2 */
};

static int rising(const void *a, const void *b)
{
    const struct rate *x = a, *y = b;
    if (x->fpr != y->fpr)
        return x->fpr < y->fpr ? -1 : 1;
    if (x->tpr != y->tpr)
        return x->tpr < y->tpr ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static double trapezoids(const struct rate *c, size_t n)
{
    double area = 0;
    for (size_t i = 1; i < n; i++)
        area += (c[i].fpr - c[i - 1].fpr) * (c[i].tpr + c[i - 1].tpr) / 2;
    return area;
}

/* Keeps the corners of the upper hull, in place. */
static size_t upper_hull(struct rate *c, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        while (kept >= 2) {
            struct rate a = c[kept - 2], b = c[kept - 1];
            double turn =
                (b.fpr - a.fpr) * (c[i].tpr - a.tpr) - (b.tpr - a.tpr) * (c[i].fpr - a.fpr);
            if (turn < 0)
                break;
            kept--;
        }
        c[kept++] = c[i];
    }
    return kept;
}

enum { AREA, AREA_HULL, PRECISION }; /* from PRECISION on one per point */
static void rates_statistic(void *ctx, const size_t *row, size_t rows, double *out)
{
    struct rates *m = ctx;
    m->corner[0] = (struct rate){0, 0, 0};
    m->corner[1] = (struct rate){1, 1, SIZE_MAX};
    for (size_t i = 0; i < m->points; i++) {
        double fpr = 0, tpr = 0, p = m->prevalence;
        for (size_t r = 0; r < rows; r++) {
            fpr += m->fpr[i * m->replications + row[r]] / (double)rows;
            tpr += m->tpr[i * m->replications + row[r]] / (double)rows;
        }
        m->corner[i + 2] = (struct rate){fpr, tpr, i + 1};
        out[PRECISION + i] = tpr * p / (tpr * p + fpr * (1 - p)); /* NaN: nothing is called */
    }
    qsort(m->corner, m->points + 2, sizeof *m->corner, rising);
    out[AREA] = trapezoids(m->corner, m->points + 2);
    out[AREA_HULL] = trapezoids(m->corner, upper_hull(m->corner, m->points + 2));
}

/* The replications that have both rates at every point. */
static bool rates_load(struct rates *m, const double *fpr, const double *tpr, size_t replications)
{
    size_t kept = 0, points = m->points, *keep = dc_mem_alloc(replications + 1, sizeof *keep);
    if (!keep)
        return false;
    for (size_t r = 0; r < replications; r++) {
        bool whole = true;
        for (size_t i = 0; i < points; i++)
            whole = whole && !isnan(fpr[i * replications + r] + tpr[i * replications + r]);
        if (whole)
            keep[kept++] = r;
    }
    m->replications = kept;
    for (size_t i = 0; i < points; i++)
        for (size_t k = 0; k < kept; k++) {
            m->fpr[i * kept + k] = fpr[i * replications + keep[k]];
            m->tpr[i * kept + k] = tpr[i * replications + keep[k]];
        }
    dc_mem_free(keep);
    return true;
}

/* value and drawn: as rates_statistic makes them.  m->corner is used up as the order of points. */
static void rates_fill(struct rates *m, const double *x, const double *value, const double *drawn,
                       double level, struct da_rates *out)
{
    size_t width = m->points + PRECISION, n = m->replications;
    for (size_t i = 0; i < m->points; i++)
        m->corner[i] = (struct rate){da_mean(m->fpr + i * n, n), da_mean(m->tpr + i * n, n), i};
    qsort(m->corner, m->points, sizeof *m->corner, rising);
    for (size_t i = 0; i < m->points; i++) {
        size_t p = m->corner[i].index;
        struct da_rate_point *point = &out->point[i];
        point->x = x[p];
        point->fpr = da_mean_interval(m->fpr + p * n, n, level);
        point->tpr = da_mean_interval(m->tpr + p * n, n, level);
        point->youden = point->tpr.value - point->fpr.value;
        point->precision = da_resample_interval(value[PRECISION + p], drawn, DA_DRAWS, width,
                                                PRECISION + p, n, level);
        if (point->youden > out->point[out->best].youden)
            out->best = i;
    }
    out->area = da_resample_interval(value[AREA], drawn, DA_DRAWS, width, AREA, n, level);
    out->area_hull =
        da_resample_interval(value[AREA_HULL], drawn, DA_DRAWS, width, AREA_HULL, n, level);
}

static enum dc_status rates_no_memory(struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "out of memory for a ROC");
}

enum dc_status da_roc_rates(const double *x, const double *fpr, const double *tpr, size_t points,
                            size_t replications, double prevalence, double level, uint64_t seed,
                            struct da_rates *out, struct dc_error *error)
{
    memset(out, 0, sizeof *out);
    struct dc_arena *arena = &out->arena;
    struct rates m = {.points = points, .prevalence = prevalence};
    size_t runs = points * replications + 1, width = points + PRECISION;
    m.fpr = dc_arena_alloc(arena, runs * sizeof *m.fpr);
    m.tpr = dc_arena_alloc(arena, runs * sizeof *m.tpr);
    m.corner = dc_arena_alloc(arena, (points + 2) * sizeof *m.corner);
    size_t *all = dc_arena_alloc(arena, (replications + 1) * sizeof *all);
    double *value = dc_arena_alloc(arena, width * sizeof *value);
    double *drawn = dc_arena_alloc(arena, DA_DRAWS * width * sizeof *drawn);
    out->point = dc_arena_alloc(arena, (points + 1) * sizeof *out->point);
    if (!m.fpr || !m.tpr || !m.corner || !all || !value || !drawn || !out->point)
        return rates_no_memory(error);
    for (size_t i = 0; i < points * replications; i++)
        if (fpr[i] < 0 || fpr[i] > 1 || tpr[i] < 0 || tpr[i] > 1)
            return dc_error_set(error, DC_ERR_USAGE,
                                "ROC: rates (%g, %g) at point %zu are not within 0..1", fpr[i],
                                tpr[i], i / replications);
    if (!rates_load(&m, fpr, tpr, replications))
        return rates_no_memory(error);
    if (points == 0 || m.replications == 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "ROC: no replication has both rates at every point; run the missing "
                            "points (--resume) or leave them out");
    for (size_t r = 0; r < m.replications; r++)
        all[r] = r;
    out->points = points;
    out->replications = m.replications;
    rates_statistic(&m, all, m.replications, value);
    if (!da_resample(m.replications, DA_DRAWS, seed, width, rates_statistic, &m, drawn))
        return rates_no_memory(error);
    rates_fill(&m, x, value, drawn, level, out);
    return DC_OK;
}

void da_rates_free(struct da_rates *out)
{
    dc_arena_free(&out->arena);
    memset(out, 0, sizeof *out);
}

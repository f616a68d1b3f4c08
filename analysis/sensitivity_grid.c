/* The exact ANOVA of a full factorial.
 *
 * The mean over all other parameters, as a function of those in a set u, has the closed variance
 * C_u = sum of the variances of all effects within u.  Hence
 *
 *     first of i    C_{i}                  total of i    C_all - C_{all but i}
 *     pair i, j     C_{i,j} - C_{i} - C_{j}              all divided by C_all
 *
 * C_u is kept as a table of products between replications, gram[r][q] = mean over the cells of u of
 * (value in r - grand mean of r) (value in q - grand mean of q).  The mean over r != q is free of
 * noise.  A bootstrap draw weighs replications; two draws of one replication count as different
 * and bring the noise back once, on average by what the plain mean of the table has more: that is
 * taken off every draw. */
#include "analysis/sensitivity_method.h"

#include "analysis/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRID_PARAMETERS = 64 }; /* bits of a set */

bool da_study_ranks(const struct da_study *s, size_t parameter, size_t *rank, size_t *levels)
{
    double *x = dc_mem_alloc(s->points + 1, sizeof *x);
    if (!x)
        return false;
    for (size_t i = 0; i < s->points; i++)
        x[i] = da_study_x(s, i, parameter);
    qsort(x, s->points, sizeof *x, da_rising);
    size_t n = 0;
    for (size_t i = 0; i < s->points; i++)
        if (n == 0 || x[i] != x[n - 1])
            x[n++] = x[i];
    for (size_t i = 0; i < s->points; i++) {
        double value = da_study_x(s, i, parameter);
        const double *at = bsearch(&value, x, n, sizeof *x, da_rising);
        rank[i] = at ? (size_t)(at - x) : 0;
    }
    *levels = n;
    dc_mem_free(x);
    return true;
}

bool da_study_is_factorial(const struct da_study *s, bool *memory)
{
    size_t *rank = dc_mem_alloc(s->points + 1, sizeof *rank);
    size_t *cell = dc_mem_alloc(s->points + 1, sizeof *cell);
    bool *seen = dc_mem_alloc(s->points + 1, sizeof *seen);
    bool full = s->parameters <= GRID_PARAMETERS;
    size_t cells = 1, levels;
    *memory = rank && cell && seen;
    for (size_t j = 0; *memory && full && j < s->parameters; j++) {
        *memory = da_study_ranks(s, j, rank, &levels);
        full = *memory && levels > 0 && cells <= s->points / levels;
        for (size_t i = 0; full && i < s->points; i++)
            cell[i] = cell[i] * levels + rank[i];
        cells *= full ? levels : 1;
    }
    full = *memory && full && cells == s->points;
    for (size_t i = 0; full && i < s->points; i++) {
        full = !seen[cell[i]];
        seen[cell[i]] = true;
    }
    dc_mem_free(rank);
    dc_mem_free(cell);
    dc_mem_free(seen);
    return full;
}

struct grid {
    const struct da_study *s;
    size_t replications; /* with data at every point */
    double *y;           /* points x these, centred within each */
    size_t *rank;        /* parameters x points */
    size_t *level;       /* of each parameter */
    size_t *cell;        /* of each point, in the set at hand */
    double *sum;         /* cells x replications */
    /* Sets: one, others and pairs as below; the last is all parameters. */
    size_t sets;
    double *gram;  /* sets x replications x replications */
    double *extra; /* per set: what a draw has too much on average */
};

/* The mean over different replications of a table under weights (how often each was drawn; NULL:
 * once); with one replication the table's only number. */
static double gram_mean(const double *gram, size_t n, const double *weight)
{
    double sum = 0, same = 0;
    for (size_t r = 0; r < n; r++) {
        double w = weight ? weight[r] : 1;
        if (w == 0)
            continue;
        for (size_t q = 0; q < n; q++)
            sum += w * (weight ? weight[q] : 1) * gram[r * n + q];
        same += w * gram[r * n + r];
    }
    return n < 2 ? sum : (sum - same) / (double)(n * (n - 1));
}

static void grid_gram(struct grid *g, uint64_t set, double *gram)
{
    size_t points = g->s->points, n = g->replications, cells = 1;
    memset(g->cell, 0, points * sizeof *g->cell);
    for (size_t j = 0; j < g->s->parameters; j++) {
        if (!(set >> j & 1))
            continue;
        for (size_t i = 0; i < points; i++)
            g->cell[i] = g->cell[i] * g->level[j] + g->rank[j * points + i];
        cells *= g->level[j];
    }
    memset(g->sum, 0, cells * n * sizeof *g->sum);
    for (size_t i = 0; i < points; i++)
        for (size_t r = 0; r < n; r++)
            g->sum[g->cell[i] * n + r] += g->y[i * n + r];
    double each = (double)cells / (double)points; /* turns a cell's sum into its mean */
    memset(gram, 0, n * n * sizeof *gram);
    for (size_t c = 0; c < cells; c++)
        for (size_t r = 0; r < n; r++)
            for (size_t q = 0; q < n; q++)
                gram[r * n + q] += g->sum[c * n + r] * g->sum[c * n + q];
    for (size_t i = 0; i < n * n; i++)
        gram[i] *= each * each / (double)cells;
}

/* Closed variances to indices; out: first, total and pairs, then the variance. */
static void grid_indices(const struct grid *g, const double *closed, double *out)
{
    size_t k = g->s->parameters, pair = 2 * k;
    double all = closed[g->sets - 1];
    for (size_t j = 0; j < k; j++) {
        out[j] = all > 0 ? closed[j] / all : NAN;
        out[k + j] = all > 0 ? (all - closed[k + j]) / all : NAN;
        for (size_t i = 0; i < j; i++, pair++)
            out[pair] = all > 0 ? (closed[pair] - closed[i] - closed[j]) / all : NAN;
    }
    out[pair] = all;
}

struct grid_draw {
    const struct grid *g;
    double *weight, *closed;
};
static void grid_statistic(void *ctx, const size_t *row, size_t rows, double *out)
{
    struct grid_draw *d = ctx;
    const struct grid *g = d->g;
    memset(d->weight, 0, rows * sizeof *d->weight);
    for (size_t i = 0; i < rows; i++)
        d->weight[row[i]]++;
    for (size_t u = 0; u < g->sets; u++)
        d->closed[u] = gram_mean(g->gram + u * rows * rows, rows, d->weight) - g->extra[u];
    grid_indices(g, d->closed, out);
}

static void grid_fill(const struct da_sensitivity_job *job, const double *value,
                      const double *drawn, size_t rows, struct da_sensitivity *out)
{
    size_t k = out->effects, width = 2 * k + out->interactions + 1;
    struct da_estimate variance =
        da_resample_interval(out->variance, drawn, DA_DRAWS, width, width - 1, rows, job->level);
    struct da_estimate none = {0, 0, 1, rows};
    out->noise_only = !(out->variance > 0) || variance.lo <= 0;
    for (size_t j = 0; j < 2 * k + out->interactions; j++) {
        struct da_estimate *e = j < k       ? &out->effect[j].first
                                : j < 2 * k ? &out->effect[j - k].total
                                            : &out->interaction[j - 2 * k].share;
        *e = none;
        if (!out->noise_only)
            *e = da_share_interval(
                da_resample_interval(value[j], drawn, DA_DRAWS, width, j, rows, job->level));
    }
}

static enum dc_status grid_estimate(const struct da_sensitivity_job *job, struct grid *g,
                                    struct da_sensitivity *out, struct dc_error *error)
{
    size_t n = g->replications, width = 2 * out->effects + out->interactions + 1;
    struct dc_arena *arena = &out->arena;
    struct grid_draw d = {.g = g};
    d.weight = dc_arena_alloc(arena, n * sizeof *d.weight);
    d.closed = dc_arena_alloc(arena, g->sets * sizeof *d.closed);
    double *value = dc_arena_alloc(arena, width * sizeof *value);
    double *drawn = dc_arena_alloc(arena, DA_DRAWS * width * sizeof *drawn);
    g->extra = dc_arena_alloc(arena, g->sets * sizeof *g->extra);
    if (!d.weight || !d.closed || !value || !drawn || !g->extra)
        return da_sensitivity_no_memory(error);
    for (size_t u = 0; u < g->sets; u++) {
        const double *gram = g->gram + u * n * n;
        d.closed[u] = gram_mean(gram, n, NULL);
        g->extra[u] = n < 2 ? 0 : da_mean(gram, n * n) - d.closed[u];
    }
    grid_indices(g, d.closed, value);
    out->variance = value[width - 1];
    double plain = out->variance + g->extra[g->sets - 1];
    if (n > 1 && plain > 0)
        out->noise = 1 - out->variance / plain;
    if (!da_resample(n, DA_DRAWS, job->seed, width, grid_statistic, &d, drawn))
        return da_sensitivity_no_memory(error);
    grid_fill(job, value, drawn, n, out);
    return DC_OK;
}

static uint64_t grid_set(size_t k, size_t index, struct da_sensitivity *out)
{
    uint64_t all = k < 64 ? (UINT64_C(1) << k) - 1 : UINT64_MAX;
    if (index < k)
        return UINT64_C(1) << index;
    if (index < 2 * k)
        return all & ~(UINT64_C(1) << (index - k));
    if (index - 2 * k < out->interactions) {
        const struct da_interaction *i = &out->interaction[index - 2 * k];
        return UINT64_C(1) << i->a | UINT64_C(1) << i->b;
    }
    return all;
}

/* Replications with data at every point, into g->y, centred. */
static void grid_load(const struct da_sensitivity_job *job, struct grid *g,
                      struct da_sensitivity *out)
{
    const struct da_study *s = job->s;
    size_t n = g->replications, at = 0;
    out->mean = 0;
    for (size_t r = 0; r < s->replications && at < n; r++) {
        double sum = 0;
        for (size_t i = 0; i < s->points; i++)
            sum += job->y[i * s->replications + r];
        if (isnan(sum))
            continue;
        double mean = sum / (double)s->points;
        for (size_t i = 0; i < s->points; i++)
            g->y[i * n + at] = job->y[i * s->replications + r] - mean;
        out->mean += mean / (double)n;
        at++;
    }
}

/* How many replications have data at every point; *worst: the point that has data in the fewest. */
static size_t grid_complete(const struct da_sensitivity_job *job, size_t *worst)
{
    const struct da_study *s = job->s;
    size_t complete = 0, fewest = SIZE_MAX;
    for (size_t r = 0; r < s->replications; r++) {
        size_t have = 0;
        for (size_t i = 0; i < s->points; i++)
            have += !isnan(job->y[i * s->replications + r]);
        complete += have == s->points;
    }
    for (size_t i = 0; i < s->points; i++) {
        size_t have = 0;
        for (size_t r = 0; r < s->replications; r++)
            have += !isnan(job->y[i * s->replications + r]);
        if (have < fewest) {
            fewest = have;
            *worst = i;
        }
    }
    return complete;
}

static bool grid_rooms(struct grid *g, struct da_sensitivity *out)
{
    struct dc_arena *arena = &out->arena;
    size_t points = g->s->points, n = g->replications, k = g->s->parameters;
    g->y = dc_arena_alloc(arena, points * n * sizeof *g->y);
    g->sum = dc_arena_alloc(arena, points * n * sizeof *g->sum);
    g->rank = dc_arena_alloc(arena, k * points * sizeof *g->rank);
    g->level = dc_arena_alloc(arena, k * sizeof *g->level);
    g->cell = dc_arena_alloc(arena, points * sizeof *g->cell);
    out->interactions = k * (k - 1) / 2;
    out->interaction = dc_arena_alloc(arena, (out->interactions + 1) * sizeof *out->interaction);
    g->sets = 2 * k + out->interactions + 1;
    g->gram = dc_arena_alloc(arena, g->sets * n * n * sizeof *g->gram);
    return g->y && g->sum && g->rank && g->level && g->cell && out->interaction && g->gram;
}

enum dc_status da_sensitivity_grid(const struct da_sensitivity_job *job, struct da_sensitivity *out,
                                   struct dc_error *error)
{
    const struct da_study *s = job->s;
    size_t worst = 0, n = 0;
    struct grid g = {.s = s, .replications = grid_complete(job, &worst)};
    out->source = "analysis of variance over the grid, every level equally likely";
    if (g.replications == 0)
        return dc_error_set(
            error, DC_ERR_USAGE,
            "sensitivity of %s: no replication has data at every point of the grid "
            "(point %zu has the fewest); run them (--resume) or take that level out",
            job->metric, worst);
    if (!grid_rooms(&g, out))
        return da_sensitivity_no_memory(error);
    for (size_t j = 0; j < s->parameters; j++)
        if (!da_study_ranks(s, j, g.rank + j * s->points, &g.level[j]))
            return da_sensitivity_no_memory(error);
    for (size_t b = 0; b < s->parameters; b++)
        for (size_t a = 0; a < b; a++)
            out->interaction[n++] = (struct da_interaction){.a = a, .b = b};
    grid_load(job, &g, out);
    out->rows = out->replications = g.replications;
    out->rows_left_out = s->replications - g.replications;
    for (size_t u = 0; u < g.sets; u++)
        grid_gram(&g, grid_set(s->parameters, u, out),
                  g.gram + u * g.replications * g.replications);
    return grid_estimate(job, &g, out, error);
}

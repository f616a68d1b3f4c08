/* Sobol' indices from Saltelli's design, elementary effects from Morris's, and the choice. */
#include "analysis/sensitivity_method.h"

#include "analysis/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double da_product(const double *a, const double *b, size_t replications)
{
    double sum_a = 0, sum_b = 0, same = 0;
    for (size_t r = 0; r < replications; r++) {
        sum_a += a[r];
        sum_b += b[r];
        same += a[r] * b[r];
    }
    if (replications < 2)
        return same;
    double n = (double)replications;
    return (sum_a * sum_b - same) / (n * (n - 1));
}

struct da_estimate da_share_interval(struct da_estimate e)
{
    if (e.lo < 0) /* not so for NaN */
        e.lo = fmin(0, e.value);
    if (e.hi > 1)
        e.hi = fmax(1, e.value);
    return e;
}

enum dc_status da_sensitivity_no_memory(struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "out of memory for a sensitivity analysis");
}

/* --- blocks: rows of the base or trajectories ----------------------------------------------- */

/* A block is `width` consecutive points.  Of those that have data in two replications (one, where
 * the study has but one) at all their points, the others are left out. */
struct blocks {
    const double *y;
    size_t replications; /* of the study */
    size_t width, count; /* kept ones */
    size_t *first;       /* first point of each */
    size_t *have;        /* replications with all data */
    bool *complete;      /* count x replications */
};

static bool block_complete(const struct blocks *b, size_t first, size_t r)
{
    for (size_t p = 0; p < b->width; p++)
        if (isnan(b->y[(first + p) * b->replications + r]))
            return false;
    return true;
}

static bool blocks_find(const struct da_sensitivity_job *job, size_t width, struct blocks *b,
                        struct da_sensitivity *out)
{
    size_t base = job->s->base, replications = job->s->replications, most = 0;
    *b = (struct blocks){.y = job->y, .replications = replications, .width = width};
    b->first = dc_arena_alloc(&out->arena, (base + 1) * sizeof *b->first);
    b->have = dc_arena_alloc(&out->arena, (base + 1) * sizeof *b->have);
    b->complete = dc_arena_alloc(&out->arena, (base * replications + 1) * sizeof *b->complete);
    if (!b->first || !b->have || !b->complete)
        return false;
    for (size_t i = 0; i < base; i++) {
        for (size_t r = 0; r < replications; r++)
            b->have[i] += block_complete(b, i * width, r);
        most = b->have[i] > most ? b->have[i] : most;
    }
    size_t least = most > 1 ? 2 : 1;
    out->replications = most;
    for (size_t i = 0; i < base; i++) {
        if (b->have[i] < least)
            continue;
        size_t kept = b->count++;
        b->first[kept] = i * width;
        b->have[kept] = b->have[i];
        out->replications = b->have[i] < out->replications ? b->have[i] : out->replications;
        for (size_t r = 0; r < replications; r++)
            b->complete[kept * replications + r] = block_complete(b, i * width, r);
    }
    out->rows = b->count;
    out->rows_left_out = base - b->count;
    return true;
}

/* Values of one point of a block, complete replications in order, minus centre[r] where given. */
static void block_values(const struct blocks *b, size_t block, size_t point, const double *centre,
                         double *out)
{
    size_t n = 0;
    for (size_t r = 0; r < b->replications; r++)
        if (b->complete[block * b->replications + r])
            out[n++] =
                b->y[(b->first[block] + point) * b->replications + r] - (centre ? centre[r] : 0);
}

static void block_subtract(double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a[i] -= b[i];
}

static enum dc_status blocks_check(const struct da_sensitivity_job *job, const struct blocks *b,
                                   const char *what, struct dc_error *error)
{
    if (b->count >= 2)
        return DC_OK;
    return dc_error_set(error, DC_ERR_USAGE,
                        "sensitivity of %s: only %zu of %zu %s have data at all their points; run "
                        "the missing points (--resume) or raise design.base",
                        job->metric, b->count, job->s->base, what);
}

/* --- Saltelli ------------------------------------------------------------------------------- */

/* Per block: the terms whose means over blocks make the indices.
 *     first[j]   B (AB_j - A)          total[j]   (A - AB_j)^2 / 2
 *     square     (A^2 + B^2) / 2       plain      likewise of the means: with the noise
 *     level      (A + B) / 2, means.   All of values centred within their replication. */
struct saltelli {
    size_t factors;
    double *term; /* blocks x (2 factors + 3) */
};
enum { SQUARE, PLAIN, LEVEL, TERMS };

static void saltelli_block(const struct blocks *b, size_t block, size_t factors,
                           const double *centre, double *room, double *term)
{
    size_t n = b->have[block];
    double *a = room, *ab = room + b->replications, *bb = ab + b->replications;
    block_values(b, block, 0, centre, a);
    block_values(b, block, factors + 1, centre, bb);
    double *shared = term + 2 * factors, mean_a = da_mean(a, n), mean_b = da_mean(bb, n);
    shared[SQUARE] = (da_product(a, a, n) + da_product(bb, bb, n)) / 2;
    shared[PLAIN] = (mean_a * mean_a + mean_b * mean_b) / 2;
    shared[LEVEL] = (mean_a + mean_b) / 2;
    for (size_t j = 0; j < factors; j++) {
        block_values(b, block, 1 + j, centre, ab);
        block_subtract(ab, a, n);
        term[j] = da_product(bb, ab, n);
        term[factors + j] = da_product(ab, ab, n) / 2;
    }
}

/* Means of A and B over blocks in each replication. */
static void saltelli_centre(const struct blocks *b, size_t factors, double *centre)
{
    for (size_t r = 0; r < b->replications; r++) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < b->count; i++) {
            if (!b->complete[i * b->replications + r])
                continue;
            sum += b->y[b->first[i] * b->replications + r];
            sum += b->y[(b->first[i] + factors + 1) * b->replications + r];
            n += 2;
        }
        centre[r] = n > 0 ? sum / n : 0;
    }
}

/* out: first of each factor, total of each, variance, variance with the noise. */
static void saltelli_statistic(void *ctx, const size_t *row, size_t rows, double *out)
{
    const struct saltelli *m = ctx;
    size_t width = 2 * m->factors + TERMS;
    double shared[TERMS] = {0};
    memset(out, 0, 2 * m->factors * sizeof *out);
    for (size_t i = 0; i < rows; i++) {
        const double *term = m->term + row[i] * width;
        for (size_t j = 0; j < 2 * m->factors; j++)
            out[j] += term[j];
        for (size_t t = 0; t < TERMS; t++)
            shared[t] += term[2 * m->factors + t];
    }
    double n = (double)rows, level = shared[LEVEL] / n;
    double variance = shared[SQUARE] / n - level * level;
    for (size_t j = 0; j < 2 * m->factors; j++)
        out[j] = variance > 0 ? out[j] / n / variance : NAN;
    out[2 * m->factors] = variance;
    out[2 * m->factors + 1] = shared[PLAIN] / n - level * level;
}

static void noise_only(struct da_sensitivity *out, size_t rows)
{
    struct da_estimate none = {0, 0, 1, rows};
    out->noise_only = true;
    for (size_t j = 0; j < out->effects; j++)
        out->effect[j].first = out->effect[j].total = none;
}

static enum dc_status saltelli_estimate(const struct da_sensitivity_job *job, struct saltelli *m,
                                        struct da_sensitivity *out, struct dc_error *error)
{
    size_t width = 2 * m->factors + 2, rows = out->rows;
    double *value = dc_arena_alloc(&out->arena, width * sizeof *value);
    double *drawn = dc_arena_alloc(&out->arena, DA_DRAWS * width * sizeof *drawn);
    size_t *all = dc_arena_alloc(&out->arena, rows * sizeof *all);
    if (!value || !drawn || !all)
        return da_sensitivity_no_memory(error);
    for (size_t i = 0; i < rows; i++)
        all[i] = i;
    saltelli_statistic(m, all, rows, value);
    if (!da_resample(rows, DA_DRAWS, job->seed, width, saltelli_statistic, m, drawn))
        return da_sensitivity_no_memory(error);
    out->variance = value[2 * m->factors];
    if (out->replications > 1 && value[2 * m->factors + 1] > 0)
        out->noise = 1 - out->variance / value[2 * m->factors + 1];
    struct da_estimate variance = da_resample_interval(out->variance, drawn, DA_DRAWS, width,
                                                       2 * m->factors, rows, job->level);
    if (!(out->variance > 0) || variance.lo <= 0) {
        noise_only(out, rows);
        return DC_OK;
    }
    for (size_t j = 0; j < m->factors; j++) {
        struct da_effect *e = &out->effect[j];
        size_t total = m->factors + j;
        e->first = da_share_interval(
            da_resample_interval(value[j], drawn, DA_DRAWS, width, j, rows, job->level));
        e->total = da_share_interval(
            da_resample_interval(value[total], drawn, DA_DRAWS, width, total, rows, job->level));
    }
    return DC_OK;
}

enum dc_status da_sensitivity_saltelli(const struct da_sensitivity_job *job,
                                       struct da_sensitivity *out, struct dc_error *error)
{
    struct blocks b;
    struct saltelli m = {.factors = job->s->parameters};
    out->source = "Sobol' indices: first order by Saltelli et al. 2010, total by Jansen 1999";
    if (!blocks_find(job, m.factors + 2, &b, out))
        return da_sensitivity_no_memory(error);
    enum dc_status status = blocks_check(job, &b, "rows of the base", error);
    if (status != DC_OK)
        return status;
    size_t width = 2 * m.factors + TERMS;
    m.term = dc_arena_alloc(&out->arena, b.count * width * sizeof *m.term);
    double *centre = dc_arena_alloc(&out->arena, b.replications * sizeof *centre);
    double *room = dc_arena_alloc(&out->arena, 3 * b.replications * sizeof *room);
    if (!m.term || !centre || !room)
        return da_sensitivity_no_memory(error);
    saltelli_centre(&b, m.factors, centre);
    size_t used = 0;
    out->mean = 0;
    for (size_t r = 0; r < b.replications; r++) {
        bool any = false;
        for (size_t i = 0; i < b.count; i++)
            any |= b.complete[i * b.replications + r];
        out->mean += any ? centre[r] : 0;
        used += any;
    }
    out->mean /= (double)used;
    for (size_t i = 0; i < b.count; i++)
        saltelli_block(&b, i, m.factors, centre, room, m.term + i * width);
    return saltelli_estimate(job, &m, out, error);
}

/* --- Morris --------------------------------------------------------------------------------- */

/* Of one factor, per trajectory in which it moved: the effect (mean over replications), its square
 * minus the centre without and with noise. */
struct morris_term {
    double effect, square, plain, level;
};
struct morris {
    const struct da_sensitivity_job *job;
    struct blocks blocks;
    double *unit;             /* points x parameters: place in 0..1 */
    struct morris_term *term; /* of the trajectories of one factor */
    double *moved;            /* trajectories x replications: effects of one factor */
    size_t *block;            /* of each of these */
    size_t count;
};

/* Where in its range a value is; of a list, by its place among the values. */
static bool morris_unit(struct morris *m, struct dc_arena *arena)
{
    const struct da_study *s = m->job->s;
    size_t *rank = dc_arena_alloc(arena, s->points * sizeof *rank), levels;
    m->unit = dc_arena_alloc(arena, s->points * s->parameters * sizeof *m->unit);
    if (!rank || !m->unit)
        return false;
    for (size_t j = 0; j < s->parameters; j++) {
        const struct da_parameter *p = &s->parameter[j];
        if (!da_study_ranks(s, j, rank, &levels))
            return false;
        for (size_t i = 0; i < s->points; i++) {
            double x = da_study_x(s, i, j), *u = &m->unit[i * s->parameters + j];
            if (p->words_count > 0 || !(p->hi > p->lo))
                *u = levels > 1 ? (double)rank[i] / (double)(levels - 1) : 0;
            else if (p->scale == DA_LOG)
                *u = log(x / p->lo) / log(p->hi / p->lo);
            else
                *u = (x - p->lo) / (p->hi - p->lo);
        }
    }
    return true;
}

/* The effects of one factor, into m->moved. */
static void morris_collect(struct morris *m, size_t factor, double *room)
{
    const struct blocks *b = &m->blocks;
    size_t k = m->job->s->parameters;
    double *next = room, *before = room + b->replications;
    m->count = 0;
    for (size_t t = 0; t < b->count; t++)
        for (size_t i = 0; i + 1 < b->width; i++) {
            const double *u = m->unit + (b->first[t] + i) * k + factor;
            double step = u[k] - u[0];
            if (step == 0)
                continue;
            block_values(b, t, i + 1, NULL, next);
            block_values(b, t, i, NULL, before);
            block_subtract(next, before, b->have[t]);
            for (size_t r = 0; r < b->have[t]; r++)
                m->moved[m->count * b->replications + r] = next[r] / step;
            m->block[m->count++] = t;
            break;
        }
}

/* Terms of the trajectories, effects centred within their replication: what is common to all
 * trajectories in a replication is not spread between them. */
static void morris_terms(struct morris *m, double *centre)
{
    size_t wide = m->blocks.replications;
    for (size_t r = 0; r < wide; r++) {
        double sum = 0, n = 0;
        for (size_t t = 0; t < m->count; t++)
            if (r < m->blocks.have[m->block[t]]) {
                sum += m->moved[t * wide + r];
                n++;
            }
        centre[r] = n > 0 ? sum / n : 0;
    }
    for (size_t t = 0; t < m->count; t++) {
        size_t n = m->blocks.have[m->block[t]];
        double *e = m->moved + t * wide;
        m->term[t].effect = da_mean(e, n);
        block_subtract(e, centre, n);
        double mean = da_mean(e, n);
        m->term[t].level = mean;
        m->term[t].plain = mean * mean;
        m->term[t].square = da_product(e, e, n);
    }
}

enum { MU, MU_STAR, SIGMA, SPREAD, SPREAD_PLAIN, MORRIS_WIDTH };
static void morris_statistic(void *ctx, const size_t *row, size_t rows, double *out)
{
    const struct morris_term *term = ctx;
    double sum[MORRIS_WIDTH] = {0}, level = 0, n = (double)rows;
    for (size_t i = 0; i < rows; i++) {
        const struct morris_term *t = &term[row[i]];
        sum[MU] += t->effect;
        sum[MU_STAR] += fabs(t->effect);
        sum[SPREAD] += t->square;
        sum[SPREAD_PLAIN] += t->plain;
        level += t->level / n;
    }
    out[MU] = sum[MU] / n;
    out[MU_STAR] = sum[MU_STAR] / n;
    out[SPREAD] = (sum[SPREAD] / n - level * level) * n / (n - 1);
    out[SPREAD_PLAIN] = (sum[SPREAD_PLAIN] / n - level * level) * n / (n - 1);
    out[SIGMA] = sqrt(fmax(out[SPREAD], 0));
}

static bool morris_factor(struct morris *m, size_t factor, size_t *all, double *drawn,
                          struct da_effect *e, double spread[2])
{
    double value[MORRIS_WIDTH];
    struct da_estimate none = {NAN, NAN, NAN, m->count};
    e->mu = e->mu_star = e->sigma = none;
    if (m->count < 2)
        return true;
    morris_statistic(m->term, all, m->count, value);
    uint64_t seed = m->job->seed + factor;
    if (!da_resample(m->count, DA_DRAWS, seed, MORRIS_WIDTH, morris_statistic, m->term, drawn))
        return false;
    struct da_estimate *field[] = {&e->mu, &e->mu_star, &e->sigma};
    for (size_t i = 0; i < 3; i++)
        *field[i] = da_resample_interval(value[i], drawn, DA_DRAWS, MORRIS_WIDTH, i, m->count,
                                         m->job->level);
    spread[0] += value[SPREAD];
    spread[1] += value[SPREAD_PLAIN];
    return true;
}

static bool morris_all(struct morris *m, struct da_sensitivity *out)
{
    const struct blocks *b = &m->blocks;
    struct dc_arena *arena = &out->arena;
    size_t wide = b->replications;
    double *room = dc_arena_alloc(arena, 2 * wide * sizeof *room), spread[2] = {0, 0};
    size_t *all = dc_arena_alloc(arena, b->count * sizeof *all);
    double *drawn = dc_arena_alloc(arena, DA_DRAWS * MORRIS_WIDTH * sizeof *drawn);
    m->term = dc_arena_alloc(arena, b->count * sizeof *m->term);
    m->moved = dc_arena_alloc(arena, b->count * wide * sizeof *m->moved);
    m->block = dc_arena_alloc(arena, b->count * sizeof *m->block);
    if (!room || !all || !drawn || !m->term || !m->moved || !m->block || !morris_unit(m, arena))
        return false;
    for (size_t t = 0; t < b->count; t++)
        all[t] = t;
    for (size_t j = 0; j < out->effects; j++) {
        morris_collect(m, j, room);
        morris_terms(m, room);
        if (!morris_factor(m, j, all, drawn, &out->effect[j], spread))
            return false;
    }
    if (out->replications > 1 && spread[1] > 0)
        out->noise = 1 - spread[0] / spread[1];
    return true;
}

enum dc_status da_sensitivity_morris(const struct da_sensitivity_job *job,
                                     struct da_sensitivity *out, struct dc_error *error)
{
    struct morris m = {.job = job};
    out->source = "elementary effects: Morris 1991, mu* of Campolongo et al. 2007";
    if (!blocks_find(job, job->s->parameters + 1, &m.blocks, out))
        return da_sensitivity_no_memory(error);
    enum dc_status status = blocks_check(job, &m.blocks, "trajectories", error);
    if (status != DC_OK)
        return status;
    out->variance = NAN;
    return morris_all(&m, out) ? DC_OK : da_sensitivity_no_memory(error);
}

/* --- the choice ----------------------------------------------------------------------------- */

static enum dc_status sensitivity_dispatch(const struct da_sensitivity_job *job,
                                           struct da_sensitivity *out, struct dc_error *error)
{
    const struct da_study *s = job->s;
    size_t k = s->parameters;
    bool memory = true;
    out->method = s->design;
    if (s->design == DA_SALTELLI && s->points == s->base * (k + 2))
        return da_sensitivity_saltelli(job, out, error);
    if (s->design == DA_MORRIS && s->points == s->base * (k + 1))
        return da_sensitivity_morris(job, out, error);
    if (da_study_is_factorial(s, &memory)) {
        out->method = DA_GRID;
        return da_sensitivity_grid(job, out, error);
    }
    if (!memory)
        return da_sensitivity_no_memory(error);
    return dc_error_set(error, DC_ERR_USAGE,
                        "sensitivity of %s: this design does not vary the parameters one by one; "
                        "sweep with design: {kind: saltelli, base: 64}, {kind: morris, base: 20} "
                        "or {kind: grid}",
                        job->metric);
}

enum dc_status da_sensitivity(const struct da_study *s, size_t metric, double level, uint64_t seed,
                              struct da_sensitivity *out, struct dc_error *error)
{
    memset(out, 0, sizeof *out);
    if (metric >= s->metrics || s->parameters == 0 || s->points == 0 || s->replications == 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "a sensitivity analysis needs a metric, parameters and runs");
    struct da_sensitivity_job job = {
        .s = s, .metric = s->metric[metric].name, .level = level, .seed = seed};
    out->effects = s->parameters;
    out->noise = out->mean = NAN;
    out->effect = dc_arena_alloc(&out->arena, out->effects * sizeof *out->effect);
    job.y = da_study_table(s, metric, &out->arena);
    if (!out->effect || !job.y)
        return da_sensitivity_no_memory(error);
    struct da_estimate none = {NAN, NAN, NAN, 0};
    for (size_t j = 0; j < out->effects; j++)
        out->effect[j] = (struct da_effect){none, none, none, none, none};
    return sensitivity_dispatch(&job, out, error);
}

void da_sensitivity_free(struct da_sensitivity *out)
{
    dc_arena_free(&out->arena);
    memset(out, 0, sizeof *out);
}

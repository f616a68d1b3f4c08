/* Fronts and hypervolumes.  Inside everything is minimised: maximised objectives change sign. */
#include "analysis/pareto.h"

#include "analysis/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- dominance ------------------------------------------------------------------------------ */

static bool dominates(const double *a, const double *b, size_t objectives, const bool *maximise)
{
    bool better = false;
    for (size_t j = 0; j < objectives; j++) {
        double sign = maximise && maximise[j] ? -1 : 1;
        if (sign * a[j] > sign * b[j])
            return false;
        better |= sign * a[j] < sign * b[j];
    }
    return better;
}

static bool has_nan(const double *a, size_t n)
{
    for (size_t j = 0; j < n; j++)
        if (isnan(a[j]))
            return true;
    return false;
}

void da_pareto_front(const double *value, size_t points, size_t objectives, const bool *maximise,
                     bool *front)
{
    for (size_t i = 0; i < points; i++)
        front[i] = !has_nan(value + i * objectives, objectives);
    for (size_t i = 0; i < points; i++) {
        if (!front[i]) /* what it dominates, its dominator does, too */
            continue;
        for (size_t k = 0; k < points; k++)
            if (front[k] &&
                dominates(value + i * objectives, value + k * objectives, objectives, maximise))
                front[k] = false;
    }
}

/* --- hypervolume ---------------------------------------------------------------------------- */

/* Points as distances below the reference: greater dominates, and a set's volume is that of the
 * union of the boxes from 0 to its points.  The last objective is sorted on; what later points take
 * of a point's box has that point's own last coordinate, so the recursion loses a dimension. */
struct spot {
    double key, tie;
    double at[DA_PARETO_OBJECTIVES];
};

static int by_key(const void *a, const void *b)
{
    const struct spot *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

static bool covers(const struct spot *a, const struct spot *b, size_t n)
{
    for (size_t j = 0; j < n; j++)
        if (a->at[j] < b->at[j])
            return false;
    return true;
}

/* Drops what another point covers, in place; of equal points the first stays. */
static size_t volume_filter(struct spot *set, size_t count, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct spot a = set[i];
        bool covered = false;
        for (size_t k = 0; k < kept && !covered; k++)
            covered = covers(&set[k], &a, n);
        if (covered)
            continue;
        size_t stay = 0;
        for (size_t k = 0; k < kept; k++)
            if (!covers(&a, &set[k], n))
                set[stay++] = set[k];
        set[stay] = a;
        kept = stay + 1;
    }
    return kept;
}

/* Two dimensions: from the greatest second coordinate down, the first grows along the front. */
static double volume_flat(struct spot *set, size_t count)
{
    double area = 0, reach = 0;
    for (size_t i = 0; i < count; i++)
        set[i].key = -set[i].at[1];
    qsort(set, count, sizeof *set, by_key);
    for (size_t i = 0; i < count; i++) {
        area += fmax(set[i].at[0] - reach, 0) * set[i].at[1];
        reach = fmax(set[i].at[0], reach);
    }
    return area;
}

/* room: for count spots per dimension above 2. */
static double volume_of(struct spot *set, size_t count, size_t n, struct spot *room)
{
    double sum = 0;
    if (n == 1) {
        for (size_t i = 0; i < count; i++)
            sum = fmax(sum, set[i].at[0]);
        return sum;
    }
    if (n == 2)
        return volume_flat(set, count);
    for (size_t i = 0; i < count; i++) {
        set[i].key = set[i].at[n - 1];
        set[i].tie = set[i].at[0];
    }
    qsort(set, count, sizeof *set, by_key);
    for (size_t i = 0; i < count; i++) {
        double base = 1;
        size_t rest = count - i - 1;
        for (size_t j = 0; j + 1 < n; j++)
            base *= set[i].at[j];
        for (size_t k = 0; k < rest; k++)
            for (size_t j = 0; j + 1 < n; j++)
                room[k].at[j] = fmin(set[i + 1 + k].at[j], set[i].at[j]);
        if (n - 1 > 2)
            rest = volume_filter(room, rest, n - 1);
        sum += set[i].at[n - 1] * (base - volume_of(room, rest, n - 1, room + count));
    }
    return sum;
}

/* spots: room for points times the objectives. */
static double hypervolume_in(const double *value, size_t points, size_t objectives,
                             const bool *maximise, const double *reference, struct spot *spots)
{
    size_t count = 0;
    for (size_t i = 0; i < points; i++) {
        bool inside = true;
        struct spot *spot = &spots[count];
        *spot = (struct spot){.key = 0};
        for (size_t j = 0; j < objectives; j++) {
            double below = reference[j] - value[i * objectives + j];
            spot->at[j] = maximise && maximise[j] ? -below : below;
            inside = inside && spot->at[j] > 0;
        }
        count += inside;
    }
    count = volume_filter(spots, count, objectives);
    return volume_of(spots, count, objectives, spots + count);
}

double da_pareto_hypervolume(const double *value, size_t points, size_t objectives,
                             const bool *maximise, const double *reference)
{
    if (objectives == 0 || objectives > DA_PARETO_OBJECTIVES)
        return NAN;
    struct spot *spots = dc_mem_alloc(points * objectives + 1, sizeof *spots);
    if (!spots)
        return NAN;
    double volume = hypervolume_in(value, points, objectives, maximise, reference, spots);
    dc_mem_free(spots);
    return volume;
}

/* --- of a study ----------------------------------------------------------------------------- */

struct front {
    size_t points, objectives, replications;
    const double **table; /* per objective: points x replications, NaN: no data */
    const bool *maximise;
    const double *mean, *reference;
    struct spot *spots;
    double *value; /* points x objectives, of the draw */
    bool *on;
};

/* A point's mean over the drawn replications that it has; without any, over all. */
static double front_mean(const struct front *f, size_t point, size_t objective, const size_t *row,
                         size_t rows)
{
    const double *y = f->table[objective] + point * f->replications;
    double sum = 0, n = 0;
    for (size_t i = 0; i < rows; i++) {
        if (isnan(y[row[i]]))
            continue;
        sum += y[row[i]];
        n++;
    }
    return n > 0 ? sum / n : f->mean ? f->mean[point * f->objectives + objective] : NAN;
}

/* out: the hypervolume, then for each point whether it is on the front. */
static void front_statistic(void *ctx, const size_t *row, size_t rows, double *out)
{
    struct front *f = ctx;
    size_t n = f->objectives, on = 0;
    for (size_t i = 0; i < f->points; i++) {
        bool out_of_it = f->mean && isnan(f->mean[i * n]);
        for (size_t j = 0; j < n; j++)
            f->value[i * n + j] = out_of_it ? NAN : front_mean(f, i, j, row, rows);
    }
    da_pareto_front(f->value, f->points, n, f->maximise, f->on);
    for (size_t i = 0; i < f->points; i++) {
        out[1 + i] = f->on[i];
        if (f->on[i]) /* moves down: on <= i */
            memmove(f->value + on++ * n, f->value + i * n, n * sizeof *f->value);
    }
    out[0] = hypervolume_in(f->value, on, n, f->maximise, f->reference, f->spots);
}

/* The worst mean of each objective, and a tenth of the range more. */
static void front_reference(const struct da_pareto *out, const bool *maximise)
{
    for (size_t j = 0; j < out->objectives; j++) {
        double lo = INFINITY, hi = -INFINITY;
        for (size_t i = 0; i < out->points; i++) {
            double x = out->mean[i * out->objectives + j];
            lo = fmin(lo, x); /* these skip NaN */
            hi = fmax(hi, x);
        }
        double more = hi > lo ? (hi - lo) / 10 : fmax(fabs(hi) / 10, 1e-12);
        out->reference[j] = maximise && maximise[j] ? lo - more : hi + more;
    }
}

static enum dc_status pareto_no_memory(struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "out of memory for a Pareto front");
}

static bool front_rooms(struct front *f, const struct da_study *s, const size_t *metric,
                        struct da_pareto *out)
{
    struct dc_arena *arena = &out->arena;
    size_t cells = f->points * f->objectives + 1;
    f->table = dc_arena_alloc(arena, f->objectives * sizeof *f->table);
    f->value = dc_arena_alloc(arena, cells * sizeof *f->value);
    f->on = dc_arena_alloc(arena, f->points * sizeof *f->on);
    f->spots = dc_arena_alloc(arena, cells * sizeof *f->spots);
    out->mean = dc_arena_alloc(arena, cells * sizeof *out->mean);
    out->front = dc_arena_alloc(arena, f->points * sizeof *out->front);
    out->chance = dc_arena_alloc(arena, f->points * sizeof *out->chance);
    out->reference = dc_arena_alloc(arena, f->objectives * sizeof *out->reference);
    if (!f->table || !f->value || !f->on || !f->spots || !out->mean || !out->front ||
        !out->chance || !out->reference)
        return false;
    for (size_t j = 0; j < f->objectives; j++)
        if (!(f->table[j] = da_study_table(s, metric[j], arena)))
            return false;
    return true;
}

/* Means over all replications; a point that lacks one, or may not take part, is NaN in all. */
static size_t front_means(struct front *f, const size_t *all, const bool *allowed,
                          struct da_pareto *out)
{
    size_t taking_part = 0, n = f->objectives;
    for (size_t i = 0; i < f->points; i++) {
        double *mean = out->mean + i * n;
        for (size_t j = 0; j < n; j++)
            mean[j] = front_mean(f, i, j, all, f->replications);
        bool part = !has_nan(mean, n) && (!allowed || allowed[i]);
        for (size_t j = 0; j < n && !part; j++)
            mean[j] = NAN;
        taking_part += part;
    }
    f->mean = out->mean;
    return taking_part;
}

static bool front_estimate(struct front *f, const size_t *all, double level, uint64_t seed,
                           struct da_pareto *out)
{
    size_t width = f->points + 1;
    double *value = dc_arena_alloc(&out->arena, width * sizeof *value);
    double *drawn = dc_arena_alloc(&out->arena, DA_DRAWS * width * sizeof *drawn);
    if (!value || !drawn)
        return false;
    f->reference = out->reference;
    front_statistic(f, all, f->replications, value);
    if (!da_resample(f->replications, DA_DRAWS, seed, width, front_statistic, f, drawn))
        return false;
    out->hypervolume =
        da_resample_interval(value[0], drawn, DA_DRAWS, width, 0, f->replications, level);
    for (size_t i = 0; i < f->points; i++) {
        out->front[i] = value[1 + i] > 0;
        out->front_count += out->front[i];
        for (size_t d = 0; d < DA_DRAWS; d++)
            out->chance[i] += drawn[d * width + 1 + i];
        out->chance[i] = f->replications < 3 ? NAN : out->chance[i] / DA_DRAWS;
    }
    return true;
}

enum dc_status da_pareto(const struct da_study *s, const size_t *metric, const bool *maximise,
                         size_t objectives, const bool *allowed, const double *reference,
                         double level, uint64_t seed, struct da_pareto *out, struct dc_error *error)
{
    memset(out, 0, sizeof *out);
    struct front f = {.points = s->points,
                      .objectives = objectives,
                      .replications = s->replications,
                      .maximise = maximise};
    if (objectives == 0 || objectives > DA_PARETO_OBJECTIVES)
        return dc_error_set(error, DC_ERR_USAGE, "Pareto front: %zu objectives; 1 to %d can be had",
                            objectives, DA_PARETO_OBJECTIVES);
    for (size_t j = 0; j < objectives; j++)
        if (metric[j] >= s->metrics)
            return dc_error_set(error, DC_ERR_USAGE,
                                "Pareto front: the study has no metric of objective %zu", j + 1);
    out->points = s->points;
    out->objectives = objectives;
    size_t *all = dc_arena_alloc(&out->arena, (s->replications + 1) * sizeof *all);
    if (!all || !front_rooms(&f, s, metric, out))
        return pareto_no_memory(error);
    for (size_t r = 0; r < s->replications; r++)
        all[r] = r;
    if (front_means(&f, all, allowed, out) == 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "Pareto front: no point %shas data of every objective",
                            allowed ? "that meets the constraints " : "");
    if (reference)
        memcpy(out->reference, reference, objectives * sizeof *reference);
    else
        front_reference(out, maximise);
    return front_estimate(&f, all, level, seed, out) ? DC_OK : pareto_no_memory(error);
}

void da_pareto_free(struct da_pareto *out)
{
    dc_arena_free(&out->arena);
    memset(out, 0, sizeof *out);
}

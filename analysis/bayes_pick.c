/* See bayes.h: where to look next.
 *
 *   spread    a rotated lattice of the golden ratio's kind (Roberts, 2018) over the cube
 *   around    the best points, from near to far
 *   visited   again
 *
 * The best of these are improved by steps of a size that grows with success and shrinks without
 * (a (1+1) evolution strategy): inputs may be words or levels, where slopes mean nothing.
 * Everything is compared by logarithms, because far from anything good both factors underflow
 * (Ament et al., 2023). */
#include <math.h>
#include <string.h>

#include "analysis/bayes_work.h"
#include "analysis/design.h"
#include "models/base/rng.h"

enum { CLIMBS = 3, CLIMB_STEPS = 120, NEAR = 3, NEAR_EACH = 48, START_ROWS = 16, ENOUGH = 3 };

/* ---- places ---------------------------------------------------------------------------------- */

static double uniform(struct dc_stream *s)
{
    return ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
}

static double normal(struct dc_stream *s)
{
    double u = uniform(s);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * uniform(s));
}

/* t in [0, 1) to a setting of input i: words are told apart by stretches of equal length. */
static double at_share(const struct da_bayes *b, size_t i, double t)
{
    return b->words[i] ? floor(t * (double)b->options.input[i].levels) : t;
}

void da_bayes_spread(const struct da_bayes *b, uint64_t draw, size_t count, double *u)
{
    struct dc_stream s = dc_stream(b->options.seed, dc_name("bayes-spread"), draw);
    double shift[DA_GP_INPUTS_MAX], phi = 2;
    for (int i = 0; i < 40; i++) /* phi^(inputs + 1) = phi + 1 */
        phi = pow(1 + phi, 1 / ((double)b->inputs + 1));
    for (size_t i = 0; i < b->inputs; i++)
        shift[i] = uniform(&s);
    for (size_t c = 0; c < count; c++) {
        for (size_t i = 0; i < b->inputs; i++) {
            double t = shift[i] + (double)(c + 1) * fmod(pow(phi, -(double)(i + 1)), 1);
            u[c * b->inputs + i] = at_share(b, i, t - floor(t));
        }
        da_bayes_snap(b, &u[c * b->inputs]);
    }
}

/* Each input moves with probability 1/2, at least one; a level moves at least to the next. */
static void step(const struct da_bayes *b, const double *from, double scale, struct dc_stream *s,
                 double *to)
{
    size_t sure = (size_t)dc_next_below(s, b->inputs);
    for (size_t i = 0; i < b->inputs; i++) {
        size_t levels = da_bayes_levels(b, i);
        to[i] = from[i];
        if (i != sure && dc_next64(s) >> 63 == 0)
            continue;
        double z = normal(s);
        if (b->words[i])
            to[i] = (double)dc_next_below(s, levels);
        else if (levels != SIZE_MAX && levels > 1)
            to[i] += copysign(fmax(fabs(z) * scale, 1.0 / ((double)levels - 1)), z);
        else
            to[i] += z * scale;
        if (to[i] < 0 || to[i] > 1) /* the border is a likely place */
            to[i] = b->words[i] ? to[i] : to[i] < 0 ? 0 : 1;
    }
    da_bayes_snap(b, to);
}

void da_bayes_around(const struct da_bayes *b, const double *centre, const double *scale,
                     size_t scales, uint64_t draw, size_t count, double *u)
{
    struct dc_stream s = dc_stream(b->options.seed, dc_name("bayes-around"), draw);
    for (size_t c = 0; c < count; c++)
        step(b, centre, scale[c % scales], &s, &u[c * b->inputs]);
}

/* ---- what a place is worth ------------------------------------------------------------------- */

struct aim {
    const struct da_bayes *b;
    bool feasible; /* there is an incumbent */
    double best;   /* its value */
    double noise;  /* of a visit */
    double *work;
};

/* log(phi(z) + z Phi(z)) */
static double log_gain(double z)
{
    double log_phi = -0.5 * z * z - 0.5 * log(2 * M_PI);
    if (z < -20)
        return log_phi - 2 * log(-z);
    double gain = exp(log_phi) + z * exp(da_bayes_log_normal_below(z));
    return gain > 0 ? log(gain) : log_phi - 2 * log(-z);
}

/* Log of the augmented expected improvement times the probability of feasibility. */
static double worth(const struct aim *aim, const double *u)
{
    double chance = da_bayes_log_feasible(aim->b, u, true, aim->work);
    if (!aim->feasible)
        return chance;
    struct da_gp_guess guess = da_gp_predict(&aim->b->model[0].gp, u, aim->work);
    double sd = sqrt(guess.variance), n = aim->noise;
    if (!(sd > 1e-12 * aim->b->model[0].gp.scale))
        return -1e6 + chance;
    double known = 1 - n / sqrt(guess.variance + n * n);
    return log(sd) + log_gain((aim->best - guess.mean) / sd) + log(fmax(known, 1e-300)) + chance;
}

/* The visited point with the least mean plus standard deviation among those that are feasible
 * rather than not; SIZE_MAX: none. */
static size_t incumbent(const struct da_bayes *b, double *work)
{
    size_t best = SIZE_MAX;
    double least = INFINITY;
    if (!b->model[0].fitted)
        return SIZE_MAX;
    for (size_t p = 0; p < b->points; p++) {
        const double *u = &b->u[p * b->inputs];
        if (!da_bayes_likely(b, u, work))
            continue;
        struct da_gp_guess guess = da_gp_predict(&b->model[0].gp, u, work);
        if (guess.mean + sqrt(guess.variance) < least) {
            least = guess.mean + sqrt(guess.variance);
            best = p;
        }
    }
    return best;
}

static void take_aim(const struct da_bayes *b, double *work, struct aim *aim)
{
    size_t point = incumbent(b, work);
    *aim = (struct aim){.b = b, .feasible = point != SIZE_MAX, .work = work};
    if (aim->feasible) {
        aim->best = da_gp_predict(&b->model[0].gp, &b->u[point * b->inputs], work).mean;
        aim->noise = da_bayes_visit_noise(b);
    }
}

/* ---- the search ------------------------------------------------------------------------------ */

struct search {
    size_t count;
    double *u, *worth;
};

/* Index of the k-th greatest worth. */
static size_t rank(const struct search *s, size_t k)
{
    size_t out = 0;
    double above = INFINITY;
    for (size_t i = 0; i <= k; i++) {
        double most = -INFINITY;
        for (size_t c = 0; c < s->count; c++)
            if (s->worth[c] < above && s->worth[c] > most) {
                most = s->worth[c];
                out = c;
            }
        above = most;
    }
    return out;
}

static bool candidates(const struct da_bayes *b, const struct aim *aim, uint64_t draw,
                       struct search *s)
{
    static const double scale[] = {0.15, 0.05, 0.015, 0.005};
    size_t spread = 256 + 64 * (b->inputs < 8 ? b->inputs : 8), row = b->inputs * sizeof(double);
    size_t most = spread + b->points + NEAR * NEAR_EACH;
    s->u = dc_mem_alloc(most * (b->inputs + 1), sizeof *s->u);
    if (s->u == NULL)
        return false;
    s->worth = &s->u[most * b->inputs];
    memcpy(s->u, b->u, b->points * row);
    da_bayes_spread(b, draw, spread, &s->u[b->points * b->inputs]);
    s->count = b->points + spread;
    for (size_t c = 0; c < s->count; c++)
        s->worth[c] = worth(aim, &s->u[c * b->inputs]);
    for (size_t k = 0; k < NEAR; k++) {
        double *u = &s->u[s->count * b->inputs];
        size_t near = rank(s, k);
        if (k == 0 && aim->feasible)
            near = incumbent(b, aim->work);
        da_bayes_around(b, &s->u[near * b->inputs], scale, 4, draw * NEAR + k, NEAR_EACH, u);
        for (size_t c = 0; c < NEAR_EACH; c++)
            s->worth[s->count + c] = worth(aim, &u[c * b->inputs]);
        s->count += NEAR_EACH;
    }
    return true;
}

static double climb(const struct da_bayes *b, const struct aim *aim, uint64_t draw, double value,
                    double *u)
{
    struct dc_stream s = dc_stream(b->options.seed, dc_name("bayes-climb"), draw);
    double scale = 0.05, next[DA_GP_INPUTS_MAX];
    for (int i = 0; i < CLIMB_STEPS; i++) {
        step(b, u, scale, &s, next);
        double now = worth(aim, next);
        if (now > value) {
            value = now;
            memcpy(u, next, b->inputs * sizeof *u);
            scale = fmin(scale * 2, 0.5);
        } else {
            scale = fmax(scale * 0.87, 1e-5);
        }
    }
    return value;
}

/* The most promising place into u, its worth into *most. */
static enum dc_status search(const struct da_bayes *b, uint64_t draw, double *u, double *most,
                             struct dc_error *error)
{
    struct search s = {0};
    struct aim aim;
    double *work = dc_mem_alloc(da_bayes_work(b), sizeof *work);
    bool good = work != NULL;
    if (good) {
        take_aim(b, work, &aim);
        good = candidates(b, &aim, draw, &s);
    }
    *most = -INFINITY;
    for (size_t k = 0; good && k < CLIMBS; k++) {
        double at[DA_GP_INPUTS_MAX];
        size_t from = rank(&s, k);
        memcpy(at, &s.u[from * b->inputs], b->inputs * sizeof *at);
        double value = climb(b, &aim, draw * CLIMBS + k, s.worth[from], at);
        if (value > *most || k == 0) {
            *most = value;
            memcpy(u, at, b->inputs * sizeof *u);
        }
    }
    dc_mem_free(s.u);
    dc_mem_free(work);
    return good ? DC_OK : dc_error_set(error, DC_ERR_IO, "out of memory for a search");
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Rows of the design that differ, until there are enough or rows have run out: few levels. */
static enum dc_status first_design(struct da_bayes *b, size_t room, size_t *point, size_t *count,
                                   struct dc_error *error)
{
    size_t wanted = b->options.start < room ? b->options.start : room;
    struct da_design_plan plan = {.kind = DA_SOBOL,
                                  .factors = b->inputs,
                                  .points = START_ROWS * b->options.start,
                                  .seed = b->options.seed};
    double *u = dc_mem_alloc(plan.points * b->inputs, sizeof *u);
    if (u == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for a search");
    enum dc_status status = da_design_make(&plan, u, error);
    b->begun = true;
    for (size_t r = 0; status == DC_OK && r < plan.points && *count < wanted; r++) {
        double *row = &u[r * b->inputs];
        for (size_t i = 0; i < b->inputs; i++) {
            size_t levels = da_bayes_levels(b, i);
            if (b->words[i])
                row[i] = at_share(b, i, row[i]);
            else if (levels != SIZE_MAX &&
                     levels > 1) /* all levels alike, also those at the ends */
                row[i] = floor(row[i] * (double)levels) / ((double)levels - 1);
        }
        da_bayes_snap(b, row);
        size_t before = b->points, p = da_bayes_intern(b, row, 1e-12);
        if (p == SIZE_MAX)
            status = dc_error_set(error, DC_ERR_IO, "out of memory for a search");
        else if (p == before)
            point[(*count)++] = p;
    }
    dc_mem_free(u);
    return status;
}

/* What improvement is worth a visit: a share of its noise, or of what was seen. */
static bool is_enough(struct da_bayes *b, bool feasible, double most)
{
    double noise = da_bayes_visit_noise(b), spread = b->model[0].gp.scale;
    if (!feasible) /* nothing can be met, as far as the models go */
        return most < log((1 - b->options.confidence) / 50);
    return exp(most) < b->options.enough * fmax(noise, 0.01 * spread);
}

static enum dc_status next_round(struct da_bayes *b, size_t room, size_t *point, size_t *count,
                                 struct dc_error *error)
{
    size_t wanted = b->options.round < room ? b->options.round : room;
    enum dc_status status = da_bayes_fit(b, error);
    for (size_t k = 0; status == DC_OK && k < wanted; k++) {
        double u[DA_GP_INPUTS_MAX], most;
        status = search(b, b->asks * b->options.round + k, u, &most, error);
        if (status != DC_OK)
            break;
        if (k == 0) {
            double *work = dc_mem_alloc(da_bayes_work(b), sizeof *work);
            if (work == NULL)
                return dc_error_set(error, DC_ERR_IO, "out of memory for a search");
            bool feasible = incumbent(b, work) != SIZE_MAX;
            dc_mem_free(work);
            b->improvement = feasible ? exp(most) : NAN;
            b->stale = b->options.enough > 0 && is_enough(b, feasible, most) ? b->stale + 1 : 0;
            if (b->stale >= ENOUGH)
                break;
        }
        point[k] = da_bayes_intern(b, u, b->model[0].noise > 0 ? 2e-3 : 1e-9);
        if (point[k] == SIZE_MAX)
            return dc_error_set(error, DC_ERR_IO, "out of memory for a search");
        *count = k + 1;
        if (k + 1 < wanted)
            status = da_bayes_believe(b, &b->u[point[k] * b->inputs], error);
    }
    b->asks++;
    return status;
}

enum dc_status da_bayes_ask(struct da_bayes *b, size_t room, size_t *point, size_t *count,
                            struct dc_error *error)
{
    *count = 0;
    if (!b->begun)
        return first_design(b, room, point, count, error);
    return next_round(b, room, point, count, error);
}

/* See bayes.h: points, runs, and inputs to the unit cube and back. */
#include "analysis/bayes.h"

#include <math.h>
#include <string.h>

#include "analysis/bayes_work.h"

/* ---- inputs ---------------------------------------------------------------------------------- */

static double to_line(const struct da_bayes_input *input, double x)
{
    return input->log ? log(x) : x;
}

static double lowest(const struct da_bayes_input *input)
{
    return input->kind == DA_BAYES_LEVELS ? input->level[0] : input->lo;
}

static double highest(const struct da_bayes_input *input)
{
    return input->kind == DA_BAYES_LEVELS ? input->level[input->levels - 1] : input->hi;
}

static double to_unit(const struct da_bayes_input *input, double x)
{
    if (input->kind == DA_BAYES_WORDS)
        return x;
    double lo = to_line(input, lowest(input)), hi = to_line(input, highest(input));
    return hi > lo ? (to_line(input, x) - lo) / (hi - lo) : 0;
}

static double from_unit(const struct da_bayes_input *input, double u)
{
    double lo = to_line(input, lowest(input)), hi = to_line(input, highest(input));
    double line = lo + u * (hi - lo);
    double x = input->log ? exp(line) : line;
    return fmin(fmax(x, lowest(input)), highest(input));
}

size_t da_bayes_levels(const struct da_bayes *b, size_t i)
{
    const struct da_bayes_input *input = &b->options.input[i];
    if (input->kind == DA_BAYES_RANGE)
        return input->lo < input->hi ? SIZE_MAX : 1;
    if (input->kind == DA_BAYES_WHOLE)
        return input->hi - input->lo < 1e6 ? (size_t)(input->hi - input->lo) + 1 : SIZE_MAX;
    return input->levels;
}

/* The setting of one input nearest to u, in its own unit. */
static double setting(const struct da_bayes_input *input, double u)
{
    if (input->kind == DA_BAYES_WORDS) {
        double last = (double)input->levels - 1;
        return fmin(fmax(floor(u + 0.5), 0), last);
    }
    u = fmin(fmax(u, 0), 1);
    double x = from_unit(input, u);
    if (input->kind == DA_BAYES_WHOLE)
        return fmin(fmax(floor(x + 0.5), input->lo), input->hi);
    if (input->kind == DA_BAYES_LEVELS) {
        size_t best = 0;
        for (size_t l = 1; l < input->levels; l++)
            if (fabs(to_unit(input, input->level[l]) - u) <
                fabs(to_unit(input, input->level[best]) - u))
                best = l;
        return input->level[best];
    }
    return x;
}

double da_bayes_setting(const struct da_bayes *b, size_t i, double u)
{
    return setting(&b->options.input[i], u);
}

void da_bayes_snap(const struct da_bayes *b, double *u)
{
    for (size_t i = 0; i < b->inputs; i++) {
        const struct da_bayes_input *input = &b->options.input[i];
        u[i] = input->kind == DA_BAYES_RANGE ? fmin(fmax(u[i], 0), 1)
                                             : to_unit(input, setting(input, u[i]));
    }
}

static enum dc_status check_input(const struct da_bayes_input *input, size_t i,
                                  struct dc_error *error)
{
    bool list = input->kind == DA_BAYES_LEVELS || input->kind == DA_BAYES_WORDS;
    if (list && input->levels == 0)
        return dc_error_set(error, DC_ERR_USAGE, "parameter %zu has no values", i + 1);
    if (input->kind == DA_BAYES_WORDS)
        return DC_OK;
    for (size_t l = 1; list && l < input->levels; l++)
        if (!(input->level[l] > input->level[l - 1]))
            return dc_error_set(error, DC_ERR_USAGE, "the values of parameter %zu do not increase",
                                i + 1);
    double lo = lowest(input), hi = highest(input);
    if (!isfinite(lo) || !isfinite(hi) || lo > hi)
        return dc_error_set(error, DC_ERR_USAGE, "parameter %zu has an empty range", i + 1);
    if (input->log && lo <= 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "parameter %zu has a log scale: all of its values must be above 0",
                            i + 1);
    if (input->kind == DA_BAYES_WHOLE && (floor(lo) != lo || floor(hi) != hi))
        return dc_error_set(error, DC_ERR_USAGE,
                            "parameter %zu is a whole number: so must be its ends", i + 1);
    return DC_OK;
}

/* ---- open and close -------------------------------------------------------------------------- */

static enum dc_status check(const struct da_bayes_options *o, struct dc_error *error)
{
    if (o->inputs == 0 || o->inputs > DA_GP_INPUTS_MAX)
        return dc_error_set(error, DC_ERR_USAGE,
                            "%zu parameters: a search takes 1 to %d, vary fewer", o->inputs,
                            (int)DA_GP_INPUTS_MAX);
    if (o->start == 0 || o->round == 0 || !(o->confidence > 0 && o->confidence < 1))
        return dc_error_set(error, DC_ERR_USAGE,
                            "a search needs a first point, points in a round, and a confidence "
                            "between 0 and 1");
    for (size_t i = 0; i < o->inputs; i++) {
        enum dc_status status = check_input(&o->input[i], i, error);
        if (status != DC_OK)
            return status;
    }
    return DC_OK;
}

static void *copy(struct dc_arena *arena, const void *from, size_t size)
{
    void *out = dc_arena_alloc(arena, size > 0 ? size : 1);
    if (out != NULL && size > 0)
        memcpy(out, from, size);
    return out;
}

static bool take_options(struct da_bayes *b, const struct da_bayes_options *o)
{
    b->options = *o;
    b->inputs = o->inputs;
    b->outputs = 1 + o->bounds;
    b->improvement = NAN;
    struct da_bayes_input *input = copy(&b->arena, o->input, o->inputs * sizeof *input);
    b->options.input = input;
    b->options.bound = copy(&b->arena, o->bound, o->bounds * sizeof *o->bound);
    b->model = dc_arena_alloc(&b->arena, (b->outputs + 1) * sizeof *b->model);
    b->room = dc_arena_alloc(&b->arena, b->outputs * sizeof *b->room);
    b->place = dc_arena_alloc(&b->arena, o->inputs * sizeof *b->place);
    b->chance = dc_arena_alloc(&b->arena, b->outputs * sizeof *b->chance);
    if (input == NULL || b->options.bound == NULL || b->model == NULL || b->room == NULL ||
        b->place == NULL || b->chance == NULL)
        return false;
    for (size_t i = 0; i < o->inputs; i++) {
        b->words[i] = input[i].kind == DA_BAYES_WORDS;
        if (input[i].kind != DA_BAYES_LEVELS)
            continue;
        input[i].level = copy(&b->arena, o->input[i].level, input[i].levels * sizeof(double));
        if (input[i].level == NULL)
            return false;
    }
    return true;
}

enum dc_status da_bayes_open(const struct da_bayes_options *options, struct da_bayes **out,
                             struct dc_error *error)
{
    *out = NULL;
    enum dc_status status = check(options, error);
    if (status != DC_OK)
        return status;
    struct da_bayes *b = dc_mem_alloc(1, sizeof *b);
    if (b == NULL || !take_options(b, options)) {
        da_bayes_close(b);
        return dc_error_set(error, DC_ERR_IO, "out of memory for a search");
    }
    *out = b;
    return DC_OK;
}

void da_bayes_close(struct da_bayes *b)
{
    if (b == NULL)
        return;
    for (size_t o = 0; b->model != NULL && o <= b->outputs; o++) {
        da_gp_free(&b->model[o].gp);
        dc_mem_free(b->model[o].x);
    }
    dc_mem_free(b->u);
    dc_mem_free(b->x);
    dc_mem_free(b->run);
    dc_mem_free(b->value);
    dc_arena_free(&b->arena);
    dc_mem_free(b);
}

/* ---- points and runs ------------------------------------------------------------------------- */

static bool more_points(struct da_bayes *b)
{
    if (b->points < b->points_max)
        return true;
    size_t room = b->points_max > 0 ? 2 * b->points_max : 64;
    double *u = dc_mem_grow(b->u, room * b->inputs, sizeof *u);
    if (u == NULL)
        return false;
    b->u = u;
    double *x = dc_mem_grow(b->x, room * b->inputs, sizeof *x);
    if (x == NULL)
        return false;
    b->x = x;
    b->points_max = room;
    return true;
}

size_t da_bayes_intern(struct da_bayes *b, const double *u, double near)
{
    for (size_t p = 0; p < b->points; p++) {
        bool same = true;
        for (size_t i = 0; i < b->inputs && same; i++)
            same = fabs(b->u[p * b->inputs + i] - u[i]) <= (b->words[i] ? 0 : near);
        if (same)
            return p;
    }
    if (!more_points(b))
        return SIZE_MAX;
    size_t p = b->points++;
    for (size_t i = 0; i < b->inputs; i++) {
        b->u[p * b->inputs + i] = u[i];
        b->x[p * b->inputs + i] = setting(&b->options.input[i], u[i]);
    }
    return p;
}

enum dc_status da_bayes_tell(struct da_bayes *b, size_t point, size_t seed, const double *value,
                             struct dc_error *error)
{
    DC_CHECK(point < b->points);
    if (b->runs == b->runs_max) {
        size_t room = b->runs_max > 0 ? 2 * b->runs_max : 256;
        struct da_bayes_run *run = dc_mem_grow(b->run, room, sizeof *run);
        b->run = run != NULL ? run : b->run;
        double *values =
            run != NULL ? dc_mem_grow(b->value, room * b->outputs, sizeof *values) : NULL;
        if (values == NULL)
            return dc_error_set(error, DC_ERR_IO, "out of memory for %zu runs", room);
        b->value = values;
        b->runs_max = room;
    }
    double *out = &b->value[b->runs * b->outputs];
    b->run[b->runs++] = (struct da_bayes_run){point, seed};
    out[0] = b->options.maximise ? -value[0] : value[0];
    for (size_t i = 0; i < b->options.bounds; i++) {
        const struct da_bayes_bound *bound = &b->options.bound[i];
        out[i + 1] = bound->above ? bound->value - value[i + 1] : value[i + 1] - bound->value;
    }
    for (size_t o = 0; o < b->outputs; o++)
        if (!isfinite(out[o]))
            out[o] = NAN;
    b->failures = b->failures || isnan(out[0]);
    return DC_OK;
}

size_t da_bayes_points(const struct da_bayes *b)
{
    return b->points;
}

const double *da_bayes_x(const struct da_bayes *b, size_t point)
{
    return &b->x[point * b->inputs];
}

size_t da_bayes_visits(const struct da_bayes *b, size_t point)
{
    size_t count = 0;
    for (size_t r = 0; r < b->runs; r++)
        count += b->run[r].point == point;
    return count;
}

double da_bayes_improvement(const struct da_bayes *b, double *noise)
{
    if (noise != NULL)
        *noise = b->model[0].fitted ? da_bayes_visit_noise(b) : NAN;
    return b->improvement;
}

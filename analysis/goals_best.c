/* The best point of a study, and which others may be. */
#include "analysis/goals.h"

#include "analysis/resample.h"
#include "analysis/select.h"

#include <math.h>
#include <string.h>

struct contest {
    const struct da_study *s;
    double *y; /* points x replications; less is better; NaN: no data, or takes no part */
    double *mean, *work;
};

/* The replications that both points have, as differences a - b. */
static size_t contest_differences(const struct contest *c, size_t a, size_t b, double *out)
{
    size_t n = 0, replications = c->s->replications;
    for (size_t r = 0; r < replications; r++) {
        double d = c->y[a * replications + r] - c->y[b * replications + r];
        if (!isnan(d))
            out[n++] = d;
    }
    return n;
}

/* quantile: of Student's t by the number of pairs. */
static bool contest_beaten(const struct contest *c, size_t point, const double *quantile,
                           double *room)
{
    for (size_t other = 0; other < c->s->points; other++) {
        if (other == point || !(c->mean[other] < c->mean[point]))
            continue;
        size_t n = contest_differences(c, point, other, room);
        if (n < 2)
            continue;
        double error = sqrt(da_variance(room, n) / (double)n);
        if (da_mean(room, n) > quantile[n] * error)
            return true;
    }
    return false;
}

static bool contest_rooms(const struct da_study *s, size_t metric, struct contest *c,
                          double **quantile, double **room, struct da_best *out)
{
    struct dc_arena *arena = &out->arena;
    c->y = da_study_table(s, metric, arena);
    c->mean = dc_arena_alloc(arena, (s->points + 1) * sizeof *c->mean);
    c->work = dc_arena_alloc(arena, (s->points + s->replications) * sizeof *c->work);
    out->chance = dc_arena_alloc(arena, (s->points + 1) * sizeof *out->chance);
    out->contender = dc_arena_alloc(arena, (s->points + 1) * sizeof *out->contender);
    out->behind = dc_arena_alloc(arena, (s->points + 1) * sizeof *out->behind);
    *quantile = dc_arena_alloc(arena, (s->replications + 1) * sizeof **quantile);
    *room = dc_arena_alloc(arena, (s->replications + 1) * sizeof **room);
    return c->y && c->mean && c->work && out->chance && out->contender && out->behind &&
           *quantile && *room;
}

/* Makes less better, takes out who may not take part, and returns how many do. */
static size_t contest_means(struct contest *c, double *y, bool maximise, const bool *allowed,
                            struct da_best *out)
{
    size_t taking_part = 0, replications = c->s->replications;
    for (size_t i = 0; i < c->s->points; i++) {
        double sum = 0, n = 0;
        for (size_t r = 0; r < replications; r++) {
            double *at = &y[i * replications + r];
            *at = allowed && !allowed[i] ? NAN : maximise ? -*at : *at;
            sum += isnan(*at) ? 0 : *at;
            n += !isnan(*at);
        }
        c->mean[i] = n > 0 ? sum / n : NAN;
        taking_part += n > 0;
        if (n > 0 && (out->point == SIZE_MAX || c->mean[i] < c->mean[out->point]))
            out->point = i;
    }
    return taking_part;
}

enum dc_status da_best(const struct da_study *s, size_t metric, bool maximise, const bool *allowed,
                       double level, uint64_t seed, struct da_best *out, struct dc_error *error)
{
    memset(out, 0, sizeof *out);
    struct contest c = {.s = s};
    double *quantile, *room;
    out->point = SIZE_MAX;
    out->points = s->points;
    if (metric >= s->metrics)
        return dc_error_set(error, DC_ERR_USAGE, "best point: the study has no such metric");
    if (!contest_rooms(s, metric, &c, &quantile, &room, out))
        return dc_error_set(error, DC_ERR_IO, "out of memory for the best point");
    size_t taking_part = contest_means(&c, c.y, maximise, allowed, out);
    if (taking_part == 0)
        return dc_error_set(error, DC_ERR_USAGE, "best point: no point %shas data of %s",
                            allowed ? "that meets the constraints " : "", s->metric[metric].name);
    da_best_probability(c.y, s->replications, s->points, false, DA_DRAWS, seed, c.work,
                        out->chance);
    double tail = taking_part > 1 ? (1 - level) / (double)(taking_part - 1) : 1 - level;
    for (size_t n = 2; n <= s->replications; n++)
        quantile[n] = da_t_quantile(1 - tail, (double)(n - 1));
    for (size_t i = 0; i < s->points && s->replications < 3; i++)
        out->chance[i] = NAN;
    for (size_t i = 0; i < s->points; i++) {
        size_t n = contest_differences(&c, i, out->point, room);
        out->behind[i] = (struct da_estimate){NAN, NAN, NAN, n};
        if (n > 0)
            out->behind[i] = da_mean_interval(room, n, level);
        out->contender[i] = !isnan(c.mean[i]) && !contest_beaten(&c, i, quantile, room);
        out->contenders += out->contender[i];
    }
    size_t n = da_study_sample(s, out->point, metric, room);
    out->value = da_mean_interval(room, n, level);
    return DC_OK;
}

void da_best_free(struct da_best *out)
{
    dc_arena_free(&out->arena);
    memset(out, 0, sizeof *out);
}

/* See bayes.h: what to take, and how sure that is.
 *
 * The recommendation is a point that was visited: the least posterior mean among those that are
 * feasible.  How sure that is comes from joint draws of all processes at some hundred places: in
 * each draw one place is best, and where those lie is where the optimum may be. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/bayes_work.h"
#include "analysis/stats.h"
#include "models/base/rng.h"

enum { SPREAD = 320, AROUND = 240, PATHS = 400 };

/* ---- the point ------------------------------------------------------------------------------- */

static bool sure(const struct da_bayes *b, const double *u, bool room, double *work)
{
    double least = log(b->options.confidence);
    for (size_t o = 1; o < da_bayes_models(b); o++) /* of its runs, most must not fail */
        if (da_bayes_log_chance(b, o, u, 0, work) < (o < b->outputs ? least : -M_LN2))
            return false;
    return !room || da_bayes_likely(b, u, work);
}

static bool measured(const struct da_bayes *b, size_t point)
{
    for (size_t r = 0; r < b->runs; r++)
        if (b->run[r].point == point && !isnan(b->value[r * b->outputs]))
            return true;
    return false;
}

/* Among the points that pass, the least mean; SIZE_MAX: none does. */
static size_t least_mean(const struct da_bayes *b, bool room, double *work)
{
    size_t best = SIZE_MAX;
    double least = INFINITY;
    for (size_t p = 0; p < b->points; p++) {
        const double *u = &b->u[p * b->inputs];
        if (!measured(b, p) || !sure(b, u, room, work))
            continue;
        double mean = da_gp_predict(&b->model[0].gp, u, work).mean;
        if (mean < least) {
            least = mean;
            best = p;
        }
    }
    return best;
}

static size_t most_feasible(const struct da_bayes *b, double *work)
{
    size_t best = SIZE_MAX;
    double most = -INFINITY;
    for (size_t p = 0; p < b->points; p++) {
        double chance = da_bayes_log_feasible(b, &b->u[p * b->inputs], false, work);
        if (da_bayes_visits(b, p) > 0 && chance > most) {
            most = chance;
            best = p;
        }
    }
    return best;
}

static void choose(struct da_bayes *b, struct da_bayes_best *best, double *work)
{
    bool constrained = b->options.bounds > 0 && b->options.confirm > 1;
    best->point = SIZE_MAX;
    if (b->model[0].fitted) {
        best->point = least_mean(b, true, work);
        best->room = constrained && best->point != SIZE_MAX;
        if (best->point == SIZE_MAX)
            best->point = least_mean(b, false, work);
    }
    best->feasible = best->point != SIZE_MAX;
    if (!best->feasible)
        best->point = most_feasible(b, work);
}

static void describe(struct da_bayes *b, struct da_bayes_best *best, double *work)
{
    const double *u = &b->u[best->point * b->inputs];
    double sign = b->options.maximise ? -1 : 1, least = INFINITY;
    best->value = best->value_lo = best->value_hi = NAN;
    best->optimum = best->optimum_lo = best->optimum_hi = best->regret = NAN;
    if (b->model[0].fitted) {
        struct da_gp_guess guess = da_gp_predict(&b->model[0].gp, u, work);
        double half = sqrt(guess.variance) * da_normal_quantile((1 + b->options.confidence) / 2);
        best->value = sign * guess.mean;
        best->value_lo = best->value - half;
        best->value_hi = best->value + half;
    }
    best->probability = exp(da_bayes_log_feasible(b, u, false, work));
    best->chance = b->chance;
    for (size_t i = 0; i < b->options.bounds; i++) {
        b->chance[i] = exp(da_bayes_log_chance(b, i + 1, u, 0, work));
        if (b->chance[i] < least) {
            least = b->chance[i];
            best->worst_bound = i;
        }
    }
    best->place = b->place;
    for (size_t i = 0; i < b->inputs; i++) {
        double x = b->x[best->point * b->inputs + i];
        b->place[i] = (struct da_bayes_place){x, x, x, NAN};
    }
}

/* ---- draws ----------------------------------------------------------------------------------- */

struct draws {
    size_t places, models, wins; /* wins: draws in which some place is feasible */
    double *u;                   /* places x inputs, the recommended point first */
    double *path;                /* models x PATHS x places */
    double *least, *lost;        /* of each win: the least value; what the recommendation loses */
    size_t *winner;
};

static bool draws_open(const struct da_bayes *b, size_t point, struct draws *d)
{
    static const double scale[] = {0.3, 0.12, 0.05, 0.02};
    *d = (struct draws){.places = 1 + b->points + SPREAD + AROUND, .models = da_bayes_models(b)};
    d->u = dc_mem_alloc(d->places * b->inputs, sizeof *d->u);
    d->path = dc_mem_alloc(d->models * PATHS * d->places + 2 * (size_t)PATHS, sizeof *d->path);
    d->winner = dc_mem_alloc(PATHS, sizeof *d->winner);
    if (d->u == NULL || d->path == NULL || d->winner == NULL)
        return false;
    d->least = &d->path[d->models * PATHS * d->places];
    d->lost = &d->least[PATHS];
    size_t row = b->inputs * sizeof *d->u;
    memcpy(d->u, &b->u[point * b->inputs], row);
    memcpy(&d->u[b->inputs], b->u, b->points * row);
    double *rest = &d->u[(1 + b->points) * b->inputs];
    da_bayes_spread(b, UINT64_MAX, SPREAD, rest);
    da_bayes_around(b, d->u, scale, 4, UINT64_MAX, AROUND, &rest[SPREAD * b->inputs]);
    return true;
}

static void draws_close(struct draws *d)
{
    dc_mem_free(d->u);
    dc_mem_free(d->path);
    dc_mem_free(d->winner);
}

static void find_winners(const struct da_bayes *b, bool room, struct draws *d)
{
    for (size_t p = 0; p < PATHS; p++) {
        size_t best = SIZE_MAX;
        const double *objective = &d->path[p * d->places];
        for (size_t c = 0; c < d->places; c++) {
            bool feasible = true;
            for (size_t o = 1; o < d->models && feasible; o++) {
                double margin = room && o < b->outputs ? b->room[o - 1] : 0;
                feasible = d->path[(o * PATHS + p) * d->places + c] <= -margin;
            }
            if (feasible && (best == SIZE_MAX || objective[c] < objective[best]))
                best = c;
        }
        if (best == SIZE_MAX)
            continue;
        d->winner[d->wins] = best;
        d->least[d->wins] = objective[best];
        d->lost[d->wins++] = fmax(objective[0] - objective[best], 0);
    }
}

/* Interval of the middle `level` of x, which is sorted here. */
static void middle(double *x, size_t count, double level, double *lo, double *hi)
{
    size_t cut = (size_t)floor((1 - level) / 2 * (double)count);
    qsort(x, count, sizeof *x, da_rising);
    *lo = x[cut];
    *hi = x[count - 1 - cut];
}

static void summarise(struct da_bayes *b, struct draws *d, struct da_bayes_best *best)
{
    double level = b->options.confidence, lo, hi, sum = 0, lost = 0, where[PATHS];
    for (size_t i = 0; i < b->inputs; i++) {
        struct da_bayes_place *place = &b->place[i];
        size_t same = 0;
        for (size_t w = 0; w < d->wins; w++) {
            double u[DA_GP_INPUTS_MAX];
            memcpy(u, &d->u[d->winner[w] * b->inputs], b->inputs * sizeof *u);
            where[w] = da_bayes_setting(b, i, u[i]);
            same += where[w] == place->value;
        }
        place->share = (double)same / (double)d->wins;
        if (b->words[i])
            continue;
        middle(where, d->wins, level, &lo, &hi);
        place->lo = fmin(lo, place->value);
        place->hi = fmax(hi, place->value);
    }
    for (size_t w = 0; w < d->wins; w++) {
        sum += d->least[w];
        lost += d->lost[w];
    }
    best->regret = lost / (double)d->wins;
    middle(d->least, d->wins, level, &lo, &hi);
    best->optimum = (b->options.maximise ? -sum : sum) / (double)d->wins;
    best->optimum_lo = b->options.maximise ? -hi : lo;
    best->optimum_hi = b->options.maximise ? -lo : hi;
}

static enum dc_status draw(struct da_bayes *b, struct da_bayes_best *best, struct dc_error *error)
{
    struct draws d;
    enum dc_status status = DC_OK;
    if (!draws_open(b, best->point, &d))
        status = dc_error_set(error, DC_ERR_IO, "out of memory for the draws of a search");
    for (size_t o = 0; status == DC_OK && o < d.models; o++) {
        if (!b->model[o].fitted) { /* never measured */
            for (size_t i = 0; i < PATHS * d.places; i++)
                d.path[o * PATHS * d.places + i] = INFINITY;
            continue;
        }
        status =
            da_gp_paths(&b->model[o].gp, d.u, d.places, PATHS, b->options.seed,
                        dc_name_indexed("bayes-path", o), &d.path[o * PATHS * d.places], error);
    }
    if (status == DC_OK) {
        find_winners(b, best->room, &d);
        if (d.wins > 0)
            summarise(b, &d, best);
    }
    draws_close(&d);
    return status;
}

enum dc_status da_bayes_best(struct da_bayes *b, struct da_bayes_best *best, struct dc_error *error)
{
    *best = (struct da_bayes_best){.point = SIZE_MAX};
    if (b->runs == 0)
        return DC_OK;
    enum dc_status status = da_bayes_fit(b, error);
    if (status != DC_OK)
        return status;
    double *work = dc_mem_alloc(da_bayes_work(b), sizeof *work);
    if (work == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for a search");
    choose(b, best, work);
    describe(b, best, work);
    dc_mem_free(work);
    return best->feasible ? draw(b, best, error) : DC_OK;
}

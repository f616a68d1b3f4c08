/* KN, and the Bayesian bootstrap. */
#include "analysis/select.h"

#include "models/base/mem.h"
#include "models/base/rng.h"

#include <math.h>
#include <string.h>

struct selection {
    const struct da_select_options *o;
    struct da_select *s;
    da_select_observe *observe;
    void *ctx;
    struct da_select_ask *ask; /* [systems x first] */
    double *answer;
    double *s2; /* systems x systems: variance of the differences of the first observations */
    double h2;
};

/* ---- observations ---------------------------------------------------------------------------- */

static bool keep(struct da_select_system *y, double value)
{
    if (y->used == y->capacity) {
        size_t more = y->capacity * 2 + 16;
        double *grown = dc_mem_grow(y->value, more, sizeof *grown);
        if (grown == NULL)
            return false;
        y->value = grown;
        y->capacity = more;
    }
    y->value[y->used++] = value;
    y->mean += (value - y->mean) / (double)y->used;
    return true;
}

/* `count` more observations of every system that is left. */
static enum dc_status observe(struct selection *k, uint32_t count, struct dc_error *error)
{
    size_t asked = 0;
    for (uint32_t r = 0; r < count; r++)
        for (size_t i = 0; i < k->s->systems; i++)
            if (k->s->system[i].fate == DA_SELECT_LEFT)
                k->ask[asked++] = (struct da_select_ask){i, k->s->system[i].used + r};
    if (asked == 0)
        return DC_OK;
    enum dc_status status = k->observe(k->ctx, k->ask, asked, k->answer, error);
    if (status != DC_OK)
        return status;
    k->s->used += asked;
    for (size_t a = 0; a < asked; a++) {
        struct da_select_system *y = &k->s->system[k->ask[a].system];
        if (isnan(k->answer[a]))
            y->fate = DA_SELECT_NO_DATA;
        else if (y->fate == DA_SELECT_LEFT && !keep(y, k->answer[a]))
            return dc_error_set(error, DC_ERR_IO, "out of memory");
    }
    return DC_OK;
}

static size_t left(const struct da_select *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->systems; i++)
        n += s->system[i].fate == DA_SELECT_LEFT;
    return n;
}

/* ---- the procedure --------------------------------------------------------------------------- */

static void variances(struct selection *k)
{
    size_t n = k->s->systems, first = k->o->first;
    for (size_t i = 0; i < n; i++)
        for (size_t l = 0; l < n; l++) {
            const struct da_select_system *a = &k->s->system[i], *b = &k->s->system[l];
            if (i == l || a->fate != DA_SELECT_LEFT || b->fate != DA_SELECT_LEFT)
                continue;
            double mean = 0, squares = 0;
            for (size_t r = 0; r < first; r++)
                mean += a->value[r] - b->value[r];
            mean /= (double)first;
            for (size_t r = 0; r < first; r++) {
                double d = a->value[r] - b->value[r] - mean;
                squares += d * d;
            }
            k->s2[i * n + l] = squares / (double)(first - 1);
        }
}

/* How far the sum of differences may go at r observations. */
static double triangle(const struct selection *k, size_t i, size_t l, double r)
{
    double delta = k->o->delta, s2 = k->s2[i * k->s->systems + l];
    return fmax(delta / 2 * (k->h2 * s2 / (delta * delta) - r), 0);
}

/* Strikes out all that fell behind one of those that were left before this round. */
static void screen(struct selection *k)
{
    size_t n = k->s->systems;
    double sign = k->o->maximise ? 1 : -1;
    for (size_t i = 0; i < n; i++) {
        struct da_select_system *y = &k->s->system[i];
        double furthest = 0, r = (double)y->used;
        if (y->fate != DA_SELECT_LEFT)
            continue;
        for (size_t l = 0; l < n; l++) {
            const struct da_select_system *x = &k->s->system[l];
            bool was_left =
                x->fate == DA_SELECT_LEFT || (x->fate == DA_SELECT_OUT && x->used == y->used);
            if (l == i || !was_left)
                continue;
            double behind = sign * (x->mean - y->mean) * r - triangle(k, i, l, r);
            if (behind > furthest) {
                furthest = behind;
                y->fate = DA_SELECT_OUT;
                y->by = l;
            }
        }
    }
}

static size_t best_left(const struct da_select *s, bool maximise)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < s->systems; i++) {
        if (s->system[i].fate != DA_SELECT_LEFT)
            continue;
        double lead = best == SIZE_MAX ? 1 : s->system[i].mean - s->system[best].mean;
        if (best == SIZE_MAX || (maximise ? lead > 0 : lead < 0))
            best = i;
    }
    return best;
}

/* Where all triangles have closed only exact equals are left: the first of them stays. */
static void break_ties(struct selection *k)
{
    size_t n = k->s->systems, first = best_left(k->s, k->o->maximise);
    for (size_t i = 0; i < n; i++)
        for (size_t l = 0; l < i; l++)
            if (k->s->system[i].fate == DA_SELECT_LEFT && k->s->system[l].fate == DA_SELECT_LEFT &&
                triangle(k, i, l, (double)k->s->system[i].used) > 0)
                return;
    for (size_t i = 0; i < n; i++)
        if (i != first && k->s->system[i].fate == DA_SELECT_LEFT) {
            k->s->system[i].fate = DA_SELECT_OUT;
            k->s->system[i].by = first;
        }
}

static enum dc_status procedure(struct selection *k, struct dc_error *error)
{
    const struct da_select_options *o = k->o;
    enum dc_status status = observe(k, o->first, error);
    if (status != DC_OK)
        return status;
    /* The bound of the error of all pairs (Bonferroni): it needs no independence of systems. */
    double others = (double)(o->systems > 1 ? o->systems - 1 : 1), df = (double)o->first - 1;
    k->h2 = (pow(2 * o->alpha / others, -2 / df) - 1) * df;
    variances(k);
    for (uint32_t r = o->first;; r++) {
        screen(k);
        break_ties(k);
        if (left(k->s) <= 1 || (o->most != 0 && r >= o->most))
            break;
        status = observe(k, 1, error);
        if (status != DC_OK)
            return status;
    }
    k->s->winner = best_left(k->s, o->maximise);
    k->s->decided = left(k->s) == 1;
    return DC_OK;
}

enum dc_status da_select_best(const struct da_select_options *o, da_select_observe *ask, void *ctx,
                              struct da_select *out, struct dc_error *error)
{
    *out = (struct da_select){.winner = SIZE_MAX};
    if (o->systems == 0)
        return dc_error_set(error, DC_ERR_USAGE, "there is nothing to select from");
    if (!(o->delta > 0) || !isfinite(o->delta))
        return dc_error_set(error, DC_ERR_USAGE, "the indifference zone is %g: it must be above 0",
                            o->delta);
    if (!(o->alpha > 0) || !(o->alpha < 1 - 1 / (double)(o->systems + (o->systems == 1))))
        return dc_error_set(error, DC_ERR_USAGE,
                            "alpha is %g: it must be above 0, and below what guessing among %zu "
                            "misses (%g)",
                            o->alpha, o->systems, 1 - 1 / (double)o->systems);
    if (o->first < 2)
        return dc_error_set(error, DC_ERR_USAGE, "the first stage needs at least 2 observations");
    size_t asks = o->systems * o->first;
    struct selection k = {.o = o, .s = out, .observe = ask, .ctx = ctx};
    out->system = dc_mem_alloc(o->systems, sizeof *out->system);
    k.ask = dc_mem_alloc(asks, sizeof *k.ask);
    k.answer = dc_mem_alloc(asks, sizeof *k.answer);
    k.s2 = dc_mem_alloc(o->systems * o->systems, sizeof *k.s2);
    enum dc_status status = DC_OK;
    if (out->system == NULL || k.ask == NULL || k.answer == NULL || k.s2 == NULL) {
        status = dc_error_set(error, DC_ERR_IO, "out of memory");
    } else {
        out->systems = o->systems;
        status = procedure(&k, error);
    }
    dc_mem_free(k.ask);
    dc_mem_free(k.answer);
    dc_mem_free(k.s2);
    return status;
}

void da_select_free(struct da_select *s)
{
    for (size_t i = 0; i < s->systems; i++)
        dc_mem_free(s->system[i].value);
    dc_mem_free(s->system);
    *s = (struct da_select){.winner = SIZE_MAX};
}

/* ---- of given data --------------------------------------------------------------------------- */

/* One more for each of the bests; they share the draw. */
static void credit(const double *mean, size_t systems, double sign, double *probability)
{
    double best = -INFINITY;
    size_t equal = 0;
    for (size_t i = 0; i < systems; i++) {
        double lead = sign * mean[i];
        equal = lead > best ? 1 : equal + (lead == best);
        best = lead > best ? lead : best;
    }
    for (size_t i = 0; i < systems && best > -INFINITY; i++)
        if (sign * mean[i] == best)
            probability[i] += 1 / (double)equal;
}

void da_best_probability(const double *value, size_t replications, size_t systems, bool maximise,
                         size_t draws, uint64_t seed, double *work, double *probability)
{
    struct dc_stream stream = dc_stream(seed, dc_name("best"), dc_name("weights"));
    for (size_t i = 0; i < systems; i++)
        probability[i] = 0;
    double *weight = work, *mean = work + replications;
    double sign = maximise ? 1 : -1;
    for (size_t d = 0; d < draws; d++) {
        for (size_t r = 0; r < replications;
             r++) /* exponential: Dirichlet once divided by their sum */
            weight[r] = -log(((double)(dc_next64(&stream) >> 11) + 0.5) * 0x1p-53);
        for (size_t i = 0; i < systems; i++) {
            double sum = 0, weights = 0;
            for (size_t r = 0; r < replications; r++) {
                double x = value[i * replications + r];
                sum += isnan(x) ? 0 : weight[r] * x;
                weights += isnan(x) ? 0 : weight[r];
            }
            mean[i] = weights > 0 ? sum / weights : -sign * INFINITY;
        }
        credit(mean, systems, sign, probability);
    }
    for (size_t i = 0; i < systems && draws > 0; i++)
        probability[i] /= (double)draws;
}

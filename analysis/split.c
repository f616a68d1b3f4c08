/* Multilevel splitting; see split.h. */
#include "analysis/split.h"

#include "models/base/mem.h"
#include "models/base/rng.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

uint64_t da_split_root_key(uint64_t seed, uint64_t root)
{
    struct dc_stream s = dc_stream(seed, dc_name_indexed("root", root), dc_name("split"));
    return dc_next64(&s);
}

uint64_t da_split_key(uint64_t parent, uint64_t level, uint64_t copy)
{
    struct dc_stream s = dc_stream(parent, level, copy);
    return dc_next64(&s);
}

/* ---- the estimate ---------------------------------------------------------------------------- */

/* Quantile of the gamma distribution with this mean and variance. */
static double gamma_quantile(double p, double mean, double variance)
{
    if (mean <= 0 || variance <= 0)
        return mean;
    double shape = mean * mean / variance;
    if (shape > 1e8) /* GSL's inverse does not converge; it is normal by then */
        return mean + sqrt(variance) * gsl_cdf_ugaussian_Pinv(p);
    return gsl_cdf_gamma_Pinv(p, shape, variance / mean);
}

struct da_split_result da_split_estimate(const struct da_split *s, double level)
{
    struct da_split_result r = {.plain_runs = NAN};
    double n = (double)s->roots, weight = pow(s->split, -((double)s->levels - 1));
    double sum = 0, square = 0, most = 0, tail = (1 - level) / 2;
    gsl_set_error_handler_off();
    for (size_t i = 0; i < s->roots; i++) {
        double x = (double)s->hits[i] * weight;
        r.hits += s->hits[i];
        r.roots_hit += s->hits[i] != 0;
        sum += x;
        most = x > most ? x : most;
    }
    double mean = sum / n;
    for (size_t i = 0; i < s->roots; i++) {
        double d = (double)s->hits[i] * weight - mean;
        square += d * d;
    }
    r.p = (struct da_estimate){mean, NAN, NAN, s->roots};
    r.variance = s->roots > 1 ? square / (n - 1) / n : NAN;
    if (r.hits == 0) {
        r.p.lo = 0;
        r.p.hi = 1 - pow(tail, 1 / n);
        return r;
    }
    if (!(r.variance > 0)) { /* one root, or all roots alike: what they share is not known */
        r.p.lo = mean * pow(tail, 1 / n);
        r.p.hi = mean + (1 - mean) * (1 - pow(tail, 1 / n));
        return r;
    }
    double spread = r.variance * (s->split > 1 ? 1 + 3.0 / (double)r.roots_hit : 1);
    double step = most / n, top = gamma_quantile(1 - tail, mean + step, spread + step * step);
    r.p.lo = gamma_quantile(tail, mean, spread);
    r.p.hi = top > 1 ? 1 : top;
    r.plain_runs = mean * (1 - mean) / r.variance;
    return r;
}

/* ---- a process in memory --------------------------------------------------------------------- */

enum dc_status da_split_open(size_t levels, uint32_t split, size_t roots, struct da_split *out,
                             struct dc_error *error)
{
    memset(out, 0, sizeof *out);
    if (levels == 0 || roots == 0 || split == 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "splitting needs at least one level, one root and a factor of one");
    if ((double)(levels - 1) * log2(split) > 62)
        return dc_error_set(error, DC_ERR_USAGE,
                            "splitting by %u at each of %zu levels may make 2^62 copies of one "
                            "root: use fewer levels or a smaller factor",
                            split, levels - 1);
    *out = (struct da_split){.levels = levels, .split = split, .roots = roots};
    out->hits = dc_mem_alloc(roots, sizeof *out->hits);
    out->reached = dc_mem_alloc(levels, sizeof *out->reached);
    if (out->hits == NULL || out->reached == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %zu roots", roots);
    return DC_OK;
}

void da_split_free(struct da_split *s)
{
    dc_mem_free(s->hits);
    dc_mem_free(s->reached);
    memset(s, 0, sizeof *s);
}

struct walk {
    const struct da_split_process *process;
    struct da_split *out;
    uint8_t *stack; /* a state for each level, and the one that runs */
    uint64_t hits;
};

/* The state in place `level` of the stack goes on towards that level. */
static void walk_on(struct walk *w, size_t level, uint64_t key)
{
    const struct da_split_process *p = w->process;
    uint8_t *state = w->stack + level * p->state_bytes, *copy = state + p->state_bytes;
    if (!p->reach(p->ctx, state, level))
        return;
    w->out->reached[level]++;
    if (level + 1 == w->out->levels) {
        w->hits++;
        return;
    }
    for (uint32_t c = 0; c < w->out->split; c++) {
        uint64_t own = da_split_key(key, level, c);
        memcpy(copy, state, p->state_bytes);
        p->turn(p->ctx, copy, own);
        walk_on(w, level + 1, own);
    }
}

enum dc_status da_split_run(const struct da_split_process *process, size_t levels, uint32_t split,
                            size_t roots, uint64_t seed, struct da_split *out,
                            struct dc_error *error)
{
    enum dc_status status = da_split_open(levels, split, roots, out, error);
    if (status != DC_OK)
        return status;
    struct walk w = {.process = process, .out = out};
    w.stack = dc_mem_alloc(levels + 1, process->state_bytes);
    if (w.stack == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %zu states", levels);
    for (size_t i = 0; i < roots; i++) {
        uint64_t key = da_split_root_key(seed, i);
        w.hits = 0;
        process->begin(process->ctx, w.stack, key);
        walk_on(&w, 0, key);
        out->hits[i] = w.hits;
    }
    dc_mem_free(w.stack);
    return DC_OK;
}

/* Inverse distribution functions at fixed points.  Every point is computed from the nearer tail
 * (u or 1 - u, both exact in binary), because that is where a double has digits to spare. */
#include "sim/workload/tabulate.h"

#include "models/base/rng.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <math.h>

#define TABULATE_LIMIT 0x1p61

struct tabulate_kind {
    const char *name;
    uint32_t args;
    const char *arg[2];
};

static const struct tabulate_kind tabulate_kinds[DS_TABULATE_KINDS] = {
    [DS_TABULATE_CONSTANT] = {"constant", 1, {"value", NULL}},
    [DS_TABULATE_UNIFORM] = {"uniform", 2, {"low", "high"}},
    [DS_TABULATE_NORMAL] = {"normal", 2, {"mean", "deviation"}},
    [DS_TABULATE_LOGNORMAL] = {"lognormal", 2, {"median", "sigma"}},
    [DS_TABULATE_EXPONENTIAL] = {"exponential", 1, {"mean", NULL}},
    [DS_TABULATE_PARETO] = {"pareto", 2, {"minimum", "exponent"}},
    [DS_TABULATE_WEIBULL] = {"weibull", 2, {"scale", "shape"}},
    [DS_TABULATE_GAMMA] = {"gamma", 2, {"shape", "scale"}},
    [DS_TABULATE_BETA] = {"beta", 2, {"a", "b"}},
};

const char *ds_tabulate_kind_name(enum ds_tabulate_kind kind)
{
    return (unsigned)kind < DS_TABULATE_KINDS ? tabulate_kinds[kind].name : NULL;
}

uint32_t ds_tabulate_kind_args(enum ds_tabulate_kind kind)
{
    return (unsigned)kind < DS_TABULATE_KINDS ? tabulate_kinds[kind].args : 0;
}

/* The spec with what a conditioned normal needs worked out once. */
struct tabulate {
    enum ds_tabulate_kind kind;
    double a, b;
    double below, above; /* probability outside the bounds of a conditioned normal */
    double mass;         /* and inside */
};

/* Of a conditioned normal: its three masses, from whichever tail is the smaller, so that bounds
 * far out in a tail lose no digits. */
static void tabulate_condition(struct tabulate *t, double min, double max)
{
    double lo = min - t->a, hi = max - t->a;
    t->below = gsl_cdf_gaussian_P(lo, t->b);
    t->above = gsl_cdf_gaussian_Q(hi, t->b);
    t->mass =
        lo > 0 ? gsl_cdf_gaussian_Q(lo, t->b) - t->above : gsl_cdf_gaussian_P(hi, t->b) - t->below;
}

/* The inverse at probability u; q is 1 - u, given apart for the sake of its digits. */
static double tabulate_inverse(const struct tabulate *t, double u, double q)
{
    const double a = t->a, b = t->b;
    const bool low = u < 0.5;
    switch (t->kind) {
    case DS_TABULATE_CONSTANT: return a;
    case DS_TABULATE_UNIFORM: return low ? a + u * (b - a) : b - q * (b - a);
    case DS_TABULATE_NORMAL:
        if (b == 0)
            return a;
        u = t->below + u * t->mass;
        q = t->above + q * t->mass;
        return a + (u < q ? gsl_cdf_gaussian_Pinv(u, b) : gsl_cdf_gaussian_Qinv(q, b));
    case DS_TABULATE_LOGNORMAL:
        if (b == 0)
            return a;
        return a * exp(low ? gsl_cdf_gaussian_Pinv(u, b) : gsl_cdf_gaussian_Qinv(q, b));
    case DS_TABULATE_EXPONENTIAL:
        return low ? gsl_cdf_exponential_Pinv(u, a) : gsl_cdf_exponential_Qinv(q, a);
    case DS_TABULATE_PARETO:
        return low ? gsl_cdf_pareto_Pinv(u, b, a) : gsl_cdf_pareto_Qinv(q, b, a);
    case DS_TABULATE_WEIBULL:
        return low ? gsl_cdf_weibull_Pinv(u, a, b) : gsl_cdf_weibull_Qinv(q, a, b);
    case DS_TABULATE_GAMMA: return low ? gsl_cdf_gamma_Pinv(u, a, b) : gsl_cdf_gamma_Qinv(q, a, b);
    case DS_TABULATE_BETA: return low ? gsl_cdf_beta_Pinv(u, a, b) : gsl_cdf_beta_Qinv(q, a, b);
    default: return NAN;
    }
}

/* Mean of the inverse over the outermost cell, of probability `cell`, by midpoints in 24 halvings
 * towards the end: where it diverges (Pareto with an exponent up to 1) that cuts it. */
static double tabulate_end_mean(const struct tabulate *t, double cell, bool upper)
{
    enum { OCTAVES = 24, POINTS = 16 };
    double sum = 0, weight = 1;
    for (int octave = 0; octave < OCTAVES; octave++) {
        weight /= 2;
        for (int i = 0; i < POINTS; i++) {
            double p = cell * weight * (1 + (i + 0.5) / POINTS);
            sum += weight / POINTS *
                   (upper ? tabulate_inverse(t, 1 - p, p) : tabulate_inverse(t, p, 1 - p));
        }
    }
    return sum / (1 - weight);
}

/* Where the outermost point must lie for a straight line to `next` to have the right mean; never
 * beyond the distribution's own end. */
static double tabulate_end(const struct tabulate *t, double cell, bool upper, double next)
{
    double end = upper ? tabulate_inverse(t, 1, 0) : tabulate_inverse(t, 0, 1);
    double fit = 2 * tabulate_end_mean(t, cell, upper) - next;
    if (end != end)
        return fit;
    return upper ? fmin(end, fit) : fmax(end, fit);
}

static bool tabulate_integer(const struct ds_tabulate_spec *spec, double x, int64_t *value)
{
    if (x != x)
        return false;
    if (spec->bounded)
        x = fmin(fmax(x, spec->min), spec->max);
    x *= spec->scale != 0 ? spec->scale : 1;
    *value = (int64_t)nearbyint(fmin(fmax(x, -TABULATE_LIMIT), TABULATE_LIMIT));
    return true;
}

static enum dc_status tabulate_refuse(enum ds_tabulate_kind kind, uint32_t arg, double value,
                                      const char *want, struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_USAGE, "%s: %s is %g; %s", tabulate_kinds[kind].name,
                        tabulate_kinds[kind].arg[arg], value, want);
}

static enum dc_status tabulate_check(const struct ds_tabulate_spec *s, struct dc_error *error)
{
    if ((unsigned)s->kind >= DS_TABULATE_KINDS)
        return dc_error_set(error, DC_ERR_USAGE, "distribution kind %d does not exist",
                            (int)s->kind);
    for (uint32_t i = 0; i < tabulate_kinds[s->kind].args; i++)
        if (!isfinite(s->arg[i]))
            return tabulate_refuse(s->kind, i, s->arg[i], "use a finite number", error);
    /* A scale or shape below 0 makes no sense anywhere; 0 only for a width. */
    const bool width = s->kind == DS_TABULATE_NORMAL || s->kind == DS_TABULATE_LOGNORMAL;
    if (width && s->arg[1] < 0)
        return tabulate_refuse(s->kind, 1, s->arg[1], "use 0 or more", error);
    if (s->kind == DS_TABULATE_UNIFORM && s->arg[1] < s->arg[0])
        return tabulate_refuse(s->kind, 1, s->arg[1], "it must not be below the low end", error);
    if (s->kind == DS_TABULATE_LOGNORMAL && s->arg[0] <= 0)
        return tabulate_refuse(s->kind, 0, s->arg[0], "use a value above 0", error);
    if (s->kind >= DS_TABULATE_EXPONENTIAL)
        for (uint32_t i = 0; i < tabulate_kinds[s->kind].args; i++)
            if (s->arg[i] <= 0)
                return tabulate_refuse(s->kind, i, s->arg[i], "use a value above 0", error);
    if (s->bounded && !(s->min <= s->max))
        return dc_error_set(error, DC_ERR_USAGE, "%s: the range from %g to %g is empty",
                            tabulate_kinds[s->kind].name, s->min, s->max);
    if (!(s->scale >= 0) || !isfinite(s->scale))
        return dc_error_set(error, DC_ERR_USAGE, "%s: scale is %g", tabulate_kinds[s->kind].name,
                            s->scale);
    return DC_OK;
}

static struct tabulate tabulate_prepare(const struct ds_tabulate_spec *s)
{
    struct tabulate t = {.kind = s->kind, .a = s->arg[0], .b = s->arg[1], .mass = 1};
    if (s->kind == DS_TABULATE_NORMAL && s->bounded && s->arg[1] > 0)
        tabulate_condition(&t, s->min, s->max);
    return t;
}

enum dc_status ds_tabulate(const struct ds_tabulate_spec *spec, struct dc_dist *out,
                           struct dc_error *error)
{
    const int n = DC_DIST_CELLS;
    enum dc_status status = tabulate_check(spec, error);
    if (status != DC_OK)
        return status;
    gsl_set_error_handler_off();
    const struct tabulate t = tabulate_prepare(spec);
    if (!(t.mass > 0))
        return dc_error_set(error, DC_ERR_USAGE,
                            "normal: mean %g and deviation %g put nothing between %g and %g; move "
                            "the mean",
                            t.a, t.b, spec->min, spec->max);
    const double cell = 1.0 / n, tail = cell / n;
    bool good = true;
    for (int i = 1; i < n; i++) {
        good &= tabulate_integer(spec, tabulate_inverse(&t, i * cell, 1 - i * cell), &out->cell[i]);
        double q = (n - i) * tail;
        good &= tabulate_integer(spec, tabulate_inverse(&t, 1 - q, q), &out->tail[i]);
    }
    good &= tabulate_integer(
        spec, tabulate_end(&t, cell, false, tabulate_inverse(&t, cell, 1 - cell)), &out->cell[0]);
    good &= tabulate_integer(
        spec, tabulate_end(&t, tail, true, tabulate_inverse(&t, 1 - tail, tail)), &out->tail[n]);
    if (!good)
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: its inverse cannot be computed for these arguments; use less "
                            "extreme ones",
                            tabulate_kinds[spec->kind].name);
    /* GSL's iterative inverses (gamma, beta) may be off by a last digit between points. */
    for (int i = 1; i < n; i++)
        if (out->cell[i] < out->cell[i - 1])
            out->cell[i] = out->cell[i - 1];
    out->tail[0] = out->cell[n - 1];
    for (int i = 1; i <= n; i++)
        if (out->tail[i] < out->tail[i - 1])
            out->tail[i] = out->tail[i - 1];
    out->cell[n] = out->tail[n];
    out->min = out->cell[0];
    out->max = out->tail[n];
    return DC_OK;
}

double ds_tabulate_cdf(const struct ds_tabulate_spec *spec, double x)
{
    const struct tabulate t = tabulate_prepare(spec);
    const double a = t.a, b = t.b;
    if (spec->bounded && x >= spec->max)
        return 1;
    if (spec->bounded && x < spec->min)
        return 0;
    switch (spec->kind) {
    case DS_TABULATE_CONSTANT: return x >= a;
    case DS_TABULATE_UNIFORM: return x >= b ? 1 : x < a ? 0 : (x - a) / (b - a);
    case DS_TABULATE_LOGNORMAL:
        return b == 0 ? x >= a : x <= 0 ? 0 : gsl_cdf_gaussian_P(log(x / a), b);
    case DS_TABULATE_EXPONENTIAL: return gsl_cdf_exponential_P(x, a);
    case DS_TABULATE_PARETO: return x < a ? 0 : gsl_cdf_pareto_P(x, b, a);
    case DS_TABULATE_WEIBULL: return x <= 0 ? 0 : gsl_cdf_weibull_P(x, a, b);
    case DS_TABULATE_GAMMA: return x <= 0 ? 0 : gsl_cdf_gamma_P(x, a, b);
    case DS_TABULATE_BETA: return x <= 0 ? 0 : x >= 1 ? 1 : gsl_cdf_beta_P(x, a, b);
    default:
        if (b == 0)
            return x >= a;
        return x > a ? 1 - (gsl_cdf_gaussian_Q(x - a, b) - t.above) / t.mass
                     : (gsl_cdf_gaussian_P(x - a, b) - t.below) / t.mass;
    }
}

uint64_t ds_tabulate_digest(const struct dc_dist *table)
{
    uint64_t h = dc_mix64(DC_DIST_CELLS);
    for (int i = 0; i <= DC_DIST_CELLS; i++)
        h = dc_mix64(h ^ (uint64_t)table->cell[i]);
    for (int i = 0; i <= DC_DIST_CELLS; i++)
        h = dc_mix64(h ^ (uint64_t)table->tail[i]);
    return h;
}

int64_t ds_tabulate_mean(const struct dc_dist *table)
{
    __int128 cells = 0, tail = 0;
    for (int i = 0; i < DC_DIST_CELLS; i++) {
        if (i < DC_DIST_CELLS - 1)
            cells += (__int128)table->cell[i] + table->cell[i + 1];
        tail += (__int128)table->tail[i] + table->tail[i + 1];
    }
    __int128 sum = cells * DC_DIST_CELLS + tail; /* twice, over DC_DIST_CELLS^2 */
    return (int64_t)(sum / (2 * DC_DIST_CELLS * DC_DIST_CELLS));
}

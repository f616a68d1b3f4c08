/* Scales, ticks and grids of figures. */
#include "analysis/figure_parts.h"

#include "analysis/stats.h"
#include "models/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double da_ruler_at(const struct da_ruler *r, double value)
{
    if (!isfinite(value) || (r->log && value <= 0))
        return NAN;
    double share =
        r->log ? log10(value / r->lo) / log10(r->hi / r->lo) : (value - r->lo) / (r->hi - r->lo);
    return r->from + share * (r->to - r->from);
}

/* 1, 2 or 5 times a power of ten, at least `value`. */
static double nice(double value)
{
    double power = pow(10, floor(log10(value)));
    double m = value / power;
    return power * (m <= 1.000001 ? 1 : m <= 2.000001 ? 2 : m <= 5.000001 ? 5 : 10);
}

static double step_of(double lo, double hi, size_t wanted)
{
    return nice((hi - lo) / (double)(wanted == 0 ? 1 : wanted));
}

static void tick_add(struct da_ticks *ticks, double value, const char *text)
{
    if (ticks->count == DA_TICKS_MAX)
        return;
    struct da_tick *t = &ticks->tick[ticks->count++];
    t->value = value;
    snprintf(t->text, sizeof t->text, "%s", text);
}

static void ticks_linear(struct da_ticks *ticks, double lo, double hi, size_t wanted)
{
    double step = step_of(lo, hi, wanted);
    for (size_t more = 2; more <= 4; more++) /* one tick tells no scale */
        if (floor(hi / step + 1e-6) - ceil(lo / step - 1e-6) < 1)
            step = step_of(lo, hi, more * wanted);
    double first = ceil(lo / step - 1e-6), last = floor(hi / step + 1e-6);
    double most = fmax(fabs(lo), fabs(hi));
    char format[16], text[DA_TICK_TEXT_MAX];
    int decimals = (int)fmax(0, -floor(log10(step) + 1e-6));
    if (most < 1e6 && decimals <= 6)
        snprintf(format, sizeof format, "%%.%df", decimals);
    else /* as many digits as tell neighbours apart */
        snprintf(format, sizeof format, "%%.%dg", (int)fmin(15, ceil(log10(most / step)) + 1));
    for (double i = first; i <= last && ticks->count < DA_TICKS_MAX; i++) {
        da_number_format(text, sizeof text, format, i * step);
        tick_add(ticks, i * step, text);
    }
}

static void power_text(char *out, size_t out_max, int mantissa, int exponent)
{
    static const char *const raised[] = {
        "\xe2\x81\xb0", "\xc2\xb9",     "\xc2\xb2",     "\xc2\xb3",     "\xe2\x81\xb4",
        "\xe2\x81\xb5", "\xe2\x81\xb6", "\xe2\x81\xb7", "\xe2\x81\xb8", "\xe2\x81\xb9"};
    if (exponent >= -4 && exponent <= 5) {
        char format[16];
        snprintf(format, sizeof format, "%%.%df", exponent < 0 ? -exponent : 0);
        da_number_format(out, out_max, format, mantissa * pow(10, exponent));
        return;
    }
    size_t n = 0;
    if (mantissa != 1)
        n = (size_t)snprintf(out, out_max, "%d\xc2\xb7", mantissa);
    n += (size_t)snprintf(out + n, out_max - n, "10%s", exponent < 0 ? "\xe2\x81\xbb" : "");
    char digits[16];
    snprintf(digits, sizeof digits, "%d", abs(exponent));
    for (const char *d = digits; *d != '\0'; d++)
        n += (size_t)snprintf(out + n, out_max - n, "%s", raised[*d - '0']);
}

/* per: 1 of each decade, or 1, 2 and 5; every: so many decades. */
static void ticks_decades(struct da_ticks *ticks, double lo, double hi, size_t per, int every)
{
    static const int all[] = {1, 2, 5};
    int first = (int)floor(log10(lo) - 1e-9), last = (int)ceil(log10(hi) + 1e-9);
    ticks->count = 0;
    for (int e = first; e <= last; e++) {
        if (((e % every) + every) % every != 0)
            continue;
        for (size_t m = 0; m < per; m++) {
            double value = all[m] * pow(10, e);
            char text[DA_TICK_TEXT_MAX];
            power_text(text, sizeof text, all[m], e);
            if (value >= lo * (1 - 1e-9) && value <= hi * (1 + 1e-9))
                tick_add(ticks, value, text);
        }
    }
}

static void ticks_log(struct da_ticks *ticks, double lo, double hi, size_t wanted)
{
    double decades = log10(hi) - log10(lo);
    size_t per = decades * 3 <= (double)wanted ? 3 : 1;
    ticks_decades(ticks, lo, hi, per, (int)fmax(1, ceil(decades / (double)wanted)));
    if (ticks->count < 2)
        ticks_decades(ticks, lo, hi, 1, 1);
    if (ticks->count < 2)
        ticks_decades(ticks, lo, hi, 3, 1);
    if (ticks->count < 2) {
        ticks->count = 0;
        ticks_linear(ticks, lo, hi, wanted);
    }
}

void da_ticks_make(struct da_ticks *ticks, double lo, double hi, bool log, size_t wanted)
{
    ticks->count = 0;
    wanted = wanted == 0 ? 1 : wanted;
    if (log)
        ticks_log(ticks, lo, hi, wanted);
    else
        ticks_linear(ticks, lo, hi, wanted);
}

void da_ticks_widen(double *lo, double *hi, bool log, size_t wanted, bool lo_fixed, bool hi_fixed)
{
    double new_lo, new_hi;
    if (log) {
        double power = pow(10, floor(log10(*lo) + 1e-9)), m = *lo / power;
        new_lo = power * (m >= 4.999999 ? 5 : m >= 1.999999 ? 2 : 1);
        new_hi = nice(*hi);
    } else {
        double step = step_of(*lo, *hi, wanted);
        new_lo = floor(*lo / step + 1e-6) * step;
        new_hi = ceil(*hi / step - 1e-6) * step;
    }
    if (!lo_fixed && isfinite(new_lo))
        *lo = log ? fmin(new_lo, *lo) : new_lo; /* a hair above: -1e-33 is 0 */
    if (!hi_fixed && isfinite(new_hi))
        *hi = log ? fmax(new_hi, *hi) : new_hi;
}

bool da_grid_make(struct da_grid *grid, const double *value, size_t count, bool log)
{
    *grid = (struct da_grid){.log = log, .value = dc_mem_alloc(count + 1, sizeof *value)};
    if (grid->value == NULL)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(value[i]) && (!log || value[i] > 0))
            grid->value[n++] = value[i];
    qsort(grid->value, n, sizeof *grid->value, da_rising);
    for (size_t i = 0; i < n; i++)
        if (grid->count == 0 || grid->value[i] != grid->value[grid->count - 1])
            grid->value[grid->count++] = grid->value[i];
    return true;
}

/* Half way from a to b; beyond the end, half of the step before it. */
static double half_way(const struct da_grid *grid, size_t at, bool up)
{
    const double *v = grid->value;
    size_t n = grid->count;
    if (n == 1)
        return grid->log ? v[0] * (up ? M_SQRT2 : M_SQRT1_2) : v[0] + (up ? 0.5 : -0.5);
    bool inside = up ? at + 1 < n : at > 0;
    size_t other = up == inside ? at + 1 : at - 1;
    if (grid->log)
        return inside ? sqrt(v[at] * v[other]) : v[at] * sqrt(v[at] / v[other]);
    return inside ? (v[at] + v[other]) / 2 : v[at] + (v[at] - v[other]) / 2;
}

void da_grid_box(const struct da_grid *grid, double value, double *lo, double *hi)
{
    const double *found = grid->count == 0 ? NULL
                                           : bsearch(&value, grid->value, grid->count,
                                                     sizeof *grid->value, da_rising);
    *lo = *hi = NAN;
    if (found == NULL)
        return;
    *lo = half_way(grid, (size_t)(found - grid->value), false);
    *hi = half_way(grid, (size_t)(found - grid->value), true);
}

void da_grid_free(struct da_grid *grid)
{
    dc_mem_free(grid->value);
    *grid = (struct da_grid){0};
}

/* The test behind compare: step-down maxT over rearrangements of the units.
 *
 * Per hypothesis and rearrangement only sums are needed, so units are the outer loop and hypotheses
 * the inner one, over rows of `count` doubles:
 *
 *     paired        sum of +-d; the sum of squares stays
 *     independent   count, sum, sum of squares on side A; those of B are what is left of the whole
 *
 * Values are centred (independent) and scaled by their largest first, so that what rounding leaves
 * of a variance is known from one that is there. */
#include "analysis/compare.h"

#include "models/base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 20000, PAIRS_EXHAUSTIVE = 15 };
static const double VARIANCE_NONE = 1e-13; /* of the sum of squares: rounding */
static const double SLACK = 1e-9;          /* equal but for rounding */

struct table {
    size_t units, units_a, count;
    bool paired;
    double *x;            /* units x count, missing as 0 */
    double *there;        /* likewise: 1 or 0 */
    double *n, *sum, *sq; /* of all units */
    double *na, *suma, *sqa;
    uint8_t *side; /* per unit: paired: the sign is turned; else on side A */
    double *z2;    /* of one rearrangement, [count] */
    size_t *order; /* tested hypotheses, strongest first */
    size_t tested;
    double *observed; /* z2, in this order */
    uint64_t *reached;
};

/* Wallace's scale, squared: monotone in t2. */
static double z_squared(double t2, double df)
{
    double c = (8 * df + 1) / (8 * df + 3);
    return isinf(t2) ? INFINITY : c * c * df * log1p(t2 / df);
}

static double paired_z2(double n, double sum, double sq)
{
    double within = sq - sum * sum / n;
    if (within <= VARIANCE_NONE * sq)
        return INFINITY;
    return z_squared(sum * sum / n / (within / (n - 1)), n - 1);
}

/* Welch's; the pooled variance decides whether there is any. */
static double welch_z2(const struct table *t, size_t h)
{
    double na = t->na[h], nb = t->n[h] - na, sa = t->suma[h], sb = t->sum[h] - sa;
    if (na < 2 || nb < 2)
        return 0;
    double ssa = fmax(t->sqa[h] - sa * sa / na, 0), ssb = t->sq[h] - t->sqa[h] - sb * sb / nb;
    double d = sa / na - sb / nb;
    ssb = fmax(ssb, 0);
    if (ssa + ssb <= VARIANCE_NONE * t->sq[h])
        return INFINITY;
    double va = ssa / (na - 1) / na, vb = ssb / (nb - 1) / nb, v = va + vb;
    double df = v * v / (va * va / (na - 1) + vb * vb / (nb - 1));
    return z_squared(d * d / v, df);
}

static void evaluate(struct table *t)
{
    memset(t->suma, 0, t->count * sizeof *t->suma);
    memset(t->sqa, 0, t->count * sizeof *t->sqa);
    memset(t->na, 0, t->count * sizeof *t->na);
    for (size_t u = 0; u < t->units; u++) {
        const double *x = t->x + u * t->count, *there = t->there + u * t->count;
        if (t->paired) {
            double sign = t->side[u] ? -1 : 1;
            for (size_t h = 0; h < t->count; h++)
                t->suma[h] += sign * x[h];
        } else if (t->side[u]) {
            for (size_t h = 0; h < t->count; h++) {
                t->suma[h] += x[h];
                t->sqa[h] += x[h] * x[h];
                t->na[h] += there[h];
            }
        }
    }
    for (size_t k = 0; k < t->tested; k++) {
        size_t h = t->order[k];
        t->z2[h] = t->paired ? paired_z2(t->n[h], t->suma[h], t->sq[h]) : welch_z2(t, h);
    }
}

static void tally(struct table *t)
{
    double most = 0;
    evaluate(t);
    for (size_t k = t->tested; k-- > 0;) {
        most = fmax(most, t->z2[t->order[k]]);
        t->reached[k] += most >= t->observed[k] * (1 - SLACK);
    }
}

/* ---- rearrangements -------------------------------------------------------------------------- */

/* Turning all signs changes no |z|: unit 0 keeps its own, which halves the work. */
static size_t all_signs(struct table *t)
{
    DC_CHECK(t->units >= 1 && t->units <= PAIRS_EXHAUSTIVE);
    for (uint32_t bits = 0; bits < 1U << (t->units - 1); bits++) {
        for (size_t u = 1; u < t->units; u++)
            t->side[u] = bits >> (u - 1) & 1;
        tally(t);
    }
    return (size_t)1 << (t->units - 1);
}

/* All choices of units_a out of units, in lexicographic order. */
static size_t all_sides(struct table *t)
{
    size_t done = 0, n = t->units, k = t->units_a;
    memset(t->side, 0, n);
    memset(t->side, 1, k);
    for (;;) {
        tally(t);
        done++;
        size_t i = n, ones = 0; /* the last 1 that has a 0 behind it moves on; those after follow */
        while (i > 0 && t->side[i - 1])
            i--, ones++;
        while (i > 0 && !t->side[i - 1])
            i--;
        if (i == 0)
            return done;
        t->side[i - 1] = 0;
        memset(t->side + i, 0, n - i);
        memset(t->side + i, 1, ones + 1);
    }
}

static size_t drawn(struct table *t, size_t draws, uint64_t seed)
{
    struct dc_stream stream = dc_stream(seed, dc_name("compare"), dc_name("rearrange"));
    for (size_t d = 0; d < draws; d++) {
        if (d == 0) { /* the one that was observed */
            for (size_t u = 0; u < t->units; u++)
                t->side[u] = t->paired ? 0 : u < t->units_a;
        } else if (t->paired) {
            for (size_t u = 0; u < t->units; u++)
                t->side[u] = dc_next64(&stream) & 1;
        } else {
            for (size_t u = t->units; u-- > 1;) {
                size_t v = (size_t)dc_next_below(&stream, u + 1);
                uint8_t side = t->side[u];
                t->side[u] = t->side[v];
                t->side[v] = side;
            }
        }
        tally(t);
    }
    return draws;
}

/* n over k, or more than `most`. */
static double choose(size_t n, size_t k, double most)
{
    double c = 1;
    for (size_t i = 1; i <= k && c <= most; i++)
        c = c * (double)(n - k + i) / (double)i;
    return c;
}

bool da_rearrange_enough(size_t units_a, size_t units_b, bool paired, double level)
{
    if (paired)
        return units_a > 1 && (units_a > 60 || 2 / (double)(UINT64_C(1) << units_a) <= level);
    return units_a > 1 && units_b > 1 &&
           2 / choose(units_a + units_b, units_a < units_b ? units_a : units_b, 1e12) <= level;
}

/* ---- the test -------------------------------------------------------------------------------- */

static void load(struct table *t, const struct da_rearrange *r, double level)
{
    for (size_t h = 0; h < t->count; h++) {
        double sum = 0, n = 0, most = 0, n_a = 0;
        for (size_t u = 0; u < t->units; u++) {
            double v = r->value[u * t->count + h];
            if (isnan(v))
                continue;
            sum += v;
            n++;
            n_a += u < t->units_a;
        }
        double centre = t->paired || n == 0 ? 0 : sum / n;
        for (size_t u = 0; u < t->units; u++) {
            double v = r->value[u * t->count + h];
            most = isnan(v) ? most : fmax(most, fabs(v - centre));
        }
        bool equal = true;
        double first = NAN;
        for (size_t u = 0; u < t->units; u++) {
            size_t at = u * t->count + h;
            double v = r->value[at];
            t->there[at] = !isnan(v);
            t->x[at] = isnan(v) || !(most > 0) ? 0 : (v - centre) / most;
            t->n[h] += t->there[at];
            t->sum[h] += t->x[at];
            t->sq[h] += t->x[at] * t->x[at];
            first = isnan(first) ? v : first;
            equal = equal && (isnan(v) || v == (t->paired ? 0 : first));
        }
        bool enough = t->paired ? da_rearrange_enough((size_t)n, (size_t)n, true, level)
                                : da_rearrange_enough((size_t)n_a, (size_t)(n - n_a), false, level);
        if (!equal && enough && isfinite(most))
            t->order[t->tested++] = h;
    }
}

struct rank {
    size_t h;
    double z2;
};
static int stronger(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->z2 != y->z2)
        return x->z2 > y->z2 ? -1 : 1;
    return x->h < y->h ? -1 : x->h > y->h;
}

/* The observed arrangement: z with its sign, and the order of the hypotheses. */
static void observe(struct table *t, double *z)
{
    for (size_t u = 0; u < t->units; u++)
        t->side[u] = t->paired ? 0 : u < t->units_a;
    evaluate(t);
    struct rank *rank = dc_mem_need(t->tested + 1, sizeof *rank, "a test");
    for (size_t k = 0; k < t->tested; k++) {
        size_t h = t->order[k];
        double sb = t->sum[h] - t->suma[h], nb = t->n[h] - t->na[h];
        double d = t->paired ? t->suma[h] : sb / nb - t->suma[h] / t->na[h];
        rank[k] = (struct rank){h, t->z2[h]};
        z[h] = d < 0 ? -sqrt(t->z2[h]) : sqrt(t->z2[h]);
    }
    qsort(rank, t->tested, sizeof *rank, stronger);
    for (size_t k = 0; k < t->tested; k++) {
        t->order[k] = rank[k].h;
        t->observed[k] = rank[k].z2;
    }
    dc_mem_free(rank);
}

static struct da_rearranged rearrange(struct table *t, const struct da_rearrange *r)
{
    struct da_rearranged out = {.tested = t->tested};
    double draws = fmax(DRAWS, ceil(20 / r->level)), work = (double)t->count * (double)t->units;
    draws = fmax(fmin(draws, 1e10 / work), ceil(2 / r->level));
    if (t->tested == 0)
        return out;
    if (t->paired && t->units <= PAIRS_EXHAUSTIVE) {
        out.exact = true;
        out.rearrangements = all_signs(t);
    } else if (!t->paired && choose(t->units, t->units_a, DRAWS) <= DRAWS) {
        out.exact = true;
        out.rearrangements = all_sides(t);
    } else {
        out.rearrangements = drawn(t, (size_t)draws, r->seed);
    }
    return out;
}

struct da_rearranged da_rearrange_test(const struct da_rearrange *r, double *z, double *p)
{
    size_t count = r->count, cells = r->units * count;
    struct table t = {
        .units = r->units, .units_a = r->units_a, .count = count, .paired = r->paired};
    double *block = dc_mem_need(2 * cells + 8 * count + 1, sizeof *block, "a test");
    t.x = block;
    t.there = t.x + cells;
    t.n = t.there + cells;
    t.sum = t.n + count;
    t.sq = t.sum + count;
    t.na = t.sq + count;
    t.suma = t.na + count;
    t.sqa = t.suma + count;
    t.z2 = t.sqa + count;
    t.observed = t.z2 + count;
    t.side = dc_mem_need(r->units + 1, 1, "a test");
    t.order = dc_mem_need(count + 1, sizeof *t.order, "a test");
    t.reached = dc_mem_need(count + 1, sizeof *t.reached, "a test");
    for (size_t h = 0; h < count; h++) {
        z[h] = 0;
        p[h] = NAN;
    }
    load(&t, r, r->level);
    observe(&t, z);
    struct da_rearranged out = rearrange(&t, r);
    double least = 0;
    for (size_t k = 0; k < t.tested; k++) {
        least = fmax(least, (double)t.reached[k] / (double)out.rearrangements);
        p[t.order[k]] = least;
    }
    dc_mem_free(block);
    dc_mem_free(t.side);
    dc_mem_free(t.order);
    dc_mem_free(t.reached);
    return out;
}

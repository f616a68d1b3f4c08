/* ROC and precision-recall from scores.  Sorted once into groups of equal scores; a bootstrap draw
 * is a weight for every item, summed over the groups. */
#include "analysis/roc.h"

#include "analysis/resample.h"
#include "models/base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct scored {
    double score;
    size_t rank; /* among its class, as given */
    bool positive;
};
struct group {
    double score, positives, negatives;
};
struct curve {
    const struct scored *item; /* by falling score */
    size_t items, groups, positives, negatives;
    struct group *group;
};

static int falling(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->positive != y->positive)
        return x->positive ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Sums the groups; weights by rank within the class, NULL: 1 each. */
static void curve_group(struct curve *c, const double *positive, const double *negative)
{
    c->groups = 0;
    for (size_t i = 0; i < c->items; i++) {
        const struct scored *item = &c->item[i];
        if (i == 0 || item->score != item[-1].score)
            c->group[c->groups++] = (struct group){.score = item->score};
        struct group *g = &c->group[c->groups - 1];
        if (item->positive)
            g->positives += positive ? positive[item->rank] : 1;
        else
            g->negatives += negative ? negative[item->rank] : 1;
    }
}

/* The area under precision over true positives from (t0, f0) to (t1, f1), false positives growing
 * evenly in between. */
static double precision_piece(double t0, double f0, double t1, double f1)
{
    if (t1 <= t0)
        return 0;
    double slope = (f1 - f0) / (t1 - t0), c = f0 - slope * t0;
    double piece = (t1 - t0) / (1 + slope);
    if (t0 + f0 > 0)
        piece -= c / ((1 + slope) * (1 + slope)) * log((t1 + f1) / (t0 + f0));
    return piece;
}

enum { AREA, AVERAGE_PRECISION, PRECISION_AREA, CURVE_WIDTH };
static void curve_areas(const struct curve *c, double out[CURVE_WIDTH])
{
    double tp = 0, fp = 0, all_positive = (double)c->positives, all_negative = (double)c->negatives;
    memset(out, 0, CURVE_WIDTH * sizeof *out);
    for (size_t i = 0; i < c->groups; i++) {
        double more_tp = c->group[i].positives, more_fp = c->group[i].negatives;
        out[AREA] += more_fp * (tp + more_tp / 2);
        out[PRECISION_AREA] += precision_piece(tp, fp, tp + more_tp, fp + more_fp);
        tp += more_tp;
        fp += more_fp;
        if (more_tp > 0)
            out[AVERAGE_PRECISION] += more_tp * tp / (tp + fp);
    }
    out[AREA] /= all_positive * all_negative;
    out[AVERAGE_PRECISION] /= all_positive;
    out[PRECISION_AREA] /= all_positive;
}

/* The variance of the area: of the positives' shares of negatives below them, and of the negatives'
 * shares of positives above. */
static double delong_variance(const struct curve *c, double area)
{
    double above = 0, below = (double)c->negatives, m = (double)c->positives,
           n = (double)c->negatives, sum_m = 0, sum_n = 0;
    if (c->positives < 2 || c->negatives < 2)
        return NAN;
    for (size_t i = 0; i < c->groups; i++) {
        const struct group *g = &c->group[i];
        below -= g->negatives;
        double of_positive = (below + g->negatives / 2) / n - area;
        double of_negative = (above + g->positives / 2) / m - area;
        sum_m += g->positives * of_positive * of_positive;
        sum_n += g->negatives * of_negative * of_negative;
        above += g->positives;
    }
    return sum_m / (m - 1) / m + sum_n / (n - 1) / n;
}

/* On the logit scale, so that it stays within 0..1.  Without a variance (complete separation) the
 * bound is of as many independent pairs that were all won, or lost. */
static struct da_estimate delong_interval(const struct curve *c, double area, double level)
{
    size_t pairs = c->positives < c->negatives ? c->positives : c->negatives;
    struct da_estimate e = {area, NAN, NAN, c->items};
    double variance = delong_variance(c, area);
    if (area <= 0 || area >= 1) {
        struct da_estimate b = da_binomial_interval(area > 0 ? pairs : 0, pairs, level);
        e.lo = b.lo;
        e.hi = b.hi;
    } else if (!isnan(variance)) {
        double at = log(area / (1 - area));
        double half = da_normal_quantile((1 + level) / 2) * sqrt(variance) / (area * (1 - area));
        e.lo = 1 / (1 + exp(half - at));
        e.hi = 1 / (1 + exp(-half - at));
    }
    return e;
}

static void draw_weights(struct dc_stream *s, double *weight, size_t n)
{
    memset(weight, 0, n * sizeof *weight);
    for (size_t i = 0; i < n; i++)
        weight[dc_next_below(s, n)]++;
}

static bool roc_bootstrap(struct curve *c, double level, uint64_t seed, struct da_roc *out)
{
    double value[CURVE_WIDTH];
    double *drawn = dc_arena_alloc(&out->arena, (size_t)DA_DRAWS * CURVE_WIDTH * sizeof *drawn);
    double *weight = dc_arena_alloc(&out->arena, c->items * sizeof *weight);
    if (!drawn || !weight)
        return false;
    curve_areas(c, value);
    out->area = delong_interval(c, value[AREA], level);
    for (size_t d = 0; d < DA_DRAWS; d++) {
        struct dc_stream s = dc_stream(seed, dc_name_indexed("roc", d), dc_name("item"));
        draw_weights(&s, weight, c->positives);
        draw_weights(&s, weight + c->positives, c->negatives);
        curve_group(c, weight, weight + c->positives);
        curve_areas(c, drawn + d * CURVE_WIDTH);
    }
    struct da_estimate *field[] = {&out->area_bootstrap, &out->average_precision,
                                   &out->precision_area};
    size_t rows = c->positives < c->negatives ? c->positives : c->negatives;
    for (size_t i = 0; i < CURVE_WIDTH; i++)
        *field[i] = da_resample_interval(value[i], drawn, DA_DRAWS, CURVE_WIDTH, i, rows, level);
    return true;
}

static void roc_points(const struct curve *c, struct da_roc *out)
{
    double tp = 0, fp = 0;
    out->point[0] = (struct da_roc_point){.threshold = INFINITY, .precision = 1};
    for (size_t i = 0; i < c->groups; i++) {
        tp += c->group[i].positives;
        fp += c->group[i].negatives;
        out->point[i + 1] = (struct da_roc_point){.threshold = c->group[i].score,
                                                  .true_positives = (size_t)tp,
                                                  .false_positives = (size_t)fp,
                                                  .tpr = tp / (double)c->positives,
                                                  .fpr = fp / (double)c->negatives,
                                                  .precision = tp / (tp + fp)};
    }
    out->points = c->groups + 1;
}

static enum dc_status roc_no_memory(struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "out of memory for a ROC");
}

enum dc_status da_roc_scored(const double *score, const bool *positive, size_t n, double level,
                             uint64_t seed, struct da_roc *out, struct dc_error *error)
{
    memset(out, 0, sizeof *out);
    struct scored *item = dc_arena_alloc(&out->arena, (n + 1) * sizeof *item);
    struct curve c = {.item = item, .items = n};
    c.group = dc_arena_alloc(&out->arena, (n + 1) * sizeof *c.group);
    out->point = dc_arena_alloc(&out->arena, (n + 1) * sizeof *out->point);
    if (!item || !c.group || !out->point)
        return roc_no_memory(error);
    for (size_t i = 0; i < n; i++) {
        if (isnan(score[i]))
            return dc_error_set(error, DC_ERR_USAGE, "ROC: score %zu is not a number", i);
        size_t *rank = positive[i] ? &c.positives : &c.negatives;
        item[i] = (struct scored){score[i], (*rank)++, positive[i]};
    }
    if (c.positives == 0 || c.negatives == 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "ROC: %zu positives and %zu negatives; both are needed", c.positives,
                            c.negatives);
    qsort(item, n, sizeof *item, falling);
    curve_group(&c, NULL, NULL);
    out->positives = c.positives;
    out->negatives = c.negatives;
    roc_points(&c, out);
    return roc_bootstrap(&c, level, seed, out) ? DC_OK : roc_no_memory(error);
}

void da_roc_free(struct da_roc *out)
{
    dc_arena_free(&out->arena);
    memset(out, 0, sizeof *out);
}

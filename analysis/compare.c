/* Compares two sides: finds what belongs together, tests it at once, and says what it means. */
#include "analysis/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- directions ------------------------------------------------------------------------------ */

enum suffixes { ALONE, WITH_SUFFIX };
struct direction {
    const char *name;
    enum suffixes suffixes;
    enum da_better better;
};
/* The first that fits counts.  What only measures demand, size or configuration is not here, nor
 * traffic by kind of message: less of one kind is more of another. */
static const struct direction directions[] = {
    {"safety", ALONE, DA_BETTER_HIGHER},
    {"supply", ALONE, DA_BETTER_HIGHER},
    {"halted", ALONE, DA_BETTER_LOWER},
    {"epochs", ALONE, DA_BETTER_HIGHER},
    {"blocks_final", ALONE, DA_BETTER_HIGHER},
    {"blocks_per_second", ALONE, DA_BETTER_HIGHER},
    {"transactions_final", ALONE, DA_BETTER_HIGHER},
    {"rounds_timed_out", ALONE, DA_BETTER_LOWER},
    {"finality_latency", WITH_SUFFIX, DA_BETTER_LOWER},
    {"payments_failed", ALONE, DA_BETTER_LOWER},
    {"payment_latency", WITH_SUFFIX, DA_BETTER_LOWER},
    {"applications_done", ALONE, DA_BETTER_HIGHER},
    {"applications_exact", ALONE, DA_BETTER_HIGHER},
    {"applications_refused", ALONE, DA_BETTER_LOWER},
    {"application_exact", WITH_SUFFIX, DA_BETTER_HIGHER},
    {"training_exact", ALONE, DA_BETTER_HIGHER},
    {"inference_exact", ALONE, DA_BETTER_HIGHER},
    {"loss", ALONE, DA_BETTER_LOWER},
    {"loss_leaked", ALONE, DA_BETTER_LOWER},
    {"loss_slashed", ALONE, DA_BETTER_LOWER},
    {"loss_ejected", ALONE, DA_BETTER_LOWER},
    {"loss_challenges", ALONE, DA_BETTER_LOWER},
    {"loss_with_harm", ALONE, DA_BETTER_LOWER},
    {"theta_lift", ALONE, DA_BETTER_HIGHER},
    {"lift_detections", ALONE, DA_BETTER_HIGHER},
    {"challenge_load", ALONE, DA_BETTER_LOWER},
    {"challenge_precision", ALONE, DA_BETTER_HIGHER},
    {"challenge_bytes_share", ALONE, DA_BETTER_LOWER},
    {"forecast_error", ALONE, DA_BETTER_LOWER},
    {"u_auroc", ALONE, DA_BETTER_HIGHER},
    {"detect_5", WITH_SUFFIX, DA_BETTER_HIGHER},
    {"detect_20", WITH_SUFFIX, DA_BETTER_HIGHER},
    {"mttd", WITH_SUFFIX, DA_BETTER_LOWER},
    {"time_to_eject", WITH_SUFFIX, DA_BETTER_LOWER},
    {"false_fail_rate", WITH_SUFFIX, DA_BETTER_LOWER},
    {"honest_failed", WITH_SUFFIX, DA_BETTER_LOWER},
    {"honest_slashed", WITH_SUFFIX, DA_BETTER_LOWER},
    {"honest_slashed_equivocation", ALONE, DA_BETTER_LOWER},
    {"honest_ejections_per_1000", WITH_SUFFIX, DA_BETTER_LOWER},
    {"max_ejections_one_node", ALONE, DA_BETTER_LOWER},
    {"leak_by_strategy.honest", ALONE, DA_BETTER_HIGHER},
    {"leak_by_strategy", WITH_SUFFIX, DA_BETTER_LOWER},
    {"profit_by_strategy.honest", ALONE, DA_BETTER_HIGHER},
    {"profit_by_strategy", WITH_SUFFIX, DA_BETTER_LOWER},
    {"share_by_strategy.honest", ALONE, DA_BETTER_HIGHER},
    {"share_by_strategy", WITH_SUFFIX, DA_BETTER_LOWER},
    {"cheat_share", ALONE, DA_BETTER_LOWER},
    {"wash_margin", ALONE, DA_BETTER_LOWER},
    {"data_at_risk", ALONE, DA_BETTER_LOWER},
    {"requests_failed", ALONE, DA_BETTER_LOWER},
    {"bytes", ALONE, DA_BETTER_LOWER},
    {"messages", ALONE, DA_BETTER_LOWER},
    {"invalid_messages", ALONE, DA_BETTER_LOWER},
    {"flags_from", ALONE, DA_BETTER_LOWER},
    {"flags_false", ALONE, DA_BETTER_LOWER},
    {"flag_precision", ALONE, DA_BETTER_HIGHER},
    {"flag_recall", WITH_SUFFIX, DA_BETTER_HIGHER},
    {"detect_fdr", ALONE, DA_BETTER_LOWER},
    {"violations", WITH_SUFFIX, DA_BETTER_LOWER},
    {"recovery_time", ALONE, DA_BETTER_LOWER},
    {"request_latency", WITH_SUFFIX, DA_BETTER_LOWER},
};

enum da_better da_metric_better(const char *metric)
{
    for (size_t i = 0; i < sizeof directions / sizeof directions[0]; i++) {
        const struct direction *d = &directions[i];
        size_t size = strlen(d->name);
        if (strncmp(metric, d->name, size) == 0 &&
            (metric[size] == '\0' || (metric[size] == '.' && d->suffixes == WITH_SUFFIX)))
            return d->better;
    }
    return DA_BETTER_NEITHER;
}

const char *da_verdict_name(enum da_verdict verdict)
{
    switch (verdict) {
    case DA_SAME: return "same";
    case DA_NOISE: return "within noise";
    case DA_BETTER: return "better";
    case DA_WORSE: return "worse";
    case DA_CHANGED: return "changed";
    case DA_TOO_FEW: return "too few runs";
    case DA_UNMEASURED: return "one side only";
    }
    return "?";
}

/* ---- what belongs together ------------------------------------------------------------------- */

/* Runs of both sides by (point, unit).  A unit is a seed of both (paired), or a seed of A or of B:
 * those of A first. */
struct layout {
    const struct da_runs *a, *b;
    const char **point;
    size_t points;
    const size_t *metric[2]; /* column in a and in b, SIZE_MAX: none */
    const struct da_metric **name;
    size_t metrics;
    size_t units, units_a;
    const struct da_run **at_a, **at_b; /* [point * units + unit]; NULL: none */
    bool paired;
};

static bool wanted(const struct da_compare_options *o, const char *name)
{
    for (size_t i = 0; i < o->metrics; i++) {
        size_t size = strlen(o->metric[i]);
        if (strcmp(o->metric[i], name) == 0 ||
            (size > 2 && strcmp(o->metric[i] + size - 2, ".*") == 0 &&
             strncmp(o->metric[i], name, size - 1) == 0))
            return true;
    }
    return o->metrics == 0;
}

static size_t column(const struct da_runs *r, const char *name)
{
    for (size_t i = 0; i < r->metrics; i++)
        if (strcmp(r->metric[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static enum dc_status lay_metrics(struct layout *l, const struct da_compare_options *o,
                                  struct dc_arena *arena, struct dc_error *error)
{
    size_t most = l->a->metrics + l->b->metrics + 1;
    size_t *in_a = dc_arena_alloc(arena, most * sizeof *in_a);
    size_t *in_b = dc_arena_alloc(arena, most * sizeof *in_b);
    l->name = dc_arena_alloc(arena, most * sizeof *l->name);
    if (in_a == NULL || in_b == NULL || l->name == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    for (size_t side = 0; side < 2; side++) {
        const struct da_runs *r = side == 0 ? l->a : l->b;
        for (size_t i = 0; i < r->metrics; i++) {
            const char *name = r->metric[i].name;
            size_t other = column(side == 0 ? l->b : l->a, name);
            if ((side == 1 && other != SIZE_MAX) || !wanted(o, name))
                continue;
            in_a[l->metrics] = side == 0 ? i : SIZE_MAX;
            in_b[l->metrics] = side == 0 ? other : i;
            l->name[l->metrics++] = &r->metric[i];
        }
    }
    l->metric[0] = in_a;
    l->metric[1] = in_b;
    for (size_t k = 0; k < o->metrics; k++) {
        struct da_compare_options one = {.metric = &o->metric[k], .metrics = 1};
        bool any = false;
        for (size_t m = 0; m < l->metrics && !any; m++)
            any = wanted(&one, l->name[m]->name);
        if (!any)
            return dc_error_set(error, DC_ERR_USAGE,
                                "no run of either side has a metric `%s`: `destrasim list metrics` "
                                "lists what there may be",
                                o->metric[k]);
    }
    return DC_OK;
}

static size_t point_index(const struct layout *l, const char *text)
{
    for (size_t p = 0; p < l->points; p++)
        if (strcmp(l->point[p], text) == 0)
            return p;
    return SIZE_MAX;
}

/* Points that both sides have, in A's order. */
static enum dc_status lay_points(struct layout *l, struct dc_arena *arena, struct dc_error *error)
{
    l->point = dc_arena_alloc(arena, (l->a->runs + 1) * sizeof *l->point);
    if (l->point == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    const char *last = NULL; /* a study's runs come point by point, and share its text */
    for (size_t i = 0; i < l->a->runs; i++) {
        const char *point = l->a->run[i].point;
        if (point == last)
            continue;
        last = point;
        bool there = false;
        for (size_t k = 0; k < l->b->runs && !there; k++)
            there = (k == 0 || l->b->run[k].point != l->b->run[k - 1].point) &&
                    strcmp(l->b->run[k].point, point) == 0;
        if (there && point_index(l, point) == SIZE_MAX)
            l->point[l->points++] = point;
    }
    if (l->points == 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "A and B have no setting of parameters in common (A: `%s`, B: `%s`)",
                            l->a->runs > 0 ? l->a->run[0].point : "no runs",
                            l->b->runs > 0 ? l->b->run[0].point : "no runs");
    return DC_OK;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Seeds of a side's runs with data, ascending, each once. */
static size_t seeds_of(const struct da_runs *r, uint64_t *seed)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < r->runs; i++)
        if (r->run[i].value != NULL)
            seed[n++] = r->run[i].seed;
    qsort(seed, n, sizeof *seed, by_number);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || seed[kept - 1] != seed[i])
            seed[kept++] = seed[i];
    return kept;
}

static size_t find_seed(const uint64_t *seed, size_t n, uint64_t want)
{
    const uint64_t *at = bsearch(&want, seed, n, sizeof *seed, by_number);
    return at == NULL ? SIZE_MAX : (size_t)(at - seed);
}

/* Puts the runs of a side in their places; units of it start at `first`. */
static void place(struct layout *l, const struct da_runs *r, const struct da_run **at,
                  const uint64_t *seed, size_t seeds, size_t first)
{
    size_t p = SIZE_MAX;
    for (size_t i = 0; i < r->runs; i++) {
        if (i == 0 || r->run[i].point != r->run[i - 1].point)
            p = point_index(l, r->run[i].point);
        size_t u = find_seed(seed, seeds, r->run[i].seed);
        if (p != SIZE_MAX && u != SIZE_MAX && r->run[i].value != NULL)
            at[p * l->units + first + u] = &r->run[i];
    }
}

/* Pairs where at least half of the smaller side's seeds are common; else all seeds of both. */
static enum dc_status lay_units(struct layout *l, bool independent, struct dc_arena *arena,
                                struct dc_error *error)
{
    size_t runs = l->a->runs + l->b->runs + 1;
    uint64_t *sa = dc_arena_alloc(arena, runs * sizeof *sa);
    uint64_t *sb = dc_arena_alloc(arena, runs * sizeof *sb);
    if (sa == NULL || sb == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    size_t na = seeds_of(l->a, sa), nb = seeds_of(l->b, sb), common = 0;
    for (size_t i = 0; i < na; i++)
        common += find_seed(sb, nb, sa[i]) != SIZE_MAX;
    if (na == 0 || nb == 0)
        return dc_error_set(error, DC_ERR_USAGE, "side %s has no run with data",
                            na == 0 ? "A" : "B");
    l->paired = !independent && common > 0 && common * 2 >= (na < nb ? na : nb);
    if (l->paired) {
        size_t kept = 0;
        for (size_t i = 0; i < na; i++)
            if (find_seed(sb, nb, sa[i]) != SIZE_MAX)
                sa[kept++] = sa[i];
        na = kept;
    }
    l->units_a = na;
    l->units = l->paired ? na : na + nb;
    l->at_a = dc_arena_alloc(arena, l->points * l->units * sizeof *l->at_a);
    l->at_b = dc_arena_alloc(arena, l->points * l->units * sizeof *l->at_b);
    if (l->at_a == NULL || l->at_b == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    place(l, l->a, l->at_a, sa, na, 0);
    place(l, l->b, l->at_b, l->paired ? sa : sb, l->paired ? na : nb, l->paired ? 0 : na);
    return DC_OK;
}

/* ---- one hypothesis -------------------------------------------------------------------------- */

static double measured(const struct da_run *run, size_t metric)
{
    return run == NULL || metric == SIZE_MAX ? NAN : run->value[metric];
}

/* The values of a point's metric on both sides, without gaps; paired: those that both measured. */
struct sample {
    double *a, *b;
    size_t na, nb;
    bool any_a, any_b, same;
};

static void gather(const struct layout *l, size_t point, size_t metric, struct sample *s)
{
    s->na = s->nb = 0;
    s->any_a = s->any_b = false;
    s->same = true;
    for (size_t u = 0; u < l->units; u++) {
        double a = measured(l->at_a[point * l->units + u], l->metric[0][metric]);
        double b = measured(l->at_b[point * l->units + u], l->metric[1][metric]);
        s->any_a = s->any_a || !isnan(a);
        s->any_b = s->any_b || !isnan(b);
        if (l->paired && (isnan(a) || isnan(b)))
            continue;
        if (l->paired)
            s->same = s->same && a == b;
        if (!isnan(a))
            s->a[s->na++] = a;
        if (!isnan(b))
            s->b[s->nb++] = b;
    }
    for (size_t i = 0; i < s->nb && !l->paired; i++)
        s->same = s->same && s->na > 0 && s->b[i] == s->a[0];
    for (size_t i = 0; i < s->na && !l->paired; i++)
        s->same = s->same && s->a[i] == s->a[0];
}

static struct da_change describe(const struct layout *l, const struct da_compare_options *o,
                                 size_t point, size_t metric, const struct sample *s)
{
    struct da_change c = {.point = l->point[point],
                          .metric = l->name[metric]->name,
                          .unit = l->name[metric]->unit,
                          .a = da_mean(s->a, s->na),
                          .b = da_mean(s->b, s->nb),
                          .count_a = s->na,
                          .count_b = s->nb,
                          .p = NAN};
    c.better = da_metric_better(c.metric);
    c.change = l->paired ? da_paired_interval(s->b, s->a, s->na, o->confidence)
                         : da_welch_interval(s->b, s->nb, s->a, s->na, o->confidence);
    double size = fabs(c.a);
    c.relative = (struct da_estimate){NAN, NAN, NAN, c.change.count};
    if (size > 0) {
        c.relative.value = c.change.value / size;
        c.relative.lo = c.change.lo / size;
        c.relative.hi = c.change.hi / size;
    }
    c.verdict = !s->any_a || !s->any_b     ? DA_UNMEASURED
                : s->na == 0 || s->nb == 0 ? DA_TOO_FEW
                : s->same                  ? DA_SAME
                                           : DA_NOISE;
    return c;
}

static void judge(struct da_change *c, double level)
{
    if (c->verdict != DA_NOISE)
        return;
    if (isnan(c->p))
        c->verdict = DA_TOO_FEW;
    else if (c->p <= level)
        c->verdict = c->better == DA_BETTER_NEITHER                 ? DA_CHANGED
                     : (c->better == DA_BETTER_LOWER) == (c->z < 0) ? DA_BETTER
                                                                    : DA_WORSE;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void fill(const struct layout *l, double *value, size_t count, const size_t *point,
                 const size_t *metric)
{
    for (size_t u = 0; u < l->units; u++)
        for (size_t h = 0; h < count; h++) {
            size_t at = point[h] * l->units + u;
            double a = measured(l->at_a[at], l->metric[0][metric[h]]);
            double b = measured(l->at_b[at], l->metric[1][metric[h]]);
            value[u * count + h] = l->paired ? b - a : u < l->units_a ? a : b;
        }
}

static enum dc_status test_all(const struct layout *l, const struct da_compare_options *o,
                               struct da_comparison *out, struct dc_error *error)
{
    size_t most = l->points * l->metrics + 1, count = 0;
    struct sample s = {.a = dc_arena_alloc(&out->arena, (l->units + 1) * sizeof *s.a),
                       .b = dc_arena_alloc(&out->arena, (l->units + 1) * sizeof *s.b)};
    size_t *point = dc_arena_alloc(&out->arena, most * sizeof *point);
    size_t *metric = dc_arena_alloc(&out->arena, most * sizeof *metric);
    out->change = dc_arena_alloc(&out->arena, most * sizeof *out->change);
    double *z = dc_arena_alloc(&out->arena, 2 * most * sizeof *z), *p = z + most;
    double *value = dc_mem_alloc(most * l->units, sizeof *value);
    if (s.a == NULL || s.b == NULL || point == NULL || metric == NULL || out->change == NULL ||
        z == NULL || value == NULL) {
        dc_mem_free(value);
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    }
    for (size_t i = 0; i < l->points; i++)
        for (size_t m = 0; m < l->metrics; m++) {
            gather(l, i, m, &s);
            if (!s.any_a && !s.any_b)
                continue;
            out->change[count] = describe(l, o, i, m, &s);
            point[count] = i;
            metric[count++] = m;
        }
    fill(l, value, count, point, metric);
    struct da_rearrange r = {.value = value,
                             .units = l->units,
                             .units_a = l->paired ? 0 : l->units_a,
                             .count = count,
                             .paired = l->paired,
                             .level = o->level,
                             .seed = o->seed};
    struct da_rearranged done = da_rearrange_test(&r, z, p);
    out->tested = done.tested;
    out->rearrangements = done.rearrangements;
    out->exact = done.exact;
    out->changes = count;
    for (size_t h = 0; h < count; h++) {
        out->change[h].z = z[h];
        out->change[h].p = p[h];
        judge(&out->change[h], o->level);
    }
    dc_mem_free(value);
    return DC_OK;
}

static int worst_first(const void *a, const void *b)
{
    static const int rank[] = {
        [DA_WORSE] = 0, [DA_CHANGED] = 1, [DA_BETTER] = 2, [DA_UNMEASURED] = 3,
        [DA_NOISE] = 4, [DA_TOO_FEW] = 5, [DA_SAME] = 6};
    const struct da_change *x = a, *y = b;
    if (rank[x->verdict] != rank[y->verdict])
        return rank[x->verdict] - rank[y->verdict];
    if (fabs(x->z) != fabs(y->z))
        return fabs(x->z) > fabs(y->z) ? -1 : 1;
    int name = strcmp(x->metric, y->metric);
    return name != 0 ? name : strcmp(x->point, y->point);
}

static void count_runs(const struct layout *l, struct da_comparison *out)
{
    size_t used_a = 0, used_b = 0, data_a = 0, data_b = 0;
    for (size_t i = 0; i < l->points * l->units; i++) {
        bool both = l->at_a[i] != NULL && l->at_b[i] != NULL;
        used_a += l->at_a[i] != NULL && (both || !l->paired);
        used_b += l->at_b[i] != NULL && (both || !l->paired);
    }
    for (size_t i = 0; i < l->a->runs; i++)
        data_a += l->a->run[i].value != NULL;
    for (size_t i = 0; i < l->b->runs; i++)
        data_b += l->b->run[i].value != NULL;
    out->failed_a = l->a->runs - data_a;
    out->failed_b = l->b->runs - data_b;
    out->left_out_a = data_a - used_a;
    out->left_out_b = data_b - used_b;
    out->paired = l->paired;
    out->units_a = l->units_a;
    out->units_b = l->paired ? l->units_a : l->units - l->units_a;
}

enum dc_status da_compare(const struct da_runs *a, const struct da_runs *b,
                          const struct da_compare_options *o, struct da_comparison *out,
                          struct dc_error *error)
{
    struct layout l = {.a = a, .b = b};
    memset(out, 0, sizeof *out);
    if (!(o->level > 0 && o->level < 1) || !(o->confidence > 0 && o->confidence < 1))
        return dc_error_set(error, DC_ERR_USAGE,
                            "the level (%g) and the confidence (%g) are between 0 and 1", o->level,
                            o->confidence);
    enum dc_status status = lay_metrics(&l, o, &out->arena, error);
    if (status == DC_OK)
        status = lay_points(&l, &out->arena, error);
    if (status == DC_OK)
        status = lay_units(&l, o->independent, &out->arena, error);
    if (status == DC_OK)
        status = test_all(&l, o, out, error);
    if (status != DC_OK)
        return status;
    count_runs(&l, out);
    qsort(out->change, out->changes, sizeof *out->change, worst_first);
    return DC_OK;
}

void da_comparison_free(struct da_comparison *c)
{
    dc_arena_free(&c->arena);
    memset(c, 0, sizeof *c);
}

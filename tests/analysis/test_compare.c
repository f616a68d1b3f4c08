/* The test behind compare against enumeration, published data and its own level; pairing, verdicts
 * and directions of whole comparisons. */
#include "analysis/compare.h"

#include "models/base/rng.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <math.h>
#include <string.h>

static double uniform(struct dc_stream *s)
{
    return ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
}
static double normal(struct dc_stream *s)
{
    return da_normal_quantile(uniform(s));
}
static double poisson(struct dc_stream *s, double mean)
{
    double k = 0, product = uniform(s), limit = exp(-mean);
    for (; product > limit; k++)
        product *= uniform(s);
    return k;
}

/* ---- one hypothesis -------------------------------------------------------------------------- */

/* Darwin's maize: 15 differences in height, crossed less self-fertilised, in eighths of an inch.
 * Fisher (The Design of Experiments, 1935, section 21): of 32768 signs 863 give a sum of at least
 * 314, as many one of at most -314. */
static void test_darwin(void)
{
    static const double d[15] = {49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};
    struct da_rearrange r = {.value = d, .units = 15, .count = 1, .paired = true, .level = 0.05};
    double z, p;
    struct da_rearranged done = da_rearrange_test(&r, &z, &p);
    CU_ASSERT(done.exact && done.tested == 1);
    CU_ASSERT_DOUBLE_EQUAL(p, 2 * 863 / 32768.0, 1e-15);
    /* Student's t = 2.148 on 14 degrees has p 0.0497: the normal value of that is 1.962 */
    CU_ASSERT_DOUBLE_EQUAL(z, 1.962, 0.005);
}

/* Independent sides: p by counting all 252 (equal sides, where |t| orders as |difference of
 * means|), and drawn ones near the exact value. */
static void test_sides(void)
{
    static const double x[10] = {12, 15.5, 11, 9, 14, 16, 18, 15, 19.5, 13};
    double want = 0, total = 0, all = 0, z, p;
    for (size_t i = 0; i < 10; i++)
        all += x[i];
    double observed = fabs(2 * (x[0] + x[1] + x[2] + x[3] + x[4]) - all);
    for (unsigned bits = 0; bits < 1024; bits++) {
        double sum = 0;
        unsigned ones = 0;
        for (unsigned i = 0; i < 10; i++)
            if (bits >> i & 1) {
                sum += x[i];
                ones++;
            }
        total += ones == 5;
        want += ones == 5 && fabs(2 * sum - all) >= observed - 1e-9;
    }
    struct da_rearrange r = {.value = x, .units = 10, .units_a = 5, .count = 1, .level = 0.05};
    struct da_rearranged done = da_rearrange_test(&r, &z, &p);
    CU_ASSERT(done.exact && done.rearrangements == 252 && total == 252);
    CU_ASSERT_DOUBLE_EQUAL(p, want / total, 1e-15);
    CU_ASSERT(z > 0); /* B is larger */
    double y[24];     /* too many to list: the same law, drawn */
    for (size_t i = 0; i < 24; i++)
        y[i] = x[i % 10] + (i >= 12 ? 2 : 0);
    r = (struct da_rearrange){.value = y, .units = 24, .units_a = 12, .count = 1, .level = 0.01};
    double t = da_welch_interval(y + 12, 12, y, 12, 0.95).value, q;
    done = da_rearrange_test(&r, &z, &p);
    CU_ASSERT(!done.exact && done.rearrangements == 20000 && t > 0);
    r.seed = 9;
    da_rearrange_test(&r, &z, &q);
    CU_ASSERT(p != q && fabs(p - q) < 0.01); /* deviation of one: sqrt(p / 20000) */
    da_rearrange_test(&r, &z, &p);
    CU_ASSERT(p == q);
}

static void test_enough(void)
{
    CU_ASSERT(!da_rearrange_enough(7, 7, true, 0.01) && da_rearrange_enough(8, 8, true, 0.01));
    CU_ASSERT(!da_rearrange_enough(4, 4, false, 0.01) && da_rearrange_enough(5, 5, false, 0.01));
    CU_ASSERT(!da_rearrange_enough(1, 1000, false, 0.01));
    CU_ASSERT(da_rearrange_enough(2, 1000, false, 0.01));
    CU_ASSERT(da_rearrange_enough(10000, 10000, true, 1e-9));
    CU_ASSERT(!da_rearrange_enough(0, 0, true, 0.99) && !da_rearrange_enough(1, 1, true, 0.99));
}

/* ---- many: the level, and what it can see ---------------------------------------------------- */

enum { METRICS = 40, UNITS_MAX = 24 };
/* Metrics as runs have them: counts with many ties, rare events, shares, skew, heavy tails,
 * near-constants, and groups that move together.  Unit u of a family of the same law. */
static void draw_unit(struct dc_stream *s, double *x)
{
    double load = normal(s), trouble = uniform(s) < 0.2 ? -log(uniform(s)) : 0;
    for (size_t h = 0; h < METRICS; h++) {
        switch (h % 8) {
        case 0: x[h] = poisson(s, 0.2); break;
        case 1: x[h] = uniform(s) < 0.5; break;
        case 2: x[h] = exp(load + 0.3 * normal(s)); break;
        case 3: x[h] = trouble > 0 ? trouble + 0.01 * normal(s) : 0; break;
        case 4: x[h] = floor(20 / (1 + exp(-load - 0.5 * normal(s)))) / 20; break;
        case 5: x[h] = tan(3.14159265 * (uniform(s) - 0.5)); break;
        case 6: x[h] = 1e6 + poisson(s, 40); break;
        default: x[h] = uniform(s) < 0.02; break;
        }
    }
}

static size_t alarms(const double *p, size_t count, double level)
{
    size_t n = 0;
    for (size_t h = 0; h < count; h++)
        n += p[h] <= level;
    return n;
}

/* Seeds 1..1500: any alarm at the 1 % level in at most 1 % of them, paired (ten pairs) and not
 * (six and six). */
static void test_level(void)
{
    enum { SEEDS = 1500 };
    static double x[UNITS_MAX * METRICS], d[UNITS_MAX * METRICS];
    double z[METRICS], p[METRICS];
    uint64_t false_paired = 0, false_sides = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("test"), dc_name("compare"));
        for (size_t u = 0; u < 20; u++)
            draw_unit(&s, x + u * METRICS);
        for (size_t i = 0; i < 10 * METRICS; i++)
            d[i] = x[10 * METRICS + i] - x[i];
        struct da_rearrange paired = {
            .value = d, .units = 10, .count = METRICS, .paired = true, .level = 0.01};
        da_rearrange_test(&paired, z, p);
        false_paired += alarms(p, METRICS, 0.01) > 0;
        struct da_rearrange sides = {
            .value = x, .units = 12, .units_a = 6, .count = METRICS, .level = 0.01};
        da_rearrange_test(&sides, z, p);
        false_sides += alarms(p, METRICS, 0.01) > 0;
    }
    CU_ASSERT(test_binomial_at_least(false_paired, SEEDS, 0.01) > 1e-3);
    CU_ASSERT(test_binomial_at_least(false_sides, SEEDS, 0.01) > 1e-3);
    CU_ASSERT(false_paired + false_sides > 0); /* it is no test that never rejects */
}

/* Ten pairs at the 1 % level: a shift by four deviations of one metric among 40 is found, although
 * Holm's correction of its least p, 40 x 2/1024, never could; others stay within noise. */
static void test_power(void)
{
    enum { SEEDS = 100 };
    double d[10 * METRICS], x[METRICS], y[METRICS], z[METRICS], p[METRICS];
    size_t found = 0, wrong = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("test"), dc_name("power"));
        for (size_t u = 0; u < 10; u++) {
            draw_unit(&s, x);
            draw_unit(&s, y);
            for (size_t h = 0; h < METRICS; h++)
                d[u * METRICS + h] = y[h] - x[h];
            d[u * METRICS + 17] = 4 + normal(&s);
        }
        struct da_rearrange r = {
            .value = d, .units = 10, .count = METRICS, .paired = true, .level = 0.01};
        da_rearrange_test(&r, z, p);
        found += p[17] <= 0.01 && z[17] > 0;
        wrong += alarms(p, METRICS, 0.01) - (p[17] <= 0.01);
    }
    CU_ASSERT(found >= 95);
    CU_ASSERT(test_binomial_at_least(wrong, SEEDS, 0.01) > 1e-3);
}

/* The step-down p-values by their definition, on a small table with gaps and ties. */
static void test_definition(void)
{
    enum { N = 9, H = 4 };
    double d[N * H] = {0.5, 1, NAN, 2, 0.7, 0, 3, 2, 0.6, 0, -1,  2,   0.4, -1, 2,   2, 0.9, 1,
                       4,   2, -1,  0, 1,   2, 1, 1, 2,   2, 0.2, NAN, 0,   2,  0.8, 0, 5,   2};
    double z[H], p[H], observed[H], reach[H] = {0};
    struct da_rearrange r = {.value = d, .units = N, .count = H, .paired = true, .level = 0.05};
    struct da_rearranged done = da_rearrange_test(&r, z, p);
    size_t order[H] = {0, 1, 2, 3};
    for (unsigned bits = 0; bits < 1U << N; bits++) {
        double t[H];
        for (size_t h = 0; h < H; h++) {
            double x[N];
            size_t n = 0;
            for (size_t u = 0; u < N; u++)
                if (!isnan(d[u * H + h]))
                    x[n++] = (bits >> u & 1 ? -1 : 1) * d[u * H + h];
            double v = da_variance(x, n), df = (double)n - 1;
            double t2 = da_mean(x, n) * da_mean(x, n) * (double)n / v;
            t[h] = v < 1e-20 ? INFINITY : (8 * df + 1) / (8 * df + 3) * sqrt(df * log1p(t2 / df));
        }
        if (bits == 0) {
            memcpy(observed, t, sizeof t);
            for (size_t i = 0; i < H; i++)
                for (size_t k = i + 1; k < H; k++)
                    if (observed[order[k]] > observed[order[i]]) {
                        size_t swap = order[i];
                        order[i] = order[k];
                        order[k] = swap;
                    }
        }
        for (size_t i = 0; i < H; i++) {
            double most = 0;
            for (size_t k = i; k < H; k++)
                most = fmax(most, t[order[k]]);
            reach[i] += most >= observed[order[i]] * (1 - 1e-9);
        }
    }
    double least = 0;
    CU_ASSERT(done.exact && done.tested == H);
    for (size_t i = 0; i < H; i++) {
        least = fmax(least, reach[i] / 512);
        CU_ASSERT_DOUBLE_EQUAL(p[order[i]], least, 1e-12);
        CU_ASSERT(isinf(observed[order[i]]) ? isinf(z[order[i]])
                                            : fabs(fabs(z[order[i]]) - observed[order[i]]) < 1e-9);
    }
    CU_ASSERT(isinf(z[3]) && p[3] == 2 / 512.0); /* always 2 */
}

/* ---- whole comparisons ----------------------------------------------------------------------- */

enum { RUNS_MAX = 64, COLUMNS = 8 };
struct side {
    struct da_runs runs;
    struct da_metric metric[COLUMNS];
    struct da_run run[RUNS_MAX];
    double value[RUNS_MAX][COLUMNS];
};
static void side_begin(struct side *s, const char *const *names, size_t count)
{
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < count; i++)
        s->metric[i] = (struct da_metric){names[i], "1", names[i]};
    s->runs = (struct da_runs){.metric = s->metric, .metrics = count, .run = s->run};
}
static double *side_run(struct side *s, const char *point, uint64_t seed)
{
    size_t i = s->runs.runs++;
    s->run[i] = (struct da_run){.point = point, .seed = seed, .value = s->value[i]};
    return s->value[i];
}
static const struct da_change *change_of(const struct da_comparison *c, const char *metric,
                                         const char *point)
{
    for (size_t i = 0; i < c->changes; i++)
        if (strcmp(c->change[i].metric, metric) == 0 && strcmp(c->change[i].point, point) == 0)
            return &c->change[i];
    return NULL;
}

static const struct da_compare_options PLAIN = {.level = 0.01, .confidence = 0.95};

static void test_verdicts(void)
{
    static const char *const of_a[] = {"finality_latency.p95",
                                       "blocks_per_second",
                                       "nodes",
                                       "requests_total",
                                       "loss",
                                       "only_a",
                                       "mttd",
                                       "bytes"};
    static const char *const of_b[] = {
        "bytes", "blocks_per_second",   "nodes", "requests_total", "loss", "only_b",
        "mttd",  "finality_latency.p95"};
    static struct side a, b;
    side_begin(&a, of_a, 8);
    side_begin(&b, of_b, 8);
    struct dc_stream s = dc_stream(1, dc_name("test"), dc_name("verdicts"));
    for (uint64_t seed = 1; seed <= 10; seed++) {
        double *x = side_run(&a, "", seed), *y = side_run(&b, "", seed);
        x[0] = 2 + 0.1 * normal(&s), y[7] = x[0] * 1.05 + 0.001 * normal(&s); /* worse */
        x[1] = 1 + 0.1 * normal(&s), y[1] = x[1] + 0.2 + 0.01 * normal(&s);   /* better */
        x[2] = 40, y[2] = 40;                                                 /* same */
        x[3] = 7, y[3] = 8;                                     /* changed, by a constant */
        x[4] = normal(&s), y[4] = normal(&s);                   /* noise */
        x[5] = 1, y[5] = 1;                                     /* one side only */
        x[6] = seed <= 3 ? 1 : NAN, y[6] = seed <= 3 ? 2 : NAN; /* too few */
        x[7] = NAN, y[0] = NAN;                                 /* nobody: not there */
    }
    side_run(&b, "", 99)[1] = 1e9; /* without a partner */
    struct da_comparison c;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(da_compare(&a.runs, &b.runs, &PLAIN, &c, &error), DC_OK);
    CU_ASSERT(c.paired && c.exact && c.units_a == 10 && c.rearrangements == 512);
    CU_ASSERT(c.left_out_a == 0 && c.left_out_b == 1 && c.tested == 4);
    static const struct {
        const char *metric;
        enum da_verdict verdict;
    } want[] = {{"finality_latency.p95", DA_WORSE},
                {"requests_total", DA_CHANGED},
                {"blocks_per_second", DA_BETTER},
                {"only_a", DA_UNMEASURED},
                {"only_b", DA_UNMEASURED},
                {"loss", DA_NOISE},
                {"mttd", DA_TOO_FEW},
                {"nodes", DA_SAME}};
    CU_ASSERT_EQUAL_FATAL(c.changes, 8);
    for (size_t i = 0; i < 8; i++) { /* in this order, too */
        CU_ASSERT_STRING_EQUAL(c.change[i].metric, want[i].metric);
        CU_ASSERT_EQUAL(c.change[i].verdict, want[i].verdict);
    }
    const struct da_change *worse = &c.change[0];
    CU_ASSERT_DOUBLE_EQUAL(worse->relative.value, 0.05, 0.002);
    CU_ASSERT(worse->change.lo > 0 && worse->change.lo < worse->change.value);
    CU_ASSERT_DOUBLE_EQUAL(worse->p, 2 / 1024.0, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(worse->b - worse->a, worse->change.value, 1e-12);
    CU_ASSERT(isinf(c.change[1].z) && c.change[1].change.lo == 1 && c.change[1].change.hi == 1);
    CU_ASSERT(isnan(c.change[7].p));
    da_comparison_free(&c);
}

/* The evidence that is asked for, through the whole path: a build against itself with other seeds,
 * 200 times, says "no change" at least 194 times at the family-wise level of 1 %; and a shift of
 * latency by 5 %, of which runs vary by 2 %, is caught.  With real runs: tests/bench. */
static void test_itself(void)
{
    enum { TRIALS = 200 };
    static const char *const names[COLUMNS] = {
        "finality_latency.p50", "loss", "violations", "bytes",
        "requests_failed",      "mttd", "epochs",     "messages.sync"};
    static struct side a, b;
    size_t quiet = 0, caught = 0, caught_paired = 0;
    for (uint64_t trial = 1; trial <= TRIALS; trial++) {
        for (int shifted = 0; shifted < 3; shifted++) { /* itself; slower; slower, the same seeds */
            size_t runs = shifted == 0 ? 7 : shifted == 1 ? 10 : 12;
            if (shifted == 1 && trial > 40)
                continue; /* drawn rearrangements take their time */
            struct dc_stream s = dc_stream(trial, dc_name("test"), dc_name("itself"));
            side_begin(&a, names, COLUMNS);
            side_begin(&b, names, COLUMNS);
            for (uint64_t r = 0; r < 2 * runs; r++) {
                double x[METRICS], *y;
                y = r < runs ? side_run(&a, "", r) : side_run(&b, "", shifted == 2 ? r - runs : r);
                draw_unit(&s, x);
                memcpy(y, x, COLUMNS * sizeof *y);
                y[0] = 2 * exp(0.02 * normal(&s)) * (shifted > 0 && r >= runs ? 1.05 : 1);
            }
            struct da_comparison c;
            struct dc_error error = {0};
            CU_ASSERT_EQUAL_FATAL(da_compare(&a.runs, &b.runs, &PLAIN, &c, &error), DC_OK);
            size_t changes = 0;
            for (size_t i = 0; i < c.changes; i++)
                changes += c.change[i].verdict == DA_BETTER || c.change[i].verdict == DA_WORSE ||
                           c.change[i].verdict == DA_CHANGED;
            bool latency = change_of(&c, names[0], "")->verdict == DA_WORSE;
            quiet += shifted == 0 && changes == 0;
            caught += shifted == 1 && latency;
            caught_paired += shifted == 2 && latency;
            CU_ASSERT_EQUAL(c.paired, shifted == 2);
            da_comparison_free(&c);
        }
    }
    CU_ASSERT(quiet >= 194);
    CU_ASSERT(caught >= 36 && caught_paired >= 170);
}

static void test_pairing(void)
{
    static const char *const names[] = {"loss"};
    static struct side a, b;
    side_begin(&a, names, 1);
    side_begin(&b, names, 1);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        side_run(&a, "theta=0", seed)[0] = (double)(seed * seed);
        side_run(&a, "theta=1", seed)[0] = (double)(seed * seed);
        side_run(&b, "theta=1", seed)[0] = (double)(seed * seed) + 0.1 + 0.001 * (double)(seed % 3);
        side_run(&b, "theta=2", seed)[0] = 0;
    }
    struct da_comparison c;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(da_compare(&a.runs, &b.runs, &PLAIN, &c, &error), DC_OK);
    CU_ASSERT(c.paired && c.changes == 1 && c.left_out_a == 8 && c.left_out_b == 8);
    const struct da_change *one = change_of(&c, "loss", "theta=1");
    CU_ASSERT(one != NULL && one->verdict == DA_WORSE && one->count_a == 8);
    da_comparison_free(&c);
    /* the same, not paired: 0.1 is nothing beside what seeds differ in */
    struct da_compare_options o = PLAIN;
    o.independent = true;
    CU_ASSERT_EQUAL_FATAL(da_compare(&a.runs, &b.runs, &o, &c, &error), DC_OK);
    CU_ASSERT(!c.paired && c.units_a == 8 && c.units_b == 8 && c.rearrangements == 12870);
    CU_ASSERT(c.change[0].verdict == DA_NOISE);
    da_comparison_free(&c);
    for (size_t i = 0; i < b.runs.runs; i++) /* other seeds: independent of themselves */
        b.run[i].seed += 7;
    CU_ASSERT_EQUAL_FATAL(da_compare(&a.runs, &b.runs, &PLAIN, &c, &error), DC_OK);
    CU_ASSERT(!c.paired && c.units_a == 8 && c.units_b == 8);
    da_comparison_free(&c);
    for (size_t i = 0; i < b.runs.runs; i++) /* half in common: those are the pairs */
        b.run[i].seed -= 3;
    CU_ASSERT_EQUAL_FATAL(da_compare(&a.runs, &b.runs, &PLAIN, &c, &error), DC_OK);
    CU_ASSERT(c.paired && c.units_a == 4 && c.left_out_b == 12);
    CU_ASSERT(c.change[0].verdict == DA_TOO_FEW);
    da_comparison_free(&c);
    for (size_t i = 0; i < b.runs.runs; i++) { /* a failed run is no data, and is counted */
        b.run[i].seed -= 4;
        if (b.run[i].seed == 3)
            b.run[i] = (struct da_run){.point = b.run[i].point, .seed = 3, .failed = "crashed"};
    }
    CU_ASSERT_EQUAL_FATAL(da_compare(&a.runs, &b.runs, &PLAIN, &c, &error), DC_OK);
    CU_ASSERT(c.paired && c.units_a == 7 && c.failed_b == 2 && c.failed_a == 0);
    da_comparison_free(&c);
}

static void test_refusals(void)
{
    static const char *const names[] = {"loss", "bytes.vote"};
    static struct side a, b;
    struct da_comparison c;
    struct dc_error error = {0};
    side_begin(&a, names, 2);
    side_begin(&b, names, 2);
    side_run(&a, "theta=0", 1)[0] = 1;
    side_run(&b, "theta=1", 1)[0] = 1;
    CU_ASSERT_EQUAL(da_compare(&a.runs, &b.runs, &PLAIN, &c, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "theta=1"));
    da_comparison_free(&c);
    b.run[0].point = "theta=0";
    static const char *const unknown[] = {"loss", "los"}, *const suffix[] = {"bytes.*"};
    struct da_compare_options o = PLAIN;
    o.metric = unknown;
    o.metrics = 2;
    error = (struct dc_error){0};
    CU_ASSERT_EQUAL(da_compare(&a.runs, &b.runs, &o, &c, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "`los`"));
    da_comparison_free(&c);
    o.metric = suffix;
    o.metrics = 1;
    CU_ASSERT_EQUAL(da_compare(&a.runs, &b.runs, &o, &c, &error), DC_OK);
    CU_ASSERT(c.changes == 1 && strcmp(c.change[0].metric, "bytes.vote") == 0);
    CU_ASSERT(c.change[0].verdict == DA_SAME);
    da_comparison_free(&c);
    o.level = 0;
    CU_ASSERT_EQUAL(da_compare(&a.runs, &b.runs, &o, &c, &error), DC_ERR_USAGE);
    da_comparison_free(&c);
    b.run[0] = (struct da_run){.point = "theta=0", .failed = "crashed"};
    error = (struct dc_error){0};
    CU_ASSERT_EQUAL(da_compare(&a.runs, &b.runs, &PLAIN, &c, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "side B"));
    da_comparison_free(&c);
}

static void test_study(void)
{
    static const char *const words[] = {"flat", "linear"};
    static const struct da_parameter parameter[] = {
        {.path = "protocol.theta", .unit = "1"},
        {.path = "protocol.budget", .unit = "s"},
        {.path = "protocol.curve", .unit = "", .words = true, .word = words, .words_count = 2}};
    static const struct da_metric metric[] = {{"loss", "%", "loss"}};
    static const struct da_failure failure[] = {{1, 1, "over its limit"}};
    uint64_t seed[] = {5, 6};
    double x[] = {0.1, 3, 0, 0.2, 3, 1}, value[] = {1, 2, 3, 4};
    uint8_t status[] = {DA_RUN_DONE, DA_RUN_MISSING, DA_RUN_EXPECTATION, DA_RUN_FAILED};
    struct da_study study = {.parameter = parameter,
                             .parameters = 3,
                             .metric = metric,
                             .metrics = 1,
                             .points = 2,
                             .replications = 2,
                             .seed = seed,
                             .x = x,
                             .status = status,
                             .value = value,
                             .failure = failure,
                             .failures = 1};
    struct da_runs runs;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(da_runs_of_study(&study, &runs, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(runs.runs, 3);
    CU_ASSERT_STRING_EQUAL(runs.run[0].point,
                           "protocol.theta=0.1 protocol.budget=3 s protocol.curve=flat");
    CU_ASSERT_STRING_EQUAL(runs.run[2].point,
                           "protocol.theta=0.2 protocol.budget=3 s protocol.curve=linear");
    CU_ASSERT(runs.run[1].seed == 5 && runs.run[1].value[0] == 3);
    CU_ASSERT(runs.run[2].seed == 6 && runs.run[2].value == NULL);
    CU_ASSERT_STRING_EQUAL(runs.run[2].failed, "over its limit");
    CU_ASSERT_EQUAL(da_runs_add_failed(&runs, 7, "exit code 3", &error), DC_OK);
    CU_ASSERT(runs.runs == 4 && runs.run[3].seed == 7 && strcmp(runs.run[3].point, "") == 0);
    da_runs_free(&runs);
}

static void test_directions(void)
{
    CU_ASSERT_EQUAL(da_metric_better("finality_latency.p99"), DA_BETTER_LOWER);
    CU_ASSERT_EQUAL(da_metric_better("profit_by_strategy.honest"), DA_BETTER_HIGHER);
    CU_ASSERT_EQUAL(da_metric_better("profit_by_strategy.ghost"), DA_BETTER_LOWER);
    CU_ASSERT_EQUAL(da_metric_better("bytes"), DA_BETTER_LOWER);
    CU_ASSERT_EQUAL(da_metric_better("bytes.vote"), DA_BETTER_NEITHER);
    CU_ASSERT_EQUAL(da_metric_better("loss_with_harm"), DA_BETTER_LOWER);
    CU_ASSERT_EQUAL(da_metric_better("lossy"), DA_BETTER_NEITHER);
    CU_ASSERT_EQUAL(da_metric_better("nodes.honest"), DA_BETTER_NEITHER);
    CU_ASSERT_EQUAL(da_metric_better(""), DA_BETTER_NEITHER);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"Darwin's maize", test_darwin},
        {"independent sides", test_sides},
        {"enough runs", test_enough},
        {"definition", test_definition},
        {"level", test_level},
        {"power", test_power},
        {"verdicts", test_verdicts},
        {"pairing", test_pairing},
        {"a build with itself", test_itself},
        {"refusals", test_refusals},
        {"study", test_study},
        {"directions", test_directions},
    };
    return TEST_MAIN("compare", cases);
}

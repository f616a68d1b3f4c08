/* Bayesian optimisation on functions whose optima are published: Branin (min 0.397887) and Hartmann-6
 * (min -3.32237) as in Surjanovic and Bingham's library; a constrained one of Gardner et al. (2014,
 * simulation 1); words, levels, failures, and constraints that nothing meets.  Seeds are 1 .. n. */
#include <math.h>
#include <string.h>

#include "analysis/bayes.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

static double uniform(struct dc_stream *s)
{
    return ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
}

static double normal(struct dc_stream *s)
{
    double u = uniform(s);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * uniform(s));
}

/* One run: the objective, then the constraints.  s: its own draws; common: those of its seed. */
typedef void run_fn(const double *x, struct dc_stream *s, struct dc_stream *common, double *value);

static double branin(double x, double y)
{
    double a = y - 5.1 / (4 * M_PI * M_PI) * x * x + 5 / M_PI * x - 6;
    return a * a + 10 * (1 - 1 / (8 * M_PI)) * cos(x) + 10;
}

static void run_branin(const double *x, struct dc_stream *s, struct dc_stream *common,
                       double *value)
{
    value[0] = branin(x[0], x[1]);
}

/* Noise of 3 of which half is common to all points, on a function that goes from 0.4 to 308. */
static void run_noisy_branin(const double *x, struct dc_stream *s, struct dc_stream *common,
                             double *value)
{
    value[0] = branin(x[0], x[1]) + 3 * (sqrt(0.5) * normal(s) + sqrt(0.5) * normal(common));
}

static double hartmann(const double *x)
{
    static const double alpha[] = {1, 1.2, 3, 3.2};
    static const double a[4][6] = {{10, 3, 17, 3.5, 1.7, 8},
                                   {0.05, 10, 17, 0.1, 8, 14},
                                   {3, 3.5, 1.7, 10, 17, 8},
                                   {17, 8, 0.05, 10, 0.1, 14}};
    static const double p[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                                   {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                                   {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                                   {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
    double sum = 0;
    for (size_t i = 0; i < 4; i++) {
        double inner = 0;
        for (size_t j = 0; j < 6; j++)
            inner += a[i][j] * (x[j] - p[i][j]) * (x[j] - p[i][j]);
        sum -= alpha[i] * exp(-inner);
    }
    return sum;
}

static void run_hartmann(const double *x, struct dc_stream *s, struct dc_stream *common,
                         double *value)
{
    value[0] = hartmann(x);
}

static void run_noisy_hartmann(const double *x, struct dc_stream *s, struct dc_stream *common,
                               double *value)
{
    value[0] = hartmann(x) + 0.1 * normal(s);
}

/* Gardner et al.: cos(2x) cos(y) + sin(x) on [0, 6]^2 where cos(x + y) <= 0.5; least -2, at
 * (3 pi / 2, 0). */
static void run_gardner(const double *x, struct dc_stream *s, struct dc_stream *common,
                        double *value)
{
    value[0] = cos(2 * x[0]) * cos(x[1]) + sin(x[0]);
    value[1] = cos(x[0] + x[1]);
}

/* x + 1.3 y on [0, 1]^2 outside of a disc of radius 1/2 around (0, 0): least 1/2, at (1/2, 0), on
 * the border. */
static void run_disc(const double *x, struct dc_stream *s, struct dc_stream *common, double *value)
{
    double common_z = normal(common);
    value[0] = x[0] + 1.3 * x[1] + 0.02 * (normal(s) + common_z);
    value[1] = x[0] * x[0] + x[1] * x[1] + 0.02 * (normal(s) + common_z);
}

static void run_impossible(const double *x, struct dc_stream *s, struct dc_stream *common,
                           double *value)
{
    value[0] = x[0] + x[1];
    value[1] = (x[0] - 0.3) * (x[0] - 0.3) + (x[1] - 0.6) * (x[1] - 0.6) + 0.2 + 0.01 * normal(s);
    value[2] = x[0];
}

struct hunt {
    struct da_bayes_options options;
    run_fn *run;
    size_t budget, replications; /* points visited; runs of a visit */
    struct da_bayes *b;
    size_t visits;
    struct da_bayes_best best;
};

static bool visit(struct hunt *h, size_t point)
{
    size_t done = da_bayes_visits(h->b, point);
    struct dc_error error = {0};
    for (size_t r = done; r < done + h->replications; r++) {
        struct dc_stream own = dc_stream(h->options.seed, dc_name_indexed("run", r), point);
        struct dc_stream common = dc_stream(h->options.seed, dc_name("common"), r);
        double value[4] = {0};
        h->run(da_bayes_x(h->b, point), &own, &common, value);
        if (da_bayes_tell(h->b, point, r, value, &error) != DC_OK)
            return false;
    }
    h->visits++;
    return true;
}

static void search(struct hunt *h)
{
    struct dc_error error = {0};
    size_t point[64], count;
    CU_ASSERT_EQUAL_FATAL(da_bayes_open(&h->options, &h->b, &error), DC_OK);
    while (h->visits < h->budget) {
        size_t room = h->budget - h->visits < 64 ? h->budget - h->visits : 64;
        CU_ASSERT_EQUAL_FATAL(da_bayes_ask(h->b, room, point, &count, &error), DC_OK);
        if (count == 0)
            break;
        for (size_t i = 0; i < count; i++)
            CU_ASSERT_FATAL(visit(h, point[i]));
    }
    CU_ASSERT_EQUAL_FATAL(da_bayes_best(h->b, &h->best, &error), DC_OK);
    CU_ASSERT_FATAL(h->best.point != SIZE_MAX);
}

static struct da_bayes_options options_of(const struct da_bayes_input *input, size_t inputs,
                                          size_t start, size_t round, uint64_t seed)
{
    return (struct da_bayes_options){.input = input,
                                     .inputs = inputs,
                                     .confidence = 0.95,
                                     .start = start,
                                     .round = round,
                                     .seed = seed};
}

static const struct da_bayes_input branin_inputs[] = {{.lo = -5, .hi = 10}, {.lo = 0, .hi = 15}};

static struct da_bayes_options branin_options(uint64_t seed)
{
    return options_of(branin_inputs, 2, 6, 1, seed);
}

static void test_branin(void)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct hunt h = {.options = branin_options(seed), .run = run_branin, .budget = 35};
        h.replications = 1;
        search(&h);
        const double *x = da_bayes_x(h.b, h.best.point);
        CU_ASSERT(branin(x[0], x[1]) < 0.397887 + 0.01);
        CU_ASSERT(h.best.feasible);
        CU_ASSERT_DOUBLE_EQUAL(h.best.value, branin(x[0], x[1]), 0.05);
        da_bayes_close(h.b);
    }
}

static void test_noisy_branin(void)
{
    static const double optimum[3][2] = {{-M_PI, 12.275}, {M_PI, 2.275}, {9.42478, 2.475}};
    size_t inside = 0, seeds = 6;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct hunt h = {.options = branin_options(seed), .run = run_noisy_branin, .budget = 40};
        h.replications = 3;
        h.options.round = 2;
        search(&h);
        const double *x = da_bayes_x(h.b, h.best.point);
        size_t in = 0;
        for (size_t i = 0; i < 3; i++)
            in += h.best.place[0].lo <= optimum[i][0] && optimum[i][0] <= h.best.place[0].hi &&
                  h.best.place[1].lo <= optimum[i][1] && optimum[i][1] <= h.best.place[1].hi;
        inside += in > 0;
        CU_ASSERT(branin(x[0], x[1]) < 0.397887 + 1.5);
        da_bayes_close(h.b);
    }
    CU_ASSERT(inside + 1 >= seeds);
}

static void hartmann_of(run_fn *run, size_t replications, size_t budget, double regret,
                        size_t seeds, size_t wanted)
{
    static const struct da_bayes_input inputs[] = {{.hi = 1}, {.hi = 1}, {.hi = 1},
                                                   {.hi = 1}, {.hi = 1}, {.hi = 1}};
    size_t good = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct hunt h = {.run = run, .budget = budget, .replications = replications};
        h.options = options_of(inputs, 6, 14, 2, seed);
        search(&h);
        double value = hartmann(da_bayes_x(h.b, h.best.point));
        good += value < -3.32237 + regret;
        da_bayes_close(h.b);
    }
    CU_ASSERT(good >= wanted);
}

static void test_hartmann(void)
{
    hartmann_of(run_hartmann, 1, 80, 0.02, 4, 3);
}

static void test_noisy_hartmann(void)
{
    hartmann_of(run_noisy_hartmann, 2, 80, 0.1, 4, 3);
}

static void test_gardner(void)
{
    static const struct da_bayes_input inputs[] = {{.hi = 6}, {.hi = 6}};
    static const struct da_bayes_bound bound[] = {{.value = 0.5}};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct hunt h = {.run = run_gardner, .budget = 30, .replications = 1};
        h.options = options_of(inputs, 2, 6, 1, seed);
        h.options.bound = bound;
        h.options.bounds = 1;
        search(&h);
        const double *x = da_bayes_x(h.b, h.best.point);
        double value[2];
        run_gardner(x, NULL, NULL, value);
        CU_ASSERT(h.best.feasible);
        CU_ASSERT(value[1] <= 0.5);
        CU_ASSERT(value[0] < -2 + 0.02);
        da_bayes_close(h.b);
    }
}

/* The border is the answer, both runs are noisy, and the recommendation must hold when it is run
 * again: by the true mean, and with room. */
static void test_disc(void)
{
    static const struct da_bayes_input inputs[] = {{.hi = 1}, {.hi = 1}};
    static const struct da_bayes_bound bound[] = {{.value = 0.25, .above = true}};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct hunt h = {.run = run_disc, .budget = 30, .replications = 3};
        h.options = options_of(inputs, 2, 6, 2, seed);
        h.options.bound = bound;
        h.options.bounds = 1;
        h.options.confirm = 20;
        search(&h);
        const double *x = da_bayes_x(h.b, h.best.point);
        CU_ASSERT(h.best.feasible && h.best.room);
        CU_ASSERT(x[0] * x[0] + x[1] * x[1] >= 0.25);
        CU_ASSERT(x[0] + 1.3 * x[1] < 0.5 + 0.08);
        CU_ASSERT(h.best.place[0].lo <= 0.5 + 0.03 && h.best.place[0].hi >= 0.5);
        CU_ASSERT(h.best.place[0].hi - h.best.place[0].lo < 0.3);
        da_bayes_close(h.b);
    }
}

static void test_infeasible(void)
{
    static const struct da_bayes_input inputs[] = {{.hi = 1}, {.hi = 1}};
    static const struct da_bayes_bound bound[] = {{.value = 0.1}, {.value = 0.9}};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct hunt h = {.run = run_impossible, .budget = 40, .replications = 3};
        h.options = options_of(inputs, 2, 6, 2, seed);
        h.options.bound = bound;
        h.options.bounds = 2;
        h.options.enough = 0.1;
        search(&h);
        const double *x = da_bayes_x(h.b, h.best.point);
        CU_ASSERT(!h.best.feasible);
        CU_ASSERT_EQUAL(h.best.worst_bound, 0);
        CU_ASSERT(h.best.chance[0] < 0.01 && h.best.chance[1] > 0.95);
        CU_ASSERT(hypot(x[0] - 0.3, x[1] - 0.6) < 0.25);
        CU_ASSERT(h.visits < h.budget); /* no use in going on */
        da_bayes_close(h.b);
    }
}

/* ---- inputs of other kinds, failures, the end ------------------------------------------------- */

/* A log range, levels, a whole number and words; least 0 at (1e-3, 20, 3, word 2). */
static void run_mixed(const double *x, struct dc_stream *s, struct dc_stream *common, double *value)
{
    double a = log10(x[0]) + 3, l = (x[1] - 20) / 50, w = (x[2] - 3) / 8;
    value[0] = a * a / 4 + l * l + w * w + (x[3] == 2 ? 0 : 0.5 + 0.1 * x[3]) + 0.02 * normal(s);
}

static const double mixed_levels[] = {5, 10, 20, 50, 100};
static const struct da_bayes_input mixed_inputs[] = {
    {.kind = DA_BAYES_RANGE, .log = true, .lo = 1e-5, .hi = 1e-1},
    {.kind = DA_BAYES_LEVELS, .level = mixed_levels, .levels = 5},
    {.kind = DA_BAYES_WHOLE, .lo = 1, .hi = 9},
    {.kind = DA_BAYES_WORDS, .levels = 4},
};

static struct hunt mixed_hunt(uint64_t seed)
{
    struct hunt h = {.run = run_mixed, .budget = 40, .replications = 3};
    h.options = options_of(mixed_inputs, 4, 10, 2, seed);
    return h;
}

static void test_mixed(void)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct hunt h = mixed_hunt(seed);
        search(&h);
        const double *x = da_bayes_x(h.b, h.best.point);
        CU_ASSERT(fabs(log10(x[0]) + 3) < 0.5);
        CU_ASSERT(x[1] <= 50 && x[2] >= 1 && x[2] <= 5);
        CU_ASSERT_EQUAL(x[3], 2);
        CU_ASSERT(h.best.place[3].share > 0.9);
        for (size_t p = 0; p < da_bayes_points(h.b); p++) {
            const double *at = da_bayes_x(h.b, p);
            CU_ASSERT(at[0] >= 1e-5 && at[0] <= 1e-1 && floor(at[2]) == at[2]);
            CU_ASSERT(at[1] == 5 || at[1] == 10 || at[1] == 20 || at[1] == 50 || at[1] == 100);
            CU_ASSERT(at[3] >= 0 && at[3] <= 3 && floor(at[3]) == at[3]);
        }
        da_bayes_close(h.b);
    }
}

/* Six settings in all: they are visited again, which is what noise needs. */
static void run_few(const double *x, struct dc_stream *s, struct dc_stream *common, double *value)
{
    value[0] = x[0] + 0.5 * x[1] + 0.3 * normal(s);
}

static void test_few(void)
{
    static const struct da_bayes_input inputs[] = {{.kind = DA_BAYES_WORDS, .levels = 3},
                                                   {.kind = DA_BAYES_WHOLE, .lo = 1, .hi = 2}};
    struct hunt h = {.run = run_few, .budget = 30, .replications = 3};
    h.options = options_of(inputs, 2, 12, 2, 1);
    search(&h);
    CU_ASSERT_EQUAL(da_bayes_points(h.b), 6);
    CU_ASSERT_EQUAL(da_bayes_x(h.b, h.best.point)[0], 0);
    CU_ASSERT_EQUAL(da_bayes_x(h.b, h.best.point)[1], 1);
    CU_ASSERT(da_bayes_visits(h.b, h.best.point) > 9);
    da_bayes_close(h.b);
}

static void run_fragile(const double *x, struct dc_stream *s, struct dc_stream *common,
                        double *value)
{
    value[0] = x[0] > 0.5 ? NAN : (x[0] - 0.9) * (x[0] - 0.9) + 0.01 * normal(s);
}

/* The function wants to go where runs fail. */
static void test_failures(void)
{
    static const struct da_bayes_input inputs[] = {{.hi = 1}};
    struct hunt h = {.run = run_fragile, .budget = 24, .replications = 2};
    h.options = options_of(inputs, 1, 4, 2, 1);
    search(&h);
    const double *x = da_bayes_x(h.b, h.best.point);
    CU_ASSERT(h.best.feasible);
    CU_ASSERT(x[0] > 0.4 && x[0] <= 0.5);
    da_bayes_close(h.b);
}

static void run_dead(const double *x, struct dc_stream *s, struct dc_stream *common, double *value)
{
    value[0] = NAN;
}

static void test_all_fail(void)
{
    static const struct da_bayes_input inputs[] = {{.hi = 1}};
    struct hunt h = {.run = run_dead, .budget = 8, .replications = 2};
    h.options = options_of(inputs, 1, 4, 2, 1);
    search(&h);
    CU_ASSERT(!h.best.feasible);
    da_bayes_close(h.b);
}

static void run_flat(const double *x, struct dc_stream *s, struct dc_stream *common, double *value)
{
    value[0] = 5 + normal(s);
}

/* Where nothing matters the search ends, and says that the best may be anywhere. */
static void test_enough(void)
{
    struct hunt h = {.options = branin_options(1), .run = run_flat, .budget = 200};
    h.replications = 3;
    h.options.enough = 0.25;
    search(&h);
    CU_ASSERT(h.visits < 150);
    CU_ASSERT(h.best.place[0].hi - h.best.place[0].lo > 7);
    CU_ASSERT(h.best.optimum_lo < 5 && h.best.optimum_hi > 4);
    da_bayes_close(h.b);
}

static void test_maximise(void)
{
    static const struct da_bayes_input inputs[] = {{.hi = 1}};
    struct hunt h = {.run = run_fragile, .budget = 16, .replications = 2};
    h.options = options_of(inputs, 1, 4, 1, 1);
    h.options.maximise = true;
    search(&h);
    CU_ASSERT(da_bayes_x(h.b, h.best.point)[0] < 0.02);
    CU_ASSERT_DOUBLE_EQUAL(h.best.value, 0.81, 0.03);
    CU_ASSERT(h.best.value_lo < h.best.value && h.best.value < h.best.value_hi);
    CU_ASSERT(h.best.optimum_lo <= h.best.optimum && h.best.optimum <= h.best.optimum_hi);
    da_bayes_close(h.b);
}

static void test_determinism(void)
{
    struct hunt a = mixed_hunt(7), b = mixed_hunt(7), c = mixed_hunt(8);
    a.budget = b.budget = c.budget = 20;
    search(&a);
    search(&b);
    search(&c);
    size_t bytes = 4 * sizeof(double) * da_bayes_points(a.b);
    CU_ASSERT_EQUAL_FATAL(da_bayes_points(a.b), da_bayes_points(b.b));
    CU_ASSERT_EQUAL(memcmp(da_bayes_x(a.b, 0), da_bayes_x(b.b, 0), bytes), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(da_bayes_x(a.b, 0), da_bayes_x(c.b, 0), 4 * sizeof(double)), 0);
    CU_ASSERT_EQUAL(memcmp(a.best.place, b.best.place, 4 * sizeof *a.best.place), 0);
    da_bayes_close(a.b);
    da_bayes_close(b.b);
    da_bayes_close(c.b);
}

static void test_refused(void)
{
    static const double bad_levels[] = {2, 1};
    static const struct {
        struct da_bayes_input input;
        const char *word;
    } cases[] = {
        {{.lo = 1, .hi = 0}, "empty range"},
        {{.lo = 0, .hi = 1, .log = true}, "log scale"},
        {{.lo = 0, .hi = INFINITY}, "empty range"},
        {{.kind = DA_BAYES_WORDS}, "no values"},
        {{.kind = DA_BAYES_LEVELS, .level = bad_levels, .levels = 2}, "increase"},
        {{.kind = DA_BAYES_WHOLE, .lo = 0.5, .hi = 3}, "whole"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct da_bayes_options options = branin_options(1);
        struct da_bayes *b;
        struct dc_error error = {0};
        options.input = &cases[i].input;
        options.inputs = 1;
        CU_ASSERT_EQUAL(da_bayes_open(&options, &b, &error), DC_ERR_USAGE);
        CU_ASSERT(strstr(error.text, cases[i].word) != NULL);
        da_bayes_close(b);
    }
}

/* Every allocation refused in turn, from open to best. */
static void test_memory(void)
{
    bool good = false;
    uint64_t budget = 0;
    for (; budget < 400 && !good; budget++) {
        struct hunt h = mixed_hunt(1);
        struct dc_error error = {0};
        size_t point[16], count = 0;
        dc_mem_budget(budget);
        good = da_bayes_open(&h.options, &h.b, &error) == DC_OK;
        for (int round = 0; good && round < 2; round++) {
            good = da_bayes_ask(h.b, 16, point, &count, &error) == DC_OK;
            for (size_t i = 0; good && i < count; i++)
                good = visit(&h, point[i]);
        }
        good = good && da_bayes_best(h.b, &h.best, &error) == DC_OK;
        CU_ASSERT(good || error.status == DC_ERR_IO || error.status == DC_OK);
        da_bayes_close(h.b);
    }
    dc_mem_budget(UINT64_MAX);
    CU_ASSERT(good && budget > 10);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"Branin", test_branin},         {"Branin with noise", test_noisy_branin},
        {"Hartmann", test_hartmann},     {"Hartmann with noise", test_noisy_hartmann},
        {"Gardner", test_gardner},       {"outside of a disc", test_disc},
        {"infeasible", test_infeasible}, {"all kinds of inputs", test_mixed},
        {"few settings", test_few},      {"failures", test_failures},
        {"all fail", test_all_fail},     {"enough", test_enough},
        {"maximise", test_maximise},     {"determinism", test_determinism},
        {"refused", test_refused},       {"memory", test_memory},
    };
    return TEST_MAIN("analysis/bayes", cases);
}

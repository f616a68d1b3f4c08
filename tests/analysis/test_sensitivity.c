/* Sobol' indices, the ANOVA of a grid and elementary effects against closed forms, with noise. */
#include "analysis/sensitivity.h"
#include "tests/analysis/made.h"

static double ishigami(const double *u)
{
    double x[3];
    for (int i = 0; i < 3; i++)
        x[i] = M_PI * (2 * u[i] - 1);
    return sin(x[0]) + 7 * pow(sin(x[1]), 2) + 0.1 * pow(x[2], 4) * sin(x[0]);
}
static const double ishigami_first[] = {.3139, .4424, 0}, ishigami_total[] = {.5576, .4424, .2437};

/* Sobol's g-function: the product of (|4 u - 2| + a) / (1 + a). */
static const double g_a[] = {0, 1, 4.5, 9, 99, 99};
static double g_function(const double *u)
{
    double product = 1;
    for (int i = 0; i < 6; i++)
        product *= (fabs(4 * u[i] - 2) + g_a[i]) / (1 + g_a[i]);
    return product;
}
static void g_truth(double *first, double *total)
{
    double part[6], all = 1;
    for (int i = 0; i < 6; i++) {
        part[i] = 1 / (3 * (1 + g_a[i]) * (1 + g_a[i]));
        all *= 1 + part[i];
    }
    for (int i = 0; i < 6; i++) {
        first[i] = part[i] / (all - 1);
        total[i] = part[i] * (all / (1 + part[i])) / (all - 1);
    }
}

static double nothing(const double *u)
{
    (void)u;
    return 3;
}
/* Levels 0, 1, 2 of a; 0, 1 of b.  a: -1, 0, 1 (variance 2/3); b: -+1 (1); ab: 1, -2, 1 times -+1/2
 * (1/2). */
static double factorial(const double *x)
{
    double a = x[0] - 1, b = 2 * x[1] - 1;
    return 10 + a + b + (3 * a * a - 2) * b / 2;
}

static struct da_sensitivity analyse(const struct da_study *s, uint64_t seed)
{
    struct da_sensitivity out;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(da_sensitivity(s, 0, 0.95, seed, &out, &error), DC_OK);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    return out;
}

static struct da_study saltelli(size_t factors, size_t base, size_t replications, uint64_t seed)
{
    struct da_design_plan plan = {
        .kind = DA_SALTELLI, .factors = factors, .base = base, .seed = seed};
    return made_design(&plan, replications);
}

/* A Saltelli study whose rows are independent: what the bootstrap's level holds for. */
static struct da_study independent(size_t factors, size_t base, size_t replications, uint64_t seed)
{
    struct da_study s = saltelli(factors, base, replications, seed);
    struct dc_stream draw = dc_stream(seed, dc_name("test"), dc_name("rows"));
    for (size_t b = 0; b < base; b++)
        for (size_t j = 0; j < factors; j++) {
            double from_a = made_uniform(&draw), from_b = made_uniform(&draw);
            for (size_t row = 0; row < factors + 2; row++)
                s.x[(b * (factors + 2) + row) * factors + j] =
                    row == factors + 1 || row == j + 1 ? from_b : from_a;
        }
    return s;
}

static void check(const struct da_sensitivity *o, const double *first, const double *total,
                  double error)
{
    for (size_t j = 0; j < o->effects; j++) {
        CU_ASSERT_DOUBLE_EQUAL(o->effect[j].first.value, first[j], error);
        CU_ASSERT_DOUBLE_EQUAL(o->effect[j].total.value, total[j], error);
        CU_ASSERT(made_inside(o->effect[j].first, first[j]));
        CU_ASSERT(made_inside(o->effect[j].total, total[j]));
    }
}

static void test_ishigami(void)
{
    struct da_study s = saltelli(3, 4096, 1, 1);
    made_fill(&s, ishigami, 0, 0, 1);
    struct da_sensitivity o = analyse(&s, 1);
    check(&o, ishigami_first, ishigami_total, 0.01);
    CU_ASSERT_DOUBLE_EQUAL(o.mean, 3.5, 0.02);
    CU_ASSERT_DOUBLE_EQUAL(o.variance, 13.8446, 0.15);
    CU_ASSERT(isnan(o.noise) && !o.noise_only);
    CU_ASSERT_EQUAL(o.rows, 4096);
    da_sensitivity_free(&o);
    da_study_free(&s);
}

static void test_g_function(void)
{
    double first[6], total[6];
    g_truth(first, total);
    struct da_study s = saltelli(6, 4096, 1, 2);
    made_fill(&s, g_function, 0, 0, 1);
    struct da_sensitivity o = analyse(&s, 1);
    check(&o, first, total, 0.02);
    da_sensitivity_free(&o);
    da_study_free(&s);
}

/* Noise as large as the signal, part of it common to all points, does not move the indices. */
static void test_noise_is_taken_out(void)
{
    struct da_study s = saltelli(3, 2048, 8, 3);
    made_fill(&s, ishigami, 5, 3.5, 1);
    struct da_sensitivity o = analyse(&s, 1);
    check(&o, ishigami_first, ishigami_total, 0.06);
    /* 3.5^2 / 8 of the mean's own noise, beside 13.84; the common part is none between points */
    CU_ASSERT_DOUBLE_EQUAL(o.noise, 1.53 / (13.84 + 1.53), 0.02);
    CU_ASSERT_EQUAL(o.replications, 8);
    da_sensitivity_free(&o);
    da_study_free(&s);
}

static void test_noise_alone(void)
{
    size_t zero = 0, trials = 0, flagged = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct da_study s = saltelli(3, 64, 5, seed);
        made_fill(&s, nothing, 1, 1, seed);
        struct da_sensitivity o = analyse(&s, seed);
        for (size_t j = 0; j < 3; j++) {
            trials += 2;
            zero += made_inside(o.effect[j].first, 0) + made_inside(o.effect[j].total, 0);
        }
        flagged += o.noise_only;
        da_sensitivity_free(&o);
        da_study_free(&s);
    }
    CU_ASSERT(made_covers(zero, trials, 0.95));
    CU_ASSERT(made_covers(flagged, 60, 0.95));
    struct da_study s = saltelli(2, 16, 3, 1);
    made_fill(&s, nothing, 0, 0, 1);
    struct da_sensitivity o = analyse(&s, 1);
    CU_ASSERT(o.noise_only && o.effect[0].total.value == 0);
    da_sensitivity_free(&o);
    da_study_free(&s);
}

static double additive(const double *u)
{
    return 2 * u[0] + u[1]; /* first = total = 4/5, 1/5, 0 */
}

static void test_saltelli_coverage(void)
{
    static const double truth[] = {0.8, 0.2, 0};
    size_t hits = 0, trials = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct da_study s = independent(3, 100, 4, seed);
        made_fill(&s, additive, 1, 0.5, seed);
        struct da_sensitivity o = analyse(&s, seed);
        size_t j = seed % 3; /* one index of each study: the trials are independent */
        hits += made_inside(seed & 1 ? o.effect[j].first : o.effect[j].total, truth[j]);
        trials++;
        da_sensitivity_free(&o);
        da_study_free(&s);
    }
    CU_ASSERT(made_covers(hits, trials, 0.95));
    CU_ASSERT(hits < trials);
}

static struct da_study grid(size_t replications)
{
    static const uint32_t level[] = {3, 2, 2};
    struct da_design_plan plan = {.kind = DA_GRID, .factors = 3, .level = level};
    return made_design(&plan, replications);
}

static void test_factorial(void)
{
    struct da_study s = grid(1);
    made_fill(&s, factorial, 0, 0, 1);
    struct da_sensitivity o = analyse(&s, 1);
    double all = 2. / 3 + 1 + 0.5;
    CU_ASSERT_EQUAL(o.method, DA_GRID);
    CU_ASSERT_DOUBLE_EQUAL(o.variance, all, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(o.mean, 10, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[0].first.value, 2. / 3 / all, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[1].first.value, 1 / all, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[0].total.value, (2. / 3 + 0.5) / all, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[1].total.value, 1.5 / all, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[2].total.value, 0, 1e-12);
    CU_ASSERT_EQUAL(o.interactions, 3);
    CU_ASSERT(o.interaction[0].a == 0 && o.interaction[0].b == 1);
    CU_ASSERT_DOUBLE_EQUAL(o.interaction[0].share.value, 0.5 / all, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(o.interaction[1].share.value, 0, 1e-12);
    CU_ASSERT(isnan(o.effect[0].first.lo) && isnan(o.noise));
    da_sensitivity_free(&o);

    s.design = DA_LIST; /* in any order, and called a list: still a full factorial */
    for (size_t j = 0; j < 3; j++) {
        double x = s.x[j];
        s.x[j] = s.x[15 + j];
        s.x[15 + j] = x;
    }
    made_fill(&s, factorial, 0, 0, 1);
    o = analyse(&s, 1);
    CU_ASSERT_DOUBLE_EQUAL(o.interaction[0].share.value, 0.5 / all, 1e-12);
    da_sensitivity_free(&o);
    da_study_free(&s);
}

/* Common random numbers, ten replications: unbiased, and the intervals hold what they say. */
static void test_factorial_noise(void)
{
    double all = 2. / 3 + 1 + 0.5, sum = 0;
    size_t first = 0, null = 0, pair = 0;
    enum { TRIALS = 300 };
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        struct da_study s = grid(10);
        made_fill(&s, factorial, 3, 1, seed);
        struct da_sensitivity o = analyse(&s, seed);
        CU_ASSERT(!o.noise_only && o.noise > 0.005 && o.noise < 0.2);
        sum += o.variance;
        first += made_inside(o.effect[1].first, 1 / all);
        null += made_inside(o.effect[2].total, 0);
        pair += made_inside(o.interaction[0].share, 0.5 / all);
        da_sensitivity_free(&o);
        da_study_free(&s);
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / TRIALS, all, 0.05);
    CU_ASSERT(made_covers(first, TRIALS, 0.95));
    CU_ASSERT(made_covers(null, TRIALS, 0.95));
    CU_ASSERT(made_covers(pair, TRIALS, 0.95));
    CU_ASSERT(first < TRIALS && pair < TRIALS);
}

/* As much noise in the means as signal. */
static void test_factorial_much_noise(void)
{
    size_t null = 0, first = 0;
    enum { TRIALS = 200 };
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        struct da_study s = grid(30);
        made_fill(&s, factorial, 3, 5, seed);
        struct da_sensitivity o = analyse(&s, seed);
        null += made_inside(o.effect[2].total, 0);
        first += made_inside(o.effect[1].first, 6. / 13);
        da_sensitivity_free(&o);
        da_study_free(&s);
    }
    CU_ASSERT(made_covers(null, TRIALS, 0.95));
    CU_ASSERT(made_covers(first, TRIALS, 0.95));
}

static void test_factorial_noise_alone(void)
{
    size_t zero = 0, flagged = 0;
    double sum = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct da_study s = grid(6);
        made_fill(&s, nothing, 3, 1, seed);
        struct da_sensitivity o = analyse(&s, seed);
        zero += made_inside(o.effect[0].first, 0) && made_inside(o.effect[0].total, 0);
        sum += o.variance;
        flagged += o.noise_only && o.effect[0].total.value == 0 && o.effect[0].total.hi == 1;
        da_sensitivity_free(&o);
        da_study_free(&s);
    }
    CU_ASSERT(made_covers(flagged, 100, 0.95));
    CU_ASSERT(made_covers(zero, 100, 0.95));
    CU_ASSERT_DOUBLE_EQUAL(sum / 100, 0, 0.04);
}

static double bent(const double *u)
{
    return 3 * u[0] - 2 * u[1] + 8 * (u[2] - 0.5) * (u[3] - 0.5);
}

static void test_morris(void)
{
    struct da_design_plan plan = {
        .kind = DA_MORRIS, .factors = 5, .base = 40, .levels = 4, .seed = 1};
    struct da_study s = made_design(&plan, 5);
    made_fill(&s, bent, 2, 0, 1);
    struct da_sensitivity o = analyse(&s, 1);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[0].mu.value, 3, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[0].sigma.value, 0, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[1].mu.value, -2, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[1].mu_star.value, 2, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[4].mu_star.value, 0, 1e-9);
    /* 8 (u - 1/2) with u in 0, 1/3, 2/3, 1: mean of absolutes 8/3, standard deviation 2.98 */
    CU_ASSERT(made_inside(o.effect[2].mu, 0));
    CU_ASSERT(made_inside(o.effect[2].mu_star, 8. / 3));
    CU_ASSERT(made_inside(o.effect[2].sigma, 8 * sqrt(5. / 36)));
    CU_ASSERT(o.effect[2].mu_star.hi - o.effect[2].mu_star.lo < 1);
    da_sensitivity_free(&o);

    made_fill(&s, bent, 2, 1, 1); /* own noise does not pass for an interaction */
    o = analyse(&s, 1);
    CU_ASSERT(made_inside(o.effect[0].mu, 3));
    CU_ASSERT(o.effect[0].sigma.lo < 0.3);
    CU_ASSERT(o.noise > 0.01 && o.noise < 0.3);
    da_sensitivity_free(&o);
    da_study_free(&s);
}

/* A slope that differs between replications is common to all trajectories: no interaction. */
static void test_morris_common_slope(void)
{
    struct da_design_plan plan = {
        .kind = DA_MORRIS, .factors = 4, .base = 20, .levels = 4, .seed = 2};
    struct da_study s = made_design(&plan, 5);
    struct dc_stream draw = dc_stream(1, dc_name("test"), dc_name("slope"));
    made_fill(&s, bent, 1, 0, 1);
    struct da_sensitivity plain = analyse(&s, 1);
    for (size_t r = 0; r < 5; r++) {
        double slope = 6 * made_normal(&draw);
        for (size_t i = 0; i < s.points; i++)
            *made_value(&s, i, r, 0) += slope * s.x[i * 4 + 2];
    }
    struct da_sensitivity o = analyse(&s, 1);
    CU_ASSERT(o.effect[2].sigma.value > 2);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[2].sigma.value, plain.effect[2].sigma.value, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(o.noise, 0, 1e-9);
    da_sensitivity_free(&plain);
    da_sensitivity_free(&o);
    da_study_free(&s);
}

static void test_gaps(void)
{
    struct da_study s = saltelli(3, 512, 4, 5);
    struct da_sensitivity o;
    made_fill(&s, ishigami, 1, 1, 1);
    for (size_t r = 0; r < 4; r++) {
        s.status[7 * 4 + r] = DA_RUN_FAILED; /* point 7 is of the second block */
        *made_value(&s, 7, r, 0) = 1e9;
    }
    s.status[0] = DA_RUN_VIOLATED; /* one replication of the first */
    *made_value(&s, 0, 0, 0) = 1e9;
    o = analyse(&s, 1);
    CU_ASSERT(o.rows == 511 && o.rows_left_out == 1 && o.replications == 3);
    CU_ASSERT_DOUBLE_EQUAL(o.effect[1].first.value, .4424, 0.06);
    da_sensitivity_free(&o);
    da_study_free(&s);

    struct dc_error error = {0};
    s = grid(3);
    made_fill(&s, factorial, 1, 1, 1);
    s.status[4 * 3 + 1] = DA_RUN_FAILED;
    o = analyse(&s, 1);
    CU_ASSERT(o.replications == 2 && o.rows_left_out == 1);
    da_sensitivity_free(&o);
    memset(s.status + 4 * 3, DA_RUN_FAILED, 3);
    CU_ASSERT_EQUAL(da_sensitivity(&s, 0, 0.95, 1, &o, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "point 4 has the fewest"));
    da_sensitivity_free(&o);
    da_study_free(&s);
}

static void test_refusals(void)
{
    struct da_design_plan plan = {.kind = DA_LHS, .factors = 2, .points = 10, .seed = 1};
    struct da_study s = made_design(&plan, 2);
    struct da_sensitivity o;
    struct dc_error error = {0};
    made_fill(&s, additive, 0, 1, 1);
    CU_ASSERT_EQUAL(da_sensitivity(&s, 0, 0.95, 1, &o, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "design: {kind: saltelli"));
    da_sensitivity_free(&o);
    CU_ASSERT_EQUAL(da_sensitivity(&s, 9, 0.95, 1, &o, NULL), DC_ERR_USAGE);
    da_sensitivity_free(&o);
    da_study_free(&s);
}

static void test_same_bytes_and_memory(void)
{
    struct da_study s = saltelli(3, 64, 3, 5);
    made_fill(&s, ishigami, 1, 1, 1);
    struct da_sensitivity a = analyse(&s, 9), b = analyse(&s, 9), c = analyse(&s, 10);
    CU_ASSERT_EQUAL(memcmp(a.effect, b.effect, 3 * sizeof *a.effect), 0);
    CU_ASSERT(a.effect[0].first.lo != c.effect[0].first.lo);
    da_sensitivity_free(&a);
    da_sensitivity_free(&b);
    da_sensitivity_free(&c);
    for (uint64_t n = 0;; n++) {
        struct dc_error error = {0};
        dc_mem_budget(n);
        enum dc_status status = da_sensitivity(&s, 0, 0.95, 1, &a, &error);
        dc_mem_budget(UINT64_MAX);
        bool whole = status == DC_OK && !isnan(a.effect[0].first.lo);
        da_sensitivity_free(&a);
        if (whole)
            break;
        CU_ASSERT(status == DC_OK || (status == DC_ERR_IO && error.text[0]));
        CU_ASSERT_FATAL(n < 100);
    }
    da_study_free(&s);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"Ishigami", test_ishigami},
        {"g-function", test_g_function},
        {"noise is taken out", test_noise_is_taken_out},
        {"noise alone", test_noise_alone},
        {"coverage of Saltelli's intervals", test_saltelli_coverage},
        {"factorial", test_factorial},
        {"factorial with noise", test_factorial_noise},
        {"factorial with much noise", test_factorial_much_noise},
        {"factorial of noise alone", test_factorial_noise_alone},
        {"Morris", test_morris},
        {"Morris with a common slope", test_morris_common_slope},
        {"gaps", test_gaps},
        {"refusals", test_refusals},
        {"same bytes, no memory", test_same_bytes_and_memory}};
    return TEST_MAIN("sensitivity", cases);
}

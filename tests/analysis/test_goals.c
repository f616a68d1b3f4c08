/* Constraints, the best point and the optimum along a parameter, on bowls with known optima. */
#include "analysis/goals.h"
#include "tests/analysis/made.h"

/* --- constraints ---------------------------------------------------------------------------- */

static enum da_met judged(enum da_op op, double value, const double *x, size_t n, double *bound)
{
    struct da_constraint c = {"m", "m", op, value, 0.95};
    struct da_verdict v = da_constraint_judge(&c, x, n);
    if (bound)
        *bound = v.bound;
    return v.met;
}

static void test_verdicts(void)
{
    static const double x[] = {1, 2, 3, 4}; /* 2.5 +- 2.353363 x 0.645497 one-sided at 95 % */
    double bound, half = 2.353363 * 0.645497;
    CU_ASSERT_EQUAL(judged(DA_LE, 4.1, x, 4, &bound), DA_MET);
    CU_ASSERT_DOUBLE_EQUAL(bound, 2.5 + half, 1e-5);
    CU_ASSERT_EQUAL(judged(DA_LE, 3.9, x, 4, NULL), DA_UNKNOWN);
    CU_ASSERT_EQUAL(judged(DA_LE, 0.9, x, 4, NULL), DA_NOT_MET);
    CU_ASSERT_EQUAL(judged(DA_GE, 0.9, x, 4, &bound), DA_MET);
    CU_ASSERT_DOUBLE_EQUAL(bound, 2.5 - half, 1e-5);
    CU_ASSERT_EQUAL(judged(DA_GT, 4.1, x, 4, NULL), DA_NOT_MET);
    CU_ASSERT_EQUAL(judged(DA_LT, 4, x, 1, NULL), DA_UNKNOWN);
    CU_ASSERT_EQUAL(judged(DA_LT, 4, x, 0, &bound), DA_UNKNOWN);
    CU_ASSERT(isnan(bound));
    static const double same[] = {2, 2, 2}, mixed[] = {2, 2, 5};
    CU_ASSERT_EQUAL(judged(DA_LE, 2, same, 3, NULL), DA_MET);
    CU_ASSERT_EQUAL(judged(DA_LT, 2, same, 3, NULL), DA_NOT_MET);
    CU_ASSERT_EQUAL(judged(DA_GE, 2, same, 3, NULL), DA_MET);
    CU_ASSERT_EQUAL(judged(DA_GT, 2, same, 3, NULL), DA_NOT_MET);
    CU_ASSERT_EQUAL(judged(DA_EQ, 2, same, 3, NULL), DA_MET);
    CU_ASSERT_EQUAL(judged(DA_EQ, 2, mixed, 3, &bound), DA_NOT_MET);
    CU_ASSERT_EQUAL(bound, 5);
    CU_ASSERT_EQUAL(judged(DA_NE, 5, mixed, 3, &bound), DA_NOT_MET);
    CU_ASSERT_EQUAL(bound, 5);
    CU_ASSERT_EQUAL(judged(DA_NE, 3, mixed, 3, NULL), DA_MET);
}

/* On the border "met" is wrong in one of twenty trials, "not met" in another. */
static void test_verdict_level(void)
{
    size_t met = 0, not_met = 0;
    enum { TRIALS = 2000 };
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("test"), dc_name("verdict"));
        double x[8];
        for (int i = 0; i < 8; i++)
            x[i] = 3 + made_normal(&s);
        enum da_met m = judged(DA_LE, 3, x, 8, NULL);
        met += m == DA_MET;
        not_met += m == DA_NOT_MET;
    }
    CU_ASSERT(made_covers_exactly(met, TRIALS, 0.05));
    CU_ASSERT(made_covers_exactly(not_met, TRIALS, 0.05));
}

/* Cost m falls with a, harm n = 1 - a rises as a falls: n <= 0.45 holds from a = 0.6 on. */
static const struct da_objective cost = {"m", true};
static const struct da_constraint harm[] = {{"n <= 0.45", "n", DA_LE, 0.45, 0.95},
                                            {"m <= 7.5", "m", DA_LE, 7.5, 0.95}};
static struct da_study trade_off(void)
{
    struct da_study s = made_study(1, 2, 11, 5);
    struct dc_stream draw = dc_stream(1, dc_name("test"), dc_name("goals"));
    for (size_t i = 0; i < 11; i++) {
        s.x[i] = (double)i / 10;
        for (size_t r = 0; r < 5; r++) {
            *made_value(&s, i, r, 0) = 10 - s.x[i] + 0.001 * made_normal(&draw);
            *made_value(&s, i, r, 1) = 1 - s.x[i] + 0.001 * made_normal(&draw);
        }
    }
    s.objective = &cost;
    s.objectives = 1;
    s.constraint = harm;
    s.constraints = 1;
    return s;
}

static void test_goals(void)
{
    struct da_study s = trade_off();
    struct da_goals g;
    struct dc_error error = {0};
    memset(s.status + 9 * 5, DA_RUN_FAILED, 5);
    CU_ASSERT_EQUAL(da_goals(&s, 0.95, &g, &error), DC_OK);
    CU_ASSERT_EQUAL(g.feasible_count, 4); /* 0.6, 0.7, 0.8, 1.0; 0.9 failed */
    CU_ASSERT(!g.feasible[5] && g.feasible[6] && !g.feasible[9] && g.feasible[10]);
    CU_ASSERT(g.verdict[9].met == DA_UNKNOWN && !g.possible[9] && g.possible_count == 4);
    CU_ASSERT_EQUAL(g.best[0], 6);
    CU_ASSERT_DOUBLE_EQUAL(g.objective[6].value, 9.4, 0.002);
    struct dc_text text = {0};
    da_goals_why_not(&s, &g, &text);
    CU_ASSERT_EQUAL(text.size, 0);
    da_goals_free(&g);
    da_study_free(&s);
}

static void test_why_not(void)
{
    struct da_study s = trade_off();
    struct da_goals g;
    struct dc_text text = {0};
    s.constraint = &harm[1]; /* the cost is never below 9 */
    CU_ASSERT_EQUAL(da_goals(&s, 0.95, &g, NULL), DC_OK);
    CU_ASSERT(g.feasible_count == 0 && g.possible_count == 0 && g.best[0] == SIZE_MAX);
    da_goals_why_not(&s, &g, &text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text.data);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "no point meets `m <= 7.5` with 95 % confidence; "
                                             "nearest is point 10 (a=1): mean "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "widen the parameters' ranges"));
    dc_text_free(&text);
    da_goals_free(&g);

    static const struct da_constraint both[] = {{"n <= 0.45", "n", DA_LE, 0.45, 0.95},
                                                {"m >= 9.7", "m", DA_GE, 9.7, 0.95}};
    s.constraint = both; /* a >= 0.6 and a <= 0.2 */
    s.constraints = 2;
    text = (struct dc_text){0};
    CU_ASSERT_EQUAL(da_goals(&s, 0.95, &g, NULL), DC_OK);
    CU_ASSERT_EQUAL(g.feasible_count, 0);
    da_goals_why_not(&s, &g, &text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text.data);
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "no point meets all 2 constraints together"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text.data, "meets 1 and lacks `"));
    dc_text_free(&text);
    da_goals_free(&g);

    static const struct da_objective unknown = {"speed", true};
    struct dc_error error = {0};
    s.objective = &unknown;
    CU_ASSERT_EQUAL(da_goals(&s, 0.95, &g, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "objective of speed"));
    da_goals_free(&g);
    da_study_free(&s);
}

/* --- the best point ------------------------------------------------------------------------- */

static double bowl(const double *x)
{
    return 5 + 8 * (x[0] - 0.37) * (x[0] - 0.37);
}
static double hill(const double *x)
{
    return -bowl(x);
}

/* 0, 0.1, .. 1 along a. */
static struct da_study line(size_t replications)
{
    struct da_study s = made_study(1, 1, 11, replications);
    for (size_t i = 0; i < 11; i++)
        s.x[i] = (double)i / 10;
    return s;
}

static void test_best(void)
{
    size_t held = 0, left = 0;
    enum { TRIALS = 300 };
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        struct da_study s = line(10);
        struct da_best b;
        made_fill(&s, seed & 1 ? bowl : hill, 5, 0.1, seed);
        CU_ASSERT_EQUAL(da_best(&s, 0, !(seed & 1), NULL, 0.95, seed, &b, NULL), DC_OK);
        held += b.contender[4]; /* 0.4 is nearest to 0.37 */
        left += b.contenders;
        CU_ASSERT(b.contender[b.point] && !b.contender[10] && b.chance[10] == 0);
        CU_ASSERT(b.behind[b.point].value == 0 && b.behind[10].lo > 2);
        double sum = 0;
        for (size_t i = 0; i < 11; i++)
            sum += b.chance[i];
        CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-9);
        da_best_free(&b);
        da_study_free(&s);
    }
    CU_ASSERT(made_covers(held, TRIALS, 0.95));
    CU_ASSERT(left < 4 * TRIALS); /* 0.3, 0.4 and now and then a neighbour */
}

static double flat(const double *x)
{
    (void)x;
    return 1;
}

/* All points are best: each stays a contender in 95 of 100 studies, and not always. */
static void test_best_of_equals(void)
{
    size_t held = 0, alone = 0;
    enum { TRIALS = 500 };
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        struct da_study s = line(8);
        struct da_best b;
        made_fill(&s, flat, 5, 1, seed);
        CU_ASSERT_EQUAL(da_best(&s, 0, false, NULL, 0.95, seed, &b, NULL), DC_OK);
        held += b.contender[seed % 11];
        alone += b.contenders < 11;
        da_best_free(&b);
        da_study_free(&s);
    }
    CU_ASSERT(made_covers(held, TRIALS, 0.95));
    CU_ASSERT(alone > 0);
}

static void test_best_ties(void)
{
    struct da_study s = line(4);
    struct da_best b;
    made_fill(&s, bowl, 1, 0, 1);
    for (size_t r = 0; r < 4; r++)
        *made_value(&s, 9, r, 0) = *made_value(&s, 4, r, 0);
    CU_ASSERT_EQUAL(da_best(&s, 0, false, NULL, 0.95, 1, &b, NULL), DC_OK);
    CU_ASSERT_DOUBLE_EQUAL(b.chance[4], 0.5, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(b.chance[9], 0.5, 1e-9);
    CU_ASSERT(b.point == 4 && b.contenders == 2);
    da_best_free(&b);
    da_study_free(&s);
}

static void test_best_edges(void)
{
    struct da_study s = line(3);
    struct da_best b;
    struct dc_error error = {0};
    made_fill(&s, bowl, 1, 0, 1);
    CU_ASSERT_EQUAL(da_best(&s, 0, false, NULL, 0.95, 1, &b, &error), DC_OK);
    CU_ASSERT(b.point == 4 && b.contenders == 1 && b.chance[4] > 0.9999);
    da_best_free(&b);
    bool allowed[11] = {false};
    CU_ASSERT_EQUAL(da_best(&s, 0, false, allowed, 0.95, 1, &b, &error), DC_ERR_USAGE);
    da_best_free(&b);
    allowed[0] = allowed[9] = true;
    CU_ASSERT_EQUAL(da_best(&s, 0, false, allowed, 0.95, 1, &b, NULL), DC_OK);
    CU_ASSERT(b.point == 0 && b.contenders == 1);
    da_best_free(&b);
    da_study_free(&s);
    s = line(1); /* nothing can be excluded on one replication */
    made_fill(&s, bowl, 1, 0, 1);
    CU_ASSERT_EQUAL(da_best(&s, 0, false, NULL, 0.95, 1, &b, NULL), DC_OK);
    CU_ASSERT(b.point == 4 && b.contenders == 11 && isnan(b.value.lo) && isnan(b.chance[4]));
    da_best_free(&b);
    da_study_free(&s);
}

/* --- the optimum along a parameter ---------------------------------------------------------- */

static struct da_along along(uint64_t seed)
{
    return (struct da_along){.by = SIZE_MAX, .level = 0.95, .seed = seed};
}

static bool is_level(const struct da_optimum *g, double x)
{
    for (size_t l = 0; l < g->levels; l++)
        if (g->level[l] == x)
            return true;
    return false;
}

static void test_optimum_coverage(void)
{
    size_t smooth = 0, level = 0, value = 0;
    double width = 0;
    enum { TRIALS = 300 };
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        struct da_study s = line(10);
        struct da_along look = along(seed);
        struct da_optima o;
        look.maximise = seed & 1;
        made_fill(&s, look.maximise ? hill : bowl, 5, 0.1, seed);
        CU_ASSERT_EQUAL(da_optima(&s, &look, &o, NULL), DC_OK);
        CU_ASSERT_EQUAL_FATAL(o.groups, 1);
        const struct da_optimum *g = &o.group[0];
        smooth += made_inside(g->smooth, 0.37);
        level += made_inside(g->x, 0.4);
        value += made_inside(g->smooth_value, look.maximise ? -5 : 5);
        width += (g->smooth.hi - g->smooth.lo) / TRIALS;
        CU_ASSERT(is_level(g, g->x.lo) && is_level(g, g->x.hi));
        CU_ASSERT(!g->edge && g->levels == 11 && g->replications == 10);
        CU_ASSERT(g->level[10] == 1 && g->mean[10].count == 10);
        da_optima_free(&o);
        da_study_free(&s);
    }
    CU_ASSERT(made_covers(smooth, TRIALS, 0.95));
    CU_ASSERT(made_covers(level, TRIALS, 0.95));
    CU_ASSERT(made_covers(value, TRIALS, 0.95));
    CU_ASSERT(smooth < TRIALS && width < 0.15);
}

/* The optimum of a moves with b, 0.2 + 0.3 b; c only adds. */
static double valley(const double *x)
{
    double d = x[0] - 0.2 - 0.3 * x[1];
    return d * d + x[2];
}
static struct da_study valleys(void)
{
    struct da_study s = made_study(3, 1, 66, 4);
    for (size_t i = 0; i < 66; i++) {
        s.x[3 * i] = (double)(i % 11) / 10;
        s.x[3 * i + 1] = (double)(i / 11 % 3);
        s.x[3 * i + 2] = (double)(i / 33);
    }
    made_fill(&s, valley, 1, 0, 1);
    return s;
}

static void test_groups(void)
{
    struct da_study s = valleys();
    struct da_along look = along(1);
    struct da_optima o;
    look.by = 1;
    CU_ASSERT_EQUAL(da_optima(&s, &look, &o, NULL), DC_OK);
    CU_ASSERT_EQUAL_FATAL(o.groups, 3);
    for (size_t g = 0; g < 3; g++) {
        double truth = 0.2 + 0.3 * (double)g;
        CU_ASSERT_EQUAL(o.group[g].group, (double)g);
        CU_ASSERT_DOUBLE_EQUAL(o.group[g].x.value, truth, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(o.group[g].smooth.value, truth, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(o.group[g].smooth.hi - o.group[g].smooth.lo, 0, 1e-9);
    }
    double averaged = o.group[0].value.value;
    da_optima_free(&o);
    static const double fixed[] = {NAN, NAN, 1};
    look.fixed = fixed;
    CU_ASSERT_EQUAL(da_optima(&s, &look, &o, NULL), DC_OK);
    CU_ASSERT_DOUBLE_EQUAL(o.group[0].value.value, averaged + 0.5, 1e-9);
    da_optima_free(&o);
    look.fixed = NULL;
    look.by = SIZE_MAX; /* all together: the mean of the bowls */
    CU_ASSERT_EQUAL(da_optima(&s, &look, &o, NULL), DC_OK);
    CU_ASSERT_DOUBLE_EQUAL(o.group[0].smooth.value, 0.5, 1e-9);
    da_optima_free(&o);
    da_study_free(&s);
}

static void test_groups_with_gaps(void)
{
    struct da_study s = valleys();
    struct da_along look = along(1);
    struct da_optima o;
    struct dc_error error = {0};
    bool allowed[66];
    look.by = 1;
    look.allowed = allowed;
    for (size_t i = 0; i < 66; i++)
        allowed[i] = s.x[3 * i] >= 0.35;
    memset(s.status + 4 * 4, DA_RUN_FAILED, 4); /* a = 0.4, b = 0, c = 0 */
    s.status[16 * 4 + 2] = DA_RUN_FAILED;       /* one replication of a = 0.5, b = 1, c = 0 */
    CU_ASSERT_EQUAL(da_optima(&s, &look, &o, NULL), DC_OK);
    CU_ASSERT(o.group[0].x.value == 0.5 && o.group[0].edge && o.group[0].levels == 6);
    CU_ASSERT(o.group[1].replications == 3 && o.group[2].replications == 4);
    CU_ASSERT_DOUBLE_EQUAL(o.group[1].x.value, 0.5, 1e-9);
    da_optima_free(&o);
    for (size_t i = 0; i < 66; i++)
        allowed[i] = s.x[3 * i] == 0.3;
    CU_ASSERT_EQUAL(da_optima(&s, &look, &o, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "optimum along a"));
    da_optima_free(&o);
    look.along = look.by;
    CU_ASSERT_EQUAL(da_optima(&s, &look, &o, NULL), DC_ERR_USAGE);
    da_optima_free(&o);
    da_study_free(&s);
}

/* A bowl in the logarithm; words have no place between them. */
static void test_scales(void)
{
    static const char *const word[] = {"x", "y", "z", "u", "v"};
    struct da_study s = made_study(1, 1, 5, 3);
    struct da_parameter p = {.path = "a", .label = "a", .unit = "1", .scale = DA_LOG};
    struct da_along look = along(1);
    struct da_optima o;
    s.parameter = &p;
    for (size_t i = 0; i < 5; i++) {
        s.x[i] = pow(10, (double)i);
        for (size_t r = 0; r < 3; r++)
            *made_value(&s, i, r, 0) = pow((double)i - 2.25, 2) + (double)r;
    }
    CU_ASSERT_EQUAL(da_optima(&s, &look, &o, NULL), DC_OK);
    CU_ASSERT_DOUBLE_EQUAL(log10(o.group[0].smooth.value), 2.25, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(o.group[0].smooth_value.value, 1, 1e-9);
    CU_ASSERT_EQUAL(o.group[0].x.value, 100);
    da_optima_free(&o);
    p = (struct da_parameter){.path = "a", .label = "a", .unit = "", .words = true, .word = word};
    p.words_count = 5;
    for (size_t i = 0; i < 5; i++)
        s.x[i] = (double)i;
    CU_ASSERT_EQUAL(da_optima(&s, &look, &o, NULL), DC_OK);
    CU_ASSERT(o.group[0].x.value == 2 && isnan(o.group[0].smooth.value));
    da_optima_free(&o);
    struct dc_text text = {0};
    da_study_setting(&s, 2, &text);
    CU_ASSERT_STRING_EQUAL(text.data, "a=z");
    dc_text_free(&text);
    da_study_free(&s);
}

static void test_no_memory(void)
{
    struct da_study s = valleys();
    struct da_along look = along(1);
    bool done[3] = {false, false, false};
    look.by = 1;
    for (uint64_t n = 0; !(done[0] && done[1] && done[2]); n++) {
        struct da_optima o;
        struct da_best b;
        struct da_goals g;
        dc_mem_budget(n);
        enum dc_status a = da_optima(&s, &look, &o, NULL);
        dc_mem_budget(n);
        enum dc_status c = da_best(&s, 0, false, NULL, 0.95, 1, &b, NULL);
        dc_mem_budget(n);
        enum dc_status d = da_goals(&s, 0.95, &g, NULL);
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT(a == DC_OK || a == DC_ERR_IO);
        CU_ASSERT(c == DC_OK || c == DC_ERR_IO);
        CU_ASSERT(d == DC_OK || d == DC_ERR_IO);
        done[0] |= a == DC_OK && !isnan(o.group[2].smooth_value.lo);
        done[1] |= c == DC_OK;
        done[2] |= d == DC_OK;
        da_optima_free(&o);
        da_best_free(&b);
        da_goals_free(&g);
        CU_ASSERT_FATAL(n < 200);
    }
    da_study_free(&s);
}

int main(void)
{
    static const struct test_case cases[] = {{"verdicts", test_verdicts},
                                             {"level of verdicts", test_verdict_level},
                                             {"goals", test_goals},
                                             {"why not", test_why_not},
                                             {"best point", test_best},
                                             {"best of equals", test_best_of_equals},
                                             {"best point, ties", test_best_ties},
                                             {"best point, edges", test_best_edges},
                                             {"coverage of the optimum", test_optimum_coverage},
                                             {"groups", test_groups},
                                             {"groups with gaps", test_groups_with_gaps},
                                             {"scales", test_scales},
                                             {"no memory", test_no_memory}};
    return TEST_MAIN("goals", cases);
}

/* ROC and precision-recall: published and hand-made examples, the binormal model, coverage. */
#include "analysis/roc.h"
#include "tests/analysis/made.h"

static struct da_roc roc(const double *score, const bool *positive, size_t n, uint64_t seed)
{
    struct da_roc out;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(da_roc_scored(score, positive, n, 0.95, seed, &out, &error), DC_OK);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    return out;
}

/* The example in scikit-learn's reference of roc_curve, roc_auc_score, average_precision_score. */
static void test_small(void)
{
    static const double score[] = {0.1, 0.4, 0.35, 0.8};
    static const bool positive[] = {false, false, true, true};
    static const double fpr[] = {0, 0, 0.5, 0.5, 1}, tpr[] = {0, 0.5, 0.5, 1, 1};
    static const double precision[] = {1, 1, 0.5, 2. / 3, 0.5};
    struct da_roc o = roc(score, positive, 4, 1);
    CU_ASSERT_EQUAL_FATAL(o.points, 5);
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(o.point[i].fpr, fpr[i]);
        CU_ASSERT_EQUAL(o.point[i].tpr, tpr[i]);
        CU_ASSERT_DOUBLE_EQUAL(o.point[i].precision, precision[i], 1e-15);
    }
    CU_ASSERT(isinf(o.point[0].threshold) && o.point[1].threshold == 0.8);
    CU_ASSERT_EQUAL(o.area.value, 0.75);
    CU_ASSERT_EQUAL(o.area_bootstrap.value, 0.75);
    CU_ASSERT_DOUBLE_EQUAL(o.average_precision.value, 5. / 6, 1e-15);
    /* placements 1/2, 1 and 1, 1/2: variance 1/8; on the logit scale 1.96 sqrt(1/8) / (3/16) */
    double half = 1.959964 * sqrt(0.125) / 0.1875;
    CU_ASSERT_DOUBLE_EQUAL(o.area.lo, 1 / (1 + exp(half - log(3))), 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(o.area.hi, 1 / (1 + exp(-half - log(3))), 1e-6);
    da_roc_free(&o);
}

static void test_ties(void)
{
    static const double score[] = {2, 2, 2, 2, 1, 1, 1, 1};
    static const bool positive[] = {true, true, true, false, true, false, false, false};
    struct da_roc o = roc(score, positive, 8, 1);
    CU_ASSERT_EQUAL_FATAL(o.points, 3);
    CU_ASSERT(o.point[1].tpr == 0.75 && o.point[1].fpr == 0.25);
    CU_ASSERT_EQUAL(o.area.value, 0.75);
    CU_ASSERT_EQUAL(o.average_precision.value, 0.75 * 0.75 + 0.25 * 0.5);
    da_roc_free(&o);
    static const double same[8] = {0};
    o = roc(same, positive, 8, 1);
    CU_ASSERT_EQUAL(o.area.value, 0.5);
    CU_ASSERT_DOUBLE_EQUAL(o.precision_area.value, 0.5, 1e-15);
    da_roc_free(&o);
}

/* Davis and Goadrich's section 3: 20 positives, 2000 negatives, A = 5 true and 5 false, B = 10 true
 * and 30 false: each true positive more costs five false ones. */
static void test_davis_goadrich(void)
{
    enum { N = 2020 };
    static double score[N];
    static bool positive[N];
    for (size_t i = 0; i < N; i++) {
        positive[i] = i < 20;
        bool a = i < 5 || (i >= 20 && i < 25), b = i < 10 || (i >= 20 && i < 50);
        score[i] = a ? 3 : b ? 2 : 1;
    }
    struct da_roc o = roc(score, positive, N, 1);
    CU_ASSERT_DOUBLE_EQUAL(o.point[1].precision, 0.5, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(o.point[2].precision, 0.25, 1e-15);
    /* by Simpson's rule: 1/2 over the first quarter; t / (t + 5 + 5 (t - 5)) from 5 to 10; then
     * t / (t + 30 + 197 (t - 10)) to 20 */
    double area = 0.25 * 0.5;
    enum { STEPS = 20000 };
    for (int i = 0; i <= STEPS; i++) {
        double w = (i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2) / (3. * STEPS);
        double t = 5 + 5. * i / STEPS, u = 10 + 10. * i / STEPS;
        area +=
            w * (5. / 20 * t / (t + 5 + 5 * (t - 5)) + 10. / 20 * u / (u + 30 + 197 * (u - 10)));
    }
    CU_ASSERT_DOUBLE_EQUAL(o.precision_area.value, area, 1e-6);
    CU_ASSERT(o.average_precision.value < area); /* a step holds the lower end's precision */
    da_roc_free(&o);
}

enum { HALF = 1000 };
static void binormal(uint64_t seed, double mu, double sd, size_t m, size_t n, double *score,
                     bool *positive)
{
    struct dc_stream s = dc_stream(seed, dc_name("binormal"), dc_name("score"));
    for (size_t i = 0; i < m + n; i++) {
        positive[i] = i < m;
        score[i] = i < m ? mu + sd * made_normal(&s) : made_normal(&s);
    }
}

static void test_binormal(void)
{
    static double score[2 * HALF];
    static bool positive[2 * HALF];
    static const double mu[] = {0, 0.5, 1, 2, 1}, sd[] = {1, 1, 1, 2, 0.5};
    for (size_t i = 0; i < 5; i++) {
        double truth = da_normal_below(mu[i] / sqrt(1 + sd[i] * sd[i]));
        binormal(7 + i, mu[i], sd[i], HALF, HALF, score, positive);
        struct da_roc o = roc(score, positive, 2 * HALF, 1);
        CU_ASSERT_DOUBLE_EQUAL(o.area.value, truth, 0.03);
        CU_ASSERT(made_inside(o.area, truth));
        CU_ASSERT(made_inside(o.area_bootstrap, truth));
        CU_ASSERT_DOUBLE_EQUAL(o.area.hi - o.area.lo, o.area_bootstrap.hi - o.area_bootstrap.lo,
                               0.006);
        CU_ASSERT(o.average_precision.lo < o.average_precision.value);
        da_roc_free(&o);
    }
}

static void test_coverage(void)
{
    double score[80], truth = da_normal_below(1 / sqrt(2));
    bool positive[80];
    size_t delong = 0, bootstrap = 0;
    enum { TRIALS = 300 };
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        binormal(seed, 1, 1, 30, 50, score, positive);
        struct da_roc o = roc(score, positive, 80, seed);
        delong += made_inside(o.area, truth);
        bootstrap += made_inside(o.area_bootstrap, truth);
        da_roc_free(&o);
    }
    CU_ASSERT(made_covers_exactly(delong, TRIALS, 0.95));
    CU_ASSERT(made_covers_exactly(bootstrap, TRIALS, 0.95));
}

static void test_separated(void)
{
    static const double score[] = {9, 8, 7, 6, 5, 4, 3, 2};
    static const bool positive[] = {true, true, true, true, false, false, false, false};
    struct da_roc o = roc(score, positive, 8, 1);
    CU_ASSERT(o.area.value == 1 && o.area.hi == 1);
    CU_ASSERT_DOUBLE_EQUAL(o.area.lo, pow(0.025, 0.25), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(o.precision_area.value, 1, 1e-15);
    da_roc_free(&o);
}

static void test_refusals(void)
{
    static const double score[] = {1, NAN};
    static const bool positive[] = {true, true};
    struct da_roc o;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(da_roc_scored(score, positive, 1, 0.95, 1, &o, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "1 positives and 0 negatives"));
    da_roc_free(&o);
    CU_ASSERT_EQUAL(da_roc_scored(score, positive, 2, 0.95, 1, &o, NULL), DC_ERR_USAGE);
    da_roc_free(&o);
}

/* Rates at thresholds of the binormal model, twelve replications of 200 each. */
enum { THETAS = 5, REPLICATIONS = 12, EACH = 200 };
static void measured(uint64_t seed, double *x, double *fpr, double *tpr)
{
    for (size_t r = 0; r < REPLICATIONS; r++) {
        struct dc_stream s = dc_stream(seed, dc_name_indexed("measured", r), dc_name("score"));
        double score[2][EACH];
        for (size_t i = 0; i < 2 * EACH; i++)
            score[i / EACH][i % EACH] = made_normal(&s) + (i >= EACH);
        for (size_t t = 0; t < THETAS; t++) {
            x[t] = 2 - (double)t;
            double called[2] = {0, 0};
            for (size_t i = 0; i < 2 * EACH; i++)
                called[i / EACH] += score[i / EACH][i % EACH] >= x[t];
            fpr[t * REPLICATIONS + r] = called[0] / EACH;
            tpr[t * REPLICATIONS + r] = called[1] / EACH;
        }
    }
}

static void test_rates(void)
{
    double x[THETAS], fpr[THETAS * REPLICATIONS], tpr[THETAS * REPLICATIONS], truth = 0;
    double last_f = 0, last_t = 0;
    for (int t = 0; t <= THETAS; t++) {
        double f = t < THETAS ? da_normal_below(t - 2) : 1,
               p = t < THETAS ? da_normal_below(t - 1) : 1;
        truth += (f - last_f) * (p + last_t) / 2;
        last_f = f;
        last_t = p;
    }
    size_t hits = 0;
    enum { TRIALS = 200 };
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        struct da_rates o;
        measured(seed, x, fpr, tpr);
        CU_ASSERT_EQUAL(da_roc_rates(x, fpr, tpr, THETAS, REPLICATIONS, 0.1, 0.95, seed, &o, NULL),
                        DC_OK);
        hits += made_inside(o.area, truth);
        if (seed == 1) {
            CU_ASSERT(o.points == THETAS && o.point[0].x == 2 && o.point[4].x == -2);
            CU_ASSERT(o.point[o.best].x == 1 || o.point[o.best].x == 0);
            CU_ASSERT(o.area_hull.value >= o.area.value);
            double f = da_normal_below(-1), p = da_normal_below(0), hit = p * 0.1;
            CU_ASSERT(made_inside(o.point[1].precision, hit / (hit + f * 0.9)));
            CU_ASSERT(made_inside(o.point[1].fpr, f) && made_inside(o.point[1].tpr, p));
        }
        da_rates_free(&o);
    }
    CU_ASSERT(made_covers_exactly(hits, TRIALS, 0.95));
}

static void test_rates_by_hand(void)
{
    /* two points; the second lies below the hull, which skips it */
    static const double x[] = {5, 4}, fpr[] = {0.5, 0.5, NAN, 0.2, 0.2, 0.9},
                        tpr[] = {0.5, 0.5, 1, 0.8, 0.8, 1};
    struct da_rates o;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(da_roc_rates(x, fpr, tpr, 2, 3, NAN, 0.95, 1, &o, &error), DC_OK);
    CU_ASSERT(o.replications == 2 && o.point[0].x == 4 && o.best == 0);
    CU_ASSERT_DOUBLE_EQUAL(o.area.value, 0.2 * 0.8 / 2 + 0.3 * 0.65 + 0.5 * 0.75, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(o.area_hull.value, 0.2 * 0.8 / 2 + 0.8 * 0.9, 1e-12);
    CU_ASSERT(isnan(o.area.lo) && isnan(o.point[0].precision.value));
    da_rates_free(&o);
    static const double wrong[] = {1.5, 0};
    CU_ASSERT_EQUAL(da_roc_rates(x, wrong, tpr, 2, 1, NAN, 0.95, 1, &o, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "not within 0..1"));
    da_rates_free(&o);
    static const double none[] = {NAN, 0};
    CU_ASSERT_EQUAL(da_roc_rates(x, none, tpr, 2, 1, NAN, 0.95, 1, &o, NULL), DC_ERR_USAGE);
    da_rates_free(&o);
}

int main(void)
{
    static const struct test_case cases[] = {{"scikit-learn's example", test_small},
                                             {"ties", test_ties},
                                             {"between points of precision", test_davis_goadrich},
                                             {"binormal model", test_binormal},
                                             {"coverage of the area", test_coverage},
                                             {"complete separation", test_separated},
                                             {"refusals", test_refusals},
                                             {"measured rates", test_rates},
                                             {"rates by hand", test_rates_by_hand}};
    return TEST_MAIN("roc", cases);
}

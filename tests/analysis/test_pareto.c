/* Fronts and hypervolumes against closed forms and a count of cells. */
#include "analysis/pareto.h"
#include "tests/analysis/made.h"

enum { FRONT = 2000 };

/* The fronts of Zitzler, Deb and Thiele 2000 in FRONT + 1 points. */
static void zdt(int kind, double *value)
{
    for (int i = 0; i <= FRONT; i++) {
        double f = (double)i / FRONT;
        value[2 * i] = f;
        value[2 * i + 1] = kind == 1 ? 1 - sqrt(f) : 1 - f * f;
    }
}

static void test_zdt(void)
{
    static double value[2 * (FRONT + 1)];
    static const double one[] = {1, 1}, more[] = {1.1, 1.1};
    /* above f2 up to the reference: integral of sqrt(f), of f^2; beyond 1 strips of 0.1 */
    static const double at_one[] = {2. / 3, 1. / 3};
    for (int kind = 1; kind <= 2; kind++) {
        zdt(kind, value);
        double truth = at_one[kind - 1], step = 1. / FRONT;
        CU_ASSERT_DOUBLE_EQUAL(da_pareto_hypervolume(value, FRONT + 1, 2, NULL, one), truth, step);
        CU_ASSERT_DOUBLE_EQUAL(da_pareto_hypervolume(value, FRONT + 1, 2, NULL, more),
                               truth + 0.1 + 0.1 * 1.1, step);
        static bool front[FRONT + 1];
        da_pareto_front(value, FRONT + 1, 2, NULL, front);
        for (int i = 0; i <= FRONT; i++)
            CU_ASSERT(front[i]);
        for (int i = 0; i <= FRONT; i++)
            value[2 * i] *= -1; /* the same with one maximised */
        CU_ASSERT_DOUBLE_EQUAL(
            da_pareto_hypervolume(value, FRONT + 1, 2, (bool[]){true, false}, (double[]){-1, 1}),
            truth, step);
    }
}

static void test_front_by_hand(void)
{
    static const double value[] = {1, 5, 2, 4, 2, 4, 3, 4, 5, 1, NAN, 0, 1, 6};
    static const bool expected[] = {true, true, true, false, true, false, false};
    bool front[7];
    da_pareto_front(value, 7, 2, NULL, front);
    for (int i = 0; i < 7; i++)
        CU_ASSERT_EQUAL(front[i], expected[i]);
    static const bool up[] = {true, true};
    da_pareto_front(value, 7, 2, up, front);
    CU_ASSERT(!front[0] && front[3] && front[4] && front[6]);
    /* boxes below (6, 6): 5 x 1, 4 x 1, 4 x 1, 1 x 3 */
    static const double reference[] = {6, 6};
    CU_ASSERT_DOUBLE_EQUAL(da_pareto_hypervolume(value, 7, 2, NULL, reference), 5 + 4 + 3, 1e-12);
    static const double near[] = {1, 1};
    CU_ASSERT_EQUAL(da_pareto_hypervolume(value, 7, 2, NULL, near), 0);
    CU_ASSERT_EQUAL(da_pareto_hypervolume(value, 0, 2, NULL, near), 0);
    CU_ASSERT_DOUBLE_EQUAL(da_pareto_hypervolume(value, 5, 1, NULL, near), 0, 0);
    CU_ASSERT_DOUBLE_EQUAL(da_pareto_hypervolume((double[]){3, 1, 2}, 3, 1, NULL, reference), 5, 0);
    CU_ASSERT(isnan(da_pareto_hypervolume(value, 1, 9, NULL, reference)));
}

/* Whole coordinates: the volume is the number of unit cells that some point dominates. */
static void test_counted_cells(void)
{
    enum { SIDE = 6, POINTS = 14 };
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("cells"), dc_name("point"));
        size_t n = 2 + seed % 4, cells = 1, count = 0;
        double value[POINTS * 5], reference[5] = {SIDE, SIDE, SIDE, SIDE, SIDE};
        for (size_t i = 0; i < POINTS * n; i++)
            value[i] = (double)dc_next_below(&s, SIDE + 1);
        for (size_t j = 0; j < n; j++)
            cells *= SIDE;
        for (size_t c = 0; c < cells; c++) {
            bool taken = false;
            for (size_t i = 0; i < POINTS && !taken; i++) {
                size_t rest = c;
                taken = true;
                for (size_t j = 0; j < n; j++, rest /= SIDE)
                    taken = taken && value[i * n + j] <= (double)(rest % SIDE);
            }
            count += taken;
        }
        CU_ASSERT_DOUBLE_EQUAL(da_pareto_hypervolume(value, POINTS, n, NULL, reference),
                               (double)count, 1e-9);
    }
}

/* The plane x + y + z = 1 (DTLZ1's shape): the volume beyond it in the unit cube is 5/6. */
static void test_plane(void)
{
    enum { SIDE = 40 };
    static double value[(SIDE + 1) * (SIDE + 2) / 2 * 3];
    static const double reference[] = {1, 1, 1};
    size_t n = 0;
    for (int i = 0; i <= SIDE; i++)
        for (int j = 0; i + j <= SIDE; j++) {
            value[n++] = (double)i / SIDE;
            value[n++] = (double)j / SIDE;
            value[n++] = (double)(SIDE - i - j) / SIDE;
        }
    double volume = da_pareto_hypervolume(value, n / 3, 3, NULL, reference);
    CU_ASSERT(volume < 5. / 6 && volume > 5. / 6 - 1. / SIDE);
}

/* Two clear points, one that another beats by 1 +- 1 / sqrt(20) if paired, and a hopeless one. */
static void test_study(void)
{
    static const double mean[4][2] = {{1, 5}, {5, 1}, {5.5, 1.5}, {9, 9}};
    static const size_t metric[] = {0, 1};
    struct da_study s = made_study(1, 2, 5, 20);
    struct dc_stream draw = dc_stream(1, dc_name("test"), dc_name("pareto"));
    for (size_t r = 0; r < 20; r++) {
        double common = 3 * made_normal(&draw);
        for (size_t i = 0; i < 4; i++)
            for (size_t j = 0; j < 2; j++)
                *made_value(&s, i, r, j) = mean[i][j] + common + 0.4 * made_normal(&draw);
        s.status[4 * 20 + r] = DA_RUN_FAILED;
    }
    struct da_pareto o;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(da_pareto(&s, metric, NULL, 2, NULL, NULL, 0.95, 1, &o, &error), DC_OK);
    CU_ASSERT(o.front[0] && o.front[1] && !o.front[2] && !o.front[3] && !o.front[4]);
    CU_ASSERT_EQUAL(o.front_count, 2);
    CU_ASSERT(o.chance[0] == 1 && o.chance[1] > 0.99 && o.chance[2] < 0.05);
    CU_ASSERT(o.chance[3] == 0 && o.chance[4] == 0 && isnan(o.mean[8]));
    CU_ASSERT(o.hypervolume.lo < o.hypervolume.value && o.hypervolume.value < o.hypervolume.hi);
    CU_ASSERT(o.reference[0] > o.mean[6]);
    da_pareto_free(&o);

    static const bool allowed[] = {false, false, true, true, true};
    CU_ASSERT_EQUAL(da_pareto(&s, metric, NULL, 2, allowed, NULL, 0.95, 1, &o, &error), DC_OK);
    CU_ASSERT(o.front[2] && !o.front[0] && o.front_count == 1);
    da_pareto_free(&o);

    static const bool none[5] = {false};
    CU_ASSERT_EQUAL(da_pareto(&s, metric, NULL, 2, none, NULL, 0.95, 1, &o, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "meets the constraints"));
    da_pareto_free(&o);
    CU_ASSERT_EQUAL(da_pareto(&s, (size_t[]){7}, NULL, 1, NULL, NULL, 0.95, 1, &o, NULL),
                    DC_ERR_USAGE);
    da_pareto_free(&o);
    CU_ASSERT_EQUAL(da_pareto(&s, metric, NULL, 0, NULL, NULL, 0.95, 1, &o, NULL), DC_ERR_USAGE);
    da_pareto_free(&o);
    da_study_free(&s);
}

/* Two points that are equally good in the only objective: each is best in half of the draws. */
static void test_even_chances(void)
{
    double sum = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct da_study s = made_study(1, 1, 2, 10);
        struct dc_stream draw = dc_stream(seed, dc_name("test"), dc_name("even"));
        for (size_t i = 0; i < 20; i++)
            *made_value(&s, i / 10, i % 10, 0) = made_normal(&draw);
        struct da_pareto o;
        CU_ASSERT_EQUAL(da_pareto(&s, (size_t[]){0}, NULL, 1, NULL, NULL, 0.95, seed, &o, NULL),
                        DC_OK);
        CU_ASSERT_DOUBLE_EQUAL(o.chance[0] + o.chance[1], 1, 1e-9);
        sum += o.chance[0] / 40;
        da_pareto_free(&o);
        da_study_free(&s);
    }
    CU_ASSERT_DOUBLE_EQUAL(sum, 0.5, 0.2); /* each is about uniform: deviation 0.05 */
}

int main(void)
{
    static const struct test_case cases[] = {{"ZDT1 and ZDT2", test_zdt},
                                             {"by hand", test_front_by_hand},
                                             {"counted cells", test_counted_cells},
                                             {"plane", test_plane},
                                             {"study", test_study},
                                             {"even chances", test_even_chances}};
    return TEST_MAIN("pareto", cases);
}

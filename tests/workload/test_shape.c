/* Rates that change with time: the day, crowds, and both; counts against the integral. */
#include "sim/workload/demand.h"
#include "tests/support/harness.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SEEDS 5
#define SECOND 1000000000ll
#define PERIOD (6400 * SECOND)
#define CELL (PERIOD / DS_SHAPE_CELLS)
#define AMPLITUDE 0.7
#define PHASE (5 * CELL)

static const struct ds_crowd crowds[] = {
    {700 * SECOND, 1150 * SECOND, 10ull * DS_SHAPE_ONE},
    {1000 * SECOND, 1300 * SECOND, 5ull * DS_SHAPE_ONE / 2}, /* overlaps the first */
    {PERIOD + 13 * SECOND, PERIOD + 14 * SECOND, 400ull * DS_SHAPE_ONE},
};

static struct ds_shape both(void)
{
    struct ds_shape s = {.crowd = crowds, .crowds = 3, .end_ns = 4 * PERIOD};
    ds_shape_day(&s, AMPLITUDE, PERIOD, PHASE);
    return s;
}

/* Integral of the sine's factor from a to b, in seconds, by its closed form. */
static double day(double a, double b)
{
    const double w = 2 * 3.14159265358979323846 / ((double)PERIOD / 1e9);
    const double phase = (double)PHASE / 1e9;
    return b - a + AMPLITUDE / w * (cos(w * (a + phase)) - cos(w * (b + phase)));
}

/* Integral of the whole factor: the crowds cut the stretch, each piece times their product. */
static double whole(double a, double b)
{
    double cut[8] = {a, b}, sum = 0;
    int cuts = 2;
    for (size_t i = 0; i < 3; i++) {
        double edges[2] = {(double)crowds[i].from_ns / 1e9, (double)crowds[i].to_ns / 1e9};
        for (int e = 0; e < 2; e++)
            if (edges[e] > a && edges[e] < b)
                cut[cuts++] = edges[e];
    }
    for (int i = 1; i < cuts; i++) /* few: insertion */
        for (int j = i; j > 0 && cut[j] < cut[j - 1]; j--) {
            double t = cut[j];
            cut[j] = cut[j - 1];
            cut[j - 1] = t;
        }
    for (int i = 0; i + 1 < cuts; i++) {
        double factor = 1, middle = (cut[i] + cut[i + 1]) / 2 * 1e9;
        for (size_t k = 0; k < 3; k++)
            if (middle >= (double)crowds[k].from_ns && middle < (double)crowds[k].to_ns)
                factor *= (double)crowds[k].factor_q20 / DS_SHAPE_ONE;
        sum += factor * day(cut[i], cut[i + 1]);
    }
    return sum;
}

/* A day of 32 windows of two cells, twice, and the crowds in it: counts are Poisson with the
 * integral's mean, chi-square with 64 degrees of freedom, 0.001 for the five seeds together. */
static void test_counts(void)
{
    enum { WINDOWS = 64 };
    const struct ds_shape s = both();
    const int64_t mean_ns = SECOND / 2, width = 2 * CELL;
    const double limit = gsl_cdf_chisq_Qinv(0.001 / SEEDS, WINDOWS);
    struct ds_arrivals a;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_arrivals_init(&a, &error), DC_OK);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct dc_stream stream = dc_stream(seed, 3, 3);
        double seen[WINDOWS] = {0}, chi = 0;
        for (int64_t t = 0;;) {
            t = ds_shape_after(&s, t, ds_arrivals_gap_at(&a, mean_ns, dc_next64(&stream)));
            if (t >= WINDOWS * width)
                break;
            seen[t / width]++;
        }
        for (int i = 0; i < WINDOWS; i++) {
            double want = 2 * whole((double)(i * width) / 1e9, (double)((i + 1) * width) / 1e9);
            CU_ASSERT_TRUE_FATAL(want > 20);
            chi += (seen[i] - want) * (seen[i] - want) / want;
        }
        CU_ASSERT_TRUE(chi < limit);
        if (chi >= limit)
            printf("\nseed %llu: chi-square %.1f, limit %.1f\n", (unsigned long long)seed, chi,
                   limit);
    }
}

/* The test above can fail: arrivals of a day whose swing is a fifth too small. */
static void test_counts_power(void)
{
    struct ds_shape s = both();
    struct ds_arrivals a;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_arrivals_init(&a, &error), DC_OK);
    ds_shape_day(&s, AMPLITUDE * 0.8, PERIOD, PHASE);
    struct dc_stream stream = dc_stream(1, 3, 3);
    double seen[64] = {0}, chi = 0;
    for (int64_t t = 0; t < PERIOD * 2;) {
        t = ds_shape_after(&s, t, ds_arrivals_gap_at(&a, SECOND / 2, dc_next64(&stream)));
        if (t < PERIOD * 2)
            seen[t / (2 * CELL)]++;
    }
    for (int i = 0; i < 64; i++) {
        double want = 2 * whole((double)i * 200, (double)(i + 1) * 200);
        chi += (seen[i] - want) * (seen[i] - want) / want;
    }
    CU_ASSERT_TRUE(chi > gsl_cdf_chisq_Qinv(0.001 / SEEDS, 64));
}

/* Integral of the factor between two times, exactly, by its pieces; in ns * DS_SHAPE_ONE. */
static unsigned __int128 pieces(const struct ds_shape *s, int64_t from, int64_t to)
{
    unsigned __int128 sum = 0;
    while (from < to) {
        int64_t until;
        uint64_t factor = ds_shape_factor(s, from, &until);
        CU_ASSERT_TRUE_FATAL(until > from);
        if (until > to)
            until = to;
        sum += (unsigned __int128)(until - from) * factor;
        from = until;
    }
    return sum;
}

/* A change of time and nothing else: up to the n-th arrival the integral has grown by the sum of the
 * gaps, so draws mean what they mean without a shape; each step loses less than a ns of time. */
static void test_change_of_time(void)
{
    const struct ds_shape s = both();
    struct dc_stream stream = dc_stream(1, 4, 4);
    int64_t t = 0;
    unsigned __int128 gaps = 0, work = 0;
    for (int n = 1; n <= 4000; n++) {
        int64_t gap = 1 + (int64_t)dc_next_below(&stream, 20 * SECOND), next;
        next = ds_shape_after(&s, t, gap);
        if (next == INT64_MAX)
            break;
        CU_ASSERT_TRUE_FATAL(next > t);
        unsigned __int128 step = pieces(&s, t, next), want = (unsigned __int128)gap * DS_SHAPE_ONE;
        int64_t until;
        uint64_t factor = ds_shape_factor(&s, next, &until);
        CU_ASSERT_TRUE(step <= want && want - step <= factor); /* the rest of one ns */
        gaps += want;
        work += step;
        t = next;
    }
    CU_ASSERT_TRUE(t > 2 * PERIOD && work <= gaps);
}

static void test_plain(void)
{
    const struct ds_shape none = {.end_ns = INT64_MAX};
    CU_ASSERT_EQUAL(ds_shape_after(&none, 17, 1), 18);
    CU_ASSERT_EQUAL(ds_shape_after(&none, 123456789, 987654321), 123456789 + 987654321);
    const struct ds_crowd still = {10, 20, 3 * DS_SHAPE_ONE};
    const struct ds_shape one = {.crowd = &still, .crowds = 1, .end_ns = 1000};
    CU_ASSERT_EQUAL(ds_shape_after(&one, 0, 10), 10);
    CU_ASSERT_EQUAL(ds_shape_after(&one, 0, 25), 15);
    CU_ASSERT_EQUAL(ds_shape_after(&one, 0, 40), 20);
    CU_ASSERT_EQUAL(ds_shape_after(&one, 0, 41), 21);
    CU_ASSERT_EQUAL(ds_shape_after(&one, 0, 1019), 999);
    CU_ASSERT_EQUAL(ds_shape_after(&one, 0, 1020), INT64_MAX); /* the run is over */
}

/* Gaps of many periods are skipped in one step, and land where small steps land. */
static void test_long_gaps(void)
{
    struct ds_shape s = {.end_ns = 1000000 * PERIOD};
    ds_shape_day(&s, 1, PERIOD, 0); /* the rate touches 0 */
    int64_t per_period = (int64_t)s.day_work;
    CU_ASSERT_TRUE(llabs(per_period - PERIOD) < PERIOD / 100000);
    for (int64_t periods = 1; periods < 1000000; periods *= 7) {
        int64_t t = ds_shape_after(&s, 11 * CELL + 5, periods * per_period);
        CU_ASSERT_TRUE(llabs(t - (11 * CELL + 5 + periods * PERIOD)) <= periods + 1);
    }
    CU_ASSERT_EQUAL(ds_shape_after(&s, 0, INT64_MAX), INT64_MAX);
    const struct ds_crowd far = {999 * PERIOD, 1000 * PERIOD, 2 * DS_SHAPE_ONE};
    s.crowd = &far;
    s.crowds = 1;
    int64_t t = ds_shape_after(&s, 0, 1001 * per_period);
    CU_ASSERT_TRUE(llabs(t - 1000 * PERIOD) <= 2000);
}

/* Periods that 64 does not divide: cells differ by a ns, edges still meet. */
static void test_odd_periods(void)
{
    static const int64_t periods[] = {64, 65, 127, 1000003, 86400ll * SECOND, 12345678901237ll};
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        struct ds_shape s = {.end_ns = INT64_MAX};
        ds_shape_day(&s, 0.5, periods[i], periods[i] / 3);
        int64_t t = 0, until, cells = 0;
        for (; cells < 200; cells++, t = until) {
            ds_shape_factor(&s, t, &until);
            CU_ASSERT_TRUE_FATAL(until > t && until - t <= periods[i] / DS_SHAPE_CELLS + 1);
        }
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"counts against the integral", test_counts},
        {"a wrong swing is noticed", test_counts_power},
        {"a change of time, to the nanosecond", test_change_of_time},
        {"no shape, one crowd", test_plain},
        {"long gaps", test_long_gaps},
        {"periods that 64 does not divide", test_odd_periods},
    };
    return TEST_MAIN("shape of demand", cases);
}

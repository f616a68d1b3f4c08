/* Forecasts against lines, Holt's recursion in double, and the transfer function that follows from
 * it (models/README.md 7.2). */
#include "models/base/rng.h"
#include "models/posync/holt.h"
#include "tests/support/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct dc_params defaults = {.holt_level = DC_ONE / 2, .holt_trend = 429496730};

static void feed(const struct dc_params *p, struct dc_posync *r, dc_q31 u)
{
    r->u = u;
    r->u_defined = 1;
    dc_holt_update(p, r);
}

static struct dc_params draw_smoothing(struct dc_stream *s)
{
    static const dc_q31 edge[] = {0, 1, DC_ONE / 2, DC_ONE - 1, DC_ONE};
    struct dc_params p = defaults;
    uint64_t d = dc_next64(s);
    p.holt_level = d % 3 == 0 ? edge[(d >> 8) % 5] : (dc_q31)dc_next_below(s, DC_ONE + 1ull);
    p.holt_trend = d % 5 == 0 ? edge[(d >> 16) % 5] : (dc_q31)dc_next_below(s, DC_ONE + 1ull);
    return p;
}

/* From the second value of a line on, the forecast is the next value, whatever the smoothing; past
 * the ends of [0,1] it stays there. */
static void test_line_exact(void)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("holt"), dc_name("line"));
        struct dc_params p = draw_smoothing(&s);
        int64_t step = (int64_t)dc_next_below(&s, DC_ONE / 20) - DC_ONE / 40;
        int64_t x = step < 0 ? (int64_t)DC_ONE - 7 : 7;
        struct dc_posync r = {0};
        for (int t = 0; x >= 0 && x <= (int64_t)DC_ONE && t < 200; t++, x += step) {
            feed(&p, &r, (dc_q31)x);
            int64_t next = t == 0 ? x : x + step;
            next = next < 0 ? 0 : next > (int64_t)DC_ONE ? (int64_t)DC_ONE : next;
            CU_ASSERT_EQUAL_FATAL(r.forecast, (dc_q31)next);
            CU_ASSERT_EQUAL(r.level, (dc_q31)x);
        }
        CU_ASSERT(r.seen > 1);
    }
}

/* What rounding leaves: a trend below half a unit over b, 2, is not unlearnt, and a level that leads
 * by twice that and half a unit is not pulled back: 5 units. */
#define ROUNDING 5

/* From a wrong start the error dies out: nothing is left but the rounding. */
static void test_line_converges(void)
{
    struct dc_posync r = {0};
    feed(&defaults, &r, DC_ONE / 10);
    feed(&defaults, &r, DC_ONE / 10 * 9);
    int64_t x = DC_ONE / 10, step = DC_ONE / 500, worst = 0;
    for (int t = 0; t < 300; t++, x += step) {
        int64_t error = (int64_t)r.forecast - x;
        if (t == 0)
            CU_ASSERT(error > DC_ONE / 2);
        if (t >= 150)
            worst = llabs(error) > worst ? llabs(error) : worst;
        feed(&defaults, &r, (dc_q31)x);
    }
    CU_ASSERT(worst <= ROUNDING);
}

/* Holt's recursion in double, with the same start and clamps. */
struct naive {
    double level, trend, forecast;
    int seen;
};
static void naive_feed(struct naive *n, double a, double b, double x)
{
    double before = n->level;
    if (n->seen++ < 2) {
        n->trend = n->seen == 1 ? 0 : x - before;
        n->level = x;
    } else {
        double expected = fmin(1, fmax(0, before + n->trend));
        n->level = a * x + (1 - a) * expected;
        n->trend = b * (n->level - before) + (1 - b) * n->trend;
    }
    n->forecast = fmin(1, fmax(0, n->level + n->trend));
}

static void test_against_double(void)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("holt"), dc_name("noise"));
        struct dc_params p = draw_smoothing(&s);
        p.holt_level |= DC_ONE / 16; /* slower than that, roundings add up */
        p.holt_level = p.holt_level > DC_ONE ? DC_ONE : p.holt_level;
        struct dc_posync r = {0};
        struct naive n = {0};
        double worst = 0;
        for (int t = 0; t < 120; t++) {
            dc_q31 x = (dc_q31)(dc_next64(&s) >> (t % 30 < 10 ? 33 : 35));
            feed(&p, &r, x);
            naive_feed(&n, dc_q31_to_double(p.holt_level), dc_q31_to_double(p.holt_trend),
                       dc_q31_to_double(x));
            worst = fmax(worst, fabs(dc_q31_to_double(r.forecast) - n.forecast));
        }
        CU_ASSERT(worst < 1e-6);
    }
}

/* Seasons: on a sine of frequency w the residual settles to a sine whose amplitude is the input's
 * times |1 - z|^2 / |1 - (2 - a - ab) z + (1 - a) z^2| at z = e^-iw: Holt's method is the ARIMA
 * (0,2,2) of that denominator (Box, Jenkins and Reinsel 1994, 5.3). */
static void test_seasonal(void)
{
    static const int periods[] = {6, 12, 24, 96};
    double a = dc_q31_to_double(defaults.holt_level), b = dc_q31_to_double(defaults.holt_trend);
    for (int i = 0; i < 4; i++) {
        int period = periods[i];
        double w = 2 * M_PI / period, sum = 0;
        double re = 1 - (2 - a - a * b) * cos(w) + (1 - a) * cos(2 * w);
        double im = (2 - a - a * b) * sin(w) - (1 - a) * sin(2 * w);
        double gain = (2 - 2 * cos(w)) / sqrt(re * re + im * im);
        struct dc_posync r = {0};
        for (int t = 0; t < 110 * period; t++) {
            double x = 0.5 + 0.2 * sin(w * t);
            double residual = x - dc_q31_to_double(r.forecast);
            if (t >= 100 * period)
                sum += residual * residual;
            feed(&defaults, &r, dc_q31_from_double(x));
        }
        double amplitude = sqrt(2 * sum / (10 * period));
        CU_ASSERT(fabs(amplitude - 0.2 * gain) < 1e-7);
    }
}

static void test_undefined_and_many(void)
{
    struct dc_posync r = {.u = 77, .level = 5, .trend = -3, .forecast = 2, .seen = 9};
    struct dc_posync before = r;
    dc_holt_update(&defaults, &r);
    CU_ASSERT_EQUAL(memcmp(&r, &before, sizeof r), 0);
    r = (struct dc_posync){0};
    for (int t = 0; t < 600; t++) {
        feed(&defaults, &r, t % 2 == 0 ? DC_ONE : 0); /* as steep as can be */
        CU_ASSERT(r.forecast <= DC_ONE && r.level <= DC_ONE);
        CU_ASSERT_EQUAL(r.seen, t < 255 ? t + 1 : 255);
    }
}

static void test_demand(void)
{
    struct dc_outlook o = {0};
    uint64_t tib = (uint64_t)1 << 40;
    for (uint64_t t = 0; t < 100; t++) {
        dc_holt_demand(&defaults, &o, (1000 + 3 * t) * tib + t, 5000 * tib);
        if (t > 0)
            CU_ASSERT_EQUAL(o.forecast, (1003 + 3 * t) * tib + t + 1);
        CU_ASSERT_EQUAL(o.demand, (1000 + 3 * t) * tib + t);
    }
    CU_ASSERT_EQUAL(o.capacity, 5000 * tib);
    for (uint64_t t = 0; t < 300; t++) { /* the ends of the range, and beyond */
        dc_holt_demand(&defaults, &o, t % 3 == 0 ? UINT64_MAX : 0, UINT64_MAX);
        CU_ASSERT(o.forecast <= DC_OUTLOOK_BYTES_MAX && o.level <= DC_OUTLOOK_BYTES_MAX);
        CU_ASSERT_EQUAL(o.capacity, DC_OUTLOOK_BYTES_MAX);
    }
    CU_ASSERT_EQUAL(o.seen, UINT8_MAX);
    for (uint64_t t = 0; t < 400; t++)
        dc_holt_demand(&defaults, &o, 12345, 1);
    CU_ASSERT(llabs((int64_t)o.forecast - 12345) <= ROUNDING); /* a level again */
}

static void test_load(void)
{
    struct dc_params p = {.holt_level = DC_ONE / 4};
    CU_ASSERT_EQUAL(dc_holt_load(&p, 100, 200), 125);
    CU_ASSERT_EQUAL(dc_holt_load(&p, 200, 100), 175);
    CU_ASSERT_EQUAL(dc_holt_load(&p, 0, UINT32_MAX), 1u << 30);
    CU_ASSERT_EQUAL(dc_holt_load(&p, UINT32_MAX, UINT32_MAX), UINT32_MAX);
    p.holt_level = DC_ONE;
    CU_ASSERT_EQUAL(dc_holt_load(&p, UINT32_MAX, 0), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a line is continued exactly", test_line_exact},
        {"a line is found again", test_line_converges},
        {"against double", test_against_double},
        {"seasonal", test_seasonal},
        {"undefined, and many", test_undefined_and_many},
        {"demand", test_demand},
        {"load of a slot", test_load},
    };
    return TEST_MAIN("holt", cases);
}

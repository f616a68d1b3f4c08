/* Numbers with units and distributions: read exactly, printed so that they read back. */
#include "models/base/rng.h"
#include "sim/scenario/value.h"
#include "tests/support/harness.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static void test_integers(void)
{
    static const struct {
        const char *text;
        enum ds_value_dim dim;
        uint64_t value;
        const char *printed;
    } rows[] = {
        {"0", DS_DIM_TIME, 0, "0 s"},
        {"1 ms", DS_DIM_TIME, 1000000, "1 ms"},
        {"1.5 s", DS_DIM_TIME, 1500000000, "1500 ms"},
        {"0.1us", DS_DIM_TIME, 100, "100 ns"},
        {"90 min", DS_DIM_TIME, 5400000000000, "90 min"},
        {"24 h", DS_DIM_TIME, 86400000000000, "1 d"},
        {"0.4 ns", DS_DIM_TIME, 0, "0 s"},
        {"1 TiB", DS_DIM_SIZE, 1ull << 40, "1 TiB"},
        {"1 TB", DS_DIM_SIZE, 1000000000000, "1 TB"},
        {"1.5 KiB", DS_DIM_SIZE, 1536, "1536 B"},
        {"100 Mbit", DS_DIM_BANDWIDTH, 100000000, "100 Mbit"},
        {"2.5 Gbit/s", DS_DIM_BANDWIDTH, 2500000000, "2500 Mbit"},
        {"500 DSYNC", DS_DIM_MONEY, 500 * DC_DSYNC, "500 DSYNC"},
        {"0.00001 DSYNC", DS_DIM_MONEY, 10000, "0.00001 DSYNC"},
        {"0.48 DSYNC", DS_DIM_MONEY, 480000000, "0.48 DSYNC"},
        {"4e3", DS_DIM_NUMBER, 4000, "4000"},
        {" 17 ", DS_DIM_NUMBER, 17, "17"},
        {"9000000000000000000", DS_DIM_NUMBER, 9000000000000000000u, "9000000000000000000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dc_text why = {0}, out = {0};
        uint64_t value = 1;
        CU_ASSERT(ds_value_integer(rows[i].text, strlen(rows[i].text), rows[i].dim, &value, &why));
        CU_ASSERT_EQUAL(value, rows[i].value);
        ds_value_print_integer(&out, rows[i].dim, value);
        CU_ASSERT_STRING_EQUAL(out.data, rows[i].printed);
        dc_text_free(&why);
        dc_text_free(&out);
    }
}

static void test_integers_refused(void)
{
    static const struct {
        const char *text;
        enum ds_value_dim dim;
        const char *why;
    } rows[] = {
        {"30", DS_DIM_TIME, "needs a unit"},
        {"30 MiB", DS_DIM_TIME, "is a unit of size"},
        {"30 parsecs", DS_DIM_TIME, "unknown unit `parsecs`"},
        {"-1 s", DS_DIM_TIME, "is negative"},
        {"", DS_DIM_TIME, "is missing"},
        {"s", DS_DIM_TIME, "is not a time"},
        {".", DS_DIM_NUMBER, "is not a number"},
        {"1..2 s", DS_DIM_TIME, "unit"},
        {"1e s", DS_DIM_TIME, "is not a time"},
        {"1e99 s", DS_DIM_TIME, "is not a time"},
        {"0.5", DS_DIM_NUMBER, "is not a whole number"},
        {"99999999999999999999", DS_DIM_NUMBER, "is not a number"},
        {"9223372036854775808", DS_DIM_NUMBER, "is not a number"},
        {"300 d", DS_DIM_SIZE, "is a unit of time"},
        {"9e18 DSYNC", DS_DIM_MONEY, "too large"},
        {"1,5 s", DS_DIM_TIME, "unit"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dc_text why = {0};
        uint64_t value = 0;
        CU_ASSERT(!ds_value_integer(rows[i].text, strlen(rows[i].text), rows[i].dim, &value, &why));
        CU_ASSERT_PTR_NOT_NULL_FATAL(why.data);
        if (strstr(why.data, rows[i].why) == NULL)
            printf("\n  %s: %s\n", rows[i].text, why.data);
        CU_ASSERT_PTR_NOT_NULL(strstr(why.data, rows[i].why));
        dc_text_free(&why);
    }
}

static bool share_of(const char *text, dc_q31 *share)
{
    struct dc_text why = {0};
    bool ok = ds_value_share(text, strlen(text), share, &why);
    dc_text_free(&why);
    return ok;
}

static void test_shares(void)
{
    dc_q31 a = 0, b = 0;
    CU_ASSERT(share_of("0.1", &a) && share_of("10 %", &b) && a == b);
    CU_ASSERT_EQUAL(a, dc_q31_from_double(0.1));
    CU_ASSERT(share_of("1", &a) && a == DC_ONE);
    CU_ASSERT(share_of("100%", &a) && a == DC_ONE);
    CU_ASSERT(share_of("1e-30", &a) && a == 0);
    CU_ASSERT(share_of("0.123456789012345678", &a) &&
              a == dc_q31_from_double(0.123456789012345678));
    CU_ASSERT(!share_of("1.0000000001", &a));
    CU_ASSERT(!share_of("1.5", &a) && !share_of("101 %", &a) && !share_of("1e3", &a));
    CU_ASSERT(!share_of("half", &a));
    struct dc_stream stream = dc_stream(1, dc_name("shares"), 0);
    for (int i = 0; i < 20000; i++) { /* every Q1.31 value reads back from what is printed */
        dc_q31 q = i == 0 ? DC_ONE : (dc_q31)dc_next_below(&stream, (uint64_t)DC_ONE + 1);
        struct dc_text out = {0};
        ds_value_print_share(&out, q);
        dc_q31 back = 0;
        CU_ASSERT_FATAL(share_of(out.data, &back) && back == q);
        dc_text_free(&out);
    }
}

static void test_reals(void)
{
    struct dc_stream stream = dc_stream(1, dc_name("reals"), 0);
    for (int i = 0; i < 5000; i++) {
        double x = (double)dc_next_below(&stream, 1u << 30) /
                   (double)(1 + dc_next_below(&stream, 1u << 20));
        struct dc_text out = {0}, why = {0};
        ds_value_print_real(&out, DS_DIM_RATE, x);
        double back = -1;
        CU_ASSERT(ds_value_real(out.data, out.size, DS_DIM_RATE, &back, &why));
        CU_ASSERT_EQUAL(back, x);
        dc_text_free(&out);
        dc_text_free(&why);
    }
    struct dc_text why = {0};
    double x = 0;
    CU_ASSERT(ds_value_real("90 /h", 5, DS_DIM_RATE, &x, &why) && x == 0.025);
    CU_ASSERT(ds_value_real("0.3", 3, DS_DIM_NUMBER, &x, &why) && x == 0.3);
    CU_ASSERT(ds_value_real("30 %", 4, DS_DIM_SHARE, &x, &why) && x == 0.3);
    dc_text_free(&why);
}

static void test_locale(void)
{
    /* Where a comma is the decimal point, nothing changes; a missing locale leaves "C". */
    setlocale(LC_ALL, "de_DE.UTF-8");
    test_reals();
    test_integers();
    setlocale(LC_ALL, "C");
}

#define ALL_KINDS 0xfffu

static void test_dists(void)
{
    static const struct {
        const char *text;
        enum ds_value_dim dim;
        enum ds_dist_kind kind;
        double a, b;
        const char *printed;
    } rows[] = {
        {"250 ms", DS_DIM_TIME, DS_DIST_CONSTANT, 250e6, 0, "250 ms"},
        {"constant(1 TiB)", DS_DIM_SIZE, DS_DIST_CONSTANT, 1099511627776.0, 0, "1 TiB"},
        {"normal(250 ms, 50 ms)", DS_DIM_TIME, DS_DIST_NORMAL, 250e6, 50e6,
         "normal(250 ms, 50 ms)"},
        {"lognormal(0.016)", DS_DIM_NUMBER, DS_DIST_LOGNORMAL, 1, 0.016, "lognormal(1, 0.016)"},
        {"lognormal( 10 min ,1)", DS_DIM_TIME, DS_DIST_LOGNORMAL, 600e9, 1, "lognormal(10 min, 1)"},
        {"pareto(2000 DSYNC, 1.6)", DS_DIM_MONEY, DS_DIST_PARETO, 2000e9, 1.6,
         "pareto(2000 DSYNC, 1.6)"},
        {"exponential(1 s)", DS_DIM_TIME, DS_DIST_EXPONENTIAL, 1e9, 0, "exponential(1 s)"},
        {"uniform(10 %, 0.9)", DS_DIM_SHARE, DS_DIST_UNIFORM, 0.1, 0.9, "uniform(0.1, 0.9)"},
        {"weibull(6 h, 0.7)", DS_DIM_TIME, DS_DIST_WEIBULL, 21600e9, 0.7, "weibull(6 h, 0.7)"},
        {"beta(2, 3)", DS_DIM_SHARE, DS_DIST_BETA, 2, 3, "beta(2, 3)"},
        {"poisson(0.2 /s)", DS_DIM_RATE, DS_DIST_POISSON, 0.2, 0, "poisson(0.2 /s)"},
        {"zipf(1.1)", DS_DIM_NUMBER, DS_DIST_ZIPF, 1.1, 0, "zipf(1.1)"},
        {"none", DS_DIM_NUMBER, DS_DIST_NONE, 0, 0, "none"},
        {"auto", DS_DIM_MONEY, DS_DIST_AUTO, 0, 0, "auto"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dc_arena arena = {0};
        struct dc_text why = {0};
        struct ds_dist_spec d = {.min = 0, .max = 1e18}, again = {.min = 0, .max = 1e18};
        CU_ASSERT_FATAL(ds_dist_read(rows[i].text, rows[i].dim, ALL_KINDS, &arena, &d, &why));
        CU_ASSERT_EQUAL(d.kind, rows[i].kind);
        CU_ASSERT_EQUAL(d.args[0], rows[i].a);
        CU_ASSERT_EQUAL(d.args[1], rows[i].b);
        CU_ASSERT_STRING_EQUAL(d.text, rows[i].printed);
        CU_ASSERT(ds_dist_read(d.text, rows[i].dim, ALL_KINDS, &arena, &again, &why));
        CU_ASSERT_EQUAL(memcmp(d.args, again.args, sizeof d.args), 0);
        CU_ASSERT_STRING_EQUAL(d.text, again.text);
        dc_text_free(&why);
        dc_arena_free(&arena);
    }
}

static void test_dists_refused(void)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"paretto(1 s, 2)", "did you mean `pareto`"},
        {"pareto(1 s", "is not complete"},
        {"pareto", "is not complete"},
        {"pareto(1 s)", "takes 2 arguments, here are 1"},
        {"normal(1 s, 2, 3)", "takes 2 arguments, here are 3"},
        {"normal(1 s, 2)", "needs a unit"},
        {"lognormal(1 s, 99)", "out of range"},
        {"uniform(3 s, 1 s)", "low is above high"},
        {"beta(1, 2)", "not a distribution that fits here"},
        {"30 min", "out of range"},
        {"", "not a distribution"},
        {"())(", "not a distribution"},
        {"constant()", "is missing"},
        {"-5 s", "negative"},
    };
    uint32_t mask = ALL_KINDS & ~(1u << DS_DIST_BETA);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dc_arena arena = {0};
        struct dc_text why = {0};
        struct ds_dist_spec d = {.min = 0, .max = 60e9};
        CU_ASSERT(!ds_dist_read(rows[i].text, DS_DIM_TIME, mask, &arena, &d, &why));
        CU_ASSERT_PTR_NOT_NULL_FATAL(why.data);
        if (strstr(why.data, rows[i].why) == NULL)
            printf("\n  %s: %s\n", rows[i].text, why.data);
        CU_ASSERT_PTR_NOT_NULL(strstr(why.data, rows[i].why));
        dc_text_free(&why);
        dc_arena_free(&arena);
    }
}

static void test_distance(void)
{
    CU_ASSERT_EQUAL(ds_name_distance("theta", "theta"), 0);
    CU_ASSERT_EQUAL(ds_name_distance("thetta", "theta"), 1);
    CU_ASSERT_EQUAL(ds_name_distance("htesa", "theta"), 2);
    CU_ASSERT_EQUAL(ds_name_distance("", "abc"), 3);
    CU_ASSERT_EQUAL(ds_name_distance("ab", "ba"), 1);
    CU_ASSERT_EQUAL(ds_name_distance("kitten", "sitting"), 3);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"integers with units", test_integers},
        {"integers refused", test_integers_refused},
        {"shares", test_shares},
        {"reals", test_reals},
        {"another locale", test_locale},
        {"distributions", test_dists},
        {"distributions refused", test_dists_refused},
        {"edit distance", test_distance},
    };
    return TEST_MAIN("scenario values", cases);
}

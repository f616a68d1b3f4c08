/* Utilisation traces: what is read, what is refused and where, which changes are told. */
#include "models/base/mem.h"
#include "sim/workload/trace.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ll

static enum dc_status parse(const char *text, struct ds_trace *out, struct ds_trace_place *at,
                            struct dc_error *error)
{
    *error = (struct dc_error){0};
    return ds_trace_parse(text, strlen(text), out, at, error);
}

static const char sample[] = "# a comment\n"
                             "time, a ,b\r\n"
                             "\n"
                             "0,0.5,0\n"
                             "  300 , 1 , .25\n"
                             "# in between\n"
                             "450.5,0,0.255\r\n"
                             "600,0.125,0.2651";

static void test_read(void)
{
    struct ds_trace t;
    struct dc_error error;
    CU_ASSERT_EQUAL_FATAL(parse(sample, &t, NULL, &error), DC_OK);
    CU_ASSERT_EQUAL(t.series, 2);
    CU_ASSERT_EQUAL(t.rows, 4);
    CU_ASSERT_EQUAL(t.time_ns[2], 450500000000);
    CU_ASSERT_EQUAL(t.step_ns, 149500000000);
    CU_ASSERT_EQUAL(t.period_ns, 749500000000);
    CU_ASSERT_EQUAL(ds_trace_max(&t, 0), DC_ONE);
    CU_ASSERT_EQUAL(ds_trace_max(&t, 1), dc_q31_from_double(0.2651));
    CU_ASSERT_EQUAL(ds_trace_at(&t, 0, 0), DC_ONE / 2);
    CU_ASSERT_EQUAL(ds_trace_at(&t, 0, 300 * SECOND - 1), DC_ONE / 2);
    CU_ASSERT_EQUAL(ds_trace_at(&t, 0, 300 * SECOND), DC_ONE);
    CU_ASSERT_EQUAL(ds_trace_at(&t, 1, 300 * SECOND), DC_ONE / 4);
    CU_ASSERT_EQUAL(ds_trace_at(&t, 0, t.period_ns - 1), DC_ONE / 8);
    CU_ASSERT_EQUAL(ds_trace_at(&t, 0, t.period_ns), DC_ONE / 2); /* it begins again */
    CU_ASSERT_EQUAL(ds_trace_at(&t, 0, 7 * t.period_ns + 460 * SECOND), 0);
    CU_ASSERT_EQUAL(ds_trace_series(&t, 0), 0);
    CU_ASSERT_EQUAL(ds_trace_series(&t, UINT64_MAX / 2 + 1), 1);
    CU_ASSERT_EQUAL(ds_trace_series(&t, UINT64_MAX), 1);
    ds_trace_free(&t);
}

/* Changes of a hundredth and less are not told; small ones add up until they are. */
static void test_changes(void)
{
    struct ds_trace t;
    struct dc_error error;
    dc_q31 v;
    CU_ASSERT_EQUAL_FATAL(parse(sample, &t, NULL, &error), DC_OK);
    CU_ASSERT_EQUAL(ds_trace_change(&t, 0, 0, &v), 0);
    CU_ASSERT_EQUAL(v, DC_ONE / 2);
    CU_ASSERT_EQUAL(ds_trace_change(&t, 0, 3, &v), 600 * SECOND);
    CU_ASSERT_EQUAL(v, DC_ONE / 8);
    CU_ASSERT_EQUAL(ds_trace_change(&t, 0, 4, &v), t.period_ns);
    CU_ASSERT_EQUAL(v, DC_ONE / 2);
    CU_ASSERT_EQUAL(ds_trace_change(&t, 0, 9, &v), 2 * t.period_ns + 300 * SECOND);
    /* b: 0, 0.25, then 0.255 is not told, 0.2651 is 0.0151 from what was told. */
    CU_ASSERT_EQUAL(ds_trace_change(&t, 1, 2, &v), 600 * SECOND);
    CU_ASSERT_EQUAL(v, dc_q31_from_double(0.2651));
    CU_ASSERT_EQUAL(ds_trace_change(&t, 1, 3, &v), t.period_ns);
    ds_trace_free(&t);
    CU_ASSERT_EQUAL_FATAL(parse("time,a\n0,0.3\n5,0.309\n9,0.291\n", &t, NULL, &error), DC_OK);
    CU_ASSERT_EQUAL(ds_trace_change(&t, 0, 1, &v), INT64_MAX);
    CU_ASSERT_EQUAL(v, dc_q31_from_double(0.3));
    ds_trace_free(&t);
    CU_ASSERT_EQUAL_FATAL(parse("time,a\n0,1", &t, NULL, &error), DC_OK);
    CU_ASSERT_EQUAL(ds_trace_at(&t, 0, INT64_MAX - 1), DC_ONE);
    CU_ASSERT_EQUAL(ds_trace_change(&t, 0, 1, &v), INT64_MAX);
    ds_trace_free(&t);
}

static void test_refusals(void)
{
    static const struct {
        const char *text, *says;
        uint32_t line, column;
    } rows[] = {
        {"", "nothing here", 1, 1},
        {"# only\n\n", "nothing here", 1, 1},
        {"t,a\n0,0\n", "first row is `time,NAME,...`", 1, 1},
        {"# c\n  times,a\n0,0\n", "first row is", 2, 3},
        {"time\n0\n", "1 to 65536 series", 1, 1},
        {"time,a,,b\n0,0,0,0\n", "without a name", 1, 8},
        {"time,a,\n0,0,0\n", "without a name", 1, 8},
        {"time,a\n", "no row of values", 1, 1},
        {"time,a\n1,0\n", "the first row is at time 0", 2, 1},
        {"time,a\n0,0\n5,0\n5,0\n", "times ascend", 4, 1},
        {"time,a\n0,0\n  4,0\n3,0\n", "times ascend", 4, 1},
        {"time,a\n0,0\nx,0\n", "not a time", 3, 1},
        {"time,a\n0,0\n-1,0\n", "not a time", 3, 1},
        {"time,a\n0,0\n1e3,0\n", "not a time", 3, 1},
        {"time,a\n0,0\n99999999999,0\n", "not a time", 3, 1},
        {"time,a\n0,0\n99999999999999999999999999999999999999999,0\n", "not a time", 3, 1},
        {"time,a,b\n0,0.1, 1.5\n", "between 0 and 1", 2, 8},
        {"time,a,b\n0,0.1,1.0000001\n", "between 0 and 1", 2, 7},
        {"time,a,b\n0,-0.1,0\n", "not a utilisation", 2, 3},
        {"time,a,b\n0,,0\n", "not a utilisation", 2, 3},
        {"time,a,b\n0,.,0\n", "not a utilisation", 2, 3},
        {"time,a,b\n0,0.1.2,0\n", "not a utilisation", 2, 3},
        {"time,a,b\n0,nan,0\n", "not a utilisation", 2, 3},
        {"time,a,b\n0,0\n", "a value is missing", 2, 4},
        {"time,a,b\n0,0,0,0\n", "more values than", 2, 7},
        {"time,a,b\n0,0,0\n30,0,0,\n", "more values than", 3, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ds_trace t;
        struct ds_trace_place at;
        struct dc_error error;
        CU_ASSERT_EQUAL(parse(rows[i].text, &t, &at, &error), DC_ERR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, rows[i].says));
        CU_ASSERT_EQUAL(at.line, rows[i].line);
        CU_ASSERT_EQUAL(at.column, rows[i].column);
        CU_ASSERT(t.rows == 0 && t.value == NULL);
        if (strstr(error.text, rows[i].says) == NULL || at.line != rows[i].line ||
            at.column != rows[i].column)
            printf("\n%s%u:%u %s\n", rows[i].text, at.line, at.column, error.text);
    }
}

/* Every prefix and every changed byte of the sample: read or refused inside the text. */
static void test_mutations(void)
{
    static const char other[] = "\n,0#.x \0";
    unsigned good = 0, bad = 0;
    for (size_t i = 0; i < sizeof sample; i++)
        for (size_t k = 0; k <= sizeof other; k++) {
            char *text = malloc(sizeof sample); /* of that size, so that ASan sees its end */
            size_t size = k == sizeof other ? i : sizeof sample - 1;
            memcpy(text, sample, sizeof sample);
            if (k < sizeof other && i + 1 < sizeof sample)
                text[i] = other[k];
            char *exact = malloc(size + (size == 0));
            memcpy(exact, text, size);
            struct ds_trace t;
            struct ds_trace_place at;
            struct dc_error error = {0};
            if (ds_trace_parse(exact, size, &t, &at, &error) == DC_OK) {
                good++;
                CU_ASSERT(t.rows > 0 && ds_trace_at(&t, t.series - 1, 1) <= DC_ONE);
            } else {
                bad++;
                CU_ASSERT(at.line >= 1 && at.line <= 10 && at.column >= 1 && at.column <= 20);
            }
            ds_trace_free(&t);
            free(exact);
            free(text);
        }
    CU_ASSERT(good > 50 && bad > 100);
}

static void test_memory(void)
{
    enum dc_status status = DC_ERR_IO;
    uint64_t budget = 0;
    for (; status != DC_OK && budget < 20; budget++) {
        struct ds_trace t;
        struct dc_error error;
        dc_mem_budget(budget);
        status = parse(sample, &t, NULL, &error);
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT(status == DC_OK || (status == DC_ERR_IO && t.value == NULL));
        ds_trace_free(&t);
    }
    CU_ASSERT_EQUAL(status, DC_OK);
    CU_ASSERT_EQUAL(budget, 6);
}

/* The shipped trace idles as the field does: 39 of 50 machines below 5 % of their capacity. */
static void test_shipped(void)
{
    FILE *file = fopen(DESTRA_SOURCE "/scenarios/data/idle-trace.csv", "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    char *text = calloc(1, 1 << 16);
    size_t size = fread(text, 1, (1 << 16) - 1, file);
    fclose(file);
    CU_ASSERT(size > 0 && size < 40 << 10);
    struct ds_trace t;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_trace_parse(text, size, &t, NULL, &error), DC_OK);
    unsigned idle = 0;
    double most = 0;
    for (uint32_t i = 0; i < t.series; i++) {
        double sum = 0;
        for (uint32_t r = 0; r < t.rows; r++)
            sum += dc_q31_to_double(t.value[(size_t)r * t.series + i]) / t.rows;
        idle += sum < 0.05;
        most = sum > most ? sum : most;
    }
    CU_ASSERT_EQUAL(t.series, 24);
    CU_ASSERT_EQUAL(idle, 19); /* 78 % of 24, to the nearest */
    CU_ASSERT(most > 0.3 && most < 0.5);
    ds_trace_free(&t);
    free(text);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"what is read", test_read},
        {"changes that are told", test_changes},
        {"refusals and their places", test_refusals},
        {"truncations and changed bytes", test_mutations},
        {"memory runs out at every request", test_memory},
        {"the shipped trace", test_shipped},
    };
    return TEST_MAIN("traces", cases);
}

/* Reading a trace of outages: what is meant, and what is refused, with its place. */
#include "sim/workload/outages.h"

#include "models/base/mem.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

#include <stdlib.h>
#include <string.h>

static void test_good(void)
{
    static const char text[] = "# of a cluster\n node , down_s,up_s\r\n\n"
                               "sto[3],12.5,80\n7, 0.000000001,\n# later\nval[0],3,3.5";
    struct ds_outages o;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_outages_parse(text, sizeof text - 1, &o, NULL, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(o.count, 3);
    CU_ASSERT(o.row[0].name_size == 3 && memcmp(o.row[0].name, "sto", 3) == 0);
    CU_ASSERT(o.row[0].number == 3 && o.row[0].down_ns == 12500000000 &&
              o.row[0].up_ns == 80000000000);
    CU_ASSERT(o.row[1].name == NULL && o.row[1].number == 7 && o.row[1].down_ns == 1 &&
              o.row[1].up_ns == INT64_MAX);
    CU_ASSERT(o.row[2].at.line == 7 && o.row[2].at.column == 1);
    ds_outages_free(&o);
}

static void test_refused(void)
{
    static const struct {
        const char *text;
        uint32_t line, column;
    } bad[] = {
        {"", 1, 1},
        {"node,down_s\n", 1, 1},
        {"node,down_s,up_s\n", 1, 1},
        {"node,down_s,up_s\na,1,2\n", 2, 1},
        {"node,down_s,up_s\na[1,1,2\n", 2, 1},
        {"node,down_s,up_s\n[1],1,2\n", 2, 1},
        {"node,down_s,up_s\na[1]x,1,2\n", 2, 1},
        {"node,down_s,up_s\n1,1\n", 2, 1},
        {"node,down_s,up_s\n1,1,2,3\n", 2, 1},
        {"node,down_s,up_s\n1,1,2\n1,-1,2\n", 3, 3},
        {"node,down_s,up_s\n1,,2\n", 2, 3},
        {"node,down_s,up_s\n1,1.,2\n", 2, 3},
        {"node,down_s,up_s\n1,1e3,2\n", 2, 3},
        {"node,down_s,up_s\n1,99999999999999999999,\n", 2, 3},
        {"node,down_s,up_s\n1,1, x\n", 2, 6},
        {"node,down_s,up_s\n1,2,2\n", 2, 5},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ds_outages o;
        struct ds_trace_place at = {0};
        struct dc_error error = {0};
        CU_ASSERT_EQUAL(ds_outages_parse(bad[i].text, strlen(bad[i].text), &o, &at, &error),
                        DC_ERR_USAGE);
        CU_ASSERT(o.row == NULL && error.text[0] != '\0');
        if (at.line != bad[i].line || at.column != bad[i].column)
            fprintf(stderr, "case %zu: %u:%u %s\n", i, at.line, at.column, error.text);
        CU_ASSERT(at.line == bad[i].line && at.column == bad[i].column);
    }
}

/* Any bytes are either read or refused; the text has no end but its size. */
static void test_mutated(void)
{
    static const char good[] = "node,down_s,up_s\nsto[3],12.5,80\n7,20,\n";
    struct dc_stream draw = dc_stream(1, 0, dc_name("outages"));
    uint32_t read = 0;
    for (int i = 0; i < 20000; i++) {
        size_t size = sizeof good - 1 - dc_next_below(&draw, 8);
        char *text = malloc(size);
        memcpy(text, good, size);
        for (uint64_t k = dc_next_below(&draw, 3); k > 0; k--)
            text[dc_next_below(&draw, size)] = (char)dc_next_below(&draw, 256);
        struct ds_outages o;
        struct dc_error error = {0};
        enum dc_status s = ds_outages_parse(text, size, &o, NULL, &error);
        CU_ASSERT(s == DC_OK || s == DC_ERR_USAGE);
        for (uint32_t r = 0; r < o.count; r++)
            CU_ASSERT(o.row[r].up_ns > o.row[r].down_ns && o.row[r].down_ns >= 0);
        read += s == DC_OK;
        ds_outages_free(&o);
        free(text);
    }
    CU_ASSERT(read > 1000 && read < 19000);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"rows", test_good}, {"refused", test_refused}, {"any bytes", test_mutated}};
    return TEST_MAIN("outages", cases);
}

/* The three kinds of failure: an error keeps the first cause, a bug ends the process and says where. */
#include "models/base/fixed.h"
#include "models/base/status.h"
#include "tests/support/child.h"
#include "tests/support/harness.h"

#include <signal.h>
#include <string.h>

static void test_first_error_stays(void)
{
    struct dc_error e = {0};
    CU_ASSERT_EQUAL(dc_error_set(&e, DC_ERR_IO, "%s: cannot open, code %d", "x.h5", 7), DC_ERR_IO);
    CU_ASSERT_EQUAL(dc_error_set(&e, DC_ERR_USAGE, "a consequence"), DC_ERR_USAGE);
    CU_ASSERT_EQUAL(e.status, DC_ERR_IO);
    CU_ASSERT_STRING_EQUAL(e.text, "x.h5: cannot open, code 7");
    CU_ASSERT_EQUAL(dc_error_set(NULL, DC_ERR_LIMIT, "nobody listens"), DC_ERR_LIMIT);
}

static void test_long_error_is_cut(void)
{
    struct dc_error e = {0};
    CU_ASSERT_EQUAL(dc_error_set(&e, DC_ERR_IO, "%2000d", 1), DC_ERR_IO);
    CU_ASSERT_EQUAL(strlen(e.text), sizeof e.text - 1);
}

/* The program's exit codes (sim/README.md) are these numbers. */
static void test_codes(void)
{
    CU_ASSERT_EQUAL(DC_OK, 0);
    CU_ASSERT_EQUAL(DC_ERR_EXPECT, 1);
    CU_ASSERT_EQUAL(DC_ERR_USAGE, 2);
    CU_ASSERT_EQUAL(DC_ERR_IO, 3);
}

static void check_that_fails(void)
{
    dc_check_context("seed 42, epoch 3");
    int quorum = 2;
    DC_CHECK(quorum >= 1);
    DC_CHECK(quorum >= 3);
}

static void money_from_nothing(void)
{
    dc_sub_money(1, 2);
}

static void money_too_much(void)
{
    dc_add_money(UINT64_MAX, 1);
}

static void halving_not_in_the_table(void)
{
    dc_q31_exp2_neg(1, 3);
}

static void logarithm_of_zero(void)
{
    dc_log2_q16(0);
}

static void test_checks_abort(void)
{
    char said[512];
    CU_ASSERT_EQUAL(test_child(check_that_fails, said, sizeof said), -SIGABRT);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "tests/base/test_status.c:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "quorum >= 3"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "seed 42, epoch 3"));
    CU_ASSERT_EQUAL(test_child(money_from_nothing, said, sizeof said), -SIGABRT);
    CU_ASSERT_EQUAL(test_child(money_too_much, said, sizeof said), -SIGABRT);
    CU_ASSERT_EQUAL(test_child(halving_not_in_the_table, said, sizeof said), -SIGABRT);
    CU_ASSERT_EQUAL(test_child(logarithm_of_zero, said, sizeof said), -SIGABRT);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the first error stays", test_first_error_stays},
        {"a long error is cut", test_long_error_is_cut},
        {"exit codes", test_codes},
        {"a bug aborts and says where", test_checks_abort},
    };
    return TEST_MAIN("status", cases);
}

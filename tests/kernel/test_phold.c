/* PHOLD against ns-3 3.37: event counts and order-sensitive checksums printed by the published
 * ns3_phold.cc (map scheduler) for the same arguments. */
#include "tests/support/harness.h"

#include "sim/kernel/phold.h"

static const struct {
    uint32_t lps, per_lp;
    double end_s, lookahead_s;
    uint64_t events, checksum;
} known[] = {
    {1024, 1, 100, 0.1, 102313, 0x9cffc641d95c917eULL},
    {16384, 1, 10, 0.1, 162138, 0x4bcf4b0121adb7d0ULL},
    {1000, 3, 20, 0.01, 59917, 0x05f6b8a27f8f40c4ULL},
    {2000, 2, 10, 0.001, 40250, 0x7893e3b54669ab9bULL},
    {100, 1, 50, 0.5, 4956, 0x1c93669a2e154f62ULL},
};

static void test_known(void)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        for (uint32_t threads = 1; threads <= 4; threads++) {
            struct ds_phold_args args = {known[i].lps, known[i].per_lp, known[i].end_s,
                                         known[i].lookahead_s, threads};
            struct ds_phold *p = ds_phold_create(&args, NULL);
            CU_ASSERT_PTR_NOT_NULL_FATAL(p);
            struct ds_phold_result r = ds_phold_run(p);
            CU_ASSERT_EQUAL(r.events, known[i].events);
            CU_ASSERT_EQUAL(r.checksum, known[i].checksum);
            CU_ASSERT_EQUAL(r.pending_max, (uint64_t)known[i].lps * known[i].per_lp);
            ds_phold_destroy(p);
        }
}

static void test_refusals(void)
{
    struct dc_error error = {0};
    struct ds_phold_args args = {10, 1, 1, 1.0, 1};
    CU_ASSERT_PTR_NULL(ds_phold_create(&args, &error));
    CU_ASSERT_EQUAL(error.status, DC_ERR_USAGE);
    args = (struct ds_phold_args){0, 1, 1, 0.1, 1};
    CU_ASSERT_PTR_NULL(ds_phold_create(&args, NULL));
    args = (struct ds_phold_args){10, 1, 1, 0.1, 1000};
    CU_ASSERT_PTR_NULL(ds_phold_create(&args, NULL));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"checksums of ns-3", test_known},
        {"bad arguments", test_refusals},
    };
    return TEST_MAIN("phold", cases);
}

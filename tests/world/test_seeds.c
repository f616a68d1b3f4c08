/* The invariants over many seeds: every kind of node and fault of smoke.yaml, other draws each time. */
#include "tests/world/run.h"

static void test_seeds(void)
{
    uint32_t distinct = 0;
    char last[33] = "";
    for (uint32_t seed = 1; seed <= 24; seed++) {
        char set[32];
        snprintf(set, sizeof set, "seed=%u", seed);
        struct run r = run_file("smoke.yaml", &(struct run_how){.set = {set, "max_time=20 min"},
                                                                .threads = 1 + seed % 2});
        run_invariants(&r);
        CU_ASSERT_EQUAL(run_value(&r, "halted"), 0);
        CU_ASSERT_EQUAL(run_value(&r, "epochs"), 5);
        distinct += strcmp(last, r.summary.trace_digest) != 0;
        memcpy(last, r.summary.trace_digest, sizeof last);
        run_end(&r);
    }
    CU_ASSERT_EQUAL(distinct, 24);
}

int main(void)
{
    static const struct test_case cases[] = {{"many seeds", test_seeds}};
    return TEST_MAIN("seeds", cases);
}

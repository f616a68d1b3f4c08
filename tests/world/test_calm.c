/* A calm world: honest nodes, no loss, no faults.  Then nothing goes wrong at all: no round
 * times out, no message is refused, no request fails, no challenge is missed, nobody is slashed
 * or ejected. */
#include "tests/world/run.h"

static const char *const calm =
    "name: calm\n"
    "duration: 8 epochs\n"
    "network: {regions: data/aws-regions.csv, loss: 0}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 12, bond: 2000 DSYNC}\n"
    "  - {name: sto, role: service, service: storage, count: 40, bond: 1000 DSYNC}\n"
    "  - {name: cli, role: client, count: 10, demand: {arrivals: poisson(0.5 /s)}}\n"
    "protocol: {epoch_blocks: 20, audit: 0.3}\n";

static void test_calm(void)
{
    for (uint32_t direct = 0; direct < 2; direct++) {
        struct run r = run_text(
            calm, &(struct run_how){.set = {direct ? "protocol.dissemination=direct" : "seed=3"},
                                    .results = true});
        run_invariants(&r);
        static const char *const none[] = {
            "rounds_timed_out", "invalid_messages",       "requests_failed",
            "false_fail_rate",  "honest_slashed",         "demands",
            "halted",           "max_ejections_one_node", "loss_leaked"};
        for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
            CU_ASSERT_EQUAL(run_value(&r, none[i]), 0);
            if (run_value(&r, none[i]) != 0)
                fprintf(stderr, "%s is %g\n", none[i], run_value(&r, none[i]));
        }
        CU_ASSERT_EQUAL(run_value(&r, "blocks_final"), 160);
        CU_ASSERT_EQUAL(run_value(&r, "epochs"), 8);
        CU_ASSERT_TRUE(run_value(&r, "requests_total") > 300);
        CU_ASSERT_TRUE(run_value(&r, "challenges_total") > 60);
        uint64_t rows = ds_results_size(r.results, "epoch"), nodes = r.scenario->nodes_count,
                 late = 0;
        double *s = run_column(&r, "/node_epoch/synchronicity", rows, nodes, DS_F64);
        double *a = run_column(&r, "/node_epoch/availability", rows, nodes, DS_F64);
        for (uint64_t e = 1; e < rows; e++)
            for (uint64_t n = 0; n < 52; n++) /* who owes heartbeats */
                late += s[e * nodes + n] != 1 || a[e * nodes + n] != 1;
        CU_ASSERT_EQUAL(late, 0);
        free(s);
        free(a);
        run_end(&r);
    }
}

int main(void)
{
    static const struct test_case cases[] = {{"nothing goes wrong", test_calm}};
    return TEST_MAIN("calm", cases);
}

/* Common random numbers: two runs that differ in one parameter share everything that the parameter
 * does not touch - the population, the demand, the faults. */
#include "tests/world/run.h"

static void same_column(const struct run *a, const struct run *b, const char *dataset,
                        uint64_t rows, uint64_t across, bool same)
{
    double *x = run_column(a, dataset, rows, across, DS_F64);
    double *y = run_column(b, dataset, rows, across, DS_F64);
    bool equal = memcmp(x, y, rows * across * sizeof *x) == 0;
    if (equal != same)
        fprintf(stderr, "%s: %s\n", dataset, equal ? "equal" : "differs");
    CU_ASSERT_EQUAL(equal, same);
    free(x);
    free(y);
}

static const char *const world =
    "nodes=["
    "{name: val, role: validator, count: 12, bond: 'pareto(2000 DSYNC, 1.6)'},"
    "{name: sto, role: service, service: storage, count: 60, bond: 1000 DSYNC,"
    " strategy: {honest: 0.8, ghost: 0.1, partial(0.3): 0.1}},"
    "{name: cli, role: client, count: 12, demand: {arrivals: poisson(0.4 /s)}}]";
static const char *const no_faults = "faults=[]";

/* theta alone: the same nodes, the same requests; other challenges. */
static void test_theta(void)
{
    struct run low = run_file(
        "smoke.yaml",
        &(struct run_how){.set = {world, no_faults, "protocol.theta=0.05", "duration=90 s"},
                          .results = true});
    struct run high =
        run_file("smoke.yaml",
                 &(struct run_how){.set = {world, no_faults, "protocol.theta=0.6", "duration=90 s"},
                                   .results = true});
    uint64_t n = low.scenario->nodes_count;
    static const char *const columns[] = {"/node_role", "/node_region", "/node_strategy",
                                          "/node_capacity", "/node_bond_initial"};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        same_column(&low, &high, columns[i], n, 1, true);
    CU_ASSERT_EQUAL(run_value(&low, "requests_total"), run_value(&high, "requests_total"));
    CU_ASSERT_TRUE(run_value(&low, "requests_total") > 100);
    CU_ASSERT_EQUAL(run_value(&low, "data_at_risk"), run_value(&high, "data_at_risk"));
    CU_ASSERT_EQUAL(run_value(&low, "u_auroc"), run_value(&high, "u_auroc"));
    CU_ASSERT_EQUAL(run_value(&low, "messages.put"), run_value(&high, "messages.put"));
    CU_ASSERT_EQUAL(run_value(&low, "messages.get"), run_value(&high, "messages.get"));
    CU_ASSERT_TRUE(run_value(&low, "theta_quantile") < run_value(&high, "theta_quantile"));
    CU_ASSERT_TRUE(run_value(&low, "challenges_theta") < run_value(&high, "challenges_theta"));
    CU_ASSERT_STRING_NOT_EQUAL(low.summary.trace_digest, high.summary.trace_digest);
    run_end(&high);
    run_end(&low);
}

/* One group more, first in the list: every other node keeps what it had. */
static void test_another_group(void)
{
    static const char *const more =
        "nodes=["
        "{name: new, role: validator, count: 5, bond: 'pareto(2000 DSYNC, 1.6)'},"
        "{name: val, role: validator, count: 12, bond: 'pareto(2000 DSYNC, 1.6)'},"
        "{name: sto, role: service, service: storage, count: 60, bond: 1000 DSYNC,"
        " strategy: {honest: 0.8, ghost: 0.1, partial(0.3): 0.1}},"
        "{name: cli, role: client, count: 12, demand: {arrivals: poisson(0.4 /s)}}]";
    struct run few =
        run_file("smoke.yaml",
                 &(struct run_how){.set = {world, no_faults, "duration=20 s"}, .results = true});
    struct run many =
        run_file("smoke.yaml",
                 &(struct run_how){.set = {more, no_faults, "duration=20 s"}, .results = true});
    uint64_t n = few.scenario->nodes_count;
    CU_ASSERT_EQUAL(many.scenario->nodes_count, n + 5);
    static const char *const columns[] = {"/node_region", "/node_strategy", "/node_capacity",
                                          "/node_bond_initial"};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        uint64_t *x = run_counts(&few, columns[i], n), *y = run_counts(&many, columns[i], n + 5);
        CU_ASSERT_EQUAL(memcmp(x, y + 5, n * sizeof *x), 0);
        free(x);
        free(y);
    }
    CU_ASSERT_EQUAL(run_value(&few, "requests_total"), run_value(&many, "requests_total"));
    run_end(&many);
    run_end(&few);
}

/* Another seed shares nothing of that. */
static void test_seed(void)
{
    struct run one =
        run_file("smoke.yaml",
                 &(struct run_how){.set = {world, no_faults, "duration=20 s"}, .results = true});
    struct run two = run_file(
        "smoke.yaml",
        &(struct run_how){.set = {world, no_faults, "duration=20 s", "seed=2"}, .results = true});
    uint64_t n = one.scenario->nodes_count;
    same_column(&one, &two, "/node_role", n, 1, true);
    same_column(&one, &two, "/node_region", n, 1, false);
    same_column(&one, &two, "/node_strategy", n, 1, false);
    same_column(&one, &two, "/node_bond_initial", n, 1, false);
    run_end(&two);
    run_end(&one);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"theta alone", test_theta},
        {"another group", test_another_group},
        {"another seed", test_seed},
    };
    return TEST_MAIN("common random numbers", cases);
}

/* Rational nodes: the share of cheats goes where payoffs push it, and tables say what was played. */
#include "sim/world/inside.h"
#include "tests/world/run.h"

static const char *const town =
    "name: town\n"
    "duration: 24 epochs\n"
    "network: {latency: 20 ms, jitter: none, loss: 0, overlay: {kind: k_regular, degree: 4}}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 7, bond: 2000 DSYNC}\n"
    "  - {name: sto, role: service, service: storage, count: 40, bond: 1000 DSYNC,\n"
    "     strategy: rational, rational: {options: {honest: 0.5, ghost: 0.5}, revise: 0.4,\n"
    "     explore: 0, selection: 20, strata: 2}}\n"
    "  - {name: cli, role: client, count: 4, demand: {arrivals: none}}\n"
    "protocol: {epoch_blocks: 12, answer_heights: 24, abandon_heights: 1200, theta: 0,\n"
    "  detectors: none, base_share: 0.3}\n";

/* Nobody looks: who holds nothing saves its cost, and everyone learns that.  Everybody is looked at
 * and slashed: nobody who is still in cheats any more. */
static void test_direction(void)
{
    struct run free_riders =
        run_text(town, &(struct run_how){.set = {"protocol.audit=0", "protocol.slash_first=0"}});
    run_invariants(&free_riders);
    CU_ASSERT_TRUE(run_value(&free_riders, "cheat_share") > 0.9);
    CU_ASSERT_EQUAL(run_value(&free_riders, "share_by_strategy.ghost"),
                    run_value(&free_riders, "cheat_share"));
    run_end(&free_riders);
    struct run watched =
        run_text(town, &(struct run_how){.set = {"protocol.audit=1", "protocol.slash_first=0.5",
                                                 "protocol.slash_repeat=1"}});
    run_invariants(&watched);
    CU_ASSERT_TRUE(run_value(&watched, "cheat_share") < 0.1);
    CU_ASSERT_TRUE(run_value(&watched, "share_by_strategy.honest") > 0.9);
    CU_ASSERT_TRUE(run_value(&watched, "false_fail_rate") < 0.2);
    run_end(&watched);
}

/* revise 0 and explore 0: nobody ever changes.  explore 1: everybody does all the time. */
static void test_rates(void)
{
    struct run still =
        run_text(town, &(struct run_how){.set = {"nodes.sto.rational.revise=0", "protocol.audit=0"},
                                         .results = true});
    struct run wild = run_text(
        town, &(struct run_how){.set = {"nodes.sto.rational.revise=0",
                                        "nodes.sto.rational.explore=1", "protocol.audit=0"},
                                .results = true});
    const struct run *both[] = {&still, &wild};
    uint64_t changes[2] = {0, 0}, n = still.scenario->nodes_count;
    for (int i = 0; i < 2; i++) {
        uint64_t epochs = ds_results_size(both[i]->results, "epoch");
        CU_ASSERT_EQUAL(epochs, 24);
        uint64_t *s = run_column(both[i], "/node_epoch/strategy", epochs, n, DS_U64);
        for (uint64_t e = 1; e < epochs; e++)
            for (uint64_t k = 0; k < n; k++)
                changes[i] += s[e * n + k] != s[(e - 1) * n + k];
        free(s);
    }
    CU_ASSERT_EQUAL(changes[0], 0);
    /* 40 nodes, 23 times, each changes with probability 1/2 (the first revision ends epoch 0):
     * five standard deviations of 15. */
    CU_ASSERT_TRUE(changes[1] > 460 - 90 && changes[1] < 460 + 90);
    run_end(&wild);
    run_end(&still);
}

/* /strategies is the sum of /node_epoch over service nodes, and of the money that /epochs counts. */
static void test_tables(void)
{
    struct run r =
        run_text(town, &(struct run_how){.set = {"protocol.audit=0.3", "protocol.slash_first=0.01"},
                                         .results = true});
    run_invariants(&r);
    uint64_t n = r.scenario->nodes_count, epochs = ds_results_size(r.results, "epoch");
    uint64_t rows = ds_results_size(r.results, "strategy_epoch"), kinds = rows / epochs;
    CU_ASSERT_EQUAL_FATAL(kinds, 2); /* honest, ghost */
    uint64_t *reward = run_counts(&r, "/strategies/reward", rows);
    uint64_t *slashed = run_counts(&r, "/strategies/slashed", rows);
    uint64_t *nodes = run_counts(&r, "/strategies/nodes", rows);
    uint64_t *each = run_column(&r, "/node_epoch/reward", epochs, n, DS_U64);
    uint64_t *strategy = run_column(&r, "/node_epoch/strategy", epochs, n, DS_U64);
    uint64_t *honest = run_counts(&r, "/epochs/slashed_honest", epochs);
    uint64_t *cheats = run_counts(&r, "/epochs/slashed_cheats", epochs);
    double *payoff = run_column(&r, "/strategies/payoff", rows, 1, DS_F64);
    uint64_t moved = 0;
    for (uint64_t e = 0; e < epochs; e++) {
        uint64_t sum[2] = {0, 0}, count[2] = {0, 0};
        /* validators come first, the last four are clients */
        for (uint64_t k = r.scenario->validators_count; k < n - 4; k++) {
            CU_ASSERT_TRUE_FATAL(strategy[e * n + k] < 2);
            sum[strategy[e * n + k]] += each[e * n + k];
            count[strategy[e * n + k]]++;
        }
        for (uint64_t s = 0; s < 2; s++) {
            CU_ASSERT_EQUAL(reward[e * 2 + s], sum[s]);
            CU_ASSERT_TRUE(nodes[e * 2 + s] <= count[s]);
        }
        CU_ASSERT_EQUAL(slashed[e * 2] + slashed[e * 2 + 1], honest[e] + cheats[e]);
        moved += e > 0 && nodes[e * 2] != nodes[e * 2 - 2];
        if (nodes[e * 2 + 1] != 0 && slashed[e * 2 + 1] == 0) /* a ghost's cost is nothing */
            CU_ASSERT_DOUBLE_EQUAL(payoff[e * 2 + 1],
                                   (double)reward[e * 2 + 1] / (double)nodes[e * 2 + 1], 1);
    }
    CU_ASSERT_TRUE(moved > 3);
    free(reward);
    free(slashed);
    free(nodes);
    free(each);
    free(strategy);
    free(honest);
    free(cheats);
    free(payoff);
    run_end(&r);
}

/* A rational washer pays for its own deal while it washes, and so stands above theta then. */
static void test_washers(void)
{
    struct run r = run_text(
        town, &(struct run_how){.set = {"nodes.sto.rational.options={ghost: 0.5, washer: 0.5}",
                                        "nodes.sto.rational.explore=0.3", "protocol.theta=0.6",
                                        "protocol.audit=0", "duration=12 epochs"},
                                .results = true});
    run_invariants(&r);
    uint64_t n = r.scenario->nodes_count, epochs = ds_results_size(r.results, "epoch");
    uint64_t *strategy = run_column(&r, "/node_epoch/strategy", epochs, n, DS_U64);
    double *u = run_column(&r, "/node_epoch/utilisation", epochs, n, DS_F64);
    uint64_t wash = 0, above = 0, ghost = 0, below = 0;
    uint64_t washer = world_strategy_index(r.world, "washer");
    for (uint64_t e = 2; e < epochs; e++)
        for (uint64_t k = 7; k < 47; k++) {
            if (isnan(u[e * n + k]) || strategy[e * n + k] != strategy[(e - 1) * n + k])
                continue;
            bool washes = strategy[e * n + k] == washer;
            wash += washes;
            above += washes && u[e * n + k] >= 0.6;
            ghost += !washes;
            below += !washes && u[e * n + k] < 0.6;
        }
    CU_ASSERT_TRUE(wash > 30 && ghost > 30);
    CU_ASSERT_TRUE((double)above > 0.95 * (double)wash);
    CU_ASSERT_TRUE((double)below > 0.6 * (double)ghost); /* the rest sell so much to customers */
    free(strategy);
    free(u);
    run_end(&r);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"direction", test_direction},
        {"rates", test_rates},
        {"tables", test_tables},
        {"washers", test_washers},
    };
    return TEST_MAIN("rational", cases);
}

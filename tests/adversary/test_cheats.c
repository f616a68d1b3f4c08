/* Each adversary in a whole run does what it is said to do, and is met by what should meet it
 * (models/adversary/adversary.h). */
#include "tests/support/statistics.h"
#include "tests/world/run.h"

/* A quiet network: what goes wrong here goes wrong because of a cheat. */
static const char *const quiet =
    "name: cheats\n"
    "duration: 8 epochs\n"
    "crypto: modelled\n"
    "network: {latency: 20 ms, jitter: none, loss: 0, overlay: {kind: k_regular, degree: 4}}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 9, bond: 2000 DSYNC}\n"
    "  - {name: odd, role: validator, count: 1, bond: 2000 DSYNC}\n"
    "  - {name: good, role: service, service: storage, count: 30, bond: 1000 DSYNC}\n"
    "  - {name: bad, role: service, service: storage, count: 30, bond: 1000 DSYNC}\n"
    "protocol: {epoch_blocks: 20, answer_heights: 40, abandon_heights: 80, k: 8, k_min: 8, "
    "k_max_chance: 0, audit: 0.3, theta: 0.3}\n"
    "expect: [safety, supply]\n";
enum { VAL = 0, ODD = 9, GOOD = 10, BAD = 40, NODES = 70 };

/* Challenges of nodes [from, until) by verdict. */
static void count_verdicts(const struct run *r, uint32_t from, uint32_t until,
                           uint64_t by_verdict[8])
{
    uint64_t rows = ds_results_size(r->results, "challenge");
    uint64_t *node = run_counts(r, "/challenges/node", rows);
    uint64_t *verdict = run_counts(r, "/challenges/verdict", rows);
    memset(by_verdict, 0, 8 * sizeof *by_verdict);
    for (uint64_t i = 0; i < rows; i++)
        if (node[i] >= from && node[i] < until && verdict[i] < 8)
            by_verdict[verdict[i]]++;
    free(node);
    free(verdict);
}

static uint64_t failed(const uint64_t v[8])
{
    return v[DS_VERDICT_FAIL] + v[DS_VERDICT_LATE] + v[DS_VERDICT_SILENT];
}

/* Mean of a node_epoch column over nodes [from, until) and the epochs from `epoch` on. */
static double mean_of(const struct run *r, const char *dataset, uint32_t from, uint32_t until,
                      uint64_t epoch)
{
    uint64_t rows = ds_results_size(r->results, "epoch"), count = 0;
    double *x = run_column(r, dataset, rows, NODES, DS_F64), sum = 0;
    for (uint64_t e = epoch; e < rows; e++)
        for (uint32_t n = from; n < until; n++, count++)
            sum += x[e * NODES + n];
    free(x);
    CU_ASSERT_TRUE(count > 0);
    return sum / (double)count;
}

/* The equivocator loses its whole bond, and no one else a unit. */
static void test_equivocating(void)
{
    struct run r = run_text(
        quiet, &(struct run_how){.set = {"nodes.odd.strategy=equivocating"}, .results = true});
    run_invariants(&r);
    uint64_t epochs = ds_results_size(r.results, "epoch");
    CU_ASSERT_EQUAL(epochs, 8);
    uint64_t *bond = run_column(&r, "/node_epoch/bond", epochs, NODES, DS_U64);
    uint64_t *initial = run_counts(&r, "/node_bond_initial", NODES);
    CU_ASSERT_EQUAL(bond[(epochs - 1) * NODES + ODD], 0);
    for (uint32_t n = 0; n < NODES; n++)
        for (uint64_t e = 0; e < epochs && n != ODD; e++)
            CU_ASSERT_TRUE(bond[e * NODES + n] >= initial[n]);
    free(bond);
    free(initial);
    CU_ASSERT_EQUAL(run_value(&r, "honest_slashed"), 0);
    CU_ASSERT_EQUAL(run_value(&r, "halted"), 0);
    run_end(&r);
}

/* The silent validator costs rounds, earns less than others and stops nothing. */
static void test_silent(void)
{
    struct run honest = run_text(quiet, &(struct run_how){.results = true});
    struct run r =
        run_text(quiet, &(struct run_how){.set = {"nodes.odd.strategy=silent"}, .results = true});
    run_invariants(&r);
    CU_ASSERT_EQUAL(run_value(&honest, "rounds_timed_out"), 0);
    CU_ASSERT_TRUE(run_value(&r, "rounds_timed_out") > 5);
    CU_ASSERT_EQUAL(run_value(&r, "blocks_final"), run_value(&honest, "blocks_final"));
    CU_ASSERT_EQUAL(run_value(&r, "halted"), 0);
    CU_ASSERT_TRUE(run_value(&r, "virtual_time") > run_value(&honest, "virtual_time"));
    CU_ASSERT_EQUAL(run_value(&r, "honest_slashed"), 0);
    double others = mean_of(&r, "/node_epoch/reward", VAL, ODD, 3);
    double odd = mean_of(&r, "/node_epoch/reward", ODD, ODD + 1, 3);
    double before = mean_of(&honest, "/node_epoch/reward", ODD, ODD + 1, 3);
    CU_ASSERT_TRUE(odd < others && odd < before);
    CU_ASSERT_TRUE(mean_of(&r, "/node_epoch/utilisation", ODD, ODD + 1, 1) <
                   mean_of(&r, "/node_epoch/utilisation", VAL, ODD, 1) / 2);
    run_end(&r);
    run_end(&honest);
}

/* A ghost has nothing to show: no challenge is passed, the honest pass all. */
static void test_ghost(void)
{
    struct run r =
        run_text(quiet, &(struct run_how){.set = {"nodes.bad.strategy=ghost"}, .results = true});
    run_invariants(&r);
    uint64_t good[8], bad[8];
    count_verdicts(&r, GOOD, BAD, good);
    count_verdicts(&r, BAD, NODES, bad);
    CU_ASSERT_EQUAL(bad[DS_VERDICT_PASS], 0);
    CU_ASSERT_TRUE(failed(bad) > 60);
    CU_ASSERT_EQUAL(failed(good), 0);
    CU_ASSERT_TRUE(good[DS_VERDICT_PASS] > 60);
    CU_ASSERT_EQUAL(run_value(&r, "detect_5.ghost"), 1);
    CU_ASSERT_EQUAL(run_value(&r, "honest_slashed"), 0);
    CU_ASSERT_EQUAL(run_value(&r, "false_fail_rate"), 0);
    run_end(&r);
}

/* A node that lacks the fraction f passes with probability (1-f)^k: exact binomial test. */
static void test_partial(void)
{
    static const struct {
        const char *strategy;
        double f;
    } cases[] = {{"nodes.bad.strategy={partial(0.1): 1}", 0.1},
                 {"nodes.bad.strategy={partial(0.3): 1}", 0.3}};
    for (size_t i = 0; i < 2; i++) {
        struct run r = run_text(
            quiet, &(struct run_how){
                       .set = {cases[i].strategy, "protocol.audit=1",
                               "protocol.sprt_alpha=0.00000001", "protocol.answer_heights=100000",
                               "protocol.abandon_heights=200000", "duration=12 epochs"},
                       .results = true});
        run_invariants(&r);
        uint64_t good[8], bad[8];
        count_verdicts(&r, GOOD, BAD, good);
        count_verdicts(&r, BAD, NODES, bad);
        uint64_t n = bad[DS_VERDICT_PASS] + failed(bad);
        double p = pow(1 - cases[i].f, r.scenario->protocol.k);
        fprintf(stderr, "(f = %.1f: %llu of %llu passed, %.1f expected) ", cases[i].f,
                (unsigned long long)bad[DS_VERDICT_PASS], (unsigned long long)n, p * (double)n);
        CU_ASSERT_TRUE(n >= 200);
        CU_ASSERT_TRUE(test_binomial_fits(bad[DS_VERDICT_PASS], n, p, 0.001));
        CU_ASSERT_EQUAL(failed(good), 0);
        run_end(&r);
    }
}

/* Heartbeats that are one period old: a low synchronicity, as 2^(-lag/h) says. */
static void test_stale(void)
{
    struct run r =
        run_text(quiet, &(struct run_how){.set = {"nodes.bad.strategy=stale",
                                                  "protocol.epoch_blocks=60", "duration=5 epochs"},
                                          .results = true});
    run_invariants(&r);
    double good = mean_of(&r, "/node_epoch/synchronicity", GOOD, BAD, 2);
    double bad = mean_of(&r, "/node_epoch/synchronicity", BAD, NODES, 2);
    CU_ASSERT_TRUE(good > 0.9);
    CU_ASSERT_TRUE(bad < 0.1);
    CU_ASSERT_TRUE(mean_of(&r, "/node_epoch/score", BAD, NODES, 4) <
                   mean_of(&r, "/node_epoch/score", GOOD, BAD, 4));
    run_end(&r);
}

/* A washer buys itself above theta: theta never asks it, audits do, and then it has nothing to
 * show. */
static void test_washer(void)
{
    struct run r =
        run_text(quiet, &(struct run_how){.set = {"nodes.bad.strategy=washer"}, .results = true});
    run_invariants(&r);
    double theta = dc_q31_to_double(r.scenario->protocol.theta);
    uint64_t epochs = ds_results_size(r.results, "epoch"), below = 0, asked = 0, good_asked = 0;
    double *u = run_column(&r, "/node_epoch/utilisation", epochs, NODES, DS_F64);
    for (uint64_t e = 0; e < epochs; e++)
        for (uint32_t n = BAD; n < NODES; n++)
            below += u[e * NODES + n] < theta;
    CU_ASSERT_EQUAL(below, 0);
    free(u);
    uint64_t rows = ds_results_size(r.results, "challenge");
    uint64_t *node = run_counts(&r, "/challenges/node", rows);
    uint64_t *cause = run_counts(&r, "/challenges/cause", rows);
    for (uint64_t i = 0; i < rows; i++) {
        asked += node[i] >= BAD && (cause[i] & DS_CAUSE_THETA);
        good_asked += node[i] < BAD && (cause[i] & DS_CAUSE_THETA);
    }
    free(node);
    free(cause);
    CU_ASSERT_EQUAL(asked, 0);
    CU_ASSERT_TRUE(good_asked > 10); /* theta did ask others */
    uint64_t bad[8];
    count_verdicts(&r, BAD, NODES, bad);
    CU_ASSERT_EQUAL(bad[DS_VERDICT_PASS], 0);
    CU_ASSERT_TRUE(failed(bad) > 20);
    run_end(&r);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"equivocating", test_equivocating}, {"silent", test_silent}, {"ghost", test_ghost},
        {"partial: (1-f)^k", test_partial},  {"stale", test_stale},   {"washer", test_washer},
    };
    return TEST_MAIN("cheats", cases);
}

/* Machines: what nodes of one share, what a slow disk and a busy machine do to answers. */
#include "tests/world/run.h"

/* One verifier: of several, those who ask later are given the answer that the first had made. */
static const char *const farm =
    "name: farm\n"
    "duration: 12 epochs\n"
    "network: {latency: 20 ms, jitter: none, loss: 0, overlay: {kind: k_regular, degree: 4}}\n"
    "cpu: {cores: 1}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 7, bond: 2000 DSYNC}\n"
    "  - {name: sto, role: service, service: storage, count: 40, bond: 1000 DSYNC,\n"
    "     utilisation: 1}\n"
    "  - {name: cli, role: client, count: 4, demand: {arrivals: none}}\n"
    "protocol: {epoch_blocks: 12, answer_heights: 24, audit: 1, theta: 0, k: 8, k_min: 8,\n"
    "  k_max_chance: 0, detectors: none, verifiers: 1}\n";

/* Response times by (node, epoch) of 40 storage nodes; NaN without an answer. */
static double *responses(const struct run *r, uint64_t epochs)
{
    uint64_t rows = ds_results_size(r->results, "challenge");
    uint64_t *node = run_counts(r, "/challenges/node", rows);
    uint64_t *epoch = run_counts(r, "/challenges/epoch", rows);
    double *s = run_column(r, "/challenges/response_time", rows, 1, DS_F64);
    double *out = calloc(40 * epochs, sizeof *out);
    for (uint64_t i = 0; i < 40 * epochs; i++)
        out[i] = NAN;
    for (uint64_t i = 0; i < rows; i++)
        if (node[i] >= 7 && node[i] < 47 && epoch[i] < epochs)
            out[(node[i] - 7) * epochs + epoch[i]] = s[i];
    free(node);
    free(epoch);
    free(s);
    return out;
}

/* Mean distance of the logarithms of two nodes' response times over the epochs that both answered. */
static double distance(const double *t, uint64_t epochs, uint64_t a, uint64_t b)
{
    double sum = 0, count = 0;
    for (uint64_t e = 0; e < epochs; e++)
        if (!isnan(t[a * epochs + e]) && !isnan(t[b * epochs + e])) {
            sum += fabs(log(t[a * epochs + e] / t[b * epochs + e]));
            count++;
        }
    return count < 3 ? NAN : sum / count;
}

/* Sybils of one machine answer alike: same last mile, same disk, same noise.  Others do not. */
static void test_twins(void)
{
    struct run r = run_text(
        farm, &(struct run_how){.set = {"nodes.sto.strategy=sybil(4)", "nodes.sto.load_noise=0.5",
                                        "nodes.sto.chunk_time=lognormal(20 ms, 0.5)",
                                        "nodes.sto.access_delay=lognormal(5 ms, 0.8)",
                                        "protocol.deadline_base=4 s"},
                                .results = true});
    run_invariants(&r);
    uint64_t epochs = ds_results_size(r.results, "epoch");
    double *t = responses(&r, epochs), within = 0, between = 0, w = 0, b = 0;
    uint64_t *region = run_counts(&r, "/node_region", r.scenario->nodes_count);
    for (uint64_t i = 0; i < 40; i++)
        for (uint64_t j = 0; j < i; j++) {
            double d = distance(t, epochs, i, j);
            if (isnan(d))
                continue;
            bool twins = i / 4 == j / 4;
            CU_ASSERT_TRUE(!twins || region[7 + i] == region[7 + j]);
            *(twins ? &within : &between) += d;
            *(twins ? &w : &b) += 1;
        }
    CU_ASSERT_TRUE_FATAL(w > 30 && b > 300);
    CU_ASSERT_TRUE(within / w < 0.5 * between / b);
    free(region);
    free(t);
    run_end(&r);
}

/* The quickest: who is asked before it knows the block that asks waits for it first. */
static double least(const double *t, uint64_t count)
{
    double least = INFINITY;
    for (uint64_t i = 0; i < count; i++)
        least = t[i] < least ? t[i] : least;
    return least;
}

static double mean(const double *t, uint64_t count)
{
    double sum = 0, n = 0;
    for (uint64_t i = 0; i < count; i++)
        if (!isnan(t[i])) {
            sum += t[i];
            n++;
        }
    CU_ASSERT_TRUE(n > 100);
    return sum / n;
}

/* A disk that takes 10 ms for a chunk adds 9.9 ms for each of eight; a last mile of 15 ms adds
 * itself twice; the same is said by other words: nothing changes. */
static void test_speed(void)
{
    static const char *const set[] = {"nodes.sto.chunk_time=0.1 ms", "nodes.sto.chunk_time=10 ms",
                                      "nodes.sto.access_delay=15 ms",
                                      "nodes.sto.access_delay=none"};
    double each[4];
    char digest[4][33];
    for (int i = 0; i < 4; i++) {
        struct run r = run_text(farm, &(struct run_how){.set = {set[i]}, .results = true});
        run_invariants(&r);
        uint64_t epochs = ds_results_size(r.results, "epoch");
        double *t = responses(&r, epochs);
        each[i] = least(t, 40 * epochs);
        memcpy(digest[i], r.summary.trace_digest, 33);
        free(t);
        run_end(&r);
    }
    CU_ASSERT_STRING_EQUAL(digest[0], digest[3]);
    CU_ASSERT_TRUE(each[1] - each[0] > 0.0792 - 0.001 && each[1] - each[0] < 0.0792 + 0.02);
    CU_ASSERT_DOUBLE_EQUAL(each[2] - each[0], 0.030, 0.003);
}

/* Eight identities on one machine that reads slowly wait for one another; alone they do not. */
static void test_queue(void)
{
    static const char *const set[] = {"nodes.sto.strategy=sybil(1)",
                                      "nodes.sto.strategy=sybil(40)"};
    double each[2];
    for (int i = 0; i < 2; i++) {
        struct run r =
            run_text(farm, &(struct run_how){.set = {set[i], "nodes.sto.chunk_time=100 ms",
                                                     "protocol.deadline_base=20 s"},
                                             .results = true});
        run_invariants(&r);
        uint64_t epochs = ds_results_size(r.results, "epoch");
        double *t = responses(&r, epochs);
        each[i] = mean(t, 40 * epochs);
        free(t);
        run_end(&r);
    }
    CU_ASSERT_TRUE(each[0] > 0.8 && each[0] < 1.2);
    CU_ASSERT_TRUE(each[1] > 2 * each[0]);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"twins", test_twins},
        {"speed", test_speed},
        {"one processor", test_queue},
    };
    return TEST_MAIN("machines", cases);
}

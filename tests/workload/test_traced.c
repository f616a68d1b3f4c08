/* Whole runs with demand over time: nodes are used as their trace says, on chain. */
#include "tests/world/run.h"

#include "models/base/fixed.h"
#include "models/base/rng.h"

#include <gsl/gsl_cdf.h>

static const char base[] =
    "name: traced\nseed: 3\nduration: 8 epochs\ncrypto: modelled\n"
    "network: {latency: 5 ms, jitter: none}\nnodes:\n"
    "  - {name: val, role: validator, count: 6}\n"
    "  - {name: sto, role: service, count: 24, capacity: 64 GiB, trace: data/idle-trace.csv}\n"
    "  - {name: cli, role: client, count: 20, demand: {arrivals: poisson(0.05 /s),\n"
    "     put_share: 0}}\n"
    "protocol: {epoch_blocks: 20, answer_heights: 80, abandon_heights: 240}\n";

/* The utilisation on chain against the trace's columns, for epochs of 20 s on rows every 30 s: within
 * a hundredth (not told) and what the series moved between two rows. */
static void test_follows(void)
{
    struct run r = run_text(base, &(struct run_how){.results = true});
    uint64_t epochs = (uint64_t)run_value(&r, "epochs"), n = r.scenario->nodes_count;
    CU_ASSERT_FATAL(epochs == 8);
    const struct ds_input *file = &r.scenario->inputs[0];
    double table[24][24] = {{0}}; /* the first rows of the trace */
    const char *p = strstr(file->data, "\n0,") + 1;
    for (int row = 0; row < 24; row++, p = strchr(p, '\n') + 1) {
        const char *cell = strchr(p, ',') + 1;
        for (int i = 0; i < 24; i++, cell = strpbrk(cell, ",\n") + 1)
            table[row][i] = strtod(cell, NULL);
    }
    double *u = run_column(&r, "/node_epoch/utilisation", epochs, n, DS_F64);
    double *end = run_column(&r, "/epochs/time_end", epochs, 1, DS_F64);
    unsigned far = 0;
    for (uint64_t node = 6; node < 30; node++) {
        struct dc_stream s =
            dc_stream(r.scenario->seed, dc_name_indexed("sto", node - 6), dc_name("trace"));
        int series = (int)((unsigned __int128)dc_stream_at(&s, 0) * 24 >> 64);
        for (uint64_t e = 0; e < epochs; e++) {
            int row = (int)(end[e] / 30);
            double low = 1, high = 0;
            for (int k = row > 1 ? row - 2 : 0; k <= row; k++) {
                low = table[k][series] < low ? table[k][series] : low;
                high = table[k][series] > high ? table[k][series] : high;
            }
            far += u[e * n + node] < low - 0.0101 || u[e * n + node] > high + 0.0101;
        }
    }
    CU_ASSERT_EQUAL(far, 0);
    if (far != 0)
        printf("\n%u of %u are not what the trace says\n", far, (unsigned)(24 * epochs));
    free(u);
    free(end);
    CU_ASSERT_EQUAL(run_value(&r, "supply"), 1);
    run_end(&r);
}

/* The trace changes no request, and a crowd none before it comes; what it brings is Poisson. */
static void test_crowd(void)
{
    static const char *const crowd = "nodes.cli.demand={arrivals: poisson(0.05 /s), put_share: 0, "
                                     "flash: [{at: 60 s, for: 60 s, factor: 10}]}";
    struct run plain =
        run_text(base, &(struct run_how){.set = {"nodes.sto.trace=", "duration=120 s"}});
    struct run traced = run_text(base, &(struct run_how){.set = {"duration=120 s"}});
    struct run flash = run_text(base, &(struct run_how){.set = {crowd, "duration=120 s"}});
    struct run before = run_text(base, &(struct run_how){.set = {"duration=60 s"}});
    struct run early =
        run_text(base, &(struct run_how){.set = {crowd, "max_time=70 s", "duration=60 s"}});
    CU_ASSERT_EQUAL(run_value(&plain, "requests_total"), run_value(&traced, "requests_total"));
    CU_ASSERT_EQUAL(run_value(&before, "requests_total"), run_value(&early, "requests_total"));
    double more = run_value(&flash, "requests_total") - run_value(&before, "requests_total");
    double mean = 20 * 0.05 * 10 * 60; /* of what the crowd's minute brings */
    CU_ASSERT(gsl_cdf_poisson_P((unsigned)more, mean) > 0.0005);
    CU_ASSERT(gsl_cdf_poisson_Q((unsigned)more - 1, mean) > 0.0005);
    run_end(&early);
    run_end(&before);
    run_end(&flash);
    run_end(&traced);
    run_end(&plain);
}

/* Metering is part of the run's bytes and agrees whatever the threads. */
static void test_threads(void)
{
    struct run one = run_text(base, &(struct run_how){.set = {"duration=90 s"}});
    struct run two = run_text(
        base, &(struct run_how){.set = {"duration=90 s"}, .threads = 2, .parallel_events = 1});
    CU_ASSERT_STRING_EQUAL(one.summary.trace_digest, two.summary.trace_digest);
    run_end(&two);
    run_end(&one);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"utilisation follows the trace", test_follows},
        {"crowds and common random numbers", test_crowd},
        {"threads", test_threads},
    };
    return TEST_MAIN("traced", cases);
}

/* Timing that can be said exactly: links of 10 ms, no CPU cost, no interval between blocks
 * (exact-10ms.yaml; models/README.md 15, commit latency). */
#include "tests/world/run.h"

#define MS INT64_C(1000000)

/* Within an epoch: a block every 20 ms, final 40 ms after its proposal at the leader two rounds on
 * (which makes the certificate) and 50 ms after it at everyone else. */
static void test_exact(void)
{
    struct run r = run_file("exact-10ms.yaml", &(struct run_how){.results = true});
    run_invariants(&r);
    uint64_t blocks = ds_results_size(r.results, "block"),
             per_epoch = r.scenario->protocol.epoch_blocks;
    CU_ASSERT_EQUAL_FATAL(blocks, 240);
    uint64_t *round = run_counts(&r, "/blocks/round", blocks);
    int64_t *proposed = run_times(&r, "/blocks/proposed", blocks);
    int64_t *first = run_times(&r, "/blocks/committed_first", blocks);
    int64_t *median = run_times(&r, "/blocks/committed_median", blocks);
    int64_t *last = run_times(&r, "/blocks/committed_last", blocks);
    uint32_t wrong = 0, pairs = 0;
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t in_epoch = i % per_epoch; /* heights begin at 1 */
        wrong += round[i] != in_epoch + 1;
        if (in_epoch > 0) {
            wrong += proposed[i] - proposed[i - 1] != 20 * MS;
            pairs++;
        }
        wrong += first[i] - proposed[i] != 40 * MS;
        wrong += median[i] - proposed[i] != 50 * MS;
        wrong += last[i] - proposed[i] != 50 * MS;
        if (wrong != 0) {
            fprintf(stderr, "block %llu: round %llu, +%lld, %lld %lld %lld ns\n",
                    (unsigned long long)i + 1, (unsigned long long)round[i],
                    (long long)(i > 0 ? proposed[i] - proposed[i - 1] : 0),
                    (long long)(first[i] - proposed[i]), (long long)(median[i] - proposed[i]),
                    (long long)(last[i] - proposed[i]));
            break;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(pairs, 4 * (per_epoch - 1));
    CU_ASSERT_EQUAL(run_value(&r, "rounds_timed_out"), 0);
    /* One replica of 16 at 40 ms and 15 at 50 ms: no other mean can be.  The run ends at the
     * moment at which the first replica commits the block above the last epoch. */
    double sum_ms = (double)blocks * (15 * 50 + 40) + 40,
           mean = run_value(&r, "finality_latency.mean");
    CU_ASSERT_DOUBLE_EQUAL(mean, sum_ms / ((double)blocks * 16 + 1) / 1000, 2e-9);
    free(round);
    free(proposed);
    free(first);
    free(median);
    free(last);
    run_end(&r);
}

/* The closed form at other delays and intervals: 2 max(I, 2d) + d, and 2d + max(I, 2d) at the
 * leader two rounds on. */
static void test_closed_form(void)
{
    static const struct {
        const char *latency, *interval;
        int64_t d, i;
    } cases[] = {{"network.latency=25 ms", "protocol.block_interval=0 s", 25, 0},
                 {"network.latency=10 ms", "protocol.block_interval=200 ms", 10, 200},
                 {"network.latency=7 ms", "protocol.block_interval=14 ms", 7, 14},
                 {"network.latency=10 ms", "protocol.block_interval=1 s", 10, 1000}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct run r = run_file("exact-10ms.yaml",
                                &(struct run_how){.set = {cases[c].latency, cases[c].interval,
                                                          "duration=2 epochs", "expect=[safety]"},
                                                  .results = true});
        int64_t d = cases[c].d * MS, i = cases[c].i * MS, step = i > 2 * d ? i : 2 * d;
        uint64_t blocks = ds_results_size(r.results, "block"), wrong = 0;
        CU_ASSERT_EQUAL(blocks, 120);
        int64_t *proposed = run_times(&r, "/blocks/proposed", blocks);
        int64_t *first = run_times(&r, "/blocks/committed_first", blocks);
        int64_t *median = run_times(&r, "/blocks/committed_median", blocks);
        int64_t *last = run_times(&r, "/blocks/committed_last", blocks);
        for (uint64_t b = 1; b < blocks; b++) {
            uint64_t in_epoch = b % r.scenario->protocol.epoch_blocks;
            if (in_epoch > 1) /* an epoch's first block need not wait for the interval */
                wrong += proposed[b] - proposed[b - 1] != step;
            if (in_epoch > 0 && in_epoch + 2 < r.scenario->protocol.epoch_blocks) {
                wrong += first[b] - proposed[b] != step + 2 * d;
                wrong += median[b] - proposed[b] != 2 * step + d;
                wrong += last[b] - proposed[b] != 2 * step + d;
            }
        }
        CU_ASSERT_EQUAL(wrong, 0);
        /* Nobody's timer runs out while a leader waits for the interval: a leader's own neither. */
        CU_ASSERT_EQUAL(run_value(&r, "rounds_timed_out"), 0);
        free(proposed);
        free(first);
        free(median);
        free(last);
        run_end(&r);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"exact to the nanosecond", test_exact},
        {"closed form at other delays", test_closed_form},
    };
    return TEST_MAIN("exact timing", cases);
}

/* One binary, one scenario, one seed: one result, for any number of threads; and a difference
 * that is there is seen. */
#include "tests/world/run.h"

static char *file_bytes(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    char *bytes = malloc(64 << 20);
    *size = fread(bytes, 1, 64 << 20, f);
    fclose(f);
    return bytes;
}

/* The last three share every window, however small, so that handlers do run at once. */
static void test_threads(void)
{
    static const uint32_t threads[] = {1, 2, 3, 7, 2, 3, 7}, parallel[] = {0, 0, 0, 0, 1, 1, 2};
    uint64_t shared = 0;
    char digest[33] = "", content[65] = "", *bytes = NULL;
    size_t size = 0;
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        struct run r = run_file("smoke.yaml", &(struct run_how){.threads = threads[i],
                                                                .parallel_events = parallel[i],
                                                                .results = true});
        shared += ds_world_counts(r.world).parallel_windows;
        run_invariants(&r);
        size_t n;
        char *b = file_bytes(r.path, &n);
        if (i == 0) {
            memcpy(digest, r.summary.trace_digest, sizeof digest);
            memcpy(content, r.summary.content_digest, sizeof content);
            bytes = b;
            size = n;
        } else {
            CU_ASSERT_STRING_EQUAL(r.summary.trace_digest, digest);
            CU_ASSERT_STRING_EQUAL(r.summary.content_digest, content);
            CU_ASSERT_EQUAL(n, size);
            CU_ASSERT_TRUE(n == size && memcmp(b, bytes, n) == 0);
            free(b);
        }
        run_end(&r);
    }
    CU_ASSERT(shared > 1000);
    free(bytes);
}

/* Everything that may make a difference makes one: another seed, one value of one parameter, one
 * node more, one nanosecond of a link. */
static void test_differs(void)
{
    static const char *const set[] = {NULL,
                                      "seed=2",
                                      "protocol.theta=0.31",
                                      "nodes.sto.count=25",
                                      "network.host_delay=1000001 ns",
                                      "faults.detour.loss=2 %"};
    char digest[6][33];
    for (size_t i = 0; i < 6; i++) {
        struct run r = run_file("smoke.yaml",
                                &(struct run_how){.set = {set[i]}, .threads = 1 + (uint32_t)i % 2});
        memcpy(digest[i], r.summary.trace_digest, sizeof digest[i]);
        for (size_t j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(digest[i], digest[j]);
        run_end(&r);
    }
}

/* Recording changes nothing: with and without a results file, with the trace, in finer slices. */
static void test_recording(void)
{
    struct run bare = run_file("smoke.yaml", &(struct run_how){.results = false});
    struct run full =
        run_file("smoke.yaml", &(struct run_how){.set = {"record.trace=true"}, .results = true});
    struct run fine =
        run_file("smoke.yaml",
                 &(struct run_how){.set = {"record.slice=500 ms"}, .results = true, .threads = 3});
    CU_ASSERT_STRING_EQUAL(bare.summary.trace_digest, full.summary.trace_digest);
    CU_ASSERT_STRING_EQUAL(bare.summary.trace_digest, fine.summary.trace_digest);
    CU_ASSERT_TRUE(ds_results_size(full.results, "event") > 10000);
    CU_ASSERT_TRUE(ds_results_size(fine.results, "slice") > ds_results_size(full.results, "slice"));
    run_end(&fine);
    run_end(&full);
    run_end(&bare);
}

/* Ended early, a run has done what the whole one did until then. */
static void test_until(void)
{
    struct run whole = run_file("smoke.yaml", &(struct run_how){.results = true});
    struct run part =
        run_file("smoke.yaml", &(struct run_how){.results = true, .until_ns = 40000000000});
    CU_ASSERT_EQUAL(part.summary.end, DS_WORLD_UNTIL);
    uint64_t blocks = ds_results_size(part.results, "block");
    CU_ASSERT_TRUE_FATAL(blocks > 5 && blocks < ds_results_size(whole.results, "block"));
    int64_t *x = run_times(&whole, "/blocks/committed_first", blocks);
    int64_t *y = run_times(&part, "/blocks/committed_first", blocks);
    CU_ASSERT_EQUAL(memcmp(x, y, blocks * sizeof *x), 0);
    free(x);
    free(y);
    run_end(&part);
    run_end(&whole);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"threads", test_threads},
        {"a difference is seen", test_differs},
        {"recording changes nothing", test_recording},
        {"ended early", test_until},
    };
    return TEST_MAIN("determinism", cases);
}

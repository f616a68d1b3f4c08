/* With everything switched on, a run is still a function of scenario and seed alone: for any number
 * of threads, windows shared between them or not, with or without the memo. */
#include "tests/world/everything.h"
#include "tests/world/run.h"

static void test_threads(void)
{
    static const struct run_how how[] = {
        {.threads = 1, .results = true},
        {.threads = 2, .results = true},
        {.threads = 3, .parallel_events = 1, .results = true},
        {.threads = 7, .parallel_events = 1, .results = true},
    };
    char trace[33] = "", content[65] = "";
    uint64_t shared = 0;
    for (size_t i = 0; i < sizeof how / sizeof how[0]; i++) {
        struct run r = run_text(everything, &how[i]);
        run_invariants(&r);
        if (i == 0) {
            memcpy(trace, r.summary.trace_digest, sizeof trace);
            memcpy(content, r.summary.content_digest, sizeof content);
        }
        CU_ASSERT_STRING_EQUAL(r.summary.trace_digest, trace);
        CU_ASSERT_STRING_EQUAL(r.summary.content_digest, content);
        shared += ds_world_counts(r.world).parallel_windows;
        run_end(&r);
    }
    CU_ASSERT(shared > 1000);
}

/* Each part makes a difference, so that the test above is about something. */
static void test_parts(void)
{
    static const char *const set[] = {
        NULL,
        "nodes.sto.load_noise=0",
        "nodes.sto.chunk_time=0.1 ms",
        "nodes.sto.access_delay=none",
        "nodes.sto.customers=1",
        "nodes.sto.rational.revise=0.1",
        "nodes.wash.strategy=washer",
        "faults.grudge.count=1",
        "protocol.budget=10",
    };
    char digest[sizeof set / sizeof set[0]][33];
    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
        struct run r =
            run_text(everything, &(struct run_how){.set = {set[i]}, .until_ns = 30000000000});
        memcpy(digest[i], r.summary.trace_digest, sizeof digest[i]);
        for (size_t j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(digest[i], digest[j]);
        run_end(&r);
    }
}

/* Money is conserved in every final state (run_invariants), and the memo does not show. */
static void test_memo(void)
{
    struct run with = run_text(everything, &(struct run_how){.until_ns = 26000000000});
    struct run without =
        run_text(everything, &(struct run_how){.set = {"memo=off"}, .until_ns = 26000000000});
    run_invariants(&with);
    run_invariants(&without);
    CU_ASSERT_STRING_EQUAL(with.summary.trace_digest, without.summary.trace_digest);
    run_end(&without);
    run_end(&with);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"threads", test_threads},
        {"each part makes a difference", test_parts},
        {"memo", test_memo},
    };
    return TEST_MAIN("everything", cases);
}

/* The kernel against a sorted list and against itself with other numbers of threads. */
#include "tests/support/harness.h"

#include "tests/kernel/model.h"

#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

static void assert_same(const struct model_result *a, const struct model_result *b, bool windows)
{
    CU_ASSERT_EQUAL(a->digest.lane[0], b->digest.lane[0]);
    CU_ASSERT_EQUAL(a->digest.lane[1], b->digest.lane[1]);
    CU_ASSERT_EQUAL(a->counters.events, b->counters.events);
    CU_ASSERT_EQUAL(a->counters.pending, b->counters.pending);
    CU_ASSERT_EQUAL(a->cuts_seen, b->cuts_seen);
    CU_ASSERT_EQUAL(a->barriers_wrong + b->barriers_wrong, 0);
    CU_ASSERT_EQUAL(a->disorder + b->disorder, 0);
    if (windows) {
        CU_ASSERT_EQUAL(a->counters.windows, b->counters.windows);
        CU_ASSERT_EQUAL(a->counters.pending_max, b->counters.pending_max);
    }
}

/* The same result for 1, 2, 3 and 7 threads, whether small windows run on all of them or not. */
static void assert_threads(struct model_options o, bool reference)
{
    static const uint32_t threads[] = {1, 2, 3, 7}, parallel[] = {0, 3};
    o.threads = 1;
    struct model_result one = model_run(&o);
    CU_ASSERT_TRUE(one.counters.events > 0);
    if (reference) {
        struct model_result naive = model_reference(&o);
        assert_same(&one, &naive, false);
    }
    for (size_t t = 1; t < 4; t++)
        for (size_t p = 0; p < 2; p++) {
            o.threads = threads[t];
            o.parallel_count = parallel[p];
            struct model_result many = model_run(&o);
            assert_same(&one, &many, true);
        }
}

static const struct model_options plain = {.nodes = 300,
                                           .messages = 3,
                                           .seed = 1,
                                           .lookahead_ns = 1000000,
                                           .mean_ns = 9000000,
                                           .end_ns = 200000000};

static void test_plain(void)
{
    assert_threads(plain, true);
}

static void test_ties(void)
{
    struct model_options o = plain;
    o.quantum_ns = 500000;
    o.nodes = 40;
    o.messages = 20;
    assert_threads(o, true);
    o.nodes = 1; /* everything at one node */
    o.messages = 300;
    assert_threads(o, true);
}

static void test_skew(void)
{
    struct model_options o = plain;
    o.hot_of_256 = 128;
    o.nodes = 5000;
    o.end_ns = 40000000;
    assert_threads(o, false);
    o.nodes = 500;
    o.quantum_ns = 250000;
    assert_threads(o, true);
}

static void test_burst(void)
{
    struct model_options o = plain;
    o.leaves = 1000000;
    o.nodes = 20000;
    o.messages = 1;
    o.end_ns = 4000000;
    o.hot_of_256 = 128;
    struct model_result first = {0};
    for (o.threads = 1; o.threads <= 3; o.threads++) {
        struct model_result r = model_run(&o);
        if (o.threads == 1)
            first = r;
        CU_ASSERT_TRUE(r.counters.events >= 1000000);
        assert_same(&first, &r, true);
    }
    o.leaves = 5000; /* small enough for the list */
    o.nodes = 100;
    assert_threads(o, true);
}

static void test_small_lookahead(void)
{
    struct model_options o = plain;
    o.lookahead_ns = 10000;
    o.mean_ns = 9990000;
    assert_threads(o, true);
    o.lookahead_ns = 1; /* windows of one nanosecond */
    o.nodes = 30;
    assert_threads(o, true);
}

static void test_soon(void)
{
    struct model_options o = plain;
    o.soon_of_256 = 128;
    assert_threads(o, true);
    o.quantum_ns = 100000; /* timers that tie with messages */
    o.nodes = 20;
    o.messages = 30;
    assert_threads(o, true);
}

static void test_far(void)
{
    struct model_options o = plain;
    o.far_of_256 = 64;
    o.end_ns = 3000000000;
    o.nodes = 100;
    assert_threads(o, true);
    o.lookahead_ns = 1000; /* beyond both rings: 3 * 10^6 windows */
    o.mean_ns = 50000000;
    o.messages = 1;
    o.nodes = 30;
    assert_threads(o, true);
}

static void test_cuts(void)
{
    struct model_options o = plain;
    static const int64_t at[] = {0, 1, 1500000, 1500001, 20000000, 66666666, 90000000, 150000001};
    static const int64_t lookahead[] = {0, 0, 0, 300000, 7000000, 0, 50, 2000000};
    o.cuts = 8;
    memcpy(o.cut_ns, at, sizeof at);
    assert_threads(o, true);
    memcpy(o.cut_lookahead_ns, lookahead, sizeof lookahead);
    o.soon_of_256 = 40;
    o.far_of_256 = 2;
    assert_threads(o, true);
}

static void test_random_schedules(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t r = dc_mix64(seed);
        struct model_options o = {.nodes = 1 + (uint32_t)(r % 400), .seed = seed};
        o.messages = 1 + (uint32_t)(r >> 10 & 3);
        o.lookahead_ns = 1 + (int64_t)((r >> 12 & 0xfff) << (r >> 24 & 7));
        o.mean_ns = 1 + o.lookahead_ns * (int64_t)(r >> 30 & 31) / 2;
        o.quantum_ns = (r >> 35 & 1) ? 1 + o.lookahead_ns / 3 : 0;
        o.hot_of_256 = (r >> 36 & 1) ? 100 : 0;
        o.soon_of_256 = (r >> 37 & 1) ? 60 : 0;
        o.far_of_256 = (r >> 38 & 1) ? 3 : 0;
        o.end_ns = 20 * (o.lookahead_ns + o.mean_ns) + 3;
        o.cuts = 3;
        for (uint32_t c = 0; c < 3; c++) {
            o.cut_ns[c] = o.end_ns * (c + 1) / 5;
            o.cut_lookahead_ns[c] = (r >> (40 + c) & 1) ? 1 + (int64_t)(r >> 45 & 0xffff) : 0;
        }
        o.threads = 1;
        struct model_result naive = model_reference(&o), one = model_run(&o);
        o.threads = 2 + (uint32_t)(seed % 6);
        o.parallel_count = 1 + (uint32_t)(r >> 50 & 63);
        struct model_result many = model_run(&o);
        assert_same(&naive, &one, false);
        assert_same(&one, &many, true);
    }
}

/* Blocks go back to who took them: skewed traffic must not grow memory with the length of a run. */
static void test_memory(void)
{
    struct model_options o = plain;
    o.nodes = 4000;
    o.hot_of_256 = 128;
    o.threads = 3;
    o.parallel_count = 1;
    struct model_result half = model_run(&o);
    o.end_ns *= 3;
    struct model_result whole = model_run(&o);
    CU_ASSERT_TRUE(whole.counters.parallel_windows > 300);
    CU_ASSERT_TRUE(whole.counters.bytes < half.counters.bytes * 3 / 2);
}

/* Few events in many windows: empty ones cost nothing and are not counted. */
static void test_sparse(void)
{
    struct model_options o = {.nodes = 5,
                              .messages = 1,
                              .seed = 3,
                              .lookahead_ns = 1,
                              .mean_ns = 1000000000,
                              .end_ns = 1000000000000};
    o.threads = 1;
    struct model_result r = model_run(&o);
    CU_ASSERT_TRUE(r.counters.events > 3000);
    CU_ASSERT_TRUE(r.counters.windows <= r.counters.events);
}

/* Ways of stopping. */
struct stopper {
    int64_t stop_ns;
    uint32_t events;
};

static void stopper_handle(void *ctx, uint32_t shard, const struct ds_event *e)
{
    ((struct stopper *)ctx)->events++;
}

static int64_t stopper_barrier(void *ctx, int64_t now_ns)
{
    const struct stopper *s = ctx;
    return now_ns < s->stop_ns ? s->stop_ns : now_ns > s->stop_ns ? INT64_MAX : now_ns;
}

static void test_stop(void)
{
    struct stopper s = {.stop_ns = 25};
    struct ds_kernel_config c = {.nodes = 2,
                                 .threads = 1,
                                 .lookahead_ns = 10,
                                 .ctx = &s,
                                 .handle = stopper_handle,
                                 .barrier = stopper_barrier,
                                 .pending_max = 5};
    struct ds_kernel *k = ds_kernel_create(&c, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(k);
    struct ds_event e = {.dst = 1};
    static const int64_t times[] = {0, 9, 24, 25, 40};
    for (int i = 0; i < 5; i++) {
        e.time_ns = times[i];
        e.seq = (uint32_t)i;
        ds_kernel_post(k, 0, &e);
    }
    CU_ASSERT_EQUAL(ds_kernel_run(k, 9), DS_KERNEL_UNTIL); /* exclusive */
    CU_ASSERT_EQUAL(s.events, 1);
    CU_ASSERT_EQUAL(ds_kernel_now(k), 9);
    CU_ASSERT_EQUAL(ds_kernel_run(k, INT64_MAX), DS_KERNEL_STOPPED);
    CU_ASSERT_EQUAL(s.events, 3); /* the cut precedes the event of its time */
    CU_ASSERT_EQUAL(ds_kernel_now(k), 25);
    s.stop_ns = 0;
    CU_ASSERT_EQUAL(ds_kernel_run(k, INT64_MAX), DS_KERNEL_DRAINED);
    CU_ASSERT_EQUAL(s.events, 5);
    for (int i = 0; i < 6; i++) {
        e.time_ns = 1000;
        e.seq++;
        ds_kernel_post(k, 0, &e);
    }
    CU_ASSERT_EQUAL(ds_kernel_counters(k).pending, 6);
    CU_ASSERT_EQUAL(ds_kernel_run(k, INT64_MAX), DS_KERNEL_FULL);
    ds_kernel_destroy(k);
}

static void test_refusals(void)
{
    struct ds_kernel_config c = {
        .nodes = 2, .threads = 1, .lookahead_ns = 10, .handle = stopper_handle};
    struct dc_error error = {0};
    struct ds_kernel_config bad = c;
    bad.threads = 65;
    CU_ASSERT_PTR_NULL(ds_kernel_create(&bad, &error));
    CU_ASSERT_EQUAL(error.status, DC_ERR_USAGE);
    bad = c;
    bad.lookahead_ns = 0;
    CU_ASSERT_PTR_NULL(ds_kernel_create(&bad, NULL));
    bad = c;
    bad.nodes = 0;
    CU_ASSERT_PTR_NULL(ds_kernel_create(&bad, NULL));
    struct ds_kernel *k = NULL;
    for (uint64_t n = 0; k == NULL; n++) {
        CU_ASSERT_TRUE_FATAL(n < 20);
        error = (struct dc_error){0};
        dc_mem_budget(n);
        k = ds_kernel_create(&c, &error);
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT_EQUAL(error.status, k == NULL ? DC_ERR_IO : DC_OK);
    }
    ds_kernel_destroy(k);
}

/* Side work: a handler of a small window hands a sleeping helper a job and waits for it. */
struct side {
    struct ds_kernel *kernel;
    _Atomic uint32_t wanted, done, wrong_thread;
    uint32_t lost;
};

static bool side_idle(void *ctx, uint32_t thread)
{
    struct side *s = ctx;
    uint32_t wanted = atomic_load(&s->wanted);
    if (wanted == 0 || !atomic_compare_exchange_strong(&s->wanted, &wanted, wanted - 1))
        return false;
    if (thread == 0)
        atomic_fetch_add(&s->wrong_thread, 1);
    atomic_fetch_add(&s->done, 1);
    return true;
}

static void side_handle(void *ctx, uint32_t shard, const struct ds_event *e)
{
    struct side *s = ctx;
    uint32_t before = atomic_load(&s->done);
    if (e->seq % 20 == 0)
        usleep(1000); /* time for the helpers to fall asleep */
    atomic_fetch_add(&s->wanted, 1);
    ds_kernel_wake(s->kernel);
    uint64_t looks = 0;
    while (atomic_load(&s->done) == before && looks++ < 100000000)
        sched_yield();
    s->lost += atomic_load(&s->done) == before;
}

static void test_idle(void)
{
    struct side s = {0};
    struct ds_kernel_config c = {.nodes = 100,
                                 .threads = 3,
                                 .lookahead_ns = 10,
                                 .ctx = &s,
                                 .handle = side_handle,
                                 .idle = side_idle};
    s.kernel = ds_kernel_create(&c, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s.kernel);
    for (uint32_t i = 0; i < 300; i++) {
        struct ds_event e = {.time_ns = i * 7, .dst = i % 100, .seq = i};
        ds_kernel_post(s.kernel, 0, &e);
    }
    ds_kernel_run(s.kernel, 10000);
    CU_ASSERT_EQUAL(atomic_load(&s.done), 300);
    CU_ASSERT_EQUAL(s.lost, 0);
    CU_ASSERT_EQUAL(atomic_load(&s.wrong_thread), 0);
    ds_kernel_destroy(s.kernel);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"plain", test_plain},
        {"ties", test_ties},
        {"skewed destinations", test_skew},
        {"a million events in one window", test_burst},
        {"lookahead 0.001 of the mean delay", test_small_lookahead},
        {"short timers inside a window", test_soon},
        {"far future", test_far},
        {"cuts and changes of the lookahead", test_cuts},
        {"random schedules against a sorted list", test_random_schedules},
        {"memory does not grow with the run", test_memory},
        {"sparse", test_sparse},
        {"ways of stopping", test_stop},
        {"bad configurations and no memory", test_refusals},
        {"side work of idle threads", test_idle},
    };
    return TEST_MAIN("kernel", cases);
}

/* One third is the limit (crash-third.yaml: 100 equal validators): progress with 33 crashed,
 * none with 34, progress again after the restart, and never two blocks of one height.  And a
 * partition that leaves no side a quorum (partition.yaml). */
#include "tests/world/run.h"

#define SECOND INT64_C(1000000000)

struct commits { /* of all blocks: when the first replica made them final */
    int64_t *first, *last;
    uint64_t count;
};

static struct commits commits_of(const struct run *r)
{
    struct commits c = {.count = ds_results_size(r->results, "block")};
    c.first = run_times(r, "/blocks/committed_first", c.count);
    c.last = run_times(r, "/blocks/committed_last", c.count);
    return c;
}

static void commits_free(struct commits *c)
{
    free(c->first);
    free(c->last);
}

/* Blocks that became final first within [from, until). */
static uint64_t commits_within(const struct commits *c, int64_t from_ns, int64_t until_ns)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < c->count; i++)
        n += c->first[i] >= from_ns && c->first[i] < until_ns;
    return n;
}

/* 33 down from 20 s, the 34th from 60 s to 90 s, all back at 130 s. */
static void test_third(void)
{
    struct run r =
        run_file("crash-third.yaml",
                 &(struct run_how){.set = {"duration=160 s", "faults.third.at=20 s",
                                           "faults.third.restart=110 s", "faults.straw.at=60 s",
                                           "faults.straw.restart=30 s"},
                                   .results = true});
    run_invariants(&r);
    struct commits c = commits_of(&r);
    CU_ASSERT_TRUE(commits_within(&c, 0, 20 * SECOND) >= 15);
    CU_ASSERT_TRUE(commits_within(&c, 25 * SECOND, 60 * SECOND) >= 3);  /* 33 down */
    CU_ASSERT_EQUAL(commits_within(&c, 61 * SECOND, 90 * SECOND), 0);   /* 34 down */
    CU_ASSERT_TRUE(commits_within(&c, 90 * SECOND, 130 * SECOND) >= 1); /* 33 again */
    CU_ASSERT_TRUE(commits_within(&c, 131 * SECOND, 160 * SECOND) >= 15);
    CU_ASSERT_EQUAL(run_value(&r, "halted"), 0);
    CU_ASSERT_TRUE(run_value(&r, "rounds_timed_out") > 5);
    commits_free(&c);
    run_end(&r);
}

/* For good: 33 are survived, 34 halt the chain, and that is reported. */
static void test_for_good(void)
{
    static const char *const crash[] = {
        "faults=[{id: gone, at: 20 s, kind: crash, nodes: 'val[0..32]', restart: 0 s}]",
        "faults=[{id: gone, at: 20 s, kind: crash, nodes: 'val[0..33]', restart: 0 s}]"};
    for (uint32_t i = 0; i < 2; i++) {
        struct run r =
            run_file("crash-third.yaml",
                     &(struct run_how){.set = {crash[i], "duration=180 s"}, .results = true});
        run_invariants(&r);
        struct commits c = commits_of(&r);
        uint64_t after = commits_within(&c, 21 * SECOND, 180 * SECOND);
        CU_ASSERT_EQUAL(run_value(&r, "halted"), i == 1);
        CU_ASSERT_TRUE(i == 1 ? after == 0 : after >= 10);
        commits_free(&c);
        run_end(&r);
    }
}

/* The crash spread over an epoch's end: some before the committee of the next epoch takes over,
 * some after, so that the hand-over itself happens with up to a third gone. */
static void test_epoch_end(void)
{
    static const char *const blocks = "protocol.epoch_blocks=20";
    struct run calm = run_file(
        "crash-third.yaml",
        &(struct run_how){.set = {blocks, "faults=[]", "duration=2 epochs"}, .results = true});
    int64_t *end = run_times(&calm, "/epochs/time_end", 2);
    int64_t end_ms = end[0] / 1000000;
    free(end);
    run_end(&calm);
    /* before, after (milliseconds from the epoch's end), whether the second crash takes one more */
    static const struct {
        int before_ms, after_ms;
        bool one_more;
    } cases[] = {{2500, 200, false},
                 {2500, 200, true},
                 {700, 700, true},
                 {150, 1500, true},
                 {5000, -900, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char faults[512];
        int64_t first = end_ms - cases[i].before_ms, second = end_ms + cases[i].after_ms,
                back = 60000;
        snprintf(
            faults, sizeof faults,
            "faults=[{id: one, at: %lld ms, kind: crash, nodes: 'val[0..16]', restart: %lld ms},"
            "{id: two, at: %lld ms, kind: crash, nodes: 'val[17..%d]', restart: %lld ms}]",
            (long long)first, (long long)(back - first), (long long)second,
            cases[i].one_more ? 33 : 32, (long long)(back - second));
        struct run r =
            run_file("crash-third.yaml",
                     &(struct run_how){.set = {blocks, faults, "duration=110 s"}, .results = true});
        run_invariants(&r);
        struct commits c = commits_of(&r);
        uint64_t down = commits_within(&c, (second + 1000) * 1000000, back * 1000000);
        uint64_t after = commits_within(&c, back * 1000000, 110 * SECOND);
        CU_ASSERT_TRUE(cases[i].one_more ? down == 0 : down >= 1);
        CU_ASSERT_TRUE(after >= 20);
        if (after < 20 || (down == 0) != cases[i].one_more)
            fprintf(stderr, "case %zu: %llu while down, %llu after\n", i, (unsigned long long)down,
                    (unsigned long long)after);
        CU_ASSERT_EQUAL(run_value(&r, "halted"), 0);
        commits_free(&c);
        run_end(&r);
    }
}

/* A crash loses what is volatile alone: everyone crashes at once, and the chain goes on from what
 * they had written, without a conflict and without a slash. */
static void test_everyone(void)
{
    struct run r = run_file(
        "crash-third.yaml",
        &(struct run_how){.set = {"faults=[{id: all, at: 21500 ms, kind: crash, nodes: validators, "
                                  "restart: 5 s}]",
                                  "duration=60 s"},
                          .results = true});
    run_invariants(&r);
    CU_ASSERT_EQUAL(run_value(&r, "honest_slashed"), 0);
    struct commits c = commits_of(&r);
    CU_ASSERT_EQUAL(commits_within(&c, 22 * SECOND, 26 * SECOND), 0);
    CU_ASSERT_TRUE(commits_within(&c, 27 * SECOND, 60 * SECOND) >= 15);
    commits_free(&c);
    run_end(&r);
}

/* Europe is cut off: neither side has two thirds, so nothing is final until the heal, and then
 * all is well again everywhere. */
static void test_partition(void)
{
    struct run r =
        run_file("partition.yaml", &(struct run_how){.set = {"duration=200 s"}, .results = true});
    run_invariants(&r);
    CU_ASSERT_EQUAL(run_value(&r, "honest_slashed"), 0);
    CU_ASSERT_EQUAL(run_value(&r, "halted"), 0);
    struct commits c = commits_of(&r);
    CU_ASSERT_TRUE(commits_within(&c, 0, 90 * SECOND) >= 60);
    CU_ASSERT_EQUAL(commits_within(&c, 92 * SECOND, 150 * SECOND), 0);
    CU_ASSERT_TRUE(commits_within(&c, 150 * SECOND, 200 * SECOND) >= 25);
    /* Those who were cut off have caught up: the last blocks are final at everyone. */
    int64_t slowest = 0;
    for (uint64_t i = 0; i < c.count; i++)
        if (c.first[i] >= 170 * SECOND && c.first[i] < 190 * SECOND &&
            c.last[i] - c.first[i] > slowest)
            slowest = c.last[i] - c.first[i];
    CU_ASSERT_TRUE(slowest > 0 && slowest < 3 * SECOND);
    commits_free(&c);
    run_end(&r);
}

/* A side that keeps a quorum goes on; the other does not, and follows after the heal. */
static void test_minority(void)
{
    struct run r = run_file(
        "partition.yaml",
        &(struct run_how){.set = {"duration=150 s",
                                  "faults=[{id: cut, at: 40 s, for: 60 s, kind: partition, "
                                  "groups: [['val[0..9]'], [rest]]}]"},
                          .results = true});
    run_invariants(&r);
    struct commits c = commits_of(&r);
    CU_ASSERT_TRUE(commits_within(&c, 45 * SECOND, 100 * SECOND) >= 10);
    uint64_t late = 0;
    for (uint64_t i = 0; i < c.count; i++) /* final at the last only after the heal */
        late += c.first[i] >= 45 * SECOND && c.first[i] < 95 * SECOND && c.last[i] >= 100 * SECOND;
    CU_ASSERT_TRUE(late >= 10);
    commits_free(&c);
    run_end(&r);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"33 of 100, 34, and back", test_third},        {"for good", test_for_good},
        {"over an epoch's end", test_epoch_end},        {"everyone at once", test_everyone},
        {"partition without a quorum", test_partition}, {"partition of a minority", test_minority},
    };
    return TEST_MAIN("a third", cases);
}

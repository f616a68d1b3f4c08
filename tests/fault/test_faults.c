/* Faults in whole runs: each does what it says, when it says, and nothing else. */
#include "tests/world/run.h"

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

/* Sixteen validators on links of exactly 10 ms without CPU cost: a block every 20 ms. */
#define EXACT "exact-10ms.yaml"
#define PLAIN "expect=[safety]"

static uint64_t kind_count(const struct run *r, const char *dataset, const char *kind)
{
    uint64_t rows = ds_results_size(r->results, "message_kind"), count = 0;
    uint64_t *x = run_counts(r, dataset, rows);
    for (uint64_t i = 0; i < rows; i++) {
        const char *name = ds_results_string(r->results, "/traffic/kind", i);
        if (name != NULL && strcmp(name, kind) == 0)
            count += x[i];
    }
    free(x);
    return count;
}

/* --- links ------------------------------------------------------------------------------------ */

/* Latency doubled on every link for half a second: blocks every 40 ms then, every 20 ms before and
 * after. */
static void test_latency(void)
{
    struct run r = run_file(
        EXACT, &(struct run_how){.set = {PLAIN, "duration=2 epochs", "protocol.epoch_blocks=100",
                                         "faults=[{id: far, at: 405 ms, for: 500 ms, kind: link, "
                                         "src: validators, dst: validators, latency_factor: 2}]"},
                                 .results = true});
    run_invariants(&r);
    uint64_t blocks = ds_results_size(r.results, "block"), before = 0, during = 0, after = 0,
             wrong = 0;
    int64_t *proposed = run_times(&r, "/blocks/proposed", blocks);
    for (uint64_t i = 1; i < 95 && i < blocks; i++) {
        int64_t step = proposed[i] - proposed[i - 1];
        if (proposed[i] <= 405 * MS) {
            before++;
            wrong += step != 20 * MS;
        } else if (proposed[i - 1] >= 425 * MS && proposed[i] <= 905 * MS) {
            during++;
            wrong += step != 40 * MS;
        } else if (proposed[i - 1] >= 945 * MS) {
            after++;
            wrong += step != 20 * MS;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(before >= 15 && during >= 10 && after >= 30);
    free(proposed);
    run_end(&r);
}

/* Loss on the links from a few nodes loses their messages and no others'. */
static void test_loss(void)
{
    static const char *const sources[] = {"'val[0..1]'", "'val[0..3]'"};
    uint64_t lost[2];
    for (uint32_t i = 0; i < 2; i++) {
        char fault[256];
        snprintf(fault, sizeof fault,
                 "faults=[{id: bad, at: 0 s, kind: link, src: %s, dst: validators, both: false, "
                 "loss: 40 %%}]",
                 sources[i]);
        struct run r = run_file(EXACT, &(struct run_how){.set = {PLAIN, fault}, .results = true});
        run_invariants(&r);
        lost[i] = kind_count(&r, "/traffic/dropped_loss", "vote") +
                  kind_count(&r, "/traffic/dropped_loss", "proposal");
        CU_ASSERT_TRUE(lost[i] > 20);
        CU_ASSERT_EQUAL(kind_count(&r, "/traffic/dropped_partition", "vote"), 0);
        run_end(&r);
    }
    CU_ASSERT_TRUE(lost[1] > lost[0]);
    struct run r = run_file(EXACT, &(struct run_how){.set = {PLAIN}, .results = true});
    CU_ASSERT_EQUAL(kind_count(&r, "/traffic/dropped_loss", "vote"), 0);
    run_end(&r);
}

/* A partition drops what crosses it, and counts that as such. */
static void test_cut(void)
{
    struct run r = run_file(
        EXACT, &(struct run_how){.set = {PLAIN, "faults=[{id: cut, at: 200 ms, for: 300 ms, kind: "
                                                "partition, groups: [['val[0..2]'], [rest]]}]"},
                                 .results = true});
    run_invariants(&r);
    CU_ASSERT_TRUE(kind_count(&r, "/traffic/dropped_partition", "proposal") > 5);
    CU_ASSERT_EQUAL(kind_count(&r, "/traffic/dropped_loss", "proposal"), 0);
    run_end(&r);
}

/* --- time ------------------------------------------------------------------------------------- */

/* A fault precedes the events of its time: who crashes at the nanosecond at which a proposal
 * arrives does not see it; a nanosecond later it does. */
static void test_precedes(void)
{
    struct run calm = run_file(EXACT, &(struct run_how){.set = {PLAIN}, .results = true});
    int64_t *proposed = run_times(&calm, "/blocks/proposed", 30);
    int64_t arrival = proposed[20] + 10 * MS;
    free(proposed);
    run_end(&calm);
    for (int64_t late = 0; late < 2; late++) {
        char fault[256];
        snprintf(fault, sizeof fault,
                 "faults=[{id: blink, at: %lld ns, kind: crash, nodes: validators, restart: 1 ms}]",
                 (long long)(arrival + late));
        struct run r = run_file(EXACT, &(struct run_how){.set = {PLAIN, fault}, .results = true});
        run_invariants(&r);
        uint64_t dropped = kind_count(&r, "/traffic/dropped_down", "proposal");
        CU_ASSERT_TRUE(late == 0 ? dropped >= 15 : dropped == 0);
        run_end(&r);
    }
}

/* Until a fault begins, the run is the one without it. */
static void test_before(void)
{
    static const char *const none = "faults=[]";
    static const char *const some =
        "faults=[{id: a, at: 30 s, kind: crash, nodes: 2 of val, restart: 4 s},"
        "{id: b, at: 31 s, for: 3 s, kind: partition, groups: [['val[4]'], [rest]]}]";
    char digest[2][2][33];
    for (int64_t late = 0; late < 2; late++)
        for (uint32_t with = 0; with < 2; with++) {
            struct run r =
                run_file("smoke.yaml", &(struct run_how){.set = {with ? some : none},
                                                         .until_ns = (29 + 10 * late) * SECOND});
            memcpy(digest[late][with], r.summary.trace_digest, 33);
            run_end(&r);
        }
    CU_ASSERT_STRING_EQUAL(digest[0][0], digest[0][1]);
    CU_ASSERT_STRING_NOT_EQUAL(digest[1][0], digest[1][1]);
}

/* --- crash ------------------------------------------------------------------------------------ */

#define EV_RESTART_NAME "restart"

static uint64_t event_kind(const char *name)
{
    for (uint64_t i = 0; i < 32 && ds_event_names[i] != NULL; i++)
        if (strcmp(ds_event_names[i], name) == 0)
            return i;
    CU_FAIL_FATAL("no such kind of event");
    return 0;
}

/* Which nodes were restarted, in a run of which the trace was recorded. */
static void restarted(const struct run *r, bool *node, int64_t from_ns, int64_t until_ns)
{
    uint64_t rows = ds_results_size(r->results, "event"), wanted = event_kind(EV_RESTART_NAME);
    uint64_t *n = run_counts(r, "/trace/node", rows), *kind = run_counts(r, "/trace/kind", rows);
    int64_t *time = run_column(r, "/trace/time", rows, 1, DS_I64);
    memset(node, 0, r->scenario->nodes_count * sizeof *node);
    for (uint64_t i = 0; i < rows; i++)
        if (kind[i] == wanted && time[i] >= from_ns && time[i] < until_ns)
            node[n[i]] = true;
    free(n);
    free(kind);
    free(time);
}

/* Faults that draw their targets at random: removing or moving one leaves the other's alone. */
static void test_alone(void)
{
    static const char *const scripts[] = {
        "faults=[{id: one, at: 2 s, kind: crash, nodes: 4 of sto, restart: 1 s},"
        "{id: two, at: 5 s, kind: crash, nodes: 25 % of sto, restart: 1 s}]",
        "faults=[{id: two, at: 5 s, kind: crash, nodes: 25 % of sto, restart: 1 s}]",
        "faults=[{id: two, at: 5 s, kind: crash, nodes: 25 % of sto, restart: 1 s},"
        "{id: three, at: 2 s, kind: crash, nodes: 4 of sto, restart: 1 s}]"};
    bool first[3][64], second[3][64];
    for (uint32_t i = 0; i < 3; i++) {
        struct run r =
            run_file("smoke.yaml", &(struct run_how){.set = {scripts[i], "record.trace=true"},
                                                     .until_ns = 8 * SECOND,
                                                     .results = true});
        CU_ASSERT_TRUE_FATAL(r.scenario->nodes_count <= 64);
        memset(first[i], 0, 64);
        memset(second[i], 0, 64);
        restarted(&r, first[i], 0, 4 * SECOND);
        restarted(&r, second[i], 4 * SECOND, 8 * SECOND);
        run_end(&r);
    }
    uint32_t counts[2] = {0, 0};
    for (uint32_t n = 0; n < 64; n++) {
        counts[0] += first[0][n];
        counts[1] += second[0][n];
    }
    CU_ASSERT_EQUAL(counts[0], 4);
    CU_ASSERT_EQUAL(counts[1], 6); /* a quarter of 24 */
    CU_ASSERT_EQUAL(memcmp(second[0], second[1], 64), 0);
    CU_ASSERT_EQUAL(memcmp(second[0], second[2], 64), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(first[0], first[2], 64), 0); /* another name, another draw */
}

/* A crash loses what is volatile alone: storage nodes that were away catch up and pass every
 * challenge again; while away they answered none. */
static void test_volatile(void)
{
    struct run r = run_text(
        "name: away\n"
        "duration: 10 epochs\n"
        "network: {latency: 20 ms, jitter: none, loss: 0, overlay: {kind: k_regular, degree: 4}}\n"
        "nodes:\n"
        "  - {name: val, role: validator, count: 7, bond: 2000 DSYNC}\n"
        "  - {name: sto, role: service, service: storage, count: 20, bond: 1000 DSYNC}\n"
        "protocol: {epoch_blocks: 20, audit: 1, answer_heights: 4000, abandon_heights: 8000}\n"
        "faults:\n"
        "  - {id: away, at: 45 s, kind: crash, nodes: 'sto[0..9]', restart: 40 s}\n",
        &(struct run_how){.results = true});
    run_invariants(&r);
    uint64_t rows = ds_results_size(r.results, "challenge"), late[2] = {0, 0}, missed[2] = {0, 0};
    uint64_t *node = run_counts(&r, "/challenges/node", rows);
    uint64_t *epoch = run_counts(&r, "/challenges/epoch", rows);
    uint64_t *verdict = run_counts(&r, "/challenges/verdict", rows);
    for (uint64_t i = 0; i < rows; i++) {
        bool was_away = node[i] < 17; /* sto[0] is node 7 */
        late[was_away] += epoch[i] >= 5 && verdict[i] != DS_VERDICT_PASS;
        missed[was_away] += verdict[i] != DS_VERDICT_PASS;
    }
    CU_ASSERT_TRUE(rows >= 150);
    CU_ASSERT_EQUAL(missed[0], 0);
    CU_ASSERT_TRUE(missed[1] > 0);
    CU_ASSERT_EQUAL(late[0] + late[1], 0);
    CU_ASSERT_EQUAL(run_value(&r, "honest_slashed"), 0);
    free(node);
    free(epoch);
    free(verdict);
    run_end(&r);
}

/* --- processors ------------------------------------------------------------------------------- */

static double mean_response(const struct run *r, uint64_t from_node, uint64_t until_node)
{
    uint64_t rows = ds_results_size(r->results, "challenge"), count = 0;
    uint64_t *node = run_counts(r, "/challenges/node", rows);
    double *s = run_column(r, "/challenges/response_time", rows, 1, DS_F64), sum = 0;
    for (uint64_t i = 0; i < rows; i++)
        if (node[i] >= from_node && node[i] < until_node && !isnan(s[i])) {
            sum += s[i];
            count++;
        }
    free(node);
    free(s);
    CU_ASSERT_TRUE(count > 10);
    return sum / (double)count;
}

/* A slow processor answers later, by what the slowness makes of its work; others do not. */
static void test_slow(void)
{
    static const char *const factor[] = {
        "faults=[]",
        "faults=[{id: tired, at: 0 s, kind: slow_cpu, nodes: 'sto[0..9]', factor: 20}]"};
    double slow[2], other[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct run r = run_text(
            "name: slow\n"
            "duration: 5 epochs\n"
            "cpu: {cores: 1}\n"
            "network: {latency: 20 ms, jitter: none, loss: 0, overlay: {kind: k_regular, degree: "
            "4}}\n"
            "nodes:\n"
            "  - {name: val, role: validator, count: 7, bond: 2000 DSYNC}\n"
            "  - {name: sto, role: service, service: storage, count: 20, bond: 1000 DSYNC}\n"
            "protocol: {epoch_blocks: 20, audit: 1, k: 8, k_min: 8, k_max_chance: 0}\n",
            &(struct run_how){.set = {factor[i]}, .results = true});
        run_invariants(&r);
        slow[i] = mean_response(&r, 7, 17);
        other[i] = mean_response(&r, 17, 27);
        run_end(&r);
    }
    /* Reading 8 chunks at 100 us is 0.8 ms; twenty times that is 15.2 ms more. */
    CU_ASSERT_TRUE(slow[1] - slow[0] > 0.013 && slow[1] - slow[0] < 0.040);
    CU_ASSERT_DOUBLE_EQUAL(other[0], other[1], 0.002);
}

/* --- the griefer ------------------------------------------------------------------------------ */

#define GRIEF_VICTIMS 3

/* In every epoch at most three of the nodes that it may touch are late, and nobody else ever is;
 * it stays with those who are asked again, so that some of them fail; it begins and ends in time. */
static void test_grief(void)
{
    struct run r = run_text(
        "name: grudge\n"
        "duration: 14 epochs\n"
        "network: {latency: 20 ms, jitter: none, loss: 0, overlay: {kind: k_regular, degree: 4}}\n"
        "nodes:\n"
        "  - {name: val, role: validator, count: 7, bond: 2000 DSYNC}\n"
        "  - {name: sto, role: service, service: storage, count: 24, bond: 1000 DSYNC}\n"
        "protocol: {epoch_blocks: 20, audit: 1, answer_heights: 4000, abandon_heights: 8000}\n"
        "faults:\n"
        "  - {id: grudge, at: 45 s, for: 160 s, kind: grief, nodes: 'sto[0..11]', count: 3,"
        " latency_add: 4 s}\n",
        &(struct run_how){.results = true});
    run_invariants(&r);
    uint64_t rows = ds_results_size(r.results, "challenge"), failed = 0, hit = 0;
    uint64_t *node = run_counts(&r, "/challenges/node", rows);
    uint64_t *epoch = run_counts(&r, "/challenges/epoch", rows);
    uint64_t *verdict = run_counts(&r, "/challenges/verdict", rows);
    uint64_t *asking = run_counts(&r, "/challenges/asking", rows);
    uint64_t late[16] = {0};
    bool victim[64] = {false};
    for (uint64_t i = 0; i < rows; i++) {
        if (verdict[i] == DS_VERDICT_PASS)
            continue;
        CU_ASSERT_TRUE(node[i] >= 7 && node[i] < 19); /* sto[0] is node 7 */
        CU_ASSERT_TRUE(epoch[i] >= 2 && epoch[i] < 12);
        failed += asking[i] == 2;
        late[(epoch[i] + asking[i] - 1) % 16]++; /* when it was asked */
        hit += !victim[node[i]];
        victim[node[i]] = true;
    }
    for (int e = 0; e < 16; e++)
        CU_ASSERT_TRUE(late[e] <= GRIEF_VICTIMS);
    CU_ASSERT_TRUE(failed >= 5);
    CU_ASSERT_TRUE(hit >= 4);
    CU_ASSERT_EQUAL(run_value(&r, "honest_failed"), (double)failed);
    CU_ASSERT_EQUAL(ds_results_size(r.results, "fault"), 1);
    free(node);
    free(epoch);
    free(verdict);
    free(asking);
    run_end(&r);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"latency of links", test_latency},
        {"loss of links", test_loss},
        {"partition", test_cut},
        {"before the events of its time", test_precedes},
        {"nothing before it begins", test_before},
        {"others stay", test_alone},
        {"volatile alone", test_volatile},
        {"slow processor", test_slow},
        {"griefer", test_grief},
    };
    return TEST_MAIN("faults", cases);
}

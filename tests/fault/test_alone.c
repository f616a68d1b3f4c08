/* A fault's times and targets are its own: removing any one of a script of random faults leaves the
 * rows of all the others in /faults as they were, to the last digit. */
#include "models/base/rng.h"
#include "tests/world/run.h"

#define FAULTS 14
#define LINE 1024

static const char *const alone_world =
    "name: alone\n"
    "duration: 25 s\n"
    "crypto: modelled\n"
    "network: {latency: 40 ms, jitter: none, overlay: {kind: k_regular, degree: 4}}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 9, bond: 'uniform(1000 DSYNC, 4000 DSYNC)'}\n"
    "  - {name: sto, role: service, service: storage, count: 5, bond: 1000 DSYNC}\n"
    "protocol: {epoch_blocks: 12, block_interval: 500 ms, seats: 0, g_min: 1}\n"
    "record: {node_epoch: none, blocks: none, challenges: none}\n";

static const char *const alone_nodes[] = {"nodes: 3 of val",
                                          "nodes: 30 % of all",
                                          "nodes: 25 % of stake of val",
                                          "nodes: 'top 2 by centrality of all'",
                                          "nodes: 2 of sto",
                                          "nodes: '1 of val, 1 of sto'"};

/* Each kind with what it needs beside at, for, every and reselect; %s: its nodes. */
static const struct {
    const char *text;
    bool lasts, again, anew; /* takes for; every; reselect */
} alone_kinds[] = {
    {"kind: crash, %s, restart: 1500 ms", false, true, false},
    {"kind: crash, %s, restart: 900 ms, state: full", false, true, false},
    {"kind: pause, %s", true, true, true},
    {"kind: slow_cpu, %s, factor: 50", true, true, true},
    {"kind: disk, disk: torn_write, %s, restart: 1 s", true, true, true},
    {"kind: disk, disk: stale_snapshot, %s", true, false, false},
    {"kind: clock, %s, rate: 1.1, ahead: 300 ms", true, true, true},
    {"kind: link, src: 2 of all, dst: 40 %% of all, loss: 30 %%, latency: 'exponential(50 ms)'",
     true, true, true},
    {"kind: clog, src: 3 of all", true, true, true},
    {"kind: partition, groups: [[4 of val], [rest]]", true, true, true},
    {"kind: isolate, %s", true, true, true},
    {"kind: ring, %s", true, true, true},
    {"kind: churn, %s, mtbf: 'exponential(6 s)', mttr: 'uniform(0.2 s, 2 s)'", true, false, false},
    {"kind: exit, %s, notice: 4 s", false, false, false},
    {"kind: byzantine, %s, behaviour: delay, delay: 50 ms, budget: 2", true, true, true},
    {"kind: byzantine, %s, behaviour: equivocate", true, true, true},
};
#define KINDS (sizeof alone_kinds / sizeof alone_kinds[0])

static void alone_fault(struct dc_stream *draw, uint32_t i, char *out, size_t size)
{
    size_t k = dc_next_below(draw, KINDS);
    int n = snprintf(out, size, "{id: f%u, at: %llu ms, ", i,
                     (unsigned long long)dc_next_below(draw, 12000));
    n += snprintf(out + n, size - (size_t)n, alone_kinds[k].text,
                  alone_nodes[dc_next_below(draw, sizeof alone_nodes / sizeof alone_nodes[0])]);
    if (alone_kinds[k].lasts)
        n += snprintf(out + n, size - (size_t)n, ", for: %llu ms",
                      (unsigned long long)(500 + dc_next_below(draw, 4000)));
    if (alone_kinds[k].again && dc_next_below(draw, 2) == 0)
        n += snprintf(out + n, size - (size_t)n, ", every: 'exponential(3 s)', times: %llu",
                      (unsigned long long)(2 + dc_next_below(draw, 4)));
    if (alone_kinds[k].anew && dc_next_below(draw, 2) == 0)
        n += snprintf(out + n, size - (size_t)n, ", reselect: 700 ms");
    snprintf(out + n, size - (size_t)n, "}");
}

struct rows {
    char (*line)[LINE];
    uint64_t count;
};

static int rows_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The rows of all faults but `without`, as text, sorted. */
static struct rows rows_of(char fault[FAULTS][512], uint32_t seed, uint32_t without)
{
    char faults[FAULTS * 512] = "faults=[", number[32];
    for (uint32_t i = 0, n = 0; i < FAULTS; i++)
        if (i != without)
            snprintf(faults + strlen(faults), sizeof faults - strlen(faults), "%s%s",
                     n++ > 0 ? ", " : "", fault[i]);
    snprintf(faults + strlen(faults), sizeof faults - strlen(faults), "]");
    snprintf(number, sizeof number, "seed=%u", seed);
    struct run r =
        run_text(alone_world, &(struct run_how){.set = {faults, number}, .results = true});
    struct rows rows = {.count = ds_results_size(r.results, "fault")};
    rows.line = calloc(rows.count + 1, sizeof *rows.line);
    double *time = run_column(&r, "/faults/time", rows.count, 1, DS_F64);
    double *end = run_column(&r, "/faults/end", rows.count, 1, DS_F64);
    uint64_t *occurrence = run_counts(&r, "/faults/occurrence", rows.count);
    uint64_t *targets = run_counts(&r, "/faults/targets", rows.count);
    for (uint64_t i = 0; i < rows.count; i++)
        snprintf(rows.line[i], LINE, "%s %llu %.9f %.9f %llu %s",
                 ds_results_string(r.results, "/faults/id", i), (unsigned long long)occurrence[i],
                 time[i], end[i], (unsigned long long)targets[i],
                 ds_results_string(r.results, "/faults/nodes", i));
    qsort(rows.line, rows.count, sizeof *rows.line, rows_compare);
    free(time);
    free(end);
    free(occurrence);
    free(targets);
    run_end(&r);
    return rows;
}

static void alone_compare(const struct rows *all, const struct rows *some, uint32_t without)
{
    char name[16];
    snprintf(name, sizeof name, "f%u ", without);
    uint64_t k = 0, wrong = 0;
    for (uint64_t i = 0; i < all->count; i++) {
        if (strncmp(all->line[i], name, strlen(name)) == 0)
            continue;
        bool same = k < some->count && strcmp(all->line[i], some->line[k]) == 0;
        if (!same && wrong++ == 0)
            fprintf(stderr, "without f%u: `%s` became `%s`\n", without, all->line[i],
                    k < some->count ? some->line[k] : "nothing");
        k++;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(k, some->count);
}

static void test_alone(void)
{
    uint64_t rows = 0;
    for (uint32_t seed = 1; seed <= 4; seed++) {
        char fault[FAULTS][512];
        struct dc_stream draw = dc_stream(seed, 0, dc_name("alone"));
        for (uint32_t i = 0; i < FAULTS; i++)
            alone_fault(&draw, i, fault[i], sizeof fault[i]);
        struct rows all = rows_of(fault, seed, FAULTS);
        rows += all.count;
        for (uint32_t i = 0; i < FAULTS; i++) {
            struct rows some = rows_of(fault, seed, i);
            CU_ASSERT(some.count <= all.count);
            alone_compare(&all, &some, i);
            free(some.line);
        }
        free(all.line);
    }
    CU_ASSERT(rows > 200);
}

int main(void)
{
    static const struct test_case cases[] = {{"removing one of fourteen", test_alone}};
    return TEST_MAIN("faults alone", cases);
}

/* What faults of nodes, disks, clocks and people do, seen by a watcher: to the nanosecond where
 * that is defined.  Links take 40 ms and work costs nothing, so that every time follows by hand. */
#include "models/base/mem.h"
#include "sim/world/inside.h"
#include "tests/world/run.h"

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

static const char *const plain =
    "name: nodes\n"
    "duration: 20 s\n"
    "crypto: modelled\n"
    "cpu: none\n"
    "network: {latency: 40 ms, jitter: none, overlay: {kind: k_regular, degree: 4}}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 10, bond: 2000 DSYNC}\n"
    "  - {name: sto, role: service, service: storage, count: 4, bond: 1000 DSYNC}\n"
    "protocol: {epoch_blocks: 12, block_interval: 500 ms, seats: 0, g_min: 1,\n"
    "  dissemination: direct}\n"
    "record: {node_epoch: none, blocks: none, challenges: none}\n";

/* --- a run under a watcher -------------------------------------------------------------------- */

struct seen {
    struct ds_watched *event;
    size_t count, max;
    struct ds_scenario scenario;
    struct ds_world *world;
    struct ds_summary summary;
};

static void seen_add(void *ctx, const struct ds_watched *event)
{
    struct seen *s = ctx;
    if (s->count == s->max) {
        s->max = s->max == 0 ? 4096 : 2 * s->max;
        s->event = realloc(s->event, s->max * sizeof *s->event);
    }
    s->event[s->count] = *event;
    if (event->kind == DS_WATCH_COMMIT)
        s->event[s->count].a = event->block->header.height;
    s->count++;
}

static struct seen *seen_run(const char *faults, const char *more)
{
    struct seen *s = calloc(1, sizeof *s);
    struct ds_diagnostics d = {0};
    struct dc_error error = {0};
    struct ds_source source = {.name = "test.yaml", .text = plain, .size = strlen(plain)};
    const char *const set[] = {faults, more};
    enum dc_status status =
        ds_scenario_load_text(&source, set, more != NULL ? 2 : 1, &s->scenario, &d);
    struct dc_text said = {0};
    ds_diagnostics_print(&d, &said);
    if (status != DC_OK)
        fprintf(stderr, "%s\n", said.data);
    dc_text_free(&said);
    ds_diagnostics_free(&d);
    CU_ASSERT_EQUAL_FATAL(status, DC_OK);
    struct ds_watch watch = {.watched = seen_add, .ctx = s};
    struct ds_world_options options = {.threads = 1, .watch = &watch};
    status = ds_world_create(&s->scenario, &options, &s->world, &error);
    if (status == DC_OK)
        status = ds_world_run(s->world, &error);
    if (status == DC_OK)
        status = ds_world_finish(s->world, &s->summary, &error);
    if (status != DC_OK)
        fprintf(stderr, "%s\n", error.text);
    CU_ASSERT_EQUAL_FATAL(status, DC_OK);
    if (s->summary.violation != NULL)
        fprintf(stderr, "%s\n", s->summary.violation);
    CU_ASSERT(s->summary.invariants_held);
    return s;
}

static void seen_end(struct seen *s)
{
    ds_world_destroy(s->world);
    ds_scenario_free(&s->scenario);
    free(s->event);
    free(s);
}

static bool seen_left(const struct ds_watched *e)
{
    return e->kind == DS_WATCH_SENT || e->kind == DS_WATCH_LOST;
}

/* Messages that left a node, or events of another kind there, in [from, until). */
static uint64_t seen_count(const struct seen *s, enum ds_watch_kind kind, uint32_t node,
                           int64_t from_ns, int64_t until_ns)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct ds_watched *e = &s->event[i];
        bool is = kind == DS_WATCH_SENT ? seen_left(e) : e->kind == kind;
        n += is && e->node == node && e->time_ns >= from_ns && e->time_ns < until_ns;
    }
    return n;
}

/* When a node does something of a kind for the first time from a time on; -1: never. */
static int64_t seen_first(const struct seen *s, enum ds_watch_kind kind, uint32_t node,
                          int64_t from_ns)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct ds_watched *e = &s->event[i];
        bool is = kind == DS_WATCH_SENT ? seen_left(e) : e->kind == kind;
        if (is && e->node == node && e->time_ns >= from_ns)
            return e->time_ns;
    }
    return -1;
}

/* --- down and paused -------------------------------------------------------------------------- */

/* Who is paused does nothing; then it handles everything that came, at once and in order, and
 * nothing is lost. */
static void test_pause(void)
{
    struct seen *s =
        seen_run("faults=[{id: p, kind: pause, at: 5 s, for: 1700 ms, nodes: 'val[3]'}]", NULL);
    CU_ASSERT(seen_count(s, DS_WATCH_COMMIT, 3, 0, 5 * SECOND) > 5);
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_SENT, 3, 5 * SECOND, 6700 * MS), 0);
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_COMMIT, 3, 5 * SECOND, 6700 * MS), 0);
    CU_ASSERT(seen_count(s, DS_WATCH_RECEIVED, 3, 5 * SECOND, 6700 * MS) > 3);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_COMMIT, 3, 5 * SECOND), 6700 * MS);
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_RESTART, 3, 0, INT64_MAX), 0);
    uint64_t asked = 0;
    for (size_t i = 0; i < s->count; i++)
        asked += seen_left(&s->event[i]) && s->event[i].node == 3 && s->event[i].size > 0 &&
                 s->event[i].event == DC_MSG_BLOCK_REQUEST;
    CU_ASSERT_EQUAL(asked, 0); /* it missed nothing */
    seen_end(s);
}

/* A suspended machine keeps its memory and its timers; what was sent to it is lost.  A crashed one
 * starts again. */
static void test_full(void)
{
    static const char *const state[] = {"full", "durable", "none"};
    for (int i = 0; i < 3; i++) {
        char faults[256];
        snprintf(faults, sizeof faults,
                 "faults=[{id: cut, kind: isolate, at: 2 s, nodes: 'val[3]'},"
                 "{id: c, kind: crash, at: 5 s, restart: 7 s, nodes: 'val[3]', state: %s}]",
                 state[i]);
        struct seen *s = seen_run(faults, NULL);
        CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_SENT, 3, 5 * SECOND, 12 * SECOND), 0);
        CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_RESTART, 3, 0, INT64_MAX), i > 0);
        CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_RESTART, 3, 0), i > 0 ? 12 * SECOND : -1);
        if (i == 0) /* its round was over while it slept */
            CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_SENT, 3, 5 * SECOND), 12 * SECOND);
        CU_ASSERT_EQUAL(world_excused(s->world, 3), i == 2);
        CU_ASSERT_EQUAL(s->world->node[3]->chain->final->header.height == 0, i == 2);
        seen_end(s);
    }
}

/* Reasons add up: a node is back when the last one is gone, once, with the least that any left. */
static void test_reasons(void)
{
    struct seen *s = seen_run("faults=[{id: a, kind: crash, at: 5 s, restart: 4 s, nodes: val},"
                              "{id: b, kind: crash, at: 7 s, restart: 5 s, nodes: 'val[3..9]',"
                              "  state: full},"
                              "{id: c, kind: pause, at: 6 s, for: 8 s, nodes: 'val[4]'},"
                              "{id: d, kind: crash, at: 8 s, restart: 500 ms, nodes: 'val[5]'}]",
                              NULL);
    for (uint32_t n = 0; n < 10; n++) {
        int64_t back = n < 3 ? 9 * SECOND : 12 * SECOND;
        CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_RESTART, n, 0, INT64_MAX), 1);
        CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_RESTART, n, 0), back);
        CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_SENT, n, 5 * SECOND), n == 4 ? 14 * SECOND : back);
        CU_ASSERT(!world_excused(s->world, n));
    }
    CU_ASSERT(seen_count(s, DS_WATCH_COMMIT, 4, 14 * SECOND, INT64_MAX) > 5);
    seen_end(s);
}

/* A restart that waits because the machine is paused outlasts its being suspended meanwhile. */
static void test_waiting_restart(void)
{
    struct seen *s = seen_run("faults=[{id: p, kind: pause, at: 5 s, for: 7 s, nodes: 'val[3]'},"
                              "{id: a, kind: crash, at: 6 s, restart: 1 s, nodes: 'val[3..4]'},"
                              "{id: b, kind: crash, at: 8 s, restart: 1 s, nodes: 'val[3]',"
                              "  state: full},"
                              "{id: c, kind: crash, at: 7 s, restart: 2 s, nodes: 'val[4]',"
                              "  state: full}]",
                              NULL);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_SENT, 3, 5 * SECOND), 12 * SECOND);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_SENT, 4, 6 * SECOND), 9 * SECOND);
    for (uint32_t n = 3; n < 5; n++)
        CU_ASSERT(seen_count(s, DS_WATCH_COMMIT, n, 12 * SECOND, INT64_MAX) > 5);
    seen_end(s);
}

/* --- disks ------------------------------------------------------------------------------------ */

static void test_disk(void)
{
    struct seen *s = seen_run(
        "faults=[{id: torn, kind: disk, disk: torn_write, at: 5 s, restart: 3 s, nodes: 'val[1]'},"
        "{id: full, kind: disk, disk: full, at: 5 s, for: 4 s, nodes: 'val[2]'},"
        "{id: lost, kind: disk, disk: lost_fsync, at: 5 s, for: 9 s, nodes: 'val[3]'},"
        "{id: crash, kind: crash, at: 9 s, restart: 1 s, nodes: 'val[3], val[5]'},"
        "{id: stale, kind: disk, disk: stale_snapshot, at: 5 s, for: 6 s, nodes: 'val[4]'}]",
        NULL);
    /* The first write after 5 s kills it, and nothing of that step leaves. */
    int64_t back = seen_first(s, DS_WATCH_RESTART, 1, 0), died = back - 3 * SECOND;
    CU_ASSERT(died >= 5 * SECOND && died < 7 * SECOND);
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_SENT, 1, died, back), 0);
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_RESTART, 1, 0, INT64_MAX), 1);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_RESTART, 2, 0), 9 * SECOND);
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_SENT, 2, 7 * SECOND, 9 * SECOND), 0);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_RESTART, 3, 0), 10 * SECOND);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_RESTART, 4, 0), 11 * SECOND);
    static const bool excused[10] = {[3] = true, [4] = true};
    for (uint32_t n = 0; n < 10; n++)
        CU_ASSERT_EQUAL(world_excused(s->world, n), excused[n]);
    /* Who was rolled back makes the heights final again that it had; a plain crash does not. */
    uint64_t again[6] = {0}, highest[6] = {0};
    for (size_t i = 0; i < s->count; i++)
        if (s->event[i].kind == DS_WATCH_COMMIT && s->event[i].node < 6) {
            uint64_t h = s->event[i].a;
            again[s->event[i].node] += h <= highest[s->event[i].node];
            highest[s->event[i].node] =
                h > highest[s->event[i].node] ? h : highest[s->event[i].node];
        }
    CU_ASSERT(again[3] > 0 && again[4] > 0);
    CU_ASSERT(again[0] == 0 && again[1] == 0 && again[2] == 0 && again[5] == 0);
    seen_end(s);
}

/* --- clocks ----------------------------------------------------------------------------------- */

/* Virtual time at which a monotonic clock that runs at rate num / den in [from, until) shows m. */
static int64_t clock_shows(int64_t m, int64_t from, int64_t until, int64_t num, int64_t den)
{
    int64_t then = from + (until - from) * num / den;
    if (m <= from)
        return m;
    return m <= then && num > 0 ? from + ((m - from) * den + num - 1) / num : until + (m - then);
}

/* An isolated validator does nothing but what its timers tell it: with a clock at another rate it
 * does the same at the moments at which that clock shows the same. */
static void test_clock(void)
{
    static const struct {
        const char *rate;
        int64_t num, den;
    } rates[] = {{"0.5", 1, 2}, {"2", 2, 1}, {"0", 0, 1}, {"1.25", 5, 4}};
    static const char *const cut = "{id: cut, kind: isolate, at: 2 s, nodes: 'val[3]'}";
    char faults[256];
    snprintf(faults, sizeof faults, "faults=[%s]", cut);
    struct seen *calm = seen_run(faults, "duration=40 s");
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
        snprintf(faults, sizeof faults,
                 "faults=[%s, {id: k, kind: clock, at: 5 s, for: 6 s, nodes: 'val[3]', rate: %s}]",
                 cut, rates[r].rate);
        struct seen *s = seen_run(faults, "duration=40 s");
        uint64_t found = 0, wrong = 0;
        for (size_t i = 0, k = 0; i < calm->count; i++) {
            const struct ds_watched *e = &calm->event[i];
            int64_t at =
                clock_shows(e->time_ns, 5 * SECOND, 11 * SECOND, rates[r].num, rates[r].den);
            if (!seen_left(e) || e->node != 3 || e->time_ns < 3 * SECOND || at >= 39 * SECOND)
                continue;
            while (k < s->count && (!seen_left(&s->event[k]) || s->event[k].node != 3 ||
                                    s->event[k].time_ns < 3 * SECOND))
                k++;
            wrong += k >= s->count || llabs(s->event[k].time_ns - at) > 1;
            found += e->time_ns > 5 * SECOND;
            k++;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT(found > 20);
        seen_end(s);
    }
    seen_end(calm);
}

/* --- people ----------------------------------------------------------------------------------- */

static void test_people(void)
{
    struct seen *s = seen_run("faults=[{id: j, kind: join, at: 6 s, nodes: 'val[1], sto[2]'},"
                              "{id: x, kind: exit, at: 8 s, notice: 5 s, nodes: 'val[9]'}]",
                              NULL);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_SENT, 0, 0) >= 0, true);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_SENT, 1, 0) >= 6 * SECOND, true);
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_START, 1, 2, INT64_MAX), 1);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_START, 1, 2), 6 * SECOND);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_START, 12, 2), 6 * SECOND);
    CU_ASSERT(seen_count(s, DS_WATCH_COMMIT, 1, 6 * SECOND, INT64_MAX) > 10);
    CU_ASSERT(seen_count(s, DS_WATCH_SENT, 9, 8 * SECOND, 13 * SECOND) > 0);
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_SENT, 9, 13 * SECOND, INT64_MAX), 0);
    const struct dc_state *state = s->world->node[0]->chain->final->state;
    CU_ASSERT_EQUAL(dc_state_account(state, 9)->bond, 0);
    CU_ASSERT(dc_state_account(state, 9)->unbonding[0].amount > 0);
    CU_ASSERT(dc_state_account(state, 8)->bond > 0);
    CU_ASSERT(!world_excused(s->world, 9));
    seen_end(s);
}

/* Every fault ends for the quorum, the others are stopped, nothing begins afterwards. */
static void test_heal(void)
{
    struct seen *s =
        seen_run("faults=[{id: a, kind: crash, at: 3 s, nodes: 'val[0]'},"
                 "{id: b, kind: pause, at: 3 s, for: 900 s, nodes: 'val[1]'},"
                 "{id: c, kind: isolate, at: 4 s, nodes: 'val[2..5]', every: 2 s},"
                 "{id: d, kind: byzantine, at: 3 s, nodes: 'val[6]', behaviour: withhold_votes},"
                 "{id: e, kind: disk, disk: torn_write, at: 3 s, nodes: 'val[7]'},"
                 "{id: f, kind: join, at: 19 s, nodes: 'sto[0]'},"
                 "{id: g, kind: crash, at: 15 s, nodes: all}]",
                 "heal={at: 10 s, quorum: 'val, sto[0..1]', within: 10 s}");
    const bool *quorum = world_quorum(s->world);
    for (uint32_t n = 0; n < 14; n++) {
        CU_ASSERT_EQUAL(quorum[n], n != 6 && n < 12);
        CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_SENT, n, 15 * SECOND, INT64_MAX) > 0, quorum[n]);
    }
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_RESTART, 0, 0), 10 * SECOND);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_RESTART, 7, 0), 10 * SECOND);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_START, 10, 2), 10 * SECOND);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_SENT, 1, 3 * SECOND), 10 * SECOND);
    CU_ASSERT(seen_count(s, DS_WATCH_COMMIT, 2, 12 * SECOND, INT64_MAX) > 5);
    seen_end(s);
}

/* Adaptive corruption: leaders are corrupted until the budget is spent, and stay corrupted. */
static void test_budget(void)
{
    struct seen *s =
        seen_run("faults=[{id: a, kind: byzantine, at: 3 s, nodes: leaders, reselect: 500 ms,"
                 " behaviour: replay, budget: 3}]",
                 NULL);
    uint32_t corrupted = 0;
    for (uint32_t n = 0; n < 14; n++)
        corrupted += world_excused(s->world, n);
    CU_ASSERT_EQUAL(corrupted, 3);
    seen_end(s);
}

/* In a ring of ten each hears the three on either side, and nobody else. */
static void test_ring(void)
{
    struct seen *s = seen_run("faults=[{id: r, kind: ring, at: 2 s, nodes: validators},"
                              "{id: m, kind: link, at: 2 s, messages: [vote], loss: 1}]",
                              NULL);
    bool hears[10][14] = {{false}};
    for (size_t i = 0; i < s->count; i++) {
        const struct ds_watched *e = &s->event[i];
        if (e->kind == DS_WATCH_RECEIVED && e->time_ns > 3 * SECOND && e->node < 10)
            hears[e->node][e->peer] = true;
    }
    for (uint32_t a = 0; a < 10; a++)
        for (uint32_t b = 0; b < 10; b++) {
            uint32_t apart = a < b ? b - a : a - b;
            apart = apart > 5 ? 10 - apart : apart;
            CU_ASSERT_EQUAL(hears[a][b], a != b && apart <= 3);
        }
    seen_end(s);
}

/* Outages of a trace, by name and by number. */
static void test_trace(void)
{
    struct ds_input input = {.path = "away.csv",
                             .data = "node,down_s,up_s\nval[2],3,5\n12,4,6.5\nval[2],4,7\n",
                             .size = 46};
    input.size = strlen(input.data);
    struct ds_scenario scenario;
    struct ds_diagnostics d = {0};
    struct dc_error error = {0};
    struct ds_source source = {.name = "test.yaml",
                               .text = plain,
                               .size = strlen(plain),
                               .inputs = &input,
                               .inputs_count = 1};
    const char *const set[] = {"faults=[{id: c, kind: churn, nodes: val, trace: away.csv}]"};
    CU_ASSERT_EQUAL_FATAL(ds_scenario_load_text(&source, set, 1, &scenario, &d), DC_OK);
    struct seen *s = calloc(1, sizeof *s);
    struct ds_watch watch = {.watched = seen_add, .ctx = s};
    struct ds_world_options options = {.threads = 1, .watch = &watch};
    CU_ASSERT_EQUAL_FATAL(ds_world_create(&scenario, &options, &s->world, &error), DC_OK);
    CU_ASSERT_EQUAL(ds_world_run(s->world, &error), DC_OK);
    /* 12 of the ten chosen ones is the third again, for whom the rows overlap: 3 s to 7 s. */
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_SENT, 2, 3 * SECOND, 7 * SECOND), 0);
    CU_ASSERT_EQUAL(seen_first(s, DS_WATCH_RESTART, 2, 0), 7 * SECOND);
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_RESTART, 2, 0, INT64_MAX), 1);
    CU_ASSERT_EQUAL(seen_count(s, DS_WATCH_RESTART, 3, 0, INT64_MAX), 0);
    ds_world_destroy(s->world);
    free(s->event);
    free(s);
    ds_scenario_free(&scenario);
    ds_diagnostics_free(&d);

    input.data = "node,down_s,up_s\nval[10],3,5\nvol[1],3,5\n";
    input.size = strlen(input.data);
    CU_ASSERT_EQUAL(ds_scenario_load_text(&source, set, 1, &scenario, &d), DC_ERR_USAGE);
    CU_ASSERT_EQUAL(d.count, 2);
    CU_ASSERT(d.items[0].place.line == 2 && d.items[1].place.line == 3);
    ds_scenario_free(&scenario);
    ds_diagnostics_free(&d);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"pause", test_pause},
        {"crash with each state", test_full},
        {"reasons", test_reasons},
        {"a restart that waits", test_waiting_restart},
        {"disks", test_disk},
        {"clocks", test_clock},
        {"exit and join", test_people},
        {"heal", test_heal},
        {"adaptive corruption", test_budget},
        {"ring", test_ring},
        {"trace of outages", test_trace},
    };
    return TEST_MAIN("faults of nodes", cases);
}

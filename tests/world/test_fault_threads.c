/* With every kind of fault in force, most of them at once, a run is still a function of scenario
 * and seed alone; and it lives through them: a fault whose target is down, gone, paused or
 * corrupted already does what is left to do. */
#include "tests/world/run.h"

static const char *const crowded =
    "name: crowded\n"
    "duration: 45 s\n"
    "crypto: modelled\n"
    "network: {latency: 30 ms, jitter: lognormal(0.2), bandwidth: 50 Mbit,\n"
    "  overlay: {kind: k_regular, degree: 8}}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 30, bond: 2000 DSYNC}\n"
    "  - {name: sto, role: service, service: storage, count: 40, bond: 1000 DSYNC}\n"
    "  - {name: cli, role: client, count: 6, demand: {arrivals: poisson(1 /s)}}\n"
    "protocol: {epoch_blocks: 10, block_interval: 400 ms, seats: 0, g_min: 1, audit: 0.3,\n"
    "  answer_heights: 24, abandon_heights: 120}\n"
    "faults:\n"
    "  - {id: crash, kind: crash, at: 3 s, nodes: '2 of val, 4 of sto', restart: 2 s,\n"
    "     every: 'exponential(4 s)', reselect: 1 s}\n"
    "  - {id: sleep, kind: crash, at: 4 s, nodes: '1 of val, 4 of sto', restart: 3 s, state: "
    "full,\n"
    "     every: 6 s}\n"
    "  - {id: amnesia, kind: crash, at: 20 s, nodes: 'val[13], sto[7]', restart: 1 s,\n"
    "     state: none}\n"
    "  - {id: pause, kind: pause, at: 3 s, for: 1 s, nodes: 10 % of all, every: 4 s,\n"
    "     reselect: 500 ms}\n"
    "  - {id: slow, kind: slow_cpu, at: 2 s, for: 20 s, nodes: 30 % of all, factor: 30}\n"
    "  - {id: slower, kind: slow_cpu, at: 5 s, for: 4 s, nodes: 30 % of all, factor: 10}\n"
    "  - {id: fsync, kind: disk, disk: lost_fsync, at: 2 s, for: 30 s, nodes: '1 of val, 9 of "
    "sto'}\n"
    "  - {id: torn, kind: disk, disk: torn_write, at: 6 s, nodes: '1 of val, 5 of sto',\n"
    "     restart: 700 ms, every: 9 s}\n"
    "  - {id: stale, kind: disk, disk: stale_snapshot, at: 5 s, for: 9 s, nodes: 4 of sto}\n"
    "  - {id: full, kind: disk, disk: full, at: 9 s, for: 3 s, nodes: '1 of val, 4 of sto'}\n"
    "  - {id: drift, kind: clock, at: 2 s, for: 20 s, nodes: 3 of val, rate: 1.01}\n"
    "  - {id: freeze, kind: clock, at: 8 s, for: 1 s, nodes: 3 of val, rate: 0, every: 7 s}\n"
    "  - {id: step, kind: clock, at: 9 s, for: 5 s, nodes: 2 of val, ahead: 400 ms}\n"
    "  - {id: bad, kind: link, at: 2 s, src: 20 % of all, loss: 2 %, burst_loss: 50 %,\n"
    "     duplicate: 5 %, reorder: 5 %, corrupt: 5 %, replay: 2 %, latency: 'exponential(20 ms)'}\n"
    "  - {id: clog, kind: clog, at: 4 s, for: 1 s, src: 5 of all, messages: [vote, announce, "
    "pull],\n"
    "     every: 5 s}\n"
    "  - {id: cut, kind: partition, at: 6 s, for: 1 s, groups: [[5 of val], [9 of sto], [rest]],\n"
    "     every: 8 s}\n"
    "  - {id: alone, kind: isolate, at: 7 s, for: 2 s, nodes: leaders, reselect: 300 ms}\n"
    "  - {id: oneway, kind: one_way, at: 8 s, for: 3 s, src: 4 of all, dst: 4 of all}\n"
    "  - {id: bridge, kind: bridge, at: 12 s, for: 1 s, nodes: 'val[3]',\n"
    "     groups: [['val[0..6]'], [rest]]}\n"
    "  - {id: ring, kind: ring, at: 14 s, for: 2 s, nodes: all}\n"
    "  - {id: eclipse, kind: eclipse, at: 16 s, for: 3 s, nodes: 3 of sto, attackers: 2 of val}\n"
    "  - {id: slowly, kind: asynchrony, at: 18 s, for: 2 s, latency: 'exponential(0.3 s)'}\n"
    "  - {id: churn, kind: churn, nodes: sto, mtbf: 'exponential(20 s)', mttr: 'exponential(2 "
    "s)'}\n"
    "  - {id: exit, kind: exit, at: 10 s, notice: 5 s, nodes: '1 of val, 3 of sto'}\n"
    "  - {id: join, kind: join, at: 5 s, nodes: '1 of val, 5 of sto'}\n"
    "  - {id: two, kind: byzantine, at: 3 s, for: 20 s, nodes: 'val[1]', behaviour: twins}\n"
    "  - {id: both, kind: byzantine, at: 4 s, for: 9 s, nodes: 'val[1..2]', behaviour: collude}\n"
    "  - {id: late, kind: byzantine, at: 5 s, for: 9 s, nodes: coming leaders, behaviour: delay,\n"
    "     delay: 100 ms, reselect: 1 s, budget: 2}\n"
    "  - {id: grief, kind: grief, at: 5 s, for: 20 s, nodes: sto, count: 2, latency_add: 2 s}\n"
    "heal: {at: 28 s, within: 15 s}\n";

static void test_threads(void)
{
    static const struct run_how how[] = {
        {.threads = 1, .results = true},
        {.threads = 3, .parallel_events = 1, .results = true},
        {.threads = 2, .results = true},
    };
    char trace[33] = "", content[65] = "";
    uint64_t shared = 0;
    for (size_t i = 0; i < sizeof how / sizeof how[0]; i++) {
        struct run r = run_text(crowded, &how[i]);
        run_invariants(&r);
        CU_ASSERT(run_value(&r, "blocks_final") > 25);
        if (i == 0) {
            memcpy(trace, r.summary.trace_digest, sizeof trace);
            memcpy(content, r.summary.content_digest, sizeof content);
        }
        CU_ASSERT_STRING_EQUAL(r.summary.trace_digest, trace);
        CU_ASSERT_STRING_EQUAL(r.summary.content_digest, content);
        shared += ds_world_counts(r.world).parallel_windows;
        CU_ASSERT(ds_results_size(r.results, "fault") > 100);
        run_end(&r);
    }
    CU_ASSERT(shared > 100);
}

int main(void)
{
    static const struct test_case cases[] = {{"any number of threads", test_threads}};
    return TEST_MAIN("all faults at once", cases);
}

/* Every kind of fault does something that a number of the summary shows: each row runs a small
 * world with and without the fault, and the number must have moved in the stated direction.
 *
 * What is exact about a fault (when, to whom, how much) is tested beside its kind in tests/fault;
 * this table is that none of them is without effect, and that none breaks the chain: no validator
 * that is not to blame is slashed, and no two blocks of one height are final. */
#include "tests/world/run.h"

static const char *const small_world =
    "name: effects\n"
    "duration: 30 s\n"
    "crypto: modelled\n"
    "network: {latency: 40 ms, jitter: lognormal(0.1), bandwidth: 100 Mbit,\n"
    "  overlay: {kind: k_regular, degree: 4}}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 10, bond: 2000 DSYNC}\n"
    "  - {name: sto, role: service, service: storage, count: 4, bond: 1000 DSYNC}\n"
    "  - {name: cli, role: client, count: 2, demand: {arrivals: poisson(1 /s)}}\n"
    "protocol: {epoch_blocks: 12, block_interval: 500 ms, seats: 0, g_min: 1, answer_heights: 24,\n"
    "  abandon_heights: 120, audit: 0.5}\n"
    "record: {node_epoch: none, blocks: none, challenges: none}\n";

struct effect {
    const char *name, *fault;
    const char *metric;
    int direction;       /* of the metric: with the fault it is above (1) or below (-1) */
    const char *without; /* what the other run has instead; NULL: nothing */
};

#define BYZANTINE(what, more, metric, direction)                                                   \
    {                                                                                              \
        "byzantine " what, "{id: f, kind: byzantine, at: 2 s, behaviour: " what ", " more "}",     \
            metric, direction, NULL                                                                \
    }
#define TWO "nodes: 'val[0..1]'"
#define FEW "nodes: 'val[0..3]'" /* more than a third: the chain waits */
#define CRASH "{id: c, kind: crash, at: 12 s, nodes: 'val[0..1]', restart: 4 s}"

static const struct effect effects[] = {
    {"crash durable", "{id: f, kind: crash, at: 5 s, restart: 10 s, " FEW "}", "blocks_final", -1,
     NULL},
    {"crash full", "{id: f, kind: crash, at: 5 s, restart: 10 s, state: full, " FEW "}",
     "blocks_final", -1, NULL},
    {"crash none", "{id: f, kind: crash, at: 12 s, restart: 4 s, state: none, " TWO "}",
     "messages.vote", -1, CRASH},
    {"pause", "{id: f, kind: pause, at: 5 s, for: 5 s, " FEW "}", "blocks_final", -1, NULL},
    {"slow_cpu", "{id: f, kind: slow_cpu, at: 5 s, nodes: all, factor: 1000}",
     "finality_latency.mean", 1, NULL},
    {"disk lost_fsync", "{id: f, kind: disk, disk: lost_fsync, at: 2 s, for: 20 s, " TWO "}," CRASH,
     "messages.block_request", 1, CRASH},
    {"disk torn_write", "{id: f, kind: disk, disk: torn_write, at: 5 s, restart: 4 s, " FEW "}",
     "blocks_final", -1, NULL},
    {"disk stale_snapshot",
     "{id: f, kind: disk, disk: stale_snapshot, at: 2 s, for: 20 s, nodes: 'val[0]'}",
     "messages.block_request", 1, NULL},
    {"disk full", "{id: f, kind: disk, disk: full, at: 5 s, for: 10 s, " FEW "}", "blocks_final",
     -1, NULL},
    {"clock ahead", "{id: f, kind: clock, at: 5 s, for: 10 s, ahead: 20 s, " FEW "}",
     "rounds_timed_out", 1, NULL},
    {"clock behind", "{id: f, kind: clock, at: 5 s, for: 10 s, behind: 20 s, " FEW "}",
     "rounds_timed_out", 1, NULL},
    {"clock slow", "{id: f, kind: clock, at: 5 s, for: 10 s, rate: 0.5, nodes: validators}",
     "blocks_final", -1, NULL},
    {"clock fast", "{id: f, kind: clock, at: 5 s, for: 10 s, rate: 2, nodes: validators}",
     "finality_latency.mean", -1, NULL},
    {"clock frozen", "{id: f, kind: clock, at: 5 s, for: 10 s, rate: 0, nodes: validators}",
     "blocks_final", -1, NULL},
    {"link latency", "{id: f, kind: link, at: 5 s, latency: 'exponential(0.1 s)'}",
     "request_latency.mean", 1, NULL},
    {"link latency_add", "{id: f, kind: link, at: 5 s, latency_add: 100 ms}",
     "request_latency.mean", 1, NULL},
    {"link loss", "{id: f, kind: link, at: 5 s, loss: 20 %}", "messages.block_request", 1, NULL},
    {"link burst_loss", "{id: f, kind: link, at: 5 s, burst_loss: 90 %}", "rounds_timed_out", 1,
     NULL},
    {"link duplicate", "{id: f, kind: link, at: 5 s, duplicate: 30 %}", "messages_duplicated", 1,
     NULL},
    {"link reorder", "{id: f, kind: link, at: 5 s, reorder: 50 %, reorder_by: 1 s}",
     "finality_latency.mean", 1, NULL},
    {"link corrupt", "{id: f, kind: link, at: 5 s, corrupt: 20 %}", "invalid_messages", 1, NULL},
    {"link replay", "{id: f, kind: link, at: 5 s, replay: 30 %, replay_after: 2 s}",
     "messages_replayed", 1, NULL},
    {"link bandwidth", "{id: f, kind: link, at: 5 s, for: 10 s, bandwidth_factor: 0.001}",
     "request_latency.mean", 1, NULL},
    {"link messages", "{id: f, kind: link, at: 5 s, for: 5 s, messages: [vote], loss: 1}",
     "rounds_timed_out", 1, NULL},
    {"clog", "{id: f, kind: clog, at: 5 s, for: 5 s, src: 'val[0..3]'}", "finality_latency.max", 1,
     NULL},
    {"partition", "{id: f, kind: partition, at: 5 s, for: 5 s, groups: [['val[0..4]'], [rest]]}",
     "blocks_final", -1, NULL},
    {"isolate", "{id: f, kind: isolate, at: 5 s, for: 5 s, " FEW "}", "blocks_final", -1, NULL},
    {"one_way", "{id: f, kind: one_way, at: 5 s, for: 5 s, src: 'val[0..3]', dst: validators}",
     "blocks_final", -1, NULL},
    {"bridge",
     "{id: f, kind: bridge, at: 5 s, for: 5 s, nodes: 'val[9]', "
     "groups: [['val[0..4]'], [rest]]}",
     "blocks_final", -1, NULL},
    {"ring", "{id: f, kind: ring, at: 5 s, for: 10 s, nodes: validators}", "rounds_timed_out", 1,
     NULL},
    {"eclipse", "{id: f, kind: eclipse, at: 5 s, for: 5 s, attackers: 'val[9]', " FEW "}",
     "blocks_final", -1, NULL},
    {"asynchrony", "{id: f, kind: asynchrony, at: 5 s, for: 5 s, latency: 'exponential(2 s)'}",
     "finality_latency.max", 1, NULL},
    {"churn", "{id: f, kind: churn, nodes: all, mtbf: 'exponential(20 s)', mttr: 3 s}",
     "blocks_final", -1, NULL},
    {"exit", "{id: f, kind: exit, at: 5 s, notice: 10 s, nodes: 'val[0..1]'}", "rounds_timed_out",
     1, NULL},
    {"join", "{id: f, kind: join, at: 10 s, " FEW "}", "blocks_final", -1, NULL},
    {"grief", "{id: f, kind: grief, at: 1 s, nodes: sto, latency_add: 5 s}", "request_latency.mean",
     1, NULL},
    {"every", "{id: f, kind: pause, at: 5 s, for: 2 s, every: 5 s, times: 4, " FEW "}",
     "rounds_timed_out", 1, "{id: f, kind: pause, at: 5 s, for: 2 s, " FEW "}"},
    {"leaders", "{id: f, kind: isolate, at: 5 s, for: 10 s, nodes: leaders, reselect: 200 ms}",
     "blocks_final", -1, "{id: f, kind: isolate, at: 5 s, for: 10 s, nodes: leaders}"},
    BYZANTINE("equivocate", TWO, "equivocators_slashed", 1),
    BYZANTINE("twins", TWO, "rounds_timed_out", 1),
    BYZANTINE("withhold_votes", TWO, "messages.vote", -1),
    BYZANTINE("withhold_blocks", TWO, "rounds_timed_out", 1),
    BYZANTINE("withhold_vrf", "nodes: 'val[0..8]'", "rounds_timed_out", 1),
    BYZANTINE("selective", TWO, "rounds_timed_out", 1),
    BYZANTINE("delay", TWO, "finality_latency.mean", 1),
    BYZANTINE("invalid_block", TWO, "invalid_messages", 1),
    BYZANTINE("invalid_signature", TWO, "invalid_messages", 1),
    BYZANTINE("invalid_certificate", TWO, "invalid_messages", 1),
    BYZANTINE("replay", TWO, "messages.vote", 1),
    BYZANTINE("censor", "nodes: validators, victims: clients", "transactions_final", -1),
    BYZANTINE("spam", TWO, "messages", 1),
    BYZANTINE("double_verdict", TWO, "messages.tx", 1),
    BYZANTINE("collude", TWO, "rounds_timed_out", 1),
};

static double effect_value(const struct effect *e, const char *fault)
{
    char faults[1024];
    snprintf(faults, sizeof faults, "faults=[%s]", fault != NULL ? fault : "");
    struct run r = run_text(small_world, &(struct run_how){.set = {faults}});
    run_invariants(&r);
    double x = 0; /* a kind of message that nobody sent is not in the summary */
    for (size_t i = 0; i < r.summary.scalar_count; i++)
        if (strcmp(r.summary.scalars[i].name, e->metric) == 0)
            x = ds_summary_value(&r.summary, e->metric);
    run_end(&r);
    return x;
}

static void effect_try(const struct effect *e)
{
    double without = effect_value(e, e->without), with = effect_value(e, e->fault);
    bool moved = e->direction > 0 ? with > without : with < without;
    if (!moved)
        fprintf(stderr, "%s: %s is %g with it, %g without\n", e->name, e->metric, with, without);
    CU_ASSERT(moved);
}

static void test_some(size_t first, size_t step)
{
    for (size_t i = first; i < sizeof effects / sizeof effects[0]; i += step)
        effect_try(&effects[i]);
}

static void test_nodes(void)
{
    test_some(0, 2);
}

static void test_others(void)
{
    test_some(1, 2);
}

int main(void)
{
    static const struct test_case cases[] = {{"every other one", test_nodes},
                                             {"and the others", test_others}};
    return TEST_MAIN("effects of faults", cases);
}

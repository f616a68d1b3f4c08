/* A healed quorum makes new blocks final in time, in runs that once did not (found by `fuzz`): what
 * kept each from it stands above it.  Within: 48 of the round timer's longest periods, as
 * sim/fault/swarm.c promises, where no shorter time is given. */
#include "tests/world/run.h"

static const char *const record =
    "record: {node_epoch: none, blocks: none, challenges: none}\nexpect: [safety, supply]\n";

/* Work that came while the processor was slow was charged at that speed for good: a backlog of a
 * minute was left when the fault had ended. */
static const char *const slow =
    "name: slow\nseed: 2798008361\nduration: 40 s\ncrypto: modelled\n"
    "network: {latency: 40 ms, jitter: none, overlay: {degree: 4095}}\n"
    "nodes: [{name: val, role: validator, count: 9, bond: 2000 DSYNC}]\n"
    "protocol: {epoch_blocks: 12, seats: 0, block_interval: 250 ms, g_min: 1, theta: 0.0390625,\n"
    "  answer_heights: 36, abandon_heights: 72}\n"
    "faults:\n"
    "- {id: f, kind: slow_cpu, at: 3751 ms, for: 5600 ms, every: exponential(2600 ms), times: 3,\n"
    "   nodes: 'val[6]', factor: 38}\n"
    "heal: {at: 9100 ms, within: 30 s,\n"
    "  quorum: 'val[0], val[2], val[3], val[4], val[6], val[7], val[8]'}\n";

/* The round timer's longest period was shorter than a link of 1 Mbit/s needs for a block to all. */
static const char *const thin =
    "name: thin\nseed: 1726097185\nduration: 100 s\ncrypto: modelled\n"
    "network: {latency: 2600 us, jitter: 'lognormal(1, 0.5)', bandwidth: 1 Mbit,\n"
    "  overlay: {degree: 4095}}\n"
    "nodes:\n"
    "- {name: val, role: validator, count: 11, bond: 2000 DSYNC}\n"
    "- {name: sto, role: service, count: 2, bond: 1000 DSYNC, chunk_time: 100 us}\n"
    "protocol: {epoch_blocks: 15, seats: 0, block_interval: 500 ms, g_min: 1, theta: 0.515625,\n"
    "  audit: 0.5, verifiers: 5, answer_heights: 24, abandon_heights: 120}\n"
    "heal: {at: 39600 ms, within: 1 min, quorum: 'val[1], val[2], val[4..10]'}\n";

/* Demands were answered on chain: blocks of 170 kB, which no link of 2.4 Mbit/s carries in a period,
 * were proposed again and again. */
static const char *const large =
    "name: large\nseed: 1845733238\nduration: 91500 ms\ncrypto: modelled\n"
    "network: {latency: 1 ms, jitter: 'uniform(0.5, 3)', bandwidth: 2400 kbit,\n"
    "  overlay: {degree: 4}}\n"
    "nodes:\n"
    "- {name: val, role: validator, count: 5, bond: 2000 DSYNC}\n"
    "- {name: sto, role: service, count: 4, bond: 1000 DSYNC, chunk_time: 100 us}\n"
    "- {name: cli, role: client, count: 3, demand: {arrivals: poisson(0.5 /s)}}\n"
    "protocol: {epoch_blocks: 12, seats: 0, block_interval: 500 ms, g_min: 1, theta: 0.3828125,\n"
    "  answer_heights: 24, abandon_heights: 120}\n"
    "faults:\n"
    "- {id: f1, kind: byzantine, at: 1563 ms, for: 1300 ms, behaviour: invalid_certificate,\n"
    "   nodes: 'val[2]', delay: 4100 ms}\n"
    "- {id: f2, kind: byzantine, at: 6638 ms, behaviour: twins, nodes: 'val[2]',\n"
    "   victims: '90 % of stake of validators', share: 12 %}\n"
    "- {id: f3, kind: byzantine, at: 21341 ms, for: 190 ms, behaviour: replay, nodes: 'val[2]',\n"
    "   share: 94 %}\n"
    "heal: {at: 28500 ms, within: 62 s,\n"
    "  quorum: 'val[0], val[1], val[3], val[4], services, clients'}\n";

/* The overlay is a ring, and those who are stopped cut it into pieces; those who only follow have
 * nobody else to hear of blocks from. */
static const char *const ring =
    "name: ring\nduration: 100 s\ncrypto: modelled\n"
    "network: {latency: 10 ms, jitter: none, overlay: {degree: 2}}\n"
    "nodes:\n"
    "- {name: val, role: validator, count: 10, bond: 2000 DSYNC}\n"
    "- {name: sto, role: service, count: 6, bond: 1000 DSYNC}\n"
    "protocol: {epoch_blocks: 12, seats: 0, block_interval: 500 ms, g_min: 1, answer_heights: 24,\n"
    "  abandon_heights: 120}\n"
    "heal: {at: 10 s, within: 80 s, quorum: 'val[0..6], sto[0..3]'}\n";

static void recovers(const char *text, const char *seed)
{
    char all[4096];
    snprintf(all, sizeof all, "%s%s", text, record);
    struct run r = run_text(all, &(struct run_how){.set = {seed}});
    if (r.summary.violation != NULL)
        fprintf(stderr, "%s\n", r.summary.violation);
    CU_ASSERT_TRUE(r.summary.invariants_held);
    run_end(&r);
}

static void test_slow(void)
{
    recovers(slow, NULL);
}

static void test_thin(void)
{
    recovers(thin, NULL);
}

static void test_large(void)
{
    recovers(large, NULL);
}

static void test_ring(void)
{
    recovers(ring, "seed=1");
    recovers(ring, "seed=2");
    recovers(ring, "seed=3");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"after a slow processor", test_slow},
        {"on thin links", test_thin},
        {"with large blocks on thin links", test_large},
        {"in the pieces of a ring", test_ring},
    };
    return TEST_MAIN("world/recover", cases);
}

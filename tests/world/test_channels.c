/* Channels between nodes: real and charged are one run; threads do not show; attackers and revoked
 * peers are refused, in a world where all sorts of things go wrong besides. */
#include "models/node/channel.h"
#include "tests/world/run.h"

/* Everything that happens to messages, processes and clocks. */
static const char world[] =
    "# A world in which much goes wrong.\n"
    "name: channels\nduration: 40 s\nseed: 3\n"
    "network: {regions: data/aws-regions.csv, channels: charged, rekey: 16}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 7, bond: 2000 DSYNC}\n"
    "  - {name: sto, role: service, service: storage, count: 6, bond: 1000 DSYNC}\n"
    "  - {name: cli, role: client, count: 2, demand: {arrivals: poisson(1 /s)}}\n"
    "protocol: {epoch_blocks: 10, answer_heights: 8}\n"
    "faults:\n"
    "  - {id: mud, at: 3 s, for: 20 s, kind: link, src: 3 of all, loss: 5 %, duplicate: 10 %,\n"
    "     reorder: 20 %, reorder_by: 300 ms, corrupt: 5 %, replay: 10 %, replay_after: 3 s}\n"
    "  - {id: crash, at: 8 s, kind: crash, nodes: 'val[1]', restart: 3 s}\n"
    "  - {id: wiped, at: 9 s, kind: crash, nodes: 'val[2]', restart: 4 s, state: none}\n"
    "  - {id: asleep, at: 10 s, kind: crash, nodes: 'val[3]', restart: 2 s, state: full}\n"
    "  - {id: slow, at: 12 s, for: 6 s, kind: slow_cpu, nodes: 'val[4]', factor: 50}\n"
    "  - {id: held, at: 14 s, for: 2 s, kind: pause, nodes: 'val[5]'}\n"
    "  - {id: clock, at: 15 s, for: 9 s, kind: clock, nodes: 'val[6]', rate: 1.1}\n"
    "  - {id: man, at: 18 s, for: 6 s, kind: mitm, src: 'val[0]', dst: all}\n"
    "  - {id: out, at: 26 s, kind: revoke, nodes: 'sto[0]'}\n"
    "  - {id: again, at: 32 s, kind: crash, nodes: 'sto[0]', restart: 1 s}\n";

static void same_run(const struct run *a, const struct run *b)
{
    CU_ASSERT_STRING_EQUAL(a->summary.trace_digest, b->summary.trace_digest);
    CU_ASSERT_EQUAL_FATAL(a->summary.scalar_count, b->summary.scalar_count);
    for (size_t i = 0; i < a->summary.scalar_count; i++) {
        const char *name = a->summary.scalars[i].name;
        double x = ds_summary_value(&a->summary, name), y = ds_summary_value(&b->summary, name);
        if (x != y && !(isnan(x) && isnan(y)))
            fprintf(stderr, "%s: %.17g and %.17g\n", name, x, y);
        CU_ASSERT_TRUE(x == y || (isnan(x) && isnan(y)));
    }
}

/* The same virtual times, events, refusals and bytes, whether frames are sealed or only charged. */
static void test_charged_is_real(void)
{
    static const char *const more[] = {"network.rekey=16", "network.rekey=1",
                                       "network.bandwidth=2 Mbit", "cpu=none"};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        struct run charged = run_text(world, &(struct run_how){.set = {more[i]}});
        struct run real =
            run_text(world, &(struct run_how){.set = {more[i], "network.channels=real"}});
        same_run(&charged, &real);
        run_invariants(&real);
        run_end(&charged);
        run_end(&real);
    }
    struct run charged =
        run_file("smoke.yaml", &(struct run_how){.set = {"network.channels=charged"}});
    struct run real = run_file("smoke.yaml", &(struct run_how){.set = {"network.channels=real"}});
    same_run(&charged, &real);
    run_end(&charged);
    run_end(&real);
}

static void test_threads(void)
{
    static const uint32_t threads[] = {1, 2, 3, 3}, parallel[] = {0, 1, 1, 0};
    struct run first = {0};
    for (size_t i = 0; i < 4; i++) {
        struct run r = run_text(world, &(struct run_how){.set = {"network.channels=real"},
                                                         .threads = threads[i],
                                                         .parallel_events = parallel[i]});
        if (i == 0) {
            first = r;
            continue;
        }
        same_run(&first, &r);
        CU_ASSERT_STRING_EQUAL(first.summary.content_digest, r.summary.content_digest);
        run_end(&r);
    }
    run_end(&first);
}

/* Links that are taken as open are what they were: golden/ has the digests; here, that saying so is
 * saying nothing, and that the other words say something. */
static void test_open(void)
{
    char digest[4][33];
    static const char *const set[] = {NULL, "network.channels=open", "network.channels=charged",
                                      "network.rekey=7"};
    for (size_t i = 0; i < 4; i++) {
        struct run r = run_file("smoke.yaml", &(struct run_how){.set = {set[i]}});
        memcpy(digest[i], r.summary.trace_digest, sizeof digest[i]);
        for (size_t k = 0; i != 2 && k < r.summary.scalar_count; k++)
            CU_ASSERT_NOT_EQUAL(strncmp(r.summary.scalars[k].name, "handshake", 9), 0);
        run_end(&r);
    }
    CU_ASSERT_STRING_EQUAL(digest[0], digest[1]);
    CU_ASSERT_STRING_EQUAL(digest[0], digest[3]);
    CU_ASSERT_STRING_NOT_EQUAL(digest[0], digest[2]);
}

/* Where every path takes 10 ms and work takes no time: a handshake takes one there and back, and each
 * message is 17 bytes longer. */
static const char exact[] = "name: exact\nduration: 30 s\ncpu: none\n"
                            "network: {latency: 10 ms, jitter: none, bandwidth: unlimited, "
                            "host_delay: 1 ms}\n"
                            "nodes:\n  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}\n"
                            "protocol: {epoch_blocks: 10}\n";

static void test_exact(void)
{
    struct run r = run_text(exact, &(struct run_how){.set = {"network.channels=real"}});
    run_invariants(&r);
    CU_ASSERT_EQUAL(run_value(&r, "handshakes"), 6); /* of 4 nodes: each pair once */
    CU_ASSERT_DOUBLE_EQUAL(run_value(&r, "handshake_latency.mean"), 0.02, 0.0003);
    CU_ASSERT_EQUAL(run_value(&r, "channel_refused"), 0);
    /* XX1, XX2, XX3 and CONFIRM, each in an envelope of 2; some are begun by both. */
    CU_ASSERT_TRUE(run_value(&r, "messages.handshake") >= 6 * 4);
    CU_ASSERT_TRUE(run_value(&r, "messages.handshake") <= 6 * 5);
    double messages = run_value(&r, "messages") - run_value(&r, "messages.handshake");
    double votes = run_value(&r, "messages.vote"), size = run_value(&r, "bytes.vote") / votes;
    CU_ASSERT_TRUE(messages > 100);
    run_end(&r);
    struct run open = run_text(exact, &(struct run_how){0});
    double before = run_value(&open, "bytes.vote") / run_value(&open, "messages.vote");
    CU_ASSERT_DOUBLE_EQUAL(size - before, 17, 1e-9);
    run_end(&open);
}

static void test_attacked(void)
{
    struct run r = run_text(world, &(struct run_how){.set = {"network.channels=real"}});
    static const char *const some[] = {"foreign", "other_subject", "other_key", "revoked",
                                       "timeout", "unknown",       "replayed",  "forged"};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "channel_refused.%s", some[i]);
        if (run_value(&r, name) <= 0)
            fprintf(stderr, "none %s\n", some[i]);
        CU_ASSERT_TRUE(run_value(&r, name) > 0);
    }
    CU_ASSERT_TRUE(run_value(&r, "messages_intercepted") > 0);
    CU_ASSERT_EQUAL(run_value(&r, "safety"), 1);
    CU_ASSERT_EQUAL(run_value(&r, "halted"), 0);
    run_end(&r);
    /* Without them nobody is refused for who it is. */
    r = run_text(world, &(struct run_how){.set = {"faults="}});
    CU_ASSERT_EQUAL(run_value(&r, "channel_refused"), 0);
    CU_ASSERT_EQUAL(run_value(&r, "messages_intercepted"), 0);
    run_end(&r);
}

/* A man between one validator and all others: it makes nothing final meanwhile, and does after. */
static void test_waits(void)
{
    static const char alone[] = "faults=[{id: man, at: 10 s, for: 8 s, kind: mitm, src: 'val[0]', "
                                "dst: all}]";
    static const char everybody[] = "faults=[{id: man, at: 10 s, for: 8 s, kind: mitm}]";
    struct run free = run_text(world, &(struct run_how){.set = {"faults="}});
    struct run one = run_text(world, &(struct run_how){.set = {alone}});
    struct run all = run_text(world, &(struct run_how){.set = {everybody}});
    run_invariants(&all);
    CU_ASSERT_TRUE(run_value(&one, "finality_latency.max") > 6);
    CU_ASSERT_TRUE(run_value(&free, "finality_latency.max") < 6);
    CU_ASSERT_TRUE(run_value(&all, "blocks_final") < run_value(&one, "blocks_final"));
    CU_ASSERT_TRUE(run_value(&all, "recovery_time") < 15);
    CU_ASSERT_TRUE(run_value(&one, "recovery_time") < 5);
    run_end(&free);
    run_end(&one);
    run_end(&all);
}

/* With links taken as open there is nothing to stand between; and every cause has its metric. */
static void test_scenario(void)
{
    struct ds_scenario s;
    struct ds_source source = {.name = "test.yaml",
                               .text = world,
                               .size = strlen(world),
                               .folder = DESTRA_SOURCE "/scenarios"};
    const char *set[] = {"network.channels=open"};
    struct ds_diagnostics d = {0};
    struct dc_text said = {0};
    CU_ASSERT_NOT_EQUAL(ds_scenario_load_text(&source, set, 1, &s, &d), DC_OK);
    ds_diagnostics_print(&d, &said);
    CU_ASSERT_PTR_NOT_NULL(strstr(said.data, "needs channels to stand between"));
    dc_text_free(&said);
    ds_diagnostics_free(&d);
    for (int o = DC_CHANNEL_OPENED + 1; o < DC_CHANNEL_OUTCOMES; o++) {
        char expect[96];
        snprintf(expect, sizeof expect, "expect=channel_refused.%s >= 0",
                 dc_channel_outcome_name((enum dc_channel_outcome)o));
        set[0] = expect;
        d = (struct ds_diagnostics){0};
        CU_ASSERT_EQUAL(ds_scenario_load_text(&source, set, 1, &s, &d), DC_OK);
        ds_scenario_free(&s);
        ds_diagnostics_free(&d);
    }
    set[0] = "expect=channel_refused.forgd == 0";
    d = (struct ds_diagnostics){0};
    CU_ASSERT_NOT_EQUAL(ds_scenario_load_text(&source, set, 1, &s, &d), DC_OK);
    ds_diagnostics_free(&d);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"charged is real", test_charged_is_real},
        {"threads", test_threads},
        {"open", test_open},
        {"exact", test_exact},
        {"attacked", test_attacked},
        {"waits", test_waits},
        {"scenario", test_scenario},
    };
    return TEST_MAIN("channels", cases);
}

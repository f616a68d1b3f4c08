/* `destrasim bench consensus` and `bench gossip`: whole runs of small scenarios made here, without
 * a results file.
 *
 * consensus: validators alone, no CPU cost, no waiting between blocks, messages straight to their
 * receivers; one epoch of D heights.  What such a run cannot avoid is its signatures: the cost of
 * one is measured in the same process and the run is compared with the sum.
 * gossip: four validators, everybody else listens; blocks ten seconds apart, so that each has
 * reached everyone before the next. */
#include <stdio.h>
#include <string.h>

#include "models/crypto/crypto.h"
#include "sim/cmd_bench.h"
#include "sim/world/world.h"

/* What of a run is printed. */
struct result {
    struct ds_stopwatch setup, took;
    struct ds_world_counts counts;
    uint64_t height;
    char checksum[33];
    enum ds_world_end end;
    bool held;
};

static int run_text(const char *name, const struct dc_text *yaml, uint32_t threads,
                    struct result *out)
{
    struct ds_scenario scenario = {0};
    struct ds_source source = {.name = name, .text = yaml->data, .size = yaml->size};
    struct ds_world *world = NULL;
    struct dc_error error = {0};
    struct ds_summary summary = {0};
    struct ds_progress_line progress;
    int code = yaml->failed ? DS_EXIT_IO : ds_cmd_load_text(&source, &scenario);
    if (code == DS_EXIT_FINE) {
        ds_progress_begin(&progress, true, "");
        struct ds_world_options options = {.threads = threads,
                                           .progress = ds_progress_show,
                                           .progress_ctx = &progress,
                                           .stop = ds_cmd_catch_signals()};
        struct ds_stopwatch start = ds_stopwatch_start();
        enum dc_status status = ds_world_create(&scenario, &options, &world, &error);
        out->setup = ds_stopwatch_read(&start);
        if (status == DC_OK) {
            start = ds_stopwatch_start();
            status = ds_world_run(world, &error);
            out->took = ds_stopwatch_read(&start);
            out->counts = ds_world_counts(world);
            struct dc_error finish_error = {0};
            enum dc_status finished = ds_world_finish(world, &summary, &finish_error);
            if (status == DC_OK && finished != DC_OK)
                status = dc_error_set(&error, finished, "%s", finish_error.text);
        }
        if (status != DC_OK)
            code = ds_cmd_failed(status, &error);
        double blocks = ds_summary_value(&summary, "blocks_final");
        out->height = blocks > 0 ? (uint64_t)blocks : 0;
        out->end = summary.end;
        out->held = summary.invariants_held;
        memcpy(out->checksum, summary.trace_digest, sizeof out->checksum);
        ds_world_destroy(world);
    }
    ds_scenario_free(&scenario);
    return ds_cmd_caught() != 0 ? 128 + ds_cmd_caught() : code;
}

/* An invariant that fails in a benchmark is a failure all the same. */
static int verdict(const char *name, const struct result *r)
{
    if (r->held && r->end != DS_WORLD_HALTED)
        return DS_EXIT_FINE;
    fprintf(stderr, "destrasim: error: bench %s: %s\n", name,
            r->held ? "the chain halted" : "an invariant did not hold");
    return DS_EXIT_EXPECT;
}

/* ---- consensus ------------------------------------------------------------------------------- */

struct unit_costs {
    double sign_us, verify_us;
};

/* Of a signature and its check over what a vote signs, 0.2 s each. */
static struct unit_costs unit_costs(bool modelled)
{
    struct dc_crypto crypto = {.suite = modelled ? DC_SUITE_MODELLED : DC_SUITE_REAL};
    struct dc_keypair key;
    struct unit_costs out = {0, 0};
    uint8_t seed[32], message[96] = {0}, signature[64];
    dc_crypto_init();
    dc_seed_derive(1, 1, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &key);
    for (int verify = 0; verify < 2; verify++) {
        uint64_t count = 0, good = 0;
        struct ds_stopwatch start = ds_stopwatch_start(), took;
        do {
            for (int i = 0; i < 256; i++, count++) {
                message[0] = verify ? 0 : (uint8_t)count;
                if (verify)
                    good += dc_verify(&crypto, key.public, message, sizeof message, signature);
                else
                    dc_sign(&crypto, &key, message, sizeof message, signature);
            }
            took = ds_stopwatch_read(&start);
        } while (took.cpu_s < 0.2);
        *(verify ? &out.verify_us : &out.sign_us) = took.cpu_s * 1e6 / (double)count;
        message[0] = 0;
        dc_sign(&crypto, &key, message, sizeof message, signature);
        DC_CHECK(!verify || good == count);
    }
    return out;
}

static void consensus_scenario(uint64_t validators, uint64_t decisions, const char *links,
                               bool modelled, struct dc_text *yaml)
{
    uint64_t most_s = decisions * 60 + 600; /* within which a scenario may last */
    dc_text_printf(yaml,
                   "name: bench-consensus\nduration: 1 epochs\nmax_time: %llu s\ncrypto: %s\n",
                   (unsigned long long)most_s, modelled ? "modelled" : "real");
    dc_text_printf(yaml, "network: {%s, host_delay: 1 us, bandwidth: unlimited}\ncpu: none\n",
                   links);
    dc_text_printf(yaml,
                   "nodes: [{name: val, role: validator, count: %llu, bond: 1000 DSYNC}]\n"
                   "protocol: {epoch_blocks: %llu, seats: 0, g_min: 1, block_interval: 0 s, "
                   "dissemination: direct, heartbeat_every: %llu, theta: 0, audit: 0, "
                   "detectors: []}\n",
                   (unsigned long long)validators, (unsigned long long)decisions,
                   (unsigned long long)(decisions > 100 ? 1000 : 10 * decisions));
    dc_text_add(yaml, "record: {node_epoch: none, blocks: none, challenges: none, slice: 24 h}\n");
}

static int run_consensus(const struct ds_args *args)
{
    uint64_t validators = 512, decisions = 100, threads = 1;
    bool modelled = ds_args_value(args, "--modelled") != NULL;
    struct dc_text links = {0}, yaml = {0};
    struct result r = {0};
    int code = DS_EXIT_USAGE;
    if (ds_args_number(args, "--validators", 4, 65536, &validators) &&
        ds_args_number(args, "--decisions", 3, 500000, &decisions) &&
        ds_args_number(args, "--threads", 1, 64, &threads) &&
        ds_bench_latency(args, "normal(250 ms, 50 ms)", &links)) {
        consensus_scenario(validators, decisions, links.data, modelled, &yaml);
        code = run_text("bench consensus", &yaml, (uint32_t)threads, &r);
    }
    if (code == DS_EXIT_FINE) {
        struct unit_costs unit = unit_costs(modelled);
        double least_s = ((double)r.counts.sign_done * unit.sign_us +
                          (double)r.counts.verify_done * unit.verify_us) *
                         1e-6;
        char more[400];
        snprintf(more, sizeof more,
                 " validators=%llu decisions=%llu crypto=%s threads=%llu setup_seconds=%.6f "
                 "signings=%llu verifications=%llu sign_us=%.3f verify_us=%.3f "
                 "signature_seconds=%.6f ratio=%.3f",
                 (unsigned long long)validators, (unsigned long long)r.height,
                 modelled ? "modelled" : "real", (unsigned long long)threads, r.setup.wall_s,
                 (unsigned long long)r.counts.sign_done, (unsigned long long)r.counts.verify_done,
                 unit.sign_us, unit.verify_us, least_s, least_s > 0 ? r.took.cpu_s / least_s : 0);
        ds_bench_print("consensus", r.counts.events, &r.took, r.checksum, more);
        code = verdict("consensus", &r);
    }
    dc_text_free(&links);
    dc_text_free(&yaml);
    return code;
}

static const struct ds_option consensus_options[] = {
    {"--validators", "N", "at least 4; default 512"},
    {"--decisions", "D", "blocks to agree on, at least 3; default 100"},
    {"--latency", "DISTRIBUTION",
     "of a message, one way; default 'normal(250 ms, 50 ms)',\n"
     "truncated above 0"},
    {"--modelled", NULL, "keyed hashes instead of Ed25519"},
    {"--threads", "T", "default 1"},
    {0},
};

const struct ds_command ds_bench_consensus = {
    .name = "bench consensus",
    .operands = "",
    .line = "Jolteon alone: everyone votes on D blocks",
    .details =
        "decisions= is the number of final blocks, signings= and verifications= what was really\n"
        "computed, sign_us= and verify_us= the cost of one, measured in this process, and ratio=\n"
        "is cpu_seconds over signings x sign + verifications x verify.",
    .options = consensus_options,
    .run = run_consensus,
};

/* ---- gossip ---------------------------------------------------------------------------------- */

enum { GOSSIP_VALIDATORS = 4, GOSSIP_INTERVAL_S = 10 };

static void gossip_scenario(uint64_t nodes, uint64_t blocks, uint64_t degree, const char *links,
                            struct dc_text *yaml)
{
    uint64_t duration_s = blocks * GOSSIP_INTERVAL_S + GOSSIP_INTERVAL_S / 2;
    dc_text_printf(yaml, "name: bench-gossip\nduration: %llu s\n", (unsigned long long)duration_s);
    dc_text_printf(yaml,
                   "network: {%s, host_delay: 1 ms, bandwidth: unlimited, "
                   "overlay: {kind: k_regular, degree: %llu}}\ncpu: none\n",
                   links, (unsigned long long)degree);
    dc_text_printf(yaml,
                   "nodes:\n  - {name: val, role: validator, count: %d, bond: 1000 DSYNC}\n"
                   "  - {name: cli, role: client, count: %llu, demand: {arrivals: none}}\n",
                   GOSSIP_VALIDATORS, (unsigned long long)(nodes - GOSSIP_VALIDATORS));
    dc_text_printf(yaml,
                   "protocol: {epoch_blocks: 100000, block_interval: %d s, dissemination: gossip, "
                   "heartbeat_every: 1000, theta: 0, audit: 0, detectors: []}\n",
                   GOSSIP_INTERVAL_S);
    dc_text_add(yaml, "record: {node_epoch: none, blocks: none, challenges: none, slice: 24 h}\n");
}

static int run_gossip(const struct ds_args *args)
{
    uint64_t nodes = 10000, blocks = 1, degree = 8, threads = 1;
    struct dc_text links = {0}, yaml = {0};
    struct result r = {0};
    int code = DS_EXIT_USAGE;
    if (ds_args_number(args, "--nodes", 10, 4194304, &nodes) &&
        ds_args_number(args, "--blocks", 1, 100000, &blocks) &&
        ds_args_number(args, "--degree", 2, 4095, &degree) &&
        ds_args_number(args, "--threads", 1, 64, &threads) &&
        ds_bench_latency(args, "50 ms", &links)) {
        gossip_scenario(nodes, blocks, degree, links.data, &yaml);
        code = run_text("bench gossip", &yaml, (uint32_t)threads, &r);
    }
    if (code == DS_EXIT_FINE) {
        char more[200];
        snprintf(more, sizeof more,
                 " nodes=%llu blocks=%llu degree=%llu threads=%llu setup_seconds=%.6f",
                 (unsigned long long)nodes, (unsigned long long)blocks, (unsigned long long)degree,
                 (unsigned long long)threads, r.setup.wall_s);
        ds_bench_print("gossip", r.counts.events, &r.took, r.checksum, more);
        code = verdict("gossip", &r);
    }
    dc_text_free(&links);
    dc_text_free(&yaml);
    return code;
}

static const struct ds_option gossip_options[] = {
    {"--nodes", "N", "at least 10, four of them validators; default 10000"},
    {"--blocks", "B", "default 1"},
    {"--degree", "K", "neighbours of a node; default 8"},
    {"--latency", "DISTRIBUTION", "of a link, one way; default '50 ms'"},
    {"--threads", "T", "default 1"},
    {0},
};

const struct ds_command ds_bench_gossip = {
    .name = "bench gossip",
    .operands = "",
    .line = "a few validators' blocks reach N nodes over the overlay",
    .details = "A block every ten virtual seconds, announced, pulled and checked by every node.\n"
               "setup_seconds= (keys, overlay, genesis) is not part of seconds=.",
    .options = gossip_options,
    .run = run_gossip,
};

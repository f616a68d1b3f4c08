/* Scenarios that are right: every file of scenarios/ loads, prints and loads again; overrides;
 * explain, schema and reference cover the whole table; selectors match what they say. */
#include "sim/scenario/scenario.h"
#include "sim/scenario/table.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER DESTRA_SOURCE "/scenarios"

static void show(const struct ds_diagnostics *d)
{
    struct dc_text text = {0};
    ds_diagnostics_print(d, &text);
    if (text.size > 0)
        printf("\n%s", text.data);
    dc_text_free(&text);
}

static bool load(const char *text, const char *const *overrides, size_t count,
                 struct ds_scenario *out)
{
    struct ds_diagnostics d = {0};
    struct ds_source source = {
        .name = "test.yaml", .text = text, .size = strlen(text), .folder = FOLDER};
    enum dc_status status = ds_scenario_load_text(&source, overrides, count, out, &d);
    show(&d);
    CU_ASSERT_EQUAL(status == DC_OK, d.count == 0);
    ds_diagnostics_free(&d);
    return status == DC_OK;
}

/* Resolved text with nothing but the embedded inputs gives the same resolved text and inputs. */
static void round_trip(const struct ds_scenario *s)
{
    struct dc_text first = {0}, second = {0};
    struct ds_diagnostics d = {0};
    struct ds_scenario again;
    ds_scenario_print_resolved(s, &first);
    struct ds_source source = {.name = "embedded",
                               .text = first.data,
                               .size = first.size,
                               .inputs = s->inputs,
                               .inputs_count = s->inputs_count};
    CU_ASSERT_EQUAL(ds_scenario_load_text(&source, NULL, 0, &again, &d), DC_OK);
    show(&d);
    ds_scenario_print_resolved(&again, &second);
    CU_ASSERT_STRING_EQUAL(first.data, second.data);
    CU_ASSERT_EQUAL(memcmp(&s->protocol, &again.protocol, sizeof s->protocol), 0);
    CU_ASSERT_EQUAL(s->max_time_ns, again.max_time_ns);
    CU_ASSERT_EQUAL(s->nodes_count, again.nodes_count);
    CU_ASSERT_EQUAL_FATAL(s->inputs_count, again.inputs_count);
    for (size_t i = 0; i < s->inputs_count; i++) {
        CU_ASSERT_EQUAL_FATAL(s->inputs[i].size, again.inputs[i].size);
        CU_ASSERT_EQUAL(memcmp(s->inputs[i].data, again.inputs[i].data, s->inputs[i].size), 0);
    }
    CU_ASSERT_EQUAL_FATAL(s->expects_count, again.expects_count);
    for (size_t i = 0; i < s->expects_count; i++)
        CU_ASSERT_EQUAL(s->expects[i].value, again.expects[i].value);
    ds_scenario_free(&again);
    ds_diagnostics_free(&d);
    dc_text_free(&first);
    dc_text_free(&second);
}

static void test_all_files(void)
{
    DIR *dir = opendir(FOLDER);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    unsigned count = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        size_t size = strlen(entry->d_name);
        if (size < 5 || strcmp(entry->d_name + size - 5, ".yaml") != 0)
            continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", FOLDER, entry->d_name);
        struct ds_diagnostics d = {0};
        struct ds_scenario s;
        CU_ASSERT_EQUAL(ds_scenario_load(path, NULL, 0, &s, &d), DC_OK);
        show(&d);
        CU_ASSERT(d.count > 0 || s.title[0] != '\0'); /* its purpose is on the first line */
        CU_ASSERT(d.count > 0 || strncmp(s.name, entry->d_name, size - 5) == 0);
        if (d.count == 0)
            round_trip(&s);
        ds_scenario_free(&s);
        ds_diagnostics_free(&d);
        count++;
    }
    closedir(dir);
    CU_ASSERT(count >= 6);
}

static const char rich[] =
    "name: rich\n"
    "seed: 7\n"
    "duration: 30 min\n"
    "network:\n"
    "  generate: {kind: watts_strogatz, nodes: 200, k: 6, p: 0.1, latency: 'normal(20 ms, 2 ms)'}\n"
    "  host_delay: 1 ms\n"
    "  loss: 0.1 %\n"
    "  bandwidth: {up: 10 Mbit, down: unlimited}\n"
    "  overlay: {kind: erdos_renyi, degree: 12}\n"
    "cpu: none\n"
    "crypto: modelled\n"
    "memo: off\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 100, bond: 'pareto(2000 DSYNC, 1.6)',\n"
    "     strategy: {honest: 9, silent: 1}}\n"
    "  - {name: sto, role: service, service: storage, count: 400, bond: 500 DSYNC, capacity: 1 "
    "TiB,\n"
    "     strategy: {honest: 0.86, ghost: 0.03, partial(0.3): 0.08, washer: 0.03},\n"
    "     place: {'17': 2, '18': 1}, links: [{share: 0.9, loss: 0.1 %}, {share: 0.1, loss: 3 %}]}\n"
    "  - {name: cli, role: client, count: 500, demand: {arrivals: none}}\n"
    "protocol: {theta: 0.30, epoch_blocks: 30, detectors: [mad], lock_tiers: [1, 1.5, 2, 2.5],\n"
    "           price_gib_epoch: 0.001 DSYNC, weight_s: 0.25, weight_q: 0.3}\n"
    "faults:\n"
    "  - {at: 5 min, for: 60 s, kind: partition, groups: [[10 % of sto, 'val[0..9]'], rest]}\n"
    "  - {at: 10 min, kind: crash, nodes: 10 % of validators, restart: 30 s, state: durable}\n"
    "  - {id: slow, at: 1 min, kind: slow_cpu, factor: 2.5, nodes: top 5 % by power of "
    "validators}\n"
    "  - {id: far, at: 1 min, kind: link, src: [val, sto], dst: 3 of cli, both: off,\n"
    "     latency_factor: 1.5, latency_add: 10 ms, loss: 2 %, bandwidth_factor: 0.5}\n"
    "record: {trace: on, blocks: none}\n"
    "expect:\n"
    "  - safety\n"
    "  - finality_latency.p99 < 5 s\n"
    "  - honest_slashed == 0\n"
    "  - detect_20.partial >= 0.8\n"
    "  - loss <= 4 %\n"
    "  - bytes.heartbeat < 3 GiB\n";

static void check_rich_faults(const struct ds_scenario *s)
{
    CU_ASSERT_EQUAL_FATAL(s->faults_count, 4);
    const struct ds_fault *f = s->faults;
    CU_ASSERT_EQUAL(strncmp(f[0].id, "fault-", 6), 0);
    CU_ASSERT_STRING_NOT_EQUAL(f[0].id, f[1].id);
    CU_ASSERT_EQUAL(f[0].at_ns, 300000000000);
    CU_ASSERT_EQUAL(f[0].for_ns, 60000000000);
    CU_ASSERT_EQUAL_FATAL(f[0].groups_count, 2);
    CU_ASSERT_EQUAL(f[0].groups[0]->kind, DS_SELECT_SHARE);
    CU_ASSERT_EQUAL(f[0].groups[0]->next->kind, DS_SELECT_NODES);
    CU_ASSERT_EQUAL(f[0].groups[0]->next->last, 9);
    CU_ASSERT_EQUAL(f[0].groups[1]->kind, DS_SELECT_REST);
    CU_ASSERT_EQUAL(f[1].nodes->ppm, 100000);
    CU_ASSERT_EQUAL(f[1].nodes->of->kind, DS_SELECT_ROLE);
    CU_ASSERT_EQUAL(f[2].nodes->kind, DS_SELECT_TOP);
    CU_ASSERT_EQUAL(f[2].factor, 2.5);
    CU_ASSERT_EQUAL(f[3].src->next->number, 1);
    CU_ASSERT_EQUAL(f[3].dst->count, 3);
    CU_ASSERT(!f[3].both);
    CU_ASSERT_EQUAL(f[3].place.line, 26);
    CU_ASSERT_EQUAL(f[3].place.column, 5);
}

static void test_fields(void)
{
    struct ds_scenario s;
    CU_ASSERT_FATAL(load(rich, NULL, 0, &s));
    CU_ASSERT_EQUAL(s.seed, 7);
    CU_ASSERT_EQUAL(s.duration_ns, 1800000000000);
    CU_ASSERT_EQUAL(s.max_time_ns, s.duration_ns);
    CU_ASSERT_EQUAL(s.network.topology, DS_TOPOLOGY_GENERATE);
    CU_ASSERT_EQUAL(s.network.generate.kind, DS_GENERATE_WATTS_STROGATZ);
    CU_ASSERT_EQUAL(s.network.generate.degree, 6);
    CU_ASSERT_EQUAL(s.network.generate.p, 0.1);
    CU_ASSERT_EQUAL(s.network.bandwidth_up, 10000000);
    CU_ASSERT_EQUAL(s.network.bandwidth_down, 0);
    CU_ASSERT(s.cpu.none && !s.memo && s.crypto == DS_CRYPTO_MODELLED);
    CU_ASSERT_EQUAL(s.nodes_count, 1000);
    CU_ASSERT_EQUAL(s.groups[2].first, 500);
    CU_ASSERT_EQUAL_FATAL(s.groups[1].mix_count, 4);
    CU_ASSERT_EQUAL(s.groups[1].mix[2].argument, dc_q31_from_double(0.3));
    CU_ASSERT_STRING_EQUAL(s.groups[1].mix[2].name, "partial(0.3)");
    CU_ASSERT_EQUAL(s.groups[1].capacity.args[0], 1099511627776.0);
    CU_ASSERT_EQUAL_FATAL(s.groups[1].links_count, 2);
    CU_ASSERT_EQUAL(s.groups[1].links[1].loss, dc_q31_from_double(0.03));
    CU_ASSERT_EQUAL(s.groups[0].bond.kind, DS_DIST_PARETO);
    CU_ASSERT_EQUAL(s.groups[2].demand.arrivals.kind, DS_DIST_NONE);
    CU_ASSERT_EQUAL(s.protocol.theta, dc_q31_from_double(0.3));
    CU_ASSERT_EQUAL(s.protocol.seats, 0);
    CU_ASSERT_EQUAL(s.protocol.detectors, DC_DETECTOR_MAD);
    CU_ASSERT_EQUAL(s.protocol.lock_tier_ppm[3], 2500000);
    CU_ASSERT_EQUAL(s.protocol.weight_s_ppm, 250000);
    CU_ASSERT_EQUAL(s.protocol.price_gib_epoch, 1000000);
    CU_ASSERT_EQUAL(s.protocol.sprt_alpha, dc_q31_from_double(1e-4));
    CU_ASSERT(s.record.trace && !s.record.blocks && s.record.node_epoch);
    CU_ASSERT_EQUAL_FATAL(s.expects_count, 6);
    CU_ASSERT_EQUAL(s.expects[0].op, DS_OP_HOLDS);
    CU_ASSERT_EQUAL(s.expects[1].value, 5);
    CU_ASSERT_STRING_EQUAL(s.expects[3].metric, "detect_20.partial");
    CU_ASSERT_EQUAL(s.expects[4].value, 4);
    CU_ASSERT_EQUAL(s.expects[5].value, 3221225472.0);
    check_rich_faults(&s);
    round_trip(&s);
    ds_scenario_free(&s);
}

/* The defaults that models/base/params.h states. */
static void test_defaults(void)
{
    struct ds_scenario s;
    CU_ASSERT_FATAL(load("name: d\nduration: 2 epochs\nnetwork: {latency: 1 ms}\n"
                         "nodes: [{name: v, role: validator, count: 513}]\n",
                         NULL, 0, &s));
    const struct dc_params *p = &s.protocol;
    CU_ASSERT_EQUAL(p->seats, 1024);
    CU_ASSERT_EQUAL(p->epoch_blocks, 60);
    CU_ASSERT_EQUAL(p->block_interval_ns, 1000000000);
    CU_ASSERT_EQUAL(p->weight_s_ppm, 350000);
    CU_ASSERT_EQUAL(p->bond_per_unit, 480000000);
    CU_ASSERT_EQUAL(p->fee_inclusion, 10000);
    CU_ASSERT_EQUAL(p->slash_first_ppm, 5000);
    CU_ASSERT_EQUAL(p->detectors, DC_DETECTOR_EWMA | DC_DETECTOR_MAD);
    CU_ASSERT_EQUAL(p->heartbeat_every, 0);
    CU_ASSERT_EQUAL(s.max_time_ns, 3LL * 2 * 60 * 1000000000);
    CU_ASSERT_EQUAL(s.groups[0].bond.kind, DS_DIST_AUTO);
    CU_ASSERT_STRING_EQUAL(s.groups[0].mix[0].name, "honest");
    ds_scenario_free(&s);
}

static void test_overrides(void)
{
    static const char *const set[] = {
        "protocol.theta=5 %",
        "nodes.sto.count=7",
        "nodes[0].count=90",
        "network.bandwidth=1 Gbit",
        "network.bandwidth.up=2 Mbit",
        "cpu.cores=2",
        "nodes[1].strategy['partial(0.5)']=1",
        "nodes.sto.strategy['partial(0.3)']=",
        "faults.slow.factor=3",
        "expect[0]=halted == 0",
        "expect[6]=supply",
        "nodes.sto.links[1].loss=0",
        "seed=42",
        "name=other",
        "network.generate=",
        "network.latency=3 ms",
        "nodes.cli.demand={arrivals: poisson(1 /s)}",
        "faults[0].groups=[['val[0]'], [rest]]",
    };
    struct ds_scenario s;
    CU_ASSERT_FATAL(load(rich, set, sizeof set / sizeof set[0], &s));
    CU_ASSERT_EQUAL(s.protocol.theta, dc_q31_from_double(0.05));
    CU_ASSERT_EQUAL(s.groups[1].count, 7);
    CU_ASSERT_EQUAL(s.groups[0].count, 90);
    CU_ASSERT_EQUAL(s.network.bandwidth_up, 2000000);
    CU_ASSERT_EQUAL(s.network.bandwidth_down, 1000000000);
    CU_ASSERT(!s.cpu.none && s.cpu.cores == 2);
    CU_ASSERT_EQUAL_FATAL(s.groups[1].mix_count, 4);
    CU_ASSERT_STRING_EQUAL(s.groups[1].mix[3].name, "partial(0.5)");
    CU_ASSERT_EQUAL(s.faults[2].factor, 3);
    CU_ASSERT_EQUAL_FATAL(s.expects_count, 7);
    CU_ASSERT_STRING_EQUAL(s.expects[0].metric, "halted");
    CU_ASSERT_EQUAL(s.groups[1].links[1].loss, 0);
    CU_ASSERT_EQUAL(s.seed, 42);
    CU_ASSERT_STRING_EQUAL(s.name, "other");
    CU_ASSERT_EQUAL(s.network.topology, DS_TOPOLOGY_UNIFORM);
    CU_ASSERT_EQUAL(s.network.latency_ns, 3000000);
    CU_ASSERT_EQUAL(s.groups[2].demand.arrivals.args[0], 1);
    round_trip(&s);
    ds_scenario_free(&s);
}

static void test_explain(void)
{
    const struct ds_param *row;
    size_t n = 0;
    for (; (row = ds_param_at(n)) != NULL; n++) {
        struct dc_text text = {0};
        struct dc_error error = {0};
        CU_ASSERT_EQUAL(ds_scenario_explain(row->path, &text, &error), DC_OK);
        CU_ASSERT_PTR_NOT_NULL_FATAL(text.data);
        CU_ASSERT_PTR_NOT_NULL(strstr(text.data, row->meaning));
        CU_ASSERT_EQUAL(strncmp(text.data, row->path, strlen(row->path)), 0);
        CU_ASSERT_PTR_EQUAL(ds_param_find(row->path, strlen(row->path)), row); /* paths differ */
        dc_text_free(&text);
    }
    CU_ASSERT_EQUAL(n, ds_params_count());
    static const char *const same[] = {"nodes.sto.count", "nodes[3].count", "nodes.count"};
    for (size_t i = 0; i < 3; i++) {
        struct dc_text text = {0};
        struct dc_error error = {0};
        CU_ASSERT_EQUAL(ds_scenario_explain(same[i], &text, &error), DC_OK);
        CU_ASSERT_EQUAL(strncmp(text.data, "nodes[].count\n", 14), 0);
        dc_text_free(&text);
    }
    struct dc_text text = {0};
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(ds_scenario_explain("protocol.thetta", &text, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "`protocol.theta`"));
    dc_text_free(&text);
}

/* Walks the schema along a row's path. */
static const struct json *schema_at(const struct json *node, const char *path)
{
    while (*path != '\0' && node != NULL) {
        char word[64];
        size_t n = strcspn(path, ".[");
        snprintf(word, sizeof word, "%.*s", (int)n, path);
        const struct json *any = json_first(json_get(node, "anyOf"));
        node = json_get(json_get(any != NULL ? any : node, "properties"), word);
        path += n;
        if (strncmp(path, "[]", 2) == 0 && path[2] != '\0') {
            node = json_get(node, "items");
            path += 2;
        }
        path += *path == '.';
    }
    return node;
}

static void test_schema(void)
{
    struct dc_text text = {0};
    ds_scenario_schema(&text);
    CU_ASSERT_FATAL(!text.failed);
    struct json *root = json_parse(text.data);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    const struct ds_param *row;
    for (size_t n = 0; (row = ds_param_at(n)) != NULL; n++) {
        const struct json *node = schema_at(root, row->path);
        CU_ASSERT_PTR_NOT_NULL_FATAL(node);
        CU_ASSERT_STRING_EQUAL(json_text(node, "description"), row->meaning);
    }
    CU_ASSERT(json_has_text(json_get(root, "required"), "nodes"));
    json_free(root);
    dc_text_free(&text);
}

/* scenarios/README.md holds what `destrasim explain reference` prints. */
static void test_reference(void)
{
    struct dc_text text = {0};
    ds_scenario_reference(&text);
    FILE *file = fopen(FOLDER "/README.md", "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    char *page = calloc(1, 1 << 20);
    CU_ASSERT_PTR_NOT_NULL_FATAL(page);
    CU_ASSERT(fread(page, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    CU_ASSERT_PTR_NOT_NULL(strstr(page, text.data));
    free(page);
    dc_text_free(&text);
}

static uint64_t chosen(const struct ds_population *p, const struct ds_selector *s, uint64_t id,
                       bool *member)
{
    memset(member, 0, p->scenario->nodes_count);
    uint64_t said = ds_selector_match(s, p, 1, id, member), count = 0;
    for (uint64_t i = 0; i < p->scenario->nodes_count; i++)
        count += member[i];
    CU_ASSERT_EQUAL(said, count);
    return count;
}

static void test_match(void)
{
    struct ds_scenario s;
    CU_ASSERT_FATAL(load(rich, NULL, 0, &s));
    uint64_t power[1000], centrality[1000];
    bool a[1000], b[1000];
    for (uint64_t i = 0; i < 1000; i++) {
        power[i] = i < 100 ? i * 10 : 0;
        centrality[i] = 1000 - i;
    }
    struct ds_population p = {.scenario = &s, .power = power, .centrality = centrality};
    CU_ASSERT_EQUAL(chosen(&p, s.faults[0].groups[0], 1, a), 50);
    for (uint64_t i = 0; i < 1000; i++)
        CU_ASSERT(!a[i] || i < 10 || (i >= 100 && i < 500));
    CU_ASSERT_EQUAL(chosen(&p, s.faults[1].nodes, 1, a), 10);
    CU_ASSERT_EQUAL(chosen(&p, s.faults[1].nodes, 1, b), 10);
    CU_ASSERT_EQUAL(memcmp(a, b, sizeof a), 0);
    CU_ASSERT_EQUAL(chosen(&p, s.faults[1].nodes, 2, b), 10); /* another fault, other nodes */
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof a), 0);
    CU_ASSERT_EQUAL(chosen(&p, s.faults[2].nodes, 1, a), 5);
    CU_ASSERT(a[95] && a[96] && a[97] && a[98] && a[99]);
    CU_ASSERT_EQUAL(chosen(&p, s.faults[3].src, 1, a), 500);
    CU_ASSERT_EQUAL(chosen(&p, s.faults[3].dst, 1, a), 3);
    CU_ASSERT_EQUAL(chosen(&p, s.faults[0].groups[1], 1, a), 0);
    ds_scenario_free(&s);
}

static void test_match_regions(void)
{
    struct ds_scenario s;
    CU_ASSERT_FATAL(load("name: r\nduration: 2 epochs\nnetwork: {regions: data/aws-regions.csv}\n"
                         "nodes: [{name: v, role: validator, count: 12, place: {eu*: 1}}]\n"
                         "faults: [{at: 1 s, kind: crash, nodes: region eu*},\n"
                         "         {at: 1 s, kind: crash, nodes: 2 of region us-east-1}]\n",
                         NULL, 0, &s));
    CU_ASSERT_EQUAL_FATAL(s.network.regions_count, 6);
    CU_ASSERT_STRING_EQUAL(s.network.region_names[5], "ap-northeast-1");
    uint32_t region[12];
    bool member[12];
    for (uint32_t i = 0; i < 12; i++)
        region[i] = i % 6;
    struct ds_population p = {.scenario = &s, .region = region};
    CU_ASSERT_EQUAL(chosen(&p, s.faults[0].nodes, 1, member), 6);
    CU_ASSERT(!member[0] && !member[1] && member[2] && member[3] && member[4] && !member[5]);
    CU_ASSERT_EQUAL(chosen(&p, s.faults[1].nodes, 1, member), 2);
    CU_ASSERT(member[0] && member[6]);
    ds_scenario_free(&s);
}

/* Whichever request for memory fails, loading ends with a clean refusal. */
static void test_memory(void)
{
    for (uint64_t budget = 0;; budget++) {
        struct ds_scenario s;
        struct ds_diagnostics d = {0};
        dc_mem_budget(budget);
        enum dc_status status = ds_scenario_load(FOLDER "/smoke.yaml", NULL, 0, &s, &d);
        dc_mem_budget(UINT64_MAX);
        ds_scenario_free(&s);
        ds_diagnostics_free(&d);
        if (status == DC_OK)
            break;
        CU_ASSERT_EQUAL(status, DC_ERR_IO);
        CU_ASSERT_FATAL(budget < 10000);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"every file of scenarios/ loads and comes back", test_all_files},
        {"fields of the struct", test_fields},
        {"defaults", test_defaults},
        {"--set", test_overrides},
        {"explain covers the table", test_explain},
        {"schema is JSON and covers the table", test_schema},
        {"the reference page is up to date", test_reference},
        {"selectors", test_match},
        {"selectors of regions", test_match_regions},
        {"memory runs out at every request", test_memory},
    };
    return TEST_MAIN("scenario", cases);
}

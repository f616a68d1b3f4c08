/* The calls that clients get (sim/world/demand.c), from its inside: a world of nothing but names,
 * groups and deals is enough, because calls are pure functions of seed, client and ordinal. */
#include "sim/world/inside.h"
#include "sim/world/population.h"
#include "tests/support/harness.h"

#include <gsl/gsl_cdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ll
#define METER ((uint64_t)1 << 63)
enum { CLIENTS = 20, NODES = 40, DEALS = 40 };

struct town {
    struct ds_scenario scenario;
    struct ds_world w;
    struct world_genesis genesis;
    struct dc_deal deal[DEALS];
    const struct ds_group *group[NODES + CLIENTS];
    uint64_t identity[NODES + CLIENTS];
};

static const char trace[] = "time,a,b\n0,0.5,0.25\n100,0.505,1\n200,0.1,0.125\n";

/* demand: what the clients' section says; traced: the service group follows the trace above. */
static struct town *town_create(const char *demand, bool traced)
{
    struct town *t = calloc(1, sizeof *t);
    char text[1024];
    snprintf(
        text, sizeof text,
        "name: t\nduration: 2 h\nnetwork: {latency: 1 ms}\nnodes:\n"
        "  - {name: val, role: validator, count: 0}\n  - {name: one, role: validator, count: 0}\n"
        "  - {name: sto, role: service, count: %d%s}\n"
        "  - {name: cli, role: client, count: %d, demand: {%s}}\n",
        NODES, traced ? ", trace: u.csv" : "", CLIENTS, demand);
    char *role = strstr(text, "count: 0}\n  - {name: sto");
    role[7] = '1'; /* a scenario needs a validator; this town does without its account */
    struct ds_input input = {"u.csv", trace, sizeof trace - 1};
    struct ds_source source = {
        .name = "t", .text = text, .size = strlen(text), .inputs = &input, .inputs_count = 1};
    struct ds_diagnostics d = {0};
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_scenario_load_text(&source, NULL, 0, &t->scenario, &d), DC_OK);
    ds_diagnostics_free(&d);
    t->w.scenario = &t->scenario;
    t->w.luck = t->scenario.seed;
    t->w.nodes = NODES + CLIENTS;
    t->w.end_ns = t->scenario.duration_ns;
    t->w.group = t->group;
    t->w.identity = t->identity;
    for (uint32_t n = 0; n < NODES + CLIENTS; n++) {
        t->group[n] = &t->scenario.groups[n < NODES ? 2 : 3];
        t->identity[n] = dc_name_indexed(t->group[n]->name, n < NODES ? n : n - NODES);
    }
    for (uint32_t i = 0; i < DEALS; i++) /* two deals a node */
        t->deal[i] = (struct dc_deal){
            .node = i / 2, .client = NODES + i % CLIENTS, .size_bytes = (i + 1) * 8192};
    t->genesis = (struct world_genesis){.deal = t->deal, .deals = DEALS};
    CU_ASSERT_EQUAL_FATAL(world_traces_create(&t->w, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(world_demand_create(&t->w, &t->genesis, &error), DC_OK);
    return t;
}

static void town_free(struct town *t)
{
    world_demand_free(&t->w);
    ds_scenario_free(&t->scenario);
    free(t);
}

static bool same_call(struct dc_call a, struct dc_call b)
{
    return a.kind == b.kind && a.object == b.object && a.size_bytes == b.size_bytes;
}

/* A shape moves calls in time and leaves them what they are. */
static void test_common_numbers(void)
{
    struct town *flat = town_create("arrivals: poisson(0.5 /s)", false);
    struct town *day =
        town_create("arrivals: poisson(0.5 /s), diurnal: {amplitude: 0.8, period: 1 h},"
                    "flash: [{at: 50 min, for: 5 min, factor: 20}]",
                    false);
    for (uint32_t c = NODES; c < NODES + CLIENTS; c++) {
        int64_t a = 1, b = 1;
        for (uint64_t n = 0; n < 200; n++) {
            struct dc_stream s =
                dc_stream(flat->scenario.seed, flat->identity[c], dc_name("arrival"));
            int64_t gap = ds_arrivals_gap_at(&flat->w.arrivals, 2 * SECOND, dc_stream_at(&s, n));
            int64_t next = world_next_call(&flat->w, c, n, a);
            CU_ASSERT_EQUAL(next, a + gap); /* as ever */
            a = next;
            b = world_next_call(&day->w, c, n, b);
            CU_ASSERT(same_call(world_call(&flat->w, c, n, a), world_call(&day->w, c, n, b)));
        }
        CU_ASSERT(b < a); /* the first hour's first half is busy */
    }
    town_free(day);
    town_free(flat);
}

/* In a crowd, a share of the gets asks for one object, the same for all clients: binomial, both
 * tails at 0.001.  Before and after, calls are those without the crowd. */
static void test_focus(void)
{
    static const char *const plain =
        "arrivals: poisson(1 /s), put_share: 0.25, popularity: zipf(0)";
    char crowd[256];
    snprintf(crowd, sizeof crowd, "%s, flash: [{at: 10 min, for: 60 s, factor: 5, focus: 0.6}]",
             plain);
    struct town *a = town_create(plain, false), *b = town_create(crowd, false);
    uint64_t gets = 0, wanted[DEALS] = {0};
    for (uint32_t c = NODES; c < NODES + CLIENTS; c++)
        for (uint64_t n = 0; n < 100; n++) {
            struct dc_call without = world_call(&a->w, c, n, 620 * SECOND);
            struct dc_call with = world_call(&b->w, c, n, 620 * SECOND);
            CU_ASSERT_EQUAL(without.kind, with.kind);
            CU_ASSERT(same_call(without, world_call(&b->w, c, n, 600 * SECOND - 1)));
            CU_ASSERT(same_call(without, world_call(&b->w, c, n, 660 * SECOND)));
            if (with.kind == DC_CALL_PUT) {
                CU_ASSERT(same_call(without, with));
                continue;
            }
            gets++;
            wanted[with.object]++;
        }
    uint64_t most = 0;
    for (int i = 0; i < DEALS; i++)
        most = wanted[i] > most ? wanted[i] : most;
    double p = 0.6 + 0.4 / DEALS; /* zipf(0): the rest asks for it as for any other */
    CU_ASSERT(gets > 1300);
    CU_ASSERT(gsl_cdf_binomial_P((unsigned)most, p, (unsigned)gets) > 0.001);
    CU_ASSERT(gsl_cdf_binomial_Q((unsigned)most - 1, p, (unsigned)gets) > 0.001);
    town_free(b);
    town_free(a);
}

/* A deal's chain of metering calls says what the series says, soon after it does, in order. */
static void test_metering(void)
{
    struct town *t = town_create("arrivals: none", true);
    unsigned series[2] = {0};
    for (uint32_t i = 0; i < DEALS; i++) {
        uint32_t node = t->deal[i].node, client = t->deal[i].client;
        bool b = world_trace_max(&t->w, node) == DC_ONE;
        series[b]++;
        CU_ASSERT(world_traced(&t->w, node) && !world_traced(&t->w, client));
        CU_ASSERT_EQUAL(world_trace_at(&t->w, node, 150 * SECOND),
                        b ? DC_ONE : dc_q31_from_double(0.505));
        CU_ASSERT_EQUAL(world_next_call(&t->w, client, 0, 1), INT64_MAX); /* no demand of its own */
        /* a: 0.5, (0.505 is not told), 0.1, from the beginning; b: 0.25, 1, 0.125 ... */
        static const double told[2][7] = {{0.5, 0.1, 0.5, 0.1, 0.5, 0.1, 0.5},
                                          {0.25, 1, 0.125, 0.25, 1, 0.125, 0.25}};
        static const int64_t due[2][7] = {{0, 200, 300, 500, 600, 800, 900},
                                          {0, 100, 200, 300, 400, 500, 600}};
        int64_t delay = 0;
        for (uint64_t n = 1; n < 7; n++) {
            uint64_t payload = METER | (uint64_t)i << 32 | n;
            int64_t at = world_next_call(&t->w, client, payload, 1);
            struct dc_call call = world_call(&t->w, client, payload, at);
            delay = n == 1 ? at - due[b][n] * SECOND : delay;
            CU_ASSERT_EQUAL(at, due[b][n] * SECOND + delay); /* a deal's own moment */
            CU_ASSERT(delay > 0 && delay <= 25 * SECOND);
            CU_ASSERT_EQUAL(call.kind, DC_CALL_METER);
            CU_ASSERT_EQUAL(call.object, i);
            double share = told[b][n] / (b ? 1 : 0.505);
            double want = (double)t->deal[i].size_bytes * share;
            CU_ASSERT(call.size_bytes <= t->deal[i].size_bytes);
            CU_ASSERT((double)call.size_bytes > want - 2 && (double)call.size_bytes < want + 1);
        }
        CU_ASSERT_EQUAL(world_next_call(&t->w, client, METER | (uint64_t)i << 32 | 100000, 1),
                        INT64_MAX); /* after the end */
    }
    CU_ASSERT(series[0] >= 8 && series[1] >= 8); /* 20 nodes choose: fewer has a chance of 0.0004 */
    town_free(t);
}

static void test_memory(void)
{
    struct town *t = town_create("flash: [{at: 1 s, for: 1 s, factor: 2}]", true);
    struct dc_error error = {0};
    enum dc_status s = DC_ERR_IO;
    for (uint64_t budget = 0; s != DC_OK && budget < 100; budget++) {
        world_demand_free(&t->w);
        error = (struct dc_error){0};
        dc_mem_budget(budget);
        s = world_traces_create(&t->w, &error);
        if (s == DC_OK)
            s = world_demand_create(&t->w, &t->genesis, &error);
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT(s == DC_OK || s == DC_ERR_IO);
    }
    CU_ASSERT_EQUAL(s, DC_OK);
    town_free(t);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a shape leaves calls what they are", test_common_numbers},
        {"a crowd wants one object", test_focus},
        {"metering follows the trace", test_metering},
        {"memory runs out at every request", test_memory},
    };
    return TEST_MAIN("calls", cases);
}

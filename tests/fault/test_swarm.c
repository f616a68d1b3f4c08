/* Random runs: every one loads, asks no more than the protocol promises, and depends on its own number
 * alone; between them they cover what can be drawn. */
#include "sim/fault/swarm.h"

#include "models/base/mem.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>

#define RUNS 2000

static const char base_text[] = "name: base\nduration: 60 s\nnetwork: {latency: 40 ms}\nnodes:\n"
                                "  - {name: val, role: validator, count: 7, bond: 2000 DSYNC}\n"
                                "  - {name: sto, role: service, count: 3, bond: 1000 DSYNC}\n"
                                "  - {name: cli, role: client, count: 2}\n"
                                "protocol: {epoch_blocks: 12, block_interval: 500 ms, g_min: 1}\n"
                                "expect: [safety]\nsometimes: [rounds_timed_out > 0]\n";

static void load(const char *text, size_t size, struct ds_scenario *out)
{
    struct ds_source source = {.name = "swarm", .text = text, .size = size};
    struct ds_diagnostics d = {0};
    if (ds_scenario_load_text(&source, NULL, 0, out, &d) != DC_OK) {
        struct dc_text said = {0};
        ds_diagnostics_print(&d, &said);
        fprintf(stderr, "%s\n%s", text, said.data);
        dc_text_free(&said);
        CU_FAIL("a run of the swarm does not load");
    }
    ds_diagnostics_free(&d);
}

static void draw(const struct ds_swarm *swarm, uint64_t run, struct ds_scenario *out)
{
    struct dc_text text = {0};
    ds_swarm_print(swarm, run, &text);
    CU_ASSERT_FALSE_FATAL(text.failed);
    load(text.data, text.size, out);
    dc_text_free(&text);
}

/* What was seen over all runs. */
struct seen {
    uint64_t kinds[DS_FAULT_KINDS], behaviours[DS_BEHAVIOUR_COLLUDE + 1], disks[DS_DISK_FULL + 1];
    uint64_t alone[DS_FAULT_KINDS]; /* runs without the kind */
    uint64_t validators[17], corrupt, amnesia, every, quorum_small, none;
    uint64_t seeds[RUNS];
};

static void look_at_fault(const struct ds_scenario *s, const struct ds_fault *f, struct seen *seen)
{
    seen->kinds[f->kind]++;
    seen->behaviours[f->behaviour] += f->kind == DS_FAULT_BYZANTINE;
    seen->disks[f->disk] += f->kind == DS_FAULT_DISK;
    seen->every += f->every.kind != DS_DIST_NONE;
    seen->amnesia += f->kind == DS_FAULT_CRASH && f->state == DS_STATE_NONE;
    CU_ASSERT_TRUE(f->at_ns < s->heal.at_ns);
}

static void look_at(const struct ds_scenario *s, uint64_t run, struct seen *seen)
{
    struct ds_swarm_demand demand = ds_swarm_demand(s);
    bool has[DS_FAULT_KINDS] = {false}, twins = false, collude = false;
    CU_ASSERT_TRUE(demand.corrupt * 3 < 1);
    CU_ASSERT_TRUE(demand.quorum * 3 > 2);
    CU_ASSERT_TRUE(ds_swarm_fair(demand, demand));
    CU_ASSERT_TRUE_FATAL(s->validators_count >= 4 && s->validators_count <= 16);
    CU_ASSERT_TRUE(s->heal.given && s->heal.at_ns + s->heal.within_ns <= s->max_time_ns);
    CU_ASSERT_EQUAL(s->protocol.seats, 0);
    CU_ASSERT_EQUAL(s->sometimes_count, 0); /* they are the campaign's, not the run's */
    seen->validators[s->validators_count]++;
    seen->corrupt += demand.corrupt > 0;
    seen->quorum_small += demand.quorum < 1;
    seen->none += s->faults_count == 0;
    seen->seeds[run] = s->seed;
    for (size_t i = 0; i < s->faults_count; i++) {
        const struct ds_fault *f = &s->faults[i];
        look_at_fault(s, f, seen);
        has[f->kind] = true;
        twins |= f->kind == DS_FAULT_BYZANTINE && f->behaviour == DS_BEHAVIOUR_TWINS;
        collude |= f->kind == DS_FAULT_BYZANTINE && f->behaviour == DS_BEHAVIOUR_COLLUDE;
    }
    CU_ASSERT_FALSE(twins && collude);
    for (size_t k = 0; k < DS_FAULT_KINDS; k++)
        seen->alone[k] += !has[k];
}

static void test_many(void)
{
    struct ds_scenario base, s;
    static struct seen seen;
    load(base_text, strlen(base_text), &base);
    struct ds_swarm swarm = {.base = &base, .seed = 1};
    for (uint64_t run = 0; run < RUNS; run++) {
        draw(&swarm, run, &s);
        look_at(&s, run, &seen);
        ds_scenario_free(&s);
    }
    for (size_t k = 0; k < DS_FAULT_SWARM_KINDS; k++) {
        CU_ASSERT_TRUE(seen.kinds[k] > RUNS / 20);
        CU_ASSERT_TRUE(seen.alone[k] > RUNS / 4); /* a swarm: often it is left out */
    }
    for (size_t k = 0; k <= DS_BEHAVIOUR_COLLUDE; k++)
        CU_ASSERT_TRUE(seen.behaviours[k] > 0);
    for (size_t k = 0; k <= DS_DISK_FULL; k++)
        CU_ASSERT_TRUE(seen.disks[k] > 0);
    for (size_t n = 4; n <= 16; n++)
        CU_ASSERT_TRUE(seen.validators[n] > 0);
    CU_ASSERT_TRUE(seen.corrupt > RUNS / 4 && seen.amnesia > 0 && seen.every > RUNS / 4);
    CU_ASSERT_TRUE(seen.quorum_small > RUNS / 4 && seen.none < RUNS / 50);
    for (uint64_t a = 0; a < RUNS; a++)
        for (uint64_t b = a + 1; b < RUNS; b++)
            CU_ASSERT_NOT_EQUAL(seen.seeds[a], seen.seeds[b]);
    ds_scenario_free(&base);
}

/* A run is a function of (base, seed, number). */
static void test_named(void)
{
    struct ds_scenario base;
    load(base_text, strlen(base_text), &base);
    struct ds_swarm one = {.base = &base, .seed = 1}, two = {.base = &base, .seed = 2};
    struct dc_text first = {0}, again = {0}, other = {0};
    ds_swarm_print(&one, 7, &first);
    ds_swarm_print(&one, 8, &other);
    ds_swarm_print(&one, 7, &again);
    CU_ASSERT_STRING_EQUAL(first.data, again.data);
    CU_ASSERT_STRING_NOT_EQUAL(first.data, other.data);
    dc_text_free(&other);
    ds_swarm_print(&two, 7, &other);
    CU_ASSERT_STRING_NOT_EQUAL(first.data, other.data);
    dc_text_free(&first);
    dc_text_free(&again);
    dc_text_free(&other);
    ds_scenario_free(&base);
}

/* Only these kinds. */
static void test_kinds(void)
{
    struct ds_scenario base, s;
    load(base_text, strlen(base_text), &base);
    struct ds_swarm swarm = {
        .base = &base, .seed = 3, .kinds = 1u << DS_FAULT_CRASH | 1u << DS_FAULT_RING};
    for (uint64_t run = 0; run < 200; run++) {
        draw(&swarm, run, &s);
        CU_ASSERT_TRUE(s.faults_count > 0);
        for (size_t i = 0; i < s.faults_count; i++)
            CU_ASSERT_TRUE(s.faults[i].kind == DS_FAULT_CRASH || s.faults[i].kind == DS_FAULT_RING);
        ds_scenario_free(&s);
    }
    ds_scenario_free(&base);
}

/* Bases of other shapes: faults of their own, unequal bonds, scores that move power, many groups. */
static const char base_own[] =
    "name: own\nduration: 5 epochs\nnetwork: {generate: {kind: geometric, nodes: 8}}\nnodes:\n"
    "  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}\n"
    "faults: [{id: mine, kind: crash, at: 1 s, nodes: 'val[0]', restart: 1 s}]\n";
static const char base_two[] =
    "name: two\nduration: 9 s\nnetwork: {latency: 1 ms}\nnodes:\n"
    "  - {name: big, role: validator, count: 3, bond: 9000 DSYNC}\n"
    "  - {name: small, role: validator, count: 4, bond: 1000 DSYNC}\n"
    "  - {name: ring, role: service, count: 6, bond: 1000 DSYNC, strategy: washer(3)}\n"
    "protocol: {g_min: 0.5}\n";
static const char base_drawn[] =
    "name: drawn\nduration: 9 s\nnetwork: {latency: 1 ms}\nnodes:\n"
    "  - {name: val, role: validator, count: 9, bond: 'pareto(2000 DSYNC, 1.6)'}\n";

static void test_bases(void)
{
    static const char *const bases[] = {base_own, base_two, base_drawn};
    for (size_t k = 0; k < sizeof bases / sizeof bases[0]; k++) {
        struct ds_scenario base, s;
        load(bases[k], strlen(bases[k]), &base);
        struct ds_swarm swarm = {.base = &base, .seed = 1};
        uint64_t corrupt = 0, own = 0;
        for (uint64_t run = 0; run < 300; run++) {
            draw(&swarm, run, &s);
            struct ds_swarm_demand demand = ds_swarm_demand(&s);
            CU_ASSERT_TRUE(3 * demand.corrupt < 1);
            CU_ASSERT_TRUE(k == 2 || 3 * demand.quorum > 2);
            corrupt += demand.corrupt > 0;
            own += s.faults_count > 0 && strcmp(s.faults[0].id, "mine") == 0;
            ds_scenario_free(&s);
        }
        CU_ASSERT_TRUE(k == 2 ? corrupt == 0 : corrupt > 0); /* nothing is known of drawn bonds */
        CU_ASSERT_EQUAL(own, k == 0 ? 300 : 0);
        ds_scenario_free(&base);
    }
}

/* What may not be asked for. */
static void test_demand(void)
{
    static const struct {
        const char *more;
        double corrupt, quorum;
    } cases[] = {
        {"", 0, 1},
        {"faults: [{kind: byzantine, at: 1 s, nodes: 'val[0..1]', behaviour: twins}]\n", 2 / 7.0,
         1},
        {"faults: [{kind: byzantine, at: 1 s, nodes: 'val[0]', behaviour: spam},\n"
         "  {kind: crash, at: 2 s, nodes: 'val[0..1]', state: none}]\n",
         2 / 7.0, 1},
        {"faults: [{kind: crash, at: 2 s, nodes: validators, state: durable}]\n", 0, 1},
        {"faults: [{kind: disk, at: 2 s, nodes: 'val[3]', disk: lost_fsync}]\n", 1 / 7.0, 1},
        {"faults: [{kind: byzantine, at: 1 s, nodes: leaders, behaviour: twins}]\n", 1, 1},
        {"faults: [{kind: exit, at: 1 s, nodes: 'val[0]'},\n"
         "  {kind: byzantine, at: 1 s, nodes: 'val[1..2]', behaviour: twins}]\n",
         2 / 6.0, 1},
        {"heal: {at: 10 s, within: 20 s, quorum: 'val[0..4]'}\n", 0, 5 / 7.0},
        {"heal: {at: 10 s, within: 20 s, quorum: 'val[0..4]'}\n"
         "faults: [{kind: byzantine, at: 1 s, nodes: 'val[0]', behaviour: twins}]\n",
         1 / 7.0, 4 / 7.0},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct ds_scenario s;
        struct dc_text text = {0};
        dc_text_printf(&text, "%s%s", base_text, cases[k].more);
        load(text.data, text.size, &s);
        struct ds_swarm_demand demand = ds_swarm_demand(&s);
        CU_ASSERT_DOUBLE_EQUAL(demand.corrupt, cases[k].corrupt, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(demand.quorum, cases[k].quorum, 1e-9);
        struct ds_swarm_demand none = {0, 1};
        CU_ASSERT_EQUAL(ds_swarm_fair(demand, none),
                        3 * cases[k].corrupt < 0.999 && 3 * cases[k].quorum > 2.001);
        CU_ASSERT_TRUE(ds_swarm_fair(demand, demand));
        ds_scenario_free(&s);
        dc_text_free(&text);
    }
}

/* Brief text means the same as all of it. */
static void test_brief(void)
{
    struct ds_scenario base, s, again;
    load(base_text, strlen(base_text), &base);
    struct ds_swarm swarm = {.base = &base, .seed = 5};
    for (uint64_t run = 0; run < 300; run++) {
        struct dc_text brief = {0}, whole = {0}, back = {0};
        draw(&swarm, run, &s);
        ds_scenario_print_brief(&s, &brief);
        load(brief.data, brief.size, &again);
        ds_scenario_print_resolved(&s, &whole);
        ds_scenario_print_resolved(&again, &back);
        CU_ASSERT_STRING_EQUAL(whole.data, back.data);
        CU_ASSERT_TRUE(brief.size < whole.size / 2 + 2000);
        dc_text_free(&brief);
        dc_text_free(&whole);
        dc_text_free(&back);
        ds_scenario_free(&s);
        ds_scenario_free(&again);
    }
    ds_scenario_free(&base);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"many runs", test_many},    {"a run has a name", test_named}, {"some kinds", test_kinds},
        {"other bases", test_bases}, {"demand", test_demand},          {"brief text", test_brief},
    };
    return TEST_MAIN("swarm", cases);
}

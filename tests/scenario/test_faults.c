/* Faults as they are written: every kind, what is refused, ids, and the selectors that look at stake
 * and at leaders. */
#include "models/base/mem.h"
#include "sim/scenario/load.h"
#include "sim/scenario/scenario.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>

#define HEAD                                                                                       \
    "name: f\nduration: 100 s\nnetwork: {latency: 5 ms, channels: real}\nnodes:\n"                 \
    "  - {name: val, role: validator, count: 20}\n  - {name: sto, role: service, count: 4}\n"      \
    "faults:\n"

static const char outages[] = "node,down_s,up_s\nsto[0],1,2\n";

static enum dc_status load(const char *text, struct ds_scenario *s, struct dc_text *said)
{
    struct ds_input input = {"o.csv", outages, sizeof outages - 1};
    struct ds_source source = {
        .name = "f", .text = text, .size = strlen(text), .inputs = &input, .inputs_count = 1};
    struct ds_diagnostics d = {0};
    enum dc_status status = ds_scenario_load_text(&source, NULL, 0, s, &d);
    if (said != NULL)
        ds_diagnostics_print(&d, said);
    ds_diagnostics_free(&d);
    return status;
}

/* One line for each kind, in the order of enum ds_fault_kind, and the words that its printed form
 * must hold. */
static const struct {
    const char *line, *words[4];
} kinds[DS_FAULT_KINDS] = {
    {"{at: 1 s, kind: crash, nodes: val, restart: 3 s, state: none, every: 'exponential(5 s)', "
     "times: 4, reselect: 2 s}",
     {"state: none", "every: exponential(5 s)", "times: 4", "reselect: 2 s"}},
    {"{at: 1 s, for: 2 s, kind: pause, nodes: 3 of val}", {"for: 2 s", "nodes: 3 of val"}},
    {"{at: 1 s, kind: slow_cpu, nodes: sto, factor: 7}", {"factor: 7", "for: ever"}},
    {"{at: 1 s, for: 9 s, kind: disk, disk: torn_write, nodes: 'val[2]', restart: 1 s}",
     {"disk: torn_write", "restart: 1 s"}},
    {"{at: 1 s, kind: clock, nodes: val, ahead: 200 ms, rate: 1.001}",
     {"ahead: 200 ms", "behind: 0 s", "rate: 1.001"}},
    {"{at: 1 s, kind: link, src: val, dst: sto, both: off, latency: 'uniform(1 ms, 9 ms)', "
     "burst_loss: 0.5, duplicate: 1 %, reorder: 0.25, corrupt: 0.125, replay: 0.0625, messages: "
     "[vote, pull]}",
     {"messages: [vote, pull]", "latency: uniform(1 ms, 9 ms)", "burst_length: 1 s", "both: off"}},
    {"{at: 1 s, for: 2 s, kind: clog, messages: proposal}", {"messages: [proposal]"}},
    {"{at: 1 s, kind: partition, groups: [[val], [rest]]}", {"- val", "- rest"}},
    {"{at: 1 s, kind: isolate, nodes: 'val[0]'}", {"kind: isolate"}},
    {"{at: 1 s, kind: one_way, src: val, dst: sto}", {"src: val", "dst: sto"}},
    {"{at: 1 s, kind: bridge, nodes: 'val[9]', groups: [['val[0..8]'], [rest]]}",
     {"val[9]", "val[0..8]"}},
    {"{at: 1 s, kind: ring, nodes: val}", {"kind: ring"}},
    {"{at: 1 s, kind: eclipse, nodes: 'val[0]', attackers: sto}", {"attackers: sto"}},
    {"{at: 1 s, for: 8 s, kind: asynchrony, latency: 'exponential(2 s)', loss: 0.5}",
     {"latency: exponential(2 s)", "loss: 0.5"}},
    {"{kind: churn, nodes: sto, mtbf: 'weibull(6 s, 0.7)', mttr: 'lognormal(1 s, 1)'}",
     {"mtbf: weibull(6 s, 0.7)", "mttr: lognormal(1 s, 1)", "at: 0 s"}},
    {"{at: 1 s, kind: exit, nodes: sto, notice: 4 s}", {"notice: 4 s"}},
    {"{at: 1 s, kind: join, nodes: sto}", {"kind: join"}},
    {"{at: 1 s, kind: byzantine, behaviour: delay, nodes: coming leaders, delay: 5 s, share: 0.5, "
     "budget: 2, reselect: 1 s}",
     {"behaviour: delay", "victims: 50 % of all", "budget: 2", "nodes: coming leaders"}},
    {"{at: 1 s, kind: grief, nodes: sto, latency_add: 1 s}", {"count: 10"}},
    {"{at: 1 s, kind: mitm, src: val, dst: sto}", {"src: val", "dst: sto"}},
    {"{at: 1 s, kind: revoke, nodes: 'val[0]'}", {"kind: revoke"}},
};

static void test_kinds(void)
{
    for (uint32_t k = 0; k < DS_FAULT_KINDS; k++) {
        char text[1200];
        struct ds_scenario s, again;
        struct dc_text said = {0}, printed = {0}, twice = {0};
        snprintf(text, sizeof text, HEAD "  - %s\n", kinds[k].line);
        if (load(text, &s, &said) != DC_OK)
            printf("\n%s%s", text, said.data);
        CU_ASSERT_EQUAL_FATAL(s.faults_count, 1);
        CU_ASSERT_EQUAL(s.faults[0].kind, k);
        ds_scenario_print_resolved(&s, &printed);
        for (int i = 0; i < 4 && kinds[k].words[i] != NULL; i++) {
            bool there = strstr(printed.data, kinds[k].words[i]) != NULL;
            if (!there)
                printf("\nno `%s` in\n%s", kinds[k].words[i], printed.data);
            CU_ASSERT(there);
        }
        CU_ASSERT_EQUAL_FATAL(load(printed.data, &again, NULL), DC_OK);
        ds_scenario_print_resolved(&again, &twice);
        CU_ASSERT_STRING_EQUAL(printed.data, twice.data);
        ds_scenario_free(&s);
        ds_scenario_free(&again);
        dc_text_free(&said);
        dc_text_free(&printed);
        dc_text_free(&twice);
    }
}

static void test_refused(void)
{
    static const struct {
        const char *line, *words;
    } wrong[] = {
        {"{kind: crash, nodes: val}", "`at` is missing"},
        {"{at: 1 s, kind: pause, nodes: val}", "`for` is missing"},
        {"{at: 1 s, kind: clog}", "`for` is missing"},
        {"{at: 1 s, kind: disk, disk: stale_snapshot, nodes: val}", "`for` is missing"},
        {"{at: 1 s, kind: disk, nodes: val}", "`disk` is missing"},
        {"{at: 1 s, kind: clock, nodes: val}", "give ahead, behind or rate"},
        {"{at: 1 s, kind: link}", "this fault changes nothing"},
        {"{at: 1 s, for: 1 s, kind: asynchrony}", "give latency"},
        {"{kind: churn, nodes: sto, mtbf: 1 s}", "mtbf and mttr, both"},
        {"{kind: churn, nodes: sto}", "either mtbf and mttr or a trace"},
        {"{kind: churn, nodes: sto, mtbf: 1 s, mttr: 1 s, trace: o.csv}", "either mtbf"},
        {"{kind: churn, nodes: sto, trace: nowhere.csv}", "nowhere.csv"},
        {"{at: 1 s, kind: crash, nodes: val, times: 3}", "does nothing without `every`"},
        {"{at: 1 s, kind: crash, nodes: val, every: none, for: 3 s}", "`for` does nothing"},
        {"{at: 1 s, kind: byzantine, nodes: val}", "`behaviour` is missing"},
        {"{at: 1 s, kind: byzantine, nodes: val, behaviour: twin}", "did you mean `twins`?"},
        {"{at: 1 s, kind: eclipse, nodes: val}", "`attackers` is missing"},
        {"{at: 1 s, kind: crash, nodes: coming val}", "expected `coming leaders`"},
        {"{at: 1 s, kind: crash, nodes: 20 % of stake val}", "expected `of SELECTOR`"},
        {"{at: 1 s, kind: link, loss: 1, messages: [votes]}", "did you mean `vote`?"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[1200];
        struct ds_scenario s;
        struct dc_text said = {0};
        snprintf(text, sizeof text, HEAD "  - %s\n", wrong[i].line);
        CU_ASSERT_EQUAL(load(text, &s, &said), DC_ERR_USAGE);
        if (said.data == NULL || strstr(said.data, wrong[i].words) == NULL)
            printf("\n%s: no `%s` in: %s", wrong[i].line, wrong[i].words,
                   said.data != NULL ? said.data : "");
        CU_ASSERT(said.data != NULL && strstr(said.data, wrong[i].words) != NULL);
        ds_scenario_free(&s);
        dc_text_free(&said);
    }
}

/* An id is a digest of what is not the default: to write a default out changes nothing. */
static void test_id(void)
{
    static const char *const lines[] = {
        "{at: 1 s, kind: link, loss: 0.5}",
        "{at: 1 s, kind: link, loss: 0.5, for: ever, src: all, messages: all, both: on, every: "
        "none,"
        " burst_loss: 0, reorder_by: 200 ms}",
        "{at: 1 s, kind: link, loss: 0.25}",
    };
    char id[3][64];
    for (int i = 0; i < 3; i++) {
        char text[1200];
        struct ds_scenario s;
        snprintf(text, sizeof text, HEAD "  - %s\n", lines[i]);
        CU_ASSERT_EQUAL_FATAL(load(text, &s, NULL), DC_OK);
        snprintf(id[i], sizeof id[i], "%s", s.faults[0].id);
        ds_scenario_free(&s);
    }
    CU_ASSERT_STRING_EQUAL(id[0], id[1]);
    CU_ASSERT_STRING_NOT_EQUAL(id[0], id[2]);
}

/* Whatever the draw, the chosen hold at most that share of the power, and no other node would still
 * fit; leaders are who the caller says. */
static void test_selectors(void)
{
    struct ds_scenario s;
    uint64_t power[24], total = 0;
    uint32_t leaders[4] = {7, 3, 3, 11};
    CU_ASSERT_EQUAL_FATAL(load(HEAD "  - {at: 1 s, kind: crash, nodes: 30 % of stake of val}\n"
                                    "  - {at: 1 s, kind: crash, nodes: leaders}\n"
                                    "  - {at: 1 s, kind: crash, nodes: coming leaders}\n"
                                    "  - {at: 1 s, kind: crash, nodes: 1 of coming leaders}\n",
                               &s, NULL),
                          DC_OK);
    for (uint32_t n = 0; n < 24; n++) {
        power[n] = n < 20 ? 100 + 7 * n * n : 0;
        total += power[n];
    }
    struct ds_population p = {.scenario = &s, .power = power};
    uint64_t first = 0, same = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        bool member[24] = {false};
        uint64_t taken = 0, bits = 0;
        CU_ASSERT(ds_selector_match(s.faults[0].nodes, &p, seed, 1, member) > 0);
        for (uint32_t n = 0; n < 24; n++) {
            taken += member[n] ? power[n] : 0;
            bits |= (uint64_t)member[n] << n;
        }
        CU_ASSERT(taken * 10 <= total * 3);
        for (uint32_t n = 0; n < 20; n++)
            CU_ASSERT(member[n] || (taken + power[n]) * 10 > total * 3);
        first = seed == 0 ? bits : first;
        same += bits == first;
    }
    CU_ASSERT(same < 10);
    bool member[24] = {false};
    CU_ASSERT_EQUAL(ds_selector_match(s.faults[1].nodes, &p, 1, 1, member), 0); /* nobody known */
    p.leaders = leaders;
    p.leaders_count = 4;
    CU_ASSERT_EQUAL(ds_selector_match(s.faults[1].nodes, &p, 1, 1, member), 1);
    CU_ASSERT(member[7]);
    memset(member, 0, sizeof member);
    CU_ASSERT_EQUAL(ds_selector_match(s.faults[2].nodes, &p, 1, 1, member), 3);
    CU_ASSERT(member[7] && member[3] && member[11]);
    CU_ASSERT_EQUAL(ds_selector_match(s.faults[3].nodes, &p, 1, 1, member), 1);
    ds_scenario_free(&s);
}

static void test_heal(void)
{
    struct ds_scenario s;
    struct dc_text said = {0};
    CU_ASSERT_EQUAL(load(HEAD "  - {at: 1 s, kind: crash, nodes: val}\n"
                              "heal: {at: 40 s, quorum: 70 % of val, within: 30 s}\n"
                              "sometimes: [rounds_timed_out > 0]\n",
                         &s, NULL),
                    DC_OK);
    CU_ASSERT(s.heal.given && s.heal.at_ns == 40000000000 && s.heal.within_ns == 30000000000);
    CU_ASSERT_EQUAL(s.sometimes_count, 1);
    CU_ASSERT_EQUAL(s.expects_count, 0);
    ds_scenario_free(&s);
    CU_ASSERT_EQUAL(
        load(HEAD "  - {at: 1 s, kind: crash, nodes: val}\nheal: {at: 90 s}\n", &s, &said),
        DC_ERR_USAGE);
    CU_ASSERT(strstr(said.data, "beyond the run's end") != NULL);
    dc_text_free(&said);
    ds_scenario_free(&s);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"every kind is read, printed and read again", test_kinds},
        {"what is refused", test_refused},
        {"ids", test_id},
        {"selectors of stake and of leaders", test_selectors},
        {"heal and sometimes", test_heal},
    };
    return TEST_MAIN("faults of scenarios", cases);
}

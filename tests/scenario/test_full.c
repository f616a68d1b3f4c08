/* Every parameter of the adaptive mechanism, of demand over time and of the cast of cheats: read, its
 * default, printed, loaded again.  And for all of the table: a value that is not the default changes
 * the struct where the row says, and the resolved text under the row's own name. */
#include "models/base/mem.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/table.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>

#define FOLDER DESTRA_SOURCE "/scenarios"

static bool load(const char *text, size_t size, const char *const *set, size_t count,
                 struct ds_scenario *out)
{
    struct ds_diagnostics d = {0};
    struct ds_source source = {.name = "full.yaml", .text = text, .size = size, .folder = FOLDER};
    enum dc_status status = ds_scenario_load_text(&source, set, count, out, &d);
    struct dc_text said = {0};
    ds_diagnostics_print(&d, &said);
    if (said.size > 0)
        printf("\n%s", said.data);
    dc_text_free(&said);
    ds_diagnostics_free(&d);
    return status == DC_OK;
}

static const char full[] =
    "name: full\n"
    "duration: 9 epochs\n"
    "network: {latency: 5 ms}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 9, strategy: {honest: 8, lying: 1}}\n"
    "  - name: sto\n"
    "    role: service\n"
    "    count: 100\n"
    "    strategy: {honest: 1, outsourcer: 2, sybil(8): 3, washer(4): 4, washer: 5,\n"
    "               burst(0.75): 6, rational: 7}\n"
    "    rational: {options: {honest: 3, partial(0.5): 1, washer: 1}, revise: 0.1, explore: 0.02,\n"
    "               selection: 2.5, strata: 3}\n"
    "    customers: 7\n"
    "    trace: data/idle-trace.csv\n"
    "    chunk_time: lognormal(1 ms, 0.5)\n"
    "    access_delay: uniform(1 ms, 30 ms)\n"
    "    load_noise: 0.2\n"
    "  - name: cli\n"
    "    role: client\n"
    "    count: 10\n"
    "    demand:\n"
    "      diurnal: {amplitude: 60 %, period: 2 h, phase: 30 min}\n"
    "      flash:\n"
    "        - {at: 1 min, for: 30 s, factor: 12.5, focus: 0.25}\n"
    "        - {at: 2 min, for: 20 s, factor: 2}\n"
    "protocol:\n"
    "  {ablate: [u, q], trigger: either, theta_mode: adaptive, theta_multiple: 1.5,\n"
    "   load_target: 0.25, load_gain: 0.5, verifiers: 4, verifiers_flagged: 8, holt_level: 0.25,\n"
    "   holt_trend: 0.125, ready: on, ready_ratio: 0.75, quiet: on, difficulty: history,\n"
    "   history_keep: 0.5, f_min: 0.25, p_hi: 0.875, p_lo: 0.5, budget: 77, order: ucb, ucb: "
    "2.25,\n"
    "   combine: fisher, detectors: [ewma, mad, cusum, iforest, hst]}\n"
    "faults:\n"
    "  - {id: g, at: 30 s, for: 60 s, kind: grief, nodes: 50 % of sto, count: 5,\n"
    "     latency_add: 700 ms}\n"
    "record: {lift: on}\n"
    "expect: [theta_lift >= 1, wash_margin < 0.5 DSYNC, cheat_share <= 0.2, detect_fdr < 0.05,\n"
    "         flag_recall.sybil >= 0.5, share_by_strategy.washer(4) < 1, lift_loss_audits < 9 %]\n";

static void check_groups(const struct ds_scenario *s)
{
    static const struct {
        const char *name;
        enum ds_strategy strategy;
        double argument;
        uint32_t number;
    } mix[] = {
        {"honest", DS_STRATEGY_HONEST, 0, 1},    {"outsourcer", DS_STRATEGY_OUTSOURCER, 0, 1},
        {"sybil(8)", DS_STRATEGY_SYBIL, 0, 8},   {"washer(4)", DS_STRATEGY_WASHER, 0, 4},
        {"washer", DS_STRATEGY_WASHER, 0, 1},    {"burst(0.75)", DS_STRATEGY_BURST, 0.75, 1},
        {"rational", DS_STRATEGY_RATIONAL, 0, 1}};
    const struct ds_group *g = &s->groups[1];
    CU_ASSERT_EQUAL(s->groups[0].mix[1].strategy, DS_STRATEGY_LYING);
    CU_ASSERT_EQUAL_FATAL(g->mix_count, 7);
    for (size_t i = 0; i < 7; i++) {
        CU_ASSERT_STRING_EQUAL(g->mix[i].name, mix[i].name);
        CU_ASSERT_EQUAL(g->mix[i].strategy, mix[i].strategy);
        CU_ASSERT_EQUAL(g->mix[i].argument, dc_q31_from_double(mix[i].argument));
        CU_ASSERT_EQUAL(g->mix[i].number, mix[i].number);
        CU_ASSERT_EQUAL(g->mix[i].weight, (double)(i + 1));
    }
    CU_ASSERT_EQUAL_FATAL(g->rational.options_count, 3);
    CU_ASSERT_STRING_EQUAL(g->rational.options[1].name, "partial(0.5)");
    CU_ASSERT_EQUAL(g->rational.options[0].weight, 3);
    CU_ASSERT_EQUAL(g->rational.revise, dc_q31_from_double(0.1));
    CU_ASSERT_EQUAL(g->rational.explore, dc_q31_from_double(0.02));
    CU_ASSERT_EQUAL(g->rational.selection, 2.5);
    CU_ASSERT_EQUAL(g->rational.strata, 3);
    CU_ASSERT_EQUAL(g->customers, 7);
    CU_ASSERT_STRING_EQUAL(g->trace, "data/idle-trace.csv");
    CU_ASSERT_EQUAL(g->chunk_time.kind, DS_DIST_LOGNORMAL);
    CU_ASSERT_EQUAL(g->chunk_time.args[0], 1e6);
    CU_ASSERT_EQUAL(g->access_delay.args[1], 30e6);
    CU_ASSERT_EQUAL(g->load_noise, 0.2);
}

static void test_full(void)
{
    struct ds_scenario s, again;
    CU_ASSERT_FATAL(load(full, sizeof full - 1, NULL, 0, &s));
    check_groups(&s);
    const struct ds_demand *d = &s.groups[2].demand;
    CU_ASSERT(d->diurnal.given && d->diurnal.amplitude == dc_q31_from_double(0.6));
    CU_ASSERT_EQUAL(d->diurnal.period_ns, 7200000000000);
    CU_ASSERT_EQUAL(d->diurnal.phase_ns, 1800000000000);
    CU_ASSERT_EQUAL_FATAL(d->flash_count, 2);
    CU_ASSERT(d->flash[0].at_ns == 60000000000 && d->flash[0].for_ns == 30000000000);
    CU_ASSERT(d->flash[0].factor == 12.5 && d->flash[0].focus == DC_ONE / 4);
    CU_ASSERT_EQUAL(d->flash[1].focus, 0);
    const struct dc_params *p = &s.protocol;
    CU_ASSERT_EQUAL(p->ablate, DC_COMPONENT_U | DC_COMPONENT_Q);
    CU_ASSERT_EQUAL(p->trigger, DC_TRIGGER_EITHER);
    CU_ASSERT_EQUAL(p->theta_mode, DC_THETA_ADAPTIVE);
    CU_ASSERT_EQUAL(p->theta_multiple_ppm, 1500000);
    CU_ASSERT(p->load_target == DC_ONE / 4 && p->load_gain == DC_ONE / 2);
    CU_ASSERT(p->verifiers == 4 && p->verifiers_flagged == 8);
    CU_ASSERT(p->holt_level == DC_ONE / 4 && p->holt_trend == DC_ONE / 8);
    CU_ASSERT(p->ready && p->ready_ratio == DC_ONE / 4 * 3 && p->quiet);
    CU_ASSERT(p->difficulty == DC_DIFFICULTY_HISTORY && p->history_keep == DC_ONE / 2);
    CU_ASSERT(p->f_min == DC_ONE / 4 && p->p_hi == DC_ONE / 8 * 7 && p->p_lo == DC_ONE / 2);
    CU_ASSERT(p->budget == 77 && p->order == DC_ORDER_UCB && p->ucb_ppm == 2250000);
    CU_ASSERT_EQUAL(p->combine, DC_COMBINE_FISHER);
    CU_ASSERT_EQUAL(p->detectors, 31);
    const struct ds_fault *f = &s.faults[0];
    CU_ASSERT(f->kind == DS_FAULT_GRIEF && f->count == 5 && f->latency_add_ns == 700000000);
    CU_ASSERT(f->for_ns == 60000000000 && f->nodes->kind == DS_SELECT_SHARE);
    CU_ASSERT(s.record.lift);
    CU_ASSERT_EQUAL_FATAL(s.expects_count, 7);
    CU_ASSERT_EQUAL(s.expects[6].value, 9);
    CU_ASSERT_EQUAL_FATAL(s.inputs_count, 1);
    struct dc_text first = {0}, second = {0};
    ds_scenario_print_resolved(&s, &first);
    struct ds_diagnostics diagnostics = {0};
    struct ds_source source = {.name = "embedded",
                               .text = first.data,
                               .size = first.size,
                               .inputs = s.inputs,
                               .inputs_count = s.inputs_count};
    CU_ASSERT_EQUAL(ds_scenario_load_text(&source, NULL, 0, &again, &diagnostics), DC_OK);
    ds_scenario_print_resolved(&again, &second);
    CU_ASSERT_STRING_EQUAL(first.data, second.data);
    CU_ASSERT_EQUAL(memcmp(&s.protocol, &again.protocol, sizeof s.protocol), 0);
    dc_text_free(&first);
    dc_text_free(&second);
    ds_scenario_free(&again);
    ds_scenario_free(&s);
    ds_diagnostics_free(&diagnostics);
}

static const char plain[] = "name: d\nduration: 2 epochs\nnetwork: {latency: 1 ms}\nnodes:\n"
                            "  - {name: v, role: validator, count: 4}\n"
                            "  - {name: s, role: service, count: 4}\n"
                            "  - {name: c, role: client, count: 4}\n"
                            "faults: [{at: 1 s, kind: grief, nodes: s, latency_add: 1 s}]\n";

/* The defaults that params.h and scenario.h state: everything adaptive is off. */
static void test_defaults(void)
{
    struct ds_scenario s;
    CU_ASSERT_FATAL(load(plain, sizeof plain - 1, NULL, 0, &s));
    const struct dc_params *p = &s.protocol;
    CU_ASSERT(p->ablate == 0 && p->trigger == DC_TRIGGER_OBSERVED &&
              p->theta_mode == DC_THETA_LEVEL);
    CU_ASSERT(p->theta_multiple_ppm == 500000 && p->ucb_ppm == 1000000);
    CU_ASSERT(p->load_target == dc_q31_from_double(0.05) &&
              p->load_gain == dc_q31_from_double(0.2));
    CU_ASSERT(p->verifiers_flagged == 5 && !p->ready && !p->quiet && p->budget == 0);
    CU_ASSERT(p->holt_level == DC_ONE / 2 && p->holt_trend == dc_q31_from_double(0.2));
    CU_ASSERT(p->ready_ratio == dc_q31_from_double(0.8));
    CU_ASSERT(p->difficulty == DC_DIFFICULTY_UNIFORM && p->order == DC_ORDER_RANDOM);
    CU_ASSERT(p->history_keep == dc_q31_from_double(0.95) && p->f_min == dc_q31_from_double(0.1));
    CU_ASSERT(p->p_hi == dc_q31_from_double(0.99) && p->p_lo == dc_q31_from_double(0.8));
    CU_ASSERT(p->combine == DC_COMBINE_BONFERRONI);
    CU_ASSERT(p->detectors == (DC_DETECTOR_EWMA | DC_DETECTOR_MAD));
    const struct ds_group *g = &s.groups[1];
    CU_ASSERT(g->customers == 4 && g->trace == NULL && g->load_noise == 0);
    CU_ASSERT(g->chunk_time.kind == DS_DIST_CONSTANT && g->chunk_time.args[0] == 100000);
    CU_ASSERT(g->access_delay.kind == DS_DIST_NONE);
    CU_ASSERT(g->rational.options_count == 2 && g->rational.strata == 2 &&
              g->rational.selection == 5);
    CU_ASSERT_STRING_EQUAL(g->rational.options[1].name, "ghost");
    CU_ASSERT(!s.groups[2].demand.diurnal.given && s.groups[2].demand.flash_count == 0);
    CU_ASSERT(s.faults[0].count == 10 && !s.record.lift);
    ds_scenario_free(&s);
}

/* A value for a row that is allowed and not its default; false where there is none of one line. */
static bool another(const struct ds_param *row, char *out, size_t size)
{
    switch (row->type) {
    case DS_COUNT:
    case DS_COUNT64: snprintf(out, size, "%s", row->min <= 7 ? "7" : "99"); return true;
    case DS_SHARE:
    case DS_PPM: snprintf(out, size, "0.875"); return row->max >= 0.875;
    case DS_FACTOR: snprintf(out, size, "3.25"); return true;
    case DS_REAL: snprintf(out, size, "0.625"); return row->min <= 0.625;
    case DS_AMOUNT:
    case DS_AMOUNT32:
        snprintf(out, size, "%s",
                 row->dim == DS_DIM_TIME    ? "917 ms"
                 : row->dim == DS_DIM_SIZE  ? "3 MiB"
                 : row->dim == DS_DIM_MONEY ? "7.5 DSYNC"
                                            : "3 Mbit");
        return true;
    case DS_ENUM:
    case DS_BOOL: /* the last word but `true` and `false` */
        for (const struct ds_choice *c = row->choices; c->name != NULL; c++)
            if (strcmp(c->name, "true") != 0 && strcmp(c->name, "false") != 0 &&
                strcmp(c->name, row->fallback != NULL ? row->fallback : "") != 0) {
                snprintf(out, size, "%s", c->name);
                return true;
            }
        return false;
    default: return false;
    }
}

/* protocol's scalars one by one, by --set; those that other parameters forbid are let off. */
static void test_every_row(void)
{
    struct ds_scenario before, s;
    CU_ASSERT_FATAL(load(plain, sizeof plain - 1, NULL, 0, &before));
    const struct ds_param *row;
    unsigned tried = 0, refused = 0;
    for (size_t n = 0; (row = ds_param_at(n)) != NULL; n++) {
        char value[64], set[160], line[160];
        const char *sets[] = {set};
        if (strncmp(row->path, "protocol.", 9) != 0 || !another(row, value, sizeof value) ||
            strncmp(row->path, "protocol.upgrade.", 17) == 0) /* needs an epoch: test_branch.c */
            continue;
        snprintf(set, sizeof set, "%s=%s", row->path, value);
        snprintf(line, sizeof line, "\n  %s: %s\n", ds_param_name(row), value);
        struct ds_diagnostics d = {0};
        struct ds_source source = {
            .name = "full.yaml", .text = plain, .size = sizeof plain - 1, .folder = FOLDER};
        if (ds_scenario_load_text(&source, sets, 1, &s, &d) == DC_OK) {
            struct dc_text text = {0};
            ds_scenario_print_resolved(&s, &text);
            CU_ASSERT_PTR_NOT_NULL(strstr(text.data, line));
            if (strstr(text.data, line) == NULL)
                printf("\n%s is not in the resolved scenario\n", set);
            size_t size = row->type == DS_BOOL                                ? sizeof(bool)
                          : row->type == DS_COUNT64 || row->type == DS_AMOUNT ? sizeof(uint64_t)
                                                                              : sizeof(uint32_t);
            void *field = (char *)&s + row->offset, *old = (char *)&before + row->offset;
            CU_ASSERT_NOT_EQUAL(memcmp(field, old, size), 0);
            memcpy(field, old, size); /* and nothing else */
            CU_ASSERT_EQUAL(memcmp(&s.protocol, &before.protocol, sizeof s.protocol), 0);
            dc_text_free(&text);
            tried++;
        } else {
            refused++;
        }
        ds_diagnostics_free(&d);
        ds_scenario_free(&s);
    }
    CU_ASSERT(tried >= 60);
    CU_ASSERT(refused <= 12); /* weights, k and the like, which go together */
    if (tried < 60 || refused > 12)
        printf("\ntried %u, refused %u\n", tried, refused);
    ds_scenario_free(&before);
}

static void test_overrides(void)
{
    static const char *const set[] = {
        "nodes.sto.rational.options={honest: 1, ghost: 1}",
        "nodes.sto.rational.options['partial(0.25)']=2",
        "nodes.sto.strategy['sybil(4)']=1",
        "nodes.cli.demand.flash[1].factor=30",
        "nodes.cli.demand.flash[2]={at: 3 min, for: 1 s, factor: 9}",
        "nodes.cli.demand.diurnal=",
        "nodes.sto.trace=",
        "protocol.theta_mode=relative",
        "protocol.ablate=none",
        "protocol.budget=unlimited",
        "faults.g.count=3",
        "record.lift=off",
    };
    struct ds_scenario s;
    CU_ASSERT_FATAL(load(full, sizeof full - 1, set, sizeof set / sizeof set[0], &s));
    const struct ds_group *g = &s.groups[1];
    CU_ASSERT_EQUAL_FATAL(g->rational.options_count, 3);
    CU_ASSERT_STRING_EQUAL(g->rational.options[2].name, "partial(0.25)");
    CU_ASSERT_EQUAL(g->mix[7].number, 4);
    CU_ASSERT_EQUAL_FATAL(s.groups[2].demand.flash_count, 3);
    CU_ASSERT_EQUAL(s.groups[2].demand.flash[1].factor, 30);
    CU_ASSERT(!s.groups[2].demand.diurnal.given && g->trace == NULL && s.inputs_count == 0);
    CU_ASSERT(s.protocol.theta_mode == DC_THETA_RELATIVE && s.protocol.ablate == 0 &&
              s.protocol.budget == 0);
    CU_ASSERT(s.faults[0].count == 3 && !s.record.lift);
    ds_scenario_free(&s);
}

/* Whichever request for memory fails, loading ends with a clean refusal. */
static void test_memory(void)
{
    struct ds_source source = {
        .name = "full.yaml", .text = full, .size = sizeof full - 1, .folder = FOLDER};
    for (uint64_t budget = 0;; budget++) {
        struct ds_scenario s;
        struct ds_diagnostics d = {0};
        dc_mem_budget(budget);
        enum dc_status status = ds_scenario_load_text(&source, NULL, 0, &s, &d);
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
        {"every new key", test_full},
        {"defaults", test_defaults},
        {"every row of protocol", test_every_row},
        {"--set", test_overrides},
        {"memory runs out at every request", test_memory},
    };
    return TEST_MAIN("scenario in full", cases);
}

/* `destrasim list`: what a scenario can choose from, each with a line. */
#include <stdio.h>
#include <string.h>

#include "models/anomaly/detector.h"
#include "sim/cmd.h"
#include "sim/scenario/table.h"
#include "sim/world/world.h"

static void entry(const char *name, const char *unit, const char *meaning)
{
    printf("  %-28s %-6s %s\n", name, unit, meaning);
}

static void choices(const struct ds_choice *c)
{
    for (; c->name != NULL; c++)
        entry(c->name, "", c->meaning);
}

static void parameter(const char *name, const char *path)
{
    const struct ds_param *row = ds_param_find(path, strlen(path));
    DC_CHECK(row != NULL);
    entry(name, "", row->meaning);
}

static void list_roles(void)
{
    choices(ds_choices_role);
}

static void list_services(void)
{
    choices(ds_choices_service);
}

static void list_detectors(void)
{
    choices(ds_choices_detector);
    entry(dc_detector_knn.name, "", "distance to the k-th nearest row (`destrasim detect` alone)");
}

static void list_strategies(void)
{
    choices(ds_choices_strategy);
}

static void list_faults(void)
{
    choices(ds_choices_fault);
}

static void list_applications(void)
{
    choices(ds_choices_application);
}

static void list_topologies(void)
{
    char name[64];
    parameter("regions", "network.regions");
    parameter("graph", "network.graph");
    parameter("latency", "network.latency");
    for (const struct ds_choice *c = ds_choices_generate; c->name != NULL; c++) {
        snprintf(name, sizeof name, "generate: %s", c->name);
        entry(name, "", c->meaning);
    }
    for (const struct ds_choice *c = ds_choices_overlay; c->name != NULL; c++) {
        snprintf(name, sizeof name, "overlay: %s", c->name);
        entry(name, "", c->meaning);
    }
}

static void list_metrics(void)
{
    static const char *const suffixes[] = {[DS_SUFFIX_NONE] = "",
                                           [DS_SUFFIX_STRATEGY] = "[.STRATEGY]",
                                           [DS_SUFFIX_QUANTILE] = ".QUANTILE",
                                           [DS_SUFFIX_KIND] = "[.MESSAGE]",
                                           [DS_SUFFIX_LINK] = "[.linkN]",
                                           [DS_SUFFIX_APPLICATION] = ".NAME",
                                           [DS_SUFFIX_CONTRACT] = "[.CONTRACT]",
                                           [DS_SUFFIX_CAUSE] = "[.CAUSE]"};
    char name[96];
    for (size_t i = 0; i < ds_metrics_count; i++) {
        snprintf(name, sizeof name, "%s%s", ds_metrics[i].name, suffixes[ds_metrics[i].suffix]);
        entry(name, ds_metrics[i].unit, ds_metrics[i].meaning);
    }
}

static void list_costs(void)
{
    char ns[24];
    snprintf(ns, sizeof ns, "%d", DS_COST_VERSION);
    printf("  %-28s %-10s %s\n", "version", ns, "of this table");
    for (int i = 0; i < DC_COST_COUNT; i++) {
        snprintf(ns, sizeof ns, "%u", ds_costs[i].ns);
        printf("  %-28s %-10s %s\n", ds_costs[i].name, ns, ds_costs[i].meaning);
    }
}

static const struct {
    const char *name, *title;
    void (*print)(void);
} kinds[] = {
    {"roles", "roles of nodes (nodes[].role)", list_roles},
    {"services", "services (nodes[].service)", list_services},
    {"detectors", "detectors of anomalies (protocol.detectors)", list_detectors},
    {"strategies", "strategies of nodes (nodes[].strategy)", list_strategies},
    {"faults", "kinds of faults (faults[].kind)", list_faults},
    {"applications", "kinds of private applications (applications[].kind)", list_applications},
    {"topologies", "topologies (network)", list_topologies},
    {"metrics", "metrics (expect, /summary); QUANTILE is p50, p95, p99, mean or max", list_metrics},
    {"costs", "virtual processor time of each operation (cpu), in ns", list_costs},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static int find_kind(const char *word, size_t *out)
{
    struct ds_guess guess = {.word = word};
    for (size_t k = 0; k < KINDS; k++) {
        if (strcmp(kinds[k].name, word) == 0) {
            *out = k;
            return DS_EXIT_FINE;
        }
        ds_guess_try(&guess, kinds[k].name);
    }
    if (guess.name != NULL)
        return ds_cmd_usage("list: unknown kind `%s`: did you mean `%s`?", word, guess.name);
    return ds_cmd_usage("list: unknown kind `%s`: `destrasim list -h` names them", word);
}

static int run(const struct ds_args *args)
{
    bool wanted[KINDS] = {false};
    for (unsigned i = 0; i < args->operands; i++) {
        size_t k = 0;
        int code = find_kind(args->operand[i], &k);
        if (code != DS_EXIT_FINE)
            return code;
        wanted[k] = true;
    }
    bool first = true;
    for (size_t k = 0; k < KINDS; k++) {
        if (args->operands > 0 && !wanted[k])
            continue;
        printf("%s%s\n", first ? "" : "\n", kinds[k].title);
        kinds[k].print();
        first = false;
    }
    return DS_EXIT_FINE;
}

const struct ds_command ds_cmd_list = {
    .name = "list",
    .operands = "[KIND]...",
    .line = "lists detectors, strategies, kinds of faults and applications, topologies, metrics",
    .details =
        "KIND is roles, services, detectors, strategies, faults, applications, topologies, metrics\n"
        "or costs; without one, all of them. `destrasim explain PATH` documents a parameter.",
    .operands_max = UINT32_MAX,
    .run = run,
};

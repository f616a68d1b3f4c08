/* `destrasim check`: all that a run, or the runs of a study, would refuse, without a run.
 *
 * Set-up is part of it: whether a graph is connected or an edge has a latency is only known to what
 * builds the network, and so the world is built and thrown away. */
#include <stdio.h>

#include "sim/cmd.h"
#include "sim/scenario/study.h"
#include "sim/world/world.h"

static int check_setup(const struct ds_scenario *scenario)
{
    struct ds_world_options options = {.threads = 1};
    struct ds_world *world = NULL;
    struct dc_error error = {0};
    enum dc_status status = ds_world_create(scenario, &options, &world, &error);
    ds_world_destroy(world);
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

/* Checks and, unless quiet, prints it into text. */
static int check_scenario(const char *path, const char *const *overrides, size_t count, bool quiet,
                          struct dc_text *text)
{
    struct ds_scenario scenario;
    int code = ds_cmd_load(path, overrides, count, &scenario);
    if (code == DS_EXIT_FINE)
        code = check_setup(&scenario);
    if (code == DS_EXIT_FINE && !quiet)
        ds_scenario_print_resolved(&scenario, text);
    ds_scenario_free(&scenario);
    return code;
}

/* Loading makes every point a scenario; the first point's network is built as well. */
static int check_study(const char *path, const char *const *overrides, size_t count, bool quiet,
                       struct dc_text *text)
{
    struct ds_study study;
    struct ds_diagnostics d = {0};
    int code = ds_cmd_loaded(ds_study_load(path, overrides, count, &study, &d), &d);
    struct ds_scenario scenario = {0};
    if (code == DS_EXIT_FINE)
        code = ds_cmd_load(study.scenario, study.point[0].override, study.point[0].overrides,
                           &scenario);
    if (code == DS_EXIT_FINE)
        code = check_setup(&scenario);
    if (code == DS_EXIT_FINE && !quiet) {
        bool fixed = study.replications.least == study.replications.most;
        dc_text_add(text, study.resolved.data);
        dc_text_printf(text, "# %zu points, %s%llu runs of `%s`\n", study.points,
                       fixed ? "" : "at most ", (unsigned long long)ds_study_runs(&study),
                       study.scenario);
    }
    ds_scenario_free(&scenario);
    ds_study_free(&study);
    return code;
}

static int run(const struct ds_args *args)
{
    int worst = DS_EXIT_FINE;
    bool quiet = ds_args_value(args, "--quiet") != NULL;
    const char **overrides =
        args->givens > 0 ? dc_mem_need(args->givens, sizeof *overrides, "--set") : NULL;
    size_t count = overrides != NULL ? ds_args_values(args, "--set", overrides) : 0;
    bool first = true;
    for (unsigned i = 0; i < args->operands; i++) {
        struct dc_text text = {0};
        if (!first)
            dc_text_add(&text, "---\n");
        const char *path = args->operand[i];
        int code = (ds_study_is(path) ? check_study : check_scenario)(path, overrides, count, quiet,
                                                                      &text);
        if (code == DS_EXIT_FINE && !quiet) {
            code = ds_cmd_output(&text);
            first = false;
        }
        dc_text_free(&text);
        worst = code > worst ? code : worst;
    }
    dc_mem_free(overrides);
    return worst;
}

static const struct ds_option options[] = {
    {"--set", "PATH=VALUE",
     "overrides one value, as in --set protocol.theta=0.4;\nmay be repeated"},
    {"--quiet", NULL, "only what is wrong"},
    {0},
};

const struct ds_command ds_cmd_check = {
    .name = "check",
    .operands = "FILE...",
    .line = "validates scenarios and studies and prints them with every default",
    .details =
        "Everything that is wrong with a scenario is reported in one go, as\n"
        "`FILE:LINE:COL: error: what, and what to do`, with exit code 2. The network is built\n"
        "as well, so a graph without latencies or in two pieces is found here. What is printed\n"
        "is itself a scenario that means the same; several are parted by `---`.\n\n"
        "A file with `scenario` or `parameters` is a study: each of its points is read as a\n"
        "scenario, and their number is printed at the end.",
    .options = options,
    .operands_min = 1,
    .operands_max = UINT32_MAX,
    .run = run,
};

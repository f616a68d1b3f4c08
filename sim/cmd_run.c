/* `destrasim run`: one run, from the scenario to the summary.
 *
 * Order: everything that can be refused is refused before any work is done (arguments, scenario,
 * output path), then the world is built, run, and finished whatever happened, so that a results
 * file is always closed. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/build_info.h"
#include "sim/cmd_world.h"

struct plan {
    struct ds_scenario scenario;
    struct dc_text output, partial;
    const char *junit; /* path, or NULL */
    struct ds_world_options options;
    struct ds_attribute attributes[DS_CMD_ATTRIBUTES];
    char until[60];
    bool json, quiet;
};

size_t ds_cmd_attributes(struct ds_attribute attributes[DS_CMD_ATTRIBUTES], int64_t until_ns,
                         char text[60])
{
    size_t count = 0;
    attributes[count++] = (struct ds_attribute){"destrasim_version", DS_BUILD_VERSION};
    attributes[count++] = (struct ds_attribute){"build_commit", DS_BUILD_COMMIT};
    attributes[count++] = (struct ds_attribute){"build_compiler", DS_BUILD_COMPILER};
    attributes[count++] = (struct ds_attribute){"build_flags", DS_BUILD_FLAGS};
    attributes[count++] = (struct ds_attribute){"build_libraries", DS_BUILD_LIBRARIES};
    if (until_ns > 0) {
        snprintf(text, 60, "%lld ns", (long long)until_ns);
        attributes[count++] = (struct ds_attribute){"until", text};
    }
    DC_CHECK(count <= DS_CMD_ATTRIBUTES);
    return count;
}

/* The overrides: --set in order, then --seed. */
static int load(const struct ds_args *args, struct ds_scenario *out)
{
    const char **overrides = dc_mem_need(args->givens + 1, sizeof *overrides, "--set");
    size_t count = ds_args_values(args, "--set", overrides);
    const char *seed = ds_args_value(args, "--seed");
    struct dc_text text = {0};
    if (seed != NULL) {
        dc_text_printf(&text, "seed=%s", seed);
        overrides[count++] = text.data != NULL ? text.data : "";
    }
    int code = ds_cmd_load(args->operand[0], overrides, count, out);
    dc_text_free(&text);
    dc_mem_free(overrides);
    return code;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int check_output(const struct ds_args *args, struct plan *plan)
{
    const char *given = ds_args_value(args, "-o");
    struct dc_error error = {0};
    if (given != NULL)
        dc_text_add(&plan->output, given);
    else
        dc_text_printf(&plan->output, "%s-%llu.h5", plan->scenario.name,
                       (unsigned long long)plan->scenario.seed);
    const char *path = plan->output.data != NULL ? plan->output.data : "";
    if (same_file(path, args->operand[0]))
        return ds_cmd_usage("%s: is the scenario itself: name another file for the results", path);
    dc_text_printf(&plan->partial, "%s.partial", path);
    enum dc_status status = ds_record_check_path(path, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    plan->options.output = path;
    if (plan->junit != NULL && (strcmp(plan->junit, path) == 0 || same_file(plan->junit, path)))
        return ds_cmd_usage("%s: are the results: name another file for --junit", plan->junit);
    return DS_EXIT_FINE;
}

/* What an earlier run left there says nothing about this one. */
static int check_junit(const struct ds_args *args, struct plan *plan)
{
    const char *path = ds_args_value(args, "--junit");
    struct dc_error error = {0};
    if (path == NULL)
        return DS_EXIT_FINE;
    if (same_file(path, args->operand[0]))
        return ds_cmd_usage("%s: is the scenario itself: name another file for --junit", path);
    enum dc_status status = ds_record_check_path(path, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    plan->junit = path;
    return DS_EXIT_FINE;
}

static int make_plan(const struct ds_args *args, struct plan *plan)
{
    if (!ds_args_threads(args, &plan->options.threads) ||
        !ds_args_time(args, "--until", &plan->options.until_ns))
        return DS_EXIT_USAGE;
    plan->quiet = ds_args_value(args, "--quiet") != NULL;
    plan->json = ds_args_value(args, "--json") != NULL;
    int code = check_junit(args, plan);
    if (code == DS_EXIT_FINE)
        code = load(args, &plan->scenario);
    if (code == DS_EXIT_FINE)
        code = check_output(args, plan);
    plan->options.attributes = plan->attributes;
    plan->options.attribute_count =
        ds_cmd_attributes(plan->attributes, plan->options.until_ns, plan->until);
    return code;
}

static int exit_code(enum dc_status status, const struct ds_summary *summary)
{
    if (ds_cmd_caught() != 0 && (status != DC_OK || summary->end == DS_WORLD_INTERRUPTED))
        return 128 + ds_cmd_caught();
    if (status != DC_OK)
        return status == DC_ERR_EXPECT  ? DS_EXIT_EXPECT
               : status == DC_ERR_USAGE ? DS_EXIT_USAGE
                                        : DS_EXIT_IO;
    if (!summary->invariants_held)
        return DS_EXIT_EXPECT;
    for (size_t i = 0; i < summary->expectation_count; i++)
        if (!summary->expectations[i].held)
            return DS_EXIT_EXPECT;
    for (size_t i = 0; i < summary->sometimes_count; i++)
        if (!summary->sometimes[i].held)
            return DS_EXIT_EXPECT;
    return DS_EXIT_FINE;
}

/* The results are at PATH, or, of a run that did not end well, at PATH.partial. */
static const char *results_file(const struct plan *plan, bool complete)
{
    struct stat at;
    if (complete)
        return plan->options.output;
    return stat(plan->partial.data, &at) == 0 ? plan->partial.data : NULL;
}

static int run_world(struct plan *plan, struct ds_world *world, struct ds_progress_line *progress)
{
    struct dc_error error = {0}, finish_error = {0};
    struct ds_summary summary = {0};
    double wall_s = ds_clock_wall(), cpu_s = ds_clock_cpu();
    progress->begin_s = progress->shown_s = wall_s; /* set-up is not virtual time */
    enum dc_status status = ds_world_run(world, &error);
    struct ds_outcome outcome = {.scenario = &plan->scenario,
                                 .summary = &summary,
                                 .counts = ds_world_counts(world),
                                 .wall_s = ds_clock_wall() - wall_s,
                                 .cpu_s = ds_clock_cpu() - cpu_s,
                                 .threads = plan->options.threads};
    enum dc_status finished = ds_world_finish(world, &summary, &finish_error);
    ds_progress_end(progress);
    if (status != DC_OK)
        ds_cmd_failed(status, &error);
    if (finished != DC_OK && (status == DC_OK || strcmp(error.text, finish_error.text) != 0))
        ds_cmd_failed(finished, &finish_error);
    if (status == DC_OK)
        status = finished;
    bool complete = status == DC_OK && summary.end != DS_WORLD_INTERRUPTED;
    outcome.progress = *progress;
    outcome.file = results_file(plan, complete);
    if (status == DC_OK && plan->json)
        ds_summary_json(&outcome);
    else if (status == DC_OK)
        ds_summary_print(&outcome);
    else if (outcome.file != NULL)
        fprintf(stderr, "destrasim: what was recorded until then is in %s (complete = 0)\n",
                outcome.file);
    int code = exit_code(status, &summary);
    if (plan->junit != NULL) {
        const char *why = error.text[0] != '\0' ? error.text : finish_error.text;
        const char *stopped = status == DC_OK ? NULL : why;
        int wrote = ds_summary_junit(&outcome, stopped, plan->junit);
        code = code == DS_EXIT_FINE ? wrote : code;
    }
    return code;
}

/* A run that never began. */
static void junit_refused(const struct plan *plan, const char *why)
{
    const char *results = plan->output.data;
    struct ds_summary summary = {0};
    struct ds_outcome outcome = {.scenario = &plan->scenario, .summary = &summary};
    if (plan->junit == NULL || (results != NULL && strcmp(plan->junit, results) == 0))
        return;
    (void)ds_summary_junit(&outcome, why, plan->junit); /* what it says, the exit code says too */
}

static int run(const struct ds_args *args)
{
    struct plan plan = {.options.threads = 1};
    struct ds_progress_line progress;
    struct ds_world *world = NULL;
    struct dc_error error = {0};
    struct dc_text what = {0};
    int code = make_plan(args, &plan);
    if (code == DS_EXIT_FINE) {
        dc_text_printf(&what, "setting up %s nodes",
                       ds_word_count((double)plan.scenario.nodes_count).text);
        plan.options.stop = ds_cmd_catch_signals();
        plan.options.progress = ds_progress_show;
        plan.options.progress_ctx = &progress;
        ds_progress_begin(&progress, plan.quiet, what.data != NULL ? what.data : "");
        enum dc_status status = ds_world_create(&plan.scenario, &plan.options, &world, &error);
        if (status == DC_OK) {
            code = run_world(&plan, world, &progress);
        } else {
            ds_progress_end(&progress);
            code = ds_cmd_failed(status, &error);
            junit_refused(&plan, error.text);
        }
        ds_world_destroy(world);
    } else {
        junit_refused(&plan, "the scenario or an argument was refused: see standard error");
    }
    dc_text_free(&what);
    dc_text_free(&plan.output);
    dc_text_free(&plan.partial);
    ds_scenario_free(&plan.scenario);
    return code;
}

static const struct ds_option options[] = {
    {"-o", "OUT.h5",
     "where the results go; default: NAME-SEED.h5 in the working\n"
     "directory. Written to OUT.h5.partial until the run is complete"},
    {"--seed", "N", "instead of the scenario's seed"},
    {"--set", "PATH=VALUE",
     "overrides one value, as in --set protocol.theta=0.4 or\n"
     "--set 'nodes.sto.count=100'; may be repeated"},
    {"--threads", "N",
     "threads; results do not depend on it; default: the number of\n"
     "processors, at most 8"},
    {"--until", "TIME", "ends the run at this virtual time (90 s, 5 min)"},
    {"--quiet", NULL, "no progress on standard error"},
    {"--json", NULL, "the summary as one JSON object"},
    {"--junit", "FILE", "also writes invariants, expectations and `sometimes` as JUnit XML"},
    {0},
};

const struct ds_command ds_cmd_run = {
    .name = "run",
    .operands = "SCENARIO",
    .line = "runs a scenario, writes OUT.h5 and prints a summary",
    .details =
        "The same scenario and seed give the same bytes in OUT.h5, for any number of threads.\n"
        "Ctrl-C (or SIGTERM) ends the run after closing the file, which then keeps the name\n"
        "OUT.h5.partial and says complete = 0; a second one ends it at once. Exit code 1 means\n"
        "that an expectation of the scenario or an invariant of the protocol did not hold, or\n"
        "that what it says must occur sometimes did not.",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

/* A failure made small: minimised, written, and run again as `run` would, before anybody is told to.
 *
 * Candidates are printed, loaded and run in processes of their own, one after the other: the same
 * ones in the same order each time.  Only --shrink-time, which is wall time, can cut that short. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/cmd_fuzz.h"

#define CALLS_MAX 3000

struct shrink {
    struct ds_fuzz_plan *plan;
    const struct ds_fuzz_failure *failure;
    struct ds_swarm_demand demand;
    struct ds_fuzz_job job;
    double end_s;
};

static bool fails(void *ctx, const struct ds_scenario *candidate)
{
    struct shrink *s = ctx;
    struct dc_text text = {0};
    ds_scenario_print_brief(candidate, &text);
    struct ds_fuzz_spec spec = {.base = &s->plan->base, .text = text.data, .demand = &s->demand};
    bool same = text.data != NULL && !text.failed && ds_fuzz_one(&spec, &s->job) &&
                s->job.outcome.verdict == s->failure->verdict &&
                strcmp(s->job.outcome.key, s->failure->key) == 0;
    dc_text_free(&text);
    return same;
}

static bool over(void *ctx)
{
    struct shrink *s = ctx;
    return ds_clock_wall() > s->end_s || ds_cmd_caught() != 0;
}

static void progress(void *ctx, const struct ds_minimise_progress *p)
{
    struct shrink *s = ctx;
    ds_fuzz_progress_shrink(s->plan, s->failure->run, p);
}

/* ---- writing --------------------------------------------------------------------------------- */

static int write_file(const char *path, const char *bytes, size_t size)
{
    FILE *to = fopen(path, "w");
    bool good = to != NULL && fwrite(bytes, 1, size, to) == size;
    if (to != NULL)
        good = fclose(to) == 0 && good;
    if (good)
        return DS_EXIT_FINE;
    ds_cmd_usage("%s: could not be written (%s): choose another folder with -o", path,
                 strerror(errno));
    return DS_EXIT_IO;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The files that the scenario names go beside it, under their last names, so that the folder can be
 * mailed. */
static int write_inputs(const struct ds_fuzz_plan *plan, struct ds_scenario *scenario)
{
    int code = DS_EXIT_FINE;
    for (size_t i = 0; i < plan->base.inputs_count && code == DS_EXIT_FINE; i++) {
        const struct ds_input *input = &plan->base.inputs[i];
        struct dc_text path = {0};
        dc_text_printf(&path, "%s/%s", plan->folder, base_name(input->path));
        struct stat there;
        if (path.data != NULL && stat(path.data, &there) != 0)
            code = write_file(path.data, input->data, input->size);
        dc_text_free(&path);
    }
    if (scenario->network.regions != NULL)
        scenario->network.regions = base_name(scenario->network.regions);
    if (scenario->network.graph != NULL)
        scenario->network.graph = base_name(scenario->network.graph);
    for (size_t i = 0; i < scenario->groups_count; i++)
        if (scenario->groups[i].trace != NULL)
            scenario->groups[i].trace = base_name(scenario->groups[i].trace);
    for (size_t i = 0; i < scenario->faults_count; i++)
        if (scenario->faults[i].trace != NULL)
            scenario->faults[i].trace = base_name(scenario->faults[i].trace);
    return code;
}

/* Evidence as comment lines of at most 96 columns. */
static void comment(struct dc_text *out, const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n"), cut = size;
        if (size > 96)
            for (cut = 96; cut > 40 && text[cut] != ' ';)
                cut--;
        dc_text_printf(out, "# %.*s\n", (int)cut, text);
        text += cut;
        text += *text == '\n' || *text == ' ';
    }
}

static int write_scenario(const struct ds_fuzz_plan *plan, const struct ds_fuzz_failure *f,
                          const struct ds_scenario *scenario, const char *path, const char *how,
                          const char *evidence)
{
    struct dc_text text = {0};
    struct ds_scenario copy = *scenario;
    struct dc_arena arena = {0};
    copy.groups = dc_arena_alloc(&arena, (copy.groups_count + 1) * sizeof *copy.groups);
    copy.faults = dc_arena_alloc(&arena, (copy.faults_count + 1) * sizeof *copy.faults);
    int code = DS_EXIT_IO;
    if (copy.groups != NULL && copy.faults != NULL) {
        memcpy(copy.groups, scenario->groups, copy.groups_count * sizeof *copy.groups);
        if (copy.faults_count > 0)
            memcpy(copy.faults, scenario->faults, copy.faults_count * sizeof *copy.faults);
        copy.title = "";
        dc_text_printf(&text, "# Violates %s.\n# Run %llu of seed %llu, %s:\n", f->key,
                       (unsigned long long)f->run, (unsigned long long)plan->state.seed, how);
        comment(&text, evidence);
        dc_text_printf(&text, "# As it was drawn:\n#     %s --seed %llu --only %llu\n",
                       plan->asked.data, (unsigned long long)plan->state.seed,
                       (unsigned long long)f->run);
        code = write_inputs(plan, &copy);
        ds_scenario_print_brief(&copy, &text);
    }
    if (code == DS_EXIT_FINE && !text.failed)
        code = write_file(path, text.data, text.size);
    dc_arena_free(&arena);
    dc_text_free(&text);
    return code;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Whether `run` with the file at path fails in the same way; says how, in its own words. */
static bool confirm(struct shrink *s, const char *path, char text[1024])
{
    struct ds_fuzz_spec spec = {.base = &s->plan->base, .path = path, .whole = true};
    if (!ds_fuzz_one(&spec, &s->job))
        return false;
    snprintf(text, 1024, "%s", s->job.outcome.text);
    return s->job.outcome.verdict == s->failure->verdict &&
           strcmp(s->job.outcome.key, s->failure->key) == 0;
}

static int write_both(struct shrink *s, struct ds_fuzz_failure *f, const struct ds_scenario *from,
                      const struct ds_minimised *small)
{
    char how[96], text[1024];
    struct ds_fuzz_plan *plan = s->plan;
    snprintf(f->full, sizeof f->full, "%.300s/%.64s-%llu-%llu-full.yaml", plan->folder,
             plan->base.name, (unsigned long long)plan->state.seed, (unsigned long long)f->run);
    snprintf(f->file, sizeof f->file, "%.300s/%.64s-%llu-%llu.yaml", plan->folder, plan->base.name,
             (unsigned long long)plan->state.seed, (unsigned long long)f->run);
    int code = write_scenario(plan, f, from, f->full, "as it was drawn", f->text);
    snprintf(how, sizeof how, "minimised from %u to %u fault%s in %u runs", f->faults,
             f->faults_minimised, f->faults_minimised == 1 ? "" : "s", f->calls);
    if (code == DS_EXIT_FINE)
        code = write_scenario(plan, f, &small->scenario, f->file, how, f->text);
    if (code != DS_EXIT_FINE)
        return code;
    f->confirmed = confirm(s, f->file, text);
    if (f->confirmed) { /* with what it says itself */
        snprintf(f->text, sizeof f->text, "%s", text);
        code = write_scenario(plan, f, &small->scenario, f->file, how, text);
    }
    return code;
}

int ds_fuzz_shrink(struct ds_fuzz_plan *plan, size_t n)
{
    struct ds_fuzz_failure *f = &plan->state.failures[n];
    struct shrink s = {.plan = plan, .failure = f};
    struct dc_text text = {0};
    struct ds_scenario from = {0};
    struct ds_diagnostics d = {0};
    struct ds_minimised small = {0};
    struct dc_error error = {0};
    int code = DS_EXIT_FINE;
    ds_swarm_print(&plan->swarm, f->run, &text);
    struct ds_source source = {.name = plan->base.name,
                               .text = text.data,
                               .size = text.size,
                               .inputs = plan->base.inputs,
                               .inputs_count = plan->base.inputs_count};
    if (text.failed || ds_scenario_load_text(&source, NULL, 0, &from, &d) != DC_OK) {
        code = ds_cmd_usage("run %llu cannot be loaded again", (unsigned long long)f->run);
    } else {
        s.demand = ds_swarm_demand(&from);
        s.end_s = ds_clock_wall() + plan->shrink_s;
        struct ds_minimise how = {
            .fails = fails, .over = over, .progress = progress, .ctx = &s, .calls_max = CALLS_MAX};
        enum dc_status status = ds_minimise(&how, &from, &small, &error);
        f->calls = small.calls;
        f->complete = small.complete;
        f->faults_minimised = (uint32_t)small.scenario.faults_count;
        ds_fuzz_progress_end(plan);
        if (status == DC_OK && ds_cmd_caught() == 0)
            code = write_both(&s, f, &from, &small);
        else if (ds_cmd_caught() == 0 && status == DC_ERR_USAGE)
            f->gone = true;
        else if (ds_cmd_caught() == 0)
            code = ds_cmd_failed(status, &error);
    }
    ds_minimised_free(&small);
    ds_scenario_free(&from);
    ds_diagnostics_free(&d);
    dc_text_free(&text);
    return code;
}

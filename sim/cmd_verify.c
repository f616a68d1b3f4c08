/* `destrasim verify`: runs again what a results file says it is, and compares.
 *
 *     OUT.h5 --scenario, inputs, until--> a run into a file beside it --digests--> the same?
 *                                                        | no
 *                first slice of /digest that differs <---+
 *                that slice again, with its trace --> epoch, node, event
 *
 * A file that was changed after it was written is told apart from a run that comes out otherwise:
 * the former's content does not hash to its own content_digest. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/build_info.h"
#include "sim/cmd_verify.h"

struct verify {
    const char *path;
    struct ds_results *file;
    struct ds_input *inputs;
    struct ds_scenario scenario;
    struct ds_world_options options;
    struct ds_attribute attributes[DS_CMD_ATTRIBUTES];
    char until[60];
    int64_t until_ns;
    struct ds_text again, partial; /* where the new run is written */
    struct ds_progress_line progress;
    bool quiet;
};

/* What one run came to; the file stays until forget(). */
struct rerun {
    struct ds_results *file;
    char trace_digest[33], content_digest[65];
    bool interrupted;
};

/* ---- the file under test --------------------------------------------------------------------- */

static enum dc_status load_inputs(struct verify *v, struct dc_error *error)
{
    uint64_t count = ds_results_size(v->file, "input");
    v->inputs = dc_mem_need(count + 1, sizeof *v->inputs, "embedded files");
    for (uint64_t i = 0; i < count; i++) {
        struct ds_results_input in;
        enum dc_status status = ds_results_input(v->file, i, &in, error);
        if (status != DC_OK)
            return status;
        v->inputs[i] = (struct ds_input){in.path, in.content, (size_t)in.bytes};
    }
    return DC_OK;
}

static int load_scenario(struct verify *v)
{
    struct dc_error error = {0};
    const char *text = ds_results_text(v->file, "scenario");
    enum dc_status status = load_inputs(v, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    if (text == NULL)
        return ds_cmd_usage("%s: has no scenario", v->path);
    struct ds_text name = {0};
    ds_text_printf(&name, "%s/scenario", v->path);
    struct ds_source source = {.name = name.data != NULL ? name.data : v->path,
                               .text = text,
                               .size = strlen(text),
                               .inputs = v->inputs,
                               .inputs_count = ds_results_size(v->file, "input")};
    int code = ds_cmd_load_text(&source, &v->scenario);
    ds_text_free(&name);
    const char *until = ds_results_text(v->file, "until");
    v->until_ns = until != NULL ? (int64_t)strtoll(until, NULL, 10) : 0;
    return code;
}

static int open_file(struct verify *v)
{
    struct dc_error error = {0};
    enum dc_status status = ds_results_open(v->path, &v->file, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    if (!ds_results_complete(v->file))
        return ds_cmd_usage("%s: is the part of a run that did not end (complete = 0): it has no "
                            "digests to compare with",
                            v->path);
    return load_scenario(v);
}

/* ---- running again --------------------------------------------------------------------------- */

/* Beside the file, or where temporary files go when that folder cannot be written to. */
static int choose_place(struct verify *v)
{
    struct dc_error error = {0};
    const char *temporary = getenv("TMPDIR");
    ds_text_printf(&v->again, "%s.verify-%ld", v->path, (long)getpid());
    if (v->again.data == NULL || ds_record_check_path(v->again.data, &error) != DC_OK) {
        error = (struct dc_error){0};
        ds_text_free(&v->again);
        ds_text_printf(&v->again, "%s/destrasim-verify-%ld",
                       temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp",
                       (long)getpid());
        enum dc_status status = v->again.data == NULL
                                    ? dc_error_set(&error, DC_ERR_IO, "out of memory")
                                    : ds_record_check_path(v->again.data, &error);
        if (status != DC_OK)
            return ds_cmd_failed(status, &error);
    }
    ds_text_printf(&v->partial, "%s.partial", v->again.data);
    return v->partial.data == NULL ? DS_EXIT_IO : DS_EXIT_FINE;
}

static void forget(struct verify *v, struct rerun *run)
{
    ds_results_close(run->file);
    run->file = NULL;
    if (v->again.data != NULL)
        unlink(v->again.data);
    if (v->partial.data != NULL)
        unlink(v->partial.data);
}

/* The whole run, or, for a slice, up to its end with its events recorded. */
static enum dc_status run_again(struct verify *v, const struct ds_slice *slice, struct rerun *out,
                                struct dc_error *error)
{
    struct ds_world *world = NULL;
    struct ds_summary summary = {0};
    struct ds_world_options options = v->options;
    *out = (struct rerun){0};
    options.output = v->again.data;
    options.until_ns = v->until_ns;
    options.attributes = v->attributes;
    options.attribute_count = ds_cmd_attributes(v->attributes, v->until_ns, v->until);
    if (slice != NULL) {
        options.trace = true;
        options.trace_from_ns = slice->from_ns;
        options.trace_until_ns = slice->until_ns;
        options.until_ns = slice->until_ns;
    }
    ds_progress_begin(&v->progress, v->quiet,
                      slice != NULL ? "running the slice again" : "running again");
    enum dc_status status = ds_world_create(&v->scenario, &options, &world, error);
    if (status == DC_OK) {
        v->progress.begin_s = v->progress.shown_s = ds_clock_wall();
        status = ds_world_run(world, error);
        struct dc_error finish_error = {0};
        enum dc_status finished = ds_world_finish(world, &summary, &finish_error);
        if (status == DC_OK && finished != DC_OK)
            status = dc_error_set(error, finished, "%s", finish_error.text);
        memcpy(out->trace_digest, summary.trace_digest, sizeof out->trace_digest);
        memcpy(out->content_digest, summary.content_digest, sizeof out->content_digest);
        out->interrupted = ds_cmd_caught() != 0;
    }
    ds_world_destroy(world);
    ds_progress_end(&v->progress);
    if (status == DC_OK && !out->interrupted) {
        bool renamed = access(v->again.data, F_OK) == 0;
        status = ds_results_open(renamed ? v->again.data : v->partial.data, &out->file, error);
    }
    return status;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void print_event(struct ds_results *r, const struct ds_trace_event *e, const char *label)
{
    const char *node = ds_results_string(r, "/node_name", e->node);
    const char *source = ds_results_string(r, "/node_name", e->source);
    printf("  %s %s at node %u (%s), %.9f s, caused by node %u (%s), sequence %llu\n", label,
           ds_results_meaning(r, "/trace/kind", e->kind).text, e->node, node != NULL ? node : "?",
           (double)e->time_ns * 1e-9, e->source, source != NULL ? source : "?",
           (unsigned long long)e->sequence);
}

static void print_place(struct verify *v, int64_t time_ns, uint32_t node)
{
    const char *name = ds_results_string(v->file, "/node_name", node);
    printf("  epoch: %llu\n  node: %u (%s)\n",
           (unsigned long long)ds_results_epoch_at(v->file, time_ns), node,
           name != NULL ? name : "?");
}

static void print_builds(struct verify *v)
{
    const char *commit = ds_results_text(v->file, "build_commit");
    const char *compiler = ds_results_text(v->file, "build_compiler");
    const char *flags = ds_results_text(v->file, "build_flags");
    const char *version = ds_results_text(v->file, "destrasim_version");
    printf("  the file was written by destrasim %s, commit %s, %s, %s\n",
           version != NULL ? version : "?", commit != NULL ? commit : "?",
           compiler != NULL ? compiler : "?", flags != NULL ? flags : "?");
    printf("  this is               destrasim %s, commit %s, %s, %s\n", DS_BUILD_VERSION,
           DS_BUILD_COMMIT, DS_BUILD_COMPILER, DS_BUILD_FLAGS);
}

/* Both files hold every event: the first row that differs is the event. */
static enum dc_status tell_traces(struct verify *v, struct rerun *again, bool *told,
                                  struct dc_error *error)
{
    struct ds_trace_event old = {0}, new = {0};
    bool old_ends, new_ends;
    enum dc_status status =
        ds_traces_compare(v->file, again->file, told, &old, &old_ends, &new, &new_ends, error);
    if (status != DC_OK || !*told)
        return status;
    bool use_new = old_ends || (!new_ends && new.time_ns < old.time_ns);
    print_place(v, use_new ? new.time_ns : old.time_ns, use_new ? new.node : old.node);
    if (old_ends)
        printf("  event in the file: none any more\n");
    else
        print_event(v->file, &old, "event in the file:");
    if (new_ends)
        printf("  event in the new run: none any more\n");
    else
        print_event(again->file, &new, "event in the new run:");
    return DC_OK;
}

/* One trace and the other run's digests. */
static enum dc_status tell_slice(struct verify *v, const struct ds_slice *slice,
                                 struct dc_error *error)
{
    struct rerun again = {0};
    struct ds_trace_event event = {0};
    bool found = false, exact = false;
    enum dc_status status = run_again(v, slice, &again, error);
    if (status == DC_OK && !again.interrupted)
        status = ds_trace_blame(again.file, slice, &found, &exact, &event, error);
    if (found) {
        print_place(v, event.time_ns, event.node);
        print_event(again.file, &event,
                    exact ? "event that the file's run lacks:" : "event, this one or a later one:");
        if (!exact)
            printf("  (of the file's run only digests are known; `record: {trace: on}` keeps "
                   "events)\n");
    } else if (status == DC_OK) {
        uint32_t node = 0;
        while (node + 1 < slice->nodes && !slice->differs[node])
            node++;
        print_place(v, slice->from_ns, node);
        printf("  event: none of the new run's; the file's run has one more in this slice\n");
    }
    forget(v, &again);
    return status;
}

static enum dc_status tell_difference(struct verify *v, struct rerun *again, struct dc_error *error)
{
    struct ds_slice slice = {0};
    bool found = false, told = false;
    enum dc_status status = ds_slices_compare(v->file, again->file, &found, &slice, error);
    if (status == DC_OK && found) {
        printf(
            "first difference, in slice %llu of /digest (%.9g s to %.9g s), %llu of %llu nodes:\n",
            (unsigned long long)slice.index, (double)slice.from_ns * 1e-9,
            (double)slice.until_ns * 1e-9, (unsigned long long)slice.differing,
            (unsigned long long)slice.nodes);
        if (ds_results_size(v->file, "event") > 0 && ds_results_size(again->file, "event") > 0)
            status = tell_traces(v, again, &told, error);
        forget(v, again); /* the slice is written to the same place */
        if (status == DC_OK && !told)
            status = tell_slice(v, &slice, error);
    } else if (status == DC_OK) {
        struct ds_text what = {0};
        if (ds_results_differ(v->file, again->file, &what))
            printf("every event is the same; first difference: %s\n",
                   what.data != NULL ? what.data : "?");
        else
            printf(
                "every event and every number is the same: names, shapes or attributes differ\n");
        ds_text_free(&what);
    }
    ds_slice_free(&slice);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static int compare(struct verify *v, struct rerun *again, const char *content_now)
{
    const char *trace = ds_results_text(v->file, "trace_digest");
    const char *content = ds_results_text(v->file, "content_digest");
    bool untouched = same_text(content, content_now);
    bool same_trace = same_text(trace, again->trace_digest);
    bool same_content = same_text(content, again->content_digest);
    if (untouched && same_trace && same_content) {
        printf("%s: verified\n  trace digest   %s\n  content digest %s\n", v->path, trace, content);
        return DS_EXIT_FINE;
    }
    printf("%s: DIFFERS\n", v->path);
    printf("  trace digest   %s in the file, %s in the new run\n", trace != NULL ? trace : "none",
           again->trace_digest);
    printf("  content digest %s in the file, %s in the new run\n",
           content != NULL ? content : "none", again->content_digest);
    if (!untouched)
        printf("  the file was changed after it was written: its content hashes to %s\n",
               content_now);
    print_builds(v);
    struct dc_error error = {0};
    enum dc_status status = tell_difference(v, again, &error);
    if (status != DC_OK)
        ds_cmd_failed(status, &error);
    return DS_EXIT_EXPECT;
}

static int verify(struct verify *v)
{
    struct rerun again = {0};
    struct dc_error error = {0};
    char content_now[65] = "";
    int code = choose_place(v);
    if (code != DS_EXIT_FINE)
        return code;
    enum dc_status status = ds_results_content_digest(v->file, content_now, &error);
    if (status == DC_OK)
        status = run_again(v, NULL, &again, &error);
    if (ds_cmd_caught() != 0)
        code = 128 + ds_cmd_caught();
    else if (status != DC_OK)
        code = ds_cmd_failed(status, &error);
    else
        code = compare(v, &again, content_now);
    forget(v, &again);
    return ds_cmd_caught() != 0 ? 128 + ds_cmd_caught() : code;
}

static int run(const struct ds_args *args)
{
    struct verify v = {.path = args->operand[0], .quiet = ds_args_value(args, "--quiet") != NULL};
    v.options.progress = ds_progress_show;
    v.options.progress_ctx = &v.progress;
    if (!ds_args_threads(args, &v.options.threads))
        return DS_EXIT_USAGE;
    v.options.stop = ds_cmd_catch_signals();
    int code = open_file(&v);
    if (code == DS_EXIT_FINE)
        code = verify(&v);
    ds_results_close(v.file);
    ds_scenario_free(&v.scenario);
    ds_text_free(&v.again);
    ds_text_free(&v.partial);
    dc_mem_free(v.inputs);
    return code;
}

static const struct ds_option options[] = {
    {"--threads", "N", "threads; the result does not depend on it"},
    {"--quiet", NULL, "no progress on standard error"},
    {0},
};

const struct ds_command ds_cmd_verify = {
    .name = "verify",
    .operands = "OUT.h5",
    .line = "runs again what a results file embeds and compares digests",
    .details =
        "The file holds its scenario and every file that the scenario names, so nothing else is\n"
        "needed. Exit code 0: the same trace and content digests. 1: something differs, and the\n"
        "first epoch, node and event that do are named. A copy of the run is written beside\n"
        "OUT.h5 while this lasts.",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

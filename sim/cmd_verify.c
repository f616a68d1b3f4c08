/* `destrasim verify`: runs again what a results file says it is, and compares.
 *
 *     OUT.h5 --scenario, inputs, until--> a run into a file beside it --digests--> the same?
 *                                                        | no
 *                first slice of /digest that differs <---+
 *                that slice again, watched --> epoch, node, event, and its other version:
 *                     of the file's /trace; or of one more run, where the program that wrote the
 *                     file is this one and does not do the same twice
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
    struct ds_rerun run;
    struct ds_rerun_how how;
    struct dc_text again, partial; /* where the new run is written */
    struct ds_results *file;       /* what was written there, while it is needed */
    struct ds_rerun_result result;
};

/* ---- running again --------------------------------------------------------------------------- */

/* Beside the file, or where temporary files go when that folder cannot be written to. */
static int choose_place(struct verify *v)
{
    struct dc_error error = {0};
    const char *temporary = getenv("TMPDIR");
    dc_text_printf(&v->again, "%s.verify-%ld", v->run.path, (long)getpid());
    if (v->again.data == NULL || ds_record_check_path(v->again.data, &error) != DC_OK) {
        error = (struct dc_error){0};
        dc_text_free(&v->again);
        dc_text_printf(&v->again, "%s/destrasim-verify-%ld",
                       temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp",
                       (long)getpid());
        enum dc_status status = v->again.data == NULL
                                    ? dc_error_set(&error, DC_ERR_IO, "out of memory")
                                    : ds_record_check_path(v->again.data, &error);
        if (status != DC_OK)
            return ds_cmd_failed(status, &error);
    }
    dc_text_printf(&v->partial, "%s.partial", v->again.data);
    return v->partial.data == NULL ? DS_EXIT_IO : DS_EXIT_FINE;
}

static void forget(struct verify *v)
{
    ds_results_close(v->file);
    v->file = NULL;
    if (v->again.data != NULL)
        unlink(v->again.data);
    if (v->partial.data != NULL)
        unlink(v->partial.data);
}

static enum dc_status run_again(struct verify *v, struct dc_error *error)
{
    struct ds_world_options options = {.output = v->again.data};
    enum dc_status status =
        ds_rerun_run(&v->run, &v->how, "running again", &options, &v->result, error);
    if (status == DC_OK && !v->result.interrupted) {
        bool renamed = access(v->again.data, F_OK) == 0;
        status = ds_results_open(renamed ? v->again.data : v->partial.data, &v->file, error);
    }
    return status;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void print_event(struct verify *v, const struct ds_event_seen *e, bool lacks,
                        const char *label)
{
    struct dc_text text = {0};
    ds_parting_print(&v->run.scenario, e, lacks, 6, &text);
    printf("  %s %s", label, text.data != NULL ? text.data : "?\n");
    dc_text_free(&text);
}

static void print_place(struct verify *v, int64_t time_ns, uint32_t node)
{
    const char *name = ds_results_string(v->run.file, "/node_name", node);
    printf("  epoch: %llu\n  node: %u (%s)\n",
           (unsigned long long)ds_results_epoch_at(v->run.file, time_ns), node,
           name != NULL ? name : "?");
}

static void print_builds(struct verify *v)
{
    struct ds_results *file = v->run.file;
    const char *commit = ds_results_text(file, "build_commit");
    const char *compiler = ds_results_text(file, "build_compiler");
    const char *flags = ds_results_text(file, "build_flags");
    const char *version = ds_results_text(file, "destrasim_version");
    printf("  the file was written by destrasim %s, commit %s, %s, %s\n",
           version != NULL ? version : "?", commit != NULL ? commit : "?",
           compiler != NULL ? compiler : "?", flags != NULL ? flags : "?");
    printf("  this is               destrasim %s, commit %s, %s, %s\n", DS_BUILD_VERSION,
           DS_BUILD_COMMIT, DS_BUILD_COMPILER, DS_BUILD_FLAGS);
}

/* The events of both are known: the first that differs is the event. */
static bool tell_both(struct verify *v, const struct ds_events *old, const char *old_label,
                      const struct ds_events *new, const char *new_label)
{
    struct ds_parting p;
    if (!ds_events_part(old, new, &p))
        return false;
    const struct ds_event_seen *first =
        p.a == NULL || (p.b != NULL && p.b->time_ns < p.a->time_ns) ? p.b : p.a;
    print_place(v, first->time_ns, first->node);
    print_event(v, p.a, p.lacks_a, old_label);
    print_event(v, p.b, p.lacks_b, new_label);
    return true;
}

/* The file's program is this one: if it does not do the same twice, two processes tell how. */
static enum dc_status tell_restless(struct verify *v, const struct ds_slice *slice,
                                    const struct ds_events *one, bool *told, struct dc_error *error)
{
    enum dc_status status = DC_OK;
    bool old = ds_events_lead_to(one, slice);
    for (int attempt = 0; attempt < 3 && status == DC_OK && !*told && ds_cmd_caught() == 0;
         attempt++) {
        struct ds_events two = {0};
        struct ds_parting parting;
        status = ds_fresh_events(&v->run, &v->how, slice->from_ns, slice->until_ns, &two, error);
        if (status == DC_OK && ds_events_part(one, &two, &parting)) {
            printf("  this program does not do the same twice; of two runs of this slice%s:\n",
                   old ? ", one of them as in the file" : "");
            *told = old ? tell_both(v, one, "event in the file:", &two, "event in the new run:")
                        : tell_both(v, one, "event in one run:", &two, "event in the other:");
        }
        ds_events_free(&two);
    }
    return status;
}

/* One run's events and the file's digests. */
static void tell_blame(struct verify *v, const struct ds_slice *slice, const struct ds_events *one)
{
    struct ds_event_seen event = {0};
    bool exact = false;
    if (ds_events_blame(one, slice, &exact, &event)) {
        print_place(v, event.time_ns, event.node);
        print_event(v, &event, false,
                    exact ? "event that the file's run lacks:" : "event, this one or a later one:");
        if (!exact)
            printf("  (of the file's run only digests are known%s; `record: {trace: on}` keeps "
                   "events)\n",
                   ds_rerun_same_build(&v->run)
                       ? ""
                       : ", and another program wrote it, so that it cannot be run again here");
        return;
    }
    uint32_t node = 0;
    while (node + 1 < slice->nodes && !slice->differs[node])
        node++;
    print_place(v, slice->from_ns, node);
    printf("  event: none of the new run's; the file's run has one more in this slice\n");
}

static enum dc_status tell_slice(struct verify *v, const struct ds_slice *slice,
                                 struct dc_error *error)
{
    struct ds_events one = {0}, old = {0};
    bool told = false;
    enum dc_status status = ds_rerun_events(&v->run, &v->how, "running the slice again",
                                            slice->from_ns, slice->until_ns, &one, error);
    if (one.interrupted)
        told = true;
    if (status == DC_OK && !told && ds_results_size(v->run.file, "event") > 0) {
        status = ds_rerun_recorded(&v->run, slice->from_ns, slice->until_ns, &old, error);
        if (status == DC_OK)
            told = tell_both(v, &old, "event in the file:", &one, "event in the new run:");
    }
    if (status == DC_OK && !told && ds_rerun_same_build(&v->run))
        status = tell_restless(v, slice, &one, &told, error);
    if (status == DC_OK && !told && ds_cmd_caught() == 0)
        tell_blame(v, slice, &one);
    ds_events_free(&one);
    ds_events_free(&old);
    return status;
}

static enum dc_status tell_difference(struct verify *v, struct dc_error *error)
{
    struct ds_slice slice = {0};
    bool found = false;
    enum dc_status status = ds_slices_compare(v->run.file, v->file, &found, &slice, error);
    if (status == DC_OK && found) {
        printf(
            "first difference, in slice %llu of /digest (%.9g s to %.9g s), %llu of %llu nodes:\n",
            (unsigned long long)slice.index, (double)slice.from_ns * 1e-9,
            (double)slice.until_ns * 1e-9, (unsigned long long)slice.differing,
            (unsigned long long)slice.nodes);
        forget(v);
        status = tell_slice(v, &slice, error);
    } else if (status == DC_OK) {
        struct dc_text what = {0};
        if (ds_results_differ(v->run.file, v->file, "the file", "the new run", &what))
            printf("every event is the same; first difference: %s\n",
                   what.data != NULL ? what.data : "?");
        else
            printf(
                "every event and every number is the same: names, shapes or attributes differ\n");
        dc_text_free(&what);
    }
    ds_slice_free(&slice);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static int compare(struct verify *v, const char *content_now)
{
    const char *trace = ds_results_text(v->run.file, "trace_digest");
    const char *content = ds_results_text(v->run.file, "content_digest");
    bool untouched = same_text(content, content_now);
    bool same_trace = same_text(trace, v->result.trace_digest);
    bool same_content = same_text(content, v->result.content_digest);
    if (untouched && same_trace && same_content) {
        printf("%s: verified\n  trace digest   %s\n  content digest %s\n", v->run.path, trace,
               content);
        return DS_EXIT_FINE;
    }
    printf("%s: DIFFERS\n", v->run.path);
    printf("  trace digest   %s in the file, %s in the new run\n", trace != NULL ? trace : "none",
           v->result.trace_digest);
    printf("  content digest %s in the file, %s in the new run\n",
           content != NULL ? content : "none", v->result.content_digest);
    if (!untouched)
        printf("  the file was changed after it was written: its content hashes to %s\n",
               content_now);
    print_builds(v);
    struct dc_error error = {0};
    enum dc_status status = tell_difference(v, &error);
    if (status != DC_OK)
        ds_cmd_failed(status, &error);
    return DS_EXIT_EXPECT;
}

static int verify(struct verify *v)
{
    struct dc_error error = {0};
    char content_now[65] = "";
    if (!ds_results_complete(v->run.file))
        return ds_cmd_usage("%s: is the part of a run that did not end (complete = 0): it has no "
                            "digests to compare with",
                            v->run.path);
    int code = choose_place(v);
    if (code != DS_EXIT_FINE)
        return code;
    enum dc_status status = ds_results_content_digest(v->run.file, content_now, &error);
    if (status == DC_OK)
        status = run_again(v, &error);
    if (ds_cmd_caught() == 0)
        code = status != DC_OK ? ds_cmd_failed(status, &error) : compare(v, content_now);
    forget(v);
    return ds_cmd_caught() != 0 ? 128 + ds_cmd_caught() : code;
}

/* In a process that ds_fresh_events started. */
static int events_alone(struct verify *v, const char *window)
{
    struct dc_error error = {0};
    struct ds_events events = {0};
    long long from_ns, until_ns;
    if (sscanf(window, "%lld,%lld", &from_ns, &until_ns) != 2)
        return ds_cmd_usage("verify: --events wants two times in ns, as in 0,1000000");
    enum dc_status status = ds_rerun_events(&v->run, &v->how, "running the slice once more",
                                            from_ns, until_ns, &events, &error);
    int code = status != DC_OK        ? ds_cmd_failed(status, &error)
               : ds_cmd_caught() != 0 ? 128 + ds_cmd_caught()
                                      : ds_fresh_print(&events);
    ds_events_free(&events);
    return code;
}

static int run(const struct ds_args *args)
{
    struct verify v = {0};
    const char *window = ds_args_value(args, "--events");
    if (!ds_rerun_arguments(args, &v.how))
        return DS_EXIT_USAGE;
    int code = ds_rerun_open(args->operand[0], &v.run);
    if (code == DS_EXIT_FINE)
        code = window != NULL ? events_alone(&v, window) : verify(&v);
    ds_rerun_close(&v.run);
    dc_text_free(&v.again);
    dc_text_free(&v.partial);
    return code;
}

static const struct ds_option options[] = {
    {"--threads", "N", "threads; the result does not depend on it"},
    {"--quiet", NULL, "no progress on standard error"},
    {"--events", "FROM,UNTIL", NULL}, /* cmd_verify_fresh.c */
    {0},
};

const struct ds_command ds_cmd_verify = {
    .name = "verify",
    .operands = "OUT.h5",
    .line = "runs again what a results file embeds and compares digests",
    .details =
        "The file holds its scenario and every file that the scenario names, so nothing else is\n"
        "needed. Exit code 0: the same trace and content digests. 1: something differs, and the\n"
        "first epoch, node and event that do are named, with both versions of the event where\n"
        "the file keeps its events (record: {trace: on}) or this program, having written it,\n"
        "does not do the same twice. A copy of the run is written beside OUT.h5 meanwhile.",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

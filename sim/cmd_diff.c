/* `destrasim diff`: what differs between two results files, from what was asked for to what came of
 * it.
 *
 *     parameters, inputs, builds, digests          from the files, cmd_diff_find.c
 *     the first slice of /digest that differs      cmd_verify_find.c
 *     that slice of both, run again and watched -> the first event that differs, both versions
 *     numbers of /summary, the largest relative difference first
 *
 * Both files are run again by this program.  If it wrote neither, what it runs may not be what they
 * hold: the digests at the slice's end tell, and it is said. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/base/mem.h"
#include "sim/cmd_diff.h"

struct side {
    struct ds_rerun run;
    const char *label; /* "A" */
    const char *trace_digest, *content_digest;
    char content_now[65];
    bool complete, touched;
    struct ds_slice slice;
    struct ds_events events;
    bool reproduced;
};

struct diff {
    struct side a, b;
    struct ds_rerun_how how;
    struct ds_differences parameters, inputs, builds;
    struct ds_metric_difference *metric;
    size_t metrics, metrics_all;
    uint64_t limit;
    bool json, no_run;
    bool same;
    bool slice_found, event_found;
    struct ds_parting event;
    const char *why_no_event;
    struct dc_text what; /* differs although every event is the same */
};

/* ---- finding --------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static int open_side(struct side *s, const char *path, const char *label)
{
    struct dc_error error = {0};
    s->label = label;
    int code = ds_rerun_open(path, &s->run);
    if (code != DS_EXIT_FINE)
        return code;
    s->complete = ds_results_complete(s->run.file);
    s->trace_digest = ds_results_text(s->run.file, "trace_digest");
    s->content_digest = ds_results_text(s->run.file, "content_digest");
    enum dc_status status = ds_results_content_digest(s->run.file, s->content_now, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    s->touched = s->complete && !same_text(s->content_digest, s->content_now);
    return DS_EXIT_FINE;
}

static enum dc_status side_events(struct diff *d, struct side *s, int64_t from_ns, int64_t until_ns,
                                  struct dc_error *error)
{
    struct dc_text what = {0};
    dc_text_printf(&what, "running %s again", s->label);
    ds_events_free(&s->events);
    enum dc_status status = ds_rerun_events(&s->run, &d->how, what.data != NULL ? what.data : "",
                                            from_ns, until_ns, &s->events, error);
    s->reproduced = status == DC_OK && ds_events_lead_to(&s->events, &s->slice);
    dc_text_free(&what);
    return status;
}

/* Slices end at the first barrier at or after a time, and barriers lie at every fault: so two runs
 * may be cut differently without any event being different.  Then the rest is looked at. */
static enum dc_status find_event(struct diff *d, struct dc_error *error)
{
    int64_t from = d->a.slice.from_ns, until = d->a.slice.until_ns;
    enum dc_status status = DC_OK;
    if (d->b.slice.from_ns < from)
        from = d->b.slice.from_ns;
    if (d->b.slice.until_ns > until)
        until = d->b.slice.until_ns;
    for (int attempt = 0; attempt < 2 && status == DC_OK && !d->event_found; attempt++) {
        status = side_events(d, &d->a, from, attempt == 0 ? until : 0, error);
        if (status == DC_OK && ds_cmd_caught() == 0)
            status = side_events(d, &d->b, from, attempt == 0 ? until : 0, error);
        if (status != DC_OK || ds_cmd_caught() != 0)
            return status;
        d->event_found = ds_events_part(&d->a.events, &d->b.events, &d->event);
    }
    if (!d->event_found)
        d->why_no_event = d->a.events.cut || d->b.events.cut
                              ? "there are more events than are kept in memory"
                              : "run again, both handle the same events, whatever the files hold: "
                                "`destrasim verify` of each tells more";
    return status;
}

static enum dc_status find_slice(struct diff *d, struct dc_error *error)
{
    bool found;
    if (ds_results_size(d->a.run.file, "node") != ds_results_size(d->b.run.file, "node")) {
        d->why_no_event = "the runs have different numbers of nodes";
        return DC_OK;
    }
    enum dc_status status =
        ds_slices_compare(d->a.run.file, d->b.run.file, &d->slice_found, &d->a.slice, error);
    if (status == DC_OK)
        status = ds_slices_compare(d->b.run.file, d->a.run.file, &found, &d->b.slice, error);
    if (status != DC_OK || d->slice_found) {
        if (d->no_run)
            d->why_no_event = "--no-run: nothing was run again";
        return status != DC_OK || d->no_run ? status : find_event(d, error);
    }
    d->why_no_event = "every event is the same";
    (void)ds_results_differ(d->a.run.file, d->b.run.file, "A", "B", &d->what);
    return DC_OK;
}

static int find_all(struct diff *d)
{
    struct dc_error error = {0};
    struct ds_results *a = d->a.run.file, *b = d->b.run.file;
    d->same = d->a.complete && d->b.complete && !d->a.touched && !d->b.touched &&
              same_text(d->a.trace_digest, d->b.trace_digest) &&
              same_text(d->a.content_digest, d->b.content_digest);
    ds_diff_builds(a, b, &d->builds);
    if (d->same)
        return DS_EXIT_FINE;
    ds_diff_parameters(&d->a.run.scenario, &d->b.run.scenario, &d->parameters);
    ds_diff_inputs(a, b, &d->inputs);
    if (d->a.complete && d->b.complete)
        d->metrics = ds_diff_metrics(a, b, &d->metric, &d->metrics_all);
    enum dc_status status = find_slice(d, &error);
    if (ds_cmd_caught() != 0)
        return 128 + ds_cmd_caught();
    return status != DC_OK ? ds_cmd_failed(status, &error) : DS_EXIT_EXPECT;
}

/* ---- for people ------------------------------------------------------------------------------ */

static void print_differences(const char *head, const struct ds_differences *d)
{
    if (d->count == 0) {
        printf("%-11s the same\n", head);
        return;
    }
    printf("%-11s %zu differ\n", head, d->count);
    for (size_t i = 0; i < d->count; i++) {
        const struct ds_difference *x = &d->list[i];
        printf("  %s\n    A: %s\n    B: %s\n", x->path, x->a != NULL ? x->a : "(not there)",
               x->b != NULL ? x->b : "(not there)");
    }
}

static void print_digests(const struct side *s)
{
    printf("  %s: trace %s, content %s\n", s->label,
           s->trace_digest != NULL ? s->trace_digest : "none",
           s->content_digest != NULL ? s->content_digest : "none");
    if (!s->complete)
        printf("     is the part of a run that did not end (complete = 0)\n");
    if (s->touched)
        printf("     was changed after it was written: its content hashes to %s\n", s->content_now);
}

static void print_event(const struct side *s, const struct ds_event_seen *e, bool lacks)
{
    struct dc_text text = {0};
    ds_parting_print(&s->run.scenario, e, lacks, 5, &text);
    printf("  %s: %s", s->label, text.data != NULL ? text.data : "?\n");
    dc_text_free(&text);
    if (!s->reproduced)
        printf("     (as this program runs it, which is not what %s holds: another build wrote "
               "it?)\n",
               s->label);
}

static void print_events(const struct diff *d)
{
    const struct ds_slice *s = &d->a.slice;
    if (d->slice_found)
        printf(
            "Slices      the first that differs is %llu (%.9g s to %.9g s): %llu of %llu nodes\n",
            (unsigned long long)s->index, (double)s->from_ns * 1e-9, (double)s->until_ns * 1e-9,
            (unsigned long long)s->differing, (unsigned long long)s->nodes);
    if (!d->event_found) {
        printf("Events      %s\n", d->why_no_event != NULL ? d->why_no_event : "not compared");
        if (d->what.size > 0)
            printf("            first difference: %s\n", d->what.data);
        return;
    }
    const struct ds_event_seen *e = d->event.a != NULL ? d->event.a : d->event.b;
    printf("Events      the first that differs, in epoch %llu:\n",
           (unsigned long long)ds_results_epoch_at(d->a.run.file, e->time_ns));
    print_event(&d->a, d->event.a, d->event.lacks_a);
    print_event(&d->b, d->event.b, d->event.lacks_b);
}

static const char *value_word(double value, char text[32])
{
    if (isnan(value))
        return "not measured";
    snprintf(text, 32, "%.10g", value);
    return text;
}

static void print_metrics(const struct diff *d)
{
    if (!d->a.complete || !d->b.complete) {
        printf("Metrics     not compared: a part of a run has none\n");
        return;
    }
    printf("Metrics     %zu of %zu differ%s\n", d->metrics, d->metrics_all,
           d->metrics > 0 ? ", the largest relative difference first" : "");
    if (d->metrics > 0)
        printf("  %-36s %14s %14s %14s %10s\n", "", "A", "B", "B - A", "relative");
    size_t shown = d->limit != 0 && d->limit < d->metrics ? (size_t)d->limit : d->metrics;
    for (size_t i = 0; i < shown; i++) {
        const struct ds_metric_difference *m = &d->metric[i];
        char a[32], b[32], absolute[32];
        printf("  %-36s %14s %14s %14s %10s\n", m->name, value_word(m->a, a), value_word(m->b, b),
               isnan(m->absolute) ? "" : value_word(m->absolute, absolute),
               ds_word_percent(m->relative).text);
    }
    if (shown < d->metrics)
        printf("  and %zu more: --limit 0 shows all\n", d->metrics - shown);
}

static void print_all(const struct diff *d)
{
    if (d->same) {
        printf("%s and %s are the same\n  trace digest   %s\n  content digest %s\n", d->a.run.path,
               d->b.run.path, d->a.trace_digest, d->a.content_digest);
        if (d->builds.count > 0)
            print_differences("Build", &d->builds);
        return;
    }
    printf("A: %s\nB: %s\nDIFFER\n\n", d->a.run.path, d->b.run.path);
    print_differences("Parameters", &d->parameters);
    print_differences("Inputs", &d->inputs);
    print_differences("Build", &d->builds);
    printf("Digests\n");
    print_digests(&d->a);
    print_digests(&d->b);
    print_events(d);
    print_metrics(d);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void json_text(struct dc_text *out, const char *key, const char *text)
{
    ds_json_string(out, key);
    dc_text_add(out, ": ");
    if (text != NULL)
        ds_json_string(out, text);
    else
        dc_text_add(out, "null");
}

static void json_differences(struct dc_text *out, const char *key, const struct ds_differences *d)
{
    dc_text_printf(out, ",\n \"%s\": [", key);
    for (size_t i = 0; i < d->count; i++) {
        dc_text_add(out, i > 0 ? ",\n  {" : "\n  {");
        json_text(out, "path", d->list[i].path);
        dc_text_add(out, ", ");
        json_text(out, "a", d->list[i].a);
        dc_text_add(out, ", ");
        json_text(out, "b", d->list[i].b);
        dc_text_add(out, "}");
    }
    dc_text_add(out, "]");
}

static void json_side(struct dc_text *out, const char *key, const struct side *s)
{
    dc_text_printf(out, ",\n \"%s\": {", key);
    json_text(out, "file", s->run.path);
    dc_text_printf(out, ", \"complete\": %s, \"changed_later\": %s, ",
                   s->complete ? "true" : "false", s->touched ? "true" : "false");
    json_text(out, "trace_digest", s->trace_digest);
    dc_text_add(out, ", ");
    json_text(out, "content_digest", s->content_digest);
    dc_text_add(out, "}");
}

static void json_event(struct dc_text *out, const char *key, const struct side *s,
                       const struct ds_event_seen *e, bool lacks)
{
    dc_text_printf(out, "\"%s\": ", key);
    if (e == NULL) {
        dc_text_add(out, "null");
        return;
    }
    dc_text_printf(out, "{\"reproduced\": %s, \"instead\": %s, ", s->reproduced ? "true" : "false",
                   lacks ? "true" : "false");
    ds_event_json(&s->run.scenario, e, out);
    dc_text_add(out, "}");
}

static void json_events(struct dc_text *out, const struct diff *d)
{
    dc_text_add(out, ",\n \"slice\": ");
    if (d->slice_found)
        dc_text_printf(out,
                       "{\"index\": %llu, \"from_ns\": %lld, \"until_ns\": %lld, \"nodes\": "
                       "%llu}",
                       (unsigned long long)d->a.slice.index, (long long)d->a.slice.from_ns,
                       (long long)d->a.slice.until_ns, (unsigned long long)d->a.slice.differing);
    else
        dc_text_add(out, "null");
    dc_text_add(out, ",\n \"event\": ");
    if (d->event_found) {
        dc_text_add(out, "{\n  ");
        json_event(out, "a", &d->a, d->event.a, d->event.lacks_a);
        dc_text_add(out, ",\n  ");
        json_event(out, "b", &d->b, d->event.b, d->event.lacks_b);
        dc_text_add(out, "}");
    } else {
        dc_text_add(out, "null");
    }
}

static int json_all(const struct diff *d)
{
    struct dc_text out = {0};
    dc_text_printf(&out, "{\n \"same\": %s", d->same ? "true" : "false");
    json_side(&out, "a", &d->a);
    json_side(&out, "b", &d->b);
    json_differences(&out, "parameters", &d->parameters);
    json_differences(&out, "inputs", &d->inputs);
    json_differences(&out, "build", &d->builds);
    json_events(&out, d);
    dc_text_add(&out, ",\n \"metrics\": [");
    for (size_t i = 0; i < d->metrics && (d->limit == 0 || i < d->limit); i++) {
        const struct ds_metric_difference *m = &d->metric[i];
        dc_text_add(&out, i > 0 ? ",\n  {" : "\n  {");
        json_text(&out, "name", m->name);
        const struct {
            const char *key;
            double value;
        } numbers[] = {
            {"a", m->a}, {"b", m->b}, {"absolute", m->absolute}, {"relative", m->relative}};
        for (size_t k = 0; k < 4; k++) {
            dc_text_printf(&out, ", \"%s\": ", numbers[k].key);
            ds_json_number(&out, numbers[k].value);
        }
        dc_text_add(&out, "}");
    }
    dc_text_add(&out, "]\n}\n");
    return ds_cmd_output(&out);
}

/* ---- the command ----------------------------------------------------------------------------- */

static void free_side(struct side *s)
{
    ds_events_free(&s->events);
    ds_slice_free(&s->slice);
    ds_rerun_close(&s->run);
}

static int run(const struct ds_args *args)
{
    struct diff d = {.json = ds_args_value(args, "--json") != NULL,
                     .no_run = ds_args_value(args, "--no-run") != NULL};
    d.limit = d.json ? 0 : 20;
    if (!ds_args_number(args, "--limit", 0, UINT32_MAX, &d.limit) ||
        !ds_rerun_arguments(args, &d.how))
        return DS_EXIT_USAGE;
    int code = open_side(&d.a, args->operand[0], "A");
    if (code == DS_EXIT_FINE)
        code = open_side(&d.b, args->operand[1], "B");
    if (code == DS_EXIT_FINE) {
        code = find_all(&d);
        int written = DS_EXIT_FINE;
        if (code == DS_EXIT_EXPECT || code == DS_EXIT_FINE) {
            if (d.json)
                written = json_all(&d);
            else
                print_all(&d);
        }
        code = written != DS_EXIT_FINE ? written : code;
    }
    free_side(&d.a);
    free_side(&d.b);
    ds_differences_free(&d.parameters);
    ds_differences_free(&d.inputs);
    ds_differences_free(&d.builds);
    dc_mem_free(d.metric);
    dc_text_free(&d.what);
    return code;
}

static const struct ds_option options[] = {
    {"--limit", "N", "shows so many metrics; 0: all; default: 20, all with --json"},
    {"--no-run", NULL, "runs nothing again: the slice that differs, but no event"},
    {"--threads", "N", "threads; the result does not depend on it"},
    {"--quiet", NULL, "no progress on standard error"},
    {"--json", NULL, "everything as one JSON object"},
    {0},
};

const struct ds_command ds_cmd_diff = {
    .name = "diff",
    .operands = "A.h5 B.h5",
    .line = "what differs between two results files, down to the first event",
    .details =
        "Parameters by their path, input files, builds, digests; the first slice of virtual time\n"
        "in which the runs part, and, by running that much of both again, the first event that\n"
        "differs, in both versions; metrics, the largest relative difference first.\n"
        "Exit code 0: the same trace and content digests. 1: something differs.",
    .options = options,
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};

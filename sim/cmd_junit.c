/* `run --junit FILE`: what a run came to, as JUnit XML, for continuous integration.
 *
 *   testsuite NAME     properties: seed, digests, how it ended, file
 *     testcase NAME.run          did it run?    error: what stopped it
 *     testcase NAME.invariants   each of them   failure: the evidence
 *     testcase NAME.expect       each line      failure: what it was instead
 *     testcase NAME.sometimes    each line      failure: it did not occur
 *
 * A run that was interrupted or failed says so as an error; what it was to show at its end is
 * skipped, and a violation that it had found until then is a failure all the same.  The file is
 * written whole or not at all. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/cmd_world.h"

struct junit {
    struct dc_text cases;
    const char *suite;
    size_t tests, failures, errors, skipped;
};

/* Text in XML 1.0: control characters cannot stand in it at all. */
static void junit_text(struct dc_text *out, const char *text)
{
    for (const char *c = text; c != NULL && *c != '\0'; c++) {
        switch (*c) {
        case '&': dc_text_add(out, "&amp;"); break;
        case '<': dc_text_add(out, "&lt;"); break;
        case '>': dc_text_add(out, "&gt;"); break;
        case '"': dc_text_add(out, "&quot;"); break;
        case '\n':
        case '\t': dc_text_put(out, c, 1); break;
        default: dc_text_put(out, (unsigned char)*c < 0x20 ? "?" : c, 1);
        }
    }
}

static void junit_attribute(struct dc_text *out, const char *name, const char *value)
{
    dc_text_printf(out, " %s=\"", name);
    junit_text(out, value);
    dc_text_add(out, "\"");
}

/* One case; tag NULL: it passed, else failure, error or skipped, with a message and more. */
static void junit_case(struct junit *j, const char *group, const char *name, const char *tag,
                       const char *type, const char *message, const char *more)
{
    struct dc_text *out = &j->cases;
    dc_text_add(out, "    <testcase classname=\"");
    junit_text(out, j->suite);
    dc_text_printf(out, ".%s\"", group);
    junit_attribute(out, "name", name);
    j->tests++;
    if (tag == NULL) {
        dc_text_add(out, "/>\n");
        return;
    }
    *(strcmp(tag, "failure") == 0 ? &j->failures
      : strcmp(tag, "error") == 0 ? &j->errors
                                  : &j->skipped) += 1;
    dc_text_printf(out, ">\n      <%s", tag);
    if (type != NULL)
        junit_attribute(out, "type", type);
    junit_attribute(out, "message", message);
    dc_text_add(out, more != NULL ? ">" : "/>");
    if (more != NULL) {
        junit_text(out, more);
        dc_text_printf(out, "</%s>", tag);
    }
    dc_text_add(out, "\n    </testcase>\n");
}

static void junit_expect(struct junit *j, const char *group, const struct ds_expectation *e,
                         size_t count, const char *skip, const char *missed)
{
    for (size_t i = 0; i < count; i++) {
        char message[200];
        if (skip != NULL) {
            junit_case(j, group, e[i].text, "skipped", NULL, skip, NULL);
        } else if (e[i].held) {
            junit_case(j, group, e[i].text, NULL, NULL, NULL, NULL);
        } else {
            if (isnan(e[i].value))
                snprintf(message, sizeof message, "%s: this run did not measure it", missed);
            else
                snprintf(message, sizeof message, "%s: it is %.10g", missed, e[i].value);
            junit_case(j, group, e[i].text, "failure", group, message, e[i].text);
        }
    }
}

static void junit_invariants(struct junit *j, const struct ds_summary *s)
{
    for (size_t i = 0; i < s->invariant_count; i++) {
        const struct ds_invariant *v = &s->invariants[i];
        char message[80];
        snprintf(message, sizeof message, "violated %llu %s", (unsigned long long)v->violations,
                 v->violations == 1 ? "time" : "times");
        junit_case(j, "invariants", v->name, v->violations != 0 ? "failure" : NULL, "invariant",
                   message, v->violation);
    }
}

static void junit_cases(struct junit *j, const struct ds_outcome *o, const char *stopped)
{
    const struct ds_summary *s = o->summary;
    const char *skip = NULL;
    if (stopped != NULL)
        skip = "the run failed before its end";
    else if (s->end == DS_WORLD_INTERRUPTED)
        skip = stopped = "the run was interrupted by a signal";
    else if (s->end == DS_WORLD_VIOLATED)
        skip = "the run was stopped where an invariant was violated";
    junit_case(j, "run", "run", stopped != NULL ? "error" : NULL, "run", stopped, NULL);
    junit_invariants(j, s);
    junit_expect(j, "expect", s->expectations, s->expectation_count, skip, "does not hold");
    junit_expect(j, "sometimes", s->sometimes, s->sometimes_count, skip, "did not occur");
}

static void junit_property(struct dc_text *out, const char *name, const char *value)
{
    dc_text_add(out, "      <property");
    junit_attribute(out, "name", name);
    junit_attribute(out, "value", value);
    dc_text_add(out, "/>\n");
}

static void junit_properties(struct dc_text *out, const struct ds_outcome *o, bool failed)
{
    const struct ds_summary *s = o->summary;
    char text[40];
    dc_text_add(out, "    <properties>\n");
    snprintf(text, sizeof text, "%llu", (unsigned long long)o->scenario->seed);
    junit_property(out, "seed", text);
    junit_property(out, "end", failed ? "failed" : ds_summary_end(s->end));
    if (s->trace_digest[0] != '\0')
        junit_property(out, "trace_digest", s->trace_digest);
    if (s->content_digest[0] != '\0')
        junit_property(out, "content_digest", s->content_digest);
    if (o->file != NULL)
        junit_property(out, "file", o->file);
    double virtual_s = ds_summary_value(s, "virtual_time");
    snprintf(text, sizeof text, "%.9g", isnan(virtual_s) ? 0 : virtual_s);
    junit_property(out, "virtual_seconds", text);
    dc_text_add(out, "    </properties>\n");
}

static void junit_counts(struct dc_text *out, const struct junit *j, const struct ds_outcome *o)
{
    dc_text_printf(out,
                   " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\"",
                   j->tests, j->failures, j->errors, j->skipped, o->wall_s);
}

int ds_summary_junit(const struct ds_outcome *o, const char *stopped, const char *path)
{
    struct junit j = {.suite = o->scenario->name != NULL ? o->scenario->name : "destrasim"};
    struct dc_text out = {0};
    junit_cases(&j, o, stopped);
    dc_text_add(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"destrasim\"");
    junit_counts(&out, &j, o);
    dc_text_add(&out, ">\n  <testsuite");
    junit_attribute(&out, "name", j.suite);
    junit_counts(&out, &j, o);
    dc_text_add(&out, ">\n");
    junit_properties(&out, o, stopped != NULL);
    dc_text_put(&out, j.cases.data != NULL ? j.cases.data : "", j.cases.size);
    dc_text_add(&out, "  </testsuite>\n</testsuites>\n");
    out.failed = out.failed || j.cases.failed;
    struct dc_error error = {0};
    enum dc_status status = ds_cmd_write(path, &out, &error);
    dc_text_free(&j.cases);
    dc_text_free(&out);
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

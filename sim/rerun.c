/* Running a results file again; see rerun.h. */
#include "sim/rerun.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/mem.h"
#include "sim/build_info.h"
#include "sim/describe.h"

#define ROWS 8192 /* of /trace at a time */

/* ---- the file -------------------------------------------------------------------------------- */

static enum dc_status rerun_inputs(struct ds_rerun *r, struct dc_error *error)
{
    uint64_t count = ds_results_size(r->file, "input");
    r->inputs = dc_mem_need(count + 1, sizeof *r->inputs, "embedded files");
    for (uint64_t i = 0; i < count; i++) {
        struct ds_results_input in;
        enum dc_status status = ds_results_input(r->file, i, &in, error);
        if (status != DC_OK)
            return status;
        r->inputs[i] = (struct ds_input){in.path, in.content, (size_t)in.bytes};
    }
    return DC_OK;
}

int ds_rerun_open(const char *path, struct ds_rerun *out)
{
    struct dc_error error = {0};
    *out = (struct ds_rerun){.path = path};
    enum dc_status status = ds_results_open(path, &out->file, &error);
    if (status == DC_OK)
        status = rerun_inputs(out, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    const char *text = ds_results_text(out->file, "scenario");
    if (text == NULL)
        return ds_cmd_usage("%s: has no scenario", path);
    struct dc_text name = {0};
    dc_text_printf(&name, "%s/scenario", path);
    struct ds_source source = {.name = name.data != NULL ? name.data : path,
                               .text = text,
                               .size = strlen(text),
                               .inputs = out->inputs,
                               .inputs_count = ds_results_size(out->file, "input")};
    int code = ds_cmd_load_text(&source, &out->scenario);
    dc_text_free(&name);
    const char *until = ds_results_text(out->file, "until");
    out->until_ns = until != NULL ? (int64_t)strtoll(until, NULL, 10) : 0;
    return code;
}

void ds_rerun_close(struct ds_rerun *r)
{
    ds_results_close(r->file);
    ds_scenario_free(&r->scenario);
    dc_mem_free(r->inputs);
    *r = (struct ds_rerun){0};
}

bool ds_rerun_same_build(struct ds_rerun *r)
{
    struct ds_attribute own[DS_CMD_ATTRIBUTES];
    size_t count = ds_cmd_attributes(own, 0, NULL);
    for (size_t i = 0; i < count; i++) {
        const char *in_file = ds_results_text(r->file, own[i].name);
        if (in_file == NULL || strcmp(in_file, own[i].text) != 0)
            return false;
    }
    return true;
}

/* ---- running --------------------------------------------------------------------------------- */

bool ds_rerun_arguments(const struct ds_args *args, struct ds_rerun_how *out)
{
    *out = (struct ds_rerun_how){.quiet = ds_args_value(args, "--quiet") != NULL};
    if (!ds_args_threads(args, &out->threads))
        return false;
    out->stop = ds_cmd_catch_signals();
    return true;
}

enum dc_status ds_rerun_run(struct ds_rerun *r, const struct ds_rerun_how *how, const char *what,
                            const struct ds_world_options *options, struct ds_rerun_result *out,
                            struct dc_error *error)
{
    struct ds_attribute attributes[DS_CMD_ATTRIBUTES];
    char until[60];
    struct ds_world *world = NULL;
    struct ds_summary summary = {0};
    struct ds_progress_line progress;
    struct ds_scenario scenario = r->scenario; /* what it points to stays the rerun's */
    struct ds_world_options o = *options;
    *out = (struct ds_rerun_result){0};
    if (o.output == NULL) /* only what happens in this world is wanted */
        scenario.record.lift = scenario.record.trace = false;
    if (o.until_ns == 0 || (r->until_ns != 0 && r->until_ns < o.until_ns))
        o.until_ns = r->until_ns;
    o.threads = how->threads;
    o.stop = how->stop;
    o.progress = ds_progress_show;
    o.progress_ctx = &progress;
    o.attributes = attributes;
    o.attribute_count = ds_cmd_attributes(attributes, r->until_ns, until);
    ds_progress_begin(&progress, how->quiet, what);
    enum dc_status status = ds_world_create(&scenario, &o, &world, error);
    if (status == DC_OK) {
        progress.begin_s = progress.shown_s = ds_clock_wall();
        status = ds_world_run(world, error);
        struct dc_error finish_error = {0};
        enum dc_status finished = ds_world_finish(world, &summary, &finish_error);
        if (status == DC_OK && finished != DC_OK)
            status = dc_error_set(error, finished, "%s", finish_error.text);
        memcpy(out->trace_digest, summary.trace_digest, sizeof out->trace_digest);
        memcpy(out->content_digest, summary.content_digest, sizeof out->content_digest);
        out->ended_ns = progress.now_ns;
        out->violation_ns = summary.invariants_held ? -1 : summary.violation_ns;
        size_t size = summary.violation != NULL ? strlen(summary.violation) : 0;
        if (size > 0) /* the last byte stays 0 */
            memcpy(out->violation, summary.violation,
                   size < sizeof out->violation ? size : sizeof out->violation - 1);
        out->interrupted = ds_cmd_caught() != 0;
    }
    ds_world_destroy(world);
    ds_progress_end(&progress);
    return status;
}

/* ---- events ---------------------------------------------------------------------------------- */

struct ds_event_seen *ds_events_add(struct ds_events *e)
{
    if (e->count == DS_EVENTS_MAX) {
        e->cut = true;
        return NULL;
    }
    if (e->count == e->max) {
        e->max = e->max == 0 ? 4096 : 2 * e->max;
        e->list = dc_mem_grow(e->list, e->max, sizeof *e->list);
        DC_CHECK(e->list != NULL);
    }
    return &e->list[e->count++];
}

static struct ds_event_text *text_find(struct ds_event_text *table, size_t max, uint64_t content)
{
    size_t i = (size_t)(content * 0x9e3779b97f4a7c15ULL >> 20) & (max - 1);
    while (table[i].text != NULL && table[i].content != content)
        i = (i + 1) & (max - 1);
    return &table[i];
}

/* What a message says, made once however many receive it. */
static const char *events_text(struct ds_events *e, const struct ds_watched *seen)
{
    if (2 * (e->text_count + 1) > e->text_max) {
        size_t max = e->text_max == 0 ? 1024 : 2 * e->text_max;
        struct ds_event_text *table = dc_mem_need(max, sizeof *table, "texts of messages");
        for (size_t i = 0; i < e->text_max; i++)
            if (e->text[i].text != NULL)
                *text_find(table, max, e->text[i].content) = e->text[i];
        dc_mem_free(e->text);
        e->text = table;
        e->text_max = max;
    }
    struct ds_event_text *at = text_find(e->text, e->text_max, seen->content);
    if (at->text == NULL) {
        struct dc_text text = {0};
        ds_describe_message(e->scenario, seen->bytes, seen->size, &text);
        char *kept = dc_arena_alloc(&e->texts, text.size + 1);
        if (kept == NULL || text.data == NULL) {
            dc_text_free(&text);
            return NULL;
        }
        memcpy(kept, text.data, text.size);
        dc_text_free(&text);
        *at = (struct ds_event_text){seen->content, kept};
        e->text_count++;
    }
    return at->text;
}

static void events_watch(void *ctx, const struct ds_watched *seen)
{
    struct ds_events *e = ctx;
    struct ds_event_seen *new = ds_events_add(e);
    if (new == NULL)
        return;
    *new = (struct ds_event_seen){.time_ns = seen->time_ns,
                                  .rolling = seen->rolling,
                                  .a = seen->a,
                                  .node = seen->node,
                                  .source = seen->peer,
                                  .sequence = seen->sequence,
                                  .event = seen->event,
                                  .text = seen->bytes != NULL ? events_text(e, seen) : NULL,
                                  .message = seen->bytes != NULL ? seen->bytes[0] : 0,
                                  .size = seen->size};
}

enum dc_status ds_rerun_events(struct ds_rerun *r, const struct ds_rerun_how *how, const char *what,
                               int64_t from_ns, int64_t until_ns, struct ds_events *out,
                               struct dc_error *error)
{
    *out = (struct ds_events){.scenario = &r->scenario};
    struct ds_watch watch = {.watched = events_watch,
                             .ctx = out,
                             .from_ns = from_ns,
                             .until_ns = until_ns,
                             .events_only = true};
    struct ds_world_options options = {.watch = &watch, .until_ns = until_ns};
    struct ds_rerun_result result;
    enum dc_status status = ds_rerun_run(r, how, what, &options, &result, error);
    out->interrupted = result.interrupted;
    return status;
}

struct rows {
    int64_t time_ns[ROWS];
    uint32_t node[ROWS], source[ROWS], kind[ROWS], message[ROWS], size[ROWS], sequence[ROWS];
    uint64_t digest[ROWS];
};

/* Files of older versions have neither kinds nor sizes of messages. */
static enum dc_status read_rows(struct ds_results *file, uint64_t first, uint64_t count,
                                struct rows *rows, struct dc_error *error)
{
    const struct {
        const char *name;
        enum ds_type type;
        void *out;
        bool optional;
    } columns[] = {{"/trace/time", DS_I64, rows->time_ns, false},
                   {"/trace/node", DS_U32, rows->node, false},
                   {"/trace/source", DS_U32, rows->source, false},
                   {"/trace/kind", DS_U32, rows->kind, false},
                   {"/trace/sequence", DS_U32, rows->sequence, false},
                   {"/trace/digest", DS_U64, rows->digest, false},
                   {"/trace/message", DS_U32, rows->message, true},
                   {"/trace/size", DS_U32, rows->size, true}};
    struct dc_error ignored = {0};
    enum dc_status status = DC_OK;
    for (size_t c = 0; status == DC_OK && c < sizeof columns / sizeof columns[0]; c++) {
        status = ds_results_read(file, columns[c].name, first, count, columns[c].type,
                                 columns[c].out, columns[c].optional ? &ignored : error);
        if (columns[c].optional)
            status = DC_OK;
    }
    return status;
}

enum dc_status ds_rerun_recorded(struct ds_rerun *r, int64_t from_ns, int64_t until_ns,
                                 struct ds_events *out, struct dc_error *error)
{
    *out = (struct ds_events){.scenario = &r->scenario};
    uint64_t size = ds_results_size(r->file, "event");
    struct rows *rows = dc_mem_need(1, sizeof *rows, "events");
    enum dc_status status = DC_OK;
    for (uint64_t first = 0; status == DC_OK && first < size; first += ROWS) {
        uint64_t count = size - first < ROWS ? size - first : ROWS;
        status = read_rows(r->file, first, count, rows, error);
        for (uint64_t i = 0; status == DC_OK && i < count; i++) {
            if (rows->time_ns[i] < from_ns || (until_ns != 0 && rows->time_ns[i] >= until_ns))
                continue;
            struct ds_event_seen *new = ds_events_add(out);
            if (new == NULL)
                break;
            *new = (struct ds_event_seen){.time_ns = rows->time_ns[i],
                                          .rolling = rows->digest[i],
                                          .node = rows->node[i],
                                          .source = rows->source[i],
                                          .sequence = rows->sequence[i],
                                          .event = rows->kind[i],
                                          .message = rows->message[i],
                                          .size = rows->size[i]};
        }
    }
    dc_mem_free(rows);
    return status;
}

void ds_events_free(struct ds_events *e)
{
    dc_mem_free(e->list);
    dc_mem_free(e->text);
    dc_arena_free(&e->texts);
    *e = (struct ds_events){0};
}

/* Index of the first event in which the two differ, or SIZE_MAX; one list may end there. */
static size_t first_difference(const struct ds_events *a, const struct ds_events *b)
{
    size_t i = 0;
    for (; i < a->count && i < b->count; i++) {
        const struct ds_event_seen *x = &a->list[i], *y = &b->list[i];
        if (x->time_ns != y->time_ns || x->node != y->node || x->source != y->source ||
            x->sequence != y->sequence || x->event != y->event || x->rolling != y->rolling)
            return i;
    }
    return a->count == b->count || a->cut || b->cut ? SIZE_MAX : i;
}

/* The same event, at whatever time; at or after index. */
static const struct ds_event_seen *find_same(const struct ds_events *e, size_t index,
                                             const struct ds_event_seen *other)
{
    for (; e->list != NULL && index < e->count; index++) {
        const struct ds_event_seen *x = &e->list[index];
        if (x->node == other->node && x->source == other->source &&
            x->sequence == other->sequence && x->event == other->event)
            return x;
    }
    return NULL;
}

bool ds_events_part(const struct ds_events *a, const struct ds_events *b, struct ds_parting *out)
{
    size_t at = first_difference(a, b);
    *out = (struct ds_parting){0};
    if (at == SIZE_MAX)
        return false;
    out->a = at < a->count ? &a->list[at] : NULL;
    out->b = at < b->count ? &b->list[at] : NULL;
    bool b_first =
        out->a == NULL ||
        (out->b != NULL && (out->b->time_ns < out->a->time_ns ||
                            (out->b->time_ns == out->a->time_ns && out->b->node < out->a->node)));
    const struct ds_event_seen *same = find_same(b_first ? a : b, at, b_first ? out->b : out->a);
    *(b_first ? &out->lacks_a : &out->lacks_b) = same == NULL;
    if (same != NULL)
        *(b_first ? &out->a : &out->b) = same;
    return true;
}

/* ---- telling --------------------------------------------------------------------------------- */

static const char *event_name(uint32_t event)
{
    for (uint32_t i = 0; ds_event_names[i] != NULL; i++)
        if (i == event)
            return ds_event_names[i];
    return "event";
}

static const char *message_name(uint32_t message)
{
    for (uint32_t i = 0; ds_message_names[i] != NULL; i++)
        if (i == message)
            return ds_message_names[i];
    return "message";
}

/* What an event says beside where and when it is; nothing for a start. */
static void event_says(const struct ds_event_seen *e, struct dc_text *out)
{
    bool carries =
        strcmp(event_name(e->event), "timer") == 0 || strcmp(event_name(e->event), "call") == 0;
    if (e->text != NULL)
        dc_text_add(out, e->text);
    else if (e->size != 0)
        dc_text_printf(out, "%s, %u bytes on the wire", message_name(e->message), e->size);
    else if (carries && e->a != 0)
        ds_describe_event(e->event, e->a, out);
}

void ds_event_print(const struct ds_scenario *s, const struct ds_event_seen *e, int indent,
                    struct dc_text *out)
{
    dc_text_printf(out, "%s at node %u (", event_name(e->event), e->node);
    ds_describe_node(s, e->node, out);
    dc_text_printf(out, "), %.9f s, caused by node %u (", (double)e->time_ns * 1e-9, e->source);
    ds_describe_node(s, e->source, out);
    dc_text_printf(out, "), sequence %u\n", e->sequence);
    struct dc_text says = {0};
    event_says(e, &says);
    if (says.size > 0)
        dc_text_printf(out, "%*s%s\n", indent, "", says.data);
    dc_text_free(&says);
}

void ds_parting_print(const struct ds_scenario *s, const struct ds_event_seen *e, bool lacks,
                      int indent, struct dc_text *out)
{
    if (e == NULL) {
        dc_text_add(out, "none any more\n");
        return;
    }
    if (lacks)
        dc_text_add(out, "no such event; instead ");
    ds_event_print(s, e, indent, out);
}

void ds_event_json(const struct ds_scenario *s, const struct ds_event_seen *e, struct dc_text *out)
{
    struct dc_text name = {0}, source = {0}, says = {0};
    ds_describe_node(s, e->node, &name);
    ds_describe_node(s, e->source, &source);
    event_says(e, &says);
    dc_text_printf(out, "\"time_ns\": %lld, \"kind\": ", (long long)e->time_ns);
    ds_json_string(out, event_name(e->event));
    dc_text_printf(out, ", \"node\": %u, \"node_name\": ", e->node);
    ds_json_string(out, name.data != NULL ? name.data : "");
    dc_text_printf(out, ", \"source\": %u, \"source_name\": ", e->source);
    ds_json_string(out, source.data != NULL ? source.data : "");
    dc_text_printf(out, ", \"sequence\": %u, \"says\": ", e->sequence);
    ds_json_string(out, says.data != NULL ? says.data : "");
    dc_text_free(&name);
    dc_text_free(&source);
    dc_text_free(&says);
}

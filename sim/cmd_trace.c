/* `destrasim trace`: a stretch of a run, told line by line and drawn.
 *
 *     OUT.h5 --> run again up to --to, watched --> items, in order --> the log
 *                                                                 \-> a space-time diagram (-o)
 *
 * One line is one thing that happened at one node; the same message to several nodes at once is
 * one line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/mem.h"
#include "models/consensus/env.h"
#include "models/wire/block.h"
#include "sim/cmd_trace.h"
#include "sim/describe.h"
#include "sim/scenario/value.h"

#define ITEMS_MAX ((size_t)1 << 20)
#define LINES_DEFAULT 2000
#define WINDOW_DEFAULT_NS 5000000000
#define BEFORE_VIOLATION_NS 3000000000
#define AFTER_VIOLATION_NS 1000000000

const char *const ds_trace_class_names[DS_TRACE_CLASSES] = {
    "proposal", "vote",   "timeout", "sync",  "tx",    "challenge",
    "client",   "gossip", "commit",  "fault", "timer", "note"};

/* ---- watching -------------------------------------------------------------------------------- */

static enum ds_trace_class class_of_message(const struct ds_watched *e)
{
    static const uint8_t classes[DC_MSG_COUNT] = {
        [DC_MSG_PROPOSAL] = DS_TRACE_PROPOSAL,   [DC_MSG_VOTE] = DS_TRACE_VOTE,
        [DC_MSG_TIMEOUT] = DS_TRACE_TIMEOUT,     [DC_MSG_SYNC] = DS_TRACE_SYNC,
        [DC_MSG_HANDOVER] = DS_TRACE_SYNC,       [DC_MSG_BLOCK_REQUEST] = DS_TRACE_SYNC,
        [DC_MSG_BLOCK_REPLY] = DS_TRACE_SYNC,    [DC_MSG_TX] = DS_TRACE_TX,
        [DC_MSG_CHALLENGE] = DS_TRACE_CHALLENGE, [DC_MSG_ANSWER] = DS_TRACE_CHALLENGE,
        [DC_MSG_FETCH] = DS_TRACE_CHALLENGE,     [DC_MSG_FETCH_REPLY] = DS_TRACE_CHALLENGE,
        [DC_MSG_PUT] = DS_TRACE_CLIENT,          [DC_MSG_PUT_REPLY] = DS_TRACE_CLIENT,
        [DC_MSG_GET] = DS_TRACE_CLIENT,          [DC_MSG_GET_REPLY] = DS_TRACE_CLIENT,
        [DC_MSG_RECEIPT] = DS_TRACE_CLIENT,      [DC_MSG_RECEIPT_REPLY] = DS_TRACE_CLIENT,
        [DC_MSG_EPOCH_REQUEST] = DS_TRACE_SYNC,  [DC_MSG_EPOCH_REPLY] = DS_TRACE_SYNC,
        [DC_MSG_STATE_REQUEST] = DS_TRACE_SYNC,  [DC_MSG_STATE_REPLY] = DS_TRACE_SYNC,
        [DC_MSG_HANDSHAKE] = DS_TRACE_CLIENT,    [DC_MSG_FRAME] = DS_TRACE_CLIENT,
        [DC_MSG_APP] = DS_TRACE_CLIENT,          [DC_MSG_HOLDER] = DS_TRACE_CLIENT};
    const char *event = ds_event_names[e->event];
    if (strcmp(event, "announce") == 0 || strcmp(event, "pull") == 0)
        return DS_TRACE_GOSSIP;
    uint8_t kind = e->size > 0 ? e->bytes[0] : 0;
    if (kind == 0 || kind >= DC_MSG_COUNT)
        return DS_TRACE_CLIENT;
    return (enum ds_trace_class)classes[kind];
}

static enum ds_trace_class class_of(const struct ds_watched *e)
{
    switch (e->kind) {
    case DS_WATCH_SENT:
    case DS_WATCH_LOST:
    case DS_WATCH_RECEIVED: return class_of_message(e);
    case DS_WATCH_COMMIT: return DS_TRACE_COMMIT;
    case DS_WATCH_TIMER: return DS_TRACE_TIMER;
    case DS_WATCH_CALL: return DS_TRACE_CLIENT;
    case DS_WATCH_NOTE: return DS_TRACE_NOTE;
    case DS_WATCH_OTHER:
        return strcmp(ds_event_names[e->event], "again") == 0 ? DS_TRACE_GOSSIP : DS_TRACE_FAULT;
    default: return DS_TRACE_FAULT;
    }
}

static const char *kept_text(struct ds_trace_log *log, const struct ds_watched *e)
{
    struct dc_text text = {0};
    if (e->kind == DS_WATCH_SENT)
        ds_describe_packet(log->scenario, e, &text);
    else
        ds_describe_watched(log->scenario, e, &text);
    char *kept = dc_arena_alloc(&log->texts, text.size + 1);
    DC_CHECK(kept != NULL);
    if (text.data != NULL)
        memcpy(kept, text.data, text.size);
    dc_text_free(&text);
    return kept;
}

static void watched(void *ctx, const struct ds_watched *e)
{
    struct ds_trace_log *log = ctx;
    enum ds_trace_class class = class_of(e);
    if ((log->classes >> class & 1) == 0)
        return;
    if (log->count == log->limit) {
        log->beyond++;
        return;
    }
    if (log->count == log->max) {
        log->max = log->max == 0 ? 1024 : 2 * log->max;
        log->list = dc_mem_grow(log->list, log->max, sizeof *log->list);
        DC_CHECK(log->list != NULL);
    }
    /* The same message to one more node says the same. */
    const struct ds_trace_item *last = log->count > 0 ? &log->list[log->count - 1] : NULL;
    bool again = last != NULL && e->kind == DS_WATCH_SENT && last->kind == DS_WATCH_SENT &&
                 last->node == e->node && last->time_ns == e->time_ns &&
                 last->content == e->content && last->class == class;
    struct ds_trace_item new = {.time_ns = e->time_ns,
                                .sent_ns = e->sent_ns,
                                .due_ns = e->due_ns,
                                .content = e->content,
                                .text = again ? last->text : kept_text(log, e),
                                .node = e->node,
                                .peer = e->peer,
                                .class = (uint8_t) class,
                                .kind = (uint8_t)e->kind,
                                .down = e->down,
                                .height = e->block != NULL               ? e->block->header.height
                                          : e->note == DC_NOTE_TIMED_OUT ? e->b
                                                                         : 0,
                                .detail = e->kind == DS_WATCH_NOTE ? e->note : e->fault};
    log->list[log->count++] = new;
}

/* ---- what was asked for ---------------------------------------------------------------------- */

static bool add_nodes(struct ds_trace_log *log, uint64_t first, uint64_t count)
{
    for (uint64_t n = first; n < first + count; n++)
        log->nodes[n / 64] |= (uint64_t)1 << (n & 63);
    return true;
}

/* "val[3]", "val" (the whole group) or "17". */
static bool add_node(struct ds_trace_log *log, const char *word)
{
    const struct ds_scenario *s = log->scenario;
    char *end;
    unsigned long long number = strtoull(word, &end, 10);
    if (word[0] >= '0' && word[0] <= '9' && *end == '\0' && number < s->nodes_count)
        return add_nodes(log, number, 1);
    size_t size = strcspn(word, "[");
    for (size_t g = 0; g < s->groups_count; g++) {
        const struct ds_group *group = &s->groups[g];
        if (strlen(group->name) != size || strncmp(group->name, word, size) != 0)
            continue;
        if (word[size] == '\0')
            return add_nodes(log, group->first, group->count);
        number = strtoull(word + size + 1, &end, 10);
        if (word[size + 1] >= '0' && word[size + 1] <= '9' && strcmp(end, "]") == 0 &&
            number < group->count)
            return add_nodes(log, group->first + number, 1);
    }
    return false;
}

static int choose_nodes(const struct ds_args *args, struct ds_trace_log *log)
{
    log->node_count = (uint32_t)log->scenario->nodes_count;
    log->nodes = dc_mem_need(log->node_count / 64 + 1, sizeof *log->nodes, "nodes");
    const char **words = dc_mem_need(args->givens + 1, sizeof *words, "--node");
    size_t count = ds_args_values(args, "--node", words);
    int code = DS_EXIT_FINE;
    for (size_t i = 0; i < count && code == DS_EXIT_FINE; i++)
        if (!add_node(log, words[i]))
            code = ds_cmd_usage("trace: the run has no node `%s`: write a name like %s[0], a "
                                "group like %s, or a number below %u",
                                words[i], log->scenario->groups[0].name,
                                log->scenario->groups[0].name, log->node_count);
    if (count == 0)
        add_nodes(log, 0, log->node_count);
    for (uint32_t n = 0; n < log->node_count; n++)
        log->watched += (uint32_t)(log->nodes[n / 64] >> (n & 63) & 1);
    dc_mem_free(words);
    return code;
}

static int choose_kinds(const struct ds_args *args, struct ds_trace_log *log)
{
    const char *list = ds_args_value(args, "--kinds");
    log->classes = (1u << DS_TRACE_CLASSES) - 1;
    if (list == NULL)
        return DS_EXIT_FINE;
    log->classes = 0;
    if (*list == '\0')
        return ds_cmd_usage("trace: --kinds wants a list, as in --kinds vote,timeout,commit");
    while (*list != '\0') {
        size_t size = strcspn(list, ","), c = 0;
        while (c < DS_TRACE_CLASSES && (strlen(ds_trace_class_names[c]) != size ||
                                        strncmp(ds_trace_class_names[c], list, size) != 0))
            c++;
        if (c == DS_TRACE_CLASSES) {
            struct dc_text all = {0};
            for (size_t i = 0; i < DS_TRACE_CLASSES; i++)
                dc_text_printf(&all, "%s%s", i > 0 ? ", " : "", ds_trace_class_names[i]);
            int code = ds_cmd_usage("trace: --kinds knows no `%.*s`: they are %s", (int)size, list,
                                    all.data != NULL ? all.data : "?");
            dc_text_free(&all);
            return code;
        }
        log->classes |= 1u << c;
        list += size + (list[size] == ',');
    }
    return DS_EXIT_FINE;
}

/* As ds_args_time, and 0 is a time too. */
static bool time_value(const struct ds_args *args, const char *option, int64_t *out)
{
    const char *text = ds_args_value(args, option);
    if (text == NULL)
        return true;
    struct dc_text why = {0};
    uint64_t value = 0;
    bool good =
        ds_value_integer(text, strlen(text), DS_DIM_TIME, &value, &why) && value <= INT64_MAX / 4;
    if (!good)
        ds_cmd_usage("trace: %s: %s", option,
                     why.data != NULL ? why.data : "wants a time, as in `90 s`");
    dc_text_free(&why);
    *out = (int64_t)value;
    return good;
}

/* When the run first broke an invariant; -1: the file says that it did not.  The file holds how
 * often, not when: the run is done again up to there. */
static int64_t first_violation(struct ds_rerun *r, const struct ds_rerun_how *how)
{
    struct dc_error error = {0};
    struct ds_scalar scalar;
    bool any = false;
    for (uint64_t i = 0; i < ds_results_summary_count(r->file) && !any; i++)
        any = ds_results_summary(r->file, i, &scalar, &error) == DC_OK &&
              strcmp(scalar.name, "violations") == 0 && scalar.type == DS_U64 &&
              scalar.value.u64 > 0;
    if (!any)
        return -1;
    struct ds_world_options options = {.stop_at_violation = true};
    struct ds_rerun_result result;
    enum dc_status status =
        ds_rerun_run(r, how, "looking for the violation", &options, &result, &error);
    if (status != DC_OK || result.interrupted)
        return -1;
    if (result.violation_ns < 0)
        ds_cmd_warn(
            "%s counts violations of invariants, and this program finds none when it runs it",
            r->path);
    return result.violation_ns;
}

static int choose_window(const struct ds_args *args, struct ds_rerun *r,
                         const struct ds_rerun_how *how, struct ds_trace_log *log)
{
    int64_t violation = -1;
    log->from_ns = log->until_ns = -1;
    if (!time_value(args, "--from", &log->from_ns) || !time_value(args, "--to", &log->until_ns))
        return DS_EXIT_USAGE;
    if (log->from_ns < 0 && log->until_ns < 0)
        violation = first_violation(r, how);
    if (violation >= 0) {
        log->from_ns = violation > BEFORE_VIOLATION_NS ? violation - BEFORE_VIOLATION_NS : 0;
        log->until_ns = violation + AFTER_VIOLATION_NS;
    }
    if (log->from_ns < 0)
        log->from_ns = log->until_ns > WINDOW_DEFAULT_NS ? log->until_ns - WINDOW_DEFAULT_NS : 0;
    if (log->until_ns < 0)
        log->until_ns = log->from_ns + WINDOW_DEFAULT_NS;
    if (log->until_ns <= log->from_ns)
        return ds_cmd_usage("trace: --to must be later than --from");
    return DS_EXIT_FINE;
}

/* ---- what is found out by the run ------------------------------------------------------------ */

/* The first violation at its place among the items: behind all of its time. */
static void add_violation(struct ds_trace_log *log, const struct ds_rerun_result *result)
{
    int64_t at_ns = result->violation_ns;
    if (at_ns < log->from_ns || at_ns >= log->until_ns || log->beyond > 0)
        return;
    const char *why = strstr(result->violation, " s: "); /* "at 7.5 s: agreement: ..." */
    struct dc_text text = {0};
    dc_text_printf(&text, "VIOLATED %s", why != NULL ? why + 4 : result->violation);
    char *kept = text.failed ? NULL : dc_arena_alloc(&log->texts, text.size + 1);
    DC_CHECK(kept != NULL);
    memcpy(kept, text.data, text.size);
    dc_text_free(&text);
    log->list = dc_mem_grow(log->list, log->count + 1, sizeof *log->list);
    DC_CHECK(log->list != NULL);
    size_t place = log->count++;
    for (; place > 0 && log->list[place - 1].time_ns > at_ns; place--)
        log->list[place] = log->list[place - 1];
    log->list[place] = (struct ds_trace_item){.time_ns = at_ns,
                                              .sent_ns = -1,
                                              .due_ns = -1,
                                              .text = kept,
                                              .node = UINT32_MAX,
                                              .peer = UINT32_MAX,
                                              .class = DS_TRACE_FAULT,
                                              .kind = DS_TRACE_VIOLATION};
}

static void say_nothing(const struct ds_trace_log *log, const struct ds_rerun *r, int64_t ended_ns)
{
    if (log->from_ns >= ended_ns)
        ds_cmd_warn("%s: nothing happens after %.9g s, and --from is %.9g s", r->path,
                    (double)ended_ns / 1e9, (double)log->from_ns / 1e9);
    else
        ds_cmd_warn("nothing of what was asked for happens from %.9g s to %.9g s",
                    (double)log->from_ns / 1e9, (double)log->until_ns / 1e9);
}

/* ---- the log --------------------------------------------------------------------------------- */

/* The items of one line: one, or the same message to several nodes. */
static size_t line_items(const struct ds_trace_log *log, size_t first)
{
    size_t n = 1;
    while (first + n < log->count && log->list[first].kind == DS_WATCH_SENT &&
           log->list[first + n].kind == DS_WATCH_SENT &&
           log->list[first + n].text == log->list[first].text)
        n++;
    return n;
}

static void print_line(const struct ds_trace_log *log, size_t first, size_t items)
{
    const struct ds_trace_item *i = &log->list[first];
    struct dc_text node = {0}, to = {0};
    if (i->node != UINT32_MAX)
        ds_describe_node(log->scenario, i->node, &node);
    for (size_t k = 0; i->kind == DS_WATCH_SENT && k < items && k < 4; k++) {
        dc_text_add(&to, k == 0 ? "to " : ", ");
        ds_describe_node(log->scenario, log->list[first + k].peer, &to);
    }
    if (i->kind == DS_WATCH_SENT && items > 4)
        dc_text_printf(&to, " and %zu more", items - 4);
    printf("%14.9f  %-10s %s%s%s\n", (double)i->time_ns * 1e-9, node.data != NULL ? node.data : "-",
           to.data != NULL ? to.data : "", to.data != NULL ? ": " : "", i->text);
    dc_text_free(&node);
    dc_text_free(&to);
}

static void print_log(const struct ds_trace_log *log, uint64_t limit)
{
    uint64_t lines = 0, left = 0;
    for (size_t i = 0; i < log->count;) {
        size_t items = line_items(log, i);
        if (limit == 0 || lines < limit)
            print_line(log, i, items);
        else
            left++;
        lines++;
        i += items;
    }
    (void)fflush(stdout);
    if (left > 0)
        ds_cmd_warn("%llu further lines are left out: --limit 0 shows all; --node, --from, --to "
                    "and --kinds choose",
                    (unsigned long long)left);
    if (log->beyond > 0)
        ds_cmd_warn("%llu further events are more than are kept in memory: choose a shorter time, "
                    "or fewer nodes",
                    (unsigned long long)log->beyond);
}

/* ---- the command ----------------------------------------------------------------------------- */

static int write_picture(const struct ds_trace_log *log, const char *path)
{
    struct dc_text text = {0};
    size_t every = ds_trace_draw(log, &text);
    FILE *file = text.failed || text.data == NULL ? NULL : fopen(path, "wb");
    bool good = file != NULL && fwrite(text.data, 1, text.size, file) == text.size;
    int why = errno;
    if (file != NULL && fclose(file) != 0)
        good = false;
    dc_text_free(&text);
    if (good && every > 1)
        ds_cmd_warn("%s shows one of %zu messages of each kind: choose fewer nodes, kinds or a "
                    "shorter time to see all",
                    path, every);
    if (good)
        return DS_EXIT_FINE;
    ds_cmd_usage("%s: could not be written: %s", path, strerror(why));
    return DS_EXIT_IO;
}

/* It is SVG, whatever the name says. */
static bool picture_name(const char *path)
{
    static const char *const others[] = {".png", ".pdf", ".jpg", ".jpeg", ".gif", ".h5"};
    size_t size = path != NULL ? strlen(path) : 0;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (size >= strlen(others[i]) && strcmp(path + size - strlen(others[i]), others[i]) == 0) {
            ds_cmd_usage("trace: -o draws SVG: name it %.*s.svg", (int)(size - strlen(others[i])),
                         path);
            return false;
        }
    return true;
}

static int trace(const struct ds_args *args, struct ds_rerun *r, const struct ds_rerun_how *how,
                 struct ds_trace_log *log)
{
    uint64_t limit = LINES_DEFAULT;
    struct dc_error error = {0};
    struct ds_rerun_result result;
    const char *picture = ds_args_value(args, "-o");
    log->scenario = &r->scenario;
    log->title = r->scenario.name;
    log->limit = ITEMS_MAX;
    if (!ds_args_number(args, "--limit", 0, UINT32_MAX, &limit) || !picture_name(picture))
        return DS_EXIT_USAGE;
    int code = choose_nodes(args, log);
    if (code == DS_EXIT_FINE)
        code = choose_kinds(args, log);
    if (code == DS_EXIT_FINE)
        code = choose_window(args, r, how, log);
    if (code == DS_EXIT_FINE && picture != NULL && log->watched > DS_TRACE_NODES_MAX)
        code = ds_cmd_usage("trace: a picture of %u nodes cannot be read: choose at most %d of "
                            "them with --node",
                            log->watched, DS_TRACE_NODES_MAX);
    if (code != DS_EXIT_FINE)
        return code;
    struct ds_watch watch = {.watched = watched,
                             .ctx = log,
                             .nodes = log->nodes,
                             .from_ns = log->from_ns,
                             .until_ns = log->until_ns};
    struct ds_world_options options = {.watch = &watch, .until_ns = log->until_ns};
    enum dc_status status = ds_rerun_run(r, how, "running again", &options, &result, &error);
    if (ds_cmd_caught() != 0)
        return 128 + ds_cmd_caught();
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    if (!ds_rerun_same_build(r))
        ds_cmd_warn("%s was written by another build: this is the run as this program runs it",
                    r->path);
    if (result.violation_ns >= 0)
        add_violation(log, &result);
    print_log(log, limit);
    if (log->count == 0)
        say_nothing(log, r, result.ended_ns);
    return picture != NULL ? write_picture(log, picture) : DS_EXIT_FINE;
}

static int run(const struct ds_args *args)
{
    struct ds_rerun r = {0};
    struct ds_rerun_how how;
    struct ds_trace_log log = {0};
    if (!ds_rerun_arguments(args, &how))
        return DS_EXIT_USAGE;
    int code = ds_rerun_open(args->operand[0], &r);
    if (code == DS_EXIT_FINE)
        code = trace(args, &r, &how, &log);
    dc_arena_free(&log.texts);
    dc_mem_free(log.list);
    dc_mem_free(log.nodes);
    ds_rerun_close(&r);
    return code;
}

static const struct ds_option options[] = {
    {"--node", "NAME",
     "watches this node: val[3], a whole group (val), or a number; may\n"
     "be repeated; default: all. Messages are shown when either end is"},
    {"--from", "TIME",
     "of virtual time; default: shortly before the first violation of\n"
     "an invariant, where there was one, else 5 s before --to"},
    {"--to", "TIME", "default: 5 s after --from"},
    {"--kinds", "LIST",
     "shows these alone: proposal, vote, timeout, sync, tx, challenge,\n"
     "client, gossip, commit, fault, timer, note; separated by commas"},
    {"--limit", "N", "prints so many lines; 0: all; default: 2000"},
    {"-o", "FILE.svg", "draws a space-time diagram, too"},
    {"--threads", "N", "threads; the result does not depend on it"},
    {"--quiet", NULL, "no progress on standard error"},
    {0},
};

const struct ds_command ds_cmd_trace = {
    .name = "trace",
    .operands = "OUT.h5",
    .line = "tells and draws what happened, message by message",
    .details =
        "Runs again what OUT.h5 embeds, up to --to, and prints one line for each thing that\n"
        "happened at the chosen nodes: messages sent and received with what they say, timers,\n"
        "commits, faults, what nodes observed, and where an invariant is first violated.\n"
        "In the diagram (-o) time runs down; messages are arrows, commits dots, rounds that\n"
        "time out triangles; the time in which a node is down or a fault holds is marked.",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

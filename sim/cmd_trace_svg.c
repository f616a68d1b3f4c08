/* The space-time diagram of `trace`: an SVG without scripts, readable on light and dark.
 *
 *            val[0]   val[1]   val[2]      a lane per node: those that were asked for, and who
 *     0.0 s    |        |        |         they talk with
 *              |\___    |        |         a message: from sending to arrival; lost ones end in a
 *              |    \__>|        |         cross half-way
 *     0.5 s ---|--------o 12-----|---      o a commit, with its height where it is the first of it;
 *              v        v        v         a triangle a round that times out, likewise; a band a
 *                                          fault; a thick line a node that is down; a red line the
 *                                          first violation
 *
 * Colours are those of Okabe and Ito, which the colour-blind tell apart, lighter where the reader's
 * page is dark; every arrow and mark has its text as a tooltip. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/mem.h"
#include "models/consensus/env.h"
#include "sim/cmd_trace.h"
#include "sim/describe.h"
#include "sim/scenario/table.h"

#define LEFT 84
#define TOP 116
#define EDGE 36
#define DROP_PX 12.0 /* by which the median message falls, where there is room */
#define NO_LANE UINT32_MAX

struct picture {
    const struct ds_trace_log *log;
    struct dc_text *out;
    uint32_t *lane; /* of each node, or NO_LANE */
    uint32_t lanes;
    double lane_px, width_px, height_px; /* of the whole; lane: between two */
    size_t arrows[DS_TRACE_MESSAGES], every;
};

/* ---- where things are ------------------------------------------------------------------------ */

static double x_of(const struct picture *p, uint32_t node)
{
    return LEFT + (p->lane[node] + 0.5) * p->lane_px;
}

static double y_of(const struct picture *p, int64_t time_ns)
{
    double whole = (double)(p->log->until_ns - p->log->from_ns);
    return TOP + (double)(time_ns - p->log->from_ns) / whole * (p->height_px - TOP - EDGE);
}

static bool has_lane(const struct picture *p, uint32_t node)
{
    return node < p->log->node_count && p->lane[node] != NO_LANE;
}

/* A message's two ends in time; false where it is no arrow of this picture.  One that is seen at
 * both ends is drawn once, from the sender's. */
static bool arrow_of(const struct picture *p, const struct ds_trace_item *i, int64_t *from_ns,
                     int64_t *until_ns)
{
    if (i->class >= DS_TRACE_MESSAGES || !has_lane(p, i->node) || !has_lane(p, i->peer) ||
        i->node == i->peer)
        return false;
    *from_ns = i->sent_ns;
    *until_ns = i->kind == DS_WATCH_RECEIVED ? i->time_ns : i->due_ns;
    if (i->kind == DS_WATCH_RECEIVED)
        return i->sent_ns >= 0 && i->sent_ns < p->log->from_ns;
    return i->kind == DS_WATCH_SENT || i->kind == DS_WATCH_LOST;
}

static void add_lanes(struct picture *p)
{
    const struct ds_trace_log *log = p->log;
    bool *shown = dc_mem_need(log->node_count + 1, sizeof *shown, "lanes");
    uint32_t count = log->watched;
    for (uint32_t n = 0; n < log->node_count; n++)
        shown[n] = (log->nodes[n / 64] >> (n & 63) & 1) != 0;
    for (size_t i = 0; i < log->count && count < DS_TRACE_NODES_MAX; i++) {
        uint32_t ends[] = {log->list[i].node, log->list[i].peer};
        for (int k = 0; k < 2 && log->list[i].class < DS_TRACE_MESSAGES; k++)
            if (ends[k] < log->node_count && !shown[ends[k]] && count < DS_TRACE_NODES_MAX) {
                shown[ends[k]] = true;
                count++;
            }
    }
    for (uint32_t n = 0; n < log->node_count; n++)
        p->lane[n] = shown[n] ? p->lanes++ : NO_LANE;
    dc_mem_free(shown);
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* So high that the median message is seen to take time. */
static double height_by_delay(const struct picture *p)
{
    int64_t *delay = dc_mem_need(p->log->count + 1, sizeof *delay, "delays"), from, until;
    size_t count = 0;
    for (size_t i = 0; i < p->log->count; i++)
        if (arrow_of(p, &p->log->list[i], &from, &until) && until > from)
            delay[count++] = until - from;
    double height = 0;
    if (count > 0) {
        qsort(delay, count, sizeof *delay, compare_times);
        int64_t median_ns = delay[count / 2];
        height = DROP_PX * (double)(p->log->until_ns - p->log->from_ns) / (double)median_ns;
    }
    dc_mem_free(delay);
    return fmin(height, 1200);
}

static void measure(struct picture *p)
{
    size_t arrows = 0;
    int64_t from, until;
    add_lanes(p);
    for (size_t i = 0; i < p->log->count; i++)
        if (arrow_of(p, &p->log->list[i], &from, &until)) {
            p->arrows[p->log->list[i].class]++;
            arrows++;
        }
    p->every = (arrows + DS_TRACE_ARROWS_MAX - 1) / DS_TRACE_ARROWS_MAX;
    if (p->every == 0)
        p->every = 1;
    p->lane_px = fmax(34, fmin(130, 1500.0 / p->lanes));
    p->width_px = fmax(LEFT + p->lanes * p->lane_px + EDGE, 760);
    double by_arrows = fmin(3200, (double)arrows / (double)p->every / 1.5);
    p->height_px = TOP + EDGE + fmax(fmax(560, by_arrows), height_by_delay(p));
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static void escape(struct dc_text *out, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '<': dc_text_add(out, "&lt;"); break;
        case '>': dc_text_add(out, "&gt;"); break;
        case '&': dc_text_add(out, "&amp;"); break;
        case '"': dc_text_add(out, "&quot;"); break;
        default: dc_text_put(out, text, 1);
        }
}

static const char *const colours[DS_TRACE_MESSAGES] = {"#0072b2", "#009e73", "#d55e00", "#cc79a7",
                                                       "#8c8c8c", "#e69f00", "#56b4e9", "#b3a12c"};

static const char *const dark_colours[DS_TRACE_MESSAGES] = {
    "#4aa3df", "#2fc493", "#ff8c42", "#e39bc6", "#a5a5a5", "#f0b53c", "#7cc7f2", "#d1c14f"};

static void draw_style(struct picture *p)
{
    struct dc_text *out = p->out;
    dc_text_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
        "viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" font-size=\"12\">\n<style>\n"
        ".paper{fill:#ffffff}.ink{fill:#1f2328}.soft{fill:#6a737d}"
        ".lane{stroke:#b8bec5;stroke-width:1}.tick{stroke:#e3e6ea;stroke-width:1}\n"
        ".fault{fill:#d55e00;fill-opacity:.13}.down{fill:#c0392b;fill-opacity:.75}"
        ".commit{fill:#1f2328}.out{fill:#d55e00}.m{fill:none;stroke-width:1.2}"
        ".bad{stroke:#c0392b;stroke-width:2;fill:none}.badtext{fill:#c0392b}\n"
        ".halo{stroke:#ffffff;stroke-width:3;stroke-linejoin:round;paint-order:stroke}\n",
        p->width_px, p->height_px, p->width_px, p->height_px);
    for (int c = 0; c < DS_TRACE_MESSAGES; c++)
        dc_text_printf(out, ".s%d{stroke:%s}.f%d{fill:%s}\n", c, colours[c], c, colours[c]);
    dc_text_add(out, ".lost{stroke-dasharray:4 3}.gone{stroke:#8c8c8c}\n"
                     "@media (prefers-color-scheme:dark){.paper{fill:#14171a}.ink{fill:#e6e8ea}"
                     ".soft{fill:#9aa4ad}.lane{stroke:#4a5259}.tick{stroke:#262b30}"
                     ".commit{fill:#e6e8ea}.halo{stroke:#14171a}.fault{fill-opacity:.22}"
                     ".out{fill:#ff8c42}.down,.badtext{fill:#ff6b5e}.bad{stroke:#ff6b5e}\n");
    for (int c = 0; c < DS_TRACE_MESSAGES; c++)
        dc_text_printf(out, ".s%d{stroke:%s}.f%d{fill:%s}\n", c, dark_colours[c], c,
                       dark_colours[c]);
    dc_text_add(out, "}\n</style>\n<defs>\n");
    for (int c = 0; c < DS_TRACE_MESSAGES; c++)
        dc_text_printf(out,
                       "<marker id=\"a%d\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" "
                       "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"
                       "<path class=\"f%d\" d=\"M0 1L8 4L0 7z\"/></marker>"
                       "<marker id=\"x%d\" viewBox=\"0 0 8 8\" refX=\"4\" refY=\"4\" "
                       "markerWidth=\"7\" markerHeight=\"7\"><path class=\"m s%d\" "
                       "d=\"M1 1l6 6m0 -6l-6 6\"/></marker>\n",
                       c, c, c, c);
    dc_text_printf(out, "</defs>\n<rect class=\"paper\" width=\"%.0f\" height=\"%.0f\"/>\n",
                   p->width_px, p->height_px);
}

/* The second line of the legend: marks, those alone that are there. */
static void draw_marks(struct picture *p)
{
    static const struct {
        const char *name, *sign;
    } marks[] = {{"lost", "<path class=\"m lost gone\" d=\"M0 0h20\"/><path class=\"m gone\" "
                          "d=\"M18 -3l6 6m0 -6l-6 6\"/>"},
                 {"commit, its height", "<circle class=\"commit\" cx=\"14\" cy=\"0\" r=\"4\"/>"},
                 {"timed out, its round", "<path class=\"out\" d=\"M14 -4l5 8h-10z\"/>"},
                 {"down", "<path class=\"down\" d=\"M12 -7h6v14h-6z\"/>"},
                 {"fault", "<path class=\"fault\" d=\"M2 -7h22v14h-22z\"/>"},
                 {"invariant violated", "<path class=\"bad\" d=\"M0 0h26\"/>"}};
    bool there[sizeof marks / sizeof marks[0]] = {false};
    double x = 16;
    for (size_t n = 0; n < p->log->count; n++) {
        const struct ds_trace_item *i = &p->log->list[n];
        there[0] |= i->kind == DS_WATCH_LOST;
        there[1] |= i->kind == DS_WATCH_COMMIT;
        there[2] |= i->kind == DS_WATCH_NOTE && i->detail == DC_NOTE_TIMED_OUT;
        there[3] |= i->kind == DS_WATCH_DOWN;
        there[4] |= i->kind == DS_WATCH_FAULT;
        there[5] |= i->kind == DS_TRACE_VIOLATION;
    }
    for (size_t m = 0; m < sizeof marks / sizeof marks[0]; m++) {
        if (!there[m])
            continue;
        dc_text_printf(p->out,
                       "<g transform=\"translate(%.0f 62)\">%s<text class=\"ink\" x=\"31\" "
                       "y=\"4\">%s</text></g>\n",
                       x, marks[m].sign, marks[m].name);
        x += 45 + 7 * (double)strlen(marks[m].name);
    }
}

static void draw_head(struct picture *p)
{
    const struct ds_trace_log *log = p->log;
    struct dc_text *out = p->out;
    double x = 16;
    int decimals = log->until_ns - log->from_ns < 100000000 ? 6 : 2;
    dc_text_add(out, "<text class=\"ink\" x=\"16\" y=\"24\" font-size=\"15\">");
    escape(out, log->title);
    dc_text_printf(out, ", seed %llu, %.*f s to %.*f s", (unsigned long long)log->scenario->seed,
                   decimals, (double)log->from_ns / 1e9, decimals, (double)log->until_ns / 1e9);
    if (p->every > 1)
        dc_text_printf(out, " (one of %zu messages of each kind)", p->every);
    dc_text_add(out, "</text>\n");
    for (int c = 0; c < DS_TRACE_MESSAGES; c++) {
        if (p->arrows[c] == 0)
            continue;
        dc_text_printf(out,
                       "<path class=\"m s%d\" marker-end=\"url(#a%d)\" d=\"M%.0f 42h26\"/>"
                       "<text class=\"ink\" x=\"%.0f\" y=\"46\">%s</text>\n",
                       c, c, x, x + 31, ds_trace_class_names[c]);
        x += 45 + 7 * (double)strlen(ds_trace_class_names[c]);
    }
    draw_marks(p);
}

/* 1, 2 or 5 times a power of ten, for about ten ticks. */
static int64_t tick_step(int64_t span_ns)
{
    static const int64_t factors[] = {1, 2, 5};
    int64_t power = 1;
    for (;; power *= 10)
        for (int i = 0; i < 3; i++)
            if (span_ns / (factors[i] * power) <= 10)
                return factors[i] * power;
}

static void draw_axes(struct picture *p)
{
    const struct ds_trace_log *log = p->log;
    struct dc_text *out = p->out;
    int64_t step = tick_step(log->until_ns - log->from_ns);
    bool fine = step < 1000000; /* below a millisecond */
    for (int64_t t = (log->from_ns + step - 1) / step * step; t <= log->until_ns; t += step)
        dc_text_printf(
            out,
            "<line class=\"tick\" x1=\"%d\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>"
            "<text class=\"soft\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.*f s</text>\n",
            LEFT, p->width_px - EDGE / 2.0, y_of(p, t), y_of(p, t), LEFT - 6, y_of(p, t) + 4,
            fine ? 6 : 3, (double)t * 1e-9);
    for (uint32_t n = 0; n < log->node_count; n++) {
        if (!has_lane(p, n))
            continue;
        struct dc_text name = {0};
        ds_describe_node(log->scenario, n, &name);
        bool asked = (log->nodes[n / 64] >> (n & 63) & 1) != 0;
        dc_text_printf(out,
                       "<line class=\"lane\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%.1f\"/>"
                       "<text class=\"%s\" transform=\"translate(%.1f %d)%s\" "
                       "text-anchor=\"%s\">",
                       x_of(p, n), x_of(p, n), TOP, p->height_px - EDGE, asked ? "ink" : "soft",
                       x_of(p, n), TOP - 6, p->lane_px < 60 ? " rotate(-35)" : "",
                       p->lane_px < 60 ? "start" : "middle");
        escape(out, name.data != NULL ? name.data : "?");
        dc_text_add(out, "</text>\n");
        dc_text_free(&name);
    }
}

/* ---- what happened --------------------------------------------------------------------------- */

/* From item i on: when the other end of a fault or of a node's time down is; until: not in here. */
static int64_t ends_at(const struct ds_trace_log *log, size_t i, enum ds_watch_kind end)
{
    const struct ds_trace_item *begin = &log->list[i];
    for (size_t k = i + 1; k < log->count; k++)
        if (log->list[k].kind == end && log->list[k].node == begin->node &&
            log->list[k].detail == begin->detail)
            return log->list[k].time_ns;
    return log->until_ns;
}

static void draw_faults(struct picture *p)
{
    const struct ds_trace_log *log = p->log;
    double label_px = 0; /* of the last label: the next one is below it */
    for (size_t i = 0; i < log->count; i++) {
        const struct ds_trace_item *item = &log->list[i];
        double y = y_of(p, item->time_ns);
        if (item->kind == DS_WATCH_FAULT) {
            dc_text_printf(p->out,
                           "<rect class=\"fault\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" "
                           "height=\"%.1f\"><title>",
                           LEFT, y, p->width_px - LEFT - EDGE / 2.0,
                           fmax(1, y_of(p, ends_at(log, i, DS_WATCH_FAULT_END)) - y));
            escape(p->out, item->text);
            dc_text_printf(p->out,
                           "</title></rect><text class=\"soft halo\" x=\"%.0f\" y=\"%.1f\" "
                           "text-anchor=\"end\" font-size=\"11\">",
                           p->width_px - EDGE / 2.0 - 4, label_px = fmax(y + 12, label_px + 13));
            const struct ds_fault *fault = &log->scenario->faults[item->detail];
            dc_text_printf(p->out, "%s: ", ds_choice_name(ds_choices_fault, fault->kind));
            escape(p->out, fault->id);
            dc_text_add(p->out, "</text>\n");
        } else if (item->kind == DS_WATCH_DOWN && has_lane(p, item->node)) {
            dc_text_printf(p->out,
                           "<rect class=\"down\" x=\"%.1f\" y=\"%.1f\" width=\"6\" "
                           "height=\"%.1f\"><title>down</title></rect>\n",
                           x_of(p, item->node) - 3, y,
                           fmax(1, y_of(p, ends_at(log, i, DS_WATCH_UP)) - y));
        }
    }
}

static void draw_arrow(struct picture *p, const struct ds_trace_item *i, int64_t from_ns,
                       int64_t until_ns)
{
    bool received = i->kind == DS_WATCH_RECEIVED, lost = i->kind == DS_WATCH_LOST;
    double x1 = x_of(p, received ? i->peer : i->node), x2 = x_of(p, received ? i->node : i->peer);
    double y1 = y_of(p, from_ns), y2 = lost ? y1 + 14 : y_of(p, until_ns);
    double bottom = p->height_px - EDGE;
    if (lost)
        x2 = (x1 + x2) / 2;
    bool leaves = y2 > bottom; /* arrives later */
    if (y1 < TOP) {
        x1 += (x2 - x1) * (TOP - y1) / (y2 - y1);
        y1 = TOP;
    }
    if (leaves) {
        x2 = x1 + (x2 - x1) * (bottom - y1) / (y2 - y1);
        y2 = bottom;
    }
    dc_text_printf(p->out, "<path class=\"m s%d%s\"", i->class, lost ? " lost" : "");
    if (!leaves)
        dc_text_printf(p->out, " marker-end=\"url(#%c%d)\"", lost ? 'x' : 'a', i->class);
    dc_text_printf(p->out, " d=\"M%.1f %.1fL%.1f %.1f", x1, y1, x2, y2);
    dc_text_add(p->out, "\"><title>");
    escape(p->out, i->text);
    dc_text_add(p->out, "</title></path>\n");
}

static bool is_mark(const struct ds_trace_item *i)
{
    return i->kind == DS_WATCH_COMMIT ||
           (i->kind == DS_WATCH_NOTE && i->detail == DC_NOTE_TIMED_OUT);
}

/* A commit or a round that is timed out. */
static void draw_mark(struct picture *p, const struct ds_trace_item *i)
{
    double x = x_of(p, i->node), y = y_of(p, i->time_ns);
    bool commit = i->kind == DS_WATCH_COMMIT;
    if (commit)
        dc_text_printf(p->out, "<circle class=\"commit\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>",
                       x, y);
    else
        dc_text_printf(p->out, "<path class=\"out\" d=\"M%.1f %.1fl5 8h-10z\"><title>", x, y - 4);
    escape(p->out, i->text);
    dc_text_add(p->out, commit ? "</title></circle>\n" : "</title></path>\n");
}

static void draw_label(struct picture *p, const struct ds_trace_item *i, const char *what)
{
    dc_text_printf(p->out,
                   "<text class=\"%s halo\" x=\"%.1f\" y=\"%.1f\" font-size=\"10\">%s%llu"
                   "</text>\n",
                   i->kind == DS_WATCH_COMMIT ? "ink" : "out", x_of(p, i->node) + 6,
                   y_of(p, i->time_ns) - 4, what, (unsigned long long)i->height);
}

/* A line where it is, and below the picture, where nothing is in the way, what it is. */
static void draw_violation(struct picture *p, const struct ds_trace_item *i)
{
    double y = y_of(p, i->time_ns);
    dc_text_printf(p->out, "<path class=\"bad\" d=\"M%d %.1fH%.0f\"><title>", LEFT, y,
                   p->width_px - EDGE / 2.0);
    escape(p->out, i->text);
    dc_text_printf(p->out, "</title></path><text class=\"badtext\" x=\"16\" y=\"%.1f\">%.6f s: ",
                   p->height_px - 12, (double)i->time_ns / 1e9);
    size_t size = strcspn(i->text, ";"), room = (size_t)((p->width_px - EDGE) / 6.5) - 15;
    struct dc_text line = {0};
    dc_text_put(&line, i->text, size < room ? size : room);
    escape(p->out, line.data != NULL ? line.data : "");
    dc_text_printf(p->out, "%s</text>\n", size < room ? "" : "...");
    dc_text_free(&line);
}

/* The next item is a commit of the same moment at the same node: it speaks for both. */
static bool with_next(const struct ds_trace_log *log, size_t n)
{
    const struct ds_trace_item *i = &log->list[n], *next = i + 1;
    return n + 1 < log->count && next->kind == DS_WATCH_COMMIT && next->node == i->node &&
           next->time_ns == i->time_ns;
}

static void draw_items(struct picture *p)
{
    size_t seen[DS_TRACE_MESSAGES] = {0};
    int64_t from, until;
    for (size_t n = 0; n < p->log->count; n++) {
        const struct ds_trace_item *i = &p->log->list[n];
        if (arrow_of(p, i, &from, &until) && seen[i->class]++ % p->every == 0)
            draw_arrow(p, i, from, until);
    }
    for (size_t n = 0; n < p->log->count; n++) {
        const struct ds_trace_item *i = &p->log->list[n];
        if (i->kind == DS_TRACE_VIOLATION)
            draw_violation(p, i);
        else if (has_lane(p, i->node) && is_mark(i))
            draw_mark(p, i);
    }
    uint64_t highest = 0, round = 0; /* the first commit of a height, the first who times out */
    for (size_t n = 0; n < p->log->count; n++) {
        const struct ds_trace_item *i = &p->log->list[n];
        if (!has_lane(p, i->node) || !is_mark(i))
            continue;
        if (i->kind == DS_WATCH_COMMIT && i->height > highest && !with_next(p->log, n))
            draw_label(p, i, "");
        else if (i->kind == DS_WATCH_NOTE && i->height != round)
            draw_label(p, i, "r");
        if (i->kind == DS_WATCH_COMMIT)
            highest = i->height > highest ? i->height : highest;
        else
            round = i->height;
    }
}

size_t ds_trace_draw(const struct ds_trace_log *log, struct dc_text *out)
{
    struct picture p = {.log = log, .out = out};
    p.lane = dc_mem_need(log->node_count + 1, sizeof *p.lane, "lanes");
    measure(&p);
    draw_style(&p);
    draw_head(&p);
    draw_axes(&p);
    draw_faults(&p);
    draw_items(&p);
    dc_text_add(out, "</svg>\n");
    dc_mem_free(p.lane);
    return p.every;
}

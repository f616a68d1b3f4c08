/* A figure as a configuration of Chart.js 3.9, in JSON.
 *
 * JSON holds no functions.  What needs one (names of categories, tooltips with units, error bars)
 * reads the figure's own member "da", and is in page.js:
 *
 *     {"type": "scatter", "data": {"datasets": [...]}, "options": {...},
 *      "da": {"x": {"label", "unit", "names": [...]}, "y": {...}}}
 *
 * A point is {"x", "y"} and where there is one "lo", "hi", "label"; null: a gap.  Both axes are
 * numbers: categories stand at 0, 1, 2 ... */
#include "analysis/figure_parts.h"

#include <math.h>

enum { CHART_POINTS_MAX = 20000 }; /* more would make a telephone wait */

static bool knows(const struct da_figure *f)
{
    size_t points = 0;
    bool any = false;
    for (size_t i = 0; i < f->count; i++) {
        enum da_mark mark = f->series[i].mark;
        if (mark == DA_MARK_SPANS || mark == DA_MARK_EDGES || mark == DA_MARK_CELLS)
            return false;
        points += f->series[i].count;
        for (size_t k = 0; k < f->series[i].count && !any; k++)
            any = isfinite(f->series[i].x[k]) && isfinite(f->series[i].y[k]);
    }
    return any && points <= CHART_POINTS_MAX && !f->x.bare && !f->y.bare;
}

static void number(struct dc_text *out, double value)
{
    if (isfinite(value))
        da_text_number(out, value);
    else
        dc_text_add(out, "null");
}

static void member(struct dc_text *out, const char *name, double value)
{
    dc_text_printf(out, ",\"%s\":", name);
    number(out, value);
}

/* y: of which edge of a band, or the series' own.  rich: with all that a tooltip tells. */
static void points(struct dc_text *out, const struct da_series *s, const double *y, bool rich)
{
    bool first = true;
    dc_text_add(out, "\"data\":[");
    for (size_t i = 0; i < s->count; i++) {
        if (!isfinite(s->x[i]))
            continue;
        dc_text_add(out, first ? "{\"x\":" : ",{\"x\":");
        first = false;
        number(out, s->x[i]);
        member(out, "y", y[i]);
        if (rich && s->lo != NULL)
            member(out, "lo", s->lo[i]);
        if (rich && s->hi != NULL)
            member(out, "hi", s->hi[i]);
        if (rich && s->label != NULL && s->label[i] != NULL) {
            dc_text_add(out, ",\"label\":");
            da_text_json(out, s->label[i]);
        }
        dc_text_add(out, "}");
    }
    dc_text_add(out, "]");
}

/* The edges of a band: two lines without a stroke, filled between. */
static void band(struct dc_text *out, const struct da_series *s, const struct da_look *look)
{
    for (int upper = 0; upper < 2; upper++) {
        dc_text_printf(out,
                       "{\"type\":\"line\",\"showLine\":true,\"band\":true,\"borderWidth\":0,"
                       "\"pointRadius\":0,\"pointHitRadius\":0,\"stepped\":%s,"
                       "\"backgroundColor\":\"%s33\",\"fill\":%s,",
                       s->mark == DA_MARK_STEP ? "true" : "false", look->colour,
                       upper != 0 ? "\"-1\"" : "false");
        points(out, s, upper != 0 ? s->hi : s->lo, false);
        dc_text_add(out, "},\n");
    }
}

static void dash(struct dc_text *out, const struct da_look *look)
{
    if (look->dash == NULL)
        return;
    dc_text_add(out, ",\"borderDash\":[");
    for (const char *p = look->dash; *p != '\0'; p++)
        dc_text_put(out, *p == ' ' ? "," : p, 1);
    dc_text_add(out, "]");
}

static void dataset(struct dc_text *out, const struct da_figure *f, size_t i)
{
    static const char *const style[DA_LOOKS] = {"circle",   "rect",   "triangle", "rectRot",
                                                "triangle", "circle", "crossRot", "star"};
    const struct da_series *s = &f->series[i];
    struct da_look look = da_figure_look(f, i);
    bool line = s->mark == DA_MARK_LINE || s->mark == DA_MARK_STEP, bar = s->mark == DA_MARK_BARS;
    if (line && s->lo != NULL && s->hi != NULL)
        band(out, s, &look);
    dc_text_printf(out, "{\"type\":\"%s\",\"label\":", bar ? "bar" : line ? "line" : "scatter");
    da_text_json(out, s->name != NULL ? s->name : "");
    dc_text_printf(out, ",\"borderColor\":\"%s\",\"backgroundColor\":\"%s\"", look.colour,
                   look.marker == 5 ? "#ffffff" : look.colour);
    if (line)
        dc_text_printf(out, ",\"showLine\":true,\"fill\":false,\"stepped\":%s,\"borderWidth\":2.2",
                       s->mark == DA_MARK_STEP ? "true" : "false");
    if (line)
        dash(out, &look);
    if (bar)
        dc_text_add(out, ",\"barPercentage\":1,\"categoryPercentage\":0.8,\"whiskers\":true,"
                         "\"borderColor\":\"#ffffff\",\"borderWidth\":1");
    else
        dc_text_printf(out, ",\"pointStyle\":\"%s\",\"pointRotation\":%d,\"pointRadius\":%s",
                       style[look.marker % DA_LOOKS], look.marker == 4 ? 180 : 0,
                       !line                                       ? (s->count > 300 ? "2" : "4.5")
                       : s->count <= 40 && s->mark == DA_MARK_LINE && s->colour != DA_GREY ? "3.5"
                                                                   : "0");
    if (look.marker == 5) /* hollow */
        dc_text_add(out, ",\"pointBorderWidth\":2");
    if (s->mark == DA_MARK_POINTS)
        dc_text_add(out, ",\"whiskers\":true");
    dc_text_add(out, ",");
    points(out, s, s->y, true);
    dc_text_add(out, "}");
}

static void scale(struct dc_text *out, const char *id, const struct da_axis *axis,
                  const struct da_ruler *range, bool is_y)
{
    struct dc_text title = {0};
    da_text_axis(&title, axis);
    dc_text_printf(out, "\"%s\":{\"type\":\"%s\",\"min\":", id,
                   range->log ? "logarithmic" : "linear");
    number(out, range->lo);
    member(out, "max", range->hi);
    if (is_y && axis->category != NULL) /* the first on top, as in the other forms */
        dc_text_add(out, ",\"reverse\":true");
    dc_text_printf(out, ",\"title\":{\"display\":%s,\"text\":", title.size != 0 ? "true" : "false");
    da_text_json(out, title.data != NULL ? title.data : "");
    dc_text_add(out, "}}");
    out->failed = out->failed || title.failed;
    dc_text_free(&title);
}

static void about(struct dc_text *out, const char *id, const struct da_axis *axis)
{
    dc_text_printf(out, "\"%s\":{\"label\":", id);
    da_text_json(out, axis->label != NULL ? axis->label : id);
    dc_text_add(out, ",\"unit\":");
    da_text_json(out, da_unit_shown(axis->unit) ? axis->unit : "");
    if (axis->category != NULL) {
        dc_text_add(out, ",\"names\":[");
        for (size_t i = 0; i < axis->categories; i++) {
            dc_text_add(out, i != 0 ? "," : "");
            da_text_json(out, axis->category[i]);
        }
        dc_text_add(out, "]");
    }
    dc_text_add(out, "}");
}

bool da_figure_chart(const struct da_figure *f, struct dc_text *out)
{
    if (!knows(f))
        return false;
    struct da_frame frame;
    da_frame_ranges(&frame, f);
    out->failed = out->failed || frame.failed;
    dc_text_add(out, "{\"type\":\"scatter\",\"data\":{\"datasets\":[\n");
    for (size_t i = 0; i < f->count; i++) {
        dc_text_add(out, i != 0 ? ",\n" : "");
        dataset(out, f, i);
    }
    dc_text_add(out, "\n]},\"options\":{\"scales\":{");
    scale(out, "x", &f->x, &frame.x, false);
    dc_text_add(out, ",");
    scale(out, "y", &f->y, &frame.y, true);
    dc_text_add(out, "}},\"da\":{");
    about(out, "x", &f->x);
    dc_text_add(out, ",");
    about(out, "y", &f->y);
    dc_text_add(out, "}}\n");
    return true;
}

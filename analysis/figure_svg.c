/* A figure as SVG, by hand: the legend, the axes and the colour bar around what figure_marks.c
 * draws.
 *
 * Looks are presentation attributes, so that a file of its own is complete.  In the dark the page
 * replaces a few colours by their values as written here: #222222 (text), #ffffff (paper), #000000,
 * DA_COLOUR_GRID, DA_COLOUR_AXIS; what must stay is written shorter (#fff, #000). */
#include "analysis/figure_parts.h"

#include <math.h>
#include <string.h>

enum { LEGEND_ROW = 28, SWATCH = 36 };

static void text_begin(struct dc_text *out, double x, double y, const char *anchor)
{
    dc_text_add(out, "<text");
    da_text_attribute(out, "x", x);
    da_text_attribute(out, "y", y);
    if (anchor != NULL)
        dc_text_printf(out, " text-anchor=\"%s\"", anchor);
    dc_text_add(out, ">");
}

static void line(struct dc_text *out, const char *colour, double x1, double y1, double x2,
                 double y2)
{
    dc_text_add(out, "<path d=\"M");
    da_text_px(out, x1);
    dc_text_add(out, " ");
    da_text_px(out, y1);
    dc_text_add(out, "L");
    da_text_px(out, x2);
    dc_text_add(out, " ");
    da_text_px(out, y2);
    dc_text_printf(out, "\" stroke=\"%s\"/>", colour);
}

/* ---- the legend ---- */

static bool in_legend(const struct da_series *s)
{
    return s->name != NULL && s->name[0] != '\0' && s->mark != DA_MARK_CELLS;
}

/* Where the next entry goes; moves on to a new row where it would not fit. */
static void legend_place(const char *name, double *x, double *y)
{
    double wide = SWATCH + 8 + fmin(da_text_width(name), 600) + 22;
    if (*x > 8 && *x + wide - 22 > DA_FIGURE_WIDTH - 8) {
        *x = 8;
        *y += LEGEND_ROW;
    }
}

double da_legend_height(const struct da_figure *f)
{
    double x = 8, y = LEGEND_ROW;
    bool any = false;
    for (size_t i = 0; i < f->count; i++) {
        if (!in_legend(&f->series[i]))
            continue;
        any = true;
        legend_place(f->series[i].name, &x, &y);
        x += SWATCH + 8 + fmin(da_text_width(f->series[i].name), 600) + 22;
    }
    return any ? y + 4 : 0;
}

static void swatch(struct dc_text *out, const struct da_figure *f, size_t i, double x, double y)
{
    const struct da_series *s = &f->series[i];
    struct da_look look = da_figure_look(f, i);
    if (s->mark == DA_MARK_BARS || s->mark == DA_MARK_SPANS) {
        dc_text_add(out, "<rect");
        da_text_attribute(out, "x", x);
        da_text_attribute(out, "y", y - 15);
        dc_text_printf(out, " width=\"%d\" height=\"17\" fill=\"", SWATCH);
        if (da_figure_hatched(f) && look.hatch != 0) {
            dc_text_add(out, "url(#");
            da_text_escape(out, f->id);
            dc_text_printf(out, "-h%zu)", i);
        } else
            dc_text_add(out, look.colour);
        dc_text_add(out, "\"/>");
        return;
    }
    if (s->mark != DA_MARK_POINTS) {
        dc_text_add(out, "<path d=\"M");
        da_text_px(out, x);
        dc_text_add(out, " ");
        da_text_px(out, y - 6);
        dc_text_printf(out, "h%d\" stroke=\"%s\" stroke-width=\"%d\" fill=\"none\"", SWATCH,
                       look.colour, s->mark == DA_MARK_EDGES ? 5 : 3);
        if (look.dash != NULL)
            dc_text_printf(out, " stroke-dasharray=\"%s\"", look.dash);
        dc_text_add(out, s->mark == DA_MARK_EDGES ? " opacity=\".55\"/>" : "/>");
    }
    if (s->mark == DA_MARK_POINTS || s->mark == DA_MARK_LINE)
        da_marker_svg(out, &look, x + SWATCH / 2.0, y - 6, 6);
}

static void legend(struct dc_text *out, const struct da_figure *f)
{
    double x = 8, y = LEGEND_ROW;
    for (size_t i = 0; i < f->count; i++) {
        const struct da_series *s = &f->series[i];
        if (!in_legend(s))
            continue;
        legend_place(s->name, &x, &y);
        swatch(out, f, i, x, y - 4);
        text_begin(out, x + SWATCH + 8, y - 4, NULL);
        da_text_fit(out, s->name, 600);
        dc_text_add(out, "</text>\n");
        x += SWATCH + 8 + fmin(da_text_width(s->name), 600) + 22;
    }
}

/* ---- axes ---- */

static void turned(struct dc_text *out, double x, double y, int degrees, const char *anchor)
{
    dc_text_add(out, "<text transform=\"translate(");
    da_text_px(out, x);
    dc_text_add(out, " ");
    da_text_px(out, y);
    dc_text_printf(out, ") rotate(%d)\" text-anchor=\"%s\">", degrees, anchor);
}

static void axis_name(struct dc_text *out, const struct da_axis *axis, double room)
{
    struct dc_text name = {0};
    da_text_axis(&name, axis);
    if (name.data != NULL)
        da_text_fit(out, name.data, room);
    out->failed = out->failed || name.failed;
    dc_text_free(&name);
    dc_text_add(out, "</text>\n");
}

static void x_axis(struct dc_text *out, const struct da_frame *r)
{
    const struct da_axis *axis = &r->f->x;
    if (axis->bare)
        return;
    for (size_t i = 0; axis->category == NULL && i < r->x_ticks.count; i++) {
        double at = da_ruler_at(&r->x, r->x_ticks.tick[i].value);
        line(out, DA_COLOUR_GRID, at, r->top, at, r->bottom);
        line(out, DA_COLOUR_AXIS, at, r->bottom, at, r->bottom + 6);
        text_begin(out, at, r->bottom + 25, "middle");
        dc_text_printf(out, "%s</text>\n", r->x_ticks.tick[i].text);
    }
    for (size_t i = 0; axis->category != NULL && i < axis->categories; i += r->every) {
        double at = da_ruler_at(&r->x, (double)i);
        if (at < r->left - 1 || at > r->right + 1)
            continue;
        if (r->turned)
            turned(out, at + 6, r->bottom + 20, -40, "end");
        else
            text_begin(out, at, r->bottom + 25, "middle");
        da_text_fit(out, axis->category[i], r->turned ? 260 : 1e3);
        dc_text_add(out, "</text>\n");
    }
    line(out, DA_COLOUR_AXIS, r->left, r->bottom, r->right, r->bottom);
    text_begin(out, (r->left + r->right) / 2, r->height - 9, "middle");
    axis_name(out, axis, DA_FIGURE_WIDTH - 40);
}

static void y_axis(struct dc_text *out, const struct da_frame *r)
{
    const struct da_axis *axis = &r->f->y;
    if (axis->bare)
        return;
    for (size_t i = 0; axis->category == NULL && i < r->y_ticks.count; i++) {
        double at = da_ruler_at(&r->y, r->y_ticks.tick[i].value);
        line(out, DA_COLOUR_GRID, r->left, at, r->right, at);
        line(out, DA_COLOUR_AXIS, r->left - 6, at, r->left, at);
        text_begin(out, r->left - 9, at + 6.5, "end");
        dc_text_printf(out, "%s</text>\n", r->y_ticks.tick[i].text);
    }
    double row = axis->categories == 0 ? 1 : (r->bottom - r->top) / (double)axis->categories;
    size_t every = (size_t)fmax(1, ceil((DA_FONT + 1) / row));
    for (size_t i = 0; axis->category != NULL && i < axis->categories; i += every) {
        double at = da_ruler_at(&r->y, (double)i);
        if (at < r->top - 1 || at > r->bottom + 1)
            continue;
        text_begin(out, r->left - 9, at + 6.5, "end");
        da_text_fit(out, axis->category[i], 240);
        dc_text_add(out, "</text>\n");
    }
    line(out, DA_COLOUR_AXIS, r->left, r->top, r->left, r->bottom);
    if (axis->label == NULL || axis->label[0] == '\0')
        return;
    turned(out, 20, (r->top + r->bottom) / 2, -90, "middle");
    axis_name(out, axis, r->bottom - r->top + 60);
}

static void colour_bar(struct dc_text *out, const struct da_frame *r)
{
    enum { STEPS = 40, WIDE = 18 };
    if (!r->shaded)
        return;
    double x = r->right + 16, high = r->bottom - r->top;
    for (size_t i = 0; i < STEPS; i++) {
        char colour[16];
        da_figure_shade(((double)i + 0.5) / STEPS, colour);
        dc_text_add(out, "<rect");
        da_text_attribute(out, "x", x);
        da_text_attribute(out, "y", r->bottom - high * (double)(i + 1) / STEPS);
        dc_text_printf(out, " width=\"%d\"", WIDE);
        da_text_attribute(out, "height", high / STEPS + 0.5);
        dc_text_printf(out, " fill=\"%s\"/>", colour);
    }
    dc_text_add(out, "\n");
    for (size_t i = 0; i < r->shade_ticks.count; i++) {
        double share = da_ruler_at(&r->shade, r->shade_ticks.tick[i].value);
        double y = r->bottom - share * high;
        line(out, DA_COLOUR_AXIS, x + WIDE, y, x + WIDE + 5, y);
        text_begin(out, x + WIDE + 9, y + 6.5, NULL);
        dc_text_printf(out, "%s</text>\n", r->shade_ticks.tick[i].text);
    }
    if (r->f->shade.label != NULL && r->f->shade.label[0] != '\0') {
        turned(out, DA_FIGURE_WIDTH - 8, (r->top + r->bottom) / 2, -90, "middle");
        axis_name(out, &r->f->shade, high + 60);
    }
}

/* ---- the whole ---- */

static bool drawable(const struct da_figure *f)
{
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < f->series[i].count; k++)
            if (isfinite(f->series[i].x[k]) && isfinite(f->series[i].y[k]))
                return true;
    return false;
}

static void head(struct dc_text *out, const struct da_frame *r)
{
    const struct da_figure *f = r->f;
    dc_text_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d ",
                   DA_FIGURE_WIDTH);
    da_text_px(out, r->height);
    dc_text_add(out, "\" role=\"img\" aria-labelledby=\"");
    da_text_escape(out, f->id);
    dc_text_add(out, "-title\" font-family=\"system-ui,-apple-system,'Segoe UI',Roboto,"
                     "'DejaVu Sans',sans-serif\" ");
    dc_text_printf(out, "font-size=\"%d\" fill=\"#222222\">\n<title id=\"", (int)DA_FONT);
    da_text_escape(out, f->id);
    dc_text_add(out, "-title\">");
    da_text_escape(out, f->title != NULL ? f->title : "");
    dc_text_add(out, "</title>\n");
    if (f->caption != NULL) {
        dc_text_add(out, "<desc>");
        da_text_escape(out, f->caption);
        dc_text_add(out, "</desc>\n");
    }
    dc_text_add(out, "<defs><clipPath id=\"");
    da_text_escape(out, f->id);
    dc_text_add(out, "-clip\"><rect");
    da_text_attribute(out, "x", r->left - 7);
    da_text_attribute(out, "y", r->top - 7);
    da_text_attribute(out, "width", r->right - r->left + 14);
    da_text_attribute(out, "height", r->bottom - r->top + 14);
    dc_text_add(out, "/></clipPath>");
    for (size_t i = 0; i < f->count; i++)
        da_hatch_svg(out, f, i);
    dc_text_printf(out, "</defs>\n<rect width=\"%d\"", DA_FIGURE_WIDTH);
    da_text_attribute(out, "height", r->height);
    dc_text_add(out, " fill=\"#ffffff\"/>\n");
}

void da_figure_svg(const struct da_figure *f, struct dc_text *out)
{
    struct da_frame frame;
    da_frame_make(&frame, f);
    out->failed = out->failed || frame.failed;
    head(out, &frame);
    legend(out, f);
    x_axis(out, &frame);
    y_axis(out, &frame);
    colour_bar(out, &frame);
    dc_text_add(out, "<g clip-path=\"url(#");
    da_text_escape(out, f->id);
    dc_text_add(out, "-clip)\">\n");
    for (size_t i = 0; i < f->count; i++)
        da_marks_svg(&frame, i, out);
    dc_text_add(out, "</g>\n");
    if (!drawable(f)) {
        text_begin(out, (frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2, "middle");
        dc_text_add(out, "no data</text>\n");
    }
    dc_text_add(out, "</svg>\n");
}

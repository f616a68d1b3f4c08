/* Bars, spans, cells and edges as SVG, and the numbers under the pointer. */
#include "analysis/figure_parts.h"

#include <math.h>

enum { TIPS = 400 };

static void number_or_value(struct dc_text *out, const struct da_axis *axis, double value)
{
    struct dc_text t = {0};
    da_text_value(&t, axis, value);
    da_text_escape(out, t.data != NULL ? t.data : "");
    out->failed = out->failed || t.failed;
    dc_text_free(&t);
}

static void tip_part(struct dc_text *out, const struct da_axis *axis, const char *before,
                     double value)
{
    if (isnan(value))
        return;
    dc_text_add(out, before);
    if (axis->label != NULL && axis->label[0] != '\0') {
        da_text_escape(out, axis->label);
        dc_text_add(out, " ");
    }
    number_or_value(out, axis, value);
    if (da_unit_shown(axis->unit)) {
        dc_text_add(out, " ");
        da_text_escape(out, axis->unit);
    }
}

static void tip_text(struct dc_text *out, const struct da_figure *f, const struct da_series *s,
                     size_t i)
{
    if (s->name != NULL)
        da_text_escape(out, s->name);
    if (s->label != NULL && s->label[i] != NULL) {
        dc_text_add(out, s->name != NULL ? ", " : "");
        da_text_escape(out, s->label[i]);
    }
    if (!f->x.bare) {
        dc_text_add(out, ": ");
        tip_part(out, &f->x, "", s->x[i]);
        if (s->mark == DA_MARK_SPANS && s->x_end != NULL)
            tip_part(out, &(struct da_axis){.unit = f->x.unit}, " to ", s->x_end[i]);
        tip_part(out, &f->y, ", ", s->y[i]);
    }
    if (s->lo != NULL && s->hi != NULL && !isnan(s->lo[i]) && !isnan(s->hi[i])) {
        dc_text_add(out, " (");
        da_text_number(out, s->lo[i]);
        dc_text_add(out, " to ");
        da_text_number(out, s->hi[i]);
        dc_text_add(out, ")");
    }
    if (s->shade != NULL)
        tip_part(out, &f->shade, ", ", s->shade[i]);
}

static void rect(struct dc_text *out, double x, double y, double width, double height)
{
    dc_text_add(out, "<rect");
    da_text_attribute(out, "x", x);
    da_text_attribute(out, "y", y);
    da_text_attribute(out, "width", width);
    da_text_attribute(out, "height", height);
}

void da_tip_svg(struct dc_text *out, const struct da_figure *f, const struct da_series *s, size_t i,
                const char *element)
{
    if (s->count > TIPS) {
        dc_text_add(out, "/>\n");
        return;
    }
    dc_text_add(out, "><title>");
    tip_text(out, f, s, i);
    dc_text_printf(out, "</title></%s>\n", element);
}

/* White strokes over the colour: another pattern for each look. */
void da_hatch_svg(struct dc_text *out, const struct da_figure *f, size_t series)
{
    static const char *const strokes[DA_LOOKS] = {"",
                                                  "M0 8L8 0M-2 2L2-2M6 10L10 6",
                                                  "M0 0L8 8M-2 6L2 10M6-2L10 2",
                                                  "M4 0V8",
                                                  "M0 4H8",
                                                  "M2 2h1v1h-1zM6 6h1v1h-1z",
                                                  "M0 4H8M4 0V8",
                                                  "M0 8L8 0M0 0L8 8"};
    const struct da_series *s = &f->series[series];
    struct da_look look = da_figure_look(f, series);
    if ((s->mark != DA_MARK_BARS && s->mark != DA_MARK_SPANS) || look.hatch == 0 ||
        !da_figure_hatched(f))
        return;
    dc_text_add(out, "<pattern id=\"");
    da_text_escape(out, f->id);
    dc_text_printf(out,
                   "-h%zu\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
                   "<path fill=\"%s\" d=\"M0 0H8V8H0Z\"/>"
                   "<path stroke=\"#fff\" stroke-width=\"1.3\" d=\"%s\"/></pattern>",
                   series, look.colour, strokes[look.hatch]);
}

static void area_fill(struct dc_text *out, const struct da_figure *f, size_t series,
                      const struct da_look *look)
{
    if (look->hatch == 0 || !da_figure_hatched(f)) {
        dc_text_printf(out, " fill=\"%s\"", look->colour);
        return;
    }
    dc_text_add(out, " fill=\"url(#");
    da_text_escape(out, f->id);
    dc_text_printf(out, "-h%zu)\"", series);
}

static void bars(const struct da_frame *r, size_t series, struct dc_text *out)
{
    const struct da_series *s = &r->f->series[series];
    struct da_look look = da_figure_look(r->f, series);
    double unit = fabs(r->x.to - r->x.from) / (r->x.hi - r->x.lo);
    double wide = fmax(1, r->bar * unit / (double)r->bars);
    double shift = (double)da_figure_bar_place(r->f, series) - (double)r->bars / 2;
    double zero = r->y.log ? r->bottom : da_ruler_at(&r->y, 0);
    zero = fmin(fmax(zero, r->top), r->bottom);
    for (size_t i = 0; i < s->count; i++) {
        double x = da_ruler_at(&r->x, s->x[i]), y = da_ruler_at(&r->y, s->y[i]);
        if (isnan(x) || isnan(y))
            continue;
        x += shift * wide;
        rect(out, x + 0.5, fmin(y, zero), fmax(wide - 1, 1), fabs(y - zero));
        area_fill(out, r->f, series, &look);
        da_tip_svg(out, r->f, s, i, "rect");
        da_whisker_svg(out, r, &look, x + wide / 2, s, i);
    }
}

static void spans(const struct da_frame *r, size_t series, struct dc_text *out)
{
    const struct da_series *s = &r->f->series[series];
    struct da_look look = da_figure_look(r->f, series);
    double row = fabs(r->y.to - r->y.from) / (r->y.hi - r->y.lo);
    double high = fmin(row * 0.64, 40);
    for (size_t i = 0; i < s->count; i++) {
        double y = da_ruler_at(&r->y, s->y[i]);
        double from = da_ruler_at(&r->x, s->x[i]), end = s->x_end == NULL ? NAN : s->x_end[i];
        /* without an end: until the figure's */
        end = isfinite(end) ? da_ruler_at(&r->x, end) : r->right;
        if (isnan(y) || isnan(from) || isnan(end))
            continue;
        rect(out, from, y - high / 2, fmax(end - from, 2.5), high);
        area_fill(out, r->f, series, &look);
        da_tip_svg(out, r->f, s, i, "rect");
        if (s->label == NULL || s->label[i] == NULL ||
            da_text_width(s->label[i]) + 8 > end - from || high < DA_FONT)
            continue;
        dc_text_add(out, "<text");
        da_text_attribute(out, "x", (from + end) / 2);
        da_text_attribute(out, "y", y + 6.5);
        dc_text_add(out, " text-anchor=\"middle\" fill=\"#000\" stroke=\"#fff\" stroke-width=\"4\" "
                         "paint-order=\"stroke\" stroke-linejoin=\"round\">");
        da_text_escape(out, s->label[i]);
        dc_text_add(out, "</text>\n");
    }
}

static void cell_text(struct dc_text *out, double x, double y, double share, double value,
                      double wide)
{
    char text[32];
    bool whole = fabs(value) >= 1000 && fabs(value) < 1e6;
    da_number_format(text, sizeof text, whole ? "%.0f" : "%.3g", value);
    if (da_text_width(text) + 6 > wide)
        return;
    dc_text_add(out, "<text");
    da_text_attribute(out, "x", x);
    da_text_attribute(out, "y", y + 6.5);
    dc_text_printf(out, " text-anchor=\"middle\" fill=\"%s\">%s</text>\n",
                   share < 0.5 ? "#fff" : "#000", text);
}

static void cells(const struct da_frame *r, size_t series, struct dc_text *out)
{
    const struct da_series *s = &r->f->series[series];
    struct da_grid gx, gy;
    bool made = da_grid_make(&gx, s->x, s->count, r->x.log);
    made = da_grid_make(&gy, s->y, s->count, r->y.log) && made;
    out->failed = out->failed || !made;
    for (size_t i = 0; made && i < s->count; i++) {
        double box[4];
        bool names_x = r->f->x.category != NULL, names_y = r->f->y.category != NULL;
        da_grid_box(&gx, s->x[i], &box[0], &box[1]);
        da_grid_box(&gy, s->y[i], &box[2], &box[3]);
        double x1 = da_ruler_at(&r->x, names_x ? s->x[i] - 0.5 : box[0]);
        double x2 = da_ruler_at(&r->x, names_x ? s->x[i] + 0.5 : box[1]);
        double y1 = da_ruler_at(&r->y, names_y ? s->y[i] - 0.5 : box[2]);
        double y2 = da_ruler_at(&r->y, names_y ? s->y[i] + 0.5 : box[3]);
        if (isnan(x1) || isnan(x2) || isnan(y1) || isnan(y2))
            continue;
        double shade = s->shade == NULL ? NAN : s->shade[i];
        double share = da_figure_share(&r->shade, shade);
        rect(out, fmin(x1, x2), fmin(y1, y2), fabs(x2 - x1), fabs(y2 - y1));
        if (isnan(share)) /* not measured */
            dc_text_add(out, " fill=\"#ffffff\" stroke=\"" DA_COLOUR_GRID "\"");
        else {
            char colour[16];
            da_figure_shade(share, colour);
            dc_text_printf(out, " fill=\"%s\"", colour);
        }
        da_tip_svg(out, r->f, s, i, "rect");
        if (!isnan(share) && fabs(y2 - y1) > 26)
            cell_text(out, (x1 + x2) / 2, (y1 + y2) / 2, share, shade, fabs(x2 - x1));
    }
    da_grid_free(&gx);
    da_grid_free(&gy);
}

static void edges(const struct da_frame *r, size_t series, struct dc_text *out)
{
    const struct da_series *s = &r->f->series[series];
    struct da_look look = da_figure_look(r->f, series);
    for (size_t i = 0; s->x_end != NULL && s->y_end != NULL && i < s->count; i++) {
        double x1 = da_ruler_at(&r->x, s->x[i]), y1 = da_ruler_at(&r->y, s->y[i]);
        double x2 = da_ruler_at(&r->x, s->x_end[i]), y2 = da_ruler_at(&r->y, s->y_end[i]);
        if (isnan(x1) || isnan(y1) || isnan(x2) || isnan(y2))
            continue;
        double size = s->size == NULL || r->width_max <= 0 ? 0.1 : s->size[i] / r->width_max;
        dc_text_add(out, "<line");
        da_text_attribute(out, "x1", x1);
        da_text_attribute(out, "y1", y1);
        da_text_attribute(out, "x2", x2);
        da_text_attribute(out, "y2", y2);
        da_text_attribute(out, "stroke-width", 1 + 9 * (isfinite(size) ? fmax(size, 0) : 0));
        dc_text_printf(out, " stroke=\"%s\" stroke-opacity=\".55\"", look.colour);
        if (look.dash != NULL)
            dc_text_printf(out, " stroke-dasharray=\"%s\"", look.dash);
        da_tip_svg(out, r->f, s, i, "line");
    }
}

void da_areas_svg(const struct da_frame *frame, size_t series, struct dc_text *out)
{
    switch (frame->f->series[series].mark) {
    case DA_MARK_BARS: bars(frame, series, out); break;
    case DA_MARK_SPANS: spans(frame, series, out); break;
    case DA_MARK_CELLS: cells(frame, series, out); break;
    case DA_MARK_EDGES: edges(frame, series, out); break;
    default: break;
    }
}

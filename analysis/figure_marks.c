/* Markers, points, their whiskers and labels as SVG. */
#include "analysis/figure_parts.h"

#include "models/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LABELS = 80 };

/* Leaves the element open; returns its name. */
static const char *marker_open(struct dc_text *out, const struct da_look *look, double x, double y,
                               double r)
{
    static const char *const shape[DA_LOOKS] = {
        NULL,
        "M-.9-.9H.9V.9H-.9Z",
        "M0-1.15L1.1.85H-1.1Z",
        "M0-1.25L1.15 0L0 1.25L-1.15 0Z",
        "M0 1.15L1.1-.85H-1.1Z",
        NULL,
        "M-.35-1.1H.35V-.35H1.1V.35H.35V1.1H-.35V.35H-1.1V-.35H-.35Z",
        "M0-1.2L1.1-.3L.7 1H-.7L-1.1-.3Z"};
    const char *d = shape[look->marker % DA_LOOKS];
    if (d == NULL) {
        dc_text_add(out, "<circle");
        da_text_attribute(out, "cx", x);
        da_text_attribute(out, "cy", y);
        da_text_attribute(out, "r", r);
    } else {
        dc_text_printf(out, "<path d=\"%s\" transform=\"translate(", d);
        da_text_px(out, x);
        dc_text_add(out, " ");
        da_text_px(out, y);
        dc_text_add(out, ")scale(");
        da_text_px(out, r);
        dc_text_add(out, ")\"");
    }
    if (look->marker == 5) /* hollow */
        dc_text_printf(out, " fill=\"#ffffff\" stroke=\"%s\" stroke-width=\"2\"", look->colour);
    else
        dc_text_printf(out, " fill=\"%s\"", look->colour);
    return d == NULL ? "circle" : "path";
}

void da_marker_svg(struct dc_text *out, const struct da_look *look, double x, double y, double r)
{
    marker_open(out, look, x, y, r);
    dc_text_add(out, "/>");
}

void da_whisker_svg(struct dc_text *out, const struct da_frame *r, const struct da_look *look,
                    double x, const struct da_series *s, size_t i)
{
    double lo = s->lo == NULL ? NAN : da_ruler_at(&r->y, s->lo[i]);
    double hi = s->hi == NULL ? NAN : da_ruler_at(&r->y, s->hi[i]);
    if (isnan(hi))
        return;
    if (isnan(lo)) {
        if (s->lo == NULL || isnan(s->lo[i]))
            return;
        lo = r->bottom; /* at or below 0 on a logarithmic axis */
    }
    bool bar = s->mark == DA_MARK_BARS;
    dc_text_add(out, "<path d=\"M");
    da_text_px(out, x - 5);
    dc_text_add(out, " ");
    da_text_px(out, hi);
    dc_text_add(out, "h10m-5 0V");
    da_text_px(out, lo);
    dc_text_printf(out, "m-5 0h10\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\"/>\n",
                   bar ? "#000000" : look->colour);
}

/* Boxes that labels must not cover: markers and labels set so far. */
struct taken {
    double box[4 * LABELS][4]; /* left, top, right, bottom */
    size_t count;
};

static void take(struct taken *t, double left, double top, double right, double bottom)
{
    if (t->count < sizeof t->box / sizeof t->box[0])
        memcpy(t->box[t->count++], (double[4]){left, top, right, bottom}, sizeof t->box[0]);
}

static bool is_free(const struct taken *t, const double b[4])
{
    for (size_t i = 0; i < t->count; i++)
        if (b[0] < t->box[i][2] && t->box[i][0] < b[2] && b[1] < t->box[i][3] &&
            t->box[i][1] < b[3])
            return false;
    return true;
}

/* Beside, above or below, where it is free; else its <title> alone tells. */
static void label(struct dc_text *out, const struct da_frame *r, struct taken *t, const char *text,
                  double x, double y, double radius)
{
    static const char *const anchor[] = {"start", "end", "middle"};
    double wide = da_text_width(text), g = radius + 5;
    const struct {
        double x, y;
        int anchor; /* where the font is narrower than thought, the text stays at its marker */
    } at[] = {{x + g, y - 5, 0},  {x - g, y - 5, 1}, {x - g, y + 18, 1},
              {x + g, y + 18, 0}, {x, y - g - 1, 2}, {x, y + g + 14, 2}};
    for (size_t k = 0; k < sizeof at / sizeof at[0]; k++) {
        double left = at[k].x - wide * (at[k].anchor == 0 ? 0 : at[k].anchor == 1 ? 1 : 0.5);
        double box[4] = {left, at[k].y - 15, left + wide, at[k].y + 5};
        if (box[0] < r->left || box[2] > r->right || box[1] < r->top || box[3] > r->bottom ||
            !is_free(t, box))
            continue;
        take(t, box[0], box[1], box[2], box[3]);
        dc_text_add(out, "<text stroke=\"#ffffff\" stroke-width=\"4\" paint-order=\"stroke\" "
                         "stroke-linejoin=\"round\"");
        da_text_attribute(out, "x", at[k].x);
        da_text_attribute(out, "y", at[k].y);
        dc_text_printf(out, " text-anchor=\"%s\">", anchor[at[k].anchor]);
        da_text_escape(out, text);
        dc_text_add(out, "</text>\n");
        return;
    }
}

static double radius_of(const struct da_frame *r, const struct da_series *s, size_t i)
{
    if (s->size == NULL || r->area_max <= 0)
        return s->count > 300 ? 3.5 : 5.5;
    return isfinite(s->size[i]) ? 3 + 15 * sqrt(fmax(s->size[i], 0) / r->area_max) : 3;
}

/* Thousands of points: one of those that fall on the same spot is enough. */
struct spots {
    uint8_t *bit;
    size_t wide, high;
};

static bool spot_new(struct spots *spots, double x, double y)
{
    if (spots->bit == NULL)
        return true;
    if (!(x >= 0 && y >= 0 && x < 1e4 && y < 1e4))
        return false; /* out of the figure */
    size_t column = (size_t)(x / 2.4), row = (size_t)(y / 2.4);
    if (column >= spots->wide || row >= spots->high)
        return false;
    size_t at = row * spots->wide + column;
    bool is_new = (spots->bit[at / 8] >> at % 8 & 1) == 0;
    spots->bit[at / 8] |= (uint8_t)(1u << at % 8);
    return is_new;
}

static void points(const struct da_frame *r, size_t series, struct dc_text *out)
{
    const struct da_series *s = &r->f->series[series];
    struct da_look look = da_figure_look(r->f, series);
    struct taken taken = {0};
    struct spots spots = {.wide = DA_FIGURE_WIDTH, .high = (size_t)r->height};
    if (s->count > 1000 && s->size == NULL) {
        spots.bit = dc_mem_alloc(spots.wide * spots.high / 8 + 1, 1);
        out->failed = out->failed || spots.bit == NULL;
    }
    for (size_t i = 0; i < s->count; i++) {
        double x = da_ruler_at(&r->x, s->x[i]), y = da_ruler_at(&r->y, s->y[i]);
        if (isnan(x) || isnan(y) || !spot_new(&spots, x, y))
            continue;
        double radius = radius_of(r, s, i);
        da_whisker_svg(out, r, &look, x, s, i);
        char colour[16];
        struct da_look own = look;
        double share = s->shade == NULL ? NAN : da_figure_share(&r->shade, s->shade[i]);
        if (!isnan(share)) {
            da_figure_shade(share, colour);
            own.colour = colour;
        }
        const char *element = marker_open(out, &own, x, y, radius);
        da_tip_svg(out, r->f, s, i, element);
        take(&taken, x - radius, y - radius, x + radius, y + radius);
    }
    for (size_t i = 0; s->label != NULL && s->count <= LABELS && i < s->count; i++) {
        double x = da_ruler_at(&r->x, s->x[i]), y = da_ruler_at(&r->y, s->y[i]);
        if (s->label[i] != NULL && !isnan(x) && !isnan(y))
            label(out, r, &taken, s->label[i], x, y, radius_of(r, s, i));
    }
    dc_mem_free(spots.bit);
    dc_text_add(out, "\n");
}

void da_marks_svg(const struct da_frame *frame, size_t series, struct dc_text *out)
{
    switch (frame->f->series[series].mark) {
    case DA_MARK_LINE:
    case DA_MARK_STEP: da_lines_svg(frame, series, out); break;
    case DA_MARK_POINTS: points(frame, series, out); break;
    default: da_areas_svg(frame, series, out); break;
    }
}

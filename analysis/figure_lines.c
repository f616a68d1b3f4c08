/* Lines, steps and the bands around them.
 *
 * A line of many points is thinned: of all points in one column of two units the first, the least,
 * the greatest and the last are kept, which draws the same picture. */
#include "analysis/figure_parts.h"

#include <math.h>

#define MARKER_APART 80.0 /* units along x: markers tell lines apart, and must not hide them */

static bool at_point(const struct da_frame *r, const struct da_series *s, size_t i, double *x,
                     double *y)
{
    *x = da_ruler_at(&r->x, s->x[i]);
    *y = da_ruler_at(&r->y, s->y[i]);
    return !isnan(*x) && !isnan(*y);
}

static void to(struct dc_text *out, char command, double x, double y)
{
    dc_text_put(out, &command, 1);
    da_text_px(out, x);
    dc_text_add(out, " ");
    da_text_px(out, y);
}

static void path_begin(struct dc_text *out, const struct da_look *look, bool filled)
{
    if (filled)
        dc_text_printf(out, "<path fill=\"%s\" fill-opacity=\".2\" d=\"", look->colour);
    else
        dc_text_printf(out,
                       "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2.6\" "
                       "stroke-linejoin=\"round\"%s%s%s d=\"",
                       look->colour, look->dash != NULL ? " stroke-dasharray=\"" : "",
                       look->dash != NULL ? look->dash : "", look->dash != NULL ? "\"" : "");
}

/* One column of a thinned line: what lies between the first and the last of it. */
struct column {
    double least, most, last_x, last_y;
    bool any;
};

static void column_flush(struct dc_text *out, struct column *c)
{
    if (!c->any)
        return;
    to(out, 'L', c->last_x, c->least);
    to(out, 'L', c->last_x, c->most);
    to(out, 'L', c->last_x, c->last_y);
    c->any = false;
}

static void line_path(const struct da_frame *r, const struct da_series *s, struct dc_text *out)
{
    bool thin = s->count > 4 * (size_t)(r->right - r->left) / 2, open = false;
    double x, y, column = NAN, before_y = 0;
    struct column c = {0};
    for (size_t i = 0; i < s->count; i++) {
        if (!at_point(r, s, i, &x, &y)) {
            column_flush(out, &c);
            open = false;
            continue;
        }
        if (open && thin && floor(x / 2) == column) {
            c.least = c.any ? fmin(c.least, y) : y;
            c.most = c.any ? fmax(c.most, y) : y;
            c.last_x = x;
            c.last_y = y;
            c.any = true;
        } else {
            column_flush(out, &c);
            if (open && s->mark == DA_MARK_STEP)
                to(out, 'L', x, before_y);
            to(out, open ? 'L' : 'M', x, y);
            column = floor(x / 2);
        }
        /* a point between two gaps: a dot, by the line's round end */
        open = true;
        before_y = y;
    }
    column_flush(out, &c);
}

/* The band over elements from..end, none of which is a gap. */
static void band_path(const struct da_frame *r, const struct da_series *s, size_t from, size_t end,
                      struct dc_text *out)
{
    bool step = s->mark == DA_MARK_STEP;
    double x, before = 0;
    for (size_t i = from; i < end; i++) {
        x = da_ruler_at(&r->x, s->x[i]);
        if (i != from && step)
            to(out, 'L', x, before);
        before = da_ruler_at(&r->y, s->hi[i]);
        to(out, i == from ? 'M' : 'L', x, before);
    }
    for (size_t i = end; i-- > from;) {
        x = da_ruler_at(&r->x, s->x[i]);
        double lo = da_ruler_at(&r->y, s->lo[i]);
        lo = isnan(lo) ? r->bottom : lo; /* at or below 0 on a logarithmic axis */
        if (i + 1 != end && step)
            to(out, 'L', da_ruler_at(&r->x, s->x[i + 1]), lo);
        to(out, 'L', x, lo);
    }
    dc_text_add(out, "Z");
}

static void bands(const struct da_frame *r, const struct da_series *s, const struct da_look *look,
                  struct dc_text *out)
{
    if (s->lo == NULL || s->hi == NULL || s->count == 0)
        return;
    path_begin(out, look, true);
    size_t from = 0;
    for (size_t i = 0; i <= s->count; i++) {
        bool gap = i == s->count || isnan(da_ruler_at(&r->x, s->x[i])) ||
                   isnan(da_ruler_at(&r->y, s->hi[i])) || isnan(s->lo[i]) || isinf(s->lo[i]);
        if (!gap)
            continue;
        if (i > from)
            band_path(r, s, from, i, out);
        from = i + 1;
    }
    dc_text_add(out, "\"/>\n");
}

/* Points that no line reaches: a gap on both sides. */
static bool alone(const struct da_frame *r, const struct da_series *s, size_t i)
{
    double x, y;
    return (i == 0 || !at_point(r, s, i - 1, &x, &y)) &&
           (i + 1 >= s->count || !at_point(r, s, i + 1, &x, &y));
}

void da_lines_svg(const struct da_frame *r, size_t series, struct dc_text *out)
{
    const struct da_series *s = &r->f->series[series];
    struct da_look look = da_figure_look(r->f, series);
    bands(r, s, &look, out);
    if (s->count == 0)
        return;
    path_begin(out, &look, false);
    line_path(r, s, out);
    dc_text_add(out, "\"/>\n");
    /* markers start at another place in each series, so that lines on top of each other show */
    double x, y, next = -INFINITY;
    bool few = s->count <= 40;
    for (size_t i = 0; i < s->count; i++) {
        if (!at_point(r, s, i, &x, &y))
            continue;
        if (next == -INFINITY && !few)
            next = x + (double)(series % 4) * MARKER_APART / 4;
        bool lone = alone(r, s, i);
        if (!lone && (s->mark == DA_MARK_STEP || (!few && x < next) || s->name == NULL))
            continue;
        da_marker_svg(out, &look, x, y, 5);
        next = x + MARKER_APART;
    }
    dc_text_add(out, "\n");
}

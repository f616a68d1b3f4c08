/* A figure's ranges and layout (figure_parts.h has the drawing). */
#include "analysis/figure_parts.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct range {
    double lo, hi;
    bool log, failed; /* failed: memory ran out */
};

/* Beyond these a range's width, or the ratio of its ends, would leave what a double holds. */
static bool usable(const struct range *r, double value)
{
    return isfinite(value) && fabs(value) < 1e150 && (!r->log || value > 1e-150);
}

static void range_add(struct range *r, double value)
{
    if (!usable(r, value))
        return;
    r->lo = fmin(r->lo, value);
    r->hi = fmax(r->hi, value);
}

static void range_all(struct range *r, const double *value, size_t count)
{
    for (size_t i = 0; value != NULL && i < count; i++)
        range_add(r, value[i]);
}

/* What a series covers along one axis. */
static void range_series(struct range *r, const struct da_series *s, bool is_x)
{
    const double *at = is_x ? s->x : s->y;
    if (s->mark == DA_MARK_CELLS) {
        struct da_grid grid;
        if (!da_grid_make(&grid, at, s->count, r->log)) {
            r->failed = true;
            return;
        }
        double lo, hi;
        for (size_t i = 0; i<grid.count; i += grid.count> 1 ? grid.count - 1 : 1) {
            da_grid_box(&grid, grid.value[i], &lo, &hi);
            range_add(r, lo);
            range_add(r, hi);
        }
        da_grid_free(&grid);
        return;
    }
    range_all(r, at, s->count);
    if (s->mark == DA_MARK_EDGES || (is_x && s->mark == DA_MARK_SPANS))
        range_all(r, is_x ? s->x_end : s->y_end, s->count);
    if (!is_x) {
        range_all(r, s->lo, s->count);
        range_all(r, s->hi, s->count);
        if (s->mark == DA_MARK_BARS && !r->log)
            range_add(r, 0);
    }
}

/* Fills an empty range, and widens one that is a single value. */
static void range_settle(struct range *r)
{
    if (r->lo > r->hi)
        *r = (struct range){r->log ? 1 : 0, r->log ? 10 : 1, r->log, r->failed};
    if (r->hi - r->lo > fabs(r->lo) * 1e-9)
        return;
    if (r->log) {
        r->lo /= 2;
        r->hi *= 2;
    } else {
        double wide = fabs(r->lo) * 0.1; /* nothing but 0: 0 to 1 */
        r->hi += r->lo == 0 ? 1 : wide;
        r->lo -= wide;
    }
}

/* The caller's bounds, where they make sense. */
static void range_bound(struct range *r, const struct da_axis *axis)
{
    double lo = r->lo, hi = r->hi;
    if (usable(r, axis->min))
        lo = axis->min;
    if (usable(r, axis->max))
        hi = axis->max;
    if (lo < hi) {
        r->lo = lo;
        r->hi = hi;
    }
}

static bool has_mark(const struct da_figure *f, enum da_mark mark)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->series[i].mark == mark && f->series[i].count != 0)
            return true;
    return false;
}

/* An x axis of bars without names: half a bar's room at both ends. */
static double bar_gap(const struct da_figure *f, bool log, bool *failed)
{
    double gap = DBL_MAX;
    for (size_t i = 0; i < f->count; i++) {
        struct da_grid grid;
        if (f->series[i].mark != DA_MARK_BARS)
            continue;
        if (!da_grid_make(&grid, f->series[i].x, f->series[i].count, log)) {
            *failed = true;
            continue;
        }
        for (size_t k = 1; k < grid.count; k++)
            gap = fmin(gap, grid.value[k] - grid.value[k - 1]);
        da_grid_free(&grid);
    }
    return gap == DBL_MAX ? 1 : gap;
}

static struct range axis_range(const struct da_figure *f, const struct da_axis *axis, bool is_x)
{
    struct range r = {DBL_MAX, -DBL_MAX, axis->log && axis->category == NULL, false};
    if (axis->category != NULL) {
        r = (struct range){-0.5, (double)axis->categories - 0.5, false, false};
        if (axis->categories == 0)
            r.hi = 0.5;
        range_bound(&r, axis);
        return r;
    }
    for (size_t i = 0; i < f->count; i++)
        range_series(&r, &f->series[i], is_x);
    range_settle(&r);
    bool fixed_lo = usable(&r, axis->min), fixed_hi = usable(&r, axis->max);
    bool cells = has_mark(f, DA_MARK_CELLS), points = has_mark(f, DA_MARK_POINTS);
    if (axis->bare) { /* room for markers and labels */
        double room = (r.hi - r.lo) * 0.06;
        r.lo -= room;
        r.hi += room;
    } else if (is_x && has_mark(f, DA_MARK_BARS)) {
        double gap = bar_gap(f, r.log, &r.failed);
        r.lo -= r.log ? 0 : gap / 2;
        r.hi += r.log ? 0 : gap / 2;
    } else if (!cells && (!is_x || points)) {
        if (!r.log && !fixed_lo && r.lo > 0 && r.lo < 0.3 * r.hi)
            r.lo = 0;
        da_ticks_widen(&r.lo, &r.hi, r.log, 6, fixed_lo, fixed_hi);
    } else if (!cells && is_x && !r.log && !fixed_lo && r.lo > 0 && r.lo < 0.05 * r.hi)
        r.lo = 0;
    range_bound(&r, axis);
    return r;
}

static void shade_range(struct da_frame *frame, const struct da_figure *f)
{
    struct range r = {DBL_MAX, -DBL_MAX, f->shade.log, false};
    for (size_t i = 0; i < f->count; i++) {
        const struct da_series *s = &f->series[i];
        if (s->shade == NULL || (s->mark != DA_MARK_CELLS && s->mark != DA_MARK_POINTS))
            continue;
        frame->shaded = true;
        range_all(&r, s->shade, s->count);
    }
    range_settle(&r);
    range_bound(&r, &f->shade);
    frame->shade = (struct da_ruler){r.lo, r.hi, 0, 1, r.log};
}

void da_frame_ranges(struct da_frame *frame, const struct da_figure *f)
{
    *frame = (struct da_frame){.f = f, .every = 1};
    struct range x = axis_range(f, &f->x, true), y = axis_range(f, &f->y, false);
    frame->x = (struct da_ruler){x.lo, x.hi, 0, 1, x.log};
    frame->y = (struct da_ruler){y.lo, y.hi, 1, 0, y.log};
    shade_range(frame, f);
    for (size_t i = 0; i < f->count; i++) {
        const struct da_series *s = &f->series[i];
        frame->bars += s->mark == DA_MARK_BARS;
        for (size_t k = 0; s->size != NULL && k < s->count; k++) {
            double *most = s->mark == DA_MARK_EDGES ? &frame->width_max : &frame->area_max;
            if (isfinite(s->size[k]))
                *most = fmax(*most, s->size[k]);
        }
    }
    frame->failed = x.failed || y.failed;
    frame->bar = 0.8 * (f->x.category != NULL ? 1 : bar_gap(f, x.log, &frame->failed));
}

static double ticks_width(const struct da_ticks *ticks)
{
    double width = 0;
    for (size_t i = 0; i < ticks->count; i++)
        width = fmax(width, da_text_width(ticks->tick[i].text));
    return width;
}

static double names_width(const struct da_axis *axis)
{
    double width = 0;
    for (size_t i = 0; i < axis->categories; i++)
        width = fmax(width, da_text_width(axis->category[i]));
    return width;
}

static bool labelled(const struct da_axis *axis)
{
    return axis->label != NULL && axis->label[0] != '\0';
}

/* Left and right of the plot: y's ticks and label, the colour bar. */
static void frame_sides(struct da_frame *frame, double plot_height)
{
    const struct da_figure *f = frame->f;
    if (f->y.bare)
        frame->left = 8;
    else if (f->y.category != NULL)
        frame->left = fmin(names_width(&f->y), 240) + 14 + (labelled(&f->y) ? 28 : 0);
    else {
        da_ticks_make(&frame->y_ticks, frame->y.lo, frame->y.hi, frame->y.log,
                      (size_t)fmax(2, plot_height / 50));
        frame->left = ticks_width(&frame->y_ticks) + 14 + (labelled(&f->y) ? 28 : 0);
    }
    frame->left = fmax(frame->left, f->x.bare ? 8 : 24);
    frame->right = DA_FIGURE_WIDTH - (f->x.bare ? 8 : 26);
    if (frame->shaded) {
        da_ticks_make(&frame->shade_ticks, frame->shade.lo, frame->shade.hi, frame->shade.log,
                      (size_t)fmax(3, plot_height / 60));
        frame->right = DA_FIGURE_WIDTH - 54 - ticks_width(&frame->shade_ticks) -
                       (labelled(&f->shade) ? 28 : 0);
    }
}

/* x's ticks or names, and the room they take below. */
static double frame_below(struct da_frame *frame)
{
    const struct da_figure *f = frame->f;
    if (f->x.bare)
        return 8;
    double wide = frame->right - frame->left, label = labelled(&f->x) ? 30 : 6;
    if (f->x.category != NULL) {
        size_t n = f->x.categories == 0 ? 1 : f->x.categories;
        double slot = wide / (double)n, name = names_width(&f->x);
        if (name + 10 <= slot)
            return 32 + label;
        frame->turned = true;
        while (slot * (double)frame->every < DA_FONT + 5)
            frame->every++;
        return 24 + fmin(name, 260) * 0.643 + label; /* sin 40 degrees */
    }
    for (size_t wanted = 9; wanted > 0; wanted--) {
        da_ticks_make(&frame->x_ticks, frame->x.lo, frame->x.hi, frame->x.log, wanted);
        double each = ticks_width(&frame->x_ticks) + 22;
        if (each * (double)frame->x_ticks.count <= wide)
            break;
    }
    return 32 + label;
}

void da_frame_make(struct da_frame *frame, const struct da_figure *f)
{
    da_frame_ranges(frame, f);
    double aspect = f->aspect > 0 && f->aspect < 10 ? f->aspect : 0.6;
    double plot = fmax(120, DA_FIGURE_WIDTH * aspect - 84);
    if (f->aspect == 0 && f->y.category != NULL) {
        double row = has_mark(f, DA_MARK_CELLS) ? 38 : 34;
        plot = fmax(2, (double)f->y.categories) * row;
        plot = fmax(plot, frame->shaded ? 170 : 0);
    }
    frame_sides(frame, plot);
    double below = frame_below(frame);
    frame->top = da_legend_height(f) + (f->y.bare ? 8 : 14);
    frame->bottom = frame->top + plot;
    frame->height = frame->bottom + below;
    frame->x.from = frame->left;
    frame->x.to = frame->right;
    frame->y.from = f->y.category != NULL ? frame->top : frame->bottom;
    frame->y.to = f->y.category != NULL ? frame->bottom : frame->top;
}

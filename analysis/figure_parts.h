/* What the forms of a figure share: its layout, scales, ticks and looks.
 *
 *     +--------------------------------------------+  720 units wide
 *     |            legend, in rows                 |
 *     |  y  +--------------------------+  +--+     |  top
 *     |  l  |                          |  |  | s   |
 *     |  a  |          plot            |  |  | h   |  height of the plot: by aspect, or by rows
 *     |  b  |                          |  |  | a   |
 *     |  el +--------------------------+  +--+ de  |  bottom
 *     |      tick   tick   tick   tick             |
 *     |               x label                      |
 *     +--------------------------------------------+
 *          left                   right
 *
 * Nothing in the plot's box but data: the legend stands above it, so it covers none. */
#ifndef ANALYSIS_FIGURE_PARTS_H
#define ANALYSIS_FIGURE_PARTS_H

#include "analysis/figure.h"

enum { DA_TICKS_MAX = 64, DA_TICK_TEXT_MAX = 40, DA_FIGURE_WIDTH = 720 };
#define DA_FONT 19.0 /* units: half as many pixels on a phone, 360 wide */

/* A value's place: from `from` (lo) to `to` (hi). */
struct da_ruler {
    double lo, hi, from, to;
    bool log;
};
double da_ruler_at(const struct da_ruler *r, double value); /* NaN: cannot be shown */

struct da_tick {
    double value;
    char text[DA_TICK_TEXT_MAX];
};
struct da_ticks {
    struct da_tick tick[DA_TICKS_MAX];
    size_t count;
};
/* About `wanted` ticks within lo..hi, at 1, 2 or 5 times a power of ten. */
void da_ticks_make(struct da_ticks *ticks, double lo, double hi, bool log, size_t wanted);
/* Widens *lo..*hi to the ticks around them. */
void da_ticks_widen(double *lo, double *hi, bool log, size_t wanted, bool lo_fixed, bool hi_fixed);

/* Distinct values, ascending, and the box around each: half way to its neighbours. */
struct da_grid {
    double *value;
    size_t count;
    bool log;
};
bool da_grid_make(struct da_grid *grid, const double *value, size_t count, bool log);
void da_grid_box(const struct da_grid *grid, double value, double *lo, double *hi);
void da_grid_free(struct da_grid *grid);

struct da_frame {
    const struct da_figure *f;
    double height, left, right, top, bottom;
    struct da_ruler x, y, shade;
    struct da_ticks x_ticks, y_ticks, shade_ticks; /* none of an axis with categories */
    bool shaded;                                   /* there is a colour bar */
    bool turned;                                   /* names of x's categories are set at a slant */
    size_t every;                                  /* category of x that is named, 1: all */
    size_t bars;                                   /* series of them, side by side */
    double bar;                                    /* width of all of one x, in x's ruler */
    bool failed;                                   /* memory ran out */
    double area_max, width_max;                    /* greatest size of points, of edges */
};
void da_frame_make(struct da_frame *frame, const struct da_figure *f);
/* Ranges alone, in data: what the other forms need. */
void da_frame_ranges(struct da_frame *frame, const struct da_figure *f);

/* The legend's height; it is drawn from the top of the figure. */
double da_legend_height(const struct da_figure *f);

#define DA_COLOUR_GRID "#dddddd"
#define DA_COLOUR_AXIS "#444444"

/* How a series looks; never by colour alone. */
struct da_look {
    const char *colour;
    const char *dash; /* of a line; NULL: solid */
    unsigned marker;  /* circle, square, triangle, diamond, triangle down, hollow ... */
    unsigned hatch;   /* of an area; 0: plain */
};
enum { DA_LOOKS = 8 };
struct da_look da_figure_look(const struct da_figure *f, size_t series);
/* Of the series among those with bars: its place from 0. */
size_t da_figure_bar_place(const struct da_figure *f, size_t series);
/* The colour of a share 0..1, as "#rrggbb": cividis, which colour-blind readers see alike. */
void da_figure_shade(double share, char colour[16]);
double da_figure_share(const struct da_ruler *shade, double value); /* 0..1, or NaN */

/* The marks of one series, into the plot's box. */
void da_marks_svg(const struct da_frame *frame, size_t series, struct dc_text *out);
void da_lines_svg(const struct da_frame *r, size_t series, struct dc_text *out);
void da_areas_svg(const struct da_frame *frame, size_t series, struct dc_text *out);
void da_marker_svg(struct dc_text *out, const struct da_look *look, double x, double y, double r);
/* The error bar of an element at x units, if it has one. */
void da_whisker_svg(struct dc_text *out, const struct da_frame *r, const struct da_look *look,
                    double x, const struct da_series *s, size_t i);
/* Ends an open element; in a series that is not too long with the mark's numbers as its <title>,
 * which browsers show under the pointer and screen readers read. */
void da_tip_svg(struct dc_text *out, const struct da_figure *f, const struct da_series *s, size_t i,
                const char *element);
void da_hatch_svg(struct dc_text *out, const struct da_figure *f, size_t series);
bool da_figure_hatched(const struct da_figure *f);

/* Texts.  px: a length with one decimal. */
void da_text_px(struct dc_text *out, double value);
void da_text_attribute(struct dc_text *out, const char *name, double px); /* name="px" */
void da_text_json(struct dc_text *out, const char *text);                 /* with its quotes */
void da_text_csv(struct dc_text *out, const char *text); /* quoted where it must be */
/* UTF-8 without control characters: they become spaces. */
void da_text_plain(struct dc_text *out, const char *text);
/* A number as text, locale-free; format: "%.3f" and the like. */
void da_number_format(char *out, size_t out_max, const char *format, double value);
/* "label (unit)", plain; NULL label: "". */
void da_text_axis(struct dc_text *out, const struct da_axis *axis);
bool da_unit_shown(const char *unit);
/* A value on an axis: its category's name where it has one, else the number. */
void da_text_value(struct dc_text *out, const struct da_axis *axis, double value);
/* About how wide, in units, at DA_FONT. */
double da_text_width(const char *text);
/* Escaped, and cut to a width with an ellipsis. */
void da_text_fit(struct dc_text *out, const char *text, double width);

#endif

/* A figure as data: one description, many forms.
 *
 *     struct da_figure --svg--> in the page, and as a file
 *                      --chart--> the page's interactive copy (a JSON object for its script)
 *                      --gnuplot--> svg, png or pdf for papers
 *                      --csv--> the numbers
 *
 * All forms show the same numbers.  Same figure, same bytes: numbers are printed with at most six
 * digits, independent of locale.  Colours are told apart by colour-blind readers (Okabe and Ito,
 * 2008), series also by dash and marker.  A figure borrows everything. */
#ifndef ANALYSIS_FIGURE_H
#define ANALYSIS_FIGURE_H

#include "models/base/text.h"

enum da_mark {
    DA_MARK_LINE,   /* x, y; lo, hi: a band around it */
    DA_MARK_STEP,   /* x, y: holds until the next x */
    DA_MARK_POINTS, /* x, y; lo, hi: error bars; size: area; label: beside it */
    DA_MARK_BARS,   /* y over categories of x (x: index); lo, hi: error bars */
    DA_MARK_SPANS,  /* from x to x_end in row y (a category of y): time lines */
    DA_MARK_CELLS,  /* y over x in boxes, coloured by `shade`: heat maps */
    DA_MARK_EDGES   /* a line from (x, y) to (x_end, y_end), as wide as `size`: networks */
};

struct da_series {
    const char *name; /* in the legend; NULL: not there */
    enum da_mark mark;
    size_t count;
    const double *x, *y;                                  /* NaN in y: a gap */
    const double *lo, *hi, *x_end, *y_end, *size, *shade; /* NULL where not used */
    const char *const *label;                             /* of each, or NULL */
    int colour; /* 0.. of the palette; -1: by the series' order; DA_GREY */
    bool dashed;
};
enum { DA_GREY = -2 };

struct da_axis {
    const char *label, *unit;    /* "theta", "1"; a unit of "1" or "" is not shown */
    bool log, bare;              /* bare: no line, ticks or labels (a map) */
    double min, max;             /* NaN: from the data; a bar's axis begins at 0 */
    const char *const *category; /* names of 0, 1, 2 ..., or NULL */
    size_t categories;
};

struct da_figure {
    const char *id;              /* "theta-loss": of the element, of files */
    const char *title, *caption; /* caption: what is seen and how it was made */
    struct da_axis x, y, shade;
    const struct da_series *series;
    size_t count;
    double aspect; /* height over width; 0: 0.6 */
};

/* An <svg> element: 720 units wide, text as text, title and desc for screen readers. */
void da_figure_svg(const struct da_figure *f, struct dc_text *out);
/* One row per element: series, x, y and what else is there, with a head line that names units. */
void da_figure_csv(const struct da_figure *f, struct dc_text *out);
/* A gnuplot script with its data inside that writes to `output`; format: "svg", "png" or "pdf". */
void da_figure_gnuplot(const struct da_figure *f, const char *format, const char *output,
                       struct dc_text *out);
/* A configuration of Chart.js 3, as JSON; false: this figure stays an SVG (spans, edges, cells). */
bool da_figure_chart(const struct da_figure *f, struct dc_text *out);

/* Text into XML or HTML, with <>&" replaced. */
void da_text_escape(struct dc_text *out, const char *text);
/* At most six significant digits, locale-free; NaN: "". */
void da_text_number(struct dc_text *out, double value);

#endif

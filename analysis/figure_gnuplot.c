/* A figure as a gnuplot script: a data block per series, the look and the plot.
 *
 * Texts stand in single quotes, in which gnuplot (5.4) expands nothing, and in data blocks between
 * tabs; line ends in them become spaces.  All terminals are told noenhanced, so that _ and ^ stay
 * what they are.  Columns of every block: x, y, x_end, y_end, lo, hi, size, shade, box left, right,
 * bottom, top, label; NaN where there is nothing. */
#include "analysis/figure_parts.h"

#include <math.h>
#include <string.h>

enum { WIDTHS = 5 }; /* of edges: gnuplot draws one width at a time */

static void quoted_with(struct dc_text *out, const char *text, bool tic)
{
    struct dc_text plain = {0};
    da_text_plain(&plain, text);
    dc_text_add(out, "'");
    for (const char *p = plain.data != NULL ? plain.data : ""; *p != '\0'; p++) {
        dc_text_put(out, p, 1);
        if (*p == '\'' || (tic && *p == '%')) /* a tic's name is a format */
            dc_text_put(out, p, 1);
        if (strncmp(p, "]]>", 3) == 0) /* which gnuplot would write into SVG as it is */
            dc_text_add(out, " ");
    }
    dc_text_add(out, "'");
    out->failed = out->failed || plain.failed;
    dc_text_free(&plain);
}

static void quoted(struct dc_text *out, const char *text)
{
    quoted_with(out, text, false);
}

static void number(struct dc_text *out, double value)
{
    if (!isfinite(value)) /* gnuplot reads no infinity */
        dc_text_add(out, "NaN");
    else
        da_text_number(out, value);
}

/* ---- data ---- */

/* The box of an element: half way to its neighbours for cells, its place among others for bars. */
static void boxes(const struct da_frame *r, size_t i, size_t k, const struct da_grid *gx,
                  const struct da_grid *gy, double box[4])
{
    const struct da_series *s = &r->f->series[i];
    double x = s->x[k], y = s->y[k];
    box[0] = box[1] = box[2] = box[3] = NAN;
    if (s->mark == DA_MARK_CELLS) {
        da_grid_box(gx, x, &box[0], &box[1]);
        da_grid_box(gy, y, &box[2], &box[3]);
        if (r->f->x.category != NULL) {
            box[0] = x - 0.5;
            box[1] = x + 0.5;
        }
        if (r->f->y.category != NULL) {
            box[2] = y - 0.5;
            box[3] = y + 0.5;
        }
    } else if (s->mark == DA_MARK_BARS) {
        double wide = r->bar / (double)r->bars, place = (double)da_figure_bar_place(r->f, i);
        box[0] = x + (place - (double)r->bars / 2) * wide;
        box[1] = box[0] + wide;
        double zero = r->y.log ? r->y.lo : 0;
        box[2] = fmin(zero, y);
        box[3] = fmax(zero, y);
    } else if (s->mark == DA_MARK_SPANS) {
        box[0] = x;
        box[1] = s->x_end != NULL && isfinite(s->x_end[k]) ? s->x_end[k] : r->x.hi;
        box[2] = y - 0.32;
        box[3] = y + 0.32;
    }
}

static void block(struct dc_text *out, const struct da_frame *r, size_t i)
{
    const struct da_series *s = &r->f->series[i];
    const double *const column[] = {s->x,  s->y,  s->x_end, s->y_end,
                                    s->lo, s->hi, s->size,  s->shade};
    struct da_grid gx = {0}, gy = {0};
    if (s->mark == DA_MARK_CELLS && (!da_grid_make(&gx, s->x, s->count, r->x.log) ||
                                     !da_grid_make(&gy, s->y, s->count, r->y.log)))
        out->failed = true;
    dc_text_printf(out, "$data%zu << END\n", i);
    for (size_t k = 0; k < s->count && !out->failed; k++) {
        double box[4];
        for (size_t c = 0; c < 8; c++) {
            number(out, column[c] != NULL ? column[c][k] : NAN);
            dc_text_add(out, "\t");
        }
        boxes(r, i, k, &gx, &gy, box);
        for (size_t c = 0; c < 4; c++) {
            number(out, box[c]);
            dc_text_add(out, "\t");
        }
        struct dc_text label = {0};
        if (s->label != NULL && s->label[k] != NULL)
            da_text_plain(&label, s->label[k]);
        for (const char *p = label.data != NULL ? label.data : ""; *p != '\0'; p++)
            if (*p == '"') /* a quote would open a string */
                dc_text_add(out, "\xe2\x80\x9d");
            else if (strncmp(p, "]]>", 3) == 0)
                dc_text_add(out, "] ");
            else
                dc_text_put(out, p, 1);
        out->failed = out->failed || label.failed;
        dc_text_free(&label);
        dc_text_add(out, "\n");
    }
    /* a block must not be empty */
    dc_text_add(out, "NaN\tNaN\tNaN\tNaN\tNaN\tNaN\tNaN\tNaN\tNaN\tNaN\tNaN\tNaN\t\nEND\n");
    da_grid_free(&gx);
    da_grid_free(&gy);
}

/* ---- the plot ---- */

static void look(struct dc_text *out, const struct da_look *l, bool line, bool point)
{
    static const int types[DA_LOOKS] = {7, 5, 9, 13, 11, 6, 1, 15};
    dc_text_printf(out, " linecolor rgb '%s'", l->colour);
    if (line)
        dc_text_add(out, " linewidth 2");
    if (line && l->dash != NULL) {
        dc_text_add(out, " dashtype (");
        for (const char *p = l->dash; *p != '\0'; p++)
            dc_text_put(out, *p == ' ' ? "," : p, 1);
        dc_text_add(out, ")");
    }
    if (point)
        dc_text_printf(out, " pointtype %d pointsize 0.8", types[l->marker % DA_LOOKS]);
}

/* The next item of the plot command; the series' name once, by its first item. */
static void item(struct dc_text *out, size_t i, const char *what)
{
    dc_text_printf(out, ", \\\n    $data%zu using %s", i, what);
}

static void title(struct dc_text *out, const struct da_series *s, bool shown)
{
    if (shown && s->name != NULL && s->name[0] != '\0') {
        dc_text_add(out, " title ");
        quoted(out, s->name);
    } else
        dc_text_add(out, " notitle");
}

static void plot_line(struct dc_text *out, size_t i, const struct da_series *s,
                      const struct da_look *l)
{
    bool step = s->mark == DA_MARK_STEP;
    bool band = s->lo != NULL && s->hi != NULL;
    if (band && !step) {
        item(out, i, "1:5:6 with filledcurves");
        dc_text_printf(out, " linecolor rgb '%s' fillstyle transparent solid 0.2 noborder notitle",
                       l->colour);
    }
    for (int edge = 5; band && step && edge <= 6; edge++) { /* gnuplot fills no steps: the edges */
        item(out, i, edge == 5 ? "1:5 with steps" : "1:6 with steps");
        dc_text_printf(out, " linecolor rgb '%s' linewidth 0.5 notitle", l->colour);
    }
    bool marked = !step && s->count <= 40;
    item(out, i, step ? "1:2 with steps" : marked ? "1:2 with linespoints" : "1:2 with lines");
    look(out, l, true, marked);
    title(out, s, true);
}

static void plot_points(struct dc_text *out, size_t i, const struct da_frame *r,
                        const struct da_look *l)
{
    const struct da_series *s = &r->f->series[i];
    if (s->lo != NULL && s->hi != NULL) {
        item(out, i, "1:2:5:6 with yerrorbars");
        dc_text_printf(out, " linecolor rgb '%s' pointtype 0 notitle", l->colour);
    }
    if (s->size != NULL && r->area_max > 0) {
        struct dc_text what = {0};
        dc_text_add(&what, "1:2:(0.4+2.6*sqrt($7/");
        da_text_number(&what, r->area_max);
        dc_text_add(&what, s->shade != NULL ? ")):8 with points pointtype 7 pointsize variable "
                                              "linecolor palette"
                                            : ")) with points pointsize variable");
        item(out, i, what.data != NULL ? what.data : "");
        out->failed = out->failed || what.failed;
        dc_text_free(&what);
        if (s->shade == NULL)
            dc_text_printf(out, " pointtype 7 linecolor rgb '%s'", l->colour);
    } else if (s->shade != NULL)
        item(out, i, "1:2:8 with points pointtype 7 linecolor palette");
    else {
        item(out, i, "1:2 with points");
        look(out, l, false, true);
    }
    title(out, s, true);
    if (s->label != NULL) {
        item(out, i, "1:2:13 with labels left offset 0.8,0.6 notitle");
    }
}

static void plot_edges(struct dc_text *out, size_t i, const struct da_frame *r,
                       const struct da_look *l)
{
    const struct da_series *s = &r->f->series[i];
    for (int k = 0; k < WIDTHS; k++) {
        struct dc_text what = {0};
        dc_text_add(&what, "1:2:(");
        if (s->size == NULL || r->width_max <= 0)
            dc_text_add(&what, k == 0 ? "$3-$1" : "NaN");
        else {
            dc_text_add(&what, "ceil($7/");
            da_text_number(&what, r->width_max);
            dc_text_printf(&what, "*%d-1e-9)==%d?$3-$1:NaN", WIDTHS, k + 1);
        }
        dc_text_printf(&what, "):($4-$2) with vectors nohead linewidth %d", 1 + 2 * k);
        item(out, i, what.data != NULL ? what.data : "");
        out->failed = out->failed || what.failed;
        dc_text_free(&what);
        dc_text_printf(out, " linecolor rgb '#90%s'", l->colour + 1);
        title(out, s, k == 1);
    }
}

static void plot_series(struct dc_text *out, const struct da_frame *r, size_t i)
{
    const struct da_series *s = &r->f->series[i];
    struct da_look l = da_figure_look(r->f, i);
    switch (s->mark) {
    case DA_MARK_LINE:
    case DA_MARK_STEP: plot_line(out, i, s, &l); break;
    case DA_MARK_POINTS: plot_points(out, i, r, &l); break;
    case DA_MARK_BARS:
    case DA_MARK_SPANS:
        item(out, i, "(($9+$10)/2):(($11+$12)/2):9:10:11:12 with boxxyerror fillstyle ");
        if (da_figure_hatched(r->f) && l.hatch != 0)
            dc_text_printf(out, "pattern %u", 3 + l.hatch % 5);
        else
            dc_text_add(out, "solid noborder");
        dc_text_printf(out, " linecolor rgb '%s'", l.colour);
        title(out, s, true);
        if (s->mark == DA_MARK_BARS && s->lo != NULL && s->hi != NULL)
            item(out, i,
                 "(($9+$10)/2):5:(0):($6-$5) with vectors heads nofilled "
                 "size graph 0.008,90 linecolor rgb '#000000' notitle");
        if (s->mark == DA_MARK_SPANS && s->label != NULL)
            item(out, i, "(($9+$10)/2):2:13 with labels notitle");
        break;
    case DA_MARK_CELLS:
        item(out, i,
             "1:2:9:10:11:12:8 with boxxyerror fillstyle solid noborder linecolor palette "
             "notitle");
        break;
    case DA_MARK_EDGES: plot_edges(out, i, r, &l); break;
    }
}

/* ---- axes ---- */

static void axis(struct dc_text *out, const char *id, const struct da_axis *a, double lo, double hi,
                 const struct da_ticks *log)
{
    struct dc_text name = {0};
    if (!a->bare)
        da_text_axis(&name, a);
    dc_text_printf(out, "set %slabel ", id);
    quoted(out, name.data != NULL ? name.data : "");
    out->failed = out->failed || name.failed;
    dc_text_free(&name);
    dc_text_printf(out, "\nset %srange [", id);
    number(out, lo);
    dc_text_add(out, ":");
    number(out, hi);
    dc_text_add(out, "]\n");
    if (log != NULL) { /* its own ticks would be powers of ten alone */
        dc_text_printf(out, "set logscale %s\nset %stics (", id, id);
        for (size_t i = 0; i < log->count; i++) {
            dc_text_add(out, i != 0 ? ", " : "");
            quoted_with(out, log->tick[i].text, true);
            dc_text_add(out, " ");
            number(out, log->tick[i].value);
        }
        dc_text_add(out, ")\n");
    }
    if (a->bare) {
        dc_text_printf(out, "unset %stics\nunset border\n", id);
        return;
    }
    if (a->category == NULL)
        return;
    dc_text_printf(out, "set %stics %s(", id,
                   id[0] == 'x' && a->categories > 3 ? "rotate by 40 right " : "");
    for (size_t i = 0; i < a->categories; i++) {
        dc_text_add(out, i != 0 ? ", " : "");
        quoted_with(out, a->category[i], true);
        dc_text_printf(out, " %zu", i);
    }
    dc_text_add(out, ")\n");
}

static void terminal(struct dc_text *out, const struct da_frame *r, const char *format)
{
    long high = lround(r->height);
    if (strcmp(format, "pdf") == 0) {
        dc_text_add(out, "set terminal pdfcairo noenhanced font 'sans,10' size 16cm,");
        da_text_px(out, 16.0 * r->height / DA_FIGURE_WIDTH);
        dc_text_add(out, "cm\n");
    } else if (strcmp(format, "png") == 0)
        dc_text_printf(out,
                       "set terminal pngcairo noenhanced font 'sans,20' linewidth 2 "
                       "pointscale 2 size %d,%ld\n",
                       2 * DA_FIGURE_WIDTH, 2 * high);
    else
        dc_text_printf(out, "set terminal svg noenhanced font 'sans,12' size %d,%ld\n",
                       DA_FIGURE_WIDTH, high);
}

static void palette(struct dc_text *out, const struct da_frame *r)
{
    dc_text_add(out, "set palette defined (");
    for (int i = 0; i <= 10; i++) {
        char colour[16];
        da_figure_shade(i / 10.0, colour);
        dc_text_printf(out, "%s%d '%s'", i != 0 ? ", " : "", i, colour);
    }
    dc_text_add(out, ")\n");
    axis(out, "cb", &r->f->shade, r->shade.lo, r->shade.hi, r->shade.log ? &r->shade_ticks : NULL);
}

void da_figure_gnuplot(const struct da_figure *f, const char *format, const char *output,
                       struct dc_text *out)
{
    struct da_frame r;
    da_frame_make(&r, f);
    out->failed = out->failed || r.failed;
    dc_text_add(out, "# gnuplot 5.4\nset encoding utf8\n");
    terminal(out, &r, format);
    dc_text_add(out, "set output ");
    quoted(out, output);
    dc_text_add(out, "\nset datafile separator \"\\t\"\nset title ");
    quoted(out, f->title != NULL ? f->title : "");
    dc_text_add(out, "\nset border 3 linecolor rgb '#444444'\nset tics nomirror\n"
                     "set grid linecolor rgb '#dddddd' linetype 1\n"
                     "set key outside top left horizontal Left reverse\n"
                     "set bars 0.6\n");
    axis(out, "x", &f->x, r.x.lo, r.x.hi, r.x.log ? &r.x_ticks : NULL);
    bool down = f->y.category != NULL; /* the first name on top */
    axis(out, "y", &f->y, down ? r.y.hi : r.y.lo, down ? r.y.lo : r.y.hi,
         r.y.log ? &r.y_ticks : NULL);
    if (f->x.bare && f->y.bare)
        dc_text_add(out, "unset grid\n");
    if (r.shaded)
        palette(out, &r);
    for (size_t i = 0; i < f->count; i++)
        block(out, &r, i);
    dc_text_add(out, "plot NaN notitle"); /* a plot needs something */
    for (size_t i = 0; i < f->count; i++)
        plot_series(out, &r, i);
    dc_text_add(out, "\n");
}

/* What the builders of a report share: memory, texts, tables and the list of sections. */
#ifndef ANALYSIS_REPORT_PARTS_H
#define ANALYSIS_REPORT_PARTS_H

#include "analysis/report.h"
#include "analysis/stats.h"

#define DA_REPORT_LEVEL 0.95 /* confidence of every interval */

/* Zeroed, until the report is freed; never NULL. */
void *da_report_take(struct da_report *r, size_t count, size_t size);
const char *da_report_text(struct da_report *r, const char *format, ...) DC_PRINTF(2, 3);
const char *da_report_vtext(struct da_report *r, const char *format, va_list arguments)
    DC_PRINTF(2, 0);

/* Numbers for people: "1,234,567", "0.0123", "3.4 %", "12.3 MiB", "6 min 12 s"; NaN: "-". */
const char *da_report_count(struct da_report *r, double value);
const char *da_report_ratio(struct da_report *r, double value);
const char *da_report_percent(struct da_report *r, double share);
/* By unit: "s", "By", "%", "1" (a count where it is whole), else the number and its unit. */
const char *da_report_value(struct da_report *r, double value, const char *unit);
/* "1.23 (1.1 to 1.4)". */
const char *da_report_interval(struct da_report *r, struct da_estimate e);

/* ---- sections and blocks --------------------------------------------------------------------- */

/* Begins a section; blocks go to the section begun last. */
void da_report_section(struct da_report *r, const char *id, const char *heading);
void da_report_title(struct da_report *r, const char *text);
void da_report_paragraph(struct da_report *r, const char *format, ...) DC_PRINTF(2, 3);
void da_report_note(struct da_report *r, enum da_tone tone, const char *format, ...)
    DC_PRINTF(3, 4);
void da_report_code(struct da_report *r, const char *fold, const char *text);
/* items: names and values together. */
void da_report_pairs(struct da_report *r, const char *const *item, size_t items);
/* NULL is left out.  Its id gets the prefix of the file that is being reported. */
void da_report_show(struct da_report *r, struct da_figure *figure);
/* From here on ids begin with the prefix and headings, unless it is "", with the name. */
void da_report_prefix(struct da_report *r, const char *prefix, const char *name);
/* The file that is being reported is the only one of the page. */
bool da_report_alone(const struct da_report *r);

/* ---- tables, row by row ---------------------------------------------------------------------- */

struct da_rows {
    struct da_report *report;
    struct da_table table;
    const char **cell;
    size_t cells, cells_max;
};
struct da_rows *da_rows_begin(struct da_report *r, const char *caption,
                              const struct da_column *column, size_t columns);
void da_rows_add(struct da_rows *rows, const char *cell); /* NULL: empty */
/* Puts the table on the page; one without rows is left out.  fold: or NULL. */
void da_rows_end(struct da_rows *rows, const char *fold);

/* ---- figures --------------------------------------------------------------------------------- */

/* A figure with room for `most` series; axes have ranges from the data. */
struct da_figure *da_figure_new(struct da_report *r, const char *id, const char *title,
                                const char *caption, size_t most);
void da_figure_axes(struct da_figure *f, const char *x, const char *x_unit, const char *y,
                    const char *y_unit);
/* The next series, zeroed but for its colour (by order); count is to be set. */
struct da_series *da_figure_series(struct da_figure *f, const char *name, enum da_mark mark);
/* The same with a copy of x and y. */
struct da_series *da_figure_line(struct da_report *r, struct da_figure *f, const char *name,
                                 const double *x, const double *y, size_t count);
/* A dashed grey line from (x0, y0) to (x1, y1). */
void da_figure_guide(struct da_report *r, struct da_figure *f, const char *name, double x0,
                     double y0, double x1, double y1);
/* The figure, or NULL when nothing in it is a number. */
struct da_figure *da_figure_or_nothing(struct da_figure *f);

#endif

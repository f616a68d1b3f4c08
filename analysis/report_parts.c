/* Memory, words and blocks of a report; see report_parts.h.
 *
 *     struct da_report
 *       held      all memory, block by block
 *       section   grows by doubling; blocks of each likewise
 *       figure    every figure on the page, in order */
#include "analysis/report_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct held {
    struct held *next;
    size_t used, size;
    _Alignas(16) unsigned char data[];
};

struct section {
    struct da_section out;
    struct da_block *block;
    size_t blocks_max;
};

struct da_report {
    struct held *held;
    struct section *section;
    size_t sections, sections_max;
    const struct da_figure **figure;
    size_t figures, figures_max;
    const char *prefix, *name; /* of the file that is being reported; name: NULL, or for headings */
};

enum { HELD_BYTES = 1 << 16 };

struct da_report *da_report_new(void)
{
    struct da_report *r = dc_mem_need(1, sizeof *r, "a report");
    r->prefix = "";
    return r;
}

void da_report_free(struct da_report *r)
{
    while (r != NULL && r->held != NULL) {
        struct held *next = r->held->next;
        dc_mem_free(r->held);
        r->held = next;
    }
    dc_mem_free(r);
}

void *da_report_take(struct da_report *r, size_t count, size_t size)
{
    DC_CHECK(size == 0 || count <= SIZE_MAX / 4 / size);
    size_t bytes = (count * size + 15) & ~(size_t)15;
    if (r->held == NULL || r->held->size - r->held->used < bytes) {
        size_t room = bytes > HELD_BYTES ? bytes : HELD_BYTES;
        struct held *h = dc_mem_need(1, sizeof *h + room, "a report");
        h->size = room;
        h->next = r->held;
        r->held = h;
    }
    void *at = r->held->data + r->held->used;
    r->held->used += bytes;
    return at;
}

/* Room for one more of `size` bytes in an array that doubles. */
static void *grow(struct da_report *r, void *old, size_t used, size_t *most, size_t size)
{
    if (used < *most)
        return old;
    size_t more = *most == 0 ? 16 : *most * 2;
    void *out = da_report_take(r, more, size);
    if (used > 0)
        memcpy(out, old, used * size);
    *most = more;
    return out;
}

const char *da_report_vtext(struct da_report *r, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    DC_CHECK(size >= 0);
    char *out = da_report_take(r, (size_t)size + 1, 1);
    vsnprintf(out, (size_t)size + 1, format, arguments);
    return out;
}

const char *da_report_text(struct da_report *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *out = da_report_vtext(r, format, arguments);
    va_end(arguments);
    return out;
}

/* ---- numbers --------------------------------------------------------------------------------- */

const char *da_report_count(struct da_report *r, double value)
{
    if (isnan(value))
        return "-";
    char digits[400], out[540];
    size_t n = (size_t)snprintf(digits, sizeof digits, "%.0f", fabs(value)), k = 0;
    if (n > 18)
        return da_report_text(r, "%.3g", value);
    if (value < 0 && strcmp(digits, "0") != 0)
        out[k++] = '-';
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = '\0';
    return da_report_text(r, "%s", out);
}

const char *da_report_ratio(struct da_report *r, double value)
{
    double size = fabs(value);
    if (isnan(value))
        return "-";
    if (isinf(value))
        return value > 0 ? "infinite" : "-infinite";
    if (size >= 999.5)
        return da_report_count(r, value);
    if (size > 0 && size < 1e-4)
        return da_report_text(r, "%.2e", value);
    return da_report_text(r, "%.3g", value);
}

const char *da_report_percent(struct da_report *r, double share)
{
    return isnan(share) ? "-" : da_report_text(r, "%s %%", da_report_ratio(r, share * 100));
}

static const char *bytes_of(struct da_report *r, double value)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t i = 0;
    for (; fabs(value) >= 1024 && i + 1 < sizeof units / sizeof units[0]; i++)
        value /= 1024;
    return da_report_text(r, fabs(value) < 100 && i > 0 ? "%.1f %s" : "%.0f %s", value, units[i]);
}

static const char *time_of(struct da_report *r, double s)
{
    if (s >= 86400)
        return da_report_text(r, "%.0f d %.0f h", floor(s / 86400), floor(fmod(s, 86400) / 3600));
    if (s >= 3600)
        return da_report_text(r, "%.0f h %.0f min", floor(s / 3600), floor(fmod(s, 3600) / 60));
    if (s >= 60)
        return da_report_text(r, "%.0f min %.0f s", floor(s / 60), floor(fmod(s, 60)));
    if (s >= 1 || s <= 0)
        return da_report_text(r, "%.3g s", s);
    return s >= 1e-3 ? da_report_text(r, "%.3g ms", s * 1e3)
                     : da_report_text(r, "%.3g us", s * 1e6);
}

const char *da_report_value(struct da_report *r, double value, const char *unit)
{
    if (isnan(value))
        return "-";
    if (unit == NULL || strcmp(unit, "1") == 0 || unit[0] == '\0')
        return floor(value) == value && fabs(value) >= 1 ? da_report_count(r, value)
                                                         : da_report_ratio(r, value);
    if (strcmp(unit, "By") == 0)
        return bytes_of(r, value);
    if (strcmp(unit, "s") == 0)
        return time_of(r, value);
    return da_report_text(r, "%s %s", da_report_ratio(r, value), unit);
}

const char *da_report_interval(struct da_report *r, struct da_estimate e)
{
    if (isnan(e.value))
        return "-";
    if (isnan(e.lo) || isnan(e.hi))
        return da_report_ratio(r, e.value);
    return da_report_text(r, "%s (%s to %s)", da_report_ratio(r, e.value), da_report_ratio(r, e.lo),
                          da_report_ratio(r, e.hi));
}

/* ---- sections and blocks --------------------------------------------------------------------- */

void da_report_prefix(struct da_report *r, const char *prefix, const char *name)
{
    r->prefix = prefix;
    r->name = prefix[0] == '\0' ? NULL : name;
}

bool da_report_alone(const struct da_report *r)
{
    return r->name == NULL;
}

void da_report_section(struct da_report *r, const char *id, const char *heading)
{
    r->section = grow(r, r->section, r->sections, &r->sections_max, sizeof *r->section);
    if (r->name != NULL)
        heading = da_report_text(r, "%s: %s", r->name, heading);
    r->section[r->sections++] = (struct section){
        .out = {.id = da_report_text(r, "%spart-%s", r->prefix, id), .heading = heading}};
}

static struct da_block *block(struct da_report *r, enum da_block_kind kind)
{
    DC_CHECK(r->sections > 0);
    struct section *s = &r->section[r->sections - 1];
    s->block = grow(r, s->block, s->out.count, &s->blocks_max, sizeof *s->block);
    struct da_block *b = &s->block[s->out.count++];
    *b = (struct da_block){.kind = kind};
    return b;
}

void da_report_title(struct da_report *r, const char *text)
{
    block(r, DA_BLOCK_TITLE)->text = text;
}

void da_report_paragraph(struct da_report *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = da_report_vtext(r, format, arguments);
    va_end(arguments);
    block(r, DA_BLOCK_TEXT)->text = text;
}

void da_report_note(struct da_report *r, enum da_tone tone, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = da_report_vtext(r, format, arguments);
    va_end(arguments);
    struct da_block *b = block(r, DA_BLOCK_NOTE);
    b->text = text;
    b->tone = tone;
}

void da_report_code(struct da_report *r, const char *fold, const char *text)
{
    struct da_block *b = block(r, DA_BLOCK_CODE);
    b->fold = fold;
    b->text = text;
}

void da_report_pairs(struct da_report *r, const char *const *item, size_t items)
{
    struct da_block *b = block(r, DA_BLOCK_PAIRS);
    b->item = item;
    b->items = items / 2; /* pairs */
}

void da_report_show(struct da_report *r, struct da_figure *figure)
{
    if (figure == NULL)
        return;
    figure->id = da_report_text(r, "%s%s", r->prefix, figure->id);
    block(r, DA_BLOCK_FIGURE)->figure = figure;
    r->figure = grow(r, r->figure, r->figures, &r->figures_max, sizeof(const struct da_figure *));
    r->figure[r->figures++] = figure;
}

/* A section without blocks is left out. */
void da_report_page(struct da_report *r, const char *title, const char *subtitle,
                    const char *footer, struct da_page *out)
{
    struct da_section *section = da_report_take(r, r->sections, sizeof *section);
    size_t count = 0;
    for (size_t i = 0; i < r->sections; i++) {
        if (r->section[i].out.count == 0)
            continue;
        section[count] = r->section[i].out;
        section[count++].block = r->section[i].block;
    }
    *out = (struct da_page){title, subtitle, footer, section, count};
}

size_t da_report_figures(const struct da_report *r)
{
    return r->figures;
}

const struct da_figure *da_report_figure(const struct da_report *r, size_t i)
{
    return r->figure[i];
}

/* ---- tables ---------------------------------------------------------------------------------- */

struct da_rows *da_rows_begin(struct da_report *r, const char *caption,
                              const struct da_column *column, size_t columns)
{
    struct da_rows *rows = da_report_take(r, 1, sizeof *rows);
    rows->report = r;
    rows->table = (struct da_table){.caption = caption, .column = column, .columns = columns};
    return rows;
}

void da_rows_add(struct da_rows *rows, const char *cell)
{
    rows->cell =
        grow(rows->report, rows->cell, rows->cells, &rows->cells_max, sizeof(const char *));
    rows->cell[rows->cells++] = cell;
}

void da_rows_end(struct da_rows *rows, const char *fold)
{
    DC_CHECK(rows->cells % rows->table.columns == 0);
    rows->table.rows = rows->cells / rows->table.columns;
    rows->table.cell = rows->cell;
    if (rows->table.rows == 0)
        return;
    struct da_block *b = block(rows->report, DA_BLOCK_TABLE);
    b->table = &rows->table;
    b->fold = fold;
}

/* ---- figures --------------------------------------------------------------------------------- */

struct da_figure *da_figure_new(struct da_report *r, const char *id, const char *title,
                                const char *caption, size_t most)
{
    struct da_figure *f = da_report_take(r, 1, sizeof *f);
    *f = (struct da_figure){.id = id, .title = title, .caption = caption};
    f->x.min = f->x.max = f->y.min = f->y.max = f->shade.min = f->shade.max = NAN;
    f->series = da_report_take(r, most, sizeof *f->series);
    return f;
}

void da_figure_axes(struct da_figure *f, const char *x, const char *x_unit, const char *y,
                    const char *y_unit)
{
    f->x.label = x;
    f->x.unit = x_unit;
    f->y.label = y;
    f->y.unit = y_unit;
}

struct da_series *da_figure_series(struct da_figure *f, const char *name, enum da_mark mark)
{
    struct da_series *s = (struct da_series *)(uintptr_t)&f->series[f->count++];
    *s = (struct da_series){.name = name, .mark = mark, .colour = -1};
    return s;
}

struct da_series *da_figure_line(struct da_report *r, struct da_figure *f, const char *name,
                                 const double *x, const double *y, size_t count)
{
    struct da_series *s = da_figure_series(f, name, DA_MARK_LINE);
    double *values = da_report_take(r, 2 * count, sizeof *values);
    memcpy(values, x, count * sizeof *x);
    memcpy(values + count, y, count * sizeof *y);
    s->x = values;
    s->y = values + count;
    s->count = count;
    return s;
}

void da_figure_guide(struct da_report *r, struct da_figure *f, const char *name, double x0,
                     double y0, double x1, double y1)
{
    struct da_series *s = da_figure_line(r, f, name, (double[]){x0, x1}, (double[]){y0, y1}, 2);
    s->colour = DA_GREY;
    s->dashed = true;
}

struct da_figure *da_figure_or_nothing(struct da_figure *f)
{
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < f->series[i].count; k++)
            if (f->series[i].colour != DA_GREY && isfinite(f->series[i].y[k]))
                return f;
    return NULL;
}

/* A cursor over the whole file; cells are found where they stand and never copied. */
#include "sim/csv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/anomaly/detector.h"
#include "models/base/mem.h"

struct cursor {
    const char *at, *end, *line_start;
    size_t line;
};

/* Without quotes and the blanks around it. */
struct cell {
    const char *start, *end;
    size_t line, column; /* where it begins, from 1 */
    bool last;           /* of its row */
};

/* What of a cell fits in a message. */
struct excerpt {
    char text[48];
};

static enum dc_status fault(const struct ds_csv *csv, size_t line, size_t column,
                            struct dc_error *error, const char *format, ...) DC_PRINTF(5, 6);
static enum dc_status fault(const struct ds_csv *csv, size_t line, size_t column,
                            struct dc_error *error, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return dc_error_set(error, DC_ERR_USAGE, "%s:%zu:%zu: %s", csv->path, line, column, what);
}

static struct excerpt excerpt(struct cell cell)
{
    struct excerpt out;
    size_t size = (size_t)(cell.end - cell.start), shown = size < 32 ? size : 29;
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)cell.start[i];
        out.text[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    snprintf(out.text + shown, sizeof out.text - shown, "%s", shown < size ? "..." : "");
    return out;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- cells ----------------------------------------------------------------------------------- */

static void next_line(struct cursor *c)
{
    c->at++;
    c->line++;
    c->line_start = c->at;
}

/* Behind the closing quote; false when there is none. */
static bool skip_quoted(struct cursor *c)
{
    for (c->at++; c->at < c->end;) {
        if (*c->at == '\n') {
            next_line(c);
        } else if (*c->at != '"') {
            c->at++;
        } else if (c->at + 1 < c->end && c->at[1] == '"') {
            c->at += 2;
        } else {
            c->at++;
            return true;
        }
    }
    return false;
}

/* Reads a cell and what ends it: `,`, the end of the line or of the file. */
static enum dc_status take_cell(const struct ds_csv *csv, struct cursor *c, struct cell *out,
                                struct dc_error *error)
{
    while (c->at < c->end && is_blank(*c->at))
        c->at++;
    *out = (struct cell){
        .start = c->at, .line = c->line, .column = (size_t)(c->at - c->line_start) + 1};
    bool quoted = c->at < c->end && *c->at == '"';
    if (quoted && !skip_quoted(c))
        return fault(
            csv, out->line, out->column, error,
            "this quote is never closed: add a `\"`, or write `\"\"` for a quote in a cell");
    out->end = c->at;
    while (c->at < c->end && *c->at != ',' && *c->at != '\n') {
        if (*c->at == '\0')
            return fault(csv, c->line, (size_t)(c->at - c->line_start) + 1, error,
                         "a zero byte: this is no text; CSV in UTF-8 is expected");
        if (quoted && !is_blank(*c->at) && *c->at != '\r')
            return fault(csv, c->line, (size_t)(c->at - c->line_start) + 1, error,
                         "expected `,` or the end of the line behind the closing quote");
        c->at++;
        if (!quoted)
            out->end = c->at;
    }
    while (!quoted && out->end > out->start && (is_blank(out->end[-1]) || out->end[-1] == '\r'))
        out->end--;
    if (quoted) {
        out->start++;
        out->end--;
    }
    out->last = c->at == c->end || *c->at == '\n';
    if (c->at < c->end && out->last)
        next_line(c);
    else if (c->at < c->end)
        c->at++;
    return DC_OK;
}

static void skip_empty_lines(struct cursor *c)
{
    for (;;) {
        const char *p = c->at;
        while (p < c->end && (is_blank(*p) || *p == '\r'))
            p++;
        if (p == c->end) {
            c->at = p;
            return;
        }
        if (*p != '\n')
            return;
        c->at = p;
        next_line(c);
    }
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or after the point. */
static bool is_number(struct cell cell)
{
    const char *p = cell.start, *end = cell.end;
    p += p < end && (*p == '+' || *p == '-');
    const char *whole = p;
    p = skip_digits(p, end);
    bool digits = p > whole;
    if (p < end && *p == '.') {
        const char *part = ++p;
        p = skip_digits(p, end);
        digits = digits || p > part;
    }
    if (digits && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        const char *power = p;
        p = skip_digits(p, end);
        digits = p > power;
    }
    return digits && p == end;
}

static bool is_word(struct cell cell, const char *word)
{
    size_t size = strlen(word), have = (size_t)(cell.end - cell.start);
    if (have != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((cell.start[i] | 0x20) != word[i])
            return false;
    return true;
}

/* Not finite, however it is written. */
static bool is_special(struct cell cell)
{
    static const char *const words[] = {"nan", "na",       "n/a",  "null",     "none",
                                        "inf", "infinity", "-inf", "-infinity"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (is_word(cell, words[i]))
            return true;
    return false;
}

/* ---- the line of names ----------------------------------------------------------------------- */

static enum dc_status read_file(struct ds_csv *csv, struct dc_error *error)
{
    FILE *file = fopen(csv->path, "rb");
    char buffer[65536];
    size_t n = 0;
    if (file == NULL)
        return dc_error_set(error, DC_ERR_IO, "could not open %s: %s", csv->path, strerror(errno));
    errno = 0;
    while (csv->text.size <= DS_CSV_SIZE_MAX && (n = fread(buffer, 1, sizeof buffer, file)) > 0)
        dc_text_put(&csv->text, buffer, n);
    int failed = ferror(file) ? (errno != 0 ? errno : EIO) : 0;
    fclose(file);
    if (csv->text.failed)
        return dc_error_set(error, DC_ERR_IO, "out of memory while reading %s", csv->path);
    if (failed != 0)
        return dc_error_set(error, DC_ERR_IO, "could not read %s: %s", csv->path, strerror(failed));
    if (csv->text.size > DS_CSV_SIZE_MAX)
        return fault(csv, 1, 1, error, "the file is larger than 2 GiB: split it");
    if (csv->text.size >= 2 && memcmp(csv->text.data, "\x1f\x8b", 2) == 0)
        return fault(csv, 1, 1, error, "the file is compressed: unpack it first (gunzip -k FILE)");
    return DC_OK;
}

static enum dc_status check_name(const struct ds_csv *csv, struct cell cell, struct dc_error *error)
{
    size_t size = (size_t)(cell.end - cell.start);
    if (csv->columns == DS_CSV_COLUMNS_MAX)
        return fault(csv, cell.line, cell.column, error, "more than %d columns",
                     DS_CSV_COLUMNS_MAX);
    if (size == 0)
        return fault(csv, cell.line, cell.column, error,
                     "the %scolumn has no name: the first line names every column",
                     cell.last ? "last " : "");
    if (is_number(cell))
        return fault(csv, cell.line, cell.column, error,
                     "the first line names the columns, and `%s` is a number: put a line like "
                     "x0,x1,x2 above it",
                     excerpt(cell).text);
    if (cell.last && csv->columns == 0 &&
        (memchr(cell.start, ';', size) != NULL || memchr(cell.start, '\t', size) != NULL))
        return fault(csv, cell.line, cell.column, error,
                     "columns are separated by commas, not by `;` or tabs");
    for (uint32_t c = 0; c < csv->columns; c++)
        if (strlen(csv->column[c].name) == size &&
            memcmp(csv->column[c].name, cell.start, size) == 0)
            return fault(csv, cell.line, cell.column, error,
                         "a second column called `%s`: give it another name", excerpt(cell).text);
    return DC_OK;
}

static enum dc_status add_column(struct ds_csv *csv, struct cell cell, struct dc_error *error)
{
    size_t size = (size_t)(cell.end - cell.start);
    struct ds_csv_column *grown = csv->column;
    if ((csv->columns & (csv->columns - 1)) == 0)
        grown = dc_mem_grow(csv->column, csv->columns == 0 ? 1 : 2 * (size_t)csv->columns,
                            sizeof *grown);
    char *name = dc_mem_alloc(size + 1, 1);
    if (grown != NULL)
        csv->column = grown;
    if (grown == NULL || name == NULL) {
        dc_mem_free(name);
        return dc_error_set(error, DC_ERR_IO, "out of memory while reading %s", csv->path);
    }
    memcpy(name, cell.start, size);
    csv->column[csv->columns++] = (struct ds_csv_column){.name = name};
    return DC_OK;
}

/* Looks for each column's first cell that is not empty; faults are for ds_csv_read to find. */
static void look_ahead(struct ds_csv *csv, struct cursor c)
{
    uint32_t unknown = csv->columns;
    bool *known = dc_mem_need(csv->columns, sizeof *known, "columns");
    while (unknown > 0 && c.at < c.end) {
        struct cell cell = {.last = false};
        for (uint32_t i = 0; !cell.last; i++) {
            if (take_cell(csv, &c, &cell, NULL) != DC_OK) {
                dc_mem_free(known);
                return;
            }
            if (i >= csv->columns || known[i] || cell.start == cell.end)
                continue;
            csv->column[i].text = !is_number(cell) && !is_special(cell);
            known[i] = true;
            unknown--;
        }
    }
    dc_mem_free(known);
}

enum dc_status ds_csv_open(struct ds_csv *csv, const char *path, struct dc_error *error)
{
    csv->path = path;
    enum dc_status status = read_file(csv, error);
    if (status != DC_OK)
        return status;
    const char *data = csv->text.data != NULL ? csv->text.data : "";
    struct cursor c = {.at = data, .end = data + csv->text.size, .line_start = data, .line = 1};
    if (csv->text.size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        c.line_start = c.at += 3; /* byte order mark */
    skip_empty_lines(&c);
    if (c.at == c.end)
        return fault(csv, 1, 1, error, "the file is empty: a line of names and rows are expected");
    for (struct cell cell = {.last = false}; !cell.last;) {
        status = take_cell(csv, &c, &cell, error);
        if (status == DC_OK)
            status = check_name(csv, cell, error);
        if (status == DC_OK)
            status = add_column(csv, cell, error);
        if (status != DC_OK)
            return status;
    }
    skip_empty_lines(&c);
    csv->body = (size_t)(c.at - data);
    csv->body_line = c.line;
    look_ahead(csv, c);
    return DC_OK;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static enum dc_status number(const struct ds_csv *csv, struct cell cell, const char *name,
                             double *out, struct dc_error *error)
{
    *out = DC_MISSING;
    if (cell.start == cell.end)
        return DC_OK;
    if (is_special(cell))
        return fault(csv, cell.line, cell.column, error,
                     "`%s` in column `%s` is no finite number: leave the cell empty where a value "
                     "is missing",
                     excerpt(cell).text, name);
    if (!is_number(cell))
        return fault(csv, cell.line, cell.column, error,
                     "`%s` in column `%s` is no number: correct it, or leave the column out with "
                     "--ignore '%s'",
                     excerpt(cell).text, name, name);
    *out = strtod(cell.start, NULL);
    if (!(*out <= DS_CSV_VALUE_MAX && *out >= -DS_CSV_VALUE_MAX))
        return fault(csv, cell.line, cell.column, error,
                     "`%s` in column `%s` is too large: numbers up to 1e100 can be handled",
                     excerpt(cell).text, name);
    return DC_OK;
}

/* One row, into value[wanted]. */
static enum dc_status read_row(const struct ds_csv *csv, struct cursor *c, double *value,
                               struct dc_error *error)
{
    size_t line = c->line;
    uint32_t cells = 0, kept = 0;
    for (struct cell cell = {.last = false}; !cell.last; cells++) {
        enum dc_status status = take_cell(csv, c, &cell, error);
        if (status == DC_OK && cells >= csv->columns)
            return fault(csv, cell.line, cell.column, error,
                         "a cell too many: the first line names %u column%s", csv->columns,
                         csv->columns == 1 ? "" : "s");
        if (status == DC_OK && csv->column[cells].wanted)
            status = number(csv, cell, csv->column[cells].name, &value[kept++], error);
        if (status != DC_OK)
            return status;
        if (cell.last && cells + 1 < csv->columns)
            return fault(csv, line, cell.column + (size_t)(cell.end - cell.start), error,
                         "%u cell%s, but the first line names %u columns: add what is missing, "
                         "if need be as empty cells",
                         cells + 1, cells == 0 ? "" : "s", csv->columns);
    }
    return DC_OK;
}

enum dc_status ds_csv_read(struct ds_csv *csv, struct dc_error *error)
{
    const char *data = csv->text.data;
    struct cursor c = {.at = data + csv->body,
                       .end = data + csv->text.size,
                       .line_start = data + csv->body,
                       .line = csv->body_line};
    size_t rows_max = 0;
    csv->wanted = 0;
    for (uint32_t i = 0; i < csv->columns; i++)
        csv->wanted += csv->column[i].wanted;
    DC_CHECK(csv->wanted > 0);
    /* In a file of one column an empty line may be an empty cell, except at the end. */
    while (c.at < c.end) {
        struct cursor ahead = c;
        skip_empty_lines(&ahead);
        if (ahead.at == c.end)
            break;
        if (csv->columns > 1)
            c = ahead;
        if (csv->rows == rows_max) {
            rows_max = rows_max == 0 ? 1024 : 2 * rows_max;
            if (rows_max > UINT32_MAX / 4)
                return fault(csv, c.line, 1, error, "too many rows: split the file");
            double *grown = dc_mem_grow(csv->value, rows_max * csv->wanted, sizeof *grown);
            if (grown == NULL)
                return dc_error_set(error, DC_ERR_IO, "out of memory while reading %s", csv->path);
            csv->value = grown;
        }
        enum dc_status status =
            read_row(csv, &c, csv->value + (size_t)csv->rows * csv->wanted, error);
        if (status != DC_OK)
            return status;
        csv->rows++;
    }
    if (csv->rows == 0)
        return fault(csv, csv->body_line, 1, error,
                     "no rows behind the line of names: there is nothing to score");
    return DC_OK;
}

void ds_csv_free(struct ds_csv *csv)
{
    for (uint32_t i = 0; i < csv->columns; i++)
        dc_mem_free(csv->column[i].name);
    dc_mem_free(csv->column);
    dc_mem_free(csv->value);
    dc_text_free(&csv->text);
    *csv = (struct ds_csv){0};
}

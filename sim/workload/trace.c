/* Reading a trace, and which of its changes are told.
 *
 * The text is scanned twice: once for its shape (rows and series), once for its numbers, which are
 * decimals read as integers, so that no locale and no binary fraction comes in. */
#include "sim/workload/trace.h"

#include "models/base/mem.h"

#include <string.h>

#define TRACE_SECONDS_MAX 3153600000ull /* a century */

struct trace_reader {
    const char *p, *line, *stop; /* line: where the line under p begins */
    uint32_t number;             /* of that line, from 1 */
    struct ds_trace_place *at;
    struct dc_error *error;
};

static enum dc_status trace_refuse(struct trace_reader *r, const char *where, const char *why)
{
    if (r->at != NULL)
        *r->at = (struct ds_trace_place){r->number, (uint32_t)(where - r->line) + 1};
    return dc_error_set(r->error, DC_ERR_USAGE, "%s", why);
}

static bool trace_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* To the next line that says something; its text without blanks around it, or false. */
static bool trace_line(struct trace_reader *r, const char **text, const char **end)
{
    while (r->p < r->stop) {
        const char *newline = memchr(r->p, '\n', (size_t)(r->stop - r->p));
        const char *from = r->p, *to = newline != NULL ? newline : r->stop;
        r->line = r->p;
        r->number++;
        r->p = newline != NULL ? newline + 1 : r->stop;
        while (from < to && trace_blank(*from))
            from++;
        while (to > from && trace_blank(to[-1]))
            to--;
        if (from == to || *from == '#')
            continue;
        *text = from;
        *end = to;
        return true;
    }
    return false;
}

/* The cell that begins at *p, without blanks; moves *p behind its comma, or past end. */
static void trace_cell(const char **p, const char *end, const char **from, const char **to)
{
    const char *comma = memchr(*p, ',', (size_t)(end - *p));
    *from = *p;
    *to = comma != NULL ? comma : end;
    *p = comma != NULL ? comma + 1 : end + 1;
    while (*from < *to && trace_blank(**from))
        ++*from;
    while (*to > *from && trace_blank((*to)[-1]))
        --*to;
}

/* A plain decimal times scale, to the nearest integer; false when it is not one. */
static bool trace_decimal(const char *p, const char *to, uint64_t scale, uint64_t max,
                          uint64_t *value)
{
    unsigned __int128 number = 0, divisor = 1;
    bool point = false, any = false;
    for (; p < to; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (*p < '0' || *p > '9')
            return false;
        any = true;
        if (divisor >= 1000000000000000000ull) /* finer than what is kept */
            continue;
        number = number * 10 + (unsigned)(*p - '0');
        divisor *= point ? 10 : 1;
        if (number > (unsigned __int128)1 << 80)
            return false;
    }
    unsigned __int128 scaled = (number * scale + divisor / 2) / divisor;
    *value = (uint64_t)scaled;
    return any && scaled <= max;
}

/* ---- shape --------------------------------------------------------------------------------- */

static enum dc_status trace_header(struct trace_reader *r, struct ds_trace *out)
{
    const char *p, *end, *from, *to;
    if (!trace_line(r, &p, &end)) {
        r->number = 1;
        r->line = r->p;
        return trace_refuse(r, r->p, "nothing here: a trace's first row is `time,NAME,...`");
    }
    trace_cell(&p, end, &from, &to);
    if (to - from != 4 || memcmp(from, "time", 4) != 0)
        return trace_refuse(r, from, "not a trace: its first row is `time,NAME,...`");
    uint64_t series = 0;
    while (p <= end) {
        trace_cell(&p, end, &from, &to);
        if (from == to)
            return trace_refuse(r, from, "a series without a name: name every column");
        series++;
    }
    if (series == 0 || series > DS_TRACE_SERIES_MAX)
        return trace_refuse(r, from, "a trace has 1 to 65536 series: columns after `time`");
    out->series = (uint32_t)series;
    return DC_OK;
}

static enum dc_status trace_shape(struct trace_reader *r, struct ds_trace *out)
{
    enum dc_status s = trace_header(r, out);
    const char *p, *end;
    uint64_t rows = 0;
    while (s == DC_OK && trace_line(r, &p, &end))
        if (++rows * out->series > DS_TRACE_CELLS_MAX)
            s = trace_refuse(r, p,
                             "too many values: use at most 67108864, in fewer rows or series");
    if (s == DC_OK && rows == 0)
        s = trace_refuse(r, r->line, "no row of values follows the header");
    out->rows = (uint32_t)rows;
    return s;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static enum dc_status trace_row(struct trace_reader *r, struct ds_trace *out, uint32_t row,
                                const char *p, const char *end)
{
    const char *from, *to;
    uint64_t value;
    trace_cell(&p, end, &from, &to);
    if (!trace_decimal(from, to, 1000000000, TRACE_SECONDS_MAX * 1000000000, &value))
        return trace_refuse(r, from, "not a time: write seconds as a plain decimal, such as 300");
    if (row == 0 && value != 0)
        return trace_refuse(r, from, "the first row is at time 0: shift the times");
    if (row > 0 && (int64_t)value <= out->time_ns[row - 1])
        return trace_refuse(r, from, "times ascend: this one is not after the row before");
    out->time_ns[row] = (int64_t)value;
    for (uint32_t i = 0; i < out->series; i++) {
        if (p > end)
            return trace_refuse(r, end, "a value is missing: every row has one for each series");
        trace_cell(&p, end, &from, &to);
        if (!trace_decimal(from, to, DC_ONE, DC_ONE, &value))
            return trace_refuse(
                r, from, "not a utilisation: write a plain decimal between 0 and 1, such as 0.25");
        out->value[(size_t)row * out->series + i] = (dc_q31)value;
        if (value > out->max[i])
            out->max[i] = (dc_q31)value;
    }
    return p <= end ? trace_refuse(r, p, "more values than the header names series") : DC_OK;
}

/* Fills change[] when given; counts in any case. */
static uint64_t trace_told(const struct ds_trace *t, uint32_t series, uint32_t *change)
{
    uint64_t count = 0;
    dc_q31 told = 0;
    for (uint32_t row = 0; row < t->rows; row++) {
        dc_q31 v = t->value[(size_t)row * t->series + series];
        if (row > 0 && (v > told ? v - told : told - v) <= DS_TRACE_STEP)
            continue;
        told = v;
        if (change != NULL)
            change[count] = row;
        count++;
    }
    return count;
}

static enum dc_status trace_changes(struct ds_trace *t, struct dc_error *error)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < t->series; i++) {
        t->changes[i] = (uint32_t)sum;
        sum += trace_told(t, i, NULL);
    }
    t->changes[t->series] = (uint32_t)sum;
    t->change = dc_mem_alloc(sum, sizeof *t->change);
    if (t->change == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for a trace");
    for (uint32_t i = 0; i < t->series; i++)
        trace_told(t, i, t->change + t->changes[i]);
    return DC_OK;
}

static enum dc_status trace_read(struct trace_reader *r, struct ds_trace *out)
{
    size_t cells = (size_t)out->rows * out->series;
    out->time_ns = dc_mem_alloc(out->rows, sizeof *out->time_ns);
    out->value = dc_mem_alloc(cells, sizeof *out->value);
    out->max = dc_mem_alloc(out->series, sizeof *out->max);
    out->changes = dc_mem_alloc((size_t)out->series + 1, sizeof *out->changes);
    if (!out->time_ns || !out->value || !out->max || !out->changes)
        return dc_error_set(r->error, DC_ERR_IO, "out of memory for a trace of %zu values", cells);
    const char *p, *end;
    enum dc_status s = DC_OK;
    bool header = trace_line(r, &p, &end);
    DC_CHECK(header);
    for (uint32_t row = 0; s == DC_OK && trace_line(r, &p, &end); row++)
        s = trace_row(r, out, row, p, end);
    uint32_t last = out->rows - 1;
    out->step_ns = INT64_MAX;
    out->period_ns = last == 0 ? INT64_MAX : 2 * out->time_ns[last] - out->time_ns[last - 1];
    for (uint32_t row = 1; s == DC_OK && row <= last; row++)
        if (out->time_ns[row] - out->time_ns[row - 1] < out->step_ns)
            out->step_ns = out->time_ns[row] - out->time_ns[row - 1];
    return s == DC_OK ? trace_changes(out, r->error) : s;
}

enum dc_status ds_trace_parse(const char *text, size_t size, struct ds_trace *out,
                              struct ds_trace_place *at, struct dc_error *error)
{
    *out = (struct ds_trace){0};
    if (at != NULL)
        *at = (struct ds_trace_place){0, 0};
    struct trace_reader first = {
        .p = text, .line = text, .stop = text + size, .at = at, .error = error};
    struct trace_reader again = first;
    enum dc_status s = trace_shape(&first, out);
    if (s == DC_OK)
        s = trace_read(&again, out);
    if (s != DC_OK)
        ds_trace_free(out);
    return s;
}

void ds_trace_free(struct ds_trace *t)
{
    void *arrays[] = {t->time_ns, t->value, t->max, t->change, t->changes};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        dc_mem_free(arrays[i]);
    *t = (struct ds_trace){0};
}

/* ---- looking up ---------------------------------------------------------------------------- */

dc_q31 ds_trace_at(const struct ds_trace *t, uint32_t series, int64_t time_ns)
{
    time_ns %= t->period_ns;
    uint32_t low = 0, high = t->rows; /* time_ns[low] <= time < time_ns[high] */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (t->time_ns[middle] <= time_ns)
            low = middle;
        else
            high = middle;
    }
    return t->value[(size_t)low * t->series + series];
}

int64_t ds_trace_change(const struct ds_trace *t, uint32_t series, uint64_t n, dc_q31 *value)
{
    const uint32_t *change = t->change + t->changes[series];
    uint32_t count = t->changes[series + 1] - t->changes[series];
    uint32_t row = change[n % count];
    *value = t->value[(size_t)row * t->series + series];
    if (n == 0)
        return 0;
    if (count == 1)
        return INT64_MAX; /* always the same */
    __int128 due = (__int128)(n / count) * t->period_ns + t->time_ns[row];
    return due > INT64_MAX ? INT64_MAX : (int64_t)due;
}

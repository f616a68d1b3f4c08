/* Reading a table of outages.  Numbers are decimals read as integers, so that no locale and no
 * binary fraction comes in. */
#include "sim/workload/outages.h"

#include "models/base/mem.h"

#include <string.h>

#define OUTAGES_SECONDS_MAX 3153600000ull /* a century */

struct outages_reader {
    const char *p, *line, *stop; /* line: where the line under p begins */
    uint32_t number;             /* of that line, from 1 */
    struct ds_trace_place *at;
    struct dc_error *error;
};
struct outages_cell {
    const char *from, *to;
};

static enum dc_status outages_refuse(struct outages_reader *r, const char *where, const char *why)
{
    if (r->at != NULL)
        *r->at = (struct ds_trace_place){r->number, (uint32_t)(where - r->line) + 1};
    return dc_error_set(r->error, DC_ERR_USAGE, "%s", why);
}

static void outages_trim(struct outages_cell *c)
{
    while (c->from < c->to && strchr(" \t\r", *c->from) != NULL)
        c->from++;
    while (c->to > c->from && strchr(" \t\r", c->to[-1]) != NULL)
        c->to--;
}

/* The three cells of the next line that says something; count is how many it has. */
static bool outages_line(struct outages_reader *r, struct outages_cell cell[3], uint32_t *count)
{
    while (r->p < r->stop) {
        const char *newline = memchr(r->p, '\n', (size_t)(r->stop - r->p));
        struct outages_cell all = {r->p, newline != NULL ? newline : r->stop};
        r->line = r->p;
        r->number++;
        r->p = newline != NULL ? newline + 1 : r->stop;
        outages_trim(&all);
        if (all.from == all.to || *all.from == '#')
            continue;
        *count = 0;
        for (const char *at = all.from; at <= all.to;) {
            const char *comma = memchr(at, ',', (size_t)(all.to - at));
            struct outages_cell c = {at, comma != NULL ? comma : all.to};
            at = comma != NULL ? comma + 1 : all.to + 1;
            outages_trim(&c);
            if (*count < 3)
                cell[*count] = c;
            ++*count;
        }
        return true;
    }
    return false;
}

static bool outages_digits(const char **p, const char *to, uint64_t *value)
{
    const char *from = *p;
    for (*value = 0; *p < to && **p >= '0' && **p <= '9' && *value < (uint64_t)1 << 56; ++*p)
        *value = *value * 10 + (uint64_t)(**p - '0');
    return *p > from;
}

/* Seconds with up to nine decimals. */
static bool outages_time(struct outages_cell c, int64_t *ns)
{
    uint64_t whole, unit = 1000000000;
    const char *p = c.from;
    if (!outages_digits(&p, c.to, &whole) || whole > OUTAGES_SECONDS_MAX)
        return false;
    *ns = (int64_t)whole * 1000000000;
    if (p == c.to)
        return true;
    for (p += *p == '.'; p < c.to && *p >= '0' && *p <= '9' && unit > 1; p++) {
        unit /= 10;
        *ns += (int64_t)((uint64_t)(*p - '0') * unit);
    }
    return p == c.to && p[-1] != '.';
}

static bool outages_node(struct outages_cell c, struct ds_outage *o)
{
    const char *p = c.from, *open = memchr(p, '[', (size_t)(c.to - p));
    if (open == NULL)
        return outages_digits(&p, c.to, &o->number) && p == c.to;
    o->name = c.from;
    o->name_size = (uint32_t)(open - c.from);
    p = open + 1;
    return o->name_size > 0 && outages_digits(&p, c.to, &o->number) && p + 1 == c.to && *p == ']';
}

static enum dc_status outages_row(struct outages_reader *r, struct outages_cell cell[3],
                                  uint32_t count, struct ds_outage *o)
{
    *o = (struct ds_outage){.up_ns = INT64_MAX};
    if (count != 3)
        return outages_refuse(r, cell[0].from, "a row has three cells: node, down_s and up_s");
    o->at = (struct ds_trace_place){r->number, (uint32_t)(cell[0].from - r->line) + 1};
    if (!outages_node(cell[0], o))
        return outages_refuse(r, cell[0].from,
                              "the node is a name such as sto[3], or a number from 0");
    if (!outages_time(cell[1], &o->down_ns))
        return outages_refuse(r, cell[1].from, "down_s is a number of seconds, such as 12.5");
    if (cell[2].from < cell[2].to && !outages_time(cell[2], &o->up_ns))
        return outages_refuse(r, cell[2].from,
                              "up_s is a number of seconds, or empty for a node that does not "
                              "come back");
    if (o->up_ns <= o->down_ns)
        return outages_refuse(r, cell[2].from, "up_s is not after down_s");
    return DC_OK;
}

static enum dc_status outages_read(struct outages_reader *r, struct ds_outages *out)
{
    static const char *const names[3] = {"node", "down_s", "up_s"};
    struct outages_cell cell[3] = {{r->p, r->p}, {r->p, r->p}, {r->p, r->p}};
    uint32_t count = 0, max = 0;
    bool header = outages_line(r, cell, &count) && count == 3;
    for (int i = 0; header && i < 3; i++)
        header = (size_t)(cell[i].to - cell[i].from) == strlen(names[i]) &&
                 memcmp(cell[i].from, names[i], strlen(names[i])) == 0;
    if (!header)
        return outages_refuse(r, r->line, "the first line is `node,down_s,up_s`");
    while (outages_line(r, cell, &count)) {
        if (out->count == DS_OUTAGES_MAX)
            return outages_refuse(r, cell[0].from, "too many rows: split the file");
        if (out->count == max) {
            max = max == 0 ? 64 : 2 * max;
            struct ds_outage *row = dc_mem_grow(out->row, max, sizeof *row);
            if (row == NULL)
                return dc_error_set(r->error, DC_ERR_IO, "out of memory for %u outages", max);
            out->row = row;
        }
        enum dc_status s = outages_row(r, cell, count, &out->row[out->count]);
        if (s != DC_OK)
            return s;
        out->count++;
    }
    if (out->count == 0)
        return outages_refuse(r, r->line, "there is no row below the header");
    return DC_OK;
}

enum dc_status ds_outages_parse(const char *text, size_t size, struct ds_outages *out,
                                struct ds_trace_place *at, struct dc_error *error)
{
    struct outages_reader r = {.p = text,
                               .line = text,
                               .stop = text + size,
                               .number = size == 0,
                               .at = at,
                               .error = error};
    *out = (struct ds_outages){0};
    enum dc_status s = outages_read(&r, out);
    if (s != DC_OK)
        ds_outages_free(out);
    return s;
}

void ds_outages_free(struct ds_outages *o)
{
    dc_mem_free(o->row);
    *o = (struct ds_outages){0};
}

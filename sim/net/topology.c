/* Topologies that need no graph: matrices, their CSV form, the uniform one; and the digest. */
#include "sim/net/topology.h"

#include "models/base/fixed.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "sim/net/graph.h"
#include "sim/net/parse.h"

#include <stdio.h>
#include <string.h>

void ds_topology_free(struct ds_net_topology *t)
{
    dc_mem_free(t->place);
    dc_mem_free(t->pair);
    *t = (struct ds_net_topology){0};
}

uint64_t ds_topology_digest(const struct ds_net_topology *t)
{
    uint64_t h = dc_mix64(t->places);
    for (uint32_t i = 0; i < t->places; i++) {
        h = dc_mix64(h ^ (uint64_t)t->place[i].up_bps);
        h = dc_mix64(h ^ (uint64_t)t->place[i].down_bps);
    }
    for (size_t i = 0; i < (size_t)t->places * t->places; i++) {
        h = dc_mix64(h ^ (uint64_t)t->pair[i].latency_ns);
        h = dc_mix64(h ^ ((uint64_t)t->pair[i].survive_q31 << 32 | t->pair[i].hops));
    }
    return h;
}

static enum dc_status topology_no_memory(struct ds_net_topology *t, struct dc_error *error)
{
    ds_topology_free(t);
    return dc_error_set(error, DC_ERR_IO, "out of memory for the network's topology");
}

enum dc_status ds_topology_from_matrix(const char *const *names, const int64_t *rtt_ns,
                                       uint32_t places, struct ds_net_topology *out,
                                       struct dc_error *error)
{
    *out = (struct ds_net_topology){.places = places, .attempts = 1};
    if (places == 0)
        return dc_error_set(error, DC_ERR_USAGE, "regions: there is none");
    if (places > DS_TOPOLOGY_PLACES_MAX) {
        ds_topology_free(out);
        return dc_error_set(error, DC_ERR_LIMIT, "regions: %u are more than %d", places,
                            DS_TOPOLOGY_PLACES_MAX);
    }
    out->place = dc_mem_alloc(places, sizeof(*out->place));
    out->pair = dc_mem_alloc((size_t)places * places, sizeof(*out->pair));
    if (out->place == NULL || out->pair == NULL)
        return topology_no_memory(out, error);
    for (uint32_t i = 0; i < places; i++)
        snprintf(out->place[i].name, sizeof(out->place[i].name), "%s", names[i]);
    for (size_t i = 0; i < (size_t)places * places; i++) {
        if (rtt_ns[i] < 0 || rtt_ns[i] > 2 * DS_TOPOLOGY_LATENCY_MAX_NS) {
            enum dc_status status = dc_error_set(error, DC_ERR_USAGE,
                                                 "regions: the round trip from %s to %s is out "
                                                 "of range (0 to 2 h)",
                                                 names[i / places], names[i % places]);
            ds_topology_free(out);
            return status;
        }
        out->pair[i] = (struct ds_net_pair){rtt_ns[i] / 2, DC_ONE, 1};
    }
    out->digest = ds_topology_digest(out);
    return DC_OK;
}

enum dc_status ds_topology_uniform(int64_t latency_ns, struct ds_net_topology *out,
                                   struct dc_error *error)
{
    const char *name = "net";
    *out = (struct ds_net_topology){0};
    if (latency_ns < 0 || latency_ns > DS_TOPOLOGY_LATENCY_MAX_NS)
        return dc_error_set(error, DC_ERR_USAGE, "latency: %lld ns is out of range (0 to 1 h)",
                            (long long)latency_ns);
    int64_t rtt_ns = 2 * latency_ns;
    return ds_topology_from_matrix(&name, &rtt_ns, 1, out, error);
}

/* CSV: one pass, a line at a time, cells in place. */

struct csv {
    const char *file;
    const char *next, *end;  /* of the text */
    size_t line;             /* number of the current one, from 1 */
    const char *cell, *stop; /* what is left of the current line */
    uint32_t places, rows;
    char (*names)[DS_TOPOLOGY_NAME_BYTES];
    int64_t *rtt_ns;
    uint8_t *seen; /* rows */
    struct dc_error *error;
};

static enum dc_status csv_refuse(const struct csv *c, const char *what, const char *cell,
                                 size_t size)
{
    char shown[DS_TOPOLOGY_NAME_BYTES];
    size_t n = 0;
    for (; n < size && n < sizeof(shown) - 1; n++)
        shown[n] = (char)(cell[n] >= ' ' && cell[n] <= '~' ? cell[n] : '?');
    shown[n] = '\0';
    (void)dc_error_set(c->error, DC_ERR_USAGE, "%s:%zu: %s%s%s%s", c->file, c->line, what,
                       cell != NULL ? " '" : "", shown, cell != NULL ? "'" : "");
    return DC_ERR_USAGE;
}

/* The next line that is neither blank nor a comment; false at the end. */
static bool csv_line(struct csv *c)
{
    while (c->next < c->end) {
        const char *start = c->next;
        const char *stop = memchr(start, '\n', (size_t)(c->end - start));
        c->stop = stop != NULL ? stop : c->end;
        c->next = stop != NULL ? stop + 1 : c->end;
        c->line++;
        const char *p = start;
        while (p < c->stop && (*p == ' ' || *p == '\t' || *p == '\r'))
            p++;
        c->cell = start;
        if (p < c->stop && *p != '#')
            return true;
    }
    return false;
}

/* The next cell of the line, blanks and one pair of double quotes taken off; false at its end. */
static bool csv_cell(struct csv *c, const char **cell, size_t *size)
{
    if (c->cell == NULL)
        return false;
    const char *comma = memchr(c->cell, ',', (size_t)(c->stop - c->cell));
    const char *a = c->cell, *b = comma != NULL ? comma : c->stop;
    c->cell = comma != NULL ? comma + 1 : NULL;
    while (a < b && (*a == ' ' || *a == '\t'))
        a++;
    while (b > a && (b[-1] == ' ' || b[-1] == '\t' || b[-1] == '\r'))
        b--;
    if (b - a >= 2 && *a == '"' && b[-1] == '"')
        a++, b--;
    *cell = a;
    *size = (size_t)(b - a);
    return true;
}

static uint32_t csv_find(const struct csv *c, const char *cell, size_t size)
{
    for (uint32_t i = 0; i < c->places; i++)
        if (strlen(c->names[i]) == size && memcmp(c->names[i], cell, size) == 0)
            return i;
    return c->places;
}

static enum dc_status csv_header(struct csv *c)
{
    const char *cell;
    size_t size;
    if (!csv_line(c))
        return csv_refuse(c, "no header row; expected ',NAME,NAME,...'", NULL, 0);
    const char *first = c->cell;
    uint32_t count = 0;
    while (csv_cell(c, &cell, &size))
        count++;
    c->cell = first;
    if (count < 2)
        return csv_refuse(c, "the header row names no region; expected ',NAME,NAME,...'", NULL, 0);
    if (count - 1 > DS_TOPOLOGY_PLACES_MAX)
        return dc_error_set(c->error, DC_ERR_LIMIT, "%s:%zu: %u regions are more than %d", c->file,
                            c->line, count - 1, DS_TOPOLOGY_PLACES_MAX);
    c->names = dc_mem_alloc(count - 1, sizeof(*c->names));
    c->rtt_ns = dc_mem_alloc((size_t)(count - 1) * (count - 1), sizeof(*c->rtt_ns));
    c->seen = dc_mem_alloc(count - 1, 1);
    if (c->names == NULL || c->rtt_ns == NULL || c->seen == NULL)
        return dc_error_set(c->error, DC_ERR_IO, "%s: out of memory", c->file);
    (void)csv_cell(c, &cell, &size); /* the corner: any text */
    while (csv_cell(c, &cell, &size)) {
        if (size == 0 || size >= DS_TOPOLOGY_NAME_BYTES || memchr(cell, '\0', size) != NULL)
            return csv_refuse(c, "a region's name has 1 to 47 bytes, not", cell, size);
        if (csv_find(c, cell, size) != c->places)
            return csv_refuse(c, "twice in the header row:", cell, size);
        memcpy(c->names[c->places++], cell, size);
    }
    return DC_OK;
}

static enum dc_status csv_row(struct csv *c)
{
    const char *cell;
    size_t size;
    (void)csv_cell(c, &cell, &size);
    uint32_t row = csv_find(c, cell, size);
    if (row == c->places)
        return csv_refuse(c, "not a region of the header row:", cell, size);
    if (c->seen[row])
        return csv_refuse(c, "a second row for", cell, size);
    c->seen[row] = 1;
    c->rows++;
    for (uint32_t i = 0; i < c->places; i++) {
        if (!csv_cell(c, &cell, &size))
            return csv_refuse(c, "fewer cells than the header row, in the row of", c->names[row],
                              strlen(c->names[row]));
        if (!ds_parse_decimal(cell, size, 1000000, 2 * DS_TOPOLOGY_LATENCY_MAX_NS,
                              &c->rtt_ns[(size_t)row * c->places + i]))
            return csv_refuse(
                c, "expected a round-trip time in ms (such as 68.2, at most 2 h), not", cell, size);
    }
    if (csv_cell(c, &cell, &size))
        return csv_refuse(c, "more cells than the header row, from", cell, size);
    return DC_OK;
}

static enum dc_status csv_rows(struct csv *c)
{
    while (csv_line(c)) {
        enum dc_status status = csv_row(c);
        if (status != DC_OK)
            return status;
    }
    for (uint32_t i = 0; i < c->places; i++)
        if (!c->seen[i])
            return csv_refuse(c, "there is no row for", c->names[i], strlen(c->names[i]));
    return DC_OK;
}

enum dc_status ds_topology_from_csv(const char *name, const char *text, size_t size,
                                    struct ds_net_topology *out, struct dc_error *error)
{
    struct csv c = {.file = name, .next = text, .end = text + size, .error = error};
    *out = (struct ds_net_topology){0};
    enum dc_status status = csv_header(&c);
    if (status == DC_OK)
        status = csv_rows(&c);
    const char **names = status == DC_OK ? dc_mem_alloc(c.places, sizeof(*names)) : NULL;
    if (status == DC_OK && names == NULL)
        status = dc_error_set(error, DC_ERR_IO, "%s: out of memory", name);
    if (names != NULL) {
        for (uint32_t i = 0; i < c.places; i++)
            names[i] = c.names[i];
        status = ds_topology_from_matrix(names, c.rtt_ns, c.places, out, error);
    }
    dc_mem_free(names);
    dc_mem_free(c.names);
    dc_mem_free(c.rtt_ns);
    dc_mem_free(c.seen);
    return status;
}

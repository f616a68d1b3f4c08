/* Where two runs part: slices of digests, then events, then any dataset.
 *
 *   /digest  slice 0 | 1 | 2 | 3 | 4      rolling digests of every node at each slice's end:
 *            same    = | = | # | # | #    equal up to the slice that holds the first difference
 *                            |
 *   /trace        e e e e [e e e] e       the slice again, with every event
 *
 * A rolling digest is a function of all events of a node up to there, in order.  If the file under
 * test holds a trace too, the two are compared row by row.  Otherwise there is one trace and, of
 * the other run, the digest of each node at the slice's end.  If that digest is the one that the
 * trace had after some earlier event of the node, the other run lacks the events that follow, and
 * the first of these is named, as certainly different.  If there is none, the earliest event of the
 * slice among the nodes that differ is named: the difference is there or later. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/cmd_verify.h"

#define ROWS 8192

/* ---- slices ---------------------------------------------------------------------------------- */

void ds_slice_free(struct ds_slice *slice)
{
    dc_mem_free(slice->differs);
    dc_mem_free(slice->digest);
    slice->differs = NULL;
    slice->digest = NULL;
}

/* One row of /digest/digest of both files; *count: nodes whose digests differ. */
static enum dc_status slice_rows(struct ds_results *a, struct ds_results *b, uint64_t index,
                                 uint64_t nodes, uint64_t *row_a, uint64_t *row_b, uint64_t *count,
                                 struct dc_error *error)
{
    enum dc_status status = ds_results_read(a, "/digest/digest", index, 1, DS_U64, row_a, error);
    if (status == DC_OK)
        status = ds_results_read(b, "/digest/digest", index, 1, DS_U64, row_b, error);
    *count = 0;
    for (uint64_t n = 0; status == DC_OK && n < nodes; n++)
        *count += row_a[n] != row_b[n];
    return status;
}

static enum dc_status slice_fill(struct ds_results *a, struct ds_slice *out, const uint64_t *row_a,
                                 const uint64_t *row_b, struct dc_error *error)
{
    enum dc_status status =
        ds_results_read(a, "/digest/time_end", out->index, 1, DS_I64, &out->until_ns, error);
    if (status == DC_OK && out->index > 0)
        status =
            ds_results_read(a, "/digest/time_end", out->index - 1, 1, DS_I64, &out->from_ns, error);
    out->differs = dc_mem_need(out->nodes, sizeof *out->differs, "digests");
    out->digest = dc_mem_need(out->nodes, sizeof *out->digest, "digests");
    for (uint64_t n = 0; n < out->nodes; n++) {
        out->differs[n] = row_a[n] != row_b[n];
        out->digest[n] = row_a[n];
    }
    return status;
}

enum dc_status ds_slices_compare(struct ds_results *a, struct ds_results *b, bool *found,
                                 struct ds_slice *out, struct dc_error *error)
{
    uint64_t nodes = ds_results_size(a, "node"), slices = ds_results_size(a, "slice");
    *out = (struct ds_slice){.nodes = nodes};
    *found = false;
    if (ds_results_size(b, "node") != nodes)
        return dc_error_set(error, DC_ERR_IO, "the two runs have different numbers of nodes");
    if (ds_results_size(b, "slice") < slices)
        slices = ds_results_size(b, "slice");
    uint64_t *row_a = dc_mem_need(nodes + 1, sizeof *row_a, "digests");
    uint64_t *row_b = dc_mem_need(nodes + 1, sizeof *row_b, "digests");
    uint64_t low = 0, high = slices, count; /* the first that differs is in [low, high] */
    enum dc_status status = DC_OK;
    while (status == DC_OK && low < high) {
        uint64_t middle = low + (high - low) / 2;
        status = slice_rows(a, b, middle, nodes, row_a, row_b, &count, error);
        if (count > 0)
            high = middle;
        else
            low = middle + 1;
    }
    if (status == DC_OK && low < slices) {
        status = slice_rows(a, b, low, nodes, row_a, row_b, &count, error);
        out->index = low;
        out->differing = count;
        *found = true;
        if (status == DC_OK)
            status = slice_fill(a, out, row_a, row_b, error);
    }
    dc_mem_free(row_a);
    dc_mem_free(row_b);
    return status;
}

/* ---- traces ---------------------------------------------------------------------------------- */

struct rows {
    int64_t time_ns[ROWS];
    uint32_t node[ROWS], source[ROWS], kind[ROWS];
    uint64_t sequence[ROWS], digest[ROWS];
};

static enum dc_status read_rows(struct ds_results *r, uint64_t first, uint64_t count,
                                struct rows *rows, struct dc_error *error)
{
    const struct {
        const char *name;
        enum ds_type type;
        void *out;
    } columns[] = {
        {"/trace/time", DS_I64, rows->time_ns},      {"/trace/node", DS_U32, rows->node},
        {"/trace/source", DS_U32, rows->source},     {"/trace/kind", DS_U32, rows->kind},
        {"/trace/sequence", DS_U64, rows->sequence}, {"/trace/digest", DS_U64, rows->digest}};
    enum dc_status status = DC_OK;
    for (size_t c = 0; status == DC_OK && c < sizeof columns / sizeof columns[0]; c++)
        status = ds_results_read(r, columns[c].name, first, count, columns[c].type, columns[c].out,
                                 error);
    return status;
}

static struct ds_trace_event row_at(const struct rows *rows, uint64_t i)
{
    return (struct ds_trace_event){rows->time_ns[i], rows->node[i],     rows->source[i],
                                   rows->kind[i],    rows->sequence[i], rows->digest[i]};
}

static bool same_event(const struct rows *a, const struct rows *b, uint64_t i)
{
    return a->time_ns[i] == b->time_ns[i] && a->node[i] == b->node[i] &&
           a->source[i] == b->source[i] && a->kind[i] == b->kind[i] &&
           a->sequence[i] == b->sequence[i] && a->digest[i] == b->digest[i];
}

enum dc_status ds_traces_compare(struct ds_results *a, struct ds_results *b, bool *found,
                                 struct ds_trace_event *in_a, bool *ends_a,
                                 struct ds_trace_event *in_b, bool *ends_b, struct dc_error *error)
{
    uint64_t size_a = ds_results_size(a, "event"), size_b = ds_results_size(b, "event");
    uint64_t both = size_a < size_b ? size_a : size_b;
    struct rows *rows = dc_mem_need(2, sizeof *rows, "events");
    enum dc_status status = DC_OK;
    *found = *ends_a = *ends_b = false;
    for (uint64_t first = 0; status == DC_OK && !*found && first < both; first += ROWS) {
        uint64_t count = both - first < ROWS ? both - first : ROWS;
        status = read_rows(a, first, count, &rows[0], error);
        if (status == DC_OK)
            status = read_rows(b, first, count, &rows[1], error);
        for (uint64_t i = 0; status == DC_OK && !*found && i < count; i++) {
            *found = !same_event(&rows[0], &rows[1], i);
            *in_a = row_at(&rows[0], i);
            *in_b = row_at(&rows[1], i);
        }
    }
    if (status == DC_OK && !*found && size_a != size_b) {
        status = read_rows(size_a > size_b ? a : b, both, 1, &rows[0], error);
        *(size_a > size_b ? in_a : in_b) = row_at(&rows[0], 0);
        *ends_a = size_a < size_b;
        *ends_b = size_b < size_a;
        *found = status == DC_OK;
    }
    dc_mem_free(rows);
    return status;
}

/* What is known of a node while a slice's events pass by. */
struct suspect {
    struct ds_trace_event first;  /* of the slice */
    struct ds_trace_event lacked; /* the first that the other run did not handle */
    bool seen, matched, lacks;
};

static bool earlier(const struct ds_trace_event *a, const struct ds_trace_event *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->node < b->node;
}

static void blame_event(struct suspect *s, const struct ds_trace_event *e, uint64_t other_digest)
{
    if (s->matched && !s->lacks) {
        s->lacked = *e;
        s->lacks = true;
    }
    if (!s->seen)
        s->first = *e;
    s->seen = true;
    if (!s->matched && e->digest == other_digest)
        s->matched = true;
}

/* An event that certainly is missing, if there is one, else the earliest at which a node that
 * differs can have parted. */
static bool blame_earliest(const struct suspect *suspects, const struct ds_slice *slice,
                           bool *exact, struct ds_trace_event *out)
{
    bool found = false;
    *exact = false;
    for (uint64_t n = 0; n < slice->nodes; n++)
        *exact = *exact || (slice->differs[n] && suspects[n].lacks);
    for (uint64_t n = 0; n < slice->nodes; n++) {
        const struct suspect *s = &suspects[n];
        if (!slice->differs[n] || !(*exact ? s->lacks : s->seen))
            continue;
        const struct ds_trace_event *e = *exact ? &s->lacked : &s->first;
        if (!found || earlier(e, out))
            *out = *e;
        found = true;
    }
    return found;
}

enum dc_status ds_trace_blame(struct ds_results *traced, const struct ds_slice *slice, bool *found,
                              bool *exact, struct ds_trace_event *out, struct dc_error *error)
{
    uint64_t size = ds_results_size(traced, "event");
    struct suspect *suspects = dc_mem_need(slice->nodes + 1, sizeof *suspects, "events");
    struct rows *rows = dc_mem_need(1, sizeof *rows, "events");
    enum dc_status status = DC_OK;
    for (uint64_t first = 0; status == DC_OK && first < size; first += ROWS) {
        uint64_t count = size - first < ROWS ? size - first : ROWS;
        status = read_rows(traced, first, count, rows, error);
        for (uint64_t i = 0; status == DC_OK && i < count; i++) {
            struct ds_trace_event e = row_at(rows, i);
            if (e.node < slice->nodes && slice->differs[e.node] && e.time_ns >= slice->from_ns &&
                e.time_ns < slice->until_ns)
                blame_event(&suspects[e.node], &e, slice->digest[e.node]);
        }
    }
    *found = status == DC_OK && blame_earliest(suspects, slice, exact, out);
    dc_mem_free(suspects);
    dc_mem_free(rows);
    return status;
}

/* ---- words, epochs, other datasets ----------------------------------------------------------- */

struct ds_word ds_results_meaning(struct ds_results *r, const char *dataset, uint64_t value)
{
    struct ds_word out;
    const char *words = ds_results_attribute(r, dataset, "flag_meanings");
    for (uint64_t i = 0; words != NULL && i < value; i++) {
        words = strchr(words, ' ');
        words = words != NULL ? words + 1 : NULL;
    }
    if (words != NULL)
        snprintf(out.text, sizeof out.text, "%.*s", (int)strcspn(words, " "), words);
    else
        snprintf(out.text, sizeof out.text, "%llu", (unsigned long long)value);
    return out;
}

uint64_t ds_results_epoch_at(struct ds_results *r, int64_t time_ns)
{
    uint64_t epochs = ds_results_size(r, "epoch"), e = 0;
    struct dc_error error = {0};
    double end_s;
    for (; e < epochs; e++)
        if (ds_results_read(r, "/epochs/time_end", e, 1, DS_F64, &end_s, &error) != DC_OK ||
            (double)time_ns * 1e-9 < end_s)
            break;
    return e;
}

struct comparison {
    struct ds_results *a, *b;
    struct ds_text *what;
    bool differ;
};

static const char *dimension_of(const char *dataset)
{
    static const struct {
        const char *group, *dim;
    } groups[] = {{"/epochs/", "epoch"}, {"/node_epoch/", "epoch"},
                  {"/blocks/", "block"}, {"/challenges/", "challenge"},
                  {"/faults/", "fault"}, {"/traffic/", "message_kind"},
                  {"/digest/", "slice"}, {"/trace/", "event"}};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (strncmp(dataset, groups[i].group, strlen(groups[i].group)) == 0)
            return groups[i].dim;
    return NULL;
}

union number {
    double real;
    uint64_t whole;
};

static void compare_row(struct comparison *c, const char *dataset, uint64_t row,
                        const union number *a, const union number *b, uint64_t count, bool exact)
{
    for (uint64_t i = 0; i < count && !c->differ; i++) {
        double x = exact ? (double)a[i].whole : a[i].real;
        double y = exact ? (double)b[i].whole : b[i].real;
        if (exact ? a[i].whole == b[i].whole : x == y || (isnan(x) && isnan(y)))
            continue;
        ds_text_printf(c->what, "%s, row %llu: %.17g in the file, %.17g in the new run", dataset,
                       (unsigned long long)row, x, y);
        c->differ = true;
    }
}

static void compare_dataset(void *context, const char *dataset)
{
    struct comparison *c = context;
    const char *dim = dimension_of(dataset);
    if (c->differ || dim == NULL)
        return;
    uint64_t rows = ds_results_size(c->a, dim), rows_b = ds_results_size(c->b, dim);
    if (rows != rows_b) {
        ds_text_printf(c->what, "%s has %llu rows in the file and %llu in the new run", dataset,
                       (unsigned long long)rows, (unsigned long long)rows_b);
        c->differ = true;
        return;
    }
    /* Room for any second axis.  Read twice: money has more digits than a double, and NaN is no
     * integer. */
    uint64_t nodes = ds_results_size(c->a, "node"), wide = nodes > 16 ? nodes : 16;
    union number *a = dc_mem_need(2 * wide, sizeof *a, "values"), *b = a + wide;
    struct dc_error error = {0};
    bool good = true;
    for (uint64_t row = 0; row < rows && !c->differ && good; row++)
        for (int exact = 0; exact < 2 && !c->differ && good; exact++) {
            enum ds_type type = exact ? DS_U64 : DS_F64;
            memset(a, 0, 2 * wide * sizeof *a);
            good = ds_results_read(c->a, dataset, row, 1, type, a, &error) == DC_OK &&
                   ds_results_read(c->b, dataset, row, 1, type, b, &error) == DC_OK;
            if (good)
                compare_row(c, dataset, row, a, b, wide, exact);
        }
    dc_mem_free(a);
}

static void compare_summary(struct comparison *c)
{
    uint64_t count = ds_results_summary_count(c->a);
    struct dc_error error = {0};
    struct ds_scalar a, b;
    if (ds_results_summary_count(c->b) != count) {
        ds_text_add(c->what, "/summary has other numbers");
        c->differ = true;
        return;
    }
    for (uint64_t i = 0; i < count && !c->differ; i++) {
        if (ds_results_summary(c->a, i, &a, &error) != DC_OK ||
            ds_results_summary(c->b, i, &b, &error) != DC_OK)
            return;
        if (strcmp(a.name, b.name) == 0 && a.value.u64 == b.value.u64)
            continue;
        ds_text_printf(c->what, "/summary/%s", a.name);
        c->differ = true;
    }
}

bool ds_results_differ(struct ds_results *a, struct ds_results *b, struct ds_text *what)
{
    static const char *const groups[] = {"/epochs", "/node_epoch", "/blocks", "/challenges",
                                         "/faults", "/traffic",    "/digest"};
    struct comparison c = {a, b, what, false};
    struct dc_error error = {0};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0] && !c.differ; i++)
        if (ds_results_each(a, groups[i], compare_dataset, &c, &error) != DC_OK)
            error = (struct dc_error){0}; /* a group that was not recorded */
    if (!c.differ)
        compare_summary(&c);
    return c.differ;
}

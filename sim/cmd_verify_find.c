/* Where two runs part: slices of digests, then events, then any dataset.
 *
 *   /digest  slice 0 | 1 | 2 | 3 | 4      rolling digests of every node at each slice's end:
 *            same    = | = | # | # | #    equal up to the slice that holds the first difference
 *                            |
 *   events        e e e e [e e e] e       the slice again, with every event
 *
 * A rolling digest is a function of all events of a node up to there, in order.  Where the events
 * of both runs can be had, they are compared one by one (ds_events_differ).  Otherwise there are
 * one run's and, of the other, the digest of each node at the slice's end.  If that digest is one
 * that the node had after some earlier event, the other run lacks the events that follow, and the
 * first of these is named, as certainly different.  If there is none, the earliest event of the
 * slice among the nodes that differ is named: the difference is there or later. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/cmd_verify.h"

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
    int64_t end_a = 0, end_b = 0;
    enum dc_status status = ds_results_read(a, "/digest/digest", index, 1, DS_U64, row_a, error);
    if (status == DC_OK)
        status = ds_results_read(a, "/digest/time_end", index, 1, DS_I64, &end_a, error);
    if (status == DC_OK)
        status = ds_results_read(b, "/digest/time_end", index, 1, DS_I64, &end_b, error);
    if (status == DC_OK)
        status = ds_results_read(b, "/digest/digest", index, 1, DS_U64, row_b, error);
    *count = 0;
    for (uint64_t n = 0; status == DC_OK && n < nodes; n++)
        *count += row_a[n] != row_b[n] || end_a != end_b;
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

/* ---- events ---------------------------------------------------------------------------------- */

/* What is known of a node while a slice's events pass by. */
struct suspect {
    struct ds_event_seen first;  /* of the slice */
    struct ds_event_seen lacked; /* the first that the other run did not handle */
    bool seen, matched, lacks;
};

static bool earlier(const struct ds_event_seen *a, const struct ds_event_seen *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->node < b->node;
}

static void blame_event(struct suspect *s, const struct ds_event_seen *e, uint64_t other_digest)
{
    if (s->matched && !s->lacks) {
        s->lacked = *e;
        s->lacks = true;
    }
    if (!s->seen)
        s->first = *e;
    s->seen = true;
    if (!s->matched && e->rolling == other_digest)
        s->matched = true;
}

/* An event that certainly is missing, if there is one, else the earliest at which a node that
 * differs can have parted. */
static bool blame_earliest(const struct suspect *suspects, const struct ds_slice *slice,
                           bool *exact, struct ds_event_seen *out)
{
    bool found = false;
    *exact = false;
    for (uint64_t n = 0; n < slice->nodes; n++)
        *exact = *exact || (slice->differs[n] && suspects[n].lacks);
    for (uint64_t n = 0; n < slice->nodes; n++) {
        const struct suspect *s = &suspects[n];
        if (!slice->differs[n] || !(*exact ? s->lacks : s->seen))
            continue;
        const struct ds_event_seen *e = *exact ? &s->lacked : &s->first;
        if (!found || earlier(e, out))
            *out = *e;
        found = true;
    }
    return found;
}

bool ds_events_blame(const struct ds_events *events, const struct ds_slice *slice, bool *exact,
                     struct ds_event_seen *out)
{
    struct suspect *suspects = dc_mem_need(slice->nodes + 1, sizeof *suspects, "events");
    for (size_t i = 0; i < events->count; i++) {
        const struct ds_event_seen *e = &events->list[i];
        if (e->node < slice->nodes && slice->differs[e->node] && e->time_ns >= slice->from_ns &&
            e->time_ns < slice->until_ns)
            blame_event(&suspects[e->node], e, slice->digest[e->node]);
    }
    bool found = blame_earliest(suspects, slice, exact, out);
    dc_mem_free(suspects);
    return found;
}

bool ds_events_lead_to(const struct ds_events *events, const struct ds_slice *slice)
{
    bool *done = dc_mem_need(slice->nodes + 1, sizeof *done, "nodes"), good = !events->cut;
    for (size_t i = events->count; good && i > 0; i--) {
        const struct ds_event_seen *e = &events->list[i - 1];
        if (e->node >= slice->nodes || e->time_ns >= slice->until_ns || done[e->node])
            continue;
        done[e->node] = true;
        good = e->rolling == slice->digest[e->node];
    }
    dc_mem_free(done);
    return good;
}

/* ---- epochs, other datasets ----------------------------------------------------------- */

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
    const char *in_a, *in_b; /* what they are called */
    struct dc_text *what;
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
        dc_text_printf(c->what, "%s, row %llu: %.17g in %s, %.17g in %s", dataset,
                       (unsigned long long)row, x, c->in_a, y, c->in_b);
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
        dc_text_printf(c->what, "%s has %llu rows in %s and %llu in %s", dataset,
                       (unsigned long long)rows, c->in_a, (unsigned long long)rows_b, c->in_b);
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
        dc_text_add(c->what, "/summary has other numbers");
        c->differ = true;
        return;
    }
    for (uint64_t i = 0; i < count && !c->differ; i++) {
        if (ds_results_summary(c->a, i, &a, &error) != DC_OK ||
            ds_results_summary(c->b, i, &b, &error) != DC_OK)
            return;
        if (strcmp(a.name, b.name) == 0 && a.value.u64 == b.value.u64)
            continue;
        dc_text_printf(c->what, "/summary/%s", a.name);
        c->differ = true;
    }
}

bool ds_results_differ(struct ds_results *a, struct ds_results *b, const char *in_a,
                       const char *in_b, struct dc_text *what)
{
    static const char *const groups[] = {"/epochs", "/node_epoch", "/blocks", "/challenges",
                                         "/faults", "/traffic",    "/digest"};
    struct comparison c = {a, b, in_a, in_b, what, false};
    struct dc_error error = {0};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0] && !c.differ; i++)
        if (ds_results_each(a, groups[i], compare_dataset, &c, &error) != DC_OK)
            error = (struct dc_error){0}; /* a group that was not recorded */
    if (!c.differ)
        compare_summary(&c);
    return c.differ;
}

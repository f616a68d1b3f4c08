/* Half-space trees (Tan, Ting, Liu 2011): where few rows of the last window were, a row is strange.
 *
 *   rows as they come --> buffer --window full--> trees over it: the reference --> scores
 *
 *   tree    halves the work range of a column drawn at random, again and again; mass r of a node is
 *           how many of the window's rows fell into it
 *   work range of a column, in units of the window's own range: s -+ 2 max(s, 1 - s), s uniform
 *   score of a tree: r 2^depth at the first node with r <= limit of the rows, or at full depth
 *   score   = log2 of the largest sum there can be, less log2 of the sum over trees: how many
 *           doublings below the greatest density; >= 0, and comparable between windows
 *
 * t = 25, window 250, depth 15 and limit 0.1 are the paper's.  It draws trees once, over ranges that
 * are known, and counts a window into them.  Here ranges are not known, drift, and columns come and
 * go, so each full window draws its own trees; that also means that only nodes above the limit need
 * to be kept.  A table is never cut: the epoch of a chain with 250 nodes or more is one window.
 * Populations are apart.  A missing value is taken to be the median of its column in the window.
 *
 *   node  [middle, column, left, mass]   column LEAF: no further; the right child is left + 1 */
#include "models/anomaly/population.h"
#include "models/base/mem.h"
#include "models/base/rng.h"

#include <float.h>

_Static_assert(FLT_EVAL_METHOD == 0, "double arithmetic must round to double at each step");

#define HST_LEAF UINT32_MAX
enum { HST_DEPTH_MAX = 24, HST_TREES_MAX = 128 }; /* sums fit 64 bits */

struct hst_node {
    double middle;
    uint32_t column, left, mass, unused;
};
struct hst_group {
    double *buffer; /* [buffered][columns]: rows since the last full window */
    uint32_t buffered, room;
    uint32_t rows, trees, nodes; /* the reference: rows of its window; nodes 0: none yet */
    struct dc_fill *fill;
    struct hst_node *node; /* tree t begins at node[root[t]] */
    uint32_t *root;
};
struct hst {
    uint32_t columns;
    struct hst_group group[DC_GROUPS];
};

struct hst_range {
    double low, high;
};
struct hst_growth {
    struct hst_group *group;
    struct dc_stream stream;
    const double *value; /* [rows][live] */
    uint32_t *row;
    struct hst_range *work; /* [live]: of the node that is grown */
    uint32_t *choice;       /* columns with a range */
    uint32_t choices, depth, limit;
};

/* Depth of recursion: g->depth. */
static void hst_grow(struct hst_growth *g, uint32_t at, uint32_t *row, uint32_t n, uint32_t depth)
{
    struct hst_node *node = &g->group->node[at];
    *node = (struct hst_node){.column = HST_LEAF, .mass = n};
    if (n <= g->limit || depth >= g->depth || g->choices == 0)
        return;
    uint32_t live = g->group->fill->live, low = 0;
    uint32_t c = g->choice[dc_next_below(&g->stream, g->choices)];
    struct hst_range whole = g->work[c];
    double middle = (whole.low + whole.high) * 0.5;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t r = row[i];
        if (g->value[(size_t)r * live + c] < middle) {
            row[i] = row[low];
            row[low++] = r;
        }
    }
    node->middle = middle;
    node->column = c;
    node->left = g->group->nodes;
    g->group->nodes += 2;
    g->work[c].high = middle;
    hst_grow(g, node->left, row, low, depth + 1);
    g->work[c] = (struct hst_range){middle, whole.high};
    hst_grow(g, node->left + 1, row + low, n - low, depth + 1);
    g->work[c] = whole;
}

/* Nodes of a tree at most: on each level only those above the limit have children. */
static size_t hst_nodes_max(uint32_t rows, uint32_t depth, uint32_t limit)
{
    size_t nodes = 1;
    for (uint32_t level = 0; level < depth; level++) {
        size_t split = rows / ((size_t)limit + 1);
        if (split > (size_t)1 << level)
            split = (size_t)1 << level;
        nodes += 2 * split;
    }
    return nodes;
}

/* The range of a column in the window, not below the floor; low == high: none. */
static struct hst_range hst_range(const double *value, uint32_t rows, uint32_t live, uint32_t c,
                                  double floor)
{
    struct hst_range r = {value[c], value[c]};
    for (uint32_t i = 1; i < rows; i++) {
        double x = value[(size_t)i * live + c];
        r.low = x < r.low ? x : r.low;
        r.high = x > r.high ? x : r.high;
    }
    if (r.high - r.low < floor)
        r.high = r.low + floor;
    return r;
}

static void hst_plant(const struct dc_detector_config *config, const struct dc_table *table,
                      uint64_t seed, uint32_t number, struct hst_group *group)
{
    uint32_t n = group->buffered;
    dc_mem_free(group->fill);
    dc_mem_free(group->node);
    dc_mem_free(group->root);
    group->fill = dc_fill_make(group->buffer, table->columns, NULL, n);
    uint32_t live = group->fill->live;
    double *value = dc_mem_need((size_t)n * live + 1, sizeof *value, "half-space trees");
    struct hst_range *range = dc_mem_need(2 * (size_t)live + 1, sizeof *range, "half-space trees");
    uint32_t *order = dc_mem_need((size_t)n + live + 1, sizeof *order, "half-space trees");
    struct hst_growth g = {.group = group, .value = value, .row = order, .choice = order + n};
    g.stream = dc_stream(seed, dc_name_indexed("population", number), dc_name("half-space trees"));
    g.work = range + live;
    g.depth = config->hst_depth;
    g.limit = (uint32_t)(config->hst_limit * n);
    for (uint32_t i = 0; i < n; i++) {
        (void)dc_fill_row(group->fill, group->buffer + (size_t)i * table->columns,
                          value + (size_t)i * live);
        g.row[i] = i;
    }
    for (uint32_t c = 0; c < live; c++) {
        range[c] =
            hst_range(value, n, live, c, dc_table_floor(table, group->fill->column[c].column));
        if (range[c].high > range[c].low)
            g.choice[g.choices++] = c;
    }
    group->rows = n;
    group->trees = config->hst_trees;
    group->nodes = 0;
    group->root = dc_mem_need(group->trees, sizeof *group->root, "half-space trees");
    group->node = dc_mem_need(group->trees * hst_nodes_max(n, g.depth, g.limit),
                              sizeof *group->node, "half-space trees");
    for (uint32_t t = 0; t < group->trees; t++) {
        for (uint32_t c = 0; c < live; c++) {
            double s = (double)(dc_next64(&g.stream) >> 11) * 0x1p-53;
            double half = 2.0 * (s > 0.5 ? s : 1.0 - s), unit = range[c].high - range[c].low;
            g.work[c].low = range[c].low + (s - half) * unit;
            g.work[c].high = range[c].low + (s + half) * unit;
        }
        group->root[t] = group->nodes++;
        hst_grow(&g, group->root[t], g.row, n, 0);
    }
    struct hst_node *less = dc_mem_grow(group->node, group->nodes, sizeof *less);
    group->node = less != NULL ? less : group->node; /* bounds are rarely reached */
    dc_mem_free(order);
    dc_mem_free(range);
    dc_mem_free(value);
}

static void *hst_copy_block(const void *old, size_t count, size_t size)
{
    if (old == NULL)
        return NULL;
    void *copy = dc_mem_need(count, size, "half-space trees");
    if (count > 0)
        memcpy(copy, old, count * size);
    return copy;
}

static struct hst *hst_copy(const struct hst *old)
{
    struct hst *m = hst_copy_block(old, 1, sizeof *m);
    for (uint32_t i = 0; i < DC_GROUPS; i++) {
        struct hst_group *g = &m->group[i];
        g->room = g->buffered;
        g->buffer = hst_copy_block(g->buffer, (size_t)g->room * m->columns, sizeof *g->buffer);
        g->fill = g->fill == NULL ? NULL : dc_fill_copy(g->fill);
        g->node = hst_copy_block(g->node, g->nodes, sizeof *g->node);
        g->root = hst_copy_block(g->root, g->trees, sizeof *g->root);
    }
    return m;
}

/* Appends rows that have any value; row[n] are the table's. */
static void hst_append(struct hst_group *g, const struct dc_detector_config *config,
                       const struct dc_table *table, const uint32_t *row, uint32_t n)
{
    if (g->buffered + n > g->room) {
        uint32_t room = g->buffered + n;
        room = room > config->hst_window ? room : config->hst_window;
        double *larger = dc_mem_need((size_t)room * table->columns, sizeof *larger, "a window");
        if (g->buffered > 0)
            memcpy(larger, g->buffer, (size_t)g->buffered * table->columns * sizeof *larger);
        dc_mem_free(g->buffer);
        g->buffer = larger;
        g->room = room;
    }
    for (uint32_t i = 0; i < n; i++) {
        const double *x = dc_table_row(table, row[i]);
        bool any = false;
        for (uint32_t c = 0; c < table->columns; c++)
            any = any || !dc_missing(x[c]);
        if (any)
            memcpy(g->buffer + (size_t)g->buffered++ * table->columns, x,
                   table->columns * sizeof *x);
    }
}

static void hst_free(void *model)
{
    struct hst *m = model;
    for (uint32_t i = 0; m != NULL && i < DC_GROUPS; i++) {
        dc_mem_free(m->group[i].buffer);
        dc_mem_free(m->group[i].fill);
        dc_mem_free(m->group[i].node);
        dc_mem_free(m->group[i].root);
    }
    dc_mem_free(m);
}

static void *hst_learn(const struct dc_detector_config *config, void *before, bool keep,
                       const struct dc_table *table, uint64_t seed)
{
    DC_CHECK(config->hst_depth <= HST_DEPTH_MAX && config->hst_trees <= HST_TREES_MAX);
    struct hst *m = before == NULL ? dc_mem_need(1, sizeof *m, "half-space trees")
                    : keep         ? hst_copy(before)
                                   : before;
    m->columns = table->columns;
    struct dc_groups groups;
    dc_groups_make(&groups, table);
    for (uint32_t i = 0; i < DC_GROUPS; i++) {
        struct hst_group *g = &m->group[i];
        uint32_t n = dc_groups_size(&groups, i);
        if (n == 0)
            continue;
        hst_append(g, config, table, groups.row + groups.first[i], n);
        if (g->buffered == 0 || g->buffered < config->hst_window)
            continue;
        hst_plant(config, table, seed, i, g);
        g->buffered = 0;
        if (g->room > config->hst_window) { /* a whole table's: not worth keeping */
            dc_mem_free(g->buffer);
            g->buffer = NULL;
            g->room = 0;
        }
    }
    dc_groups_free(&groups);
    return m;
}

static uint64_t hst_density(const struct hst_group *g, const double *x)
{
    uint64_t sum = 0;
    for (uint32_t t = 0; t < g->trees; t++) {
        const struct hst_node *node = &g->node[g->root[t]];
        uint32_t depth = 0;
        for (; node->column != HST_LEAF; depth++)
            node = &g->node[node->left + !(x[node->column] < node->middle)];
        sum += (uint64_t)node->mass << depth;
    }
    return sum;
}

static void hst_score(const struct dc_detector_config *config, const void *model,
                      const struct dc_table *table, double *score)
{
    const struct hst *m = model;
    double *x = dc_mem_need(table->columns + 1u, sizeof *x, "anomaly scores");
    for (uint32_t i = 0; i < table->rows; i++) {
        const struct hst_group *g = m != NULL ? &m->group[dc_table_group(table, i)] : NULL;
        score[i] = DC_MISSING;
        if (g == NULL || g->nodes == 0 || !dc_table_present(table, i) ||
            !dc_fill_row(g->fill, dc_table_row(table, i), x))
            continue;
        uint64_t most = ((uint64_t)g->rows * g->trees) << config->hst_depth;
        uint32_t below = dc_log2_q16(most + 1) - dc_log2_q16(hst_density(g, x) + 1);
        score[i] = (double)below / 65536.0;
    }
    dc_mem_free(x);
}

static void hst_digest(struct dc_hasher *h, const void *model)
{
    const struct hst *m = model;
    for (uint32_t i = 0; m != NULL && i < DC_GROUPS; i++) {
        const struct hst_group *g = &m->group[i];
        if (g->buffered == 0 && g->nodes == 0)
            continue;
        dc_hasher_update64(h, i);
        dc_hasher_update64(h, (uint64_t)g->buffered << 32 | g->rows);
        for (size_t k = 0; k < (size_t)g->buffered * m->columns; k++)
            dc_digest_double(h, g->buffer[k]);
        if (g->nodes == 0)
            continue;
        dc_fill_digest(h, g->fill);
        for (uint32_t k = 0; k < g->nodes; k++) {
            dc_digest_double(h, g->node[k].middle);
            dc_hasher_update64(h, (uint64_t)g->node[k].column << 32 | g->node[k].left);
            dc_hasher_update64(h, g->node[k].mass);
        }
    }
}

static size_t hst_bytes(const void *model)
{
    const struct hst *m = model;
    size_t bytes = m != NULL ? sizeof *m : 0;
    for (uint32_t i = 0; m != NULL && i < DC_GROUPS; i++) {
        const struct hst_group *g = &m->group[i];
        bytes += (size_t)g->room * m->columns * sizeof *g->buffer + dc_fill_bytes(g->fill) +
                 g->trees * sizeof *g->root + g->nodes * sizeof *g->node;
    }
    return bytes;
}

const struct dc_detector_class dc_detector_hst = {
    .name = "hst",
    .meaning = "half-space trees: how little of the last window was near the row",
    .bit = DC_DETECTOR_HST,
    .score = hst_score,
    .learn = hst_learn,
    .digest = hst_digest,
    .bytes = hst_bytes,
    .free = hst_free,
};

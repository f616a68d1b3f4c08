/* Isolation forest (Liu, Ting, Zhou 2008): a row that few random cuts separate from all others is
 * strange.
 *
 *   tree     psi rows of the population, drawn without replacement; each node draws a column in
 *            which its rows differ and a value between their least and largest, and parts them there
 *            until one row is left, none differ, or depth is ceil(log2 psi)
 *   path     depth of the leaf a row falls into, + c(rows of the tree in that leaf)
 *   c(n)     = 2 H(n - 1) - 2 (n - 1) / n, the mean depth of a search in a random tree of n, with
 *            the harmonic number as a sum, not as a logarithm
 *   score    = height limit + c(psi) - mean path over the trees, >= 0
 *
 * The paper's 2^(-mean path / c(psi)) has the same order and would need a power.  t = 100 and
 * psi = 256 are the paper's.  Each group has its own forest, grown from the table learnt last.  A
 * missing value is taken to be the median that its group had in that table.
 *
 *   node  [value, column, left]   column LEAF: a leaf, value its path; the right child is left + 1
 *   tree t begins at node[root[t]] */
#include "models/anomaly/population.h"
#include "models/base/mem.h"
#include "models/base/rng.h"

#include <float.h>

_Static_assert(FLT_EVAL_METHOD == 0, "double arithmetic must round to double at each step");

#define IFOREST_LEAF UINT32_MAX

struct iforest_node {
    double value;
    uint32_t column, left;
};
struct iforest_forest {
    struct dc_fill *fill;
    struct iforest_node *node;
    uint32_t *root;
    uint32_t trees, nodes;
    double longest; /* no path is longer: height limit + c(psi) */
};
struct iforest {
    struct iforest_forest group[DC_GROUPS]; /* nodes 0: none */
};

struct iforest_growth {
    struct iforest_forest *forest;
    struct dc_stream stream;
    const double *value;      /* [rows][live], nothing missing */
    uint32_t *row, *column;   /* orders that draws shuffle: rows of a node lie together */
    const double *mean_depth; /* c */
    uint32_t height;
};

static double *iforest_mean_depth(uint32_t n_max)
{
    double *c = dc_mem_need(n_max + 1u, sizeof *c, "an isolation forest");
    double harmonic = 0.0; /* H(n - 1) */
    for (uint32_t n = 2; n <= n_max; n++) {
        harmonic += 1.0 / (n - 1.0);
        c[n] = 2.0 * harmonic - 2.0 * (n - 1.0) / n;
    }
    return c;
}

/* Draws a column in which the rows differ, and a cut: least <= cut < largest.  False: none. */
static bool iforest_cut(struct iforest_growth *g, const uint32_t *row, uint32_t n, uint32_t *column,
                        double *cut)
{
    uint32_t live = g->forest->fill->live;
    for (uint32_t k = 0; k < live; k++) {
        uint32_t j = k + (uint32_t)dc_next_below(&g->stream, live - k);
        uint32_t c = g->column[j];
        g->column[j] = g->column[k];
        g->column[k] = c;
        double least = g->value[(size_t)row[0] * live + c], largest = least;
        for (uint32_t i = 1; i < n; i++) {
            double x = g->value[(size_t)row[i] * live + c];
            least = x < least ? x : least;
            largest = x > largest ? x : largest;
        }
        if (!(largest > least))
            continue;
        double u = (double)(dc_next64(&g->stream) >> 11) * 0x1p-53;
        *cut = least + u * (largest - least);
        if (!(*cut >= least && *cut < largest)) /* rounding, or a range beyond all numbers */
            *cut = least;
        *column = c;
        return true;
    }
    return false;
}

/* Moves rows with value <= cut to the front; how many they are. */
static uint32_t iforest_part(const struct iforest_growth *g, uint32_t *row, uint32_t n,
                             uint32_t column, double cut)
{
    uint32_t live = g->forest->fill->live, low = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t r = row[i];
        if (g->value[(size_t)r * live + column] <= cut) {
            row[i] = row[low];
            row[low++] = r;
        }
    }
    return low;
}

/* Fills node `at` and what is below it.  Depth of recursion: the height limit. */
static void iforest_grow(struct iforest_growth *g, uint32_t at, uint32_t *row, uint32_t n,
                         uint32_t depth)
{
    struct iforest_node *node = &g->forest->node[at];
    uint32_t column;
    double cut;
    if (n <= 1 || depth >= g->height || !iforest_cut(g, row, n, &column, &cut)) {
        *node = (struct iforest_node){depth + g->mean_depth[n], IFOREST_LEAF, 0};
        return;
    }
    uint32_t low = iforest_part(g, row, n, column, cut), left = g->forest->nodes;
    g->forest->nodes += 2;
    *node = (struct iforest_node){cut, column, left};
    iforest_grow(g, left, row, low, depth + 1);
    iforest_grow(g, left + 1, row + low, n - low, depth + 1);
}

static void iforest_plant(const struct dc_detector_config *config, const struct dc_table *table,
                          const uint32_t *row, uint32_t n, uint64_t seed, uint32_t group,
                          struct iforest_forest *f)
{
    f->fill = dc_fill_make(table->value, table->columns, row, n);
    uint32_t live = f->fill->live, psi = n < config->iforest_sample ? n : config->iforest_sample;
    double *value = dc_mem_need((size_t)n * live + 1, sizeof *value, "an isolation forest");
    double *mean_depth = iforest_mean_depth(psi);
    uint32_t *order = dc_mem_need((size_t)n + live + 1, sizeof *order, "an isolation forest");
    struct iforest_growth g = {.forest = f, .value = value, .row = order, .column = order + n};
    g.stream = dc_stream(seed, dc_name_indexed("population", group), dc_name("isolation forest"));
    g.mean_depth = mean_depth;
    while ((1ull << g.height) < psi)
        g.height++;
    for (uint32_t i = 0; i < n; i++) {
        (void)dc_fill_row(f->fill, dc_table_row(table, row[i]), value + (size_t)i * live);
        g.row[i] = i;
    }
    for (uint32_t c = 0; c < live; c++)
        g.column[c] = c;
    f->trees = config->iforest_trees;
    f->longest = g.height + mean_depth[psi];
    f->root = dc_mem_need(f->trees, sizeof *f->root, "an isolation forest");
    f->node = dc_mem_need((size_t)f->trees * (2 * (size_t)psi - 1), sizeof *f->node,
                          "an isolation forest");
    for (uint32_t t = 0; t < f->trees; t++) {
        for (uint32_t i = 0; i < psi; i++) {
            uint32_t j = i + (uint32_t)dc_next_below(&g.stream, n - i), r = g.row[j];
            g.row[j] = g.row[i];
            g.row[i] = r;
        }
        f->root[t] = f->nodes++;
        iforest_grow(&g, f->root[t], g.row, psi, 0);
    }
    struct iforest_node *less = dc_mem_grow(f->node, f->nodes, sizeof *less);
    f->node = less != NULL ? less : f->node; /* most trees need fewer nodes than they may have */
    dc_mem_free(order);
    dc_mem_free(mean_depth);
    dc_mem_free(value);
}

static void iforest_free(void *model)
{
    struct iforest *m = model;
    for (uint32_t g = 0; m != NULL && g < DC_GROUPS; g++) {
        dc_mem_free(m->group[g].fill);
        dc_mem_free(m->group[g].root);
        dc_mem_free(m->group[g].node);
    }
    dc_mem_free(m);
}

static void *iforest_learn(const struct dc_detector_config *config, void *before, bool keep,
                           const struct dc_table *table, uint64_t seed)
{
    struct iforest *m = dc_mem_need(1, sizeof *m, "an isolation forest");
    struct dc_groups groups;
    dc_groups_make(&groups, table);
    for (uint32_t g = 0; g < DC_GROUPS; g++) {
        uint32_t n = dc_groups_size(&groups, g);
        if (n > 0 && n >= config->population_min)
            iforest_plant(config, table, groups.row + groups.first[g], n, seed, g, &m->group[g]);
    }
    dc_groups_free(&groups);
    if (!keep)
        iforest_free(before);
    return m;
}

static double iforest_path(const struct iforest_node *node, uint32_t at, const double *x)
{
    while (node[at].column != IFOREST_LEAF)
        at = node[at].left + (x[node[at].column] > node[at].value);
    return node[at].value;
}

/* Rows by blocks, trees within: a block's values and a tree fit the nearest cache. */
static void iforest_score_group(const struct iforest_forest *f, const struct dc_table *table,
                                const uint32_t *row, uint32_t n, double *x, double *score)
{
    enum { BLOCK = 128 };
    uint32_t live = f->fill->live;
    for (uint32_t from = 0; from < n; from += BLOCK) {
        uint32_t count = n - from < BLOCK ? n - from : BLOCK;
        bool there[BLOCK];
        double sum[BLOCK] = {0};
        for (uint32_t i = 0; i < count; i++)
            there[i] =
                dc_fill_row(f->fill, dc_table_row(table, row[from + i]), x + (size_t)i * live);
        for (uint32_t t = 0; t < f->trees; t++)
            for (uint32_t i = 0; i < count; i++)
                sum[i] += iforest_path(f->node, f->root[t], x + (size_t)i * live);
        for (uint32_t i = 0; i < count; i++) {
            double s = f->longest - sum[i] / f->trees;
            score[row[from + i]] = !there[i] ? DC_MISSING : s > 0.0 ? s : 0.0;
        }
    }
}

static void iforest_score(const struct dc_detector_config *config, const void *model,
                          const struct dc_table *table, double *score)
{
    const struct iforest *m = model;
    for (uint32_t i = 0; i < table->rows; i++)
        score[i] = DC_MISSING;
    if (m == NULL || config->iforest_trees == 0)
        return;
    struct dc_groups groups;
    dc_groups_make(&groups, table);
    double *x = dc_mem_need((size_t)128 * table->columns + 1, sizeof *x, "anomaly scores");
    for (uint32_t g = 0; g < DC_GROUPS; g++)
        if (m->group[g].nodes > 0)
            iforest_score_group(&m->group[g], table, groups.row + groups.first[g],
                                dc_groups_size(&groups, g), x, score);
    dc_mem_free(x);
    dc_groups_free(&groups);
}

static void iforest_digest(struct dc_hasher *h, const void *model)
{
    const struct iforest *m = model;
    for (uint32_t g = 0; m != NULL && g < DC_GROUPS; g++) {
        const struct iforest_forest *f = &m->group[g];
        if (f->nodes == 0)
            continue;
        dc_hasher_update64(h, g);
        dc_fill_digest(h, f->fill);
        for (uint32_t i = 0; i < f->nodes; i++) {
            dc_digest_double(h, f->node[i].value);
            dc_hasher_update64(h, (uint64_t)f->node[i].column << 32 | f->node[i].left);
        }
    }
}

static size_t iforest_bytes(const void *model)
{
    const struct iforest *m = model;
    size_t bytes = m != NULL ? sizeof *m : 0;
    for (uint32_t g = 0; m != NULL && g < DC_GROUPS; g++)
        bytes += dc_fill_bytes(m->group[g].fill) + m->group[g].trees * sizeof *m->group[g].root +
                 m->group[g].nodes * sizeof *m->group[g].node;
    return bytes;
}

const struct dc_detector_class dc_detector_iforest = {
    .name = "iforest",
    .meaning = "isolation forest: how few random cuts part the row from its population",
    .bit = DC_DETECTOR_IFOREST,
    .of_last = true,
    .score = iforest_score,
    .learn = iforest_learn,
    .digest = iforest_digest,
    .bytes = iforest_bytes,
    .free = iforest_free,
};

/* Distance to the k-th nearest neighbour (Ramaswamy, Rastogi, Shim 2000): a row far from all rows
 * that were seen before is strange, whatever the shape of what is usual.  Over embedded time series
 * (series.h) it is the measure of KNN-CAD (Burnaev and Ishimtsev 2016, arXiv:1608.04585), here with
 * a plain scale for each column.
 *
 *   d(x, y) = sqrt( columns / both * sum over columns that both have of ((x - y) / scale)^2 )
 *   scale   = standard deviation of the column over all rows learnt, or the floor if it is larger
 *
 * With nothing learnt the other rows of the same table are the candidates.  Else those learnt are:
 * the newest knn_window of them, less the newest knn_gap, because what is close in time is alike
 * without being usual (Theiler 1986).  Only rows of the same group are neighbours.  A row cannot be
 * judged before there are max(k, population_min) candidates.
 *
 *   ring   [row 4097][row 4098][row 3] ... [row 4096]     the oldest row is overwritten
 *
 * O(rows kept) for each row scored: too dear for a chain, hence no bit. */
#include "models/anomaly/population.h"
#include "models/base/mem.h"

#include <float.h>
#include <math.h>

_Static_assert(FLT_EVAL_METHOD == 0, "double arithmetic must round to double at each step");

enum { KNN_NEIGHBOURS_MAX = 64 };

/* Running moments of a column (Welford 1962). */
struct knn_column {
    double count, mean, squares;
};
struct knn {
    uint32_t columns;
    uint32_t size, size_max; /* rows in the ring */
    uint32_t next;           /* where the next one goes */
    struct knn_column *column;
    double *value;  /* [size_max][columns] */
    uint8_t *group; /* [size_max] */
};

/* The rows that are compared with, and by what. */
struct knn_search {
    const double *value, *scale;
    const uint8_t *group; /* NULL: all 0 */
    const uint8_t *present;
    uint32_t rows, columns;
    uint32_t skip, skip_count; /* rows that are no candidates, from `skip` on, round the end */
    uint32_t k;
};

static void knn_column_add(struct knn_column *m, double x)
{
    double d = x - m->mean;
    m->count += 1.0;
    m->mean += d / m->count;
    m->squares += d * (x - m->mean);
}

static void knn_columns_add(struct knn_column *column, const struct dc_table *t)
{
    for (uint32_t row = 0; row < t->rows; row++) {
        const double *x = dc_table_row(t, row);
        for (uint32_t c = 0; dc_table_present(t, row) && c < t->columns; c++)
            if (!dc_missing(x[c]))
                knn_column_add(&column[c], x[c]);
    }
}

static double *knn_scales(const struct knn_column *column, const struct dc_table *t)
{
    double *scale = dc_mem_need(t->columns + 1, sizeof *scale, "a detector of neighbours");
    for (uint32_t c = 0; c < t->columns; c++) {
        double variance = column[c].count > 0 ? column[c].squares / column[c].count : 0.0;
        double deviation = sqrt(variance), floor = dc_table_floor(t, c);
        scale[c] = deviation > floor ? deviation : floor;
    }
    return scale;
}

/* Square of the distance, or missing; cut short above `enough`. */
static double knn_distance(const struct knn_search *s, const double *x, const double *y,
                           double enough)
{
    double sum = 0;
    uint32_t both = 0;
    for (uint32_t c = 0; c < s->columns; c++) {
        if (dc_missing(x[c]) || dc_missing(y[c]))
            continue;
        double d = x[c] - y[c];
        d = dc_detector_ratio(d < 0 ? -d : d, s->scale[c]);
        sum += d < 1e30 ? d * d : 1e60; /* never infinite */
        both++;
        if (sum > enough) /* a factor of at least 1 is still to come */
            return sum;
    }
    return both == 0 ? DC_MISSING : sum * ((double)s->columns / both);
}

/* The candidate's place among the rows that are skipped, or skip_count and more. */
static uint32_t knn_skipped(const struct knn_search *s, uint32_t i)
{
    return i >= s->skip ? i - s->skip : i + s->rows - s->skip;
}

static double knn_row(const struct dc_detector_config *config, const struct knn_search *s,
                      const double *x, uint8_t group)
{
    double best[KNN_NEIGHBOURS_MAX]; /* ascending */
    uint32_t found = 0, candidates = 0;
    for (uint32_t i = 0; i < s->rows; i++) {
        if ((s->group != NULL ? s->group[i] : 0) != group || knn_skipped(s, i) < s->skip_count ||
            (s->present != NULL && !s->present[i]))
            continue;
        double d = knn_distance(s, x, s->value + (size_t)i * s->columns,
                                found == s->k ? best[found - 1] : DBL_MAX);
        if (dc_missing(d))
            continue;
        candidates++;
        if (found == s->k && d >= best[found - 1])
            continue;
        uint32_t at = found < s->k ? found++ : found - 1;
        for (; at > 0 && best[at - 1] > d; at--)
            best[at] = best[at - 1];
        best[at] = d;
    }
    return found < s->k || candidates < config->population_min ? DC_MISSING : sqrt(best[s->k - 1]);
}

static uint32_t knn_k(const struct dc_detector_config *config)
{
    uint32_t k = config->knn_neighbours;
    return k < 1 ? 1 : k > KNN_NEIGHBOURS_MAX ? KNN_NEIGHBOURS_MAX : k;
}

static void knn_score(const struct dc_detector_config *config, const void *model,
                      const struct dc_table *table, double *score)
{
    const struct knn *m = model;
    struct knn_column *own = NULL;
    struct knn_search s = {.columns = table->columns, .k = knn_k(config)};
    if (m == NULL) {
        own = dc_mem_need(table->columns + 1, sizeof *own, "a detector of neighbours");
        knn_columns_add(own, table);
        s.value = table->value;
        s.group = table->group;
        s.present = table->present;
        s.rows = table->rows;
        s.skip_count = 1; /* the row itself */
    } else {
        s.value = m->value;
        s.group = m->group;
        s.rows = m->size;
        s.skip_count = config->knn_gap < m->size ? config->knn_gap : m->size;
        s.skip = m->size > 0 ? (m->next + m->size - s.skip_count) % m->size : 0;
    }
    double *scale = knn_scales(m == NULL ? own : m->column, table);
    s.scale = scale;
    for (uint32_t row = 0; row < table->rows; row++) {
        if (m == NULL)
            s.skip = row;
        score[row] = dc_table_present(table, row)
                         ? knn_row(config, &s, dc_table_row(table, row), dc_table_group(table, row))
                         : DC_MISSING;
    }
    dc_mem_free(scale);
    dc_mem_free(own);
}

static struct knn *knn_create(const struct dc_detector_config *config, uint32_t columns)
{
    struct knn *m = dc_mem_need(1, sizeof *m, "a detector of neighbours");
    m->columns = columns;
    m->size_max = config->knn_window > 0 ? config->knn_window : 1;
    m->column = dc_mem_need(columns + 1, sizeof *m->column, "a detector of neighbours");
    m->value = dc_mem_need((size_t)m->size_max * columns + 1, sizeof *m->value, "neighbours");
    m->group = dc_mem_need(m->size_max, sizeof *m->group, "neighbours");
    return m;
}

static struct knn *knn_copy(const struct dc_detector_config *config, const struct knn *from)
{
    struct knn *m = knn_create(config, from->columns);
    DC_CHECK(m->size_max == from->size_max);
    memcpy(m->column, from->column, from->columns * sizeof *m->column);
    memcpy(m->value, from->value, (size_t)from->size * from->columns * sizeof *m->value);
    memcpy(m->group, from->group, from->size);
    m->size = from->size;
    m->next = from->next;
    return m;
}

static void *knn_learn(const struct dc_detector_config *config, void *before, bool keep,
                       const struct dc_table *table, uint64_t seed)
{
    struct knn *m = before;
    if (m == NULL)
        m = knn_create(config, table->columns);
    else if (keep)
        m = knn_copy(config, m);
    DC_CHECK(m->columns == table->columns);
    knn_columns_add(m->column, table);
    for (uint32_t row = 0; row < table->rows; row++) {
        if (!dc_table_present(table, row))
            continue;
        memcpy(m->value + (size_t)m->next * m->columns, dc_table_row(table, row),
               m->columns * sizeof *m->value);
        m->group[m->next] = dc_table_group(table, row);
        m->next = m->next + 1 < m->size_max ? m->next + 1 : 0;
        m->size += m->size < m->size_max;
    }
    return m;
}

static void knn_digest(struct dc_hasher *h, const void *model)
{
    const struct knn *m = model;
    if (m == NULL)
        return;
    dc_hasher_update64(h, m->next);
    for (uint32_t c = 0; c < m->columns; c++) {
        dc_digest_double(h, m->column[c].count);
        dc_digest_double(h, m->column[c].mean);
        dc_digest_double(h, m->column[c].squares);
    }
    for (size_t i = 0; i < (size_t)m->size * m->columns; i++)
        dc_digest_double(h, m->value[i]);
    dc_hasher_update(h, m->group, m->size);
}

static size_t knn_bytes(const void *model)
{
    const struct knn *m = model;
    if (m == NULL)
        return 0;
    return sizeof *m + m->columns * sizeof *m->column +
           m->size_max * (m->columns * sizeof *m->value + sizeof *m->group);
}

static void knn_free(void *model)
{
    struct knn *m = model;
    if (m == NULL)
        return;
    dc_mem_free(m->column);
    dc_mem_free(m->value);
    dc_mem_free(m->group);
    dc_mem_free(m);
}

const struct dc_detector_class dc_detector_knn = {
    .name = "knn",
    .meaning = "distance to the k-th nearest of the rows seen before",
    .score = knn_score,
    .learn = knn_learn,
    .digest = knn_digest,
    .bytes = knn_bytes,
    .free = knn_free,
};

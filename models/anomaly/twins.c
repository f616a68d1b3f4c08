/* One row for each node that was measured in the last 32 epochs, in the order of ids:
 *
 *   row   node | seen: a bit per column | value[32]      column = epoch mod 32
 *
 * A value is a time for a sample over the median of its population in that epoch, in 2^-11 of a
 * doubling, within eight doublings, above 0, which says that
 * there is none; so a row is 72 bytes and two rows are compared as four vectors.  Columns are
 * calendar epochs and not "the last so many answers": then rows need no alignment, and the
 * comparison has no branches.
 *
 * Only nodes measured in the newest epoch are compared, with each other: who was not asked has
 * nothing new to say.
 *
 * At least six common epochs: of m nodes with independent residuals of deviation s the nearest to a
 * node is at a mean distance of about s m^(-1/c) after c epochs, which for three epochs and a
 * thousand nodes is nearer than twins are; for six it is a third of s.
 *
 * A difference counts a quarter of a doubling at most: an answer that waited (for the machine's other
 * identities, at the verifier, for a lost packet) proves nothing, and a tenth of them waits for twice
 * its time.  In simulated farms the mean |difference| uncapped does not tell twins at all. */
#include "models/anomaly/twins.h"

#include "models/anomaly/detector.h"
#include "models/base/mem.h"
#include "models/base/rng.h"

#define TWINS_UNIT_BITS 11 /* 2^-11 of a doubling */
#define TWINS_MIDDLE 16384
#define TWINS_VALUE_MAX 32767
#define TWINS_APART_MAX 512
#define TWINS_LANES 8

struct twins_row {
    uint32_t node, seen;
    int16_t value[DC_TWINS_EPOCHS]; /* 0: not measured */
};

struct dc_twins {
    uint32_t rows;
    uint64_t epochs; /* the newest + 1 */
    struct dc_hash digest;
    struct twins_row *row;
};

static void twins_seal(struct dc_twins *t)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_SCORE);
    dc_hasher_update64(&h, t->epochs);
    dc_hasher_update64(&h, t->rows);
    for (uint32_t i = 0; i < t->rows; i++) {
        uint8_t text[8 + 2 * DC_TWINS_EPOCHS];
        dc_put32(text, t->row[i].node);
        dc_put32(text + 4, t->row[i].seen);
        for (uint32_t c = 0; c < DC_TWINS_EPOCHS; c++)
            dc_put16(text + 8 + (size_t)2 * c, (uint16_t)t->row[i].value[c]);
        dc_hasher_update(&h, text, sizeof text);
    }
    t->digest = dc_hasher_final(&h);
}

static struct dc_twins *twins_new(uint32_t rows_max)
{
    struct dc_twins *t = dc_mem_need(1, sizeof *t, "response times of nodes");
    if (rows_max != 0)
        t->row = dc_mem_need(rows_max, sizeof *t->row, "response times of nodes");
    return t;
}

struct dc_twins *dc_twins_create(void)
{
    struct dc_twins *t = twins_new(0);
    twins_seal(t);
    return t;
}

/* The columns of the epochs [from, to). */
static uint32_t twins_columns(uint64_t from, uint64_t to)
{
    if (to - from >= DC_TWINS_EPOCHS)
        return UINT32_MAX;
    uint32_t bits = 0;
    for (; from < to; from++)
        bits |= 1u << from % DC_TWINS_EPOCHS;
    return bits;
}

static bool twins_measured(const struct dc_features *f)
{
    return f->present && f->work != DC_FEATURE_NONE;
}

static int16_t twins_quantum(uint32_t work, uint32_t median)
{
    int64_t v = TWINS_MIDDLE + (((int64_t)work - median) >> (16 - TWINS_UNIT_BITS));
    return (int16_t)(v < 1 ? 1 : v > TWINS_VALUE_MAX ? TWINS_VALUE_MAX : v);
}

/* `old` (NULL: none) without the columns `forget`, into *out; false when nothing is left. */
static bool twins_keep(const struct twins_row *old, uint32_t forget, struct twins_row *out)
{
    if (old == NULL || (old->seen & ~forget) == 0)
        return false;
    *out = *old;
    out->seen &= ~forget;
    for (uint32_t gone = old->seen & forget; gone != 0; gone &= gone - 1)
        out->value[__builtin_ctz(gone)] = 0;
    return true;
}

/* The median work of each population's measured nodes; 0 of none. */
static void twins_medians(const struct dc_features *features, uint32_t nodes,
                          uint32_t median[UINT8_MAX + 1])
{
    uint32_t first[UINT8_MAX + 2] = {0};
    for (uint32_t id = 0; id < nodes; id++)
        first[features[id].population + 1] += twins_measured(&features[id]);
    for (uint32_t p = 0; p <= UINT8_MAX; p++)
        first[p + 1] += first[p];
    double *work = dc_mem_need(first[UINT8_MAX + 1] + 1, sizeof *work, "response times of nodes");
    uint32_t end[UINT8_MAX + 1];
    memcpy(end, first, sizeof end);
    for (uint32_t id = 0; id < nodes; id++)
        if (twins_measured(&features[id]))
            work[end[features[id].population]++] = (double)features[id].work;
    for (uint32_t p = 0; p <= UINT8_MAX; p++)
        median[p] = end[p] == first[p]
                        ? 0
                        : (uint32_t)dc_detector_median(work + first[p], end[p] - first[p]);
    dc_mem_free(work);
}

/* before's rows and the newly measured ones, merged in the order of ids. */
static struct dc_twins *twins_advance(const struct dc_twins *before,
                                      const struct dc_features *features, uint32_t nodes,
                                      uint64_t epoch)
{
    uint32_t measured = 0, at = 0, median[UINT8_MAX + 1];
    twins_medians(features, nodes, median);
    for (uint32_t id = 0; id < nodes; id++)
        measured += twins_measured(&features[id]);
    struct dc_twins *t = twins_new(before->rows + measured);
    uint32_t forget = twins_columns(before->epochs, epoch + 1), column = epoch % DC_TWINS_EPOCHS;
    t->epochs = epoch + 1;
    for (uint32_t id = 0; id < nodes; id++) {
        bool now = twins_measured(&features[id]);
        bool known = at < before->rows && before->row[at].node == id;
        if (!now && !known)
            continue;
        struct twins_row *row = &t->row[t->rows];
        bool kept = twins_keep(known ? &before->row[at] : NULL, forget, row);
        at += known;
        if (now) {
            row->node = id;
            row->seen |= 1u << column;
            row->value[column] = twins_quantum(features[id].work, median[features[id].population]);
        }
        t->rows += now || kept;
    }
    DC_CHECK(at == before->rows); /* nodes are never taken away */
    return t;
}

typedef int16_t twins_vector __attribute__((vector_size(2 * TWINS_LANES)));

static uint32_t twins_apart(const struct twins_row *a, const struct twins_row *b)
{
    twins_vector sum = {0};
    for (uint32_t i = 0; i < DC_TWINS_EPOCHS; i += TWINS_LANES) {
        twins_vector x, y;
        memcpy(&x, a->value + i, sizeof x);
        memcpy(&y, b->value + i, sizeof y);
        twins_vector both = (x != 0) & (y != 0), d = x - y;
        d = (d ^ (d >> 15)) - (d >> 15);
        twins_vector over = d > TWINS_APART_MAX;
        sum += ((d & ~over) | (TWINS_APART_MAX & over)) & both;
    }
    uint32_t total = 0;
    for (uint32_t i = 0; i < TWINS_LANES; i++)
        total += (uint32_t)sum[i];
    return total;
}

struct twins_best { /* the nearest so far; common 0: none */
    uint32_t apart, common;
};

static void twins_nearer(struct twins_best *best, uint32_t apart, uint32_t common)
{
    if (best->common == 0 || (uint64_t)apart * best->common < (uint64_t)best->apart * common)
        *best = (struct twins_best){apart, common};
}

/* Every pair of row[count], a population. */
static void twins_compare(const struct twins_row *row, struct twins_best *best, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++) {
            uint32_t common = (uint32_t)__builtin_popcount(row[i].seen & row[j].seen);
            if (common < DC_TWINS_COMMON)
                continue;
            uint32_t apart = twins_apart(&row[i], &row[j]);
            twins_nearer(&best[i], apart, common);
            twins_nearer(&best[j], apart, common);
        }
}

/* One unit is added to the mean, so that no difference at all has a logarithm. */
static uint32_t twins_feature(struct twins_best best)
{
    if (best.common == 0)
        return DC_FEATURE_NONE;
    return DC_FEATURE_MIDDLE + dc_log2_q16((uint64_t)best.apart + best.common) -
           dc_log2_q16(best.common) - (TWINS_UNIT_BITS << 16);
}

/* The values of a row in another order; those that are missing stay missing. */
static void twins_permute(struct twins_row *row, uint64_t seed)
{
    struct dc_stream s = dc_stream(seed, dc_mix64(row->node), dc_name("twins"));
    uint8_t column[DC_TWINS_EPOCHS];
    uint32_t n = 0;
    for (uint32_t seen = row->seen; seen != 0; seen &= seen - 1)
        column[n++] = (uint8_t)__builtin_ctz(seen);
    for (; n > 1; n--) {
        uint32_t other = column[dc_next_below(&s, n)], last = column[n - 1];
        int16_t v = row->value[last];
        row->value[last] = row->value[other];
        row->value[other] = v;
    }
}

/* The rows measured in the newest epoch, by population: row[first[p]] .. row[first[p + 1] - 1]. */
struct twins_now {
    struct twins_row *row;
    struct twins_best *best;
    uint32_t first[UINT8_MAX + 2];
};

static void twins_gather(struct twins_now *now, const struct dc_twins *t,
                         const struct dc_features *features, uint32_t column)
{
    uint32_t *first = now->first, end[UINT8_MAX + 1];
    memset(now->first, 0, sizeof now->first);
    for (uint32_t i = 0; i < t->rows; i++)
        first[features[t->row[i].node].population + 1] += t->row[i].seen >> column & 1;
    for (uint32_t p = 0; p <= UINT8_MAX; p++)
        first[p + 1] += first[p];
    memcpy(end, first, sizeof end);
    uint32_t count = first[UINT8_MAX + 1];
    now->row = dc_mem_need(count + 1, sizeof *now->row, "nearest neighbours");
    now->best = dc_mem_need(count + 1, sizeof *now->best, "nearest neighbours");
    for (uint32_t i = 0; i < t->rows; i++)
        if (t->row[i].seen >> column & 1)
            now->row[end[features[t->row[i].node].population]++] = t->row[i];
}

static void twins_nearest(struct twins_now *now)
{
    memset(now->best, 0, now->first[UINT8_MAX + 1] * sizeof *now->best);
    for (uint32_t p = 0; p <= UINT8_MAX; p++)
        twins_compare(now->row + now->first[p], now->best + now->first[p],
                      now->first[p + 1] - now->first[p]);
}

struct dc_twins *dc_twins_next(const struct dc_twins *before, struct dc_features *features,
                               uint32_t nodes, uint64_t epoch, uint64_t seed)
{
    DC_CHECK(epoch >= before->epochs);
    struct dc_twins *t = twins_advance(before, features, nodes, epoch);
    struct twins_now now;
    twins_gather(&now, t, features, epoch % DC_TWINS_EPOCHS);
    uint32_t count = now.first[UINT8_MAX + 1];
    for (uint32_t id = 0; id < nodes; id++)
        features[id].value[DC_FEATURE_TWIN] = features[id].null[DC_RELATION_TWIN] = DC_FEATURE_NONE;
    twins_nearest(&now);
    for (uint32_t i = 0; i < count; i++)
        features[now.row[i].node].value[DC_FEATURE_TWIN] = twins_feature(now.best[i]);
    for (uint32_t i = 0; i < count; i++)
        twins_permute(&now.row[i], seed);
    twins_nearest(&now);
    for (uint32_t i = 0; i < count; i++)
        features[now.row[i].node].null[DC_RELATION_TWIN] = twins_feature(now.best[i]);
    dc_mem_free(now.row);
    dc_mem_free(now.best);
    twins_seal(t);
    return t;
}

struct dc_hash dc_twins_digest(const struct dc_twins *t)
{
    return t->digest;
}

size_t dc_twins_bytes(const struct dc_twins *t)
{
    return sizeof *t + t->rows * sizeof *t->row;
}

void dc_twins_drop(struct dc_twins *t)
{
    if (t == NULL)
        return;
    dc_mem_free(t->row);
    dc_mem_free(t);
}

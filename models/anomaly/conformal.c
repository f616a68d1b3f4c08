/* The node itself is excluded by counting twice: how many scores of the whole window reach its
 * own (binary search in the sorted window), less how many of its own past ones do.  For the latter
 * the window's scores lie grouped by node:
 *
 *   own     [s s s | | s s | ...]           scores of node 0, 1, 2 ...
 *   first   [ 0 | 0 3 3 ... ]               where each group begins, one place late */
#include "models/anomaly/conformal.h"

#include "models/anomaly/combine.h"
#include "models/base/mem.h"

#include <stdatomic.h>

struct dc_batch {
    _Atomic uint32_t refs;
    uint32_t count;
    struct dc_hash digest; /* of the entries */
    struct dc_batch_entry {
        uint32_t node, score;
    } entry[];
};

uint64_t dc_window_needed(const struct dc_params *params, uint32_t nodes)
{
    uint64_t flags = nodes < 400 ? 1 : nodes / 200;
    uint64_t each = params->fdr * flags;
    if (each == 0)
        return UINT64_MAX;
    uint64_t need =
        dc_combine_factor(params->combine, dc_detectors_on(params), (uint64_t)nodes << 31);
    return (need + each - 1) / each;
}

uint64_t dc_window_least(const struct dc_params *params, uint32_t nodes)
{
    uint64_t least = params->anomaly_window;
    if (least == 0)
        least = params->fdr == 0 ? 1 : dc_window_needed(params, nodes);
    return least < DC_WINDOW_LEAST_MAX ? least : DC_WINDOW_LEAST_MAX;
}

static struct dc_batch *conformal_batch(const uint32_t *score, uint32_t nodes)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < nodes; i++)
        count += score[i] != DC_SCORE_NONE;
    if (count == 0)
        return NULL;
    struct dc_batch *b =
        dc_mem_need(1, sizeof *b + count * sizeof b->entry[0], "an epoch's anomaly scores");
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_SCORE);
    atomic_init(&b->refs, 1);
    for (uint32_t i = 0; i < nodes; i++) {
        if (score[i] == DC_SCORE_NONE)
            continue;
        uint8_t text[8];
        dc_put32(text, i);
        dc_put32(text + 4, score[i]);
        dc_hasher_update(&h, text, sizeof text);
        b->entry[b->count++] = (struct dc_batch_entry){i, score[i]};
    }
    b->digest = dc_hasher_final(&h);
    return b;
}

struct dc_window dc_window_next(const struct dc_window *before, const uint32_t *score,
                                uint32_t nodes, uint64_t least)
{
    struct dc_batch *newest = conformal_batch(score, nodes);
    uint32_t count = before->count + (newest != NULL), first = 0;
    uint64_t total = before->total + (newest != NULL ? (uint64_t)newest->count : 0);
    /* A node has at most one score in a batch: without the oldest, what is left to it is at least
     * total - oldest - (batches left).  The second bound is for worlds of one or two nodes. */
    while (first < before->count) {
        uint64_t rest = total - before->batch[first]->count;
        if (rest < least + (count - first - 1) && rest < 2 * least)
            break;
        total = rest;
        first++;
    }
    struct dc_window w = {.count = count - first, .total = (uint32_t)total};
    if (w.count == 0)
        return w;
    w.batch = dc_mem_need(w.count, sizeof(struct dc_batch *), "the window of anomaly scores");
    for (uint32_t i = first; i < before->count; i++) {
        atomic_fetch_add_explicit(&before->batch[i]->refs, 1, memory_order_relaxed);
        w.batch[i - first] = before->batch[i];
    }
    if (newest != NULL)
        w.batch[w.count - 1] = newest;
    return w;
}

void dc_window_drop(struct dc_window *window)
{
    for (uint32_t i = 0; i < window->count; i++)
        if (atomic_fetch_sub_explicit(&window->batch[i]->refs, 1, memory_order_acq_rel) == 1)
            dc_mem_free(window->batch[i]);
    dc_mem_free(window->batch);
    *window = (struct dc_window){0};
}

void dc_window_digest(struct dc_hasher *h, const struct dc_window *window)
{
    dc_hasher_update64(h, window->count);
    for (uint32_t i = 0; i < window->count; i++)
        dc_hasher_update(h, window->batch[i]->digest.b, DC_HASH_BYTES);
}

/* How many of v[n], ascending, are at least x. */
static uint32_t conformal_reach(const uint32_t *v, uint32_t n, uint32_t x)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (v[mid] < x)
            low = mid + 1;
        else
            high = mid;
    }
    return n - low;
}

/* Fills all[total] with every score, and own with those grouped by node: group i lies in
 * [first[i + 1], first[i + 2]), because it is filled from its end.  first[nodes + 2] begins as
 * zeros. */
static void conformal_gather(const struct dc_window *w, uint32_t nodes, uint32_t *all,
                             uint32_t *own, uint32_t *first)
{
    uint32_t n = 0;
    for (uint32_t b = 0; b < w->count; b++)
        for (uint32_t e = 0; e < w->batch[b]->count; e++) {
            const struct dc_batch_entry *entry = &w->batch[b]->entry[e];
            all[n++] = entry->score;
            if (entry->node < nodes)
                first[entry->node + 1]++;
        }
    for (uint32_t i = 0; i < nodes; i++)
        first[i + 1] += first[i]; /* the end of group i */
    first[nodes + 1] = first[nodes];
    for (uint32_t b = 0; b < w->count; b++)
        for (uint32_t e = 0; e < w->batch[b]->count; e++) {
            const struct dc_batch_entry *entry = &w->batch[b]->entry[e];
            if (entry->node < nodes)
                own[--first[entry->node + 1]] = entry->score;
        }
}

void dc_window_pvalues(const struct dc_window *window, const uint32_t *score, uint32_t nodes,
                       uint64_t least, struct dc_pvalue *p)
{
    uint32_t total = window->total;
    uint32_t *all = dc_mem_need(3 * (size_t)total + nodes + 2, sizeof *all, "anomaly p-values");
    uint32_t *own = all + 2 * (size_t)total, *first = own + total;
    conformal_gather(window, nodes, all, own, first);
    dc_detector_sort(all, all + total, total);
    for (uint32_t i = 0; i < nodes; i++) {
        uint32_t from = first[i + 1], to = first[i + 2];
        uint64_t m = total - (to - from);
        p[i] = (struct dc_pvalue){0, 0};
        if (score[i] == DC_SCORE_NONE || m == 0 || m < least)
            continue;
        uint32_t reach = conformal_reach(all, total, score[i]);
        for (uint32_t e = from; e < to; e++)
            reach -= own[e] >= score[i];
        p[i] = (struct dc_pvalue){1 + reach, (uint32_t)m + 1};
    }
    dc_mem_free(all);
}

#include "sim/kernel/order.h"

#include <string.h>

enum { SMALL = 24, BUCKETS_MAX_LOG = 12 };

bool ds_order_before(uint64_t seed, const struct ds_event *a, const struct ds_event *b)
{
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns;
    uint64_t ta = ds_order_tie(seed, a), tb = ds_order_tie(seed, b);
    if (ta != tb)
        return ta < tb;
    return a->src != b->src ? a->src < b->src : a->seq < b->seq;
}

static inline void insertion(uint64_t *w, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t x = w[i];
        size_t j = i;
        for (; j > 0 && w[j - 1] > x; j--)
            w[j] = w[j - 1];
        w[j] = x;
    }
}

/* One distribution of from into to by the leading bits in which the words differ; crowded buckets
 * are sorted (through from as work space), the rest is left within its bucket. */
static void distribute(uint64_t *from, uint64_t *to, size_t n)
{
    uint64_t all = UINT64_MAX, any = 0;
    for (size_t i = 0; i < n; i++) {
        all &= from[i];
        any |= from[i];
    }
    if (all == any) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    int bits = 64 - __builtin_clzll(all ^ any); /* the words differ below this bit */
    int logarithm = 64 - __builtin_clzll((uint64_t)n - 1);
    if (logarithm > BUCKETS_MAX_LOG)
        logarithm = BUCKETS_MAX_LOG;
    int shift = bits > logarithm ? bits - logarithm : 0;
    size_t buckets = (size_t)1 << (bits - shift), mask = buckets - 1;
    uint32_t end[1 << BUCKETS_MAX_LOG];
    memset(end, 0, buckets * sizeof *end);
    for (size_t i = 0; i < n; i++)
        end[from[i] >> shift & mask]++;
    uint32_t sum = 0, crowd = 0;
    for (size_t b = 0; b < buckets; b++) {
        uint32_t count = end[b];
        crowd = count > crowd ? count : crowd;
        end[b] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[end[from[i] >> shift & mask]++] = from[i];
    if (crowd <= SMALL || shift == 0)
        return;
    size_t begin = 0;
    for (size_t b = 0; b < buckets; begin = end[b], b++) {
        size_t count = end[b] - begin;
        if (count <= SMALL)
            continue;
        distribute(to + begin, from + begin, count);
        insertion(from + begin, count);
        memcpy(to + begin, from + begin, count * sizeof *to);
    }
}

uint64_t *ds_order_sort(uint64_t *words, uint64_t *spare, size_t n)
{
    if (n <= SMALL) {
        insertion(words, n);
        return words;
    }
    distribute(words, spare, n);
    insertion(spare, n);
    return spare;
}

static bool tied_before(const struct ds_tied *a, const struct ds_tied *b)
{
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns;
    if (a->tie != b->tie)
        return a->tie < b->tie;
    return a->src != b->src ? a->src < b->src : a->seq < b->seq;
}

/* Merges a[0..m) and a[m..n) through spare. */
static void merge(struct ds_tied *a, size_t m, size_t n, struct ds_tied *spare)
{
    memcpy(spare, a, m * sizeof *a);
    size_t i = 0, j = m, out = 0;
    while (i < m && j < n)
        a[out++] = tied_before(&a[j], &spare[i]) ? a[j++] : spare[i++];
    memcpy(a + out, spare + i, (m - i) * sizeof *a);
}

void ds_order_mend(struct ds_tied *tied, struct ds_tied *spare, size_t n)
{
    for (size_t step = 1; step < n; step *= 2)
        for (size_t at = 0; at + step < n; at += 2 * step)
            merge(tied + at, step, n - at < 2 * step ? n - at : 2 * step, spare);
    for (size_t i = 1; i < n; i++)
        DC_CHECK(tied_before(&tied[i - 1], &tied[i]));
}

/* A histogram of non-negative integers with a bounded relative error (the idea of HdrHistogram).
 *
 * Every power of two is cut into 64 equal buckets, values below 64 have a bucket each:
 *
 *     value    0 1 2 .. 63 | 64 65 .. 127 | 128,129 .. 254,255 | 256..259 ...
 *     bucket   0 1 2 .. 63 | 64 65 .. 127 | 128     .. 191     | 192      ...
 *
 * A bucket's width is at most 1/64 of its values, so a quantile, which answers with the middle of
 * a bucket, is within 0.8 % of the sample's.  Values from 2^47 on (39 hours in ns) share the last
 * bucket; min, max and sum stay exact.  Recording is a shift, an addition and two comparisons; no
 * allocation.  Sums of histograms are exact, so that shards keep one each. */
#ifndef MODELS_BASE_HISTOGRAM_H
#define MODELS_BASE_HISTOGRAM_H

#include <stdint.h>

#define DC_HISTOGRAM_SUB_BITS 6
#define DC_HISTOGRAM_TOP_BITS 47
#define DC_HISTOGRAM_BUCKETS                                                                       \
    ((DC_HISTOGRAM_TOP_BITS - DC_HISTOGRAM_SUB_BITS + 1) << DC_HISTOGRAM_SUB_BITS)

/* Zero-initialised is empty. */
struct dc_histogram {
    uint64_t count;
    uint64_t sum;      /* of the values, modulo 2^64 */
    uint64_t min, max; /* meaningless while count is 0 */
    uint64_t bucket[DC_HISTOGRAM_BUCKETS];
};

static inline uint32_t dc_histogram_index(uint64_t value)
{
    if (value < 1u << DC_HISTOGRAM_SUB_BITS)
        return (uint32_t)value;
    if (value >> DC_HISTOGRAM_TOP_BITS != 0)
        return DC_HISTOGRAM_BUCKETS - 1;
    uint32_t shift = (uint32_t)(63 - __builtin_clzll(value)) - DC_HISTOGRAM_SUB_BITS;
    return (shift << DC_HISTOGRAM_SUB_BITS) + (uint32_t)(value >> shift);
}

/* Adds a value; negative ones count as 0. */
static inline void dc_histogram_add(struct dc_histogram *h, int64_t value)
{
    uint64_t v = value < 0 ? 0 : (uint64_t)value;
    h->min = h->count == 0 || v < h->min ? v : h->min;
    h->max = v > h->max ? v : h->max;
    h->count++;
    h->sum += v;
    h->bucket[dc_histogram_index(v)]++;
}

/* The smallest value of a bucket, and the first value beyond it (the last bucket: 2^63). */
uint64_t dc_histogram_lower(uint32_t index);
uint64_t dc_histogram_upper(uint32_t index);

/* into += from.  Exact and commutative. */
void dc_histogram_merge(struct dc_histogram *into, const struct dc_histogram *from);

/* The value at rank ceil(count * numerator / denominator) of the sorted sample, to the middle of
 * its bucket and clamped to [min, max]; 0 when empty.  Requires numerator <= denominator, which is
 * positive.  dc_histogram_quantile(h, 99, 100) is p99.  Walks the buckets. */
uint64_t dc_histogram_quantile(const struct dc_histogram *h, uint32_t numerator,
                               uint32_t denominator);

/* Mean rounded down; 0 when empty.  Requires that the sum did not wrap. */
uint64_t dc_histogram_mean(const struct dc_histogram *h);

#endif

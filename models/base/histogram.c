/* The parts of the histogram that are not in a hot path. */
#include "models/base/histogram.h"

#include "models/base/status.h"

uint64_t dc_histogram_lower(uint32_t index)
{
    DC_CHECK(index < DC_HISTOGRAM_BUCKETS);
    const uint32_t sub = 1u << DC_HISTOGRAM_SUB_BITS;
    if (index < 2 * sub)
        return index;
    uint32_t shift = (index >> DC_HISTOGRAM_SUB_BITS) - 1;
    return (uint64_t)(sub + (index & (sub - 1))) << shift;
}

uint64_t dc_histogram_upper(uint32_t index)
{
    return index + 1 < DC_HISTOGRAM_BUCKETS ? dc_histogram_lower(index + 1) : 1ull << 63;
}

void dc_histogram_merge(struct dc_histogram *into, const struct dc_histogram *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0 || from->min < into->min)
        into->min = from->min;
    if (from->max > into->max)
        into->max = from->max;
    into->count += from->count;
    into->sum += from->sum;
    for (uint32_t i = 0; i < DC_HISTOGRAM_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

uint64_t dc_histogram_quantile(const struct dc_histogram *h, uint32_t numerator,
                               uint32_t denominator)
{
    DC_CHECK(denominator > 0 && numerator <= denominator);
    if (h->count == 0)
        return 0;
    unsigned __int128 product = (unsigned __int128)h->count * numerator;
    uint64_t rank = (uint64_t)((product + denominator - 1) / denominator);
    if (rank <= 1)
        return h->min;
    if (rank == h->count)
        return h->max;
    uint64_t seen = 0;
    uint32_t i = 0;
    while ((seen += h->bucket[i]) < rank)
        i++;
    uint64_t lower = dc_histogram_lower(i);
    uint64_t middle = lower + (dc_histogram_upper(i) - lower - 1) / 2;
    return middle < h->min ? h->min : middle > h->max ? h->max : middle;
}

uint64_t dc_histogram_mean(const struct dc_histogram *h)
{
    return h->count == 0 ? 0 : h->sum / h->count;
}

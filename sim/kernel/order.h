/* Sorting events.  Private to sim/kernel.
 *
 * A window's events are sorted as packed words (node, time within the window, place of the event);
 * where two events of one node have the same packed time, the full order mends them. */
#ifndef SIM_KERNEL_ORDER_H
#define SIM_KERNEL_ORDER_H

#include "models/base/rng.h"
#include "sim/kernel/kernel.h"

#include <stddef.h>

/* The tie-break between events of one node at one time. */
static inline uint64_t ds_order_tie(uint64_t seed, const struct ds_event *e)
{
    return dc_mix64(seed ^ dc_mix64((uint64_t)e->src << 32 | e->seq));
}

/* Whether a comes before b at their node. */
bool ds_order_before(uint64_t seed, const struct ds_event *a, const struct ds_event *b);

/* Sorts n words upwards; spare is as large.  Returns where the result is: words or spare.  A pass
 * of about n buckets over the leading bits that differ, then insertion; crowded buckets again, so
 * skew costs a constant factor only.  2-4 ns per word. */
uint64_t *ds_order_sort(uint64_t *words, uint64_t *spare, size_t n);

/* What the full order needs of one event, and the word that stands for it. */
struct ds_tied {
    int64_t time_ns;
    uint64_t tie;
    uint32_t src, seq;
    uint64_t word;
};

/* Sorts n by (time, tie, src, seq); spare is as large; the result is in tied.  O(n log n).  Two
 * equal events are a bug of the poster (DC_CHECK). */
void ds_order_mend(struct ds_tied *tied, struct ds_tied *spare, size_t n);

#endif

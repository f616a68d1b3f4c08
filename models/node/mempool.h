/* Transactions that wait for a block: a ring of views in order of arrival, each kept for a few
 * heights, because senders address the leaders of the next four rounds and what was included by one
 * of them is refused from the others' blocks by execution.
 *
 *   entry[]  in order of arrival        slot[]  their digests, open addressing, at most half full */
#ifndef MODELS_NODE_MEMPOOL_H
#define MODELS_NODE_MEMPOOL_H

#include "models/wire/tx.h"

#define DC_MEMPOOL_HEIGHTS 8            /* how long a transaction is kept */
#define DC_MEMPOOL_BYTES_MAX (4u << 20) /* of all that wait; more is refused */
#define DC_MEMPOOL_UNSIGNED_MAX 256     /* of those that nobody signs: each costs a proof's check */

struct dc_pooled {
    uint8_t *bytes;
    uint32_t size;
    uint32_t kind;
    uint64_t digest; /* of the bytes */
    uint64_t height; /* final height when it came */
};
struct dc_mempool {
    struct dc_pooled *entry;
    uint64_t *slot; /* 2 * count_max of them, 0: free */
    uint32_t count, count_max;
    uint32_t unsigned_count;
    size_t bytes;
};

/* Copies; false when it is there already or the pool is full, of all or of its sort. */
bool dc_mempool_add(struct dc_mempool *m, const uint8_t *bytes, size_t size, uint64_t height);
/* Whether it waits already. */
bool dc_mempool_has(const struct dc_mempool *m, const uint8_t *bytes, size_t size);
/* Drops what came before height - DC_MEMPOOL_HEIGHTS. */
void dc_mempool_expire(struct dc_mempool *m, uint64_t height);
/* Drops the transactions of a block. */
void dc_mempool_remove(struct dc_mempool *m, const struct dc_tx_view *tx, uint32_t count);
void dc_mempool_free(struct dc_mempool *m);

#endif

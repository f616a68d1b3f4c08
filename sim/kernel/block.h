/* Memory of pending events: chains of blocks of 128 events.  Private to sim/kernel.
 *
 *   chain {tail, count = 258}
 *          |
 *          v
 *        [2 events] --prev--> [128 events] --prev--> [128 events]
 *
 * Appending writes to the tail block, a hot stream; only the tail is partly filled, and the order
 * inside a chain means nothing, so chains are walked from the tail.  A block is 65 cache lines (one
 * for the links), an odd number, so that the heads of blocks do not fall on the same cache sets.
 * Freed chains go back to their pool whole, in constant time: a pool is a list of blocks plus a
 * stack of further lists.  A pool belongs to one thread at a time.  Blocks may move between pools;
 * their slabs stay with the pool that made them, and all pools of a kernel end together. */
#ifndef SIM_KERNEL_BLOCK_H
#define SIM_KERNEL_BLOCK_H

#include "sim/kernel/kernel.h"

enum { DS_BLOCK_SHIFT = 7, DS_BLOCK_EVENTS = 1 << DS_BLOCK_SHIFT };

struct ds_block {
    struct ds_block *prev; /* in the chain or the free list */
    struct ds_block *more; /* of the first block of a free list: the next free list */
    uint64_t unused[6];
    struct ds_event event[DS_BLOCK_EVENTS];
};

struct ds_chain {
    struct ds_block *tail;
    uint64_t count;
};

struct ds_blocks {
    struct ds_block *free;  /* taken from first */
    struct ds_block *lists; /* then these lists */
    char *bump, *bump_end;  /* then the unused part of the newest slab */
    void *slabs;
    uint64_t bytes;
    bool borrows;           /* when dry, from the pools that follow, before making a slab: */
    struct ds_blocks *next; /* only where no other thread uses them */
};

/* A block for a pool that has none: borrowed or from a slab.  Fatal when out of memory. */
struct ds_block *ds_blocks_more(struct ds_blocks *pool);
void ds_blocks_free_all(struct ds_blocks *pool); /* every block of every chain of this pool */

static inline struct ds_block *ds_blocks_take(struct ds_blocks *pool)
{
    struct ds_block *b = pool->free;
    if (b == NULL) {
        b = pool->lists;
        if (b == NULL)
            return ds_blocks_more(pool);
        pool->lists = b->more;
    }
    pool->free = b->prev;
    return b;
}

static inline void ds_blocks_give(struct ds_blocks *pool, struct ds_block *b)
{
    b->prev = pool->free;
    pool->free = b;
}

/* Gives back all blocks of a chain and empties it. */
static inline void ds_chain_free(struct ds_blocks *pool, struct ds_chain *chain)
{
    if (chain->tail != NULL) {
        chain->tail->more = pool->lists;
        pool->lists = chain->tail;
    }
    *chain = (struct ds_chain){NULL, 0};
}

static inline void ds_chain_append(struct ds_blocks *pool, struct ds_chain *chain,
                                   const struct ds_event *e)
{
    uint64_t i = chain->count++ & (DS_BLOCK_EVENTS - 1);
    if (__builtin_expect(i == 0, 0)) {
        struct ds_block *b = ds_blocks_take(pool);
        b->prev = chain->tail;
        chain->tail = b;
    }
    chain->tail->event[i] = *e;
}

/* How many events the tail block of a chain of count > 0 events holds. */
static inline uint32_t ds_chain_tail_count(uint64_t count)
{
    return (uint32_t)((count - 1) & (DS_BLOCK_EVENTS - 1)) + 1;
}

/* The block whose events to prefetch one by one while those of b, count of them, are read: the next
 * one of the chain.  Asks for its links, and for all of it when b is short. */
static inline const struct ds_block *ds_block_ahead(const struct ds_block *b, uint32_t count)
{
    const struct ds_block *prev = b->prev;
    if (prev == NULL)
        return b;
    __builtin_prefetch(prev);
    for (uint32_t i = count; i < DS_BLOCK_EVENTS; i += 2)
        __builtin_prefetch(&prev->event[i]);
    return prev;
}

#endif

/* Memory: the only file that calls malloc.
 *
 * Everything is counted, so that a run knows its bytes, and a test can make the k-th request fail
 * (dc_mem_budget) and see a clean refusal.  dc_arena hands out memory that is freed all at once;
 * dc_pool hands out equal blocks from slabs.  An arena or pool belongs to one thread. */
#ifndef MODELS_BASE_MEM_H
#define MODELS_BASE_MEM_H

#include "models/base/status.h"

/* Zeroed memory for count objects of size bytes, or NULL.  Thread-safe. */
void *dc_mem_alloc(size_t count, size_t size) DC_MUST_USE;
/* Like dc_mem_alloc but aligned to 64 bytes and not zeroed; pages are touched when used. */
void *dc_mem_pages(size_t size) DC_MUST_USE;
/* Grows to count objects of size bytes; what is new is not zeroed.  NULL leaves the old block. */
void *dc_mem_grow(void *old, size_t count, size_t size) DC_MUST_USE;
void dc_mem_free(void *p); /* for all three */

/* Makes the n-th request from now on fail once (0 is the next); UINT64_MAX switches that off. */
void dc_mem_budget(uint64_t n);

/* As dc_mem_alloc, but running out is fatal: ends the process with exit code 3 and a message that
 * names `what`.  For places where virtual time already runs and nothing can be undone. */
void *dc_mem_need(size_t count, size_t size, const char *what);

struct dc_arena {
    struct dc_arena_block *blocks;
    size_t used, size;
};
/* 16-byte aligned and zeroed; NULL when out of memory, and the arena can still be used. */
void *dc_arena_alloc(struct dc_arena *arena, size_t size);
void dc_arena_free(struct dc_arena *arena);

/* Equal blocks; freed blocks are reused last in, first out.  Zero-initialise, then set size. */
struct dc_pool {
    size_t size_bytes; /* of one block; rounded up to 16 */
    void *free;
    struct dc_arena slabs;
    size_t live, live_max;
};
void *dc_pool_take(struct dc_pool *pool); /* not zeroed; fatal when out of memory */
void dc_pool_give(struct dc_pool *pool, void *block);
void dc_pool_free(struct dc_pool *pool);

#endif

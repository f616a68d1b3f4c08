/* Memory in three layers: counted requests to the C library, arenas made of them, pools made of
 * arenas.
 *
 *   arena   blocks --> [next | data used........|free....] --> [next | data full] --> ...
 *   pool    free ----> [next|block] --> [next|block] --> ...    (within the slabs of its arena)
 *
 * Only the newest block of an arena has room; what does not fit gets a block of its own size. */
#include "models/base/mem.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t mem_budget = UINT64_MAX;

static bool mem_refuse(void)
{
    if (atomic_load_explicit(&mem_budget, memory_order_relaxed) == UINT64_MAX)
        return false;
    uint64_t left = atomic_fetch_sub(&mem_budget, 1);
    if (left != 0)
        return false;
    atomic_store(&mem_budget, UINT64_MAX);
    return true;
}

void dc_mem_budget(uint64_t n)
{
    atomic_store(&mem_budget, n);
}

void *dc_mem_alloc(size_t count, size_t size)
{
    return mem_refuse() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *dc_mem_pages(size_t size)
{
    if (size > SIZE_MAX - 63 || mem_refuse())
        return NULL;
    return aligned_alloc(64, size != 0 ? (size + 63) / 64 * 64 : 64);
}

void *dc_mem_grow(void *old, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || mem_refuse())
        return NULL;
    return realloc(old, bytes ? bytes : 1);
}

void dc_mem_free(void *p)
{
    free(p);
}

static _Noreturn void mem_out(const char *what)
{
    fprintf(stderr, "destrasim: error: out of memory for %s: use fewer nodes or a bigger machine\n",
            what);
    exit(DC_ERR_IO);
}

void *dc_mem_need(size_t count, size_t size, const char *what)
{
    void *p = dc_mem_alloc(count, size);
    if (p == NULL)
        mem_out(what);
    return p;
}

struct dc_arena_block {
    struct dc_arena_block *next;
    size_t pad;
    unsigned char data[];
};

void *dc_arena_alloc(struct dc_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + 15) & ~(size_t)15;
    if (arena->blocks == NULL || arena->size - arena->used < size) {
        size_t block = size > 65536 - sizeof(struct dc_arena_block)
                           ? size
                           : 65536 - sizeof(struct dc_arena_block);
        struct dc_arena_block *b = dc_mem_alloc(1, sizeof *b + block);
        if (b == NULL)
            return NULL;
        b->next = arena->blocks;
        arena->blocks = b;
        arena->used = 0;
        arena->size = block;
    }
    void *p = arena->blocks->data + arena->used;
    arena->used += size;
    return p;
}

void dc_arena_free(struct dc_arena *arena)
{
    while (arena->blocks != NULL) {
        struct dc_arena_block *next = arena->blocks->next;
        dc_mem_free(arena->blocks);
        arena->blocks = next;
    }
    memset(arena, 0, sizeof *arena);
}

void *dc_pool_take(struct dc_pool *pool)
{
    void *block = pool->free;
    if (block != NULL) {
        pool->free = *(void **)block;
    } else {
        block = dc_arena_alloc(&pool->slabs, pool->size_bytes);
        if (block == NULL)
            mem_out("a pool");
    }
    if (++pool->live > pool->live_max)
        pool->live_max = pool->live;
    return block;
}

void dc_pool_give(struct dc_pool *pool, void *block)
{
    *(void **)block = pool->free;
    pool->free = block;
    pool->live--;
}

void dc_pool_free(struct dc_pool *pool)
{
    dc_arena_free(&pool->slabs);
    pool->free = NULL;
    pool->live = 0;
}

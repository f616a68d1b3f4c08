/* Slabs: each twice the last, up to 8 MiB.  Large ones start on a 2 MiB boundary and ask for huge
 * pages, because a window of 10^6 events is scattered over hundreds of streams. */
#include "sim/kernel/block.h"

#include "models/base/mem.h"

#include <sys/mman.h>

enum { SLAB_MIN = 128 << 10, SLAB_MAX = 8 << 20, PAGE_HUGE = 2 << 20 };

struct slab {
    struct slab *next;
    uint64_t bytes, unused[6];
};

static void slab_add(struct ds_blocks *pool)
{
    const struct slab *last = pool->slabs;
    size_t bytes = last == NULL ? SLAB_MIN : last->bytes * 2;
    if (bytes > SLAB_MAX)
        bytes = SLAB_MAX;
    size_t slack = bytes == SLAB_MAX ? PAGE_HUGE : 0; /* address space only: never touched */
    struct slab *s = dc_mem_pages(bytes + slack);
    if (s == NULL)
        s = dc_mem_need(1, bytes + slack, "pending events");
    char *start = (char *)(s + 1);
    if (slack != 0) {
        start = (char *)(((uintptr_t)start + PAGE_HUGE - 1) & ~(uintptr_t)(PAGE_HUGE - 1));
        madvise(start, bytes - PAGE_HUGE, MADV_HUGEPAGE); /* a hint: a refusal changes nothing */
    }
    s->next = pool->slabs;
    s->bytes = bytes;
    pool->slabs = s;
    pool->bytes += bytes;
    pool->bump = start;
    pool->bump_end = slack != 0 ? start + bytes - sizeof *s : (char *)s + bytes;
}

/* Moves one free list of another pool to this one. */
static bool borrow(struct ds_blocks *pool)
{
    for (struct ds_blocks *p = pool->next; pool->borrows && p != NULL; p = p->next) {
        if (p->lists != NULL) {
            pool->free = p->lists;
            p->lists = p->lists->more;
            return true;
        }
        if (p->free != NULL) {
            pool->free = p->free;
            p->free = NULL;
            return true;
        }
    }
    return false;
}

struct ds_block *ds_blocks_more(struct ds_blocks *pool)
{
    if (borrow(pool))
        return ds_blocks_take(pool);
    if ((size_t)(pool->bump_end - pool->bump) < sizeof(struct ds_block))
        slab_add(pool);
    struct ds_block *b = (struct ds_block *)pool->bump;
    pool->bump += sizeof *b;
    return b;
}

void ds_blocks_free_all(struct ds_blocks *pool)
{
    for (struct slab *s = pool->slabs; s != NULL;) {
        struct slab *next = s->next;
        dc_mem_free(s);
        s = next;
    }
    *pool = (struct ds_blocks){0};
}

#include "models/node/mempool.h"

#include "models/base/mem.h"

bool dc_mempool_add(struct dc_mempool *m, const uint8_t *bytes, size_t size, uint64_t height)
{
    uint64_t digest = dc_digest64(bytes, size);
    if (m->bytes + size > DC_MEMPOOL_BYTES_MAX)
        return false;
    if (m->count == m->count_max) {
        uint32_t grown = m->count_max == 0 ? 64 : 2 * m->count_max;
        struct dc_pooled *more = dc_mem_grow(m->entry, grown, sizeof *more);
        if (more == NULL)
            return false;
        m->entry = more;
        m->count_max = grown;
    }
    uint8_t *copy = dc_mem_need(1, size, "a waiting transaction");
    memcpy(copy, bytes, size);
    m->entry[m->count++] = (struct dc_pooled){copy, (uint32_t)size, bytes[0], digest, height};
    m->bytes += size;
    return true;
}

static void mempool_keep(struct dc_mempool *m, uint32_t *kept, uint32_t i, bool keep)
{
    if (keep) {
        m->entry[(*kept)++] = m->entry[i];
        return;
    }
    m->bytes -= m->entry[i].size;
    dc_mem_free(m->entry[i].bytes);
}

static void mempool_shrink(struct dc_mempool *m, uint32_t kept)
{
    m->count = kept;
    if (kept == 0)
        dc_mempool_free(m);
}

void dc_mempool_expire(struct dc_mempool *m, uint64_t height)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->count; i++)
        mempool_keep(m, &kept, i, m->entry[i].height + DC_MEMPOOL_HEIGHTS >= height);
    mempool_shrink(m, kept);
}

void dc_mempool_remove(struct dc_mempool *m, const struct dc_tx_view *tx, uint32_t count)
{
    if (m->count == 0 || count == 0)
        return;
    /* A set of the block's digests, open addressing, twice as large. */
    uint32_t slots = 16;
    while (slots < 2 * count)
        slots *= 2;
    uint64_t *set = dc_mem_need(slots, sizeof *set, "a block's transactions");
    for (uint32_t i = 0; i < count; i++) {
        uint64_t d = dc_digest64(tx[i].bytes, tx[i].size) | 1;
        uint32_t at = (uint32_t)(d >> 32) & (slots - 1);
        while (set[at] != 0)
            at = (at + 1) & (slots - 1);
        set[at] = d;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        uint64_t d = m->entry[i].digest | 1;
        uint32_t at = (uint32_t)(d >> 32) & (slots - 1);
        while (set[at] != 0 && set[at] != d)
            at = (at + 1) & (slots - 1);
        mempool_keep(m, &kept, i, set[at] == 0);
    }
    dc_mem_free(set);
    mempool_shrink(m, kept);
}

void dc_mempool_free(struct dc_mempool *m)
{
    for (uint32_t i = 0; i < m->count; i++)
        dc_mem_free(m->entry[i].bytes);
    dc_mem_free(m->entry);
    memset(m, 0, sizeof *m);
}

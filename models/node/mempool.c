#include "models/node/mempool.h"

#include "models/base/mem.h"

/* A set of digests: finds one, or its free place.  slots is a power of two. */
static uint64_t *mempool_slot(uint64_t *slot, uint32_t slots, uint64_t digest)
{
    uint32_t at = (uint32_t)(digest >> 32) & (slots - 1);
    while (slot[at] != 0 && slot[at] != digest)
        at = (at + 1) & (slots - 1);
    return &slot[at];
}

static uint64_t mempool_digest(const uint8_t *bytes, size_t size)
{
    return dc_digest64(bytes, size) | 1;
}

static void mempool_index(struct dc_mempool *m)
{
    memset(m->slot, 0, 2 * (size_t)m->count_max * sizeof *m->slot);
    for (uint32_t i = 0; i < m->count; i++)
        *mempool_slot(m->slot, 2 * m->count_max, m->entry[i].digest) = m->entry[i].digest;
}

static bool mempool_grow(struct dc_mempool *m)
{
    uint32_t grown = m->count_max == 0 ? 64 : 2 * m->count_max;
    struct dc_pooled *entry = dc_mem_grow(m->entry, grown, sizeof *entry);
    if (entry == NULL)
        return false;
    m->entry = entry;
    uint64_t *slot = dc_mem_grow(m->slot, 2 * (size_t)grown, sizeof *slot);
    if (slot == NULL)
        return false;
    m->slot = slot;
    m->count_max = grown;
    mempool_index(m);
    return true;
}

bool dc_mempool_has(const struct dc_mempool *m, const uint8_t *bytes, size_t size)
{
    return m->count != 0 &&
           *mempool_slot(m->slot, 2 * m->count_max, mempool_digest(bytes, size)) != 0;
}

/* Nobody signed these bytes of a transaction: wire/tx.h's dc_tx_signed, from the head alone. */
static bool mempool_unsigned(const uint8_t *bytes, size_t size)
{
    return size >= 5 && (bytes[0] == DC_TX_SHIELDED ||
                         (bytes[0] == DC_TX_CALL && dc_get32(bytes + 1) == DC_NOBODY));
}

bool dc_mempool_add(struct dc_mempool *m, const uint8_t *bytes, size_t size, uint64_t height)
{
    bool nobody = mempool_unsigned(bytes, size);
    if (nobody && m->unsigned_count == DC_MEMPOOL_UNSIGNED_MAX)
        return false;
    if (m->bytes + size > DC_MEMPOOL_BYTES_MAX || (m->count == m->count_max && !mempool_grow(m)))
        return false;
    uint64_t digest = mempool_digest(bytes, size);
    uint64_t *slot = mempool_slot(m->slot, 2 * m->count_max, digest);
    if (*slot != 0)
        return false;
    *slot = digest;
    uint8_t *copy = dc_mem_need(1, size, "a waiting transaction");
    memcpy(copy, bytes, size);
    m->entry[m->count++] = (struct dc_pooled){copy, (uint32_t)size, bytes[0], digest, height};
    m->bytes += size;
    m->unsigned_count += nobody;
    return true;
}

static void mempool_keep(struct dc_mempool *m, uint32_t *kept, uint32_t i, bool keep)
{
    if (keep) {
        m->entry[(*kept)++] = m->entry[i];
        return;
    }
    m->bytes -= m->entry[i].size;
    m->unsigned_count -= mempool_unsigned(m->entry[i].bytes, m->entry[i].size);
    dc_mem_free(m->entry[i].bytes);
}

static void mempool_shrink(struct dc_mempool *m, uint32_t kept)
{
    bool changed = kept != m->count;
    m->count = kept;
    if (kept == 0)
        dc_mempool_free(m);
    else if (changed)
        mempool_index(m);
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
    uint32_t slots = 16;
    while (slots < 2 * count)
        slots *= 2;
    uint64_t *set = dc_mem_need(slots, sizeof *set, "a block's transactions");
    for (uint32_t i = 0; i < count; i++) {
        uint64_t digest = mempool_digest(tx[i].bytes, tx[i].size);
        *mempool_slot(set, slots, digest) = digest;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->count; i++)
        mempool_keep(m, &kept, i, *mempool_slot(set, slots, m->entry[i].digest) == 0);
    dc_mem_free(set);
    mempool_shrink(m, kept);
}

void dc_mempool_free(struct dc_mempool *m)
{
    for (uint32_t i = 0; i < m->count; i++)
        dc_mem_free(m->entry[i].bytes);
    dc_mem_free(m->entry);
    dc_mem_free(m->slot);
    memset(m, 0, sizeof *m);
}

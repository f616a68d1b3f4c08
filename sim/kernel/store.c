/* Where events wait: near ring, far ring and top; the drawing is in inside.h. */
#include "models/base/mem.h"
#include "sim/kernel/inside.h"

void ds_store_width(struct ds_engine *k, uint64_t width_ns)
{
    k->width_ns = k->width_next_ns = width_ns;
    k->magic = UINT64_MAX / width_ns;
    k->span = ds_window_of(k, k->now_ns) / DS_SPAN;
    k->near_end = (k->span + 2) * DS_SPAN;
    k->far_end = (k->span & ~(uint64_t)(DS_FAR / 2 - 1)) + DS_FAR;
}

static void far_put(struct ds_engine *k, struct ds_lane *lane, uint64_t window,
                    const struct ds_event *e)
{
    if (k->parallel) {
        ds_chain_append(&lane->pool, &lane->far, e);
        return;
    }
    uint64_t span = window / DS_SPAN, slot = span % DS_FAR;
    if (span >= k->far_end) {
        ds_chain_append(&lane->pool, &k->top, e);
        return;
    }
    k->far_bits[slot / 64] |= (uint64_t)1 << slot % 64;
    ds_chain_append(&lane->pool, &k->far[slot], e);
}

void ds_store_put(struct ds_engine *k, struct ds_lane *lane, const struct ds_event *e, size_t n)
{
    bool parallel = k->parallel;
    for (; n > 0; n--, e++) {
        uint64_t window = ds_window_of(k, e->time_ns), slot = window % DS_NEAR;
        if (__builtin_expect(window >= k->near_end, 0)) {
            far_put(k, lane, window, e);
            continue;
        }
        struct ds_chain *chain = &lane->near[slot];
        if (parallel)
            chain += (size_t)ds_shard(k, e->dst) * DS_NEAR;
        if (__builtin_expect(chain->count == 0, 0))
            lane->near_bits[slot / 64] |= (uint64_t)1 << slot % 64;
        ds_chain_append(&lane->pool, chain, e);
    }
}

/* Puts every event of a chain of pool anew, as the serial lane; empties the chain. */
static void deal(struct ds_engine *k, struct ds_blocks *pool, struct ds_chain *chain)
{
    struct ds_lane *serial = k->serial;
    struct ds_block *b = chain->tail;
    uint32_t count = b == NULL ? 0 : ds_chain_tail_count(chain->count);
    *chain = (struct ds_chain){NULL, 0};
    while (b != NULL) {
        struct ds_block *prev = b->prev;
        ds_block_ahead(b, 0);
        ds_store_put(k, serial, b->event, count);
        ds_blocks_give(pool, b);
        b = prev;
        count = DS_BLOCK_EVENTS;
    }
}

/* Makes the near ring begin at span, which no pending event precedes. */
static void advance(struct ds_engine *k, uint64_t span)
{
    if (span <= k->span)
        return;
    struct ds_blocks *pool = &k->serial->pool;
    uint64_t from = k->span + 2, to = span + 2; /* spans that come near */
    uint64_t far_end = (span & ~(uint64_t)(DS_FAR / 2 - 1)) + DS_FAR;
    if (to - from > DS_FAR)
        from = to - DS_FAR; /* older slots are the same ones */
    k->span = span;
    k->near_end = to * DS_SPAN;
    for (uint64_t s = from; s < to; s++) {
        uint64_t slot = s % DS_FAR, bit = (uint64_t)1 << slot % 64;
        if (k->far_bits[slot / 64] & bit) {
            k->far_bits[slot / 64] &= ~bit;
            deal(k, pool, &k->far[slot]);
        }
    }
    if (far_end > k->far_end) {
        k->far_end = far_end;
        deal(k, pool, &k->top);
    }
}

/* The distance from a slot of a ring of 64 * words slots to the next set bit, or UINT32_MAX. */
static uint32_t next_bit(const uint64_t *bits, const uint64_t *more, uint32_t words, uint32_t slot)
{
    uint32_t at = slot / 64, first = slot % 64;
    for (uint32_t i = 0; i <= words; i++) {
        uint32_t w = (at + i) % words;
        uint64_t set = bits[w] | (more == NULL ? 0 : more[w]);
        if (i == 0)
            set &= UINT64_MAX << first;
        if (i == words)
            set &= ~(UINT64_MAX << first);
        if (set != 0)
            return i * 64 + (uint32_t)__builtin_ctzll(set) - first;
    }
    return UINT32_MAX;
}

static int64_t top_first(const struct ds_engine *k)
{
    int64_t first = INT64_MAX;
    uint32_t count = k->top.tail == NULL ? 0 : ds_chain_tail_count(k->top.count);
    for (const struct ds_block *b = k->top.tail; b != NULL; b = b->prev, count = DS_BLOCK_EVENTS)
        for (uint32_t i = 0; i < count; i++)
            if (b->event[i].time_ns < first)
                first = b->event[i].time_ns;
    return first;
}

bool ds_store_next(struct ds_engine *k, int64_t limit_ns, uint64_t *window)
{
    uint64_t from = ds_window_of(k, k->now_ns), limit = (uint64_t)limit_ns;
    advance(k, from / DS_SPAN);
    for (;;) {
        uint32_t near =
            next_bit(k->serial->near_bits, k->parallel_bits, DS_NEAR / 64, from % DS_NEAR);
        if (near != UINT32_MAX) {
            *window = from + near;
            if (*window * k->width_ns >= limit)
                return false;
            advance(k, *window / DS_SPAN);
            return true;
        }
        /* The ring is empty: bring the first span that is not, unless it lies beyond the limit (the
         * barrier may still post before it). */
        uint64_t span = k->span + 2;
        uint32_t far = next_bit(k->far_bits, NULL, DS_FAR / 64, span % DS_FAR);
        if (far != UINT32_MAX) {
            span += far;
        } else if (k->top.count != 0) {
            int64_t first_ns = top_first(k);
            span = ds_window_of(k, first_ns) / DS_SPAN;
        } else {
            return false;
        }
        if (span * DS_SPAN * k->width_ns >= limit)
            return false;
        advance(k, span - 1);
        if ((span - 1) * DS_SPAN > from)
            from = (span - 1) * DS_SPAN;
    }
}

static struct ds_chain chain_take(struct ds_chain *chain)
{
    struct ds_chain taken = *chain;
    *chain = (struct ds_chain){NULL, 0};
    return taken;
}

uint64_t ds_store_take(struct ds_engine *k, uint64_t window)
{
    struct ds_lane *serial = k->serial;
    uint64_t slot = window % DS_NEAR, bit = (uint64_t)1 << slot % 64, count;
    k->window = window;
    k->mixed = chain_take(&serial->near[slot]);
    serial->near_bits[slot / 64] &= ~bit;
    count = k->mixed.count;
    k->taken_any = (k->parallel_bits[slot / 64] & bit) != 0;
    if (!k->taken_any)
        return count;
    k->parallel_bits[slot / 64] &= ~bit;
    uint32_t threads = k->config.threads;
    for (uint32_t p = 0; p < threads; p++)
        for (uint32_t o = 0; o < threads; o++) {
            struct ds_chain *taken = &k->taken[p * threads + o];
            *taken = chain_take(&k->lanes[p].near[(size_t)o * DS_NEAR + slot]);
            count += taken->count;
        }
    return count;
}

void ds_store_collect(struct ds_engine *k)
{
    uint32_t threads = k->config.threads;
    /* What set-up and small windows filled is given to the lanes in turn, and the serial lane
     * borrows it back when it runs dry: otherwise a run would hold twice the blocks it needs. */
    ds_chain_free(&k->lanes[k->window % threads].pool, &k->mixed);
    for (uint32_t p = 0; p < threads; p++) {
        struct ds_lane *lane = &k->lanes[p];
        for (uint32_t o = 0; k->taken_any && o < threads; o++)
            ds_chain_free(&lane->pool, &k->taken[p * threads + o]);
        for (uint32_t w = 0; w < DS_NEAR / 64; w++) {
            k->parallel_bits[w] |= lane->near_bits[w];
            lane->near_bits[w] = 0;
        }
        deal(k, &lane->pool, &lane->far);
    }
}

void ds_store_parallel(struct ds_engine *k)
{
    uint32_t threads = k->config.threads;
    if (k->lanes[0].near != NULL)
        return;
    for (uint32_t p = 0; p < threads; p++) {
        size_t count = (size_t)threads * DS_NEAR;
        k->lanes[p].near = dc_mem_need(count, sizeof(struct ds_chain), "pending events");
        k->lanes[p].work_bytes += count * sizeof(struct ds_chain);
    }
}

/* Moves all events of a chain of pool to a chain of the serial lane. */
static void gather(struct ds_engine *k, struct ds_chain *to, struct ds_blocks *pool,
                   struct ds_chain *from)
{
    struct ds_blocks *serial = &k->serial->pool;
    struct ds_block *b = from->tail;
    uint32_t count = b == NULL ? 0 : ds_chain_tail_count(from->count);
    *from = (struct ds_chain){NULL, 0};
    while (b != NULL) {
        struct ds_block *prev = b->prev;
        for (uint32_t i = 0; i < count; i++)
            ds_chain_append(serial, to, &b->event[i]);
        ds_blocks_give(pool, b);
        b = prev;
        count = DS_BLOCK_EVENTS;
    }
}

void ds_store_rebuild(struct ds_engine *k, uint64_t width_ns)
{
    struct ds_lane *serial = k->serial;
    uint32_t threads = k->config.threads;
    struct ds_chain all = {NULL, 0};
    for (uint32_t i = 0; i < DS_NEAR; i++)
        gather(k, &all, &serial->pool, &serial->near[i]);
    for (uint32_t p = 0; p < threads; p++)
        for (size_t i = 0; k->lanes[p].near != NULL && i < (size_t)threads * DS_NEAR; i++)
            gather(k, &all, &k->lanes[p].pool, &k->lanes[p].near[i]);
    for (uint32_t i = 0; i < DS_FAR; i++)
        gather(k, &all, &serial->pool, &k->far[i]);
    gather(k, &all, &serial->pool, &k->top);
    for (uint32_t w = 0; w < DS_NEAR / 64; w++)
        serial->near_bits[w] = k->parallel_bits[w] = 0;
    for (uint32_t w = 0; w < DS_FAR / 64; w++)
        k->far_bits[w] = 0;
    ds_store_width(k, width_ns);
    deal(k, &serial->pool, &all);
}

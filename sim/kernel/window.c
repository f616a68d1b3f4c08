/* Running one window.
 *
 *   taken chains --(big: scatter by destination)--> ranges of about 2,000 events, one by one
 *   range --> one word per event, sorted --> events in order, destination by destination
 *
 *   word:  | node | (time - start) >> time_shift | place in the table of blocks |
 *
 * where node is the number within the lane and the range: a lane that runs every third block of 64
 * nodes numbers its own ones densely, or most of the sort's buckets would stay empty.
 *
 * A range and its words stay in the second-level cache while it runs, whatever the window's size.
 * Two words that differ in their place alone are a tie and are put into the full order when met;
 * were the fields too wide for 64 bits, time would lose low bits and ties would only be more
 * frequent. */
#include "models/base/mem.h"
#include "sim/kernel/inside.h"

#include <string.h>

enum {
    DIRECT_MAX = 4096, /* up to here a window is sorted without scattering */
    RANGE_EVENTS = 2048,
    RANGES_MAX = 8192,
    AHEAD = 16 /* events between asking for a node's state and running it */
};

/* How a lane numbers the nodes that it runs: blocks of 64, every stride-th from `first` on. */
struct dealt {
    uint64_t inverse; /* 2^32 / stride, rounded up: exact for 2^26 blocks and 64 shards */
    uint32_t stride, first;
};

static struct dealt deal(uint32_t stride, uint32_t first)
{
    return (struct dealt){(((uint64_t)1 << 32) + stride - 1) / stride, stride, first};
}

static inline uint32_t number_of(const struct dealt *d, uint32_t node)
{
    if (d->stride == 1)
        return node;
    return (uint32_t)((node >> 6) * d->inverse >> 32) << 6 | (node & 63);
}

static inline uint32_t node_of(const struct dealt *d, uint32_t number)
{
    if (d->stride == 1)
        return number;
    return ((number >> 6) * d->stride + d->first) << 6 | (number & 63);
}

struct packing {
    struct dealt deal;
    uint32_t base; /* the first number of the range */
    int place_bits, time_bits, time_shift;
};

static int bits_of(uint64_t max) /* that hold 0 .. max; at least 1 */
{
    return max == 0 ? 1 : 64 - __builtin_clzll(max);
}

static void *work_again(struct ds_lane *lane, void *old, size_t count, size_t size)
{
    dc_mem_free(old);
    lane->work_bytes += count * size;
    return dc_mem_need(count, size, "a window's work space");
}

static void words_reserve(struct ds_lane *lane, uint64_t count)
{
    if (count <= lane->words_size)
        return;
    size_t size = count < 1024 ? 1024 : count + count / 2;
    lane->work_bytes -= 2 * lane->words_size * sizeof *lane->words;
    lane->words = work_again(lane, lane->words, size, sizeof *lane->words);
    lane->spare = work_again(lane, lane->spare, size, sizeof *lane->spare);
    lane->words_size = size;
}

static void table_reserve(struct ds_lane *lane, uint64_t count)
{
    if (count <= lane->table_size)
        return;
    size_t size = count < 64 ? 64 : count + count / 2;
    lane->work_bytes -= lane->table_size * sizeof *lane->table;
    lane->table = work_again(lane, lane->table, size, sizeof *lane->table);
    lane->table_size = size;
}

static inline const struct ds_event *event_at(const struct ds_lane *lane, const struct packing *p,
                                              uint64_t word)
{
    uint64_t place = word & (((uint64_t)1 << p->place_bits) - 1);
    return &lane->table[place >> DS_BLOCK_SHIFT]->event[place & (DS_BLOCK_EVENTS - 1)];
}

/* What the running node posted for itself: a binary heap in the full order. */

void ds_window_soon(struct ds_engine *k, struct ds_lane *lane, const struct ds_event *e)
{
    DC_CHECK(lane->node != DS_NODE_NONE && e->dst == lane->node && e->time_ns > lane->now_ns);
    lane->posted++;
    if (lane->soon_count == lane->soon_size) {
        size_t size = lane->soon_size == 0 ? 64 : 2 * lane->soon_size;
        struct ds_event *old = lane->soon;
        lane->soon = dc_mem_need(size, sizeof *old, "a node's events within a window");
        if (old != NULL)
            memcpy(lane->soon, old, lane->soon_count * sizeof *old);
        dc_mem_free(old);
        lane->work_bytes += (size - lane->soon_size) * sizeof *old;
        lane->soon_size = size;
    }
    size_t i = lane->soon_count++;
    for (; i > 0; i = (i - 1) / 2) {
        const struct ds_event *parent = &lane->soon[(i - 1) / 2];
        if (!ds_order_before(k->config.seed, e, parent))
            break;
        lane->soon[i] = *parent;
    }
    lane->soon[i] = *e;
}

static struct ds_event soon_pop(struct ds_engine *k, struct ds_lane *lane)
{
    struct ds_event *heap = lane->soon, first = heap[0], last = heap[--lane->soon_count];
    size_t n = lane->soon_count, i = 0;
    for (size_t child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && ds_order_before(k->config.seed, &heap[child + 1], &heap[child]))
            child++;
        if (!ds_order_before(k->config.seed, &heap[child], &last))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return first;
}

/* Runs what the node posted for itself and comes before `before` (NULL: everything). */
static void soon_run(struct ds_engine *k, struct ds_lane *lane, const struct ds_event *before)
{
    while (lane->soon_count != 0 &&
           (before == NULL || ds_order_before(k->config.seed, &lane->soon[0], before))) {
        struct ds_event e = soon_pop(k, lane);
        lane->now_ns = e.time_ns;
        lane->handled++;
        k->config.handle(k->config.ctx, lane->shard, &e);
    }
}

/* Sorts the run of words at w that differ in their place alone into the full order.  Returns its
 * length. */
static size_t mend(struct ds_engine *k, struct ds_lane *lane, const struct packing *p, uint64_t *w,
                   size_t n)
{
    size_t run = 2;
    while (run < n && (w[run] ^ w[0]) >> p->place_bits == 0)
        run++;
    if (run > lane->tied_size) {
        lane->work_bytes -= 2 * lane->tied_size * sizeof *lane->tied;
        lane->tied = work_again(lane, lane->tied, 4 * run, sizeof *lane->tied);
        lane->tied_size = 2 * run;
    }
    for (size_t i = 0; i < run; i++) {
        const struct ds_event *e = event_at(lane, p, w[i]);
        lane->tied[i] =
            (struct ds_tied){e->time_ns, ds_order_tie(k->config.seed, e), e->src, e->seq, w[i]};
    }
    ds_order_mend(lane->tied, lane->tied + lane->tied_size, run);
    for (size_t i = 0; i < run; i++)
        w[i] = lane->tied[i].word;
    return run;
}

/* Looks up events i .. end - 1 of the sorted words, mends their ties and asks for the states of
 * those AHEAD. */
static void look_up(struct ds_engine *k, struct ds_lane *lane, const struct packing *p, uint64_t *w,
                    size_t n, size_t i, size_t end, size_t *mended, const struct ds_event **events)
{
    const char *states = k->config.states;
    size_t stride = k->config.states_stride;
    int node_shift = p->time_bits + p->place_bits;
    size_t ahead = i == 0 ? 0 : i + AHEAD, ahead_end = end + AHEAD < n ? end + AHEAD : n;
    for (size_t j = ahead; j < ahead_end && (states != NULL || k->config.prefetch != NULL); j++) {
        uint32_t node = node_of(&p->deal, p->base + (uint32_t)(w[j] >> node_shift));
        if (states != NULL)
            __builtin_prefetch(states + node * stride, 1);
        if (k->config.prefetch != NULL)
            k->config.prefetch(k->config.ctx, node);
    }
    for (size_t j = i; j < end; j++) {
        if (j + 1 < n && (w[j] ^ w[j + 1]) >> p->place_bits == 0 && j >= *mended)
            *mended = j + mend(k, lane, p, w + j, n - j);
        *events++ = event_at(lane, p, w[j]);
    }
}

/* Runs n packed events, a few at a time: the loop around a handler is kept short, because how many
 * handlers the processor overlaps depends on the number of instructions from one to the next. */
static void run_words(struct ds_engine *k, struct ds_lane *lane, const struct packing *p, size_t n)
{
    uint64_t *w = ds_order_sort(lane->words, lane->spare, n);
    void (*handle)(void *, uint32_t, const struct ds_event *) = k->config.handle;
    void *ctx = k->config.ctx;
    const struct ds_event *events[AHEAD];
    size_t mended = 0;
    for (size_t i = 0; i < n; i += AHEAD) {
        size_t end = i + AHEAD < n ? i + AHEAD : n;
        look_up(k, lane, p, w, n, i, end, &mended, events);
        for (size_t j = 0; j < end - i; j++) {
            const struct ds_event *e = events[j];
            if (e->dst != lane->node) {
                if (lane->soon_count != 0)
                    soon_run(k, lane, NULL);
                lane->node = e->dst;
                lane->shard = ds_shard(k, e->dst);
            } else if (lane->soon_count != 0) {
                soon_run(k, lane, e);
            }
            lane->now_ns = e->time_ns;
            handle(ctx, lane->shard, e);
        }
    }
    if (lane->soon_count != 0)
        soon_run(k, lane, NULL);
    lane->node = DS_NODE_NONE;
    lane->handled += n;
}

/* A chain to be run, and whose events of it. */
struct source {
    struct ds_chain chain;
    struct ds_blocks *pool; /* that gets the blocks back, or NULL: not here */
    uint32_t shard;         /* only this shard's events, or UINT32_MAX: all */
};

static uint64_t blocks_of(uint64_t count)
{
    return (count + DS_BLOCK_EVENTS - 1) >> DS_BLOCK_SHIFT;
}

/* Packs and runs the sources' events, all of the nodes numbered base .. base + nodes - 1; puts what
 * lies beyond a cut back. */
static void run_direct(struct ds_engine *k, struct ds_lane *lane, struct source *sources,
                       uint32_t source_count, const struct dealt *dealt, uint32_t base,
                       uint32_t nodes)
{
    uint64_t events = 0, blocks = 0;
    for (uint32_t s = 0; s < source_count; s++) {
        events += sources[s].chain.count;
        blocks += blocks_of(sources[s].chain.count);
    }
    words_reserve(lane, events);
    table_reserve(lane, blocks);
    struct packing p = {.deal = *dealt,
                        .base = base,
                        .place_bits = bits_of(blocks * DS_BLOCK_EVENTS),
                        .time_bits = bits_of((uint64_t)(k->end_ns - k->start_ns) - 1)};
    int excess = bits_of(nodes - 1) + p.time_bits + p.place_bits - 64;
    if (excess > 0) {
        p.time_shift = excess;
        p.time_bits -= excess;
    }
    int node_shift = p.time_bits + p.place_bits;
    uint64_t *words = lane->words, place = 0, block = 0;
    for (uint32_t s = 0; s < source_count; s++) {
        struct ds_block *b = sources[s].chain.tail;
        uint32_t count = b == NULL ? 0 : ds_chain_tail_count(sources[s].chain.count);
        uint32_t shard = sources[s].shard;
        for (; b != NULL; b = b->prev, count = DS_BLOCK_EVENTS) {
            const struct ds_block *ahead = ds_block_ahead(b, count);
            place = block * DS_BLOCK_EVENTS;
            lane->table[block++] = b;
            for (uint32_t i = 0; i < count; i++) {
                const struct ds_event *e = &b->event[i];
                __builtin_prefetch(&ahead->event[i]);
                if (shard != UINT32_MAX && ds_shard(k, e->dst) != shard)
                    continue;
                if (__builtin_expect(e->time_ns >= k->end_ns, 0)) {
                    ds_store_put(k, lane, e, 1);
                    continue;
                }
                uint64_t time = (uint64_t)(e->time_ns - k->start_ns) >> p.time_shift;
                *words++ = (uint64_t)(number_of(dealt, e->dst) - base) << node_shift |
                           time << p.place_bits | (place + i);
            }
        }
    }
    run_words(k, lane, &p, (size_t)(words - lane->words));
    for (uint32_t s = 0; s < source_count; s++)
        if (sources[s].pool != NULL)
            ds_chain_free(sources[s].pool, &sources[s].chain);
}

/* Appends the source's events to the ranges of their destinations. */
static void scatter(struct ds_engine *k, struct ds_lane *lane, struct source *source,
                    const struct dealt *dealt, int shift)
{
    struct ds_block *b = source->chain.tail;
    uint32_t count = b == NULL ? 0 : ds_chain_tail_count(source->chain.count);
    uint32_t shard = source->shard;
    while (b != NULL) {
        struct ds_block *prev = b->prev;
        const struct ds_block *ahead = ds_block_ahead(b, count);
        for (uint32_t i = 0; i < count; i++) {
            const struct ds_event *e = &b->event[i];
            __builtin_prefetch(&ahead->event[i]);
            if (shard != UINT32_MAX && ds_shard(k, e->dst) != shard)
                continue;
            if (__builtin_expect(e->time_ns >= k->end_ns, 0))
                ds_store_put(k, lane, e, 1);
            else
                ds_chain_append(&lane->pool, &lane->ranges[number_of(dealt, e->dst) >> shift], e);
        }
        if (source->pool != NULL)
            ds_blocks_give(source->pool, b);
        b = prev;
        count = DS_BLOCK_EVENTS;
    }
}

/* Runs the sources, of about `events` events. */
static void run_sources(struct ds_engine *k, struct ds_lane *lane, struct source *sources,
                        uint32_t source_count, uint64_t events, struct dealt dealt)
{
    uint32_t nodes = number_of(&dealt, k->config.nodes - 1) / 64 * 64 + 64;
    if (events <= DIRECT_MAX) {
        run_direct(k, lane, sources, source_count, &dealt, 0, nodes);
        return;
    }
    uint64_t wanted = events / RANGE_EVENTS < RANGES_MAX ? events / RANGE_EVENTS : RANGES_MAX;
    int shift = bits_of(nodes - 1) - bits_of(wanted);
    if (shift < 0)
        shift = 0;
    uint32_t ranges = ((nodes - 1) >> shift) + 1;
    if (ranges > lane->ranges_size) {
        lane->work_bytes -= lane->ranges_size * sizeof *lane->ranges;
        lane->ranges = work_again(lane, lane->ranges, ranges, sizeof *lane->ranges);
        lane->ranges_size = ranges;
    }
    for (uint32_t s = 0; s < source_count; s++)
        scatter(k, lane, &sources[s], &dealt, shift);
    for (uint32_t r = 0; r < ranges; r++) {
        struct source range = {lane->ranges[r], &lane->pool, UINT32_MAX};
        lane->ranges[r] = (struct ds_chain){NULL, 0};
        if (range.chain.count != 0)
            run_direct(k, lane, &range, 1, &dealt, r << shift, (uint32_t)1 << shift);
    }
}

void ds_window_alone(struct ds_engine *k)
{
    struct ds_lane *serial = k->serial;
    uint32_t threads = k->config.threads, count = 1;
    struct source mixed = {k->mixed, &serial->pool, UINT32_MAX};
    k->mixed = (struct ds_chain){NULL, 0};
    if (!k->taken_any) {
        run_sources(k, serial, &mixed, 1, mixed.chain.count, deal(1, 0));
        return;
    }
    uint64_t events = mixed.chain.count;
    struct source *sources =
        dc_mem_need(1 + (size_t)threads * threads, sizeof *sources, "a window's work space");
    sources[0] = mixed;
    for (uint32_t i = 0; i < threads * threads; i++) {
        if (k->taken[i].count == 0)
            continue;
        events += k->taken[i].count;
        sources[count++] = (struct source){k->taken[i], &k->lanes[i / threads].pool, UINT32_MAX};
        k->taken[i] = (struct ds_chain){NULL, 0};
    }
    run_sources(k, serial, sources, count, events, deal(1, 0));
    dc_mem_free(sources);
}

void ds_window_shard(struct ds_engine *k, uint32_t shard)
{
    uint32_t threads = k->config.threads;
    struct source sources[1 + DS_KERNEL_THREADS_MAX];
    uint64_t events = k->mixed.count / threads;
    sources[0] = (struct source){k->mixed, NULL, shard};
    for (uint32_t p = 0; p < threads; p++) {
        sources[1 + p] = (struct source){k->taken[p * threads + shard], NULL, UINT32_MAX};
        events += sources[1 + p].chain.count;
    }
    run_sources(k, &k->lanes[shard], sources, 1 + threads, events, deal(threads, shard));
}

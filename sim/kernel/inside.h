/* What the files of the kernel share.  Private to sim/kernel.
 *
 *   struct ds_engine (struct ds_kernel outside)
 *     lanes[0 .. threads-1]   one per shard, used while all threads run one window
 *     lanes[threads]          the serial lane: small windows, barriers, set-up
 *
 *   time -->    | span s (512 windows) | span s+1 |  s+2 | s+3 | ... | 512 spans |  beyond
 *               |<------- near: one chain a window ->|<- far: one chain a span ->|<- top ->
 *
 * Near chains: the serial lane has one ring (owners mixed); each parallel lane has one ring per
 * owner, so that an owner finds what others sent it without locks.  Far and top belong to the
 * serial lane.  An event is moved at most once per level; 10^5 far timers cost nothing until their
 * span comes. */
#ifndef SIM_KERNEL_INSIDE_H
#define SIM_KERNEL_INSIDE_H

#include "sim/kernel/block.h"
#include "sim/kernel/crew.h"
#include "sim/kernel/kernel.h"
#include "sim/kernel/order.h"

enum {
    DS_NEAR = 1024, /* windows of the near ring */
    DS_SPAN = 512,  /* windows of a span: the near ring holds two spans */
    DS_FAR = 512    /* spans of the far ring */
};

#define DS_NODE_NONE UINT32_MAX

/* What one executing context needs: pool, chains, work space.  One thread at a time. */
struct ds_lane {
    struct ds_blocks pool;
    struct ds_chain *near;            /* [owner][DS_NEAR]; serial: [DS_NEAR]; NULL: not yet used */
    uint64_t near_bits[DS_NEAR / 64]; /* windows that may hold events of this lane */
    struct ds_chain far;              /* parallel lanes: beyond the near ring, dealt at the end */

    struct ds_event *soon; /* heap: what the running node posted for itself in this window */
    size_t soon_count, soon_size;
    int64_t now_ns; /* of the running event */
    uint32_t node;  /* running, or DS_NODE_NONE */
    uint32_t shard; /* of that node */

    uint64_t *words, *spare; /* one packed word per event */
    size_t words_size;
    struct ds_block **table; /* word's place -> block */
    size_t table_size;
    struct ds_chain *ranges; /* a big window, scattered by destination */
    size_t ranges_size;
    struct ds_tied *tied; /* 2 * tied_size */
    size_t tied_size;
    uint64_t posted, handled, work_bytes;
    struct ds_kernel_stage stage;
} __attribute__((aligned(64)));

struct ds_engine {
    struct ds_kernel front; /* first: a struct ds_kernel * is one of these */
    /* Constant within a window. */
    int64_t end_ns;                 /* of the running window; between windows: now */
    uint64_t width_ns;              /* of a window: the lookahead */
    uint64_t magic;                 /* UINT64_MAX / width */
    uint64_t near_end;              /* first window beyond the near ring */
    bool parallel;                  /* all threads are running this window */
    const uint8_t *shards;          /* of each block of 64 nodes */
    struct ds_lane *lanes, *serial; /* serial = lanes + threads */
    struct ds_kernel_config config;

    int64_t now_ns;
    uint64_t width_next_ns;
    uint64_t span;    /* the near ring holds the windows of span and span + 1 */
    uint64_t far_end; /* first span beyond the far ring */
    struct ds_chain far[DS_FAR];
    uint64_t far_bits[DS_FAR / 64];
    struct ds_chain top;

    /* The running window. */
    uint64_t window;
    int64_t start_ns;
    struct ds_chain mixed;                /* taken from the serial lane */
    bool taken_any;                       /* any of the next */
    struct ds_chain *taken;               /* [producer][owner], taken from the parallel lanes */
    uint64_t parallel_bits[DS_NEAR / 64]; /* windows that may hold parallel lanes' events */

    int64_t until_ns; /* of this run */
    enum ds_kernel_stop stop;
    struct ds_crew *crew;
    struct ds_kernel_counters counters;
};

static inline uint32_t ds_shard(const struct ds_engine *k, uint32_t node)
{
    return k->shards[node / 64];
}

/* The window (number from time 0) that holds a time >= 0: exact division by multiplication, since
 * magic is short of 2^64 / width by less than 2 and the quotient is hence short by at most 1. */
static inline uint64_t ds_window_of(const struct ds_engine *k, int64_t time_ns)
{
    uint64_t t = (uint64_t)time_ns;
    uint64_t q = (uint64_t)((unsigned __int128)t * k->magic >> 64);
    return q + (t - q * k->width_ns >= k->width_ns);
}

/* store.c: where events wait. */

/* Puts n events among the waiting of lane.  Requires times >= end_ns. */
void ds_store_put(struct ds_engine *k, struct ds_lane *lane, const struct ds_event *e, size_t n);
/* Puts what the lane's handlers posted and is still staged. */
static inline void ds_store_staged(struct ds_engine *k, struct ds_lane *lane)
{
    ds_store_put(k, lane, lane->stage.event, lane->stage.count);
    lane->posted += lane->stage.count;
    lane->stage.count = 0;
}
/* Finds the first window that holds an event and begins before limit_ns, and makes it ready to be
 * taken.  Serial. */
bool ds_store_next(struct ds_engine *k, int64_t limit_ns, uint64_t *window);
/* Takes a window's chains into k->mixed and k->taken.  Returns how many events they hold. */
uint64_t ds_store_take(struct ds_engine *k, uint64_t window);
/* After a parallel window: gives the taken blocks back, deals what the lanes posted far ahead. */
void ds_store_collect(struct ds_engine *k);
/* Makes the near rings of the parallel lanes.  Fatal when out of memory. */
void ds_store_parallel(struct ds_engine *k);
/* Puts everything anew under another width. */
void ds_store_rebuild(struct ds_engine *k, uint64_t width_ns);
void ds_store_width(struct ds_engine *k, uint64_t width_ns);

/* window.c: running the taken chains. */

/* Runs all events of the window [start_ns, end_ns) in the serial lane. */
void ds_window_alone(struct ds_engine *k);
/* Runs one shard's events of it. */
void ds_window_shard(struct ds_engine *k, uint32_t shard);
/* Keeps what the running node posted for itself inside the window. */
void ds_window_soon(struct ds_engine *k, struct ds_lane *lane, const struct ds_event *e);

#endif

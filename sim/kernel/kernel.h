/* The event kernel: hands every node its events in one order that does not depend on the number
 * of threads, on insertion, on addresses or on load.
 *
 * Idea.  Nothing a node does reaches another node sooner than the lookahead (the smallest link
 * delay in force).  Virtual time is therefore cut into windows of one lookahead, and within a
 * window nodes cannot influence one another: each node's events are run one after the other, node
 * by node, which touches a node's state once and makes threads independent (a bounded-lag
 * conservative engine: Chandy and Misra 1979, Lubachevsky 1989; here with one bucket per window).
 *
 * Order at a node: (time, tie, source, sequence), tie = hash(seed, source, sequence), so that no
 * id is favoured and insertion means nothing.
 *
 * Where things are: block.h (memory of pending events), store.c (where events wait), order.c
 * (sorting), window.c (running one window), crew.c (threads), kernel.c (the loop). */
#ifndef SIM_KERNEL_KERNEL_H
#define SIM_KERNEL_KERNEL_H

#include "models/base/status.h"

enum { DS_KERNEL_THREADS_MAX = 64 };

/* 32 bytes.  (src, seq) names an event: seq is the source's own counter, kept by the caller, and
 * must not repeat among events of one time at one node.  kind and payload are the caller's. */
struct ds_event {
    int64_t time_ns;
    uint32_t dst, src, seq, kind;
    uint64_t payload;
};

struct ds_kernel_config {
    uint32_t nodes;          /* destinations are 0 .. nodes - 1; at most 2^31 */
    uint32_t threads;        /* = shards, 1 .. DS_KERNEL_THREADS_MAX */
    uint64_t seed;           /* of ties */
    int64_t lookahead_ns;    /* > 0 */
    uint64_t pending_max;    /* limit on pending events; 0 for none */
    uint32_t parallel_count; /* a window of this many events or more runs on all threads; 0: 1024 */
    void *ctx;               /* passed to all below */
    /* Runs one event; may post.  One thread at a time for a shard (ds_kernel_shard_of(e->dst)),
     * and shards may run at once: what it touches must belong to e->dst or to the shard.  *e is
     * valid until it returns. */
    void (*handle)(void *ctx, uint32_t shard, const struct ds_event *e);
    /* Hints for the cache, both may be NULL: called for a node whose event comes soon (without
     * effects); and, cheaper, where nodes' states lie as an array of elements of stride bytes. */
    void (*prefetch)(void *ctx, uint32_t node);
    const void *states;
    size_t states_stride;
    /* May be NULL.  One thread, between windows and once more when a run ends at until_ns:
     * everything before now_ns is done and nothing at or after.  May post (shard 0, time >= now_ns)
     * and set the lookahead.  Returns the time of the next forced cut (> now_ns; the barrier is
     * then called with exactly that time), INT64_MAX for none, or now_ns to stop the run.  Called
     * for every window, so it must be cheap; called twice with the same now_ns when a run is
     * resumed. */
    int64_t (*barrier)(void *ctx, int64_t now_ns);
    /* May be NULL: pure side work (verification ahead, into a memo) for threads without shard work,
     * concurrently with handlers and with the barrier.  Called repeatedly by all threads but the
     * one that runs small windows, with that thread's number; false: nothing to do now.  Threads
     * that found nothing for a while sleep until the next big window or ds_kernel_wake. */
    bool (*idle)(void *ctx, uint32_t shard);
};

enum ds_kernel_stop {
    DS_KERNEL_UNTIL,   /* until_ns reached */
    DS_KERNEL_STOPPED, /* the barrier said so */
    DS_KERNEL_DRAINED, /* until_ns is INT64_MAX, nothing is pending and no cut is ahead */
    DS_KERNEL_FULL     /* more than pending_max events are pending */
};

/* The same for any number of threads, except parallel_windows (0 with one) and bytes. */
struct ds_kernel_counters {
    uint64_t events;               /* handled */
    uint64_t windows;              /* that held at least one event */
    uint64_t parallel_windows;     /* of those, run by all threads */
    uint64_t pending, pending_max; /* now, and the largest seen between windows */
    uint64_t bytes;                /* taken for pending events and work space, never given back */
};

/* What handlers posted and is not yet put away.  Events are put away 64 at a time: a handler's last
 * steps are one long chain of dependent instructions (random number, delay, time, window, chain,
 * block) of which the processor overlaps few, while 64 events are independent of one another. */
enum { DS_KERNEL_STAGE = 64 };
struct ds_kernel_stage {
    int64_t end_ns; /* of the running window; between windows: now */
    uint32_t nodes, count;
    struct ds_event event[DS_KERNEL_STAGE];
};

/* The part of a kernel that ds_kernel_post sees; the rest follows it (inside.h). */
struct ds_kernel {
    struct ds_kernel_stage *stages[DS_KERNEL_THREADS_MAX]; /* by shard */
};

/* Requires a configuration as above.  NULL and *error on a bad one or when out of memory.  Costs
 * about 30 KB and nodes / 64 bytes; 16 KB * threads^2 more when the first big window comes. */
struct ds_kernel *ds_kernel_create(const struct ds_kernel_config *config, struct dc_error *error);
void ds_kernel_destroy(struct ds_kernel *k); /* NULL is allowed; pending events are dropped */

/* The two rare ways of posting, for ds_kernel_post alone. */
void ds_kernel_post_soon(struct ds_kernel *k, uint32_t shard, const struct ds_event *e);
void ds_kernel_post_staged(struct ds_kernel *k, uint32_t shard);

/* Copies *e among the pending events.  From a handler: shard as the handler was given, e at or
 * after the window's end, or for the very node whose event is running and later than that event.
 * From the barrier or between runs: shard 0, any time >= now.  Anything else is a bug (DC_CHECK).
 * Running out of memory is fatal.  About 3 ns. */
static inline void ds_kernel_post(struct ds_kernel *k, uint32_t shard, const struct ds_event *e)
{
    struct ds_kernel_stage *stage = k->stages[shard];
    DC_CHECK(e->dst < stage->nodes);
    if (__builtin_expect(e->time_ns < stage->end_ns, 0)) {
        struct ds_event copy = *e; /* so that the caller's can live in registers alone: */
        ds_kernel_post_soon(k, shard, &copy);
        return;
    }
    /* written and reread with other widths, it would wait for the store buffer (3 ns). */
    stage->event[stage->count++] = *e;
    if (__builtin_expect(stage->count == DS_KERNEL_STAGE, 0))
        ds_kernel_post_staged(k, shard);
}

/* Runs all events before until_ns (exclusive).  May be called again to go on. */
enum ds_kernel_stop ds_kernel_run(struct ds_kernel *k, int64_t until_ns);

/* From the barrier or between runs only; in force from the next window on.  O(pending) when the
 * value differs from the one in force. */
void ds_kernel_set_lookahead(struct ds_kernel *k, int64_t lookahead_ns);

/* Tells sleeping threads that idle() has work again.  Any thread; a few ns when none sleeps. */
void ds_kernel_wake(struct ds_kernel *k);

/* The shard that owns a node: nodes are dealt in blocks of 64, round robin. */
uint32_t ds_kernel_shard_of(const struct ds_kernel *k, uint32_t node);
int64_t ds_kernel_now(const struct ds_kernel *k); /* start of what is not yet done */
struct ds_kernel_counters ds_kernel_counters(const struct ds_kernel *k); /* between windows */

#endif

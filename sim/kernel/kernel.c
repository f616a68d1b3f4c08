#include "sim/kernel/kernel.h"

#include "models/base/mem.h"
#include "sim/kernel/inside.h"

#include <string.h>

enum { PARALLEL_COUNT = 1024 };

#define NODES_MAX 0x80000000u

static struct ds_engine *engine(const struct ds_kernel *kernel)
{
    return (struct ds_engine *)kernel;
}

static void run_shard(void *ctx, uint32_t shard)
{
    struct ds_engine *k = ctx;
    k->lanes[shard].stage.end_ns = k->end_ns;
    ds_window_shard(k, shard);
    ds_store_staged(k, &k->lanes[shard]);
}

static bool run_idle(void *ctx, uint32_t thread)
{
    struct ds_engine *k = ctx;
    return k->config.idle(k->config.ctx, thread);
}

static enum dc_status config_check(const struct ds_kernel_config *c, struct dc_error *error)
{
    if (c->nodes == 0 || c->nodes > NODES_MAX)
        return dc_error_set(error, DC_ERR_USAGE, "the kernel needs 1 to %u nodes, not %u",
                            NODES_MAX, c->nodes);
    if (c->threads == 0 || c->threads > DS_KERNEL_THREADS_MAX)
        return dc_error_set(error, DC_ERR_USAGE, "threads must be 1 to %d, not %u",
                            DS_KERNEL_THREADS_MAX, c->threads);
    if (c->lookahead_ns <= 0)
        return dc_error_set(error, DC_ERR_USAGE, "the smallest link delay must be above 0");
    DC_CHECK(c->handle != NULL);
    return DC_OK;
}

/* Allocates what a kernel is made of; false: out of memory, destroy what there is. */
static bool create_parts(struct ds_engine *k)
{
    uint32_t threads = k->config.threads, deals = (k->config.nodes - 1) / 64 + 1;
    k->lanes = dc_mem_pages((threads + 1) * sizeof *k->lanes);
    if (k->lanes == NULL)
        return false;
    memset(k->lanes, 0, (threads + 1) * sizeof *k->lanes);
    for (uint32_t i = 0; i <= threads; i++) {
        k->lanes[i].node = DS_NODE_NONE;
        k->lanes[i].stage.nodes = k->config.nodes;
    }
    k->serial = &k->lanes[threads];
    k->serial->pool.borrows = true;
    k->serial->pool.next = &k->lanes[0].pool;
    for (uint32_t i = 0; i + 1 < threads; i++)
        k->lanes[i].pool.next = &k->lanes[i + 1].pool;
    uint8_t *shards = dc_mem_alloc(deals, sizeof *shards);
    k->shards = shards;
    k->serial->near = dc_mem_alloc(DS_NEAR, sizeof(struct ds_chain));
    k->taken = dc_mem_alloc((size_t)threads * threads, sizeof *k->taken);
    struct ds_crew_config crew = {threads, k, run_shard, k->config.idle ? run_idle : NULL};
    k->crew = ds_crew_create(&crew);
    if (shards == NULL || k->serial->near == NULL || k->taken == NULL || k->crew == NULL)
        return false;
    DC_CHECK(threads > 0);
    for (uint32_t i = 0; i < deals; i++)
        shards[i] = (uint8_t)(i % threads);
    return true;
}

/* Sets what posts go to: the serial lane or one for each shard. */
static void direct_posts(struct ds_engine *k, bool parallel)
{
    k->parallel = parallel;
    for (uint32_t i = 0; i < k->config.threads; i++)
        k->front.stages[i] = parallel ? &k->lanes[i].stage : &k->serial->stage;
}

struct ds_kernel *ds_kernel_create(const struct ds_kernel_config *config, struct dc_error *error)
{
    if (config_check(config, error) != DC_OK)
        return NULL;
    struct ds_engine *k = dc_mem_alloc(1, sizeof *k);
    if (k != NULL) {
        k->config = *config;
        if (k->config.parallel_count == 0)
            k->config.parallel_count = PARALLEL_COUNT;
        if (create_parts(k)) {
            ds_store_width(k, (uint64_t)config->lookahead_ns);
            direct_posts(k, false);
            return &k->front;
        }
    }
    ds_kernel_destroy((struct ds_kernel *)k);
    dc_error_set(error, DC_ERR_IO, "out of memory for the event kernel of %u nodes", config->nodes);
    return NULL;
}

void ds_kernel_destroy(struct ds_kernel *kernel)
{
    if (kernel == NULL)
        return;
    struct ds_engine *k = engine(kernel);
    for (uint32_t i = 0; k->lanes != NULL && i <= k->config.threads; i++) {
        struct ds_lane *lane = &k->lanes[i];
        ds_blocks_free_all(&lane->pool);
        dc_mem_free(lane->near);
        dc_mem_free(lane->soon);
        dc_mem_free(lane->words);
        dc_mem_free(lane->spare);
        dc_mem_free(lane->table);
        dc_mem_free(lane->ranges);
        dc_mem_free(lane->tied);
    }
    dc_mem_free(k->lanes);
    dc_mem_free((void *)k->shards);
    dc_mem_free(k->taken);
    ds_crew_destroy(k->crew);
    dc_mem_free(k);
}

void ds_kernel_post_soon(struct ds_kernel *kernel, uint32_t shard, const struct ds_event *e)
{
    struct ds_engine *k = engine(kernel);
    ds_window_soon(k, k->parallel ? &k->lanes[shard] : k->serial, e);
}

void ds_kernel_post_staged(struct ds_kernel *kernel, uint32_t shard)
{
    struct ds_engine *k = engine(kernel);
    ds_store_staged(k, k->parallel ? &k->lanes[shard] : k->serial);
}

static void set_end(struct ds_engine *k, int64_t end_ns)
{
    k->end_ns = end_ns;
    k->serial->stage.end_ns = end_ns;
}

/* Runs one window's events on one thread or all; their number alone decides. */
static void run_window(struct ds_engine *k, uint64_t window, int64_t limit_ns)
{
    uint64_t start = window * k->width_ns, end = start + k->width_ns;
    k->start_ns = (int64_t)start > k->now_ns ? (int64_t)start : k->now_ns;
    set_end(k, end < (uint64_t)limit_ns ? (int64_t)end : limit_ns);
    uint64_t count = ds_store_take(k, window);
    k->counters.windows++;
    if (k->config.threads > 1 && count >= k->config.parallel_count) {
        ds_store_parallel(k);
        direct_posts(k, true);
        ds_crew_phase(k->crew);
        direct_posts(k, false);
        ds_store_collect(k);
        k->counters.parallel_windows++;
    } else {
        ds_window_alone(k);
        ds_store_staged(k, k->serial);
    }
    k->now_ns = k->end_ns;
}

/* Adds up what the lanes counted. */
static void count(struct ds_engine *k, bool all)
{
    struct ds_kernel_counters *c = &k->counters;
    for (uint32_t i = all ? 0 : k->config.threads; i <= k->config.threads; i++) {
        struct ds_lane *lane = &k->lanes[i];
        c->events += lane->handled;
        c->pending += lane->posted - lane->handled;
        lane->posted = lane->handled = 0;
    }
    if (c->pending > c->pending_max)
        c->pending_max = c->pending;
}

/* Calls the barrier at now; returns the next cut, or now to stop. */
static int64_t pass_barrier(struct ds_engine *k)
{
    int64_t cut_ns = INT64_MAX;
    set_end(k, k->now_ns);
    if (k->config.barrier != NULL)
        cut_ns = k->config.barrier(k->config.ctx, k->now_ns);
    DC_CHECK(cut_ns >= k->now_ns);
    ds_store_staged(k, k->serial);
    if (k->width_next_ns != k->width_ns)
        ds_store_rebuild(k, k->width_next_ns);
    return cut_ns;
}

static enum ds_kernel_stop loop(struct ds_engine *k, int64_t until_ns)
{
    for (;;) {
        uint64_t parallel = k->counters.parallel_windows, window;
        int64_t cut_ns = pass_barrier(k);
        count(k, false);
        if (k->config.pending_max != 0 && k->counters.pending > k->config.pending_max)
            return DS_KERNEL_FULL;
        if (k->now_ns >= until_ns)
            return DS_KERNEL_UNTIL;
        if (cut_ns == k->now_ns)
            return DS_KERNEL_STOPPED;
        int64_t limit_ns = cut_ns < until_ns ? cut_ns : until_ns;
        if (ds_store_next(k, limit_ns, &window))
            run_window(k, window, limit_ns);
        else if (limit_ns == INT64_MAX)
            return DS_KERNEL_DRAINED;
        else
            k->now_ns = limit_ns;
        if (k->counters.parallel_windows != parallel)
            count(k, true);
    }
}

static void lead(void *ctx)
{
    struct ds_engine *k = ctx;
    k->stop = loop(k, k->until_ns);
}

enum ds_kernel_stop ds_kernel_run(struct ds_kernel *kernel, int64_t until_ns)
{
    struct ds_engine *k = engine(kernel);
    DC_CHECK(until_ns >= k->now_ns);
    k->until_ns = until_ns;
    if (k->config.threads == 1)
        lead(k);
    else
        ds_crew_run(k->crew, lead);
    set_end(k, k->now_ns);
    return k->stop;
}

void ds_kernel_set_lookahead(struct ds_kernel *kernel, int64_t lookahead_ns)
{
    struct ds_engine *k = engine(kernel);
    DC_CHECK(lookahead_ns > 0);
    k->width_next_ns = (uint64_t)lookahead_ns;
}

void ds_kernel_wake(struct ds_kernel *kernel)
{
    struct ds_engine *k = engine(kernel);
    if (k->config.threads > 1)
        ds_crew_wake(k->crew);
}

uint32_t ds_kernel_shard_of(const struct ds_kernel *kernel, uint32_t node)
{
    const struct ds_engine *k = engine(kernel);
    return ds_shard(k, node);
}

int64_t ds_kernel_now(const struct ds_kernel *kernel)
{
    const struct ds_engine *k = engine(kernel);
    return k->now_ns;
}

struct ds_kernel_counters ds_kernel_counters(const struct ds_kernel *kernel)
{
    const struct ds_engine *k = engine(kernel);
    struct ds_kernel_counters c = k->counters;
    for (uint32_t i = 0; i <= k->config.threads; i++) {
        const struct ds_lane *lane = &k->lanes[i];
        c.pending += lane->posted + lane->stage.count - lane->handled;
        c.bytes += lane->pool.bytes + lane->work_bytes;
    }
    if (c.pending > c.pending_max)
        c.pending_max = c.pending;
    return c;
}

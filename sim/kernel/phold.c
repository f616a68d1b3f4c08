#include "sim/kernel/phold.h"

#include "models/base/mem.h"
#include "sim/kernel/kernel.h"

#include <math.h>
#include <string.h>

struct process {
    uint64_t rng, hash, events;
    uint32_t seq, unused;
    uint64_t more[4]; /* makes it a cache line, as in the model */
};

struct ds_phold {
    struct process *processes;
    struct ds_kernel *kernel;
    uint32_t lps;
    int64_t lookahead_ns, end_ns;
    double mean_ns;
};

static inline uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static inline int64_t delay_ns(const struct ds_phold *p, uint64_t random)
{
    double exponential = -log((double)(random >> 11 | 1) * 0x1p-53);
    return p->lookahead_ns + (int64_t)(exponential * p->mean_ns);
}

static void handle(void *ctx, uint32_t shard, const struct ds_event *e)
{
    struct ds_phold *p = ctx;
    struct process *s = &p->processes[e->dst];
    uint64_t hash = s->hash ^ ((uint64_t)e->time_ns + ((uint64_t)e->src << 32 | e->seq));
    s->hash = (hash << 7 | hash >> 57) * 0x9e3779b97f4a7c15ULL;
    s->events++;
    uint64_t to = next(&s->rng), wait = next(&s->rng);
    struct ds_event out = {.time_ns = e->time_ns + delay_ns(p, wait),
                           .dst = (uint32_t)((to >> 32) * p->lps >> 32),
                           .src = e->dst,
                           .seq = s->seq++,
                           .kind = e->kind,
                           .payload = hash};
    ds_kernel_post(p->kernel, shard, &out);
}

static enum dc_status check(const struct ds_phold_args *args, struct dc_error *error)
{
    if (args->lps == 0 || args->per_lp == 0)
        return dc_error_set(error, DC_ERR_USAGE, "phold: needs at least one process and event");
    if (!(args->lookahead_s >= 1e-9 && args->lookahead_s < 1.0))
        return dc_error_set(error, DC_ERR_USAGE, "phold: the lookahead must be in [1 ns, 1 s)");
    if (!(args->end_s >= 0.0 && args->end_s <= 1e9))
        return dc_error_set(error, DC_ERR_USAGE, "phold: the end must be in [0, 1e9] seconds");
    return DC_OK;
}

struct ds_phold *ds_phold_create(const struct ds_phold_args *args, struct dc_error *error)
{
    if (check(args, error) != DC_OK)
        return NULL;
    struct ds_phold *p = dc_mem_alloc(1, sizeof *p);
    size_t bytes = (size_t)args->lps * sizeof *p->processes;
    if (p != NULL)
        p->processes = dc_mem_pages(bytes);
    if (p == NULL || p->processes == NULL) {
        ds_phold_destroy(p);
        dc_error_set(error, DC_ERR_IO, "phold: out of memory for %u processes", args->lps);
        return NULL;
    }
    memset(p->processes, 0, bytes);
    p->lps = args->lps;
    p->lookahead_ns = (int64_t)(args->lookahead_s * 1e9);
    p->mean_ns = (1.0 - args->lookahead_s) * 1e9;
    p->end_ns = (int64_t)(args->end_s * 1e9);
    struct ds_kernel_config config = {.nodes = args->lps,
                                      .threads = args->threads,
                                      .lookahead_ns = p->lookahead_ns,
                                      .ctx = p,
                                      .handle = handle,
                                      .states = p->processes,
                                      .states_stride = sizeof *p->processes};
    p->kernel = ds_kernel_create(&config, error);
    if (p->kernel == NULL) {
        ds_phold_destroy(p);
        return NULL;
    }
    for (uint32_t i = 0; i < args->lps; i++) {
        struct process *s = &p->processes[i];
        s->rng = (uint64_t)i * 0xd1342543de82ef95ULL + 12345;
        s->hash = i;
        for (uint32_t j = 0; j < args->per_lp; j++) {
            struct ds_event e = {
                .time_ns = delay_ns(p, next(&s->rng)), .dst = i, .src = i, .seq = s->seq++};
            ds_kernel_post(p->kernel, 0, &e);
        }
    }
    return p;
}

struct ds_phold_result ds_phold_run(struct ds_phold *p)
{
    ds_kernel_run(p->kernel, p->end_ns);
    struct ds_kernel_counters c = ds_kernel_counters(p->kernel);
    struct ds_phold_result result = {.windows = c.windows,
                                     .parallel_windows = c.parallel_windows,
                                     .pending_max = c.pending_max,
                                     .bytes = c.bytes};
    for (uint32_t i = 0; i < p->lps; i++) {
        result.events += p->processes[i].events;
        result.checksum = result.checksum * 31 + p->processes[i].hash;
    }
    return result;
}

void ds_phold_destroy(struct ds_phold *p)
{
    if (p == NULL)
        return;
    ds_kernel_destroy(p->kernel);
    dc_mem_free(p->processes);
    dc_mem_free(p);
}

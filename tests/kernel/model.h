/* A model for testing the kernel, and a naive engine to run it on.
 *
 * Every event is absorbed by its node's digest, so digests compare the whole order in which nodes
 * saw their events.  A message (kind MESSAGE) sends one message on; some also set short timers for
 * their own node, inside the running window, or far ones.  All static: for test_kernel.c alone. */
#ifndef TESTS_KERNEL_MODEL_H
#define TESTS_KERNEL_MODEL_H

#include "models/base/mem.h"
#include "models/base/rng.h"
#include "sim/kernel/digest.h"
#include "sim/kernel/kernel.h"
#include "tests/support/harness.h"

#include <string.h>

enum { MODEL_MESSAGE = 1, MODEL_TIMER, MODEL_LEAF, MODEL_CUTS_MAX = 16 };

struct model_options {
    uint32_t nodes, messages; /* in flight for each node */
    uint64_t seed;
    int64_t lookahead_ns, mean_ns, end_ns;
    int64_t quantum_ns;   /* delays are multiples of it: ties; 0 or 1 for none */
    uint32_t hot_of_256;  /* messages that go to node 0 */
    uint32_t soon_of_256; /* messages that set a short timer */
    uint32_t far_of_256;  /* messages that are far away: up to 10^6 lookaheads */
    uint32_t leaves;      /* further events that send nothing, all in the second window */
    uint32_t cuts;        /* forced cuts: */
    int64_t cut_ns[MODEL_CUTS_MAX];
    int64_t cut_lookahead_ns[MODEL_CUTS_MAX]; /* from then on; 0: as before */
    uint32_t threads, parallel_count;
};

struct model_result {
    struct ds_digest digest;
    struct ds_kernel_counters counters;
    uint32_t cuts_seen, barriers_wrong;
    uint64_t disorder; /* events before their predecessor's time */
    enum ds_kernel_stop stop;
};

struct model_node {
    uint64_t rng;
    int64_t last_ns;
    uint32_t seq;
    struct ds_digest digest;
};

/* A sorted list: next event last, so that taking it is cheap; inserting moves what comes later. */
struct model_list {
    struct ds_event *event;
    size_t count, size;
    uint64_t seed;
};

struct model {
    struct model_options o;
    struct model_node *nodes;
    struct ds_kernel *kernel; /* or NULL: the list */
    struct model_list list;
    int64_t lookahead_ns, barrier_last_ns;
    uint32_t cut;
    struct model_result r;
};

static bool model_later(uint64_t seed, const struct ds_event *a, const struct ds_event *b)
{
    uint64_t ta = dc_mix64(seed ^ dc_mix64((uint64_t)a->src << 32 | a->seq));
    uint64_t tb = dc_mix64(seed ^ dc_mix64((uint64_t)b->src << 32 | b->seq));
    return a->time_ns != b->time_ns ? a->time_ns > b->time_ns : ta > tb;
}

static void model_insert(struct model_list *l, const struct ds_event *e)
{
    if (l->count == l->size) {
        l->size = l->size ? 2 * l->size : 1024;
        l->event = dc_mem_grow(l->event, l->size, sizeof *l->event);
    }
    size_t i = l->count++;
    for (; i > 0 && model_later(l->seed, e, &l->event[i - 1]); i--)
        l->event[i] = l->event[i - 1];
    l->event[i] = *e;
}

static void model_post(struct model *m, uint32_t shard, const struct ds_event *e)
{
    if (m->kernel != NULL)
        ds_kernel_post(m->kernel, shard, e);
    else
        model_insert(&m->list, e);
}

static uint64_t model_draw(struct model_node *n)
{
    return n->rng = dc_mix64(n->rng);
}

static int64_t model_delay(const struct model *m, uint64_t random)
{
    int64_t quantum = m->o.quantum_ns ? m->o.quantum_ns : 1;
    int64_t wait = (int64_t)((random >> 8) % (uint64_t)(2 * m->o.mean_ns));
    if ((random & 255) < m->o.far_of_256)
        wait = (int64_t)((random >> 8) % (uint64_t)(1000000 * m->o.lookahead_ns));
    return m->lookahead_ns + wait / quantum * quantum;
}

static void model_handle(void *ctx, uint32_t shard, const struct ds_event *e)
{
    struct model *m = ctx;
    struct model_node *n = &m->nodes[e->dst];
    if (e->time_ns < n->last_ns)
        n->digest.lane[0] = n->digest.lane[1] = 0xdead;
    n->last_ns = e->time_ns;
    ds_digest_add(&n->digest, e->time_ns, e->src, e->seq, e->kind, e->payload);
    if (e->kind == MODEL_LEAF)
        return;
    uint64_t r = model_draw(n);
    int64_t quantum = m->o.quantum_ns ? m->o.quantum_ns : 1;
    bool soon = e->kind == MODEL_TIMER ? r & 1 : (r & 255) < m->o.soon_of_256;
    if (soon) {
        uint64_t room = (uint64_t)(m->lookahead_ns / quantum / 2) + 1;
        struct ds_event t = {.time_ns = e->time_ns + (int64_t)(1 + model_draw(n) % room) * quantum,
                             .dst = e->dst,
                             .src = e->dst,
                             .seq = n->seq++,
                             .kind = MODEL_TIMER};
        model_post(m, shard, &t);
    }
    if (e->kind == MODEL_TIMER)
        return;
    uint64_t to = model_draw(n), wait = model_draw(n);
    struct ds_event out = {.time_ns = e->time_ns + model_delay(m, wait),
                           .src = e->dst,
                           .seq = n->seq++,
                           .kind = MODEL_MESSAGE,
                           .payload = r};
    out.dst = (to & 255) < m->o.hot_of_256 ? 0 : (uint32_t)((to >> 32) % m->o.nodes);
    model_post(m, shard, &out);
}

/* Cuts: each posts an event (at its very time) and may change the lookahead. */
static int64_t model_barrier(void *ctx, int64_t now_ns)
{
    struct model *m = ctx;
    if (now_ns < m->barrier_last_ns)
        m->r.barriers_wrong++;
    m->barrier_last_ns = now_ns;
    while (m->cut < m->o.cuts && m->o.cut_ns[m->cut] <= now_ns) {
        uint32_t c = m->cut++;
        if (m->o.cut_ns[c] != now_ns)
            m->r.barriers_wrong++;
        m->r.cuts_seen++;
        struct model_node *n = &m->nodes[c % m->o.nodes];
        struct ds_event e = {.time_ns = now_ns,
                             .dst = c % m->o.nodes,
                             .src = c % m->o.nodes,
                             .seq = n->seq++,
                             .kind = MODEL_MESSAGE,
                             .payload = c};
        model_post(m, 0, &e);
        if (m->o.cut_lookahead_ns[c] != 0) {
            m->lookahead_ns = m->o.cut_lookahead_ns[c];
            if (m->kernel != NULL)
                ds_kernel_set_lookahead(m->kernel, m->lookahead_ns);
        }
    }
    return m->cut < m->o.cuts ? m->o.cut_ns[m->cut] : INT64_MAX;
}

static void model_setup(struct model *m, const struct model_options *o, bool kernel)
{
    memset(m, 0, sizeof *m);
    m->o = *o;
    m->nodes = dc_mem_alloc(o->nodes, sizeof *m->nodes);
    m->list.seed = o->seed;
    m->lookahead_ns = o->lookahead_ns;
    if (kernel) {
        struct ds_kernel_config c = {.nodes = o->nodes,
                                     .threads = o->threads,
                                     .seed = o->seed,
                                     .lookahead_ns = o->lookahead_ns,
                                     .ctx = m,
                                     .handle = model_handle,
                                     .barrier = model_barrier,
                                     .parallel_count = o->parallel_count,
                                     .states = m->nodes,
                                     .states_stride = sizeof *m->nodes};
        m->kernel = ds_kernel_create(&c, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(m->kernel);
    }
    for (uint32_t i = 0; i < o->nodes; i++) {
        struct model_node *n = &m->nodes[i];
        n->rng = dc_mix64(o->seed * 1000003 + i);
        for (uint32_t j = 0; j < o->messages; j++) {
            struct ds_event e = {.time_ns = model_delay(m, model_draw(n)),
                                 .dst = i,
                                 .src = i,
                                 .seq = n->seq++,
                                 .kind = MODEL_MESSAGE};
            model_post(m, 0, &e);
        }
    }
    for (uint32_t j = 0; j < o->leaves; j++) {
        uint64_t r = dc_mix64(j), s = dc_mix64(r);
        uint32_t from = (uint32_t)(r % o->nodes);
        struct ds_event e = {
            .time_ns = o->lookahead_ns + (int64_t)(s % 1000 * (uint64_t)o->lookahead_ns / 1000),
            .dst = (s >> 32 & 255) < o->hot_of_256 ? 0 : (uint32_t)((s >> 40) % o->nodes),
            .src = from,
            .seq = m->nodes[from].seq++,
            .kind = MODEL_LEAF};
        model_post(m, 0, &e);
    }
}

static struct model_result model_end(struct model *m)
{
    struct ds_digest *digests = dc_mem_alloc(m->o.nodes, sizeof *digests);
    for (uint32_t i = 0; i < m->o.nodes; i++) {
        digests[i] = m->nodes[i].digest;
        m->r.disorder += digests[i].lane[0] == 0xdead;
    }
    m->r.digest = ds_digest_run(digests, m->o.nodes);
    dc_mem_free(digests);
    dc_mem_free(m->nodes);
    dc_mem_free(m->list.event);
    ds_kernel_destroy(m->kernel);
    return m->r;
}

/* On the kernel. */
static struct model_result model_run(const struct model_options *options)
{
    struct model m;
    model_setup(&m, options, true);
    /* In two legs: resuming must change nothing. */
    ds_kernel_run(m.kernel, options->end_ns / 3);
    m.r.stop = ds_kernel_run(m.kernel, options->end_ns);
    m.r.counters = ds_kernel_counters(m.kernel);
    return model_end(&m);
}

/* On a sorted list. */
static struct model_result model_reference(const struct model_options *options)
{
    struct model m;
    model_setup(&m, options, false);
    int64_t cut_ns = model_barrier(&m, 0);
    for (;;) {
        int64_t next_ns = m.list.count ? m.list.event[m.list.count - 1].time_ns : INT64_MAX;
        if (next_ns >= cut_ns && cut_ns <= options->end_ns) {
            cut_ns = model_barrier(&m, cut_ns);
            continue;
        }
        if (next_ns >= options->end_ns)
            break;
        struct ds_event e = m.list.event[--m.list.count];
        m.r.counters.events++;
        model_handle(&m, 0, &e);
    }
    m.r.counters.pending = m.list.count;
    return model_end(&m);
}

#endif

/* Watching a world: every event, message, commit and fault of some nodes and some time, told in an
 * order that does not show the threads.
 *
 *     shard 0:  r r r r   (as its nodes do things)      \
 *     shard 1:  r r       (commits and notes: at the     > barrier: sorted --> pending --> told,
 *     barrier:  r         barrier, from the observer's) /                     (time < now)
 *
 * A record's place among those of its node is its ordinal there, counted by whoever owns the node.
 * What a step does leaves after the step, maybe in a later window: it waits in `pending` for that.
 *
 * The kernel's events do not say when their message was sent.  A table from (source, sequence) to
 * that time is kept for messages that are under way into the watched time. */
#include "sim/world/watch.h"

#include <stdlib.h>

#include "models/base/mem.h"

struct record {
    struct ds_watched told;
    struct packet *packet; /* a reference, or NULL */
    struct dc_block *block;
    uint32_t order;
    bool hidden; /* a message that was sent before the watched time and arrives in it */
};

struct records {
    struct record *list;
    size_t count, max;
} __attribute__((aligned(64)));

struct flight { /* an open-addressing table; key 0: free (a node's first event is its start) */
    uint64_t key;
    int64_t sent_ns;
};

struct world_watch {
    struct ds_watch is;
    struct records *shard; /* one per thread, and the barrier's */
    uint32_t *order;       /* per node; the last one: of faults */
    uint8_t *up;           /* per node, as of the last barrier in the watched time; 1 before */
    uint32_t *active;      /* per fault: occurrences in force since before the watched time */
    bool looked;           /* these were told */
    int64_t barrier_ns;
    struct records pending;
    struct flight *flight;
    size_t flights, flights_max; /* a power of two */
};

/* ---- making ---------------------------------------------------------------------------------- */

enum dc_status world_watch_create(struct ds_world *w, struct dc_error *error)
{
    if (w->options.watch == NULL)
        return DC_OK;
    struct world_watch *v = w->watch = dc_mem_alloc(1, sizeof *v);
    if (v == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    v->is = *w->options.watch;
    if (v->is.until_ns == 0)
        v->is.until_ns = INT64_MAX;
    v->flights_max = 1024;
    v->shard = dc_mem_pages((w->threads + 1) * sizeof *v->shard);
    if (v->shard != NULL)
        memset(v->shard, 0, (w->threads + 1) * sizeof *v->shard);
    v->order = dc_mem_alloc(w->nodes + (size_t)1, sizeof *v->order);
    v->flight = dc_mem_alloc(v->flights_max, sizeof *v->flight);
    v->up = dc_mem_alloc(w->nodes, sizeof *v->up);
    v->active = dc_mem_alloc(w->scenario->faults_count + 1, sizeof *v->active);
    if (v->shard == NULL || v->order == NULL || v->flight == NULL || v->up == NULL ||
        v->active == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for a watcher of %u nodes", w->nodes);
    memset(v->up, 1, w->nodes);
    return DC_OK;
}

static void watch_forget(struct ds_world *w, struct records *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->list[i].packet != NULL)
            world_packet_drop(w, r->list[i].packet);
        if (r->list[i].block != NULL)
            dc_block_drop(r->list[i].block);
    }
    r->count = 0;
}

void world_watch_free(struct ds_world *w)
{
    struct world_watch *v = w->watch;
    if (v == NULL)
        return;
    for (uint32_t i = 0; v->shard != NULL && i <= w->threads; i++) {
        watch_forget(w, &v->shard[i]);
        dc_mem_free(v->shard[i].list);
    }
    watch_forget(w, &v->pending);
    dc_mem_free(v->pending.list);
    dc_mem_free(v->shard);
    dc_mem_free(v->order);
    dc_mem_free(v->up);
    dc_mem_free(v->active);
    dc_mem_free(v->flight);
    dc_mem_free(v);
    w->watch = NULL;
}

/* ---- noting ---------------------------------------------------------------------------------- */

static bool watch_node(const struct world_watch *v, uint32_t node)
{
    return v->is.nodes == NULL || (v->is.nodes[node / 64] >> (node & 63) & 1) != 0;
}

static bool watch_time(const struct world_watch *v, int64_t time_ns)
{
    return time_ns >= v->is.from_ns && time_ns < v->is.until_ns;
}

static struct record *watch_add(struct records *r)
{
    if (r->count == r->max) {
        r->max = r->max == 0 ? 64 : 2 * r->max;
        r->list = dc_mem_grow(r->list, r->max, sizeof *r->list);
        DC_CHECK(r->list != NULL);
    }
    struct record *new = &r->list[r->count++];
    memset(new, 0, sizeof *new);
    return new;
}

static void watch_message(struct record *r, const struct packet *p)
{
    r->packet = (struct packet *)(uintptr_t)p;
    world_packet_hold(r->packet, 1);
    r->told.bytes = p->payload.bytes;
    r->told.size = p->payload.size;
    r->told.content = p->digest;
}

static enum ds_watch_kind watch_kind(uint32_t event)
{
    switch (event) {
    case EV_MESSAGE:
    case EV_BODY:
    case EV_ANNOUNCE:
    case EV_PULL: return DS_WATCH_RECEIVED;
    case EV_TIMER: return DS_WATCH_TIMER;
    case EV_CALL: return DS_WATCH_CALL;
    case EV_START: return DS_WATCH_START;
    case EV_RESTART: return DS_WATCH_RESTART;
    default: return DS_WATCH_OTHER;
    }
}

void world_watch_event(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                       const struct packet *p)
{
    struct world_watch *v = w->watch;
    if (!watch_time(v, e->time_ns) || (!watch_node(v, e->dst) && !watch_node(v, e->src)))
        return;
    struct record *r = watch_add(&v->shard[shard]);
    uint32_t event = e->kind & 0xff;
    r->order = ++v->order[e->dst];
    r->told = (struct ds_watched){.kind = watch_kind(event),
                                  .time_ns = e->time_ns,
                                  .node = e->dst,
                                  .peer = e->src,
                                  .sequence = e->seq,
                                  .event = event,
                                  .sent_ns = -1,
                                  .due_ns = e->time_ns,
                                  .rolling = w->digest[e->dst].lane[0],
                                  .a = p == NULL ? e->payload : 0,
                                  .down = !w->up[e->dst]};
    if (p != NULL)
        watch_message(r, p);
}

void world_watch_send(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                      const struct packet *p, int64_t now_ns, const char *lost)
{
    struct world_watch *v = w->watch;
    bool hidden = v->is.events_only || !watch_time(v, now_ns);
    if ((hidden && (lost != NULL || v->is.events_only || !watch_time(v, e->time_ns))) ||
        (!watch_node(v, e->dst) && !watch_node(v, e->src)))
        return;
    struct record *r = watch_add(&v->shard[shard]);
    r->hidden = hidden;
    r->order = ++v->order[e->src];
    r->told = (struct ds_watched){.kind = lost != NULL ? DS_WATCH_LOST : DS_WATCH_SENT,
                                  .time_ns = now_ns,
                                  .node = e->src,
                                  .peer = e->dst,
                                  .sequence = e->seq,
                                  .event = e->kind & 0xff,
                                  .sent_ns = now_ns,
                                  .due_ns = lost != NULL ? -1 : e->time_ns,
                                  .lost = lost};
    watch_message(r, p);
}

void world_watch_fault(struct ds_world *w, uint32_t fault, bool begin, int64_t now_ns)
{
    struct world_watch *v = w->watch;
    if (now_ns < v->is.from_ns) {
        v->active[fault] += begin ? 1 : v->active[fault] > 0 ? UINT32_MAX : 0;
        return;
    }
    if (v->is.events_only || !watch_time(v, now_ns))
        return;
    struct record *r = watch_add(&v->shard[w->threads]);
    r->order = ++v->order[w->nodes];
    r->told = (struct ds_watched){.kind = begin ? DS_WATCH_FAULT : DS_WATCH_FAULT_END,
                                  .time_ns = now_ns,
                                  .node = UINT32_MAX,
                                  .peer = UINT32_MAX,
                                  .event = EV_COUNT,
                                  .fault = fault};
}

/* Nodes that went down or came up: at the last barrier, after the watcher had been there.  First
 * of all, faults that were in force already. */
static void watch_up(struct ds_world *w)
{
    struct world_watch *v = w->watch;
    if (v->barrier_ns < v->is.from_ns)
        return;
    for (uint32_t f = 0; !v->looked && f < w->scenario->faults_count; f++)
        if (v->active[f] > 0)
            world_watch_fault(w, f, true, v->barrier_ns);
    v->looked = true;
    for (uint32_t n = 0; n < w->nodes; n++) {
        if ((v->up[n] != 0) == (w->up[n] != 0)) /* a pause is a bit beside WORLD_UP */
            continue;
        v->up[n] = w->up[n];
        if (!watch_time(v, v->barrier_ns) || !watch_node(v, n))
            continue;
        struct record *r = watch_add(&v->shard[w->threads]);
        r->told = (struct ds_watched){.kind = w->up[n] ? DS_WATCH_UP : DS_WATCH_DOWN,
                                      .time_ns = v->barrier_ns,
                                      .node = n,
                                      .peer = UINT32_MAX,
                                      .event = EV_COUNT}; /* order 0: before the rest */
    }
}

/* Commits and notes as the shards still hold them. */
static void watch_deeds(struct ds_world *w, const struct shard *s)
{
    struct world_watch *v = w->watch;
    struct records *to = &v->shard[w->threads];
    for (uint32_t i = 0; i < s->commits; i++) {
        const struct commit *c = &s->commit[i];
        if (!watch_time(v, c->time_ns) || !watch_node(v, c->node))
            continue;
        struct record *r = watch_add(to);
        dc_block_hold(c->block);
        r->block = c->block;
        r->order = ++v->order[c->node];
        r->told = (struct ds_watched){.kind = DS_WATCH_COMMIT,
                                      .time_ns = c->time_ns,
                                      .node = c->node,
                                      .peer = UINT32_MAX,
                                      .event = EV_COUNT,
                                      .block = c->block};
    }
    for (uint32_t i = 0; i < s->notes; i++) {
        const struct note *n = &s->note[i];
        if (!watch_time(v, n->time_ns) || !watch_node(v, n->node))
            continue;
        struct record *r = watch_add(to);
        r->order = ++v->order[n->node];
        r->told = (struct ds_watched){.kind = DS_WATCH_NOTE,
                                      .time_ns = n->time_ns,
                                      .node = n->node,
                                      .peer = UINT32_MAX,
                                      .event = EV_COUNT,
                                      .note = n->note,
                                      .a = n->a,
                                      .b = n->b};
    }
}

/* ---- when a message was sent ----------------------------------------------------------------- */

static uint64_t flight_key(uint32_t source, uint32_t sequence)
{
    return ((uint64_t)source << 32 | sequence) + 1;
}

static struct flight *flight_find(struct flight *table, size_t max, uint64_t key)
{
    size_t i = (size_t)dc_mix64(key) & (max - 1);
    while (table[i].key != 0 && table[i].key != key)
        i = (i + 1) & (max - 1);
    return &table[i];
}

static void flight_add(struct world_watch *v, uint64_t key, int64_t sent_ns)
{
    if (2 * (v->flights + 1) > v->flights_max) {
        size_t max = 2 * v->flights_max;
        struct flight *table = dc_mem_need(max, sizeof *table, "messages under way");
        for (size_t i = 0; i < v->flights_max; i++)
            if (v->flight[i].key != 0)
                *flight_find(table, max, v->flight[i].key) = v->flight[i];
        dc_mem_free(v->flight);
        v->flight = table;
        v->flights_max = max;
    }
    struct flight *f = flight_find(v->flight, v->flights_max, key);
    v->flights += f->key == 0;
    *f = (struct flight){key, sent_ns};
}

/* Takes it out and closes the gap, so that searches need no tombstones. */
static int64_t flight_take(struct world_watch *v, uint64_t key)
{
    size_t mask = v->flights_max - 1;
    struct flight *f = flight_find(v->flight, v->flights_max, key);
    if (f->key == 0)
        return -1;
    int64_t sent_ns = f->sent_ns;
    size_t hole = (size_t)(f - v->flight);
    for (size_t i = (hole + 1) & mask; v->flight[i].key != 0; i = (i + 1) & mask) {
        size_t home = (size_t)dc_mix64(v->flight[i].key) & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* its home lies behind the hole */
        v->flight[hole] = v->flight[i];
        hole = i;
    }
    v->flight[hole].key = 0;
    v->flights--;
    return sent_ns;
}

/* ---- the barrier ----------------------------------------------------------------------------- */

static int watch_compare(const void *x, const void *y)
{
    const struct record *a = x, *b = y;
    const struct ds_watched *s = &a->told, *t = &b->told;
    if (s->time_ns != t->time_ns)
        return s->time_ns < t->time_ns ? -1 : 1;
    if (s->node != t->node) { /* faults have no node and come first */
        if (s->node == UINT32_MAX || t->node == UINT32_MAX)
            return s->node == UINT32_MAX ? -1 : 1;
        return s->node < t->node ? -1 : 1;
    }
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Everything that was noted since the last barrier goes to `pending`. */
static bool watch_gather(struct ds_world *w)
{
    struct world_watch *v = w->watch;
    size_t before = v->pending.count;
    for (uint32_t i = 0; i <= w->threads; i++) {
        struct records *from = &v->shard[i];
        for (size_t k = 0; k < from->count; k++) {
            const struct record *r = &from->list[k];
            if (r->told.kind == DS_WATCH_SENT)
                flight_add(v, flight_key(r->told.node, r->told.sequence), r->told.sent_ns);
            if (r->hidden)
                world_packet_drop(w, r->packet);
            else
                *watch_add(&v->pending) = *r;
        }
        from->count = 0;
    }
    for (size_t k = before; k < v->pending.count; k++) {
        struct ds_watched *e = &v->pending.list[k].told;
        if (e->kind == DS_WATCH_RECEIVED)
            e->sent_ns = flight_take(v, flight_key(e->peer, e->sequence));
    }
    return v->pending.count != before;
}

void world_watch_barrier(struct ds_world *w, int64_t now_ns)
{
    struct world_watch *v = w->watch;
    if (!v->is.events_only)
        watch_up(w);
    for (uint32_t i = 0; !v->is.events_only && i < w->threads; i++)
        watch_deeds(w, &w->shard[i]);
    v->barrier_ns = now_ns;
    struct records *p = &v->pending;
    if (watch_gather(w))
        qsort(p->list, p->count, sizeof *p->list, watch_compare);
    size_t told = 0;
    while (told < p->count && p->list[told].told.time_ns < now_ns)
        v->is.watched(v->is.ctx, &p->list[told++].told);
    if (told == 0)
        return;
    struct records done = {.list = p->list, .count = told};
    watch_forget(w, &done);
    p->count -= told;
    memmove(p->list, p->list + told, p->count * sizeof *p->list);
}

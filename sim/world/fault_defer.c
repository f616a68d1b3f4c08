/* Events that wait: all of a paused node's, those that a slow node has no time for yet, and the timers
 * of a suspended one.
 *
 *   event --> dispatch --(up & WORLD_HELD)--> plight.list, in order of arrival
 *                                                |  at the end: EV_RESUME
 *   world_dispatch_deferred <--------------------+
 *
 * The node goes on being held until EV_RESUME is its turn, so that nothing overtakes.
 *
 * A slow node is held while it is at work and takes up one event after another, each at the speed that
 * is in force by then: what it has not begun when the fault ends is done at its own speed. */
#include "models/base/mem.h"
#include "sim/world/faults.h"

static bool defer_packet(const struct ds_event *e)
{
    return (e->kind & 0xff) <= EV_AGAIN;
}

void world_fault_defer(struct ds_world *w, const struct ds_event *e, int64_t ready_ns)
{
    struct world_plight *p = &w->plight[e->dst];
    if (p->count == p->count_max) {
        p->count_max = p->count_max == 0 ? 16 : 2 * p->count_max;
        p->list = dc_mem_grow(p->list, p->count_max, sizeof *p->list);
        DC_CHECK(p->list != NULL);
    }
    if (defer_packet(e))
        world_packet_hold((struct packet *)(uintptr_t)e->payload, 1);
    p->list[p->count++] = (struct world_deferred){*e, ready_ns};
}

/* What a machine still has to do when it is suspended: its timers, and its start if that was due. */
static bool defer_stays(const struct ds_event *e)
{
    uint32_t event = e->kind & 0xff;
    return event == EV_TIMER || event == EV_CHANNEL || event == EV_START || event == EV_RESTART;
}

void world_fault_defer_down(struct ds_world *w, const struct ds_event *e)
{
    const struct world_plight *p = w->plight != NULL ? &w->plight[e->dst] : NULL;
    if (p != NULL && p->down != 0 && p->keeps == DS_STATE_FULL && !p->unborn && defer_stays(e))
        world_fault_defer(w, e, 0);
}

void world_fault_forget(struct ds_world *w, uint32_t node, bool timers)
{
    struct world_plight *p = &w->plight[node];
    uint32_t kept = 0;
    for (uint32_t i = p->next; i < p->count; i++) {
        const struct ds_event e = p->list[i].event;
        if (defer_packet(&e))
            world_packet_drop(w, (struct packet *)(uintptr_t)e.payload);
        else if (!timers && defer_stays(&e))
            p->list[kept++] = p->list[i];
    }
    p->count = kept;
    p->next = 0;
}

void world_fault_work(struct ds_world *w, uint32_t shard, uint32_t node, int64_t until_ns)
{
    struct world_plight *p = &w->plight[node];
    p->resuming = p->working = true;
    p->resume_ns = until_ns;
    world_fault_flags(w, node);
    world_post_self(w, shard, node, until_ns, EV_RESUME, 0);
}

void world_fault_resume(struct ds_world *w, uint32_t shard, const struct ds_event *e)
{
    struct world_plight *p = &w->plight[e->dst];
    if (!p->resuming || p->down != 0 || (p->working && e->time_ns != p->resume_ns))
        return;
    if (p->working && e->time_ns < w->busy_ns[e->dst]) { /* a sibling has its processor */
        world_fault_work(w, shard, e->dst, w->busy_ns[e->dst]);
        return;
    }
    p->resuming = p->working = false;
    world_fault_flags(w, e->dst);
    /* until it is paused again, or slow and at work */
    while (p->held == 0 && !p->resuming && p->next < p->count) {
        struct world_deferred d = p->list[p->next++];
        if (p->next == p->count)
            p->next = p->count = 0;
        d.event.time_ns = e->time_ns;
        world_dispatch_deferred(w, shard, &d.event,
                                d.ready_ns > e->time_ns ? d.ready_ns : e->time_ns);
    }
}

/* Nodes that are down, paused or slow.
 *
 *   down     by so many reasons; up again when the last one is gone, with the least that any left:
 *            full      memory is kept; timers that were due meanwhile fire at the restart, in order
 *            durable   a new process on the same disk (models/node/durable.h)
 *            none      on an empty disk
 *   held     paused: what comes waits (fault_defer.c), in order, and is taken up at the end
 *   slow     factors multiply; what comes while it is at work waits (fault_defer.c)
 *
 * Messages to a node that is down are lost; what it had not taken up too. */
#include "models/adversary/byzantine.h"
#include "models/base/mem.h"
#include "models/node/durable.h"
#include "sim/world/channel.h"
#include "sim/world/faults.h"

void world_fault_flags(struct ds_world *w, uint32_t node)
{
    const struct world_plight *p = &w->plight[node];
    uint8_t up = WORLD_UP;
    if (p->held != 0 || p->resuming)
        up |= WORLD_HELD;
    if (world_clock_odd(w, node))
        up |= WORLD_CLOCK;
    if (p->armed != 0)
        up |= WORLD_DISK;
    w->up[node] = p->down != 0 ? 0 : up;
}

/* What was volatile is gone: timers of the incarnation before are void. */
static void node_void(struct ds_world *w, uint32_t node)
{
    w->incarnation[node]++;
    world_fault_forget(w, node, true);
    world_clock_forget(w, node);
}

static void node_stop(struct ds_world *w, uint32_t node)
{
    w->busy_ns[node] = 0;
    ds_net_reset_queues(w->net, node);
    world_fault_forget(w, node, false);
}

void world_fault_down(struct ds_world *w, uint32_t node, enum ds_fault_state keeps, int64_t now_ns)
{
    struct world_plight *p = &w->plight[node];
    if (p->down++ == 0) {
        p->keeps = DS_STATE_FULL;
        p->unborn = p->unborn || now_ns < 1; /* EV_START is at 1 ns */
        p->resuming = p->working = false;
        node_stop(w, node);
    }
    if ((uint8_t)keeps > p->keeps) {
        const struct world_image *lost = world_fault_lost(w, node);
        if (p->keeps == DS_STATE_FULL) {
            node_void(w, node);
            if (lost != NULL && p->image.bytes == NULL && !p->unborn) {
                p->image = world_image_copy(w, lost);
                p->excused = true;
            }
        }
        if (keeps == DS_STATE_NONE && !p->unborn)
            p->excused = true;
        p->keeps = (uint8_t)keeps;
    }
    world_fault_flags(w, node);
}

static void node_resume(struct ds_world *w, uint32_t node, int64_t now_ns)
{
    struct world_plight *p = &w->plight[node];
    if (!p->working) { /* else it goes on when it has done what it is at */
        p->resuming = p->count != 0;
        if (p->resuming)
            world_post_self(w, 0, node, now_ns, EV_RESUME, 0);
    }
    world_fault_flags(w, node);
}

void world_fault_up(struct ds_world *w, uint32_t node, int64_t now_ns)
{
    struct world_plight *p = &w->plight[node];
    DC_CHECK(p->down > 0);
    if (--p->down > 0)
        return;
    if (p->unborn) {
        p->unborn = false;
        world_fault_flags(w, node);
        if (now_ns > 1)
            world_post_self(w, 0, node, now_ns, EV_START, 0);
    } else if (p->keeps == DS_STATE_FULL) {
        if (p->held == 0)
            node_resume(w, node, now_ns);
        else
            world_fault_flags(w, node);
    } else {
        world_fault_reboot(w, node, now_ns);
    }
}

void world_fault_hold(struct ds_world *w, uint32_t node)
{
    w->plight[node].held++;
    world_fault_flags(w, node);
}

void world_fault_release(struct ds_world *w, uint32_t node, int64_t now_ns)
{
    struct world_plight *p = &w->plight[node];
    DC_CHECK(p->held > 0);
    if (--p->held == 0 && p->down == 0)
        node_resume(w, node, now_ns);
}

void world_fault_slow(struct ds_world *w, uint32_t node, int64_t now_ns)
{
    uint32_t old = w->slow_q16[node];
    double factor = DS_NET_Q16_ONE;
    for (size_t i = 0; i < w->scenario->faults_count; i++) {
        const struct ds_fault *f = &w->scenario->faults[i];
        const struct world_occurrence *o = w->script->fault[i].first;
        for (; f->kind == DS_FAULT_SLOW_CPU && o != NULL; o = o->next)
            if (o->to.node[node])
                factor *= f->factor;
    }
    uint32_t new = factor + 0.5 >= 4294967295.0 ? UINT32_MAX : (uint32_t)(factor + 0.5);
    w->slow_q16[node] = new;
    if (!w->plight[node].working || new == old)
        return;
    int64_t left_ns = w->busy_ns[node] > now_ns ? w->busy_ns[node] - now_ns : 0;
    left_ns = (int64_t)dc_muldiv((uint64_t)left_ns, new, old);
    w->busy_ns[node] = now_ns + (left_ns > 0 ? left_ns : 1);
    world_fault_work(w, 0, node, w->busy_ns[node]);
}

/* --- starting again --------------------------------------------------------------------------- */

/* As the node was made, with what has become of its strategy since. */
static struct dc_node_config node_config(struct ds_world *w, uint32_t n)
{
    const struct dc_node *old = w->node[n];
    const struct dc_content *filler = old->service != NULL ? &old->service->storage.filler : NULL;
    struct dc_node_config config = world_node_config(w, n, filler, old->accomplice);
    config.strategy = old->strategy;
    config.turn_score = old->turn_score;
    if (old->service != NULL)
        config.disk = old->service->storage.disk;
    return config;
}

static struct dc_node *node_recover(struct ds_world *w, uint32_t node)
{
    struct world_plight *p = &w->plight[node];
    const struct dc_node_config config = node_config(w, node);
    struct world_image disk = p->image;
    uint8_t *written = NULL;
    bool lost = false;
    if (p->torn.bytes != NULL) { /* the later of two copies: whether it is whole, it finds out */
        struct dc_node *fresh =
            dc_node_recover(&config, p->torn.bytes, p->torn.size, &lost, &w->error);
        if (fresh == NULL || !lost)
            return fresh;
        dc_node_destroy(fresh);
    }
    if (p->keeps == DS_STATE_NONE)
        disk = (struct world_image){0};
    else if (disk.bytes == NULL) {
        disk.size = dc_node_save(w->node[node], &written);
        disk.bytes = written;
    }
    struct dc_node *fresh = dc_node_recover(&config, disk.bytes, disk.size, &lost, &w->error);
    dc_mem_free(written);
    p->excused = p->excused || lost;
    return fresh;
}

void world_fault_reboot(struct ds_world *w, uint32_t node, int64_t now_ns)
{
    struct world_plight *p = &w->plight[node];
    struct dc_node *old = w->node[node], *fresh = node_recover(w, node);
    if (fresh == NULL) {
        w->end_check = true; /* w->error says why */
        return;
    }
    fresh->adversary = old->adversary; /* a cheat's own memory is outside of the node */
    old->adversary = NULL;
    if (dc_byzantine_active(old))
        dc_byzantine_move(old, fresh);
    w->node[node] = fresh;
    dc_node_destroy(old);
    if (w->channels != NULL)
        world_channel_restart(w, node);
    world_image_drop(w, &p->image);
    world_image_drop(w, &p->torn);
    p->keeps = DS_STATE_FULL;
    p->resuming = false;
    world_fault_flags(w, node);
    world_post_self(w, 0, node, now_ns, EV_RESTART, 0);
}

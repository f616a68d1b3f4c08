/* The griefer: it makes honest nodes fail by delaying what they send.
 *
 * Who is challenged in an epoch is public from its first block on (models/README.md 6), and who
 * missed a first asking is asked again.  An attacker with a hand on some nodes' links follows the
 * chain, picks up to `count` of them among those who are, and delays everything that they send.  It
 * stays with a victim that is about to be asked a second time, since only two misses are a failure;
 * the rest are drawn by keys of (seed, fault, epoch, node).
 *
 *     every virtual second:  final state of a new epoch? --> new victims --> one rule of links */
#include <stdlib.h>

#include "models/base/mem.h"
#include "sim/world/faults.h"
#include "sim/world/observe.h"
#include "sim/world/population.h"

struct world_grief {
    const struct ds_fault *fault;
    const bool *target;
    uint64_t identity;
    bool started, ruled;
    uint64_t epoch; /* of the victims */
    uint32_t handle;
    struct grief_victim {
        uint64_t key;
        uint32_t node;
        bool again; /* to be asked a second time */
    } * victim;     /* candidates first, then the chosen ones at the front */
    uint32_t victims;
};

struct world_grief *world_grief_create(struct ds_world *w, const struct ds_fault *f,
                                       uint64_t identity, const bool *target)
{
    struct world_grief *g = dc_mem_need(1, sizeof *g, "a griefer");
    g->fault = f;
    g->identity = identity;
    g->target = target;
    g->victim = dc_mem_need(w->nodes, sizeof *g->victim, "a griefer's victims");
    return g;
}

void world_grief_free(struct world_grief *g)
{
    if (g == NULL)
        return;
    dc_mem_free(g->victim);
    dc_mem_free(g);
}

static int grief_compare(const void *x, const void *y)
{
    const struct grief_victim *a = x, *b = y;
    if (a->again != b->again)
        return a->again ? -1 : 1;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

static void grief_choose(struct ds_world *w, struct world_grief *g, const struct dc_block *b)
{
    g->victims = 0;
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct dc_account *a = g->target[n] ? dc_state_account(b->state, n) : NULL;
        if (a == NULL || a->posync.ejected)
            continue;
        bool again = a->posync.challenge.asking == 2;
        if (a->posync.in_t == 0 && !again)
            continue;
        struct dc_stream s =
            dc_stream(w->scenario->seed ^ g->identity, w->identity[n], dc_name("grief"));
        g->victim[g->victims++] =
            (struct grief_victim){dc_stream_at(&s, b->header.epoch), n, again};
    }
    qsort(g->victim, g->victims, sizeof *g->victim, grief_compare);
    if (g->victims > g->fault->count)
        g->victims = g->fault->count;
}

static enum dc_status grief_rule(struct ds_world *w, struct world_grief *g, struct dc_error *error)
{
    uint64_t *src = dc_mem_need(w->nodes / 64 + 1, sizeof *src, "a griefer's links");
    for (uint32_t i = 0; i < g->victims; i++)
        src[g->victim[i].node / 64] |= (uint64_t)1 << (g->victim[i].node & 63);
    struct ds_net_rule rule = {.identity = g->identity,
                               .src = src,
                               .latency_add_ns = g->fault->latency_add_ns,
                               .latency_factor_q16 = DS_NET_Q16_ONE,
                               .bandwidth_factor_q16 = DS_NET_Q16_ONE};
    enum dc_status s = ds_net_rule_begin(w->net, &rule, &g->handle, error);
    g->ruled = s == DC_OK;
    dc_mem_free(src);
    return s;
}

enum dc_status world_grief_run(struct ds_world *w, struct world_grief *g, struct dc_error *error)
{
    const struct dc_block *b = world_block_final(w);
    if (g->started && b->header.epoch == g->epoch)
        return DC_OK;
    world_grief_end(w, g);
    g->started = true;
    g->epoch = b->header.epoch;
    grief_choose(w, g, b);
    return g->victims == 0 ? DC_OK : grief_rule(w, g, error);
}

void world_grief_end(struct ds_world *w, struct world_grief *g)
{
    if (g->ruled)
        ds_net_rule_end(w->net, g->handle);
    g->ruled = g->started = false;
}

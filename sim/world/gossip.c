/* The gossip overlay at work: push small messages, announce and pull large ones, once to each.
 *
 *   small   A --body--> B                      large   A --announce--> B
 *                                                      A <--pull------ B
 *                                                      A --body------> B
 *
 * A node passes a message on when its protocol code has found it worth that (DC_EFFECT_RELAY), to
 * all its neighbours but the one it came from.  A node's memory of what it has seen is one byte
 * per message, kept with the message; it is that node's alone.  A pull or a body can be lost: whoever
 * has asked and got nothing for a while asks its other neighbours, one after another.  One that does
 * not have the message keeps silent. */
#include "models/base/mem.h"
#include "sim/world/inside.h"

/* Above this many bytes a message is announced, not pushed (models/README.md 4). */
const uint32_t world_gossip_push_max = 16 * 1024;

/* A message stays pullable for so long after its birth. */
static const int64_t gossip_life_ns = 5000000000;

void world_gossip_start(struct ds_world *w, uint32_t shard, uint32_t node, struct packet *p,
                        int64_t now_ns)
{
    struct shard *s = &w->shard[shard];
    p->seen = dc_mem_need(w->nodes, 1, "a gossiped message");
    p->seen[node] = GOSSIP_HAVE;
    p->born_ns = now_ns;
    world_packet_hold(p, 1); /* the list's */
    if (s->gossip_last != NULL)
        s->gossip_last->next = p;
    else
        s->gossip_first = p;
    s->gossip_last = p;
    world_gossip_relay(w, shard, node, node, p, now_ns);
}

void world_gossip_relay(struct ds_world *w, uint32_t shard, uint32_t node, uint32_t from,
                        struct packet *p, int64_t now_ns)
{
    uint32_t count;
    const uint32_t *neighbour = ds_overlay_neighbours(&w->overlay, node, &count);
    enum world_event kind = p->payload.size <= world_gossip_push_max ? EV_BODY : EV_ANNOUNCE;
    uint32_t before = 0;
    while (before < count && neighbour[before] != from)
        before++;
    world_send_many(w, shard, node, neighbour, before, p, kind, now_ns);
    if (before < count)
        world_send_many(w, shard, node, neighbour + before + 1, count - before - 1, p, kind,
                        now_ns);
}

static void gossip_wait(struct ds_world *w, uint32_t shard, uint32_t node, struct packet *p,
                        uint32_t times, int64_t now_ns)
{
    world_packet_hold(p, 1);
    world_post_self(w, shard, node, now_ns + w->patience_ns, EV_AGAIN | times << 8,
                    (uint64_t)(uintptr_t)p);
}

void world_gossip_announce(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                           struct packet *p, int64_t now_ns)
{
    if (p->seen[e->dst] != GOSSIP_UNSEEN)
        return;
    p->seen[e->dst] = GOSSIP_ASKED;
    world_send(w, shard, e->dst, e->src, p, EV_PULL, now_ns);
    gossip_wait(w, shard, e->dst, p, 1, now_ns);
}

void world_gossip_again(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                        struct packet *p)
{
    uint32_t count, times = e->kind >> 8;
    const uint32_t *neighbour = ds_overlay_neighbours(&w->overlay, e->dst, &count);
    if (p->seen[e->dst] != GOSSIP_ASKED || times > count || !w->up[e->dst] ||
        e->time_ns - p->born_ns > gossip_life_ns)
        return;
    uint32_t first = (uint32_t)(dc_mix64(p->digest ^ e->dst) % count);
    world_send(w, shard, e->dst, neighbour[(first + times) % count], p, EV_PULL, e->time_ns);
    gossip_wait(w, shard, e->dst, p, times + 1, e->time_ns);
}

void world_gossip_pull(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                       struct packet *p, int64_t now_ns)
{
    if (p->seen[e->dst] == GOSSIP_HAVE)
        world_send(w, shard, e->dst, e->src, p, EV_BODY, now_ns);
}

bool world_gossip_body(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                       struct packet *p)
{
    if (p->seen[e->dst] == GOSSIP_HAVE) {
        w->shard[shard].duplicates++;
        return false;
    }
    p->seen[e->dst] = GOSSIP_HAVE;
    return true;
}

void world_gossip_expire(struct ds_world *w, int64_t now_ns)
{
    for (uint32_t i = 0; i < w->threads; i++) {
        struct shard *s = &w->shard[i];
        while (s->gossip_first != NULL && now_ns - s->gossip_first->born_ns > gossip_life_ns) {
            struct packet *p = s->gossip_first;
            s->gossip_first = p->next;
            if (s->gossip_first == NULL)
                s->gossip_last = NULL;
            world_packet_drop(w, p);
        }
    }
}

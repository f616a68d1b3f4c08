/* Packets: bytes under way, and the way from a node's hand to the kernel's queue.
 *
 * A packet is made once, however many receive it; every pending event that names it holds one
 * reference.  Counts are atomic, because sender and receiver may run on different threads; when
 * the last one goes the bytes are freed at once.  Nothing that a run computes depends on where a
 * packet lies or when it goes. */
#include "models/base/mem.h"
#include "models/crypto/hash.h"
#include "sim/world/inside.h"

struct packet *world_packet(struct ds_world *w, uint32_t node, const void *bytes, size_t size,
                            uint64_t bulk)
{
    DC_CHECK(size > 0 && size <= DS_NET_SIZE_MAX);
    struct packet *p = dc_mem_need(1, sizeof *p + size, "a message");
    memcpy(p->data, bytes, size);
    p->payload.bytes = p->data;
    p->payload.size = (uint32_t)size;
    p->payload.kind = p->data[0];
    atomic_init(&p->payload.memo, NULL);
    atomic_init(&p->refs, 1);
    p->origin = node;
    p->bulk = bulk;
    p->digest = ds_digest_bytes(bytes, size);
    return p;
}

void world_packet_drop(struct ds_world *w, struct packet *p)
{
    if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    void *memo = atomic_load_explicit(&p->payload.memo, memory_order_relaxed);
    if (memo != NULL)
        dc_node_memo_free(p->payload.kind, memo);
    dc_mem_free(p->seen);
    dc_mem_free(p);
}

uint32_t world_wire(const struct packet *p, enum world_event kind, uint32_t *size)
{
    *size = 41; /* an announcement or a request names a message by its hash and kind */
    if (kind == EV_ANNOUNCE)
        return KIND_ANNOUNCE;
    if (kind == EV_PULL)
        return KIND_PULL;
    uint64_t whole = p->payload.size + p->bulk + 16; /* 16: the cipher's tag, per frame */
    *size = whole > DS_NET_SIZE_MAX ? DS_NET_SIZE_MAX : (uint32_t)whole;
    return p->payload.kind < DC_MSG_COUNT ? p->payload.kind : 0;
}

static void transport_post(struct ds_world *w, uint32_t shard, uint32_t src, uint32_t dst,
                           struct packet *p, enum world_event kind, const struct ds_delivery *d)
{
    uint32_t sequence = w->sequence[src]++;
    if (d->outcome != DS_NET_SENT)
        return;
    world_packet_hold(p, 1);
    struct ds_event e = {.time_ns = d->arrival_ns,
                         .dst = dst,
                         .src = src,
                         .seq = sequence,
                         .kind = kind,
                         .payload = (uint64_t)(uintptr_t)p};
    ds_kernel_post(w->kernel, shard, &e);
}

void world_send(struct ds_world *w, uint32_t shard, uint32_t src, uint32_t dst, struct packet *p,
                enum world_event kind, int64_t now_ns)
{
    uint32_t size, counted = world_wire(p, kind, &size);
    struct ds_delivery d =
        ds_net_send(w->net, &w->shard[shard].net, src, dst, counted, size, now_ns);
    transport_post(w, shard, src, dst, p, kind, &d);
}

void world_send_many(struct ds_world *w, uint32_t shard, uint32_t src, const uint32_t *dst,
                     uint32_t count, struct packet *p, enum world_event kind, int64_t now_ns)
{
    struct shard *s = &w->shard[shard];
    if (s->delivery_max < count) {
        dc_mem_free(s->delivery);
        s->delivery = dc_mem_need(count, sizeof *s->delivery, "deliveries");
        s->delivery_max = count;
    }
    uint32_t size, counted = world_wire(p, kind, &size);
    ds_net_send_many(w->net, &s->net, src, dst, count, counted, size, now_ns, s->delivery);
    for (uint32_t i = 0; i < count; i++)
        transport_post(w, shard, src, dst[i], p, kind, &s->delivery[i]);
}

void world_post_self(struct ds_world *w, uint32_t shard, uint32_t node, int64_t time_ns,
                     uint32_t kind, uint64_t payload)
{
    struct ds_event e = {.time_ns = time_ns,
                         .dst = node,
                         .src = node,
                         .seq = w->sequence[node]++,
                         .kind = kind,
                         .payload = payload};
    ds_kernel_post(w->kernel, shard, &e);
}

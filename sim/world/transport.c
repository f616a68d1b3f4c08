/* Packets: bytes under way, and the way from a node's hand to the kernel's queue.
 *
 * A packet is made once, however many receive it; every pending event that names it holds one
 * reference.  Counts are atomic, because sender and receiver may run on different threads; when
 * the last one goes the bytes are freed at once.  Nothing that a run computes depends on where a
 * packet lies or when it goes.
 *
 * What a faulty link corrupts becomes a packet of its own, which its copies share: it has nothing
 * that was remembered of the original, and gossip does not know it as the original's body. */
#include "models/base/mem.h"
#include "models/crypto/hash.h"
#include "sim/world/channel.h"
#include "sim/world/inside.h"

/* An announcement or a request names a message by its hash and kind. */
#define TRANSPORT_CONTROL_BYTES 41
#define TRANSPORT_TAG_BYTES 16 /* the cipher's, per frame */

#ifdef DC_MUTANTS
#include <unistd.h>
#endif
#include "sim/world/watch.h"

struct packet *world_packet(struct ds_world *w, uint32_t node, const void *bytes, size_t size,
                            uint64_t bulk)
{
    DC_CHECK(size > 0 && size <= DS_NET_SIZE_MAX);
    struct packet *p = dc_mem_need(1, sizeof *p + size, "a message");
    memcpy(p->data, bytes, size);
    p->payload.bytes = p->data;
    p->payload.size = (uint32_t)size;
    p->payload.kind = p->data[0];
    p->counted = p->payload.kind < DC_MSG_COUNT ? p->payload.kind : 0;
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
    if (p->inner != NULL)
        world_packet_drop(w, p->inner);
    dc_mem_free(p->seen);
    dc_mem_free(p);
}

/* A frame: what it carries, without the tag that is reckoned for open links, and its own. */
static __attribute__((noinline, cold)) uint32_t transport_frame(const struct packet *p,
                                                                enum world_event kind,
                                                                uint32_t *size)
{
    uint32_t counted = world_wire(p->inner, kind, size);
    if (*size < DS_NET_SIZE_MAX - WORLD_FRAME_BYTES)
        *size += WORLD_FRAME_BYTES - TRANSPORT_TAG_BYTES;
    return counted;
}

uint32_t world_wire(const struct packet *p, enum world_event kind, uint32_t *size)
{
    if (__builtin_expect(p->inner != NULL, 0))
        return transport_frame(p, kind, size);
    *size = TRANSPORT_CONTROL_BYTES;
    if (kind == EV_ANNOUNCE)
        return KIND_ANNOUNCE;
    if (kind == EV_PULL)
        return KIND_PULL;
    uint64_t whole = p->payload.size + p->bulk + TRANSPORT_TAG_BYTES;
    *size = whole > DS_NET_SIZE_MAX ? DS_NET_SIZE_MAX : (uint32_t)whole;
    return p->counted;
}

/* Copies of the event of sequence n are n with one of these bits, so that they move no other event's
 * tie.  A node that causes 2^30 events would use them too, at other times. */
#define TRANSPORT_COPY 0x80000000u
#define TRANSPORT_REPLAY 0x40000000u

void world_flip(uint8_t *bytes, size_t size, uint64_t seed)
{
    struct dc_stream s = dc_stream(seed, 0, dc_name("corruption"));
    uint64_t place[8];
    uint32_t count = 1 + (uint32_t)dc_next_below(&s, 8);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = 0;
        place[i] = dc_next_below(&s, 8 * (uint64_t)size);
        while (place[other] != place[i])
            other++;
        if (other == i)
            bytes[place[i] / 8] ^= (uint8_t)(1u << place[i] % 8);
        else
            i--; /* flipped already: another */
    }
}

/* p as a faulty link delivers it, with one reference; *kind becomes what it can be taken for. */
static struct packet *transport_mangle(struct ds_world *w, const struct packet *p,
                                       enum world_event *kind, uint64_t seed)
{
    struct packet *q;
    if (p->inner != NULL)
        return world_channel_mangle(w, p, *kind, seed);
    if (*kind == EV_ANNOUNCE || *kind == EV_PULL) {
        /* Control of gossip has no bytes here: what comes names nothing, and no node reads it. */
        uint8_t control[TRANSPORT_CONTROL_BYTES - TRANSPORT_TAG_BYTES] = {
            *kind == EV_PULL ? KIND_PULL : KIND_ANNOUNCE};
        memcpy(control + 1, &p->digest, sizeof p->digest);
        world_flip(control, sizeof control, seed);
        q = world_packet(w, p->origin, control, sizeof control, 0);
        q->counted = *kind == EV_PULL ? KIND_PULL : KIND_ANNOUNCE;
        *kind = EV_MESSAGE;
        return q;
    }
    uint8_t *bytes = dc_mem_need(p->payload.size, 1, "a corrupted message");
    memcpy(bytes, p->data, p->payload.size);
    world_flip(bytes, p->payload.size, seed);
    q = world_packet(w, p->origin, bytes, p->payload.size, p->bulk);
    q->counted = p->counted;
    dc_mem_free(bytes);
    return q;
}

/* What a faulty link corrupts, copies or replays: an event for each arrival. */
static __attribute__((noinline, cold)) void transport_post_disturbed(
    struct ds_world *w, uint32_t shard, const struct ds_event *first, struct packet *p,
    const struct ds_delivery *d, int64_t now_ns)
{
    enum world_event kind = (enum world_event)first->kind;
    struct packet *q = p;
    if (d->mangle != 0)
        q = transport_mangle(w, p, &kind, d->mangle);
    else
        world_packet_hold(p, 1);
    const int64_t time_ns[3] = {d->arrival_ns, d->copy_ns, d->replay_ns};
    const uint32_t mark[3] = {0, TRANSPORT_COPY, TRANSPORT_REPLAY};
    for (int i = 0; i < 3; i++) {
        if (i > 0 && time_ns[i] == 0)
            continue;
        if (i > 0)
            world_packet_hold(q, 1);
        struct ds_event e = *first;
        e.time_ns = time_ns[i];
        e.seq |= mark[i];
        e.kind = kind;
        e.payload = (uint64_t)(uintptr_t)q;
        if (i > 0 && w->watch != NULL)
            world_watch_send(w, shard, &e, world_packet_plain(q), now_ns, NULL);
        ds_kernel_post(w->kernel, shard, &e);
    }
}

static void transport_post(struct ds_world *w, uint32_t shard, uint32_t src, uint32_t dst,
                           struct packet *p, enum world_event kind, const struct ds_delivery *d,
                           int64_t now_ns)
{
    uint32_t sequence = w->sequence[src]++;
    struct ds_event e = {.time_ns = d->arrival_ns,
                         .dst = dst,
                         .src = src,
                         .seq = sequence,
                         .kind = kind,
                         .payload = (uint64_t)(uintptr_t)p};
    if (__builtin_expect(w->watch != NULL, 0))
        world_watch_send(w, shard, &e, world_packet_plain(p), now_ns,
                         d->outcome == DS_NET_SENT ? NULL : ds_net_outcome_name(d->outcome));
    if (d->outcome != DS_NET_SENT)
        return;
    if (__builtin_expect(((uint64_t)(d->copy_ns | d->replay_ns) | d->mangle) != 0, 0)) {
        transport_post_disturbed(w, shard, &e, p, d, now_ns);
        return;
    }
    world_packet_hold(p, 1);
#ifdef DC_MUTANTS
    if (DC_MUTANT(&w->scenario->protocol, NONDETERMINISM) && sequence % 16 == 15)
        e.time_ns += getpid() & 0xfff;
#endif
    ds_kernel_post(w->kernel, shard, &e);
}

void world_send(struct ds_world *w, uint32_t shard, uint32_t src, uint32_t dst, struct packet *p,
                enum world_event kind, int64_t now_ns)
{
    if (__builtin_expect(w->channels != NULL, 0))
        world_channel_send(w, shard, src, dst, p, kind, now_ns);
    else
        world_send_raw(w, shard, src, dst, p, kind, now_ns);
}

void world_send_raw(struct ds_world *w, uint32_t shard, uint32_t src, uint32_t dst,
                    struct packet *p, enum world_event kind, int64_t now_ns)
{
    uint32_t size, counted = world_wire(p, kind, &size);
    struct ds_delivery d =
        ds_net_send(w->net, &w->shard[shard].net, src, dst, counted, size, now_ns);
    transport_post(w, shard, src, dst, p, kind, &d, now_ns);
}

void world_send_many(struct ds_world *w, uint32_t shard, uint32_t src, const uint32_t *dst,
                     uint32_t count, struct packet *p, enum world_event kind, int64_t now_ns)
{
    struct shard *s = &w->shard[shard];
    if (__builtin_expect(w->channels != NULL, 0)) {
        for (uint32_t i = 0; i < count; i++)
            world_channel_send(w, shard, src, dst[i], p, kind, now_ns);
        return;
    }
    if (s->delivery_max < count) {
        dc_mem_free(s->delivery);
        s->delivery = dc_mem_need(count, sizeof *s->delivery, "deliveries");
        s->delivery_max = count;
    }
    uint32_t size, counted = world_wire(p, kind, &size);
    ds_net_send_many(w->net, &s->net, src, dst, count, counted, size, now_ns, s->delivery);
    for (uint32_t i = 0; i < count; i++)
        transport_post(w, shard, src, dst[i], p, kind, &s->delivery[i], now_ns);
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

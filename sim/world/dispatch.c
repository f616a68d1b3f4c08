/* One event at one node: from the kernel's queue through the node's step to effects under way.
 *
 * Time at a node.  A message is whole when the downlink has delivered it, and is taken up when the
 * processor is free, in order of arrival; the handler runs here at once, with `now` set to that
 * moment, because nothing can come between.  What the step charged keeps the processor busy from
 * then on, and its effects leave at the end of that work:
 *
 *     event time --downlink--> delivered --processor queue--> now --charges--> effects leave
 */
#include "models/base/mem.h"
#include "sim/world/channel.h"
#include "sim/world/inside.h"
#include "sim/world/watch.h"

void world_prefetch(void *ctx, uint32_t node)
{
    struct ds_world *w = ctx;
    __builtin_prefetch(w->node[node]);
    __builtin_prefetch(&w->digest[node]);
    __builtin_prefetch(&w->busy_ns[node]);
}

/* In ns / 256, at the node's own speed. */
static uint64_t dispatch_cost(const struct ds_world *w, uint32_t node, const uint32_t *charge,
                              int64_t start_ns)
{
    uint64_t sum = 0;
    for (int i = 0; i < DC_COST_COUNT; i++)
        sum += (uint64_t)charge[i] * w->cost_ns_q8[i];
    if (w->machines)
        sum = world_machine_cost(w, node, charge, sum, start_ns);
    return sum;
}

/* When a slow node has done what costs so much; what comes until then waits. */
static __attribute__((noinline, cold)) int64_t dispatch_slow(struct ds_world *w, uint32_t shard,
                                                             uint32_t node, uint64_t cost,
                                                             int64_t start_ns, int64_t now_ns)
{
    cost = dc_muldiv(cost, w->slow_q16[node], DS_NET_Q16_ONE);
    int64_t done_ns = start_ns + (int64_t)(cost >> 8);
    if (done_ns > now_ns)
        world_fault_work(w, shard, node, done_ns);
    return done_ns;
}

static void dispatch_work(struct shard *s, uint32_t node, int64_t start_ns, int64_t leave_ns);

int64_t world_work(struct ds_world *w, uint32_t shard, uint32_t node, const uint32_t *charge,
                   int64_t now_ns)
{
    int64_t start_ns = now_ns > w->busy_ns[node] ? now_ns : w->busy_ns[node];
    uint64_t cost = dispatch_cost(w, node, charge, start_ns);
    int64_t leave_ns = w->slow_q16[node] != DS_NET_Q16_ONE
                           ? dispatch_slow(w, shard, node, cost, start_ns, now_ns)
                           : start_ns + (int64_t)(cost >> 8);
    w->busy_ns[node] = leave_ns;
    if (w->sibling != NULL && w->sibling[node] != node && leave_ns > start_ns)
        dispatch_work(&w->shard[shard], node, start_ns, leave_ns);
    return leave_ns;
}

/* A list with room for one more. */
static void *dispatch_room(void *list, uint32_t count, uint32_t *max, size_t size)
{
    if (count < *max)
        return list;
    *max = *max == 0 ? 256 : 2 * *max;
    list = dc_mem_grow(list, *max, size);
    DC_CHECK(list != NULL);
    return list;
}

static void dispatch_commit(struct shard *s, uint32_t node, const struct dc_effect *e,
                            int64_t now_ns)
{
    s->commit = dispatch_room(s->commit, s->commits, &s->commits_max, sizeof *s->commit);
    struct dc_block *block = (struct dc_block *)(uintptr_t)e->object;
    atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
    s->commit[s->commits++] = (struct commit){block, now_ns, node};
}

static void dispatch_note(struct shard *s, uint32_t node, const struct dc_effect *e, int64_t now_ns)
{
    s->note = dispatch_room(s->note, s->notes, &s->notes_max, sizeof *s->note);
    s->note[s->notes++] = (struct note){.object = e->object,
                                        .time_ns = now_ns,
                                        .a = e->a,
                                        .b = e->b,
                                        .node = node,
                                        .note = (uint32_t)e->timer};
}

void world_note(struct ds_world *w, uint32_t shard, uint32_t node, const struct dc_effect *e,
                int64_t now_ns)
{
    dispatch_note(&w->shard[shard], node, e, now_ns);
}

static void dispatch_vote(struct ds_world *w, struct shard *s, uint32_t node, const uint8_t *bytes,
                          uint32_t size, int64_t now_ns)
{
    if (size > sizeof s->vote->bytes)
        return;
    s->vote = dispatch_room(s->vote, s->votes, &s->votes_max, sizeof *s->vote);
    struct vote_seen *v = &s->vote[s->votes++];
    v->time_ns = now_ns;
    v->node = node;
    v->size = (uint16_t)size;
    memcpy(v->bytes, bytes, size);
    if (bytes[0] == DC_MSG_VOTE && size == DC_VOTE_MSG_BYTES)
        w->voted[node] = dc_get64(bytes + 1) << 32 | dc_get64(bytes + 9);
}

/* A vote that a collector counts itself is never sent.  It goes before the timeouts of the same step
 * that end its round or later ones. */
static void dispatch_own_vote(struct ds_world *w, struct shard *s, uint32_t node, int64_t now_ns)
{
    const struct dc_jolteon_durable *d = &w->node[node]->validator->jolteon.durable;
    if (!d->voted || w->voted[node] == (d->vote.epoch << 32 | d->vote.round))
        return;
    uint8_t bytes[DC_VOTE_MSG_BYTES];
    dc_vote_encode(&d->vote, bytes);
    dispatch_vote(w, s, node, bytes, sizeof bytes, now_ns);
    for (uint32_t i = s->votes - 1; i > 0; i--) {
        struct vote_seen *own = &s->vote[i], *before = &s->vote[i - 1], swap = *own;
        if (before->node != node || before->time_ns != now_ns ||
            before->bytes[0] != DC_MSG_TIMEOUT || dc_get64(before->bytes + 1) != d->vote.epoch ||
            dc_get64(before->bytes + 9) < d->vote.round)
            return;
        *own = *before;
        *before = swap;
    }
}

/* Who has voted twice is listened to: whether its collectors get to know. */
static __attribute__((noinline, cold)) void dispatch_heard(struct ds_world *w, struct shard *s,
                                                           uint32_t node, const struct packet *p,
                                                           int64_t now_ns)
{
    struct dc_vote v;
    if (w->node[node]->validator == NULL ||
        !dc_vote_decode(p->payload.bytes, p->payload.size, &v) || v.signer >= w->nodes ||
        !w->doubled[v.signer])
        return;
    const struct dc_jolteon *j = &w->node[node]->validator->jolteon;
    uint64_t known = j->chain.high_qc != NULL ? j->chain.high_qc->round : 0;
    if (v.epoch != j->durable.epoch || v.round <= known)
        return;
    s->heard = dispatch_room(s->heard, s->heards, &s->heards_max, sizeof *s->heard);
    struct vote_heard *h = &s->heard[s->heards++];
    h->time_ns = now_ns;
    h->node = node;
    memcpy(h->bytes, p->payload.bytes, sizeof h->bytes);
}

/* Votes and timeouts are shown to the invariants as they leave. */
static inline void dispatch_signed(struct ds_world *w, struct shard *s, uint32_t node,
                                   const struct dc_effect *e, int64_t now_ns)
{
    const uint8_t *bytes = e->payload != NULL ? e->payload->bytes : e->bytes;
    if (__builtin_expect(bytes[0] == DC_MSG_VOTE || bytes[0] == DC_MSG_TIMEOUT, 0))
        dispatch_vote(w, s, node, bytes, e->payload != NULL ? e->payload->size : e->size, now_ns);
}

static void dispatch_work(struct shard *s, uint32_t node, int64_t start_ns, int64_t leave_ns)
{
    s->work = dispatch_room(s->work, s->works, &s->works_max, sizeof *s->work);
    s->work[s->works++] = (struct work){start_ns, leave_ns, node};
}

static struct packet *dispatch_packet(struct ds_world *w, uint32_t node, const struct dc_effect *e)
{
    if (e->payload != NULL) {
        struct packet *p = (struct packet *)(uintptr_t)e->payload;
        world_packet_hold(p, 1);
        return p;
    }
    struct packet *p = world_packet(w, node, e->bytes, e->size, e->bulk);
    if (e->object != NULL && w->crypto.memo != NULL)
        atomic_store_explicit(&p->payload.memo, dc_node_memo_make(p->payload.kind, e->object),
                              memory_order_relaxed);
    return p;
}

/* Carries out what a step did: its charges, then its effects in order.  `received` is the message
 * that it handled, which DC_EFFECT_RELAY passes on, or NULL. */
static void dispatch_effects(struct ds_world *w, uint32_t shard, uint32_t node,
                             const struct ds_event *cause, struct packet *received,
                             int64_t start_ns)
{
    struct shard *s = &w->shard[shard];
    struct dc_effects *out = &s->effects;
    uint64_t cost = dispatch_cost(w, node, out->charge, start_ns);
    int64_t leave_ns = __builtin_expect(w->slow_q16[node] != DS_NET_Q16_ONE, 0)
                           ? dispatch_slow(w, shard, node, cost, start_ns, cause->time_ns)
                           : start_ns + (int64_t)(cost >> 8);
    w->busy_ns[node] = leave_ns;
    if (w->sibling != NULL && w->sibling[node] != node && leave_ns > start_ns)
        dispatch_work(s, node, start_ns, leave_ns);
    if (out->charge[DC_COST_SIGN] != 0 && w->crypto.queue != NULL)
        ds_kernel_wake(w->kernel); /* what was signed waits to be checked ahead */
    for (uint32_t i = 0; i < out->count; i++) {
        const struct dc_effect *e = &out->list[i];
        struct packet *p;
        switch (e->kind) {
        case DC_EFFECT_SEND:
            dispatch_signed(w, s, node, e, leave_ns);
            p = dispatch_packet(w, node, e);
            world_send(w, shard, node, e->to, p, EV_MESSAGE, leave_ns);
            world_packet_drop(w, p);
            break;
        case DC_EFFECT_SEND_MANY:
            dispatch_signed(w, s, node, e, leave_ns);
            p = dispatch_packet(w, node, e);
            world_send_many(w, shard, node, e->to_list, e->to_count, p, EV_MESSAGE, leave_ns);
            world_packet_drop(w, p);
            break;
        case DC_EFFECT_BROADCAST:
            p = dispatch_packet(w, node, e);
            if (p->seen == NULL)
                world_gossip_start(w, shard, node, p, leave_ns);
            world_packet_drop(w, p);
            break;
        case DC_EFFECT_RELAY:
            if (received != NULL && received->seen != NULL)
                world_gossip_relay(w, shard, node, cause->src, received, leave_ns);
            break;
        case DC_EFFECT_TIMER: {
            int64_t due = e->due_ns > cause->time_ns ? e->due_ns : cause->time_ns + 1;
            if (__builtin_expect(w->clock != NULL, 0))
                world_clock_timer(w, shard, node, cause->time_ns, e->due_ns, e->timer);
            else
                world_post_self(w, shard, node, due, EV_TIMER | w->incarnation[node] << 8,
                                e->timer);
            break;
        }
        case DC_EFFECT_COMMIT:
            dispatch_commit(s, node, e, leave_ns);
            if (__builtin_expect(w->channels != NULL, 0))
                world_channel_commit(w, node);
            break;
        case DC_EFFECT_NOTE: dispatch_note(s, node, e, leave_ns); break;
        }
    }
    if (out->charge[DC_COST_SIGN] != 0 && w->node[node]->validator != NULL)
        dispatch_own_vote(w, s, node, leave_ns);
}

static void dispatch_step(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                          struct dc_input *in, struct packet *received, int64_t ready_ns)
{
    uint32_t node = e->dst;
    int64_t start = ready_ns > w->busy_ns[node] ? ready_ns : w->busy_ns[node];
    struct dc_effects *out = &w->shard[shard].effects;
    dc_effects_clear(out);
    in->now_ns = in->wall_ns = start;
    if (__builtin_expect(w->up[node] != WORLD_UP, 0)) {
        if (!world_fault_step(w, shard, node, in, out))
            return;
    } else {
        dc_adversary_step(w->node[node], in, out);
    }
    dispatch_effects(w, shard, node, e, received, start);
}

void world_dispatch_plain(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                          struct packet *p, int64_t ready)
{
    enum world_event event = (enum world_event)(e->kind & 0xff);
    if (event == EV_ANNOUNCE) {
        world_gossip_announce(w, shard, e, p, ready);
    } else if (event == EV_PULL) {
        world_gossip_pull(w, shard, e, p, ready);
    } else if (p->seen == NULL || event == EV_MESSAGE || world_gossip_body(w, shard, e, p)) {
        struct dc_input in = {.kind = DC_INPUT_MESSAGE,
                              .from = e->src,
                              .payload = &p->payload,
                              .gossip = event == EV_BODY};
        if (__builtin_expect(w->doubled != NULL, 0) && p->payload.kind == DC_MSG_VOTE)
            dispatch_heard(w, &w->shard[shard], e->dst, p, ready);
        dispatch_step(w, shard, e, &in, p, ready);
    }
}

/* A message that the downlink had at `ready`. */
static inline void dispatch_received(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                                     struct packet *p, int64_t ready)
{
    if (__builtin_expect(w->channels != NULL, 0))
        p = world_channel_receive(w, shard, e, p, &ready);
    if (p != NULL)
        world_dispatch_plain(w, shard, e, p, ready);
}

static void dispatch_message(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                             struct packet *p)
{
    struct shard *s = &w->shard[shard];
    enum world_event event = (enum world_event)(e->kind & 0xff);
    uint32_t size, counted = world_wire(p, event, &size);
    if (!w->up[e->dst]) {
        s->dropped_down[counted]++;
        return;
    }
    int64_t ready = ds_net_receive(w->net, &s->net, e->dst, counted, size, e->time_ns);
    if (ready < 0)
        return;
    s->delivered[counted]++;
    if (__builtin_expect(w->up[e->dst] & WORLD_HELD, 0))
        world_fault_defer(w, e, ready);
    else
        dispatch_received(w, shard, e, p, ready);
}

static void dispatch_called(struct ds_world *w, uint32_t shard, const struct ds_event *e)
{
    struct dc_call call = world_call(w, e->dst, e->payload, e->time_ns);
    struct dc_input in = {.kind = DC_INPUT_CALL, .call = &call};
    dispatch_step(w, shard, e, &in, NULL, e->time_ns);
}

static void dispatch_call(struct ds_world *w, uint32_t shard, const struct ds_event *e)
{
    uint64_t ordinal = e->payload;
    int64_t next = world_next_call(w, e->dst, ordinal + 1, e->time_ns);
    if (next != INT64_MAX)
        world_post_self(w, shard, e->dst, next, EV_CALL, ordinal + 1);
    if (__builtin_expect(w->up[e->dst] & WORLD_HELD, 0))
        world_fault_defer(w, e, e->time_ns);
    else if (w->up[e->dst])
        dispatch_called(w, shard, e);
}

static void dispatch_wash(struct ds_world *w, uint32_t shard, const struct ds_event *e)
{
    struct dc_effects *out = &w->shard[shard].effects;
    int64_t busy = w->busy_ns[e->dst], start = e->time_ns > busy ? e->time_ns : busy;
    dc_effects_clear(out);
    if (w->up[e->dst] && world_rational_wash(w, e->dst, e->payload != 0, out))
        dispatch_effects(w, shard, e->dst, e, NULL, start);
}

static void dispatch_unbond(struct ds_world *w, uint32_t shard, const struct ds_event *e)
{
    int64_t busy = w->busy_ns[e->dst], start = e->time_ns > busy ? e->time_ns : busy;
    if (world_fault_unbond(w, shard, e, &w->shard[shard].effects))
        dispatch_effects(w, shard, e->dst, e, NULL, start);
}

static void dispatch_revoke(struct ds_world *w, uint32_t shard, const struct ds_event *e)
{
    int64_t busy = w->busy_ns[e->dst], start = e->time_ns > busy ? e->time_ns : busy;
    if (world_fault_revoke(w, shard, e, &w->shard[shard].effects))
        dispatch_effects(w, shard, e->dst, e, NULL, start);
}

static void dispatch_trace(struct ds_world *w, struct shard *s, const struct ds_event *e,
                           const struct packet *p)
{
    uint32_t size = 0, message = 0;
    if (p != NULL && (e->kind & 0xff) != EV_AGAIN)
        message = world_wire(p, (enum world_event)(e->kind & 0xff), &size);
    s->trace = dispatch_room(s->trace, s->traces, &s->traces_max, sizeof *s->trace);
    s->trace[s->traces++] = (struct ds_row_trace){.time_ns = e->time_ns,
                                                  .node = e->dst,
                                                  .source = e->src,
                                                  .sequence = e->seq,
                                                  .digest = w->digest[e->dst].lane[0],
                                                  .message = (uint16_t)message,
                                                  .size = size,
                                                  .kind = (uint16_t)(e->kind & 0xff)};
}

/* What is always taken up at its time: the timers of a suspended machine, and what wakes a node. */
static bool dispatch_waits(struct ds_world *w, const struct ds_event *e)
{
    uint32_t event = e->kind & 0xff;
    if (event == EV_CALL || event == EV_RESUME || event == EV_UNBOND || w->up[e->dst] == WORLD_UP)
        return false;
    if (w->up[e->dst] & WORLD_HELD)
        world_fault_defer(w, e, e->time_ns);
    else if (!w->up[e->dst])
        world_fault_defer_down(w, e);
    return !w->up[e->dst] || w->up[e->dst] & WORLD_HELD;
}

/* Events that a node has from itself. */
static void dispatch_own(struct ds_world *w, uint32_t shard, const struct ds_event *e)
{
    struct dc_input in = {.kind = DC_INPUT_TIMER, .timer = e->payload};
    uint32_t event = e->kind & 0xff;
    if (event == EV_TIMER && (e->kind >> 8 != (w->incarnation[e->dst] & 0xffffff) ||
                              (w->clock != NULL && !world_clock_due(w, e))))
        return;
    if (__builtin_expect(w->up[e->dst] != WORLD_UP, 0) && dispatch_waits(w, e))
        return;
    switch (event) {
    case EV_TIMER: dispatch_step(w, shard, e, &in, NULL, e->time_ns); break;
    case EV_CALL: dispatch_call(w, shard, e); break;
    case EV_WASH: dispatch_wash(w, shard, e); break;
    case EV_START:
    case EV_RESTART:
        in.kind = event == EV_START ? DC_INPUT_START : DC_INPUT_RESTART;
        dispatch_step(w, shard, e, &in, NULL, e->time_ns);
        break;
    case EV_RESUME: world_fault_resume(w, shard, e); break;
    case EV_UNBOND: dispatch_unbond(w, shard, e); break;
    case EV_CHANNEL: world_channel_timer(w, shard, e); break;
    case EV_REVOKE: dispatch_revoke(w, shard, e); break;
    default: DC_CHECK(!"an event of no kind");
    }
}

void world_dispatch_deferred(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                             int64_t ready_ns)
{
    uint32_t event = e->kind & 0xff;
    struct packet *p = event <= EV_AGAIN ? (struct packet *)(uintptr_t)e->payload : NULL;
    struct dc_input in = {.kind = DC_INPUT_TIMER, .timer = e->payload};
    if (p != NULL && w->up[e->dst])
        dispatch_received(w, shard, e, p, ready_ns);
    else if (p == NULL && w->up[e->dst] && event == EV_TIMER)
        dispatch_step(w, shard, e, &in, NULL, e->time_ns);
    else if (p == NULL && w->up[e->dst] && event == EV_CALL)
        dispatch_called(w, shard, e);
    else if (p == NULL)
        dispatch_own(w, shard, e); /* which finds out that it is down, too */
    if (p != NULL)
        world_packet_drop(w, p);
}

void world_handle(void *ctx, uint32_t shard, const struct ds_event *e)
{
    struct ds_world *w = ctx;
    struct shard *s = &w->shard[shard];
    uint32_t event = e->kind & 0xff;
    struct packet *p = event <= EV_AGAIN ? (struct packet *)(uintptr_t)e->payload : NULL;
    if (w->draining) {
        uint32_t size;
        if (p != NULL && event != EV_AGAIN)
            s->in_flight[world_wire(p, (enum world_event)event, &size)]++;
        if (p != NULL)
            world_packet_drop(w, p);
        return;
    }
    uint64_t digest = p != NULL ? p->digest : e->payload;
    s->events++;
    ds_digest_add(&w->digest[e->dst], e->time_ns, e->src, e->seq, event, digest);
    if (w->options.trace)
        dispatch_trace(w, s, e, p);
    if (w->watch != NULL)
        world_watch_event(w, shard, e, p != NULL ? world_packet_plain(p) : NULL);
    if (p != NULL) {
        if (event == EV_AGAIN)
            world_gossip_again(w, shard, e, p);
        else
            dispatch_message(w, shard, e, p);
        world_packet_drop(w, p);
        return;
    }
    dispatch_own(w, shard, e);
}

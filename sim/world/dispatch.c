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
#include "sim/world/inside.h"

void world_prefetch(void *ctx, uint32_t node)
{
    struct ds_world *w = ctx;
    __builtin_prefetch(w->node[node]);
    __builtin_prefetch(&w->digest[node]);
    __builtin_prefetch(&w->busy_ns[node]);
}

static int64_t dispatch_cost(const struct ds_world *w, uint32_t node, const uint32_t *charge,
                             int64_t start_ns)
{
    uint64_t sum = 0;
    for (int i = 0; i < DC_COST_COUNT; i++)
        sum += (uint64_t)charge[i] * w->cost_ns_q8[i];
    if (w->machines)
        sum = world_machine_cost(w, node, charge, sum, start_ns);
    if (w->slow_q16[node] != DS_NET_Q16_ONE)
        sum = dc_muldiv(sum, w->slow_q16[node], DS_NET_Q16_ONE);
    return (int64_t)(sum >> 8);
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
    int64_t leave_ns = start_ns + dispatch_cost(w, node, out->charge, start_ns);
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
            p = dispatch_packet(w, node, e);
            world_send(w, shard, node, e->to, p, EV_MESSAGE, leave_ns);
            world_packet_drop(w, p);
            break;
        case DC_EFFECT_SEND_MANY:
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
            world_post_self(w, shard, node, due, EV_TIMER | w->incarnation[node] << 8, e->timer);
            break;
        }
        case DC_EFFECT_COMMIT: dispatch_commit(s, node, e, leave_ns); break;
        case DC_EFFECT_NOTE: dispatch_note(s, node, e, leave_ns); break;
        }
    }
}

static void dispatch_step(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                          struct dc_input *in, struct packet *received, int64_t ready_ns)
{
    uint32_t node = e->dst;
    int64_t start = ready_ns > w->busy_ns[node] ? ready_ns : w->busy_ns[node];
    struct dc_effects *out = &w->shard[shard].effects;
    dc_effects_clear(out);
    in->now_ns = in->wall_ns = start;
    dc_adversary_step(w->node[node], in, out);
    dispatch_effects(w, shard, node, e, received, start);
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
    if (event == EV_ANNOUNCE) {
        world_gossip_announce(w, shard, e, p, ready);
    } else if (event == EV_PULL) {
        world_gossip_pull(w, shard, e, p, ready);
    } else if (p->seen == NULL || event == EV_MESSAGE || world_gossip_body(w, shard, e, p)) {
        struct dc_input in = {.kind = DC_INPUT_MESSAGE,
                              .from = e->src,
                              .payload = &p->payload,
                              .gossip = event == EV_BODY};
        dispatch_step(w, shard, e, &in, p, ready);
    }
}

static void dispatch_call(struct ds_world *w, uint32_t shard, const struct ds_event *e)
{
    uint64_t ordinal = e->payload;
    int64_t next = world_next_call(w, e->dst, ordinal + 1, e->time_ns);
    if (next != INT64_MAX)
        world_post_self(w, shard, e->dst, next, EV_CALL, ordinal + 1);
    if (!w->up[e->dst])
        return;
    struct dc_call call = world_call(w, e->dst, ordinal, e->time_ns);
    struct dc_input in = {.kind = DC_INPUT_CALL, .call = &call};
    dispatch_step(w, shard, e, &in, NULL, e->time_ns);
}

static void dispatch_wash(struct ds_world *w, uint32_t shard, const struct ds_event *e)
{
    struct dc_effects *out = &w->shard[shard].effects;
    int64_t busy = w->busy_ns[e->dst], start = e->time_ns > busy ? e->time_ns : busy;
    dc_effects_clear(out);
    if (w->up[e->dst] && world_rational_wash(w, e->dst, e->payload != 0, out))
        dispatch_effects(w, shard, e->dst, e, NULL, start);
}

static void dispatch_trace(struct shard *s, const struct ds_event *e, uint64_t digest)
{
    s->trace = dispatch_room(s->trace, s->traces, &s->traces_max, sizeof *s->trace);
    s->trace[s->traces++] = (struct ds_row_trace){.time_ns = e->time_ns,
                                                  .node = e->dst,
                                                  .source = e->src,
                                                  .sequence = e->seq,
                                                  .digest = digest,
                                                  .kind = (uint16_t)(e->kind & 0xff)};
}

void world_handle(void *ctx, uint32_t shard, const struct ds_event *e)
{
    struct ds_world *w = ctx;
    struct shard *s = &w->shard[shard];
    uint32_t event = e->kind & 0xff;
    struct packet *p = event <= EV_AGAIN ? (struct packet *)(uintptr_t)e->payload : NULL;
    if (w->draining) {
        if (p != NULL)
            world_packet_drop(w, p);
        return;
    }
    uint64_t digest = p != NULL ? p->digest : e->payload;
    s->events++;
    ds_digest_add(&w->digest[e->dst], e->time_ns, e->src, e->seq, event, digest);
    if (w->options.trace)
        dispatch_trace(s, e, digest);
    if (p != NULL) {
        if (event == EV_AGAIN)
            world_gossip_again(w, shard, e, p);
        else
            dispatch_message(w, shard, e, p);
        world_packet_drop(w, p);
        return;
    }
    struct dc_input in = {.kind = DC_INPUT_TIMER, .timer = e->payload};
    switch (event) {
    case EV_TIMER:
        if (w->up[e->dst] && e->kind >> 8 == (w->incarnation[e->dst] & 0xffffff))
            dispatch_step(w, shard, e, &in, NULL, e->time_ns);
        break;
    case EV_CALL: dispatch_call(w, shard, e); break;
    case EV_WASH: dispatch_wash(w, shard, e); break;
    case EV_START:
    case EV_RESTART:
        in.kind = event == EV_START ? DC_INPUT_START : DC_INPUT_RESTART;
        if (w->up[e->dst])
            dispatch_step(w, shard, e, &in, NULL, e->time_ns);
        break;
    default: DC_CHECK(!"an event of no kind");
    }
}

/* The small world of systematic Twins: a queue of events in virtual time, messages that take one
 * constant delay, and the partitions of rounds that have leaders by script.
 *
 * A message belongs to the round that it names (proposal, vote, timeout), any other one to the
 * round that its sender is in.  What is addressed to an account goes to all its instances; a
 * broadcast goes to all but the instance that sends it.  Work takes no time. */
#include "models/base/mem.h"
#include "sim/world/twins_inside.h"

#include <stdatomic.h>
#include <stdio.h>

/* --- events ---------------------------------------------------------------------------------- */

static bool twins_before(const struct twins_event *a, const struct twins_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->sequence < b->sequence;
}

void world_twins_push(struct ds_twins *t, const struct twins_event *event)
{
    if (t->heap_count == t->heap_max) {
        uint32_t max = t->heap_max == 0 ? 256 : 2 * t->heap_max;
        struct twins_event *heap = dc_mem_grow(t->heap, max, sizeof *heap);
        DC_CHECK(heap != NULL);
        t->heap = heap;
        t->heap_max = max;
    }
    struct twins_event e = *event;
    e.sequence = t->sequence++;
    uint32_t i = t->heap_count++;
    for (; i > 0 && twins_before(&e, &t->heap[(i - 1) / 2]); i = (i - 1) / 2)
        t->heap[i] = t->heap[(i - 1) / 2];
    t->heap[i] = e;
}

static struct twins_event twins_pop(struct ds_twins *t)
{
    struct twins_event top = t->heap[0], e = t->heap[--t->heap_count];
    uint32_t i = 0, n = t->heap_count;
    for (;;) {
        uint32_t k = 2 * i + 1;
        if (k >= n)
            break;
        k += k + 1 < n && twins_before(&t->heap[k + 1], &t->heap[k]);
        if (!twins_before(&t->heap[k], &e))
            break;
        t->heap[i] = t->heap[k];
        i = k;
    }
    t->heap[i] = e;
    return top;
}

/* --- payloads -------------------------------------------------------------------------------- */

static struct twins_payload *twins_payload_new(struct ds_twins *t, const void *bytes, size_t size)
{
    struct twins_payload *p = t->free;
    if (p != NULL && p->room >= size) {
        t->free = p->next;
        uint32_t room = p->room;
        *p = (struct twins_payload){.room = room};
    } else {
        uint32_t room = size < 1024 ? 1024 : (uint32_t)size;
        p = dc_mem_need(1, sizeof *p + room, "a message");
        p->room = room;
    }
    memcpy(p->bytes, bytes, size);
    p->payload.bytes = p->bytes;
    p->payload.size = (uint32_t)size;
    p->payload.kind = p->bytes[0];
    p->refs = 1;
    return p;
}

static void twins_payload_drop(struct ds_twins *t, struct twins_payload *p)
{
    if (p == NULL || --p->refs != 0)
        return;
    dc_consensus_memo_free(p->payload.kind, atomic_load(&p->payload.memo));
    if (p->room == 1024) {
        p->next = t->free;
        t->free = p;
    } else {
        dc_mem_free(p);
    }
}

void world_twins_drop_events(struct ds_twins *t)
{
    while (t->heap_count != 0)
        twins_payload_drop(t, t->heap[--t->heap_count].payload);
}

/* --- sending --------------------------------------------------------------------------------- */

/* The round that a message belongs to; 0: none of the script. */
static uint64_t twins_round(const struct twins_instance *i, const uint8_t *bytes, size_t size)
{
    uint64_t epoch = i->core.durable.epoch, round = i->core.durable.round;
    if (bytes[0] == DC_MSG_PROPOSAL && size >= 1 + 24) { /* header: height, epoch, round */
        epoch = dc_get64(bytes + 1 + 8);
        round = dc_get64(bytes + 1 + 16);
    } else if ((bytes[0] == DC_MSG_VOTE || bytes[0] == DC_MSG_TIMEOUT) && size >= 1 + 16) {
        epoch = dc_get64(bytes + 1);
        round = dc_get64(bytes + 1 + 8);
    }
    return epoch == 0 ? round : 0;
}

static bool twins_connected(const struct ds_twins *t, uint64_t round, uint32_t a, uint32_t b)
{
    if (round == 0 || round > t->config.rounds || t->now_ns >= t->heal_ns)
        return true;
    uint32_t side = t->side[round - 1];
    return (side >> a & 1) == (side >> b & 1);
}

static void twins_log_send(struct twins_instance *i, const struct dc_effect *e, uint64_t round)
{
    struct ds_twins *t = i->twins;
    if (t->log == NULL)
        return;
    char text[96], lost[64] = "", name[8];
    size_t used = 0;
    world_twins_text(t, e->bytes, e->size, text);
    for (uint32_t k = 0; k < t->instances; k++)
        if (k != i->index && !twins_connected(t, round, i->index, k) && used < 48)
            used += (size_t)snprintf(lost + used, sizeof lost - used, " %s",
                                     world_twins_name(t, k, name));
    bool one = e->kind == DC_EFFECT_SEND;
    uint32_t to = one ? e->to : 0;
    if (one)
        world_twins_say(t, i, "%s -> %u%s%s", text, to, used != 0 ? "   cut off from" : "", lost);
    else
        world_twins_say(t, i, "%s -> all%s%s", text, used != 0 ? "   cut off from" : "", lost);
}

/* To all instances of an account; UINT32_MAX: to all but the sender. */
static void twins_send(struct twins_instance *i, uint32_t account, struct twins_payload *p,
                       uint64_t round, bool gossip)
{
    struct ds_twins *t = i->twins;
    for (uint32_t k = 0; k < t->instances; k++) {
        if (k == i->index || (account != UINT32_MAX && t->instance[k].env.self != account) ||
            !twins_connected(t, round, i->index, k))
            continue;
        p->refs++;
        struct twins_event e = {.at_ns = t->now_ns + TWINS_DELAY_NS,
                                .payload = p,
                                .to = (uint16_t)k,
                                .from = (uint16_t)i->index,
                                .gossip = gossip};
        world_twins_push(t, &e);
    }
}

static void twins_send_effect(struct twins_instance *i, const struct dc_effect *e)
{
    struct ds_twins *t = i->twins;
    const uint8_t *bytes = e->payload != NULL ? e->payload->bytes : e->bytes;
    size_t size = e->payload != NULL ? e->payload->size : e->size;
    uint64_t round = twins_round(i, bytes, size);
    struct twins_payload *p = twins_payload_new(t, bytes, size);
    twins_log_send(i, e, round);
    if (e->kind == DC_EFFECT_SEND)
        twins_send(i, e->to, p, round, false);
    else if (e->kind == DC_EFFECT_BROADCAST)
        twins_send(i, UINT32_MAX, p, round, true);
    for (uint32_t k = 0; e->kind == DC_EFFECT_SEND_MANY && k < e->to_count; k++)
        twins_send(i, e->to_list[k], p, round, false);
    twins_payload_drop(t, p);
}

static void twins_drain(struct twins_instance *i)
{
    struct ds_twins *t = i->twins;
    if (i->core.durable.round != i->round) {
        i->round = i->core.durable.round;
        world_twins_say(t, i, "enters round %llu", (unsigned long long)i->round);
    }
    for (uint32_t k = 0; k < t->out.count; k++) {
        const struct dc_effect *e = &t->out.list[k];
        world_twins_watch_effect(i, e);
        if (e->kind == DC_EFFECT_TIMER) {
            struct twins_event timer = {
                .at_ns = e->due_ns, .timer = e->timer, .to = (uint16_t)i->index};
            world_twins_push(t, &timer);
        } else if (e->kind == DC_EFFECT_SEND || e->kind == DC_EFFECT_SEND_MANY ||
                   e->kind == DC_EFFECT_BROADCAST) {
            twins_send_effect(i, e);
        }
    }
    dc_effects_clear(&t->out);
}

/* --- handling -------------------------------------------------------------------------------- */

bool world_twins_next(struct ds_twins *t)
{
    if (t->heap_count == 0)
        return false;
    struct twins_event e = twins_pop(t);
    struct twins_instance *i = &t->instance[e.to];
    t->now_ns = e.at_ns;
    struct dc_input in = {.now_ns = t->now_ns,
                          .wall_ns = t->now_ns + (i->index >= t->config.validators),
                          .from = t->instance[e.from].env.self,
                          .gossip = e.gossip,
                          .payload = e.payload != NULL ? &e.payload->payload : NULL,
                          .timer = e.timer};
    bool due = false;
    if (e.start) {
        in.kind = DC_INPUT_START;
        dc_jolteon_start(&i->core, &i->env, &in, &t->out);
    } else if (e.payload == NULL) {
        in.kind = DC_INPUT_TIMER;
        dc_jolteon_timer(&i->core, &i->env, &in, &t->out);
    } else {
        in.kind = DC_INPUT_MESSAGE;
        due = world_twins_watch_message(i, in.payload);
        (void)dc_jolteon_message(&i->core, &i->env, &in, &t->out);
    }
    twins_drain(i);
    world_twins_watch_step(i, due);
    twins_payload_drop(t, e.payload);
    t->result->steps++;
    return true;
}

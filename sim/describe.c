/* Events in the protocol's terms; see describe.h. */
#include "sim/describe.h"

#include <string.h>

#include "models/client/app.h"
#include "models/consensus/env.h"
#include "models/node/channel.h"
#include "models/node/late.h"
#include "models/node/verifier.h"
#include "sim/scenario/table.h"

#define U(x) ((unsigned long long)(x))

struct words {
    const struct ds_scenario *scenario;
    struct dc_text *out;
};

static void add_node(struct words *w, const char *before, uint32_t node)
{
    dc_text_add(w->out, before);
    ds_describe_node(w->scenario, node, w->out);
}

void ds_describe_timer(uint64_t value, struct dc_text *out)
{
    static const char *const consensus[] = {[DC_TIMER_REQUEST] = "request",
                                            [DC_TIMER_ROUND] = "round",
                                            [DC_TIMER_PROPOSE] = "propose",
                                            [DC_TIMER_HOLD] = "hold"};
    uint64_t rest = value & UINT64_MAX >> 8;
    dc_text_add(out, "timer ");
    if (dc_consensus_timer_is(value) && rest < sizeof consensus / sizeof consensus[0] &&
        consensus[rest] != NULL)
        dc_text_add(out, consensus[rest]);
    else if (value >> 56 == DC_TIMER_VERIFIER)
        dc_text_printf(out, "challenge session %llu", U(rest));
    else if (value >> 56 == DC_TIMER_LATE)
        dc_text_printf(out, "late votes of height %llu", U(rest));
    else
        dc_text_printf(out, "%llx", U(value));
}

void ds_describe_event(uint32_t event, uint64_t a, struct dc_text *out)
{
    const char *name = ds_event_names[event];
    if (strcmp(name, "timer") == 0)
        ds_describe_timer(a, out);
    else if (strcmp(name, "call") == 0 && ds_world_private_call(a) != NULL)
        dc_text_printf(out, "call of its user: %s", ds_world_private_call(a));
    else if (strcmp(name, "call") == 0)
        dc_text_printf(out, "call %llu of its user", U(a));
    else
        dc_text_add(out, name);
}

static void say_private_note(struct words *w, const struct ds_watched *e)
{
    uint32_t number = (uint32_t)e->a;
    if (e->note == DC_NOTE_PAID && e->b == 0) {
        dc_text_add(w->out, "private payment given up");
    } else if (e->note == DC_NOTE_PAID) {
        dc_text_printf(w->out, "private payment final after %.6f s", (double)e->a * 1e-9);
    } else if (e->note == DC_NOTE_RECEIVED) {
        dc_text_printf(w->out, "found a note of %llu nDSYNC for it, %s", U(e->a),
                       e->b != 0 ? "of its own making" : "from somebody else");
    } else {
        dc_text_add(w->out, "application ");
        if (number < w->scenario->applications_count)
            dc_text_printf(w->out, "%s ", w->scenario->applications[number].name);
        if (e->b == DC_APP_REFUSED)
            dc_text_add(w->out, "given up");
        else
            dc_text_printf(w->out, "over, with result %llu", U(e->b));
    }
}

static void say_note(struct words *w, const struct ds_watched *e)
{
    static const char *const rejects[DC_REJECT_COUNT] = {
        "it does not decode or contradicts itself", "its signature is wrong",
        "its certificate does not hold", "the block does not follow from its parent"};
    struct dc_text *out = w->out;
    switch (e->note) {
    case DC_NOTE_GET:
    case DC_NOTE_PUT:
        dc_text_printf(out, "%s %s after %.6f s", e->note == DC_NOTE_GET ? "get" : "put",
                       e->b != 0 ? "done" : "failed", (double)e->a * 1e-9);
        break;
    case DC_NOTE_REFUSED:
        dc_text_printf(out, "refused a %s",
                       e->a < DC_MSG_COUNT ? ds_message_names[e->a] : "message");
        break;
    case DC_NOTE_ANSWERED:
        dc_text_printf(out, "challenged: %s, difficulty %llu",
                       e->b != 0 ? "proved" : "could not prove", U(e->a));
        break;
    case DC_NOTE_TURNED: dc_text_add(out, "changed its strategy"); break;
    case DC_NOTE_PAID:
    case DC_NOTE_RECEIVED:
    case DC_NOTE_APP: say_private_note(w, e); break;
    case DC_NOTE_CHANNEL:
        dc_text_printf(out, "channel: %s",
                       e->b < DC_CHANNEL_OUTCOMES
                           ? dc_channel_outcome_name((enum dc_channel_outcome)e->b)
                           : "?");
        break;
    case DC_NOTE_PROPOSED:
        dc_text_printf(out, "proposed height %llu epoch %llu round %llu", U(e->a), U(e->b >> 32),
                       U(e->b & UINT32_MAX));
        break;
    case DC_NOTE_TIMED_OUT:
        dc_text_printf(out, "timed out in epoch %llu round %llu", U(e->a), U(e->b));
        break;
    case DC_NOTE_EPOCH:
        dc_text_printf(out, "entered epoch %llu", U(e->a));
        if (e->b != UINT32_MAX)
            dc_text_printf(out, " as member %llu", U(e->b));
        break;
    case DC_NOTE_REJECTED:
        add_node(w, "rejected a message of ", (uint32_t)e->b);
        dc_text_printf(out, ": %s", e->a < DC_REJECT_COUNT ? rejects[e->a] : "for another reason");
        break;
    case DC_NOTE_CONFLICT:
        dc_text_printf(out, "CONFLICT: a certificate contradicts the final chain at height %llu",
                       U(e->a));
        break;
    default: dc_text_printf(out, "note %x: %llu, %llu", e->note, U(e->a), U(e->b));
    }
}

void ds_describe_packet(const struct ds_scenario *s, const struct ds_watched *e,
                        struct dc_text *out)
{
    if (strcmp(ds_event_names[e->event], "announce") == 0)
        dc_text_add(out, "has ");
    else if (strcmp(ds_event_names[e->event], "pull") == 0)
        dc_text_add(out, "wants ");
    ds_describe_message(s, e->bytes, e->size, out);
}

static void say_message(struct words *w, const struct ds_watched *e)
{
    bool in = e->kind == DS_WATCH_RECEIVED;
    add_node(w, in ? "from " : "to ", e->peer);
    if (in && e->sent_ns >= 0)
        dc_text_printf(w->out, " after %.3f ms", (double)(e->time_ns - e->sent_ns) * 1e-6);
    dc_text_add(w->out, ": ");
    ds_describe_packet(w->scenario, e, w->out);
    if (e->kind == DS_WATCH_LOST)
        dc_text_printf(w->out, " - will not arrive: %s", e->lost);
    else if (e->down)
        dc_text_add(w->out, " - dropped: it is down");
}

void ds_describe_watched(const struct ds_scenario *s, const struct ds_watched *e,
                         struct dc_text *out)
{
    struct words w = {s, out};
    switch (e->kind) {
    case DS_WATCH_FAULT:
    case DS_WATCH_FAULT_END:
        dc_text_printf(out, "fault %s %s: %s",
                       ds_choice_name(ds_choices_fault, s->faults[e->fault].kind),
                       e->kind == DS_WATCH_FAULT ? "begins" : "ends", s->faults[e->fault].id);
        break;
    case DS_WATCH_DOWN: dc_text_add(out, "is down"); break;
    case DS_WATCH_UP: dc_text_add(out, "is up again"); break;
    case DS_WATCH_SENT:
    case DS_WATCH_LOST:
    case DS_WATCH_RECEIVED: say_message(&w, e); break;
    case DS_WATCH_COMMIT:
        dc_text_add(out, "commit ");
        ds_describe_block(s, e->block, out);
        break;
    case DS_WATCH_NOTE: say_note(&w, e); break;
    default: ds_describe_event(e->event, e->a, out);
    }
    if (e->down && e->kind != DS_WATCH_RECEIVED)
        dc_text_add(out, " - nothing: it is down");
}

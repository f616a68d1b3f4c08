/* Clocks that are off: two functions of virtual time for each node, in pieces.
 *
 *     monotonic(t) = mono + (t - since) * rate          never steps, keeps what it has drifted
 *     wall(t)      = wall + (t - since) * rate + offset     right again when no fault is left
 *
 * `since` is when the rate changed last.  Timers run on the monotonic clock.  In a run with clock
 * faults each node lists its timers with the reading at which they are due; an event is posted for
 * the virtual time at which the clock will show that, as it runs now, and posted again when its
 * rate changes.  An event that its entry does not expect any more is ignored.
 *
 * Rates are 32.32 fixed point, so that a clock is the same function on every machine. */
#include "models/base/mem.h"
#include "sim/world/faults.h"

#define CLOCK_ONE ((uint64_t)1 << 32)
#define CLOCK_RATE_MAX 1000.0
#define CLOCK_NEVER INT64_MAX

struct clock_timer {
    int64_t due_ns, posted_ns; /* reading at which it is due; time of its event, or never */
    uint64_t timer;
};

struct world_clock {
    int64_t since_ns, mono_ns, wall_ns, offset_ns;
    uint64_t rate_q32;
    int64_t seen_ns; /* the latest monotonic reading that the node was shown */
    struct clock_timer *timer;
    uint32_t timers, timers_max;
};

enum dc_status world_clocks_create(struct ds_world *w, struct dc_error *error)
{
    bool any = false;
    for (size_t i = 0; i < w->scenario->faults_count; i++)
        any = any || w->scenario->faults[i].kind == DS_FAULT_CLOCK;
    if (!any)
        return DC_OK;
    w->clock = dc_mem_alloc(w->nodes, sizeof *w->clock);
    if (w->clock == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for the clocks of %u nodes", w->nodes);
    for (uint32_t n = 0; n < w->nodes; n++)
        w->clock[n].rate_q32 = CLOCK_ONE;
    return DC_OK;
}

void world_clocks_free(struct ds_world *w)
{
    for (uint32_t n = 0; w->clock != NULL && n < w->nodes; n++)
        dc_mem_free(w->clock[n].timer);
    dc_mem_free(w->clock);
    w->clock = NULL;
}

bool world_clock_odd(const struct ds_world *w, uint32_t node)
{
    if (w->clock == NULL)
        return false;
    const struct world_clock *c = &w->clock[node];
    return c->rate_q32 != CLOCK_ONE || c->mono_ns != c->since_ns || c->wall_ns != c->since_ns ||
           c->offset_ns != 0;
}

/* What passes on the clock while virtual time goes on to time. */
static int64_t clock_passed(const struct world_clock *c, int64_t time_ns)
{
    __int128 passed = (__int128)(time_ns - c->since_ns) * c->rate_q32 >> 32;
    return passed > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)passed;
}

void world_clock_read(struct ds_world *w, uint32_t node, int64_t time_ns, struct dc_input *in)
{
    struct world_clock *c = &w->clock[node];
    int64_t passed = clock_passed(c, time_ns), mono = c->mono_ns + passed;
    int64_t wall = c->wall_ns + passed + c->offset_ns;
    /* A step may begin after the rate's next change, when the processor is busy: no going back. */
    c->seen_ns = mono > c->seen_ns ? mono : c->seen_ns;
    in->now_ns = c->seen_ns;
    in->wall_ns = wall > 0 ? wall : 0;
}

/* --- timers ----------------------------------------------------------------------------------- */

/* The earliest virtual time at which the monotonic clock shows due. */
static int64_t clock_when(const struct world_clock *c, int64_t due_ns)
{
    if (due_ns <= c->mono_ns)
        return c->since_ns;
    if (c->rate_q32 == 0)
        return CLOCK_NEVER;
    __int128 wait = (((__int128)(due_ns - c->mono_ns) << 32) + c->rate_q32 - 1) / c->rate_q32;
    return wait > INT64_MAX / 4 ? CLOCK_NEVER : c->since_ns + (int64_t)wait;
}

void world_clock_timer(struct ds_world *w, uint32_t shard, uint32_t node, int64_t now_ns,
                       int64_t due_ns, uint64_t timer)
{
    struct world_clock *c = &w->clock[node];
    int64_t when = clock_when(c, due_ns);
    if (when <= now_ns)
        when = now_ns + 1;
    if (c->timers == c->timers_max) {
        c->timers_max = c->timers_max == 0 ? 16 : 2 * c->timers_max;
        c->timer = dc_mem_grow(c->timer, c->timers_max, sizeof *c->timer);
        DC_CHECK(c->timer != NULL);
    }
    c->timer[c->timers++] = (struct clock_timer){due_ns, when, timer};
    if (when != CLOCK_NEVER)
        world_post_self(w, shard, node, when, EV_TIMER | w->incarnation[node] << 8, timer);
}

bool world_clock_due(struct ds_world *w, const struct ds_event *e)
{
    struct world_clock *c = &w->clock[e->dst];
    for (uint32_t i = 0; i < c->timers; i++)
        if (c->timer[i].posted_ns == e->time_ns && c->timer[i].timer == e->payload) {
            c->timer[i] = c->timer[--c->timers];
            return true;
        }
    return false;
}

void world_clock_forget(struct ds_world *w, uint32_t node)
{
    if (w->clock != NULL)
        w->clock[node].timers = 0;
}

/* --- changes ---------------------------------------------------------------------------------- */

void world_clock_change(struct ds_world *w, uint32_t node, int64_t now_ns)
{
    struct world_clock *c = &w->clock[node];
    int64_t passed = clock_passed(c, now_ns), offset = 0;
    double rate = 1;
    bool any = false;
    for (size_t i = 0; i < w->scenario->faults_count; i++) {
        const struct ds_fault *f = &w->scenario->faults[i];
        const struct world_occurrence *o = w->script->fault[i].first;
        for (; f->kind == DS_FAULT_CLOCK && o != NULL; o = o->next) {
            if (!o->to.node[node])
                continue;
            any = true;
            rate *= f->rate;
            offset += f->ahead_ns - f->behind_ns;
        }
    }
    rate = rate > CLOCK_RATE_MAX ? CLOCK_RATE_MAX : rate;
    c->mono_ns += passed;
    c->wall_ns = any ? c->wall_ns + passed : now_ns;
    c->offset_ns = offset;
    c->since_ns = now_ns;
    c->rate_q32 = (uint64_t)(rate * (double)CLOCK_ONE + 0.5);
    for (uint32_t i = 0; i < c->timers; i++) {
        struct clock_timer *t = &c->timer[i];
        int64_t when = clock_when(c, t->due_ns);
        if (when == t->posted_ns)
            continue;
        t->posted_ns = when;
        if (when != CLOCK_NEVER)
            world_post_self(w, 0, node, when, EV_TIMER | w->incarnation[node] << 8, t->timer);
    }
    world_fault_flags(w, node);
}

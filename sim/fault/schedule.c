/* The heap of a fault script's steps, and the draws that decide when they come; see schedule.h. */
#include "sim/fault/schedule.h"

#include "models/base/mem.h"
#include "models/base/rng.h"

static bool schedule_before(const struct ds_fault_step *a, const struct ds_fault_step *b)
{
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    if (a->fault != b->fault)
        return a->fault < b->fault;
    if (a->occurrence != b->occurrence)
        return a->occurrence < b->occurrence;
    return a->node < b->node;
}

static void schedule_up(struct ds_schedule *s, const struct ds_fault_step *step)
{
    uint32_t i = s->count++;
    for (; i > 0 && schedule_before(step, &s->step[(i - 1) / 2]); i = (i - 1) / 2)
        s->step[i] = s->step[(i - 1) / 2];
    s->step[i] = *step;
}

void ds_schedule_add(struct ds_schedule *s, const struct ds_fault_step *step)
{
    if (s->count == s->count_max) {
        s->count_max = s->count_max == 0 ? 64 : 2 * s->count_max;
        s->step = dc_mem_grow(s->step, s->count_max, sizeof *s->step);
        DC_CHECK(s->step != NULL);
    }
    schedule_up(s, step);
}

enum dc_status ds_schedule_create(const struct ds_scenario *scenario, struct ds_schedule *out,
                                  struct dc_error *error)
{
    *out = (struct ds_schedule){.count_max = (uint32_t)scenario->faults_count + 1};
    out->step = dc_mem_alloc(out->count_max, sizeof *out->step);
    if (out->step == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %zu faults",
                            scenario->faults_count);
    for (uint32_t i = 0; i < scenario->faults_count; i++) {
        const struct ds_fault *f = &scenario->faults[i];
        /* who joins later is away from the start */
        int64_t at_ns = f->kind == DS_FAULT_JOIN ? 0 : f->at_ns;
        ds_schedule_add(out, &(struct ds_fault_step){at_ns, DS_STEP_BEGIN, i, 0, 0});
    }
    if (scenario->heal.given)
        ds_schedule_add(out, &(struct ds_fault_step){scenario->heal.at_ns, DS_STEP_HEAL, 0, 0, 0});
    return DC_OK;
}

void ds_schedule_free(struct ds_schedule *s)
{
    dc_mem_free(s->step);
    *s = (struct ds_schedule){0};
}

void ds_schedule_clear(struct ds_schedule *s)
{
    s->count = 0;
}

int64_t ds_schedule_next(const struct ds_schedule *s)
{
    return s->count == 0 ? INT64_MAX : s->step[0].at_ns;
}

bool ds_schedule_take(struct ds_schedule *s, int64_t now_ns, struct ds_fault_step *out)
{
    if (s->count == 0 || s->step[0].at_ns > now_ns)
        return false;
    *out = s->step[0];
    struct ds_fault_step last = s->step[--s->count];
    uint32_t i = 0;
    for (uint32_t child = 1; child < s->count; child = 2 * i + 1) {
        if (child + 1 < s->count && schedule_before(&s->step[child + 1], &s->step[child]))
            child++;
        if (!schedule_before(&s->step[child], &last))
            break;
        s->step[i] = s->step[child];
        i = child;
    }
    if (s->count > 0)
        s->step[i] = last;
    return true;
}

/* --- when ------------------------------------------------------------------------------------- */

int64_t ds_fault_end(const struct ds_fault *f, int64_t begin_ns)
{
    int64_t length = f->for_ns;
    switch ((enum ds_fault_kind)f->kind) {
    case DS_FAULT_CRASH: length = f->restart_ns; break;
    case DS_FAULT_JOIN: return f->at_ns;
    case DS_FAULT_REVOKE: return begin_ns + 1; /* at once: what it did stays */
    case DS_FAULT_EXIT: /* the step at which they leave; 1 ns: their transaction leaves first */
        return begin_ns + (f->notice_ns > 0 ? f->notice_ns : 1);
    default: break;
    }
    return length == 0 ? INT64_MAX : begin_ns + length;
}

bool ds_fault_gives_way(const struct ds_fault *f)
{
    return f->for_ns == 0 && f->kind != DS_FAULT_CRASH && f->kind != DS_FAULT_EXIT &&
           f->kind != DS_FAULT_DISK && f->kind != DS_FAULT_JOIN;
}

static int64_t schedule_draw(const struct dc_dist *table, struct dc_stream s, uint64_t n)
{
    int64_t x = dc_dist_at(table, dc_stream_at(&s, n));
    return x < 1 ? 1 : x;
}

int64_t ds_fault_gap(const struct ds_fault *f, const struct dc_dist *every, uint64_t seed,
                     uint64_t occurrence)
{
    return schedule_draw(every, dc_stream(seed, dc_name(f->id), dc_name("every")), occurrence);
}

uint64_t ds_fault_identity(const struct ds_fault *f, uint64_t occurrence, uint32_t look)
{
    uint64_t name = dc_name(f->id);
    if (occurrence == 0 && look == 0)
        return name;
    return dc_mix64(dc_mix64(name + occurrence) + look);
}

int64_t ds_churn_time(const struct ds_fault *f, const struct dc_dist *time, uint64_t seed,
                      uint64_t name, uint64_t n, bool down)
{
    struct dc_stream s =
        dc_stream(seed ^ dc_name(f->id), name, dc_name(down ? "churn down" : "churn up"));
    return schedule_draw(time, s, n);
}

/* Sorting the steps of a fault script; see schedule.h. */
#include "sim/fault/schedule.h"

#include "models/base/mem.h"

static bool schedule_before(const struct ds_fault_step *a, const struct ds_fault_step *b)
{
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns;
    if (a->begin != b->begin)
        return !a->begin;
    return a->fault < b->fault;
}

static void schedule_add(struct ds_schedule *s, int64_t at_ns, uint32_t fault, bool begin)
{
    struct ds_fault_step step = {at_ns, fault, begin};
    uint32_t i = s->count++;
    for (; i > 0 && schedule_before(&step, &s->step[i - 1]); i--)
        s->step[i] = s->step[i - 1];
    s->step[i] = step;
}

enum dc_status ds_schedule_create(const struct ds_scenario *scenario, struct ds_schedule *out,
                                  struct dc_error *error)
{
    *out = (struct ds_schedule){0};
    out->step = dc_mem_alloc(2 * scenario->faults_count, sizeof *out->step);
    if (out->step == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %zu faults",
                            scenario->faults_count);
    for (uint32_t i = 0; i < scenario->faults_count; i++) {
        const struct ds_fault *f = &scenario->faults[i];
        int64_t length = f->kind == DS_FAULT_CRASH ? f->restart_ns : f->for_ns;
        schedule_add(out, f->at_ns, i, true);
        if (length > 0)
            schedule_add(out, f->at_ns + length, i, false);
    }
    return DC_OK;
}

void ds_schedule_free(struct ds_schedule *schedule)
{
    dc_mem_free(schedule->step);
    *schedule = (struct ds_schedule){0};
}

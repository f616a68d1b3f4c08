/* The fault script at work: selectors become nodes when the world is made, and each fault is a
 * step that begins it and, where it ends, one that ends it, executed at barriers in order of
 * (time, place in the script).  A fault precedes the events of its time. */
#include "models/base/mem.h"
#include "sim/fault/schedule.h"
#include "sim/world/inside.h"
#include "sim/world/observe.h"

struct fault_state {
    bool active;
    uint32_t handle; /* of the network's rule or partition */
    uint32_t targets;
    bool *target; /* CRASH, SLOW_CPU, LINK's sources: per node */
    struct world_grief *grief;
    bool *other;    /* LINK's destinations */
    uint8_t *group; /* PARTITION */
};

static bool *fault_match(struct ds_world *w, const struct ds_selector *s, uint64_t identity,
                         uint32_t *count)
{
    struct ds_population p = {.scenario = w->scenario, .region = w->region, .power = w->power};
    bool *member = dc_mem_need(w->nodes, sizeof *member, "a fault's targets");
    *count = (uint32_t)ds_selector_match(s, &p, w->scenario->seed, identity, member);
    return member;
}

static void fault_partition(struct ds_world *w, const struct ds_fault *f, struct fault_state *s)
{
    uint64_t identity = dc_name(f->id);
    s->group = dc_mem_need(w->nodes, 1, "a partition");
    uint8_t rest = 0;
    for (size_t g = 0; g < f->groups_count; g++) {
        if (f->groups[g]->kind == DS_SELECT_REST) {
            rest = (uint8_t)(g + 1);
            continue;
        }
        uint32_t count;
        bool *member = fault_match(w, f->groups[g], identity + g, &count);
        for (uint32_t n = 0; n < w->nodes; n++)
            if (member[n] && s->group[n] == 0)
                s->group[n] = (uint8_t)(g + 1);
        dc_mem_free(member);
    }
    for (uint32_t n = 0; n < w->nodes; n++) {
        if (s->group[n] == 0)
            s->group[n] = rest;
        s->targets += s->group[n] > 1;
    }
}

static void fault_resolve(struct ds_world *w, const struct ds_fault *f, struct fault_state *s)
{
    uint32_t count;
    switch ((enum ds_fault_kind)f->kind) {
    case DS_FAULT_CRASH:
    case DS_FAULT_SLOW_CPU:
        s->target = fault_match(w, f->nodes, dc_name(f->id), &s->targets);
        break;
    case DS_FAULT_LINK:
        s->target = fault_match(w, f->src, dc_name(f->id), &s->targets);
        s->other = fault_match(w, f->dst, dc_name(f->id) + 1, &count);
        break;
    case DS_FAULT_PARTITION: fault_partition(w, f, s); break;
    case DS_FAULT_GRIEF:
        s->grief = world_grief_create(w, f, fault_match(w, f->nodes, dc_name(f->id), &s->targets));
        break;
    }
}

enum dc_status world_faults_create(struct ds_world *w, struct dc_error *error)
{
    w->fault = dc_mem_alloc(w->scenario->faults_count, sizeof *w->fault);
    if (w->fault == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %zu faults",
                            w->scenario->faults_count);
    for (size_t i = 0; i < w->scenario->faults_count; i++)
        fault_resolve(w, &w->scenario->faults[i], &w->fault[i]);
    return ds_schedule_create(w->scenario, &w->schedule, error);
}

void world_faults_free(struct ds_world *w)
{
    for (size_t i = 0; w->fault != NULL && i < w->scenario->faults_count; i++) {
        dc_mem_free(w->fault[i].target);
        dc_mem_free(w->fault[i].other);
        dc_mem_free(w->fault[i].group);
        world_grief_free(w->fault[i].grief);
    }
    dc_mem_free(w->fault);
    ds_schedule_free(&w->schedule);
    w->fault = NULL;
}

/* --- executing ------------------------------------------------------------------------------ */

static void fault_crash(struct ds_world *w, const struct fault_state *s, bool begin, int64_t now_ns)
{
    for (uint32_t n = 0; n < w->nodes; n++) {
        if (!s->target[n] || w->up[n] == !begin)
            continue;
        w->up[n] = !begin;
        if (begin) {
            w->incarnation[n]++;
            w->busy_ns[n] = 0;
            ds_net_reset_queues(w->net, n);
        } else {
            world_post_self(w, 0, n, now_ns, EV_RESTART, 0);
        }
    }
}

static uint64_t *fault_bits(const struct ds_world *w, const bool *member)
{
    uint64_t *bits = dc_mem_need(w->nodes / 64 + 1, sizeof *bits, "a fault's links");
    for (uint32_t n = 0; n < w->nodes; n++)
        if (member[n])
            bits[n / 64] |= (uint64_t)1 << (n & 63);
    return bits;
}

static uint32_t fault_q16(double factor)
{
    double q = factor * DS_NET_Q16_ONE + 0.5;
    return q >= 4294967295.0 ? UINT32_MAX : (uint32_t)q;
}

static enum dc_status fault_link(struct ds_world *w, const struct ds_fault *f,
                                 struct fault_state *s, bool begin, struct dc_error *error)
{
    if (!begin) {
        ds_net_rule_end(w->net, s->handle);
        return DC_OK;
    }
    uint64_t *src = fault_bits(w, s->target), *dst = fault_bits(w, s->other);
    struct ds_net_rule rule = {.src = src,
                               .dst = dst,
                               .both_ways = f->both,
                               .latency_add_ns = f->latency_add_ns,
                               .latency_factor_q16 = fault_q16(f->latency_factor),
                               .bandwidth_factor_q16 = fault_q16(f->bandwidth_factor),
                               .loss_q31 = f->loss};
    enum dc_status status = ds_net_rule_begin(w->net, &rule, &s->handle, error);
    dc_mem_free(src);
    dc_mem_free(dst);
    return status;
}

static enum dc_status fault_execute(struct ds_world *w, uint32_t index, bool begin, int64_t now_ns,
                                    struct dc_error *error)
{
    const struct ds_fault *f = &w->scenario->faults[index];
    struct fault_state *s = &w->fault[index];
    enum dc_status status = DC_OK;
    switch ((enum ds_fault_kind)f->kind) {
    case DS_FAULT_CRASH: fault_crash(w, s, begin, now_ns); break;
    case DS_FAULT_PARTITION:
        if (begin)
            status = ds_net_partition_begin(w->net, s->group, &s->handle, error);
        else
            ds_net_partition_end(w->net, s->handle);
        break;
    case DS_FAULT_LINK: status = fault_link(w, f, s, begin, error); break;
    case DS_FAULT_GRIEF:
        if (begin)
            status = world_grief_run(w, s->grief, error);
        else
            world_grief_end(w, s->grief);
        break;
    case DS_FAULT_SLOW_CPU:
        for (uint32_t n = 0; n < w->nodes; n++)
            if (s->target[n])
                w->slow_q16[n] = begin ? fault_q16(f->factor) : DS_NET_Q16_ONE;
        break;
    }
    s->active = begin;
    if (begin && status == DC_OK)
        world_observe_fault(w, f, s->targets, now_ns);
    return status;
}

int64_t world_faults_run(struct ds_world *w, int64_t now_ns)
{
    struct ds_schedule *s = &w->schedule;
    bool changed = false;
    while (s->next < s->count && s->step[s->next].at_ns <= now_ns) {
        const struct ds_fault_step *step = &s->step[s->next++];
        changed = true;
        if (fault_execute(w, step->fault, step->begin, now_ns, &w->error) != DC_OK) {
            w->end_check = true;
            return INT64_MAX;
        }
    }
    if (changed)
        ds_kernel_set_lookahead(w->kernel, ds_net_lookahead(w->net));
    return s->next < s->count ? s->step[s->next].at_ns : INT64_MAX;
}

void world_faults_watch(struct ds_world *w)
{
    for (size_t i = 0; i < w->scenario->faults_count; i++) {
        struct fault_state *s = &w->fault[i];
        if (s->grief != NULL && s->active && world_grief_run(w, s->grief, &w->error) != DC_OK)
            w->end_check = true;
    }
}

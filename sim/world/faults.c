/* The fault script at work: what begins, ends, looks anew at its selectors, and heals, when.
 *
 * The steps of sim/fault/schedule.h are executed at barriers in their order; a fault precedes the
 * events of its time.  An occurrence is made at its begin and freed at its end; several of one
 * fault may be in force, and do what as many faults would.  One that has no end gives way to the
 * next (ds_fault_gives_way), so that they do not pile up. */
#include "sim/world/faults.h"

#include "models/base/mem.h"
#include "sim/world/channel.h"
#include "sim/world/observe.h"
#include "sim/world/watch.h"

enum dc_status world_faults_create(struct ds_world *w, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    if (sc->faults_count == 0 && !sc->heal.given)
        return DC_OK;
    w->script = dc_mem_alloc(1, sizeof *w->script);
    if (w->script == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for faults");
    w->script->ended_ns = -1;
    w->script->fault = dc_mem_alloc(sc->faults_count, sizeof *w->script->fault);
    w->plight = dc_mem_alloc(w->nodes, sizeof *w->plight);
    if (w->script->fault == NULL || w->plight == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %zu faults", sc->faults_count);
    enum dc_status s = world_fault_prepare(w, error);
    if (s == DC_OK)
        s = world_clocks_create(w, error);
    return s == DC_OK ? ds_schedule_create(sc, &w->script->schedule, error) : s;
}

static void fault_free(struct ds_world *w, struct world_occurrence *o)
{
    for (uint32_t n = 0; o->image != NULL && n < w->nodes; n++)
        world_image_drop(w, &o->image[n]);
    dc_mem_free(o->image);
    dc_mem_free(o->dead);
    dc_mem_free(o->outage);
    world_grief_free(o->grief);
    world_targets_free(&o->to);
    dc_mem_free(o);
}

void world_faults_free(struct ds_world *w)
{
    struct world_script *script = w->script;
    for (uint32_t n = 0; w->plight != NULL && n < w->nodes; n++) {
        world_fault_forget(w, n, true);
        world_image_drop(w, &w->plight[n].image);
        world_image_drop(w, &w->plight[n].torn);
        dc_mem_free(w->plight[n].list);
    }
    for (size_t i = 0; script != NULL && script->fault != NULL && i < w->scenario->faults_count;
         i++) {
        struct world_fault *s = &script->fault[i];
        for (struct world_occurrence *o = s->first, *next; o != NULL; o = next) {
            next = o->next;
            fault_free(w, o);
        }
        world_targets_free(&s->as);
        ds_outages_free(&s->outages);
        dc_mem_free(s->corrupted);
        dc_mem_free(s->every);
        dc_mem_free(s->latency);
        dc_mem_free(s->mtbf);
        dc_mem_free(s->mttr);
    }
    for (uint32_t i = 0; w->shard != NULL && i < w->threads; i++) {
        for (uint32_t k = 0; k < w->shard[i].deaths; k++)
            world_fault_death_free(&w->shard[i].death[k]);
        dc_mem_free(w->shard[i].death);
        w->shard[i].death = NULL;
    }
    world_clocks_free(w);
    if (script != NULL) {
        ds_schedule_free(&script->schedule);
        dc_mem_free(script->centrality);
        dc_mem_free(script->quorum);
        dc_mem_free(script->fault);
    }
    dc_mem_free(w->script);
    dc_mem_free(w->plight);
    w->script = NULL;
    w->plight = NULL;
}

/* --- what an occurrence does to its targets --------------------------------------------------- */

static void fault_node_begin(struct ds_world *w, const struct ds_fault *f,
                             struct world_occurrence *o, uint32_t n, int64_t now_ns)
{
    switch ((enum ds_fault_kind)f->kind) {
    case DS_FAULT_CRASH: world_fault_down(w, n, f->state, now_ns); break;
    case DS_FAULT_JOIN: world_fault_down(w, n, DS_STATE_DURABLE, now_ns); break;
    case DS_FAULT_PAUSE: world_fault_hold(w, n); break;
    case DS_FAULT_SLOW_CPU: world_fault_slow(w, n, now_ns); break;
    case DS_FAULT_CLOCK: world_clock_change(w, n, now_ns); break;
    case DS_FAULT_DISK: world_fault_disk(w, f, o, n, true, now_ns); break;
    default: break;
    }
}

static void fault_node_end(struct ds_world *w, const struct ds_fault *f, struct world_occurrence *o,
                           uint32_t n, int64_t now_ns)
{
    switch ((enum ds_fault_kind)f->kind) {
    case DS_FAULT_CRASH:
    case DS_FAULT_JOIN: world_fault_up(w, n, now_ns); break;
    case DS_FAULT_PAUSE: world_fault_release(w, n, now_ns); break;
    case DS_FAULT_SLOW_CPU: world_fault_slow(w, n, now_ns); break;
    case DS_FAULT_CLOCK: world_clock_change(w, n, now_ns); break;
    case DS_FAULT_DISK: world_fault_disk(w, f, o, n, false, now_ns); break;
    default: break;
    }
}

/* Begins for the targets that are not among `was` (NULL: for all). */
static enum dc_status fault_begin(struct ds_world *w, uint32_t fault, struct world_occurrence *o,
                                  const struct world_targets *was, int64_t now_ns)
{
    const struct ds_fault *f = &w->scenario->faults[fault];
    struct world_fault *s = &w->script->fault[fault];
    if (world_fault_is_net(f))
        return world_fault_net_begin(w, f, s, o, now_ns, &w->error);
    switch ((enum ds_fault_kind)f->kind) {
    case DS_FAULT_BYZANTINE: return world_fault_byzantine_begin(w, fault, o, was, &w->error);
    case DS_FAULT_CHURN: world_fault_churn_begin(w, fault, o, now_ns); return DC_OK;
    case DS_FAULT_EXIT: world_fault_exit(w, o, false, now_ns); return DC_OK;
    case DS_FAULT_MITM: world_mitm_begin(w, o); return DC_OK;
    case DS_FAULT_REVOKE: world_fault_revoke_begin(w, o, was, now_ns); return DC_OK;
    case DS_FAULT_GRIEF:
        o->grief = world_grief_create(w, f, ds_fault_identity(f, o->number, 0), o->to.node);
        return world_grief_run(w, o->grief, &w->error);
    default: break;
    }
    for (uint32_t n = 0; n < w->nodes; n++)
        if (o->to.node[n] && (was == NULL || !was->node[n]))
            fault_node_begin(w, f, o, n, now_ns);
    return DC_OK;
}

/* Ends for the targets that it had and that are not among `still` (NULL: for all); o->to is what it
 * has from now on, so that what others do to a node is worked out without it. */
static enum dc_status fault_end(struct ds_world *w, uint32_t fault, struct world_occurrence *o,
                                struct world_targets *had, const struct world_targets *still,
                                int64_t now_ns)
{
    const struct ds_fault *f = &w->scenario->faults[fault];
    if (world_fault_is_net(f)) {
        world_fault_net_end(w, o);
        return DC_OK;
    }
    switch ((enum ds_fault_kind)f->kind) {
    case DS_FAULT_BYZANTINE: return world_fault_byzantine_end(w, fault, o, had, still, &w->error);
    case DS_FAULT_CHURN: world_fault_churn_end(w, fault, o, now_ns); return DC_OK;
    case DS_FAULT_EXIT:
    case DS_FAULT_REVOKE: return DC_OK;
    case DS_FAULT_MITM: world_mitm_end(w, o); return DC_OK;
    case DS_FAULT_GRIEF: world_grief_end(w, o->grief); return DC_OK;
    default: break;
    }
    for (uint32_t n = 0; n < w->nodes; n++)
        if (had->node[n] && (still == NULL || !still->node[n]))
            fault_node_end(w, f, o, n, now_ns);
    return DC_OK;
}

/* --- occurrences ------------------------------------------------------------------------------ */

static void fault_check(struct ds_world *w, enum dc_status status)
{
    if (status != DC_OK)
        w->end_check = true; /* w->error says why: the run ends at this barrier */
}

static struct world_occurrence *fault_find(const struct ds_world *w,
                                           const struct ds_fault_step *step)
{
    struct world_occurrence *o = w->script->fault[step->fault].first;
    while (o != NULL && o->number != step->occurrence)
        o = o->next;
    return o;
}

static void fault_row(struct ds_world *w, uint32_t fault, const struct world_occurrence *o,
                      int64_t end_ns)
{
    if (w->scenario->faults[fault].kind != DS_FAULT_CHURN) /* which tells each outage */
        world_fault_row(w, fault, o->number, &o->to, o->row_ns, end_ns);
}

static struct world_targets fault_select(struct ds_world *w, uint32_t fault,
                                         const struct world_occurrence *o)
{
    const struct ds_fault *f = &w->scenario->faults[fault];
    struct world_fault *s = &w->script->fault[fault];
    struct world_targets to;
    if (f->reselect_ns == 0 && !s->chosen) {
        s->as = world_fault_select(w, f, 0, 0);
        s->chosen = true;
    }
    to = f->reselect_ns == 0 ? world_targets_copy(w, &s->as)
                             : world_fault_select(w, f, o->number, o->look);
    if (f->kind == DS_FAULT_BYZANTINE)
        world_fault_budget(w, fault, o, &to);
    return to;
}

static void occurrence_end(struct ds_world *w, uint32_t fault, struct world_occurrence *o,
                           int64_t now_ns)
{
    const struct ds_fault *f = &w->scenario->faults[fault];
    struct world_occurrence **at = &w->script->fault[fault].first;
    if (f->kind != DS_FAULT_CHURN)
        fault_row(w, fault, o, now_ns);
    struct world_targets had = o->to;
    bool left = o->left;
    o->to = (struct world_targets){0};
    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    fault_check(w, fault_end(w, fault, o, &had, NULL, now_ns));
    world_targets_free(&had);
    fault_free(w, o);
    w->script->active -= !left; /* who has left is not in force any more */
    w->script->ended_ns = now_ns;
    if (w->watch != NULL)
        world_watch_fault(w, fault, false, now_ns);
}

static void occurrence_steps(struct ds_world *w, const struct ds_fault_step *step,
                             const struct world_occurrence *o)
{
    const struct ds_fault *f = &w->scenario->faults[step->fault];
    struct ds_schedule *schedule = &w->script->schedule;
    struct ds_fault_step next = *step;
    if (o->end_ns != INT64_MAX) {
        next.kind = DS_STEP_END;
        next.at_ns = o->end_ns;
        ds_schedule_add(schedule, &next);
    }
    if (f->reselect_ns > 0 && step->at_ns + f->reselect_ns < o->end_ns) {
        next.kind = DS_STEP_RESELECT;
        next.at_ns = step->at_ns + f->reselect_ns;
        ds_schedule_add(schedule, &next);
    }
    if (w->script->fault[step->fault].every != NULL && step->occurrence + 1 < f->times) {
        next = *step;
        next.occurrence++;
        next.at_ns += ds_fault_gap(f, w->script->fault[step->fault].every, w->luck,
                                   step->occurrence);
        ds_schedule_add(schedule, &next);
    }
}

static void occurrence_begin(struct ds_world *w, const struct ds_fault_step *step, int64_t now_ns)
{
    const struct ds_fault *f = &w->scenario->faults[step->fault];
    struct world_fault *s = &w->script->fault[step->fault];
    const struct ds_heal *heal = &w->scenario->heal;
    while (ds_fault_gives_way(f) && s->first != NULL)
        occurrence_end(w, step->fault, s->first, now_ns);
    struct world_occurrence *o = dc_mem_need(1, sizeof *o, "a fault"), **at = &s->first;
    o->number = step->occurrence;
    o->begin_ns = o->row_ns = step->at_ns;
    o->end_ns = ds_fault_end(f, step->at_ns);
    if (heal->given && o->end_ns > heal->at_ns && f->kind != DS_FAULT_EXIT)
        o->end_ns = heal->at_ns; /* what is held back until the end is released then */
    o->to = fault_select(w, step->fault, o);
    while (*at != NULL)
        at = &(*at)->next;
    *at = o;
    w->script->active++;
    if (f->kind != DS_FAULT_CHURN) /* which counts each outage */
        world_observe_begun(w);
    fault_check(w, fault_begin(w, step->fault, o, NULL, now_ns));
    occurrence_steps(w, step, o);
    if (w->watch != NULL)
        world_watch_fault(w, step->fault, true, now_ns);
}

static void occurrence_reselect(struct ds_world *w, const struct ds_fault_step *step,
                                int64_t now_ns)
{
    const struct ds_fault *f = &w->scenario->faults[step->fault];
    struct world_occurrence *o = fault_find(w, step);
    if (o == NULL)
        return;
    o->look++;
    struct world_targets had = o->to, to = fault_select(w, step->fault, o);
    if (world_targets_equal(w, &had, &to)) {
        world_targets_free(&to);
    } else {
        fault_row(w, step->fault, o, now_ns);
        o->row_ns = now_ns;
        o->to = to;
        fault_check(w, fault_end(w, step->fault, o, &had, &to, now_ns));
        fault_check(w, fault_begin(w, step->fault, o, &had, now_ns));
        world_targets_free(&had);
    }
    struct ds_fault_step next = *step;
    next.at_ns += f->reselect_ns;
    if (next.at_ns < o->end_ns)
        ds_schedule_add(&w->script->schedule, &next);
}

/* --- the heal --------------------------------------------------------------------------------- */

/* Who is there no more is nobody's neighbour. */
static void fault_close(struct ds_world *w)
{
    bool *gone = dc_mem_need(w->nodes, sizeof *gone, "who has gone"), any = false;
    for (uint32_t n = 0; n < w->nodes; n++)
        any |= gone[n] = w->plight[n].gone;
    if (any)
        fault_check(w, ds_overlay_close(&w->overlay, gone, &w->error));
    dc_mem_free(gone);
}

/* First everybody outside of the quorum is stopped for good, then everything ends. */
static void fault_heal(struct ds_world *w, int64_t now_ns)
{
    struct world_script *s = w->script;
    s->quorum = dc_mem_need(w->nodes, sizeof *s->quorum, "a quorum");
    world_fault_match(w, w->scenario->heal.quorum, dc_name("heal"), s->quorum);
    ds_schedule_clear(&s->schedule);
    for (uint32_t n = 0; n < w->nodes; n++) {
        struct world_plight *p = &w->plight[n];
        s->quorum[n] = s->quorum[n] && !p->excused && !p->gone;
        if (!s->quorum[n] && !p->gone) {
            p->gone = true;
            world_fault_down(w, n, DS_STATE_FULL, now_ns);
        }
    }
    for (uint32_t i = 0; i < w->scenario->faults_count; i++)
        while (s->fault[i].first != NULL)
            occurrence_end(w, i, s->fault[i].first, now_ns);
    fault_close(w);
    for (uint32_t n = 0; n < w->nodes; n++)
        for (; w->plight[n].torn_down > 0; w->plight[n].torn_down--)
            world_fault_up(w, n, now_ns);
    s->ended_ns = now_ns;
}

/* --- the barrier ------------------------------------------------------------------------------ */

static void fault_node_step(struct ds_world *w, const struct ds_fault_step *step, int64_t now_ns)
{
    struct world_plight *p = &w->plight[step->node];
    struct world_occurrence *o = fault_find(w, step);
    if (w->scenario->faults[step->fault].kind == DS_FAULT_CHURN) {
        if (o != NULL)
            world_fault_churn_step(w, step, o, now_ns);
    } else if (p->torn_down > 0) {
        p->torn_down--;
        world_fault_up(w, step->node, now_ns);
    }
}

static void fault_leave(struct ds_world *w, struct world_occurrence *o, int64_t now_ns)
{
    world_fault_exit(w, o, true, now_ns);
    w->script->active--;
    w->script->ended_ns = now_ns;
}

static void fault_execute(struct ds_world *w, const struct ds_fault_step *step, int64_t now_ns)
{
    struct world_occurrence *o;
    switch (step->kind) {
    case DS_STEP_HEAL: fault_heal(w, now_ns); break;
    case DS_STEP_BEGIN: occurrence_begin(w, step, now_ns); break;
    case DS_STEP_RESELECT: occurrence_reselect(w, step, now_ns); break;
    case DS_STEP_UP:
    case DS_STEP_DOWN: fault_node_step(w, step, now_ns); break;
    case DS_STEP_END:
        o = fault_find(w, step);
        if (o == NULL)
            break;
        if (w->scenario->faults[step->fault].kind == DS_FAULT_EXIT)
            fault_leave(w, o, now_ns);
        else
            occurrence_end(w, step->fault, o, now_ns);
    }
}

int64_t world_faults_run(struct ds_world *w, int64_t now_ns)
{
    struct ds_fault_step step;
    bool changed = false;
    if (w->script == NULL)
        return INT64_MAX;
    world_fault_deaths(w);
    while (ds_schedule_take(&w->script->schedule, now_ns, &step)) {
        fault_execute(w, &step, now_ns);
        changed = true;
        if (w->error.status != DC_OK)
            return INT64_MAX;
    }
    if (changed)
        ds_kernel_set_lookahead(w->kernel, ds_net_lookahead(w->net));
    return ds_schedule_next(&w->script->schedule);
}

void world_faults_watch(struct ds_world *w)
{
    for (size_t i = 0; w->script != NULL && i < w->scenario->faults_count; i++)
        for (struct world_occurrence *o = w->script->fault[i].first; o != NULL; o = o->next)
            if (o->grief != NULL)
                fault_check(w, world_grief_run(w, o->grief, &w->error));
}

void world_faults_finish(struct ds_world *w)
{
    for (uint32_t i = 0; w->script != NULL && i < w->scenario->faults_count; i++)
        for (struct world_occurrence *o = w->script->fault[i].first; o != NULL; o = o->next) {
            fault_row(w, i, o, INT64_MAX);
            for (uint32_t n = 0; o->outage != NULL && n < w->nodes; n++)
                if (o->outage[n].down > 0)
                    world_fault_row_node(w, i, o->outage[n].count - 1, n, o->outage[n].since_ns,
                                         INT64_MAX);
        }
}

bool world_excused(const struct ds_world *w, uint32_t node)
{
    return w->plight != NULL && w->plight[node].excused;
}

const bool *world_quorum(const struct ds_world *w)
{
    return w->script != NULL ? w->script->quorum : NULL;
}

int64_t world_faults_ended(const struct ds_world *w)
{
    if (w->script == NULL)
        return -1;
    return w->script->active > 0 ? INT64_MAX : w->script->ended_ns;
}

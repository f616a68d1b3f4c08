/* What theta is worth: the same scenario twice more, and what it lost there.
 *
 *     as it is     theta, flags, forecasts, readiness ...     C challenges an epoch     loss
 *     none         theta 0: base audits alone                 fewer                     loss_none
 *     audits       theta 0, everybody in T(e) and a budget    C, drawn at random        loss_audits
 *                  of C
 *
 *     theta_lift = (loss_none - loss) / (loss_none - loss_audits)
 *
 * Above 1, choosing by theta (and whatever else the scenario switches on) lost less than the same
 * number of challenges at random.  All three share population, demand, latencies and faults, and
 * washers buy what they would have bought, so the comparison is paired.  models/README.md 17.4. */
#include <string.h>

#include "sim/world/observer.h"

/* The scenario without what chooses whom to challenge; it borrows everything else. */
static struct ds_scenario lift_base(const struct ds_scenario *from)
{
    struct ds_scenario s = *from;
    struct dc_params *p = &s.protocol;
    p->theta = 0;
    p->theta_mode = DC_THETA_LEVEL;
    p->trigger = DC_TRIGGER_OBSERVED;
    p->detectors = 0;
    p->ready = false;
    p->budget = 0;
    p->order = DC_ORDER_RANDOM;
    s.record = (struct ds_record){.slice_ns = from->record.slice_ns};
    s.expects_count = 0;
    return s;
}

static enum dc_status lift_run(const struct ds_world *w, const struct ds_scenario *scenario,
                               double *loss, double *found, struct dc_error *error)
{
    struct ds_world *other = NULL;
    struct ds_summary summary;
    struct ds_world_options options = {.parallel_events = w->options.parallel_events,
                                       .threads = w->threads,
                                       .until_ns = w->options.until_ns,
                                       .stop = w->options.stop,
                                       .progress = w->options.progress,
                                       .progress_ctx = w->options.progress_ctx};
    enum dc_status s =
        world_create_for(scenario, &options, w->scenario->protocol.theta, &other, error);
    if (s == DC_OK)
        s = ds_world_run(other, error);
    if (s == DC_OK)
        s = ds_world_finish(other, &summary, error);
    if (s == DC_OK && other->end != DS_WORLD_INTERRUPTED) {
        *loss = ds_summary_value(&summary, "loss");
        *found = (double)world_cheats_found(other);
    }
    ds_world_destroy(other);
    return s;
}

enum dc_status world_lift(struct ds_world *w, struct dc_error *error)
{
    struct ds_lift *l = &w->observer->lift;
    if (!w->scenario->record.lift || w->observer->epochs == 0 || w->error.status != DC_OK ||
        w->end == DS_WORLD_INTERRUPTED)
        return DC_OK;
    struct ds_scenario none = lift_base(w->scenario);
    double found = NAN;
    enum dc_status s = lift_run(w, &none, &l->loss_none, &found, error);
    if (s != DC_OK)
        return s;
    struct ds_scenario audits = lift_base(w->scenario);
    uint64_t epochs = w->observer->epochs;
    uint64_t each = (w->observer->challenges + epochs / 2) / epochs;
    audits.protocol.audit = DC_ONE;
    audits.protocol.budget = each == 0 ? 1 : each > UINT32_MAX ? UINT32_MAX : (uint32_t)each;
    return lift_run(w, &audits, &l->loss_audits, &l->found_audits, error);
}

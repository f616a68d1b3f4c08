/* Byzantine faults: which nodes deviate, and how (models/adversary/byzantine.h).
 *
 * Whoever deviated once is excused for good: what it signed may still go round.  A behaviour that
 * two faults want of one node is in force until both have ended, with the configuration of the one
 * that began last.  Two behaviours that cannot be in force at once (twins, collude) are not: the
 * later one leaves the node out.  With a budget, who was corrupted stays so. */
#include "models/adversary/byzantine.h"
#include "models/base/mem.h"
#include "sim/world/faults.h"

static uint64_t *byzantine_bits(const struct ds_world *w, const bool *member)
{
    uint64_t *bits = dc_mem_need(w->nodes / 64 + 1, sizeof *bits, "a clique");
    for (uint32_t n = 0; n < w->nodes; n++)
        if (member[n])
            bits[n / 64] |= (uint64_t)1 << (n & 63);
    return bits;
}

static bool byzantine_twofold(uint32_t behaviour)
{
    return behaviour == DS_BEHAVIOUR_TWINS || behaviour == DS_BEHAVIOUR_COLLUDE;
}

/* Whether another occurrence makes this one impossible at the node; `other` than o. */
static bool byzantine_taken(const struct ds_world *w, const struct ds_fault *f,
                            const struct world_occurrence *o, uint32_t node)
{
    if (!byzantine_twofold(f->behaviour))
        return false;
    for (size_t i = 0; i < w->scenario->faults_count; i++) {
        const struct ds_fault *g = &w->scenario->faults[i];
        if (g->kind != DS_FAULT_BYZANTINE || !byzantine_twofold(g->behaviour) ||
            g->behaviour == f->behaviour)
            continue;
        for (const struct world_occurrence *p = w->script->fault[i].first; p != NULL; p = p->next)
            if (p != o && p->to.node != NULL && p->to.node[node])
                return true;
    }
    return false;
}

#define BYZANTINE_RATE_MAX 16000 /* messages a second, dc_byzantine_begin's limit */

static uint32_t byzantine_rate(double spam)
{
    return spam < 1 ? 1 : spam > BYZANTINE_RATE_MAX ? BYZANTINE_RATE_MAX : (uint32_t)(spam + 0.5);
}

static enum dc_status byzantine_one(struct ds_world *w, const struct ds_fault *f,
                                    struct world_occurrence *o, const uint64_t *victims,
                                    const uint64_t *clique, uint32_t node, struct dc_error *error)
{
    const struct dc_content *filler =
        w->node[node]->service != NULL ? &w->node[node]->service->storage.filler : NULL;
    struct dc_node_config config = world_node_config(w, node, filler, w->node[node]->accomplice);
    uint64_t name = ds_fault_identity(f, o->number, 0);
    struct dc_byzantine_config b = {
        .behaviour = (enum dc_behaviour)f->behaviour,
        .victims = victims,
        .clique = clique,
        .nodes = w->nodes,
        .delay_ns = f->delay_ns,
        .rate_per_s = byzantine_rate(f->spam),
        .share = f->share,
        .seed = dc_mix64(dc_mix64(w->scenario->seed ^ name) ^ w->identity[node]),
        .node = &config};
    w->plight[node].excused = true;
    return dc_byzantine_begin(w->node[node], &b, error);
}

enum dc_status world_fault_byzantine_begin(struct ds_world *w, uint32_t fault,
                                           struct world_occurrence *o,
                                           const struct world_targets *was, struct dc_error *error)
{
    const struct ds_fault *f = &w->scenario->faults[fault];
    bool together =
        f->behaviour == DS_BEHAVIOUR_COLLUDE || f->behaviour == DS_BEHAVIOUR_WITHHOLD_VRF;
    bool validators = dc_behaviour_validators_only((enum dc_behaviour)f->behaviour);
    enum dc_status status = DC_OK;
    for (uint32_t n = 0; n < w->nodes; n++)
        if (o->to.node[n] &&
            ((validators && w->node[n]->validator == NULL) || byzantine_taken(w, f, o, n))) {
            o->to.node[n] = false;
            o->to.count--;
        }
    uint64_t *victims = byzantine_bits(w, o->to.other), *clique = byzantine_bits(w, o->to.node);
    for (uint32_t n = 0; n < w->nodes && status == DC_OK; n++)
        if (o->to.node[n] && (together || was == NULL || !was->node[n]))
            status = byzantine_one(w, f, o, victims, clique, n, error);
    dc_mem_free(victims);
    dc_mem_free(clique);
    return status;
}

/* Of the other occurrences that want the same of the node, the last in the script's order. */
static enum dc_status byzantine_again(struct ds_world *w, const struct ds_fault *f,
                                      const struct world_occurrence *o, uint32_t node,
                                      struct dc_error *error)
{
    struct world_occurrence *other = NULL;
    const struct ds_fault *of = NULL;
    for (size_t i = 0; i < w->scenario->faults_count; i++) {
        const struct ds_fault *g = &w->scenario->faults[i];
        if (g->kind != DS_FAULT_BYZANTINE || g->behaviour != f->behaviour)
            continue;
        for (struct world_occurrence *p = w->script->fault[i].first; p != NULL; p = p->next)
            if (p != o && p->to.node != NULL && p->to.node[node]) {
                other = p;
                of = g;
            }
    }
    if (other == NULL)
        return DC_OK;
    uint64_t *victims = byzantine_bits(w, other->to.other),
             *clique = byzantine_bits(w, other->to.node);
    enum dc_status s = byzantine_one(w, of, other, victims, clique, node, error);
    dc_mem_free(victims);
    dc_mem_free(clique);
    return s;
}

enum dc_status world_fault_byzantine_end(struct ds_world *w, uint32_t fault,
                                         struct world_occurrence *o,
                                         const struct world_targets *had,
                                         const struct world_targets *still, struct dc_error *error)
{
    const struct ds_fault *f = &w->scenario->faults[fault];
    enum dc_status status = DC_OK;
    for (uint32_t n = 0; n < w->nodes && status == DC_OK; n++) {
        if (!had->node[n] || (still != NULL && still->node[n]))
            continue;
        dc_byzantine_end(w->node[n], (enum dc_behaviour)f->behaviour);
        status = byzantine_again(w, f, o, n, error);
    }
    return status;
}

void world_fault_budget(struct ds_world *w, uint32_t fault, const struct world_occurrence *o,
                        struct world_targets *to)
{
    const struct ds_fault *f = &w->scenario->faults[fault];
    struct world_fault *s = &w->script->fault[fault];
    bool validators = dc_behaviour_validators_only((enum dc_behaviour)f->behaviour);
    if (f->budget == UINT32_MAX)
        return;
    if (s->corrupted == NULL)
        s->corrupted = dc_mem_need(w->nodes, sizeof *s->corrupted, "corrupted nodes");
    /* New ones in the order of their keys, so that no number is favoured. */
    for (bool more = true; more && s->corruptions < f->budget;) {
        uint64_t best = 0;
        uint32_t chosen = UINT32_MAX;
        for (uint32_t n = 0; n < w->nodes; n++) {
            if (!to->node[n] || s->corrupted[n] || (validators && w->node[n]->validator == NULL))
                continue;
            struct dc_stream stream =
                dc_stream(w->scenario->seed ^ dc_name(f->id), w->identity[n], dc_name("budget"));
            uint64_t key = dc_stream_at(&stream, o->number);
            if (chosen == UINT32_MAX || key < best) {
                best = key;
                chosen = n;
            }
        }
        more = chosen != UINT32_MAX;
        if (more) {
            s->corrupted[chosen] = true;
            s->corruptions++;
        }
    }
    to->count = 0;
    for (uint32_t n = 0; n < w->nodes; n++) {
        to->node[n] = s->corrupted[n];
        to->count += to->node[n];
    }
}

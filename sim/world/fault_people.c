/* Who comes and goes: churn, exits, joins.
 *
 *   churn   each chosen node by itself: up for mtbf, down for mttr, up ... from streams of (seed,
 *           fault, node's name), or as a trace of outages says; each outage is a row of /faults
 *   exit    EV_UNBOND: the node sends a transaction that unbonds all it has, and again until its
 *           chain has it; after the notice it is gone for good
 *   join    down from before its start; at `at` it starts, at genesis
 *   revoke  EV_REVOKE: the registrar hands its transaction to validators, again and again until their
 *           chain has it */
#include "models/base/mem.h"
#include "sim/world/faults.h"
#include "sim/world/observe.h"

#define PEOPLE_AGAIN_NS 2000000000LL /* between tries to unbond */

/* --- churn ------------------------------------------------------------------------------------ */

static void churn_add(struct ds_world *w, uint32_t fault, const struct world_occurrence *o,
                      uint32_t node, int64_t at_ns, bool down)
{
    if (at_ns < o->end_ns) /* at the end all are back by themselves */
        ds_schedule_add(&w->script->schedule,
                        &(struct ds_fault_step){at_ns, down ? DS_STEP_DOWN : DS_STEP_UP, fault,
                                                node, o->number});
}

static int64_t churn_draw(const struct ds_world *w, uint32_t fault, uint32_t node, uint32_t n,
                          bool down)
{
    const struct ds_fault *f = &w->scenario->faults[fault];
    const struct world_fault *s = &w->script->fault[fault];
    return ds_churn_time(f, down ? s->mttr : s->mtbf, w->luck, w->identity[node], n,
                         down);
}

/* The node that a row of a trace means, or UINT32_MAX: none of the chosen ones. */
static uint32_t churn_node(const struct ds_world *w, const struct world_occurrence *o,
                           const uint32_t *chosen, const struct ds_outage *row)
{
    if (row->name == NULL)
        return chosen[row->number % o->to.count];
    for (size_t g = 0; g < w->scenario->groups_count; g++) {
        const struct ds_group *group = &w->scenario->groups[g];
        if (strlen(group->name) == row->name_size &&
            memcmp(group->name, row->name, row->name_size) == 0 && row->number < group->count &&
            o->to.node[group->first + row->number])
            return (uint32_t)(group->first + row->number);
    }
    return UINT32_MAX;
}

void world_fault_churn_begin(struct ds_world *w, uint32_t fault, struct world_occurrence *o,
                             int64_t now_ns)
{
    const struct ds_outages *t = &w->script->fault[fault].outages;
    uint32_t *chosen = dc_mem_need(w->nodes, sizeof *chosen, "churn"), count = 0;
    o->outage = dc_mem_need(w->nodes, sizeof *o->outage, "churn");
    for (uint32_t n = 0; n < w->nodes; n++)
        if (o->to.node[n])
            chosen[count++] = n;
    for (uint32_t i = 0; t->row == NULL && i < count; i++)
        churn_add(w, fault, o, chosen[i], now_ns + churn_draw(w, fault, chosen[i], 0, false), true);
    for (uint32_t i = 0; t->row != NULL && count > 0 && i < t->count; i++) {
        uint32_t n = churn_node(w, o, chosen, &t->row[i]);
        if (n == UINT32_MAX)
            continue;
        churn_add(w, fault, o, n, now_ns + t->row[i].down_ns, true);
        if (t->row[i].up_ns != INT64_MAX)
            churn_add(w, fault, o, n, now_ns + t->row[i].up_ns, false);
    }
    dc_mem_free(chosen);
}

static void churn_back(struct ds_world *w, uint32_t fault, struct world_occurrence *o,
                       uint32_t node, int64_t now_ns)
{
    struct world_outage *out = &o->outage[node];
    world_fault_row_node(w, fault, out->count - 1, node, out->since_ns, now_ns);
    world_fault_up(w, node, now_ns);
}

void world_fault_churn_step(struct ds_world *w, const struct ds_fault_step *step,
                            struct world_occurrence *o, int64_t now_ns)
{
    const struct ds_fault *f = &w->scenario->faults[step->fault];
    struct world_outage *out = &o->outage[step->node];
    bool traced = w->script->fault[step->fault].outages.row != NULL;
    if (step->kind == DS_STEP_DOWN && out->down++ == 0) {
        out->since_ns = now_ns;
        out->count++;
        world_observe_begun(w);
        world_fault_down(w, step->node, f->state, now_ns);
        if (!traced)
            churn_add(w, step->fault, o, step->node,
                      now_ns + churn_draw(w, step->fault, step->node, out->count - 1, true), false);
    } else if (step->kind == DS_STEP_UP && out->down > 0 && --out->down == 0) {
        churn_back(w, step->fault, o, step->node, now_ns);
        if (!traced)
            churn_add(w, step->fault, o, step->node,
                      now_ns + churn_draw(w, step->fault, step->node, out->count, false), true);
    }
}

void world_fault_churn_end(struct ds_world *w, uint32_t fault, struct world_occurrence *o,
                           int64_t now_ns)
{
    for (uint32_t n = 0; n < w->nodes; n++)
        if (o->outage[n].down > 0) {
            o->outage[n].down = 0;
            churn_back(w, fault, o, n, now_ns);
        }
}

/* --- exit ------------------------------------------------------------------------------------- */

void world_fault_exit(struct ds_world *w, struct world_occurrence *o, bool leave, int64_t now_ns)
{
    for (uint32_t n = 0; n < w->nodes; n++) {
        struct world_plight *p = &w->plight[n];
        if (!o->to.node[n] || p->gone)
            continue;
        if (!leave) {
            world_post_self(w, 0, n, now_ns, EV_UNBOND, (uint64_t)o->end_ns);
            continue;
        }
        p->gone = true;
        world_fault_down(w, n, DS_STATE_DURABLE, now_ns);
    }
    o->left = o->left || leave;
}

bool world_fault_unbond(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                        struct dc_effects *out)
{
    uint32_t n = e->dst;
    struct dc_node *node = w->node[n];
    const struct dc_account *a = dc_state_account(node->chain->final->state, n);
    int64_t again_ns = e->time_ns + PEOPLE_AGAIN_NS;
    if (a == NULL || a->bond == 0 || a->posync.ejected)
        return false;
    if (again_ns < (int64_t)e->payload)
        world_post_self(w, shard, n, again_ns, EV_UNBOND, e->payload);
    if (!w->up[n])
        return false;
    struct dc_tx tx = {.kind = DC_TX_UNBOND, .from = n};
    tx.bond.nonce = a->nonce;
    tx.bond.amount = a->bond;
    tx.bond.lock_tier = a->lock_tier;
    dc_effects_clear(out);
    dc_node_submit_tx(node, &tx, out);
    return true;
}

/* --- revoke ----------------------------------------------------------------------------------- */

#define PEOPLE_HANDS 3 /* validators that are handed a transaction of the registrar's */

void world_fault_revoke_begin(struct ds_world *w, struct world_occurrence *o,
                              const struct world_targets *was, int64_t now_ns)
{
    for (uint32_t n = 0; n < w->nodes; n++) {
        uint32_t hands = 0;
        if (!o->to.node[n] || (was != NULL && was->node[n]))
            continue;
        for (uint32_t v = 0; v < w->nodes && hands < PEOPLE_HANDS; v++) {
            if (w->group[v]->role != DS_ROLE_VALIDATOR || !w->up[v] || w->plight[v].gone ||
                o->to.node[v])
                continue;
            world_post_self(w, 0, v, now_ns, EV_REVOKE, n);
            hands++;
        }
    }
}

bool world_fault_revoke(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                        struct dc_effects *out)
{
    struct dc_node *node = w->node[e->dst];
    const struct dc_state *state = node->chain->final->state;
    const struct dc_account *a = dc_state_account(state, (uint32_t)e->payload);
    struct dc_keypair registrar;
    uint8_t bytes[128];
    if (a == NULL || a->revoked)
        return false;
    world_post_self(w, shard, e->dst, e->time_ns + PEOPLE_AGAIN_NS, EV_REVOKE, e->payload);
    if (!w->up[e->dst])
        return false;
    struct dc_tx tx = {.kind = DC_TX_REVOKE, .from = UINT32_MAX};
    tx.revoke.nonce = dc_state_meta(state)->registrar_nonce;
    tx.revoke.serial = a->serial;
    dc_node_keys(w->scenario->seed, UINT32_MAX, &registrar, NULL);
    dc_effects_clear(out);
    size_t size = dc_tx_sign(&w->crypto, w->chain, &registrar, &tx, bytes, sizeof bytes);
    DC_CHECK(size != 0);
    dc_node_submit(node, bytes, size, out);
    return true;
}

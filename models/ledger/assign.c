#include "models/ledger/execute.h"

/* Who is in T(e), by the policy (models/posync/policy.h): what it is shown, and what becomes of its
 * answers.
 *
 *   turn of an epoch   outlook of each service -> theta in force -> whom() for each node
 *                      -> the budget -> accounts' in_t, and the agenda of who is to be drawn
 *   each block         what its transactions weigh goes into the forecast load of its slot
 *
 * Nodes are compared within a population: validators 0, then the services in the order of their
 * role bits.  models/README.md 6, 7. */

#define ASSIGN_POPULATIONS (DC_SERVICES + 1)

uint32_t dc_state_service(uint32_t roles)
{
    uint32_t service = (roles & DC_ROLES_SERVICE) / DC_ROLE_STORAGE;
    return service == 0 ? DC_SERVICES : (uint32_t)__builtin_ctz(service);
}

static uint32_t assign_population(const struct dc_account *a)
{
    return (dc_state_service(a->roles) + 1) % ASSIGN_POPULATIONS;
}

struct dc_policy_view dc_assign_view(const struct dc_state *s, const struct dc_account *a,
                                     const struct dc_hash *beacon)
{
    uint32_t service = dc_state_service(a->roles);
    return (struct dc_policy_view){.params = dc_state_params(s),
                                   .beacon = beacon,
                                   .epoch = s->meta.epoch,
                                   .theta = s->meta.theta,
                                   .outlook =
                                       service < DC_SERVICES ? &s->meta.outlook[service] : NULL};
}

void dc_assign_outlook(struct dc_exec *e)
{
    struct dc_state *s = e->state;
    uint64_t demand[DC_SERVICES] = {0}, capacity[DC_SERVICES] = {0};
    bool there[DC_SERVICES] = {false};
    for (uint32_t id = 0; id < s->meta.accounts; id++) {
        const struct dc_account *a = dc_state_account(s, id);
        const struct dc_posync *r = &e->record->posync[id];
        uint32_t i = dc_state_service(a->roles);
        if (i == DC_SERVICES || !dc_account_is_node(a))
            continue;
        there[i] = true;
        demand[i] += a->used_bytes;
        if (r->passed != 0 && !r->escalated)
            capacity[i] += dc_state_capacity(e->p, a);
    }
    for (uint32_t i = 0; i < DC_SERVICES; i++)
        if (there[i])
            dc_holt_demand(e->p, &s->meta.outlook[i], demand[i], capacity[i]);
}

/* The level in force for each population in the epoch that begins. */
static void assign_theta(struct dc_state *s, dc_q31 theta[ASSIGN_POPULATIONS])
{
    const struct dc_params *p = dc_state_params(s);
    struct dc_meta *m = &s->meta;
    m->theta = dc_policy_control(p, m->theta, m->below, m->below_of);
    dc_q31 *u = NULL;
    if (p->theta_mode == DC_THETA_RELATIVE)
        u = dc_mem_need(m->accounts, sizeof *u, "medians");
    for (uint32_t i = 0; i < ASSIGN_POPULATIONS; i++) {
        uint32_t n = 0;
        for (uint32_t id = 0; u != NULL && id < m->accounts; id++) {
            const struct dc_account *a = dc_state_account(s, id);
            if (dc_account_is_node(a) && a->posync.u_defined && assign_population(a) == i)
                u[n++] = a->posync.u;
        }
        theta[i] = dc_policy_theta(p, m->theta, dc_policy_median(u, n));
    }
    dc_mem_free(u);
    m->theta = theta[1]; /* what is told is that of storage */
}

/* Causes of each node, before the budget; returns how many have any. */
static uint32_t assign_causes(struct dc_state *s, const struct dc_hash *beacon, uint8_t *causes)
{
    const struct dc_policy *policy = dc_policy_of(dc_state_params(s));
    dc_q31 theta[ASSIGN_POPULATIONS];
    assign_theta(s, theta);
    s->meta.below = s->meta.below_of = 0;
    uint32_t count = 0;
    for (uint32_t id = 0; id < s->meta.accounts; id++) {
        const struct dc_account *a = dc_state_account(s, id);
        if (!dc_account_is_node(a) || a->posync.challenge.asking == 2)
            continue;
        struct dc_policy_view view = dc_assign_view(s, a, beacon);
        view.theta = theta[assign_population(a)];
        causes[id] = policy->whom(&view, &a->posync, id);
        count += causes[id] != 0;
        s->meta.below += a->posync.u_defined && (causes[id] & DC_CAUSE_THETA);
        s->meta.below_of += a->posync.u_defined;
    }
    return count;
}

/* Past the budget, only the most urgent stay. */
static void assign_budget(struct dc_state *s, const struct dc_hash *beacon, const uint64_t *reward,
                          uint8_t *causes, uint32_t count)
{
    const struct dc_params *p = dc_state_params(s);
    if (p->budget == 0 || count <= p->budget)
        return;
    const struct dc_policy *policy = dc_policy_of(p);
    struct dc_policy_candidate *list = dc_mem_need(count, sizeof *list, "a budget");
    uint32_t n = 0;
    for (uint32_t id = 0; id < s->meta.accounts; id++) {
        if (causes[id] == 0)
            continue;
        const struct dc_account *a = dc_state_account(s, id);
        struct dc_policy_view view = dc_assign_view(s, a, beacon);
        list[n].id = id;
        list[n++].rank = policy->which(&view, &a->posync, causes[id], reward ? reward[id] : 0);
    }
    n = dc_policy_choose(beacon, s->meta.epoch, p->budget, list, n);
    for (uint32_t id = 0, at = 0; id < s->meta.accounts; id++) {
        bool kept = at < n && list[at].id == id;
        at += kept;
        if (!kept)
            causes[id] = 0;
    }
    dc_mem_free(list);
}

/* The agenda of the epoch, from the accounts: who is to be drawn, whose demand is open. */
static void assign_agenda(struct dc_state *s)
{
    uint32_t n[3] = {0};
    for (uint32_t pass = 0; pass < 2; pass++) {
        struct dc_agenda *list = NULL;
        if (pass == 1) {
            list = dc_agenda_new(s->ledger, n[0], n[1], n[2]);
            dc_agenda_drop(s->ledger, s->agenda);
            s->agenda = list;
            memset(n, 0, sizeof n);
        }
        for (uint32_t id = 0; id < s->meta.accounts; id++) {
            const struct dc_account *a = dc_state_account(s, id);
            if (a->demand.height != 0) {
                if (list != NULL)
                    list->demand[n[2]] = (struct dc_agenda_demand){a->demand.due_height, id};
                n[2]++;
            }
            if (!dc_account_is_node(a))
                continue;
            uint32_t which = a->posync.challenge.asking == 2;
            if (!which && a->posync.in_t == 0)
                continue;
            if (list != NULL)
                (which ? list->second : list->first)[n[which]] = id;
            n[which]++;
        }
    }
}

uint32_t dc_assign_epoch(struct dc_state *s, const struct dc_hash *beacon, const uint64_t *reward)
{
    uint8_t *causes = dc_mem_need(s->meta.accounts, 1, "T(e)");
    uint32_t count = assign_causes(s, beacon, causes);
    assign_budget(s, beacon, reward, causes, count);
    for (uint32_t id = 0; id < s->meta.accounts; id++)
        if (dc_state_account(s, id)->posync.in_t != causes[id])
            dc_state_edit(s, id)->posync.in_t = causes[id];
    dc_mem_free(causes);
    assign_agenda(s);
    uint32_t budget = dc_state_params(s)->budget;
    return budget != 0 && count > budget ? count : 0;
}

/* Which load slot a height of the epoch has: the window of first askings in DC_LOAD_SLOTS parts. */
uint32_t dc_assign_slot(const struct dc_params *p, uint32_t offset)
{
    uint32_t first, last;
    dc_posync_draw_window(p, false, &first, &last);
    uint32_t slots = last + 1 < DC_LOAD_SLOTS ? last + 1 : DC_LOAD_SLOTS;
    return offset > last ? DC_LOAD_SLOTS : (uint32_t)((uint64_t)offset * slots / (last + 1));
}

void dc_assign_load(struct dc_exec *e)
{
    if (!e->p->quiet)
        return;
    uint64_t offset = e->header->height - 1 - e->header->epoch * e->p->epoch_blocks;
    uint32_t slot = dc_assign_slot(e->p, (uint32_t)offset);
    if (slot == DC_LOAD_SLOTS)
        return;
    uint32_t seen = e->tx_bytes < UINT32_MAX ? (uint32_t)e->tx_bytes : UINT32_MAX;
    uint32_t *load = &e->state->meta.load[slot];
    *load = dc_holt_load(e->p, *load, seen);
}

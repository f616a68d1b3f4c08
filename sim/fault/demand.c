/* What a scenario asks of the protocol: how much power its faults corrupt, how much is healed.
 *
 * A minimised scenario must not fail because it asks too much: of seven validators with two corrupted
 * ones it may not keep five.  Bounds are taken against the protocol: corrupted power at its most,
 * that of the others at its least (scores move power between g_min and 1). */
#include "models/base/mem.h"
#include "sim/fault/swarm.h"

#include <math.h>

static bool demand_corrupts(const struct ds_fault *f)
{
    switch ((enum ds_fault_kind)f->kind) {
    case DS_FAULT_CRASH:
    case DS_FAULT_CHURN: return f->state == DS_STATE_NONE;
    case DS_FAULT_DISK: return f->disk == DS_DISK_LOST_FSYNC || f->disk == DS_DISK_STALE_SNAPSHOT;
    case DS_FAULT_BYZANTINE: return true;
    default: return false;
    }
}

/* Whom one term can mean, whenever it is looked at: all of what it draws from. */
static void demand_term(const struct ds_scenario *s, const struct ds_selector *term, bool *member)
{
    struct ds_population p = {.scenario = s};
    struct ds_selector alone = *term;
    while (alone.of != NULL)
        alone = *alone.of;
    alone.next = NULL;
    if (alone.kind == DS_SELECT_ROLE || alone.kind == DS_SELECT_GROUP ||
        alone.kind == DS_SELECT_NODES)
        (void)ds_selector_match(&alone, &p, 0, 0, member);
    else
        for (uint64_t n = 0; n < s->nodes_count; n++)
            member[n] = true;
}

static void demand_match(const struct ds_scenario *s, const struct ds_selector *selector,
                         bool *member)
{
    for (; selector != NULL; selector = selector->next)
        demand_term(s, selector, member);
}

/* A quorum is drawn once, so those that it surely has are those of its plain terms. */
static void demand_surely(const struct ds_scenario *s, const struct ds_selector *selector,
                          bool *member)
{
    for (; selector != NULL; selector = selector->next)
        if (selector->of == NULL && selector->kind != DS_SELECT_LEADERS &&
            selector->kind != DS_SELECT_REGION)
            demand_term(s, selector, member);
}

/* Cheating validators of a group's mix: which ones is drawn later, so all of them. */
static bool demand_cheats(const struct ds_group *g)
{
    for (size_t i = 0; i < g->mix_count; i++)
        if (g->mix[i].strategy != DS_STRATEGY_HONEST)
            return true;
    return false;
}

struct demand_sums {
    double corrupt_most, honest_least, quorum_least, rest_most;
};

static void demand_add(const struct ds_scenario *s, const struct ds_group *g, const bool *corrupt,
                       const bool *left, const bool *quorum, struct demand_sums *sums)
{
    double most = g->bond.kind == DS_DIST_CONSTANT ? g->bond.args[0] : 1;
    double least = most * ldexp(s->protocol.g_min, -31);
    if (g->bond.kind != DS_DIST_CONSTANT && g->bond.kind != DS_DIST_AUTO)
        least = 0;
    bool cheats = demand_cheats(g);
    for (uint64_t n = g->first; n < g->first + g->count; n++) {
        bool bad = corrupt[n] || cheats;
        if (bad)
            sums->corrupt_most += most;
        else if (!left[n])
            sums->honest_least += least;
        if (quorum[n] && !bad)
            sums->quorum_least += least;
        else
            sums->rest_most += most;
    }
}

struct ds_swarm_demand ds_swarm_demand(const struct ds_scenario *s)
{
    bool *corrupt = dc_mem_need(s->nodes_count, sizeof *corrupt, "a scenario's demand");
    bool *left = dc_mem_need(s->nodes_count, sizeof *left, "a scenario's demand");
    bool *quorum = dc_mem_need(s->nodes_count, sizeof *quorum, "a scenario's demand");
    for (size_t i = 0; i < s->faults_count; i++) {
        const struct ds_fault *f = &s->faults[i];
        if (demand_corrupts(f))
            demand_match(s, f->nodes, corrupt);
        else if (f->kind == DS_FAULT_EXIT)
            demand_match(s, f->nodes, left);
    }
    if (s->heal.given)
        demand_surely(s, s->heal.quorum, quorum);
    struct demand_sums sums = {0};
    for (size_t i = 0; i < s->groups_count; i++)
        if (s->groups[i].role == DS_ROLE_VALIDATOR)
            demand_add(s, &s->groups[i], corrupt, left, quorum, &sums);
    dc_mem_free(corrupt);
    dc_mem_free(left);
    dc_mem_free(quorum);
    double all = sums.corrupt_most + sums.honest_least, both = sums.quorum_least + sums.rest_most;
    return (struct ds_swarm_demand){.corrupt = all > 0 ? sums.corrupt_most / all : 0,
                                    .quorum =
                                        !s->heal.given || both <= 0 ? 1 : sums.quorum_least / both};
}

bool ds_swarm_fair(struct ds_swarm_demand demand, struct ds_swarm_demand than)
{
    double slack = 1e-9;
    return (3 * demand.corrupt < 1 - slack || demand.corrupt <= than.corrupt + slack) &&
           (3 * demand.quorum > 2 + slack || demand.quorum >= than.quorum - slack);
}

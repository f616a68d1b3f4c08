/* From selectors to targets: what a selector can see of the world, and the arrays that come of it.
 *
 * `leaders` are those of the round, and of the next ones, in which the most advanced honest
 * validator is at this barrier: what anybody who follows the chain knows. */
#include "models/base/mem.h"
#include "sim/world/faults.h"
#include "sim/world/population.h"

#define SELECT_LEADERS 4 /* the current round's and the next three's */

static bool select_measures(const struct ds_selector *s)
{
    for (; s != NULL; s = s->next)
        if ((s->kind == DS_SELECT_TOP && s->measure == DS_MEASURE_CENTRALITY) ||
            (s->of != NULL && select_measures(s->of)))
            return true;
    return false;
}

static bool select_central(const struct ds_fault *f)
{
    bool any = select_measures(f->nodes) || select_measures(f->src) || select_measures(f->dst) ||
               select_measures(f->attackers) || select_measures(f->victims);
    for (size_t g = 0; g < f->groups_count; g++)
        any = any || select_measures(f->groups[g]);
    return any;
}

static enum dc_status select_table(const struct ds_dist_spec *spec, struct dc_dist **out,
                                   struct dc_error *error)
{
    if (spec->kind == DS_DIST_NONE)
        return DC_OK;
    *out = dc_mem_alloc(1, sizeof **out);
    if (*out == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for a fault's distribution");
    return world_tabulate(spec, 1, *out, error);
}

static enum dc_status select_outages(struct ds_world *w, const struct ds_fault *f,
                                     struct ds_outages *out, struct dc_error *error)
{
    const struct ds_input *input = NULL;
    for (size_t i = 0; i < w->scenario->inputs_count; i++)
        if (strcmp(w->scenario->inputs[i].path, f->trace) == 0)
            input = &w->scenario->inputs[i];
    if (input == NULL)
        return dc_error_set(error, DC_ERR_USAGE, "%s: the trace of churn `%s` is missing", f->trace,
                            f->id);
    struct dc_error why = {0};
    struct ds_trace_place at = {0};
    enum dc_status s = ds_outages_parse(input->data, input->size, out, &at, &why);
    return s == DC_OK
               ? s
               : dc_error_set(error, s, "%s:%u:%u: %s", f->trace, at.line, at.column, why.text);
}

enum dc_status world_fault_prepare(struct ds_world *w, struct dc_error *error)
{
    enum dc_status s = DC_OK;
    bool central = w->scenario->heal.given && select_measures(w->scenario->heal.quorum);
    for (size_t i = 0; s == DC_OK && i < w->scenario->faults_count; i++) {
        const struct ds_fault *f = &w->scenario->faults[i];
        struct world_fault *state = &w->script->fault[i];
        central = central || select_central(f);
        s = select_table(&f->every, &state->every, error);
        if (s == DC_OK)
            s = select_table(&f->latency, &state->latency, error);
        if (s == DC_OK)
            s = select_table(&f->mtbf, &state->mtbf, error);
        if (s == DC_OK)
            s = select_table(&f->mttr, &state->mttr, error);
        if (s == DC_OK && f->trace != NULL)
            s = select_outages(w, f, &state->outages, error);
    }
    if (s != DC_OK || !central)
        return s;
    w->script->centrality = dc_mem_alloc(w->nodes, sizeof *w->script->centrality);
    if (w->script->centrality == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u nodes", w->nodes);
    return ds_overlay_centrality(&w->overlay, w->script->centrality, error);
}

/* Of the rounds that begin with the one that the most advanced honest validator is in. */
static uint32_t select_leaders(const struct ds_world *w, uint32_t leader[SELECT_LEADERS])
{
    const struct dc_jolteon *ahead = NULL;
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct dc_node_validator *v = w->node[n]->validator;
        if (v == NULL || !w->up[n] || world_excused(w, n) || world_cheats(w, n, w->epoch))
            continue;
        const struct dc_jolteon *j = &v->jolteon;
        if (ahead == NULL || j->durable.epoch > ahead->durable.epoch ||
            (j->durable.epoch == ahead->durable.epoch && j->durable.round > ahead->durable.round))
            ahead = j;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; ahead != NULL && i < SELECT_LEADERS; i++) {
        uint32_t node = dc_follow_leader(ahead->chain.committee, ahead->durable.round + i);
        if (node < w->nodes)
            leader[count++] = node;
    }
    return count;
}

void world_fault_match(struct ds_world *w, const struct ds_selector *s, uint64_t identity,
                       bool *member)
{
    uint32_t leader[SELECT_LEADERS];
    struct ds_population p = {.scenario = w->scenario,
                              .region = w->region,
                              .power = w->power,
                              .centrality = w->script->centrality,
                              .leaders = leader,
                              .leaders_count = select_leaders(w, leader)};
    (void)ds_selector_match(s, &p, w->scenario->seed, identity, member);
}

static bool *select_one(struct ds_world *w, const struct ds_selector *s, uint64_t identity)
{
    bool *member = dc_mem_need(w->nodes, sizeof *member, "a fault's targets");
    world_fault_match(w, s, identity, member);
    return member;
}

/* Sides: a node is on the first that names it; on `rest`, or on none, when no other does. */
static void select_sides(struct ds_world *w, const struct ds_fault *f, uint64_t identity,
                         struct world_targets *to)
{
    to->group = dc_mem_need(w->nodes, 1, "the sides of a partition");
    to->sides = (uint32_t)f->groups_count + 1;
    uint8_t rest = 0;
    for (size_t g = 0; g < f->groups_count; g++) {
        if (f->groups[g]->kind == DS_SELECT_REST) {
            rest = (uint8_t)(g + 1);
            continue;
        }
        bool *member = select_one(w, f->groups[g], identity + g);
        for (uint32_t n = 0; n < w->nodes; n++)
            if (member[n] && to->group[n] == 0)
                to->group[n] = (uint8_t)(g + 1);
        dc_mem_free(member);
    }
    for (uint32_t n = 0; n < w->nodes; n++)
        if (to->group[n] == 0)
            to->group[n] = rest;
}

struct world_targets world_fault_select(struct ds_world *w, const struct ds_fault *f,
                                        uint64_t occurrence, uint32_t look)
{
    struct world_targets to = {0};
    uint64_t identity = ds_fault_identity(f, occurrence, look);
    uint64_t second = identity + 1;
    switch ((enum ds_fault_kind)f->kind) {
    case DS_FAULT_LINK:
    case DS_FAULT_CLOG:
    case DS_FAULT_ONE_WAY:
    case DS_FAULT_MITM:
        to.node = select_one(w, f->src, identity);
        to.other = select_one(w, f->dst, second);
        break;
    case DS_FAULT_ASYNCHRONY:
        to.node = dc_mem_need(w->nodes, sizeof *to.node, "a fault's targets");
        for (uint32_t n = 0; n < w->nodes; n++)
            to.node[n] = true;
        break;
    case DS_FAULT_PARTITION:
        select_sides(w, f, identity, &to);
        to.node = dc_mem_need(w->nodes, sizeof *to.node, "a fault's targets");
        for (uint32_t n = 0; n < w->nodes; n++)
            to.node[n] = to.group[n] > 1;
        break;
    case DS_FAULT_BRIDGE:
        select_sides(w, f, second, &to);
        to.node = select_one(w, f->nodes, identity);
        break;
    default:
        to.node = select_one(w, f->nodes, identity);
        if (f->kind == DS_FAULT_ECLIPSE)
            to.other = select_one(w, f->attackers, second);
        if (f->kind == DS_FAULT_BYZANTINE)
            to.other = select_one(w, f->victims, second);
    }
    for (uint32_t n = 0; n < w->nodes; n++)
        to.count += to.node[n];
    return to;
}

static void *select_copy(const void *from, size_t size)
{
    void *copy = from != NULL ? dc_mem_need(size, 1, "a fault's targets") : NULL;
    return copy != NULL ? memcpy(copy, from, size) : NULL;
}

struct world_targets world_targets_copy(const struct ds_world *w, const struct world_targets *t)
{
    struct world_targets c = *t;
    c.node = select_copy(t->node, w->nodes * sizeof *t->node);
    c.other = select_copy(t->other, w->nodes * sizeof *t->other);
    c.group = select_copy(t->group, w->nodes);
    return c;
}

static bool select_same(const void *a, const void *b, size_t size)
{
    return a == NULL || memcmp(a, b, size) == 0;
}

bool world_targets_equal(const struct ds_world *w, const struct world_targets *a,
                         const struct world_targets *b)
{
    return select_same(a->node, b->node, w->nodes * sizeof *a->node) &&
           select_same(a->other, b->other, w->nodes * sizeof *a->other) &&
           select_same(a->group, b->group, w->nodes);
}

void world_targets_free(struct world_targets *t)
{
    dc_mem_free(t->node);
    dc_mem_free(t->other);
    dc_mem_free(t->group);
    *t = (struct world_targets){0};
}

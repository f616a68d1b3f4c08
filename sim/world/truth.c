/* Ground truth: which strategy a node plays, and whether it cheats, in which epoch.
 *
 * No node sees it; metrics and tables are made from it.  Most nodes never change.  A rational node
 * changes at the beginning of an epoch (rational.c), a burst in the middle of one, when it says so;
 * then that epoch counts as one of cheating.  Rows are written 32 heights late, so the truths of the
 * last WORLD_PAST epochs are kept:
 *
 *     truth[n]                      now: index into strategy | WORLD_CHEATS
 *     truth_past[e % 16][n]         in epoch e; not there when nobody can change */
#include "models/base/mem.h"
#include "sim/world/inside.h"
#include "sim/world/population.h"

uint32_t world_strategy_index(const struct ds_world *w, const char *name)
{
    uint32_t i = 0;
    while (i < w->strategies && strcmp(w->strategy[i].name, name) != 0)
        i++;
    return i < w->strategies ? i : WORLD_STRATEGIES_MAX - 1;
}

static void truth_name(struct ds_world *w, const struct ds_mix *m)
{
    if (m->strategy == DS_STRATEGY_RATIONAL || w->strategies == WORLD_STRATEGIES_MAX)
        return;
    for (uint32_t i = 0; i < w->strategies; i++)
        if (strcmp(w->strategy[i].name, m->name) == 0)
            return;
    w->strategy[w->strategies++] =
        (struct world_strategy){.name = m->name, .strategy = m->strategy, .argument = m->argument};
}

/* A rational node's first strategy: one of the options, by their shares. */
static const struct ds_mix *truth_first(const struct ds_world *w, uint32_t node)
{
    const struct ds_rational *r = &w->group[node]->rational;
    double sum = 0;
    for (size_t i = 0; i < r->options_count; i++)
        sum += r->options[i].weight;
    double u = (double)(world_draw(w, node, "option") >> 11) / 9007199254740992.0 * sum;
    size_t i = 0;
    while (i + 1 < r->options_count && u >= r->options[i].weight)
        u -= r->options[i++].weight;
    return r->options_count == 0 ? NULL : &r->options[i];
}

enum dc_status world_truth_create(struct ds_world *w, struct dc_error *error)
{
    w->strategy[0] = (struct world_strategy){.name = "honest", .strategy = DS_STRATEGY_HONEST};
    w->strategies = 1;
    bool moves = false;
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct ds_mix *m = w->mix[n];
        if (m == NULL)
            continue;
        if (m->strategy == DS_STRATEGY_RATIONAL)
            for (size_t i = 0; i < w->group[n]->rational.options_count; i++)
                truth_name(w, &w->group[n]->rational.options[i]);
        truth_name(w, m);
        moves = moves || m->strategy == DS_STRATEGY_RATIONAL || m->strategy == DS_STRATEGY_BURST;
        if (m->strategy == DS_STRATEGY_RATIONAL)
            m = truth_first(w, n);
        uint8_t index = m != NULL ? (uint8_t)world_strategy_index(w, m->name) : 0;
        /* Thieves among clients are no cheats that challenges could find. */
        bool cheats = m != NULL && m->strategy != DS_STRATEGY_HONEST &&
                      m->strategy != DS_STRATEGY_BURST && w->group[n]->role != DS_ROLE_CLIENT;
        w->truth[n] = (uint8_t)(index | (cheats ? WORLD_CHEATS : 0));
        w->cheat_first[n] = index != 0;
    }
    if (!moves)
        return DC_OK;
    w->truth_past = dc_mem_alloc((size_t)WORLD_PAST * w->nodes, 1);
    if (w->truth_past == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u nodes", w->nodes);
    for (uint32_t e = 0; e < WORLD_PAST; e++)
        memcpy(w->truth_past + (size_t)e * w->nodes, w->truth, w->nodes);
    return DC_OK;
}

uint8_t world_truth(const struct ds_world *w, uint32_t node, uint64_t epoch)
{
    if (w->truth_past == NULL || epoch >= w->epoch)
        return w->truth[node];
    return w->truth_past[(size_t)(epoch % WORLD_PAST) * w->nodes + node];
}

void world_truth_epoch(struct ds_world *w, uint64_t epoch)
{
    for (; w->truth_past != NULL && w->epoch < epoch; w->epoch++)
        memcpy(w->truth_past + (size_t)(w->epoch % WORLD_PAST) * w->nodes, w->truth, w->nodes);
    w->epoch = epoch;
}

void world_truth_turn(struct ds_world *w, uint32_t node, uint8_t truth)
{
    DC_CHECK(w->truth_past != NULL);
    w->truth[node] = truth;
}

enum dc_strategy world_model_strategy(enum ds_strategy strategy)
{
    static const enum dc_strategy map[DS_STRATEGIES] = {
        [DS_STRATEGY_HONEST] = DC_STRATEGY_HONEST,
        [DS_STRATEGY_GHOST] = DC_STRATEGY_GHOST,
        [DS_STRATEGY_PARTIAL] = DC_STRATEGY_PARTIAL,
        [DS_STRATEGY_STALE] = DC_STRATEGY_STALE,
        [DS_STRATEGY_WASHER] = DC_STRATEGY_WASHER,
        [DS_STRATEGY_SILENT] = DC_STRATEGY_SILENT,
        [DS_STRATEGY_EQUIVOCATING] = DC_STRATEGY_EQUIVOCATING,
        [DS_STRATEGY_OUTSOURCER] = DC_STRATEGY_OUTSOURCER,
        [DS_STRATEGY_SYBIL] = DC_STRATEGY_SYBIL,
        [DS_STRATEGY_BURST] = DC_STRATEGY_BURST,
        [DS_STRATEGY_RATIONAL] = DC_STRATEGY_HONEST,
        [DS_STRATEGY_LYING] = DC_STRATEGY_LYING,
        [DS_STRATEGY_INFLATOR] = DC_STRATEGY_INFLATOR,
        [DS_STRATEGY_FORGER] = DC_STRATEGY_FORGER,
        [DS_STRATEGY_DOUBLE_SPENDER] = DC_STRATEGY_DOUBLE_SPENDER,
        [DS_STRATEGY_REPLAYER] = DC_STRATEGY_REPLAYER,
    };
    return map[strategy];
}

/* --- what it holds, and what that costs ------------------------------------------------------- */

dc_q31 world_missing(const struct ds_world *w, uint32_t node, uint8_t truth)
{
    const struct world_strategy *s = world_played(w, truth);
    switch (s->strategy) {
    case DS_STRATEGY_GHOST:
    case DS_STRATEGY_WASHER: return DC_ONE;
    case DS_STRATEGY_SYBIL: return DC_ONE; /* of its filler: what is under deals is there */
    case DS_STRATEGY_PARTIAL: return s->argument;
    case DS_STRATEGY_BURST: return truth & WORLD_CHEATS ? DC_ONE : 0;
    default: return 0; /* an outsourcer's accomplice has it all */
    }
}

uint64_t world_holding_cost(const struct ds_world *w, uint32_t node, uint8_t truth)
{
    const struct world_strategy *s = world_played(w, truth);
    if (w->group[node]->role != DS_ROLE_SERVICE)
        return 0;
    dc_q31 held = DC_ONE - world_missing(w, node, truth);
    if (s->strategy == DS_STRATEGY_SYBIL)
        held = dc_q31_ratio(w->used[node], w->capacity[node]);
    else if (s->strategy == DS_STRATEGY_OUTSOURCER && w->node[node]->accomplice != node)
        held = 0;
    return dc_q31_of(w->params.holding_cost, held);
}

uint64_t world_wash_cost(const struct ds_world *w, uint32_t node, uint8_t truth)
{
    if (world_played(w, truth)->strategy != DS_STRATEGY_WASHER)
        return 0;
    uint64_t bytes =
        w->mix[node]->strategy == DS_STRATEGY_RATIONAL ? world_wash_bytes(w, node) : w->used[node];
    uint64_t price = dc_muldiv(w->params.price_gib_epoch, bytes, (uint64_t)1 << 30);
    return dc_muldiv(price, w->params.take_ppm, DC_PPM);
}

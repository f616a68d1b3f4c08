/* Who is there: strategies, places, bonds, capacities and deals of every node, drawn by name.
 *
 * Every draw comes from the stream of (seed, node's name, purpose), so that a node keeps what it
 * has when others come or go, and two runs that differ in a parameter share their population. */
#include "models/base/mem.h"
#include "sim/world/inside.h"
#include "sim/world/population.h"
#include "sim/workload/tabulate.h"

static const struct {
    enum ds_dist_kind from;
    enum ds_tabulate_kind to;
} dist_kinds[] = {
    {DS_DIST_CONSTANT, DS_TABULATE_CONSTANT},       {DS_DIST_UNIFORM, DS_TABULATE_UNIFORM},
    {DS_DIST_NORMAL, DS_TABULATE_NORMAL},           {DS_DIST_LOGNORMAL, DS_TABULATE_LOGNORMAL},
    {DS_DIST_EXPONENTIAL, DS_TABULATE_EXPONENTIAL}, {DS_DIST_PARETO, DS_TABULATE_PARETO},
    {DS_DIST_WEIBULL, DS_TABULATE_WEIBULL},         {DS_DIST_BETA, DS_TABULATE_BETA},
};

enum dc_status world_tabulate(const struct ds_dist_spec *spec, double scale, struct dc_dist *out,
                              struct dc_error *error)
{
    struct ds_tabulate_spec t = {
        .bounded = true, .min = spec->min, .max = spec->max, .scale = scale};
    for (uint32_t i = 0; i < spec->args_count; i++)
        t.arg[i] = spec->args[i];
    for (size_t i = 0; i < sizeof dist_kinds / sizeof dist_kinds[0]; i++)
        if (dist_kinds[i].from == spec->kind) {
            t.kind = dist_kinds[i].to;
            return ds_tabulate(&t, out, error);
        }
    return dc_error_set(error, DC_ERR_USAGE,
                        "%s is no distribution of a quantity: use constant, "
                        "uniform, normal, lognormal, exponential, pareto, weibull or beta",
                        spec->text);
}

/* The draw of a node for a purpose: 64 uniform bits. */
static uint64_t population_draw(const struct ds_world *w, uint32_t node, const char *purpose)
{
    struct dc_stream s = dc_stream(w->scenario->seed, w->identity[node], dc_name(purpose));
    return dc_next64(&s);
}

/* --- strategies and places ------------------------------------------------------------------ */

static void population_mix(struct ds_world *w, const struct ds_group *g, uint32_t node)
{
    double sum = 0;
    for (size_t i = 0; i < g->mix_count; i++)
        sum += g->mix[i].weight;
    /* 53 bits of the draw: exact in a double, the same on every machine. */
    double u = (double)(population_draw(w, node, "strategy") >> 11) / 9007199254740992.0 * sum;
    size_t i = 0;
    while (i + 1 < g->mix_count && u >= g->mix[i].weight)
        u -= g->mix[i++].weight;
    w->mix[node] = g->mix_count == 0 ? NULL : &g->mix[i];
}

static bool population_named(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    if (n > 0 && pattern[n - 1] == '*')
        return strncmp(pattern, name, n - 1) == 0;
    return strcmp(pattern, name) == 0;
}

/* The weight of a place for a group: a pattern shares its weight between the places it names. */
static double population_weight(const struct ds_world *w, const struct ds_group *g, uint32_t place)
{
    if (g->place_count == 0)
        return 1;
    double weight = 0;
    for (size_t i = 0; i < g->place_count; i++) {
        if (!population_named(g->place[i].name, w->topology.place[place].name))
            continue;
        uint32_t named = 0;
        for (uint32_t p = 0; p < w->topology.places; p++)
            named += population_named(g->place[i].name, w->topology.place[p].name);
        weight += g->place[i].weight / named;
    }
    return weight;
}

static enum dc_status population_place(struct ds_world *w, const struct ds_group *g, uint32_t node,
                                       const double *weight, double sum, struct dc_error *error)
{
    if (!(sum > 0))
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s:%u:%u: error: no place of group %s is in the "
                            "network: name one of its regions",
                            w->scenario->file, g->at.line, g->at.column, g->name);
    double u = (double)(population_draw(w, node, "place") >> 11) / 9007199254740992.0 * sum;
    uint32_t p = 0, last = 0;
    for (; p < w->topology.places; p++) {
        if (weight[p] > 0)
            last = p;
        if (u < weight[p])
            break;
        u -= weight[p];
    }
    w->region[node] = p < w->topology.places ? p : last;
    return DC_OK;
}

/* Deals of genesis are paid for so many epochs: longer than any run. */
#define DEAL_EPOCHS 10000

/* --- accounts ------------------------------------------------------------------------------- */

/* What everyone has at genesis beside bonds: enough for the fees and deals of a long run. */
static const uint64_t balance_node = 10000 * DC_DSYNC, balance_client = 100000 * DC_DSYNC;

struct tables {
    struct dc_dist bond, capacity, utilisation;
    bool has_bond, has_capacity, has_utilisation;
};

static enum dc_status population_tables(const struct ds_group *g, struct tables *t,
                                        struct dc_error *error)
{
    enum dc_status s = DC_OK;
    t->has_bond = g->bond.kind != DS_DIST_AUTO && g->bond.kind != DS_DIST_NONE;
    t->has_capacity = g->role == DS_ROLE_SERVICE;
    t->has_utilisation = t->has_capacity && g->utilisation.kind != DS_DIST_NONE;
    if (t->has_bond)
        s = world_tabulate(&g->bond, 1, &t->bond, error);
    if (s == DC_OK && t->has_capacity)
        s = world_tabulate(&g->capacity, 1, &t->capacity, error);
    if (s == DC_OK && t->has_utilisation)
        s = world_tabulate(&g->utilisation, DC_ONE, &t->utilisation, error);
    return s;
}

static void population_account(struct ds_world *w, struct world_genesis *genesis,
                               const struct ds_group *g, const struct tables *t, uint32_t node)
{
    static const uint32_t roles[] = {[DS_ROLE_VALIDATOR] = DC_ROLE_VALIDATOR,
                                     [DS_ROLE_SERVICE] = DC_ROLE_STORAGE,
                                     [DS_ROLE_CLIENT] = DC_ROLE_CLIENT};
    struct dc_account *a = &genesis->account[node];
    struct dc_keypair sign, vrf;
    dc_node_keys(w->scenario->seed, node, &sign, &vrf);
    memcpy(a->sign_key, sign.public, sizeof a->sign_key);
    memcpy(a->vrf_key, vrf.public, sizeof a->vrf_key);
    a->roles = roles[g->role];
    a->region = w->topology.places <= DC_REGIONS_MAX ? (uint8_t)w->region[node] : 0;
    a->serial = node + 1;
    a->valid_to = UINT64_MAX;
    a->deal_last = DC_DEAL_NONE;
    a->balance = g->role == DS_ROLE_CLIENT ? balance_client : balance_node;
    a->posync.score = w->params.score_newcomer;
    a->posync.proved = DC_ONE;
    uint64_t bond_least = g->role == DS_ROLE_VALIDATOR ? w->params.bond_min_validator : 0;
    if (g->role == DS_ROLE_SERVICE) {
        uint64_t bytes = (uint64_t)dc_dist_at(&t->capacity, population_draw(w, node, "capacity"));
        a->capacity_bytes = bytes < ((uint64_t)1 << 30) ? (uint64_t)1 << 30 : bytes >> 30 << 30;
        struct dc_hash seed = dc_filler_seed(sign.public);
        struct dc_content *filler = &genesis->filler[node];
        dc_content_init(filler, &seed);
        a->filler_root = dc_content_root(filler, a->capacity_bytes / DC_CHUNK_BYTES);
        bond_least = (a->capacity_bytes >> 30) * w->params.bond_per_unit;
        if (bond_least < w->params.bond_min_service)
            bond_least = w->params.bond_min_service;
    }
    a->bond =
        t->has_bond ? (uint64_t)dc_dist_at(&t->bond, population_draw(w, node, "bond")) : bond_least;
    if (g->role == DS_ROLE_CLIENT)
        a->bond = 0;
    w->bond[node] = a->bond;
    w->capacity[node] = a->capacity_bytes;
}

/* The share of a node's capacity that is under paid deals from the start. */
static dc_q31 population_utilisation(const struct ds_world *w, const struct tables *t,
                                     uint32_t node)
{
    const struct ds_mix *mix = w->mix[node];
    enum ds_strategy strategy = mix != NULL ? mix->strategy : DS_STRATEGY_HONEST;
    if (strategy == DS_STRATEGY_GHOST || !t->has_utilisation)
        return 0;
    if (strategy == DS_STRATEGY_WASHER) { /* buys itself above theta by a twentieth */
        uint64_t u = w->params.theta + w->params.theta / 20 + 1;
        return u > DC_ONE ? DC_ONE : (dc_q31)u;
    }
    dc_q31 u = (dc_q31)dc_dist_at(&t->utilisation, population_draw(w, node, "utilisation"));
    /* What a partial node lacks it cannot sell: customers come in proportion to what it serves. */
    return strategy == DS_STRATEGY_PARTIAL ? dc_q31_mul(u, DC_ONE - mix->argument) : u;
}

static void population_deal(struct ds_world *w, struct world_genesis *g, const struct tables *t,
                            uint32_t node)
{
    dc_q31 u = population_utilisation(w, t, node);
    uint64_t size = dc_q31_of(w->capacity[node] / DC_CHUNK_BYTES, u) * DC_CHUNK_BYTES;
    if (size == 0)
        return;
    const struct ds_mix *mix = w->mix[node];
    bool own = mix != NULL && mix->strategy == DS_STRATEGY_WASHER;
    struct dc_deal *d = &g->deal[g->deals];
    d->node = node;
    d->client = own || g->clients == 0
                    ? node
                    : g->client[dc_mix64(population_draw(w, node, "customer")) % g->clients];
    d->prev = DC_DEAL_NONE;
    d->size_bytes = size;
    d->price = dc_muldiv(w->params.price_gib_epoch, size, (uint64_t)1 << 30);
    d->end_epoch = DEAL_EPOCHS;
    struct dc_hash seed = dc_object_seed(g->account[d->client].sign_key, (uint64_t)1 << 40 | node);
    dc_content_init(&g->content[g->deals], &seed);
    d->root = dc_content_root(&g->content[g->deals], size / DC_CHUNK_BYTES);
    w->used[node] = size;
    g->deals++;
}

/* price 0: a mean node, full, earns twice a mean reward by its work (protocol, section 9). */
static void population_price(struct ds_world *w)
{
    unsigned __int128 gib = 0;
    uint64_t services = 0;
    for (uint32_t i = 0; i < w->nodes; i++)
        if (w->capacity[i] != 0) {
            gib += w->capacity[i] >> 30;
            services++;
        }
    if (w->params.price_gib_epoch == 0 && services != 0)
        w->params.price_gib_epoch =
            (uint64_t)((unsigned __int128)2 * w->params.issuance_service * services / gib);
}

static enum dc_status population_group(struct ds_world *w, const struct ds_group *g,
                                       struct dc_error *error)
{
    double *weight = dc_mem_alloc(w->topology.places, sizeof *weight), sum = 0;
    if (weight == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    enum dc_status s = DC_OK;
    for (uint32_t p = 0; s == DC_OK && p < w->topology.places; p++)
        sum += weight[p] = population_weight(w, g, p);
    for (uint32_t i = 0; s == DC_OK && i < g->count; i++) {
        uint32_t node = (uint32_t)g->first + i;
        w->group[node] = g;
        w->identity[node] = dc_name_indexed(g->name, i);
        population_mix(w, g, node);
        s = population_place(w, g, node, weight, sum, error);
    }
    dc_mem_free(weight);
    return s;
}

static bool population_memory(const struct ds_world *w, struct world_genesis *g, struct tables **t)
{
    *t = dc_mem_alloc(w->scenario->groups_count, sizeof **t);
    g->deal = dc_mem_alloc(w->nodes, sizeof *g->deal);
    g->account = dc_mem_alloc(w->nodes, sizeof *g->account);
    g->content = dc_mem_alloc(w->nodes, sizeof *g->content);
    g->filler = dc_mem_alloc(w->nodes, sizeof *g->filler);
    g->client = dc_mem_alloc(w->nodes, sizeof *g->client);
    return *t != NULL && g->deal != NULL && g->account != NULL && g->content != NULL &&
           g->filler != NULL && g->client != NULL;
}

static enum dc_status population_fill(struct ds_world *w, struct world_genesis *genesis,
                                      struct tables *t, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    for (size_t i = 0; i < sc->groups_count; i++) {
        enum dc_status s = population_tables(&sc->groups[i], &t[i], error);
        if (s == DC_OK)
            s = population_group(w, &sc->groups[i], error);
        if (s != DC_OK)
            return s;
    }
    for (uint32_t n = 0; n < w->nodes; n++) {
        population_account(w, genesis, w->group[n], &t[w->group[n] - sc->groups], n);
        if (w->group[n]->role == DS_ROLE_CLIENT)
            genesis->client[genesis->clients++] = n;
    }
    population_price(w);
    for (uint32_t n = 0; n < w->nodes; n++)
        if (w->group[n]->role == DS_ROLE_SERVICE)
            population_deal(w, genesis, &t[w->group[n] - sc->groups], n);
    return DC_OK;
}

enum dc_status world_population(struct ds_world *w, struct world_genesis *genesis,
                                struct dc_error *error)
{
    struct tables *t = NULL;
    enum dc_status s = population_memory(w, genesis, &t)
                           ? population_fill(w, genesis, t, error)
                           : dc_error_set(error, DC_ERR_IO, "out of memory for %u nodes", w->nodes);
    dc_mem_free(t);
    return s;
}

void world_genesis_free(struct world_genesis *g)
{
    dc_mem_free(g->deal);
    dc_mem_free(g->account);
    dc_mem_free(g->content);
    dc_mem_free(g->filler);
    dc_mem_free(g->client);
    memset(g, 0, sizeof *g);
}

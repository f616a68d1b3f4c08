/* Who is there: strategies, places, bonds, capacities and deals of every node, drawn by name.
 *
 * Every draw comes from the stream of (seed, node's name, purpose), so that a node keeps what it
 * has when others come or go, and two runs that differ in a parameter share their population.
 *
 * Who belongs together is counted along the group, in order of index, each entry of its mix by
 * itself:
 *
 *     sybil(3)     the first three sybils are one machine, the next three another ...
 *     washer(3)    rings: A's work is bought by B, B's by C, C's by A
 *     outsourcer   the first of the group is the accomplice of all
 *
 * What is left over at the end makes a smaller machine or ring. */
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

uint64_t world_draw(const struct ds_world *w, uint32_t node, const char *purpose)
{
    return population_draw(w, w->machine[node], purpose);
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

bool world_mixed(const struct ds_world *w, uint32_t node, enum ds_strategy strategy)
{
    return w->mix[node] != NULL && w->mix[node]->strategy == strategy;
}

/* Entries of one kind, in order, in bands of its number: the first of each node's band. */
void world_bands(const struct ds_world *w, const struct ds_group *g, enum ds_strategy strategy,
                 uint32_t *first)
{
    for (size_t i = 0; i < g->mix_count; i++) {
        if (g->mix[i].strategy != strategy)
            continue;
        uint32_t in_band = 0, head = 0, size = g->mix[i].number == 0 ? 1 : g->mix[i].number;
        for (uint32_t k = 0; k < g->count; k++) {
            uint32_t node = (uint32_t)g->first + k;
            if (w->mix[node] != &g->mix[i])
                continue;
            head = in_band == 0 ? node : head;
            first[node] = head;
            in_band = in_band + 1 == size ? 0 : in_band + 1;
        }
    }
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
    double u = (double)(world_draw(w, node, "place") >> 11) / 9007199254740992.0 * sum;
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

static void population_link(struct ds_world *w, const struct ds_group *g, uint32_t node)
{
    double sum = 0;
    for (size_t i = 0; i < g->links_count; i++)
        sum += g->links[i].share;
    double u = (double)(world_draw(w, node, "link") >> 11) / 9007199254740992.0 * sum;
    uint8_t c = 0;
    while (c + 1u < g->links_count && u >= g->links[c].share)
        u -= g->links[c++].share;
    w->link_class[node] = c;
}

static enum dc_status population_access(struct ds_world *w, const struct ds_group *g,
                                        struct dc_error *error)
{
    if (g->access_delay.kind == DS_DIST_NONE || g->access_delay.kind == DS_DIST_AUTO)
        return DC_OK;
    struct dc_dist *d = dc_mem_alloc(1, sizeof *d);
    if (d == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    enum dc_status s = world_tabulate(&g->access_delay, 1, d, error);
    for (uint32_t i = 0; s == DC_OK && i < g->count; i++) {
        uint32_t node = (uint32_t)g->first + i;
        int64_t ns = dc_dist_at(d, world_draw(w, node, "access"));
        w->access_ns[node] = (uint32_t)(ns < 0                      ? 0
                                        : ns > DS_NET_ACCESS_MAX_NS ? DS_NET_ACCESS_MAX_NS
                                                                    : ns);
    }
    dc_mem_free(d);
    return s;
}

/* --- accounts ------------------------------------------------------------------------------- */

/* What everyone has at genesis beside bonds: enough for the fees and deals of a long run. */
static const uint64_t balance_node = 10000 * DC_DSYNC, balance_client = 100000 * DC_DSYNC;

static enum dc_status population_tables(const struct ds_group *g, struct world_tables *t,
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
                               const struct ds_group *g, const struct world_tables *t,
                               uint32_t node)
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

static enum dc_status population_group(struct ds_world *w, const struct ds_group *g,
                                       struct dc_error *error)
{
    double *weight = dc_mem_alloc(w->topology.places, sizeof *weight), sum = 0;
    if (weight == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    enum dc_status s = DC_OK;
    for (uint32_t p = 0; s == DC_OK && p < w->topology.places; p++)
        sum += weight[p] = population_weight(w, g, p);
    for (uint32_t i = 0; i < g->count; i++) {
        uint32_t node = (uint32_t)g->first + i;
        w->group[node] = g;
        w->identity[node] = dc_name_indexed(g->name, i);
        w->machine[node] = node;
        population_mix(w, g, node);
    }
    world_bands(w, g, DS_STRATEGY_SYBIL, w->machine);
    for (uint32_t i = 0; s == DC_OK && i < g->count; i++) {
        uint32_t node = (uint32_t)g->first + i;
        population_link(w, g, node);
        s = population_place(w, g, node, weight, sum, error);
    }
    if (s == DC_OK)
        s = population_access(w, g, error);
    dc_mem_free(weight);
    return s;
}

static bool population_memory(const struct ds_world *w, struct world_genesis *g,
                              struct world_tables **t)
{
    uint64_t deals = 0;
    for (size_t i = 0; i < w->scenario->groups_count; i++) {
        const struct ds_group *group = &w->scenario->groups[i];
        uint64_t each = group->customers > CUSTOMERS_MAX ? CUSTOMERS_MAX : group->customers;
        deals += group->role == DS_ROLE_SERVICE ? group->count * ((each == 0 ? 1 : each) + 1) : 0;
    }
    g->deals_max = deals > UINT32_MAX ? UINT32_MAX : (uint32_t)deals;
    *t = dc_mem_alloc(w->scenario->groups_count, sizeof **t);
    g->deal = dc_mem_alloc(g->deals_max, sizeof *g->deal);
    g->account = dc_mem_alloc(w->nodes, sizeof *g->account);
    g->content = dc_mem_alloc(g->deals_max, sizeof *g->content);
    g->filler = dc_mem_alloc(w->nodes, sizeof *g->filler);
    g->client = dc_mem_alloc(w->nodes, sizeof *g->client);
    g->outsourcer = dc_mem_alloc(w->scenario->groups_count, sizeof *g->outsourcer);
    return *t != NULL && g->deal != NULL && g->account != NULL && g->content != NULL &&
           g->filler != NULL && g->client != NULL && g->outsourcer != NULL;
}

/* The first outsourcer of each group. */
static void population_accomplices(const struct ds_world *w, struct world_genesis *g)
{
    for (size_t i = 0; i < w->scenario->groups_count; i++)
        g->outsourcer[i] = UINT32_MAX;
    for (uint32_t n = w->nodes; n-- > 0;)
        if (world_mixed(w, n, DS_STRATEGY_OUTSOURCER))
            g->outsourcer[w->group[n] - w->scenario->groups] = n;
}

static enum dc_status population_fill(struct ds_world *w, struct world_genesis *genesis,
                                      struct world_tables *t, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    for (size_t i = 0; i < sc->groups_count; i++) {
        enum dc_status s = population_tables(&sc->groups[i], &t[i], error);
        if (s == DC_OK)
            s = population_group(w, &sc->groups[i], error);
        if (s != DC_OK)
            return s;
    }
    enum dc_status s = world_truth_create(w, error);
    if (s != DC_OK)
        return s;
    for (uint32_t n = 0; n < w->nodes; n++) {
        population_account(w, genesis, w->group[n], &t[w->group[n] - sc->groups], n);
        if (w->group[n]->role == DS_ROLE_CLIENT)
            genesis->client[genesis->clients++] = n;
    }
    population_accomplices(w, genesis);
    return world_deals(w, genesis, t, error);
}

enum dc_status world_population(struct ds_world *w, struct world_genesis *genesis,
                                struct dc_error *error)
{
    struct world_tables *t = NULL;
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
    dc_mem_free(g->outsourcer);
    memset(g, 0, sizeof *g);
}

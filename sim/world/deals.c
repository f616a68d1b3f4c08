/* What everyone has sold at genesis: customers, rings, traces, and what a unit costs.
 *
 *     honest      u of its capacity, divided among `customers` clients in unequal parts
 *     traced      as much as its series ever reaches; its customers pay for what it says now
 *     ghost       nothing
 *     washer      a twentieth above theta, all to the next one of its ring
 *     rational    as honest; where it may wash, also a deal with itself of what is left to there
 *
 * A node's deals follow one another in genesis->deal. */
#include "models/base/mem.h"
#include "sim/world/inside.h"
#include "sim/world/population.h"

/* Deals of genesis are paid for so many epochs: longer than any run. */
#define DEAL_EPOCHS 10000

static uint64_t deals_draw(const struct ds_world *w, uint32_t node, const char *purpose)
{
    struct dc_stream s = dc_stream(w->scenario->seed, w->identity[node], dc_name(purpose));
    return dc_next64(&s);
}

/* The share of a node's capacity that customers' deals occupy: what a trace says at most, else a
 * draw. */
static dc_q31 deals_utilisation(const struct ds_world *w, const struct world_tables *t,
                                uint32_t node)
{
    if (world_mixed(w, node, DS_STRATEGY_GHOST))
        return 0;
    if (world_mixed(w, node, DS_STRATEGY_WASHER))
        return w->wash_level;
    if (!t->has_utilisation && !world_traced(w, node))
        return 0;
    dc_q31 u = world_traced(w, node)
                   ? world_trace_max(w, node)
                   : (dc_q31)dc_dist_at(&t->utilisation, deals_draw(w, node, "utilisation"));
    /* What a partial node lacks it cannot sell: customers come in proportion to what it serves. */
    return world_mixed(w, node, DS_STRATEGY_PARTIAL)
               ? dc_q31_mul(u, DC_ONE - w->mix[node]->argument)
               : u;
}

static void deals_deal(struct ds_world *w, struct world_genesis *g, uint32_t node, uint32_t client,
                       uint64_t size, uint64_t paid)
{
    DC_CHECK(g->deals < g->deals_max);
    struct dc_deal *d = &g->deal[g->deals];
    struct dc_hash seed = dc_object_seed(g->account[client].sign_key, (uint64_t)1 << 40 | node);
    dc_content_init(&g->content[g->deals], &seed);
    *d = (struct dc_deal){.node = node,
                          .client = client,
                          .prev = DC_DEAL_NONE,
                          .size_bytes = size,
                          .paid_bytes = paid,
                          .price = dc_muldiv(w->params.price_gib_epoch, size, (uint64_t)1 << 30),
                          .end_epoch = DEAL_EPOCHS,
                          .root = dc_content_root(&g->content[g->deals], size / DC_CHUNK_BYTES)};
    g->deals++;
}

/* Who buys a washer's work: the next one of its ring. */
static uint32_t deals_ring_next(const struct ds_world *w, const uint32_t *ring, uint32_t node)
{
    const struct ds_group *g = w->group[node];
    for (uint32_t n = node + 1; n < g->first + g->count; n++)
        if (w->mix[n] == w->mix[node])
            return ring[n] == ring[node] ? n : ring[node];
    return ring[node];
}

/* The i-th of a node's customers: distinct clients, the first by the node's name alone, however
 * many there are. */
static uint32_t deals_customer(const struct ds_world *w, const struct world_genesis *g,
                               uint32_t node, uint32_t i, uint32_t *taken)
{
    struct dc_stream s = dc_stream(w->scenario->seed, w->identity[node], dc_name("customer"));
    uint32_t at = (uint32_t)(dc_mix64(dc_stream_at(&s, i)) % g->clients);
    for (uint32_t k = 0; k < i; k++)
        if (taken[k] == at) {
            at = at + 1 == g->clients ? 0 : at + 1;
            k = UINT32_MAX; /* from the beginning */
        }
    taken[i] = at;
    return g->client[at];
}

/* What a node sells is divided among its customers in parts drawn from 1 to 2^16 shares. */
static void deals_customers(struct ds_world *w, struct world_genesis *g, uint32_t node,
                            uint64_t chunks, dc_q31 paid)
{
    uint32_t count = w->group[node]->customers, taken[CUSTOMERS_MAX], share[CUSTOMERS_MAX];
    count = count > CUSTOMERS_MAX ? CUSTOMERS_MAX : count == 0 ? 1 : count;
    count = count > g->clients ? g->clients : count;
    count = count > chunks ? (uint32_t)chunks : count;
    uint64_t sum = 0, left = chunks;
    memset(taken, 0xff, sizeof taken); /* nobody: one whose part is nothing takes no client */
    struct dc_stream s = dc_stream(w->scenario->seed, w->identity[node], dc_name("customers"));
    for (uint32_t i = 0; i < count; i++)
        sum += share[i] = 1 + (uint32_t)(dc_stream_at(&s, i) >> 48);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t part = i + 1 == count ? left : dc_muldiv(chunks, share[i], sum);
        left -= part;
        if (part == 0)
            continue;
        uint64_t size = part * DC_CHUNK_BYTES, pays = dc_q31_of(size, paid);
        deals_deal(w, g, node, deals_customer(w, g, node, i, taken), size, pays == 0 ? 1 : pays);
    }
}

uint64_t world_wash_bytes(const struct ds_world *w, uint32_t node)
{
    uint64_t level = dc_q31_of(w->capacity[node] / DC_CHUNK_BYTES, w->wash_level) * DC_CHUNK_BYTES;
    return level > w->used[node] ? level - w->used[node] : 0;
}

/* A rational node that may wash has a deal with itself, of which it pays next to nothing until it
 * does. */
static void deals_rational(struct ds_world *w, struct world_genesis *g, uint32_t node)
{
    const struct ds_rational *r = &w->group[node]->rational;
    bool may = false;
    for (size_t i = 0; i < r->options_count; i++)
        may = may || r->options[i].strategy == DS_STRATEGY_WASHER;
    uint64_t size = may ? world_wash_bytes(w, node) : 0;
    if (size == 0)
        return;
    bool washes = world_played(w, w->truth[node])->strategy == DS_STRATEGY_WASHER;
    deals_deal(w, g, node, node, size, washes ? size : 1);
}

static void deals_node(struct ds_world *w, struct world_genesis *g, const struct world_tables *t,
                       const uint32_t *ring, uint32_t node)
{
    dc_q31 u = deals_utilisation(w, t, node);
    uint64_t chunks = dc_q31_of(w->capacity[node] / DC_CHUNK_BYTES, u);
    bool washer = world_mixed(w, node, DS_STRATEGY_WASHER);
    w->used[node] = chunks * DC_CHUNK_BYTES;
    if (chunks != 0 && (washer || g->clients == 0)) {
        deals_deal(w, g, node, washer ? deals_ring_next(w, ring, node) : node, w->used[node],
                   w->used[node]);
    } else if (chunks != 0) {
        bool traced = world_traced(w, node);
        dc_q31 paid =
            traced ? dc_q31_ratio(world_trace_at(w, node, 0), world_trace_max(w, node)) : DC_ONE;
        deals_customers(w, g, node, chunks, paid);
        if (traced)
            w->used[node] = dc_q31_of(w->used[node], paid);
    }
    if (world_mixed(w, node, DS_STRATEGY_RATIONAL))
        deals_rational(w, g, node);
}

/* price 0: a mean node, full, earns twice a mean reward by its work (protocol, section 9). */
static void deals_price(struct ds_world *w)
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

enum dc_status world_deals(struct ds_world *w, struct world_genesis *genesis,
                           const struct world_tables *t, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    uint32_t *ring = dc_mem_alloc(w->nodes, sizeof *ring);
    if (ring == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u nodes", w->nodes);
    deals_price(w);
    for (size_t i = 0; i < sc->groups_count; i++)
        world_bands(w, &sc->groups[i], DS_STRATEGY_WASHER, ring);
    for (uint32_t n = 0; n < w->nodes; n++)
        if (w->group[n]->role == DS_ROLE_SERVICE)
            deals_node(w, genesis, &t[w->group[n] - sc->groups], ring, n);
    dc_mem_free(ring);
    return DC_OK;
}

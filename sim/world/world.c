/* Making, running and ending a world; see world.h. */
#include "sim/world/world.h"

#include <math.h>

#include "models/base/mem.h"
#include "sim/world/inside.h"
#include "sim/world/observe.h"
#include "sim/world/population.h"

/* Below this height under the lowest final one, blocks are not kept for peers: an epoch, so that its
 * hand-over is there, and at least 64. */
static uint32_t world_keep_heights(const struct ds_world *w)
{
    uint32_t keep = w->params.epoch_blocks + 4;
    return keep < 64 ? 64 : keep;
}

/* --- network -------------------------------------------------------------------------------- */

static const struct ds_input *world_input(const struct ds_scenario *sc, const char *path)
{
    for (size_t i = 0; i < sc->inputs_count; i++)
        if (strcmp(sc->inputs[i].path, path) == 0)
            return &sc->inputs[i];
    return NULL;
}

static const enum ds_net_graph_kind world_graphs[] = {
    [DS_GENERATE_WATTS_STROGATZ] = DS_NET_GRAPH_WATTS_STROGATZ,
    [DS_GENERATE_BARABASI_ALBERT] = DS_NET_GRAPH_BARABASI_ALBERT,
    [DS_GENERATE_K_REGULAR] = DS_NET_GRAPH_K_REGULAR,
    [DS_GENERATE_ERDOS_RENYI] = DS_NET_GRAPH_ERDOS_RENYI,
    [DS_GENERATE_GEOMETRIC] = DS_NET_GRAPH_GEOMETRIC,
};

static enum dc_status world_generate(struct ds_world *w, struct dc_error *error)
{
    const struct ds_network *n = &w->scenario->network;
    struct dc_dist *latency = dc_mem_alloc(1, sizeof *latency);
    if (latency == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    struct ds_net_graph spec = {.kind = world_graphs[n->generate.kind],
                                .nodes = n->generate.nodes,
                                .degree = n->generate.degree,
                                .p = n->generate.p,
                                .radius = n->generate.radius,
                                .seed = dc_mix64(w->scenario->seed ^ dc_name("topology"))};
    enum dc_status s = world_tabulate(&n->generate.latency, 1, latency, error);
    if (s == DC_OK)
        s = ds_topology_generate(&spec, latency, n->generate.loss, &w->topology, error);
    dc_mem_free(latency);
    return s;
}

static enum dc_status world_topology(struct ds_world *w, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    const struct ds_network *n = &sc->network;
    struct dc_error why = {0};
    enum dc_status s;
    if (n->topology == DS_TOPOLOGY_GENERATE) {
        s = world_generate(w, &why);
    } else if (n->topology == DS_TOPOLOGY_UNIFORM) {
        s = ds_topology_uniform(n->latency_ns, &w->topology, &why);
    } else {
        const char *path = n->topology == DS_TOPOLOGY_REGIONS ? n->regions : n->graph;
        const struct ds_input *file = world_input(sc, path);
        DC_CHECK(file != NULL);
        s = n->topology == DS_TOPOLOGY_REGIONS
                ? ds_topology_from_csv(path, file->data, file->size, &w->topology, &why)
                : ds_topology_from_gml(path, file->data, file->size, &w->topology, &why);
    }
    if (s != DC_OK)
        dc_error_set(error, s, "%s:%u:%u: error: %s", sc->file, n->place.line, n->place.column,
                     why.text);
    return s;
}

static void world_host(const struct ds_world *w, uint32_t node, struct ds_net_host *h)
{
    const struct ds_network *n = &w->scenario->network;
    const struct ds_group *g = w->group[node];
    const struct ds_net_place *place = &w->topology.place[w->region[node]];
    double sum = 0;
    for (size_t i = 0; i < g->links_count; i++)
        sum += g->links[i].share;
    struct dc_stream s = dc_stream(w->scenario->seed, w->identity[node], dc_name("link"));
    double u = (double)(dc_next64(&s) >> 11) / 9007199254740992.0 * sum;
    size_t c = 0;
    while (c + 1 < g->links_count && u >= g->links[c].share)
        u -= g->links[c++].share;
    *h = (struct ds_net_host){
        .identity = w->identity[node],
        .place = w->region[node],
        .loss_up_q31 = g->links_count != 0 ? g->links[c].loss : 0,
        .up_bps = place->up_bps != 0 ? place->up_bps : (int64_t)n->bandwidth_up,
        .down_bps = place->down_bps != 0 ? place->down_bps : (int64_t)n->bandwidth_down};
}

static enum dc_status world_links(struct ds_world *w, struct dc_error *error)
{
    const struct ds_network *n = &w->scenario->network;
    enum dc_status s = DC_OK;
    if (n->jitter.kind != DS_DIST_NONE) {
        w->jitter = dc_mem_alloc(1, sizeof *w->jitter);
        if (w->jitter == NULL)
            return dc_error_set(error, DC_ERR_IO, "out of memory");
        s = world_tabulate(&n->jitter, DS_NET_JITTER_ONE, w->jitter, error);
    }
    struct ds_net_host *host = dc_mem_alloc(w->nodes, sizeof *host);
    if (host == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u nodes", w->nodes);
    for (uint32_t i = 0; i < w->nodes; i++)
        world_host(w, i, &host[i]);
    struct ds_net_config config = {.seed = w->scenario->seed,
                                   .topology = &w->topology,
                                   .jitter = w->jitter,
                                   .loss_q31 = n->loss,
                                   .host_delay_ns = n->host_delay_ns,
                                   .kinds = KIND_COUNT,
                                   .queue_max_ns = n->queue_max_ns};
    if (s == DC_OK)
        s = ds_net_create(&config, host, w->nodes, &w->net, error);
    dc_mem_free(host);
    struct ds_net_graph overlay = {.kind = world_graphs[n->overlay.kind],
                                   .nodes = w->nodes,
                                   .degree = n->overlay.degree,
                                   .p = n->overlay.p,
                                   .seed = dc_mix64(w->scenario->seed ^ dc_name("overlay"))};
    if (s == DC_OK)
        s = ds_overlay_build(&overlay, &w->overlay, error);
    return s;
}

/* Delta and the largest delay that the round timer reckons with: what a block takes to reach
 * everyone, by gossip three one-way delays (announce, pull, body) for each hop. */
static void world_delays(struct ds_world *w)
{
    int64_t largest = w->scenario->network.host_delay_ns, sum = 0;
    uint32_t p = w->topology.places;
    for (size_t i = 0; i < (size_t)p * p; i++) {
        int64_t d = w->topology.pair[i].latency_ns;
        sum += d / ((int64_t)p * p);
        largest = d > largest ? d : largest;
    }
    int64_t trips = 1;
    if (w->params.dissemination == DC_DISSEMINATION_GOSSIP) {
        uint64_t reach = w->scenario->network.overlay.degree;
        int64_t hops = 1;
        for (; reach < w->nodes && hops < 32; hops++)
            reach *= w->scenario->network.overlay.degree > 2
                         ? w->scenario->network.overlay.degree - 1
                         : 2;
        trips = 3 * hops;
    }
    int64_t mean =
        sum > w->scenario->network.host_delay_ns ? sum : w->scenario->network.host_delay_ns;
    w->params.delay_typical_ns = trips > 1 ? mean * trips : largest;
    if (w->params.delay_typical_ns < largest)
        w->params.delay_typical_ns = largest;
    w->params.delay_max_ns = 2 * w->params.delay_typical_ns;
}

/* --- chain ---------------------------------------------------------------------------------- */

/* Round trip between two regions, a quarter more for jitter, and 50 ms for queues. */
static int64_t *world_allowances(const struct ds_world *w, uint32_t *regions)
{
    bool each = w->topology.places <= DC_REGIONS_MAX;
    uint32_t r = *regions = each ? w->topology.places : 1;
    int64_t *allowance = dc_mem_need((size_t)r * r, sizeof *allowance, "round-trip allowances");
    for (uint32_t a = 0; a < w->topology.places; a++)
        for (uint32_t b = 0; b < w->topology.places; b++) {
            int64_t rtt = ds_topology_pair(&w->topology, a, b)->latency_ns +
                          ds_topology_pair(&w->topology, b, a)->latency_ns +
                          2 * w->scenario->network.host_delay_ns;
            int64_t *at = each ? &allowance[(size_t)a * r + b] : allowance;
            int64_t allowed = rtt + rtt / 4 + 50000000;
            if (allowed > *at)
                *at = allowed;
        }
    return allowance;
}

static struct dc_hash world_beacon(const struct ds_world *w)
{
    uint8_t seed[8];
    dc_put64(seed, w->scenario->seed);
    return dc_hash_bytes(DC_DOMAIN_GENESIS, seed, sizeof seed);
}

static enum dc_status world_store(struct ds_world *w, const struct world_genesis *g,
                                  struct dc_error *error)
{
    uint32_t regions;
    int64_t *allowance = world_allowances(w, &regions);
    struct dc_genesis genesis = {.params = w->params,
                                 .accounts = w->nodes,
                                 .account = g->account,
                                 .deals = g->deals,
                                 .deal = g->deal,
                                 .regions = regions,
                                 .allowance_ns = allowance,
                                 .beacon = world_beacon(w)};
    struct dc_keypair registrar;
    dc_node_keys(w->scenario->seed, UINT32_MAX, &registrar, NULL);
    memcpy(genesis.registrar_key, registrar.public, sizeof genesis.registrar_key);
    struct dc_store_config config = {.chain = w->chain,
                                     .crypto = &w->crypto,
                                     .memo = w->scenario->memo,
                                     .keep_heights = world_keep_heights(w),
                                     .checker = &dc_node_answer_checker};
    enum dc_status s = dc_store_create(&config, &genesis, &w->store, error);
    dc_mem_free(allowance);
    return s;
}

/* --- nodes ---------------------------------------------------------------------------------- */

static struct dc_node_config world_node_config(struct ds_world *w,
                                               const struct world_genesis *genesis, uint32_t n)
{
    static const enum dc_strategy strategies[] = {[DS_STRATEGY_HONEST] = DC_STRATEGY_HONEST,
                                                  [DS_STRATEGY_GHOST] = DC_STRATEGY_GHOST,
                                                  [DS_STRATEGY_PARTIAL] = DC_STRATEGY_PARTIAL,
                                                  [DS_STRATEGY_STALE] = DC_STRATEGY_STALE,
                                                  [DS_STRATEGY_WASHER] = DC_STRATEGY_WASHER,
                                                  [DS_STRATEGY_SILENT] = DC_STRATEGY_SILENT,
                                                  [DS_STRATEGY_EQUIVOCATING] =
                                                      DC_STRATEGY_EQUIVOCATING};
    static const enum dc_node_role roles[] = {[DS_ROLE_VALIDATOR] = DC_NODE_VALIDATOR,
                                              [DS_ROLE_SERVICE] = DC_NODE_SERVICE,
                                              [DS_ROLE_CLIENT] = DC_NODE_CLIENT};
    const struct ds_group *g = w->group[n];
    const struct ds_mix *mix = w->mix[n];
    enum dc_strategy strategy = mix != NULL ? strategies[mix->strategy] : DC_STRATEGY_HONEST;
    dc_q31 missing = strategy == DC_STRATEGY_GHOST || strategy == DC_STRATEGY_WASHER ? DC_ONE
                     : strategy == DC_STRATEGY_PARTIAL                               ? mix->argument
                                                                                     : 0;
    return (struct dc_node_config){.chain = w->chain,
                                   .id = n,
                                   .role = roles[g->role],
                                   .strategy = strategy,
                                   .store = w->store,
                                   .crypto = &w->crypto,
                                   .params = &w->params,
                                   .key_seed = w->scenario->seed,
                                   .capacity_bytes = w->capacity[n],
                                   .filler = &genesis->filler[n],
                                   .disk = {dc_mix64(w->scenario->seed ^ w->identity[n]), missing},
                                   .replicas = g->demand.replicas,
                                   .retries = g->demand.retries,
                                   .deal_epochs = g->demand.deal_epochs,
                                   .timeout_ns = g->demand.timeout_ns,
                                   .price_get = w->params.price_gib_epoch / 1000 + 1};
}

static enum dc_status world_nodes(struct ds_world *w, const struct world_genesis *g,
                                  struct dc_error *error)
{
    for (uint32_t n = 0; n < w->nodes; n++) {
        struct dc_node_config config = world_node_config(w, g, n);
        w->node[n] = dc_node_create(&config, error);
        if (w->node[n] == NULL)
            return DC_ERR_IO;
        w->up[n] = 1;
        w->slow_q16[n] = DS_NET_Q16_ONE;
        if (w->group[n]->role == DS_ROLE_VALIDATOR) {
            w->power[n] = w->bond[n];
            w->validators++;
        }
    }
    for (uint32_t i = 0; i < g->deals; i++) {
        struct dc_held held = {.deal = i,
                               .offset_chunk = 0,
                               .chunks = dc_chunks_of(g->deal[i].size_bytes),
                               .content = g->content[i],
                               .root = g->deal[i].root};
        dc_node_hold(w->node[g->deal[i].node], &held);
    }
    return DC_OK;
}

/* --- the kernel's view ---------------------------------------------------------------------- */

static bool world_finished(struct ds_world *w, int64_t now_ns)
{
    const struct ds_scenario *sc = w->scenario;
    if (w->options.stop != NULL && *w->options.stop != 0) {
        w->end = DS_WORLD_INTERRUPTED;
        return true;
    }
    if (w->error.status != DC_OK)
        return true;
    if (w->options.until_ns != 0 && now_ns >= w->options.until_ns) {
        w->end = DS_WORLD_UNTIL;
        return true;
    }
    if (sc->duration_epochs != 0 && world_epochs_final(w) >= sc->duration_epochs) {
        w->end = DS_WORLD_DONE;
        return true;
    }
    return false;
}

static void world_progress(struct ds_world *w, int64_t now_ns)
{
    if (w->options.progress == NULL || now_ns < w->progress_next_ns)
        return;
    w->progress_next_ns = now_ns + 250000000;
    struct ds_progress p = {.now_ns = now_ns,
                            .end_ns = w->end_ns,
                            .epoch = world_epochs_final(w),
                            .epochs = w->scenario->duration_epochs,
                            .height = world_height_final(w)};
    for (uint32_t i = 0; i < w->threads; i++)
        p.events += w->shard[i].events;
    w->options.progress(w->options.progress_ctx, &p);
}

/* The lowest height that is final at every node that is up and not hopelessly behind. */
static uint64_t world_collect_height(const struct ds_world *w)
{
    uint64_t lowest = world_height_final(w);
    uint64_t floor = lowest > world_keep_heights(w) ? lowest - world_keep_heights(w) : 0;
    for (uint32_t n = 0; n < w->nodes; n++) {
        uint64_t h = w->node[n]->chain->final->header.height;
        if (h < lowest && h >= floor)
            lowest = h;
    }
    return lowest;
}

static int64_t world_barrier(void *ctx, int64_t now_ns)
{
    struct ds_world *w = ctx;
    if (w->draining)
        return INT64_MAX;
    world_observe(w, now_ns);
    int64_t next = world_faults_run(w, now_ns);
    if (now_ns >= w->chore_next_ns) { /* once a virtual second */
        w->chore_next_ns = now_ns + 1000000000;
        world_gossip_expire(w, now_ns);
        dc_store_collect(w->store, world_collect_height(w));
        if (world_finished(w, now_ns))
            return now_ns;
    } else if (w->end_check) {
        w->end_check = false;
        if (world_finished(w, now_ns))
            return now_ns;
    }
    world_progress(w, now_ns);
    return next < w->chore_next_ns ? next : w->chore_next_ns;
}

static bool world_idle(void *ctx, uint32_t shard)
{
    struct ds_world *w = ctx;
    bool worked = false;
    for (int i = 0; i < 8 && dc_crypto_work(&w->crypto); i++)
        worked = true;
    return worked;
}

/* Windows of so many events run on all threads.  Each of a node's events costs a fraction of a
 * microsecond, and a window of one lookahead over a wide network seldom holds that many; the lanes
 * of smaller ones would take more memory than they save time. */
#define PARALLEL_EVENTS 4096

static enum dc_status world_kernel(struct ds_world *w, struct dc_error *error)
{
    struct ds_kernel_config config = {.nodes = w->nodes,
                                      .threads = w->threads,
                                      .seed = w->scenario->seed,
                                      .lookahead_ns = ds_net_lookahead(w->net),
                                      .ctx = w,
                                      .handle = world_handle,
                                      .prefetch = world_prefetch,
                                      .barrier = world_barrier,
                                      .idle = world_idle,
                                      .parallel_count = w->options.parallel_events != 0
                                                            ? w->options.parallel_events
                                                            : PARALLEL_EVENTS};
    w->kernel = ds_kernel_create(&config, error);
    if (w->kernel == NULL)
        return error->status;
    for (uint32_t n = 0; n < w->nodes; n++) {
        world_post_self(w, 0, n, 1, EV_START, 0);
        if (w->group[n]->role == DS_ROLE_CLIENT) {
            int64_t first = world_next_call(w, n, 0, 1);
            if (first != INT64_MAX)
                world_post_self(w, 0, n, first, EV_CALL, 0);
        }
    }
    return DC_OK;
}

/* --- making --------------------------------------------------------------------------------- */

static enum dc_status world_arrays(struct ds_world *w, struct dc_error *error)
{
    size_t n = w->nodes;
    w->node = dc_mem_alloc(n, sizeof *w->node);
    w->busy_ns = dc_mem_alloc(n, sizeof *w->busy_ns);
    w->sequence = dc_mem_alloc(n, sizeof *w->sequence);
    w->incarnation = dc_mem_alloc(n, sizeof *w->incarnation);
    w->up = dc_mem_alloc(n, sizeof *w->up);
    w->slow_q16 = dc_mem_alloc(n, sizeof *w->slow_q16);
    w->digest = dc_mem_alloc(n, sizeof *w->digest);
    w->group = dc_mem_alloc(n, sizeof *w->group);
    w->mix = dc_mem_alloc(n, sizeof *w->mix);
    w->region = dc_mem_alloc(n, sizeof *w->region);
    w->identity = dc_mem_alloc(n, sizeof *w->identity);
    w->power = dc_mem_alloc(n, sizeof *w->power);
    w->capacity = dc_mem_alloc(n, sizeof *w->capacity);
    w->used = dc_mem_alloc(n, sizeof *w->used);
    w->bond = dc_mem_alloc(n, sizeof *w->bond);
    w->shard = dc_mem_pages(w->threads * sizeof *w->shard);
    if (w->shard != NULL)
        memset(w->shard, 0, w->threads * sizeof *w->shard);
    if (!w->node || !w->busy_ns || !w->sequence || !w->incarnation || !w->up || !w->slow_q16 ||
        !w->digest || !w->group || !w->mix || !w->region || !w->identity || !w->power ||
        !w->capacity || !w->used || !w->bond || !w->shard)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u nodes", w->nodes);
    enum dc_status s = DC_OK;
    for (uint32_t i = 0; s == DC_OK && i < w->threads; i++)
        s = ds_net_stats_init(&w->shard[i].net, KIND_COUNT, error);
    return s;
}

/* Memo sizes: what a few virtual seconds of checks need, 64 MiB at the most; where signatures are
 * modelled only proofs are remembered. */
static size_t world_memo_bytes(const struct ds_world *w)
{
    size_t each = w->scenario->crypto == DS_CRYPTO_REAL ? 1024 : 16;
    size_t bytes = (size_t)w->nodes * each + ((size_t)1 << 20);
    return !w->scenario->memo ? 0 : bytes > ((size_t)64 << 20) ? (size_t)64 << 20 : bytes;
}

static enum dc_status world_make(struct ds_world *w, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    struct world_genesis genesis = {0};
    w->nodes = (uint32_t)sc->nodes_count;
    w->params = sc->protocol;
    w->chain = dc_mix64(sc->seed ^ dc_name("chain"));
    w->end_ns = sc->duration_ns != 0 ? sc->duration_ns : sc->max_time_ns;
    w->chore_next_ns = 1000000000;
    if (w->end_ns > sc->max_time_ns && sc->max_time_ns != 0)
        w->end_ns = sc->max_time_ns;
    enum dc_status s = dc_crypto_open(
        &w->crypto, sc->crypto == DS_CRYPTO_REAL ? DC_SUITE_REAL : DC_SUITE_MODELLED,
        world_memo_bytes(w), w->threads > 1 && sc->crypto == DS_CRYPTO_REAL ? 8192 : 0, error);
    world_costs(w);
    if (s == DC_OK)
        s = world_arrays(w, error);
    if (s == DC_OK)
        s = world_topology(w, error);
    if (s == DC_OK)
        world_delays(w);
    if (s == DC_OK)
        s = world_population(w, &genesis, error);
    if (s == DC_OK)
        s = world_links(w, error);
    if (s == DC_OK)
        s = world_store(w, &genesis, error);
    if (s == DC_OK)
        s = world_nodes(w, &genesis, error);
    if (s == DC_OK)
        s = world_demand_create(w, genesis.deals, error);
    if (s == DC_OK)
        s = world_faults_create(w, error);
    if (s == DC_OK)
        s = world_kernel(w, error);
    if (s == DC_OK)
        s = world_observer_create(w, error);
    world_genesis_free(&genesis);
    return s;
}

enum dc_status ds_world_create(const struct ds_scenario *scenario,
                               const struct ds_world_options *options, struct ds_world **out,
                               struct dc_error *error)
{
    *out = NULL;
    dc_crypto_init();
    struct ds_world *w = dc_mem_alloc(1, sizeof *w);
    if (w == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    w->scenario = scenario;
    w->options = *options;
    w->options.trace = options->trace || scenario->record.trace;
    w->threads = options->threads == 0 ? 1 : options->threads;
    enum dc_status s = world_make(w, error);
    if (s != DC_OK) {
        ds_world_destroy(w);
        return s;
    }
    *out = w;
    return DC_OK;
}

enum dc_status ds_world_run(struct ds_world *w, struct dc_error *error)
{
    w->end = DS_WORLD_DONE;
    ds_kernel_run(w->kernel, w->end_ns);
    world_observe(w, ds_kernel_now(w->kernel));
    if (w->scenario->duration_epochs != 0 && w->end == DS_WORLD_DONE &&
        world_epochs_final(w) < w->scenario->duration_epochs)
        w->end = world_halted(w) ? DS_WORLD_HALTED : DS_WORLD_TIME;
    if (w->error.status != DC_OK)
        return dc_error_set(error, w->error.status, "%s", w->error.text);
    return DC_OK;
}

enum dc_status ds_world_finish(struct ds_world *w, struct ds_summary *summary,
                               struct dc_error *error)
{
    memset(summary, 0, sizeof *summary);
    summary->end = w->end;
    return world_observer_finish(w, summary, error);
}

static void world_shard_free(struct ds_world *w, struct shard *s)
{
    while (s->gossip_first != NULL) {
        struct packet *p = s->gossip_first;
        s->gossip_first = p->next;
        world_packet_drop(w, p);
    }
    dc_effects_free(&s->effects);
    ds_net_stats_free(&s->net);
    dc_mem_free(s->commit);
    dc_mem_free(s->note);
    dc_mem_free(s->trace);
    dc_mem_free(s->delivery);
}

void ds_world_destroy(struct ds_world *w)
{
    if (w == NULL)
        return;
    if (w->kernel != NULL) { /* events that never ran give back what they hold */
        w->draining = true;
        ds_kernel_run(w->kernel, INT64_MAX);
    }
    world_observer_free(w);
    for (uint32_t i = 0; w->shard != NULL && i < w->threads; i++)
        world_shard_free(w, &w->shard[i]);
    for (uint32_t n = 0; w->node != NULL && n < w->nodes; n++)
        dc_node_destroy(w->node[n]);
    ds_kernel_destroy(w->kernel);
    world_faults_free(w);
    world_demand_free(w);
    if (w->store != NULL)
        dc_store_destroy(w->store);
    ds_net_free(w->net);
    ds_overlay_free(&w->overlay);
    ds_topology_free(&w->topology);
    dc_crypto_close(&w->crypto);
    void *arrays[] = {w->node,     w->busy_ns, w->sequence, w->incarnation, w->up,
                      w->slow_q16, w->digest,  w->group,    w->mix,         w->region,
                      w->identity, w->power,   w->capacity, w->used,        w->bond,
                      w->shard,    w->jitter};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        dc_mem_free(arrays[i]);
    dc_mem_free(w);
}

struct ds_world_counts ds_world_counts(const struct ds_world *w)
{
    struct ds_kernel_counters k = ds_kernel_counters(w->kernel);
    const struct dc_crypto_counts *c = w->crypto.counts;
    return (struct ds_world_counts){.events = k.events,
                                    .windows = k.windows,
                                    .parallel_windows = k.parallel_windows,
                                    .sign = atomic_load(&c->logical[DC_OP_SIGN]),
                                    .verify = atomic_load(&c->logical[DC_OP_VERIFY]),
                                    .sign_done = atomic_load(&c->actual[DC_OP_SIGN]),
                                    .verify_done = atomic_load(&c->actual[DC_OP_VERIFY]),
                                    .chain_bytes = dc_store_bytes(w->store),
                                    .pending_bytes = k.bytes};
}

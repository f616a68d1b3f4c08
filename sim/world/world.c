/* Making, running and ending a world; see world.h. */
#include "sim/world/world.h"

#include <math.h>

#include "models/base/mem.h"
#include "sim/world/channel.h"
#include "sim/world/inside.h"
#include "sim/world/observe.h"
#include "sim/world/population.h"
#include "sim/world/private.h"
#include "sim/world/watch.h"

/* Below this height under the lowest final one, blocks are not kept for peers: an epoch, so that its
 * hand-over is there, and at least 64. */
static uint32_t world_keep_heights(const struct ds_world *w)
{
    uint32_t keep = w->params.epoch_blocks + 4;
    return keep < 64 ? 64 : keep;
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
                                 .upgrade = w->scenario->upgrade,
                                 .accounts = w->nodes,
                                 .account = g->account,
                                 .deals = g->deals,
                                 .deal = g->deal,
                                 .regions = regions,
                                 .allowance_ns = allowance,
                                 .beacon = world_beacon(w),
                                 .holders = world_private_holders(w)};
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

struct dc_node_config world_node_config(struct ds_world *w, uint32_t n,
                                        const struct dc_content *filler, uint32_t accomplice)
{
    static const enum dc_node_role roles[] = {[DS_ROLE_VALIDATOR] = DC_NODE_VALIDATOR,
                                              [DS_ROLE_SERVICE] = DC_NODE_SERVICE,
                                              [DS_ROLE_CLIENT] = DC_NODE_CLIENT};
    const struct ds_group *g = w->group[n];
    const struct world_strategy *played = world_played(w, w->truth[n]);
    struct dc_node_config config = {
        .chain = w->chain,
        .id = n,
        .role = roles[g->role],
        .strategy = world_model_strategy(played->strategy),
        .store = w->store,
        .crypto = &w->crypto,
        .params = &w->params,
        .key_seed = w->scenario->seed,
        .incarnation = w->incarnation[n],
        .capacity_bytes = w->capacity[n],
        .filler = filler,
        .disk = {.key = dc_mix64(w->scenario->seed ^ w->identity[n]),
                 .missing = world_missing(w, n, w->truth[n])},
        .accomplice = accomplice,
        .turn_score = played->strategy == DS_STRATEGY_BURST ? played->argument : DC_ONE,
        .replicas = g->demand.replicas,
        .retries = g->demand.retries,
        .deal_epochs = g->demand.deal_epochs,
        .timeout_ns = g->demand.timeout_ns,
        .price_get = w->params.price_gib_epoch / 1000 + 1};
    world_private_config(w, n, &config);
    return config;
}

static enum dc_status world_nodes(struct ds_world *w, const struct world_genesis *g,
                                  struct dc_error *error)
{
    for (uint32_t n = 0; n < w->nodes; n++) {
        uint32_t accomplice = g->outsourcer[w->group[n] - w->scenario->groups];
        struct dc_node_config config =
            world_node_config(w, n, &g->filler[n], accomplice == UINT32_MAX ? n : accomplice);
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
    uint64_t offset = 0; /* a node's deals follow one another, here and on its disk */
    for (uint32_t i = 0; i < g->deals; i++) {
        if (i == 0 || g->deal[i].node != g->deal[i - 1].node)
            offset = 0;
        struct dc_held held = {.deal = i,
                               .offset_chunk = offset,
                               .chunks = dc_chunks_of(g->deal[i].size_bytes),
                               .content = g->content[i],
                               .root = g->deal[i].root};
        dc_node_hold(w->node[g->deal[i].node], &held);
        offset += held.chunks;
    }
    return DC_OK;
}

/* --- the kernel's view ---------------------------------------------------------------------- */

static bool world_finished(struct ds_world *w, int64_t now_ns)
{
    const struct ds_scenario *sc = w->scenario;
    const struct ds_world_options *o = &w->options;
    if (o->stop != NULL && *o->stop != 0)
        w->end = DS_WORLD_INTERRUPTED;
    else if (w->error.status != DC_OK)
        return true;
    else if (o->stop_at_violation && world_violated(w))
        w->end = DS_WORLD_VIOLATED;
    else if ((o->stop_when_lively && world_lively(w, now_ns - 10000000000)) ||
             (o->until_ns != 0 && now_ns >= o->until_ns))
        w->end = DS_WORLD_UNTIL;
    else if (sc->duration_epochs != 0 && world_epochs_final(w) >= sc->duration_epochs)
        w->end = DS_WORLD_DONE;
    else
        return false;
    return true;
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

/* The last block of an epoch on whose state those who are far behind go on (models/README.md 4.10):
 * the newest one that has been final for half an epoch, so that who was told of it has the time to
 * get there.  Where nothing goes wrong nobody will, and the states above it may go. */
static uint64_t world_boundary(const struct ds_world *w, uint64_t final)
{
    uint32_t blocks = w->params.epoch_blocks;
    return w->scenario->faults_count == 0 ? final
           : final < blocks / 2           ? 0
                                          : (final - blocks / 2) / blocks * blocks;
}

/* The lowest height that is final at every node that is up and not hopelessly behind, and not above
 * the epoch's boundary that others may need. */
static uint64_t world_collect_height(const struct ds_world *w)
{
    uint64_t final = world_height_final(w), lowest = world_boundary(w, final);
    uint64_t floor = final > world_keep_heights(w) ? final - world_keep_heights(w) : 0;
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
    if (w->paused) {
        w->paused = false;
        return w->paused_next_ns;
    }
    if (w->sibling != NULL)
        world_machines_share(w);
    world_observe(w, now_ns);
    int64_t next = world_faults_run(w, now_ns);
    if (now_ns >= w->chore_next_ns) { /* once a virtual second */
        w->chore_next_ns = now_ns + 1000000000;
        world_gossip_expire(w, now_ns);
        world_rational_run(w);
        world_faults_watch(w);
        world_check_second(w, now_ns);
        dc_store_collect(w->store, world_collect_height(w));
        if (world_finished(w, now_ns))
            return now_ns;
    } else if (w->end_check) {
        w->end_check = false;
        if (world_finished(w, now_ns))
            return now_ns;
    }
    world_progress(w, now_ns);
    if (next > w->chore_next_ns)
        next = w->chore_next_ns;
    if (w->pause == NULL || !w->pause(w->pause_ctx, w))
        return next;
    w->paused = true;
    w->paused_next_ns = next;
    return now_ns;
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
    for (uint32_t n = 0; n < w->nodes; n++)
        world_post_self(w, 0, n, 1, EV_START, 0);
    world_demand_start(w);
    world_private_start(w);
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
    w->truth = dc_mem_alloc(n, sizeof *w->truth);
    w->cheat_first = dc_mem_alloc(n, sizeof *w->cheat_first);
    w->machine = dc_mem_alloc(n, sizeof *w->machine);
    w->link_class = dc_mem_alloc(n, sizeof *w->link_class);
    w->access_ns = dc_mem_alloc(n, sizeof *w->access_ns);
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
        !w->capacity || !w->used || !w->bond || !w->shard || !w->truth || !w->machine ||
        !w->link_class || !w->access_ns || !w->cheat_first)
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
        s = world_traces_create(w, error);
    if (s == DC_OK)
        s = world_population(w, &genesis, error);
    if (s == DC_OK)
        s = world_machines_create(w, error);
    if (s == DC_OK)
        s = world_links(w, error);
    if (s == DC_OK)
        s = world_private_keys(w, error);
    if (s == DC_OK)
        s = world_store(w, &genesis, error);
    if (s == DC_OK)
        s = world_nodes(w, &genesis, error);
    if (s == DC_OK)
        s = world_demand_create(w, &genesis, error);
    if (s == DC_OK)
        s = world_private_create(w, error);
    if (s == DC_OK)
        s = world_rational_create(w, &genesis, error);
    if (s == DC_OK)
        s = world_channels_create(w, error);
    if (s == DC_OK)
        s = world_faults_create(w, error);
    if (s == DC_OK)
        s = world_kernel(w, error);
    if (s == DC_OK)
        s = world_watch_create(w, error);
    if (s == DC_OK)
        s = world_observer_create(w, error);
    if (s == DC_OK)
        world_checks_create(w);
    world_genesis_free(&genesis);
    return s;
}

static struct ds_world *world_new(const struct ds_scenario *scenario,
                                  const struct ds_world_options *options, dc_q31 wash_theta,
                                  struct dc_error *error)
{
    dc_crypto_init();
    struct ds_world *w = dc_mem_alloc(1, sizeof *w);
    if (w == NULL) {
        dc_error_set(error, DC_ERR_IO, "out of memory");
        return NULL;
    }
    w->scenario = scenario;
    w->luck = scenario->seed;
    w->options = *options;
    w->options.trace = options->trace || scenario->record.trace;
    w->threads = options->threads == 0 ? 1 : options->threads;
    uint64_t level = (uint64_t)wash_theta + wash_theta / 20 + 1; /* a twentieth above theta */
    w->wash_level = level > DC_ONE ? DC_ONE : (dc_q31)level;
    return w;
}

enum dc_status world_create_for(const struct ds_scenario *scenario,
                                const struct ds_world_options *options, dc_q31 wash_theta,
                                struct ds_world **out, struct dc_error *error)
{
    *out = NULL;
    struct ds_world *w = world_new(scenario, options, wash_theta, error);
    if (w == NULL)
        return DC_ERR_IO;
    enum dc_status s = world_make(w, error);
    if (s != DC_OK) {
        ds_world_destroy(w);
        return s;
    }
    *out = w;
    return DC_OK;
}

enum dc_status ds_world_create(const struct ds_scenario *scenario,
                               const struct ds_world_options *options, struct ds_world **out,
                               struct dc_error *error)
{
    return world_create_for(scenario, options, scenario->protocol.theta, out, error);
}

enum dc_status ds_world_finish(struct ds_world *w, struct ds_summary *summary,
                               struct dc_error *error)
{
    memset(summary, 0, sizeof *summary);
    summary->end = w->end;
    world_faults_finish(w);
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
    dc_mem_free(s->vote);
    dc_mem_free(s->heard);
    dc_mem_free(s->work);
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
    world_watch_free(w);
    world_checks_free(w);
    world_observer_free(w);
    for (uint32_t i = 0; w->shard != NULL && i < w->threads; i++)
        world_shard_free(w, &w->shard[i]);
    world_channels_free(w);
    for (uint32_t n = 0; w->node != NULL && n < w->nodes; n++)
        dc_node_destroy(w->node[n]);
    ds_kernel_destroy(w->kernel);
    world_faults_free(w);
    world_demand_free(w);
    world_private_free(w);
    world_rational_free(w);
    world_machines_free(w);
    if (w->store != NULL)
        dc_store_destroy(w->store);
    ds_net_free(w->net);
    ds_overlay_free(&w->overlay);
    ds_topology_free(&w->topology);
    dc_crypto_close(&w->crypto);
    void *arrays[] = {w->node,      w->busy_ns,    w->sequence,   w->incarnation, w->up,
                      w->slow_q16,  w->digest,     w->group,      w->mix,         w->region,
                      w->identity,  w->power,      w->capacity,   w->used,        w->bond,
                      w->shard,     w->jitter,     w->truth,      w->machine,     w->link_class,
                      w->access_ns, w->truth_past, w->cheat_first};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        dc_mem_free(arrays[i]);
    dc_mem_free(w->branched);
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

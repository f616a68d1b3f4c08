/* The network of a run: places, links, the overlay, and the delays that the protocol reckons with. */
#include "models/base/mem.h"
#include "sim/world/inside.h"
#include "sim/world/population.h"

static const struct ds_input *network_input(const struct ds_scenario *sc, const char *path)
{
    for (size_t i = 0; i < sc->inputs_count; i++)
        if (strcmp(sc->inputs[i].path, path) == 0)
            return &sc->inputs[i];
    return NULL;
}

static const enum ds_net_graph_kind network_graphs[] = {
    [DS_GENERATE_WATTS_STROGATZ] = DS_NET_GRAPH_WATTS_STROGATZ,
    [DS_GENERATE_BARABASI_ALBERT] = DS_NET_GRAPH_BARABASI_ALBERT,
    [DS_GENERATE_K_REGULAR] = DS_NET_GRAPH_K_REGULAR,
    [DS_GENERATE_ERDOS_RENYI] = DS_NET_GRAPH_ERDOS_RENYI,
    [DS_GENERATE_GEOMETRIC] = DS_NET_GRAPH_GEOMETRIC,
};

static enum dc_status network_generate(struct ds_world *w, struct dc_error *error)
{
    const struct ds_network *n = &w->scenario->network;
    struct dc_dist *latency = dc_mem_alloc(1, sizeof *latency);
    if (latency == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    struct ds_net_graph spec = {.kind = network_graphs[n->generate.kind],
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

enum dc_status world_topology(struct ds_world *w, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    const struct ds_network *n = &sc->network;
    struct dc_error why = {0};
    enum dc_status s;
    if (n->topology == DS_TOPOLOGY_GENERATE) {
        s = network_generate(w, &why);
    } else if (n->topology == DS_TOPOLOGY_UNIFORM) {
        s = ds_topology_uniform(n->latency_ns, &w->topology, &why);
    } else {
        const char *path = n->topology == DS_TOPOLOGY_REGIONS ? n->regions : n->graph;
        const struct ds_input *file = network_input(sc, path);
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

static void network_host(const struct ds_world *w, uint32_t node, struct ds_net_host *h)
{
    const struct ds_network *n = &w->scenario->network;
    const struct ds_group *g = w->group[node];
    const struct ds_net_place *place = &w->topology.place[w->region[node]];
    *h = (struct ds_net_host){
        .identity = w->identity[node],
        .place = w->region[node],
        .loss_up_q31 = g->links_count != 0 ? g->links[w->link_class[node]].loss : 0,
        .access_ns = w->access_ns[node],
        .up_bps = place->up_bps != 0 ? place->up_bps : (int64_t)n->bandwidth_up,
        .down_bps = place->down_bps != 0 ? place->down_bps : (int64_t)n->bandwidth_down};
}

enum dc_status world_links(struct ds_world *w, struct dc_error *error)
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
        network_host(w, i, &host[i]);
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
    struct ds_net_graph overlay = {.kind = network_graphs[n->overlay.kind],
                                   .nodes = w->nodes,
                                   .degree = n->overlay.degree,
                                   .p = n->overlay.p,
                                   .seed = dc_mix64(w->scenario->seed ^ dc_name("overlay"))};
    if (s == DC_OK)
        s = ds_overlay_build(&overlay, &w->overlay, error);
    return s;
}

/* Allowed for the transfer of a gossiped body, beside the way there and back. */
static const int64_t network_transfer_ns = 100000000;

/* Delta and the largest delay that the round timer reckons with.  Last miles are left out: they are
 * service nodes', which no committee waits for. */
void world_delays(struct ds_world *w)
{
    int64_t largest = w->scenario->network.host_delay_ns, sum = 0;
    uint32_t p = w->topology.places;
    for (size_t i = 0; i < (size_t)p * p; i++) {
        int64_t d = w->topology.pair[i].latency_ns;
        sum += d / ((int64_t)p * p);
        largest = d > largest ? d : largest;
    }
    w->patience_ns = 3 * largest + network_transfer_ns;
    ds_scenario_delays(w->scenario, w->nodes, sum, largest, &w->params);
}

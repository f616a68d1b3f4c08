/* Shortest paths over a graph, and topologies made from generated graphs.
 *
 * igraph gives the distances, 64 sources at a time.  Which of several equally short paths it would
 * walk depends on its release, so that the losses come from the distances alone: going through the
 * nodes in order of distance, a node's best path ends in an edge (u,v) that is tight, that is,
 * distance(u) + latency == distance(v); the best is the one that survives most often, then the one
 * with fewest edges. */
#include "models/base/fixed.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "sim/net/graph.h"

#include <igraph/igraph.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTE_BATCH 64

struct route_arc {
    uint32_t from;
    uint32_t survive_q31;
    int64_t latency_ns;
};

struct route_rank {
    int64_t distance_ns;
    uint32_t node;
};

struct route {
    const char *name;
    const struct ds_net_edges *edges;
    const int64_t *latency_ns;
    const uint32_t *survive_q31;
    bool directed;
    struct ds_net_topology *t;
    uint32_t *offset;        /* [nodes + 1]: arcs that enter a node */
    struct route_arc *arc;   /* [edges, or twice that] */
    struct route_rank *rank; /* [nodes] */
};

static enum dc_status route_no_memory(const struct route *r, struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "%s: out of memory for the paths between %u places",
                        r->name, r->edges->nodes);
}

/* Arcs grouped by the node that they enter; self-loops left out. */
static void route_arcs(struct route *r)
{
    const struct ds_net_edges *e = r->edges;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < e->count; i++)
            for (uint32_t side = 0; side < (r->directed ? 1u : 2u); side++) {
                uint32_t u = e->end[2 * i + side], v = e->end[2 * i + 1 - side];
                if (u == v)
                    continue;
                if (pass == 0)
                    r->offset[v + 1]++;
                else
                    r->arc[--r->offset[v + 1]] =
                        (struct route_arc){u, r->survive_q31[i], r->latency_ns[i]};
            }
        if (pass == 0)
            for (uint32_t v = 0; v < e->nodes; v++)
                r->offset[v + 1] += r->offset[v];
    }
    /* The second pass left offset[v + 1] at the start of v's arcs. */
    uint32_t total = 0;
    for (uint32_t i = 0; i < e->count; i++)
        total += e->end[2 * i] != e->end[2 * i + 1];
    memmove(r->offset, r->offset + 1, e->nodes * sizeof(*r->offset));
    r->offset[e->nodes] = total * (r->directed ? 1u : 2u);
}

static int route_compare(const void *a, const void *b)
{
    const struct route_rank *x = a, *y = b;
    if (x->distance_ns != y->distance_ns)
        return x->distance_ns < y->distance_ns ? -1 : 1;
    return x->node < y->node ? -1 : 1;
}

/* Fills the row of one source from its distances. */
static enum dc_status route_row(struct route *r, uint32_t source, const igraph_matrix_t *distance,
                                igraph_integer_t row, struct dc_error *error)
{
    const uint32_t n = r->edges->nodes;
    struct ds_net_pair *pair = &r->t->pair[(size_t)source * n];
    for (uint32_t v = 0; v < n; v++) {
        double d = MATRIX(*distance, row, v);
        if (!(d < 9007199254740992.0))
            return dc_error_set(
                error, DC_ERR_USAGE,
                "%s: disconnected: there is no path from %s to %s: add an edge that "
                "joins their parts",
                r->name, r->t->place[source].name, r->t->place[v].name);
        pair[v] = (struct ds_net_pair){(int64_t)d, 0, UINT32_MAX};
        r->rank[v] = (struct route_rank){(int64_t)d, v};
    }
    qsort(r->rank, n, sizeof(*r->rank), route_compare);
    pair[source] = (struct ds_net_pair){0, DC_ONE, 0};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v = r->rank[i].node;
        if (v == source)
            continue;
        for (uint32_t a = r->offset[v]; a < r->offset[v + 1]; a++) {
            const struct route_arc *arc = &r->arc[a];
            const struct ds_net_pair *via = &pair[arc->from];
            if (via->latency_ns + arc->latency_ns != pair[v].latency_ns)
                continue;
            uint32_t survive = dc_q31_mul(via->survive_q31, arc->survive_q31);
            if (pair[v].hops == UINT32_MAX || survive > pair[v].survive_q31 ||
                (survive == pair[v].survive_q31 && via->hops + 1 < pair[v].hops)) {
                pair[v].survive_q31 = survive;
                pair[v].hops = via->hops + 1;
            }
        }
    }
    return DC_OK;
}

/* A place's path to itself: its fastest self-loop, else its fastest incident edge (outgoing, when
 * directed). */
static void route_diagonal(struct route *r)
{
    const uint32_t n = r->edges->nodes;
    for (uint32_t i = 0; i < n; i++)
        r->t->pair[(size_t)i * n + i] = (struct ds_net_pair){INT64_MAX, 0, 1};
    for (int loops = 1; loops >= 0; loops--) {
        for (uint32_t e = 0; e < r->edges->count; e++) {
            for (uint32_t side = 0; side < (r->directed ? 1u : 2u); side++) {
                uint32_t u = r->edges->end[2 * e + side], v = r->edges->end[2 * e + 1 - side];
                struct ds_net_pair *self = &r->t->pair[(size_t)u * n + u];
                if ((u == v) != loops || (loops == 0 && self->hops == 0))
                    continue;
                if (r->latency_ns[e] < self->latency_ns ||
                    (r->latency_ns[e] == self->latency_ns &&
                     r->survive_q31[e] > self->survive_q31)) {
                    self->latency_ns = r->latency_ns[e];
                    self->survive_q31 = r->survive_q31[e];
                }
            }
        }
        for (uint32_t i = 0; i < n && loops == 1; i++) /* hops 0 marks: its loop decides */
            if (r->t->pair[(size_t)i * n + i].latency_ns != INT64_MAX)
                r->t->pair[(size_t)i * n + i].hops = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct ds_net_pair *self = &r->t->pair[(size_t)i * n + i];
        if (self->latency_ns == INT64_MAX) /* a single vertex without edges */
            *self = (struct ds_net_pair){0, DC_ONE, 1};
        self->hops = 1;
    }
}

static enum dc_status route_rows(struct route *r, const igraph_t *g, const igraph_vector_t *weights,
                                 struct dc_error *error)
{
    const uint32_t n = r->edges->nodes;
    igraph_matrix_t distance;
    if (igraph_matrix_init(&distance, 0, 0) != IGRAPH_SUCCESS)
        return route_no_memory(r, error);
    enum dc_status status = DC_OK;
    for (uint32_t first = 0; first < n && status == DC_OK; first += ROUTE_BATCH) {
        uint32_t last = first + ROUTE_BATCH < n ? first + ROUTE_BATCH : n;
        igraph_error_t code = igraph_distances_dijkstra(g, &distance, igraph_vss_range(first, last),
                                                        igraph_vss_all(), weights, IGRAPH_OUT);
        if (code != IGRAPH_SUCCESS)
            status = ds_graph_igraph_error(r->name, code, error);
        for (uint32_t s = first; s < last && status == DC_OK; s++)
            status = route_row(r, s, &distance, s - first, error);
    }
    igraph_matrix_destroy(&distance);
    return status;
}

static enum dc_status route_igraph(struct route *r, struct dc_error *error)
{
    igraph_vector_int_t ends;
    igraph_vector_t weights;
    igraph_t g;
    ds_graph_prepare_igraph();
    if (igraph_vector_int_init(&ends, 2 * (igraph_integer_t)r->edges->count) != IGRAPH_SUCCESS)
        return route_no_memory(r, error);
    if (igraph_vector_init(&weights, r->edges->count) != IGRAPH_SUCCESS) {
        igraph_vector_int_destroy(&ends);
        return route_no_memory(r, error);
    }
    for (uint32_t i = 0; i < r->edges->count; i++) {
        VECTOR(ends)[2 * i] = r->edges->end[2 * i];
        VECTOR(ends)[2 * i + 1] = r->edges->end[2 * i + 1];
        VECTOR(weights)[i] = (double)r->latency_ns[i];
    }
    enum dc_status status;
    igraph_error_t code = igraph_create(&g, &ends, r->edges->nodes, r->directed);
    if (code != IGRAPH_SUCCESS) {
        status = ds_graph_igraph_error(r->name, code, error);
    } else {
        status = route_rows(r, &g, &weights, error);
        igraph_destroy(&g);
    }
    igraph_vector_int_destroy(&ends);
    igraph_vector_destroy(&weights);
    return status;
}

enum dc_status ds_topology_route(const char *name, const struct ds_net_edges *edges,
                                 const int64_t *latency_ns, const uint32_t *survive_q31,
                                 bool directed, struct ds_net_topology *t, struct dc_error *error)
{
    const uint32_t n = edges->nodes;
    DC_CHECK(n > 0 && n <= DS_TOPOLOGY_PLACES_MAX && t->place != NULL && t->pair == NULL);
    struct route r = {name, edges, latency_ns, survive_q31, directed, t, NULL, NULL, NULL};
    t->places = n;
    t->pair = dc_mem_alloc((size_t)n * n, sizeof(*t->pair));
    r.offset = dc_mem_alloc((size_t)n + 1, sizeof(*r.offset));
    r.arc = dc_mem_alloc(2 * (size_t)edges->count, sizeof(*r.arc));
    r.rank = dc_mem_alloc(n, sizeof(*r.rank));
    enum dc_status status = DC_OK;
    if (t->pair == NULL || r.offset == NULL || r.arc == NULL || r.rank == NULL)
        status = route_no_memory(&r, error);
    if (status == DC_OK) {
        route_arcs(&r);
        status = route_igraph(&r, error);
    }
    if (status == DC_OK) {
        route_diagonal(&r);
        t->digest = ds_topology_digest(t);
    }
    dc_mem_free(r.offset);
    dc_mem_free(r.arc);
    dc_mem_free(r.rank);
    return status;
}

/* Latency of an edge: a draw that its ends name, so that it does not depend on the edge's place in
 * the list. */
static int64_t generate_latency(const struct ds_net_edges *edges, uint32_t e, uint64_t seed,
                                const struct dc_dist *latency)
{
    uint32_t a = edges->end[2 * e], b = edges->end[2 * e + 1];
    uint64_t ends = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
    struct dc_stream s = dc_stream(seed, ends, dc_name("edge latency"));
    int64_t ns = dc_dist_at(latency, dc_next64(&s));
    if (edges->length != NULL)
        ns = (int64_t)((double)ns * edges->length[e] + 0.5);
    return ns < 1 ? 1 : ns > DS_TOPOLOGY_LATENCY_MAX_NS ? DS_TOPOLOGY_LATENCY_MAX_NS : ns;
}

enum dc_status ds_topology_generate(const struct ds_net_graph *spec, const struct dc_dist *latency,
                                    uint32_t loss_q31, struct ds_net_topology *out,
                                    struct dc_error *error)
{
    *out = (struct ds_net_topology){0};
    if (spec->nodes == 0)
        return dc_error_set(error, DC_ERR_USAGE, "generate: nodes is 0; use at least 1");
    if (spec->nodes > DS_TOPOLOGY_PLACES_MAX)
        return dc_error_set(error, DC_ERR_LIMIT, "generate: %u nodes are more than %d", spec->nodes,
                            DS_TOPOLOGY_PLACES_MAX);
    if (loss_q31 >= DC_ONE)
        return dc_error_set(error, DC_ERR_USAGE, "generate: the loss of an edge must be below 1");
    struct ds_net_edges edges;
    enum dc_status status = ds_graph_generate(spec, &edges, &out->attempts, error);
    if (status != DC_OK) {
        ds_topology_free(out);
        return status;
    }
    int64_t *latency_ns = dc_mem_alloc(edges.count, sizeof(*latency_ns));
    uint32_t *survive = dc_mem_alloc(edges.count, sizeof(*survive));
    out->place = dc_mem_alloc(spec->nodes, sizeof(*out->place));
    if (latency_ns == NULL || survive == NULL || out->place == NULL) {
        status = dc_error_set(error, DC_ERR_IO, "generate: out of memory");
    } else {
        for (uint32_t i = 0; i < spec->nodes; i++)
            snprintf(out->place[i].name, sizeof(out->place[i].name), "%u", i);
        for (uint32_t e = 0; e < edges.count; e++) {
            latency_ns[e] = generate_latency(&edges, e, spec->seed, latency);
            survive[e] = DC_ONE - loss_q31;
        }
        status = ds_topology_route("generate", &edges, latency_ns, survive, false, out, error);
    }
    dc_mem_free(latency_ns);
    dc_mem_free(survive);
    ds_edges_free(&edges);
    if (status != DC_OK)
        ds_topology_free(out);
    return status;
}

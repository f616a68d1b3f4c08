/* Betweenness of the overlay's nodes: who stands in the way of whom.
 *
 * Brandes' algorithm (2001) as igraph has it; beyond a few thousand nodes only with a cutoff, which
 * keeps its order where it matters: hubs and bridges lie on short paths too.  igraph answers in
 * doubles that depend on the order of its sums in the last bits alone; 1/1024 is far above that,
 * so nodes that are alike by symmetry get equal numbers. */
#include "sim/net/graph.h"
#include "sim/net/overlay.h"

#include <igraph/igraph.h>

#define CENTRALITY_ONE 1024.0

/* The overlay's edges, each once. */
static igraph_error_t centrality_graph(const struct ds_net_overlay *o, igraph_t *graph)
{
    igraph_vector_int_t ends;
    igraph_error_t code = igraph_vector_int_init(&ends, (igraph_integer_t)o->offset[o->nodes]);
    if (code != IGRAPH_SUCCESS)
        return code;
    igraph_integer_t at = 0;
    for (uint32_t u = 0; u < o->nodes; u++)
        for (uint32_t i = o->offset[u]; i < o->offset[u + 1]; i++)
            if (u < o->neighbour[i]) {
                VECTOR(ends)[at++] = u;
                VECTOR(ends)[at++] = o->neighbour[i];
            }
    code = igraph_create(graph, &ends, (igraph_integer_t)o->nodes, IGRAPH_UNDIRECTED);
    igraph_vector_int_destroy(&ends);
    return code;
}

enum dc_status ds_overlay_centrality(const struct ds_net_overlay *overlay, uint64_t *out,
                                     struct dc_error *error)
{
    igraph_t graph;
    igraph_vector_t value;
    ds_graph_prepare_igraph();
    igraph_error_t code = centrality_graph(overlay, &graph);
    if (code != IGRAPH_SUCCESS)
        return ds_graph_igraph_error("centrality of the overlay", code, error);
    code = igraph_vector_init(&value, 0);
    if (code == IGRAPH_SUCCESS) {
        double cutoff = overlay->nodes > DS_CENTRALITY_EXACT_NODES ? DS_CENTRALITY_CUTOFF : -1;
        code = igraph_betweenness_cutoff(&graph, &value, igraph_vss_all(), IGRAPH_UNDIRECTED, NULL,
                                         cutoff);
        for (uint32_t i = 0; i < overlay->nodes && code == IGRAPH_SUCCESS; i++)
            out[i] = (uint64_t)(VECTOR(value)[i] * CENTRALITY_ONE + 0.5);
        igraph_vector_destroy(&value);
    }
    igraph_destroy(&graph);
    return code == IGRAPH_SUCCESS ? DC_OK
                                  : ds_graph_igraph_error("centrality of the overlay", code, error);
}

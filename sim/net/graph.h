/* Lists of edges: what the generators and the GML reader give, before it becomes a topology or an
 * overlay.  Internal to sim/net; topology.h and overlay.h are its users' doors.
 *
 *     end[2 * e], end[2 * e + 1]     the two ends of edge e (source and target where it matters)
 *     length[e]                      geometric graphs: distance in the unit square; else NULL */
#ifndef SIM_NET_GRAPH_H
#define SIM_NET_GRAPH_H

#include "sim/net/topology.h"

#define DS_GRAPH_NODES_MAX (1u << 22)
#define DS_GRAPH_EDGES_MAX (1u << 27)
#define DS_GRAPH_ATTEMPTS_MAX 32

struct ds_net_edges {
    uint32_t nodes;
    uint32_t count;
    uint32_t *end;
    double *length;
};
void ds_edges_free(struct ds_net_edges *edges); /* leaves it empty */

/* Draws the graph of the spec, from seeds seed, seed + 1, ... until one is connected; *attempts
 * says how many.  Simple: no self-loops, no double edges. */
enum dc_status ds_graph_generate(const struct ds_net_graph *spec, struct ds_net_edges *out,
                                 uint32_t *attempts, struct dc_error *error) DC_MUST_USE;

/* Our own random k-regular graph.  *drawn is false when the switches got stuck: try another seed.
 * Requires 0 < degree < nodes and an even product. */
enum dc_status ds_graph_regular(uint32_t nodes, uint32_t degree, uint64_t seed,
                                struct ds_net_edges *out, bool *drawn,
                                struct dc_error *error) DC_MUST_USE;

/* Whether edges, seen without direction, connect all nodes.  If not, a[0] and a[1] are two nodes
 * in different pieces.  Errors: DC_ERR_IO. */
enum dc_status ds_graph_connected(const struct ds_net_edges *edges, bool *connected, uint32_t a[2],
                                  struct dc_error *error) DC_MUST_USE;

/* All-pairs routes into t (places and pair table allocated by the call; t->place is left alone).
 * latency_ns and survive_q31 per edge, latency at least 1.  Errors: DC_ERR_USAGE when a place does
 * not reach another, naming both by t->place[].name; DC_ERR_IO. */
enum dc_status ds_topology_route(const char *name, const struct ds_net_edges *edges,
                                 const int64_t *latency_ns, const uint32_t *survive_q31,
                                 bool directed, struct ds_net_topology *t,
                                 struct dc_error *error) DC_MUST_USE;

struct ds_net_overlay;

/* The overlay of these edges.  On error *out is for ds_overlay_free.  Errors: DC_ERR_IO. */
enum dc_status ds_overlay_lists(const struct ds_net_edges *edges, struct ds_net_overlay *out,
                                struct dc_error *error) DC_MUST_USE;

/* Called before igraph is used: attribute handler on, error and warning handlers silent. */
void ds_graph_prepare_igraph(void);

/* Sets error from an igraph error code (which is not success). */
enum dc_status ds_graph_igraph_error(const char *what, int code, struct dc_error *error);

uint64_t ds_topology_digest(const struct ds_net_topology *t);

#endif

/* The gossip overlay: who forwards to whom, as an undirected connected graph over nodes 0..N-1.
 *
 *     offset     [0, 2, 5, ...]          N + 1 entries
 *     neighbour  [1 7 | 0 2 9 | ...]     each node's neighbours in increasing order
 *
 * No self-loops, no double edges.  The k-regular graph, the default, is drawn by our own
 * configuration model with switches (igraph's simple one takes long at 10,000 nodes); the others
 * are igraph's.  A graph that came out in pieces is drawn again from the next seed. */
#ifndef SIM_NET_OVERLAY_H
#define SIM_NET_OVERLAY_H

#include "sim/net/topology.h"

struct ds_net_overlay {
    uint32_t nodes;
    uint32_t *offset;    /* [nodes + 1] */
    uint32_t *neighbour; /* [offset[nodes]] */
    uint32_t attempts;   /* seeds tried until the graph was connected */
    uint64_t digest;
};

/* Fills *out (empty on error).  A degree of nodes - 1 or more gives the complete graph, so that a
 * small network may keep the default; fewer than two nodes give no edges.
 * Errors: DC_ERR_USAGE (impossible or disconnected after 32 seeds: names two nodes), DC_ERR_IO. */
enum dc_status ds_overlay_build(const struct ds_net_graph *spec, struct ds_net_overlay *out,
                                struct dc_error *error) DC_MUST_USE;
void ds_overlay_free(struct ds_net_overlay *overlay); /* leaves it empty */

/* Takes those out who are `gone` for good ([nodes]), and lets their neighbours find each other: what was
 * connected stays connected (close.c).  On error unmodified.
 * Errors: DC_ERR_IO.  Cost: edges log edges. */
enum dc_status ds_overlay_close(struct ds_net_overlay *overlay, const bool *gone,
                                struct dc_error *error) DC_MUST_USE;

static inline const uint32_t *ds_overlay_neighbours(const struct ds_net_overlay *o, uint32_t node,
                                                    uint32_t *count)
{
    *count = o->offset[node + 1] - o->offset[node];
    return o->neighbour + o->offset[node];
}

/* hops[i] = edges on a shortest path from `from` to i (UINT32_MAX: none).  queue: scratch of
 * `nodes` entries.  O(nodes + edges). */
void ds_overlay_hops(const struct ds_net_overlay *o, uint32_t from, uint32_t *hops,
                     uint32_t *queue);

/* Exact up to so many nodes; beyond, only shortest paths of at most so many edges count. */
#define DS_CENTRALITY_EXACT_NODES 2048
#define DS_CENTRALITY_CUTOFF 3

/* out[i] = the betweenness of node i: over all pairs of other nodes, the share of their shortest
 * paths that run through i (Freeman 1977), summed, times 1024, rounded.  The same on every run; equal
 * numbers are for the caller to order, by node.  By igraph, at set-up.
 * Errors: DC_ERR_IO.
 * Cost: nodes * edges, 0.3 s at 2,048 nodes of degree 8; beyond, nodes * (edges within two hops):
 * at 10,000 half a second where degrees are alike, some 10 s in a Barabasi-Albert graph, where hubs
 * bring everybody near. */
enum dc_status ds_overlay_centrality(const struct ds_net_overlay *overlay, uint64_t *out,
                                     struct dc_error *error) DC_MUST_USE;

#endif

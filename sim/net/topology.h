/* Places and the paths between them: what a network looks like before anything is sent.
 *
 * A place is a region of a round-trip matrix or a vertex of a graph; nodes live at places.  Every
 * ordered pair of places has one path with a fixed one-way latency and a probability of surviving
 * it.  The table is dense, row = source, because the hot path looks a pair up per message:
 *
 *              to 0      to 1      to 2
 *     from 0   [0]       [1]       [2]       pair[from * places + to], 16 bytes each
 *     from 1   [3]       [4]       [5]
 *
 * From a graph, a pair's path is the one of least latency and, among those, of least loss (as in
 * Shadow), which does not depend on the order in which an algorithm meets equal paths.  A place's
 * path to itself is its self-loop edge if it has one, else its fastest incident edge.
 *
 * This and overlay.h are the only files that use igraph, at set-up, in one thread (its random
 * generator and error handlers are global).  Its generators differ between releases, hence the
 * digest.  Latencies are whole nanoseconds below 2^53 in total, so igraph's doubles are exact. */
#ifndef SIM_NET_TOPOLOGY_H
#define SIM_NET_TOPOLOGY_H

#include "models/base/dist.h"
#include "models/base/status.h"

#include <stddef.h>
#include <stdint.h>

#define DS_TOPOLOGY_PLACES_MAX 4096 /* 256 MiB of pairs */
#define DS_TOPOLOGY_NAME_BYTES 48
#define DS_TOPOLOGY_LATENCY_MAX_NS (3600LL * 1000000000) /* of one edge or pair */

struct ds_net_pair {
    int64_t latency_ns;   /* one way */
    uint32_t survive_q31; /* probability that a message survives the path; 2^31 is 1 */
    uint32_t hops;        /* edges on the path; 1 in a matrix */
};

struct ds_net_place {
    char name[DS_TOPOLOGY_NAME_BYTES]; /* region, or the vertex's label or else id */
    int64_t up_bps, down_bps;          /* of a host there, bit/s; 0 when the source does not say */
};

struct ds_net_topology {
    uint32_t places;
    struct ds_net_place *place; /* [places] */
    struct ds_net_pair *pair;   /* [places * places], row = source */
    uint32_t attempts;          /* generated graphs: seeds tried until one was connected, else 1 */
    uint64_t digest;            /* of all of the above but names */
};

static inline const struct ds_net_pair *ds_topology_pair(const struct ds_net_topology *t,
                                                         uint32_t from, uint32_t to)
{
    return &t->pair[(size_t)from * t->places + to];
}

/* All of these fill *out (on error it is left empty) and need ds_topology_free.
 * Errors: DC_ERR_USAGE with a text that begins with `name` (the file, for messages) and, where
 * there is one, the line; DC_ERR_IO when out of memory; DC_ERR_LIMIT above
 * DS_TOPOLOGY_PLACES_MAX. */

/* A matrix of round-trip times in ms; one-way latency is half.  '#' starts a comment line; the
 * first row names the destinations, the first column the sources, in any order:
 *     rtt_ms, us-east-1, eu-west-1
 *     us-east-1, 0.5, 68.2
 *     eu-west-1, 68.4, 0.6
 * Parsed with integers, so that 68.2 ms is 34,100,000 ns whatever the locale. */
enum dc_status ds_topology_from_csv(const char *name, const char *text, size_t size,
                                    struct ds_net_topology *out,
                                    struct dc_error *error) DC_MUST_USE;

/* GML with Shadow's attributes: node: id, label, host_bandwidth_up, host_bandwidth_down; edge:
 * source, target, latency ("10 ms"), packet_loss (0..1).  `directed` as GML says.  Every place
 * must reach every other. */
enum dc_status ds_topology_from_gml(const char *name, const char *text, size_t size,
                                    struct ds_net_topology *out,
                                    struct dc_error *error) DC_MUST_USE;

enum ds_net_graph_kind {
    DS_NET_GRAPH_K_REGULAR,       /* degree */
    DS_NET_GRAPH_WATTS_STROGATZ,  /* degree (even: neighbours on the ring), p: rewiring */
    DS_NET_GRAPH_BARABASI_ALBERT, /* degree: edges that a new vertex brings */
    DS_NET_GRAPH_ERDOS_RENYI,     /* p: of an edge; or, when p is 0, degree: the mean degree */
    DS_NET_GRAPH_GEOMETRIC,       /* radius, in the unit square */
    DS_NET_GRAPH_KINDS
};
/* The scenario's word for it ("k_regular"), or NULL. */
const char *ds_graph_kind_name(enum ds_net_graph_kind kind);

struct ds_net_graph {
    enum ds_net_graph_kind kind;
    uint32_t nodes;
    uint32_t degree;
    double p;
    double radius;
    uint64_t seed;
};

/* A generated graph; seeds seed, seed+1, ... are tried until it is connected (at most 32).  Every
 * edge draws its latency (ns, at least 1) from the table, keyed by (seed, its two ends); in a
 * geometric graph that is the latency of unit length.  loss_q31 is of each edge (below 2^31). */
enum dc_status ds_topology_generate(const struct ds_net_graph *spec, const struct dc_dist *latency,
                                    uint32_t loss_q31, struct ds_net_topology *out,
                                    struct dc_error *error) DC_MUST_USE;

/* From round-trip times in memory, [from * places + to] in ns. */
enum dc_status ds_topology_from_matrix(const char *const *names, const int64_t *rtt_ns,
                                       uint32_t places, struct ds_net_topology *out,
                                       struct dc_error *error) DC_MUST_USE;

/* One place named "net" with the same latency between any two nodes. */
enum dc_status ds_topology_uniform(int64_t latency_ns, struct ds_net_topology *out,
                                   struct dc_error *error) DC_MUST_USE;

void ds_topology_free(struct ds_net_topology *t); /* leaves it empty */

#endif

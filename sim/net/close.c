/* The overlay without those who have left it for good.
 *
 *      a   d             a---d        Nodes that left and hang together (X, Y) go, and those around
 *       \ /|             |   |        them are joined to a ring, in order of their numbers: what was
 *    X---Y |     -->     |   |        connected stays connected, with two more links for each at
 *   /     \|             b---c        most.
 *  b       c
 *
 * It stands for what peers do who find a neighbour gone and look for another: that search itself is
 * not modelled. */
#include "models/base/mem.h"
#include "sim/net/graph.h"
#include "sim/net/overlay.h"

#include <stdlib.h>

/* Edges as (lower << 32 | higher), before doubles are dropped. */
struct close_edges {
    uint64_t *key;
    size_t count;
};

static void close_add(struct close_edges *e, uint32_t u, uint32_t v)
{
    e->key[e->count++] = u < v ? (uint64_t)u << 32 | v : (uint64_t)v << 32 | u;
}

static int close_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int close_order_nodes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Walks the piece of those gone that `from` is in, and joins who is around it.  piece[]: of a gone
 * node, the first of its piece + 1; of another one, the piece that has met it last.  near, queue:
 * scratch of a number for each node. */
static void close_piece(const struct ds_net_overlay *o, const bool *gone, uint32_t from,
                        uint32_t *piece, uint32_t *near, uint32_t *queue, struct close_edges *edges)
{
    uint32_t head = 0, tail = 0, around = 0;
    piece[from] = from + 1;
    queue[tail++] = from;
    while (head < tail) {
        uint32_t count;
        const uint32_t *v = ds_overlay_neighbours(o, queue[head++], &count);
        for (uint32_t i = 0; i < count; i++) {
            if (piece[v[i]] == from + 1)
                continue;
            piece[v[i]] = from + 1;
            if (gone[v[i]])
                queue[tail++] = v[i];
            else
                near[around++] = v[i];
        }
    }
    qsort(near, around, sizeof *near, close_order_nodes);
    for (uint32_t i = 0; i + 1 < around; i++)
        close_add(edges, near[i], near[i + 1]);
    if (around > 2)
        close_add(edges, near[0], near[around - 1]);
}

/* The edges that are left, and those that close the gaps, each once.  piece: 3 n zeros. */
static void close_list(const struct ds_net_overlay *o, const bool *gone, uint32_t *piece,
                       struct close_edges *edges, struct ds_net_edges *list)
{
    const uint32_t n = o->nodes;
    for (uint32_t u = 0; u < n; u++) {
        uint32_t count;
        const uint32_t *v = ds_overlay_neighbours(o, u, &count);
        for (uint32_t i = 0; !gone[u] && i < count; i++)
            if (v[i] > u && !gone[v[i]])
                close_add(edges, u, v[i]);
        if (gone[u] && piece[u] == 0)
            close_piece(o, gone, u, piece, piece + n, piece + 2 * (size_t)n, edges);
    }
    qsort(edges->key, edges->count, sizeof *edges->key, close_order);
    for (size_t i = 0; i < edges->count; i++) {
        if (i > 0 && edges->key[i] == edges->key[i - 1])
            continue;
        list->end[2 * list->count] = (uint32_t)(edges->key[i] >> 32);
        list->end[2 * list->count++ + 1] = (uint32_t)edges->key[i];
    }
}

enum dc_status ds_overlay_close(struct ds_net_overlay *o, const bool *gone, struct dc_error *error)
{
    const uint32_t n = o->nodes;
    size_t ends = n > 0 ? o->offset[n] : 0;
    uint32_t *piece = dc_mem_alloc((size_t)3 * n + 1, sizeof *piece);
    struct close_edges edges = {.key = dc_mem_alloc(2 * ends + 1, sizeof *edges.key)};
    struct ds_net_edges list = {.nodes = n, .end = dc_mem_alloc(4 * ends + 1, sizeof *list.end)};
    struct ds_net_overlay closed = {0};
    enum dc_status status;
    if (piece == NULL || edges.key == NULL || list.end == NULL) {
        status = dc_error_set(error, DC_ERR_IO, "out of memory for the gossip overlay");
    } else {
        close_list(o, gone, piece, &edges, &list);
        status = ds_overlay_lists(&list, &closed, error);
    }
    if (status == DC_OK) {
        closed.attempts = o->attempts;
        ds_overlay_free(o);
        *o = closed;
    } else {
        ds_overlay_free(&closed);
    }
    dc_mem_free(piece);
    dc_mem_free(edges.key);
    ds_edges_free(&list);
    return status;
}

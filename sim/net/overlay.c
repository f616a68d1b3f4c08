/* From a list of edges to sorted lists of neighbours, and breadth-first distances. */
#include "sim/net/overlay.h"

#include "models/base/mem.h"
#include "models/base/rng.h"
#include "sim/net/graph.h"

#include <string.h>

void ds_overlay_free(struct ds_net_overlay *overlay)
{
    dc_mem_free(overlay->offset);
    dc_mem_free(overlay->neighbour);
    *overlay = (struct ds_net_overlay){0};
}

/* Declared in graph.h.  Appends u to the list of each of its neighbours, for u in increasing order, which leaves every
 * list sorted without sorting: pass 1 groups by first end, pass 2 transposes. */
enum dc_status ds_overlay_lists(const struct ds_net_edges *edges, struct ds_net_overlay *out,
                                struct dc_error *error)
{
    const uint32_t n = edges->nodes;
    uint32_t *fill = dc_mem_alloc((size_t)n + 1, sizeof(*fill));
    uint32_t *near = dc_mem_alloc(2 * (size_t)edges->count, sizeof(*near));
    out->nodes = n;
    out->offset = dc_mem_alloc((size_t)n + 1, sizeof(*out->offset));
    out->neighbour = dc_mem_alloc(2 * (size_t)edges->count, sizeof(*out->neighbour));
    if (fill == NULL || near == NULL || out->offset == NULL || out->neighbour == NULL) {
        dc_mem_free(fill);
        dc_mem_free(near);
        return dc_error_set(error, DC_ERR_IO, "out of memory for the gossip overlay");
    }
    for (uint32_t i = 0; i < 2 * edges->count; i++)
        out->offset[edges->end[i] + 1]++;
    for (uint32_t i = 0; i < n; i++)
        out->offset[i + 1] += out->offset[i];
    memcpy(fill, out->offset, n * sizeof(*fill));
    for (uint32_t i = 0; i < 2 * edges->count; i++)
        near[fill[edges->end[i]]++] = edges->end[i ^ 1];
    memcpy(fill, out->offset, n * sizeof(*fill));
    for (uint32_t u = 0; u < n; u++)
        for (uint32_t i = out->offset[u]; i < out->offset[u + 1]; i++)
            out->neighbour[fill[near[i]]++] = u;
    dc_mem_free(fill);
    dc_mem_free(near);
    out->digest = dc_mix64(n);
    for (uint32_t i = 0; i <= n; i++)
        out->digest = dc_mix64(out->digest ^ out->offset[i]);
    for (uint32_t i = 0; i < out->offset[n]; i++)
        out->digest = dc_mix64(out->digest ^ out->neighbour[i]);
    return DC_OK;
}

enum dc_status ds_overlay_build(const struct ds_net_graph *spec, struct ds_net_overlay *out,
                                struct dc_error *error)
{
    struct ds_net_edges edges;
    *out = (struct ds_net_overlay){0};
    uint32_t attempts;
    enum dc_status status = ds_graph_generate(spec, &edges, &attempts, error);
    if (status == DC_OK)
        status = ds_overlay_lists(&edges, out, error);
    ds_edges_free(&edges);
    if (status != DC_OK) {
        ds_overlay_free(out);
        return status;
    }
    out->attempts = attempts;
    return DC_OK;
}

void ds_overlay_hops(const struct ds_net_overlay *o, uint32_t from, uint32_t *hops, uint32_t *queue)
{
    DC_CHECK(from < o->nodes);
    memset(hops, 0xff, o->nodes * sizeof(*hops));
    uint32_t head = 0, tail = 0;
    hops[from] = 0;
    queue[tail++] = from;
    while (head < tail) {
        uint32_t u = queue[head++];
        for (uint32_t i = o->offset[u]; i < o->offset[u + 1]; i++) {
            uint32_t v = o->neighbour[i];
            if (hops[v] != UINT32_MAX)
                continue;
            hops[v] = hops[u] + 1;
            queue[tail++] = v;
        }
    }
}

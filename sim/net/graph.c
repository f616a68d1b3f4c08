/* Random graphs as lists of edges: igraph's generators, our own k-regular one, connectivity.
 *
 * The k-regular graph: every node has `degree` stubs; the stubs are shuffled and paired (the
 * configuration model, Bollobas 1980), then each self-loop or double edge (u,v) is undone by a
 * switch with a random edge (x,y) into (u,x),(v,y), which keeps all degrees.  O(nodes * degree),
 * 5 ms for 10,000 nodes of degree 8, the same with every release of igraph.  A dense graph
 * (degree above half) is the complement of a sparse one, where switches always find room. */
#include "sim/net/graph.h"

#include "models/base/mem.h"
#include "models/base/rng.h"

#include <igraph/igraph.h>
#include <string.h>

const char *ds_graph_kind_name(enum ds_net_graph_kind kind)
{
    static const char *const names[DS_NET_GRAPH_KINDS] = {
        "k_regular", "watts_strogatz", "barabasi_albert", "erdos_renyi", "geometric"};
    return (unsigned)kind < DS_NET_GRAPH_KINDS ? names[kind] : NULL;
}

void ds_edges_free(struct ds_net_edges *edges)
{
    dc_mem_free(edges->end);
    dc_mem_free(edges->length);
    *edges = (struct ds_net_edges){0};
}

static enum dc_status graph_no_memory(struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "out of memory for the network's graph: use fewer nodes");
}

void ds_graph_prepare_igraph(void)
{
    igraph_set_error_handler(igraph_error_handler_ignore);
    igraph_set_warning_handler(igraph_warning_handler_ignore);
    igraph_set_attribute_table(&igraph_cattribute_table);
}

enum dc_status ds_graph_igraph_error(const char *what, int code, struct dc_error *error)
{
    if (code == IGRAPH_ENOMEM)
        return graph_no_memory(error);
    return dc_error_set(error, DC_ERR_USAGE, "%s: igraph refuses it: %s", what,
                        igraph_strerror((igraph_error_t)code));
}

/* Connectivity: union-find with path halving. */

static uint32_t graph_root(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

enum dc_status ds_graph_connected(const struct ds_net_edges *edges, bool *connected, uint32_t a[2],
                                  struct dc_error *error)
{
    *connected = true;
    if (edges->nodes < 2)
        return DC_OK;
    uint32_t *parent = dc_mem_alloc(edges->nodes, sizeof(*parent));
    if (parent == NULL)
        return graph_no_memory(error);
    for (uint32_t i = 0; i < edges->nodes; i++)
        parent[i] = i;
    for (uint32_t e = 0; e < edges->count; e++) {
        uint32_t x = graph_root(parent, edges->end[2 * e]);
        uint32_t y = graph_root(parent, edges->end[2 * e + 1]);
        parent[x > y ? x : y] = x > y ? y : x;
    }
    for (uint32_t i = 1; i < edges->nodes && *connected; i++) {
        if (graph_root(parent, i) == 0)
            continue;
        *connected = false;
        a[0] = 0;
        a[1] = i;
    }
    dc_mem_free(parent);
    return DC_OK;
}

/* Our k-regular graph.  near[i * degree ..] are i's neighbours, a multiset while it is repaired. */

struct regular {
    uint32_t nodes, degree, edges;
    uint32_t *end;  /* [2 * edges] */
    uint32_t *near; /* [nodes * degree] */
    uint32_t *todo; /* [max(edges, nodes)]: bad edges; how full each node's part of near is */
    struct dc_stream stream;
};

static uint32_t regular_multiplicity(const struct regular *r, uint32_t u, uint32_t v)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->degree; i++)
        count += r->near[(size_t)u * r->degree + i] == v;
    return count;
}

static void regular_replace(struct regular *r, uint32_t at, uint32_t old, uint32_t by)
{
    uint32_t *near = &r->near[(size_t)at * r->degree];
    while (*near != old)
        near++;
    *near = by;
}

static bool regular_bad(const struct regular *r, uint32_t e)
{
    uint32_t u = r->end[2 * e], v = r->end[2 * e + 1];
    return u == v || regular_multiplicity(r, u, v) > 1;
}

/* Tries one switch of edge e with a random other; true when it was done. */
static bool regular_switch(struct regular *r, uint32_t e)
{
    uint64_t draw = dc_next_below(&r->stream, 2 * (uint64_t)r->edges);
    uint32_t f = (uint32_t)(draw >> 1), side = draw & 1;
    uint32_t u = r->end[2 * e], v = r->end[2 * e + 1];
    uint32_t x = r->end[2 * f + side], y = r->end[2 * f + 1 - side];
    if (f == e || u == x || v == y || (u == v && x == y))
        return false;
    if (regular_multiplicity(r, u, x) != 0 || regular_multiplicity(r, v, y) != 0)
        return false;
    regular_replace(r, u, v, x);
    regular_replace(r, v, u, y);
    regular_replace(r, x, y, u);
    regular_replace(r, y, x, v);
    r->end[2 * e] = u;
    r->end[2 * e + 1] = x;
    r->end[2 * f] = v;
    r->end[2 * f + 1] = y;
    return true;
}

static void regular_shuffle(struct regular *r)
{
    uint32_t stubs = 2 * r->edges;
    for (uint32_t i = 0; i < stubs; i++)
        r->end[i] = i / r->degree;
    for (uint32_t i = stubs - 1; i > 0; i--) {
        uint32_t j = (uint32_t)dc_next_below(&r->stream, (uint64_t)i + 1);
        uint32_t t = r->end[i];
        r->end[i] = r->end[j];
        r->end[j] = t;
    }
}

/* A random cycle through all nodes: the connected 2-regular graph.  near holds the permutation. */
static void regular_cycle(struct regular *r)
{
    const uint32_t n = r->nodes;
    for (uint32_t i = 0; i < n; i++)
        r->near[i] = i;
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t j = (uint32_t)dc_next_below(&r->stream, (uint64_t)i + 1);
        uint32_t t = r->near[i];
        r->near[i] = r->near[j];
        r->near[j] = t;
    }
    for (uint32_t i = 0; i < n; i++) {
        r->end[2 * i] = r->near[i];
        r->end[2 * i + 1] = r->near[(i + 1) % n];
    }
}

/* near[] from end[]. */
static void regular_fill(struct regular *r)
{
    uint32_t *fill = r->todo;
    memset(fill, 0, r->nodes * sizeof(*fill));
    for (uint32_t e = 0; e < r->edges; e++) {
        uint32_t u = r->end[2 * e], v = r->end[2 * e + 1];
        r->near[(size_t)u * r->degree + fill[u]++] = v;
        r->near[(size_t)v * r->degree + fill[v]++] = u;
    }
}

static bool regular_draw(struct regular *r)
{
    if (r->degree == 2) {
        regular_cycle(r);
        regular_fill(r);
        return true;
    }
    regular_shuffle(r);
    regular_fill(r);
    uint32_t bad = 0;
    for (uint32_t e = 0; e < r->edges; e++)
        if (regular_bad(r, e))
            r->todo[bad++] = e;
    while (bad > 0) {
        uint32_t e = r->todo[--bad];
        for (int tries = 0; regular_bad(r, e) && !regular_switch(r, e);)
            if (++tries > 1000)
                return false;
        if (regular_bad(r, e)) /* cannot be: a switch makes two good edges */
            return false;
    }
    return true;
}

/* Edges of the complement of a sparse regular graph, in order of their ends. */
static enum dc_status regular_complement(const struct regular *sparse, struct ds_net_edges *out,
                                         struct dc_error *error)
{
    uint32_t n = sparse->nodes;
    uint8_t *row = dc_mem_alloc(n, 1);
    if (row == NULL)
        return graph_no_memory(error);
    out->count = 0;
    for (uint32_t u = 0; u < n; u++) {
        memset(row, 0, n);
        for (uint32_t i = 0; i < sparse->degree; i++)
            row[sparse->near[(size_t)u * sparse->degree + i]] = 1;
        for (uint32_t v = u + 1; v < n; v++) {
            if (row[v])
                continue;
            out->end[2 * out->count] = u;
            out->end[2 * out->count + 1] = v;
            out->count++;
        }
    }
    dc_mem_free(row);
    return DC_OK;
}

enum dc_status ds_graph_regular(uint32_t nodes, uint32_t degree, uint64_t seed,
                                struct ds_net_edges *out, bool *drawn, struct dc_error *error)
{
    DC_CHECK(degree > 0 && degree < nodes && (uint64_t)nodes * degree % 2 == 0);
    const bool dense = degree > (nodes - 1) / 2;
    struct regular r = {.nodes = nodes, .degree = dense ? nodes - 1 - degree : degree};
    r.edges = (uint32_t)((uint64_t)nodes * r.degree / 2);
    r.stream = dc_stream(seed, dc_name("graph"), dc_name("k_regular"));
    *out = (struct ds_net_edges){.nodes = nodes, .count = (uint32_t)((uint64_t)nodes * degree / 2)};
    out->end = dc_mem_alloc(out->count, 2 * sizeof(*out->end));
    r.end = dense ? dc_mem_alloc(r.edges, 2 * sizeof(*r.end)) : out->end;
    r.near = dc_mem_alloc(2 * (size_t)r.edges, sizeof(*r.near));
    r.todo = dc_mem_alloc(r.edges > nodes ? r.edges : nodes, sizeof(*r.todo));
    enum dc_status status = DC_OK;
    *drawn = false;
    if (out->end == NULL || r.end == NULL || r.near == NULL || r.todo == NULL)
        status = graph_no_memory(error);
    else
        *drawn = r.degree == 0 || regular_draw(&r);
    if (*drawn && dense)
        status = regular_complement(&r, out, error);
    if (dense)
        dc_mem_free(r.end);
    dc_mem_free(r.near);
    dc_mem_free(r.todo);
    if (status != DC_OK || !*drawn)
        ds_edges_free(out);
    return status;
}

static enum dc_status graph_complete(uint32_t nodes, struct ds_net_edges *out,
                                     struct dc_error *error)
{
    uint64_t count = (uint64_t)nodes * (nodes - (nodes > 0)) / 2;
    *out = (struct ds_net_edges){.nodes = nodes, .count = (uint32_t)count};
    out->end = dc_mem_alloc(count, 2 * sizeof(*out->end));
    if (out->end == NULL)
        return graph_no_memory(error);
    uint32_t *end = out->end;
    for (uint32_t u = 0; u < nodes; u++)
        for (uint32_t v = u + 1; v < nodes; v++) {
            *end++ = u;
            *end++ = v;
        }
    return DC_OK;
}

/* igraph's generators. */

static igraph_error_t graph_igraph_draw(const struct ds_net_graph *spec, igraph_t *g,
                                        igraph_vector_t *x, igraph_vector_t *y)
{
    const igraph_integer_t n = spec->nodes;
    switch (spec->kind) {
    case DS_NET_GRAPH_WATTS_STROGATZ:
        return igraph_watts_strogatz_game(g, 1, n, spec->degree / 2, spec->p, false, false);
    case DS_NET_GRAPH_BARABASI_ALBERT:
        return igraph_barabasi_game(g, n, 1.0, spec->degree, NULL, true, 1.0, false,
                                    IGRAPH_BARABASI_PSUMTREE, NULL);
    case DS_NET_GRAPH_ERDOS_RENYI:
        if (spec->p > 0)
            return igraph_erdos_renyi_game_gnp(g, n, spec->p, false, false);
        return igraph_erdos_renyi_game_gnm(g, n, n * (igraph_integer_t)spec->degree / 2, false,
                                           false);
    case DS_NET_GRAPH_GEOMETRIC: return igraph_grg_game(g, n, spec->radius, false, x, y);
    default: DC_CHECK(!"a kind that igraph draws"); return IGRAPH_FAILURE;
    }
}

static enum dc_status graph_take(const igraph_t *g, const igraph_vector_t *x,
                                 const igraph_vector_t *y, bool geometric, struct ds_net_edges *out,
                                 struct dc_error *error)
{
    igraph_integer_t count = igraph_ecount(g);
    out->nodes = (uint32_t)igraph_vcount(g);
    out->count = (uint32_t)count;
    out->end = dc_mem_alloc((size_t)count, 2 * sizeof(*out->end));
    out->length = geometric ? dc_mem_alloc((size_t)count, sizeof(*out->length)) : NULL;
    if (out->end == NULL || (geometric && out->length == NULL))
        return graph_no_memory(error);
    for (igraph_integer_t e = 0; e < count; e++) {
        igraph_integer_t u = IGRAPH_FROM(g, e), v = IGRAPH_TO(g, e);
        out->end[2 * e] = (uint32_t)u;
        out->end[2 * e + 1] = (uint32_t)v;
        if (geometric) {
            double dx = VECTOR(*x)[u] - VECTOR(*x)[v], dy = VECTOR(*y)[u] - VECTOR(*y)[v];
            out->length[e] = __builtin_sqrt(dx * dx + dy * dy);
        }
    }
    return DC_OK;
}

static enum dc_status graph_draw_igraph(const struct ds_net_graph *spec, uint64_t seed,
                                        struct ds_net_edges *out, struct dc_error *error)
{
    ds_graph_prepare_igraph();
    igraph_rng_seed(igraph_rng_default(), (igraph_uint_t)(dc_mix64(seed) & 0x7fffffff));
    igraph_vector_t x, y;
    if (igraph_vector_init(&x, 0) != IGRAPH_SUCCESS)
        return graph_no_memory(error);
    if (igraph_vector_init(&y, 0) != IGRAPH_SUCCESS) {
        igraph_vector_destroy(&x);
        return graph_no_memory(error);
    }
    igraph_t g;
    enum dc_status status;
    igraph_error_t code = graph_igraph_draw(spec, &g, &x, &y);
    if (code != IGRAPH_SUCCESS) {
        status = ds_graph_igraph_error(ds_graph_kind_name(spec->kind), code, error);
    } else {
        status = graph_take(&g, &x, &y, spec->kind == DS_NET_GRAPH_GEOMETRIC, out, error);
        igraph_destroy(&g);
    }
    igraph_vector_destroy(&x);
    igraph_vector_destroy(&y);
    if (status != DC_OK)
        ds_edges_free(out);
    return status;
}

static bool graph_by_degree(const struct ds_net_graph *s)
{
    return s->kind != DS_NET_GRAPH_GEOMETRIC && !(s->kind == DS_NET_GRAPH_ERDOS_RENYI && s->p > 0);
}

/* What the caller may ask for, before anything is drawn. */
static enum dc_status graph_check(const struct ds_net_graph *s, struct dc_error *error)
{
    const char *kind = ds_graph_kind_name(s->kind);
    if (kind == NULL)
        return dc_error_set(error, DC_ERR_USAGE, "graph: kind %d does not exist", (int)s->kind);
    if (s->nodes > DS_GRAPH_NODES_MAX)
        return dc_error_set(error, DC_ERR_LIMIT, "%s: %u nodes are more than %u", kind, s->nodes,
                            DS_GRAPH_NODES_MAX);
    if (!(s->p >= 0 && s->p <= 1))
        return dc_error_set(error, DC_ERR_USAGE, "%s: p is %g; use a value from 0 to 1", kind,
                            s->p);
    const bool by_degree = graph_by_degree(s);
    if (by_degree && s->degree == 0)
        return dc_error_set(error, DC_ERR_USAGE, "%s: degree is 0; use at least 1", kind);
    if (s->kind == DS_NET_GRAPH_GEOMETRIC && !(s->radius > 0 && s->radius <= 2))
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: radius is %g; use a value above 0 and up to 1.5", kind, s->radius);
    double n = s->nodes, edges = n * s->degree;
    if (s->kind == DS_NET_GRAPH_ERDOS_RENYI && s->p > 0)
        edges = s->p * n * n / 2;
    else if (s->kind == DS_NET_GRAPH_GEOMETRIC)
        edges = n * n * (s->radius * s->radius * 1.6 < 0.5 ? s->radius * s->radius * 1.6 : 0.5);
    if (s->degree >= s->nodes && s->nodes > 0 && by_degree)
        edges = n * n / 2;
    if (edges > DS_GRAPH_EDGES_MAX)
        return dc_error_set(error, DC_ERR_LIMIT, "%s: about %.0f edges are more than %u", kind,
                            edges, DS_GRAPH_EDGES_MAX);
    if (s->kind == DS_NET_GRAPH_WATTS_STROGATZ && s->degree % 2 != 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: degree %u is odd; half the neighbours are on either side of the "
                            "ring, so use %u or %u",
                            kind, s->degree, s->degree - 1, s->degree + 1);
    if (s->kind == DS_NET_GRAPH_K_REGULAR && s->degree + 1 < s->nodes &&
        (uint64_t)s->degree * s->nodes % 2 != 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: no graph of %u nodes has degree %u at each (both are odd); use "
                            "degree %u or %u",
                            kind, s->nodes, s->degree, s->degree - 1, s->degree + 1);
    return DC_OK;
}

static enum dc_status graph_draw(const struct ds_net_graph *spec, uint64_t seed,
                                 struct ds_net_edges *out, bool *drawn, struct dc_error *error)
{
    const bool full = graph_by_degree(spec) && spec->degree + 1 >= spec->nodes;
    *drawn = true;
    if (spec->nodes < 2 || full)
        return graph_complete(spec->nodes, out, error);
    if (spec->kind == DS_NET_GRAPH_K_REGULAR)
        return ds_graph_regular(spec->nodes, spec->degree, seed, out, drawn, error);
    return graph_draw_igraph(spec, seed, out, error);
}

enum dc_status ds_graph_generate(const struct ds_net_graph *spec, struct ds_net_edges *out,
                                 uint32_t *attempts, struct dc_error *error)
{
    *out = (struct ds_net_edges){0};
    *attempts = 0;
    enum dc_status status = graph_check(spec, error);
    if (status != DC_OK)
        return status;
    uint32_t apart[2] = {0, 0};
    while (*attempts < DS_GRAPH_ATTEMPTS_MAX) {
        bool drawn, connected = false;
        status = graph_draw(spec, spec->seed + *attempts, out, &drawn, error);
        ++*attempts;
        if (status == DC_OK && drawn)
            status = ds_graph_connected(out, &connected, apart, error);
        if (status == DC_OK && connected)
            return DC_OK;
        ds_edges_free(out);
        if (status != DC_OK)
            return status;
    }
    return dc_error_set(error, DC_ERR_USAGE,
                        "%s: %u seeds from %llu on gave a disconnected graph (the last one has no "
                        "path from node %u to node %u); raise the degree, p or radius",
                        ds_graph_kind_name(spec->kind), *attempts, (unsigned long long)spec->seed,
                        apart[0], apart[1]);
}

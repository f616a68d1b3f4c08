/* The generated graphs: simple, connected, with the degrees that their kinds promise. */
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "sim/net/overlay.h"
#include "tests/support/harness.h"

#include <string.h>

static struct ds_net_overlay build(struct ds_net_graph spec)
{
    struct ds_net_overlay o;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_overlay_build(&spec, &o, &error), DC_OK);
    return o;
}

/* Simple, symmetric, sorted, connected; returns whether all of that holds. */
static bool sound(const struct ds_net_overlay *o)
{
    uint32_t *hops = dc_mem_alloc(o->nodes, sizeof(*hops));
    uint32_t *queue = dc_mem_alloc(o->nodes, sizeof(*queue));
    bool good = true;
    ds_overlay_hops(o, 0, hops, queue);
    for (uint32_t u = 0; u < o->nodes; u++) {
        uint32_t count;
        const uint32_t *v = ds_overlay_neighbours(o, u, &count);
        good &= hops[u] != UINT32_MAX;
        for (uint32_t i = 0; i < count; i++) {
            bool back = false;
            uint32_t back_count;
            const uint32_t *w = ds_overlay_neighbours(o, v[i], &back_count);
            for (uint32_t j = 0; j < back_count; j++)
                back |= w[j] == u;
            good &= v[i] != u && back && (i == 0 || v[i - 1] < v[i]);
        }
    }
    dc_mem_free(hops);
    dc_mem_free(queue);
    return good;
}

static void test_regular(void)
{
    /* Every small case, sparse, half full and dense. */
    for (uint32_t n = 3; n <= 24; n++)
        for (uint32_t k = 2; k < n; k++) {
            if (n * k % 2 != 0)
                continue;
            struct ds_net_overlay o =
                build((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, n, k, 0, 0, n * 100 + k});
            CU_ASSERT_TRUE(sound(&o));
            for (uint32_t u = 0; u < n; u++)
                CU_ASSERT_EQUAL(o.offset[u + 1] - o.offset[u], k);
            ds_overlay_free(&o);
        }
    static const uint32_t sizes[][2] = {{1000, 3}, {1000, 2}, {2001, 8}, {10000, 8}, {500, 400}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct ds_net_overlay o =
            build((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, sizes[i][0], sizes[i][1], 0, 0, 7});
        CU_ASSERT_TRUE(sound(&o));
        CU_ASSERT_EQUAL(o.attempts, 1);
        for (uint32_t u = 0; u < o.nodes; u++)
            CU_ASSERT_EQUAL(o.offset[u + 1] - o.offset[u], sizes[i][1]);
        ds_overlay_free(&o);
    }
}

/* Without some of the nodes: those that are left are as sound as before, the others alone. */
static void close_case(uint32_t nodes, uint32_t degree, uint32_t gone_of_16, uint64_t seed)
{
    struct ds_net_overlay o =
        build((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, nodes, degree, 0, 0, seed});
    bool gone[64];
    uint32_t number[64], left = 0, edges = o.offset[nodes];
    for (uint32_t u = 0; u < nodes; u++) {
        gone[u] = dc_mix64(seed << 32 | u) % 16 < gone_of_16;
        number[u] = gone[u] ? 0 : left++;
    }
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_overlay_close(&o, gone, &error), DC_OK);
    CU_ASSERT_TRUE(o.offset[nodes] <= 3 * edges);
    /* renumbered, so that sound() can look at those that are left alone */
    uint32_t offset[65] = {0}, neighbour[64 * 63], at = 0;
    for (uint32_t u = 0; u < nodes; u++) {
        uint32_t count;
        const uint32_t *v = ds_overlay_neighbours(&o, u, &count);
        CU_ASSERT_TRUE(!gone[u] || count == 0);
        for (uint32_t i = 0; i < count; i++) {
            CU_ASSERT_FALSE(gone[v[i]]);
            neighbour[at++] = number[v[i]];
        }
        if (!gone[u])
            offset[number[u] + 1] = at;
    }
    struct ds_net_overlay rest = {.nodes = left, .offset = offset, .neighbour = neighbour};
    CU_ASSERT_TRUE(left == 0 || sound(&rest));
    ds_overlay_free(&o);
}

static void test_close(void)
{
    for (uint64_t seed = 1; seed <= 100; seed++)
        for (uint32_t gone = 0; gone <= 16; gone += 4)
            for (uint32_t degree = 2; degree <= 8; degree += 2)
                close_case(9 + (uint32_t)(seed % 56), degree, gone, seed);
    /* a ring of six without 0, 1 and 3: 2 and 5 are around the piece {0, 1}, 2 and 4 around {3} */
    uint32_t offset[] = {0, 2, 4, 6, 8, 10, 12}, ring[] = {1, 5, 0, 2, 1, 3, 2, 4, 3, 5, 0, 4};
    struct ds_net_overlay o = {.nodes = 6,
                               .offset = dc_mem_alloc(7, sizeof(uint32_t)),
                               .neighbour = dc_mem_alloc(12, sizeof(uint32_t))};
    memcpy(o.offset, offset, sizeof(offset));
    memcpy(o.neighbour, ring, sizeof(ring));
    const bool gone[6] = {true, true, false, true, false, false};
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_overlay_close(&o, gone, &error), DC_OK);
    const uint32_t closed[] = {0, 0, 0, 2, 2, 4, 6}, triangle[] = {4, 5, 2, 5, 2, 4};
    CU_ASSERT_EQUAL(memcmp(o.offset, closed, sizeof(closed)), 0);
    CU_ASSERT_EQUAL(memcmp(o.neighbour, triangle, sizeof(triangle)), 0);
    ds_overlay_free(&o);
}

/* A k-regular random graph is locally a tree: the sphere of radius h has about k (k-1)^(h-1)
 * nodes, and all is reached within a few hops more than log_{k-1} n (Bollobas, de la Vega 1982). */
static void test_hops(void)
{
    struct ds_net_overlay o =
        build((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, 10000, 8, 0, 0, 1});
    static uint32_t hops[10000], queue[10000];
    uint32_t at[16] = {0}, most = 0;
    for (uint32_t from = 0; from < 20; from++) {
        ds_overlay_hops(&o, from, hops, queue);
        for (uint32_t i = 0; i < o.nodes; i++) {
            CU_ASSERT_FATAL(hops[i] < 16);
            at[hops[i]]++;
            most = hops[i] > most ? hops[i] : most;
        }
    }
    CU_ASSERT_EQUAL(at[0], 20);
    CU_ASSERT_EQUAL(at[1], 20 * 8);
    CU_ASSERT_TRUE(at[2] > 20 * 56 * 98 / 100 && at[2] <= 20 * 56);
    CU_ASSERT_TRUE(at[3] > 20 * 392 * 94 / 100 && at[3] <= 20 * 392);
    CU_ASSERT_TRUE(most >= 5 && most <= 7);
    ds_overlay_free(&o);
}

/* No edge is favoured: over 2,000 seeds each of the 45 pairs of 10 nodes is an edge of a 4-regular graph with probability 4/9.  Chi-square with 45 cells whose
 * sum is fixed, at the level 0.001: 44 degrees of freedom, 78.7 (an upper bound: the cells are
 * negatively correlated). */
static void test_uniform(void)
{
    double seen[10][10] = {{0}};
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct ds_net_overlay o =
            build((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, 10, 4, 0, 0, seed});
        for (uint32_t u = 0; u < 10; u++)
            for (uint32_t i = o.offset[u]; i < o.offset[u + 1]; i++)
                seen[u][o.neighbour[i]]++;
        ds_overlay_free(&o);
    }
    double chi = 0, expected = 2000 * 4.0 / 9, variance = expected * 5 / 9;
    for (int u = 0; u < 10; u++)
        for (int v = u + 1; v < 10; v++)
            chi += (seen[u][v] - expected) * (seen[u][v] - expected) / variance;
    CU_ASSERT_TRUE(chi < 78.7);
}

static void test_igraph_kinds(void)
{
    struct ds_net_overlay o =
        build((struct ds_net_graph){DS_NET_GRAPH_WATTS_STROGATZ, 400, 6, 0.1, 0, 3});
    CU_ASSERT_TRUE(sound(&o));
    CU_ASSERT_EQUAL(o.offset[o.nodes], 400 * 6);
    ds_overlay_free(&o);

    o = build((struct ds_net_graph){DS_NET_GRAPH_WATTS_STROGATZ, 50, 4, 0, 0, 3}); /* the ring */
    for (uint32_t u = 0; u < 50; u++)
        CU_ASSERT_EQUAL(o.offset[u + 1] - o.offset[u], 4);
    CU_ASSERT_EQUAL(o.neighbour[o.offset[20]], 18);
    CU_ASSERT_EQUAL(o.neighbour[o.offset[20] + 3], 22);
    ds_overlay_free(&o);

    o = build((struct ds_net_graph){DS_NET_GRAPH_BARABASI_ALBERT, 1000, 4, 0, 0, 3});
    CU_ASSERT_TRUE(sound(&o));
    uint32_t most = 0, least = UINT32_MAX;
    for (uint32_t u = 0; u < o.nodes; u++) {
        uint32_t degree = o.offset[u + 1] - o.offset[u];
        most = degree > most ? degree : most;
        least = degree < least ? degree : least;
    }
    CU_ASSERT_TRUE(least >= 1 && least <= 4);
    CU_ASSERT_TRUE(most > 40); /* hubs: a Poisson degree of mean 8 would not reach 30 */
    ds_overlay_free(&o);

    o = build((struct ds_net_graph){DS_NET_GRAPH_ERDOS_RENYI, 500, 12, 0, 0, 3});
    CU_ASSERT_TRUE(sound(&o));
    CU_ASSERT_EQUAL(o.offset[o.nodes], 500 * 12);
    ds_overlay_free(&o);
    o = build((struct ds_net_graph){DS_NET_GRAPH_ERDOS_RENYI, 500, 0, 0.03, 0, 3});
    CU_ASSERT_TRUE(sound(&o));
    double edges = o.offset[o.nodes] / 2.0, mean = 0.03 * 500 * 499 / 2;
    CU_ASSERT_TRUE((edges - mean) * (edges - mean) < 3.3 * 3.3 * mean * 0.97); /* 0.001 */
    ds_overlay_free(&o);
    o = build((struct ds_net_graph){DS_NET_GRAPH_GEOMETRIC, 300, 0, 0, 0.2, 3});
    CU_ASSERT_TRUE(sound(&o));
    ds_overlay_free(&o);
}

static void test_same_and_other(void)
{
    for (int kind = 0; kind < DS_NET_GRAPH_KINDS; kind++) {
        struct ds_net_graph spec = {(enum ds_net_graph_kind)kind, 200, 6, 0.1, 0.2, 11};
        struct ds_net_overlay a = build(spec), b = build(spec);
        spec.seed = 12;
        struct ds_net_overlay c = build(spec);
        CU_ASSERT_EQUAL(a.digest, b.digest);
        CU_ASSERT_NOT_EQUAL(a.digest, c.digest);
        ds_overlay_free(&a);
        ds_overlay_free(&b);
        ds_overlay_free(&c);
    }
    /* Ours does not depend on a release of igraph: known for ever. */
    struct ds_net_overlay o = build((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, 100, 8, 0, 0, 1});
    CU_ASSERT_EQUAL(o.digest, 0x413d1c2d81091afbull);
    ds_overlay_free(&o);
}

static void refused(struct ds_net_graph spec, enum dc_status want, const char *words)
{
    struct ds_net_overlay o;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(ds_overlay_build(&spec, &o, &error), want);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
    CU_ASSERT_EQUAL(o.nodes, 0);
}

static void test_refusals(void)
{
    refused((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, 101, 7, 0, 0, 1}, DC_ERR_USAGE,
            "use degree 6 or 8");
    refused((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, 100, 1, 0, 0, 1}, DC_ERR_USAGE,
            "no path from node 0 to node");
    refused((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, 100, 0, 0, 0, 1}, DC_ERR_USAGE,
            "degree is 0");
    refused((struct ds_net_graph){DS_NET_GRAPH_WATTS_STROGATZ, 100, 5, 0.1, 0, 1}, DC_ERR_USAGE,
            "use 4 or 6");
    refused((struct ds_net_graph){DS_NET_GRAPH_WATTS_STROGATZ, 100, 4, 1.5, 0, 1}, DC_ERR_USAGE,
            "p is 1.5");
    refused((struct ds_net_graph){DS_NET_GRAPH_ERDOS_RENYI, 1000, 0, 0.0005, 0, 1}, DC_ERR_USAGE,
            "disconnected");
    refused((struct ds_net_graph){DS_NET_GRAPH_GEOMETRIC, 100, 0, 0, 0.01, 1}, DC_ERR_USAGE,
            "disconnected");
    refused((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, 4000000, 4000000, 0, 0, 1}, DC_ERR_LIMIT,
            "edges");
}

static void test_few_nodes(void)
{
    for (uint32_t n = 0; n <= 9; n++) /* degree 8: the complete graph */
        for (int kind = 0; kind < 3; kind++) {
            struct ds_net_overlay o =
                build((struct ds_net_graph){(enum ds_net_graph_kind)kind, n, 8, 0.1, 0, 1});
            CU_ASSERT_EQUAL(o.nodes, n);
            CU_ASSERT_EQUAL(o.offset[n], n == 0 ? 0 : n * (n - 1));
            ds_overlay_free(&o);
        }
}

static void test_out_of_memory(void)
{
    struct ds_net_graph spec = {DS_NET_GRAPH_K_REGULAR, 60, 6, 0, 0, 1};
    enum dc_status status = DC_ERR_IO;
    uint64_t budget = 0;
    for (; status != DC_OK && budget < 50; budget++) {
        struct ds_net_overlay o;
        struct dc_error error = {0};
        dc_mem_budget(budget);
        status = ds_overlay_build(&spec, &o, &error);
        CU_ASSERT_TRUE(status == DC_OK || (status == DC_ERR_IO && error.text[0] != '\0'));
        ds_overlay_free(&o);
    }
    dc_mem_budget(UINT64_MAX);
    CU_ASSERT_TRUE(budget > 6 && status == DC_OK);
}

/* Betweenness from its definition: s - v - t lies on shortest paths when distances add up, and then
 * the counts of paths multiply. */
static void naive_centrality(const struct ds_net_overlay *o, double *out)
{
    enum { MAX = 40 };
    static uint32_t hops[MAX][MAX], queue[MAX];
    static double paths[MAX][MAX];
    const uint32_t n = o->nodes;
    CU_ASSERT_FATAL(n <= MAX);
    for (uint32_t s = 0; s < n; s++) {
        ds_overlay_hops(o, s, hops[s], queue);
        for (uint32_t i = 0; i < n; i++) { /* the queue is in order of distance */
            uint32_t count, v = queue[i];
            const uint32_t *near = ds_overlay_neighbours(o, v, &count);
            paths[s][v] = v == s;
            for (uint32_t j = 0; j < count; j++)
                if (hops[s][near[j]] + 1 == hops[s][v])
                    paths[s][v] += paths[s][near[j]];
        }
    }
    for (uint32_t v = 0; v < n; v++) {
        out[v] = 0;
        for (uint32_t s = 0; s < n; s++)
            for (uint32_t t = s + 1; t < n; t++)
                if (s != v && t != v && hops[s][v] + hops[v][t] == hops[s][t])
                    out[v] += paths[s][v] * paths[v][t] / paths[s][t];
    }
}

static void expect_centrality(const struct ds_net_overlay *o)
{
    double want[40];
    uint64_t got[40], again[40];
    struct dc_error error = {0};
    naive_centrality(o, want);
    CU_ASSERT_EQUAL(ds_overlay_centrality(o, got, &error), DC_OK);
    CU_ASSERT_EQUAL(ds_overlay_centrality(o, again, &error), DC_OK);
    for (uint32_t v = 0; v < o->nodes; v++) {
        CU_ASSERT_EQUAL(got[v], again[v]);
        CU_ASSERT_DOUBLE_EQUAL((double)got[v], want[v] * 1024, 0.5 + 1e-6);
    }
}

static void test_centrality(void)
{
    /* A star: every pair of its 5 leaves meets at its centre, which is node 2. */
    uint32_t star_offset[7] = {0, 1, 2, 7, 8, 9, 10},
             star_near[10] = {2, 2, 0, 1, 3, 4, 5, 2, 2, 2};
    struct ds_net_overlay star = {.nodes = 6, .offset = star_offset, .neighbour = star_near};
    struct dc_error error = {0};
    uint64_t got[6];
    CU_ASSERT_EQUAL(ds_overlay_centrality(&star, got, &error), DC_OK);
    for (uint32_t i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(got[i], i == 2 ? 10 * 1024 : 0);
    expect_centrality(&star);
    for (uint64_t seed = 1; seed <= 20; seed++)
        for (int kind = 0; kind < 4; kind++) {
            struct ds_net_overlay o = build((struct ds_net_graph){
                (enum ds_net_graph_kind)kind, 36, 4, kind == 3 ? 0.15 : 0.3, 0, seed});
            expect_centrality(&o);
            ds_overlay_free(&o);
        }
    /* With the cutoff: on a long ring a node stands between its two neighbours, and in two paths of
     * three edges. */
    struct ds_net_overlay ring = build(
        (struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, DS_CENTRALITY_EXACT_NODES + 952, 2, 0, 0, 1});
    static uint64_t long_way[DS_CENTRALITY_EXACT_NODES + 952];
    CU_ASSERT_EQUAL(ds_overlay_centrality(&ring, long_way, &error), DC_OK);
    for (uint32_t i = 0; i < ring.nodes; i++)
        CU_ASSERT_EQUAL(long_way[i], 3 * 1024);
    ds_overlay_free(&ring);
    for (uint32_t n = 0; n < 3; n++) { /* nobody is between */
        struct ds_net_overlay o =
            build((struct ds_net_graph){DS_NET_GRAPH_K_REGULAR, n, 2, 0, 0, 1});
        expect_centrality(&o);
        ds_overlay_free(&o);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"k-regular: degrees, simple, connected", test_regular},
        {"those who left are taken out", test_close},
        {"hop counts of a random regular graph", test_hops},
        {"every edge equally likely", test_uniform},
        {"igraph's generators", test_igraph_kinds},
        {"same seed, same graph", test_same_and_other},
        {"refusals", test_refusals},
        {"few nodes", test_few_nodes},
        {"centrality", test_centrality},
        {"out of memory", test_out_of_memory},
    };
    return TEST_MAIN("overlay", cases);
}

/* Matrices, GML graphs and generated graphs into tables of paths. */
#include "models/base/fixed.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "sim/net/topology.h"
#include "tests/support/harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char csv_good[] = "# round trips in ms\n"
                               "rtt_ms, us-east-1, eu-west-1 ,\"ap-1\"\r\n"
                               "\n"
                               "eu-west-1, 68.4, 0.6, 200\r\n"
                               "us-east-1,0.5,68.2,150.000001\n"
                               "  # another remark\n"
                               "ap-1,1000, 7.25, 0";

static const char gml_good[] =
    "graph [\n"
    "  directed 0\n"
    "  node [ id 0 label \"Tokyo\" host_bandwidth_up \"100 Mbit\" host_bandwidth_down \"1 Gbit\" "
    "]\n"
    "  node [ id 7 label \"Paris\" host_bandwidth_up \"81920 Kibit\" ]\n"
    "  node [ id 9 ]\n"
    "  edge [ source 0 target 0 latency \"500 us\" packet_loss 0.0 ]\n"
    "  edge [ source 0 target 7 latency \"100 ms\" packet_loss 0.5 ]\n"
    "  edge [ source 7 target 9 latency \"10 ms\" packet_loss 0.25 jitter \"0 ms\" ]\n"
    "  edge [ source 0 target 9 latency \"30.5 ms\" ]\n"
    "]\n";

static enum dc_status csv(const char *text, struct ds_net_topology *t, struct dc_error *error)
{
    memset(error, 0, sizeof(*error));
    return ds_topology_from_csv("r.csv", text, strlen(text), t, error);
}

static enum dc_status gml(const char *text, struct ds_net_topology *t, struct dc_error *error)
{
    memset(error, 0, sizeof(*error));
    return ds_topology_from_gml("g.gml", text, strlen(text), t, error);
}

static void test_csv(void)
{
    struct ds_net_topology t;
    struct dc_error error;
    CU_ASSERT_EQUAL_FATAL(csv(csv_good, &t, &error), DC_OK);
    CU_ASSERT_EQUAL(t.places, 3);
    CU_ASSERT_STRING_EQUAL(t.place[0].name, "us-east-1");
    CU_ASSERT_STRING_EQUAL(t.place[1].name, "eu-west-1");
    CU_ASSERT_STRING_EQUAL(t.place[2].name, "ap-1");
    static const int64_t want[9] = {250000,    34100000,  75000000, 34200000, 300000,
                                    100000000, 500000000, 3625000,  0};
    for (int i = 0; i < 9; i++) {
        CU_ASSERT_EQUAL(t.pair[i].latency_ns, want[i]);
        CU_ASSERT_EQUAL(t.pair[i].survive_q31, DC_ONE);
    }
    uint64_t digest = t.digest;
    ds_topology_free(&t);
    CU_ASSERT_EQUAL_FATAL(csv(csv_good, &t, &error), DC_OK);
    CU_ASSERT_EQUAL(t.digest, digest);
    ds_topology_free(&t);
}

static void test_csv_refusals(void)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "no header row"},
        {"# only remarks\n\n", "no header row"},
        {"rtt\n", "r.csv:1: the header row names no region"},
        {",a,a\na,1,1\n", "r.csv:1: twice in the header row: 'a'"},
        {",a,\na,1,1\n", "r.csv:1: a region's name"},
        {",a,b\na,1,1\n", "there is no row for 'b'"},
        {",a,b\na,1,1\nb,1\n", "r.csv:3: fewer cells"},
        {",a,b\n#\na,1,1,1\n", "r.csv:3: more cells"},
        {",a,b\na,1,1\na,1,1\n", "r.csv:3: a second row for 'a'"},
        {",a,b\na,1,1\nc,1,1\n", "r.csv:3: not a region of the header row: 'c'"},
        {",a\na,1e3\n", "r.csv:2: expected a round-trip time in ms"},
        {",a\na,-1\n", "not '-1'"},
        {",a\na,\n", "not ''"},
        {",a\na,1.2.3\n", "not '1.2.3'"},
        {",a\na,7200001\n", "not '7200001'"},
        {",a\na,99999999999999999999\n", "expected"},
        {",a\na,\x01\xff\n", "not '\?\?'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ds_net_topology t;
        struct dc_error error;
        CU_ASSERT_EQUAL(csv(cases[i].text, &t, &error), DC_ERR_USAGE);
        CU_ASSERT_PTR_NULL(t.pair);
        if (strstr(error.text, cases[i].words) == NULL)
            CU_FAIL(cases[i].words);
    }
}

static void test_gml(void)
{
    struct ds_net_topology t;
    struct dc_error error;
    CU_ASSERT_EQUAL_FATAL(gml(gml_good, &t, &error), DC_OK);
    CU_ASSERT_EQUAL(t.places, 3);
    CU_ASSERT_STRING_EQUAL(t.place[0].name, "Tokyo");
    CU_ASSERT_STRING_EQUAL(t.place[1].name, "Paris");
    CU_ASSERT_STRING_EQUAL(t.place[2].name, "9");
    CU_ASSERT_EQUAL(t.place[0].up_bps, 100000000);
    CU_ASSERT_EQUAL(t.place[0].down_bps, 1000000000);
    CU_ASSERT_EQUAL(t.place[1].up_bps, 81920 * 1024);
    CU_ASSERT_EQUAL(t.place[1].down_bps, 0);
    CU_ASSERT_EQUAL(t.place[2].up_bps, 0);
    const struct ds_net_pair *p = ds_topology_pair(&t, 0, 1); /* by way of 9 */
    CU_ASSERT_EQUAL(p->latency_ns, 40500000);
    CU_ASSERT_EQUAL(p->hops, 2);
    CU_ASSERT_EQUAL(p->survive_q31, DC_ONE / 4 * 3);
    CU_ASSERT_EQUAL(ds_topology_pair(&t, 0, 0)->latency_ns, 500000);
    CU_ASSERT_EQUAL(ds_topology_pair(&t, 1, 1)->latency_ns, 10000000);
    CU_ASSERT_EQUAL(ds_topology_pair(&t, 1, 1)->survive_q31, DC_ONE / 4 * 3);
    CU_ASSERT_EQUAL(ds_topology_pair(&t, 2, 2)->latency_ns, 10000000);
    ds_topology_free(&t);
}

/* Directed edges count one way; of two equally fast paths the one that loses less is taken. */
static void test_gml_directed(void)
{
    struct ds_net_topology t;
    struct dc_error error;
    CU_ASSERT_EQUAL_FATAL(
        gml("graph [ directed 1 node [ id 1 ] node [ id 2 ] node [ id 3 ] node [ id 4 ]\n"
            "edge [ source 1 target 2 latency \"1 ms\" packet_loss 0.5 ]"
            "edge [ source 2 target 4 latency \"3 ms\" ]"
            "edge [ source 1 target 3 latency \"2 ms\" ]"
            "edge [ source 3 target 4 latency \"2 ms\" packet_loss 0.25 ]"
            "edge [ source 4 target 1 latency \"1 s\" ]"
            "edge [ source 1 target 4 latency \"4 ms\" packet_loss 0.26 ] ]",
            &t, &error),
        DC_OK);
    CU_ASSERT_EQUAL(ds_topology_pair(&t, 0, 3)->latency_ns, 4000000);
    CU_ASSERT_EQUAL(ds_topology_pair(&t, 0, 3)->survive_q31, DC_ONE / 4 * 3);
    CU_ASSERT_EQUAL(ds_topology_pair(&t, 0, 3)->hops, 2);
    CU_ASSERT_EQUAL(ds_topology_pair(&t, 3, 2)->latency_ns, 1002000000);
    CU_ASSERT_EQUAL(ds_topology_pair(&t, 1, 1)->latency_ns, 3000000);
    ds_topology_free(&t);
}

static void test_gml_refusals(void)
{
#define TWO "graph [ node [ id 5 label \"A\" ] node [ id 6 ] edge [ source 5 target 6 "
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "the file is empty"},
        {"hello", "not a GML graph"},
        {"graph [\n node [ id 0 ]\n node id 1 ]\n]", "g.gml:3: not a GML graph: expected a number"},
        {"graph [\n node [ id 0 ]\n", "g.gml:3: not a GML graph: ']' is missing"},
        {"graph [ node [\nlabel \"x\n id 0 ]\n ]", "g.gml:2: not a GML graph: a string"},
        {"graph [ node [ id ]\n ]", "g.gml:1: not a GML graph: a key without a value"},
        {"graph [ node [ id 1 ] ] ]", "']' without '['"},
        {"graph [ node [ id 1 ] node [ id 1 ] ]", "is each id given once"},
        {"graph [ ]", "no node"},
        {TWO "] ]", "edge from A to 6: no latency"},
        {TWO "latency 10 ] ]", "edge from A to 6: latency must be a time with its unit"},
        {TWO "latency 10 ] ]", "not '10'"},
        {TWO "latency \"10\" ] ]", "not '10'"},
        {TWO "latency \"ten ms\" ] ]", "not 'ten ms'"},
        {TWO "latency \"0 ms\" ] ]", "above 0"},
        {TWO "latency \"3601 s\" ] ]", "at most 1 h"},
        {TWO "latency \"1 ms\" packet_loss 1.5 ] ]", "packet_loss"},
        {TWO "latency \"1 ms\" packet_loss \"0.1\" ] ]", "packet_loss"},
        {TWO "latency \"1 ms\" ] edge [ source 6 target 5 ] ]", "no latency"},
        {"graph [ node [ id 5 host_bandwidth_up \"10\" ] ]", "vertex 5: host_bandwidth_up is '10'"},
        {"graph [ node [ id 5 host_bandwidth_down 10 ] ]", "host_bandwidth_down"},
        {"graph [ node [ id 5 ] node [ id 6 label \"B\" ] ]", "no path from 5 to B"},
        {"graph [ directed 1 node [ id 1 ] node [ id 2 ] edge [ source 1 target 2 latency \"1 s\" "
         "] ]",
         "no path from 2 to 1"},
        {"graph [ node [ id 5 ] edge [ source 5 target 6 latency \"1 ms\" ] ]", "g.gml"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ds_net_topology t;
        struct dc_error error;
        CU_ASSERT_EQUAL(gml(cases[i].text, &t, &error), DC_ERR_USAGE);
        CU_ASSERT_PTR_NULL(t.pair);
        CU_ASSERT_PTR_NULL(t.place);
        if (strstr(error.text, cases[i].words) == NULL)
            CU_FAIL(cases[i].words);
    }
}

/* Every truncation, and 4,000 mutations of each file (a flipped bit, a byte overwritten, a stretch
 * repeated or removed), either load or are refused with words, and never crash. */
static void mutate(const char *good, size_t size, uint64_t seed,
                   enum dc_status (*load)(const char *, const char *, size_t,
                                          struct ds_net_topology *, struct dc_error *))
{
    char text[2048];
    struct dc_stream s = dc_stream(seed, 1, 2);
    uint32_t loaded = 0, refused = 0;
    for (uint32_t i = 0; i < 4000 + size; i++) {
        size_t n = size;
        memcpy(text, good, size);
        if (i < size) {
            n = i;
        } else {
            for (uint64_t edits = 1 + dc_next_below(&s, 3); edits > 0 && n > 8; edits--) {
                size_t at = dc_next_below(&s, n), length = dc_next_below(&s, n - at) % 40;
                switch (dc_next_below(&s, 4)) {
                case 0: text[at] = (char)(text[at] ^ 1 << dc_next_below(&s, 8)); break;
                case 1: text[at] = "[]\" \n0123456789.,#-eE"[dc_next_below(&s, 21)]; break;
                case 2:
                    memmove(text + at, text + at + length, n - at - length);
                    n -= length;
                    break;
                default:
                    if (n + length < sizeof(text)) {
                        memmove(text + at + length, text + at, n - at);
                        n += length;
                    }
                }
            }
        }
        struct ds_net_topology t;
        struct dc_error error = {0};
        enum dc_status status = load("m", text, n, &t, &error);
        CU_ASSERT_TRUE(status == DC_OK ? t.places > 0 : error.text[0] != '\0' && t.pair == NULL);
        loaded += status == DC_OK;
        refused += status != DC_OK;
        ds_topology_free(&t);
    }
    CU_ASSERT_TRUE(loaded > 100 && refused > 1000);
}

static void test_mutations(void)
{
    mutate(csv_good, sizeof(csv_good) - 1, 1, ds_topology_from_csv);
    mutate(gml_good, sizeof(gml_good) - 1, 2, ds_topology_from_gml);
}

/* A random graph as GML against Floyd and Warshall over (latency, loss). */
enum { FW = 24 };

struct naive {
    int64_t latency_ns;
    uint32_t survive;
};

static bool naive_better(struct naive a, struct naive b)
{
    return a.latency_ns < b.latency_ns || (a.latency_ns == b.latency_ns && a.survive > b.survive);
}

static void against_naive(uint64_t seed, bool directed)
{
    static char text[65536];
    struct naive d[FW][FW];
    struct dc_stream s = dc_stream(seed, directed, 0);
    const struct naive none = {INT64_MAX / 4, 0};
    size_t n = (size_t)sprintf(text, "graph [ directed %d\n", directed);
    for (int i = 0; i < FW; i++) {
        n += (size_t)sprintf(text + n, "node [ id %d ]\n", i);
        for (int j = 0; j < FW; j++)
            d[i][j] = i == j ? (struct naive){0, DC_ONE} : none;
    }
    for (int e = 0; e < 5 * FW; e++) {
        int u = e < FW ? e : (int)dc_next_below(&s, FW);
        int v = e < FW ? (e + 1) % FW : (int)dc_next_below(&s, FW);
        int ms = 1 + (int)dc_next_below(&s, 6), half = (int)dc_next_below(&s, 2);
        n += (size_t)sprintf(text + n,
                             "edge [ source %d target %d latency \"%d ms\" packet_loss %s ]\n", u,
                             v, ms, half ? "0.5" : "0");
        struct naive edge = {ms * 1000000, half ? DC_ONE / 2 : DC_ONE};
        if (u != v && naive_better(edge, d[u][v]))
            d[u][v] = edge;
        if (u != v && !directed && naive_better(edge, d[v][u]))
            d[v][u] = edge;
    }
    n += (size_t)sprintf(text + n, "]\n");
    for (int k = 0; k < FW; k++)
        for (int i = 0; i < FW; i++)
            for (int j = 0; j < FW; j++) {
                struct naive via = {d[i][k].latency_ns + d[k][j].latency_ns,
                                    dc_q31_mul(d[i][k].survive, d[k][j].survive)};
                if (i != j && naive_better(via, d[i][j]))
                    d[i][j] = via;
            }
    struct ds_net_topology t;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_topology_from_gml("fw", text, n, &t, &error), DC_OK);
    for (uint32_t i = 0; i < FW; i++)
        for (uint32_t j = 0; j < FW; j++) {
            if (i == j)
                continue;
            CU_ASSERT_EQUAL(ds_topology_pair(&t, i, j)->latency_ns, d[i][j].latency_ns);
            CU_ASSERT_EQUAL(ds_topology_pair(&t, i, j)->survive_q31, d[i][j].survive);
        }
    ds_topology_free(&t);
}

static void test_paths(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        against_naive(seed, false);
        against_naive(seed, true);
    }
}

static struct dc_dist constant(int64_t value)
{
    struct dc_dist d = {.min = value, .max = value};
    for (int i = 0; i <= DC_DIST_CELLS; i++)
        d.cell[i] = d.tail[i] = value;
    return d;
}

static void test_generate(void)
{
    struct dc_dist ten = constant(10000000);
    struct dc_error error = {0};
    struct ds_net_topology t;
    for (int kind = 0; kind < DS_NET_GRAPH_KINDS; kind++) {
        struct ds_net_graph spec = {(enum ds_net_graph_kind)kind, 120, 6, 0.1, 0.25, 5};
        CU_ASSERT_EQUAL_FATAL(ds_topology_generate(&spec, &ten, DC_ONE / 100, &t, &error), DC_OK);
        uint64_t digest = t.digest;
        for (uint32_t i = 0; i < 120; i++)
            for (uint32_t j = 0; j < 120; j++) {
                const struct ds_net_pair *p = ds_topology_pair(&t, i, j);
                CU_ASSERT_TRUE(p->latency_ns == ds_topology_pair(&t, j, i)->latency_ns);
                CU_ASSERT_TRUE(p->hops >= 1 && p->survive_q31 < DC_ONE);
                CU_ASSERT_TRUE(kind == DS_NET_GRAPH_GEOMETRIC
                                   ? p->latency_ns <= p->hops * (10000000 / 4 + 1)
                                   : p->latency_ns == p->hops * 10000000);
            }
        ds_topology_free(&t);
        CU_ASSERT_EQUAL_FATAL(ds_topology_generate(&spec, &ten, DC_ONE / 100, &t, &error), DC_OK);
        CU_ASSERT_EQUAL(t.digest, digest);
        ds_topology_free(&t);
    }
    CU_ASSERT_EQUAL_FATAL(ds_topology_uniform(10000000, &t, &error), DC_OK);
    CU_ASSERT_EQUAL(t.pair[0].latency_ns, 10000000);
    ds_topology_free(&t);
    struct ds_net_graph big = {DS_NET_GRAPH_K_REGULAR, 5000, 6, 0, 0, 5};
    CU_ASSERT_EQUAL(ds_topology_generate(&big, &ten, 0, &t, &error), DC_ERR_LIMIT);
    CU_ASSERT_EQUAL(ds_topology_uniform(-1, &t, &error), DC_ERR_USAGE);
}

static void test_out_of_memory(void)
{
    static const struct {
        const char *text;
        enum dc_status (*load)(const char *, const char *, size_t, struct ds_net_topology *,
                               struct dc_error *);
    } cases[] = {{csv_good, ds_topology_from_csv}, {gml_good, ds_topology_from_gml}};
    for (size_t i = 0; i < 2; i++) {
        enum dc_status status = DC_ERR_IO;
        uint64_t budget = 0;
        for (; status != DC_OK && budget < 50; budget++) {
            struct ds_net_topology t;
            struct dc_error error = {0};
            dc_mem_budget(budget);
            status = cases[i].load("m", cases[i].text, strlen(cases[i].text), &t, &error);
            CU_ASSERT_TRUE(status == DC_OK || (status == DC_ERR_IO && error.text[0] != '\0'));
            ds_topology_free(&t);
        }
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT_TRUE(budget > 4 && status == DC_OK);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"csv", test_csv},
        {"csv: refusals", test_csv_refusals},
        {"gml", test_gml},
        {"gml: directed, equal paths", test_gml_directed},
        {"gml: refusals", test_gml_refusals},
        {"mutated files", test_mutations},
        {"shortest paths against Floyd-Warshall", test_paths},
        {"generated", test_generate},
        {"out of memory", test_out_of_memory},
    };
    return TEST_MAIN("topology", cases);
}

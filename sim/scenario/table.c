/* The rows up to nodes; protocol, faults, record and expect are in table_protocol.c and
 * table_run.c.  To add a parameter: a field in its struct, a row here, and whoever uses it. */
#include "sim/scenario/table.h"

#include <stddef.h>
#include <string.h>

#define S(member) offsetof(struct ds_scenario, member)
#define G(member) offsetof(struct ds_group, member)
#define L(member) offsetof(struct ds_link_class, member)
#define BIT(x) (1u << (x))

#define POSITIVE                                                                                   \
    (BIT(DS_DIST_CONSTANT) | BIT(DS_DIST_UNIFORM) | BIT(DS_DIST_NORMAL) | BIT(DS_DIST_LOGNORMAL) | \
     BIT(DS_DIST_EXPONENTIAL) | BIT(DS_DIST_PARETO) | BIT(DS_DIST_WEIBULL))
#define SECOND 1e9
#define HOUR 3600e9
#define PIB 1125899906842624.0

static const struct ds_param rows_top[] = {
    {.path = "name", .type = DS_NAME, .flags = DS_REQUIRED, .offset = S(name),
     .meaning = "names the run and its results file"},
    {.path = "seed", .type = DS_COUNT64, .offset = S(seed), .fallback = "1", .max = 9e18,
     .meaning = "of every random draw; streams are keyed by (seed, identity, purpose)"},
    {.path = "duration", .type = DS_SPAN, .flags = DS_REQUIRED, .offset = S(duration_epochs),
     .count_offset = S(duration_ns), .min = 1, .max = 1e6,
     .meaning = "length of the run: `40 epochs`, or a virtual time such as `30 min`"},
    {.path = "max_time", .type = DS_AMOUNT, .dim = DS_DIM_TIME, .offset = S(max_time_ns),
     .fallback = "auto", .zero = "auto", .max = 8760 * HOUR,
     .meaning = "the run ends here at the latest; auto: 3 times the nominal length of `duration` in "
                "epochs, or `duration` itself"},
    {.path = "crypto", .type = DS_ENUM, .offset = S(crypto), .choices = ds_choices_crypto,
     .fallback = "real", .meaning = "signatures"},
    {.path = "memo", .type = DS_BOOL, .offset = S(memo), .choices = ds_choices_on, .fallback = "on",
     .meaning = "remember checks and executions process-wide; results are the same without"},

    {.path = "network", .type = DS_SECTION, .flags = DS_REQUIRED,
     .meaning = "the world's links; one of regions, graph, generate and latency says how far apart "
                "places are"},
    {.path = "network.regions", .type = DS_PATH, .flags = DS_OPTIONAL, .offset = S(network.regions),
     .meaning = "CSV file with a matrix of round-trip times in ms between named regions"},
    {.path = "network.graph", .type = DS_PATH, .flags = DS_OPTIONAL, .offset = S(network.graph),
     .meaning = "GML file with Shadow's attributes (latency, packet_loss, host_bandwidth_up, "
                "host_bandwidth_down)"},
    {.path = "network.latency", .type = DS_AMOUNT, .dim = DS_DIM_TIME, .flags = DS_OPTIONAL,
     .offset = S(network.latency_ns), .min = 1, .max = HOUR,
     .meaning = "the same one-way latency between any two nodes"},
    {.path = "network.generate", .type = DS_SECTION, .flags = DS_OPTIONAL,
     .count_offset = S(network.generate.given),
     .meaning = "a random graph of places; paths are the shortest"},
    {.path = "network.generate.kind", .type = DS_ENUM, .flags = DS_REQUIRED | DS_DECIDES,
     .offset = S(network.generate.kind), .choices = ds_choices_generate, .meaning = "its model"},
    {.path = "network.generate.nodes", .type = DS_COUNT, .flags = DS_REQUIRED,
     .offset = S(network.generate.nodes), .min = 2, .max = 4096, .meaning = "vertices"},
    {.path = "network.generate.k", .type = DS_COUNT, .offset = S(network.generate.degree),
     .fallback = "6", .min = 1, .max = 4095,
     .only = BIT(DS_GENERATE_K_REGULAR) | BIT(DS_GENERATE_WATTS_STROGATZ),
     .meaning = "neighbours of a vertex"},
    {.path = "network.generate.m", .type = DS_COUNT, .offset = S(network.generate.degree),
     .fallback = "3", .min = 1, .max = 4095, .only = BIT(DS_GENERATE_BARABASI_ALBERT),
     .meaning = "edges that a new vertex brings"},
    {.path = "network.generate.p", .type = DS_REAL, .dim = DS_DIM_SHARE,
     .offset = S(network.generate.p), .fallback = "0.1", .max = 1,
     .only = BIT(DS_GENERATE_WATTS_STROGATZ) | BIT(DS_GENERATE_ERDOS_RENYI),
     .meaning = "probability of rewiring (watts_strogatz) or of an edge (erdos_renyi)"},
    {.path = "network.generate.radius", .type = DS_REAL, .offset = S(network.generate.radius),
     .fallback = "0.2", .min = 1e-6, .max = 1.5, .only = BIT(DS_GENERATE_GEOMETRIC),
     .meaning = "vertices closer than this have an edge"},
    {.path = "network.generate.latency", .type = DS_DIST, .dim = DS_DIM_TIME,
     .offset = S(network.generate.latency), .fallback = "20 ms", .min = 1, .max = HOUR,
     .kinds = POSITIVE, .meaning = "one way, of an edge; geometric: of an edge of length 1"},
    {.path = "network.generate.loss", .type = DS_SHARE, .offset = S(network.generate.loss),
     .fallback = "0", .max = 0.999, .meaning = "share of messages lost on an edge"},
    {.path = "network.host_delay", .type = DS_AMOUNT, .dim = DS_DIM_TIME,
     .offset = S(network.host_delay_ns), .fallback = "1 ms", .min = 1000, .max = SECOND,
     .meaning = "kernel, NIC and scheduling at both ends: a floor under every message's delay"},
    {.path = "network.jitter", .type = DS_DIST, .dim = DS_DIM_NUMBER, .offset = S(network.jitter),
     .fallback = "lognormal(0.016)", .max = 1000, .kinds = POSITIVE | BIT(DS_DIST_NONE),
     .meaning = "factor on a path's latency, drawn for every message"},
    {.path = "network.loss", .type = DS_SHARE, .offset = S(network.loss), .fallback = "0", .max = 1,
     .meaning = "share of all messages lost, beside what edges, links and faults lose"},
    {.path = "network.bandwidth", .type = DS_SECTION, .flags = DS_EACH,
     .meaning = "of every node's link; one value stands for both directions"},
    {.path = "network.bandwidth.up", .type = DS_AMOUNT, .dim = DS_DIM_BANDWIDTH,
     .offset = S(network.bandwidth_up), .fallback = "100 Mbit", .zero = "unlimited", .max = 1e12,
     .meaning = "of the uplink, a queue"},
    {.path = "network.bandwidth.down", .type = DS_AMOUNT, .dim = DS_DIM_BANDWIDTH,
     .offset = S(network.bandwidth_down), .fallback = "100 Mbit", .zero = "unlimited", .max = 1e12,
     .meaning = "of the downlink, a queue"},
    {.path = "network.queue_max", .type = DS_AMOUNT, .dim = DS_DIM_TIME,
     .offset = S(network.queue_max_ns), .fallback = "unlimited", .zero = "unlimited", .max = HOUR,
     .meaning = "a message that would wait longer in an uplink or downlink is dropped"},
    {.path = "network.overlay", .type = DS_SECTION, .meaning = "who gossips with whom"},
    {.path = "network.overlay.kind", .type = DS_ENUM, .flags = DS_DECIDES,
     .offset = S(network.overlay.kind), .choices = ds_choices_overlay, .fallback = "k_regular",
     .meaning = "model of the random graph over all nodes"},
    {.path = "network.overlay.degree", .type = DS_COUNT, .offset = S(network.overlay.degree),
     .fallback = "8", .min = 1, .max = 4095,
     .meaning = "neighbours of a node; number of nodes - 1 or more: everybody"},
    {.path = "network.overlay.p", .type = DS_REAL, .dim = DS_DIM_SHARE,
     .offset = S(network.overlay.p), .fallback = "0.1", .max = 1,
     .only = BIT(DS_GENERATE_WATTS_STROGATZ), .meaning = "probability of rewiring"},

    {.path = "cpu", .type = DS_SECTION, .count_offset = S(cpu.none), .zero = "none",
     .meaning = "virtual processors; `none`: work takes no time"},
    {.path = "cpu.cores", .type = DS_COUNT, .offset = S(cpu.cores), .fallback = "4", .min = 1,
     .max = 1024, .meaning = "of a node"},
    {.path = "cpu.speed", .type = DS_REAL, .offset = S(cpu.speed), .fallback = "1", .min = 1e-3,
     .max = 1e3, .meaning = "1 is the machine on which the table of costs was measured"},
};

#define SERVICE BIT(DS_ROLE_SERVICE)
#define CLIENT BIT(DS_ROLE_CLIENT)
#define STAKED (BIT(DS_ROLE_VALIDATOR) | SERVICE)

static const struct ds_param rows_nodes[] = {
    {.path = "nodes", .type = DS_LIST, .flags = DS_REQUIRED, .offset = S(groups),
     .count_offset = S(groups_count), .size = sizeof(struct ds_group), .min = 1, .max = 1000,
     .meaning = "groups of nodes"},
    {.path = "nodes[].name", .type = DS_NAME, .flags = DS_REQUIRED, .offset = G(name),
     .meaning = "of the group; a node is NAME[index], and its random streams are keyed by that"},
    {.path = "nodes[].role", .type = DS_ENUM, .flags = DS_REQUIRED | DS_DECIDES, .offset = G(role),
     .choices = ds_choices_role, .meaning = "what its nodes are"},
    {.path = "nodes[].service", .type = DS_ENUM, .offset = G(service),
     .choices = ds_choices_service, .fallback = "storage", .only = SERVICE,
     .meaning = "what they offer"},
    {.path = "nodes[].count", .type = DS_COUNT, .flags = DS_REQUIRED, .offset = G(count),
     .max = 4194304, .meaning = "number of nodes"},
    {.path = "nodes[].bond", .type = DS_DIST, .dim = DS_DIM_MONEY, .offset = G(bond),
     .fallback = "auto", .max = 1e18, .kinds = POSITIVE | BIT(DS_DIST_AUTO), .only = STAKED,
     .meaning = "stake at genesis; auto: the least that the role needs and that covers the "
                "declared capacity"},
    {.path = "nodes[].capacity", .type = DS_DIST, .dim = DS_DIM_SIZE, .offset = G(capacity),
     .fallback = "1 TiB", .min = 1 << 20, .max = PIB, .kinds = POSITIVE, .only = SERVICE,
     .meaning = "declared storage of a node"},
    {.path = "nodes[].utilisation", .type = DS_DIST, .dim = DS_DIM_SHARE, .offset = G(utilisation),
     .fallback = "beta(2, 3)", .max = 1, .only = SERVICE,
     .kinds = BIT(DS_DIST_CONSTANT) | BIT(DS_DIST_UNIFORM) | BIT(DS_DIST_BETA),
     .meaning = "share of a node's capacity that paid deals occupy at genesis"},
    {.path = "nodes[].strategy", .type = DS_MIX, .offset = G(mix), .count_offset = G(mix_count),
     .fallback = "honest", .only = STAKED, .choices = ds_choices_strategy,
     .meaning = "one strategy, or strategies with weights; partial(f) lacks the fraction f"},
    {.path = "nodes[].place", .type = DS_WEIGHTS, .offset = G(place), .count_offset = G(place_count),
     .fallback = "everywhere",
     .meaning = "regions (or vertices of the graph) with weights, `PREFIX*` for several; "
                "everywhere: all alike"},
    {.path = "nodes[].links", .type = DS_LIST, .offset = G(links), .count_offset = G(links_count),
     .size = sizeof(struct ds_link_class), .max = 64,
     .meaning = "classes of link quality among the group's nodes; none: links lose nothing"},
    {.path = "nodes[].links[].share", .type = DS_REAL, .dim = DS_DIM_SHARE, .flags = DS_REQUIRED,
     .offset = L(share), .max = 1e6, .meaning = "weight of the class"},
    {.path = "nodes[].links[].loss", .type = DS_SHARE, .flags = DS_REQUIRED, .offset = L(loss),
     .max = 1, .meaning = "share lost of what such a node sends"},
    {.path = "nodes[].demand", .type = DS_SECTION, .only = CLIENT,
     .meaning = "what clients ask for, open loop"},
    {.path = "nodes[].demand.arrivals", .type = DS_DIST, .dim = DS_DIM_RATE,
     .offset = G(demand.arrivals), .fallback = "poisson(0.2 /s)", .max = 1e6,
     .kinds = BIT(DS_DIST_NONE) | BIT(DS_DIST_POISSON), .meaning = "requests of one client"},
    {.path = "nodes[].demand.popularity", .type = DS_DIST, .dim = DS_DIM_NUMBER,
     .offset = G(demand.popularity), .fallback = "zipf(1.1)", .max = 10, .kinds = BIT(DS_DIST_ZIPF),
     .meaning = "of objects, by rank; zipf(0) is uniform"},
    {.path = "nodes[].demand.objects", .type = DS_COUNT, .offset = G(demand.objects),
     .fallback = "1000", .min = 1, .max = 4194304,
     .meaning = "in the group's catalogue at the start"},
    {.path = "nodes[].demand.object_size", .type = DS_DIST, .dim = DS_DIM_SIZE,
     .offset = G(demand.object_size), .fallback = "lognormal(64 KiB, 1)", .min = 1,
     .max = 1 << 30, .kinds = POSITIVE, .meaning = "of what is put"},
    {.path = "nodes[].demand.put_share", .type = DS_SHARE, .offset = G(demand.put_share),
     .fallback = "0.1", .max = 1, .meaning = "share of requests that put; the rest get"},
    {.path = "nodes[].demand.replicas", .type = DS_COUNT, .offset = G(demand.replicas),
     .fallback = "3", .min = 1, .max = 16, .meaning = "holders of an object"},
    {.path = "nodes[].demand.deal_epochs", .type = DS_COUNT, .offset = G(demand.deal_epochs),
     .fallback = "20", .min = 1, .max = 1e6, .meaning = "a put pays for so many epochs"},
    {.path = "nodes[].demand.timeout", .type = DS_AMOUNT, .dim = DS_DIM_TIME,
     .offset = G(demand.timeout_ns), .fallback = "5 s", .min = 1e6, .max = HOUR,
     .meaning = "a request without an answer goes to another holder"},
    {.path = "nodes[].demand.retries", .type = DS_COUNT, .offset = G(demand.retries),
     .fallback = "2", .max = 16, .meaning = "before a request has failed"},
};

static const struct {
    const struct ds_param *rows;
    const size_t *count;
    size_t fixed;
} table_blocks[] = {
    {rows_top, NULL, sizeof rows_top / sizeof rows_top[0]},
    {rows_nodes, NULL, sizeof rows_nodes / sizeof rows_nodes[0]},
    {ds_rows_protocol, &ds_rows_protocol_count, 0},
    {ds_rows_run, &ds_rows_run_count, 0},
};
#define TABLE_BLOCKS (sizeof table_blocks / sizeof table_blocks[0])

static size_t table_block_count(size_t i)
{
    return table_blocks[i].count != NULL ? *table_blocks[i].count : table_blocks[i].fixed;
}

size_t ds_params_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < TABLE_BLOCKS; i++)
        count += table_block_count(i);
    return count;
}

const struct ds_param *ds_param_at(size_t n)
{
    for (size_t i = 0; i < TABLE_BLOCKS; i++) {
        if (n < table_block_count(i))
            return &table_blocks[i].rows[n];
        n -= table_block_count(i);
    }
    return NULL;
}

const struct ds_param *ds_param_find(const char *path, size_t size)
{
    const struct ds_param *row;
    for (size_t n = 0; (row = ds_param_at(n)) != NULL; n++)
        if (strlen(row->path) == size && memcmp(row->path, path, size) == 0)
            return row;
    return NULL;
}

const char *ds_param_name(const struct ds_param *row)
{
    const char *dot = strrchr(row->path, '.');
    return dot != NULL ? dot + 1 : row->path;
}

const struct ds_param *ds_param_next(const char *path, size_t *cursor)
{
    size_t size = strlen(path);
    const struct ds_param *row;
    while ((row = ds_param_at(*cursor)) != NULL) {
        ++*cursor;
        size_t parent = (size_t)(ds_param_name(row) - row->path);
        if (parent == size + (size > 0) && memcmp(row->path, path, size) == 0)
            return row;
    }
    return NULL;
}

const struct ds_param *ds_param_decider(const char *path)
{
    size_t cursor = 0;
    const struct ds_param *row;
    while ((row = ds_param_next(path, &cursor)) != NULL)
        if ((row->flags & DS_DECIDES) != 0)
            return row;
    return NULL;
}

const struct ds_choice *ds_choice_of(const struct ds_choice *choices, uint32_t value)
{
    for (; choices->name != NULL; choices++)
        if (choices->value == value)
            return choices;
    return NULL;
}

const char *ds_choice_name(const struct ds_choice *choices, uint32_t value)
{
    const struct ds_choice *c = ds_choice_of(choices, value);
    return c != NULL ? c->name : "?";
}

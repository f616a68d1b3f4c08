/* Sending and receiving (the drawing stands in link.h).  Everything that a message needs is worked
 * out from four rows: its source's and destination's host, the pair of their places, and the
 * source's own row; 25 to 37 ns, of which the Philox block is about 15. */
#include "sim/net/link.h"

#include "models/base/fixed.h"
#include "models/base/mem.h"
#include "models/base/rng.h"

#include <string.h>

/* What every shard reads of a node: one cache line, fixed between barriers.  up_inverse is
 * floor(2^64 / bps): a division by multiplication that one correction makes exact. */
struct net_host {
    uint64_t key;      /* of this node's draws as a source, from (seed, identity) */
    uint64_t identity; /* as a destination: half of a draw's counter */
    uint64_t up_bps, up_inverse;
    uint64_t down_bps, down_inverse;
    uint32_t place;
    uint32_t survive_up_q31, survive_down_q31;
    uint32_t access_ns; /* last mile */
};

/* Faults' words, apart from the hosts so that they are not touched while none is in force. */
struct net_masks {
    uint64_t groups;             /* byte p: the group in partition p */
    uint64_t rule_src, rule_dst; /* bit r: in that set of rule r */
};

struct net_row {
    int64_t uplink_free_ns, downlink_free_ns;
    uint32_t ordinal[]; /* [kinds] */
};

struct ds_net {
    const struct ds_net_topology *topology;
    const struct dc_dist *jitter;
    uint32_t count, kinds;
    uint32_t survive_q31;
    int64_t host_delay_ns, queue_max_ns;
    int64_t base_min_ns; /* over pairs of places that have nodes */
    size_t row_bytes;
    struct net_host *host;
    uint8_t *rows;
    struct net_masks *mask;
    bool chance;         /* some draw can matter: loss somewhere, or jitter */
    bool faulty;         /* a partition or a rule is in force */
    uint32_t partitions; /* bit p */
    uint64_t rules;      /* bit r */
    uint64_t rules_both; /* bit r: also from dst to src */
    struct ds_net_rule rule[DS_NET_RULES_MAX];
    int64_t lookahead_ns;
};

/* Set-up. */

static struct net_row *net_row(const struct ds_net *net, uint32_t node)
{
    return (struct net_row *)(void *)(net->rows + node * net->row_bytes);
}

static int64_t net_scale_q16(int64_t value, uint32_t q16)
{
    __int128 r = (__int128)value * q16 >> 16;
    return r > 4 * DS_TOPOLOGY_LATENCY_MAX_NS ? 4 * DS_TOPOLOGY_LATENCY_MAX_NS : (int64_t)r;
}

/* The base could be smaller under rules that speed links up; those that add are ignored. */
static void net_find_lookahead(struct ds_net *net)
{
    int64_t least = net->base_min_ns;
    for (uint32_t r = 0; r < DS_NET_RULES_MAX; r++)
        if ((net->rules >> r & 1) != 0 && net->rule[r].latency_factor_q16 < DS_NET_Q16_ONE)
            least = net_scale_q16(least, net->rule[r].latency_factor_q16);
    if (net->jitter != NULL)
        least = (int64_t)((__int128)least * net->jitter->min >> 20);
    net->lookahead_ns = least > net->host_delay_ns ? least : net->host_delay_ns;
    net->faulty = net->partitions != 0 || net->rules != 0;
}

/* Least latency between places that hold nodes; a place's own path counts, since two of its nodes
 * may talk. */
static enum dc_status net_find_base_min(struct ds_net *net, struct dc_error *error)
{
    const uint32_t places = net->topology->places;
    uint8_t *used = dc_mem_alloc(places, 1);
    if (used == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for the network");
    for (uint32_t i = 0; i < net->count; i++)
        used[net->host[i].place] = 1;
    net->base_min_ns = INT64_MAX;
    for (uint32_t a = 0; a < places; a++)
        for (uint32_t b = 0; b < places && used[a]; b++) {
            const struct ds_net_pair *pair = ds_topology_pair(net->topology, a, b);
            if (used[b] && pair->latency_ns < net->base_min_ns)
                net->base_min_ns = pair->latency_ns;
            if (used[b] && pair->survive_q31 != DC_ONE)
                net->chance = true;
        }
    if (net->count == 0)
        net->base_min_ns = 0;
    dc_mem_free(used);
    return DC_OK;
}

static uint64_t net_inverse(int64_t bps)
{
    return bps > 1 ? (uint64_t)(((unsigned __int128)1 << 64) / (uint64_t)bps) : UINT64_MAX;
}

static enum dc_status net_add_host(struct ds_net *net, const struct ds_net_config *config,
                                   const struct ds_net_host *h, uint32_t i, struct dc_error *error)
{
    if (h->place >= config->topology->places)
        return dc_error_set(error, DC_ERR_USAGE, "node %u stands at place %u of %u", i, h->place,
                            config->topology->places);
    if (h->loss_up_q31 > DC_ONE || h->loss_down_q31 > DC_ONE)
        return dc_error_set(error, DC_ERR_USAGE, "node %u has a loss above 1", i);
    if (h->up_bps < 0 || h->up_bps > DS_NET_BPS_MAX || h->down_bps < 0 ||
        h->down_bps > DS_NET_BPS_MAX)
        return dc_error_set(error, DC_ERR_USAGE,
                            "node %u has a bandwidth out of range (1 bit/s to 1 Tbit/s, or 0)", i);
    if (h->access_ns < 0 || h->access_ns > DS_NET_ACCESS_MAX_NS)
        return dc_error_set(error, DC_ERR_USAGE, "node %u has an access delay above 4 s", i);
    net->host[i] = (struct net_host){
        .key = dc_stream(config->seed, h->identity, dc_name("link")).key,
        .identity = h->identity,
        .up_bps = (uint64_t)h->up_bps,
        .up_inverse = net_inverse(h->up_bps),
        .down_bps = (uint64_t)h->down_bps,
        .down_inverse = net_inverse(h->down_bps),
        .place = h->place,
        .survive_up_q31 = DC_ONE - h->loss_up_q31,
        .survive_down_q31 = DC_ONE - h->loss_down_q31,
        .access_ns = (uint32_t)h->access_ns,
    };
    if (h->loss_up_q31 != 0 || h->loss_down_q31 != 0)
        net->chance = true;
    return DC_OK;
}

static enum dc_status net_check(const struct ds_net_config *c, struct dc_error *error)
{
    if (c->kinds == 0 || c->kinds > DS_NET_KINDS_MAX)
        return dc_error_set(error, DC_ERR_USAGE, "network: %u kinds of messages (1 to %d)",
                            c->kinds, DS_NET_KINDS_MAX);
    if (c->host_delay_ns < 1 || c->host_delay_ns > DS_TOPOLOGY_LATENCY_MAX_NS)
        return dc_error_set(error, DC_ERR_USAGE, "network.host_delay: %lld ns; use 1 ns to 1 h",
                            (long long)c->host_delay_ns);
    if (c->queue_max_ns < 0 || c->loss_q31 > DC_ONE)
        return dc_error_set(error, DC_ERR_USAGE, "network: queue limit or loss out of range");
    if (c->jitter != NULL &&
        (c->jitter->min < 0 || c->jitter->max > (int64_t)1000 * DS_NET_JITTER_ONE))
        return dc_error_set(error, DC_ERR_USAGE,
                            "network.jitter: a factor below 0 or above 1000 can come out; use a "
                            "narrower distribution");
    return DC_OK;
}

static enum dc_status net_fill(struct ds_net *net, const struct ds_net_config *config,
                               const struct ds_net_host *hosts, struct dc_error *error)
{
    net->host = dc_mem_pages(net->count * sizeof(*net->host) + 1);
    net->rows = dc_mem_pages(net->count * net->row_bytes + 1);
    net->mask = dc_mem_alloc(net->count, sizeof(*net->mask));
    if (net->host == NULL || net->rows == NULL || net->mask == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for a network of %u nodes",
                            net->count);
    memset(net->rows, 0, net->count * net->row_bytes);
    for (uint32_t i = 0; i < net->count; i++) {
        enum dc_status status = net_add_host(net, config, &hosts[i], i, error);
        if (status != DC_OK)
            return status;
        ds_net_reset_queues(net, i);
    }
    enum dc_status status = net_find_base_min(net, error);
    if (status == DC_OK)
        net_find_lookahead(net);
    return status;
}

enum dc_status ds_net_create(const struct ds_net_config *config, const struct ds_net_host *hosts,
                             uint32_t count, struct ds_net **out, struct dc_error *error)
{
    *out = NULL;
    enum dc_status status = net_check(config, error);
    if (status != DC_OK)
        return status;
    struct ds_net *net = dc_mem_alloc(1, sizeof(*net));
    if (net == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for the network");
    net->topology = config->topology;
    net->jitter = config->jitter;
    net->count = count;
    net->kinds = config->kinds;
    net->survive_q31 = DC_ONE - config->loss_q31;
    net->host_delay_ns = config->host_delay_ns;
    net->queue_max_ns = config->queue_max_ns > 0 ? config->queue_max_ns : INT64_MAX;
    net->chance = config->loss_q31 != 0 || config->jitter != NULL;
    net->row_bytes = (sizeof(struct net_row) + config->kinds * sizeof(uint32_t) + 63) / 64 * 64;
    status = net_fill(net, config, hosts, error);
    if (status != DC_OK) {
        ds_net_free(net);
        return status;
    }
    *out = net;
    return DC_OK;
}

void ds_net_free(struct ds_net *net)
{
    if (net == NULL)
        return;
    dc_mem_free(net->host);
    dc_mem_free(net->rows);
    dc_mem_free(net->mask);
    dc_mem_free(net);
}

/* The path of one message. */

/* No transmission takes longer, and no queue is free later: so that sums stay in 64 bits. */
#define NET_UPLINK_MAX_NS (1LL << 55) /* 417 days */
#define NET_TIME_MAX_NS (1LL << 61)

static inline int64_t net_at_most(int64_t value, int64_t max)
{
    return value < max ? value : max;
}

/* ceil(bytes * 8e9 / bps) ns, exactly.  bytes < 2^30, so that the product stays below 2^63. */
static inline int64_t net_serialise_ns(uint64_t bytes, uint64_t bps, uint64_t inverse)
{
    uint64_t n = bytes * 8000000000u;
    uint64_t q = (uint64_t)((unsigned __int128)n * inverse >> 64);
    uint64_t rest = n - q * bps;
    while (rest >= bps) { /* the inverse was rounded down: at most twice */
        rest -= bps;
        q++;
    }
    return net_at_most((int64_t)(q + (rest != 0)), NET_UPLINK_MAX_NS);
}

/* Under every rule that holds for this pair. */
struct net_path {
    int64_t latency_ns;
    uint32_t survive_q31;
    uint32_t bandwidth_q16; /* of the uplink; never 0 */
};

static uint64_t net_rules_of(const struct ds_net *net, uint32_t src, uint32_t dst)
{
    const struct net_masks *s = &net->mask[src], *d = &net->mask[dst];
    return net->rules &
           ((s->rule_src & d->rule_dst) | (net->rules_both & s->rule_dst & d->rule_src));
}

static void net_apply_rules(const struct ds_net *net, uint64_t rules, struct net_path *path)
{
    for (; rules != 0; rules &= rules - 1) {
        const struct ds_net_rule *r = &net->rule[__builtin_ctzll(rules)];
        path->latency_ns =
            net_scale_q16(path->latency_ns, r->latency_factor_q16) + r->latency_add_ns;
        path->survive_q31 = dc_q31_mul(path->survive_q31, DC_ONE - r->loss_q31);
        uint64_t bandwidth = (uint64_t)path->bandwidth_q16 * r->bandwidth_factor_q16 >> 16;
        path->bandwidth_q16 = bandwidth == 0           ? 1
                              : bandwidth > UINT32_MAX ? UINT32_MAX
                                                       : (uint32_t)bandwidth;
    }
}

static int64_t net_slower_ns(int64_t uplink_ns, uint32_t bandwidth_q16)
{
    __int128 r = ((__int128)uplink_ns << 16) / bandwidth_q16;
    return r < NET_UPLINK_MAX_NS ? (int64_t)r : NET_UPLINK_MAX_NS;
}

static inline struct ds_delivery net_drop(struct ds_net_kind_stats *stats,
                                          enum ds_net_outcome outcome)
{
    stats->outcome[outcome]++;
    return (struct ds_delivery){0, outcome};
}

/* One message whose size on the wire and unhindered uplink time are known. */
static inline struct ds_delivery net_send_one(struct ds_net *net, struct ds_net_kind_stats *stats,
                                              uint32_t src, uint32_t dst, uint32_t kind,
                                              uint64_t bytes, int64_t uplink_ns, int64_t now_ns)
{
    const struct net_host *s = &net->host[src], *d = &net->host[dst];
    struct net_row *row = net_row(net, src);
    const struct ds_net_pair *pair = ds_topology_pair(net->topology, s->place, d->place);
    struct net_path path = {pair->latency_ns, pair->survive_q31, DS_NET_Q16_ONE};
    const uint32_t ordinal = row->ordinal[kind]++;
    bool cut = false, chance = net->chance;
    stats->messages++;
    stats->bytes += bytes;
    if (__builtin_expect(net->faulty, 0)) {
        cut = net->mask[src].groups != net->mask[dst].groups;
        net_apply_rules(net, net_rules_of(net, src, dst), &path);
        chance = true;
        if (path.bandwidth_q16 != DS_NET_Q16_ONE)
            uplink_ns = net_slower_ns(uplink_ns, path.bandwidth_q16);
    }
    int64_t leaves_ns = now_ns;
    if (s->up_bps != 0) {
        int64_t wait_ns = row->uplink_free_ns > now_ns ? row->uplink_free_ns - now_ns : 0;
        if (wait_ns > net->queue_max_ns)
            return net_drop(stats, DS_NET_UPLINK_FULL);
        leaves_ns = net_at_most(now_ns + wait_ns + uplink_ns, NET_TIME_MAX_NS);
        row->uplink_free_ns = leaves_ns;
        stats->uplink_wait_ns += (uint64_t)wait_ns;
    }
    if (cut)
        return net_drop(stats, DS_NET_CUT);
    if (chance) {
        uint32_t ctr[4] = {ordinal, kind, (uint32_t)d->identity, (uint32_t)(d->identity >> 32)};
        uint32_t key[2] = {(uint32_t)s->key, (uint32_t)(s->key >> 32)};
        uint32_t luck[4];
        dc_philox(ctr, key, luck);
        uint32_t survive = dc_q31_mul(dc_q31_mul(path.survive_q31, net->survive_q31),
                                      dc_q31_mul(s->survive_up_q31, d->survive_down_q31));
        if (luck[2] >> 1 >= survive)
            return net_drop(stats, DS_NET_LOST);
        if (net->jitter != NULL) {
            int64_t factor = dc_dist_at(net->jitter, (uint64_t)luck[1] << 32 | luck[0]);
            path.latency_ns = (int64_t)((__int128)path.latency_ns * factor >> 20);
        }
    }
    if (path.latency_ns < net->host_delay_ns)
        path.latency_ns = net->host_delay_ns;
    int64_t arrival_ns =
        leaves_ns + path.latency_ns + ((int64_t)s->access_ns + (int64_t)d->access_ns);
    if (d->down_bps != 0 && (s->up_bps == 0 || d->down_bps < s->up_bps)) {
        int64_t downlink_ns = net_serialise_ns(bytes, d->down_bps, d->down_inverse);
        int64_t sent_in_ns = s->up_bps == 0 ? 0 : uplink_ns;
        arrival_ns += downlink_ns > sent_in_ns ? downlink_ns - sent_in_ns : 0;
    }
    stats->outcome[DS_NET_SENT]++;
    dc_histogram_add(&stats->delay_ns, arrival_ns - now_ns);
    return (struct ds_delivery){arrival_ns, DS_NET_SENT};
}

void ds_net_send_many(struct ds_net *net, struct ds_net_stats *stats, uint32_t src,
                      const uint32_t *dst, uint32_t count, uint32_t kind, uint32_t size_bytes,
                      int64_t now_ns, struct ds_delivery *out)
{
    DC_CHECK(src < net->count && kind < net->kinds && size_bytes <= DS_NET_SIZE_MAX);
    const struct net_host *s = &net->host[src];
    const uint64_t bytes = ds_net_wire_bytes(size_bytes);
    int64_t uplink_ns = s->up_bps != 0 ? net_serialise_ns(bytes, s->up_bps, s->up_inverse) : 0;
    for (uint32_t i = 0; i < count; i++) {
        DC_CHECK(dst[i] < net->count);
        out[i] = net_send_one(net, &stats->kind[kind], src, dst[i], kind, bytes, uplink_ns, now_ns);
    }
}

struct ds_delivery ds_net_send(struct ds_net *net, struct ds_net_stats *stats, uint32_t src,
                               uint32_t dst, uint32_t kind, uint32_t size_bytes, int64_t now_ns)
{
    struct ds_delivery out;
    ds_net_send_many(net, stats, src, &dst, 1, kind, size_bytes, now_ns, &out);
    return out;
}

int64_t ds_net_receive(struct ds_net *net, struct ds_net_stats *stats, uint32_t dst, uint32_t kind,
                       uint32_t size_bytes, int64_t arrival_ns)
{
    DC_CHECK(dst < net->count && kind < net->kinds && size_bytes <= DS_NET_SIZE_MAX);
    const struct net_host *d = &net->host[dst];
    if (d->down_bps == 0)
        return arrival_ns;
    struct net_row *row = net_row(net, dst);
    const int64_t downlink_ns =
        net_serialise_ns(ds_net_wire_bytes(size_bytes), d->down_bps, d->down_inverse);
    /* Its bits came in while the path brought them, unless others were being delivered then. */
    int64_t done_ns = net_at_most(row->downlink_free_ns + downlink_ns, NET_TIME_MAX_NS);
    if (done_ns < arrival_ns)
        done_ns = arrival_ns;
    if (done_ns - arrival_ns > net->queue_max_ns) {
        stats->kind[kind].outcome[DS_NET_DOWNLINK_FULL]++;
        return -1;
    }
    row->downlink_free_ns = done_ns;
    stats->kind[kind].downlink_wait_ns += (uint64_t)(done_ns - arrival_ns);
    return done_ns;
}

int64_t ds_net_lookahead(const struct ds_net *net)
{
    return net->lookahead_ns;
}

int64_t ds_net_latency(const struct ds_net *net, uint32_t src, uint32_t dst)
{
    DC_CHECK(src < net->count && dst < net->count);
    const struct ds_net_pair *pair =
        ds_topology_pair(net->topology, net->host[src].place, net->host[dst].place);
    struct net_path path = {pair->latency_ns, pair->survive_q31, DS_NET_Q16_ONE};
    net_apply_rules(net, net_rules_of(net, src, dst), &path);
    int64_t latency_ns =
        path.latency_ns > net->host_delay_ns ? path.latency_ns : net->host_delay_ns;
    return latency_ns + net->host[src].access_ns + net->host[dst].access_ns;
}

void ds_net_reset_queues(struct ds_net *net, uint32_t node)
{
    DC_CHECK(node < net->count);
    struct net_row *row = net_row(net, node);
    row->uplink_free_ns = 0;
    row->downlink_free_ns = INT64_MIN / 2; /* so that the first message's bits were never late */
}

/* Faults. */

enum dc_status ds_net_partition_begin(struct ds_net *net, const uint8_t *groups, uint32_t *handle,
                                      struct dc_error *error)
{
    uint32_t p = 0;
    while (p < DS_NET_PARTITIONS_MAX && (net->partitions >> p & 1) != 0)
        p++;
    if (p == DS_NET_PARTITIONS_MAX)
        return dc_error_set(error, DC_ERR_LIMIT,
                            "faults: more than %d partitions are in force at the same time",
                            DS_NET_PARTITIONS_MAX);
    for (uint32_t i = 0; i < net->count; i++)
        net->mask[i].groups |= (uint64_t)groups[i] << 8 * p;
    net->partitions |= 1u << p;
    net_find_lookahead(net);
    *handle = p;
    return DC_OK;
}

void ds_net_partition_end(struct ds_net *net, uint32_t handle)
{
    DC_CHECK(handle < DS_NET_PARTITIONS_MAX && (net->partitions >> handle & 1) != 0);
    for (uint32_t i = 0; i < net->count; i++)
        net->mask[i].groups &= ~(0xffull << 8 * handle);
    net->partitions &= ~(1u << handle);
    net_find_lookahead(net);
}

enum dc_status ds_net_rule_begin(struct ds_net *net, const struct ds_net_rule *rule,
                                 uint32_t *handle, struct dc_error *error)
{
    if (rule->latency_add_ns < 0 || rule->latency_add_ns > DS_TOPOLOGY_LATENCY_MAX_NS ||
        rule->bandwidth_factor_q16 == 0 || rule->loss_q31 > DC_ONE)
        return dc_error_set(error, DC_ERR_USAGE,
                            "faults: a change of links with a negative delay, no bandwidth at "
                            "all, or a loss above 1");
    if (net->rules == UINT64_MAX)
        return dc_error_set(error, DC_ERR_LIMIT,
                            "faults: more than %d changes of links are in force at the same time",
                            DS_NET_RULES_MAX);
    uint32_t r = (uint32_t)__builtin_ctzll(~net->rules);
    uint64_t bit = 1ull << r;
    for (uint32_t i = 0; i < net->count; i++) {
        if (rule->src == NULL || (rule->src[i / 64] >> (i & 63) & 1) != 0)
            net->mask[i].rule_src |= bit;
        if (rule->dst == NULL || (rule->dst[i / 64] >> (i & 63) & 1) != 0)
            net->mask[i].rule_dst |= bit;
    }
    net->rule[r] = *rule;
    net->rule[r].src = net->rule[r].dst = NULL;
    net->rules |= bit;
    net->rules_both = rule->both_ways ? net->rules_both | bit : net->rules_both & ~bit;
    net_find_lookahead(net);
    *handle = r;
    return DC_OK;
}

void ds_net_rule_end(struct ds_net *net, uint32_t handle)
{
    DC_CHECK(handle < DS_NET_RULES_MAX && (net->rules >> handle & 1) != 0);
    uint64_t bit = 1ull << handle;
    for (uint32_t i = 0; i < net->count; i++) {
        net->mask[i].rule_src &= ~bit;
        net->mask[i].rule_dst &= ~bit;
    }
    net->rules &= ~bit;
    net_find_lookahead(net);
}

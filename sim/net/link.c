/* Sending and receiving (the drawing stands in link.h).  Everything that a message needs is worked
 * out from four rows: its source's and destination's host, the pair of their places, and the
 * source's own row; 25 to 37 ns, of which the Philox block is about 15.  What faults do to it stands
 * in disturb.c, and net_send_one is compiled twice, so that without faults none of it is there. */
#include "models/base/mem.h"
#include "sim/net/inside.h"

#include <string.h>

/* Set-up. */

static struct net_row *net_row(const struct ds_net *net, uint32_t node)
{
    return (struct net_row *)(void *)(net->rows + node * net->row_bytes);
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
        ds_net_find_lookahead(net);
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
    net->seed = config->seed;
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

void ds_net_turn(struct ds_net *net, uint64_t key)
{
    for (uint32_t i = 0; i < net->count; i++)
        net->host[i].key = dc_mix64(net->host[i].key ^ key);
}

void ds_net_free(struct ds_net *net)
{
    if (net == NULL)
        return;
    ds_net_faults_free(net);
    dc_mem_free(net->host);
    dc_mem_free(net->rows);
    dc_mem_free(net->mask);
    dc_mem_free(net);
}

/* The path of one message. */

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

static int64_t net_slower_ns(int64_t uplink_ns, uint32_t bandwidth_q16)
{
    __int128 r = ((__int128)uplink_ns << 16) / bandwidth_q16;
    return r < NET_UPLINK_MAX_NS ? (int64_t)r : NET_UPLINK_MAX_NS;
}

static inline void net_drop(struct ds_net_kind_stats *stats, enum ds_net_outcome outcome,
                            struct ds_delivery *out)
{
    stats->outcome[outcome]++;
    *out = (struct ds_delivery){.outcome = outcome};
}

/* A held message goes on when the hold ends, behind those of its sender that wait already. */
static int64_t net_hold(struct ds_net_kind_stats *stats, const struct net_rule *clog, uint32_t src,
                        int64_t leaves_ns)
{
    if (leaves_ns >= clog->spec.hold_until_ns)
        return leaves_ns;
    stats->held++;
    return clog->spec.hold_until_ns + clog->sender[src].held++;
}

static void net_copies(struct ds_net_kind_stats *stats, const struct net_disturbance *x,
                       struct ds_delivery *out)
{
    if (x->copy_ns != 0)
        out->copy_ns = out->arrival_ns + x->copy_ns;
    if (x->replay_ns != 0)
        out->replay_ns = out->arrival_ns + x->replay_ns;
    out->mangle = x->mangle;
    stats->duplicated += x->copy_ns != 0;
    stats->replayed += x->replay_ns != 0;
    stats->corrupted += x->mangle != 0;
}

/* One message whose size on the wire and unhindered uplink time are known.  faulty is a constant. */
static inline __attribute__((always_inline)) void net_send_one(
    struct ds_net *net, struct ds_net_kind_stats *stats, uint32_t src, uint32_t dst, uint32_t kind,
    uint64_t bytes, int64_t uplink_ns, int64_t now_ns, const bool faulty, struct ds_delivery *out)
{
    const struct net_host *s = &net->host[src], *d = &net->host[dst];
    struct net_row *row = net_row(net, src);
    const struct ds_net_pair *pair = ds_topology_pair(net->topology, s->place, d->place);
    int64_t latency_ns = pair->latency_ns;
    uint32_t survive_q31 = pair->survive_q31;
    const uint32_t ordinal = row->ordinal[kind]++;
    struct net_disturbance x = {0};
    stats->messages++;
    stats->bytes += bytes;
    if (faulty) {
        ds_net_disturb(net, src, dst, kind, ordinal, now_ns, &x);
        latency_ns = x.latency_ns;
        survive_q31 = x.survive_q31;
        if (x.bandwidth_q16 != DS_NET_Q16_ONE)
            uplink_ns = net_slower_ns(uplink_ns, x.bandwidth_q16);
    }
    int64_t leaves_ns = now_ns;
    if (s->up_bps != 0) {
        int64_t wait_ns = row->uplink_free_ns > now_ns ? row->uplink_free_ns - now_ns : 0;
        if (wait_ns > net->queue_max_ns) {
            net_drop(stats, DS_NET_UPLINK_FULL, out);
            return;
        }
        leaves_ns = net_at_most(now_ns + wait_ns + uplink_ns, NET_TIME_MAX_NS);
        row->uplink_free_ns = leaves_ns;
        stats->uplink_wait_ns += (uint64_t)wait_ns;
    }
    if (faulty && x.cut) {
        net_drop(stats, DS_NET_CUT, out);
        return;
    }
    if (faulty || net->chance) {
        uint32_t ctr[4] = {ordinal, kind, (uint32_t)d->identity, (uint32_t)(d->identity >> 32)};
        uint32_t key[2] = {(uint32_t)s->key, (uint32_t)(s->key >> 32)};
        uint32_t luck[4];
        dc_philox(ctr, key, luck);
        uint32_t survive = dc_q31_mul(dc_q31_mul(survive_q31, net->survive_q31),
                                      dc_q31_mul(s->survive_up_q31, d->survive_down_q31));
        if (luck[2] >> 1 >= survive || (faulty && x.lost)) {
            net_drop(stats, DS_NET_LOST, out);
            return;
        }
        if (net->jitter != NULL) {
            int64_t factor = dc_dist_at(net->jitter, (uint64_t)luck[1] << 32 | luck[0]);
            latency_ns = (int64_t)((__int128)latency_ns * factor >> 20);
        }
    }
    if (faulty && x.clog != NULL)
        leaves_ns = net_hold(stats, x.clog, src, leaves_ns);
    if (latency_ns < net->host_delay_ns)
        latency_ns = net->host_delay_ns;
    int64_t arrival_ns = leaves_ns + latency_ns + ((int64_t)s->access_ns + (int64_t)d->access_ns);
    if (d->down_bps != 0 && (s->up_bps == 0 || d->down_bps < s->up_bps)) {
        int64_t downlink_ns = net_serialise_ns(bytes, d->down_bps, d->down_inverse);
        int64_t sent_in_ns = s->up_bps == 0 ? 0 : uplink_ns;
        arrival_ns += downlink_ns > sent_in_ns ? downlink_ns - sent_in_ns : 0;
    }
    *out = (struct ds_delivery){.arrival_ns = arrival_ns + x.later_ns, .outcome = DS_NET_SENT};
    stats->outcome[DS_NET_SENT]++;
    dc_histogram_add(&stats->delay_ns, out->arrival_ns - now_ns);
    if (faulty)
        net_copies(stats, &x, out);
}

static __attribute__((noinline, cold)) void net_send_faulty(
    struct ds_net *net, struct ds_net_kind_stats *stats, uint32_t src, uint32_t dst, uint32_t kind,
    uint64_t bytes, int64_t uplink_ns, int64_t now_ns, struct ds_delivery *out)
{
    net_send_one(net, stats, src, dst, kind, bytes, uplink_ns, now_ns, true, out);
}

void ds_net_send_many(struct ds_net *net, struct ds_net_stats *stats, uint32_t src,
                      const uint32_t *dst, uint32_t count, uint32_t kind, uint32_t size_bytes,
                      int64_t now_ns, struct ds_delivery *out)
{
    DC_CHECK(src < net->count && kind < net->kinds && size_bytes <= DS_NET_SIZE_MAX);
    const struct net_host *s = &net->host[src];
    const uint64_t bytes = ds_net_wire_bytes(size_bytes);
    struct ds_net_kind_stats *of = &stats->kind[kind];
    int64_t uplink_ns = s->up_bps != 0 ? net_serialise_ns(bytes, s->up_bps, s->up_inverse) : 0;
    for (uint32_t i = 0; i < count; i++) {
        DC_CHECK(dst[i] < net->count);
        if (__builtin_expect(net->faulty, 0))
            net_send_faulty(net, of, src, dst[i], kind, bytes, uplink_ns, now_ns, &out[i]);
        else
            net_send_one(net, of, src, dst[i], kind, bytes, uplink_ns, now_ns, false, &out[i]);
    }
}

void ds_net_send_into(struct ds_net *net, struct ds_net_stats *stats, uint32_t src, uint32_t dst,
                      uint32_t kind, uint32_t size_bytes, int64_t now_ns, struct ds_delivery *out)
{
    DC_CHECK(src < net->count && dst < net->count && kind < net->kinds &&
             size_bytes <= DS_NET_SIZE_MAX);
    const struct net_host *s = &net->host[src];
    const uint64_t bytes = ds_net_wire_bytes(size_bytes);
    struct ds_net_kind_stats *of = &stats->kind[kind];
    int64_t uplink_ns = s->up_bps != 0 ? net_serialise_ns(bytes, s->up_bps, s->up_inverse) : 0;
    if (__builtin_expect(net->faulty, 0))
        net_send_faulty(net, of, src, dst, kind, bytes, uplink_ns, now_ns, out);
    else
        net_send_one(net, of, src, dst, kind, bytes, uplink_ns, now_ns, false, out);
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

void ds_net_reset_queues(struct ds_net *net, uint32_t node)
{
    DC_CHECK(node < net->count);
    struct net_row *row = net_row(net, node);
    row->uplink_free_ns = 0;
    row->downlink_free_ns = INT64_MIN / 2; /* so that the first message's bits were never late */
}

/* Faults of the network, as the rules and cuts of sim/net/link.h.
 *
 *   link         rule, both ways if wanted             one_way   cut from src to dst
 *   clog         rule that holds until the end         isolate   cut of `nodes`, both ways
 *   asynchrony   rule with a drawn latency             eclipse   `nodes` cut from all but attackers
 *   partition    sides, and one for who is on none
 *   bridge       the same, and a group that reaches all
 *   ring         a group for each node of the ring, and one for the others, who reach all
 *
 * A ring of m nodes in node order: each reaches the r nearest on either side, r the least with
 * 2 r + 1 > m / 2, so a majority of the ring, itself included; no two reach the same ones when
 * 2 r + 1 < m, which takes four nodes.  More nodes than there are groups share them with their
 * neighbours. */
#include "models/base/mem.h"
#include "sim/world/faults.h"

bool world_fault_is_net(const struct ds_fault *f)
{
    return f->kind >= DS_FAULT_LINK && f->kind <= DS_FAULT_ASYNCHRONY;
}

static uint64_t *net_bits(const struct ds_world *w, const bool *member, bool inverse)
{
    uint64_t *bits = dc_mem_need(w->nodes / 64 + 1, sizeof *bits, "a fault's links");
    for (uint32_t n = 0; n < w->nodes; n++)
        if (member[n] != inverse)
            bits[n / 64] |= (uint64_t)1 << (n & 63);
    return bits;
}

static uint32_t net_q16(double factor)
{
    double q = factor * DS_NET_Q16_ONE + 0.5;
    return q >= 4294967295.0 ? UINT32_MAX : q < 1 ? 1 : (uint32_t)q;
}

/* Kinds of a scenario's `messages` as those of the links' accounts. */
static uint64_t net_kinds(uint32_t messages)
{
    if (messages == UINT32_MAX)
        return 0;
    uint64_t kinds = messages & ((1u << 30) - 1);
    kinds |= messages >> 30 & 1 ? (uint64_t)1 << KIND_ANNOUNCE : 0;
    return kinds | (messages >> 31 & 1 ? (uint64_t)1 << KIND_PULL : 0);
}

static struct ds_net_rule net_link_rule(const struct ds_fault *f, const struct world_fault *s,
                                        int64_t now_ns)
{
    return (struct ds_net_rule){.both_ways = f->both,
                                .latency_add_ns = f->latency_add_ns,
                                .latency_factor_q16 =
                                    f->latency_factor == 0 ? 0 : net_q16(f->latency_factor),
                                .bandwidth_factor_q16 = net_q16(f->bandwidth_factor),
                                .loss_q31 = f->loss,
                                .kinds = net_kinds(f->messages),
                                .latency = s->latency,
                                .burst_loss_q31 = f->burst_loss,
                                .burst_length_ns = f->burst_length_ns,
                                .burst_every_ns = f->burst_every_ns,
                                .burst_since_ns = now_ns,
                                .duplicate_q31 = f->duplicate,
                                .reorder_q31 = f->reorder,
                                .reorder_by_ns = f->reorder_by_ns,
                                .corrupt_q31 = f->corrupt,
                                .replay_q31 = f->replay,
                                .replay_after_ns = f->replay_after_ns};
}

static enum dc_status net_rule(struct ds_world *w, const struct ds_fault *f,
                               const struct world_fault *s, struct world_occurrence *o,
                               int64_t now_ns, struct dc_error *error)
{
    struct ds_net_rule rule = {.latency_factor_q16 = DS_NET_Q16_ONE,
                               .bandwidth_factor_q16 = DS_NET_Q16_ONE};
    uint64_t *src = net_bits(w, o->to.node, false), *dst = NULL;
    if (f->kind == DS_FAULT_LINK)
        rule = net_link_rule(f, s, now_ns);
    if (o->to.other != NULL)
        dst = net_bits(w, o->to.other, f->kind == DS_FAULT_ECLIPSE);
    rule.src = src;
    rule.dst = dst;
    rule.identity = ds_fault_identity(f, o->number, o->look);
    switch ((enum ds_fault_kind)f->kind) {
    case DS_FAULT_CLOG:
        rule.both_ways = f->both;
        rule.kinds = net_kinds(f->messages);
        rule.hold_until_ns = o->end_ns;
        break;
    case DS_FAULT_ASYNCHRONY:
        rule.latency = s->latency;
        rule.loss_q31 = f->loss;
        break;
    case DS_FAULT_ECLIPSE:
    case DS_FAULT_ISOLATE: rule.cut = rule.both_ways = true; break;
    case DS_FAULT_ONE_WAY: rule.cut = true; break;
    default: break;
    }
    enum dc_status status = ds_net_rule_begin(w->net, &rule, &o->handle, error);
    o->ruled = status == DC_OK;
    dc_mem_free(src);
    dc_mem_free(dst);
    return status;
}

/* Groups of a ring, from 1; returns how many there are, and 0 for everybody else. */
static uint32_t net_ring_groups(const struct ds_world *w, const struct world_occurrence *o,
                                uint8_t *group)
{
    uint32_t m = o->to.count, most = DS_NET_GROUPS_MAX - 1, at = 0;
    uint32_t groups = m < most ? m : most;
    for (uint32_t n = 0; n < w->nodes; n++)
        if (o->to.node[n])
            group[n] = (uint8_t)(1 + (uint64_t)at++ * groups / m);
    return groups;
}

static void net_ring_reach(uint32_t groups, uint32_t all, bool *reach)
{
    uint32_t radius = (groups / 2 + 1) / 2;
    for (uint32_t a = 0; a < all; a++)
        for (uint32_t b = 0; b < all; b++) {
            uint32_t ahead = a <= b ? b - a : a - b;
            ahead = 2 * ahead > groups ? groups - ahead : ahead;
            reach[a * all + b] = a == 0 || b == 0 || ahead <= radius;
        }
}

static enum dc_status net_split(struct ds_world *w, const struct ds_fault *f,
                                struct world_occurrence *o, struct dc_error *error)
{
    uint8_t *group = dc_mem_need(w->nodes, 1, "the groups of a partition");
    uint32_t all = o->to.sides;
    bool *reach = NULL;
    if (f->kind == DS_FAULT_RING) {
        all = 1 + net_ring_groups(w, o, group);
        reach = dc_mem_need((size_t)all * all, sizeof *reach, "the groups of a ring");
        net_ring_reach(all - 1, all, reach);
    } else {
        memcpy(group, o->to.group, w->nodes);
    }
    if (f->kind == DS_FAULT_BRIDGE) {
        uint32_t bridge = all++;
        for (uint32_t n = 0; n < w->nodes; n++)
            if (o->to.node[n])
                group[n] = (uint8_t)bridge;
        reach = dc_mem_need((size_t)all * all, sizeof *reach, "the groups of a bridge");
        for (uint32_t a = 0; a < all; a++)
            for (uint32_t b = 0; b < all; b++)
                reach[a * all + b] = a == b || a == bridge || b == bridge;
    }
    enum dc_status status = ds_net_partition_begin(w->net, group, all, reach, &o->handle, error);
    o->split = status == DC_OK;
    dc_mem_free(group);
    dc_mem_free(reach);
    return status;
}

enum dc_status world_fault_net_begin(struct ds_world *w, const struct ds_fault *f,
                                     const struct world_fault *s, struct world_occurrence *o,
                                     int64_t now_ns, struct dc_error *error)
{
    if (f->kind == DS_FAULT_PARTITION || f->kind == DS_FAULT_BRIDGE || f->kind == DS_FAULT_RING)
        return net_split(w, f, o, error);
    return net_rule(w, f, s, o, now_ns, error);
}

void world_fault_net_end(struct ds_world *w, struct world_occurrence *o)
{
    if (o->ruled)
        ds_net_rule_end(w->net, o->handle);
    if (o->split)
        ds_net_partition_end(w->net, o->handle);
    o->ruled = o->split = false;
}

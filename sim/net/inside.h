/* The links' own data, for link.c (the way of a message) and disturb.c (faults) alone.
 *
 *     host[i]       what every shard reads of a node; fixed between barriers
 *     row[i]        what a node's own shard writes: its queues and ordinals
 *     mask[i]       in which rules' sets the node is; read while a rule is in force
 *     rule[0..n)    those in force, sorted by (identity, order of beginning); bit r of a mask, of
 *                   both and of by_kind[k] belongs to rule[r], and moves with it
 *     partition[p]  a group for each node, and a square matrix of bits */
#ifndef SIM_NET_INSIDE_H
#define SIM_NET_INSIDE_H

#include "models/base/fixed.h"
#include "models/base/rng.h"
#include "sim/net/link.h"

/* No transmission takes longer, and no queue is free later: so that sums stay in 64 bits. */
#define NET_UPLINK_MAX_NS (1LL << 55) /* 417 days */
#define NET_TIME_MAX_NS (1LL << 61)

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

/* Rules' words, apart from the hosts so that they are not touched while none is in force. */
struct net_masks {
    uint64_t rule_src, rule_dst; /* bit r: in that set of rule r */
};

struct net_row {
    int64_t uplink_free_ns, downlink_free_ns;
    uint32_t ordinal[]; /* [kinds] */
};

/* What a rule remembers of a sender; its shard's alone.  Zero: nothing was sent yet. */
struct net_sender {
    struct dc_stream stream; /* of good and bad times */
    int64_t until_ns;        /* of the present one */
    uint32_t held;           /* messages that waited */
    bool begun, bad;
};

struct net_rule {
    struct ds_net_rule spec;
    uint64_t key;              /* of its draws, from its identity */
    struct net_sender *sender; /* [count]; NULL: neither bursts nor holds */
    uint32_t handle;
};

struct net_partition {
    uint8_t *group; /* [count]; NULL: not in force */
    uint64_t *row;  /* [groups * words]: bit t of row f: what f sends to t passes */
    uint32_t groups, words;
};

struct ds_net {
    const struct ds_net_topology *topology;
    const struct dc_dist *jitter;
    uint32_t count, kinds;
    uint32_t survive_q31;
    uint64_t seed;
    int64_t host_delay_ns, queue_max_ns;
    int64_t base_min_ns; /* over pairs of places that have nodes */
    size_t row_bytes;
    struct net_host *host;
    uint8_t *rows;
    struct net_masks *mask;
    bool chance; /* some draw can matter: loss somewhere, or jitter */
    bool faulty; /* a partition or a rule is in force */
    int64_t lookahead_ns;
    uint64_t partitions; /* bit p: partition p is in force */
    struct net_partition partition[DS_NET_PARTITIONS_MAX];
    uint32_t rules;
    uint64_t handles;                   /* of rules in force: bits */
    uint64_t both;                      /* bit r: also from dst to src */
    uint64_t by_kind[DS_NET_KINDS_MAX]; /* bit r: concerns that kind */
    struct net_rule rule[DS_NET_RULES_MAX];
};

/* What the faults in force do to one message. */
struct net_disturbance {
    int64_t latency_ns;     /* of the path, before jitter */
    uint32_t survive_q31;   /* of the path */
    uint32_t bandwidth_q16; /* of the uplink; never 0 */
    bool cut, lost;
    uint64_t mangle;
    int64_t later_ns;            /* after jitter and floor */
    int64_t copy_ns, replay_ns;  /* after the first; 0: none */
    const struct net_rule *clog; /* holds it; NULL: none */
};

/* Requires that faulty is set.  Moves the sender's bursts on to now. */
void ds_net_disturb(struct ds_net *net, uint32_t src, uint32_t dst, uint32_t kind, uint32_t ordinal,
                    int64_t now_ns, struct net_disturbance *out);

/* From lookahead's parts and what is in force. */
void ds_net_find_lookahead(struct ds_net *net);
void ds_net_faults_free(struct ds_net *net);

static inline int64_t net_at_most(int64_t value, int64_t max)
{
    return value < max ? value : max;
}

static inline int64_t net_scale_q16(int64_t value, uint32_t q16)
{
    __int128 r = (__int128)value * q16 >> 16;
    return r > 4 * DS_TOPOLOGY_LATENCY_MAX_NS ? 4 * DS_TOPOLOGY_LATENCY_MAX_NS : (int64_t)r;
}

#endif

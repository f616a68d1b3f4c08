/* From a sender's hand to a receiver's: one message through uplink, path and downlink.
 *
 *     now          leaves              arrival             delivered
 *      |  uplink    |     path           |    downlink       |
 *      |  queue,    |  latency * jitter, |  queue            |
 *      |  bits      |  >= host_delay,    |                   |
 *      |            |  + last miles      |                   |
 *      src's state                        dst's state
 *
 * - Uplink and downlink are FIFO queues that keep one number, when they are free, and not one
 *   record per message.  Bits stream through: the downlink adds time only when it is slower than
 *   the uplink or busy with other messages, so an idle path costs one serialisation, not two.
 * - A message's luck (loss and jitter) is one Philox block keyed by (seed, source, destination,
 *   kind, ordinal within the kind of that source): other kinds leave it alone.
 * - Faults (disturb.c) are of two shapes.  A partition gives every node a group and says by a matrix
 *   which group reaches which; a rule changes what goes from a set of nodes to a set of nodes.  With
 *   none in force a send pays one comparison.  What a rule draws about a message comes from blocks
 *   of its own, keyed by (seed, source, rule's name, destination, kind, ordinal): rules leave one
 *   another's draws alone, and the message's own luck too.
 *
 * Data: `host` is fixed between barriers, 64-byte rows that every shard reads; `row` holds what a
 * node's own shard writes (both queues and the ordinals), padded to cache lines so that shards do
 * not disturb one another:
 *
 *     row[i]   uplink_free_ns | downlink_free_ns | ordinal[kinds] | padding to 64
 *
 * Threads: send writes only the source's row and the given statistics, receive only the
 * destination's; everything else is called at barriers by one thread. */
#ifndef SIM_NET_LINK_H
#define SIM_NET_LINK_H

#include "models/base/dist.h"
#include "models/base/histogram.h"
#include "sim/net/topology.h"

#define DS_NET_KINDS_MAX 64
#define DS_NET_RULES_MAX 64
#define DS_NET_PARTITIONS_MAX 64
#define DS_NET_GROUPS_MAX 256      /* of one partition */
#define DS_NET_SIZE_MAX (1u << 29) /* of one message */
#define DS_NET_BPS_MAX 1000000000000LL
#define DS_NET_ACCESS_MAX_NS 4000000000LL
#define DS_NET_JITTER_ONE (1 << 20) /* a jitter table's 1.0 */
#define DS_NET_Q16_ONE (1u << 16)

/* Bytes on the wire: 20 of IPv4, 20 of TCP and 12 of its timestamps for each segment of at most
 * 1,448 bytes (an Ethernet frame's 1,500). */
#define DS_NET_SEGMENT_BYTES 1448
#define DS_NET_HEADER_BYTES 52
static inline uint64_t ds_net_wire_bytes(uint32_t size_bytes)
{
    uint64_t segments = ((uint64_t)size_bytes + DS_NET_SEGMENT_BYTES - 1) / DS_NET_SEGMENT_BYTES;
    return size_bytes + DS_NET_HEADER_BYTES * (segments + (segments == 0));
}

enum ds_net_outcome {
    DS_NET_SENT,          /* under way: arrival_ns is set */
    DS_NET_LOST,          /* by chance */
    DS_NET_CUT,           /* a partition lies between */
    DS_NET_UPLINK_FULL,   /* the sender's queue was longer than queue_max_ns */
    DS_NET_DOWNLINK_FULL, /* the receiver's was */
    DS_NET_OUTCOMES
};
const char *ds_net_outcome_name(enum ds_net_outcome outcome);

struct ds_delivery {
    int64_t arrival_ns;
    enum ds_net_outcome outcome;
    int64_t copy_ns;   /* arrival of a duplicate, after arrival_ns; 0: none */
    int64_t replay_ns; /* arrival of a late replay, after arrival_ns; 0: none */
    uint64_t mangle; /* the seed from which its bytes, and its copies', are corrupted; 0: intact */
};

/* What a shard counts; sums over shards are exact, in any order. */
struct ds_net_kind_stats {
    uint64_t messages;                 /* handed to ds_net_send */
    uint64_t bytes;                    /* of those, headers included */
    uint64_t outcome[DS_NET_OUTCOMES]; /* DOWNLINK_FULL is counted at the receiver, beside SENT */
    uint64_t uplink_wait_ns;           /* sum of queueing before the first bit leaves */
    uint64_t downlink_wait_ns;         /* sum of delivered - arrival */
    uint64_t duplicated, replayed;     /* copies under way beside what was sent */
    uint64_t corrupted, held;          /* of what was sent (a corrupted one's copies not counted) */
    struct dc_histogram delay_ns;      /* arrival - now of what was sent, copies left out */
};
struct ds_net_stats {
    uint32_t kinds;
    struct ds_net_kind_stats *kind; /* [kinds] */
};
enum dc_status ds_net_stats_init(struct ds_net_stats *stats, uint32_t kinds,
                                 struct dc_error *error) DC_MUST_USE;
void ds_net_stats_free(struct ds_net_stats *stats);
/* into += from; of whole statistics: both with the same kinds. */
void ds_net_kind_stats_merge(struct ds_net_kind_stats *into, const struct ds_net_kind_stats *from);
void ds_net_stats_merge(struct ds_net_stats *into, const struct ds_net_stats *from);

/* What a node brings. */
struct ds_net_host {
    uint64_t identity; /* dc_name_indexed(group, index in it): a name, never an ordinal */
    uint32_t place;
    uint32_t loss_up_q31;     /* of what it sends; 2^31 is 1 */
    uint32_t loss_down_q31;   /* of what is sent to it */
    int64_t up_bps, down_bps; /* bit/s; 0: no limit and no queue */
    int64_t access_ns; /* its last mile: added to the path's delay, whatever that is, one way, at
                          both ends; up to DS_NET_ACCESS_MAX_NS */
};

struct ds_net_config {
    uint64_t seed;
    const struct ds_net_topology *topology; /* borrowed */
    const struct dc_dist *jitter; /* borrowed; a factor on the path, DS_NET_JITTER_ONE is 1;
                                           min >= 0; NULL: none */
    uint32_t loss_q31;            /* of every message, beside the paths' and the ends' */
    int64_t host_delay_ns;        /* at least 1: the floor under every path's delay */
    int64_t queue_max_ns;         /* longest wait in an uplink or downlink; 0: no limit */
    uint32_t kinds;               /* of messages, 1..DS_NET_KINDS_MAX */
};

struct ds_net;

/* Errors: DC_ERR_USAGE (a place that does not exist, a value out of range: says which node),
 * DC_ERR_IO.  On success *out is freed with ds_net_free. */
enum dc_status ds_net_create(const struct ds_net_config *config, const struct ds_net_host *hosts,
                             uint32_t count, struct ds_net **out,
                             struct dc_error *error) DC_MUST_USE;
/* Other luck, named by the key, for every message that is sent from now on.  At barriers. */
void ds_net_turn(struct ds_net *net, uint64_t key);
void ds_net_free(struct ds_net *net); /* NULL is fine */

/* Sends size_bytes (of the frame, headers are added) from src to dst at now.  What is lost or cut
 * has used the uplink all the same.  Requires src, dst < count, kind < kinds, size_bytes <=
 * DS_NET_SIZE_MAX, and calls for one src in order of now.  arrival_ns >= now + lookahead. */
void ds_net_send_into(struct ds_net *net, struct ds_net_stats *stats, uint32_t src, uint32_t dst,
                      uint32_t kind, uint32_t size_bytes, int64_t now_ns, struct ds_delivery *out);

/* Here, so that the answer is not copied: a copy would wait for the stores of what it copies. */
static inline struct ds_delivery ds_net_send(struct ds_net *net, struct ds_net_stats *stats,
                                             uint32_t src, uint32_t dst, uint32_t kind,
                                             uint32_t size_bytes, int64_t now_ns)
{
    struct ds_delivery out;
    ds_net_send_into(net, stats, src, dst, kind, size_bytes, now_ns, &out);
    return out;
}

/* The same for many destinations, one after another through the uplink: out[i] for dst[i]. */
void ds_net_send_many(struct ds_net *net, struct ds_net_stats *stats, uint32_t src,
                      const uint32_t *dst, uint32_t count, uint32_t kind, uint32_t size_bytes,
                      int64_t now_ns, struct ds_delivery *out);

/* When the downlink has delivered a message that arrives now: >= arrival_ns, or -1 when its queue
 * is full.  Calls for one dst in order of arrival. */
int64_t ds_net_receive(struct ds_net *net, struct ds_net_stats *stats, uint32_t dst, uint32_t kind,
                       uint32_t size_bytes, int64_t arrival_ns);

/* A lower bound, in force now, on arrival - now of every message; >= host_delay_ns.  Changes only
 * with ds_net_rule_begin and _end. */
int64_t ds_net_lookahead(const struct ds_net *net);

/* The latency of src to dst as rules for all kinds have it now, both last miles included, without
 * jitter, queue, bandwidth or what a rule draws or holds: what an observer would plot. */
int64_t ds_net_latency(const struct ds_net *net, uint32_t src, uint32_t dst);

/* A node that restarts begins with empty queues. */
void ds_net_reset_queues(struct ds_net *net, uint32_t node);

/* Faults: at barriers.  What is under way is not touched. */

/* Any shape of split.  Node i is in group group[i] < groups, and what a node of group f sends to
 * one of group t passes only when reach[f * groups + t]; NULL: only within a group.  A group that
 * does not reach itself is nodes each alone.  reach[f][t] without reach[t][f] is a one-way cut; a
 * bridge is a group that reaches two that do not reach one another; and so on.  What a node sends to
 * itself always passes.  Several may hold at once: a message must pass all.  Both arrays are copied.
 * Errors: DC_ERR_LIMIT when DS_NET_PARTITIONS_MAX are in force, DC_ERR_USAGE (groups is 0 or above
 * DS_NET_GROUPS_MAX, a node's group does not exist), DC_ERR_IO.
 * Cost: a byte a node and groups^2 / 8 bytes; two bytes and a bit are read for each message. */
enum dc_status ds_net_partition_begin(struct ds_net *net, const uint8_t *group, uint32_t groups,
                                      const bool *reach, uint32_t *handle,
                                      struct dc_error *error) DC_MUST_USE;
void ds_net_partition_end(struct ds_net *net, uint32_t handle);

#define DS_NET_BURST_MIN_NS 100000LL /* shortest mean of good and bad times */

/* For messages from a node of src to one of dst (or back, when both_ways), of some kinds:
 *     latency = latency * factor + add;  survive *= 1 - loss;  uplink rate *= bandwidth factor
 * Rules that match together: all factors apply before all additions; the rest in the order of
 * identities, then of beginning, which shows in roundings alone.  Of two duplicates, replays or
 * corruptions of one message one stays (the earlier; the larger seed), of two holds the longer.
 * What is not SENT has no copies.  Shares are in Q1.31: 2^31 is everything. */
struct ds_net_rule {
    const uint64_t *src, *dst; /* bit i & 63 of word i / 64; NULL: every node.  Not kept. */
    bool both_ways;
    int64_t latency_add_ns;        /* >= 0 */
    uint32_t latency_factor_q16;   /* DS_NET_Q16_ONE: unchanged */
    uint32_t bandwidth_factor_q16; /* DS_NET_Q16_ONE: unchanged; above 0 */
    uint32_t loss_q31;             /* 2^31: everything */

    uint64_t identity; /* the fault's name: keys every draw that the rule makes */
    uint64_t kinds;    /* bit k: only messages of kind k; 0: all kinds */
    bool cut; /* all that matches is dropped as DS_NET_CUT, but for what is sent to oneself */
    /* A further one-way delay in ns, drawn for each message, not subject to jitter or factors;
     * min >= 0, borrowed until the rule ends; NULL: none. */
    const struct dc_dist *latency;
    /* Bursts: a sender has good and bad times in turn, exponentially distributed, of mean
     * burst_every_ns and burst_length_ns, in equilibrium from burst_since_ns on; while they are bad
     * this share of its messages is lost (as DS_NET_LOST).  Gilbert, Capacity of a burst-noise
     * channel, Bell System Technical Journal 1960 (burst_loss_q31 = 2^31), and Elliott, Estimates
     * of error rates for codes on burst-noise channels, the same 1963; here in continuous time, so
     * that the times do not depend on what is sent.  Both means DS_NET_BURST_MIN_NS to
     * DS_TOPOLOGY_LATENCY_MAX_NS; catching up with a time that nothing was sent in costs 50 ns for
     * each change that it had. */
    uint32_t burst_loss_q31;
    int64_t burst_length_ns, burst_every_ns, burst_since_ns;
    /* The network makes a copy, which costs the sender nothing and takes up to once the path's
     * latency longer, uniformly. */
    uint32_t duplicate_q31;
    uint32_t reorder_q31;    /* these are delayed, uniformly, by up to */
    int64_t reorder_by_ns;   /* so much more, so that later ones overtake them */
    uint32_t corrupt_q31;    /* bits of these are flipped */
    uint32_t replay_q31;     /* a copy of these arrives once more, */
    int64_t replay_after_ns; /* so long (> 0) after the first */
    /* Clogged: what has left the sender's uplink before this time goes on when it comes, each
     * sender's messages in their order 1 ns apart.  0: not held. */
    int64_t hold_until_ns;
};
/* Errors: DC_ERR_LIMIT when DS_NET_RULES_MAX are in force, DC_ERR_USAGE for values out of range
 * (delays up to DS_TOPOLOGY_LATENCY_MAX_NS, replays up to 24 times that), DC_ERR_IO. */
enum dc_status ds_net_rule_begin(struct ds_net *net, const struct ds_net_rule *rule,
                                 uint32_t *handle, struct dc_error *error) DC_MUST_USE;
void ds_net_rule_end(struct ds_net *net, uint32_t handle);

#endif

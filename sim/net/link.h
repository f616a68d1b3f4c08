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
 * - Faults are bits.  Each node has a label word (8 partitions, one byte each: two nodes talk when
 *   their words are equal) and two mask words (in the source or destination set of rule 0..63),
 *   so that with no fault in force a send pays one comparison.
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
#define DS_NET_PARTITIONS_MAX 8
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
};

/* What a shard counts; sums over shards are exact, in any order. */
struct ds_net_kind_stats {
    uint64_t messages;                 /* handed to ds_net_send */
    uint64_t bytes;                    /* of those, headers included */
    uint64_t outcome[DS_NET_OUTCOMES]; /* DOWNLINK_FULL is counted at the receiver, beside SENT */
    uint64_t uplink_wait_ns;           /* sum of queueing before the first bit leaves */
    uint64_t downlink_wait_ns;         /* sum of delivered - arrival */
    struct dc_histogram delay_ns;      /* arrival - now of what was sent */
};
struct ds_net_stats {
    uint32_t kinds;
    struct ds_net_kind_stats *kind; /* [kinds] */
};
enum dc_status ds_net_stats_init(struct ds_net_stats *stats, uint32_t kinds,
                                 struct dc_error *error) DC_MUST_USE;
void ds_net_stats_free(struct ds_net_stats *stats);
/* into += from; both with the same kinds. */
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
void ds_net_free(struct ds_net *net); /* NULL is fine */

/* Sends size_bytes (of the frame, headers are added) from src to dst at now.  What is lost or cut
 * has used the uplink all the same.  Requires src, dst < count, kind < kinds, size_bytes <=
 * DS_NET_SIZE_MAX, and calls for one src in order of now.  arrival_ns >= now + host_delay_ns. */
struct ds_delivery ds_net_send(struct ds_net *net, struct ds_net_stats *stats, uint32_t src,
                               uint32_t dst, uint32_t kind, uint32_t size_bytes, int64_t now_ns);

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

/* The latency of src to dst as rules have it now, both last miles included, without jitter, queue or
 * bandwidth: what an observer would plot. */
int64_t ds_net_latency(const struct ds_net *net, uint32_t src, uint32_t dst);

/* A node that restarts begins with empty queues. */
void ds_net_reset_queues(struct ds_net *net, uint32_t node);

/* Faults: at barriers.  What is under way is not touched. */

/* Nodes with different group numbers (one byte a node) cannot talk.  Several may hold at once.
 * Errors: DC_ERR_LIMIT when DS_NET_PARTITIONS_MAX are in force. */
enum dc_status ds_net_partition_begin(struct ds_net *net, const uint8_t *groups, uint32_t *handle,
                                      struct dc_error *error) DC_MUST_USE;
void ds_net_partition_end(struct ds_net *net, uint32_t handle);

/* For messages from a node of src to one of dst (or back, when both_ways):
 *     latency = latency * factor + add;  survive *= 1 - loss;  uplink rate *= bandwidth factor
 * Rules that match together apply in the order of their handles. */
struct ds_net_rule {
    const uint64_t *src, *dst; /* bit i & 63 of word i / 64; NULL: every node.  Not kept. */
    bool both_ways;
    int64_t latency_add_ns;        /* >= 0 */
    uint32_t latency_factor_q16;   /* DS_NET_Q16_ONE: unchanged */
    uint32_t bandwidth_factor_q16; /* DS_NET_Q16_ONE: unchanged; above 0 */
    uint32_t loss_q31;             /* 2^31: everything */
};
/* Errors: DC_ERR_LIMIT when DS_NET_RULES_MAX are in force, DC_ERR_USAGE for values out of range. */
enum dc_status ds_net_rule_begin(struct ds_net *net, const struct ds_net_rule *rule,
                                 uint32_t *handle, struct dc_error *error) DC_MUST_USE;
void ds_net_rule_end(struct ds_net *net, uint32_t handle);

#endif

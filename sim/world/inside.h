/* The world's own data; seen by the files of sim/world alone.
 *
 * Nodes are parallel arrays indexed by node id (= account id): the hot ones first.  What belongs
 * to a node is touched by its shard alone; what belongs to a shard by the thread that runs it;
 * everything else at barriers, where one thread runs.
 *
 *   kernel event --> dispatch.c --(gossip control)--> gossip.c --> transport.c --> kernel
 *                        |  dc_input                                   ^
 *                        v                                             |
 *                    node step (models/) --> dc_effects ---------------+--> commits, notes
 *                                                                              | barrier
 *                                                             observe.c --> recorder, summary */
#ifndef SIM_WORLD_INSIDE_H
#define SIM_WORLD_INSIDE_H

#include <stdatomic.h>

#include "models/adversary/adversary.h"
#include "models/base/histogram.h"
#include "models/node/node.h"
#include "sim/kernel/digest.h"
#include "sim/kernel/kernel.h"
#include "sim/net/link.h"
#include "sim/net/overlay.h"
#include "sim/scenario/scenario.h"
#include "sim/workload/demand.h"
#include "sim/world/world.h"

/* A node's `up`, unless it is 0: WORLD_UP alone is the ordinary case. */
enum {
    WORLD_UP = 1,
    WORLD_HELD = 2,  /* paused: its events wait */
    WORLD_CLOCK = 4, /* its clocks are not virtual time */
    WORLD_DISK = 8   /* its next write may kill it */
};

/* Kinds of kernel events; the trace records them under these names (ds_event_names). */
enum world_event {
    EV_MESSAGE,  /* payload: struct packet, one reference */
    EV_BODY,     /* the same for a gossiped message: push, or answer to a pull */
    EV_ANNOUNCE, /* payload: struct packet, one reference: the source has it */
    EV_PULL,     /* likewise: the source wants it */
    EV_AGAIN,    /* likewise, to oneself: asked for it a while ago; upper bits: how often */
    EV_TIMER,    /* payload: the timer's value; kind's upper bits: incarnation */
    EV_CALL,     /* a user asks; payload: demand.c's and private.h's */
    EV_START,
    EV_RESTART,
    EV_WASH, /* a rational node begins (payload 1) or ends (0) to buy its own work */
    EV_RESUME, /* what waited while the node was paused or suspended is taken up, in order */
    EV_UNBOND, /* a node that leaves unbonds what it has; payload: until when it tries */
    EV_CHANNEL, /* a handshake's timer; payload: its value; kind's upper bits: incarnation */
    EV_REVOKE, /* the registrar hands its transaction to a node; payload: who is revoked */
    EV_COUNT
};

/* How far a gossiped message has come at a node. */
enum gossip { GOSSIP_UNSEEN, GOSSIP_ASKED, GOSSIP_HAVE };

/* Bytes under way, shared by all who were sent them. */
struct packet {
    struct dc_payload payload; /* first: effects refer to packets by it */
    _Atomic uint32_t refs;
    uint32_t origin;
    uint32_t counted;    /* the kind that links count it as: what it was sent as */
    uint64_t digest;     /* of the bytes, for traces */
    uint64_t bulk;       /* bytes charged to links beside them */
    uint8_t *seen;       /* gossip: enum gossip of each node, else NULL */
    struct packet *next; /* gossip: the shard's list of live ones, in order of birth */
    struct packet *inner; /* of a channel's frame: what it carries (channel.h), one reference */
    bool spoiled;         /* of a frame: a faulty link changed it */
    int64_t born_ns;
    uint8_t data[];
};

struct commit {             /* a node's news for observe.c */
    struct dc_block *block; /* holds a reference */
    int64_t time_ns;
    uint32_t node;
};

struct note {
    const void *object;
    int64_t time_ns;
    uint64_t a, b;
    uint32_t node, note;
};

struct vote_seen { /* a vote or timeout as it left a node, for observe_check.c */
    int64_t time_ns;
    uint32_t node;
    uint16_t size;
    uint8_t bytes[254]; /* DC_TIMEOUT_MSG_BYTES_MAX */
};

struct vote_heard { /* a double voter's vote that a collector could still count */
    int64_t time_ns;
    uint32_t node;
    uint8_t bytes[149]; /* DC_VOTE_MSG_BYTES */
};

struct work { /* what a node of a shared machine did, for machine.c */
    int64_t start_ns, leave_ns;
    uint32_t node;
};

struct shard {
    struct dc_effects effects;
    struct ds_net_stats net;
    struct commit *commit;
    uint32_t commits, commits_max;
    struct note *note;
    uint32_t notes, notes_max;
    struct vote_seen *vote;
    uint32_t votes, votes_max;
    struct vote_heard *heard;
    uint32_t heards, heards_max;
    struct work *work;
    uint32_t works, works_max;
    struct packet *gossip_first, *gossip_last;
    uint64_t events, dropped_down[DC_MSG_COUNT + 4];
    uint64_t delivered[DC_MSG_COUNT + 4]; /* taken up by the receiver's link */
    uint64_t in_flight[DC_MSG_COUNT + 4]; /* found pending when the run was over */
    uint64_t duplicates; /* gossip bodies that came twice */
    uint64_t intercepted; /* messages that a man in the middle kept */
    struct ds_row_trace *trace;
    uint32_t traces, traces_max;
    struct ds_delivery *delivery;
    uint32_t delivery_max;
    struct world_death *death; /* nodes that died in a write since the last barrier */
    uint32_t deaths, deaths_max;
} __attribute__((aligned(64)));

/* Message kinds of the network's accounts: those of enum dc_message, then gossip control. */
enum { KIND_ANNOUNCE = DC_MSG_OVERLAY_ANNOUNCE, KIND_PULL, KIND_COUNT = DC_MSG_COUNT };

/* One strategy of the run's mixes and options; index 0 is honest. */
struct world_strategy {
    const char *name;
    enum ds_strategy strategy;
    dc_q31 argument;
};
#define WORLD_STRATEGIES_MAX 64
#define WORLD_CHEATS 0x80u /* in a node's truth, beside the index of its strategy: it cheats now */
#define WORLD_PAST 16      /* epochs for which truths are remembered */

struct ds_world {
    const struct ds_scenario *scenario;
    struct ds_scenario *branched; /* a copy with another's upgrade, or NULL; branch.c */
    bool (*pause)(void *ctx, struct ds_world *w);
    void *pause_ctx;
    uint64_t luck;          /* the seed of draws yet to be made: the scenario's, or ds_world_turn's */
    bool paused;            /* the barrier that is due again has been run: */
    int64_t paused_next_ns; /* and answered this */
    struct ds_world_options options;
    struct ds_kernel *kernel;
    struct ds_net *net;
    struct ds_net_topology topology;
    struct ds_net_overlay overlay;
    struct dc_dist *jitter; /* or NULL */
    struct dc_crypto crypto;
    struct dc_store *store;
    struct dc_params params;
    uint64_t chain;
    int64_t patience_ns; /* with a neighbour that was asked for a gossiped body */
    uint32_t nodes, threads, validators;

    /* per node */
    struct dc_node **node;
    int64_t *busy_ns;      /* its processor is busy until then */
    uint32_t *sequence;    /* of events that it caused */
    uint32_t *incarnation; /* counts crashes: timers of an older one are dropped */
    uint8_t *up; /* 0: down; WORLD_UP, and what makes its events take the slow way */
    uint32_t *slow_q16; /* factor on costs */
    struct ds_digest *digest;
    const struct ds_group **group;
    struct ds_mix **mix; /* its strategy; NULL: honest */
    uint8_t *truth;      /* index into strategy, and WORLD_CHEATS */
    bool *cheat_first;   /* it will cheat, or does from genesis on */
    uint32_t *machine;   /* the first node of its machine: itself unless it is a sybil */
    uint8_t *link_class; /* of its group's links */
    uint32_t *region;
    uint64_t *identity;
    uint64_t *capacity, *used; /* bytes declared, and under deals, as of genesis */
    uint64_t *bond;            /* as of genesis */
    uint32_t *access_ns;       /* its last mile */

    struct world_strategy strategy[WORLD_STRATEGIES_MAX];
    uint32_t strategies;
    uint8_t *truth_past; /* [WORLD_PAST][nodes]; NULL: nobody ever changes */
    uint64_t epoch;      /* of the highest final block */
    dc_q31 wash_level;   /* utilisation that washers buy themselves */

    /* machine.c; all NULL or false where every machine is alike */
    bool machines;         /* chunk_q8 or noise is there */
    uint64_t *chunk_q8;    /* per node: DC_COST_CHUNK in ns * 256 */
    struct dc_dist *noise; /* per group: the factor on work, 2^16 is 1; NULL: none */
    int64_t noise_slot_ns;
    uint32_t *sibling;               /* per node: the next one of its machine, round and round */
    struct world_share *share;       /* per node: what its machine did since the last barrier */
    struct world_rational *rational; /* or NULL */

    uint32_t cost_ns_q8[DC_COST_COUNT]; /* cost table after cores and speed, in ns * 256 */
    struct shard *shard;
    struct ds_arrivals arrivals;
    struct world_demand *demand; /* one per client group, demand.c */
    struct world_private *private; /* private.h; NULL: the scenario has no privacy */
    struct ds_trace *trace;      /* one per group; no rows: none */

    struct world_channels *channels; /* channel.h; NULL: links are taken as open */
    struct world_script *script;  /* faults.c */
    struct world_plight *plight;  /* faults.h: per node; NULL: nothing goes wrong in this run */
    struct world_clock *clock;    /* fault_clock.c: per node; NULL: clocks show virtual time */
    uint64_t *power; /* of each node at genesis: its bond if it is a validator */

    struct ds_observer *observer;
    struct world_checks *checks; /* observe_check.c */
    bool *doubled; /* per node: it has voted twice in a round; NULL: nobody has */
    uint64_t *voted; /* per node: epoch << 32 | round of its latest vote that was seen */
    struct world_watch *watch; /* watch.c; NULL: nobody watches */
    int64_t end_ns, chore_next_ns, progress_next_ns;
    bool end_check; /* an epoch ended: see whether the run is over */
    bool draining;  /* being destroyed: events only give back what they hold */
    enum ds_world_end end;
    struct dc_error error; /* the first failure while virtual time runs */
};

/* world.c: ds_world_create, but washers buy as if theta were wash_theta: so that two worlds that
 * differ in theta can have the same population. */
enum dc_status world_create_for(const struct ds_scenario *scenario,
                                const struct ds_world_options *options, dc_q31 wash_theta,
                                struct ds_world **out, struct dc_error *error) DC_MUST_USE;

/* world.c: what a node is made from, at genesis and when a fault makes it anew; filler: what it
 * committed to, borrowed until it is made; accomplice: of an outsourcer, else itself. */
struct dc_node_config world_node_config(struct ds_world *w, uint32_t node,
                                        const struct dc_content *filler, uint32_t accomplice);

/* network.c: the topology; then, with the population, links and overlay. */
enum dc_status world_topology(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
void world_delays(struct ds_world *w);
enum dc_status world_links(struct ds_world *w, struct dc_error *error) DC_MUST_USE;

/* transport.c */
struct packet *world_packet(struct ds_world *w, uint32_t node, const void *bytes, size_t size,
                            uint64_t bulk);
void world_packet_drop(struct ds_world *w, struct packet *p);
static inline void world_packet_hold(struct packet *p, uint32_t n)
{
    atomic_fetch_add_explicit(&p->refs, n, memory_order_relaxed);
}
/* What the network counts a message as, and its size on the wire. */
uint32_t world_wire(const struct packet *p, enum world_event kind, uint32_t *size);
/* Sends p (its own reference is not consumed) at now, as an event of that kind. */
void world_send(struct ds_world *w, uint32_t shard, uint32_t src, uint32_t dst, struct packet *p,
                enum world_event kind, int64_t now_ns);
void world_send_many(struct ds_world *w, uint32_t shard, uint32_t src, const uint32_t *dst,
                     uint32_t count, struct packet *p, enum world_event kind, int64_t now_ns);
void world_post_self(struct ds_world *w, uint32_t shard, uint32_t node, int64_t time_ns,
                     uint32_t kind, uint64_t payload);

/* Flips 1 to 8 different bits. */
void world_flip(uint8_t *bytes, size_t size, uint64_t seed);

/* gossip.c */
void world_gossip_start(struct ds_world *w, uint32_t shard, uint32_t node, struct packet *p,
                        int64_t now_ns);
void world_gossip_relay(struct ds_world *w, uint32_t shard, uint32_t node, uint32_t from,
                        struct packet *p, int64_t now_ns);
void world_gossip_announce(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                           struct packet *p, int64_t now_ns);
void world_gossip_pull(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                       struct packet *p, int64_t now_ns);
/* Asks another neighbour when the body has not come. */
void world_gossip_again(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                        struct packet *p);
/* True when the body is new at the node and is to be handled. */
bool world_gossip_body(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                       struct packet *p);
void world_gossip_expire(struct ds_world *w, int64_t now_ns);
extern const uint32_t world_gossip_push_max;

/* dispatch.c */
void world_handle(void *ctx, uint32_t shard, const struct ds_event *e);
void world_prefetch(void *ctx, uint32_t node);

/* cost.c */
void world_costs(struct ds_world *w);
extern const uint32_t world_chunk_ns; /* the table's DC_COST_CHUNK */

/* machine.c */
enum dc_status world_machines_create(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
void world_machines_free(struct ds_world *w);
/* The cost (ns * 256) of a step that begins at start, by the node's own machine. */
uint64_t world_machine_cost(const struct ds_world *w, uint32_t node, const uint32_t *charge,
                            uint64_t cost_q8, int64_t start_ns);
/* At barriers: nodes of one machine find its processor busy with the others' work. */
void world_machines_share(struct ds_world *w);

/* truth.c: who plays what, and who cheats, in which epoch. */
enum dc_status world_truth_create(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
/* Index of the strategy, and WORLD_CHEATS; epoch: one of the last WORLD_PAST, or later. */
uint8_t world_truth(const struct ds_world *w, uint32_t node, uint64_t epoch);
static inline bool world_cheats(const struct ds_world *w, uint32_t node, uint64_t epoch)
{
    return (world_truth(w, node, epoch) & WORLD_CHEATS) != 0;
}
static inline const struct world_strategy *world_played(const struct ds_world *w, uint8_t truth)
{
    return &w->strategy[truth & (WORLD_STRATEGIES_MAX - 1)];
}
uint32_t world_strategy_index(const struct ds_world *w, const char *name);
/* A final block begins this epoch: the one before is closed. */
void world_truth_epoch(struct ds_world *w, uint64_t epoch);
/* From this epoch on. */
void world_truth_turn(struct ds_world *w, uint32_t node, uint8_t truth);
/* What the strategies are to models/: strategy and the missing fraction of a node's disk. */
enum dc_strategy world_model_strategy(enum ds_strategy strategy);
dc_q31 world_missing(const struct ds_world *w, uint32_t node, uint8_t truth);
/* What playing it costs a node in an epoch, in base units: holding what it holds, and the take that
 * its purchases from itself or its ring burn. */
uint64_t world_holding_cost(const struct ds_world *w, uint32_t node, uint8_t truth);
uint64_t world_wash_cost(const struct ds_world *w, uint32_t node, uint8_t truth);
/* What a rational node buys of itself while it washes: up to wash_level, beside its customers. */
uint64_t world_wash_bytes(const struct ds_world *w, uint32_t node);

/* rational.c */
struct world_genesis;
enum dc_status world_rational_create(struct ds_world *w, const struct world_genesis *genesis,
                                     struct dc_error *error) DC_MUST_USE;
void world_rational_free(struct ds_world *w);
/* A block has become final (each height once, ascending). */
void world_rational_block(struct ds_world *w, const struct dc_block *b);
/* Once a virtual second, at a barrier: who revises, after an epoch's end, does it now. */
void world_rational_run(struct ds_world *w);
/* EV_WASH at a node: it begins or ends to pay for its deal with itself.  False: it has none. */
bool world_rational_wash(struct ds_world *w, uint32_t node, bool washes, struct dc_effects *out);

/* faults.c */
enum dc_status world_faults_create(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
void world_faults_free(struct ds_world *w);
/* Executes every step due at or before now; returns the time of the next, or INT64_MAX. */
int64_t world_faults_run(struct ds_world *w, int64_t now_ns);
/* Once a virtual second: attackers look at what is final. */
void world_faults_watch(struct ds_world *w);

/* The run is over: what is in force is recorded as such. */
void world_faults_finish(struct ds_world *w);

/* fault_defer.c: events of nodes whose `up` is not WORLD_UP. */
/* Keeps an event (and a reference to its packet) until the node is taken up again. */
void world_fault_defer(struct ds_world *w, const struct ds_event *e, int64_t ready_ns);
/* An event of a node's own while it is down; timers wait when the machine is only suspended. */
void world_fault_defer_down(struct ds_world *w, const struct ds_event *e);
/* A slow node is at work: what comes waits. */
void world_fault_work(struct ds_world *w, uint32_t shard, uint32_t node, int64_t until_ns);
/* EV_RESUME: hands the waiting events to world_dispatch_deferred. */
void world_fault_resume(struct ds_world *w, uint32_t shard, const struct ds_event *e);
/* dispatch.c: an event that waited, now at e->time_ns; takes its packet's reference. */
void world_dispatch_deferred(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                             int64_t ready_ns);
/* fault_disk.c: one step of a node with an odd clock or disk.  False: it died in it, and nothing
 * leaves. */
bool world_fault_step(struct ds_world *w, uint32_t shard, uint32_t node, struct dc_input *in,
                      struct dc_effects *out);
/* fault_clock.c: a timer is set by a step that handles an event of time now_ns; and whether the
 * timer of an event is really due. */
void world_clock_timer(struct ds_world *w, uint32_t shard, uint32_t node, int64_t now_ns,
                       int64_t due_ns, uint64_t timer);
bool world_clock_due(struct ds_world *w, const struct ds_event *e);
/* fault_people.c: EV_UNBOND and EV_REVOKE at a node; true: effects are to be carried out. */
bool world_fault_unbond(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                        struct dc_effects *out);
bool world_fault_revoke(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                        struct dc_effects *out);

/* faults.c: whether what the node signs does not bind it (any more): it deviates, or did, or its
 * durable store was lost or rolled back (sim/check/check.h). */
bool world_excused(const struct ds_world *w, uint32_t node);
/* faults.c: per node, whether it is of heal.quorum; NULL before heal.at. */
const bool *world_quorum(const struct ds_world *w);
/* faults.c: when a fault ended last, and whether any is in force; -1: none ended yet. */
int64_t world_faults_ended(const struct ds_world *w);

/* observe_check.c: invariants. */
void world_checks_create(struct ds_world *w);
void world_checks_free(struct ds_world *w);
/* At barriers, before commits are looked at: the votes, timeouts and proposals that left nodes, and
 * certificates that contradict what a node has made final. */
void world_check_votes(struct ds_world *w);
void world_check_commit(struct ds_world *w, const struct commit *c, int64_t proposed_ns);
/* A height is final for the first time: its block is executed and held. */
void world_check_block(struct ds_world *w, const struct commit *c);
/* Once a virtual second, at a barrier. */
void world_check_second(struct ds_world *w, int64_t now_ns);
/* After the run; takes what is pending out of the kernel. */
void world_check_end(struct ds_world *w, int64_t now_ns);
bool world_violated(const struct ds_world *w);
/* All whom `heal` healed had made a block final that was proposed since, at by_ns or before. */
bool world_lively(const struct ds_world *w, int64_t by_ns);

/* demand.c */
/* Reads the traces that groups name; before the population is made. */
enum dc_status world_traces_create(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
/* Whether a node's utilisation follows a trace; if so, the most that its series reaches, and what
 * it is at a time. */
bool world_traced(const struct ds_world *w, uint32_t node);
dc_q31 world_trace_max(const struct ds_world *w, uint32_t node);
dc_q31 world_trace_at(const struct ds_world *w, uint32_t node, int64_t time_ns);
enum dc_status world_demand_create(struct ds_world *w, const struct world_genesis *genesis,
                                   struct dc_error *error) DC_MUST_USE;
void world_demand_start(struct ds_world *w); /* posts every client's first events */
void world_demand_free(struct ds_world *w);
int64_t world_next_call(struct ds_world *w, uint32_t client, uint64_t ordinal, int64_t after_ns);
struct dc_call world_call(struct ds_world *w, uint32_t client, uint64_t ordinal, int64_t now_ns);

#endif

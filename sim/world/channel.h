/* Between transport, dispatch, faults and the channels of a run (channel.c, mitm.c).
 *
 *   world_send --> world_channel_send --> models/node/channel.h --> a frame: world_send_raw
 *                        | no channel yet: waits in it, a handshake leaves
 *   dispatch  --> world_channel_receive --> opened: the packet as it was sent, for the node
 *                        | handshake, early or refused: nothing for the node
 *
 * A frame under way is a packet of its own, whose `inner` is the packet that it carries:
 *
 *   real      header 17 | sealed bytes, tag 16     opened at the receiver, and must equal inner's
 *   charged   header 17                            inner's bytes stand for what was sealed
 *
 * On the wire both are as long, and cost the same; what decides (sessions, counters, windows, keys'
 * generations) is the same code on the same headers.  So a run is the same in every time. */
#ifndef SIM_WORLD_CHANNEL_H
#define SIM_WORLD_CHANNEL_H

#include "models/node/channel.h"
#include "sim/world/inside.h"

struct world_occurrence;
struct world_man;

struct world_channel { /* of one node; touched by its shard alone */
    struct ds_world *w;
    struct dc_channels *channels;
    struct world_man *man;    /* mitm.c: attackers that face it, by whom they pretend to be */
    uint64_t registrar_nonce; /* of its final state when its channels were looked through */
    uint32_t node;
};

struct world_channels {
    bool charged;
    struct world_channel *node;
    struct dc_effects *effects; /* per shard */
    struct world_early *early;  /* per shard */
    struct dc_keypair registrar;
    struct world_occurrence **mitm; /* in force */
    uint32_t mitms, mitms_max;
    struct dc_histogram latency_ns; /* of handshakes */
    uint64_t noted[DC_CHANNEL_OUTCOMES];
};

/* Frames that can be opened, until the step is over in which they could. */
struct world_early {
    struct world_early_frame **list;
    uint32_t count, count_max;
};

/* A frame that came before its handshake's end. */
struct world_early_frame {
    struct ds_event event; /* with a reference to its packet */
};

/* What a message costs on the wire beside its own bytes. */
#define WORLD_FRAME_BYTES ((uint32_t)DC_CHANNEL_OVERHEAD_BYTES)

/* What was carried, of whatever was received or sent. */
static inline const struct packet *world_packet_plain(const struct packet *p)
{
    return p->inner != NULL ? p->inner : p;
}

/* At barriers: DC_NOTE_CHANNEL; after the run: the metrics. */
void world_channel_note(struct ds_world *w, const struct note *n);
void world_channel_summary(struct ds_world *w);
enum dc_status world_channels_create(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
void world_channels_free(struct ds_world *w);
/* The node is a new process. */
void world_channel_restart(struct ds_world *w, uint32_t node);
/* Its final state may say something else about certificates. */
void world_channel_commit(struct ds_world *w, uint32_t node);

void world_channel_send(struct ds_world *w, uint32_t shard, uint32_t src, uint32_t dst,
                        struct packet *p, enum world_event kind, int64_t now_ns);
/* What the node is handed of a message that the downlink had at *ready_ns, which becomes the end of
 * the work of opening it; NULL: nothing. */
struct packet *world_channel_receive(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                                     struct packet *p, int64_t *ready_ns);
/* EV_CHANNEL. */
void world_channel_timer(struct ds_world *w, uint32_t shard, const struct ds_event *e);
/* Bits of a frame that a faulty link flips: a copy of it. */
struct packet *world_channel_mangle(struct ds_world *w, const struct packet *p,
                                    enum world_event kind, uint64_t seed);

/* dispatch.c: the processor's time for what is charged, from now on or when it is free; the end. */
int64_t world_work(struct ds_world *w, uint32_t shard, uint32_t node, const uint32_t *charge,
                   int64_t now_ns);
void world_note(struct ds_world *w, uint32_t shard, uint32_t node, const struct dc_effect *e,
                int64_t now_ns);
/* dispatch.c: a plain message of an event at a node, ready then. */
void world_dispatch_plain(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                          struct packet *p, int64_t ready_ns);
/* transport.c: as world_send, without channels. */
void world_send_raw(struct ds_world *w, uint32_t shard, uint32_t src, uint32_t dst,
                    struct packet *p, enum world_event kind, int64_t now_ns);

/* channel.c: the certificate and keys with which a node, or a name, speaks. */
void world_channel_config(struct ds_world *w, uint32_t node, struct dc_channels_config *out);
void world_channel_certify(struct ds_world *w, const struct dc_keypair *registrar, uint64_t subject,
                           uint64_t serial, const uint8_t exchange[32], uint8_t out[DC_CERT_BYTES]);

/* mitm.c */
void world_mitm_begin(struct ds_world *w, struct world_occurrence *o);
void world_mitm_end(struct ds_world *w, struct world_occurrence *o);
bool world_mitm_between(const struct ds_world *w, uint32_t a, uint32_t b);
/* The attacker sees what a node says to a peer in a handshake. */
void world_mitm_seen(struct ds_world *w, uint32_t node, uint32_t peer, const uint8_t *bytes,
                     size_t size, int64_t now_ns);
/* What it puts in the place of a message from a peer, which it keeps: the size, or 0 for nothing.
 * out: DC_CHANNEL_HELLO_MAX. */
size_t world_mitm_instead(struct ds_world *w, uint32_t shard, uint32_t node, uint32_t peer,
                          const struct packet *p, int64_t now_ns, uint8_t *out);
void world_mitm_forget(struct ds_world *w, struct world_channel *c);

#endif

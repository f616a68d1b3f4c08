/* Between channel.c (table, queues, frames) and channel_hello.c (handshakes). */
#ifndef MODELS_NODE_CHANNEL_IMPL_H
#define MODELS_NODE_CHANNEL_IMPL_H

#include "models/node/channel.h"

/* Keys of both directions, and what has been taken of the peer's counters. */
struct channel_session {
    uint64_t id;
    bool live, proved;                       /* proved: the peer has used it */
    struct dc_noise_cipher send, receive[2]; /* receive: of `taken_by` - 1 and `taken_by` */
    uint64_t sent;                           /* the next counter */
    uint64_t sent_by, taken_by;              /* generations */
    uint64_t top;                            /* one above the highest counter that was taken */
    uint64_t seen[DC_CHANNEL_WINDOW / 64];   /* of counters top - DC_CHANNEL_WINDOW .. top - 1 */
};

enum channel_stage {
    CHANNEL_WAITS,    /* for the peer's next handshake message */
    CHANNEL_CONFIRMS, /* begun by XX: all is said, the peer has not shown that it heard it */
    CHANNEL_DONE      /* answered: kept so that what the peer repeats is answered alike */
};

struct channel_opening {
    struct dc_noise noise;
    enum channel_stage stage;
    bool ik, retried;
    uint8_t sent[DC_CHANNEL_HELLO_MAX]; /* to be sent again */
    size_t sent_size;
    struct dc_hash first, last; /* answered: of the peer's messages that led here */
    uint64_t session;
    int64_t since_ns;
    uint32_t tries, timer;
};

/* A ring of queue_max tokens, there while something waits. */
struct channel_queue {
    uint64_t *token;
    uint32_t first, count;
};

struct channel {
    uint32_t peer;
    bool known;         /* remote is its exchange key */
    bool renewing;      /* `now` is not used until a handshake came to its end */
    bool reset;         /* one was honoured, at reset_ns */
    bool told;          /* one was sent, at told_ns */
    uint32_t early_due; /* of the early frames, so many can be opened */
    uint64_t used;      /* when last: of dc_channels.clock */
    int64_t reset_ns, told_ns;
    uint8_t remote[32];
    struct channel_session now, old, next;
    struct channel_opening *begun, *answered;
    struct channel_queue out, early;
};

struct dc_channels {
    struct dc_channels_config config;
    struct channel **list; /* by peer */
    uint32_t count, count_max;
    uint64_t clock, keys; /* keys: ephemeral ones made, ever */
    uint32_t timers;
    uint64_t *dropped; /* tokens given up, not taken yet */
    uint32_t drops, drops_max;
    struct dc_channels_count counts;
};

/* channel.c */
struct channel *dc_channel_find(struct dc_channels *c, uint32_t peer);
/* NULL: the table is full of channels at work. */
struct channel *dc_channel_need(struct dc_channels *c, uint32_t peer);
bool dc_channel_open(const struct channel *ch);
/* Gives up what waits to be sent, and early frames. */
void dc_channel_drop_out(struct dc_channels *c, struct channel *ch);
void dc_channel_drop_early(struct dc_channels *c, struct channel *ch);
void dc_channel_refuse(struct dc_channels *c, enum dc_channel_outcome outcome,
                       struct dc_effects *out);
struct channel_session *dc_channel_session(struct channel *ch, uint64_t id);
/* The next counter, its key ready in s->send. */
uint64_t dc_channel_counter(struct dc_channels *c, struct channel_session *s,
                            struct dc_effects *out);
/* Whether a counter of a session can be taken; DC_CHANNEL_OPENED: yes.  *key: what opens it. */
enum dc_channel_outcome dc_channel_receive_key(struct dc_channels *c,
                                               const struct channel_session *s, uint64_t counter,
                                               struct dc_noise_cipher key[2],
                                               struct dc_effects *out);
/* It did open: the counter is used up, and the peer lives. */
void dc_channel_received(struct dc_channels *c, struct channel *ch, struct channel_session *s,
                         uint64_t counter, const struct dc_noise_cipher key[2]);

/* channel_hello.c */
void dc_channel_begin(struct dc_channels *c, struct channel *ch, bool retried, int64_t since_ns,
                      int64_t now_ns, struct dc_effects *out);
void dc_channel_forget(struct channel_opening **o);
void dc_channel_tell_reset(struct dc_channels *c, uint32_t peer, struct channel *ch,
                           uint64_t session, int64_t now_ns, struct dc_effects *out);
/* A session of an answered IK is used from here on. */
void dc_channel_promote(struct dc_channels *c, struct channel *ch);

#endif

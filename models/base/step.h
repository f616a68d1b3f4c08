/* A node's whole contact with the world: inputs in, effects out.
 *
 * No clock, no I/O, no allocation from the system and no global: the same step would run behind
 * real sockets.  A node sees its own clock and the bytes that reach it, never true time, never
 * who cheats.
 *
 *     world --dc_input--> step(state, env, input, out) --dc_effects--> world
 *
 * Effects leave when the node's processor is done with the charges of the same step, in the order
 * in which they were added. */
#ifndef MODELS_BASE_STEP_H
#define MODELS_BASE_STEP_H

#include "models/base/status.h"

/* What work costs virtual processor time.  The table of constants is sim/world/cost.c's. */
enum dc_cost {
    DC_COST_SIGN,      /* Ed25519 signature */
    DC_COST_VERIFY,    /* Ed25519 verification */
    DC_COST_VRF_PROVE, /* ECVRF */
    DC_COST_VRF_VERIFY,
    DC_COST_HASH,         /* BLAKE2b-256 of up to 128 bytes, or each further 128 bytes */
    DC_COST_LEAF,         /* one leaf of the state changed (its path hashed) */
    DC_COST_TX,           /* a transaction's own work, beside its signature */
    DC_COST_MESSAGE,      /* receiving and decoding one message */
    DC_COST_KIB,          /* each KiB received */
    DC_COST_CHUNK,        /* reading a 4 KiB chunk from storage */
    DC_COST_EXCHANGE,     /* X25519 */
    DC_COST_FRAME,        /* sealing or opening one frame of a channel */
    DC_COST_FRAME_KIB,    /* each KiB of it */
    DC_COST_POINT,        /* a multiple of a point of ristretto255 */
    DC_COST_RANGE_PROVE,  /* range proof: each value of 64 bits */
    DC_COST_RANGE_VERIFY, /* likewise */
    DC_COST_RING_SIGN,    /* CLSAG: each member of the ring */
    DC_COST_RING_VERIFY,
    DC_COST_GATE_PROVE, /* R1CS: each multiplication gate, padded to a power of two */
    DC_COST_GATE_VERIFY,
    DC_COST_LOGARITHM, /* discrete logarithm below 2^32, table at hand */
    DC_COST_BFV_ENCRYPT,
    DC_COST_BFV_ADD,      /* or a product with a plain scalar or polynomial in NTT form */
    DC_COST_BFV_MULTIPLY, /* a product with a plain polynomial */
    DC_COST_BFV_SHARE,    /* a partial decryption */
    DC_COST_BFV_DECODE,   /* putting shares together */
    DC_COST_COUNT
};

enum dc_input_kind {
    DC_INPUT_START,
    DC_INPUT_MESSAGE,
    DC_INPUT_TIMER,
    DC_INPUT_RESTART, /* after a crash: only what is durable is left */
    DC_INPUT_CALL     /* a client's user asks for something */
};

/* What a user asks of a client node (models/README.md 11). */
enum dc_call_kind {
    DC_CALL_GET,
    DC_CALL_PUT,
    DC_CALL_METER,
    DC_CALL_SHIELD,  /* size_bytes: an amount of its balance goes into a note of its own */
    DC_CALL_PAY,     /* size_bytes: an amount, privately, to the client `object` */
    DC_CALL_APP,     /* app: a part in a private application */
    DC_CALL_UNSHIELD /* size_bytes: an amount of its notes goes into its balance */
};
struct dc_app_call;
struct dc_call {
    enum dc_call_kind kind;
    uint64_t
        object; /* GET: which object, by popularity; PUT: a number of the user's own; METER: the
                        client's deal */
    uint64_t size_bytes; /* PUT; METER: what it pays for from now on, at most the deal's size */
    const struct dc_app_call *app; /* models/client/app.h; borrowed for the step */
};

/* What DC_EFFECT_NOTE tells, for metrics; nothing in the protocol depends on it. */
enum dc_note {                   /* below 0x100; consensus has its own from there on */
               DC_NOTE_GET = 1,  /* a: latency in ns, b: 1 ok, 0 failed */
               DC_NOTE_PUT,      /* likewise */
               DC_NOTE_REFUSED,  /* a: enum dc_message of a message that was refused */
               DC_NOTE_ANSWERED, /* a challenge reached its node; a: k, b: 1 proved, 0 could not */
               DC_NOTE_TURNED, /* a: enum dc_strategy that the node follows from now on, by its own
                                    doing; b: its score */
               DC_NOTE_PAID,   /* a private payment of this client is final; a: latency in ns from
                                   the call, b: 1 ok, 0 given up */
               DC_NOTE_RECEIVED, /* a note of a final block was recognised as its own; a: amount,
                                    b: 1 its own doing: change, or shielded by itself */
               DC_NOTE_APP,      /* a private application came to an end here; a: enum dc_app_kind
                                    << 32 | its number in the scenario, b: its result */
               DC_NOTE_CHANNEL,  /* a: latency of a handshake in ns, b: enum dc_channel_outcome */
               DC_NOTE_COUNT
};

/* Bytes shared by all who hold them, with a place where a pure function of them is remembered
 * (the interned object that they decode to).  Counted by the world. */
struct dc_payload {
    const uint8_t *bytes;
    uint32_t size;
    uint32_t kind;        /* enum dc_message: first byte of the bytes, for accounts and filters */
    _Atomic(void *) memo; /* owned by the module that decodes this kind; see env->memo_free */
};

struct dc_input {
    enum dc_input_kind kind;
    int64_t now_ns;  /* monotonic clock of the node */
    int64_t wall_ns; /* its wall clock */
    uint32_t from;   /* MESSAGE: node that sent it (link-level identity) */
    bool gossip;     /* MESSAGE: came by the overlay; DC_EFFECT_RELAY passes it on */
    const struct dc_payload *payload; /* MESSAGE: untrusted, borrowed for the step */
    uint64_t timer;                   /* TIMER: the value it was set with */
    const struct dc_call *call;       /* CALL */
};

enum dc_effect_kind {
    DC_EFFECT_SEND,      /* bytes to one node `to` */
    DC_EFFECT_SEND_MANY, /* the same bytes to to_list[to_count] */
    DC_EFFECT_BROADCAST, /* bytes to everyone by the overlay */
    DC_EFFECT_RELAY,     /* the gossip message being handled is worth passing on */
    DC_EFFECT_TIMER,     /* wake me at due_ns on the monotonic clock with `timer` */
    DC_EFFECT_COMMIT,    /* object: a block (struct dc_block) that is now final at this node */
    DC_EFFECT_NOTE       /* an observation: enum dc_note in `timer`, values a, b, object */
};

struct dc_effect {
    enum dc_effect_kind kind;
    uint32_t to;
    uint32_t size, to_count;
    uint64_t bulk;           /* SEND: bytes charged to the links beside `bytes` and not copied */
    const uint8_t *bytes;    /* in the effects' own buffer, or of `payload` */
    const uint32_t *to_list; /* in the effects' own buffer */
    const struct dc_payload *payload; /* SEND*, BROADCAST: send this again instead of bytes */
    int64_t due_ns;
    uint64_t timer;
    uint64_t a, b;
    const void *object; /* COMMIT, NOTE: what is told of.  SEND: the interned object that the bytes
                           decode to, where the sender has it; borrowed for the step */
};

#define DC_EFFECTS_MAX 256

/* Filled by step, drained by the world.  `charge` counts the work done, by enum dc_cost. */
struct dc_effects {
    uint32_t count;
    uint32_t charge[DC_COST_COUNT];
    struct dc_effect list[DC_EFFECTS_MAX];
    struct dc_effect_buffer {
        uint8_t *data;
        size_t used, size;
    } buffer;
};

/* size bytes that live until the effects are drained, 8-byte aligned, not zeroed. */
void *dc_effects_bytes(struct dc_effects *out, size_t size);
struct dc_effect *dc_effects_add(struct dc_effects *out, enum dc_effect_kind kind);
void dc_effects_clear(struct dc_effects *out);
void dc_effects_free(struct dc_effects *out);

void dc_effect_send(struct dc_effects *out, uint32_t to, const void *bytes, size_t size);
void dc_effect_broadcast(struct dc_effects *out, const void *bytes, size_t size);
void dc_effect_timer(struct dc_effects *out, int64_t due_ns, uint64_t timer);
void dc_effect_note(struct dc_effects *out, uint32_t note, uint64_t a, uint64_t b);

#endif

/* Secure channels between nodes: Noise over links that lose, reorder and repeat.
 *
 *   first message to a peer          a known peer (its exchange key is known)     a session ends
 *
 *     A --- XX1 e --------> B          A --- IK1 e, s, cert -----> B                A --- frame ---> B
 *     A <-- XX2 e, s, cert -- B        A <-- IK2 e, cert --------- B                A <-- RESET ---- B
 *     A --- XX3 s, cert --> B          A --- CONFIRM ------------> B                A --- IK1 ... -> B
 *     A <-- CONFIRM ------- B          (B says RETRY: not my key any more; A: XX1)
 *
 * What the handshake carries is the node's certificate (crypto/cert.h).  It must be by a registrar that
 * the chain knows and has not revoked (crypto/trust.h), valid now, not revoked by the chain, of the
 * peer that is meant, newer than or as new as the one that the chain knows, and its exchange key the
 * handshake's static key.  The prologue binds the chain and both ids.  So nobody between two nodes is
 * taken for either of them.
 *
 *   frame   kind 1 | session 8 | counter 8 | sealed bytes, tag 16       33 bytes more than plain
 *
 * Counters are explicit: frames arrive in any order, and each is taken once (a window of
 * DC_CHANNEL_WINDOW).  Each key serves `rekey` counters; generation g + 1 is REKEY of
 * generation g, and the receiver keeps the one before for what is late.
 *
 * Who does what, and why it cannot be abused:
 * - Both open at the same time: the one with the lower id goes on, the other answers.
 * - Bytes that do not fit a handshake are dropped, and it goes on: they are read on a copy.
 * - RESET and RETRY are not authenticated.  They make a node begin a new handshake, at most once per
 *   timeout, as authenticated as any other; the session before stays for what still comes, and is
 *   gone back to if the handshake fails.  Nothing is ever sent in the clear.
 * - A session that this side answered by IK is used only when the peer has shown that it lives: IK1
 *   can be a replay.
 *
 *   table    peers in order of id, `peers_max` at most; the one used longest ago goes
 *   channel  sessions: now, the one before, the one that waits for its confirmation
 *            openings: the one we began, the one we answer
 *            queue: what waits to be sent; early: frames that came before the handshake's end
 *
 * A message is a token to this file: 64 bits that the caller gives meaning.  Pure: no clock, no
 * entropy; an ephemeral key is derived from the secret, peer, incarnation and attempt. */
#ifndef MODELS_NODE_CHANNEL_H
#define MODELS_NODE_CHANNEL_H

#include "models/base/step.h"
#include "models/crypto/noise.h"
#include "models/crypto/registrar.h"

#define DC_CHANNEL_HEADER_BYTES ((size_t)17)
#define DC_CHANNEL_OVERHEAD_BYTES (DC_CHANNEL_HEADER_BYTES + DC_NOISE_TAG_BYTES)
#define DC_CHANNEL_WINDOW 2048 /* counters back from the highest that are still taken */
#define DC_CHANNEL_HELLO_MAX ((size_t)2 + 32 + 48 + DC_CERT_CHAIN_BYTES + 16)
#define DC_CHANNEL_AHEAD_MAX 16 /* generations of keys that a frame may be ahead */

/* Second byte of DC_MSG_HANDSHAKE. */
enum dc_channel_hello {
    DC_HELLO_XX1 = 1,
    DC_HELLO_XX2,
    DC_HELLO_XX3,
    DC_HELLO_IK1,
    DC_HELLO_IK2,
    DC_HELLO_CONFIRM, /* session 8, counter 8, tag 16 */
    DC_HELLO_RESET,   /* session 8: not known here */
    DC_HELLO_RETRY,   /* the first 8 bytes of an IK1's ephemeral key: not for my key */
    DC_HELLO_COUNT
};

/* What came of a handshake or frame: DC_NOTE_CHANNEL's b. */
enum dc_channel_outcome {
    DC_CHANNEL_OPENED,   /* noted by who began it; a: latency in ns */
    DC_CHANNEL_BAD,      /* bytes that are no handshake message, or not of this handshake */
    DC_CHANNEL_FOREIGN,  /* a certificate that is not our registrar's, or not of this chain */
    DC_CHANNEL_OTHER,    /* somebody else's certificate */
    DC_CHANNEL_KEY,      /* a certificate with another exchange key than the handshake's */
    DC_CHANNEL_EXPIRED,  /* or not yet valid */
    DC_CHANNEL_REVOKED,  /* or its registrar is */
    DC_CHANNEL_OLD,      /* replaced by a newer one on chain */
    DC_CHANNEL_TIMEOUT,  /* nobody answered */
    DC_CHANNEL_UNKNOWN,  /* a frame of a session that is not here */
    DC_CHANNEL_REPLAYED, /* a frame that was here before, or is too late to tell */
    DC_CHANNEL_FORGED,   /* a frame that does not open */
    DC_CHANNEL_FULL,     /* too many wait for a handshake */
    DC_CHANNEL_OUTCOMES
};
const char *dc_channel_outcome_name(enum dc_channel_outcome outcome);

/* What the chain says about a peer, as of the node's final block. */
struct dc_channel_standing {
    uint64_t height; /* of that block */
    uint64_t serial; /* of its certificate; 0: not known */
    bool revoked;
    const struct dc_registrars *registrars; /* as of that block; NULL: as in genesis; not kept */
};

struct dc_channels_config {
    const struct dc_crypto *crypto;
    struct dc_trust trust; /* of genesis; `standing` says what the chain adds */
    uint32_t id;
    uint32_t incarnation; /* never twice the same for one exchange key */
    struct dc_exchange exchange;
    uint8_t certificate[DC_CERT_CHAIN_BYTES]; /* 230 or 460 bytes (registrar.h) */
    size_t certificate_size;
    uint32_t peers_max; /* in the table */
    uint32_t queue_max; /* that wait for one handshake, each way */
    uint64_t rekey;     /* frames under one key, at least 1 */
    int64_t timeout_ns; /* until something is sent again */
    uint32_t tries;     /* at least 1 */
    bool charged;       /* frames are headers alone: the caller keeps the plain bytes */
    void (*standing)(const void *ctx, uint32_t peer, struct dc_channel_standing *out);
    const void *ctx;
};

struct dc_channels;

struct dc_channels *dc_channels_create(const struct dc_channels_config *config);
/* Every token that still waits goes to drop. */
void dc_channels_destroy(struct dc_channels *c, void (*drop)(void *ctx, uint64_t token), void *ctx);

/* Effects of the following: DC_EFFECT_SEND (handshake messages), _TIMER (hand it to
 * dc_channels_timer), _NOTE (DC_NOTE_CHANNEL), and charges.  After each call the caller takes what
 * became of waiting messages: dc_channels_take, for the same peer. */

/* A message for a peer: true, seal it now; false, it waits. */
bool dc_channels_send(struct dc_channels *c, uint32_t peer, uint64_t token, int64_t now_ns,
                      struct dc_effects *out);
/* Requires that the channel is open: dc_channels_send said so, or take gave DC_CHANNEL_SEAL.  frame:
 * size + DC_CHANNEL_OVERHEAD_BYTES; charged: DC_CHANNEL_HEADER_BYTES.  bulk: bytes that are only
 * charged. */
void dc_channels_seal(struct dc_channels *c, uint32_t peer, const void *bytes, size_t size,
                      uint64_t bulk, uint8_t *frame, struct dc_effects *out);

void dc_channels_hello(struct dc_channels *c, uint32_t peer, const void *message, size_t size,
                       int64_t now_ns, struct dc_effects *out);

enum dc_channel_verdict {
    DC_FRAME_OPENED,
    DC_FRAME_EARLY,  /* token waits for the handshake's end */
    DC_FRAME_REFUSED /* noted */
};
/* A frame of size bytes from a peer; plain: size - DC_CHANNEL_OVERHEAD_BYTES.  charged: frame is the
 * header, size what a sealed frame would have, and intact whether it arrives as it was sent. */
enum dc_channel_verdict dc_channels_open(struct dc_channels *c, uint32_t peer, const uint8_t *frame,
                                         size_t size, uint64_t bulk, bool intact, uint64_t token,
                                         int64_t now_ns, uint8_t *plain, struct dc_effects *out);

/* Returns the peer that it was about. */
uint32_t dc_channels_timer(struct dc_channels *c, uint64_t timer, int64_t now_ns,
                           struct dc_effects *out);

/* The chain may say something else: channels with peers that it revoked are closed.  Returns how
 * many. */
uint32_t dc_channels_review(struct dc_channels *c);

enum dc_channel_item {
    DC_CHANNEL_NOTHING,
    DC_CHANNEL_SEAL,  /* a message that waited: its turn to be sealed and sent */
    DC_CHANNEL_FRAME, /* a frame that came early: open it now */
    DC_CHANNEL_DROP   /* given up */
};
enum dc_channel_item dc_channels_take(struct dc_channels *c, uint32_t peer, uint64_t *token);

struct dc_channels_count {
    uint32_t peers, open, opening, waiting; /* waiting: tokens */
    uint64_t begun, opened, answered, sealed, frames, rekeyed, resets, evicted;
    uint64_t refused[DC_CHANNEL_OUTCOMES];
};
struct dc_channels_count dc_channels_count(const struct dc_channels *c);

#endif

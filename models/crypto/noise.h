/* Noise handshakes (Trevor Perrin, The Noise Protocol Framework, revision 34) with 25519,
 * ChaChaPoly and BLAKE2b: XX and IK for channels between nodes (node/channel.h), and by the same
 * table every fundamental, deferred and one-way pattern, with pre-shared keys or without.
 *
 *   dc_noise_begin --> write / read in turn --> DC_NOISE_DONE --> dc_noise_split --> two ciphers
 *                          any failure: DC_NOISE_FAILED, for ever
 *
 *   symmetric state    h      hash of all that was said      ck   chaining key
 *   cipher             key, nonce: counts up, one for each message; 2^64 - 1 is never used
 *
 * HKDF is over HMAC-BLAKE2b with a block of 128 bytes (hmac.h).  A shared point that is
 * zero ends the handshake.  The caller owns the state and may copy it: reading from a copy leaves
 * the original as it was, so that forged messages cost nothing but time.  Ephemeral keys are
 * handed in: none is drawn here, and the caller never hands in the same one twice. */
#ifndef MODELS_CRYPTO_NOISE_H
#define MODELS_CRYPTO_NOISE_H

#include "models/crypto/crypto.h"

#define DC_NOISE_HASH_BYTES ((size_t)64)
#define DC_NOISE_TAG_BYTES ((size_t)16)
#define DC_NOISE_MESSAGE_MAX ((size_t)65535)
#define DC_NOISE_NONCE_MAX UINT64_MAX /* kept for rekeying: no message has it */
#define DC_NOISE_PSK_MAX 4
#define DC_NOISE_MESSAGES_MAX 4
#define DC_NOISE_TOKENS_MAX 12 /* of one message */

struct dc_noise_cipher {
    uint8_t key[32];
    uint64_t nonce; /* of the next message */
    bool keyed;     /* without a key, plain bytes pass as they are */
};

enum dc_noise_state { DC_NOISE_FAILED, DC_NOISE_WRITES, DC_NOISE_READS, DC_NOISE_DONE };

struct dc_noise {
    enum dc_noise_state state;
    bool initiator, psk_used;
    bool known_static, known_ephemeral; /* the peer's */
    uint8_t at, messages;               /* the next message, of how many */
    uint8_t psk_at;
    char token[DC_NOISE_MESSAGES_MAX][DC_NOISE_TOKENS_MAX];
    struct dc_noise_cipher cipher;
    uint8_t ck[DC_NOISE_HASH_BYTES], h[DC_NOISE_HASH_BYTES];
    struct dc_exchange own, ephemeral;
    uint8_t remote[32], remote_ephemeral[32];
    uint8_t psk[DC_NOISE_PSK_MAX][32];
};

struct dc_noise_config {
    const char *pattern; /* "XX", "IK", "NNpsk0", "XXpsk0+psk3" ... */
    bool initiator;
    const void *prologue; /* what both must have seen alike */
    size_t prologue_size;
    const struct dc_exchange *own; /* static key; NULL where the pattern has none of this side */
    const struct dc_exchange *ephemeral; /* NULL only where the pattern has none of this side */
    const uint8_t *remote;               /* the peer's static key, where known before; or NULL */
    const uint8_t (*psk)[32];
    size_t psks;
};

/* False, state FAILED: no such pattern, or a key that it needs is missing. */
bool dc_noise_begin(struct dc_noise *n, const struct dc_noise_config *config) DC_MUST_USE;
/* The next message, with a payload (size 0: none).  Requires state WRITES.  False, state FAILED: out
 * is too small, the message longer than DC_NOISE_MESSAGE_MAX, or a shared point zero. */
bool dc_noise_write(struct dc_noise *n, const void *payload, size_t size, uint8_t *out,
                    size_t out_max, size_t *out_size) DC_MUST_USE;
/* Takes the peer's next message; its payload to out.  Requires state READS.  False, state FAILED, on
 * anything that is not the message, or a payload longer than out_max. */
bool dc_noise_read(struct dc_noise *n, const void *message, size_t size, uint8_t *out,
                   size_t out_max, size_t *out_size) DC_MUST_USE;
/* Requires state DONE.  In one-way patterns the responder never uses `send`. */
void dc_noise_split(const struct dc_noise *n, struct dc_noise_cipher *send,
                    struct dc_noise_cipher *receive);
/* DHs that the next message makes this side compute, key generation left out: what it costs. */
uint32_t dc_noise_exchanges(const struct dc_noise *n);

/* Transport: out has size + 16 bytes (in: size - 16); the nonce counts up.  False: the nonces are used
 * up; forged or too short (the nonce stays). */
bool dc_noise_seal(struct dc_noise_cipher *c, const void *data, size_t data_size, const void *plain,
                   size_t size, uint8_t *out) DC_MUST_USE;
bool dc_noise_open(struct dc_noise_cipher *c, const void *data, size_t data_size,
                   const void *sealed, size_t size, uint8_t *out) DC_MUST_USE;
/* A new key from the old one (section 11.3); the nonce goes on. */
void dc_noise_rekey(struct dc_noise_cipher *c);

#endif

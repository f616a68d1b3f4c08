/* A secret from one account to another, in one message, without a handshake: X25519 on their
 * signing keys (mapped from edwards25519), then ChaCha20-Poly1305 under a key of its own for each
 * context.  Both keys are hashed into it, since two points that differ in sign map to one.
 *
 * For what has to reach one node alone even where links are in the open (shares of keys).  Who is
 * known by the context is who could have made it: the tag also says that the sender did.  There is
 * no forward secrecy; a channel (node/channel.h) has it. */
#ifndef MODELS_CRYPTO_SEAL_H
#define MODELS_CRYPTO_SEAL_H

#include "models/crypto/crypto.h"

#define DC_SEAL_TAG_BYTES ((size_t)16)

/* The key for one message from `from` to `to` (accounts) in a context that never comes again with
 * another message.  Both compute the same.  False when the peer's key is no point to agree on. */
bool dc_seal_key(const struct dc_keypair *own, const uint8_t peer[32],
                 const struct dc_hash *context, uint32_t from, uint32_t to,
                 uint8_t key[32]) DC_MUST_USE;
/* size bytes to size + 16. */
void dc_seal(const uint8_t key[32], const void *plain, size_t size, uint8_t *out);
/* size bytes to size - 16.  False, and nothing written, when they are not what was sealed. */
bool dc_seal_open(const uint8_t key[32], const uint8_t *sealed, size_t size, void *out) DC_MUST_USE;

#endif

/* Content from a seed: ChaCha20's keystream, for bytes that are large, cheap to make again and of
 * no secrecy (chunks of stored objects, sealed filler). */
#ifndef MODELS_CRYPTO_EXPAND_H
#define MODELS_CRYPTO_EXPAND_H

#include "models/crypto/hash.h"

/* Fills out[size] with the keystream under key `seed` and the 8-byte nonce `block` (little-endian),
 * from counter 0 (D. J. Bernstein's original ChaCha20).  Thread-safe.  About 1 GB/s. */
void dc_expand(const struct dc_hash *seed, uint64_t block, void *out, size_t size);

#endif

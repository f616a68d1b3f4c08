/* HMAC (RFC 2104) and HKDF (RFC 5869) over hashes with a block of 128 bytes and 64 bytes of output.
 *
 * BLAKE2b-512 is what Noise is run with (noise.h): HMAC around it, not its own keyed mode.  SHA-512 is
 * the same code around the hash for which there are published vectors. */
#ifndef MODELS_CRYPTO_HMAC_H
#define MODELS_CRYPTO_HMAC_H

#include "models/base/status.h"

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_hash_sha512.h>

#define DC_HMAC_BYTES ((size_t)64)
#define DC_HMAC_BLOCK_BYTES ((size_t)128)
#define DC_HKDF_BYTES_MAX (255 * DC_HMAC_BYTES)

enum dc_hmac_hash { DC_HMAC_BLAKE2B, DC_HMAC_SHA512 };

struct dc_hmac {
    crypto_generichash_blake2b_state blake2b;
    crypto_hash_sha512_state sha512;
    enum dc_hmac_hash hash;
    uint8_t outer[128];
};

void dc_hmac_init(struct dc_hmac *h, enum dc_hmac_hash hash, const void *key, size_t key_size);
void dc_hmac_update(struct dc_hmac *h, const void *data, size_t size);
void dc_hmac_final(struct dc_hmac *h, uint8_t out[64]);

/* Extract with salt, expand with info; out is T(1) || T(2) || ... cut to out_size.  False, out as it
 * was: out_size above DC_HKDF_BYTES_MAX. */
bool dc_hkdf(enum dc_hmac_hash hash, const void *salt, size_t salt_size, const void *input,
             size_t input_size, const void *info, size_t info_size, uint8_t *out,
             size_t out_size) DC_MUST_USE;

#endif

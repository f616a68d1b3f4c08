#include "models/crypto/hmac.h"

#include <string.h>

static void hmac_begin(struct dc_hmac *h)
{
    if (h->hash == DC_HMAC_BLAKE2B)
        crypto_generichash_blake2b_init(&h->blake2b, NULL, 0, DC_HMAC_BYTES);
    else
        crypto_hash_sha512_init(&h->sha512);
}

void dc_hmac_update(struct dc_hmac *h, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (h->hash == DC_HMAC_BLAKE2B)
        crypto_generichash_blake2b_update(&h->blake2b, data, size);
    else
        crypto_hash_sha512_update(&h->sha512, data, size);
}

static void hmac_end(struct dc_hmac *h, uint8_t out[64])
{
    if (h->hash == DC_HMAC_BLAKE2B)
        crypto_generichash_blake2b_final(&h->blake2b, out, DC_HMAC_BYTES);
    else
        crypto_hash_sha512_final(&h->sha512, out);
}

void dc_hmac_init(struct dc_hmac *h, enum dc_hmac_hash hash, const void *key, size_t key_size)
{
    uint8_t inner[DC_HMAC_BLOCK_BYTES];
    h->hash = hash;
    memset(h->outer, 0, sizeof h->outer);
    if (key_size > sizeof h->outer) {
        hmac_begin(h);
        dc_hmac_update(h, key, key_size);
        hmac_end(h, h->outer);
    } else if (key_size != 0) {
        memcpy(h->outer, key, key_size);
    }
    for (size_t i = 0; i < sizeof inner; i++) {
        inner[i] = h->outer[i] ^ 0x36;
        h->outer[i] ^= 0x5c;
    }
    hmac_begin(h);
    dc_hmac_update(h, inner, sizeof inner);
}

void dc_hmac_final(struct dc_hmac *h, uint8_t out[64])
{
    uint8_t inner[DC_HMAC_BYTES];
    hmac_end(h, inner);
    hmac_begin(h);
    dc_hmac_update(h, h->outer, sizeof h->outer);
    dc_hmac_update(h, inner, sizeof inner);
    hmac_end(h, out);
}

bool dc_hkdf(enum dc_hmac_hash hash, const void *salt, size_t salt_size, const void *input,
             size_t input_size, const void *info, size_t info_size, uint8_t *out, size_t out_size)
{
    uint8_t key[DC_HMAC_BYTES], block[DC_HMAC_BYTES];
    struct dc_hmac h;
    if (out_size > DC_HKDF_BYTES_MAX)
        return false;
    dc_hmac_init(&h, hash, salt, salt_size);
    dc_hmac_update(&h, input, input_size);
    dc_hmac_final(&h, key);
    for (uint8_t number = 1; out_size > 0; number++) {
        size_t part = out_size < sizeof block ? out_size : sizeof block;
        dc_hmac_init(&h, hash, key, sizeof key);
        if (number > 1)
            dc_hmac_update(&h, block, sizeof block);
        dc_hmac_update(&h, info, info_size);
        dc_hmac_update(&h, &number, 1);
        dc_hmac_final(&h, block);
        memcpy(out, block, part);
        out += part;
        out_size -= part;
    }
    return true;
}

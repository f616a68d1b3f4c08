/* The shared point, both keys (the lower first, so that both sides say the same), both accounts and
 * the context are hashed to the key; since that key seals one message, the nonce is zero. */
#include "models/crypto/seal.h"

#include <sodium.h>

bool dc_seal_key(const struct dc_keypair *own, const uint8_t peer[32],
                 const struct dc_hash *context, uint32_t from, uint32_t to, uint8_t key[32])
{
    struct dc_exchange exchange;
    uint8_t theirs[32], shared[32];
    memset(key, 0, 32);
    if (crypto_sign_ed25519_pk_to_curve25519(theirs, peer) != 0)
        return false;
    DC_CHECK(crypto_sign_ed25519_sk_to_curve25519(exchange.secret, own->secret) == 0);
    if (!dc_exchange_shared(&exchange, theirs, shared))
        return false;
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_CHANNEL);
    dc_hasher_update(&h, "seal", 4);
    dc_hasher_update(&h, shared, sizeof shared);
    bool first = memcmp(own->public, peer, 32) < 0;
    dc_hasher_update(&h, first ? own->public : peer, 32);
    dc_hasher_update(&h, first ? peer : own->public, 32);
    dc_hasher_update(&h, context->b, sizeof context->b);
    dc_hasher_update64(&h, from);
    dc_hasher_update64(&h, to);
    struct dc_hash k = dc_hasher_final(&h);
    memcpy(key, k.b, 32);
    return true;
}

static const uint8_t no_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

void dc_seal(const uint8_t key[32], const void *plain, size_t size, uint8_t *out)
{
    DC_CHECK(crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, size, NULL, 0, NULL,
                                                       no_nonce, key) == 0);
}

bool dc_seal_open(const uint8_t key[32], const uint8_t *sealed, size_t size, void *out)
{
    return size >= DC_SEAL_TAG_BYTES &&
           crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, size, NULL, 0,
                                                     no_nonce, key) == 0;
}

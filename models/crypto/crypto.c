/* Keys, Ed25519 with its table of remembered checks, and the stand-in.
 *
 * Remembered: key = dc_crypto_memo_key, value = 1 valid, 2 not.  The stand-in does not go through
 * the table, since making it again costs no more than looking it up. */
#include "models/crypto/crypto.h"

#include "models/crypto/group.h"

#include <sodium.h>

/* --- start ---------------------------------------------------------------------------------- */

static const char *random_name(void)
{
    return "none";
}
static uint32_t random_constant(void)
{
    return 0x9e3779b9u;
}
static void random_constant_bytes(void *const out, const size_t size)
{
    memset(out, 0x5a, size);
}
static uint32_t random_refused(void)
{
    dc_check_failed(__FILE__, __LINE__, "no system entropy: something drew from libsodium");
}
static uint32_t random_uniform_refused(const uint32_t upper)
{
    (void)upper;
    return random_refused();
}
static void random_refused_bytes(void *const out, const size_t size)
{
    (void)out;
    (void)size;
    (void)random_refused();
}

void dc_crypto_init(void)
{
    /* libsodium takes pointers that are not const and never writes through them. */
    static const randombytes_implementation constant = {.implementation_name = random_name,
                                                        .random = random_constant,
                                                        .buf = random_constant_bytes};
    static const randombytes_implementation refused = {.implementation_name = random_name,
                                                       .random = random_refused,
                                                       .uniform = random_uniform_refused,
                                                       .buf = random_refused_bytes};
    /* sodium_init itself draws, for the canaries of its allocator. */
    randombytes_set_implementation((randombytes_implementation *)(uintptr_t)&constant);
    DC_CHECK(sodium_init() >= 0);
    randombytes_set_implementation((randombytes_implementation *)(uintptr_t)&refused);
    dc_hash_init();
    dc_group_init();
}

/* --- keys ----------------------------------------------------------------------------------- */

void dc_seed_derive(uint64_t run_seed, uint64_t owner, enum dc_key_use use, uint64_t generation,
                    uint8_t seed[32])
{
    uint8_t text[32];
    dc_put64(text, run_seed);
    dc_put64(text + 8, owner);
    dc_put64(text + 16, (uint64_t)use);
    dc_put64(text + 24, generation);
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_KEY, text, sizeof text);
    memcpy(seed, h.b, DC_SEED_BYTES);
}

void dc_keypair_from_seed(const uint8_t seed[32], struct dc_keypair *out)
{
    DC_CHECK(crypto_sign_seed_keypair(out->public, out->secret, seed) == 0);
}

void dc_exchange_from_seed(const uint8_t seed[32], struct dc_exchange *out)
{
    memcpy(out->secret, seed, 32);
    DC_CHECK(crypto_scalarmult_base(out->public, out->secret) == 0);
}

bool dc_exchange_shared(const struct dc_exchange *own, const uint8_t peer[32], uint8_t out[32])
{
    if (crypto_scalarmult(out, own->secret, peer) == 0)
        return true;
    memset(out, 0, 32);
    return false;
}

bool dc_key_is_valid(const uint8_t public_key[32])
{
    return crypto_core_ed25519_is_valid_point(public_key) == 1;
}

/* --- signatures ----------------------------------------------------------------------------- */

/* 64 bytes that depend on every bit of key and message: SipHash-128 of both, drawn out by four
 * more.  A long message goes in by its BLAKE2b hash. */
static void modelled_sign(const uint8_t public_key[32], const void *message, size_t size,
                          uint8_t out[64])
{
    static const uint8_t key[crypto_shorthash_siphashx24_KEYBYTES] = "destra modelled";
    uint8_t text[32 + 224], tag[crypto_shorthash_siphashx24_BYTES + 1];
    struct dc_hash hash;
    memcpy(text, public_key, 32);
    if (size > sizeof text - 32) {
        hash = dc_hash_bytes(DC_DOMAIN_MODELLED, message, size);
        message = hash.b;
        size = sizeof hash.b;
    }
    if (size != 0)
        memcpy(text + 32, message, size);
    crypto_shorthash_siphashx24(tag, text, 32 + size, key);
    for (uint8_t i = 0; i < 4; i++) {
        tag[sizeof tag - 1] = i;
        crypto_shorthash_siphashx24(out + 16 * i, tag, sizeof tag, key);
    }
}

void dc_sign(const struct dc_crypto *c, const struct dc_keypair *key, const void *message,
             size_t size, uint8_t signature[64])
{
    dc_crypto_count(c->counts, DC_OP_SIGN, false);
    dc_crypto_count(c->counts, DC_OP_SIGN, true);
    if (c->suite == DC_SUITE_MODELLED)
        modelled_sign(key->public, message, size, signature);
    else
        DC_CHECK(crypto_sign_detached(signature, NULL, message, size, key->secret) == 0);
    dc_crypto_offer(c, key->public, message, size, signature);
}

struct dc_hash dc_crypto_memo_key(const uint8_t public_key[32], const uint8_t *proof,
                                  size_t proof_size, const void *message, size_t size)
{
    uint8_t text[512], *p = text + 8 + 32;
    dc_put64(text, size);
    memcpy(text + 8, public_key, 32);
    memcpy(p, proof, proof_size);
    p += proof_size;
    struct dc_hash key;
    if (size > (size_t)(text + sizeof text - p)) {
        key = dc_hash_bytes(DC_DOMAIN_MEMO, message, size);
        message = key.b;
        size = sizeof key.b;
    }
    if (size != 0)
        memcpy(p, message, size);
    return dc_memo_key(text, (size_t)(p - text) + size);
}

static bool verify_real(const struct dc_crypto *c, const uint8_t public_key[32],
                        const void *message, size_t size, const uint8_t signature[64])
{
    dc_crypto_count(c->counts, DC_OP_VERIFY, true);
    return crypto_sign_verify_detached(signature, message, size, public_key) == 0;
}

bool dc_verify(const struct dc_crypto *c, const uint8_t public_key[32], const void *message,
               size_t size, const uint8_t signature[64])
{
    enum { VALID = 1, INVALID = 2 };
    dc_crypto_count(c->counts, DC_OP_VERIFY, false);
    if (c->suite == DC_SUITE_MODELLED) {
        uint8_t expected[64];
        dc_crypto_count(c->counts, DC_OP_VERIFY, true);
        modelled_sign(public_key, message, size, expected);
        return memcmp(expected, signature, sizeof expected) == 0;
    }
    if (c->memo == NULL)
        return verify_real(c, public_key, message, size, signature);
    struct dc_hash key =
        dc_crypto_memo_key(public_key, signature, DC_SIGNATURE_BYTES, message, size);
    uint32_t known = 0;
    if (!dc_memo_get(c->memo, &key, &known)) {
        bool valid = verify_real(c, public_key, message, size, signature);
        uint32_t answer = valid ? VALID : INVALID;
        dc_memo_put(c->memo, &key, &answer);
        return valid;
    }
    if (c->audit_every != 0 && dc_get32(key.b + 28) % c->audit_every == 0)
        DC_CHECK(verify_real(c, public_key, message, size, signature) == (known == VALID));
    return known == VALID;
}

bool dc_check_proof(const struct dc_crypto *c, enum dc_domain kind, const void *bytes, size_t size,
                    bool (*check)(const uint8_t *bytes, size_t size))
{
    enum { VALID = 1, INVALID = 2 };
    dc_crypto_count(c->counts, DC_OP_PROOF, false);
    if (c->memo == NULL) {
        dc_crypto_count(c->counts, DC_OP_PROOF, true);
        return check(bytes, size);
    }
    struct dc_hash key = dc_hash_bytes(kind, bytes, size);
    uint32_t known = 0;
    if (!dc_memo_get(c->memo, &key, &known)) {
        dc_crypto_count(c->counts, DC_OP_PROOF, true);
        known = check(bytes, size) ? VALID : INVALID;
        dc_memo_put(c->memo, &key, &known);
    } else if (c->audit_every != 0 && dc_get32(key.b + 28) % c->audit_every == 0) {
        DC_CHECK(check(bytes, size) == (known == VALID));
    }
    return known == VALID;
}

/* What the files of FROST share: a suite's group and hashes behind one set of functions. */
#ifndef MODELS_CRYPTO_FROST_IMPL_H
#define MODELS_CRYPTO_FROST_IMPL_H

#include "models/crypto/dkg.h"
#include "models/crypto/frost.h"

#include <sodium/crypto_hash_sha512.h>

/* A point of either group: libsodium's edwards25519 is computed on encodings. */
struct frost_point {
    union {
        struct dc_point ristretto;
        uint8_t edwards[32];
    } u;
};

/* A canonical point of the prime-order group that is not the identity. */
bool dc_frost_decode(enum dc_frost_suite suite, const uint8_t bytes[32], struct frost_point *out);
void dc_frost_encode(enum dc_frost_suite suite, const struct frost_point *p, uint8_t out[32]);
struct frost_point dc_frost_identity(enum dc_frost_suite suite);
struct frost_point dc_frost_add(enum dc_frost_suite suite, const struct frost_point *a,
                                const struct frost_point *b);
struct frost_point dc_frost_mul(enum dc_frost_suite suite, const struct dc_scalar *a,
                                const struct frost_point *p);
struct frost_point dc_frost_mul_base(enum dc_frost_suite suite, const struct dc_scalar *a);
bool dc_frost_is_identity(enum dc_frost_suite suite, const struct frost_point *p);

/* H1 to H5 and the two of key generation differ in a tag after the suite's context string; H2 of
 * Ed25519 has neither, so that its signatures are Ed25519's. */
enum frost_hash { FROST_RHO, FROST_CHALLENGE, FROST_NONCE, FROST_MESSAGE, FROST_LIST, FROST_DKG };
void dc_frost_hash_init(crypto_hash_sha512_state *state, enum dc_frost_suite suite,
                        enum frost_hash which);
void dc_frost_hash_feed(crypto_hash_sha512_state *state, const void *bytes, size_t size);
struct dc_scalar dc_frost_hash_scalar(crypto_hash_sha512_state *state);

/* The scalar at which a member has its share, and its 32 bytes. */
struct dc_scalar dc_frost_at(uint32_t member);
void dc_frost_identifier(uint32_t member, uint8_t out[32]);
bool dc_frost_ascending(const uint32_t *member, uint32_t count);

#endif

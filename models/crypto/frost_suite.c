/* The two suites: ristretto255 by group.h, edwards25519 by libsodium, SHA-512 for both. */
#include "models/crypto/frost_impl.h"

#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_scalarmult_ed25519.h>

static const uint8_t edwards_identity[32] = {1};

/* --- groups --------------------------------------------------------------------------------- */

bool dc_frost_decode(enum dc_frost_suite suite, const uint8_t bytes[32], struct frost_point *out)
{
    if (suite == DC_FROST_RISTRETTO255)
        return dc_point_decode_proper(bytes, &out->u.ristretto);
    if (crypto_core_ed25519_is_valid_point(bytes) != 1) {
        *out = dc_frost_identity(suite);
        return false;
    }
    memcpy(out->u.edwards, bytes, 32);
    return true;
}

void dc_frost_encode(enum dc_frost_suite suite, const struct frost_point *p, uint8_t out[32])
{
    if (suite == DC_FROST_RISTRETTO255)
        dc_point_encode(&p->u.ristretto, out);
    else
        memcpy(out, p->u.edwards, 32);
}

struct frost_point dc_frost_identity(enum dc_frost_suite suite)
{
    struct frost_point r;
    if (suite == DC_FROST_RISTRETTO255)
        r.u.ristretto = dc_point_identity();
    else
        memcpy(r.u.edwards, edwards_identity, 32);
    return r;
}

struct frost_point dc_frost_add(enum dc_frost_suite suite, const struct frost_point *a,
                                const struct frost_point *b)
{
    struct frost_point r;
    if (suite == DC_FROST_RISTRETTO255)
        r.u.ristretto = dc_point_add(&a->u.ristretto, &b->u.ristretto);
    else
        DC_CHECK(crypto_core_ed25519_add(r.u.edwards, a->u.edwards, b->u.edwards) == 0);
    return r;
}

/* libsodium refuses what gives the identity: zero scalars and the identity itself.  All points here
 * are of prime order, so nothing else does. */
struct frost_point dc_frost_mul(enum dc_frost_suite suite, const struct dc_scalar *a,
                                const struct frost_point *p)
{
    struct frost_point r;
    uint8_t scalar[32];
    if (suite == DC_FROST_RISTRETTO255) {
        r.u.ristretto = dc_point_mul(a, &p->u.ristretto);
        return r;
    }
    if (dc_scalar_is_zero(a) || dc_frost_is_identity(suite, p))
        return dc_frost_identity(suite);
    dc_scalar_encode(a, scalar);
    DC_CHECK(crypto_scalarmult_ed25519_noclamp(r.u.edwards, scalar, p->u.edwards) == 0);
    return r;
}

struct frost_point dc_frost_mul_base(enum dc_frost_suite suite, const struct dc_scalar *a)
{
    struct frost_point r;
    uint8_t scalar[32];
    if (suite == DC_FROST_RISTRETTO255) {
        r.u.ristretto = dc_point_mul_base(a);
        return r;
    }
    if (dc_scalar_is_zero(a))
        return dc_frost_identity(suite);
    dc_scalar_encode(a, scalar);
    DC_CHECK(crypto_scalarmult_ed25519_base_noclamp(r.u.edwards, scalar) == 0);
    return r;
}

bool dc_frost_is_identity(enum dc_frost_suite suite, const struct frost_point *p)
{
    if (suite == DC_FROST_RISTRETTO255)
        return dc_point_is_identity(&p->u.ristretto);
    return memcmp(p->u.edwards, edwards_identity, 32) == 0;
}

/* --- hashes --------------------------------------------------------------------------------- */

void dc_frost_hash_init(crypto_hash_sha512_state *state, enum dc_frost_suite suite,
                        enum frost_hash which)
{
    static const char *const context[] = {"FROST-ED25519-SHA512-v1",
                                          "FROST-RISTRETTO255-SHA512-v1"};
    static const char *const tag[] = {"rho", "chal", "nonce", "msg", "com", "dkg"};
    crypto_hash_sha512_init(state);
    if (suite == DC_FROST_ED25519 && which == FROST_CHALLENGE)
        return;
    dc_frost_hash_feed(state, context[suite], strlen(context[suite]));
    dc_frost_hash_feed(state, tag[which], strlen(tag[which]));
}

void dc_frost_hash_feed(crypto_hash_sha512_state *state, const void *bytes, size_t size)
{
    if (size != 0)
        crypto_hash_sha512_update(state, bytes, size);
}

struct dc_scalar dc_frost_hash_scalar(crypto_hash_sha512_state *state)
{
    uint8_t wide[64];
    crypto_hash_sha512_final(state, wide);
    return dc_scalar_wide(wide);
}

/* --- members -------------------------------------------------------------------------------- */

struct dc_scalar dc_frost_at(uint32_t member)
{
    return dc_scalar_u64((uint64_t)member + 1);
}

void dc_frost_identifier(uint32_t member, uint8_t out[32])
{
    memset(out, 0, 32);
    dc_put64(out, (uint64_t)member + 1);
}

bool dc_frost_ascending(const uint32_t *member, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (member[i - 1] >= member[i])
            return false;
    return count != 0 && count <= DC_FROST_MEMBERS_MAX;
}

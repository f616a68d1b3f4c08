/* Keys: one dealer, all members as dealers, and a lost share given back.  Polynomials of degree
 * t - 1 over the scalars; a member's share is the value at member + 1. */
#include "models/crypto/frost_impl.h"

void dc_frost_coefficients(const uint8_t seed[32], const void *context, size_t size,
                           uint32_t threshold, uint8_t (*coefficients)[32])
{
    struct dc_nonces n;
    dc_nonces_init(&n, seed, DC_DOMAIN_KEYGEN);
    dc_nonces_feed(&n, context, size);
    for (uint32_t k = 0; k < threshold; k++) {
        struct dc_scalar a = dc_nonces_next(&n);
        dc_scalar_encode(&a, coefficients[k]);
    }
}

bool dc_frost_commitments(enum dc_frost_suite suite, const uint8_t (*coefficients)[32],
                          uint32_t threshold, uint8_t (*commitments)[32])
{
    for (uint32_t k = 0; k < threshold; k++)
        if (!dc_frost_public(suite, coefficients[k], commitments[k]))
            return false;
    return threshold != 0;
}

bool dc_frost_share(const uint8_t (*coefficients)[32], uint32_t threshold, uint32_t member,
                    uint8_t out[32])
{
    struct dc_scalar x = dc_frost_at(member), sum = dc_scalar_zero(), a;
    for (uint32_t k = threshold; k-- > 0;) {
        if (!dc_scalar_decode(coefficients[k], &a))
            return false;
        sum = dc_scalar_mul(&sum, &x);
        sum = dc_scalar_add(&sum, &a);
    }
    dc_scalar_encode(&sum, out);
    return threshold != 0;
}

/* --- everybody deals ------------------------------------------------------------------------ */

static struct dc_scalar possession_challenge(enum dc_frost_suite suite, uint32_t member,
                                             const uint8_t commitment[32], const uint8_t r[32])
{
    crypto_hash_sha512_state state;
    uint8_t identifier[32];
    dc_frost_identifier(member, identifier);
    dc_frost_hash_init(&state, suite, FROST_DKG);
    dc_frost_hash_feed(&state, identifier, sizeof identifier);
    dc_frost_hash_feed(&state, commitment, 32);
    dc_frost_hash_feed(&state, r, 32);
    return dc_frost_hash_scalar(&state);
}

bool dc_frost_possession(enum dc_frost_suite suite, uint32_t member,
                         const uint8_t (*coefficients)[32], const uint8_t seed[32],
                         uint8_t proof[64])
{
    struct dc_nonces n;
    struct dc_scalar secret;
    uint8_t commitment[32], head[5] = {(uint8_t)suite};
    if (!dc_scalar_decode(coefficients[0], &secret) ||
        !dc_frost_public(suite, coefficients[0], commitment))
        return false;
    dc_put32(head + 1, member);
    dc_nonces_init(&n, seed, DC_DOMAIN_PROOF_NONCE);
    dc_nonces_feed(&n, "possession", 10);
    dc_nonces_feed(&n, head, sizeof head);
    dc_nonces_feed(&n, coefficients[0], 32);
    struct dc_scalar k = dc_nonces_next(&n);
    struct frost_point r = dc_frost_mul_base(suite, &k);
    dc_frost_encode(suite, &r, proof);
    struct dc_scalar c = possession_challenge(suite, member, commitment, proof);
    c = dc_scalar_mul(&c, &secret);
    k = dc_scalar_add(&k, &c);
    dc_scalar_encode(&k, proof + 32);
    return true;
}

bool dc_frost_possession_check(enum dc_frost_suite suite, uint32_t member,
                               const uint8_t commitment[32], const uint8_t proof[64])
{
    struct frost_point r, key, left;
    struct dc_scalar mu;
    uint8_t want[32], got[32];
    if (!dc_frost_decode(suite, proof, &r) || !dc_frost_decode(suite, commitment, &key) ||
        !dc_scalar_decode(proof + 32, &mu))
        return false;
    struct dc_scalar c = possession_challenge(suite, member, commitment, proof);
    key = dc_frost_mul(suite, &c, &key);
    key = dc_frost_add(suite, &key, &r);
    left = dc_frost_mul_base(suite, &mu);
    dc_frost_encode(suite, &key, want);
    dc_frost_encode(suite, &left, got);
    return memcmp(want, got, 32) == 0;
}

bool dc_frost_expected(enum dc_frost_suite suite, const uint8_t (*commitments)[32],
                       uint32_t threshold, uint32_t member, uint8_t out[32])
{
    struct dc_scalar x = dc_frost_at(member);
    struct frost_point sum = dc_frost_identity(suite), p;
    for (uint32_t k = threshold; k-- > 0;) {
        if (!dc_frost_decode(suite, commitments[k], &p))
            return false;
        sum = dc_frost_mul(suite, &x, &sum);
        sum = dc_frost_add(suite, &sum, &p);
    }
    dc_frost_encode(suite, &sum, out);
    return !dc_frost_is_identity(suite, &sum);
}

bool dc_frost_share_fits(enum dc_frost_suite suite, const uint8_t (*commitments)[32],
                         uint32_t threshold, uint32_t member, const uint8_t share[32])
{
    uint8_t want[32], got[32];
    return dc_frost_expected(suite, commitments, threshold, member, want) &&
           dc_frost_public(suite, share, got) && memcmp(want, got, 32) == 0;
}

bool dc_frost_scalars_add(const uint8_t (*scalars)[32], uint32_t count, uint8_t out[32])
{
    struct dc_scalar sum = dc_scalar_zero(), a;
    for (uint32_t i = 0; i < count; i++) {
        if (!dc_scalar_decode(scalars[i], &a))
            return false;
        sum = dc_scalar_add(&sum, &a);
    }
    dc_scalar_encode(&sum, out);
    return true;
}

bool dc_frost_points_add(enum dc_frost_suite suite, const uint8_t (*points)[32], uint32_t count,
                         uint8_t out[32])
{
    struct frost_point sum = dc_frost_identity(suite), p;
    for (uint32_t i = 0; i < count; i++) {
        if (!dc_frost_decode(suite, points[i], &p))
            return false;
        sum = dc_frost_add(suite, &sum, &p);
    }
    dc_frost_encode(suite, &sum, out);
    return !dc_frost_is_identity(suite, &sum);
}

/* --- a lost share --------------------------------------------------------------------------- */

bool dc_frost_repair(const uint32_t *helpers, uint32_t count, uint32_t index,
                     const uint8_t share[32], uint32_t lost, const uint8_t (*random)[32],
                     uint8_t (*delta)[32])
{
    struct dc_scalar x, at = dc_frost_at(lost), part;
    if (!dc_frost_ascending(helpers, count) || count < 2 || index >= count ||
        !dc_scalar_decode(share, &x))
        return false;
    struct dc_scalar weight = dc_lagrange_at(helpers, count, index, &at);
    struct dc_scalar rest = dc_scalar_mul(&weight, &x);
    for (uint32_t j = 0; j + 1 < count; j++) {
        if (!dc_scalar_decode(random[j], &part))
            return false;
        dc_scalar_encode(&part, delta[j]);
        rest = dc_scalar_sub(&rest, &part);
    }
    dc_scalar_encode(&rest, delta[count - 1]);
    return true;
}

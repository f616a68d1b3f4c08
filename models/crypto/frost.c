/* Signing (RFC 9591, sections 4 and 5): a session holds what all signers compute alike from a
 * package: each member's binding factor, the commitment R, the challenge. */
#include "models/crypto/frost_impl.h"

#include <sodium/crypto_sign_ed25519.h>

struct session {
    struct dc_scalar rho[DC_FROST_MEMBERS_MAX], challenge;
    uint32_t member[DC_FROST_MEMBERS_MAX];
    uint8_t r[32];
};

/* X || H4(message) || H5(list), which with an identifier after it is the input of H1. */
static void session_front(const struct dc_frost_package *p, crypto_hash_sha512_state *front)
{
    crypto_hash_sha512_state inner;
    uint8_t digest[64], identifier[32];
    dc_frost_hash_init(front, p->suite, FROST_RHO);
    dc_frost_hash_feed(front, p->group_key, 32);
    dc_frost_hash_init(&inner, p->suite, FROST_MESSAGE);
    dc_frost_hash_feed(&inner, p->message, p->size);
    crypto_hash_sha512_final(&inner, digest);
    dc_frost_hash_feed(front, digest, sizeof digest);
    dc_frost_hash_init(&inner, p->suite, FROST_LIST);
    for (uint32_t i = 0; i < p->count; i++) {
        dc_frost_identifier(p->list[i].member, identifier);
        dc_frost_hash_feed(&inner, identifier, sizeof identifier);
        dc_frost_hash_feed(&inner, p->list[i].hiding, 32);
        dc_frost_hash_feed(&inner, p->list[i].binding, 32);
    }
    crypto_hash_sha512_final(&inner, digest);
    dc_frost_hash_feed(front, digest, sizeof digest);
}

static struct dc_scalar session_challenge(const struct dc_frost_package *p, const uint8_t r[32])
{
    crypto_hash_sha512_state state;
    dc_frost_hash_init(&state, p->suite, FROST_CHALLENGE);
    dc_frost_hash_feed(&state, r, 32);
    dc_frost_hash_feed(&state, p->group_key, 32);
    dc_frost_hash_feed(&state, p->message, p->size);
    return dc_frost_hash_scalar(&state);
}

/* D + rho E of one line of the list. */
static bool session_part(const struct dc_frost_package *p, const struct session *s, uint32_t i,
                         struct frost_point *out)
{
    struct frost_point hiding, binding;
    if (!dc_frost_decode(p->suite, p->list[i].hiding, &hiding) ||
        !dc_frost_decode(p->suite, p->list[i].binding, &binding))
        return false;
    binding = dc_frost_mul(p->suite, &s->rho[i], &binding);
    *out = dc_frost_add(p->suite, &hiding, &binding);
    return true;
}

static bool session_make(const struct dc_frost_package *p, struct session *s)
{
    struct frost_point key, sum = dc_frost_identity(p->suite), part;
    crypto_hash_sha512_state front;
    if (p->count == 0 || p->count > DC_FROST_MEMBERS_MAX ||
        !dc_frost_decode(p->suite, p->group_key, &key))
        return false;
    for (uint32_t i = 0; i < p->count; i++)
        s->member[i] = p->list[i].member;
    if (!dc_frost_ascending(s->member, p->count))
        return false;
    session_front(p, &front);
    for (uint32_t i = 0; i < p->count; i++) {
        crypto_hash_sha512_state own = front;
        uint8_t identifier[32];
        dc_frost_identifier(s->member[i], identifier);
        dc_frost_hash_feed(&own, identifier, sizeof identifier);
        s->rho[i] = dc_frost_hash_scalar(&own);
        if (!session_part(p, s, i, &part))
            return false;
        sum = dc_frost_add(p->suite, &sum, &part);
    }
    dc_frost_encode(p->suite, &sum, s->r);
    s->challenge = session_challenge(p, s->r);
    return !dc_frost_is_identity(p->suite, &sum);
}

/* lambda_i c */
static struct dc_scalar session_weight(const struct dc_frost_package *p, const struct session *s,
                                       uint32_t i)
{
    struct dc_scalar lambda = dc_lagrange(s->member, p->count, i);
    return dc_scalar_mul(&lambda, &s->challenge);
}

/* --- round one ------------------------------------------------------------------------------ */

void dc_frost_nonce(enum dc_frost_suite suite, const uint8_t random[32], const uint8_t share[32],
                    uint8_t out[32])
{
    crypto_hash_sha512_state state;
    dc_frost_hash_init(&state, suite, FROST_NONCE);
    dc_frost_hash_feed(&state, random, 32);
    dc_frost_hash_feed(&state, share, 32);
    struct dc_scalar nonce = dc_frost_hash_scalar(&state);
    dc_scalar_encode(&nonce, out);
}

void dc_frost_nonces(enum dc_frost_suite suite, const uint8_t seed[32], const uint8_t share[32],
                     const void *message, size_t size, uint64_t counter,
                     struct dc_frost_nonces *out)
{
    struct dc_nonces n;
    uint8_t head[9] = {(uint8_t)suite}, random[2][32];
    dc_put64(head + 1, counter);
    dc_nonces_init(&n, seed, DC_DOMAIN_FROST);
    dc_nonces_feed(&n, head, sizeof head);
    dc_nonces_feed(&n, share, 32);
    dc_nonces_feed(&n, message, size);
    for (int k = 0; k < 2; k++) {
        struct dc_scalar a = dc_nonces_next(&n);
        dc_scalar_encode(&a, random[k]);
    }
    dc_frost_nonce(suite, random[0], share, out->hiding);
    dc_frost_nonce(suite, random[1], share, out->binding);
}

/* x B of the bytes of a scalar that is not zero. */
bool dc_frost_public(enum dc_frost_suite suite, const uint8_t share[32], uint8_t out[32])
{
    struct dc_scalar a;
    if (!dc_scalar_decode(share, &a) || dc_scalar_is_zero(&a))
        return false;
    struct frost_point p = dc_frost_mul_base(suite, &a);
    dc_frost_encode(suite, &p, out);
    return true;
}

void dc_frost_commit(enum dc_frost_suite suite, uint32_t member,
                     const struct dc_frost_nonces *nonces, struct dc_frost_commitment *out)
{
    out->member = member;
    DC_CHECK(dc_frost_public(suite, nonces->hiding, out->hiding) &&
             dc_frost_public(suite, nonces->binding, out->binding));
}

void dc_frost_commitment_encode(const struct dc_frost_commitment *c, uint8_t out[64])
{
    memcpy(out, c->hiding, 32);
    memcpy(out + 32, c->binding, 32);
}

bool dc_frost_commitment_decode(enum dc_frost_suite suite, uint32_t member, const uint8_t bytes[64],
                                struct dc_frost_commitment *out)
{
    struct frost_point p;
    out->member = member;
    memcpy(out->hiding, bytes, 32);
    memcpy(out->binding, bytes + 32, 32);
    return dc_frost_decode(suite, bytes, &p) && dc_frost_decode(suite, bytes + 32, &p);
}

/* --- round two ------------------------------------------------------------------------------ */

bool dc_frost_sign(const struct dc_frost_package *package, uint32_t member, const uint8_t share[32],
                   const struct dc_frost_nonces *nonces, uint8_t out[32])
{
    struct session s;
    struct dc_scalar x, d, e;
    uint8_t hiding[32], binding[32];
    if (!dc_scalar_decode(share, &x) || !dc_scalar_decode(nonces->hiding, &d) ||
        !dc_scalar_decode(nonces->binding, &e) || !session_make(package, &s))
        return false;
    uint32_t i = 0;
    while (i < package->count && s.member[i] != member)
        i++;
    if (i == package->count || !dc_frost_public(package->suite, nonces->hiding, hiding) ||
        !dc_frost_public(package->suite, nonces->binding, binding) ||
        memcmp(hiding, package->list[i].hiding, 32) != 0 ||
        memcmp(binding, package->list[i].binding, 32) != 0)
        return false;
    struct dc_scalar weight = session_weight(package, &s, i);
    e = dc_scalar_mul(&e, &s.rho[i]);
    x = dc_scalar_mul(&x, &weight);
    d = dc_scalar_add(&d, &e);
    d = dc_scalar_add(&d, &x);
    dc_scalar_encode(&d, out);
    return true;
}

static bool share_fits(const struct dc_frost_package *p, const struct session *s, uint32_t i,
                       const uint8_t share_key[32], const uint8_t z[32])
{
    struct frost_point key, part, left;
    struct dc_scalar a;
    if (!dc_frost_decode(p->suite, share_key, &key) || !dc_scalar_decode(z, &a) ||
        !session_part(p, s, i, &part))
        return false;
    struct dc_scalar weight = session_weight(p, s, i);
    uint8_t want[32], got[32];
    key = dc_frost_mul(p->suite, &weight, &key);
    part = dc_frost_add(p->suite, &part, &key);
    left = dc_frost_mul_base(p->suite, &a);
    dc_frost_encode(p->suite, &part, want);
    dc_frost_encode(p->suite, &left, got);
    return memcmp(want, got, 32) == 0;
}

bool dc_frost_share_check(const struct dc_frost_package *package, uint32_t index,
                          const uint8_t share_key[32], const uint8_t z[32])
{
    struct session s;
    return index < package->count && session_make(package, &s) &&
           share_fits(package, &s, index, share_key, z);
}

uint32_t dc_frost_cheats(const struct dc_frost_package *package, const uint8_t (*share_key)[32],
                         const uint8_t (*z)[32], bool *bad)
{
    struct session s;
    uint32_t cheats = 0;
    bool formed = session_make(package, &s);
    for (uint32_t i = 0; i < package->count; i++) {
        bad[i] = !formed || !share_fits(package, &s, i, share_key[i], z[i]);
        cheats += bad[i];
    }
    return cheats;
}

bool dc_frost_aggregate(const struct dc_frost_package *package, const uint8_t (*z)[32],
                        uint8_t signature[64])
{
    struct session s;
    if (!session_make(package, &s) || !dc_frost_scalars_add(z, package->count, signature + 32))
        return false;
    memcpy(signature, s.r, 32);
    return dc_frost_verify(package->suite, package->group_key, package->message, package->size,
                           signature);
}

bool dc_frost_verify(enum dc_frost_suite suite, const uint8_t group_key[32], const void *message,
                     size_t size, const uint8_t signature[64])
{
    if (suite == DC_FROST_ED25519)
        return crypto_sign_ed25519_verify_detached(signature, message, size, group_key) == 0;
    const struct dc_frost_package p = {
        .suite = suite, .group_key = group_key, .message = message, .size = size};
    struct frost_point key, r;
    struct dc_scalar z;
    if (!dc_frost_decode(suite, group_key, &key) || !dc_frost_decode(suite, signature, &r) ||
        !dc_scalar_decode(signature + 32, &z))
        return false;
    struct dc_scalar c = session_challenge(&p, signature);
    key = dc_frost_mul(suite, &c, &key);
    key = dc_frost_add(suite, &key, &r);
    r = dc_frost_mul_base(suite, &z);
    return dc_point_equal(&key.u.ristretto, &r.u.ristretto);
}

/* The group of prime order in which everything private is computed: ristretto255 (RFC 9496), its
 * scalars, and sums of many multiples.
 *
 * Points are libdecaf's, in memory as extended coordinates: 0.2 us for an addition, where libsodium
 * encodes and decodes at each call.  A point enters by dc_point_decode and leaves by
 * dc_point_encode, 32 bytes each, and both are the only forms that are compared or sent.
 *
 *     l = 2^252 + 27742317777372353535851937790883648493      scalars, 32 bytes, below l
 *
 * Functions named _vartime take time that depends on their arguments: for public data only. */
#ifndef MODELS_CRYPTO_GROUP_H
#define MODELS_CRYPTO_GROUP_H

#include "models/base/status.h"
#include "models/crypto/hash.h"

#include <decaf/point_255.h>

struct dc_scalar {
    decaf_255_scalar_t s;
};
struct dc_point {
    decaf_255_point_t p;
};

#define DC_POINT_BYTES ((size_t)32)
#define DC_SCALAR_BYTES ((size_t)32)

/* Makes what never changes: B~ and its multiples.  Called by dc_crypto_init, before any thread. */
void dc_group_init(void);

/* --- scalars ------------------------------------------------------------------------------- */

/* False, *out zero, unless the bytes are a scalar below l: others are no encodings. */
bool dc_scalar_decode(const uint8_t bytes[32], struct dc_scalar *out) DC_MUST_USE;
void dc_scalar_encode(const struct dc_scalar *a, uint8_t out[32]);
struct dc_scalar dc_scalar_wide(const uint8_t bytes[64]); /* little-endian, reduced modulo l */
struct dc_scalar dc_scalar_u64(uint64_t v);
struct dc_scalar dc_scalar_zero(void);
struct dc_scalar dc_scalar_one(void);
struct dc_scalar dc_scalar_add(const struct dc_scalar *a, const struct dc_scalar *b);
struct dc_scalar dc_scalar_sub(const struct dc_scalar *a, const struct dc_scalar *b);
struct dc_scalar dc_scalar_mul(const struct dc_scalar *a, const struct dc_scalar *b);
struct dc_scalar dc_scalar_neg(const struct dc_scalar *a);
struct dc_scalar dc_scalar_invert(const struct dc_scalar *a); /* of 0: 0.  10 us */
bool dc_scalar_equal(const struct dc_scalar *a, const struct dc_scalar *b);
bool dc_scalar_is_zero(const struct dc_scalar *a);

/* --- points -------------------------------------------------------------------------------- */

/* False, *out the identity, unless the bytes are the canonical encoding of a point.  The identity
 * (32 zero bytes) is one: who does not want it asks dc_point_is_identity. */
bool dc_point_decode(const uint8_t bytes[32], struct dc_point *out) DC_MUST_USE;
/* The same, and not the identity. */
bool dc_point_decode_proper(const uint8_t bytes[32], struct dc_point *out) DC_MUST_USE;
void dc_point_encode(const struct dc_point *a, uint8_t out[32]);
struct dc_point dc_point_identity(void);
struct dc_point dc_point_base(void);     /* B */
struct dc_point dc_point_blinding(void); /* B~ = from_hash(SHA3-512(encoding of B)) */
struct dc_point dc_point_add(const struct dc_point *a, const struct dc_point *b);
struct dc_point dc_point_sub(const struct dc_point *a, const struct dc_point *b);
struct dc_point dc_point_neg(const struct dc_point *a);
bool dc_point_equal(const struct dc_point *a, const struct dc_point *b);
bool dc_point_is_identity(const struct dc_point *a);
/* 64 uniform bytes to a point (RFC 9496, 4.3.4). */
struct dc_point dc_point_from_hash(const uint8_t bytes[64]);
/* a P, a B, a B + b B~ in constant time. */
struct dc_point dc_point_mul(const struct dc_scalar *a, const struct dc_point *p);
struct dc_point dc_point_mul_base(const struct dc_scalar *a);
/* Pedersen's commitment to a value under a blinding: value B + blinding B~. */
struct dc_point dc_pedersen(const struct dc_scalar *value, const struct dc_scalar *blinding);

/* sum of a[i] P[i].  Straus's method with width-5 non-adjacent forms for few points, Pippenger's
 * buckets from 180 on.  count 0 gives the identity.  11 points: 0.08 ms, 147: 0.8, 2074: 7.0. */
struct dc_point dc_msm_vartime(const struct dc_scalar *a, const struct dc_point *p, size_t count);
/* The same in constant time (Straus with fixed windows), for sums over secrets.  130 points: 1.1 ms. */
struct dc_point dc_msm(const struct dc_scalar *a, const struct dc_point *p, size_t count);

/* --- nonces -------------------------------------------------------------------------------- */

/* Scalars that nobody can foresee and that need no entropy: BLAKE2b-512 keyed with a secret, over
 * the domain, everything fed (statement and witness, length-prefixed) and a counter.  Never feed
 * less than the full statement: two proofs from one nonce give the secret away. */
struct dc_nonces {
    crypto_generichash_blake2b_state state;
    uint64_t next;
};
void dc_nonces_init(struct dc_nonces *n, const uint8_t secret[32], enum dc_domain domain);
void dc_nonces_feed(struct dc_nonces *n, const void *bytes, size_t size);
struct dc_scalar dc_nonces_next(struct dc_nonces *n);

#endif

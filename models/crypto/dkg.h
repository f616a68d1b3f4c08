/* A key that nobody has: distributed key generation over ristretto255 (Pedersen 1991 with Feldman's
 * commitments and proofs of possession), and threshold decryption of lifted ElGamal under it.
 *
 *   member d deals   f_d of degree t-1, coefficients derived from its seed
 *     publishes      F_dk = f_dk B for each coefficient, and Schnorr for f_d0
 *     sends to i     f_d(i + 1)                     checked against sum of (i+1)^k F_dk
 *   a share that does not fit: i complains; d publishes it; all see who lied (dc_dkg_judge)
 *   of the dealers that are left   x_i = sum f_d(i + 1),  X_i = x_i B,  X = sum F_d0
 *
 * Members are 0 .. count-1 and have the share at index + 1.  Any t shares interpolate x at 0
 * (dc_lagrange); t-1 of them fit every x.  The proof of possession keeps a dealer from choosing its
 * part against the others' (rogue keys); one that deals last may still bias bits of X, which
 * neither ElGamal nor the beacon needs to be uniform (Gennaro et al. 2007). */
#ifndef MODELS_CRYPTO_DKG_H
#define MODELS_CRYPTO_DKG_H

#include "models/crypto/group.h"

#define DC_DKG_MEMBERS_MAX 128

/* What a dealer publishes.  Large: from dc_mem_*. */
struct dc_dkg_deal {
    uint32_t dealer, threshold;
    uint8_t commitment[DC_DKG_MEMBERS_MAX][32]; /* of coefficient k, for k < threshold */
    uint8_t possession[64];                     /* of the secret of commitment[0] */
};

/* The part of one dealer: fills *out and share[i], for each of count members.  context: of the
 * ceremony, so that no deal fits another. */
void dc_dkg_make(const uint8_t seed[32], const uint8_t context[32], uint32_t dealer, uint32_t count,
                 uint32_t threshold, struct dc_dkg_deal *out, uint8_t (*share)[32]);
/* Well-formed, of this ceremony, and possessed. */
bool dc_dkg_check(const struct dc_dkg_deal *deal, const uint8_t context[32], uint32_t count,
                  uint32_t threshold) DC_MUST_USE;
/* Whether a share is what the dealer committed to. */
bool dc_dkg_share_fits(const struct dc_dkg_deal *deal, uint32_t member,
                       const uint8_t share[32]) DC_MUST_USE;
/* member complained; revealed is what the dealer published in answer (NULL: nothing).  True: the
 * dealer cheated and is out.  False: the complaint was wrong, and the revealed share is the one to
 * use. */
bool dc_dkg_dealer_cheats(const struct dc_dkg_deal *deal, uint32_t member,
                          const uint8_t revealed[32]) DC_MUST_USE;

/* What comes of the deals that are left, count_deals of them: the group's key and each member's.
 * False: none is left, a dealer stands twice, or the key is the identity. */
bool dc_dkg_keys(const struct dc_dkg_deal *const *deal, uint32_t count_deals, uint32_t count,
                 uint8_t group_key[32], uint8_t (*share_key)[32]) DC_MUST_USE;
/* A member's secret: the sum of the shares that those dealers sent it. */
bool dc_dkg_secret(const uint8_t (*share)[32], uint32_t count_deals, uint8_t out[32]) DC_MUST_USE;

/* Weight of member[i] when these `count` members (distinct) interpolate at 0. */
struct dc_scalar dc_lagrange(const uint32_t *member, uint32_t count, uint32_t i);
/* The same at another place than 0. */
struct dc_scalar dc_lagrange_at(const uint32_t *member, uint32_t count, uint32_t i,
                                const struct dc_scalar *place);
/* sum of weights times points: x P from x_i P.  False unless all are canonical points, members are
 * distinct and below DC_DKG_MEMBERS_MAX. */
bool dc_dkg_combine(const uint32_t *member, const uint8_t (*point)[32], uint32_t count,
                    uint8_t out[32]) DC_MUST_USE;

/* --- threshold decryption -------------------------------------------------------------------- */

/* x_i c1, challenge, response: who is wrong is known. */
#define DC_PARTIAL_BYTES ((size_t)96)

/* context: what is being decrypted (a contract, say), size bytes.  False: c1 is no point, or the
 * identity, under which nothing is hidden and nobody can be held to anything. */
bool dc_partial_make(const uint8_t secret[32], const uint8_t c1[32], const void *context,
                     size_t size, uint8_t out[DC_PARTIAL_BYTES]) DC_MUST_USE;
bool dc_partial_check(const uint8_t share_key[32], const uint8_t c1[32], const void *context,
                      size_t size, const uint8_t partial[DC_PARTIAL_BYTES]);
/* amount B from t checked partials' points: c2 - x c1.  False when dc_dkg_combine is, or c2 is no
 * point. */
bool dc_partial_combine(const uint32_t *member, const uint8_t (*point)[32], uint32_t count,
                        const uint8_t c2[32], uint8_t out[32]) DC_MUST_USE;
/* Whether a point is amount B. */
bool dc_amount_is(const uint8_t point[32], uint64_t amount);

#endif

/* FROST: t of n members sign together, in two rounds, and what comes out is one ordinary Schnorr
 * signature (RFC 9591).  Two suites: Ed25519 with SHA-512, whose signatures any Ed25519 verifier
 * takes (dc_verify), and ristretto255 with SHA-512.
 *
 *     round 1   member i    d, e secret            D = d B, E = e B         its commitment, 64 bytes
 *     round 2   binding     rho_i = H1(X, H4(message), H5(all commitments), i)
 *                           R = sum D_i + rho_i E_i,   c = H2(R, X, message)
 *               share       z_i = d + e rho_i + lambda_i x_i c              32 bytes
 *     check     z_i B = D_i + rho_i E_i + lambda_i c X_i                     so a cheat is named
 *     together  (R, sum z_i)
 *
 * Members are 0, 1, ..; in the group member m has the share at m + 1.  A list of commitments is in
 * strictly ascending order of members; every signer has to have the same one.
 *
 * One pair of nonces signs ONE list of commitments: dc_frost_nonces derives it from (message,
 * counter), so a member that is asked again, with other partners, counts up.  Signing twice with
 * different lists under one counter gives the share away.  Who may lose the count (a process that
 * begins again) feeds something that is new each time beside the message.
 *
 * Shares, points and nonces are 32 bytes each; a scalar is below l, an edwards25519 point canonical
 * and in the prime-order group, no point is the identity: everything else is refused. */
#ifndef MODELS_CRYPTO_FROST_H
#define MODELS_CRYPTO_FROST_H

#include "models/crypto/group.h"

enum dc_frost_suite { DC_FROST_ED25519, DC_FROST_RISTRETTO255 };

#define DC_FROST_MEMBERS_MAX 128u /* of a group; the arithmetic itself takes any below 2^32 - 1 */
#define DC_FROST_COMMITMENT_BYTES ((size_t)64)

struct dc_frost_nonces { /* secret; for one signature */
    uint8_t hiding[32], binding[32];
};
struct dc_frost_commitment {
    uint32_t member;
    uint8_t hiding[32], binding[32];
};
/* What is signed, the same for all signers. */
struct dc_frost_package {
    enum dc_frost_suite suite;
    const uint8_t *group_key; /* 32 */
    const void *message;
    size_t size;
    const struct dc_frost_commitment *list; /* of count, ascending */
    uint32_t count;                         /* 1 to DC_FROST_MEMBERS_MAX */
};

/* --- signing ------------------------------------------------------------------------------- */

/* Round one.  The nonces of (seed, message, counter) under this share: message is what is signed,
 * and whatever else shall tell two sessions apart. */
void dc_frost_nonces(enum dc_frost_suite suite, const uint8_t seed[32], const uint8_t share[32],
                     const void *message, size_t size, uint64_t counter,
                     struct dc_frost_nonces *out);
/* One nonce of RFC 9591's nonce_generate: H3(random || share).  What the above is made of. */
void dc_frost_nonce(enum dc_frost_suite suite, const uint8_t random[32], const uint8_t share[32],
                    uint8_t out[32]);
/* Their commitment, for the package.  25 us. */
void dc_frost_commit(enum dc_frost_suite suite, uint32_t member,
                     const struct dc_frost_nonces *nonces, struct dc_frost_commitment *out);
/* Its two points as they are sent; the member is the sender.  False: they are none. */
void dc_frost_commitment_encode(const struct dc_frost_commitment *c, uint8_t out[64]);
bool dc_frost_commitment_decode(enum dc_frost_suite suite, uint32_t member, const uint8_t bytes[64],
                                struct dc_frost_commitment *out) DC_MUST_USE;

/* Round two.  False when the list is malformed, or does not hold this member's own commitment. */
bool dc_frost_sign(const struct dc_frost_package *package, uint32_t member, const uint8_t share[32],
                   const struct dc_frost_nonces *nonces, uint8_t out[32]) DC_MUST_USE;
/* Whether list[index]'s part z fits its public share.  150 us for each signer
 * (edwards25519). */
bool dc_frost_share_check(const struct dc_frost_package *package, uint32_t index,
                          const uint8_t share_key[32], const uint8_t z[32]) DC_MUST_USE;
/* The same for all: bad[i] for each part that does not fit.  Returns how many; all of them when the
 * list is malformed. */
uint32_t dc_frost_cheats(const struct dc_frost_package *package, const uint8_t (*share_key)[32],
                         const uint8_t (*z)[32], bool *bad);
/* The signature of all parts z[count], in the order of the list.  False when it does not verify:
 * then dc_frost_share_check says whose fault it is. */
bool dc_frost_aggregate(const struct dc_frost_package *package, const uint8_t (*z)[32],
                        uint8_t signature[64]) DC_MUST_USE;
/* Ed25519: as dc_verify. */
bool dc_frost_verify(enum dc_frost_suite suite, const uint8_t group_key[32], const void *message,
                     size_t size, const uint8_t signature[64]) DC_MUST_USE;

/* --- keys by a dealer ----------------------------------------------------------------------- */

/* A polynomial's commitments and values: coefficient k is 32 bytes at coefficients[k], the secret
 * first.  False: a coefficient is no scalar, or the secret zero. */
bool dc_frost_commitments(enum dc_frost_suite suite, const uint8_t (*coefficients)[32],
                          uint32_t threshold, uint8_t (*commitments)[32]) DC_MUST_USE;
bool dc_frost_share(const uint8_t (*coefficients)[32], uint32_t threshold, uint32_t member,
                    uint8_t out[32]) DC_MUST_USE;
/* t coefficients that nobody can foresee, from a seed and a context. */
void dc_frost_coefficients(const uint8_t seed[32], const void *context, size_t size,
                           uint32_t threshold, uint8_t (*coefficients)[32]);
/* x B, of a share: its public share. */
bool dc_frost_public(enum dc_frost_suite suite, const uint8_t share[32],
                     uint8_t out[32]) DC_MUST_USE;

/* --- keys by everybody ----------------------------------------------------------------------
 *
 * Each member deals a polynomial (dc_frost_coefficients, dc_frost_commitments), publishes the
 * commitments with a proof that it knows the secret, and sends each other its dc_frost_share; a
 * member's signing share is the sum of what it got and its own. */

/* Proof of knowledge of coefficient 0, bound to the member. */
bool dc_frost_possession(enum dc_frost_suite suite, uint32_t member,
                         const uint8_t (*coefficients)[32], const uint8_t seed[32],
                         uint8_t proof[64]) DC_MUST_USE;
bool dc_frost_possession_check(enum dc_frost_suite suite, uint32_t member,
                               const uint8_t commitment[32], const uint8_t proof[64]) DC_MUST_USE;
/* sum of (member + 1)^k commitments[k]: what a member's public share under them is.  False: not
 * all are points, or the sum is the identity. */
bool dc_frost_expected(enum dc_frost_suite suite, const uint8_t (*commitments)[32],
                       uint32_t threshold, uint32_t member, uint8_t out[32]) DC_MUST_USE;
/* Whether a share that was sent fits them. */
bool dc_frost_share_fits(enum dc_frost_suite suite, const uint8_t (*commitments)[32],
                         uint32_t threshold, uint32_t member, const uint8_t share[32]) DC_MUST_USE;
/* Sums: of shares, and of points (dealers' commitments of one degree: [0] make the group key). */
bool dc_frost_scalars_add(const uint8_t (*scalars)[32], uint32_t count,
                          uint8_t out[32]) DC_MUST_USE;
bool dc_frost_points_add(enum dc_frost_suite suite, const uint8_t (*points)[32], uint32_t count,
                         uint8_t out[32]) DC_MUST_USE;

/* --- a lost share --------------------------------------------------------------------------
 *
 * t helpers give member `lost` its share again without any of them seeing it (Stinson and Wei
 * 2017): helper i splits lambda_i(lost) x_i into one delta for each helper; helper j sums what it
 * got (dc_frost_scalars_add) and sends the sum to the loser, who sums those. */

/* helpers[count], ascending, own at index; random[count - 1] are scalars (dc_frost_coefficients);
 * delta[j] goes to helpers[j]. */
bool dc_frost_repair(const uint32_t *helpers, uint32_t count, uint32_t index,
                     const uint8_t share[32], uint32_t lost, const uint8_t (*random)[32],
                     uint8_t (*delta)[32]) DC_MUST_USE;

#endif

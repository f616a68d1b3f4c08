/* CLSAG: concise linkable ring signatures (Goodell, Noether and Blue, "Concise linkable ring
 * signatures and forgery against adversarial keys", IACR 2019/654) on ristretto255.
 *
 *   ring      (P_0, C_0) ... (P_n-1, C_n-1)     one-time keys and commitments; one is the signer's
 *   pseudo    C'                                a commitment to the same amount, blinded anew
 *   signer    knows x: P_l = x B~  and  z: C_l - C' = z B~
 *   image     I = x Hp(P_l)                     of the key alone: two uses of one key show
 *             D = z Hp(P_l)
 *
 *   mu_P, mu_C = H(ring, C', I, D)
 *   L_i = s_i B~ + c_i (mu_P P_i + mu_C (C_i - C'))     R_i = s_i Hp(P_i) + c_i (mu_P I + mu_C D)
 *   c_i+1 = H(ring, C', I, D, message, L_i, R_i)        closes where it began
 *
 *   bytes     c_0 32 | s_0 32 ... s_n-1 32 | I 32 | D 32          448 for a ring of 11
 *
 * Keys stand on B~, the generator that blinds commitments, so that key and commitment are secrets
 * of one generator, as the scheme asks; amounts stand on B.  The group has prime order: no
 * cofactors.  There is one encoding of each signature, and nobody without x and z makes another out
 * of it.  Hashes are Merlin transcripts under "destra/privacy/v1/ring". */
#ifndef MODELS_CRYPTO_CLSAG_H
#define MODELS_CRYPTO_CLSAG_H

#include "models/base/status.h"
#include "models/crypto/hash.h"

#define DC_RING_MIN 2u
#define DC_RING_MAX 64u

struct dc_ring_member {
    uint8_t key[32]; /* P */
    uint8_t commitment[32];
};

static inline size_t dc_clsag_bytes(uint32_t ring)
{
    return (size_t)32 * ring + 96;
}
#define DC_CLSAG_BYTES_MAX ((size_t)(32 * DC_RING_MAX + 96))

/* What a signer knows. */
struct dc_clsag_secret {
    uint32_t index;    /* of its own member */
    uint8_t key[32];   /* x */
    uint8_t blind[32]; /* z */
    uint8_t seed[32];  /* nonces are derived from it and the whole statement */
};

/* Writes dc_clsag_bytes(n) bytes.  False, out zeroed, when there is no such signature: n out of
 * bounds, a member that is no proper point, secrets that do not open the member.  1.3 ms for 11. */
bool dc_clsag_sign(const uint8_t message[32], const struct dc_ring_member *ring, uint32_t n,
                   const uint8_t pseudo[32], const struct dc_clsag_secret *secret,
                   uint8_t *out) DC_MUST_USE;
/* Time depends on public data alone.  Refuses the identity as I, D or any P, scalars that are not
 * below l, points that are not canonical, and any other size.  1.3 ms for 11. */
bool dc_clsag_verify(const uint8_t message[32], const struct dc_ring_member *ring, uint32_t n,
                     const uint8_t pseudo[32], const uint8_t *signature, size_t size) DC_MUST_USE;

/* The image I in a signature by a ring of n; borrowed. */
static inline const uint8_t *dc_clsag_image(const uint8_t *signature, uint32_t n)
{
    return signature + 32 + (size_t)32 * n;
}
/* I = x Hp(P) of the key pair x; out is zeroed and false when x is no proper scalar. */
bool dc_clsag_key_image(const uint8_t x[32], uint8_t out[32]) DC_MUST_USE;

#endif

/* ElGamal encryption of amounts on ristretto255, additive: two kinds, one shape of two points.
 *
 *              first            second           key             opened with
 *   twisted    C = x B + r B~   D = r P          P = s^-1 B~     x B = C - s D
 *   lifted     c1 = r B         c2 = x B + r X   X = s B         x B = c2 - s c1
 *
 * A twisted ciphertext carries a Pedersen commitment, so that range and equality proofs apply to it
 * as it is (zk-ElGamal; ciphertexts for several readers share C and have a D each).  A lifted one
 * can be opened by a committee that holds s in shares (dkg.h): each gives s_i c1.
 *
 * Both open to x B; crypto/logarithm.h finds an x below 2^32.  Sums, differences and multiples of
 * ciphertexts are those of their points, encrypt the same of their amounts, and are public.
 *
 * The caller brings r, from derived nonces (group.h).  Not authenticated: a ciphertext is accepted
 * only with a proof about it. */
#ifndef MODELS_CRYPTO_ELGAMAL_H
#define MODELS_CRYPTO_ELGAMAL_H

#include "models/crypto/group.h"

#define DC_ELGAMAL_BYTES ((size_t)64)
#define DC_ELGAMAL_HANDLES_MAX 3

struct dc_elgamal {
    struct dc_point first, second;
};

/* False, *out identities, unless the bytes are two canonical points (identities are allowed). */
bool dc_elgamal_decode(const uint8_t bytes[64], struct dc_elgamal *out) DC_MUST_USE;
void dc_elgamal_encode(const struct dc_elgamal *a, uint8_t out[64]);
struct dc_elgamal dc_elgamal_add(const struct dc_elgamal *a, const struct dc_elgamal *b);
struct dc_elgamal dc_elgamal_sub(const struct dc_elgamal *a, const struct dc_elgamal *b);
struct dc_elgamal dc_elgamal_scale(const struct dc_elgamal *a, const struct dc_scalar *by);
/* *sum += add, in bytes, for who keeps ciphertexts encoded.  False, nothing changed, when one of
 * them is none. */
bool dc_elgamal_accumulate(uint8_t sum[64], const uint8_t add[64]) DC_MUST_USE;

/* secret: not zero. */
struct dc_point dc_twisted_key(const struct dc_scalar *secret);
struct dc_elgamal dc_twisted_encrypt(const struct dc_point *key, const struct dc_scalar *amount,
                                     const struct dc_scalar *r);
/* amount B. */
struct dc_point dc_twisted_open(const struct dc_scalar *secret, const struct dc_elgamal *a);
/* One commitment, a handle for each of count keys: out is C || D_1 || ... || D_count. */
void dc_twisted_group(const struct dc_point *key, uint32_t count, const struct dc_scalar *amount,
                      const struct dc_scalar *r, uint8_t *out);

struct dc_point dc_lifted_key(const struct dc_scalar *secret);
struct dc_elgamal dc_lifted_encrypt(const struct dc_point *key, const struct dc_scalar *amount,
                                    const struct dc_scalar *r);
struct dc_point dc_lifted_open(const struct dc_scalar *secret, const struct dc_elgamal *a);

#endif

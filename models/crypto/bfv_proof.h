/* Proof that whoever sends the half c1 = a u + e1 of a ciphertext knows the short u and e1 in it.
 *
 * Without one, ciphertexts are to be had by adding and subtracting others': a sum of honest ones
 * and of the negative of all but one of them opens to that one.  With one, whoever sends a half
 * could as well compute what its opening is, so the opening of a sum tells it the sum of the others
 * and nothing else, whatever it has seen of them, in this round or an earlier one.
 *
 *     prover    y_u, y_e uniform in boxes, w = a y_u + y_e, c = H(context, a, c1, w)
 *               z_u = y_u + c u, z_e = y_e + c e1; drawn again unless both lie in smaller boxes
 *     verifier  bounds of z, and c = H(context, a, c1, a z_u + z_e - c c1)
 *
 * Fiat and Shamir with aborts (Lyubashevsky 2009, 2012).  c has 20 coefficients of -1 or 1: 2^198 of
 * them.  |c u| <= 20 and |c e1| <= 420 coefficient by coefficient, so z is uniform in its box and
 * tells nothing of u and e1; half of the draws are taken.  From two answers to one w follows
 * (c - c') c1 = a u' + e' with u', e' below 2^24: relaxed, which suffices, since q has 108 bits and
 * nobody finds two short pairs for one f c1 (that would be a short vector of the lattice of a).
 *
 * Proof: c's seed 32 | z_u, 4096 of 19 bits | z_e, 4096 of 23 bits.  Not constant in time: the number
 * of draws depends on the secrets and the nonce. */
#ifndef MODELS_CRYPTO_BFV_PROOF_H
#define MODELS_CRYPTO_BFV_PROOF_H

#include "models/crypto/bfv.h"

#define DC_BFV_PROOF_BITS_MASK 19u  /* of a coefficient of z_u */
#define DC_BFV_PROOF_BITS_ERROR 23u /* of z_e */
#define DC_BFV_PROOF_BYTES                                                                         \
    (DC_HASH_BYTES + DC_BFV_DEGREE / 8 * (DC_BFV_PROOF_BITS_MASK + DC_BFV_PROOF_BITS_ERROR))

/* Of the half c[1] of dc_bfv_encrypt(key, plain, seed); a function of its arguments. */
void dc_bfv_prove(const struct dc_bfv *bfv, const struct dc_bfv_public *key,
                  const struct dc_bfv_plain *plain, const uint8_t seed[32],
                  const struct dc_hash *context, uint8_t out[DC_BFV_PROOF_BYTES]);
bool dc_bfv_proof_check(const struct dc_bfv *bfv, const struct dc_bfv_public *key,
                        const struct dc_bfv_poly *c1, const struct dc_hash *context,
                        const uint8_t proof[DC_BFV_PROOF_BYTES]) DC_MUST_USE;

#endif

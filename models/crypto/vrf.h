/* A verifiable random function: ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381, suite 0x03).
 *
 * The owner of a key makes, for any input alpha, one output beta and a proof pi of it; whoever has
 * the public key checks both.  The keys are Ed25519 keys (RFC 9381, section 5.5).
 *
 * Stricter than the RFC in one way that everybody shares: libsodium refuses points outside the
 * prime-order group, so a proof whose Gamma, or a key that, has a torsion part is invalid.
 * try-and-increment is variable-time in alpha, which is public here. */
#ifndef MODELS_CRYPTO_VRF_H
#define MODELS_CRYPTO_VRF_H

#include "models/crypto/crypto.h"

#define DC_VRF_PROOF_BYTES ((size_t)80)  /* Gamma 32, c 16, s 32 */
#define DC_VRF_OUTPUT_BYTES ((size_t)64) /* SHA-512 */

/* The intermediate values that RFC 9381 publishes beside its examples. */
struct dc_vrf_steps {
    uint8_t h[32], nonce[64], u[32], v[32];
    uint8_t counter; /* the try that succeeded */
};

/* Proof and output (beta may be NULL) of size bytes alpha; *steps may be NULL.  200 us.
 * c serves for counting alone and may be NULL. */
void dc_vrf_prove(const struct dc_crypto *c, const struct dc_keypair *key, const void *alpha,
                  size_t size, uint8_t proof[80], uint8_t beta[64], struct dc_vrf_steps *steps);
/* True when proof is one of alpha under public_key; beta (may be NULL) is then its output, zeros
 * otherwise.  Pure.  315 us. */
bool dc_vrf_verify(const uint8_t public_key[32], const void *alpha, size_t size,
                   const uint8_t proof[80], uint8_t beta[64]);
/* dc_vrf_verify through the table: under 1 us when remembered. */
bool dc_vrf_check(const struct dc_crypto *c, const uint8_t public_key[32], const void *alpha,
                  size_t size, const uint8_t proof[80], uint8_t beta[64]);

#endif

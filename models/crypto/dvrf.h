/* A distributed verifiable random function: one value for each message, which any t of the holders
 * make together and t-1 cannot foresee or change (Galindo et al. 2021, "DDH-DVRF"; the key from
 * dkg.h).
 *
 *     holder i   sigma_i = x_i H(message),  DLEQ that log_B X_i = log_H sigma_i
 *     any t      sigma = sum of lambda_i sigma_i = x H(message)       the same whoever they are
 *
 * H is ristretto255's one-way map of two BLAKE2b-256 of the message, counted.  A share is 96 bytes
 * (DC_BEACON_SHARE_BYTES in wire/tx.h): sigma_i, challenge, response. */
#ifndef MODELS_CRYPTO_DVRF_H
#define MODELS_CRYPTO_DVRF_H

#include "models/crypto/dkg.h"

#define DC_DVRF_SHARE_BYTES ((size_t)96) /* DC_BEACON_SHARE_BYTES of wire/tx.h */

void dc_dvrf_share(const uint8_t secret[32], const void *message, size_t size,
                   uint8_t share[DC_DVRF_SHARE_BYTES]);
bool dc_dvrf_check(const uint8_t share_key[32], const void *message, size_t size,
                   const uint8_t share[DC_DVRF_SHARE_BYTES]);
/* sigma from the first 32 bytes of checked shares. */
static inline bool dc_dvrf_combine(const uint32_t *member, const uint8_t (*sigma)[32],
                                   uint32_t count, uint8_t out[32])
{
    return dc_dkg_combine(member, sigma, count, out);
}

#endif

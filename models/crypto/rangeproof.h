/* Range proofs: the values in m Pedersen commitments are all below 2^bits (Bulletproofs; byte for
 * byte "rangeproof v1" of dalek-cryptography/bulletproofs).
 *
 *     A S T_1 T_2 | t(x) its blinding e blinding | inner product     32 (9 + 2 log2(bits m)) bytes
 *
 * bits is 8, 16, 32 or 64, m is 1, 2, 4, 8 or 16.  The caller's transcript binds a proof to its
 * place: both sides begin it alike; the proof appends the commitments itself. */
#ifndef MODELS_CRYPTO_RANGEPROOF_H
#define MODELS_CRYPTO_RANGEPROOF_H

#include "models/crypto/transcript.h"

#define DC_RANGE_VALUES_MAX 16u
#define DC_RANGE_BYTES_MAX ((size_t)32 * (9 + 2 * 10))

/* Of a proof; 0 when there is none of these sizes. */
size_t dc_range_bytes(uint32_t bits, uint32_t m);

/* Proves that value[i] < 2^bits and writes the commitments value[i] B + blinding[i] B~ and
 * dc_range_bytes of proof.  Nonces come from secret, the transcript and the witness.  False, with
 * nothing written, when there is no such proof: sizes, or a value that is too large.  In constant
 * time but for its sizes.  64 bits: 5.4 ms for one value, 37 ms for
 * eight. */
bool dc_range_prove(struct dc_transcript *t, uint32_t bits, const uint64_t *value,
                    const struct dc_scalar *blinding, uint32_t m, const uint8_t secret[32],
                    uint8_t commitment[][32], uint8_t *proof) DC_MUST_USE;

/* Whether the bytes are exactly one valid proof.  Commitments may be the identity (0, blinded by
 * 0), the proof's points may not.  One sum of 2 bits m + 2 log2(bits m) + m + 6 multiples, in
 * variable time.  64 bits: 0.9 ms for one value, 4.4 ms for eight. */
bool dc_range_verify(struct dc_transcript *t, uint32_t bits, const uint8_t commitment[][32],
                     uint32_t m, const uint8_t *proof, size_t size) DC_MUST_USE;

#endif

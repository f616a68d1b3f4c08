/* Proofs that a circuit's constraints hold, with nothing else told: R1CS Bulletproofs (Buenz et
 * al., IEEE S&P 2018; in two phases and with the layout of dalek's "yoloproofs").
 *
 *     A_I1 A_O1 S1 | A_I2 A_O2 S2, with gates in the second phase alone | T1 T3 T4 T5 T6
 *     t(x) its-blinding e-blinding | L R for each halving | a b            32 bytes each
 *
 * No vectors are published for these transcripts; our own are frozen (tests/crypto/test_r1cs.c). */
#ifndef MODELS_CRYPTO_R1CS_H
#define MODELS_CRYPTO_R1CS_H

#include "models/crypto/circuit.h"

#define DC_R1CS_GATES_MAX 4096u
#define DC_R1CS_PROOF_BYTES_MAX ((size_t)(3 + 3 + 5 + 3 + 2 * 12 + 2) * 32)

/* Of a proof with so many gates; second: some of them in the second phase. */
size_t dc_r1cs_proof_bytes(uint32_t gates, bool second);

/* Proves a circuit that was built with values; builds its second phase.  Nonces come from secret,
 * the transcript and the whole witness.  Returns the size, or 0 when out_max is too small or the
 * circuit has more gates than DC_R1CS_GATES_MAX.  1024 gates: about 150 ms. */
size_t dc_r1cs_prove(struct dc_circuit *c, const uint8_t secret[32], uint8_t *out, size_t out_max);
/* Whether the bytes are exactly one proof for a circuit that was built without values.  One sum of
 * 2 n + 2 log n + commitments + 13 multiples, variable time.  1024 gates: about 12 ms. */
bool dc_r1cs_verify(struct dc_circuit *c, const uint8_t *proof, size_t size);

#endif

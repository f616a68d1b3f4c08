/* Sigma proofs: knowledge of scalars that satisfy linear equations between points, made
 * non-interactive by a transcript.
 *
 *     row i:  sum over columns j of  secret[j] point[i][j]  =  target[i]
 *
 *     proof = Y_0 .. || z_0 ..    Y_i = sum of y_j point[i][j],  z_j = c secret[j] + y_j
 *     check   sum of z_j point[i][j]  =  c target[i] + Y_i   for all i at once, weighted with w^i
 *
 * All proofs of zk-ElGamal but one are such rows (sigma.c), in the published order of labels and
 * layouts; percentage-with-cap is an OR of two of them (sigma_cap.c), and its range proof over
 * amounts of different widths a Bulletproof (sigma_range.c).
 *
 * The caller's transcript binds a proof to its place: same label, same order of appends on both
 * sides; dc_sigma_transcript begins one as published.  Each function appends its own statement.
 * Stricter than published: no point of a statement or proof may be the identity (there, an absent
 * auditor's key and the second of two equal ciphertexts may).
 *
 * Keys and ciphertexts are twisted ElGamal (elgamal.h); nonces are derived from the witness and the
 * whole transcript.  Verifiers take variable time.  A false answer says nothing about where. */
#ifndef MODELS_CRYPTO_SIGMA_H
#define MODELS_CRYPTO_SIGMA_H

#include "models/crypto/elgamal.h"
#include "models/crypto/transcript.h"

#define DC_SIGMA_KEY_BYTES ((size_t)64)
#define DC_SIGMA_ZERO_BYTES ((size_t)96)
#define DC_SIGMA_EQUAL_COMMITMENT_BYTES ((size_t)192)
#define DC_SIGMA_EQUAL_CIPHERTEXT_BYTES ((size_t)224)
#define DC_SIGMA_GROUP_BYTES(handles) ((size_t)96 + 32 * (size_t)(handles))
#define DC_SIGMA_CAP_BYTES ((size_t)256)
#define DC_SIGMA_RANGE_BYTES(log2_bits) ((size_t)288 + 64 * (size_t)(log2_bits))

/* --- the general form ---------------------------------------------------------------------- */

#define DC_SIGMA_ROWS_MAX 4
#define DC_SIGMA_COLUMNS_MAX 3

struct dc_sigma {
    uint32_t rows, columns;
    const char *row_label[DC_SIGMA_ROWS_MAX], *column_label[DC_SIGMA_COLUMNS_MAX];
    uint8_t used[DC_SIGMA_ROWS_MAX]; /* bit j: point[i][j] is there */
    struct dc_point target[DC_SIGMA_ROWS_MAX];
    struct dc_point point[DC_SIGMA_ROWS_MAX][DC_SIGMA_COLUMNS_MAX];
};
static inline size_t dc_sigma_bytes(const struct dc_sigma *s)
{
    return 32 * ((size_t)s->rows + s->columns);
}
/* The statement stands in the transcript already.  Targets are not read when proving. */
void dc_sigma_prove(struct dc_transcript *t, const struct dc_sigma *s,
                    const struct dc_scalar *secret, uint8_t *proof);
bool dc_sigma_verify(struct dc_transcript *t, const struct dc_sigma *s, const uint8_t *proof);
/* Scalars that depend on everything in the transcript and on the witness. */
void dc_sigma_nonces(const struct dc_transcript *t, const struct dc_scalar *secret, uint32_t count,
                     struct dc_nonces *out);

/* --- zk-ElGamal ----------------------------------------------------------------------------- */

/* Transcript 'solana-zk-elgamal-proof-program-v1' with a first separator `label`. */
void dc_sigma_transcript(struct dc_transcript *t, const char *label);

/* Of the secret of a key: P = s^-1 B~. */
void dc_sigma_key_prove(struct dc_transcript *t, const struct dc_scalar *secret, uint8_t proof[64]);
bool dc_sigma_key_verify(struct dc_transcript *t, const uint8_t key[32], const uint8_t proof[64]);

/* A ciphertext under one's key holds 0. */
void dc_sigma_zero_prove(struct dc_transcript *t, const struct dc_scalar *secret,
                         const uint8_t ciphertext[64], uint8_t proof[96]);
bool dc_sigma_zero_verify(struct dc_transcript *t, const uint8_t key[32],
                          const uint8_t ciphertext[64], const uint8_t proof[96]);

/* A ciphertext under one's key and a commitment hold the same amount. */
void dc_sigma_equal_commitment_prove(struct dc_transcript *t, const struct dc_scalar *secret,
                                     const uint8_t ciphertext[64], const struct dc_scalar *amount,
                                     const struct dc_scalar *blinding, uint8_t proof[192]);
bool dc_sigma_equal_commitment_verify(struct dc_transcript *t, const uint8_t key[32],
                                      const uint8_t ciphertext[64], const uint8_t commitment[32],
                                      const uint8_t proof[192]);

/* A ciphertext under one's key and another that one made under key[1], with r, hold the same. */
void dc_sigma_equal_ciphertext_prove(struct dc_transcript *t, const struct dc_scalar *secret,
                                     const uint8_t other_key[32], const uint8_t ciphertext[64],
                                     const struct dc_scalar *amount, const struct dc_scalar *r,
                                     uint8_t proof[224]);
bool dc_sigma_equal_ciphertext_verify(struct dc_transcript *t, const uint8_t key[2][32],
                                      const uint8_t ciphertext[2][64], const uint8_t proof[224]);

/* A commitment with `handles` (2 or 3) handles, as dc_twisted_group makes it, can be opened by each
 * key's owner to what the prover knows. */
void dc_sigma_group_prove(struct dc_transcript *t, uint32_t handles, const uint8_t key[][32],
                          const struct dc_scalar *amount, const struct dc_scalar *r,
                          uint8_t *proof);
bool dc_sigma_group_verify(struct dc_transcript *t, uint32_t handles, const uint8_t key[][32],
                           const uint8_t *group, const uint8_t *proof);
/* Two of them under the same keys at once: [0] the low, [1] the high part of an amount. */
void dc_sigma_groups_prove(struct dc_transcript *t, uint32_t handles, const uint8_t key[][32],
                           const struct dc_scalar amount[2], const struct dc_scalar r[2],
                           uint8_t *proof);
bool dc_sigma_groups_verify(struct dc_transcript *t, uint32_t handles, const uint8_t key[][32],
                            const uint8_t *low, const uint8_t *high, const uint8_t *proof);

/* sigma_cap.c: either the first commitment holds cap, or the other two hold the same (a fee in per
 * cent, cut off).  Needs a range proof beside it: percentages wrap around l otherwise. */
struct dc_sigma_cap {
    uint8_t percentage[32], delta[32], claimed[32]; /* commitments */
    uint64_t cap;
};
struct dc_sigma_cap_secret {
    uint64_t percentage, delta;
    struct dc_scalar percentage_blinding, delta_blinding, claimed_blinding;
};
void dc_sigma_cap_prove(struct dc_transcript *t, const struct dc_sigma_cap *statement,
                        const struct dc_sigma_cap_secret *secret, uint8_t proof[256]);
bool dc_sigma_cap_verify(struct dc_transcript *t, const struct dc_sigma_cap *statement,
                         const uint8_t proof[256]);

/* sigma_range.c: amount i, in commitment i, is below 2^width[i].  Widths are 1 to 64, their sum a
 * power of two up to 256; proof: DC_SIGMA_RANGE_BYTES(log2 of the sum).  Appends no commitment:
 * they have to stand in the transcript. */
#define DC_SIGMA_RANGE_MAX 8
void dc_sigma_range_prove(struct dc_transcript *t, uint32_t count, const uint8_t *width,
                          const uint64_t *amount, const struct dc_scalar *blinding, uint8_t *proof);
bool dc_sigma_range_verify(struct dc_transcript *t, uint32_t count, const uint8_t *width,
                           const uint8_t commitment[][32], const uint8_t *proof, size_t size);

/* --- one scalar, one challenge ---------------------------------------------------------------
 *
 * proof = c || z, 64 bytes: the shorter form, where a check computes Y = z G - c T again.  Schnorr
 * is X = x B; Chaum-Pedersen (DLEQ) is X = x B and Z = x Q.  They append statement and Y. */
#define DC_DLEQ_BYTES ((size_t)64)
void dc_schnorr_prove(struct dc_transcript *t, const struct dc_scalar *x, uint8_t proof[64]);
bool dc_schnorr_verify(struct dc_transcript *t, const uint8_t key[32], const uint8_t proof[64]);
/* z_out = x Q, encoded. */
void dc_dleq_prove(struct dc_transcript *t, const struct dc_scalar *x, const uint8_t q[32],
                   uint8_t z_out[32], uint8_t proof[64]);
bool dc_dleq_verify(struct dc_transcript *t, const uint8_t key[32], const uint8_t q[32],
                    const uint8_t z[32], const uint8_t proof[64]);

#endif

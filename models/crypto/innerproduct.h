/* The inner-product argument of Bulletproofs (Bünz et al. 2018, section 3), in dalek's transcript
 * and layout: a proof in 2 log2(n) + 2 lines of 32 bytes of knowing a and b with
 *
 *     P = sum a[i] f[i] G[i] + sum b[i] h[i] H[i] + <a, b> Q
 *
 *     L_1 R_1 | L_2 R_2 | ... | a | b
 *
 * It hides nothing: a and b have to be blinded by the protocol above it, which is why both sides
 * may take variable time.  The verifier here makes no decision; it gives the scalars that the
 * caller's one sum needs. */
#ifndef MODELS_CRYPTO_INNERPRODUCT_H
#define MODELS_CRYPTO_INNERPRODUCT_H

#include "models/crypto/transcript.h"

#define DC_INNER_LOG_MAX 12
static inline size_t dc_inner_bytes(size_t log2_n)
{
    return 32 * (2 * log2_n + 2);
}

/* Appends "ipp v1" and n to t, and goes on to the last challenge.  n is a power of two, 1 to
 * 2^DC_INNER_LOG_MAX; a and b are overwritten; g_factor and h_factor of n scalars each, NULL for
 * ones; writes dc_inner_bytes(log2 n) into out. */
void dc_inner_prove(struct dc_transcript *t, const struct dc_point *q,
                    const struct dc_scalar *g_factor, const struct dc_scalar *h_factor,
                    const struct dc_point *g, const struct dc_point *h, struct dc_scalar *a,
                    struct dc_scalar *b, size_t n, uint8_t *out);

/* What a verifier needs of a proof, beside s.  The claim is
 *
 *     P + sum square[k] L[k] + sum inverse[k] R[k]
 *         = sum a s[i] f[i] G[i] + sum b s[n-1-i] h[i] H[i] + a b Q          (1/s[i] = s[n-1-i]) */
struct dc_inner {
    struct dc_scalar a, b;
    size_t rounds;
    struct dc_scalar square[DC_INNER_LOG_MAX], inverse[DC_INNER_LOG_MAX]; /* u^2, u^-2 */
    struct dc_point l[DC_INNER_LOG_MAX], r[DC_INNER_LOG_MAX];
};
/* Goes through t as the prover did.  False when size is not that of n, a point is none or the
 * identity, or a scalar is not below l.  Fills s with n scalars. */
bool dc_inner_read(struct dc_transcript *t, size_t n, const uint8_t *proof, size_t size,
                   struct dc_inner *out, struct dc_scalar *s) DC_MUST_USE;

/* The same under another name than "ipp v1": zk-ElGamal says "inner-product". */
void dc_inner_prove_named(struct dc_transcript *t, const char *name, const struct dc_point *q,
                          const struct dc_scalar *g_factor, const struct dc_scalar *h_factor,
                          const struct dc_point *g, const struct dc_point *h, struct dc_scalar *a,
                          struct dc_scalar *b, size_t n, uint8_t *out);
bool dc_inner_read_named(struct dc_transcript *t, const char *name, size_t n, const uint8_t *proof,
                         size_t size, struct dc_inner *out, struct dc_scalar *s) DC_MUST_USE;

/* sum a[i] b[i] */
struct dc_scalar dc_inner_product(const struct dc_scalar *a, const struct dc_scalar *b, size_t n);

#endif

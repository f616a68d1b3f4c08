/* BFV: encryption of 4096 integers modulo 65537 at a time, under which sums and products with plain
 * numbers are computed (Fan, Vercauteren 2012; ring learning with errors).
 *
 *     R_q = Z_q[X] / (X^4096 + 1)        q = q0 q1, two primes of 54 bits        t = 65537
 *     secret s: coefficients -1, 0, 1    public (b, a): b = -(a s + e)
 *     ciphertext (c0, c1): c0 + c1 s = delta m + noise,  delta = (q - 1) / t
 *
 * q has 108 bits: for degree 4096 and a ternary secret the table of the homomorphic encryption
 * standard (Albrecht and others 2018) allows 109 for 128 bits of security.  q0 and q1 are 1 modulo
 * 8192, so that products are taken pointwise after a number-theoretic transform, and 1 modulo t, so
 * that delta t = q - 1 and a product with a plain number costs no noise of its own.
 *
 * Everything that is sent or kept is in transformed form: sums and products of ciphertexts are then
 * pointwise, and only encryption, decryption and plain polynomials pass through the transform.  The
 * transform is one to one, so the encoding is canonical either way.
 *
 * Integers alone.  Randomness comes from seeds that the caller derives from secrets: no entropy is
 * drawn.  Not in constant time where values are reduced conditionally. */
#ifndef MODELS_CRYPTO_BFV_H
#define MODELS_CRYPTO_BFV_H

#include "models/base/status.h"
#include "models/crypto/hash.h"

#define DC_BFV_DEGREE 4096u
#define DC_BFV_PRIMES 2u
#define DC_BFV_PLAIN 65537u  /* t */
#define DC_BFV_ERROR_MAX 21  /* centred binomial of 42 coins: standard deviation 3.24 */
#define DC_BFV_DELTA_BITS 91 /* log2 of delta, rounded down */
#define DC_BFV_POLY_BYTES ((size_t)55296) /* 2 x 4096 x 54 bits */
#define DC_BFV_CIPHERTEXT_BYTES (2 * DC_BFV_POLY_BYTES)
#define DC_BFV_PUBLIC_BYTES (DC_HASH_BYTES + DC_BFV_POLY_BYTES)

/* Roots of unity for q0, q1 and t: 400 KB, the same for everybody, read-only once made. */
struct dc_bfv;
/* NULL when out of memory.  0.6 ms. */
struct dc_bfv *dc_bfv_open(void) DC_MUST_USE;
void dc_bfv_close(struct dc_bfv *bfv); /* NULL allowed */

/* An element of R_q, 64 KiB: transformed, unless its name says otherwise.  v[i] is modulo q_i. */
struct dc_bfv_poly {
    uint64_t v[DC_BFV_PRIMES][DC_BFV_DEGREE];
};
/* A polynomial modulo t by its coefficients, each below t. */
struct dc_bfv_plain {
    uint32_t v[DC_BFV_DEGREE];
};
struct dc_bfv_ciphertext {
    struct dc_bfv_poly c[2];
};
struct dc_bfv_secret {
    struct dc_bfv_poly s;
};
struct dc_bfv_public {
    struct dc_hash common; /* that `a` is expanded from: nobody chose it */
    struct dc_hash digest; /* of common and b */
    struct dc_bfv_poly b, a;
};

/* --- keys ------------------------------------------------------------------------------------ */

/* Secrets of one seed are the same; of different seeds, unrelated. */
void dc_bfv_secret_make(const struct dc_bfv *bfv, const uint8_t seed[32],
                        struct dc_bfv_secret *out);
/* The error of b comes from the seed too, under another name. */
void dc_bfv_public_make(const struct dc_bfv *bfv, const struct dc_bfv_secret *secret,
                        const uint8_t seed[32], const struct dc_hash *common,
                        struct dc_bfv_public *out);
/* Expands `a` and fills the digest from common and b, which are set. */
void dc_bfv_public_complete(const struct dc_bfv *bfv, struct dc_bfv_public *key);

/* --- encryption ------------------------------------------------------------------------------ */

/* The ciphertext is a function of (key, plain, seed): one seed may serve for many encryptions, and
 * equal ones are only what was equal before. */
void dc_bfv_encrypt(const struct dc_bfv *bfv, const struct dc_bfv_public *key,
                    const struct dc_bfv_plain *plain, const uint8_t seed[32],
                    struct dc_bfv_ciphertext *out);
/* Whatever is decrypted gives something: garbage under another key or with too much noise. */
void dc_bfv_decrypt(const struct dc_bfv *bfv, const struct dc_bfv_secret *secret,
                    const struct dc_bfv_ciphertext *c, struct dc_bfv_plain *out);
/* Bits that the noise of c may still grow before it decrypts to something else; 0 or 1 also when it
 * did. */
uint32_t dc_bfv_budget(const struct dc_bfv *bfv, const struct dc_bfv_secret *secret,
                       const struct dc_bfv_ciphertext *c);

/* --- computing ------------------------------------------------------------------------------- */

void dc_bfv_add(struct dc_bfv_ciphertext *a, const struct dc_bfv_ciphertext *b); /* a += b */
void dc_bfv_sub(struct dc_bfv_ciphertext *a, const struct dc_bfv_ciphertext *b);
void dc_bfv_add_plain(const struct dc_bfv *bfv, struct dc_bfv_ciphertext *a,
                      const struct dc_bfv_plain *b);
/* Noise grows by |factor|, which is at most t / 2. */
void dc_bfv_scale(struct dc_bfv_ciphertext *a, int32_t factor);
/* A plain polynomial as a factor: its coefficients between -t/2 and t/2. */
void dc_bfv_factor(const struct dc_bfv *bfv, const struct dc_bfv_plain *plain,
                   struct dc_bfv_poly *out);
/* a *= factor in the ring; noise grows by at most the sum of the factor's absolute coefficients. */
void dc_bfv_multiply(struct dc_bfv_ciphertext *a, const struct dc_bfv_poly *factor);
/* Adds an encryption of zero, and to its noise a uniform number of so many bits (at most 85), so
 * that the noise of `a` tells nothing about the factors that it went through. */
void dc_bfv_drown(const struct dc_bfv *bfv, const struct dc_bfv_public *key, uint32_t bits,
                  const uint8_t seed[32], struct dc_bfv_ciphertext *a);

/* --- what the numbers mean ------------------------------------------------------------------- */

/* Two packings of 4096 numbers into a plain polynomial, both kept by sums:
 *   slots         products are slot by slot as well
 *   coefficients  the numbers themselves; a product is the negacyclic convolution, so that one
 *                 product holds whole inner products (models/privacy/inference.h) */
void dc_bfv_slots_encode(const struct dc_bfv *bfv, const uint32_t values[DC_BFV_DEGREE],
                         struct dc_bfv_plain *out);
void dc_bfv_slots_decode(const struct dc_bfv *bfv, const struct dc_bfv_plain *plain,
                         uint32_t values[DC_BFV_DEGREE]);
/* Uniform modulo t, to mask what nobody is to see. */
void dc_bfv_plain_draw(const struct dc_hash *key, struct dc_bfv_plain *out);
/* v modulo t, and back to the number of least size. */
static inline uint32_t dc_bfv_residue(int64_t v)
{
    int64_t r = v % (int64_t)DC_BFV_PLAIN;
    return (uint32_t)(r < 0 ? r + (int64_t)DC_BFV_PLAIN : r);
}
static inline int32_t dc_bfv_centred(uint32_t v)
{
    return v > DC_BFV_PLAIN / 2 ? (int32_t)v - (int32_t)DC_BFV_PLAIN : (int32_t)v;
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* Values packed in 54 bits, little-endian, q0's first.  Decoding: false, *out undefined, when the
 * size is not the one or a value is not below its prime. */
void dc_bfv_poly_encode(const struct dc_bfv_poly *p, uint8_t out[DC_BFV_POLY_BYTES]);
bool dc_bfv_poly_decode(const void *bytes, size_t size, struct dc_bfv_poly *out) DC_MUST_USE;
void dc_bfv_ciphertext_encode(const struct dc_bfv_ciphertext *c,
                              uint8_t out[DC_BFV_CIPHERTEXT_BYTES]);
bool dc_bfv_ciphertext_decode(const void *bytes, size_t size,
                              struct dc_bfv_ciphertext *out) DC_MUST_USE;
/* common, then b. */
void dc_bfv_public_encode(const struct dc_bfv_public *key, uint8_t out[DC_BFV_PUBLIC_BYTES]);
bool dc_bfv_public_decode(const struct dc_bfv *bfv, const void *bytes, size_t size,
                          struct dc_bfv_public *out) DC_MUST_USE;
struct dc_hash dc_bfv_poly_digest(const struct dc_bfv_poly *p);

#endif

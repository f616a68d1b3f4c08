/* What the files bfv*.c share: arithmetic modulo q0, q1 and t, the transform, sampling.
 *
 * A number that is multiplied again and again carries its Shoup word floor(w 2^64 / p), which turns
 * the reduction into one high product.  The primes are below 2^54, so 4 p fits easily and the
 * transform reduces lazily (Harvey 2014). */
#ifndef MODELS_CRYPTO_BFV_IMPL_H
#define MODELS_CRYPTO_BFV_IMPL_H

#include "models/crypto/bfv.h"

#define BFV_N DC_BFV_DEGREE
#define BFV_Q0 UINT64_C(0x3ffffddfbde001)
#define BFV_Q1 UINT64_C(0x3ffffd1fbd2001)
#define BFV_BITS 54 /* of both */

typedef unsigned __int128 bfv_u128;

static const uint64_t bfv_prime[DC_BFV_PRIMES] = {BFV_Q0, BFV_Q1};

/* A modulus with the powers of a 8192nd root of unity psi in bit-reversed order, and of 1 / psi. */
struct bfv_field {
    uint64_t p;
    uint64_t inverse, inverse_shoup; /* of 4096 */
    uint64_t root[BFV_N], root_shoup[BFV_N];
    uint64_t back[BFV_N], back_shoup[BFV_N];
};
struct dc_bfv {
    struct bfv_field field[DC_BFV_PRIMES]; /* q0, q1 */
    struct bfv_field plain;                /* t */
};

static inline uint64_t bfv_shoup(uint64_t w, uint64_t p)
{
    return (uint64_t)(((bfv_u128)w << 64) / p);
}
/* x w modulo p, below 2 p, for any x. */
static inline uint64_t bfv_mul_lazy(uint64_t x, uint64_t w, uint64_t shoup, uint64_t p)
{
    uint64_t high = (uint64_t)((bfv_u128)x * shoup >> 64);
    return x * w - high * p;
}
static inline uint64_t bfv_less(uint64_t x, uint64_t p)
{
    return x >= p ? x - p : x;
}
static inline uint64_t bfv_add(uint64_t a, uint64_t b, uint64_t p)
{
    return bfv_less(a + b, p);
}
static inline uint64_t bfv_sub(uint64_t a, uint64_t b, uint64_t p)
{
    return bfv_less(a + p - b, p);
}
/* a b modulo a prime of 54 bits (Barrett); mu = floor(2^108 / p), which has 55 bits. */
static inline uint64_t bfv_mul(uint64_t a, uint64_t b, uint64_t p, uint64_t mu)
{
    bfv_u128 z = (bfv_u128)a * b;
    uint64_t high = (uint64_t)((bfv_u128)(uint64_t)(z >> (BFV_BITS - 1)) * mu >> (BFV_BITS + 1));
    uint64_t r = (uint64_t)z - high * p;
    return bfv_less(bfv_less(r, 2 * p), p);
}
static inline uint64_t bfv_mu(uint64_t p)
{
    return (uint64_t)(((bfv_u128)1 << (2 * BFV_BITS)) / p);
}
/* A signed number modulo p; |v| < 2^62. */
static inline uint64_t bfv_signed(int64_t v, uint64_t p)
{
    int64_t r = v % (int64_t)p;
    return (uint64_t)(r + (r < 0 ? (int64_t)p : 0));
}

/* --- bfv_ntt.c ------------------------------------------------------------------------------ */

/* In place; input below p, output below p.  Coefficients to values in bit-reversed order, and
 * back. */
void dc_bfv_field_forward(const struct bfv_field *f, uint64_t a[BFV_N]);
void dc_bfv_field_back(const struct bfv_field *f, uint64_t a[BFV_N]);
void dc_bfv_forward(const struct dc_bfv *bfv, struct dc_bfv_poly *a);
void dc_bfv_back(const struct dc_bfv *bfv, struct dc_bfv_poly *a);
/* out = a b, a += b, a -= b, pointwise; out may be a or b. */
void dc_bfv_poly_mul(const struct dc_bfv_poly *a, const struct dc_bfv_poly *b,
                     struct dc_bfv_poly *out);
void dc_bfv_poly_add(struct dc_bfv_poly *a, const struct dc_bfv_poly *b);
void dc_bfv_poly_sub(struct dc_bfv_poly *a, const struct dc_bfv_poly *b);
/* Small signed coefficients, transformed. */
void dc_bfv_from_small(const struct dc_bfv *bfv, const int32_t a[BFV_N], struct dc_bfv_poly *out);

/* --- bfv_sample.c --------------------------------------------------------------------------- */

/* Draws of one key: ChaCha20 under H(LATTICE, parts), a nonce for each use. */
enum bfv_use {
    BFV_USE_SECRET = 1,
    BFV_USE_KEY_ERROR,
    BFV_USE_COMMON,
    BFV_USE_MASK,   /* u of an encryption */
    BFV_USE_ERRORS, /* and the next */
    BFV_USE_ERRORS_2,
    BFV_USE_DROWN,
    BFV_USE_SMUDGE,
    BFV_USE_PLAIN
};
/* -1, 0, 1 with equal odds. */
void dc_bfv_draw_ternary(const struct dc_hash *key, enum bfv_use use, int32_t out[BFV_N]);
/* The same, added to out. */
void dc_bfv_draw_errors(const struct dc_hash *key, enum bfv_use use, int32_t out[BFV_N]);
/* Uniform in R_q: values below their primes. */
void dc_bfv_draw_uniform(const struct dc_hash *key, struct dc_bfv_poly *out);
/* Adds to each out[i] a uniform integer from -2^(bits - 1) on below 2^(bits - 1); bits <= 85. */
void dc_bfv_draw_wide(const struct dc_hash *key, enum bfv_use use, uint32_t bits,
                      __int128 out[BFV_N]);
void dc_bfv_from_wide(const struct dc_bfv *bfv, const __int128 a[BFV_N], struct dc_bfv_poly *out);

/* --- bfv.c ----------------------------------------------------------------------------------- */

/* What u, e0 and e1 of dc_bfv_encrypt are drawn from: BFV_USE_MASK, _ERRORS, _ERRORS_2. */
struct dc_hash dc_bfv_encrypt_draws(const struct dc_bfv_public *key,
                                    const struct dc_bfv_plain *plain, const uint8_t seed[32]);
/* delta m, transformed. */
void dc_bfv_from_plain(const struct dc_bfv *bfv, const struct dc_bfv_plain *m,
                       struct dc_bfv_poly *out);
/* Rounds x = delta m + noise (transformed, used up) to m; the bits of the largest |noise|. */
uint32_t dc_bfv_round(const struct dc_bfv *bfv, struct dc_bfv_poly *x, struct dc_bfv_plain *out);

#endif

/* A linear model computed on inputs that its owner cannot see.
 *
 *     client: features x --encrypt--> owner: w . x + b on the ciphertext --> client: decrypt
 *
 * Inner products by coefficients.  With x(X) = sum x_i X^i and w(X) = sum w_i X^(f-1-i) the
 * coefficient of X^(f-1) of the product is w . x: one product by a plain polynomial, where slots
 * would need a product and log2 f rotations (with keys for them).  Numbers wider than a plaintext
 * modulo 65537 are cut into signed digits of `digit_bits`: digit e of x lies at X^(e L 2f), digit d
 * of w at X^(d 2f), L digits each, and the product shows <x_e, w_d> for all pairs at once, at
 *
 *     position(e, d) = (e L + d) 2 f + f - 1     result = sum <x_e, w_d> 2^(digit_bits (e + d))
 *
 * so 4096 coefficients hold f features with 2 f L^2 <= 4096.  Exact: integers throughout.
 *
 * What is hidden.  The owner sees ciphertexts alone.  The client learns the products of digits, so
 * in the end a linear function of w for each question (f well-chosen questions give w away, as with
 * any linear model that answers in the open).  It learns no more: all other coefficients are masked
 * by uniform numbers of their own for each question and model, and the ciphertext is drowned in an
 * encryption of zero with 84 bits of noise.  This is so for ciphertexts that were encrypted.  A
 * client that sends a c0 of its choosing, with noise above 84 bits in it, reads w's digits out of
 * what the noise becomes, all in one question; a proof of its noise, which would stop that, is not
 * built. */
#ifndef MODELS_PRIVACY_INFERENCE_H
#define MODELS_PRIVACY_INFERENCE_H

#include "models/crypto/bfv.h"

#define DC_INFERENCE_FEATURES_MAX 512u
#define DC_INFERENCE_DROWN_BITS 84u

/* How numbers are cut: into the most digits that fit, as wide as the sums of products allow
 * (f 4^(digit_bits - 1) below t / 2), at most 25 bits in all: 8 to 16 features have 24 bits, 64
 * have 25, 128 have 16, 256 have 8, 512 have 6. */
struct dc_inference_shape {
    uint32_t features, digit_bits, digits;
    int64_t largest;      /* size of a feature or weight */
    int64_t bias_largest; /* of the bias */
};
/* False when there are no features or too many. */
bool dc_inference_shape_make(uint32_t features, struct dc_inference_shape *out) DC_MUST_USE;

struct dc_linear_model {
    uint32_t features;
    int32_t weight[DC_INFERENCE_FEATURES_MAX];
    int64_t bias;
};
/* The plain computation. */
int64_t dc_inference_plain(const struct dc_linear_model *model, const int32_t *x);

/* Client: x packed.  Numbers beyond `largest` are cut off at it. */
void dc_inference_pack(const struct dc_inference_shape *shape, const int32_t *x,
                       struct dc_bfv_plain *out);
/* Owner: the model as a factor, once, and the answer to one question in place.  Secret of the
 * owner: `seed`; one serves for all questions. */
void dc_inference_factor(const struct dc_bfv *bfv, const struct dc_inference_shape *shape,
                         const struct dc_linear_model *model, struct dc_bfv_poly *out);
void dc_inference_answer(const struct dc_bfv *bfv, const struct dc_inference_shape *shape,
                         const struct dc_bfv_poly *factor, int64_t bias,
                         const struct dc_bfv_public *client, const uint8_t seed[32],
                         struct dc_bfv_ciphertext *question);
/* Client: w . x + b. */
int64_t dc_inference_unpack(const struct dc_inference_shape *shape,
                            const struct dc_bfv_plain *answer);

/* --- data of a run --------------------------------------------------------------------------- */

/* A model, and the n-th input, drawn from seeds (the call's): what participants use, and what the
 * world draws again to compare. */
void dc_inference_model_draw(const struct dc_inference_shape *shape, uint64_t seed,
                             struct dc_linear_model *out);
void dc_inference_input_draw(const struct dc_inference_shape *shape, uint64_t seed, uint32_t n,
                             int32_t *x);
/* What a client's DC_NOTE_APP says after `questions` answers: a digest of the answers in order. */
uint64_t dc_inference_digest(uint64_t before, int64_t answer); /* the first: before 0 */
/* The whole in plain: what that note has to say. */
uint64_t dc_inference_expect(uint64_t model_seed, uint64_t input_seed, uint32_t features,
                             uint32_t questions);

#endif

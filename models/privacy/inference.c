/* Linear models on encrypted inputs: cutting numbers into digits, packing, masking. */
#include "models/privacy/inference.h"

#include "models/base/fixed.h"
#include "models/base/rng.h"

#define BITS_MAX 25u /* of a feature: an answer then fits 58 bits */

bool dc_inference_shape_make(uint32_t features, struct dc_inference_shape *out)
{
    *out = (struct dc_inference_shape){.features = features};
    if (features < 1 || features > DC_INFERENCE_FEATURES_MAX)
        return false;
    uint32_t bits = 2, digits = 1;
    /* one product, and a digit of the bias, stay below t / 2 */
    while (((uint64_t)features << 2 * bits) + (UINT64_C(1) << bits) <= DC_BFV_PLAIN / 2)
        bits++;
    while (2 * features * (digits + 1) * (digits + 1) <= DC_BFV_DEGREE &&
           bits * (digits + 1) <= BITS_MAX)
        digits++;
    out->digit_bits = bits;
    out->digits = digits;
    /* digits are at most 2^(bits - 1) - 1 upwards */
    int64_t top = (INT64_C(1) << (bits - 1)) - 1;
    for (uint32_t i = 0; i < digits; i++)
        out->largest = (out->largest << bits) + top;
    for (uint32_t i = 0; i < 2 * digits - 1; i++)
        out->bias_largest = (out->bias_largest << bits) + top;
    return true;
}

int64_t dc_inference_plain(const struct dc_linear_model *model, const int32_t *x)
{
    int64_t sum = model->bias;
    for (uint32_t i = 0; i < model->features; i++)
        sum += (int64_t)model->weight[i] * x[i];
    return sum;
}

/* The lowest signed digit of *v, which loses it. */
static int32_t digit_take(int64_t *v, uint32_t bits)
{
    int64_t base = INT64_C(1) << bits, d = *v & (base - 1);
    if (d >= base / 2)
        d -= base;
    *v = (*v - d) / base;
    return (int32_t)d;
}

static int64_t cut(int64_t v, int64_t largest)
{
    return v > largest ? largest : v < -largest ? -largest : v;
}

/* Where the product of digit e of the features and digit d of the weights comes to stand. */
static uint32_t position(const struct dc_inference_shape *s, uint32_t e, uint32_t d)
{
    return (e * s->digits + d) * 2 * s->features + s->features - 1;
}

void dc_inference_pack(const struct dc_inference_shape *shape, const int32_t *x,
                       struct dc_bfv_plain *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < shape->features; i++) {
        int64_t v = cut(x[i], shape->largest);
        for (uint32_t e = 0; e < shape->digits; e++)
            out->v[e * shape->digits * 2 * shape->features + i] =
                dc_bfv_residue(digit_take(&v, shape->digit_bits));
    }
}

void dc_inference_factor(const struct dc_bfv *bfv, const struct dc_inference_shape *shape,
                         const struct dc_linear_model *model, struct dc_bfv_poly *out)
{
    struct dc_bfv_plain w;
    memset(&w, 0, sizeof w);
    for (uint32_t i = 0; i < shape->features; i++) {
        int64_t v = cut(model->weight[i], shape->largest);
        for (uint32_t d = 0; d < shape->digits; d++)
            w.v[d * 2 * shape->features + shape->features - 1 - i] =
                dc_bfv_residue(digit_take(&v, shape->digit_bits));
    }
    dc_bfv_factor(bfv, &w, out);
}

/* Noise where the client is to learn nothing, the bias's digits where it learns the products: digit
 * k at the first pair that has its weight. */
static void mask_make(const struct dc_inference_shape *shape, int64_t bias,
                      const struct dc_hash *key, struct dc_bfv_plain *out)
{
    dc_bfv_plain_draw(key, out);
    for (uint32_t e = 0; e < shape->digits; e++)
        for (uint32_t d = 0; d < shape->digits; d++)
            out->v[position(shape, e, d)] = 0;
    int64_t v = cut(bias, shape->bias_largest);
    for (uint32_t k = 0; k < 2 * shape->digits - 1; k++) {
        uint32_t e = k < shape->digits ? 0 : k - shape->digits + 1;
        out->v[position(shape, e, k - e)] = dc_bfv_residue(digit_take(&v, shape->digit_bits));
    }
}

void dc_inference_answer(const struct dc_bfv *bfv, const struct dc_inference_shape *shape,
                         const struct dc_bfv_poly *factor, int64_t bias,
                         const struct dc_bfv_public *client, const uint8_t seed[32],
                         struct dc_bfv_ciphertext *question)
{
    struct dc_hash asked = dc_bfv_poly_digest(&question->c[1]);
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_INFERENCE);
    dc_hasher_update(&h, seed, 32);
    dc_hasher_update(&h, asked.b, sizeof asked.b);
    asked = dc_bfv_poly_digest(&question->c[0]);
    dc_hasher_update(&h, asked.b, sizeof asked.b);
    /* of the model too: one mask for two models would give their difference away */
    asked = dc_bfv_poly_digest(factor);
    dc_hasher_update(&h, asked.b, sizeof asked.b);
    dc_hasher_update64(&h, (uint64_t)bias);
    struct dc_hash key = dc_hasher_final(&h);
    struct dc_bfv_plain mask;
    mask_make(shape, bias, &key, &mask);
    dc_bfv_multiply(question, factor);
    dc_bfv_add_plain(bfv, question, &mask);
    dc_bfv_drown(bfv, client, DC_INFERENCE_DROWN_BITS, key.b, question);
}

int64_t dc_inference_unpack(const struct dc_inference_shape *shape,
                            const struct dc_bfv_plain *answer)
{
    int64_t sum = 0;
    for (uint32_t e = 0; e < shape->digits; e++)
        for (uint32_t d = 0; d < shape->digits; d++)
            sum += (int64_t)dc_bfv_centred(answer->v[position(shape, e, d)]) *
                   (INT64_C(1) << (shape->digit_bits * (e + d)));
    return sum;
}

/* --- data of a run -------------------------------------------------------------------------- */

static int64_t uniform(struct dc_stream *s, int64_t largest)
{
    return (int64_t)dc_next_below(s, 2 * (uint64_t)largest + 1) - largest;
}

void dc_inference_model_draw(const struct dc_inference_shape *shape, uint64_t seed,
                             struct dc_linear_model *out)
{
    struct dc_stream s = dc_stream(seed, dc_name("inference"), dc_name("model"));
    *out = (struct dc_linear_model){.features = shape->features};
    for (uint32_t i = 0; i < shape->features; i++)
        out->weight[i] = (int32_t)uniform(&s, shape->largest);
    out->bias = uniform(&s, shape->bias_largest);
}

void dc_inference_input_draw(const struct dc_inference_shape *shape, uint64_t seed, uint32_t n,
                             int32_t *x)
{
    struct dc_stream s = dc_stream(seed, dc_name_indexed("inference", n), dc_name("input"));
    for (uint32_t i = 0; i < shape->features; i++)
        x[i] = (int32_t)uniform(&s, shape->largest);
}

uint64_t dc_inference_digest(uint64_t before, int64_t answer)
{
    return dc_mix64(dc_mix64(before) + (uint64_t)answer);
}

uint64_t dc_inference_expect(uint64_t model_seed, uint64_t input_seed, uint32_t features,
                             uint32_t questions)
{
    struct dc_inference_shape shape;
    DC_CHECK(dc_inference_shape_make(features, &shape));
    struct dc_linear_model model;
    int32_t x[DC_INFERENCE_FEATURES_MAX] = {0};
    uint64_t digest = 0;
    dc_inference_model_draw(&shape, model_seed, &model);
    for (uint32_t n = 0; n < questions; n++) {
        dc_inference_input_draw(&shape, input_seed, n, x);
        digest = dc_inference_digest(digest, dc_inference_plain(&model, x));
    }
    return digest;
}

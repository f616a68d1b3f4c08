/* Inference on encrypted inputs: the answer is that of the plain computation to the last bit, for a
 * thousand random models and inputs and for the largest numbers; all else in it is noise. */
#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "models/privacy/inference.h"
#include "tests/support/harness.h"

#include <string.h>

static struct dc_bfv *bfv;
static struct dc_bfv_secret secret;
static struct dc_bfv_public key;
static const uint8_t client_seed[32] = "client", owner_seed[32] = "owner";

/* Asks under encryption; also the budget that is left. */
static int64_t ask(const struct dc_inference_shape *shape, const struct dc_linear_model *model,
                   const int32_t *x, struct dc_bfv_plain *plain, uint32_t *budget)
{
    static struct dc_bfv_ciphertext c;
    static struct dc_bfv_poly factor;
    static struct dc_bfv_plain own;
    plain = plain == NULL ? &own : plain;
    dc_inference_pack(shape, x, plain);
    dc_bfv_encrypt(bfv, &key, plain, client_seed, &c);
    dc_inference_factor(bfv, shape, model, &factor);
    dc_inference_answer(bfv, shape, &factor, model->bias, &key, owner_seed, &c);
    dc_bfv_decrypt(bfv, &secret, &c, plain);
    if (budget != NULL)
        *budget = dc_bfv_budget(bfv, &secret, &c);
    return dc_inference_unpack(shape, plain);
}

static void test_thousand(void)
{
    struct dc_stream s = dc_stream(1000, dc_name("test"), dc_name("inference"));
    struct dc_inference_shape shape;
    static struct dc_linear_model model;
    static int32_t x[DC_INFERENCE_FEATURES_MAX];
    uint32_t agreed = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t features = 1 + (uint32_t)dc_next_below(&s, i % 4 == 0 ? 512 : 64);
        CU_ASSERT_FATAL(dc_inference_shape_make(features, &shape));
        dc_inference_model_draw(&shape, dc_next64(&s), &model);
        dc_inference_input_draw(&shape, dc_next64(&s), i, x);
        agreed += ask(&shape, &model, x, NULL, NULL) == dc_inference_plain(&model, x);
    }
    CU_ASSERT_EQUAL(agreed, 1000);
}

/* Every number as large as it may be, in all combinations of signs. */
static void test_largest(void)
{
    static const uint32_t features[] = {1,  2,  7,   8,   16,  31,  32, 33,
                                        64, 81, 127, 128, 256, 511, 512};
    static struct dc_linear_model model;
    static int32_t x[DC_INFERENCE_FEATURES_MAX];
    for (int k = 0; k < 15; k++)
        for (int sign = 0; sign < 8; sign++) {
            struct dc_inference_shape shape;
            CU_ASSERT_FATAL(dc_inference_shape_make(features[k], &shape));
            CU_ASSERT(shape.largest > 0 && shape.bias_largest > 0);
            model.features = features[k];
            for (uint32_t i = 0; i < features[k]; i++) {
                model.weight[i] = (int32_t)(sign & 1 ? -shape.largest : shape.largest);
                x[i] = (int32_t)(sign & 2 ? -shape.largest : shape.largest);
            }
            model.bias = sign & 4 ? -shape.bias_largest : shape.bias_largest;
            uint32_t budget;
            CU_ASSERT_EQUAL(ask(&shape, &model, x, NULL, &budget), dc_inference_plain(&model, x));
            CU_ASSERT(budget >= 5);
        }
    struct dc_inference_shape shape;
    CU_ASSERT_FALSE(dc_inference_shape_make(0, &shape));
    CU_ASSERT_FALSE(dc_inference_shape_make(DC_INFERENCE_FEATURES_MAX + 1, &shape));
}

/* Two questions that differ where the model does not look: the client's other coefficients and the
 * noise do not repeat, and without the mask they would have been small. */
static void test_hidden(void)
{
    struct dc_inference_shape shape;
    static struct dc_linear_model model;
    static int32_t x[DC_INFERENCE_FEATURES_MAX];
    static struct dc_bfv_plain a, b;
    CU_ASSERT_FATAL(dc_inference_shape_make(64, &shape));
    memset(&model, 0, sizeof model);
    model.features = 64;
    model.weight[0] = 1; /* one weight: bare, almost all of the product would be zero */
    for (uint32_t i = 0; i < 64; i++)
        x[i] = (int32_t)i;
    CU_ASSERT_EQUAL(ask(&shape, &model, x, &a, NULL), 0);
    x[1]++; /* with which this model does nothing */
    CU_ASSERT_EQUAL(ask(&shape, &model, x, &b, NULL), 0);
    uint32_t same = 0, zero = 0;
    for (uint32_t j = 0; j < DC_BFV_DEGREE; j++) {
        same += a.v[j] == b.v[j];
        zero += a.v[j] == 0;
    }
    uint32_t open = shape.digits * shape.digits; /* what the client is to see */
    CU_ASSERT(same <= open + 4);
    CU_ASSERT(zero <= open + 4);
}

/* The same question, the same bytes, to two models of one owner: were the mask the same, the
 * difference of the answers would be that of the models, for all weights at once. */
static void test_two_models(void)
{
    struct dc_inference_shape shape;
    static struct dc_linear_model model;
    static int32_t x[DC_INFERENCE_FEATURES_MAX];
    static struct dc_bfv_plain answer[3];
    CU_ASSERT_FATAL(dc_inference_shape_make(64, &shape));
    memset(x, 0, sizeof x); /* so that an answer is bias and mask alone */
    memset(&model, 0, sizeof model);
    model.features = 64;
    for (int k = 0; k < 3; k++) {
        model.weight[5] = k != 0;
        model.bias = k == 2;
        CU_ASSERT_EQUAL(ask(&shape, &model, x, &answer[k], NULL), model.bias);
    }
    uint32_t same[2] = {0}, open = shape.digits * shape.digits;
    for (uint32_t j = 0; j < DC_BFV_DEGREE; j++)
        for (int k = 0; k < 2; k++)
            same[k] += answer[k].v[j] == answer[k + 1].v[j];
    CU_ASSERT(same[0] <= open + 4); /* another weight */
    CU_ASSERT(same[1] <= open + 4); /* another bias */
}

static void test_expect(void)
{
    struct dc_inference_shape shape;
    static struct dc_linear_model model;
    static int32_t x[DC_INFERENCE_FEATURES_MAX];
    uint64_t digest = 0;
    CU_ASSERT_FATAL(dc_inference_shape_make(20, &shape));
    dc_inference_model_draw(&shape, 5, &model);
    for (uint32_t n = 0; n < 4; n++) {
        dc_inference_input_draw(&shape, 6, n, x);
        digest = dc_inference_digest(digest, ask(&shape, &model, x, NULL, NULL));
    }
    CU_ASSERT_EQUAL(digest, dc_inference_expect(5, 6, 20, 4));
    CU_ASSERT_NOT_EQUAL(digest, dc_inference_expect(5, 7, 20, 4));
    CU_ASSERT_NOT_EQUAL(digest, dc_inference_expect(4, 6, 20, 4));
    CU_ASSERT_NOT_EQUAL(digest, dc_inference_expect(5, 6, 20, 3));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a thousand models", test_thousand},   {"largest numbers", test_largest},
        {"nothing else is seen", test_hidden},  {"nor from two models", test_two_models},
        {"what a run has to say", test_expect},
    };
    dc_crypto_init();
    bfv = dc_bfv_open();
    DC_CHECK(bfv != NULL);
    struct dc_hash common = {"common"};
    dc_bfv_secret_make(bfv, client_seed, &secret);
    dc_bfv_public_make(bfv, &secret, client_seed, &common, &key);
    int result = TEST_MAIN("inference", cases);
    dc_bfv_close(bfv);
    return result;
}

/* Federated training: fixed point against floating point, packing at its edges, and rounds under
 * threshold encryption against the plain ones. */
#include "models/base/rng.h"
#include "models/crypto/bfv_threshold.h"
#include "models/crypto/crypto.h"
#include "models/privacy/training.h"
#include "tests/support/harness.h"

#include <math.h>
#include <string.h>

enum { PEOPLE = 5, THRESHOLD = 3, ROUNDS = 8 };

static struct dc_bfv *bfv;

/* The joint key of PEOPLE members, made from contributions. */
static struct dc_bfv_sharing sharing;
static struct dc_bfv_member member[PEOPLE];
static struct dc_bfv_public key;
static struct dc_bfv_poly part[DC_BFV_SHARES_MAX];
static const struct dc_bfv_poly *parts[DC_BFV_SHARES_MAX];

static void make_key(void)
{
    static struct dc_bfv_plan plan;
    static const struct dc_hash about = {"training"}, common = {"common"};
    DC_CHECK(dc_bfv_sharing_make(PEOPLE, THRESHOLD, &sharing));
    for (uint32_t m = 0; m < PEOPLE; m++) {
        member[m].sharing = &sharing;
        member[m].index = m;
    }
    for (uint32_t share = 0; share < sharing.shares; share++) {
        struct dc_hash given[PEOPLE];
        uint32_t n = 0;
        for (uint32_t m = 0; m < PEOPLE; m++) {
            const uint8_t secret[32] = {(uint8_t)(m + 1)};
            if (dc_bfv_holds(&sharing, m, share))
                given[n++] = dc_bfv_contribution(secret, &about, share);
        }
        for (uint32_t m = 0; m < PEOPLE; m++)
            if (dc_bfv_holds(&sharing, m, share))
                member[m].seed[share] = dc_bfv_seed(&sharing, &about, share, given);
    }
    DC_CHECK(dc_bfv_plan_make(&sharing, (1u << PEOPLE) - 1, 1, &plan));
    for (uint32_t g = 0; g < plan.groups; g++) {
        dc_bfv_key_part(bfv, &member[plan.holder[g][0]], &plan, g, &common, &part[g]);
        parts[g] = &part[g];
    }
    dc_bfv_key_combine(bfv, parts, plan.groups, &common, &key);
}

/* Opens a sum by those present. */
static void open_sum(const struct dc_bfv_ciphertext *c, uint16_t present, struct dc_bfv_plain *out)
{
    static struct dc_bfv_plan plan;
    CU_ASSERT_FATAL(dc_bfv_plan_make(&sharing, present, 1, &plan));
    struct dc_hash name = dc_bfv_poly_digest(&c->c[1]);
    for (uint32_t g = 0; g < plan.groups; g++)
        dc_bfv_part(bfv, &member[plan.holder[g][0]], &plan, g, &c->c[1], &name, &part[g]);
    CU_ASSERT(dc_bfv_combine(bfv, c, parts, plan.groups, out) <= DC_BFV_COMBINE_BITS_MAX);
}

static void train_encrypted(const struct dc_training_shape *shape, uint64_t truth,
                            const uint64_t *seeds, const uint64_t *took, int64_t *weights)
{
    static struct dc_training_data data[PEOPLE];
    static struct dc_bfv_ciphertext sum, c;
    static struct dc_bfv_plain plain;
    int64_t gradient[DC_TRAINING_FEATURES_MAX + 1];
    for (uint32_t k = 0; k < PEOPLE; k++)
        CU_ASSERT_FATAL(dc_training_data_draw(shape, truth, seeds[k], &data[k]));
    memset(weights, 0, (shape->features + 1) * sizeof *weights);
    for (uint32_t r = 0; r < ROUNDS; r++) {
        memset(&sum, 0, sizeof sum);
        for (uint32_t k = 0; k < PEOPLE; k++) {
            if ((took[r] >> k & 1) == 0)
                continue;
            const uint8_t seed[32] = {(uint8_t)k, (uint8_t)r};
            dc_training_gradient(shape, &data[k], weights, gradient);
            dc_training_pack(shape, gradient, &plain);
            dc_bfv_encrypt(bfv, &key, &plain, seed, &c);
            dc_bfv_add(&sum, &c);
        }
        open_sum(&sum, (uint16_t)took[r], &plain);
        dc_training_unpack(shape, &plain, gradient);
        dc_training_step(shape, gradient, (uint32_t)__builtin_popcountll(took[r]), weights);
    }
    for (uint32_t k = 0; k < PEOPLE; k++)
        dc_training_data_free(&data[k]);
}

static void test_agrees(void)
{
    static const uint64_t seeds[PEOPLE] = {11, 12, 13, 14, 15};
    static const uint64_t took[ROUNDS] = {31, 31, 31, 23, 31, 7, 28, 31};
    static const uint32_t features[] = {1, 10, 255};
    for (uint8_t model = 0; model < 2; model++)
        for (int k = 0; k < 3; k++) {
            struct dc_training_shape shape;
            int64_t encrypted[DC_TRAINING_FEATURES_MAX + 1], plain[DC_TRAINING_FEATURES_MAX + 1];
            uint64_t digest;
            CU_ASSERT_FATAL(dc_training_shape_make(model, features[k], 20, &shape));
            train_encrypted(&shape, 99, seeds, took, encrypted);
            CU_ASSERT(dc_training_expect(&shape, 99, seeds, PEOPLE, ROUNDS, took, plain, &digest));
            CU_ASSERT_EQUAL(memcmp(encrypted, plain, (features[k] + 1) * sizeof *plain), 0);
            CU_ASSERT_EQUAL(dc_training_digest(&shape, encrypted), digest);
            CU_ASSERT(dc_training_expect(&shape, 99, seeds, PEOPLE, ROUNDS, NULL, plain, &digest));
            CU_ASSERT_NOT_EQUAL(dc_training_digest(&shape, encrypted), digest);
        }
}

/* The model learns: on data that nobody trained with. */
static void test_learns(void)
{
    uint64_t seeds[10], digest;
    for (uint64_t k = 0; k < 10; k++)
        seeds[k] = 100 + k;
    for (uint8_t model = 0; model < 2; model++) {
        struct dc_training_shape shape, fresh;
        struct dc_training_data data;
        int64_t w[DC_TRAINING_FEATURES_MAX + 1] = {0};
        CU_ASSERT_FATAL(dc_training_shape_make(model, 8, 50, &shape));
        CU_ASSERT_FATAL(dc_training_shape_make(model, 8, 2000, &fresh));
        CU_ASSERT_FATAL(dc_training_data_draw(&fresh, 7, 12345, &data));
        int64_t before = dc_training_loss(&fresh, &data, w);
        CU_ASSERT(dc_training_expect(&shape, 7, seeds, 10, 30, NULL, w, &digest));
        int64_t after = dc_training_loss(&fresh, &data, w);
        if (model == DC_TRAINING_LINEAR) /* noise in labels: (1/4)^2 / 3 of one, 85 */
            CU_ASSERT(before > 4000 && after < 150);
        if (model == DC_TRAINING_LOGISTIC)
            CU_ASSERT(before > 800 && after < 500);
        dc_training_data_free(&data);
    }
}

/* A gradient computed with doubles, without any of the roundings. */
static void test_fixed_point(void)
{
    struct dc_stream s = dc_stream(3, dc_name("test"), dc_name("gradient"));
    for (uint8_t model = 0; model < 2; model++) {
        struct dc_training_shape shape;
        struct dc_training_data data;
        int64_t w[7], g[7];
        CU_ASSERT_FATAL(dc_training_shape_make(model, 6, 40, &shape));
        CU_ASSERT_FATAL(dc_training_data_draw(&shape, 1, 2, &data));
        for (int j = 0; j < 7; j++)
            w[j] = (int64_t)dc_next_below(&s, 16384) - 8192;
        dc_training_gradient(&shape, &data, w, g);
        for (uint32_t j = 0; j < 7; j++) {
            double want = 0;
            for (uint32_t i = 0; i < 40; i++) {
                double z = 0, x = data.x[i * 7 + j] / 4096.0;
                for (uint32_t k = 0; k < 7; k++)
                    z += (double)w[k] / 4096 * data.x[i * 7 + k] / 4096;
                double p =
                    model == DC_TRAINING_LINEAR ? z : 0.5 + 0.15012 * z - 0.00159 * z * z * z;
                want += (p - data.y[i] / 4096.0) * x;
            }
            CU_ASSERT(fabs(want - (double)g[j] / 4096) < 40 * 4.0 / 4096);
        }
        dc_training_data_free(&data);
    }
}

static void test_packing(void)
{
    struct dc_training_shape shape;
    static struct dc_bfv_plain one, sum;
    static int64_t g[DC_TRAINING_FEATURES_MAX + 1], got[DC_TRAINING_FEATURES_MAX + 1];
    struct dc_stream s = dc_stream(4, dc_name("test"), dc_name("packing"));
    CU_ASSERT_FATAL(dc_training_shape_make(DC_TRAINING_LINEAR, 255, 1, &shape));
    for (int sign = 0; sign < 3; sign++) { /* the most participants with the largest gradients */
        int64_t total[DC_TRAINING_FEATURES_MAX + 1] = {0};
        memset(&sum, 0, sizeof sum);
        for (uint32_t k = 0; k < DC_TRAINING_PARTICIPANTS_MAX; k++) {
            for (uint32_t j = 0; j < 256; j++) {
                int64_t any = (int64_t)dc_next_below(&s, 2 * DC_TRAINING_GRADIENT_MAX + 1) -
                              DC_TRAINING_GRADIENT_MAX;
                g[j] = sign == 0   ? DC_TRAINING_GRADIENT_MAX
                       : sign == 1 ? -DC_TRAINING_GRADIENT_MAX
                                   : any;
                if (j % 16 == 5 && sign < 2) /* digits of -512 each: the largest there is */
                    g[j] = -INT64_C(0x20080200);
                total[j] += g[j];
            }
            dc_training_pack(&shape, g, &one);
            for (uint32_t j = 0; j < DC_BFV_DEGREE; j++)
                sum.v[j] = (sum.v[j] + one.v[j]) % DC_BFV_PLAIN;
        }
        dc_training_unpack(&shape, &sum, got);
        CU_ASSERT_EQUAL(memcmp(total, got, sizeof got), 0);
    }
    CU_ASSERT_FALSE(dc_training_shape_make(DC_TRAINING_LINEAR, 256, 1, &shape));
    CU_ASSERT_FALSE(dc_training_shape_make(DC_TRAINING_LINEAR, 0, 1, &shape));
    CU_ASSERT_FALSE(dc_training_shape_make(2, 1, 1, &shape));
    CU_ASSERT_FALSE(dc_training_shape_make(DC_TRAINING_LINEAR, 1, 0, &shape));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"encrypted and plain", test_agrees},
        {"learns", test_learns},
        {"fixed point", test_fixed_point},
        {"packing", test_packing},
    };
    dc_crypto_init();
    bfv = dc_bfv_open();
    DC_CHECK(bfv != NULL);
    make_key();
    int result = TEST_MAIN("training", cases);
    dc_bfv_close(bfv);
    return result;
}

/* Training a linear or a logistic model on data that stays where it is.
 *
 *     participant k: gradient g_k of its samples --encrypt under the joint key--> sum --> opened by
 *     `threshold` of the key's members --> weights -= rate * sum / samples --> next round
 *
 * All numbers are fixed-point with 12 bits behind the point and all steps integer steps with stated
 * rounding (down), so the weights after any number of rounds are one exact answer, and the
 * encrypted computation has to give it to the last bit.
 *
 *     z = floor(w . x / 2^12)        (the last weight is the bias: x_f = 1)
 *     p = z                                            linear
 *     p = 1/2 + 0.15012 z - 0.00159 z^3               logistic (Kim and others 2018, on [-8, 8])
 *     g_j = sum over samples of floor((p - y) x_j / 2^12)
 *     w_j -= floor(rate g_j / (2^12 n)),  n the samples of all who took part
 *
 * A gradient is packed as signed digits of 10 bits, digit d of g_j at coefficient d (f + 1) + j;
 * sums of digits of up to 63 participants stay below 2^15 and never wrap modulo 65537.  Four digits
 * hold |g_j| < 2^38; what a participant's own data makes larger is cut off there, alike in both
 * computations. */
#ifndef MODELS_PRIVACY_TRAINING_H
#define MODELS_PRIVACY_TRAINING_H

#include "models/crypto/bfv.h"

#define DC_TRAINING_FEATURES_MAX 255u
#define DC_TRAINING_PARTICIPANTS_MAX 63u
#define DC_TRAINING_SAMPLES_MAX 4096u
#define DC_TRAINING_POINT 12 /* bits behind the point */
#define DC_TRAINING_ONE (INT64_C(1) << DC_TRAINING_POINT)
#define DC_TRAINING_GRADIENT_MAX ((INT64_C(1) << 38) - 1)

enum dc_training_model { DC_TRAINING_LINEAR, DC_TRAINING_LOGISTIC };

struct dc_training_shape {
    uint8_t model; /* enum dc_training_model */
    uint32_t features, samples;
    int64_t rate; /* of learning, fixed-point */
};
/* The usual rates; false when features or samples are none or too many. */
bool dc_training_shape_make(uint8_t model, uint32_t features, uint32_t samples,
                            struct dc_training_shape *out) DC_MUST_USE;

/* One participant's samples: x[i][j] at i (features + 1) + j, the last of each is one. */
struct dc_training_data {
    uint32_t samples, features;
    int32_t *x, *y; /* dc_mem_*, freed by dc_training_data_free */
};
/* Drawn: features uniform in [-1, 1), labels by a true model that `truth` (the application's tag)
 * draws, with noise of the participant's own.  False when out of memory. */
bool dc_training_data_draw(const struct dc_training_shape *shape, uint64_t truth, uint64_t seed,
                           struct dc_training_data *out) DC_MUST_USE;
void dc_training_data_free(struct dc_training_data *data);

/* Weights and gradients have features + 1 entries. */
void dc_training_gradient(const struct dc_training_shape *shape,
                          const struct dc_training_data *data, const int64_t *weights,
                          int64_t *gradient);
void dc_training_step(const struct dc_training_shape *shape, const int64_t *sum,
                      uint32_t participants, int64_t *weights);
/* Weights that dc_training_step may have left: others are nobody's. */
bool dc_training_sane(const struct dc_training_shape *shape, const int64_t *weights);
/* Mean squared error (linear) or share of wrong signs (logistic), fixed-point. */
int64_t dc_training_loss(const struct dc_training_shape *shape, const struct dc_training_data *data,
                         const int64_t *weights);

void dc_training_pack(const struct dc_training_shape *shape, const int64_t *gradient,
                      struct dc_bfv_plain *out);
void dc_training_unpack(const struct dc_training_shape *shape, const struct dc_bfv_plain *sum,
                        int64_t *gradient);

/* What DC_NOTE_APP says of weights. */
uint64_t dc_training_digest(const struct dc_training_shape *shape, const int64_t *weights);
/* The whole in plain: the digest after the rounds, where round r had the participants in took[r]
 * (bit k: seeds[k]), or all of them when took is NULL.  weights (features + 1) may be NULL.  False
 * when out of memory. */
bool dc_training_expect(const struct dc_training_shape *shape, uint64_t truth,
                        const uint64_t *seeds, uint32_t participants, uint32_t rounds,
                        const uint64_t *took, int64_t *weights, uint64_t *digest) DC_MUST_USE;

#endif

/* Federated training in fixed point: data, gradients, steps, packing.  The same functions serve the
 * encrypted computation and the plain one, which differ in how gradients are added up. */
#include "models/privacy/training.h"

#include "models/base/mem.h"
#include "models/base/rng.h"

#define DIGIT_BITS 10u
#define DIGITS 4u
#define WEIGHT_MAX (INT64_C(1) << 30) /* beyond which weights are cut off: w . x stays exact */
#define LOGIT_MAX (8 * DC_TRAINING_ONE)

/* Rounds down, whatever the sign; d > 0. */
static int64_t floor_div(int64_t v, int64_t d)
{
    int64_t q = v / d;
    return q - (v % d < 0);
}

static int64_t cut(int64_t v, int64_t largest)
{
    return v > largest ? largest : v < -largest ? -largest : v;
}

bool dc_training_shape_make(uint8_t model, uint32_t features, uint32_t samples,
                            struct dc_training_shape *out)
{
    *out = (struct dc_training_shape){.model = model, .features = features, .samples = samples};
    /* the largest that no draw of features in [-1, 1) makes swing */
    out->rate = model == DC_TRAINING_LOGISTIC ? 4 * DC_TRAINING_ONE : DC_TRAINING_ONE;
    if (features > 16) /* curvature grows with the number of features */
        out->rate = out->rate * 16 / (int64_t)features;
    return features >= 1 && features <= DC_TRAINING_FEATURES_MAX && samples >= 1 &&
           samples <= DC_TRAINING_SAMPLES_MAX &&
           (model == DC_TRAINING_LINEAR || model == DC_TRAINING_LOGISTIC);
}

/* --- data ---------------------------------------------------------------------------------- */

/* Uniform in [-reach, reach). */
static int64_t uniform(struct dc_stream *s, int64_t reach)
{
    return (int64_t)dc_next_below(s, 2 * (uint64_t)reach) - reach;
}

bool dc_training_data_draw(const struct dc_training_shape *shape, uint64_t truth, uint64_t seed,
                           struct dc_training_data *out)
{
    const uint32_t f = shape->features, n = shape->samples;
    struct dc_stream t = dc_stream(truth, dc_name("training"), dc_name("truth"));
    struct dc_stream s = dc_stream(seed, dc_name("training"), dc_name("data"));
    *out = (struct dc_training_data){.samples = n, .features = f};
    out->x = dc_mem_alloc((size_t)n * (f + 1), sizeof *out->x);
    out->y = dc_mem_alloc(n, sizeof *out->y);
    if (out->x == NULL || out->y == NULL) {
        dc_training_data_free(out);
        return false;
    }
    int64_t w[DC_TRAINING_FEATURES_MAX + 1];
    for (uint32_t j = 0; j <= f; j++)
        w[j] = uniform(&t, 2 * DC_TRAINING_ONE);
    for (uint32_t i = 0; i < n; i++) {
        int32_t *x = out->x + (size_t)i * (f + 1);
        int64_t z = 0;
        for (uint32_t j = 0; j <= f; j++) {
            x[j] = (int32_t)(j == f ? DC_TRAINING_ONE : uniform(&s, DC_TRAINING_ONE));
            z += w[j] * x[j];
        }
        z = floor_div(z, DC_TRAINING_ONE) + uniform(&s, DC_TRAINING_ONE / 4);
        out->y[i] = (int32_t)(shape->model == DC_TRAINING_LINEAR ? z : z > 0 ? DC_TRAINING_ONE : 0);
    }
    return true;
}

void dc_training_data_free(struct dc_training_data *data)
{
    dc_mem_free(data->x);
    dc_mem_free(data->y);
    *data = (struct dc_training_data){0};
}

/* --- the computation ------------------------------------------------------------------------ */

static int64_t logit(const struct dc_training_shape *shape, const int32_t *x,
                     const int64_t *weights)
{
    int64_t z = 0;
    for (uint32_t j = 0; j <= shape->features; j++)
        z += weights[j] * x[j];
    return floor_div(z, DC_TRAINING_ONE);
}

static int64_t predict(const struct dc_training_shape *shape, int64_t z)
{
    if (shape->model == DC_TRAINING_LINEAR)
        return z;
    z = cut(z, LOGIT_MAX);
    int64_t square = floor_div(z * z, DC_TRAINING_ONE),
            cube = floor_div(square * z, DC_TRAINING_ONE);
    /* 0.15012 and 0.00159 with 24 bits behind the point */
    return DC_TRAINING_ONE / 2 + floor_div(2518595 * z - 26676 * cube, INT64_C(1) << 24);
}

void dc_training_gradient(const struct dc_training_shape *shape,
                          const struct dc_training_data *data, const int64_t *weights,
                          int64_t *gradient)
{
    const uint32_t f = shape->features;
    memset(gradient, 0, (f + 1) * sizeof *gradient);
    for (uint32_t i = 0; i < data->samples; i++) {
        const int32_t *x = data->x + (size_t)i * (f + 1);
        int64_t error = predict(shape, logit(shape, x, weights)) - data->y[i];
        for (uint32_t j = 0; j <= f; j++)
            gradient[j] += floor_div(error * x[j], DC_TRAINING_ONE);
    }
    for (uint32_t j = 0; j <= f; j++)
        gradient[j] = cut(gradient[j], DC_TRAINING_GRADIENT_MAX);
}

void dc_training_step(const struct dc_training_shape *shape, const int64_t *sum,
                      uint32_t participants, int64_t *weights)
{
    const int64_t n = (int64_t)participants * shape->samples;
    for (uint32_t j = 0; n != 0 && j <= shape->features; j++)
        weights[j] =
            cut(weights[j] - floor_div(shape->rate * sum[j], n * DC_TRAINING_ONE), WEIGHT_MAX);
}

bool dc_training_sane(const struct dc_training_shape *shape, const int64_t *weights)
{
    for (uint32_t j = 0; j <= shape->features; j++)
        if (weights[j] > WEIGHT_MAX || weights[j] < -WEIGHT_MAX)
            return false;
    return true;
}

int64_t dc_training_loss(const struct dc_training_shape *shape, const struct dc_training_data *data,
                         const int64_t *weights)
{
    DC_CHECK(data->samples != 0);
    __int128 sum = 0;
    for (uint32_t i = 0; i < data->samples; i++) {
        int64_t z = logit(shape, data->x + (size_t)i * (shape->features + 1), weights);
        int64_t error = z - data->y[i];
        if (shape->model == DC_TRAINING_LINEAR)
            sum += (__int128)error * error / DC_TRAINING_ONE;
        else
            sum += (z > 0) != (data->y[i] != 0) ? DC_TRAINING_ONE : 0;
    }
    return (int64_t)(sum / data->samples);
}

/* --- packing -------------------------------------------------------------------------------- */

void dc_training_pack(const struct dc_training_shape *shape, const int64_t *gradient,
                      struct dc_bfv_plain *out)
{
    const int64_t base = INT64_C(1) << DIGIT_BITS;
    memset(out, 0, sizeof *out);
    for (uint32_t j = 0; j <= shape->features; j++) {
        int64_t v = cut(gradient[j], DC_TRAINING_GRADIENT_MAX);
        for (uint32_t d = 0; d < DIGITS; d++) {
            int64_t digit = v & (base - 1);
            digit -= digit >= base / 2 ? base : 0;
            out->v[d * (shape->features + 1) + j] = dc_bfv_residue(digit);
            v = (v - digit) / base;
        }
        DC_CHECK(v == 0);
    }
}

void dc_training_unpack(const struct dc_training_shape *shape, const struct dc_bfv_plain *sum,
                        int64_t *gradient)
{
    for (uint32_t j = 0; j <= shape->features; j++) {
        gradient[j] = 0;
        for (uint32_t d = DIGITS; d-- > 0;)
            gradient[j] = gradient[j] * (INT64_C(1) << DIGIT_BITS) +
                          dc_bfv_centred(sum->v[d * (shape->features + 1) + j]);
    }
}

/* --- the whole ------------------------------------------------------------------------------ */

uint64_t dc_training_digest(const struct dc_training_shape *shape, const int64_t *weights)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_TRAINING);
    dc_hasher_update64(&h, shape->model);
    for (uint32_t j = 0; j <= shape->features; j++)
        dc_hasher_update64(&h, (uint64_t)weights[j]);
    struct dc_hash digest = dc_hasher_final(&h);
    return dc_hash_u64(&digest);
}

bool dc_training_expect(const struct dc_training_shape *shape, uint64_t truth,
                        const uint64_t *seeds, uint32_t participants, uint32_t rounds,
                        const uint64_t *took, int64_t *weights, uint64_t *digest)
{
    DC_CHECK(participants >= 1 && participants <= DC_TRAINING_PARTICIPANTS_MAX);
    struct dc_training_data data[DC_TRAINING_PARTICIPANTS_MAX] = {{0}};
    int64_t w[DC_TRAINING_FEATURES_MAX + 1] = {0}, one[DC_TRAINING_FEATURES_MAX + 1];
    bool ok = true;
    for (uint32_t k = 0; ok && k < participants; k++)
        ok = dc_training_data_draw(shape, truth, seeds[k], &data[k]);
    for (uint32_t r = 0; ok && r < rounds; r++) {
        int64_t sum[DC_TRAINING_FEATURES_MAX + 1] = {0};
        uint32_t here = 0;
        for (uint32_t k = 0; k < participants; k++) {
            if (took != NULL && (took[r] >> k & 1) == 0)
                continue;
            dc_training_gradient(shape, &data[k], w, one);
            for (uint32_t j = 0; j <= shape->features; j++)
                sum[j] += one[j];
            here++;
        }
        dc_training_step(shape, sum, here, w);
    }
    for (uint32_t k = 0; k < participants; k++)
        dc_training_data_free(&data[k]);
    if (weights != NULL)
        memcpy(weights, w, (shape->features + 1) * sizeof *w);
    *digest = dc_training_digest(shape, w);
    return ok;
}

/* EWMA z-score: a node against its own past (Roberts 1959; the variance as in Finch 2009,
 * "Incremental calculation of weighted mean and variance").
 *
 *   d = x - mean;   mean += a d;   variance = (1 - a)(variance + a d^2)
 *   score = max over features of |x - mean| / sqrt(variance + floor^2),   in 2^-16
 *
 * The weight a is 1/n for a feature's first observations, so that none of them counts more than
 * another, and 1/8 from the eighth on.  A feature counts once it was seen ewma_warmup times.
 *
 * State: 96 bytes a node. */
#include "models/anomaly/detector.h"

#include <float.h>
#include <math.h>

_Static_assert(FLT_EVAL_METHOD == 0, "double arithmetic must round to double at each step");

static const double ewma_weight = 0.125; /* Roberts's range is 0.05 to 0.25; exact in binary */

struct ewma_node {
    double mean[DC_FEATURE_COUNT], variance[DC_FEATURE_COUNT];
    uint16_t seen[DC_FEATURE_COUNT]; /* stops at its largest value */
};

static uint32_t ewma_score_node(const struct ewma_node *m, const struct dc_features *f,
                                uint32_t warmup)
{
    double worst = -1.0;
    for (int i = 0; i < DC_FEATURE_COUNT; i++) {
        if (f->value[i] == DC_FEATURE_NONE || m->seen[i] == 0 || m->seen[i] < warmup)
            continue;
        double floor = dc_detector_real(i, dc_detector_floor(i)) - dc_detector_real(i, 0);
        double d = dc_detector_real(i, f->value[i]) - m->mean[i];
        double square = d * d / (m->variance[i] + floor * floor);
        if (square > worst)
            worst = square;
    }
    if (worst < 0.0)
        return DC_SCORE_NONE;
    double score = sqrt(worst) * 65536.0 + 0.5;
    return score < (double)DC_SCORE_MAX ? (uint32_t)score : DC_SCORE_MAX;
}

static void ewma_score(const struct dc_params *params, const void *state,
                       const struct dc_features *features, uint32_t nodes, uint32_t *score)
{
    const struct ewma_node *node = state;
    uint32_t warmup = params->ewma_warmup < UINT16_MAX ? params->ewma_warmup : UINT16_MAX;
    for (uint32_t i = 0; i < nodes; i++)
        score[i] =
            features[i].present ? ewma_score_node(&node[i], &features[i], warmup) : DC_SCORE_NONE;
}

static void ewma_learn_node(struct ewma_node *m, const struct dc_features *f)
{
    for (int i = 0; i < DC_FEATURE_COUNT; i++) {
        if (f->value[i] == DC_FEATURE_NONE)
            continue;
        double x = dc_detector_real(i, f->value[i]);
        double weight = 1.0 / (m->seen[i] + 1.0);
        if (weight < ewma_weight)
            weight = ewma_weight;
        double d = x - m->mean[i];
        m->mean[i] += weight * d;
        m->variance[i] = (1.0 - weight) * (m->variance[i] + weight * d * d);
        m->seen[i] += m->seen[i] < UINT16_MAX;
    }
}

static void ewma_learn(const struct dc_params *params, void *state,
                       const struct dc_features *features, uint32_t nodes)
{
    struct ewma_node *node = state;
    for (uint32_t i = 0; i < nodes; i++)
        if (features[i].present)
            ewma_learn_node(&node[i], &features[i]);
}

static void ewma_put_double(uint8_t *out, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    dc_put64(out, bits);
}

static void ewma_digest(struct dc_hasher *h, const void *state, uint32_t nodes)
{
    const struct ewma_node *node = state;
    uint8_t text[18 * DC_FEATURE_COUNT];
    for (uint32_t n = 0; n < nodes; n++) {
        for (int i = 0; i < DC_FEATURE_COUNT; i++) {
            ewma_put_double(text + 18 * i, node[n].mean[i]);
            ewma_put_double(text + 18 * i + 8, node[n].variance[i]);
            dc_put16(text + 18 * i + 16, node[n].seen[i]);
        }
        dc_hasher_update(h, text, sizeof text);
    }
}

const struct dc_detector_class dc_detector_ewma = {
    .name = "ewma",
    .bit = DC_DETECTOR_EWMA,
    .node_bytes = sizeof(struct ewma_node),
    .score = ewma_score,
    .learn = ewma_learn,
    .digest = ewma_digest,
};

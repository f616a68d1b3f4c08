/* What a detector is: a class, and a state per node that the caller owns.
 *
 * Within an epoch every detector first scores all nodes under what it knew before, then learns, so
 * that a node never shapes the model by which it is judged.  A score is an integer, larger means
 * stranger; only the order of scores of one detector matters, because they become ranks
 * (conformal.h).  Each detector has a file of its own; dc_detectors lists them. */
#ifndef MODELS_ANOMALY_DETECTOR_H
#define MODELS_ANOMALY_DETECTOR_H

#include "models/anomaly/anomaly.h"

#define DC_SCORE_NONE UINT32_MAX /* nothing can be said of this node */
#define DC_SCORE_MAX (UINT32_MAX - 1)

struct dc_detector_class {
    const char *name;
    uint32_t bit;      /* enum dc_detector_bit: its place in params->detectors */
    size_t node_bytes; /* of state, per node; zero bytes are a newcomer's.  0: none */
    /* Writes score[nodes]; DC_SCORE_NONE for a node that is absent or cannot be judged. */
    void (*score)(const struct dc_params *params, const void *state,
                  const struct dc_features *features, uint32_t nodes, uint32_t *score);
    void (*learn)(const struct dc_params *params, void *state, const struct dc_features *features,
                  uint32_t nodes);                                          /* NULL: nothing */
    void (*digest)(struct dc_hasher *h, const void *state, uint32_t nodes); /* NULL: nothing */
};

#define DC_DETECTORS 2
extern const struct dc_detector_class dc_detector_ewma, dc_detector_mad;
extern const struct dc_detector_class *const dc_detectors[DC_DETECTORS];
/* How many of them params->detectors switches on. */
uint32_t dc_detectors_on(const struct dc_params *params);

/* Value of a feature as a real number: 1.0 is all of it; for DC_FEATURE_RESPONSE a doubling. */
static inline double dc_detector_real(enum dc_feature feature, uint32_t value)
{
    return feature == DC_FEATURE_RESPONSE ? ((double)value - 1073741824.0) / 65536.0
                                          : (double)value / 2147483648.0;
}
/* Deviations far below this are no news, however still a feature has been: the floor of standard
 * deviations, in raw units of the feature.  1/128 of the whole; an eighth of a doubling. */
static inline uint32_t dc_detector_floor(enum dc_feature feature)
{
    return feature == DC_FEATURE_RESPONSE ? 1u << 13 : 1u << 24;
}

/* Sorts v[n] ascending; spare[n] is overwritten.  Linear: three passes of 11 bits. */
void dc_detector_sort(uint32_t *v, uint32_t *spare, uint32_t n);

#endif

/* The list of detectors, their numbers, and what they share: a selection that many equal values do
 * not slow down, and a radix sort for the windows of scores, of which n log n comparisons would be
 * most of an epoch's time. */
#include "models/anomaly/detector.h"

#include "models/base/rng.h"

const struct dc_detector_class *const dc_detectors[DC_DETECTORS] = {
    &dc_detector_ewma, &dc_detector_mad, &dc_detector_cusum, &dc_detector_iforest,
    &dc_detector_hst};

const struct dc_relation_class dc_relations[DC_RELATIONS] = {
    [DC_RELATION_TWIN] = {"twin", DC_DETECTOR_TWIN, DC_FEATURE_TWIN, true},
    [DC_RELATION_CIRCLE] = {"circle", DC_DETECTOR_CIRCLE, DC_FEATURE_CIRCLE, false},
};

uint32_t dc_relation_score(const struct dc_relation_class *class, uint32_t value)
{
    if (value == DC_FEATURE_NONE)
        return DC_SCORE_NONE;
    return class->small ? DC_SCORE_MAX - value : value;
}

struct dc_detector_config dc_detector_defaults(void)
{
    return (struct dc_detector_config){
        .ewma_weight = 0.125,
        .ewma_warmup = 5,
        .cusum_k = 0.5,
        .cusum_h = 4.0,
        .cusum_weight = 0.015625,
        .cusum_warmup = 5,
        .population_min = 8,
        .iforest_trees = 100,
        .iforest_sample = 256,
        .hst_trees = 25,
        .hst_window = 250,
        .hst_depth = 15,
        .hst_limit = 0.1,
        .knn_neighbours = 5,
        .knn_window = 4096,
        .knn_gap = 64,
    };
}

struct dc_detector_config dc_detector_config(const struct dc_params *params)
{
    struct dc_detector_config config = dc_detector_defaults();
    config.ewma_warmup = config.cusum_warmup = params->ewma_warmup;
    return config;
}

uint32_t dc_detectors_on(const struct dc_params *params)
{
    uint32_t on = 0;
    for (uint32_t d = 0; d < DC_DETECTORS; d++)
        on += (params->detectors & dc_detectors[d]->bit) != 0;
    for (uint32_t r = 0; r < DC_RELATIONS; r++)
        on += (params->detectors & dc_relations[r].bit) != 0;
    return on;
}

uint32_t dc_detector_integer(double score)
{
    if (dc_missing(score))
        return DC_SCORE_NONE;
    double scaled = score * 65536.0 + 0.5;
    return scaled < (double)DC_SCORE_MAX ? (uint32_t)scaled : DC_SCORE_MAX;
}

double dc_detector_median(double *v, uint32_t n)
{
    uint32_t from = 0, to = n, want = (n - 1) / 2;
    for (;;) {
        double pivot = v[from + (uint32_t)((dc_mix64(to) >> 32) * (to - from) >> 32)];
        uint32_t low = from, at = from, high = to; /* < pivot | == pivot | not seen | > pivot */
        while (at < high) {
            double x = v[at];
            if (x < pivot) {
                v[at++] = v[low];
                v[low++] = x;
            } else if (x > pivot) {
                v[at] = v[--high];
                v[high] = x;
            } else {
                at++;
            }
        }
        if (want < low)
            to = low;
        else if (want >= high)
            from = high;
        else
            return pivot;
    }
}

static void detector_insertion(uint32_t *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint32_t x = v[i], j = i;
        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

void dc_detector_sort(uint32_t *v, uint32_t *spare, uint32_t n)
{
    enum { BITS = 11, CELLS = 1 << BITS };
    if (n <= 128) {
        detector_insertion(v, n);
        return;
    }
    uint32_t *from = v, *to = spare;
    for (uint32_t shift = 0; shift < 32; shift += BITS) {
        uint32_t start[CELLS] = {0};
        for (uint32_t i = 0; i < n; i++)
            start[from[i] >> shift & (CELLS - 1)]++;
        for (uint32_t c = 0, sum = 0; c < CELLS; c++) {
            uint32_t here = start[c];
            start[c] = sum;
            sum += here;
        }
        for (uint32_t i = 0; i < n; i++)
            to[start[from[i] >> shift & (CELLS - 1)]++] = from[i];
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    memcpy(v, from, n * sizeof *v); /* three passes end in the spare */
}

static bool detector_doublings(enum dc_feature feature)
{
    return feature == DC_FEATURE_RESPONSE || feature == DC_FEATURE_TWIN;
}

double dc_detector_real(enum dc_feature feature, uint32_t value)
{
    double around = (double)value - (double)DC_FEATURE_MIDDLE;
    if (detector_doublings(feature))
        return around / 65536.0;
    if (feature == DC_FEATURE_RESIDUAL)
        return around / (double)DC_FEATURE_MIDDLE;
    return (double)value / (double)DC_ONE;
}

double dc_detector_floor(enum dc_feature feature)
{
    return detector_doublings(feature) ? 1.0 / 8 : 1.0 / 128;
}

/* Robust z: a node against its population in the same epoch, by median and median absolute
 * deviation, which up to half of the population cannot move at will (Iglewicz and Hoaglin 1993).
 *
 *   score = max over features of |x - median| / (1.4826 MAD + floor),   in 2^-16
 *
 * 1.4826 makes the MAD of a normal population its standard deviation.  Integers throughout; of an
 * even number of values the median is the lower middle one.  A feature counts where at least
 * MAD_NODES_MIN nodes of the population have it.  No state: the epoch is its own reference. */
#include "models/anomaly/detector.h"
#include "models/base/mem.h"

enum { MAD_NODES_MIN = 8, MAD_POPULATIONS = 256 };

/* What one feature looks like in one population. */
struct mad_centre {
    uint32_t count, median, mad;
};

static uint32_t mad_distance(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

static struct mad_centre mad_measure(const struct dc_features *features, uint32_t nodes,
                                     uint8_t population, int feature, uint32_t *value,
                                     uint32_t *spare)
{
    struct mad_centre c = {0};
    for (uint32_t i = 0; i < nodes; i++)
        if (features[i].present && features[i].population == population &&
            features[i].value[feature] != DC_FEATURE_NONE)
            value[c.count++] = features[i].value[feature];
    if (c.count < MAD_NODES_MIN)
        return c;
    dc_detector_sort(value, spare, c.count);
    c.median = value[(c.count - 1) / 2];
    for (uint32_t i = 0; i < c.count; i++)
        value[i] = mad_distance(value[i], c.median);
    dc_detector_sort(value, spare, c.count);
    c.mad = value[(c.count - 1) / 2];
    return c;
}

/* |x - median| / (1.4826 mad + floor) in 2^-16: the numerator is below 2^32 * 2^16 * 10^4 <
 * 2^62. */
static uint32_t mad_score_value(const struct mad_centre *c, uint32_t floor, uint32_t value)
{
    uint64_t scale = (uint64_t)c->mad * 14826 + (uint64_t)floor * 10000;
    uint64_t score = ((uint64_t)mad_distance(value, c->median) << 16) * 10000 / scale;
    return score < DC_SCORE_MAX ? (uint32_t)score : DC_SCORE_MAX;
}

static void mad_score(const struct dc_params *params, const void *state,
                      const struct dc_features *features, uint32_t nodes, uint32_t *score)
{
    bool there[MAD_POPULATIONS] = {false};
    uint32_t *value = dc_mem_need(2 * (size_t)nodes, sizeof *value, "a population's features");
    for (uint32_t i = 0; i < nodes; i++) {
        there[features[i].population] |= features[i].present != 0;
        score[i] = DC_SCORE_NONE;
    }
    for (uint32_t p = 0; p < MAD_POPULATIONS; p++) {
        for (int f = 0; there[p] && f < DC_FEATURE_COUNT; f++) {
            struct mad_centre c = mad_measure(features, nodes, (uint8_t)p, f, value, value + nodes);
            for (uint32_t i = 0; c.count >= MAD_NODES_MIN && i < nodes; i++) {
                const struct dc_features *x = &features[i];
                if (!x->present || x->population != p || x->value[f] == DC_FEATURE_NONE)
                    continue;
                uint32_t s = mad_score_value(&c, dc_detector_floor(f), x->value[f]);
                if (score[i] == DC_SCORE_NONE || s > score[i])
                    score[i] = s;
            }
        }
    }
    dc_mem_free(value);
}

const struct dc_detector_class dc_detector_mad = {
    .name = "mad",
    .bit = DC_DETECTOR_MAD,
    .score = mad_score,
};

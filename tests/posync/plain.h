/* The rules asked without any outlook: theta as the parameters have it, every height alike. */
#ifndef TESTS_POSYNC_PLAIN_H
#define TESTS_POSYNC_PLAIN_H

#include "models/posync/policy.h"

static inline uint8_t plain_causes(const struct dc_params *p, const struct dc_posync *r,
                                   uint32_t id, uint64_t epoch, const struct dc_hash *beacon)
{
    struct dc_policy_view view = {.params = p, .beacon = beacon, .epoch = epoch, .theta = p->theta};
    return dc_policy_rule.whom(&view, r, id);
}

static inline uint8_t plain_difficulty(const struct dc_params *p, const struct dc_posync *r,
                                       uint8_t causes, const struct dc_hash *nonce)
{
    struct dc_policy_view view = {.params = p, .theta = p->theta};
    return dc_policy_rule.how_hard(&view, r, causes, nonce);
}

static inline bool plain_drawn(const struct dc_hash *beacon_f, uint32_t id, uint64_t height,
                               uint32_t left)
{
    return dc_posync_drawn_weighted(beacon_f, id, height, 1, left);
}

#endif

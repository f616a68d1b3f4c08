/* Forecasts.  All sums are of numbers below 2^62 and products of those with Q1.31, so 128 bits hold
 * them; the shift of a negative number rounds down, which with the half added is to the nearest. */
#include "models/posync/holt.h"

/* round(weight * difference). */
static int64_t holt_part(dc_q31 weight, int64_t difference)
{
    return (int64_t)(((__int128)difference * weight + DC_ONE / 2) >> 31);
}

static int64_t holt_clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

struct holt {
    int64_t level, trend;
    uint8_t seen;
};

/* One observation x of a quantity in [0, most], trends within `steepest`; returns the forecast. */
static int64_t holt_step(const struct dc_params *p, struct holt *h, int64_t x, int64_t most,
                         int64_t steepest)
{
    int64_t before = h->level;
    if (h->seen < 2) {
        h->level = x;
        h->trend = h->seen == 0 ? 0 : x - before;
    } else {
        int64_t expected = holt_clamp(before + h->trend, 0, most);
        h->level = expected + holt_part(p->holt_level, x - expected);
        h->trend += holt_part(p->holt_trend, h->level - before - h->trend);
    }
    h->trend = holt_clamp(h->trend, -steepest, steepest);
    h->seen += h->seen < UINT8_MAX;
    return holt_clamp(h->level + h->trend, 0, most);
}

void dc_holt_update(const struct dc_params *p, struct dc_posync *r)
{
    if (!r->u_defined)
        return;
    struct holt h = {r->level, r->trend, r->seen};
    r->forecast = (dc_q31)holt_step(p, &h, r->u, DC_ONE, INT32_MAX);
    r->level = (dc_q31)h.level;
    r->trend = (int32_t)h.trend;
    r->seen = h.seen;
}

void dc_holt_demand(const struct dc_params *p, struct dc_outlook *o, uint64_t demand,
                    uint64_t capacity)
{
    const uint64_t most = DC_OUTLOOK_BYTES_MAX;
    struct holt h = {(int64_t)o->level, o->trend, o->seen};
    o->demand = demand < most ? demand : most;
    o->capacity = capacity < most ? capacity : most;
    o->forecast = (uint64_t)holt_step(p, &h, (int64_t)o->demand, (int64_t)most, (int64_t)most);
    o->level = (uint64_t)h.level;
    o->trend = h.trend;
    o->seen = h.seen;
}

uint32_t dc_holt_load(const struct dc_params *p, uint32_t load, uint32_t seen)
{
    return (uint32_t)((int64_t)load + holt_part(p->holt_level, (int64_t)seen - load));
}

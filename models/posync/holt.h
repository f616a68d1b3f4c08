/* Holt's linear exponential smoothing (Holt 1957; Hyndman and Athanasopoulos 2021, 8.2), in integers:
 * of a node's utilisation, and of the demand for a service in bytes.
 *
 *     f(t)     = level(t-1) + trend(t-1), clamped to what the quantity can be
 *     level(t) = f(t) + a (x(t) - f(t))                            a = params->holt_level
 *     trend(t) = trend(t-1) + b (level(t) - level(t-1) - trend(t-1))      b = params->holt_trend
 *
 * begun with level(1) = x(1), trend(1) = 0; level(2) = x(2), trend(2) = x(2) - x(1), so that a line
 * is continued exactly.  Each of level and trend is rounded once, to the nearest. */
#ifndef MODELS_POSYNC_HOLT_H
#define MODELS_POSYNC_HOLT_H

#include "models/posync/posync.h"

/* What a service is forecast to be asked for, in bytes.  All zero: nothing is known. */
struct dc_outlook {
    uint64_t demand;   /* D: of the last settled epoch */
    uint64_t capacity; /* C: verified, see below */
    uint64_t level;
    int64_t trend;
    uint64_t forecast; /* D-hat: of the epoch to come */
    uint8_t seen;      /* how many observations, saturating */
};

/* Demand and capacity are counted up to this; above, as this. */
#define DC_OUTLOOK_BYTES_MAX ((uint64_t)1 << 60)

/* Feeds r->u of the epoch just settled, where it is defined, and forecasts the next: r->level, trend,
 * forecast (in [0,1]), seen.  An undefined u leaves everything as it was. */
void dc_holt_update(const struct dc_params *p, struct dc_posync *r);
/* Feeds one epoch of a service: demand, the bytes under its paid deals (or work in the same unit);
 * capacity, the declared bytes, as far as bonds cover them, of its nodes that have passed a
 * challenge and failed none since. */
void dc_holt_demand(const struct dc_params *p, struct dc_outlook *o, uint64_t demand,
                    uint64_t capacity);
/* Forecast of the load of one slot of the draw window: load + a (seen - load), rounded to the nearest;
 * a = params->holt_level. */
uint32_t dc_holt_load(const struct dc_params *p, uint32_t load, uint32_t seen);

#endif

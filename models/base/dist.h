/* A distribution as a table of integers: what the hot path samples.
 *
 * The inverse distribution function is tabulated once, at set-up (sim/workload/tabulate.c, with
 * GSL), at DC_DIST_CELLS + 1 equally likely points; the last cell, whose inverse may run to
 * infinity, is refined by a second table of the same shape, and that one's last cell is cut.
 * A draw is one 64-bit random number: its top bits choose the cell, the next 32 interpolate. */
#ifndef MODELS_BASE_DIST_H
#define MODELS_BASE_DIST_H

#include <stdint.h>

#define DC_DIST_CELLS 1024

struct dc_dist {
    int64_t cell[DC_DIST_CELLS + 1];
    int64_t tail[DC_DIST_CELLS + 1]; /* refines the last cell: tail[0] == cell[CELLS - 1] */
    int64_t min, max;                /* what a draw can be at least and at most */
};

/* The value at the 64-bit fraction u of the distribution.  Monotone in u; no floating point. */
static inline int64_t dc_dist_at(const struct dc_dist *d, uint64_t u)
{
    uint32_t i = (uint32_t)(u >> 54);
    const int64_t *t = d->cell;
    uint64_t f = u << 10 >> 32;
    if (i == DC_DIST_CELLS - 1) {
        t = d->tail;
        i = (uint32_t)(u << 10 >> 54);
        f = u << 20 >> 32;
    }
    return t[i] + (int64_t)((__int128)(t[i + 1] - t[i]) * (int64_t)f >> 32);
}

#endif

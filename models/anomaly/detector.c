/* The list of detectors, and the sort that they share: radix, because n log n comparisons of ten
 * thousand values, five features and two passes each would be most of an epoch's time. */
#include "models/anomaly/detector.h"

const struct dc_detector_class *const dc_detectors[DC_DETECTORS] = {&dc_detector_ewma,
                                                                    &dc_detector_mad};

uint32_t dc_detectors_on(const struct dc_params *params)
{
    uint32_t on = 0;
    for (uint32_t d = 0; d < DC_DETECTORS; d++)
        on += (params->detectors & dc_detectors[d]->bit) != 0;
    return on;
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

/* A detector over one time series: what happens between a file and its scores.
 *
 *   rows --embed--> [value, mean of the last 4, of the last 16, ...] --detector, row by row-->
 *        --relative--> in units of what was the strangest tenth so far --peaks--> one alarm each
 *
 * Causal throughout: a row's score depends on no later row, although a whole file is at hand. */
#ifndef MODELS_ANOMALY_SERIES_H
#define MODELS_ANOMALY_SERIES_H

#include "models/anomaly/detector.h"

enum { DC_SERIES_SCALES_MAX = 16, DC_SERIES_SCALE_MAX = 65536 };

/* out[rows][columns * scales]: of each column the means of its last scale[0], scale[1] ... values,
 * fewer at the start; scales ascending.  Missing values are left out; missing where there is none.
 * The row's own value is scale 1.  O(rows * columns * last scale). */
void dc_series_embed(const double *value, uint32_t rows, uint32_t columns, const uint32_t *scale,
                     uint32_t scales, double *out);

/* score[rows] of each row under what the rows before have taught; missing where it cannot be
 * judged.  Detectors that learn row by row (ewma, cusum, hst, knn) get tables of one row; for those
 * that compare within a table (mad) or learn a whole one (iforest, anew each window/8 rows) the
 * last `window` rows, window > 0, are the table.  A column's floor is half its standard deviation
 * so far: what is still for a while and then moves as it used to is no news. */
void dc_series_score(const struct dc_detector_class *class, const struct dc_detector_config *config,
                     const double *value, uint32_t rows, uint32_t columns, uint32_t window,
                     uint64_t seed, double *score);

/* Divides each score by the 0.9-quantile of the scores before it (plus 0.001, because scores are
 * deviations, and less is nothing), so that one threshold means the same for all series.  Missing
 * until DC_SERIES_LEAST scores came before.  O(rows log rows). */
enum { DC_SERIES_LEAST = 100 };
void dc_series_relative(double *score, uint32_t rows);

/* Zero wherever a score is not above all of the `hold` rows before it: an alarm that is no news is
 * no alarm.  O(rows). */
void dc_series_peaks(double *score, uint32_t rows, uint32_t hold);

#endif

/* What the files of `destrasim detect` share: cmd_detect.c reads and writes, cmd_detect_score.c
 * computes. */
#ifndef SIM_CMD_DETECT_H
#define SIM_CMD_DETECT_H

#include "models/anomaly/series.h"
#include "sim/cmd.h"
#include "sim/csv.h"

enum { DS_DETECTORS = DC_DETECTORS + 1 }; /* the chain's, and knn */

struct ds_detect {
    const struct ds_args *args;
    struct ds_csv csv;
    bool series;
    const struct dc_detector_class *chosen[DS_DETECTORS];
    uint32_t chosen_count;
    struct dc_detector_config config;
    uint32_t scale[DC_SERIES_SCALES_MAX], scales;
    uint32_t window, hold;
    uint64_t seed;

    bool *label;     /* [csv.columns] */
    uint32_t inputs; /* columns that are detected in */
    double *value;   /* [rows][inputs], of a series [rows][inputs * scales] */
    double *score;   /* [chosen_count][rows] */
};

/* A wanted column's place among those that were read. */
static inline uint32_t ds_detect_place(const struct ds_detect *d, uint32_t column)
{
    uint32_t place = 0;
    for (uint32_t c = 0; c < column; c++)
        place += d->csv.column[c].wanted;
    return place;
}

/* Fills value and score, for every detector that was chosen. */
void ds_detect_score(struct ds_detect *d);
/* Prints the AUROC of each detector by each label to standard error. */
void ds_detect_judge(const struct ds_detect *d);

#endif

/* Anomaly detection over a population of nodes, epoch by epoch (models/README.md 8).
 *
 *   features of each node --> detectors --> score per (detector, node)
 *        --> conformal p-value against a window of past scores --> Bonferroni over detectors
 *        --> Benjamini-Hochberg at fdr --> flags
 *
 * An object is one epoch's knowledge: immutable, made from the one before, so that two forks keep
 * their own.  It enters the state root by its digest.  Doubles inside (+ - * / sqrt, comparisons),
 * rounded before they leave a detector; integers outside. */
#ifndef MODELS_ANOMALY_ANOMALY_H
#define MODELS_ANOMALY_ANOMALY_H

#include "models/base/params.h"
#include "models/crypto/hash.h"

/* What is known of one node in one epoch.  Q1.31; a missing value is DC_FEATURE_NONE. */
#define DC_FEATURE_NONE UINT32_MAX
enum dc_feature {
    DC_FEATURE_UTILISATION,
    DC_FEATURE_SYNCHRONICITY,
    DC_FEATURE_AVAILABILITY,
    DC_FEATURE_QUALITY,
    DC_FEATURE_RESPONSE, /* log2 of response time over what is expected for its k and region: 2^-16
                            units, offset so that equal is 2^30 */
    DC_FEATURE_COUNT
};
struct dc_features {
    uint32_t value[DC_FEATURE_COUNT];
    uint8_t population; /* nodes are compared within one: 0 validators, 1 storage ... */
    uint8_t present;    /* takes part this epoch */
    uint8_t failed;     /* failed objectively: its scores do not enter the calibration window */
};

struct dc_anomaly_verdict {
    uint8_t flagged;
    uint32_t rank, of; /* combined conformal p-value as a pair of integers; of = 0: none */
};

struct dc_anomaly;

/* At genesis; nodes can be added later by larger counts in dc_anomaly_epoch.  Counted: refs 1. */
struct dc_anomaly *dc_anomaly_create(const struct dc_params *params, uint32_t nodes);
/* One epoch: scores `features` under models fitted on earlier epochs, flags, then learns.  Pure:
 * the same inputs give the same object, on every machine.  Fills verdict[nodes]. */
struct dc_anomaly *dc_anomaly_epoch(const struct dc_anomaly *before, const struct dc_params *params,
                                    const struct dc_features *features, uint32_t nodes,
                                    struct dc_anomaly_verdict *verdict);
struct dc_hash dc_anomaly_digest(const struct dc_anomaly *a);
void dc_anomaly_hold(struct dc_anomaly *a);
void dc_anomaly_drop(struct dc_anomaly *a); /* NULL is fine */

#endif

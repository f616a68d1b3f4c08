/* Anomaly detection over a population of nodes, epoch by epoch (models/README.md 8).
 *
 *   features of each node --> twins (twins.h) --> detectors --> score per (detector, node)
 *        --> conformal p-value against a window of past scores --> combined over detectors
 *        --> Benjamini-Hochberg at fdr --> flags
 *
 * An object is one epoch's knowledge: immutable, made from the one before, so that two forks keep
 * their own.  It enters the state root by its digest.  Doubles inside (+ - * / sqrt, comparisons),
 * rounded before they leave a detector; integers outside. */
#ifndef MODELS_ANOMALY_ANOMALY_H
#define MODELS_ANOMALY_ANOMALY_H

#include "models/base/params.h"
#include "models/crypto/hash.h"

/* What is known of one node in one epoch, 32 bits each; a missing value is DC_FEATURE_NONE.
 * "Share": Q1.31.  "Around": 2^30 is the middle. */
#define DC_FEATURE_NONE UINT32_MAX
#define DC_FEATURE_MIDDLE (1u << 30)
enum dc_feature {
    DC_FEATURE_RESIDUAL,      /* utilisation less its forecast, halved, around the middle */
    DC_FEATURE_SYNCHRONICITY, /* share: lag of heartbeats as 2^(-lag/h) */
    DC_FEATURE_AVAILABILITY,  /* share */
    DC_FEATURE_QUALITY,       /* share */
    DC_FEATURE_RESPONSE,      /* log2 of response time over what is expected for its k and region:
                                 2^-16 units around the middle */
    DC_FEATURE_CONCENTRATION, /* share: Herfindahl index of its income over payers */
    DC_FEATURE_CAPTIVE,       /* share of its income from payers that pay no one else */
    DC_FEATURE_CIRCLE, /* share of its income that comes from within its own strongly connected
                                 component of the graph of payments */
    DC_FEATURE_DISAGREEMENT,  /* share of its verdicts that the majority contradicts */
    DC_FEATURE_PARTICIPATION, /* share: votes included over votes due */
    DC_FEATURE_TWIN,          /* log2 of the mean distance of its response times to its nearest
                                 neighbour's: 2^-16 units around the middle (twins.h) */
    DC_FEATURE_COUNT
};
/* Features that are relations between nodes.  Each has a detector whose scores are calibrated by
 * themselves with the relation permuted away, not by other nodes (models/README.md 8.5). */
enum dc_relation { DC_RELATION_TWIN, DC_RELATION_CIRCLE, DC_RELATIONS };
struct dc_features {
    uint32_t value[DC_FEATURE_COUNT];
    uint32_t work; /* log2 of the time that the machine took for one sample, 2^-16 units around the
                      middle, DC_FEATURE_NONE: not measured; what twins are told by */
    uint32_t null[DC_RELATIONS]; /* the relation's feature where nothing but chance relates nodes;
                                    DC_FEATURE_NONE: none, or its detector is off */
    uint8_t population;          /* nodes are compared within one: 0 validators, 1 storage ... */
    uint8_t present;             /* takes part this epoch */
    uint8_t failed; /* failed objectively, or never passed (dc_params.calibration): its scores do
                           not enter the calibration window */
};

struct dc_anomaly_verdict {
    uint8_t flagged;
    uint32_t rank, of; /* combined conformal p-value as a pair of integers; of = 0: none */
};

struct dc_anomaly;

/* At genesis; nodes can be added later by larger counts in dc_anomaly_epoch.  Counted: refs 1. */
struct dc_anomaly *dc_anomaly_create(const struct dc_params *params, uint32_t nodes);
/* One epoch: scores `features` under models fitted on earlier epochs, flags, then learns.  Pure:
 * the same inputs give the same object, on every machine.  DC_FEATURE_TWIN and its
 * null are made here and need not be given.  What is random in detectors is drawn from `seed`: the beacon that was not known
 * while the features came about.  Fills verdict[nodes].
 * Cost with every detector: about 15 ms for 2,200 nodes, 60 ms for 10,000, beside twins.h. */
struct dc_anomaly *dc_anomaly_epoch(const struct dc_anomaly *before, const struct dc_params *params,
                                    const struct dc_features *features, uint32_t nodes,
                                    uint64_t seed, struct dc_anomaly_verdict *verdict);
struct dc_hash dc_anomaly_digest(const struct dc_anomaly *a);
/* How many epochs of `nodes` nodes must pass before the soonest detector can flag anyone (the
 * set-up check of models/README.md 8.4); UINT64_MAX: never, because no detector is on, fdr is 0,
 * there is no one to compare with, or params->anomaly_window (or the largest window) is too short
 * to flag max(1, nodes/200) nodes that top everything. */
uint64_t dc_anomaly_epochs(const struct dc_params *params, uint32_t nodes);
void dc_anomaly_hold(struct dc_anomaly *a);
void dc_anomaly_drop(struct dc_anomaly *a); /* NULL is fine */

#endif

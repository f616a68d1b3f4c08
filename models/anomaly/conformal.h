/* From scores to conformal p-values (Vovk, Gammerman, Shafer 2005), against a window of past scores
 * of all nodes that did not fail objectively.
 *
 *   window   [epoch 7: node, score ...] [epoch 8 ...] [epoch 9 ...]     oldest first
 *
 * An epoch's scores are one immutable, counted batch, so the windows of two objects share what they
 * have in common.  The window keeps whole epochs: a part of one would be a part of the nodes. */
#ifndef MODELS_ANOMALY_CONFORMAL_H
#define MODELS_ANOMALY_CONFORMAL_H

#include "models/anomaly/detector.h"
#include "models/anomaly/fdr.h"

struct dc_batch;
struct dc_window { /* zeroed: empty */
    struct dc_batch **batch;
    uint32_t count; /* batches */
    uint32_t total; /* scores in them */
};

/* The least m with m >= D N / (fdr i_min), i_min = max(1, N/200): with that many scores beside a
 * node's own, i_min nodes that top everything in one of D detectors are flagged.  D counts as
 * params->combine makes it count: D for Bonferroni (and taken for Fisher), D H_D for
 * Benjamini-Yekutieli.  UINT64_MAX where fdr is 0: nothing is ever flagged. */
uint64_t dc_window_needed(const struct dc_params *params, uint32_t nodes);
/* How many there must be before a node has a p-value: params->anomaly_window, or what is needed;
 * at most DC_WINDOW_LEAST_MAX. */
#define DC_WINDOW_LEAST_MAX ((uint64_t)1 << 18)
uint64_t dc_window_least(const struct dc_params *params, uint32_t nodes);

/* The window with one more epoch, score[nodes] without DC_SCORE_NONE, less old epochs that are not
 * needed for any node to find `least` scores of others.  At most 2 least + the newest epoch. */
struct dc_window dc_window_next(const struct dc_window *before, const uint32_t *score,
                                uint32_t nodes, uint64_t least);
void dc_window_drop(struct dc_window *window);
void dc_window_digest(struct dc_hasher *h, const struct dc_window *window);

/* p[i] = (1 + #{calibration >= score[i]}, m + 1) over the m scores of the window that are not node
 * i's own; of = 0 where score[i] is none or m < max(1, least).  O((nodes + total) log total). */
void dc_window_pvalues(const struct dc_window *window, const uint32_t *score, uint32_t nodes,
                       uint64_t least, struct dc_pvalue *p);

#endif

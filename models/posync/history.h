/* What a node's verdicts say about it: a Beta posterior with exponential forgetting, and what follows
 * from it (models/README.md 7.4, 7.5).
 *
 * The record keeps what the prior Beta(1,1) has been added to, alpha and beta in 2^-16, so that a
 * zeroed record is a newcomer's:  r = (1 + alpha) / (2 + alpha + beta).  At each verdict both are
 * multiplied by `history_keep` and one of them gains 1: old verdicts fade towards the prior. */
#ifndef MODELS_POSYNC_HISTORY_H
#define MODELS_POSYNC_HISTORY_H

#include "models/posync/posync.h"

/* Adds a settled challenge: passed, or failed.  Not for undecided ones, nor for a first asking that
 * was missed.  Counts saturate at 2^16. */
void dc_history_verdict(const struct dc_params *p, struct dc_posync *r, bool passed);
/* r, the posterior's mean, rounded down. */
dc_q31 dc_history_reliability(const struct dc_posync *r);
/* The posterior's standard deviation, to within 2^-31. */
dc_q31 dc_history_deviation(const struct dc_posync *r);
/* The probability with which a missing fraction f_min is to be found: P_hi - (P_hi - P_lo) r. */
dc_q31 dc_history_aim(const struct dc_params *p, const struct dc_posync *r);
/* The smallest k with (1 - f)^k <= 1 - aim, at least 1, and k_max when there is none up to it.  The
 * power is rounded up to 2^-63 at each step, so that k finds what it should; it is the smallest
 * unless the exact power is within k * 2^-63 of the bound. */
uint32_t dc_history_samples(dc_q31 f, dc_q31 aim, uint32_t k_max);
/* Upper confidence bound on the probability of failure, 1 - r + c sd, in 2^-31 and not clamped;
 * c = params->ucb_ppm / 10^6. */
uint64_t dc_history_bound(const struct dc_params *p, const struct dc_posync *r);

#endif

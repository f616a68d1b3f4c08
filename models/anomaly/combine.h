/* One p-value of a node out of those that its detectors gave.
 *
 *   bonferroni   D min p                                    valid however they depend on each other
 *   fisher       P(chi-square of 2D >= -2 sum ln p)         for independent ones (Fisher 1925)
 *   by           H_D D min over j of p_(j) / j              valid however they depend (Hommel 1983;
 *                                                           Benjamini and Yekutieli 2001, as the
 *                                                           test that all D are true)
 *
 * For an even number of degrees of freedom Fisher's tail is a sum: with P the product of the p,
 * P sum over i < D of (-ln P)^i / i!. */
#ifndef MODELS_ANOMALY_COMBINE_H
#define MODELS_ANOMALY_COMBINE_H

#include "models/anomaly/fdr.h"
#include "models/base/params.h"

#define DC_COMBINE_MAX 8u

/* Over those of p[count] that are there, count <= DC_COMBINE_MAX; none: none; one: itself.  Never
 * below the true value: what is not exact (FISHER to about 10^-4 of it, BY) is rounded up to a
 * multiple of 1 / (2^32 - 1). */
struct dc_pvalue dc_combine(enum dc_combine rule, const struct dc_pvalue *p, uint32_t count);
/* ceil(scale times what a single extreme p-value among `count` is multiplied by).  FISHER's depends
 * on the others; BONFERRONI's is taken for it. */
uint64_t dc_combine_factor(enum dc_combine rule, uint32_t count, uint64_t scale);

#endif

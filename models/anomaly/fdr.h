/* p-values as fractions, and which of them to believe (Benjamini and Hochberg 1995). */
#ifndef MODELS_ANOMALY_FDR_H
#define MODELS_ANOMALY_FDR_H

#include "models/base/fixed.h"

/* rank / of, in (0,1]; of = 0: there is none. */
struct dc_pvalue {
    uint32_t rank, of;
};

/* Whether a is smaller than b; both there. */
static inline bool dc_pvalue_less(struct dc_pvalue a, struct dc_pvalue b)
{
    return (uint64_t)a.rank * b.of < (uint64_t)b.rank * a.of;
}
/* min(1, p * factor): Bonferroni's combination of `factor` p-values is this of the smallest. */
struct dc_pvalue dc_pvalue_times(struct dc_pvalue p, uint32_t factor);

/* Benjamini-Hochberg at level fdr over those of p[n] that are there: with p_(1) <= p_(2) <= ... of
 * h hypotheses it flags the i smallest for the largest i with p_(i) <= fdr i / h.  Writes flag[n]
 * (0 or 1) and returns how many.  Exact, in 128 bits; O(n). */
uint32_t dc_fdr_flag(const struct dc_pvalue *p, uint32_t n, dc_q31 fdr, uint8_t *flag);

#endif

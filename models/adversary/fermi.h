/* The Fermi rule of imitation: who takes over whose strategy, by a comparison of payoffs.
 *
 * Traulsen, Nowak and Pacheco (2006): one who earned `own` and sees that another earned `other`
 * takes over the other's strategy with probability 1 / (1 + exp(-selection (other - own) / unit)).
 * Better ones are imitated more often, worse ones now and then.  It knows nothing of the world;
 * whom one compares with, and when, is the caller's affair.  models/README.md 9. */
#ifndef MODELS_ADVERSARY_FERMI_H
#define MODELS_ADVERSARY_FERMI_H

#include "models/base/fixed.h"

/* That probability in Q1.31, by integers alone: within 2^-28 of the real number, and within 10^-6
 * of it relatively where it is above 10^-3.  Not falling in `other`, not rising in `own`; 1/2 where
 * they are equal, and dc_fermi(a, b) + dc_fermi(b, a) = DC_ONE.  Payoffs and unit are in the same
 * unit of money; selection is in 2^-16.  unit 0: nothing to measure a difference by, so 1/2. */
dc_q31 dc_fermi(int64_t own, int64_t other, uint64_t unit, uint32_t selection_q16);

#endif

/* The lying verifier: it asks, times and checks as all do, and says the opposite.
 *
 *   saw                    says
 *   pass                   fail, no sample proved, the time and the binding as they were
 *   fail                   pass, all samples proved, likewise
 *   late, silent           pass, all samples proved, in half of the deadline; a silent node gave it
 *                          no answer to bind, so the binding is over zeros
 *
 * A verdict is a signed opinion: no check of the ledger can refuse it, and none is evidence.  The
 * majority of the verifiers drawn outvotes a lone liar, and its disagreement is a feature that
 * detectors see (models/README.md 8). */
#ifndef MODELS_ADVERSARY_LIE_H
#define MODELS_ADVERSARY_LIE_H

#include "models/node/node.h"

void dc_lie_edit(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);

#endif

/* Adversaries: each wraps an honest node, unmodified, and edits its inputs or effects.
 *
 *   strategy      edits                                        should be caught by
 *   ghost         nothing here: its disk has no chunk          challenges; u = 0 < theta
 *   partial(f)    nothing here: its disk lacks the fraction f  challenges, (1-f)^k
 *   washer        nothing here: its disk is empty, and it buys its own deals to keep u above theta
 *                                                              audits; the take it burns
 *   stale         sends its previous heartbeat instead of the new one
 *                                                              s = 2^(-lag/h)
 *   silent        (validator) sends no vote, timeout or proposal
 *                                                              timeouts; its own u and q
 *   equivocating  (validator) signs a second vote and a second proposal for each
 *                                                              evidence: the whole bond
 *
 * models/README.md 14. */
#ifndef MODELS_ADVERSARY_ADVERSARY_H
#define MODELS_ADVERSARY_ADVERSARY_H

#include "models/node/node.h"

/* dc_node_step through the node's strategy. */
void dc_adversary_step(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);

/* Whether a strategy is a cheat at all, and whether it cheats as a service node. */
bool dc_strategy_cheats(enum dc_strategy strategy);

#endif

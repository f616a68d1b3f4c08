/* Thieves: clients that try to get private money that is not theirs.
 *
 *   strategy        its payments                            refused by
 *   inflator        make an output that is worth more than what goes in, and another below zero
 *                                                           the range proof
 *   forger          carry a ring signature made up without the note's key
 *                                                           the ring signature
 *   double_spender  come in two, to two recipients, from the same notes, at the same time
 *                                                           the key image: one of them at most
 *   replayer        are honest; but each confidential transfer that it sees become final, its own
 *                   or another's, it sends again            the key image
 *
 * Everything else they do as an honest client does.  models/README.md 14. */
#ifndef MODELS_ADVERSARY_THIEF_H
#define MODELS_ADVERSARY_THIEF_H

#include "models/node/node.h"

/* Before the step: true never. */
bool dc_thief_take(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);
/* After the step. */
void dc_thief_edit(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);

#endif

/* The outsourcer: it holds nothing, and its accomplice holds a copy of everything.
 *
 *   verifier --CHALLENGE--> outsourcer --FETCH--> accomplice
 *   verifier <---ANSWER---- outsourcer <--FETCH_REPLY + bulk of the answer's size--
 *
 * Its answers are right and come later by a real round trip and a real transfer; nothing but the
 * clock tells them from others.  A challenge is fetched once for all its verifiers, and asked for
 * once: an exchange that is lost leaves all of them without an answer.  What clients get is fetched
 * in the same way, one chunk each, so that their reports are good.  What clients put is taken to
 * the accomplice outside the model.  An answer to a demand on chain is fetched too, but not held
 * back for it: hundreds of heights are time enough.
 *
 * The node beneath computes the answer when it is asked, for content is a function of its seed; the
 * strategy keeps it back.  Reading the chunks is charged to the accomplice, signing and hashing to
 * the outsourcer when they have come.
 *
 * The accomplice is a node of the same strategy whose accomplice is itself: it holds what it
 * declares and what the others do, and answers for itself as an honest node would.
 *
 *   FETCH        to 4, k 1, size 4, what was asked (CHALLENGE or GET; none: for a demand)
 *   FETCH_REPLY  to 4, what was asked         (bulk: size)
 *
 * Private messages: to every other node they mean nothing. */
#ifndef MODELS_ADVERSARY_OUTSOURCE_H
#define MODELS_ADVERSARY_OUTSOURCE_H

#include "models/node/node.h"

/* A FETCH or FETCH_REPLY for this node: handled, and not for the node beneath.  False: it is. */
bool dc_outsource_take(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);
/* Answers are kept back and fetched. */
void dc_outsource_edit(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);

#endif

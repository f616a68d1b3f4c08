/* Adversaries: each wraps an honest node, unmodified, and edits its inputs or effects, or is
 * nothing but a disk that lacks data.
 *
 *   strategy      does                                        saves; risks; should be caught by
 *   ghost         its disk has no chunk                       all holding cost; every challenge
 *                                                             challenges; u = 0 < theta
 *   partial(f)    its disk lacks the fraction f               f of it; passes with (1-f)^k
 *                                                             challenges
 *   washer        its disk is empty; it buys its own deals, alone or in a ring, to stay above theta
 *                                                             as a ghost, less the take it burns
 *                                                             audits; captive, circle
 *   stale         sends its previous heartbeat instead of the new one
 *                                                             following the chain; its reward
 *                                                             s = 2^(-lag/h)
 *   outsourcer    holds nothing; fetches each answer, and each chunk that a client asks for, from
 *                 its accomplice, which holds a copy of everything
 *                                                             its disk; late answers
 *                                                             the deadline, response, twins
 *   sybil         one of several identities on one machine: deals are held once for all of them,
 *                 the sealed filler of this identity is not there
 *                                                             a disk for each; filler samples
 *                                                             challenges while idle; twins
 *   burst(S)      honest until its own score on chain reaches S, then a ghost that sends heartbeats
 *                                                             as a ghost, with a good name
 *                                                             challenges; CUSUM, difficulty
 *   silent        (validator) sends no vote, timeout, proposal or hand-over
 *                                                             work; its own u and q
 *                                                             timeouts
 *   equivocating  (validator) signs a second vote and a second proposal for each
 *                                                             nothing; the whole bond
 *                                                             evidence
 *   lying         (validator) says the opposite of what it verified
 *                                                             nothing by the protocol: no verdict
 *                                                             is evidence; disagreement
 *   inflator, forger, double_spender, replayer
 *                 (client) try to get private money that is not theirs: thief.h
 *                                                             nothing; fees; proofs, key images
 *
 * A node that is `rational` changes between these while it runs (dc_strategy_turn; fermi.h).
 * models/README.md 14. */
#ifndef MODELS_ADVERSARY_ADVERSARY_H
#define MODELS_ADVERSARY_ADVERSARY_H

#include "models/node/node.h"

/* dc_node_step through the node's strategy and the behaviours in force (byzantine.h). */
void dc_adversary_step(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);

/* From now on the node follows another strategy, with a disk that lacks the fraction `missing`: of a
 * sybil, of its filler; 0 for validators and for those whose deceit is not the disk (stale, burst,
 * and outsourcers, whose accomplice has it all).  What it had fetched, kept or half done is
 * forgotten; its deals it still knows, so that a cheat that turns honest has its data again.
 * Between two steps. */
void dc_strategy_turn(struct dc_node *node, enum dc_strategy strategy, dc_q31 missing);

#endif

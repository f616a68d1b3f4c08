/* Byzantine behaviours: faults that begin and end while a node runs.  Each wraps the unmodified
 * node at its input and its effects; several may be in force at once, beside the node's strategy
 * (adversary.h).  Whatever is signed is signed with the node's own key, so that evidence is real.
 *
 *   world --input--> [route: TWINS, COLLUDE]--> node beneath --effects--> edits in this order -->
 *
 *     who acts     TWINS COLLUDE             effects of an instance go to its side only
 *     what         EQUIVOCATE WITHHOLD_VRF INVALID_BLOCK INVALID_CERTIFICATE DOUBLE_VERDICT
 *                  INVALID_SIGNATURE CENSOR WITHHOLD_VOTES WITHHOLD_BLOCKS
 *     to whom      SELECTIVE
 *     besides      REPLAY SPAM
 *     when         DELAY                     holds whatever is left, what the others made included
 *
 * An edit sees what those before it left.  Under TWINS and COLLUDE that is what each instance says
 * to its side: EQUIVOCATE then does nothing, and what members of a clique tell each other in
 * envelopes is touched by DELAY alone.  `victims` are the half that is treated differently,
 * `clique` those who do the same thing together.  Draws come from streams of (seed, behaviour), by
 * the (epoch, round) of a message where it has one, so that a re-sent message meets the same fate
 * and no behaviour moves the draws of another.  models/README.md 14. */
#ifndef MODELS_ADVERSARY_BYZANTINE_H
#define MODELS_ADVERSARY_BYZANTINE_H

#include "models/node/node.h"

enum dc_behaviour {
    /* Two votes and two proposals of each round, each to half of the peers. */
    DC_BEHAVIOUR_EQUIVOCATE,
    /* Two instances of the unmodified code behind one identity: one talks to the victims only, the
     * other to everybody else (Bano et al., Twins, 2020). */
    DC_BEHAVIOUR_TWINS,
    /* No vote leaves, by itself or in a timeout. */
    DC_BEHAVIOUR_WITHHOLD_VOTES,
    /* No own proposal leaves. */
    DC_BEHAVIOUR_WITHHOLD_BLOCKS,
    /* Leader of an epoch's last block: withholds it when the beacon that its VRF output makes gives
     * the clique fewer rounds of the epoch after next than its power would. */
    DC_BEHAVIOUR_WITHHOLD_VRF,
    /* Proposals, votes and timeouts reach no victim. */
    DC_BEHAVIOUR_SELECTIVE,
    /* What it sends leaves delay_ns later. */
    DC_BEHAVIOUR_DELAY,
    /* Own proposals with a wrong state root, a wrong transaction root, a transaction that is not
     * valid, its parent's timestamp: by turns, signed properly. */
    DC_BEHAVIOUR_INVALID_BLOCK,
    /* Votes, timeouts, proposals, transactions: a bit of the signature is flipped. */
    DC_BEHAVIOUR_INVALID_SIGNATURE,
    /* Proposals, SYNC and hand-overs whose QC or TC lacks power, counts one signer many times, or
     * bears other signatures, by turns; timeouts that name a QC which is not there. */
    DC_BEHAVIOUR_INVALID_CERTIFICATE,
    /* Each delay_ns an old consensus message, sent or received, again to the whole committee. */
    DC_BEHAVIOUR_REPLAY,
    /* Victims' transactions are neither kept nor put into blocks. */
    DC_BEHAVIOUR_CENSOR,
    /* rate_per_s messages of well-formed rubbish: requests, transactions, votes of old rounds. */
    DC_BEHAVIOUR_SPAM,
    /* A second, different verdict on each challenge that it judges. */
    DC_BEHAVIOUR_DOUBLE_VERDICT,
    /* TWINS of a whole clique: its first instances talk to each other, and so do its second ones;
     * as leader two blocks, one for each half; a vote for every block proposed to it, whatever
     * it promised; timeouts that name no QC. */
    DC_BEHAVIOUR_COLLUDE,
    DC_BEHAVIOURS
};

struct dc_byzantine_config {
    enum dc_behaviour behaviour;
    const uint64_t *victims; /* bitset of node ids, copied; NULL: the odd ids */
    const uint64_t *clique;  /* of the nodes that the same fault corrupts, copied; NULL: alone */
    uint32_t nodes;          /* bits in both; all nodes of the world */
    int64_t delay_ns;        /* DELAY; REPLAY: its period; at least 1 for both */
    uint32_t rate_per_s;     /* SPAM; 1 to 16000 */
    dc_q31 share;            /* of what it does; DC_ONE: always */
    uint64_t seed;           /* keyed by the fault's identity and the node's name */
    const struct dc_node_config *node; /* TWINS, COLLUDE: to make the second instance; read in
                                          dc_byzantine_begin alone */
};

/* The name in scenarios: "equivocate", "twins", "withhold_votes" ... */
const char *dc_behaviour_name(enum dc_behaviour behaviour);
/* Whether it makes sense for validators alone; the others suit every node. */
bool dc_behaviour_validators_only(enum dc_behaviour behaviour);

/* From now on the node behaves so; between two steps.  Of a behaviour that is in force already the
 * new configuration replaces the old one (TWINS, COLLUDE: with a new second instance).  Errors: no
 * validator where only those may; TWINS and COLLUDE at once; a number out of range; memory. */
enum dc_status dc_byzantine_begin(struct dc_node *node, const struct dc_byzantine_config *config,
                                  struct dc_error *error);
/* Between two steps; nothing when it is not in force.  TWINS, COLLUDE: the second instance is gone.
 * DELAY: what it holds leaves with the node's next step. */
void dc_byzantine_end(struct dc_node *node, enum dc_behaviour behaviour);
/* Whether any behaviour is in force. */
bool dc_byzantine_active(const struct dc_node *node);
/* Hands the behaviours in force to another object that stands for the same node (which crashed and
 * was made anew from its disk) and has none.  Timers are set again at the next step. */
void dc_byzantine_move(struct dc_node *from, struct dc_node *to);

/* Commits and notes of the second instance of TWINS and COLLUDE are dropped: the first alone speaks
 * for the node, so that no block is final at it twice.  The second instance, or NULL: for tests. */
const struct dc_node *dc_byzantine_twin(const struct dc_node *node);

/* Timers: the wrapper's own have this top byte; those of a second instance are its own with bit 61
 * changed (top bytes 0xE0, 0xF0, 0xF1). */
#define DC_TIMER_BYZANTINE 0xA0u
#define DC_TIMER_TWIN ((uint64_t)1 << 61)

/* dc_adversary_step's, when node->byzantine is not NULL. */
void dc_byzantine_step(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);

#endif

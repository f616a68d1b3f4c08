/* Catching up over any distance (models/README.md 4.10).
 *
 * Blocks are kept for an epoch or so.  Who is further behind is shown the hand-overs:
 *
 *   behind                                        ahead
 *     BLOCK_REQUEST (tip, own final height) ------>  has not these blocks any more
 *     EPOCH_REPLY [H(e), committee of e+1] ... <---
 *     each verified under the committee known so far, each committee by the root in the header that
 *     the hand-over certifies
 *     EPOCH_REQUEST / EPOCH_REPLY ... until there are no more
 *     STATE_REQUEST (L of the newest) ------------>
 *     STATE_REPLY, and the state as bulk <---------
 *     L is the block that H certifies, its parts make L's state root: the node's final block is L
 *     BLOCK_REQUEST from there on, as anybody who is a little behind
 *
 * What of the state is executed: the parts' hashes are real bytes and make the root of a certified
 * header; time and links are charged for all its leaves and for hashing them.  What is modelled: the
 * leaves themselves are the process-wide store's. */
#ifndef MODELS_CONSENSUS_STATESYNC_H
#define MODELS_CONSENSUS_STATESYNC_H

#include "models/consensus/follow.h"
#include "models/wire/epoch_msg.h"

/* What such a node holds meanwhile; volatile. */
struct dc_statesync {
    uint64_t epoch;                       /* verified so far: H(epoch - 1) */
    const struct dc_committee *committee; /* of epoch; the chain's, or `own` */
    struct dc_committee *own;             /* decoded */
    const struct dc_epoch *newest;        /* of epoch, or NULL */
    uint32_t peer;                        /* who is asked */
    int64_t due_ns;                       /* when to ask another */
    uint16_t tries;
    bool state; /* asking for the state after the newest hand-over's last block */
};

/* EPOCH_REQUEST, EPOCH_REPLY, STATE_REQUEST, STATE_REPLY; false for other kinds.  When a state was
 * taken over: DC_NOTE_SYNCED, and f has a new final block and epoch without DC_EFFECT_COMMIT. */
bool dc_statesync_message(struct dc_follow *f, const struct dc_consensus_env *env,
                          const struct dc_input *in, struct dc_effects *out);
/* DC_TIMER_SYNC. */
void dc_statesync_timer(struct dc_follow *f, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_effects *out);
/* Sends the first hand-overs from `height`'s epoch on to one whose blocks are gone here. */
void dc_statesync_offer(struct dc_follow *f, const struct dc_consensus_env *env, uint32_t to,
                        uint64_t height, struct dc_effects *out);
/* Begins to ask, because what this node stands on is gone. */
void dc_statesync_begin(struct dc_follow *f, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_effects *out);
void dc_statesync_free(struct dc_follow *f);

#endif

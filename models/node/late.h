/* Late votes: those that reach the collector after the certificate was made are gathered by block
 * and sent as one transaction (models/README.md 5), so that a validator far away is not taken for
 * one that does not vote. */
#ifndef MODELS_NODE_LATE_H
#define MODELS_NODE_LATE_H

#include "models/base/step.h"
#include "models/wire/consensus_msg.h"
#include "models/wire/tx.h"

struct dc_node;

#define DC_TIMER_LATE 0xD1u /* top byte of its timer */

/* Votes for one block, ascending by member. */
struct dc_late {
    struct dc_hash block;
    uint64_t height;
    uint8_t *vote; /* count x DC_LATE_VOTE_BYTES */
    uint32_t count, count_max;
};

/* Takes in a checked vote for a certified block of this node's chain; sets a timer for the first. */
void dc_late_vote(struct dc_late *l, struct dc_node *node, const struct dc_vote *vote,
                  const struct dc_input *in, struct dc_effects *out);
/* Sends what was gathered. */
void dc_late_timer(struct dc_late *l, struct dc_node *node, struct dc_effects *out);
void dc_late_free(struct dc_late *l);

#endif

/* A validator's duty as a verifier: ask, time, check, say.
 *
 *   block final that draws a challenge with this validator, and its certificate public
 *                                --> CHALLENGE
 *      answer within the deadline  --> checked for real --> verdict pass or fail
 *      answer after it             --> verdict late
 *      none after twice that time  --> verdict silent
 *
 * Whoever leads the next round holds the certificate that makes a block final before anybody else,
 * and waits block_interval with it: asked in that time, an honest node would not know the challenge.
 *
 * The deadline is the protocol's for k samples and the round-trip allowance of the two regions.  A
 * session holds a reference to the block whose root and deals the answer is checked against. */
#ifndef MODELS_NODE_VERIFIER_H
#define MODELS_NODE_VERIFIER_H

#include "models/base/step.h"
#include "models/ledger/store.h"
#include "models/wire/tx.h"

struct dc_session {
    struct dc_block *at;          /* block at height f; reference held */
    uint64_t height;              /* of the block that drew the challenge */
    int64_t sent_ns, deadline_ns; /* deadline: how long an answer may take */
    struct dc_hash nonce;
    uint32_t node, number;
    uint8_t asking, k;
    bool asked; /* else it waits until the final block is known to more than the next leader */
};
struct dc_verifier {
    struct dc_session *session;
    uint32_t count, count_max, number_next;
};

struct dc_node;

/* A block became final here: opens sessions for the challenges it drew. */
void dc_verifier_commit(struct dc_verifier *v, struct dc_node *node, const struct dc_block *block,
                        const struct dc_input *in, struct dc_effects *out);
void dc_verifier_answer(struct dc_verifier *v, struct dc_node *node, const struct dc_input *in,
                        struct dc_effects *out);
void dc_verifier_timer(struct dc_verifier *v, struct dc_node *node, const struct dc_input *in,
                       struct dc_effects *out);
void dc_verifier_free(struct dc_verifier *v);

#define DC_TIMER_VERIFIER 0xD0u /* top byte of its timers; the rest is the session's number */

#endif

/* What consensus needs from whoever runs it: one per node, or shared parts per world.
 *
 * Node ids on the network are account ids.  The core charges DC_COST_SIGN, VERIFY and VRF_PROVE,
 * and what the store charges for execution; DC_COST_MESSAGE and KIB are the node's to charge. */
#ifndef MODELS_CONSENSUS_ENV_H
#define MODELS_CONSENSUS_ENV_H

#include "models/ledger/store.h"
#include "models/wire/consensus_msg.h"
#include "models/wire/evidence.h"

/* What a validator's core asks of its node.  Any entry may be NULL. */
struct dc_consensus_node {
    /* Transactions for a block on `parent`, best first; returns the count, *out is borrowed until
     * the step ends.  The ledger takes those that are valid. */
    uint32_t (*candidates)(void *context, const struct dc_block *parent,
                           const struct dc_header *header, const struct dc_tx_view **out);
    /* A valid vote that came after its certificate was made: for DC_TX_VOTES. */
    void (*late_vote)(void *context, const struct dc_vote *vote, struct dc_effects *out);
    /* Proof of equivocation of an account, ready for DC_TX_EVIDENCE.  May be told again. */
    void (*evidence)(void *context, uint32_t accused, uint8_t kind, const uint8_t *proof,
                     size_t size, struct dc_effects *out);
};

struct dc_consensus_env {
    uint64_t chain;
    struct dc_store *store;
    struct dc_crypto *crypto;
    const struct dc_params *params;
    uint32_t self; /* account id, and id on the network */
    /* Validators only. */
    const struct dc_keypair *key; /* NULL: follows and never signs */
    const struct dc_keypair *vrf_key;
    const struct dc_consensus_node *node;
    void *context; /* of node's functions */
};

/* Observations: DC_EFFECT_NOTE with `timer` one of these. */
enum dc_consensus_note {
    DC_NOTE_CONSENSUS = 0x100,
    DC_NOTE_PROPOSED = DC_NOTE_CONSENSUS, /* a: height, b: epoch << 32 | round; object: the block */
    DC_NOTE_TIMED_OUT,                    /* a: epoch, b: round; once per node and round */
    DC_NOTE_EPOCH,                        /* a: epoch entered, b: member index or UINT32_MAX */
    DC_NOTE_REJECTED,                     /* a: enum dc_reject, b: sender */
    DC_NOTE_SYNCED,   /* a: height of the block whose state was taken over; b: the height that was
                         final before; object: the block.  No DC_EFFECT_COMMIT tells of those between */
    DC_NOTE_CONFLICT,                     /* a: height; a certificate commits what contradicts the
                                             final chain or does not execute: power > 1/3 is bad */
    DC_NOTE_CONSENSUS_END
};

/* Why something received was refused: data, counted. */
enum dc_reject {
    DC_REJECT_FORM,        /* does not decode, or contradicts itself */
    DC_REJECT_SIGNATURE,   /* not signed by the one who should have */
    DC_REJECT_CERTIFICATE, /* QC, TC or hand-over does not hold */
    DC_REJECT_EXECUTION,   /* the block does not follow from its parent */
    DC_REJECT_COUNT
};

/* Timers: consensus owns the values whose top byte is DC_TIMER_CONSENSUS. */
#define DC_TIMER_CONSENSUS 0xC0u
enum dc_consensus_timer {
    DC_TIMER_REQUEST = 1,
    DC_TIMER_ROUND,
    DC_TIMER_PROPOSE,
    DC_TIMER_HOLD,
    DC_TIMER_SYNC
};
static inline uint64_t dc_consensus_timer_value(enum dc_consensus_timer kind)
{
    return (uint64_t)DC_TIMER_CONSENSUS << 56 | (uint64_t)kind;
}
static inline bool dc_consensus_timer_is(uint64_t timer)
{
    return timer >> 56 == DC_TIMER_CONSENSUS;
}
/* Whether a message is one that dc_follow_message or dc_jolteon_message handles. */
static inline bool dc_consensus_message_is(uint32_t kind)
{
    return (kind >= DC_MSG_PROPOSAL && kind <= DC_MSG_BLOCK_REPLY) ||
           (kind >= DC_MSG_EPOCH_REQUEST && kind <= DC_MSG_STATE_REPLY);
}
/* Frees what consensus remembered in a payload of this kind (dc_payload.memo); NULL allowed. */
void dc_consensus_memo_free(uint32_t kind, void *memo);
/* What to remember in the payload of a sent message whose effect names its object; NULL: nothing. */
void *dc_consensus_memo_make(uint32_t kind, const void *object);

#endif

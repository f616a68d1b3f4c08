/* The chain as one node sees it: validator, service node or client.
 *
 *        final                      known[]: blocks above it, parents before children
 *   ...----(F)----(A)----(B)----(C)            all descend from F; certificates verified
 *                   \                          high_qc: highest certificate of this epoch
 *                    (B')                      orphan[]: good blocks whose parent is missing
 *
 * A block is taken in when its form, its proposer's signature and its certificates hold under the
 * committee of its epoch and its parent is here; it becomes final when a certificate names it or a
 * descendant (models/README.md 4, Commit).  Blocks are interned process-wide: this struct holds
 * pointers with references and is a few hundred bytes.
 *
 * What survives a restart: final, known, certificates and epoch (a node writes blocks when it takes
 * them in).  Orphans and requests are lost. */
#ifndef MODELS_CONSENSUS_FOLLOW_H
#define MODELS_CONSENSUS_FOLLOW_H

#include "models/consensus/env.h"

#define DC_FOLLOW_ORPHANS 4
#define DC_FOLLOW_BATCH 16 /* blocks in answer to one request */

struct dc_epoch;
struct dc_statesync;

struct dc_follow_entry {
    struct dc_block *block;  /* reference held */
    struct dc_block *parent; /* final or an earlier entry */
    uint8_t executed;        /* by this node: 1 valid, 2 invalid */
};

struct dc_follow {
    uint64_t epoch;
    const struct dc_committee *committee; /* of epoch; the store's */
    const struct dc_committee *before;    /* of epoch - 1, or NULL */
    struct dc_block *final;               /* reference held; executed; never a seal */
    struct dc_follow_entry *known;
    uint32_t known_count, known_max;
    struct dc_qc *high_qc;        /* of this epoch, or NULL: round 0 */
    struct dc_handover *handover; /* H(epoch - 1), or NULL in epoch 0 */
    uint64_t round_seen;          /* highest round of this epoch in a block or certificate */
    const struct dc_epoch *epochs; /* hand-overs up to that into the final block's epoch; NULL: 0 */

    /* lost at a restart */
    struct dc_statesync *sync; /* while catching up by hand-overs, or NULL (statesync.h) */
    bool gone; /* the final block's state is, in this process: to be caught up with in this step */
    struct dc_handover *pending; /* verified H(epoch) whose last block is missing here */
    struct dc_block *orphan[DC_FOLLOW_ORPHANS];
    struct dc_hash want;  /* tip asked for; zero with want_due_ns > 0: somebody's own tip */
    int64_t want_due_ns;  /* when to ask (again); 0: nothing asked */
    uint64_t want_height; /* of the tip, as far as known */
    uint32_t want_from;   /* who spoke of it last */
    uint16_t want_tries;
    uint8_t orphan_next;
    bool timer_set, want_sure;
    uint32_t rejected; /* messages refused, ever */
};

/* What became of a block. */
enum dc_follow_verdict {
    DC_FOLLOW_NEW,    /* taken in */
    DC_FOLLOW_KNOWN,  /* was here */
    DC_FOLLOW_ORPHAN, /* holds as far as can be seen; its parent is missing */
    DC_FOLLOW_AHEAD,  /* of an epoch not reached here: cannot be judged yet */
    DC_FOLLOW_OLD,    /* at or below the final height, or of an epoch gone by */
    DC_FOLLOW_INVALID
};

/* Starts at genesis.  Requires: env with store, crypto, params.  Memory out is fatal, here and
 * below (dc_mem_need). */
void dc_follow_init(struct dc_follow *f, const struct dc_consensus_env *env);
void dc_follow_free(struct dc_follow *f);

/* Handles PROPOSAL, BLOCK_REPLY, BLOCK_REQUEST, HANDOVER, SYNC and the messages of statesync.h; false
 * for other kinds.  Effects:
 * RELAY of gossip worth passing on, requests and replies, a timer, and DC_EFFECT_COMMIT with
 * object = struct dc_block for each block that became final, in order (valid while it is among the
 * store's recent heights).  A proposal that others have interned, verified and executed costs
 * a few look-ups in this struct. */
bool dc_follow_message(struct dc_follow *f, const struct dc_consensus_env *env,
                       const struct dc_input *in, struct dc_effects *out);
/* For timers with dc_consensus_timer_is(in->timer). */
void dc_follow_timer(struct dc_follow *f, const struct dc_consensus_env *env,
                     const struct dc_input *in, struct dc_effects *out);
/* After a crash: only what is durable is left. */
void dc_follow_restart(struct dc_follow *f, const struct dc_consensus_env *env,
                       const struct dc_input *in, struct dc_effects *out);

/* Account ids of the leaders of the next rounds (count_max at most 8, 4 by the protocol) in which
 * a transaction sent now can be included; near an epoch's end the first leaders of the next one.
 * Distinct; returns how many. */
uint32_t dc_follow_leaders(const struct dc_follow *f, const struct dc_consensus_env *env,
                           uint32_t count_max, uint32_t *out);
/* The newest block with a certificate here (seals left out): the final one if there is none. */
const struct dc_block *dc_follow_certified(const struct dc_follow *f);

/* --- for the validator's core -------------------------------------------------------------- */

/* The interned block of a PROPOSAL or BLOCK_REPLY, remembered in the payload; NULL: no block. */
struct dc_block *dc_follow_decode(const struct dc_consensus_env *env, const struct dc_payload *p);
/* Judges a block and takes it in: signature and certificates (VERIFY charged for each signature),
 * hand-over into the next epoch, parent, then the orphans that waited for it, and commits what its
 * certificate commits.  When its parent is missing it is kept for a while and in->from is asked.
 * NEW and ORPHAN: its certificates hold. */
enum dc_follow_verdict dc_follow_take(struct dc_follow *f, const struct dc_consensus_env *env,
                                      const struct dc_input *in, struct dc_block *block,
                                      struct dc_effects *out);
/* A PROPOSAL or BLOCK_REPLY: decodes, takes, relays, goes on asking.  *block NULL: nonsense. */
enum dc_follow_verdict dc_follow_receive(struct dc_follow *f, const struct dc_consensus_env *env,
                                         const struct dc_input *in, struct dc_block **block,
                                         struct dc_effects *out);
/* Takes in a block that is known to hold, such as the node's own, on a parent that is here. */
void dc_follow_insert(struct dc_follow *f, const struct dc_consensus_env *env,
                      const struct dc_input *in, struct dc_block *block, struct dc_effects *out);
/* What a QC of votes for `block` makes final: its parent, when certified in the round before. */
struct dc_hash dc_follow_commits(const struct dc_block *block);
/* Whether the certificate needs no check here: it is the highest one, known already. */
bool dc_follow_qc_known(const struct dc_follow *f, const struct dc_qc *qc);
/* A verified certificate of f->epoch: remembers the highest, commits.  Asks in->from for the block
 * when it is missing. */
void dc_follow_certificate(struct dc_follow *f, const struct dc_consensus_env *env,
                           const struct dc_input *in, struct dc_qc *qc, struct dc_effects *out);
/* A hand-over.  Verifies it under f->epoch; enters the next epoch when its last block is here. */
enum dc_follow_verdict dc_follow_handover(struct dc_follow *f, const struct dc_consensus_env *env,
                                          const struct dc_input *in, struct dc_handover *handover,
                                          struct dc_effects *out);
/* Makes L, whose state was verified, final and enters `newest`'s epoch: L is the last block of the one
 * before, and newest->handover says so.  DC_NOTE_SYNCED. */
void dc_follow_adopt(struct dc_follow *f, const struct dc_consensus_env *env,
                     const struct dc_input *in, struct dc_block *last,
                     const struct dc_epoch *newest, struct dc_effects *out);
/* Account id of the leader of a round; UINT32_MAX when the committee is empty (the chain halts). */
uint32_t dc_follow_leader(const struct dc_committee *c, uint64_t round);
/* The entry of an id, or NULL; the final block has none. */
struct dc_follow_entry *dc_follow_find(const struct dc_follow *f, const struct dc_hash *id);
struct dc_follow_entry *dc_follow_entry_of(const struct dc_follow *f, const struct dc_block *block);
void dc_follow_add(struct dc_follow *f, struct dc_block *block, struct dc_block *parent);
void dc_follow_forget_known(struct dc_follow *f);
/* A certificate says that `id` is final: so are its ancestors.  Nothing while it is missing. */
void dc_follow_commit(struct dc_follow *f, const struct dc_consensus_env *env,
                      const struct dc_hash *id, struct dc_effects *out);
/* Executes an entry's block (and what it stands on) once per node. */
bool dc_follow_execute(struct dc_follow *f, const struct dc_consensus_env *env,
                       struct dc_follow_entry *entry, struct dc_effects *out);
/* Asks in->from, now or soon, and later others, for the chain that ends in tip.  `sure`: a verified
 * certificate vouches for it. */
void dc_follow_want(struct dc_follow *f, const struct dc_consensus_env *env,
                    const struct dc_input *in, const struct dc_hash *tip, uint64_t height,
                    bool sure, struct dc_effects *out);
/* Answers a BLOCK_REQUEST; `tc` (or NULL) goes with the certificates. */
void dc_follow_serve(struct dc_follow *f, const struct dc_consensus_env *env,
                     const struct dc_input *in, const struct dc_tc *tc, struct dc_effects *out);
/* Asks `to` for its own tip and certificates: it is ahead in a way that cannot be judged here. */
void dc_follow_ask(struct dc_follow *f, uint32_t to, uint8_t flags, struct dc_effects *out);
/* Sends the highest QC and `tc` (or NULL), or the hand-over to one who is in an earlier epoch. */
void dc_follow_send_certificates(struct dc_follow *f, uint32_t to, uint64_t epoch,
                                 const struct dc_tc *tc, struct dc_effects *out);
/* After a BLOCK_REPLY was taken: goes on asking when the chain goes on. */
void dc_follow_replied(struct dc_follow *f, const struct dc_consensus_env *env,
                       const struct dc_input *in, struct dc_effects *out);
/* Counts and notes something refused. */
void dc_follow_reject(struct dc_follow *f, const struct dc_input *in, enum dc_reject why,
                      struct dc_effects *out);
/* The hand-over of a HANDOVER message, remembered in the payload, or NULL. */
struct dc_handover *dc_follow_decode_handover(const struct dc_payload *p);
/* Whether gossip that gave this verdict is worth passing on. */
bool dc_follow_relays(const struct dc_follow *f, const struct dc_block *block,
                      enum dc_follow_verdict verdict);
/* Far behind and asking: a validator in this condition does not sign. */
static inline bool dc_follow_behind(const struct dc_follow *f)
{
    return f->sync != NULL || (f->want_due_ns != 0 && f->want_sure &&
                               f->want_height > f->final->header.height + 4);
}

#endif

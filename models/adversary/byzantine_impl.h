/* Between the files of Byzantine behaviours: byzantine.c (beginning, ending, the step and its
 * order), byzantine_twins.c (second instances), byzantine_forge.c (blocks, votes, signatures),
 * byzantine_certificate.c, byzantine_withhold.c (what is kept back), byzantine_traffic.c (what
 * comes later, again or for nothing).
 *
 *   dc_node.byzantine -> dc_byzantine { part[behaviour] -> dc_byzantine_part { config, stream,
 *                                                                         state of the behaviour }
 * }
 *
 * A part is made at the first beginning and stays, off, when its behaviour ends: timers that are
 * still under way find out by its generation that they are void.  An edit looks at out->list from 0
 * to out->count and may change, drop or add effects. */
#ifndef MODELS_ADVERSARY_BYZANTINE_IMPL_H
#define MODELS_ADVERSARY_BYZANTINE_IMPL_H

#include "models/adversary/byzantine.h"
#include "models/base/rng.h"

struct dc_byzantine_part {
    enum dc_behaviour behaviour;
    bool on;
    bool timer_set;
    uint32_t generation;        /* of its timers */
    uint32_t nodes, words;      /* of the two sets */
    uint64_t *victims, *clique; /* one allocation, at victims */
    int64_t delay_ns;
    uint32_t rate_per_s;
    dc_q31 share;
    uint64_t seed;
    struct dc_stream stream; /* what is drawn in order */
    struct dc_stream keyed;  /* what is drawn by the name of a message */
    uint64_t turn;           /* of what is done by turns */
    uint64_t epoch, round;   /* of the latest turn */
    void *state;             /* the behaviour's own; class->clear frees it */
};

struct dc_byzantine {
    struct dc_node_extra extra; /* first */
    struct dc_byzantine_part *part[DC_BEHAVIOURS];
};

struct dc_byzantine_class {
    const char *name;
    bool validators_only;
    /* Any of these may be NULL. */
    enum dc_status (*begin)(struct dc_node *node, struct dc_byzantine_part *part,
                            const struct dc_byzantine_config *config, struct dc_error *error);
    void (*edit)(struct dc_node *node, struct dc_byzantine_part *part, const struct dc_input *in,
                 struct dc_effects *out);
    /* When it should act by itself next, or 0; and acting. */
    int64_t (*due_ns)(const struct dc_byzantine_part *part, int64_t now_ns);
    void (*act)(struct dc_node *node, struct dc_byzantine_part *part, const struct dc_input *in,
                struct dc_effects *out);
    void (*clear)(struct dc_byzantine_part *part);
};

/* dc_node_step through the strategy alone (adversary.c). */
void dc_strategy_step(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);

/* --- looking at effects ---------------------------------------------------------------------- */

/* The bytes that an effect sends, or NULL when it sends none. */
const uint8_t *dc_byzantine_bytes(const struct dc_effect *e, size_t *size);
/* A consensus message that belongs to a round. */
struct dc_byzantine_about {
    uint8_t kind; /* PROPOSAL, BLOCK_REPLY, VOTE or TIMEOUT */
    uint64_t epoch, round, height;
    uint32_t proposer; /* of a block */
};
bool dc_byzantine_peek(const uint8_t *bytes, size_t size, struct dc_byzantine_about *about);
bool dc_byzantine_victim(const struct dc_byzantine_part *part, uint32_t node);
bool dc_byzantine_member(const struct dc_byzantine_part *part, uint32_t node);

/* --- changing them --------------------------------------------------------------------------- */

/* Whether the behaviour does its work this time: by share, keyed by epoch and round of the bytes
 * where they have them, else the next draw. */
bool dc_byzantine_acts(struct dc_byzantine_part *part, const uint8_t *bytes, size_t size);
/* Which turn it is for what belongs to (epoch, round): the same for all messages of one round. */
uint64_t dc_byzantine_turn(struct dc_byzantine_part *part, uint64_t epoch, uint64_t round);
/* Room for `more` effects, with what the edits to come may need. */
bool dc_byzantine_room(const struct dc_effects *out, uint32_t more);
/* The effect sends these bytes instead, which live as long as the effects. */
void dc_byzantine_replace(struct dc_effect *e, const uint8_t *bytes, size_t size);
/* A copy of an effect's bytes that may be changed. */
uint8_t *dc_byzantine_copy(struct dc_effects *out, const uint8_t *bytes, size_t size);
/* Marks an effect as gone; dc_byzantine_compact takes the marked ones out. */
void dc_byzantine_drop(struct dc_effect *e);
void dc_byzantine_compact(struct dc_effects *out);
/* Makes *e a message to all nodes but the node itself that are (or are not) victims. */
void dc_byzantine_to_half(const struct dc_node *node, const struct dc_byzantine_part *part,
                          struct dc_effects *out, struct dc_effect *e, bool victims);
/* A new effect that sends bytes to the members of the node's committee but itself; `half` 0: those
 * who are no victims, 1: those who are, 2: all; `but` is left out. */
void dc_byzantine_to_members(const struct dc_node *node, const struct dc_byzantine_part *part,
                             struct dc_effects *out, uint32_t half, uint32_t but,
                             const uint8_t *bytes, size_t size);
/* PROPOSAL bytes of a block, signed by the node; in the effects' buffer. */
uint8_t *dc_byzantine_proposal(const struct dc_node *node, const struct dc_block_parts *parts,
                               struct dc_effects *out, size_t *size);
/* The parts of a decoded block, to be changed. */
struct dc_block_parts dc_byzantine_parts(const struct dc_block *b);

/* --- the behaviours -------------------------------------------------------------------------- */

extern const struct dc_byzantine_class dc_byzantine_equivocate, dc_byzantine_invalid_block,
    dc_byzantine_invalid_signature, dc_byzantine_invalid_certificate;
extern const struct dc_byzantine_class dc_byzantine_withhold_votes, dc_byzantine_withhold_blocks,
    dc_byzantine_withhold_vrf, dc_byzantine_selective, dc_byzantine_censor,
    dc_byzantine_double_verdict;
extern const struct dc_byzantine_class dc_byzantine_delay, dc_byzantine_replay, dc_byzantine_spam;
extern const struct dc_byzantine_class dc_byzantine_twins, dc_byzantine_collude;

/* True when the input is a victim's transaction and goes no further. */
bool dc_byzantine_censors(struct dc_node *node, struct dc_byzantine_part *part,
                          const struct dc_input *in, struct dc_effects *out);
/* REPLAY remembers what came. */
void dc_byzantine_hear(struct dc_byzantine_part *part, const struct dc_input *in);
/* The step of TWINS and COLLUDE: the input goes to one instance (or both), effects to its side. */
void dc_byzantine_twin_step(struct dc_node *node, struct dc_byzantine_part *part,
                            const struct dc_input *in, struct dc_effects *out);
const struct dc_node *dc_byzantine_twin_of(const struct dc_byzantine_part *part);
/* DELAY, ended: gives out what it holds; true when nothing is left. */
bool dc_byzantine_flush(struct dc_byzantine_part *part, struct dc_effects *out);

#endif

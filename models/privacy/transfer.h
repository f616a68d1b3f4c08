/* Confidential transfers: notes are spent and made, and nobody but the parties learns which or how
 * much.
 *
 *   body   inputs 1 (1..2) | outputs 1 (1, 2 or 4) | ring 1 | fee 8 | unshield 8 | to 4
 *          per input    pseudo-commitment C' 32 | ring members 4 each, strictly ascending
 *          per output   one-time key 32 | commitment 32 | ephemeral 32 | amount 8 | view tag 1
 *          range proof of all outputs (64 bits each, Bulletproofs)
 *          per input    CLSAG over the digest of the chain and all bytes before
 *
 *   holds  sum C' = sum C_out + (fee + unshield) B         what goes in comes out
 *          each output is in [0, 2^64)                     and nothing is negative
 *          each C' opens to one of its ring's notes        which its owner spends, and the image says
 *                                                          if it was spent before
 *
 * Fee and what leaves into an account (`unshield`, to `to`) are in the open; `to` is DC_NOBODY
 * exactly when nothing leaves.  There is one encoding of a body, and nobody else can make a second
 * one out of it.  The statement that is checked is the chain, the body and the ring's keys and
 * commitments as the state has them: a pure function of bytes, for dc_check_proof. */
#ifndef MODELS_PRIVACY_TRANSFER_H
#define MODELS_PRIVACY_TRANSFER_H

#include "models/crypto/clsag.h"
#include "models/crypto/stealth.h"

#define DC_TRANSFER_INPUTS_MAX 2u
#define DC_TRANSFER_OUTPUTS_MAX 4u
#define DC_TRANSFER_OUTPUT_BYTES ((size_t)105)
#define DC_TRANSFER_BYTES_MAX ((size_t)8192)
/* chain, body, ring members. */
#define DC_TRANSFER_STATEMENT_BYTES_MAX                                                            \
    (8 + DC_TRANSFER_BYTES_MAX +                                                                   \
     DC_TRANSFER_INPUTS_MAX * DC_RING_MAX * sizeof(struct dc_ring_member))

/* A note's public side, as an output says it. */
struct dc_transfer_output {
    struct dc_stealth_output to;
    uint8_t commitment[32];
    uint8_t amount[8];
};

/* A decoded body; pointers are into its bytes. */
struct dc_transfer {
    uint8_t inputs, outputs, ring;
    uint64_t fee, unshield;
    uint32_t to; /* account; UINT32_MAX: nobody */
    struct {
        const uint8_t *pseudo;
        const uint8_t *members; /* ids of notes, 4 bytes each */
        const uint8_t *signature;
        const uint8_t *image; /* in the signature */
    } input[DC_TRANSFER_INPUTS_MAX];
    struct dc_transfer_output output[DC_TRANSFER_OUTPUTS_MAX];
    const uint8_t *range;
    size_t range_size, signed_size; /* bytes of the range proof; bytes that signatures cover */
};

size_t dc_transfer_bytes(uint32_t inputs, uint32_t outputs, uint32_t ring);
static inline uint32_t dc_transfer_member(const struct dc_transfer *t, uint32_t input, uint32_t i)
{
    return dc_get32(t->input[input].members + 4 * (size_t)i);
}
/* False unless the bytes are exactly one body; the proofs may be wrong. */
bool dc_transfer_decode(const uint8_t *bytes, size_t size, struct dc_transfer *out);

/* chain 8 | body | for each input, its ring's members: what dc_transfer_check reads.  `member` is
 * inputs x ring.  Returns the size; out holds DC_TRANSFER_STATEMENT_BYTES_MAX. */
size_t dc_transfer_statement(uint64_t chain, const uint8_t *body, size_t size,
                             const struct dc_ring_member *member, uint32_t members, uint8_t *out);
/* Everything that the bytes alone decide: form, points, balance, ranges, ring signatures; not
 * whether the notes are there, old enough and unspent.  About 2.5 ms for one input, two outputs. */
bool dc_transfer_check(const uint8_t *statement, size_t size);

/* --- making one ----------------------------------------------------------------------------- */

struct dc_transfer_source { /* a note that is spent */
    uint64_t amount;
    uint8_t key[32];                     /* x */
    uint8_t blinding[32];                /* of its commitment */
    uint32_t index;                      /* of it in its ring */
    const uint32_t *id;                  /* the ring's notes, ascending */
    const struct dc_ring_member *member; /* and what they are */
};
struct dc_transfer_target {
    const struct dc_stealth_address *to;
    uint64_t amount;
};
struct dc_transfer_plan {
    uint64_t chain;
    uint32_t inputs, outputs, ring;
    struct dc_transfer_source source[DC_TRANSFER_INPUTS_MAX];
    struct dc_transfer_target target[DC_TRANSFER_OUTPUTS_MAX];
    uint64_t fee, unshield;
    uint32_t to;
    uint8_t seed[32]; /* of the maker: ephemeral keys, blindings and nonces come from it and the
                         plan, so that the same plan gives the same bytes */
};
/* Writes the body of plan->... into out (DC_TRANSFER_BYTES_MAX) and returns its size, 0 when there
 * is no such transfer: amounts do not add up, or secrets do not open their notes. */
size_t dc_transfer_prove(const struct dc_transfer_plan *plan, uint8_t *out) DC_MUST_USE;
/* Signs a body of this plan anew, whatever it says by now: the most that a cheat who owns the notes
 * can do (models/adversary, tests).  False when the body is not of the plan's form. */
bool dc_transfer_resign(const struct dc_transfer_plan *plan, uint8_t *body,
                        size_t size) DC_MUST_USE;

/* amount B + blinding B~; false, out zeroed, when the blinding is no scalar. */
bool dc_transfer_commit(uint64_t amount, const uint8_t blinding[32], uint8_t out[32]) DC_MUST_USE;
/* The commitment of a note made in the open: amount B + B~. */
void dc_transfer_mint(uint64_t amount, uint8_t commitment[32]);
/* Whether an output's keys are keys, so that its note can stand in rings. */
bool dc_transfer_address_valid(const struct dc_stealth_output *output);

#endif

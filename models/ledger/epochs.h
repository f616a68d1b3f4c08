/* The hand-overs of a chain, kept for ever, each with the committee record that the next one is
 * verified under: what a node needs to follow the chain from genesis, or from any epoch, without its
 * blocks (models/README.md 4.10).
 *
 *   (1: H(0), committee of 1) <-- (2: H(1), committee of 2) <-- (3: ...)
 *
 * An element names all before it, and equal chains are one object: a node's knowledge is a pointer
 * to its newest element, ten thousand nodes keep one copy, and two nodes share elements exactly as
 * far as their chains agree.  Never freed before the store; some 100 bytes and 140 a member each. */
#ifndef MODELS_LEDGER_EPOCHS_H
#define MODELS_LEDGER_EPOCHS_H

#include "models/ledger/store.h"

struct dc_epoch {
    const struct dc_epoch *before; /* of epoch - 1; NULL: this is epoch 1's */
    uint64_t epoch;                /* that the hand-over leads into */
    struct dc_hash digest;         /* of the whole chain of them */
    struct dc_handover *handover;  /* H(epoch - 1), a copy that holds no block */
    uint8_t *committee;            /* record of `epoch`, encoded */
    uint32_t committee_size;
};

struct dc_epochs;
struct dc_epochs *dc_epochs_create(void); /* NULL: out of memory */
void dc_epochs_free(struct dc_epochs *epochs);
/* The element (before; handover, next); made when it is new.  Requires: handover verified,
 * next->root == handover->committee_root, epochs in sequence.  Thread-safe, as is find. */
const struct dc_epoch *dc_epochs_add(struct dc_epochs *epochs, const struct dc_epoch *before,
                                     const struct dc_handover *handover,
                                     const struct dc_committee *next);
/* The element with that digest, or NULL. */
const struct dc_epoch *dc_epochs_find(struct dc_epochs *epochs, const struct dc_hash *digest);

/* A committee record as bytes: epoch 8, beacon 32, members 4, then for each: account 4, power 8,
 * signing key 32, VRF key 32.  Everything else in it follows. */
size_t dc_committee_size(const struct dc_committee *committee);
void dc_committee_encode(const struct dc_committee *committee, uint8_t *out);
/* NULL when the bytes are not one; root is computed, for the caller to compare.  dc_mem_free. */
struct dc_committee *dc_committee_decode(const uint8_t *bytes, size_t size);
/* H(epoch, beacon, members with power and keys): what an epoch's last header commits to. */
struct dc_hash dc_committee_root(const struct dc_committee *committee);

#endif

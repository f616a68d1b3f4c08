/* Notes of nobody: what genesis makes so that the first rings are full.
 *
 * One-time key, commitment and ephemeral key are points hashed from a seed, so that nobody knows a
 * secret of theirs: such a note can stand in a ring like any other and can never be spent.  Who
 * knows the seed, which is public, knows which notes are decoys: they make rings complete, not the
 * first payments anonymous among the chain's users. */
#ifndef MODELS_PRIVACY_DECOY_H
#define MODELS_PRIVACY_DECOY_H

#include "models/crypto/hash.h"

struct dc_decoy {
    uint8_t key[32], commitment[32], ephemeral[32];
    uint8_t amount[8];
    uint8_t view_tag;
};

/* The decoy of that number under the seed.  About 35 us. */
void dc_decoy_make(const struct dc_hash *seed, uint32_t number, struct dc_decoy *out);

#endif

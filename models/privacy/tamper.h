/* What cheats do to a confidential transfer of their own before they send it: the attacks that its
 * proofs are there for.  Used by models/adversary and tests; a validator refuses each. */
#ifndef MODELS_PRIVACY_TAMPER_H
#define MODELS_PRIVACY_TAMPER_H

#include "models/privacy/transfer.h"

/* Money from nothing: output 0 gains 2^62 that output 1 loses, below zero.  Sums and ring
 * signatures are right; the range proof is not, and cannot be.  False when the body is not the
 * plan's. */
bool dc_tamper_inflate(const struct dc_transfer_plan *plan, uint8_t *body, size_t size);

/* Somebody else's note: its ring signature and image are made up, without the key. */
bool dc_tamper_forge(const struct dc_transfer_plan *plan, uint8_t *body, size_t size);

#endif

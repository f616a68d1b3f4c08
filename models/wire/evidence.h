/* Evidence of equivocation: two different votes, or two different proposals, that one key signed in
 * one (epoch, round).  Anyone may submit it; anyone can check it with the accused's key alone.
 *
 *   PROPOSALS  epoch 8, round 8, then twice: block 32, signature 64              208 bytes
 *   VOTES      epoch 8, round 8, then twice: block 32, commits 32, signature 64  272 bytes
 *
 * Canonical: the first of the two is the smaller in byte order, so that one offence has one proof
 * for given messages. */
#ifndef MODELS_WIRE_EVIDENCE_H
#define MODELS_WIRE_EVIDENCE_H

#include "models/wire/consensus_msg.h"

enum dc_evidence_kind { DC_EVIDENCE_PROPOSALS = 1, DC_EVIDENCE_VOTES = 2 };

#define DC_EVIDENCE_BYTES_MAX ((size_t)272)

/* True when proof shows that the owner of key equivocated on this chain.  Two verifications. */
bool dc_evidence_check(uint64_t chain, struct dc_crypto *crypto, const uint8_t key[32],
                       uint8_t kind, const uint8_t *proof, size_t size);
/* Epoch and round of the offence: for its age and for offences already punished.  False on form. */
bool dc_evidence_when(uint8_t kind, const uint8_t *proof, size_t size, uint64_t *epoch,
                      uint64_t *round);
/* Proofs from what was received; return the size, 0 when the two are not in conflict. */
size_t dc_evidence_of_votes(const struct dc_vote *a, const struct dc_vote *b,
                            uint8_t out[DC_EVIDENCE_BYTES_MAX]);
size_t dc_evidence_of_proposals(const struct dc_block *a, const struct dc_block *b,
                                uint8_t out[DC_EVIDENCE_BYTES_MAX]);

#endif

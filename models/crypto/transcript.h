/* Merlin transcripts: Fiat-Shamir challenges from everything said so far (merlin.cool; STROBE-128
 * on Keccak-f[1600]; byte for byte the Rust crate `merlin` 1.0).
 *
 * Prover and verifier run the same calls; what was not appended does not bind.  Labels are part of
 * the protocol. */
#ifndef MODELS_CRYPTO_TRANSCRIPT_H
#define MODELS_CRYPTO_TRANSCRIPT_H

#include "models/crypto/group.h"

struct dc_transcript {
    _Alignas(8) uint8_t state[200];
    uint8_t pos, pos_begin, flags;
};

/* Keccak-f[1600] on 200 bytes (FIPS 202), little-endian lanes. */
void dc_keccak_f(uint8_t state[200]);

void dc_transcript_init(struct dc_transcript *t, const char *label);
void dc_transcript_append(struct dc_transcript *t, const char *label, const void *bytes,
                          size_t size);
void dc_transcript_append_u64(struct dc_transcript *t, const char *label, uint64_t v);
void dc_transcript_append_point(struct dc_transcript *t, const char *label,
                                const uint8_t encoded[32]);
void dc_transcript_append_scalar(struct dc_transcript *t, const char *label,
                                 const struct dc_scalar *a);
/* size bytes that depend on all that was appended; they are appended themselves. */
void dc_transcript_challenge(struct dc_transcript *t, const char *label, void *out, size_t size);
/* 64 of them, reduced. */
struct dc_scalar dc_transcript_challenge_scalar(struct dc_transcript *t, const char *label);

#endif

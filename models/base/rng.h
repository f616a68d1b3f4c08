/* Random numbers: Philox4x32-10 (Salmon et al., SC'11), a counter-based generator.
 *
 * A stream is named, never numbered: its key is a hash of (seed, identity, purpose), where an
 * identity is a name ("sto[17]") and a purpose says what is drawn ("jitter").  Adding a node, a
 * metric or a fault therefore leaves every other stream alone, and two runs that differ in theta
 * alone share their demand, latencies and faults (common random numbers). */
#ifndef MODELS_BASE_RNG_H
#define MODELS_BASE_RNG_H

#include <stdint.h>

/* One block of Philox4x32-10: out = bijection of ctr under key.  The known answers hold. */
void dc_philox(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4]);

/* 24 bytes: a stream of 2^64 draws of 64 bits.  Copyable; owns nothing. */
struct dc_stream {
    uint64_t key;     /* of (seed, identity, purpose) */
    uint64_t id;      /* the high half of the counter: of (identity, purpose) again, other mixing */
    uint64_t counter; /* draws so far */
};

/* A 64-bit digest of a name: the identity of nodes and purposes in keys.  FNV-1a, then mixed. */
uint64_t dc_name(const char *name);
uint64_t dc_name_indexed(const char *name, uint64_t index); /* "name[index]" */
/* One step of a 64-bit finaliser (splitmix64's): for mixing keys, not a generator. */
static inline uint64_t dc_mix64(uint64_t z)
{
    z += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

struct dc_stream dc_stream(uint64_t seed, uint64_t identity, uint64_t purpose);
/* The n-th draw of a stream, without moving it: for draws keyed by an ordinal. */
uint64_t dc_stream_at(const struct dc_stream *s, uint64_t n);
uint64_t dc_next64(struct dc_stream *s);
/* Uniform in [0, n), n > 0, exact (Lemire's multiplication with rejection). */
uint64_t dc_next_below(struct dc_stream *s, uint64_t n);

#endif

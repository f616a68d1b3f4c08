/* Rolling digests: what a node saw, in which order, in 16 bytes.
 *
 * Two lanes of 64 bits absorb the same event under different odd multipliers and rotations:
 *
 *   x     = time * A + rotl((source, sequence) * B, 32) + kind * C + payload * D
 *   lane' = (rotl(lane, r) ^ (x + 1)) * M
 *
 * Rotation and multiplication make the order count; two lanes make an accidental collision a matter
 * of 2^-128 per pair of runs.  It finds differences between runs; it resists no adversary. */
#ifndef SIM_KERNEL_DIGEST_H
#define SIM_KERNEL_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct ds_digest {
    uint64_t lane[2]; /* zero at the start */
};

static inline uint64_t ds_digest_rotl(uint64_t x, int r)
{
    return x << r | x >> (64 - r);
}

/* Absorbs one event; payload is a 64-bit digest of its content.  About 2 ns. */
static inline void ds_digest_add(struct ds_digest *d, int64_t time_ns, uint32_t source,
                                 uint32_t sequence, uint32_t kind, uint64_t payload)
{
    uint64_t t = (uint64_t)time_ns, s = (uint64_t)source << 32 | sequence, c = kind;
    /* Odd constants: fractions of the golden ratio and of square roots of primes (as in
     * splitmix64, SHA-512 and xxHash). */
    uint64_t x = t * 0x9e3779b97f4a7c15ULL + ds_digest_rotl(s * 0xbb67ae8584caa73bULL, 32) +
                 c * 0x3c6ef372fe94f82bULL + payload * 0xa54ff53a5f1d36f1ULL;
    uint64_t y = t * 0xc2b2ae3d27d4eb4fULL + ds_digest_rotl(s * 0x165667b19e3779f9ULL, 32) +
                 c * 0x510e527fade682d1ULL + payload * 0x9b05688c2b3e6c1fULL;
    d->lane[0] = (ds_digest_rotl(d->lane[0], 29) ^ (x + 1)) * 0xbf58476d1ce4e5b9ULL;
    d->lane[1] = (ds_digest_rotl(d->lane[1], 37) ^ (y + 1)) * 0x94d049bb133111ebULL;
}

/* A digest of bytes for traces: 16 bytes a step by a folded 64 x 64 -> 128 bit product, about 6 bytes
 * per ns.  Every bit counts and the size is mixed in; it resists no adversary either. */
uint64_t ds_digest_bytes(const void *data, size_t size);

/* The run's digest: of count nodes' digests, in node order. */
struct ds_digest ds_digest_run(const struct ds_digest *nodes, size_t count);

/* 32 hex digits and a NUL. */
void ds_digest_hex(const struct ds_digest *d, char text[33]);

#endif

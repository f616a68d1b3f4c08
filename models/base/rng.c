/* Philox4x32-10 in counter mode.
 *
 *   key      64 bits  of (seed, identity, purpose)
 *   counter 128 bits  = draw number, 64 bits | stream's id, 64 bits
 *
 * The id repeats identity and purpose under other mixing: two streams of a run meet only when
 * both 64-bit values agree. */
#include "models/base/rng.h"

void dc_philox(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = ctr[0], c1 = ctr[1], c2 = ctr[2], c3 = ctr[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static uint64_t rng_fnv(uint64_t h, const char *s)
{
    for (; *s != '\0'; s++)
        h = (h ^ (uint8_t)*s) * 0x100000001b3ULL;
    return h;
}

uint64_t dc_name(const char *name)
{
    return dc_mix64(rng_fnv(0xcbf29ce484222325ULL, name));
}

uint64_t dc_name_indexed(const char *name, uint64_t index)
{
    return dc_mix64(dc_name(name) ^ dc_mix64(index ^ 0x5b5d5b5d5b5d5b5dULL));
}

struct dc_stream dc_stream(uint64_t seed, uint64_t identity, uint64_t purpose)
{
    uint64_t a = dc_mix64(seed ^ dc_mix64(identity ^ dc_mix64(purpose)));
    uint64_t b = dc_mix64(identity + 0x9e3779b97f4a7c15ULL * dc_mix64(purpose));
    return (struct dc_stream){.key = a, .id = b, .counter = 0};
}

uint64_t dc_stream_at(const struct dc_stream *s, uint64_t n)
{
    uint32_t ctr[4] = {(uint32_t)n, (uint32_t)(n >> 32), (uint32_t)s->id, (uint32_t)(s->id >> 32)};
    uint32_t key[2] = {(uint32_t)s->key, (uint32_t)(s->key >> 32)};
    uint32_t out[4];
    dc_philox(ctr, key, out);
    return (uint64_t)out[1] << 32 | out[0];
}

uint64_t dc_next64(struct dc_stream *s)
{
    return dc_stream_at(s, s->counter++);
}

uint64_t dc_next_below(struct dc_stream *s, uint64_t n)
{
    unsigned __int128 m = (unsigned __int128)dc_next64(s) * n;
    if ((uint64_t)m < n) {
        uint64_t threshold = (0 - n) % n;
        while ((uint64_t)m < threshold)
            m = (unsigned __int128)dc_next64(s) * n;
    }
    return (uint64_t)(m >> 64);
}

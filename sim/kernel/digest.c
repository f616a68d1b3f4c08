#include "sim/kernel/digest.h"

#include "models/base/bytes.h"

/* splitmix64's finaliser: every bit of a node's lane reaches every bit that the sum sees. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

struct ds_digest ds_digest_run(const struct ds_digest *nodes, size_t count)
{
    struct ds_digest run = {{count, ~(uint64_t)count}};
    for (size_t i = 0; i < count; i++)
        for (int l = 0; l < 2; l++)
            run.lane[l] = mix(ds_digest_rotl(run.lane[l], l ? 37 : 29) ^ mix(nodes[i].lane[l] + 1));
    return run;
}

void ds_digest_hex(const struct ds_digest *d, char text[33])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 32; i++)
        text[i] = digits[d->lane[i / 16] >> (60 - 4 * (i % 16)) & 15];
    text[32] = 0;
}

static uint64_t digest_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The last bytes of a text as a number, little-endian. */
static uint64_t digest_word(const uint8_t *p, size_t size)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

uint64_t ds_digest_bytes(const void *data, size_t size)
{
    /* Odd constants: fractions of the golden ratio and of square roots of primes. */
    const uint64_t k0 = 0x9e3779b97f4a7c15ULL, k1 = 0xbb67ae8584caa73bULL,
                   k2 = 0x3c6ef372fe94f82bULL;
    const uint8_t *p = data;
    uint64_t h = (uint64_t)size * k2 + k0;
    size_t left = size;
    for (; left >= 16; p += 16, left -= 16)
        h = digest_fold(dc_get64(p) ^ h ^ k0, dc_get64(p + 8) ^ k1) + ds_digest_rotl(h, 31);
    uint64_t a = left >= 8 ? dc_get64(p) : digest_word(p, left);
    uint64_t b = left > 8 ? digest_word(p + 8, left - 8) : 0;
    h = digest_fold(a ^ h ^ k1, b ^ k2) + ds_digest_rotl(h, 29);
    return digest_fold(h ^ k0, h + k1);
}

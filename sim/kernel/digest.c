#include "sim/kernel/digest.h"

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

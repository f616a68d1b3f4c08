/* A key dealt among `count` members, for tests: shares and keys as the ceremony gives them. */
#ifndef TESTS_CRYPTO_DEALT_H
#define TESTS_CRYPTO_DEALT_H

#include "models/crypto/dkg.h"
#include "tests/support/harness.h"

#define DEALT_MAX 16

struct dealt {
    uint32_t count, threshold;
    uint8_t context[32];
    struct dc_dkg_deal deal[DEALT_MAX];
    uint8_t share[DEALT_MAX][DEALT_MAX][32]; /* [dealer][member] */
    uint8_t group_key[32], share_key[DEALT_MAX][32], secret[DEALT_MAX][32];
};

static inline void dealt_make(uint32_t count, uint32_t threshold, uint64_t seed, struct dealt *d)
{
    d->count = count;
    d->threshold = threshold;
    memset(d->context, 7, 32);
    const struct dc_dkg_deal *all[DEALT_MAX];
    for (uint32_t i = 0; i < count; i++) {
        uint8_t key[32] = {0};
        dc_put64(key, seed);
        dc_put32(key + 8, i);
        dc_dkg_make(key, d->context, i, count, threshold, &d->deal[i], d->share[i]);
        all[i] = &d->deal[i];
    }
    CU_ASSERT_TRUE_FATAL(dc_dkg_keys(all, count, count, d->group_key, d->share_key));
    for (uint32_t i = 0; i < count; i++) {
        uint8_t own[DEALT_MAX][32];
        for (uint32_t k = 0; k < count; k++)
            memcpy(own[k], d->share[k][i], 32);
        CU_ASSERT_TRUE_FATAL(dc_dkg_secret((const uint8_t(*)[32])own, count, d->secret[i]));
    }
}

/* The subset of `size` members with number `which`, members ascending; false past the last. */
static inline bool dealt_subset(uint32_t count, uint32_t size, uint32_t which, uint32_t *out)
{
    for (uint32_t mask = 0; mask < 1u << count; mask++) {
        if ((uint32_t)__builtin_popcount(mask) != size || which-- != 0)
            continue;
        uint32_t n = 0;
        for (uint32_t i = 0; i < count; i++)
            if ((mask >> i & 1) != 0)
                out[n++] = i;
        return true;
    }
    return false;
}

#endif

/* Draws for BFV from ChaCha20's keystream: ternary secrets, centred binomial errors, uniform
 * elements of R_q, wide uniform noise.
 *
 * Errors are the difference of two sums of 21 coins (42 bits of six bytes), as Microsoft SEAL draws
 * them: integers alone, bounded by 21, standard deviation sqrt(10.5).  Rejected values of the other
 * kinds are drawn again from further on in the keystream, so the count of draws is no constant; it
 * depends on the stream alone. */
#include "models/crypto/bfv_impl.h"

#include "models/crypto/expand.h"

#define BLOCK_BYTES ((size_t)8192)

/* A keystream read in blocks: block k of use u is the stream of nonce u << 32 | k. */
struct draw {
    struct dc_hash key;
    uint64_t nonce;
    size_t at;
    uint8_t bytes[BLOCK_BYTES];
};

static void draw_begin(struct draw *d, const struct dc_hash *key, enum bfv_use use)
{
    d->key = *key;
    d->nonce = (uint64_t)use << 32;
    d->at = BLOCK_BYTES;
}

/* The next size bytes, size at most 16; what is left of a block and too short is skipped. */
static const uint8_t *draw_next(struct draw *d, size_t size)
{
    if (BLOCK_BYTES - d->at < size) {
        dc_expand(&d->key, d->nonce++, d->bytes, BLOCK_BYTES);
        d->at = 0;
    }
    const uint8_t *p = d->bytes + d->at;
    d->at += size;
    return p;
}

void dc_bfv_draw_ternary(const struct dc_hash *key, enum bfv_use use, int32_t out[BFV_N])
{
    struct draw d;
    draw_begin(&d, key, use);
    for (uint32_t i = 0; i < BFV_N;) {
        uint8_t b = *draw_next(&d, 1);
        if (b >= 243) /* 3^5: five digits a byte */
            continue;
        for (uint32_t k = 0; k < 5 && i < BFV_N; k++, b /= 3)
            out[i++] = b % 3 - 1;
    }
}

void dc_bfv_draw_errors(const struct dc_hash *key, enum bfv_use use, int32_t out[BFV_N])
{
    struct draw d;
    draw_begin(&d, key, use);
    for (uint32_t i = 0; i < BFV_N; i++) {
        const uint8_t *p = draw_next(&d, 6);
        uint64_t bits = (uint64_t)dc_get32(p) | (uint64_t)dc_get16(p + 4) << 32;
        int32_t a = __builtin_popcountll(bits & 0x1fffff);
        int32_t b = __builtin_popcountll(bits >> 21 & 0x1fffff);
        out[i] += a - b;
    }
}

void dc_bfv_draw_uniform(const struct dc_hash *key, struct dc_bfv_poly *out)
{
    struct draw d;
    draw_begin(&d, key, BFV_USE_COMMON);
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        for (uint32_t j = 0; j < BFV_N;) {
            uint64_t v = dc_get64(draw_next(&d, 8)) >> (64 - BFV_BITS);
            if (v < bfv_prime[i])
                out->v[i][j++] = v;
        }
}

void dc_bfv_plain_draw(const struct dc_hash *key, struct dc_bfv_plain *out)
{
    struct draw d;
    draw_begin(&d, key, BFV_USE_PLAIN);
    for (uint32_t i = 0; i < BFV_N;) {
        uint32_t v = dc_get32(draw_next(&d, 4)) >> 15; /* 17 bits: half of them serve */
        if (v < DC_BFV_PLAIN)
            out->v[i++] = v;
    }
}

void dc_bfv_draw_wide(const struct dc_hash *key, enum bfv_use use, uint32_t bits,
                      __int128 out[BFV_N])
{
    DC_CHECK(bits >= 1 && bits <= 85);
    struct draw d;
    draw_begin(&d, key, use);
    const __int128 half = (__int128)1 << (bits - 1);
    const bfv_u128 mask = ((bfv_u128)1 << bits) - 1;
    for (uint32_t i = 0; i < BFV_N; i++) {
        const uint8_t *p = draw_next(&d, 12);
        bfv_u128 v = (bfv_u128)dc_get64(p) | (bfv_u128)dc_get32(p + 8) << 64;
        out[i] += (__int128)(v & mask) - half;
    }
}

/* |a| < 2^100: the high half is below 2^46 and enters as a multiple of 2^54 modulo p. */
void dc_bfv_from_wide(const struct dc_bfv *bfv, const __int128 a[BFV_N], struct dc_bfv_poly *out)
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++) {
        const uint64_t p = bfv_prime[i], mu = bfv_mu(p);
        const uint64_t unit = (UINT64_C(1) << BFV_BITS) - p;
        for (uint32_t j = 0; j < BFV_N; j++) {
            bfv_u128 size = (bfv_u128)(a[j] < 0 ? -a[j] : a[j]);
            uint64_t low = (uint64_t)size & ((UINT64_C(1) << BFV_BITS) - 1);
            uint64_t high = (uint64_t)(size >> BFV_BITS);
            uint64_t v = bfv_add(bfv_mul(high, unit, p, mu), bfv_less(low, p), p);
            out->v[i][j] = a[j] < 0 && v != 0 ? p - v : v;
        }
    }
    dc_bfv_forward(bfv, out);
}

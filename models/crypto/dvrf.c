#include "models/crypto/dvrf.h"

#include "models/crypto/sigma.h"

static void dvrf_point(const void *message, size_t size, uint8_t out[32])
{
    uint8_t wide[64];
    for (uint8_t half = 0; half < 2; half++) {
        struct dc_hasher h;
        dc_hasher_init(&h, DC_DOMAIN_BEACON_SHARE);
        dc_hasher_update(&h, &half, 1);
        dc_hasher_update(&h, message, size);
        struct dc_hash part = dc_hasher_final(&h);
        memcpy(wide + 32 * half, part.b, 32);
    }
    struct dc_point p = dc_point_from_hash(wide);
    dc_point_encode(&p, out);
}

static void dvrf_transcript(struct dc_transcript *t, const void *message, size_t size)
{
    dc_transcript_init(t, dc_domain_name(DC_DOMAIN_BEACON_SHARE));
    dc_transcript_append(t, "message", message, size);
}

void dc_dvrf_share(const uint8_t secret[32], const void *message, size_t size,
                   uint8_t share[DC_DVRF_SHARE_BYTES])
{
    struct dc_scalar x;
    struct dc_transcript t;
    uint8_t point[32];
    DC_CHECK(dc_scalar_decode(secret, &x));
    dvrf_point(message, size, point);
    dvrf_transcript(&t, message, size);
    dc_dleq_prove(&t, &x, point, share, share + 32);
}

bool dc_dvrf_check(const uint8_t share_key[32], const void *message, size_t size,
                   const uint8_t share[DC_DVRF_SHARE_BYTES])
{
    struct dc_transcript t;
    uint8_t point[32];
    dvrf_point(message, size, point);
    dvrf_transcript(&t, message, size);
    return dc_dleq_verify(&t, share_key, point, share, share + 32);
}

#include "models/privacy/tamper.h"

#include "models/crypto/group.h"

/* Adds k B to an encoded commitment. */
static bool tamper_shift(uint8_t *encoded, const struct dc_scalar *k)
{
    struct dc_point p, by = dc_point_mul_base(k);
    if (!dc_point_decode(encoded, &p))
        return false;
    p = dc_point_add(&p, &by);
    dc_point_encode(&p, encoded);
    return true;
}

bool dc_tamper_inflate(const struct dc_transfer_plan *plan, uint8_t *body, size_t size)
{
    struct dc_transfer t;
    struct dc_scalar gain = dc_scalar_u64((uint64_t)1 << 62), loss = dc_scalar_neg(&gain);
    if (!dc_transfer_decode(body, size, &t) || t.outputs < 2)
        return false;
    uint8_t *first = body + (t.range - body) - t.outputs * DC_TRANSFER_OUTPUT_BYTES + 32;
    return tamper_shift(first, &gain) && tamper_shift(first + DC_TRANSFER_OUTPUT_BYTES, &loss) &&
           dc_transfer_resign(plan, body, size);
}

bool dc_tamper_forge(const struct dc_transfer_plan *plan, uint8_t *body, size_t size)
{
    struct dc_transfer t;
    struct dc_nonces noise;
    if (!dc_transfer_decode(body, size, &t))
        return false;
    dc_nonces_init(&noise, plan->seed, DC_DOMAIN_SHIELDED);
    dc_nonces_feed(&noise, body, size);
    for (uint32_t i = 0; i < t.inputs; i++) {
        uint8_t *signature = body + (t.input[i].signature - body);
        uint8_t x[32];
        for (uint32_t k = 0; k <= t.ring; k++) {
            struct dc_scalar s = dc_nonces_next(&noise);
            dc_scalar_encode(&s, signature + (size_t)32 * k);
        }
        struct dc_scalar secret = dc_nonces_next(&noise);
        dc_scalar_encode(&secret, x);
        if (!dc_clsag_key_image(x, signature + 32 + (size_t)32 * t.ring))
            return false;
    }
    return true;
}

#include "models/crypto/stealth.h"

#include "models/crypto/group.h"

/* H(k, use): each use of the shared secret has its own. */
enum stealth_use { STEALTH_KEY = 1, STEALTH_TAG, STEALTH_AMOUNT, STEALTH_BLINDING };

static struct dc_hash stealth_hash(const uint8_t shared[32], enum stealth_use use, uint8_t half)
{
    uint8_t text[34];
    memcpy(text, shared, 32);
    text[32] = (uint8_t)use;
    text[33] = half;
    return dc_hash_bytes(DC_DOMAIN_ADDRESS, text, sizeof text);
}

static struct dc_scalar stealth_scalar(const uint8_t shared[32], enum stealth_use use)
{
    uint8_t wide[64];
    for (uint8_t half = 0; half < 2; half++) {
        struct dc_hash h = stealth_hash(shared, use, half);
        memcpy(wide + (size_t)32 * half, h.b, 32);
    }
    return dc_scalar_wide(wide);
}

/* k of the shared point, the ephemeral key and the output's number. */
static void stealth_shared(const struct dc_point *point, const uint8_t ephemeral[32], uint32_t i,
                           uint8_t shared[32])
{
    uint8_t text[68];
    dc_point_encode(point, text);
    memcpy(text + 32, ephemeral, 32);
    dc_put32(text + 64, i);
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_ADDRESS, text, sizeof text);
    memcpy(shared, h.b, 32);
}

/* P = H(k, key) B~ + S. */
static void stealth_key(const uint8_t shared[32], const struct dc_point *spend, uint8_t out[32])
{
    struct dc_scalar h = stealth_scalar(shared, STEALTH_KEY);
    struct dc_scalar zero = dc_scalar_zero();
    struct dc_point p = dc_pedersen(&zero, &h);
    p = dc_point_add(&p, spend);
    dc_point_encode(&p, out);
}

void dc_stealth_keys_from_seed(const uint8_t seed[32], struct dc_stealth_keys *out)
{
    struct dc_nonces nonces;
    dc_nonces_init(&nonces, seed, DC_DOMAIN_ADDRESS);
    struct dc_scalar view = dc_nonces_next(&nonces), spend = dc_nonces_next(&nonces);
    struct dc_scalar zero = dc_scalar_zero();
    struct dc_point p = dc_point_mul_base(&view);
    dc_scalar_encode(&view, out->view_secret);
    dc_scalar_encode(&spend, out->spend_secret);
    dc_point_encode(&p, out->address.view);
    p = dc_pedersen(&zero, &spend);
    dc_point_encode(&p, out->address.spend);
}

bool dc_stealth_send(const struct dc_stealth_address *to, const uint8_t seed[32], uint32_t i,
                     struct dc_stealth_output *out, uint8_t shared[32])
{
    struct dc_point view, spend;
    if (!dc_point_decode_proper(to->view, &view) || !dc_point_decode_proper(to->spend, &spend))
        return false;
    struct dc_nonces nonces;
    dc_nonces_init(&nonces, seed, DC_DOMAIN_ADDRESS);
    dc_nonces_feed(&nonces, to, sizeof *to);
    struct dc_scalar r = dc_nonces_next(&nonces);
    struct dc_point p = dc_point_mul_base(&r);
    dc_point_encode(&p, out->ephemeral);
    p = dc_point_mul(&r, &view);
    stealth_shared(&p, out->ephemeral, i, shared);
    stealth_key(shared, &spend, out->key);
    out->view_tag = stealth_hash(shared, STEALTH_TAG, 0).b[0];
    return true;
}

bool dc_stealth_recognise(const uint8_t view_secret[32], const uint8_t spend_public[32],
                          const struct dc_stealth_output *output, uint32_t i, uint8_t shared[32],
                          bool *tag_fits)
{
    struct dc_scalar a;
    struct dc_point p, spend;
    uint8_t key[32];
    if (tag_fits != NULL)
        *tag_fits = false;
    if (!dc_scalar_decode(view_secret, &a) || !dc_point_decode_proper(output->ephemeral, &p))
        return false;
    p = dc_point_mul(&a, &p);
    stealth_shared(&p, output->ephemeral, i, shared);
    if (stealth_hash(shared, STEALTH_TAG, 0).b[0] != output->view_tag)
        return false;
    if (tag_fits != NULL)
        *tag_fits = true;
    if (!dc_point_decode_proper(spend_public, &spend))
        return false;
    stealth_key(shared, &spend, key);
    return memcmp(key, output->key, 32) == 0;
}

void dc_stealth_secret(const uint8_t spend_secret[32], const uint8_t shared[32], uint8_t x[32])
{
    struct dc_scalar b, h = stealth_scalar(shared, STEALTH_KEY);
    DC_CHECK(dc_scalar_decode(spend_secret, &b));
    b = dc_scalar_add(&b, &h);
    dc_scalar_encode(&b, x);
}

void dc_stealth_mask(const uint8_t shared[32], const uint8_t in[8], uint8_t out[8])
{
    struct dc_hash h = stealth_hash(shared, STEALTH_AMOUNT, 0);
    dc_put64(out, dc_get64(in) ^ dc_get64(h.b));
}

void dc_stealth_blinding(const uint8_t shared[32], uint8_t out[32])
{
    struct dc_scalar h = stealth_scalar(shared, STEALTH_BLINDING);
    dc_scalar_encode(&h, out);
}

#include "models/privacy/decoy.h"

#include "models/crypto/group.h"

/* H(DECOY, seed || number || part): 32 bytes a part. */
static void decoy_bytes(const struct dc_hash *seed, uint32_t number, uint8_t part, uint8_t out[32])
{
    uint8_t text[37];
    memcpy(text, seed->b, 32);
    dc_put32(text + 32, number);
    text[36] = part;
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_DECOY, text, sizeof text);
    memcpy(out, h.b, 32);
}

static void decoy_point(const struct dc_hash *seed, uint32_t number, uint8_t part, uint8_t out[32])
{
    uint8_t wide[64];
    decoy_bytes(seed, number, part, wide);
    decoy_bytes(seed, number, part + 1, wide + 32);
    struct dc_point p = dc_point_from_hash(wide);
    dc_point_encode(&p, out);
}

void dc_decoy_make(const struct dc_hash *seed, uint32_t number, struct dc_decoy *out)
{
    uint8_t rest[32];
    decoy_point(seed, number, 0, out->key);
    decoy_point(seed, number, 2, out->commitment);
    decoy_point(seed, number, 4, out->ephemeral);
    decoy_bytes(seed, number, 6, rest);
    memcpy(out->amount, rest, sizeof out->amount);
    out->view_tag = rest[8];
}

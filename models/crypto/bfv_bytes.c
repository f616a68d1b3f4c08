/* BFV's bytes: values of 54 bits one after another, lowest bits first; four are 27 bytes. */
#include "models/crypto/bfv_impl.h"

#define MASK ((UINT64_C(1) << BFV_BITS) - 1)

void dc_bfv_poly_encode(const struct dc_bfv_poly *p, uint8_t out[DC_BFV_POLY_BYTES])
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        for (uint32_t j = 0; j < BFV_N; j += 4, out += 27) {
            const uint64_t *v = &p->v[i][j];
            dc_put64(out, v[0] | v[1] << 54);
            dc_put64(out + 8, v[1] >> 10 | v[2] << 44);
            dc_put64(out + 16, v[2] >> 20 | v[3] << 34);
            dc_put16(out + 24, (uint16_t)(v[3] >> 30));
            out[26] = (uint8_t)(v[3] >> 46);
        }
}

bool dc_bfv_poly_decode(const void *bytes, size_t size, struct dc_bfv_poly *out)
{
    if (size != DC_BFV_POLY_BYTES)
        return false;
    const uint8_t *p = bytes;
    bool canonical = true;
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        for (uint32_t j = 0; j < BFV_N; j += 4, p += 27) {
            uint64_t *v = &out->v[i][j];
            uint64_t a = dc_get64(p), b = dc_get64(p + 8), c = dc_get64(p + 16);
            uint64_t d = (uint64_t)dc_get16(p + 24) | (uint64_t)p[26] << 16;
            v[0] = a & MASK;
            v[1] = (a >> 54 | b << 10) & MASK;
            v[2] = (b >> 44 | c << 20) & MASK;
            v[3] = c >> 34 | d << 30;
            for (uint32_t k = 0; k < 4; k++)
                canonical &= v[k] < bfv_prime[i];
        }
    return canonical;
}

void dc_bfv_ciphertext_encode(const struct dc_bfv_ciphertext *c,
                              uint8_t out[DC_BFV_CIPHERTEXT_BYTES])
{
    dc_bfv_poly_encode(&c->c[0], out);
    dc_bfv_poly_encode(&c->c[1], out + DC_BFV_POLY_BYTES);
}

bool dc_bfv_ciphertext_decode(const void *bytes, size_t size, struct dc_bfv_ciphertext *out)
{
    const uint8_t *p = bytes;
    return size == DC_BFV_CIPHERTEXT_BYTES &&
           dc_bfv_poly_decode(p, DC_BFV_POLY_BYTES, &out->c[0]) &&
           dc_bfv_poly_decode(p + DC_BFV_POLY_BYTES, DC_BFV_POLY_BYTES, &out->c[1]);
}

void dc_bfv_public_encode(const struct dc_bfv_public *key, uint8_t out[DC_BFV_PUBLIC_BYTES])
{
    memcpy(out, key->common.b, DC_HASH_BYTES);
    dc_bfv_poly_encode(&key->b, out + DC_HASH_BYTES);
}

bool dc_bfv_public_decode(const struct dc_bfv *bfv, const void *bytes, size_t size,
                          struct dc_bfv_public *out)
{
    const uint8_t *p = bytes;
    if (size != DC_BFV_PUBLIC_BYTES ||
        !dc_bfv_poly_decode(p + DC_HASH_BYTES, DC_BFV_POLY_BYTES, &out->b))
        return false;
    memcpy(out->common.b, p, DC_HASH_BYTES);
    dc_bfv_public_complete(bfv, out);
    return true;
}

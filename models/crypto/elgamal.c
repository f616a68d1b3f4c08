#include "models/crypto/elgamal.h"

bool dc_elgamal_decode(const uint8_t bytes[64], struct dc_elgamal *out)
{
    if (dc_point_decode(bytes, &out->first) && dc_point_decode(bytes + 32, &out->second))
        return true;
    out->first = out->second = dc_point_identity();
    return false;
}

void dc_elgamal_encode(const struct dc_elgamal *a, uint8_t out[64])
{
    dc_point_encode(&a->first, out);
    dc_point_encode(&a->second, out + 32);
}

struct dc_elgamal dc_elgamal_add(const struct dc_elgamal *a, const struct dc_elgamal *b)
{
    return (struct dc_elgamal){dc_point_add(&a->first, &b->first),
                               dc_point_add(&a->second, &b->second)};
}

struct dc_elgamal dc_elgamal_sub(const struct dc_elgamal *a, const struct dc_elgamal *b)
{
    return (struct dc_elgamal){dc_point_sub(&a->first, &b->first),
                               dc_point_sub(&a->second, &b->second)};
}

struct dc_elgamal dc_elgamal_scale(const struct dc_elgamal *a, const struct dc_scalar *by)
{
    return (struct dc_elgamal){dc_point_mul(by, &a->first), dc_point_mul(by, &a->second)};
}

bool dc_elgamal_accumulate(uint8_t sum[64], const uint8_t add[64])
{
    struct dc_elgamal a, b;
    if (!dc_elgamal_decode(sum, &a) || !dc_elgamal_decode(add, &b))
        return false;
    a = dc_elgamal_add(&a, &b);
    dc_elgamal_encode(&a, sum);
    return true;
}

/* --- twisted -------------------------------------------------------------------------------- */

struct dc_point dc_twisted_key(const struct dc_scalar *secret)
{
    DC_CHECK(!dc_scalar_is_zero(secret));
    struct dc_scalar inverse = dc_scalar_invert(secret);
    struct dc_point h = dc_point_blinding();
    return dc_point_mul(&inverse, &h);
}

struct dc_elgamal dc_twisted_encrypt(const struct dc_point *key, const struct dc_scalar *amount,
                                     const struct dc_scalar *r)
{
    return (struct dc_elgamal){dc_pedersen(amount, r), dc_point_mul(r, key)};
}

struct dc_point dc_twisted_open(const struct dc_scalar *secret, const struct dc_elgamal *a)
{
    struct dc_point mask = dc_point_mul(secret, &a->second);
    return dc_point_sub(&a->first, &mask);
}

void dc_twisted_group(const struct dc_point *key, uint32_t count, const struct dc_scalar *amount,
                      const struct dc_scalar *r, uint8_t *out)
{
    struct dc_point p = dc_pedersen(amount, r);
    dc_point_encode(&p, out);
    for (uint32_t i = 0; i < count; i++) {
        p = dc_point_mul(r, &key[i]);
        dc_point_encode(&p, out + 32 * (i + 1));
    }
}

/* --- lifted --------------------------------------------------------------------------------- */

struct dc_point dc_lifted_key(const struct dc_scalar *secret)
{
    return dc_point_mul_base(secret);
}

struct dc_elgamal dc_lifted_encrypt(const struct dc_point *key, const struct dc_scalar *amount,
                                    const struct dc_scalar *r)
{
    struct dc_point value = dc_point_mul_base(amount), mask = dc_point_mul(r, key);
    return (struct dc_elgamal){dc_point_mul_base(r), dc_point_add(&value, &mask)};
}

struct dc_point dc_lifted_open(const struct dc_scalar *secret, const struct dc_elgamal *a)
{
    struct dc_point mask = dc_point_mul(secret, &a->first);
    return dc_point_sub(&a->second, &mask);
}

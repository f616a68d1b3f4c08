/* The field of 2^255 - 19, in five limbs of 51 bits: for logarithm.c, which needs coordinates and
 * not points.  Variable time where it decodes; limbs stay below 2^52 between operations.
 *
 *     a = v[0] + 2^51 v[1] + 2^102 v[2] + 2^153 v[3] + 2^204 v[4] */
#ifndef MODELS_CRYPTO_FIELD_H
#define MODELS_CRYPTO_FIELD_H

#include "models/base/bytes.h"

struct dc_field {
    uint64_t v[5];
};

#define DC_FIELD_MASK (((uint64_t)1 << 51) - 1)

static inline struct dc_field dc_field_small(uint64_t a) /* below 2^51 */
{
    return (struct dc_field){{a, 0, 0, 0, 0}};
}

/* Carries limbs of up to 63 bits. */
static inline struct dc_field dc_field_carry(struct dc_field a)
{
    uint64_t c = 0;
    for (int i = 0; i < 5; i++) {
        a.v[i] += c;
        c = a.v[i] >> 51;
        a.v[i] &= DC_FIELD_MASK;
    }
    a.v[0] += 19 * c;
    return a;
}

static inline struct dc_field dc_field_add(const struct dc_field *a, const struct dc_field *b)
{
    struct dc_field r;
    for (int i = 0; i < 5; i++)
        r.v[i] = a->v[i] + b->v[i];
    return dc_field_carry(r);
}

/* a + 4p - b. */
static inline struct dc_field dc_field_sub(const struct dc_field *a, const struct dc_field *b)
{
    struct dc_field r;
    r.v[0] = a->v[0] + 4 * (DC_FIELD_MASK - 18) - b->v[0];
    for (int i = 1; i < 5; i++)
        r.v[i] = a->v[i] + 4 * DC_FIELD_MASK - b->v[i];
    return dc_field_carry(r);
}

static inline struct dc_field dc_field_mul(const struct dc_field *a, const struct dc_field *b)
{
    typedef unsigned __int128 wide;
    const uint64_t *x = a->v, *y = b->v;
    const uint64_t y1 = 19 * y[1], y2 = 19 * y[2], y3 = 19 * y[3], y4 = 19 * y[4];
    wide t[5] = {
        (wide)x[0] * y[0] + (wide)x[1] * y4 + (wide)x[2] * y3 + (wide)x[3] * y2 + (wide)x[4] * y1,
        (wide)x[0] * y[1] + (wide)x[1] * y[0] + (wide)x[2] * y4 + (wide)x[3] * y3 + (wide)x[4] * y2,
        (wide)x[0] * y[2] + (wide)x[1] * y[1] + (wide)x[2] * y[0] + (wide)x[3] * y4 +
            (wide)x[4] * y3,
        (wide)x[0] * y[3] + (wide)x[1] * y[2] + (wide)x[2] * y[1] + (wide)x[3] * y[0] +
            (wide)x[4] * y4,
        (wide)x[0] * y[4] + (wide)x[1] * y[3] + (wide)x[2] * y[2] + (wide)x[3] * y[1] +
            (wide)x[4] * y[0]};
    struct dc_field r;
    wide c = 0;
    for (int i = 0; i < 5; i++) {
        t[i] += c;
        r.v[i] = (uint64_t)t[i] & DC_FIELD_MASK;
        c = t[i] >> 51;
    }
    r.v[0] += 19 * (uint64_t)c;
    r.v[1] += r.v[0] >> 51;
    r.v[0] &= DC_FIELD_MASK;
    return r;
}

static inline struct dc_field dc_field_square(const struct dc_field *a)
{
    return dc_field_mul(a, a);
}

/* a^(2^n). */
static inline struct dc_field dc_field_squares(struct dc_field a, uint32_t n)
{
    while (n-- > 0)
        a = dc_field_square(&a);
    return a;
}

/* The unique bytes: below p, little-endian. */
void dc_field_encode(const struct dc_field *a, uint8_t out[32]);
/* The lowest 64 bits of the same. */
uint64_t dc_field_low(const struct dc_field *a);
/* Reads 255 bits; false when they are not below p, or the top bit is set. */
bool dc_field_decode(const uint8_t bytes[32], struct dc_field *out);
bool dc_field_is_zero(const struct dc_field *a);
bool dc_field_odd(const struct dc_field *a); /* the lowest bit of the unique bytes */
struct dc_field dc_field_neg(const struct dc_field *a);
struct dc_field dc_field_invert(const struct dc_field *a); /* of 0: 0.  4 us */
/* 1/sqrt(a), even; false, and 0 or the root of i/a instead, when a is no square (RFC 9496, 4.2). */
bool dc_field_invsqrt(const struct dc_field *a, struct dc_field *out);
extern const struct dc_field dc_field_d;       /* -121665/121666 */
extern const struct dc_field dc_field_sqrt_m1; /* a root of -1 */

/* A point of -x^2 + y^2 = 1 + d x^2 y^2, and d x y. */
struct dc_affine {
    struct dc_field x, y, dxy;
};
struct dc_affine dc_affine_identity(void);
/* (x, y) that these 32 bytes stand for in ristretto255 (RFC 9496, 4.3.1); false: for none.  Of four
 * points that differ by torsion this is one; times 4, they are the same. */
bool dc_affine_decode(const uint8_t bytes[32], struct dc_affine *out);
/* Complete: any two points. */
struct dc_affine dc_affine_add(const struct dc_affine *a, const struct dc_affine *b);
struct dc_affine dc_affine_neg(const struct dc_affine *a);

#endif

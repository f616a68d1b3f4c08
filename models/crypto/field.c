#include "models/crypto/field.h"

const struct dc_field dc_field_d = {
    {929955233495203, 466365720129213, 1662059464998953, 2033849074728123, 1442794654840575}};
const struct dc_field dc_field_sqrt_m1 = {
    {1718705420411056, 234908883556509, 2233514472574048, 2117202627021982, 765476049583133}};

/* Below p. */
static struct dc_field field_reduce(const struct dc_field *a)
{
    struct dc_field r = dc_field_carry(*a);
    r = dc_field_carry(r);
    uint64_t q = (r.v[0] + 19) >> 51; /* 1 when it is p or more */
    for (int i = 1; i < 5; i++)
        q = (r.v[i] + q) >> 51;
    r.v[0] += 19 * q;
    for (int i = 0; i < 4; i++) {
        r.v[i + 1] += r.v[i] >> 51;
        r.v[i] &= DC_FIELD_MASK;
    }
    r.v[4] &= DC_FIELD_MASK;
    return r;
}

void dc_field_encode(const struct dc_field *a, uint8_t out[32])
{
    struct dc_field r = field_reduce(a);
    dc_put64(out, r.v[0] | r.v[1] << 51);
    dc_put64(out + 8, r.v[1] >> 13 | r.v[2] << 38);
    dc_put64(out + 16, r.v[2] >> 26 | r.v[3] << 25);
    dc_put64(out + 24, r.v[3] >> 39 | r.v[4] << 12);
}

uint64_t dc_field_low(const struct dc_field *a)
{
    struct dc_field r = field_reduce(a);
    return r.v[0] | r.v[1] << 51;
}

bool dc_field_decode(const uint8_t b[32], struct dc_field *out)
{
    uint64_t w[4];
    for (int i = 0; i < 4; i++)
        w[i] = dc_get64(b + 8 * i);
    *out = (struct dc_field){{w[0] & DC_FIELD_MASK, (w[0] >> 51 | w[1] << 13) & DC_FIELD_MASK,
                              (w[1] >> 38 | w[2] << 26) & DC_FIELD_MASK,
                              (w[2] >> 25 | w[3] << 39) & DC_FIELD_MASK, w[3] >> 12}};
    uint8_t again[32];
    if (w[3] >> 63 != 0)
        return false;
    dc_field_encode(out, again);
    return memcmp(again, b, 32) == 0;
}

bool dc_field_is_zero(const struct dc_field *a)
{
    struct dc_field r = field_reduce(a);
    return (r.v[0] | r.v[1] | r.v[2] | r.v[3] | r.v[4]) == 0;
}

bool dc_field_odd(const struct dc_field *a)
{
    return (dc_field_low(a) & 1) != 0;
}

struct dc_field dc_field_neg(const struct dc_field *a)
{
    struct dc_field zero = dc_field_small(0);
    return dc_field_sub(&zero, a);
}

static bool field_equal(const struct dc_field *a, const struct dc_field *b)
{
    struct dc_field difference = dc_field_sub(a, b);
    return dc_field_is_zero(&difference);
}

/* a^(2^250 - 1), and a^11 beside it. */
static struct dc_field field_power(const struct dc_field *a, struct dc_field *eleven)
{
    struct dc_field a2 = dc_field_square(a), a8 = dc_field_squares(a2, 2), t;
    struct dc_field a9 = dc_field_mul(&a8, a);
    *eleven = dc_field_mul(&a9, &a2);
    t = dc_field_square(eleven);
    struct dc_field e5 = dc_field_mul(&t, &a9);
    t = dc_field_squares(e5, 5);
    struct dc_field e10 = dc_field_mul(&t, &e5);
    t = dc_field_squares(e10, 10);
    struct dc_field e20 = dc_field_mul(&t, &e10);
    t = dc_field_squares(e20, 20);
    struct dc_field e40 = dc_field_mul(&t, &e20);
    t = dc_field_squares(e40, 10);
    struct dc_field e50 = dc_field_mul(&t, &e10);
    t = dc_field_squares(e50, 50);
    struct dc_field e100 = dc_field_mul(&t, &e50);
    t = dc_field_squares(e100, 100);
    struct dc_field e200 = dc_field_mul(&t, &e100);
    t = dc_field_squares(e200, 50);
    return dc_field_mul(&t, &e50);
}

struct dc_field dc_field_invert(const struct dc_field *a) /* a^(2^255 - 21) */
{
    struct dc_field eleven, t = field_power(a, &eleven);
    t = dc_field_squares(t, 5);
    return dc_field_mul(&t, &eleven);
}

bool dc_field_invsqrt(const struct dc_field *a, struct dc_field *out)
{
    struct dc_field eleven, one = dc_field_small(1), minus = dc_field_neg(&one);
    struct dc_field a2 = dc_field_square(a), a3 = dc_field_mul(&a2, a), a7;
    a7 = dc_field_square(&a3);
    a7 = dc_field_mul(&a7, a);
    struct dc_field t = field_power(&a7, &eleven); /* r = a^3 (a^7)^((p-5)/8) */
    t = dc_field_squares(t, 2);
    t = dc_field_mul(&t, &a7);
    struct dc_field r = dc_field_mul(&a3, &t), check = dc_field_square(&r);
    check = dc_field_mul(&check, a);
    struct dc_field minus_i = dc_field_neg(&dc_field_sqrt_m1);
    bool right = field_equal(&check, &one), flipped = field_equal(&check, &minus),
         flipped_i = field_equal(&check, &minus_i);
    if (flipped || flipped_i)
        r = dc_field_mul(&r, &dc_field_sqrt_m1);
    if (dc_field_odd(&r))
        r = dc_field_neg(&r);
    *out = r;
    return right || flipped;
}

/* --- points ----------------------------------------------------------------------------------- */

struct dc_affine dc_affine_identity(void)
{
    return (struct dc_affine){.y = {{1, 0, 0, 0, 0}}};
}

static struct dc_affine affine_whole(struct dc_field x, struct dc_field y)
{
    struct dc_field xy = dc_field_mul(&x, &y);
    return (struct dc_affine){x, y, dc_field_mul(&dc_field_d, &xy)};
}

bool dc_affine_decode(const uint8_t bytes[32], struct dc_affine *out)
{
    struct dc_field s, one = dc_field_small(1), root;
    *out = dc_affine_identity();
    if (!dc_field_decode(bytes, &s) || dc_field_odd(&s))
        return false;
    struct dc_field ss = dc_field_square(&s), u1 = dc_field_sub(&one, &ss),
                    u2 = dc_field_add(&one, &ss), u2s = dc_field_square(&u2),
                    v = dc_field_square(&u1);
    v = dc_field_mul(&v, &dc_field_d);
    v = dc_field_neg(&v);
    v = dc_field_sub(&v, &u2s);
    struct dc_field t = dc_field_mul(&v, &u2s);
    bool square = dc_field_invsqrt(&t, &root);
    struct dc_field x1 = dc_field_mul(&root, &u2), y1 = dc_field_mul(&root, &x1);
    y1 = dc_field_mul(&y1, &v);
    struct dc_field x = dc_field_mul(&s, &x1);
    x = dc_field_add(&x, &x);
    if (dc_field_odd(&x))
        x = dc_field_neg(&x);
    struct dc_field y = dc_field_mul(&u1, &y1), xy = dc_field_mul(&x, &y);
    if (!square || dc_field_odd(&xy) || dc_field_is_zero(&y))
        return false;
    *out = affine_whole(x, y);
    return true;
}

struct dc_affine dc_affine_add(const struct dc_affine *a, const struct dc_affine *b)
{
    /* x = (x1 y2 + y1 x2) / (1 + e), y = (y1 y2 + x1 x2) / (1 - e), e = d x1 x2 y1 y2 */
    struct dc_field one = dc_field_small(1), xy = dc_field_mul(&a->x, &a->y);
    struct dc_field e = dc_field_mul(&xy, &b->dxy), plus = dc_field_add(&one, &e),
                    minus = dc_field_sub(&one, &e);
    struct dc_field both = dc_field_mul(&plus, &minus), inverse = dc_field_invert(&both);
    struct dc_field l = dc_field_mul(&a->x, &b->y), r = dc_field_mul(&a->y, &b->x), x, y;
    x = dc_field_add(&l, &r);
    x = dc_field_mul(&x, &minus);
    x = dc_field_mul(&x, &inverse);
    l = dc_field_mul(&a->y, &b->y);
    r = dc_field_mul(&a->x, &b->x);
    y = dc_field_add(&l, &r);
    y = dc_field_mul(&y, &plus);
    y = dc_field_mul(&y, &inverse);
    return affine_whole(x, y);
}

struct dc_affine dc_affine_neg(const struct dc_affine *a)
{
    return (struct dc_affine){dc_field_neg(&a->x), a->y, dc_field_neg(&a->dxy)};
}

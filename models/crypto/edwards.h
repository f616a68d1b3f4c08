/* The inside of libdecaf's points, for sums of many of them: the curve -x^2 + y^2 = 1 + d x^2 y^2 with
 * d = 121665, in extended coordinates (Hisil and others 2008), limbs as in field.h.
 *
 *     extended  X, Y, Z, T       x = X/Z, y = Y/Z, x y = T/Z
 *     cached    Y - X, Y + X, 2d T, 2Z        what is added: 8 products; with Z = 1 ("flat") 7
 *
 * libdecaf's own addition takes 9 products and a call.  The layout of its points is not part of its
 * interface: dc_group_init compares the two on start.  All of it takes constant time.
 *
 * Sums and differences are not carried: limbs of products are below 2^52, of what goes into
 * products below 2^54, which dc_field_mul takes. */
#ifndef MODELS_CRYPTO_EDWARDS_H
#define MODELS_CRYPTO_EDWARDS_H

#include "models/crypto/field.h"
#include "models/crypto/group.h"

_Static_assert(DECAF_WORD_BITS == 64, "points are read as five limbs of 51 bits");

#define DC_EDWARDS_2D 243330u

struct dc_extended {
    struct dc_field x, y, z, t;
};
struct dc_cached {
    struct dc_field minus, plus, t2d, z2;
};
struct dc_flat {
    struct dc_field minus, plus, t2d;
};

static inline struct dc_field dc_edwards_sum(const struct dc_field *a, const struct dc_field *b)
{
    struct dc_field r;
    for (int i = 0; i < 5; i++)
        r.v[i] = a->v[i] + b->v[i];
    return r;
}
/* a + 4p - b, for b with limbs below 2^53 - 76. */
static inline struct dc_field dc_edwards_difference(const struct dc_field *a,
                                                    const struct dc_field *b)
{
    struct dc_field r;
    r.v[0] = a->v[0] + 4 * (DC_FIELD_MASK - 18) - b->v[0];
    for (int i = 1; i < 5; i++)
        r.v[i] = a->v[i] + 4 * DC_FIELD_MASK - b->v[i];
    return r;
}

static inline struct dc_field dc_edwards_limbs(const struct gf_25519_s *a)
{
    struct dc_field r;
    for (int i = 0; i < 5; i++)
        r.v[i] = a->limb[i];
    return dc_field_carry(r);
}
static inline struct dc_extended dc_edwards_load(const struct dc_point *p)
{
    return (struct dc_extended){dc_edwards_limbs(p->p->x), dc_edwards_limbs(p->p->y),
                                dc_edwards_limbs(p->p->z), dc_edwards_limbs(p->p->t)};
}
static inline struct dc_point dc_edwards_store(const struct dc_extended *e)
{
    struct dc_point r;
    memset(&r, 0, sizeof r);
    for (int i = 0; i < 5; i++) {
        r.p->x->limb[i] = e->x.v[i];
        r.p->y->limb[i] = e->y.v[i];
        r.p->z->limb[i] = e->z.v[i];
        r.p->t->limb[i] = e->t.v[i];
    }
    return r;
}
static inline struct dc_extended dc_edwards_identity(void)
{
    return (struct dc_extended){dc_field_small(0), dc_field_small(1), dc_field_small(1),
                                dc_field_small(0)};
}
static inline struct dc_cached dc_edwards_cache(const struct dc_extended *e)
{
    struct dc_field k = dc_field_small(DC_EDWARDS_2D);
    return (struct dc_cached){dc_edwards_difference(&e->y, &e->x), dc_edwards_sum(&e->y, &e->x),
                              dc_field_mul(&e->t, &k), dc_edwards_sum(&e->z, &e->z)};
}

/* The rest of an addition: a = A, b = B, c = C, d = D of the formula. */
static inline struct dc_extended dc_edwards_finish(const struct dc_field *a,
                                                   const struct dc_field *b,
                                                   const struct dc_field *c,
                                                   const struct dc_field *d, bool subtract)
{
    struct dc_field e = dc_edwards_difference(b, a), h = dc_edwards_sum(b, a);
    struct dc_field less = dc_edwards_difference(d, c), more = dc_edwards_sum(d, c);
    const struct dc_field *f = subtract ? &more : &less, *g = subtract ? &less : &more;
    return (struct dc_extended){dc_field_mul(&e, f), dc_field_mul(g, &h), dc_field_mul(f, g),
                                dc_field_mul(&e, &h)};
}
/* p + q, or p - q: a negative point has minus and plus exchanged, and -t2d.  `subtract` is no
 * secret. */
static inline struct dc_extended dc_edwards_add(const struct dc_extended *p,
                                                const struct dc_cached *q, bool subtract)
{
    struct dc_field low = dc_edwards_difference(&p->y, &p->x), high = dc_edwards_sum(&p->y, &p->x);
    struct dc_field a = dc_field_mul(&low, subtract ? &q->plus : &q->minus);
    struct dc_field b = dc_field_mul(&high, subtract ? &q->minus : &q->plus);
    struct dc_field c = dc_field_mul(&p->t, &q->t2d), d = dc_field_mul(&p->z, &q->z2);
    return dc_edwards_finish(&a, &b, &c, &d, subtract);
}
static inline struct dc_extended dc_edwards_add_flat(const struct dc_extended *p,
                                                     const struct dc_flat *q, bool subtract)
{
    struct dc_field low = dc_edwards_difference(&p->y, &p->x), high = dc_edwards_sum(&p->y, &p->x);
    struct dc_field a = dc_field_mul(&low, subtract ? &q->plus : &q->minus);
    struct dc_field b = dc_field_mul(&high, subtract ? &q->minus : &q->plus);
    struct dc_field c = dc_field_mul(&p->t, &q->t2d), d = dc_edwards_sum(&p->z, &p->z);
    return dc_edwards_finish(&a, &b, &c, &d, subtract);
}
static inline struct dc_extended dc_edwards_double(const struct dc_extended *p)
{
    struct dc_field xx = dc_field_square(&p->x), yy = dc_field_square(&p->y);
    struct dc_field zz = dc_field_square(&p->z), both = dc_edwards_sum(&p->x, &p->y);
    struct dc_field zero = dc_field_small(0), sum = dc_edwards_sum(&xx, &yy), rest;
    both = dc_field_square(&both);
    struct dc_field e = dc_edwards_difference(&both, &sum), g = dc_edwards_difference(&yy, &xx);
    zz = dc_edwards_sum(&zz, &zz);
    rest = dc_edwards_sum(&xx, &zz);
    struct dc_field f = dc_edwards_difference(&yy, &rest), h = dc_edwards_difference(&zero, &sum);
    return (struct dc_extended){dc_field_mul(&e, &f), dc_field_mul(&g, &h), dc_field_mul(&f, &g),
                                dc_field_mul(&e, &h)};
}

#endif

/* zk-ElGamal's range proof: a Bulletproof over amounts of different widths, whose bits stand in one
 * row of a power of two.
 *
 *     A S T_1 T_2 | t(x) its blinding e blinding | inner product
 *
 *     l(x) = a_L - z + s_L x        r(x) = y^i (a_R + z + s_R x) + z^(2+j) 2^k
 *
 * i runs over the row, j over amounts, k over the bits of an amount.  The generators are chains "G"
 * and "H" of one party; they are made at each call (10 us each), since nothing in the protocol's
 * own path uses this proof. */
#include "models/crypto/generators.h"
#include "models/crypto/innerproduct.h"
#include "models/crypto/scratch.h"
#include "models/crypto/sigma.h"

#define BITS_MAX 256u
#define HEAD_BYTES ((size_t)224)

/* Sum of the widths; 0: there is no such proof. */
static uint32_t range_bits(uint32_t count, const uint8_t *width, uint32_t *log)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < count && count <= DC_SIGMA_RANGE_MAX; i++) {
        if (width[i] == 0 || width[i] > 64)
            return 0;
        bits += width[i];
    }
    for (*log = 0; (uint32_t)1 << *log < bits;)
        ++*log;
    return bits >= 2 && bits <= BITS_MAX && (uint32_t)1 << *log == bits ? bits : 0;
}

struct range {
    uint32_t bits;
    struct dc_point *point;             /* B~, G.., H.. */
    struct dc_scalar *left, *right;     /* a, then l(x) and r(x) */
    struct dc_scalar *left_s, *right_s; /* s_L, s_R: the terms in x */
    struct dc_scalar *factor;           /* 1 + 2 bits */
    struct dc_scalar a_blinding, s_blinding, t_blinding[2];
};

static void range_row(struct dc_point *point, uint32_t bits)
{
    point[0] = dc_point_blinding();
    dc_generators_chain("G", 1, point + 1, bits);
    dc_generators_chain("H", 1, point + 1 + bits, bits);
}

static void range_commit(const struct range *r, const struct dc_scalar *blinding,
                         const struct dc_scalar *left, const struct dc_scalar *right,
                         uint8_t out[32])
{
    r->factor[0] = *blinding;
    for (uint32_t i = 0; i < r->bits; i++) {
        r->factor[1 + i] = left[i];
        r->factor[1 + r->bits + i] = right[i];
    }
    struct dc_point sum = dc_msm(r->factor, r->point, 1 + 2 * (size_t)r->bits);
    dc_point_encode(&sum, out);
}

static void range_begin(struct dc_transcript *t, uint32_t bits)
{
    static const char name[] = "range-proof";
    dc_transcript_append(t, "dom-sep", name, sizeof name - 1);
    dc_transcript_append_u64(t, "n", bits);
}

/* The bits of the amounts and nonces; A and S. */
static void range_first(struct dc_transcript *t, struct range *r, uint32_t count,
                        const uint8_t *width, const uint64_t *amount,
                        const struct dc_scalar *blinding, uint8_t *proof)
{
    struct dc_scalar witness[2 * DC_SIGMA_RANGE_MAX], one = dc_scalar_one();
    struct dc_nonces n;
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        witness[2 * i] = blinding[i];
        witness[2 * i + 1] = dc_scalar_u64(amount[i]);
        for (uint32_t k = 0; k < width[i]; k++, at++) {
            r->left[at] = dc_scalar_u64(amount[i] >> k & 1);
            r->right[at] = dc_scalar_sub(&r->left[at], &one);
        }
    }
    dc_sigma_nonces(t, witness, 2 * count, &n);
    for (uint32_t i = 0; i < r->bits; i++) {
        r->left_s[i] = dc_nonces_next(&n);
        r->right_s[i] = dc_nonces_next(&n);
    }
    r->a_blinding = dc_nonces_next(&n);
    r->s_blinding = dc_nonces_next(&n);
    r->t_blinding[0] = dc_nonces_next(&n);
    r->t_blinding[1] = dc_nonces_next(&n);
    range_commit(r, &r->a_blinding, r->left, r->right, proof);
    range_commit(r, &r->s_blinding, r->left_s, r->right_s, proof + 32);
    dc_transcript_append_point(t, "A", proof);
    dc_transcript_append_point(t, "S", proof + 32);
}

/* left and right become the constant terms of l and r, right_s the term in x of r. */
static void range_polynomials(struct range *r, uint32_t count, const uint8_t *width,
                              const struct dc_scalar *y, const struct dc_scalar *z)
{
    struct dc_scalar power_y = dc_scalar_one(), power_z = dc_scalar_mul(z, z);
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct dc_scalar two = power_z;
        for (uint32_t k = 0; k < width[i]; k++, at++) {
            r->left[at] = dc_scalar_sub(&r->left[at], z);
            r->right[at] = dc_scalar_add(&r->right[at], z);
            r->right[at] = dc_scalar_mul(&r->right[at], &power_y);
            r->right[at] = dc_scalar_add(&r->right[at], &two);
            r->right_s[at] = dc_scalar_mul(&r->right_s[at], &power_y);
            power_y = dc_scalar_mul(&power_y, y);
            two = dc_scalar_add(&two, &two);
        }
        power_z = dc_scalar_mul(&power_z, z);
    }
}

/* T_1 and T_2, then t(x) and the blindings: proof[64 .. 223]. */
static void range_second(struct dc_transcript *t, struct range *r, uint32_t count,
                         const struct dc_scalar *blinding, const struct dc_scalar *z,
                         uint8_t *proof)
{
    struct dc_scalar t0 = dc_inner_product(r->left, r->right, r->bits),
                     a = dc_inner_product(r->left, r->right_s, r->bits),
                     b = dc_inner_product(r->left_s, r->right, r->bits),
                     t2 = dc_inner_product(r->left_s, r->right_s, r->bits),
                     t1 = dc_scalar_add(&a, &b);
    struct dc_point p = dc_pedersen(&t1, &r->t_blinding[0]);
    dc_point_encode(&p, proof + 64);
    p = dc_pedersen(&t2, &r->t_blinding[1]);
    dc_point_encode(&p, proof + 96);
    dc_transcript_append_point(t, "T_1", proof + 64);
    dc_transcript_append_point(t, "T_2", proof + 96);
    struct dc_scalar x = dc_transcript_challenge_scalar(t, "x"), xx = dc_scalar_mul(&x, &x);
    a = dc_scalar_mul(&t1, &x);
    t0 = dc_scalar_add(&t0, &a);
    a = dc_scalar_mul(&t2, &xx);
    t0 = dc_scalar_add(&t0, &a);
    a = dc_scalar_mul(&r->t_blinding[0], &x);
    b = dc_scalar_mul(&r->t_blinding[1], &xx);
    struct dc_scalar t_blinding = dc_scalar_add(&a, &b), power = dc_scalar_mul(z, z);
    for (uint32_t i = 0; i < count; i++) {
        a = dc_scalar_mul(&power, &blinding[i]);
        t_blinding = dc_scalar_add(&t_blinding, &a);
        power = dc_scalar_mul(&power, z);
    }
    a = dc_scalar_mul(&r->s_blinding, &x);
    struct dc_scalar e = dc_scalar_add(&r->a_blinding, &a);
    dc_scalar_encode(&t0, proof + 128);
    dc_scalar_encode(&t_blinding, proof + 160);
    dc_scalar_encode(&e, proof + 192);
    for (uint32_t i = 0; i < r->bits; i++) {
        a = dc_scalar_mul(&r->left_s[i], &x);
        r->left[i] = dc_scalar_add(&r->left[i], &a);
        a = dc_scalar_mul(&r->right_s[i], &x);
        r->right[i] = dc_scalar_add(&r->right[i], &a);
    }
}

static struct dc_scalar range_w(struct dc_transcript *t, const uint8_t *proof)
{
    dc_transcript_append(t, "t_x", proof + 128, 32);
    dc_transcript_append(t, "t_x_blinding", proof + 160, 32);
    dc_transcript_append(t, "e_blinding", proof + 192, 32);
    struct dc_scalar w = dc_transcript_challenge_scalar(t, "w");
    (void)dc_transcript_challenge_scalar(t, "c"); /* of an older form; published so */
    return w;
}

static struct dc_scalar range_d(struct dc_transcript *t, const uint8_t *proof, uint32_t log)
{
    dc_transcript_append(t, "ipp_a", proof + HEAD_BYTES + 64 * (size_t)log, 32);
    dc_transcript_append(t, "ipp_b", proof + HEAD_BYTES + 64 * (size_t)log + 32, 32);
    return dc_transcript_challenge_scalar(t, "d");
}

/* out[i] = base^i. */
static void range_powers(const struct dc_scalar *base, struct dc_scalar *out, uint32_t count)
{
    out[0] = dc_scalar_one();
    for (uint32_t i = 1; i < count; i++)
        out[i] = dc_scalar_mul(&out[i - 1], base);
}

void dc_sigma_range_prove(struct dc_transcript *t, uint32_t count, const uint8_t *width,
                          const uint64_t *amount, const struct dc_scalar *blinding, uint8_t *proof)
{
    uint32_t log, bits = range_bits(count, width, &log);
    DC_CHECK(bits != 0);
    struct range r = {.bits = bits};
    struct dc_scratch scratch = dc_scratch_take(
        (1 + 2 * (size_t)bits) * (sizeof(struct dc_point) + sizeof(struct dc_scalar)) +
        4 * (size_t)bits * sizeof(struct dc_scalar) + (size_t)6 * 64);
    r.point = dc_scratch_part(&scratch, (1 + 2 * (size_t)bits) * sizeof *r.point);
    r.factor = dc_scratch_part(&scratch, (1 + 2 * (size_t)bits) * sizeof *r.factor);
    r.left = dc_scratch_part(&scratch, bits * sizeof *r.left);
    r.right = dc_scratch_part(&scratch, bits * sizeof *r.right);
    r.left_s = dc_scratch_part(&scratch, bits * sizeof *r.left_s);
    r.right_s = dc_scratch_part(&scratch, bits * sizeof *r.right_s);
    range_row(r.point, bits);
    range_begin(t, bits);
    range_first(t, &r, count, width, amount, blinding, proof);
    struct dc_scalar y = dc_transcript_challenge_scalar(t, "y"),
                     z = dc_transcript_challenge_scalar(t, "z"), y_inverse = dc_scalar_invert(&y);
    range_polynomials(&r, count, width, &y, &z);
    range_second(t, &r, count, blinding, &z, proof);
    struct dc_scalar w = range_w(t, proof);
    struct dc_point q = dc_point_mul_base(&w);
    range_powers(&y_inverse, r.factor, bits);
    dc_inner_prove_named(t, "inner-product", &q, NULL, r.factor, r.point + 1, r.point + 1 + bits,
                         r.left, r.right, bits, proof + HEAD_BYTES);
    (void)range_d(t, proof, log);
    dc_scratch_give(&scratch);
}

/* --- verifying -------------------------------------------------------------------------------- */

struct challenges {
    struct dc_scalar y, z, x, w, d;
};

/* (z - z^2) sum of y^i - sum over amounts of z^(3+j) (2^width - 1). */
static struct dc_scalar range_delta(uint32_t bits, uint32_t count, const uint8_t *width,
                                    const struct challenges *c)
{
    struct dc_scalar sum = dc_scalar_zero(), power = dc_scalar_one();
    for (uint32_t i = 0; i < bits; i++) {
        sum = dc_scalar_add(&sum, &power);
        power = dc_scalar_mul(&power, &c->y);
    }
    struct dc_scalar zz = dc_scalar_mul(&c->z, &c->z), delta = dc_scalar_sub(&c->z, &zz);
    delta = dc_scalar_mul(&delta, &sum);
    power = dc_scalar_mul(&zz, &c->z);
    for (uint32_t i = 0; i < count; i++) {
        struct dc_scalar most =
            dc_scalar_u64(width[i] == 64 ? UINT64_MAX : ((uint64_t)1 << width[i]) - 1);
        most = dc_scalar_mul(&most, &power);
        delta = dc_scalar_sub(&delta, &most);
        power = dc_scalar_mul(&power, &c->z);
    }
    return delta;
}

/* Factors of G and H: -z - a s_i, and z + y^-i (z^(2+j) 2^k - b / s_i). */
static void range_rows(uint32_t count, const uint8_t *width, const struct challenges *c,
                       const struct dc_inner *inner, const struct dc_scalar *s, uint32_t bits,
                       struct dc_scalar *out)
{
    struct dc_scalar power = dc_scalar_one(), y_inverse = dc_scalar_invert(&c->y),
                     minus_z = dc_scalar_neg(&c->z), power_z = dc_scalar_mul(&c->z, &c->z);
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct dc_scalar two = power_z;
        for (uint32_t k = 0; k < width[i]; k++, at++) {
            struct dc_scalar part = dc_scalar_mul(&inner->a, &s[at]);
            out[at] = dc_scalar_sub(&minus_z, &part);
            part = dc_scalar_mul(&inner->b, &s[bits - 1 - at]);
            part = dc_scalar_sub(&two, &part);
            part = dc_scalar_mul(&part, &power);
            out[bits + at] = dc_scalar_add(&c->z, &part);
            power = dc_scalar_mul(&power, &y_inverse);
            two = dc_scalar_add(&two, &two);
        }
        power_z = dc_scalar_mul(&power_z, &c->z);
    }
}

/* Points and factors beside the rows: everything that the proof and the commitments bring. */
static uint32_t range_rest(const struct challenges *c, const struct dc_scalar head[3],
                           const struct dc_point first[4], const struct dc_inner *inner,
                           const struct dc_scalar *delta, uint32_t count,
                           const struct dc_point *commitment, struct dc_scalar *factor,
                           struct dc_point *point)
{
    struct dc_scalar dx = dc_scalar_mul(&c->d, &c->x), part, base;
    const struct dc_scalar four[4] = {dc_scalar_one(), c->x, dx, dc_scalar_mul(&dx, &c->x)};
    uint32_t n = 0;
    for (uint32_t i = 0; i < 4; i++, n++) {
        factor[n] = four[i];
        point[n] = first[i];
    }
    part = dc_scalar_mul(&c->d, &head[1]);
    part = dc_scalar_add(&part, &head[2]);
    factor[n] = dc_scalar_neg(&part);
    point[n++] = dc_point_blinding();
    part = dc_scalar_mul(&inner->a, &inner->b);
    part = dc_scalar_sub(&head[0], &part);
    base = dc_scalar_mul(&c->w, &part);
    part = dc_scalar_sub(delta, &head[0]);
    part = dc_scalar_mul(&part, &c->d);
    factor[n] = dc_scalar_add(&base, &part);
    point[n++] = dc_point_base();
    for (size_t i = 0; i < inner->rounds; i++) {
        factor[n] = inner->square[i];
        point[n++] = inner->l[i];
        factor[n] = inner->inverse[i];
        point[n++] = inner->r[i];
    }
    part = dc_scalar_mul(&c->z, &c->z);
    part = dc_scalar_mul(&part, &c->d);
    for (uint32_t i = 0; i < count; i++) {
        factor[n] = part;
        point[n++] = commitment[i];
        part = dc_scalar_mul(&part, &c->z);
    }
    return n;
}

#define REST_MAX (6 + 2 * 8 + DC_SIGMA_RANGE_MAX)

bool dc_sigma_range_verify(struct dc_transcript *t, uint32_t count, const uint8_t *width,
                           const uint8_t commitment[][32], const uint8_t *proof, size_t size)
{
    uint32_t log, bits = range_bits(count, width, &log);
    struct dc_point first[4], value[DC_SIGMA_RANGE_MAX];
    struct dc_scalar head[3];
    if (bits == 0 || size != DC_SIGMA_RANGE_BYTES(log))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!dc_point_decode_proper(commitment[i], &value[i]))
            return false;
    for (uint32_t i = 0; i < 4; i++)
        if (!dc_point_decode_proper(proof + 32 * i, &first[i]))
            return false;
    for (uint32_t i = 0; i < 3; i++)
        if (!dc_scalar_decode(proof + 128 + 32 * i, &head[i]))
            return false;
    struct challenges c;
    range_begin(t, bits);
    dc_transcript_append_point(t, "A", proof);
    dc_transcript_append_point(t, "S", proof + 32);
    c.y = dc_transcript_challenge_scalar(t, "y");
    c.z = dc_transcript_challenge_scalar(t, "z");
    dc_transcript_append_point(t, "T_1", proof + 64);
    dc_transcript_append_point(t, "T_2", proof + 96);
    c.x = dc_transcript_challenge_scalar(t, "x");
    c.w = range_w(t, proof);
    size_t terms = REST_MAX + 2 * (size_t)bits;
    struct dc_inner inner;
    struct dc_scratch scratch =
        dc_scratch_take((terms + 1) * (sizeof(struct dc_point) + sizeof(struct dc_scalar)) +
                        bits * sizeof(struct dc_scalar) + (size_t)4 * 64);
    struct dc_point *point = dc_scratch_part(&scratch, (terms + 1) * sizeof *point);
    struct dc_scalar *factor = dc_scratch_part(&scratch, terms * sizeof *factor),
                     *s = dc_scratch_part(&scratch, bits * sizeof *s);
    bool right = dc_inner_read_named(t, "inner-product", bits, proof + HEAD_BYTES,
                                     size - HEAD_BYTES, &inner, s);
    if (right) {
        c.d = range_d(t, proof, log);
        struct dc_scalar delta = range_delta(bits, count, width, &c);
        uint32_t n = range_rest(&c, head, first, &inner, &delta, count, value, factor, point);
        range_rows(count, width, &c, &inner, s, bits, factor + n);
        dc_generators_chain("G", 1, point + n, bits);
        dc_generators_chain("H", 1, point + n + bits, bits);
        struct dc_point sum = dc_msm_vartime(factor, point, n + 2 * (size_t)bits);
        right = dc_point_is_identity(&sum);
    }
    dc_scratch_give(&scratch);
    return right;
}

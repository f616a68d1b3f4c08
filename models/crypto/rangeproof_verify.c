/* Checking a range proof: every challenge again, then one sum that has to be the identity.
 *
 *   0 =  A + x S + c (x T_1 + x^2 T_2) + sum u^2 L + sum u^-2 R + c sum z^(2+j) V_j
 *        - (e + c t') B~  +  (w (t - a b) + c (delta - t)) B
 *        + sum (-z - a s_i) G_i  +  sum (z + y^-i (z^(2+j) 2^k - b / s_i)) H_i
 *
 *   delta = (z - z^2) sum y^i - sum_j z^(3+j) (2^bits - 1)      t, t', e: the proof's scalars
 *
 * The second row weighs "t(x) is what T_1 and T_2 committed to" with c, a challenge drawn after the
 * whole proof from a copy of the transcript. */
#include "models/crypto/generators.h"
#include "models/crypto/innerproduct.h"
#include "models/crypto/rangeproof_impl.h"
#include "models/crypto/scratch.h"

#define OTHER_TERMS ((size_t)(6 + 2 * DC_INNER_LOG_MAX))

struct verifier {
    uint32_t bits, m;
    size_t n, terms;
    struct dc_scalar *scalar; /* of the sum */
    struct dc_point *point;
    struct dc_scalar at_x, at_x_blinding, blinding; /* t(x), t', e */
    struct dc_scalar y, z, x, w, c;
    struct dc_inner inner;
    struct dc_scalar *s;
};

static void term_add(struct verifier *v, struct dc_scalar a, const struct dc_point *p)
{
    v->scalar[v->terms] = a;
    v->point[v->terms++] = *p;
}

/* Points of the proof with their challenges.  The four points come first among the terms. */
static bool verifier_read(struct verifier *v, struct dc_transcript *t, const uint8_t *proof,
                          size_t size)
{
    static const char *const label[4] = {"A", "S", "T_1", "T_2"};
    if (!dc_scalar_decode(proof + 128, &v->at_x) ||
        !dc_scalar_decode(proof + 160, &v->at_x_blinding) ||
        !dc_scalar_decode(proof + 192, &v->blinding))
        return false;
    for (int k = 0; k < 4; k++) {
        struct dc_point p;
        if (!dc_point_decode_proper(proof + 32 * k, &p))
            return false;
        term_add(v, dc_scalar_one(), &p);
        dc_transcript_append_point(t, label[k], proof + 32 * k);
        if (k == 1) {
            v->y = dc_transcript_challenge_scalar(t, "y");
            v->z = dc_transcript_challenge_scalar(t, "z");
        }
    }
    v->x = dc_transcript_challenge_scalar(t, "x");
    dc_transcript_append_scalar(t, "t_x", &v->at_x);
    dc_transcript_append_scalar(t, "t_x_blinding", &v->at_x_blinding);
    dc_transcript_append_scalar(t, "e_blinding", &v->blinding);
    v->w = dc_transcript_challenge_scalar(t, "w");
    if (!dc_inner_read(t, v->n, proof + DC_RANGE_HEAD_BYTES, size - DC_RANGE_HEAD_BYTES, &v->inner,
                       v->s))
        return false;
    struct dc_transcript after = *t;
    dc_transcript_append_scalar(&after, "a", &v->inner.a);
    dc_transcript_append_scalar(&after, "b", &v->inner.b);
    v->c = dc_transcript_challenge_scalar(&after, "weight");
    return true;
}

/* The terms of G and H.  Returns delta. */
static struct dc_scalar verifier_rows(struct verifier *v)
{
    struct dc_scalar one = dc_scalar_one(), zz = dc_scalar_mul(&v->z, &v->z);
    struct dc_scalar y_inverse = dc_scalar_invert(&v->y), y_power = one, y_sum = dc_scalar_zero();
    struct dc_scalar inverse_power = one, z_power = zz, z_two = zz, cubes = dc_scalar_zero();
    for (size_t i = 0; i < v->n; i++) {
        uint32_t j = (uint32_t)(i / v->bits), k = (uint32_t)(i % v->bits);
        if (k == 0) {
            z_two = z_power;
            z_power = dc_scalar_mul(&z_power, &v->z);
            cubes = dc_scalar_add(&cubes, &z_power);
        }
        struct dc_scalar g = dc_scalar_mul(&v->inner.a, &v->s[i]);
        struct dc_scalar h = dc_scalar_mul(&v->inner.b, &v->s[v->n - 1 - i]);
        g = dc_scalar_add(&g, &v->z);
        term_add(v, dc_scalar_neg(&g), dc_generators_g(j, k));
        h = dc_scalar_sub(&z_two, &h);
        h = dc_scalar_mul(&h, &inverse_power);
        term_add(v, dc_scalar_add(&h, &v->z), dc_generators_h(j, k));
        z_two = dc_scalar_add(&z_two, &z_two);
        y_sum = dc_scalar_add(&y_sum, &y_power);
        y_power = dc_scalar_mul(&y_power, &v->y);
        inverse_power = dc_scalar_mul(&inverse_power, &y_inverse);
    }
    struct dc_scalar delta = dc_scalar_sub(&v->z, &zz);
    struct dc_scalar top = dc_scalar_u64(v->bits == 64 ? UINT64_MAX : ((uint64_t)1 << v->bits) - 1);
    delta = dc_scalar_mul(&delta, &y_sum);
    cubes = dc_scalar_mul(&cubes, &top);
    return dc_scalar_sub(&delta, &cubes);
}

static void verifier_rest(struct verifier *v, const struct dc_scalar *delta,
                          const struct dc_point *commitment)
{
    struct dc_point base = dc_point_base(), blinding = dc_point_blinding();
    struct dc_scalar cx = dc_scalar_mul(&v->c, &v->x);
    v->scalar[1] = v->x;
    v->scalar[2] = cx;
    v->scalar[3] = dc_scalar_mul(&cx, &v->x);
    for (size_t k = 0; k < v->inner.rounds; k++) {
        term_add(v, v->inner.square[k], &v->inner.l[k]);
        term_add(v, v->inner.inverse[k], &v->inner.r[k]);
    }
    struct dc_scalar power = dc_scalar_mul(&v->c, &v->z);
    for (uint32_t j = 0; j < v->m; j++) {
        power = dc_scalar_mul(&power, &v->z);
        term_add(v, power, &commitment[j]);
    }
    struct dc_scalar a = dc_scalar_mul(&v->c, &v->at_x_blinding);
    a = dc_scalar_add(&a, &v->blinding);
    term_add(v, dc_scalar_neg(&a), &blinding);
    struct dc_scalar product = dc_scalar_mul(&v->inner.a, &v->inner.b);
    product = dc_scalar_sub(&v->at_x, &product);
    product = dc_scalar_mul(&v->w, &product);
    a = dc_scalar_sub(delta, &v->at_x);
    a = dc_scalar_mul(&v->c, &a);
    term_add(v, dc_scalar_add(&a, &product), &base);
}

bool dc_range_verify(struct dc_transcript *t, uint32_t bits, const uint8_t commitment[][32],
                     uint32_t m, const uint8_t *proof, size_t size)
{
    struct dc_point committed[DC_RANGE_VALUES_MAX];
    if (dc_range_bytes(bits, m) == 0 || size != dc_range_bytes(bits, m))
        return false;
    for (uint32_t j = 0; j < m; j++)
        if (!dc_point_decode(commitment[j], &committed[j]))
            return false;
    dc_range_begin(t, bits, commitment, m);
    struct verifier v = {.bits = bits, .m = m, .n = (size_t)bits * m};
    size_t terms = 2 * v.n + m + OTHER_TERMS, scalar = sizeof(struct dc_scalar);
    struct dc_scratch scratch =
        dc_scratch_take(terms * (scalar + sizeof(struct dc_point)) + v.n * scalar + (size_t)3 * 64);
    v.point = dc_scratch_part(&scratch, terms * sizeof(struct dc_point));
    v.scalar = dc_scratch_part(&scratch, terms * scalar);
    v.s = dc_scratch_part(&scratch, v.n * scalar);
    bool valid = verifier_read(&v, t, proof, size);
    if (valid) {
        struct dc_scalar delta = verifier_rows(&v);
        verifier_rest(&v, &delta, committed);
        struct dc_point sum = dc_msm_vartime(v.scalar, v.point, v.terms);
        valid = dc_point_is_identity(&sum);
    }
    dc_scratch_give(&scratch);
    return valid;
}

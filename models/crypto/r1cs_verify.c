/* Verifying: r1cs.c says what. */
#include "models/crypto/r1cs_impl.h"

struct verifier {
    struct dc_circuit *c;
    const uint8_t *proof;
    uint32_t n, padded, points; /* of the first two phases and sums that were read */
    const uint8_t *at[2 * DC_R1CS_POINTS_PHASE + DC_R1CS_POINTS_SUMS];
    struct dc_scalar u, x, w, r;
    struct dc_scalar t_x, t_x_blinding, e_blinding;
    struct dc_r1cs_weights weights;
    struct dc_scalar *y_inverse, *s;
    struct dc_inner inner;
    struct dc_scalar *scalar; /* the one sum */
    struct dc_point *point;
    uint32_t count;
};

static void verifier_read(struct verifier *v, const char *const *label, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        v->at[v->points++] = v->proof;
        dc_transcript_append_point(v->c->transcript, label[i], v->proof);
        v->proof += 32;
    }
}

static bool verifier_scalar(struct verifier *v, const char *label, struct dc_scalar *out)
{
    bool ok = dc_scalar_decode(v->proof, out);
    dc_transcript_append_scalar(v->c->transcript, label, out);
    v->proof += 32;
    return ok;
}

static void verifier_add(struct verifier *v, const struct dc_scalar *scalar,
                         const struct dc_point *point)
{
    v->scalar[v->count] = *scalar;
    v->point[v->count++] = *point;
}

static bool verifier_decode(struct verifier *v, const struct dc_scalar *scalar,
                            const uint8_t encoded[32])
{
    struct dc_point point;
    bool ok = dc_point_decode_proper(encoded, &point);
    verifier_add(v, scalar, &point);
    return ok;
}

/* Commitments to wires with x, x^2, x^3 (times u), sums with r x^k, values with r x^2 w_V. */
static bool verifier_points(struct verifier *v)
{
    struct dc_scalar power[7], rx;
    dc_r1cs_powers(&v->x, power, 7);
    bool ok = true;
    uint32_t k = 0;
    for (uint32_t phase = 0; v->points - k > DC_R1CS_POINTS_SUMS; phase++)
        for (uint32_t i = 1; i <= 3; i++, k++) {
            struct dc_scalar weight = phase == 0 ? power[i] : dc_scalar_mul(&power[i], &v->u);
            ok = verifier_decode(v, &weight, v->at[k]) && ok;
        }
    static const uint8_t of_sum[DC_R1CS_POINTS_SUMS] = {1, 3, 4, 5, 6};
    for (uint32_t i = 0; i < DC_R1CS_POINTS_SUMS; i++, k++) {
        rx = dc_scalar_mul(&v->r, &power[of_sum[i]]);
        ok = verifier_decode(v, &rx, v->at[k]) && ok;
    }
    rx = dc_scalar_mul(&v->r, &power[2]);
    for (uint32_t i = 0; i < v->c->commitments; i++) {
        struct dc_scalar weight = dc_scalar_mul(&rx, &v->weights.committed[i]);
        ok = verifier_decode(v, &weight, v->c->commitment[i]) && ok;
    }
    for (uint32_t i = 0; i < v->inner.rounds; i++) {
        verifier_add(v, &v->inner.square[i], &v->inner.l[i]);
        verifier_add(v, &v->inner.inverse[i], &v->inner.r[i]);
    }
    return ok;
}

/* B and B~. */
static void verifier_bases(struct verifier *v, const struct dc_scalar *delta)
{
    struct dc_point base = dc_point_base(), blinding = dc_point_blinding();
    struct dc_scalar ab = dc_scalar_mul(&v->inner.a, &v->inner.b);
    struct dc_scalar weight = dc_scalar_sub(&v->t_x, &ab);
    weight = dc_scalar_mul(&weight, &v->w);
    struct dc_scalar rest = dc_scalar_add(&v->weights.constant, delta);
    rest = dc_scalar_mul(&rest, &v->x);
    rest = dc_scalar_mul(&rest, &v->x);
    rest = dc_scalar_sub(&rest, &v->t_x);
    dc_r1cs_accumulate(&weight, &v->r, &rest);
    verifier_add(v, &weight, &base);
    weight = v->e_blinding;
    dc_r1cs_accumulate(&weight, &v->r, &v->t_x_blinding);
    weight = dc_scalar_neg(&weight);
    verifier_add(v, &weight, &blinding);
}

/* G and H. */
static struct dc_scalar verifier_generators(struct verifier *v)
{
    const struct dc_point *g = dc_generators_long_g(), *h = dc_generators_long_h();
    struct dc_scalar delta = dc_scalar_zero(), one = dc_scalar_one(), zero = dc_scalar_zero();
    struct dc_scalar *weight_g = v->scalar + v->count, *weight_h = weight_g + v->padded;
    for (uint32_t i = 0; i < v->padded; i++) {
        bool gate = i < v->n;
        const struct dc_scalar *y = &v->y_inverse[i];
        struct dc_scalar right = gate ? dc_scalar_mul(y, &v->weights.right[i]) : zero;
        if (gate)
            dc_r1cs_accumulate(&delta, &right, &v->weights.left[i]);
        struct dc_scalar a = dc_scalar_mul(&v->inner.a, &v->s[i]);
        weight_g[i] = dc_scalar_mul(&v->x, &right);
        weight_g[i] = dc_scalar_sub(&weight_g[i], &a);
        struct dc_scalar sum = gate ? v->weights.out[i] : zero;
        if (gate)
            dc_r1cs_accumulate(&sum, &v->x, &v->weights.left[i]);
        struct dc_scalar b = dc_scalar_mul(&v->inner.b, &v->s[v->padded - 1 - i]);
        sum = dc_scalar_sub(&sum, &b);
        sum = dc_scalar_mul(&sum, y);
        weight_h[i] = dc_scalar_sub(&sum, &one);
        if (i >= v->c->gates_first) {
            weight_g[i] = dc_scalar_mul(&weight_g[i], &v->u);
            weight_h[i] = dc_scalar_mul(&weight_h[i], &v->u);
        }
    }
    memcpy(v->point + v->count, g, v->padded * sizeof *g);
    memcpy(v->point + v->count + v->padded, h, v->padded * sizeof *h);
    v->count += 2 * v->padded;
    return delta;
}

/* Two equations, the second with r, which depends on the whole proof. */
static bool verifier_sum(struct verifier *v)
{
    struct dc_circuit *c = v->c;
    uint32_t room = 2 * v->padded + v->points + c->commitments + 2 * (uint32_t)v->inner.rounds + 2;
    v->scalar = dc_r1cs_scalars(c, room);
    v->point = dc_mem_pages(room * sizeof *v->point);
    DC_CHECK(v->point != NULL);
    struct dc_scalar delta = verifier_generators(v);
    bool ok = verifier_points(v);
    verifier_bases(v, &delta);
    DC_CHECK(v->count == room);
    if (ok) {
        struct dc_point sum = dc_msm_vartime(v->scalar, v->point, v->count);
        ok = dc_point_is_identity(&sum);
    }
    dc_mem_free(v->point);
    return ok;
}

bool dc_r1cs_verify(struct dc_circuit *c, const uint8_t *proof, size_t size)
{
    DC_CHECK(!c->proving);
    struct verifier v = {.c = c, .proof = proof};
    if (c->gates > DC_R1CS_GATES_MAX || size < dc_r1cs_proof_bytes(c->gates, false))
        return false;
    dc_r1cs_begin(c);
    verifier_read(&v, dc_r1cs_label_phase[0], DC_R1CS_POINTS_PHASE);
    dc_r1cs_second_phase(c);
    v.n = c->gates;
    v.padded = dc_circuit_padded(v.n);
    bool second = v.n > c->gates_first;
    if (v.n > DC_R1CS_GATES_MAX || size != dc_r1cs_proof_bytes(v.n, second))
        return false;
    if (second)
        verifier_read(&v, dc_r1cs_label_phase[1], DC_R1CS_POINTS_PHASE);
    struct dc_scalar y = dc_transcript_challenge_scalar(c->transcript, "y");
    struct dc_scalar z = dc_transcript_challenge_scalar(c->transcript, "z");
    verifier_read(&v, dc_r1cs_label_sums, DC_R1CS_POINTS_SUMS);
    v.u = dc_transcript_challenge_scalar(c->transcript, "u");
    v.x = dc_transcript_challenge_scalar(c->transcript, "x");
    if (!verifier_scalar(&v, "t_x", &v.t_x) ||
        !verifier_scalar(&v, "t_x_blinding", &v.t_x_blinding) ||
        !verifier_scalar(&v, "e_blinding", &v.e_blinding))
        return false;
    v.w = dc_transcript_challenge_scalar(c->transcript, "w");
    v.s = dc_r1cs_scalars(c, v.padded);
    size_t left = 32 * (2 * (size_t)dc_r1cs_log2(v.padded) + 2);
    if (!dc_inner_read(c->transcript, v.padded, v.proof, left, &v.inner, v.s))
        return false;
    dc_transcript_append_scalar(c->transcript, "a", &v.inner.a);
    dc_transcript_append_scalar(c->transcript, "b", &v.inner.b);
    v.r = dc_transcript_challenge_scalar(c->transcript, "r");
    dc_r1cs_flatten(c, &z, &v.weights);
    struct dc_scalar y_inverse = dc_scalar_invert(&y);
    v.y_inverse = dc_r1cs_scalars(c, v.padded);
    dc_r1cs_powers(&y_inverse, v.y_inverse, v.padded);
    return verifier_sum(&v);
}

/* Percentage with cap: an OR of two statements under one challenge.
 *
 *   cap     percentage - cap B = r B~                   Y_max, z_max, c_max
 *   equal   delta = x B + r' B~, claimed = x B + r'' B~ Y_delta, Y_claimed, z_x, z_delta, z_claimed
 *
 *   proof = Y_max | z_max | c_max | Y_delta | Y_claimed | z_x | z_delta | z_claimed
 *
 * The challenge splits: c = c_max + c_equal.  The prover chooses the part of the statement that
 * does not hold beforehand and solves for its Y; the verifier cannot tell which. */
#include "models/crypto/sigma.h"

struct cap_view { /* a proof's numbers */
    struct dc_scalar z_max, c_max, z_x, z_delta, z_claimed;
};

static void cap_statement(struct dc_transcript *t, const struct dc_sigma_cap *s)
{
    static const char name[] = "percentage-with-cap-proof";
    dc_transcript_append(t, "percentage-commitment", s->percentage, 32);
    dc_transcript_append(t, "delta-commitment", s->delta, 32);
    dc_transcript_append(t, "claimed-commitment", s->claimed, 32);
    dc_transcript_append_u64(t, "max-value", s->cap);
    dc_transcript_append(t, "dom-sep", name, sizeof name - 1);
}

static struct dc_scalar cap_challenge(struct dc_transcript *t, const uint8_t proof[256])
{
    dc_transcript_append_point(t, "Y_max_proof", proof);
    dc_transcript_append_point(t, "Y_delta", proof + 96);
    dc_transcript_append_point(t, "Y_claimed", proof + 128);
    return dc_transcript_challenge_scalar(t, "c");
}

/* a B + b B~ - c P. */
static void cap_point(const struct dc_scalar *a, const struct dc_scalar *b,
                      const struct dc_scalar *c, const uint8_t p[32], uint8_t out[32])
{
    struct dc_point sum = dc_pedersen(a, b), point;
    DC_CHECK(dc_point_decode(p, &point));
    point = dc_point_mul(c, &point);
    sum = dc_point_sub(&sum, &point);
    dc_point_encode(&sum, out);
}

static struct dc_scalar cap_response(const struct dc_scalar *c, const struct dc_scalar *secret,
                                     const struct dc_scalar *y)
{
    struct dc_scalar z = dc_scalar_mul(c, secret);
    return dc_scalar_add(&z, y);
}

/* The numbers of the side that is true, once the challenge is there; y: their nonces, or what was
 * chosen for the other side. */
static void cap_answer(const struct dc_sigma_cap_secret *secret, bool capped,
                       const struct dc_scalar *c, const struct dc_scalar y[5], struct cap_view *v)
{
    struct dc_scalar x = dc_scalar_u64(secret->delta);
    if (capped) {
        v->c_max = dc_scalar_sub(c, &y[4]);
        v->z_max = cap_response(&v->c_max, &secret->percentage_blinding, &y[0]);
        v->z_x = y[1];
        v->z_delta = y[2];
        v->z_claimed = y[3];
    } else {
        struct dc_scalar equal = dc_scalar_sub(c, &y[4]);
        v->c_max = y[4];
        v->z_max = y[0];
        v->z_x = cap_response(&equal, &x, &y[1]);
        v->z_delta = cap_response(&equal, &secret->delta_blinding, &y[2]);
        v->z_claimed = cap_response(&equal, &secret->claimed_blinding, &y[3]);
    }
}

static struct dc_scalar cap_finish(struct dc_transcript *t, const struct cap_view *v)
{
    dc_transcript_append_scalar(t, "z_max", &v->z_max);
    dc_transcript_append_scalar(t, "c_max_proof", &v->c_max);
    dc_transcript_append_scalar(t, "z_x", &v->z_x);
    dc_transcript_append_scalar(t, "z_delta_real", &v->z_delta);
    dc_transcript_append_scalar(t, "z_claimed", &v->z_claimed);
    return dc_transcript_challenge_scalar(t, "w");
}

void dc_sigma_cap_prove(struct dc_transcript *t, const struct dc_sigma_cap *s,
                        const struct dc_sigma_cap_secret *secret, uint8_t proof[256])
{
    bool capped = secret->percentage >= s->cap;
    const struct dc_scalar witness[5] = {dc_scalar_u64(secret->percentage),
                                         dc_scalar_u64(secret->delta), secret->percentage_blinding,
                                         secret->delta_blinding, secret->claimed_blinding};
    struct dc_scalar y[5], zero = dc_scalar_zero();
    struct dc_nonces n;
    struct cap_view v;
    cap_statement(t, s);
    dc_sigma_nonces(t, witness, 5, &n);
    for (uint32_t i = 0; i < 5; i++)
        y[i] = dc_nonces_next(&n);
    struct dc_scalar c_max = capped ? zero : y[4], c_equal = capped ? y[4] : zero;
    struct dc_scalar cap = dc_scalar_u64(s->cap), most = dc_scalar_mul(&c_max, &cap);
    cap_point(&most, &y[0], &c_max, s->percentage, proof);
    cap_point(&y[1], &y[2], &c_equal, s->delta, proof + 96);
    cap_point(&y[1], &y[3], &c_equal, s->claimed, proof + 128);
    struct dc_scalar c = cap_challenge(t, proof);
    cap_answer(secret, capped, &c, y, &v);
    dc_scalar_encode(&v.z_max, proof + 32);
    dc_scalar_encode(&v.c_max, proof + 64);
    dc_scalar_encode(&v.z_x, proof + 160);
    dc_scalar_encode(&v.z_delta, proof + 192);
    dc_scalar_encode(&v.z_claimed, proof + 224);
    (void)cap_finish(t, &v);
}

/* c_max percentage - c_max cap B - z_max B~ + Y_max, and w and w^2 times the rows of equality, in
 * one sum. */
bool dc_sigma_cap_verify(struct dc_transcript *t, const struct dc_sigma_cap *s,
                         const uint8_t proof[256])
{
    struct dc_point point[8];
    struct cap_view v;
    if (!dc_point_decode_proper(s->percentage, &point[0]) ||
        !dc_point_decode_proper(s->delta, &point[1]) ||
        !dc_point_decode_proper(s->claimed, &point[2]) ||
        !dc_point_decode_proper(proof, &point[3]) ||
        !dc_point_decode_proper(proof + 96, &point[4]) ||
        !dc_point_decode_proper(proof + 128, &point[5]) ||
        !dc_scalar_decode(proof + 32, &v.z_max) || !dc_scalar_decode(proof + 64, &v.c_max) ||
        !dc_scalar_decode(proof + 160, &v.z_x) || !dc_scalar_decode(proof + 192, &v.z_delta) ||
        !dc_scalar_decode(proof + 224, &v.z_claimed))
        return false;
    point[6] = dc_point_base();
    point[7] = dc_point_blinding();
    cap_statement(t, s);
    struct dc_scalar c = cap_challenge(t, proof), equal = dc_scalar_sub(&c, &v.c_max);
    struct dc_scalar w = cap_finish(t, &v), ww = dc_scalar_mul(&w, &w);
    struct dc_scalar cap = dc_scalar_u64(s->cap), both = dc_scalar_add(&w, &ww);
    struct dc_scalar factor[8], part;
    factor[0] = v.c_max;
    factor[1] = dc_scalar_mul(&w, &equal);
    factor[1] = dc_scalar_neg(&factor[1]);
    factor[2] = dc_scalar_mul(&ww, &equal);
    factor[2] = dc_scalar_neg(&factor[2]);
    factor[3] = dc_scalar_one();
    factor[4] = dc_scalar_neg(&w);
    factor[5] = dc_scalar_neg(&ww);
    factor[6] = dc_scalar_mul(&both, &v.z_x);
    part = dc_scalar_mul(&v.c_max, &cap);
    factor[6] = dc_scalar_sub(&factor[6], &part);
    factor[7] = dc_scalar_mul(&w, &v.z_delta);
    part = dc_scalar_mul(&ww, &v.z_claimed);
    factor[7] = dc_scalar_add(&factor[7], &part);
    factor[7] = dc_scalar_sub(&factor[7], &v.z_max);
    struct dc_point sum = dc_msm_vartime(factor, point, 8);
    return dc_point_is_identity(&sum);
}

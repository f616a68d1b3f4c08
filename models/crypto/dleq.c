/* Schnorr and Chaum-Pedersen as challenge and response (sigma.h). */
#include "models/crypto/sigma.h"

static void dleq_answer(const struct dc_scalar *x, const struct dc_scalar *y,
                        const struct dc_scalar *c, uint8_t proof[64])
{
    struct dc_scalar z = dc_scalar_mul(c, x);
    z = dc_scalar_add(&z, y);
    dc_scalar_encode(c, proof);
    dc_scalar_encode(&z, proof + 32);
}

/* Y = z G - c T, appended. */
static void dleq_again(struct dc_transcript *t, const char *label, const struct dc_scalar *z,
                       const struct dc_point *g, const struct dc_scalar *c,
                       const struct dc_point *target)
{
    uint8_t encoded[32];
    const struct dc_scalar factor[2] = {*z, dc_scalar_neg(c)};
    const struct dc_point point[2] = {*g, *target};
    struct dc_point y = dc_msm_vartime(factor, point, 2);
    dc_point_encode(&y, encoded);
    dc_transcript_append_point(t, label, encoded);
}

static void dleq_commit(struct dc_transcript *t, const char *label, const struct dc_point *y)
{
    uint8_t encoded[32];
    dc_point_encode(y, encoded);
    dc_transcript_append_point(t, label, encoded);
}

void dc_schnorr_prove(struct dc_transcript *t, const struct dc_scalar *x, uint8_t proof[64])
{
    struct dc_point key = dc_point_mul_base(x);
    struct dc_nonces n;
    dleq_commit(t, "key", &key);
    dc_sigma_nonces(t, x, 1, &n);
    struct dc_scalar y = dc_nonces_next(&n);
    struct dc_point first = dc_point_mul_base(&y);
    dleq_commit(t, "Y", &first);
    struct dc_scalar c = dc_transcript_challenge_scalar(t, "c");
    dleq_answer(x, &y, &c, proof);
}

bool dc_schnorr_verify(struct dc_transcript *t, const uint8_t key[32], const uint8_t proof[64])
{
    struct dc_scalar c, z;
    struct dc_point target, base = dc_point_base();
    if (!dc_point_decode_proper(key, &target) || !dc_scalar_decode(proof, &c) ||
        !dc_scalar_decode(proof + 32, &z))
        return false;
    dc_transcript_append_point(t, "key", key);
    dleq_again(t, "Y", &z, &base, &c, &target);
    struct dc_scalar again = dc_transcript_challenge_scalar(t, "c");
    return dc_scalar_equal(&c, &again);
}

void dc_dleq_prove(struct dc_transcript *t, const struct dc_scalar *x, const uint8_t q[32],
                   uint8_t z_out[32], uint8_t proof[64])
{
    struct dc_point second, key = dc_point_mul_base(x);
    struct dc_nonces n;
    DC_CHECK(dc_point_decode_proper(q, &second));
    struct dc_point image = dc_point_mul(x, &second);
    dc_point_encode(&image, z_out);
    dleq_commit(t, "key", &key);
    dc_transcript_append_point(t, "base", q);
    dc_transcript_append_point(t, "image", z_out);
    dc_sigma_nonces(t, x, 1, &n);
    struct dc_scalar y = dc_nonces_next(&n);
    struct dc_point a = dc_point_mul_base(&y), b = dc_point_mul(&y, &second);
    dleq_commit(t, "Y_0", &a);
    dleq_commit(t, "Y_1", &b);
    struct dc_scalar c = dc_transcript_challenge_scalar(t, "c");
    dleq_answer(x, &y, &c, proof);
}

bool dc_dleq_verify(struct dc_transcript *t, const uint8_t key[32], const uint8_t q[32],
                    const uint8_t z[32], const uint8_t proof[64])
{
    struct dc_scalar c, response;
    struct dc_point x, second, image, base = dc_point_base();
    if (!dc_point_decode_proper(key, &x) || !dc_point_decode_proper(q, &second) ||
        !dc_point_decode_proper(z, &image) || !dc_scalar_decode(proof, &c) ||
        !dc_scalar_decode(proof + 32, &response))
        return false;
    dc_transcript_append_point(t, "key", key);
    dc_transcript_append_point(t, "base", q);
    dc_transcript_append_point(t, "image", z);
    dleq_again(t, "Y_0", &response, &base, &c, &x);
    dleq_again(t, "Y_1", &response, &second, &c, &image);
    struct dc_scalar again = dc_transcript_challenge_scalar(t, "c");
    return dc_scalar_equal(&c, &again);
}

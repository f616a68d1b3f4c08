/* Range proofs, single and aggregated, on one vector of n = bits m bits.
 *
 *   a_L      the bits of all values; a_R = a_L - 1
 *   A        a_L . G + a_R . H + alpha B~      S  s_L . G + s_R . H + rho B~        | y, z
 *   l(X)     a_L - z + s_L X
 *   r(X)     y^i (a_R + z + s_R X) + z^(2+j) 2^k        i = bits j + k
 *   t(X)     <l, r> = t0 + t1 X + t2 X^2,  T1 = t1 B + tau1 B~,  T2 = t2 B + tau2 B~   | x
 *   then     t(x), its blinding, that of A + x S                                     | w
 *            and the inner product of l(x) and r(x) over Q = w B and H[i] y^-i
 *
 * A is put together from G[i] and -H[i] bit by bit without branching; S is a sum in constant time.
 * The verifier weighs the check of t(x) with a challenge drawn from a copy of the transcript after
 * the whole proof, and makes one sum of everything: no entropy, and no prover knows it before. */
#include "models/crypto/generators.h"
#include "models/crypto/innerproduct.h"
#include "models/crypto/rangeproof_impl.h"
#include "models/crypto/scratch.h"

static size_t range_log(uint32_t bits, uint32_t m)
{
    size_t log = 0;
    while ((size_t)1 << log < (size_t)bits * m)
        log++;
    return log;
}

static bool range_sizes(uint32_t bits, uint32_t m)
{
    return (bits == 8 || bits == 16 || bits == 32 || bits == 64) && m != 0 &&
           m <= DC_RANGE_VALUES_MAX && (m & (m - 1)) == 0;
}

size_t dc_range_bytes(uint32_t bits, uint32_t m)
{
    return range_sizes(bits, m) ? DC_RANGE_HEAD_BYTES + dc_inner_bytes(range_log(bits, m)) : 0;
}

/* --- proving -------------------------------------------------------------------------------- */

struct prover {
    uint32_t bits, m;
    size_t n;
    const uint64_t *value;
    const struct dc_scalar *blinding;
    struct dc_point *g, *h;         /* n each, in one row with one more before: B~ */
    struct dc_scalar *s;            /* rho, s_L, s_R: in the order of those points */
    struct dc_scalar *l, *r;        /* l0 and r0, then l(x) and r(x) */
    struct dc_scalar *factor;       /* y^-i */
    struct dc_scalar alpha, tau[2]; /* blindings of A, T1, T2 */
};

static uint64_t range_bit(const struct prover *p, size_t i)
{
    return p->value[i / p->bits] >> (i % p->bits) & 1;
}

static void range_draw(struct prover *p, const struct dc_transcript *t, const uint8_t secret[32])
{
    struct dc_nonces nonces;
    dc_nonces_init(&nonces, secret, DC_DOMAIN_PROOF_NONCE);
    dc_nonces_feed(&nonces, "range", 5);
    dc_nonces_feed(&nonces, t, sizeof t->state + 3);
    for (uint32_t j = 0; j < p->m; j++) {
        uint8_t value[8], blinding[32];
        dc_put64(value, p->value[j]);
        dc_scalar_encode(&p->blinding[j], blinding);
        dc_nonces_feed(&nonces, value, sizeof value);
        dc_nonces_feed(&nonces, blinding, sizeof blinding);
    }
    p->alpha = dc_nonces_next(&nonces);
    p->tau[0] = dc_nonces_next(&nonces);
    p->tau[1] = dc_nonces_next(&nonces);
    for (size_t i = 0; i < 2 * p->n + 1; i++)
        p->s[i] = dc_nonces_next(&nonces);
}

static void range_bits(const struct prover *p, uint8_t out[32])
{
    struct dc_point sum = dc_pedersen(&(struct dc_scalar){{{{0}}}}, &p->alpha);
    for (size_t i = 0; i < p->n; i++) {
        struct dc_point term = dc_point_neg(&p->h[i]);
        decaf_255_point_cond_sel(term.p, term.p, p->g[i].p, (decaf_word_t)range_bit(p, i));
        sum = dc_point_add(&sum, &term);
    }
    dc_point_encode(&sum, out);
}

/* l0, r0 and r1 (in place of s_R), and the factors. */
static void range_polynomials(struct prover *p, const struct dc_scalar *y,
                              const struct dc_scalar *z)
{
    struct dc_scalar one = dc_scalar_one(), minus_z = dc_scalar_neg(z);
    struct dc_scalar z_power = dc_scalar_mul(z, z), y_power = one, two_power = one;
    struct dc_scalar inverse = dc_scalar_invert(y), inverse_power = one;
    struct dc_scalar *r1 = p->s + 1 + p->n;
    for (size_t i = 0; i < p->n; i++) {
        if (i != 0 && i % p->bits == 0) {
            z_power = dc_scalar_mul(&z_power, z);
            two_power = one;
        }
        struct dc_scalar bit = dc_scalar_u64(range_bit(p, i)), term;
        p->l[i] = dc_scalar_add(&bit, &minus_z);
        bit = dc_scalar_sub(&bit, &one);
        bit = dc_scalar_add(&bit, z);
        bit = dc_scalar_mul(&bit, &y_power);
        term = dc_scalar_mul(&z_power, &two_power);
        p->r[i] = dc_scalar_add(&bit, &term);
        r1[i] = dc_scalar_mul(&r1[i], &y_power);
        p->factor[i] = inverse_power;
        y_power = dc_scalar_mul(&y_power, y);
        inverse_power = dc_scalar_mul(&inverse_power, &inverse);
        two_power = dc_scalar_add(&two_power, &two_power);
    }
}

/* a + x (b + x c) */
static struct dc_scalar polynomial_at(const struct dc_scalar *a, const struct dc_scalar *b,
                                      const struct dc_scalar *c, const struct dc_scalar *x)
{
    struct dc_scalar r = dc_scalar_mul(c, x);
    r = dc_scalar_add(&r, b);
    r = dc_scalar_mul(&r, x);
    return dc_scalar_add(&r, a);
}

/* t0, t1, t2; t1 = <l0 + l1, r0 + r1> - t0 - t2. */
static void range_products(const struct prover *p, struct dc_scalar product[3])
{
    const struct dc_scalar *l1 = p->s + 1, *r1 = p->s + 1 + p->n;
    struct dc_scalar mixed = dc_scalar_zero();
    product[0] = dc_inner_product(p->l, p->r, p->n);
    product[2] = dc_inner_product(l1, r1, p->n);
    for (size_t i = 0; i < p->n; i++) {
        struct dc_scalar l = dc_scalar_add(&p->l[i], &l1[i]), r = dc_scalar_add(&p->r[i], &r1[i]);
        l = dc_scalar_mul(&l, &r);
        mixed = dc_scalar_add(&mixed, &l);
    }
    mixed = dc_scalar_sub(&mixed, &product[0]);
    product[1] = dc_scalar_sub(&mixed, &product[2]);
}

/* The blinding of t(x): sum of z^(2+j) times that of commitment j, and x tau1 + x^2 tau2. */
static struct dc_scalar range_blinding(const struct prover *p, const struct dc_scalar *z,
                                       const struct dc_scalar *x)
{
    struct dc_scalar sum = dc_scalar_zero(), power = dc_scalar_mul(z, z);
    for (uint32_t j = 0; j < p->m; j++) {
        struct dc_scalar term = dc_scalar_mul(&power, &p->blinding[j]);
        sum = dc_scalar_add(&sum, &term);
        power = dc_scalar_mul(&power, z);
    }
    return polynomial_at(&sum, &p->tau[0], &p->tau[1], x);
}

/* l(x) and r(x), in place. */
static void range_evaluate(const struct prover *p, const struct dc_scalar *x)
{
    for (size_t i = 0; i < p->n; i++) {
        struct dc_scalar l = dc_scalar_mul(x, &p->s[1 + i]);
        struct dc_scalar r = dc_scalar_mul(x, &p->s[1 + p->n + i]);
        p->l[i] = dc_scalar_add(&p->l[i], &l);
        p->r[i] = dc_scalar_add(&p->r[i], &r);
    }
}

/* Everything between the draws and the inner product; out: the seven lines before it.  Returns w. */
static struct dc_scalar range_head(struct prover *p, struct dc_transcript *t, uint8_t *out)
{
    range_bits(p, out);
    struct dc_point s = dc_msm(p->s, p->g - 1, 2 * p->n + 1);
    dc_point_encode(&s, out + 32);
    dc_transcript_append_point(t, "A", out);
    dc_transcript_append_point(t, "S", out + 32);
    struct dc_scalar y = dc_transcript_challenge_scalar(t, "y");
    struct dc_scalar z = dc_transcript_challenge_scalar(t, "z");
    struct dc_scalar product[3];
    range_polynomials(p, &y, &z);
    range_products(p, product);
    for (int k = 0; k < 2; k++) {
        struct dc_point committed = dc_pedersen(&product[k + 1], &p->tau[k]);
        dc_point_encode(&committed, out + 64 + 32 * k);
    }
    dc_transcript_append_point(t, "T_1", out + 64);
    dc_transcript_append_point(t, "T_2", out + 96);
    struct dc_scalar x = dc_transcript_challenge_scalar(t, "x");
    struct dc_scalar at_x = polynomial_at(&product[0], &product[1], &product[2], &x);
    struct dc_scalar at_x_blinding = range_blinding(p, &z, &x);
    struct dc_scalar blinding = dc_scalar_mul(&x, &p->s[0]);
    blinding = dc_scalar_add(&blinding, &p->alpha);
    range_evaluate(p, &x);
    dc_transcript_append_scalar(t, "t_x", &at_x);
    dc_transcript_append_scalar(t, "t_x_blinding", &at_x_blinding);
    dc_transcript_append_scalar(t, "e_blinding", &blinding);
    dc_scalar_encode(&at_x, out + 128);
    dc_scalar_encode(&at_x_blinding, out + 160);
    dc_scalar_encode(&blinding, out + 192);
    return dc_transcript_challenge_scalar(t, "w");
}

bool dc_range_prove(struct dc_transcript *t, uint32_t bits, const uint64_t *value,
                    const struct dc_scalar *blinding, uint32_t m, const uint8_t secret[32],
                    uint8_t commitment[][32], uint8_t *proof)
{
    if (!range_sizes(bits, m))
        return false;
    for (uint32_t j = 0; j < m; j++)
        if (bits < 64 && value[j] >> bits != 0)
            return false;
    size_t n = (size_t)bits * m, scalar = sizeof(struct dc_scalar), point = sizeof(struct dc_point);
    struct dc_scratch scratch =
        dc_scratch_take((2 * n + 1) * (scalar + point) + 3 * n * scalar + (size_t)5 * 64);
    struct prover p = {.bits = bits, .m = m, .n = n, .value = value, .blinding = blinding};
    p.g = (struct dc_point *)dc_scratch_part(&scratch, (2 * n + 1) * point) + 1;
    p.h = p.g + n;
    p.s = dc_scratch_part(&scratch, (2 * n + 1) * scalar);
    p.l = dc_scratch_part(&scratch, n * scalar);
    p.r = dc_scratch_part(&scratch, n * scalar);
    p.factor = dc_scratch_part(&scratch, n * scalar);
    p.g[-1] = dc_point_blinding();
    for (uint32_t j = 0; j < m; j++) {
        struct dc_scalar v = dc_scalar_u64(value[j]);
        struct dc_point committed = dc_pedersen(&v, &blinding[j]);
        dc_point_encode(&committed, commitment[j]);
        memcpy(p.g + (size_t)j * bits, dc_generators_g(j, 0), bits * point);
        memcpy(p.h + (size_t)j * bits, dc_generators_h(j, 0), bits * point);
    }
    dc_range_begin(t, bits, commitment, m);
    range_draw(&p, t, secret);
    struct dc_scalar w = range_head(&p, t, proof);
    struct dc_point q = dc_point_mul_base(&w);
    dc_inner_prove(t, &q, NULL, p.factor, p.g, p.h, p.l, p.r, n, proof + DC_RANGE_HEAD_BYTES);
    dc_scratch_give(&scratch);
    return true;
}

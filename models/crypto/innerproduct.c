/* The argument, with the folding of generators put off.
 *
 * In a round with challenge u, vectors of length n become vectors of length n/2:
 *
 *     a' = u a_L + u^-1 a_R    b' = u^-1 b_L + u b_R    G' = u^-1 G_L + u G_R    H' = u H_L + u^-1 H_R
 *
 * Folding points costs a run of doublings for each one that results.  So the prover keeps the points
 * of some earlier length N with a coefficient for each (logical G_j is the sum of coefficient[i]
 * points[i] over all i = j modulo n), computes L and R over them, and makes new points only when
 * N = FOLD n: one run of doublings then serves FOLD points.  Half the time of folding each round. */
#include "models/crypto/innerproduct.h"
#include "models/crypto/scratch.h"

#define FOLD 8

struct side {
    const struct dc_point *point;  /* N of them */
    struct dc_scalar *coefficient; /* likewise */
    struct dc_point *folded;       /* room for N / FOLD */
};
struct prover {
    struct side g, h;
    size_t count, n; /* N, n */
    struct dc_scalar *a, *b;
    struct dc_scalar *term_scalar; /* N + 1: the sum that is being made */
    struct dc_point *term_point;
};

struct dc_scalar dc_inner_product(const struct dc_scalar *a, const struct dc_scalar *b, size_t n)
{
    struct dc_scalar sum = dc_scalar_zero();
    for (size_t i = 0; i < n; i++) {
        struct dc_scalar term = dc_scalar_mul(&a[i], &b[i]);
        sum = dc_scalar_add(&sum, &term);
    }
    return sum;
}

static void inner_begin(struct dc_transcript *t, const char *name, size_t n)
{
    dc_transcript_append(t, "dom-sep", name, strlen(name));
    dc_transcript_append_u64(t, "n", n);
}

/* --- proving -------------------------------------------------------------------------------- */

/* Adds the terms value[j] times logical point of one half: upper those with j >= n/2. */
static size_t half_terms(const struct prover *p, const struct side *s, bool upper,
                         const struct dc_scalar *value, size_t at)
{
    size_t half = p->n / 2;
    for (size_t i = 0; i < p->count; i++) {
        size_t j = i & (p->n - 1);
        if ((j >= half) != upper)
            continue;
        p->term_scalar[at] = dc_scalar_mul(&value[j & (half - 1)], &s->coefficient[i]);
        p->term_point[at++] = s->point[i];
    }
    return at;
}

/* L (left) = <a_L, G_R> + <b_R, H_L> + <a_L, b_R> Q, and R with the halves exchanged. */
static void cross_term(const struct prover *p, bool left, const struct dc_point *q, uint8_t out[32])
{
    size_t half = p->n / 2;
    const struct dc_scalar *a = left ? p->a : p->a + half, *b = left ? p->b + half : p->b;
    size_t count = half_terms(p, &p->g, left, a, 0);
    count = half_terms(p, &p->h, !left, b, count);
    p->term_scalar[count] = dc_inner_product(a, b, half);
    p->term_point[count++] = *q;
    struct dc_point sum = dc_msm_vartime(p->term_scalar, p->term_point, count);
    dc_point_encode(&sum, out);
}

/* x' = low x_L + high x_R */
static void fold_scalars(struct dc_scalar *x, size_t half, const struct dc_scalar *low,
                         const struct dc_scalar *high)
{
    for (size_t i = 0; i < half; i++) {
        struct dc_scalar l = dc_scalar_mul(low, &x[i]), h = dc_scalar_mul(high, &x[half + i]);
        x[i] = dc_scalar_add(&l, &h);
    }
}

static void fold_coefficients(const struct prover *p, struct side *s, const struct dc_scalar *low,
                              const struct dc_scalar *high)
{
    for (size_t i = 0; i < p->count; i++)
        s->coefficient[i] =
            dc_scalar_mul(&s->coefficient[i], (i & (p->n - 1)) < p->n / 2 ? low : high);
}

/* Makes the n logical points. */
static void fold_points(const struct prover *p, struct side *s)
{
    struct dc_scalar k[FOLD];
    struct dc_point x[FOLD];
    for (size_t j = 0; j < p->n; j++) {
        for (size_t i = 0; i < FOLD; i++) {
            k[i] = s->coefficient[j + i * p->n];
            x[i] = s->point[j + i * p->n];
        }
        s->folded[j] = dc_msm_vartime(k, x, FOLD); /* point may be folded: j is read already */
    }
    for (size_t j = 0; j < p->n; j++)
        s->coefficient[j] = dc_scalar_one();
    s->point = s->folded;
}

static void side_begin(struct side *s, const struct dc_point *point, const struct dc_scalar *factor,
                       size_t n, struct dc_scratch *scratch)
{
    s->point = point;
    s->coefficient = dc_scratch_part(scratch, n * sizeof *s->coefficient);
    s->folded = dc_scratch_part(scratch, (n / FOLD + 1) * sizeof *s->folded);
    for (size_t i = 0; i < n; i++)
        s->coefficient[i] = factor != NULL ? factor[i] : dc_scalar_one();
}

void dc_inner_prove(struct dc_transcript *t, const struct dc_point *q,
                    const struct dc_scalar *g_factor, const struct dc_scalar *h_factor,
                    const struct dc_point *g, const struct dc_point *h, struct dc_scalar *a,
                    struct dc_scalar *b, size_t n, uint8_t *out)
{
    dc_inner_prove_named(t, "ipp v1", q, g_factor, h_factor, g, h, a, b, n, out);
}

void dc_inner_prove_named(struct dc_transcript *t, const char *name, const struct dc_point *q,
                          const struct dc_scalar *g_factor, const struct dc_scalar *h_factor,
                          const struct dc_point *g, const struct dc_point *h, struct dc_scalar *a,
                          struct dc_scalar *b, size_t n, uint8_t *out)
{
    DC_CHECK(n != 0 && (n & (n - 1)) == 0 && n <= (size_t)1 << DC_INNER_LOG_MAX);
    struct prover p = {.count = n, .n = n, .a = a, .b = b};
    size_t point = sizeof(struct dc_point), scalar = sizeof(struct dc_scalar);
    struct dc_scratch scratch = dc_scratch_take(2 * (n * scalar + (n / FOLD + 1) * point) +
                                                (n + 1) * (scalar + point) + (size_t)6 * 64);
    side_begin(&p.g, g, g_factor, n, &scratch);
    side_begin(&p.h, h, h_factor, n, &scratch);
    p.term_scalar = dc_scratch_part(&scratch, (n + 1) * scalar);
    p.term_point = dc_scratch_part(&scratch, (n + 1) * point);
    inner_begin(t, name, n);
    while (p.n > 1) {
        cross_term(&p, true, q, out);
        cross_term(&p, false, q, out + 32);
        dc_transcript_append_point(t, "L", out);
        dc_transcript_append_point(t, "R", out + 32);
        out += 64;
        struct dc_scalar u = dc_transcript_challenge_scalar(t, "u"), v = dc_scalar_invert(&u);
        fold_scalars(a, p.n / 2, &u, &v);
        fold_scalars(b, p.n / 2, &v, &u);
        fold_coefficients(&p, &p.g, &v, &u);
        fold_coefficients(&p, &p.h, &u, &v);
        p.n /= 2;
        if (p.n > 1 && p.count == FOLD * p.n) {
            fold_points(&p, &p.g);
            fold_points(&p, &p.h);
            p.count = p.n;
        }
    }
    dc_scalar_encode(&a[0], out);
    dc_scalar_encode(&b[0], out + 32);
    dc_scratch_give(&scratch);
}

/* --- reading -------------------------------------------------------------------------------- */

/* s[0] = 1/(u_1 .. u_k); s[i] = s[i without its top bit] times u^2 of the round of that bit, where
 * the first round halves by the highest bit. */
static void inner_scalars(const struct dc_inner *in, const struct dc_scalar *all_inverse, size_t n,
                          struct dc_scalar *s)
{
    s[0] = *all_inverse;
    for (size_t log = 0, k = 1; k < n; log++, k *= 2)
        for (size_t i = 0; i < k; i++)
            s[k + i] = dc_scalar_mul(&s[i], &in->square[in->rounds - 1 - log]);
}

bool dc_inner_read(struct dc_transcript *t, size_t n, const uint8_t *proof, size_t size,
                   struct dc_inner *out, struct dc_scalar *s)
{
    return dc_inner_read_named(t, "ipp v1", n, proof, size, out, s);
}

bool dc_inner_read_named(struct dc_transcript *t, const char *name, size_t n, const uint8_t *proof,
                         size_t size, struct dc_inner *out, struct dc_scalar *s)
{
    DC_CHECK(n != 0 && (n & (n - 1)) == 0 && n <= (size_t)1 << DC_INNER_LOG_MAX);
    for (out->rounds = 0; (size_t)1 << out->rounds < n;)
        out->rounds++;
    size_t rounds = out->rounds;
    if (size != dc_inner_bytes(rounds) || !dc_scalar_decode(proof + 64 * rounds, &out->a) ||
        !dc_scalar_decode(proof + 64 * rounds + 32, &out->b))
        return false;
    struct dc_scalar u[DC_INNER_LOG_MAX], product = dc_scalar_one();
    inner_begin(t, name, n);
    for (size_t k = 0; k < rounds; k++, proof += 64) {
        if (!dc_point_decode_proper(proof, &out->l[k]) ||
            !dc_point_decode_proper(proof + 32, &out->r[k]))
            return false;
        dc_transcript_append_point(t, "L", proof);
        dc_transcript_append_point(t, "R", proof + 32);
        u[k] = dc_transcript_challenge_scalar(t, "u");
        out->square[k] = dc_scalar_mul(&u[k], &u[k]);
        out->inverse[k] = product; /* of those before, for now */
        product = dc_scalar_mul(&product, &u[k]);
    }
    struct dc_scalar all_inverse = dc_scalar_invert(&product), rest = all_inverse;
    for (size_t k = rounds; k-- > 0;) {
        struct dc_scalar inverse = dc_scalar_mul(&rest, &out->inverse[k]);
        rest = dc_scalar_mul(&rest, &u[k]);
        out->inverse[k] = dc_scalar_mul(&inverse, &inverse);
    }
    inner_scalars(out, &all_inverse, n, s);
    return true;
}

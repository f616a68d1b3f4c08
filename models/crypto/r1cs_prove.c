/* Proving: r1cs.c says what. */
#include "models/crypto/r1cs_impl.h"

struct blinded { /* one phase's commitments */
    struct dc_scalar i, o, s;
};
struct prover {
    struct dc_circuit *c;
    const uint8_t *secret;
    uint8_t *out;
    size_t size;
    uint32_t n, padded;
    struct dc_scalar *s_left, *s_right;
    struct blinded phase[2];
    struct dc_r1cs_weights w;
    struct dc_scalar *y, *y_inverse;     /* powers */
    struct dc_scalar *l1, *r0, *r1, *r3; /* l2 = a_O, l3 = s_L */
    struct dc_scalar t[7];               /* coefficients */
    struct dc_scalar tau[7];             /* their blindings */
};

static void prover_nonces(const struct prover *p, struct dc_nonces *nonces)
{
    const struct dc_circuit *c = p->c;
    dc_nonces_init(nonces, p->secret, DC_DOMAIN_PROOF_NONCE);
    const struct dc_transcript *t = c->transcript;
    const uint8_t place[3] = {t->pos, t->pos_begin, t->flags};
    dc_nonces_feed(nonces, t->state, sizeof t->state);
    dc_nonces_feed(nonces, place, sizeof place);
    dc_nonces_feed(nonces, c->value, c->commitments * sizeof *c->value);
    dc_nonces_feed(nonces, c->blinding, c->commitments * sizeof *c->blinding);
    dc_nonces_feed(nonces, c->left, c->gates * sizeof *c->left);
    dc_nonces_feed(nonces, c->right, c->gates * sizeof *c->right);
}

static void prover_point(struct prover *p, const char *label, const struct dc_point *point)
{
    dc_point_encode(point, p->out + p->size);
    dc_transcript_append_point(p->c->transcript, label, p->out + p->size);
    p->size += 32;
}

/* Commits to gates from..to: blinding B~ + <a, G> + <b, H>, b may be NULL. */
static struct dc_point prover_commit(const struct dc_scalar *blinding, const struct dc_scalar *a,
                                     const struct dc_scalar *b, uint32_t from, uint32_t to,
                                     struct dc_point *room, struct dc_scalar *room_scalars)
{
    uint32_t n = to - from, count = 0;
    room[count] = dc_point_blinding();
    room_scalars[count++] = *blinding;
    if (n == 0) /* and perhaps no arrays of wires */
        return dc_point_mul(blinding, &room[0]);
    memcpy(room + count, dc_generators_long_g() + from, n * sizeof *room);
    memcpy(room_scalars + count, a + from, n * sizeof *a);
    count += n;
    if (b != NULL) {
        memcpy(room + count, dc_generators_long_h() + from, n * sizeof *room);
        memcpy(room_scalars + count, b + from, n * sizeof *b);
        count += n;
    }
    return dc_msm(room_scalars, room, count);
}

static void prover_phase(struct prover *p, uint32_t from, uint32_t to, struct blinded *blinded,
                         const char *const label[3])
{
    struct dc_circuit *c = p->c;
    struct dc_nonces nonces;
    prover_nonces(p, &nonces);
    blinded->i = dc_nonces_next(&nonces);
    blinded->o = dc_nonces_next(&nonces);
    blinded->s = dc_nonces_next(&nonces);
    for (uint32_t i = from; i < to; i++) {
        p->s_left[i] = dc_nonces_next(&nonces);
        p->s_right[i] = dc_nonces_next(&nonces);
    }
    size_t count = 1 + 2 * (size_t)(to - from);
    struct dc_point *room = dc_mem_pages(count * sizeof *room);
    DC_CHECK(room != NULL);
    struct dc_scalar *weight = dc_r1cs_scalars(c, (uint32_t)count);
    struct dc_point point = prover_commit(&blinded->i, c->left, c->right, from, to, room, weight);
    prover_point(p, label[0], &point);
    point = prover_commit(&blinded->o, c->out, NULL, from, to, room, weight);
    prover_point(p, label[1], &point);
    point = prover_commit(&blinded->s, p->s_left, p->s_right, from, to, room, weight);
    prover_point(p, label[2], &point);
    dc_mem_free(room);
}

/* l and r as polynomials, and t. */
static void prover_polynomials(struct prover *p)
{
    const struct dc_circuit *c = p->c;
    uint32_t n = p->n;
    p->l1 = dc_r1cs_scalars(p->c, n);
    p->r0 = dc_r1cs_scalars(p->c, n);
    p->r1 = dc_r1cs_scalars(p->c, n);
    p->r3 = dc_r1cs_scalars(p->c, n);
    for (uint32_t i = 0; i < n; i++) {
        p->l1[i] = c->left[i];
        dc_r1cs_accumulate(&p->l1[i], &p->y_inverse[i], &p->w.right[i]);
        p->r0[i] = dc_scalar_sub(&p->w.out[i], &p->y[i]);
        p->r1[i] = p->w.left[i];
        dc_r1cs_accumulate(&p->r1[i], &p->y[i], &c->right[i]);
        p->r3[i] = dc_scalar_mul(&p->y[i], &p->s_right[i]);
    }
    const struct {
        const struct dc_scalar *l, *r;
        uint32_t power;
    } product[] = {{p->l1, p->r0, 1},     {p->l1, p->r1, 2},     {c->out, p->r0, 2},
                   {c->out, p->r1, 3},    {p->s_left, p->r0, 3}, {p->l1, p->r3, 4},
                   {p->s_left, p->r1, 4}, {c->out, p->r3, 5},    {p->s_left, p->r3, 6}};
    for (uint32_t k = 0; k < 7; k++)
        p->t[k] = dc_scalar_zero();
    for (uint32_t k = 0; k < sizeof product / sizeof *product; k++) {
        struct dc_scalar sum = dc_inner_product(product[k].l, product[k].r, n);
        p->t[product[k].power] = dc_scalar_add(&p->t[product[k].power], &sum);
    }
}

/* T1, T3 .. T6. */
static void prover_sums(struct prover *p)
{
    struct dc_nonces nonces;
    prover_nonces(p, &nonces);
    p->tau[0] = dc_scalar_zero();
    p->tau[2] = dc_inner_product(p->w.committed, p->c->blinding, p->c->commitments);
    for (uint32_t k = 1, i = 0; k < 7; k++) {
        if (k == 2)
            continue;
        p->tau[k] = dc_nonces_next(&nonces);
        struct dc_point sum = dc_pedersen(&p->t[k], &p->tau[k]);
        prover_point(p, dc_r1cs_label_sums[i++], &sum);
    }
}

static struct dc_scalar polynomial(const struct dc_scalar *coefficient, uint32_t count,
                                   const struct dc_scalar *x)
{
    struct dc_scalar v = dc_scalar_zero();
    for (uint32_t k = count; k-- > 0;) {
        v = dc_scalar_mul(&v, x);
        v = dc_scalar_add(&v, &coefficient[k]);
    }
    return v;
}

static void prover_scalar(struct prover *p, const char *label, const struct dc_scalar *a)
{
    dc_scalar_encode(a, p->out + p->size);
    dc_transcript_append_scalar(p->c->transcript, label, a);
    p->size += 32;
}

/* t(x), the blindings, and the inner-product argument for l(x), r(x). */
static void prover_answer(struct prover *p, const struct dc_scalar *u, const struct dc_scalar *x)
{
    struct dc_circuit *c = p->c;
    struct dc_scalar *l = dc_r1cs_scalars(c, p->padded), *r = dc_r1cs_scalars(c, p->padded);
    struct dc_scalar *weight_g = dc_r1cs_scalars(c, p->padded),
                     *weight_h = dc_r1cs_scalars(c, p->padded);
    struct dc_scalar one = dc_scalar_one();
    for (uint32_t i = 0; i < p->padded; i++) {
        if (i < p->n) {
            const struct dc_scalar left[4] = {dc_scalar_zero(), p->l1[i], c->out[i], p->s_left[i]};
            const struct dc_scalar right[4] = {p->r0[i], p->r1[i], dc_scalar_zero(), p->r3[i]};
            l[i] = polynomial(left, 4, x);
            r[i] = polynomial(right, 4, x);
        } else {
            r[i] = dc_scalar_neg(&p->y[i]);
        }
        weight_g[i] = i < c->gates_first ? one : *u;
        weight_h[i] = dc_scalar_mul(&p->y_inverse[i], &weight_g[i]);
    }
    struct dc_scalar value = polynomial(p->t, 7, x), blinding = polynomial(p->tau, 7, x);
    struct dc_scalar e[4] = {dc_scalar_zero(), p->phase[0].i, p->phase[0].o, p->phase[0].s};
    dc_r1cs_accumulate(&e[1], u, &p->phase[1].i);
    dc_r1cs_accumulate(&e[2], u, &p->phase[1].o);
    dc_r1cs_accumulate(&e[3], u, &p->phase[1].s);
    struct dc_scalar e_blinding = polynomial(e, 4, x);
    prover_scalar(p, "t_x", &value);
    prover_scalar(p, "t_x_blinding", &blinding);
    prover_scalar(p, "e_blinding", &e_blinding);
    struct dc_scalar w = dc_transcript_challenge_scalar(c->transcript, "w");
    struct dc_point q = dc_point_mul_base(&w);
    dc_inner_prove(c->transcript, &q, weight_g, weight_h, dc_generators_long_g(),
                   dc_generators_long_h(), l, r, p->padded, p->out + p->size);
    p->size += 32 * (2 * (size_t)dc_r1cs_log2(p->padded) + 2);
}

size_t dc_r1cs_prove(struct dc_circuit *c, const uint8_t secret[32], uint8_t *out, size_t out_max)
{
    DC_CHECK(c->proving);
    struct prover p = {.c = c, .secret = secret, .out = out};
    if (c->gates > DC_R1CS_GATES_MAX || out_max < dc_r1cs_proof_bytes(c->gates, false))
        return 0;
    dc_r1cs_begin(c);
    p.s_left = dc_r1cs_scalars(c, DC_R1CS_GATES_MAX);
    p.s_right = dc_r1cs_scalars(c, DC_R1CS_GATES_MAX);
    prover_phase(&p, 0, c->gates, &p.phase[0], dc_r1cs_label_phase[0]);
    dc_r1cs_second_phase(c);
    p.n = c->gates;
    p.padded = dc_circuit_padded(p.n);
    bool second = p.n > c->gates_first;
    if (p.n > DC_R1CS_GATES_MAX || out_max < dc_r1cs_proof_bytes(p.n, second))
        return 0;
    if (second)
        prover_phase(&p, c->gates_first, p.n, &p.phase[1], dc_r1cs_label_phase[1]);
    else
        p.phase[1] = (struct blinded){dc_scalar_zero(), dc_scalar_zero(), dc_scalar_zero()};
    struct dc_scalar y = dc_transcript_challenge_scalar(c->transcript, "y");
    struct dc_scalar z = dc_transcript_challenge_scalar(c->transcript, "z");
    struct dc_scalar y_inverse = dc_scalar_invert(&y);
    p.y = dc_r1cs_scalars(c, p.padded);
    p.y_inverse = dc_r1cs_scalars(c, p.padded);
    dc_r1cs_powers(&y, p.y, p.padded);
    dc_r1cs_powers(&y_inverse, p.y_inverse, p.padded);
    dc_r1cs_flatten(c, &z, &p.w);
    prover_polynomials(&p);
    prover_sums(&p);
    struct dc_scalar u = dc_transcript_challenge_scalar(c->transcript, "u");
    struct dc_scalar x = dc_transcript_challenge_scalar(c->transcript, "x");
    prover_answer(&p, &u, &x);
    return p.size;
}

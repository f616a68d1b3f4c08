/* `destrasim bench crypto`: BFV, 4096 numbers at a time, alone and by shares of 2 of 3. */
#include <string.h>

#include "models/crypto/bfv_threshold.h"
#include "sim/cmd_bench_crypto.h"

#define MEMBERS 3u
#define THRESHOLD 2u

struct lattice {
    struct dc_bfv *bfv;
    struct dc_bfv_secret secret;
    struct dc_bfv_public key;
    struct dc_bfv_plain plain, fresh, result;
    struct dc_bfv_ciphertext a, sum, product, scratch;
    struct dc_bfv_poly factor, parts[MEMBERS];
    struct dc_bfv_sharing sharing;
    struct dc_bfv_member member;
    struct dc_bfv_plan plan;
    struct dc_hash about;
    uint8_t seed[32], bytes[DC_BFV_CIPHERTEXT_BYTES];
};

static void digest(const struct dc_bfv_poly *p, uint8_t *out)
{
    struct dc_hash h = dc_bfv_poly_digest(p);
    memcpy(out, h.b, sizeof h.b);
}

static void op_encrypt(void *state, uint64_t i, uint8_t *out)
{
    struct lattice *s = state;
    s->fresh.v[0] = (uint32_t)(i % DC_BFV_PLAIN);
    dc_bfv_encrypt(s->bfv, &s->key, &s->fresh, s->seed, &s->scratch);
    dc_put64(out, s->scratch.c[0].v[0][0]);
}

static void op_decrypt(void *state, uint64_t i, uint8_t *out)
{
    struct lattice *s = state;
    (void)i;
    dc_bfv_decrypt(s->bfv, &s->secret, &s->a, &s->result);
    dc_put32(out, s->result.v[1]);
}

static void op_add(void *state, uint64_t i, uint8_t *out)
{
    struct lattice *s = state;
    (void)i;
    dc_bfv_add(&s->sum, &s->a);
    dc_put64(out, s->sum.c[0].v[0][0]);
}

static void op_multiply(void *state, uint64_t i, uint8_t *out)
{
    struct lattice *s = state;
    (void)i;
    dc_bfv_factor(s->bfv, &s->plain, &s->factor);
    dc_bfv_multiply(&s->product, &s->factor);
    dc_put64(out, s->product.c[0].v[0][0]);
}

static void op_encode(void *state, uint64_t i, uint8_t *out)
{
    struct lattice *s = state;
    (void)i;
    dc_bfv_ciphertext_encode(&s->a, s->bytes);
    memcpy(out, s->bytes, 32);
}

static void op_decode(void *state, uint64_t i, uint8_t *out)
{
    struct lattice *s = state;
    (void)i;
    out[0] = dc_bfv_ciphertext_decode(s->bytes, sizeof s->bytes, &s->scratch);
}

static void op_share(void *state, uint64_t i, uint8_t *out)
{
    struct lattice *s = state;
    uint32_t group = (uint32_t)(i % s->plan.groups);
    dc_bfv_part(s->bfv, &s->member, &s->plan, group, &s->a.c[1], &s->about, &s->parts[group]);
    digest(&s->parts[group], out);
}

static void op_combine(void *state, uint64_t i, uint8_t *out)
{
    struct lattice *s = state;
    const struct dc_bfv_poly *parts[MEMBERS];
    (void)i;
    for (uint32_t g = 0; g < s->plan.groups; g++)
        parts[g] = &s->parts[g];
    dc_put32(out, dc_bfv_combine(s->bfv, &s->a, parts, s->plan.groups, &s->result));
    dc_put32(out + 4, s->result.v[1]);
}

/* A member that knows every seed makes all parts: the costs are the same. */
static void set_up_shares(struct lattice *s)
{
    DC_CHECK(dc_bfv_sharing_make(MEMBERS, THRESHOLD, &s->sharing));
    DC_CHECK(dc_bfv_plan_make(&s->sharing, 7, 1, &s->plan) && s->plan.groups <= MEMBERS);
    s->member.sharing = &s->sharing;
    for (uint32_t i = 0; i < s->sharing.shares; i++)
        s->member.seed[i] = dc_hash_bytes(DC_DOMAIN_TEST, &i, sizeof i);
    s->about = dc_bfv_poly_digest(&s->a.c[1]);
}

static enum dc_status open_lattice(void *state, struct dc_error *error)
{
    struct lattice *s = state;
    uint8_t out[DS_BENCH_OUT];
    struct dc_hash common = dc_hash_bytes(DC_DOMAIN_TEST, "common", 6);
    s->bfv = dc_bfv_open();
    if (s->bfv == NULL)
        return dc_error_set(error, DC_ERR_IO, "bench crypto: out of memory");
    s->seed[0] = 3;
    dc_bfv_secret_make(s->bfv, s->seed, &s->secret);
    dc_bfv_public_make(s->bfv, &s->secret, s->seed, &common, &s->key);
    for (uint32_t i = 0; i < DC_BFV_DEGREE; i++)
        s->plain.v[i] = s->fresh.v[i] = i % 7;
    op_encrypt(state, 1, out);
    s->a = s->sum = s->product = s->scratch;
    dc_bfv_ciphertext_encode(&s->a, s->bytes);
    set_up_shares(s);
    for (uint64_t g = 0; g < s->plan.groups; g++)
        op_share(state, g, out);
    return DC_OK;
}

static void close_lattice(void *state)
{
    dc_bfv_close(((struct lattice *)state)->bfv);
}

static const struct ds_bench_op operations[] = {
    {"crypto.bfv_encrypt", op_encrypt, 2, DC_COST_BFV_ENCRYPT, 1},
    {"crypto.bfv_decrypt", op_decrypt, 1, 0, 0},
    {"crypto.bfv_add", op_add, 2, DC_COST_BFV_ADD, 1},
    {"crypto.bfv_multiply", op_multiply, 2, DC_COST_BFV_MULTIPLY, 1},
    {"crypto.bfv_encode", op_encode, 1, 0, 0},
    {"crypto.bfv_decode", op_decode, 1, 0, 0},
    {"crypto.bfv_share", op_share, 1, DC_COST_BFV_SHARE, 1},
    {"crypto.bfv_combine", op_combine, 1, DC_COST_BFV_DECODE, 1},
};

const struct ds_bench_family ds_bench_lattice = {sizeof(struct lattice), open_lattice,
                                                 close_lattice, operations,
                                                 sizeof operations / sizeof operations[0]};

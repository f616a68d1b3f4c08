/* `destrasim bench crypto`: the group, sums over it, transcripts, the circuit-friendly hash. */
#include <string.h>

#include "models/crypto/group.h"
#include "models/crypto/permutation.h"
#include "models/crypto/transcript.h"
#include "sim/cmd_bench_crypto.h"

#define POINTS 2074
#define INPUTS 64

struct group {
    struct dc_point point[POINTS];
    struct dc_scalar scalar[POINTS], term[POINTS]; /* the same, but for term[0] */
    uint8_t uniform[INPUTS][64], encoded[INPUTS][32];
    const struct dc_permutation *permutation;
};

static void write_point(const struct dc_point *p, uint8_t *out)
{
    dc_point_encode(p, out);
}

static void op_add(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_point sum = dc_point_add(&g->point[i % INPUTS], &g->point[INPUTS]);
    out[0] = dc_point_is_identity(&sum);
}

static void op_decode(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_point p;
    out[0] = dc_point_decode(g->encoded[i % INPUTS], &p);
}

static void op_encode(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    write_point(&g->point[i % INPUTS], out);
}

static void op_from_hash(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_point p = dc_point_from_hash(g->uniform[i % INPUTS]);
    out[0] = dc_point_is_identity(&p);
}

static void op_multiply(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_point p = dc_point_mul(&g->scalar[i % INPUTS], &g->point[(i + 1) % INPUTS]);
    write_point(&p, out);
}

static void op_multiply_base(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_point p = dc_point_mul_base(&g->scalar[i % INPUTS]);
    write_point(&p, out);
}

static void op_pedersen(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_point p = dc_pedersen(&g->scalar[i % INPUTS], &g->scalar[(i + 1) % INPUTS]);
    write_point(&p, out);
}

static void op_scalar_multiply(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_scalar a = dc_scalar_mul(&g->scalar[i % INPUTS], &g->scalar[INPUTS]);
    dc_scalar_encode(&a, out);
}

static void op_scalar_invert(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_scalar a = dc_scalar_invert(&g->scalar[i % INPUTS]);
    dc_scalar_encode(&a, out);
}

static void msm(struct group *g, uint64_t i, size_t count, uint8_t *out)
{
    g->term[0] = g->scalar[i % INPUTS];
    struct dc_point p = dc_msm_vartime(g->term, g->point, count);
    write_point(&p, out);
}

static void op_msm_11(void *state, uint64_t i, uint8_t *out)
{
    msm(state, i, 11, out);
}

static void op_msm_147(void *state, uint64_t i, uint8_t *out)
{
    msm(state, i, 147, out);
}

static void op_msm_533(void *state, uint64_t i, uint8_t *out)
{
    msm(state, i, 533, out);
}

static void op_msm_2074(void *state, uint64_t i, uint8_t *out)
{
    msm(state, i, 2074, out);
}

static void op_msm_constant_130(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_point p = dc_msm(g->scalar + i % INPUTS, g->point, 130);
    write_point(&p, out);
}

static void op_keccak(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    _Alignas(8) uint8_t sponge[200] = {0};
    memcpy(sponge, g->uniform[i % INPUTS], 64);
    dc_keccak_f(sponge);
    memcpy(out, sponge, 32);
}

static void op_challenge(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_transcript t;
    dc_transcript_init(&t, "bench");
    dc_transcript_append_point(&t, "point", g->encoded[i % INPUTS]);
    struct dc_scalar a = dc_transcript_challenge_scalar(&t, "challenge");
    dc_scalar_encode(&a, out);
}

static void op_nonce(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_nonces n;
    dc_nonces_init(&n, g->uniform[0], DC_DOMAIN_PROOF_NONCE);
    dc_nonces_feed(&n, g->encoded[i % INPUTS], 32);
    struct dc_scalar a = dc_nonces_next(&n);
    dc_scalar_encode(&a, out);
}

static void op_permutation(void *state, uint64_t i, uint8_t *out)
{
    struct group *g = state;
    struct dc_scalar a = dc_permutation_hash(g->permutation, DC_PERMUTATION_NODE,
                                             &g->scalar[i % INPUTS], &g->scalar[INPUTS]);
    dc_scalar_encode(&a, out);
}

static enum dc_status open_group(void *state, struct dc_error *error)
{
    struct group *g = state;
    (void)error;
    for (size_t i = 0; i < POINTS; i++) {
        struct dc_hash h[2];
        uint8_t seed[16];
        dc_put64(seed, i);
        dc_put64(seed + 8, 0);
        h[0] = dc_hash_bytes(DC_DOMAIN_TEST, seed, sizeof seed);
        dc_put64(seed + 8, 1);
        h[1] = dc_hash_bytes(DC_DOMAIN_TEST, seed, sizeof seed);
        uint8_t wide[64];
        memcpy(wide, h, sizeof wide);
        g->scalar[i] = g->term[i] = dc_scalar_wide(wide);
        g->point[i] = dc_point_from_hash(wide);
        if (i < INPUTS) {
            memcpy(g->uniform[i], wide, sizeof wide);
            dc_point_encode(&g->point[i], g->encoded[i]);
        }
    }
    g->permutation = dc_permutation();
    return DC_OK;
}

static const struct ds_bench_op operations[] = {
    {"crypto.group_add", op_add, 0, 0, 0},
    {"crypto.group_decode", op_decode, 0, 0, 0},
    {"crypto.group_encode", op_encode, 0, 0, 0},
    {"crypto.group_from_hash", op_from_hash, 0, 0, 0},
    {"crypto.group_multiply", op_multiply, 0, DC_COST_POINT, 1},
    {"crypto.group_multiply_base", op_multiply_base, 0, 0, 0},
    {"crypto.pedersen", op_pedersen, 0, 0, 0},
    {"crypto.scalar_multiply", op_scalar_multiply, 0, 0, 0},
    {"crypto.scalar_invert", op_scalar_invert, 0, 0, 0},
    {"crypto.msm_11", op_msm_11, 0, 0, 0},
    {"crypto.msm_147", op_msm_147, 8, 0, 0},
    {"crypto.msm_533", op_msm_533, 4, 0, 0},
    {"crypto.msm_2074", op_msm_2074, 2, 0, 0},
    {"crypto.msm_constant_130", op_msm_constant_130, 4, 0, 0},
    {"crypto.keccak", op_keccak, 0, 0, 0},
    {"crypto.transcript_challenge", op_challenge, 0, 0, 0},
    {"crypto.nonce", op_nonce, 0, 0, 0},
    {"crypto.permutation_hash", op_permutation, 0, 0, 0},
};

const struct ds_bench_family ds_bench_group = {sizeof(struct group), open_group, NULL, operations,
                                               sizeof operations / sizeof operations[0]};

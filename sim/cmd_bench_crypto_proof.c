/* `destrasim bench crypto`: range proofs, ring signatures, sigma proofs, circuits. */
#include <string.h>

#include "models/crypto/clsag.h"
#include "models/crypto/gadgets.h"
#include "models/crypto/r1cs.h"
#include "models/crypto/rangeproof.h"
#include "models/crypto/sigma.h"
#include "sim/cmd_bench_crypto.h"

#define VALUES 8
#define RING 11
#define GATES_LOG 10 /* 1024 gates: 16 range checks of 64 bits */

struct proofs {
    uint64_t value[VALUES];
    struct dc_scalar blinding[VALUES], secret, amount, opening;
    uint8_t seed[32], commitment[VALUES][32], one[1][32];
    uint8_t range[DC_RANGE_BYTES_MAX], range_one[DC_RANGE_BYTES_MAX];
    struct dc_ring_member ring[RING];
    struct dc_clsag_secret signer;
    uint8_t pseudo[32], message[32], clsag[DC_CLSAG_BYTES_MAX];
    uint8_t key[32], ciphertext[64], sigma_commitment[32], sigma[192];
    uint8_t point[32], schnorr[64], dleq_image[32], dleq[64];
    uint8_t r1cs[DC_R1CS_PROOF_BYTES_MAX];
    uint8_t r1cs_commitment[32];
    size_t r1cs_size;
};

/* --- range ---------------------------------------------------------------------------------- */

static void prove_range(struct proofs *p, uint64_t i, uint32_t m, uint8_t commitment[][32],
                        uint8_t *proof, uint8_t *out)
{
    struct dc_transcript t;
    p->value[0] = i;
    dc_transcript_init(&t, "bench");
    if (dc_range_prove(&t, 64, p->value, p->blinding, m, p->seed, commitment, proof))
        memcpy(out, proof, 32);
}

static void verify_range(uint32_t m, uint8_t commitment[][32], const uint8_t *proof, uint8_t *out)
{
    struct dc_transcript t;
    dc_transcript_init(&t, "bench");
    out[0] =
        dc_range_verify(&t, 64, (const uint8_t(*)[32])commitment, m, proof, dc_range_bytes(64, m));
}

static void op_range_prove_1(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    uint8_t commitment[1][32], proof[DC_RANGE_BYTES_MAX];
    prove_range(p, i, 1, commitment, proof, out);
}

static void op_range_verify_1(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    (void)i;
    verify_range(1, p->one, p->range_one, out);
}

static void op_range_prove_8(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    uint8_t commitment[VALUES][32], proof[DC_RANGE_BYTES_MAX];
    prove_range(p, i, VALUES, commitment, proof, out);
}

static void op_range_verify_8(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    (void)i;
    verify_range(VALUES, p->commitment, p->range, out);
}

/* --- rings ---------------------------------------------------------------------------------- */

static void op_ring_sign(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    uint8_t signature[DC_CLSAG_BYTES_MAX], message[32] = {0};
    dc_put64(message, i);
    if (dc_clsag_sign(message, p->ring, RING, p->pseudo, &p->signer, signature))
        memcpy(out, signature, 64);
}

static void op_ring_verify(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    (void)i;
    out[0] = dc_clsag_verify(p->message, p->ring, RING, p->pseudo, p->clsag, dc_clsag_bytes(RING));
}

/* --- sigma ---------------------------------------------------------------------------------- */

static void op_sigma_prove(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    struct dc_transcript t;
    uint8_t proof[192];
    dc_sigma_transcript(&t, "bench");
    dc_transcript_append_u64(&t, "i", i);
    dc_sigma_equal_commitment_prove(&t, &p->secret, p->ciphertext, &p->amount, &p->opening, proof);
    memcpy(out, proof, 64);
}

static void op_sigma_verify(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    struct dc_transcript t;
    (void)i;
    dc_sigma_transcript(&t, "bench");
    out[0] =
        dc_sigma_equal_commitment_verify(&t, p->key, p->ciphertext, p->sigma_commitment, p->sigma);
}

static void op_schnorr_prove(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    struct dc_transcript t;
    dc_transcript_init(&t, "bench");
    dc_transcript_append_u64(&t, "i", i);
    dc_schnorr_prove(&t, &p->secret, out);
}

static void op_schnorr_verify(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    struct dc_transcript t;
    (void)i;
    dc_transcript_init(&t, "bench");
    out[0] = dc_schnorr_verify(&t, p->point, p->schnorr);
}

static void op_dleq_prove(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    struct dc_transcript t;
    uint8_t image[32];
    dc_transcript_init(&t, "bench");
    dc_transcript_append_u64(&t, "i", i);
    dc_dleq_prove(&t, &p->secret, p->one[0], image, out);
}

static void op_dleq_verify(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    struct dc_transcript t;
    (void)i;
    dc_transcript_init(&t, "bench");
    out[0] = dc_dleq_verify(&t, p->point, p->one[0], p->dleq_image, p->dleq);
}

/* --- circuits ------------------------------------------------------------------------------- */

/* 1024 gates: that a committed value is below 2^64, sixteen times. */
static void build(struct dc_circuit *c, const struct dc_sum *a)
{
    for (int k = 0; k < 16; k++)
        dc_gadget_range(c, a, 64, NULL);
}

static void op_circuit_prove(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    struct dc_transcript t;
    struct dc_circuit c;
    struct dc_scalar value = dc_scalar_u64(i);
    dc_transcript_init(&t, "bench");
    dc_circuit_init(&c, &t, true);
    struct dc_sum a = dc_circuit_commit(&c, &value, &p->blinding[0], p->r1cs_commitment);
    build(&c, &a);
    p->r1cs_size = dc_r1cs_prove(&c, p->seed, p->r1cs, sizeof p->r1cs);
    memcpy(out, p->r1cs, 64);
    dc_circuit_free(&c);
}

static void op_circuit_verify(void *state, uint64_t i, uint8_t *out)
{
    struct proofs *p = state;
    struct dc_transcript t;
    struct dc_circuit c;
    (void)i;
    dc_transcript_init(&t, "bench");
    dc_circuit_init(&c, &t, false);
    struct dc_sum a = dc_circuit_committed(&c, p->r1cs_commitment);
    build(&c, &a);
    out[0] = dc_r1cs_verify(&c, p->r1cs, p->r1cs_size);
    dc_circuit_free(&c);
}

/* --- what they run on ----------------------------------------------------------------------- */

static struct dc_scalar draw(struct dc_nonces *n)
{
    return dc_nonces_next(n);
}

static void set_up_ring(struct proofs *p, struct dc_nonces *n)
{
    struct dc_scalar blinding = draw(n), pseudo = draw(n), amount = dc_scalar_u64(7);
    for (int k = 0; k < RING; k++) {
        struct dc_scalar x = draw(n), zero = dc_scalar_zero();
        struct dc_point key = dc_pedersen(&zero, &x), commitment = dc_pedersen(&amount, &blinding);
        dc_point_encode(&key, p->ring[k].key);
        dc_point_encode(&commitment, p->ring[k].commitment);
        if (k == 3)
            dc_scalar_encode(&x, p->signer.key);
    }
    struct dc_point out = dc_pedersen(&amount, &pseudo);
    dc_point_encode(&out, p->pseudo);
    blinding = dc_scalar_sub(&blinding, &pseudo);
    dc_scalar_encode(&blinding, p->signer.blind);
    p->signer.index = 3;
}

static void set_up_sigma(struct proofs *p, struct dc_nonces *n)
{
    struct dc_scalar r = draw(n);
    struct dc_point key = dc_twisted_key(&p->secret), point = dc_pedersen(&p->amount, &p->opening);
    struct dc_elgamal c = dc_twisted_encrypt(&key, &p->amount, &r);
    dc_point_encode(&key, p->key);
    dc_elgamal_encode(&c, p->ciphertext);
    dc_point_encode(&point, p->sigma_commitment);
    point = dc_point_mul_base(&p->secret);
    dc_point_encode(&point, p->point);
}

static enum dc_status open_proofs(void *state, struct dc_error *error)
{
    struct proofs *p = state;
    struct dc_nonces n;
    struct dc_transcript t;
    uint8_t out[DS_BENCH_OUT];
    (void)error;
    p->seed[0] = 1;
    dc_nonces_init(&n, p->seed, DC_DOMAIN_TEST);
    for (int j = 0; j < VALUES; j++)
        p->blinding[j] = draw(&n);
    p->secret = draw(&n);
    p->opening = draw(&n);
    p->amount = dc_scalar_u64(1000);
    prove_range(p, 5, 1, p->one, p->range_one, out);
    prove_range(p, 5, VALUES, p->commitment, p->range, out);
    set_up_ring(p, &n);
    set_up_sigma(p, &n);
    dc_sigma_transcript(&t, "bench");
    dc_sigma_equal_commitment_prove(&t, &p->secret, p->ciphertext, &p->amount, &p->opening,
                                    p->sigma);
    dc_transcript_init(&t, "bench");
    dc_schnorr_prove(&t, &p->secret, p->schnorr);
    dc_transcript_init(&t, "bench");
    dc_dleq_prove(&t, &p->secret, p->one[0], p->dleq_image, p->dleq);
    op_circuit_prove(state, 9, out);
    DC_CHECK(dc_clsag_sign(p->message, p->ring, RING, p->pseudo, &p->signer, p->clsag));
    return DC_OK;
}

static const struct ds_bench_op operations[] = {
    {"crypto.range_prove_64x1", op_range_prove_1, 2, DC_COST_RANGE_PROVE, 1},
    {"crypto.range_verify_64x1", op_range_verify_1, 1, DC_COST_RANGE_VERIFY, 1},
    {"crypto.range_prove_64x8", op_range_prove_8, 1, DC_COST_RANGE_PROVE, 8},
    {"crypto.range_verify_64x8", op_range_verify_8, 1, DC_COST_RANGE_VERIFY, 8},
    {"crypto.ring_sign_11", op_ring_sign, 4, DC_COST_RING_SIGN, RING},
    {"crypto.ring_verify_11", op_ring_verify, 1, DC_COST_RING_VERIFY, RING},
    {"crypto.sigma_equal_prove", op_sigma_prove, 4, 0, 0},
    {"crypto.sigma_equal_verify", op_sigma_verify, 1, 0, 0},
    {"crypto.schnorr_prove", op_schnorr_prove, 4, 0, 0},
    {"crypto.schnorr_verify", op_schnorr_verify, 1, 0, 0},
    {"crypto.dleq_prove", op_dleq_prove, 4, 0, 0},
    {"crypto.dleq_verify", op_dleq_verify, 1, 0, 0},
    {"crypto.circuit_prove_1024", op_circuit_prove, 1, DC_COST_GATE_PROVE, 1u << GATES_LOG},
    {"crypto.circuit_verify_1024", op_circuit_verify, 1, DC_COST_GATE_VERIFY, 1u << GATES_LOG},
};

const struct ds_bench_family ds_bench_proofs = {
    sizeof(struct proofs), open_proofs, NULL, operations, sizeof operations / sizeof operations[0]};

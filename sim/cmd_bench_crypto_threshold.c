/* `destrasim bench crypto`: what many hold together: ElGamal, key generation, decryption and beacon
 * by shares, FROST.  11 of 16 members, as two thirds and one. */
#include <string.h>

#include "models/crypto/dkg.h"
#include "models/crypto/dvrf.h"
#include "models/crypto/elgamal.h"
#include "models/crypto/frost.h"
#include "models/crypto/logarithm.h"
#include "sim/cmd_bench_crypto.h"

#define MEMBERS 16u
#define THRESHOLD 11u
#define MESSAGE "grant"

struct threshold {
    struct dc_scalar secret, r;
    struct dc_point key;
    uint8_t context[32], seed[32];
    struct dc_dkg_deal deal;
    uint8_t dealt[MEMBERS][32];
    uint8_t share_key[MEMBERS][32]; /* of the deal's polynomial */
    uint32_t member[THRESHOLD];
    uint8_t ciphertext[64], partial[DC_PARTIAL_BYTES], sigma[DC_DVRF_SHARE_BYTES];
    uint8_t points[THRESHOLD][32];
    struct dc_logarithm *table;
    uint8_t frost_key[32], frost_share[MEMBERS][32], frost_share_key[MEMBERS][32];
    struct dc_frost_nonces nonces[THRESHOLD];
    struct dc_frost_commitment list[THRESHOLD];
    uint8_t z[THRESHOLD][32];
    struct dc_frost_package package;
};

/* --- ElGamal -------------------------------------------------------------------------------- */

static void op_encrypt(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    struct dc_scalar amount = dc_scalar_u64(i);
    struct dc_elgamal c = dc_lifted_encrypt(&s->key, &amount, &s->r);
    dc_elgamal_encode(&c, out);
}

static void op_twisted_encrypt(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    struct dc_scalar amount = dc_scalar_u64(i);
    struct dc_elgamal c = dc_twisted_encrypt(&s->key, &amount, &s->r);
    dc_elgamal_encode(&c, out);
}

static void op_accumulate(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    (void)i;
    memcpy(out, s->ciphertext, 64);
    if (!dc_elgamal_accumulate(out, s->ciphertext))
        out[64] = 1;
}

static void op_logarithm(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    uint64_t v = i * 2654435761u & UINT32_MAX, found;
    struct dc_scalar a = dc_scalar_u64(v);
    struct dc_point p = dc_point_mul_base(&a);
    uint8_t encoded[32];
    dc_point_encode(&p, encoded);
    out[0] = dc_logarithm_find(s->table, encoded, &found) && found == v;
}

/* --- keys and shares ------------------------------------------------------------------------ */

static void op_deal(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    uint8_t seed[32];
    dc_put64(seed, i);
    memset(seed + 8, 3, 24);
    dc_dkg_make(seed, s->context, 0, MEMBERS, THRESHOLD, &s->deal, s->dealt);
    memcpy(out, s->deal.commitment[0], 32);
}

static void op_deal_check(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    (void)i;
    out[0] = dc_dkg_check(&s->deal, s->context, MEMBERS, THRESHOLD);
}

static void op_share_fits(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    uint32_t m = (uint32_t)(i % MEMBERS);
    out[0] = dc_dkg_share_fits(&s->deal, m, s->dealt[m]);
}

static void op_partial(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    if (!dc_partial_make(s->dealt[i % MEMBERS], s->ciphertext, "bench", 5, out))
        memset(out, 0xff, DC_PARTIAL_BYTES);
}

static void op_partial_check(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    (void)i;
    out[0] = dc_partial_check(s->share_key[0], s->ciphertext, "bench", 5, s->partial);
}

static void op_combine(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    (void)i;
    if (!dc_dkg_combine(s->member, (const uint8_t(*)[32])s->points, THRESHOLD, out))
        out[32] = 1;
}

static void op_beacon_share(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    uint8_t message[8];
    dc_put64(message, i);
    dc_dvrf_share(s->dealt[0], message, sizeof message, out);
}

static void op_beacon_check(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    (void)i;
    out[0] = dc_dvrf_check(s->share_key[0], "bench", 5, s->sigma);
}

/* --- FROST ---------------------------------------------------------------------------------- */

static void op_frost_commit(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    struct dc_frost_nonces nonces;
    struct dc_frost_commitment c;
    dc_frost_nonces(DC_FROST_ED25519, s->seed, s->frost_share[0], MESSAGE, strlen(MESSAGE), i,
                    &nonces);
    dc_frost_commit(DC_FROST_ED25519, 0, &nonces, &c);
    dc_frost_commitment_encode(&c, out);
}

static void op_frost_sign(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    uint32_t m = (uint32_t)(i % THRESHOLD);
    if (!dc_frost_sign(&s->package, m, s->frost_share[m], &s->nonces[m], out))
        out[32] = 1;
}

static void op_frost_check(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    uint32_t m = (uint32_t)(i % THRESHOLD);
    out[0] = dc_frost_share_check(&s->package, m, s->frost_share_key[m], s->z[m]);
}

static void op_frost_aggregate(void *state, uint64_t i, uint8_t *out)
{
    struct threshold *s = state;
    (void)i;
    if (!dc_frost_aggregate(&s->package, (const uint8_t(*)[32])s->z, out))
        out[64] = 1;
}

static void set_up_frost(struct threshold *s)
{
    uint8_t coefficients[THRESHOLD][32], commitments[THRESHOLD][32];
    dc_frost_coefficients(s->seed, "bench", 5, THRESHOLD, coefficients);
    DC_CHECK(dc_frost_commitments(DC_FROST_ED25519, (const uint8_t(*)[32])coefficients, THRESHOLD,
                                  commitments));
    memcpy(s->frost_key, commitments[0], 32);
    for (uint32_t m = 0; m < MEMBERS; m++)
        DC_CHECK(
            dc_frost_share((const uint8_t(*)[32])coefficients, THRESHOLD, m, s->frost_share[m]) &&
            dc_frost_public(DC_FROST_ED25519, s->frost_share[m], s->frost_share_key[m]));
    s->package = (struct dc_frost_package){.suite = DC_FROST_ED25519,
                                           .group_key = s->frost_key,
                                           .message = MESSAGE,
                                           .size = strlen(MESSAGE),
                                           .list = s->list,
                                           .count = THRESHOLD};
    for (uint32_t m = 0; m < THRESHOLD; m++) {
        dc_frost_nonces(DC_FROST_ED25519, s->seed, s->frost_share[m], MESSAGE, strlen(MESSAGE), 0,
                        &s->nonces[m]);
        dc_frost_commit(DC_FROST_ED25519, m, &s->nonces[m], &s->list[m]);
    }
    for (uint32_t m = 0; m < THRESHOLD; m++)
        DC_CHECK(dc_frost_sign(&s->package, m, s->frost_share[m], &s->nonces[m], s->z[m]));
}

static enum dc_status open_threshold(void *state, struct dc_error *error)
{
    struct threshold *s = state;
    struct dc_nonces n;
    uint8_t out[DS_BENCH_OUT];
    s->seed[0] = 2;
    dc_nonces_init(&n, s->seed, DC_DOMAIN_TEST);
    s->secret = dc_nonces_next(&n);
    s->r = dc_nonces_next(&n);
    s->key = dc_lifted_key(&s->secret);
    op_encrypt(state, 5, s->ciphertext);
    op_deal(state, 0, out);
    for (uint32_t m = 0; m < MEMBERS; m++)
        DC_CHECK(dc_frost_public(DC_FROST_RISTRETTO255, s->dealt[m], s->share_key[m]));
    for (uint32_t m = 0; m < THRESHOLD; m++) {
        s->member[m] = m;
        DC_CHECK(dc_partial_make(s->dealt[m], s->ciphertext, "bench", 5, s->partial));
        memcpy(s->points[m], s->partial, 32);
    }
    DC_CHECK(dc_partial_make(s->dealt[0], s->ciphertext, "bench", 5, s->partial));
    dc_dvrf_share(s->dealt[0], "bench", 5, s->sigma);
    set_up_frost(s);
    return dc_logarithm_create(DC_LOGARITHM_BYTES, &s->table, error);
}

static void close_threshold(void *state)
{
    dc_logarithm_destroy(((struct threshold *)state)->table);
}

/* Deals go last: they overwrite what the others run on. */
static const struct ds_bench_op operations[] = {
    {"crypto.elgamal_encrypt", op_encrypt, 0, DC_COST_POINT, 2},
    {"crypto.elgamal_twisted_encrypt", op_twisted_encrypt, 0, 0, 0},
    {"crypto.elgamal_accumulate", op_accumulate, 1, 0, 0},
    {"crypto.logarithm", op_logarithm, 16, DC_COST_LOGARITHM, 1},
    {"crypto.decryption_share", op_partial, 0, 0, 0},
    {"crypto.decryption_share_check", op_partial_check, 1, 0, 0},
    {"crypto.combine_11", op_combine, 1, 0, 0},
    {"crypto.beacon_share", op_beacon_share, 0, 0, 0},
    {"crypto.beacon_share_check", op_beacon_check, 1, 0, 0},
    {"crypto.frost_commit", op_frost_commit, 0, 0, 0},
    {"crypto.frost_sign_11", op_frost_sign, 11, 0, 0},
    {"crypto.frost_share_check_11", op_frost_check, 11, 0, 0},
    {"crypto.frost_aggregate_11", op_frost_aggregate, 1, 0, 0},
    {"crypto.dkg_share_fits_11", op_share_fits, 16, 0, 0},
    {"crypto.dkg_deal_check_11", op_deal_check, 1, 0, 0},
    {"crypto.dkg_deal_11_of_16", op_deal, 16, 0, 0},
};

const struct ds_bench_family ds_bench_threshold = {sizeof(struct threshold), open_threshold,
                                                   close_threshold, operations,
                                                   sizeof operations / sizeof operations[0]};

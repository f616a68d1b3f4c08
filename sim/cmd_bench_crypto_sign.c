/* `destrasim bench crypto`, first family: keys, signatures, VRF, hashes. */
#include <string.h>

#include "models/crypto/cert.h"
#include "models/crypto/crypto.h"
#include "models/crypto/hash.h"
#include "models/crypto/vrf.h"
#include "sim/cmd_bench_crypto.h"

#define MESSAGES 64
#define MESSAGE_BYTES ((size_t)128)

struct signatures {
    struct dc_crypto real, modelled, remembered;
    struct dc_keypair key;
    struct dc_exchange exchange, peer;
    struct dc_cert cert;
    uint8_t message[MESSAGES][MESSAGE_BYTES];
    uint8_t signature[MESSAGES][64], stand_in[MESSAGES][64], proof[MESSAGES][80];
    uint8_t block[4096];
};

static void op_keypair(void *state, uint64_t i, uint8_t *out)
{
    (void)state;
    uint8_t seed[32];
    struct dc_keypair key;
    dc_seed_derive(7, i, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &key);
    memcpy(out, key.public, 32);
}

static void op_sign(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    dc_sign(&b->real, &b->key, b->message[i % MESSAGES], MESSAGE_BYTES, out);
}

static void op_verify(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    size_t m = i % MESSAGES;
    out[0] = dc_verify(&b->real, b->key.public, b->message[m], MESSAGE_BYTES, b->signature[m]);
}

static void op_verify_remembered(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    size_t m = i % MESSAGES;
    out[0] =
        dc_verify(&b->remembered, b->key.public, b->message[m], MESSAGE_BYTES, b->signature[m]);
}

static void op_sign_modelled(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    dc_sign(&b->modelled, &b->key, b->message[i % MESSAGES], MESSAGE_BYTES, out);
}

static void op_verify_modelled(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    size_t m = i % MESSAGES;
    out[0] = dc_verify(&b->modelled, b->key.public, b->message[m], MESSAGE_BYTES, b->stand_in[m]);
}

static void op_vrf_prove(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    dc_vrf_prove(&b->real, &b->key, b->message[i % MESSAGES], MESSAGE_BYTES, out, NULL, NULL);
}

static void op_vrf_verify(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    size_t m = i % MESSAGES;
    out[0] = dc_vrf_verify(b->key.public, b->message[m], MESSAGE_BYTES, b->proof[m], NULL);
}

static void op_exchange(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    b->peer.public[31] = 0x40;
    b->peer.public[0] = (uint8_t)i; /* any point will do */
    if (!dc_exchange_shared(&b->exchange, b->peer.public, out))
        out[0] = 1;
}

static void op_hash_64(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, b->message[i % MESSAGES], 64);
    memcpy(out, h.b, sizeof h.b);
}

static void op_hash_4096(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    b->block[0] = (uint8_t)i;
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, b->block, sizeof b->block);
    memcpy(out, h.b, sizeof h.b);
}

static void op_certificate(void *state, uint64_t i, uint8_t *out)
{
    struct signatures *b = state;
    b->cert.serial = i;
    dc_cert_sign(&b->real, &b->key, &b->cert);
    out[0] = dc_cert_verify(&b->real, &b->cert, 1, b->key.public, 5, 0) == DC_CERT_OK;
}

static enum dc_status open_signatures(void *state, struct dc_error *error)
{
    struct signatures *b = state;
    enum dc_status status = dc_crypto_open(&b->remembered, DC_SUITE_REAL, 1 << 20, 0, error);
    if (status != DC_OK)
        return status;
    b->modelled.suite = DC_SUITE_MODELLED;
    uint8_t seed[32];
    dc_seed_derive(1, 1, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &b->key);
    dc_seed_derive(1, 1, DC_KEY_EXCHANGE, 0, seed);
    dc_exchange_from_seed(seed, &b->exchange);
    dc_seed_derive(1, 2, DC_KEY_EXCHANGE, 0, seed);
    dc_exchange_from_seed(seed, &b->peer);
    for (size_t m = 0; m < MESSAGES; m++) {
        memset(b->message[m], (int)m, MESSAGE_BYTES);
        dc_sign(&b->real, &b->key, b->message[m], MESSAGE_BYTES, b->signature[m]);
        dc_sign(&b->modelled, &b->key, b->message[m], MESSAGE_BYTES, b->stand_in[m]);
        dc_vrf_prove(&b->real, &b->key, b->message[m], MESSAGE_BYTES, b->proof[m], NULL, NULL);
    }
    b->cert = (struct dc_cert){.level = DC_CERT_NODE,
                               .roles = DC_ROLE_VALIDATOR,
                               .chain = 1,
                               .subject = 3,
                               .issuer = 2,
                               .end_height = 1000};
    memcpy(b->cert.signing, b->key.public, 32);
    memcpy(b->cert.exchange, b->exchange.public, 32);
    memcpy(b->cert.vrf, b->key.public, 32);
    return DC_OK;
}

static void close_signatures(void *state)
{
    dc_crypto_close(&((struct signatures *)state)->remembered);
}

static const struct ds_bench_op operations[] = {
    {"crypto.keypair", op_keypair, 0, 0, 0},
    {"crypto.sign", op_sign, 0, DC_COST_SIGN, 1},
    {"crypto.verify", op_verify, 0, DC_COST_VERIFY, 1},
    {"crypto.verify_remembered", op_verify_remembered, 0, 0, 0},
    {"crypto.sign_modelled", op_sign_modelled, 0, 0, 0},
    {"crypto.verify_modelled", op_verify_modelled, 0, 0, 0},
    {"crypto.vrf_prove", op_vrf_prove, 0, DC_COST_VRF_PROVE, 1},
    {"crypto.vrf_verify", op_vrf_verify, 0, DC_COST_VRF_VERIFY, 1},
    {"crypto.exchange", op_exchange, 0, DC_COST_EXCHANGE, 1},
    {"crypto.hash_64", op_hash_64, 0, DC_COST_HASH, 1},
    {"crypto.hash_4096", op_hash_4096, 0, DC_COST_HASH, 32},
    {"crypto.certificate", op_certificate, 0, 0, 0},
};

const struct ds_bench_family ds_bench_signatures = {sizeof(struct signatures), open_signatures,
                                                    close_signatures, operations,
                                                    sizeof operations / sizeof operations[0]};

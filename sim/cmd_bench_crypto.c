/* `destrasim bench crypto`: what one call of each operation costs, one thread, nothing remembered
 * unless it says so.  Each operation runs until half a second has gone, over different messages,
 * and its outputs are hashed into the checksum, so that nothing can be left out. */
#include <stdio.h>
#include <string.h>

#include "models/crypto/cert.h"
#include "models/crypto/crypto.h"
#include "models/crypto/hash.h"
#include "models/crypto/memo.h"
#include "models/crypto/vrf.h"
#include "sim/cmd_bench.h"

#define MESSAGES 64
#define MESSAGE_BYTES ((size_t)128)
#define BUDGET_S 0.5

struct bench {
    struct dc_crypto real, modelled, remembered;
    struct dc_keypair key;
    struct dc_exchange exchange, peer;
    uint8_t message[MESSAGES][MESSAGE_BYTES];
    uint8_t signature[MESSAGES][64], stand_in[MESSAGES][64], proof[MESSAGES][80];
    uint8_t block[4096];
    uint8_t out[80]; /* of the last call */
};

static void op_keypair(struct bench *b, uint64_t i)
{
    uint8_t seed[32];
    struct dc_keypair key;
    dc_seed_derive(7, i, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &key);
    memcpy(b->out, key.public, 32);
}

static void op_sign(struct bench *b, uint64_t i)
{
    dc_sign(&b->real, &b->key, b->message[i % MESSAGES], MESSAGE_BYTES, b->out);
}

static void op_verify(struct bench *b, uint64_t i)
{
    size_t m = i % MESSAGES;
    b->out[0] = dc_verify(&b->real, b->key.public, b->message[m], MESSAGE_BYTES, b->signature[m]);
}

static void op_verify_remembered(struct bench *b, uint64_t i)
{
    size_t m = i % MESSAGES;
    b->out[0] =
        dc_verify(&b->remembered, b->key.public, b->message[m], MESSAGE_BYTES, b->signature[m]);
}

static void op_sign_modelled(struct bench *b, uint64_t i)
{
    dc_sign(&b->modelled, &b->key, b->message[i % MESSAGES], MESSAGE_BYTES, b->out);
}

static void op_verify_modelled(struct bench *b, uint64_t i)
{
    size_t m = i % MESSAGES;
    b->out[0] =
        dc_verify(&b->modelled, b->key.public, b->message[m], MESSAGE_BYTES, b->stand_in[m]);
}

static void op_vrf_prove(struct bench *b, uint64_t i)
{
    dc_vrf_prove(&b->real, &b->key, b->message[i % MESSAGES], MESSAGE_BYTES, b->out, NULL, NULL);
}

static void op_vrf_verify(struct bench *b, uint64_t i)
{
    size_t m = i % MESSAGES;
    b->out[0] = dc_vrf_verify(b->key.public, b->message[m], MESSAGE_BYTES, b->proof[m], NULL);
}

static void op_exchange(struct bench *b, uint64_t i)
{
    b->peer.public[31] = 0x40;
    b->peer.public[0] = (uint8_t)i; /* any point will do */
    if (!dc_exchange_shared(&b->exchange, b->peer.public, b->out))
        b->out[0] = 1;
}

static void op_hash_64(struct bench *b, uint64_t i)
{
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, b->message[i % MESSAGES], 64);
    memcpy(b->out, h.b, sizeof h.b);
}

static void op_hash_4096(struct bench *b, uint64_t i)
{
    b->block[0] = (uint8_t)i;
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, b->block, sizeof b->block);
    memcpy(b->out, h.b, sizeof h.b);
}

static const struct {
    const char *name;
    void (*run)(struct bench *b, uint64_t i);
} operations[] = {
    {"crypto.keypair", op_keypair},
    {"crypto.sign", op_sign},
    {"crypto.verify", op_verify},
    {"crypto.verify_remembered", op_verify_remembered},
    {"crypto.sign_modelled", op_sign_modelled},
    {"crypto.verify_modelled", op_verify_modelled},
    {"crypto.vrf_prove", op_vrf_prove},
    {"crypto.vrf_verify", op_vrf_verify},
    {"crypto.exchange", op_exchange},
    {"crypto.hash_64", op_hash_64},
    {"crypto.hash_4096", op_hash_4096},
};

static enum dc_status set_up(struct bench *b, struct dc_error *error)
{
    dc_crypto_init();
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
    return DC_OK;
}

/* The checksum is of the first MESSAGES outputs, which every machine computes. */
static void measure(struct bench *b, size_t op)
{
    struct dc_hasher hasher;
    dc_hasher_init(&hasher, DC_DOMAIN_TEST);
    memset(b->out, 0, sizeof b->out);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        operations[op].run(b, i);
        dc_hasher_update(&hasher, b->out, sizeof b->out);
    }
    struct dc_hash hash = dc_hasher_final(&hasher);
    uint64_t count = 0, batch = 16;
    struct ds_stopwatch start = ds_stopwatch_start(), took;
    do {
        for (uint64_t i = 0; i < batch; i++)
            operations[op].run(b, count + i);
        count += batch;
        took = ds_stopwatch_read(&start);
        batch = took.wall_s < BUDGET_S / 16 ? batch * 2 : batch;
    } while (took.wall_s < BUDGET_S);
    char checksum[24];
    snprintf(checksum, sizeof checksum, "%016llx", (unsigned long long)dc_hash_u64(&hash));
    ds_bench_print(operations[op].name, count, &took, checksum, "");
}

static int run(const struct ds_args *args)
{
    struct bench *b = dc_mem_need(1, sizeof *b, "the benchmark");
    struct dc_error error = {0};
    enum dc_status status = set_up(b, &error);
    for (size_t op = 0; status == DC_OK && op < sizeof operations / sizeof operations[0]; op++)
        measure(b, op);
    dc_crypto_close(&b->remembered);
    dc_mem_free(b);
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

const struct ds_command ds_bench_crypto = {
    .name = "bench crypto",
    .operands = "",
    .line = "every cryptographic operation, half a second each",
    .details =
        "ns_per_event is the cost of one call. The checksum is of the operation's outputs and is\n"
        "the same on every machine.",
    .run = run,
};

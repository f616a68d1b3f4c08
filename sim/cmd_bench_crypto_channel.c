/* `destrasim bench crypto`: handshakes and frames. */
#include <string.h>

#include "models/crypto/noise.h"
#include "sim/cmd_bench_crypto.h"

#define FRAME_MAX 1024

struct channel {
    struct dc_exchange own[2], ephemeral[2];
    struct dc_noise_cipher seal, open;
    uint8_t plain[FRAME_MAX], sealed[FRAME_MAX + DC_NOISE_TAG_BYTES];
    uint8_t opened[FRAME_MAX];
};

/* Both sides; the hash of what was said. */
static void handshake(struct channel *c, const char *pattern, const uint8_t *remote, uint64_t i,
                      uint8_t *out)
{
    struct dc_noise side[2];
    uint8_t message[256], payload[256];
    size_t size, got;
    for (int s = 0; s < 2; s++) {
        struct dc_noise_config config = {.pattern = pattern,
                                         .initiator = s == 0,
                                         .prologue = &i,
                                         .prologue_size = sizeof i,
                                         .own = &c->own[s],
                                         .ephemeral = &c->ephemeral[s],
                                         .remote = s == 0 ? remote : NULL};
        DC_CHECK(dc_noise_begin(&side[s], &config));
    }
    for (int s = 0; side[s].state == DC_NOISE_WRITES; s ^= 1)
        DC_CHECK(dc_noise_write(&side[s], NULL, 0, message, sizeof message, &size) &&
                 dc_noise_read(&side[s ^ 1], message, size, payload, sizeof payload, &got));
    memcpy(out, side[0].h, 32);
}

static void op_xx(void *state, uint64_t i, uint8_t *out)
{
    handshake(state, "XX", NULL, i, out);
}

static void op_ik(void *state, uint64_t i, uint8_t *out)
{
    struct channel *c = state;
    handshake(c, "IK", c->own[1].public, i, out);
}

static void seal(struct channel *c, uint64_t i, size_t size, uint8_t *out)
{
    c->seal.nonce = i;
    out[0] = dc_noise_seal(&c->seal, NULL, 0, c->plain, size, c->sealed);
    memcpy(out + 1, c->sealed + size, DC_NOISE_TAG_BYTES);
}

static void op_seal_64(void *state, uint64_t i, uint8_t *out)
{
    seal(state, i, 64, out);
}

static void op_seal_1024(void *state, uint64_t i, uint8_t *out)
{
    seal(state, i, FRAME_MAX, out);
}

static void op_open_1024(void *state, uint64_t i, uint8_t *out)
{
    struct channel *c = state;
    (void)i;
    c->open.nonce = 7;
    out[0] = dc_noise_open(&c->open, NULL, 0, c->sealed, sizeof c->sealed, c->opened);
}

static enum dc_status open_channel(void *state, struct dc_error *error)
{
    struct channel *c = state;
    (void)error;
    for (uint64_t s = 0; s < 2; s++) {
        uint8_t seed[32];
        dc_seed_derive(2, s, DC_KEY_EXCHANGE, 0, seed);
        dc_exchange_from_seed(seed, &c->own[s]);
        dc_seed_derive(3, s, DC_KEY_EXCHANGE, 0, seed);
        dc_exchange_from_seed(seed, &c->ephemeral[s]);
    }
    c->seal.keyed = c->open.keyed = true;
    uint8_t out[DS_BENCH_OUT];
    seal(c, 7, FRAME_MAX, out);
    return DC_OK;
}

/* Opening goes before sealing: it opens what the beginning sealed. */
static const struct ds_bench_op operations[] = {
    {"crypto.frame_open_1024", op_open_1024, 1, 0, 0},
    {"crypto.frame_seal_64", op_seal_64, 0, DC_COST_FRAME, 1},
    {"crypto.frame_seal_1024", op_seal_1024, 0, 0, 0},
    {"crypto.handshake_xx", op_xx, 16, 0, 0},
    {"crypto.handshake_ik", op_ik, 16, 0, 0},
};

const struct ds_bench_family ds_bench_channel = {sizeof(struct channel), open_channel, NULL,
                                                 operations,
                                                 sizeof operations / sizeof operations[0]};

/* `destrasim bench crypto`: Merkle trees, sparse ones, one-time addresses. */
#include <string.h>

#include "models/crypto/merkle.h"
#include "models/crypto/smt.h"
#include "models/crypto/stealth.h"
#include "sim/cmd_bench_crypto.h"

#define LEAVES 256u
#define KEYS 4096u

struct sets {
    struct dc_hash leaf[LEAVES];
    struct dc_merkle merkle;
    struct dc_smt_forest forest;
    struct dc_smt tree;
    uint8_t proof[1 + 256 * 68];
    struct dc_stealth_keys keys;
    struct dc_stealth_output output;
};

static void key_at(uint64_t i, uint8_t key[32])
{
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, &i, sizeof i);
    memcpy(key, h.b, 32);
}

static void op_merkle(void *state, uint64_t i, uint8_t *out)
{
    struct sets *s = state;
    s->leaf[0].b[0] = (uint8_t)i;
    struct dc_hash root = dc_merkle_root(&s->merkle, s->leaf, LEAVES);
    memcpy(out, root.b, 32);
}

/* One key into a tree of thousands, which stays as it is. */
static void op_add(void *state, uint64_t i, uint8_t *out)
{
    struct sets *s = state;
    struct dc_smt tree = dc_smt_hold(&s->tree);
    uint8_t key[32];
    key_at(KEYS + i, key);
    out[0] = dc_smt_add(&s->forest, &tree, key, NULL);
    (void)dc_smt_commit(&s->forest, &tree);
    memcpy(out + 1, tree.hash.b, 32);
    dc_smt_drop(&s->forest, &tree);
}

static void op_prove(void *state, uint64_t i, uint8_t *out)
{
    struct sets *s = state;
    uint8_t key[1][32];
    key_at(i % KEYS, key[0]);
    size_t size =
        dc_smt_prove(&s->forest, &s->tree, (const uint8_t(*)[32])key, 1, s->proof, sizeof s->proof);
    dc_put64(out, size);
}

static void op_send(void *state, uint64_t i, uint8_t *out)
{
    struct sets *s = state;
    struct dc_stealth_output output;
    uint8_t seed[32] = {4}, shared[32];
    dc_put64(seed + 8, i);
    if (dc_stealth_send(&s->keys.address, seed, 0, &output, shared))
        memcpy(out, output.key, 32);
}

static void op_recognise(void *state, uint64_t i, uint8_t *out)
{
    struct sets *s = state;
    uint8_t shared[32];
    (void)i;
    out[0] = dc_stealth_recognise(s->keys.view_secret, s->keys.address.spend, &s->output, 0, shared,
                                  NULL);
}

static enum dc_status open_sets(void *state, struct dc_error *error)
{
    struct sets *s = state;
    uint8_t seed[32] = {5}, shared[32], key[32];
    (void)error;
    s->merkle = (struct dc_merkle){&dc_merkle_blake2b, DC_DOMAIN_STATE_NODE};
    dc_smt_forest_init(&s->forest, &s->merkle, false);
    for (uint64_t i = 0; i < KEYS; i++) {
        key_at(i, key);
        DC_CHECK(dc_smt_add(&s->forest, &s->tree, key, NULL));
    }
    (void)dc_smt_commit(&s->forest, &s->tree);
    dc_stealth_keys_from_seed(seed, &s->keys);
    DC_CHECK(dc_stealth_send(&s->keys.address, seed, 0, &s->output, shared));
    return DC_OK;
}

static void close_sets(void *state)
{
    struct sets *s = state;
    dc_smt_drop(&s->forest, &s->tree);
    dc_smt_forest_free(&s->forest);
}

static const struct ds_bench_op operations[] = {
    {"crypto.merkle_root_256", op_merkle, 0, 0, 0},
    {"crypto.smt_add", op_add, 0, DC_COST_LEAF, 1},
    {"crypto.smt_prove", op_prove, 0, 0, 0},
    {"crypto.stealth_send", op_send, 0, 0, 0},
    {"crypto.stealth_recognise", op_recognise, 1, 0, 0},
};

const struct ds_bench_family ds_bench_sets = {sizeof(struct sets), open_sets, close_sets,
                                              operations, sizeof operations / sizeof operations[0]};

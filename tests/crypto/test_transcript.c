/* Keccak's published states, SHA-3 built on our permutation, and Merlin's published challenges. */
#include "models/crypto/crypto.h"
#include "models/crypto/transcript.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <stdlib.h>

/* 200 bytes from "D4 4F ..." over several lines. */
static const char *read_state(const char *text, uint8_t state[200])
{
    for (int i = 0; i < 200; i++) {
        char *end;
        state[i] = (uint8_t)strtoul(text, &end, 16);
        CU_ASSERT_TRUE_FATAL(end != text);
        text = end;
    }
    return text;
}

static void test_permutation(void)
{
    size_t size, count = 0;
    char *text = test_shared_file("vectors/keccak/KeccakF-1600-IntermediateValues.txt", &size);
    if (text == NULL)
        return;
    static const char before[] = "Input of permutation:", after[] = "State after permutation:";
    for (const char *at = text; (at = strstr(at, before)) != NULL; count++) {
        uint8_t state[200], want[200];
        (void)read_state(at + strlen(before), state);
        at = strstr(at, after);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        at = read_state(at + strlen(after), want);
        dc_keccak_f(state);
        CU_ASSERT_EQUAL(memcmp(state, want, 200), 0);
    }
    CU_ASSERT_EQUAL(count, 2);
    free(text);
}

/* A sponge over dc_keccak_f: SHA3-512 and SHAKE256 differ in rate and suffix. */
static void sponge(size_t rate, uint8_t suffix, const uint8_t *in, size_t size, uint8_t *out,
                   size_t out_size)
{
    _Alignas(8) uint8_t state[200] = {0};
    size_t pos = 0;
    for (size_t i = 0; i < size; i++) {
        state[pos++] ^= in[i];
        if (pos == rate) {
            dc_keccak_f(state);
            pos = 0;
        }
    }
    state[pos] ^= suffix;
    state[rate - 1] ^= 0x80;
    dc_keccak_f(state);
    for (size_t i = 0; i < out_size; i++) {
        if (i != 0 && i % rate == 0)
            dc_keccak_f(state);
        out[i] = state[i % rate];
    }
}

static void check_hashes(const char *path, size_t rate, uint8_t suffix)
{
    size_t size, count = 0;
    char *text = test_shared_file(path, &size);
    if (text == NULL)
        return;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    for (const struct json *v = json_first(json_get(root, "vectors")); v; v = v->next, count++) {
        uint8_t in[512], want[128], got[128];
        size_t in_size = test_hex(json_text(v, "msg"), in, sizeof in);
        size_t out_size = test_hex(json_text(v, "out"), want, sizeof want);
        CU_ASSERT_TRUE_FATAL(in_size <= sizeof in && out_size >= 64 && out_size <= sizeof want);
        sponge(rate, suffix, in, in_size, got, out_size);
        CU_ASSERT_EQUAL(memcmp(got, want, out_size), 0);
    }
    CU_ASSERT_EQUAL(count, 256);
    json_free(root);
    free(text);
}

static void test_hashes(void)
{
    check_hashes("vectors/keccak/SHA3-512.json", 72, 0x06);
    check_hashes("vectors/keccak/SHAKE256.json", 136, 0x1f);
}

/* --- Merlin --------------------------------------------------------------------------------- */

/* The operations as a list of [what, label, text or size]. */
static void run_list(struct dc_transcript *t, const struct json *ops, uint8_t last[32])
{
    for (const struct json *op = json_first(ops); op != NULL; op = op->next) {
        const struct json *what = json_first(op), *label = what->next, *third = label->next;
        if (strcmp(what->text, "append") == 0) {
            dc_transcript_append(t, label->text, third->text, strlen(third->text));
        } else {
            CU_ASSERT_EQUAL_FATAL(third->number, 32);
            dc_transcript_challenge(t, label->text, last, 32);
        }
    }
}

/* The operations as the sentence that the second vector has. */
static void run_long(struct dc_transcript *t, uint8_t last[32])
{
    uint8_t big[1024];
    memset(big, 0x63, sizeof big);
    dc_transcript_append(t, "step1", "some data", 9);
    for (int i = 0; i < 32; i++) {
        dc_transcript_challenge(t, "challenge", last, 32);
        dc_transcript_append(t, "bigdata", big, sizeof big);
        dc_transcript_append(t, "challengedata", last, 32);
    }
}

static void test_merlin(void)
{
    size_t size, count = 0;
    char *text = test_shared_file("vectors/keccak/merlin.json", &size);
    if (text == NULL)
        return;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    for (const struct json *v = json_first(json_get(root, "vectors")); v; v = v->next, count++) {
        struct dc_transcript t;
        uint8_t want[32], got[32] = {0};
        test_hex_all(json_text(v, "expect"), want, 32);
        dc_transcript_init(&t, json_text(v, "label"));
        const struct json *ops = json_get(v, "ops");
        if (ops->kind == JSON_LIST)
            run_list(&t, ops, got);
        else
            run_long(&t, got);
        CU_ASSERT_EQUAL(memcmp(got, want, 32), 0);
    }
    CU_ASSERT_EQUAL(count, 2);
    json_free(root);
    free(text);
}

/* What differs anywhere gives another challenge; where messages part counts too. */
static struct dc_scalar challenge(const char *label, const char *first, const char *second,
                                  uint64_t number, const char *ask)
{
    struct dc_transcript t;
    dc_transcript_init(&t, label);
    dc_transcript_append(&t, "a", first, strlen(first));
    dc_transcript_append(&t, "b", second, strlen(second));
    dc_transcript_append_u64(&t, "n", number);
    return dc_transcript_challenge_scalar(&t, ask);
}

static void test_binding(void)
{
    const struct dc_scalar all[] = {
        challenge("x", "ab", "c", 1, "y"), challenge("x", "a", "bc", 1, "y"),
        challenge("x", "abc", "", 1, "y"), challenge("x", "ab", "c", 2, "y"),
        challenge("x", "ab", "c", 1, "z"), challenge("X", "ab", "c", 1, "y"),
        challenge("x", "ab", "d", 1, "y"),
    };
    size_t count = sizeof all / sizeof all[0];
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            CU_ASSERT_EQUAL(dc_scalar_equal(&all[i], &all[k]), i == k);
}

/* Sizes around the rate of 166 bytes: prover and verifier agree, and every byte counts. */
static void test_block_edges(void)
{
    uint8_t data[400];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    for (size_t size = 100; size < sizeof data; size++) {
        uint8_t out[3][200];
        for (int run = 0; run < 3; run++) {
            struct dc_transcript t;
            dc_transcript_init(&t, "edges");
            data[size - 1] ^= run == 2;
            dc_transcript_append(&t, "data", data, size);
            data[size - 1] ^= run == 2;
            dc_transcript_challenge(&t, "out", out[run], sizeof out[run]);
        }
        CU_ASSERT_EQUAL(memcmp(out[0], out[1], sizeof out[0]), 0);
        CU_ASSERT_NOT_EQUAL(memcmp(out[0], out[2], 32), 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {{"permutation", test_permutation},
                                             {"hashes", test_hashes},
                                             {"merlin", test_merlin},
                                             {"binding", test_binding},
                                             {"block_edges", test_block_edges}};
    dc_crypto_init();
    return TEST_MAIN("transcript", cases);
}

/* Wycheproof's and others' vectors for what channels are made of: the cipher of frames and HMAC and
 * HKDF, whose code is the same around SHA-512 as around BLAKE2b.  Ed25519, X25519, CCTV and
 * speccheck are test_signature.c's. */
#include "models/crypto/hmac.h"
#include "models/crypto/noise.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <sodium/crypto_aead_chacha20poly1305.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER = 65536 };

static struct {
    size_t run, valid, invalid, skipped;
} tally;

/* Runs each test of a file; false: the shared folder is absent. */
static bool each(const char *path, void (*run)(const struct json *group, const struct json *v))
{
    size_t size;
    char *text = test_shared_file(path, &size);
    memset(&tally, 0, sizeof tally);
    if (text == NULL)
        return false;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    const struct json *groups = json_get(root, "testGroups");
    for (const struct json *g = json_first(groups); g != NULL; g = g->next)
        for (const struct json *v = json_first(json_get(g, "tests")); v != NULL; v = v->next) {
            run(g, v);
            tally.run++;
        }
    CU_ASSERT_EQUAL(tally.run, (size_t)json_number(root, "numberOfTests"));
    printf("\n    %s: %zu of %zu (%zu valid, %zu refused, %zu outside of what we take)\n  ", path,
           tally.valid + tally.invalid, tally.run, tally.valid, tally.invalid, tally.skipped);
    json_free(root);
    free(text);
    return true;
}

static size_t bytes(const struct json *v, const char *name, uint8_t *out)
{
    size_t n = test_hex(json_text(v, name), out, BUFFER);
    CU_ASSERT_NOT_EQUAL_FATAL(n, SIZE_MAX);
    return n;
}

static bool wanted(const struct json *v)
{
    bool valid = strcmp(json_text(v, "result"), "valid") == 0;
    CU_ASSERT_TRUE(valid || strcmp(json_text(v, "result"), "invalid") == 0);
    tally.valid += valid;
    tally.invalid += !valid;
    return valid;
}

/* Noise's nonces are four zero bytes and a counter: a vector with such a nonce runs through
 * dc_noise_seal and dc_noise_open; the others through libsodium's call below them. */
static size_t aead_ours;

static void aead(const struct json *g, const struct json *v)
{
    static uint8_t key[BUFFER], iv[BUFFER], data[BUFFER], plain[BUFFER], sealed[BUFFER],
        made[BUFFER];
    size_t key_size = bytes(v, "key", key), iv_size = bytes(v, "iv", iv);
    size_t data_size = bytes(v, "aad", data), size = bytes(v, "msg", plain);
    size_t sealed_size = bytes(v, "ct", sealed);
    size_t tag_size = bytes(v, "tag", sealed + sealed_size);
    if (key_size != 32 || iv_size != 12 || tag_size != 16) {
        CU_ASSERT_EQUAL(strcmp(json_text(v, "result"), "invalid"), 0);
        tally.skipped++; /* sizes that the interface cannot express */
        return;
    }
    bool valid = wanted(v);
    (void)g;
    bool opened = crypto_aead_chacha20poly1305_ietf_decrypt(
                      made, NULL, NULL, sealed, sealed_size + 16, data, data_size, iv, key) == 0;
    CU_ASSERT_EQUAL(opened, valid);
    if (valid) {
        CU_ASSERT_EQUAL(sealed_size, size);
        CU_ASSERT_EQUAL(memcmp(made, plain, size), 0);
        crypto_aead_chacha20poly1305_ietf_encrypt(made, NULL, plain, size, data, data_size, NULL,
                                                  iv, key);
        CU_ASSERT_EQUAL(memcmp(made, sealed, size + 16), 0);
    }
    if (dc_get32(iv) != 0 || dc_get64(iv + 4) == DC_NOISE_NONCE_MAX)
        return;
    struct dc_noise_cipher c = {.nonce = dc_get64(iv + 4), .keyed = true};
    memcpy(c.key, key, 32);
    struct dc_noise_cipher d = c;
    CU_ASSERT_EQUAL(dc_noise_open(&c, data, data_size, sealed, sealed_size + 16, made), valid);
    if (valid) {
        CU_ASSERT_EQUAL(memcmp(made, plain, size), 0);
        CU_ASSERT_TRUE(dc_noise_seal(&d, data, data_size, plain, size, made));
        CU_ASSERT_EQUAL(memcmp(made, sealed, size + 16), 0);
    }
    aead_ours++;
}

static void test_aead(void)
{
    if (!each("vectors/wycheproof/chacha20_poly1305_test.json", aead))
        return;
    CU_ASSERT_EQUAL(tally.run, 325);
    printf("%zu of them through dc_noise_open\n  ", aead_ours);
    CU_ASSERT_TRUE(aead_ours > 0);
}

static void hmac(const struct json *g, const struct json *v)
{
    static uint8_t key[BUFFER], message[BUFFER], tag[BUFFER];
    uint8_t made[64];
    size_t key_size = bytes(v, "key", key), size = bytes(v, "msg", message);
    size_t tag_size = bytes(v, "tag", tag);
    struct dc_hmac h;
    CU_ASSERT_EQUAL((size_t)json_number(g, "tagSize"), 8 * tag_size);
    dc_hmac_init(&h, DC_HMAC_SHA512, key, key_size);
    dc_hmac_update(&h, message, size / 2);
    dc_hmac_update(&h, message + size / 2, size - size / 2);
    dc_hmac_final(&h, made);
    CU_ASSERT_TRUE_FATAL(tag_size <= 64);
    CU_ASSERT_EQUAL(memcmp(made, tag, tag_size) == 0, wanted(v));
}

static void test_hmac(void)
{
    if (!each("vectors/wycheproof/hmac_sha512_test.json", hmac))
        return;
    CU_ASSERT_EQUAL(tally.run, 174);
    CU_ASSERT_EQUAL(tally.valid + tally.invalid, tally.run);
}

static void hkdf(const struct json *g, const struct json *v)
{
    static uint8_t input[BUFFER], salt[BUFFER], info[BUFFER], made[BUFFER], okm[BUFFER];
    size_t input_size = bytes(v, "ikm", input), salt_size = bytes(v, "salt", salt);
    size_t info_size = bytes(v, "info", info), okm_size = bytes(v, "okm", okm);
    size_t size = (size_t)json_number(v, "size");
    bool valid = wanted(v);
    (void)g;
    CU_ASSERT_TRUE_FATAL(size <= BUFFER);
    CU_ASSERT_EQUAL(
        dc_hkdf(DC_HMAC_SHA512, salt, salt_size, input, input_size, info, info_size, made, size),
        valid);
    if (valid) {
        CU_ASSERT_EQUAL(okm_size, size);
        CU_ASSERT_EQUAL(memcmp(made, okm, size), 0);
    }
}

static void test_hkdf(void)
{
    if (!each("vectors/wycheproof/hkdf_sha512_test.json", hkdf))
        return;
    CU_ASSERT_EQUAL(tally.run, 83);
    CU_ASSERT_EQUAL(tally.valid + tally.invalid, tally.run);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"ChaCha20-Poly1305", test_aead}, {"HMAC-SHA-512", test_hmac}, {"HKDF-SHA-512", test_hkdf}};
    dc_crypto_init();
    return TEST_MAIN("wycheproof", cases);
}

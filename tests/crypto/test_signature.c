/* Ed25519, X25519 and the stand-in: published answers, every bit flipped, table on and off. */
#include "models/crypto/crypto.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <stdlib.h>
#include <string.h>

/* Messages of the published vectors are at most 2 KiB. */
static uint8_t message[4096];

static struct json *load(const char *path, char **text)
{
    size_t size;
    *text = test_shared_file(path, &size);
    if (*text == NULL)
        return NULL;
    struct json *root = json_parse(*text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    return root;
}

static struct dc_crypto remembering(enum dc_suite suite)
{
    struct dc_crypto c;
    CU_ASSERT_EQUAL_FATAL(dc_crypto_open(&c, suite, 1 << 20, 64, NULL), DC_OK);
    return c;
}

/* The verdict without a table, and with one asked twice: all three must agree. */
static bool verdict(const struct dc_crypto *memo, const uint8_t key[32], size_t size,
                    const uint8_t signature[64])
{
    struct dc_crypto plain = {.suite = memo->suite};
    bool a = dc_verify(&plain, key, message, size, signature);
    CU_ASSERT_EQUAL(dc_verify(memo, key, message, size, signature), a);
    CU_ASSERT_EQUAL(dc_verify(memo, key, message, size, signature), a);
    return a;
}

/* RFC 8032, section 7.1, TEST 2. */
static void test_rfc8032(void)
{
    uint8_t seed[32], public[32], signature[64], got[64];
    struct dc_keypair key;
    struct dc_crypto c = {.suite = DC_SUITE_REAL};
    test_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", seed, 32);
    test_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", public, 32);
    test_hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
             "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
             signature, 64);
    dc_keypair_from_seed(seed, &key);
    CU_ASSERT_EQUAL(memcmp(key.public, public, 32), 0);
    dc_sign(&c, &key, "r", 1, got);
    CU_ASSERT_EQUAL(memcmp(got, signature, 64), 0);
    CU_ASSERT_TRUE(dc_verify(&c, public, "r", 1, signature));
    CU_ASSERT_FALSE(dc_verify(&c, public, "s", 1, signature));
}

/* Lines "seed public:public:message:signature message:". */
static void test_dalek(void)
{
    size_t size, count = 0;
    char *text = test_shared_file("vectors/ed25519/dalek_TESTVECTORS.txt", &size);
    if (text == NULL)
        return;
    struct dc_crypto c = remembering(DC_SUITE_REAL);
    for (char *line = text, *end; *line != '\0'; line = end) {
        end = line + strcspn(line, "\n");
        if (*end != '\0')
            *end++ = '\0';
        char *field[4], *p = line;
        for (int i = 0; i < 4; i++) {
            field[i] = p;
            p = strchr(p, ':');
            CU_ASSERT_PTR_NOT_NULL_FATAL(p);
            *p++ = '\0';
        }
        uint8_t secret[64], public[32], signature[64], got[64];
        struct dc_keypair key;
        CU_ASSERT_EQUAL_FATAL(test_hex(field[0], secret, 64), 64);
        CU_ASSERT_EQUAL_FATAL(test_hex(field[1], public, 32), 32);
        size_t n = test_hex(field[2], message, sizeof message);
        CU_ASSERT_FATAL(n != SIZE_MAX && strlen(field[3]) == 128 + 2 * n);
        field[3][128] = '\0';
        CU_ASSERT_EQUAL_FATAL(test_hex(field[3], signature, 64), 64);
        dc_keypair_from_seed(secret, &key);
        CU_ASSERT_EQUAL(memcmp(key.public, public, 32), 0);
        dc_sign(&c, &key, message, n, got);
        CU_ASSERT_EQUAL(memcmp(got, signature, 64), 0);
        CU_ASSERT_TRUE(verdict(&c, public, n, signature));
        count++;
    }
    CU_ASSERT_EQUAL(count, 128);
    dc_crypto_close(&c);
    free(text);
}

static void test_wycheproof(void)
{
    char *text;
    struct json *root = load("vectors/wycheproof/ed25519_test.json", &text);
    if (root == NULL)
        return;
    struct dc_crypto c = remembering(DC_SUITE_REAL);
    size_t count = 0, valid_count = 0;
    for (const struct json *g = json_first(json_get(root, "testGroups")); g != NULL; g = g->next) {
        uint8_t key[32];
        const char *pk = json_text(json_get(g, "publicKey"), "pk");
        CU_ASSERT_EQUAL_FATAL(test_hex(pk, key, sizeof key), 32);
        for (const struct json *t = json_first(json_get(g, "tests")); t != NULL; t = t->next) {
            uint8_t signature[128];
            size_t n = test_hex(json_text(t, "msg"), message, sizeof message);
            size_t s = test_hex(json_text(t, "sig"), signature, sizeof signature);
            bool valid = strcmp(json_text(t, "result"), "valid") == 0;
            CU_ASSERT_NOT_EQUAL_FATAL(n, SIZE_MAX);
            /* A signature of another length does not fit the parameter: a decoder refuses it. */
            bool got = s == 64 && verdict(&c, key, n, signature);
            CU_ASSERT_EQUAL(got, valid);
            count++;
            valid_count += got;
        }
    }
    CU_ASSERT_EQUAL(count, 151);
    CU_ASSERT_EQUAL(valid_count, 88);
    dc_crypto_close(&c);
    json_free(root);
    free(text);
}

/* C2SP/CCTV: which of 914 edge cases pass is what defines the rules of a verifier.  Ours are
 * libsodium's, and must stay so, or nodes would disagree. */
static void test_cctv(void)
{
    char *text;
    struct json *root = load("vectors/ed25519/cctv_ed25519vectors.json", &text);
    if (root == NULL)
        return;
    struct dc_crypto c = remembering(DC_SUITE_REAL);
    size_t count = 0, plain = 0, component_a = 0, component_ra = 0, other = 0;
    for (const struct json *t = json_first(root); t != NULL; t = t->next) {
        uint8_t key[32], signature[64];
        const char *msg = json_text(t, "msg");
        CU_ASSERT_EQUAL_FATAL(test_hex(json_text(t, "key"), key, 32), 32);
        CU_ASSERT_EQUAL_FATAL(test_hex(json_text(t, "sig"), signature, 64), 64);
        memcpy(message, msg, strlen(msg));
        count++;
        if (!verdict(&c, key, strlen(msg), signature))
            continue;
        const struct json *flags = json_get(t, "flags");
        size_t n = 0;
        for (const struct json *f = json_first(flags); f != NULL; f = f->next)
            n++;
        bool a = json_has_text(flags, "low_order_component_A");
        bool r = json_has_text(flags, "low_order_component_R");
        if (n == 0)
            plain++;
        else if (n == 1 && a)
            component_a++;
        else if (n == 2 && a && r)
            component_ra++;
        else
            other++;
    }
    CU_ASSERT_EQUAL(count, 914);
    CU_ASSERT_EQUAL(plain, 1);
    CU_ASSERT_EQUAL(component_a, 7);
    CU_ASSERT_EQUAL(component_ra, 35);
    CU_ASSERT_EQUAL(other, 0);
    dc_crypto_close(&c);
    json_free(root);
    free(text);
}

/* Chalkias, Garillot and Nikolaenko 2020 ("Taming the many EdDSAs"): libsodium takes case 3. */
static void test_speccheck(void)
{
    char *text;
    struct json *root = load("vectors/ed25519/speccheck_cases.json", &text);
    if (root == NULL)
        return;
    struct dc_crypto c = remembering(DC_SUITE_REAL);
    size_t count = 0;
    for (const struct json *t = json_first(root); t != NULL; t = t->next, count++) {
        uint8_t key[32], signature[64];
        size_t n = test_hex(json_text(t, "message"), message, sizeof message);
        CU_ASSERT_NOT_EQUAL_FATAL(n, SIZE_MAX);
        CU_ASSERT_EQUAL_FATAL(test_hex(json_text(t, "pub_key"), key, 32), 32);
        CU_ASSERT_EQUAL_FATAL(test_hex(json_text(t, "signature"), signature, 64), 64);
        CU_ASSERT_EQUAL(verdict(&c, key, n, signature), count == 3);
    }
    CU_ASSERT_EQUAL(count, 12);
    dc_crypto_close(&c);
    json_free(root);
    free(text);
}

static void test_x25519(void)
{
    char *text;
    struct json *root = load("vectors/wycheproof/x25519_test.json", &text);
    if (root == NULL)
        return;
    size_t count = 0, refused = 0;
    const struct json *g = json_first(json_get(root, "testGroups"));
    for (const struct json *t = json_first(json_get(g, "tests")); t != NULL; t = t->next, count++) {
        struct dc_exchange own = {{0}, {0}};
        uint8_t peer[32], shared[32], got[32];
        CU_ASSERT_EQUAL_FATAL(test_hex(json_text(t, "private"), own.secret, 32), 32);
        CU_ASSERT_EQUAL_FATAL(test_hex(json_text(t, "public"), peer, 32), 32);
        CU_ASSERT_EQUAL_FATAL(test_hex(json_text(t, "shared"), shared, 32), 32);
        bool zero = json_has_text(json_get(t, "flags"), "ZeroSharedSecret");
        CU_ASSERT_EQUAL(dc_exchange_shared(&own, peer, got), !zero);
        CU_ASSERT_EQUAL(memcmp(got, shared, 32), 0);
        refused += zero;
    }
    CU_ASSERT_EQUAL(count, 518);
    CU_ASSERT_EQUAL(refused, 31);
    json_free(root);
    free(text);
}

static void test_keys(void)
{
    uint8_t seed[4][32], a[32], b[32];
    struct dc_exchange x, y;
    struct dc_keypair key;
    dc_seed_derive(1, 2, DC_KEY_SIGN, 0, seed[0]);
    dc_seed_derive(1, 2, DC_KEY_EXCHANGE, 0, seed[1]);
    dc_seed_derive(1, 3, DC_KEY_SIGN, 0, seed[2]);
    dc_seed_derive(1, 2, DC_KEY_SIGN, 1, seed[3]);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            CU_ASSERT_NOT_EQUAL(memcmp(seed[i], seed[j], 32), 0);
    dc_exchange_from_seed(seed[0], &x);
    dc_exchange_from_seed(seed[1], &y);
    CU_ASSERT_TRUE(dc_exchange_shared(&x, y.public, a));
    CU_ASSERT_TRUE(dc_exchange_shared(&y, x.public, b));
    CU_ASSERT_EQUAL(memcmp(a, b, 32), 0);
    dc_keypair_from_seed(seed[0], &key);
    CU_ASSERT_TRUE(dc_key_is_valid(key.public));
    memset(a, 0, 32);
    CU_ASSERT_FALSE(dc_key_is_valid(a)); /* y = 0: order 4 */
    a[0] = 1;
    CU_ASSERT_FALSE(dc_key_is_valid(a)); /* the identity */
    memset(a, 0xff, 32);
    CU_ASSERT_FALSE(dc_key_is_valid(a)); /* y above p */
}

/* Every bit of key, message and signature, for messages of several lengths, on both suites. */
static void flip_all(enum dc_suite suite, size_t size)
{
    struct dc_crypto c = remembering(suite);
    struct dc_keypair key;
    uint8_t seed[32], signature[64];
    dc_seed_derive(7, size, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &key);
    for (size_t i = 0; i < size; i++)
        message[i] = (uint8_t)(31 * i + 5);
    dc_sign(&c, &key, message, size, signature);
    CU_ASSERT_TRUE(verdict(&c, key.public, size, signature));
    struct {
        uint8_t *bytes;
        size_t size;
    } parts[] = {{key.public, 32}, {message, size}, {signature, 64}};
    for (int p = 0; p < 3; p++) {
        for (size_t bit = 0; bit < 8 * parts[p].size; bit++) {
            parts[p].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CU_ASSERT_FALSE(verdict(&c, key.public, size, signature));
            parts[p].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    if (size != 0)
        CU_ASSERT_FALSE(verdict(&c, key.public, size - 1, signature));
    message[size] = 0;
    CU_ASSERT_FALSE(verdict(&c, key.public, size + 1, signature));
    CU_ASSERT_TRUE(verdict(&c, key.public, size, signature));
    dc_crypto_close(&c);
}

static void test_flips_real(void)
{
    flip_all(DC_SUITE_REAL, 0);
    flip_all(DC_SUITE_REAL, 64);
    flip_all(DC_SUITE_REAL, 600); /* too long for a key in one piece */
}

static void test_flips_modelled(void)
{
    static const size_t sizes[] = {0, 1, 63, 64, 223, 224, 225, 600};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        flip_all(DC_SUITE_MODELLED, sizes[i]);
}

/* Counts: logical ones say what was asked, actual ones what was done, and failures are remembered
 * too.  The audit does hits again. */
static void test_counts(void)
{
    struct dc_crypto c = remembering(DC_SUITE_REAL);
    struct dc_keypair key;
    uint8_t seed[32], good[64], bad[64];
    dc_seed_derive(8, 1, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &key);
    dc_sign(&c, &key, "hello", 5, good);
    memcpy(bad, good, 64);
    bad[0] ^= 1;
    for (int i = 0; i < 10; i++) {
        CU_ASSERT_TRUE(dc_verify(&c, key.public, "hello", 5, good));
        CU_ASSERT_FALSE(dc_verify(&c, key.public, "hello", 5, bad));
    }
    CU_ASSERT_EQUAL(c.counts->logical[DC_OP_SIGN], 1);
    CU_ASSERT_EQUAL(c.counts->logical[DC_OP_VERIFY], 20);
    CU_ASSERT_EQUAL(c.counts->actual[DC_OP_VERIFY], 2);
    c.audit_every = 1;
    CU_ASSERT_TRUE(dc_verify(&c, key.public, "hello", 5, good));
    CU_ASSERT_FALSE(dc_verify(&c, key.public, "hello", 5, bad));
    CU_ASSERT_EQUAL(c.counts->actual[DC_OP_VERIFY], 4);
    dc_crypto_close(&c);
}

/* A suite is not the other one. */
static void test_suites_differ(void)
{
    struct dc_crypto real = {.suite = DC_SUITE_REAL}, modelled = {.suite = DC_SUITE_MODELLED};
    struct dc_keypair key;
    uint8_t seed[32], a[64], b[64], again[64];
    dc_seed_derive(9, 1, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &key);
    dc_sign(&real, &key, "hello", 5, a);
    dc_sign(&modelled, &key, "hello", 5, b);
    dc_sign(&modelled, &key, "hello", 5, again);
    CU_ASSERT_EQUAL(memcmp(b, again, 64), 0);
    CU_ASSERT_FALSE(dc_verify(&modelled, key.public, "hello", 5, a));
    CU_ASSERT_FALSE(dc_verify(&real, key.public, "hello", 5, b));
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"RFC 8032", test_rfc8032},
        {"128 signatures of ed25519-dalek", test_dalek},
        {"151 of Wycheproof", test_wycheproof},
        {"914 of CCTV, 43 accepted", test_cctv},
        {"12 of ed25519-speccheck", test_speccheck},
        {"518 of X25519", test_x25519},
        {"keys", test_keys},
        {"every bit flipped, real", test_flips_real},
        {"every bit flipped, modelled", test_flips_modelled},
        {"counts and audit", test_counts},
        {"suites differ", test_suites_differ},
    };
    return TEST_MAIN("crypto/signature", cases);
}

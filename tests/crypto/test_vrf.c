/* ECVRF-EDWARDS25519-SHA512-TAI: RFC 9381, B.3, and every bit of every input flipped. */
#include "models/crypto/vrf.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <stdlib.h>
#include <string.h>

/* Example 16 typed in, for where the shared folder is absent. */
static void test_example_16(void)
{
    uint8_t seed[32], proof[80], beta[64], got[80], out[64];
    struct dc_keypair key;
    test_hex_all("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed, 32);
    test_hex_all(
        "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f26f8a57ccaed74ee1b"
        "190bed1f479d9727d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
        proof, 80);
    test_hex_all(
        "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff66b71dda49d2de59d0"
        "3450451af026798e8f81cd2e333de5cdf4f3e140fdd8ae",
        beta, 64);
    dc_keypair_from_seed(seed, &key);
    dc_vrf_prove(NULL, &key, NULL, 0, got, out, NULL);
    CU_ASSERT_EQUAL(memcmp(got, proof, 80), 0);
    CU_ASSERT_EQUAL(memcmp(out, beta, 64), 0);
    CU_ASSERT_TRUE(dc_vrf_verify(key.public, NULL, 0, proof, out));
    CU_ASSERT_EQUAL(memcmp(out, beta, 64), 0);
}

/* All three examples with their intermediate values; then each bit of proof, key and input. */
static void test_examples(void)
{
    size_t size, count = 0, refused = 0;
    char *text = test_shared_file("vectors/vrf/rfc9381_edwards25519.json", &size);
    if (text == NULL)
        return;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    const struct json *list = json_get(json_get(root, "suites"), "ECVRF-EDWARDS25519-SHA512-TAI");
    for (const struct json *v = json_first(list); v != NULL; v = v->next, count++) {
        uint8_t seed[32], pk[32], alpha[64], h[32], nonce[64], u[32], w[32], pi[80], beta[64];
        uint8_t proof[80], out[64];
        struct dc_vrf_steps steps;
        struct dc_keypair key;
        test_hex_all(json_text(v, "SK"), seed, 32);
        test_hex_all(json_text(v, "PK"), pk, 32);
        size_t n = test_hex(json_text(v, "alpha"), alpha, sizeof alpha);
        CU_ASSERT_NOT_EQUAL_FATAL(n, SIZE_MAX);
        test_hex_all(json_text(v, "H"), h, 32);
        test_hex_all(json_text(v, "k_string"), nonce, 64);
        test_hex_all(json_text(v, "U"), u, 32);
        test_hex_all(json_text(v, "V"), w, 32);
        test_hex_all(json_text(v, "pi"), pi, 80);
        test_hex_all(json_text(v, "beta"), beta, 64);
        dc_keypair_from_seed(seed, &key);
        CU_ASSERT_EQUAL(memcmp(key.public, pk, 32), 0);
        dc_vrf_prove(NULL, &key, alpha, n, proof, out, &steps);
        CU_ASSERT_EQUAL(steps.counter, atoi(json_text(v, "try_and_increment succeeded on ctr")));
        CU_ASSERT_EQUAL(memcmp(steps.h, h, 32), 0);
        CU_ASSERT_EQUAL(memcmp(steps.nonce, nonce, 64), 0);
        CU_ASSERT_EQUAL(memcmp(steps.u, u, 32), 0);
        CU_ASSERT_EQUAL(memcmp(steps.v, w, 32), 0);
        CU_ASSERT_EQUAL(memcmp(proof, pi, 80), 0);
        CU_ASSERT_EQUAL(memcmp(out, beta, 64), 0);
        CU_ASSERT_TRUE(dc_vrf_verify(pk, alpha, n, pi, out));
        CU_ASSERT_EQUAL(memcmp(out, beta, 64), 0);
        struct {
            uint8_t *bytes;
            size_t size;
        } parts[] = {{pi, 80}, {pk, 32}, {alpha, n}};
        for (int p = 0; p < 3; p++) {
            for (size_t bit = 0; bit < 8 * parts[p].size; bit++) {
                static const uint8_t zero[64];
                parts[p].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                CU_ASSERT_FALSE(dc_vrf_verify(pk, alpha, n, pi, out));
                CU_ASSERT_EQUAL(memcmp(out, zero, 64), 0);
                parts[p].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                refused++;
            }
        }
    }
    CU_ASSERT_EQUAL(count, 3);
    CU_ASSERT_EQUAL(refused, 3 * 8 * (80 + 32) + 8 * 3); /* the inputs have 0, 1 and 2 bytes */
    json_free(root);
    free(text);
}

/* A second encoding of the same scalar or point is refused. */
static void test_not_canonical(void)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    uint8_t seed[32], proof[80];
    struct dc_keypair key;
    dc_seed_derive(1, 1, DC_KEY_VRF, 0, seed);
    dc_keypair_from_seed(seed, &key);
    dc_vrf_prove(NULL, &key, "a", 1, proof, NULL, NULL);
    CU_ASSERT_TRUE(dc_vrf_verify(key.public, "a", 1, proof, NULL));
    for (int i = 0, carry = 0; i < 32; i++) { /* s + L: the same modulo L */
        carry += proof[48 + i] + order[i];
        proof[48 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CU_ASSERT_FALSE(dc_vrf_verify(key.public, "a", 1, proof, NULL));
    memset(proof, 0, sizeof proof);
    CU_ASSERT_FALSE(dc_vrf_verify(key.public, "a", 1, proof, NULL));
    proof[0] = 1; /* Gamma the identity, c = 0, s = 0 */
    CU_ASSERT_FALSE(dc_vrf_verify(key.public, "a", 1, proof, NULL));
    memset(proof, 0xff, sizeof proof);
    CU_ASSERT_FALSE(dc_vrf_verify(key.public, "a", 1, proof, NULL));
    memset(key.public, 0, 32); /* a key of order 4 */
    CU_ASSERT_FALSE(dc_vrf_verify(key.public, "a", 1, proof, NULL));
}

/* With and without the table, and with every hit computed again. */
static void test_remembered(void)
{
    struct dc_crypto c, plain = {.suite = DC_SUITE_REAL};
    CU_ASSERT_EQUAL_FATAL(dc_crypto_open(&c, DC_SUITE_MODELLED, 1 << 20, 0, NULL), DC_OK);
    uint8_t seed[32], proof[80], beta[64], a[64], b[64], alpha[700];
    memset(alpha, 7, sizeof alpha);
    for (size_t n = 0; n <= sizeof alpha; n += 100) {
        struct dc_keypair key;
        dc_seed_derive(2, n, DC_KEY_VRF, 0, seed);
        dc_keypair_from_seed(seed, &key);
        dc_vrf_prove(&c, &key, alpha, n, proof, beta, NULL);
        for (int broken = 0; broken < 2; broken++) {
            proof[0] ^= (uint8_t)broken;
            for (int i = 0; i < 3; i++) {
                c.audit_every = i == 2;
                CU_ASSERT_EQUAL(dc_vrf_check(&c, key.public, alpha, n, proof, a), !broken);
                CU_ASSERT_EQUAL(dc_vrf_check(&plain, key.public, alpha, n, proof, b), !broken);
                CU_ASSERT_EQUAL(memcmp(a, b, 64), 0);
                CU_ASSERT_EQUAL(memcmp(a, beta, 64) == 0, !broken);
            }
        }
    }
    CU_ASSERT_EQUAL(c.counts->logical[DC_OP_VRF_PROVE], 8);
    CU_ASSERT_EQUAL(c.counts->logical[DC_OP_VRF_VERIFY], 48);
    CU_ASSERT_EQUAL(c.counts->actual[DC_OP_VRF_VERIFY], 32); /* first and audited */
    dc_crypto_close(&c);
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"RFC 9381 example 16", test_example_16},
        {"RFC 9381 examples, steps and flips", test_examples},
        {"second encodings", test_not_canonical},
        {"remembered", test_remembered},
    };
    return TEST_MAIN("crypto/vrf", cases);
}

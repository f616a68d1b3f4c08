/* FROST's keys: generation by everybody and the small files of the published vectors, both suites,
 * and a lost share given back. */
#include "models/crypto/crypto.h"
#include "models/crypto/frost.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const suite_name[2] = {"ed25519", "ristretto255"};

static void same(const uint8_t got[32], const struct json *v, const char *name)
{
    uint8_t want[32];
    test_hex_all(json_text(v, name), want, 32);
    CU_ASSERT_EQUAL(memcmp(got, want, 32), 0);
}

#define TOWN 7
#define QUORUM 4

/* --- key generation ------------------------------------------------------------------------- */

struct dealer {
    const struct json *json;
    uint8_t coefficients[2][32], commitments[2][32];
};

/* What member i gets from all, its share and what others expect of it. */
static void check_member(enum dc_frost_suite suite, const struct dealer *d, uint32_t i)
{
    uint8_t parts[3][32], sums[2][32], share[32], key[32], expected[32];
    for (uint32_t from = 0; from < 3; from++) {
        CU_ASSERT_TRUE(
            dc_frost_share((const uint8_t(*)[32])d[from].coefficients, 2, i, parts[from]));
        CU_ASSERT_TRUE(dc_frost_share_fits(suite, (const uint8_t(*)[32])d[from].commitments, 2, i,
                                           parts[from]));
        CU_ASSERT_FALSE(dc_frost_share_fits(suite, (const uint8_t(*)[32])d[from].commitments, 2,
                                            i + 1, parts[from]));
        if (from != i) {
            char name[2] = {(char)('1' + from), 0};
            same(parts[from], json_get(d[i].json, "signing_shares"), name);
        }
    }
    CU_ASSERT_TRUE(dc_frost_scalars_add((const uint8_t(*)[32])parts, 3, share));
    same(share, d[i].json, "signing_share");
    CU_ASSERT_TRUE(dc_frost_public(suite, share, key));
    same(key, d[i].json, "verifying_share");
    for (uint32_t k = 0; k < 2; k++) {
        uint8_t column[3][32];
        for (uint32_t from = 0; from < 3; from++)
            memcpy(column[from], d[from].commitments[k], 32);
        CU_ASSERT_TRUE(dc_frost_points_add(suite, (const uint8_t(*)[32])column, 3, sums[k]));
    }
    CU_ASSERT_TRUE(dc_frost_expected(suite, (const uint8_t(*)[32])sums, 2, i, expected));
    CU_ASSERT_EQUAL(memcmp(expected, key, 32), 0);
}

static void check_possession(enum dc_frost_suite suite, const struct dealer *d, uint32_t i)
{
    static const uint8_t seed[32] = {5};
    uint8_t proof[64], own[64];
    test_hex_all(json_text(d->json, "proof_of_knowledge"), proof, 64);
    CU_ASSERT_TRUE(dc_frost_possession_check(suite, i, d->commitments[0], proof));
    CU_ASSERT_FALSE(dc_frost_possession_check(suite, i + 1, d->commitments[0], proof));
    CU_ASSERT_FALSE(dc_frost_possession_check(suite, i, d->commitments[1], proof));
    CU_ASSERT_TRUE(dc_frost_possession(suite, i, (const uint8_t(*)[32])d->coefficients, seed, own));
    CU_ASSERT_TRUE(dc_frost_possession_check(suite, i, d->commitments[0], own));
    for (size_t bit = 0; bit < 512; bit++) {
        own[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_frost_possession_check(suite, i, d->commitments[0], own));
        own[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void check_dkg(enum dc_frost_suite suite)
{
    size_t size;
    char file[96];
    snprintf(file, sizeof file, "vectors/frost/zf_%s_vectors_dkg.json", suite_name[suite]);
    char *text = test_shared_file(file, &size);
    if (text == NULL)
        return;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    const struct json *inputs = json_get(root, "inputs");
    struct dealer d[3];
    uint8_t keys[3][32], key[32];
    for (uint32_t i = 0; i < 3; i++) {
        char name[2] = {(char)('1' + i), 0};
        d[i].json = json_get(inputs, name);
        CU_ASSERT_EQUAL_FATAL(json_number(d[i].json, "identifier"), i + 1);
        test_hex_all(json_text(d[i].json, "signing_key"), d[i].coefficients[0], 32);
        test_hex_all(json_text(d[i].json, "coefficient"), d[i].coefficients[1], 32);
        CU_ASSERT_TRUE(dc_frost_commitments(suite, (const uint8_t(*)[32])d[i].coefficients, 2,
                                            d[i].commitments));
        const struct json *c = json_first(json_get(d[i].json, "vss_commitments"));
        for (uint32_t k = 0; k < 2; k++, c = c->next) {
            uint8_t want[32];
            test_hex_all(c->text, want, 32);
            CU_ASSERT_EQUAL(memcmp(want, d[i].commitments[k], 32), 0);
        }
        check_possession(suite, &d[i], i);
        memcpy(keys[i], d[i].commitments[0], 32);
    }
    for (uint32_t i = 0; i < 3; i++)
        check_member(suite, d, i);
    CU_ASSERT_TRUE(dc_frost_points_add(suite, (const uint8_t(*)[32])keys, 3, key));
    same(key, inputs, "verifying_key");
    json_free(root);
    free(text);
}

static void test_dkg(void)
{
    check_dkg(DC_FROST_ED25519);
    check_dkg(DC_FROST_RISTRETTO255);
}

/* --- repair, samples, elements -------------------------------------------------------------- */

static void check_sum(const struct json *v, const char *front, uint32_t count, const char *total)
{
    uint8_t part[4][32], sum[32];
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%u", front, i + 1);
        test_hex_all(json_text(v, name), part[i], 32);
    }
    CU_ASSERT_TRUE(dc_frost_scalars_add((const uint8_t(*)[32])part, count, sum));
    same(sum, v, total);
}

static void check_small_files(enum dc_frost_suite suite)
{
    size_t size;
    char file[96];
    uint8_t a[32], b[32], id[32], two[32] = {2}, one[32] = {1};
    struct dc_scalar s;
    snprintf(file, sizeof file, "vectors/frost/zf_%s_repair-share.json", suite_name[suite]);
    char *text = test_shared_file(file, &size);
    if (text == NULL)
        return;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    check_sum(json_get(root, "scalar_generation"), "random_scalar_", 3, "random_scalar_sum");
    check_sum(json_get(root, "sigma_generation"), "sigma_", 4, "sigma_sum");
    json_free(root);
    free(text);
    snprintf(file, sizeof file, "vectors/frost/zf_%s_samples.json", suite_name[suite]);
    text = test_shared_file(file, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_TRUE(dc_frost_public(suite, one, a) && dc_frost_public(suite, two, b));
    same(a, root, "element1");
    same(b, root, "element2");
    test_hex_all(json_text(root, "scalar1"), a, 32);
    CU_ASSERT_TRUE(dc_scalar_decode(a, &s));
    test_hex_all(json_text(root, "identifier"), id, 32); /* 42, where member 41 has its share */
    CU_ASSERT_TRUE(
        dc_frost_share((const uint8_t(*)[32])(const uint8_t[2][32]){{0}, {1}}, 2, 41, a));
    CU_ASSERT_EQUAL(memcmp(a, id, 32), 0);
    json_free(root);
    free(text);
    snprintf(file, sizeof file, "vectors/frost/zf_%s_elements.json", suite_name[suite]);
    text = test_shared_file(file, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    uint8_t both[64];
    struct dc_frost_commitment c;
    CU_ASSERT_TRUE(dc_frost_public(suite, two, both));
    memcpy(both + 32, both, 32);
    CU_ASSERT_TRUE(dc_frost_commitment_decode(suite, 0, both, &c));
    test_hex_all(json_text(json_get(root, "elements"), "invalid_element"), both, 32);
    CU_ASSERT_FALSE(dc_frost_commitment_decode(suite, 0, both, &c));
    json_free(root);
    free(text);
}

static void test_small_files(void)
{
    check_small_files(DC_FROST_ED25519);
    check_small_files(DC_FROST_RISTRETTO255);
}

/* Member 1 lost its share; four others give it back, and three deltas of it say nothing. */
static void test_repair(void)
{
    static const uint32_t helpers[QUORUM] = {0, 3, 4, 6};
    static const uint8_t seed[32] = {42};
    uint8_t coefficients[QUORUM][32], shares[TOWN][32];
    uint8_t delta[QUORUM][QUORUM][32], sigma[QUORUM][32], share[32];
    dc_frost_coefficients(seed, "town", 4, QUORUM, coefficients);
    for (uint32_t i = 0; i < TOWN; i++)
        CU_ASSERT_TRUE(dc_frost_share((const uint8_t(*)[32])coefficients, QUORUM, i, shares[i]));
    for (uint32_t i = 0; i < QUORUM; i++) {
        uint8_t random[QUORUM - 1][32], own[32] = {(uint8_t)(i + 1)};
        dc_frost_coefficients(own, "repair", 6, QUORUM - 1, random);
        CU_ASSERT_TRUE(dc_frost_repair(helpers, QUORUM, i, shares[helpers[i]], 1,
                                       (const uint8_t(*)[32])random, delta[i]));
    }
    for (uint32_t j = 0; j < QUORUM; j++) {
        uint8_t got[QUORUM][32];
        for (uint32_t i = 0; i < QUORUM; i++)
            memcpy(got[i], delta[i][j], 32);
        CU_ASSERT_TRUE(dc_frost_scalars_add((const uint8_t(*)[32])got, QUORUM, sigma[j]));
    }
    CU_ASSERT_TRUE(dc_frost_scalars_add((const uint8_t(*)[32])sigma, QUORUM, share));
    CU_ASSERT_EQUAL(memcmp(share, shares[1], 32), 0);
    CU_ASSERT_TRUE(dc_frost_scalars_add((const uint8_t(*)[32])sigma, QUORUM - 1, share));
    CU_ASSERT_NOT_EQUAL(memcmp(share, shares[1], 32), 0);
    static const uint32_t unsorted[2] = {3, 0};
    CU_ASSERT_FALSE(dc_frost_repair(unsorted, 2, 0, shares[3], 1, NULL, delta[0]));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"dkg", test_dkg}, {"small_files", test_small_files}, {"repair", test_repair}};
    dc_crypto_init();
    return TEST_MAIN("frost_keys", cases);
}

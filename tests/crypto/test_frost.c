/* FROST's signing: every intermediate value of the published vectors of both suites, who cheats,
 * and how many it takes.  Keys: test_frost_keys.c. */
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

/* A count that stands as a number or as a text. */
static uint32_t number(const struct json *v)
{
    return v->kind == JSON_TEXT ? (uint32_t)strtoul(v->text, NULL, 10) : (uint32_t)v->number;
}

/* --- signing -------------------------------------------------------------------------------- */

struct vector {
    enum dc_frost_suite suite;
    struct dc_frost_package package;
    struct dc_frost_commitment list[4];
    struct dc_frost_nonces nonces[4];
    uint8_t share[4][32], share_key[4][32], z[4][32];
    uint8_t coefficients[2][32], commitments[2][32], key[32], message[64];
};

/* The dealer: each of all the shares from the polynomial, and its key from the commitments. */
static uint32_t check_dealer(struct vector *v, const struct json *inputs)
{
    uint32_t shares = 0;
    test_hex_all(json_text(inputs, "group_secret_key"), v->coefficients[0], 32);
    test_hex_all(json_first(json_get(inputs, "share_polynomial_coefficients"))->text,
                 v->coefficients[1], 32);
    CU_ASSERT_TRUE_FATAL(
        dc_frost_commitments(v->suite, (const uint8_t(*)[32])v->coefficients, 2, v->commitments));
    bool old = json_get(inputs, "verifying_key_key") == NULL;
    same(v->commitments[0], inputs, old ? "group_public_key" : "verifying_key_key");
    memcpy(v->key, v->commitments[0], 32);
    const struct json *s = json_first(json_get(inputs, "participant_shares"));
    for (; s != NULL; s = s->next, shares++) {
        uint8_t got[32];
        uint32_t member = number(json_get(s, "identifier")) - 1;
        CU_ASSERT_TRUE(dc_frost_share((const uint8_t(*)[32])v->coefficients, 2, member, got));
        same(got, s, "participant_share");
        CU_ASSERT_TRUE(
            dc_frost_share_fits(v->suite, (const uint8_t(*)[32])v->commitments, 2, member, got));
    }
    return shares;
}

static uint32_t check_round_one(struct vector *v, const struct json *root)
{
    uint32_t n = 0;
    const struct json *outputs = json_get(json_get(root, "round_one_outputs"), "outputs");
    for (const struct json *o = json_first(outputs); o != NULL; o = o->next, n++) {
        uint8_t random[32];
        uint32_t member = number(json_get(o, "identifier")) - 1;
        CU_ASSERT_TRUE_FATAL(n < 4);
        CU_ASSERT_TRUE(
            dc_frost_share((const uint8_t(*)[32])v->coefficients, 2, member, v->share[n]));
        CU_ASSERT_TRUE(dc_frost_public(v->suite, v->share[n], v->share_key[n]));
        test_hex_all(json_text(o, "hiding_nonce_randomness"), random, 32);
        dc_frost_nonce(v->suite, random, v->share[n], v->nonces[n].hiding);
        same(v->nonces[n].hiding, o, "hiding_nonce");
        test_hex_all(json_text(o, "binding_nonce_randomness"), random, 32);
        dc_frost_nonce(v->suite, random, v->share[n], v->nonces[n].binding);
        same(v->nonces[n].binding, o, "binding_nonce");
        dc_frost_commit(v->suite, member, &v->nonces[n], &v->list[n]);
        same(v->list[n].hiding, o, "hiding_nonce_commitment");
        same(v->list[n].binding, o, "binding_nonce_commitment");
    }
    return n;
}

static void check_vector(enum dc_frost_suite suite, const char *file, uint32_t shares)
{
    size_t size;
    uint32_t n = 0;
    char *text = test_shared_file(file, &size);
    if (text == NULL)
        return;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    struct vector v = {.suite = suite};
    const struct json *inputs = json_get(root, "inputs");
    CU_ASSERT_EQUAL(check_dealer(&v, inputs), shares);
    v.package = (struct dc_frost_package){
        .suite = suite, .group_key = v.key, .message = v.message, .list = v.list};
    v.package.size = test_hex(json_text(inputs, "message"), v.message, sizeof v.message);
    v.package.count = check_round_one(&v, root);
    CU_ASSERT_TRUE_FATAL(v.package.count >= 2);
    const struct json *outputs = json_get(json_get(root, "round_two_outputs"), "outputs");
    for (const struct json *o = json_first(outputs); o != NULL; o = o->next, n++) {
        uint32_t member = number(json_get(o, "identifier")) - 1;
        CU_ASSERT_TRUE(dc_frost_sign(&v.package, member, v.share[n], &v.nonces[n], v.z[n]));
        same(v.z[n], o, "sig_share");
        CU_ASSERT_TRUE(dc_frost_share_check(&v.package, n, v.share_key[n], v.z[n]));
    }
    CU_ASSERT_EQUAL(n, v.package.count);
    uint8_t signature[64], want[64];
    CU_ASSERT_TRUE(dc_frost_aggregate(&v.package, (const uint8_t(*)[32])v.z, signature));
    test_hex_all(json_text(json_get(root, "final_output"), "sig"), want, 64);
    CU_ASSERT_EQUAL(memcmp(signature, want, 64), 0);
    const struct dc_crypto real = {.suite = DC_SUITE_REAL};
    CU_ASSERT_EQUAL(dc_verify(&real, v.key, v.message, v.package.size, signature),
                    suite == DC_FROST_ED25519);
    json_free(root);
    free(text);
}

static void test_signing(void)
{
    for (int s = 0; s < 2; s++) {
        char file[96];
        snprintf(file, sizeof file, "vectors/frost/cfrg_frost-%s-sha512.json", suite_name[s]);
        check_vector((enum dc_frost_suite)s, file, 3);
        snprintf(file, sizeof file, "vectors/frost/zf_%s_vectors.json", suite_name[s]);
        check_vector((enum dc_frost_suite)s, file, 3);
        snprintf(file, sizeof file, "vectors/frost/zf_%s_vectors-big-identifier.json",
                 suite_name[s]);
        check_vector((enum dc_frost_suite)s, file, 257);
    }
}

/* --- our own groups ------------------------------------------------------------------------- */

#define TOWN 7
#define QUORUM 4

struct town {
    enum dc_frost_suite suite;
    uint8_t key[32], seed[TOWN][32], share[TOWN][32], share_key[TOWN][32];
    struct dc_frost_commitment list[TOWN];
    struct dc_frost_nonces nonces[TOWN];
    uint8_t z[TOWN][32];
    struct dc_frost_package package;
};

static void town_make(struct town *t, enum dc_frost_suite suite)
{
    static const uint8_t seed[32] = {42};
    uint8_t coefficients[QUORUM][32], commitments[QUORUM][32];
    memset(t, 0, sizeof *t);
    t->suite = suite;
    dc_frost_coefficients(seed, "town", 4, QUORUM, coefficients);
    CU_ASSERT_TRUE_FATAL(
        dc_frost_commitments(suite, (const uint8_t(*)[32])coefficients, QUORUM, commitments));
    memcpy(t->key, commitments[0], 32);
    for (uint32_t i = 0; i < TOWN; i++) {
        t->seed[i][0] = (uint8_t)(i + 1);
        CU_ASSERT_TRUE(dc_frost_share((const uint8_t(*)[32])coefficients, QUORUM, i, t->share[i]));
        CU_ASSERT_TRUE(dc_frost_public(suite, t->share[i], t->share_key[i]));
    }
}

/* Both rounds by these members; the aggregate's verdict. */
static bool town_sign(struct town *t, const uint32_t *members, uint32_t count, const char *message,
                      uint64_t counter, uint8_t signature[64])
{
    t->package = (struct dc_frost_package){.suite = t->suite,
                                           .group_key = t->key,
                                           .message = message,
                                           .size = strlen(message),
                                           .list = t->list,
                                           .count = count};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t m = members[i];
        uint8_t sent[64];
        dc_frost_nonces(t->suite, t->seed[m], t->share[m], message, strlen(message), counter,
                        &t->nonces[i]);
        dc_frost_commit(t->suite, m, &t->nonces[i], &t->list[i]);
        dc_frost_commitment_encode(&t->list[i], sent);
        CU_ASSERT_TRUE(dc_frost_commitment_decode(t->suite, m, sent, &t->list[i]));
    }
    for (uint32_t i = 0; i < count; i++)
        CU_ASSERT_TRUE(
            dc_frost_sign(&t->package, members[i], t->share[members[i]], &t->nonces[i], t->z[i]));
    return dc_frost_aggregate(&t->package, (const uint8_t(*)[32])t->z, signature);
}

static void check_quorums(enum dc_frost_suite suite)
{
    struct town t;
    uint8_t signature[64];
    town_make(&t, suite);
    for (uint32_t set = 1; set < 1u << TOWN; set += set % 16 == 15 ? 1 : 2) {
        uint32_t members[TOWN], count = 0;
        for (uint32_t i = 0; i < TOWN; i++)
            if (set >> i & 1)
                members[count++] = i;
        bool valid = town_sign(&t, members, count, "grant", set, signature);
        CU_ASSERT_EQUAL(valid, count >= QUORUM);
        CU_ASSERT_EQUAL(dc_frost_verify(suite, t.key, "grant", 5, signature), count >= QUORUM);
        if (valid) {
            CU_ASSERT_FALSE(dc_frost_verify(suite, t.key, "gramt", 5, signature));
            CU_ASSERT_FALSE(dc_frost_verify(suite, t.share_key[0], "grant", 5, signature));
        }
    }
}

static void check_mutations(enum dc_frost_suite suite)
{
    static const uint32_t members[QUORUM] = {0, 2, 3, 6};
    struct town t;
    uint8_t signature[64], keys[QUORUM][32];
    bool bad[QUORUM];
    town_make(&t, suite);
    CU_ASSERT_TRUE(town_sign(&t, members, QUORUM, "grant", 0, signature));
    for (uint32_t i = 0; i < QUORUM; i++)
        memcpy(keys[i], t.share_key[members[i]], 32);
    CU_ASSERT_EQUAL(
        dc_frost_cheats(&t.package, (const uint8_t(*)[32])keys, (const uint8_t(*)[32])t.z, bad), 0);
    for (size_t bit = 0; bit < 512; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_frost_verify(suite, t.key, "grant", 5, signature));
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 256; bit++) { /* one cheats: it is found, whichever bit */
        t.z[2][bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_frost_share_check(&t.package, 2, keys[2], t.z[2]));
        t.z[2][bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    t.z[1][3] ^= 1;
    CU_ASSERT_FALSE(dc_frost_aggregate(&t.package, (const uint8_t(*)[32])t.z, signature));
    CU_ASSERT_EQUAL(
        dc_frost_cheats(&t.package, (const uint8_t(*)[32])keys, (const uint8_t(*)[32])t.z, bad), 1);
    CU_ASSERT_TRUE(bad[1] && !bad[0] && !bad[2] && !bad[3]);
    t.z[1][3] ^= 1;
    for (size_t bit = 0; bit < 512; bit += 3) { /* another's commitment altered on the way */
        uint8_t *at = bit < 256 ? t.list[3].hiding : t.list[3].binding;
        at[bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_frost_share_check(&t.package, 0, keys[0], t.z[0]));
        at[bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void check_lists(enum dc_frost_suite suite)
{
    static const uint32_t members[QUORUM] = {1, 2, 4, 5};
    struct town t;
    uint8_t signature[64], z[32];
    town_make(&t, suite);
    CU_ASSERT_TRUE(town_sign(&t, members, QUORUM, "grant", 0, signature));
    /* not in the list; in it with another's nonces; out of order; twice; the identity; empty */
    CU_ASSERT_FALSE(dc_frost_sign(&t.package, 0, t.share[0], &t.nonces[0], z));
    CU_ASSERT_FALSE(dc_frost_sign(&t.package, 2, t.share[2], &t.nonces[0], z));
    struct dc_frost_commitment kept = t.list[0];
    t.list[0] = t.list[1];
    CU_ASSERT_FALSE(dc_frost_sign(&t.package, 2, t.share[2], &t.nonces[1], z));
    t.list[1] = kept;
    CU_ASSERT_FALSE(dc_frost_sign(&t.package, 2, t.share[2], &t.nonces[1], z));
    t.list[1] = t.list[0];
    t.list[0] = kept;
    CU_ASSERT_TRUE(dc_frost_sign(&t.package, 2, t.share[2], &t.nonces[1], z));
    CU_ASSERT_EQUAL(memcmp(z, t.z[1], 32), 0);
    memset(t.list[0].hiding, 0, 32);
    CU_ASSERT_FALSE(dc_frost_sign(&t.package, 2, t.share[2], &t.nonces[1], z));
    t.list[0].hiding[0] = 1; /* the identity of edwards25519 */
    CU_ASSERT_FALSE(dc_frost_sign(&t.package, 2, t.share[2], &t.nonces[1], z));
    t.package.count = 0;
    CU_ASSERT_FALSE(dc_frost_aggregate(&t.package, (const uint8_t(*)[32])t.z, signature));
    struct dc_frost_nonces n[4]; /* nonces depend on everything */
    dc_frost_nonces(suite, t.seed[0], t.share[0], "a", 1, 0, &n[0]);
    dc_frost_nonces(suite, t.seed[0], t.share[0], "a", 1, 1, &n[1]);
    dc_frost_nonces(suite, t.seed[0], t.share[0], "b", 1, 0, &n[2]);
    dc_frost_nonces(suite, t.seed[1], t.share[0], "a", 1, 0, &n[3]);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            CU_ASSERT_EQUAL(memcmp(n[i].hiding, n[k].binding, 32) == 0 ||
                                memcmp(&n[i], &n[k], sizeof n[i]) == 0,
                            i == k);
}

static void test_quorums(void)
{
    check_quorums(DC_FROST_ED25519);
    check_quorums(DC_FROST_RISTRETTO255);
}

static void test_mutations(void)
{
    check_mutations(DC_FROST_ED25519);
    check_mutations(DC_FROST_RISTRETTO255);
}

static void test_lists(void)
{
    check_lists(DC_FROST_ED25519);
    check_lists(DC_FROST_RISTRETTO255);
}

int main(void)
{
    static const struct test_case cases[] = {{"signing", test_signing},
                                             {"quorums", test_quorums},
                                             {"mutations", test_mutations},
                                             {"lists", test_lists}};
    dc_crypto_init();
    return TEST_MAIN("frost", cases);
}

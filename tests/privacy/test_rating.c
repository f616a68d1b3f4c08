/* Ratings: what is in range and by a customer is accepted; the ciphertext holds what was proven. */
#include "models/crypto/crypto.h"
#include "models/crypto/elgamal.h"
#include "models/crypto/r1cs.h"
#include "models/privacy/rating.h"
#include "tests/support/harness.h"

#include <string.h>

#define BODY_MAX 2048
#define MEMBERS 2

static const struct dc_hash context = {{1}}, elsewhere = {{2}};

struct town {
    uint8_t secret[MEMBERS][32], leaf[MEMBERS][32], root[32];
    struct dc_scalar holder;
    uint8_t key[32];
};

static void town_make(struct town *t)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        uint8_t seed[32] = {8, (uint8_t)i};
        dc_member_secret(seed, 3, t->secret[i]);
        dc_member_leaf(t->secret[i], t->leaf[i]);
    }
    CU_ASSERT_TRUE_FATAL(dc_member_root(t->leaf, MEMBERS, t->root));
    t->holder = dc_scalar_u64(123456789);
    struct dc_point key = dc_point_mul_base(&t->holder);
    dc_point_encode(&key, t->key);
}

static size_t statement(const struct town *t, const struct dc_hash *where, const uint8_t *body,
                        size_t size, uint8_t *bytes)
{
    dc_rating_statement(where, t->key, t->root, MEMBERS, bytes);
    memcpy(bytes + DC_RATING_STATEMENT_BYTES, body, size);
    return DC_RATING_STATEMENT_BYTES + size;
}

/* Both ends of the range, one in between, by both customers; the sum of what they gave opens. */
static void test_rate(void)
{
    struct town t;
    town_make(&t);
    static const uint32_t rating[3] = {0, 5, 3};
    uint8_t body[BODY_MAX], bytes[BODY_MAX + DC_RATING_STATEMENT_BYTES], sum[64] = {0};
    for (uint32_t i = 0; i < 3; i++) {
        size_t size = dc_rating_rate(&context, t.key, t.leaf, MEMBERS, t.secret[i % 2], rating[i],
                                     body, BODY_MAX);
        CU_ASSERT_EQUAL_FATAL(size, 320 + dc_r1cs_proof_bytes(dc_rating_gates(MEMBERS), false));
        size_t whole = statement(&t, &context, body, size, bytes);
        CU_ASSERT_TRUE(dc_rating_check(bytes, whole));
        CU_ASSERT_TRUE(dc_elgamal_accumulate(sum, body + 32));
        if (i == 0) {
            whole = statement(&t, &elsewhere, body, size, bytes);
            CU_ASSERT_FALSE(dc_rating_check(bytes, whole));
        }
    }
    struct dc_elgamal total;
    CU_ASSERT_TRUE(dc_elgamal_decode(sum, &total));
    struct dc_point opened = dc_lifted_open(&t.holder, &total);
    struct dc_scalar eight = dc_scalar_u64(8);
    struct dc_point expected = dc_point_mul_base(&eight);
    CU_ASSERT_TRUE(dc_point_equal(&opened, &expected));
    CU_ASSERT_EQUAL(
        dc_rating_rate(&context, t.key, t.leaf, MEMBERS, t.secret[0], 6, body, BODY_MAX), 0);
    CU_ASSERT_EQUAL(dc_rating_rate(&context, t.key, t.leaf, MEMBERS, t.leaf[0], 1, body, BODY_MAX),
                    0);
}

/* One bit in every fifth byte of statement and body, and parts of one rating in another. */
static void test_mutations(void)
{
    struct town t;
    town_make(&t);
    uint8_t body[2][BODY_MAX], bytes[BODY_MAX + DC_RATING_STATEMENT_BYTES];
    size_t size = 0;
    for (uint32_t i = 0; i < 2; i++)
        size =
            dc_rating_rate(&context, t.key, t.leaf, MEMBERS, t.secret[i], 2 + i, body[i], BODY_MAX);
    size_t whole = statement(&t, &context, body[0], size, bytes);
    CU_ASSERT_TRUE(dc_rating_check(bytes, whole));
    uint32_t passed = 0;
    for (size_t at = 0; at < whole; at += 5) {
        bytes[at] ^= (uint8_t)(1u << at % 8);
        passed += dc_rating_check(bytes, whole);
        bytes[at] ^= (uint8_t)(1u << at % 8);
    }
    static const size_t part[][2] = {{0, 32},    {32, 64}, {64, 32},  {96, 32},
                                     {128, 192}, {32, 96}, {32, 288}, {0, 320}};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        whole = statement(&t, &context, body[0], size, bytes);
        memcpy(bytes + DC_RATING_STATEMENT_BYTES + part[i][0], body[1] + part[i][0], part[i][1]);
        passed += dc_rating_check(bytes, whole);
    }
    for (size_t cut = 32; cut < whole; cut += 96)
        passed += dc_rating_check(bytes, whole - cut);
    CU_ASSERT_EQUAL(passed, 0);
}

static void test_terms(void)
{
    struct dc_rating_terms t = {.tag = 9, .node = 3, .members = 4, .close = 5, .end = 6}, back;
    uint8_t bytes[DC_RATING_CREATE_BYTES];
    const struct dc_rating_terms good = t;
    dc_rating_terms_encode(&t, bytes);
    CU_ASSERT_TRUE(dc_rating_terms_decode(bytes, sizeof bytes, &back));
    CU_ASSERT(back.tag == 9 && back.node == 3 && back.members == 4 && back.close == 5 &&
              back.end == 6);
    CU_ASSERT_FALSE(dc_rating_terms_decode(bytes, sizeof bytes - 1, &back));
    for (uint32_t i = 0; i < 4; i++) {
        t = good;
        t.members = i == 0 ? 0 : i == 1 ? DC_PERMUTATION_LEAVES_MAX + 1 : t.members;
        t.close = i == 2 ? 0 : t.close;
        t.end = i == 3 ? t.close : t.end;
        dc_rating_terms_encode(&t, bytes);
        CU_ASSERT_FALSE(dc_rating_terms_decode(bytes, sizeof bytes, &back));
    }
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"ratings", test_rate}, {"mutations", test_mutations}, {"terms", test_terms}};
    return TEST_MAIN("privacy/rating", cases);
}

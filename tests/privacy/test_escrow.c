/* Approvals of a private escrow: who may, once, and what of it can be told apart. */
#include "models/crypto/crypto.h"
#include "models/crypto/r1cs.h"
#include "models/privacy/escrow.h"
#include "tests/support/harness.h"

#include <string.h>

#define BODY_MAX 2048
#define MEMBERS 5

struct group {
    uint8_t secret[DC_PERMUTATION_LEAVES_MAX][32], leaf[DC_PERMUTATION_LEAVES_MAX][32], root[32];
};

static void group_make(struct group *g, uint32_t members, uint8_t first)
{
    for (uint32_t i = 0; i < members; i++) {
        uint8_t seed[32] = {first, (uint8_t)i};
        dc_member_secret(seed, 77, g->secret[i]);
        dc_member_leaf(g->secret[i], g->leaf[i]);
    }
    CU_ASSERT_TRUE_FATAL(dc_member_root(g->leaf, members, g->root));
}

static bool check(const struct dc_hash *context, const uint8_t root[32], uint32_t members,
                  const uint8_t *body, size_t size)
{
    uint8_t bytes[DC_ESCROW_STATEMENT_BYTES + BODY_MAX];
    dc_escrow_statement(context, root, members, body, bytes);
    memcpy(bytes + DC_ESCROW_STATEMENT_BYTES, body + 32, size - 32);
    return dc_escrow_check(bytes, DC_ESCROW_STATEMENT_BYTES + size - 32);
}

static const struct dc_hash context = {{1}}, elsewhere = {{2}};

/* Proofs of the first and last member; of another group, of none; for other statements. */
static void test_members(void)
{
    struct group g, other;
    group_make(&g, MEMBERS, 1);
    group_make(&other, MEMBERS, 2);
    uint8_t body[2][BODY_MAX], mark[32];
    size_t size[2];
    for (uint32_t i = 0; i < 2; i++) {
        const uint8_t *secret = g.secret[i * (MEMBERS - 1)];
        size[i] = dc_escrow_approve(&context, g.leaf, MEMBERS, secret, body[i], BODY_MAX);
        CU_ASSERT_EQUAL_FATAL(size[i], 32 + dc_r1cs_proof_bytes(dc_escrow_gates(MEMBERS), false));
        CU_ASSERT_TRUE(check(&context, g.root, MEMBERS, body[i], size[i]));
        dc_member_mark(secret, &context, mark);
        CU_ASSERT_EQUAL(memcmp(mark, body[i], 32), 0);
        CU_ASSERT_FALSE(check(&elsewhere, g.root, MEMBERS, body[i], size[i]));
        CU_ASSERT_FALSE(check(&context, other.root, MEMBERS, body[i], size[i]));
        CU_ASSERT_FALSE(check(&context, g.root, 4, body[i], size[i]));
    }
    CU_ASSERT_EQUAL(size[0], size[1]);
    uint8_t swapped[BODY_MAX];
    memcpy(swapped, body[0], size[0]);
    memcpy(swapped, body[1], 32);
    CU_ASSERT_FALSE(check(&context, g.root, MEMBERS, swapped, size[0]));
    CU_ASSERT_EQUAL(
        dc_escrow_approve(&context, g.leaf, MEMBERS, other.secret[0], swapped, BODY_MAX), 0);
    CU_ASSERT_EQUAL(dc_escrow_approve(&context, g.leaf, MEMBERS, g.secret[0], swapped, 100), 0);
}

/* A mark is the same each time in one contract, and has nothing to do with the leaf, with other
 * members' or with the same member's elsewhere. */
static void test_marks(void)
{
    struct group g;
    group_make(&g, MEMBERS, 1);
    uint8_t mark[MEMBERS][2][32];
    for (uint32_t i = 0; i < MEMBERS; i++) {
        dc_member_mark(g.secret[i], &context, mark[i][0]);
        dc_member_mark(g.secret[i], &elsewhere, mark[i][1]);
        for (uint32_t k = 0; k < 2; k++) {
            CU_ASSERT_NOT_EQUAL(memcmp(mark[i][k], g.leaf[i], 32), 0);
            for (uint32_t j = 0; j < i; j++)
                CU_ASSERT_NOT_EQUAL(memcmp(mark[i][k], mark[j][k], 32), 0);
        }
        CU_ASSERT_NOT_EQUAL(memcmp(mark[i][0], mark[i][1], 32), 0);
    }
}

/* One bit in every seventh byte of statement and proof; sizes. */
static void test_mutations(void)
{
    struct group g;
    group_make(&g, 2, 1);
    uint8_t body[BODY_MAX], bytes[DC_ESCROW_STATEMENT_BYTES + BODY_MAX];
    size_t size = dc_escrow_approve(&context, g.leaf, 2, g.secret[1], body, BODY_MAX);
    CU_ASSERT_NOT_EQUAL_FATAL(size, 0);
    dc_escrow_statement(&context, g.root, 2, body, bytes);
    memcpy(bytes + DC_ESCROW_STATEMENT_BYTES, body + 32, size - 32);
    size += DC_ESCROW_STATEMENT_BYTES - 32;
    CU_ASSERT_TRUE(dc_escrow_check(bytes, size));
    uint32_t passed = 0;
    for (size_t at = 0; at < size; at += 7) {
        bytes[at] ^= (uint8_t)(1u << at % 8);
        passed += dc_escrow_check(bytes, size);
        bytes[at] ^= (uint8_t)(1u << at % 8);
    }
    for (size_t cut = 0; cut < 4; cut++)
        passed += dc_escrow_check(bytes, cut == 0 ? 0 : size - 32 * cut);
    CU_ASSERT_EQUAL(passed, 0);
}

static void test_trees(void)
{
    struct group g;
    group_make(&g, 8, 3);
    uint8_t root[32], leaf[3][32];
    CU_ASSERT_FALSE(dc_member_root(g.leaf, 0, root));
    CU_ASSERT_FALSE(dc_member_root(g.leaf, DC_PERMUTATION_LEAVES_MAX + 1, root));
    memcpy(leaf, g.leaf, sizeof leaf);
    CU_ASSERT_TRUE(dc_member_root(leaf, 3, root));
    memcpy(leaf[2], leaf[0], 32);
    CU_ASSERT_FALSE(dc_member_root(leaf, 3, root));
    memset(leaf[2], 0, 32);
    CU_ASSERT_FALSE(dc_member_root(leaf, 3, root));
    memset(leaf[2], 255, 32);
    CU_ASSERT_FALSE(dc_member_root(leaf, 3, root));
}

static void test_terms(void)
{
    struct dc_escrow_terms t = {.tag = 9,
                                .amount = 10,
                                .payee = 3,
                                .members = 4,
                                .threshold = 2,
                                .end = 5},
                           back;
    uint8_t bytes[DC_ESCROW_CREATE_BYTES + 1] = {0};
    dc_escrow_terms_encode(&t, bytes);
    CU_ASSERT_TRUE(dc_escrow_terms_decode(bytes, DC_ESCROW_CREATE_BYTES, &back));
    CU_ASSERT(back.tag == 9 && back.amount == 10 && back.payee == 3 && back.members == 4 &&
              back.threshold == 2 && back.end == 5);
    CU_ASSERT_FALSE(dc_escrow_terms_decode(bytes, sizeof bytes, &back));
    CU_ASSERT_FALSE(dc_escrow_terms_decode(bytes, DC_ESCROW_CREATE_BYTES - 1, &back));
    const struct dc_escrow_terms good = t;
    for (uint32_t i = 0; i < 6; i++) {
        t = good;
        t.amount *= i != 0;
        t.members = i == 1 ? 0 : i == 2 ? DC_PERMUTATION_LEAVES_MAX + 1 : t.members;
        t.threshold = i == 3 ? 0 : i == 4 ? 5 : t.threshold;
        t.end *= i != 5;
        dc_escrow_terms_encode(&t, bytes);
        CU_ASSERT_FALSE(dc_escrow_terms_decode(bytes, DC_ESCROW_CREATE_BYTES, &back));
    }
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"members prove, others cannot", test_members},
        {"marks", test_marks},
        {"mutations", test_mutations},
        {"trees", test_trees},
        {"terms", test_terms},
    };
    return TEST_MAIN("privacy/escrow", cases);
}

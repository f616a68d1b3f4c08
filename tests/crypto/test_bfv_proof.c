/* Proofs of knowing what is in half a ciphertext: taken where it is so, and refused for others'
 * halves, sums of them, other statements and changed bytes. */
#include "models/base/rng.h"
#include "models/crypto/bfv_impl.h"
#include "models/crypto/bfv_proof.h"
#include "models/crypto/crypto.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>

#define HALVES 4

static struct dc_bfv *bfv;
static struct dc_bfv_public key;
static struct dc_bfv_plain plain[HALVES];
static struct dc_bfv_ciphertext half[HALVES];
static uint8_t seeds[HALVES][32], proof[HALVES][DC_BFV_PROOF_BYTES];
static const struct dc_hash about = {"round 3, trainer 5"}, other = {"round 4, trainer 5"};

static void make(void)
{
    struct dc_bfv_secret secret;
    struct dc_stream draws = dc_stream(1, dc_name("test"), dc_name("proofs"));
    static const struct dc_hash common = {"what nobody chose"};
    dc_bfv_secret_make(bfv, (const uint8_t *)"a key that nobody has, in parts", &secret);
    dc_bfv_public_make(bfv, &secret, (const uint8_t *)"a key that nobody has, in parts", &common,
                       &key);
    for (uint32_t k = 0; k < HALVES; k++) {
        for (uint32_t j = 0; j < BFV_N; j++)
            plain[k].v[j] = (uint32_t)dc_next_below(&draws, DC_BFV_PLAIN);
        dc_put64(seeds[k], dc_next64(&draws));
        dc_bfv_encrypt(bfv, &key, &plain[k], seeds[k], &half[k]);
        dc_bfv_prove(bfv, &key, &plain[k], seeds[k], &about, proof[k]);
    }
}

static bool check(const struct dc_bfv_poly *c1, const struct dc_hash *context, const uint8_t *bytes)
{
    return dc_bfv_proof_check(bfv, &key, c1, context, bytes);
}

/* Honest ones pass, are the same each time, and say something else each. */
static void test_honest(void)
{
    uint8_t again[DC_BFV_PROOF_BYTES];
    for (uint32_t k = 0; k < HALVES; k++) {
        CU_ASSERT_TRUE(check(&half[k].c[1], &about, proof[k]));
        dc_bfv_prove(bfv, &key, &plain[k], seeds[k], &about, again);
        CU_ASSERT_EQUAL(memcmp(again, proof[k], sizeof again), 0);
        dc_bfv_prove(bfv, &key, &plain[k], seeds[k], &other, again);
        CU_ASSERT_TRUE(check(&half[k].c[1], &other, again));
        CU_ASSERT_NOT_EQUAL(memcmp(again, proof[k], sizeof again), 0);
        CU_ASSERT_NOT_EQUAL(memcmp(again + DC_HASH_BYTES, proof[k] + DC_HASH_BYTES, 1024), 0);
    }
}

/* Another's half, another statement, another key; and what the attack needs: the negative of a half,
 * sums and differences of halves, with any proof that was ever seen. */
static void test_not_theirs(void)
{
    struct dc_bfv_public changed = key;
    struct dc_bfv_ciphertext sum = {0}, less = {0}, both = half[0];
    changed.digest.b[0] ^= 1;
    for (uint32_t k = 0; k < HALVES; k++) {
        CU_ASSERT_FALSE(check(&half[(k + 1) % HALVES].c[1], &about, proof[k]));
        CU_ASSERT_FALSE(check(&half[k].c[0], &about, proof[k]));
        CU_ASSERT_FALSE(check(&half[k].c[1], &other, proof[k]));
        CU_ASSERT_FALSE(dc_bfv_proof_check(bfv, &changed, &half[k].c[1], &about, proof[k]));
    }
    dc_bfv_sub(&less, &half[0]);
    dc_bfv_add(&sum, &half[0]);
    dc_bfv_add(&sum, &half[1]);
    dc_bfv_sub(&both, &half[1]);
    for (uint32_t k = 0; k < HALVES; k++) {
        CU_ASSERT_FALSE(check(&less.c[1], &about, proof[k]));
        CU_ASSERT_FALSE(check(&sum.c[1], &about, proof[k]));
        CU_ASSERT_FALSE(check(&both.c[1], &about, proof[k]));
    }
    /* Somebody's answers under one's own challenge. */
    for (uint32_t i = DC_HASH_BYTES; i < DC_BFV_PROOF_BYTES; i++)
        proof[2][i] = proof[0][i];
    CU_ASSERT_FALSE(check(&half[2].c[1], &about, proof[2]));
    dc_bfv_prove(bfv, &key, &plain[2], seeds[2], &about, proof[2]);
}

/* One bit: every one of the challenge, and in 61 of the rest one; of the half, some of each prime. */
static void test_bits(void)
{
    uint32_t tried = 0;
    for (size_t bit = 0; bit < 8 * DC_BFV_PROOF_BYTES; bit += bit < 8 * DC_HASH_BYTES ? 1 : 61) {
        proof[0][bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(check(&half[0].c[1], &about, proof[0]));
        proof[0][bit / 8] ^= (uint8_t)(1u << bit % 8);
        tried++;
    }
    CU_ASSERT_EQUAL(tried, 256 + (8 * (DC_BFV_PROOF_BYTES - DC_HASH_BYTES) + 60) / 61);
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        for (uint32_t j = 0; j < BFV_N; j += 97) {
            uint64_t was = half[0].c[1].v[i][j];
            half[0].c[1].v[i][j] = bfv_add(was, 1, bfv_prime[i]);
            CU_ASSERT_FALSE(check(&half[0].c[1], &about, proof[0]));
            half[0].c[1].v[i][j] = was;
        }
    CU_ASSERT_TRUE(check(&half[0].c[1], &about, proof[0]));
}

/* Answers fill their boxes and lean nowhere: what was multiplied into them does not show. */
static void test_answers(void)
{
    const uint32_t bits[2] = {DC_BFV_PROOF_BITS_MASK, DC_BFV_PROOF_BITS_ERROR};
    double sum[2] = {0}, squares[2] = {0}, count = HALVES * (double)BFV_N;
    for (uint32_t k = 0; k < HALVES; k++) {
        const uint8_t *p = proof[k] + DC_HASH_BYTES;
        for (uint32_t b = 0; b < 2; b++) {
            const double box = (double)(1u << (bits[b] - 1));
            for (size_t at = 0; at < (size_t)BFV_N * bits[b]; at += bits[b]) {
                uint32_t v = 0;
                for (uint32_t i = 0; i < bits[b]; i++)
                    v |= (uint32_t)(p[(at + i) / 8] >> (at + i) % 8 & 1) << i;
                sum[b] += (double)v / box - 1;
                squares[b] += ((double)v / box - 1) * ((double)v / box - 1);
            }
            p += (size_t)BFV_N / 8 * bits[b];
        }
    }
    for (uint32_t b = 0; b < 2; b++) { /* mean 0, mean square 1/3, to four deviations */
        CU_ASSERT_DOUBLE_EQUAL(sum[b] / count, 0, 4 * 0.5774 / 128);
        CU_ASSERT_DOUBLE_EQUAL(squares[b] / count, 1.0 / 3, 4 * 0.2981 / 128);
    }
}

/* Our own vector: what these bytes were when they were frozen. */
static void test_frozen(void)
{
    static const char want[] = "c1909021585820f8ade6845d0d414ddb565491814c91290a95491341e9487929";
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, proof, sizeof proof);
    char text[65];
    for (uint32_t i = 0; i < DC_HASH_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", h.b[i]);
    CU_ASSERT_STRING_EQUAL(text, want);
    if (strcmp(text, want) != 0)
        printf("%s\n", text);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"honest", test_honest},   {"not theirs", test_not_theirs}, {"bits", test_bits},
        {"answers", test_answers}, {"frozen", test_frozen},
    };
    dc_crypto_init();
    bfv = dc_bfv_open();
    make();
    int rc = TEST_MAIN("bfv_proof", cases);
    dc_bfv_close(bfv);
    return rc;
}

/* R1CS proofs: a circuit of one, two and no phases; what a proof is bound to; every single-bit
 * mutation; frozen bytes; sizes. */
#include "models/crypto/crypto.h"
#include "models/crypto/gadgets.h"
#include "models/crypto/r1cs.h"
#include "tests/support/harness.h"

#include <string.h>

#define VALUES 4

/* What is shown about four committed values. */
enum kind {
    KIND_LINEAR,  /* they add up to 20: no gate */
    KIND_PRODUCT, /* a b = c + 3 d: one gate */
    KIND_SHUFFLE, /* (a, b) is (c, d) in some order: second phase alone */
    KIND_BOTH     /* the same, and a is below 4 */
};

struct made {
    uint8_t commitment[VALUES][32];
    uint8_t proof[DC_R1CS_PROOF_BYTES_MAX];
    size_t size;
};

static void build(struct dc_circuit *c, const struct dc_sum *v, enum kind kind)
{
    if (kind == KIND_LINEAR) {
        struct dc_sum sum = dc_sum_add(c, &v[0], &v[1]), twenty = dc_sum_u64(c, 20);
        sum = dc_sum_add(c, &sum, &v[2]);
        sum = dc_sum_add(c, &sum, &v[3]);
        dc_circuit_equal(c, &sum, &twenty);
    } else if (kind == KIND_PRODUCT) {
        struct dc_scalar three = dc_scalar_u64(3);
        struct dc_sum product = dc_circuit_multiply(c, &v[0], &v[1], NULL, NULL);
        struct dc_sum right = dc_sum_add_scaled(c, &v[2], &v[3], &three);
        dc_circuit_equal(c, &product, &right);
    } else {
        if (kind == KIND_BOTH)
            dc_gadget_range(c, &v[0], 2, NULL);
        dc_gadget_shuffle(c, v, v + 2, 2);
    }
}

static void make(struct made *m, enum kind kind, const uint64_t value[VALUES], const char *label)
{
    static const uint8_t secret[32] = {1, 2, 3};
    struct dc_transcript t;
    struct dc_circuit c;
    struct dc_sum v[VALUES];
    dc_transcript_init(&t, label);
    dc_circuit_init(&c, &t, true);
    for (uint32_t i = 0; i < VALUES; i++) {
        struct dc_scalar x = dc_scalar_u64(value[i]), blinding = dc_scalar_u64(100 + i);
        v[i] = dc_circuit_commit(&c, &x, &blinding, m->commitment[i]);
    }
    build(&c, v, kind);
    m->size = dc_r1cs_prove(&c, secret, m->proof, sizeof m->proof);
    dc_circuit_free(&c);
    CU_ASSERT_NOT_EQUAL_FATAL(m->size, 0);
}

static bool check(const struct made *m, enum kind kind, const char *label)
{
    struct dc_transcript t;
    struct dc_circuit c;
    struct dc_sum v[VALUES];
    dc_transcript_init(&t, label);
    dc_circuit_init(&c, &t, false);
    for (uint32_t i = 0; i < VALUES; i++)
        v[i] = dc_circuit_committed(&c, m->commitment[i]);
    build(&c, v, kind);
    bool ok = dc_r1cs_verify(&c, m->proof, m->size);
    dc_circuit_free(&c);
    return ok;
}

static const uint64_t good[4][VALUES] = {{5, 6, 7, 2}, {5, 6, 9, 7}, {3, 8, 8, 3}, {3, 8, 8, 3}};

/* --- cases ---------------------------------------------------------------------------------- */

static void test_holds(void)
{
    static const uint64_t bad[4][VALUES] = {{5, 6, 7, 3}, {5, 6, 9, 8}, {3, 8, 8, 8}, {4, 8, 8, 4}};
    struct made m;
    for (enum kind k = KIND_LINEAR; k <= KIND_BOTH; k++) {
        make(&m, k, good[k], "a");
        CU_ASSERT_TRUE(check(&m, k, "a"));
        CU_ASSERT_FALSE(check(&m, k, "b"));
        make(&m, k, bad[k], "a");
        CU_ASSERT_FALSE(check(&m, k, "a"));
    }
}

/* A proof for other commitments, for the same in another order, for another circuit. */
static void test_swapped(void)
{
    struct made m, other;
    for (enum kind k = KIND_LINEAR; k <= KIND_BOTH; k++) {
        make(&m, k, good[k], "a");
        for (uint32_t i = 0; i < VALUES; i++)
            for (uint32_t j = 0; j < i; j++) {
                other = m;
                memcpy(other.commitment[i], m.commitment[j], 32);
                memcpy(other.commitment[j], m.commitment[i], 32);
                CU_ASSERT_FALSE(check(&other, k, "a"));
            }
        for (enum kind l = KIND_LINEAR; l <= KIND_BOTH; l++)
            CU_ASSERT_EQUAL(check(&m, l, "a"), k == l);
    }
}

static void test_mutations(void)
{
    struct made m;
    for (enum kind k = KIND_PRODUCT; k <= KIND_BOTH; k += KIND_BOTH - KIND_PRODUCT) {
        make(&m, k, good[k], "a");
        uint32_t passed = 0;
        for (size_t bit = 0; bit < 8 * m.size; bit++) {
            m.proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
            passed += check(&m, k, "a");
            m.proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t bit = 0; bit < 8 * sizeof m.commitment; bit++) {
            m.commitment[bit / 256][bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
            passed += check(&m, k, "a");
            m.commitment[bit / 256][bit % 256 / 8] ^= (uint8_t)(1u << bit % 8);
        }
        CU_ASSERT_EQUAL(passed, 0);
        CU_ASSERT_TRUE(check(&m, k, "a"));
    }
}

/* Each line of 32 bytes replaced by zeros (the identity, the scalar 0), by l more than it is (not
 * canonical), by 255s; sizes that are off. */
static void test_encodings(void)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    struct made m, kept;
    make(&kept, KIND_BOTH, good[KIND_BOTH], "a");
    uint32_t passed = 0;
    for (size_t at = 0; at < kept.size; at += 32) {
        m = kept;
        memset(m.proof + at, 0, 32);
        passed += check(&m, KIND_BOTH, "a");
        memset(m.proof + at, 255, 32);
        passed += check(&m, KIND_BOTH, "a");
        uint32_t carry = 0;
        for (size_t i = 0; i < 32; i++) {
            carry += (uint32_t)kept.proof[at + i] + order[i];
            m.proof[at + i] = (uint8_t)carry;
            carry >>= 8;
        }
        passed += check(&m, KIND_BOTH, "a");
    }
    m = kept;
    memset(m.commitment[1], 0, 32);
    passed += check(&m, KIND_BOTH, "a");
    for (m = kept, m.size = 0; m.size < kept.size; m.size++)
        passed += check(&m, KIND_BOTH, "a");
    m.size = kept.size + 32;
    passed += check(&m, KIND_BOTH, "a");
    CU_ASSERT_EQUAL(passed, 0);
}

/* The same bytes for the same secret; no nonce in common when anything differs. */
static void test_nonces(void)
{
    struct made a, b, c;
    make(&a, KIND_PRODUCT, good[KIND_PRODUCT], "a");
    make(&b, KIND_PRODUCT, good[KIND_PRODUCT], "a");
    CU_ASSERT_EQUAL(memcmp(a.proof, b.proof, a.size), 0);
    make(&c, KIND_PRODUCT, good[KIND_PRODUCT], "b");
    for (size_t at = 0; at < a.size; at += 32)
        CU_ASSERT_NOT_EQUAL(memcmp(a.proof + at, c.proof + at, 32), 0);
}

/* Our own vectors: hashes of four proofs. */
static void test_frozen(void)
{
    static const char *const hash[4] = {
        "1b31e4ce43b581d90f6669080c2ba99fc125accfc288c734a75f0c3c1379fcc0",
        "68dc4887c3764b9e35df3d806e78fd2564a42d2fcb0048f51f144352cd555ccf",
        "caccf1fb8d8d6b17b75f4d21de55de007aa1717e93af8caffdec44a48b8f3b47",
        "c0d378236b81c934395abbd2bde963a7d0d32fb80052b7c5080d7f979b258275"};
    static const size_t size[4] = {416, 416, 576, 640};
    for (enum kind k = KIND_LINEAR; k <= KIND_BOTH; k++) {
        struct made m;
        make(&m, k, good[k], "frozen");
        CU_ASSERT_EQUAL(m.size, size[k]);
        struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, m.proof, m.size);
        uint8_t expected[32] = {0};
        test_hex(hash[k], expected, sizeof expected);
        CU_ASSERT_EQUAL(memcmp(h.b, expected, 32), 0);
    }
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"what holds is accepted, what does not is not", test_holds},
        {"swapped statements", test_swapped},
        {"every single bit", test_mutations},
        {"encodings", test_encodings},
        {"nonces", test_nonces},
        {"frozen", test_frozen},
    };
    return TEST_MAIN("crypto/r1cs", cases);
}

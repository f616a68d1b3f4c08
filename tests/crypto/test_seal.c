/* Sealed messages between accounts: both agree on the key, and nothing else opens them. */
#include "models/crypto/seal.h"
#include "tests/support/harness.h"

#include <string.h>

static struct dc_keypair a, b, c;
static const struct dc_hash context = {"a context"}, other = {"another"};

static void test_opened(void)
{
    uint8_t at_a[32], at_b[32], sealed[48], plain[32], text[32] = "for one alone";
    CU_ASSERT(dc_seal_key(&a, b.public, &context, 1, 2, at_a));
    CU_ASSERT(dc_seal_key(&b, a.public, &context, 1, 2, at_b));
    CU_ASSERT_EQUAL(memcmp(at_a, at_b, 32), 0);
    dc_seal(at_a, text, sizeof text, sealed);
    CU_ASSERT(dc_seal_open(at_b, sealed, sizeof sealed, plain));
    CU_ASSERT_EQUAL(memcmp(plain, text, sizeof text), 0);
    for (uint32_t bit = 0; bit < sizeof sealed * 8; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_seal_open(at_b, sealed, sizeof sealed, plain));
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < sizeof sealed; size++)
        CU_ASSERT_FALSE(dc_seal_open(at_b, sealed, size, plain));
}

static void test_refused(void)
{
    uint8_t right[32], wrong[32];
    CU_ASSERT(dc_seal_key(&a, b.public, &context, 1, 2, right));
    CU_ASSERT(dc_seal_key(&c, b.public, &context, 1, 2, wrong)); /* somebody else's secret */
    CU_ASSERT_NOT_EQUAL(memcmp(right, wrong, 32), 0);
    CU_ASSERT(dc_seal_key(&a, b.public, &context, 2, 1, wrong)); /* the other way */
    CU_ASSERT_NOT_EQUAL(memcmp(right, wrong, 32), 0);
    CU_ASSERT(dc_seal_key(&a, b.public, &other, 1, 2, wrong));
    CU_ASSERT_NOT_EQUAL(memcmp(right, wrong, 32), 0);
    uint8_t mirror[32]; /* -B: the same point for X25519 */
    memcpy(mirror, b.public, 32);
    mirror[31] ^= 0x80;
    CU_ASSERT(dc_seal_key(&a, mirror, &context, 1, 2, wrong));
    CU_ASSERT_NOT_EQUAL(memcmp(right, wrong, 32), 0);
    uint8_t identity[32] = {1}, zero[32] = {0};
    CU_ASSERT_FALSE(dc_seal_key(&a, identity, &context, 1, 2, wrong));
    CU_ASSERT_FALSE(dc_seal_key(&a, zero, &context, 1, 2, wrong));
    memset(identity, 0xff, 32);
    CU_ASSERT_FALSE(dc_seal_key(&a, identity, &context, 1, 2, wrong));
}

int main(void)
{
    static const struct test_case cases[] = {{"opened by one", test_opened},
                                             {"refused", test_refused}};
    dc_crypto_init();
    const uint8_t one[32] = {1}, two[32] = {2}, three[32] = {3};
    dc_keypair_from_seed(one, &a);
    dc_keypair_from_seed(two, &b);
    dc_keypair_from_seed(three, &c);
    return TEST_MAIN("seal", cases);
}

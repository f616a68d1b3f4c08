/* One-time addresses: both sides agree, nobody else does, and every bit counts. */
#include "models/crypto/clsag.h"
#include "models/crypto/crypto.h"
#include "models/crypto/group.h"
#include "models/crypto/stealth.h"
#include "tests/support/harness.h"

#include <string.h>

static struct dc_stealth_keys alice, bob;

static void seed_of(uint64_t n, uint8_t seed[32])
{
    memset(seed, 0, 32);
    dc_put64(seed, n);
}

static void test_both_sides(void)
{
    for (uint32_t n = 0; n < 50; n++) {
        struct dc_stealth_output o;
        uint8_t seed[32], sent[32], got[32], x[32], key[32];
        bool fits;
        seed_of(n, seed);
        CU_ASSERT_TRUE(dc_stealth_send(&alice.address, seed, n % 4, &o, sent));
        CU_ASSERT_TRUE(
            dc_stealth_recognise(alice.view_secret, alice.address.spend, &o, n % 4, got, &fits));
        CU_ASSERT_TRUE(fits && memcmp(sent, got, 32) == 0);
        CU_ASSERT_FALSE(
            dc_stealth_recognise(alice.view_secret, alice.address.spend, &o, n % 4 + 1, got, NULL));
        CU_ASSERT_FALSE(
            dc_stealth_recognise(bob.view_secret, bob.address.spend, &o, n % 4, got, NULL));
        /* One has the other's view key, or says that another's key is his. */
        CU_ASSERT_FALSE(
            dc_stealth_recognise(alice.view_secret, bob.address.spend, &o, n % 4, got, NULL));
        CU_ASSERT_FALSE(
            dc_stealth_recognise(bob.view_secret, alice.address.spend, &o, n % 4, got, NULL));
        dc_stealth_secret(alice.spend_secret, sent, x);
        struct dc_scalar zero = dc_scalar_zero(), s;
        CU_ASSERT_TRUE(dc_scalar_decode(x, &s));
        struct dc_point p = dc_pedersen(&zero, &s);
        dc_point_encode(&p, key);
        CU_ASSERT_EQUAL(memcmp(key, o.key, 32), 0);
    }
}

/* No two outputs share a key, an ephemeral key, a mask or a blinding. */
static void test_unlinked(void)
{
    enum { COUNT = 40 };
    static uint8_t seen[COUNT][5][32];
    for (uint32_t n = 0; n < COUNT; n++) {
        struct dc_stealth_output o;
        uint8_t seed[32], shared[32], zero[8] = {0};
        seed_of(n / 2, seed);
        const struct dc_stealth_keys *to = n % 2 == 0 ? &alice : &bob;
        CU_ASSERT_TRUE(dc_stealth_send(&to->address, seed, 0, &o, shared));
        memcpy(seen[n][0], o.key, 32);
        memcpy(seen[n][1], o.ephemeral, 32);
        memcpy(seen[n][2], shared, 32);
        dc_stealth_mask(shared, zero, seen[n][3]);
        dc_stealth_blinding(shared, seen[n][4]);
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t what = 0; what < 5; what++)
                CU_ASSERT_NOT_EQUAL(memcmp(seen[n][what], seen[k][what], 32), 0);
    }
}

static void test_every_bit(void)
{
    struct dc_stealth_output o;
    uint8_t seed[32], shared[32], *bytes = (uint8_t *)&o;
    uint32_t found = 0;
    CU_ASSERT_EQUAL(sizeof o, 65);
    seed_of(9, seed);
    CU_ASSERT_TRUE(dc_stealth_send(&alice.address, seed, 0, &o, shared));
    for (size_t bit = 0; bit < 8 * sizeof o; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        found += dc_stealth_recognise(alice.view_secret, alice.address.spend, &o, 0, shared, NULL);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_EQUAL(found, 0);
}

static void test_amounts(void)
{
    static const uint64_t amounts[] = {0, 1, 1000000, UINT64_MAX};
    struct dc_stealth_output o;
    uint8_t seed[32], shared[32], in[8], out[8], back[8];
    seed_of(3, seed);
    CU_ASSERT_TRUE(dc_stealth_send(&bob.address, seed, 0, &o, shared));
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        dc_put64(in, amounts[i]);
        dc_stealth_mask(shared, in, out);
        dc_stealth_mask(shared, out, back);
        CU_ASSERT_NOT_EQUAL(memcmp(in, out, 8), 0);
        CU_ASSERT_EQUAL(memcmp(in, back, 8), 0);
    }
}

static void test_nonsense(void)
{
    struct dc_stealth_address to = alice.address;
    struct dc_stealth_output o;
    uint8_t seed[32], shared[32];
    seed_of(4, seed);
    memset(to.view, 0, 32);
    CU_ASSERT_FALSE(dc_stealth_send(&to, seed, 0, &o, shared));
    to = alice.address;
    memset(to.spend, 0, 32);
    CU_ASSERT_FALSE(dc_stealth_send(&to, seed, 0, &o, shared));
    memset(to.spend, 0xff, 32);
    CU_ASSERT_FALSE(dc_stealth_send(&to, seed, 0, &o, shared));
    CU_ASSERT_TRUE(dc_stealth_send(&alice.address, seed, 0, &o, shared));
    memset(o.ephemeral, 0, 32);
    CU_ASSERT_FALSE(
        dc_stealth_recognise(alice.view_secret, alice.address.spend, &o, 0, shared, NULL));
}

static void test_frozen(void)
{
    struct dc_stealth_output o;
    struct dc_hasher h;
    uint8_t seed[32], shared[32], x[32], blinding[32], expect[32];
    seed_of(5, seed);
    CU_ASSERT_TRUE(dc_stealth_send(&bob.address, seed, 1, &o, shared));
    dc_stealth_secret(bob.spend_secret, shared, x);
    dc_stealth_blinding(shared, blinding);
    dc_hasher_init(&h, DC_DOMAIN_TEST);
    dc_hasher_update(&h, &bob, sizeof bob);
    dc_hasher_update(&h, &o, sizeof o);
    dc_hasher_update(&h, shared, sizeof shared);
    dc_hasher_update(&h, x, sizeof x);
    dc_hasher_update(&h, blinding, sizeof blinding);
    struct dc_hash got = dc_hasher_final(&h);
    CU_ASSERT_EQUAL(test_hex("bc258bc1f458f3379c8a7433a0fe8aaaad89d96093fafbead4b774977600f2d5",
                             expect, sizeof expect),
                    32);
    CU_ASSERT_EQUAL(memcmp(got.b, expect, 32), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"both sides agree, others do not", test_both_sides},
        {"outputs have nothing in common", test_unlinked},
        {"every bit of an output", test_every_bit},
        {"amounts", test_amounts},
        {"keys that are none", test_nonsense},
        {"frozen", test_frozen},
    };
    uint8_t seed[32];
    dc_crypto_init();
    seed_of(1000, seed);
    dc_stealth_keys_from_seed(seed, &alice);
    seed_of(2000, seed);
    dc_stealth_keys_from_seed(seed, &bob);
    return TEST_MAIN("stealth", cases);
}

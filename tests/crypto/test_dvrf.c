/* One value for a message, whichever t holders make it; shares that are wrong are known. */
#include "models/crypto/crypto.h"
#include "models/crypto/dvrf.h"
#include "tests/crypto/dealt.h"

#define COUNT 6
#define THRESHOLD 4

static void shares_of(const struct dealt *d, const char *message,
                      uint8_t share[COUNT][DC_DVRF_SHARE_BYTES])
{
    for (uint32_t i = 0; i < COUNT; i++)
        dc_dvrf_share(d->secret[i], message, strlen(message), share[i]);
}

static void combine(uint8_t share[COUNT][DC_DVRF_SHARE_BYTES], const uint32_t *member,
                    uint32_t count, uint8_t out[32])
{
    uint8_t sigma[COUNT][32];
    for (uint32_t i = 0; i < count; i++)
        memcpy(sigma[i], share[member[i]], 32);
    CU_ASSERT_TRUE(dc_dvrf_combine(member, (const uint8_t(*)[32])sigma, count, out));
}

static void test_unique(void)
{
    struct dealt d;
    dealt_make(COUNT, THRESHOLD, 1, &d);
    uint8_t share[COUNT][DC_DVRF_SHARE_BYTES], value[20][32];
    uint32_t member[COUNT];
    for (uint32_t m = 0; m < 20; m++) {
        char message[2] = {(char)('a' + m), 0};
        shares_of(&d, message, share);
        for (uint32_t i = 0; i < COUNT; i++)
            CU_ASSERT_TRUE(dc_dvrf_check(d.share_key[i], message, 1, share[i]));
        for (uint32_t size = THRESHOLD; size <= COUNT; size++)
            for (uint32_t which = 0; dealt_subset(COUNT, size, which, member); which++) {
                uint8_t other[32];
                combine(share, member, size, other);
                if (size == THRESHOLD && which == 0)
                    memcpy(value[m], other, 32);
                CU_ASSERT_EQUAL(memcmp(other, value[m], 32), 0);
            }
        for (uint32_t which = 0; dealt_subset(COUNT, THRESHOLD - 1, which, member); which++) {
            uint8_t other[32]; /* t-1 give something else, another for each of them */
            combine(share, member, THRESHOLD - 1, other);
            CU_ASSERT_NOT_EQUAL(memcmp(other, value[m], 32), 0);
        }
        for (uint32_t k = 0; k < m; k++)
            CU_ASSERT_NOT_EQUAL(memcmp(value[k], value[m], 32), 0);
    }
}

static void test_refused(void)
{
    struct dealt d;
    dealt_make(COUNT, THRESHOLD, 2, &d);
    uint8_t share[COUNT][DC_DVRF_SHARE_BYTES], other[COUNT][DC_DVRF_SHARE_BYTES], mixed[96];
    shares_of(&d, "one", share);
    shares_of(&d, "two", other);
    CU_ASSERT_FALSE(dc_dvrf_check(d.share_key[0], "two", 3, share[0]));
    CU_ASSERT_FALSE(dc_dvrf_check(d.share_key[1], "one", 3, share[0]));
    memcpy(mixed, share[0], 96);
    memcpy(mixed, other[0], 32); /* another message's sigma under this one's proof */
    CU_ASSERT_FALSE(dc_dvrf_check(d.share_key[0], "one", 3, mixed));
    CU_ASSERT_FALSE(dc_dvrf_check(d.share_key[0], "two", 3, mixed));
    for (size_t bit = 0; bit < 8 * DC_DVRF_SHARE_BYTES; bit++) {
        share[3][bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_dvrf_check(d.share_key[3], "one", 3, share[3]));
        share[3][bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t line = 0; line < 3; line++) {
        memcpy(mixed, share[3], 96);
        memset(mixed + 32 * line, 0, 32);
        CU_ASSERT_FALSE(dc_dvrf_check(d.share_key[3], "one", 3, mixed));
    }
    for (size_t bit = 0; bit < 256; bit++) {
        d.share_key[3][bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_dvrf_check(d.share_key[3], "one", 3, share[3]));
        d.share_key[3][bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_TRUE(dc_dvrf_check(d.share_key[3], "one", 3, share[3]));
}

/* Frozen: what these seeds give for a message, so that the encoding does not change unnoticed. */
static void test_frozen(void)
{
    struct dealt d;
    dealt_make(COUNT, THRESHOLD, 3, &d);
    uint8_t share[COUNT][DC_DVRF_SHARE_BYTES], value[32], want[32];
    const uint32_t member[THRESHOLD] = {0, 1, 2, 3};
    shares_of(&d, "height", share);
    combine(share, member, THRESHOLD, value);
    CU_ASSERT_EQUAL_FATAL(
        test_hex("3c82c208ea1828cc9d7a82fc7e91cbc43b28fdb68538d6db9418c7892b43ea12", want, 32), 32);
    CU_ASSERT_EQUAL(memcmp(value, want, 32), 0);
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"one value", test_unique}, {"refused", test_refused}, {"frozen", test_frozen}};
    return TEST_MAIN("dvrf", cases);
}

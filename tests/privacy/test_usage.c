/* A usage report holds what it says and is small; every bit of it and of its context counts. */
#include "models/crypto/crypto.h"
#include "models/privacy/usage.h"
#include "tests/support/harness.h"

static struct dc_scalar secret; /* of the group's key */

static struct dc_usage_context context(uint8_t bits)
{
    struct dc_usage_context c = {.chain = 7, .contract = 3, .reporter = 12, .bits = bits};
    struct dc_point key = dc_lifted_key(&secret);
    dc_point_encode(&key, c.group_key);
    return c;
}

static void test_reports(void)
{
    static const struct {
        uint8_t bits;
        uint64_t v;
    } cases[] = {{8, 0}, {8, 255}, {16, 1}, {16, 65535}, {32, 0}, {32, 77777}, {32, UINT32_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dc_usage_context c = context(cases[i].bits);
        uint8_t report[DC_USAGE_REPORT_BYTES_MAX], again[DC_USAGE_REPORT_BYTES_MAX];
        const uint8_t seed[32] = {1};
        size_t size = dc_usage_report_make(&c, seed, cases[i].v, report);
        CU_ASSERT_EQUAL_FATAL(size, dc_usage_report_bytes(cases[i].bits));
        CU_ASSERT_TRUE(dc_usage_report_check(&c, report, size));
        struct dc_elgamal sealed;
        CU_ASSERT_TRUE(dc_elgamal_decode(report, &sealed));
        struct dc_point open = dc_lifted_open(&secret, &sealed);
        struct dc_scalar v = dc_scalar_u64(cases[i].v);
        struct dc_point want = dc_point_mul_base(&v);
        CU_ASSERT_TRUE(dc_point_equal(&open, &want));
        CU_ASSERT_EQUAL(dc_usage_report_make(&c, seed, cases[i].v, again), size);
        CU_ASSERT_EQUAL(memcmp(report, again, size), 0); /* no entropy */
        CU_ASSERT_EQUAL(dc_usage_report_make(&c, seed, (uint64_t)1 << cases[i].bits, again), 0);
        struct dc_usage_context other = c; /* said to be of another width */
        other.bits = c.bits == 8 ? 16 : 8;
        CU_ASSERT_FALSE(dc_usage_report_check(&other, report, size));
    }
}

static void test_bits(void)
{
    struct dc_usage_context c = context(8);
    uint8_t report[DC_USAGE_REPORT_BYTES_MAX], b[DC_USAGE_STATEMENT_BYTES_MAX];
    const uint8_t seed[32] = {2};
    size_t size = dc_usage_report_make(&c, seed, 200, report), taken = 0;
    size = dc_usage_statement(&c, report, size, b);
    CU_ASSERT_TRUE_FATAL(dc_usage_statement_check(b, size));
    for (size_t bit = 0; bit < 8 * size; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        taken += dc_usage_statement_check(b, size);
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_EQUAL(taken, 0);
    for (size_t line = 17; line < size; line += 32) {
        uint8_t kept[32];
        memcpy(kept, b + line, 32);
        memset(b + line, 0, 32); /* identities, and zeros for scalars */
        CU_ASSERT_FALSE(dc_usage_statement_check(b, size));
        memcpy(b + line, kept, 32);
    }
    CU_ASSERT_FALSE(dc_usage_statement_check(b, size - 1));
    CU_ASSERT_FALSE(dc_usage_statement_check(b, DC_USAGE_STATEMENT_BYTES));
    CU_ASSERT_FALSE(dc_usage_statement_check(b, 3));
}

/* One reporter's ciphertext is not another's, even when it is multiplied or shifted by what is
 * public: the proof is of r and v. */
static void test_swapped(void)
{
    struct dc_usage_context c = context(16), d = c;
    uint8_t a[DC_USAGE_REPORT_BYTES_MAX], b[DC_USAGE_REPORT_BYTES_MAX], mixed[sizeof a];
    const uint8_t seed[32] = {3}, other[32] = {4};
    size_t size = dc_usage_report_make(&c, seed, 5, a);
    d.reporter++;
    CU_ASSERT_EQUAL(dc_usage_report_make(&d, other, 5, b), size);
    CU_ASSERT_TRUE(dc_usage_report_check(&d, b, size));
    CU_ASSERT_FALSE(dc_usage_report_check(&d, a, size)); /* copied */
    static const size_t part[] = {0, 32, 64, 96, 288};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        size_t end = i + 1 < sizeof part / sizeof part[0] ? part[i + 1] : size;
        memcpy(mixed, b, size);
        memcpy(mixed + part[i], a + part[i], end - part[i]);
        CU_ASSERT_FALSE(dc_usage_report_check(&d, mixed, size));
    }
    /* c2 + B says one more than is proved */
    struct dc_elgamal sealed;
    CU_ASSERT_TRUE(dc_elgamal_decode(b, &sealed));
    struct dc_point base = dc_point_base();
    sealed.second = dc_point_add(&sealed.second, &base);
    dc_elgamal_encode(&sealed, b);
    CU_ASSERT_FALSE(dc_usage_report_check(&d, b, size));
}

static void test_terms(void)
{
    struct dc_usage_terms t = {.payee = 1,
                               .bits = 32,
                               .count = DC_USAGE_REPORTERS_MAX,
                               .bound = 2,
                               .amount = 3,
                               .close = 4,
                               .end = 5,
                               .tag = 6},
                          back;
    for (uint32_t i = 0; i < DC_USAGE_REPORTERS_MAX; i++)
        t.reporter[i] = 10 * i;
    uint8_t b[DC_USAGE_NEW_BYTES_MAX], again[DC_USAGE_NEW_BYTES_MAX];
    size_t size = dc_usage_terms_encode(&t, b);
    CU_ASSERT_EQUAL(size, DC_USAGE_NEW_BYTES_MAX);
    CU_ASSERT_TRUE(dc_usage_terms_decode(b, size, &back));
    CU_ASSERT_EQUAL(dc_usage_terms_encode(&back, again), size);
    CU_ASSERT_EQUAL(memcmp(b, again, size), 0);
    CU_ASSERT_FALSE(dc_usage_terms_decode(b, size - 1, &back));
    for (size_t cut = 0; cut < 60; cut++)
        CU_ASSERT_FALSE(dc_usage_terms_decode(b, cut, &back));
    for (size_t bit = 0; bit < 8 * size; bit++) { /* canonical: other bytes, other terms, or none */
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (dc_usage_terms_decode(b, size, &back)) {
            CU_ASSERT_EQUAL(dc_usage_terms_encode(&back, again), size);
            CU_ASSERT_EQUAL(memcmp(b, again, size), 0);
        }
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    dc_crypto_init();
    uint8_t wide[64] = {9};
    secret = dc_scalar_wide(wide);
    static const struct test_case cases[] = {{"reports", test_reports},
                                             {"every bit", test_bits},
                                             {"swapped", test_swapped},
                                             {"terms", test_terms}};
    return TEST_MAIN("privacy/usage", cases);
}

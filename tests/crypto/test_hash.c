/* Hashing: published BLAKE2b answers for the library, an independent implementation's answers
 * (Python's hashlib, person=) for the domains, and the shape of the interface. */
#include "models/crypto/crypto.h"
#include "models/crypto/hash.h"
#include "tests/support/child.h"
#include "tests/support/harness.h"

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/randombytes.h>
#include <stdlib.h>
#include <string.h>

static void expect_hex(const uint8_t *bytes, size_t size, const char *hex)
{
    uint8_t want[64];
    CU_ASSERT_EQUAL_FATAL(test_hex(hex, want, sizeof want), size);
    CU_ASSERT_EQUAL(memcmp(bytes, want, size), 0);
}

/* RFC 7693, appendix A: BLAKE2b-512("abc"). */
static void test_rfc7693(void)
{
    uint8_t out[64];
    crypto_generichash_blake2b(out, sizeof out, (const uint8_t *)"abc", 3, NULL, 0);
    expect_hex(out, 64,
               "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
               "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

/* blake2b-kat.txt: 256 keyed answers, "in:", "key:" and "hash:" lines. */
static void test_kat(void)
{
    size_t size;
    char *text = test_shared_file("vectors/blake2/blake2b-kat.txt", &size);
    if (text == NULL)
        return;
    uint8_t in[256], key[64], want[64], got[64];
    size_t in_size = 0, key_size = 0, count = 0;
    for (char *line = strtok(text, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
        char *value = strchr(line, '\t');
        CU_ASSERT_PTR_NOT_NULL_FATAL(value);
        value++;
        if (strncmp(line, "in:", 3) == 0) {
            in_size = test_hex(value, in, sizeof in);
            CU_ASSERT_NOT_EQUAL_FATAL(in_size, SIZE_MAX);
        } else if (strncmp(line, "key:", 4) == 0) {
            key_size = test_hex(value, key, sizeof key);
            CU_ASSERT_EQUAL_FATAL(key_size, 64);
        } else {
            CU_ASSERT_EQUAL_FATAL(test_hex(value, want, sizeof want), 64);
            crypto_generichash_blake2b(got, 64, in, in_size, key, key_size);
            CU_ASSERT_EQUAL(memcmp(got, want, 64), 0);
            count++;
        }
    }
    CU_ASSERT_EQUAL(count, 256);
    free(text);
}

static void test_domains(void)
{
    static const struct {
        enum dc_domain domain;
        size_t size;
        const char *hex;
    } answers[] = {
        /* python: p = blake2b(name, digest_size=16); blake2b(data, digest_size=32, person=p);
         * data is bytes(range(size)), or b"abc" for size 3 */
        {DC_DOMAIN_BLOCK, 0, "03a3adee9a5e13b92a246859c8df7d4371aac82135d6b62bd3eac2bff4fb621b"},
        {DC_DOMAIN_BLOCK, 3, "905d00f37f188beb54f224763fa9b662c523ddc641ecb88ca62ec735454ee800"},
        {DC_DOMAIN_BLOCK, 200, "a1ec5de5dd4ae9f569bebc864875b8c06b4ce85436d699cc96d633247278cc16"},
        {DC_DOMAIN_VOTE, 0, "7bf861856fa170bbda920602f4e092c9bb444eef1af2f9ba1124dac9c8e84d97"},
        {DC_DOMAIN_VOTE, 3, "6cdfb89ef648bfee0cca1b6f7666bfa4f131b8f3a4322008d8233077c0a557af"},
        {DC_DOMAIN_VOTE, 200, "03b260898ffa575c016917c0921e58a97b43394a7b02d11c888bd904fe7e766f"},
        {DC_DOMAIN_TEST, 3, "4b7f54aa86e7b2ddd91d56629ee360352f2d6f332660b81d9c7560fa32217875"},
        {DC_DOMAIN_TEST, 200, "6f146d0a4e90d85ce3e4357cc07a90b8358cb39af4c48d5bae0c9c0e19859dfc"},
    };
    uint8_t data[200];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const void *in = answers[i].size == 3 ? (const void *)"abc" : data;
        struct dc_hash h = dc_hash_bytes(answers[i].domain, in, answers[i].size);
        expect_hex(h.b, 32, answers[i].hex);
    }
}

static void test_domains_differ(void)
{
    struct dc_hash h[DC_DOMAIN_COUNT];
    for (int d = 0; d < DC_DOMAIN_COUNT; d++) {
        CU_ASSERT_EQUAL(strncmp(dc_domain_name((enum dc_domain)d), "destra/", 7), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(dc_domain_name((enum dc_domain)d), "/v1/"));
        h[d] = dc_hash_bytes((enum dc_domain)d, "x", 1);
        for (int e = 0; e < d; e++)
            CU_ASSERT_FALSE(dc_hash_equal(&h[d], &h[e]));
    }
}

static void test_parts(void)
{
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    struct dc_hash whole = dc_hash_bytes(DC_DOMAIN_TEST, data, sizeof data);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        struct dc_hasher h;
        dc_hasher_init(&h, DC_DOMAIN_TEST);
        dc_hasher_update(&h, data, cut);
        dc_hasher_update(&h, data + cut, sizeof data - cut);
        struct dc_hash parts = dc_hasher_final(&h);
        CU_ASSERT(dc_hash_equal(&parts, &whole));
    }
    struct dc_hash l = dc_hash_bytes(DC_DOMAIN_TEST, "l", 1),
                   r = dc_hash_bytes(DC_DOMAIN_TEST, "r", 1);
    memcpy(data, l.b, 32);
    memcpy(data + 32, r.b, 32);
    struct dc_hash pair = dc_hash_pair(DC_DOMAIN_TEST, &l, &r);
    struct dc_hash both = dc_hash_bytes(DC_DOMAIN_TEST, data, 64);
    CU_ASSERT(dc_hash_equal(&pair, &both));
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_TEST);
    dc_hasher_update64(&h, UINT64_C(0x0807060504030201));
    struct dc_hash number = dc_hasher_final(&h);
    struct dc_hash bytes = dc_hash_bytes(DC_DOMAIN_TEST, "\1\2\3\4\5\6\7\10", 8);
    CU_ASSERT(dc_hash_equal(&number, &bytes));
}

static void test_compare(void)
{
    struct dc_hash a = {{1, 2, 3, 4, 5, 6, 7, 8, 9}}, b = a, zero = {{0}};
    CU_ASSERT_EQUAL(dc_hash_u64(&a), UINT64_C(0x0807060504030201));
    CU_ASSERT_EQUAL(dc_hash_compare(&a, &b), 0);
    b.b[31] = 1;
    CU_ASSERT(dc_hash_compare(&a, &b) < 0 && dc_hash_compare(&b, &a) > 0);
    CU_ASSERT(!dc_hash_equal(&a, &b) && dc_hash_is_zero(&zero) && !dc_hash_is_zero(&b));
}

/* SipHash-2-4 (Aumasson and Bernstein 2012) written again, to pin the key and the byte order. */
static uint64_t sip(const uint8_t *in, size_t size, uint64_t k0, uint64_t k1)
{
    uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
#define ROTL(x, n) ((x) << (n) | (x) >> (64 - (n)))
    for (size_t i = 0; i <= size / 8 + 1; i++) {
        uint64_t m = 0;
        for (size_t j = 0; j < 8 && 8 * i + j < size; j++)
            m |= (uint64_t)in[8 * i + j] << 8 * j;
        if (i == size / 8)
            m |= (uint64_t)size << 56;
        int rounds = i <= size / 8 ? 2 : 4;
        if (rounds == 4)
            v[2] ^= 0xff;
        else
            v[3] ^= m;
        for (int r = 0; r < rounds; r++) {
            v[0] += v[1], v[1] = ROTL(v[1], 13) ^ v[0], v[0] = ROTL(v[0], 32);
            v[2] += v[3], v[3] = ROTL(v[3], 16) ^ v[2];
            v[0] += v[3], v[3] = ROTL(v[3], 21) ^ v[0];
            v[2] += v[1], v[1] = ROTL(v[1], 17) ^ v[2], v[2] = ROTL(v[2], 32);
        }
        if (rounds == 2)
            v[0] ^= m;
    }
#undef ROTL
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void test_digest(void)
{
    uint8_t data[100];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    /* The paper's own example, to trust the copy: key 00..0f, message 00..0e. */
    CU_ASSERT_EQUAL(sip(data, 15, UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)),
                    UINT64_C(0xa129ca6149be45e5));
    for (size_t n = 0; n <= sizeof data; n++)
        CU_ASSERT_EQUAL(dc_digest64(data, n),
                        sip(data, n, UINT64_C(0xd308a385886a3f24), UINT64_C(0x447370032e8a1913)));
}

static void draw_entropy(void)
{
    uint8_t b[8];
    randombytes_buf(b, sizeof b);
}

static void test_no_entropy(void)
{
    char said[256];
    CU_ASSERT(test_child(draw_entropy, said, sizeof said) != 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "entropy"));
}

int main(void)
{
    dc_crypto_init();
    dc_crypto_init(); /* again does nothing */
    static const struct test_case cases[] = {
        {"a stray draw of entropy aborts", test_no_entropy},
        {"RFC 7693", test_rfc7693},
        {"256 keyed published answers", test_kat},
        {"domains against hashlib", test_domains},
        {"all domains differ", test_domains_differ},
        {"parts give the whole", test_parts},
        {"order, equality, number", test_compare},
        {"digest64 is SipHash-2-4", test_digest},
    };
    return TEST_MAIN("crypto/hash", cases);
}

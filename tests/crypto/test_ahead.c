/* Checks run ahead by idle threads: the answers are the same, only earlier. */
#include "models/crypto/crypto.h"
#include "models/crypto/vrf.h"
#include "tests/support/harness.h"

#include <omp.h>
#include <string.h>

enum { SIGNED = 400 };

struct statement {
    uint8_t text[100];
    size_t size;
    uint8_t signature[64];
    bool valid;
};

static struct dc_keypair key;
static struct statement statements[SIGNED];

static void prepare(void)
{
    struct dc_crypto c = {.suite = DC_SUITE_REAL};
    uint8_t seed[32];
    dc_seed_derive(1, 1, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &key);
    for (int i = 0; i < SIGNED; i++) {
        struct statement *s = &statements[i];
        s->size = (size_t)i % sizeof s->text;
        memset(s->text, i, s->size);
        dc_sign(&c, &key, s->text, s->size, s->signature);
        s->valid = i % 3 != 0;
        if (!s->valid)
            s->signature[i % 64] ^= (uint8_t)(1 << i % 8);
    }
}

static struct dc_crypto opened(size_t jobs)
{
    struct dc_crypto c;
    CU_ASSERT_EQUAL_FATAL(dc_crypto_open(&c, DC_SUITE_REAL, 1 << 20, jobs, NULL), DC_OK);
    return c;
}

static bool offer(const struct dc_crypto *c, const struct statement *s)
{
    return dc_crypto_offer(c, key.public, s->text, s->size, s->signature);
}

static bool verify(const struct dc_crypto *c, const struct statement *s)
{
    return dc_verify(c, key.public, s->text, s->size, s->signature);
}

static void test_ahead(void)
{
    struct dc_crypto c = opened(16);
    CU_ASSERT_FALSE(dc_crypto_work(&c));
    for (int i = 0; i < 16; i++)
        CU_ASSERT_TRUE(offer(&c, &statements[i]));
    CU_ASSERT_FALSE(offer(&c, &statements[16])); /* full */
    for (int i = 0; i < 16; i++)
        CU_ASSERT_TRUE(dc_crypto_work(&c));
    CU_ASSERT_FALSE(dc_crypto_work(&c));
    for (int i = 0; i < 16; i++)
        CU_ASSERT_EQUAL(verify(&c, &statements[i]), statements[i].valid);
    CU_ASSERT_EQUAL(c.counts->logical[DC_OP_VERIFY], 16);
    CU_ASSERT_EQUAL(c.counts->actual[DC_OP_VERIFY], 0); /* all done before they were asked for */
    CU_ASSERT_EQUAL(c.counts->logical[DC_OP_AHEAD], 16);
    CU_ASSERT_EQUAL(c.counts->actual[DC_OP_AHEAD], 16);
    dc_crypto_close(&c);
}

static void test_vrf_ahead(void)
{
    struct dc_crypto c = opened(4);
    uint8_t proof[80], beta[64], got[64];
    dc_vrf_prove(NULL, &key, "alpha", 5, proof, beta, NULL);
    CU_ASSERT_TRUE(dc_crypto_offer_vrf(&c, key.public, "alpha", 5, proof));
    CU_ASSERT_TRUE(dc_crypto_work(&c));
    CU_ASSERT_TRUE(dc_vrf_check(&c, key.public, "alpha", 5, proof, got));
    CU_ASSERT_EQUAL(memcmp(got, beta, 64), 0);
    CU_ASSERT_EQUAL(c.counts->actual[DC_OP_VRF_VERIFY], 0);
    dc_crypto_close(&c);
}

static void test_refused(void)
{
    uint8_t text[DC_OFFER_MESSAGE_BYTES_MAX + 1] = {0}, proof[80] = {0};
    struct dc_crypto none = {.suite = DC_SUITE_REAL}, c = opened(4);
    CU_ASSERT_FALSE(dc_crypto_offer(&none, key.public, text, 1, proof));
    CU_ASSERT_FALSE(dc_crypto_offer_vrf(&none, key.public, text, 1, proof));
    CU_ASSERT_FALSE(dc_crypto_work(&none));
    CU_ASSERT_FALSE(dc_crypto_offer(&c, key.public, text, sizeof text, proof));
    CU_ASSERT_TRUE(dc_crypto_offer(&c, key.public, text, sizeof text - 1, proof));
    c.suite = DC_SUITE_MODELLED;
    CU_ASSERT_FALSE(dc_crypto_offer(&c, key.public, text, 1, proof));
    dc_crypto_close(&c);
}

/* Two threads offer and ask, two work; every answer is right, and every offer taken is done. */
static void test_threads(void)
{
    struct dc_crypto c = opened(64);
    uint64_t wrong = 0, taken = 0, asked = 0;
    _Atomic int asking = 2;
#pragma omp parallel num_threads(4) reduction(+ : wrong, taken, asked)
    {
        int me = omp_get_thread_num();
        if (me < 2) {
            for (int round = 0; round < 20; round++) {
                for (int i = me; i < SIGNED; i += 2)
                    taken += offer(&c, &statements[i]);
                for (int i = SIGNED - 1; i >= 0; i--, asked++)
                    wrong += verify(&c, &statements[i]) != statements[i].valid;
            }
            atomic_fetch_sub(&asking, 1);
        } else {
            while (dc_crypto_work(&c) || atomic_load(&asking) != 0)
                continue;
        }
    }
    while (dc_crypto_work(&c))
        continue;
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(taken >= 64);
    CU_ASSERT_EQUAL(c.counts->logical[DC_OP_AHEAD], taken);
    CU_ASSERT_EQUAL(c.counts->actual[DC_OP_AHEAD], taken);
    CU_ASSERT_EQUAL(c.counts->logical[DC_OP_VERIFY], asked);
    dc_crypto_close(&c);
}

int main(void)
{
    dc_crypto_init();
    prepare();
    static const struct test_case cases[] = {
        {"done before asked for", test_ahead},
        {"VRF proofs too", test_vrf_ahead},
        {"refused", test_refused},
        {"threads", test_threads},
    };
    return TEST_MAIN("crypto/ahead", cases);
}

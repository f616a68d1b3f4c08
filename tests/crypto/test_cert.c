/* Certificates: the chain root -> registrar -> node, each verdict, every bit and every length. */
#include "models/crypto/cert.h"
#include "tests/support/harness.h"

#include <string.h>

enum { CHAIN = 77 };

static struct {
    struct dc_keypair root, registrar, node, node_vrf;
    struct dc_cert certs[3];
} pki;

static struct dc_keypair keypair(uint64_t owner, enum dc_key_use use)
{
    uint8_t seed[32];
    struct dc_keypair key;
    dc_seed_derive(3, owner, use, 0, seed);
    dc_keypair_from_seed(seed, &key);
    return key;
}

static struct dc_cert cert(uint8_t level, uint32_t roles, uint64_t subject, uint64_t issuer,
                           const struct dc_keypair *key)
{
    uint8_t seed[32];
    struct dc_exchange exchange;
    struct dc_keypair vrf = keypair(subject, DC_KEY_VRF);
    struct dc_cert c = {.level = level,
                        .roles = roles,
                        .chain = CHAIN,
                        .serial = 100 + subject,
                        .subject = subject,
                        .issuer = issuer,
                        .from_height = 10,
                        .end_height = 1000};
    dc_seed_derive(3, subject, DC_KEY_EXCHANGE, 0, seed);
    dc_exchange_from_seed(seed, &exchange);
    memcpy(c.signing, key->public, 32);
    memcpy(c.exchange, exchange.public, 32);
    memcpy(c.vrf, vrf.public, 32);
    return c;
}

static void issue(const struct dc_crypto *c)
{
    pki.root = keypair(1, DC_KEY_SIGN);
    pki.registrar = keypair(2, DC_KEY_SIGN);
    pki.node = keypair(3, DC_KEY_SIGN);
    pki.certs[0] = cert(DC_CERT_ROOT, DC_ROLE_ROOT, 1, 1, &pki.root);
    pki.certs[1] = cert(DC_CERT_REGISTRAR, DC_ROLE_REGISTRAR, 2, 1, &pki.registrar);
    pki.certs[2] = cert(DC_CERT_NODE, DC_ROLE_VALIDATOR | DC_ROLE_STORAGE, 3, 2, &pki.node);
    dc_cert_sign(c, &pki.root, &pki.certs[0]);
    dc_cert_sign(c, &pki.root, &pki.certs[1]);
    dc_cert_sign(c, &pki.registrar, &pki.certs[2]);
}

static enum dc_cert_verdict chain_verdict(const struct dc_crypto *c, size_t count, uint64_t height,
                                          uint32_t roles)
{
    return dc_cert_chain_verify(c, pki.certs, count, CHAIN, pki.root.public, height, roles);
}

static void test_chain(void)
{
    struct dc_crypto c = {.suite = DC_SUITE_REAL};
    issue(&c);
    CU_ASSERT_EQUAL(chain_verdict(&c, 3, 10, DC_ROLE_VALIDATOR), DC_CERT_OK);
    CU_ASSERT_EQUAL(chain_verdict(&c, 3, 999, DC_ROLE_VALIDATOR | DC_ROLE_STORAGE), DC_CERT_OK);
    CU_ASSERT_EQUAL(chain_verdict(&c, 2, 10, DC_ROLE_REGISTRAR), DC_CERT_OK);
    CU_ASSERT_EQUAL(chain_verdict(&c, 1, 10, 0), DC_CERT_OK);
    CU_ASSERT_EQUAL(chain_verdict(&c, 0, 10, 0), DC_CERT_MALFORMED);
    CU_ASSERT_EQUAL(chain_verdict(&c, 4, 10, 0), DC_CERT_MALFORMED);
    CU_ASSERT_EQUAL(chain_verdict(&c, 3, 9, 0), DC_CERT_EARLY);
    CU_ASSERT_EQUAL(chain_verdict(&c, 3, 1000, 0), DC_CERT_EXPIRED);
    CU_ASSERT_EQUAL(chain_verdict(&c, 3, 10, DC_ROLE_GPU), DC_CERT_ROLE);
    CU_ASSERT_EQUAL(chain_verdict(&c, 3, 10, DC_ROLE_GPU | DC_ROLE_STORAGE), DC_CERT_ROLE);
    CU_ASSERT_EQUAL(dc_cert_chain_verify(&c, pki.certs, 3, CHAIN + 1, pki.root.public, 10, 0),
                    DC_CERT_CHAIN);
    CU_ASSERT_EQUAL(dc_cert_chain_verify(&c, pki.certs, 3, CHAIN, pki.node.public, 10, 0),
                    DC_CERT_ISSUER);
    for (int v = 0; v < DC_CERT_VERDICT_COUNT; v++)
        CU_ASSERT(strlen(dc_cert_verdict_name((enum dc_cert_verdict)v)) > 1);
}

/* Nobody issues what they may not. */
static void test_forged(void)
{
    struct dc_crypto c = {.suite = DC_SUITE_REAL};
    issue(&c);
    struct dc_cert chain[3] = {pki.certs[0], pki.certs[1], pki.certs[2]};
    dc_cert_sign(&c, &pki.node, &chain[2]); /* signs its own */
    CU_ASSERT_EQUAL(dc_cert_chain_verify(&c, chain, 3, CHAIN, pki.root.public, 10, 0),
                    DC_CERT_ISSUER);
    memcpy(chain[2].issuer_print, pki.certs[2].issuer_print, 16); /* and claims the registrar did */
    CU_ASSERT_EQUAL(dc_cert_chain_verify(&c, chain, 3, CHAIN, pki.root.public, 10, 0),
                    DC_CERT_SIGNATURE);
    chain[2] = pki.certs[2];
    chain[2].roles |= DC_ROLE_GPU; /* gives itself a role */
    CU_ASSERT_EQUAL(dc_cert_chain_verify(&c, chain, 3, CHAIN, pki.root.public, 10, DC_ROLE_GPU),
                    DC_CERT_SIGNATURE);
    chain[2] = pki.certs[2];
    chain[2].roles = DC_ROLE_REGISTRAR; /* or the one that it can not have at its level */
    CU_ASSERT_EQUAL(dc_cert_verify(&c, &chain[2], CHAIN, pki.registrar.public, 10, 0),
                    DC_CERT_MALFORMED);
    chain[2] = pki.certs[2];
    chain[2].issuer = 9;
    CU_ASSERT_EQUAL(dc_cert_chain_verify(&c, chain, 3, CHAIN, pki.root.public, 10, 0),
                    DC_CERT_ISSUER);
    struct dc_cert skipped[2] = {pki.certs[0], pki.certs[2]}; /* without the registrar */
    CU_ASSERT_EQUAL(dc_cert_chain_verify(&c, skipped, 2, CHAIN, pki.root.public, 10, 0),
                    DC_CERT_MALFORMED);
}

static bool accepted(const struct dc_crypto *c, const uint8_t *bytes, size_t size)
{
    struct dc_cert got, zero;
    memset(&got, 0xa5, sizeof got);
    memset(&zero, 0, sizeof zero);
    if (dc_cert_decode(bytes, size, &got))
        return dc_cert_verify(c, &got, CHAIN, pki.registrar.public, 10, 0) == DC_CERT_OK;
    CU_ASSERT_EQUAL(memcmp(&got, &zero, sizeof got), 0);
    return false;
}

static void change_all(enum dc_suite suite)
{
    struct dc_crypto c = {.suite = suite};
    uint8_t bytes[DC_CERT_BYTES + 1] = {0}, again[DC_CERT_BYTES];
    struct dc_cert decoded;
    issue(&c);
    dc_cert_encode(&pki.certs[2], bytes);
    CU_ASSERT_TRUE(dc_cert_decode(bytes, DC_CERT_BYTES, &decoded));
    dc_cert_encode(&decoded, again);
    CU_ASSERT_EQUAL(memcmp(bytes, again, sizeof again), 0);
    CU_ASSERT_TRUE(accepted(&c, bytes, DC_CERT_BYTES));
    for (size_t bit = 0; bit < 8 * DC_CERT_BYTES; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT_FALSE(accepted(&c, bytes, DC_CERT_BYTES));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size <= sizeof bytes; size++)
        CU_ASSERT_EQUAL(accepted(&c, bytes, size), size == DC_CERT_BYTES);
}

static void test_change_real(void)
{
    change_all(DC_SUITE_REAL);
}
static void test_change_modelled(void)
{
    change_all(DC_SUITE_MODELLED);
}

static void test_possession(void)
{
    struct dc_crypto c = {.suite = DC_SUITE_REAL};
    uint8_t signature[64];
    issue(&c);
    struct dc_cert wanted = pki.certs[2];
    memset(wanted.issuer_print, 0, sizeof wanted.issuer_print);
    memset(wanted.signature, 0, sizeof wanted.signature);
    dc_cert_possession_sign(&c, &pki.node, &wanted, signature);
    CU_ASSERT_TRUE(dc_cert_possession_verify(&c, &wanted, signature));
    CU_ASSERT_TRUE(dc_cert_possession_verify(&c, &pki.certs[2], signature));
    CU_ASSERT_FALSE(dc_cert_possession_verify(&c, &wanted, pki.certs[2].signature));
    dc_cert_possession_sign(&c, &pki.registrar, &wanted, signature); /* somebody else's key */
    CU_ASSERT_FALSE(dc_cert_possession_verify(&c, &wanted, signature));
    memset(wanted.vrf, 0, sizeof wanted.vrf); /* a VRF key of order 4 */
    dc_cert_possession_sign(&c, &pki.node, &wanted, signature);
    CU_ASSERT_FALSE(dc_cert_possession_verify(&c, &wanted, signature));
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"chain and verdicts", test_chain},
        {"forged", test_forged},
        {"every bit and length, real", test_change_real},
        {"every bit and length, modelled", test_change_modelled},
        {"possession", test_possession},
    };
    return TEST_MAIN("crypto/cert", cases);
}

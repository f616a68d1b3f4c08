/* The registrar's desk: what it issues, renews, revokes, forgets, and what outlives its own key. */
#include "models/crypto/registrar.h"
#include "tests/support/harness.h"

#include <string.h>

enum { CHAIN = 77, ROOT = 1000, REGISTRAR = 1001, DESK = 8, END = 1000 };

static const struct dc_crypto crypto = {.suite = DC_SUITE_REAL};
static struct {
    struct dc_keypair root_key, key[3];
    struct dc_root root;
    struct dc_cert cert[3];
    struct dc_registrar_entry entry[DESK];
    struct dc_registrar desk;
} pki;

static struct dc_keypair keypair(uint64_t owner, uint64_t generation)
{
    uint8_t seed[32];
    struct dc_keypair key;
    dc_seed_derive(5, owner, DC_KEY_SIGN, generation, seed);
    dc_keypair_from_seed(seed, &key);
    return key;
}

static struct dc_registrar_wish wish(uint64_t subject, uint32_t roles, const struct dc_keypair *key)
{
    struct dc_registrar_wish w = {
        .subject = subject, .from_height = 10, .end_height = 500, .roles = roles};
    struct dc_exchange exchange;
    uint8_t seed[32];
    dc_seed_derive(5, subject, DC_KEY_EXCHANGE, 0, seed);
    dc_exchange_from_seed(seed, &exchange);
    memcpy(w.signing, key->public, 32);
    memcpy(w.exchange, exchange.public, 32);
    memcpy(w.vrf, key->public, 32);
    return w;
}

static enum dc_registrar_verdict certify(int g, uint64_t end_height, struct dc_cert *out)
{
    uint8_t signature[64];
    struct dc_registrar_wish w = wish(REGISTRAR, DC_ROLE_REGISTRAR, &pki.key[g]);
    w.end_height = end_height;
    dc_registrar_sign_wish(&crypto, CHAIN, DC_CERT_REGISTRAR, &w, &pki.key[g], signature);
    return dc_root_certify(&pki.root, &w, signature, out);
}

static void open_desk(void)
{
    memset(&pki, 0, sizeof pki);
    pki.root_key = keypair(ROOT, 0);
    dc_root_create(&crypto, CHAIN, ROOT, &pki.root_key, 0, END, &pki.root);
    for (int g = 0; g < 3; g++) {
        pki.key[g] = keypair(REGISTRAR, (uint64_t)g);
        CU_ASSERT_EQUAL(certify(g, END, &pki.cert[g]), DC_REGISTRAR_OK);
    }
    CU_ASSERT_EQUAL(dc_registrar_open(&crypto, &pki.root, &pki.key[0], &pki.cert[0], pki.entry,
                                      DESK, &pki.desk),
                    DC_REGISTRAR_OK);
}

static enum dc_registrar_verdict issue(const struct dc_registrar_wish *w,
                                       const struct dc_keypair *key, struct dc_cert *out)
{
    uint8_t signature[64];
    dc_registrar_sign_wish(&crypto, CHAIN, DC_CERT_NODE, w, key, signature);
    return dc_registrar_issue(&pki.desk, w, 10, signature, out);
}

static enum dc_registrar_verdict renew(const struct dc_registrar_wish *w,
                                       const struct dc_keypair *key,
                                       const struct dc_keypair *before, struct dc_cert *out)
{
    uint8_t possession[64], consent[64];
    dc_registrar_sign_wish(&crypto, CHAIN, DC_CERT_NODE, w, key, possession);
    dc_registrar_sign_wish(&crypto, CHAIN, DC_CERT_NODE, w, before, consent);
    return dc_registrar_renew(&pki.desk, w, 20, possession, consent, out);
}

static enum dc_cert_verdict present(const struct dc_cert *registrar, const struct dc_cert *cert,
                                    uint64_t height)
{
    struct dc_trust trust = {.chain = CHAIN};
    uint8_t bytes[DC_CERT_CHAIN_BYTES];
    struct dc_cert got;
    memcpy(trust.registrar_key, pki.key[0].public, 32);
    memcpy(trust.root_key, pki.root_key.public, 32);
    dc_cert_encode(registrar != NULL ? registrar : cert, bytes);
    dc_cert_encode(cert, bytes + DC_CERT_BYTES);
    return dc_trust_check(&crypto, &trust, bytes,
                          registrar != NULL ? DC_CERT_CHAIN_BYTES : DC_CERT_BYTES, height, 0, &got);
}

static void test_issue(void)
{
    open_desk();
    struct dc_keypair key[2] = {keypair(3, 0), keypair(4, 0)};
    struct dc_cert cert, other, chain[DC_CERT_DEPTH_MAX];
    const struct dc_registrar_wish good = wish(3, DC_ROLE_STORAGE, &key[0]);
    struct dc_registrar_wish w = good;
    CU_ASSERT_EQUAL(issue(&w, &key[1], &cert), DC_REGISTRAR_POSSESSION);
    CU_ASSERT_EQUAL(issue(&w, &key[0], &cert), DC_REGISTRAR_OK);
    CU_ASSERT_EQUAL(present(NULL, &cert, 10), DC_CERT_OK);
    CU_ASSERT_TRUE(dc_registrar_chain(&pki.desk, &pki.root, &cert, chain));
    CU_ASSERT_EQUAL(
        dc_cert_chain_verify(&crypto, chain, 3, CHAIN, pki.root_key.public, 10, DC_ROLE_STORAGE),
        DC_CERT_OK);
    CU_ASSERT_EQUAL(issue(&w, &key[0], &other), DC_REGISTRAR_TAKEN);
    w.subject = 4; /* somebody else's key */
    CU_ASSERT_EQUAL(issue(&w, &key[0], &other), DC_REGISTRAR_TAKEN);
    w = wish(4, DC_ROLE_REGISTRAR, &key[1]);
    CU_ASSERT_EQUAL(issue(&w, &key[1], &other), DC_REGISTRAR_ROLE);
    w.roles = 0;
    CU_ASSERT_EQUAL(issue(&w, &key[1], &other), DC_REGISTRAR_ROLE);
    w = wish(4, DC_ROLE_STORAGE, &key[1]);
    w.end_height = END + 1; /* longer than the registrar's own */
    CU_ASSERT_EQUAL(issue(&w, &key[1], &other), DC_REGISTRAR_VALIDITY);
    w.end_height = 10;
    CU_ASSERT_EQUAL(issue(&w, &key[1], &other), DC_REGISTRAR_VALIDITY);
    w = wish(4, DC_ROLE_STORAGE, &pki.key[0]); /* the registrar's own key */
    CU_ASSERT_EQUAL(issue(&w, &pki.key[0], &other), DC_REGISTRAR_TAKEN);
    w = wish(4, DC_ROLE_STORAGE, &key[1]);
    memset(w.vrf, 0, sizeof w.vrf); /* no point of the group */
    CU_ASSERT_EQUAL(issue(&w, &key[1], &other), DC_REGISTRAR_POSSESSION);
    CU_ASSERT_EQUAL(pki.desk.count, 1);
}

/* Each bit of a wish changed after it was signed, and of the signature: nothing is issued. */
static void test_possession(void)
{
    open_desk();
    struct dc_keypair key = keypair(3, 0);
    struct dc_registrar_wish w = wish(3, DC_ROLE_STORAGE, &key);
    uint8_t signature[64];
    struct dc_cert cert;
    dc_registrar_sign_wish(&crypto, CHAIN, DC_CERT_NODE, &w, &key, signature);
    for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT_EQUAL(dc_registrar_issue(&pki.desk, &w, 10, signature, &cert),
                        DC_REGISTRAR_POSSESSION);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * 32; bit++) {
        uint8_t *keys[3] = {w.signing, w.exchange, w.vrf};
        for (int k = 0; k < 3; k++) {
            keys[k][bit / 8] ^= (uint8_t)(1 << bit % 8);
            CU_ASSERT_EQUAL(dc_registrar_issue(&pki.desk, &w, 10, signature, &cert),
                            DC_REGISTRAR_POSSESSION);
            keys[k][bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    w.subject++;
    CU_ASSERT_EQUAL(dc_registrar_issue(&pki.desk, &w, 10, signature, &cert),
                    DC_REGISTRAR_POSSESSION);
    w.subject--;
    w.end_height++;
    CU_ASSERT_EQUAL(dc_registrar_issue(&pki.desk, &w, 10, signature, &cert),
                    DC_REGISTRAR_POSSESSION);
    w.end_height--;
    dc_registrar_sign_wish(&crypto, CHAIN + 1, DC_CERT_NODE, &w, &key, signature);
    CU_ASSERT_EQUAL(dc_registrar_issue(&pki.desk, &w, 10, signature, &cert),
                    DC_REGISTRAR_POSSESSION);
    CU_ASSERT_EQUAL(pki.desk.count, 0);
    CU_ASSERT_EQUAL(issue(&w, &key, &cert), DC_REGISTRAR_OK);
}

static void test_renew(void)
{
    open_desk();
    struct dc_keypair old = keypair(3, 0), new = keypair(3, 1), thief = keypair(9, 0);
    struct dc_registrar_wish w = wish(3, DC_ROLE_VALIDATOR, &old);
    struct dc_cert first, second;
    CU_ASSERT_EQUAL(issue(&w, &old, &first), DC_REGISTRAR_OK);
    w = wish(3, DC_ROLE_VALIDATOR, &new);
    w.end_height = 900;
    CU_ASSERT_EQUAL(renew(&w, &new, &thief, &second), DC_REGISTRAR_CONSENT);
    CU_ASSERT_EQUAL(renew(&w, &thief, &old, &second), DC_REGISTRAR_POSSESSION);
    w.roles |= DC_ROLE_STORAGE;
    CU_ASSERT_EQUAL(renew(&w, &new, &old, &second), DC_REGISTRAR_ROLE);
    w.roles = DC_ROLE_VALIDATOR;
    CU_ASSERT_EQUAL(renew(&w, &new, &old, &second), DC_REGISTRAR_OK);
    CU_ASSERT_TRUE(second.serial > first.serial);
    CU_ASSERT_EQUAL(present(NULL, &second, 899), DC_CERT_OK);
    CU_ASSERT_EQUAL(present(NULL, &second, 900), DC_CERT_EXPIRED);
    CU_ASSERT_EQUAL(present(NULL, &second, 9), DC_CERT_EARLY);
    CU_ASSERT_EQUAL(renew(&w, &new, &old, &second), DC_REGISTRAR_CONSENT); /* the old key is out */
    CU_ASSERT_EQUAL(renew(&w, &new, &new, &second), DC_REGISTRAR_OK);      /* only a later end */
    w = wish(4, DC_ROLE_VALIDATOR, &thief);
    CU_ASSERT_EQUAL(renew(&w, &thief, &thief, &second), DC_REGISTRAR_UNKNOWN);
    CU_ASSERT_EQUAL(pki.desk.count, 1);
}

static void test_revoke(void)
{
    open_desk();
    struct dc_keypair key = keypair(3, 0), new = keypair(3, 1);
    struct dc_registrar_wish w = wish(3, DC_ROLE_GPU, &key);
    struct dc_cert cert, other;
    CU_ASSERT_EQUAL(issue(&w, &key, &cert), DC_REGISTRAR_OK);
    CU_ASSERT_FALSE(dc_registrar_revoked(&pki.desk, cert.serial));
    CU_ASSERT_EQUAL(dc_registrar_revoke(&pki.desk, cert.serial + 1), DC_REGISTRAR_UNKNOWN);
    CU_ASSERT_EQUAL(dc_registrar_revoke(&pki.desk, cert.serial), DC_REGISTRAR_OK);
    CU_ASSERT_TRUE(dc_registrar_revoked(&pki.desk, cert.serial));
    CU_ASSERT_EQUAL(dc_registrar_revoke(&pki.desk, cert.serial), DC_REGISTRAR_REVOKED);
    CU_ASSERT_EQUAL(issue(&w, &key, &other), DC_REGISTRAR_REVOKED);
    w = wish(3, DC_ROLE_GPU, &new);
    CU_ASSERT_EQUAL(renew(&w, &new, &key, &other), DC_REGISTRAR_REVOKED);
    CU_ASSERT_EQUAL(dc_registrar_expire(&pki.desk, 499), 0);
    CU_ASSERT_EQUAL(dc_registrar_expire(&pki.desk, 500), 1); /* over: it needs no revoking */
    CU_ASSERT_FALSE(dc_registrar_revoked(&pki.desk, cert.serial));
}

static void test_full(void)
{
    open_desk();
    struct dc_cert cert;
    for (uint64_t i = 0; i <= DESK; i++) { /* in no order */
        uint64_t subject = 3 + i * 5 % (DESK + 1);
        struct dc_keypair key = keypair(subject, 0);
        struct dc_registrar_wish w = wish(subject, DC_ROLE_CLIENT, &key);
        CU_ASSERT_EQUAL(issue(&w, &key, &cert), i < DESK ? DC_REGISTRAR_OK : DC_REGISTRAR_FULL);
    }
    for (uint32_t i = 1; i < DESK; i++)
        CU_ASSERT_TRUE(pki.entry[i - 1].subject < pki.entry[i].subject);
}

/* The root certifies a new key of the registrar: what the old one signed holds on, by its chain. */
static void test_rotate(void)
{
    open_desk();
    struct dc_keypair key = keypair(3, 0), late = keypair(4, 0), foreign = keypair(50, 0);
    struct dc_registrar_wish w = wish(3, DC_ROLE_STORAGE, &key);
    struct dc_cert old, new, renewed, chain[DC_CERT_DEPTH_MAX];
    CU_ASSERT_EQUAL(issue(&w, &key, &old), DC_REGISTRAR_OK);
    CU_ASSERT_EQUAL(dc_registrar_rotate(&pki.desk, &pki.root, &pki.key[1], &pki.cert[2]),
                    DC_REGISTRAR_UNKNOWN);
    CU_ASSERT_EQUAL(dc_registrar_rotate(&pki.desk, &pki.root, &pki.key[0], &pki.cert[0]),
                    DC_REGISTRAR_TAKEN);
    CU_ASSERT_EQUAL(dc_registrar_rotate(&pki.desk, &pki.root, &pki.key[1], &pki.cert[1]),
                    DC_REGISTRAR_OK);
    w = wish(4, DC_ROLE_STORAGE, &late);
    CU_ASSERT_EQUAL(issue(&w, &late, &new), DC_REGISTRAR_OK);
    CU_ASSERT_EQUAL(present(NULL, &new, 10),
                    DC_CERT_ISSUER); /* the key of genesis did not sign it */
    CU_ASSERT_EQUAL(present(&pki.cert[1], &new, 10), DC_CERT_OK);
    CU_ASSERT_EQUAL(present(&pki.cert[0], &new, 10), DC_CERT_ISSUER);
    CU_ASSERT_EQUAL(present(&pki.cert[1], &old, 10), DC_CERT_ISSUER);
    CU_ASSERT_EQUAL(present(&pki.cert[0], &old, 10), DC_CERT_OK);
    CU_ASSERT_EQUAL(present(NULL, &old, 499), DC_CERT_OK);
    CU_ASSERT_EQUAL(present(NULL, &old, 500), DC_CERT_EXPIRED);
    CU_ASSERT_TRUE(dc_registrar_chain(&pki.desk, &pki.root, &old, chain));
    CU_ASSERT_EQUAL(memcmp(&chain[1], &pki.cert[0], sizeof chain[1]), 0);
    w = wish(3, DC_ROLE_STORAGE, &key);
    CU_ASSERT_EQUAL(renew(&w, &key, &key, &renewed), DC_REGISTRAR_OK);
    CU_ASSERT_EQUAL(present(&pki.cert[1], &renewed, 10), DC_CERT_OK);
    CU_ASSERT_TRUE(dc_registrar_chain(&pki.desk, &pki.root, &renewed, chain));
    CU_ASSERT_EQUAL(memcmp(&chain[1], &pki.cert[1], sizeof chain[1]), 0);
    /* A registrar of another root, with the same ids. */
    struct dc_root other;
    struct dc_cert forged;
    uint8_t signature[64];
    dc_root_create(&crypto, CHAIN, ROOT, &foreign, 0, END, &other);
    w = wish(REGISTRAR, DC_ROLE_REGISTRAR, &pki.key[1]);
    dc_registrar_sign_wish(&crypto, CHAIN, DC_CERT_REGISTRAR, &w, &pki.key[1], signature);
    CU_ASSERT_EQUAL(dc_root_certify(&other, &w, signature, &forged), DC_REGISTRAR_OK);
    CU_ASSERT_EQUAL(present(&forged, &renewed, 10), DC_CERT_ISSUER);
    CU_ASSERT_EQUAL(present(&renewed, &renewed, 10), DC_CERT_MALFORMED);
    CU_ASSERT_EQUAL(present(&pki.root.cert, &renewed, 10), DC_CERT_MALFORMED);
}

/* Each bit and length of what is presented. */
static void test_bits(void)
{
    open_desk();
    struct dc_trust trust = {.chain = CHAIN};
    struct dc_keypair key = keypair(3, 0);
    struct dc_registrar_wish w = wish(3, DC_ROLE_STORAGE, &key);
    struct dc_cert cert, got;
    uint8_t bytes[DC_CERT_CHAIN_BYTES + 1] = {0};
    CU_ASSERT_EQUAL(issue(&w, &key, &cert), DC_REGISTRAR_OK);
    memcpy(trust.root_key, pki.root_key.public, 32);
    dc_cert_encode(&pki.cert[0], bytes);
    dc_cert_encode(&cert, bytes + DC_CERT_BYTES);
    for (size_t size = 0; size <= sizeof bytes; size++)
        CU_ASSERT_EQUAL(dc_trust_check(&crypto, &trust, bytes, size, 10, 0, &got) == DC_CERT_OK,
                        size == DC_CERT_CHAIN_BYTES);
    for (size_t bit = 0; bit < 8 * DC_CERT_CHAIN_BYTES; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT_NOT_EQUAL(
            dc_trust_check(&crypto, &trust, bytes, DC_CERT_CHAIN_BYTES, 10, 0, &got), DC_CERT_OK);
        CU_ASSERT_EQUAL(got.serial, 0);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    memset(trust.root_key, 0, 32); /* nobody's */
    CU_ASSERT_EQUAL(dc_trust_check(&crypto, &trust, bytes, DC_CERT_CHAIN_BYTES, 10, 0, &got),
                    DC_CERT_ISSUER);
}

static void test_root(void)
{
    open_desk();
    struct dc_cert cert;
    uint8_t signature[64];
    CU_ASSERT_EQUAL(certify(1, END + 1, &cert), DC_REGISTRAR_VALIDITY);
    struct dc_registrar_wish w = wish(REGISTRAR, DC_ROLE_STORAGE, &pki.key[1]);
    dc_registrar_sign_wish(&crypto, CHAIN, DC_CERT_NODE, &w, &pki.key[1], signature);
    CU_ASSERT_EQUAL(dc_root_certify(&pki.root, &w, signature, &cert), DC_REGISTRAR_ROLE);
    w.roles = DC_ROLE_REGISTRAR;
    CU_ASSERT_EQUAL(dc_root_certify(&pki.root, &w, signature, &cert), DC_REGISTRAR_POSSESSION);
    struct dc_registrar desk;
    CU_ASSERT_EQUAL(
        dc_registrar_open(&crypto, &pki.root, &pki.key[1], &pki.cert[0], pki.entry, DESK, &desk),
        DC_REGISTRAR_UNKNOWN);
    struct dc_cert chain[4] = {pki.root.cert, pki.cert[0], pki.cert[0], pki.cert[0]};
    CU_ASSERT_EQUAL(dc_cert_chain_verify(&crypto, chain, 4, CHAIN, pki.root_key.public, 10, 0),
                    DC_CERT_MALFORMED); /* too deep */
    CU_ASSERT_EQUAL(dc_cert_chain_verify(&crypto, chain, 3, CHAIN, pki.root_key.public, 10, 0),
                    DC_CERT_MALFORMED); /* a registrar certifies no registrar */
    for (int v = 0; v < DC_REGISTRAR_VERDICT_COUNT; v++)
        CU_ASSERT_TRUE(strlen(dc_registrar_verdict_name((enum dc_registrar_verdict)v)) > 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"issue", test_issue}, {"possession", test_possession},
        {"renew", test_renew}, {"revoke", test_revoke},
        {"full", test_full},   {"rotate", test_rotate},
        {"bits", test_bits},   {"root", test_root},
    };
    dc_crypto_init();
    return TEST_MAIN("registrar", cases);
}

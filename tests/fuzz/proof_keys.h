/* Samples and checks of what keys are made of and made with, for fuzz_proof.c, which includes this
 * after its own helpers: shares of a committee, its key generation, FROST, certificates, letters. */
#include "models/crypto/dvrf.h"
#include "models/crypto/frost.h"
#include "models/crypto/registrar.h"
#include "models/crypto/seal.h"

/* ---- shares: key 32 | message 32 (or c1) | share 96 ------------------------------------------ */

static size_t beacon_make(uint8_t *out)
{
    struct dc_scalar x = some(30);
    struct dc_point key = dc_point_mul_base(&x);
    uint8_t share_secret[32];
    dc_scalar_encode(&x, share_secret);
    dc_point_encode(&key, out);
    memset(out + 32, 7, 32);
    dc_dvrf_share(share_secret, out + 32, 32, out + 64);
    return 64 + DC_DVRF_SHARE_BYTES;
}
static bool beacon_check(const uint8_t *b, size_t size)
{
    return size == 64 + DC_DVRF_SHARE_BYTES && dc_dvrf_check(b, b + 32, 32, b + 64);
}

static size_t partial_make(uint8_t *out)
{
    struct dc_scalar x = some(31), r = some(32);
    struct dc_point key = dc_point_mul_base(&x), c1 = dc_point_mul_base(&r);
    uint8_t share_secret[32];
    dc_scalar_encode(&x, share_secret);
    dc_point_encode(&key, out);
    dc_point_encode(&c1, out + 32);
    FUZZ_NEED(dc_partial_make(share_secret, out + 32, "context", 7, out + 64));
    return 64 + DC_PARTIAL_BYTES;
}
static bool partial_check(const uint8_t *b, size_t size)
{
    return size == 64 + DC_PARTIAL_BYTES && dc_partial_check(b, b + 32, "context", 7, b + 64);
}

/* ---- FROST: group key 32 | message 8 | signature 64 ------------------------------------------ */

static size_t frost_make(enum dc_frost_suite suite, uint8_t *out)
{
    uint8_t coefficient[2][32], share[3][32], z[2][32], group[1][32];
    struct dc_frost_nonces nonces[2];
    struct dc_frost_commitment list[2];
    dc_frost_coefficients(secret, "fuzz", 4, 2, coefficient);
    FUZZ_NEED(dc_frost_commitments(suite, (const uint8_t(*)[32])coefficient, 1, group));
    memcpy(out, group[0], 32);
    memcpy(out + 32, "a grant!", 8);
    for (uint32_t i = 0; i < 2; i++) {
        FUZZ_NEED(dc_frost_share((const uint8_t(*)[32])coefficient, 2, i + 1, share[i]));
        dc_frost_nonces(suite, secret, share[i], out + 32, 8, 1, &nonces[i]);
        dc_frost_commit(suite, i + 1, &nonces[i], &list[i]);
    }
    struct dc_frost_package p = {suite, out, out + 32, 8, list, 2};
    for (uint32_t i = 0; i < 2; i++)
        FUZZ_NEED(dc_frost_sign(&p, i + 1, share[i], &nonces[i], z[i]));
    FUZZ_NEED(dc_frost_aggregate(&p, (const uint8_t(*)[32])z, out + 40));
    return 104;
}
static bool frost_check(enum dc_frost_suite suite, const uint8_t *b, size_t size)
{
    return size == 104 && dc_frost_verify(suite, b, b + 32, 8, b + 40);
}
static size_t frost_ed_make(uint8_t *out)
{
    return frost_make(DC_FROST_ED25519, out);
}
static bool frost_ed_check(const uint8_t *b, size_t size)
{
    return frost_check(DC_FROST_ED25519, b, size);
}
static size_t frost_rist_make(uint8_t *out)
{
    return frost_make(DC_FROST_RISTRETTO255, out);
}
static bool frost_rist_check(const uint8_t *b, size_t size)
{
    return frost_check(DC_FROST_RISTRETTO255, b, size);
}

/* ---- making keys: dealer 4 | commitments 3 x 32 | possession 64 | share of member 2, 32 ------- */

#define DEAL_BYTES ((size_t)4 + 3 * 32 + 64 + 32)
static size_t deal_make(uint8_t *out)
{
    struct dc_dkg_deal deal;
    uint8_t share[5][32];
    dc_dkg_make(secret, context.b, 1, 5, 3, &deal, share);
    dc_put32(out, deal.dealer);
    memcpy(out + 4, deal.commitment, (size_t)3 * 32);
    memcpy(out + 100, deal.possession, 64);
    memcpy(out + 164, share[2], 32);
    return DEAL_BYTES;
}
static bool deal_check(const uint8_t *b, size_t size)
{
    struct dc_dkg_deal deal = {.threshold = 3};
    if (size != DEAL_BYTES)
        return false;
    deal.dealer = dc_get32(b);
    memcpy(deal.commitment, b + 4, (size_t)3 * 32);
    memcpy(deal.possession, b + 100, 64);
    bool fits = dc_dkg_share_fits(&deal, 2, b + 164); /* before the other says that it may */
    FUZZ_NEED(dc_dkg_dealer_cheats(&deal, 2, b + 164) == !fits);
    return dc_dkg_check(&deal, context.b, 5, 3) && fits;
}

/* Group key 32 | the signer's 32 | message 8 | two commitments 64 | z 32. */
#define FROST_SHARE_BYTES ((size_t)72 + 2 * 64 + 32)
static size_t frost_share_make(uint8_t *out)
{
    const enum dc_frost_suite suite = DC_FROST_ED25519;
    uint8_t coefficient[2][32], share[2][32];
    struct dc_frost_nonces nonces[2];
    struct dc_frost_commitment list[2];
    dc_frost_coefficients(secret, "share", 5, 2, coefficient);
    FUZZ_NEED(dc_frost_public(suite, coefficient[0], out));
    memcpy(out + 64, "a grant!", 8);
    for (uint32_t i = 0; i < 2; i++) {
        FUZZ_NEED(dc_frost_share((const uint8_t(*)[32])coefficient, 2, i, share[i]));
        dc_frost_nonces(suite, secret, share[i], out + 64, 8, 1, &nonces[i]);
        dc_frost_commit(suite, i, &nonces[i], &list[i]);
        dc_frost_commitment_encode(&list[i], out + 72 + (size_t)64 * i);
    }
    struct dc_frost_package p = {suite, out, out + 64, 8, list, 2};
    FUZZ_NEED(dc_frost_public(suite, share[1], out + 32));
    FUZZ_NEED(dc_frost_sign(&p, 1, share[1], &nonces[1], out + 200));
    return FROST_SHARE_BYTES;
}
static bool frost_share_check(const uint8_t *b, size_t size)
{
    struct dc_frost_commitment list[2];
    if (size != FROST_SHARE_BYTES)
        return false;
    for (uint32_t i = 0; i < 2; i++)
        if (!dc_frost_commitment_decode(DC_FROST_ED25519, i, b + 72 + (size_t)64 * i, &list[i]))
            return false;
    struct dc_frost_package p = {DC_FROST_ED25519, b, b + 64, 8, list, 2};
    return dc_frost_share_check(&p, 1, b + 32, b + 200);
}

/* ---- certificates and letters ---------------------------------------------------------------- */

enum { PKI_CHAIN = 77, PKI_ROOT = 1000, PKI_REGISTRAR = 1001, PKI_NODE = 3 };
static const struct dc_crypto real = {.suite = DC_SUITE_REAL};

static struct dc_keypair pki_key(uint64_t owner)
{
    uint8_t seed[32];
    struct dc_keypair key;
    dc_seed_derive(5, owner, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &key);
    return key;
}
static struct dc_registrar_wish pki_wish(uint64_t subject, uint8_t level, uint32_t roles,
                                         uint8_t possession[64])
{
    struct dc_registrar_wish w = {
        .subject = subject, .from_height = 10, .end_height = 500, .roles = roles};
    struct dc_keypair key = pki_key(subject);
    struct dc_exchange exchange;
    dc_exchange_from_seed(secret, &exchange);
    memcpy(w.signing, key.public, 32);
    memcpy(w.exchange, exchange.public, 32);
    memcpy(w.vrf, key.public, 32);
    dc_registrar_sign_wish(&real, PKI_CHAIN, level, &w, &key, possession);
    return w;
}
static size_t chain_make(uint8_t *out)
{
    struct dc_keypair root_key = pki_key(PKI_ROOT), key = pki_key(PKI_REGISTRAR);
    struct dc_root root;
    struct dc_registrar desk;
    struct dc_registrar_entry entry[2];
    struct dc_cert own, cert;
    uint8_t signature[64];
    dc_root_create(&real, PKI_CHAIN, PKI_ROOT, &root_key, 0, 1000, &root);
    struct dc_registrar_wish w =
        pki_wish(PKI_REGISTRAR, DC_CERT_REGISTRAR, DC_ROLE_REGISTRAR, signature);
    FUZZ_NEED(dc_root_certify(&root, &w, signature, &own) == DC_REGISTRAR_OK);
    FUZZ_NEED(dc_registrar_open(&real, &root, &key, &own, entry, 2, &desk) == DC_REGISTRAR_OK);
    w = pki_wish(PKI_NODE, DC_CERT_NODE, DC_ROLE_VALIDATOR, signature);
    FUZZ_NEED(dc_registrar_issue(&desk, &w, 10, signature, &cert) == DC_REGISTRAR_OK);
    dc_cert_encode(&own, out);
    dc_cert_encode(&cert, out + DC_CERT_BYTES);
    return DC_CERT_CHAIN_BYTES;
}
static bool chain_check(const uint8_t *b, size_t size)
{
    struct dc_trust trust = {.chain = PKI_CHAIN};
    struct dc_keypair root = pki_key(PKI_ROOT);
    struct dc_cert cert;
    memcpy(trust.root_key, root.public, 32);
    bool right = dc_trust_check(&real, &trust, b, size, 20, DC_ROLE_VALIDATOR, &cert) == DC_CERT_OK;
    FUZZ_NEED(cert.subject == (right ? PKI_NODE : 0));
    return right;
}

static size_t letter_make(uint8_t *out) /* the sender's key 32 | what it sealed */
{
    struct dc_keypair from = pki_key(1), to = pki_key(2);
    uint8_t key[32];
    FUZZ_NEED(dc_seal_key(&from, to.public, &context, 1, 2, key));
    memcpy(out, from.public, 32);
    dc_seal(key, "for one alone", 13, out + 32);
    return 32 + 13 + DC_SEAL_TAG_BYTES;
}
static bool letter_check(const uint8_t *b, size_t size)
{
    struct dc_keypair to = pki_key(2);
    uint8_t key[32], plain[4096];
    return size >= 32 && size - 32 <= sizeof plain && dc_seal_key(&to, b, &context, 1, 2, key) &&
           dc_seal_open(key, b + 32, size - 32, plain);
}

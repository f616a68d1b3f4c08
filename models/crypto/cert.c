/* Certificates: codec, issue, checks.  The layout is drawn in cert.h.
 *
 * Every one of the 230 bytes is either checked on decoding or covered by the signature, and an
 * Ed25519 signature of a message has no second encoding, so no other bytes pass for the same. */
#include "models/crypto/cert.h"

enum { CERT_VERSION = 1, CERT_PRINT_BYTES = 16 };

static const char *const verdict_names[DC_CERT_VERDICT_COUNT] = {
    "ok",        "malformed", "other chain",   "wrong issuer",           "wrong role",
    "too early", "expired",   "bad signature", "by a revoked registrar",
};

const char *dc_cert_verdict_name(enum dc_cert_verdict verdict)
{
    DC_CHECK((unsigned)verdict < DC_CERT_VERDICT_COUNT);
    return verdict_names[verdict];
}

static bool cert_is_possible(const struct dc_cert *cert)
{
    static const uint32_t roles_of[3] = {DC_ROLE_ROOT, DC_ROLE_REGISTRAR,
                                         DC_ROLE_ALL &
                                             ~(uint32_t)(DC_ROLE_ROOT | DC_ROLE_REGISTRAR)};
    return cert->level <= DC_CERT_NODE && cert->roles != 0 &&
           (cert->roles & ~roles_of[cert->level]) == 0 && cert->from_height < cert->end_height &&
           (cert->level == DC_CERT_ROOT) == (cert->subject == cert->issuer);
}

static void cert_print(const uint8_t signing_key[32], uint8_t print[CERT_PRINT_BYTES])
{
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_CERTIFICATE, signing_key, 32);
    memcpy(print, h.b, CERT_PRINT_BYTES);
}

void dc_cert_encode(const struct dc_cert *cert, uint8_t out[DC_CERT_BYTES])
{
    struct dc_writer w = dc_writer(out, DC_CERT_BYTES);
    dc_write8(&w, CERT_VERSION);
    dc_write8(&w, cert->level);
    dc_write32(&w, cert->roles);
    dc_write64(&w, cert->chain);
    dc_write64(&w, cert->serial);
    dc_write64(&w, cert->subject);
    dc_write64(&w, cert->issuer);
    dc_write(&w, cert->issuer_print, sizeof cert->issuer_print);
    dc_write(&w, cert->signing, sizeof cert->signing);
    dc_write(&w, cert->exchange, sizeof cert->exchange);
    dc_write(&w, cert->vrf, sizeof cert->vrf);
    dc_write64(&w, cert->from_height);
    dc_write64(&w, cert->end_height);
    DC_CHECK(w.size == DC_CERT_SIGNED_BYTES);
    dc_write(&w, cert->signature, sizeof cert->signature);
    DC_CHECK(!w.failed && w.size == DC_CERT_BYTES);
}

bool dc_cert_decode(const void *bytes, size_t size, struct dc_cert *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    uint8_t version = dc_read8(&r);
    out->level = dc_read8(&r);
    out->roles = dc_read32(&r);
    out->chain = dc_read64(&r);
    out->serial = dc_read64(&r);
    out->subject = dc_read64(&r);
    out->issuer = dc_read64(&r);
    dc_read(&r, out->issuer_print, sizeof out->issuer_print);
    dc_read(&r, out->signing, sizeof out->signing);
    dc_read(&r, out->exchange, sizeof out->exchange);
    dc_read(&r, out->vrf, sizeof out->vrf);
    out->from_height = dc_read64(&r);
    out->end_height = dc_read64(&r);
    dc_read(&r, out->signature, sizeof out->signature);
    if (dc_read_done(&r) && version == CERT_VERSION && cert_is_possible(out))
        return true;
    memset(out, 0, sizeof *out);
    return false;
}

/* What is signed, as certificate or as proof of possession: the domain tells them apart. */
static struct dc_hash cert_statement(const struct dc_cert *cert, enum dc_domain domain)
{
    uint8_t bytes[DC_CERT_BYTES];
    dc_cert_encode(cert, bytes);
    return dc_hash_bytes(domain, bytes, DC_CERT_SIGNED_BYTES);
}

void dc_cert_sign(const struct dc_crypto *c, const struct dc_keypair *issuer, struct dc_cert *cert)
{
    DC_CHECK(cert_is_possible(cert));
    cert_print(issuer->public, cert->issuer_print);
    struct dc_hash h = cert_statement(cert, DC_DOMAIN_CERTIFICATE);
    dc_sign(c, issuer, h.b, sizeof h.b, cert->signature);
}

bool dc_cert_names(const struct dc_cert *cert, const uint8_t issuer_key[32])
{
    uint8_t print[CERT_PRINT_BYTES];
    cert_print(issuer_key, print);
    return memcmp(print, cert->issuer_print, sizeof print) == 0;
}

enum dc_cert_verdict dc_cert_verify(const struct dc_crypto *c, const struct dc_cert *cert,
                                    uint64_t chain, const uint8_t issuer_key[32], uint64_t height,
                                    uint32_t roles)
{
    if (!cert_is_possible(cert))
        return DC_CERT_MALFORMED;
    if (cert->chain != chain)
        return DC_CERT_CHAIN;
    if ((cert->roles & roles) != roles)
        return DC_CERT_ROLE;
    if (height < cert->from_height)
        return DC_CERT_EARLY;
    if (height >= cert->end_height)
        return DC_CERT_EXPIRED;
    if (!dc_cert_names(cert, issuer_key))
        return DC_CERT_ISSUER;
    struct dc_hash h = cert_statement(cert, DC_DOMAIN_CERTIFICATE);
    return dc_verify(c, issuer_key, h.b, sizeof h.b, cert->signature) ? DC_CERT_OK
                                                                      : DC_CERT_SIGNATURE;
}

enum dc_cert_verdict dc_cert_chain_verify(const struct dc_crypto *c, const struct dc_cert *certs,
                                          size_t count, uint64_t chain, const uint8_t root_key[32],
                                          uint64_t height, uint32_t roles)
{
    if (count == 0 || count > DC_CERT_DEPTH_MAX)
        return DC_CERT_MALFORMED;
    for (size_t i = 0; i < count; i++) {
        const struct dc_cert *cert = &certs[i];
        if (cert->level != i)
            return DC_CERT_MALFORMED;
        if (i == 0 ? memcmp(cert->signing, root_key, 32) != 0
                   : cert->issuer != certs[i - 1].subject)
            return DC_CERT_ISSUER;
        const uint8_t *key = i == 0 ? root_key : certs[i - 1].signing;
        enum dc_cert_verdict verdict =
            dc_cert_verify(c, cert, chain, key, height, i + 1 == count ? roles : 0);
        if (verdict != DC_CERT_OK)
            return verdict;
    }
    return DC_CERT_OK;
}

/* The print and signature of the issuer are not there yet: they stay out. */
static struct dc_hash possession_statement(const struct dc_cert *cert)
{
    struct dc_cert wanted = *cert;
    memset(wanted.issuer_print, 0, sizeof wanted.issuer_print);
    return cert_statement(&wanted, DC_DOMAIN_POSSESSION);
}

void dc_cert_possession_sign(const struct dc_crypto *c, const struct dc_keypair *subject,
                             const struct dc_cert *cert, uint8_t signature[64])
{
    struct dc_hash h = possession_statement(cert);
    dc_sign(c, subject, h.b, sizeof h.b, signature);
}

bool dc_cert_possession_verify(const struct dc_crypto *c, const struct dc_cert *cert,
                               const uint8_t signature[64])
{
    return dc_cert_possession_verify_by(c, cert, cert->signing, signature);
}

bool dc_cert_possession_verify_by(const struct dc_crypto *c, const struct dc_cert *cert,
                                  const uint8_t key[32], const uint8_t signature[64])
{
    struct dc_hash h = possession_statement(cert);
    return cert_is_possible(cert) && dc_key_is_valid(cert->signing) && dc_key_is_valid(cert->vrf) &&
           dc_verify(c, key, h.b, sizeof h.b, signature);
}

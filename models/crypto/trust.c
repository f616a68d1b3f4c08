#include "models/crypto/trust.h"

bool dc_trust_has_root(const struct dc_trust *trust)
{
    static const uint8_t zero[32];
    return memcmp(trust->root_key, zero, sizeof zero) != 0;
}

static bool same_key(const uint8_t a[32], const uint8_t b[32])
{
    return memcmp(a, b, 32) == 0;
}

static const struct dc_registrars *trust_registrars(const struct dc_trust *trust)
{
    static const struct dc_registrars none;
    return trust->registrars != NULL ? trust->registrars : &none;
}

/* --- the list --------------------------------------------------------------------------------- */

uint32_t dc_registrars_find(const struct dc_registrars *r, uint64_t serial)
{
    uint32_t i = 0;
    while (i < r->count && r->list[i].serial != serial)
        i++;
    return i;
}

/* Whether a key is revoked, as far as the list goes back. */
static bool key_revoked(const struct dc_registrars *r, const uint8_t genesis[32],
                        const uint8_t key[32])
{
    if (r->genesis_revoked && same_key(genesis, key))
        return true;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->list[i].revoked && same_key(r->list[i].key, key))
            return true;
    return false;
}

/* A new entry at the end; NULL: all places are taken by entries whose time is not over. */
static struct dc_listed_registrar *list_place(struct dc_registrars *r, uint64_t height)
{
    uint32_t i = 0;
    if (r->count == DC_REGISTRARS_MAX) {
        while (i < r->count && r->list[i].end_height > height)
            i++;
        if (i == r->count)
            return NULL;
        r->count--;
        memmove(&r->list[i], &r->list[i + 1], (r->count - i) * sizeof *r->list);
    }
    struct dc_listed_registrar *entry = &r->list[r->count++];
    memset(entry, 0, sizeof *entry);
    return entry;
}

bool dc_registrars_add(const struct dc_crypto *c, const struct dc_trust *trust, const void *bytes,
                       uint64_t height, struct dc_registrars *r)
{
    struct dc_cert cert;
    if (!dc_trust_has_root(trust) || !dc_cert_decode(bytes, DC_CERT_BYTES, &cert) ||
        cert.level != DC_CERT_REGISTRAR || cert.serial == DC_REGISTRAR_GENESIS ||
        dc_registrars_find(r, cert.serial) != r->count || same_key(cert.signing, trust->root_key) ||
        !dc_key_is_valid(cert.signing) || key_revoked(r, trust->registrar_key, cert.signing) ||
        dc_cert_verify(c, &cert, trust->chain, trust->root_key,
                       height < cert.from_height ? cert.from_height : height,
                       DC_ROLE_REGISTRAR) != DC_CERT_OK)
        return false;
    struct dc_listed_registrar *entry = list_place(r, height);
    if (entry == NULL)
        return false;
    *entry = (struct dc_listed_registrar){.serial = cert.serial,
                                          .subject = cert.subject,
                                          .from_height = cert.from_height,
                                          .end_height = cert.end_height};
    memcpy(entry->key, cert.signing, 32);
    return true;
}

bool dc_registrars_revoke(const struct dc_trust *trust, uint64_t serial, uint64_t height,
                          struct dc_registrars *r)
{
    uint32_t at = dc_registrars_find(r, serial);
    uint8_t key[32];
    if (serial == DC_REGISTRAR_GENESIS ? r->genesis_revoked : at < r->count && r->list[at].revoked)
        return false;
    if (serial != DC_REGISTRAR_GENESIS && at == r->count) {
        struct dc_listed_registrar *entry = list_place(r, height);
        if (entry == NULL)
            return false;
        *entry = (struct dc_listed_registrar){
            .serial = serial, .end_height = UINT64_MAX, .revoked = true};
        return true;
    }
    memcpy(key, serial == DC_REGISTRAR_GENESIS ? trust->registrar_key : r->list[at].key, 32);
    r->genesis_revoked |= same_key(key, trust->registrar_key);
    for (uint32_t i = 0; i < r->count; i++)
        r->list[i].revoked |= same_key(r->list[i].key, key);
    return true;
}

const uint8_t *dc_registrars_key(const struct dc_registrars *r, uint64_t serial, uint64_t height)
{
    uint32_t at = dc_registrars_find(r, serial);
    if (at == r->count || r->list[at].revoked || height < r->list[at].from_height ||
        height >= r->list[at].end_height)
        return NULL;
    return r->list[at].key;
}

/* --- certificates ----------------------------------------------------------------------------- */

/* Whose key is to have signed a node's certificate that came alone. */
static enum dc_cert_verdict trust_issuer(const struct dc_trust *trust, const struct dc_cert *cert,
                                         uint64_t height, const uint8_t **key)
{
    const struct dc_registrars *r = trust_registrars(trust);
    enum dc_cert_verdict verdict = DC_CERT_OK;
    *key = trust->registrar_key;
    if (dc_cert_names(cert, trust->registrar_key))
        return r->genesis_revoked ? DC_CERT_REVOKED : DC_CERT_OK;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct dc_listed_registrar *entry = &r->list[i];
        if (entry->subject != cert->issuer || !dc_cert_names(cert, entry->key))
            continue;
        if (entry->revoked)
            return DC_CERT_REVOKED;
        *key = entry->key;
        verdict = height < entry->from_height   ? DC_CERT_EARLY
                  : height >= entry->end_height ? DC_CERT_EXPIRED
                                                : DC_CERT_OK;
        if (verdict == DC_CERT_OK)
            break;
    }
    return verdict; /* nobody that is known: dc_cert_verify says so */
}

/* The registrar's certificate of 460 bytes. */
static enum dc_cert_verdict trust_first(const struct dc_crypto *c, const struct dc_trust *trust,
                                        const struct dc_cert *registrar, uint64_t height)
{
    const struct dc_registrars *r = trust_registrars(trust);
    if (!dc_trust_has_root(trust))
        return DC_CERT_ISSUER;
    enum dc_cert_verdict verdict =
        dc_cert_verify(c, registrar, trust->chain, trust->root_key, height, DC_ROLE_REGISTRAR);
    if (verdict != DC_CERT_OK)
        return verdict;
    uint32_t at = dc_registrars_find(r, registrar->serial);
    return (at < r->count && r->list[at].revoked) ||
                   key_revoked(r, trust->registrar_key, registrar->signing)
               ? DC_CERT_REVOKED
               : DC_CERT_OK;
}

enum dc_cert_verdict dc_trust_check(const struct dc_crypto *c, const struct dc_trust *trust,
                                    const void *bytes, size_t size, uint64_t height, uint32_t roles,
                                    struct dc_cert *out)
{
    struct dc_cert registrar = {0}, cert;
    const uint8_t *at = bytes, *key;
    bool first = size == DC_CERT_CHAIN_BYTES;
    enum dc_cert_verdict verdict;
    memset(out, 0, sizeof *out);
    if (first) {
        if (!dc_cert_decode(at, DC_CERT_BYTES, &registrar) || registrar.level != DC_CERT_REGISTRAR)
            return DC_CERT_MALFORMED;
        verdict = trust_first(c, trust, &registrar, height);
        if (verdict != DC_CERT_OK)
            return verdict;
        at += DC_CERT_BYTES;
        size -= DC_CERT_BYTES;
    }
    if (!dc_cert_decode(at, size, &cert) || cert.level != DC_CERT_NODE)
        return DC_CERT_MALFORMED;
    if (first) {
        key = registrar.signing;
        verdict = cert.issuer == registrar.subject ? DC_CERT_OK : DC_CERT_ISSUER;
    } else {
        verdict = trust_issuer(trust, &cert, height, &key);
    }
    if (verdict == DC_CERT_OK)
        verdict = dc_cert_verify(c, &cert, trust->chain, key, height, roles);
    if (verdict == DC_CERT_OK)
        *out = cert;
    return verdict;
}

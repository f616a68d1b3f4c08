#include "models/crypto/registrar.h"

static const char *const registrar_names[DC_REGISTRAR_VERDICT_COUNT] = {
    "ok",
    "no proof of possession",
    "no consent of the key before",
    "taken",
    "unknown",
    "revoked",
    "outside of the validity",
    "wrong role",
    "full",
};

const char *dc_registrar_verdict_name(enum dc_registrar_verdict verdict)
{
    DC_CHECK((unsigned)verdict < DC_REGISTRAR_VERDICT_COUNT);
    return registrar_names[verdict];
}

/* What is wished as a certificate without serial and issuer.  A node's roles may be nonsense: who
 * asks has looked. */
static struct dc_cert registrar_wish(uint64_t chain, uint8_t level,
                                     const struct dc_registrar_wish *w)
{
    struct dc_cert cert = {.level = level,
                           .roles = w->roles,
                           .chain = chain,
                           .subject = w->subject,
                           .issuer = level == DC_CERT_ROOT ? w->subject : ~w->subject,
                           .from_height = w->from_height,
                           .end_height = w->end_height};
    memcpy(cert.signing, w->signing, 32);
    memcpy(cert.exchange, w->exchange, 32);
    memcpy(cert.vrf, w->vrf, 32);
    return cert;
}

void dc_registrar_sign_wish(const struct dc_crypto *c, uint64_t chain, uint8_t level,
                            const struct dc_registrar_wish *w, const struct dc_keypair *key,
                            uint8_t signature[64])
{
    struct dc_cert cert = registrar_wish(chain, level, w);
    dc_cert_possession_sign(c, key, &cert, signature);
}

static void registrar_sign(const struct dc_crypto *c, const struct dc_keypair *key, uint64_t issuer,
                           uint64_t serial, struct dc_cert *cert)
{
    cert->issuer = issuer;
    cert->serial = serial;
    dc_cert_sign(c, key, cert);
}

/* --- the root --------------------------------------------------------------------------------- */

void dc_root_create(const struct dc_crypto *c, uint64_t chain, uint64_t id,
                    const struct dc_keypair *key, uint64_t from_height, uint64_t end_height,
                    struct dc_root *out)
{
    *out = (struct dc_root){.crypto = c, .chain = chain, .id = id, .key = *key, .serial = 1};
    out->cert = (struct dc_cert){.level = DC_CERT_ROOT,
                                 .roles = DC_ROLE_ROOT,
                                 .chain = chain,
                                 .subject = id,
                                 .from_height = from_height,
                                 .end_height = end_height};
    memcpy(out->cert.signing, key->public, 32);
    memcpy(out->cert.vrf, key->public, 32);
    registrar_sign(c, key, id, out->serial++, &out->cert);
}

enum dc_registrar_verdict dc_root_certify(struct dc_root *root, const struct dc_registrar_wish *w,
                                          const uint8_t possession[64], struct dc_cert *out)
{
    struct dc_cert wish = registrar_wish(root->chain, DC_CERT_REGISTRAR, w);
    memset(out, 0, sizeof *out);
    if (w->roles != DC_ROLE_REGISTRAR || w->subject == root->id)
        return DC_REGISTRAR_ROLE;
    if (w->from_height >= w->end_height || w->from_height < root->cert.from_height ||
        w->end_height > root->cert.end_height)
        return DC_REGISTRAR_VALIDITY;
    if (memcmp(w->signing, root->key.public, 32) == 0)
        return DC_REGISTRAR_TAKEN;
    if (!dc_cert_possession_verify(root->crypto, &wish, possession))
        return DC_REGISTRAR_POSSESSION;
    registrar_sign(root->crypto, &root->key, root->id, root->serial++, &wish);
    *out = wish;
    return DC_REGISTRAR_OK;
}

/* --- the desk --------------------------------------------------------------------------------- */

static bool registrar_certified(const struct dc_crypto *c, const struct dc_root *root,
                                const struct dc_keypair *key, const struct dc_cert *cert)
{
    return cert->level == DC_CERT_REGISTRAR && memcmp(cert->signing, key->public, 32) == 0 &&
           cert->issuer == root->id &&
           dc_cert_verify(c, cert, root->chain, root->key.public, cert->from_height,
                          DC_ROLE_REGISTRAR) == DC_CERT_OK;
}

enum dc_registrar_verdict dc_registrar_open(const struct dc_crypto *c, const struct dc_root *root,
                                            const struct dc_keypair *key,
                                            const struct dc_cert *cert,
                                            struct dc_registrar_entry *entries, uint32_t count_max,
                                            struct dc_registrar *out)
{
    memset(out, 0, sizeof *out);
    if (!registrar_certified(c, root, key, cert))
        return DC_REGISTRAR_UNKNOWN;
    *out = (struct dc_registrar){.crypto = c,
                                 .chain = root->chain,
                                 .id = cert->subject,
                                 .serial = 1,
                                 .key = *key,
                                 .entry = entries,
                                 .count_max = count_max};
    out->cert[0] = *cert;
    return DC_REGISTRAR_OK;
}

/* Where a subject stands, or would. */
static uint32_t registrar_place(const struct dc_registrar *r, uint64_t subject)
{
    uint32_t low = 0, high = r->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->entry[middle].subject < subject)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool registrar_has(const struct dc_registrar *r, uint32_t at, uint64_t subject)
{
    return at < r->count && r->entry[at].subject == subject;
}

static bool registrar_key_taken(const struct dc_registrar *r, const uint8_t key[32],
                                uint64_t subject)
{
    for (uint32_t g = 0; g <= r->generation; g++)
        if (memcmp(r->cert[g].signing, key, 32) == 0)
            return true;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->entry[i].subject != subject && memcmp(r->entry[i].signing, key, 32) == 0)
            return true;
    return false;
}

/* What holds for first certificates and renewals alike. */
static enum dc_registrar_verdict registrar_may(const struct dc_registrar *r,
                                               const struct dc_registrar_wish *w, uint64_t height)
{
    const struct dc_cert *own = &r->cert[r->generation];
    if (w->roles == 0 ||
        (w->roles & ~(uint32_t)(DC_ROLE_ALL & ~(DC_ROLE_ROOT | DC_ROLE_REGISTRAR))) != 0)
        return DC_REGISTRAR_ROLE;
    if (w->from_height >= w->end_height || w->end_height <= height ||
        w->from_height < own->from_height || w->end_height > own->end_height)
        return DC_REGISTRAR_VALIDITY;
    return registrar_key_taken(r, w->signing, w->subject) ? DC_REGISTRAR_TAKEN : DC_REGISTRAR_OK;
}

static void registrar_enter(struct dc_registrar *r, struct dc_registrar_entry *e,
                            struct dc_cert *cert)
{
    registrar_sign(r->crypto, &r->key, r->id, r->serial++, cert);
    *e = (struct dc_registrar_entry){.subject = cert->subject,
                                     .serial = cert->serial,
                                     .from_height = cert->from_height,
                                     .end_height = cert->end_height,
                                     .roles = cert->roles,
                                     .generation = r->generation};
    memcpy(e->signing, cert->signing, 32);
}

enum dc_registrar_verdict dc_registrar_issue(struct dc_registrar *r,
                                             const struct dc_registrar_wish *w, uint64_t height,
                                             const uint8_t possession[64], struct dc_cert *out)
{
    enum dc_registrar_verdict verdict = registrar_may(r, w, height);
    uint32_t at = registrar_place(r, w->subject);
    memset(out, 0, sizeof *out);
    if (verdict != DC_REGISTRAR_OK)
        return verdict;
    if (registrar_has(r, at, w->subject))
        return r->entry[at].revoked ? DC_REGISTRAR_REVOKED : DC_REGISTRAR_TAKEN;
    if (r->count == r->count_max)
        return DC_REGISTRAR_FULL;
    struct dc_cert wish = registrar_wish(r->chain, DC_CERT_NODE, w);
    if (!dc_cert_possession_verify(r->crypto, &wish, possession))
        return DC_REGISTRAR_POSSESSION;
    memmove(&r->entry[at + 1], &r->entry[at], (r->count - at) * sizeof *r->entry);
    r->count++;
    registrar_enter(r, &r->entry[at], &wish);
    *out = wish;
    return DC_REGISTRAR_OK;
}

enum dc_registrar_verdict dc_registrar_renew(struct dc_registrar *r,
                                             const struct dc_registrar_wish *w, uint64_t height,
                                             const uint8_t possession[64],
                                             const uint8_t consent[64], struct dc_cert *out)
{
    enum dc_registrar_verdict verdict = registrar_may(r, w, height);
    uint32_t at = registrar_place(r, w->subject);
    memset(out, 0, sizeof *out);
    if (verdict != DC_REGISTRAR_OK)
        return verdict;
    if (!registrar_has(r, at, w->subject))
        return DC_REGISTRAR_UNKNOWN;
    struct dc_registrar_entry *e = &r->entry[at];
    if (e->revoked)
        return DC_REGISTRAR_REVOKED;
    if (e->roles != w->roles)
        return DC_REGISTRAR_ROLE;
    struct dc_cert wish = registrar_wish(r->chain, DC_CERT_NODE, w);
    if (!dc_cert_possession_verify(r->crypto, &wish, possession))
        return DC_REGISTRAR_POSSESSION;
    if (!dc_cert_possession_verify_by(r->crypto, &wish, e->signing, consent))
        return DC_REGISTRAR_CONSENT;
    registrar_enter(r, e, &wish);
    *out = wish;
    return DC_REGISTRAR_OK;
}

static struct dc_registrar_entry *registrar_serial(const struct dc_registrar *r, uint64_t serial)
{
    for (uint32_t i = 0; i < r->count; i++)
        if (r->entry[i].serial == serial)
            return &r->entry[i];
    return NULL;
}

enum dc_registrar_verdict dc_registrar_revoke(struct dc_registrar *r, uint64_t serial)
{
    struct dc_registrar_entry *e = registrar_serial(r, serial);
    if (e == NULL)
        return DC_REGISTRAR_UNKNOWN;
    if (e->revoked)
        return DC_REGISTRAR_REVOKED;
    e->revoked = true;
    return DC_REGISTRAR_OK;
}

bool dc_registrar_revoked(const struct dc_registrar *r, uint64_t serial)
{
    const struct dc_registrar_entry *e = registrar_serial(r, serial);
    return e != NULL && e->revoked;
}

uint32_t dc_registrar_expire(struct dc_registrar *r, uint64_t height)
{
    uint32_t kept = 0, before = r->count;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->entry[i].end_height > height)
            r->entry[kept++] = r->entry[i];
    r->count = kept;
    return before - kept;
}

enum dc_registrar_verdict dc_registrar_rotate(struct dc_registrar *r, const struct dc_root *root,
                                              const struct dc_keypair *key,
                                              const struct dc_cert *cert)
{
    if (cert->subject != r->id || !registrar_certified(r->crypto, root, key, cert))
        return DC_REGISTRAR_UNKNOWN;
    if (r->generation + 1 == DC_REGISTRAR_KEYS_MAX)
        return DC_REGISTRAR_FULL;
    if (registrar_key_taken(r, key->public, UINT64_MAX))
        return DC_REGISTRAR_TAKEN;
    r->cert[++r->generation] = *cert;
    r->key = *key;
    return DC_REGISTRAR_OK;
}

bool dc_registrar_chain(const struct dc_registrar *r, const struct dc_root *root,
                        const struct dc_cert *cert, struct dc_cert out[DC_CERT_DEPTH_MAX])
{
    for (uint32_t g = 0; g <= r->generation; g++) {
        if (dc_cert_verify(r->crypto, cert, r->chain, r->cert[g].signing, cert->from_height, 0) !=
            DC_CERT_OK)
            continue;
        out[0] = root->cert;
        out[1] = r->cert[g];
        out[2] = *cert;
        return true;
    }
    return false;
}

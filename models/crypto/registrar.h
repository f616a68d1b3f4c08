/* The desk behind certificates (cert.h): a root, and registrars that it certifies.
 *
 *   root  --certifies--> registrar (key g) --issues, renews--> nodes
 *     |                      | rotates
 *     +--certifies--> registrar (key g + 1) --issues, renews--> nodes
 *
 * Nobody is certified who has not signed what is to be certified with the key in it; a renewal is
 * signed with the key that it replaces too.  Serials go up and are never used again.  When a
 * registrar gets a new key, what it signed with the old one stays valid by its own chain (root,
 * registrar's old certificate, node's) until either ends, or it is renewed under the new key.
 *
 * What is revoked is a set of serials: the ledger's on chain, this desk's copy of it here.  A
 * certificate that has expired can be renewed for as long as the desk remembers it.
 *
 * Who verifies, and what the chain says of registrars, is trust.h's.
 *
 * A presented certificate is 230 bytes of a node's, whose issuer the verifier knows; or 460: the
 * registrar's own certificate before it, so that a registrar's key may change under one root. */
#ifndef MODELS_CRYPTO_REGISTRAR_H
#define MODELS_CRYPTO_REGISTRAR_H

#include "models/crypto/trust.h"

enum dc_registrar_verdict {
    DC_REGISTRAR_OK,
    DC_REGISTRAR_POSSESSION, /* not signed with the key that is to be certified, or no such point */
    DC_REGISTRAR_CONSENT,    /* a renewal that the key before did not sign */
    DC_REGISTRAR_TAKEN,   /* the key belongs to another subject; or the subject has a certificate */
    DC_REGISTRAR_UNKNOWN, /* no such subject or serial */
    DC_REGISTRAR_REVOKED,
    DC_REGISTRAR_VALIDITY, /* outside of the registrar's own, or over already */
    DC_REGISTRAR_ROLE,     /* roles that no node may have, or other ones than before */
    DC_REGISTRAR_FULL,
    DC_REGISTRAR_VERDICT_COUNT
};
const char *dc_registrar_verdict_name(enum dc_registrar_verdict verdict);

struct dc_root {
    const struct dc_crypto *crypto;
    uint64_t chain, id, serial; /* serial: of the next certificate */
    struct dc_keypair key;
    struct dc_cert cert; /* signed by itself */
};

/* What the desk remembers of one subject: its newest certificate. */
struct dc_registrar_entry {
    uint64_t subject, serial, from_height, end_height;
    uint32_t roles, generation; /* generation: of the registrar's key that signed it */
    uint8_t signing[32];
    bool revoked;
};

#define DC_REGISTRAR_KEYS_MAX 8 /* of one registrar, ever */

struct dc_registrar {
    const struct dc_crypto *crypto;
    uint64_t chain, id, serial;
    uint32_t generation;                        /* of the key: index into cert */
    struct dc_keypair key;                      /* the newest */
    struct dc_cert cert[DC_REGISTRAR_KEYS_MAX]; /* the root's, for each key that it had */
    struct dc_registrar_entry *entry;           /* the caller's memory, by subject */
    uint32_t count, count_max;
};

/* What somebody asks for; signing and VRF keys are checked to be points. */
struct dc_registrar_wish {
    uint64_t subject, from_height, end_height;
    uint32_t roles;
    uint8_t signing[32], exchange[32], vrf[32];
};

/* A root of validity [from, end), certified by itself. */
void dc_root_create(const struct dc_crypto *c, uint64_t chain, uint64_t id,
                    const struct dc_keypair *key, uint64_t from_height, uint64_t end_height,
                    struct dc_root *out);
/* Certifies a registrar, who has signed dc_registrar_statement of the wish. */
enum dc_registrar_verdict dc_root_certify(struct dc_root *root, const struct dc_registrar_wish *w,
                                          const uint8_t possession[64], struct dc_cert *out);

/* A registrar with the key that cert names; entries: memory for that many subjects.
 * DC_REGISTRAR_UNKNOWN: cert is not the root's of that key. */
enum dc_registrar_verdict dc_registrar_open(const struct dc_crypto *c, const struct dc_root *root,
                                            const struct dc_keypair *key,
                                            const struct dc_cert *cert,
                                            struct dc_registrar_entry *entries, uint32_t count_max,
                                            struct dc_registrar *out);

/* Proof of possession of a wish: the certificate to be, without serial, issuer and print, so that it
 * can be signed before anybody has one. */
void dc_registrar_sign_wish(const struct dc_crypto *c, uint64_t chain, uint8_t level,
                            const struct dc_registrar_wish *w, const struct dc_keypair *key,
                            uint8_t signature[64]);

/* height: now.  possession: by the wish's signing key. */
enum dc_registrar_verdict dc_registrar_issue(struct dc_registrar *r,
                                             const struct dc_registrar_wish *w, uint64_t height,
                                             const uint8_t possession[64], struct dc_cert *out);
/* consent: the same statement, signed with the key of the certificate that is replaced.  Roles stay.
 * Also how a node's certificate comes under a registrar's new key. */
enum dc_registrar_verdict dc_registrar_renew(struct dc_registrar *r,
                                             const struct dc_registrar_wish *w, uint64_t height,
                                             const uint8_t possession[64],
                                             const uint8_t consent[64], struct dc_cert *out);
enum dc_registrar_verdict dc_registrar_revoke(struct dc_registrar *r, uint64_t serial);
bool dc_registrar_revoked(const struct dc_registrar *r, uint64_t serial);
/* Forgets who expired before height; returns how many.  A revoked serial is remembered until then. */
uint32_t dc_registrar_expire(struct dc_registrar *r, uint64_t height);
/* The registrar takes a new key, which cert names. */
enum dc_registrar_verdict dc_registrar_rotate(struct dc_registrar *r, const struct dc_root *root,
                                              const struct dc_keypair *key,
                                              const struct dc_cert *cert);
/* root, registrar (as of the key that signed it), node: for dc_cert_chain_verify.  False: the desk
 * did not sign it. */
bool dc_registrar_chain(const struct dc_registrar *r, const struct dc_root *root,
                        const struct dc_cert *cert, struct dc_cert out[DC_CERT_DEPTH_MAX]);

#endif

/* Whom a verifier of certificates trusts: the keys of genesis, and what the chain has said since.
 *
 *   genesis   registrar_key   certifies nodes                    until the root revokes it
 *             root_key        certifies registrars, and signs what the list says
 *   chain     list of registrars, at most DC_REGISTRARS_MAX      each in its validity, until revoked
 *
 * A registrar is named by the serial that the root gave its certificate; that of genesis, which has
 * none, by DC_REGISTRAR_GENESIS.  Revoked is a key: whatever serials it is listed under, they fall
 * together, and nothing that it signed is believed when it is presented, whenever it was signed: a
 * stolen key can be made to sign any height.  Accounts that were registered before are the ledger's
 * and stay.
 *
 * The list is part of the state (ledger/vault.h).  An entry whose validity is over goes when its place
 * is needed: nothing is believed under it any more, revoked or not. */
#ifndef MODELS_CRYPTO_TRUST_H
#define MODELS_CRYPTO_TRUST_H

#include "models/crypto/cert.h"

#define DC_CERT_CHAIN_BYTES (2 * DC_CERT_BYTES)
#define DC_REGISTRARS_MAX 8
#define DC_REGISTRAR_GENESIS ((uint64_t)0)

struct dc_listed_registrar {
    uint64_t serial;                  /* of its certificate, by the root */
    uint64_t subject;                 /* whom certificates by it name as issuer */
    uint64_t from_height, end_height; /* end UINT64_MAX: revoked by serial alone, key unknown */
    uint64_t nonce;                   /* of its next REVOKE */
    uint8_t key[32];
    bool revoked;
};
struct dc_registrars { /* zero: nothing was ever said */
    uint64_t changes;  /* so far: nonce of the root's next transaction */
    uint32_t count;
    bool genesis_revoked;
    struct dc_listed_registrar list[DC_REGISTRARS_MAX]; /* in the order in which they came */
};

struct dc_trust {
    uint64_t chain;
    uint8_t registrar_key[32]; /* of genesis: signs what is presented in 230 bytes */
    uint8_t root_key[32];      /* signs registrars: what is presented in 460 bytes; zero: nobody */
    const struct dc_registrars *registrars; /* NULL: as in genesis */
};
/* Whether genesis names a root. */
bool dc_trust_has_root(const struct dc_trust *trust);
/* Node's certificate in size bytes, at a height: *out is it when DC_CERT_OK.  230: by the registrar of
 * genesis or a listed one that is valid; 460: with its registrar's certificate before it, listed or
 * not.  DC_CERT_REVOKED: that registrar is revoked. */
enum dc_cert_verdict dc_trust_check(const struct dc_crypto *c, const struct dc_trust *trust,
                                    const void *bytes, size_t size, uint64_t height, uint32_t roles,
                                    struct dc_cert *out);
/* Place of a serial in the list; count: it is not there. */
uint32_t dc_registrars_find(const struct dc_registrars *r, uint64_t serial);
/* The key that a listed registrar signs with at a height; NULL when it is none that is current. */
const uint8_t *dc_registrars_key(const struct dc_registrars *r, uint64_t serial, uint64_t height);

/* Registrar's certificate (230 bytes) by the root into the list, at a height: possible from before
 * its validity until its end.  False, and nothing has changed: not the root's, over, listed already,
 * of a revoked key, or no place.  The caller has checked that the root wants it and counts changes. */
bool dc_registrars_add(const struct dc_crypto *c, const struct dc_trust *trust, const void *bytes,
                       uint64_t height, struct dc_registrars *r);
/* Revokes a serial, and with it its key.  One that is not listed takes a place for good.  False: it
 * was already, or no place. */
bool dc_registrars_revoke(const struct dc_trust *trust, uint64_t serial, uint64_t height,
                          struct dc_registrars *r);

#endif

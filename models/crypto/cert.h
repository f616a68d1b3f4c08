/* Certificates: who holds which keys, in which roles, between which heights.
 *
 * A chain is root -> registrar -> node; the root's own certificate is signed by itself.  230 bytes:
 *
 *    0  version 1      1  level 1 (0 root, 1 registrar, 2 node)    2  roles 4
 *    6  chain 8       14  serial 8        22  subject id 8        30  issuer id 8
 *   38  print of the issuer's signing key 16 (so that an id whose key was replaced is not mistaken)
 *   54  signing key 32     86  exchange key 32 (X25519)     118  VRF key 32
 *  150  first height 8    158  end height 8 (exclusive)
 *  166  signature of the issuer 64, over H(CERTIFICATE, bytes 0..165)
 *
 * Whether a certificate holds is a function of its bytes, the issuer's key, a height and a role:
 * never of a clock, so that nodes agree.  Revocation is a set on chain, looked up by the caller. */
#ifndef MODELS_CRYPTO_CERT_H
#define MODELS_CRYPTO_CERT_H

#include "models/crypto/crypto.h"

#define DC_CERT_BYTES ((size_t)230)
#define DC_CERT_SIGNED_BYTES ((size_t)166)
#define DC_CERT_DEPTH_MAX 3

enum dc_role { /* bits */
               DC_ROLE_ROOT = 1u << 0,
               DC_ROLE_REGISTRAR = 1u << 1,
               DC_ROLE_VALIDATOR = 1u << 2,
               DC_ROLE_STORAGE = 1u << 3,
               DC_ROLE_HOSTING = 1u << 4,
               DC_ROLE_DNS = 1u << 5,
               DC_ROLE_RPC = 1u << 6,
               DC_ROLE_GPU = 1u << 7,
               DC_ROLE_CLIENT = 1u << 8,
               DC_ROLE_ALL = (1u << 9) - 1
};

enum dc_cert_level { DC_CERT_ROOT = 0, DC_CERT_REGISTRAR = 1, DC_CERT_NODE = 2 };

struct dc_cert {
    uint8_t level;   /* enum dc_cert_level */
    uint32_t roles;  /* enum dc_role */
    uint64_t chain;  /* chain id */
    uint64_t serial; /* unique per issuer */
    uint64_t subject, issuer;
    uint8_t issuer_print[16];
    uint8_t signing[32], exchange[32], vrf[32];
    uint64_t from_height, end_height;
    uint8_t signature[64];
};

enum dc_cert_verdict {
    DC_CERT_OK,
    DC_CERT_MALFORMED, /* not 230 bytes, unknown version, impossible fields */
    DC_CERT_CHAIN,     /* of another chain */
    DC_CERT_ISSUER,    /* not by this issuer, or the issuer may not issue it */
    DC_CERT_ROLE,      /* not for the role asked */
    DC_CERT_EARLY,     /* not yet valid */
    DC_CERT_EXPIRED,
    DC_CERT_SIGNATURE,
    DC_CERT_REVOKED, /* its registrar is revoked (trust.h) */
    DC_CERT_VERDICT_COUNT
};
const char *dc_cert_verdict_name(enum dc_cert_verdict verdict);

/* Fills print and signature of *cert, whose other fields the caller has set. */
void dc_cert_sign(const struct dc_crypto *c, const struct dc_keypair *issuer, struct dc_cert *cert);
void dc_cert_encode(const struct dc_cert *cert, uint8_t out[DC_CERT_BYTES]);
/* False, *out zeroed, on anything but the encoding of a possible certificate. */
bool dc_cert_decode(const void *bytes, size_t size, struct dc_cert *out);

/* Whether it says that this key signed it. */
bool dc_cert_names(const struct dc_cert *cert, const uint8_t issuer_key[32]);

/* One certificate under the signing key of its issuer at a height, for some roles (0: any). */
enum dc_cert_verdict dc_cert_verify(const struct dc_crypto *c, const struct dc_cert *cert,
                                    uint64_t chain, const uint8_t issuer_key[32], uint64_t height,
                                    uint32_t roles);
/* A chain of 1..DC_CERT_DEPTH_MAX certificates from the root's to the subject's, levels 0, 1, 2,
 * each signed by the one before, the first by root_key itself; roles are asked of the last. */
enum dc_cert_verdict dc_cert_chain_verify(const struct dc_crypto *c, const struct dc_cert *certs,
                                          size_t count, uint64_t chain, const uint8_t root_key[32],
                                          uint64_t height, uint32_t roles);

/* Proof of possession: the subject signs what is to be certified, before it is.  Besides the
 * signature, the check asks that signing and VRF keys are points of the prime-order group. */
void dc_cert_possession_sign(const struct dc_crypto *c, const struct dc_keypair *subject,
                             const struct dc_cert *cert, uint8_t signature[64]);
bool dc_cert_possession_verify(const struct dc_crypto *c, const struct dc_cert *cert,
                               const uint8_t signature[64]);
/* The same statement under another key: the one that a renewal replaces agrees to it. */
bool dc_cert_possession_verify_by(const struct dc_crypto *c, const struct dc_cert *cert,
                                  const uint8_t key[32], const uint8_t signature[64]);

#endif

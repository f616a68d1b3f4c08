/* One-time addresses: what is paid to somebody is paid to a key that nobody else can connect with
 * him (van Saberhagen 2013; view tags as in Monero since 2022).
 *
 *   recipient   view key  a, A = a B        spend key  b, S = b B~        address = (A, S)
 *   sender      ephemeral r, R = r B        shared point  r A = a R
 *   secret      k = H(r A, R, i)            i numbers the outputs under one R
 *   output      P = H(k, "key") B~ + S, R, the first byte of H(k, "tag")
 *   recipient   x = H(k, "key") + b         opens P; and H(k, ...) masks the amount and blinds
 *
 * Who has the view key alone recognises outputs and their amounts and can spend none.  A scanner
 * computes a R for each output (one multiple) and compares the tag; one in 256 of others' outputs
 * costs it a second one.  Outputs under one key P are possible (a sender may repeat himself), and
 * only one of them can be spent: recipients take the first. */
#ifndef MODELS_CRYPTO_STEALTH_H
#define MODELS_CRYPTO_STEALTH_H

#include "models/base/status.h"
#include "models/crypto/hash.h"

struct dc_stealth_address { /* 64 bytes, published */
    uint8_t view[32];       /* A */
    uint8_t spend[32];      /* S */
};
struct dc_stealth_keys {
    uint8_t view_secret[32];
    uint8_t spend_secret[32];
    struct dc_stealth_address address;
};
struct dc_stealth_output { /* DC_NOTE_ADDRESS_BYTES, in this order */
    uint8_t key[32];       /* P */
    uint8_t ephemeral[32]; /* R */
    uint8_t view_tag;
};

/* Both key pairs from 32 secret bytes. */
void dc_stealth_keys_from_seed(const uint8_t seed[32], struct dc_stealth_keys *out);

/* An output for `to`, and the secret k that its two sides share.  The ephemeral key is derived from
 * `seed`, which must be another one for each output.  False when the address is none. */
bool dc_stealth_send(const struct dc_stealth_address *to, const uint8_t seed[32], uint32_t i,
                     struct dc_stealth_output *out, uint8_t shared[32]) DC_MUST_USE;
/* Whether an output is the recipient's; then k.  Nonsense is nobody's.  *tag_fits (NULL allowed)
 * says that the tag did, so that the second multiple was computed. */
bool dc_stealth_recognise(const uint8_t view_secret[32], const uint8_t spend_public[32],
                          const struct dc_stealth_output *output, uint32_t i, uint8_t shared[32],
                          bool *tag_fits) DC_MUST_USE;

/* The secret x of an output that was recognised. */
void dc_stealth_secret(const uint8_t spend_secret[32], const uint8_t shared[32], uint8_t x[32]);
/* Encrypts an amount, or decrypts it: an involution. */
void dc_stealth_mask(const uint8_t shared[32], const uint8_t in[8], uint8_t out[8]);
/* The blinding of the output's commitment: a scalar. */
void dc_stealth_blinding(const uint8_t shared[32], uint8_t out[32]);

#endif

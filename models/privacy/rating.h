/* Anonymous rating of a service node: customers that are in a list give 0 to 5; the sum and how
 * many gave become public, nothing else.
 *
 *     create   tag 8 | node 4 | members 4 | close 4 | end 4 | root 32
 *     rate     mark 32 | c1 32 | c2 32 | V 32 | link 192 | proof
 *
 * The rating is a lifted ElGamal ciphertext under the key holders' group key, c1 = r B and
 * c2 = v B + r X; ciphertexts are added up on chain and only the sum is ever decrypted, by a
 * threshold of holders.  In the circuit stands V = v B + s B~ with v in 0..5 and the membership;
 * that both hold the same v is a sigma proof (knowledge of v, r, s for c1, c2 and V). */
#ifndef MODELS_PRIVACY_RATING_H
#define MODELS_PRIVACY_RATING_H

#include "models/privacy/membership.h"

#define DC_RATING_MOST 5u

enum dc_rating_method { DC_RATING_CREATE, DC_RATING_RATE, DC_RATING_SHARE, DC_RATING_CLAIM };

struct dc_rating_terms {
    uint64_t tag;
    uint32_t node, members;
    uint32_t close, end; /* heights from its making: last of the ratings, last of the shares */
    uint8_t root[32];
};
#define DC_RATING_CREATE_BYTES ((size_t)56)
void dc_rating_terms_encode(const struct dc_rating_terms *t, uint8_t out[56]);
bool dc_rating_terms_decode(const uint8_t *bytes, size_t size, struct dc_rating_terms *out);

/* The statement of a rating is its bytes: context 32 | group key 32 | root 32 | depth 4 | body.
 * */
#define DC_RATING_STATEMENT_BYTES ((size_t)100)
void dc_rating_statement(const struct dc_hash *context, const uint8_t group_key[32],
                         const uint8_t root[32], uint32_t members, uint8_t out[100]);
/* Body, or 0: no member, or a rating above 5.  As long as dc_escrow_approve; 1,376 or 1,440 bytes.
 * */
size_t dc_rating_rate(const struct dc_hash *context, const uint8_t group_key[32],
                      const uint8_t (*leaf)[32], uint32_t members, const uint8_t secret[32],
                      uint32_t rating, uint8_t *out, size_t out_max);
/* For dc_check_proof with DC_DOMAIN_RATING.  15 or 25 ms. */
bool dc_rating_check(const uint8_t *bytes, size_t size);
uint32_t dc_rating_gates(uint32_t members);

#endif

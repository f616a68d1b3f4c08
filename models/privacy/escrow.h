/* Private threshold escrow: money that reaches the payee when m of n members approve.  How many did
 * is public, who did is not: an approval comes from nobody, with a mark and a proof of membership
 * (membership.h).
 *
 *     create   tag 8 | payee 4 | amount 8 | members 4 | threshold 4 | end 4 | root 32
 *     approve  mark 32 | proof
 */
#ifndef MODELS_PRIVACY_ESCROW_H
#define MODELS_PRIVACY_ESCROW_H

#include "models/privacy/membership.h"

enum dc_escrow_method { DC_ESCROW_CREATE, DC_ESCROW_APPROVE };

struct dc_escrow_terms {
    uint64_t tag, amount;
    uint32_t payee, members, threshold;
    uint32_t end; /* heights from its making: then the money goes back */
    uint8_t root[32];
};
#define DC_ESCROW_CREATE_BYTES ((size_t)64)
void dc_escrow_terms_encode(const struct dc_escrow_terms *t, uint8_t out[64]);
/* False: not exactly such bytes, or terms that cannot be. */
bool dc_escrow_terms_decode(const uint8_t *bytes, size_t size, struct dc_escrow_terms *out);

/* The statement of an approval: what is checked is its bytes, then the proof. */
#define DC_ESCROW_STATEMENT_BYTES ((size_t)100)
void dc_escrow_statement(const struct dc_hash *context, const uint8_t root[32], uint32_t members,
                         const uint8_t mark[32], uint8_t out[100]);
/* An approval's body, or 0: the secret is no member's.  Up to 4 members 170 ms and 1,088 bytes, up
 * to 64 members 350 ms and 1,152 bytes. */
size_t dc_escrow_approve(const struct dc_hash *context, const uint8_t (*leaf)[32], uint32_t members,
                         const uint8_t secret[32], uint8_t *out, size_t out_max);
/* Statement || proof, for dc_check_proof with DC_DOMAIN_ESCROW.  15 or 25 ms. */
bool dc_escrow_check(const uint8_t *bytes, size_t size);
/* Gates of that proof, padded. */
uint32_t dc_escrow_gates(uint32_t members);

#endif

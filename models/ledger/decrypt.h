/* Threshold decryption inside a contract: the key holders' partial decryptions of one ciphertext
 * under the holders' group key, brought by CALL, and the sum that they open it to.
 *
 *   share   body = partial (DC_PARTIAL_BYTES), from a holder's account
 *             -> an entry of kind DC_ENTRY_PARTIAL: word[0] holder's index, point[0] x_i c1
 *   total   body = total 8, from anybody; t shares are there:  c2 - sum lambda_i x_i c1 == total B
 *
 * Whoever brings the total found it as a small logarithm (crypto/logarithm.h); the ledger only
 * multiplies.  Used by contract_usage.c and contract_rating.c, each with methods of their own: a
 * kind calls dc_decrypt_share and dc_decrypt_total from its `call`. */
#ifndef MODELS_LEDGER_DECRYPT_H
#define MODELS_LEDGER_DECRYPT_H

#include "models/crypto/dkg.h"
#include "models/ledger/contract.h"

#define DC_ENTRY_PARTIAL 0x44u /* dc_entry.kind; kinds of contracts keep off it */

/* What a partial decryption in a contract is bound to, beside c1: chain and contract. */
#define DC_DECRYPT_CONTEXT_BYTES ((size_t)12)
void dc_decrypt_context(uint64_t chain, uint32_t contract, uint8_t out[12]);

/* What holders make the beacon of a height of: the chain and it, nothing that anybody chooses. */
#define DC_BEACON_MESSAGE_BYTES ((size_t)16)
void dc_beacon_message(uint64_t chain, uint64_t height, uint8_t out[DC_BEACON_MESSAGE_BYTES]);

/* Index of the holder that has this account; DC_KEY_HOLDERS_MAX: none. */
uint32_t dc_holder_index(const struct dc_holders *holders, uint32_t account);
/* Shares in the contract so far, of *of that are needed; and whether holder `index` gave one. */
uint32_t dc_decrypt_shares(const struct dc_state *state, uint32_t contract, uint32_t *of);
bool dc_decrypt_given(const struct dc_state *state, uint32_t contract, uint32_t index);
/* c2 - x c1 from the first t shares of a contract; false: too few, or c2 is no point. */
bool dc_decrypt_opened(const struct dc_state *state, uint32_t contract, const uint8_t c2[32],
                       uint8_t out[32]) DC_MUST_USE;

/* Takes the share in call->tx's body of ciphertext (c1, ..) into the contract.  False, nothing
 * changed: not from a holder, its second, more than t, or wrong. */
bool dc_decrypt_share(const struct dc_contract_call *call, const uint8_t c1[32]);
/* True when the body's total is what (c1, c2) holds by the t shares in the contract; *total then.
 * Changes nothing. */
bool dc_decrypt_total(const struct dc_contract_call *call, const uint8_t c2[32], uint64_t *total);

#endif

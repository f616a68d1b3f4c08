/* Encrypted usage totals: many report, the sum alone becomes known; and payments that fire when it
 * passes a bound (models/README.md 13).
 *
 *   NEW     payee 4 | bits 1 | count 1 | bound 8 | amount 8 | close 8 | end 8 | tag 8 | ids 4 each
 *   REPORT  c1 32 | c2 32 | C 32 | sigma proof 192 | range proof (crypto/rangeproof.h)
 *   SHARE   partial decryption (ledger/decrypt.h)
 *   TOTAL   total 8
 *
 *   a report encrypts v to the holders' key X, and shows that it is small:
 *
 *     c1 = r B      c2 = v B + r X      C = v B + b B~       one sigma proof for the three
 *                                       C is in [0, 2^bits)  one Bulletproof
 *
 * c1 and c2 of all reports add up on chain; holders open the sum and nothing else. */
#ifndef MODELS_PRIVACY_USAGE_H
#define MODELS_PRIVACY_USAGE_H

#include "models/crypto/sigma.h"

/* Methods of a usage contract. */
enum dc_usage_method { DC_USAGE_NEW = 0, DC_USAGE_REPORT, DC_USAGE_SHARE, DC_USAGE_TOTAL };

/* Kinds of its entries, beside shares: a report that is waited for, and one that came. */
enum dc_usage_entry { DC_USAGE_EXPECTED = 1, DC_USAGE_REPORTED };

#define DC_USAGE_REPORTERS_MAX 250
#define DC_USAGE_HEIGHTS_MAX ((uint64_t)1 << 20) /* from its making to its end */
#define DC_USAGE_NEW_BYTES_MAX ((size_t)46 + 4 * DC_USAGE_REPORTERS_MAX)

struct dc_usage_terms {
    uint32_t payee;
    uint8_t bits;           /* each report is below 2^bits: 8, 16 or 32 */
    uint8_t count;          /* of reporters, 1 to DC_USAGE_REPORTERS_MAX */
    uint64_t bound, amount; /* a total of at least `bound` pays `amount` to the payee; else it goes
                               back to the owner */
    uint64_t close, end; /* heights after the contract's making: last for reports, last for all */
    uint64_t tag;
    uint32_t reporter[DC_USAGE_REPORTERS_MAX]; /* accounts, ascending */
};
size_t dc_usage_terms_encode(const struct dc_usage_terms *terms,
                             uint8_t out[DC_USAGE_NEW_BYTES_MAX]);
/* False unless the bytes are one encoding of terms that can be. */
bool dc_usage_terms_decode(const uint8_t *bytes, size_t size, struct dc_usage_terms *out);

/* A report: ciphertext 64, commitment 32, sigma proof 192, range proof. */
#define DC_USAGE_REPORT_BYTES(log2_bits) ((size_t)288 + 288 + 64 * (size_t)(log2_bits))
#define DC_USAGE_REPORT_BYTES_MAX DC_USAGE_REPORT_BYTES(5)
size_t dc_usage_report_bytes(uint8_t bits); /* 0: no such width */
/* context: chain, contract, reporter; seed: the reporter's secret.  Returns the size, 0 when v does
 * not fit or the key is none. */
struct dc_usage_context {
    uint64_t chain;
    uint32_t contract, reporter;
    uint8_t bits;
    uint8_t group_key[32];
};
size_t dc_usage_report_make(const struct dc_usage_context *context, const uint8_t seed[32],
                            uint64_t v, uint8_t out[DC_USAGE_REPORT_BYTES_MAX]);
bool dc_usage_report_check(const struct dc_usage_context *context, const uint8_t *report,
                           size_t size);
/* The same as one string of bytes, for dc_check_proof. */
#define DC_USAGE_STATEMENT_BYTES ((size_t)49)
#define DC_USAGE_STATEMENT_BYTES_MAX (DC_USAGE_STATEMENT_BYTES + DC_USAGE_REPORT_BYTES_MAX)
size_t dc_usage_statement(const struct dc_usage_context *context, const uint8_t *report,
                          size_t size, uint8_t out[DC_USAGE_STATEMENT_BYTES_MAX]);
bool dc_usage_statement_check(const uint8_t *bytes, size_t size);

#endif

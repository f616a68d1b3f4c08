/* Sealed-bid auction: the highest bid wins and pays what it said; the others are never opened.
 *
 *     create   tag 8 | unit 8 | close 4 | end 4 | seller's key 32
 *     bid      commitment 32 | deposit 4 | sealed opening 72 | knowledge of r 64 | proof
 *     settle   winner 4 | price 4 | proof
 *     expose   entry 4 | shared point 32 | DLEQ proof 64
 *
 * A bid is a number below 2^32 of units of money.  The bidder deposits at least what it bids,
 * proves so in a circuit, and seals the opening to the seller:
 *
 *     R = r B, S = r K = k R; sealed = R || (bid 8 || blinding 32) xor H(AUCTION, S, R, context)
 *
 * After the close the seller opens all bids and proves, in one circuit over all commitments on
 * chain, that the winner's is the price, earlier ones are below it and later ones at most it.  A
 * bid that does not open would block that: the seller exposes it by showing S with a proof that it
 * is k R (Chaum-Pedersen), and everybody sees what is inside.
 *
 * Hence the proof of knowing r (Schnorr, bound to contract and bidder).  Without it somebody takes
 * the R of another's bid, or R + a B, seals nonsense beside it, and the S that exposes him opens the
 * other's bid to everybody. */
#ifndef MODELS_PRIVACY_AUCTION_H
#define MODELS_PRIVACY_AUCTION_H

#include "models/privacy/membership.h"

#define DC_AUCTION_BITS 32u
#define DC_AUCTION_BIDS_MAX 32u

enum dc_auction_method { DC_AUCTION_CREATE, DC_AUCTION_BID, DC_AUCTION_SETTLE, DC_AUCTION_EXPOSE };
/* Entries of the contract: word[0] deposit in units, word[1] sealed bid, point[0] commitment, [1]
 * ephemeral, [2] sealed blinding. */
enum dc_auction_entry { DC_AUCTION_STANDS = 1, DC_AUCTION_EXPOSED };

struct dc_auction_terms {
    uint64_t tag, unit;  /* unit: base units of money in one unit of a bid */
    uint32_t close, end; /* heights from its making: last of the bids, last to settle */
    uint8_t key[32];
};
#define DC_AUCTION_CREATE_BYTES ((size_t)56)
void dc_auction_terms_encode(const struct dc_auction_terms *t, uint8_t out[56]);
bool dc_auction_terms_decode(const uint8_t *bytes, size_t size, struct dc_auction_terms *out);
/* The seller's key pair of one auction. */
void dc_auction_key(const uint8_t seed[32], uint64_t tag, uint8_t secret[32], uint8_t key[32]);

struct dc_auction_sealed {
    uint8_t ephemeral[32], bid[8], blinding[32];
};
#define DC_AUCTION_KNOWLEDGE_BYTES ((size_t)64)
struct dc_auction_bid {
    uint8_t commitment[32];
    uint32_t deposit; /* units */
    struct dc_auction_sealed sealed;
    uint8_t knowledge[DC_AUCTION_KNOWLEDGE_BYTES]; /* of r */
};
#define DC_AUCTION_BID_HEAD_BYTES ((size_t)172)
/* False: too short, or the commitment or R is no point other than the identity. */
bool dc_auction_bid_decode(const uint8_t *bytes, size_t size, struct dc_auction_bid *out,
                           size_t *proof_offset);
/* A bid's body; 0: bid above deposit, or out too small.  About 15 ms, 972 bytes. */
size_t dc_auction_bid_make(const struct dc_hash *context, uint32_t bidder,
                           const uint8_t seller_key[32], uint32_t bid, uint32_t deposit,
                           const uint8_t seed[32], uint8_t *out, size_t out_max);
/* context 32 | bidder 4 | body, for dc_check_proof with DC_DOMAIN_AUCTION.  2 ms. */
bool dc_auction_bid_check(const uint8_t *bytes, size_t size);
uint32_t dc_auction_bid_gates(void);

/* The seller's: what is sealed.  True when it opens the commitment. */
bool dc_auction_open(const struct dc_hash *context, const uint8_t secret[32],
                     const uint8_t commitment[32], const struct dc_auction_sealed *sealed,
                     uint32_t *bid, uint8_t blinding[32]);
/* Body of an exposure of such an entry, and its check: the answer that the seller's shared point is
 * right and what is sealed does not open the commitment.  Bytes of the check: context 32 | seller's
 * key 32 | commitment 32 | sealed 72 | body; DC_DOMAIN_CONTRACT.  0.3 ms. */
#define DC_AUCTION_EXPOSE_BYTES ((size_t)100)
void dc_auction_expose(const struct dc_hash *context, const uint8_t secret[32], uint32_t entry,
                       const struct dc_auction_sealed *sealed, uint8_t out[100]);
bool dc_auction_expose_check(const uint8_t *bytes, size_t size);

/* The settlement over `count` commitments in the order of their entries.  Body, or 0 when it cannot
 * be: winner is not the first among the highest.  32 bids: about 200 ms, 1,064 bytes. */
struct dc_auction_opening {
    uint8_t commitment[32], blinding[32];
    uint32_t bid;
};
size_t dc_auction_settle(const struct dc_hash *context, const struct dc_auction_opening *bid,
                         uint32_t count, uint32_t winner, const uint8_t seed[32], uint8_t *out,
                         size_t out_max);
/* context 32 | count 4 | commitments | body (winner counts among them), for dc_check_proof with
 * DC_DOMAIN_CIRCUIT.  32 bids: 15 ms. */
bool dc_auction_settle_check(const uint8_t *bytes, size_t size);
uint32_t dc_auction_settle_gates(uint32_t count);

#endif

/* Samples and checks of private contracts, for fuzz_proof.c, which includes this after its own
 * helpers. */
#include "models/privacy/auction.h"
#include "models/privacy/escrow.h"
#include "models/privacy/rating.h"
#include "models/privacy/usage.h"

/* ---- contracts ------------------------------------------------------------------------------- */

static uint8_t leaf[4][32], member_secret[4][32];

static void members(void)
{
    for (uint8_t i = 0; i < 4; i++) {
        uint8_t seed[32] = {i};
        dc_member_secret(seed, 5, member_secret[i]);
        dc_member_leaf(member_secret[i], leaf[i]);
    }
}

static size_t escrow_make(uint8_t *out)
{
    uint8_t root[32];
    members();
    FUZZ_NEED(dc_member_root((const uint8_t(*)[32])leaf, 4, root));
    uint8_t body[8192];
    size_t size = dc_escrow_approve(&context, (const uint8_t(*)[32])leaf, 4, member_secret[1], body,
                                    sizeof body);
    FUZZ_NEED(size > 32);
    dc_escrow_statement(&context, root, 4, body, out);
    memcpy(out + DC_ESCROW_STATEMENT_BYTES, body + 32, size - 32);
    return DC_ESCROW_STATEMENT_BYTES + size - 32;
}

static size_t rating_make(uint8_t *out)
{
    uint8_t root[32], group[32];
    struct dc_scalar x = some(60);
    struct dc_point key = dc_lifted_key(&x);
    dc_point_encode(&key, group);
    members();
    FUZZ_NEED(dc_member_root((const uint8_t(*)[32])leaf, 4, root));
    dc_rating_statement(&context, group, root, 4, out);
    size_t size = dc_rating_rate(&context, group, (const uint8_t(*)[32])leaf, 4, member_secret[2],
                                 4, out + DC_RATING_STATEMENT_BYTES, 8192);
    FUZZ_NEED(size != 0);
    return DC_RATING_STATEMENT_BYTES + size;
}

static size_t usage_make(uint8_t *out)
{
    struct dc_usage_context c = {.chain = 7, .contract = 1, .reporter = 2, .bits = 16};
    uint8_t report[DC_USAGE_REPORT_BYTES_MAX];
    struct dc_scalar x = some(61);
    struct dc_point key = dc_lifted_key(&x);
    dc_point_encode(&key, c.group_key);
    size_t size = dc_usage_report_make(&c, secret, 40000, report);
    FUZZ_NEED(size != 0);
    return dc_usage_statement(&c, report, size, out);
}

/* ---- auctions -------------------------------------------------------------------------------- */

static size_t bid_make(uint32_t bidder, uint32_t bid, uint8_t *out) /* what is checked */
{
    uint8_t seller[32], key[32];
    dc_auction_key(secret, 5, seller, key);
    memcpy(out, context.b, 32);
    dc_put32(out + 32, bidder);
    size_t size = dc_auction_bid_make(&context, bidder, key, bid, 100, secret, out + 36, 4096);
    FUZZ_NEED(size != 0);
    return 36 + size;
}
static size_t auction_bid_make(uint8_t *out)
{
    return bid_make(3, 41, out);
}

static void bid_parts(uint32_t bidder, uint32_t bid, struct dc_auction_bid *out)
{
    uint8_t bytes[8192];
    size_t size = bid_make(bidder, bid, bytes), at;
    FUZZ_NEED(dc_auction_bid_decode(bytes + 36, size - 36, out, &at));
}

static size_t settle_make(uint8_t *out)
{
    struct dc_auction_opening opening[3];
    uint8_t seller[32], key[32];
    dc_auction_key(secret, 5, seller, key);
    memcpy(out, context.b, 32);
    dc_put32(out + 32, 3);
    for (uint32_t i = 0; i < 3; i++) {
        struct dc_auction_bid b;
        bid_parts(i, 20 + i % 2, &b);
        memcpy(opening[i].commitment, b.commitment, 32);
        FUZZ_NEED(dc_auction_open(&context, seller, b.commitment, &b.sealed, &opening[i].bid,
                                  opening[i].blinding));
        memcpy(out + 36 + 32 * (size_t)i, b.commitment, 32);
    }
    size_t size = dc_auction_settle(&context, opening, 3, 1, secret, out + 132, 4096);
    FUZZ_NEED(size != 0);
    return 132 + size;
}

/* The commitment is the chain's, and any but one does not open: it stands here as it is. */
static uint8_t exposed[32];
static size_t expose_make(uint8_t *out)
{
    struct dc_auction_bid b;
    uint8_t seller[32], key[32];
    dc_auction_key(secret, 5, seller, key);
    bid_parts(3, 41, &b);
    b.sealed.bid[2] ^= 1;
    memcpy(exposed, b.commitment, 32);
    memcpy(out, context.b, 32);
    memcpy(out + 32, key, 32);
    memcpy(out + 64, b.commitment, 32);
    memcpy(out + 96, b.sealed.ephemeral, 32);
    memcpy(out + 128, b.sealed.bid, 8);
    memcpy(out + 136, b.sealed.blinding, 32);
    dc_auction_expose(&context, seller, 17, &b.sealed, out + 168);
    return 168 + DC_AUCTION_EXPOSE_BYTES;
}
static bool expose_check(const uint8_t *b, size_t size)
{
    return dc_auction_expose_check(b, size) && memcmp(b + 64, exposed, 32) == 0;
}

/* ---- terms: what decodes encodes to the same bytes ------------------------------------------- */

static size_t terms_make(uint8_t *out)
{
    struct dc_usage_terms t = {.payee = 3, .bits = 16, .count = 2, .bound = 9, .amount = 8};
    t.close = 7;
    t.end = 20;
    t.tag = 6;
    t.reporter[0] = 4;
    t.reporter[1] = 11;
    return dc_usage_terms_encode(&t, out);
}
static bool terms_check(const uint8_t *b, size_t size)
{
    uint8_t again[DC_USAGE_NEW_BYTES_MAX];
    struct dc_usage_terms usage;
    struct dc_auction_terms auction;
    struct dc_escrow_terms escrow;
    struct dc_rating_terms rating;
    if (dc_usage_terms_decode(b, size, &usage))
        FUZZ_NEED(dc_usage_terms_encode(&usage, again) == size && memcmp(again, b, size) == 0);
    if (dc_auction_terms_decode(b, size, &auction)) {
        dc_auction_terms_encode(&auction, again);
        FUZZ_NEED(size == DC_AUCTION_CREATE_BYTES && memcmp(again, b, size) == 0);
    }
    if (dc_escrow_terms_decode(b, size, &escrow)) {
        dc_escrow_terms_encode(&escrow, again);
        FUZZ_NEED(size == DC_ESCROW_CREATE_BYTES && memcmp(again, b, size) == 0);
    }
    if (dc_rating_terms_decode(b, size, &rating)) {
        dc_rating_terms_encode(&rating, again);
        FUZZ_NEED(size == DC_RATING_CREATE_BYTES && memcmp(again, b, size) == 0);
    }
    size_t sample = terms_make(again);
    return size == sample && memcmp(again, b, size) == 0 && dc_usage_terms_decode(b, size, &usage);
}

/* Sealed bids: made, opened, settled, exposed; every way to cheat that one party has. */
#include "models/crypto/crypto.h"
#include "models/crypto/r1cs.h"
#include "models/crypto/sigma.h"
#include "models/privacy/auction.h"
#include "tests/support/harness.h"

#include <string.h>

#define BODY_MAX 2048

static const struct dc_hash context = {{1}}, elsewhere = {{2}};

struct seller {
    uint8_t secret[32], key[32];
};
static struct seller seller_make(void)
{
    static const uint8_t seed[32] = {9};
    struct seller s;
    dc_auction_key(seed, 5, s.secret, s.key);
    return s;
}

struct made {
    uint8_t body[BODY_MAX];
    size_t size;
    struct dc_auction_bid bid;
};
static void make(struct made *m, const struct seller *s, uint32_t bidder, uint32_t bid,
                 uint32_t deposit)
{
    uint8_t seed[32] = {4, (uint8_t)bidder};
    size_t at;
    m->size = dc_auction_bid_make(&context, bidder, s->key, bid, deposit, seed, m->body, BODY_MAX);
    CU_ASSERT_NOT_EQUAL_FATAL(m->size, 0);
    CU_ASSERT_TRUE(dc_auction_bid_decode(m->body, m->size, &m->bid, &at));
    CU_ASSERT_EQUAL(at, DC_AUCTION_BID_HEAD_BYTES);
}

static bool bid_check(const struct dc_hash *where, uint32_t bidder, const struct made *m)
{
    uint8_t bytes[36 + BODY_MAX];
    memcpy(bytes, where->b, 32);
    dc_put32(bytes + 32, bidder);
    memcpy(bytes + 36, m->body, m->size);
    return dc_auction_bid_check(bytes, 36 + m->size);
}

static void test_bid(void)
{
    struct seller s = seller_make();
    static const uint32_t bids[][2] = {{0, 0}, {0, 7}, {7, 7}, {41, 100}, {UINT32_MAX, UINT32_MAX}};
    struct made m;
    uint8_t blinding[32];
    uint32_t opened;
    for (uint32_t i = 0; i < 5; i++) {
        make(&m, &s, 3, bids[i][0], bids[i][1]);
        CU_ASSERT_TRUE(bid_check(&context, 3, &m));
        CU_ASSERT_FALSE(bid_check(&elsewhere, 3, &m));
        CU_ASSERT_FALSE(bid_check(&context, 4, &m)); /* somebody else's name on it */
        CU_ASSERT_TRUE(dc_auction_open(&context, s.secret, m.bid.commitment, &m.bid.sealed, &opened,
                                       blinding));
        CU_ASSERT_EQUAL(opened, bids[i][0]);
        CU_ASSERT_FALSE(dc_auction_open(&elsewhere, s.secret, m.bid.commitment, &m.bid.sealed,
                                        &opened, blinding));
        dc_put32(m.body + 32, bids[i][1] - 1); /* a deposit other than proved */
        CU_ASSERT_FALSE(bid_check(&context, 3, &m));
    }
    uint8_t seed[32] = {4};
    CU_ASSERT_EQUAL(dc_auction_bid_make(&context, 3, s.key, 8, 7, seed, m.body, BODY_MAX), 0);
    memset(seed, 0, 32);
    CU_ASSERT_EQUAL(dc_auction_bid_make(&context, 3, seed, 1, 7, seed, m.body, BODY_MAX), 0);
}

/* One bit in each byte of statement and proof. */
static void test_bid_mutations(void)
{
    struct seller s = seller_make();
    struct made m;
    make(&m, &s, 3, 41, 100);
    uint8_t bytes[36 + BODY_MAX];
    memcpy(bytes, context.b, 32);
    dc_put32(bytes + 32, 3);
    memcpy(bytes + 36, m.body, m.size);
    uint32_t passed = 0;
    for (size_t at = 0; at < 36 + m.size; at++) {
        bytes[at] ^= (uint8_t)(1u << at % 8);
        passed += dc_auction_bid_check(bytes, 36 + m.size);
        bytes[at] ^= (uint8_t)(1u << at % 8);
    }
    for (size_t size = 0; size < 36 + m.size; size += 32)
        passed += dc_auction_bid_check(bytes, size);
    CU_ASSERT_EQUAL(passed, 0);
    CU_ASSERT_TRUE(dc_auction_bid_check(bytes, 36 + m.size));
}

/* A bid of 1 by bidder 5 beside a sealed opening of its choice, with a proof of knowing r, or what
 * stands in for one (r NULL): all else is proved as the verifier wants it. */
static size_t forge(const struct dc_auction_sealed *sealed, const struct dc_scalar *r,
                    const uint8_t *knowledge, uint8_t *body)
{
    static const uint8_t seed[32] = {8};
    struct dc_transcript t;
    struct dc_circuit c;
    struct dc_auction_bid b = {.deposit = 100, .sealed = *sealed};
    struct dc_scalar one = dc_scalar_one();
    dc_transcript_init(&t, "destra/privacy/v1/auction");
    dc_transcript_append(&t, "step", "bid", 3);
    dc_transcript_append(&t, "contract", context.b, 32);
    dc_transcript_append_u64(&t, "bidder", 5);
    dc_transcript_append_u64(&t, "deposit", b.deposit);
    dc_transcript_append(&t, "ephemeral", sealed->ephemeral, 32);
    dc_transcript_append(&t, "sealed bid", sealed->bid, 8);
    dc_transcript_append(&t, "sealed blinding", sealed->blinding, 32);
    if (r != NULL) {
        dc_schnorr_prove(&t, r, b.knowledge);
    } else {
        memcpy(b.knowledge, knowledge, sizeof b.knowledge);
        CU_ASSERT_FALSE(dc_schnorr_verify(&t, sealed->ephemeral, knowledge));
    }
    dc_circuit_init(&c, &t, true);
    struct dc_sum sum = dc_circuit_commit(&c, &one, &one, b.commitment), most = dc_sum_u64(&c, 100);
    dc_gadget_range(&c, &sum, DC_AUCTION_BITS, NULL);
    dc_gadget_at_most(&c, &sum, &most, DC_AUCTION_BITS);
    memcpy(body, b.commitment, 32);
    dc_put32(body + 32, b.deposit);
    memcpy(body + 36, &b.sealed, sizeof b.sealed);
    memcpy(body + 108, b.knowledge, sizeof b.knowledge);
    size_t size = dc_r1cs_prove(&c, seed, body + DC_AUCTION_BID_HEAD_BYTES,
                                BODY_MAX - DC_AUCTION_BID_HEAD_BYTES);
    dc_circuit_free(&c);
    return DC_AUCTION_BID_HEAD_BYTES + size;
}

/* Who bids with another's R, or R + B, to have it exposed and read the other's bid: S of the one
 * gives S of the other.  He may make everything of his bid but the proof of knowing r. */
static void test_others_ephemeral(void)
{
    struct seller s = seller_make();
    struct made victim, m;
    struct dc_scalar r = dc_scalar_u64(1234567);
    struct dc_point own = dc_point_mul_base(&r), base = dc_point_base(), theirs;
    struct dc_auction_sealed junk = {{0}, {1, 2, 3}, {4, 5, 6}};
    make(&victim, &s, 3, 41, 100);
    dc_point_encode(&own, junk.ephemeral);
    m.size = forge(&junk, &r, NULL, m.body);
    CU_ASSERT_TRUE(bid_check(&context, 5, &m)); /* nonsense of its own: to be exposed */
    CU_ASSERT_FALSE(bid_check(&context, 6, &m));
    CU_ASSERT_TRUE_FATAL(dc_point_decode_proper(victim.bid.sealed.ephemeral, &theirs));
    for (uint32_t shift = 0; shift < 2; shift++) {
        dc_point_encode(&theirs, junk.ephemeral);
        m.size = forge(&junk, &r, NULL, m.body);
        CU_ASSERT_FALSE(bid_check(&context, 5, &m));
        m.size = forge(&junk, NULL, victim.bid.knowledge, m.body);
        CU_ASSERT_FALSE(bid_check(&context, 5, &m));
        theirs = dc_point_add(&theirs, &base);
    }
}

/* What a bid of one value and one of another have in common: the deposit, and their sizes. */
static void test_sealed(void)
{
    struct seller s = seller_make();
    struct made a, b;
    make(&a, &s, 3, 41, 100);
    make(&b, &s, 3, 42, 100);
    CU_ASSERT_EQUAL(a.size, b.size);
    uint32_t same = 0;
    for (size_t at = 36; at + 4 <= a.size; at += 4)
        same += memcmp(a.body + at, b.body + at, 4) == 0 && at != 76; /* bid's upper half */
    CU_ASSERT_EQUAL(same, 0);
}

/* --- settling -------------------------------------------------------------------------------- */

struct sale {
    struct dc_auction_opening bid[DC_AUCTION_BIDS_MAX];
    uint32_t count;
};

static void sale_make(struct sale *sale, const struct seller *s, const uint32_t *bid,
                      uint32_t count)
{
    sale->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct made m;
        make(&m, s, i, bid[i], 1000);
        memcpy(sale->bid[i].commitment, m.bid.commitment, 32);
        CU_ASSERT_TRUE_FATAL(dc_auction_open(&context, s->secret, m.bid.commitment, &m.bid.sealed,
                                             &sale->bid[i].bid, sale->bid[i].blinding));
    }
}

static bool settle_check(const struct sale *sale, const uint8_t *body, size_t size)
{
    uint8_t bytes[36 + 32 * DC_AUCTION_BIDS_MAX + BODY_MAX];
    memcpy(bytes, context.b, 32);
    dc_put32(bytes + 32, sale->count);
    for (uint32_t i = 0; i < sale->count; i++)
        memcpy(bytes + 36 + 32 * (size_t)i, sale->bid[i].commitment, 32);
    memcpy(bytes + 36 + 32 * (size_t)sale->count, body, size);
    return dc_auction_settle_check(bytes, 36 + 32 * (size_t)sale->count + size);
}

/* Bids from 0..2 by three bidders, exhaustively: the first of the highest can be shown to have won,
 * nobody else, and the proof is for this winner and price alone. */
static void test_settle_small(void)
{
    static const uint8_t seed[32] = {6};
    struct seller s = seller_make();
    for (uint32_t code = 0; code < 27; code++) {
        const uint32_t bid[3] = {code % 3, code / 3 % 3, code / 9};
        struct sale sale;
        sale_make(&sale, &s, bid, 3);
        uint32_t first = 0;
        for (uint32_t i = 1; i < 3; i++)
            if (bid[i] > bid[first])
                first = i;
        uint8_t body[BODY_MAX];
        for (uint32_t winner = 0; winner < 3; winner++) {
            size_t size = dc_auction_settle(&context, sale.bid, 3, winner, seed, body, BODY_MAX);
            CU_ASSERT_EQUAL(size != 0, winner == first);
            if (size == 0)
                continue;
            CU_ASSERT_TRUE(settle_check(&sale, body, size));
            dc_put32(body, (winner + 1) % 3);
            CU_ASSERT_FALSE(settle_check(&sale, body, size));
            dc_put32(body, winner);
            dc_put32(body + 4, bid[winner] - 1);
            CU_ASSERT_FALSE(settle_check(&sale, body, size));
        }
    }
}

/* A seller that leaves a bid out, swaps two, or has one bid alone. */
static void test_settle_cheats(void)
{
    static const uint8_t seed[32] = {6};
    static const uint32_t bid[4] = {10, 40, 20, 30};
    struct seller s = seller_make();
    struct sale sale, less;
    uint8_t body[BODY_MAX];
    sale_make(&sale, &s, bid, 4);
    size_t size = dc_auction_settle(&context, sale.bid, 4, 1, seed, body, BODY_MAX);
    CU_ASSERT_TRUE(settle_check(&sale, body, size));
    CU_ASSERT_FALSE(settle_check(&sale, body, size - 32));
    less = sale;
    less.bid[1] = sale.bid[3];
    less.count = 3; /* without the highest */
    size = dc_auction_settle(&context, less.bid, 3, 1, seed, body, BODY_MAX);
    CU_ASSERT_TRUE(settle_check(&less, body, size));
    CU_ASSERT_FALSE(settle_check(&sale, body, size));
    less = sale;
    less.bid[1].bid = 39; /* a lower price than the commitment's */
    CU_ASSERT_EQUAL(dc_auction_settle(&context, less.bid, 4, 1, seed, body, BODY_MAX), 0);
    sale.count = 1;
    size = dc_auction_settle(&context, sale.bid, 1, 0, seed, body, BODY_MAX);
    CU_ASSERT_TRUE(settle_check(&sale, body, size));
    CU_ASSERT_EQUAL(dc_auction_settle(&context, sale.bid, 0, 0, seed, body, BODY_MAX), 0);
}

/* All places taken. */
static void test_settle_full(void)
{
    static const uint8_t seed[32] = {6};
    uint32_t bid[DC_AUCTION_BIDS_MAX];
    for (uint32_t i = 0; i < DC_AUCTION_BIDS_MAX; i++)
        bid[i] = 7 * i % 31;
    struct seller s = seller_make();
    struct sale sale;
    uint8_t body[BODY_MAX];
    sale_make(&sale, &s, bid, DC_AUCTION_BIDS_MAX);
    uint32_t winner = 0;
    for (uint32_t i = 1; i < DC_AUCTION_BIDS_MAX; i++)
        if (bid[i] > bid[winner])
            winner = i;
    size_t size =
        dc_auction_settle(&context, sale.bid, DC_AUCTION_BIDS_MAX, winner, seed, body, BODY_MAX);
    CU_ASSERT_EQUAL(size,
                    8 + dc_r1cs_proof_bytes(dc_auction_settle_gates(DC_AUCTION_BIDS_MAX), false));
    CU_ASSERT_TRUE(settle_check(&sale, body, size));
}

/* --- exposing -------------------------------------------------------------------------------- */

static bool expose_check(const struct seller *s, const struct made *m, const uint8_t body[100])
{
    uint8_t bytes[32 + 32 + 32 + 72 + 100];
    memcpy(bytes, context.b, 32);
    memcpy(bytes + 32, s->key, 32);
    memcpy(bytes + 64, m->bid.commitment, 32);
    memcpy(bytes + 96, m->bid.sealed.ephemeral, 32);
    memcpy(bytes + 128, m->bid.sealed.bid, 8);
    memcpy(bytes + 136, m->bid.sealed.blinding, 32);
    memcpy(bytes + 168, body, 100);
    return dc_auction_expose_check(bytes, sizeof bytes);
}

/* A bid that opens cannot be exposed; one that does not can, with the true shared point alone. */
static void test_expose(void)
{
    struct seller s = seller_make();
    struct made good, bad;
    uint8_t body[100], blinding[32];
    uint32_t opened;
    make(&good, &s, 3, 41, 100);
    dc_auction_expose(&context, s.secret, 17, &good.bid.sealed, body);
    CU_ASSERT_FALSE(expose_check(&s, &good, body));
    for (uint32_t part = 0; part < 3; part++) {
        bad = good;
        if (part == 0)
            bad.bid.sealed.bid[0] ^= 1;
        else if (part == 1)
            bad.bid.sealed.bid[7] ^= 1; /* above 2^32 */
        else
            bad.bid.sealed.blinding[31] ^= 0x80; /* no scalar */
        CU_ASSERT_FALSE(dc_auction_open(&context, s.secret, bad.bid.commitment, &bad.bid.sealed,
                                        &opened, blinding));
        dc_auction_expose(&context, s.secret, 17, &bad.bid.sealed, body);
        CU_ASSERT_TRUE(expose_check(&s, &bad, body));
        uint32_t passed = 0;
        for (uint32_t bit = 0; bit < 8 * sizeof body; bit++) {
            body[bit / 8] ^= (uint8_t)(1u << bit % 8);
            passed += expose_check(&s, &bad, body);
            body[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        CU_ASSERT_EQUAL(passed, 0);
        struct made another = bad; /* beside it the same proof says nothing */
        another.bid.sealed.bid[3] ^= 1;
        CU_ASSERT_FALSE(expose_check(&s, &another, body));
    }
}

static void test_terms(void)
{
    struct seller s = seller_make();
    struct dc_auction_terms t = {.tag = 5, .unit = 100, .close = 10, .end = 20}, back;
    uint8_t bytes[DC_AUCTION_CREATE_BYTES];
    memcpy(t.key, s.key, 32);
    const struct dc_auction_terms good = t;
    dc_auction_terms_encode(&t, bytes);
    CU_ASSERT_TRUE(dc_auction_terms_decode(bytes, sizeof bytes, &back));
    CU_ASSERT_EQUAL(memcmp(&t, &back, sizeof t), 0);
    CU_ASSERT_FALSE(dc_auction_terms_decode(bytes, sizeof bytes - 1, &back));
    for (uint32_t i = 0; i < 5; i++) {
        t = good;
        t.unit = i == 0 ? 0 : i == 1 ? (uint64_t)1 << 32 : t.unit;
        t.close = i == 2 ? 0 : t.close;
        t.end = i == 3 ? t.close : t.end;
        if (i == 4)
            memset(t.key, 0, 32);
        dc_auction_terms_encode(&t, bytes);
        CU_ASSERT_FALSE(dc_auction_terms_decode(bytes, sizeof bytes, &back));
    }
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"bids", test_bid},
        {"mutations of a bid", test_bid_mutations},
        {"another's ephemeral key", test_others_ephemeral},
        {"what is sealed", test_sealed},
        {"settlements, exhaustively", test_settle_small},
        {"settlements, cheated", test_settle_cheats},
        {"settlement of 32", test_settle_full},
        {"exposures", test_expose},
        {"terms", test_terms},
    };
    return TEST_MAIN("privacy/auction", cases);
}

/* Private contracts on a real chain: the whole life of an auction, of escrows and of a rating,
 * every step refused that should be, and money conserved after each block. */
#include "models/ledger/contract.h"

#include "models/crypto/dkg.h"
#include "models/ledger/decrypt.h"
#include "models/privacy/auction.h"
#include "models/privacy/escrow.h"
#include "models/privacy/rating.h"
#include "tests/ledger/chain.h"

static const struct dc_genesis_spec spec = {.seed = 8,
                                            .chain = CHAIN_ID,
                                            .validators = 4,
                                            .services = 3,
                                            .clients = 6,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 3000 * DC_DSYNC,
                                            .capacity_bytes = 16ull << 30,
                                            .regions = 2};
enum { NODE = 4, OWNER = 7, FIRST = 8, FEE = 1000, BODY_MAX = 2048, MEMBERS = 2 };

static struct dc_params params(void)
{
    struct dc_params p = chain_params();
    p.fee_private = FEE;
    return p;
}

/* Whether one call was taken in a block of its own; a block with a refused one is invalid. */
static bool taken(struct chain *c, uint32_t from, uint32_t contract, uint8_t kind, uint8_t method,
                  const uint8_t *body, size_t size)
{
    uint8_t bytes[BODY_MAX + 256];
    const struct dc_account *a = dc_state_account(chain_state(c), from);
    struct dc_tx tx = {.kind = DC_TX_CALL, .from = from};
    tx.call.nonce = a != NULL ? a->nonce : 0;
    tx.call.fee = a != NULL ? FEE : 0;
    tx.call.contract = contract;
    tx.call.kind = kind;
    tx.call.method = method;
    tx.call.body = body;
    tx.call.size = (uint32_t)size;
    size_t n = dc_tx_sign(&c->crypto, CHAIN_ID, a != NULL ? &c->set.sign[from] : NULL, &tx, bytes,
                          sizeof bytes);
    CU_ASSERT_FATAL(n != 0);
    chain_put(c, bytes, n);
    return chain_taken_queued(c);
}

static uint64_t balance(const struct chain *c, uint32_t id)
{
    return dc_state_account(chain_state(c), id)->balance;
}

static void go_to(struct chain *c, uint64_t height)
{
    while (c->tip->header.height < height)
        chain_step(c);
    CU_ASSERT_TRUE(dc_state_conserved(chain_state(c)));
}

static const struct dc_contract *contract(const struct chain *c, uint32_t id)
{
    const struct dc_contract *x = dc_state_contract(chain_state(c), id);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    return x;
}

static struct dc_hash context_of(const struct chain *c, uint32_t id)
{
    return dc_privacy_context(CHAIN_ID, id, contract(c, id)->digest);
}

/* --- auction --------------------------------------------------------------------------------- */

#define UNIT (DC_DSYNC / 10)

struct seller {
    uint8_t secret[32], key[32];
};

static uint32_t auction_make(struct chain *c, struct seller *s, uint64_t tag, uint32_t close,
                             uint32_t end)
{
    const uint8_t seed[32] = {1};
    dc_auction_key(seed, tag, s->secret, s->key);
    struct dc_auction_terms t = {.tag = tag, .unit = UNIT, .close = close, .end = end};
    memcpy(t.key, s->key, 32);
    uint8_t body[DC_AUCTION_CREATE_BYTES];
    dc_auction_terms_encode(&t, body);
    uint32_t id = dc_state_vault(chain_state(c))->contracts;
    CU_ASSERT_TRUE(taken(c, OWNER, DC_CONTRACT_NEW, DC_CONTRACT_AUCTION, DC_AUCTION_CREATE, body,
                         sizeof body));
    CU_ASSERT_EQUAL(dc_get64(contract(c, id)->digest), tag);
    return id;
}

static size_t bid_body(const struct chain *c, uint32_t id, uint32_t bidder, const uint8_t key[32],
                       uint32_t bid, uint32_t deposit, uint8_t *body)
{
    struct dc_hash context = context_of(c, id);
    const uint8_t seed[32] = {2, (uint8_t)bidder};
    size_t size = dc_auction_bid_make(&context, bidder, key, bid, deposit, seed, body, BODY_MAX);
    CU_ASSERT_NOT_EQUAL_FATAL(size, 0);
    return size;
}

static bool bid(struct chain *c, uint32_t id, uint32_t bidder, const uint8_t key[32],
                uint32_t value, uint32_t deposit)
{
    uint8_t body[BODY_MAX];
    size_t size = bid_body(c, id, bidder, key, value, deposit, body);
    return taken(c, bidder, id, DC_CONTRACT_AUCTION, DC_AUCTION_BID, body, size);
}

/* The seller opens entry `entry`. */
static bool open_bid(const struct chain *c, uint32_t id, const struct seller *s, uint32_t entry,
                     struct dc_auction_opening *out, struct dc_auction_sealed *sealed)
{
    const struct dc_entry *x = dc_state_entry(chain_state(c), entry);
    struct dc_hash context = context_of(c, id);
    memcpy(out->commitment, x->point[0], 32);
    memcpy(sealed->ephemeral, x->point[1], 32);
    dc_put64(sealed->bid, x->word[1]);
    memcpy(sealed->blinding, x->point[2], 32);
    return dc_auction_open(&context, s->secret, out->commitment, sealed, &out->bid, out->blinding);
}

static void refused_bids(struct chain *c, uint32_t id, const struct seller *s)
{
    uint8_t body[BODY_MAX];
    CU_ASSERT_FALSE(bid(c, id, OWNER, s->key, 10, 60));       /* the seller's own */
    CU_ASSERT_FALSE(bid(c, id, FIRST, s->key, 10, 60));       /* its second */
    CU_ASSERT_FALSE(bid(c, id, FIRST + 4, s->key, 1, 40000)); /* a deposit that it has not */
    size_t size = bid_body(c, id, FIRST, s->key, 10, 60, body);
    CU_ASSERT_FALSE(taken(c, FIRST + 4, id, DC_CONTRACT_AUCTION, DC_AUCTION_BID, body, size));
    CU_ASSERT_FALSE(taken(c, DC_NOBODY, id, DC_CONTRACT_AUCTION, DC_AUCTION_BID, body, size));
    size = bid_body(c, id, FIRST + 4, s->key, 10, 60, body);
    CU_ASSERT_FALSE(taken(c, FIRST + 4, id, DC_CONTRACT_ESCROW, DC_AUCTION_BID, body, size));
    CU_ASSERT_FALSE(taken(c, FIRST + 4, id + 1, DC_CONTRACT_AUCTION, DC_AUCTION_BID, body, size));
    body[200] ^= 1;
    CU_ASSERT_FALSE(taken(c, FIRST + 4, id, DC_CONTRACT_AUCTION, DC_AUCTION_BID, body, size));
}

/* Bids 30, 50, 50 and 10, one that does not open, one too late.  The last three bidders get all
 * back, the second pays 50. */
static void test_auction(void)
{
    static struct chain c;
    struct dc_params p = params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    struct seller s, stranger;
    uint64_t before[6];
    const uint8_t other[32] = {3}, seed[32] = {4};
    dc_auction_key(other, 1, stranger.secret, stranger.key);
    for (uint32_t i = 0; i < 6; i++)
        before[i] = balance(&c, OWNER + i);
    uint32_t id = auction_make(&c, &s, 99, 25, 40);
    static const uint32_t value[4] = {30, 50, 50, 10};
    for (uint32_t i = 0; i < 4; i++)
        CU_ASSERT_TRUE(bid(&c, id, FIRST + i, s.key, value[i], 60));
    refused_bids(&c, id, &s);
    CU_ASSERT_TRUE(bid(&c, id, FIRST + 4, stranger.key, 60, 60)); /* the seller cannot read it */
    CU_ASSERT_EQUAL(contract(&c, id)->money, 5 * 60 * UNIT);
    struct dc_auction_opening opening[5];
    struct dc_auction_sealed sealed[5];
    struct dc_hash context = context_of(&c, id);
    for (uint32_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(open_bid(&c, id, &s, i, &opening[i], &sealed[i]), i < 4);
    uint8_t body[BODY_MAX], expose[DC_AUCTION_EXPOSE_BYTES];
    size_t size = dc_auction_settle(&context, opening, 4, 1, seed, body, BODY_MAX);
    CU_ASSERT_FALSE(taken(&c, OWNER, id, DC_CONTRACT_AUCTION, DC_AUCTION_SETTLE, body, size));
    go_to(&c, contract(&c, id)->close);
    CU_ASSERT_FALSE(bid(&c, id, FIRST + 4, s.key, 55, 60));
    /* the fifth commitment is on chain: it cannot be passed over, unless it is exposed */
    CU_ASSERT_FALSE(taken(&c, OWNER, id, DC_CONTRACT_AUCTION, DC_AUCTION_SETTLE, body, size));
    dc_auction_expose(&context, s.secret, 0, &sealed[0], expose);
    CU_ASSERT_FALSE(taken(&c, OWNER, id, DC_CONTRACT_AUCTION, DC_AUCTION_EXPOSE, expose, 100));
    dc_auction_expose(&context, s.secret, 4, &sealed[4], expose);
    CU_ASSERT_FALSE(taken(&c, FIRST, id, DC_CONTRACT_AUCTION, DC_AUCTION_EXPOSE, expose, 100));
    CU_ASSERT_TRUE(taken(&c, OWNER, id, DC_CONTRACT_AUCTION, DC_AUCTION_EXPOSE, expose, 100));
    CU_ASSERT_FALSE(taken(&c, OWNER, id, DC_CONTRACT_AUCTION, DC_AUCTION_EXPOSE, expose, 100));
    CU_ASSERT_FALSE(taken(&c, FIRST, id, DC_CONTRACT_AUCTION, DC_AUCTION_SETTLE, body, size));
    dc_put32(body, 2); /* the other one who bid 50, but later */
    CU_ASSERT_FALSE(taken(&c, OWNER, id, DC_CONTRACT_AUCTION, DC_AUCTION_SETTLE, body, size));
    dc_put32(body, 1);
    dc_put32(body + 4, 49);
    CU_ASSERT_FALSE(taken(&c, OWNER, id, DC_CONTRACT_AUCTION, DC_AUCTION_SETTLE, body, size));
    dc_put32(body + 4, 50);
    CU_ASSERT_TRUE(taken(&c, OWNER, id, DC_CONTRACT_AUCTION, DC_AUCTION_SETTLE, body, size));
    CU_ASSERT_FALSE(taken(&c, OWNER, id, DC_CONTRACT_AUCTION, DC_AUCTION_SETTLE, body, size));
    const struct dc_contract *x = contract(&c, id);
    CU_ASSERT(x->phase == DC_CONTRACT_OVER && x->money == 0 && x->word[1] == 50 &&
              x->word[2] == FIRST + 1 + 1);
    CU_ASSERT_EQUAL(balance(&c, OWNER), before[0] + 50 * UNIT - 3 * FEE);
    for (uint32_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(balance(&c, FIRST + i), before[1 + i] - FEE - (i == 1 ? 50 * UNIT : 0));
    go_to(&c, x->end + 2);
    CU_ASSERT_EQUAL(contract(&c, id)->word[1], 50);
    chain_free(&c);
}

/* A seller that never settles: everybody has its deposit back, and it is too late then. */
static void test_auction_unsettled(void)
{
    static struct chain c;
    struct dc_params p = params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    struct seller s;
    const uint8_t seed[32] = {4};
    uint64_t before = balance(&c, FIRST);
    uint32_t id = auction_make(&c, &s, 1, 4, 6);
    CU_ASSERT_TRUE(bid(&c, id, FIRST, s.key, 20, 30));
    CU_ASSERT_EQUAL(balance(&c, FIRST), before - FEE - 30 * UNIT);
    struct dc_auction_opening opening;
    struct dc_auction_sealed sealed;
    CU_ASSERT_TRUE(open_bid(&c, id, &s, 0, &opening, &sealed));
    struct dc_hash context = context_of(&c, id);
    uint8_t body[BODY_MAX];
    size_t size = dc_auction_settle(&context, &opening, 1, 0, seed, body, BODY_MAX);
    go_to(&c, contract(&c, id)->end);
    CU_ASSERT_EQUAL(contract(&c, id)->money, 30 * UNIT);
    CU_ASSERT_FALSE(taken(&c, OWNER, id, DC_CONTRACT_AUCTION, DC_AUCTION_SETTLE, body, size));
    CU_ASSERT(contract(&c, id)->phase == DC_CONTRACT_OVER && contract(&c, id)->money == 0);
    CU_ASSERT_EQUAL(contract(&c, id)->word[2], 0);
    CU_ASSERT_EQUAL(balance(&c, FIRST), before - FEE);
    chain_free(&c);
}

/* --- escrow ---------------------------------------------------------------------------------- */

struct group {
    uint8_t secret[MEMBERS][32], leaf[MEMBERS][32], root[32];
};

static void group_make(struct group *g, uint64_t tag)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        uint8_t seed[32] = {11, (uint8_t)i};
        dc_member_secret(seed, tag, g->secret[i]);
        dc_member_leaf(g->secret[i], g->leaf[i]);
    }
    CU_ASSERT_TRUE_FATAL(dc_member_root(g->leaf, MEMBERS, g->root));
}

static bool escrow_make(struct chain *c, const struct group *g, uint64_t amount, uint32_t payee)
{
    struct dc_escrow_terms t = {
        .tag = 5, .amount = amount, .payee = payee, .members = MEMBERS, .threshold = 2, .end = 12};
    memcpy(t.root, g->root, 32);
    uint8_t body[DC_ESCROW_CREATE_BYTES];
    dc_escrow_terms_encode(&t, body);
    return taken(c, OWNER, DC_CONTRACT_NEW, DC_CONTRACT_ESCROW, DC_ESCROW_CREATE, body,
                 sizeof body);
}

static bool approve(struct chain *c, uint32_t from, uint32_t id, const uint8_t *body, size_t size)
{
    return taken(c, from, id, DC_CONTRACT_ESCROW, DC_ESCROW_APPROVE, body, size);
}

/* Two escrows under the same members: one is approved by both, the other by one and ends. */
static void test_escrow(void)
{
    static struct chain c;
    struct dc_params p = params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    struct group g;
    group_make(&g, 5);
    uint64_t payer = balance(&c, OWNER), payee = balance(&c, FIRST), amount = 700 * DC_DSYNC;
    CU_ASSERT_FALSE(escrow_make(&c, &g, payer - FEE + 1, FIRST));
    CU_ASSERT_FALSE(escrow_make(&c, &g, amount, OWNER));
    CU_ASSERT_FALSE(escrow_make(&c, &g, amount, 9999));
    CU_ASSERT_TRUE(escrow_make(&c, &g, amount, FIRST));
    CU_ASSERT_TRUE(escrow_make(&c, &g, amount, FIRST));
    CU_ASSERT_EQUAL(balance(&c, OWNER), payer - 2 * amount - 2 * FEE);
    uint8_t body[MEMBERS][BODY_MAX];
    size_t size[MEMBERS];
    struct dc_hash context = context_of(&c, 0);
    for (uint32_t i = 0; i < MEMBERS; i++)
        size[i] = dc_escrow_approve(&context, g.leaf, MEMBERS, g.secret[i], body[i], BODY_MAX);
    CU_ASSERT_FALSE(approve(&c, DC_NOBODY, 1, body[0], size[0])); /* meant for the other */
    CU_ASSERT_FALSE(approve(&c, FIRST, 0, body[0], size[0]));     /* with a name on it */
    CU_ASSERT_TRUE(approve(&c, DC_NOBODY, 0, body[0], size[0]));
    CU_ASSERT_FALSE(approve(&c, DC_NOBODY, 0, body[0], size[0])); /* twice */
    uint8_t swapped[BODY_MAX];
    memcpy(swapped, body[0], size[0]);
    memcpy(swapped, body[1], 32);
    CU_ASSERT_FALSE(approve(&c, DC_NOBODY, 0, swapped, size[0]));
    CU_ASSERT_FALSE(approve(&c, DC_NOBODY, 0, body[1], 31));
    CU_ASSERT_EQUAL(contract(&c, 0)->money, amount);
    CU_ASSERT_TRUE(approve(&c, DC_NOBODY, 0, body[1], size[1]));
    CU_ASSERT(contract(&c, 0)->phase == DC_CONTRACT_OVER && contract(&c, 0)->word[4] == 1 &&
              contract(&c, 0)->money == 0 && contract(&c, 0)->entries == 2);
    CU_ASSERT_EQUAL(balance(&c, FIRST), payee + amount);
    context = context_of(&c, 1);
    size[0] = dc_escrow_approve(&context, g.leaf, MEMBERS, g.secret[0], body[0], BODY_MAX);
    CU_ASSERT_TRUE(approve(&c, DC_NOBODY, 1, body[0], size[0]));
    size[1] = dc_escrow_approve(&context, g.leaf, MEMBERS, g.secret[1], body[1], BODY_MAX);
    go_to(&c, contract(&c, 1)->end);
    CU_ASSERT_EQUAL(contract(&c, 1)->money, amount);
    CU_ASSERT_FALSE(approve(&c, DC_NOBODY, 1, body[1], size[1])); /* too late */
    CU_ASSERT(contract(&c, 1)->phase == DC_CONTRACT_OVER && contract(&c, 1)->word[4] == 0);
    CU_ASSERT_EQUAL(balance(&c, OWNER), payer - amount - 2 * FEE);
    CU_ASSERT_EQUAL(balance(&c, FIRST), payee + amount);
    chain_free(&c);
}

/* --- rating ---------------------------------------------------------------------------------- */

enum { HOLDERS = 3, THRESHOLD = 2 };
static struct dc_holders holders;
static struct dc_scalar share[HOLDERS];

/* x + a (i + 1). */
static void holders_make(void)
{
    struct dc_scalar x = dc_scalar_u64(1234567), a = dc_scalar_u64(7654321);
    struct dc_point point = dc_point_mul_base(&x);
    memset(&holders, 0, sizeof holders);
    holders.count = HOLDERS;
    holders.threshold = THRESHOLD;
    dc_point_encode(&point, holders.group_key);
    for (uint32_t i = 0; i < HOLDERS; i++) {
        holders.account[i] = i;
        share[i] = dc_scalar_u64(i + 1);
        share[i] = dc_scalar_mul(&share[i], &a);
        share[i] = dc_scalar_add(&share[i], &x);
        point = dc_point_mul_base(&share[i]);
        dc_point_encode(&point, holders.share_key[i]);
    }
}

static void with_holders(struct dc_genesis_set *set)
{
    set->genesis.holders = &holders;
}

static bool rating_make(struct chain *c, const struct group *g, uint32_t node, uint32_t close)
{
    struct dc_rating_terms t = {
        .tag = 6, .node = node, .members = MEMBERS, .close = close, .end = close + 20};
    memcpy(t.root, g->root, 32);
    uint8_t body[DC_RATING_CREATE_BYTES];
    dc_rating_terms_encode(&t, body);
    return taken(c, OWNER, DC_CONTRACT_NEW, DC_CONTRACT_RATING, DC_RATING_CREATE, body,
                 sizeof body);
}

static bool give_share(struct chain *c, uint32_t id, uint32_t holder, uint32_t from)
{
    uint8_t context[DC_DECRYPT_CONTEXT_BYTES], secret[32], body[DC_PARTIAL_BYTES];
    dc_decrypt_context(CHAIN_ID, id, context);
    dc_scalar_encode(&share[holder], secret);
    CU_ASSERT_TRUE_FATAL(
        dc_partial_make(secret, contract(c, id)->point[1], context, sizeof context, body));
    return taken(c, from, id, DC_CONTRACT_RATING, DC_RATING_SHARE, body, sizeof body);
}

static bool claim(struct chain *c, uint32_t id, uint64_t total)
{
    uint8_t body[8];
    dc_put64(body, total);
    return taken(c, OWNER, id, DC_CONTRACT_RATING, DC_RATING_CLAIM, body, sizeof body);
}

static bool rate(struct chain *c, uint32_t from, const uint8_t *body, size_t size)
{
    return taken(c, from, 0, DC_CONTRACT_RATING, DC_RATING_RATE, body, size);
}

/* 5 and 2: the sum is 7 and nothing else is known. */
static void test_rating(void)
{
    static struct chain c;
    struct dc_params p = params();
    p.holders = HOLDERS;
    p.threshold = THRESHOLD;
    dc_crypto_init();
    holders_make();
    chain_make(&c, &spec, &p, true, with_holders, NULL, NULL);
    struct group g;
    group_make(&g, 6);
    CU_ASSERT_FALSE(rating_make(&c, &g, 0, 14));     /* no service node */
    CU_ASSERT_FALSE(rating_make(&c, &g, OWNER, 14)); /* itself */
    CU_ASSERT_TRUE(rating_make(&c, &g, NODE, 14));
    CU_ASSERT_TRUE(rating_make(&c, &g, NODE, 2)); /* in which nobody rates */
    static const uint32_t rating[MEMBERS] = {5, 2};
    uint8_t body[MEMBERS][BODY_MAX];
    size_t size[MEMBERS];
    struct dc_hash context = context_of(&c, 0);
    for (uint32_t i = 0; i < MEMBERS; i++)
        size[i] = dc_rating_rate(&context, holders.group_key, g.leaf, MEMBERS, g.secret[i],
                                 rating[i], body[i], BODY_MAX);
    CU_ASSERT_FALSE(rate(&c, FIRST, body[0], size[0]));
    CU_ASSERT_TRUE(rate(&c, DC_NOBODY, body[0], size[0]));
    CU_ASSERT_FALSE(rate(&c, DC_NOBODY, body[0], size[0]));
    CU_ASSERT_FALSE(rate(&c, DC_NOBODY, body[1], size[1] - 32));
    CU_ASSERT_FALSE(rate(&c, DC_NOBODY, body[1], 95));
    CU_ASSERT_FALSE(give_share(&c, 0, 0, 0)); /* not closed */
    CU_ASSERT_TRUE(rate(&c, DC_NOBODY, body[1], size[1]));
    CU_ASSERT_EQUAL(contract(&c, 0)->word[2], MEMBERS);
    CU_ASSERT_EQUAL(contract(&c, 1)->phase, DC_CONTRACT_OVER);
    go_to(&c, contract(&c, 0)->close);
    CU_ASSERT_TRUE(give_share(&c, 0, 0, 0));
    CU_ASSERT_FALSE(give_share(&c, 0, 0, 0));
    CU_ASSERT_FALSE(give_share(&c, 0, 1, OWNER));
    CU_ASSERT_FALSE(give_share(&c, 0, 1, 2)); /* with another's share */
    CU_ASSERT_FALSE(claim(&c, 0, 7));
    CU_ASSERT_TRUE(give_share(&c, 0, 2, 2));
    for (uint64_t total = 0; total < 7; total++)
        CU_ASSERT_FALSE(claim(&c, 0, total));
    CU_ASSERT_TRUE(claim(&c, 0, 7));
    CU_ASSERT_FALSE(claim(&c, 0, 7));
    CU_ASSERT(contract(&c, 0)->phase == DC_CONTRACT_OVER && contract(&c, 0)->word[3] == 7);
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"auction", test_auction},
        {"auction that is not settled", test_auction_unsettled},
        {"escrow", test_escrow},
        {"rating", test_rating},
    };
    return TEST_MAIN("ledger/contracts", cases);
}

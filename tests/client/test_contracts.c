/* Private contracts as nodes live them: an auction, an escrow and a rating in a town of validators
 * and clients that act by themselves, told once what their part is; with letters that are lost. */
#include "models/crypto/group.h"
#include "models/privacy/auction.h"
#include "tests/client/parts.h"

static uint32_t lost, letters; /* of applications */

/* About every other message between participants. */
static bool lose_half(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    (void)context, (void)from, (void)to;
    bool hit = size != 0 && bytes[0] == DC_MSG_APP && dc_mix64(++letters) % 2 == 1;
    lost += hit;
    return hit;
}

/* --- what can be seen ------------------------------------------------------------------------- */

#define UNIT UINT64_C(1000000) /* client/app_auction.c's: 0.001 DSYNC */
static const uint64_t bids[CLIENTS] = {0, 0x0abcde * UNIT, 0x09badc * UNIT, 0x0c0ffe * UNIT,
                                       0x0b1ade * UNIT}; /* the third wins */
static uint32_t spied[CLIENTS]; /* how often each bid was seen, in any of these forms */
static uint8_t form[CLIENTS][4][32];
static const size_t form_bytes[4] = {4, 8, 8, 32};

static void forms(void)
{
    for (uint32_t i = 1; i < CLIENTS; i++) {
        struct dc_scalar v = dc_scalar_u64(bids[i] / UNIT);
        struct dc_point p = dc_point_mul_base(&v);
        dc_put32(form[i][0], (uint32_t)(bids[i] / UNIT)); /* units, on the wire */
        for (uint32_t k = 0; k < 8; k++)                  /* big-endian */
            form[i][1][k] = (uint8_t)(bids[i] / UNIT >> (56 - 8 * k));
        dc_put64(form[i][2], bids[i]);   /* money */
        dc_point_encode(&p, form[i][3]); /* a commitment without blinding */
    }
    memset(spied, 0, sizeof spied);
}

static bool occurs(const uint8_t *bytes, size_t size, const uint8_t *what, size_t count)
{
    for (const uint8_t *at = bytes, *end = bytes + size; (size_t)(end - at) >= count; at++) {
        at = memchr(at, what[0], (size_t)(end - at) - count + 1);
        if (at == NULL)
            return false;
        if (memcmp(at, what, count) == 0)
            return true;
    }
    return false;
}

static void spy(const void *bytes, size_t size)
{
    for (uint32_t i = 1; i < CLIENTS; i++)
        for (uint32_t k = 0; k < 4; k++)
            spied[i] += occurs(bytes, size, form[i][k], form_bytes[k]);
}

static bool listen_in(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    (void)context, (void)from, (void)to;
    spy(bytes, size);
    return false;
}

/* --- lives ------------------------------------------------------------------------------------ */

/* The third bidder wins at what it bid; nobody else pays, and what they bid is in no message and no
 * state.  That the price is found shows that it would have been. */
static void test_auction(void)
{
    begin();
    forms();
    t->lose = listen_in;
    uint64_t before[CLIENTS];
    for (uint32_t i = 0; i < CLIENTS; i++)
        before[i] = balance(A + i);
    tell((struct dc_app_call){.kind = DC_APP_AUCTION, .close = 14, .end = 30}, bids);
    town_run(t, 45 * SECOND);
    const struct dc_contract *c = dc_state_contract(town_state(t, 0), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT(c->phase == DC_CONTRACT_OVER && c->entries == CLIENTS - 1 && c->money == 0);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        CU_ASSERT_EQUAL(ended[DC_APP_AUCTION][A + i], 1);
        uint64_t price = i == 0 || i == 3 ? bids[3] : 0;
        CU_ASSERT_EQUAL(result[DC_APP_AUCTION][A + i], price);
        uint64_t paid = FEE * (i == 0 ? 2 : 1) + (i == 3 ? price : 0);
        CU_ASSERT_EQUAL(balance(A + i), before[i] + (i == 0 ? price : 0) - paid);
    }
    spy(c, sizeof *c);
    for (uint32_t i = 0; i < c->entries; i++)
        spy(dc_state_entry(town_state(t, 0), i), sizeof(struct dc_entry));
    for (uint32_t i = 1; i < CLIENTS; i++)
        CU_ASSERT_EQUAL(spied[i] != 0, i == 3);
    end();
}

/* Three of four approve, three are needed. */
static void escrow(uint64_t bound, bool losing)
{
    begin();
    lost = letters = 0;
    if (losing)
        t->lose = lose_half;
    uint64_t payee = balance(SERVICE), amount = 500 * DC_DSYNC;
    const uint64_t value[CLIENTS] = {amount, 1, 1, 0, 1};
    tell(
        (struct dc_app_call){
            .kind = DC_APP_ESCROW, .close = 8, .end = 40, .node = SERVICE, .bound = bound},
        value);
    town_run(t, 90 * SECOND);
    const struct dc_contract *c = dc_state_contract(town_state(t, 0), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    bool paid = bound == 3;
    CU_ASSERT(c->phase == DC_CONTRACT_OVER && c->entries == 3 && c->word[2] == CLIENTS - 1);
    CU_ASSERT_EQUAL(balance(SERVICE) >= payee + amount, paid);
    CU_ASSERT_EQUAL(result[DC_APP_ESCROW][A], paid);
    for (uint32_t i = 1; i < CLIENTS; i++)
        CU_ASSERT_EQUAL(result[DC_APP_ESCROW][A + i], value[i]);
    CU_ASSERT_EQUAL(lost != 0, losing);
    end();
}
static void test_escrow(void)
{
    escrow(3, false);
}
static void test_escrow_short(void)
{
    escrow(4, true);
}

/* Ratings 5, 3, 0, 4; key holders open the sum. */
static void test_rating(void)
{
    begin();
    const uint64_t value[CLIENTS] = {0, 5, 3, 0, 4};
    tell((struct dc_app_call){.kind = DC_APP_RATING, .close = 16, .end = 40, .node = SERVICE},
         value);
    town_run(t, 70 * SECOND);
    const struct dc_contract *c = dc_state_contract(town_state(t, 0), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT(c->phase == DC_CONTRACT_OVER && c->word[2] == 4 && c->word[3] == 12);
    CU_ASSERT_EQUAL(result[DC_APP_RATING][A], (uint64_t)4 << 32 | 12);
    for (uint32_t i = 1; i < CLIENTS; i++)
        CU_ASSERT_EQUAL(result[DC_APP_RATING][A + i], 1);
    end();
}

/* A CALL that a client signs and that is not valid waits in nobody's pool: it would cost a block's
 * tries and its sender nothing. */
static void test_pool(void)
{
    uint8_t body[DC_AUCTION_CREATE_BYTES], bytes[512] = {DC_MSG_TX}, secret[32] = {7};
    struct dc_auction_terms terms = {.tag = 1, .unit = 1, .close = 5, .end = 9};
    begin();
    town_run(t, 3 * SECOND);
    dc_auction_key(secret, 1, secret, terms.key);
    dc_auction_terms_encode(&terms, body);
    const struct dc_mempool *pool = &t->node[0]->validator->mempool;
    for (uint32_t k = 0; k < 5; k++) {
        struct dc_tx tx = {.kind = DC_TX_CALL, .from = A};
        tx.call.nonce = dc_state_account(town_state(t, 0), A)->nonce;
        tx.call.fee = FEE - (k == 1);
        tx.call.contract = k == 2 ? 7 : DC_CONTRACT_NEW;
        tx.call.kind = DC_CONTRACT_AUCTION;
        tx.call.method = DC_AUCTION_CREATE;
        tx.call.body = body;
        tx.call.size = sizeof body - (k == 3);
        size_t size = dc_tx_sign(&t->crypto, TOWN_CHAIN, &t->set.sign[k == 4 ? A + 1 : A], &tx,
                                 bytes + 1, sizeof bytes - 1);
        uint64_t refused = t->refused[0];
        uint32_t waiting = pool->count;
        town_hand(t, 0, A, bytes, size + 1);
        CU_ASSERT_EQUAL(pool->count, waiting + (k == 0));
        CU_ASSERT_EQUAL(t->refused[0], refused + (k != 0));
        CU_ASSERT_EQUAL(dc_mempool_has(pool, bytes + 1, size), k == 0);
    }
    end();
}

int main(void)
{
    static const struct test_case cases[] = {
        {"auction", test_auction},
        {"escrow that pays", test_escrow},
        {"escrow that ends, half of the letters lost", test_escrow_short},
        {"rating", test_rating},
        {"what pools take", test_pool},
    };
    return TEST_MAIN("client/contracts", cases);
}

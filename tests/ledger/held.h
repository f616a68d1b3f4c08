/* A chain with key holders, for tests: their keys in genesis, and what they do by hand. */
#ifndef TESTS_LEDGER_HELD_H
#define TESTS_LEDGER_HELD_H

#include "models/crypto/dvrf.h"
#include "models/node/holder.h"
#include "tests/ledger/chain.h"

#define HELD 5
#define HELD_THRESHOLD 3

struct held {
    struct dc_holders holders;
    struct dc_holder_secret secret[HELD];
};

/* Validators 0 .. HELD - 1 hold the keys; within a test case, and the same each time. */
static inline void held_make(struct held *h)
{
    const uint32_t account[HELD] = {0, 1, 2, 3, 4};
    struct dc_error error;
    dc_crypto_init();
    CU_ASSERT_EQUAL_FATAL(
        dc_holders_make(9, account, HELD, HELD_THRESHOLD, &h->holders, h->secret, &error), DC_OK);
}

/* Signs and queues a CALL with the account's next nonce. */
static inline void held_call(struct chain *c, uint32_t from, uint32_t contract, uint8_t kind,
                             uint8_t method, const void *body, size_t size)
{
    uint8_t bytes[4096];
    struct dc_tx tx = {.kind = DC_TX_CALL, .from = from};
    tx.call.nonce = dc_state_account(chain_state(c), from)->nonce;
    tx.call.fee = c->set.genesis.params.fee_private;
    tx.call.contract = contract;
    tx.call.kind = kind;
    tx.call.method = method;
    tx.call.body = body;
    tx.call.size = (uint32_t)size;
    size_t n = dc_tx_sign(&c->crypto, CHAIN_ID, &c->set.sign[from], &tx, bytes, sizeof bytes);
    CU_ASSERT_FATAL(n != 0);
    chain_put(c, bytes, n);
}
static inline bool held_called(struct chain *c, uint32_t from, uint32_t contract, uint8_t kind,
                               uint8_t method, const void *body, size_t size)
{
    held_call(c, from, contract, kind, method, body, size);
    return chain_taken_queued(c);
}

/* A holder's share of a contract's ciphertext. */
static inline void held_partial(const struct held *h, const struct chain *c, uint32_t i,
                                uint32_t contract, const uint8_t c1[32],
                                uint8_t out[DC_PARTIAL_BYTES])
{
    uint8_t context[DC_DECRYPT_CONTEXT_BYTES];
    dc_decrypt_context(CHAIN_ID, contract, context);
    CU_ASSERT_TRUE_FATAL(dc_partial_make(h->secret[i].share, c1, context, sizeof context, out));
}

static inline void held_steps_to(struct chain *c, uint64_t height)
{
    while (c->tip->header.height < height)
        chain_step(c);
}

#endif

/* Notes whose secrets the test knows, and plans that spend them. */
#ifndef TESTS_PRIVACY_NOTES_H
#define TESTS_PRIVACY_NOTES_H

#include "models/crypto/crypto.h"
#include "models/privacy/transfer.h"
#include "tests/support/harness.h"

#include <string.h>

#define NOTES_CHAIN 7
#define NOTES_MAX 64

struct notes {
    struct dc_stealth_keys alice, bob;
    uint32_t ring; /* all rings are the first `ring` notes */
    uint32_t id[NOTES_MAX];
    struct dc_ring_member member[NOTES_MAX];
    uint64_t amount[NOTES_MAX];
    uint8_t key[NOTES_MAX][32], blinding[NOTES_MAX][32];
};

static inline void notes_seed(uint64_t n, uint8_t seed[32])
{
    memset(seed, 0, 32);
    dc_put64(seed, n);
}

/* Note i is Alice's, of 1000 (i + 1), and has the id 10 i + 3. */
static inline void notes_make(struct notes *n, uint32_t ring)
{
    uint8_t seed[32], shared[32];
    memset(n, 0, sizeof *n);
    notes_seed(1000, seed);
    dc_stealth_keys_from_seed(seed, &n->alice);
    notes_seed(2000, seed);
    dc_stealth_keys_from_seed(seed, &n->bob);
    n->ring = ring;
    for (uint32_t i = 0; i < ring; i++) {
        struct dc_stealth_output to;
        notes_seed(i, seed);
        CU_ASSERT_TRUE_FATAL(dc_stealth_send(&n->alice.address, seed, 0, &to, shared));
        n->id[i] = 10 * i + 3;
        n->amount[i] = (uint64_t)1000 * (i + 1);
        dc_stealth_secret(n->alice.spend_secret, shared, n->key[i]);
        dc_stealth_blinding(shared, n->blinding[i]);
        memcpy(n->member[i].key, to.key, 32);
        CU_ASSERT_TRUE(dc_transfer_commit(n->amount[i], n->blinding[i], n->member[i].commitment));
    }
}

/* Another amount in a note. */
static inline void notes_amount(struct notes *n, uint32_t i, uint64_t amount)
{
    n->amount[i] = amount;
    CU_ASSERT_TRUE(dc_transfer_commit(amount, n->blinding[i], n->member[i].commitment));
}

/* Notes 0 .. inputs - 1 go to Bob, Alice, Bob, Alice with a fee of 10: a hundred to each but the
 * last output, which takes what is left. */
static inline struct dc_transfer_plan notes_plan(const struct notes *n, uint32_t inputs,
                                                 uint32_t outputs, uint64_t unshield)
{
    struct dc_transfer_plan p = {.chain = NOTES_CHAIN,
                                 .inputs = inputs,
                                 .outputs = outputs,
                                 .ring = n->ring,
                                 .fee = 10,
                                 .unshield = unshield,
                                 .to = unshield != 0 ? 5 : UINT32_MAX};
    uint64_t left = 0;
    notes_seed(77, p.seed);
    for (uint32_t i = 0; i < inputs; i++) {
        p.source[i] = (struct dc_transfer_source){
            .amount = n->amount[i], .index = i, .id = n->id, .member = n->member};
        memcpy(p.source[i].key, n->key[i], 32);
        memcpy(p.source[i].blinding, n->blinding[i], 32);
        left += n->amount[i];
    }
    left -= p.fee + unshield;
    for (uint32_t i = 0; i < outputs; i++) {
        p.target[i].to = i % 2 == 0 ? &n->bob.address : &n->alice.address;
        p.target[i].amount = i + 1 < outputs ? 100 : left;
        left -= p.target[i].amount;
    }
    return p;
}

/* The statement of a body under the notes' rings; returns its size. */
static inline size_t notes_statement(const struct notes *n, uint64_t chain, uint32_t inputs,
                                     const uint8_t *body, size_t size, uint8_t *out)
{
    struct dc_ring_member member[2 * NOTES_MAX];
    for (uint32_t i = 0; i < inputs; i++)
        memcpy(member + (size_t)i * n->ring, n->member, n->ring * sizeof *member);
    return dc_transfer_statement(chain, body, size, member, inputs * n->ring, out);
}

static inline bool notes_check(const struct notes *n, const struct dc_transfer_plan *p,
                               const uint8_t *body, size_t size)
{
    uint8_t statement[DC_TRANSFER_STATEMENT_BYTES_MAX];
    return dc_transfer_check(statement,
                             notes_statement(n, p->chain, p->inputs, body, size, statement));
}

#endif

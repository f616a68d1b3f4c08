/* A chain for tests of the ledger: one thread plays every validator.
 *
 *   chain_make -> chain_build (leader's block of a round with some transactions, certified by
 *   `voting` of the members) -> chain_add (interned, executed, the new tip)
 *
 * Certificates hold real votes when `real_votes` is set; execution looks at bitmaps alone. */
#ifndef TESTS_LEDGER_CHAIN_H
#define TESTS_LEDGER_CHAIN_H

#include "models/base/mem.h"
#include "models/crypto/vrf.h"
#include "models/ledger/genesis.h"
#include "models/wire/service_msg.h"
#include "models/wire/tx.h"
#include "tests/support/harness.h"
#include "tests/support/params.h"

#include <stdlib.h>
#include <string.h>

#define CHAIN_ID 7
#define CHAIN_TX_MAX 4096

struct chain {
    struct dc_crypto crypto;
    struct dc_genesis_set set;
    struct dc_store *store;
    struct dc_block *tip;    /* a reference is held to every block from `first` on */
    struct dc_block **block; /* by height */
    uint32_t blocks_max;
    uint32_t skip_rounds; /* rounds that fail before the next block */
    uint64_t voting_mask; /* member i votes when bit i % 64 is set */
    bool real_votes;
    uint8_t *bytes; /* pending transactions */
    size_t bytes_used, bytes_max;
    struct dc_tx_view tx[CHAIN_TX_MAX];
    uint32_t tx_count;
    bool chosen[CHAIN_TX_MAX];
};

static inline struct dc_params chain_params(void)
{
    struct dc_params p = test_params();
    p.epoch_blocks = 30;
    p.block_interval_ns = 1000000000;
    return p;
}

/* Sets up everything from spec and params; `edit` (or NULL) may change accounts and deals first. */
static inline void chain_make(struct chain *c, const struct dc_genesis_spec *spec,
                              const struct dc_params *params, bool memo,
                              void (*edit)(struct dc_genesis_set *set),
                              const struct dc_answer_checker *checker, void *context)
{
    memset(c, 0, sizeof *c);
    dc_crypto_init();
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(dc_crypto_open(&c->crypto, DC_SUITE_REAL, 8 << 20, 0, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(dc_genesis_set_create(spec, params, &c->set, &error), DC_OK);
    if (edit != NULL)
        edit(&c->set);
    struct dc_store_config config = {.chain = spec->chain,
                                     .crypto = &c->crypto,
                                     .memo = memo,
                                     .keep_heights = 100,
                                     .checker = checker,
                                     .checker_context = context};
    CU_ASSERT_EQUAL_FATAL(dc_store_create(&config, &c->set.genesis, &c->store, &error), DC_OK);
    c->blocks_max = 4096;
    c->block = calloc(c->blocks_max, sizeof(struct dc_block *));
    c->block[0] = c->tip = dc_store_genesis(c->store);
    c->voting_mask = UINT64_MAX;
    c->bytes_max = 4 << 20;
    c->bytes = malloc(c->bytes_max);
}

static inline void chain_free(struct chain *c)
{
    for (uint64_t h = 1; h <= c->tip->header.height; h++)
        if (c->block[h] != NULL)
            dc_block_drop(c->block[h]);
    dc_store_destroy(c->store);
    dc_genesis_set_free(&c->set);
    dc_crypto_close(&c->crypto);
    free(c->block);
    free(c->bytes);
}

static inline void chain_put(struct chain *c, const uint8_t *bytes, size_t size)
{
    CU_ASSERT_FATAL(c->tx_count < CHAIN_TX_MAX && c->bytes_used + size <= c->bytes_max);
    memcpy(c->bytes + c->bytes_used, bytes, size);
    c->tx[c->tx_count++] = (struct dc_tx_view){c->bytes + c->bytes_used, (uint32_t)size};
    c->bytes_used += size;
}

/* Signs with the genesis key of tx->from and queues for the next block. */
static inline void chain_tx(struct chain *c, const struct dc_tx *tx)
{
    uint8_t bytes[1024];
    const struct dc_keypair *key =
        tx->kind == DC_TX_REVOKE ? &c->set.registrar : &c->set.sign[tx->from];
    size_t size = dc_tx_sign(&c->crypto, CHAIN_ID, key, tx, bytes, sizeof bytes);
    CU_ASSERT_FATAL(size != 0);
    chain_put(c, bytes, size);
}

/* A certificate for a block by the committee of its epoch. */
static inline struct dc_qc *chain_qc(struct chain *c, const struct dc_committee *committee,
                                     uint64_t round, const struct dc_hash *block,
                                     const struct dc_hash *commits)
{
    size_t bitmap = (committee->count + 7) / 8;
    size_t max = 82 + bitmap + committee->count * (size_t)64;
    uint8_t *bytes = calloc(1, max);
    struct dc_writer w = dc_writer(bytes, max);
    dc_write64(&w, committee->epoch);
    dc_write64(&w, round);
    dc_write(&w, block->b, 32);
    dc_write(&w, commits->b, 32);
    dc_write16(&w, (uint16_t)committee->count);
    uint8_t *bits = bytes + w.size;
    w.size += bitmap;
    struct dc_hash digest = dc_vote_digest(CHAIN_ID, committee->epoch, round, block, commits);
    for (uint32_t i = 0; i < committee->count; i++) {
        if (!(c->voting_mask >> i % 64 & 1))
            continue;
        bits[i / 8] |= (uint8_t)(1u << i % 8);
        uint8_t signature[64] = {1};
        if (c->real_votes)
            dc_sign(&c->crypto, &c->set.sign[committee->member[i]], digest.b, 32, signature);
        dc_write(&w, signature, 64);
    }
    struct dc_qc *qc = dc_qc_decode(bytes, w.size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(qc);
    free(bytes);
    return qc;
}

static inline struct dc_handover *chain_handover(struct chain *c)
{
    const struct dc_header *h = &c->tip->header;
    const struct dc_committee *committee = dc_store_committee(c->store, c->tip, h->epoch);
    struct dc_hash seal = c->tip->id;
    seal.b[0] ^= 1; /* the id of a seal that nobody looks at */
    struct dc_qc *qc = chain_qc(c, committee, h->round + 1, &seal, &c->tip->id);
    size_t size;
    uint8_t *bytes = dc_handover_encode(c->tip, NULL, 0, qc, &size);
    struct dc_handover *handover = dc_handover_decode(bytes, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(handover);
    dc_mem_free(bytes);
    dc_qc_drop(qc);
    return handover;
}

/* The TC that a block needs after failed rounds: form only. */
static inline struct dc_tc *chain_tc(const struct dc_committee *committee, uint64_t round,
                                     uint64_t qc_round)
{
    size_t bitmap = (committee->count + 7) / 8;
    uint8_t bytes[1024] = {0};
    struct dc_writer w = dc_writer(bytes, sizeof bytes);
    dc_write64(&w, committee->epoch);
    dc_write64(&w, round);
    dc_write16(&w, (uint16_t)committee->count);
    bytes[w.size] = 1;
    w.size += bitmap;
    dc_write64(&w, qc_round);
    w.size += 64;
    struct dc_tc *tc = dc_tc_decode(bytes, w.size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tc);
    return tc;
}

/* Fills parts for a block on the tip: header without roots, certificates.  The certificates are the
 * caller's to drop (chain_parts_drop). */
static inline void chain_parts(struct chain *c, struct dc_block_parts *parts)
{
    memset(parts, 0, sizeof *parts);
    const struct dc_header *up = &c->tip->header;
    uint32_t blocks = c->set.genesis.params.epoch_blocks;
    struct dc_header *h = &parts->header;
    h->height = up->height + 1;
    h->epoch = dc_height_epoch(h->height, blocks);
    bool first = h->height == h->epoch * blocks + 1;
    uint64_t below = first ? 0 : up->round;
    h->round = below + 1 + c->skip_rounds;
    h->parent = c->tip->id;
    h->timestamp_ns = up->timestamp_ns + 1000000000;
    const struct dc_committee *committee = dc_store_committee(c->store, c->tip, h->epoch);
    uint32_t leader = committee->member[dc_committee_leader(committee, h->round)];
    h->proposer = leader;
    uint8_t alpha[40];
    dc_store_vrf_alpha(&up->beacon, h->round, alpha);
    dc_vrf_prove(NULL, &c->set.vrf[leader], alpha, sizeof alpha, h->vrf, NULL, NULL);
    if (!first) {
        const struct dc_hash zero = {{0}};
        bool direct = c->tip->qc != NULL && c->tip->qc->round + 1 == up->round;
        parts->qc = chain_qc(c, committee, up->round, &c->tip->id, direct ? &up->parent : &zero);
    } else if (h->epoch > 0) {
        parts->handover = chain_handover(c);
    }
    if (c->skip_rounds != 0)
        parts->tc = chain_tc(committee, h->round - 1, below);
}

static inline void chain_parts_drop(struct dc_block_parts *parts)
{
    dc_qc_drop((struct dc_qc *)parts->qc);
    dc_tc_drop((struct dc_tc *)parts->tc);
    dc_handover_drop((struct dc_handover *)parts->handover);
}

/* Encodes, signs and interns; a reference for the caller. */
static inline struct dc_block *chain_intern(struct chain *c, const struct dc_block_parts *parts)
{
    size_t size = dc_block_encoded_size(parts);
    uint8_t *bytes = calloc(1, size + 64);
    CU_ASSERT_EQUAL_FATAL(dc_block_encode(parts, bytes), size);
    struct dc_hash id = dc_block_id(bytes, size);
    struct dc_hash digest =
        dc_proposal_digest(CHAIN_ID, parts->header.epoch, parts->header.round, &id);
    dc_sign(&c->crypto, &c->set.sign[parts->header.proposer], digest.b, 32, bytes + size);
    struct dc_block *block = dc_store_intern(c->store, bytes, size + 64);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    free(bytes);
    return block;
}

/* The leader builds a block of the queued transactions; all executes; the new tip.  c->chosen tells
 * which were taken. */
static inline void chain_step(struct chain *c)
{
    struct dc_block_parts parts;
    chain_parts(c, &parts);
    bool built = dc_store_build(c->store, c->tip, &parts, c->tx, c->tx_count, c->chosen, NULL);
    CU_ASSERT_FATAL(built);
    struct dc_tx_view *kept = calloc(c->tx_count + 1, sizeof *kept);
    for (uint32_t i = 0; i < c->tx_count; i++)
        if (c->chosen[i])
            kept[parts.tx_count++] = c->tx[i];
    parts.tx = kept;
    struct dc_block *block = chain_intern(c, &parts);
    CU_ASSERT_FATAL(dc_store_execute(c->store, block, NULL));
    CU_ASSERT_FATAL(block->header.height < c->blocks_max);
    c->block[block->header.height] = c->tip = block;
    free(kept);
    chain_parts_drop(&parts);
    c->tx_count = 0;
    c->bytes_used = 0;
}

static inline const struct dc_state *chain_state(const struct chain *c)
{
    return c->tip->state;
}

/* The one queued transaction in one block: whether it was taken.  A leader's block with a refused
 * transaction in it is invalid. */
static inline bool chain_taken_queued(struct chain *c)
{
    struct dc_block_parts parts;
    chain_parts(c, &parts);
    CU_ASSERT_FATAL(dc_store_build(c->store, c->tip, &parts, c->tx, 1, c->chosen, NULL));
    bool ok = c->chosen[0];
    if (!ok) {
        struct dc_block_parts forced = parts;
        forced.tx = c->tx;
        forced.tx_count = 1;
        forced.header.tx_root = dc_tx_root(c->tx, 1);
        struct dc_block *block = chain_intern(c, &forced);
        CU_ASSERT_FALSE(dc_store_execute(c->store, block, NULL));
        CU_ASSERT_EQUAL(atomic_load(&block->executed), 2);
        dc_block_drop(block);
    }
    chain_parts_drop(&parts);
    chain_step(c);
    CU_ASSERT_TRUE(dc_state_conserved(chain_state(c)));
    return ok;
}

static inline bool chain_taken(struct chain *c, const struct dc_tx *tx)
{
    chain_tx(c, tx);
    return chain_taken_queued(c);
}

/* Queues the heartbeats that the next block may include, of every live node for which want(id). */
static inline void chain_heartbeats(struct chain *c, bool (*want)(uint32_t id))
{
    const struct dc_state *s = chain_state(c);
    uint64_t next = c->tip->header.height + 1, f = dc_state_meta(s)->final_height;
    for (uint32_t id = 0; id < dc_state_meta(s)->accounts && id < c->set.genesis.accounts; id++) {
        const struct dc_account *a = dc_state_account(s, id);
        if (!dc_account_may(a, next, DC_ROLE_VALIDATOR | DC_ROLES_SERVICE) || (want && !want(id)))
            continue;
        uint64_t due = dc_state_heartbeat_includable(s, id, next);
        if (due == 0 || due <= a->joined || dc_state_heartbeat_seen(s, id, due))
            continue;
        struct dc_tx tx = {.kind = DC_TX_HEARTBEAT, .from = id};
        tx.heartbeat.height = f;
        dc_state_heartbeat(c->block[f]->state, id, tx.heartbeat.proof);
        chain_tx(c, &tx);
    }
}

/* Queues the verdict `says(node)` of every verifier of challenges that the tip has drawn. */
static inline void chain_verdicts(struct chain *c, uint8_t (*says)(uint32_t node))
{
    const struct dc_outcome *o = c->tip->outcome;
    for (uint32_t i = 0; i < o->drawn_count; i++) {
        const struct dc_challenge *q =
            &dc_state_account(chain_state(c), o->drawn[i])->posync.challenge;
        for (uint32_t v = 0; v < q->verifiers; v++) {
            struct dc_tx tx = {.kind = DC_TX_VERDICT, .from = q->verifier[v]};
            tx.verdict.height = q->height;
            tx.verdict.node = o->drawn[i];
            tx.verdict.asking = q->asking;
            tx.verdict.verdict = says(o->drawn[i]);
            tx.verdict.proved = tx.verdict.verdict == DC_VERDICT_PASS ? q->k : 0;
            tx.verdict.response_us = 1000 + 10 * v;
            if (tx.verdict.verdict != DC_VERDICT_NONE)
                chain_tx(c, &tx);
        }
    }
}

#endif

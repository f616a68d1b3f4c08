/* Blocks and certificates as shared objects: what is signed about them, and who holds them.
 *
 * A certificate inside a block or a hand-over lives in that one's allocation, and a reference to it
 * is a reference to the whole (struct dc_shared). */
#include <stdatomic.h>

#include "models/base/mem.h"
#include "models/wire/block.h"

/* --- digests --------------------------------------------------------------------------------- */

struct dc_hash dc_vote_digest(uint64_t chain, uint64_t epoch, uint64_t round,
                              const struct dc_hash *block, const struct dc_hash *commits)
{
    uint8_t b[24 + 2 * DC_HASH_BYTES];
    dc_put64(b, chain);
    dc_put64(b + 8, epoch);
    dc_put64(b + 16, round);
    memcpy(b + 24, block->b, DC_HASH_BYTES);
    memcpy(b + 24 + DC_HASH_BYTES, commits->b, DC_HASH_BYTES);
    return dc_hash_bytes(DC_DOMAIN_VOTE, b, sizeof b);
}

struct dc_hash dc_proposal_digest(uint64_t chain, uint64_t epoch, uint64_t round,
                                  const struct dc_hash *block)
{
    uint8_t b[24 + DC_HASH_BYTES];
    dc_put64(b, chain);
    dc_put64(b + 8, epoch);
    dc_put64(b + 16, round);
    memcpy(b + 24, block->b, DC_HASH_BYTES);
    return dc_hash_bytes(DC_DOMAIN_PROPOSAL, b, sizeof b);
}

struct dc_hash dc_timeout_digest(uint64_t chain, uint64_t epoch, uint64_t round, uint64_t qc_round)
{
    uint8_t b[32];
    dc_put64(b, chain);
    dc_put64(b + 8, epoch);
    dc_put64(b + 16, round);
    dc_put64(b + 24, qc_round);
    return dc_hash_bytes(DC_DOMAIN_TIMEOUT, b, sizeof b);
}

struct dc_hash dc_state_parts_root(const struct dc_hash part[DC_STATE_PARTS])
{
    size_t parts = dc_hash_is_zero(&part[DC_STATE_PARTS - 1]) ? DC_STATE_PARTS - 1 : DC_STATE_PARTS;
    return dc_hash_bytes(DC_DOMAIN_STATE_NODE, part, parts * sizeof *part);
}

struct dc_hash dc_tx_root(const struct dc_tx_view *tx, uint32_t count)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_TX_ROOT);
    dc_hasher_update64(&h, count);
    for (uint32_t i = 0; i < count; i++) {
        struct dc_hash leaf = dc_hash_bytes(DC_DOMAIN_TX_ROOT, tx[i].bytes, tx[i].size);
        dc_hasher_update(&h, leaf.b, sizeof leaf.b);
    }
    return dc_hasher_final(&h);
}

/* --- references ------------------------------------------------------------------------------ */

static void shared_hold(struct dc_shared *s)
{
    atomic_fetch_add_explicit(s->refs, 1, memory_order_relaxed);
}

static void shared_drop(struct dc_shared *s)
{
    void *whole = s->whole;
    uint32_t before = atomic_fetch_sub_explicit(s->refs, 1, memory_order_acq_rel);
    DC_CHECK(before != 0);
    if (before == 1)
        dc_mem_free(whole);
}

void dc_block_hold(struct dc_block *block)
{
    atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
}

void dc_block_drop(struct dc_block *block)
{
    if (block == NULL)
        return;
    struct dc_shared shared = {&block->refs, block};
    shared_drop(&shared);
}

void dc_qc_hold(struct dc_qc *qc)
{
    shared_hold(&qc->shared);
}

void dc_qc_drop(struct dc_qc *qc)
{
    if (qc != NULL)
        shared_drop(&qc->shared);
}

void dc_tc_hold(struct dc_tc *tc)
{
    shared_hold(&tc->shared);
}

void dc_tc_drop(struct dc_tc *tc)
{
    if (tc != NULL)
        shared_drop(&tc->shared);
}

void dc_handover_hold(struct dc_handover *handover)
{
    shared_hold(&handover->shared);
}

void dc_handover_drop(struct dc_handover *handover)
{
    if (handover != NULL)
        shared_drop(&handover->shared);
}

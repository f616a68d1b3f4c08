/* The chain as one node sees it: payloads, known blocks, execution, finality.  Drawing and rules
 * are in follow.h; follow_take.c judges blocks, follow_fetch.c fetches them.
 *
 * The common case must be cheap, because thousands of nodes handle every block: the payload
 * remembers its interned block, the block remembers that its signature and certificates hold and
 * what its execution gave; what is left per node is a scan of two or three known blocks. */
#include "models/consensus/follow.h"

#include <stdatomic.h>

#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/consensus/certificate.h"
#include "models/consensus/statesync.h"
#include "models/ledger/epochs.h"

#define COMMITS_PER_STEP 64 /* effects of one step are bounded; the rest follows with the next QC */

/* --- payloads -------------------------------------------------------------------------------- */

/* What a payload that is no block, or no hand-over, remembers. */
static const char nonsense;

static void *memo_get(const struct dc_payload *p)
{
    return atomic_load_explicit(&((struct dc_payload *)(uintptr_t)p)->memo, memory_order_acquire);
}

/* Leaves `made` in the payload unless somebody was faster; true when it stayed. */
static bool memo_put(const struct dc_payload *p, void *made)
{
    void *expected = NULL;
    return atomic_compare_exchange_strong_explicit(&((struct dc_payload *)(uintptr_t)p)->memo,
                                                   &expected, made, memory_order_acq_rel,
                                                   memory_order_acquire);
}

struct dc_block *dc_follow_decode(const struct dc_consensus_env *env, const struct dc_payload *p)
{
    void *memo = memo_get(p);
    if (memo == NULL) {
        size_t skip = p->kind == DC_MSG_BLOCK_REPLY   ? 2
                      : p->kind == DC_MSG_STATE_REPLY ? dc_state_reply_head_of(p->bytes, p->size)
                                                      : 1;
        struct dc_block *b =
            p->size < skip ? NULL : dc_store_intern(env->store, p->bytes + skip, p->size - skip);
        if (!memo_put(p, b != NULL ? (void *)b : (void *)(uintptr_t)&nonsense) && b != NULL)
            dc_block_drop(b);
        memo = memo_get(p);
    }
    return memo == (void *)(uintptr_t)&nonsense ? NULL : memo;
}

struct dc_handover *dc_follow_decode_handover(const struct dc_payload *p)
{
    void *memo = memo_get(p);
    if (memo == NULL) {
        struct dc_handover *h = dc_handover_decode(p->bytes + 1, p->size - 1);
        if (!memo_put(p, h != NULL ? (void *)h : (void *)(uintptr_t)&nonsense) && h != NULL)
            dc_handover_drop(h);
        memo = memo_get(p);
    }
    return memo == (void *)(uintptr_t)&nonsense ? NULL : memo;
}

void dc_consensus_memo_free(uint32_t kind, void *memo)
{
    if (memo == NULL || memo == (void *)(uintptr_t)&nonsense)
        return;
    if (kind == DC_MSG_PROPOSAL || kind == DC_MSG_BLOCK_REPLY || kind == DC_MSG_STATE_REPLY)
        dc_block_drop(memo);
    else if (kind == DC_MSG_HANDOVER)
        dc_handover_drop(memo);
}

void *dc_consensus_memo_make(uint32_t kind, const void *object)
{
    if (kind != DC_MSG_BLOCK_REPLY && kind != DC_MSG_STATE_REPLY)
        return NULL;
    struct dc_block *b = (struct dc_block *)(uintptr_t)object;
    dc_block_hold(b);
    return b;
}

/* --- life ------------------------------------------------------------------------------------ */

void dc_follow_init(struct dc_follow *f, const struct dc_consensus_env *env)
{
    *f = (struct dc_follow){0};
    f->final = dc_store_genesis(env->store);
    dc_block_hold(f->final);
    f->committee = dc_store_committee(env->store, f->final, 0);
    DC_CHECK(f->committee != NULL);
}

static void drop_volatile(struct dc_follow *f)
{
    for (uint32_t i = 0; i < DC_FOLLOW_ORPHANS; i++) {
        dc_block_drop(f->orphan[i]);
        f->orphan[i] = NULL;
    }
    dc_handover_drop(f->pending);
    f->pending = NULL;
    f->want_due_ns = 0;
    f->timer_set = false;
    f->gone = false;
    dc_statesync_free(f);
}

void dc_follow_forget_known(struct dc_follow *f)
{
    for (uint32_t i = 0; i < f->known_count; i++)
        dc_block_drop(f->known[i].block);
    f->known_count = 0;
}

void dc_follow_free(struct dc_follow *f)
{
    drop_volatile(f);
    dc_follow_forget_known(f);
    dc_mem_free(f->known);
    dc_block_drop(f->final);
    dc_qc_drop(f->high_qc);
    dc_handover_drop(f->handover);
    *f = (struct dc_follow){0};
}

void dc_follow_restart(struct dc_follow *f, const struct dc_consensus_env *env,
                       const struct dc_input *in, struct dc_effects *out)
{
    drop_volatile(f);
    const struct dc_committee *c = f->committee;
    if (c->count == 0)
        return;
    uint32_t i = (uint32_t)(dc_mix64((uint64_t)in->now_ns ^ env->self) % c->count);
    if (c->member[i] == env->self)
        i = (i + 1) % c->count;
    if (c->member[i] != env->self)
        dc_follow_ask(f, c->member[i], DC_REQUEST_BLOCKS, out);
}

void dc_follow_reject(struct dc_follow *f, const struct dc_input *in, enum dc_reject why,
                      struct dc_effects *out)
{
    f->rejected++;
    dc_effect_note(out, DC_NOTE_REJECTED, why, in->from);
}

/* --- known blocks ---------------------------------------------------------------------------- */

struct dc_follow_entry *dc_follow_find(const struct dc_follow *f, const struct dc_hash *id)
{
    for (uint32_t i = f->known_count; i > 0; i--)
        if (dc_hash_equal(&f->known[i - 1].block->id, id))
            return &f->known[i - 1];
    return NULL;
}

struct dc_follow_entry *dc_follow_entry_of(const struct dc_follow *f, const struct dc_block *block)
{
    for (uint32_t i = f->known_count; i > 0; i--)
        if (f->known[i - 1].block == block)
            return &f->known[i - 1];
    return NULL;
}

void dc_follow_add(struct dc_follow *f, struct dc_block *block, struct dc_block *parent)
{
    if (f->known_count == f->known_max) {
        uint32_t count = f->known_max == 0 ? 4 : f->known_max * 2;
        struct dc_follow_entry *known = dc_mem_need(count, sizeof *known, "known blocks");
        if (f->known_count != 0)
            memcpy(known, f->known, f->known_count * sizeof *known);
        dc_mem_free(f->known);
        f->known = known;
        f->known_max = count;
    }
    f->known[f->known_count++] = (struct dc_follow_entry){.block = block, .parent = parent};
    dc_block_hold(block);
}

/* Keeps what descends from the final block. */
static void known_prune(struct dc_follow *f)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < f->known_count; i++) {
        struct dc_follow_entry e = f->known[i];
        bool keep = e.parent == f->final;
        for (uint32_t k = 0; !keep && k < kept; k++)
            keep = f->known[k].block == e.parent;
        if (keep)
            f->known[kept++] = e;
        else
            dc_block_drop(e.block);
    }
    f->known_count = kept;
}

const struct dc_block *dc_follow_certified(const struct dc_follow *f)
{
    struct dc_follow_entry *e = f->high_qc != NULL ? dc_follow_find(f, &f->high_qc->block) : NULL;
    while (e != NULL && e->block->header.seal != 0)
        e = dc_follow_entry_of(f, e->parent);
    return e != NULL ? e->block : f->final;
}

/* --- execution and finality ------------------------------------------------------------------ */

bool dc_follow_execute(struct dc_follow *f, const struct dc_consensus_env *env,
                       struct dc_follow_entry *entry, struct dc_effects *out)
{
    while (entry->executed == 0) {
        struct dc_follow_entry *e = entry, *below = NULL;
        while (e->parent != f->final && (below = dc_follow_entry_of(f, e->parent))->executed == 0)
            e = below;
        bool parent_ok = e->parent == f->final || (below != NULL && below->executed == 1);
        bool ok = parent_ok &&
                  (e->block->header.seal != 0 || dc_store_execute(env->store, e->block, out));
        e->executed = ok ? 1 : 2;
    }
    return entry->executed == 1;
}

static void note_conflict(const struct dc_block *b, struct dc_effects *out)
{
    dc_effect_note(out, DC_NOTE_CONFLICT, b->header.height, b->header.round);
    out->list[out->count - 1].object = b;
}

/* The hand-over in an epoch's first block is part of what the node keeps for ever. */
static void keep_handover(struct dc_follow *f, const struct dc_consensus_env *env,
                          const struct dc_block *b)
{
    const struct dc_committee *c = dc_store_committee(env->store, b, b->header.epoch);
    f->epochs = dc_epochs_add(dc_store_epochs(env->store), f->epochs, b->handover, c);
}

/* Makes `target` and what is below it final, lowest first, at most COMMITS_PER_STEP. */
static void commit_to(struct dc_follow *f, const struct dc_consensus_env *env,
                      struct dc_block *target, struct dc_effects *out)
{
    uint32_t budget = COMMITS_PER_STEP;
    bool moved = false;
    while (f->final != target && budget-- > 0) {
        struct dc_follow_entry *e = dc_follow_entry_of(f, target);
        while (e->parent != f->final)
            e = dc_follow_entry_of(f, e->parent);
        if (!dc_follow_execute(f, env, e, out)) {
            note_conflict(e->block, out);
            break;
        }
        if (!dc_store_stands(env->store, e->block)) {
            f->gone = true; /* others are so far ahead that nobody needs that state any more */
            break;
        }
        dc_block_hold(e->block);
        dc_block_drop(f->final);
        f->final = e->block;
        moved = true;
        if (e->block->handover != NULL)
            keep_handover(f, env, e->block);
        dc_effects_add(out, DC_EFFECT_COMMIT)->object = e->block;
    }
    if (moved)
        known_prune(f);
}

void dc_follow_commit(struct dc_follow *f, const struct dc_consensus_env *env,
                      const struct dc_hash *id, struct dc_effects *out)
{
    if (dc_hash_is_zero(id) || dc_hash_equal(id, &f->final->id))
        return;
    struct dc_follow_entry *e = dc_follow_find(f, id);
    while (e != NULL && e->block->header.seal != 0) /* a seal's ledger block is L */
        e = dc_follow_entry_of(f, e->parent);
    if (e != NULL)
        commit_to(f, env, e->block, out);
}

struct dc_hash dc_follow_commits(const struct dc_block *block)
{
    if (block->qc != NULL && block->qc->round + 1 == block->header.round)
        return block->header.parent;
    return (struct dc_hash){{0}};
}

bool dc_follow_qc_known(const struct dc_follow *f, const struct dc_qc *qc)
{
    return f->high_qc == qc || (f->high_qc != NULL && f->high_qc->epoch == qc->epoch &&
                                dc_hash_equal(&f->high_qc->digest, &qc->digest));
}

void dc_follow_certificate(struct dc_follow *f, const struct dc_consensus_env *env,
                           const struct dc_input *in, struct dc_qc *qc, struct dc_effects *out)
{
    if (qc->epoch != f->epoch)
        return;
    struct dc_qc *high = f->high_qc;
    /* of two of one round the one inside a block is preferred: all nodes share it */
    bool shared = high != NULL && qc->round == high->round && high != qc &&
                  high->shared.refs == &high->refs && qc->shared.refs != &qc->refs;
    if (high == NULL || qc->round > high->round || shared ||
        (DC_MUTANT(env->params, STALE_QC) && qc->round < high->round)) {
        dc_qc_hold(qc);
        f->high_qc = qc;
        dc_qc_drop(high);
    }
    if (qc->round > f->round_seen)
        f->round_seen = qc->round;
    dc_follow_commit(f, env, &qc->commits, out);
    if (qc == f->high_qc && !dc_hash_equal(&qc->block, &f->final->id) &&
        dc_follow_find(f, &qc->block) == NULL)
        dc_follow_want(f, env, in, &qc->block, f->final->header.height + 1, true, out);
}

/* Judging blocks and hand-overs, and taking them in: form, signature, certificates, parent. */
#include "models/consensus/follow.h"

#include <stdatomic.h>

#include "models/consensus/certificate.h"
#include "models/consensus/statesync.h"
#include "models/ledger/epochs.h"

#define RELAY_DEPTH 8 /* final blocks so young are still passed on */

/* --- judging blocks -------------------------------------------------------------------------- */

/* The leader's signature.  Whose turn a round is is a function of the epoch's committee. */
static bool signature_holds(const struct dc_follow *f, const struct dc_consensus_env *env,
                            struct dc_block *b)
{
    uint32_t known = env->crypto->memo == NULL || DC_MUTANT(env->params, WRONG_COMMITTEE)
                         ? 0 /* (who has a wrong committee must not judge for all) */
                         : atomic_load_explicit(&b->signature_ok, memory_order_relaxed);
    if (known != 0)
        return known == 1;
    const struct dc_committee *c = f->committee;
    uint32_t leader = c->count == 0 ? 0 : dc_committee_leader(c, b->header.round);
    bool ok = c->count != 0 && c->member[leader] == b->header.proposer;
    if (ok) {
        struct dc_hash digest =
            dc_proposal_digest(env->chain, b->header.epoch, b->header.round, &b->id);
        ok = dc_verify(env->crypto, c->key[leader], digest.b, DC_HASH_BYTES, b->signature);
    }
    if (!DC_MUTANT(env->params, WRONG_COMMITTEE))
        atomic_store_explicit(&b->signature_ok, ok ? 1 : 2, memory_order_relaxed);
    return ok;
}

/* The hand-over in the first block of this epoch: the one by which this node came here, or another
 * of the same L. */
static bool handover_holds(const struct dc_follow *f, const struct dc_consensus_env *env,
                           struct dc_handover *h, struct dc_effects *out)
{
    if (f->handover == NULL || !dc_hash_equal(&h->last, &f->handover->last))
        return false;
    if (h->size == f->handover->size && memcmp(h->bytes, f->handover->bytes, h->size) == 0)
        return true;
    return f->before != NULL && dc_handover_verify(env, h, f->before, out);
}

static enum dc_reject certificates_fault(const struct dc_follow *f,
                                         const struct dc_consensus_env *env, struct dc_block *b,
                                         struct dc_effects *out)
{
    const struct dc_header *h = &b->header;
    if (h->height == 0 || dc_height_epoch(h->height, env->params->epoch_blocks) != h->epoch)
        return DC_REJECT_FORM;
    if (h->seal != 0 && h->height != dc_epoch_last_height(h->epoch, env->params->epoch_blocks))
        return DC_REJECT_FORM;
    out->charge[DC_COST_VERIFY]++;
    if (!signature_holds(f, env, b))
        return DC_REJECT_SIGNATURE;
    if (b->qc != NULL && !dc_follow_qc_known(f, b->qc) &&
        !dc_qc_verify(env, b->qc, f->committee, out))
        return DC_REJECT_CERTIFICATE;
    if (b->handover != NULL && !handover_holds(f, env, b->handover, out))
        return DC_REJECT_CERTIFICATE;
#ifdef DC_MUTANTS
    if (!DC_MUTANT(env->params, NO_LOCK) && !DC_MUTANT(env->params, TC_UNCHECKED) &&
        b->tc != NULL && b->tc->qc_round_max > (b->qc != NULL ? b->qc->round : 0))
        return DC_REJECT_FORM;
#endif
    if (b->tc != NULL && !dc_tc_verify(env, b->tc, f->committee, out))
        return DC_REJECT_CERTIFICATE;
    return DC_REJECT_COUNT;
}

/* What a block must be on its parent, beside its execution. */
static bool follows_parent(const struct dc_consensus_env *env, const struct dc_block *b,
                           const struct dc_block *parent)
{
    const struct dc_header *h = &b->header, *p = &parent->header;
    if (h->timestamp_ns <= p->timestamp_ns)
        return false;
    if (b->qc != NULL) {
        struct dc_hash commits = dc_follow_commits(parent);
        if (DC_MUTANT(env->params, COMMIT_GAP) && parent->qc != NULL)
            commits = parent->header.parent;
        if (b->qc->round != p->round || !dc_hash_equal(&b->qc->commits, &commits))
            return false;
    }
    if (h->seal != 0)
        return h->height == p->height && dc_hash_equal(&h->state_root, &p->state_root) &&
               dc_hash_equal(&h->beacon, &p->beacon);
    return p->seal == 0 && h->height == p->height + 1;
}

static void orphan_add(struct dc_follow *f, struct dc_block *block)
{
    for (uint32_t i = 0; i < DC_FOLLOW_ORPHANS; i++)
        if (f->orphan[i] == block)
            return;
    uint32_t at = f->orphan_next++ % DC_FOLLOW_ORPHANS;
    dc_block_drop(f->orphan[at]);
    dc_block_hold(block);
    f->orphan[at] = block;
}

/* Takes in the orphans that can be judged now: children of `parent`, or (NULL) of this epoch. */
static void orphans_retry(struct dc_follow *f, const struct dc_consensus_env *env,
                          const struct dc_input *in, const struct dc_hash *parent,
                          struct dc_effects *out)
{
    for (uint32_t i = 0; i < DC_FOLLOW_ORPHANS; i++) {
        struct dc_block *b = f->orphan[i];
        if (b == NULL || b->header.epoch != f->epoch ||
            (parent != NULL && !dc_hash_equal(&b->header.parent, parent)))
            continue;
        f->orphan[i] = NULL;
        (void)dc_follow_take(f, env, in, b, out);
        dc_block_drop(b);
    }
}

void dc_follow_insert(struct dc_follow *f, const struct dc_consensus_env *env,
                      const struct dc_input *in, struct dc_block *block, struct dc_effects *out)
{
    struct dc_block *parent = f->final;
    if (!dc_hash_equal(&block->header.parent, &f->final->id)) {
        struct dc_follow_entry *e = dc_follow_find(f, &block->header.parent);
        DC_CHECK(e != NULL);
        parent = e->block;
    }
    dc_follow_add(f, block, parent);
    if (block->header.round > f->round_seen)
        f->round_seen = block->header.round;
    if (f->want_due_ns != 0 && dc_hash_equal(&f->want, &block->id))
        f->want_due_ns = 0;
    if (block->qc != NULL)
        dc_follow_certificate(f, env, in, block->qc, out);
    if (f->high_qc != NULL && f->high_qc != block->qc && !dc_hash_is_zero(&f->high_qc->commits))
        dc_follow_commit(f, env, &f->high_qc->commits, out); /* it may have waited for this block */
    struct dc_hash id = block->id;
    orphans_retry(f, env, in, &id, out);
    if (f->pending != NULL && dc_hash_equal(&f->pending->last, &id))
        (void)dc_follow_handover(f, env, in, f->pending, out);
}

enum dc_follow_verdict dc_follow_take(struct dc_follow *f, const struct dc_consensus_env *env,
                                      const struct dc_input *in, struct dc_block *b,
                                      struct dc_effects *out)
{
    if (dc_follow_entry_of(f, b) != NULL || b == f->final)
        return DC_FOLLOW_KNOWN;
    if (b->header.epoch == f->epoch + 1 && b->handover != NULL) {
        enum dc_follow_verdict v = dc_follow_handover(f, env, in, b->handover, out);
        if (v == DC_FOLLOW_INVALID) {
            dc_follow_reject(f, in, DC_REJECT_CERTIFICATE, out);
            return v;
        }
        if (f->epoch != b->header.epoch) {
            orphan_add(f, b);
            return DC_FOLLOW_AHEAD;
        }
        if (dc_follow_entry_of(f, b) != NULL)
            return DC_FOLLOW_NEW;
    }
    if (b->header.epoch > f->epoch) {
        orphan_add(f, b);
        dc_follow_want(f, env, in, &b->id, b->header.height, false, out);
        return DC_FOLLOW_AHEAD;
    }
    if (b->header.epoch < f->epoch || b->header.height < f->final->header.height + !b->header.seal)
        return DC_FOLLOW_OLD;
    enum dc_reject why = certificates_fault(f, env, b, out);
    if (why != DC_REJECT_COUNT) {
        dc_follow_reject(f, in, why, out);
        return DC_FOLLOW_INVALID;
    }
    const struct dc_block *parent = f->final;
    if (!dc_hash_equal(&b->header.parent, &f->final->id)) {
        struct dc_follow_entry *e = dc_follow_find(f, &b->header.parent);
        if (e == NULL) {
            orphan_add(f, b);
            dc_follow_want(f, env, in, &b->header.parent, b->header.height - 1, true, out);
            return DC_FOLLOW_ORPHAN;
        }
        parent = e->block;
    }
    if (!follows_parent(env, b, parent)) {
        dc_follow_reject(f, in, DC_REJECT_FORM, out);
        return DC_FOLLOW_INVALID;
    }
    dc_follow_insert(f, env, in, b, out);
    return DC_FOLLOW_NEW;
}

/* The block of a payload whose signature is not the one that its interned object came with: the
 * payload is false when that one holds.  When it does not, the store makes room for this one.
 * Which of the two came first in the process must not show, in charges neither. */
static struct dc_block *other_signature(const struct dc_follow *f,
                                        const struct dc_consensus_env *env,
                                        const struct dc_payload *p, struct dc_block *b)
{
    if (b->header.epoch != f->epoch || signature_holds(f, env, b))
        return NULL;
    size_t skip = p->kind == DC_MSG_BLOCK_REPLY ? 2 : 1;
    struct dc_block *now = dc_store_intern(env->store, p->bytes + skip, p->size - skip);
    void *expected = b;
    if (now != NULL && atomic_compare_exchange_strong(&((struct dc_payload *)(uintptr_t)p)->memo,
                                                      &expected, (void *)now))
        dc_block_drop(b); /* the store keeps what it has replaced */
    else
        dc_block_drop(now);
    return dc_follow_decode(env, p);
}

enum dc_follow_verdict dc_follow_receive(struct dc_follow *f, const struct dc_consensus_env *env,
                                         const struct dc_input *in, struct dc_block **block,
                                         struct dc_effects *out)
{
    const struct dc_payload *p = in->payload;
    struct dc_block *b = *block = dc_follow_decode(env, p);
    if (b == NULL) {
        dc_follow_reject(f, in, DC_REJECT_FORM, out);
        return DC_FOLLOW_INVALID;
    }
    const uint8_t *signature = p->bytes + p->size - DC_SIGNATURE_BYTES;
    if (memcmp(b->signature, signature, DC_SIGNATURE_BYTES) != 0) {
        b = other_signature(f, env, p, b);
        if (b == NULL || memcmp(b->signature, signature, DC_SIGNATURE_BYTES) != 0) {
            out->charge[DC_COST_VERIFY]++;
            dc_follow_reject(f, in, DC_REJECT_SIGNATURE, out);
            return DC_FOLLOW_INVALID;
        }
        *block = b;
    }
    enum dc_follow_verdict v = dc_follow_take(f, env, in, b, out);
    if (in->gossip && dc_follow_relays(f, b, v))
        dc_effects_add(out, DC_EFFECT_RELAY);
    if (f->gone) {
        f->gone = false;
        dc_statesync_begin(f, env, in, out);
    } else if (p->kind == DC_MSG_BLOCK_REPLY && v != DC_FOLLOW_INVALID) {
        dc_follow_replied(f, env, in, out);
    }
    return v;
}

bool dc_follow_relays(const struct dc_follow *f, const struct dc_block *b, enum dc_follow_verdict v)
{
    if (v == DC_FOLLOW_NEW || v == DC_FOLLOW_KNOWN || v == DC_FOLLOW_ORPHAN)
        return true;
    return v == DC_FOLLOW_OLD && b->header.height + RELAY_DEPTH > f->final->header.height &&
           atomic_load_explicit(&b->signature_ok, memory_order_relaxed) == 1;
}

/* --- epochs ---------------------------------------------------------------------------------- */

static void epoch_enter(struct dc_follow *f, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_handover *h, struct dc_effects *out)
{
    dc_handover_hold(h);
    dc_handover_drop(f->handover);
    f->handover = h;
    dc_handover_drop(f->pending);
    f->pending = NULL;
    dc_qc_drop(f->high_qc);
    f->high_qc = NULL;
    dc_follow_forget_known(f); /* seals, and forks that lost */
    f->epoch++;
    f->round_seen = 0;
    f->before = f->committee;
    f->committee = dc_store_committee(env->store, f->final, f->epoch);
#ifdef DC_MUTANTS
    if (DC_MUTANT(env->params, WRONG_COMMITTEE) && in->kind == DC_INPUT_MESSAGE &&
        (in->payload->kind == DC_MSG_HANDOVER || in->payload->kind == DC_MSG_BLOCK_REPLY))
        f->committee = dc_store_committee_wrong(env->store, f->final, f->epoch);
#endif
    DC_CHECK(f->committee != NULL);
    orphans_retry(f, env, in, NULL, out);
}

void dc_follow_adopt(struct dc_follow *f, const struct dc_consensus_env *env,
                     const struct dc_input *in, struct dc_block *last,
                     const struct dc_epoch *newest, struct dc_effects *out)
{
    uint64_t before = f->final->header.height;
    dc_follow_forget_known(f);
    dc_block_hold(last);
    dc_block_drop(f->final);
    f->final = last;
    f->epoch = newest->epoch - 1;
    f->committee = dc_store_committee(env->store, last, f->epoch);
    f->epochs = newest->before;
    f->want_due_ns = 0;
    dc_effect_note(out, DC_NOTE_SYNCED, last->header.height, before);
    out->list[out->count - 1].object = last;
    epoch_enter(f, env, in, newest->handover, out);
}

enum dc_follow_verdict dc_follow_handover(struct dc_follow *f, const struct dc_consensus_env *env,
                                          const struct dc_input *in, struct dc_handover *h,
                                          struct dc_effects *out)
{
    if (h->epoch != f->epoch)
        return h->epoch < f->epoch ? DC_FOLLOW_OLD : DC_FOLLOW_AHEAD;
    bool checked = f->pending != NULL && f->pending->size == h->size &&
                   memcmp(f->pending->bytes, h->bytes, h->size) == 0;
    if (!checked && !dc_handover_verify(env, h, f->committee, out))
        return DC_FOLLOW_INVALID;
    dc_follow_commit(f, env, &h->last, out);
    if (dc_hash_equal(&f->final->id, &h->last)) {
        epoch_enter(f, env, in, h, out);
        return DC_FOLLOW_NEW;
    }
    if (!checked) {
        dc_handover_hold(h);
        dc_handover_drop(f->pending);
        f->pending = h;
    }
    dc_follow_want(f, env, in, &h->last, h->height, true, out);
    return DC_FOLLOW_ORPHAN;
}

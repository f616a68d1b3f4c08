/* Writing and reading what consensus has on disk; layout in image.h. */
#include "models/consensus/image.h"

#include <stdatomic.h>

#include "models/base/mem.h"
#include "models/ledger/epochs.h"

#define KNOWN_BYTES ((size_t)33)
#define KNOWN_MAX 65536u

/* --- writing --------------------------------------------------------------------------------- */

static size_t qc_size(const struct dc_qc *qc)
{
    return qc == NULL ? 0 : qc->size;
}

size_t dc_image_follow_max(const struct dc_follow *f)
{
    return 160 + KNOWN_BYTES * f->known_count + qc_size(f->high_qc) +
           (f->handover != NULL ? f->handover->size : 0);
}

size_t dc_image_jolteon_max(const struct dc_jolteon *j)
{
    const struct dc_jolteon_durable *d = &j->durable;
    return dc_image_follow_max(&j->chain) + 64 + DC_VOTE_MSG_BYTES + qc_size(j->kept_qc) +
           (d->proposal != NULL ? d->proposal->size + DC_SIGNATURE_BYTES : 0) +
           (d->high_tc != NULL ? d->high_tc->size : 0);
}

static void write_bytes(struct dc_writer *w, const void *bytes, uint32_t size)
{
    dc_write32(w, size);
    dc_write(w, bytes, size);
}

static void write_qc(struct dc_writer *w, const struct dc_qc *qc)
{
    write_bytes(w, qc != NULL ? qc->bytes : NULL, (uint32_t)qc_size(qc));
}

/* The block in whose allocation a QC lies: two of one round differ in who shares them
 * (dc_follow_certificate), so a restart must find the same one. */
static const struct dc_hash *qc_bearer(const struct dc_qc *qc)
{
    static const struct dc_hash none;
    if (qc == NULL || qc->shared.refs == &qc->refs)
        return &none;
    return &((const struct dc_block *)qc->shared.whole)->id;
}

void dc_image_write_follow(struct dc_writer *w, const struct dc_follow *f)
{
    static const struct dc_hash none;
    dc_write64(w, f->epoch);
    dc_write(w, f->final->id.b, DC_HASH_BYTES);
    dc_write64(w, f->round_seen);
    dc_write(w, f->epochs != NULL ? f->epochs->digest.b : none.b, DC_HASH_BYTES);
    dc_write32(w, f->known_count);
    for (uint32_t i = 0; i < f->known_count; i++) {
        dc_write(w, f->known[i].block->id.b, DC_HASH_BYTES);
        dc_write8(w, f->known[i].executed);
    }
    write_qc(w, f->high_qc);
    dc_write(w, qc_bearer(f->high_qc)->b, DC_HASH_BYTES);
    write_bytes(w, f->handover != NULL ? f->handover->bytes : NULL,
                f->handover != NULL ? f->handover->size : 0);
}

void dc_image_write_jolteon(struct dc_writer *w, const struct dc_jolteon *j)
{
    const struct dc_jolteon_durable *d = &j->durable;
    dc_image_write_follow(w, &j->chain);
    dc_write64(w, d->epoch);
    dc_write64(w, d->round);
    dc_write64(w, d->last_voted_round);
    dc_write8(w, d->voted ? 1 : 0);
    if (d->voted) {
        uint8_t vote[DC_VOTE_MSG_BYTES];
        dc_vote_encode(&d->vote, vote);
        dc_write(w, vote, sizeof vote);
    }
    if (d->proposal != NULL) {
        dc_write32(w, d->proposal->size + (uint32_t)DC_SIGNATURE_BYTES);
        dc_write(w, d->proposal->bytes, d->proposal->size);
        dc_write(w, d->proposal->signature, DC_SIGNATURE_BYTES);
    } else {
        dc_write32(w, 0);
    }
    write_bytes(w, d->high_tc != NULL ? d->high_tc->bytes : NULL,
                d->high_tc != NULL ? d->high_tc->size : 0);
    write_qc(w, j->kept_qc);
}

/* --- what changed ---------------------------------------------------------------------------- */

uint32_t dc_image_words_follow(const struct dc_follow *f, uint64_t *out)
{
    uint32_t n = 0;
    out[n++] = f->epoch;
    out[n++] = dc_hash_u64(&f->final->id);
    out[n++] = f->round_seen;
    out[n++] = f->epochs != NULL ? dc_hash_u64(&f->epochs->digest) : 0;
    out[n++] = f->high_qc != NULL ? dc_hash_u64(&f->high_qc->digest) : 0;
    out[n++] = dc_hash_u64(qc_bearer(f->high_qc));
    out[n++] = f->handover != NULL ? dc_hash_u64(&f->handover->qc->digest) : 0;
    out[n++] = f->handover != NULL ? dc_hash_u64(&f->handover->committed) : 0;
    for (uint32_t i = 0; i < f->known_count; i++) {
        out[n++] = dc_hash_u64(&f->known[i].block->id);
        out[n++] = f->known[i].executed;
    }
    return n;
}

uint32_t dc_image_words_jolteon(const struct dc_jolteon *j, uint64_t *out)
{
    const struct dc_jolteon_durable *d = &j->durable;
    uint32_t n = dc_image_words_follow(&j->chain, out);
    out[n++] = d->epoch;
    out[n++] = d->round;
    out[n++] = d->last_voted_round;
    out[n++] = d->voted;
    out[n++] = d->voted ? d->vote.round : 0;
    out[n++] = d->voted ? dc_hash_u64(&d->vote.block) : 0;
    out[n++] = d->voted ? dc_hash_u64(&d->vote.commits) : 0;
    out[n++] = d->proposal != NULL ? dc_hash_u64(&d->proposal->id) : 0;
    /* a TC is taken over with the round that it leads into, and not replaced */
    out[n++] = d->high_tc != NULL ? d->high_tc->size : 0;
    out[n++] = j->kept_qc != NULL ? dc_hash_u64(&j->kept_qc->digest) : 0;
    return n;
}

/* --- reading --------------------------------------------------------------------------------- */

/* What the bytes of a chain say; pointers into them. */
struct chain_view {
    uint64_t epoch, round_seen;
    struct dc_hash final, epochs, bearer;
    uint32_t known, qc_size, handover_size;
    const uint8_t *entry, *qc, *handover;
};

static bool read_chain(struct dc_reader *r, struct chain_view *v)
{
    v->epoch = dc_read64(r);
    dc_read(r, v->final.b, DC_HASH_BYTES);
    v->round_seen = dc_read64(r);
    dc_read(r, v->epochs.b, DC_HASH_BYTES);
    v->known = dc_read32(r);
    if (v->known > KNOWN_MAX)
        return false;
    v->entry = dc_read_in_place(r, KNOWN_BYTES * v->known);
    v->qc_size = dc_read32(r);
    v->qc = dc_read_in_place(r, v->qc_size);
    dc_read(r, v->bearer.b, DC_HASH_BYTES);
    v->handover_size = dc_read32(r);
    v->handover = dc_read_in_place(r, v->handover_size);
    return !r->failed && (v->handover_size == 0) == (v->epoch == 0);
}

static struct dc_hash entry_id(const struct chain_view *v, uint32_t i)
{
    struct dc_hash id;
    memcpy(id.b, v->entry + KNOWN_BYTES * i, sizeof id.b);
    return id;
}

/* The one inside the block that bore it, where that is still here. */
static struct dc_qc *find_qc(const struct chain_view *v, struct dc_store *store)
{
    if (v->qc_size == 0)
        return NULL;
    struct dc_qc *qc = dc_qc_decode(v->qc, v->qc_size);
    struct dc_block *b =
        qc == NULL || dc_hash_is_zero(&v->bearer) ? NULL : dc_store_find(store, &v->bearer);
    if (b != NULL && b->qc != NULL && dc_hash_equal(&b->qc->digest, &qc->digest)) {
        dc_qc_drop(qc);
        qc = b->qc;
        dc_qc_hold(qc);
    }
    dc_block_drop(b);
    return qc;
}

/* Known blocks that the store has, on parents that are there. */
static void take_known(const struct chain_view *v, struct dc_follow *f, struct dc_store *store)
{
    for (uint32_t i = 0; i < v->known; i++) {
        struct dc_hash id = entry_id(v, i);
        struct dc_block *b = dc_store_find(store, &id);
        struct dc_follow_entry *up = b != NULL ? dc_follow_find(f, &b->header.parent) : NULL;
        bool on_final = b != NULL && dc_hash_equal(&b->header.parent, &f->final->id);
        if (up != NULL || on_final) {
            dc_follow_add(f, b, on_final ? f->final : up->block);
            f->known[f->known_count - 1].executed = v->entry[KNOWN_BYTES * i + 32] & 3;
        }
        dc_block_drop(b);
    }
}

/* Takes the chain over; false: its final block, or the state after it, is gone. */
static bool take_chain(const struct chain_view *v, struct dc_follow *f,
                       const struct dc_consensus_env *env, struct dc_handover *handover,
                       const struct dc_epoch *epochs, struct dc_qc *qc)
{
    struct dc_block *final = dc_store_find(env->store, &v->final);
    const struct dc_committee *c =
        final != NULL && atomic_load(&final->executed) == 1 && dc_store_stands(env->store, final)
            ? dc_store_committee(env->store, final, v->epoch)
            : NULL;
    uint64_t height_epoch =
        c != NULL ? dc_height_epoch(final->header.height, env->params->epoch_blocks) : 0;
    if (c == NULL || (epochs != NULL ? epochs->epoch : 0) != height_epoch) {
        dc_block_drop(final);
        return false;
    }
    dc_block_drop(f->final);
    f->final = final;
    f->epoch = v->epoch;
    f->committee = c;
    f->before = v->epoch != 0 ? dc_store_committee(env->store, final, v->epoch - 1) : NULL;
    f->round_seen = v->round_seen;
    f->epochs = epochs;
    if (handover != NULL)
        dc_handover_hold(handover);
    f->handover = handover;
    if (qc != NULL)
        dc_qc_hold(qc);
    f->high_qc = qc;
    take_known(v, f, env->store);
    return true;
}

/* *qc: the highest one, a reference for the caller, or NULL.  *here: the chain was taken over. */
static bool take_view(const struct chain_view *v, struct dc_follow *f,
                      const struct dc_consensus_env *env, struct dc_qc **qc, bool *here)
{
    *qc = find_qc(v, env->store);
    struct dc_handover *h =
        v->handover_size != 0 ? dc_handover_decode(v->handover, v->handover_size) : NULL;
    const struct dc_epoch *epochs = dc_hash_is_zero(&v->epochs)
                                        ? NULL
                                        : dc_epochs_find(dc_store_epochs(env->store), &v->epochs);
    bool ok = (*qc != NULL) == (v->qc_size != 0) && (h != NULL) == (v->handover_size != 0) &&
              (*qc == NULL || (*qc)->epoch == v->epoch) && (h == NULL || h->epoch + 1 == v->epoch);
    *here = ok && take_chain(v, f, env, h, epochs, *qc);
    dc_handover_drop(h);
    return ok;
}

bool dc_image_read_follow(struct dc_reader *r, struct dc_follow *f,
                          const struct dc_consensus_env *env)
{
    struct chain_view v;
    struct dc_qc *qc = NULL;
    bool here;
    bool ok = read_chain(r, &v) && take_view(&v, f, env, &qc, &here);
    dc_qc_drop(qc);
    return ok;
}

/* What the bytes of a validator's own part say. */
struct record_view {
    struct dc_jolteon_durable durable; /* proposal and TC not yet made */
    const uint8_t *proposal, *tc, *kept;
    uint32_t proposal_size, tc_size, kept_size;
};

static bool read_record(struct dc_reader *r, struct record_view *v)
{
    struct dc_jolteon_durable *d = &v->durable;
    *d = (struct dc_jolteon_durable){.epoch = dc_read64(r)};
    d->round = dc_read64(r);
    d->last_voted_round = dc_read64(r);
    uint8_t voted = dc_read8(r);
    d->voted = voted == 1;
    const uint8_t *vote = d->voted ? dc_read_in_place(r, DC_VOTE_MSG_BYTES) : NULL;
    bool ok = voted <= 1 &&
              (!d->voted || (vote != NULL && dc_vote_decode(vote, DC_VOTE_MSG_BYTES, &d->vote)));
    v->proposal_size = dc_read32(r);
    v->proposal = dc_read_in_place(r, v->proposal_size);
    v->tc_size = dc_read32(r);
    v->tc = dc_read_in_place(r, v->tc_size);
    v->kept_size = dc_read32(r);
    v->kept = dc_read_in_place(r, v->kept_size);
    return ok && !r->failed && d->round != 0;
}

bool dc_image_read_jolteon(struct dc_reader *r, struct dc_jolteon *j,
                           const struct dc_consensus_env *env)
{
    struct chain_view chain;
    struct record_view record;
    if (!read_chain(r, &chain) || !read_record(r, &record))
        return false;
    struct dc_jolteon_durable *d = &record.durable;
    struct dc_qc *high = NULL, *kept = NULL;
    bool here = false;
    if (record.proposal_size != 0)
        d->proposal = dc_store_intern(env->store, record.proposal, record.proposal_size);
    if (record.tc_size != 0)
        d->high_tc = dc_tc_decode(record.tc, record.tc_size);
    if (record.kept_size != 0)
        kept = dc_qc_decode(record.kept, record.kept_size);
    bool ok = (d->proposal != NULL) == (record.proposal_size != 0) &&
              (d->high_tc != NULL) == (record.tc_size != 0) &&
              (kept != NULL) == (record.kept_size != 0) &&
              take_view(&chain, &j->chain, env, &high, &here);
    if (ok) {
        j->durable = *d;
        if (kept == NULL && !here && high != NULL && high->epoch == d->epoch) {
            kept = high;
            dc_qc_hold(kept);
        }
        j->kept_qc = kept;
        j->waiting = j->chain.epoch < d->epoch;
    } else {
        dc_block_drop(d->proposal);
        dc_tc_drop(d->high_tc);
        dc_qc_drop(kept);
    }
    dc_qc_drop(high);
    return ok;
}

/* --- references ------------------------------------------------------------------------------ */

uint32_t dc_image_blocks(struct dc_reader *r, struct dc_store *store, struct dc_block **out,
                         uint32_t count_max)
{
    struct chain_view v;
    uint32_t count = 0;
    if (!read_chain(r, &v))
        return 0;
    for (uint32_t i = 0; i < v.known + 2 && count < count_max; i++) {
        struct dc_hash id = i == 0 ? v.final : i == 1 ? v.bearer : entry_id(&v, i - 2);
        struct dc_block *b = dc_hash_is_zero(&id) ? NULL : dc_store_find(store, &id);
        if (b != NULL)
            out[count++] = b;
    }
    return count;
}

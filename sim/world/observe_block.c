/* A block of the ledger when it first becomes final, as the invariants see it: with other eyes than
 * the nodes'.  Certificates are counted again, a sample of signatures verified and of blocks
 * executed without any memory.  Samples are drawn by height from the seed, never by load. */
#include "models/base/mem.h"
#include "models/ledger/state_impl.h"
#include "models/wire/evidence.h"
#include "models/wire/tx.h"
#include "sim/world/checks.h"
#include "sim/world/observer.h"

/* Real signatures cost 40 us each: a certificate's are verified with this over their number as
 * probability, so that a certificate costs 0.1 ms on the average however large the committee. */
#define CHECK_SIGNATURES 2
#define CHECK_NODES_AGAIN 16 /* a block is executed again with probability this / nodes */

void *world_check_add(struct check_list *l, size_t size)
{
    if (l->count == l->max) {
        l->max = l->max == 0 ? 64 : 2 * l->max;
        l->data = dc_mem_grow(l->data, l->max, size);
        DC_CHECK(l->data != NULL);
    }
    void *at = (char *)l->data + l->count++ * size;
    memset(at, 0, size);
    return at;
}

/* --- certificates ---------------------------------------------------------------------------- */

/* The first member of a drawn certificate whose signature fails; entry_bytes apart, the signature
 * last in each. */
static uint32_t check_signatures(struct ds_world *w, const struct dc_committee *c,
                                 struct ds_check_signed m, const uint8_t *bitmap,
                                 const uint8_t *entry, size_t entry_bytes)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        if ((bitmap[i / 8] >> i % 8 & 1) == 0)
            continue;
        const uint8_t *e = entry + at++ * entry_bytes;
        m.signer = c->member[i];
        m.signature = e + entry_bytes - DC_SIGNATURE_BYTES;
        if (m.kind == DS_CHECK_TIMEOUT)
            m.qc_round = dc_get64(e);
        if (!world_check_signature(w, c, &m))
            return i;
    }
    return UINT32_MAX;
}

static bool check_sampled(const struct ds_world *w, uint64_t height, uint64_t what, uint64_t num,
                          uint64_t of)
{
    uint64_t draw = dc_mix64(dc_mix64(w->scenario->seed ^ dc_name("checked")) ^ height * 8 ^ what);
    return num >= of || draw % of < num;
}

static void check_certificate(struct ds_world *w, const struct commit *c,
                              struct ds_check_certificate x, const struct ds_check_signed *what,
                              const uint8_t *entry, size_t entry_bytes)
{
    const struct dc_header *h = &c->block->header;
    const struct dc_committee *committee = dc_store_committee(w->store, c->block, x.epoch);
    struct ds_check_committee view;
    bool fits = committee != NULL && committee->count == x.members && committee->epoch == x.epoch;
    x.time_ns = c->time_ns;
    x.node = c->node;
    x.height = h->height;
    x.block_epoch = h->epoch;
    x.block_round = h->round;
    x.bad = UINT32_MAX;
    if (committee != NULL) {
        view = world_check_committee(committee);
        x.committee = &view;
    }
    if (fits && check_sampled(w, h->height, x.kind,
                              w->crypto.suite == DC_SUITE_REAL ? CHECK_SIGNATURES : x.signatures,
                              x.signatures))
        x.bad = check_signatures(w, committee, *what, x.bitmap, entry, entry_bytes);
    ds_checks_certificate(w->checks->checks, &x);
}

static void check_qc(struct ds_world *w, const struct commit *c, const struct dc_qc *q,
                     enum ds_check_certificate_kind kind, const struct dc_block *parent)
{
    struct ds_check_certificate x = {.kind = (uint8_t)kind,
                                     .epoch = q->epoch,
                                     .round = q->round,
                                     .members = q->members,
                                     .signatures = q->signatures,
                                     .bitmap = q->bitmap};
    if (kind == DS_CHECK_QC && parent != NULL && !dc_hash_is_zero(&q->commits)) {
        x.commits_given = true;
        x.commits_consecutive = parent->qc != NULL && parent->header.round == q->round &&
                                parent->qc->round + 1 == q->round &&
                                dc_hash_equal(&q->commits, &parent->header.parent);
    }
    struct ds_check_signed m = {.epoch = q->epoch,
                                .round = q->round,
                                .block = q->block,
                                .commits = q->commits,
                                .kind = DS_CHECK_VOTE};
    check_certificate(w, c, x, &m, q->signature, DC_SIGNATURE_BYTES);
}

static void check_tc(struct ds_world *w, const struct commit *c, const struct dc_tc *t)
{
    const struct dc_qc *q = c->block->qc;
    struct ds_check_certificate x = {.kind = DS_CHECK_TC,
                                     .epoch = t->epoch,
                                     .round = t->round,
                                     .members = t->members,
                                     .signatures = t->signatures,
                                     .bitmap = t->bitmap,
                                     .qc_round_max = t->qc_round_max,
                                     .qc_round = q != NULL ? q->round : 0};
    struct ds_check_signed m = {.epoch = t->epoch, .round = t->round, .kind = DS_CHECK_TIMEOUT};
    check_certificate(w, c, x, &m, t->entry, 8 + DC_SIGNATURE_BYTES);
}

/* --- blocks ---------------------------------------------------------------------------------- */

/* Executes the block once more on its parent's state, as its proposer did: nothing of that is
 * remembered anywhere. */
static void check_again(struct ds_world *w, const struct commit *c, struct dc_block *parent,
                        struct ds_check_block *x)
{
    struct dc_block *b = c->block;
    if (parent == NULL || parent->state == NULL ||
        !check_sampled(w, x->height, 7, CHECK_NODES_AGAIN, w->nodes))
        return;
    struct dc_block_parts parts = {
        .header = b->header, .qc = b->qc, .tc = b->tc, .handover = b->handover};
    bool *chosen = dc_mem_need((size_t)b->tx_count + 1, sizeof *chosen, "a block's transactions");
    x->again = true;
    x->again_valid = dc_store_build(w->store, parent, &parts, b->tx, b->tx_count, chosen, NULL);
    for (uint32_t i = 0; i < b->tx_count; i++)
        x->again_valid = x->again_valid && chosen[i];
    x->root_again = parts.header.state_root;
    dc_mem_free(chosen);
}

/* A heartbeat is worth 2^(-lag / h), lag being how far its sender was behind the chain when it was
 * due (models/README.md 5.2). */
static void check_heartbeat(struct ds_world *w, const struct dc_block *b,
                            const struct dc_block *parent, const struct dc_tx *tx,
                            struct ds_check_block *x)
{
    const struct world_checks *k = w->checks;
    if (tx->from >= dc_state_meta(parent->state)->accounts)
        return;
    const struct dc_tally *old = dc_state_tally(parent->state, tx->from);
    const struct dc_tally *now = dc_state_tally(b->state, tx->from);
    uint64_t due = now->last_due, at = due % CHECKS_RING;
    if (k->final_of[at] != due + 1)
        return;
    uint64_t final = k->final_height[at], f = tx->heartbeat.height;
    uint64_t lag = final > f + 3 ? final - f - 3 : 0;
    uint64_t worth = dc_q31_exp2_neg(lag, w->params.lag_halving);
    uint64_t credited =
        now->timeliness[0] + now->timeliness[1] - old->timeliness[0] - old->timeliness[1];
    if (credited == worth || x->credits_wrong++ != 0)
        return;
    x->credit.node = tx->from;
    x->credit.lag = lag;
    x->credit.worth = worth;
    x->credit.credited = credited;
}

/* Heartbeats (some of them, where there are many) and evidence. */
static void check_transactions(struct ds_world *w, const struct dc_block *b,
                               const struct dc_block *parent, struct ds_check_block *x)
{
    bool tallies = parent != NULL && parent->state != NULL && !x->first_of_epoch;
    uint32_t every = 1 + w->nodes / 64;
    for (uint32_t i = 0; i < b->tx_count; i++) {
        uint8_t kind = b->tx[i].size != 0 ? b->tx[i].bytes[0] : 0;
        bool heartbeat = kind == DC_TX_HEARTBEAT && tallies && (i + x->height) % every == 0;
        struct dc_tx tx;
        if ((!heartbeat && kind != DC_TX_EVIDENCE) ||
            !dc_tx_decode(b->tx[i].bytes, b->tx[i].size, &tx))
            continue;
        if (heartbeat) {
            check_heartbeat(w, b, parent, &tx, x);
            continue;
        }
        struct ds_check_offence o = {.account = tx.evidence.accused, .kind = tx.evidence.kind};
        if (dc_evidence_when(tx.evidence.kind, tx.evidence.proof, tx.evidence.proof_size, &o.epoch,
                             &o.round))
            *(struct ds_check_offence *)world_check_add(&w->checks->offence, sizeof o) = o;
    }
}

static void check_settled(struct world_checks *k, const struct dc_settled *s)
{
    struct ds_check_challenge *c = world_check_add(&k->settled, sizeof *c);
    c->node = s->node;
    c->asking = s->challenge.asking;
    c->epoch = s->challenge.epoch;
    c->height = s->challenge.height;
    c->verifiers = s->challenge.verifiers;
    c->outcome = s->verdict;
    for (uint32_t v = 0; v < s->challenge.verifiers; v++) {
        c->pass += s->challenge.verdict[v] == DC_VERDICT_PASS;
        c->fail += s->challenge.verdict[v] == DC_VERDICT_FAIL;
        c->late += s->challenge.verdict[v] == DC_VERDICT_LATE;
        c->silent += s->challenge.verdict[v] == DC_VERDICT_SILENT;
    }
}

static void check_outcome(struct ds_world *w, const struct dc_block *b, struct ds_check_block *x)
{
    struct world_checks *k = w->checks;
    const struct dc_outcome *o = b->outcome;
    for (uint32_t i = 0; i < o->slash_count; i++) {
        struct ds_check_slash *s = world_check_add(&k->slash, sizeof *s);
        *s = (struct ds_check_slash){.account = o->slash[i].node,
                                     .reason = o->slash[i].reason,
                                     .equivocation = o->slash[i].reason == DC_SLASH_EQUIVOCATION,
                                     .ejected = o->slash[i].ejected,
                                     .honest = !world_deviates(w, o->slash[i].node),
                                     .amount = o->slash[i].amount};
    }
    for (uint32_t i = 0; i < o->drawn_count; i++) {
        struct ds_check_challenge *c = world_check_add(&k->drawn, sizeof *c);
        const struct dc_account *a = dc_state_account(b->state, o->drawn[i]);
        c->node = o->drawn[i];
        c->asking = a->posync.challenge.asking;
        c->epoch = a->posync.challenge.epoch;
        c->height = a->posync.challenge.height;
        c->verifiers = a->posync.challenge.verifiers;
    }
    for (uint32_t i = 0; i < o->settled_count; i++)
        check_settled(k, &o->settled[i]);
    x->first_of_epoch = o->first_of_epoch && b->header.epoch > 0;
    x->rewards = x->first_of_epoch && o->reward != NULL;
    for (uint32_t i = 0; x->rewards && i < o->accounts; i++)
        x->reward_given += o->reward[i];
    x->reward_said = o->reward_validators + o->reward_services;
    x->issued = o->issued;
    x->fees = o->fees;
    x->reward_burned = o->burned;
}

static void check_ledger(struct ds_world *w, const struct commit *c, struct dc_block *parent)
{
    struct world_checks *k = w->checks;
    struct dc_block *b = c->block;
    const struct dc_header *h = &b->header;
    const struct dc_meta *meta = dc_state_meta(b->state);
    struct ds_check_block x = {.time_ns = c->time_ns,
                               .node = c->node,
                               .height = h->height,
                               .epoch = h->epoch,
                               .round = h->round,
                               .id = b->id,
                               .parent = h->parent,
                               .proposer = h->proposer,
                               .proposer_honest = !world_deviates(w, h->proposer),
                               .root_said = h->state_root,
                               .root_here = dc_state_root(b->state),
                               .conserved = dc_state_conserved(b->state),
                               .minted = meta->minted,
                               .burned = meta->burned,
                               .fund = meta->fund,
                               .escrow = meta->escrow};
    k->offence.count = k->slash.count = k->drawn.count = k->settled.count = 0;
    check_outcome(w, b, &x);
    check_transactions(w, b, parent, &x);
    world_check_pool(&k->image, b, parent, &x);
    check_again(w, c, parent, &x);
    x.offence = k->offence.data;
    x.offences = k->offence.count;
    x.slash = k->slash.data;
    x.slashes = k->slash.count;
    x.drawn = k->drawn.data;
    x.drawns = k->drawn.count;
    x.settled = k->settled.data;
    x.settleds = k->settled.count;
    w->observer->supply_breaks += !x.conserved;
    ds_checks_block(k->checks, &x);
    k->final_height[h->height % CHECKS_RING] = meta->final_height;
    k->final_of[h->height % CHECKS_RING] = h->height + 1;
}

void world_check_block(struct ds_world *w, const struct commit *c)
{
    const struct dc_block *b = c->block;
    uint64_t height = b->header.height, epoch = b->header.epoch;
    uint32_t blocks = w->params.epoch_blocks;
    struct dc_block *parent = height == 1 ? dc_store_genesis(w->store)
                                          : w->observer->row[(height - 1) % OBSERVE_ROWS].block;
    if (parent != NULL && !dc_hash_equal(&parent->id, &b->header.parent))
        parent = NULL;
    if (b->qc != NULL)
        check_qc(w, c, b->qc, DS_CHECK_QC, parent);
    if (b->handover != NULL)
        check_qc(w, c, b->handover->qc, DS_CHECK_HANDOVER, NULL);
    if (b->tc != NULL)
        check_tc(w, c, b->tc);
    if (b->state == NULL || b->outcome == NULL)
        return;
    check_ledger(w, c, parent);
    world_check_caught(w, c->time_ns);
    if (height == dc_epoch_last_height(epoch, blocks))
        world_check_remember(w, b, (epoch + 3) * blocks + 1, &w->checks->past[epoch % CHECKS_PAST]);
}

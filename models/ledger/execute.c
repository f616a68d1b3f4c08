#include "models/ledger/contract.h"

#include "models/crypto/vrf.h"
#include "models/ledger/vault_impl.h"

void *dc_list_add(struct dc_list *list, size_t element_bytes)
{
    if (list->count == list->max) {
        uint32_t max = list->max == 0 ? 16 : 2 * list->max;
        void *p = dc_mem_grow(list->data, max, element_bytes);
        DC_CHECK(p != NULL);
        list->data = p;
        list->max = max;
    }
    void *element = (uint8_t *)list->data + list->count++ * element_bytes;
    memset(element, 0, element_bytes);
    return element;
}

void dc_record_clear(struct dc_record *r)
{
    dc_mem_free(r->drawn.data);
    dc_mem_free(r->duty.data);
    dc_mem_free(r->demand.data);
    dc_mem_free(r->settled.data);
    dc_mem_free(r->slash.data);
    dc_mem_free(r->reward);
    dc_mem_free(r->posync);
    struct dc_record kept = {.bytes = sizeof *r};
    memcpy(kept.charge, r->charge, sizeof kept.charge);
    *r = kept;
}

void dc_record_free(struct dc_record *r)
{
    if (r == NULL)
        return;
    dc_record_clear(r);
    dc_mem_free(r);
}

const struct dc_block *dc_execute_block_at(struct dc_exec *e, uint64_t height)
{
    const struct dc_block *b = e->parent;
    if (height > b->header.height || b->header.height - height > DC_WINDOW_HEIGHTS)
        return NULL;
    while (b->header.height > height) {
        const struct dc_block *up = atomic_load(&b->parent);
        if (up == NULL)
            up = e->find(e->store, &b->header.parent);
        if (up == NULL) {
            e->unknown = true;
            return NULL;
        }
        b = up;
    }
    return b;
}

const struct dc_state *dc_execute_state_at(struct dc_exec *e, uint64_t height)
{
    const struct dc_block *b = dc_execute_block_at(e, height);
    if (b == NULL)
        return NULL;
    if (b->state == NULL)
        e->unknown = true;
    return b->state;
}

bool dc_execute_verify(struct dc_exec *e, const uint8_t key[32], const struct dc_hash *digest,
                       const uint8_t *signature)
{
    e->record->charge[DC_COST_VERIFY]++;
    return dc_verify(e->ledger->crypto, key, digest->b, sizeof digest->b, signature);
}

bool dc_execute_tx(struct dc_exec *e, const struct dc_tx_view *view)
{
    static bool (*const rule[DC_TX_COUNT])(struct dc_exec *, const struct dc_tx *) = {
        [DC_TX_TRANSFER] = dc_execute_transfer,   [DC_TX_BOND] = dc_execute_bond,
        [DC_TX_UNBOND] = dc_execute_unbond,       [DC_TX_REGISTER] = dc_execute_register,
        [DC_TX_RENEW] = dc_execute_renew,         [DC_TX_REVOKE] = dc_execute_revoke,
        [DC_TX_DEAL] = dc_execute_deal,           [DC_TX_RECEIPT] = dc_execute_receipt,
        [DC_TX_HEARTBEAT] = dc_execute_heartbeat, [DC_TX_VERDICT] = dc_execute_verdict,
        [DC_TX_ANSWER] = dc_execute_answer,       [DC_TX_EVIDENCE] = dc_execute_evidence,
        [DC_TX_VOTES] = dc_execute_votes,         [DC_TX_METER] = dc_execute_meter,
        [DC_TX_SHIELD] = dc_execute_shield,       [DC_TX_SHIELDED] = dc_execute_shielded,
        [DC_TX_CALL] = dc_execute_call,           [DC_TX_GRANT] = dc_execute_grant,
        [DC_TX_BEACON] = dc_execute_beacon,       [DC_TX_REGISTRAR] = dc_execute_registrar,
    };
    struct dc_tx tx;
    e->record->charge[DC_COST_TX]++;
    if (!dc_tx_decode(view->bytes, view->size, &tx))
        return false;
    if (!dc_tx_signed(&tx)) {
        e->record->charge[DC_COST_HASH] += 1 + view->size / 128;
        return rule[tx.kind](e, &tx);
    }
    const uint8_t *key = dc_state_signer(e->state, &tx, e->header->height);
    if (key == NULL)
        return false;
    e->record->charge[DC_COST_HASH] += 1 + view->size / 128;
    struct dc_hash digest =
        dc_tx_digest(e->ledger->chain, view->bytes, view->size - DC_SIGNATURE_BYTES);
    return dc_execute_verify(e, key, &digest, tx.signature) && rule[tx.kind](e, &tx);
}

/* --- header and certificates --------------------------------------------------------------- */

static bool execute_certificate_form(const struct dc_exec *e, bool first)
{
    const struct dc_header *h = e->header;
    if (first) {
        if (e->qc != NULL || h->round == 0 || (h->epoch > 0) != (e->handover != NULL))
            return false;
        return e->handover == NULL || (dc_hash_equal(&e->handover->last, &h->parent) &&
                                       e->handover->height == e->parent->header.height &&
                                       e->handover->epoch + 1 == h->epoch);
    }
    return e->qc != NULL && e->handover == NULL && e->qc->epoch == h->epoch &&
           e->qc->round == e->parent->header.round && e->qc->round < h->round &&
           dc_hash_equal(&e->qc->block, &h->parent) &&
           (dc_hash_is_zero(&e->qc->commits) ||
            (e->parent->qc != NULL &&
             (e->parent->qc->round + 1 == e->qc->round || DC_MUTANT(e->p, COMMIT_GAP)) &&
             dc_hash_equal(&e->qc->commits, &e->parent->header.parent)));
}

void dc_execute_luck(const struct dc_exec *e, uint8_t value[8])
{
    uint32_t lucks = e->ledger->lucks;
    while (lucks > 0 && e->ledger->luck[lucks - 1].from > e->header->height)
        lucks--;
    if (lucks > 0)
        dc_put64(value, dc_get64(value) ^ e->ledger->luck[lucks - 1].key);
}

/* Everything about the header that needs no execution but the VRF, which gives R (or nothing, where
 * holders give it). */
static bool execute_header(struct dc_exec *e, struct dc_hash *beacon)
{
    const struct dc_header *h = e->header, *up = &e->parent->header;
    uint64_t epoch = dc_height_epoch(h->height, e->p->epoch_blocks);
    bool first = h->height == epoch * e->p->epoch_blocks + 1;
    if (h->seal || h->height != up->height + 1 || h->epoch != epoch ||
        !dc_hash_equal(&h->parent, &e->parent->id) || h->timestamp_ns <= up->timestamp_ns ||
        !execute_certificate_form(e, first))
        return false;
    e->committee = e->before->committee[first && epoch > 0 ? 0 : 1];
    DC_CHECK(e->committee->epoch == epoch);
    e->member = dc_committee_leader(e->committee, h->round);
    if (e->member == UINT32_MAX || e->committee->member[e->member] != h->proposer)
        return false;
    uint8_t alpha[40], output[DC_VRF_OUTPUT_BYTES], text[32 + DC_VRF_OUTPUT_BYTES];
    dc_store_vrf_alpha(&up->beacon, h->round, alpha);
    e->record->charge[DC_COST_VRF_VERIFY]++;
    if (!dc_vrf_check(e->ledger->crypto, e->committee->vrf_key[e->member], alpha, sizeof alpha,
                      h->vrf, output))
        return false;
    if (e->p->beacon == DC_BEACON_THRESHOLD) {
        *beacon = up->beacon; /* changes by transactions alone (execute_holders.c) */
        return true;
    }
    memcpy(text, up->beacon.b, 32);
    memcpy(text + 32, output, sizeof output);
    dc_execute_luck(e, text + 32);
    *beacon = dc_hash_bytes(DC_DOMAIN_BEACON, text, sizeof text);
    return true;
}

static void execute_count_votes(struct dc_state *s, const struct dc_qc *qc)
{
    struct dc_work *w = dc_state_work_edit(s);
    w->certificates++;
    for (uint32_t i = 0; i < w->members && i < qc->members; i++)
        w->member[i].votes += qc->bitmap[i / 8] >> i % 8 & 1;
}

/* Leaders of the rounds since the parent's: those that gave no block were not timely. */
#define EXECUTE_SKIPPED_MAX 64
static void execute_rounds(struct dc_exec *e, bool first)
{
    struct dc_work *w = dc_state_work_edit(e->state);
    uint64_t from = first ? 1 : e->parent->header.round + 1, round = e->header->round;
    if (round - from > EXECUTE_SKIPPED_MAX)
        from = round - EXECUTE_SKIPPED_MAX;
    for (; from < round; from++)
        w->member[dc_committee_leader(e->committee, from)].led++;
    w->member[e->member].led++;
    w->member[e->member].timely++;
}

/* What comes before the transactions. */
static void execute_begin(struct dc_exec *e, const struct dc_hash *beacon)
{
    struct dc_state *s = e->state = dc_state_begin(e->before);
    const struct dc_header *h = e->header;
    bool first = h->epoch != e->before->meta.epoch || h->height == 1;
    s->meta.height = h->height;
    s->meta.beacon = *beacon;
    if (e->handover != NULL) {
        s->meta.final_height = e->handover->height;
        execute_count_votes(s, e->handover->qc);
        dc_epoch_turn(e);
        e->record->outcome.first_of_epoch = true;
    } else if (e->qc != NULL) {
        execute_count_votes(s, e->qc);
        if (!dc_hash_is_zero(&e->qc->commits) && s->meta.final_height < h->height - 2)
            s->meta.final_height = h->height - 2;
    }
    execute_rounds(e, first);
    uint64_t opened = h->height - 2; /* late votes for this height count from now on */
    if (h->height >= 2)
        memset(s->work->late +
                   opened % DC_LATE_VOTE_HEIGHTS * dc_work_bitmap_bytes(s->work->members),
               0, dc_work_bitmap_bytes(s->work->members));
}

/* Transactions with proofs take milliseconds each, so they are counted. */
static bool execute_proves(const struct dc_tx_view *tx)
{
    return tx->size != 0 && (tx->bytes[0] == DC_TX_SHIELDED || tx->bytes[0] == DC_TX_CALL);
}

/* Whether one more fits. */
static bool execute_fits(const struct dc_exec *e, const struct dc_tx_view *tx, uint64_t *bytes,
                         uint32_t *proofs)
{
    bool proof = execute_proves(tx);
    if (*bytes + tx->size > e->p->block_bytes_max || *proofs + proof > DC_BLOCK_PROOFS_MAX)
        return false;
    *bytes += tx->size;
    *proofs += proof;
    return true;
}

/* False when a transaction breaks a rule (never when choosing). */
static bool execute_transactions(struct dc_exec *e, const struct dc_tx_view *tx, uint32_t count,
                                 bool *chosen, struct dc_hash *tx_root)
{
    uint64_t bytes = 0;
    uint32_t proofs = 0, tried = 0;
    if (chosen == NULL) {
        for (uint32_t i = 0; i < count; i++)
            if (!execute_fits(e, &tx[i], &bytes, &proofs) || !dc_execute_tx(e, &tx[i]))
                return false;
        *tx_root = dc_tx_root(tx, count);
    } else {
        struct dc_tx_view *kept = dc_mem_need(count, sizeof *kept, "a proposal");
        uint32_t n = 0;
        for (uint32_t i = 0; i < count; i++) {
            uint64_t with = bytes;
            uint32_t with_proofs = proofs;
            tried += execute_proves(&tx[i]); /* those that are wrong cost as much */
            chosen[i] = execute_fits(e, &tx[i], &with, &with_proofs) &&
                        (tried <= 2 * DC_BLOCK_PROOFS_MAX || !execute_proves(&tx[i])) &&
                        dc_execute_tx(e, &tx[i]);
            if (!chosen[i])
                continue;
            bytes = with;
            proofs = with_proofs;
            kept[n++] = tx[i];
        }
        *tx_root = dc_tx_root(kept, n);
        dc_mem_free(kept);
    }
    e->tx_bytes = bytes;
    e->record->charge[DC_COST_HASH] += (uint32_t)(bytes / 128) + 1;
    return !e->unknown;
}

static uint64_t execute_copied(const struct dc_ledger *l)
{
    return l->accounts.copied + l->deals.copied + l->tallies.copied + l->reports.copied +
           dc_vault_forests_copied(l);
}

/* Points the outcome at its lists and adds what they cost in memory. */
static void execute_publish(struct dc_record *r)
{
    struct dc_outcome *o = &r->outcome;
    o->drawn_count = r->drawn.count;
    o->drawn = r->drawn.data;
    o->duty_count = r->duty.count;
    o->duty = r->duty.data;
    o->demand_count = r->demand.count;
    o->demand = r->demand.data;
    o->settled_count = r->settled.count;
    o->settled = r->settled.data;
    o->slash_count = r->slash.count;
    o->slash = r->slash.data;
    o->reward = r->reward;
    o->record = r->posync;
    r->bytes += sizeof *r + r->drawn.max * 4 + r->duty.max * 8 + r->demand.max * 4 +
                r->settled.max * sizeof *o->settled + r->slash.max * sizeof *o->slash;
}

enum dc_execute_result dc_execute(struct dc_exec *e, const struct dc_tx_view *tx, uint32_t count,
                                  bool *chosen, struct dc_header *fill)
{
    e->record = dc_mem_need(1, sizeof *e->record, "an outcome");
    struct dc_hash beacon, tx_root, committee_root = {{0}};
    if (!execute_header(e, &beacon))
        return DC_EXECUTE_INVALID;
    uint64_t copied = execute_copied(e->ledger);
    execute_begin(e, &beacon);
    dc_contract_turns(e);
    bool valid = execute_transactions(e, tx, count, chosen, &tx_root);
    if (valid) {
        dc_challenge_demands(e);
        dc_challenge_draw(e);
        dc_assign_load(e);
        e->record->charge[DC_COST_HASH] += dc_state_commit(e->state);
        e->record->charge[DC_COST_LEAF] += (uint32_t)(execute_copied(e->ledger) - copied);
        if (e->header->height == dc_epoch_last_height(e->header->epoch, e->p->epoch_blocks))
            committee_root = e->state->committee[0]->root;
        if (fill != NULL) {
            fill->beacon = e->state->meta.beacon;
            fill->state_root = e->state->root;
            fill->tx_root = tx_root;
            fill->committee_root = committee_root;
        } else {
            valid = dc_hash_equal(&e->header->beacon, &e->state->meta.beacon) &&
                    dc_hash_equal(&e->header->state_root, &e->state->root) &&
                    dc_hash_equal(&e->header->tx_root, &tx_root) &&
                    dc_hash_equal(&e->header->committee_root, &committee_root);
        }
    }
    if (valid && !e->unknown) {
        execute_publish(e->record);
        return DC_EXECUTE_VALID;
    }
    dc_state_drop(e->state);
    e->state = NULL;
    return e->unknown ? DC_EXECUTE_UNKNOWN : DC_EXECUTE_INVALID;
}

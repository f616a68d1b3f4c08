#include "models/ledger/contract.h"
#include "models/ledger/vault_impl.h"
#include "models/privacy/transfer.h"

/* Notes: money goes in by SHIELD, in the open, and from hand to hand and out by SHIELDED, of which
 * only fee, what leaves, and two rings are in the open.  Both pay at least fee_private: notes and
 * images are kept for ever.  models/README.md 13. */

static bool shielded_room(const struct dc_vault_meta *v, uint32_t notes)
{
    return v->notes < DC_NOBODY - notes;
}

bool dc_execute_shield(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    struct dc_stealth_output to;
    uint64_t whole;
    memcpy(&to, tx->shield.address, sizeof to);
    if (!dc_execute_certified(e, from) || !dc_execute_nonce_free(from, tx->shield.nonce) ||
        tx->shield.amount == 0 || tx->shield.fee < e->p->fee_private ||
        __builtin_add_overflow(tx->shield.amount, tx->shield.fee, &whole) ||
        whole > from->balance || !shielded_room(dc_state_vault(e->state), 1))
        return false;
    e->record->charge[DC_COST_POINT]++;
    if (!dc_transfer_address_valid(&to))
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    dc_execute_nonce_use(a, tx->shield.nonce);
    a->balance -= whole;
    struct dc_meta *m = &e->state->meta;
    m->fees = dc_add_money(m->fees, tx->shield.fee);
    m->escrow = dc_add_money(m->escrow, tx->shield.fee);
    struct dc_vault_meta *v = dc_state_vault_edit(e->state);
    v->pool = dc_add_money(v->pool, tx->shield.amount);
    struct dc_vault_note *note = dc_state_note_append(e->state);
    memcpy(note->key, to.key, 32);
    memcpy(note->ephemeral, to.ephemeral, 32);
    note->view_tag = to.view_tag;
    note->minted = 1;
    dc_put64(note->amount, tx->shield.amount);
    dc_transfer_mint(tx->shield.amount, note->commitment);
    return true;
}

/* The rings as the state has them: false when a member is not there or too young to be final by
 * then everywhere, so that a ring stays what it was when it was made. */
static bool shielded_rings(const struct dc_exec *e, const struct dc_transfer *t,
                           struct dc_ring_member *member)
{
    for (uint32_t i = 0; i < t->inputs; i++)
        for (uint32_t k = 0; k < t->ring; k++) {
            const struct dc_vault_note *note = dc_state_note(e->state, dc_transfer_member(t, i, k));
            if (note == NULL || note->height + e->p->note_age > e->header->height)
                return false;
            memcpy(member->key, note->key, 32);
            memcpy(member->commitment, note->commitment, 32);
            member++;
        }
    return true;
}

/* Everything but the proofs. */
static bool shielded_may(const struct dc_exec *e, const struct dc_transfer *t,
                         struct dc_ring_member *member)
{
    const struct dc_vault_meta *v = dc_state_vault(e->state);
    if (t->ring != e->p->ring || t->fee < e->p->fee_private || t->fee + t->unshield > v->pool ||
        !shielded_room(v, t->outputs) ||
        (t->unshield != 0 && dc_state_account(e->state, t->to) == NULL))
        return false;
    for (uint32_t i = 0; i < t->inputs; i++)
        if (dc_state_image_known(e->state, t->input[i].image))
            return false;
    return shielded_rings(e, t, member);
}

static void shielded_apply(struct dc_exec *e, const struct dc_transfer *t)
{
    for (uint32_t i = 0; i < t->inputs; i++)
        DC_CHECK(dc_state_image_add(e->state, t->input[i].image));
    for (uint32_t i = 0; i < t->outputs; i++) {
        const struct dc_transfer_output *o = &t->output[i];
        struct dc_vault_note *note = dc_state_note_append(e->state);
        memcpy(note->key, o->to.key, 32);
        memcpy(note->commitment, o->commitment, 32);
        memcpy(note->ephemeral, o->to.ephemeral, 32);
        memcpy(note->amount, o->amount, 8);
        note->view_tag = o->to.view_tag;
    }
    struct dc_vault_meta *v = dc_state_vault_edit(e->state);
    v->pool = dc_sub_money(v->pool, t->fee + t->unshield);
    struct dc_meta *m = &e->state->meta;
    m->fees = dc_add_money(m->fees, t->fee);
    m->escrow = dc_add_money(m->escrow, t->fee);
    if (t->unshield != 0) {
        struct dc_account *a = dc_state_edit(e->state, t->to);
        a->balance = dc_add_money(a->balance, t->unshield);
    }
}

bool dc_execute_shielded(struct dc_exec *e, const struct dc_tx *tx)
{
    struct dc_transfer t;
    struct dc_ring_member member[DC_TRANSFER_INPUTS_MAX * DC_RING_MAX];
    uint8_t statement[DC_TRANSFER_STATEMENT_BYTES_MAX];
    if (tx->from != DC_NOBODY || tx->shielded.size > DC_TRANSFER_BYTES_MAX ||
        !dc_transfer_decode(tx->shielded.body, tx->shielded.size, &t) ||
        !shielded_may(e, &t, member))
        return false;
    uint32_t members = (uint32_t)t.inputs * t.ring;
    size_t size = dc_transfer_statement(e->ledger->chain, tx->shielded.body, tx->shielded.size,
                                        member, members, statement);
    e->record->charge[DC_COST_RANGE_VERIFY] += t.outputs;
    e->record->charge[DC_COST_RING_VERIFY] += members;
    e->record->charge[DC_COST_HASH] += (uint32_t)(size / 128) + 1;
    if (!dc_execute_proof(e, DC_DOMAIN_SHIELDED, statement, size, dc_transfer_check))
        return false;
    shielded_apply(e, &t);
    return true;
}

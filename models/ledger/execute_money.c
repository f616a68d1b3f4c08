#include "models/ledger/execute.h"

#include "models/ledger/vault_impl.h"

/* Transactions that move money or change who is who.  models/README.md 2, 9. */

bool dc_execute_certified(const struct dc_exec *e, const struct dc_account *a)
{
    return !a->revoked && a->valid_from <= e->header->height && e->header->height < a->valid_to;
}

bool dc_execute_nonce_free(const struct dc_account *a, uint64_t nonce)
{
    if (nonce >= a->nonce)
        return nonce != UINT64_MAX;
    uint64_t behind = a->nonce - 1 - nonce;
    return behind < 64 && !(a->nonce_used >> behind & 1);
}

void dc_execute_nonce_use(struct dc_account *a, uint64_t nonce)
{
    if (nonce >= a->nonce) {
        uint64_t shift = nonce - a->nonce + 1;
        a->nonce_used = (shift >= 64 ? 0 : a->nonce_used << shift) | 1;
        a->nonce = nonce + 1;
    } else {
        a->nonce_used |= (uint64_t)1 << (a->nonce - 1 - nonce);
    }
}

bool dc_execute_transfer(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    uint64_t whole;
    if (!dc_execute_certified(e, from) || !dc_execute_nonce_free(from, tx->transfer.nonce) ||
        tx->transfer.to == tx->from || dc_state_account(e->state, tx->transfer.to) == NULL ||
        __builtin_add_overflow(tx->transfer.amount, tx->transfer.fee, &whole) ||
        whole > from->balance)
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    dc_execute_nonce_use(a, tx->transfer.nonce);
    a->balance -= whole;
    a = dc_state_edit(e->state, tx->transfer.to);
    a->balance = dc_add_money(a->balance, tx->transfer.amount);
    struct dc_meta *m = &e->state->meta;
    m->fees = dc_add_money(m->fees, tx->transfer.fee);
    m->escrow = dc_add_money(m->escrow, tx->transfer.fee);
    return true;
}

static uint64_t money_bond_min(const struct dc_params *p, uint32_t roles)
{
    uint64_t min = 0;
    if (roles & DC_ROLE_VALIDATOR)
        min = p->bond_min_validator;
    if (roles & DC_ROLES_SERVICE && p->bond_min_service > min)
        min = p->bond_min_service;
    return min;
}

/* After it the bond is at least the role's minimum: who unbonded all, or was slashed below it, does
 * not come back for less. */
bool dc_execute_bond(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    if (!dc_execute_certified(e, from) || !dc_execute_nonce_free(from, tx->bond.nonce) ||
        !(from->roles & (DC_ROLE_VALIDATOR | DC_ROLES_SERVICE)) || from->posync.ejected ||
        tx->bond.amount > from->balance || tx->bond.lock_tier < from->lock_tier ||
        dc_add_money(from->bond, tx->bond.amount) < money_bond_min(e->p, from->roles))
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    dc_execute_nonce_use(a, tx->bond.nonce);
    a->balance -= tx->bond.amount;
    a->bond = dc_add_money(a->bond, tx->bond.amount);
    a->lock_tier = tx->bond.lock_tier;
    return true;
}

/* What a node's running deals have reserved on it: the bond stands for all of that, whatever is
 * paid for just now.  Walks its deals: rare. */
static uint64_t money_reserved(const struct dc_exec *e, const struct dc_account *node)
{
    uint64_t bytes = 0;
    for (uint32_t at = node->deal_last; at != DC_DEAL_NONE;) {
        const struct dc_deal *d = dc_state_deal(e->state, at);
        if (d->end_epoch > e->header->epoch)
            bytes += d->size_bytes;
        at = d->prev;
    }
    return bytes;
}

bool dc_execute_unbond(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    if (!dc_execute_nonce_free(from, tx->bond.nonce) || from->posync.ejected ||
        tx->bond.amount == 0 || tx->bond.amount > from->bond ||
        tx->bond.lock_tier != from->lock_tier)
        return false;
    struct dc_account left = *from;
    left.bond -= tx->bond.amount;
    if ((left.bond != 0 && left.bond < money_bond_min(e->p, from->roles)) ||
        dc_state_capacity(e->p, &left) < money_reserved(e, from))
        return false;
    uint64_t release = e->header->epoch + dc_unbonding_epochs(e->p, from);
    uint32_t slot = DC_UNBONDING_MAX;
    for (uint32_t i = DC_UNBONDING_MAX; i-- > 0;)
        if (from->unbonding[i].amount == 0 || from->unbonding[i].release_epoch == release)
            slot = i;
    if (slot == DC_UNBONDING_MAX)
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    dc_execute_nonce_use(a, tx->bond.nonce);
    a->bond = left.bond;
    a->unbonding[slot].amount = dc_add_money(a->unbonding[slot].amount, tx->bond.amount);
    a->unbonding[slot].release_epoch = release;
    return true;
}

/* The certificate of REGISTER and RENEW: by a registrar that is current; valid now, with keys that are
 * points. */
static bool money_certificate(struct dc_exec *e, const struct dc_tx *tx, struct dc_cert *cert)
{
    const struct dc_trust trust = dc_state_trust(e->state);
    e->record->charge[DC_COST_VERIFY] += tx->reg.certificate_size > DC_CERT_BYTES ? 3 : 2;
    return tx->reg.region < e->ledger->regions &&
           dc_trust_check(e->ledger->crypto, &trust, tx->reg.certificate, tx->reg.certificate_size,
                          e->header->height, 0, cert) == DC_CERT_OK &&
           dc_key_is_valid(cert->signing) && dc_key_is_valid(cert->vrf);
}

static void money_identity(struct dc_account *a, const struct dc_tx *tx, const struct dc_cert *cert)
{
    memcpy(a->sign_key, cert->signing, 32);
    memcpy(a->vrf_key, cert->vrf, 32);
    a->serial = cert->serial;
    a->valid_from = cert->from_height;
    a->valid_to = cert->end_height;
    a->region = tx->reg.region;
    a->capacity_bytes = tx->reg.capacity_bytes;
    a->filler_root = tx->reg.filler_root;
}

/* `from` pays the newcomer's bond. */
bool dc_execute_register(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    struct dc_cert cert;
    if (!dc_execute_certified(e, from) || !dc_execute_nonce_free(from, tx->reg.nonce) ||
        tx->reg.bond > from->balance || e->state->meta.accounts == UINT32_MAX - 1 ||
        !money_certificate(e, tx, &cert) || tx->reg.bond < money_bond_min(e->p, cert.roles) ||
        (!(cert.roles & DC_ROLES_SERVICE) && tx->reg.capacity_bytes != 0))
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    dc_execute_nonce_use(a, tx->reg.nonce);
    a->balance -= tx->reg.bond;
    a = dc_state_append(e->state);
    money_identity(a, tx, &cert);
    a->bond = tx->reg.bond;
    a->roles = cert.roles;
    a->joined = e->header->height;
    a->posync.score = e->p->score_newcomer;
    a->posync.proved = DC_ONE;
    e->state->meta.validators += (cert.roles & DC_ROLE_VALIDATOR) != 0;
    e->state->meta.services += (cert.roles & DC_ROLES_SERVICE) != 0;
    return true;
}

/* New keys, validity, region and capacity; the roles stay.  Committees that are drawn keep the old
 * key; everything else asks for the new one from here on. */
bool dc_execute_renew(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    struct dc_cert cert;
    if (from->revoked || from->posync.ejected || !dc_execute_nonce_free(from, tx->reg.nonce) ||
        tx->reg.bond != 0 || tx->reg.capacity_bytes / DC_CHUNK_BYTES < from->used_chunks ||
        !money_certificate(e, tx, &cert) || cert.subject != tx->from || cert.roles != from->roles ||
        (!(cert.roles & DC_ROLES_SERVICE) && tx->reg.capacity_bytes != 0))
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    dc_execute_nonce_use(a, tx->reg.nonce);
    money_identity(a, tx, &cert);
    return true;
}

/* By a registrar, whose signature has been checked (dc_state_signer); nonces in sequence, of each.
 * Walks the accounts: rare. */
bool dc_execute_revoke(struct dc_exec *e, const struct dc_tx *tx)
{
    struct dc_state *s = e->state;
    const struct dc_registrars *r = &dc_state_vault(s)->registrars;
    uint32_t at = dc_registrars_find(r, tx->revoke.registrar);
    bool listed = tx->from == DC_REGISTRAR && at < r->count;
    if ((tx->from != DC_NOBODY && !listed) ||
        tx->revoke.nonce != (listed ? r->list[at].nonce : s->meta.registrar_nonce))
        return false;
    bool found = false;
    for (uint32_t id = 0; id < s->meta.accounts; id++) {
        const struct dc_account *a = dc_state_account(s, id);
        if (a->serial != tx->revoke.serial || a->revoked)
            continue;
        dc_state_edit(s, id)->revoked = 1;
        found = true;
    }
    if (!listed)
        s->meta.registrar_nonce += found;
    else if (found)
        dc_state_vault_edit(s)->registrars.list[at].nonce++;
    return found;
}

/* By the root, whose signature has been checked; nonces in sequence. */
bool dc_execute_registrar(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_trust trust = dc_state_trust(e->state);
    struct dc_registrars next = *trust.registrars;
    if (tx->from != DC_NOBODY || tx->registrar.nonce != next.changes++)
        return false;
    e->record->charge[DC_COST_VERIFY] += tx->registrar.certificate != NULL;
    if (tx->registrar.certificate != NULL
            ? !dc_registrars_add(e->ledger->crypto, &trust, tx->registrar.certificate,
                                 e->header->height, &next)
            : !dc_registrars_revoke(&trust, tx->registrar.revoked, e->header->height, &next))
        return false;
    dc_state_vault_edit(e->state)->registrars = next;
    return true;
}

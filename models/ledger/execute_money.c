#include "models/ledger/execute.h"

#include "models/wire/service_msg.h"

/* Transactions that move money or change who is who.  models/README.md 2, 9, 10. */

static bool money_certified(const struct dc_exec *e, const struct dc_account *a)
{
    return !a->revoked && a->valid_from <= e->header->height && e->header->height < a->valid_to;
}

/* A nonce is used once.  They may come out of order, up to 64 below the highest. */
static bool money_nonce_free(const struct dc_account *a, uint64_t nonce)
{
    if (nonce >= a->nonce)
        return nonce != UINT64_MAX;
    uint64_t behind = a->nonce - 1 - nonce;
    return behind < 64 && !(a->nonce_used >> behind & 1);
}

static void money_nonce_use(struct dc_account *a, uint64_t nonce)
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
    if (!money_certified(e, from) || !money_nonce_free(from, tx->transfer.nonce) ||
        tx->transfer.to == tx->from || dc_state_account(e->state, tx->transfer.to) == NULL ||
        __builtin_add_overflow(tx->transfer.amount, tx->transfer.fee, &whole) ||
        whole > from->balance)
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    money_nonce_use(a, tx->transfer.nonce);
    a->balance -= whole;
    a = dc_state_edit(e->state, tx->transfer.to);
    a->balance = dc_add_money(a->balance, tx->transfer.amount);
    struct dc_meta *m = &e->state->meta;
    m->fees = dc_add_money(m->fees, tx->transfer.fee);
    m->escrow = dc_add_money(m->escrow, tx->transfer.fee);
    return true;
}

bool dc_execute_bond(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    if (!money_certified(e, from) || !money_nonce_free(from, tx->bond.nonce) ||
        !(from->roles & (DC_ROLE_VALIDATOR | DC_ROLES_SERVICE)) || from->posync.ejected ||
        tx->bond.amount > from->balance || tx->bond.lock_tier < from->lock_tier)
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    money_nonce_use(a, tx->bond.nonce);
    a->balance -= tx->bond.amount;
    a->bond = dc_add_money(a->bond, tx->bond.amount);
    a->lock_tier = tx->bond.lock_tier;
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

/* The bond has weight up to epoch e + 2 (committees are drawn three epochs ahead); then the delay
 * begins, longer by as many times as the lock tier multiplied its power. */
bool dc_execute_unbond(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    if (!money_nonce_free(from, tx->bond.nonce) || from->posync.ejected || tx->bond.amount == 0 ||
        tx->bond.amount > from->bond || tx->bond.lock_tier != from->lock_tier)
        return false;
    struct dc_account left = *from;
    left.bond -= tx->bond.amount;
    if ((left.bond != 0 && left.bond < money_bond_min(e->p, from->roles)) ||
        dc_state_capacity(e->p, &left) < from->used_bytes)
        return false;
    uint64_t release =
        e->header->epoch + 2 + (uint64_t)e->p->unbonding_epochs * (1 + (uint64_t)from->lock_tier);
    uint32_t slot = DC_UNBONDING_MAX;
    for (uint32_t i = DC_UNBONDING_MAX; i-- > 0;)
        if (from->unbonding[i].amount == 0 || from->unbonding[i].release_epoch == release)
            slot = i;
    if (slot == DC_UNBONDING_MAX)
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    money_nonce_use(a, tx->bond.nonce);
    a->bond = left.bond;
    a->unbonding[slot].amount = dc_add_money(a->unbonding[slot].amount, tx->bond.amount);
    a->unbonding[slot].release_epoch = release;
    return true;
}

/* The certificate of REGISTER and RENEW: the registrar's, valid now, with keys that are points. */
static bool money_certificate(struct dc_exec *e, const struct dc_tx *tx, struct dc_cert *cert)
{
    e->record->charge[DC_COST_VERIFY] += 2;
    return dc_cert_decode(tx->reg.certificate, tx->reg.certificate_size, cert) &&
           cert->level == DC_CERT_NODE && tx->reg.region < e->ledger->regions &&
           dc_cert_verify(e->ledger->crypto, cert, e->ledger->chain, e->ledger->registrar_key,
                          e->header->height, 0) == DC_CERT_OK &&
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
    if (!money_certified(e, from) || !money_nonce_free(from, tx->reg.nonce) ||
        tx->reg.bond > from->balance || e->state->meta.accounts == UINT32_MAX - 1 ||
        !money_certificate(e, tx, &cert) || tx->reg.bond < money_bond_min(e->p, cert.roles) ||
        (!(cert.roles & DC_ROLES_SERVICE) && tx->reg.capacity_bytes != 0))
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    money_nonce_use(a, tx->reg.nonce);
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
    if (from->revoked || from->posync.ejected || !money_nonce_free(from, tx->reg.nonce) ||
        tx->reg.bond != 0 || tx->reg.capacity_bytes / DC_CHUNK_BYTES < from->used_chunks ||
        !money_certificate(e, tx, &cert) || cert.subject != tx->from || cert.roles != from->roles ||
        (!(cert.roles & DC_ROLES_SERVICE) && tx->reg.capacity_bytes != 0))
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    money_nonce_use(a, tx->reg.nonce);
    money_identity(a, tx, &cert);
    return true;
}

/* By the registrar, from = UINT32_MAX, nonces in sequence.  Walks the accounts: rare. */
bool dc_execute_revoke(struct dc_exec *e, const struct dc_tx *tx)
{
    struct dc_state *s = e->state;
    if (tx->from != UINT32_MAX || tx->revoke.nonce != s->meta.registrar_nonce)
        return false;
    bool found = false;
    for (uint32_t id = 0; id < s->meta.accounts; id++) {
        const struct dc_account *a = dc_state_account(s, id);
        if (a->serial != tx->revoke.serial || a->revoked)
            continue;
        dc_state_edit(s, id)->revoked = 1;
        found = true;
    }
    s->meta.registrar_nonce += found;
    return found;
}

bool dc_execute_deal(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    const struct dc_account *node = dc_state_account(e->state, tx->deal.node);
    uint64_t whole, size = tx->deal.size_bytes, epochs = tx->deal.epochs;
    if (!money_certified(e, from) || !money_nonce_free(from, tx->deal.nonce) || node == NULL ||
        tx->deal.node == tx->from || !dc_account_may(node, e->header->height, DC_ROLE_STORAGE) ||
        size == 0 || epochs == 0 || e->state->meta.deals == DC_DEAL_NONE)
        return false;
    uint64_t room = dc_state_capacity(e->p, node) / DC_CHUNK_BYTES;
    if (size > room * DC_CHUNK_BYTES || node->used_chunks > room ||
        (size + DC_CHUNK_BYTES - 1) / DC_CHUNK_BYTES > room - node->used_chunks ||
        tx->deal.price < dc_muldiv(e->p->price_gib_epoch, size, (uint64_t)1 << 30) ||
        __builtin_mul_overflow(tx->deal.price, epochs, &whole) || whole > from->balance)
        return false;
    struct dc_put_terms terms = {tx->deal.nonce,  size,         tx->deal.price, tx->deal.node,
                                 tx->deal.epochs, tx->deal.root};
    struct dc_hash digest = dc_deal_digest(e->ledger->chain, tx->from, &terms);
    e->record->charge[DC_COST_HASH]++;
    if (!dc_execute_verify(e, node->sign_key, &digest, tx->deal.node_signature))
        return false;
    struct dc_account *a = dc_state_edit(e->state, tx->from);
    money_nonce_use(a, tx->deal.nonce);
    a->balance -= whole;
    e->state->meta.escrow = dc_add_money(e->state->meta.escrow, whole);
    dc_state_deal_append(e->state, (struct dc_deal){.client = tx->from,
                                                    .node = tx->deal.node,
                                                    .size_bytes = size,
                                                    .price = tx->deal.price,
                                                    .end_epoch = e->header->epoch + epochs,
                                                    .root = tx->deal.root});
    return true;
}

/* The report of `client` in the node's chain of this epoch's reports, or DC_REPORT_NONE. */
static uint32_t money_report_find(const struct dc_state *s, uint32_t client, uint32_t node)
{
    uint32_t at = dc_state_tally(s, node)->report;
    while (at != DC_REPORT_NONE) {
        const struct dc_report *r = dc_tree_get(&s->reports, at);
        if (r->client == client)
            return at;
        at = r->prev;
    }
    return DC_REPORT_NONE;
}

/* A report on the epoch before, cumulative: what it says beyond the last one is paid.  Only that
 * epoch's are taken, so that none can be replayed when the reports are forgotten at its end. */
bool dc_execute_receipt(struct dc_exec *e, const struct dc_tx *tx)
{
    struct dc_state *s = e->state;
    const struct dc_account *from = dc_state_account(s, tx->from);
    const struct dc_account *node = dc_state_account(s, tx->receipt.node);
    if (!money_certified(e, from) || node == NULL || tx->receipt.node == tx->from ||
        !dc_account_may(node, e->header->height, DC_ROLES_SERVICE) ||
        tx->receipt.epoch + 1 != e->header->epoch)
        return false;
    uint32_t at = money_report_find(s, tx->from, tx->receipt.node);
    struct dc_report r = {.client = tx->from, .node = tx->receipt.node};
    if (at != DC_REPORT_NONE)
        r = *(const struct dc_report *)dc_tree_get(&s->reports, at);
    if (tx->receipt.sent <= r.sent || tx->receipt.ok < r.ok || tx->receipt.timely < r.timely ||
        tx->receipt.paid < r.paid || tx->receipt.paid - r.paid > from->balance)
        return false;
    struct dc_report_terms terms = {tx->receipt.epoch, tx->receipt.paid, tx->from,
                                    tx->receipt.node,  tx->receipt.sent, tx->receipt.ok,
                                    tx->receipt.timely};
    struct dc_hash digest = dc_report_digest(e->ledger->chain, &terms);
    e->record->charge[DC_COST_HASH]++;
    if (!dc_execute_verify(e, node->sign_key, &digest, tx->receipt.node_signature))
        return false;
    uint64_t paid = tx->receipt.paid - r.paid;
    uint64_t take = dc_muldiv(paid, e->p->take_ppm, DC_PPM);
    dc_state_edit(s, tx->from)->balance -= paid;
    struct dc_account *a = dc_state_edit(s, tx->receipt.node);
    a->balance = dc_add_money(a->balance, paid - take);
    s->meta.burned = dc_add_money(s->meta.burned, take);
    struct dc_tally *t = dc_state_tally_edit(s, tx->receipt.node);
    t->take = dc_add_money(t->take, take);
    struct dc_report *out;
    if (at == DC_REPORT_NONE) {
        r.prev = t->report;
        t->report = s->reports.count;
        out = dc_tree_append(&s->ledger->reports, &s->reports);
    } else {
        out = dc_tree_edit(&s->ledger->reports, &s->reports, at);
    }
    r.paid = tx->receipt.paid;
    r.take += take;
    r.sent = tx->receipt.sent;
    r.ok = tx->receipt.ok;
    r.timely = tx->receipt.timely;
    *out = r;
    e->record->outcome.receipts++;
    return true;
}

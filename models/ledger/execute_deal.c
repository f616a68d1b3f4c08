#include "models/ledger/execute.h"

#include "models/wire/service_msg.h"

/* Transactions of clients and the nodes that serve them: deals, what is paid for of them, reports.
 * models/README.md 9, 10. */

bool dc_execute_deal(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    const struct dc_account *node = dc_state_account(e->state, tx->deal.node);
    uint64_t whole, size = tx->deal.size_bytes, epochs = tx->deal.epochs;
    if (!dc_execute_certified(e, from) || !dc_execute_nonce_free(from, tx->deal.nonce) ||
        node == NULL || tx->deal.node == tx->from ||
        !dc_account_may(node, e->header->height, DC_ROLE_STORAGE) || size == 0 || epochs == 0 ||
        e->state->meta.deals == DC_DEAL_NONE)
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
    dc_execute_nonce_use(a, tx->deal.nonce);
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

/* Paid bytes change at once; what the epoch costs follows from the most of them (epoch.c).  The
 * place for the whole object stays the deal's. */
bool dc_execute_meter(struct dc_exec *e, const struct dc_tx *tx)
{
    struct dc_state *s = e->state;
    const struct dc_account *from = dc_state_account(s, tx->from);
    const struct dc_deal *old = dc_state_deal(s, tx->meter.deal);
    uint64_t paid = tx->meter.paid_bytes;
    if (!dc_execute_certified(e, from) || !dc_execute_nonce_free(from, tx->meter.nonce) ||
        old == NULL || old->client != tx->from || old->end_epoch <= e->header->epoch ||
        paid > old->size_bytes)
        return false;
    dc_execute_nonce_use(dc_state_edit(s, tx->from), tx->meter.nonce);
    struct dc_account *node = dc_state_edit(s, old->node);
    struct dc_deal *deal = dc_tree_edit(&s->ledger->deals, &s->deals, tx->meter.deal);
    node->used_bytes = node->used_bytes - deal->paid_bytes + paid;
    deal->paid_bytes = paid;
    if (deal->most_bytes < paid)
        deal->most_bytes = paid;
    return true;
}

/* The report of `client` in the node's chain of this epoch's reports, or DC_REPORT_NONE. */
static uint32_t deal_report_find(const struct dc_state *s, uint32_t client, uint32_t node)
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
    if (!dc_execute_certified(e, from) || node == NULL || tx->receipt.node == tx->from ||
        !dc_account_may(node, e->header->height, DC_ROLES_SERVICE) ||
        tx->receipt.epoch + 1 != e->header->epoch)
        return false;
    uint32_t at = deal_report_find(s, tx->from, tx->receipt.node);
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

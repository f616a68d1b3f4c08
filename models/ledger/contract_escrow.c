/* Private threshold escrow (privacy/escrow.h; models/README.md 13).
 *
 *   contract   word[0] amount, [1] payee, [2] members, [3] threshold, [4] 1: paid
 *              point[0] root of the members' leaves
 *   entry      an approval: point[0] its mark
 *
 * Whoever is no member has no proof, and a member has one mark: so there are at most as many
 * approvals as members, and nobody has to pay for theirs.  What refused ones cost is borne by who
 * executes them, as with any transaction that is refused. */
#include "models/ledger/contract.h"
#include "models/privacy/escrow.h"

static bool escrow_create(const struct dc_contract_call *call, struct dc_contract *c)
{
    struct dc_escrow_terms t;
    const struct dc_tx *tx = call->tx;
    if (tx->call.method != DC_ESCROW_CREATE ||
        !dc_escrow_terms_decode(tx->call.body, tx->call.size, &t) || t.payee == tx->from ||
        dc_state_account(call->e->state, t.payee) == NULL)
        return false;
    c->close = c->end = c->opened + t.end;
    c->word[0] = t.amount;
    c->word[1] = t.payee;
    c->word[2] = t.members;
    c->word[3] = t.threshold;
    memcpy(c->point[0], t.root, 32);
    dc_privacy_digest(DC_DOMAIN_ESCROW, t.tag, tx->call.body, tx->call.size, c->digest);
    return dc_contract_take(call->e, call->id, tx->from, t.amount);
}

static bool escrow_call(const struct dc_contract_call *call, const struct dc_contract *c)
{
    struct dc_exec *e = call->e;
    const struct dc_tx *tx = call->tx;
    if (c->phase == DC_CONTRACT_OVER || tx->call.method != DC_ESCROW_APPROVE ||
        tx->from != DC_NOBODY || e->header->height > c->end || tx->call.size < 32 ||
        dc_state_mark_known(e->state, call->id, tx->call.body))
        return false;
    struct dc_hash context = dc_privacy_context(e->ledger->chain, call->id, c->digest);
    size_t size = DC_ESCROW_STATEMENT_BYTES + tx->call.size - 32;
    uint8_t *bytes = dc_mem_need(size, 1, "an approval");
    dc_escrow_statement(&context, c->point[0], (uint32_t)c->word[2], tx->call.body, bytes);
    memcpy(bytes + DC_ESCROW_STATEMENT_BYTES, tx->call.body + 32, tx->call.size - 32);
    e->record->charge[DC_COST_GATE_VERIFY] += dc_escrow_gates((uint32_t)c->word[2]);
    bool ok = dc_execute_proof(e, DC_DOMAIN_ESCROW, bytes, size, dc_escrow_check);
    dc_mem_free(bytes);
    if (!ok || !dc_contract_mark(e, call->id, tx->call.body))
        return false;
    struct dc_entry *x = dc_contract_add(e, call->id, DC_NOBODY);
    memcpy(x->point[0], tx->call.body, 32);
    if (c->entries + 1 < c->word[3])
        return true;
    dc_contract_give(e, call->id, (uint32_t)c->word[1], c->word[0]);
    struct dc_contract *paid = dc_contract_edit(e, call->id);
    paid->phase = DC_CONTRACT_OVER;
    paid->word[4] = 1;
    return true;
}

static void escrow_turn(struct dc_exec *e, uint32_t id, const struct dc_contract *c)
{
    if (c->phase == DC_CONTRACT_OVER || e->header->height <= c->end)
        return;
    dc_contract_give(e, id, c->owner, c->word[0]);
    dc_contract_edit(e, id)->phase = DC_CONTRACT_OVER;
}

const struct dc_contract_class dc_contract_escrow = {
    .name = "escrow", .create = escrow_create, .call = escrow_call, .turn = escrow_turn};

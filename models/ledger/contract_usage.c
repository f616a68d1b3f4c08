/* Encrypted usage totals, and a payment that fires when one passes a bound (privacy/usage.h;
 * models/README.md 13).
 *
 *   contract   word[0] payee, [1] bits of a report, [2] reports, [3] their total once it is known,
 *              [4] bound, [5] amount;  point[1], [2] sum of the ciphertexts
 *   entry      a reporter: EXPECTED, then REPORTED with its ciphertext in point[0], [1];
 *              or a share (decrypt.h)
 *
 *   made, money in --reports--> close --holders' shares--> total --> payee, or back to the owner
 *                        \--none------>  back                \--end without--> back
 *
 * Only who the owner named reports, once each: else a payee would report for itself until the bound
 * is passed. */
#include "models/crypto/elgamal.h"
#include "models/ledger/decrypt.h"
#include "models/privacy/membership.h"
#include "models/privacy/usage.h"

static bool usage_create(const struct dc_contract_call *call, struct dc_contract *c)
{
    struct dc_exec *e = call->e;
    const struct dc_tx *tx = call->tx;
    struct dc_usage_terms t;
    if (tx->call.method != DC_USAGE_NEW ||
        !dc_usage_terms_decode(tx->call.body, tx->call.size, &t) ||
        dc_state_account(e->state, t.payee) == NULL || e->ledger->holders.count == 0 ||
        t.end > DC_USAGE_HEIGHTS_MAX ||
        dc_state_account(e->state, t.reporter[t.count - 1]) == NULL) /* ascending, dense */
        return false;
    c->close = c->opened + t.close;
    c->end = c->opened + t.end;
    c->word[0] = t.payee;
    c->word[1] = t.bits;
    c->word[4] = t.bound;
    c->word[5] = t.amount;
    dc_privacy_digest(DC_DOMAIN_USAGE, t.tag, tx->call.body, tx->call.size, c->digest);
    if (!dc_contract_turns_free(e, c->close, c->end) ||
        !dc_contract_take(e, call->id, tx->from, t.amount))
        return false;
    for (uint32_t i = 0; i < t.count; i++)
        dc_contract_add(e, call->id, t.reporter[i])->kind = DC_USAGE_EXPECTED;
    return true;
}

/* The entry in which a report of this account is expected, or DC_ENTRY_NONE. */
static uint32_t usage_expected(const struct dc_state *s, const struct dc_contract *c, uint32_t from)
{
    for (uint32_t at = c->last; at != DC_ENTRY_NONE;) {
        const struct dc_entry *x = dc_state_entry(s, at);
        if (x->kind == DC_USAGE_EXPECTED && x->from == from)
            return at;
        at = x->prev;
    }
    return DC_ENTRY_NONE;
}

static bool usage_report(const struct dc_contract_call *call, const struct dc_contract *c)
{
    struct dc_exec *e = call->e;
    const struct dc_tx *tx = call->tx;
    uint32_t at = usage_expected(e->state, c, tx->from);
    if (at == DC_ENTRY_NONE || e->header->height > c->close ||
        tx->call.size != dc_usage_report_bytes((uint8_t)c->word[1]))
        return false;
    struct dc_usage_context context = {.chain = e->ledger->chain,
                                       .contract = call->id,
                                       .reporter = tx->from,
                                       .bits = (uint8_t)c->word[1]};
    memcpy(context.group_key, e->ledger->holders.group_key, 32);
    uint8_t statement[DC_USAGE_STATEMENT_BYTES_MAX], sum[64];
    memcpy(sum, c->point[1], 32);
    memcpy(sum + 32, c->point[2], 32);
    size_t size = dc_usage_statement(&context, tx->call.body, tx->call.size, statement);
    e->record->charge[DC_COST_POINT] += 8;
    e->record->charge[DC_COST_RANGE_VERIFY]++;
    if (!dc_execute_proof(e, DC_DOMAIN_USAGE, statement, size, dc_usage_statement_check) ||
        !dc_elgamal_accumulate(sum, tx->call.body))
        return false;
    struct dc_entry *x = dc_contract_entry_edit(e, at);
    x->kind = DC_USAGE_REPORTED;
    memcpy(x->point[0], tx->call.body, 32);
    memcpy(x->point[1], tx->call.body + 32, 32);
    struct dc_contract *now = dc_contract_edit(e, call->id);
    memcpy(now->point[1], sum, 32);
    memcpy(now->point[2], sum + 32, 32);
    now->word[2]++;
    return true;
}

/* It is over: the money goes to one of the two. */
static void usage_pay(struct dc_exec *e, uint32_t id, const struct dc_contract *c, bool payee)
{
    struct dc_contract *now = dc_contract_edit(e, id);
    now->phase = DC_CONTRACT_OVER;
    if (c->money != 0)
        dc_contract_give(e, id, payee ? (uint32_t)c->word[0] : c->owner, c->money);
}

static bool usage_call(const struct dc_contract_call *call, const struct dc_contract *c)
{
    uint64_t height = call->e->header->height, total;
    if (c->phase == DC_CONTRACT_OVER)
        return false;
    if (call->tx->call.method == DC_USAGE_REPORT)
        return usage_report(call, c);
    if (height <= c->close || height > c->end || c->word[2] == 0)
        return false;
    if (call->tx->call.method == DC_USAGE_SHARE)
        return dc_decrypt_share(call, c->point[1]);
    if (call->tx->call.method != DC_USAGE_TOTAL || !dc_decrypt_total(call, c->point[2], &total))
        return false;
    dc_contract_edit(call->e, call->id)->word[3] = total;
    usage_pay(call->e, call->id, c, total >= c->word[4]);
    return true;
}

static void usage_turn(struct dc_exec *e, uint32_t id, const struct dc_contract *c)
{
    if (c->phase != DC_CONTRACT_OVER && (e->header->height > c->end || c->word[2] == 0))
        usage_pay(e, id, c, false);
}

const struct dc_contract_class dc_contract_usage = {
    .name = "usage", .create = usage_create, .call = usage_call, .turn = usage_turn};

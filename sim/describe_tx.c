/* Transactions in the protocol's terms; see describe.h. */
#include "models/wire/tx.h"

#include "models/ledger/contract.h"
#include "models/privacy/auction.h"
#include "models/privacy/escrow.h"
#include "models/privacy/rating.h"
#include "models/privacy/usage.h"
#include "sim/describe.h"

struct words {
    const struct ds_scenario *scenario;
    struct dc_text *out;
};

static void add_node(struct words *w, const char *before, uint32_t node)
{
    dc_text_add(w->out, before);
    ds_describe_node(w->scenario, node, w->out);
}

#define U(x) ((unsigned long long)(x))

static const char *const tx_names[DC_TX_COUNT] = {
    [DC_TX_TRANSFER] = "transfer",   [DC_TX_BOND] = "bond",
    [DC_TX_UNBOND] = "unbond",       [DC_TX_REGISTER] = "register",
    [DC_TX_RENEW] = "renew",         [DC_TX_REVOKE] = "revoke",
    [DC_TX_DEAL] = "deal",           [DC_TX_RECEIPT] = "receipt",
    [DC_TX_HEARTBEAT] = "heartbeat", [DC_TX_VERDICT] = "verdict",
    [DC_TX_ANSWER] = "answer",       [DC_TX_EVIDENCE] = "evidence",
    [DC_TX_VOTES] = "late votes of", [DC_TX_METER] = "meter",
    [DC_TX_SHIELD] = "shield",       [DC_TX_SHIELDED] = "confidential transfer",
    [DC_TX_CALL] = "contract call",  [DC_TX_GRANT] = "grant",
    [DC_TX_BEACON] = "beacon share", [DC_TX_REGISTRAR] = "registrar"};

/* What a contract's methods are called; of one that is not here, its number is told. */
#define METHODS_MAX 4
static const char *const methods[DC_CONTRACT_COUNT][METHODS_MAX] = {
    [DC_CONTRACT_AUCTION] = {[DC_AUCTION_CREATE] = "opened",
                             [DC_AUCTION_BID] = "sealed bid",
                             [DC_AUCTION_SETTLE] = "settled",
                             [DC_AUCTION_EXPOSE] = "bid exposed that does not open"},
    [DC_CONTRACT_ESCROW] = {[DC_ESCROW_CREATE] = "opened", [DC_ESCROW_APPROVE] = "approval"},
    [DC_CONTRACT_RATING] = {[DC_RATING_CREATE] = "opened",
                            [DC_RATING_RATE] = "encrypted rating",
                            [DC_RATING_SHARE] = "holder's share of the decryption",
                            [DC_RATING_CLAIM] = "sum"},
    [DC_CONTRACT_USAGE] = {[DC_USAGE_NEW] = "opened",
                           [DC_USAGE_REPORT] = "encrypted report",
                           [DC_USAGE_SHARE] = "holder's share of the decryption",
                           [DC_USAGE_TOTAL] = "total"}};

static void add_call(struct words *w, const struct dc_tx *t)
{
    const struct dc_contract_class *class = dc_contract_class_of(t->call.kind);
    const char *method = class != NULL && t->call.method < METHODS_MAX
                             ? methods[t->call.kind][t->call.method]
                             : NULL;
    if (class == NULL)
        dc_text_printf(w->out, " of unknown kind %u", t->call.kind);
    else
        dc_text_printf(w->out, ", %s", class->name);
    if (t->call.contract != DC_CONTRACT_NEW)
        dc_text_printf(w->out, " %u", t->call.contract);
    if (method != NULL)
        dc_text_printf(w->out, ": %s", method);
    else
        dc_text_printf(w->out, ": method %u", t->call.method);
    dc_text_printf(w->out, ", %u bytes", t->call.size);
}

static void add_tx(struct words *w, const struct dc_tx *t)
{
    static const char *const verdicts[] = {"none", "pass", "fail", "late", "silent"};
    switch (t->kind) {
    case DC_TX_TRANSFER:
        add_node(w, " to ", t->transfer.to);
        dc_text_printf(w->out, ", %llu nDSYNC", U(t->transfer.amount));
        break;
    case DC_TX_BOND:
    case DC_TX_UNBOND: dc_text_printf(w->out, ", %llu nDSYNC", U(t->bond.amount)); break;
    case DC_TX_DEAL:
        add_node(w, " with ", t->deal.node);
        dc_text_printf(w->out, ", %llu bytes", U(t->deal.size_bytes));
        break;
    case DC_TX_RECEIPT:
        add_node(w, " about ", t->receipt.node);
        dc_text_printf(w->out, ", epoch %llu: %u of %u timely", U(t->receipt.epoch),
                       t->receipt.timely, t->receipt.sent);
        break;
    case DC_TX_HEARTBEAT: dc_text_printf(w->out, " of height %llu", U(t->heartbeat.height)); break;
    case DC_TX_VERDICT:
        add_node(w, " about ", t->verdict.node);
        dc_text_printf(w->out, ", challenge of height %llu, asking %u: %s", U(t->verdict.height),
                       t->verdict.asking,
                       t->verdict.verdict <= DC_TX_VERDICT_MAX ? verdicts[t->verdict.verdict]
                                                               : "?");
        break;
    case DC_TX_ANSWER:
        dc_text_printf(w->out, " to the demand of height %llu", U(t->answer.height));
        break;
    case DC_TX_EVIDENCE: add_node(w, " against ", t->evidence.accused); break;
    case DC_TX_SHIELD: dc_text_printf(w->out, ", %llu nDSYNC", U(t->shield.amount)); break;
    case DC_TX_SHIELDED:
        dc_text_printf(w->out, " of %u bytes, parties and amounts hidden", t->shielded.size);
        break;
    case DC_TX_CALL: add_call(w, t); break;
    case DC_TX_GRANT:
        add_node(w, " to ", t->grant.to);
        dc_text_printf(w->out, ", %llu nDSYNC", U(t->grant.amount));
        break;
    case DC_TX_REGISTRAR:
        dc_text_add(w->out, t->registrar.certificate != NULL ? ": listed" : ": revoked");
        break;
    case DC_TX_BEACON: dc_text_printf(w->out, " for number %llu", U(t->beacon.height)); break;
    case DC_TX_VOTES: dc_text_printf(w->out, " height %llu", U(t->votes.height)); break;
    case DC_TX_METER:
        dc_text_printf(w->out, " of deal %u, %llu bytes", t->meter.deal, U(t->meter.paid_bytes));
        break;
    default: break;
    }
}

bool ds_describe_tx(const struct ds_scenario *s, const uint8_t *bytes, size_t size,
                    struct dc_text *out)
{
    struct words w = {s, out};
    struct dc_tx t;
    if (!dc_tx_decode(bytes, size, &t))
        return false;
    const char *name = t.kind < DC_TX_COUNT ? tx_names[t.kind] : NULL;
    dc_text_add(out, name != NULL ? name : "of another kind");
    add_tx(&w, &t);
    if (t.from != DC_NOBODY && t.from != DC_REGISTRAR)
        add_node(&w, ", from ", t.from);
    else if (t.kind == DC_TX_CALL)
        dc_text_add(out, ", from nobody by name");
    return true;
}

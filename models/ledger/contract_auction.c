/* Sealed-bid auctions (privacy/auction.h; models/README.md 13).
 *
 *   contract   word[0] unit, [1] price, [2] winner's account + 1 (0: none)
 *              point[0] seller's key; money: all deposits
 *   entry      a bid: enum dc_auction_entry
 *
 *   made --bids--> close --exposures, settlement--> over
 *                            \--end without--> over, deposits go back
 *
 * A settlement names a bid by its place among those that are not exposed, oldest first, and is
 * checked against all of their commitments, as they are on chain: none can be left out. */
#include "models/ledger/contract.h"
#include "models/privacy/auction.h"

static struct dc_hash auction_context(const struct dc_contract_call *call,
                                      const struct dc_contract *c)
{
    return dc_privacy_context(call->e->ledger->chain, call->id, c->digest);
}

static bool auction_create(const struct dc_contract_call *call, struct dc_contract *c)
{
    struct dc_auction_terms t;
    if (call->tx->call.method != DC_AUCTION_CREATE ||
        !dc_auction_terms_decode(call->tx->call.body, call->tx->call.size, &t))
        return false;
    c->close = c->opened + t.close;
    c->end = c->opened + t.end;
    c->word[0] = t.unit;
    memcpy(c->point[0], t.key, 32);
    dc_privacy_digest(DC_DOMAIN_AUCTION, t.tag, call->tx->call.body, call->tx->call.size,
                      c->digest);
    return true;
}

/* Numbers of the contract's entries, oldest first; exposed ones too when `all`. */
static uint32_t auction_entries(const struct dc_state *state, const struct dc_contract *c, bool all,
                                uint32_t out[DC_AUCTION_BIDS_MAX])
{
    uint32_t count = 0, at = c->last;
    DC_CHECK(c->entries <= DC_AUCTION_BIDS_MAX);
    while (at != DC_ENTRY_NONE) {
        const struct dc_entry *x = dc_state_entry(state, at);
        if (all || x->kind == DC_AUCTION_STANDS)
            out[count++] = at;
        at = x->prev;
    }
    for (uint32_t i = 0; i < count / 2; i++) {
        uint32_t swap = out[i];
        out[i] = out[count - 1 - i];
        out[count - 1 - i] = swap;
    }
    return count;
}

static bool auction_has_bid(const struct dc_state *state, const struct dc_contract *c,
                            uint32_t account)
{
    for (uint32_t at = c->last; at != DC_ENTRY_NONE;) {
        const struct dc_entry *x = dc_state_entry(state, at);
        if (x->from == account)
            return true;
        at = x->prev;
    }
    return false;
}

static bool auction_bid(const struct dc_contract_call *call, const struct dc_contract *c)
{
    struct dc_exec *e = call->e;
    const struct dc_tx *tx = call->tx;
    struct dc_auction_bid bid;
    size_t at;
    if (e->header->height > c->close || tx->from == DC_NOBODY || tx->from == c->owner ||
        c->entries >= DC_AUCTION_BIDS_MAX ||
        !dc_auction_bid_decode(tx->call.body, tx->call.size, &bid, &at))
        return false;
    uint64_t deposit = bid.deposit * c->word[0];
    if (deposit > dc_state_account(e->state, tx->from)->balance ||
        auction_has_bid(e->state, c, tx->from))
        return false;
    struct dc_hash context = auction_context(call, c);
    size_t size = 36 + (size_t)tx->call.size;
    uint8_t *bytes = dc_mem_need(size, 1, "a bid");
    memcpy(bytes, context.b, 32);
    dc_put32(bytes + 32, tx->from);
    memcpy(bytes + 36, tx->call.body, tx->call.size);
    e->record->charge[DC_COST_GATE_VERIFY] += dc_auction_bid_gates();
    e->record->charge[DC_COST_POINT] += 2;
    bool ok = dc_execute_proof(e, DC_DOMAIN_AUCTION, bytes, size, dc_auction_bid_check);
    dc_mem_free(bytes);
    if (!ok || !dc_contract_take(e, call->id, tx->from, deposit))
        return false;
    struct dc_entry *x = dc_contract_add(e, call->id, tx->from);
    x->kind = DC_AUCTION_STANDS;
    x->word[0] = bid.deposit;
    x->word[1] = dc_get64(bid.sealed.bid);
    memcpy(x->point[0], bid.commitment, 32);
    memcpy(x->point[1], bid.sealed.ephemeral, 32);
    memcpy(x->point[2], bid.sealed.blinding, 32);
    return true;
}

/* Everybody gets back what is left of the deposits: all, or for the winner all but the price. */
static void auction_over(struct dc_exec *e, uint32_t id, const struct dc_contract *c,
                         uint32_t winner, uint32_t price)
{
    uint32_t entry[DC_AUCTION_BIDS_MAX], count = auction_entries(e->state, c, true, entry);
    for (uint32_t i = 0; i < count; i++) {
        const struct dc_entry *x = dc_state_entry(e->state, entry[i]);
        uint32_t from = x->from;
        uint64_t back = x->word[0] - (entry[i] == winner ? price : 0);
        dc_contract_give(e, id, from, back * c->word[0]);
    }
    struct dc_contract *over = dc_contract_edit(e, id);
    over->phase = DC_CONTRACT_OVER;
    DC_CHECK(over->money == 0);
}

static bool auction_settle(const struct dc_contract_call *call, const struct dc_contract *c)
{
    struct dc_exec *e = call->e;
    const struct dc_tx *tx = call->tx;
    uint32_t entry[DC_AUCTION_BIDS_MAX], count = auction_entries(e->state, c, false, entry);
    if (tx->call.size < 8 || dc_get32(tx->call.body) >= count)
        return false;
    uint32_t winner = entry[dc_get32(tx->call.body)], price = dc_get32(tx->call.body + 4);
    if (price > dc_state_entry(e->state, winner)->word[0])
        return false; /* the bid's proof excludes it; money does not hang on that alone */
    struct dc_hash context = auction_context(call, c);
    size_t head = 36 + 32 * (size_t)count, size = head + tx->call.size;
    uint8_t *bytes = dc_mem_need(size, 1, "a settlement");
    memcpy(bytes, context.b, 32);
    dc_put32(bytes + 32, count);
    for (uint32_t i = 0; i < count; i++)
        memcpy(bytes + 36 + 32 * (size_t)i, dc_state_entry(e->state, entry[i])->point[0], 32);
    memcpy(bytes + head, tx->call.body, tx->call.size);
    e->record->charge[DC_COST_GATE_VERIFY] += dc_auction_settle_gates(count);
    bool ok = dc_execute_proof(e, DC_DOMAIN_CIRCUIT, bytes, size, dc_auction_settle_check);
    dc_mem_free(bytes);
    if (!ok)
        return false;
    struct dc_contract *sold = dc_contract_edit(e, call->id);
    sold->word[1] = price;
    sold->word[2] = (uint64_t)dc_state_entry(e->state, winner)->from + 1;
    dc_contract_give(e, call->id, c->owner, price * c->word[0]);
    auction_over(e, call->id, c, winner, price);
    return true;
}

static bool auction_expose(const struct dc_contract_call *call, const struct dc_contract *c)
{
    struct dc_exec *e = call->e;
    const struct dc_tx *tx = call->tx;
    if (tx->call.size != DC_AUCTION_EXPOSE_BYTES)
        return false;
    uint32_t entry = dc_get32(tx->call.body);
    const struct dc_entry *x = dc_state_entry(e->state, entry);
    if (x == NULL || x->contract != call->id || x->kind != DC_AUCTION_STANDS)
        return false;
    struct dc_hash context = auction_context(call, c);
    uint8_t bytes[32 + 32 + 32 + 72 + DC_AUCTION_EXPOSE_BYTES];
    struct dc_writer w = dc_writer(bytes, sizeof bytes);
    dc_write(&w, context.b, 32);
    dc_write(&w, c->point[0], 32);
    dc_write(&w, x->point[0], 32);
    dc_write(&w, x->point[1], 32);
    dc_write64(&w, x->word[1]);
    dc_write(&w, x->point[2], 32);
    dc_write(&w, tx->call.body, DC_AUCTION_EXPOSE_BYTES);
    DC_CHECK(!w.failed && w.size == sizeof bytes);
    e->record->charge[DC_COST_POINT] += 6;
    if (!dc_execute_proof(e, DC_DOMAIN_CONTRACT, bytes, sizeof bytes, dc_auction_expose_check))
        return false;
    dc_contract_entry_edit(e, entry)->kind = DC_AUCTION_EXPOSED;
    return true;
}

static bool auction_call(const struct dc_contract_call *call, const struct dc_contract *c)
{
    if (c->phase == DC_CONTRACT_OVER)
        return false;
    if (call->tx->call.method == DC_AUCTION_BID)
        return auction_bid(call, c);
    uint64_t height = call->e->header->height;
    if (call->tx->from != c->owner || height <= c->close || height > c->end)
        return false;
    switch (call->tx->call.method) {
    case DC_AUCTION_SETTLE: return auction_settle(call, c);
    case DC_AUCTION_EXPOSE: return auction_expose(call, c);
    default: return false;
    }
}

static void auction_turn(struct dc_exec *e, uint32_t id, const struct dc_contract *c)
{
    if (c->phase != DC_CONTRACT_OVER && e->header->height > c->end)
        auction_over(e, id, c, DC_ENTRY_NONE, 0);
}

const struct dc_contract_class dc_contract_auction = {
    .name = "auction", .create = auction_create, .call = auction_call, .turn = auction_turn};

#include "models/ledger/decrypt.h"

void dc_decrypt_context(uint64_t chain, uint32_t contract, uint8_t out[12])
{
    dc_put64(out, chain);
    dc_put32(out + 8, contract);
}

uint32_t dc_holder_index(const struct dc_holders *holders, uint32_t account)
{
    for (uint32_t i = 0; i < holders->count; i++)
        if (holders->account[i] == account)
            return i;
    return DC_KEY_HOLDERS_MAX;
}

/* The share before this entry in the contract, or NULL; *entry goes on to the one before it. */
static const struct dc_entry *decrypt_next(const struct dc_state *s, uint32_t *entry)
{
    while (*entry != DC_ENTRY_NONE) {
        const struct dc_entry *x = dc_state_entry(s, *entry);
        *entry = x->prev;
        if (x->kind == DC_ENTRY_PARTIAL)
            return x;
    }
    return NULL;
}

/* The newest entry of a contract: shares come last, so that few are looked at. */
static uint32_t decrypt_last(const struct dc_state *s, uint32_t contract)
{
    const struct dc_contract *c = dc_state_contract(s, contract);
    return c != NULL ? c->last : DC_ENTRY_NONE;
}

uint32_t dc_decrypt_shares(const struct dc_state *s, uint32_t contract, uint32_t *of)
{
    uint32_t n = 0, at = decrypt_last(s, contract);
    while (decrypt_next(s, &at) != NULL)
        n++;
    *of = dc_state_holders(s)->threshold;
    return n;
}

bool dc_decrypt_given(const struct dc_state *s, uint32_t contract, uint32_t index)
{
    uint32_t at = decrypt_last(s, contract);
    for (const struct dc_entry *x; (x = decrypt_next(s, &at)) != NULL;)
        if (x->word[0] == index)
            return true;
    return false;
}

bool dc_decrypt_opened(const struct dc_state *s, uint32_t contract, const uint8_t c2[32],
                       uint8_t out[32])
{
    uint32_t member[DC_KEY_HOLDERS_MAX], n = 0, at = decrypt_last(s, contract);
    uint8_t point[DC_KEY_HOLDERS_MAX][32];
    const uint32_t threshold = dc_state_holders(s)->threshold;
    for (const struct dc_entry *x; n < threshold && (x = decrypt_next(s, &at)) != NULL; n++) {
        member[n] = (uint32_t)x->word[0];
        memcpy(point[n], x->point[0], 32);
    }
    return n == threshold && n != 0 &&
           dc_partial_combine(member, (const uint8_t(*)[32])point, n, c2, out);
}

/* Statement: the holder's key 32 | c1 32 | context 12 | partial. */
#define STATEMENT_BYTES (64 + DC_DECRYPT_CONTEXT_BYTES + DC_PARTIAL_BYTES)

static bool decrypt_check(const uint8_t *b, size_t size)
{
    return size == STATEMENT_BYTES && dc_partial_check(b, b + 32, b + 64, DC_DECRYPT_CONTEXT_BYTES,
                                                       b + 64 + DC_DECRYPT_CONTEXT_BYTES);
}

bool dc_decrypt_share(const struct dc_contract_call *call, const uint8_t c1[32])
{
    struct dc_exec *e = call->e;
    const struct dc_holders *holders = &e->ledger->holders;
    const struct dc_tx *tx = call->tx;
    uint32_t i = dc_holder_index(holders, tx->from), of;
    if (i >= holders->count || tx->call.size != DC_PARTIAL_BYTES ||
        dc_decrypt_shares(e->state, call->id, &of) >= of || dc_decrypt_given(e->state, call->id, i))
        return false;
    uint8_t b[STATEMENT_BYTES];
    memcpy(b, holders->share_key[i], 32);
    memcpy(b + 32, c1, 32);
    dc_decrypt_context(e->ledger->chain, call->id, b + 64);
    memcpy(b + 64 + DC_DECRYPT_CONTEXT_BYTES, tx->call.body, DC_PARTIAL_BYTES);
    e->record->charge[DC_COST_POINT] += 4;
    if (!dc_execute_proof(e, DC_DOMAIN_DECRYPTION, b, sizeof b, decrypt_check))
        return false;
    struct dc_entry *x = dc_contract_add(e, call->id, tx->from);
    x->kind = DC_ENTRY_PARTIAL;
    x->word[0] = i;
    memcpy(x->point[0], tx->call.body, 32);
    return true;
}

bool dc_decrypt_total(const struct dc_contract_call *call, const uint8_t c2[32], uint64_t *total)
{
    struct dc_exec *e = call->e;
    uint8_t opened[32];
    if (call->tx->call.size != 8)
        return false;
    e->record->charge[DC_COST_POINT] += e->ledger->holders.threshold + 1;
    if (!dc_decrypt_opened(e->state, call->id, c2, opened))
        return false;
    *total = dc_get64(call->tx->call.body);
    return dc_amount_is(opened, *total);
}

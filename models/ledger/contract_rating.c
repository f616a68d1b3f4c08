/* Anonymous ratings of a service node (privacy/rating.h; models/README.md 13).
 *
 *   contract   word[0] node, [1] members, [2] ratings, [3] their sum once it is known
 *              point[0] root of the customers' leaves, [1], [2] sum of the ciphertexts
 *   entry      a rating: RATED, point[0] its mark, [1], [2] its ciphertext; or a share (decrypt.h)
 *
 *   made --ratings--> close --holders' shares--> claim of the sum --> over
 *                               \--end without--> over
 *
 * Nobody pays for a rating: there are at most as many as customers (contract_escrow.c). */
#include "models/crypto/elgamal.h"
#include "models/ledger/decrypt.h"
#include "models/privacy/rating.h"

enum { ENTRY_RATED = 1 };

static bool rating_create(const struct dc_contract_call *call, struct dc_contract *c)
{
    struct dc_rating_terms t;
    const struct dc_tx *tx = call->tx;
    if (tx->call.method != DC_RATING_CREATE ||
        !dc_rating_terms_decode(tx->call.body, tx->call.size, &t))
        return false;
    const struct dc_account *node = dc_state_account(call->e->state, t.node);
    if (node == NULL || !(node->roles & DC_ROLES_SERVICE) || t.node == tx->from ||
        call->e->ledger->holders.count == 0)
        return false;
    c->close = c->opened + t.close;
    c->end = c->opened + t.end;
    c->word[0] = t.node;
    c->word[1] = t.members;
    memcpy(c->point[0], t.root, 32);
    dc_privacy_digest(DC_DOMAIN_RATING, t.tag, tx->call.body, tx->call.size, c->digest);
    return true;
}

static bool rating_rate(const struct dc_contract_call *call, const struct dc_contract *c)
{
    struct dc_exec *e = call->e;
    const struct dc_tx *tx = call->tx;
    if (tx->from != DC_NOBODY || e->header->height > c->close || tx->call.size < 96 ||
        dc_state_mark_known(e->state, call->id, tx->call.body))
        return false;
    struct dc_hash context = dc_privacy_context(e->ledger->chain, call->id, c->digest);
    size_t size = DC_RATING_STATEMENT_BYTES + tx->call.size;
    uint8_t *bytes = dc_mem_need(size, 1, "a rating");
    dc_rating_statement(&context, e->ledger->holders.group_key, c->point[0], (uint32_t)c->word[1],
                        bytes);
    memcpy(bytes + DC_RATING_STATEMENT_BYTES, tx->call.body, tx->call.size);
    e->record->charge[DC_COST_GATE_VERIFY] += dc_rating_gates((uint32_t)c->word[1]);
    e->record->charge[DC_COST_POINT] += 5;
    bool ok = dc_execute_proof(e, DC_DOMAIN_RATING, bytes, size, dc_rating_check);
    dc_mem_free(bytes);
    uint8_t sum[64];
    memcpy(sum, c->point[1], 32);
    memcpy(sum + 32, c->point[2], 32);
    if (!ok || !dc_elgamal_accumulate(sum, tx->call.body + 32) ||
        !dc_contract_mark(e, call->id, tx->call.body))
        return false;
    struct dc_entry *x = dc_contract_add(e, call->id, DC_NOBODY);
    x->kind = ENTRY_RATED;
    memcpy(x->point[0], tx->call.body, 32);
    memcpy(x->point[1], tx->call.body + 32, 32);
    memcpy(x->point[2], tx->call.body + 64, 32);
    struct dc_contract *now = dc_contract_edit(e, call->id);
    memcpy(now->point[1], sum, 32);
    memcpy(now->point[2], sum + 32, 32);
    now->word[2]++;
    return true;
}

static bool rating_call(const struct dc_contract_call *call, const struct dc_contract *c)
{
    if (c->phase == DC_CONTRACT_OVER)
        return false;
    if (call->tx->call.method == DC_RATING_RATE)
        return rating_rate(call, c);
    uint64_t height = call->e->header->height, total;
    if (height <= c->close || height > c->end || c->word[2] == 0)
        return false;
    if (call->tx->call.method == DC_RATING_SHARE)
        return dc_decrypt_share(call, c->point[1]);
    if (call->tx->call.method != DC_RATING_CLAIM || !dc_decrypt_total(call, c->point[2], &total))
        return false;
    struct dc_contract *known = dc_contract_edit(call->e, call->id);
    known->word[3] = total;
    known->phase = DC_CONTRACT_OVER;
    return true;
}

static void rating_turn(struct dc_exec *e, uint32_t id, const struct dc_contract *c)
{
    if (c->phase != DC_CONTRACT_OVER && (e->header->height > c->end || c->word[2] == 0))
        dc_contract_edit(e, id)->phase = DC_CONTRACT_OVER;
}

const struct dc_contract_class dc_contract_rating = {
    .name = "rating", .create = rating_create, .call = rating_call, .turn = rating_turn};

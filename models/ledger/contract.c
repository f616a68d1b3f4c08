/* Calls of private contracts: who may call, what it costs, which kind has the word, and what the
 * kinds change.
 *
 * A call is checked by its kind before anything changes, and pays after that: its fee is reserved
 * meanwhile (e->call), so that the kind cannot take the same money.  A contract that is being made
 * is not yet in the state, but the kinds' functions find it by its id, and what it takes from its
 * maker waits until it is. */
#include "models/ledger/contract.h"

#include "models/ledger/vault_impl.h"

struct dc_contract *dc_contract_edit(struct dc_exec *e, uint32_t id)
{
    if (e->call.made != NULL && id == e->call.id)
        return e->call.made;
    return dc_state_contract_edit(e->state, id);
}

struct dc_entry *dc_contract_add(struct dc_exec *e, uint32_t id, uint32_t from)
{
    struct dc_contract *c = dc_contract_edit(e, id);
    uint32_t entry = dc_state_vault(e->state)->entries;
    struct dc_entry *x = dc_state_entry_append(e->state);
    x->contract = id;
    x->prev = c->last;
    x->from = from;
    c->last = entry;
    c->entries++;
    return x;
}

struct dc_entry *dc_contract_entry_edit(struct dc_exec *e, uint32_t entry)
{
    return dc_state_entry_edit(e->state, entry);
}

bool dc_contract_mark(struct dc_exec *e, uint32_t id, const uint8_t mark[32])
{
    return dc_state_mark_add(e->state, id, mark);
}

bool dc_contract_take(struct dc_exec *e, uint32_t id, uint32_t account, uint64_t amount)
{
    const struct dc_account *from = dc_state_account(e->state, account);
    uint64_t fee = account == e->call.from ? e->call.fee : 0;
    if (from == NULL || fee > from->balance || amount > from->balance - fee)
        return false;
    struct dc_contract *c = dc_contract_edit(e, id);
    c->money = dc_add_money(c->money, amount);
    if (c == e->call.made) { /* nothing changes before it is made: call_pay takes it */
        e->call.fee = dc_add_money(e->call.fee, amount);
        return account == e->call.from;
    }
    dc_state_edit(e->state, account)->balance -= amount;
    e->state->meta.escrow = dc_add_money(e->state->meta.escrow, amount);
    return true;
}

void dc_contract_give(struct dc_exec *e, uint32_t id, uint32_t account, uint64_t amount)
{
    struct dc_contract *c = dc_contract_edit(e, id);
    DC_CHECK(amount <= c->money && amount <= e->state->meta.escrow);
    c->money -= amount;
    e->state->meta.escrow -= amount;
    struct dc_account *to = dc_state_edit(e->state, account);
    to->balance = dc_add_money(to->balance, amount);
}

bool dc_contract_turns_free(const struct dc_exec *e, uint64_t close, uint64_t end)
{
    return dc_state_turns_free(e->state, close, end);
}

void dc_contract_turns(struct dc_exec *e)
{
    uint32_t due[DC_TURNS_MAX];
    uint32_t n = dc_state_turns_take(e->state, due);
    for (uint32_t i = 0; i < n; i++) {
        const struct dc_contract was = *dc_state_contract(e->state, due[i]);
        DC_CHECK(was.close + 1 == e->header->height || was.end + 1 == e->header->height);
        dc_contract_class_of(was.kind)->turn(e, due[i], &was);
    }
}

bool dc_execute_proof(struct dc_exec *e, enum dc_domain kind, const void *bytes, size_t size,
                      bool (*check)(const uint8_t *bytes, size_t size))
{
    return dc_check_proof(e->ledger->crypto, kind, bytes, size, check);
}

/* A named caller pays; one that is not named has nothing to pay with, so its kind has to see to it
 * that nobody can call without end: by marks, or by money that came before. */
static bool call_may(const struct dc_exec *e, const struct dc_tx *tx)
{
    if (tx->from == DC_NOBODY)
        return tx->call.contract != DC_CONTRACT_NEW;
    const struct dc_account *from = dc_state_account(e->state, tx->from);
    return dc_execute_certified(e, from) && dc_execute_nonce_free(from, tx->call.nonce) &&
           tx->call.fee >= e->p->fee_private && tx->call.fee <= from->balance;
}

static void call_pay(struct dc_exec *e, const struct dc_tx *tx)
{
    if (tx->from == DC_NOBODY)
        return;
    struct dc_account *from = dc_state_edit(e->state, tx->from);
    DC_CHECK(e->call.fee <= from->balance);
    dc_execute_nonce_use(from, tx->call.nonce);
    from->balance -= e->call.fee;
    struct dc_meta *m = &e->state->meta;
    m->fees = dc_add_money(m->fees, tx->call.fee);
    m->escrow = dc_add_money(m->escrow, e->call.fee);
}

static bool call_create(const struct dc_contract_call *call, const struct dc_contract_class *class)
{
    struct dc_exec *e = call->e;
    struct dc_contract c = {.kind = call->tx->call.kind,
                            .owner = call->tx->from,
                            .opened = e->header->height,
                            .last = DC_ENTRY_NONE};
    e->call.made = &c;
    bool made = class->create(call, &c);
    e->call.made = NULL;
    bool room = class->turn == NULL || dc_contract_turns_free(e, c.close, c.end);
    if (!made || !room) {
        DC_CHECK(!made || c.entries == 0);
        return false;
    }
    dc_state_contract_append(e->state, &c, class->turn != NULL);
    return true;
}

bool dc_execute_call(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_contract_class *class = dc_contract_class_of(tx->call.kind);
    if (class == NULL || tx->call.size > DC_CALL_BYTES_MAX || !call_may(e, tx))
        return false;
    struct dc_contract_call call = {.e = e, .tx = tx, .id = tx->call.contract};
    bool create = call.id == DC_CONTRACT_NEW;
    if (create)
        call.id = dc_state_vault(e->state)->contracts;
    e->call.id = call.id;
    e->call.from = tx->from;
    e->call.fee = tx->call.fee;
    bool done = false;
    if (create) {
        done = call.id < DC_CONTRACT_NEW - 1 && call_create(&call, class);
    } else {
        const struct dc_contract *c = dc_state_contract(e->state, call.id);
        if (c != NULL && c->kind == tx->call.kind) {
            const struct dc_contract was = *c;
            done = class->call(&call, &was);
        }
    }
    if (done)
        call_pay(e, tx);
    e->call.from = DC_NOBODY;
    e->call.fee = 0;
    return done;
}

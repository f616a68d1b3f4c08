#include "models/ledger/execute.h"

/* Slashing and ejection: what leaves a bond is partly burned and partly goes to the fund, which
 * compensates the clients of a node that ends; nobody earns by a failure.  models/README.md 6,
 * 9. */

/* All that a node can lose. */
static uint64_t slash_stake(const struct dc_account *a)
{
    uint64_t stake = a->bond;
    for (uint32_t i = 0; i < DC_UNBONDING_MAX; i++)
        stake = dc_add_money(stake, a->unbonding[i].amount);
    return stake;
}

/* What the fund pays the client of a deal that ends with its node: what an epoch of it costs at the
 * chain's lowest price, so that no deal with oneself at a fancy price empties the fund, and nothing
 * to a node that is its own client. */
static uint64_t slash_compensation(const struct dc_exec *e, const struct dc_deal *d)
{
    uint64_t price = dc_muldiv(e->p->price_gib_epoch, d->paid_bytes, (uint64_t)1 << 30);
    uint64_t due = dc_deal_due(d), fund = e->state->meta.fund;
    price = price < due ? price : due;
    return d->client == d->node ? 0 : price < fund ? price : fund;
}

/* Ends a node's deals: clients get back what they paid ahead, and something from the fund. */
static void slash_end_deals(struct dc_exec *e, uint32_t id)
{
    struct dc_state *s = e->state;
    uint64_t epoch = e->header->epoch;
    for (uint32_t at = dc_state_account(s, id)->deal_last; at != DC_DEAL_NONE;) {
        const struct dc_deal *d = dc_state_deal(s, at);
        uint32_t prev = d->prev;
        if (d->end_epoch > epoch) {
            uint64_t back = d->price * (d->end_epoch - epoch);
            uint64_t more = slash_compensation(e, d);
            struct dc_account *client = dc_state_edit(s, d->client);
            s->meta.escrow = dc_sub_money(s->meta.escrow, back);
            s->meta.fund -= more;
            client->balance = dc_add_money(client->balance, dc_add_money(back, more));
            struct dc_deal *end = dc_tree_edit(&s->ledger->deals, &s->deals, at);
            end->end_epoch = epoch;
        }
        at = prev;
    }
    dc_state_edit(s, id)->used_bytes = 0;
}

static struct dc_slash *slash_note(struct dc_exec *e, uint32_t id, uint64_t amount, uint8_t reason,
                                   bool ejected)
{
    struct dc_slash *note = dc_list_add(&e->record->slash, sizeof *note);
    *note = (struct dc_slash){id, amount, reason, ejected};
    return note;
}

/* The node's part in the protocol ends.  Its bond is locked, at least as long as it would have
 * taken to unbond it, and stays slashable like its queue; while there is one, an open demand
 * stands. */
static void slash_end(struct dc_exec *e, uint32_t id)
{
    struct dc_state *s = e->state;
    struct dc_account *a = dc_state_edit(s, id);
    if (a->posync.ejected)
        return;
    s->meta.challenges_open -= a->posync.challenge.height != 0;
    s->meta.validators -= (a->roles & DC_ROLE_VALIDATOR) != 0;
    s->meta.services -= (a->roles & DC_ROLES_SERVICE) != 0;
    memset(&a->posync.challenge, 0, sizeof a->posync.challenge);
    if (slash_stake(a) == 0)
        memset(&a->demand, 0, sizeof a->demand);
    a->posync.ejected = 1;
    a->posync.in_t = 0;
    uint64_t lock = e->p->eject_lock_epochs, least = dc_unbonding_epochs(e->p, a);
    a->bond_release_epoch = e->header->epoch + (lock > least ? lock : least);
    slash_end_deals(e, id);
}

void dc_slash_eject(struct dc_exec *e, uint32_t id)
{
    slash_note(e, id, 0, DC_SLASH_EJECTED, true);
    slash_end(e, id);
}

/* What `reason` costs.  Part of bond and queue together: who unbonds in time does not get away. */
static uint64_t slash_amount(const struct dc_exec *e, const struct dc_account *a,
                             enum dc_slash_reason reason)
{
    const struct dc_params *p = e->p;
    uint64_t stake = slash_stake(a), amount;
    if (reason == DC_SLASH_EQUIVOCATION)
        return stake;
    if (reason == DC_SLASH_ABANDONED)
        amount = (uint64_t)(((unsigned __int128)a->used_bytes * p->bond_per_unit) >> 30);
    else
        amount =
            dc_muldiv(stake, a->slashes == 0 ? p->slash_first_ppm : p->slash_repeat_ppm, DC_PPM);
    return amount < stake ? amount : stake;
}

/* From the bond; what it lacks from the queue, that which leaves first, first. */
static void slash_take(struct dc_account *a, uint64_t amount)
{
    uint64_t part = amount < a->bond ? amount : a->bond;
    a->bond -= part;
    amount -= part;
    while (amount != 0) {
        uint32_t next = DC_UNBONDING_MAX;
        for (uint32_t i = 0; i < DC_UNBONDING_MAX; i++)
            if (a->unbonding[i].amount != 0 &&
                (next == DC_UNBONDING_MAX ||
                 a->unbonding[i].release_epoch < a->unbonding[next].release_epoch))
                next = i;
        DC_CHECK(next != DC_UNBONDING_MAX); /* the stake was counted */
        part = amount < a->unbonding[next].amount ? amount : a->unbonding[next].amount;
        a->unbonding[next].amount -= part;
        amount -= part;
    }
}

void dc_slash(struct dc_exec *e, uint32_t id, enum dc_slash_reason reason)
{
    struct dc_state *s = e->state;
    struct dc_account *a = dc_state_edit(s, id);
    uint64_t amount = slash_amount(e, a, reason);
    slash_take(a, amount);
    if (reason == DC_SLASH_EQUIVOCATION)
        a->slashed_equivocation = 1;
    a->slashes += a->slashes != UINT16_MAX;
    uint64_t fund = dc_muldiv(amount, e->p->slash_fund_ppm, DC_PPM);
    s->meta.fund = dc_add_money(s->meta.fund, fund);
    s->meta.burned = dc_add_money(s->meta.burned, amount - fund);
    slash_note(e, id, amount, (uint8_t)reason, reason == DC_SLASH_EQUIVOCATION);
    if (reason == DC_SLASH_EQUIVOCATION)
        slash_end(e, id);
    else if (reason == DC_SLASH_ABANDONED)
        slash_end_deals(e, id);
}

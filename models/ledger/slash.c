#include "models/ledger/execute.h"

/* Slashing and ejection: what leaves a bond is partly burned and partly goes to the fund, which
 * compensates the clients of a node that ends; nobody earns by a failure.  models/README.md 6,
 * 9. */

/* Ends a node's deals: clients get back what they paid ahead, and one epoch's price from the
 * fund. */
static void slash_end_deals(struct dc_exec *e, uint32_t id)
{
    struct dc_state *s = e->state;
    uint64_t epoch = e->header->epoch;
    for (uint32_t at = dc_state_account(s, id)->deal_last; at != DC_DEAL_NONE;) {
        const struct dc_deal *d = dc_state_deal(s, at);
        uint32_t prev = d->prev;
        if (d->end_epoch > epoch) {
            uint64_t back = d->price * (d->end_epoch - epoch);
            uint64_t more = d->price < s->meta.fund ? d->price : s->meta.fund;
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

/* The node's part in the protocol ends; its bond is locked, its queue stays slashable. */
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
    memset(&a->demand, 0, sizeof a->demand);
    a->posync.ejected = 1;
    a->posync.in_t = 0;
    a->bond_release_epoch = e->header->epoch + e->p->eject_lock_epochs;
    slash_end_deals(e, id);
}

void dc_slash_eject(struct dc_exec *e, uint32_t id)
{
    slash_note(e, id, 0, DC_SLASH_EJECTED, true);
    slash_end(e, id);
}

void dc_slash(struct dc_exec *e, uint32_t id, enum dc_slash_reason reason)
{
    struct dc_state *s = e->state;
    const struct dc_params *p = e->p;
    struct dc_account *a = dc_state_edit(s, id);
    uint64_t amount = 0;
    if (reason == DC_SLASH_EQUIVOCATION) {
        amount = a->bond;
        for (uint32_t i = 0; i < DC_UNBONDING_MAX; i++) {
            amount = dc_add_money(amount, a->unbonding[i].amount);
            a->unbonding[i].amount = 0;
        }
        a->bond = 0;
        a->slashed_equivocation = 1;
    } else {
        if (reason == DC_SLASH_ABANDONED)
            amount = (uint64_t)(((unsigned __int128)a->used_bytes * p->bond_per_unit) >> 30);
        else
            amount = dc_muldiv(a->bond, a->slashes == 0 ? p->slash_first_ppm : p->slash_repeat_ppm,
                               DC_PPM);
        amount = amount < a->bond ? amount : a->bond;
        a->bond -= amount;
    }
    a->slashes += a->slashes != UINT16_MAX;
    uint64_t fund = dc_muldiv(amount, p->slash_fund_ppm, DC_PPM);
    s->meta.fund = dc_add_money(s->meta.fund, fund);
    s->meta.burned = dc_add_money(s->meta.burned, amount - fund);
    slash_note(e, id, amount, (uint8_t)reason, reason == DC_SLASH_EQUIVOCATION);
    if (reason == DC_SLASH_EQUIVOCATION)
        slash_end(e, id);
    else if (reason == DC_SLASH_ABANDONED)
        slash_end_deals(e, id);
}

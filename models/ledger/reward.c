#include "models/ledger/execute.h"

/* Who gets what of an epoch: issuance and fees, less `burn`, into record->reward.
 *
 *   validators  issuance_validator each + fees
 *       - fee_inclusion per included heartbeat, verdict, late vote; fee_verdict per verdict given
 *       - of the rest three quarters by power x votes, a quarter by timely proposals
 *   services    issuance_service each
 *       - base_share by covered capacity: none of it on probation, all of it when the node has
 *         proved it (the last challenge not failed), else what paying clients use
 *       - the rest by S x min(work, capacity), at most (1 - epsilon) of what its take burned
 *
 * A node that failed a challenge in this epoch, or sent no heartbeat, gets nothing.  What is not
 * given out is burned.  models/README.md 9. */

struct reward_pool {
    struct dc_exec *e;
    const bool *failed;
    uint64_t given;
};

static bool reward_may(const struct reward_pool *pool, uint32_t id)
{
    const struct dc_posync *r = &pool->e->record->posync[id];
    return !pool->failed[id] && !r->ejected && !(r->s_defined && r->a == 0);
}

static void reward_give(struct reward_pool *pool, uint32_t id, uint64_t amount)
{
    if (!reward_may(pool, id))
        return;
    pool->e->record->reward[id] = dc_add_money(pool->e->record->reward[id], amount);
    pool->given = dc_add_money(pool->given, amount);
}

/* whole * weight / sum, rounded down; the parts of all weights never exceed the whole. */
static uint64_t reward_part(uint64_t whole, unsigned __int128 weight, unsigned __int128 sum)
{
    for (; sum >> 64 != 0; sum >>= 1)
        weight >>= 1;
    return sum == 0 ? 0 : (uint64_t)((unsigned __int128)whole * (uint64_t)weight / (uint64_t)sum);
}

static void reward_validators(struct reward_pool *pool, uint64_t amount)
{
    struct dc_exec *e = pool->e;
    const struct dc_work *w = e->state->work;
    const struct dc_committee *c = e->before->committee[1];
    unsigned __int128 by_votes = 0, flat = 0;
    uint64_t by_rounds = 0;
    for (uint32_t i = 0; i < w->members; i++) {
        flat += (unsigned __int128)w->member[i].included * e->p->fee_inclusion +
                (unsigned __int128)w->member[i].verdicts * e->p->fee_verdict;
        by_votes += (unsigned __int128)c->power[i] * w->member[i].votes;
        by_rounds += w->member[i].timely;
    }
    uint64_t fees = flat < amount ? (uint64_t)flat : amount;
    uint64_t rounds = (amount - fees) / 4, votes = amount - fees - rounds;
    for (uint32_t i = 0; i < w->members; i++) {
        const struct dc_member_work *m = &w->member[i];
        unsigned __int128 own = (unsigned __int128)m->included * e->p->fee_inclusion +
                                (unsigned __int128)m->verdicts * e->p->fee_verdict;
        reward_give(pool, c->member[i],
                    reward_part(fees, own, flat) +
                        reward_part(votes, (unsigned __int128)c->power[i] * m->votes, by_votes) +
                        reward_part(rounds, m->timely, by_rounds));
        if (DC_MUTANT(e->p, REWARD_TWICE))
            e->record->reward[c->member[i]] *= 2;
    }
}

struct reward_weights {
    uint64_t base, work; /* bytes */
};

static struct reward_weights reward_weigh(const struct reward_pool *pool, uint32_t id)
{
    const struct dc_params *p = pool->e->p;
    const struct dc_account *a = dc_state_account(pool->e->state, id);
    const struct dc_posync *r = &pool->e->record->posync[id];
    uint64_t capacity = dc_state_capacity(p, a);
    uint64_t served = a->used_bytes < capacity ? a->used_bytes : capacity;
    uint64_t base = r->passed < p->probation ? 0 : r->escalated ? served : capacity;
    return (struct reward_weights){base, dc_q31_of(served, r->score)};
}

static bool reward_is_service(const struct reward_pool *pool, uint32_t id)
{
    return (dc_state_account(pool->e->state, id)->roles & DC_ROLES_SERVICE) != 0 &&
           reward_may(pool, id);
}

static void reward_services(struct reward_pool *pool, uint64_t amount)
{
    struct dc_exec *e = pool->e;
    uint64_t base = dc_muldiv(amount, e->p->base_share_ppm, DC_PPM), work = amount - base;
    unsigned __int128 by_base = 0, by_work = 0;
    for (uint32_t id = 0; id < e->state->meta.accounts; id++) {
        if (!reward_is_service(pool, id))
            continue;
        struct reward_weights w = reward_weigh(pool, id);
        by_base += w.base;
        by_work += w.work;
    }
    for (uint32_t id = 0; id < e->state->meta.accounts; id++) {
        if (!reward_is_service(pool, id))
            continue;
        struct reward_weights w = reward_weigh(pool, id);
        uint64_t most =
            dc_muldiv(dc_state_tally(e->state, id)->take,
                      DC_PPM - (e->p->epsilon_ppm < DC_PPM ? e->p->epsilon_ppm : DC_PPM), DC_PPM);
        uint64_t part = reward_part(work, w.work, by_work);
        reward_give(pool, id, reward_part(base, w.base, by_base) + (part < most ? part : most));
    }
}

/* A node that has unbonded everything is still registered, but nothing is issued for it, nor for a
 * revoked one: else names without a stake would swell what others get. */
static void reward_issuance(const struct dc_exec *e, uint64_t *validators, uint64_t *services)
{
    *validators = *services = 0;
    for (uint32_t id = 0; id < e->state->meta.accounts; id++) {
        const struct dc_account *a = dc_state_account(e->state, id);
        if (!dc_account_is_node(a) || a->revoked)
            continue;
        if ((a->roles & DC_ROLE_VALIDATOR) && (a->bond != 0 || e->p->bond_min_validator == 0))
            *validators = dc_add_money(*validators, e->p->issuance_validator);
        if ((a->roles & DC_ROLES_SERVICE) && (a->bond != 0 || e->p->bond_min_service == 0))
            *services = dc_add_money(*services, e->p->issuance_service);
    }
}

void dc_reward_epoch(struct dc_exec *e, const bool *failed)
{
    struct dc_meta *m = &e->state->meta;
    struct dc_outcome *o = &e->record->outcome;
    uint64_t validators, services;
    reward_issuance(e, &validators, &services);
    uint64_t keep = DC_PPM - (e->p->burn_ppm < DC_PPM ? e->p->burn_ppm : DC_PPM);
    struct reward_pool pool = {e, failed, 0};
    o->issued = dc_add_money(validators, services);
    o->fees = m->fees;
    reward_validators(&pool, dc_muldiv(dc_add_money(validators, m->fees), keep, DC_PPM));
    o->reward_validators = pool.given;
    reward_services(&pool, dc_muldiv(services, keep, DC_PPM));
    o->reward_services = pool.given - o->reward_validators;
    o->burned = dc_add_money(o->issued, o->fees) - pool.given;
    m->minted = dc_add_money(m->minted, o->issued);
    m->burned = dc_add_money(m->burned, o->burned);
    m->escrow = dc_sub_money(m->escrow, m->fees);
    m->fees = 0;
}

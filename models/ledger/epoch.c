#include "models/ledger/execute.h"

/* The turn of an epoch, in the first block of epoch e = x + 1:
 *
 *   measure, settle challenges, P, S -> outlook of services -> pay deals of x -> rewards -> flags
 *   -> expire deals -> write accounts, eject, release -> forget tallies and reports
 *   -> committees move up -> parameters of e in force -> T(e)
 *
 * It touches every node once.  models/README.md 5, 6, 7, 9. */

uint64_t dc_epoch_due(const struct dc_exec *e, const struct dc_deal *d)
{
    const struct dc_posync *r = &e->record->posync[d->node];
    bool silent = r->s_defined && r->a == 0;
    return silent || d->end_epoch <= e->before->meta.epoch ? 0 : dc_deal_due(d);
}

/* Each live deal's price of the epoch leaves escrow: of what is due the take is burned and the rest
 * is the node's, unless it should have sent heartbeats and sent none; what is left goes back to the
 * client. */
static void epoch_pay_deals(struct dc_exec *e)
{
    struct dc_state *s = e->state;
    for (uint32_t i = s->meta.deals_live; i < s->meta.deals; i++) {
        const struct dc_deal *d = dc_state_deal(s, i);
        if (d->end_epoch <= e->before->meta.epoch)
            continue;
        uint64_t due = dc_epoch_due(e, d), take = dc_muldiv(due, e->p->take_ppm, DC_PPM);
        if (due != 0) {
            struct dc_account *node = dc_state_edit(s, d->node);
            node->balance = dc_add_money(node->balance, due - take);
        }
        if (due != d->price) {
            struct dc_account *client = dc_state_edit(s, d->client);
            client->balance = dc_add_money(client->balance, d->price - due);
        }
        s->meta.escrow = dc_sub_money(s->meta.escrow, d->price);
        s->meta.burned = dc_add_money(s->meta.burned, take);
        if (take != 0)
            dc_state_tally_edit(s, d->node)->take += take;
        if (d->most_bytes != d->paid_bytes) {
            struct dc_deal *next = dc_tree_edit(&s->ledger->deals, &s->deals, i);
            next->most_bytes = next->paid_bytes;
        }
    }
}

static void epoch_expire_deals(struct dc_exec *e)
{
    struct dc_state *s = e->state;
    bool leading = true;
    for (uint32_t i = s->meta.deals_live; i < s->meta.deals; i++) {
        const struct dc_deal *d = dc_state_deal(s, i);
        if (d->end_epoch > e->header->epoch) {
            leading = false;
            continue;
        }
        if (d->end_epoch == e->header->epoch) /* earlier: ended with its node, or expired before */
            dc_state_edit(s, d->node)->used_bytes -= d->paid_bytes;
        if (leading)
            s->meta.deals_live = i + 1;
    }
}

/* Measures and settles one node; *eject when the sequential test says so. */
static bool epoch_settle_node(struct dc_exec *e, uint32_t id, struct dc_posync *r, bool *eject)
{
    uint32_t before = r->passed + r->failed;
    dc_measure_node(e, id, r);
    bool failed = dc_challenge_settle(e, id, r);
    r->score = dc_posync_smooth(e->p, r->score, dc_posync_performance(e->p, r));
    if (failed)
        r->score = dc_q31_mul(r->score, e->p->kappa);
    *eject = r->passed + r->failed != before && dc_posync_sprt(e->p, r, failed);
    return failed;
}

/* Balances, queues, collateral and ejection of one account. */
static void epoch_write_account(struct dc_exec *e, uint32_t id, bool eject)
{
    struct dc_state *s = e->state;
    const struct dc_account *old = dc_state_account(s, id);
    uint64_t epoch = e->header->epoch, released = 0;
    for (uint32_t i = 0; i < DC_UNBONDING_MAX; i++)
        if (old->unbonding[i].amount != 0 && old->unbonding[i].release_epoch <= epoch)
            released = dc_add_money(released, old->unbonding[i].amount);
    bool unlock = old->posync.ejected && old->bond != 0 && old->bond_release_epoch <= epoch &&
                  old->demand.height == 0;
    bool node = dc_account_is_node(old);
    if (!node && released == 0 && !unlock)
        return;
    struct dc_account *a = dc_state_edit(s, id);
    for (uint32_t i = 0; i < DC_UNBONDING_MAX; i++)
        if (a->unbonding[i].release_epoch <= epoch)
            a->unbonding[i].amount = 0;
    a->balance = dc_add_money(a->balance, released);
    if (unlock) {
        a->balance = dc_add_money(a->balance, a->bond);
        a->bond = 0;
    }
    if (!node)
        return;
    a->balance = dc_add_money(a->balance, e->record->reward[id]);
    a->posync = e->record->posync[id];
    uint64_t seen = dc_state_tally(s, id)->last_due;
    seen = seen > a->joined ? seen : a->joined;
    if (eject)
        dc_slash_eject(e, id);
    else if (a->used_bytes != 0 && seen + e->p->abandon_heights < e->header->height)
        dc_slash(e, id, DC_SLASH_ABANDONED);
}

/* [1], counted for the next epoch, moves to [0]. */
static void epoch_roll_tallies(struct dc_state *s)
{
    for (uint32_t id = 0; id < s->meta.accounts; id++) {
        const struct dc_tally *t = dc_state_tally(s, id);
        struct dc_tally next = {.last_due = t->last_due, .report = DC_REPORT_NONE};
        next.timeliness[0] = t->timeliness[1];
        next.heartbeats[0] = t->heartbeats[1];
        if (t->last_due == 0 && t->take == 0 && t->report == DC_REPORT_NONE)
            continue; /* a client's, or a node's that never spoke */
        *dc_state_tally_edit(s, id) = next;
    }
    dc_tree_drop(&s->ledger->reports, &s->reports);
}

static void epoch_move_committees(struct dc_exec *e)
{
    struct dc_state *s = e->state;
    const struct dc_state *up = e->before;
    memmove(&s->committee[1], &s->committee[0], (DC_COMMITTEES - 1) * sizeof s->committee[0]);
    uint32_t hashes = 0;
    uint64_t next = e->header->epoch + 1;
    if (next <= 2) /* by genesis: its accounts, its beacon */
        s->committee[0] =
            dc_committee_draw(s->ledger, &up->past, next, &up->committee[1]->beacon, &hashes);
    else
        s->committee[0] = dc_committee_draw(s->ledger, &up->past, next, &up->meta.beacon, &hashes);
    e->record->charge[DC_COST_HASH] += hashes;
    dc_tree_drop(&s->ledger->accounts, &s->past);
    s->past = dc_tree_hold(&up->accounts);
    dc_work_drop(s->ledger, s->work);
    s->work = dc_work_new(s->ledger, e->header->epoch, s->committee[1]->count);
}

/* Anomaly detection (models/README.md 8): flags of the epoch that begins, from what the epoch that
 * ended showed. */
static void epoch_flag(struct dc_exec *e, const bool *failed)
{
    struct dc_state *s = e->state;
    uint32_t n = s->meta.accounts;
    if (s->anomaly == NULL)
        return;
    struct dc_features *features = dc_mem_need(n, sizeof *features, "features");
    struct dc_anomaly_verdict *verdict = dc_mem_need(n, sizeof *verdict, "flags");
    dc_features_make(e, failed, features);
    uint64_t seed = dc_hash_u64(&e->before->meta.beacon);
    const struct dc_params *p = dc_ledger_params(e->ledger, e->header->epoch);
    struct dc_anomaly *next = dc_anomaly_epoch(s->anomaly, p, features, n, seed, verdict);
    dc_anomaly_drop(s->anomaly);
    s->anomaly = next;
    for (uint32_t id = 0; id < n; id++) {
        struct dc_posync *r = &e->record->posync[id];
        r->flagged = features[id].present && verdict[id].flagged;
        r->p_value_rank = verdict[id].rank;
        r->p_value_of = verdict[id].of;
    }
    dc_mem_free(features);
    dc_mem_free(verdict);
}

void dc_epoch_turn(struct dc_exec *e)
{
    struct dc_state *s = e->state;
    struct dc_record *rec = e->record;
    uint32_t n = rec->outcome.accounts = s->meta.accounts;
    rec->reward = dc_mem_need(n, sizeof *rec->reward, "rewards");
    rec->posync = dc_mem_need(n, sizeof *rec->posync, "records");
    rec->bytes += n * (sizeof *rec->reward + sizeof *rec->posync);
    bool *failed = dc_mem_need(n, 2, "an epoch"), *eject = failed + n;
    for (uint32_t id = 0; id < n; id++) {
        rec->posync[id] = dc_state_account(s, id)->posync;
        if (dc_account_is_node(dc_state_account(s, id)))
            failed[id] = epoch_settle_node(e, id, &rec->posync[id], &eject[id]);
    }
    dc_assign_outlook(e);
    epoch_pay_deals(e);
    dc_reward_epoch(e, failed);
    epoch_flag(e, failed);
    epoch_expire_deals(e); /* before nodes end, which ends their other deals */
    for (uint32_t id = 0; id < n; id++)
        epoch_write_account(e, id, eject[id]);
    dc_mem_free(failed);
    epoch_roll_tallies(s);
    epoch_move_committees(e);
    s->meta.epoch = e->header->epoch;
    e->p = dc_state_params(s); /* what ended is settled; what begins is the next epoch's */
    s->meta.heartbeat_every_before = s->meta.heartbeat_every;
    s->meta.heartbeat_every =
        dc_posync_heartbeat_every(e->p, s->meta.validators + s->meta.services);
    rec->charge[DC_COST_HASH] += s->meta.validators + s->meta.services; /* coins */
    rec->charge[DC_COST_HASH] += dc_assign_epoch(s, &e->before->meta.beacon, rec->reward);
}

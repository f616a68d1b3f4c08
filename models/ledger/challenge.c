#include "models/ledger/execute.h"

#include <stdlib.h>

/* The life of a challenge on chain.
 *
 *   epoch e, first two thirds:  in T(e) -> drawn at a height (R of f, the certified height)
 *           to the end of e:    verdicts of its verifiers
 *   first block of e+1:         majority: pass | fail | missed -> second asking
 *                               | undecided -> T(e+1)
 *   epoch e+1, first third:     second asking drawn; verdicts to the end of e+1
 *   first block of e+2:         pass | fail (two misses) | undecided -> T(e+2)
 *
 * A failure opens a demand, which the node must answer on chain.  models/README.md 6. */

static void challenge_draw_one(struct dc_exec *e, uint32_t id, uint8_t asking, uint64_t f,
                               const struct dc_hash *beacon_f)
{
    struct dc_account *a = dc_state_edit(e->state, id);
    struct dc_posync *r = &a->posync;
    struct dc_challenge *c = &r->challenge, old = *c;
    memset(c, 0, sizeof *c);
    c->height = e->header->height;
    c->f_height = f;
    c->epoch = asking == 1 ? e->header->epoch : old.epoch;
    c->asking = asking;
    if (asking == 1)
        r->asked = (uint32_t)c->epoch + 1;
    c->cause = asking == 1 ? r->in_t : old.cause;
    c->nonce = dc_posync_nonce(beacon_f, id, c->height);
    const struct dc_policy *policy = dc_policy_of(e->p);
    struct dc_policy_view view = dc_assign_view(e->state, a, beacon_f);
    c->k = asking == 1 ? policy->how_hard(&view, r, c->cause, &c->nonce) : old.k;
    c->verifiers = dc_posync_verifiers_draw(policy->how_many(&view, r, c->cause), &c->nonce, id,
                                            e->committee->member, e->committee->count, c->verifier);
    c->response_us = UINT32_MAX;
    e->state->meta.challenges_open++;
    e->record->charge[DC_COST_HASH] += 2 + c->verifiers;
    *(uint32_t *)dc_list_add(&e->record->drawn, sizeof(uint32_t)) = id;
    for (uint32_t i = 0; i < c->verifiers; i++)
        *(struct dc_duty *)dc_list_add(&e->record->duty, sizeof(struct dc_duty)) =
            (struct dc_duty){c->verifier[i], id};
}

/* The chance of this height within the window of first (second) askings, by the policy's weights:
 * *weight out of *left.  False when the window is over. */
static bool challenge_chance(const struct dc_exec *e, bool second, const struct dc_hash *beacon_f,
                             uint64_t *weight, uint64_t *left)
{
    uint32_t first, last;
    dc_posync_draw_window(e->p, second, &first, &last);
    uint64_t offset = e->header->height - 1 - e->header->epoch * e->p->epoch_blocks;
    if (offset < first || offset > last)
        return false;
    uint32_t slots = last - first + 1;
    uint32_t *load = dc_mem_need(slots, 2 * sizeof *load, "a draw"), *weights = load + slots;
    for (uint32_t i = 0; i < slots && e->p->quiet; i++)
        load[i] = e->state->meta.load[dc_assign_slot(e->p, first + i)];
    struct dc_policy_view view = {.params = e->p,
                                  .beacon = beacon_f,
                                  .epoch = e->header->epoch,
                                  .theta = e->state->meta.theta,
                                  .load = e->p->quiet ? load : NULL};
    dc_policy_of(e->p)->when(&view, slots, weights);
    *weight = weights[offset - first];
    *left = 0;
    for (uint64_t i = offset - first; i < slots; i++)
        *left += weights[i];
    dc_mem_free(load);
    return true;
}

/* Draws from list[count]; returns how many stay, moved to keep. */
static uint32_t challenge_draw_list(struct dc_exec *e, bool second, const uint32_t *list,
                                    uint32_t count, uint64_t f, const struct dc_hash *beacon_f,
                                    uint32_t *keep)
{
    uint32_t kept = 0;
    uint64_t weight, left;
    bool open = count != 0 && challenge_chance(e, second, beacon_f, &weight, &left);
    for (uint32_t i = 0; i < count; i++) {
        if (dc_state_account(e->state, list[i])->posync.ejected)
            continue;
        e->record->charge[DC_COST_HASH] += open;
        if (open && dc_posync_drawn_weighted(beacon_f, list[i], e->header->height, weight, left))
            challenge_draw_one(e, list[i], second ? 2 : 1, f, beacon_f);
        else
            keep[kept++] = list[i];
    }
    return kept;
}

static int challenge_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int challenge_duty_order(const void *a, const void *b)
{
    const struct dc_duty *x = a, *y = b;
    if (x->verifier != y->verifier)
        return x->verifier < y->verifier ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

uint32_t dc_outcome_duty(const struct dc_outcome *outcome, uint32_t verifier)
{
    uint32_t low = 0, high = outcome->duty_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (outcome->duty[mid].verifier < verifier)
            low = mid + 1;
        else
            high = mid;
    }
    return low < outcome->duty_count && outcome->duty[low].verifier == verifier
               ? low
               : outcome->duty_count;
}

void dc_challenge_draw(struct dc_exec *e)
{
    struct dc_state *s = e->state;
    struct dc_agenda *old = s->agenda;
    if (old->first_count + old->second_count == 0)
        return;
    uint64_t f = s->meta.final_height, parent = e->header->height - 1;
    if (parent - f > DC_WINDOW_HEIGHTS)
        f = parent - DC_WINDOW_HEIGHTS;
    const struct dc_block *at_f = dc_execute_block_at(e, f);
    if (at_f == NULL)
        return; /* unknown */
    struct dc_hash beacon_f = at_f->header.beacon;
    uint32_t *keep = dc_mem_need(old->first_count + old->second_count, sizeof *keep, "an agenda");
    uint32_t second =
        challenge_draw_list(e, true, old->second, old->second_count, f, &beacon_f, keep);
    uint32_t first =
        challenge_draw_list(e, false, old->first, old->first_count, f, &beacon_f, keep + second);
    if (first != old->first_count || second != old->second_count) {
        struct dc_agenda *a = dc_agenda_new(s->ledger, first, second, old->demand_count);
        if (second != 0)
            memcpy(a->second, keep, second * sizeof *keep);
        if (first != 0)
            memcpy(a->first, keep + second, first * sizeof *keep);
        if (old->demand_count != 0)
            memcpy(a->demand, old->demand, old->demand_count * sizeof *old->demand);
        dc_agenda_drop(s->ledger, old);
        s->agenda = a;
    }
    dc_mem_free(keep);
    if (e->record->drawn.count != 0)
        qsort(e->record->drawn.data, e->record->drawn.count, sizeof(uint32_t), challenge_order);
    if (e->record->duty.count != 0)
        qsort(e->record->duty.data, e->record->duty.count, sizeof(struct dc_duty),
              challenge_duty_order);
}

void dc_challenge_demand_drop(struct dc_exec *e, uint32_t node)
{
    struct dc_account *a = dc_state_edit(e->state, node);
    memset(&a->demand, 0, sizeof a->demand);
}

/* A demand past its time: punished when the chain shows that the node lived and could have
 * answered; a node that was silent altogether is unpaid, and may lose its collateral later. */
void dc_challenge_demands(struct dc_exec *e)
{
    struct dc_state *s = e->state;
    struct dc_agenda *old = s->agenda;
    uint32_t left = 0;
    for (uint32_t i = 0; i < old->demand_count; i++)
        left += old->demand[i].due_height > e->header->height;
    if (left == old->demand_count)
        return;
    struct dc_agenda *a = dc_agenda_new(s->ledger, old->first_count, old->second_count, left);
    if (old->first_count != 0)
        memcpy(a->first, old->first, old->first_count * sizeof *old->first);
    if (old->second_count != 0)
        memcpy(a->second, old->second, old->second_count * sizeof *old->second);
    left = 0;
    for (uint32_t i = 0; i < old->demand_count; i++) {
        uint32_t id = old->demand[i].node;
        const struct dc_demand d = dc_state_account(s, id)->demand;
        if (old->demand[i].due_height > e->header->height) {
            a->demand[left++] = old->demand[i];
        } else if (d.height != 0 && d.due_height == old->demand[i].due_height) {
            dc_challenge_demand_drop(e, id);
            if (dc_state_tally(s, id)->last_due > d.height)
                dc_slash(e, id, DC_SLASH_UNANSWERED);
        }
    }
    dc_agenda_drop(s->ledger, old);
    s->agenda = a;
}

/* Median share of samples that the verifiers of a failure saw proved. */
static dc_q31 challenge_proved(const struct dc_challenge *c)
{
    uint8_t v[DC_VERIFIERS_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->verifiers; i++) {
        if (c->verdict[i] != DC_VERDICT_FAIL)
            continue;
        uint32_t at = n++;
        for (; at > 0 && v[at - 1] > c->proved[i]; at--)
            v[at] = v[at - 1];
        v[at] = c->proved[i];
    }
    return n == 0 ? 0 : dc_q31_ratio(v[(n - 1) / 2], c->k);
}

/* By those drawn, whether or not they spoke. */
static enum dc_verdict_kind challenge_majority(const struct dc_exec *e,
                                               const struct dc_challenge *c)
{
    if (!DC_MUTANT(e->p, VERDICT_PRESENT))
        return dc_posync_majority(c, true);
    struct dc_challenge present = {.verifiers = 0};
    for (uint32_t i = 0; i < c->verifiers; i++)
        if (c->verdict[i] != DC_VERDICT_NONE)
            present.verdict[present.verifiers++] = c->verdict[i];
    return dc_posync_majority(&present, true);
}

bool dc_challenge_settle(struct dc_exec *e, uint32_t id, struct dc_posync *r)
{
    struct dc_challenge *c = &r->challenge, old = *c;
    if (c->height == 0)
        return false;
    enum dc_verdict_kind v = challenge_majority(e, c);
    struct dc_settled *note = dc_list_add(&e->record->settled, sizeof *note);
    note->node = id;
    note->challenge = old;
    note->verdict = (uint8_t)v;
    e->state->meta.challenges_open--;
    memset(c, 0, sizeof *c);
    r->undecided = v == DC_VERDICT_UNDECIDED;
    if (v == DC_VERDICT_UNDECIDED)
        return false;
    if (v == DC_VERDICT_PASS) {
        r->proved = DC_ONE;
        r->escalated = 0;
        r->passed++;
        dc_history_verdict(e->p, r, true);
        return false;
    }
    if (v != DC_VERDICT_FAIL && old.asking == 1) { /* late is not wrong: asked again */
        c->asking = 2;
        c->cause = old.cause;
        c->k = old.k;
        c->epoch = old.epoch;
        return false;
    }
    r->proved = v == DC_VERDICT_FAIL ? challenge_proved(&old) : 0;
    r->escalated = 1;
    r->failed++;
    dc_history_verdict(e->p, r, false);
    struct dc_account *a = dc_state_edit(e->state, id);
    if (a->demand.height == 0 && a->capacity_bytes != 0) { /* else nothing could be shown */
        a->demand.height = e->header->height;
        a->demand.due_height = e->header->height + e->p->answer_heights;
        a->demand.nonce = old.nonce;
        a->demand.k = old.k;
        *(uint32_t *)dc_list_add(&e->record->demand, sizeof(uint32_t)) = id;
    }
    return true;
}

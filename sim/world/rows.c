/* Tables of the results file: blocks, challenges, epochs, digests.
 *
 * A height is closed when the chain is OBSERVE_LAG heights beyond it, so that slow validators'
 * commits are in its row; what its block's execution said (challenges drawn and settled, slashes,
 * rewards) is taken then, in order of height. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/base/mem.h"
#include "sim/world/observer.h"
#include "sim/world/private.h"

/* --- rows ----------------------------------------------------------------------------------- */

void world_append(struct ds_world *w, int table, const void *row)
{
    if (w->observer->recorder != NULL && w->error.status == DC_OK)
        world_status(w, ds_recorder_append(w->observer->recorder, table, row, &w->error));
}

static int rows_compare_times(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return a < b ? -1 : a > b;
}

static void rows_block(struct ds_world *w, struct height_row *r)
{
    const struct dc_block *b = r->block;
    qsort(r->commit_ns, r->commits, sizeof *r->commit_ns, rows_compare_times);
    struct ds_row_block row = {.height = r->height,
                               .epoch = b->header.epoch,
                               .round = b->header.round,
                               .transactions = b->tx_count,
                               .bytes = b->size,
                               .proposer = b->header.proposer,
                               .proposed_s = (double)r->proposed_ns / 1e9,
                               .committed_first_s = NAN,
                               .committed_median_s = NAN,
                               .committed_last_s = NAN};
    if (r->commits != 0) {
        row.committed_first_s = (double)r->commit_ns[0] / 1e9;
        uint32_t median = (r->commits - 1) / 2;
        row.committed_median_s = (double)r->commit_ns[median] / 1e9;
        row.committed_last_s = (double)r->commit_ns[r->commits - 1] / 1e9;
    }
    world_append(w, DS_TABLE_BLOCKS, &row);
}

static uint8_t rows_cause(uint8_t causes)
{
    uint8_t c = causes & DC_CAUSE_THETA ? DS_CAUSE_THETA : 0;
    c |= causes & DC_CAUSE_AUDIT ? DS_CAUSE_AUDIT : 0;
    c |= causes & DC_CAUSE_FLAG ? DS_CAUSE_FLAG : 0;
    c |= causes & DC_CAUSE_READY ? DS_CAUSE_READY : 0;
    return (uint8_t)(c |
                     (causes & (DC_CAUSE_ESCALATION | DC_CAUSE_RETRY) ? DS_CAUSE_ESCALATION : 0));
}

static void rows_drawn(struct ds_world *w, const struct dc_block *b)
{
    struct ds_observer *o = w->observer;
    struct ds_row_epoch *e = &o->epoch_row;
    for (uint32_t i = 0; i < b->outcome->drawn_count; i++) {
        uint32_t node = b->outcome->drawn[i];
        const struct dc_challenge *c = &dc_state_account(b->state, node)->posync.challenge;
        if (c->asking != 1)
            continue;
        uint8_t cause = rows_cause(c->cause);
        o->challenges++;
        o->challenges_upgraded += w->scenario->upgrades &&
                                  b->header.epoch >= w->scenario->upgrade.epoch;
        o->challenges_cheat += world_cheats(w, node, b->header.epoch);
        e->challenges_issued++;
        e->challenges_theta += (cause & DS_CAUSE_THETA) != 0;
        e->challenges_audit += (cause & DS_CAUSE_AUDIT) != 0;
        e->challenges_flag += (cause & DS_CAUSE_FLAG) != 0;
        e->challenges_escalation += (cause & DS_CAUSE_ESCALATION) != 0;
        e->challenges_ready += (cause & DS_CAUSE_READY) != 0;
        for (int k = 0; k < DS_CAUSE_COUNT; k++)
            o->by_cause[k] += cause >> k & 1;
    }
    e->demands += b->outcome->demand_count;
    o->demands += b->outcome->demand_count;
}

static uint8_t rows_verdict(uint8_t verdict)
{
    static const uint8_t map[] = {
        [DC_VERDICT_NONE] = DS_VERDICT_NONE,     [DC_VERDICT_PASS] = DS_VERDICT_PASS,
        [DC_VERDICT_FAIL] = DS_VERDICT_FAIL,     [DC_VERDICT_LATE] = DS_VERDICT_LATE,
        [DC_VERDICT_SILENT] = DS_VERDICT_SILENT, [DC_VERDICT_UNDECIDED] = DS_VERDICT_UNDECIDED};
    return map[verdict <= DC_VERDICT_UNDECIDED ? verdict : 0];
}

static void rows_settle_one(struct ds_world *w, const struct dc_block *b,
                            const struct dc_settled *s)
{
    struct ds_observer *o = w->observer;
    struct ds_row_epoch *e = &o->epoch_row;
    struct fate *f = &o->fate[s->node];
    uint8_t truth = world_truth(w, s->node, s->challenge.epoch);
    bool cheat = (truth & WORLD_CHEATS) != 0 || world_excused(w, s->node);
    bool pass = s->verdict == DC_VERDICT_PASS;
    struct link_tally *link = &o->link[w->link_class[s->node] % OBSERVE_LINKS];
    bool undecided = s->verdict == DC_VERDICT_UNDECIDED;
    /* A first asking that was missed is asked again: no failure yet (models/README.md 6). */
    bool failed =
        s->verdict == DC_VERDICT_FAIL || (!pass && !undecided && s->challenge.asking == 2);
    uint8_t cause = rows_cause(s->challenge.cause);
    struct ds_row_challenge row = {.epoch = s->challenge.epoch,
                                   .height = s->challenge.height,
                                   .node = s->node,
                                   .asking = s->challenge.asking,
                                   .verifiers = s->challenge.verifiers,
                                   .cause = cause,
                                   .k = s->challenge.k,
                                   .verdict = rows_verdict(s->verdict),
                                   .strategy = truth & (WORLD_STRATEGIES_MAX - 1),
                                   .response_time_s = s->challenge.response_us == UINT32_MAX
                                                          ? NAN
                                                          : s->challenge.response_us / 1e6};
    world_append(w, DS_TABLE_CHALLENGES, &row);
    f->verdict = row.verdict;
    f->cause = cause;
    f->k = row.k;
    if (failed && f->failed == 0 && f->spell != 0 && s->challenge.epoch + 1 >= f->spell)
        f->failed = (uint32_t)s->challenge.epoch + 1;
    bool late = s->verdict == DC_VERDICT_LATE || s->verdict == DC_VERDICT_SILENT;
    e->challenges_passed += pass;
    e->challenges_undecided += undecided;
    e->challenges_late += late;
    e->challenges_failed += failed;
    for (int k = 0; k < DS_CAUSE_COUNT; k++) {
        e->passed_by_cause[k] += pass && cause >> k & 1;
        e->failed_by_cause[k] += failed && cause >> k & 1;
        e->late_by_cause[k] += late && cause >> k & 1;
    }
    e->honest_failed += failed && !cheat;
    e->cheats_failed += failed && cheat;
    link->settled += !cheat && !undecided;
    link->failed += failed && !cheat;
}

/* What the first block of an epoch punishes was done before it, and is counted there. */
static void rows_slashes(struct ds_world *w, const struct dc_block *b)
{
    struct ds_observer *o = w->observer;
    struct ds_row_epoch *e = &o->epoch_row;
    uint64_t epoch = b->header.epoch - (b->outcome->first_of_epoch && b->header.epoch != 0);
    for (uint32_t i = 0; i < b->outcome->slash_count; i++) {
        const struct dc_slash *s = &b->outcome->slash[i];
        struct fate *f = &o->fate[s->node];
        /* who deviated once may be found out later; it is no honest node any more */
        bool cheat = world_cheats(w, s->node, epoch) || world_excused(w, s->node);
        f->slashed_epoch += s->amount;
        f->slashed_honest += cheat ? 0 : s->amount;
        if (s->reason == DC_SLASH_EQUIVOCATION && !cheat)
            f->slashed_equivocation = true;
        *(cheat ? &e->slashed_cheats : &e->slashed_honest) += s->amount;
        if (s->ejected) {
            uint32_t *first = cheat ? &f->ejected : &f->ejected_honest;
            if (*first == 0 && (!cheat || f->spell != 0))
                *first = (uint32_t)b->header.epoch + 1;
            f->ejections += !cheat && f->ejections < UINT8_MAX;
            *(cheat ? &e->ejected_cheats : &e->ejected_honest) += 1;
        }
    }
}

/* One node's columns, and what follows from them for the sums of the run. */
static void rows_node(struct ds_world *w, const struct dc_block *b, uint32_t n, uint64_t epoch)
{
    struct ds_observer *o = w->observer;
    struct columns *c = o->columns;
    struct fate *f = &o->fate[n];
    const struct dc_outcome *out = b->outcome;
    bool known = n < out->accounts;
    const struct dc_posync *p = out->record != NULL && known ? &out->record[n] : NULL;
    const struct dc_account *a = dc_state_account(b->state, n);
    uint8_t truth = world_truth(w, n, epoch);
    bool cheat = (truth & WORLD_CHEATS) != 0;
    /* after its ejection a node has no record any more */
    bool part = p != NULL && !p->ejected && w->group[n]->role != DS_ROLE_CLIENT;
    uint32_t expected = c->forecast[n];
    c->utilisation[n] = part && p->u_defined ? p->u : DS_Q31_NONE;
    c->forecast[n] = part && p->seen != 0 ? p->forecast : DS_Q31_NONE;
    c->synchronicity[n] = part && p->s_defined ? p->s : DS_Q31_NONE;
    c->availability[n] = part && p->s_defined ? p->a : DS_Q31_NONE;
    c->quality[n] = part && p->q_defined ? p->q : DS_Q31_NONE;
    c->score[n] = part ? p->score : DS_Q31_NONE;
    c->difficulty[n] = f->k;
    c->verdict[n] = f->verdict;
    c->cause[n] = f->cause;
    c->flagged[n] = part && p->flagged;
    c->p_value[n] = part && p->p_value_of != 0 ? (double)p->p_value_rank / p->p_value_of : NAN;
    c->bond[n] = a != NULL ? a->bond : 0;
    c->reward[n] = out->reward != NULL && known ? out->reward[n] : 0;
    c->strategy[n] = truth & (WORLD_STRATEGIES_MAX - 1);
    if (expected != DS_Q31_NONE && c->utilisation[n] != DS_Q31_NONE) {
        o->forecast_error += fabs(dc_q31_to_double(expected) - dc_q31_to_double(c->utilisation[n]));
        o->forecasts++;
    }
    f->flagged = f->flagged || (c->flagged[n] && cheat);
    o->epoch_row.flagged_true += c->flagged[n] && cheat;
    o->epoch_row.flagged_false += c->flagged[n] && !cheat;
    o->epoch_row.reward_to_cheats += cheat ? c->reward[n] : 0;
    if (!cheat && w->group[n]->role == DS_ROLE_SERVICE) {
        o->honest_reward += c->reward[n];
        o->honest_epochs++;
    }
    world_tally_node(w, n, epoch, c->reward[n]);
    f->out = p != NULL && p->ejected;
    f->k = f->verdict = f->cause = 0;
}

static void rows_node_epoch(struct ds_world *w, const struct dc_block *b)
{
    struct ds_observer *o = w->observer;
    struct columns *c = o->columns;
    uint64_t epoch = b->header.epoch - 1;
    for (uint32_t n = 0; n < w->nodes; n++)
        rows_node(w, b, n, epoch);
    world_tally_epoch(w, epoch);
    uint64_t right = o->epoch_row.flagged_true, wrong = o->epoch_row.flagged_false;
    o->flags += right + wrong;
    o->flags_false += wrong;
    o->fdr += right + wrong == 0 ? 0 : (double)wrong / (double)(right + wrong);
    o->reward_cheats += o->epoch_row.reward_to_cheats;
    struct ds_row_node_epoch row = {.utilisation = c->utilisation,
                                    .forecast = c->forecast,
                                    .synchronicity = c->synchronicity,
                                    .availability = c->availability,
                                    .quality = c->quality,
                                    .score = c->score,
                                    .difficulty = c->difficulty,
                                    .verdict = c->verdict,
                                    .cause = c->cause,
                                    .flagged = c->flagged,
                                    .strategy = c->strategy,
                                    .p_value = c->p_value,
                                    .bond = c->bond,
                                    .reward = c->reward};
    world_append(w, DS_TABLE_NODE_EPOCH, &row);
}

static double rows_quantile(const struct dc_histogram *h, uint32_t percent)
{
    return h->count == 0 ? NAN : (double)dc_histogram_quantile(h, percent, 100) / 1e9;
}

/* The first block of e + 1 settles e: its rows are written. */
static void rows_epoch(struct ds_world *w, const struct dc_block *b)
{
    struct ds_observer *o = w->observer;
    struct ds_row_epoch *e = &o->epoch_row;
    const struct dc_outcome *out = b->outcome;
    struct open_epoch *open = world_open_epoch(o, b->header.epoch - 1);
    rows_node_epoch(w, b);
    e->epoch = b->header.epoch - 1;
    e->time_start_s = o->end_before_s;
    e->time_end_s = open->end_s;
    e->rounds_timed_out = open->rounds_timed_out;
    e->reward_paid = out->reward_validators + out->reward_services;
    e->issued = out->issued;
    e->burned = out->burned;
    e->fees = out->fees;
    e->messages = open->messages - o->messages_before;
    e->bytes = open->bytes - o->bytes_before;
    e->challenge_bytes = open->challenge_bytes - o->challenge_bytes_before;
    e->finality_p50_s = rows_quantile(&open->finality, 50);
    e->finality_p95_s = rows_quantile(&open->finality, 95);
    e->finality_p99_s = rows_quantile(&open->finality, 99);
    const struct dc_meta *meta = dc_state_meta(b->state);
    o->pool += w->params.issuance_service * meta->services;
    o->load += world_ratio((double)e->challenges_issued, (double)meta->services + meta->validators);
    o->theta += e->theta;
    o->end_before_s = open->end_s;
    o->messages_before = open->messages;
    o->bytes_before = open->bytes;
    o->challenge_bytes_before = open->challenge_bytes;
    world_append(w, DS_TABLE_EPOCHS, e);
    world_private_row(w, b);
    *e = (struct ds_row_epoch){.theta = dc_q31_to_double(meta->theta)};
    o->epochs++;
    world_spells_turn(w, b->header.epoch);
}

void world_observe_close(struct ds_world *w, struct height_row *r)
{
    struct ds_observer *o = w->observer;
    const struct dc_block *b = r->block;
    if (b == NULL)
        return;
    if (b->outcome != NULL) {
        for (uint32_t i = 0; i < b->outcome->settled_count; i++)
            rows_settle_one(w, b, &b->outcome->settled[i]);
        rows_slashes(w, b);
        if (b->outcome->first_of_epoch && b->header.epoch > 0)
            rows_epoch(w, b);
        if (r->height < o->height_last)
            rows_drawn(w, b);
    }
    if (r->height < o->height_last) {
        o->epoch_row.blocks++;
        o->epoch_row.transactions += b->tx_count;
        o->transactions += b->tx_count;
        rows_block(w, r);
        world_private_block(w, b);
    }
    dc_block_drop(r->block);
    r->block = NULL;
}

/* --- other tables --------------------------------------------------------------------------- */

struct ds_net_kind_stats world_traffic(const struct ds_world *w, uint32_t kind)
{
    struct ds_net_kind_stats sum = {0};
    for (uint32_t i = 0; i < w->threads; i++) {
        const struct ds_net_kind_stats *k = &w->shard[i].net.kind[kind];
        sum.messages += k->messages;
        sum.bytes += k->bytes;
        sum.duplicated += k->duplicated;
        sum.replayed += k->replayed;
        sum.corrupted += k->corrupted;
        sum.held += k->held;
        for (int j = 0; j < DS_NET_OUTCOMES; j++)
            sum.outcome[j] += k->outcome[j];
        dc_histogram_merge(&sum.delay_ns, &k->delay_ns);
    }
    return sum;
}

void world_observe_epoch_end(struct ds_world *w, uint64_t epoch, int64_t now_ns)
{
    struct open_epoch *e = world_open_epoch(w->observer, epoch);
    e->end_s = (double)now_ns / 1e9;
    e->messages = e->bytes = e->challenge_bytes = 0;
    for (uint32_t i = 0; i < w->threads; i++)
        for (uint32_t k = 0; k < KIND_COUNT; k++) {
            e->messages += w->shard[i].net.kind[k].messages;
            e->bytes += w->shard[i].net.kind[k].bytes;
            if (k == DC_MSG_CHALLENGE || k == DC_MSG_ANSWER)
                e->challenge_bytes += w->shard[i].net.kind[k].bytes;
        }
}

void world_observe_slice(struct ds_world *w, int64_t now_ns)
{
    struct ds_observer *o = w->observer;
    struct ds_row_digest row = {.time_end_ns = now_ns, .digest = o->slice};
    for (uint32_t i = 0; i < w->threads; i++)
        row.events += w->shard[i].events;
    for (uint32_t n = 0; n < w->nodes; n++)
        o->slice[n] = w->digest[n].lane[0];
    world_append(w, DS_TABLE_DIGEST, &row);
}

void world_observe_fault(struct ds_world *w, const struct ds_row_fault *row)
{
    world_append(w, DS_TABLE_FAULTS, row);
}

void world_observe_begun(struct ds_world *w)
{
    w->observer->faults++;
}

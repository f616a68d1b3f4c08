/* Jolteon's core: rounds, epochs and inputs.  The drawing is in jolteon.h, the parts in
 * jolteon_impl.h.
 *
 *   input -> chain view, votes, timeouts -> settle: { epoch? round? vote? propose? hand over? }* */
#include "models/consensus/jolteon_impl.h"

#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/consensus/statesync.h"

#define ANSWERERS 8 /* of a committee answer one stale message in a period */

bool dc_jolteon_signs(const struct dc_jolteon_step *s)
{
    return s->j->member != UINT32_MAX && s->env->key != NULL && !s->j->waiting;
}

uint64_t dc_jolteon_qc_round(const struct dc_jolteon *j)
{
    return j->chain.high_qc != NULL ? j->chain.high_qc->round : 0;
}

void dc_jolteon_set_timer(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    if (!dc_jolteon_signs(s) || (j->timer_ns != 0 && j->timer_ns <= j->deadline_ns))
        return;
    j->timer_ns = j->deadline_ns;
    dc_effect_timer(s->out, j->timer_ns, dc_consensus_timer_value(DC_TIMER_ROUND));
}

void dc_jolteon_send_members(const struct dc_jolteon_step *s, const struct dc_committee *c,
                             const uint8_t *bytes, size_t size)
{
    uint32_t *to = dc_effects_bytes(s->out, c->count * sizeof *to);
    uint8_t *copy = dc_effects_bytes(s->out, size);
    memcpy(copy, bytes, size);
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->member[i] != s->env->self)
            to[count++] = c->member[i];
    if (count == 0)
        return;
    struct dc_effect *e = dc_effects_add(s->out, DC_EFFECT_SEND_MANY);
    e->to_list = to;
    e->to_count = count;
    e->bytes = copy;
    e->size = (uint32_t)size;
}

bool dc_jolteon_answers(const struct dc_jolteon_step *s, uint32_t to, uint64_t round)
{
    uint32_t n = s->j->chain.committee->count;
    if (n <= ANSWERERS)
        return true;
    uint64_t period = (uint64_t)(s->in->now_ns / dc_params_period_ns(s->env->params, 0));
    uint64_t h = dc_mix64(dc_mix64((uint64_t)to << 32 | s->env->self) ^ (round << 20) ^ period);
    return h % n < ANSWERERS;
}

void dc_jolteon_ask_ahead(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    int64_t pause = 2 * s->env->params->delay_max_ns + 1000000;
    if (j->asked_ns != 0 && s->in->now_ns - j->asked_ns < pause)
        return;
    j->asked_ns = s->in->now_ns;
    dc_follow_ask(&j->chain, s->in->from, DC_REQUEST_BLOCKS | DC_REQUEST_CERTIFICATES, s->out);
}

/* --- rounds and epochs ----------------------------------------------------------------------- */

static void set_leaders(const struct dc_jolteon_step *s, uint64_t old_round)
{
    struct dc_jolteon *j = s->j;
    const struct dc_committee *c = j->chain.committee;
    uint64_t round = j->durable.round;
    j->leader =
        old_round != 0 && round == old_round + 1 ? j->leader_next : dc_follow_leader(c, round);
    j->leader_next = dc_follow_leader(c, round + 1);
}

static void begin_round(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    j->timed_out = false;
    j->entered_ns = s->in->now_ns;
    /* The leader enters when it makes the parent's certificate, everyone else with the block itself, an
     * interval after the parent: the period counts from then for both. */
    int64_t due_ns =
        dc_follow_certified(&j->chain)->header.timestamp_ns + s->env->params->block_interval_ns;
    int64_t wait_ns = due_ns - s->in->wall_ns;
    if (wait_ns < 0)
        wait_ns = 0;
    if (wait_ns > s->env->params->block_interval_ns)
        wait_ns = s->env->params->block_interval_ns;
    j->deadline_ns = s->in->now_ns + wait_ns + dc_params_period_ns(s->env->params, j->backoff);
    j->certificate_asked = 0;
    dc_jolteon_set_timer(s);
}

void dc_jolteon_enter(const struct dc_jolteon_step *s, uint64_t round, struct dc_tc *tc)
{
    struct dc_jolteon *j = s->j;
    struct dc_jolteon_durable *d = &j->durable;
    DC_CHECK(round > d->round);
    uint64_t old = d->round;
    d->round = round;
    if (tc != NULL)
        dc_tc_hold(tc);
    dc_tc_drop(d->high_tc);
    d->high_tc = tc;
    if (j->chain.round_seen + 1 < round)
        j->chain.round_seen = round - 1;
    set_leaders(s, old);
    dc_vote_sets_drop(&j->votes, dc_jolteon_qc_round(j) + 1);
    dc_timeouts_enter(&j->timeouts, j->chain.committee, round, dc_jolteon_timeout_limit(s));
    begin_round(s);
}

/* Own index in the committee.  The record of the epoch says which key signs: one who has another
 * now, such as a node that lost its store and renewed, is no member. */
static uint32_t own_member(const struct dc_jolteon *j, const struct dc_consensus_env *env)
{
    const struct dc_committee *c = j->chain.committee;
    uint32_t i = dc_committee_index(c, env->self);
    bool own = i != UINT32_MAX &&
               (env->key == NULL || memcmp(c->key[i], env->key->public, DC_KEY_BYTES) == 0);
    return own ? i : UINT32_MAX;
}

static void enter_epoch(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    struct dc_jolteon_durable *d = &j->durable;
    dc_block_drop(d->proposal);
    dc_tc_drop(d->high_tc);
    *d = (struct dc_jolteon_durable){.epoch = j->chain.epoch, .round = 1};
    dc_vote_sets_drop(&j->votes, UINT64_MAX);
    dc_timeouts_free(&j->timeouts);
    dc_qc_drop(j->kept_qc);
    j->kept_qc = NULL;
    j->member = own_member(j, s->env);
    j->backoff = 0;
    set_leaders(s, 0);
    begin_round(s);
    dc_effect_note(s->out, DC_NOTE_EPOCH, d->epoch, j->member);
}

/* The chain is in the epoch of the record, or beyond it: no more waiting. */
static void stop_waiting(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    j->waiting = false;
    if (j->durable.epoch != j->chain.epoch)
        return; /* beyond: the epoch is entered like any other */
    struct dc_qc *kept = j->kept_qc;
    j->kept_qc = NULL;
    j->member = own_member(j, s->env);
    if (kept != NULL)
        dc_follow_certificate(&j->chain, s->env, s->in, kept, s->out);
    dc_qc_drop(kept);
    set_leaders(s, 0);
    begin_round(s);
    dc_jolteon_resend(s);
}

/* The highest round that a block taken in proves to have begun. */
static bool enter_by_block(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    struct dc_block *best = NULL;
    for (uint32_t i = 0; i < j->chain.known_count; i++) {
        struct dc_block *b = j->chain.known[i].block;
        if (b->header.round > j->durable.round && b->header.epoch == j->durable.epoch &&
            (best == NULL || b->header.round > best->header.round))
            best = b;
    }
    if (best == NULL)
        return false;
    dc_jolteon_enter(s, best->header.round, best->tc);
    return true;
}

void dc_jolteon_settle(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    for (;;) {
        if (j->waiting) {
            if (j->chain.epoch < j->durable.epoch)
                return;
            stop_waiting(s);
        }
        if (j->durable.epoch != j->chain.epoch) {
            enter_epoch(s);
            continue;
        }
        if (j->chain.final->header.height > j->final_height) {
            j->final_height = j->chain.final->header.height;
            j->backoff = 0;
        }
        if (dc_jolteon_try_hand_over(s))
            continue;
        if (dc_jolteon_qc_round(j) >= j->durable.round) {
            dc_jolteon_enter(s, dc_jolteon_qc_round(j) + 1, NULL);
            continue;
        }
        if (enter_by_block(s) || dc_jolteon_try_vote(s) || dc_jolteon_try_propose(s))
            continue;
        uint64_t round = j->durable.round;
        dc_jolteon_count_timeouts(s);
        if (j->durable.round == round)
            return;
    }
}

/* --- inputs ---------------------------------------------------------------------------------- */

static void begin_step(struct dc_jolteon *j)
{
    j->proposed = j->collected = false;
}

/* Two proposals of one round by one leader. */
static void look_for_twin(const struct dc_jolteon_step *s, const struct dc_block *b)
{
    const struct dc_follow *f = &s->j->chain;
    if (s->env->node == NULL || s->env->node->evidence == NULL ||
        DC_MUTANT(s->env->params, NO_EVIDENCE))
        return;
    for (uint32_t i = 0; i < f->known_count + DC_FOLLOW_ORPHANS; i++) {
        const struct dc_block *o =
            i < f->known_count ? f->known[i].block : f->orphan[i - f->known_count];
        if (o == NULL || o == b || o->header.round != b->header.round ||
            o->header.epoch != f->epoch || atomic_load(&o->signature_ok) != 1 ||
            atomic_load(&b->signature_ok) != 1)
            continue;
        uint8_t proof[DC_EVIDENCE_BYTES_MAX];
        size_t size = dc_evidence_of_proposals(o, b, proof);
        if (size != 0)
            s->env->node->evidence(s->env->context, b->header.proposer, DC_EVIDENCE_PROPOSALS,
                                   proof, size, s->out);
    }
}

static void on_block(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    struct dc_block *b;
    enum dc_follow_verdict v = dc_follow_receive(&j->chain, s->env, s->in, &b, s->out);
    if (v == DC_FOLLOW_NEW || v == DC_FOLLOW_ORPHAN)
        look_for_twin(s, b);
    if (v != DC_FOLLOW_ORPHAN || b->header.epoch != j->chain.epoch)
        return;
    if (b->qc != NULL) /* certificates count, whether or not the block can be placed */
        dc_follow_certificate(&j->chain, s->env, s->in, b->qc, s->out);
    if (j->durable.epoch == j->chain.epoch && b->header.round > j->durable.round)
        dc_jolteon_enter(s, b->header.round, b->tc);
}

static void on_sync(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    struct dc_sync_msg m;
    if (!dc_sync_decode(s->in->payload->bytes, s->in->payload->size, &m)) {
        dc_follow_reject(&j->chain, s->in, DC_REJECT_FORM, s->out);
        return;
    }
    if (m.epoch != j->chain.epoch) {
        if (m.epoch > j->chain.epoch)
            dc_jolteon_ask_ahead(s);
        return;
    }
    if (m.qc != NULL && !(m.tc != NULL && DC_MUTANT(s->env->params, TC_UNCHECKED)))
        (void)dc_follow_message(&j->chain, s->env, s->in, s->out);
    struct dc_tc *tc = m.tc != NULL ? dc_tc_decode(m.tc, m.tc_size) : NULL;
    if (m.tc != NULL && tc == NULL)
        dc_follow_reject(&j->chain, s->in, DC_REJECT_FORM, s->out);
    if (tc != NULL && tc->round >= j->durable.round) {
        if (!dc_tc_verify(s->env, tc, j->chain.committee, s->out))
            dc_follow_reject(&j->chain, s->in, DC_REJECT_CERTIFICATE, s->out);
        else if (tc->qc_round_max <= dc_jolteon_qc_round(j) ||
                 DC_MUTANT_EITHER(s->env->params, NO_LOCK, TC_UNCHECKED))
            dc_jolteon_enter(s, tc->round + 1, tc);
    }
    dc_tc_drop(tc);
}

static void on_handover(const struct dc_jolteon_step *s)
{
    struct dc_handover *h = dc_follow_decode_handover(s->in->payload);
    if (h == NULL) {
        dc_follow_reject(&s->j->chain, s->in, DC_REJECT_FORM, s->out);
        return;
    }
    enum dc_follow_verdict v = dc_follow_handover(&s->j->chain, s->env, s->in, h, s->out);
    if (v == DC_FOLLOW_INVALID)
        dc_follow_reject(&s->j->chain, s->in, DC_REJECT_CERTIFICATE, s->out);
    if (v == DC_FOLLOW_AHEAD)
        dc_jolteon_ask_ahead(s);
}

bool dc_jolteon_message(struct dc_jolteon *j, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_jolteon_step s = {j, env, in, out};
    begin_step(j);
    if (j->waiting) {
        bool known = in->payload->kind == DC_MSG_VOTE || in->payload->kind == DC_MSG_TIMEOUT;
        if (known)
            dc_jolteon_ask_ahead(&s);
        else
            known = dc_follow_message(&j->chain, env, in, out);
        dc_jolteon_settle(&s);
        return known;
    }
    switch (in->payload->kind) {
    case DC_MSG_PROPOSAL:
    case DC_MSG_BLOCK_REPLY: on_block(&s); break;
    case DC_MSG_VOTE: dc_jolteon_on_vote(&s); break;
    case DC_MSG_TIMEOUT: dc_jolteon_on_timeout(&s); break;
    case DC_MSG_SYNC: on_sync(&s); break;
    case DC_MSG_HANDOVER: on_handover(&s); break;
    case DC_MSG_BLOCK_REQUEST: dc_follow_serve(&j->chain, env, in, j->durable.high_tc, out); break;
    default:
        if (!dc_statesync_message(&j->chain, env, in, out))
            return false;
    }
    dc_jolteon_settle(&s);
    return true;
}

void dc_jolteon_timer(struct dc_jolteon *j, const struct dc_consensus_env *env,
                      const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_jolteon_step s = {j, env, in, out};
    begin_step(j);
    switch (in->timer & 0xff) {
    case DC_TIMER_SYNC:
    case DC_TIMER_REQUEST: dc_follow_timer(&j->chain, env, in, out); break;
    case DC_TIMER_ROUND:
        if (j->timer_ns == 0 || in->now_ns < j->timer_ns)
            return; /* replaced by another */
        j->timer_ns = 0;
        if (in->now_ns >= j->deadline_ns && dc_jolteon_signs(&s))
            dc_jolteon_time_out(&s);
        dc_jolteon_set_timer(&s);
        break;
    case DC_TIMER_PROPOSE: j->propose_ns = 0; break;
    case DC_TIMER_HOLD: j->hold_ns = 0; break;
    default: return;
    }
    dc_jolteon_settle(&s);
}

/* --- life ------------------------------------------------------------------------------------ */

void dc_jolteon_init(struct dc_jolteon *j, const struct dc_consensus_env *env)
{
    *j = (struct dc_jolteon){0};
    dc_follow_init(&j->chain, env);
    j->durable.round = 1;
    j->member = own_member(j, env);
}

static void drop_volatile(struct dc_jolteon *j)
{
    dc_vote_sets_drop(&j->votes, UINT64_MAX);
    dc_timeouts_free(&j->timeouts);
    j->timer_ns = j->propose_ns = j->hold_ns = j->asked_ns = 0;
    j->backoff = 0;
}

void dc_jolteon_free(struct dc_jolteon *j)
{
    drop_volatile(j);
    dc_block_drop(j->durable.proposal);
    dc_tc_drop(j->durable.high_tc);
    dc_qc_drop(j->kept_qc);
    dc_follow_free(&j->chain);
    *j = (struct dc_jolteon){0};
}

void dc_jolteon_start(struct dc_jolteon *j, const struct dc_consensus_env *env,
                      const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_jolteon_step s = {j, env, in, out};
    begin_step(j);
    set_leaders(&s, 0);
    begin_round(&s);
    dc_jolteon_settle(&s);
}

void dc_jolteon_restart(struct dc_jolteon *j, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_jolteon_step s = {j, env, in, out};
    begin_step(j);
    drop_volatile(j);
    if (DC_MUTANT(env->params, FORGET_VOTE)) {
        j->durable.last_voted_round = 0;
        j->durable.voted = false;
    }
    if (DC_MUTANT(env->params, FORGET_PROPOSAL)) {
        dc_block_drop(j->durable.proposal);
        j->durable.proposal = NULL;
    }
    dc_follow_restart(&j->chain, env, in, out);
    if (j->waiting) {
        dc_jolteon_settle(&s);
        return;
    }
    j->member = own_member(j, env);
    set_leaders(&s, 0);
    begin_round(&s);
    dc_jolteon_resend(&s);
    dc_jolteon_settle(&s);
}

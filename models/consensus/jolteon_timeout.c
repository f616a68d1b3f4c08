/* Jolteon's core: timing out, joining those who did, and timeout certificates.
 *
 * A timeout counts while its signer's QC round is not above the highest QC here: then whoever
 * proposes with a TC of it can stand a QC beside it that is high enough.  (The text of clause 4
 * asks for a QC of exactly that round; one of a later round proves as much, and needs no fetching
 * of what has been overtaken.)  One that names a higher QC waits; its sender is asked for it. */
#include <stdatomic.h>

#include "models/consensus/jolteon_impl.h"

/* What a payload remembers of a timeout's signatures: they are checked by the whole committee. */
enum { SIGNATURES_UNKNOWN, SIGNATURES_VALID, SIGNATURES_INVALID };

void dc_jolteon_time_out(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    struct dc_jolteon_durable *d = &j->durable;
    const struct dc_committee *c = j->chain.committee;
    if (d->last_voted_round < d->round && !DC_MUTANT(s->env->params, TIMEOUT_VOTES))
        d->last_voted_round = d->round;
    if (!j->timed_out) {
        j->timed_out = true;
        if (j->backoff < UINT16_MAX)
            j->backoff++;
        dc_effect_note(s->out, DC_NOTE_TIMED_OUT, d->epoch, d->round);
    }
    j->certificate_asked = 0;
    j->deadline_ns = s->in->now_ns + dc_params_period_ns(s->env->params, j->backoff - 1u);
    dc_jolteon_set_timer(s);

    struct dc_timeout t = {.epoch = d->epoch,
                           .round = d->round,
                           .qc_round = dc_jolteon_qc_round(j),
                           .signer = s->env->self,
                           .voted = d->voted && d->vote.round == d->round};
    if (j->chain.high_qc != NULL)
        t.qc_digest = j->chain.high_qc->digest;
    if (t.voted)
        t.vote = d->vote;
    struct dc_hash digest = dc_timeout_digest(s->env->chain, t.epoch, t.round, t.qc_round);
    dc_sign(s->env->crypto, s->env->key, digest.b, DC_HASH_BYTES, t.signature);
    s->out->charge[DC_COST_SIGN]++;
    uint8_t bytes[DC_TIMEOUT_MSG_BYTES_MAX];
    dc_jolteon_send_members(s, c, bytes, dc_timeout_encode(&t, bytes));

    struct dc_timeout_entry e = {.round = t.round, .qc_round = t.qc_round, .member = j->member};
    memcpy(e.signature, t.signature, DC_SIGNATURE_BYTES);
    (void)dc_timeouts_add(&j->timeouts, c, &e, d->round, dc_jolteon_timeout_limit(s));
    if (t.voted)
        (void)dc_jolteon_add_vote(s, &t.vote, j->member, true);
}

void dc_jolteon_count_timeouts(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    const struct dc_committee *c = j->chain.committee;
    uint64_t blocking = c->total - c->quorum + 1;
    for (;;) {
        uint64_t q = dc_jolteon_qc_round(j), round = j->durable.round;
        if (q >= round)
            return; /* the certificate goes first */
        q = dc_jolteon_timeout_limit(s);
        if (j->timeouts != NULL && (j->timeouts->limit != q || j->timeouts->current != round))
            dc_timeouts_enter(&j->timeouts, c, round, q);
        const struct dc_timeout_set *t = j->timeouts;
        if (t == NULL)
            return;
        if (t->power_above >= blocking ||
            (!j->timed_out && t->power_above + t->power_at >= blocking)) {
            uint64_t join = dc_timeouts_join(t, c, blocking, q);
            if (join > round)
                dc_jolteon_enter(s, join, NULL);
            if (join >= round && !j->timed_out && dc_jolteon_signs(s)) {
                dc_jolteon_time_out(s);
                continue;
            }
            if (join > round)
                continue;
        }
        if (t->power_at < c->quorum)
            return;
        struct dc_tc *tc = dc_timeouts_tc(t, s->env, c, round, q);
        dc_jolteon_enter(s, round + 1, tc);
        dc_tc_drop(tc);
        return;
    }
}

/* Both signatures, remembered in the payload where remembering is on. */
static bool signatures_hold(const struct dc_jolteon_step *s, const struct dc_timeout *t,
                            uint32_t member)
{
    const struct dc_consensus_env *env = s->env;
    const uint8_t *key = s->j->chain.committee->key[member];
    struct dc_payload *p = (struct dc_payload *)(uintptr_t)s->in->payload;
    s->out->charge[DC_COST_VERIFY] += t->voted ? 2 : 1;
    uintptr_t known = env->crypto->memo == NULL
                          ? SIGNATURES_UNKNOWN
                          : (uintptr_t)atomic_load_explicit(&p->memo, memory_order_relaxed);
    if (known != SIGNATURES_UNKNOWN)
        return known == SIGNATURES_VALID;
    struct dc_hash digest = dc_timeout_digest(env->chain, t->epoch, t->round, t->qc_round);
    bool ok = dc_verify(env->crypto, key, digest.b, DC_HASH_BYTES, t->signature);
    if (ok && t->voted) {
        digest = dc_vote_digest(env->chain, t->epoch, t->round, &t->vote.block, &t->vote.commits);
        ok = dc_verify(env->crypto, key, digest.b, DC_HASH_BYTES, t->vote.signature);
    }
    atomic_store_explicit(&p->memo, (void *)(uintptr_t)(ok ? SIGNATURES_VALID : SIGNATURES_INVALID),
                          memory_order_relaxed);
    return ok;
}

/* Somebody is behind: a few of us send what brings it here.  One who is a round behind has most
 * likely just not heard yet. */
static void answer_stale(const struct dc_jolteon_step *s, const struct dc_timeout *t)
{
    struct dc_jolteon *j = s->j;
    bool fresh = t->epoch == j->durable.epoch && t->round + 1 == j->durable.round &&
                 s->in->now_ns - j->entered_ns < 2 * s->env->params->delay_typical_ns;
    if (!fresh && dc_jolteon_answers(s, s->in->from, t->round))
        dc_follow_send_certificates(&j->chain, s->in->from, t->epoch, j->durable.high_tc, s->out);
}

void dc_jolteon_on_timeout(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    struct dc_timeout t;
    if (!dc_timeout_decode(s->in->payload->bytes, s->in->payload->size, &t)) {
        dc_follow_reject(&j->chain, s->in, DC_REJECT_FORM, s->out);
        return;
    }
    if (t.epoch > j->durable.epoch) {
        dc_jolteon_ask_ahead(s);
        return;
    }
    if (t.epoch < j->durable.epoch || t.round < j->durable.round) {
        answer_stale(s, &t);
        return;
    }
    uint32_t member = dc_committee_index(j->chain.committee, t.signer);
    if (member == UINT32_MAX || !signatures_hold(s, &t, member)) {
        dc_follow_reject(&j->chain, s->in, DC_REJECT_SIGNATURE, s->out);
        return;
    }
    uint64_t q = dc_jolteon_qc_round(j);
    struct dc_timeout_entry e = {.round = t.round, .qc_round = t.qc_round, .member = member};
    memcpy(e.signature, t.signature, DC_SIGNATURE_BYTES);
    (void)dc_timeouts_add(&j->timeouts, j->chain.committee, &e, j->durable.round,
                          dc_jolteon_timeout_limit(s));
    if (t.voted)
        (void)dc_jolteon_add_vote(s, &t.vote, member, true);
    if (t.qc_round > q && t.qc_round > j->certificate_asked) {
        j->certificate_asked = t.qc_round;
        dc_follow_ask(&j->chain, s->in->from, DC_REQUEST_CERTIFICATES, s->out);
    }
}

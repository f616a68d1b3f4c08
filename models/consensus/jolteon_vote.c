/* Jolteon's core: proposing, voting and collecting votes. */
#include <stdatomic.h>

#include "models/base/mem.h"
#include "models/consensus/jolteon_impl.h"
#include "models/crypto/vrf.h"

#define AHEAD_NS 500000000           /* a proposal so far ahead of the local clock waits */
#define DIRECT_BYTES_MAX (16 * 1024) /* what a leader sends to everybody itself after timeouts */
#define SHRINK 2 /* bits by which the limit of a block falls with each round timed out */

/* --- proposing ------------------------------------------------------------------------------- */

static void set_propose_timer(const struct dc_jolteon_step *s, int64_t due_ns)
{
    struct dc_jolteon *j = s->j;
    if (j->propose_ns != 0 && j->propose_ns <= due_ns)
        return;
    j->propose_ns = due_ns;
    dc_effect_timer(s->out, due_ns, dc_consensus_timer_value(DC_TIMER_PROPOSE));
}

/* The block to build on, executed here; NULL while it, or the right to propose, is missing. */
static struct dc_block *parent_to_extend(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    const struct dc_jolteon_durable *d = &j->durable;
    uint64_t q = dc_jolteon_qc_round(j);
    if (q + 1 != d->round && (d->high_tc == NULL || d->high_tc->round + 1 != d->round ||
                              (d->high_tc->qc_round_max > q &&
                               !DC_MUTANT_EITHER(s->env->params, NO_LOCK, TC_UNCHECKED))))
        return NULL;
    const struct dc_qc *qc = j->chain.high_qc;
    if (qc == NULL || dc_hash_equal(&qc->block, &j->chain.final->id))
        return j->chain.final;
    struct dc_follow_entry *e = dc_follow_find(&j->chain, &qc->block);
    if (e == NULL || !dc_follow_execute(&j->chain, s->env, e, s->out))
        return NULL;
    return e->block;
}

/* After rounds timed out links may be too thin for full blocks within a period: less is offered, until
 * something gets through.  Leaves out what does not fit; *candidate is then from dc_effects_bytes. */
static uint32_t fewer_candidates(const struct dc_jolteon_step *s, uint32_t count,
                                 const struct dc_tx_view **candidate)
{
    uint32_t bits = SHRINK * (uint32_t)s->j->backoff, kept = 0;
    uint64_t limit = bits < 32 ? s->env->params->block_bytes_max >> bits : 0, size = 0;
    if (bits == 0 || count == 0)
        return count;
    struct dc_tx_view *list = dc_effects_bytes(s->out, count * sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        const struct dc_tx_view *t = &(*candidate)[i];
        if (size + t->size > limit)
            continue;
        size += t->size;
        list[kept++] = *t;
    }
    *candidate = list;
    return kept;
}

/* Header and transactions of a block on parent: tx (from dc_mem) and count in parts. */
static bool fill_block(const struct dc_jolteon_step *s, struct dc_block *parent,
                       struct dc_block_parts *parts, struct dc_tx_view **tx)
{
    const struct dc_consensus_env *env = s->env;
    struct dc_header *h = &parts->header;
    *tx = NULL;
    if (h->seal != 0) {
        h->beacon = parent->header.beacon;
        h->state_root = parent->header.state_root;
        h->tx_root = dc_tx_root(NULL, 0);
        return true;
    }
    uint8_t alpha[40];
    dc_store_vrf_alpha(&parent->header.beacon, h->round, alpha);
    dc_vrf_prove(env->crypto, env->vrf_key, alpha, sizeof alpha, h->vrf, NULL, NULL);
    s->out->charge[DC_COST_VRF_PROVE]++;

    const struct dc_tx_view *candidate = NULL;
    uint32_t count = 0;
    if (env->node != NULL && env->node->candidates != NULL)
        count = env->node->candidates(env->context, parent, h, &candidate);
    count = fewer_candidates(s, count, &candidate);
    bool *chosen = dc_mem_need((size_t)count + 1, sizeof *chosen, "a block's candidates");
    bool ok = dc_store_build(env->store, parent, parts, candidate, count, chosen, s->out);
    if (ok) {
        *tx = dc_mem_need((size_t)count + 1, sizeof **tx, "a block's transactions");
        for (uint32_t i = 0; i < count; i++)
            if (chosen[i])
                (*tx)[parts->tx_count++] = candidate[i];
        parts->tx = *tx;
    }
    dc_mem_free(chosen);
    return ok;
}

static void send_proposal(const struct dc_jolteon_step *s, const struct dc_block *b)
{
    size_t size = 1 + (size_t)b->size + DC_SIGNATURE_BYTES;
    uint8_t *bytes = dc_effects_bytes(s->out, size);
    bytes[0] = DC_MSG_PROPOSAL;
    memcpy(bytes + 1, b->bytes, b->size);
    memcpy(bytes + 1 + b->size, b->signature, DC_SIGNATURE_BYTES);
    /* after rounds timed out nobody knows what became of his neighbours: the leader speaks to all */
    if (s->env->params->dissemination == DC_DISSEMINATION_DIRECT ||
        (s->j->backoff != 0 && size <= DIRECT_BYTES_MAX))
        dc_jolteon_send_members(s, s->j->chain.committee, bytes, size);
    struct dc_effect *e = dc_effects_add(s->out, DC_EFFECT_BROADCAST);
    e->bytes = bytes;
    e->size = (uint32_t)size;
}

/* What this node has checked need not be checked again in the copies inside its own block. */
static void copy_answers(const struct dc_consensus_env *env, struct dc_block *b)
{
    if (env->crypto->memo == NULL || DC_MUTANT(env->params, SEAT_TWICE))
        return;
    if (b->qc != NULL)
        atomic_store_explicit(&b->qc->verified, 1, memory_order_relaxed);
    if (b->tc != NULL)
        atomic_store_explicit(&b->tc->verified, 1, memory_order_relaxed);
    if (b->handover != NULL)
        atomic_store_explicit(&b->handover->qc->verified, 1, memory_order_relaxed);
}

/* Signs, interns, writes and sends. */
static void publish(const struct dc_jolteon_step *s, const struct dc_block_parts *parts)
{
    struct dc_jolteon *j = s->j;
    const struct dc_consensus_env *env = s->env;
    size_t size = dc_block_encoded_size(parts);
    uint8_t *bytes = dc_effects_bytes(s->out, size + DC_SIGNATURE_BYTES);
    (void)dc_block_encode(parts, bytes);
    struct dc_hash id = dc_block_id(bytes, size);
    struct dc_hash digest =
        dc_proposal_digest(env->chain, parts->header.epoch, parts->header.round, &id);
    dc_sign(env->crypto, env->key, digest.b, DC_HASH_BYTES, bytes + size);
    s->out->charge[DC_COST_SIGN]++;
    struct dc_block *b = dc_store_intern(env->store, bytes, size + DC_SIGNATURE_BYTES);
    DC_CHECK(b != NULL);
    /* its own: who looks for a twin's block beside it must not depend on who else has checked it */
    atomic_store_explicit(&b->signature_ok, 1, memory_order_relaxed);
    copy_answers(env, b);

    dc_block_drop(j->durable.proposal);
    j->durable.proposal = b; /* the reference of dc_store_intern */
    j->proposed = true;
    dc_follow_insert(&j->chain, env, s->in, b, s->out);
    struct dc_follow_entry *e = dc_follow_find(&j->chain, &b->id);
    if (e != NULL) /* building it was executing it, and was charged */
        e->executed = b->header.seal != 0 || dc_store_execute(env->store, b, NULL) ? 1 : 2;
    send_proposal(s, b);
    dc_effect_note(s->out, DC_NOTE_PROPOSED, b->header.height,
                   b->header.epoch << 32 | b->header.round);
    s->out->list[s->out->count - 1].object = b;
}

bool dc_jolteon_try_propose(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    struct dc_jolteon_durable *d = &j->durable;
    if (!dc_jolteon_signs(s) || j->leader != s->env->self || dc_follow_behind(&j->chain) ||
        (d->proposal != NULL && d->proposal->header.round >= d->round) || j->timed_out)
        return false;
    struct dc_block *parent = parent_to_extend(s);
    if (parent == NULL)
        return false;
    const struct dc_params *p = s->env->params;
    bool seal = parent->header.epoch == d->epoch &&
                parent->header.height == dc_epoch_last_height(d->epoch, p->epoch_blocks);
    /* a seal is outside the ledger and does not wait */
    int64_t wait = seal ? 0 : parent->header.timestamp_ns + p->block_interval_ns - s->in->wall_ns;
    if (j->proposed && wait < 1)
        wait = 1;
    if (wait > 0) {
        set_propose_timer(s, s->in->now_ns + wait);
        return false;
    }
    int64_t after = parent->header.timestamp_ns + 1;
    struct dc_block_parts parts = {
        .header = {.height = parent->header.height + !seal,
                   .epoch = d->epoch,
                   .round = d->round,
                   .parent = parent->id,
                   .timestamp_ns = after > s->in->wall_ns ? after : s->in->wall_ns,
                   .proposer = s->env->self,
                   .seal = seal},
        .qc = j->chain.high_qc,
        .handover = j->chain.high_qc == NULL ? j->chain.handover : NULL,
        .tc = dc_jolteon_qc_round(j) + 1 != d->round ? d->high_tc : NULL};
    struct dc_tx_view *tx;
    bool ok = fill_block(s, parent, &parts, &tx);
    if (ok)
        publish(s, &parts);
    dc_mem_free(tx);
    return ok;
}

/* --- voting ---------------------------------------------------------------------------------- */

static void send_vote(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    const struct dc_vote *v = &j->durable.vote;
    if (j->leader_next == s->env->self) {
        (void)dc_jolteon_add_vote(s, v, j->member, true);
        return;
    }
    uint8_t bytes[DC_VOTE_MSG_BYTES];
    dc_vote_encode(v, bytes);
    dc_effect_send(s->out, j->leader_next, bytes, sizeof bytes);
}

/* The first proposal of this round that was taken in. */
static struct dc_follow_entry *proposal_of_round(const struct dc_jolteon *j)
{
    for (uint32_t i = 0; i < j->chain.known_count; i++) {
        const struct dc_header *h = &j->chain.known[i].block->header;
        if (h->round == j->durable.round && h->epoch == j->durable.epoch)
            return &j->chain.known[i];
    }
    return NULL;
}

bool dc_jolteon_try_vote(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    struct dc_jolteon_durable *d = &j->durable;
    if (d->last_voted_round >= d->round || !dc_jolteon_signs(s) || dc_follow_behind(&j->chain))
        return false;
    struct dc_follow_entry *e = proposal_of_round(j);
    if (e == NULL || e->executed == 2)
        return false;
    struct dc_block *b = e->block;
    int64_t hold = b->header.timestamp_ns - AHEAD_NS - s->in->wall_ns;
    if (hold > 0) {
        if (j->hold_ns == 0 || j->hold_ns > s->in->now_ns + hold) {
            j->hold_ns = s->in->now_ns + hold;
            dc_effect_timer(s->out, j->hold_ns, dc_consensus_timer_value(DC_TIMER_HOLD));
        }
        return false;
    }
    if (!dc_follow_execute(&j->chain, s->env, e, s->out)) {
        dc_follow_reject(&j->chain, s->in, DC_REJECT_EXECUTION, s->out);
        return false;
    }
    struct dc_vote *v = &d->vote;
    *v = (struct dc_vote){.epoch = d->epoch,
                          .round = d->round,
                          .block = b->id,
                          .commits = dc_follow_commits(b),
                          .signer = s->env->self};
    if (DC_MUTANT(s->env->params, COMMIT_GAP) && b->qc != NULL)
        v->commits = b->header.parent;
    struct dc_hash digest =
        dc_vote_digest(s->env->chain, v->epoch, v->round, &v->block, &v->commits);
    dc_sign(s->env->crypto, s->env->key, digest.b, DC_HASH_BYTES, v->signature);
    s->out->charge[DC_COST_SIGN]++;
    d->voted = true;
    d->last_voted_round = d->round;
    send_vote(s);
    return true;
}

void dc_jolteon_resend(const struct dc_jolteon_step *s)
{
    struct dc_jolteon_durable *d = &s->j->durable;
    if (!dc_jolteon_signs(s))
        return;
    if (d->proposal != NULL && d->proposal->header.round == d->round)
        send_proposal(s, d->proposal);
    if (d->voted && d->vote.round == d->round)
        send_vote(s);
}

/* --- collecting ------------------------------------------------------------------------------ */

static bool tells_evidence(const struct dc_jolteon_step *s)
{
    return s->env->node != NULL && s->env->node->evidence != NULL &&
           !DC_MUTANT(s->env->params, NO_EVIDENCE);
}

/* Two valid votes of one signer in one round, the second for (block, commits), are evidence. */
static void tell_double(const struct dc_jolteon_step *s, const struct dc_vote *v,
                        const struct dc_hash *block, const struct dc_hash *commits,
                        const uint8_t signature[64])
{
    struct dc_vote w = *v;
    w.block = *block;
    w.commits = *commits;
    memcpy(w.signature, signature, DC_SIGNATURE_BYTES);
    uint8_t proof[DC_EVIDENCE_BYTES_MAX];
    size_t size = dc_evidence_of_votes(v, &w, proof);
    if (size != 0)
        s->env->node->evidence(s->env->context, v->signer, DC_EVIDENCE_VOTES, proof, size, s->out);
}

/* Another vote of the same signer and round in another set. */
static void look_for_double(const struct dc_jolteon_step *s, const struct dc_vote *v,
                            const struct dc_vote_set *own, uint32_t member)
{
    if (!tells_evidence(s))
        return;
    for (const struct dc_vote_set *o = s->j->votes; o != NULL; o = o->next) {
        const uint8_t *signature;
        if (o == own || o->round != v->round || (signature = dc_vote_set_find(o, member)) == NULL)
            continue;
        tell_double(s, v, &o->block, &o->commits, signature);
    }
}

/* The signature of a member in a certificate, or NULL. */
static const uint8_t *signature_in(const struct dc_qc *qc, uint32_t member)
{
    if (member >= qc->members || (qc->bitmap[member / 8] >> member % 8 & 1) == 0)
        return NULL;
    uint32_t before = 0;
    for (uint32_t i = 0; i < member; i++)
        before += qc->bitmap[i / 8] >> i % 8 & 1;
    return qc->signature + (size_t)before * DC_SIGNATURE_BYTES;
}

/* A late vote against the certificate of its round, as long as that is here. */
static void look_for_late_double(const struct dc_jolteon_step *s, const struct dc_vote *v,
                                 uint32_t member)
{
    const struct dc_follow *f = &s->j->chain;
    if (!tells_evidence(s))
        return;
    for (uint32_t i = 0; i <= f->known_count; i++) {
        const struct dc_qc *qc = i == 0 ? f->high_qc : f->known[i - 1].block->qc;
        if (qc == NULL || qc->round != v->round || qc->epoch != v->epoch)
            continue;
        const uint8_t *signature = signature_in(qc, member);
        if (signature != NULL)
            tell_double(s, v, &qc->block, &qc->commits, signature);
        return;
    }
}

bool dc_jolteon_add_vote(const struct dc_jolteon_step *s, const struct dc_vote *v, uint32_t member,
                         bool checked)
{
    struct dc_jolteon *j = s->j;
    const struct dc_committee *c = j->chain.committee;
    if (v->round <= dc_jolteon_qc_round(j))
        return true; /* there is a certificate already */
    struct dc_vote_set *set = dc_vote_set_get(&j->votes, s->env, c, v);
    bool again = set->bitmap[member / 8] >> member % 8 & 1;
    if (again && DC_MUTANT(s->env->params, SEAT_TWICE))
        set->power += c->power[member];
    else if (again)
        return true;
    if (!checked) {
        s->out->charge[DC_COST_VERIFY]++;
        if (!dc_verify(s->env->crypto, c->key[member], set->digest.b, DC_HASH_BYTES, v->signature))
            return false;
    }
    (void)dc_vote_set_add(set, c, member, v->signature);
    if (set->next != NULL || set != j->votes)
        look_for_double(s, v, set, member);
    if (set->power >= c->quorum) {
        struct dc_qc *qc = dc_vote_set_qc(set, s->env, c);
        j->collected = j->leader_next == s->env->self || j->leader == s->env->self;
        dc_follow_certificate(&j->chain, s->env, s->in, qc, s->out);
        dc_qc_drop(qc);
    }
    return true;
}

/* A vote whose certificate was made without it. */
static void late_vote(const struct dc_jolteon_step *s, const struct dc_vote *v, uint32_t member)
{
    const struct dc_consensus_node *node = s->env->node;
    if (node == NULL || node->late_vote == NULL)
        return;
    struct dc_hash digest =
        dc_vote_digest(s->env->chain, v->epoch, v->round, &v->block, &v->commits);
    s->out->charge[DC_COST_VERIFY]++;
    if (dc_verify(s->env->crypto, s->j->chain.committee->key[member], digest.b, DC_HASH_BYTES,
                  v->signature)) {
        look_for_late_double(s, v, member);
        node->late_vote(s->env->context, v, s->out);
    } else {
        dc_follow_reject(&s->j->chain, s->in, DC_REJECT_SIGNATURE, s->out);
    }
}

void dc_jolteon_on_vote(const struct dc_jolteon_step *s)
{
    struct dc_jolteon *j = s->j;
    struct dc_vote v;
    if (!dc_vote_decode(s->in->payload->bytes, s->in->payload->size, &v)) {
        dc_follow_reject(&j->chain, s->in, DC_REJECT_FORM, s->out);
        return;
    }
    if (v.epoch != j->durable.epoch) {
        if (v.epoch > j->durable.epoch)
            dc_jolteon_ask_ahead(s);
        return;
    }
    uint32_t member = dc_committee_index(j->chain.committee, v.signer);
    if (member == UINT32_MAX) {
        dc_follow_reject(&j->chain, s->in, DC_REJECT_SIGNATURE, s->out);
        return;
    }
    if (v.round <= dc_jolteon_qc_round(j))
        late_vote(s, &v, member);
    else if (!dc_jolteon_add_vote(s, &v, member, false))
        dc_follow_reject(&j->chain, s->in, DC_REJECT_SIGNATURE, s->out);
}

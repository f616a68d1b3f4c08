/* What must hold in a scenario of systematic Twins, seen from outside of the instances: what they
 * sign, tell, refuse and make final.  And the log that explains a scenario. */
#include "models/consensus/certificate.h"
#include "sim/world/twins_inside.h"

#include <stdio.h>

/* --- the log --------------------------------------------------------------------------------- */

const char *world_twins_name(const struct ds_twins *t, uint32_t instance, char out[8])
{
    bool second = instance >= t->config.validators;
    snprintf(out, 8, "%u%s", second ? instance - t->config.validators : instance,
             second ? "'" : "");
    return out;
}

void world_twins_say(struct ds_twins *t, const struct twins_instance *i, const char *format, ...)
{
    if (t->log == NULL)
        return;
    char name[8];
    dc_text_printf(t->log, "%10.3f s  %-2s  ", (double)t->now_ns / 1e9,
                   world_twins_name(t, i->index, name));
    va_list arguments;
    va_start(arguments, format);
    dc_text_vprintf(t->log, format, arguments);
    va_end(arguments);
    dc_text_add(t->log, "\n");
}

/* "B2", "B2'" (a twin's second block of round 2), "genesis", "nothing". */
static const char *twins_block_name(struct ds_twins *t, const struct dc_hash *id, char out[32])
{
    struct dc_block *b = dc_hash_is_zero(id) ? NULL : dc_store_find(t->store, id);
    if (b == NULL)
        snprintf(out, 32, "%s", dc_hash_is_zero(id) ? "nothing" : "an unknown block");
    else if (b->header.height == 0)
        snprintf(out, 32, "genesis");
    else
        snprintf(out, 32, "%s%llu.%02x", b->header.seal != 0 ? "S" : "B",
                 (unsigned long long)b->header.round, b->id.b[0]);
    dc_block_drop(b);
    return out;
}

static void twins_text_block(struct ds_twins *t, const char *what, const uint8_t *bytes,
                             size_t size, char out[96])
{
    char a[32], b[32];
    struct dc_block *x = dc_store_intern(t->store, bytes, size);
    if (x == NULL)
        snprintf(out, 96, "%s that is none", what);
    else
        snprintf(out, 96, "%s %s on %s, QC %llu%s", what, twins_block_name(t, &x->id, a),
                 twins_block_name(t, &x->header.parent, b),
                 (unsigned long long)(x->qc != NULL ? x->qc->round : 0),
                 x->tc != NULL ? " and TC" : "");
    dc_block_drop(x);
}

void world_twins_text(struct ds_twins *t, const uint8_t *bytes, size_t size, char out[96])
{
    char a[32], b[32];
    struct dc_vote v;
    struct dc_timeout m;
    struct dc_sync_msg s;
    out[0] = 0;
    if (t->log == NULL)
        return;
    if (bytes[0] == DC_MSG_PROPOSAL)
        twins_text_block(t, "proposes", bytes + 1, size - 1, out);
    else if (bytes[0] == DC_MSG_BLOCK_REPLY)
        twins_text_block(t, "answers with", bytes + 2, size - 2, out);
    else if (bytes[0] == DC_MSG_VOTE && dc_vote_decode(bytes, size, &v))
        snprintf(out, 96, "votes %s, commits %s", twins_block_name(t, &v.block, a),
                 twins_block_name(t, &v.commits, b));
    else if (bytes[0] == DC_MSG_TIMEOUT && dc_timeout_decode(bytes, size, &m))
        snprintf(out, 96, "times out of round %llu with QC %llu%s%s", (unsigned long long)m.round,
                 (unsigned long long)m.qc_round, m.voted ? " and its vote for " : "",
                 m.voted ? twins_block_name(t, &m.vote.block, a) : "");
    else if (bytes[0] == DC_MSG_SYNC && dc_sync_decode(bytes, size, &s))
        snprintf(out, 96, "sends its%s%s", s.qc != NULL ? " QC" : "", s.tc != NULL ? " TC" : "");
    else if (bytes[0] == DC_MSG_HANDOVER)
        snprintf(out, 96, "hands over epoch %llu", (unsigned long long)dc_get64(bytes + 1));
    else if (bytes[0] == DC_MSG_BLOCK_REQUEST)
        snprintf(out, 96, "asks for blocks or certificates");
}

/* --- what must hold -------------------------------------------------------------------------- */

void world_twins_fault(struct twins_instance *i, enum ds_twins_fault fault, uint64_t round,
                       uint64_t height)
{
    struct ds_twins_result *r = i->twins->result;
    if (r->fault != DS_TWINS_GOOD)
        return;
    r->fault = fault;
    r->instance = i->index;
    r->round = round;
    r->height = height;
    r->fault_ns = i->twins->now_ns;
}

static void twins_told(void *context, uint32_t accused, uint8_t kind, const uint8_t *proof,
                       size_t size, struct dc_effects *out)
{
    struct twins_instance *i = context;
    struct ds_twins *t = i->twins;
    (void)out;
    i->told++;
    t->result->evidence++;
    world_twins_say(t, i, "has proof that %u made two %s", accused,
                    kind == DC_EVIDENCE_VOTES ? "votes" : "proposals");
    if (accused >= t->faulty ||
        !dc_evidence_check(TWINS_CHAIN, &t->crypto, t->genesis.sign[accused].public, kind, proof,
                           size))
        world_twins_fault(i, DS_TWINS_FALSE_EVIDENCE, i->core.durable.round, 0);
}

const struct dc_consensus_node world_twins_node = {.evidence = twins_told};

void world_twins_watch_begin(struct twins_instance *i)
{
    i->vote = (struct dc_vote){0};
    i->timeout_epoch = i->timeout_round = 0;
    i->proposal_epoch = i->proposal_round = 0;
    i->seen_count = i->told = 0;
    i->round = 1;
}

/* Remembers a twin's vote; true when another one of that round had come. */
static bool twins_saw(struct twins_instance *i, const struct dc_vote *v)
{
    bool two = false;
    for (uint32_t k = 0; k < i->seen_count; k++) {
        const struct twins_seen *s = &i->seen[k];
        if (s->signer != v->signer || s->epoch != v->epoch || s->round != v->round)
            continue;
        if (dc_hash_equal(&s->block, &v->block) && dc_hash_equal(&s->commits, &v->commits))
            return false;
        two = true;
    }
    if (i->seen_count < TWINS_SEEN)
        i->seen[i->seen_count++] =
            (struct twins_seen){v->epoch, v->round, v->block, v->commits, v->signer};
    return two;
}

bool world_twins_watch_message(struct twins_instance *i, const struct dc_payload *p)
{
    const struct dc_jolteon *j = &i->core;
    struct dc_timeout m;
    struct dc_vote v;
    i->told = 0;
    if (p->kind == DC_MSG_TIMEOUT && dc_timeout_decode(p->bytes, p->size, &m) && m.voted &&
        m.round >= j->durable.round)
        v = m.vote;
    else if (p->kind != DC_MSG_VOTE || !dc_vote_decode(p->bytes, p->size, &v))
        return false;
    uint64_t q = j->chain.high_qc != NULL ? j->chain.high_qc->round : 0;
    if (v.signer >= i->twins->faulty || v.epoch != j->durable.epoch || v.round <= q)
        return false; /* nobody collects it: it may be a late vote, no more */
    uint32_t sets = 0;
    for (const struct dc_vote_set *s = j->votes; s != NULL; s = s->next)
        sets++;
    return twins_saw(i, &v) && sets < DC_VOTE_SETS;
}

static void twins_commit(struct twins_instance *i, const struct dc_block *b)
{
    struct ds_twins *t = i->twins;
    uint64_t h = b->header.height;
    char name[32];
    world_twins_say(t, i, "%s is final at height %llu", twins_block_name(t, &b->id, name),
                    (unsigned long long)h);
    if (!i->honest || h >= TWINS_HEIGHTS_MAX)
        return;
    if (t->known[h] && !dc_hash_equal(&t->final[h], &b->id))
        world_twins_fault(i, DS_TWINS_AGREEMENT, b->header.round, h);
    t->known[h] = true;
    t->final[h] = b->id;
}

void world_twins_watch_effect(struct twins_instance *i, const struct dc_effect *e)
{
    if (e->kind == DC_EFFECT_COMMIT) {
        twins_commit(i, e->object);
        return;
    }
    if (e->kind != DC_EFFECT_NOTE)
        return;
    uint64_t round = i->core.durable.round;
    switch (e->timer) {
    case DC_NOTE_REJECTED:
        world_twins_say(i->twins, i, "refuses what %llu sent", (unsigned long long)e->b);
        world_twins_fault(i, DS_TWINS_REFUSED, round, 0);
        break;
    case DC_NOTE_CONFLICT: world_twins_fault(i, DS_TWINS_CONFLICT, round, e->a); break;
    default: break;
    }
}

/* The rule of voting, as models/README.md 4.2 tells it of the block alone. */
static bool twins_may_vote(struct ds_twins *t, const struct dc_vote *v)
{
    struct dc_block *b = dc_store_find(t->store, &v->block);
    if (b == NULL)
        return false;
    uint64_t q = b->qc != NULL ? b->qc->round : 0;
    bool next = b->header.round == q + 1;
    bool locked = b->tc != NULL && b->tc->round + 1 == b->header.round && b->tc->qc_round_max <= q;
    bool names = !dc_hash_is_zero(&v->commits);
    bool right = !names || dc_hash_equal(&v->commits, &b->header.parent);
    bool ok = (next || locked) && names == (next && b->qc != NULL) && right;
    dc_block_drop(b);
    return ok;
}

/* What it signed in this step.  A vote and a timeout of one step are in that order. */
static void twins_signed(struct twins_instance *i)
{
    const struct dc_jolteon_durable *d = &i->core.durable;
    const struct dc_vote *v = &d->vote, *old = &i->vote;
    if (d->voted &&
        (v->epoch != old->epoch || v->round != old->round ||
         !dc_hash_equal(&v->block, &old->block) || !dc_hash_equal(&v->commits, &old->commits))) {
        if (v->epoch == old->epoch && v->round <= old->round && old->round != 0)
            world_twins_fault(i, DS_TWINS_TWO_VOTES, v->round, 0);
        if (v->epoch == i->timeout_epoch && v->round <= i->timeout_round)
            world_twins_fault(i, DS_TWINS_LATE_VOTE, v->round, 0);
        if (!twins_may_vote(i->twins, v))
            world_twins_fault(i, DS_TWINS_VOTE_RULE, v->round, 0);
        i->vote = *v;
    }
    if (i->core.timed_out) {
        i->timeout_epoch = d->epoch;
        i->timeout_round = d->round;
    }
    if (d->proposal != NULL) {
        const struct dc_header *h = &d->proposal->header;
        if (h->epoch == i->proposal_epoch && h->round == i->proposal_round &&
            !dc_hash_equal(&i->proposal, &d->proposal->id))
            world_twins_fault(i, DS_TWINS_TWO_PROPOSALS, h->round, h->height);
        i->proposal_epoch = h->epoch;
        i->proposal_round = h->round;
        i->proposal = d->proposal->id;
    }
}

void world_twins_watch_step(struct twins_instance *i, bool due)
{
    if (i->honest) {
        twins_signed(i);
        if (due && i->told == 0)
            world_twins_fault(i, DS_TWINS_NO_EVIDENCE, i->core.durable.round, 0);
    }
}

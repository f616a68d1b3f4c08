#include "models/ledger/execute.h"

/* Transactions of Proof of Sync: heartbeats, verdicts, answers, evidence, late votes.
 * models/README.md 4, 5, 6. */

_Static_assert(DC_TX_VERDICT_MIN == DC_VERDICT_PASS && DC_TX_VERDICT_MAX == DC_VERDICT_SILENT,
               "the wire's verdicts are posync's");

static void sync_inclusion(struct dc_exec *e, uint32_t count)
{
    dc_state_work_edit(e->state)->member[e->member].included += count;
}

/* Includable once, for heartbeat_lifetime heights after it was due; what it says about the state
 * under root(f) is computed again from that state. */
bool dc_execute_heartbeat(struct dc_exec *e, const struct dc_tx *tx)
{
    struct dc_state *s = e->state;
    const struct dc_account *a = dc_state_account(s, tx->from);
    uint64_t height = e->header->height, f = tx->heartbeat.height;
    if (!dc_account_may(a, height, DC_ROLE_VALIDATOR | DC_ROLES_SERVICE) ||
        f > s->meta.final_height)
        return false;
    uint64_t due = dc_state_heartbeat_includable(e->before, tx->from, height);
    if (due <= a->joined || due == 0 || dc_state_heartbeat_seen(s, tx->from, due))
        return false;
    const struct dc_state *at_f = dc_execute_state_at(e, f);
    const struct dc_state *at_due = dc_execute_state_at(e, due);
    if (at_f == NULL || at_due == NULL)
        return false;
    uint8_t proof[8];
    dc_state_heartbeat(at_f, tx->from, proof);
    e->record->charge[DC_COST_HASH] += 4;
    if (memcmp(proof, tx->heartbeat.proof, 8) != 0)
        return false;
    uint64_t final = at_due->meta.final_height, lag = final > f + 3 ? final - f - 3 : 0;
    if (DC_MUTANT(e->p, STALE_PROOF))
        lag = 0;
    uint64_t last = dc_epoch_last_height(e->header->epoch, e->p->epoch_blocks);
    uint32_t slot = due + e->p->heartbeat_lifetime > last; /* counted with the next epoch's */
    struct dc_tally *t = dc_state_tally_edit(s, tx->from);
    t->last_due = due;
    t->heartbeats[slot]++;
    t->timeliness[slot] += dc_q31_exp2_neg(lag, e->p->lag_halving);
    sync_inclusion(e, 1);
    e->record->outcome.heartbeats++;
    return true;
}

/* The lower median of what verifiers have reported so far. */
static uint32_t sync_median_us(const struct dc_challenge *c)
{
    uint32_t v[DC_VERIFIERS_MAX], n = 0;
    for (uint32_t i = 0; i < c->verifiers; i++) {
        if (c->verdict[i] == DC_VERDICT_NONE)
            continue;
        uint32_t at = n++;
        for (; at > 0 && v[at - 1] > c->reported_us[i]; at--)
            v[at] = v[at - 1];
        v[at] = c->reported_us[i];
    }
    return n == 0 ? UINT32_MAX : v[(n - 1) / 2];
}

/* By one of the verifiers drawn, once, until the epoch ends; which verdict, is its own affair. */
bool dc_execute_verdict(struct dc_exec *e, const struct dc_tx *tx)
{
    struct dc_state *s = e->state;
    const struct dc_account *node = dc_state_account(s, tx->verdict.node);
    if (node == NULL ||
        !dc_account_may(dc_state_account(s, tx->from), e->header->height, DC_ROLE_VALIDATOR))
        return false;
    const struct dc_challenge *c = &node->posync.challenge;
    uint32_t member = dc_committee_index(e->committee, tx->from), place = 0;
    while (place < c->verifiers && c->verifier[place] != tx->from)
        place++;
    if (c->height == 0 || c->height != tx->verdict.height || c->asking != tx->verdict.asking ||
        place == c->verifiers || c->verdict[place] != DC_VERDICT_NONE || member == UINT32_MAX ||
        tx->verdict.proved > c->k)
        return false;
    struct dc_challenge *out = &dc_state_edit(s, tx->verdict.node)->posync.challenge;
    out->verdict[place] = tx->verdict.verdict;
    out->reported_us[place] = tx->verdict.response_us;
    out->proved[place] = tx->verdict.proved;
    out->response_us = sync_median_us(out);
    dc_state_work_edit(s)->member[member].verdicts++;
    sync_inclusion(e, 1);
    e->record->outcome.verdicts++;
    return true;
}

/* To an open demand: right, it is closed; wrong, it costs a part of the bond. */
bool dc_execute_answer(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *a = dc_state_account(e->state, tx->from);
    if (a->demand.height == 0 || a->demand.height != tx->answer.height ||
        e->ledger->checker == NULL)
        return false;
    e->record->charge[DC_COST_HASH] += tx->answer.proof_size / 128 + 1;
    enum dc_answer_verdict v = e->ledger->checker->answer(
        e->ledger->checker_context, e->state, tx->from, tx->answer.proof, tx->answer.proof_size);
    if (v == DC_ANSWER_UNJUDGED)
        return false;
    dc_challenge_demand_drop(e, tx->from);
    if (v == DC_ANSWER_INVALID)
        dc_slash(e, tx->from, DC_SLASH_ANSWER);
    return true;
}

static bool sync_conflict(struct dc_exec *e, const struct dc_tx *tx)
{
    uint64_t epoch, round;
    if (!dc_evidence_when(tx->evidence.kind, tx->evidence.proof, tx->evidence.proof_size, &epoch,
                          &round) ||
        epoch > e->header->epoch || e->header->epoch - epoch >= e->p->unbonding_epochs)
        return false;
    uint64_t back = e->header->epoch + 1 - epoch;
    const struct dc_committee *c = back < DC_COMMITTEES ? e->state->committee[back] : NULL;
    uint32_t member = c == NULL ? UINT32_MAX : dc_committee_index(c, tx->evidence.accused);
    if (member == UINT32_MAX)
        return false;
    e->record->charge[DC_COST_VERIFY] += 2;
    return dc_evidence_check(e->ledger->chain, e->ledger->crypto, c->key[member], tx->evidence.kind,
                             tx->evidence.proof, tx->evidence.proof_size);
}

/* Anyone may submit it.  Equivocation burns the whole bond, once. */
bool dc_execute_evidence(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_account *a = dc_state_account(e->state, tx->evidence.accused);
    if (a == NULL)
        return false;
    if (tx->evidence.kind != DC_EVIDENCE_ANSWER) {
        if ((a->slashed_equivocation && !DC_MUTANT(e->p, SLASH_TWICE)) || !sync_conflict(e, tx))
            return false;
        dc_slash(e, tx->evidence.accused, DC_SLASH_EQUIVOCATION);
        return true;
    }
    /* one per challenge: a slash clears the nonce that the message would have to answer */
    if (e->ledger->checker == NULL || a->posync.challenge.height == 0)
        return false;
    e->record->charge[DC_COST_VERIFY]++;
    e->record->charge[DC_COST_HASH] += tx->evidence.proof_size / 128 + 1;
    if (e->ledger->checker->evidence(e->ledger->checker_context, e->state, tx->evidence.accused,
                                     tx->evidence.proof,
                                     tx->evidence.proof_size) != DC_ANSWER_INVALID)
        return false;
    dc_slash(e, tx->evidence.accused, DC_SLASH_ANSWER);
    memset(&dc_state_edit(e->state, tx->evidence.accused)->posync.challenge.nonce, 0, 32);
    return true;
}

/* Votes that missed the certificate of their block, included up to DC_LATE_VOTE_HEIGHTS later. */
bool dc_execute_votes(struct dc_exec *e, const struct dc_tx *tx)
{
    uint64_t height = tx->votes.height, epoch = e->header->epoch;
    uint64_t first = epoch * e->p->epoch_blocks + 1;
    if (height < first || height + 2 > e->header->height ||
        e->header->height - height > DC_LATE_VOTE_HEIGHTS)
        return false;
    const struct dc_block *child = dc_execute_block_at(e, height + 1);
    if (child == NULL || child->qc == NULL)
        return false;
    struct dc_work *w = dc_state_work_edit(e->state);
    uint8_t *late = w->late + height % DC_LATE_VOTE_HEIGHTS * dc_work_bitmap_bytes(w->members);
    struct dc_hash digest = dc_vote_digest(e->ledger->chain, epoch, child->qc->round,
                                           &child->qc->block, &child->qc->commits);
    uint32_t count = tx->votes.votes_size / DC_LATE_VOTE_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *vote = tx->votes.votes + i * DC_LATE_VOTE_BYTES;
        uint32_t m = dc_get16(vote);
        if (m >= w->members || m >= child->qc->members || child->qc->bitmap[m / 8] >> m % 8 & 1 ||
            late[m / 8] >> m % 8 & 1 ||
            !dc_execute_verify(e, e->committee->key[m], &digest, vote + 2))
            return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t m = dc_get16(tx->votes.votes + i * DC_LATE_VOTE_BYTES);
        late[m / 8] |= (uint8_t)(1u << m % 8);
        w->member[m].votes++;
    }
    sync_inclusion(e, count);
    return true;
}

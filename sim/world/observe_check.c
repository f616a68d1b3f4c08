/* What the world shows to the invariants of sim/check: votes and timeouts as they left nodes,
 * commits, the committee of each epoch, drawn once more; blocks are in observe_block.c, queues and
 * messages in observe_level.c. */
#include <stdlib.h>

#include "models/base/mem.h"
#include "models/ledger/state_impl.h"
#include "sim/world/checks.h"
#include "sim/world/observer.h"

static bool check_excused(const void *world, uint32_t node)
{
    return world_deviates(world, node);
}

/* --- signatures ------------------------------------------------------------------------------ */

bool world_check_signature(const struct ds_world *w, const struct dc_committee *c,
                           const struct ds_check_signed *m)
{
    uint32_t member = c != NULL ? dc_committee_index(c, m->signer) : UINT32_MAX;
    if (member == UINT32_MAX || m->signature == NULL)
        return false;
    struct dc_hash digest =
        m->kind == DS_CHECK_VOTE
            ? dc_vote_digest(w->chain, m->epoch, m->round, &m->block, &m->commits)
            : dc_timeout_digest(w->chain, m->epoch, m->round, m->qc_round);
    return dc_verify(&w->checks->crypto, c->key[member], digest.b, DC_HASH_BYTES, m->signature);
}

static bool check_holds(const void *world, const struct ds_check_signed *m)
{
    const struct ds_world *w = world;
    return world_check_signature(w, dc_store_committee(w->store, world_block_final(w), m->epoch),
                                 m);
}

struct ds_check_committee world_check_committee(const struct dc_committee *c)
{
    return (struct ds_check_committee){c->epoch, c->count, c->member, c->power};
}

/* --- votes ----------------------------------------------------------------------------------- */

static struct dc_block *check_find(struct ds_world *w, const struct dc_hash *id)
{
    struct world_checks *k = w->checks;
    if (k->looked != NULL && dc_hash_equal(&k->looked->id, id))
        return k->looked;
    struct dc_block *b = dc_store_find(w->store, id);
    if (b == NULL)
        return NULL;
    if (k->looked != NULL)
        dc_block_drop(k->looked);
    return k->looked = b;
}

static struct ds_check_proposal check_proposal(const struct dc_block *b)
{
    const struct dc_header *h = &b->header;
    struct ds_check_proposal p = {.epoch = h->epoch,
                                  .round = h->round,
                                  .qc_round = b->qc != NULL ? b->qc->round : 0,
                                  .tc = b->tc != NULL};
    if (b->tc != NULL) {
        p.tc_round = b->tc->round;
        p.tc_qc_round_max = b->tc->qc_round_max;
    }
    if (b->qc != NULL && b->qc->round + 1 == h->round)
        p.commits = h->parent;
    return p;
}

/* From the second vote of a round on, the world listens to a node. */
static void check_doubled(struct ds_world *w, const struct ds_check_signed *m)
{
    if (m->signer >= w->nodes)
        return;
    struct check_newest *n = &w->checks->newest[m->signer];
    if (n->epoch == m->epoch && n->round == m->round && !dc_hash_equal(&n->block, &m->block)) {
        w->checks->doubled[m->signer] = true;
        w->doubled = w->checks->doubled;
    }
    *n = (struct check_newest){m->epoch, m->round, m->block};
}

static void check_vote(struct ds_world *w, const struct vote_seen *seen, const struct dc_vote *v)
{
    struct ds_check_signed m = {.time_ns = seen->time_ns,
                                .epoch = v->epoch,
                                .round = v->round,
                                .block = v->block,
                                .commits = v->commits,
                                .signer = v->signer,
                                .node = seen->node,
                                .kind = DS_CHECK_VOTE,
                                .signature = v->signature};
    struct ds_check_proposal p;
    const struct dc_block *b = check_find(w, &v->block);
    if (b != NULL) {
        p = check_proposal(b);
        m.proposal = &p;
    }
    if (m.signer != m.node && !check_holds(w, &m))
        return; /* what others show must be the signer's own */
    check_doubled(w, &m);
    ds_checks_signed(w->checks->checks, &m);
}

static void check_heard(struct ds_world *w, const struct vote_heard *heard)
{
    struct dc_vote v;
    if (world_deviates(w, heard->node) || !dc_vote_decode(heard->bytes, sizeof heard->bytes, &v))
        return;
    const struct ds_check_signed m = {.epoch = v.epoch,
                                      .round = v.round,
                                      .block = v.block,
                                      .commits = v.commits,
                                      .signer = v.signer,
                                      .node = heard->node,
                                      .kind = DS_CHECK_VOTE,
                                      .signature = v.signature};
    const struct ds_check_heard h = {.time_ns = heard->time_ns,
                                     .epoch = v.epoch,
                                     .round = v.round,
                                     .block = v.block,
                                     .signer = v.signer,
                                     .collector = heard->node};
    if (check_holds(w, &m))
        ds_checks_heard(w->checks->checks, &h);
}

static void check_signed(struct ds_world *w, const struct vote_seen *seen)
{
    struct dc_timeout t;
    struct dc_vote v;
    if (dc_vote_decode(seen->bytes, seen->size, &v)) {
        check_vote(w, seen, &v);
        return;
    }
    if (!dc_timeout_decode(seen->bytes, seen->size, &t))
        return;
    if (t.voted)
        check_vote(w, seen, &t.vote);
    struct ds_check_signed m = {.time_ns = seen->time_ns,
                                .epoch = t.epoch,
                                .round = t.round,
                                .qc_round = t.qc_round,
                                .signer = t.signer,
                                .node = seen->node,
                                .kind = DS_CHECK_TIMEOUT,
                                .signature = t.signature};
    if (m.signer == m.node || check_holds(w, &m))
        ds_checks_signed(w->checks->checks, &m);
}

static void check_proposed(struct ds_world *w, const struct note *n)
{
    const struct dc_block *b = n->object;
    struct ds_check_signed m = {.time_ns = n->time_ns,
                                .epoch = n->b >> 32,
                                .round = n->b & UINT32_MAX,
                                .block = b->id,
                                .signer = n->node,
                                .node = n->node,
                                .kind = DS_CHECK_PROPOSED};
    ds_checks_signed(w->checks->checks, &m);
}

/* What a shard has seen: a vote or timeout, one that a collector heard, or a note. */
struct check_seen {
    int64_t time_ns;
    uint32_t node, index; /* index: in its shard's list */
    const struct vote_seen *vote;
    const struct vote_heard *heard;
    const struct note *note;
};

/* By time and node; of one node and time votes first, in the order in which they left: so the order
 * does not show the shards. */
static int check_seen_compare(const void *x, const void *y)
{
    const struct check_seen *a = x, *b = y;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    int x_kind = a->vote != NULL ? 0 : a->heard != NULL ? 1 : 2;
    int y_kind = b->vote != NULL ? 0 : b->heard != NULL ? 1 : 2;
    if (x_kind != y_kind)
        return x_kind < y_kind ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void check_gather(struct ds_world *w, const struct shard *s)
{
    struct check_list *l = &w->checks->seen;
    for (uint32_t n = 0; n < s->votes; n++)
        *(struct check_seen *)world_check_add(l, sizeof(struct check_seen)) =
            (struct check_seen){.time_ns = s->vote[n].time_ns,
                                .node = s->vote[n].node,
                                .index = n,
                                .vote = &s->vote[n]};
    for (uint32_t n = 0; n < s->heards; n++)
        *(struct check_seen *)world_check_add(l, sizeof(struct check_seen)) =
            (struct check_seen){.time_ns = s->heard[n].time_ns,
                                .node = s->heard[n].node,
                                .index = n,
                                .heard = &s->heard[n]};
    for (uint32_t n = 0; n < s->notes; n++) {
        const struct note *note = &s->note[n];
        if ((note->note == DC_NOTE_PROPOSED && note->object != NULL) ||
            note->note == DC_NOTE_CONFLICT)
            *(struct check_seen *)world_check_add(l, sizeof(struct check_seen)) =
                (struct check_seen){
                    .time_ns = note->time_ns, .node = note->node, .index = n, .note = note};
    }
}

static void check_conflict(struct ds_world *w, const struct note *n)
{
    const struct ds_check_fork f = {n->time_ns, n->a, n->node};
    ds_checks_conflict(w->checks->checks, &f);
}

void world_check_votes(struct ds_world *w)
{
    struct world_checks *k = w->checks;
    k->seen.count = 0;
    for (uint32_t i = 0; i < w->threads; i++)
        check_gather(w, &w->shard[i]);
    if (k->seen.count == 0)
        return;
    struct check_seen *seen = k->seen.data;
    if (k->seen.count > 1)
        qsort(seen, k->seen.count, sizeof *seen, check_seen_compare);
    for (uint32_t i = 0; i < k->seen.count; i++) {
        if (seen[i].vote != NULL)
            check_signed(w, seen[i].vote);
        else if (seen[i].heard != NULL)
            check_heard(w, seen[i].heard);
        else if (seen[i].note->note == DC_NOTE_CONFLICT)
            check_conflict(w, seen[i].note);
        else
            check_proposed(w, seen[i].note);
    }
    for (uint32_t i = 0; i < w->threads; i++)
        w->shard[i].votes = w->shard[i].heards = 0;
    if (k->looked != NULL)
        dc_block_drop(k->looked);
    k->looked = NULL;
}

static void check_qc_votes(const struct ds_world *w, const struct dc_qc *qc,
                           void (*take)(void *to, const struct ds_check_signed *vote), void *to)
{
    const struct dc_committee *c = dc_store_committee(w->store, world_block_final(w), qc->epoch);
    struct dc_block *b = dc_store_find(w->store, &qc->block);
    struct ds_check_proposal p;
    struct ds_check_signed m = {.epoch = qc->epoch,
                                .round = qc->round,
                                .block = qc->block,
                                .commits = qc->commits,
                                .kind = DS_CHECK_VOTE};
    if (b != NULL) {
        p = check_proposal(b);
        m.proposal = &p;
    }
    const uint8_t *signature = qc->signature;
    for (uint32_t i = 0; c != NULL && c->count == qc->members && i < c->count; i++) {
        if ((qc->bitmap[i / 8] >> i % 8 & 1) == 0)
            continue;
        m.signer = m.node = c->member[i];
        m.signature = signature;
        if (world_check_signature(w, c, &m))
            take(to, &m);
        signature += DC_SIGNATURE_BYTES;
    }
    if (b != NULL)
        dc_block_drop(b);
}

#define CHECK_QCS 256

void world_check_certified(const void *world,
                           void (*take)(void *to, const struct ds_check_signed *vote), void *to)
{
    const struct ds_world *w = world;
    const struct dc_qc *seen[CHECK_QCS];
    uint32_t count = 0;
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct dc_follow *f = w->node[n]->chain;
        for (uint32_t i = 0; i < f->known_count + 2; i++) {
            const struct dc_qc *qc = i < f->known_count    ? f->known[i].block->qc
                                     : i == f->known_count ? f->high_qc
                                                           : f->final->qc;
            bool before = qc == NULL;
            for (uint32_t m = 0; m < count && !before; m++)
                before = dc_hash_equal(&seen[m]->digest, &qc->digest);
            if (before || count == CHECK_QCS)
                continue;
            seen[count++] = qc;
            check_qc_votes(w, qc, take, to);
        }
    }
}

/* --- committees ------------------------------------------------------------------------------ */

/* What a committee is drawn from: weights at the end of an epoch, for the third one after it, and R
 * for the second one after it (models/README.md 4.12, 4.13).  first: the height at which its
 * members must still be certified. */
void world_check_remember(struct ds_world *w, const struct dc_block *b, uint64_t first,
                          struct check_epoch *out)
{
    const struct dc_params *q = &w->params;
    uint32_t accounts = dc_state_meta(b->state)->accounts;
    dc_mem_free(out->account);
    dc_mem_free(out->weight);
    *out =
        (struct check_epoch){.epoch = b->header.epoch, .beacon = b->header.beacon, .known = true};
    out->account = dc_mem_need((size_t)accounts + 1, sizeof *out->account, "a committee");
    out->weight = dc_mem_need((size_t)accounts + 1, sizeof *out->weight, "a committee");
    for (uint32_t i = 0; i < accounts; i++) {
        const struct dc_account *a = dc_state_account(b->state, i);
        uint64_t weight = dc_q31_of(dc_muldiv(a->bond, q->lock_tier_ppm[a->lock_tier & 3], DC_PPM),
                                    dc_posync_influence(q, a->posync.score));
        if (weight == 0 || !dc_account_may(a, first, DC_ROLE_VALIDATOR))
            continue;
        out->account[out->count] = i;
        out->weight[out->count++] = weight;
    }
}

/* The committee of an epoch, drawn once more, against the one that the chain has. */
static void check_draw(struct ds_world *w, const struct dc_committee *used,
                       const struct check_epoch *from, const struct dc_hash *beacon,
                       int64_t time_ns)
{
    struct ds_check_committee u = world_check_committee(used), d = {.epoch = used->epoch};
    uint32_t *account = dc_mem_need((size_t)from->count + 1, sizeof *account, "a committee");
    uint64_t *power = dc_mem_need((size_t)from->count + 1, sizeof *power, "a committee");
    ds_check_draw(from->weight, from->count, w->params.seats, used->epoch, beacon, power);
    for (uint32_t i = 0; i < from->count; i++) {
        account[d.count] = from->account[i];
        power[d.count] = power[i];
        d.count += power[i] != 0;
    }
    d.account = account;
    d.power = power;
    ds_checks_committee(w->checks->checks, &d, &u, time_ns);
    dc_mem_free(account);
    dc_mem_free(power);
}

/* Before the commits of an epoch's first block.  Genesis stands in for what is before it. */
static void check_epoch_begins(struct ds_world *w, const struct commit *c)
{
    struct world_checks *k = w->checks;
    uint64_t epoch = c->block->header.epoch;
    if (epoch < k->committees || c->block->state == NULL)
        return;
    k->committees = epoch + 1;
    const struct dc_committee *used = dc_store_committee(w->store, c->block, epoch);
    if (used == NULL)
        return;
    if (epoch < 3) {
        world_check_remember(w, dc_store_genesis(w->store), epoch * w->params.epoch_blocks + 1,
                             &k->genesis);
        check_draw(w, used, &k->genesis, &k->genesis.beacon, c->time_ns);
        return;
    }
    const struct check_epoch *from = &k->past[(epoch - 3) % CHECKS_PAST];
    const struct check_epoch *at = &k->past[(epoch - 2) % CHECKS_PAST];
    if (from->known && at->known && from->epoch == epoch - 3 && at->epoch == epoch - 2)
        check_draw(w, used, from, &at->beacon, c->time_ns);
}

/* --- commits --------------------------------------------------------------------------------- */

void world_check_commit(struct ds_world *w, const struct commit *c, int64_t proposed_ns)
{
    const struct dc_header *h = &c->block->header;
    check_epoch_begins(w, c);
    const struct ds_check_commit x = {.time_ns = c->time_ns,
                                      .proposed_ns = proposed_ns,
                                      .height = h->height,
                                      .id = c->block->id,
                                      .parent = h->parent,
                                      .node = c->node,
                                      .incarnation = w->incarnation[c->node]};
    ds_checks_commit(w->checks->checks, &x);
}

bool world_violated(const struct ds_world *w)
{
    return w->checks != NULL && ds_checks_violations(w->checks->checks) != 0;
}

bool world_lively(const struct ds_world *w, int64_t by_ns)
{
    int64_t since_ns = w->checks != NULL ? ds_checks_report(w->checks->checks)->lively_ns : 0;
    return since_ns != 0 && since_ns <= by_ns;
}

/* --- making ---------------------------------------------------------------------------------- */

void world_checks_create(struct ds_world *w)
{
    struct world_checks *k = w->checks = dc_mem_need(1, sizeof *k, "invariants");
    const struct ds_heal *heal = &w->scenario->heal;
    k->validator = dc_mem_need((size_t)w->nodes + 1, sizeof *k->validator, "validators");
    k->other = dc_mem_need((size_t)w->nodes + 1, sizeof *k->other, "other nodes");
    w->voted = dc_mem_need(w->nodes, sizeof *w->voted, "votes");
    for (uint32_t n = 0; n < w->nodes; n++)
        if (w->group[n]->role == DS_ROLE_VALIDATOR)
            k->validator[k->validators++] = n;
        else
            k->other[k->others++] = n;
    k->newest = dc_mem_need(w->nodes, sizeof *k->newest, "votes");
    k->doubled = dc_mem_need(w->nodes, sizeof *k->doubled, "votes");
    k->crypto.suite = w->crypto.suite;
    k->recovery_of_ns = -1;
    const struct ds_check_config config = {.nodes = w->nodes,
                                           .voters = k->validators,
                                           .epoch_blocks = w->params.epoch_blocks,
                                           .excused = check_excused,
                                           .holds = check_holds,
                                           .certified = world_check_certified,
                                           .ctx = w,
                                           .heal_at_ns = heal->given ? heal->at_ns : 0,
                                           .heal_within_ns = heal->given ? heal->within_ns : 0};
    k->checks = ds_checks_create(&config);
}

void world_checks_free(struct ds_world *w)
{
    struct world_checks *k = w->checks;
    if (k == NULL)
        return;
    ds_checks_free(k->checks);
    dc_mem_free(k->genesis.account);
    dc_mem_free(k->genesis.weight);
    for (int i = 0; i < CHECKS_PAST; i++) {
        dc_mem_free(k->past[i].account);
        dc_mem_free(k->past[i].weight);
    }
    dc_mem_free(k->newest);
    dc_mem_free(k->doubled);
    dc_mem_free(k->seen.data);
    dc_mem_free(k->offence.data);
    dc_mem_free(k->image.data);
    dc_mem_free(k->slash.data);
    dc_mem_free(k->drawn.data);
    dc_mem_free(k->settled.data);
    dc_mem_free(k->validator);
    dc_mem_free(k->other);
    dc_mem_free(w->voted);
    dc_mem_free(k);
    w->checks = NULL;
}

/* Draining the shards at barriers: commits, notes and traces; see observe.h and observer.h. */
#include "sim/world/observe.h"

#include <stdlib.h>

#include "models/base/mem.h"
#include "sim/world/channel.h"
#include "sim/world/checks.h"
#include "sim/world/observer.h"
#include "sim/world/private.h"
#include "sim/world/watch.h"

/* --- heights -------------------------------------------------------------------------------- */

static struct height_row *observe_row(struct ds_observer *o, uint64_t height)
{
    return &o->row[height % OBSERVE_ROWS];
}

static int64_t observe_proposed(const struct ds_observer *o, uint64_t epoch, uint64_t round,
                                int64_t otherwise)
{
    const struct proposal *p = &o->proposal[(epoch * 64 + round) % OBSERVE_PROPOSALS];
    return p->epoch == epoch && p->round == round && p->time_ns != 0 ? p->time_ns : otherwise;
}

static void observe_open(struct ds_world *w, struct height_row *r, const struct commit *c,
                         int64_t proposed_ns)
{
    const struct dc_header *h = &c->block->header;
    r->height = h->height;
    r->id = c->block->id;
    r->block = c->block; /* takes over the commit's reference */
    r->commits = 0;
    r->proposed_ns = proposed_ns;
    if (r->commit_ns == NULL)
        r->commit_ns = dc_mem_need(w->validators, sizeof *r->commit_ns, "commits of a height");
}

/* From the healing, or the end of the last fault, to the first final block proposed after it. */
static void observe_recovery(struct ds_world *w, int64_t time_ns, int64_t proposed_ns)
{
    struct world_checks *k = w->checks;
    const struct ds_heal *heal = &w->scenario->heal;
    int64_t since = heal->given ? heal->at_ns : world_faults_ended(w);
    if (since < 0 || proposed_ns <= since || (k->recovered && k->recovery_of_ns == since))
        return;
    k->recovered = true;
    k->recovery_of_ns = since;
    k->recovery_ns = time_ns - since;
}

static void observe_commit(struct ds_world *w, const struct commit *c)
{
    struct ds_observer *o = w->observer;
    uint64_t height = c->block->header.height;
    if (c->time_ns > o->progress_ns)
        o->progress_ns = c->time_ns;
    const struct dc_header *h = &c->block->header;
    int64_t proposed_ns = observe_proposed(o, h->epoch, h->round, h->timestamp_ns);
    world_check_commit(w, c, proposed_ns);
    /* Long closed; or, of a node that skipped ahead on a chain of its own, out of all order. */
    if (height + OBSERVE_ROWS <= o->height_final || height > o->height_final + 1) {
        dc_block_drop(c->block);
        return;
    }
    struct height_row *r = observe_row(o, height);
    bool fresh = height > o->height_final;
    world_private_commit(w, c, fresh);
    if (fresh) {
        o->height_final = height;
        observe_open(w, r, c, proposed_ns);
        observe_recovery(w, c->time_ns, proposed_ns);
        world_check_block(w, c);
        if (c->block->header.epoch > w->epoch)
            world_truth_epoch(w, c->block->header.epoch);
        world_rational_block(w, c->block);
        if (c->block->outcome != NULL && c->block->outcome->first_of_epoch &&
            c->block->header.epoch > 0) {
            world_observe_epoch_end(w, c->block->header.epoch - 1, c->time_ns);
            world_level_epoch(w, c->block);
        }
        if (height >= o->height_last)
            w->end_check = true;
    }
    if (w->group[c->node]->role == DS_ROLE_VALIDATOR && r->commit_ns != NULL &&
        r->commits < w->validators) {
        r->commit_ns[r->commits++] = c->time_ns;
        dc_histogram_add(&o->finality, c->time_ns - r->proposed_ns);
        dc_histogram_add(&world_open_epoch(o, c->block->header.epoch)->finality,
                         c->time_ns - r->proposed_ns);
    }
    if (!fresh)
        dc_block_drop(c->block);
}

/* Commits of one barrier in order of (height, time, node): the order does not show the shards. */
static int observe_compare(const void *x, const void *y)
{
    const struct commit *a = x, *b = y;
    if (a->block->header.height != b->block->header.height)
        return a->block->header.height < b->block->header.height ? -1 : 1;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

static void observe_commits(struct ds_world *w)
{
    struct ds_observer *o = w->observer;
    o->commits = 0;
    for (uint32_t i = 0; i < w->threads; i++) {
        struct shard *s = &w->shard[i];
        if (s->commits == 0)
            continue;
        if (o->commits + s->commits > o->commits_max) {
            o->commits_max = 2 * (o->commits + s->commits);
            o->commit = dc_mem_grow(o->commit, o->commits_max, sizeof *o->commit);
            DC_CHECK(o->commit != NULL);
        }
        memcpy(o->commit + o->commits, s->commit, s->commits * sizeof *s->commit);
        o->commits += s->commits;
        s->commits = 0;
    }
    if (o->commits == 0)
        return;
    qsort(o->commit, o->commits, sizeof *o->commit, observe_compare);
    for (uint32_t i = 0; i < o->commits; i++)
        observe_commit(w, &o->commit[i]);
    while (o->height_closed + OBSERVE_LAG < o->height_final)
        world_observe_close(w, observe_row(o, ++o->height_closed));
}

/* --- notes ---------------------------------------------------------------------------------- */

static void observe_note(struct ds_world *w, const struct note *n)
{
    struct ds_observer *o = w->observer;
    struct proposal *p;
    uint64_t epoch, round;
    switch (n->note) {
    case DC_NOTE_PROPOSED:
        epoch = n->b >> 32;
        round = n->b & UINT32_MAX;
        p = &o->proposal[(epoch * 64 + round) % OBSERVE_PROPOSALS];
        if (p->epoch != epoch || p->round != round || p->time_ns == 0 || n->time_ns < p->time_ns)
            *p = (struct proposal){epoch, round, n->time_ns};
        break;
    case DC_NOTE_TIMED_OUT:
        p = &o->timed_out[(n->a * 64 + n->b) % OBSERVE_PROPOSALS];
        if (p->epoch != n->a || p->round != n->b || p->time_ns == 0) {
            *p = (struct proposal){n->a, n->b, n->time_ns};
            o->rounds_timed_out++;
            world_open_epoch(o, n->a)->rounds_timed_out++;
        }
        break;
    case DC_NOTE_GET:
    case DC_NOTE_PUT:
        o->requests++;
        o->requests_failed += n->b == 0;
        if (n->b != 0)
            dc_histogram_add(&o->request, (int64_t)n->a);
        break;
    case DC_NOTE_TURNED: /* by its own decision: a burst */
        world_truth_turn(w, n->node, w->truth[n->node] | WORLD_CHEATS);
        world_spell_turn(w, n->node, w->epoch);
        break;
    case DC_NOTE_REFUSED:
    case DC_NOTE_REJECTED: o->refused++; break;
    case DC_NOTE_PAID:
    case DC_NOTE_APP: world_private_note(w, n); break;
    case DC_NOTE_CHANNEL: world_channel_note(w, n); break;
    default: break;
    }
}

/* --- the barrier ---------------------------------------------------------------------------- */

static int observe_trace_compare(const void *x, const void *y)
{
    const struct ds_row_trace *a = x, *b = y;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return 0; /* equal times at one node keep their order: qsort of glibc is a merge sort */
}

static void observe_traces(struct ds_world *w)
{
    struct ds_observer *o = w->observer;
    for (uint32_t i = 0; i < w->threads; i++) {
        struct shard *s = &w->shard[i];
        if (o->traces + s->traces > o->traces_max) {
            o->traces_max = 2 * (o->traces + s->traces);
            o->trace = dc_mem_grow(o->trace, o->traces_max, sizeof *o->trace);
            DC_CHECK(o->trace != NULL);
        }
        if (s->traces != 0)
            memcpy(o->trace + o->traces, s->trace, s->traces * sizeof *s->trace);
        o->traces += s->traces;
        s->traces = 0;
    }
    if (o->traces == 0)
        return;
    qsort(o->trace, o->traces, sizeof *o->trace, observe_trace_compare);
    if (o->recorder != NULL && w->error.status == DC_OK)
        world_status(w, ds_recorder_append_many(o->recorder, DS_TABLE_TRACE, o->trace, o->traces,
                                                &w->error));
    o->traces = 0;
}

struct open_epoch *world_open_epoch(struct ds_observer *o, uint64_t epoch)
{
    struct open_epoch *e = &o->open[epoch % OBSERVE_EPOCHS];
    if (e->epoch != epoch)
        *e = (struct open_epoch){.epoch = epoch};
    return e;
}

void world_observe(struct ds_world *w, int64_t now_ns)
{
    struct ds_observer *o = w->observer;
    if (w->watch != NULL)
        world_watch_barrier(w, now_ns);
    world_check_votes(w);
    for (uint32_t i = 0; i < w->threads; i++) {
        struct shard *s = &w->shard[i];
        for (uint32_t n = 0; n < s->notes; n++)
            observe_note(w, &s->note[n]);
        s->notes = 0;
    }
    observe_commits(w);
    if (w->options.stop_at_violation && world_violated(w))
        w->end_check = true;
    if (w->options.trace)
        observe_traces(w);
    if (now_ns >= o->slice_next_ns) {
        o->slice_next_ns += w->scenario->record.slice_ns;
        world_observe_slice(w, now_ns);
    }
}

uint64_t world_epochs_final(const struct ds_world *w)
{
    return w->observer->height_final == 0
               ? 0
               : (w->observer->height_final - 1) / w->params.epoch_blocks;
}

const struct dc_block *world_block_final(const struct ds_world *w)
{
    const struct ds_observer *o = w->observer;
    return o->height_final == 0 ? dc_store_genesis(w->store)
                                : o->row[o->height_final % OBSERVE_ROWS].block;
}

uint64_t world_height_final(const struct ds_world *w)
{
    return w->observer->height_final;
}

bool world_halted(const struct ds_world *w)
{
    int64_t patience = 3 * (w->params.block_interval_ns + w->params.delay_max_ns) + 30000000000;
    return ds_kernel_now(w->kernel) - w->observer->progress_ns > patience;
}

void world_status(struct ds_world *w, enum dc_status status)
{
    if (status != DC_OK)
        w->end_check = true; /* the error is in w->error: the run ends at this barrier */
}

/* What the invariants look at once a virtual second (queues, whose committee a node goes by, who is
 * up after the healing), with each final block (who holds proof of equivocation) and at the end
 * (every message accounted for).
 *
 * Validators are looked at every second; of the others a part that goes round, so that 10,000 nodes
 * cost no more than 200. */
#include "models/consensus/certificate.h"
#include "sim/world/checks.h"
#include "sim/world/observer.h"

#define LEVEL_OTHERS 64 /* nodes that are no validators, looked at in one second */
#define LEVEL_TWINS 32  /* pairs of blocks that one second finds */
/* Events of one node, on the average: far more than can be under way, so more is a leak. */
#define LEVEL_PENDING 4096

/* --- queues ---------------------------------------------------------------------------------- */

static void level_look(struct ds_world *w, int64_t now_ns, uint32_t node, const char *queue,
                       uint64_t level, uint64_t limit)
{
    struct ds_check_level l = {now_ns, node, queue, level, limit};
    if (level > limit) /* what is within its limit is nobody's business */
        ds_checks_level(w->checks->checks, &l);
}

static void level_validator(struct ds_world *w, int64_t now_ns, uint32_t n)
{
    const struct dc_node_validator *v = w->node[n]->validator;
    const struct dc_committee *c = w->node[n]->chain->committee;
    uint32_t sets = 0, most = 0;
    for (const struct dc_vote_set *s = v->jolteon.votes; s != NULL; s = s->next) {
        most = s->count > most ? s->count : most;
        sets++;
    }
    level_look(w, now_ns, n, "transactions that wait, in bytes", v->mempool.bytes,
               DC_MEMPOOL_BYTES_MAX);
    level_look(w, now_ns, n, "sets of votes", sets, DC_VOTE_SETS);
    level_look(w, now_ns, n, "votes of one set", most, c->count);
    level_look(w, now_ns, n, "late votes", v->late.count, DC_MEMBERS_MAX);
    level_look(w, now_ns, n, "timeouts",
               v->jolteon.timeouts != NULL ? v->jolteon.timeouts->count : 0, c->count);
    level_look(w, now_ns, n, "sessions of a verifier", v->verifier.count,
               (uint64_t)w->nodes * DC_WINDOW_HEIGHTS);
}

static void level_node(struct ds_world *w, int64_t now_ns, uint32_t n)
{
    const struct dc_node *node = w->node[n];
    const struct dc_follow *f = node->chain;
    uint32_t requests = 0;
    if (f->committee->epoch != f->epoch) {
        struct ds_check_follow x = {now_ns, n, f->epoch, f->committee->epoch};
        ds_checks_follow(w->checks->checks, &x);
    }
    for (uint32_t i = 0; node->client != NULL && i < DC_CLIENT_REQUESTS_MAX; i++)
        requests += node->client->request[i].id != 0;
    level_look(w, now_ns, n, "requests", requests, DC_CLIENT_REQUESTS_MAX);
    if (node->service != NULL)
        level_look(w, now_ns, n, "challenges that came early", node->service->pendings,
                   DC_PENDING_MAX);
}

/* --- equivocation caught --------------------------------------------------------------------- */

struct twin {
    uint32_t account, holders;
    uint64_t epoch, round;
};

static void level_twin(struct twin *twin, uint32_t *count, const struct dc_header *h)
{
    uint32_t i = 0;
    while (i < *count && (twin[i].account != h->proposer || twin[i].epoch != h->epoch ||
                          twin[i].round != h->round))
        i++;
    if (i == LEVEL_TWINS)
        return;
    if (i == *count)
        twin[(*count)++] = (struct twin){h->proposer, 0, h->epoch, h->round};
    twin[i].holders++;
}

/* Two blocks of one round in what a member has taken in above its final block. */
static void level_twins(struct twin *twin, uint32_t *count, const struct dc_follow *f)
{
    for (uint32_t i = 1; i < f->known_count; i++) {
        const struct dc_header *x = &f->known[i].block->header;
        for (uint32_t j = 0; j < i; j++) {
            const struct dc_header *y = &f->known[j].block->header;
            if (x->round != y->round || x->epoch != y->epoch || x->proposer != y->proposer)
                continue;
            level_twin(twin, count, x);
            break;
        }
    }
}

void world_check_caught(struct ds_world *w, int64_t now_ns)
{
    struct twin twin[LEVEL_TWINS];
    uint32_t count = 0, honest = 0;
    for (uint32_t i = 0; i < w->checks->validators; i++) {
        uint32_t n = w->checks->validator[i];
        const struct dc_node *node = w->node[n];
        if (!w->up[n] || node->validator->jolteon.member == UINT32_MAX || world_deviates(w, n))
            continue;
        honest++;
        level_twins(twin, &count, node->chain);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct ds_check_caught c = {.time_ns = now_ns,
                                    .account = twin[i].account,
                                    .epoch = twin[i].epoch,
                                    .round = twin[i].round,
                                    .holders = twin[i].holders,
                                    .honest = honest};
        ds_checks_caught(w->checks->checks, &c);
    }
}

/* --- each second, and the end ---------------------------------------------------------------- */

static void level_moment(struct ds_world *w, int64_t now_ns)
{
    struct ds_check_moment m = {now_ns, world_quorum(w), w->up};
    ds_checks_moment(w->checks->checks, &m);
}

void world_check_second(struct ds_world *w, int64_t now_ns)
{
    struct world_checks *k = w->checks;
    for (uint32_t i = 0; i < k->validators; i++) {
        level_node(w, now_ns, k->validator[i]);
        level_validator(w, now_ns, k->validator[i]);
    }
    uint32_t part = k->others < LEVEL_OTHERS ? k->others : LEVEL_OTHERS;
    for (uint32_t i = 0; i < part; i++)
        level_node(w, now_ns, k->other[(k->second * part + i) % k->others]);
    k->second++;
    struct ds_kernel_counters c = ds_kernel_counters(w->kernel);
    level_look(w, now_ns, UINT32_MAX, "pending events", c.pending,
               (uint64_t)w->nodes * LEVEL_PENDING);
    level_moment(w, now_ns);
}

/* One kind of message: what came into being, against what became of it. */
static void level_traffic(struct ds_world *w, int64_t now_ns, uint32_t kind)
{
    struct ds_net_kind_stats s = world_traffic(w, kind);
    struct ds_check_traffic t = {.time_ns = now_ns,
                                 .kind = ds_message_names[kind],
                                 .sent = s.messages,
                                 .duplicated = s.duplicated,
                                 .replayed = s.replayed,
                                 .lost = s.outcome[DS_NET_LOST],
                                 .cut = s.outcome[DS_NET_CUT],
                                 .queue_full = s.outcome[DS_NET_UPLINK_FULL] +
                                               s.outcome[DS_NET_DOWNLINK_FULL]};
    for (uint32_t i = 0; i < w->threads; i++) {
        t.delivered += w->shard[i].delivered[kind];
        t.down += w->shard[i].dropped_down[kind];
        t.in_flight += w->shard[i].in_flight[kind];
    }
    ds_checks_traffic(w->checks->checks, &t);
}

void world_check_end(struct ds_world *w, int64_t now_ns)
{
    level_moment(w, now_ns);
    w->draining = true; /* world_handle counts what it is handed, and gives back what that holds */
    ds_kernel_run(w->kernel, INT64_MAX);
    for (uint32_t kind = 0; kind < KIND_COUNT; kind++)
        level_traffic(w, now_ns, kind);
    ds_checks_end(w->checks->checks, now_ns);
}

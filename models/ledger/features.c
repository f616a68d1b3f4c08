#include "models/base/rng.h"
#include "models/ledger/execute.h"

#include <stdlib.h>

/* What an epoch showed of each node, as anomaly detection wants it (models/README.md 8.1).
 *
 *   records, forecasts      -> residual, synchronicity, availability, quality
 *   settled challenges      -> response, work, disagreement
 *   work of the committee   -> participation
 *   deals, receipts         -> payments -> concentration, captive, circle
 *
 * Payments are a graph: accounts are vertices, what one paid another in the epoch is an edge, kept
 * by the one who is paid:
 *
 *   first   [0 | 2 | 2 | 5 ...]           of node 0, 1, 2 ...
 *   in      [p p | p p p | ...]           its payers, ascending, each once, and what they paid
 *   pays    how many different nodes an account pays
 *   circle  its strongly connected component, 0 for an account that does not both pay and get paid
 *
 * What circles chance closes is found by dealing the payers anew among the payments (a permutation
 * under the beacon): everyone pays as often and is paid as often and as much as before.
 *
 * Transfers are not payments: a balance changes and state does not remember why, so money that goes
 * back to a payer by transfer closes no circle here; captive and concentration are for that. */

#define FEATURES_SEEN 3u /* observations behind a forecast that counts */

struct features_payment {
    uint64_t amount;
    uint32_t payer, node;
};

struct features_graph {
    uint32_t vertices;
    uint32_t *first; /* [vertices + 1] */
    struct features_payment *in;
    uint32_t *pays, *circle; /* [vertices] */
};

/* Every payment of the epoch, in no order that means anything; returns how many. */
static uint32_t features_payments(const struct dc_exec *e, struct features_payment **out)
{
    const struct dc_state *s = e->before;
    uint32_t n = 0;
    struct features_payment *list =
        dc_mem_need((size_t)s->meta.deals - s->meta.deals_live + s->reports.count + 1, sizeof *list,
                    "payments");
    for (uint32_t i = s->meta.deals_live; i < s->meta.deals; i++) {
        const struct dc_deal *d = dc_state_deal(s, i);
        uint64_t due = dc_epoch_due(e, d);
        if (due != 0)
            list[n++] = (struct features_payment){due, d->client, d->node};
    }
    for (uint32_t i = 0; i < s->reports.count; i++) {
        const struct dc_report *r = dc_tree_get(&s->reports, i);
        if (r->paid != 0)
            list[n++] = (struct features_payment){r->paid, r->client, r->node};
    }
    *out = list;
    return n;
}

static int features_order(const void *a, const void *b)
{
    const struct features_payment *x = a, *y = b;
    return (x->payer > y->payer) - (x->payer < y->payer);
}

/* Sorts the payments in[count] of one node and adds up those of the same payer; returns how many
 * payers there are. */
static uint32_t features_merge(struct features_payment *in, uint32_t count)
{
    uint32_t kept = 0;
    if (count > 1)
        qsort(in, count, sizeof *in, features_order);
    for (uint32_t i = 0; i < count; i++)
        if (kept != 0 && in[kept - 1].payer == in[i].payer)
            in[kept - 1].amount = dc_add_money(in[kept - 1].amount, in[i].amount);
        else
            in[kept++] = in[i];
    return kept;
}

/* Fills first, in and pays: a counting sort by node, then each node's own. */
static void features_gather(struct features_graph *g, const struct features_payment *list,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        g->first[list[i].node + 1]++;
    for (uint32_t v = 0; v < g->vertices; v++)
        g->first[v + 1] += g->first[v];
    uint32_t *end = dc_mem_need(g->vertices + 1, sizeof *end, "payments");
    memcpy(end, g->first, g->vertices * sizeof *end);
    for (uint32_t i = 0; i < count; i++)
        g->in[end[list[i].node]++] = list[i];
    uint32_t kept = 0;
    for (uint32_t v = 0; v < g->vertices; v++) {
        uint32_t from = g->first[v], of = features_merge(g->in + from, end[v] - from);
        memmove(g->in + kept, g->in + from, of * sizeof *g->in);
        g->first[v] = kept;
        for (; of != 0; of--)
            g->pays[g->in[kept++].payer]++;
    }
    g->first[g->vertices] = kept;
    dc_mem_free(end);
}

/* Tarjan (1972), with stacks of its own: the depth may be that of the graph.  Edges are followed
 * from who is paid to who pays, which gives the same components. */
struct features_search {
    struct features_graph *g;
    uint32_t *index, *low, *edge; /* by vertex; index 0: not seen */
    uint32_t *open, *path;        /* stacks: in no component yet; on the way */
    uint32_t opened, depth, seen, circles;
};

static bool features_can_circle(const struct features_graph *g, uint32_t v)
{
    return g->pays[v] != 0 && g->first[v] != g->first[v + 1];
}

static void features_enter(struct features_search *s, uint32_t v)
{
    s->index[v] = s->low[v] = ++s->seen;
    s->edge[v] = s->g->first[v];
    s->open[s->opened++] = v;
    s->path[s->depth++] = v;
}

/* All edges of v have been followed. */
static void features_leave(struct features_search *s, uint32_t v)
{
    s->depth--;
    if (s->depth != 0) {
        uint32_t up = s->path[s->depth - 1];
        s->low[up] = s->low[v] < s->low[up] ? s->low[v] : s->low[up];
    }
    if (s->low[v] != s->index[v])
        return;
    s->circles++;
    uint32_t w;
    do {
        w = s->open[--s->opened];
        s->g->circle[w] = s->circles;
    } while (w != v);
}

static void features_walk(struct features_search *s, uint32_t root)
{
    const struct features_graph *g = s->g;
    features_enter(s, root);
    while (s->depth != 0) {
        uint32_t v = s->path[s->depth - 1];
        if (s->edge[v] == g->first[v + 1]) {
            features_leave(s, v);
            continue;
        }
        uint32_t w = g->in[s->edge[v]++].payer;
        if (!features_can_circle(g, w))
            continue;
        if (s->index[w] == 0)
            features_enter(s, w);
        else if (g->circle[w] == 0 && s->index[w] < s->low[v])
            s->low[v] = s->index[w];
    }
}

static void features_circles(struct features_graph *g)
{
    uint32_t n = g->vertices, able = 0;
    for (uint32_t v = 0; v < n; v++)
        able += features_can_circle(g, v);
    if (able == 0)
        return; /* as long as clients are no nodes */
    uint32_t *memory = dc_mem_need((size_t)5 * n, sizeof *memory, "circles of payment");
    struct features_search s = {.g = g,
                                .index = memory,
                                .low = memory + n,
                                .edge = memory + (size_t)2 * n,
                                .open = memory + (size_t)3 * n,
                                .path = memory + (size_t)4 * n};
    for (uint32_t v = 0; v < n; v++)
        if (s.index[v] == 0 && features_can_circle(g, v))
            features_walk(&s, v);
    dc_mem_free(memory);
}

static void features_income(const struct features_graph *g, uint32_t id, struct dc_features *f)
{
    uint64_t whole = 0, captive = 0, circle = 0, squares = 0;
    for (uint32_t i = g->first[id]; i < g->first[id + 1]; i++) {
        const struct features_payment *p = &g->in[i];
        whole = dc_add_money(whole, p->amount);
        captive += g->pays[p->payer] == 1 ? p->amount : 0;
        circle += g->circle[p->payer] != 0 && g->circle[p->payer] == g->circle[id] ? p->amount : 0;
    }
    if (whole == 0)
        return;
    for (uint32_t i = g->first[id]; i < g->first[id + 1]; i++) {
        uint64_t share = dc_q31_ratio(g->in[i].amount, whole);
        squares += share * share >> 31;
    }
    f->value[DC_FEATURE_CONCENTRATION] = (uint32_t)squares;
    f->value[DC_FEATURE_CAPTIVE] = dc_q31_ratio(captive, whole);
    f->value[DC_FEATURE_CIRCLE] = dc_q31_ratio(circle, whole);
}

/* The graph of list[count]; gone by features_drop. */
static void features_graph(struct features_graph *g, uint32_t vertices,
                           const struct features_payment *list, uint32_t count)
{
    *g = (struct features_graph){.vertices = vertices};
    g->first = dc_mem_need((size_t)3 * vertices + 1, sizeof *g->first, "payments");
    g->pays = g->first + vertices + 1;
    g->circle = g->pays + vertices;
    g->in = dc_mem_need(count, sizeof *g->in, "payments");
    features_gather(g, list, count);
    features_circles(g);
}

static void features_drop(struct features_graph *g)
{
    dc_mem_free(g->first);
    dc_mem_free(g->in);
}

static void features_deal(struct features_payment *list, uint32_t count, uint64_t seed)
{
    struct dc_stream s = dc_stream(seed, dc_name("payers"), dc_name("circle"));
    for (; count > 1; count--) {
        struct features_payment *a = &list[count - 1], *b = &list[dc_next_below(&s, count)];
        uint32_t payer = a->payer;
        a->payer = b->payer;
        b->payer = payer;
    }
}

static void features_pay(const struct dc_exec *e, struct dc_features *out)
{
    uint32_t n = e->state->meta.accounts;
    struct features_payment *list;
    uint32_t count = features_payments(e, &list);
    struct features_graph g;
    if (count != 0) {
        features_graph(&g, n, list, count);
        for (uint32_t id = 0; id < n; id++)
            if (out[id].present)
                features_income(&g, id, &out[id]);
        features_drop(&g);
    }
    if (count != 0 && (e->p->detectors & DC_DETECTOR_CIRCLE) != 0) {
        features_deal(list, count, dc_hash_u64(&e->before->meta.beacon));
        features_graph(&g, n, list, count);
        for (uint32_t id = 0; id < n; id++) {
            struct dc_features chance = {.value[DC_FEATURE_CIRCLE] = DC_FEATURE_NONE};
            if (out[id].present)
                features_income(&g, id, &chance);
            out[id].null[DC_RELATION_CIRCLE] = chance.value[DC_FEATURE_CIRCLE];
        }
        features_drop(&g);
    }
    dc_mem_free(list);
}

/* How long the machine worked at a passed challenge, for each sample: the longest of its verifiers'
 * reports less the round trip, because an answer is made for the first who asks and kept for the
 * others.  An allowance is a round trip and a quarter, and 50 ms (models/README.md, "Constants"). */
static uint32_t features_work(const struct dc_exec *e, const struct dc_settled *done)
{
    const struct dc_challenge *c = &done->challenge;
    uint8_t region = dc_state_account(e->state, done->node)->region;
    int64_t longest_us = -1;
    for (uint32_t i = 0; i < c->verifiers; i++) {
        if (c->verdict[i] != DC_VERDICT_PASS)
            continue;
        uint8_t from = dc_state_account(e->state, c->verifier[i])->region;
        int64_t trip_us = (dc_state_allowance_ns(e->state, region, from) - 50000000) / 1250;
        int64_t work_us = c->reported_us[i] - (trip_us > 0 ? trip_us : 0);
        longest_us = work_us > longest_us ? work_us : longest_us;
    }
    if (done->verdict != DC_VERDICT_PASS || longest_us < 0 || c->k == 0)
        return DC_FEATURE_NONE;
    return DC_FEATURE_MIDDLE + dc_log2_q16((uint64_t)longest_us + 1) - dc_log2_q16(c->k) -
           (10u << 16);
}

/* log2 of the response time that verifiers of a passed challenge reported over what region and k
 * let expect, as a feature: 2^-16 units around the middle. */
static uint32_t features_response(const struct dc_exec *e, const struct dc_settled *done)
{
    const struct dc_challenge *c = &done->challenge;
    if (done->verdict != DC_VERDICT_PASS || c->response_us == UINT32_MAX)
        return DC_FEATURE_NONE;
    const struct dc_account *a = dc_state_account(e->state, done->node);
    int64_t allowance = 0;
    uint32_t reports = 0;
    for (uint32_t i = 0; i < c->verifiers; i++) {
        if (c->verdict[i] == DC_VERDICT_NONE)
            continue;
        const struct dc_account *v = dc_state_account(e->state, c->verifier[i]);
        allowance += dc_state_allowance_ns(e->state, a->region, v->region);
        reports++;
    }
    DC_CHECK(reports > 0); /* somebody said how long it took */
    int64_t expected_us = (allowance / reports + (int64_t)c->k * e->p->deadline_per_k_ns) / 1000;
    uint64_t expected = expected_us > 0 ? (uint64_t)expected_us : 1;
    return DC_FEATURE_MIDDLE + dc_log2_q16((uint64_t)c->response_us + 1) -
           dc_log2_q16(expected + 1);
}

/* Of each verifier's verdicts in challenges that a majority decided, how many say passed where that
 * says not, or the other way round.  What is wrong, late or silent is not told apart: those differ
 * by a verifier's place in the network. */
static void features_challenges(const struct dc_exec *e, struct dc_features *out)
{
    uint32_t n = e->state->meta.accounts;
    uint32_t *given = dc_mem_need(2 * (size_t)n, sizeof *given, "verdicts"), *against = given + n;
    const struct dc_settled *settled = e->record->settled.data;
    for (uint32_t i = 0; i < e->record->settled.count; i++) {
        const struct dc_challenge *c = &settled[i].challenge;
        uint8_t decided = settled[i].verdict;
        out[settled[i].node].value[DC_FEATURE_RESPONSE] = features_response(e, &settled[i]);
        out[settled[i].node].work = features_work(e, &settled[i]);
        if (decided == DC_VERDICT_NONE || decided == DC_VERDICT_UNDECIDED)
            continue;
        for (uint32_t v = 0; v < c->verifiers; v++) {
            if (c->verdict[v] == DC_VERDICT_NONE)
                continue;
            given[c->verifier[v]]++;
            against[c->verifier[v]] +=
                (c->verdict[v] == DC_VERDICT_PASS) != (decided == DC_VERDICT_PASS);
        }
    }
    for (uint32_t id = 0; id < n; id++)
        if (given[id] != 0)
            out[id].value[DC_FEATURE_DISAGREEMENT] = dc_q31_ratio(against[id], given[id]);
    dc_mem_free(given);
}

static void features_committee(const struct dc_exec *e, struct dc_features *out)
{
    const struct dc_work *w = e->state->work;
    const struct dc_committee *c = e->before->committee[1];
    for (uint32_t i = 0; i < w->members && w->certificates != 0; i++)
        out[c->member[i]].value[DC_FEATURE_PARTICIPATION] =
            dc_q31_ratio(w->member[i].votes, w->certificates);
}

/* Utilisation less what was forecast of it, halved; a value that was only kept is no news. */
static uint32_t features_residual(const struct dc_exec *e, uint32_t id, const struct dc_features *f)
{
    const struct dc_account *a = dc_state_account(e->before, id);
    const struct dc_posync *r = &e->record->posync[id];
    bool service = (a->roles & DC_ROLES_SERVICE) != 0;
    bool measured =
        service ? a->capacity_bytes != 0 : f->value[DC_FEATURE_PARTICIPATION] != DC_FEATURE_NONE;
    if (!measured || !r->u_defined || a->posync.seen < FEATURES_SEEN)
        return DC_FEATURE_NONE;
    return (uint32_t)(DC_FEATURE_MIDDLE + ((int64_t)r->u - a->posync.forecast) / 2);
}

void dc_features_make(const struct dc_exec *e, const bool *failed, struct dc_features *out)
{
    uint32_t n = e->state->meta.accounts;
    for (uint32_t id = 0; id < n; id++) {
        const struct dc_account *a = dc_state_account(e->state, id);
        struct dc_features *f = &out[id];
        for (uint32_t i = 0; i < DC_FEATURE_COUNT; i++)
            f->value[i] = DC_FEATURE_NONE;
        f->work = f->null[DC_RELATION_TWIN] = f->null[DC_RELATION_CIRCLE] = DC_FEATURE_NONE;
        f->present = (a->roles & (DC_ROLE_VALIDATOR | DC_ROLES_SERVICE)) != 0 && !a->posync.ejected;
        f->population = (a->roles & DC_ROLES_SERVICE) != 0;
        const struct dc_posync *r = &e->record->posync[id];
        f->failed = failed[id] || (e->p->calibration == DC_CALIBRATION_PROVEN &&
                                   (r->passed == 0 || r->escalated));
    }
    features_challenges(e, out);
    features_committee(e, out);
    features_pay(e, out);
    for (uint32_t id = 0; id < n; id++) {
        const struct dc_posync *r = &e->record->posync[id];
        struct dc_features *f = &out[id];
        if (!f->present)
            continue;
        f->value[DC_FEATURE_RESIDUAL] = features_residual(e, id, f);
        f->value[DC_FEATURE_SYNCHRONICITY] = r->s_defined ? r->s : DC_FEATURE_NONE;
        f->value[DC_FEATURE_AVAILABILITY] = r->s_defined ? r->a : DC_FEATURE_NONE;
        f->value[DC_FEATURE_QUALITY] = r->q_defined ? r->q : DC_FEATURE_NONE;
    }
}

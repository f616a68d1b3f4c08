#include "models/ledger/execute.h"

#include <stdlib.h>

/* The components of P: what final blocks say about a node in the epoch that ends.
 *
 *   s, a  heartbeats: those whose time of inclusion closed in the epoch, received over expected
 *   u     service: bytes under paid deals / declared; validator: votes included / due
 *   q     service: reports, weighted; validator: timely proposals / rounds led
 *
 * A component whose denominator is 0 keeps its previous value.  models/README.md 5. */

/* Heartbeats of `id` whose last includable block lies in the epoch. */
static uint32_t measure_expected(const struct dc_exec *e, uint32_t id)
{
    const struct dc_meta *m = &e->before->meta;
    uint64_t first = m->epoch * e->p->epoch_blocks + 1;
    uint64_t last = dc_epoch_last_height(m->epoch, e->p->epoch_blocks);
    uint64_t lifetime = e->p->heartbeat_lifetime;
    uint64_t from = first > lifetime ? first - lifetime : 1;
    uint64_t joined = dc_state_account(e->before, id)->joined;
    if (from <= joined)
        from = joined + 1;
    if (last <= lifetime)
        return 0;
    uint64_t to = last - lifetime;
    uint32_t n = 0;
    if (from < first)
        n += dc_posync_heartbeats_due(from, first - 1 < to ? first - 1 : to, id,
                                      m->heartbeat_every_before);
    return n + dc_posync_heartbeats_due(from > first ? from : first, to, id, m->heartbeat_every);
}

struct measure_report {
    uint64_t weight;
    dc_q31 value;
};

static int measure_order(const void *a, const void *b)
{
    const struct measure_report *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->weight > y->weight) - (x->weight < y->weight);
}

/* Mean of the reports' (ok + timely) / (2 sent), weighted by what they burned, no client more than
 * a quarter of the whole, a tenth of the weight cut off at both ends.  False without reports. */
static bool measure_reports(const struct dc_exec *e, uint32_t id, dc_q31 *quality)
{
    const struct dc_state *s = e->state;
    uint32_t count = 0;
    uint64_t whole = 0;
    for (uint32_t at = dc_state_tally(s, id)->report; at != DC_REPORT_NONE; count++) {
        const struct dc_report *r = dc_tree_get(&s->reports, at);
        whole += r->take + 1;
        at = r->prev;
    }
    if (count == 0)
        return false;
    struct measure_report *list = dc_mem_need(count, sizeof *list, "reports");
    uint64_t most = whole / 4 + 1, sum = 0;
    count = 0;
    for (uint32_t at = dc_state_tally(s, id)->report; at != DC_REPORT_NONE;) {
        const struct dc_report *r = dc_tree_get(&s->reports, at);
        list[count].weight = r->take + 1 < most ? r->take + 1 : most;
        list[count].value = dc_q31_ratio((uint64_t)r->ok + r->timely, 2 * (uint64_t)r->sent);
        sum += list[count++].weight;
        at = r->prev;
    }
    qsort(list, count, sizeof *list, measure_order);
    uint64_t low = sum / 10, high = sum - sum / 10, at = 0;
    unsigned __int128 total = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t from = at > low ? at : low, to = at + list[i].weight;
        to = to < high ? to : high;
        if (to > from)
            total += (unsigned __int128)(to - from) * list[i].value;
        at += list[i].weight;
    }
    dc_mem_free(list);
    DC_CHECK(high > low); /* every weight is at least 1 */
    *quality = (dc_q31)(total / (high - low));
    return true;
}

/* Takes down u and forecasts that of the next epoch. */
static void measure_utilisation(const struct dc_exec *e, struct dc_posync *r, dc_q31 u)
{
    r->u = u;
    r->u_defined = 1;
    dc_holt_update(e->p, r);
}

static void measure_validator(const struct dc_exec *e, uint32_t id, struct dc_posync *r)
{
    const struct dc_work *w = e->state->work;
    uint32_t m = dc_committee_index(e->before->committee[1], id);
    if (m == UINT32_MAX)
        return;
    if (w->certificates != 0)
        measure_utilisation(e, r, dc_q31_ratio(w->member[m].votes, w->certificates));
    if (w->member[m].led != 0) {
        r->q = dc_q31_ratio(w->member[m].timely, w->member[m].led);
        r->q_defined = 1;
    }
}

void dc_measure_node(const struct dc_exec *e, uint32_t id, struct dc_posync *r)
{
    const struct dc_account *a = dc_state_account(e->state, id);
    const struct dc_tally *t = dc_state_tally(e->state, id);
    uint32_t expected = measure_expected(e, id);
    if (expected != 0) {
        uint64_t mean = t->timeliness[0] / expected;
        r->s = mean < DC_ONE ? (dc_q31)mean : DC_ONE;
        r->a = dc_q31_ratio(t->heartbeats[0], expected);
        r->s_defined = 1;
    }
    if (!(a->roles & DC_ROLES_SERVICE)) {
        measure_validator(e, id, r);
        return;
    }
    if (a->capacity_bytes != 0)
        measure_utilisation(e, r, dc_q31_ratio(a->used_bytes, a->capacity_bytes));
    if (measure_reports(e, id, &r->q))
        r->q_defined = 1;
}

/* Every number that `expect` can name, from what the observer collected; models/README.md 17. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/base/mem.h"
#include "sim/world/observer.h"

static const char *const message_names[KIND_COUNT] = {
    "other",       "proposal", "vote",          "timeout",  "sync", "handover",  "block_request",
    "block_reply", "tx",       "challenge",     "answer",   "put",  "put_reply", "get",
    "get_reply",   "receipt",  "receipt_reply", "announce", "pull"};

static const struct ds_metric *summary_metric(const char *name)
{
    size_t n = strcspn(name, ".");
    for (size_t i = 0; i < ds_metrics_count; i++)
        if (strlen(ds_metrics[i].name) == n && strncmp(ds_metrics[i].name, name, n) == 0)
            return &ds_metrics[i];
    return NULL;
}

static struct ds_scalar *summary_add(struct ds_world *w, const char *name)
{
    struct ds_observer *o = w->observer;
    if (o->scalars == o->scalars_max) {
        o->scalars_max = o->scalars_max == 0 ? 128 : 2 * o->scalars_max;
        o->scalar = dc_mem_grow(o->scalar, o->scalars_max, sizeof *o->scalar);
        DC_CHECK(o->scalar != NULL);
    }
    struct ds_scalar *s = &o->scalar[o->scalars++];
    char *copy = dc_arena_alloc(&o->names, strlen(name) + 1);
    DC_CHECK(copy != NULL);
    strcpy(copy, name);
    const struct ds_metric *m = summary_metric(name);
    *s = (struct ds_scalar){.name = copy,
                            .units = m != NULL ? m->unit : "1",
                            .long_name = m != NULL ? m->meaning : copy};
    if (strcmp(s->units, "bool") == 0)
        s->units = "1";
    return s;
}

static void summary_real(struct ds_world *w, const char *name, double value)
{
    struct ds_scalar *s = summary_add(w, name);
    s->type = DS_F64;
    s->value.f64 = value;
}

static void summary_count(struct ds_world *w, const char *name, uint64_t value)
{
    struct ds_scalar *s = summary_add(w, name);
    s->type = DS_U64;
    s->value.u64 = value;
}

double ds_summary_value(const struct ds_summary *summary, const char *name)
{
    for (size_t i = 0; i < summary->scalar_count; i++) {
        const struct ds_scalar *s = &summary->scalars[i];
        if (strcmp(s->name, name) == 0)
            return s->type == DS_F64   ? s->value.f64
                   : s->type == DS_I64 ? (double)s->value.i64
                                       : (double)s->value.u64;
    }
    return NAN;
}

static double ratio(double a, double b)
{
    return b == 0 ? NAN : a / b;
}

/* --- chain and network ----------------------------------------------------------------------- */

static void summary_latency(struct ds_world *w, const char *name, const struct dc_histogram *h)
{
    static const struct {
        const char *suffix;
        uint32_t percent;
    } q[] = {{"p50", 50}, {"p95", 95}, {"p99", 99}};
    char full[64];
    for (size_t i = 0; i < 3; i++) {
        snprintf(full, sizeof full, "%s.%s", name, q[i].suffix);
        summary_real(w, full,
                     h->count == 0 ? NAN
                                   : (double)dc_histogram_quantile(h, q[i].percent, 100) / 1e9);
    }
    snprintf(full, sizeof full, "%s.mean", name);
    summary_real(w, full, h->count == 0 ? NAN : (double)dc_histogram_mean(h) / 1e9);
    snprintf(full, sizeof full, "%s.max", name);
    summary_real(w, full, h->count == 0 ? NAN : (double)h->max / 1e9);
}

static void summary_chain(struct ds_world *w, int64_t now_ns)
{
    const struct ds_observer *o = w->observer;
    uint64_t blocks = o->height_final < o->height_last ? o->height_final : o->height_last - 1;
    summary_count(w, "safety", o->conflicts == 0);
    summary_count(w, "supply", o->supply_breaks == 0);
    summary_count(w, "halted", world_halted(w));
    summary_count(w, "epochs", o->epochs);
    summary_count(w, "blocks_final", blocks);
    summary_real(w, "blocks_per_second", ratio((double)blocks, (double)o->progress_ns / 1e9));
    summary_count(w, "transactions_final", o->transactions);
    summary_count(w, "rounds_timed_out", o->rounds_timed_out);
    summary_real(w, "virtual_time", (double)now_ns / 1e9);
    summary_latency(w, "finality_latency", &o->finality);
    summary_count(w, "requests_total", o->requests);
    summary_count(w, "requests_failed", o->requests_failed);
    summary_latency(w, "request_latency", &o->request);
    summary_count(w, "invalid_messages", o->refused);
}

static void summary_traffic(struct ds_world *w)
{
    uint64_t messages = 0, bytes = 0, challenge = 0;
    char name[64];
    for (uint32_t k = 0; k < KIND_COUNT; k++) {
        struct ds_net_kind_stats s = world_traffic(w, k);
        messages += s.messages;
        bytes += s.bytes;
        challenge += k == DC_MSG_CHALLENGE || k == DC_MSG_ANSWER ? s.bytes : 0;
        if (s.messages == 0)
            continue;
        snprintf(name, sizeof name, "messages.%s", message_names[k]);
        summary_count(w, name, s.messages);
        snprintf(name, sizeof name, "bytes.%s", message_names[k]);
        summary_count(w, name, s.bytes);
    }
    summary_count(w, "messages", messages);
    summary_count(w, "bytes", bytes);
    summary_real(w, "challenge_bytes_share", ratio((double)challenge, (double)bytes));
}

static void summary_traffic_rows(struct ds_world *w)
{
    struct ds_observer *o = w->observer;
    for (uint32_t k = 0; k < KIND_COUNT && w->error.status == DC_OK; k++) {
        struct ds_net_kind_stats s = world_traffic(w, k);
        uint64_t down = 0;
        for (uint32_t i = 0; i < w->threads; i++)
            down += w->shard[i].dropped_down[k];
        const struct dc_histogram *h = &s.delay_ns;
        bool any = h->count != 0;
        struct ds_row_traffic row = {
            .kind = message_names[k],
            .messages = s.messages,
            .bytes = s.bytes,
            .dropped_loss = s.outcome[DS_NET_LOST],
            .dropped_partition = s.outcome[DS_NET_CUT],
            .dropped_queue = s.outcome[DS_NET_UPLINK_FULL] + s.outcome[DS_NET_DOWNLINK_FULL],
            .dropped_down = down,
            .delay_p50_s = any ? (double)dc_histogram_quantile(h, 50, 100) / 1e9 : NAN,
            .delay_p95_s = any ? (double)dc_histogram_quantile(h, 95, 100) / 1e9 : NAN,
            .delay_p99_s = any ? (double)dc_histogram_quantile(h, 99, 100) / 1e9 : NAN,
            .delay_max_s = any ? (double)h->max / 1e9 : NAN};
        world_status(w, ds_recorder_append(o->recorder, DS_TABLE_TRAFFIC, &row, &w->error));
    }
}

/* --- Proof of Sync ---------------------------------------------------------------------------- */

/* Sums over the nodes of one strategy. */
struct group {
    const char *name; /* "ghost", or NULL for all cheats */
    uint64_t nodes, detect_5, detect_20, ejected;
    double mttd, time_to_eject, reward, profit;
};

static bool summary_member(const struct ds_world *w, uint32_t n, const char *name)
{
    const char *own = w->mix[n] != NULL ? w->mix[n]->name : "honest";
    if (name == NULL)
        return world_cheats(w, n);
    size_t length = strlen(name);
    return strncmp(own, name, length) == 0 && (own[length] == '\0' || own[length] == '(');
}

/* What it costs a node to hold what it does hold, over the run (section 9). */
static double summary_holding(const struct ds_world *w, uint32_t n)
{
    const struct ds_mix *m = w->mix[n];
    double held = 1;
    if (m != NULL && (m->strategy == DS_STRATEGY_GHOST || m->strategy == DS_STRATEGY_WASHER))
        held = 0;
    else if (m != NULL && m->strategy == DS_STRATEGY_PARTIAL)
        held = 1 - dc_q31_to_double(m->argument);
    return w->group[n]->role == DS_ROLE_SERVICE
               ? held * (double)w->params.holding_cost * (double)w->observer->epochs
               : 0;
}

static void summary_group(struct ds_world *w, const char *name)
{
    const struct ds_observer *o = w->observer;
    struct group g = {.name = name};
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct fate *f = &o->fate[n];
        if (w->group[n]->role == DS_ROLE_CLIENT || !summary_member(w, n, name))
            continue;
        g.nodes++;
        g.detect_5 += f->first_failed != 0 && f->first_failed <= 5;
        g.detect_20 += f->first_failed != 0 && f->first_failed <= 20;
        g.ejected += f->first_ejected != 0;
        g.mttd += f->first_failed != 0 ? f->first_failed : (double)o->epochs;
        g.time_to_eject += f->first_ejected != 0 ? f->first_ejected : (double)o->epochs;
        g.reward += (double)f->reward / 1e9;
        g.profit += ((double)f->reward - (double)f->slashed - summary_holding(w, n)) / 1e9;
    }
    if (g.nodes == 0)
        return;
    double nodes = (double)g.nodes;
    const struct {
        const char *metric;
        double value;
    } rows[] = {{"nodes", nodes},
                {"detect_5", g.detect_5 / nodes},
                {"detect_20", g.detect_20 / nodes},
                {"mttd", g.mttd / nodes},
                {"time_to_eject", g.time_to_eject / nodes},
                {"leak_by_strategy", g.reward},
                {"profit_by_strategy", g.profit / nodes}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char full[96];
        snprintf(full, sizeof full, "%s%s%s", rows[i].metric, name != NULL ? "." : "",
                 name != NULL ? name : "");
        summary_real(w, full, rows[i].value);
    }
}

static void summary_challenges(struct ds_world *w)
{
    const struct ds_observer *o = w->observer;
    summary_count(w, "challenges_total", o->challenges);
    summary_count(w, "challenges_theta", o->by_cause[0]);
    summary_count(w, "challenges_audit", o->by_cause[1]);
    summary_count(w, "challenges_flag", o->by_cause[2]);
    summary_count(w, "challenges_escalation", o->by_cause[3]);
    summary_count(w, "demands", o->demands);
    summary_real(w, "challenge_precision",
                 ratio((double)o->challenges_cheat, (double)o->challenges));
    summary_real(w, "false_fail_rate", ratio((double)o->honest_failed, (double)o->honest_settled));
    summary_count(w, "honest_failed", o->honest_failed);
    summary_count(w, "flags_total", o->flags);
    summary_count(w, "flags_false", o->flags_false);
}

static void summary_loss(struct ds_world *w)
{
    const struct ds_observer *o = w->observer;
    uint64_t slashed = 0, honest_slashed = 0, equivocation = 0, ejections = 0, most = 0, honest = 0;
    double lost = 0, honest_reward = 0;
    for (uint32_t n = 0; n < w->nodes; n++) {
        if (world_cheats(w, n) || w->group[n]->role == DS_ROLE_CLIENT)
            continue;
        const struct fate *f = &o->fate[n];
        slashed += f->slashed;
        honest_slashed += f->slashed != 0;
        equivocation += f->slashed_equivocation;
        if (w->group[n]->role != DS_ROLE_SERVICE)
            continue;
        honest++;
        honest_reward += (double)f->reward;
        ejections += f->ejections;
        most = f->ejections > most ? f->ejections : most;
    }
    double mean = ratio(honest_reward, (double)honest * (double)o->epochs);
    for (uint32_t n = 0; n < w->nodes; n++)
        if (!world_cheats(w, n) && o->fate[n].first_ejected != 0 && mean > 0)
            lost += mean * (double)(o->epochs - o->fate[n].first_ejected + 1);
    double cost = (double)o->challenges * ((double)w->params.challenge_cost +
                                           (double)w->params.fee_verdict * w->params.verifiers);
    double pool = (double)o->pool / 100;
    double leaked = ratio((double)o->reward_cheats, pool);
    double total = leaked + ratio((double)slashed, pool) + ratio(lost, pool) + ratio(cost, pool);
    summary_real(w, "loss", total);
    summary_real(w, "loss_leaked", leaked);
    summary_real(w, "loss_slashed", ratio((double)slashed, pool));
    summary_real(w, "loss_ejected", ratio(lost, pool));
    summary_real(w, "loss_challenges", ratio(cost, pool));
    summary_count(w, "honest_slashed", honest_slashed);
    summary_count(w, "honest_slashed_equivocation", equivocation);
    summary_real(w, "honest_ejections_per_1000", ratio(1000.0 * (double)ejections, (double)honest));
    summary_count(w, "max_ejections_one_node", most);
}

/* How well low utilisation tells cheats from honest nodes: the probability that a cheat's is lower,
 * ties counted half (Mann and Whitney), as of genesis; and F_u(theta). */
struct ranked {
    double u;
    bool cheat;
};
static int summary_compare(const void *x, const void *y)
{
    double a = ((const struct ranked *)x)->u, b = ((const struct ranked *)y)->u;
    return a < b ? -1 : a > b;
}
static void summary_worlds(struct ds_world *w)
{
    struct ranked *r = dc_mem_need(w->nodes, sizeof *r, "ranks of utilisation");
    size_t count = 0, below = 0, cheats = 0;
    for (uint32_t n = 0; n < w->nodes; n++) {
        if (w->group[n]->role != DS_ROLE_SERVICE)
            continue;
        dc_q31 u = dc_q31_ratio(w->used[n], w->capacity[n]);
        r[count++] = (struct ranked){dc_q31_to_double(u), world_cheats(w, n)};
        below += u < w->params.theta;
        cheats += r[count - 1].cheat;
    }
    qsort(r, count, sizeof *r, summary_compare);
    double sum = 0; /* of pairs in which the cheat is lower */
    size_t honest_after = count - cheats;
    for (size_t i = 0; i < count;) {
        size_t j = i, c = 0, h = 0;
        for (; j < count && r[j].u == r[i].u; j++)
            *(r[j].cheat ? &c : &h) += 1;
        honest_after -= h;
        sum += (double)c * ((double)honest_after + (double)h / 2);
        i = j;
    }
    summary_real(w, "theta_quantile", ratio((double)below, (double)count));
    summary_real(w, "u_auroc", ratio(sum, (double)cheats * (double)(count - cheats)));
    dc_mem_free(r);
}

static void summary_harm(struct ds_world *w)
{
    double at_risk = 0;
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct ds_mix *m = w->mix[n];
        if (m == NULL || w->group[n]->role != DS_ROLE_SERVICE || m->strategy == DS_STRATEGY_WASHER)
            continue;
        double missing = m->strategy == DS_STRATEGY_GHOST     ? 1
                         : m->strategy == DS_STRATEGY_PARTIAL ? dc_q31_to_double(m->argument)
                                                              : 0;
        at_risk += missing * (double)w->used[n];
    }
    summary_real(w, "data_at_risk", at_risk);
    double price = (double)w->params.price_gib_epoch / 1073741824.0 * (double)w->observer->epochs;
    double pool = (double)w->observer->pool / 100;
    double loss = w->observer->scalar != NULL
                      ? ds_summary_value(&(struct ds_summary){.scalars = w->observer->scalar,
                                                              .scalar_count = w->observer->scalars},
                                         "loss")
                      : NAN;
    summary_real(w, "loss_with_harm", loss + ratio(at_risk * price, pool));
}

void world_summarise(struct ds_world *w)
{
    static const char *const strategies[] = {"honest", "ghost",  "partial",     "stale",
                                             "washer", "silent", "equivocating"};
    summary_chain(w, ds_kernel_now(w->kernel));
    summary_challenges(w);
    summary_group(w, NULL);
    for (size_t i = 0; i < sizeof strategies / sizeof strategies[0]; i++)
        summary_group(w, strategies[i]);
    summary_loss(w);
    summary_worlds(w);
    summary_harm(w);
    summary_traffic(w);
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool summary_holds(const struct ds_expect *e, double value)
{
    switch (e->op) {
    case DS_OP_HOLDS: return value == 1;
    case DS_OP_LT: return value < e->value;
    case DS_OP_LE: return value <= e->value;
    case DS_OP_GT: return value > e->value;
    case DS_OP_GE: return value >= e->value;
    case DS_OP_EQ: return value == e->value;
    case DS_OP_NE: return value != e->value;
    }
    return false;
}

static void summary_expect(struct ds_world *w, struct ds_summary *summary)
{
    struct ds_observer *o = w->observer;
    size_t count = w->scenario->expects_count;
    o->expectation = dc_mem_need(count, sizeof *o->expectation, "expectations");
    for (size_t i = 0; i < count; i++) {
        const struct ds_expect *e = &w->scenario->expects[i];
        double value = ds_summary_value(summary, e->metric);
        o->expectation[i] = (struct ds_expectation){e->text, summary_holds(e, value), value};
    }
    summary->expectations = o->expectation;
    summary->expectation_count = count;
}

enum dc_status world_observer_finish(struct ds_world *w, struct ds_summary *summary,
                                     struct dc_error *error)
{
    struct ds_observer *o = w->observer;
    uint64_t last = o->height_final < o->height_last ? o->height_final : o->height_last;
    while (o->height_closed < last) {
        o->height_closed++;
        world_observe_close(w, &o->row[o->height_closed % OBSERVE_ROWS]);
    }
    world_observe_slice(w, ds_kernel_now(w->kernel));
    world_summarise(w);
    struct ds_digest digest = ds_digest_run(w->digest, w->nodes);
    ds_digest_hex(&digest, summary->trace_digest);
    summary->scalars = o->scalar;
    summary->scalar_count = o->scalars;
    summary->invariants_held = o->violation[0] == '\0';
    summary->violation = summary->invariants_held ? NULL : o->violation;
    summary_expect(w, summary);
    if (o->recorder == NULL)
        return DC_OK;
    summary_traffic_rows(w);
    for (size_t i = 0; i < o->scalars && w->error.status == DC_OK; i++)
        world_status(w, ds_recorder_summary(o->recorder, &o->scalar[i], &w->error));
    bool complete = w->end != DS_WORLD_INTERRUPTED && w->error.status == DC_OK;
    struct ds_recorder *recorder = o->recorder;
    o->recorder = NULL;
    return ds_recorder_close(recorder, complete, summary->trace_digest, summary->content_digest,
                             error);
}

/* Every number that `expect` can name, from what the observer collected: of the chain and the network
 * here, of Proof of Sync in score.c; models/README.md 17.  And the run's end. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/base/mem.h"
#include "sim/world/channel.h"
#include "sim/world/checks.h"
#include "sim/world/observer.h"
#include "sim/world/private.h"

const char *const ds_message_names[] = {
    "other",         "proposal",    "vote",      "timeout",       "sync",          "handover",
    "block_request", "block_reply", "tx",        "challenge",     "answer",        "put",
    "put_reply",     "get",         "get_reply", "receipt",       "receipt_reply", "fetch",
    "fetch_reply",   "announce",    "pull",      "epoch_request", "epoch_reply",   "state_request",
    "state_reply",   "handshake",   "frame",     "app",           "holder",        NULL};

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

void world_scalar_real(struct ds_world *w, const char *name, double value)
{
    struct ds_scalar *s = summary_add(w, name);
    s->type = DS_F64;
    s->value.f64 = value;
}

void world_scalar_count(struct ds_world *w, const char *name, uint64_t value)
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

double world_scalar(const struct ds_world *w, const char *name)
{
    return ds_summary_value(
        &(struct ds_summary){.scalars = w->observer->scalar, .scalar_count = w->observer->scalars},
        name);
}

/* --- chain and network ----------------------------------------------------------------------- */

void world_summary_latency(struct ds_world *w, const char *name, const struct dc_histogram *h)
{
    static const struct {
        const char *suffix;
        uint32_t percent;
    } q[] = {{"p50", 50}, {"p95", 95}, {"p99", 99}};
    char full[64];
    for (size_t i = 0; i < 3; i++) {
        snprintf(full, sizeof full, "%s.%s", name, q[i].suffix);
        world_scalar_real(
            w, full,
            h->count == 0 ? NAN : (double)dc_histogram_quantile(h, q[i].percent, 100) / 1e9);
    }
    snprintf(full, sizeof full, "%s.mean", name);
    world_scalar_real(w, full, h->count == 0 ? NAN : (double)dc_histogram_mean(h) / 1e9);
    snprintf(full, sizeof full, "%s.max", name);
    world_scalar_real(w, full, h->count == 0 ? NAN : (double)h->max / 1e9);
}

static void summary_chain(struct ds_world *w, int64_t now_ns)
{
    const struct ds_observer *o = w->observer;
    uint64_t blocks = o->height_final < o->height_last ? o->height_final : o->height_last - 1;
    world_scalar_count(w, "safety",
                       ds_checks_report(w->checks->checks)->count[DS_CHECK_AGREEMENT] == 0);
    world_scalar_count(w, "supply", o->supply_breaks == 0);
    world_scalar_count(w, "halted", world_halted(w));
    world_scalar_count(w, "epochs", o->epochs);
    world_scalar_count(w, "blocks_final", blocks);
    world_scalar_real(w, "blocks_per_second",
                      world_ratio((double)blocks, (double)o->progress_ns / 1e9));
    world_scalar_count(w, "transactions_final", o->transactions);
    world_scalar_count(w, "rounds_timed_out", o->rounds_timed_out);
    world_scalar_real(w, "virtual_time", (double)now_ns / 1e9);
    world_summary_latency(w, "finality_latency", &o->finality);
    world_scalar_count(w, "requests_total", o->requests);
    world_scalar_count(w, "requests_failed", o->requests_failed);
    world_summary_latency(w, "request_latency", &o->request);
    world_scalar_count(w, "invalid_messages", o->refused);
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
        snprintf(name, sizeof name, "messages.%s", ds_message_names[k]);
        world_scalar_count(w, name, s.messages);
        snprintf(name, sizeof name, "bytes.%s", ds_message_names[k]);
        world_scalar_count(w, name, s.bytes);
    }
    world_scalar_count(w, "messages", messages);
    world_scalar_count(w, "bytes", bytes);
    world_scalar_real(w, "challenge_bytes_share", world_ratio((double)challenge, (double)bytes));
}

/* What the invariants came to, and what faults did. */
static void summary_checks(struct ds_world *w)
{
    const struct world_checks *k = w->checks;
    const struct ds_check_report *r = ds_checks_report(k->checks);
    struct ds_net_kind_stats sum = {0};
    char name[64];
    for (uint32_t i = 0; i < KIND_COUNT; i++) {
        struct ds_net_kind_stats s = world_traffic(w, i);
        sum.duplicated += s.duplicated;
        sum.replayed += s.replayed;
        sum.corrupted += s.corrupted;
    }
    world_scalar_count(w, "violations", ds_checks_violations(k->checks));
    for (int i = 0; i < DS_CHECKS; i++) {
        snprintf(name, sizeof name, "violations.%s", ds_check_classes[i]->name);
        world_scalar_count(w, name, r->count[i]);
    }
    int64_t since = w->scenario->heal.given ? w->scenario->heal.at_ns : world_faults_ended(w);
    bool recovered = since >= 0 && k->recovered && k->recovery_of_ns == since;
    world_scalar_real(w, "recovery_time", recovered ? (double)k->recovery_ns / 1e9 : NAN);
    world_scalar_real(w, "fork_guilty_power",
                      world_ratio((double)r->guilty_power, (double)r->guilty_of));
    world_scalar_count(w, "faults_executed", w->observer->faults);
    world_scalar_count(w, "equivocators_slashed", r->equivocators);
    world_scalar_count(w, "messages_duplicated", sum.duplicated);
    world_scalar_count(w, "messages_replayed", sum.replayed);
    world_scalar_count(w, "messages_corrupted", sum.corrupted);
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
            .kind = ds_message_names[k],
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

void world_summarise(struct ds_world *w)
{
    world_spells_end(w);
    summary_chain(w, ds_kernel_now(w->kernel));
    world_private_summary(w);
    world_channel_summary(w);
    world_score(w);
    summary_traffic(w);
}

/* --- the end ---------------------------------------------------------------------------------- */

static struct ds_expectation *summary_expect(const struct ds_summary *summary,
                                             const struct ds_expect *expect, size_t count)
{
    struct ds_expectation *out = dc_mem_need(count + 1, sizeof *out, "expectations");
    for (size_t i = 0; i < count; i++) {
        double value = ds_summary_value(summary, expect[i].metric);
        out[i] = (struct ds_expectation){expect[i].text, ds_expect_holds(&expect[i], value), value};
    }
    return out;
}

static void summary_invariants(struct ds_world *w, struct ds_summary *summary)
{
    struct ds_observer *o = w->observer;
    const struct ds_check_report *r = ds_checks_report(w->checks->checks);
    o->invariant = dc_mem_need(DS_CHECKS, sizeof *o->invariant, "invariants");
    for (int i = 0; i < DS_CHECKS; i++)
        o->invariant[i] = (struct ds_invariant){.name = ds_check_classes[i]->name,
                                                .line = ds_check_classes[i]->line,
                                                .violations = r->count[i],
                                                .violation = r->count[i] != 0 ? r->text[i] : NULL,
                                                .violation_ns = r->time_ns[i]};
    summary->invariants = o->invariant;
    summary->invariant_count = DS_CHECKS;
    summary->invariants_held = r->first == DS_CHECKS;
    if (summary->invariants_held)
        return;
    summary->invariant = o->invariant[r->first].name;
    summary->violation = o->invariant[r->first].violation;
    summary->violation_ns = o->invariant[r->first].violation_ns;
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
    enum dc_status lifted = world_lift(w, error);
    if (lifted != DC_OK)
        world_status(w, w->error.status = lifted);
    world_summarise(w);
    world_check_end(w, ds_kernel_now(w->kernel));
    summary_checks(w);
    struct ds_digest digest = ds_digest_run(w->digest, w->nodes);
    ds_digest_hex(&digest, summary->trace_digest);
    summary->scalars = o->scalar;
    summary->scalar_count = o->scalars;
    summary_invariants(w, summary);
    const struct ds_scenario *sc = w->scenario;
    summary->expectations = o->expectation =
        summary_expect(summary, sc->expects, sc->expects_count);
    summary->expectation_count = sc->expects_count;
    summary->sometimes = o->sometimes = summary_expect(summary, sc->sometimes, sc->sometimes_count);
    summary->sometimes_count = sc->sometimes_count;
    if (o->recorder == NULL)
        return lifted;
    summary_traffic_rows(w);
    for (size_t i = 0; i < o->scalars && w->error.status == DC_OK; i++)
        world_status(w, ds_recorder_summary(o->recorder, &o->scalar[i], &w->error));
    bool complete = w->end != DS_WORLD_INTERRUPTED && w->error.status == DC_OK;
    struct ds_recorder *recorder = o->recorder;
    o->recorder = NULL;
    return ds_recorder_close(recorder, complete, summary->trace_digest, summary->content_digest,
                             error);
}

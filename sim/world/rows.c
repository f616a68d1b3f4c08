/* Tables of the results file: nodes, blocks, challenges, epochs, digests.
 *
 * A height is closed when the chain is OBSERVE_LAG heights beyond it, so that slow validators'
 * commits are in its row; what its block's execution said (challenges drawn and settled, slashes,
 * rewards) is taken then, in order of height. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/base/mem.h"
#include "sim/world/observer.h"

struct columns {
    uint32_t *utilisation, *synchronicity, *availability, *quality, *score;
    uint8_t *difficulty, *verdict, *cause, *flagged, *strategy;
    double *p_value;
    uint64_t *bond, *reward;
};

bool world_cheats(const struct ds_world *w, uint32_t node)
{
    return w->mix[node] != NULL && w->mix[node]->strategy != DS_STRATEGY_HONEST;
}

/* --- the file ------------------------------------------------------------------------------- */

/* The names of the strategies in the scenario's mixes, in order of first use. */
static uint8_t rows_strategy(const struct ds_world *w, uint32_t node, const char **names,
                             uint32_t *count)
{
    const char *name = w->mix[node] != NULL ? w->mix[node]->name : "honest";
    uint32_t i = 0;
    while (i < *count && strcmp(names[i], name) != 0)
        i++;
    if (i == *count && *count < 64)
        names[(*count)++] = name;
    return (uint8_t)(i < 64 ? i : 63);
}

static char *rows_words(const char *const *word, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += strlen(word[i]) + 1;
    char *text = dc_mem_need(1, size, "a vocabulary"), *at = text;
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s%s", i == 0 ? "" : " ", word[i]);
    return text;
}

static char *rows_regions(const struct ds_world *w)
{
    const char **name = dc_mem_need(w->topology.places, sizeof *name, "region names");
    for (uint32_t i = 0; i < w->topology.places; i++)
        name[i] = w->topology.place[i].name;
    char *text = rows_words(name, w->topology.places);
    dc_mem_free(name);
    return text;
}

const char *const ds_event_names[] = {"message", "body",  "announce", "pull", "timer",
                                      "call",    "start", "restart",  NULL};
static const char *const fault_names[] = {"crash", "partition", "link", "slow_cpu"};

static enum dc_status rows_nodes(struct ds_world *w, struct dc_error *error)
{
    static const uint8_t roles[] = {[DS_ROLE_VALIDATOR] = DS_ROW_ROLE_VALIDATOR,
                                    [DS_ROLE_SERVICE] = DS_ROW_ROLE_SERVICE,
                                    [DS_ROLE_CLIENT] = DS_ROW_ROLE_CLIENT};
    enum dc_status s = DC_OK;
    for (uint32_t n = 0; s == DC_OK && n < w->nodes; n++) {
        char name[160];
        const struct ds_group *g = w->group[n];
        snprintf(name, sizeof name, "%s[%llu]", g->name, (unsigned long long)(n - g->first));
        struct ds_row_node row = {.name = name,
                                  .role = roles[g->role],
                                  .service = g->role == DS_ROLE_SERVICE ? DS_ROW_SERVICE_STORAGE
                                                                        : DS_ROW_SERVICE_NONE,
                                  .strategy = w->observer->columns->strategy[n],
                                  .region = (uint16_t)w->region[n],
                                  .capacity = w->capacity[n],
                                  .bond_initial = w->bond[n]};
        s = ds_recorder_append(w->observer->recorder, DS_TABLE_NODE, &row, error);
    }
    return s;
}

static enum dc_status rows_inputs(struct ds_world *w, struct dc_error *error)
{
    enum dc_status s = DC_OK;
    for (size_t i = 0; s == DC_OK && i < w->scenario->inputs_count; i++) {
        const struct ds_input *in = &w->scenario->inputs[i];
        struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TRACE, in->data, in->size);
        char hex[65];
        for (int b = 0; b < 32; b++)
            sprintf(hex + 2 * b, "%02x", h.b[b]);
        s = ds_recorder_input(w->observer->recorder, in->path, in->data, in->size, hex, error);
    }
    return s;
}

static enum dc_status rows_open(struct ds_world *w, char *const *vocabulary, struct dc_error *error)
{
    const struct ds_record *keep = &w->scenario->record;
    struct ds_text resolved = {0};
    ds_scenario_print_resolved(w->scenario, &resolved);
    uint64_t sizes[DS_DIM_COUNT] = {
        [DS_DIM_NODE] = w->nodes, [DS_DIM_CAUSE] = DS_CAUSE_COUNT, [DS_DIM_MESSAGE] = KIND_COUNT};
    const char *meanings[DS_VOCABULARY_COUNT] = {0};
    for (int i = 0; i < DS_VOCABULARY_COUNT; i++)
        meanings[i] = vocabulary[i];
    size_t given = w->options.attribute_count;
    struct ds_attribute *attribute = dc_mem_need(given + 3, sizeof *attribute, "attributes");
    const char *title = w->scenario->title != NULL && w->scenario->title[0] != '\0'
                            ? w->scenario->title
                            : w->scenario->name;
    attribute[0] = (struct ds_attribute){"title", title};
    attribute[1] = (struct ds_attribute){"Conventions", "CF-1.8"};
    attribute[2] = (struct ds_attribute){"scenario", resolved.data};
    for (size_t i = 0; i < given; i++)
        attribute[3 + i] = w->options.attributes[i];
    uint64_t off = 0;
    off |= !keep->node_epoch ? (uint64_t)1 << DS_TABLE_NODE_EPOCH : 0;
    off |= !keep->blocks ? (uint64_t)1 << DS_TABLE_BLOCKS : 0;
    off |= !keep->challenges ? (uint64_t)1 << DS_TABLE_CHALLENGES : 0;
    off |= !w->options.trace ? (uint64_t)1 << DS_TABLE_TRACE : 0;
    struct ds_record_options options = {.path = w->options.output,
                                        .tables_off = off,
                                        .sizes = sizes,
                                        .meanings = meanings,
                                        .attributes = attribute,
                                        .attribute_count = given + 3,
                                        .seed = w->scenario->seed};
    enum dc_status s = ds_recorder_open(&options, &w->observer->recorder, error);
    if (s == DC_OK)
        s = rows_nodes(w, error);
    if (s == DC_OK)
        s = rows_inputs(w, error);
    dc_mem_free(attribute);
    ds_text_free(&resolved);
    return s;
}

enum dc_status world_observer_create(struct ds_world *w, struct dc_error *error)
{
    struct ds_observer *o = w->observer = dc_mem_alloc(1, sizeof *o);
    if (o == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    o->fate = dc_mem_alloc(w->nodes, sizeof *o->fate);
    o->slice = dc_mem_alloc(w->nodes, sizeof *o->slice);
    struct columns *c = o->columns = dc_mem_alloc(1, sizeof *c);
    if (o->fate == NULL || o->slice == NULL || c == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u nodes", w->nodes);
    uint32_t **words[] = {&c->utilisation, &c->synchronicity, &c->availability, &c->quality,
                          &c->score};
    uint8_t **small[] = {&c->difficulty, &c->verdict, &c->cause, &c->flagged, &c->strategy};
    for (size_t i = 0; i < 5; i++) {
        *words[i] = dc_mem_need(w->nodes, sizeof **words[i], "an epoch's columns");
        *small[i] = dc_mem_need(w->nodes, sizeof **small[i], "an epoch's columns");
    }
    c->p_value = dc_mem_need(w->nodes, sizeof *c->p_value, "an epoch's columns");
    c->bond = dc_mem_need(w->nodes, sizeof *c->bond, "an epoch's columns");
    c->reward = dc_mem_need(w->nodes, sizeof *c->reward, "an epoch's columns");
    o->slice_next_ns = w->scenario->record.slice_ns;
    o->height_last = w->scenario->duration_epochs != 0
                         ? (uint64_t)w->scenario->duration_epochs * w->params.epoch_blocks + 1
                         : UINT64_MAX;
    const char *strategies[64] = {"honest"};
    uint32_t count = 1;
    for (uint32_t n = 0; n < w->nodes; n++)
        c->strategy[n] = rows_strategy(w, n, strategies, &count);
    if (w->options.output == NULL)
        return DC_OK;
    char *vocabulary[DS_VOCABULARY_COUNT] = {
        [DS_VOCABULARY_REGION] = rows_regions(w),
        [DS_VOCABULARY_STRATEGY] = rows_words(strategies, count),
        [DS_VOCABULARY_FAULT_KIND] = rows_words(fault_names, 4),
        [DS_VOCABULARY_EVENT_KIND] = rows_words(ds_event_names, EV_COUNT)};
    enum dc_status s = rows_open(w, vocabulary, error);
    for (int i = 0; i < DS_VOCABULARY_COUNT; i++)
        dc_mem_free(vocabulary[i]);
    return s;
}

void world_observer_free(struct ds_world *w)
{
    struct ds_observer *o = w->observer;
    if (o == NULL)
        return;
    if (o->recorder != NULL)
        (void)!ds_recorder_close(o->recorder, false, NULL, NULL, NULL);
    for (int i = 0; i < OBSERVE_ROWS; i++) {
        if (o->row[i].block != NULL)
            dc_block_drop(o->row[i].block);
        dc_mem_free(o->row[i].commit_ns);
    }
    struct columns *c = o->columns;
    if (c != NULL) {
        void *arrays[] = {c->utilisation, c->synchronicity, c->availability, c->quality,
                          c->score,       c->difficulty,    c->verdict,      c->cause,
                          c->flagged,     c->strategy,      c->p_value,      c->bond,
                          c->reward};
        for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
            dc_mem_free(arrays[i]);
    }
    dc_mem_free(c);
    dc_mem_free(o->fate);
    dc_mem_free(o->slice);
    dc_mem_free(o->commit);
    dc_mem_free(o->trace);
    dc_mem_free(o->scalar);
    dc_mem_free(o->expectation);
    dc_arena_free(&o->names);
    dc_mem_free(o);
    w->observer = NULL;
}

/* --- rows ----------------------------------------------------------------------------------- */

static void rows_append(struct ds_world *w, int table, const void *row)
{
    if (w->observer->recorder != NULL && w->error.status == DC_OK)
        world_status(w, ds_recorder_append(w->observer->recorder, table, row, &w->error));
}

static int rows_compare_times(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return a < b ? -1 : a > b;
}

static void rows_block(struct ds_world *w, struct height_row *r)
{
    const struct dc_block *b = r->block;
    qsort(r->commit_ns, r->commits, sizeof *r->commit_ns, rows_compare_times);
    struct ds_row_block row = {.height = r->height,
                               .epoch = b->header.epoch,
                               .round = b->header.round,
                               .transactions = b->tx_count,
                               .bytes = b->size,
                               .proposer = b->header.proposer,
                               .proposed_s = (double)r->proposed_ns / 1e9,
                               .committed_first_s = NAN,
                               .committed_median_s = NAN,
                               .committed_last_s = NAN};
    if (r->commits != 0) {
        row.committed_first_s = (double)r->commit_ns[0] / 1e9;
        uint32_t median = (r->commits - 1) / 2;
        row.committed_median_s = (double)r->commit_ns[median] / 1e9;
        row.committed_last_s = (double)r->commit_ns[r->commits - 1] / 1e9;
    }
    rows_append(w, DS_TABLE_BLOCKS, &row);
}

static uint8_t rows_cause(uint8_t causes)
{
    uint8_t c = causes & DC_CAUSE_THETA ? DS_CAUSE_THETA : 0;
    c |= causes & DC_CAUSE_AUDIT ? DS_CAUSE_AUDIT : 0;
    c |= causes & DC_CAUSE_FLAG ? DS_CAUSE_FLAG : 0;
    return (uint8_t)(c |
                     (causes & (DC_CAUSE_ESCALATION | DC_CAUSE_RETRY) ? DS_CAUSE_ESCALATION : 0));
}

static void rows_drawn(struct ds_world *w, const struct dc_block *b)
{
    struct ds_observer *o = w->observer;
    struct ds_row_epoch *e = &o->epoch_row;
    for (uint32_t i = 0; i < b->outcome->drawn_count; i++) {
        uint32_t node = b->outcome->drawn[i];
        const struct dc_challenge *c = &dc_state_account(b->state, node)->posync.challenge;
        if (c->asking != 1)
            continue;
        uint8_t cause = rows_cause(c->cause);
        o->challenges++;
        o->challenges_cheat += world_cheats(w, node);
        o->fate[node].challenges++;
        e->challenges_issued++;
        e->challenges_theta += (cause & DS_CAUSE_THETA) != 0;
        e->challenges_audit += (cause & DS_CAUSE_AUDIT) != 0;
        e->challenges_flag += (cause & DS_CAUSE_FLAG) != 0;
        e->challenges_escalation += (cause & DS_CAUSE_ESCALATION) != 0;
        for (int k = 0; k < 4; k++)
            o->by_cause[k] += cause >> k & 1;
    }
    e->demands += b->outcome->demand_count;
    o->demands += b->outcome->demand_count;
}

static uint8_t rows_verdict(uint8_t verdict)
{
    static const uint8_t map[] = {
        [DC_VERDICT_NONE] = DS_VERDICT_NONE,     [DC_VERDICT_PASS] = DS_VERDICT_PASS,
        [DC_VERDICT_FAIL] = DS_VERDICT_FAIL,     [DC_VERDICT_LATE] = DS_VERDICT_LATE,
        [DC_VERDICT_SILENT] = DS_VERDICT_SILENT, [DC_VERDICT_UNDECIDED] = DS_VERDICT_UNDECIDED};
    return map[verdict <= DC_VERDICT_UNDECIDED ? verdict : 0];
}

static void rows_settle_one(struct ds_world *w, const struct dc_block *b,
                            const struct dc_settled *s)
{
    struct ds_observer *o = w->observer;
    struct ds_row_epoch *e = &o->epoch_row;
    struct fate *f = &o->fate[s->node];
    bool cheat = world_cheats(w, s->node), pass = s->verdict == DC_VERDICT_PASS;
    bool undecided = s->verdict == DC_VERDICT_UNDECIDED;
    /* A first asking that was missed is asked again: no failure yet (models/README.md 6). */
    bool failed =
        s->verdict == DC_VERDICT_FAIL || (!pass && !undecided && s->challenge.asking == 2);
    uint8_t cause = rows_cause(s->challenge.cause);
    struct ds_row_challenge row = {.epoch = s->challenge.epoch,
                                   .height = s->challenge.height,
                                   .node = s->node,
                                   .asking = s->challenge.asking,
        .verifiers = s->challenge.verifiers,
                                   .cause = cause,
                                   .k = s->challenge.k,
                                   .verdict = rows_verdict(s->verdict),
                                   .strategy = o->columns->strategy[s->node],
                                   .response_time_s = s->challenge.response_us == UINT32_MAX
                                                          ? NAN
                                                          : s->challenge.response_us / 1e6};
    rows_append(w, DS_TABLE_CHALLENGES, &row);
    f->verdict = row.verdict;
    f->cause = cause;
    f->k = row.k;
    f->passed += pass;
    f->failed += failed;
    if (failed && f->first_failed == 0)
        f->first_failed = (uint32_t)s->challenge.epoch + 1;
    bool late = s->verdict == DC_VERDICT_LATE || s->verdict == DC_VERDICT_SILENT;
    e->challenges_passed += pass;
    e->challenges_undecided += undecided;
    e->challenges_late += late;
    e->challenges_failed += failed;
    for (int k = 0; k < DS_CAUSE_COUNT; k++) {
        e->passed_by_cause[k] += pass && cause >> k & 1;
        e->failed_by_cause[k] += failed && cause >> k & 1;
        e->late_by_cause[k] += late && cause >> k & 1;
    }
    e->honest_failed += failed && !cheat;
    e->cheats_failed += failed && cheat;
    o->honest_settled += !cheat && !undecided;
    o->honest_failed += failed && !cheat;
}

static void rows_slashes(struct ds_world *w, const struct dc_block *b)
{
    struct ds_observer *o = w->observer;
    struct ds_row_epoch *e = &o->epoch_row;
    for (uint32_t i = 0; i < b->outcome->slash_count; i++) {
        const struct dc_slash *s = &b->outcome->slash[i];
        struct fate *f = &o->fate[s->node];
        bool cheat = world_cheats(w, s->node);
        f->slashed += s->amount;
        if (s->reason == DC_SLASH_EQUIVOCATION)
            f->slashed_equivocation = 1;
        if (s->reason == DC_SLASH_EQUIVOCATION && !cheat && o->violation[0] == '\0')
            snprintf(o->violation, sizeof o->violation,
                     "honest node %u was slashed for equivocation at height %llu", s->node,
                     (unsigned long long)b->header.height);
        *(cheat ? &e->slashed_cheats : &e->slashed_honest) += s->amount;
        if (s->ejected) {
            f->ejections++;
            if (f->first_ejected == 0)
                f->first_ejected = (uint32_t)b->header.epoch + 1;
            *(cheat ? &e->ejected_cheats : &e->ejected_honest) += 1;
        }
    }
}

static void rows_node_epoch(struct ds_world *w, const struct dc_block *b)
{
    struct ds_observer *o = w->observer;
    struct columns *c = o->columns;
    const struct dc_outcome *out = b->outcome;
    uint32_t known = dc_state_meta(b->state)->accounts;
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct dc_posync *p = out->record != NULL && n < known ? &out->record[n] : NULL;
        const struct dc_account *a = n < known ? dc_state_account(b->state, n) : NULL;
        /* after its ejection a node has no record any more */
        bool part = p != NULL && !p->ejected && w->group[n]->role != DS_ROLE_CLIENT;
        c->utilisation[n] = part && p->u_defined ? p->u : DS_Q31_NONE;
        c->synchronicity[n] = part && p->s_defined ? p->s : DS_Q31_NONE;
        c->availability[n] = part && p->s_defined ? p->a : DS_Q31_NONE;
        c->quality[n] = part && p->q_defined ? p->q : DS_Q31_NONE;
        c->score[n] = part ? p->score : DS_Q31_NONE;
        c->difficulty[n] = o->fate[n].k;
        c->verdict[n] = o->fate[n].verdict;
        c->cause[n] = o->fate[n].cause;
        c->flagged[n] = part && p->flagged;
        c->p_value[n] = part && p->p_value_of != 0 ? (double)p->p_value_rank / p->p_value_of : NAN;
        c->bond[n] = a != NULL ? a->bond : 0;
        c->reward[n] = out->reward != NULL && n < known ? out->reward[n] : 0;
        o->fate[n].reward += c->reward[n];
        o->fate[n].flags += c->flagged[n];
        o->flags += c->flagged[n];
        bool cheat = world_cheats(w, n);
        o->flags_false += c->flagged[n] && !cheat;
        o->epoch_row.flagged_true += c->flagged[n] && cheat;
        o->epoch_row.flagged_false += c->flagged[n] && !cheat;
        if (cheat) {
            o->epoch_row.reward_to_cheats += c->reward[n];
            o->reward_cheats += c->reward[n];
        }
        o->fate[n].k = o->fate[n].verdict = o->fate[n].cause = 0;
    }
    struct ds_row_node_epoch row = {.utilisation = c->utilisation,
                                    .synchronicity = c->synchronicity,
                                    .availability = c->availability,
                                    .quality = c->quality,
                                    .score = c->score,
                                    .difficulty = c->difficulty,
                                    .verdict = c->verdict,
                                    .cause = c->cause,
                                    .flagged = c->flagged,
                                    .strategy = c->strategy,
                                    .p_value = c->p_value,
                                    .bond = c->bond,
                                    .reward = c->reward};
    rows_append(w, DS_TABLE_NODE_EPOCH, &row);
}

static double rows_quantile(const struct dc_histogram *h, uint32_t percent)
{
    return h->count == 0 ? NAN : (double)dc_histogram_quantile(h, percent, 100) / 1e9;
}

/* The first block of e + 1 settles e: its rows are written. */
static void rows_epoch(struct ds_world *w, const struct dc_block *b)
{
    struct ds_observer *o = w->observer;
    struct ds_row_epoch *e = &o->epoch_row;
    const struct dc_outcome *out = b->outcome;
    struct open_epoch *open = world_open_epoch(o, b->header.epoch - 1);
    rows_node_epoch(w, b);
    e->epoch = b->header.epoch - 1;
    e->time_start_s = o->end_before_s;
    e->time_end_s = open->end_s;
    e->rounds_timed_out = open->rounds_timed_out;
    e->reward_paid = out->reward_validators + out->reward_services;
    e->issued = out->issued;
    e->burned = out->burned;
    e->fees = out->fees;
    e->messages = open->messages - o->messages_before;
    e->bytes = open->bytes - o->bytes_before;
    e->challenge_bytes = open->challenge_bytes - o->challenge_bytes_before;
    e->finality_p50_s = rows_quantile(&open->finality, 50);
    e->finality_p95_s = rows_quantile(&open->finality, 95);
    e->finality_p99_s = rows_quantile(&open->finality, 99);
    o->pool += w->params.issuance_service * dc_state_meta(b->state)->services;
    o->end_before_s = open->end_s;
    o->messages_before = open->messages;
    o->bytes_before = open->bytes;
    o->challenge_bytes_before = open->challenge_bytes;
    rows_append(w, DS_TABLE_EPOCHS, e);
    *e = (struct ds_row_epoch){0};
    o->epochs++;
}

void world_observe_close(struct ds_world *w, struct height_row *r)
{
    struct ds_observer *o = w->observer;
    const struct dc_block *b = r->block;
    if (b == NULL)
        return;
    if (!dc_state_conserved(b->state)) {
        o->supply_breaks++;
        if (o->violation[0] == '\0')
            snprintf(o->violation, sizeof o->violation, "money is not conserved at height %llu",
                     (unsigned long long)r->height);
    }
    if (b->outcome != NULL) {
        for (uint32_t i = 0; i < b->outcome->settled_count; i++)
            rows_settle_one(w, b, &b->outcome->settled[i]);
        rows_slashes(w, b);
        if (b->outcome->first_of_epoch && b->header.epoch > 0)
            rows_epoch(w, b);
        if (r->height < o->height_last)
            rows_drawn(w, b);
    }
    if (r->height < o->height_last) {
        o->epoch_row.blocks++;
        o->epoch_row.transactions += b->tx_count;
        o->transactions += b->tx_count;
        rows_block(w, r);
    }
    dc_block_drop(r->block);
    r->block = NULL;
}

/* --- other tables --------------------------------------------------------------------------- */

struct ds_net_kind_stats world_traffic(const struct ds_world *w, uint32_t kind)
{
    struct ds_net_kind_stats sum = {0};
    for (uint32_t i = 0; i < w->threads; i++) {
        const struct ds_net_kind_stats *k = &w->shard[i].net.kind[kind];
        sum.messages += k->messages;
        sum.bytes += k->bytes;
        for (int j = 0; j < DS_NET_OUTCOMES; j++)
            sum.outcome[j] += k->outcome[j];
        dc_histogram_merge(&sum.delay_ns, &k->delay_ns);
    }
    return sum;
}

void world_observe_epoch_end(struct ds_world *w, uint64_t epoch, int64_t now_ns)
{
    struct open_epoch *e = world_open_epoch(w->observer, epoch);
    e->end_s = (double)now_ns / 1e9;
    e->messages = e->bytes = e->challenge_bytes = 0;
    for (uint32_t i = 0; i < w->threads; i++)
        for (uint32_t k = 0; k < KIND_COUNT; k++) {
            e->messages += w->shard[i].net.kind[k].messages;
            e->bytes += w->shard[i].net.kind[k].bytes;
            if (k == DC_MSG_CHALLENGE || k == DC_MSG_ANSWER)
                e->challenge_bytes += w->shard[i].net.kind[k].bytes;
        }
}

void world_observe_slice(struct ds_world *w, int64_t now_ns)
{
    struct ds_observer *o = w->observer;
    struct ds_row_digest row = {.time_end_ns = now_ns, .digest = o->slice};
    for (uint32_t i = 0; i < w->threads; i++)
        row.events += w->shard[i].events;
    for (uint32_t n = 0; n < w->nodes; n++)
        o->slice[n] = w->digest[n].lane[0];
    rows_append(w, DS_TABLE_DIGEST, &row);
}

void world_observe_fault(struct ds_world *w, const struct ds_fault *f, uint32_t targets,
                         int64_t now_ns)
{
    char text[256];
    snprintf(text, sizeof text, "id=%s", f->id);
    int64_t length = f->kind == DS_FAULT_CRASH ? f->restart_ns : f->for_ns;
    struct ds_row_fault row = {.time_ns = now_ns,
                               .until_ns = length > 0 ? now_ns + length : INT64_MAX,
                               .kind = (uint16_t)f->kind,
                               .targets = targets,
                               .parameters = text};
    rows_append(w, DS_TABLE_FAULTS, &row);
}

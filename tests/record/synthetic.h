/* A results file of invented numbers through the whole schema, for the tests of this folder.
 *
 * Every number is a function of (column tag, row, index in it) that open_everywhere.py knows too,
 * so that each tool's reading can be compared with what was written. */
#ifndef TESTS_RECORD_SYNTHETIC_H
#define TESTS_RECORD_SYNTHETIC_H

#include "sim/record/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SCENARIO_TEXT "name: synthetic\nseed: 7\n# \xc3\xa9pochs of invented numbers\n"

struct synthetic {
    const char *path;
    uint64_t nodes, epochs, blocks, challenges, events;
    const char *scenario, *build;
    uint64_t seed;
    uint64_t tables_off;
    void (*after_epoch)(void *context, uint64_t epoch); /* may be NULL */
    void *context;
    int touch_table; /* this table's first row gets one number changed; -1: none */
    bool complete;
};

static const struct synthetic synthetic_default = {
    .nodes = 300,
    .epochs = 23,
    .blocks = 1200,
    .challenges = 3000,
    .events = 20000,
    .scenario = SCENARIO_TEXT,
    .build = "gcc 12",
    .seed = 7,
    .touch_table = -1,
    .complete = true,
};

static uint64_t synthetic_value(uint64_t tag, uint64_t row, uint64_t index)
{
    return (tag * 1000003 + row * 7919 + index * 31) % 1000000007;
}
static double synthetic_double(uint64_t tag, uint64_t row, uint64_t index)
{
    uint64_t v = synthetic_value(tag, row, index);
    return v % 50 == 0 ? NAN : (double)v / 1024.0;
}

#define SYNTHETIC_NODES_MAX 4096
struct synthetic_arrays {
    uint32_t q[6][SYNTHETIC_NODES_MAX];
    uint8_t small[5][SYNTHETIC_NODES_MAX];
    double p[SYNTHETIC_NODES_MAX];
    uint64_t money[2][SYNTHETIC_NODES_MAX], digest[SYNTHETIC_NODES_MAX];
};

static enum dc_status synthetic_nodes(const struct synthetic *s, struct ds_recorder *r,
                                      struct dc_error *error)
{
    enum dc_status status = DC_OK;
    for (uint64_t n = 0; n < s->nodes && status == DC_OK; n++) {
        char name[32];
        snprintf(name, sizeof name, "sto[%llu]", (unsigned long long)n);
        struct ds_row_node row = {name,
                                  (uint8_t)(n % 3),
                                  (uint8_t)(n % 6),
                                  (uint8_t)(n % 4),
                                  (uint16_t)(n % 2),
                                  synthetic_value(1, n, 0),
                                  synthetic_value(2, n, 0)};
        if (s->touch_table == DS_TABLE_NODE && n == 0)
            name[0] = 'S';
        status = ds_recorder_append(r, DS_TABLE_NODE, &row, error);
    }
    return status;
}

static void synthetic_epoch_row(const struct synthetic *s, struct ds_row_epoch *row, uint64_t e)
{
    uint64_t *words = (uint64_t *)row; /* every member is 8 bytes */
    for (size_t i = 0; i < sizeof *row / 8; i++)
        words[i] = synthetic_value(10 + i, e, 0);
    row->epoch = e;
    row->time_start_s = (double)e * 60;
    row->time_end_s = (double)e * 60 + 60;
    row->finality_p50_s = 0.5;
    row->theta = 0.25;
    row->finality_p95_s = synthetic_double(3, e, 0);
    row->finality_p99_s = e == 0 ? NAN : -NAN;
    if (s->touch_table == DS_TABLE_EPOCHS && e == 0)
        row->late_by_cause[2]++;
}

static enum dc_status synthetic_epoch(const struct synthetic *s, struct ds_recorder *r,
                                      struct synthetic_arrays *a, uint64_t e,
                                      struct dc_error *error)
{
    struct ds_row_epoch epoch;
    synthetic_epoch_row(s, &epoch, e);
    enum dc_status status = ds_recorder_append(r, DS_TABLE_EPOCHS, &epoch, error);
    for (uint64_t n = 0; n < s->nodes; n++) {
        for (uint64_t i = 0; i < 5; i++) {
            a->q[i][n] = (uint32_t)synthetic_value(100 + i, e, n);
            a->small[i][n] = (uint8_t)synthetic_value(110 + i, e, n);
        }
        a->q[5][n] = (uint32_t)synthetic_value(105, e, n);
        a->q[0][n] = n % 7 == 0 ? DS_Q31_NONE : a->q[0][n];
        a->p[n] = synthetic_double(120, e, n);
        a->money[0][n] = synthetic_value(130, e, n);
        a->money[1][n] = synthetic_value(131, e, n);
        a->digest[n] = synthetic_value(132, e, n) * 0x100000001ull;
    }
    if (s->touch_table == DS_TABLE_NODE_EPOCH && e == 0)
        a->small[3][s->nodes - 1] ^= 1;
    if (s->touch_table == DS_TABLE_DIGEST && e == 0)
        a->digest[0] ^= 1ull << 63;
    struct ds_row_node_epoch row = {a->q[0],     a->q[1],     a->q[2],     a->q[3],     a->q[4],
                                    a->q[5],     a->small[0], a->small[1], a->small[2], a->small[3],
                                    a->small[4], a->p,        a->money[0], a->money[1]};
    if (status == DC_OK)
        status = ds_recorder_append(r, DS_TABLE_NODE_EPOCH, &row, error);
    for (uint8_t i = 0; i < 4 && status == DC_OK; i++) {
        struct ds_row_strategy strategy = {.epoch = e,
                                           .nodes = synthetic_value(140, e, i),
                                           .reward = synthetic_value(141, e, i),
                                           .slashed = synthetic_value(142, e, i),
                                           .strategy = i,
                                           .payoff = synthetic_double(143, e, i)};
        strategy.slashed += s->touch_table == DS_TABLE_STRATEGIES && e == 0;
        status = ds_recorder_append(r, DS_TABLE_STRATEGIES, &strategy, error);
    }
    struct ds_row_private private = {.payments = synthetic_value(150, e, 0),
                                     .pool = synthetic_value(151, e, 0)};
    private.marks += s->touch_table == DS_TABLE_PRIVATE && e == 0;
    if (status == DC_OK)
        status = ds_recorder_append(r, DS_TABLE_PRIVATE, &private, error);
    struct ds_row_digest digest = {(int64_t)(e + 1) * 60000000000, e * 100, a->digest};
    if (status == DC_OK)
        status = ds_recorder_append(r, DS_TABLE_DIGEST, &digest, error);
    return status;
}

static enum dc_status synthetic_block(const struct synthetic *s, struct ds_recorder *r, uint64_t b,
                                      struct dc_error *error)
{
    struct ds_row_block row = {b + 1,
                               b / 30,
                               b * 2,
                               synthetic_value(201, b, 0),
                               synthetic_value(202, b, 0),
                               (uint32_t)(b % s->nodes),
                               (double)b,
                               (double)b + 0.25,
                               (double)b + 0.5,
                               synthetic_double(203, b, 0)};
    if (s->touch_table == DS_TABLE_BLOCKS && b == 0)
        row.committed_median_s = nextafter(row.committed_median_s, 1);
    return ds_recorder_append(r, DS_TABLE_BLOCKS, &row, error);
}

static enum dc_status synthetic_rest(const struct synthetic *s, struct ds_recorder *r,
                                     struct dc_error *error)
{
    enum dc_status status = DC_OK;
    for (uint64_t i = 0; i < s->challenges && status == DC_OK; i++) {
        struct ds_row_challenge row = {i / 100,
                                       i,
                                       (uint32_t)(i % s->nodes),
                                       3,
                                       (uint8_t)(1 << i % 4),
                                       (uint8_t)(i % 32),
                                       (uint8_t)(i % 7),
                                       (uint8_t)(i % 4),
                                       (uint8_t)(1 + i % 2),
                                       synthetic_double(301, i, 0)};
        row.k = (uint8_t)(row.k + (s->touch_table == DS_TABLE_CHALLENGES && i == 0));
        status = ds_recorder_append(r, DS_TABLE_CHALLENGES, &row, error);
    }
    for (uint64_t i = 0; i < 40 && status == DC_OK; i++) {
        char text[80];
        snprintf(text, sizeof text, "crash %llu: 10 %% of validators \xe2\x86\x92 durable",
                 (unsigned long long)i);
        struct ds_row_fault row = {.time_s = (double)i,
                                   .end_s = NAN,
                                   .occurrence = i,
                                   .targets = i,
                                   .kind = (uint16_t)(i % 3),
                                   .id = "fault",
                                   .nodes = "val[0], val[1]",
                                   .parameters = text};
        row.occurrence += s->touch_table == DS_TABLE_FAULTS && i == 0;
        status = ds_recorder_append(r, DS_TABLE_FAULTS, &row, error);
    }
    for (uint64_t i = 0; i < 12 && status == DC_OK; i++) {
        char kind[16];
        snprintf(kind, sizeof kind, "kind_%llu", (unsigned long long)i);
        struct ds_row_traffic row = {kind, i, i + 1, i + 2, i + 3, i + 4, i + 5, 0.5, 0.75, 1, 2};
        row.dropped_down += s->touch_table == DS_TABLE_TRAFFIC && i == 0;
        status = ds_recorder_append(r, DS_TABLE_TRAFFIC, &row, error);
    }
    for (uint64_t i = 0; i < s->events && status == DC_OK; i++) {
        struct ds_row_trace row = {(int64_t)i * 10,
                                   (uint32_t)(i % s->nodes),
                                   (uint32_t)(i % 11),
                                   i,
                                   synthetic_value(401, i, 0),
                                   (uint32_t)(i % 1000),
                                   (uint16_t)(i % 2),
                                   (uint16_t)(i % 3)};
        row.sequence += s->touch_table == DS_TABLE_TRACE && i == 0;
        status = ds_recorder_append(r, DS_TABLE_TRACE, &row, error);
    }
    struct ds_scalar scalars[] = {
        {"finality_latency.p99",
         "s",
         "99th percentile of the time to finality",
         DS_F64,
         {.f64 = 1.25}},
        {"honest_slashed", "nDSYNC", "bonds slashed of honest nodes", DS_U64, {.u64 = 1ull << 60}},
        {"margin", "1", "may be negative", DS_I64, {.i64 = -5}},
        {"undefined", "1", "not a number", DS_F64, {.f64 = NAN}},
    };
    for (size_t i = 0; i < sizeof scalars / sizeof scalars[0] && status == DC_OK; i++)
        status = ds_recorder_summary(r, &scalars[i], error);
    return status;
}

static enum dc_status synthetic_open(const struct synthetic *s, struct ds_recorder **r,
                                     struct dc_error *error)
{
    uint64_t sizes[DS_DIM_COUNT] = {[DS_DIM_NODE] = s->nodes, [DS_DIM_CAUSE] = DS_CAUSE_COUNT};
    const char *meanings[DS_VOCABULARY_COUNT] = {
        [DS_VOCABULARY_REGION] = "eu-west-1 us-east-1",
        [DS_VOCABULARY_STRATEGY] = "honest ghost partial(0.3) washer",
        [DS_VOCABULARY_FAULT_KIND] = "crash partition slow_cpu",
        [DS_VOCABULARY_EVENT_KIND] = "message timer",
        [DS_VOCABULARY_MESSAGE_KIND] = "other proposal vote",
    };
    struct ds_attribute attributes[] = {
        {"title", "synthetic"},    {"Conventions", "CF-1.8"},    {"destrasim_version", "0.1.0"},
        {"scenario", s->scenario}, {"build_compiler", s->build},
    };
    struct ds_record_options options = {
        .path = s->path,
        .tables_off = s->tables_off,
        .sizes = sizes,
        .meanings = meanings,
        .attributes = attributes,
        .attribute_count = sizeof attributes / sizeof attributes[0],
        .seed = s->seed,
    };
    return ds_recorder_open(&options, r, error);
}

/* Writes it; returns the first failure. */
static enum dc_status synthetic_write(const struct synthetic *s, char content[65],
                                      struct dc_error *error)
{
    static struct synthetic_arrays arrays;
    struct ds_recorder *r;
    enum dc_status status = synthetic_open(s, &r, error);
    if (status != DC_OK)
        return status;
    char graph[] = "graph [\n node [ id 0 ]\n]\n\0binary";
    graph[1] = s->touch_table == DS_TABLE_INPUT_BYTES ? 'R' : 'r';
    status = synthetic_nodes(s, r, error);
    if (status == DC_OK)
        status = ds_recorder_input(r, s->touch_table == DS_TABLE_INPUTS ? "Net.gml" : "net.gml",
                                   graph, sizeof graph, "00ff", error);
    if (status == DC_OK)
        status = ds_recorder_input(r, "data/empty.csv", "", 0, "", error);
    uint64_t b = 0;
    for (uint64_t e = 0; e < s->epochs && status == DC_OK; e++) {
        for (; b < s->blocks * (e + 1) / s->epochs && status == DC_OK; b++)
            status = synthetic_block(s, r, b, error);
        if (status == DC_OK)
            status = synthetic_epoch(s, r, &arrays, e, error);
        if (s->after_epoch != NULL)
            s->after_epoch(s->context, e);
    }
    if (status == DC_OK)
        status = synthetic_rest(s, r, error);
    enum dc_status closed =
        ds_recorder_close(r, s->complete && status == DC_OK, "abcd", content, error);
    return status != DC_OK ? status : closed;
}

#endif

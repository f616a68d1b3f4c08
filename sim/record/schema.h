/* What a results file holds, as data.
 *
 * A schema is three lists: dimensions, vocabularies (named enumerations) and tables.  A table is a
 * group of columns that share a first dimension; a column is one dataset.  The writer (record.h)
 * knows nothing else, so a new quantity is a member of a row struct and a line in schema.c.
 *
 *     dimension   fixed size (node), or growing by one with every appended row (epoch, block ...)
 *     table       "/epochs", or "" with a prefix for datasets at the root ("node_role")
 *     column      name, units, long_name, type, place in the row struct, optional second dimension
 *
 *     struct ds_row_epoch { u64 blocks; ... u64 passed_by_cause[4]; ... }   one row of /epochs
 *                            |  value            |  array inside the row: across = CAUSE, inlined
 *     struct ds_row_node_epoch { const u64 *bond; ... }                     one row of /node_epoch
 *                                |  borrowed array of node-count values: across = NODE
 */
#ifndef SIM_RECORD_SCHEMA_H
#define SIM_RECORD_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ds_type {
    DS_U8,
    DS_U16,
    DS_U32,
    DS_U64,
    DS_I64,
    DS_F64,
    DS_Q31, /* a dc_q31 in the row, float64 in the file; DS_Q31_NONE becomes NaN */
    DS_TEXT /* const char * in the row (UTF-8, copied), variable-length string in the file */
};
#define DS_Q31_NONE UINT32_MAX
#define DS_NONE (-1) /* no second dimension, no vocabulary */

struct ds_dim {
    const char *name, *long_name;
    bool grows;
    uint32_t rows_max; /* growing: most rows in a chunk, which is also what a kill -9 can lose */
};

/* Meanings are words separated by single blanks; their values are 0, 1, 2 ... or, for masks, 1, 2,
 * 4 ...  NULL: the run supplies them (ds_record_options.meanings). */
struct ds_vocabulary {
    const char *name, *meanings;
    bool masks;
};

struct ds_column {
    const char *name, *units, *long_name;
    enum ds_type type;
    size_t offset; /* in the row struct */
    int across;    /* index of a fixed second dimension, or DS_NONE */
    bool inlined;  /* across: an array inside the row, not a pointer to one */
    int vocabulary;
};

struct ds_table {
    const char *group, *prefix, *long_name;
    int dim;
    size_t row_bytes;
    const struct ds_column *columns;
    size_t column_count;
};

struct ds_schema {
    const struct ds_dim *dims;
    size_t dim_count;
    const struct ds_vocabulary *vocabularies;
    size_t vocabulary_count;
    const struct ds_table *tables;
    size_t table_count;
};

/* The schema of a simulation's results: indices into its lists. */
enum ds_dim_id {
    DS_DIM_NODE,
    DS_DIM_CAUSE,
    DS_DIM_EPOCH,
    DS_DIM_BLOCK,
    DS_DIM_CHALLENGE,
    DS_DIM_FAULT,
    DS_DIM_MESSAGE,
    DS_DIM_INPUT,
    DS_DIM_INPUT_BYTE,
    DS_DIM_SLICE,
    DS_DIM_EVENT,
    DS_DIM_STRATEGY_EPOCH,
    DS_DIM_COUNT
};
enum ds_vocabulary_id {
    DS_VOCABULARY_ROLE,
    DS_VOCABULARY_SERVICE,
    DS_VOCABULARY_VERDICT,
    DS_VOCABULARY_CAUSE,
    DS_VOCABULARY_YES,
    DS_VOCABULARY_REGION,     /* from the run */
    DS_VOCABULARY_STRATEGY,   /* from the run: partial(0.3) is one word */
    DS_VOCABULARY_FAULT_KIND, /* from the run */
    DS_VOCABULARY_EVENT_KIND, /* from the run */
    DS_VOCABULARY_MESSAGE_KIND, /* from the run */
    DS_VOCABULARY_COUNT
};
enum ds_table_id {
    DS_TABLE_NODE,
    DS_TABLE_INPUTS,
    DS_TABLE_INPUT_BYTES,
    DS_TABLE_EPOCHS,
    DS_TABLE_NODE_EPOCH,
    DS_TABLE_BLOCKS,
    DS_TABLE_CHALLENGES,
    DS_TABLE_FAULTS,
    DS_TABLE_TRAFFIC,
    DS_TABLE_DIGEST,
    DS_TABLE_TRACE,
    DS_TABLE_STRATEGIES,
    DS_TABLE_PRIVATE, /* only where the scenario has privacy */
    DS_TABLE_COUNT
};
const struct ds_schema *ds_schema_results(void);

/* Values of the static vocabularies. */
enum ds_row_role { DS_ROW_ROLE_VALIDATOR, DS_ROW_ROLE_SERVICE, DS_ROW_ROLE_CLIENT };
enum ds_row_service {
    DS_ROW_SERVICE_NONE,
    DS_ROW_SERVICE_STORAGE,
    DS_ROW_SERVICE_HOSTING,
    DS_ROW_SERVICE_DNS,
    DS_ROW_SERVICE_RPC,
    DS_ROW_SERVICE_GPU
};
enum ds_verdict {
    DS_VERDICT_NONE, /* not challenged */
    DS_VERDICT_PASS,
    DS_VERDICT_FAIL, /* an invalid proof */
    DS_VERDICT_LATE,
    DS_VERDICT_SILENT,
    DS_VERDICT_UNDECIDED,
    DS_VERDICT_ABANDONED /* the run ended first */
};
/* Bits of a challenge's cause, and the order along the `cause` dimension. */
enum ds_cause {
    DS_CAUSE_THETA = 1,
    DS_CAUSE_AUDIT = 2,
    DS_CAUSE_FLAG = 4,
    DS_CAUSE_ESCALATION = 8,
    DS_CAUSE_READY = 16
};
enum { DS_CAUSE_COUNT = 5 };

/* One row of each table.  Times: _s seconds and _ns nanoseconds since the run's start; what never
 * happened is NAN.  Money in base units (10^9 are one DSYNC). */

struct ds_row_node {  /* one per node, in node order */
    const char *name; /* group[index] */
    uint8_t role, service, strategy;
    uint16_t region;
    uint64_t capacity, bond_initial;
};

struct ds_row_input { /* one per file that the scenario names */
    const char *path, *digest;
    uint64_t bytes, offset; /* its content is /inputs/content[offset .. offset + bytes) */
};

struct ds_row_epoch {
    uint64_t epoch;
    double time_start_s, time_end_s;
    uint64_t blocks, transactions, rounds_timed_out;
    uint64_t challenges_issued, challenges_theta, challenges_audit, challenges_flag,
        challenges_escalation, challenges_ready;
    uint64_t challenges_passed, challenges_failed, challenges_late, challenges_undecided;
    uint64_t passed_by_cause[DS_CAUSE_COUNT], failed_by_cause[DS_CAUSE_COUNT],
        late_by_cause[DS_CAUSE_COUNT];
    uint64_t honest_failed, cheats_failed, flagged_true, flagged_false, demands;
    uint64_t reward_paid, reward_to_cheats, slashed_honest, slashed_cheats;
    uint64_t ejected_honest, ejected_cheats, issued, burned, fees;
    uint64_t messages, bytes, challenge_bytes;
    double finality_p50_s, finality_p95_s, finality_p99_s;
    double theta; /* in force */
};

struct ds_row_node_epoch { /* arrays over all nodes, borrowed until the call returns */
    const uint32_t *utilisation, *synchronicity, *availability, *quality, *score,
        *forecast; /* Q1.31 */
    const uint8_t *difficulty, *verdict, *cause, *flagged, *strategy;
    const double *p_value;
    const uint64_t *bond, *reward;
};

struct ds_row_strategy {   /* one per epoch and strategy of the run's vocabulary */
    uint64_t epoch, nodes; /* nodes: staked, playing it, and not ejected when the epoch began */
    uint64_t reward, slashed;
    uint8_t strategy;
    double payoff; /* mean of reward - slashed - costs; NaN where nodes is 0 */
};

struct ds_row_private { /* one per epoch */
    uint64_t payments, calls, notes, key_images, pool, contracts, marks, grants, beacons;
};

struct ds_row_block {
    uint64_t height, epoch, round, transactions, bytes;
    uint32_t proposer;
    double proposed_s, committed_first_s, committed_median_s, committed_last_s;
};

struct ds_row_challenge { /* one per settled asking */
    uint64_t epoch, height;
    uint32_t node, verifiers;
    uint8_t cause, k, verdict, strategy, asking;
    double response_time_s;
};

struct ds_row_fault {
    double time_s, end_s; /* end_s NaN: it was in force when the run ended */
    uint64_t occurrence, targets;
    uint16_t kind;
    const char *id, *nodes, *parameters;
};

struct ds_row_traffic { /* one per message kind */
    const char *kind;
    uint64_t messages, bytes, dropped_loss, dropped_queue, dropped_partition, dropped_down;
    double delay_p50_s, delay_p95_s, delay_p99_s, delay_max_s;
};

struct ds_row_digest { /* one per slice of virtual time */
    int64_t time_end_ns;
    uint64_t events;        /* handled so far, by all nodes */
    const uint64_t *digest; /* rolling digest of each node */
};

struct ds_row_trace {
    int64_t time_ns;
    uint32_t node, source;
    uint64_t sequence, digest;
    uint32_t size; /* on the wire; 0 where it is no message */
    uint16_t kind, message;
};

#endif

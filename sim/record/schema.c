/* The schema of results files.  One line is one dataset; see schema.h for how to add one.
 *
 * Units: s, ns, By (bytes), nDSYNC (money in base units) and 1 for everything else. */
#include "sim/record/schema.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct ds_dim dims[DS_DIM_COUNT] = {
    [DS_DIM_NODE] = {"node", "every node of the run, in order", false, 0},
    [DS_DIM_CAUSE] = {"cause", "cause of a challenge: theta, audit, flag, escalation, ready", false,
                      0},
    [DS_DIM_EPOCH] = {"epoch", "epochs that are final", true, 16},
    [DS_DIM_BLOCK] = {"block", "final blocks by height", true, 256},
    [DS_DIM_CHALLENGE] = {"challenge", "challenges in the order in which they were decided", true,
                          1024},
    [DS_DIM_FAULT] = {"fault", "faults in the order in which they ended", true, 16},
    [DS_DIM_MESSAGE] = {"message_kind", "kinds of messages", true, 64},
    [DS_DIM_INPUT] = {"input", "files that the scenario names", true, 16},
    [DS_DIM_INPUT_BYTE] = {"input_byte", "bytes of all input files, one after the other", true,
                           65536},
    [DS_DIM_SLICE] = {"slice", "slices of virtual time", true, 16},
    [DS_DIM_EVENT] = {"event", "events in the order in which they were handled", true, 16384},
    [DS_DIM_STRATEGY_EPOCH] = {"strategy_epoch", "each strategy in each epoch", true, 256},
};

static const struct ds_vocabulary vocabularies[DS_VOCABULARY_COUNT] = {
    [DS_VOCABULARY_ROLE] = {"role", "validator service client", false},
    [DS_VOCABULARY_SERVICE] = {"service", "none storage hosting dns rpc gpu", false},
    [DS_VOCABULARY_VERDICT] = {"verdict", "none pass fail late silent undecided abandoned", false},
    [DS_VOCABULARY_CAUSE] = {"cause", "theta audit flag escalation ready", true},
    [DS_VOCABULARY_YES] = {"yes", "no yes", false},
    [DS_VOCABULARY_REGION] = {"region", NULL, false},
    [DS_VOCABULARY_STRATEGY] = {"strategy", NULL, false},
    [DS_VOCABULARY_FAULT_KIND] = {"fault_kind", NULL, false},
    [DS_VOCABULARY_EVENT_KIND] = {"event_kind", NULL, false},
    [DS_VOCABULARY_MESSAGE_KIND] = {"message_kind", NULL, false},
};

/* A value; an array inside the row; a pointer to one value per node; words of a vocabulary. */
#define V(m, type, units, text)                                                                    \
    {                                                                                              \
#m, units, text, type, offsetof(struct ROW, m), DS_NONE, false, DS_NONE                    \
    }
#define S(m, text)                                                                                 \
    {                                                                                              \
#m, "s", text, DS_F64, offsetof(struct ROW, m##_s), DS_NONE, false, DS_NONE                \
    }
#define NS(m, text)                                                                                \
    {                                                                                              \
#m, "ns", text, DS_I64, offsetof(struct ROW, m##_ns), DS_NONE, false, DS_NONE              \
    }
#define A(m, type, units, text)                                                                    \
    {                                                                                              \
#m, units, text, type, offsetof(struct ROW, m), DS_DIM_CAUSE, true, DS_NONE                \
    }
#define N(m, type, units, text)                                                                    \
    {                                                                                              \
#m, units, text, type, offsetof(struct ROW, m), DS_DIM_NODE, false, DS_NONE                \
    }
#define W(m, type, words, text)                                                                    \
    {                                                                                              \
#m, "1", text, type, offsetof(struct ROW, m), DS_NONE, false, DS_VOCABULARY_##words        \
    }
#define NW(m, type, words, text)                                                                   \
    {                                                                                              \
#m, "1", text, type, offsetof(struct ROW, m), DS_DIM_NODE, false, DS_VOCABULARY_##words    \
    }

#define ROW ds_row_node
static const struct ds_column node_columns[] = {
    V(name, DS_TEXT, "1", "name: group and index in it"),
    W(role, DS_U8, ROLE, "role"),
    W(service, DS_U8, SERVICE, "service that it offers"),
    W(region, DS_U16, REGION, "region that it stands in"),
    W(strategy, DS_U8, STRATEGY, "true strategy at the start"),
    V(capacity, DS_U64, "By", "capacity that it declares"),
    V(bond_initial, DS_U64, "nDSYNC", "bond at the start"),
};
#undef ROW

#define ROW ds_row_input
static const struct ds_column input_columns[] = {
    V(path, DS_TEXT, "1", "path as the scenario writes it"),
    V(bytes, DS_U64, "By", "size of the file"),
    V(offset, DS_U64, "By", "where its content begins in /inputs/content"),
    V(digest, DS_TEXT, "1", "digest of its content"),
};
#undef ROW

static const struct ds_column input_byte_columns[] = {
    {"content", "1", "contents of all input files, one after the other", DS_U8, 0, DS_NONE, false,
     DS_NONE},
};

#define ROW ds_row_epoch
static const struct ds_column epoch_columns[] = {
    V(epoch, DS_U64, "1", "number of the epoch"),
    S(time_start, "when it began"),
    S(time_end, "when its hand-over was first final at an honest validator"),
    V(blocks, DS_U64, "1", "final blocks"),
    V(transactions, DS_U64, "1", "transactions in final blocks"),
    V(rounds_timed_out, DS_U64, "1", "consensus rounds that timed out"),
    V(challenges_issued, DS_U64, "1", "challenges drawn"),
    V(challenges_theta, DS_U64, "1", "challenges of nodes below theta"),
    V(challenges_audit, DS_U64, "1", "challenges by the audit coin"),
    V(challenges_flag, DS_U64, "1", "challenges of nodes that a detector flagged"),
    V(challenges_escalation, DS_U64, "1",
      "challenges of nodes that failed and have not passed since"),
    V(challenges_ready, DS_U64, "1",
      "challenges of nodes of a service whose demand is forecast to come near its capacity"),
    V(challenges_passed, DS_U64, "1", "challenges passed"),
    V(challenges_failed, DS_U64, "1", "challenges failed by an invalid proof"),
    V(challenges_late, DS_U64, "1", "challenges answered late or not at all, twice"),
    V(challenges_undecided, DS_U64, "1", "challenges without a majority of verifiers"),
    A(passed_by_cause, DS_U64, "1", "challenges passed, by cause; one may have several"),
    A(failed_by_cause, DS_U64, "1", "challenges failed, by cause; one may have several"),
    A(late_by_cause, DS_U64, "1", "challenges answered late or not at all, by cause"),
    V(honest_failed, DS_U64, "1", "honest nodes that failed a challenge"),
    V(cheats_failed, DS_U64, "1", "cheating nodes that failed a challenge"),
    V(flagged_true, DS_U64, "1", "cheating nodes flagged as anomalous"),
    V(flagged_false, DS_U64, "1", "honest nodes flagged as anomalous"),
    V(demands, DS_U64, "1", "on-chain demands opened"),
    V(reward_paid, DS_U64, "nDSYNC", "reward paid to all nodes"),
    V(reward_to_cheats, DS_U64, "nDSYNC", "reward paid to cheating nodes"),
    V(slashed_honest, DS_U64, "nDSYNC", "bonds slashed of honest nodes"),
    V(slashed_cheats, DS_U64, "nDSYNC", "bonds slashed of cheating nodes"),
    V(ejected_honest, DS_U64, "1", "honest nodes ejected"),
    V(ejected_cheats, DS_U64, "1", "cheating nodes ejected"),
    V(issued, DS_U64, "nDSYNC", "money issued"),
    V(burned, DS_U64, "nDSYNC", "money burned"),
    V(fees, DS_U64, "nDSYNC", "fees paid"),
    V(messages, DS_U64, "1", "messages sent"),
    V(bytes, DS_U64, "By", "bytes sent"),
    V(challenge_bytes, DS_U64, "By", "bytes sent for challenges: questions, answers, verdicts"),
    S(finality_p50, "median time from a block's proposal to its finality"),
    S(finality_p95, "95th percentile of the time to finality"),
    S(finality_p99, "99th percentile of the time to finality"),
    V(theta, DS_F64, "1", "level of utilisation below which nodes were challenged"),
};
#undef ROW

#define ROW ds_row_node_epoch
static const struct ds_column node_epoch_columns[] = {
    N(utilisation, DS_Q31, "1", "utilisation u; NaN where undefined"),
    N(forecast, DS_Q31, "1", "utilisation forecast for the epoch to come; NaN where undefined"),
    N(synchronicity, DS_Q31, "1", "synchronicity s"),
    N(availability, DS_Q31, "1", "availability a"),
    N(quality, DS_Q31, "1", "quality q"),
    N(score, DS_Q31, "1", "Proof of Sync score S"),
    N(difficulty, DS_U8, "1", "k of its challenge; 0 where it met none"),
    NW(verdict, DS_U8, VERDICT, "verdict on its challenge"),
    NW(cause, DS_U8, CAUSE, "why it was challenged; 0 where it was not"),
    N(p_value, DS_F64, "1", "conformal p-value of the anomaly detectors"),
    NW(flagged, DS_U8, YES, "flagged as anomalous"),
    N(bond, DS_U64, "nDSYNC", "bond at the end of the epoch"),
    N(reward, DS_U64, "nDSYNC", "reward of the epoch"),
    NW(strategy, DS_U8, STRATEGY, "true strategy during the epoch"),
};
#undef ROW

#define ROW ds_row_strategy
static const struct ds_column strategy_columns[] = {
    V(epoch, DS_U64, "1", "epoch"),
    W(strategy, DS_U8, STRATEGY, "strategy"),
    V(nodes, DS_U64, "1", "staked nodes that played it and were not ejected"),
    V(payoff, DS_F64, "nDSYNC", "mean of their reward less slashes and costs; NaN without nodes"),
    V(reward, DS_U64, "nDSYNC", "reward paid to them"),
    V(slashed, DS_U64, "nDSYNC", "bonds slashed of them"),
};
#undef ROW

#define ROW ds_row_private
static const struct ds_column private_columns[] = {
    V(payments, DS_U64, "1", "private payments in the epoch's final blocks"),
    V(calls, DS_U64, "1", "calls of private contracts in them"),
    V(notes, DS_U64, "1", "notes on the chain at the epoch's end, decoys included"),
    V(key_images, DS_U64, "1", "notes spent by then; nobody knows which"),
    V(pool, DS_U64, "nDSYNC", "money in notes by then"),
    V(contracts, DS_U64, "1", "private contracts made by then"),
    V(marks, DS_U64, "1", "marks of unnamed members that contracts have seen"),
    V(grants, DS_U64, "1", "grants that the key holders have signed"),
    V(beacons, DS_U64, "1", "times that the key holders have made the chain's randomness"),
};
#undef ROW

#define ROW ds_row_block
static const struct ds_column block_columns[] = {
    V(height, DS_U64, "1", "height"),
    V(epoch, DS_U64, "1", "epoch"),
    V(round, DS_U64, "1", "consensus round"),
    V(proposer, DS_U32, "1", "node that proposed it"),
    V(transactions, DS_U64, "1", "transactions in it"),
    V(bytes, DS_U64, "By", "encoded size"),
    S(proposed, "when it was proposed"),
    S(committed_first, "when the first honest validator committed it"),
    S(committed_median, "when half of the honest validators had committed it"),
    S(committed_last, "when the last honest validator committed it"),
};
#undef ROW

#define ROW ds_row_challenge
static const struct ds_column challenge_columns[] = {
    V(epoch, DS_U64, "1", "epoch in which it was drawn first"),
    V(height, DS_U64, "1", "height at which this asking was drawn"),
    V(asking, DS_U8, "1", "1, or 2 after a first one that was missed"),
    V(node, DS_U32, "1", "node that was challenged"),
    W(cause, DS_U8, CAUSE, "why"),
    V(k, DS_U8, "1", "difficulty: samples asked for"),
    V(verifiers, DS_U32, "1", "verifiers drawn"),
    S(response_time, "median response time over its verifiers; NaN without an answer"),
    W(verdict, DS_U8, VERDICT, "verdict"),
    W(strategy, DS_U8, STRATEGY, "true strategy of the node at that time"),
};
#undef ROW

#define ROW ds_row_fault
static const struct ds_column fault_columns[] = {
    S(time, "when it began, or its targets became these"),
    S(end, "when it ended, or its targets changed; NaN where the run ended first"),
    V(occurrence, DS_U64, "1", "how often the fault had happened before; churn: to this node"),
    W(kind, DS_U16, FAULT_KIND, "kind"),
    V(id, DS_TEXT, "1", "id of the fault"),
    V(targets, DS_U64, "1", "nodes that it hit; of links: senders"),
    V(nodes, DS_TEXT, "1", "their names; of many the first, and how many more"),
    V(parameters, DS_TEXT, "1", "the fault as YAML, what differs from the defaults"),
};
#undef ROW

#define ROW ds_row_traffic
static const struct ds_column traffic_columns[] = {
    V(kind, DS_TEXT, "1", "kind of message"),
    V(messages, DS_U64, "1", "messages sent"),
    V(bytes, DS_U64, "By", "bytes sent"),
    V(dropped_loss, DS_U64, "1", "messages lost on a link"),
    V(dropped_queue, DS_U64, "1", "messages dropped at a full queue"),
    V(dropped_partition, DS_U64, "1", "messages dropped by a partition"),
    V(dropped_down, DS_U64, "1", "messages to a node that was down"),
    S(delay_p50, "median delay from sending to handling"),
    S(delay_p95, "95th percentile of the delay"),
    S(delay_p99, "99th percentile of the delay"),
    S(delay_max, "longest delay"),
};
#undef ROW

#define ROW ds_row_digest
static const struct ds_column digest_columns[] = {
    NS(time_end, "end of the slice"),
    V(events, DS_U64, "1", "events handled since the start"),
    N(digest, DS_U64, "1", "rolling digest of the events that the node handled"),
};
#undef ROW

#define ROW ds_row_trace
static const struct ds_column trace_columns[] = {
    NS(time, "when it was handled"),
    V(node, DS_U32, "1", "node that handled it"),
    V(source, DS_U32, "1", "node that caused it"),
    V(sequence, DS_U64, "1", "number of the event among those of its source"),
    W(kind, DS_U16, EVENT_KIND, "kind"),
    V(digest, DS_U64, "1", "rolling digest of the node after it"),
    W(message, DS_U16, MESSAGE_KIND, "kind of message, where it is one"),
    V(size, DS_U32, "By", "size of the message on the wire"),
};
#undef ROW

#define TABLE(group, prefix, text, dim, bytes, columns)                                            \
    {                                                                                              \
        group, prefix, text, dim, bytes, columns, COUNT(columns)                                   \
    }

static const struct ds_table tables[DS_TABLE_COUNT] = {
    [DS_TABLE_NODE] =
        TABLE("", "node_", "nodes", DS_DIM_NODE, sizeof(struct ds_row_node), node_columns),
    [DS_TABLE_INPUTS] = TABLE("inputs", "", "files that the scenario names", DS_DIM_INPUT,
                              sizeof(struct ds_row_input), input_columns),
    [DS_TABLE_INPUT_BYTES] = TABLE("inputs", "", "files that the scenario names", DS_DIM_INPUT_BYTE,
                                   1, input_byte_columns),
    [DS_TABLE_EPOCHS] = TABLE("epochs", "", "totals of each epoch", DS_DIM_EPOCH,
                              sizeof(struct ds_row_epoch), epoch_columns),
    [DS_TABLE_NODE_EPOCH] = TABLE("node_epoch", "", "each node in each epoch", DS_DIM_EPOCH,
                                  sizeof(struct ds_row_node_epoch), node_epoch_columns),
    [DS_TABLE_BLOCKS] = TABLE("blocks", "", "final blocks", DS_DIM_BLOCK,
                              sizeof(struct ds_row_block), block_columns),
    [DS_TABLE_CHALLENGES] = TABLE("challenges", "", "synchronization challenges", DS_DIM_CHALLENGE,
                                  sizeof(struct ds_row_challenge), challenge_columns),
    [DS_TABLE_FAULTS] = TABLE("faults", "", "faults as executed", DS_DIM_FAULT,
                              sizeof(struct ds_row_fault), fault_columns),
    [DS_TABLE_TRAFFIC] = TABLE("traffic", "", "messages by kind", DS_DIM_MESSAGE,
                               sizeof(struct ds_row_traffic), traffic_columns),
    [DS_TABLE_DIGEST] = TABLE("digest", "", "rolling digests, for verify and diff", DS_DIM_SLICE,
                              sizeof(struct ds_row_digest), digest_columns),
    [DS_TABLE_TRACE] =
        TABLE("trace", "", "every event", DS_DIM_EVENT, sizeof(struct ds_row_trace), trace_columns),
    [DS_TABLE_STRATEGIES] = TABLE(
        "strategies", "",
        "each strategy in each epoch: who plays it and what it pays; honest: service nodes alone",
        DS_DIM_STRATEGY_EPOCH, sizeof(struct ds_row_strategy), strategy_columns),
    [DS_TABLE_PRIVATE] = TABLE("private", "", "private payments and contracts in each epoch",
                               DS_DIM_EPOCH, sizeof(struct ds_row_private), private_columns),
};

const struct ds_schema *ds_schema_results(void)
{
    static const struct ds_schema results = {
        dims, DS_DIM_COUNT, vocabularies, DS_VOCABULARY_COUNT, tables, DS_TABLE_COUNT};
    return &results;
}

/* The rows of faults, record and expect. */
#include "sim/scenario/table.h"

#include <stddef.h>

#define S(member) offsetof(struct ds_scenario, member)
#define F(member) offsetof(struct ds_fault, member)
#define BIT(x) (1u << (x))
#define HOUR 3600e9

#define CRASH BIT(DS_FAULT_CRASH)
#define PARTITION BIT(DS_FAULT_PARTITION)
#define LINK BIT(DS_FAULT_LINK)
#define SLOW BIT(DS_FAULT_SLOW_CPU)

const struct ds_param ds_rows_run[] = {
    {.path = "faults", .type = DS_LIST, .offset = S(faults), .count_offset = S(faults_count),
     .size = sizeof(struct ds_fault), .max = 10000, .meaning = "what goes wrong, and when"},
    {.path = "faults[].id", .type = DS_NAME, .flags = DS_OPTIONAL, .offset = F(id),
     .meaning = "keys the fault's random choices; default: a digest of its content"},
    {.path = "faults[].kind", .type = DS_ENUM, .flags = DS_REQUIRED | DS_DECIDES,
     .offset = F(kind), .choices = ds_choices_fault, .meaning = "what happens"},
    {.path = "faults[].at", .type = DS_AMOUNT, .dim = DS_DIM_TIME, .flags = DS_REQUIRED,
     .offset = F(at_ns), .max = 8760 * HOUR, .meaning = "virtual time at which it begins"},
    {.path = "faults[].for", .type = DS_AMOUNT, .dim = DS_DIM_TIME, .offset = F(for_ns),
     .fallback = "ever", .zero = "ever", .max = 8760 * HOUR, .only = PARTITION | LINK | SLOW,
     .meaning = "how long it lasts; ever: to the end of the run"},
    {.path = "faults[].nodes", .type = DS_SELECTOR, .flags = DS_REQUIRED, .offset = F(nodes),
     .only = CRASH | SLOW, .meaning = "which nodes"},
    {.path = "faults[].restart", .type = DS_AMOUNT, .dim = DS_DIM_TIME, .offset = F(restart_ns),
     .fallback = "never", .zero = "never", .max = 8760 * HOUR, .only = CRASH,
     .meaning = "the nodes are back so long after the crash"},
    {.path = "faults[].state", .type = DS_ENUM, .offset = F(state), .choices = ds_choices_state,
     .fallback = "durable", .only = CRASH, .meaning = "what they still have"},
    {.path = "faults[].groups", .type = DS_SELECTORS, .flags = DS_REQUIRED, .offset = F(groups),
     .count_offset = F(groups_count), .min = 2, .max = 250, .only = PARTITION,
     .meaning = "lists of selectors: the sides of the partition; `rest` is everybody else"},
    {.path = "faults[].src", .type = DS_SELECTOR, .offset = F(src), .fallback = "all",
     .only = LINK, .meaning = "messages from these nodes"},
    {.path = "faults[].dst", .type = DS_SELECTOR, .offset = F(dst), .fallback = "all",
     .only = LINK, .meaning = "to those"},
    {.path = "faults[].both", .type = DS_BOOL, .offset = F(both), .choices = ds_choices_on,
     .fallback = "on", .only = LINK, .meaning = "and from dst to src"},
    {.path = "faults[].latency_factor", .type = DS_REAL, .offset = F(latency_factor),
     .fallback = "1", .max = 60000, .only = LINK, .meaning = "on a path's latency"},
    {.path = "faults[].latency_add", .type = DS_AMOUNT, .dim = DS_DIM_TIME,
     .offset = F(latency_add_ns), .fallback = "0 s", .max = HOUR, .only = LINK,
     .meaning = "added to it"},
    {.path = "faults[].loss", .type = DS_SHARE, .offset = F(loss), .fallback = "0", .max = 1,
     .only = LINK, .meaning = "share of messages lost besides"},
    {.path = "faults[].bandwidth_factor", .type = DS_REAL, .offset = F(bandwidth_factor),
     .fallback = "1", .min = 1e-4, .max = 60000, .only = LINK,
     .meaning = "on the speed at which the sender's uplink sends them"},
    {.path = "faults[].factor", .type = DS_REAL, .flags = DS_REQUIRED, .offset = F(factor),
     .min = 1e-3, .max = 1e6, .only = SLOW, .meaning = "work takes so many times as long"},

    {.path = "record", .type = DS_SECTION, .meaning = "what the results file holds beside the "
                                                      "tables by epoch"},
    {.path = "record.node_epoch", .type = DS_BOOL, .offset = S(record.node_epoch),
     .choices = ds_choices_keep, .fallback = "all", .meaning = "tables by epoch and node"},
    {.path = "record.blocks", .type = DS_BOOL, .offset = S(record.blocks),
     .choices = ds_choices_keep, .fallback = "all", .meaning = "a row for every final block"},
    {.path = "record.challenges", .type = DS_BOOL, .offset = S(record.challenges),
     .choices = ds_choices_keep, .fallback = "all", .meaning = "a row for every challenge"},
    {.path = "record.trace", .type = DS_BOOL, .offset = S(record.trace), .choices = ds_choices_on,
     .fallback = "off", .meaning = "a row for every event: large"},
    {.path = "record.slice", .type = DS_AMOUNT, .dim = DS_DIM_TIME, .offset = S(record.slice_ns),
     .fallback = "10 s", .min = 1e6, .max = 24 * HOUR,
     .meaning = "virtual time between stored digests of the nodes, which `verify` bisects on"},

    {.path = "expect", .type = DS_EXPECTS, .offset = S(expects), .count_offset = S(expects_count),
     .fallback = "[]", .max = 1000,
     .meaning = "what must hold at the end, or the exit code is 1: `safety`, or METRIC OP VALUE "
                "with OP of < <= > >= == !="},
};
const size_t ds_rows_run_count = sizeof ds_rows_run / sizeof ds_rows_run[0];

/* Outages over time, from a table: when real machines were away, to drive simulated churn.
 *
 * CSV; '#' starts a comment line, and the header is fixed:
 *
 *     node,down_s,up_s        who; seconds since the fault's begin; up_s empty: not back
 *     sto[3],12.5,80
 *     7,20,                   a number: the 8th of the chosen nodes, or, where there are fewer, the
 *                             one that it comes to when one goes round and round
 *
 * Rows may come in any order; a node is away while any of its rows says so. */
#ifndef SIM_WORKLOAD_OUTAGES_H
#define SIM_WORKLOAD_OUTAGES_H

#include "models/base/status.h"
#include "sim/workload/trace.h"

#define DS_OUTAGES_MAX (1u << 22)

struct ds_outage {
    int64_t down_ns, up_ns; /* up_ns > down_ns; INT64_MAX: not back */
    uint64_t number;        /* as written, or the index of a name */
    const char *name;       /* "sto" of sto[3], name_size bytes of the text; NULL: a number */
    uint32_t name_size;
    struct ds_trace_place at;
};
struct ds_outages {
    struct ds_outage *row;
    uint32_t count;
};

/* Reads text[0..size), to which the names then refer.  Errors: DC_ERR_USAGE with *at set (it may be
 * NULL), DC_ERR_IO out of memory.  *out is empty then. */
enum dc_status ds_outages_parse(const char *text, size_t size, struct ds_outages *out,
                                struct ds_trace_place *at, struct dc_error *error) DC_MUST_USE;
void ds_outages_free(struct ds_outages *o);

#endif

/* Utilisation over time, from a table: what real machines did, to drive simulated nodes.
 *
 * Wide CSV; '#' starts a comment line, and the header names the series:
 *
 *     time,vm-1,vm-2          seconds since the start, then one column per series
 *     0,0.031,0.5             the first row is at 0, rows ascend, values are in [0, 1]
 *     300,0.044,0.25
 *
 * A value holds until the next row; the last row holds as long as the one before it, and then the
 * table begins again.  Which changes are worth telling anybody (more than DS_TRACE_STEP since the
 * last one told) is the same for everyone who follows a series, so it is worked out once. */
#ifndef SIM_WORKLOAD_TRACE_H
#define SIM_WORKLOAD_TRACE_H

#include "models/base/fixed.h"
#include "models/base/status.h"

#define DS_TRACE_STEP (DC_ONE / 100) /* of capacity: smaller changes are not metered */
#define DS_TRACE_SERIES_MAX 65536
#define DS_TRACE_CELLS_MAX ((uint64_t)1 << 26)

struct ds_trace {
    uint32_t series, rows;
    int64_t period_ns; /* then it begins again; INT64_MAX with a single row */
    int64_t step_ns;   /* the shortest; INT64_MAX with a single row */
    int64_t *time_ns;  /* [rows] */
    dc_q31 *value;     /* [rows][series] */
    dc_q31 *max;       /* [series] */
    uint32_t *change;  /* rows that are told, series after series; row 0 always is */
    uint32_t *changes; /* [series + 1]: where each series' own begin in `change` */
};

/* Where a mistake is, from 1; 0: nowhere in the text. */
struct ds_trace_place {
    uint32_t line, column;
};

/* Reads text[0..size), which needs no NUL at its end.  Errors: DC_ERR_USAGE with *at set, DC_ERR_IO
 * out of memory.  *out is empty then.  at may be NULL. */
enum dc_status ds_trace_parse(const char *text, size_t size, struct ds_trace *out,
                              struct ds_trace_place *at, struct dc_error *error) DC_MUST_USE;
void ds_trace_free(struct ds_trace *t);

/* The series that a uniform draw chooses. */
static inline uint32_t ds_trace_series(const struct ds_trace *t, uint64_t u)
{
    return (uint32_t)((unsigned __int128)u * t->series >> 64);
}
static inline dc_q31 ds_trace_max(const struct ds_trace *t, uint32_t series)
{
    return t->max[series];
}
/* Utilisation at a time >= 0.  Costs log2 of the rows. */
dc_q31 ds_trace_at(const struct ds_trace *t, uint32_t series, int64_t time_ns);

/* The n-th change of a series that is told (n = 0 is the state at time 0): when, or INT64_MAX when
 * there is none, and to what. */
int64_t ds_trace_change(const struct ds_trace *t, uint32_t series, uint64_t n, dc_q31 *value);

#endif

/* A run's results as its builders see them; figures of a run. */
#ifndef ANALYSIS_REPORT_RUN_H
#define ANALYSIS_REPORT_RUN_H

#include "analysis/report_parts.h"

struct da_run {
    struct da_report *r;
    struct da_file *f;
    const struct da_report_run *in;
    size_t epochs;
    const double *epoch; /* their numbers */
    size_t nodes;
    const double *role;          /* of each node: DA_ROLE_* */
    const char *const *strategy; /* words by number; "honest" is one of them */
    size_t strategies;
    double theta; /* mean over epochs; NaN: not recorded */
};
enum { DA_ROLE_VALIDATOR, DA_ROLE_SERVICE, DA_ROLE_CLIENT };
/* Verdicts, as results files number them. */
enum {
    DA_VERDICT_NONE,
    DA_VERDICT_PASS,
    DA_VERDICT_FAIL,
    DA_VERDICT_LATE,
    DA_VERDICT_SILENT,
    DA_VERDICT_UNDECIDED
};

struct da_run da_run_of(struct da_report *r, const struct da_report_run *in);
/* A number of the summary; NaN: not measured. */
double da_run_number(const struct da_run *run, const char *name);
/* A column of an epochs' or another group's table with `count` rows, or NULL. */
const double *da_run_column(const struct da_run *run, const char *dataset, size_t count);
/* Does this strategy number cheat? */
bool da_run_cheats(const struct da_run *run, double strategy);
/* A strategy that validators play; of cheating by service nodes it tells nothing. */
bool da_run_validators_only(const struct da_run *run, size_t strategy);
/* The colour of a strategy, the same in every figure of the run; honest is grey. */
int da_run_colour(const struct da_run *run, size_t strategy);

/* report_time.c: over epochs */
struct da_figure *da_run_finality(const struct da_run *run);
/* How long finality takes once the start is over; nothing without enough blocks. */
void da_run_steady(const struct da_run *run);
struct da_figure *da_run_throughput(const struct da_run *run);
struct da_figure *da_run_blocks(const struct da_run *run);
struct da_figure *da_run_causes(const struct da_run *run);
struct da_figure *da_run_verdicts(const struct da_run *run);
struct da_figure *da_run_failures(const struct da_run *run);
struct da_figure *da_run_leaked(const struct da_run *run);
struct da_figure *da_run_slashed(const struct da_run *run);
struct da_figure *da_run_bytes(const struct da_run *run);
struct da_figure *da_run_share(const struct da_run *run);
struct da_figure *da_run_payoff(const struct da_run *run);

/* report_nodes.c: who was caught, and how well that could be known */
struct da_figure *da_run_survival(const struct da_run *run);
struct da_figure *da_run_scatter(const struct da_run *run);
struct da_figure *da_run_why(const struct da_run *run);
void da_run_why_table(const struct da_run *run);
struct da_figure *da_run_roc(const struct da_run *run);
struct da_figure *da_run_precision(const struct da_run *run);

/* report_net.c: faults and messages */
struct da_figure *da_run_faults(const struct da_run *run);
void da_run_fault_table(const struct da_run *run);
struct da_figure *da_run_traffic(const struct da_run *run);
void da_run_traffic_table(const struct da_run *run);
struct da_figure *da_run_map(const struct da_run *run);

/* report_private.c: payments, applications and channels; nothing where a run has none of them */
void da_run_private(const struct da_run *run);

#endif

/* `destrasim compare A B`: what its files share.
 *
 *     cmd_compare.c        arguments, the two sides, the gate, the exit code
 *     cmd_compare_run.c    runs of a scenario with this or another program
 *     cmd_compare_print.c  for people, as JSON, as JUnit XML */
#ifndef SIM_CMD_COMPARE_H
#define SIM_CMD_COMPARE_H

#include "analysis/compare.h"
#include "sim/cmd.h"

struct ds_compare_side {
    const char *name;    /* "A" */
    const char *path;    /* as given */
    const char *program; /* that runs it, or NULL: results that are there */
    struct da_runs runs;
};

struct ds_compare {
    struct ds_compare_side a, b;
    struct da_compare_options options;
    struct da_comparison result;
    const char **margin; /* "5 %" or "NAME=5 %", in order */
    size_t margins;
    const char *gate; /* names with commas; NULL: all metrics with a direction */
    const char *junit;
    uint64_t limit;                  /* rows of the table; 0: all */
    size_t gated, failed, undecided; /* gate metrics; of those worse; of those with too few runs */
    bool json, quiet;
};

/* Is it a gate metric?  Does the gate fail because of it?  A gate metric without a direction fails
 * by any change.  By less than its margin is no failure. */
bool ds_compare_gated(const struct ds_compare *c, const struct da_change *change);
bool ds_compare_fails(const struct ds_compare *c, const struct da_change *change);
/* More runs of B than of A gave no data: that is worse whatever the others say. */
bool ds_compare_fewer(const struct ds_compare *c);

/* A share as text: "5 %", "5%", "0.05". */
bool ds_compare_share(const char *text, double *out);

/* ---- cmd_compare_run.c ----------------------------------------------------------------------- */

struct ds_compare_run {
    const char *program, *scenario; /* PROGRAM run SCENARIO --seed N -o FILE --set ... */
    const char *const *set;         /* "PATH=VALUE" */
    size_t sets;
    uint64_t replications; /* seeds 1, 2 ... */
    unsigned jobs;
    const char *name; /* of the side, for progress */
    bool quiet;
    const volatile sig_atomic_t *stop;
};
/* Runs them in a folder of their own, reads their files and removes them.  Returns an exit code. */
int ds_compare_execute(const struct ds_compare_run *run, struct da_runs *out);

/* ---- cmd_compare_print.c --------------------------------------------------------------------- */

void ds_compare_print(const struct ds_compare *c);
int ds_compare_json(const struct ds_compare *c);
int ds_compare_junit(const struct ds_compare *c); /* to c->junit */

#endif

/* What the files of `fuzz` share.
 *
 *   cmd_fuzz.c         arguments, the loop over runs, what is reported
 *   cmd_fuzz_job.c     one run in a process of its own
 *   cmd_fuzz_phase.c   what the protocol is doing when a fault begins
 *   cmd_fuzz_state.c   counts of a campaign, and the file that it is resumed from
 *   cmd_fuzz_shrink.c  a failure made small, written and run again
 *   cmd_fuzz_print.c   progress, the tables and JSON
 *
 * A run is a process: what crashes, hangs or eats memory there is one more outcome, and a run cannot
 * see what ran before it.  The parent never enters an OpenMP region. */
#ifndef SIM_CMD_FUZZ_H
#define SIM_CMD_FUZZ_H

#include <sys/types.h>

#include "sim/cmd_process.h"
#include "sim/cmd_world.h"
#include "sim/fault/minimise.h"
#include "sim/fault/swarm.h"

/* ---- phases ---------------------------------------------------------------------------------- */

/* What the protocol is doing at a moment; several at once. */
enum ds_fuzz_phase {
    DS_FUZZ_START,     /* no proposal has arrived yet */
    DS_FUZZ_PROPOSING, /* of proposals, votes and timeouts, a proposal arrived last */
    DS_FUZZ_VOTING,    /* a vote */
    DS_FUZZ_TIMING_OUT,
    DS_FUZZ_EPOCH,     /* in the last second: a hand-over */
    DS_FUZZ_CATCH_UP,  /* likewise: blocks or certificates that somebody had missed */
    DS_FUZZ_CHALLENGE, /* likewise: a challenge or an answer */
    DS_FUZZ_SILENCE,   /* likewise: no proposal, vote or timeout */
    DS_FUZZ_PHASES
};
extern const char *const ds_fuzz_phase_names[DS_FUZZ_PHASES];

/* How often faults of a kind began in a phase. */
struct ds_fuzz_coverage {
    uint64_t count[DS_FAULT_KINDS][DS_FUZZ_PHASES];
};

struct ds_fuzz_watch {
    const struct ds_scenario *scenario;
    struct ds_fuzz_coverage *coverage;
    int64_t proposal_ns, vote_ns, timeout_ns, handover_ns, missed_ns, challenge_ns;
};
/* Fills in a world's watcher that counts into coverage. */
void ds_fuzz_watch(struct ds_fuzz_watch *state, const struct ds_scenario *scenario,
                   struct ds_fuzz_coverage *coverage, struct ds_watch *out);

/* ---- one run --------------------------------------------------------------------------------- */

enum ds_fuzz_verdict {
    DS_FUZZ_FINE,
    DS_FUZZ_VIOLATED, /* an invariant; key: its name */
    DS_FUZZ_EXPECTED, /* an expectation did not hold; key: its text */
    DS_FUZZ_CRASHED,  /* a failed check, a signal, a sanitizer; key: which */
    DS_FUZZ_HUNG,     /* more processor time or events than any run takes */
    DS_FUZZ_REFUSED   /* the scenario could not be loaded or set up; no failure of the protocol */
};

#define DS_FUZZ_SOMETIMES_MAX 64

/* What a run came to; passed through a pipe as it is. */
struct ds_fuzz_outcome {
    uint32_t verdict;
    char key[128];   /* equal for the same failure */
    char text[1024]; /* the evidence, in words */
    int64_t violation_ns, virtual_ns;
    uint64_t events, sometimes; /* bit k: sometimes[k] of the base scenario held */
    uint32_t faults;            /* in the scenario */
    struct ds_fuzz_coverage coverage;
};

/* What a process is to run. */
struct ds_fuzz_spec {
    const struct ds_scenario *base;       /* the files that the text names, and `sometimes` */
    const char *text;                     /* the scenario, or NULL: */
    const char *path;                     /* it is in this file */
    const struct ds_swarm_demand *demand; /* a scenario that asks more is refused; or NULL */
    bool whole;                           /* run on after a violation, as `run` does */
};

struct ds_fuzz_job {
    struct ds_process process; /* pid 0: none */
    uint64_t run;
    struct ds_fuzz_outcome outcome;
};

/* Starts it; false when no process can be made. */
bool ds_fuzz_start(struct ds_fuzz_job *job, const struct ds_fuzz_spec *spec);
/* Waits until a job has ended or so many ms went by: that job, its outcome filled in, pid 0; or
 * NULL. */
struct ds_fuzz_job *ds_fuzz_wait(struct ds_fuzz_job *jobs, size_t count, int timeout_ms);
/* Ends those that run. */
void ds_fuzz_kill(struct ds_fuzz_job *jobs, size_t count);
/* One run to its end; false when none could be started, or a signal was caught. */
bool ds_fuzz_one(const struct ds_fuzz_spec *spec, struct ds_fuzz_job *job);

/* ---- a campaign ------------------------------------------------------------------------------ */

struct ds_fuzz_failure {
    uint64_t run;
    char key[128], text[1024];
    char file[512], full[512]; /* written scenarios; "": none */
    uint32_t verdict, faults, faults_minimised, calls;
    bool confirmed; /* `run` with the file fails in the same way */
    bool complete;  /* nothing more could be taken away */
    bool gone;      /* the same run did not fail again */
    bool old;       /* of an earlier session, as the resume file says */
};

struct ds_fuzz_state {
    uint64_t digest, seed; /* of the base scenario; of the campaign */
    uint64_t next;         /* the first run that is not counted yet */
    uint64_t runs, events; /* counted */
    double virtual_s;
    struct ds_fuzz_coverage coverage;
    uint64_t sometimes[DS_FUZZ_SOMETIMES_MAX]; /* runs in which it held */
    struct ds_fuzz_failure *failures;
    size_t failures_count, failures_max;
};

/* Counts an outcome; a failure is added. */
void ds_fuzz_count(struct ds_fuzz_state *state, uint64_t run,
                   const struct ds_fuzz_outcome *outcome);
/* Written beside it and renamed.  Errors: DC_ERR_IO. */
enum dc_status ds_fuzz_save(const struct ds_fuzz_state *state, const char *path,
                            struct dc_error *error) DC_MUST_USE;
/* Reads what ds_fuzz_save wrote; a file that is not there leaves the state as it is.  Errors:
 * DC_ERR_USAGE when it is another campaign's or no such file at all. */
enum dc_status ds_fuzz_restore(struct ds_fuzz_state *state, const char *path, bool any_seed,
                               struct dc_error *error) DC_MUST_USE;

/* What to type: a build with mutants runs scenarios that the plain program refuses. */
#ifdef DC_MUTANTS
#define DS_FUZZ_PROGRAM "destrasim-mutants"
#else
#define DS_FUZZ_PROGRAM "destrasim"
#endif

struct ds_fuzz_plan {
    struct ds_scenario base;
    struct ds_swarm swarm;
    struct ds_fuzz_state state;
    const char *folder, *resume;
    struct dc_text
        asked; /* "destrasim fuzz SCENARIO --set PATH=VALUE": what to type for the same */
    const volatile sig_atomic_t *stop;
    uint64_t until; /* the run after the last; UINT64_MAX: as long as there is time */
    uint32_t jobs;
    double begin_s, time_s, shrink_s; /* time_s 0: any */
    uint64_t first;                   /* run of this session */
    bool keep_going, only, quiet, live;
    double shown_s;
};

/* A word of a command, in quotes where a shell would not leave it alone. */
void ds_fuzz_quote(struct dc_text *out, const char *word);

/* Minimises failure number n and writes its files; exit code 0, or 3 and a message. */
int ds_fuzz_shrink(struct ds_fuzz_plan *plan, size_t n);

void ds_fuzz_progress(struct ds_fuzz_plan *plan);
void ds_fuzz_progress_shrink(struct ds_fuzz_plan *plan, uint64_t run,
                             const struct ds_minimise_progress *p);
void ds_fuzz_progress_end(struct ds_fuzz_plan *plan);
void ds_fuzz_print(const struct ds_fuzz_plan *plan, double seconds);
void ds_fuzz_json(const struct ds_fuzz_plan *plan, double seconds);
/* The first thing of `sometimes` that never held, or NULL. */
const char *ds_fuzz_never(const struct ds_fuzz_plan *plan);

#endif

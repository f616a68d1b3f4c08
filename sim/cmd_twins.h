/* Between cmd_twins.c (jobs, commands) and cmd_twins_text.c (progress, files, reports). */
#ifndef SIM_CMD_TWINS_H
#define SIM_CMD_TWINS_H

#include <sys/types.h>

#include "models/base/mutant.h"
#include "models/base/text.h"
#include "sim/world/twins.h"

#define TWINS_JOBS_MAX 256

struct twins_sum {
    uint64_t runs, steps, evidence, virtual_ns, final_before;
};

/* What a job tells of one chunk, by a pipe. */
struct twins_chunk {
    uint64_t first;
    struct twins_sum sum;
    bool failed, stopped;   /* stopped: by a signal, before its end */
    uint64_t number, place; /* of the scenario that failed */
    struct ds_twins_result result;
};

struct twins_work {
    struct ds_twins_config config;
    uint64_t count;        /* scenarios that there are */
    uint64_t sample, seed; /* sample 0: all */
    uint64_t from, to;     /* places */
    uint64_t next;         /* all before it are good */
    struct twins_sum sum;  /* of those in [from, next), and of a failing chunk */
    uint64_t before;       /* of these runs, done before this process began */
    const char *resume;
    bool json, quiet;
    double begin_s, shown_s;
    uint32_t jobs, started, turn;
    int from_job[TWINS_JOBS_MAX];
    pid_t pid[TWINS_JOBS_MAX];
};

#ifdef DC_MUTANTS
extern const char *const ds_twins_mutants[DC_MUTANT_COUNT]; /* by number */
#endif

/* A line on standard error: a live one on a terminal, one every ten seconds elsewhere. */
void ds_twins_progress(struct twins_work *w, bool last);
/* How far it is, into w->resume, whole or not at all; and from there, when it is there: refuses a
 * file of other settings.  Return exit codes. */
int ds_twins_save(const struct twins_work *w);
int ds_twins_load(struct twins_work *w);
/* failed, result: NULL when all were good. */
void ds_twins_report(const struct twins_work *w, const struct ds_twins *t,
                     const struct twins_chunk *failed, struct dc_text *out);
void ds_twins_json(const struct twins_work *w, const struct ds_twins *t,
                   const struct ds_twins_result *result, uint64_t number, struct dc_text *out);

#endif

/* A results file as a run that can be repeated: what verify, diff and trace share.
 *
 *     OUT.h5 --scenario, inputs, until--> struct ds_rerun --ds_rerun_run--> a world again,
 *                                                                           watched or recorded
 *     a stretch of it --ds_rerun_events--> struct ds_events: its events, in order, in memory,
 *                                          messages with what they say
 *
 * Nothing but the file is needed.  Whether what is run is what was recorded is for the caller to
 * find out: digests tell. */
#ifndef SIM_RERUN_H
#define SIM_RERUN_H

#include "sim/cmd_world.h"
#include "sim/record/read.h"

struct ds_rerun {
    const char *path;
    struct ds_results *file;
    struct ds_input *inputs;
    struct ds_scenario scenario;
    int64_t until_ns; /* where the run was told to stop; 0: nowhere */
};

/* How the program was asked to run. */
struct ds_rerun_how {
    uint32_t threads;
    bool quiet;
    const volatile sig_atomic_t *stop;
};
/* --threads and --quiet; catches signals.  False after a message. */
bool ds_rerun_arguments(const struct ds_args *args, struct ds_rerun_how *out);

/* Opens the file and loads its scenario; says what is wrong.  Returns an exit code; *out needs
 * ds_rerun_close in every case. */
int ds_rerun_open(const char *path, struct ds_rerun *out);
void ds_rerun_close(struct ds_rerun *r);
/* This program is the one that wrote the file, as far as the file tells. */
bool ds_rerun_same_build(struct ds_rerun *r);

/* What one run came to. */
struct ds_rerun_result {
    char trace_digest[33], content_digest[65];
    int64_t ended_ns;
    int64_t violation_ns; /* when it first broke an invariant; -1: it did not */
    char violation[512];  /* the evidence; "" */
    bool interrupted;     /* by a signal: what it came to means nothing */
};
/* Runs it: into options->output if there is one, to options->until_ns or else to where the
 * recorded run went.  `what` is shown as progress. */
enum dc_status ds_rerun_run(struct ds_rerun *r, const struct ds_rerun_how *how, const char *what,
                            const struct ds_world_options *options, struct ds_rerun_result *out,
                            struct dc_error *error) DC_MUST_USE;

/* ---- events ---------------------------------------------------------------------------------- */

struct ds_event_seen {
    int64_t time_ns;
    uint64_t rolling; /* its node's digest after it */
    uint64_t a;       /* payload of what is no message */
    const char *text; /* what its message says, or NULL where that is not known */
    uint32_t node, source, sequence;
    uint32_t event, message, size; /* as in /trace; message and size 0: none, or not known */
};

/* The events of [from, until) in the order in which nodes handled them: (time, node, order). */
struct ds_events {
    struct ds_event_seen *list;
    size_t count, max;
    bool cut; /* there are more than are kept */
    bool interrupted;
    const struct ds_scenario *scenario;
    struct dc_arena texts;
    struct ds_event_text {
        uint64_t content;
        const char *text;
    } * text; /* an open-addressing table: one text per content */
    size_t text_count, text_max;
};
enum { DS_EVENTS_MAX = 1 << 23 };

/* Runs up to until (0: its end) and keeps the events from `from` on.  *out needs ds_events_free. */
enum dc_status ds_rerun_events(struct ds_rerun *r, const struct ds_rerun_how *how, const char *what,
                               int64_t from_ns, int64_t until_ns, struct ds_events *out,
                               struct dc_error *error) DC_MUST_USE;
/* The same from the file's /trace, which has no texts. */
enum dc_status ds_rerun_recorded(struct ds_rerun *r, int64_t from_ns, int64_t until_ns,
                                 struct ds_events *out, struct dc_error *error) DC_MUST_USE;
/* Room for one more; NULL when there are DS_EVENTS_MAX: then it is cut. */
struct ds_event_seen *ds_events_add(struct ds_events *e);
void ds_events_free(struct ds_events *e);
/* The first event in which the two differ, in both versions. */
struct ds_parting {
    const struct ds_event_seen *a, *b; /* NULL: that run handles nothing more */
    bool lacks_a, lacks_b; /* that run has no such event here (same node, source and sequence): what
                              is given is what it handles instead */
};
/* False: they do not differ. */
bool ds_events_part(const struct ds_events *a, const struct ds_events *b, struct ds_parting *out);

/* One version of it, as ds_event_print. */
void ds_parting_print(const struct ds_scenario *s, const struct ds_event_seen *e, bool lacks,
                      int indent, struct dc_text *out);
/* "message at node 17 (sto[5]), 30.25 s, caused by node 3 (val[3]), sequence 12", and on a further
 * line, indented by so many blanks, what it says. */
void ds_event_print(const struct ds_scenario *s, const struct ds_event_seen *e, int indent,
                    struct dc_text *out);
/* The same as members of a JSON object. */
void ds_event_json(const struct ds_scenario *s, const struct ds_event_seen *e, struct dc_text *out);

#endif

/* One run in a process of its own (cmd_process.h).
 *
 *   parent  --fork-->  child: load, run, judge --outcome--> pipe   --> struct ds_fuzz_job
 *
 * A child that ends without an outcome crashed or hung: the last words on its standard error
 * and its signal say how.  Limits: processor time (RLIMIT_CPU), memory, and events, which are
 * deterministic. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/cmd_fuzz.h"

#define CPU_S 60            /* a hundred times what a run takes */
#define EVENTS_MAX 20000000 /* likewise */
#define MEMORY_BYTES (4ull << 30)

/* ---- the child ------------------------------------------------------------------------------- */

struct child {
    struct ds_fuzz_outcome outcome;
    volatile sig_atomic_t stop;
    uint64_t events;
};

static void child_progress(void *ctx, const struct ds_progress *p)
{
    struct child *c = ctx;
    c->events = p->events;
    c->outcome.virtual_ns = p->now_ns;
    if (p->events > EVENTS_MAX)
        c->stop = SIGTERM;
}

static void child_say(struct child *c, enum ds_fuzz_verdict verdict, const char *key,
                      const char *text)
{
    c->outcome.verdict = verdict;
    snprintf(c->outcome.key, sizeof c->outcome.key, "%s", key);
    snprintf(c->outcome.text, sizeof c->outcome.text, "%s", text);
}

static bool child_load(struct child *c, const struct ds_fuzz_spec *spec, struct ds_scenario *out)
{
    struct ds_diagnostics d = {0};
    struct dc_text text = {0};
    enum dc_status status;
    if (spec->path != NULL) {
        status = ds_scenario_load(spec->path, NULL, 0, out, &d);
    } else {
        struct ds_source source = {.name = spec->base->name,
                                   .text = spec->text,
                                   .size = strlen(spec->text),
                                   .inputs = spec->base->inputs,
                                   .inputs_count = spec->base->inputs_count};
        status = ds_scenario_load_text(&source, NULL, 0, out, &d);
    }
    if (status != DC_OK) {
        ds_diagnostics_print(&d, &text);
        child_say(c, DS_FUZZ_REFUSED, "refused", text.data != NULL ? text.data : "out of memory");
        return false;
    }
    if (spec->demand != NULL && !ds_swarm_fair(ds_swarm_demand(out), *spec->demand)) {
        child_say(c, DS_FUZZ_REFUSED, "refused", "it asks more than the protocol promises");
        return false;
    }
    c->outcome.faults = (uint32_t)out->faults_count;
    return true;
}

static void child_judge(struct child *c, const struct ds_fuzz_spec *spec,
                        const struct ds_summary *summary)
{
    char text[256];
    for (size_t k = 0; k < spec->base->sometimes_count && k < DS_FUZZ_SOMETIMES_MAX; k++) {
        const struct ds_expect *e = &spec->base->sometimes[k];
        if (ds_expect_holds(e, ds_summary_value(summary, e->metric)))
            c->outcome.sometimes |= (uint64_t)1 << k;
    }
    if (!summary->invariants_held) {
        const char *key = summary->invariant != NULL ? summary->invariant : "invariant";
        child_say(c, DS_FUZZ_VIOLATED, key, summary->violation != NULL ? summary->violation : key);
        c->outcome.violation_ns = summary->violation_ns;
        return;
    }
    for (size_t i = 0; i < summary->expectation_count; i++) {
        const struct ds_expectation *e = &summary->expectations[i];
        if (e->held)
            continue;
        snprintf(text, sizeof text, "expect: %.150s: it was %.6g", e->text, e->value);
        child_say(c, DS_FUZZ_EXPECTED, e->text, text);
        return;
    }
}

static void child_run(struct child *c, const struct ds_fuzz_spec *spec)
{
    struct ds_scenario scenario;
    struct ds_world *world = NULL;
    struct dc_error error = {0};
    struct ds_summary summary = {0};
    struct ds_fuzz_watch state;
    struct ds_watch watch;
    if (!child_load(c, spec, &scenario))
        return;
    ds_fuzz_watch(&state, &scenario, &c->outcome.coverage, &watch);
    struct ds_world_options options = {.threads = 1,
                                       .stop = &c->stop,
                                       .progress = child_progress,
                                       .progress_ctx = c,
                                       .watch = spec->whole ? NULL : &watch,
                                       .stop_at_violation = !spec->whole,
                                       .stop_when_lively = !spec->whole};
    enum dc_status status = ds_world_create(&scenario, &options, &world, &error);
    if (status == DC_OK) {
        status = ds_world_run(world, &error);
        enum dc_status finished = ds_world_finish(world, &summary, &error);
        status = status == DC_OK ? finished : status;
        c->outcome.events = ds_world_counts(world).events;
        double virtual_s = ds_summary_value(&summary, "virtual_time");
        if (!isnan(virtual_s))
            c->outcome.virtual_ns = (int64_t)(virtual_s * 1e9);
    }
    if (status == DC_ERR_LIMIT)
        child_say(c, DS_FUZZ_HUNG, "limit", error.text);
    else if (status != DC_OK)
        child_say(c, DS_FUZZ_REFUSED, "refused", error.text);
    else if (c->stop != 0)
        child_say(c, DS_FUZZ_HUNG, "events", "more events than any run should have");
    else
        child_judge(c, spec, &summary);
}

static void child_main(void *ctx, int out)
{
    const struct ds_fuzz_spec *spec = ctx;
    struct child *c = dc_mem_need(1, sizeof *c, "a run");
    child_run(c, spec);
    ds_process_send(out, &c->outcome, sizeof c->outcome);
}

/* ---- the parent ------------------------------------------------------------------------------ */

bool ds_fuzz_start(struct ds_fuzz_job *job, const struct ds_fuzz_spec *spec)
{
    static const struct ds_process_limits limits = {.cpu_s = CPU_S, .memory_bytes = MEMORY_BYTES};
    uint64_t run = job->run;
    struct ds_fuzz_spec copy = *spec;
    *job = (struct ds_fuzz_job){.run = run};
    return ds_process_start(&job->process, limits, child_main, &copy);
}

static void finish(struct ds_fuzz_job *job)
{
    struct ds_fuzz_outcome *o = &job->outcome;
    struct ds_process *p = &job->process;
    int number = ds_process_signal(p);
    if (ds_process_fine(p) && p->have == sizeof *o) {
        memcpy(o, p->bytes, sizeof *o);
    } else if (number == SIGXCPU || number == SIGKILL) {
        *o = (struct ds_fuzz_outcome){.verdict = DS_FUZZ_HUNG};
        snprintf(o->key, sizeof o->key, "hang");
        snprintf(o->text, sizeof o->text, "it was ended after %d s of processor time", CPU_S);
    } else {
        *o = (struct ds_fuzz_outcome){.verdict = DS_FUZZ_CRASHED};
        ds_process_crash(p, o->key, sizeof o->key);
        snprintf(o->text, sizeof o->text, "%.1000s", p->said_size > 0 ? p->said : o->key);
    }
    ds_process_free(p);
}

struct ds_fuzz_job *ds_fuzz_wait(struct ds_fuzz_job *jobs, size_t count, int timeout_ms)
{
    struct ds_process **p = dc_mem_need(count, sizeof *p, "runs");
    for (size_t i = 0; i < count; i++)
        p[i] = &jobs[i].process;
    size_t done = ds_process_wait(p, count, timeout_ms);
    dc_mem_free(p);
    if (done == SIZE_MAX)
        return NULL;
    finish(&jobs[done]);
    return &jobs[done];
}

void ds_fuzz_kill(struct ds_fuzz_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ds_process_kill(&jobs[i].process);
        ds_process_free(&jobs[i].process);
    }
}

bool ds_fuzz_one(const struct ds_fuzz_spec *spec, struct ds_fuzz_job *job)
{
    if (!ds_fuzz_start(job, spec))
        return false;
    while (ds_fuzz_wait(job, 1, 200) == NULL)
        if (ds_cmd_caught() != 0) {
            ds_fuzz_kill(job, 1);
            return false;
        }
    return ds_cmd_caught() == 0; /* the signal may have ended the run too */
}

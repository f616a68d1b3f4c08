/* One run in a process of its own.
 *
 *   parent  --fork-->  child: load, run, judge --outcome--> pipe   --> struct ds_fuzz_job
 *                             standard error   ----------> pipe   --> its end, as evidence
 *
 * A child that ends without an outcome crashed or hung: the last words on its standard error and its
 * signal say how.  Limits: processor time (RLIMIT_CPU), memory, and events, which are deterministic. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/cmd_fuzz.h"

#define CPU_S 60            /* a hundred times what a run takes */
#define EVENTS_MAX 20000000 /* likewise */
#define MEMORY_BYTES (4ull << 30)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0 /* those reserve terabytes of address space */
#endif

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

static void write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        at += n;
        size -= (size_t)n;
    }
}

static _Noreturn void child_main(const struct ds_fuzz_spec *spec, int out, int err)
{
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++)
        signal(signals[i], SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_S, CPU_S + 5});
    if (!SANITIZED)
        setrlimit(RLIMIT_AS, &(struct rlimit){MEMORY_BYTES, MEMORY_BYTES});
    dup2(err, STDERR_FILENO);
    struct child *c = dc_mem_need(1, sizeof *c, "a run");
    child_run(c, spec);
    (void)fflush(stderr);
    write_all(out, &c->outcome, sizeof c->outcome);
    _exit(0);
}

/* ---- the parent ------------------------------------------------------------------------------ */

bool ds_fuzz_start(struct ds_fuzz_job *job, const struct ds_fuzz_spec *spec)
{
    int out[2], err[2];
    uint64_t run = job->run;
    *job = (struct ds_fuzz_job){.run = run};
    if (pipe2(out, O_CLOEXEC) != 0)
        return false;
    if (pipe2(err, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return false;
    }
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child_main(spec, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    if (pid < 0) {
        close(out[0]);
        close(err[0]);
        return false;
    }
    job->pid = pid;
    job->out = out[0];
    job->err = err[0];
    return true;
}

/* Takes what there is; closes and sets the end to -1 at its end. */
static void take_out(struct ds_fuzz_job *job)
{
    ssize_t n = job->have < sizeof job->part
                    ? read(job->out, job->part + job->have, sizeof job->part - job->have)
                    : 0;
    if (n < 0 && errno == EINTR)
        return;
    if (n > 0) {
        job->have += (size_t)n;
        return;
    }
    close(job->out);
    job->out = -1;
}

/* Keeps the beginning, where checks and sanitizers say what it was. */
static void take_err(struct ds_fuzz_job *job)
{
    char bytes[1024];
    ssize_t n = read(job->err, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0) {
        close(job->err);
        job->err = -1;
        return;
    }
    size_t room = sizeof job->said - 1 - job->said_size;
    size_t size = (size_t)n < room ? (size_t)n : room;
    memcpy(job->said + job->said_size, bytes, size);
    job->said_size += size;
}

/* The line that names the failure: a check, a sanitizer's summary, or else the first. */
static void crash_key(const struct ds_fuzz_job *job, int status, char *key, size_t size)
{
    static const char *const words[] = {": bug: ", "ERROR: ", "runtime error:", "destrasim: error"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *at = strstr(job->said, words[i]);
        if (at == NULL)
            continue;
        const char *begin = at;
        while (begin > job->said && begin[-1] != '\n')
            begin--;
        /* addresses, process ids, the seed and the time differ from run to run */
        size_t n = 0;
        for (const char *p = i == 1 ? at : begin; *p != '\0' && *p != '\n' && n + 1 < size; p++) {
            if (strncmp(p, " 0x", 3) == 0 || strncmp(p, " on ", 4) == 0 || *p == ';')
                break;
            key[n++] = *p;
        }
        key[n] = '\0';
        return;
    }
    if (WIFSIGNALED(status))
        snprintf(key, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(key, size, "exit code %d", WEXITSTATUS(status));
}

static void finish(struct ds_fuzz_job *job)
{
    int status = 0;
    while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
        ;
    job->pid = 0;
    job->said[job->said_size] = '\0';
    struct ds_fuzz_outcome *o = &job->outcome;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && job->have == sizeof *o) {
        memcpy(o, job->part, sizeof *o);
        return;
    }
    *o = (struct ds_fuzz_outcome){.verdict = DS_FUZZ_CRASHED};
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)) {
        o->verdict = DS_FUZZ_HUNG;
        snprintf(o->key, sizeof o->key, "hang");
        snprintf(o->text, sizeof o->text, "it was ended after %d s of processor time", CPU_S);
        return;
    }
    crash_key(job, status, o->key, sizeof o->key);
    snprintf(o->text, sizeof o->text, "%.1000s", job->said_size > 0 ? job->said : o->key);
}

struct ds_fuzz_job *ds_fuzz_wait(struct ds_fuzz_job *jobs, size_t count, int timeout_ms)
{
    struct pollfd *ends = dc_mem_need(2 * count, sizeof *ends, "runs");
    struct ds_fuzz_job *done = NULL;
    for (size_t i = 0; i < count; i++) {
        bool on = jobs[i].pid > 0;
        ends[2 * i] = (struct pollfd){on ? jobs[i].out : -1, POLLIN, 0};
        ends[2 * i + 1] = (struct pollfd){on ? jobs[i].err : -1, POLLIN, 0};
    }
    bool ended = false; /* both ends were closed when another one was told of */
    for (size_t i = 0; i < count; i++)
        ended |= jobs[i].pid > 0 && jobs[i].out < 0 && jobs[i].err < 0;
    int n = ended ? 0 : poll(ends, 2 * (nfds_t)count, timeout_ms);
    for (size_t i = 0; i < count && (n > 0 || ended); i++) {
        struct ds_fuzz_job *job = &jobs[i];
        if (job->pid <= 0)
            continue;
        if (n > 0 && ends[2 * i].revents != 0)
            take_out(job);
        if (n > 0 && ends[2 * i + 1].revents != 0)
            take_err(job);
        if (job->out < 0 && job->err < 0 && done == NULL) {
            finish(job);
            done = job;
        }
    }
    dc_mem_free(ends);
    return done;
}

void ds_fuzz_kill(struct ds_fuzz_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (jobs[i].pid <= 0)
            continue;
        kill(jobs[i].pid, SIGKILL);
        if (jobs[i].out >= 0)
            close(jobs[i].out);
        if (jobs[i].err >= 0)
            close(jobs[i].err);
        while (waitpid(jobs[i].pid, NULL, 0) < 0 && errno == EINTR)
            ;
        jobs[i].pid = 0;
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

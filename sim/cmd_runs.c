/* Runs in processes; see cmd_runs.h.
 *
 * What comes through a child's pipe are frames, one per run: struct frame, then the numbers.  A
 * child holds one run, or several that share their warm-up; a run whose frame never comes
 * failed as its process did. */
#define _GNU_SOURCE
#include "sim/cmd_runs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd_branch.h"
#include "sim/cmd_process.h"

#define WAIT_MS 200

struct frame {
    uint64_t tag;
    uint32_t status, outside;
    char text[sizeof((struct ds_runs_result *)0)->text];
    char trace_digest[sizeof((struct ds_runs_result *)0)->trace_digest];
    double wall_s;
};

struct slot {
    struct ds_process process;
    size_t taken;  /* bytes of it that were read as frames */
    size_t jobs;   /* 0: free */
    uint64_t *tag; /* of each job */
    char **output; /* likewise, or NULL */
    bool *told;    /* its result was handed out */
    struct dc_arena arena;
};

struct ds_runs {
    struct ds_runs_options options;
    struct slot *slot;      /* options.jobs */
    struct ds_process **at; /* the processes in them */
    double *value;          /* of the result that was handed out last */
};

/* ---- the child ------------------------------------------------------------------------------- */

static void say(struct ds_runs_result *result, enum da_run_status status, const char *text)
{
    result->status = status;
    snprintf(result->text, sizeof result->text, "%s", text);
}

void ds_runs_judge(const struct ds_runs_options *options, enum dc_status status,
                   const struct dc_error *error, const struct ds_summary *summary, double *value,
                   struct ds_runs_result *result)
{
    char text[320];
    result->value = value;
    for (size_t i = 0; i < options->metrics; i++)
        value[i] = status == DC_OK ? ds_summary_value(summary, options->metric[i]) : NAN;
    if (status != DC_OK) {
        result->outside = status == DC_ERR_IO;
        say(result, DA_RUN_FAILED,
            error->text[0] != '\0' ? error->text : "failed without a reason");
        return;
    }
    memcpy(result->trace_digest, summary->trace_digest, sizeof result->trace_digest);
    result->status = DA_RUN_DONE;
    if (!summary->invariants_held) {
        say(result, DA_RUN_VIOLATED,
            summary->violation != NULL ? summary->violation : "an invariant was violated");
        return;
    }
    for (size_t i = 0; i < summary->expectation_count; i++) {
        const struct ds_expectation *e = &summary->expectations[i];
        if (e->held)
            continue;
        snprintf(text, sizeof text, "expect: %.200s: it was %.6g", e->text, e->value);
        say(result, DA_RUN_EXPECTATION, text);
        return;
    }
}

static void run_loaded(const struct ds_runs_options *options, const struct ds_runs_job *job,
                       const struct ds_scenario *scenario, double *value,
                       struct ds_runs_result *result)
{
    struct ds_world *world = NULL;
    struct dc_error error = {0};
    struct ds_summary summary = {0};
    struct ds_attribute attributes[DS_CMD_ATTRIBUTES];
    struct ds_world_options world_options = {.threads = 1,
                                             .output = job->output,
                                             .attributes = attributes,
                                             .attribute_count =
                                                 ds_cmd_attributes(attributes, 0, NULL)};
    enum dc_status status = ds_world_create(scenario, &world_options, &world, &error);
    if (status == DC_OK) {
        status = ds_world_run(world, &error);
        enum dc_status finished = ds_world_finish(world, &summary, &error);
        status = status == DC_OK ? finished : status;
    }
    ds_runs_judge(options, status, &error, &summary, value, result);
    ds_world_destroy(world);
}

void ds_runs_execute(const struct ds_runs_options *options, const struct ds_runs_job *job,
                     double *value, struct ds_runs_result *result)
{
    struct ds_scenario scenario;
    struct ds_diagnostics d = {0};
    struct dc_text text = {0};
    struct dc_error error = {0};
    double begin_s = ds_clock_wall();
    *result = (struct ds_runs_result){.tag = job->tag};
    enum dc_status status =
        ds_scenario_load(options->scenario, job->override, job->overrides, &scenario, &d);
    if (status == DC_OK) {
        run_loaded(options, job, &scenario, value, result);
    } else {
        ds_diagnostics_print(&d, &text);
        while (text.size > 0 && text.data[text.size - 1] == '\n')
            text.data[--text.size] = '\0';
        dc_error_set(&error, status, "%s", text.data != NULL ? text.data : "out of memory");
        ds_runs_judge(options, status, &error, NULL, value, result);
    }
    if (result->status == DA_RUN_FAILED && job->output != NULL)
        ds_runs_remove_partial(job->output);
    ds_scenario_free(&scenario);
    ds_diagnostics_free(&d);
    dc_text_free(&text);
    result->wall_s = ds_clock_wall() - begin_s;
}

struct child {
    const struct ds_runs_options *options;
    const struct ds_runs_job *job;
    size_t jobs;
    double *value;
    int out;
};

static void send_frame(const struct child *c, const struct ds_runs_result *result)
{
    struct frame f;
    memset(&f, 0, sizeof f);
    f.tag = result->tag;
    f.status = result->status;
    f.outside = result->outside;
    f.wall_s = result->wall_s;
    memcpy(f.text, result->text, sizeof f.text);
    memcpy(f.trace_digest, result->trace_digest, sizeof f.trace_digest);
    ds_process_send(c->out, &f, sizeof f);
    for (size_t i = 0; result->value == NULL && i < c->options->metrics; i++)
        c->value[i] = NAN;
    const double *value = result->value != NULL ? result->value : c->value;
    ds_process_send(c->out, value, c->options->metrics * sizeof *value);
}

static void run_one(void *ctx, int out)
{
    struct child *c = ctx;
    struct ds_runs_result result;
    c->out = out;
    ds_runs_execute(c->options, c->job, c->value, &result);
    send_frame(c, &result);
}

static void shared_done(void *ctx, const struct ds_runs_result *result)
{
    send_frame(ctx, result);
}

/* One by one, in processes of their own below this one. */
static void run_unshared(struct child *c)
{
    struct ds_runs_options options = *c->options;
    struct ds_runs *r = NULL;
    struct ds_runs_result result;
    struct dc_error error = {0};
    options.jobs = 1;
    options.stop = NULL;
    enum dc_status status = ds_runs_open(&options, &r, &error);
    DC_CHECK(status != DC_OK || r != NULL);
    for (size_t i = 0; i < c->jobs; i++) {
        if (status == DC_OK)
            status = ds_runs_start(r, &c->job[i], &error);
        if (status != DC_OK || !ds_runs_wait(r, &result)) {
            result = (struct ds_runs_result){.tag = c->job[i].tag, .outside = true};
            say(&result, DA_RUN_FAILED, error.text);
        }
        send_frame(c, &result);
    }
    ds_runs_close(r);
}

static void run_shared(void *ctx, int out)
{
    struct child *c = ctx;
    struct ds_runs_options options = *c->options;
    struct dc_error error = {0};
    c->out = out;
    options.jobs = 1;
    options.stop = NULL;
    enum dc_status status = ds_branch(&options, c->job, c->jobs, shared_done, c, &error);
    if (status == DC_ERR_USAGE)
        run_unshared(c);
    else if (status != DC_OK)
        (void)fprintf(stderr, "destrasim: error: %s\n", error.text);
}

void ds_runs_remove_partial(const char *output)
{
    static const char *const ends[] = {".partial", ".partial.new"};
    for (size_t i = 0; i < 2; i++) {
        struct dc_text path = {0};
        dc_text_printf(&path, "%s%s", output, ends[i]);
        if (!path.failed)
            unlink(path.data);
        dc_text_free(&path);
    }
}

/* ---- the parent ------------------------------------------------------------------------------ */

enum dc_status ds_runs_open(const struct ds_runs_options *options, struct ds_runs **out,
                            struct dc_error *error)
{
    DC_CHECK(options->jobs >= 1);
    *out = NULL;
    struct ds_runs *r = dc_mem_alloc(1, sizeof *r);
    if (r != NULL) {
        r->options = *options;
        r->slot = dc_mem_alloc(options->jobs, sizeof *r->slot);
        r->at = dc_mem_alloc(options->jobs, sizeof *r->at);
        r->value = dc_mem_alloc(options->metrics + 1, sizeof *r->value);
    }
    if (r == NULL || r->slot == NULL || r->at == NULL || r->value == NULL) {
        ds_runs_close(r);
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u runs at a time", options->jobs);
    }
    for (unsigned i = 0; i < options->jobs; i++)
        r->at[i] = &r->slot[i].process;
    *out = r;
    return DC_OK;
}

unsigned ds_runs_free(const struct ds_runs *r)
{
    unsigned n = 0;
    for (unsigned i = 0; i < r->options.jobs; i++)
        n += r->slot[i].jobs == 0;
    return n;
}

static void release(struct slot *s)
{
    ds_process_free(&s->process);
    dc_arena_free(&s->arena);
    *s = (struct slot){0};
}

static bool slot_fill(struct slot *s, const struct ds_runs_job *job, size_t count)
{
    s->tag = dc_arena_alloc(&s->arena, count * sizeof *s->tag);
    s->output = dc_arena_alloc(&s->arena, count * sizeof *s->output);
    s->told = dc_arena_alloc(&s->arena, count * sizeof *s->told);
    if (s->tag == NULL || s->output == NULL || s->told == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        s->tag[i] = job[i].tag;
        if (job[i].output == NULL)
            continue;
        size_t size = strlen(job[i].output) + 1;
        s->output[i] = dc_arena_alloc(&s->arena, size);
        if (s->output[i] == NULL)
            return false;
        memcpy(s->output[i], job[i].output, size);
    }
    s->jobs = count;
    return true;
}

static enum dc_status start(struct ds_runs *r, const struct ds_runs_job *job, size_t count,
                            bool shared, struct dc_error *error)
{
    struct slot *s = r->slot;
    while (s < r->slot + r->options.jobs && s->jobs != 0)
        s++;
    DC_CHECK(s < r->slot + r->options.jobs);
    double *value = dc_mem_alloc(r->options.metrics + 1, sizeof *value);
    struct child child = {.options = &r->options, .job = job, .jobs = count, .value = value};
    struct ds_process_limits limits = {.cpu_s = (uint32_t)ceil(r->options.cpu_s)};
    enum dc_status status = DC_OK;
    if (shared)
        limits.cpu_s = 0; /* a limit is one run's, and there are many below it */
    if (value == NULL || !slot_fill(s, job, count))
        status = dc_error_set(error, DC_ERR_IO, "out of memory for a run");
    else if (!ds_process_start(&s->process, limits, shared ? run_shared : run_one, &child))
        status =
            dc_error_set(error, DC_ERR_IO, "no process could be started (%s): use fewer --jobs",
                         strerror(errno));
    dc_mem_free(value);
    if (status != DC_OK)
        release(s);
    return status;
}

enum dc_status ds_runs_start(struct ds_runs *r, const struct ds_runs_job *job,
                             struct dc_error *error)
{
    return start(r, job, 1, false, error);
}

enum dc_status ds_runs_start_shared(struct ds_runs *r, const struct ds_runs_job *job, size_t count,
                                    struct dc_error *error)
{
    return start(r, job, count, true, error);
}

/* The next whole frame that came through a slot's pipe. */
static bool take_frame(struct ds_runs *r, struct slot *s, struct ds_runs_result *out)
{
    struct frame f;
    size_t values = r->options.metrics * sizeof *r->value;
    if (s->jobs == 0 || s->process.have - s->taken < sizeof f + values)
        return false;
    memcpy(&f, s->process.bytes + s->taken, sizeof f);
    memcpy(r->value, s->process.bytes + s->taken + sizeof f, values);
    s->taken += sizeof f + values;
    *out = (struct ds_runs_result){.tag = f.tag,
                                   .status = (enum da_run_status)f.status,
                                   .outside = f.outside != 0,
                                   .value = r->value,
                                   .wall_s = f.wall_s};
    memcpy(out->text, f.text, sizeof out->text);
    memcpy(out->trace_digest, f.trace_digest, sizeof out->trace_digest);
    for (size_t i = 0; i < s->jobs; i++)
        if (s->tag[i] == f.tag)
            s->told[i] = true;
    return true;
}

void ds_runs_crashed(const struct ds_runs_options *options, const struct ds_process *p,
                     struct ds_runs_result *out)
{
    char how[256];
    int number = ds_process_signal(p);
    out->status = DA_RUN_FAILED;
    if (number == SIGXCPU) {
        snprintf(out->text, sizeof out->text, "it was ended after %.0f s of processor time",
                 ceil(options->cpu_s));
        return;
    }
    ds_process_crash(p, how, sizeof how);
    out->outside = number == SIGKILL || number == SIGTERM || number == SIGINT || number == SIGHUP ||
                   (number == 0 && strcmp(how, "exit code 3") == 0) ||
                   strstr(p->said, "out of memory") != NULL;
    if (p->said_size > 0)
        snprintf(out->text, sizeof out->text, "%.240s: %.700s", how, p->said);
    else
        snprintf(out->text, sizeof out->text, "%s", how);
    if (number == SIGKILL)
        snprintf(out->text, sizeof out->text,
                 "it was killed from outside, perhaps for want of memory: use fewer --jobs");
}

/* One result of a slot.  The last one waits for the end of the process and frees the slot, so that
 * whoever has a result may start the next run. */
static bool take_slot(struct ds_runs *r, struct slot *s, struct ds_runs_result *out)
{
    size_t left = 0, first = 0;
    for (size_t i = s->jobs; i > 0; i--)
        if (!s->told[i - 1]) {
            left++;
            first = i - 1;
        }
    if (left == 0 || (left == 1 && s->process.pid != 0))
        return false;
    if (!take_frame(r, s, out)) {
        if (s->process.pid != 0)
            return false;
        s->told[first] = true;
        *out = (struct ds_runs_result){.tag = s->tag[first], .value = r->value};
        for (size_t k = 0; k < r->options.metrics; k++)
            r->value[k] = NAN;
        ds_runs_crashed(&r->options, &s->process, out);
        if (s->output[first] != NULL)
            ds_runs_remove_partial(s->output[first]);
    }
    if (left == 1)
        release(s);
    return true;
}

static bool take(struct ds_runs *r, struct ds_runs_result *out)
{
    bool found = false;
    for (unsigned i = 0; i < r->options.jobs && !found; i++)
        found = take_slot(r, &r->slot[i], out);
    return found;
}

bool ds_runs_poll(struct ds_runs *r, int timeout_ms, struct ds_runs_result *out)
{
    if (take(r, out))
        return true;
    if (ds_runs_free(r) == r->options.jobs)
        return false;
    (void)ds_process_wait(r->at, r->options.jobs, timeout_ms);
    return take(r, out);
}

bool ds_runs_wait(struct ds_runs *r, struct ds_runs_result *out)
{
    const volatile sig_atomic_t *stop = r->options.stop;
    while (stop == NULL || *stop == 0) {
        if (ds_runs_poll(r, WAIT_MS, out))
            return stop == NULL || *stop == 0; /* it may be what ended it */
        if (ds_runs_free(r) == r->options.jobs)
            return false;
    }
    return false;
}

void ds_runs_close(struct ds_runs *r)
{
    if (r == NULL)
        return;
    for (unsigned i = 0; r->slot != NULL && i < r->options.jobs; i++) {
        struct slot *s = &r->slot[i];
        ds_process_kill(&s->process);
        for (size_t k = 0; k < s->jobs; k++)
            if (s->output[k] != NULL)
                ds_runs_remove_partial(s->output[k]);
        release(s);
    }
    dc_mem_free(r->slot);
    dc_mem_free(r->at);
    dc_mem_free(r->value);
    dc_mem_free(r);
}

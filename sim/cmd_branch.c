/* Runs that share their warm-up; see cmd_branch.h. */
#define _GNU_SOURCE
#include "sim/cmd_branch.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/cmd_process.h"

#define WAIT_MS 200

/* What a child sends: this, then the numbers. */
struct frame {
    uint32_t status, outside;
    char text[sizeof((struct ds_runs_result *)0)->text];
    char trace_digest[sizeof((struct ds_runs_result *)0)->trace_digest];
};

struct trunk {
    const struct ds_runs_options *options;
    const struct ds_runs_job *job;
    struct ds_scenario *scenario; /* of each job */
    bool *refused;                /* it could not be loaded */
    size_t jobs;
    struct ds_world *world;
    struct ds_attribute attributes[DS_CMD_ATTRIBUTES]; /* borrowed by the world */
    double *value;
    double warmup_s;
    void (*done)(void *ctx, const struct ds_runs_result *result);
    void *ctx;
};

struct limb { /* a child */
    struct ds_process process;
    size_t job;
    double begin_s;
};

/* ---- the child ------------------------------------------------------------------------------- */

struct child {
    struct trunk *t;
    size_t job;
};

static void run_limb(void *ctx, int out)
{
    struct child *c = ctx;
    struct trunk *t = c->t;
    const struct ds_runs_job *job = &t->job[c->job];
    struct dc_error error = {0}, finish_error = {0};
    struct ds_summary summary = {0};
    struct ds_runs_result result = {.tag = job->tag};
    enum dc_status status = ds_world_adopt(t->world, &t->scenario[c->job], job->output, &error);
    if (status == DC_OK)
        status = ds_world_run(t->world, &error);
    enum dc_status finished = ds_world_finish(t->world, &summary, &finish_error);
    if (status == DC_OK && finished != DC_OK) {
        status = finished;
        error = finish_error;
    }
    ds_runs_judge(t->options, status, &error, &summary, t->value, &result);
    if (result.status == DA_RUN_FAILED && job->output != NULL)
        ds_runs_remove_partial(job->output);
    struct frame f;
    memset(&f, 0, sizeof f);
    f.status = result.status;
    f.outside = result.outside;
    memcpy(f.text, result.text, sizeof f.text);
    memcpy(f.trace_digest, result.trace_digest, sizeof f.trace_digest);
    ds_process_send(out, &f, sizeof f);
    ds_process_send(out, t->value, t->options->metrics * sizeof *t->value);
}

/* ---- the trunk ------------------------------------------------------------------------------- */

static void tell(struct trunk *t, const struct limb *l)
{
    const struct ds_process *p = &l->process;
    struct ds_runs_result result = {.tag = t->job[l->job].tag, .value = t->value};
    size_t values = t->options->metrics * sizeof *t->value;
    struct frame f;
    if (ds_process_fine(p) && p->have == sizeof f + values) {
        memcpy(&f, p->bytes, sizeof f);
        memcpy(t->value, p->bytes + sizeof f, values);
        result.status = (enum da_run_status)f.status;
        result.outside = f.outside != 0;
        memcpy(result.text, f.text, sizeof result.text);
        memcpy(result.trace_digest, f.trace_digest, sizeof result.trace_digest);
    } else {
        for (size_t i = 0; i < t->options->metrics; i++)
            t->value[i] = NAN;
        ds_runs_crashed(t->options, p, &result); /* in the words of a run that shares nothing */
        if (t->job[l->job].output != NULL)
            ds_runs_remove_partial(t->job[l->job].output);
    }
    result.wall_s = ds_clock_wall() - l->begin_s + t->warmup_s / (double)t->jobs;
    t->done(t->ctx, &result);
}

static bool stopped(const struct trunk *t)
{
    return t->options->stop != NULL && *t->options->stop != 0;
}

static enum dc_status start_limb(struct trunk *t, struct limb *l, size_t job,
                                 struct dc_error *error)
{
    struct child child = {t, job};
    uint64_t cpu_s = t->options->cpu_s > 0 ? (uint64_t)ceil(t->options->cpu_s) : 0;
    struct ds_process_limits limits = {.cpu_s = (uint32_t)cpu_s};
    l->job = job;
    l->begin_s = ds_clock_wall();
    if (!ds_process_start(&l->process, limits, run_limb, &child))
        return dc_error_set(error, DC_ERR_IO, "no process could be started (%s): use fewer --jobs",
                            strerror(errno));
    return DC_OK;
}

/* All jobs that were loaded, options->jobs at a time. */
static enum dc_status run_limbs(struct trunk *t, struct limb *limb, struct ds_process **at,
                                struct dc_error *error)
{
    enum dc_status status = DC_OK;
    size_t next = 0, running = 0;
    for (unsigned i = 0; i < t->options->jobs; i++)
        at[i] = &limb[i].process;
    while (!stopped(t) && status == DC_OK) {
        while (next < t->jobs && t->refused[next])
            next++;
        struct limb *free_one = limb;
        while (free_one < limb + t->options->jobs && free_one->process.pid != 0)
            free_one++;
        if (next < t->jobs && free_one < limb + t->options->jobs) {
            status = start_limb(t, free_one, next++, error);
            running += status == DC_OK;
            continue;
        }
        if (running == 0)
            break;
        size_t ended = ds_process_wait(at, t->options->jobs, WAIT_MS);
        if (ended == SIZE_MAX || stopped(t))
            continue;
        tell(t, &limb[ended]);
        ds_process_free(&limb[ended].process);
        running--;
    }
    for (unsigned i = 0; i < t->options->jobs; i++) {
        bool ran = limb[i].process.pid > 0;
        ds_process_kill(&limb[i].process);
        if (ran && t->job[limb[i].job].output != NULL)
            ds_runs_remove_partial(t->job[limb[i].job].output);
        ds_process_free(&limb[i].process);
    }
    return status;
}

static enum dc_status load(struct trunk *t, size_t job, struct ds_runs_result *result,
                           struct dc_error *error)
{
    struct ds_diagnostics d = {0};
    struct dc_text text = {0};
    const struct ds_runs_job *j = &t->job[job];
    enum dc_status status =
        ds_scenario_load(t->options->scenario, j->override, j->overrides, &t->scenario[job], &d);
    if (status != DC_OK) {
        ds_diagnostics_print(&d, &text);
        while (text.size > 0 && text.data[text.size - 1] == '\n')
            text.data[--text.size] = '\0';
        dc_error_set(error, status, "%s", text.data != NULL ? text.data : "out of memory");
        *result = (struct ds_runs_result){.tag = j->tag};
        ds_runs_judge(t->options, status, error, NULL, t->value, result);
    }
    ds_diagnostics_free(&d);
    dc_text_free(&text);
    return status;
}

/* Loads every job.  *first is one that stands, or t->jobs. */
static enum dc_status load_all(struct trunk *t, size_t *first, struct dc_error *error)
{
    enum dc_status status = DC_OK;
    struct dc_error refused = {0};
    struct ds_runs_result result;
    *first = t->jobs;
    for (size_t i = 0; i < t->jobs && status == DC_OK; i++) {
        t->refused[i] = load(t, i, &result, &refused) != DC_OK;
        if (t->refused[i])
            continue;
        *first = *first < t->jobs ? *first : i;
        status = ds_world_same_beginning(&t->scenario[*first], &t->scenario[i], error);
    }
    return status;
}

/* Those that could not be loaded, once the others are known to go on. */
static void tell_refused(struct trunk *t)
{
    struct dc_error error = {0};
    struct ds_runs_result result;
    for (size_t i = 0; i < t->jobs; i++) {
        if (!t->refused[i])
            continue;
        ds_scenario_free(&t->scenario[i]);
        if (load(t, i, &result, &error) != DC_OK)
            t->done(t->ctx, &result);
    }
}

static enum dc_status grow(struct trunk *t, size_t first, struct dc_error *error)
{
    struct ds_world_options options = {
        .threads = 1,
        .stop = t->options->stop,
        .attributes = t->attributes,
        .attribute_count = ds_cmd_attributes(t->attributes, 0, NULL)};
    bool paused = false;
    for (size_t i = 0; i < t->jobs; i++)
        options.wait |= t->job[i].output != NULL;
    double begin_s = ds_clock_wall();
    enum dc_status status = ds_world_create(&t->scenario[first], &options, &t->world, error);
    if (status == DC_OK)
        status = ds_world_run_to_upgrade(t->world, &paused, error);
    t->warmup_s = ds_clock_wall() - begin_s;
    if (status != DC_OK || paused)
        return status == DC_OK ? DC_OK : DC_ERR_USAGE;
    return dc_error_set(error, DC_ERR_USAGE, "the run ended before epoch %u, at which runs part",
                        t->scenario[first].upgrade.epoch);
}

enum dc_status ds_branch(const struct ds_runs_options *options, const struct ds_runs_job *job,
                         size_t count, void (*done)(void *ctx, const struct ds_runs_result *result),
                         void *ctx, struct dc_error *error)
{
    struct trunk t = {.options = options,
                      .job = job,
                      .jobs = count,
                      .scenario = dc_mem_alloc(count + 1, sizeof *t.scenario),
                      .refused = dc_mem_alloc(count + 1, sizeof *t.refused),
                      .value = dc_mem_alloc(options->metrics + 1, sizeof *t.value),
                      .done = done,
                      .ctx = ctx};
    struct limb *limb = dc_mem_alloc(options->jobs, sizeof *limb);
    struct ds_process **at = dc_mem_alloc(options->jobs, sizeof *at);
    enum dc_status status = DC_OK;
    size_t first = count;
    if (!t.scenario || !t.refused || !t.value || !limb || !at)
        status = dc_error_set(error, DC_ERR_IO, "out of memory");
    if (status == DC_OK)
        status = load_all(&t, &first, error);
    if (status == DC_OK && first < count)
        status = grow(&t, first, error);
    if (stopped(&t))
        status = DC_OK;
    else if (status == DC_OK) {
        tell_refused(&t);
        status = first < count ? run_limbs(&t, limb, at, error) : DC_OK;
    }
    ds_world_destroy(t.world);
    for (size_t i = 0; t.scenario != NULL && i < count; i++)
        ds_scenario_free(&t.scenario[i]);
    dc_mem_free(t.scenario);
    dc_mem_free(t.refused);
    dc_mem_free(t.value);
    dc_mem_free(limb);
    dc_mem_free(at);
    return status;
}

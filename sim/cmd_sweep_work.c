/* Which run next, until every point is decided; see cmd_sweep.h.
 *
 * A point takes `least` runs, then one more as long as the interval of its metric is too wide,
 * at most `most`: decided from its own runs in the order of replications, whenever they came.
 * Processes that would idle run ahead of a decision; what was not needed is removed.
 *
 *     point 0   # # # #        decided: 4
 *     point 1   # # + .        known: 2, one is running
 *     point 2   + . ? ?        least: 2; `?` only when nothing else is left */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analysis/stats.h"
#include "sim/cmd_sweep.h"
#include "sim/mpi_pull.h"

#define WAIT_MS 50

/* ---- deciding -------------------------------------------------------------------------------- */

double ds_sweep_value(const struct ds_sweep *s, const struct ds_sweep_run *run, const char *metric)
{
    for (uint32_t i = 0; i < run->values; i++)
        if (strcmp(s->metric[run->metric[i]].name, metric) == 0)
            return run->value[i];
    return NAN;
}

static bool has_data(const struct ds_sweep_run *run)
{
    return run->status == DA_RUN_DONE || run->status == DA_RUN_EXPECTATION;
}

/* Whether the first `count` runs of a point are enough.  Where none has data, more would have none
 * either. */
static bool enough(struct ds_sweep *s, size_t point, uint32_t count)
{
    double *sample = dc_mem_need(count, sizeof *sample, "a sample");
    size_t n = 0, data = 0;
    for (uint32_t r = 0; r < count; r++) {
        const struct ds_sweep_run *run = ds_sweep_run(s, point, r);
        data += has_data(run);
        double value = has_data(run) ? ds_sweep_value(s, run, s->study.replications.metric) : NAN;
        if (!isnan(value))
            sample[n++] = value;
    }
    struct da_estimate e = da_mean_interval(sample, n, s->study.replications.confidence);
    dc_mem_free(sample);
    return data == 0 ||
           (n >= 2 && (e.hi - e.lo) / 2 <= s->study.replications.half_width * fabs(e.value));
}

/* What was run ahead, and is not needed. */
static void trim(struct ds_sweep *s, size_t point)
{
    static const char *const endings[] = {".h5", ".failed", ".failed.h5"};
    for (uint32_t r = s->point[point].decided; r < s->study.replications.most; r++) {
        struct ds_sweep_run *run = ds_sweep_run(s, point, r);
        if (run->status == DA_RUN_MISSING)
            continue;
        for (size_t i = 0; s->point[point].mine && i < 3; i++) {
            char *path = ds_sweep_path(s, point, r, endings[i]);
            unlink(path);
            dc_mem_free(path);
        }
        *run = (struct ds_sweep_run){.begun = run->begun};
    }
}

static void decide(struct ds_sweep *s, size_t point)
{
    struct ds_sweep_point *p = &s->point[point];
    uint32_t least = s->study.replications.least, most = s->study.replications.most;
    while (p->decided == 0 && p->known < most &&
           ds_sweep_run(s, point, p->known)->status != DA_RUN_MISSING) {
        p->known++;
        if (p->known == most || (p->known >= least && (s->study.replications.half_width <= 0 ||
                                                       enough(s, point, p->known))))
            p->decided = p->known;
    }
    if (p->decided != 0)
        trim(s, point);
}

enum dc_status ds_sweep_look(struct ds_sweep *s, size_t point, struct dc_error *error)
{
    struct ds_sweep_point *p = &s->point[point];
    enum dc_status status = DC_OK;
    for (uint32_t r = 0; !p->seen && status == DC_OK && r < s->study.replications.most; r++) {
        status = ds_sweep_read(s, point, r, error);
        s->runs_found += p->mine && ds_sweep_run(s, point, r)->status != DA_RUN_MISSING;
    }
    p->seen = p->seen || status == DC_OK;
    if (status == DC_OK)
        decide(s, point);
    return status;
}

/* Runs that a point needs for sure, as far as is known. */
static uint32_t needed(const struct ds_sweep *s, size_t point)
{
    const struct ds_sweep_point *p = &s->point[point];
    uint32_t least = s->study.replications.least;
    return p->decided != 0 ? p->decided : p->known + 1 > least ? p->known + 1 : least;
}

void ds_sweep_count(const struct ds_sweep *s, uint64_t *done, uint64_t *all)
{
    *done = *all = 0;
    for (size_t p = 0; p < s->study.points; p++) {
        if (!s->point[p].mine && (s->mpi == NULL || s->point[p].seen))
            continue;
        uint32_t most = needed(s, p);
        for (uint32_t r = 0; r < most; r++)
            *done += s->run[p * s->study.replications.most + r].status != DA_RUN_MISSING;
        *all += most;
    }
}

/* ---- choosing -------------------------------------------------------------------------------- */

struct work {
    struct ds_sweep *s;
    struct ds_runs *runs;
    struct dc_error error;
    enum dc_status status;
    bool all_given; /* no further point will be ours */
    unsigned running;
};

static bool free_run(struct ds_sweep *s, size_t point, uint32_t replication)
{
    const struct ds_sweep_run *run = ds_sweep_run(s, point, replication);
    return run->status == DA_RUN_MISSING && !run->begun;
}

/* The first run that nobody has begun; ahead: also such as may turn out not to be needed. */
static bool next_run(struct ds_sweep *s, bool ahead, size_t *point, uint32_t *replication)
{
    uint32_t most = s->study.replications.most;
    for (*point = 0; *point < s->study.points; ++*point) {
        const struct ds_sweep_point *p = &s->point[*point];
        if (!p->mine || p->decided != 0)
            continue;
        uint64_t until = ahead ? (uint64_t)p->known + s->jobs : needed(s, *point);
        for (*replication = p->known; *replication < until && *replication < most; ++*replication)
            if (free_run(s, *point, *replication))
                return true;
    }
    return false;
}

/* Points whose runs of one replication are to be run, into point; how many. */
static size_t next_group(struct ds_sweep *s, size_t *point, uint32_t *replication)
{
    size_t n = 0;
    for (*replication = 0; *replication < s->study.replications.most; ++*replication) {
        for (size_t p = 0; p < s->study.points; p++)
            if (s->point[p].mine && s->point[p].decided == 0 && *replication < needed(s, p) &&
                free_run(s, p, *replication))
                point[n++] = p;
        if (n > 0)
            break;
    }
    /* as many groups as keep all processes at work */
    uint32_t least = s->study.replications.least;
    DC_CHECK(s->jobs >= 1 && least >= 1);
    size_t groups = (s->jobs + least - 1) / least, most = (n + groups - 1) / groups;
    return n < 2 || most < 2 ? n < 2 ? n : 2 : most;
}

/* ---- starting -------------------------------------------------------------------------------- */

/* The job of a run; what it points to is freed by release_job. */
static void make_job(struct ds_sweep *s, size_t point, uint32_t replication,
                     struct ds_runs_job *job)
{
    const struct ds_study_point *p = &s->study.point[point];
    const char **override = dc_mem_need(p->overrides + 1, sizeof *override, "a run");
    char *seed = dc_mem_need(32, 1, "a run");
    for (size_t i = 0; i < p->overrides; i++)
        override[i] = p->override[i];
    snprintf(seed, 32, "seed=%" PRIu64, s->study.seed + replication);
    override[p->overrides] = seed;
    *job = (struct ds_runs_job){.tag = (uint64_t)point * s->study.replications.most + replication,
                                .override = override,
                                .overrides = p->overrides + 1,
                                .output = ds_sweep_path(s, point, replication, ".h5")};
    ds_sweep_run(s, point, replication)->begun = true;
}

static void release_job(const struct ds_runs_job *job)
{
    dc_mem_free((void *)(uintptr_t)job->override[job->overrides - 1]);
    dc_mem_free((void *)(uintptr_t)job->override);
    dc_mem_free((void *)(uintptr_t)job->output);
}

static void begin(struct work *w, const size_t *point, size_t count, uint32_t replication)
{
    struct ds_runs_job *job = dc_mem_need(count, sizeof *job, "runs");
    for (size_t i = 0; i < count; i++)
        make_job(w->s, point[i], replication, &job[i]);
    w->status = count == 1 ? ds_runs_start(w->runs, job, &w->error)
                           : ds_runs_start_shared(w->runs, job, count, &w->error);
    for (size_t i = 0; i < count; i++)
        release_job(&job[i]);
    dc_mem_free(job);
    w->running += (unsigned)count;
}

/* Under MPI: asks for points until there is a run to begin. */
static bool more_points(struct work *w)
{
    struct ds_sweep *s = w->s;
    if (w->all_given)
        return false;
    size_t first, count = ds_mpi_pull(s->mpi, s->runs_done, &first);
    w->all_given = count == 0;
    for (size_t p = first; p < first + count && w->status == DC_OK; p++) {
        s->point[p].mine = true;
        w->status = ds_sweep_look(s, p, &w->error);
    }
    return !w->all_given && w->status == DC_OK;
}

static void begin_runs(struct work *w)
{
    struct ds_sweep *s = w->s;
    bool shared = s->study.warmup.given && s->study.warmup.share, any = true;
    size_t *point = dc_mem_need(s->study.points, sizeof *point, "points");
    uint32_t replication = 0;
    while (any && w->status == DC_OK && ds_runs_free(w->runs) > 0) {
        size_t count =
            shared ? next_group(s, point, &replication) : next_run(s, false, point, &replication);
        if (count == 0 && more_points(w))
            continue;
        if (count == 0 && w->status == DC_OK && !shared)
            count = next_run(s, true, point, &replication);
        any = count > 0;
        if (any && w->status == DC_OK)
            begin(w, point, count, replication);
    }
    dc_mem_free(point);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void ended(struct work *w, const struct ds_runs_result *result)
{
    struct ds_sweep *s = w->s;
    size_t point = result->tag / s->study.replications.most;
    uint32_t replication = (uint32_t)(result->tag % s->study.replications.most);
    w->running--;
    w->status = ds_sweep_ended(s, point, replication, result, &w->error);
    if (w->status == DC_OK)
        w->status = ds_sweep_look(s, point, &w->error);
    s->runs_done++;
    s->run_s += result->wall_s;
}

static void loop(struct work *w)
{
    struct ds_sweep *s = w->s;
    struct ds_runs_result result;
    while (w->status == DC_OK && ds_cmd_caught() == 0) {
        begin_runs(w);
        if (w->running == 0 || w->status != DC_OK)
            break;
        bool some = ds_runs_poll(w->runs, WAIT_MS, &result);
        if (ds_cmd_caught() != 0)
            break; /* it may be what ended the run */
        if (some)
            ended(w, &result);
        s->runs_elsewhere = ds_mpi_serve(s->mpi);
        ds_sweep_progress(s, false);
    }
}

int ds_sweep_work(struct ds_sweep *s)
{
    struct work w = {.s = s, .all_given = s->mpi == NULL};
    struct ds_runs_options options = {
        .scenario = s->study.scenario, .jobs = s->jobs, .cpu_s = s->cpu_s};
    for (size_t p = 0; p < s->study.points && w.status == DC_OK && ds_cmd_caught() == 0; p++)
        if (s->point[p].mine)
            w.status = ds_sweep_look(s, p, &w.error);
    if (w.status == DC_OK)
        w.status = ds_runs_open(&options, &w.runs, &w.error);
    if (w.status == DC_OK)
        loop(&w);
    ds_runs_close(w.runs);
    ds_sweep_progress_end(s);
    if (ds_cmd_caught() != 0)
        return 128 + ds_cmd_caught();
    return w.status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(w.status, &w.error);
}

/* `destrasim fuzz`: many random runs of a scenario under the invariants.
 *
 *   runs      next ... next + WINDOW      each in a process, `jobs` of them at a time
 *   outcomes  ring of WINDOW, by number   taken in order of their numbers: counts, coverage and what
 *                                         is reported do not depend on which process was faster
 *
 * After a failure no later run is begun; those before it end first, so the failure that is reported is
 * the one with the lowest number.  sim/fault/swarm.h says what a run is. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "models/base/rng.h"
#include "sim/cmd_fuzz.h"

#define RUNS_DEFAULT 1000
#define JOBS_MAX 256
#define WINDOW 1024
#define SHRINK_S 120
#define SAVE_S 5
#define WAIT_MS 200

struct slot {
    bool done;
    struct ds_fuzz_outcome outcome;
};

struct campaign {
    struct ds_fuzz_plan *plan;
    struct ds_fuzz_job *jobs;
    struct slot *ring;   /* of run % WINDOW */
    uint64_t begun;      /* the first run that has not begun */
    uint64_t stop_after; /* of runs that have begun, only those before it are still wanted */
    double saved_s;
};

/* ---- the loop -------------------------------------------------------------------------------- */

static bool time_is_up(const struct ds_fuzz_plan *plan)
{
    return plan->time_s > 0 && ds_clock_wall() - plan->begin_s > plan->time_s;
}

static bool begin_runs(struct campaign *c)
{
    struct ds_fuzz_plan *plan = c->plan;
    for (uint32_t i = 0; i < plan->jobs; i++) {
        struct ds_fuzz_job *job = &c->jobs[i];
        if (job->process.pid != 0 || c->begun >= plan->until || c->begun >= c->stop_after ||
            c->begun - plan->state.next >= WINDOW || time_is_up(plan))
            continue;
        struct dc_text text = {0};
        ds_swarm_print(&plan->swarm, c->begun, &text);
        struct ds_fuzz_spec spec = {.base = &plan->base, .text = text.data};
        job->run = c->begun++;
        bool good = !text.failed && ds_fuzz_start(job, &spec);
        dc_text_free(&text);
        if (!good)
            return false;
    }
    return true;
}

static bool running(const struct campaign *c)
{
    for (uint32_t i = 0; i < c->plan->jobs; i++)
        if (c->jobs[i].process.pid != 0)
            return true;
    return false;
}

static int save(struct campaign *c, bool now)
{
    struct ds_fuzz_plan *plan = c->plan;
    struct dc_error error = {0};
    if (plan->resume == NULL || (!now && ds_clock_wall() - c->saved_s < SAVE_S))
        return DS_EXIT_FINE;
    c->saved_s = ds_clock_wall();
    enum dc_status status = ds_fuzz_save(&plan->state, plan->resume, &error);
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

/* Takes outcomes in order; a refused scenario is a mistake of ours or of the base. */
static int take_outcomes(struct campaign *c)
{
    struct ds_fuzz_plan *plan = c->plan;
    struct slot *slot;
    while ((slot = &c->ring[plan->state.next % WINDOW])->done) {
        slot->done = false;
        if (plan->state.next >= c->stop_after)
            return DS_EXIT_FINE;
        if (slot->outcome.verdict == DS_FUZZ_REFUSED) {
            ds_fuzz_progress_end(plan);
            return ds_cmd_usage("run %llu of the swarm cannot be run:\n%s",
                                (unsigned long long)plan->state.next, slot->outcome.text);
        }
        ds_fuzz_count(&plan->state, plan->state.next, &slot->outcome);
        if (slot->outcome.verdict != DS_FUZZ_FINE && !plan->keep_going)
            c->stop_after = plan->state.next;
    }
    return save(c, false);
}

static void job_done(struct campaign *c, const struct ds_fuzz_job *job)
{
    struct slot *slot = &c->ring[job->run % WINDOW];
    slot->done = true;
    slot->outcome = job->outcome;
    if (job->outcome.verdict != DS_FUZZ_FINE && !c->plan->keep_going &&
        job->run + 1 < c->stop_after)
        c->stop_after = job->run + 1;
}

static int loop(struct campaign *c)
{
    struct ds_fuzz_plan *plan = c->plan;
    int code = DS_EXIT_FINE;
    while (code == DS_EXIT_FINE && ds_cmd_caught() == 0) {
        if (!begin_runs(c)) {
            ds_cmd_usage("no process could be started (%s): use fewer --jobs", strerror(errno));
            code = DS_EXIT_IO;
            break;
        }
        if (!running(c))
            break;
        const struct ds_fuzz_job *job = ds_fuzz_wait(c->jobs, plan->jobs, WAIT_MS);
        if (ds_cmd_caught() != 0)
            break; /* it may be what ended the run */
        if (job != NULL)
            job_done(c, job);
        for (uint32_t i = 0; i < plan->jobs; i++)
            if (c->jobs[i].process.pid != 0 && c->jobs[i].run >= c->stop_after)
                ds_fuzz_kill(&c->jobs[i], 1);
        code = take_outcomes(c);
        ds_fuzz_progress(plan);
    }
    ds_fuzz_kill(c->jobs, plan->jobs);
    ds_fuzz_progress_end(plan);
    return code != DS_EXIT_IO ? (save(c, true) == DS_EXIT_FINE ? code : DS_EXIT_IO) : code;
}

static int explore(struct ds_fuzz_plan *plan)
{
    struct campaign c = {.plan = plan, .begun = plan->state.next, .stop_after = UINT64_MAX};
    c.jobs = dc_mem_need(plan->jobs, sizeof *c.jobs, "runs");
    c.ring = dc_mem_need(WINDOW, sizeof *c.ring, "runs");
    int code = save(&c, true); /* before anything is lost where it cannot be written */
    if (code == DS_EXIT_FINE)
        code = loop(&c);
    dc_mem_free(c.jobs);
    dc_mem_free(c.ring);
    return code;
}

/* The first failure of each kind in this session. */
static int shrink_all(struct ds_fuzz_plan *plan)
{
    int code = DS_EXIT_FINE;
    struct ds_fuzz_state *s = &plan->state;
    for (size_t i = 0; i < s->failures_count && code == DS_EXIT_FINE && ds_cmd_caught() == 0; i++) {
        bool first = !s->failures[i].old;
        for (size_t k = 0; k < i && first; k++)
            first = s->failures[k].old || strcmp(s->failures[k].key, s->failures[i].key) != 0;
        if (first)
            code = ds_fuzz_shrink(plan, i);
    }
    return code;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static bool read_times(const struct ds_args *args, struct ds_fuzz_plan *plan)
{
    int64_t time_ns = 0, shrink_ns = SHRINK_S * INT64_C(1000000000);
    if (!ds_args_time(args, "--time", &time_ns) || !ds_args_time(args, "--shrink-time", &shrink_ns))
        return false;
    plan->time_s = (double)time_ns * 1e-9;
    plan->shrink_s = (double)shrink_ns * 1e-9;
    return true;
}

static bool read_runs(const struct ds_args *args, struct ds_fuzz_plan *plan)
{
    int online = omp_get_num_procs();
    uint64_t jobs = online > 0 ? (uint64_t)online : 1, runs = 0, most = UINT64_MAX / 4, only = most;
    if (!ds_args_number(args, "--runs", 1, most, &runs) ||
        !ds_args_number(args, "--jobs", 1, JOBS_MAX, &jobs) ||
        !ds_args_number(args, "--from", 0, most, &plan->state.next) ||
        !ds_args_number(args, "--only", 0, most, &only) ||
        !ds_args_number(args, "--seed", 0, UINT64_MAX, &plan->state.seed))
        return false;
    plan->jobs = (uint32_t)(jobs < JOBS_MAX ? jobs : JOBS_MAX);
    if (only != most) {
        if (ds_args_value(args, "--from") != NULL || runs > 0 || plan->time_s > 0) {
            ds_cmd_usage("fuzz: --only is one run: leave out --from, --runs and --time");
            return false;
        }
        plan->state.next = only;
        plan->only = true;
        runs = 1;
    }
    plan->until = runs > 0 ? runs : plan->time_s > 0 ? UINT64_MAX : RUNS_DEFAULT;
    return true;
}

static int make_plan(const struct ds_args *args, struct ds_fuzz_plan *plan)
{
    if (!read_times(args, plan) || !read_runs(args, plan))
        return DS_EXIT_USAGE;
    const char **overrides = dc_mem_need(args->givens + 1, sizeof *overrides, "--set");
    size_t count = ds_args_values(args, "--set", overrides);
    int code = ds_cmd_load(args->operand[0], overrides, count, &plan->base);
    dc_text_add(&plan->asked, DS_FUZZ_PROGRAM " fuzz ");
    const char *slash = strrchr(args->operand[0], '/'); /* it goes into files that are mailed */
    ds_fuzz_quote(&plan->asked, slash != NULL ? slash + 1 : args->operand[0]);
    for (size_t i = 0; i < count; i++) {
        dc_text_add(&plan->asked, " --set ");
        ds_fuzz_quote(&plan->asked, overrides[i]);
    }
    dc_mem_free(overrides);
    if (code != DS_EXIT_FINE)
        return code;
    struct dc_text text = {0};
    struct dc_error error = {0};
    ds_scenario_print_resolved(&plan->base, &text);
    plan->state.digest = text.data != NULL ? dc_name(text.data) : 0;
    dc_text_free(&text);
    plan->resume = ds_args_value(args, "--resume");
    if (plan->resume != NULL) {
        bool any = ds_args_value(args, "--seed") == NULL;
        enum dc_status status = ds_fuzz_restore(&plan->state, plan->resume, any, &error);
        if (status != DC_OK)
            return ds_cmd_failed(status, &error);
    }
    plan->first = plan->state.next;
    if (plan->until != UINT64_MAX) /* with --resume: --runs in all */
        plan->until += plan->resume != NULL ? 0 : plan->first;
    if (plan->until < plan->first)
        plan->until = plan->first;
    plan->swarm = (struct ds_swarm){.base = &plan->base, .seed = plan->state.seed};
    const char *folder = ds_args_value(args, "-o");
    plan->folder = folder != NULL ? folder : ".";
    return ds_cmd_folder(plan->folder);
}

static int exit_code(const struct ds_fuzz_plan *plan)
{
    if (ds_cmd_caught() != 0)
        return 128 + ds_cmd_caught();
    if (plan->state.failures_count > 0 || (!plan->only && ds_fuzz_never(plan) != NULL))
        return DS_EXIT_EXPECT;
    return DS_EXIT_FINE;
}

static int campaign(const struct ds_args *args, struct ds_fuzz_plan *plan)
{
    plan->stop = ds_cmd_catch_signals();
    plan->begin_s = plan->shown_s = ds_clock_wall();
    int code = explore(plan);
    double seconds = ds_clock_wall() - plan->begin_s;
    if (code == DS_EXIT_FINE)
        code = shrink_all(plan);
    if (code != DS_EXIT_FINE)
        return code;
    if (ds_args_value(args, "--json") != NULL)
        ds_fuzz_json(plan, seconds);
    else
        ds_fuzz_print(plan, seconds);
    return exit_code(plan);
}

static int run(const struct ds_args *args)
{
    struct ds_fuzz_plan plan = {.state.seed = 1};
    plan.keep_going = ds_args_value(args, "--keep-going") != NULL;
    plan.quiet = ds_args_value(args, "--quiet") != NULL;
    plan.live = !plan.quiet && isatty(STDERR_FILENO);
    int code = make_plan(args, &plan);
    if (code == DS_EXIT_FINE && ds_args_value(args, "--print") != NULL) {
        struct dc_text text = {0};
        ds_swarm_print(&plan.swarm, plan.first, &text);
        code = ds_cmd_output(&text);
    } else if (code == DS_EXIT_FINE) {
        code = campaign(args, &plan);
    }
    dc_mem_free(plan.state.failures);
    dc_text_free(&plan.asked);
    ds_scenario_free(&plan.base);
    return code;
}

static const struct ds_option options[] = {
    {"--runs", "N", "how many; default: 1000, or no limit with --time"},
    {"--jobs", "N", "processes at a time; results do not depend on it; default: the\nprocessors"},
    {"--time", "TIME", "no run is begun after this wall time (10 min)"},
    {"--seed", "N", "of the campaign; a run is named by it and its number; default: 1"},
    {"--from", "I", "number of the first run; default: 0"},
    {"--only", "I", "this run alone"},
    {"--print", NULL, "prints the scenario of that run, and runs nothing"},
    {"--set", "PATH=VALUE", "overrides one value of the scenario, as `run` does"},
    {"--keep-going", NULL, "goes on after a failure; the first of each kind is minimised"},
    {"--resume", "FILE",
     "keeps what was counted in FILE and goes on from there; --runs is\nthen the number in all"},
    {"-o", "DIR", "where failing scenarios go; default: the working directory"},
    {"--shrink-time", "TIME", "minimising a failure takes no longer; default: 2 min"},
    {"--quiet", NULL, "no progress on standard error"},
    {"--json", NULL, "what it came to as one JSON object"},
    {0},
};

const struct ds_command ds_cmd_fuzz = {
    .name = "fuzz",
    .operands = "SCENARIO",
    .line = "random faults, sizes and knobs under the invariants; minimises failures",
    .details =
        "Each run draws its own sizes, knobs, kinds of faults and schedule over the scenario, by\n"
        "(seed, number) alone. Less than a third of the power is ever corrupted. Then everything\n"
        "heals for a random quorum, all others are stopped, and the chain must go on. A violated\n"
        "invariant or expectation, a crash or a hang is a failure; it is minimised and written to\n"
        "DIR/NAME-SEED-RUN.yaml, which fails under plain `destrasim run`. At the end: which "
        "faults\n"
        "began in which phases of the protocol, and how often each of `sometimes` held.\n"
        "Exit code 1: a run failed, or something of `sometimes` held in none.",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

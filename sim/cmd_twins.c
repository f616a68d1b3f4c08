/* `destrasim twins`: scenarios of systematic Twins by number: all, a slice, a sample, or one.
 *
 *   places [from, to) in the enumeration, or in the sample
 *   cut into chunks; chunk c is done by job c mod jobs, each a process of its own:
 *
 *       job 0   c0   c3   c6 ...  --pipe-->  \
 *       job 1   c1   c4   c7 ...  --pipe-->   the parent reads chunks in order, adds them up,
 *       job 2   c2   c5   c8 ...  --pipe-->  /  writes how far it is, and stops at a failure
 *
 * So neither the sums nor the scenario that is called the first to fail depend on the number of
 * jobs.  The work itself is in world/twins.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/cmd.h"
#include "sim/cmd_twins.h"
#include "sim/world/twins.h"

#define CHUNK 128
#define SAVE_EVERY_S 5.0

/* --- chunks ---------------------------------------------------------------------------------- */

static uint64_t number_at(const struct twins_work *w, uint64_t place)
{
    return w->sample != 0 ? ds_twins_sample(w->seed, w->count, place) : place;
}

static void run_chunk(const struct twins_work *w, struct ds_twins *t, uint64_t first,
                      struct twins_chunk *out)
{
    *out = (struct twins_chunk){.first = first};
    for (uint64_t k = first; k < w->to && k - first < CHUNK && !out->failed; k++) {
        if (ds_cmd_caught() != 0) {
            out->stopped = true;
            return;
        }
        struct ds_twins_result r;
        uint64_t number = number_at(w, k);
        ds_twins_run(t, number, &r, NULL);
        out->sum.runs++;
        out->sum.steps += r.steps;
        out->sum.evidence += r.evidence;
        out->sum.virtual_ns += (uint64_t)r.end_ns;
        out->sum.final_before += r.final_before;
        if (r.fault != DS_TWINS_GOOD) {
            out->failed = true;
            out->number = number;
            out->place = k;
            out->result = r;
        }
    }
}

/* A job's life: its chunks in order, until there are no more or nobody listens. */
static void job(const struct twins_work *w, uint32_t index, int to)
{
    struct ds_twins *t = NULL;
    struct dc_error error = {0};
    signal(SIGPIPE, SIG_IGN);
    if (ds_twins_create(&w->config, &t, &error) != DC_OK)
        _exit(DS_EXIT_IO);
    for (uint64_t at = w->next + (uint64_t)index * CHUNK; at < w->to;) {
        struct twins_chunk chunk;
        run_chunk(w, t, at, &chunk);
        if (write(to, &chunk, sizeof chunk) != (ssize_t)sizeof chunk || chunk.failed ||
            chunk.stopped)
            break;
        uint64_t step = (uint64_t)w->jobs * CHUNK;
        if (w->to - at <= step)
            break;
        at += step;
    }
    ds_twins_destroy(t);
    _exit(DS_EXIT_FINE);
}

static bool start_jobs(struct twins_work *w)
{
    for (uint32_t i = 0; i < w->jobs; i++) {
        int ends[2];
        if (pipe(ends) != 0)
            return false;
        (void)fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            for (uint32_t k = 0; k < i; k++)
                (void)close(w->from_job[k]);
            (void)close(ends[0]);
            job(w, i, ends[1]);
        }
        (void)close(ends[1]);
        w->from_job[i] = ends[0];
        w->pid[i] = pid;
        w->started = i + 1;
        if (pid < 0)
            return false;
    }
    return true;
}

static void end_jobs(struct twins_work *w)
{
    for (uint32_t i = 0; i < w->started; i++)
        (void)close(w->from_job[i]);
    for (uint32_t i = 0; i < w->started; i++)
        if (w->pid[i] > 0) {
            (void)kill(w->pid[i], SIGKILL); /* it holds nothing that must be kept */
            (void)waitpid(w->pid[i], NULL, 0);
        }
    w->started = 0;
}

/* The next chunk in order; false: its job has died. */
static bool read_chunk(struct twins_work *w, struct ds_twins *own, struct twins_chunk *out)
{
    if (own != NULL) {
        run_chunk(w, own, w->next, out);
        return true;
    }
    size_t have = 0;
    while (have < sizeof *out) {
        ssize_t got = read(w->from_job[w->turn], (char *)out + have, sizeof *out - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    w->turn = (w->turn + 1) % w->jobs;
    return true;
}

static int run_all(struct twins_work *w, struct ds_twins *own, struct twins_chunk *failed)
{
    double saved_s = ds_clock_wall();
    int code = DS_EXIT_FINE;
    while (w->next < w->to && code == DS_EXIT_FINE) {
        struct twins_chunk chunk;
        if (!read_chunk(w, own, &chunk) || chunk.stopped) {
            code = ds_cmd_caught() != 0 ? 128 + ds_cmd_caught() : DS_EXIT_IO;
            if (code == DS_EXIT_IO)
                ds_cmd_usage("twins: a job ended before its work: out of memory, or a bug");
            break;
        }
        w->sum.runs += chunk.sum.runs;
        w->sum.steps += chunk.sum.steps;
        w->sum.evidence += chunk.sum.evidence;
        w->sum.virtual_ns += chunk.sum.virtual_ns;
        w->sum.final_before += chunk.sum.final_before;
        if (chunk.failed) {
            *failed = chunk;
            code = DS_EXIT_EXPECT;
        } else {
            w->next = w->to - w->next <= CHUNK ? w->to : w->next + CHUNK;
        }
        bool last = w->next == w->to || code != DS_EXIT_FINE;
        ds_twins_progress(w, last);
        if (w->resume != NULL && code == DS_EXIT_FINE &&
            (last || ds_clock_wall() - saved_s >= SAVE_EVERY_S)) {
            code = ds_twins_save(w);
            saved_s = ds_clock_wall();
        }
    }
    if (w->resume != NULL && code > DS_EXIT_IO)
        (void)ds_twins_save(w); /* a signal */
    return code;
}

/* --- what was asked for ---------------------------------------------------------------------- */

static int read_mutant(const struct ds_args *args, struct ds_twins_config *config)
{
    const char *name = ds_args_value(args, "--mutant");
    if (name == NULL)
        return DS_EXIT_FINE;
#ifdef DC_MUTANTS
    struct ds_guess guess = {.word = name};
    for (uint32_t i = 0; i < DC_MUTANT_COUNT; i++) {
        if (strcmp(ds_twins_mutants[i], name) == 0) {
            config->mutant = i;
            return DS_EXIT_FINE;
        }
        ds_guess_try(&guess, ds_twins_mutants[i]);
    }
    return ds_cmd_usage("--mutant %s: there is no such bug%s%s", name,
                        guess.name != NULL ? "; did you mean " : "",
                        guess.name != NULL ? guess.name : "");
#else
    (void)config;
    return ds_cmd_usage("--mutant: this build has no bugs compiled in: use destrasim-mutants");
#endif
}

static int read_work(const struct ds_args *args, struct twins_work *w)
{
    uint64_t validators = 4, rounds = 3, epoch = 0, jobs = 1;
    struct dc_error error = {0};
    w->seed = 1;
    if (!ds_args_number(args, "--validators", 4, 7, &validators) ||
        !ds_args_number(args, "--rounds", 1, DS_TWINS_ROUNDS_MAX, &rounds) ||
        !ds_args_number(args, "--epoch-blocks", 3, 1000, &epoch) ||
        !ds_args_number(args, "--jobs", 1, TWINS_JOBS_MAX, &jobs) ||
        !ds_args_number(args, "--seed", 0, UINT64_MAX, &w->seed) ||
        !ds_args_number(args, "--sample", 1, UINT64_MAX, &w->sample))
        return DS_EXIT_USAGE;
    w->config = (struct ds_twins_config){.validators = (uint32_t)validators,
                                         .rounds = (uint32_t)rounds,
                                         .epoch_blocks = (uint32_t)epoch};
    w->jobs = (uint32_t)jobs;
    int code = read_mutant(args, &w->config);
    if (code != DS_EXIT_FINE)
        return code;
    if (ds_twins_count(&w->config, &w->count, &error) != DC_OK)
        return ds_cmd_failed(DC_ERR_USAGE, &error);
    uint64_t places = w->sample != 0 ? w->sample : w->count;
    w->to = places;
    if (!ds_args_number(args, "--from", 0, places - 1, &w->from) ||
        !ds_args_number(args, "--to", w->from + 1, places, &w->to))
        return DS_EXIT_USAGE;
    w->next = w->from;
    w->resume = ds_args_value(args, "--resume");
    w->json = ds_args_value(args, "--json") != NULL;
    w->quiet = ds_args_value(args, "--quiet") != NULL;
    w->begin_s = w->shown_s = ds_clock_wall();
    return DS_EXIT_FINE;
}

/* --- commands -------------------------------------------------------------------------------- */

static int run_only(const struct ds_args *args, const struct twins_work *w)
{
    uint64_t number = 0;
    if (!ds_args_number(args, "--only", 0, w->count - 1, &number))
        return DS_EXIT_USAGE;
    bool explain = ds_args_value(args, "--explain") != NULL;
    struct ds_twins *t = NULL;
    struct dc_error error = {0};
    enum dc_status status = ds_twins_create(&w->config, &t, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    struct ds_twins_result r;
    struct dc_text text = {0}, log = {0};
    ds_twins_run(t, number, &r, explain ? &log : NULL);
    if (w->json) {
        ds_twins_json(w, t, r.fault != DS_TWINS_GOOD ? &r : NULL, number, &text);
    } else {
        dc_text_printf(&text, "scenario %" PRIu64 "\n", number);
        ds_twins_describe(t, number, &text);
        if (explain)
            dc_text_put(&text, log.data, log.size);
        ds_twins_verdict(t, &r, &text);
        dc_text_add(&text, "\n");
    }
    dc_text_free(&log);
    ds_twins_destroy(t);
    int code = ds_cmd_output(&text);
    return code == DS_EXIT_FINE && r.fault != DS_TWINS_GOOD ? DS_EXIT_EXPECT : code;
}

static int run_places(struct twins_work *w)
{
    struct twins_chunk failed = {0};
    struct ds_twins *t = NULL; /* one job: runs here; more: to tell of a failure */
    struct dc_error error = {0};
    struct dc_text text = {0};
    (void)ds_cmd_catch_signals();
    int code = w->resume != NULL ? ds_twins_load(w) : DS_EXIT_FINE;
    if (code != DS_EXIT_FINE)
        return code;
    bool forked = w->jobs == 1 || start_jobs(w); /* before any thread is there */
    enum dc_status status = ds_twins_create(&w->config, &t, &error);
    if (!forked)
        code = (ds_cmd_usage("twins: no process for every job: fewer --jobs"), DS_EXIT_IO);
    else if (status != DC_OK)
        code = ds_cmd_failed(status, &error);
    else
        code = run_all(w, w->jobs == 1 ? t : NULL, &failed);
    end_jobs(w);
    if (code <= DS_EXIT_EXPECT) {
        if (w->json)
            ds_twins_json(w, t, failed.failed ? &failed.result : NULL, failed.number, &text);
        else
            ds_twins_report(w, t, failed.failed ? &failed : NULL, &text);
        int wrote = ds_cmd_output(&text);
        code = wrote != DS_EXIT_FINE ? wrote : code;
    }
    if (code > 128)
        ds_cmd_warn("twins: interrupted: all before %" PRIu64 " are good: %s", w->next,
                    w->resume != NULL ? "the same command goes on from there"
                                      : "--from goes on from there");
    ds_twins_destroy(t);
    return code;
}

static int run(const struct ds_args *args)
{
    struct twins_work w = {.sample = 0};
    int code = read_work(args, &w);
    if (code != DS_EXIT_FINE)
        return code;
    if (ds_args_value(args, "--count") != NULL) {
        struct dc_text text = {0};
        dc_text_printf(&text, "%" PRIu64 "\n", w.count);
        return ds_cmd_output(&text);
    }
    return ds_args_value(args, "--only") != NULL ? run_only(args, &w) : run_places(&w);
}

static const struct ds_option options[] = {
    {"--validators", "N", "4 to 7, of which floor((N - 1) / 3) are twins; default 4"},
    {"--rounds", "R", "rounds with a leader and a partition each; default 3"},
    {"--epoch-blocks", "N",
     "heights of an epoch, so that scenarios go over its end;\n"
     "default: it has none"},
    {"--sample", "K", "K scenarios drawn from all of them, instead of all in order"},
    {"--seed", "N", "of the sample; default 1"},
    {"--from", "I", "the first place, in the enumeration or in the sample"},
    {"--to", "I", "the first place that is left out"},
    {"--count", NULL, "only prints how many scenarios there are"},
    {"--only", "I", "runs scenario number I alone"},
    {"--explain", NULL, "with --only: leaders, partitions, and what happens"},
    {"--jobs", "J", "processes; default 1. Results do not depend on it"},
    {"--resume", "FILE", "keeps there how far it is, and goes on from there"},
    {"--quiet", NULL, "no progress on standard error"},
    {"--json", NULL, "the result as one JSON object"},
    {"--mutant", "NAME", "runs a protocol with this bug (destrasim-mutants alone)"},
    {0},
};

const struct ds_command ds_cmd_twins = {
    .name = "twins",
    .operands = "",
    .line = "every schedule of leaders, partitions and twins, numbered",
    .details =
        "Systematic Twins testing (Bano et al. 2020): validators of which some run twice with\n"
        "the same keys, by unmodified code, in networks that are split in two each round in\n"
        "every way, under every order of leaders. After the last round the network heals, and\n"
        "all honest validators must go on, on one chain. Exit code 1 and the first scenario's\n"
        "number when one fails; `--only I --explain` shows it.",
    .options = options,
    .run = run,
};

/* `destrasim sweep`: a parameter study, run by run, and its merged results; see cmd_sweep.h.
 *
 *     study file -> points -> the folder -> runs, until every point of this part is decided
 *                                              \-> all parts are: merge -> study.h5, one screen */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "models/crypto/crypto.h"
#include "sim/build_info.h"
#include "sim/cmd_sweep.h"
#include "sim/mpi_pull.h"
#include "sim/record/study.h"

#define JOBS_MAX 1024
#define SHARDS_MAX 1000000

/* ---- arguments ------------------------------------------------------------------------------- */

/* "I/N", I from 1. */
static bool read_shard(const struct ds_args *args, struct ds_sweep *s)
{
    const char *text = ds_args_value(args, "--shard");
    unsigned i = 0, n = 0;
    int end = 0;
    s->shards = 1;
    if (text == NULL)
        return true;
    if (strspn(text, "0123456789/") != strlen(text) || strlen(text) > 20 ||
        sscanf(text, "%u/%u%n", &i, &n, &end) != 2 || text[end] != '\0' || i < 1 || i > n ||
        n > SHARDS_MAX) {
        ds_cmd_usage("sweep: --shard wants I/N with I from 1 to N, as in 2/4, not `%s`", text);
        return false;
    }
    s->shard = i - 1;
    s->shards = n;
    return true;
}

static bool read_arguments(const struct ds_args *args, struct ds_sweep *s)
{
    int online = s->mpi != NULL ? 1 : omp_get_num_procs();
    uint64_t jobs = online > 0 ? (uint64_t)online : 1;
    int64_t limit_ns = 0;
    if (!ds_args_number(args, "--jobs", 1, JOBS_MAX, &jobs) || !read_shard(args, s) ||
        !ds_args_time(args, "--cpu", &limit_ns))
        return false;
    if (s->mpi != NULL && s->shards > 1) {
        ds_cmd_usage("sweep: under MPI the ranks share the points among themselves: leave out "
                     "--shard");
        return false;
    }
    s->jobs = (unsigned)jobs;
    s->cpu_s = (double)limit_ns * 1e-9;
    s->resume = ds_args_value(args, "--resume") != NULL;
    s->keep = ds_args_value(args, "--keep") != NULL;
    s->json = ds_args_value(args, "--json") != NULL;
    s->quiet = ds_args_value(args, "--quiet") != NULL || ds_mpi_rank(s->mpi) != 0;
    s->live = !s->quiet && ds_terminal_colours(true);
    return true;
}

/* ---- the study ------------------------------------------------------------------------------- */

/* Of everything that decides what the runs are and the study file does not say. */
static void digest_scenario(const struct ds_sweep *s, char out[65])
{
    struct dc_hasher h;
    dc_crypto_init();
    dc_hasher_init(&h, DC_DOMAIN_TRACE);
    dc_hasher_update(&h, s->base_text.data, s->base_text.size);
    for (size_t i = 0; i < s->base.inputs_count; i++) {
        const struct ds_input *input = &s->base.inputs[i];
        dc_hasher_update64(&h, input->size);
        dc_hasher_update(&h, input->data, input->size);
    }
    struct dc_hash hash = dc_hasher_final(&h);
    for (size_t i = 0; i < sizeof hash.b; i++)
        snprintf(out + 2 * i, 3, "%02x", hash.b[i]);
}

/* Whether the warm-up is shared says how runs are made, not what they are: the study as it stands
 * in results says `on`, either way. */
static void forget_sharing(struct dc_text *study)
{
    static const char off[] = "\nwarmup:\n  share: off\n", on[] = "\nwarmup:\n  share: on\n";
    char *at = study->data != NULL ? strstr(study->data, off) : NULL;
    if (at == NULL)
        return;
    memmove(at + strlen(on), at + strlen(off), strlen(at + strlen(off)) + 1);
    memcpy(at, on, strlen(on));
    study->size -= strlen(off) - strlen(on);
}

static int load_study(const struct ds_args *args, struct ds_sweep *s)
{
    struct ds_diagnostics d = {0};
    char digest[65];
    const char **overrides = dc_mem_need(args->givens + 1, sizeof *overrides, "--set");
    size_t count = ds_args_values(args, "--set", overrides);
    int code = ds_cmd_loaded(ds_study_load(args->operand[0], overrides, count, &s->study, &d), &d);
    dc_mem_free(overrides);
    if (code == DS_EXIT_FINE)
        code = ds_cmd_load(s->study.scenario, s->study.set, s->study.sets, &s->base);
    if (code != DS_EXIT_FINE)
        return code;
    DC_CHECK(s->study.points > 0 && s->study.replications.least > 0);
    forget_sharing(&s->study.resolved);
    ds_scenario_print_resolved(&s->base, &s->base_text);
    snprintf(s->version, sizeof s->version, "%s (%.40s)", DS_BUILD_VERSION, DS_BUILD_COMMIT);
    digest_scenario(s, digest);
    dc_text_printf(&s->identity, "# destrasim %s\n# scenario %s\n%s", s->version, digest,
                   s->study.resolved.data);
    const char *folder = ds_args_value(args, "-o");
    s->folder = folder != NULL ? folder : s->study.name;
    dc_text_printf(&s->merged, "%s/study.h5", s->folder);
    s->point = dc_mem_alloc(s->study.points, sizeof *s->point);
    s->run = dc_mem_alloc(s->study.points * s->study.replications.most, sizeof *s->run);
    if (s->point == NULL || s->run == NULL || s->base_text.failed || s->identity.failed ||
        s->merged.failed) {
        ds_cmd_usage("%s: out of memory for %zu points with %u runs each", args->operand[0],
                     s->study.points, s->study.replications.most);
        return DS_EXIT_IO;
    }
    if (s->folder[0] == '\0')
        return ds_cmd_usage("sweep: -o wants the name of a folder");
    return DS_EXIT_FINE;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Looks at the points of all parts; how many are decided. */
static enum dc_status look_everywhere(struct ds_sweep *s, size_t *decided, struct dc_error *error)
{
    enum dc_status status = DC_OK;
    *decided = 0;
    for (size_t p = 0; p < s->study.points && status == DC_OK; p++) {
        status = ds_sweep_look(s, p, error);
        *decided += s->point[p].decided != 0;
    }
    return status;
}

/* The last part to come here finds all runs, because each puts its own there first. */
static int merge(struct ds_sweep *s)
{
    struct da_study study = {0};
    struct dc_error error = {0};
    size_t decided = 0;
    (void)ds_sweep_lock_merge(s);
    enum dc_status status = look_everywhere(s, &decided, &error);
    s->incomplete = decided < s->study.points;
    if (status == DC_OK && !s->incomplete)
        status = ds_sweep_merge(s, &study, &error);
    if (status == DC_OK && !s->incomplete)
        status = ds_study_write(&study, s->merged.data, &error);
    ds_sweep_unlock(s);
    double seconds = ds_clock_wall() - s->begin_s;
    bool failed = study.failures > 0;
    if (status == DC_OK && s->incomplete && s->json)
        printf("{\"name\": \"%s\", \"points\": %zu, \"points_done\": %zu, \"file\": null}\n",
               s->study.name, s->study.points, decided);
    else if (status == DC_OK && s->incomplete)
        printf("%s: this part is done, and %zu of %zu points are; the last part to end writes %s\n",
               s->study.name, decided, s->study.points, s->merged.data);
    else if (status == DC_OK && s->json)
        ds_sweep_json(s, &study, seconds);
    else if (status == DC_OK)
        ds_sweep_print(s, &study, seconds);
    da_study_free(&study);
    return status != DC_OK ? ds_cmd_failed(status, &error) : failed ? DS_EXIT_EXPECT : DS_EXIT_FINE;
}

static void say_interrupted(const struct ds_sweep *s, int code)
{
    uint64_t done, all;
    ds_sweep_count(s, &done, &all);
    if (ds_mpi_rank(s->mpi) != 0 || done == 0)
        return;
    fprintf(stderr,
            "destrasim: %s with %llu of %llu runs done: the same command with --resume goes on "
            "from there\n",
            code > 128 ? "interrupted" : "stopped", (unsigned long long)done,
            (unsigned long long)all);
}

static int work(struct ds_sweep *s)
{
    size_t step = s->study.warmup.given && s->study.warmup.share
                      ? (s->study.points + ds_mpi_ranks(s->mpi) - 1) / ds_mpi_ranks(s->mpi)
                      : 1;
    ds_mpi_points(s->mpi, s->study.points, step);
    for (size_t p = s->shard; s->mpi == NULL && p < s->study.points; p += s->shards)
        s->point[p].mine = true;
    s->begin_s = s->shown_s = ds_clock_wall();
    int code = ds_sweep_work(s);
    while (code == DS_EXIT_FINE && !ds_mpi_finish(s->mpi, s->runs_done)) {
        s->runs_elsewhere = ds_mpi_serve(s->mpi);
        ds_sweep_progress(s, false);
        code = ds_cmd_caught() != 0 ? 128 + ds_cmd_caught() : code;
    }
    ds_sweep_progress_end(s);
    if (code != DS_EXIT_FINE) {
        say_interrupted(s, code);
        return code;
    }
    s->runs_elsewhere = ds_mpi_serve(s->mpi);
    return ds_mpi_rank(s->mpi) == 0 ? merge(s) : DS_EXIT_FINE;
}

static void release(struct ds_sweep *s)
{
    if (s->lock >= 0)
        close(s->lock);
    dc_mem_free(s->point);
    dc_mem_free(s->run);
    dc_mem_free(s->metric);
    dc_text_free(&s->base_text);
    dc_text_free(&s->identity);
    dc_text_free(&s->merged);
    dc_arena_free(&s->arena);
    ds_scenario_free(&s->base);
    ds_study_free(&s->study);
}

static int prepare(const struct ds_args *args, struct ds_sweep *s)
{
    int code = read_arguments(args, s) ? load_study(args, s) : DS_EXIT_USAGE;
    return code == DS_EXIT_FINE && ds_mpi_rank(s->mpi) == 0 ? ds_sweep_folder(s) : code;
}

/* Rank 0 prepares alone, so that what is wrong is said once.  Later, a rank that fails takes the
 * others with it, which would wait for it. */
static int run(const struct ds_args *args)
{
    struct ds_sweep s = {.lock = -1};
    s.mpi = ds_mpi_open(ds_cmd_catch_signals());
    bool first = ds_mpi_rank(s.mpi) == 0;
    int code = first ? prepare(args, &s) : DS_EXIT_FINE;
    code = ds_mpi_share(s.mpi, code);
    if (code == DS_EXIT_FINE) {
        code = first ? DS_EXIT_FINE : prepare(args, &s);
        if (code == DS_EXIT_FINE)
            code = work(&s);
        if (code > DS_EXIT_EXPECT)
            ds_mpi_abort(s.mpi, code);
        code = ds_mpi_share(s.mpi, code);
    }
    ds_mpi_close(s.mpi);
    release(&s);
    return code;
}

static const struct ds_option options[] = {
    {"-o", "DIR", "where the results go; default: the study's name"},
    {"--shard", "I/N",
     "only every N-th point, I from 1: for job arrays; the last part to\n"
     "end writes DIR/study.h5"},
    {"--resume", NULL, "goes on with what is in DIR"},
    {"--jobs", "N", "runs at a time; results do not depend on it; default: the\nprocessors"},
    {"--set", "PATH=VALUE",
     "overrides one value of the study, as in --set replications=2 or\n"
     "--set set.duration='24 epochs'; may be repeated"},
    {"--cpu", "TIME", "a run that takes more processor time has failed; default: any"},
    {"--keep", NULL, "keeps the results of runs that violate an invariant (*.failed.h5)"},
    {"--quiet", NULL, "no progress on standard error"},
    {"--json", NULL, "what it came to as one JSON object"},
    {0},
};

const struct ds_command ds_cmd_sweep = {
    .name = "sweep",
    .operands = "STUDY",
    .line = "runs a parameter study: many settings, several seeds each",
    .details =
        "Every run is a process and a file, DIR/runs/pPOINT-rREPLICATION.h5; when all are there "
        "they\n"
        "are merged into DIR/study.h5, which is the same bytes for any number of jobs, shards and\n"
        "interruptions. Replication r has the same seed at every point, so differences between\n"
        "points are not those of luck. A killed sweep goes on with --resume, and loses at most "
        "what\n"
        "was running. A run that is refused, crashes or violates an invariant is listed at the "
        "end,\n"
        "and the others go on; exit code 1 then. Under MPI: mpirun destrasim-mpi sweep STUDY.",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

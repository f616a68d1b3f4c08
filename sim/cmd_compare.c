/* `destrasim compare A B`: two versions, scenarios or studies, number by number, and a gate.
 *
 *     study.h5, a sweep's folder --read--------------------+
 *     OUT.h5, a folder of them   --read--------------------+--> da_compare --> table, JSON, JUnit,
 *     SCENARIO.yaml --run with seeds 1..N, read, removed---+                   exit code */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/read.h"
#include "analysis/read_study.h"
#include "sim/cmd_compare.h"

/* ---- the sides ------------------------------------------------------------------------------- */

static bool ends(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}
static bool is_scenario(const char *path)
{
    return ends(path, ".yaml") || ends(path, ".yml");
}
static bool is_folder(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 && S_ISDIR(there.st_mode);
}

static enum dc_status read_study(const char *path, struct da_runs *out, struct dc_error *error)
{
    struct da_study study = {0};
    enum dc_status status = da_study_read(path, &study, error);
    if (status == DC_OK)
        status = da_runs_of_study(&study, out, error);
    da_study_free(&study);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The results files of a folder, by name; in the arena of `out`'s caller. */
static enum dc_status list_files(const char *path, struct dc_arena *arena, const char ***file,
                                 size_t *count, struct dc_error *error)
{
    size_t max = 0;
    DIR *d = opendir(path);
    if (d == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: %s", path, strerror(errno));
    enum dc_status status = DC_OK;
    for (struct dirent *e = readdir(d); e != NULL && status == DC_OK; e = readdir(d)) {
        size_t size = strlen(path) + strlen(e->d_name) + 2;
        if (e->d_name[0] == '.' || !ends(e->d_name, ".h5"))
            continue;
        char *text = dc_arena_alloc(arena, size);
        if (*count == max) {
            max = max * 2 + 64;
            const char **grown = dc_mem_grow(*file, max, sizeof *grown);
            *file = grown != NULL ? grown : *file;
            text = grown != NULL ? text : NULL;
        }
        if (text == NULL) {
            status = dc_error_set(error, DC_ERR_IO, "out of memory");
            break;
        }
        strcpy(text, path);
        if (!ends(path, "/"))
            strcat(text, "/");
        (*file)[(*count)++] = strcat(text, e->d_name);
    }
    closedir(d);
    if (status == DC_OK && *count == 0)
        return dc_error_set(error, DC_ERR_USAGE, "%s: has neither a study.h5 nor results (*.h5)",
                            path);
    qsort(*file, *count, sizeof **file, by_name);
    return status;
}

static enum dc_status read_folder(const char *path, struct da_runs *out, struct dc_error *error)
{
    struct dc_text study = {0};
    dc_text_printf(&study, "%s/study.h5", path);
    bool there = study.data != NULL && access(study.data, F_OK) == 0;
    enum dc_status status = DC_OK;
    if (there) {
        status = read_study(study.data, out, error);
    } else {
        struct dc_arena arena = {0};
        const char **file = NULL;
        size_t count = 0;
        status = list_files(path, &arena, &file, &count, error);
        if (status == DC_OK)
            status = da_runs_of_files(file, count, out, error);
        dc_mem_free(file);
        dc_arena_free(&arena);
    }
    dc_text_free(&study);
    return status;
}

static int read_side(struct ds_compare_side *s)
{
    struct dc_error error = {0};
    enum dc_status status;
    if (is_folder(s->path)) {
        status = read_folder(s->path, &s->runs, &error);
    } else {
        struct da_file *file = NULL;
        status = da_file_open(s->path, &file, &error);
        bool study = status == DC_OK && da_file_kind(file) == DA_FILE_STUDY;
        da_file_close(file);
        if (status == DC_OK)
            status = study ? read_study(s->path, &s->runs, &error)
                           : da_runs_of_files(&s->path, 1, &s->runs, &error);
    }
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

/* What is obviously wrong is said once, not by every run.  Another program may know more. */
static int check_scenario(const struct ds_compare_side *s, const char *const *set, size_t sets)
{
    struct ds_scenario scenario;
    int code = ds_cmd_load(s->path, set, sets, &scenario);
    ds_scenario_free(&scenario);
    return code;
}

static int open_side(const struct ds_args *args, struct ds_compare *c, struct ds_compare_side *s,
                     const char *own)
{
    int online = omp_get_num_procs();
    uint64_t jobs = online > 0 ? (uint64_t)online : 1, replications = 10;
    if (!ds_args_number(args, "--jobs", 1, 256, &jobs) ||
        !ds_args_number(args, "--replications", 1, 1000000, &replications))
        return DS_EXIT_USAGE;
    if (!is_scenario(s->path))
        return read_side(s);
    const char **set = dc_mem_need(2 * args->givens + 1, sizeof *set, "--set");
    size_t sets = ds_args_values(args, "--set", set);
    if (s == &c->b)
        sets += ds_args_values(args, "--set-b", set + sets);
    DC_CHECK(s->program != NULL); /* every scenario has one */
    int code = strcmp(s->program, own) == 0 ? check_scenario(s, set, sets) : DS_EXIT_FINE;
    struct ds_compare_run run = {.program = s->program,
                                 .scenario = s->path,
                                 .set = set,
                                 .sets = sets,
                                 .replications = replications,
                                 .jobs = (unsigned)jobs,
                                 .name = s->name,
                                 .quiet = c->quiet,
                                 .stop = ds_cmd_catch_signals()};
    if (code == DS_EXIT_FINE)
        code = ds_compare_execute(&run, &s->runs);
    dc_mem_free(set);
    return code;
}

/* ---- the gate -------------------------------------------------------------------------------- */

bool ds_compare_share(const char *text, double *out)
{
    char *end;
    double value = strtod(text, &end);
    end += strspn(end, " ");
    bool percent = *end == '%';
    if (end == text || strcmp(percent ? end + 1 : end, "") != 0 || !isfinite(value) || value < 0)
        return false;
    *out = percent ? value / 100 : value;
    return true;
}

/* The last margin that names the metric, else the last that names none. */
static double margin_of(const struct ds_compare *c, const char *metric)
{
    double plain = 0, own = -1, share = 0;
    for (size_t i = 0; i < c->margins; i++) {
        const char *equal = strchr(c->margin[i], '=');
        size_t size = equal != NULL ? (size_t)(equal - c->margin[i]) : 0;
        if (!ds_compare_share(equal != NULL ? equal + 1 : c->margin[i], &share))
            continue;
        if (equal == NULL)
            plain = share;
        else if (strlen(metric) == size && strncmp(metric, c->margin[i], size) == 0)
            own = share;
    }
    return own >= 0 ? own : plain;
}

bool ds_compare_gated(const struct ds_compare *c, const struct da_change *change)
{
    size_t size = strlen(change->metric);
    if (c->gate == NULL)
        return change->better != DA_BETTER_NEITHER;
    for (const char *at = c->gate; *at != '\0';) {
        size_t word = strcspn(at, ",");
        if (word == size && strncmp(at, change->metric, size) == 0)
            return true;
        at += word + (at[word] == ',');
    }
    return false;
}

bool ds_compare_fails(const struct ds_compare *c, const struct da_change *change)
{
    if (!ds_compare_gated(c, change))
        return false;
    if (change->verdict == DA_UNMEASURED)
        return isnan(change->b); /* B does not measure any more what it is gated by */
    if (change->verdict != DA_WORSE && change->verdict != DA_CHANGED)
        return false;
    double margin = margin_of(c, change->metric);
    return margin == 0 || isnan(change->relative.value) || fabs(change->relative.value) >= margin;
}

bool ds_compare_fewer(const struct ds_compare *c)
{
    const struct da_comparison *r = &c->result;
    double a = (double)c->a.runs.runs, b = (double)c->b.runs.runs;
    return (double)r->failed_b / b > (double)r->failed_a / a;
}

/* Every name of the gate must be there: a gate that misspells guards nothing. */
static int check_gate(struct ds_compare *c)
{
    for (const char *at = c->gate; at != NULL && *at != '\0';) {
        size_t word = strcspn(at, ",");
        bool there = false;
        for (size_t i = 0; i < c->result.changes && !there; i++)
            there = strlen(c->result.change[i].metric) == word &&
                    strncmp(c->result.change[i].metric, at, word) == 0;
        if (!there)
            return ds_cmd_usage("compare: --gate: no run of either side has a metric `%.*s`: "
                                "`destrasim list metrics` lists what there may be",
                                (int)word, at);
        at += word + (at[word] == ',');
    }
    for (size_t i = 0; i < c->result.changes; i++) {
        bool gated = ds_compare_gated(c, &c->result.change[i]);
        c->gated += gated;
        c->failed += gated && ds_compare_fails(c, &c->result.change[i]);
        c->undecided += gated && c->result.change[i].verdict == DA_TOO_FEW;
    }
    return DS_EXIT_FINE;
}

static int exit_code(const struct ds_compare *c)
{
    const struct da_comparison *r = &c->result;
    if (c->failed > 0 || ds_compare_fewer(c))
        return DS_EXIT_EXPECT;
    if (c->undecided > 0 &&
        !da_rearrange_enough(r->units_a, r->units_b, r->paired, c->options.level))
        return ds_cmd_usage("compare: %zu %s cannot show a change at the level %g: at least %s are "
                            "needed (--replications, --level)",
                            r->units_a, r->paired ? "pairs" : "runs of A", c->options.level,
                            c->options.level >= 0.01 ? r->paired ? "8" : "5 and 5" : "some more");
    return DS_EXIT_FINE;
}

/* ---- the command ----------------------------------------------------------------------------- */

static bool read_options(const struct ds_args *args, struct ds_compare *c)
{
    const char *level = ds_args_value(args, "--level");
    c->options.level = 0.01;
    if (level != NULL && (!ds_compare_share(level, &c->options.level) || c->options.level <= 0 ||
                          c->options.level >= 1)) {
        ds_cmd_usage("compare: --level wants a probability, as 0.01 or 1 %%, not `%s`", level);
        return false;
    }
    c->options.confidence = 1 - c->options.level;
    c->options.independent = ds_args_value(args, "--independent") != NULL;
    c->json = ds_args_value(args, "--json") != NULL;
    c->quiet = ds_args_value(args, "--quiet") != NULL;
    c->gate = ds_args_value(args, "--gate");
    c->junit = ds_args_value(args, "--junit");
    c->limit = 20;
    for (size_t i = 0; i < c->margins; i++) {
        double share;
        const char *equal = strchr(c->margin[i], '=');
        if (!ds_compare_share(equal != NULL ? equal + 1 : c->margin[i], &share)) {
            ds_cmd_usage("compare: --margin wants a share, as 5 %% or NAME=5 %%, not `%s`",
                         c->margin[i]);
            return false;
        }
    }
    return ds_args_number(args, "--limit", 0, UINT32_MAX, &c->limit);
}

/* Without B, A is run once more: with another program or other values. */
static bool name_sides(const struct ds_args *args, struct ds_compare *c, const char *own)
{
    const char *with = ds_args_value(args, "--with");
    c->a = (struct ds_compare_side){.name = "A", .path = args->operand[0]};
    c->b = (struct ds_compare_side){.name = "B", .path = args->operand[args->operands - 1]};
    if (args->operands == 1 && with == NULL && ds_args_value(args, "--set-b") == NULL) {
        ds_cmd_usage("compare: with what? Name a second side, or --with PROGRAM or --set-b");
        return false;
    }
    if (with != NULL && !is_scenario(c->b.path)) {
        ds_cmd_usage("compare: --with runs a scenario, and %s is none", c->b.path);
        return false;
    }
    if (with != NULL && access(with, X_OK) != 0) {
        ds_cmd_usage("compare: --with: %s: %s", with, strerror(errno));
        return false;
    }
    c->a.program = is_scenario(c->a.path) ? own : NULL;
    c->b.program = is_scenario(c->b.path) ? with != NULL ? with : own : NULL;
    return true;
}

static void say_failed(const struct ds_compare_side *s)
{
    size_t shown = 0, failed = 0;
    for (size_t i = 0; i < s->runs.runs; i++) {
        const struct da_run *run = &s->runs.run[i];
        if (run->value != NULL)
            continue;
        failed++;
        if (shown++ < 5)
            ds_cmd_warn("side %s, seed %llu%s%s: no data: %s", s->name,
                        (unsigned long long)run->seed, run->point[0] != '\0' ? ", " : "",
                        run->point, run->failed);
    }
    if (failed > 5)
        ds_cmd_warn("side %s: and %zu more", s->name, failed - 5);
}

static int compare(const struct ds_args *args, struct ds_compare *c, const char *own)
{
    struct dc_error error = {0};
    if (!read_options(args, c) || !name_sides(args, c, own))
        return DS_EXIT_USAGE;
    int code = open_side(args, c, &c->a, own);
    if (code == DS_EXIT_FINE)
        code = open_side(args, c, &c->b, own);
    if (code != DS_EXIT_FINE)
        return code;
    say_failed(&c->a);
    say_failed(&c->b);
    enum dc_status status = da_compare(&c->a.runs, &c->b.runs, &c->options, &c->result, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    code = check_gate(c);
    if (code != DS_EXIT_FINE)
        return code;
    if (c->json)
        code = ds_compare_json(c);
    else
        ds_compare_print(c);
    if (c->junit != NULL && code == DS_EXIT_FINE)
        code = ds_compare_junit(c);
    return code == DS_EXIT_FINE ? exit_code(c) : code;
}

static int run(const struct ds_args *args)
{
    struct ds_compare c = {0};
    char own[4096];
    ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
    own[size > 0 ? size : 0] = '\0';
    c.margin = dc_mem_need(args->givens + 1, sizeof *c.margin, "--margin");
    const char **metric = dc_mem_need(args->givens + 1, sizeof *metric, "--metric");
    c.margins = ds_args_values(args, "--margin", c.margin);
    size_t metrics = ds_args_values(args, "--metric", metric);
    c.options.metric = metric;
    c.options.metrics = metrics;
    int code = compare(args, &c, own);
    da_comparison_free(&c.result);
    da_runs_free(&c.a.runs);
    da_runs_free(&c.b.runs);
    dc_mem_free(c.margin);
    dc_mem_free(metric);
    return code;
}

static const struct ds_option options[] = {
    {"--metric", "NAME", "compares these alone; NAME.* for all with a suffix; may be repeated"},
    {"--gate", "NAME,...",
     "the metrics that decide the exit code; default: all that have a\n"
     "direction (less latency, loss ... is better)"},
    {"--level", "SHARE", "probability of any false alarm among all of them; default: 1 %"},
    {"--margin", "SHARE",
     "what is worse by less does not fail the gate (5 %); NAME=SHARE for\n"
     "one metric; may be repeated; default: 0"},
    {"--replications", "N", "runs of a scenario, with the seeds 1..N; default: 10"},
    {"--with", "PROGRAM", "runs side B with another destrasim; without B, the same scenario"},
    {"--set", "PATH=VALUE", "overrides one value in all runs of scenarios; may be repeated"},
    {"--set-b", "PATH=VALUE", "in those of side B; may be repeated"},
    {"--independent", NULL, "does not pair runs with the same seed"},
    {"--jobs", "N", "processes at a time; default: the processors"},
    {"--limit", "N", "shows so many rows; 0: all; default: 20, all with --json"},
    {"--junit", "FILE", "also writes the gate as JUnit XML"},
    {"--quiet", NULL, "no progress on standard error"},
    {"--json", NULL, "everything as one JSON object"},
    {0},
};

const struct ds_command ds_cmd_compare = {
    .name = "compare",
    .operands = "A [B]",
    .line = "what changed between two versions, scenarios or studies; a gate",
    .details =
        "A side is a study.h5 or a sweep's folder, results (OUT.h5) or a folder of them, or a\n"
        "scenario, which is run. Points are matched by their parameters, runs by their seed; "
        "other\n"
        "seeds are compared as independent samples. All metrics are tested together (step-down\n"
        "maxT over exchanges of the sides): any false alarm has at most the probability --level,\n"
        "whatever the metrics' distributions. That needs 8 pairs, or 5 and 5 runs, at 1 %.\n"
        "Exit code 0: no gate metric is worse. 1: one is, by its margin or more, or more runs of "
        "B\n"
        "than of A failed. 2: bad usage, or too few runs to tell.",
    .options = options,
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};

/* `destrasim tune`: the optimum of a study by Bayesian optimisation; see cmd_tune.h.
 *
 *     study file -> folder and log -> search -> confirmation -> files, one screen
 *
 * Of the runs that are allowed, those of the confirmation are set aside first, then, where half is
 * left for the search and its first design, as many for the scenario's own settings. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/stats.h"
#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "sim/build_info.h"
#include "sim/cmd_tune.h"

#define JOBS_MAX 1024
#define BATCH_MAX 64
#define RUNS_MAX 1000000
#define CONSTRAINTS_MAX 64
#define ENOUGH 0.1 /* of a visit's noise */

/* ---- arguments, the study -------------------------------------------------------------------- */

static bool read_arguments(const struct ds_args *args, struct ds_tune *t, uint64_t *runs)
{
    int online = omp_get_num_procs();
    uint64_t jobs = online > 0 ? (uint64_t)online : 1, batch = 0;
    int64_t limit_ns = 0;
    if (!ds_args_number(args, "--jobs", 1, JOBS_MAX, &jobs) ||
        !ds_args_number(args, "--batch", 1, BATCH_MAX, &batch) ||
        !ds_args_number(args, "--runs", 1, RUNS_MAX, runs) ||
        !ds_args_time(args, "--cpu", &limit_ns))
        return false;
    t->jobs = (unsigned)jobs;
    t->batch = (uint32_t)batch;
    t->cpu_s = (double)limit_ns * 1e-9;
    t->resume = ds_args_value(args, "--resume") != NULL;
    t->json = ds_args_value(args, "--json") != NULL;
    t->quiet = ds_args_value(args, "--quiet") != NULL;
    t->live = !t->quiet && ds_terminal_colours(true);
    return true;
}

static size_t column_of(struct ds_tune *t, const char *name)
{
    for (size_t i = 0; i < t->metrics; i++)
        if (strcmp(t->metric[i], name) == 0)
            return i;
    t->metric[t->metrics] = name;
    return t->metrics++;
}

static bool take_metrics(struct ds_tune *t)
{
    const struct ds_study *s = &t->study;
    size_t most = s->objectives + s->constraints + s->metrics;
    t->metric = dc_arena_alloc(&t->arena, (most + 1) * sizeof *t->metric);
    t->column = dc_arena_alloc(&t->arena, (s->constraints + 1) * sizeof *t->column);
    if (t->metric == NULL || t->column == NULL)
        return false;
    (void)column_of(t, s->objective[0].metric);
    for (size_t i = 0; i < s->constraints; i++)
        t->column[i] = column_of(t, s->constraint[i].metric);
    for (size_t i = 1; i < s->objectives; i++)
        (void)column_of(t, s->objective[i].metric);
    for (size_t i = 0; i < s->metrics; i++)
        (void)column_of(t, s->metric[i]);
    return true;
}

/* Of what decides a run beside its overrides and seed, and of what is kept of it. */
static bool identify(struct ds_tune *t)
{
    struct dc_text text = {0};
    ds_scenario_print_resolved(&t->base, &t->base_text);
    snprintf(t->version, sizeof t->version, "%s (%.40s)", DS_BUILD_VERSION, DS_BUILD_COMMIT);
    dc_text_printf(&text, "%s\n%s\n", t->version,
                   t->base_text.data != NULL ? t->base_text.data : "");
    for (size_t i = 0; i < t->metrics; i++)
        dc_text_printf(&text, "%s\n", t->metric[i]);
    t->identity = text.data != NULL ? dc_name(text.data) : 0;
    for (size_t i = 0; i < t->base.inputs_count; i++) {
        struct dc_hasher h;
        dc_crypto_init();
        dc_hasher_init(&h, DC_DOMAIN_TRACE);
        dc_hasher_update(&h, t->base.inputs[i].data, t->base.inputs[i].size);
        struct dc_hash hash = dc_hasher_final(&h);
        uint64_t part;
        memcpy(&part, hash.b, sizeof part);
        t->identity = dc_mix64(t->identity ^ part);
    }
    bool good = !text.failed && !t->base_text.failed;
    dc_text_free(&text);
    return good;
}

/* Runs for the search, and whether that is any. */
static int share_out(struct ds_tune *t)
{
    uint64_t runs = t->study.tune.runs, confirm = t->study.tune.confirm;
    uint64_t visit = t->study.tune.replications, least = (t->study.parameters + 1) * visit;
    if (runs < least + confirm)
        return ds_cmd_usage("tune.runs: %llu runs are too few: a first look takes %llu (%zu points "
                            "x %llu), the confirmation %llu; allow more with --runs, or set "
                            "tune.confirm or tune.replications",
                            (unsigned long long)runs, (unsigned long long)least,
                            t->study.parameters + 1, (unsigned long long)visit,
                            (unsigned long long)confirm);
    uint64_t start = t->study.tune.start * visit, half = runs / 2;
    uint64_t search = start > half ? start : half, rest = runs - confirm;
    uint64_t own = rest > search ? rest - search : 0;
    own = own > confirm ? confirm : own < 2 ? 0 : own;
    t->budget = rest - own;
    return DS_EXIT_FINE;
}

static int load_study(const struct ds_args *args, struct ds_tune *t, uint64_t runs)
{
    struct ds_diagnostics d = {0};
    const char **overrides = dc_mem_need(args->givens + 1, sizeof *overrides, "--set");
    size_t count = ds_args_values(args, "--set", overrides);
    int code = ds_cmd_loaded(ds_study_load(args->operand[0], overrides, count, &t->study, &d), &d);
    dc_mem_free(overrides);
    if (code == DS_EXIT_FINE && t->study.objectives == 0)
        code = ds_cmd_usage("%s: has no objective: add `objectives: [minimise METRIC]`",
                            args->operand[0]);
    if (code == DS_EXIT_FINE && t->study.constraints > CONSTRAINTS_MAX)
        code = ds_cmd_usage("%s: has %zu constraints: a search takes %d at most", args->operand[0],
                            t->study.constraints, CONSTRAINTS_MAX);
    if (code == DS_EXIT_FINE)
        code = ds_cmd_load(t->study.scenario, t->study.set, t->study.sets, &t->base);
    if (code != DS_EXIT_FINE)
        return code;
    if (runs > 0)
        t->study.tune.runs = (uint32_t)runs;
    const char *folder = ds_args_value(args, "-o");
    t->folder = folder != NULL ? folder : t->study.name;
    if (t->folder[0] == '\0')
        return ds_cmd_usage("tune: -o wants the name of a folder");
    if (!take_metrics(t) || !identify(t)) {
        ds_cmd_usage("%s: out of memory", args->operand[0]);
        return DS_EXIT_IO;
    }
    return share_out(t);
}

/* ---- the search's inputs --------------------------------------------------------------------- */

/* Whole numbers alone, as far as places between them tell. */
static bool is_whole(const struct ds_study *study, size_t i)
{
    const struct da_parameter *p = &study->parameter[i];
    bool whole = floor(p->lo) == p->lo && floor(p->hi) == p->hi && p->hi - p->lo < 1e6;
    for (int k = 1; k < 20 && whole; k++) {
        double x = ds_study_snap(
            study, i, p->lo + (p->hi - p->lo) * (k * 0.6180339887 - floor(k * 0.6180339887)));
        whole = floor(x) == x;
    }
    return whole && p->hi - p->lo >= 1;
}

static bool make_input(struct ds_tune *t, size_t i, struct da_bayes_input *out)
{
    const struct da_parameter *p = &t->study.parameter[i];
    *out = (struct da_bayes_input){.lo = p->lo, .hi = p->hi, .log = p->scale == DA_LOG};
    if (p->words) {
        *out = (struct da_bayes_input){.kind = DA_BAYES_WORDS, .levels = p->words_count};
        return true;
    }
    if (p->words_count == 0) {
        out->kind = is_whole(&t->study, i) ? DA_BAYES_WHOLE : DA_BAYES_RANGE;
        return true;
    }
    double *level = dc_arena_alloc(&t->arena, p->words_count * sizeof *level);
    if (level == NULL)
        return false;
    for (size_t k = 0; k < p->words_count; k++)
        level[k] = ds_study_at(&t->study, i, ((double)k + 0.5) / (double)p->words_count);
    qsort(level, p->words_count, sizeof *level, da_rising);
    for (size_t k = 0; k < p->words_count; k++)
        if (out->levels == 0 || level[k] > level[out->levels - 1])
            level[out->levels++] = level[k];
    out->kind = DA_BAYES_LEVELS;
    out->level = level;
    out->log = out->log && level[0] > 0;
    return true;
}

static int open_search(struct ds_tune *t)
{
    const struct ds_study *s = &t->study;
    struct dc_error error = {0};
    struct da_bayes_input *input = dc_arena_alloc(&t->arena, s->parameters * sizeof *input);
    struct da_bayes_bound *bound = dc_arena_alloc(&t->arena, (s->constraints + 1) * sizeof *bound);
    bool good = input != NULL && bound != NULL;
    for (size_t i = 0; good && i < s->parameters; i++)
        good = make_input(t, i, &input[i]);
    for (size_t i = 0; good && i < s->constraints; i++) {
        const struct da_constraint *c = &s->constraint[i];
        bool equal = c->op == DA_EQ || c->op == DA_NE; /* told as 1 where it is met */
        bound[i].value = equal ? 0.5 : c->value;
        bound[i].above = equal || c->op == DA_GT || c->op == DA_GE;
    }
    uint32_t usual = s->parameters < 2 ? 2 : s->parameters > 4 ? 4 : (uint32_t)s->parameters;
    struct da_bayes_options options = {.input = input,
                                       .inputs = s->parameters,
                                       .maximise = s->objective[0].maximise,
                                       .bound = bound,
                                       .bounds = s->constraints,
                                       .confidence = s->confidence,
                                       .start = s->tune.start > 0 ? s->tune.start : 1,
                                       .round = t->batch > 0 ? t->batch : usual,
                                       .enough = ENOUGH,
                                       .confirm = s->tune.confirm,
                                       .seed = s->seed};
    enum dc_status status = good ? da_bayes_open(&options, &t->bayes, &error)
                                 : dc_error_set(&error, DC_ERR_IO, "out of memory for a search");
    struct ds_runs_options runs = {.scenario = s->scenario,
                                   .metric = t->metric,
                                   .metrics = t->metrics,
                                   .jobs = t->jobs,
                                   .cpu_s = t->cpu_s,
                                   .stop = ds_cmd_catch_signals()};
    if (status == DC_OK)
        status = ds_runs_open(&runs, &t->pool, &error);
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

/* ---- what happens when ----------------------------------------------------------------------- */

static int work(struct ds_tune *t)
{
    t->begin_s = t->shown_s = ds_clock_wall();
    t->best.point = SIZE_MAX;
    int code = ds_tune_search(t);
    if (code == DS_EXIT_FINE && t->best.point != SIZE_MAX && t->best.feasible)
        code = ds_tune_confirm(t);
    ds_tune_progress_end(t);
    if (code > 128)
        fprintf(stderr,
                "destrasim: interrupted with %zu runs done: the same command with --resume goes on "
                "from there\n",
                t->dones);
    if (code == DS_EXIT_FINE)
        code = ds_tune_write(t);
    if (code != DS_EXIT_FINE)
        return code;
    double seconds = ds_clock_wall() - t->begin_s;
    if (t->json)
        ds_tune_json(t, seconds);
    else
        ds_tune_print(t, seconds);
    return ds_tune_good(t) ? DS_EXIT_FINE : DS_EXIT_EXPECT;
}

static void release(struct ds_tune *t)
{
    if (t->pool != NULL)
        ds_runs_close(t->pool);
    da_bayes_close(t->bayes);
    if (t->log >= 0)
        close(t->log);
    for (size_t i = 0; i < t->points; i++)
        dc_mem_free(t->point[i].run);
    dc_mem_free(t->point);
    dc_mem_free(t->done);
    dc_text_free(&t->base_text);
    dc_arena_free(&t->arena);
    ds_scenario_free(&t->base);
    ds_study_free(&t->study);
}

static int run(const struct ds_args *args)
{
    struct ds_tune t = {.log = -1, .phase = "first design"};
    uint64_t runs = 0;
    int code = DS_EXIT_USAGE;
    if (read_arguments(args, &t, &runs))
        code = load_study(args, &t, runs);
    if (code == DS_EXIT_FINE)
        code = open_search(&t);
    if (code == DS_EXIT_FINE)
        code = ds_tune_folder(&t);
    if (code == DS_EXIT_FINE)
        code = work(&t);
    release(&t);
    return code;
}

static const struct ds_option options[] = {
    {"-o", "DIR", "where the results go; default: the study's name"},
    {"--runs", "N", "at most so many, with the confirmation; default: tune.runs"},
    {"--resume", NULL, "goes on with what is in DIR; nothing is run twice"},
    {"--jobs", "N", "runs at a time; results do not depend on it; default: the\nprocessors"},
    {"--batch", "N",
     "points of a round, which run side by side; results do depend on\n"
     "it; default: the parameters, from 2 to 4"},
    {"--set", "PATH=VALUE",
     "overrides one value of the study, as in --set tune.confirm=40;\nmay be repeated"},
    {"--cpu", "TIME", "a run that takes more processor time has failed; default: any"},
    {"--quiet", NULL, "no progress on standard error"},
    {"--json", NULL, "what it came to as one JSON object"},
    {0},
};

const struct ds_command ds_cmd_tune = {
    .name = "tune",
    .operands = "STUDY",
    .line = "finds a study's optimum under its constraints, with few runs",
    .details =
        "Looks for the best value of the study's first objective within the ranges and values of "
        "its\n"
        "parameters by Bayesian optimisation: Gaussian processes of objective and constraints say\n"
        "which point to run next. Then the optimum is run with fresh seeds, and beside it the\n"
        "scenario's own settings. Says the optimum and its value with intervals, whether the\n"
        "constraints hold, and how sure that is. DIR/tune.h5 holds all points (destrasim report\n"
        "shows them), DIR/optimum.yaml is the scenario at the optimum, for destrasim run.\n"
        "Exit code 1: the constraints cannot be met, or the confirmation does not show that they\n"
        "are.\n\n"
        "Examples:\n"
        "  destrasim tune scenarios/studies/theta.yaml --runs 200 -o theta-tune\n"
        "  destrasim tune theta.yaml --set 'constraints=[profit_by_strategy.ghost <= 0]'\n"
        "  destrasim run theta-tune/optimum.yaml",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

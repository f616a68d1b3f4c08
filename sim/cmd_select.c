/* `destrasim select STUDY`: which of a study's settings is best, with what probability.
 *
 *     study --> points --KN asks for (point, replication)--> ds_runs --its objective--> KN
 *
 * Replication r has the same seed at every point, as in a sweep.  What KN asks for next depends on
 * numbers alone, never on the order in which runs end, so the answer does not depend on --jobs. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/select.h"
#include "analysis/stats.h"
#include "sim/cmd_runs.h"
#include "sim/scenario/study.h"

enum { POINTS_MAX = 100, DRAWS = 10000 };

struct selecting {
    struct ds_study study;
    struct da_select_options options;
    struct da_select result;
    struct ds_runs *runs;
    const char *metric, *unit;
    double *first;         /* points of each replication of the first stage, or NULL */
    double *probability;   /* of being best, by the runs that were made */
    const char **failure;  /* of each point: why it has no data */
    size_t *failed_at;     /* likewise: the replication */
    struct dc_arena arena; /* of those texts */
    uint64_t runs_done;
    double shown_s;
    const volatile sig_atomic_t *stop;
    bool json, quiet, live;
};

/* ---- runs ------------------------------------------------------------------------------------ */

static enum dc_status start(struct selecting *s, const struct da_select_ask *ask, uint64_t tag,
                            struct dc_error *error)
{
    const struct ds_study_point *p = &s->study.point[ask->system];
    char seed[40];
    const char **override = dc_mem_need(p->overrides + 1, sizeof *override, "a run");
    memcpy(override, p->override, p->overrides * sizeof *override);
    snprintf(seed, sizeof seed, "seed=%" PRIu64, s->study.seed + ask->replication);
    override[p->overrides] = seed;
    struct ds_runs_job job = {.tag = tag, .override = override, .overrides = p->overrides + 1};
    enum dc_status status = ds_runs_start(s->runs, &job, error);
    dc_mem_free(override);
    return status;
}

static void keep_failure(struct selecting *s, size_t point, size_t replication,
                         const struct ds_runs_result *r)
{
    char text[1200];
    const char *why = r->text[0] != '\0' ? r->text : "it did not measure the objective";
    int size =
        snprintf(text, sizeof text, "seed %" PRIu64 ": %s", s->study.seed + replication, why);
    /* Of several, the first replication's: which one ends first is chance. */
    if (s->failure[point] != NULL && s->failed_at[point] < replication)
        return;
    char *copy = size > 0 ? dc_arena_alloc(&s->arena, (size_t)size + 1) : NULL;
    if (copy == NULL)
        return;
    s->failure[point] = strcpy(copy, text);
    s->failed_at[point] = replication;
}

static void progress(struct selecting *s, size_t running)
{
    double now_s = ds_clock_wall();
    size_t left = 0;
    if (s->quiet || now_s - s->shown_s < (s->live ? 0.2 : 10))
        return;
    s->shown_s = now_s;
    for (size_t i = 0; i < s->result.systems; i++)
        left += s->result.system[i].fate == DA_SELECT_LEFT;
    fprintf(stderr, "%s%llu runs, %zu of %zu settings left, %zu running%s",
            s->live ? "\r\033[K" : "destrasim: ", (unsigned long long)s->runs_done, left,
            s->study.points, running, s->live ? "" : "\n");
}

/* An answer is where its question was, whenever it comes. */
static enum dc_status observe(void *ctx, const struct da_select_ask *ask, size_t count,
                              double *value, struct dc_error *error)
{
    struct selecting *s = ctx;
    size_t begun = 0, ended = 0;
    while (ended < count) {
        struct ds_runs_result r;
        while (begun < count && ds_runs_free(s->runs) > 0) {
            enum dc_status status = start(s, &ask[begun], begun, error);
            if (status != DC_OK)
                return status;
            begun++;
        }
        if (!ds_runs_wait(s->runs, &r))
            return dc_error_set(error, DC_ERR_IO, "interrupted after %llu runs",
                                (unsigned long long)s->runs_done);
        bool good = r.status == DA_RUN_DONE || r.status == DA_RUN_EXPECTATION;
        value[r.tag] = good ? r.value[0] : NAN;
        if (isnan(value[r.tag]))
            keep_failure(s, ask[r.tag].system, ask[r.tag].replication, &r);
        ended++;
        s->runs_done++;
        progress(s, begun - ended);
    }
    return DC_OK;
}

static void estimate_probability(struct selecting *s)
{
    const struct da_select *r = &s->result;
    size_t most = 1;
    for (size_t i = 0; i < r->systems; i++)
        most = r->system[i].used > most ? r->system[i].used : most;
    size_t cells = most * r->systems, work = most + r->systems;
    double *value = dc_mem_need(cells + work, sizeof *value, "a selection");
    for (size_t i = 0; i < r->systems; i++) {
        const struct da_select_system *y = &r->system[i];
        for (size_t k = 0; k < most; k++)
            value[i * most + k] = y->fate != DA_SELECT_NO_DATA && k < y->used ? y->value[k] : NAN;
    }
    da_best_probability(value, most, r->systems, s->options.maximise, DRAWS, s->study.seed,
                        value + cells, s->probability);
    dc_mem_free(value);
}

/* ---- for people and programs ----------------------------------------------------------------- */

static void setting(const struct selecting *s, size_t point, struct dc_text *out)
{
    const struct ds_study *y = &s->study;
    for (size_t i = 0; i < y->parameters; i++)
        dc_text_printf(out, "%s%s=%s", i > 0 ? " " : "", y->parameter[i].label,
                       y->point[point].text[i]);
    if (y->parameters == 0)
        dc_text_add(out, "(the scenario as it is)");
}

/* What equal replications for all would have cost to the same end. */
static size_t equally(const struct da_select *r)
{
    size_t most = 0;
    for (size_t i = 0; i < r->systems; i++)
        most = r->system[i].used > most ? r->system[i].used : most;
    return most * r->systems;
}

static int by_rank(const void *a, const void *b)
{
    const double *x = a, *y = b;
    for (int i = 0; i < 2; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return x[2] < y[2] ? -1 : 1;
}

/* Points: the winner, those left, those that were struck out last first, those without data. */
static void order_points(const struct selecting *s, double (*rank)[3])
{
    const struct da_select *r = &s->result;
    for (size_t i = 0; i < r->systems; i++) {
        const struct da_select_system *y = &r->system[i];
        rank[i][0] = i == r->winner              ? 0
                     : y->fate == DA_SELECT_LEFT ? 1
                     : y->fate == DA_SELECT_OUT  ? 2
                                                 : 3;
        rank[i][1] = y->fate == DA_SELECT_OUT ? -(double)y->used : 0;
        rank[i][2] = (double)i;
    }
    qsort(rank, r->systems, sizeof *rank, by_rank);
}

static void print_points(const struct selecting *s)
{
    const struct da_select *r = &s->result;
    double(*rank)[3] = dc_mem_need(r->systems, sizeof *rank, "a table");
    order_points(s, rank);
    printf("\n  %5s  %12s  %-27s %5s  %7s  %s\n", "point", "mean", "interval of this one alone",
           "runs", "best", "setting");
    for (size_t k = 0; k < r->systems; k++) {
        size_t i = (size_t)rank[k][2];
        const struct da_select_system *y = &r->system[i];
        struct da_estimate e = da_mean_interval(y->value, y->used, s->study.confidence);
        struct dc_text text = {0};
        char interval[60] = "-", fate[80] = "";
        setting(s, i, &text);
        if (!isnan(e.lo))
            snprintf(interval, sizeof interval, "%.5g .. %.5g", e.lo, e.hi);
        if (y->fate == DA_SELECT_OUT)
            snprintf(fate, sizeof fate, "  out after %zu runs, against point %zu", y->used, y->by);
        else if (y->fate == DA_SELECT_NO_DATA)
            snprintf(fate, sizeof fate, "  no data");
        printf("  %5zu  %12.6g  %-27s %5zu  %7s  %s%s\n", i, y->used > 0 ? y->mean : NAN, interval,
               y->used, ds_word_percent(s->probability[i]).text, text.data != NULL ? text.data : "",
               fate);
        dc_text_free(&text);
    }
    for (size_t i = 0; i < r->systems; i++)
        if (s->failure[i] != NULL)
            printf("\nNo data     point %zu, %s\n", i, s->failure[i]);
    dc_mem_free(rank);
}

static void print_result(const struct selecting *s)
{
    const struct da_select *r = &s->result;
    const struct da_select_system *y = &r->system[r->winner];
    struct da_estimate e = da_mean_interval(y->value, y->used, s->study.confidence);
    struct dc_text text = {0};
    setting(s, r->winner, &text);
    printf("%s of %s among %zu settings\n\n", s->options.maximise ? "Largest" : "Least", s->metric,
           r->systems);
    printf("Best        point %zu: %s\n", r->winner, text.data != NULL ? text.data : "");
    printf("            %s = %.6g%s%s (%.6g .. %.6g with %s, %zu runs)\n", s->metric, e.value,
           s->unit[0] != '\0' ? " " : "", s->unit, e.lo, e.hi,
           ds_word_percent(s->study.confidence).text, y->used);
    if (r->decided)
        printf("Confidence  the best one, or within %g of it, with at least %s (KN)\n",
               s->options.delta, ds_word_percent(1 - s->options.alpha).text);
    else
        printf("Confidence  undecided after %u runs of a setting: the best mean so far\n",
               s->options.most);
    printf("            by its runs alone it is the best with %s\n",
           ds_word_percent(s->probability[r->winner]).text);
    printf("Runs        %zu; as many for every setting would have been %zu\n", r->used, equally(r));
    print_points(s);
    dc_text_free(&text);
}

static int json_result(const struct selecting *s)
{
    static const char *const fates[] = {"left", "out", "no data"};
    const struct da_select *r = &s->result;
    struct dc_text out = {0}, text = {0};
    dc_text_add(&out, "{\n \"metric\": ");
    ds_json_string(&out, s->metric);
    dc_text_printf(&out, ", \"maximise\": %s, \"delta\": %.17g, \"alpha\": %.17g",
                   s->options.maximise ? "true" : "false", s->options.delta, s->options.alpha);
    dc_text_printf(&out, ",\n \"winner\": %zu, \"decided\": %s, \"runs\": %zu, \"equally\": %zu",
                   r->winner, r->decided ? "true" : "false", r->used, equally(r));
    dc_text_add(&out, ",\n \"points\": [");
    for (size_t i = 0; i < r->systems; i++) {
        const struct da_select_system *y = &r->system[i];
        struct da_estimate e = da_mean_interval(y->value, y->used, s->study.confidence);
        dc_text_printf(&out, "%s\n  {\"point\": %zu, \"setting\": ", i > 0 ? "," : "", i);
        dc_text_free(&text);
        setting(s, i, &text);
        ds_json_string(&out, text.data != NULL ? text.data : "");
        dc_text_printf(&out, ", \"fate\": \"%s\", \"by\": ", fates[y->fate]);
        if (y->fate == DA_SELECT_OUT)
            dc_text_printf(&out, "%zu", y->by);
        else
            dc_text_add(&out, "null");
        dc_text_printf(&out, ", \"runs\": %zu, \"mean\": ", y->used);
        ds_json_number(&out, y->used > 0 ? y->mean : NAN);
        dc_text_add(&out, ", \"lo\": ");
        ds_json_number(&out, e.lo);
        dc_text_add(&out, ", \"hi\": ");
        ds_json_number(&out, e.hi);
        dc_text_printf(&out, ", \"probability\": %.6g, \"failure\": ", s->probability[i]);
        if (s->failure[i] != NULL)
            ds_json_string(&out, s->failure[i]);
        else
            dc_text_add(&out, "null");
        dc_text_add(&out, "}");
    }
    dc_text_add(&out, "]\n}\n");
    dc_text_free(&text);
    return ds_cmd_output(&out);
}

/* ---- the command ----------------------------------------------------------------------------- */

static bool read_positive(const struct ds_args *args, const char *option, double most, double *out)
{
    const char *text = ds_args_value(args, option);
    char *end = NULL;
    if (text == NULL)
        return true;
    double value = strtod(text, &end);
    end += strspn(end, " ");
    if (*end == '%' && end != text) {
        value /= 100;
        end++;
    }
    if (end == text || *end != '\0' || !(value > 0) || !(value < most)) {
        ds_cmd_usage("select: %s wants a number above 0%s, not `%s`", option,
                     most < INFINITY ? " and below 1" : "", text);
        return false;
    }
    *out = value;
    return true;
}

static int check_study(struct selecting *s, const struct ds_args *args)
{
    const struct ds_study *y = &s->study;
    const char *name = ds_args_value(args, "--metric");
    if (name == NULL && y->objectives == 0)
        return ds_cmd_usage("%s: has no objective: add `objectives: [minimise loss]`, or --metric",
                            y->file);
    if (y->points < 2 || y->points > POINTS_MAX)
        return ds_cmd_usage("%s: has %zu points: select compares 2 to %d (design, or values of "
                            "parameters, make them)",
                            y->file, y->points, POINTS_MAX);
    s->metric = name != NULL ? name : y->objective[0].metric;
    s->options.maximise = name == NULL && y->objective[0].maximise;
    if (ds_args_value(args, "--maximise") != NULL)
        s->options.maximise = true;
    s->unit = "";
    for (size_t i = 0; i < ds_metrics_count; i++) {
        size_t size = strlen(ds_metrics[i].name);
        if (strncmp(s->metric, ds_metrics[i].name, size) == 0 &&
            (s->metric[size] == '\0' || s->metric[size] == '.') &&
            strcmp(ds_metrics[i].unit, "1") != 0)
            s->unit = ds_metrics[i].unit;
    }
    s->options.systems = y->points;
    return DS_EXIT_FINE;
}

static int open_study(struct selecting *s, const struct ds_args *args)
{
    struct ds_diagnostics d = {0};
    const char **set = dc_mem_need(args->givens + 1, sizeof *set, "--set");
    size_t sets = ds_args_values(args, "--set", set);
    enum dc_status status = ds_study_load(args->operand[0], set, sets, &s->study, &d);
    dc_mem_free(set);
    int code = ds_cmd_loaded(status, &d);
    return code == DS_EXIT_FINE ? check_study(s, args) : code;
}

/* Without --delta: a twentieth of the best mean of the first stage, which is made here. */
static int choose_delta(struct selecting *s, struct dc_error *error)
{
    size_t points = s->study.points, first = s->options.first;
    struct da_select_ask *ask = dc_mem_need(points * first, sizeof *ask, "runs");
    double *value = dc_mem_need(points * first, sizeof *value, "runs"), best = NAN;
    for (size_t i = 0; i < points * first; i++)
        ask[i] = (struct da_select_ask){i % points, i / points};
    enum dc_status status = observe(s, ask, points * first, value, error);
    for (size_t i = 0; i < points && status == DC_OK; i++) {
        double mean = 0;
        for (size_t r = 0; r < first; r++)
            mean += value[r * points + i] / (double)first;
        bool better = isnan(best) || (s->options.maximise ? mean > best : mean < best);
        best = !isnan(mean) && better ? mean : best;
    }
    dc_mem_free(ask);
    s->first = value;
    s->options.delta = isnan(best) ? 1 : fabs(best) / 20; /* no data at all: said later */
    if (status != DC_OK)
        return ds_cmd_caught() != 0 ? 128 + ds_cmd_caught() : ds_cmd_failed(status, error);
    if (best == 0)
        return ds_cmd_usage("select: the best mean of %s is 0 so far: say with --delta what "
                            "difference matters",
                            s->metric);
    return DS_EXIT_FINE;
}

static enum dc_status observe_rest(void *ctx, const struct da_select_ask *ask, size_t count,
                                   double *value, struct dc_error *error)
{
    struct selecting *s = ctx;
    if (s->first == NULL || ask[0].replication >= s->options.first)
        return observe(ctx, ask, count, value, error);
    for (size_t i = 0; i < count; i++)
        value[i] = s->first[ask[i].replication * s->study.points + ask[i].system];
    return DC_OK;
}

static int choose(struct selecting *s, const struct ds_args *args)
{
    struct dc_error error = {0};
    int online = omp_get_num_procs();
    uint64_t jobs = online > 0 ? (uint64_t)online : 1, first = 10, most = 1000;
    s->options.alpha = 0.05;
    if (!read_positive(args, "--delta", INFINITY, &s->options.delta) ||
        !read_positive(args, "--alpha", 1, &s->options.alpha) ||
        !ds_args_number(args, "--jobs", 1, 256, &jobs) ||
        !ds_args_number(args, "--first", 2, 1000, &first) ||
        !ds_args_number(args, "--most", 2, 1000000, &most))
        return DS_EXIT_USAGE;
    s->options.first = (uint32_t)first;
    s->options.most = (uint32_t)most;
    s->stop = ds_cmd_catch_signals();
    struct ds_runs_options o = {.scenario = s->study.scenario,
                                .metric = &s->metric,
                                .metrics = 1,
                                .jobs = (unsigned)jobs,
                                .stop = s->stop};
    enum dc_status status = ds_runs_open(&o, &s->runs, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    int code = s->options.delta > 0 ? DS_EXIT_FINE : choose_delta(s, &error);
    if (code != DS_EXIT_FINE)
        return code;
    status = da_select_best(&s->options, observe_rest, s, &s->result, &error);
    if (s->live)
        fputs("\r\033[K", stderr);
    if (ds_cmd_caught() != 0)
        return 128 + ds_cmd_caught();
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

static int select_best(struct selecting *s, const struct ds_args *args)
{
    int code = choose(s, args);
    if (code != DS_EXIT_FINE)
        return code;
    if (s->result.winner == SIZE_MAX) {
        for (size_t i = 0; i < s->study.points && i < 5; i++)
            ds_cmd_warn("point %zu, %s", i, s->failure[i] != NULL ? s->failure[i] : "no data");
        ds_cmd_usage("%s: no setting has data for %s: a run of every one failed", s->study.file,
                     s->metric);
        return DS_EXIT_EXPECT;
    }
    estimate_probability(s);
    if (s->json)
        return json_result(s);
    print_result(s);
    return DS_EXIT_FINE;
}

static int run(const struct ds_args *args)
{
    struct selecting s = {.json = ds_args_value(args, "--json") != NULL,
                          .quiet = ds_args_value(args, "--quiet") != NULL};
    s.live = !s.quiet && isatty(STDERR_FILENO);
    int code = open_study(&s, args);
    if (code == DS_EXIT_FINE) {
        s.probability = dc_mem_need(s.study.points, sizeof *s.probability, "a selection");
        s.failure = dc_mem_need(s.study.points, sizeof *s.failure, "a selection");
        s.failed_at = dc_mem_need(s.study.points, sizeof *s.failed_at, "a selection");
        code = select_best(&s, args);
    }
    if (s.runs != NULL)
        ds_runs_close(s.runs);
    dc_mem_free(s.first);
    dc_mem_free(s.probability);
    dc_mem_free(s.failure);
    dc_mem_free(s.failed_at);
    dc_arena_free(&s.arena);
    da_select_free(&s.result);
    ds_study_free(&s.study);
    return code;
}

static const struct ds_option options[] = {
    {"--delta", "D",
     "the least difference of the objective that matters; default: a\n"
     "twentieth of the best mean of the first stage"},
    {"--alpha", "A", "probability of a wrong choice, at most; default: 5 %"},
    {"--first", "N", "runs of every setting before any is struck out; default: 10"},
    {"--most", "N", "gives up undecided after so many runs of a setting; default: 1000"},
    {"--metric", "NAME", "instead of the first objective: minimised"},
    {"--maximise", NULL, "the largest is best"},
    {"--set", "PATH=VALUE", "overrides one value of the study, as `sweep` does"},
    {"--jobs", "N",
     "processes at a time; the answer does not depend on it; default:\nthe "
     "processors"},
    {"--quiet", NULL, "no progress on standard error"},
    {"--json", NULL, "the result as one JSON object"},
    {0},
};

const struct ds_command ds_cmd_select = {
    .name = "select",
    .operands = "STUDY",
    .line = "which of a study's settings is best, with what probability",
    .details =
        "Runs the study's points (2 to 100) with common random numbers, ten times each and then\n"
        "once more each of those that may still be the best, until one is left (Kim and Nelson's\n"
        "procedure). When it is better than all others by at least --delta it is chosen with\n"
        "probability 1 - alpha or more. Settings of which a run fails are out, and listed.",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

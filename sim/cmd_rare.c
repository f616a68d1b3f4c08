/* `destrasim rare`: the probability of something that seldom happens, by multilevel splitting; see
 * cmd_rare.h and analysis/split.h. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analysis/split.h"
#include "sim/cmd_rare.h"
#include "sim/scenario/study.h"

#define JOBS_MAX 1024
#define WAIT_MS 200
#define ROOTS_FEW 20 /* with hits: fewer make a rough interval */

struct plan {
    struct ds_study study;
    struct ds_rare rare;
    uint32_t roots;
    unsigned jobs;
    bool json, quiet;
    const volatile sig_atomic_t *stop;
};

/* One point of the study. */
struct estimate {
    struct da_split split;
    struct da_split_result result;
    uint64_t events, ended_events, ended; /* ended: roots that reached nothing, run to their ends */
    double wall_s;
    struct {
        uint64_t root;
        char text[1024];
    } failure;
    size_t failures;
    bool violated; /* the failure is an invariant's */
};

/* ---- roots ----------------------------------------------------------------------------------- */

struct slot {
    struct ds_process process;
    uint64_t root;
};

struct child {
    const struct ds_rare *rare;
    uint64_t root;
};

static void child_run(void *ctx, int out)
{
    const struct child *c = ctx;
    struct ds_rare_count count;
    ds_rare_root(c->rare, c->root, &count);
    ds_process_send(out, &count, sizeof count);
}

static void fail(struct estimate *e, uint64_t root, enum dc_status status, const char *text)
{
    /* Of several, the first root's: which one ends first is chance. */
    if (e->failures++ == 0 || root < e->failure.root) {
        e->failure.root = root;
        e->violated = status == DC_ERR_EXPECT;
        snprintf(e->failure.text, sizeof e->failure.text, "%.1000s", text);
    }
}

static void take(struct estimate *e, const struct slot *s)
{
    struct ds_rare_count count;
    const struct ds_process *p = &s->process;
    if (!ds_process_fine(p) || p->have != sizeof count) {
        char how[256];
        ds_process_crash(p, how, sizeof how);
        fail(e, s->root, DC_ERR_IO, how);
        return;
    }
    memcpy(&count, p->bytes, sizeof count);
    if (count.failed != DC_OK) {
        fail(e, s->root, (enum dc_status)count.failed, count.text);
        return;
    }
    e->split.hits[s->root] = count.hits;
    for (size_t i = 0; i < e->split.levels; i++)
        e->split.reached[i] += count.reached[i];
    e->events += count.events;
    e->ended_events += count.ended_events;
    e->ended += count.ended_events != 0;
}

static void show(const struct plan *plan, uint64_t done)
{
    if (!plan->quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r%llu of %u roots ", (unsigned long long)done, plan->roots);
}

/* All roots, plan->jobs at a time.  What they came to is added up by root and in whole numbers, so
 * the order of their ends does not show. */
static enum dc_status run_roots(const struct plan *plan, struct estimate *e, struct dc_error *error)
{
    struct slot *slot = dc_mem_need(plan->jobs, sizeof *slot, "roots");
    struct ds_process **at = dc_mem_need(plan->jobs, sizeof *at, "roots");
    enum dc_status status = DC_OK;
    uint64_t next = 0, done = 0;
    for (unsigned i = 0; i < plan->jobs; i++)
        at[i] = &slot[i].process;
    while (done < plan->roots && status == DC_OK && *plan->stop == 0) {
        struct slot *idle = slot;
        while (idle < slot + plan->jobs && idle->process.pid != 0)
            idle++;
        if (next < plan->roots && idle < slot + plan->jobs) {
            struct child child = {&plan->rare, next};
            idle->root = next++;
            if (!ds_process_start(&idle->process, (struct ds_process_limits){0}, child_run, &child))
                status = dc_error_set(error, DC_ERR_IO,
                                      "no process could be started (%s): use fewer --jobs",
                                      strerror(errno));
            continue;
        }
        size_t ended = ds_process_wait(at, plan->jobs, WAIT_MS);
        if (ended == SIZE_MAX)
            continue;
        take(e, &slot[ended]);
        ds_process_free(&slot[ended].process);
        show(plan, ++done);
    }
    if (!plan->quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r                              \r");
    for (unsigned i = 0; i < plan->jobs; i++) {
        ds_process_kill(&slot[i].process);
        ds_process_free(&slot[i].process);
    }
    dc_mem_free(slot);
    dc_mem_free(at);
    return status;
}

/* ---- what is reported ------------------------------------------------------------------------ */

/* Runs to their ends that would have taken as many events; NaN where no root went to its end. */
static double effort_runs(const struct estimate *e)
{
    return e->ended == 0 ? NAN : (double)e->events / ((double)e->ended_events / (double)e->ended);
}

static void print_levels(const struct plan *plan, const struct estimate *e)
{
    uint64_t of = plan->roots;
    printf("  %-12s %12s %12s %10s\n", plan->rare.metric, "reached", "of", "share");
    for (size_t i = 0; i < e->split.levels; i++) {
        uint64_t reached = e->split.reached[i];
        printf("  >= %-9.4g %12llu %12llu %10.3g\n", plan->rare.level[i],
               (unsigned long long)reached, (unsigned long long)of,
               of != 0 ? (double)reached / (double)of : NAN);
        of = reached * e->split.split;
    }
}

static void print_point(const struct plan *plan, const struct estimate *e)
{
    const struct da_split_result *r = &e->result;
    double runs = effort_runs(e);
    double last = plan->rare.level[plan->rare.levels - 1];
    printf("%s: P(%s >= %g)\n", plan->study.name, plan->rare.metric, last);
    print_levels(plan, e);
    if (r->hits == 0)
        printf("  no hit: P is at most %.3g (%.0f %% confidence)\n", r->p.hi,
               100 * plan->study.confidence);
    else
        printf("  P = %.3g, %.0f %% interval %.3g to %.3g\n", r->p.value,
               100 * plan->study.confidence, r->p.lo, r->p.hi);
    printf("  %llu hits, from %llu of %u roots, each split by %u\n", (unsigned long long)r->hits,
           (unsigned long long)r->roots_hit, plan->roots, plan->rare.split);
    printf("  effort: %s events, %s runs' worth, %s\n", ds_word_short((double)e->events).text,
           isnan(runs) ? "?" : ds_word_short(runs).text, ds_word_time(e->wall_s).text);
    if (!isnan(r->plain_runs))
        printf("  plain Monte Carlo: %s runs for the same variance, %s times the effort\n",
               ds_word_short(r->plain_runs).text,
               isnan(runs) ? "?" : ds_word_ratio(r->plain_runs / runs).text);
    if (r->hits != 0 && r->roots_hit < ROOTS_FEW)
        printf("  fewer than %d roots have hits, so the interval is rough: raise rare.roots\n",
               ROOTS_FEW);
}

static void json_point(const struct plan *plan, const struct estimate *e, struct dc_text *out)
{
    const struct da_split_result *r = &e->result;
    dc_text_add(out, "{\"probability\": ");
    ds_json_number(out, r->p.value);
    dc_text_add(out, ", \"lo\": ");
    ds_json_number(out, r->p.lo);
    dc_text_add(out, ", \"hi\": ");
    ds_json_number(out, r->p.hi);
    dc_text_printf(out,
                   ", \"hits\": %llu, \"roots_with_hits\": %llu, \"roots\": %u, \"split\": %u, "
                   "\"events\": %llu, \"effort_runs\": ",
                   (unsigned long long)r->hits, (unsigned long long)r->roots_hit, plan->roots,
                   plan->rare.split, (unsigned long long)e->events);
    ds_json_number(out, effort_runs(e));
    dc_text_add(out, ", \"plain_runs\": ");
    ds_json_number(out, r->plain_runs);
    dc_text_add(out, ", \"levels\": [");
    for (size_t i = 0; i < e->split.levels; i++) {
        dc_text_printf(out, "%s{\"level\": ", i == 0 ? "" : ", ");
        ds_json_number(out, plan->rare.level[i]);
        dc_text_printf(out, ", \"reached\": %llu}", (unsigned long long)e->split.reached[i]);
    }
    dc_text_add(out, "]}");
}

/* ---- the command ----------------------------------------------------------------------------- */

static int load(const struct ds_args *args, struct plan *plan)
{
    struct ds_diagnostics d = {0};
    struct dc_text said = {0};
    const char **set = dc_mem_need(args->givens + 1, sizeof *set, "--set");
    size_t count = ds_args_values(args, "--set", set);
    enum dc_status status = ds_study_load(args->operand[0], set, count, &plan->study, &d);
    ds_diagnostics_print(&d, &said);
    if (said.data != NULL)
        fputs(said.data, stderr);
    dc_mem_free(set);
    dc_text_free(&said);
    ds_diagnostics_free(&d);
    return status == DC_OK ? DS_EXIT_FINE : status == DC_ERR_USAGE ? DS_EXIT_USAGE : DS_EXIT_IO;
}

static int make_plan(const struct ds_args *args, struct plan *plan)
{
    uint64_t jobs = omp_get_num_procs() > 0 ? (uint64_t)omp_get_num_procs() : 1;
    uint64_t roots = 0, seed = 0;
    if (!ds_args_number(args, "--jobs", 1, JOBS_MAX, &jobs) ||
        !ds_args_number(args, "--roots", 2, 1000000, &roots))
        return DS_EXIT_USAGE;
    int code = load(args, plan);
    if (code != DS_EXIT_FINE)
        return code;
    const struct ds_study *s = &plan->study;
    seed = s->seed;
    if (!ds_args_number(args, "--seed", 0, UINT64_MAX / 2, &seed))
        return DS_EXIT_USAGE;
    if (!s->rare.given)
        return ds_cmd_usage("%s: says no `rare: {metric: ..., levels: [...]}`", s->file);
    if (!ds_world_level_known(s->rare.metric))
        return ds_cmd_usage("%s: rare.metric: %s is known at a run's end alone: watch "
                            "honest_ejections, nearest_ejection or cheat_seat_share",
                            s->file, s->rare.metric);
    if (s->rare.levels > DS_RARE_LEVELS_MAX)
        return ds_cmd_usage("%s: rare.levels: %zu are too many: use at most %d", s->file,
                            s->rare.levels, DS_RARE_LEVELS_MAX);
    plan->rare = (struct ds_rare){.scenario = s->scenario,
                                  .metric = s->rare.metric,
                                  .level = s->rare.level,
                                  .levels = s->rare.levels,
                                  .split = s->rare.split,
                                  .seed = seed};
    plan->roots = roots != 0 ? (uint32_t)roots : s->rare.roots;
    plan->jobs = (unsigned)jobs;
    plan->json = ds_args_value(args, "--json") != NULL;
    plan->quiet = ds_args_value(args, "--quiet") != NULL;
    plan->stop = ds_cmd_catch_signals();
    return DS_EXIT_FINE;
}

/* One point: its roots, what is said of it. */
static int run_point(struct plan *plan, struct dc_text *json)
{
    struct estimate e = {0};
    struct dc_error error = {0};
    double begin_s = ds_clock_wall();
    enum dc_status status =
        da_split_open(plan->rare.levels, plan->rare.split, plan->roots, &e.split, &error);
    if (status == DC_OK)
        status = run_roots(plan, &e, &error);
    e.wall_s = ds_clock_wall() - begin_s;
    int code = DS_EXIT_FINE;
    if (ds_cmd_caught() != 0) {
        code = 128 + ds_cmd_caught();
    } else if (status != DC_OK) {
        code = ds_cmd_failed(status, &error);
    } else if (e.failures != 0) {
        fprintf(stderr,
                "destrasim: error: %zu of %u roots failed, and there is no estimate without "
                "them; the first, seed %" PRIu64 ": %s\n",
                e.failures, plan->roots, plan->rare.seed + e.failure.root, e.failure.text);
        code = e.violated ? DS_EXIT_EXPECT : DS_EXIT_IO;
    } else {
        e.result = da_split_estimate(&e.split, plan->study.confidence);
        if (plan->json)
            json_point(plan, &e, json);
        else
            print_point(plan, &e);
    }
    da_split_free(&e.split);
    return code;
}

static void point_text(const struct plan *plan, size_t i, struct dc_text *out)
{
    const struct ds_study *s = &plan->study;
    for (size_t k = 0; k < s->parameters; k++)
        dc_text_printf(out, "%s%s=%s", k == 0 ? "" : " ", s->parameter[k].path,
                       s->point[i].text[k]);
}

static int run(const struct ds_args *args)
{
    struct plan plan = {0};
    struct dc_text json = {0};
    int code = make_plan(args, &plan);
    size_t points = plan.study.points > 0 ? plan.study.points : 1;
    dc_text_add(&json, "{\"study\": ");
    ds_json_string(&json, plan.study.name != NULL ? plan.study.name : "");
    dc_text_add(&json, ", \"metric\": ");
    ds_json_string(&json, plan.rare.metric != NULL ? plan.rare.metric : "");
    dc_text_add(&json, ", \"points\": [");
    for (size_t i = 0; i < points && code == DS_EXIT_FINE; i++) {
        struct dc_text name = {0};
        point_text(&plan, i, &name);
        plan.rare.override = plan.study.points > 0
                                 ? (const char *const *)plan.study.point[i].override
                                 : plan.study.set;
        plan.rare.overrides =
            plan.study.points > 0 ? plan.study.point[i].overrides : plan.study.sets;
        if (name.data != NULL && !plan.json)
            printf("%s\n", name.data);
        if (i > 0)
            dc_text_add(&json, ", ");
        code = run_point(&plan, &json);
        dc_text_free(&name);
    }
    dc_text_add(&json, "]}\n");
    if (plan.json && code == DS_EXIT_FINE)
        code = ds_cmd_output(&json);
    else
        dc_text_free(&json);
    ds_study_free(&plan.study);
    return code;
}

static const struct ds_option options[] = {
    {"--roots", "N", "independent runs to begin with; default: the study's rare.roots"},
    {"--seed", "N", "of the first root; the others follow; default: the study's"},
    {"--jobs", "N",
     "roots at a time, each one process that works and a few that\n"
     "wait; results do not depend on it; default: the processors"},
    {"--set", "PATH=VALUE",
     "overrides one value of the study, as in --set rare.split=8 or\n"
     "--set set.duration='24 epochs'; may be repeated"},
    {"--quiet", NULL, "no progress on standard error"},
    {"--json", NULL, "the result as one JSON object"},
    {0},
};

const struct ds_command ds_cmd_rare = {
    .name = "rare",
    .operands = "STUDY",
    .line = "the probability of a rare event, with its interval",
    .details =
        "Multilevel splitting: the study says a metric and levels on the way to the event, as in\n"
        "`rare: {metric: nearest_ejection, levels: [0.3, 0.6, 0.9, 1], split: 4, roots: 400}`.\n"
        "Wherever a run reaches a level it is forked into `split` copies, each with its own luck\n"
        "from there on. Roots are independent, and the interval comes from them alone. Metrics\n"
        "that can be watched: honest_ejections, nearest_ejection, cheat_seat_share. Exit code 1\n"
        "when a run violated an invariant.",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

/* Progress of a sweep, and what it came to; see cmd_sweep.h. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/goals.h"
#include "sim/cmd_sweep.h"

#define LIVE_S 0.2
#define PLAIN_S 10.0
#define BEST 5
#define FAILED_MAX 10

/* ---- progress -------------------------------------------------------------------------------- */

void ds_sweep_progress(struct ds_sweep *s, bool now)
{
    double now_s = ds_clock_wall();
    if (s->quiet || (!now && now_s - s->shown_s < (s->live ? LIVE_S : PLAIN_S)))
        return;
    s->shown_s = now_s;
    char eta[80] = "", text[400];
    uint64_t done, all, here = s->runs_done + s->runs_elsewhere;
    ds_sweep_count(s, &done, &all);
    done += s->runs_elsewhere;
    double elapsed_s = now_s - s->begin_s, rate = elapsed_s > 0 ? (double)here / elapsed_s : 0;
    if (rate > 0 && all >= done)
        snprintf(eta, sizeof eta, ", %s left", ds_word_time((double)(all - done) / rate).text);
    snprintf(text, sizeof text, "sweep %.60s: %s of %s runs, %u jobs, %s runs/s%s", s->study.name,
             ds_word_count((double)done).text, ds_word_count((double)all).text, s->jobs,
             ds_word_ratio(rate).text, eta);
    if (s->live)
        fprintf(stderr, "\r\033[K%.100s", text);
    else
        fprintf(stderr, "destrasim: %s\n", text);
}

void ds_sweep_progress_end(struct ds_sweep *s)
{
    if (s->live)
        fputs("\r\033[K", stderr);
}

/* ---- for people ------------------------------------------------------------------------------ */

static const char *unit_after(const char *unit)
{
    return strcmp(unit, "1") == 0 || strcmp(unit, "bool") == 0 ? "" : unit;
}

struct ranking {
    const struct da_study *study;
    const struct da_goals *goals;
    size_t objective;
};

/* The n-th best points that have a mean: such as are feasible before such as are not. */
static size_t rank(const struct ranking *r, size_t best[BEST])
{
    const struct da_goals *g = r->goals;
    bool up = r->study->objective[r->objective].maximise;
    size_t n = 0;
    for (size_t p = 0; p < g->points; p++) {
        double mean = g->objective[p * g->objectives + r->objective].value;
        size_t at = n;
        if (isnan(mean))
            continue;
        while (at > 0) {
            size_t other = best[at - 1];
            double its = g->objective[other * g->objectives + r->objective].value;
            bool better = g->feasible[p] != g->feasible[other] ? g->feasible[p]
                                                               : (up ? mean > its : mean < its);
            if (!better)
                break;
            if (at < BEST)
                best[at] = other;
            at--;
        }
        if (at < BEST)
            best[at] = p;
        n += n < BEST;
    }
    return n;
}

static const char *met(const struct ranking *r, size_t point)
{
    if (r->study->constraints == 0)
        return "";
    return r->goals->feasible[point]   ? "meets all constraints"
           : r->goals->possible[point] ? "may meet the constraints"
                                       : "does NOT meet the constraints";
}

/* Of the points that may take part, how many are as good as the best for all that is known. */
static void print_contenders(const struct ranking *r, size_t metric, double level)
{
    struct da_best best = {0};
    struct dc_error error = {0};
    bool maximise = r->study->objective[r->objective].maximise;
    if (da_best(r->study, metric, maximise, r->goals->feasible, level, 1, &best, &error) == DC_OK &&
        best.contenders > 1)
        printf("  %zu of %zu points%s cannot be told from the best by these runs\n",
               best.contenders, r->goals->feasible_count,
               r->study->constraints > 0 ? " that meet all constraints" : "");
    da_best_free(&best);
}

static void print_objective(const struct ranking *r, double level)
{
    const struct da_objective *o = &r->study->objective[r->objective];
    size_t best[BEST + 1], n = rank(r, best);
    size_t metric = da_study_metric(r->study, o->metric);
    const char *unit = unit_after(metric != SIZE_MAX ? r->study->metric[metric].unit : "1");
    printf("\n%s %s%s%s: the best of %zu point%s, mean and %.4g %% interval\n",
           o->maximise ? "maximise" : "minimise", o->metric, unit[0] != '\0' ? ", in " : "", unit,
           r->study->points, r->study->points == 1 ? "" : "s", level * 100);
    for (size_t i = 0; i < n; i++) {
        struct da_estimate e = r->goals->objective[best[i] * r->goals->objectives + r->objective];
        struct dc_text setting = {0};
        da_study_setting(r->study, best[i], &setting);
        char interval[64] = "[one value]";
        if (e.count > 1)
            snprintf(interval, sizeof interval, "[%.4g, %.4g]", e.lo, e.hi);
        printf("  p%05zu  %10.4g  %-22s  %s%s%s\n", best[i], e.value, interval,
               setting.data != NULL ? setting.data : "", met(r, best[i])[0] != '\0' ? "; " : "",
               met(r, best[i]));
        dc_text_free(&setting);
    }
    if (n == 0)
        printf("  no run has measured it\n");
    else if (r->goals->feasible_count > 1)
        print_contenders(r, metric, level);
}

static void print_goals(const struct ds_sweep *s, const struct da_study *study)
{
    struct da_goals goals;
    struct dc_error error = {0};
    struct dc_text why = {0};
    if (da_goals(study, s->study.confidence, &goals, &error) != DC_OK) {
        printf("\n%s\n", error.text);
        da_goals_free(&goals);
        return;
    }
    for (size_t i = 0; i < study->objectives; i++)
        print_objective(&(struct ranking){study, &goals, i}, s->study.confidence);
    if (study->constraints > 0)
        printf("\nconstraints: %zu of %zu points meet all of them\n", goals.feasible_count,
               goals.points);
    for (size_t i = 0; i < study->constraints; i++)
        printf("  %-44s met by %zu\n", study->constraint[i].text, goals.met_count[i]);
    if (study->constraints > 0 && goals.feasible_count == 0) {
        da_goals_why_not(study, &goals, &why);
        printf("%s%s", why.data != NULL ? why.data : "",
               why.data != NULL && why.size > 0 && why.data[why.size - 1] != '\n' ? "\n" : "");
    }
    dc_text_free(&why);
    da_goals_free(&goals);
}

/* Failures of a point: they stand next to each other. */
static size_t failures_of(const struct da_study *study, size_t first)
{
    size_t n = 1;
    while (first + n < study->failures &&
           study->failure[first + n].point == study->failure[first].point)
        n++;
    return n;
}

static size_t failed_points(const struct da_study *study)
{
    size_t n = 0;
    for (size_t i = 0; i < study->failures; i += failures_of(study, i))
        n++;
    return n;
}

static void print_failures(const struct ds_sweep *s, const struct da_study *study)
{
    size_t shown = 0, points = failed_points(study);
    if (points == 0)
        return;
    printf("\nFAILED: %zu run%s at %zu of %zu points\n", study->failures,
           study->failures == 1 ? "" : "s", points, study->points);
    for (size_t i = 0; i < study->failures; i += failures_of(study, i)) {
        struct dc_text setting = {0};
        const struct da_failure *f = &study->failure[i];
        if (shown++ == FAILED_MAX) {
            printf("  and %zu more points: see failure_* in %s\n", points - FAILED_MAX,
                   s->merged.data);
            break;
        }
        da_study_setting(study, f->point, &setting);
        printf("  p%05zu  %zu of %u runs  %s\n", f->point, failures_of(study, i),
               s->point[f->point].decided, setting.data != NULL ? setting.data : "");
        for (const char *line = f->text; *line != '\0';) {
            size_t size = strcspn(line, "\n");
            printf("          %.*s\n", (int)size, line);
            line += size + (line[size] == '\n');
        }
        dc_text_free(&setting);
    }
}

static uint64_t runs_in(const struct da_study *study, enum da_run_status status, bool all)
{
    uint64_t n = 0;
    for (size_t i = 0; i < study->points * study->replications; i++)
        n += all ? study->status[i] != DA_RUN_MISSING : study->status[i] == status;
    return n;
}

void ds_sweep_print(struct ds_sweep *s, const struct da_study *study, double seconds)
{
    uint64_t runs = runs_in(study, 0, true), not_held = runs_in(study, DA_RUN_EXPECTATION, false);
    uint64_t here = s->runs_done + s->runs_elsewhere;
    printf("%s: %s point%s, %s runs", study->name, ds_word_count((double)study->points).text,
           study->points == 1 ? "" : "s", ds_word_count((double)runs).text);
    if (here != runs)
        printf(" (%s of them now)", ds_word_count((double)here).text);
    printf(" in %s", ds_word_time(seconds).text);
    if (here > 0 && seconds > 0)
        printf(", %s runs/s", ds_word_ratio((double)here / seconds).text);
    printf("\n");
    if (not_held > 0)
        printf("an expectation of the scenario did not hold in %s of them\n",
               ds_word_count((double)not_held).text);
    print_goals(s, study);
    print_failures(s, study);
    printf("\nresults  %s\nlook     destrasim report %s\n", s->merged.data, s->merged.data);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void json_point(struct dc_text *out, const struct ranking *r, size_t point)
{
    const struct da_goals *g = r->goals;
    struct da_estimate e = g->objective[point * g->objectives + r->objective];
    struct dc_text setting = {0};
    da_study_setting(r->study, point, &setting);
    dc_text_printf(out, "{\"point\": %zu, \"setting\": ", point);
    ds_json_string(out, setting.data != NULL ? setting.data : "");
    dc_text_add(out, ", \"mean\": ");
    ds_json_number(out, e.value);
    dc_text_add(out, ", \"interval\": [");
    ds_json_number(out, e.lo);
    dc_text_add(out, ", ");
    ds_json_number(out, e.hi);
    dc_text_printf(out, "], \"runs\": %zu, \"feasible\": %s}", e.count,
                   g->feasible[point] ? "true" : "false");
    dc_text_free(&setting);
}

static void json_goals(struct dc_text *out, const struct ds_sweep *s, const struct da_study *study)
{
    struct da_goals goals;
    struct dc_error error = {0};
    dc_text_add(out, ", \"objectives\": [");
    enum dc_status status = da_goals(study, s->study.confidence, &goals, &error);
    for (size_t i = 0; status == DC_OK && i < study->objectives; i++) {
        struct ranking r = {study, &goals, i};
        size_t best[BEST + 1], n = rank(&r, best);
        dc_text_add(out, i > 0 ? ", {\"metric\": " : "{\"metric\": ");
        ds_json_string(out, study->objective[i].metric);
        dc_text_printf(out, ", \"maximise\": %s, \"best\": [",
                       study->objective[i].maximise ? "true" : "false");
        for (size_t k = 0; k < n; k++) {
            dc_text_add(out, k > 0 ? ", " : "");
            json_point(out, &r, best[k]);
        }
        dc_text_add(out, "]}");
    }
    dc_text_add(out, "], \"constraints\": [");
    for (size_t i = 0; status == DC_OK && i < study->constraints; i++) {
        dc_text_add(out, i > 0 ? ", {\"text\": " : "{\"text\": ");
        ds_json_string(out, study->constraint[i].text);
        dc_text_printf(out, ", \"met\": %zu}", goals.met_count[i]);
    }
    dc_text_add(out, "]");
    if (status == DC_OK)
        dc_text_printf(out, ", \"feasible\": %zu", goals.feasible_count);
    da_goals_free(&goals);
}

void ds_sweep_json(struct ds_sweep *s, const struct da_study *study, double seconds)
{
    struct dc_text out = {0};
    dc_text_add(&out, "{\"name\": ");
    ds_json_string(&out, study->name);
    dc_text_printf(&out, ", \"points\": %zu, \"runs\": %llu, \"runs_now\": %llu", study->points,
                   (unsigned long long)runs_in(study, 0, true),
                   (unsigned long long)s->runs_done + s->runs_elsewhere);
    dc_text_printf(&out, ", \"expectation_failed\": %llu, \"wall_s\": ",
                   (unsigned long long)runs_in(study, DA_RUN_EXPECTATION, false));
    ds_json_number(&out, seconds);
    json_goals(&out, s, study);
    dc_text_add(&out, ", \"failures\": [");
    for (size_t i = 0; i < study->failures; i++) {
        struct dc_text setting = {0};
        const struct da_failure *f = &study->failure[i];
        da_study_setting(study, f->point, &setting);
        dc_text_printf(&out,
                       "%s{\"point\": %zu, \"replication\": %zu, \"setting\": ", i > 0 ? ", " : "",
                       f->point, f->replication);
        ds_json_string(&out, setting.data != NULL ? setting.data : "");
        dc_text_add(&out, ", \"text\": ");
        ds_json_string(&out, f->text);
        dc_text_add(&out, "}");
        dc_text_free(&setting);
    }
    dc_text_add(&out, "], \"file\": ");
    ds_json_string(&out, s->merged.data);
    dc_text_add(&out, "}\n");
    (void)ds_cmd_output(&out);
}

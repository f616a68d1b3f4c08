/* Progress of `tune`, and what it came to; see cmd_tune.h. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/cmd_tune.h"

#define LIVE_S 0.2
#define PLAIN_S 10.0

/* ---- progress -------------------------------------------------------------------------------- */

void ds_tune_progress(struct ds_tune *t, bool now)
{
    double now_s = ds_clock_wall(), noise, gain = NAN;
    if (t->quiet || (!now && now_s - t->shown_s < (t->live ? LIVE_S : PLAIN_S)))
        return;
    t->shown_s = now_s;
    char text[400], eta[80] = "", promise[80] = "";
    uint64_t all = t->study.tune.runs;
    double rate = now_s > t->begin_s ? (double)t->fresh / (now_s - t->begin_s) : 0;
    if (rate > 0 && all > t->spent)
        snprintf(eta, sizeof eta, ", at most %s left",
                 ds_word_time((double)(all - t->spent) / rate).text);
    if (t->bayes != NULL)
        gain = da_bayes_improvement(t->bayes, &noise);
    if (!isnan(gain))
        snprintf(promise, sizeof promise, ", expects %.2g more", gain);
    snprintf(text, sizeof text, "tune %.60s: %s, %" PRIu64 " of at most %" PRIu64 " runs%s%s",
             t->study.name, t->phase, t->spent, all, eta, promise);
    if (t->live)
        fprintf(stderr, "\r\033[K%.120s", text);
    else
        fprintf(stderr, "destrasim: %s\n", text);
}

void ds_tune_progress_end(struct ds_tune *t)
{
    if (t->live)
        fputs("\r\033[K", stderr);
}

/* ---- what it came to ------------------------------------------------------------------------- */

struct found {
    struct da_estimate value;            /* of the objective, in the confirmation */
    double change, change_lo, change_hi; /* against the scenario's own settings, paired */
    size_t pairs;
    double own;
    size_t failed; /* runs of the confirmation without data */
};

static struct da_verdict verdict_of(const struct ds_tune *t, size_t constraint, double *work)
{
    size_t n = ds_tune_sample(t->confirm, NULL, t->confirms, t->column[constraint], work, NULL);
    return da_constraint_judge(&t->study.constraint[constraint], work, n);
}

bool ds_tune_good(const struct ds_tune *t)
{
    if (t->end == DS_TUNE_NO_DATA || !t->best.feasible || t->confirms == 0)
        return false;
    double *work = dc_mem_need(t->confirms + 1, sizeof *work, "the confirmation");
    bool good = ds_tune_sample(t->confirm, NULL, t->confirms, 0, work, NULL) > 0;
    for (size_t i = 0; i < t->study.constraints && good; i++)
        good = verdict_of(t, i, work).met == DA_MET;
    dc_mem_free(work);
    return good;
}

static struct found look(const struct ds_tune *t)
{
    double *a = dc_mem_need(2 * t->confirms + 2, sizeof *a, "the confirmation");
    double *b = &a[t->confirms + 1], level = t->study.confidence;
    size_t n = ds_tune_sample(t->confirm, NULL, t->confirms, 0, a, NULL);
    struct found f = {.value = da_mean_interval(a, n, level), .failed = t->confirms - n};
    f.pairs = ds_tune_sample(t->confirm, t->own, t->owns, 0, a, b);
    struct da_estimate change = da_paired_interval(a, b, f.pairs, level);
    f.change = f.pairs > 0 ? change.value : NAN;
    f.change_lo = change.lo;
    f.change_hi = change.hi;
    f.own = f.pairs > 0 ? da_mean(b, f.pairs) : NAN;
    dc_mem_free(a);
    return f;
}

static const char *unit_after(const char *unit)
{
    return strcmp(unit, "1") == 0 || strcmp(unit, "bool") == 0 ? "" : unit;
}

static const char *objective_unit(const struct ds_tune *t)
{
    const struct ds_metric *metric = ds_tune_metric(t->metric[0]);
    return unit_after(metric != NULL ? metric->unit : "1");
}

/* " s", or nothing. */
static const char *spaced(const char *unit, char out[24])
{
    snprintf(out, 24, "%s%.20s", unit[0] != '\0' ? " " : "", unit);
    return out;
}

static void print_place(const struct ds_tune *t, size_t i)
{
    const struct da_parameter *p = &t->study.parameter[i];
    const struct da_bayes_place *place = &t->best.place[i];
    double x = t->point[t->best.point].x[i];
    char unit[24];
    (void)spaced(unit_after(p->unit), unit);
    if (p->words) {
        printf("  %-30s %s", p->label, x < (double)p->words_count ? p->word[(size_t)x] : "?");
        if (!isnan(place->share))
            printf("  (the best with probability %.2f)", place->share);
        printf("\n");
    } else {
        printf("  %-30s %.5g%s", p->label, x, unit);
        if (t->best.feasible && isfinite(place->lo) && isfinite(place->hi))
            printf("  [%.4g, %.4g]%s", place->lo, place->hi,
                   x == p->lo || x == p->hi ? ", an end of its range" : "");
        printf("\n");
    }
}

static void print_settings(const struct ds_tune *t, const char *what)
{
    printf("\n%s\n", what);
    for (size_t i = 0; i < t->study.parameters; i++)
        print_place(t, i);
    printf("  that is");
    const struct ds_tune_point *p = &t->point[t->best.point];
    for (size_t i = t->study.sets; i < p->overrides; i++)
        printf(" --set '%s'", p->override[i]);
    printf("\n");
}

static void print_own(const struct ds_tune *t, const struct found *f)
{
    if (f->pairs < 2) {
        printf("  the scenario's own settings   not compared: %s\n",
               t->owns > 0 ? "their runs have no data"
                           : "no runs are left, allow more with --runs");
        return;
    }
    bool up = t->study.objective[0].maximise;
    double low = up ? f->change_lo : -f->change_hi, high = up ? f->change_hi : -f->change_lo;
    printf("  the scenario's own settings   %.5g; the optimum's change %+.4g [%.4g, %.4g], paired: "
           "%s\n",
           f->own, f->change, f->change_lo, f->change_hi,
           low > 0    ? "better"
           : high < 0 ? "WORSE; the own ones may lie outside of the ranges that were searched"
                      : "within noise");
}

static void print_constraints(const struct ds_tune *t)
{
    double *work = dc_mem_need(t->confirms + 1, sizeof *work, "the confirmation");
    for (size_t i = 0; i < t->study.constraints; i++) {
        const struct da_constraint *c = &t->study.constraint[i];
        struct da_verdict v = verdict_of(t, i, work);
        printf("  %-44s %s: mean %.5g, %s %.5g\n", c->text,
               v.met == DA_MET       ? "holds"
               : v.met == DA_NOT_MET ? "does NOT hold"
                                     : "NOT SHOWN",
               v.mean, c->op == DA_EQ || c->op == DA_NE ? "worst run" : "bound", v.bound);
    }
    dc_mem_free(work);
}

static void print_confirmation(const struct ds_tune *t)
{
    struct found f = look(t);
    char unit[24];
    printf("\nconfirmed by %zu runs with seeds that the search has not seen (%g %% intervals)\n",
           t->confirms, 100 * t->study.confidence);
    printf("  %-29s %.5g%s  [%.5g, %.5g]\n", t->metric[0], f.value.value,
           spaced(objective_unit(t), unit), f.value.lo, f.value.hi);
    if (f.failed > 0)
        printf("  %zu of these runs have no data\n", f.failed);
    print_constraints(t);
    print_own(t, &f);
}

static void print_failures(const struct ds_tune *t)
{
    size_t failed = 0;
    const char *why = NULL;
    for (size_t i = 0; i < t->points; i++)
        for (size_t r = 0; r < t->point[i].runs; r++) {
            const struct ds_tune_run *run = t->point[i].run[r];
            if (run->status != DA_RUN_VIOLATED && run->status != DA_RUN_FAILED)
                continue;
            why = failed++ == 0 ? run->text : why;
        }
    if (failed > 0)
        printf("\n%zu runs have no data, and their points were avoided; the first: %s\n", failed,
               why != NULL ? why : "failed without a reason");
}

static void print_infeasible(const struct ds_tune *t)
{
    printf("\nNo point meets all constraints with %g %% confidence, as far as %" PRIu64
           " runs tell:\n",
           100 * t->study.confidence, t->searched);
    for (size_t i = 0; i < t->study.constraints; i++) {
        double chance = t->best.chance[i];
        printf("  %-44s %s (probability %.2g at the nearest point)\n", t->study.constraint[i].text,
               chance >= t->study.confidence ? "can be met"
               : chance < 0.05               ? "cannot be met"
                                             : "may be met",
               chance);
    }
    print_settings(t, "the nearest point");
    printf("\nwiden the parameters' ranges, or ask for less\n");
}

static void print_sureness(const struct ds_tune *t)
{
    char unit[24];
    printf("\nhow sure: %s; what a better point may still gain is expected to be %.3g%s\n",
           t->end == DS_TUNE_ENOUGH ? "the search ended because nothing promises more than noise"
                                    : "the search ended because its runs were spent",
           t->best.regret, spaced(objective_unit(t), unit));
    printf("  the best value by the model %.5g [%.5g, %.5g]; intervals of the settings say where\n"
           "  the best point lies with a probability of %g %%\n",
           t->best.optimum, t->best.optimum_lo, t->best.optimum_hi, 100 * t->study.confidence);
}

void ds_tune_print(struct ds_tune *t, double seconds)
{
    const struct da_objective *o = &t->study.objective[0];
    printf("%s: %s %s, %zu parameter%s, %zu constraint%s\n", t->study.name,
           o->maximise ? "maximise" : "minimise", o->metric, t->study.parameters,
           t->study.parameters == 1 ? "" : "s", t->study.constraints,
           t->study.constraints == 1 ? "" : "s");
    printf("  %" PRIu64 " runs: %" PRIu64 " at %zu points in %" PRIu64
           " rounds, %zu to confirm, %zu of the own settings; %" PRIu64 " now, in %s\n",
           t->spent, t->searched, t->points, t->rounds, t->confirms, t->owns, t->fresh,
           ds_word_time(seconds).text);
    if (t->end == DS_TUNE_NO_DATA) {
        printf("\nno run of the first design has measured %s\n", o->metric);
    } else if (!t->best.feasible) {
        print_infeasible(t);
    } else {
        print_settings(t, ds_tune_good(t) ? "the optimum" : "the best point, NOT CONFIRMED");
        print_confirmation(t);
        print_sureness(t);
    }
    print_failures(t);
    printf("\nwritten: %s/tune.h5%s%s%s\n", t->folder, t->end != DS_TUNE_NO_DATA ? ", " : "",
           t->end != DS_TUNE_NO_DATA ? t->folder : "",
           t->end != DS_TUNE_NO_DATA ? "/optimum.yaml" : "");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_number(struct dc_text *out, const char *name, double value)
{
    dc_text_printf(out, ", \"%s\": ", name);
    ds_json_number(out, value);
}

static void add_settings(const struct ds_tune *t, struct dc_text *out)
{
    const struct ds_tune_point *p = &t->point[t->best.point];
    dc_text_add(out, ", \"optimum\": [");
    for (size_t i = 0; i < t->study.parameters; i++) {
        const struct da_parameter *parameter = &t->study.parameter[i];
        dc_text_add(out, i > 0 ? ", {\"path\": " : "{\"path\": ");
        ds_json_string(out, parameter->path);
        dc_text_add(out, ", \"unit\": ");
        ds_json_string(out, parameter->unit);
        add_number(out, "value", p->x[i]);
        if (parameter->words && p->x[i] < (double)parameter->words_count) {
            dc_text_add(out, ", \"word\": ");
            ds_json_string(out, parameter->word[(size_t)p->x[i]]);
            add_number(out, "probability", t->best.place[i].share);
        } else if (t->best.feasible) {
            add_number(out, "lo", t->best.place[i].lo);
            add_number(out, "hi", t->best.place[i].hi);
        }
        dc_text_add(out, "}");
    }
    dc_text_add(out, "], \"set\": [");
    for (size_t i = 0; i < p->overrides; i++) {
        dc_text_add(out, i > 0 ? ", " : "");
        ds_json_string(out, p->override[i]);
    }
    dc_text_add(out, "]");
}

static void add_constraints(const struct ds_tune *t, struct dc_text *out)
{
    double *work = dc_mem_need(t->confirms + 1, sizeof *work, "the confirmation");
    dc_text_add(out, ", \"constraints\": [");
    for (size_t i = 0; i < t->study.constraints; i++) {
        struct da_verdict v = verdict_of(t, i, work);
        dc_text_add(out, i > 0 ? ", {\"text\": " : "{\"text\": ");
        ds_json_string(out, t->study.constraint[i].text);
        dc_text_printf(out, ", \"holds\": %s",
                       v.met == DA_MET       ? "true"
                       : v.met == DA_NOT_MET ? "false"
                                             : "null");
        add_number(out, "mean", v.mean);
        add_number(out, "bound", v.bound);
        add_number(out, "probability", t->best.chance[i]);
        dc_text_add(out, "}");
    }
    dc_text_add(out, "]");
    dc_mem_free(work);
}

static void add_confirmation(const struct ds_tune *t, struct dc_text *out)
{
    struct found f = look(t);
    dc_text_printf(out, ", \"confirmation\": {\"runs\": %zu, \"seed\": %" PRIu64, t->confirms,
                   t->confirms > 0 ? t->confirm[0].seed : 0);
    add_number(out, "mean", f.value.value);
    add_number(out, "lo", f.value.lo);
    add_number(out, "hi", f.value.hi);
    dc_text_printf(out, "}, \"own\": {\"runs\": %zu", f.pairs);
    add_number(out, "mean", f.own);
    add_number(out, "change", f.change);
    add_number(out, "lo", f.pairs > 1 ? f.change_lo : NAN);
    add_number(out, "hi", f.pairs > 1 ? f.change_hi : NAN);
    dc_text_add(out, "}");
}

void ds_tune_json(struct ds_tune *t, double seconds)
{
    const struct da_objective *o = &t->study.objective[0];
    struct dc_text out = {0};
    bool data = t->end != DS_TUNE_NO_DATA;
    dc_text_add(&out, "{\"name\": ");
    ds_json_string(&out, t->study.name);
    dc_text_add(&out, ", \"objective\": ");
    ds_json_string(&out, o->metric);
    dc_text_printf(&out,
                   ", \"maximise\": %s, \"runs\": %" PRIu64 ", \"search_runs\": %" PRIu64
                   ", \"points\": %zu, \"rounds\": %" PRIu64 ", \"fresh_runs\": %" PRIu64,
                   o->maximise ? "true" : "false", t->spent, t->searched, t->points, t->rounds,
                   t->fresh);
    dc_text_printf(&out, ", \"ended\": \"%s\", \"feasible\": %s, \"confirmed\": %s",
                   t->end == DS_TUNE_BUDGET   ? "runs spent"
                   : t->end == DS_TUNE_ENOUGH ? "nothing more expected"
                                              : "no data",
                   data && t->best.feasible ? "true" : "false", ds_tune_good(t) ? "true" : "false");
    if (data) {
        add_settings(t, &out);
        add_constraints(t, &out);
        add_confirmation(t, &out);
        add_number(&out, "model_value", t->best.optimum);
        add_number(&out, "model_lo", t->best.optimum_lo);
        add_number(&out, "model_hi", t->best.optimum_hi);
        add_number(&out, "expected_gain", t->best.regret);
    }
    add_number(&out, "wall_s", seconds);
    dc_text_add(&out, "}\n");
    (void)ds_cmd_output(&out);
}

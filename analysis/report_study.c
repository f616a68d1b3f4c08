/* The sections of a study. */
#include "analysis/report_study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the view -------------------------------------------------------------------------------- */

double da_view_at(const struct da_study_view *v, size_t point, size_t replication, size_t metric)
{
    uint8_t status = v->s->status[point * v->s->replications + replication];
    if (status != DA_RUN_DONE && status != DA_RUN_EXPECTATION)
        return NAN;
    return da_study_value(v->s, point, replication, metric);
}

size_t da_view_levels(const struct da_study_view *v, size_t parameter, double *level)
{
    size_t n = 0;
    for (size_t p = 0; p < v->s->points; p++) {
        double x = da_study_x(v->s, p, parameter);
        size_t at = 0;
        while (at < n && level[at] < x)
            at++;
        if (isnan(x) || (at < n && level[at] == x))
            continue;
        memmove(level + at + 1, level + at, (n - at) * sizeof *level);
        level[at] = x;
        n++;
    }
    return n;
}

bool da_view_scattered(const struct da_study_view *v, size_t parameter)
{
    enum { LEVELS_MAX = 30 };
    const struct da_parameter *p = &v->s->parameter[parameter];
    double *level = da_report_take(v->r, v->s->points, sizeof *level);
    bool random = v->s->design == DA_LHS || v->s->design == DA_SOBOL ||
                  v->s->design == DA_SALTELLI || v->s->design == DA_MORRIS;
    return (random && p->words_count == 0) || da_view_levels(v, parameter, level) > LEVELS_MAX;
}

/* An interval by Student's t may reach where no value can be: below nothing, or beyond all of a
 * share. */
static struct da_estimate possible(const struct da_metric *m, struct da_estimate e)
{
    static const char *const counted[] = {"1", "%", "s", "By", "1/s"};
    bool below = true, share = strncmp(m->long_name == NULL ? "" : m->long_name, "share ", 6) == 0;
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        below = below && strcmp(m->unit, counted[i]) != 0;
    below = below || strstr(m->name, "lift") != NULL; /* quotients of differences */
    if (!below && e.value >= 0)
        e.lo = e.lo < 0 ? 0 : e.lo;
    if (share && e.value <= 1)
        e.hi = e.hi > 1 ? 1 : e.hi;
    return e;
}

struct da_estimate da_view_mean(const struct da_study_view *v, size_t metric, const bool *chosen)
{
    const struct da_study *s = v->s;
    double *sample = da_report_take(v->r, s->replications, sizeof *sample);
    bool *some = da_report_take(v->r, s->points, sizeof *some);
    size_t count = 0;
    for (size_t p = 0; p < s->points; p++)
        for (size_t r = 0; r < s->replications && (chosen == NULL || chosen[p]); r++)
            some[p] = some[p] || !isnan(da_view_at(v, p, r, metric));
    for (size_t r = 0; r < s->replications; r++) {
        double sum = 0;
        size_t n = 0;
        for (size_t p = 0; p < s->points; p++)
            if (some[p]) {
                sum += da_view_at(v, p, r, metric); /* NaN: this replication is not whole */
                n++;
            }
        if (n > 0 && !isnan(sum))
            sample[count++] = sum / (double)n;
    }
    if (count == 0)
        return (struct da_estimate){NAN, NAN, NAN, 0};
    return possible(&s->metric[metric], da_mean_interval(sample, count, DA_REPORT_LEVEL));
}

const char *da_view_level(const struct da_study_view *v, size_t parameter, double x)
{
    const struct da_parameter *p = &v->s->parameter[parameter];
    if (p->words && p->word != NULL && x >= 0 && x < (double)p->words_count)
        return p->word[(size_t)x];
    return da_report_value(v->r, x, strcmp(p->unit, "1") == 0 ? NULL : p->unit);
}

const char *da_view_setting(const struct da_study_view *v, size_t point)
{
    struct dc_text text = {0};
    da_study_setting(v->s, point, &text);
    const char *out = da_report_text(v->r, "%s", text.data == NULL ? "" : text.data);
    dc_text_free(&text);
    return out;
}

const char *da_view_meaning(const struct da_study_view *v, size_t metric)
{
    const struct da_metric *m = &v->s->metric[metric];
    const char *text = m->long_name != NULL && m->long_name[0] != '\0' ? m->long_name : m->name;
    char *out = da_report_take(v->r, strlen(text) + 1, 1);
    memcpy(out, text, strlen(text) + 1);
    if (out[0] >= 'a' && out[0] <= 'z')
        out[0] = (char)(out[0] - 'a' + 'A');
    return out;
}

void da_view_metric_axis(struct da_axis *axis, const struct da_metric *m)
{
    axis->label = m->name;
    axis->unit = m->unit;
}

void da_view_parameter_axis(struct da_axis *axis, const struct da_parameter *p)
{
    axis->label = p->label;
    axis->unit = p->unit;
    axis->log = !p->words && p->scale == DA_LOG && p->lo > 0;
    if (p->words) {
        axis->category = p->word;
        axis->categories = p->words_count;
    }
}

const char *da_view_id(const struct da_study_view *v, const char *a, const char *b, const char *c)
{
    const char *whole = da_report_text(v->r, "%s-%s%s%s", a, b, c[0] == '\0' ? "" : "-", c);
    char *out = da_report_take(v->r, strlen(whole) + 1, 1);
    size_t n = 0;
    for (const char *p = whole; *p != '\0'; p++) {
        bool plain =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');
        if (plain || (n > 0 && out[n - 1] != '-'))
            out[n++] = plain ? *p : '-';
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    out[n] = '\0';
    return out;
}

static void show_metric(struct da_study_view *v, const char *name)
{
    size_t m = da_study_metric(v->s, name);
    for (size_t i = 0; i < v->showns; i++)
        if (v->shown[i] == m)
            return;
    if (m != SIZE_MAX)
        v->shown[v->showns++] = m;
}

static struct da_study_view view_of(struct da_report *r, const struct da_study *s)
{
    static const char *const usual[] = {
        "loss",           "challenges_total", "challenge_bytes_share", "false_fail_rate",
        "honest_slashed", "detect_20",        "finality_latency.p99",  "theta_lift"};
    struct da_study_view v = {.r = r, .s = s};
    struct dc_error error = {0};
    v.shown = da_report_take(r, s->metrics + 1, sizeof *v.shown);
    for (size_t i = 0; i < s->objectives; i++)
        show_metric(&v, s->objective[i].metric);
    v.objectives = v.showns;
    for (size_t i = 0; i < s->constraints; i++)
        show_metric(&v, s->constraint[i].metric);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        show_metric(&v, usual[i]);
    for (size_t i = 0; i < s->metrics && v.showns == 0; i++)
        show_metric(&v, s->metric[i].name);
    if (v.objectives == 0)
        v.objectives = v.showns < 3 ? v.showns : 3;
    v.theta = da_study_parameter(s, "protocol.theta");
    v.judged = da_goals(s, DA_REPORT_LEVEL, &v.goals, &error) == DC_OK;
    return v;
}

/* ---- what was run ---------------------------------------------------------------------------- */

static void overview(const struct da_study_view *v)
{
    static const char *const designs[] = {
        "Full grid",         "Latin hypercube",      "Scrambled Sobol sequence",
        "Saltelli's design", "Morris' trajectories", "List of points"};
    const struct da_study *s = v->s;
    size_t status[5] = {0};
    for (size_t i = 0; i < s->points * s->replications; i++)
        status[s->status[i] < 5 ? s->status[i] : DA_RUN_FAILED]++;
    da_report_section(v->r, "study", "The study");
    da_report_paragraph(
        v->r,
        "%s: %s points, at most %s replications each. Replication r has the same seed at every "
        "point, so differences between points are paired. Intervals hold 95 %%.",
        designs[s->design <= DA_LIST ? s->design : DA_LIST],
        da_report_count(v->r, (double)s->points), da_report_count(v->r, (double)s->replications));
    const char **item = da_report_take(v->r, 10, sizeof *item);
    static const char *const words[] = {"runs missing or not asked for", "runs to their end",
                                        "runs in which an expectation did not hold (they count)",
                                        "runs in which an invariant was violated (no data)",
                                        "runs that failed (no data)"};
    size_t n = 0;
    for (size_t i = 0; i < 5; i++)
        if (status[i] > 0) {
            item[n++] = words[i];
            item[n++] = da_report_count(v->r, (double)status[i]);
        }
    da_report_pairs(v->r, item, n);
}

static void parameters(const struct da_study_view *v)
{
    static const struct da_column columns[] = {
        {"parameter", "", true}, {"values", "", true}, {"scale", "", true}};
    struct da_rows *rows = da_rows_begin(v->r, "What was varied", columns, 3);
    double *level = da_report_take(v->r, v->s->points, sizeof *level);
    for (size_t i = 0; i < v->s->parameters; i++) {
        const struct da_parameter *p = &v->s->parameter[i];
        size_t n = da_view_levels(v, i, level);
        struct dc_text text = {0};
        if (n > 8 && !p->words)
            dc_text_printf(&text, "%s to %s", da_view_level(v, i, p->lo),
                           da_view_level(v, i, p->hi));
        for (size_t k = 0; k < n && text.size < 400 && (n <= 8 || p->words); k++)
            dc_text_printf(&text, "%s%s", k > 0 ? ", " : "", da_view_level(v, i, level[k]));
        da_rows_add(rows, p->path);
        da_rows_add(rows, da_report_text(v->r, "%s", text.data == NULL ? "" : text.data));
        da_rows_add(rows, p->words ? "words" : p->scale == DA_LOG ? "logarithmic" : "linear");
        dc_text_free(&text);
    }
    da_rows_end(rows, NULL);
}

static void failures(const struct da_study_view *v)
{
    static const struct da_column columns[] = {{"point", "", false},
                                               {"replication", "", false},
                                               {"setting", "", true},
                                               {"what failed", "", true}};
    struct da_rows *rows = da_rows_begin(v->r, "Runs without data", columns, 4);
    if (v->s->failures > 0)
        da_report_note(v->r, DA_TONE_BAD,
                       "%s runs have no data; means are over the others, and points without any "
                       "are left out of figures.",
                       da_report_count(v->r, (double)v->s->failures));
    for (size_t i = 0; i < v->s->failures; i++) {
        const struct da_failure *f = &v->s->failure[i];
        da_rows_add(rows, da_report_text(v->r, "%zu", f->point));
        da_rows_add(rows, da_report_text(v->r, "%zu", f->replication));
        da_rows_add(rows, f->point < v->s->points ? da_view_setting(v, f->point) : NULL);
        da_rows_add(rows, f->text);
    }
    da_rows_end(rows, v->s->failures > 10 ? "Every run that failed" : NULL);
}

/* ---- where they come from -------------------------------------------------------------------- */

static const char *or_unknown(const char *text)
{
    return text == NULL || text[0] == '\0' ? "unknown" : text;
}

static void provenance(const struct da_study_view *v, const char *file)
{
    const struct da_study *s = v->s;
    const char **item = da_report_take(v->r, 8, sizeof *item);
    da_report_section(v->r, "points", "All points");
    da_view_points(v);
    da_report_section(v->r, "provenance", "Provenance");
    item[0] = "file";
    item[1] = file;
    item[2] = "destrasim";
    item[3] = or_unknown(s->version);
    item[4] = "seeds";
    item[5] = s->replications == 0
                  ? "none"
                  : da_report_text(v->r, "%llu to %llu", (unsigned long long)s->seed[0],
                                   (unsigned long long)s->seed[s->replications - 1]);
    da_report_pairs(v->r, item, 6);
    da_report_title(v->r, "To see it again");
    da_report_paragraph(v->r,
                        "Save the study and the scenario below, or take the files it was made "
                        "of; `scenario:` of the study names the scenario relative to it.");
    da_report_code(v->r, NULL,
                   da_report_text(v->r, "destrasim sweep %s.yaml -o %s\ndestrasim report %s/%s",
                                  s->name, s->name, s->name, file));
    da_report_code(v->r, "The study, resolved", or_unknown(s->text));
    da_report_code(v->r, "The scenario, resolved: every value, defaults included",
                   or_unknown(s->scenario));
}

/* ---- all of it ------------------------------------------------------------------------------- */

enum { PARETO_PAIRS = 3, BY_LEVELS_MAX = 12 };

static void trade_offs(const struct da_study_view *v)
{
    static const char *const pairs[][2] = {{"challenge_bytes_share", "loss"},
                                           {"challenges_total", "loss"},
                                           {"challenge_bytes_share", "profit_by_strategy"},
                                           {"loss_slashed", "profit_by_strategy"},
                                           {"finality_latency.p99", "loss"},
                                           {"honest_slashed", "profit_by_strategy"}};
    size_t shown = 0;
    da_report_section(v->r, "trade-offs", "Trade-offs");
    da_report_show(v->r, da_view_tradeoff(v));
    if (v->s->objectives >= 2) {
        da_view_pareto(v, da_study_metric(v->s, v->s->objective[0].metric),
                       da_study_metric(v->s, v->s->objective[1].metric));
        shown++;
    }
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && shown < PARETO_PAIRS; i++) {
        size_t a = da_study_metric(v->s, pairs[i][0]), b = da_study_metric(v->s, pairs[i][1]);
        bool twice = i == 1 && da_study_metric(v->s, pairs[0][0]) != SIZE_MAX; /* much the same */
        if (a == SIZE_MAX || b == SIZE_MAX || twice ||
            (v->s->objectives >= 2 && ((a == da_study_metric(v->s, v->s->objective[0].metric) &&
                                        b == da_study_metric(v->s, v->s->objective[1].metric)) ||
                                       (b == da_study_metric(v->s, v->s->objective[0].metric) &&
                                        a == da_study_metric(v->s, v->s->objective[1].metric)))))
            continue;
        da_view_pareto(v, a, b);
        shown++;
    }
    da_report_show(v->r, da_view_roc(v));
}

static void optima(const struct da_study_view *v)
{
    double *level = da_report_take(v->r, v->s->points, sizeof *level);
    if (v->theta == SIZE_MAX || da_view_scattered(v, v->theta))
        return;
    da_report_section(v->r, "optimum", "The best theta");
    bool any = false;
    for (size_t by = 0; by < v->s->parameters; by++) {
        size_t n = da_view_levels(v, by, level);
        if (by == v->theta || da_view_scattered(v, by) || n < 2 || n > BY_LEVELS_MAX)
            continue;
        any = true;
        da_report_show(v->r, da_view_optimum(v, by));
        da_view_optimum_table(v, by);
    }
    if (!any)
        da_view_optimum_table(v, SIZE_MAX);
}

/* A metric that is the same in every run needs no curve. */
static bool varies(const struct da_study_view *v, size_t metric)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t p = 0; p < v->s->points; p++)
        for (size_t r = 0; r < v->s->replications; r++) {
            least = fmin(least, da_view_at(v, p, r, metric));
            most = fmax(most, da_view_at(v, p, r, metric));
        }
    return least < most;
}

void da_report_study(struct da_report *r, const struct da_study *s, const char *file,
                     const char *short_name)
{
    struct da_study_view v = view_of(r, s);
    da_report_prefix(r, short_name[0] == '\0' ? "" : da_report_text(r, "%s-", short_name), s->name);
    overview(&v);
    parameters(&v);
    failures(&v);
    da_view_best(&v);
    optima(&v);
    da_report_section(r, "curves", "Over each parameter");
    for (size_t i = 0; i < v.showns; i++)
        for (size_t p = 0; p < s->parameters; p++)
            if (i < v.objectives || (p == v.theta && varies(&v, v.shown[i])))
                da_report_show(r, da_view_curve(&v, v.shown[i], p));
    trade_offs(&v);
    da_report_section(r, "effects", "What matters");
    for (size_t i = 0; i < v.objectives; i++)
        da_report_show(r, da_view_sensitivity(&v, v.shown[i]));
    for (size_t i = 0; i < v.objectives; i++)
        da_report_show(r, da_view_heat(&v, v.shown[i]));
    for (size_t i = 0; i < v.objectives; i++)
        da_report_show(r, da_view_paired(&v, v.shown[i]));
    provenance(&v, file);
    da_report_prefix(r, "", NULL);
    da_goals_free(&v.goals);
}

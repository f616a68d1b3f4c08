/* The points of a study as tables: the best ones, and all of them.
 *
 * What is chosen (protocol.*) is told from the world it is chosen for (all other paths): the best of
 * all points would only say which world is kindest, so that the best ones are named for each. */
#include "analysis/report_study.h"

#include <math.h>
#include <string.h>

enum { SEED = 1, ROWS_MAX = 5, ROWS_EACH = 3, WORLDS_MAX = 6 };

/* ---- worlds ---------------------------------------------------------------------------------- */

/* Marks the points of the same world as `point`; false: an earlier point is of it, too. */
static bool world_of(const struct da_study_view *v, size_t point, const bool *world, bool *same)
{
    bool first = true;
    for (size_t p = 0; p < v->s->points; p++) {
        same[p] = true;
        for (size_t i = 0; i < v->s->parameters; i++)
            same[p] =
                same[p] && (!world[i] || da_study_x(v->s, p, i) == da_study_x(v->s, point, i));
        first = first && !(same[p] && p < point);
    }
    return first;
}

/* Which parameters are of the world, where that leaves something to choose and few worlds. */
static size_t worlds(const struct da_study_view *v, bool *world)
{
    size_t of_world = 0, n = 0;
    bool *same = da_report_take(v->r, v->s->points, sizeof *same);
    for (size_t i = 0; i < v->s->parameters; i++) {
        world[i] = strncmp(v->s->parameter[i].path, "protocol.", 9) != 0;
        of_world += world[i];
    }
    if (of_world > 0 && of_world < v->s->parameters)
        for (size_t p = 0; p < v->s->points && n <= WORLDS_MAX; p++)
            n += world_of(v, p, world, same);
    if (n >= 2 && n <= WORLDS_MAX)
        return n;
    memset(world, 0, v->s->parameters * sizeof *world);
    return 1;
}

/* ---- the best -------------------------------------------------------------------------------- */

static void constraints(const struct da_study_view *v)
{
    static const struct da_column columns[] = {{"constraint", "", true},
                                               {"with confidence", "", false},
                                               {"points that meet it", "", false}};
    struct da_rows *rows = da_rows_begin(v->r, "Constraints", columns, 3);
    for (size_t i = 0; i < v->s->constraints; i++) {
        da_rows_add(rows, v->s->constraint[i].text);
        da_rows_add(rows, da_report_percent(v->r, v->s->constraint[i].confidence));
        da_rows_add(rows, da_report_text(v->r, "%zu of %zu", v->goals.met_count[i], v->s->points));
    }
    da_rows_end(rows, NULL);
    struct dc_text why = {0};
    da_goals_why_not(v->s, &v->goals, &why);
    struct dc_text apart = {0};
    for (size_t i = 0; i < why.size; i++)
        dc_text_printf(&apart, why.data[i] == '\n' ? "%c\n" : "%c", why.data[i]);
    if (apart.size > 0)
        da_report_note(v->r, DA_TONE_BAD, "%s", apart.data);
    dc_text_free(&apart);
    dc_text_free(&why);
}

/* The best points that may take part, best first; what the others are behind, and how surely. */
static void best_rows(const struct da_study_view *v, struct da_rows *rows, size_t objective,
                      const bool *allowed, size_t most)
{
    const struct da_objective *o = &v->s->objective[objective];
    struct da_best b = {0};
    struct dc_error error = {0};
    size_t metric = da_study_metric(v->s, o->metric);
    if (da_best(v->s, metric, o->maximise, allowed, DA_REPORT_LEVEL, SEED, &b, &error) == DC_OK) {
        bool *told = da_report_take(v->r, v->s->points, sizeof *told),
             *chosen = da_report_take(v->r, v->s->points, sizeof *chosen);
        for (size_t row = 0; row < most; row++) {
            size_t at = row == 0 ? b.point : SIZE_MAX;
            for (size_t p = 0; p < v->s->points && row > 0; p++)
                if (!told[p] && b.contender[p] && allowed[p] &&
                    (at == SIZE_MAX || b.behind[p].value < b.behind[at].value))
                    at = p;
            if (at == SIZE_MAX)
                break;
            told[at] = chosen[at] = true;
            da_rows_add(rows, da_report_text(v->r, "%zu", at));
            da_rows_add(rows, da_view_setting(v, at));
            da_rows_add(rows, da_report_interval(v->r, da_view_mean(v, metric, chosen)));
            da_rows_add(rows, row == 0 ? "best" : da_report_interval(v->r, b.behind[at]));
            da_rows_add(rows, isnan(b.chance[at]) ? "-" : da_report_percent(v->r, b.chance[at]));
            da_rows_add(rows, row == 0 ? da_report_text(v->r, "%zu", b.contenders) : NULL);
            chosen[at] = false;
        }
    }
    da_best_free(&b);
}

static void best_of(const struct da_study_view *v, size_t objective)
{
    const struct da_objective *o = &v->s->objective[objective];
    size_t metric = da_study_metric(v->s, o->metric);
    const char *unit = v->s->metric[metric].unit;
    struct da_column *column = da_report_take(v->r, 6, sizeof *column);
    bool *world = da_report_take(v->r, v->s->parameters, sizeof *world),
         *allowed = da_report_take(v->r, v->s->points, sizeof *allowed);
    size_t count = worlds(v, world);
    column[0] = (struct da_column){"point", "", false};
    column[1] = (struct da_column){"setting", "", true};
    column[2] = (struct da_column){o->metric, unit, false};
    column[3] = (struct da_column){"worse by", unit, false};
    column[4] = (struct da_column){"chance to be best", "", false};
    column[5] = (struct da_column){"may be best", "", false};
    struct da_rows *rows = da_rows_begin(
        v->r,
        da_report_text(v->r,
                       "%s %s%s%s. Means with 95 %% intervals; worse by: differences of runs with "
                       "the same seed; may be best: points that no other is significantly better "
                       "than, of which the first are shown",
                       o->maximise ? "Most" : "Least", o->metric,
                       v->s->constraints > 0 ? " among points that meet every constraint" : "",
                       count > 1 ? ", for each world (what is not of the protocol)" : ""),
        column, 6);
    for (size_t p = 0; p < v->s->points; p++) {
        if (!world_of(v, p, world, allowed))
            continue;
        for (size_t k = 0; k < v->s->points; k++)
            allowed[k] = allowed[k] && v->goals.feasible[k];
        best_rows(v, rows, objective, allowed, count > 1 ? ROWS_EACH : ROWS_MAX);
    }
    da_rows_end(rows, NULL);
}

void da_view_best(const struct da_study_view *v)
{
    da_report_section(v->r, "best", "The best points");
    if (!v->judged || v->s->objectives == 0) {
        da_report_paragraph(v->r, "The study names no objective.");
        return;
    }
    constraints(v);
    if (v->goals.feasible_count > 0)
        da_report_paragraph(v->r, "The best mean was chosen because it is the best, so that it is "
                                  "a little flattered: a point that may be best as well is no "
                                  "worse for all that is known.");
    for (size_t i = 0; i < v->s->objectives; i++)
        best_of(v, i);
}

/* ---- all ------------------------------------------------------------------------------------- */

void da_view_points(const struct da_study_view *v)
{
    const struct da_study *s = v->s;
    size_t metrics = v->showns < 10 ? v->showns : 10, columns = 2 + s->parameters + metrics;
    struct da_column *column = da_report_take(v->r, columns + 1, sizeof *column);
    size_t n = 0;
    column[n++] = (struct da_column){"point", "", false};
    for (size_t i = 0; i < s->parameters; i++)
        column[n++] = (struct da_column){s->parameter[i].label, "", s->parameter[i].words};
    column[n++] = (struct da_column){"runs", "", false};
    for (size_t i = 0; i < metrics; i++)
        column[n++] =
            (struct da_column){s->metric[v->shown[i]].name, s->metric[v->shown[i]].unit, false};
    struct da_rows *rows = da_rows_begin(v->r, "Means with their 95 % intervals", column, n);
    bool *chosen = da_report_take(v->r, s->points, sizeof *chosen);
    for (size_t p = 0; p < s->points; p++) {
        size_t runs = 0;
        da_rows_add(rows, da_report_text(v->r, "%zu", p));
        for (size_t i = 0; i < s->parameters; i++)
            da_rows_add(rows, da_view_level(v, i, da_study_x(s, p, i)));
        for (size_t r = 0; r < s->replications; r++) {
            uint8_t status = s->status[p * s->replications + r];
            runs += status == DA_RUN_DONE || status == DA_RUN_EXPECTATION;
        }
        da_rows_add(rows, da_report_text(v->r, "%zu", runs));
        chosen[p] = true;
        for (size_t i = 0; i < metrics; i++)
            da_rows_add(rows, da_report_interval(v->r, da_view_mean(v, v->shown[i], chosen)));
        chosen[p] = false;
    }
    da_rows_end(rows, da_report_text(v->r, "All %zu points", s->points));
}

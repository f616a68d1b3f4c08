/* Constraints and objectives at every point, and why none is feasible. */
#include "analysis/goals.h"

#include "analysis/resample.h"

#include <math.h>
#include <string.h>

static enum dc_status goals_no_memory(struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "out of memory for the goals of a study");
}

/* --- one verdict ---------------------------------------------------------------------------- */

/* How far x is beyond what the constraint allows; below 0 inside. */
static double constraint_excess(const struct da_constraint *c, double x)
{
    switch (c->op) {
    case DA_LT:
    case DA_LE: return x - c->value;
    case DA_GT:
    case DA_GE: return c->value - x;
    case DA_EQ: return fabs(x - c->value);
    case DA_NE: return -fabs(x - c->value);
    }
    return NAN;
}

static bool constraint_holds(const struct da_constraint *c, double x)
{
    double excess = constraint_excess(c, x);
    bool strict = c->op == DA_LT || c->op == DA_GT || c->op == DA_NE;
    return strict ? excess < 0 : excess <= 0;
}

struct da_verdict da_constraint_judge(const struct da_constraint *c, const double *x, size_t n)
{
    struct da_verdict v = {DA_UNKNOWN, NAN, NAN};
    if (n == 0)
        return v;
    v.mean = da_mean(x, n);
    if (c->op == DA_EQ || c->op == DA_NE) {
        v.bound = x[0];
        for (size_t i = 1; i < n; i++)
            if (constraint_excess(c, x[i]) > constraint_excess(c, v.bound))
                v.bound = x[i];
        v.met = constraint_holds(c, v.bound) ? DA_MET : DA_NOT_MET;
        return v;
    }
    if (n < 2)
        return v;
    double error = sqrt(da_variance(x, n) / (double)n);
    double half = da_t_quantile(c->confidence, (double)(n - 1)) * error;
    double up = c->op == DA_LT || c->op == DA_LE ? half : -half;
    v.bound = v.mean + up;
    if (constraint_holds(c, v.bound))
        v.met = DA_MET;
    else if (!constraint_holds(c, v.mean - up))
        v.met = DA_NOT_MET;
    return v;
}

/* --- all points ----------------------------------------------------------------------------- */

static enum dc_status goals_metric(const struct da_study *s, const char *name, const char *what,
                                   size_t *metric, struct dc_error *error)
{
    *metric = da_study_metric(s, name);
    if (*metric != SIZE_MAX)
        return DC_OK;
    return dc_error_set(error, DC_ERR_USAGE,
                        "%s of %s: the study's results have no such metric; list it under "
                        "`metrics` or correct its name",
                        what, name);
}

static bool goals_rooms(const struct da_study *s, struct da_goals *g)
{
    struct dc_arena *arena = &g->arena;
    g->points = s->points;
    g->objectives = s->objectives;
    g->constraints = s->constraints;
    g->objective = dc_arena_alloc(arena, (g->points * g->objectives + 1) * sizeof *g->objective);
    g->verdict = dc_arena_alloc(arena, (g->points * g->constraints + 1) * sizeof *g->verdict);
    g->feasible = dc_arena_alloc(arena, (g->points + 1) * sizeof *g->feasible);
    g->possible = dc_arena_alloc(arena, (g->points + 1) * sizeof *g->possible);
    g->best = dc_arena_alloc(arena, (g->objectives + 1) * sizeof *g->best);
    g->met_count = dc_arena_alloc(arena, (g->constraints + 1) * sizeof *g->met_count);
    return g->objective && g->verdict && g->feasible && g->possible && g->best && g->met_count;
}

static void goals_best(const struct da_study *s, struct da_goals *g)
{
    for (size_t j = 0; j < g->objectives; j++) {
        double sign = s->objective[j].maximise ? -1 : 1;
        g->best[j] = SIZE_MAX;
        for (size_t i = 0; i < g->points; i++) {
            double x = sign * g->objective[i * g->objectives + j].value;
            if (g->feasible[i] && (g->best[j] == SIZE_MAX ||
                                   x < sign * g->objective[g->best[j] * g->objectives + j].value))
                g->best[j] = i;
        }
    }
}

enum dc_status da_goals(const struct da_study *s, double level, struct da_goals *g,
                        struct dc_error *error)
{
    memset(g, 0, sizeof *g);
    double *sample = dc_arena_alloc(&g->arena, (s->replications + 1) * sizeof *sample);
    if (!sample || !goals_rooms(s, g))
        return goals_no_memory(error);
    for (size_t i = 0; i < g->points; i++)
        g->feasible[i] = g->possible[i] = true;
    enum dc_status status;
    size_t metric;
    for (size_t j = 0; j < g->objectives; j++) {
        status = goals_metric(s, s->objective[j].metric, "objective", &metric, error);
        if (status != DC_OK)
            return status;
        for (size_t i = 0; i < g->points; i++) {
            size_t n = da_study_sample(s, i, metric, sample);
            struct da_estimate none = {NAN, NAN, NAN, 0};
            g->objective[i * g->objectives + j] = n > 0 ? da_mean_interval(sample, n, level) : none;
            g->feasible[i] &= n > 0;
            g->possible[i] &= n > 0;
        }
    }
    for (size_t j = 0; j < g->constraints; j++) {
        status = goals_metric(s, s->constraint[j].metric, "constraint", &metric, error);
        if (status != DC_OK)
            return status;
        for (size_t i = 0; i < g->points; i++) {
            size_t n = da_study_sample(s, i, metric, sample);
            struct da_verdict v = da_constraint_judge(&s->constraint[j], sample, n);
            g->verdict[i * g->constraints + j] = v;
            g->feasible[i] &= v.met == DA_MET;
            g->possible[i] &= v.met != DA_NOT_MET;
            g->met_count[j] += v.met == DA_MET;
        }
    }
    for (size_t i = 0; i < g->points; i++) {
        g->feasible_count += g->feasible[i];
        g->possible_count += g->possible[i];
    }
    goals_best(s, g);
    return DC_OK;
}

void da_goals_free(struct da_goals *g)
{
    dc_arena_free(&g->arena);
    memset(g, 0, sizeof *g);
}

/* --- in words ------------------------------------------------------------------------------- */

void da_study_setting(const struct da_study *s, size_t point, struct dc_text *text)
{
    for (size_t j = 0; j < s->parameters; j++) {
        const struct da_parameter *p = &s->parameter[j];
        double x = da_study_x(s, point, j);
        dc_text_printf(text, "%s%s=", j ? ", " : "", p->label);
        if (p->words && p->word && x >= 0 && x < (double)p->words_count)
            dc_text_add(text, p->word[(size_t)x]);
        else if (p->unit[0] && strcmp(p->unit, "1") != 0)
            dc_text_printf(text, "%.6g %s", x, p->unit);
        else
            dc_text_printf(text, "%.6g", x);
    }
}

/* The point that comes nearest to a constraint; SIZE_MAX: none has data. */
static size_t goals_nearest(const struct da_study *s, const struct da_goals *g, size_t constraint)
{
    size_t nearest = SIZE_MAX;
    double least = INFINITY;
    for (size_t i = 0; i < g->points; i++) {
        const struct da_verdict *v = &g->verdict[i * g->constraints + constraint];
        double excess =
            constraint_excess(&s->constraint[constraint], isnan(v->bound) ? v->mean : v->bound);
        if (excess < least) { /* not so for NaN */
            least = excess;
            nearest = i;
        }
    }
    return nearest;
}

static void why_constraint(const struct da_study *s, const struct da_goals *g, size_t j,
                           struct dc_text *text)
{
    const struct da_constraint *c = &s->constraint[j];
    size_t nearest = goals_nearest(s, g, j);
    if (nearest == SIZE_MAX) {
        dc_text_printf(text, "no point has data of %s for `%s`\n", c->metric, c->text);
        return;
    }
    const struct da_verdict *v = &g->verdict[nearest * g->constraints + j];
    if (c->op == DA_EQ || c->op == DA_NE)
        dc_text_printf(text, "no point meets `%s` in every replication", c->text);
    else
        dc_text_printf(text, "no point meets `%s` with %.4g %% confidence", c->text,
                       100 * c->confidence);
    dc_text_printf(text, "; nearest is point %zu (", nearest);
    da_study_setting(s, nearest, text);
    dc_text_printf(text, "): mean %.6g", v->mean);
    if (!isnan(v->bound))
        dc_text_printf(text, ", bound %.6g", v->bound);
    dc_text_add(text, "\n");
}

/* Each is met somewhere: the point that meets most, and what it lacks. */
static void why_together(const struct da_study *s, const struct da_goals *g, struct dc_text *text)
{
    size_t nearest = 0, most = 0;
    for (size_t i = 0; i < g->points; i++) {
        size_t met = 0;
        for (size_t j = 0; j < g->constraints; j++)
            met += g->verdict[i * g->constraints + j].met == DA_MET;
        if (met > most) {
            most = met;
            nearest = i;
        }
    }
    dc_text_printf(text, "no point meets all %zu constraints together; point %zu (", g->constraints,
                   nearest);
    da_study_setting(s, nearest, text);
    dc_text_printf(text, ") meets %zu and lacks", most);
    for (size_t j = 0, said = 0; j < g->constraints; j++)
        if (g->verdict[nearest * g->constraints + j].met != DA_MET)
            dc_text_printf(text, "%s `%s`", said++ ? "," : "", s->constraint[j].text);
    if (most == g->constraints)
        dc_text_add(text, " data of an objective");
    dc_text_add(text, "\n");
}

void da_goals_why_not(const struct da_study *s, const struct da_goals *g, struct dc_text *text)
{
    if (g->feasible_count > 0)
        return;
    bool alone = false;
    size_t open = 0;
    for (size_t i = 0; i < g->points * g->constraints; i++)
        open += g->verdict[i].met == DA_UNKNOWN;
    for (size_t j = 0; j < g->constraints; j++) {
        if (g->met_count[j] > 0)
            continue;
        why_constraint(s, g, j, text);
        alone = true;
    }
    if (g->constraints == 0 || g->points == 0)
        dc_text_add(text, "no point has data of every objective\n");
    else if (!alone)
        why_together(s, g, text);
    if (open > 0)
        dc_text_printf(text, "%zu of %zu verdicts are open: more replications may decide them\n",
                       open, g->points * g->constraints);
    else if (g->constraints > 0)
        dc_text_add(text, "widen the parameters' ranges or relax a constraint\n");
}

/* The design of a study, and every point of it loaded as a scenario once: what a run would refuse
 * is refused before the first one.
 *
 * A refusal names the value that is to blame, where the loader could tell (its message is then
 * about an override), and how many points have it: one message for a reason, at most five. */
#include "sim/scenario/study_parts.h"

#include "analysis/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_REASONS_MAX 5

uint64_t ds_study_runs(const struct ds_study *study)
{
    return (uint64_t)study->points * study->replications.most;
}

/* ---- the design ------------------------------------------------------------------------------ */

static bool points_all_lists(const struct ds_study *s)
{
    for (size_t j = 0; j < s->parameters; j++)
        if (s->axis[j].values == 0)
            return false;
    return true;
}

/* `levels`, `points` and `base` where the kind takes them; others are refused. */
static bool points_numbers(struct ds_study_load *l, const struct ds_yaml *map,
                           struct da_design_plan *plan)
{
    static const struct {
        const char *path;
        unsigned kinds;
        const char *hint;
    } rows[] = {
        {"design.points", 1u << DA_LHS | 1u << DA_SOBOL,
         "saltelli and morris take `base`, a grid has all combinations"},
        {"design.base", 1u << DA_SALTELLI | 1u << DA_MORRIS, "lhs and sobol take `points`"},
        {"design.levels", 1u << DA_MORRIS | 1u << DA_GRID, "only morris and grids have levels"},
    };
    bool ok = true;
    uint64_t number[3] = {0, plan->kind == DA_MORRIS ? 10 : 64, plan->kind == DA_MORRIS ? 4 : 0};
    for (size_t i = 0; i < 3; i++) {
        const struct ds_yaml *n = map != NULL && map->kind == DS_YAML_MAP
                                      ? ds_yaml_get(map, ds_study_name_of(rows[i].path))
                                      : NULL;
        bool applies = (rows[i].kinds >> plan->kind & 1) != 0;
        if (applies && (n != NULL || i == 0)) {
            ok = ds_study_count(l, map, rows[i].path, &number[i]) && ok;
        } else if (n != NULL) {
            struct ds_yaml at = {.file = n->file, .place = n->key_place};
            ds_bind_error(&l->b, &at, "`%s` does nothing for this design: %s",
                          ds_study_name_of(rows[i].path), rows[i].hint);
            ok = false;
        }
    }
    plan->points = number[0];
    plan->base = plan->kind == DA_SALTELLI || plan->kind == DA_MORRIS ? number[1] : 0;
    plan->levels = (uint32_t)number[2];
    return ok;
}

/* Levels of a grid: the values of a list, `levels` of a range. */
static bool points_levels(struct ds_study_load *l, const struct ds_yaml *at,
                          struct da_design_plan *plan)
{
    uint32_t *level = ds_bind_alloc(&l->b, plan->factors, sizeof *level);
    for (size_t j = 0; level != NULL && j < plan->factors; j++) {
        level[j] = l->out->axis[j].values > 0 ? (uint32_t)l->out->axis[j].values : plan->levels;
        if (level[j] != 0)
            continue;
        ds_bind_error(&l->b, at,
                      "a grid needs `values` for `%s`, or `levels` for its ranges, as "
                      "in `design: {kind: grid, levels: 5}`",
                      l->out->axis[j].path[0]);
        return false;
    }
    plan->level = level;
    return level != NULL;
}

/* x of factor j at row u of the design. */
static double points_x(const struct ds_study *s, const struct da_design_plan *plan, size_t j,
                       double u)
{
    if (plan->kind == DA_GRID && s->axis[j].values == 0) {
        uint32_t n = plan->level[j];
        u = (double)da_design_level(u, n) / (n - 1); /* both ends of a range */
    }
    return ds_study_at(s, j, u);
}

/* One point's x, overrides and texts; false: out of memory. */
static bool points_fill(struct ds_study_load *l, size_t i, const struct da_design_plan *plan,
                        const double *u)
{
    struct ds_study *s = l->out;
    size_t count = s->sets;
    for (size_t j = 0; j < s->parameters; j++)
        count += s->axis[j].paths;
    double *x = ds_bind_alloc(&l->b, s->parameters, sizeof *x);
    const char **text = ds_bind_alloc(&l->b, s->parameters, sizeof *text);
    const char **override = ds_bind_alloc(&l->b, count, sizeof *override);
    if (x == NULL || text == NULL || override == NULL)
        return false;
    s->point[i] =
        (struct ds_study_point){.override = override, .overrides = count, .x = x, .text = text};
    for (size_t n = 0; n < s->sets; n++)
        *override++ = s->set[n];
    for (size_t j = 0; j < s->parameters; j++) {
        x[j] = points_x(s, plan, j, u[j]);
        if (!ds_study_axis_override(s, j, x[j], &s->arena, override, &text[j])) {
            l->b.d->failed = true;
            return false;
        }
        override += s->axis[j].paths;
    }
    return true;
}

/* A grid in which whole numbers of a range fall together. */
static bool points_distinct(struct ds_study_load *l, const struct da_design_plan *plan,
                            const struct ds_yaml *at)
{
    const struct ds_study *s = l->out;
    for (size_t j = 0; plan->kind == DA_GRID && j < s->parameters; j++) {
        double last = NAN;
        for (uint32_t n = 0; s->axis[j].values == 0 && n < plan->level[j]; n++) {
            double x = points_x(s, plan, j, (n + 0.5) / plan->level[j]);
            if (x == last) {
                ds_bind_error(&l->b, at,
                              "levels: %u values of `%s` from %.9g to %.9g are not all "
                              "different: take fewer levels, or give `values`",
                              plan->level[j], s->axis[j].path[0], s->parameter[j].lo,
                              s->parameter[j].hi);
                return false;
            }
            last = x;
        }
    }
    return true;
}

static void points_make(struct ds_study_load *l, const struct da_design_plan *plan,
                        const struct ds_yaml *at)
{
    struct ds_study *s = l->out;
    struct dc_error error = {0};
    size_t rows = da_design_rows(plan, &error);
    if (rows == 0) {
        ds_bind_error(&l->b, at, "design: %s", error.text);
        return;
    }
    double *u = dc_mem_alloc(rows * plan->factors, sizeof *u);
    s->point = ds_bind_alloc(&l->b, rows, sizeof *s->point);
    if (u == NULL || s->point == NULL) {
        l->b.d->failed = true;
    } else if (da_design_make(plan, u, &error) != DC_OK) {
        ds_bind_error(&l->b, at, "design: %s", error.text);
    } else if (points_distinct(l, plan, at)) {
        bool ok = true;
        for (size_t i = 0; ok && i < rows; i++)
            ok = points_fill(l, i, plan, u + i * plan->factors);
        s->points = ok ? rows : 0;
    }
    dc_mem_free(u);
}

void ds_study_bind_design(struct ds_study_load *l)
{
    struct ds_study *s = l->out;
    const struct ds_yaml *n = ds_study_entry(l, l->root, "design");
    size_t before = l->b.d->count;
    uint32_t kind = points_all_lists(s) ? DA_GRID : DA_SOBOL;
    s->design_seed = 1;
    if (n != NULL && n->kind == DS_YAML_SCALAR) {
        kind = ds_study_word_of(l, n, "design.kind");
    } else if (n != NULL && n->kind == DS_YAML_MAP) {
        ds_study_keys(l, "design", n);
        if (ds_yaml_get(n, "kind") != NULL)
            ds_study_word(l, n, "design.kind", &kind);
        ds_study_count(l, n, "design.seed", &s->design_seed);
    } else if (n != NULL) {
        ds_bind_error(&l->b, n,
                      "design takes a word, or a mapping such as `{kind: sobol, points: "
                      "64}`");
    }
    if (l->b.d->count > before || l->b.d->failed)
        return;
    s->design = (enum da_design)kind;
    struct da_design_plan plan = {
        .kind = s->design, .factors = s->parameters, .seed = s->design_seed};
    const struct ds_yaml *at = n != NULL ? n : l->at;
    bool ok = points_numbers(l, n, &plan);
    s->base = plan.base;
    s->levels = plan.levels;
    s->plan_points = plan.points;
    if (!ok || (plan.kind == DA_GRID && !points_levels(l, at, &plan)))
        return;
    if (s->parameters > 0) {
        points_make(l, &plan, at);
        return;
    }
    const double nowhere = 0;
    s->point = ds_bind_alloc(&l->b, 1, sizeof *s->point); /* of a rare event */
    if (s->point != NULL && points_fill(l, 0, &plan, &nowhere))
        s->points = 1;
}

/* ---- every point as a scenario --------------------------------------------------------------- */

struct points_reason {
    const char *file;
    struct ds_place place;
    const char *message;
    size_t count, first;
    char settings[300];
};

static void points_source(const struct ds_study_load *l, struct ds_source *source)
{
    *source = (struct ds_source){.name = l->out->scenario,
                                 .text = l->scenario_text.data != NULL ? l->scenario_text.data : "",
                                 .size = l->scenario_text.size,
                                 .folder = l->scenario_folder.data,
                                 .inputs = l->b.source->inputs,
                                 .inputs_count = l->b.source->inputs_count};
}

/* Whether a diagnostic's file is "--set OVERRIDE", as override.c cuts it. */
static bool points_blames(const char *file, const char *override)
{
    if (strncmp(file, "--set ", 6) != 0 || strncmp(file + 6, override, 200) != 0)
        return false;
    return strlen(override) >= 200 || strlen(file + 6) == strlen(override);
}

/* The study's own place for what the loader said of an override. */
static bool points_blame(const struct ds_study_load *l, const struct ds_study_point *p,
                         const struct ds_diagnostic *d, const char **file, struct ds_place *place)
{
    const struct ds_study *s = l->out;
    for (size_t i = 0; i < s->sets; i++)
        if (points_blames(d->file, s->set[i])) {
            *file = l->set_file[i];
            *place = l->set_place[i];
            return true;
        }
    size_t n = s->sets;
    for (size_t j = 0; p != NULL && j < s->parameters; j++)
        for (size_t q = 0; q < s->axis[j].paths; q++, n++)
            if (points_blames(d->file, p->override[n])) {
                const struct ds_study_axis *a = &s->axis[j];
                struct dc_text text = {0};
                size_t value = 0;
                if (a->values > 0)
                    ds_study_axis_text(s, j, p->x[j], &text, &value);
                dc_text_free(&text);
                *file = a->file;
                *place = a->place[value];
                return true;
            }
    return false;
}

void ds_study_check_base(struct ds_study_load *l)
{
    struct ds_source source;
    struct ds_diagnostics d = {0};
    points_source(l, &source);
    enum dc_status status = ds_scenario_load_text(&source, l->out->set, l->out->sets, &l->base, &d);
    l->b.d->failed |= d.failed;
    for (size_t i = 0; i < d.count; i++) {
        const char *file = d.items[i].file;
        struct ds_place place = d.items[i].place;
        points_blame(l, NULL, &d.items[i], &file, &place);
        ds_diagnostics_add(l->b.d, file, place, "%s", d.items[i].message);
    }
    if (status != DC_OK)
        ds_scenario_free(&l->base);
    ds_diagnostics_free(&d);
}

static void points_settings(const struct ds_study *s, size_t i, char *out, size_t size)
{
    struct dc_text text = {0};
    for (size_t j = 0; j < s->parameters; j++)
        dc_text_printf(&text, "%s%s=%s", j > 0 ? ", " : "", s->axis[j].path[0],
                       s->point[i].text[j]);
    bool cut = text.size >= size;
    size_t keep = cut ? size - 4 : text.size;
    memcpy(out, text.data != NULL ? text.data : "", text.data != NULL ? keep : 0);
    memcpy(out + (text.data != NULL ? keep : 0), cut ? "..." : "", cut ? 4 : 1);
    dc_text_free(&text);
}

/* What a file name of a scenario's diagnostic adds to its message. */
static void points_message(const struct ds_diagnostic *d, bool blamed, struct dc_text *out)
{
    if (!blamed && d->place.line != 0)
        dc_text_printf(out, "%s:%u:%u: ", d->file, d->place.line, d->place.column);
    else if (!blamed)
        dc_text_printf(out, "%s: ", d->file);
    dc_text_add(out, d->message);
}

/* Counts a refusal under its reason; false when that is a new one and there are enough. */
static bool points_refused(struct ds_study_load *l, size_t i, const struct ds_diagnostic *d,
                           struct points_reason *reasons, size_t *count)
{
    struct ds_yaml at = {.file = l->at->file, .place = l->at->place};
    bool blamed = points_blame(l, &l->out->point[i], d, &at.file, &at.place);
    struct dc_text text = {0};
    points_message(d, blamed, &text);
    const char *message = ds_study_copy(l, &text);
    dc_text_free(&text);
    if (message == NULL)
        return true;
    for (size_t r = 0; r < *count; r++)
        if (strcmp(reasons[r].message, message) == 0) {
            reasons[r].count++;
            return true;
        }
    if (*count == POINTS_REASONS_MAX)
        return false;
    struct points_reason *r = &reasons[(*count)++];
    *r = (struct points_reason){
        .file = at.file, .place = at.place, .message = message, .count = 1, .first = i};
    points_settings(l->out, i, r->settings, sizeof r->settings);
    return true;
}

void ds_study_check_points(struct ds_study_load *l)
{
    struct ds_study *s = l->out;
    struct points_reason reasons[POINTS_REASONS_MAX];
    size_t count = 0, others = 0;
    struct ds_source source;
    points_source(l, &source);
    if (source.folder != NULL) { /* files are read once */
        source.inputs = l->base.inputs;
        source.inputs_count = l->base.inputs_count;
    }
    for (size_t i = 0; i < s->points && !l->b.d->failed; i++) {
        struct ds_scenario scenario;
        struct ds_diagnostics d = {0};
        enum dc_status status = ds_scenario_load_text(&source, s->point[i].override,
                                                      s->point[i].overrides, &scenario, &d);
        l->b.d->failed |= d.failed;
        if (status == DC_ERR_USAGE && d.count > 0 &&
            !points_refused(l, i, &d.items[0], reasons, &count))
            others++;
        ds_scenario_free(&scenario);
        ds_diagnostics_free(&d);
    }
    for (size_t r = 0; r < count; r++)
        ds_diagnostics_add(l->b.d, reasons[r].file, reasons[r].place,
                           "%s (refused at %zu of %zu points, first at point %zu: %s)",
                           reasons[r].message, reasons[r].count, s->points, reasons[r].first,
                           reasons[r].settings);
    if (others > 0)
        ds_diagnostics_add(l->b.d, l->at->file, l->at->place,
                           "%zu more points are refused for other reasons: correct these first",
                           others);
}

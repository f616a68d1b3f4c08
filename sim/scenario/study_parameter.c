/* The list of parameters as the file writes it: paths, values or ranges, names; and what two of
 * them may not do to each other. */
#include "sim/scenario/study_parts.h"

#include <stdio.h>
#include <string.h>

#define AXIS_PATHS_MAX 64
#define AXIS_VALUES_MAX 10000

/* The table's row of each path; false after a diagnostic. */
static bool axis_paths(struct ds_study_load *l, const struct ds_yaml *map, struct ds_study_axis *a)
{
    const struct ds_yaml *one = ds_study_entry(l, map, "parameters[].path");
    const struct ds_yaml *many = ds_study_entry(l, map, "parameters[].paths");
    const struct ds_yaml **item;
    size_t count = 0;
    if ((one == NULL) == (many == NULL)) {
        ds_bind_error(&l->b, map,
                      one == NULL ? "a parameter needs `path`, as in protocol.theta"
                                  : "`path` and `paths` are both given: keep one");
        return false;
    }
    if (!ds_study_texts(l, one != NULL ? one : many, one != NULL ? "path" : "paths", &item, &count))
        return false;
    if (count == 0 || count > (one != NULL ? 1 : AXIS_PATHS_MAX)) {
        ds_bind_error(&l->b, one != NULL ? one : many,
                      one != NULL ? "path takes one path: several that are given the same value "
                                    "are `paths`"
                                  : "paths takes 1 to 64 paths");
        return false;
    }
    const char **path = ds_bind_alloc(&l->b, count, sizeof *path);
    bool ok = path != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        char table[256];
        path[i] = item[i]->text;
        const struct ds_param *row = ds_param_resolve(path[i], table, sizeof table);
        struct ds_study_axis other = {0};
        if (row == NULL) {
            const char *near = ds_param_suggest(path[i]);
            ds_bind_error(&l->b, item[i], "unknown parameter `%.100s`%s%s%s", path[i],
                          near != NULL ? ": did you mean `"
                                       : ": `destrasim explain scenario` lists them",
                          near != NULL ? near : "", near != NULL ? "`?" : "");
            ok = false;
        } else if (strcmp(path[i], "seed") == 0) {
            ds_bind_error(&l->b, item[i],
                          "seed is what replications vary: give `replications` "
                          "more runs, and the first seed as the study's `seed`");
            ok = false;
        } else {
            ds_study_axis_kind(row, path[i], i == 0 ? a : &other);
            a->row = i == 0 ? row : a->row;
            if (i > 0 && (other.kind != a->kind || other.dim != a->dim)) {
                ds_bind_error(&l->b, item[i],
                              "`%s` is not of the same kind as `%s`: paths are "
                              "given the same value",
                              path[i], path[0]);
                ok = false;
            }
        }
    }
    a->path = path;
    a->paths = ok ? count : 0;
    return ok;
}

/* Overrides of every value; false: out of memory. */
static bool axis_overrides(struct ds_study_load *l, struct ds_study_axis *a)
{
    a->override = ds_bind_alloc(&l->b, a->values * a->paths, sizeof *a->override);
    for (size_t v = 0; a->override != NULL && v < a->values; v++)
        for (size_t p = 0; p < a->paths; p++) {
            struct dc_text text = {0};
            dc_text_printf(&text, "%s=%s", a->path[p], a->yaml[v]);
            a->override[v * a->paths + p] = ds_study_copy(l, &text);
            dc_text_free(&text);
        }
    return !l->b.d->failed;
}

/* Numbers where every value is one, else words. */
static void axis_numbers(struct ds_study_axis *a, double *x)
{
    if (a->values > 0 && a->kind == DS_AXIS_AMOUNT && ds_study_axis_epochs(a->text[0]) != 0)
        a->kind = DS_AXIS_EPOCHS;
    for (size_t v = 0; v < a->values && a->kind != DS_AXIS_WORDS; v++) {
        struct dc_text why = {0};
        if (!ds_study_axis_read(a, a->text[v], &x[v], &why))
            a->kind = DS_AXIS_WORDS;
        dc_text_free(&why);
    }
    for (size_t v = 0; v < a->values && a->kind == DS_AXIS_WORDS; v++)
        x[v] = (double)v;
}

static bool axis_same(const struct ds_study_axis *a, size_t v, size_t w)
{
    return a->kind == DS_AXIS_WORDS ? strcmp(a->yaml[v], a->yaml[w]) == 0 : a->x[v] == a->x[w];
}

static bool axis_values(struct ds_study_load *l, const struct ds_yaml *list,
                        struct ds_study_axis *a)
{
    if (list->kind != DS_YAML_SEQUENCE || list->count == 0 || list->count > AXIS_VALUES_MAX) {
        ds_bind_error(&l->b, list,
                      list->kind == DS_YAML_SEQUENCE && list->count == 0
                          ? "values is empty: give the values that are tried, as in "
                            "`[0.1, 0.2]`"
                          : "values takes a list of at most 10000, as in `[0.1, 0.2]`");
        return false;
    }
    const char **yaml = ds_bind_alloc(&l->b, list->count, sizeof *yaml);
    const char **text = ds_bind_alloc(&l->b, list->count, sizeof *text);
    double *x = ds_bind_alloc(&l->b, list->count, sizeof *x);
    a->place = ds_bind_alloc(&l->b, list->count, sizeof *a->place);
    if (l->b.d->failed)
        return false;
    size_t v = 0;
    for (const struct ds_yaml *n = list->first; n != NULL; n = n->next, v++) {
        struct dc_text flow = {0};
        if (ds_yaml_null(n)) {
            ds_bind_error(&l->b, n, "values: an element has no value: give one, or remove it");
            return false;
        }
        ds_study_flow(n, &flow);
        yaml[v] = ds_study_copy(l, &flow);
        text[v] = n->kind == DS_YAML_SCALAR ? n->text : yaml[v];
        a->place[v] = n->place;
        dc_text_free(&flow);
    }
    a->values = list->count;
    a->yaml = yaml;
    a->text = text;
    a->x = x;
    if (l->b.d->failed)
        return false;
    axis_numbers(a, x);
    v = 0;
    for (const struct ds_yaml *n = list->first; n != NULL; n = n->next, v++)
        for (size_t w = 0; w < v; w++)
            if (axis_same(a, v, w)) {
                ds_bind_error(&l->b, n, "values: `%.100s` is there twice: remove one", text[v]);
                return false;
            }
    return axis_overrides(l, a);
}

/* Whether an end of a range is one that the scenario's table allows. */
static bool axis_within(struct ds_study_load *l, const struct ds_yaml *n,
                        const struct ds_study_axis *a, double x)
{
    const struct ds_param *row = a->row;
    double base = x * ds_study_axis_scale(a);
    double min = row->type == DS_SPAN ? 0 : row->min;
    if (row->type == DS_MIX || row->type == DS_WEIGHTS)
        return true;
    if (base >= min * (1 - 1e-9) &&
        (base <= row->max * (1 + 1e-9) || (row->type == DS_SPAN && a->kind == DS_AXIS_AMOUNT)))
        return true;
    struct dc_text range = {0};
    ds_param_describe_range(row, &range);
    ds_bind_error(&l->b, n, "range: `%s` is out of range for `%s`: use %s", n->text, a->path[0],
                  range.data != NULL ? range.data : "another value");
    dc_text_free(&range);
    return false;
}

static bool axis_range(struct ds_study_load *l, const struct ds_yaml *list, struct ds_study_axis *a,
                       struct da_parameter *p)
{
    if (list->kind != DS_YAML_SEQUENCE || list->count != 2 || list->first->kind != DS_YAML_SCALAR ||
        list->last->kind != DS_YAML_SCALAR) {
        ds_bind_error(&l->b, list, "range takes two numbers, as in `[0.1, 0.5]`");
        return false;
    }
    if (a->kind == DS_AXIS_AMOUNT && ds_study_axis_epochs(list->first->text) != 0)
        a->kind = DS_AXIS_EPOCHS;
    if (a->kind == DS_AXIS_WORDS) {
        ds_bind_error(&l->b, list, "`%s` is no number, so it has no range: give `values`",
                      a->path[0]);
        return false;
    }
    a->place = ds_bind_alloc(&l->b, 1, sizeof *a->place);
    if (a->place == NULL)
        return false;
    a->place[0] = list->place;
    bool ok = true;
    for (int end = 0; end < 2; end++) {
        const struct ds_yaml *n = end == 0 ? list->first : list->last;
        struct dc_text why = {0}, text = {0};
        double x = 0;
        bool good = ds_study_axis_read(a, n->text, &x, &why);
        if (!good)
            ds_bind_why(&l->b, n, "range", &why);
        else
            *(end == 0 ? &p->lo : &p->hi) = ds_study_axis_print(a, x, &text);
        ok = ok && good;
        dc_text_free(&why);
        dc_text_free(&text);
    }
    for (int end = 0; ok && end < 2; end++)
        ok = axis_within(l, end == 0 ? list->first : list->last, a, end == 0 ? p->lo : p->hi);
    if (ok && p->lo >= p->hi)
        ds_bind_error(&l->b, list,
                      "the range is empty: its first number, `%s`, is to be less than "
                      "the second, `%s`",
                      list->first->text, list->last->text);
    else if (ok && p->scale == DA_LOG && p->lo <= 0)
        ds_bind_error(&l->b, list->first,
                      "a log scale has no `%s`: begin above 0, or use `scale: "
                      "linear`",
                      list->first->text);
    return ok && p->lo < p->hi && (p->scale == DA_LINEAR || p->lo > 0);
}

/* The last parts of a path, dots in brackets apart: "count", "sto.count". */
static const char *axis_last(const char *path, unsigned parts)
{
    const char *p = path + strlen(path);
    unsigned depth = 0;
    while (p > path) {
        p--;
        depth += *p == ']';
        depth -= *p == '[' && depth > 0;
        if (*p == '.' && depth == 0 && --parts == 0)
            return p + 1;
    }
    return path;
}

/* Names, label, scale, ends: what does not make the axis. */
static bool axis_words(struct ds_study_load *l, const struct ds_yaml *map, struct ds_study_axis *a,
                       struct da_parameter *p)
{
    const struct ds_yaml *label = ds_study_entry(l, map, "parameters[].label");
    const struct ds_yaml *names = ds_study_entry(l, map, "parameters[].names");
    const struct ds_yaml **item;
    size_t count = 0;
    p->path = a->path[0];
    p->label = axis_last(p->path, 1);
    if (label != NULL && label->kind == DS_YAML_SCALAR)
        p->label = label->text, a->labelled = true;
    else if (label != NULL)
        ds_bind_error(&l->b, label, "label takes a text");
    p->words = a->kind == DS_AXIS_WORDS;
    p->unit = ds_study_axis_unit(a);
    if (a->values > 0) {
        p->words_count = a->values;
        p->word = a->text;
        p->lo = p->hi = a->x[0];
    }
    for (size_t v = 0; v < a->values; v++) {
        p->lo = a->x[v] < p->lo ? a->x[v] : p->lo;
        p->hi = a->x[v] > p->hi ? a->x[v] : p->hi;
    }
    if (names == NULL)
        return true;
    if (!ds_study_texts(l, names, "names", &item, &count))
        return false;
    const char **word = ds_bind_alloc(&l->b, count, sizeof *word);
    for (size_t i = 0; word != NULL && i < count; i++) {
        word[i] = item[i]->text;
        for (size_t j = 0; j < i; j++)
            if (strcmp(word[i], word[j]) == 0) {
                ds_bind_error(&l->b, item[i], "names: `%s` is there twice", word[i]);
                return false;
            }
    }
    if (count != a->values) {
        ds_bind_error(&l->b, names,
                      a->values == 0 ? "a range has no names: remove them"
                                     : "%zu names for %zu values: give each value one",
                      count, a->values);
        return false;
    }
    p->word = word;
    a->named = true;
    return word != NULL;
}

static void axis_bind(struct ds_study_load *l, const struct ds_yaml *map, struct ds_study_axis *a,
                      struct da_parameter *p)
{
    if (map->kind != DS_YAML_MAP) {
        ds_bind_error(&l->b, map,
                      "a parameter is a mapping, such as `{path: protocol.theta, "
                      "values: [0.1, 0.2]}`");
        return;
    }
    size_t before = l->b.d->count;
    ds_study_keys(l, "parameters[]", map);
    const struct ds_yaml *values = ds_study_entry(l, map, "parameters[].values");
    const struct ds_yaml *range = ds_study_entry(l, map, "parameters[].range");
    uint32_t scale = DA_LINEAR;
    a->file = map->file;
    bool ok = ds_study_word(l, map, "parameters[].scale", &scale);
    p->scale = (enum da_scale)scale;
    ok = axis_paths(l, map, a) && ok;
    if (!ok || l->b.d->count > before)
        return;
    if ((values == NULL) == (range == NULL)) {
        ds_bind_error(&l->b, map,
                      values == NULL ? "a parameter needs `values: [...]` or `range: [LO, HI]`"
                                     : "`values` and `range` are both given: keep one");
        return;
    }
    if (values != NULL ? axis_values(l, values, a) : axis_range(l, range, a, p))
        axis_words(l, map, a, p);
    if (values != NULL && p->scale == DA_LOG && !p->words && p->lo <= 0 && l->b.d->count == before)
        ds_bind_error(&l->b, values, "a log scale has no 0: use `scale: linear`");
}

/* Whether path is under the other, or the same. */
static bool axis_under(const char *path, const char *other)
{
    size_t size = strlen(other);
    return strncmp(path, other, size) == 0 &&
           (path[size] == '\0' || path[size] == '.' || path[size] == '[');
}

static void axis_conflicts(struct ds_study_load *l, size_t j, const struct ds_yaml *map)
{
    const struct ds_study_axis *a = &l->out->axis[j];
    for (size_t p = 0; p < a->paths; p++) {
        for (size_t i = 0; i <= j; i++)
            for (size_t q = 0; q < (i < j ? l->out->axis[i].paths : p); q++) {
                const char *other = l->out->axis[i].path[q];
                if (axis_under(a->path[p], other) || axis_under(other, a->path[p])) {
                    ds_bind_error(&l->b, map,
                                  "`%s` overlaps with `%s`, which is a parameter "
                                  "already: remove one",
                                  a->path[p], other);
                    return;
                }
            }
        for (size_t i = 0; i < l->out->sets; i++) {
            size_t size = strcspn(l->out->set[i], "=");
            char set[160];
            snprintf(set, sizeof set, "%.*s", (int)(size > 150 ? 150 : size), l->out->set[i]);
            if (axis_under(set, a->path[p])) {
                ds_bind_error(&l->b, map,
                              "`%s` is a parameter and in `set` as well: remove it "
                              "there",
                              set);
                return;
            }
        }
    }
}

/* Labels tell parameters apart: those that were not given grow until they do. */
static void axis_labels(struct ds_study_load *l, const struct ds_yaml *list)
{
    struct da_parameter *p = l->out->parameter;
    size_t count = l->out->parameters;
    for (unsigned parts = 2; parts < 5; parts++)
        for (size_t j = 0; j < count; j++) {
            bool same = false;
            for (size_t i = 0; i < count; i++)
                same |= i != j && strcmp(axis_last(p[i].path, parts - 1),
                                         axis_last(p[j].path, parts - 1)) == 0;
            if (same && !l->out->axis[j].labelled)
                p[j].label = axis_last(p[j].path, parts);
        }
    size_t j = 0;
    for (const struct ds_yaml *n = list->first; n != NULL; n = n->next, j++)
        for (size_t i = 0; i < j; i++)
            if (strcmp(p[i].label, p[j].label) == 0) {
                ds_bind_error(&l->b, n, "`%s` and `%s` have the same label, `%s`: give one another",
                              p[i].path, p[j].path, p[j].label);
                return;
            }
}

void ds_study_bind_parameters(struct ds_study_load *l)
{
    const struct ds_yaml *list = ds_study_entry(l, l->root, "parameters");
    size_t all = l->b.d->count;
    bool rare = ds_yaml_get(l->root, "rare") != NULL;
    l->at = list != NULL ? list : l->root;
    if (list == NULL && rare)
        return;
    if (list == NULL || list->kind != DS_YAML_SEQUENCE || list->count == 0) {
        ds_bind_error(&l->b, l->at,
                      list != NULL && list->kind != DS_YAML_SEQUENCE
                          ? "parameters takes a list: put `- ` before each"
                          : "a study needs `parameters`: what is to vary, as in "
                            "`- {path: protocol.theta, values: [0.1, 0.2]}`");
        return;
    }
    if (list->count > 200) {
        ds_bind_error(&l->b, list, "%zu parameters: use at most 200", list->count);
        return;
    }
    struct ds_study_axis *axis = ds_bind_alloc(&l->b, list->count, sizeof *axis);
    l->out->parameter = ds_bind_alloc(&l->b, list->count, sizeof *l->out->parameter);
    if (axis == NULL || l->out->parameter == NULL)
        return;
    l->out->axis = axis;
    for (const struct ds_yaml *n = list->first; n != NULL; n = n->next) {
        size_t j = l->out->parameters, before = l->b.d->count;
        l->out->parameters = j + 1;
        axis_bind(l, n, &axis[j], &l->out->parameter[j]);
        if (l->b.d->count == before)
            axis_conflicts(l, j, n);
    }
    if (l->b.d->count == all)
        axis_labels(l, list);
}

/* The order of loading a study: text to tree, overrides, keys; the scenario; parameters and goals;
 * the design; every point as a scenario; the study as YAML.  A step that needs what an earlier one
 * could not read is left out, so that each mistake is told once. */
#include "sim/scenario/study_parts.h"

#include <stdio.h>
#include <string.h>

const char *ds_study_copy(struct ds_study_load *l, const struct dc_text *text)
{
    const char *copy = text->failed || text->data == NULL
                           ? NULL
                           : ds_yaml_copy(&l->out->arena, text->data, text->size);
    if (copy == NULL)
        l->b.d->failed = true;
    return copy;
}

/* ---- what all runs change -------------------------------------------------------------------- */

struct study_sets {
    struct ds_study_load *l;
    const char **text, **file;
    struct ds_place *place;
    size_t count, max;
};

static void sets_add(struct study_sets *s, const struct ds_yaml *at, const char *text)
{
    struct ds_study_load *l = s->l;
    if (strncmp(text, "seed=", 5) == 0) {
        ds_bind_error(&l->b, at,
                      "set: the seed is that of a replication: give the first one as the "
                      "study's `seed`");
        return;
    }
    if (s->count == s->max) {
        size_t max = s->max * 2 + 16;
        struct study_sets more = *s;
        more.text = ds_bind_alloc(&l->b, max, sizeof *more.text);
        more.file = ds_bind_alloc(&l->b, max, sizeof *more.file);
        more.place = ds_bind_alloc(&l->b, max, sizeof *more.place);
        if (l->b.d->failed)
            return;
        for (size_t i = 0; i < s->count; i++) {
            more.text[i] = s->text[i];
            more.file[i] = s->file[i];
            more.place[i] = s->place[i];
        }
        more.max = max;
        *s = more;
    }
    s->text[s->count] = text;
    s->file[s->count] = at->file;
    s->place[s->count++] = at->place;
}

/* A mapping below a section or a list of the scenario is that of its members. */
static void sets_map(struct study_sets *s, const struct ds_yaml *map, const char *path)
{
    for (const struct ds_yaml *n = map->first; n != NULL && !s->l->b.d->failed; n = n->next) {
        struct dc_text text = {0};
        char table[256];
        if (path[0] == '\0')
            dc_text_add(&text, n->key);
        else if (strpbrk(n->key, ".[]='") != NULL)
            dc_text_printf(&text, "%s['%s']", path, n->key);
        else
            dc_text_printf(&text, "%s.%s", path, n->key);
        const char *name = text.data != NULL ? text.data : "";
        const struct ds_param *row = ds_param_resolve(name, table, sizeof table);
        if (n->kind == DS_YAML_MAP && n->count > 0 && row != NULL &&
            (row->type == DS_SECTION || row->type == DS_LIST)) {
            sets_map(s, n, name);
        } else {
            dc_text_add(&text, "=");
            ds_study_flow(n, &text);
            const char *copy = ds_study_copy(s->l, &text);
            if (copy != NULL)
                sets_add(s, n, copy);
        }
        dc_text_free(&text);
    }
}

static void study_sets(struct ds_study_load *l)
{
    struct study_sets s = {.l = l};
    const struct ds_yaml *n = ds_study_entry(l, l->root, "set"), **item;
    size_t count = 0;
    if (n != NULL && n->kind == DS_YAML_MAP)
        sets_map(&s, n, "");
    else if (n != NULL && ds_study_texts(l, n, "set", &item, &count))
        for (size_t i = 0; i < count; i++)
            sets_add(&s, item[i], item[i]->text);
    l->out->set = s.text;
    l->out->sets = s.count;
    l->set_place = s.place;
    l->set_file = s.file;
}

/* ---- the scenario's file --------------------------------------------------------------------- */

static const char *study_join(struct ds_study_load *l, const char *folder, const char *path)
{
    struct dc_text text = {0};
    if (path[0] != '/' && folder[0] != '\0')
        dc_text_printf(&text, "%s/", folder);
    dc_text_add(&text, path);
    const char *copy = ds_study_copy(l, &text);
    dc_text_free(&text);
    return copy;
}

/* The scenario's bytes; false after a diagnostic. */
static bool study_scenario(struct ds_study_load *l)
{
    const struct ds_source *source = l->b.source;
    const struct ds_yaml *n = ds_study_entry(l, l->root, "scenario");
    if (n == NULL || n->kind != DS_YAML_SCALAR) {
        ds_bind_error(&l->b, n != NULL ? n : l->root,
                      "`scenario` is missing: the path of the scenario, relative to the study");
        return false;
    }
    l->scenario = n->text;
    for (size_t i = 0; i < source->inputs_count; i++)
        if (strcmp(source->inputs[i].path, n->text) == 0) {
            dc_text_put(&l->scenario_text, source->inputs[i].data, source->inputs[i].size);
            l->out->scenario = n->text;
            l->b.d->failed |= l->scenario_text.failed;
            return !l->scenario_text.failed;
        }
    if (source->folder == NULL) {
        ds_bind_error(&l->b, n, "`%s` is not among the files that came with the study: embed it",
                      n->text);
        return false;
    }
    l->out->scenario = study_join(l, source->folder, n->text);
    if (l->out->scenario == NULL)
        return false;
    int error = ds_input_read(l->out->scenario, &l->scenario_text);
    const char *slash = strrchr(l->out->scenario, '/');
    size_t size = slash != NULL ? (size_t)(slash - l->out->scenario) : 0;
    dc_text_put(&l->scenario_folder, l->out->scenario, slash == l->out->scenario ? 1 : size);
    l->b.d->failed |= l->scenario_folder.failed || l->scenario_text.failed;
    if (error != 0)
        ds_bind_error(&l->b, n, "cannot read `%s`: %s: the path is relative to the study's folder",
                      l->out->scenario, strerror(error));
    return error == 0 && !l->b.d->failed;
}

/* ---- loading --------------------------------------------------------------------------------- */

static void study_name(struct ds_study_load *l)
{
    const struct ds_yaml *n = ds_study_entry(l, l->root, "name");
    l->out->name = "";
    if (n == NULL || n->kind != DS_YAML_SCALAR) {
        ds_bind_error(&l->b, n != NULL ? n : l->root,
                      "`name` is missing: what the study's files "
                      "are called");
        return;
    }
    size_t size = strlen(n->text);
    if (size == 0 || size > 63 || strchr("_-.", n->text[0]) != NULL ||
        strspn(n->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") !=
            size)
        ds_bind_error(&l->b, n,
                      "name: `%.80s` is not a name: use letters, digits, `_`, `-` and "
                      "`.`, at most 63, starting with a letter or digit",
                      n->text);
    l->out->name = n->text;
}

/* `design: sobol` is `design: {kind: sobol}`, so that an override can add to it. */
static void study_open_design(struct ds_study_load *l, struct ds_yaml *root)
{
    struct ds_yaml *n = ds_yaml_get(root, "design");
    if (n == NULL || n->kind != DS_YAML_SCALAR || ds_yaml_null(n))
        return;
    struct ds_yaml *kind = ds_bind_alloc(&l->b, 1, sizeof *kind);
    if (kind == NULL)
        return;
    *kind = *n;
    kind->key = "kind";
    kind->next = NULL;
    n->kind = DS_YAML_MAP;
    n->text = "";
    ds_yaml_append(n, kind);
}

static void study_all(struct ds_study_load *l, const char *const *overrides, size_t count)
{
    const struct ds_source *source = l->b.source;
    struct ds_diagnostics *d = l->b.d;
    struct ds_yaml *root =
        ds_yaml_parse(source->text, source->size, l->out->file, true, l->b.arena, d);
    if (root == NULL)
        return;
    if (root->kind != DS_YAML_MAP) {
        ds_bind_error(&l->b, root, "a study is a mapping: it starts with `name: ...`");
        return;
    }
    if (ds_yaml_get(root, "network") != NULL && ds_yaml_get(root, "scenario") == NULL) {
        ds_bind_error(&l->b, root,
                      "this is a scenario, not a study: `destrasim run` runs it; a "
                      "study names it, as in `scenario: FILE`, and what is to vary");
        return;
    }
    study_open_design(l, root);
    for (size_t i = 0; i < count && !d->failed; i++)
        ds_scenario_override(&l->b, root, overrides[i]);
    l->root = root;
    size_t before = d->count;
    l->out->title = ds_bind_title(&l->b);
    ds_study_keys(l, "", root);
    study_name(l);
    ds_study_count(l, root, "seed", &l->out->seed);
    study_sets(l);
    if (study_scenario(l))
        ds_study_check_base(l);
    if (!d->failed)
        ds_study_bind_parameters(l);
    if (!d->failed)
        ds_study_bind_goals(l);
    if (d->count == before && !d->failed)
        ds_study_bind_design(l);
    if (!d->failed)
        ds_study_bind_tune(l);
    if (d->count == before && !d->failed)
        ds_study_check_points(l);
    if (d->count == before && !d->failed)
        ds_study_print(l, &l->out->resolved);
    d->failed |= l->out->resolved.failed;
}

enum dc_status ds_study_load_text(const struct ds_source *source, const char *const *overrides,
                                  size_t count, struct ds_study *out, struct ds_diagnostics *d)
{
    memset(out, 0, sizeof *out);
    struct ds_study_load l = {.out = out};
    l.b = (struct ds_bind){.source = source, .out = &l.scratch, .d = d, .arena = &out->arena};
    out->file = ds_yaml_copy(&out->arena, source->name, strlen(source->name));
    size_t before = d->count;
    if (out->file == NULL)
        d->failed = true;
    else
        study_all(&l, overrides, count);
    ds_diagnostics_sort(d, before);
    ds_scenario_free(&l.base);
    dc_text_free(&l.scenario_text);
    dc_text_free(&l.scenario_folder);
    if (d->failed)
        return DC_ERR_IO;
    return d->count > before ? DC_ERR_USAGE : DC_OK;
}

enum dc_status ds_study_load(const char *path, const char *const *overrides, size_t count,
                             struct ds_study *out, struct ds_diagnostics *d)
{
    struct ds_source_file file;
    enum dc_status status = DC_ERR_IO;
    memset(out, 0, sizeof *out);
    if (ds_source_open(&file, path, "study", d))
        status = ds_study_load_text(&file.source, overrides, count, out, d);
    ds_source_close(&file);
    return status;
}

bool ds_study_is(const char *path)
{
    struct dc_text text = {0};
    struct dc_arena arena = {0};
    struct ds_diagnostics d = {0};
    const struct ds_yaml *root = NULL;
    if (ds_input_read(path, &text) == 0 && text.data != NULL)
        root = ds_yaml_parse(text.data, text.size, path, true, &arena, &d);
    bool is = root != NULL && root->kind == DS_YAML_MAP &&
              (ds_yaml_get(root, "scenario") != NULL || ds_yaml_get(root, "parameters") != NULL);
    dc_text_free(&text);
    ds_diagnostics_free(&d);
    dc_arena_free(&arena);
    return is;
}

void ds_study_free(struct ds_study *study)
{
    struct dc_arena arena = study->arena;
    dc_text_free(&study->resolved);
    dc_arena_free(&arena);
    memset(study, 0, sizeof *study);
}

const char **ds_study_overrides(const struct ds_study *study, const double *x, size_t *count,
                                struct dc_arena *arena)
{
    size_t total = study->sets, at = 0;
    for (size_t j = 0; j < study->parameters; j++)
        total += study->axis[j].paths;
    const char **out = dc_arena_alloc(arena, (total + 1) * sizeof *out), *text;
    for (; out != NULL && at < study->sets; at++)
        out[at] = study->set[at];
    for (size_t j = 0; out != NULL && j < study->parameters; j++) {
        if (!ds_study_axis_override(study, j, x[j], arena, out + at, &text))
            return NULL;
        at += study->axis[j].paths;
    }
    *count = total;
    return out;
}

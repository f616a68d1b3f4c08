/* The order of loading: text to tree, overrides, tree to struct with its checks, the whole. */
#include "sim/scenario/load.h"

#include <stdlib.h>
#include <string.h>

static int load_compare(const void *a, const void *b)
{
    const struct ds_diagnostic *x = a, *y = b;
    if (x->place.line != y->place.line)
        return x->place.line < y->place.line ? -1 : 1;
    if (x->place.column != y->place.column)
        return x->place.column < y->place.column ? -1 : 1;
    int file = strcmp(x->file, y->file);
    return file != 0 ? file : strcmp(x->message, y->message);
}

const char *ds_bind_title(struct ds_bind *b)
{
    const char *p = b->source->text, *stop = p + b->source->size;
    if (p == stop || *p != '#')
        return "";
    p++;
    while (p < stop && *p == ' ')
        p++;
    const char *end = memchr(p, '\n', (size_t)(stop - p));
    end = end != NULL ? end : stop;
    while (end > p && (end[-1] == ' ' || end[-1] == '\r'))
        end--;
    const char *title = ds_yaml_copy(b->arena, p, (size_t)(end - p));
    return title != NULL ? title : "";
}

void ds_diagnostics_sort(struct ds_diagnostics *d, size_t from)
{
    if (d->count > from)
        qsort(d->items + from, d->count - from, sizeof *d->items, load_compare);
}

static void load_all(struct ds_bind *b, const char *const *overrides, size_t count)
{
    const struct ds_source *source = b->source;
    struct ds_yaml *root =
        ds_yaml_parse(source->text, source->size, b->out->file, true, b->arena, b->d);
    if (root == NULL)
        return;
    if (root->kind != DS_YAML_MAP) {
        ds_bind_error(b, root, "a scenario is a mapping: it starts with `name: ...`");
        return;
    }
    if (ds_yaml_get(root, "scenario") != NULL && ds_yaml_get(root, "network") == NULL) {
        ds_bind_error(b, root,
                      "this is a study, not a scenario: `destrasim sweep` runs it, "
                      "`destrasim check` looks at it");
        return;
    }
    for (size_t i = 0; i < count; i++)
        ds_scenario_override(b, root, overrides[i]);
    b->out->title = ds_bind_title(b);
    ds_bind_map(b, "", root, b->out);
    if (!b->d->failed)
        ds_scenario_check_end(b, root);
}

enum dc_status ds_scenario_load_text(const struct ds_source *source, const char *const *overrides,
                                     size_t count, struct ds_scenario *out,
                                     struct ds_diagnostics *d)
{
    memset(out, 0, sizeof *out);
    struct ds_bind b = {.source = source, .out = out, .d = d, .arena = &out->arena};
    out->file = ds_yaml_copy(b.arena, source->name, strlen(source->name));
    size_t before = d->count;
    if (out->file == NULL)
        d->failed = true;
    else
        load_all(&b, overrides, count);
    ds_diagnostics_sort(d, before);
    if (d->failed)
        return DC_ERR_IO;
    return d->count > before ? DC_ERR_USAGE : DC_OK;
}

void ds_scenario_free(struct ds_scenario *scenario)
{
    struct dc_arena arena = scenario->arena;
    dc_arena_free(&arena);
    memset(scenario, 0, sizeof *scenario);
}

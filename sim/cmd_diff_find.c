/* What differs between two results files, but for their events: see cmd_diff.h.
 *
 * Parameters are compared as trees, not line by line: both scenarios are printed with every default
 * and parsed again, so that comments, order of writing and units do not show.  A list whose
 * elements have a name or an id is matched by those; a block list of words (expect) as a set; any
 * other list as one value. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/mem.h"
#include "sim/cmd_diff.h"
#include "sim/scenario/yaml.h"

/* ---- lists of differences -------------------------------------------------------------------- */

static const char *keep(struct ds_differences *d, const char *text)
{
    if (text == NULL)
        return NULL;
    char *copy = dc_arena_alloc(&d->arena, strlen(text) + 1);
    DC_CHECK(copy != NULL);
    return strcpy(copy, text);
}

void ds_differences_add(struct ds_differences *d, const char *path, const char *a, const char *b)
{
    if (d->count == d->max) {
        d->max = d->max == 0 ? 32 : 2 * d->max;
        d->list = dc_mem_grow(d->list, d->max, sizeof *d->list);
        DC_CHECK(d->list != NULL);
    }
    d->list[d->count++] = (struct ds_difference){keep(d, path), keep(d, a), keep(d, b)};
}

void ds_differences_free(struct ds_differences *d)
{
    dc_mem_free(d->list);
    dc_arena_free(&d->arena);
    *d = (struct ds_differences){0};
}

/* ---- parameters ------------------------------------------------------------------------------ */

static void render(const struct ds_yaml *n, struct dc_text *out)
{
    if (n->kind == DS_YAML_SCALAR) {
        dc_text_add(out, n->text);
        return;
    }
    bool map = n->kind == DS_YAML_MAP;
    dc_text_add(out, map ? "{" : "[");
    for (const struct ds_yaml *c = n->first; c != NULL; c = c->next) {
        if (map)
            dc_text_printf(out, "%s: ", c->key);
        render(c, out);
        dc_text_add(out, c->next != NULL ? ", " : "");
    }
    dc_text_add(out, map ? "}" : "]");
}

static void add_nodes(struct ds_differences *d, const char *path, const struct ds_yaml *a,
                      const struct ds_yaml *b)
{
    struct dc_text x = {0}, y = {0};
    if (a != NULL)
        render(a, &x);
    if (b != NULL)
        render(b, &y);
    ds_differences_add(d, path, a != NULL ? (x.data != NULL ? x.data : "") : NULL,
                       b != NULL ? (y.data != NULL ? y.data : "") : NULL);
    dc_text_free(&x);
    dc_text_free(&y);
}

static const char *member(const struct ds_yaml *map, const char *key)
{
    const struct ds_yaml *n = map->kind == DS_YAML_MAP ? ds_yaml_get(map, key) : NULL;
    return n != NULL && n->kind == DS_YAML_SCALAR ? n->text : NULL;
}

/* What an element of a list is called: its name or its id; NULL when it has none. */
static const char *called(const struct ds_yaml *element)
{
    const char *name = member(element, "name");
    return name != NULL ? name : member(element, "id");
}

static bool all_called(const struct ds_yaml *list)
{
    for (const struct ds_yaml *c = list->first; c != NULL; c = c->next)
        if (called(c) == NULL)
            return false;
    return true;
}

static void compare_trees(struct ds_differences *d, const char *path, const struct ds_yaml *a,
                          const struct ds_yaml *b);

static void compare_at(struct ds_differences *d, const char *path, const char *name,
                       const struct ds_yaml *a, const struct ds_yaml *b)
{
    struct dc_text at = {0};
    dc_text_printf(&at, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
    const char *text = at.data != NULL ? at.data : name;
    if (a != NULL && b != NULL)
        compare_trees(d, text, a, b);
    else
        add_nodes(d, text, a, b);
    dc_text_free(&at);
}

static const struct ds_yaml *find_called(const struct ds_yaml *list, const char *name)
{
    for (const struct ds_yaml *c = list->first; c != NULL; c = c->next)
        if (strcmp(called(c), name) == 0)
            return c;
    return NULL;
}

/* The n-th element of the list, among those of this kind that have no namesake in the other. */
static const struct ds_yaml *find_alike(const struct ds_yaml *list, const struct ds_yaml *other,
                                        const char *kind, size_t n)
{
    for (const struct ds_yaml *c = list->first; c != NULL; c = c->next) {
        const char *is = member(c, "kind");
        if (find_called(other, called(c)) != NULL || (kind == NULL) != (is == NULL) ||
            (kind != NULL && strcmp(is, kind) != 0))
            continue;
        if (n-- == 0)
            return c;
    }
    return NULL;
}

static void compare_called(struct ds_differences *d, const char *path, const struct ds_yaml *a,
                           const struct ds_yaml *b)
{
    for (const struct ds_yaml *c = a->first; c != NULL; c = c->next) {
        const struct ds_yaml *like = find_called(b, called(c));
        if (like == NULL) { /* the n-th of its kind without a namesake, against b's n-th */
            size_t n = 0;
            while (find_alike(a, b, member(c, "kind"), n) != c)
                n++;
            like = find_alike(b, a, member(c, "kind"), n);
        }
        compare_at(d, path, called(c), c, like);
    }
    for (const struct ds_yaml *c = b->first; c != NULL; c = c->next) {
        size_t n = 0;
        if (find_called(a, called(c)) != NULL)
            continue;
        while (find_alike(b, a, member(c, "kind"), n) != c)
            n++;
        if (find_alike(a, b, member(c, "kind"), n) == NULL)
            compare_at(d, path, called(c), NULL, c);
    }
}

static bool has_word(const struct ds_yaml *list, const char *word)
{
    for (const struct ds_yaml *c = list->first; c != NULL; c = c->next)
        if (c->kind == DS_YAML_SCALAR && strcmp(c->text, word) == 0)
            return true;
    return false;
}

static bool all_words(const struct ds_yaml *list)
{
    for (const struct ds_yaml *c = list->first; c != NULL; c = c->next)
        if (c->kind != DS_YAML_SCALAR)
            return false;
    return true;
}

static void compare_lists(struct ds_differences *d, const char *path, const struct ds_yaml *a,
                          const struct ds_yaml *b)
{
    if (all_called(a) && all_called(b)) {
        compare_called(d, path, a, b);
        return;
    }
    bool block = (!a->flow || a->first == NULL) && (!b->flow || b->first == NULL);
    if (block && all_words(a) && all_words(b)) {
        for (const struct ds_yaml *c = a->first; c != NULL; c = c->next)
            if (!has_word(b, c->text))
                add_nodes(d, path, c, NULL);
        for (const struct ds_yaml *c = b->first; c != NULL; c = c->next)
            if (!has_word(a, c->text))
                add_nodes(d, path, NULL, c);
        return;
    }
    struct dc_text x = {0}, y = {0};
    render(a, &x);
    render(b, &y);
    if (x.data == NULL || y.data == NULL || strcmp(x.data, y.data) != 0)
        add_nodes(d, path, a, b);
    dc_text_free(&x);
    dc_text_free(&y);
}

static void compare_trees(struct ds_differences *d, const char *path, const struct ds_yaml *a,
                          const struct ds_yaml *b)
{
    if (a->kind != b->kind) {
        add_nodes(d, path, a, b);
    } else if (a->kind == DS_YAML_SEQUENCE) {
        compare_lists(d, path, a, b);
    } else if (a->kind == DS_YAML_SCALAR) {
        if (strcmp(a->text, b->text) != 0)
            add_nodes(d, path, a, b);
    } else {
        for (const struct ds_yaml *c = a->first; c != NULL; c = c->next)
            compare_at(d, path, c->key, c, ds_yaml_get(b, c->key));
        for (const struct ds_yaml *c = b->first; c != NULL; c = c->next)
            if (ds_yaml_get(a, c->key) == NULL)
                compare_at(d, path, c->key, NULL, c);
    }
}

void ds_diff_parameters(const struct ds_scenario *a, const struct ds_scenario *b,
                        struct ds_differences *out)
{
    struct dc_text text[2] = {{0}, {0}};
    struct dc_arena arena = {0};
    struct ds_diagnostics d = {0};
    ds_scenario_print_resolved(a, &text[0]);
    ds_scenario_print_resolved(b, &text[1]);
    DC_CHECK(text[0].data != NULL && text[1].data != NULL);
    const struct ds_yaml *x = ds_yaml_parse(text[0].data, text[0].size, "A", true, &arena, &d);
    const struct ds_yaml *y = ds_yaml_parse(text[1].data, text[1].size, "B", true, &arena, &d);
    DC_CHECK(x != NULL && y != NULL); /* resolved scenarios load again */
    compare_trees(out, "", x, y);
    dc_arena_free(&arena);
    ds_diagnostics_free(&d);
    dc_text_free(&text[0]);
    dc_text_free(&text[1]);
}

/* ---- files, builds --------------------------------------------------------------------------- */

/* "1234 bytes, digest ab12..." of the input of that path; false when there is none. */
static bool input_of(struct ds_results *r, const char *path, struct dc_text *out)
{
    struct dc_error error = {0};
    for (uint64_t i = 0; i < ds_results_size(r, "input"); i++) {
        struct ds_results_input in;
        if (ds_results_input(r, i, &in, &error) != DC_OK || strcmp(in.path, path) != 0)
            continue;
        dc_text_printf(out, "%llu bytes, digest %.16s", (unsigned long long)in.bytes, in.digest);
        return true;
    }
    return false;
}

static void inputs_of(struct ds_results *from, struct ds_results *a, struct ds_results *b,
                      struct ds_differences *out)
{
    struct dc_error error = {0};
    for (uint64_t i = 0; i < ds_results_size(from, "input"); i++) {
        struct ds_results_input in;
        struct dc_text x = {0}, y = {0};
        if (ds_results_input(from, i, &in, &error) != DC_OK)
            continue;
        bool in_a = input_of(a, in.path, &x), in_b = input_of(b, in.path, &y);
        bool new = from == a || !in_a; /* those of both are looked at once */
        if (new && (!in_a || !in_b || strcmp(x.data, y.data) != 0))
            ds_differences_add(out, in.path, in_a ? x.data : NULL, in_b ? y.data : NULL);
        dc_text_free(&x);
        dc_text_free(&y);
    }
}

void ds_diff_inputs(struct ds_results *a, struct ds_results *b, struct ds_differences *out)
{
    inputs_of(a, a, b, out);
    inputs_of(b, a, b, out);
}

void ds_diff_builds(struct ds_results *a, struct ds_results *b, struct ds_differences *out)
{
    struct ds_attribute own[DS_CMD_ATTRIBUTES];
    size_t count = ds_cmd_attributes(own, 0, NULL);
    for (size_t i = 0; i < count; i++) {
        const char *x = ds_results_text(a, own[i].name), *y = ds_results_text(b, own[i].name);
        if (x != y && (x == NULL || y == NULL || strcmp(x, y) != 0))
            ds_differences_add(out, own[i].name, x, y);
    }
}

/* ---- metrics --------------------------------------------------------------------------------- */

static double number(const struct ds_scalar *s)
{
    return s->type == DS_U64   ? (double)s->value.u64
           : s->type == DS_I64 ? (double)s->value.i64
                               : s->value.f64;
}

static bool scalar_named(struct ds_results *r, const char *name, uint64_t guess,
                         struct ds_scalar *out)
{
    struct dc_error error = {0};
    uint64_t count = ds_results_summary_count(r);
    for (uint64_t i = 0; i < count; i++) /* mostly at the same place */
        if (ds_results_summary(r, (guess + i) % count, out, &error) == DC_OK &&
            strcmp(out->name, name) == 0)
            return true;
    return false;
}

static bool same_number(const struct ds_scalar *a, const struct ds_scalar *b)
{
    if (a->type == b->type && a->type != DS_F64)
        return a->value.u64 == b->value.u64;
    double x = number(a), y = number(b);
    return x == y || (isnan(x) && isnan(y));
}

static struct ds_metric_difference metric_of(const struct ds_scalar *a, const struct ds_scalar *b)
{
    const struct ds_scalar *any = a != NULL ? a : b;
    struct ds_metric_difference m = {.name = any->name,
                                     .units = any->units,
                                     .a = a != NULL ? number(a) : NAN,
                                     .b = b != NULL ? number(b) : NAN};
    bool both = !isnan(m.a) && !isnan(m.b);
    double larger = fmax(fabs(m.a), fabs(m.b));
    m.absolute = m.b - m.a;
    m.relative = !both ? 1 : larger > 0 ? fabs(m.absolute) / larger : 0;
    return m;
}

static int metric_compare(const void *x, const void *y)
{
    const struct ds_metric_difference *a = x, *b = y;
    if (a->relative != b->relative)
        return a->relative > b->relative ? -1 : 1;
    return strcmp(a->name, b->name);
}

size_t ds_diff_metrics(struct ds_results *a, struct ds_results *b,
                       struct ds_metric_difference **out, size_t *all)
{
    uint64_t in_a = ds_results_summary_count(a), in_b = ds_results_summary_count(b);
    struct dc_error error = {0};
    struct ds_scalar x, y;
    size_t count = 0;
    *out = dc_mem_need(in_a + in_b + 1, sizeof **out, "metrics");
    *all = in_a;
    for (uint64_t i = 0; i < in_a; i++) {
        if (ds_results_summary(a, i, &x, &error) != DC_OK)
            continue;
        bool both = scalar_named(b, x.name, i, &y);
        if (!both || !same_number(&x, &y))
            (*out)[count++] = metric_of(&x, both ? &y : NULL);
    }
    for (uint64_t i = 0; i < in_b; i++) {
        if (ds_results_summary(b, i, &y, &error) != DC_OK || scalar_named(a, y.name, i, &x))
            continue;
        (*out)[count++] = metric_of(NULL, &y);
        ++*all;
    }
    qsort(*out, count, sizeof **out, metric_compare);
    return count;
}

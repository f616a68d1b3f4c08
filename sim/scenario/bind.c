/* Tree to struct, driven by the table.
 *
 * Members are read in the order of rows, not of the file, so that groups are known when a fault's
 * selector names one, whatever the file's order.  A mistake is a diagnostic and the field keeps
 * its zero; reading goes on, so that all mistakes come out in one go. */
#include "sim/scenario/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BIND_PATH_BYTES 160

void ds_bind_error(struct ds_bind *b, const struct ds_yaml *node, const char *format, ...)
{
    struct dc_text text = {0};
    va_list arguments;
    va_start(arguments, format);
    dc_text_vprintf(&text, format, arguments);
    va_end(arguments);
    if (text.failed)
        b->d->failed = true;
    else
        ds_diagnostics_add(b->d, node->file, node->place, "%s", text.data);
    dc_text_free(&text);
}

void ds_bind_why(struct ds_bind *b, const struct ds_yaml *node, const char *what,
                 struct dc_text *why)
{
    if (why->failed || why->data == NULL)
        b->d->failed = true; /* every reason is a text: without one, memory ran out */
    else
        ds_bind_error(b, node, "%s: %s", what, why->data);
    dc_text_free(why);
}

void *ds_bind_alloc(struct ds_bind *b, size_t count, size_t size)
{
    void *p = dc_arena_alloc(b->arena, count * size + 1);
    if (p == NULL)
        b->d->failed = true;
    return p;
}

void ds_nearest_try(struct ds_nearest *n, const char *candidate)
{
    unsigned distance = ds_name_distance(n->word, candidate);
    unsigned size = (unsigned)strlen(n->word);
    /* A third of the letters wrong, at least one: farther away is another word. */
    if (distance <= (size >= 6   ? size / 3
                     : size >= 3 ? 1 + (size > 3)
                                 : 1) &&
        (n->name == NULL || distance < n->distance)) {
        n->name = candidate;
        n->distance = distance;
    }
}

/* ---- scalars ------------------------------------------------------------------------------- */

static const char *bind_kind_name(const struct ds_yaml *node)
{
    return node->kind == DS_YAML_MAP ? "a mapping" : "a list";
}

static void bind_range(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node)
{
    struct dc_text range = {0};
    ds_param_describe_range(row, &range);
    ds_bind_error(b, node, "%s: `%s` is out of range: use %s", ds_param_name(row), node->text,
                  range.data != NULL ? range.data : "another value");
    dc_text_free(&range);
}

/* A scalar as an integer in base units within the row's range. */
static bool bind_integer(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                         uint64_t *value)
{
    if (row->zero != NULL && strcmp(node->text, row->zero) == 0) {
        *value = 0;
        return true;
    }
    struct dc_text why = {0};
    bool ok = ds_value_integer(node->text, strlen(node->text), row->dim, value, &why);
    if (!ok)
        ds_bind_why(b, node, ds_param_name(row), &why);
    dc_text_free(&why);
    if (!ok)
        return false;
    if ((double)*value >= row->min && (double)*value <= row->max)
        return true;
    bind_range(b, row, node);
    return false;
}

static void bind_fraction(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                          void *field)
{
    struct dc_text why = {0};
    dc_q31 share = 0;
    double real = 0;
    bool ok = row->type == DS_SHARE
                  ? ds_value_share(node->text, strlen(node->text), &share, &why)
                  : ds_value_real(node->text, strlen(node->text),
                                  row->type == DS_PPM ? DS_DIM_SHARE : row->dim, &real, &why);
    if (row->type == DS_SHARE)
        real = dc_q31_to_double(share);
    if (!ok) {
        ds_bind_why(b, node, ds_param_name(row), &why);
    } else if (real < row->min * (1 - 1e-9) || real > row->max * (1 + 1e-9)) {
        bind_range(b, row, node);
    } else if (row->type == DS_SHARE) {
        memcpy(field, &share, sizeof share);
    } else if (row->type == DS_PPM || row->type == DS_FACTOR) {
        uint32_t ppm = (uint32_t)(real * DC_PPM + 0.5);
        memcpy(field, &ppm, sizeof ppm);
    } else {
        memcpy(field, &real, sizeof real);
    }
    dc_text_free(&why);
}

static void bind_span(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                      char *base)
{
    static const char *const words[] = {"epochs", "epoch"};
    uint64_t value = 0;
    struct dc_text why = {0};
    size_t size = strlen(node->text);
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(words[i]);
        if (size > n && strcmp(node->text + size - n, words[i]) == 0) {
            if (!ds_value_integer(node->text, size - n, DS_DIM_NUMBER, &value, &why))
                ds_bind_why(b, node, ds_param_name(row), &why);
            else if (value < 1 || (double)value > row->max)
                bind_range(b, row, node);
            uint32_t epochs = (uint32_t)value;
            memcpy(base + row->offset, &epochs, sizeof epochs);
            dc_text_free(&why);
            return;
        }
    }
    if (!ds_value_integer(node->text, size, DS_DIM_TIME, &value, &why)) {
        dc_text_add(&why, "; or `40 epochs`");
        ds_bind_why(b, node, ds_param_name(row), &why);
    } else if (value == 0)
        bind_range(b, row, node);
    memcpy(base + row->count_offset, &value, sizeof value);
    dc_text_free(&why);
}

static void bind_dist(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                      struct ds_dist_spec *out)
{
    struct dc_text why = {0};
    *out = (struct ds_dist_spec){.min = row->min, .max = row->max};
    if (!ds_dist_read(node->text, row->dim, row->kinds, b->arena, out, &why))
        ds_bind_why(b, node, ds_param_name(row), &why);
    dc_text_free(&why);
}

static void bind_name(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                      const char **out)
{
    const char *t = node->text;
    size_t size = strlen(t);
    bool ok = size > 0 && size <= 63 &&
              ((*t >= 'a' && *t <= 'z') || (*t >= 'A' && *t <= 'Z') || (*t >= '0' && *t <= '9'));
    for (size_t i = 0; ok && i < size; i++)
        ok = (t[i] >= 'a' && t[i] <= 'z') || (t[i] >= 'A' && t[i] <= 'Z') ||
             (t[i] >= '0' && t[i] <= '9') || strchr("_-.", t[i]) != NULL;
    if (ok)
        *out = t;
    else
        ds_bind_error(b, node,
                      "%s: `%.80s` is not a name: use letters, digits, `_`, `-` and `.`, at most "
                      "63, starting with a letter or digit",
                      ds_param_name(row), t);
}

static void bind_scalar(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                        char *base)
{
    void *field = base + row->offset;
    uint64_t value = 0;
    if (row->most != NULL && strcmp(node->text, row->most) == 0) {
        *(uint32_t *)field = UINT32_MAX;
        return;
    }
    switch (row->type) {
    case DS_COUNT:
    case DS_AMOUNT32:
        if (bind_integer(b, row, node, &value)) {
            uint32_t small = (uint32_t)value;
            memcpy(field, &small, sizeof small);
        }
        break;
    case DS_COUNT64:
    case DS_AMOUNT:
        if (bind_integer(b, row, node, &value))
            memcpy(field, &value, sizeof value);
        break;
    case DS_SHARE:
    case DS_PPM:
    case DS_FACTOR:
    case DS_REAL: bind_fraction(b, row, node, field); break;
    case DS_SPAN: bind_span(b, row, node, base); break;
    case DS_DIST: bind_dist(b, row, node, field); break;
    case DS_ENUM:
    case DS_BOOL: ds_bind_choice(b, row, node, field); break;
    case DS_NAME: bind_name(b, row, node, field); break;
    case DS_PATH: memcpy(field, &node->text, sizeof node->text); break;
    default: DC_CHECK(!"not a scalar's row");
    }
}

/* ---- structures ---------------------------------------------------------------------------- */

static void bind_list(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                      char *base)
{
    if (node->kind != DS_YAML_SEQUENCE) {
        ds_bind_error(b, node, "%s takes a list: put `- ` before each element", ds_param_name(row));
        return;
    }
    if ((double)node->count < row->min || (double)node->count > row->max) {
        ds_bind_error(b, node, "%s has %zu elements: use %.0f to %.0f", ds_param_name(row),
                      node->count, row->min, row->max);
        return;
    }
    char *items = ds_bind_alloc(b, node->count, row->size);
    if (items == NULL)
        return;
    char path[BIND_PATH_BYTES];
    snprintf(path, sizeof path, "%s[]", row->path);
    /* Published first: a fault's or group's own members may look at it. */
    memcpy(base + row->offset, &items, sizeof items);
    memcpy(base + row->count_offset, &node->count, sizeof node->count);
    size_t i = 0;
    for (const struct ds_yaml *n = node->first; n != NULL; n = n->next, i++) {
        size_t before = b->d->count;
        if (n->kind == DS_YAML_MAP)
            ds_bind_map(b, path, n, items + i * row->size);
        else
            ds_bind_error(b, n, "an element of %s is a mapping, such as `{...}`",
                          ds_param_name(row));
        if (b->d->failed)
            return;
        if (b->d->count == before && strcmp(row->path, "nodes") == 0)
            ds_scenario_check_group(b, n, i);
        if (b->d->count == before && strcmp(row->path, "faults") == 0)
            ds_scenario_check_fault(b, n, i);
        if (b->d->count == before && strcmp(row->path, "applications") == 0)
            ds_scenario_check_application(b, n, i);
    }
}

static void bind_section(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                         char *base)
{
    bool yes = true;
    if (node->kind == DS_YAML_SCALAR && row->zero != NULL && strcmp(node->text, row->zero) == 0) {
        memcpy(base + row->count_offset, &yes, sizeof yes);
    } else if (node->kind == DS_YAML_SCALAR && (row->flags & DS_EACH) != 0) {
        size_t cursor = 0;
        const struct ds_param *member;
        size_t before = b->d->count; /* one message, not one for each member */
        while ((member = ds_param_next(row->path, &cursor)) != NULL && b->d->count == before)
            bind_scalar(b, member, node, base);
    } else if (node->kind != DS_YAML_MAP) {
        ds_bind_error(b, node, "%s takes a mapping of parameters%s%s%s", ds_param_name(row),
                      row->zero != NULL ? ", or `" : "", row->zero != NULL ? row->zero : "",
                      row->zero != NULL ? "`" : "");
    } else {
        if ((row->flags & DS_OPTIONAL) != 0)
            memcpy(base + row->count_offset, &yes, sizeof yes);
        ds_bind_map(b, row->path, node, base);
    }
}

static void bind_value(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                       char *base)
{
    void *field = base + row->offset;
    if (ds_yaml_null(node)) {
        ds_bind_error(b, node, "%s has no value: give one, or leave the key out",
                      ds_param_name(row));
        return;
    }
    switch (row->type) {
    case DS_SECTION: bind_section(b, row, node, base); return;
    case DS_LIST: bind_list(b, row, node, base); return;
    case DS_FLAGS: ds_bind_flags(b, row, node, field); return;
    case DS_TIERS: ds_bind_tiers(b, row, node, field); return;
    case DS_MIX: ds_bind_mix(b, row, node, (struct ds_group *)(void *)base); return;
    case DS_WEIGHTS: ds_bind_weights(b, node, (struct ds_group *)(void *)base); return;
    case DS_EXPECTS: ds_bind_expects(b, row, node); return;
    case DS_SELECTOR: *(const struct ds_selector **)field = ds_bind_selector(b, node); return;
    case DS_SELECTORS: ds_bind_sides(b, row, node, (struct ds_fault *)(void *)base); return;
    default: break;
    }
    if (node->kind == DS_YAML_SCALAR) {
        bind_scalar(b, row, node, base);
        return;
    }
    struct dc_text type = {0};
    ds_param_describe_type(row, &type);
    ds_bind_error(b, node, "%s takes %s, not %s", ds_param_name(row),
                  type.data != NULL ? type.data : "a value", bind_kind_name(node));
    dc_text_free(&type);
}

/* The default, as if it stood where the section does. */
static void bind_fallback(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *map,
                          char *base)
{
    if (row->type == DS_SECTION) {
        if ((row->flags & (DS_OPTIONAL | DS_REQUIRED)) == 0) {
            struct ds_yaml empty = {.kind = DS_YAML_MAP, .place = map->place, .file = map->file};
            ds_bind_map(b, row->path, &empty, base);
        }
        return;
    }
    if (row->fallback == NULL)
        return;
    struct ds_yaml scalar = {.text = row->fallback, .file = map->file, .place = map->place};
    const struct ds_yaml *node = &scalar;
    if (row->fallback[0] == '[' || row->fallback[0] == '{')
        node =
            ds_yaml_parse(row->fallback, strlen(row->fallback), map->file, false, b->arena, b->d);
    if (node != NULL)
        bind_value(b, row, node, base);
}

/* ---- keys ---------------------------------------------------------------------------------- */

static bool bind_unclosed(const char *text)
{
    int depth = 0;
    for (; *text != '\0'; text++)
        depth += (*text == '(') - (*text == ')');
    return depth > 0;
}

/* `bond: pareto(2000 DSYNC, 1.6)` inside braces: YAML splits at the comma. */
static bool bind_split_value(const struct ds_yaml *entry, const struct ds_yaml *next)
{
    if (entry == NULL || next == NULL || entry->kind != DS_YAML_SCALAR || entry->quoted)
        return false;
    size_t size = strlen(next->key);
    return size > 0 && next->key[size - 1] == ')' && ds_yaml_null(next) &&
           bind_unclosed(entry->text);
}

static void bind_unknown(struct ds_bind *b, const char *path, const struct ds_yaml *entry,
                         const struct ds_yaml *before)
{
    struct ds_yaml at = {.file = entry->file, .place = entry->key_place};
    size_t size = strlen(entry->key);
    if (bind_split_value(before, entry)) {
        ds_bind_error(b, &at,
                      "unknown key `%s`: YAML splits at a comma inside braces: quote the "
                      "value, as in `%s: '%s, %s'`",
                      entry->key, before->key, before->text, entry->key);
        return;
    }
    struct ds_nearest nearest = {.word = entry->key};
    size_t cursor = 0;
    const struct ds_param *row;
    while ((row = ds_param_next(path, &cursor)) != NULL)
        ds_nearest_try(&nearest, ds_param_name(row));
    const char *elsewhere = NULL;
    for (cursor = 0; nearest.name == NULL && (row = ds_param_at(cursor)) != NULL; cursor++)
        if (elsewhere == NULL && strcmp(ds_param_name(row), entry->key) == 0)
            elsewhere = row->path;
    if (nearest.name != NULL)
        ds_bind_error(b, &at, "unknown key `%s`: did you mean `%s`?", entry->key, nearest.name);
    else if (elsewhere != NULL)
        ds_bind_error(b, &at, "unknown key `%s` here: it belongs at `%s`", entry->key, elsewhere);
    else if (size > 0 && entry->key[size - 1] == ')')
        ds_bind_error(b, &at, "unknown key `%s`: a value with a comma inside braces is quoted",
                      entry->key);
    else
        ds_bind_error(b, &at, "unknown key `%s`: `destrasim explain %s` lists what goes here",
                      entry->key, path[0] != '\0' ? path : "scenario");
}

/* False when the row does not apply, after refusing an entry that gives it all the same. */
static bool bind_applies(struct ds_bind *b, const struct ds_param *row,
                         const struct ds_param *decider, bool decided, const char *base,
                         const struct ds_yaml *entry)
{
    if (row->only == 0 || decider == NULL)
        return true;
    if (!decided)
        return false;
    uint32_t value;
    memcpy(&value, base + decider->offset, sizeof value);
    if ((row->only >> value & 1) != 0)
        return true;
    if (entry != NULL) {
        struct ds_yaml at = {.file = entry->file, .place = entry->key_place};
        ds_bind_error(b, &at, "`%s` does nothing for %s %s: remove it", ds_param_name(row),
                      ds_param_name(decider), ds_choice_name(decider->choices, value));
    }
    return false;
}

static void bind_check_section(struct ds_bind *b, const struct ds_param *row,
                               const struct ds_yaml *node)
{
    static const struct {
        const char *path;
        void (*check)(struct ds_bind *, const struct ds_yaml *);
    } checks[] = {{"network", ds_scenario_check_network},
                  {"nodes", ds_scenario_check_nodes},
                  {"protocol", ds_scenario_check_protocol}};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (strcmp(row->path, checks[i].path) == 0)
            checks[i].check(b, node);
}

void ds_bind_map(struct ds_bind *b, const char *path, const struct ds_yaml *map, void *base)
{
    const struct ds_param *decider = ds_param_decider(path), *row;
    bool decided = false;
    if (decider != NULL) {
        const struct ds_yaml *entry = ds_yaml_get(map, ds_param_name(decider));
        size_t before = b->d->count;
        if (entry != NULL)
            bind_value(b, decider, entry, base);
        else
            bind_fallback(b, decider, map, base);
        decided = b->d->count == before && (entry != NULL || decider->fallback != NULL);
    }
    size_t cursor = 0;
    while ((row = ds_param_next(path, &cursor)) != NULL && !b->d->failed) {
        const struct ds_yaml *entry = ds_yaml_get(map, ds_param_name(row));
        size_t before = b->d->count;
        if (!bind_applies(b, row, decider, decided, base, entry))
            continue;
        if (entry == NULL && (row->flags & DS_REQUIRED) != 0)
            ds_bind_error(b, map, "`%s` is missing: %s", ds_param_name(row), row->meaning);
        else if (row == decider || (entry != NULL && bind_split_value(entry, entry->next)))
            continue;
        else if (entry != NULL)
            bind_value(b, row, entry, base);
        else
            bind_fallback(b, row, map, base);
        if (path[0] == '\0' && b->d->count == before && !b->d->failed)
            bind_check_section(b, row, entry != NULL ? entry : map);
    }
    const struct ds_yaml *before = NULL;
    for (const struct ds_yaml *n = map->first; n != NULL; before = n, n = n->next) {
        char name[BIND_PATH_BYTES];
        int size = snprintf(name, sizeof name, "%s%s%s", path, path[0] != '\0' ? "." : "", n->key);
        if (size < 0 || (size_t)size >= sizeof name || strpbrk(n->key, ".[]") != NULL ||
            ds_param_find(name, (size_t)size) == NULL)
            bind_unknown(b, path, n, before);
    }
}

/* --set PATH=VALUE: edits the tree before it is read, so that an override obeys every rule of the
 * file.
 *
 *     path := name { '.' name | '[' index ']' | '[' quoted ']' }
 *
 * A name after a list is the element whose `name` (or `id`) it is: nodes.sto.count; in a study, its
 * `label` or `path`: parameters['protocol.theta'].values. */
#include "sim/scenario/load.h"

#include <stdio.h>
#include <string.h>

struct override {
    struct ds_bind *b;
    const char *file; /* "--set PATH=VALUE", for messages */
    const char *p;
    char path[256]; /* of the table: nodes[].links */
};

static void override_error(struct override *o, const char *why, const char *detail)
{
    ds_diagnostics_add(o->b->d, o->file, (struct ds_place){0, 0}, why, detail);
}

static struct ds_yaml *override_new(struct override *o, enum ds_yaml_kind kind)
{
    struct ds_yaml *node = ds_bind_alloc(o->b, 1, sizeof *node);
    if (node != NULL)
        *node = (struct ds_yaml){.kind = kind, .text = "", .file = o->file};
    return node;
}

/* A scalar that must become a mapping: `bandwidth: 1 Mbit` is that of every member. */
static void override_open(struct override *o, struct ds_yaml *node)
{
    const struct ds_param *row = ds_param_find(o->path, strlen(o->path)), *member;
    struct ds_yaml old = *node;
    node->kind = DS_YAML_MAP;
    node->text = "";
    node->first = node->last = NULL;
    node->count = 0;
    size_t cursor = 0;
    while (old.text[0] != '\0' && row != NULL && (row->flags & DS_EACH) != 0 &&
           (member = ds_param_next(o->path, &cursor)) != NULL) {
        struct ds_yaml *child = override_new(o, DS_YAML_SCALAR);
        if (child == NULL)
            return;
        child->text = old.text;
        child->file = old.file;
        child->place = old.place;
        child->key = ds_param_name(member);
        child->key_place = old.place;
        ds_yaml_append(node, child);
    }
}

/* The next segment; *index is its number, or SIZE_MAX for a name.  NULL after a diagnostic. */
static char *override_segment(struct override *o, size_t *index)
{
    const char *start = o->p, *end;
    *index = SIZE_MAX;
    if (*start == '[' && (start[1] == '\'' || start[1] == '"')) {
        end = strchr(start + 2, start[1]);
        if (end == NULL || end[1] != ']') {
            override_error(o, "%s is not closed: write it as in strategy['partial(0.3)']", start);
            return NULL;
        }
        o->p = end + 2;
        return ds_yaml_copy(o->b->arena, start + 2, (size_t)(end - start - 2));
    }
    if (*start == '[') {
        size_t n = strspn(start + 1, "0123456789"), value = 0;
        if (n == 0 || n > 6 || start[1 + n] != ']') {
            override_error(o, "`%s`: an index is a number in brackets, as in nodes[0].count",
                           start);
            return NULL;
        }
        for (size_t i = 1; i <= n; i++)
            value = value * 10 + (size_t)(start[i] - '0');
        *index = value;
        o->p = start + n + 2;
        return ds_yaml_copy(o->b->arena, start, n + 2);
    }
    start += *start == '.';
    end = start + strcspn(start, ".[=");
    if (end == start) {
        override_error(o, "`%s`: a name is missing: write PATH=VALUE, as in protocol.theta=0.2",
                       start);
        return NULL;
    }
    o->p = end;
    return ds_yaml_copy(o->b->arena, start, (size_t)(end - start));
}

static bool override_called(const struct ds_yaml *element, const char *name)
{
    static const char *const keys[] = {"name", "id", "label", "path"};
    for (size_t i = 0; element->kind == DS_YAML_MAP && i < sizeof keys / sizeof keys[0]; i++) {
        const struct ds_yaml *key = ds_yaml_get(element, keys[i]);
        if (key != NULL && key->kind == DS_YAML_SCALAR && strcmp(key->text, name) == 0)
            return true;
    }
    return false;
}

static struct ds_yaml *override_element(struct override *o, struct ds_yaml *list, const char *name,
                                        size_t index)
{
    struct ds_yaml *n = list->first;
    if (index != SIZE_MAX) {
        for (size_t i = 0; n != NULL && i < index; i++)
            n = n->next;
        if (n == NULL && index == list->count && (n = override_new(o, DS_YAML_SCALAR)) != NULL)
            ds_yaml_append(list, n);
    } else {
        for (; n != NULL && !override_called(n, name); n = n->next)
            ;
    }
    if (n == NULL)
        override_error(o, "the list has no element `%s`: use its name, or an index from 0", name);
    return n;
}

static struct ds_yaml *override_member(struct override *o, struct ds_yaml *map, const char *name)
{
    struct ds_yaml *n = ds_yaml_get(map, name);
    if (n != NULL)
        return n;
    n = override_new(o, DS_YAML_SCALAR);
    if (n != NULL) {
        n->key = name;
        ds_yaml_append(map, n);
    }
    return n;
}

/* One step down from node; keeps o->path the table's path of where it is. */
static struct ds_yaml *override_step(struct override *o, struct ds_yaml *node, bool top)
{
    size_t index, size = strlen(o->path);
    char *name = override_segment(o, &index);
    if (name == NULL)
        return NULL;
    const struct ds_param *row = ds_param_find(o->path, size);
    bool list = node->kind == DS_YAML_SEQUENCE ||
                (row != NULL && (row->type == DS_LIST || row->type == DS_EXPECTS));
    if (list && node->kind == DS_YAML_SCALAR) {
        node->kind = DS_YAML_SEQUENCE;
        node->text = "";
    }
    if (list && node->kind == DS_YAML_SEQUENCE) {
        snprintf(o->path + size, sizeof o->path - size, "[]");
        return override_element(o, node, name, index);
    }
    if (index != SIZE_MAX) {
        override_error(o, "`%s`: this is not a list: use a name", name);
        return NULL;
    }
    if (node->kind == DS_YAML_SCALAR)
        override_open(o, node);
    snprintf(o->path + size, sizeof o->path - size, "%s%s", top ? "" : ".", name);
    return override_member(o, node, name);
}

static void override_remove(struct ds_yaml *parent, const struct ds_yaml *node)
{
    struct ds_yaml **link = &parent->first;
    struct ds_yaml *last = NULL;
    while (*link != node) {
        last = *link;
        link = &(*link)->next;
    }
    *link = node->next;
    if (parent->last == node)
        parent->last = last;
    parent->count--;
}

/* Puts value where node is, keeping its key and place among its siblings. */
static void override_replace(struct ds_yaml *node, const struct ds_yaml *value)
{
    node->kind = value->kind;
    node->quoted = value->quoted;
    node->flow = value->flow;
    node->text = value->text;
    node->file = value->file;
    node->place = value->place;
    node->key_place = value->place;
    node->first = value->first;
    node->last = value->last;
    node->count = value->count;
}

/* The first `=` outside quotes, or NULL. */
static const char *override_equals(const char *text)
{
    char quote = '\0';
    for (; *text != '\0'; text++) {
        if (quote == '\0' && *text == '=')
            return text;
        if (*text == quote)
            quote = '\0';
        else if (quote == '\0' && (*text == '\'' || *text == '"'))
            quote = *text;
    }
    return NULL;
}

bool ds_scenario_override(struct ds_bind *b, struct ds_yaml *root, const char *text)
{
    struct override o = {.b = b, .p = text};
    struct dc_text file = {0};
    dc_text_printf(&file, "--set %.200s", text);
    o.file = file.failed ? NULL : ds_yaml_copy(b->arena, file.data, file.size);
    dc_text_free(&file);
    if (o.file == NULL) {
        b->d->failed = true;
        return false;
    }
    const char *equals = override_equals(text);
    if (equals == NULL) {
        override_error(&o, "`%s` has no value: write PATH=VALUE, as in protocol.theta=0.2", text);
        return false;
    }
    const char *copy = ds_yaml_copy(b->arena, equals + 1, strlen(equals + 1));
    struct ds_yaml empty = {.kind = DS_YAML_SCALAR, .text = ""}, *value = &empty;
    if (copy != NULL && copy[strspn(copy, " ")] != '\0')
        value = ds_yaml_parse(copy, strlen(copy), o.file, false, b->arena, b->d);
    b->d->failed |= copy == NULL;
    if (copy == NULL || value == NULL)
        return false;
    struct ds_yaml *node = root, *parent = NULL;
    do {
        parent = node;
        node = override_step(&o, node, node == root);
        if (node == NULL)
            return false;
    } while (*o.p == '.' || *o.p == '[');
    if (o.p != equals) {
        override_error(&o, "`%s`: expected `=` and a value, as in protocol.theta=0.2", o.p);
        return false;
    }
    if (ds_yaml_null(value))
        override_remove(parent, node);
    else
        override_replace(node, value);
    return true;
}

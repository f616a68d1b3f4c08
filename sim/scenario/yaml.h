/* YAML as a small tree with a place for every node.
 *
 * Only what a scenario needs: one document of mappings, sequences and scalars.  Anchors, aliases,
 * tags, merge keys, duplicate keys and second documents are refused with their place. */
#ifndef SIM_SCENARIO_YAML_H
#define SIM_SCENARIO_YAML_H

#include "sim/scenario/scenario.h"

enum ds_yaml_kind { DS_YAML_SCALAR, DS_YAML_MAP, DS_YAML_SEQUENCE };

struct ds_yaml {
    enum ds_yaml_kind kind;
    bool quoted;      /* a scalar in quotes or a block scalar: never null */
    bool flow;        /* written with braces or brackets */
    const char *text; /* scalar */
    const char *file; /* for messages */
    struct ds_place place;
    const char *key; /* of an entry of a mapping */
    struct ds_place key_place;
    struct ds_yaml *first, *last, *next;
    size_t count;
};

#define DS_YAML_SIZE_MAX (4u << 20)
#define DS_YAML_DEPTH_MAX 24

/* Parses text; the tree and its strings live in the arena.  Returns NULL after at least one
 * diagnostic (or when memory ran out).  base is where the text starts in its file; a base of line
 * 0 gives every node line 0 (an override). */
struct ds_yaml *ds_yaml_parse(const char *text, size_t size, const char *file, bool placed,
                              struct dc_arena *arena, struct ds_diagnostics *d);

struct ds_yaml *ds_yaml_get(const struct ds_yaml *map, const char *key);
void ds_yaml_append(struct ds_yaml *parent, struct ds_yaml *child);
/* A plain scalar that YAML reads as no value. */
bool ds_yaml_null(const struct ds_yaml *node);
/* Appends a scalar so that it reads back as the same string, plain where that is safe. */
void ds_yaml_print_scalar(struct dc_text *out, const char *text);
/* Bytes in arena, NUL-terminated, or NULL. */
char *ds_yaml_copy(struct dc_arena *arena, const char *text, size_t size);

#endif

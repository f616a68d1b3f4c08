/* The resolved scenario as YAML, by walking the table over the struct. */
#include "sim/scenario/load.h"

#include <stdio.h>
#include <string.h>

static uint64_t print_u64(const char *field)
{
    uint64_t v;
    memcpy(&v, field, sizeof v);
    return v;
}
static uint32_t print_u32(const char *field)
{
    uint32_t v;
    memcpy(&v, field, sizeof v);
    return v;
}
static double print_real(const char *field)
{
    double v;
    memcpy(&v, field, sizeof v);
    return v;
}
static const char *print_string(const char *field)
{
    const char *v;
    memcpy(&v, field, sizeof v);
    return v;
}

static void print_ppm(struct dc_text *out, uint32_t ppm)
{
    ds_value_print_real(out, DS_DIM_NUMBER, (double)ppm / DC_PPM);
}

static void print_integer(const struct ds_param *row, uint64_t value, struct dc_text *out)
{
    if (value == 0 && row->zero != NULL)
        dc_text_add(out, row->zero);
    else
        ds_value_print_integer(out, row->dim, value);
}

/* The words of choices that are set in value, as a list. */
static void print_flags(const struct ds_param *row, uint32_t value, struct dc_text *out)
{
    dc_text_add(out, "[");
    const char *comma = "";
    for (const struct ds_choice *c = row->choices; c->name != NULL; c++)
        if (c->value == UINT32_MAX ? value == c->value
                                   : value != UINT32_MAX && (value & c->value) != 0) {
            dc_text_printf(out, "%s%s", comma, c->name);
            comma = ", ";
        }
    dc_text_add(out, "]");
}

static void print_scalar(const struct ds_param *row, const char *base, struct dc_text *out)
{
    const char *field = base + row->offset;
    if (row->most != NULL && print_u32(field) == UINT32_MAX) {
        dc_text_add(out, row->most);
        return;
    }
    switch (row->type) {
    case DS_COUNT:
    case DS_AMOUNT32: print_integer(row, print_u32(field), out); break;
    case DS_COUNT64:
    case DS_AMOUNT: print_integer(row, print_u64(field), out); break;
    case DS_SHARE: ds_value_print_share(out, print_u32(field)); break;
    case DS_PPM:
    case DS_FACTOR: print_ppm(out, print_u32(field)); break;
    case DS_REAL: ds_value_print_real(out, row->dim, print_real(field)); break;
    case DS_SPAN:
        if (print_u32(field) != 0)
            dc_text_printf(out, "%u epochs", print_u32(field));
        else
            ds_value_print_integer(out, DS_DIM_TIME, print_u64(base + row->count_offset));
        break;
    case DS_DIST: dc_text_add(out, ((const struct ds_dist_spec *)(const void *)field)->text); break;
    case DS_ENUM: dc_text_add(out, ds_choice_name(row->choices, print_u32(field))); break;
    case DS_BOOL: dc_text_add(out, ds_choice_name(row->choices, *(const bool *)field)); break;
    case DS_FLAGS: print_flags(row, print_u32(field), out); break;
    case DS_TIERS:
        for (size_t i = 0; i < 4; i++) {
            dc_text_add(out, i == 0 ? "[" : ", ");
            print_ppm(out, print_u32(field + i * sizeof(uint32_t)));
        }
        dc_text_add(out, "]");
        break;
    case DS_NAME:
    case DS_PATH: ds_yaml_print_scalar(out, print_string(field)); break;
    case DS_SELECTOR:
        ds_yaml_print_scalar(out, (*(const struct ds_selector *const *)(const void *)field)->text);
        break;
    default: DC_CHECK(!"not a scalar's row");
    }
}

static void print_mix(const struct ds_param *row, const char *base, struct dc_text *out, int indent)
{
    const struct ds_mix *mix = (const void *)print_string(base + row->offset);
    size_t count;
    memcpy(&count, base + row->count_offset, sizeof count);
    for (size_t i = 0; i < count; i++) {
        dc_text_printf(out, "\n%*s%s: ", indent, "", mix[i].name);
        ds_value_print_real(out, DS_DIM_SHARE, mix[i].weight);
    }
}

static void print_weights(const struct ds_group *g, struct dc_text *out, int indent)
{
    if (g->place_count == 0)
        dc_text_add(out, " everywhere");
    for (size_t i = 0; i < g->place_count; i++) {
        dc_text_printf(out, "\n%*s", indent, "");
        ds_yaml_print_scalar(out, g->place[i].name);
        dc_text_add(out, ": ");
        ds_value_print_real(out, DS_DIM_SHARE, g->place[i].weight);
    }
}

static void print_sides(const struct ds_fault *f, struct dc_text *out, int indent)
{
    for (size_t i = 0; i < f->groups_count; i++) {
        dc_text_printf(out, "\n%*s- ", indent, "");
        ds_yaml_print_scalar(out, f->groups[i]->text);
    }
}

static void print_expects(const struct ds_param *row, const char *base, struct dc_text *out,
                          int indent)
{
    const struct ds_expect *expect = (const void *)print_string(base + row->offset);
    size_t count;
    memcpy(&count, base + row->count_offset, sizeof count);
    if (count == 0)
        dc_text_add(out, " []");
    for (size_t i = 0; i < count; i++) {
        dc_text_printf(out, "\n%*s- ", indent, "");
        ds_yaml_print_scalar(out, expect[i].text);
    }
}

static bool print_given(const struct ds_param *row, const char *base)
{
    if ((row->flags & DS_OPTIONAL) == 0)
        return true;
    if (row->type == DS_SECTION)
        return *(const bool *)(base + row->count_offset);
    if (row->type == DS_AMOUNT)
        return print_u64(base + row->offset) != 0;
    return print_string(base + row->offset) != NULL;
}

/* brief: what is as by default is left out. */
static void print_members(const char *path, const char *base, int indent, bool dash, bool brief,
                          struct dc_text *out);

static void print_list(const struct ds_param *row, const char *base, int indent, bool brief,
                       struct dc_text *out)
{
    const char *items = print_string(base + row->offset); /* a pointer all the same */
    size_t count;
    memcpy(&count, base + row->count_offset, sizeof count);
    char path[160];
    snprintf(path, sizeof path, "%s[]", row->path);
    dc_text_add(out, count == 0 ? " []\n" : "\n");
    for (size_t i = 0; i < count; i++)
        print_members(path, items + i * row->size, indent + 2, true, brief, out);
}

static void print_row(const struct ds_param *row, const char *base, int indent, bool brief,
                      struct dc_text *out)
{
    dc_text_printf(out, "%s:", ds_param_name(row));
    switch (row->type) {
    case DS_SECTION:
        if (row->zero != NULL && *(const bool *)(base + row->count_offset)) {
            dc_text_printf(out, " %s\n", row->zero);
            return;
        }
        dc_text_add(out, "\n");
        print_members(row->path, base, indent + 2, false, brief, out);
        return;
    case DS_LIST: print_list(row, base, indent, brief, out); return;
    case DS_MIX: print_mix(row, base, out, indent + 2); break;
    case DS_WEIGHTS:
        print_weights((const struct ds_group *)(const void *)base, out, indent + 2);
        break;
    case DS_SELECTORS:
        print_sides((const struct ds_fault *)(const void *)base, out, indent + 2);
        break;
    case DS_EXPECTS: print_expects(row, base, out, indent + 2); break;
    default: dc_text_add(out, " "); print_scalar(row, base, out);
    }
    dc_text_add(out, "\n");
}

/* "{a: 0.5, b: 0.5}" as the lines that it is printed as. */
static void print_default_mix(const char *name, const char *fallback, struct dc_text *out)
{
    dc_text_printf(out, "%s:\n", name);
    for (const char *p = fallback + 1; *p != '\0'; p++)
        if (*p == ',' && p[1] == ' ')
            dc_text_put(out, "\n", 1);
        else if (*p != ' ' || p[-1] != ',')
            dc_text_put(out, *p == '}' ? "\n" : p, 1);
}

/* Whether a row's printed text says no more than its default. */
static bool print_default(const struct ds_param *row, const char *text)
{
    struct dc_text plain = {0};
    const char *name = ds_param_name(row), *fallback = row->fallback;
    if ((row->flags & (DS_REQUIRED | DS_OPTIONAL)) != 0)
        return false;
    if (row->type == DS_MIX && fallback != NULL && fallback[0] != '{')
        dc_text_printf(&plain, "%s:\n%s: 1\n", name, fallback);
    else if (row->type == DS_MIX && fallback != NULL)
        print_default_mix(name, fallback, &plain);
    else if (row->type == DS_FLAGS && fallback != NULL && strcmp(fallback, "none") == 0)
        dc_text_printf(&plain, "%s: []\n", name);
    else if (row->type == DS_SECTION)
        dc_text_printf(&plain, "%s:\n", name);
    else if (row->type == DS_LIST)
        dc_text_printf(&plain, "%s: []\n", name);
    else if (fallback != NULL)
        dc_text_printf(&plain,
                       row->type == DS_FLAGS && fallback[0] != '[' ? "%s: [%s]\n" : "%s: %s\n",
                       name, fallback);
    bool same = plain.data != NULL && !plain.failed;
    for (const char *p = plain.data; same && *p != '\0'; p++, text++) {
        while (*text == ' ' && *p != ' ') /* indentation */
            text++;
        same = *p == *text;
    }
    same = same && *text == '\0';
    dc_text_free(&plain);
    return same;
}

/* dash: the first line begins an element of a list. */
static void print_members(const char *path, const char *base, int indent, bool dash, bool brief,
                          struct dc_text *out)
{
    const struct ds_param *decider = ds_param_decider(path), *row;
    size_t cursor = 0;
    while ((row = ds_param_next(path, &cursor)) != NULL) {
        if (row->only != 0 && decider != NULL &&
            (row->only >> print_u32(base + decider->offset) & 1) == 0)
            continue;
        if (!print_given(row, base))
            continue;
        size_t mark = out->size;
        dc_text_printf(out, "%*s%s", dash ? indent - 2 : indent, "", dash ? "- " : "");
        size_t begin = out->size;
        print_row(row, base, indent, brief, out);
        if (brief && !out->failed && print_default(row, out->data + begin)) {
            out->size = mark;
            out->data[mark] = '\0';
        } else {
            dash = false;
        }
    }
}

void ds_scenario_print_fault(const struct ds_fault *fault, struct dc_text *out)
{
    const char *base = (const char *)fault;
    const struct ds_param *decider = ds_param_decider("faults[]"), *row;
    size_t cursor = 0;
    while ((row = ds_param_next("faults[]", &cursor)) != NULL) {
        struct dc_text line = {0}, plain = {0};
        bool applies = row->only == 0 || (row->only >> print_u32(base + decider->offset) & 1) != 0;
        if (applies && row->offset != offsetof(struct ds_fault, id) && print_given(row, base)) {
            print_row(row, base, 0, false, &line);
            dc_text_printf(&plain, row->type == DS_FLAGS ? "%s: [%s]\n" : "%s: %s\n",
                           ds_param_name(row), row->fallback != NULL ? row->fallback : "");
            if (line.data != NULL && plain.data != NULL && strcmp(line.data, plain.data) != 0)
                dc_text_add(out, line.data);
            out->failed = out->failed || line.failed || plain.failed;
        }
        dc_text_free(&line);
        dc_text_free(&plain);
    }
}

void ds_scenario_print_resolved(const struct ds_scenario *scenario, struct dc_text *out)
{
    if (scenario->title[0] != '\0')
        dc_text_printf(out, "# %s\n", scenario->title);
    print_members("", (const char *)scenario, 0, false, false, out);
}

void ds_scenario_print_brief(const struct ds_scenario *scenario, struct dc_text *out)
{
    if (scenario->title[0] != '\0')
        dc_text_printf(out, "# %s\n", scenario->title);
    print_members("", (const char *)scenario, 0, false, true, out);
}

void ds_scenario_print_item(const struct ds_fault *fault, struct dc_text *out)
{
    print_members("faults[]", (const char *)fault, 4, true, true, out);
}

/* The table as text for people (explain, the reference page) and for editors (JSON Schema). */
#include "sim/scenario/load.h"

#include <stdio.h>
#include <string.h>

static void explain_choices(const struct ds_choice *choices, const char *between,
                            struct dc_text *out)
{
    for (const struct ds_choice *c = choices; c->name != NULL; c++)
        dc_text_printf(out, "%s%s", c != choices ? between : "", c->name);
}

void ds_param_describe_type(const struct ds_param *row, struct dc_text *out)
{
    switch (row->type) {
    case DS_COUNT:
    case DS_COUNT64: dc_text_add(out, "a whole number"); break;
    case DS_SHARE:
    case DS_PPM: dc_text_add(out, "a share (0.3 or 30 %)"); break;
    case DS_TIERS: dc_text_add(out, "a list of four numbers"); break;
    case DS_FACTOR: dc_text_add(out, "a number (1.5)"); break;
    case DS_REAL:
    case DS_AMOUNT:
    case DS_AMOUNT32:
        dc_text_printf(out, "%s (%s)", ds_value_name(row->dim), ds_value_example(row->dim));
        break;
    case DS_SPAN: dc_text_add(out, "a number of epochs (40 epochs) or a time (30 min)"); break;
    case DS_DIST:
        dc_text_printf(out, "a distribution of %s: ", strchr(ds_value_name(row->dim), ' ') + 1);
        ds_dist_describe(row->kinds, out);
        break;
    case DS_ENUM:
    case DS_BOOL:
        dc_text_add(out, "one of ");
        explain_choices(row->choices, ", ", out);
        break;
    case DS_FLAGS:
        dc_text_add(out, "a list of ");
        explain_choices(row->choices, ", ", out);
        break;
    case DS_NAME: dc_text_add(out, "a name"); break;
    case DS_PATH: dc_text_add(out, "a file, relative to the scenario"); break;
    case DS_SELECTOR: dc_text_add(out, "a selector of nodes"); break;
    case DS_SELECTORS: dc_text_add(out, "a list of lists of selectors"); break;
    case DS_MIX: dc_text_add(out, "a strategy, or a mapping of strategies to weights"); break;
    case DS_WEIGHTS:
        dc_text_add(out, "a name, a list of names, or a mapping of names to weights");
        break;
    case DS_EXPECTS: dc_text_add(out, "a list of expectations"); break;
    case DS_SECTION: dc_text_add(out, "a section"); break;
    case DS_LIST: dc_text_add(out, "a list of sections"); break;
    }
}

void ds_param_describe_range(const struct ds_param *row, struct dc_text *out)
{
    enum ds_value_dim dim = row->dim;
    const char *words = "";
    switch (row->type) {
    case DS_SPAN: dc_text_printf(out, "1 to %.0f epochs, or a time above 0 s", row->max); return;
    case DS_COUNT:
    case DS_COUNT64: dc_text_printf(out, "%.0f to %.0f", row->min, row->max); break;
    case DS_SHARE:
    case DS_PPM:
    case DS_FACTOR:
    case DS_TIERS:
    case DS_REAL:
        dim = DS_DIM_NUMBER;
        /* fall through */
    case DS_AMOUNT:
    case DS_AMOUNT32:
    case DS_DIST:
        ds_value_print_real(out, dim, row->min);
        dc_text_add(out, " to ");
        ds_value_print_real(out, dim, row->max);
        break;
    case DS_LIST:
    case DS_SELECTORS: dc_text_printf(out, "%.0f to %.0f elements", row->min, row->max); return;
    default: return;
    }
    words = row->zero != NULL ? row->zero : row->most;
    if (words != NULL)
        dc_text_printf(out, ", or `%s`", words);
}

/* The kinds of the deciding row for which this one applies. */
static void explain_only(const struct ds_param *row, struct dc_text *out)
{
    char parent[160];
    size_t size = (size_t)(ds_param_name(row) - row->path);
    snprintf(parent, sizeof parent, "%.*s", (int)(size > 0 ? size - 1 : 0), row->path);
    const struct ds_param *decider = ds_param_decider(parent);
    if (row->only == 0 || decider == NULL)
        return;
    const char *comma = "";
    dc_text_printf(out, "%s ", ds_param_name(decider));
    for (const struct ds_choice *c = decider->choices; c->name != NULL; c++)
        if ((row->only >> c->value & 1) != 0) {
            dc_text_printf(out, "%s%s", comma, c->name);
            comma = " or ";
        }
}

static void explain_default(const struct ds_param *row, struct dc_text *out)
{
    if ((row->flags & DS_REQUIRED) != 0)
        dc_text_add(out, "must be given");
    else if (row->fallback != NULL)
        dc_text_add(out, row->fallback);
    else
        dc_text_add(out, row->type == DS_SECTION && (row->flags & DS_OPTIONAL) == 0
                             ? "that of its members"
                             : "none");
}

static void explain_members(const char *path, struct dc_text *out)
{
    size_t cursor = 0;
    const struct ds_param *row;
    while ((row = ds_param_next(path, &cursor)) != NULL)
        dc_text_printf(out, "  %-20s %s\n", ds_param_name(row), row->meaning);
}

static void explain_row(const struct ds_param *row, struct dc_text *out)
{
    struct dc_text part = {0};
    dc_text_printf(out, "%s\n  %s\n", row->path, row->meaning);
    ds_param_describe_type(row, &part);
    dc_text_printf(out, "  type:    %s\n", part.data != NULL ? part.data : "");
    dc_text_free(&part);
    if (row->type == DS_AMOUNT || row->type == DS_AMOUNT32 ||
        (row->type == DS_DIST && row->dim != DS_DIM_NUMBER))
        dc_text_printf(out, "  unit:    %s\n", ds_value_units(row->dim));
    ds_param_describe_range(row, &part);
    if (part.size > 0)
        dc_text_printf(out, "  range:   %s\n", part.data);
    dc_text_free(&part);
    explain_default(row, &part);
    dc_text_printf(out, "  default: %s\n", part.data != NULL ? part.data : "");
    dc_text_free(&part);
    explain_only(row, &part);
    if (part.size > 0)
        dc_text_printf(out, "  only for %s\n", part.data);
    dc_text_free(&part);
    for (const struct ds_choice *c = row->choices; c != NULL && c->name != NULL; c++)
        if (c->meaning[0] != '\0')
            dc_text_printf(out, "  %-20s %s\n", c->name, c->meaning);
    if (row->type == DS_SECTION || row->type == DS_LIST) {
        char path[160];
        snprintf(path, sizeof path, "%s%s", row->path, row->type == DS_LIST ? "[]" : "");
        dc_text_add(out, "members:\n");
        explain_members(path, out);
    }
}

const struct ds_param *ds_param_resolve(const char *path, char *table, size_t size_max)
{
    const struct ds_param *row = NULL;
    size_t size = 0;
    table[0] = '\0';
    for (const char *p = path; *p != '\0';) {
        size_t n;
        if (*p == '[') {
            n = strcspn(p, "]");
            p += n + (p[n] == ']');
        } else {
            p += *p == '.';
            n = strcspn(p, ".[");
            int more =
                snprintf(table + size, size_max - size, "%s%.*s", size > 0 ? "." : "", (int)n, p);
            p += n;
            if (more < 0 || size + (size_t)more + 3 >= size_max)
                return NULL;
            const struct ds_param *next = ds_param_find(table, size + (size_t)more);
            if (next == NULL && size >= 2 && table[size - 1] == ']') {
                table[size] = '\0'; /* the name of an element */
                continue;
            }
            if (next == NULL)
                return row != NULL && (row->type == DS_MIX || row->type == DS_WEIGHTS) ? row : NULL;
            row = next;
            size += (size_t)more;
            if (row->type == DS_LIST) {
                snprintf(table + size, size_max - size, "[]");
                size += 2;
            }
        }
    }
    return row;
}

const char *ds_param_suggest(const char *path)
{
    struct ds_nearest nearest = {.word = path};
    const char *last = strrchr(path, '.');
    last = last != NULL ? last + 1 : path;
    const char *same = NULL;
    const struct ds_param *row;
    for (size_t n = 0; (row = ds_param_at(n)) != NULL; n++) {
        ds_nearest_try(&nearest, row->path);
        ds_nearest_try(&nearest, ds_param_name(row));
        if (same == NULL && strcmp(ds_param_name(row), last) == 0)
            same = row->path;
    }
    return same != NULL ? same : nearest.name;
}

enum dc_status ds_scenario_explain(const char *path, struct dc_text *out, struct dc_error *error)
{
    char table[256];
    if (path[0] == '\0' || strcmp(path, "scenario") == 0) {
        dc_text_add(out, "A scenario file has these parameters:\n");
        explain_members("", out);
        return DC_OK;
    }
    if (strcmp(path, "reference") == 0) {
        ds_scenario_reference(out);
        return DC_OK;
    }
    const struct ds_param *row = ds_param_resolve(path, table, sizeof table);
    if (row == NULL) {
        const char *near = ds_param_suggest(path);
        return dc_error_set(error, DC_ERR_USAGE, "unknown parameter `%.100s`%s%s%s", path,
                            near != NULL ? ": did you mean `"
                                         : ": `destrasim explain scenario` "
                                           "lists them",
                            near != NULL ? near : "", near != NULL ? "`?" : "");
    }
    explain_row(row, out);
    return out->failed ? dc_error_set(error, DC_ERR_IO, "out of memory: close other programs")
                       : DC_OK;
}

/* ---- the reference page -------------------------------------------------------------------- */

static void reference_cell(const char *text, struct dc_text *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            dc_text_add(out, "\\");
        dc_text_put(out, text, 1);
    }
    dc_text_add(out, " | ");
}

static void reference_rows(const char *path, struct dc_text *out)
{
    size_t cursor = 0;
    const struct ds_param *row;
    dc_text_add(out, "| parameter | type | range | default | meaning |\n"
                     "| --- | --- | --- | --- | --- |\n");
    while ((row = ds_param_next(path, &cursor)) != NULL) {
        struct dc_text part = {0}, only = {0};
        dc_text_printf(out, "| `%s` | ", row->path);
        ds_param_describe_type(row, &part);
        reference_cell(part.data != NULL ? part.data : "", out);
        dc_text_free(&part);
        ds_param_describe_range(row, &part);
        reference_cell(part.data != NULL ? part.data : "", out);
        dc_text_free(&part);
        explain_default(row, &part);
        reference_cell(part.data != NULL ? part.data : "", out);
        dc_text_free(&part);
        explain_only(row, &only);
        dc_text_printf(&part, "%s%s%s", row->meaning, only.size > 0 ? "; only for " : "",
                       only.size > 0 ? only.data : "");
        reference_cell(part.data != NULL ? part.data : "", out);
        out->size--; /* the blank at the line's end */
        dc_text_add(out, "\n");
        dc_text_free(&part);
        dc_text_free(&only);
    }
}

void ds_scenario_reference(struct dc_text *out)
{
    dc_text_add(out, "### scenario\n\n");
    reference_rows("", out);
    const struct ds_param *row;
    for (size_t n = 0; (row = ds_param_at(n)) != NULL; n++) {
        if (row->type != DS_SECTION && row->type != DS_LIST)
            continue;
        char path[160];
        snprintf(path, sizeof path, "%s%s", row->path, row->type == DS_LIST ? "[]" : "");
        dc_text_printf(out, "\n### %s\n\n", row->path);
        reference_rows(path, out);
    }
    dc_text_add(out, "\n### metrics\n\n| metric | unit | after the dot | meaning |\n"
                     "| --- | --- | --- | --- |\n");
    static const char *const suffixes[] = {
        [DS_SUFFIX_NONE] = "",
        [DS_SUFFIX_STRATEGY] = "a strategy, or nothing: all cheats",
        [DS_SUFFIX_QUANTILE] = "p50, p95, p99, mean, max",
        [DS_SUFFIX_KIND] = "a kind of message, or nothing: all",
        [DS_SUFFIX_LINK] = "link0, link1 ...: a class of links, or nothing: all",
        [DS_SUFFIX_APPLICATION] = "the name of an application",
        [DS_SUFFIX_CONTRACT] = "a kind of contract (auction, escrow ...), or nothing: all",
        [DS_SUFFIX_CAUSE] = "why a channel refuses (foreign, revoked ...), or nothing: all"};
    for (size_t i = 0; i < ds_metrics_count; i++)
        dc_text_printf(out, "| `%s` | %s | %s | %s |\n", ds_metrics[i].name, ds_metrics[i].unit,
                       suffixes[ds_metrics[i].suffix], ds_metrics[i].meaning);
}

/* JSON Schema (2020-12) of a scenario file: structure, names and words, so that an editor completes
 * and marks them.  Values with units are strings with a pattern; ranges stay with the loader. */
#include "sim/scenario/load.h"

#include <stdio.h>
#include <string.h>

static void schema_string(struct dc_text *out, const char *text)
{
    dc_text_add(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            dc_text_printf(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            dc_text_printf(out, "\\u%04x", (unsigned char)*text);
        else
            dc_text_put(out, text, 1);
    }
    dc_text_add(out, "\"");
}

static void schema_words(const struct ds_choice *choices, struct dc_text *out)
{
    dc_text_add(out, "\"enum\":[");
    for (const struct ds_choice *c = choices; c->name != NULL; c++) {
        /* YAML 1.2 reads true and false as truth values, on and off as words. */
        bool truth = strcmp(c->name, "true") == 0 || strcmp(c->name, "false") == 0;
        dc_text_add(out, c != choices ? "," : "");
        if (truth)
            dc_text_add(out, c->name);
        else
            schema_string(out, c->name);
    }
    dc_text_add(out, "]");
}

static void schema_members(const char *path, struct dc_text *out);

static void schema_section(const struct ds_param *row, struct dc_text *out)
{
    bool more = row->zero != NULL || (row->flags & DS_EACH) != 0;
    if (more)
        dc_text_add(out, "\"anyOf\":[{");
    schema_members(row->path, out);
    if (!more)
        return;
    dc_text_add(out, "},{");
    if (row->zero != NULL) {
        dc_text_add(out, "\"const\":");
        schema_string(out, row->zero);
    } else {
        dc_text_add(out, "\"type\":\"string\"");
    }
    dc_text_add(out, "}]");
}

static void schema_type(const struct ds_param *row, struct dc_text *out)
{
    char path[160];
    const char *word = row->zero != NULL ? row->zero : row->most;
    switch (row->type) {
    case DS_COUNT:
    case DS_COUNT64:
        if (word != NULL)
            dc_text_printf(out, "\"anyOf\":[{\"type\":\"integer\"},{\"const\":\"%s\"}]", word);
        else
            dc_text_printf(out, "\"type\":\"integer\",\"minimum\":%.0f,\"maximum\":%.0f", row->min,
                           row->max);
        break;
    case DS_SHARE:
    case DS_PPM:
    case DS_FACTOR:
    case DS_REAL:
    case DS_DIST:
    case DS_SPAN: dc_text_add(out, "\"type\":[\"number\",\"string\"]"); break;
    case DS_AMOUNT:
    case DS_AMOUNT32:
        if (word != NULL)
            dc_text_printf(out, "\"type\":[\"number\",\"string\"],\"pattern\":\"^([0-9.]|%s$)\"",
                           word);
        else
            dc_text_add(out, "\"type\":[\"number\",\"string\"],\"pattern\":\"^[0-9.]\"");
        break;
    case DS_TIERS:
        dc_text_add(out, "\"type\":\"array\",\"minItems\":4,\"maxItems\":4,"
                         "\"items\":{\"type\":\"number\"}");
        break;
    case DS_ENUM:
    case DS_BOOL:
        if (word != NULL)
            dc_text_add(out, "\"anyOf\":[{");
        schema_words(row->choices, out);
        if (word != NULL)
            dc_text_printf(out, "},{\"const\":\"%s\"}]", word);
        break;
    case DS_FLAGS:
        dc_text_add(out, "\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{");
        schema_words(row->choices, out);
        dc_text_add(out, "}}]");
        break;
    case DS_NAME: dc_text_add(out, "\"type\":[\"string\",\"number\"]"); break;
    case DS_PATH: dc_text_add(out, "\"type\":\"string\""); break;
    case DS_SELECTOR: dc_text_add(out, "\"type\":[\"string\",\"array\"]"); break;
    case DS_SELECTORS:
        dc_text_add(out, "\"type\":\"array\",\"minItems\":2,"
                         "\"items\":{\"type\":[\"string\",\"array\"]}");
        break;
    case DS_MIX: dc_text_add(out, "\"type\":[\"string\",\"object\"]"); break;
    case DS_WEIGHTS: dc_text_add(out, "\"type\":[\"string\",\"array\",\"object\"]"); break;
    case DS_EXPECTS:
        dc_text_add(out, "\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}");
        break;
    case DS_SECTION: schema_section(row, out); break;
    case DS_LIST:
        snprintf(path, sizeof path, "%s[]", row->path);
        dc_text_printf(out, "\"type\":\"array\",\"minItems\":%.0f,\"maxItems\":%.0f,\"items\":{",
                       row->min, row->max);
        schema_members(path, out);
        dc_text_add(out, "}");
        break;
    }
}

static void schema_members(const char *path, struct dc_text *out)
{
    size_t cursor = 0;
    const struct ds_param *row;
    const char *comma = "";
    dc_text_add(out, "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    while ((row = ds_param_next(path, &cursor)) != NULL) {
        dc_text_add(out, comma);
        comma = ",";
        schema_string(out, ds_param_name(row));
        dc_text_add(out, ":{\"description\":");
        schema_string(out, row->meaning);
        dc_text_add(out, ",");
        schema_type(row, out);
        if (row->fallback != NULL && row->fallback[0] != '[' && row->fallback[0] != '{') {
            dc_text_add(out, ",\"default\":");
            schema_string(out, row->fallback);
        }
        dc_text_add(out, "}");
    }
    dc_text_add(out, "},\"required\":[");
    comma = "";
    cursor = 0;
    while ((row = ds_param_next(path, &cursor)) != NULL)
        if ((row->flags & DS_REQUIRED) != 0 && row->only == 0) {
            dc_text_add(out, comma);
            comma = ",";
            schema_string(out, ds_param_name(row));
        }
    dc_text_add(out, "]");
}

void ds_scenario_schema(struct dc_text *out)
{
    dc_text_add(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
                     "\"title\":\"destrasim scenario\",");
    schema_members("", out);
    dc_text_add(out, "}\n");
}

/* The keys of a study file: one table, and what is made from it. */
#include "sim/scenario/study_parts.h"

#include <stdio.h>
#include <string.h>

static const struct ds_study_row study_rows[] = {
    {"name", DS_STUDY_NAME, .usual = "must be given", .meaning = "what its files are called"},
    {"scenario", DS_STUDY_TEXT, .usual = "must be given",
     .meaning = "path of the scenario, relative to the study"},
    {"set", DS_STUDY_SET, .fallback = "{}",
     .meaning =
         "what all of its runs change in the scenario: PATH: VALUE, or a list of PATH=VALUE"},
    {"seed", DS_STUDY_COUNT, .fallback = "1", .min = 0, .max = 1e15,
     .meaning = "of the first replication; the others follow it one by one"},
    {"parameters", DS_STUDY_SECTION, .usual = "must be given, but for a study of a rare event",
     .meaning = "a list of what varies"},
    {"parameters[].path", DS_STUDY_TEXT, .usual = "this or `paths`",
     .meaning = "of the scenario's parameter, as in --set"},
    {"parameters[].paths", DS_STUDY_TEXTS, .usual = "none",
     .meaning = "several paths that are given the same value"},
    {"parameters[].values", DS_STUDY_VALUES, .usual = "this or `range`",
     .meaning =
         "a list of values, as the scenario writes them; `{honest: 0.9, ghost: 0.1}` is one"},
    {"parameters[].range", DS_STUDY_VALUES, .usual = "this or `values`",
     .meaning = "the least and the greatest value: [LO, HI]"},
    {"parameters[].scale", DS_STUDY_WORD, .fallback = "linear", .words = "linear log",
     .meaning = "how a range is divided, and its axis drawn"},
    {"parameters[].label", DS_STUDY_TEXT, .usual = "the path's last part", .meaning = "for axes"},
    {"parameters[].names", DS_STUDY_TEXTS, .usual = "the values as written",
     .meaning = "what the values are called, one for each"},
    {"design", DS_STUDY_SECTION, .usual = "grid where all parameters have values, else sobol",
     .meaning = "which settings are tried: a kind, or a mapping"},
    {"design.kind", DS_STUDY_WORD, .usual = "grid where all parameters have values, else sobol",
     .words = "grid lhs sobol saltelli morris",
     .meaning = "grid: every combination; lhs: a Latin hypercube; sobol: a scrambled Sobol' "
                "sequence; saltelli: for Sobol' indices; morris: trajectories that screen"},
    {"design.points", DS_STUDY_COUNT, .fallback = "64", .min = 1, .max = 1e6,
     .meaning = "lhs, sobol: settings"},
    {"design.base", DS_STUDY_COUNT, .usual = "64 (saltelli), 10 (morris)", .min = 1, .max = 1e6,
     .meaning = "saltelli: rows of A and of B, base x (parameters + 2) settings in all; morris: "
                "trajectories of parameters + 1 settings"},
    {"design.levels", DS_STUDY_COUNT, .usual = "4 (morris); must be given for ranges in a grid",
     .min = 2, .max = 1000,
     .meaning = "morris: levels of each parameter, an even number; grid: values of each range, "
                "both ends among them"},
    {"design.seed", DS_STUDY_COUNT, .fallback = "1", .min = 0, .max = 1e15,
     .meaning = "of the design's own draws"},
    {"replications", DS_STUDY_SECTION, .fallback = "10",
     .meaning = "runs of each setting: a count, or a mapping: until an interval is narrow enough"},
    {"replications.least", DS_STUDY_COUNT, .fallback = "5", .min = 2, .max = 100000,
     .meaning = "runs of each setting at least"},
    {"replications.most", DS_STUDY_COUNT, .fallback = "50", .min = 2, .max = 100000,
     .meaning = "and at most"},
    {"replications.half_width", DS_STUDY_SHARE, .usual = "must be given",
     .meaning = "half of the interval of the metric's mean, relative to that mean, to be reached"},
    {"replications.metric", DS_STUDY_TEXT, .usual = "that of the first objective",
     .meaning = "whose interval is meant"},
    {"replications.confidence", DS_STUDY_SHARE, .usual = "that of the study",
     .meaning = "of that interval"},
    {"objectives", DS_STUDY_TEXTS, .fallback = "[]",
     .meaning = "what is wanted: `minimise METRIC` or `maximise METRIC`; several: a trade-off"},
    {"constraints", DS_STUDY_TEXTS, .fallback = "[]",
     .meaning = "what must hold of a metric's mean, as in `honest_slashed < 3`"},
    {"confidence", DS_STUDY_SHARE, .fallback = "95 %", .meaning = "of constraints and intervals"},
    {"metrics", DS_STUDY_TEXTS, .usual = "all",
     .meaning = "numbers of each run that are kept, beside those that are named elsewhere"},
    {"warmup", DS_STUDY_SECTION, .usual = "none",
     .meaning = "points that differ in protocol.upgrade.* alone may run their beginning once"},
    {"warmup.share", DS_STUDY_WORD, .fallback = "on", .words = "off on",
     .meaning = "off: every run from its beginning, with the same bytes"},
    {"tune", DS_STUDY_SECTION, .usual = "that of its members",
     .meaning = "what `destrasim tune` may spend"},
    {"tune.runs", DS_STUDY_COUNT, .usual = "a quarter of points x replications, at least 40",
     .min = 1, .max = 1e7, .meaning = "runs at most, confirmation and the own settings among them"},
    {"tune.start", DS_STUDY_COUNT, .usual = "two per parameter, and two", .min = 2, .max = 1e5,
     .meaning = "settings before the search"},
    {"tune.replications", DS_STUDY_COUNT, .fallback = "3", .min = 1, .max = 1e5,
     .meaning = "runs of a setting that is visited"},
    {"tune.confirm", DS_STUDY_COUNT, .fallback = "20", .min = 2, .max = 1e5,
     .meaning = "runs of the optimum with fresh seeds"},
    {"rare", DS_STUDY_SECTION, .usual = "none",
     .meaning = "what `destrasim rare` estimates: the chance that a metric reaches a level"},
    {"rare.metric", DS_STUDY_TEXT, .usual = "must be given", .meaning = "that is watched"},
    {"rare.levels", DS_STUDY_TEXTS, .usual = "must be given",
     .meaning = "increasing values of it; the last is the event"},
    {"rare.split", DS_STUDY_COUNT, .fallback = "4", .min = 1, .max = 1000,
     .meaning = "runs that go on from each that reaches a level"},
    {"rare.roots", DS_STUDY_COUNT, .fallback = "100", .min = 2, .max = 1e6,
     .meaning = "independent beginnings"},
};
#define STUDY_ROWS (sizeof study_rows / sizeof study_rows[0])

const struct ds_study_row *ds_study_row_find(const char *path)
{
    for (size_t i = 0; i < STUDY_ROWS; i++)
        if (strcmp(study_rows[i].path, path) == 0)
            return &study_rows[i];
    return NULL;
}

const char *ds_study_name_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot != NULL ? dot + 1 : path;
}

/* The name of row in the section ("", "design", "parameters[]"), or NULL when it is elsewhere. */
static const char *study_member(const struct ds_study_row *row, const char *section)
{
    size_t size = strlen(section);
    const char *name = row->path;
    if (size > 0) {
        if (strncmp(name, section, size) != 0 || name[size] != '.')
            return NULL;
        name += size + 1;
    }
    return strpbrk(name, ".[") == NULL ? name : NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

void ds_study_keys(struct ds_study_load *l, const char *section, const struct ds_yaml *map)
{
    for (const struct ds_yaml *n = map->first; n != NULL; n = n->next) {
        struct ds_nearest nearest = {.word = n->key};
        const char *elsewhere = NULL;
        bool known = false;
        for (size_t i = 0; i < STUDY_ROWS && !known; i++) {
            const char *name = study_member(&study_rows[i], section);
            known = name != NULL && strcmp(name, n->key) == 0;
            if (name != NULL)
                ds_nearest_try(&nearest, name);
            else if (strcmp(ds_study_name_of(study_rows[i].path), n->key) == 0)
                elsewhere = study_rows[i].path;
        }
        if (known)
            continue;
        struct ds_yaml at = {.file = n->file, .place = n->key_place};
        const struct ds_param *row = ds_param_find(n->key, strcspn(n->key, "."));
        if (nearest.name != NULL)
            ds_bind_error(&l->b, &at, "unknown key `%s`: did you mean `%s`?", n->key, nearest.name);
        else if (elsewhere != NULL)
            ds_bind_error(&l->b, &at, "unknown key `%s` here: it belongs at `%s`", n->key,
                          elsewhere);
        else if (section[0] == '\0' && row != NULL)
            ds_bind_error(&l->b, &at,
                          "unknown key `%s`: what belongs to the scenario goes into "
                          "`set`, as in `set: {%s: ...}`",
                          n->key, n->key);
        else
            ds_bind_error(&l->b, &at,
                          "unknown key `%s`: `destrasim explain study` lists what goes "
                          "into a study",
                          n->key);
    }
}

const struct ds_yaml *ds_study_entry(struct ds_study_load *l, const struct ds_yaml *map,
                                     const char *path)
{
    const struct ds_yaml *n =
        map != NULL && map->kind == DS_YAML_MAP ? ds_yaml_get(map, ds_study_name_of(path)) : NULL;
    if (n == NULL || !ds_yaml_null(n))
        return n;
    ds_bind_error(&l->b, n, "%s has no value: give one, or leave the key out",
                  ds_study_name_of(path));
    return NULL;
}

/* The scalar for a row, its default in *fallback when it is not given; NULL after a diagnostic, or
 * without default. */
static const struct ds_yaml *study_scalar(struct ds_study_load *l, const struct ds_yaml *map,
                                          const struct ds_study_row *row, struct ds_yaml *fallback)
{
    const struct ds_yaml *n = ds_study_entry(l, map, row->path);
    if (n == NULL && row->fallback != NULL) {
        *fallback = (struct ds_yaml){.text = row->fallback, .file = l->out->file};
        return fallback;
    }
    if (n == NULL || n->kind == DS_YAML_SCALAR)
        return n;
    ds_bind_error(&l->b, n, "%s takes one value, not %s", ds_study_name_of(row->path),
                  n->kind == DS_YAML_MAP ? "a mapping" : "a list");
    return NULL;
}

bool ds_study_count(struct ds_study_load *l, const struct ds_yaml *map, const char *path,
                    uint64_t *out)
{
    const struct ds_study_row *row = ds_study_row_find(path);
    DC_CHECK(row != NULL);
    struct ds_yaml fallback;
    const struct ds_yaml *n = study_scalar(l, map, row, &fallback);
    if (n == NULL)
        return false;
    struct dc_text why = {0};
    uint64_t value = 0;
    bool ok = ds_value_integer(n->text, strlen(n->text), DS_DIM_NUMBER, &value, &why);
    if (!ok)
        ds_bind_why(&l->b, n, ds_study_name_of(path), &why);
    else if ((double)value < row->min || (double)value > row->max)
        ds_bind_error(&l->b, n, "%s: `%s` is out of range: use %.0f to %.0f",
                      ds_study_name_of(path), n->text, row->min, row->max);
    ok = ok && (double)value >= row->min && (double)value <= row->max;
    if (ok)
        *out = value;
    dc_text_free(&why);
    return ok;
}

bool ds_study_share(struct ds_study_load *l, const struct ds_yaml *map, const char *path,
                    double *out)
{
    const struct ds_study_row *row = ds_study_row_find(path);
    DC_CHECK(row != NULL);
    struct ds_yaml fallback;
    const struct ds_yaml *n = study_scalar(l, map, row, &fallback);
    if (n == NULL)
        return false;
    struct dc_text why = {0};
    double value = 0;
    bool ok = ds_value_real(n->text, strlen(n->text), DS_DIM_SHARE, &value, &why);
    if (!ok)
        ds_bind_why(&l->b, n, ds_study_name_of(path), &why);
    else if (!(value > 0 && value < 1))
        ds_bind_error(&l->b, n, "%s: `%s` is out of range: use more than 0 and less than 100 %%",
                      ds_study_name_of(path), n->text);
    ok = ok && value > 0 && value < 1;
    if (ok)
        *out = value;
    dc_text_free(&why);
    return ok;
}

/* The n-th of words parted by blanks into word (24 bytes); false: there is none. */
static bool study_nth_word(const char *words, uint32_t n, char *word)
{
    for (; n > 0 && words != NULL; n--) {
        words = strchr(words, ' ');
        words = words != NULL ? words + 1 : NULL;
    }
    if (words == NULL)
        return false;
    snprintf(word, 24, "%.*s", (int)strcspn(words, " "), words);
    return true;
}

uint32_t ds_study_word_of(struct ds_study_load *l, const struct ds_yaml *n, const char *path)
{
    const struct ds_study_row *row = ds_study_row_find(path);
    DC_CHECK(row != NULL && row->words != NULL);
    char word[24], near[24] = "";
    struct ds_nearest nearest = {.word = n->text};
    for (uint32_t i = 0; study_nth_word(row->words, i, word); i++) {
        if (strcmp(word, n->text) == 0)
            return i;
        unsigned before = nearest.name != NULL ? nearest.distance : UINT32_MAX;
        ds_nearest_try(&nearest, word);
        if (nearest.name != NULL && nearest.distance < before)
            memcpy(near, word, sizeof near);
        nearest.name = near[0] != '\0' ? near : NULL;
    }
    if (near[0] != '\0')
        ds_bind_error(&l->b, n, "%s: unknown word `%.80s`: did you mean `%s`? Known: %s",
                      ds_study_name_of(path), n->text, near, row->words);
    else
        ds_bind_error(&l->b, n, "%s: unknown word `%.80s`: use one of %s", ds_study_name_of(path),
                      n->text, row->words);
    return UINT32_MAX;
}

bool ds_study_word(struct ds_study_load *l, const struct ds_yaml *map, const char *path,
                   uint32_t *out)
{
    const struct ds_study_row *row = ds_study_row_find(path);
    DC_CHECK(row != NULL);
    struct ds_yaml fallback;
    const struct ds_yaml *n = study_scalar(l, map, row, &fallback);
    uint32_t word = n != NULL ? ds_study_word_of(l, n, path) : UINT32_MAX;
    if (word != UINT32_MAX)
        *out = word;
    return word != UINT32_MAX;
}

bool ds_study_texts(struct ds_study_load *l, const struct ds_yaml *node, const char *path,
                    const struct ds_yaml ***items, size_t *count)
{
    const char *name = ds_study_name_of(path);
    size_t max = node->kind == DS_YAML_SEQUENCE ? node->count : 1, n = 0;
    *items = ds_bind_alloc(&l->b, max, sizeof **items);
    if (*items == NULL)
        return false;
    if (node->kind == DS_YAML_MAP) {
        ds_bind_error(&l->b, node, "%s takes a list, not a mapping", name);
        return false;
    }
    const struct ds_yaml *item = node->kind == DS_YAML_SCALAR ? node : node->first;
    for (; n < max; item = item->next, n++) {
        if (item->kind != DS_YAML_SCALAR || ds_yaml_null(item)) {
            ds_bind_error(&l->b, item, "%s: each element is a plain text: quote what has braces",
                          name);
            return false;
        }
        (*items)[n] = item;
    }
    *count = n;
    return true;
}

/* ---- for editors and people ------------------------------------------------------------------ */

static void study_quoted(const char *text, struct dc_text *out)
{
    dc_text_add(out, "\"");
    for (; *text != '\0'; text++)
        dc_text_printf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    dc_text_add(out, "\"");
}

static void study_schema_section(const char *section, struct dc_text *out);

static void study_schema_row(const struct ds_study_row *row, struct dc_text *out)
{
    char word[24];
    switch (row->type) {
    case DS_STUDY_SECTION:
        if (strcmp(row->path, "parameters") == 0) {
            dc_text_add(out, "\"type\":\"array\",\"items\":{");
            study_schema_section("parameters[]", out);
            dc_text_add(out, "}");
        } else {
            bool count = strcmp(row->path, "replications") == 0;
            dc_text_add(out, "\"anyOf\":[{");
            study_schema_section(row->path, out);
            dc_text_add(out, count ? "},{\"type\":\"integer\",\"minimum\":1}]" : "}");
            if (strcmp(row->path, "design") == 0) {
                dc_text_add(out, ",{");
                study_schema_row(ds_study_row_find("design.kind"), out);
                dc_text_add(out, "}]");
            } else if (!count) {
                dc_text_add(out, "]");
            }
        }
        break;
    case DS_STUDY_COUNT:
        dc_text_printf(out, "\"type\":\"integer\",\"minimum\":%.0f,\"maximum\":%.0f", row->min,
                       row->max);
        break;
    case DS_STUDY_SHARE: dc_text_add(out, "\"type\":[\"number\",\"string\"]"); break;
    case DS_STUDY_WORD:
        dc_text_add(out, "\"enum\":[");
        for (uint32_t i = 0; study_nth_word(row->words, i, word); i++) {
            dc_text_add(out, i > 0 ? "," : "");
            study_quoted(word, out);
        }
        dc_text_add(out, "]");
        break;
    case DS_STUDY_NAME: dc_text_add(out, "\"type\":[\"string\",\"number\"]"); break;
    case DS_STUDY_TEXT: dc_text_add(out, "\"type\":[\"string\",\"number\"]"); break;
    case DS_STUDY_TEXTS:
        dc_text_add(out, "\"type\":[\"array\",\"string\"],"
                         "\"items\":{\"type\":[\"string\",\"number\"]}");
        break;
    case DS_STUDY_VALUES: dc_text_add(out, "\"type\":\"array\",\"minItems\":1"); break;
    case DS_STUDY_SET: dc_text_add(out, "\"type\":[\"object\",\"array\"]"); break;
    }
}

static void study_schema_section(const char *section, struct dc_text *out)
{
    dc_text_add(out, "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    const char *comma = "";
    for (size_t i = 0; i < STUDY_ROWS; i++) {
        const struct ds_study_row *row = &study_rows[i];
        const char *name = study_member(row, section);
        if (name == NULL)
            continue;
        dc_text_add(out, comma);
        study_quoted(name, out);
        dc_text_add(out, ":{");
        study_schema_row(row, out);
        dc_text_add(out, ",\"description\":");
        study_quoted(row->meaning, out);
        dc_text_add(out, "}");
        comma = ",\n";
    }
    dc_text_add(out, "}");
}

void ds_study_schema(struct dc_text *out)
{
    dc_text_add(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
                     "\"title\":\"destrasim study\",\n\"required\":[\"name\",\"scenario\"],\n");
    study_schema_section("", out);
    dc_text_add(out, "}\n");
}

static void study_type(const struct ds_study_row *row, struct dc_text *out)
{
    switch (row->type) {
    case DS_STUDY_SECTION: dc_text_add(out, "a section"); break;
    case DS_STUDY_COUNT: dc_text_printf(out, "%.0f to %.0f", row->min, row->max); break;
    case DS_STUDY_SHARE: dc_text_add(out, "a share (0.05 or 5 %)"); break;
    case DS_STUDY_WORD:
        dc_text_add(out, "one of ");
        for (const char *p = row->words; *p != '\0'; p++)
            dc_text_add(out, *p == ' ' ? ", " : (const char[2]){*p, '\0'});
        break;
    case DS_STUDY_NAME: dc_text_add(out, "a name"); break;
    case DS_STUDY_TEXT: dc_text_add(out, "a text"); break;
    case DS_STUDY_TEXTS: dc_text_add(out, "a list of texts"); break;
    case DS_STUDY_VALUES: dc_text_add(out, "a list of values"); break;
    case DS_STUDY_SET: dc_text_add(out, "a mapping, or a list"); break;
    }
}

static const char *study_default(const struct ds_study_row *row)
{
    return row->fallback != NULL ? row->fallback : row->usual != NULL ? row->usual : "none";
}

enum dc_status ds_study_explain(const char *path, struct dc_text *out, struct dc_error *error)
{
    const char *name = strncmp(path, "study", 5) == 0 ? path + 5 : path;
    name += *name == '.';
    const struct ds_study_row *row = ds_study_row_find(name);
    struct ds_nearest nearest = {.word = name};
    if (name[0] == '\0') {
        dc_text_add(out, "A study file has these keys:\n");
        for (size_t i = 0; i < STUDY_ROWS; i++)
            dc_text_printf(out, "  %-25s %s\n", study_rows[i].path, study_rows[i].meaning);
    } else if (row != NULL) {
        struct dc_text type = {0};
        study_type(row, &type);
        dc_text_printf(out, "study.%s\n  %s\n  type:    %s\n  default: %s\n", row->path,
                       row->meaning, type.data != NULL ? type.data : "", study_default(row));
        dc_text_free(&type);
    } else {
        const char *near = NULL;
        for (size_t i = 0; i < STUDY_ROWS; i++) {
            const char *before = nearest.name;
            ds_nearest_try(&nearest, study_rows[i].path);
            ds_nearest_try(&nearest, ds_study_name_of(study_rows[i].path));
            near = nearest.name != before ? study_rows[i].path : near;
        }
        return dc_error_set(error, DC_ERR_USAGE, "unknown key of a study `%.100s`%s%s%s", name,
                            near != NULL ? ": did you mean `study."
                                         : ": `destrasim explain "
                                           "study` lists them",
                            near != NULL ? near : "", near != NULL ? "`?" : "");
    }
    return out->failed ? dc_error_set(error, DC_ERR_IO, "out of memory: close other programs")
                       : DC_OK;
}

void ds_study_reference(struct dc_text *out)
{
    dc_text_add(out, "| key | takes | default | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < STUDY_ROWS; i++) {
        dc_text_printf(out, "| `%s` | ", study_rows[i].path);
        study_type(&study_rows[i], out);
        dc_text_printf(out, " | %s | %s |\n", study_default(&study_rows[i]), study_rows[i].meaning);
    }
}

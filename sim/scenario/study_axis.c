/* One parameter of a study: from what the file says to numbers and overrides, and back.
 *
 *     values: [1 min, 5 min]   --> x = 60, 300 [s]    --> "PATH=1 min", as written
 *     values: [none, all]      --> x = 0, 1 (indices) --> "PATH=none"
 *     range: [0.1 %, 10 %]     --> any x between      --> "PATH=0.0123", to nine digits
 *
 * x is in the units of results (s, By, DSYNC, 1/s, 1), so that it can stand on an axis.  It is what
 * the text says, not what was asked for: the text is made first and read back. */
#include "sim/scenario/study_parts.h"

#include "analysis/design.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *unit;
    double scale; /* base units in one */
} axis_units[DS_DIMS] = {
    [DS_DIM_NUMBER] = {"1", 1}, [DS_DIM_SHARE] = {"1", 1},         [DS_DIM_TIME] = {"s", 1e9},
    [DS_DIM_SIZE] = {"By", 1},  [DS_DIM_BANDWIDTH] = {"bit/s", 1}, [DS_DIM_MONEY] = {"DSYNC", 1e9},
    [DS_DIM_RATE] = {"1/s", 1},
};

void ds_study_flow(const struct ds_yaml *node, struct dc_text *out)
{
    if (node->kind == DS_YAML_SCALAR && ds_yaml_null(node)) {
        dc_text_add(out, "null");
        return;
    }
    if (node->kind == DS_YAML_SCALAR) {
        ds_yaml_print_scalar(out, node->text);
        return;
    }
    bool map = node->kind == DS_YAML_MAP;
    dc_text_add(out, map ? "{" : "[");
    for (const struct ds_yaml *n = node->first; n != NULL; n = n->next) {
        dc_text_add(out, n != node->first ? ", " : "");
        if (map) {
            ds_yaml_print_scalar(out, n->key);
            dc_text_add(out, ": ");
        }
        ds_study_flow(n, out);
    }
    dc_text_add(out, map ? "}" : "]");
}

/* ---- what kind of number --------------------------------------------------------------------- */

/* Kind and dimension of what stands at a path, as far as the table tells. */
void ds_study_axis_kind(const struct ds_param *row, const char *path, struct ds_study_axis *a)
{
    size_t size = strlen(path), name = strlen(ds_param_name(row));
    bool below = size < name || strcmp(path + size - name, ds_param_name(row)) != 0;
    a->dim = row->dim;
    switch (row->type) {
    case DS_COUNT:
    case DS_COUNT64: a->kind = DS_AXIS_COUNT; break;
    case DS_SHARE: a->kind = DS_AXIS_REAL, a->dim = DS_DIM_SHARE; break;
    case DS_PPM: a->kind = DS_AXIS_PPM, a->dim = DS_DIM_SHARE; break;
    case DS_FACTOR: a->kind = DS_AXIS_PPM, a->dim = DS_DIM_NUMBER; break;
    case DS_AMOUNT:
    case DS_AMOUNT32: a->kind = DS_AXIS_AMOUNT; break;
    case DS_SPAN: a->kind = DS_AXIS_AMOUNT, a->dim = DS_DIM_TIME; break;
    case DS_REAL:
    case DS_DIST:
        a->kind = row->dim == DS_DIM_NUMBER || row->dim == DS_DIM_SHARE || row->dim == DS_DIM_RATE
                      ? DS_AXIS_REAL
                      : DS_AXIS_AMOUNT;
        if (row->type == DS_DIST && (row->kinds >> DS_DIST_CONSTANT & 1) == 0)
            a->kind = DS_AXIS_WORDS;
        break;
    case DS_MIX:
    case DS_WEIGHTS: /* the weight of one entry */
        a->kind = below ? DS_AXIS_REAL : DS_AXIS_WORDS;
        a->dim = DS_DIM_SHARE;
        break;
    default: a->kind = DS_AXIS_WORDS;
    }
}

/* "40 epochs" without its word: the size of what is before it, or 0. */
size_t ds_study_axis_epochs(const char *text)
{
    size_t size = strlen(text), cut = 0;
    if (size > 6 && strcmp(text + size - 6, "epochs") == 0)
        cut = 6;
    else if (size > 5 && strcmp(text + size - 5, "epoch") == 0)
        cut = 5;
    return cut != 0 ? size - cut : 0;
}

/* The number that text is on this axis; false and *why when it is none. */
bool ds_study_axis_read(const struct ds_study_axis *a, const char *text, double *x,
                        struct dc_text *why)
{
    uint64_t whole = 0;
    size_t size = strlen(text);
    switch (a->kind) {
    case DS_AXIS_WORDS: dc_text_add(why, "no number is taken here"); return false;
    case DS_AXIS_EPOCHS:
        size = ds_study_axis_epochs(text);
        if (size == 0) {
            dc_text_printf(why, "`%s` is not a number of epochs: write it as in `40 epochs`", text);
            return false;
        }
        /* fall through */
    case DS_AXIS_COUNT:
        if (!ds_value_integer(text, size, DS_DIM_NUMBER, &whole, why))
            return false;
        *x = (double)whole;
        return true;
    case DS_AXIS_AMOUNT:
        if (!ds_value_integer(text, size, a->dim, &whole, why))
            return false;
        *x = (double)whole / axis_units[a->dim].scale;
        return true;
    case DS_AXIS_PPM:
    case DS_AXIS_REAL: return ds_value_real(text, size, a->dim, x, why);
    }
    return false;
}

/* A number of a range as text with its unit; returns what the text says. */
double ds_study_axis_print(const struct ds_study_axis *a, double x, struct dc_text *out)
{
    double scale = axis_units[a->dim].scale;
    bool is_whole = a->kind != DS_AXIS_PPM && a->kind != DS_AXIS_REAL;
    uint64_t whole = is_whole ? (uint64_t)(x * (a->kind == DS_AXIS_AMOUNT ? scale : 1) + 0.5) : 0;
    switch (a->kind) {
    case DS_AXIS_WORDS: DC_CHECK(!"words have no range");
    case DS_AXIS_COUNT: dc_text_printf(out, "%llu", (unsigned long long)whole); break;
    case DS_AXIS_EPOCHS: dc_text_printf(out, "%llu epochs", (unsigned long long)whole); break;
    case DS_AXIS_AMOUNT: ds_value_print_integer(out, a->dim, whole); return (double)whole / scale;
    case DS_AXIS_PPM:
    case DS_AXIS_REAL: {
        char text[40];
        int size = a->kind == DS_AXIS_PPM ? snprintf(text, sizeof text, "%.6f", x)
                                          : snprintf(text, sizeof text, "%.9g", x);
        for (char *p = text; *p != '\0'; p++)
            *p = *p == ',' ? '.' : *p; /* whatever the locale */
        struct dc_text why = {0};
        double back = 0;
        if (!ds_value_real(text, (size_t)size, DS_DIM_NUMBER, &back, &why))
            out->failed = true; /* below 1e-40 or so */
        dc_text_free(&why);
        ds_value_print_real(out, a->dim, back);
        return back;
    }
    }
    return (double)whole;
}

const char *ds_study_axis_unit(const struct ds_study_axis *a)
{
    return a->kind == DS_AXIS_WORDS    ? ""
           : a->kind == DS_AXIS_EPOCHS ? axis_units[DS_DIM_NUMBER].unit
                                       : axis_units[a->dim].unit;
}

double ds_study_axis_scale(const struct ds_study_axis *a)
{
    return a->kind == DS_AXIS_AMOUNT ? axis_units[a->dim].scale : 1;
}

/* ---- any setting ----------------------------------------------------------------------------- */

static size_t axis_nearest(const struct ds_study_axis *a, double x)
{
    size_t best = 0;
    for (size_t v = 1; v < a->values; v++)
        if (fabs(a->x[v] - x) < fabs(a->x[best] - x))
            best = v;
    return best;
}

double ds_study_axis_text(const struct ds_study *s, size_t parameter, double x, struct dc_text *out,
                          size_t *value)
{
    const struct ds_study_axis *a = &s->axis[parameter];
    const struct da_parameter *p = &s->parameter[parameter];
    *value = 0;
    if (a->values > 0) {
        *value = axis_nearest(a, x);
        dc_text_add(out, a->text[*value]);
        return a->x[*value];
    }
    return ds_study_axis_print(a, !(x > p->lo) ? p->lo : x > p->hi ? p->hi : x, out);
}

double ds_study_snap(const struct ds_study *s, size_t parameter, double x)
{
    struct dc_text text = {0};
    size_t value;
    double out = ds_study_axis_text(s, parameter, x, &text, &value);
    dc_text_free(&text);
    return out;
}

double ds_study_at(const struct ds_study *s, size_t parameter, double u)
{
    const struct ds_study_axis *a = &s->axis[parameter];
    const struct da_parameter *p = &s->parameter[parameter];
    if (a->values > 0)
        return a->x[da_design_level(u, (uint32_t)a->values)];
    double x = p->scale == DA_LOG ? exp(log(p->lo) + u * (log(p->hi) - log(p->lo)))
                                  : p->lo + u * (p->hi - p->lo);
    return ds_study_snap(s, parameter, x);
}

bool ds_study_axis_override(const struct ds_study *s, size_t parameter, double x,
                            struct dc_arena *arena, const char **override, const char **text)
{
    const struct ds_study_axis *a = &s->axis[parameter];
    if (a->values > 0) {
        size_t v = axis_nearest(a, x);
        for (size_t p = 0; p < a->paths; p++)
            override[p] = a->override[v * a->paths + p];
        *text = a->text[v];
        return true;
    }
    struct dc_text value = {0};
    size_t index;
    ds_study_axis_text(s, parameter, x, &value, &index);
    bool ok = !value.failed && value.data != NULL;
    for (size_t p = 0; ok && p < a->paths; p++) {
        size_t path = strlen(a->path[p]);
        char *copy = dc_arena_alloc(arena, path + value.size + 2);
        ok = copy != NULL;
        if (ok)
            snprintf(copy, path + value.size + 2, "%s=%s", a->path[p], value.data);
        override[p] = copy;
        /* The text stands behind the first override's `=`. */
        if (ok && p == 0)
            *text = copy + path + 1;
    }
    dc_text_free(&value);
    return ok;
}

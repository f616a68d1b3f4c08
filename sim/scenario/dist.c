/* Distributions as text: `pareto(2000 DSYNC, 1.6)`.  A bare value is a constant. */
#include "sim/scenario/load.h"

#include <string.h>

/* Which argument carries the quantity's unit (else a plain number), and its own range. */
struct dist_shape {
    const char *name, *usage;
    uint32_t args;
    bool unit[2];
    double min[2], max[2]; /* of plain numbers */
};

static const struct dist_shape dist_shapes[] = {
    [DS_DIST_NONE] = {"none", "none", 0, {0}, {0}, {0}},
    [DS_DIST_AUTO] = {"auto", "auto", 0, {0}, {0}, {0}},
    [DS_DIST_CONSTANT] = {"constant", "constant(value)", 1, {true}, {0}, {0}},
    [DS_DIST_UNIFORM] = {"uniform", "uniform(low, high)", 2, {true, true}, {0}, {0}},
    [DS_DIST_NORMAL] = {"normal", "normal(mean, deviation)", 2, {true, true}, {0}, {0}},
    [DS_DIST_LOGNORMAL] =
        {"lognormal", "lognormal(median, sigma)", 2, {true, false}, {0, 0}, {0, 10}},
    [DS_DIST_EXPONENTIAL] = {"exponential", "exponential(mean)", 1, {true}, {0}, {0}},
    [DS_DIST_PARETO] = {"pareto", "pareto(minimum, alpha)", 2, {true, false}, {0, 0.1}, {0, 100}},
    [DS_DIST_WEIBULL] = {"weibull", "weibull(scale, shape)", 2, {true, false}, {0, 0.1}, {0, 100}},
    [DS_DIST_BETA] = {"beta", "beta(a, b)", 2, {false, false}, {0.01, 0.01}, {1000, 1000}},
    [DS_DIST_POISSON] = {"poisson", "poisson(rate)", 1, {true}, {0}, {0}},
    [DS_DIST_ZIPF] = {"zipf", "zipf(exponent)", 1, {false}, {0}, {10}},
};
#define DIST_KINDS (sizeof dist_shapes / sizeof dist_shapes[0])

void ds_dist_describe(uint32_t mask, struct dc_text *out)
{
    const char *comma = "";
    for (uint32_t k = 0; k < DIST_KINDS; k++)
        if ((mask >> k & 1) != 0) {
            dc_text_printf(out, "%s%s", comma, dist_shapes[k].usage);
            comma = ", ";
        }
}

static bool dist_name(const char *text, size_t size, uint32_t mask, enum ds_dist_kind *kind,
                      struct dc_text *why)
{
    char word[32] = {0};
    memcpy(word, text, size < sizeof word ? size : sizeof word - 1);
    struct ds_nearest nearest = {.word = word};
    for (uint32_t k = 0; k < DIST_KINDS; k++) {
        if (strcmp(dist_shapes[k].name, word) == 0 && (mask >> k & 1) != 0) {
            *kind = (enum ds_dist_kind)k;
            return true;
        }
        if ((mask >> k & 1) != 0)
            ds_nearest_try(&nearest, dist_shapes[k].name);
    }
    if (nearest.name != NULL)
        dc_text_printf(why, "unknown distribution `%s`: did you mean `%s`? Known here: ", word,
                       nearest.name);
    else
        dc_text_printf(why, "`%s` is not a distribution that fits here: use ", word);
    ds_dist_describe(mask, why);
    return false;
}

static bool dist_arg(struct ds_dist_spec *out, uint32_t i, const char *p, size_t n,
                     enum ds_value_dim dim, struct dc_text *why)
{
    const struct dist_shape *shape = &dist_shapes[out->kind];
    if (!ds_value_real(p, n, shape->unit[i] ? dim : DS_DIM_NUMBER, &out->args[i], why))
        return false;
    double low = shape->unit[i] ? 0 : shape->min[i];
    double high = shape->unit[i] ? out->max : shape->max[i];
    if (shape->unit[i] && (out->kind == DS_DIST_CONSTANT || out->kind == DS_DIST_UNIFORM))
        low = out->min;
    if (out->args[i] >= low && out->args[i] <= high)
        return true;
    enum ds_value_dim d = shape->unit[i] ? dim : DS_DIM_NUMBER;
    dc_text_printf(why, "`%.*s` is out of range: argument %u of %s is between ", (int)n, p, i + 1,
                   shape->usage);
    ds_value_print_real(why, d, low);
    dc_text_add(why, " and ");
    ds_value_print_real(why, d, high);
    return false;
}

/* Splits at commas; `lognormal(sigma)` alone is short for lognormal(1, sigma). */
static bool dist_args(struct ds_dist_spec *out, const char *p, const char *stop,
                      enum ds_value_dim dim, struct dc_text *why)
{
    const struct dist_shape *shape = &dist_shapes[out->kind];
    uint32_t commas = 0;
    for (const char *q = p; q < stop; q++)
        commas += *q == ',';
    uint32_t first = 0;
    out->args_count = shape->args;
    if (out->kind == DS_DIST_LOGNORMAL && commas == 0 && dim == DS_DIM_NUMBER) {
        out->args[0] = 1;
        first = 1;
    } else if (commas + 1 != shape->args) {
        dc_text_printf(why, "%s takes %u argument%s, here are %u: write %s", shape->name,
                       shape->args, shape->args == 1 ? "" : "s", commas + 1, shape->usage);
        return false;
    }
    for (uint32_t i = first; i < shape->args; i++) {
        const char *comma = memchr(p, ',', (size_t)(stop - p));
        const char *end = comma != NULL ? comma : stop;
        if (!dist_arg(out, i, p, (size_t)(end - p), dim, why))
            return false;
        p = end + (comma != NULL);
    }
    if (out->kind == DS_DIST_UNIFORM && out->args[0] > out->args[1]) {
        dc_text_add(why, "uniform(low, high): low is above high; swap them");
        return false;
    }
    return true;
}

static bool dist_finish(struct ds_dist_spec *out, enum ds_value_dim dim, struct dc_arena *arena)
{
    struct dc_text text = {0};
    const struct dist_shape *shape = &dist_shapes[out->kind];
    if (out->kind != DS_DIST_CONSTANT)
        dc_text_add(&text, shape->name);
    for (uint32_t i = 0; i < out->args_count; i++) {
        if (out->kind != DS_DIST_CONSTANT)
            dc_text_add(&text, i == 0 ? "(" : ", ");
        ds_value_print_real(&text, shape->unit[i] ? dim : DS_DIM_NUMBER, out->args[i]);
    }
    if (out->kind != DS_DIST_CONSTANT && out->args_count > 0)
        dc_text_add(&text, ")");
    out->text = text.failed ? NULL : ds_yaml_copy(arena, text.data, text.size);
    dc_text_free(&text);
    return out->text != NULL;
}

bool ds_dist_read(const char *text, enum ds_value_dim dim, uint32_t mask, struct dc_arena *arena,
                  struct ds_dist_spec *out, struct dc_text *why)
{
    const char *open = strchr(text, '(');
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == ' ')
        size--;
    if (size > 0 && ((*text >= '0' && *text <= '9') || *text == '.' || *text == '-')) {
        if ((mask >> DS_DIST_CONSTANT & 1) == 0) {
            dc_text_printf(why, "`%s` is not a distribution: use ", text);
            ds_dist_describe(mask, why);
            return false;
        }
        out->kind = DS_DIST_CONSTANT;
        out->args_count = 1;
        if (!dist_arg(out, 0, text, size, dim, why))
            return false;
        return dist_finish(out, dim, arena);
    }
    size_t word = open != NULL ? (size_t)(open - text) : size;
    while (word > 0 && text[word - 1] == ' ')
        word--;
    if (!dist_name(text, word, mask, &out->kind, why))
        return false;
    if (dist_shapes[out->kind].args == 0 && open == NULL)
        return dist_finish(out, dim, arena);
    if (dist_shapes[out->kind].args == 0 || open == NULL || text[size - 1] != ')') {
        dc_text_printf(why, "`%s` is not complete: write %s", text, dist_shapes[out->kind].usage);
        return false;
    }
    return dist_args(out, open + 1, text + size - 1, dim, why) && dist_finish(out, dim, arena);
}

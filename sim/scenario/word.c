/* Values that are words, lists of words, or words with weights; and expectations. */
#include "sim/scenario/load.h"

#include <stdio.h>
#include <string.h>

static const struct ds_choice *word_find(struct ds_bind *b, const char *what,
                                         const struct ds_choice *choices,
                                         const struct ds_yaml *node, const char *word)
{
    struct ds_nearest nearest = {.word = word};
    for (const struct ds_choice *c = choices; c->name != NULL; c++) {
        if (strcmp(c->name, word) == 0)
            return c;
        ds_nearest_try(&nearest, c->name);
    }
    struct dc_text known = {0};
    for (const struct ds_choice *c = choices; c->name != NULL; c++)
        dc_text_printf(&known, "%s%s", c != choices ? ", " : "", c->name);
    if (nearest.name != NULL)
        ds_bind_error(b, node, "%s: unknown word `%.80s`: did you mean `%s`? Known: %s", what, word,
                      nearest.name, known.data != NULL ? known.data : "");
    else if (word[0] != '\0' && word[strlen(word) - 1] == ')' && strchr(word, '(') == NULL)
        ds_bind_error(b, node,
                      "%s: unknown word `%.80s`: a value with a comma inside braces is quoted",
                      what, word);
    else
        ds_bind_error(b, node, "%s: unknown word `%.80s`: use one of %s", what, word,
                      known.data != NULL ? known.data : "");
    dc_text_free(&known);
    return NULL;
}

void ds_bind_choice(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                    void *field)
{
    const struct ds_choice *c = word_find(b, ds_param_name(row), row->choices, node, node->text);
    if (c == NULL)
        return;
    bool yes = c->value != 0;
    if (row->type == DS_BOOL)
        memcpy(field, &yes, sizeof yes);
    else
        memcpy(field, &c->value, sizeof c->value);
}

/* The first of the nodes that a scalar or a list of scalars holds; NULL after a diagnostic. */
static const struct ds_yaml *word_list(struct ds_bind *b, const char *what,
                                       const struct ds_yaml *node)
{
    if (node->kind == DS_YAML_SCALAR)
        return node;
    if (node->kind == DS_YAML_MAP) {
        ds_bind_error(b, node, "%s takes a list, not a mapping", what);
        return NULL;
    }
    for (const struct ds_yaml *n = node->first; n != NULL; n = n->next)
        if (n->kind != DS_YAML_SCALAR) {
            ds_bind_error(b, n, "%s takes a list of plain values", what);
            return NULL;
        }
    return node->first;
}

static const struct ds_yaml *word_next(const struct ds_yaml *list, const struct ds_yaml *n)
{
    return list->kind == DS_YAML_SCALAR ? NULL : n->next;
}

void ds_bind_flags(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                   uint32_t *field)
{
    *field = 0;
    if (node->kind == DS_YAML_SCALAR && strcmp(node->text, "none") == 0)
        return;
    const struct ds_yaml *n = word_list(b, ds_param_name(row), node);
    for (; n != NULL; n = word_next(node, n)) {
        const struct ds_choice *c = word_find(b, ds_param_name(row), row->choices, n, n->text);
        *field |= c != NULL ? c->value : 0;
    }
}

void ds_bind_tiers(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                   uint32_t *field)
{
    if (node->kind != DS_YAML_SEQUENCE || node->count != 4) {
        ds_bind_error(b, node, "%s takes four numbers: use a list as in `[1, 2, 3, 4]`",
                      ds_param_name(row));
        return;
    }
    const struct ds_yaml *n = word_list(b, ds_param_name(row), node);
    for (int i = 0; n != NULL; n = n->next, i++) {
        struct dc_text why = {0};
        double real = 0;
        if (!ds_value_real(n->text, strlen(n->text), DS_DIM_NUMBER, &real, &why))
            ds_bind_why(b, n, ds_param_name(row), &why);
        else if (real < row->min || real > row->max)
            ds_bind_error(b, n, "%s: `%s` is out of range: use %.0f to %.0f", ds_param_name(row),
                          n->text, row->min, row->max);
        else
            field[i] = (uint32_t)(real * DC_PPM + 0.5);
        dc_text_free(&why);
    }
}

static bool word_weight(struct ds_bind *b, const struct ds_yaml *node, double *weight)
{
    struct dc_text why = {0};
    bool ok = node->kind == DS_YAML_SCALAR;
    if (!ok)
        ds_bind_error(b, node, "a weight is a number, such as 0.3 or 30 %%");
    else if (!(ok = ds_value_real(node->text, strlen(node->text), DS_DIM_SHARE, weight, &why)))
        ds_bind_why(b, node, "weight", &why);
    else if (!(ok = *weight <= 1e9))
        ds_bind_error(b, node, "weight `%s` is out of range: use 0 to 1e9", node->text);
    dc_text_free(&why);
    return ok;
}

/* ---- strategies ---------------------------------------------------------------------------- */

enum word_argument { WORD_PLAIN, WORD_SHARE, WORD_NUMBER, WORD_NUMBER_OR_PLAIN };
#define WORD_NUMBER_MAX 64

/* What each strategy takes in brackets, and how it is written. */
static const struct {
    enum word_argument argument;
    bool validator;
    bool chosen; /* a rational node can turn to it */
    const char *usage;
    bool client;
} word_strategies[DS_STRATEGIES] = {
    [DS_STRATEGY_HONEST] = {WORD_PLAIN, false, true, "honest", false},
    [DS_STRATEGY_GHOST] = {WORD_PLAIN, false, true, "ghost", false},
    [DS_STRATEGY_PARTIAL] = {WORD_SHARE, false, true, "partial(0.3)", false},
    [DS_STRATEGY_STALE] = {WORD_PLAIN, false, true, "stale", false},
    [DS_STRATEGY_WASHER] = {WORD_NUMBER_OR_PLAIN, false, true, "washer, or washer(4) for a ring",
                            false},
    [DS_STRATEGY_SILENT] = {WORD_PLAIN, true, false, "silent", false},
    [DS_STRATEGY_EQUIVOCATING] = {WORD_PLAIN, true, false, "equivocating", false},
    [DS_STRATEGY_OUTSOURCER] = {WORD_PLAIN, false, false, "outsourcer", false},
    [DS_STRATEGY_SYBIL] = {WORD_NUMBER, false, false, "sybil(8)", false},
    [DS_STRATEGY_BURST] = {WORD_SHARE, false, false, "burst(0.8)", false},
    [DS_STRATEGY_RATIONAL] = {WORD_PLAIN, false, false, "rational", false},
    [DS_STRATEGY_LYING] = {WORD_PLAIN, true, false, "lying", false},
    [DS_STRATEGY_INFLATOR] = {WORD_PLAIN, false, false, "inflator", true},
    [DS_STRATEGY_FORGER] = {WORD_PLAIN, false, false, "forger", true},
    [DS_STRATEGY_DOUBLE_SPENDER] = {WORD_PLAIN, false, false, "double_spender", true},
    [DS_STRATEGY_REPLAYER] = {WORD_PLAIN, false, false, "replayer", true},
};

/* Where the strategies of a group, or the options of its rational nodes, are read. */
struct word_mix {
    struct ds_bind *b;
    uint32_t role;
    bool options;
};

static bool word_allowed(const struct word_mix *m, const struct ds_yaml *at,
                         const struct ds_choice *c)
{
    bool validator = word_strategies[c->value].validator, client = word_strategies[c->value].client;
    uint32_t role = client      ? (uint32_t)DS_ROLE_CLIENT
                    : validator ? (uint32_t)DS_ROLE_VALIDATOR
                                : (uint32_t)DS_ROLE_SERVICE;
    if (c->value != DS_STRATEGY_HONEST && m->role != role) {
        ds_bind_error(m->b, at,
                      "strategy `%s` is for a %s, this group's role is %s: choose another", c->name,
                      client      ? "client"
                      : validator ? "validator"
                                  : "service node",
                      ds_choice_name(ds_choices_role, m->role));
        return false;
    }
    if (m->options && !word_strategies[c->value].chosen) {
        ds_bind_error(m->b, at,
                      "options: a node cannot turn to `%s` while it runs: use honest, ghost, "
                      "partial(f), washer and stale",
                      c->name);
        return false;
    }
    return true;
}

/* text[0..size) between the brackets into *out. */
static bool word_argument(enum ds_strategy strategy, const char *text, size_t size,
                          struct ds_mix *out, struct dc_text *why)
{
    uint64_t number = 1;
    if (word_strategies[strategy].argument == WORD_SHARE) {
        if (!ds_value_share(text, size, &out->argument, why))
            return false;
        if (out->argument == 0)
            dc_text_add(why, strategy == DS_STRATEGY_PARTIAL
                                 ? "a node that lacks nothing is honest"
                                 : "a node that turns at a score of 0 is a ghost");
        return out->argument != 0;
    }
    if (!ds_value_integer(text, size, DS_DIM_NUMBER, &number, why))
        return false;
    if (number < 1 || number > WORD_NUMBER_MAX)
        dc_text_printf(why, "use 1 to %d nodes", WORD_NUMBER_MAX);
    out->number = (uint32_t)number;
    return number >= 1 && number <= WORD_NUMBER_MAX;
}

static void word_strategy_name(struct ds_bind *b, const struct ds_choice *c, struct ds_mix *out)
{
    struct dc_text name = {0};
    enum word_argument argument = word_strategies[c->value].argument;
    dc_text_add(&name, c->name);
    if (argument == WORD_SHARE) {
        dc_text_add(&name, "(");
        ds_value_print_share(&name, out->argument);
        dc_text_add(&name, ")");
    } else if (argument == WORD_NUMBER || out->number > 1) {
        dc_text_printf(&name, "(%u)", out->number);
    }
    out->name = name.failed ? NULL : ds_yaml_copy(b->arena, name.data, name.size);
    b->d->failed |= out->name == NULL;
    dc_text_free(&name);
}

/* "partial(0.3)", "washer(4)", "honest" */
static void word_strategy(const struct word_mix *m, const struct ds_yaml *at, const char *text,
                          struct ds_mix *out)
{
    struct ds_bind *b = m->b;
    char word[64];
    size_t size = strcspn(text, "("), end = strlen(text);
    snprintf(word, sizeof word, "%.*s", (int)(size > 60 ? 60 : size), text);
    while (word[0] != '\0' && word[strlen(word) - 1] == ' ')
        word[strlen(word) - 1] = '\0';
    const struct ds_choice *c = word_find(b, "strategy", ds_choices_strategy, at, word);
    if (c == NULL || !word_allowed(m, at, c))
        return;
    out->strategy = (enum ds_strategy)c->value;
    out->number = 1;
    enum word_argument argument = word_strategies[c->value].argument;
    bool brackets = text[size] == '(' && text[end - 1] == ')';
    bool fits = brackets ? argument != WORD_PLAIN
                         : text[size] == '\0' &&
                               (argument == WORD_PLAIN || argument == WORD_NUMBER_OR_PLAIN);
    struct dc_text why = {0};
    if (!fits)
        ds_bind_error(b, at, "strategy `%s`: write `%s`", text, word_strategies[c->value].usage);
    else if (brackets && !word_argument(out->strategy, text + size + 1, end - size - 2, out, &why))
        ds_bind_error(b, at, "strategy `%s`: %s", text, why.data != NULL ? why.data : "");
    else if (m->options && out->number > 1)
        ds_bind_error(b, at, "options: a node cannot join a ring while it runs: write `washer`");
    else
        word_strategy_name(b, c, out);
    dc_text_free(&why);
}

static void word_mix(const struct word_mix *m, const struct ds_yaml *node, struct ds_mix *mix)
{
    struct ds_bind *b = m->b;
    size_t before = b->d->count, i = 0;
    double sum = 0;
    if (node->kind == DS_YAML_SCALAR) {
        mix[0].weight = sum = 1;
        word_strategy(m, node, node->text, &mix[0]);
    }
    for (const struct ds_yaml *n = node->first; n != NULL; n = n->next, i++) {
        struct ds_yaml at = {.file = n->file, .place = n->key_place};
        word_strategy(m, &at, n->key, &mix[i]);
        if (word_weight(b, n, &mix[i].weight))
            sum += mix[i].weight;
        for (size_t j = 0; j < i; j++)
            if (mix[i].name != NULL && mix[j].name != NULL && strcmp(mix[i].name, mix[j].name) == 0)
                ds_bind_error(b, &at, "strategy `%s` is named twice: add the weights up",
                              mix[i].name);
    }
    if (b->d->count == before && !(sum > 0))
        ds_bind_error(b, node, "the weights of strategy sum to 0: give one a weight above 0");
}

void ds_bind_mix(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                 struct ds_group *group)
{
    struct word_mix m = {b, group->role, strcmp(ds_param_name(row), "options") == 0};
    if (node->kind == DS_YAML_SEQUENCE) {
        ds_bind_error(b, node,
                      "%s takes one name, or a mapping of names to weights, as in "
                      "`{honest: 0.9, ghost: 0.1}`",
                      ds_param_name(row));
        return;
    }
    size_t count = node->kind == DS_YAML_MAP ? node->count : 1;
    struct ds_mix *mix = ds_bind_alloc(b, count, sizeof *mix);
    if (mix == NULL)
        return;
    memcpy((char *)group + row->offset, &mix, sizeof mix);
    memcpy((char *)group + row->count_offset, &count, sizeof count);
    word_mix(&m, node, mix);
}

void ds_bind_weights(struct ds_bind *b, const struct ds_yaml *node, struct ds_group *group)
{
    if (node->kind == DS_YAML_SCALAR && strcmp(node->text, "everywhere") == 0)
        return;
    size_t count = node->kind == DS_YAML_SCALAR ? 1 : node->count;
    const struct ds_yaml *n = node->kind == DS_YAML_MAP ? node->first : word_list(b, "place", node);
    group->place = ds_bind_alloc(b, count, sizeof *group->place);
    if (n == NULL || group->place == NULL)
        return;
    group->place_count = count;
    double sum = 0;
    const struct ds_network *net = &b->out->network;
    for (size_t i = 0; n != NULL; n = word_next(node, n), i++) {
        struct ds_weight *w = &group->place[i];
        bool map = node->kind == DS_YAML_MAP;
        struct ds_yaml at = {.file = n->file, .place = map ? n->key_place : n->place};
        *w = (struct ds_weight){.name = map ? n->key : n->text, .weight = 1};
        if (map && !word_weight(b, n, &w->weight))
            return;
        sum += w->weight;
        size_t size = strlen(w->name);
        bool prefix = size > 0 && w->name[size - 1] == '*', found = net->region_names == NULL;
        struct ds_nearest nearest = {.word = w->name};
        for (uint32_t r = 0; r < net->regions_count && !found; r++) {
            ds_nearest_try(&nearest, net->region_names[r]);
            found = prefix ? strncmp(net->region_names[r], w->name, size - 1) == 0
                           : strcmp(net->region_names[r], w->name) == 0;
        }
        if (!found)
            ds_bind_error(b, &at, "place: no region is called `%s`%s%s%s", w->name,
                          nearest.name != NULL ? ": did you mean `" : ": see the regions file",
                          nearest.name != NULL ? nearest.name : "",
                          nearest.name != NULL ? "`?" : "");
    }
    if (!(sum > 0))
        ds_bind_error(b, node, "the weights of place sum to 0: give one a weight above 0");
}

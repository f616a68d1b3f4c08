/* Selectors: who is meant.  Recursive descent over
 *
 *     union := term { ',' term }
 *     term  := 'all' | 'rest' | role | group | group '[' n [ '..' m ] ']' | 'region' name['*']
 *            | share '%' 'of' term | count 'of' term | share '%' 'of' 'stake' 'of' term
 *            | 'leaders' | 'coming' 'leaders'
 *            | 'top' ( share '%' | count ) 'by' ( 'power' | 'centrality' ) 'of' term
 *
 * Groups come before this in the table, so a name that nobody has is found here. */
#include "sim/scenario/load.h"

#include "models/base/rng.h"

#include <stdlib.h>
#include <string.h>

#define SELECTOR_DEPTH_MAX 8

struct selector_parse {
    struct ds_bind *b;
    const struct ds_yaml *node;
    const char *p; /* what is left */
    unsigned depth;
};

static void selector_blank(struct selector_parse *s)
{
    while (*s->p == ' ')
        s->p++;
}

static bool selector_end_of_word(char c)
{
    return c == '\0' || strchr(" ,[]%*", c) != NULL;
}

/* Takes `word` if it comes next, and not as the beginning of a longer word. */
static bool selector_take(struct selector_parse *s, const char *word)
{
    selector_blank(s);
    size_t n = strlen(word);
    bool letters = strchr("[]%,.", word[0]) == NULL;
    if (strncmp(s->p, word, n) != 0 || (letters && !selector_end_of_word(s->p[n])))
        return false;
    s->p += n;
    return true;
}

static struct ds_selector *selector_new(struct selector_parse *s, enum ds_selector_kind kind)
{
    struct ds_selector *out = ds_bind_alloc(s->b, 1, sizeof *out);
    if (out != NULL)
        out->kind = kind;
    return out;
}

static void selector_syntax(struct selector_parse *s, const char *wanted)
{
    ds_bind_error(s->b, s->node, "selector `%.100s`: expected %s at `%.40s`", s->node->text, wanted,
                  *s->p != '\0' ? s->p : "the end");
}

static struct ds_selector *selector_term(struct selector_parse *s);

static bool selector_digits(struct selector_parse *s, uint64_t *value)
{
    const char *start = s->p;
    *value = 0;
    while (*s->p >= '0' && *s->p <= '9' && *value < 1000000000000ull)
        *value = *value * 10 + (uint64_t)(*s->p++ - '0');
    return s->p != start;
}

/* "10 %" or "3", into ppm or count. */
static bool selector_quantity(struct selector_parse *s, struct ds_selector *out)
{
    selector_blank(s);
    const char *start = s->p;
    s->p += strspn(s->p, "0123456789.");
    size_t size = (size_t)(s->p - start);
    struct dc_text why = {0};
    bool percent = selector_take(s, "%"), ok;
    if (percent) {
        double share = 0;
        ok = ds_value_real(start, size, DS_DIM_NUMBER, &share, &why) && share <= 100;
        out->ppm = ok ? (uint32_t)(share * 10000 + 0.5) : 0;
    } else {
        ok = ds_value_integer(start, size, DS_DIM_NUMBER, &out->count, &why);
    }
    dc_text_free(&why);
    if (!ok) {
        s->p = start;
        selector_syntax(s, "a number, or a percentage up to 100 %");
    } else if (out->ppm == 0 && out->count == 0) {
        ds_bind_error(s->b, s->node, "selector `%.100s` matches nothing: ask for more than 0",
                      s->node->text);
        ok = false;
    }
    return ok;
}

static struct ds_selector *selector_of(struct selector_parse *s, struct ds_selector *out)
{
    if (out == NULL || !selector_take(s, "of")) {
        selector_syntax(s, "`of SELECTOR`");
        return NULL;
    }
    if (out->kind == DS_SELECT_SHARE && selector_take(s, "stake")) {
        out->kind = DS_SELECT_STAKE;
        if (!selector_take(s, "of")) {
            selector_syntax(s, "`of SELECTOR`");
            return NULL;
        }
    }
    out->of = selector_term(s);
    return out->of != NULL ? out : NULL;
}

static struct ds_selector *selector_region(struct selector_parse *s)
{
    selector_blank(s);
    size_t size = strcspn(s->p, " ,");
    struct ds_selector *out = selector_new(s, DS_SELECT_REGION);
    if (out == NULL)
        return NULL;
    char *name = ds_yaml_copy(s->b->arena, s->p, size);
    s->p += size;
    out->prefix = size > 0 && name[size - 1] == '*';
    if (out->prefix)
        name[size - 1] = '\0';
    out->name = name;
    const struct ds_network *net = &s->b->out->network;
    if (net->topology != DS_TOPOLOGY_REGIONS) {
        ds_bind_error(s->b, s->node,
                      "selector `region` needs a network with regions: give "
                      "network.regions");
        return NULL;
    }
    struct ds_nearest nearest = {.word = name};
    bool found = net->region_names == NULL; /* the file was refused: said once is enough */
    for (uint32_t r = 0; r < net->regions_count && !found; r++) {
        ds_nearest_try(&nearest, net->region_names[r]);
        found = out->prefix ? strncmp(net->region_names[r], name, strlen(name)) == 0
                            : strcmp(net->region_names[r], name) == 0;
    }
    if (found)
        return out;
    struct dc_text known = {0};
    for (uint32_t r = 0; r < net->regions_count && r < 20; r++)
        dc_text_printf(&known, "%s%s", r > 0 ? ", " : "", net->region_names[r]);
    ds_bind_error(s->b, s->node,
                  "selector `%.100s` matches nothing: no region is called `%s%s`: "
                  "use one of %s",
                  s->node->text, name, out->prefix ? "*" : "",
                  nearest.name != NULL ? nearest.name : known.data);
    dc_text_free(&known);
    return NULL;
}

static struct ds_selector *selector_group(struct selector_parse *s, uint32_t index)
{
    const struct ds_group *group = &s->b->out->groups[index];
    struct ds_selector *out = selector_new(s, DS_SELECT_GROUP);
    if (out == NULL)
        return NULL;
    out->number = index;
    if (!selector_take(s, "["))
        return out;
    out->kind = DS_SELECT_NODES;
    bool ok = selector_digits(s, &out->first);
    out->last = out->first;
    if (ok && selector_take(s, "..")) {
        selector_blank(s);
        ok = selector_digits(s, &out->last);
    }
    if (!ok || !selector_take(s, "]")) {
        selector_syntax(s, "an index as in `sto[3]` or `sto[0..32]`");
        return NULL;
    }
    if (out->first <= out->last && out->last < group->count)
        return out;
    ds_bind_error(s->b, s->node,
                  "selector `%.100s` matches nothing: group `%s` has %u nodes, "
                  "numbered from 0",
                  s->node->text, group->name, group->count);
    return NULL;
}

static struct ds_selector *selector_name(struct selector_parse *s)
{
    static const struct {
        const char *word;
        enum ds_selector_kind kind;
        uint32_t number;
    } words[] = {{"all", DS_SELECT_ALL, 0},
                 {"rest", DS_SELECT_REST, 0},
                 {"validator", DS_SELECT_ROLE, DS_ROLE_VALIDATOR},
                 {"validators", DS_SELECT_ROLE, DS_ROLE_VALIDATOR},
                 {"service", DS_SELECT_ROLE, DS_ROLE_SERVICE},
                 {"services", DS_SELECT_ROLE, DS_ROLE_SERVICE},
                 {"client", DS_SELECT_ROLE, DS_ROLE_CLIENT},
                 {"clients", DS_SELECT_ROLE, DS_ROLE_CLIENT}};
    const struct ds_scenario *out = s->b->out;
    for (size_t i = 0; i < out->groups_count; i++)
        if (out->groups[i].name != NULL && selector_take(s, out->groups[i].name))
            return selector_group(s, (uint32_t)i);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (selector_take(s, words[i].word)) {
            struct ds_selector *sel = selector_new(s, words[i].kind);
            if (sel != NULL)
                sel->number = words[i].number;
            return sel;
        }
    char word[64] = {0};
    size_t size = strcspn(s->p, " ,[%");
    memcpy(word, s->p, size < 63 ? size : 63);
    struct ds_nearest nearest = {.word = word};
    for (size_t i = 0; i < out->groups_count; i++)
        if (out->groups[i].name != NULL)
            ds_nearest_try(&nearest, out->groups[i].name);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        ds_nearest_try(&nearest, words[i].word);
    ds_bind_error(s->b, s->node,
                  "selector `%.100s` matches nothing: no group or role is called `%s`%s%s%s",
                  s->node->text, word, nearest.name != NULL ? ": did you mean `" : "",
                  nearest.name != NULL ? nearest.name
                                       : ": name a group of `nodes`, a role, `all`, "
                                         "`region NAME` or `N % of ...`",
                  nearest.name != NULL ? "`?" : "");
    return NULL;
}

static struct ds_selector *selector_leaders(struct selector_parse *s, uint32_t rounds)
{
    struct ds_selector *out = selector_new(s, DS_SELECT_LEADERS);
    if (out != NULL)
        out->number = rounds;
    if (s->b->out->validators_count == 0) {
        ds_bind_error(s->b, s->node, "selector `%.100s` matches nothing: there are no validators",
                      s->node->text);
        return NULL;
    }
    return out;
}

static struct ds_selector *selector_term(struct selector_parse *s)
{
    selector_blank(s);
    if (++s->depth > SELECTOR_DEPTH_MAX) {
        selector_syntax(s, "fewer than 8 levels of `of`");
        return NULL;
    }
    struct ds_selector *out;
    if (selector_take(s, "region"))
        return selector_region(s);
    if (selector_take(s, "leaders"))
        return selector_leaders(s, 1);
    if (selector_take(s, "coming")) {
        if (selector_take(s, "leaders"))
            return selector_leaders(s, 4);
        selector_syntax(s, "`coming leaders`");
        return NULL;
    }
    if (selector_take(s, "top")) {
        out = selector_new(s, DS_SELECT_TOP);
        if (out == NULL || !selector_quantity(s, out))
            return NULL;
        bool power = selector_take(s, "by") && selector_take(s, "power");
        if (!power && !selector_take(s, "centrality")) {
            selector_syntax(s, "`by power of ...` or `by centrality of ...`");
            return NULL;
        }
        out->measure = power ? DS_MEASURE_POWER : DS_MEASURE_CENTRALITY;
        return selector_of(s, out);
    }
    if (*s->p >= '0' && *s->p <= '9') {
        const char *q = s->p + strspn(s->p, "0123456789.");
        if (*q == ' ' || *q == '%') { /* else a group's name may begin with a digit */
            out = selector_new(s, DS_SELECT_COUNT);
            if (out == NULL || !selector_quantity(s, out))
                return NULL;
            if (out->ppm != 0)
                out->kind = DS_SELECT_SHARE;
            return selector_of(s, out);
        }
    }
    return selector_name(s);
}

static uint64_t selector_share(uint64_t total, const struct ds_selector *s)
{
    if (s->ppm != 0)
        return (uint64_t)(((unsigned __int128)total * s->ppm + DC_PPM / 2) / DC_PPM);
    return s->count < total ? s->count : total;
}

/* Of one term. */
static uint64_t selector_size(const struct ds_scenario *scenario, const struct ds_selector *s)
{
    uint64_t n = 0;
    switch (s->kind) {
    case DS_SELECT_ALL:
    case DS_SELECT_ROLE:
        for (size_t i = 0; i < scenario->groups_count; i++)
            if (s->kind == DS_SELECT_ALL || scenario->groups[i].role == s->number)
                n += scenario->groups[i].count;
        return n;
    case DS_SELECT_GROUP: return scenario->groups[s->number].count;
    case DS_SELECT_NODES: return s->last - s->first + 1;
    case DS_SELECT_SHARE:
    case DS_SELECT_COUNT:
    case DS_SELECT_TOP:
        n = selector_size(scenario, s->of);
        return n != UINT64_MAX ? selector_share(n, s) : s->ppm == 0 ? s->count : n;
    default: return UINT64_MAX;
    }
}

uint64_t ds_selector_most(const struct ds_scenario *scenario, const struct ds_selector *s)
{
    uint64_t sum = 0;
    for (; s != NULL; s = s->next) {
        uint64_t n = selector_size(scenario, s);
        sum = n > UINT64_MAX - sum ? UINT64_MAX : sum + n;
    }
    return sum;
}

static const struct ds_selector *selector_text(struct ds_bind *b, const struct ds_yaml *node)
{
    struct selector_parse s = {.b = b, .node = node, .p = node->text};
    struct ds_selector *head = NULL, *last = NULL;
    do {
        s.depth = 0;
        struct ds_selector *term = selector_term(&s);
        if (term == NULL)
            return NULL;
        if (selector_size(b->out, term) == 0) {
            ds_bind_error(b, node, "selector `%.100s` matches nothing: there are too few nodes",
                          node->text);
            return NULL;
        }
        if (head == NULL)
            head = term;
        else
            last->next = term;
        last = term;
    } while (selector_take(&s, ","));
    selector_blank(&s);
    if (*s.p != '\0') {
        selector_syntax(&s, "a comma or the end");
        return NULL;
    }
    head->text = node->text;
    return head;
}

const struct ds_selector *ds_bind_selector(struct ds_bind *b, const struct ds_yaml *node)
{
    if (node->kind == DS_YAML_SCALAR)
        return selector_text(b, node);
    if (node->kind == DS_YAML_MAP || node->count == 0) {
        ds_bind_error(b, node,
                      "a selector is a text such as `10 %% of validators`, or a list of "
                      "them");
        return NULL;
    }
    struct dc_text text = {0};
    bool ok = true;
    for (const struct ds_yaml *n = node->first; n != NULL; n = n->next) {
        if (n->kind != DS_YAML_SCALAR) {
            ds_bind_error(b, n, "a selector is a text such as `10 %% of validators`");
            ok = false;
            continue;
        }
        ok = selector_text(b, n) != NULL && ok;
        dc_text_printf(&text, "%s%s", n != node->first ? ", " : "", n->text);
    }
    struct ds_yaml all = *node;
    all.kind = DS_YAML_SCALAR;
    all.text = text.failed || !ok ? NULL : ds_yaml_copy(b->arena, text.data, text.size);
    b->d->failed |= text.failed || (ok && all.text == NULL);
    dc_text_free(&text);
    return all.text != NULL ? selector_text(b, &all) : NULL;
}

void ds_bind_sides(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                   struct ds_fault *fault)
{
    if (node->kind != DS_YAML_SEQUENCE || (double)node->count < row->min ||
        (double)node->count > row->max) {
        ds_bind_error(b, node,
                      "groups takes a list of %.0f to %.0f sides, as in "
                      "`[[region eu*], [rest]]`",
                      row->min, row->max);
        return;
    }
    fault->groups = ds_bind_alloc(b, node->count, sizeof *fault->groups);
    if (fault->groups == NULL)
        return;
    unsigned rest = 0;
    for (const struct ds_yaml *n = node->first; n != NULL; n = n->next) {
        const struct ds_selector *side = ds_bind_selector(b, n);
        fault->groups[fault->groups_count++] = side;
        rest += side != NULL && side->kind == DS_SELECT_REST;
        if (side != NULL && side->kind == DS_SELECT_ALL)
            ds_bind_error(b, n, "a side of a partition cannot be `all`: write `rest`");
        if (rest > 1) {
            ds_bind_error(b, n, "`rest` is on two sides: keep one");
            rest = 0;
        }
    }
}

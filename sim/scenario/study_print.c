/* A study as YAML, every default spelled out: loads again to the same study. */
#include "sim/scenario/study_parts.h"

#include <string.h>

static void print_text(struct dc_text *out, const char *key, const char *text)
{
    dc_text_printf(out, "%s: ", key);
    ds_yaml_print_scalar(out, text);
    dc_text_add(out, "\n");
}

static void print_share(struct dc_text *out, const char *key, double share)
{
    dc_text_printf(out, "%s: ", key);
    ds_value_print_real(out, DS_DIM_SHARE, share);
    dc_text_add(out, "\n");
}

static void print_list(struct dc_text *out, const char *key, const char *indent,
                       const char *const *text, size_t count, bool yaml)
{
    dc_text_printf(out, "%s:%s\n", key, count == 0 ? " []" : "");
    for (size_t i = 0; i < count; i++) {
        dc_text_printf(out, "%s- ", indent);
        if (yaml)
            dc_text_add(out, text[i]);
        else
            ds_yaml_print_scalar(out, text[i]);
        dc_text_add(out, "\n");
    }
}

static void print_range(struct dc_text *out, const struct ds_study *s, size_t j)
{
    size_t value;
    dc_text_add(out, "    range: [");
    ds_study_axis_text(s, j, s->parameter[j].lo, out, &value);
    dc_text_add(out, ", ");
    ds_study_axis_text(s, j, s->parameter[j].hi, out, &value);
    dc_text_add(out, "]\n");
}

static void print_parameter(struct dc_text *out, const struct ds_study *s, size_t j)
{
    const struct ds_study_axis *a = &s->axis[j];
    const struct da_parameter *p = &s->parameter[j];
    if (a->paths > 1)
        print_list(out, "  - paths", "      ", a->path, a->paths, false);
    else
        print_text(out, "  - path", p->path);
    print_text(out, "    label", p->label);
    if (a->values > 0)
        print_list(out, "    values", "      ", a->yaml, a->values, true);
    else
        print_range(out, s, j);
    if (a->named)
        print_list(out, "    names", "      ", p->word, a->values, false);
    dc_text_printf(out, "    scale: %s\n", p->scale == DA_LOG ? "log" : "linear");
}

static void print_design(struct dc_text *out, const struct ds_study *s)
{
    static const char *const kinds[] = {"grid", "lhs", "sobol", "saltelli", "morris"};
    dc_text_printf(out, "design:\n  kind: %s\n", kinds[s->design]);
    if (s->design == DA_LHS || s->design == DA_SOBOL)
        dc_text_printf(out, "  points: %zu\n", s->plan_points);
    if (s->base != 0)
        dc_text_printf(out, "  base: %zu\n", s->base);
    if (s->levels != 0)
        dc_text_printf(out, "  levels: %u\n", s->levels);
    dc_text_printf(out, "  seed: %llu\n", (unsigned long long)s->design_seed);
}

static void print_replications(struct dc_text *out, const struct ds_study *s)
{
    if (s->replications.half_width == 0) {
        dc_text_printf(out, "replications: %u\n", s->replications.most);
        return;
    }
    dc_text_printf(out, "replications:\n  least: %u\n  most: %u\n", s->replications.least,
                   s->replications.most);
    print_share(out, "  half_width", s->replications.half_width);
    print_text(out, "  metric", s->replications.metric);
    print_share(out, "  confidence", s->replications.confidence);
}

static void print_goals(struct dc_text *out, const struct ds_study *s)
{
    dc_text_printf(out, "objectives:%s\n", s->objectives == 0 ? " []" : "");
    for (size_t i = 0; i < s->objectives; i++) {
        struct dc_text text = {0};
        dc_text_printf(&text, "%s %s", s->objective[i].maximise ? "maximise" : "minimise",
                       s->objective[i].metric);
        dc_text_add(out, "  - ");
        ds_yaml_print_scalar(out, text.data != NULL ? text.data : "");
        dc_text_add(out, "\n");
        out->failed |= text.failed;
        dc_text_free(&text);
    }
    dc_text_printf(out, "constraints:%s\n", s->constraints == 0 ? " []" : "");
    for (size_t i = 0; i < s->constraints; i++) {
        dc_text_add(out, "  - ");
        ds_yaml_print_scalar(out, s->constraint[i].text);
        dc_text_add(out, "\n");
    }
    print_share(out, "confidence", s->confidence);
    if (s->metrics > 0)
        print_list(out, "metrics", "  ", s->metric, s->metrics, false);
}

void ds_study_print(const struct ds_study_load *l, struct dc_text *out)
{
    const struct ds_study *s = l->out;
    if (s->title[0] != '\0')
        dc_text_printf(out, "# %s\n", s->title);
    print_text(out, "name", s->name);
    print_text(out, "scenario", l->scenario);
    print_list(out, "set", "  ", s->set, s->sets, false);
    dc_text_printf(out, "seed: %llu\n", (unsigned long long)s->seed);
    if (s->parameters > 0)
        dc_text_add(out, "parameters:\n");
    for (size_t j = 0; j < s->parameters; j++)
        print_parameter(out, s, j);
    print_design(out, s);
    print_replications(out, s);
    print_goals(out, s);
    if (s->warmup.given)
        dc_text_printf(out, "warmup:\n  share: %s\n", s->warmup.share ? "on" : "off");
    dc_text_printf(out, "tune:\n  runs: %u\n  start: %u\n  replications: %u\n  confirm: %u\n",
                   s->tune.runs, s->tune.start, s->tune.replications, s->tune.confirm);
    if (!s->rare.given)
        return;
    dc_text_add(out, "rare:\n");
    print_text(out, "  metric", s->rare.metric);
    print_list(out, "  levels", "    ", s->rare.level_text, s->rare.levels, false);
    dc_text_printf(out, "  split: %u\n  roots: %u\n", s->rare.split, s->rare.roots);
}

/* What a study wants: objectives, constraints, metrics, replications; what tune and rare spend. */
#include "sim/scenario/study_parts.h"

#include <string.h>

/* What no run measures unless the scenario says so. */
static void goal_measured(struct ds_study_load *l, const struct ds_yaml *node, const char *metric)
{
    if ((strcmp(metric, "theta_lift") == 0 || strncmp(metric, "lift_", 5) == 0) &&
        l->base.name != NULL && !l->base.record.lift)
        ds_bind_error(&l->b, node, "`%s` is measured with `record.lift: on` alone: add it to `set`",
                      metric);
}

/* A known metric that is named at node; NULL after a diagnostic. */
static const struct ds_metric *goal_metric(struct ds_study_load *l, const struct ds_yaml *node,
                                           const char *what, const char *name)
{
    const struct ds_metric *metric = ds_bind_metric(&l->b, node, what, name);
    if (metric != NULL)
        goal_measured(l, node, name);
    return metric;
}

static void goal_keep(struct ds_study *out, const char *metric)
{
    for (size_t i = 0; i < out->metrics; i++)
        if (strcmp(out->metric[i], metric) == 0)
            return;
    out->metric[out->metrics++] = metric;
}

static void goal_objectives(struct ds_study_load *l)
{
    static const struct {
        const char *word;
        bool maximise;
    } words[] = {
        {"minimise ", false}, {"minimize ", false}, {"maximise ", true}, {"maximize ", true}};
    const struct ds_yaml *n = ds_study_entry(l, l->root, "objectives"), **item;
    size_t count = 0;
    if (n == NULL || !ds_study_texts(l, n, "objectives", &item, &count))
        return;
    struct da_objective *o = l->out->objective = ds_bind_alloc(&l->b, count, sizeof *o);
    for (size_t i = 0; o != NULL && i < count; i++) {
        const char *text = item[i]->text, *metric = NULL;
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
            if (strncmp(text, words[w].word, strlen(words[w].word)) == 0) {
                metric = text + strlen(words[w].word);
                metric += strspn(metric, " ");
                o[i].maximise = words[w].maximise;
            }
        if (metric == NULL) {
            ds_bind_error(&l->b, item[i],
                          "objectives: `%.100s`: write `minimise METRIC` or "
                          "`maximise METRIC`",
                          text);
            continue;
        }
        o[i].metric = metric;
        if (goal_metric(l, item[i], "objectives", metric) == NULL)
            continue;
        for (size_t j = 0; j < i; j++)
            if (o[j].metric != NULL && strcmp(o[j].metric, metric) == 0)
                ds_bind_error(&l->b, item[i], "objectives: `%s` is there twice: remove one",
                              metric);
    }
    l->out->objectives = o != NULL ? count : 0;
}

/* Whether no value meets both. */
static bool goal_contradict(const struct da_constraint *a, const struct da_constraint *b)
{
    bool below = a->op == DA_LT || a->op == DA_LE || a->op == DA_EQ;
    bool above = b->op == DA_GT || b->op == DA_GE || b->op == DA_EQ;
    bool strict = a->op == DA_LT || b->op == DA_GT;
    if (a->op == DA_NE || b->op == DA_NE)
        return a->op != b->op && (a->op == DA_EQ || b->op == DA_EQ) && a->value == b->value;
    return below && above && (b->value > a->value || (strict && b->value == a->value));
}

static void goal_constraints(struct ds_study_load *l)
{
    static const enum da_op ops[] = {
        [DS_OP_HOLDS] = DA_EQ, [DS_OP_LT] = DA_LT, [DS_OP_LE] = DA_LE, [DS_OP_GT] = DA_GT,
        [DS_OP_GE] = DA_GE,    [DS_OP_EQ] = DA_EQ, [DS_OP_NE] = DA_NE};
    const struct ds_yaml *n = ds_study_entry(l, l->root, "constraints"), **item;
    size_t count = 0;
    if (n == NULL || !ds_study_texts(l, n, "constraints", &item, &count))
        return;
    struct da_constraint *c = l->out->constraint = ds_bind_alloc(&l->b, count, sizeof *c);
    for (size_t i = 0; c != NULL && i < count; i++) {
        struct ds_expect e;
        if (!ds_bind_expect(&l->b, item[i], "constraints", &e))
            continue;
        goal_measured(l, item[i], e.metric);
        c[i] = (struct da_constraint){.text = item[i]->text,
                                      .metric = e.metric,
                                      .op = ops[e.op],
                                      .value = e.value,
                                      .confidence = l->out->confidence};
        for (size_t j = 0; j < i; j++) {
            if (c[j].metric == NULL || strcmp(c[j].metric, e.metric) != 0)
                continue;
            if (goal_contradict(&c[i], &c[j]) || goal_contradict(&c[j], &c[i]))
                ds_bind_error(&l->b, item[i],
                              "constraints: nothing meets both `%s` and `%s`: relax one", c[j].text,
                              c[i].text);
            else if (c[j].op == c[i].op)
                ds_bind_error(&l->b, item[i],
                              "constraints: `%s` has such a bound already: keep one", e.metric);
        }
    }
    l->out->constraints = c != NULL ? count : 0;
}

static void goal_replications(struct ds_study_load *l)
{
    struct ds_study *out = l->out;
    const struct ds_yaml *n = ds_study_entry(l, l->root, "replications");
    uint64_t least = 10, most = 10;
    double confidence = out->confidence;
    out->replications.confidence = confidence;
    if (n == NULL || n->kind == DS_YAML_SCALAR) {
        struct dc_text why = {0};
        if (n != NULL && !ds_value_integer(n->text, strlen(n->text), DS_DIM_NUMBER, &least, &why))
            ds_bind_why(&l->b, n, "replications", &why);
        else if (least < 1 || least > 100000)
            ds_bind_error(&l->b, n, "replications: `%s` is out of range: use 1 to 100000", n->text);
        dc_text_free(&why);
        out->replications.least = out->replications.most = (uint32_t)least;
        return;
    }
    if (n->kind != DS_YAML_MAP) {
        ds_bind_error(&l->b, n,
                      "replications takes a count, or a mapping such as `{least: 5, "
                      "most: 50, half_width: 5 %%}`");
        return;
    }
    ds_study_keys(l, "replications", n);
    bool ok = ds_study_count(l, n, "replications.least", &least);
    ok = ds_study_count(l, n, "replications.most", &most) && ok;
    if (ok && least > most)
        ds_bind_error(&l->b, n, "replications: least, %llu, is above most, %llu",
                      (unsigned long long)least, (unsigned long long)most);
    if (ds_yaml_get(n, "half_width") == NULL)
        ds_bind_error(&l->b, n,
                      "replications: `half_width` is missing: how narrow the interval is "
                      "to become, as in `half_width: 5 %%`; or give a count alone");
    ds_study_share(l, n, "replications.half_width", &out->replications.half_width);
    if (ds_study_entry(l, n, "replications.confidence") != NULL)
        ds_study_share(l, n, "replications.confidence", &out->replications.confidence);
    const struct ds_yaml *metric = ds_study_entry(l, n, "replications.metric");
    if (metric != NULL && metric->kind == DS_YAML_SCALAR) {
        out->replications.metric = metric->text;
        goal_metric(l, metric, "metric", metric->text);
    } else if (metric != NULL || out->objectives == 0) {
        ds_bind_error(&l->b, metric != NULL ? metric : n,
                      "replications: name the `metric` whose interval is meant");
    } else {
        out->replications.metric = out->objective[0].metric;
    }
    out->replications.least = (uint32_t)least;
    out->replications.most = (uint32_t)most;
}

static void goal_rare(struct ds_study_load *l)
{
    struct ds_study *out = l->out;
    const struct ds_yaml *n = ds_study_entry(l, l->root, "rare");
    uint64_t split = 0, roots = 0;
    if (n == NULL)
        return;
    if (n->kind != DS_YAML_MAP) {
        ds_bind_error(&l->b, n,
                      "rare takes a mapping, such as `{metric: cheat_share, levels: "
                      "[0.1, 0.2]}`");
        return;
    }
    ds_study_keys(l, "rare", n);
    out->rare.given = true;
    const struct ds_yaml *metric = ds_study_entry(l, n, "rare.metric"), **item;
    const struct ds_yaml *levels = ds_study_entry(l, n, "rare.levels");
    if (metric == NULL || levels == NULL || metric->kind != DS_YAML_SCALAR) {
        ds_bind_error(&l->b, n,
                      "rare needs `metric` and `levels`, as in `{metric: cheat_share, "
                      "levels: [0.1, 0.2]}`");
        return;
    }
    out->rare.metric = metric->text;
    const struct ds_metric *known = goal_metric(l, metric, "rare", metric->text);
    size_t count = 0;
    if (known == NULL || !ds_study_texts(l, levels, "rare.levels", &item, &count))
        return;
    out->rare.level = ds_bind_alloc(&l->b, count, sizeof *out->rare.level);
    bool ok = count > 0 && out->rare.level != NULL;
    if (count == 0)
        ds_bind_error(&l->b, levels, "levels is empty: give at least the one that is the event");
    for (size_t i = 0; ok && i < count; i++) {
        ok = ds_bind_metric_value(&l->b, item[i], "levels", known, item[i]->text,
                                  &out->rare.level[i]);
        if (ok && i > 0 && !(out->rare.level[i] > out->rare.level[i - 1])) {
            ds_bind_error(&l->b, item[i],
                          "levels: `%s` is not above the one before it: they are "
                          "to increase",
                          item[i]->text);
            ok = false;
        }
    }
    out->rare.levels = ok ? count : 0;
    out->rare.level_text = ds_bind_alloc(&l->b, count, sizeof *out->rare.level_text);
    for (size_t i = 0; ok && out->rare.level_text != NULL && i < count; i++)
        out->rare.level_text[i] = item[i]->text;
    if (ds_study_count(l, n, "rare.split", &split))
        out->rare.split = (uint32_t)split;
    if (ds_study_count(l, n, "rare.roots", &roots))
        out->rare.roots = (uint32_t)roots;
}

static void goal_warmup(struct ds_study_load *l)
{
    const struct ds_yaml *n = ds_study_entry(l, l->root, "warmup");
    uint32_t on = 1;
    if (n == NULL)
        return;
    if (n->kind != DS_YAML_MAP) {
        ds_bind_error(&l->b, n, "warmup takes a mapping: `{share: on}`");
        return;
    }
    ds_study_keys(l, "warmup", n);
    l->out->warmup.given = true;
    if (ds_study_word(l, n, "warmup.share", &on))
        l->out->warmup.share = on != 0;
    for (size_t j = 0; j < l->out->parameters; j++)
        for (size_t p = 0; p < l->out->axis[j].paths; p++)
            if (strcmp(l->out->axis[j].path[p], "protocol.upgrade.epoch") == 0)
                ds_bind_error(&l->b, n,
                              "the beginning ends at the upgrade, which is one for all points: "
                              "give protocol.upgrade.epoch in `set`");
            else if (strncmp(l->out->axis[j].path[p], "protocol.upgrade.", 17) != 0)
                ds_bind_error(&l->b, n,
                              "a beginning is shared by points that differ in "
                              "protocol.upgrade.* alone: `%s` changes it from the start",
                              l->out->axis[j].path[p]);
}

/* Lists what was asked for, and what is needed besides. */
static void goal_metrics(struct ds_study_load *l)
{
    struct ds_study *out = l->out;
    const struct ds_yaml *n = ds_study_entry(l, l->root, "metrics"), **item;
    size_t count = 0;
    if (n == NULL || !ds_study_texts(l, n, "metrics", &item, &count) || count == 0)
        return;
    out->metric =
        ds_bind_alloc(&l->b, count + out->objectives + out->constraints + 2, sizeof *out->metric);
    if (out->metric == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        goal_metric(l, item[i], "metrics", item[i]->text);
        goal_keep(out, item[i]->text);
    }
    for (size_t i = 0; i < out->objectives; i++)
        if (out->objective[i].metric != NULL)
            goal_keep(out, out->objective[i].metric);
    for (size_t i = 0; i < out->constraints; i++)
        if (out->constraint[i].metric != NULL)
            goal_keep(out, out->constraint[i].metric);
    if (out->replications.metric != NULL)
        goal_keep(out, out->replications.metric);
    if (out->rare.metric != NULL)
        goal_keep(out, out->rare.metric);
}

void ds_study_bind_goals(struct ds_study_load *l)
{
    ds_study_share(l, l->root, "confidence", &l->out->confidence);
    goal_objectives(l);
    goal_constraints(l);
    goal_replications(l);
    goal_rare(l);
    goal_warmup(l);
    goal_metrics(l);
}

void ds_study_bind_tune(struct ds_study_load *l)
{
    struct ds_study *out = l->out;
    const struct ds_yaml *n = ds_study_entry(l, l->root, "tune");
    uint64_t quarter = ds_study_runs(out) / 4, start = 2 * out->parameters + 2, visit = 0,
             confirm = 0;
    uint64_t runs = quarter > 40 ? quarter : 40;
    if (n != NULL && n->kind != DS_YAML_MAP) {
        ds_bind_error(&l->b, n, "tune takes a mapping, such as `{runs: 200}`");
        return;
    }
    if (n != NULL)
        ds_study_keys(l, "tune", n);
    /* Those without a constant default are left as they are when they are not given. */
    ds_study_count(l, n, "tune.runs", &runs);
    ds_study_count(l, n, "tune.start", &start);
    ds_study_count(l, n, "tune.replications", &visit);
    ds_study_count(l, n, "tune.confirm", &confirm);
    out->tune.runs = (uint32_t)(runs < 10000000 ? runs : 10000000);
    out->tune.start = (uint32_t)start;
    out->tune.replications = (uint32_t)visit;
    out->tune.confirm = (uint32_t)confirm;
}

/* Study files: what they mean, how they print and load again. */
#include "tests/scenario/study.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fine(const char *text, struct ds_study *out)
{
    struct ds_diagnostics d = {0};
    enum dc_status status = load(text, NULL, 0, out, &d);
    if (status != DC_OK) {
        struct dc_text said = {0};
        ds_diagnostics_print(&d, &said);
        printf("\n%s%s", said.data, text);
        dc_text_free(&said);
    }
    CU_ASSERT_EQUAL_FATAL(status, DC_OK);
    ds_diagnostics_free(&d);
}

static void file_load(const char *path, struct ds_study *out)
{
    struct ds_diagnostics d = {0};
    CU_ASSERT_EQUAL_FATAL(ds_study_load(path, NULL, 0, out, &d), DC_OK);
    ds_diagnostics_free(&d);
}

/* Two studies that are to be the same in all that a command uses. */
static void same(const struct ds_study *a, const struct ds_study *b)
{
    CU_ASSERT_STRING_EQUAL(a->resolved.data, b->resolved.data);
    CU_ASSERT_EQUAL_FATAL(a->points, b->points);
    CU_ASSERT_EQUAL_FATAL(a->parameters, b->parameters);
    for (size_t i = 0; i < a->points; i++) {
        CU_ASSERT_EQUAL_FATAL(a->point[i].overrides, b->point[i].overrides);
        for (size_t n = 0; n < a->point[i].overrides; n++)
            CU_ASSERT_STRING_EQUAL(a->point[i].override[n], b->point[i].override[n]);
        CU_ASSERT(memcmp(a->point[i].x, b->point[i].x, a->parameters * sizeof(double)) == 0);
    }
    CU_ASSERT_EQUAL(a->metrics, b->metrics);
    CU_ASSERT_EQUAL(a->objectives, b->objectives);
    CU_ASSERT_EQUAL_FATAL(a->constraints, b->constraints);
    for (size_t i = 0; i < a->constraints; i++)
        CU_ASSERT(a->constraint[i].value == b->constraint[i].value &&
                  a->constraint[i].op == b->constraint[i].op);
    CU_ASSERT(memcmp(&a->tune, &b->tune, sizeof a->tune) == 0);
}

static void test_small(void)
{
    struct ds_study s;
    file_load(DESTRA_SOURCE "/scenarios/studies/small.yaml", &s);
    CU_ASSERT_STRING_EQUAL(s.name, "small");
    CU_ASSERT(strncmp(s.title, "Four points", 11) == 0);
    CU_ASSERT_EQUAL(s.points, 4);
    CU_ASSERT_EQUAL(ds_study_runs(&s), 8);
    CU_ASSERT_EQUAL(s.seed, 1);
    CU_ASSERT_EQUAL(s.design, DA_GRID);
    CU_ASSERT_EQUAL_FATAL(s.point[2].overrides, 5);
    CU_ASSERT_STRING_EQUAL(s.point[2].override[0], "duration=2 epochs");
    CU_ASSERT_STRING_EQUAL(s.point[2].override[3], "protocol.theta=0.4");
    CU_ASSERT_STRING_EQUAL(s.point[2].override[4], "protocol.audit=0.05");
    CU_ASSERT(s.point[2].x[0] == 0.4 && s.point[2].x[1] == 0.05);
    CU_ASSERT_STRING_EQUAL(s.parameter[0].label, "theta");
    CU_ASSERT_STRING_EQUAL(s.parameter[0].unit, "1");
    CU_ASSERT(s.parameter[0].lo == 0.1 && s.parameter[0].hi == 0.4 && !s.parameter[0].words);
    CU_ASSERT_EQUAL(s.metrics, 0);
    ds_study_free(&s);
}

static const char *override_of(const struct ds_study *s, size_t point, const char *path)
{
    const char *found = NULL;
    for (size_t n = 0; n < s->point[point].overrides; n++)
        if (strncmp(s->point[point].override[n], path, strlen(path)) == 0 &&
            s->point[point].override[n][strlen(path)] == '=')
            found = s->point[point].override[n] + strlen(path) + 1;
    return found;
}

static void test_full(void)
{
    struct ds_study s, again;
    file_load(DESTRA_SOURCE "/tests/study/full.yaml", &s);
    CU_ASSERT_EQUAL(s.points, 4 * (8 + 2));
    CU_ASSERT_EQUAL(s.base, 4);
    CU_ASSERT_EQUAL_FATAL(s.parameters, 8);
    CU_ASSERT_STRING_EQUAL(s.parameter[2].unit, "DSYNC");
    CU_ASSERT_STRING_EQUAL(s.parameter[5].unit, "1"); /* epochs */
    CU_ASSERT_STRING_EQUAL(s.parameter[6].unit, "s");
    CU_ASSERT(s.parameter[6].lo == 0.0005 && s.parameter[6].hi == 0.002);
    CU_ASSERT(s.parameter[3].words && s.parameter[3].words_count == 3 && s.parameter[3].hi == 2);
    CU_ASSERT_STRING_EQUAL(s.parameter[3].word[1], "some");
    CU_ASSERT_EQUAL(s.replications.least, 3);
    CU_ASSERT(s.replications.half_width == 0.05 && s.replications.confidence == 0.9);
    CU_ASSERT_STRING_EQUAL(s.replications.metric, "loss");
    CU_ASSERT(s.constraint[0].value == -1 && s.constraint[0].op == DA_LE);
    CU_ASSERT(s.constraint[2].value == 1 && s.constraint[2].op == DA_EQ);
    CU_ASSERT(s.constraint[3].value == 5 && s.constraint[3].confidence == 0.99);
    CU_ASSERT(s.objective[1].maximise && !s.objective[0].maximise);
    CU_ASSERT_EQUAL(s.metrics, 8); /* three, and five that are needed */
    CU_ASSERT(s.rare.given && s.rare.levels == 3 && s.rare.level[2] == 5 && s.rare.roots == 50);
    double log_sum = 0;
    for (size_t i = 0; i < s.points; i++) {
        const double *x = s.point[i].x;
        CU_ASSERT(x[4] == floor(x[4]) && x[4] >= 10 && x[4] <= 20);
        CU_ASSERT(strstr(override_of(&s, i, "duration"), " epochs") != NULL);
        CU_ASSERT_STRING_EQUAL(override_of(&s, i, "nodes.val.bond"),
                               override_of(&s, i, "nodes.sto.bond"));
        log_sum += log10(x[1]);
        /* Every x is what its text says: the scenario reads the same. */
        struct ds_scenario scenario;
        struct ds_diagnostics d = {0};
        CU_ASSERT_EQUAL_FATAL(
            ds_scenario_load(s.scenario, s.point[i].override, s.point[i].overrides, &scenario, &d),
            DC_OK);
        CU_ASSERT(fabs(dc_q31_to_double(scenario.protocol.theta) - x[0]) < 1e-9);
        CU_ASSERT(fabs(dc_q31_to_double(scenario.protocol.audit) - x[1]) < 1e-9);
        CU_ASSERT_EQUAL(scenario.groups[0].bond.args[0], round(x[2] * 1e9));
        CU_ASSERT_EQUAL(scenario.groups[1].mix_count, x[3] == 0 ? 1 : 2);
        CU_ASSERT_EQUAL(scenario.groups[1].count, x[4]);
        CU_ASSERT_EQUAL(scenario.duration_epochs, x[5]);
        CU_ASSERT_EQUAL(scenario.network.host_delay_ns, round(x[6] * 1e9));
        CU_ASSERT_EQUAL(scenario.protocol.epoch_blocks, 20);
        ds_scenario_free(&scenario);
    }
    CU_ASSERT(fabs(log_sum / (double)s.points + 2) < 0.5); /* 0.001 to 0.1, by logarithm */
    struct ds_diagnostics d = {0};
    struct ds_source source = {.name = "again",
                               .text = s.resolved.data,
                               .size = s.resolved.size,
                               .folder = DESTRA_SOURCE "/tests/study"};
    CU_ASSERT_EQUAL_FATAL(ds_study_load_text(&source, NULL, 0, &again, &d), DC_OK);
    same(&s, &again);
    ds_study_free(&s);
    ds_study_free(&again);
}

/* Every kind of design prints, loads again, and has its points. */
static void test_designs(void)
{
    static const struct {
        const char *design;
        size_t points;
    } cases[] = {
        {"", 64},
        {"design: {kind: grid, levels: 3}\n", 6},
        {"design: {kind: lhs, points: 10}\n", 10},
        {"design: sobol\n", 64},
        {"design: {kind: sobol, points: 8, seed: 4}\n", 8},
        {"design: {points: 8}\n", 8},
        {"design: saltelli\n", 256},
        {"design: {kind: saltelli, base: 3}\n", 12},
        {"design: morris\n", 30},
        {"design: {kind: morris, base: 2, levels: 6}\n", 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 HEAD "parameters:\n  - {path: protocol.theta, range: [0.1, 0.5]}\n"
                      "  - {path: protocol.k, values: [8, 16]}\n%sreplications: 2\n",
                 cases[i].design);
        struct ds_study s, again;
        fine(text, &s);
        CU_ASSERT_EQUAL(s.points, cases[i].points);
        CU_ASSERT_EQUAL(s.tune.start, 6);
        CU_ASSERT_EQUAL(s.tune.runs, cases[i].points * 2 / 4 > 40 ? cases[i].points * 2 / 4 : 40);
        fine(s.resolved.data, &again);
        same(&s, &again);
        if (i == 1) /* both ends of the range */
            CU_ASSERT(s.point[0].x[0] == 0.1 && s.point[2].x[0] == 0.3 && s.point[5].x[0] == 0.5);
        ds_study_free(&s);
        ds_study_free(&again);
    }
}

static void test_units(void)
{
    struct ds_study s;
    fine(HEAD "parameters:\n"
              "  - {path: nodes.sto.capacity, values: [1 TiB, 500 GB]}\n"
              "  - {path: network.bandwidth.up, values: [10 Mbit, unlimited]}\n"
              "  - {path: nodes.sto.strategy.ghost, range: [5 %, 20 %]}\n"
              "  - {path: nodes.cli.demand.arrivals, values: [poisson(1 /s), poisson(2 /s)]}\n"
              "  - {path: protocol.difficulty, values: [history, uniform], names: [old, new]}\n"
              "design: {kind: lhs, points: 4}\n",
         &s);
    CU_ASSERT_STRING_EQUAL(s.parameter[0].unit, "By");
    CU_ASSERT(s.parameter[0].lo == 500e9 && s.parameter[0].hi == 1099511627776.0);
    CU_ASSERT(s.parameter[1].words); /* `unlimited` is no number */
    CU_ASSERT(!s.parameter[2].words && s.parameter[2].lo == 0.05);
    CU_ASSERT_STRING_EQUAL(s.parameter[2].label, "ghost");
    CU_ASSERT(s.parameter[3].words && s.parameter[4].words);
    CU_ASSERT_STRING_EQUAL(s.parameter[4].word[0], "old");
    CU_ASSERT_STRING_EQUAL(s.parameter[4].unit, "");
    ds_study_free(&s);
}

/* Labels that would be the same grow; dots in brackets part nothing. */
static void test_labels(void)
{
    struct ds_study s, again;
    fine(HEAD "parameters:\n"
              "  - {path: nodes.sto.count, values: [3]}\n"
              "  - {path: nodes.cli.count, values: [3]}\n"
              "  - {path: 'nodes.sto.strategy[''partial(0.3)'']', range: [0.1, 0.2]}\n"
              "  - {path: protocol.theta, values: [0.1], label: a b}\n",
         &s);
    CU_ASSERT_STRING_EQUAL(s.parameter[0].label, "sto.count");
    CU_ASSERT_STRING_EQUAL(s.parameter[1].label, "cli.count");
    CU_ASSERT_STRING_EQUAL(s.parameter[2].label, "strategy['partial(0.3)']");
    CU_ASSERT_STRING_EQUAL(s.parameter[3].label, "a b");
    CU_ASSERT(strncmp(override_of(&s, 9, "nodes.sto.strategy['partial(0.3)']"), "0.1", 3) == 0);
    fine(s.resolved.data, &again);
    same(&s, &again);
    ds_study_free(&s);
    ds_study_free(&again);
}

static void test_warmup(void)
{
    struct ds_study s, again;
    fine(HEAD "set: {protocol.upgrade.epoch: 2}\nwarmup: {}\nparameters:\n"
              "  - {path: protocol.upgrade.theta, values: [0.1, 0.3]}\n",
         &s);
    CU_ASSERT(s.warmup.given && s.warmup.share);
    fine(s.resolved.data, &again);
    CU_ASSERT(again.warmup.given && again.warmup.share);
    same(&s, &again);
    ds_study_free(&s);
    ds_study_free(&again);
    fine(HEAD "rare: {metric: epochs, levels: [2]}\nreplications: 1\n", &s);
    CU_ASSERT(s.points == 1 && s.parameters == 0 && s.rare.split == 4 && s.rare.roots == 100);
    fine(s.resolved.data, &again);
    same(&s, &again);
    ds_study_free(&s);
    ds_study_free(&again);
}

static void test_any_setting(void)
{
    struct ds_study s;
    struct dc_arena arena = {0};
    fine(HEAD "set: {protocol: {epoch_blocks: 20, verifiers: 2}, nodes: {val: {count: 5}}}\n"
              "parameters:\n"
              "  - {path: protocol.audit, range: [0.1 %, 10 %], scale: log}\n"
              "  - {paths: [nodes.sto.count, nodes.cli.count], range: [3, 9]}\n"
              "  - {path: protocol.k, values: [8, 32, 16]}\n"
              "  - {path: protocol.trigger, values: [observed, forecast]}\n"
              "  - {path: max_time, range: [1 min, 1 h]}\n",
         &s);
    double x[] = {0.01234567891234, 6.6, 20, 0.7, 90.00000000049};
    size_t count = 0;
    const char **o = ds_study_overrides(&s, x, &count, &arena);
    static const char *const wanted[] = {"protocol.epoch_blocks=20",
                                         "protocol.verifiers=2",
                                         "nodes.val.count=5",
                                         "protocol.audit=0.0123456789",
                                         "nodes.sto.count=7",
                                         "nodes.cli.count=7",
                                         "protocol.k=16",
                                         "protocol.trigger=forecast",
                                         "max_time=90 s"};
    CU_ASSERT_EQUAL_FATAL(count, 9);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_STRING_EQUAL(o[i], wanted[i]);
    CU_ASSERT(ds_study_snap(&s, 1, 6.6) == 7 && ds_study_snap(&s, 1, -4) == 3);
    CU_ASSERT(ds_study_snap(&s, 1, 99) == 9 && ds_study_snap(&s, 1, NAN) == 3);
    CU_ASSERT(ds_study_snap(&s, 2, 1e9) == 32 && ds_study_snap(&s, 3, 0.7) == 1);
    CU_ASSERT(fabs(ds_study_at(&s, 0, 0.5) - 0.01) < 1e-9); /* the middle of a log range */
    CU_ASSERT(ds_study_at(&s, 0, 0) == 0.001 && ds_study_at(&s, 0, 1) == 0.1);
    CU_ASSERT(ds_study_at(&s, 2, 0.4) == 32 && ds_study_at(&s, 2, 1) == 16);
    /* What was snapped stays. */
    for (size_t j = 0; j < s.parameters; j++)
        for (int i = 0; i <= 100; i++) {
            double at = ds_study_at(&s, j, i / 100.0);
            CU_ASSERT(ds_study_snap(&s, j, at) == at);
        }
    dc_arena_free(&arena);
    ds_study_free(&s);
}

static void test_overrides(void)
{
    static const char *const set[] = {"replications=3", "design.points=16", "set.duration=5 epochs",
                                      "parameters['protocol.theta'].range=[0.2, 0.3]", "seed=9"};
    struct ds_study s;
    struct ds_diagnostics d = {0};
    CU_ASSERT_EQUAL_FATAL(
        load(HEAD "parameters: [{path: protocol.theta, range: [0.1, 0.2]}]\ndesign: lhs\n", set, 5,
             &s, &d),
        DC_OK);
    CU_ASSERT_EQUAL(s.points, 16);
    CU_ASSERT_EQUAL(s.design, DA_LHS);
    CU_ASSERT_EQUAL(s.replications.most, 3);
    CU_ASSERT(s.seed == 9 && s.parameter[0].lo == 0.2);
    CU_ASSERT_STRING_EQUAL(s.point[7].override[0], "duration=5 epochs");
    ds_study_free(&s);
    static const char *const wrong[] = {"replicatons=3"};
    CU_ASSERT_EQUAL(load(HEAD THETA, wrong, 1, &s, &d), DC_ERR_USAGE);
    CU_ASSERT_FATAL(d.count == 1);
    CU_ASSERT_STRING_EQUAL(d.items[0].file, "--set replicatons=3");
    CU_ASSERT(strstr(d.items[0].message, "did you mean `replications`?") != NULL);
    ds_study_free(&s);
    ds_diagnostics_free(&d);
}

static void test_file(void)
{
    struct ds_study s;
    struct ds_diagnostics d = {0};
    CU_ASSERT_EQUAL(ds_study_load("/nonexistent/s.yaml", NULL, 0, &s, &d), DC_ERR_IO);
    CU_ASSERT(d.count == 1 && strstr(d.items[0].message, "cannot read the study") != NULL);
    ds_study_free(&s);
    ds_diagnostics_free(&d);
    CU_ASSERT(ds_study_is(DESTRA_SOURCE "/scenarios/studies/small.yaml"));
    CU_ASSERT(!ds_study_is(DESTRA_SOURCE "/scenarios/smoke.yaml"));
    CU_ASSERT(!ds_study_is("/nonexistent/s.yaml"));
    CU_ASSERT(!ds_study_is(DESTRA_SOURCE "/README.md"));
}

/* ---- editors --------------------------------------------------------------------------------- */

static void test_reference(void)
{
    struct dc_text page = {0}, text = {0};
    FILE *f = fopen(DESTRA_SOURCE "/scenarios/README.md", "rb");
    CU_ASSERT_FATAL(f != NULL);
    char buffer[4096];
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;)
        dc_text_put(&page, buffer, n);
    fclose(f);
    ds_study_reference(&text);
    if (strstr(page.data, text.data) == NULL)
        printf("\n  scenarios/README.md: replace the table of studies by the output of "
               "`destrasim schema --study --markdown`\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(page.data, text.data));
    dc_text_free(&page);
    dc_text_free(&text);
}

static void test_schema(void)
{
    struct dc_text text = {0};
    struct dc_error error = {0};
    ds_study_schema(&text);
    struct json *root = json_parse(text.data);
    CU_ASSERT_FATAL(root != NULL);
    const struct json *p = json_get(root, "properties");
    const struct json *item = json_get(json_get(json_get(p, "parameters"), "items"), "properties");
    CU_ASSERT(json_get(p, "scenario") != NULL && json_get(item, "range") != NULL);
    const struct json *design = json_first(json_get(json_get(p, "design"), "anyOf"));
    CU_ASSERT(json_has_text(json_get(json_get(json_get(design, "properties"), "kind"), "enum"),
                            "saltelli"));
    json_free(root);
    dc_text_free(&text);
    CU_ASSERT_EQUAL(ds_study_explain("study.design.points", &text, &error), DC_OK);
    CU_ASSERT(strstr(text.data, "1 to 1000000") != NULL);
    dc_text_free(&text);
    CU_ASSERT_EQUAL(ds_study_explain("study.desing", &text, &error), DC_ERR_USAGE);
    CU_ASSERT(strstr(error.text, "did you mean `study.design`?") != NULL);
    dc_text_free(&text);
}

/* Memory may run out at any request. */
static void test_memory(void)
{
    struct ds_study s;
    uint64_t n = 0;
    enum dc_status status = DC_ERR_IO;
    for (; n < 5000 && status != DC_OK; n++) {
        struct ds_diagnostics d = {0};
        dc_mem_budget(n);
        status = load(HEAD "set: {protocol.k: 9}\n" THETA "metrics: [loss]\n", NULL, 0, &s, &d);
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT_FATAL(status == DC_OK || (status == DC_ERR_IO && d.failed));
        ds_study_free(&s);
        ds_diagnostics_free(&d);
    }
    CU_ASSERT(n > 20 && status == DC_OK);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a small study", test_small},
        {"everything", test_full},
        {"designs", test_designs},
        {"units", test_units},
        {"labels", test_labels},
        {"warm-up and rare events", test_warmup},
        {"any setting", test_any_setting},
        {"overrides", test_overrides},
        {"files", test_file},
        {"the reference is up to date", test_reference},
        {"schema and explain", test_schema},
        {"out of memory", test_memory},
    };
    return TEST_MAIN("studies", cases);
}

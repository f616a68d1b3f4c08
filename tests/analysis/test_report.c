/* Reports of invented results: figures say what the data say, and what has no data is left out. */
#include "analysis/report.h"
#include "analysis/report_run.h"
#include "analysis/report_study.h"

#include "tests/record/synthetic.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- a run ----------------------------------------------------------------------------------- */

static const struct synthetic small = {.nodes = 12,
                                       .epochs = 3,
                                       .blocks = 20,
                                       .challenges = 30,
                                       .events = 0,
                                       .scenario = SCENARIO_TEXT,
                                       .build = "gcc 12",
                                       .seed = 7,
                                       .touch_table = -1,
                                       .complete = true};

static const struct da_figure *find(const struct da_report *r, const char *id)
{
    for (size_t i = 0; i < da_report_figures(r); i++)
        if (strcmp(da_report_figure(r, i)->id, id) == 0)
            return da_report_figure(r, i);
    return NULL;
}

static struct da_file *written(uint64_t tables_off)
{
    char path[64];
    struct synthetic s = small;
    struct dc_error error = {0};
    struct da_file *f = NULL;
    snprintf(path, sizeof path, "/tmp/destra-report-%d.h5", (int)getpid());
    s.path = path;
    s.tables_off = tables_off;
    CU_ASSERT_EQUAL_FATAL(synthetic_write(&s, NULL, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(da_file_open(path, &f, &error), DC_OK);
    unlink(path);
    return f;
}

static void page_of(struct da_report *r, struct dc_text *out)
{
    struct da_page page;
    da_report_page(r, "T", NULL, "F", &page);
    da_page_html(&page, out);
    CU_ASSERT_FALSE_FATAL(out->failed);
}

/* What the page says of the time to finality, by hand. */
static const char *steady_text(struct da_file *f, char out[64])
{
    struct da_array from = da_file_array(f, "/blocks/proposed");
    struct da_array to = da_file_array(f, "/blocks/committed_median");
    double latency[64];
    size_t n = 0;
    for (size_t i = 0; i < from.count && i < 64; i++)
        if (!isnan(from.value[i]) && !isnan(to.value[i]))
            latency[n++] = to.value[i] - from.value[i];
    snprintf(out, 64, "Of %zu final blocks the first %zu are left out", n, da_mser5(latency, n));
    return out;
}

static void test_run(void)
{
    struct da_file *f = written(0);
    struct da_report *r = da_report_new();
    struct da_claim claim[] = {{"safety", true, 1}, {"a < 2", false, 3}};
    struct da_report_run run = {.name = "x.h5", .file = f, .claim = claim, .claims = 2};
    struct dc_text html = {0}, again = {0};
    char text[64];
    da_report_run(r, &run, "");
    const struct da_figure *blocks = find(r, "blocks"), *faults = find(r, "faults");
    CU_ASSERT_PTR_NOT_NULL_FATAL(blocks);
    CU_ASSERT_EQUAL(blocks->series[0].count, 3);
    CU_ASSERT_DOUBLE_EQUAL(blocks->series[0].y[1], da_file_array(f, "/epochs/blocks").value[1] / 60,
                           1e-9);
    CU_ASSERT_PTR_NOT_NULL_FATAL(faults);
    CU_ASSERT_EQUAL(faults->series[0].mark, DA_MARK_SPANS);
    page_of(r, &html);
    CU_ASSERT_PTR_NOT_NULL(strstr(html.data, "1 of 2 expectations held"));
    CU_ASSERT_PTR_NOT_NULL(strstr(html.data, "destrasim verify x.h5"));
    CU_ASSERT_PTR_NOT_NULL(strstr(html.data, "run synthetic.yaml --seed 7"));
    CU_ASSERT_PTR_NOT_NULL(strstr(html.data, "Time to finality in the steady state"));
    CU_ASSERT_PTR_NOT_NULL(strstr(html.data, steady_text(f, text)));
    da_report_free(r);
    r = da_report_new();
    da_report_run(r, &run, "");
    page_of(r, &again);
    CU_ASSERT_TRUE(html.size == again.size && memcmp(html.data, again.data, html.size) == 0);
    dc_text_free(&html);
    dc_text_free(&again);
    da_report_free(r);
    da_report_free(NULL);
    da_file_close(f);
}

/* Tables that a scenario does not record: their figures are not there, others are. */
static void test_absent(void)
{
    struct da_file *f = written(1u << DS_TABLE_NODE_EPOCH | 1u << DS_TABLE_CHALLENGES |
                                1u << DS_TABLE_FAULTS | 1u << DS_TABLE_TRAFFIC);
    struct da_report *r = da_report_new();
    struct da_report_run run = {.name = "x.h5", .file = f};
    da_report_run(r, &run, "f1");
    static const char *const none[] = {"f1-survival", "f1-utilisation-score", "f1-why",
                                       "f1-roc",      "f1-precision",         "f1-faults",
                                       "f1-traffic"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        CU_ASSERT_PTR_NULL(find(r, none[i]));
    CU_ASSERT_PTR_NOT_NULL(find(r, "f1-finality"));
    struct dc_text html = {0};
    page_of(r, &html);
    CU_ASSERT_PTR_NULL(strstr(html.data, ">x.h5: Faults<"));
    dc_text_free(&html);
    da_report_free(r);
    da_file_close(f);
}

static void test_compare(void)
{
    struct da_file *a = written(0), *b = written(0);
    struct da_report *r = da_report_new();
    struct da_report_run run[] = {{.name = "a.h5", .file = a}, {.name = "b.h5", .file = b}};
    da_report_compare(r, run, 2);
    const struct da_figure *f = find(r, "compare-challenges");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(f->count, 2);
    CU_ASSERT_STRING_EQUAL(f->series[1].name, "b.h5");
    da_report_free(r);
    da_file_close(a);
    da_file_close(b);
}

static void test_numbers(void)
{
    static const struct {
        double value;
        const char *unit, *text;
    } all[] = {{1234567, "1", "1,234,567"},
               {0.01234, "1", "0.0123"},
               {NAN, "s", "-"},
               {372, "s", "6 min 12 s"},
               {0.85, "s", "850 ms"},
               {1536, "By", "1.5 KiB"},
               {12, "DSYNC", "12 DSYNC"},
               {-1234, NULL, "-1,234"},
               {1e-7, "1", "1.00e-07"},
               {0, "s", "0 s"},
               {999, "1", "999"},
               {1e30, "1", "1e+30"}};
    struct da_report *r = da_report_new();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        CU_ASSERT_STRING_EQUAL(da_report_value(r, all[i].value, all[i].unit), all[i].text);
    CU_ASSERT_STRING_EQUAL(da_report_percent(r, 0.034), "3.4 %");
    da_report_free(r);
}

/* ---- a study --------------------------------------------------------------------------------- */

enum { THETAS = 4, AUDITS = 3, POINTS = THETAS * AUDITS, RUNS = 5, METRICS = 4 };

/* Loss is (theta - 0.2)^2 + audit + noise of the replication: the best theta is 0.2 everywhere. */
static struct da_study invented(void)
{
    static const struct da_parameter parameter[] = {
        {.path = "protocol.theta", .label = "theta", .unit = "1", .lo = 0.1, .hi = 0.4},
        {.path = "protocol.audit", .label = "audit", .unit = "1", .lo = 0, .hi = 0.2}};
    static const struct da_metric metric[] = {{"loss", "%", "what is lost"},
                                              {"challenge_bytes_share", "1", "share of bytes"},
                                              {"detect_20", "1", "share caught"},
                                              {"false_fail_rate", "1", "share wronged"}};
    static const struct da_objective objective[] = {{"loss", false}};
    static const struct da_failure failure[] = {{3, 1, "killed"}};
    struct da_study s = {.name = "invented",
                         .text = "name: invented\n",
                         .scenario = "name: x\n",
                         .design = DA_GRID,
                         .parameter = parameter,
                         .parameters = 2,
                         .metric = metric,
                         .metrics = METRICS,
                         .points = POINTS,
                         .replications = RUNS,
                         .failure = failure,
                         .failures = 1,
                         .objective = objective,
                         .objectives = 1};
    s.seed = dc_arena_alloc(&s.arena, RUNS * sizeof *s.seed);
    s.x = dc_arena_alloc(&s.arena, POINTS * 2 * sizeof *s.x);
    s.status = dc_arena_alloc(&s.arena, POINTS * RUNS);
    s.value = dc_arena_alloc(&s.arena, (size_t)POINTS * RUNS * METRICS * sizeof *s.value);
    for (size_t p = 0; p < POINTS; p++) {
        double theta = 0.1 * (double)(1 + p / AUDITS), audit = 0.1 * (double)(p % AUDITS);
        s.x[2 * p] = theta;
        s.x[2 * p + 1] = audit;
        for (size_t r = 0; r < RUNS; r++) {
            double noise = 0.001 * (double)((p * 7 + r * 13) % 5), *v;
            s.seed[r] = r + 1;
            s.status[p * RUNS + r] = DA_RUN_DONE;
            v = &s.value[(p * RUNS + r) * METRICS];
            v[0] = (theta - 0.2) * (theta - 0.2) + audit + noise + 0.01 * (double)r;
            v[1] = theta / 10 + noise;
            v[2] = theta + noise;
            v[3] = theta / 100 + noise / 100;
        }
    }
    s.status[3 * RUNS + 1] = DA_RUN_FAILED;
    return s;
}

/* What is not of the protocol is a world to choose for: each has its best points. */
static void test_worlds(void)
{
    static const char *const word[] = {"few", "some", "many"};
    static const struct da_parameter parameter[] = {
        {.path = "protocol.theta", .label = "theta", .unit = "1", .lo = 0.1, .hi = 0.4},
        {.path = "nodes.sto.strategy",
         .label = "cheats",
         .unit = "",
         .words = true,
         .word = word,
         .words_count = AUDITS}};
    struct da_study s = invented();
    s.parameter = parameter;
    for (size_t p = 0; p < POINTS; p++)
        s.x[2 * p + 1] = (double)(p % AUDITS);
    struct da_report *r = da_report_new();
    struct dc_text html = {0};
    da_report_study(r, &s, "study.h5", "");
    page_of(r, &html);
    CU_ASSERT_PTR_NOT_NULL(strstr(html.data, "for each world"));
    for (size_t i = 0; i < AUDITS; i++) { /* theta 0.2 is best in all of them */
        char setting[40];
        snprintf(setting, sizeof setting, ">theta=0.2, cheats=%s<", word[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(html.data, setting));
    }
    const struct da_figure *f = find(r, "optimum-cheats");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_STRING_EQUAL(f->x.category[1], "some");
    dc_text_free(&html);
    da_report_free(r);
    da_study_free(&s);
}

/* No interval goes where no value can be. */
static void test_possible(void)
{
    struct da_study s = invented();
    for (size_t i = 0; i < (size_t)POINTS * RUNS; i++) {
        s.value[i * METRICS] = i % RUNS == 0 ? 1 : 0;     /* loss */
        s.value[i * METRICS + 2] = i % RUNS == 0 ? 0 : 1; /* detect_20, a share */
    }
    struct da_report *r = da_report_new();
    da_report_study(r, &s, "study.h5", "");
    const struct da_figure *loss = find(r, "curve-loss-theta");
    const struct da_figure *caught = find(r, "curve-detect-20-theta");
    CU_ASSERT_PTR_NOT_NULL_FATAL(loss);
    CU_ASSERT_PTR_NOT_NULL_FATAL(caught);
    CU_ASSERT(loss->series[0].lo[0] == 0 && loss->series[0].hi[0] > 0.2);
    CU_ASSERT(caught->series[0].hi[0] == 1 && caught->series[0].lo[0] < 0.8);
    da_report_free(r);
    da_study_free(&s);
}

static void test_study(void)
{
    struct da_study s = invented();
    struct da_report *r = da_report_new();
    da_report_study(r, &s, "study.h5", "");
    static const char *const there[] = {"curve-loss-theta",
                                        "curve-loss-audit",
                                        "theta-trade-off",
                                        "optimum-audit",
                                        "sensitivity-loss",
                                        "heat-loss",
                                        "paired-loss",
                                        "pareto-challenge-bytes-share-loss",
                                        "roc"};
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(find(r, there[i]));
    const struct da_figure *f = find(r, "curve-loss-theta");
    CU_ASSERT_EQUAL(f->count, AUDITS); /* a line per audit */
    CU_ASSERT_EQUAL(f->series[0].count, THETAS);
    /* audit 0, theta 0.1: 0.01 + mean of noise (0, 3, 1, 4, 2) / 1000 + mean of r / 100 */
    CU_ASSERT_DOUBLE_EQUAL(f->series[0].y[0], 0.01 + 0.002 + 0.02, 1e-12);
    CU_ASSERT_TRUE(f->series[0].lo[0] < f->series[0].y[0]);
    f = find(r, "optimum-audit");
    for (size_t i = 0; i < AUDITS; i++)
        CU_ASSERT_DOUBLE_EQUAL(f->series[0].y[i], 0.2, 1e-12);
    f = find(r, "sensitivity-loss");
    CU_ASSERT_TRUE(f->series[0].y[1] > 0.8 && f->series[0].y[0] < 0.2);
    CU_ASSERT_EQUAL(find(r, "heat-loss")->series[0].count, POINTS);
    f = find(r, "heat-loss"); /* a box for each level, the greatest on top */
    CU_ASSERT_STRING_EQUAL(f->x.category[2], "0.3");
    CU_ASSERT_STRING_EQUAL(f->y.category[0], "0.2");
    CU_ASSERT_EQUAL(find(r, "paired-loss")->series[0].count, POINTS - 1);
    struct dc_text html = {0};
    page_of(r, &html);
    CU_ASSERT_PTR_NOT_NULL(strstr(html.data, "killed"));
    CU_ASSERT_PTR_NOT_NULL(strstr(html.data, "12 points, at most 5 replications"));
    CU_ASSERT_PTR_NOT_NULL(strstr(html.data, "Hypervolume of the front, up to "));
    dc_text_free(&html);
    da_report_free(r);
    da_study_free(&s);
}

/* Every run failed: the page says so and shows no figure. */
static void test_study_without_data(void)
{
    struct da_study s = invented();
    struct da_report *r = da_report_new();
    memset(s.status, DA_RUN_FAILED, POINTS * RUNS);
    da_report_study(r, &s, "study.h5", "");
    CU_ASSERT_EQUAL(da_report_figures(r), 0);
    struct dc_text html = {0};
    page_of(r, &html);
    CU_ASSERT_PTR_NOT_NULL(strstr(html.data, "runs that failed (no data)"));
    dc_text_free(&html);
    da_report_free(r);
    da_study_free(&s);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"run", test_run},         {"absent", test_absent},
        {"compare", test_compare}, {"numbers", test_numbers},
        {"study", test_study},     {"study without data", test_study_without_data},
        {"worlds", test_worlds},   {"possible intervals", test_possible}};
    return TEST_MAIN("analysis/report", cases);
}

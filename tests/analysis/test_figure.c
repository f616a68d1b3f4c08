/* Figures: numbers, texts, ticks, and the four forms.
 *
 *     test_figure         the cases
 *     test_figure DIR     writes every figure of figures.h in each form, for forms.py, in the locale
 *                         of the environment */
#include "analysis/figure_parts.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "tests/analysis/figures.h"
#include "tests/support/harness.h"

#include <float.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void forms(const struct da_figure *f, size_t form, struct dc_text *out)
{
    switch (form) {
    case 0: da_figure_svg(f, out); break;
    case 1: da_figure_csv(f, out); break;
    case 2: da_figure_gnuplot(f, "svg", "out.svg", out); break;
    default: (void)da_figure_chart(f, out); break;
    }
}

static const char *const ending[] = {"svg", "csv", "gp", "json"};

static void write_forms(const char *folder)
{
    for (size_t i = 0; i < FIGURES; i++)
        for (size_t form = 0; form < 4; form++) {
            struct dc_text out = {0};
            char path[512];
            forms(&test_figures()[i], form, &out);
            snprintf(path, sizeof path, "%s/%s.%s", folder, figures[i].id, ending[form]);
            FILE *file = out.size != 0 ? fopen(path, "w") : NULL;
            if (file != NULL && (fwrite(out.data, 1, out.size, file) != out.size || fclose(file)))
                exit(1);
            dc_text_free(&out);
        }
}

static void test_numbers(void)
{
    static const struct {
        double value;
        const char *text;
    } at[] = {{0, "0"},       {-0.0, "0"},           {1, "1"},
              {-2.5, "-2.5"}, {1.0 / 3, "0.333333"}, {1234567, "1.23457e6"},
              {1e-7, "1e-7"}, {-1e300, "-1e300"},    {5e-324, "4.94066e-324"},
              {NAN, ""},      {INFINITY, "inf"},     {-INFINITY, "-inf"}};
    for (size_t i = 0; i < COUNT(at); i++) {
        struct dc_text out = {0};
        dc_text_add(&out, "");
        da_text_number(&out, at[i].value);
        CU_ASSERT_STRING_EQUAL(out.data, at[i].text);
        dc_text_free(&out);
    }
    char text[32];
    da_number_format(text, sizeof text, "-0,50", 0); /* as a locale would write it */
    CU_ASSERT_STRING_EQUAL(text, "-0.50");
    da_number_format(text, sizeof text,
                     "1\xd9\xab"
                     "5e+07",
                     0);
    CU_ASSERT_STRING_EQUAL(text, "1.5e7");
    da_number_format(text, sizeof text, "%.2f", -0.001);
    CU_ASSERT_STRING_EQUAL(text, "0.00");
}

static void test_texts(void)
{
    static const struct {
        const char *raw, *xml, *json, *csv;
    } at[] = {{"plain", "plain", "\"plain\"", "plain"},
              {"<a href=\"x\">&'", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;",
               "\"\\u003ca href=\\u0022x\\u0022\\u003e\\u0026\\u0027\"",
               "\"<a href=\"\"x\"\">&'\""},
              {"]]></script>", "]]&gt;&lt;/script&gt;", "\"]]\\u003e\\u003c/script\\u003e\"",
               "]]></script>"},
              {"a,b\n", "a,b\n", "\"a,b\\u000a\"", "\"a,b\n\""},
              {"\x01\x7f", "\xef\xbf\xbd\xef\xbf\xbd", "\"\\u0001\\u007f\"", "\x01\x7f"},
              {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
               "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
              /* an overlong <, half a character, a surrogate, U+FFFF, U+0085 */
              {"\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd", "\"\\ufffd\\ufffd\"", "\xc0\xbc"},
              {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd", "\"\\ufffd\\ufffd\"", "\xe2\x82"},
              {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "\"\\ufffd\\ufffd\\ufffd\"",
               "\xed\xa0\x80"},
              {"\xc2\x85", "\xef\xbf\xbd", "\"\xc2\x85\"", "\xc2\x85"}};
    for (size_t i = 0; i < COUNT(at); i++) {
        struct dc_text out[3] = {{0}, {0}, {0}};
        da_text_escape(&out[0], at[i].raw);
        da_text_json(&out[1], at[i].raw);
        da_text_csv(&out[2], at[i].raw);
        CU_ASSERT_STRING_EQUAL(out[0].data, at[i].xml);
        CU_ASSERT_STRING_EQUAL(out[1].data, at[i].json);
        CU_ASSERT_STRING_EQUAL(out[2].data, at[i].csv);
        for (size_t k = 0; k < 3; k++)
            dc_text_free(&out[k]);
    }
    struct dc_text out = {0};
    da_text_fit(&out, "a rather long name \xc3\xa9\xc3\xa9", 60);
    CU_ASSERT(da_text_width(out.data) <= 60);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "\xe2\x80\xa6"));
    dc_text_free(&out);
}

static double unit(struct dc_stream *draws)
{
    return (double)dc_next_below(draws, 1u << 30) / (1u << 30);
}

/* Any range: at least two ticks, inside it, ascending, and no two
 * read alike. */
static void test_ticks(void)
{
    struct dc_stream draws = dc_stream(1, 7, 9);
    for (size_t n = 0; n < 3000; n++) {
        bool log = n % 2 == 1;
        double lo = pow(10, 12 * unit(&draws) - 6);
        double hi = lo * (1 + pow(10, 8 * unit(&draws) - 4));
        if (!log && n % 4 == 2) {
            double turned = -lo;
            lo = -hi;
            hi = turned;
        }
        size_t wanted = 2 + n % 9;
        struct da_ticks ticks;
        da_ticks_make(&ticks, lo, hi, log, wanted);
        CU_ASSERT(ticks.count <= 4 * wanted && ticks.count >= 2);
        for (size_t i = 0; i < ticks.count; i++) {
            double slack = (hi - lo) * 1e-6;
            CU_ASSERT(ticks.tick[i].value >= lo - slack && ticks.tick[i].value <= hi + slack);
            if (i > 0) {
                CU_ASSERT(ticks.tick[i].value > ticks.tick[i - 1].value);
                CU_ASSERT(strcmp(ticks.tick[i].text, ticks.tick[i - 1].text) != 0);
            }
        }
        double wide_lo = lo, wide_hi = hi;
        da_ticks_widen(&wide_lo, &wide_hi, log, wanted, false, false);
        CU_ASSERT(wide_lo <= lo && wide_hi >= hi);
        CU_ASSERT(log ? wide_lo >= lo / 2.51 && wide_hi <= hi * 2.51
                      : wide_hi - wide_lo <= 6 * (hi - lo));
    }
    struct da_ticks ticks;
    da_ticks_make(&ticks, 1e-7, 1e-5, true, 4);
    CU_ASSERT_EQUAL(ticks.count, 3);
    CU_ASSERT_STRING_EQUAL(ticks.tick[0].text, "10\xe2\x81\xbb\xe2\x81\xb7");
    da_ticks_make(&ticks, 1e6, 1e6 + 4, false, 4);
    CU_ASSERT_STRING_EQUAL(ticks.tick[1].text, "1000001");
}

/* Boxes of a grid meet without gap or overlap and hold their value. */
static void test_grid(void)
{
    static const double value[] = {0.4, 0.01, 0.1, 0.01, NAN, 0.02, INFINITY};
    for (int log = 0; log < 2; log++) {
        struct da_grid grid;
        CU_ASSERT(da_grid_make(&grid, value, COUNT(value), log));
        CU_ASSERT_EQUAL(grid.count, 4);
        double before = NAN, lo, hi;
        for (size_t i = 0; i < grid.count; i++) {
            da_grid_box(&grid, grid.value[i], &lo, &hi);
            CU_ASSERT(lo < grid.value[i] && grid.value[i] < hi);
            CU_ASSERT(i == 0 || lo == before);
            before = hi;
        }
        da_grid_box(&grid, 0.3, &lo, &hi);
        CU_ASSERT(isnan(lo) && isnan(hi));
        da_grid_free(&grid);
    }
}

static void test_same_bytes(void)
{
    for (size_t i = 0; i < FIGURES; i++)
        for (size_t form = 0; form < 4; form++) {
            struct dc_text one = {0}, two = {0};
            forms(&test_figures()[i], form, &one);
            forms(&figures[i], form, &two);
            CU_ASSERT(!one.failed && one.size == two.size);
            CU_ASSERT(one.size == 0 || memcmp(one.data, two.data, one.size) == 0);
            CU_ASSERT_EQUAL(one.size == 0, form == 3 && i >= 4 && i <= 8);
            dc_text_free(&one);
            dc_text_free(&two);
        }
}

static void test_golden(void)
{
    for (size_t form = 0; form < 2; form++) {
        struct dc_text out = {0};
        forms(&figures[0], form, &out);
        char path[512], *text = calloc(1, 1 << 20);
        snprintf(path, sizeof path, "%s/tests/analysis/figure.%s", DESTRA_SOURCE, ending[form]);
        FILE *file = fopen(path, "r");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        size_t size = fread(text, 1, (1 << 20) - 1, file);
        fclose(file);
        CU_ASSERT_EQUAL(size, out.size);
        CU_ASSERT_STRING_EQUAL(text, out.data);
        free(text);
        dc_text_free(&out);
    }
}

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

/* A line of many points is drawn with few, and its least and greatest are among them. */
static void test_thin(void)
{
    enum { N = 100000 };
    double *x = calloc(2 * N, sizeof *x), *y = x + N;
    for (size_t i = 0; i < N; i++) {
        x[i] = (double)i;
        y[i] = 50;
    }
    y[31415] = 100;
    y[92653] = 0;
    const struct da_series s = {.mark = DA_MARK_LINE, .count = N, .x = x, .y = y, .colour = -1};
    const struct da_figure f = {.id = "thin",
                                .title = "",
                                .series = &s,
                                .count = 1,
                                .x = {.min = NAN, .max = NAN},
                                .y = {.min = NAN, .max = NAN}};
    struct dc_text out = {0};
    struct da_frame frame;
    da_figure_svg(&f, &out);
    da_frame_make(&frame, &f);
    CU_ASSERT(out.size < 60000);
    double extremes[] = {100, 0};
    for (size_t k = 0; k < 2; k++) {
        struct dc_text at = {0};
        dc_text_add(&at, " ");
        da_text_px(&at, da_ruler_at(&frame.y, extremes[k]));
        dc_text_add(&at, "L");
        CU_ASSERT(count_of(out.data, at.data) >= 1);
        dc_text_free(&at);
    }
    dc_text_free(&out);
    /* as points: fewer than places for them */
    const struct da_series p = {.mark = DA_MARK_POINTS, .count = N, .x = x, .y = y, .colour = -1};
    struct da_figure g = f;
    g.series = &p;
    da_figure_svg(&g, &out);
    CU_ASSERT(count_of(out.data, "<circle") >= 102 && count_of(out.data, "<circle") < 1000);
    dc_text_free(&out);
    free(x);
}

/* Nothing to see, and values at the ends of what a double holds, are drawn without harm. */
static void test_extremes(void)
{
    static const double wild[] = {-DBL_MAX, DBL_MAX, DBL_MIN,  0, -0.0,
                                  5e-324,   NAN,     INFINITY, 1, 1e300};
    for (int mark = 0; mark <= DA_MARK_EDGES; mark++)
        for (int log = 0; log < 4; log++)
            for (size_t count = 0; count <= COUNT(wild); count++) {
                const struct da_series s = {.name = "s",
                                            .mark = mark,
                                            .count = count,
                                            .x = wild,
                                            .y = wild,
                                            .lo = wild,
                                            .hi = wild,
                                            .x_end = wild,
                                            .y_end = wild,
                                            .size = wild,
                                            .shade = wild,
                                            .colour = -1};
                struct da_figure f = {.id = "wild",
                                      .series = &s,
                                      .count = 1,
                                      .x = {.min = NAN, .max = NAN, .log = log & 1},
                                      .y = {.min = NAN, .max = NAN, .log = log & 2},
                                      .shade = {.min = NAN, .max = NAN, .log = log == 3}};
                for (size_t form = 0; form < 4; form++) {
                    struct dc_text out = {0};
                    forms(&f, form, &out);
                    CU_ASSERT(!out.failed && out.size < 100000);
                    if (form == 0)
                        CU_ASSERT(count_of(out.data, "nan") + count_of(out.data, "inf,") == 0);
                    dc_text_free(&out);
                }
            }
    struct da_figure none = {.id = "none", .title = "none"};
    struct dc_text out = {0};
    da_figure_svg(&none, &out);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "no data"));
    dc_text_free(&out);
}

/* Without memory the text says that it failed, and nothing else happens. */
static void test_memory(void)
{
    for (size_t i = 0; i < 8; i++)
        for (uint64_t budget = 0; budget < 12; budget++) {
            struct dc_text out = {0};
            dc_mem_budget(budget);
            da_figure_svg(&figures[i], &out);
            dc_mem_budget(UINT64_MAX);
            CU_ASSERT(budget > 3 || out.failed);
            dc_text_free(&out);
        }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {{"numbers", test_numbers},
                                             {"texts", test_texts},
                                             {"ticks", test_ticks},
                                             {"grid", test_grid},
                                             {"golden", test_golden},
                                             {"same bytes", test_same_bytes},
                                             {"many points are thinned", test_thin},
                                             {"extremes", test_extremes},
                                             {"memory", test_memory}};
    if (argc == 2) {
        setlocale(LC_ALL, "");
        write_forms(argv[1]);
        return 0;
    }
    return TEST_MAIN("figure", cases);
}

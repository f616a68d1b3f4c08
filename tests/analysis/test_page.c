/* Pages: every kind of block, hostile texts, nothing from outside.
 *
 *     test_page          the cases
 *     test_page FILE     writes the demonstration, for forms.py and for looking at */
#include "analysis/page.h"
#include "tests/analysis/figures.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>

static const char *const pair[] = {
    "seed",         "1",
    "trace digest", "3f9a8c0d1e2f3a4b5c6d7e8f90123456789abcdef0123456789abcdef01234",
    "scenario",     "`scenarios/theta-baseline.yaml`"};
static const char *const item[] = {"first", "second with `code` & <b>"};
static const struct da_column column[] = {{"policy", "", true},
                                          {"challenges", "1", false},
                                          {"traffic", "MB", false},
                                          {"until caught", "epochs", false},
                                          {"loss", "%", false}};
static const char *const cell[] = {"random audits",
                                   "576",
                                   "72.1 \xc2\xb1 1.4",
                                   "11.88",
                                   "1.53",
                                   "oldest first, k by history",
                                   "672",
                                   NULL,
                                   "7.23",
                                   "1.46",
                                   "<script>alert(3)</script>",
                                   "\"",
                                   "&amp;",
                                   "`a`",
                                   "`"};
static const enum da_tone tone[] = {DA_TONE_PLAIN, DA_TONE_GOOD, DA_TONE_BAD};
static const struct da_table table = {"Policies \"compared\"", column, 5, 3, cell, tone};

static const struct da_block summary[] = {
    {.kind = DA_BLOCK_TEXT,
     .text = "About `protocol.theta` and <b>tags</b>.\n\nAnother, with a lone ` tick & more."},
    {.kind = DA_BLOCK_NOTE, .tone = DA_TONE_BAD, .text = "An invariant was violated: `supply`."},
    {.kind = DA_BLOCK_PAIRS, .item = pair, .items = 3},
    {.kind = DA_BLOCK_LIST, .item = item, .items = 2},
    {.kind = DA_BLOCK_TITLE, .text = "A table"},
    {.kind = DA_BLOCK_TABLE, .table = &table},
    {.kind = DA_BLOCK_CODE, .text = "./destra run x.yaml --set a=\"</code></pre>\"\n"},
    {.kind = DA_BLOCK_CODE, .fold = "Resolved <i>", .text = "protocol:\n  theta: 0.1\n"}};

static void demonstration(struct dc_text *out)
{
    struct da_block shown[FIGURES];
    for (size_t i = 0; i < FIGURES; i++)
        shown[i] = (struct da_block){.kind = DA_BLOCK_FIGURE, .figure = &test_figures()[i]};
    const struct da_section section[] = {{"summary", "Summary & more", summary, COUNT(summary)},
                                         {"figures", "Figures", shown, FIGURES}};
    const struct da_page page = {"A <demonstration>", "Every kind of block, `once`",
                                 "destrasim 0.1.0", section, COUNT(section)};
    da_page_html(&page, out);
}

static void test_blocks(void)
{
    static const char *const there[] = {
        "<title>A &lt;demonstration&gt;</title>",
        "<p>About <code>protocol.theta</code> and &lt;b&gt;tags&lt;/b&gt;.</p>\n<p>Another, with",
        "<p>Another, with a lone ` tick &amp; more.</p>",
        "<div class=\"note bad\">\n<p>An invariant was violated: <code>supply</code>.</p>",
        "<dt>scenario</dt>\n<dd><code>scenarios/theta-baseline.yaml</code></dd>",
        "<li>second with <code>code</code> &amp; &lt;b&gt;</li>",
        "<th scope=\"col\">traffic <small>MB</small></th>",
        "<th scope=\"col\">challenges</th>",
        "<tr class=\"good\"><td class=\"w\">oldest first, k by history</td><td>672</td><td></td>",
        "<td>&amp;amp;</td><td><code>a</code></td><td>`</td>",
        "<code>./destra run x.yaml --set a=&quot;&lt;/code&gt;&lt;/pre&gt;&quot;\n</code></pre>",
        "<details><summary>Resolved &lt;i&gt;</summary>\n<pre tabindex=\"0\">",
        "<li><a href=\"#summary\">Summary &amp; more</a></li>",
        "<a download=\"theta-loss.csv\" href=\"data:text/csv;charset=utf-8,series,theta,honest%20",
        "default-src 'none'"};
    struct dc_text out = {0};
    demonstration(&out);
    CU_ASSERT(!out.failed);
    for (size_t i = 0; i < COUNT(there); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(out.data, there[i]));
    CU_ASSERT_PTR_NULL(strstr(out.data, "<script>alert"));
    CU_ASSERT_PTR_NULL(strstr(out.data, "<b>"));
    dc_text_free(&out);
}

static void test_same_bytes(void)
{
    struct dc_text one = {0}, two = {0};
    demonstration(&one);
    demonstration(&two);
    CU_ASSERT(one.size == two.size && memcmp(one.data, two.data, one.size) == 0);
    dc_text_free(&one);
    dc_text_free(&two);
}

/* With Chart.js its licence is there too; without, the page says so and holds no script. */
static void test_chart(void)
{
    struct dc_text out = {0};
    demonstration(&out);
    bool with = da_page_interactive();
    CU_ASSERT_EQUAL(strstr(out.data, "Chart.js v3.9.1") != NULL, with);
    CU_ASSERT_EQUAL(strstr(out.data, "Permission is hereby granted") != NULL, with);
    CU_ASSERT_EQUAL(strstr(out.data, "<script") != NULL, with);
    CU_ASSERT_EQUAL(strstr(out.data, "script-src") != NULL, with);
    CU_ASSERT_EQUAL(strstr(out.data, "Made without Chart.js") != NULL, !with);
    dc_text_free(&out);
}

static void test_empty(void)
{
    const struct da_page page = {.title = "Nothing"};
    struct dc_text out = {0};
    da_page_html(&page, &out);
    CU_ASSERT_PTR_NOT_NULL(strstr(out.data, "<main>\n</main>"));
    CU_ASSERT_PTR_NULL(strstr(out.data, "<nav"));
    dc_text_free(&out);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {{"blocks", test_blocks},
                                             {"same bytes", test_same_bytes},
                                             {"Chart.js", test_chart},
                                             {"empty", test_empty}};
    if (argc != 2)
        return TEST_MAIN("page", cases);
    struct dc_text out = {0};
    demonstration(&out);
    FILE *file = fopen(argv[1], "w");
    bool written = file != NULL && fwrite(out.data, 1, out.size, file) == out.size;
    written = file != NULL && fclose(file) == 0 && written;
    dc_text_free(&out);
    return written ? 0 : 1;
}

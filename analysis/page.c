#include "analysis/page.h"

#include "analysis/page_assets.h"

#include <string.h>

bool da_page_interactive(void)
{
    return da_assets[DA_ASSET_CHART].text[0] != '\0';
}

/* Plain text with `code`; a backtick without its other half is a backtick. */
static void inline_text(const char *text, size_t size, struct dc_text *out)
{
    struct dc_text part = {0};
    bool code = false;
    for (const char *p = text, *end = text + size; p < end;) {
        size_t n = 0;
        while (p + n < end && p[n] != '`')
            n++;
        bool tick = p + n < end;
        bool opens = tick && !code && memchr(p + n + 1, '`', (size_t)(end - p) - n - 1) != NULL;
        dc_text_put(&part, p, n);
        if (tick && !code && !opens)
            dc_text_add(&part, "`");
        da_text_escape(out, part.data != NULL ? part.data : "");
        part.size = 0;
        dc_text_put(&part, "", 0);
        if (opens || (tick && code)) {
            dc_text_add(out, code ? "</code>" : "<code>");
            code = !code;
        }
        p += n + tick;
    }
    out->failed = out->failed || part.failed;
    dc_text_free(&part);
}

static void paragraphs(const char *text, struct dc_text *out)
{
    while (*text != '\0') {
        const char *end = strstr(text, "\n\n");
        size_t n = end != NULL ? (size_t)(end - text) : strlen(text);
        if (n != 0) {
            dc_text_add(out, "<p>");
            inline_text(text, n, out);
            dc_text_add(out, "</p>\n");
        }
        text += n;
        text += strspn(text, "\n");
    }
}

static void element(const char *name, const char *text, struct dc_text *out)
{
    dc_text_printf(out, "<%s>", name);
    da_text_escape(out, text);
    dc_text_printf(out, "</%s>\n", name);
}

static const char *tone_name(enum da_tone tone)
{
    static const char *const name[] = {"plain", "good", "warn", "bad"};
    return name[tone];
}

/* ---- blocks ---- */

static void list(const struct da_block *b, struct dc_text *out)
{
    dc_text_add(out, "<ul>\n");
    for (size_t i = 0; i < b->items; i++) {
        dc_text_add(out, "<li>");
        inline_text(b->item[i], strlen(b->item[i]), out);
        dc_text_add(out, "</li>\n");
    }
    dc_text_add(out, "</ul>\n");
}

static void pairs(const struct da_block *b, struct dc_text *out)
{
    dc_text_add(out, "<dl>\n");
    for (size_t i = 0; i < b->items; i++) {
        element("dt", b->item[2 * i], out);
        dc_text_add(out, "<dd>");
        inline_text(b->item[2 * i + 1], strlen(b->item[2 * i + 1]), out);
        dc_text_add(out, "</dd>\n");
    }
    dc_text_add(out, "</dl>\n");
}

static void table_row(const struct da_table *t, size_t row, struct dc_text *out)
{
    enum da_tone tone = t->tone != NULL ? t->tone[row] : DA_TONE_PLAIN;
    if (tone != DA_TONE_PLAIN)
        dc_text_printf(out, "<tr class=\"%s\">", tone_name(tone));
    else
        dc_text_add(out, "<tr>");
    for (size_t c = 0; c < t->columns; c++) {
        const char *cell = t->cell[row * t->columns + c];
        dc_text_add(out, t->column[c].words ? "<td class=\"w\">" : "<td>");
        if (cell != NULL)
            inline_text(cell, strlen(cell), out);
        dc_text_add(out, "</td>");
    }
    dc_text_add(out, "</tr>\n");
}

static void table(const struct da_table *t, struct dc_text *out)
{
    if (t->caption != NULL) { /* outside: it must not scroll away */
        dc_text_add(out, "<p class=\"caption\">");
        inline_text(t->caption, strlen(t->caption), out);
        dc_text_add(out, "</p>\n");
    }
    /* its own box, which scrolls sideways, also by keyboard */
    dc_text_add(out, "<div class=\"wide\" tabindex=\"0\" role=\"region\"");
    if (t->caption != NULL) {
        dc_text_add(out, " aria-label=\"");
        da_text_escape(out, t->caption);
        dc_text_add(out, "\"");
    } else
        dc_text_add(out, " aria-label=\"table\"");
    dc_text_add(out, "><table>\n");
    dc_text_add(out, "<thead><tr>");
    for (size_t c = 0; c < t->columns; c++) {
        const char *unit = t->column[c].unit;
        dc_text_printf(out, "<th scope=\"col\"%s>", t->column[c].words ? " class=\"w\"" : "");
        da_text_escape(out, t->column[c].name);
        if (unit != NULL && unit[0] != '\0' && strcmp(unit, "1") != 0) {
            dc_text_add(out, " <small>");
            da_text_escape(out, unit);
            dc_text_add(out, "</small>");
        }
        dc_text_add(out, "</th>");
    }
    dc_text_add(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < t->rows; i++)
        table_row(t, i, out);
    dc_text_add(out, "</tbody></table></div>\n");
}

/* ---- figures ---- */

/* A link that holds the file it downloads. */
static void csv_link(const struct da_figure *f, struct dc_text *out)
{
    struct dc_text csv = {0};
    da_figure_csv(f, &csv);
    dc_text_add(out, "<a download=\"");
    da_text_escape(out, f->id);
    dc_text_add(out, ".csv\" href=\"data:text/csv;charset=utf-8,");
    for (size_t i = 0; i < csv.size; i++) {
        unsigned char c = (unsigned char)csv.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     strchr(",.-_~()*:;/", c) != NULL;
        if (plain && c != 0)
            dc_text_put(out, csv.data + i, 1);
        else
            dc_text_printf(out, "%%%02X", c);
    }
    dc_text_add(out, "\">numbers (CSV)</a>");
    out->failed = out->failed || csv.failed;
    dc_text_free(&csv);
}

static void figure(const struct da_figure *f, struct dc_text *out)
{
    struct dc_text chart = {0};
    bool interactive = da_page_interactive() && da_figure_chart(f, &chart);
    dc_text_add(out, "<figure id=\"");
    da_text_escape(out, f->id);
    dc_text_add(out, interactive ? "\" data-chart>\n" : "\">\n");
    element("h3", f->title != NULL ? f->title : "", out);
    da_figure_svg(f, out);
    dc_text_add(out, "<p class=\"tools\">");
    csv_link(f, out);
    dc_text_add(out, "</p>\n");
    if (f->caption != NULL) {
        dc_text_add(out, "<figcaption>");
        inline_text(f->caption, strlen(f->caption), out);
        dc_text_add(out, "</figcaption>\n");
    }
    if (interactive) {
        dc_text_add(out, "<script type=\"application/json\">");
        dc_text_put(out, chart.data != NULL ? chart.data : "", chart.size);
        dc_text_add(out, "</script>\n");
    }
    dc_text_add(out, "</figure>\n");
    out->failed = out->failed || chart.failed;
    dc_text_free(&chart);
}

static void block(const struct da_block *b, struct dc_text *out)
{
    if (b->fold != NULL) {
        dc_text_add(out, "<details>");
        element("summary", b->fold, out);
    }
    switch (b->kind) {
    case DA_BLOCK_TEXT: paragraphs(b->text, out); break;
    case DA_BLOCK_NOTE:
        dc_text_printf(out, "<div class=\"note %s\">\n", tone_name(b->tone));
        paragraphs(b->text, out);
        dc_text_add(out, "</div>\n");
        break;
    case DA_BLOCK_TITLE: element("h3", b->text, out); break;
    case DA_BLOCK_LIST: list(b, out); break;
    case DA_BLOCK_PAIRS: pairs(b, out); break;
    case DA_BLOCK_TABLE: table(b->table, out); break;
    case DA_BLOCK_CODE:
        /* a line end right after <pre> is not shown: one more keeps the text's own */
        dc_text_add(out, "<pre tabindex=\"0\"><code>");
        da_text_escape(out, b->text);
        dc_text_add(out, "</code></pre>\n");
        break;
    case DA_BLOCK_FIGURE: figure(b->figure, out); break;
    }
    if (b->fold != NULL)
        dc_text_add(out, "</details>\n");
}

/* ---- the whole ---- */

static void head(const struct da_page *page, struct dc_text *out)
{
    const struct da_asset *style = &da_assets[DA_ASSET_STYLE];
    dc_text_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "base-uri 'none'; form-action 'none'; img-src data:; style-src 'sha256-");
    dc_text_printf(out, "%s'", style->sha256);
    if (da_page_interactive())
        dc_text_printf(out, "; script-src 'sha256-%s' 'sha256-%s'",
                       da_assets[DA_ASSET_CHART].sha256, da_assets[DA_ASSET_SCRIPT].sha256);
    dc_text_add(out, "\">\n<meta name=\"viewport\" content=\"width=device-width, "
                     "initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n");
    element("title", page->title, out);
    dc_text_add(out, "<style>");
    dc_text_add(out, style->text);
    dc_text_add(out, "</style>\n</head>\n<body>\n<header>\n");
    element("h1", page->title, out);
    if (page->subtitle != NULL) {
        dc_text_add(out, "<p class=\"subtitle\">");
        inline_text(page->subtitle, strlen(page->subtitle), out);
        dc_text_add(out, "</p>\n");
    }
    dc_text_add(out, "</header>\n");
}

static void contents(const struct da_page *page, struct dc_text *out)
{
    if (page->count < 2)
        return;
    dc_text_add(out, "<nav aria-label=\"Contents\"><ol>\n");
    for (size_t i = 0; i < page->count; i++) {
        dc_text_add(out, "<li><a href=\"#");
        da_text_escape(out, page->section[i].id);
        dc_text_add(out, "\">");
        da_text_escape(out, page->section[i].heading);
        dc_text_add(out, "</a></li>\n");
    }
    dc_text_add(out, "</ol></nav>\n");
}

static void foot(const struct da_page *page, struct dc_text *out)
{
    dc_text_add(out, "<footer>\n");
    if (page->footer != NULL)
        paragraphs(page->footer, out);
    dc_text_add(out, da_page_interactive()
                         ? "<p>With JavaScript figures answer to the pointer, by Chart.js "
                           "(MIT License, in this page's source).</p>\n"
                         : "<p>Made without Chart.js: the figures are drawings.</p>\n");
    dc_text_add(out, "</footer>\n");
    if (da_page_interactive()) {
        dc_text_printf(out, "<!--\n%s-->\n<script>", da_assets[DA_ASSET_LICENSE].text);
        dc_text_add(out, da_assets[DA_ASSET_CHART].text);
        dc_text_printf(out, "</script>\n<script>%s</script>\n", da_assets[DA_ASSET_SCRIPT].text);
    }
    dc_text_add(out, "</body>\n</html>\n");
}

void da_page_html(const struct da_page *page, struct dc_text *out)
{
    head(page, out);
    contents(page, out);
    dc_text_add(out, "<main>\n");
    for (size_t i = 0; i < page->count; i++) {
        const struct da_section *s = &page->section[i];
        dc_text_add(out, "<section id=\"");
        da_text_escape(out, s->id);
        dc_text_add(out, "\">\n");
        element("h2", s->heading, out);
        for (size_t k = 0; k < s->count; k++)
            block(&s->block[k], out);
        dc_text_add(out, "</section>\n");
    }
    dc_text_add(out, "</main>\n");
    foot(page, out);
}

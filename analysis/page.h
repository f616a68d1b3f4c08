/* A page as data: what a report says, in one HTML file that needs nothing else.
 *
 *     struct da_page
 *       section    a heading, a line in the table of contents
 *         block    a paragraph, a note, a list, pairs, a table, code or a figure
 *
 * The file asks for nothing from any network: style, script and Chart.js are inside, and its
 * Content-Security-Policy, by hashes, lets nothing else run.  Without JavaScript everything is
 * there; with it a figure that da_figure_chart knows can be swapped for one that answers to the
 * pointer.  It reads on a phone's width, on paper (A4) and in the dark.  Same page, same bytes.
 *
 * All text is plain: it is escaped here.  In paragraphs, notes and lists what stands between
 * `backticks` is set as code.  A page borrows everything. */
#ifndef ANALYSIS_PAGE_H
#define ANALYSIS_PAGE_H

#include "analysis/figure.h"

enum da_block_kind {
    DA_BLOCK_TEXT,  /* text: a paragraph; an empty line begins another */
    DA_BLOCK_NOTE,  /* text, in a box; tone */
    DA_BLOCK_TITLE, /* text: a heading within the section */
    DA_BLOCK_LIST,  /* item[items], with bullets */
    DA_BLOCK_PAIRS, /* item[2 i] is the name of item[2 i + 1] */
    DA_BLOCK_TABLE, /* table */
    DA_BLOCK_CODE,  /* text, as it is */
    DA_BLOCK_FIGURE /* figure */
};
enum da_tone { DA_TONE_PLAIN, DA_TONE_GOOD, DA_TONE_WARN, DA_TONE_BAD };

struct da_column {
    const char *name, *unit; /* unit: "" or "1" or NULL is not shown */
    bool words;              /* to the left; numbers go to the right */
};
struct da_table {
    const char *caption; /* or NULL */
    const struct da_column *column;
    size_t columns, rows;
    const char *const *cell;  /* rows x columns; NULL: empty */
    const enum da_tone *tone; /* of each row, or NULL */
};

struct da_block {
    enum da_block_kind kind;
    const char *fold; /* not NULL: folded away under this line */
    const char *text;
    enum da_tone tone;
    const char *const *item;
    size_t items;
    const struct da_table *table;
    const struct da_figure *figure; /* ids of a page's figures differ */
};

struct da_section {
    const char *id; /* of the element: "provenance"; letters, digits and - */
    const char *heading;
    const struct da_block *block;
    size_t count;
};

struct da_page {
    const char *title, *subtitle; /* subtitle: or NULL */
    const char *footer;           /* who made it: program and version; or NULL */
    const struct da_section *section;
    size_t count;
};

void da_page_html(const struct da_page *page, struct dc_text *out);
/* Was Chart.js there when this program was built?  Without it every figure stays an SVG. */
bool da_page_interactive(void);

#endif

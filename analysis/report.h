/* Reports: the results of runs and of studies as a page, and its figures one by one.
 *
 *     run's file   --da_report_run-----> sections: summary, time lines, detection, faults, network
 *     several      --da_report_compare-> one section: the same numbers of all in one figure
 *     study        --da_report_study---> sections: best points, curves, trade-offs, what matters
 *                                            |
 *                                   da_report_page -> struct da_page -> page.h
 *
 * Each figure has a builder of its own that takes the data and gives a struct da_figure, or nothing
 * where its data are absent: a page shows no empty figure.  Same data, same bytes: nothing here
 * knows the time, the machine or where a file lies. */
#ifndef ANALYSIS_REPORT_H
#define ANALYSIS_REPORT_H

#include "analysis/page.h"
#include "analysis/read.h"
#include "analysis/study.h"

struct da_report; /* borrows files and studies until it is freed */

/* An expectation of a scenario and what came of it. */
struct da_claim {
    const char *text;
    bool held;
    double value; /* NaN: not measured */
};

/* A private application of a scenario and what came of it, in words; exact: 1 yes, 0 no, NaN: it did
 * not come to its end. */
struct da_application {
    const char *name, *kind, *result;
    double exact;
};

struct da_report_run {
    const char *name;     /* of the file, without its folder */
    struct da_file *file; /* of a run */
    const struct da_claim *claim;
    size_t claims;
    const struct da_application *application;
    size_t applications;
    bool judged; /* claim holds all expectations; else they are shown as the scenario has them */
};

/* Running out of memory ends the process (dc_mem_need): there is nothing to undo. */
struct da_report *da_report_new(void);
void da_report_free(struct da_report *r); /* NULL is fine */

/* Adds the sections of one file.  `short_name` prefixes ids, so it differs between the files of a
 * page: "" for a page of one. */
void da_report_run(struct da_report *r, const struct da_report_run *in, const char *short_name);
void da_report_study(struct da_report *r, const struct da_study *s, const char *file,
                     const char *short_name);
/* One section of what two or more runs have in common. */
void da_report_compare(struct da_report *r, const struct da_report_run *in, size_t count);

/* The page so far; borrows the report. */
void da_report_page(struct da_report *r, const char *title, const char *subtitle,
                    const char *footer, struct da_page *out);
size_t da_report_figures(const struct da_report *r);
const struct da_figure *da_report_figure(const struct da_report *r, size_t i);

#endif

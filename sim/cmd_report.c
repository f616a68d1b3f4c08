/* `destrasim report`: results as a page, or its figures one by one.
 *
 *     FILE... --read--> struct da_report --> page.h --------> report.html
 *                                        --> figure.h ------> NAME-ID.csv
 *                                        --> gnuplot -------> NAME-ID.svg, .png, .pdf
 *
 * What is written stands under its name when it is complete, not before.  No time, path or machine
 * goes into it: the same files give the same bytes. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/read_study.h"
#include "analysis/report.h"
#include "models/base/mem.h"
#include "sim/build_info.h"
#include "sim/cmd_report.h"
#include "sim/cmd_world.h"
#include "sim/record/read.h"

struct source {
    char *path; /* of the file; of a folder, its study.h5 */
    const char *name;
    struct da_file *file; /* of a run */
    struct da_study study;
    bool is_study;
    struct da_claim *claim;
    struct da_application *application;
    struct ds_scenario scenario; /* claims and applications borrow from it */
    bool loaded;
};

struct report {
    struct source *source;
    size_t sources;
    struct da_report *report;
    const char *format; /* "html", "svg", "png", "pdf", "csv" */
    const char *output; /* as given */
    const char **id;    /* of --figure */
    size_t ids;
};

/* ---- reading --------------------------------------------------------------------------------- */

static char *joined(const char *a, const char *b)
{
    size_t size = strlen(a) + strlen(b) + 1;
    char *out = dc_mem_need(size, 1, "a path");
    snprintf(out, size, "%s%s", a, b);
    return out;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool is_folder(const char *path)
{
    struct stat at;
    return stat(path, &at) == 0 && S_ISDIR(at.st_mode);
}

/* Loads the scenario that a file embeds without a word: one that this version cannot read has its
 * expectations unjudged. */
static bool load_scenario(struct ds_results *results, struct ds_scenario *out)
{
    struct ds_diagnostics d = {0};
    struct dc_error error = {0};
    const char *text = ds_results_text(results, "scenario");
    uint64_t count = ds_results_size(results, "input");
    struct ds_input *inputs = dc_mem_need(count + 1, sizeof *inputs, "inputs");
    enum dc_status status = text == NULL ? DC_ERR_USAGE : DC_OK;
    for (uint64_t i = 0; i < count && status == DC_OK; i++) {
        struct ds_results_input in;
        status = ds_results_input(results, i, &in, &error);
        inputs[i] = (struct ds_input){.path = in.path, .data = in.content, .size = in.bytes};
    }
    struct ds_source source = {.name = "scenario",
                               .text = text,
                               .size = text == NULL ? 0 : strlen(text),
                               .inputs = inputs,
                               .inputs_count = count};
    if (status == DC_OK) {
        status = ds_scenario_load_text(&source, NULL, 0, out, &d);
        if (status != DC_OK)
            ds_scenario_free(out);
    }
    ds_diagnostics_free(&d);
    dc_mem_free(inputs);
    return status == DC_OK;
}

static double summed_up(const struct source *s, const char *before, const char *metric)
{
    char *path = joined(before, metric);
    struct da_array a = da_file_array(s->file, path);
    dc_mem_free(path);
    return a.value != NULL && a.count == 1 ? a.value[0] : NAN;
}

static void tell_applications(struct source *s)
{
    const struct ds_scenario *from = &s->scenario;
    s->application =
        dc_mem_need(from->applications_count + 1, sizeof *s->application, "applications");
    for (size_t i = 0; i < from->applications_count; i++) {
        const struct ds_application *a = &from->applications[i];
        struct dc_text words = {0};
        double result = summed_up(s, "/summary/application_result.", a->name);
        double exact = summed_up(s, "/summary/application_exact.", a->name);
        ds_summary_application(a, result, exact, &words);
        s->application[i] = (struct da_application){a->name, ds_choices_application[a->kind].name,
                                                    joined(words.data, ""), exact};
        dc_text_free(&words);
    }
}

static void judge(struct source *s)
{
    struct ds_results *results = NULL;
    struct dc_error error = {0};
    if (ds_results_open(s->path, &results, &error) == DC_OK)
        s->loaded = load_scenario(results, &s->scenario);
    ds_results_close(results);
    if (!s->loaded)
        return;
    s->claim = dc_mem_need(s->scenario.expects_count + 1, sizeof *s->claim, "expectations");
    for (size_t i = 0; i < s->scenario.expects_count; i++) {
        const struct ds_expect *e = &s->scenario.expects[i];
        double value = summed_up(s, "/summary/", e->metric);
        s->claim[i] = (struct da_claim){e->text, ds_expect_holds(e, value), value};
    }
    tell_applications(s);
}

/* The results file in a folder: a sweep's, else a tuning's. */
static int find_results(struct source *s, const char *path)
{
    static const char *const names[] = {"/study.h5", "/tune.h5"};
    struct stat at;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        dc_mem_free(s->path);
        s->path = joined(path, is_folder(path) ? names[i] : "");
        if (stat(s->path, &at) == 0 || !is_folder(path))
            return DS_EXIT_FINE;
    }
    char *swept = joined(path, "/study.yaml"), *tuned = joined(path, "/tune.log");
    bool begun = stat(swept, &at) == 0 || stat(tuned, &at) == 0;
    dc_mem_free(swept);
    dc_mem_free(tuned);
    if (begun)
        ds_cmd_usage("%s: its study has not ended, so that it has no results yet: the same "
                     "command with --resume goes on from there",
                     path);
    else
        ds_cmd_usage("%s: a folder without study.h5 or tune.h5: name that of a sweep, or the "
                     "results of a run",
                     path);
    return DS_EXIT_IO;
}

static int open_source(struct source *s, const char *path)
{
    struct dc_error error = {0};
    int code = find_results(s, path);
    if (code != DS_EXIT_FINE)
        return code;
    s->name = base_name(s->path);
    enum dc_status status = da_file_open(s->path, &s->file, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    if (da_file_kind(s->file) == DA_FILE_RUN) {
        judge(s);
        return DS_EXIT_FINE;
    }
    da_file_close(s->file);
    s->file = NULL;
    s->is_study = true;
    status = da_study_read(s->path, &s->study, &error);
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

static void close_source(struct source *s)
{
    for (size_t i = 0; s->loaded && i < s->scenario.applications_count; i++)
        dc_mem_free((char *)s->application[i].result);
    dc_mem_free(s->application);
    if (s->loaded)
        ds_scenario_free(&s->scenario);
    dc_mem_free(s->claim);
    da_file_close(s->file);
    if (s->is_study)
        da_study_free(&s->study);
    dc_mem_free(s->path);
}

static struct da_report_run run_of(const struct source *s)
{
    return (struct da_report_run){.name = s->name,
                                  .file = s->file,
                                  .claim = s->claim,
                                  .claims = s->loaded ? s->scenario.expects_count : 0,
                                  .application = s->application,
                                  .applications = s->loaded ? s->scenario.applications_count : 0,
                                  .judged = s->loaded};
}

static void build(struct report *r)
{
    struct da_report_run *run = dc_mem_need(r->sources, sizeof *run, "runs");
    size_t runs = 0;
    r->report = da_report_new();
    for (size_t i = 0; i < r->sources; i++)
        if (!r->source[i].is_study)
            run[runs++] = run_of(&r->source[i]);
    if (runs > 1)
        da_report_compare(r->report, run, runs);
    for (size_t i = 0; i < r->sources; i++) {
        struct source *s = &r->source[i];
        char prefix[32] = "";
        if (r->sources > 1)
            snprintf(prefix, sizeof prefix, "f%zu", i + 1);
        struct da_report_run one = run_of(s);
        if (s->is_study)
            da_report_study(r->report, &s->study, s->name, prefix);
        else
            da_report_run(r->report, &one, prefix);
    }
    dc_mem_free(run);
}

/* ---- writing --------------------------------------------------------------------------------- */

static int write_text(const char *path, const struct dc_text *text)
{
    if (text->failed) {
        ds_cmd_usage("out of memory");
        return DS_EXIT_IO;
    }
    char *partial = joined(path, ".partial");
    errno = 0;
    FILE *to = fopen(partial, "wb");
    bool written = to != NULL && fwrite(text->data, 1, text->size, to) == text->size;
    written = (to == NULL || fclose(to) == 0) && written;
    int code = ds_report_finish(partial, path, written);
    dc_mem_free(partial);
    return code;
}

/* FOLDER/NAME-ID.EXTENSION, NAME being that of -o without its extension. */
static char *figure_path(const struct report *r, const char *id)
{
    struct dc_text path = {0};
    bool folder = is_folder(r->output);
    const char *base = base_name(r->output), *dot = strrchr(base, '.');
    size_t stem = dot == NULL || dot == base ? strlen(base) : (size_t)(dot - base);
    if (folder)
        dc_text_printf(&path, "%s/report", r->output);
    else
        dc_text_put(&path, r->output, (size_t)(base - r->output) + stem);
    dc_text_printf(&path, "-%s.%s", id, r->format);
    char *out = joined(path.data == NULL ? "" : path.data, "");
    dc_text_free(&path);
    return out;
}

static bool wanted(const struct report *r, const char *id)
{
    for (size_t i = 0; i < r->ids; i++)
        if (strcmp(r->id[i], id) == 0)
            return true;
    return r->ids == 0;
}

static int check_ids(const struct report *r)
{
    for (size_t i = 0; i < r->ids; i++) {
        struct ds_guess guess = {.word = r->id[i]};
        bool known = false;
        for (size_t k = 0; k < da_report_figures(r->report); k++) {
            known = known || strcmp(da_report_figure(r->report, k)->id, r->id[i]) == 0;
            ds_guess_try(&guess, da_report_figure(r->report, k)->id);
        }
        if (!known && guess.name != NULL)
            return ds_cmd_usage("no figure `%s`: did you mean `%s`?", r->id[i], guess.name);
        if (!known)
            return ds_cmd_usage("no figure `%s`: `destrasim report FILE --list` names those that "
                                "these files have data for",
                                r->id[i]);
    }
    return DS_EXIT_FINE;
}

static int write_figures(const struct report *r)
{
    int code = check_ids(r);
    for (size_t i = 0; i < da_report_figures(r->report) && code == DS_EXIT_FINE; i++) {
        const struct da_figure *figure = da_report_figure(r->report, i);
        if (!wanted(r, figure->id))
            continue;
        char *path = figure_path(r, figure->id);
        if (strcmp(r->format, "csv") == 0) {
            struct dc_text text = {0};
            da_figure_csv(figure, &text);
            code = write_text(path, &text);
            dc_text_free(&text);
        } else {
            code = ds_report_plot(figure, r->format, path);
        }
        if (code == DS_EXIT_FINE)
            printf("%s\n", path);
        dc_mem_free(path);
    }
    return code;
}

static int write_page(const struct report *r)
{
    struct da_page page;
    struct dc_text title = {0}, text = {0};
    const struct source *first = &r->source[0];
    const char *subtitle = NULL;
    if (r->sources > 1)
        dc_text_printf(&title, "%zu results", r->sources);
    else if (first->is_study) {
        dc_text_add(&title, first->study.name);
        subtitle = first->study.title;
    } else {
        dc_text_printf(&title, "%s", first->loaded ? first->scenario.name : first->name);
        dc_text_printf(&title, ", seed %llu",
                       (unsigned long long)da_file_number(first->file, "seed", 0));
        subtitle = da_file_text(first->file, "/", "title");
    }
    da_report_page(r->report, title.data == NULL ? "Results" : title.data, subtitle,
                   "destrasim " DS_BUILD_VERSION " (" DS_BUILD_COMMIT ")", &page);
    da_page_html(&page, &text);
    int code = write_text(r->output, &text);
    dc_text_free(&title);
    dc_text_free(&text);
    return code;
}

static int list_figures(const struct report *r)
{
    int width = 24;
    for (size_t i = 0; i < da_report_figures(r->report); i++)
        width = (int)fmax(width, (double)strlen(da_report_figure(r->report, i)->id));
    for (size_t i = 0; i < da_report_figures(r->report); i++) {
        const struct da_figure *figure = da_report_figure(r->report, i);
        printf("%-*s %s\n", width, figure->id, figure->title);
    }
    return DS_EXIT_FINE;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int check_format(struct report *r)
{
    static const char *const formats[] = {"html", "svg", "png", "pdf", "csv"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(r->format, formats[i]) == 0) {
            if (i == 0 && r->ids > 0)
                return ds_cmd_usage("--figure needs --format svg, png, pdf or csv: a page has all");
            return DS_EXIT_FINE;
        }
    return ds_cmd_usage("--format %s: is none of html, svg, png, pdf, csv", r->format);
}

/* A page never takes the place of what it shows. */
static int check_output(const struct report *r)
{
    struct stat to, from;
    for (size_t i = 0; i < r->sources && stat(r->output, &to) == 0; i++)
        if (stat(r->source[i].path, &from) == 0 && from.st_dev == to.st_dev &&
            from.st_ino == to.st_ino)
            return ds_cmd_usage("-o %s: would overwrite the results that it shows: name another "
                                "file",
                                r->output);
    return DS_EXIT_FINE;
}

static int report(const struct ds_args *args)
{
    struct report r = {.format = ds_args_value(args, "--format"),
                       .output = ds_args_value(args, "-o")};
    r.format = r.format == NULL ? "html" : r.format;
    r.output = r.output == NULL ? "report.html" : r.output;
    r.id = dc_mem_need(args->givens + 1, sizeof *r.id, "--figure");
    r.ids = ds_args_values(args, "--figure", r.id);
    r.source = dc_mem_need(args->operands, sizeof *r.source, "files");
    int code = check_format(&r);
    while (code == DS_EXIT_FINE && r.sources < args->operands) {
        r.sources++;
        code = open_source(&r.source[r.sources - 1], args->operand[r.sources - 1]);
    }
    if (code == DS_EXIT_FINE)
        code = check_output(&r);
    if (code == DS_EXIT_FINE) {
        build(&r);
        code = ds_args_value(args, "--list") != NULL ? list_figures(&r)
               : strcmp(r.format, "html") == 0       ? write_page(&r)
                                                     : write_figures(&r);
        if (code == DS_EXIT_FINE && strcmp(r.format, "html") == 0 &&
            ds_args_value(args, "--list") == NULL)
            printf("%s\n", r.output);
    }
    da_report_free(r.report);
    for (size_t i = 0; i < r.sources; i++)
        close_source(&r.source[i]);
    dc_mem_free(r.source);
    dc_mem_free(r.id);
    return code;
}

/* In a process of its own: HDF5 may still fall over a damaged file that its rehearsal survived. */
static int run(const struct ds_args *args)
{
    int status = 0;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        return report(args);
    if (child == 0) {
        int code = report(args);
        if (fflush(stdout) != 0)
            code = DS_EXIT_IO;
        _exit(code);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    int number = WTERMSIG(status);
    if (number == SIGINT || number == SIGTERM)
        return 128 + number;
    ds_cmd_usage("%s%s: could not be read: signal %d; it is damaged, or this is a bug",
                 args->operand[0], args->operands > 1 ? " or a later file" : "", number);
    return DS_EXIT_IO;
}

static const struct ds_option options[] = {
    {"-o", "FILE",
     "the page; default report.html. For single figures their folder\nand the "
     "beginning of their names: -o out/a.svg gives out/a-ID.svg"},
    {"--format", "FORMAT",
     "html (default): one page; svg, png, pdf: single figures through\n"
     "gnuplot, for papers; csv: their numbers"},
    {"--figure", "ID", "only this figure; may be repeated"},
    {"--list", NULL, "names the figures that these files have data for"},
    {0},
};

const struct ds_command ds_cmd_report = {
    .name = "report",
    .operands = "FILE...",
    .line = "makes a page with figures of runs and studies, or single figures",
    .details =
        "A file is the results of a run (OUT.h5) or of a study (study.h5, or the folder of a "
        "sweep\n"
        "that holds it). The page is one HTML file that needs no network and no JavaScript, "
        "though\n"
        "figures answer to the pointer where there is some. Several files go on one page; of\n"
        "several runs there is a comparison too. The same files give the same bytes.",
    .options = options,
    .operands_min = 1,
    .operands_max = UINT32_MAX,
    .run = run,
};

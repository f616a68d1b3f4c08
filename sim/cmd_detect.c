/* `destrasim detect`: the chain's detectors over somebody's own table or time series.
 *
 *   CSV --csv.c--> columns --> table:  learn all rows, score all rows
 *                              series: embed, score each row before it is learnt (series.h)
 *        --> CSV of scores; with labels, the AUROC of each detector */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "models/base/mem.h"
#include "sim/cmd_detect.h"

#define KNN_ROWS_MAX 20000 /* each row with each other: more of them only when asked for */

static const struct dc_detector_class *detector(uint32_t i)
{
    return i < DC_DETECTORS ? dc_detectors[i] : &dc_detector_knn;
}

/* ---- options --------------------------------------------------------------------------------- */

static bool choose(struct ds_detect *d, const char *name)
{
    struct ds_guess guess = {.word = name};
    for (uint32_t i = 0; i < d->chosen_count; i++)
        if (strcmp(d->chosen[i]->name, name) == 0) {
            ds_cmd_usage("detect: --detector %s is given twice", name);
            return false;
        }
    for (uint32_t i = 0; i < DS_DETECTORS; i++) {
        if (strcmp(detector(i)->name, name) == 0) {
            d->chosen[d->chosen_count++] = detector(i);
            return true;
        }
        ds_guess_try(&guess, detector(i)->name);
    }
    if (guess.name != NULL)
        ds_cmd_usage("detect: unknown detector `%s`: did you mean `%s`?", name, guess.name);
    else
        ds_cmd_usage("detect: unknown detector `%s`: `destrasim detect -h` names them", name);
    return false;
}

/* "1,4,16": ascending whole numbers. */
static bool read_scales(struct ds_detect *d)
{
    const char *text = ds_args_value(d->args, "--scales");
    for (const char *p = text != NULL ? text : "1,4,16,64,256";; p++) {
        size_t digits = strspn(p, "0123456789");
        unsigned long scale = digits > 0 && digits < 9 ? strtoul(p, NULL, 10) : 0;
        uint32_t before = d->scales > 0 ? d->scale[d->scales - 1] : 0;
        if (scale <= before || scale > DC_SERIES_SCALE_MAX || d->scales == DC_SERIES_SCALES_MAX ||
            (p[digits] != ',' && p[digits] != '\0')) {
            ds_cmd_usage("detect: --scales wants at most %d ascending whole numbers from 1 to %d, "
                         "such as 1,4,16, not `%s`",
                         DC_SERIES_SCALES_MAX, DC_SERIES_SCALE_MAX, text);
            return false;
        }
        d->scale[d->scales++] = (uint32_t)scale;
        p += digits;
        if (*p == '\0')
            return true;
    }
}

static bool read_number(const struct ds_detect *d, const char *option, uint32_t min, uint32_t max,
                        uint32_t *out)
{
    uint64_t value = *out;
    bool good = ds_args_number(d->args, option, min, max, &value);
    *out = (uint32_t)value;
    return good;
}

static bool read_options(struct ds_detect *d)
{
    const char **names = dc_mem_need(d->args->givens + 1u, sizeof *names, "options");
    size_t count = ds_args_values(d->args, "--detector", names);
    bool good = true;
    for (size_t i = 0; i < count && good; i++)
        good = choose(d, names[i]);
    dc_mem_free(names);
    if (!good)
        return false;
    if (ds_args_value(d->args, "--input") == NULL) {
        ds_cmd_usage("detect: wants --input FILE.csv: `destrasim detect -h` shows how");
        return false;
    }
    if (ds_args_value(d->args, "--series") != NULL && ds_args_value(d->args, "--table") != NULL) {
        ds_cmd_usage("detect: --series and --table exclude each other");
        return false;
    }
    d->config = dc_detector_defaults();
    d->seed = 1;
    d->window = 1024;
    return ds_args_number(d->args, "--seed", 0, UINT64_MAX, &d->seed) &&
           read_number(d, "--trees", 1, 100000, &d->config.iforest_trees) &&
           read_number(d, "--sample", 2, 1u << 20, &d->config.iforest_sample) &&
           read_number(d, "--neighbours", 1, 64, &d->config.knn_neighbours) &&
           read_number(d, "--window", 16, 1u << 20, &d->window) &&
           read_number(d, "--hold", 0, UINT32_MAX, &d->hold) && read_scales(d);
}

/* ---- columns --------------------------------------------------------------------------------- */

static bool is_time_name(const char *name)
{
    static const char *const words[] = {"timestamp", "time", "date", "datetime"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(name, words[i]) == 0)
            return true;
    return false;
}

/* The column that an option names; false after a message. */
static bool find_column(const struct ds_detect *d, const char *option, const char *name,
                        uint32_t *out)
{
    struct ds_guess guess = {.word = name};
    for (uint32_t c = 0; c < d->csv.columns; c++) {
        if (strcmp(d->csv.column[c].name, name) == 0) {
            *out = c;
            return true;
        }
        ds_guess_try(&guess, d->csv.column[c].name);
    }
    if (guess.name != NULL)
        ds_cmd_usage("detect: %s: %s has no column `%s`: did you mean `%s`?", option, d->csv.path,
                     name, guess.name);
    else
        ds_cmd_usage("detect: %s: %s has no column `%s`: its first line names them", option,
                     d->csv.path, name);
    return false;
}

/* What --label and --ignore name. */
static bool take_named(struct ds_detect *d, bool *ignored)
{
    const char **names = dc_mem_need(d->args->givens + 1u, sizeof *names, "options");
    bool good = true;
    size_t count = ds_args_values(d->args, "--label", names);
    uint32_t column = 0;
    for (size_t i = 0; i < count && good; i++) {
        good = find_column(d, "--label", names[i], &column);
        if (good)
            d->label[column] = true;
    }
    for (uint32_t c = 0; c < d->csv.columns && count == 0; c++)
        d->label[c] = strcmp(d->csv.column[c].name, "label") == 0;
    count = good ? ds_args_values(d->args, "--ignore", names) : 0;
    for (size_t i = 0; i < count && good; i++) {
        good = find_column(d, "--ignore", names[i], &column);
        if (good) {
            ignored[column] = true;
            d->label[column] = false;
        }
    }
    dc_mem_free(names);
    return good;
}

static bool take_columns(struct ds_detect *d)
{
    bool *ignored = dc_mem_need(d->csv.columns, sizeof *ignored, "columns");
    d->label = dc_mem_need(d->csv.columns, sizeof *d->label, "columns");
    bool good = take_named(d, ignored), time = false;
    for (uint32_t c = 0; c < d->csv.columns && good; c++) {
        struct ds_csv_column *column = &d->csv.column[c];
        bool is_time =
            !ignored[c] && !d->label[c] && (is_time_name(column->name) || (c == 0 && column->text));
        time = time || is_time;
        column->wanted = !ignored[c] && !is_time;
        d->inputs += column->wanted && !d->label[c];
    }
    dc_mem_free(ignored);
    d->series = ds_args_value(d->args, "--series") != NULL ||
                (time && ds_args_value(d->args, "--table") == NULL);
    if (good && d->inputs == 0) {
        struct dc_error error = {0};
        ds_cmd_failed(dc_error_set(&error, DC_ERR_USAGE,
                                   "%s:1:1: no column of numbers is left to detect anomalies in",
                                   d->csv.path),
                      &error);
        good = false;
    }
    return good;
}

/* Says whether all that were asked for can work; without a wish, takes all that can. */
static bool settle_detectors(struct ds_detect *d)
{
    for (uint32_t i = 0; i < d->chosen_count; i++)
        if (d->chosen[i]->of_rows && !d->series) {
            ds_cmd_usage("detect: %s compares a row with its own past, and a table has none: use "
                         "--series, if the rows of %s are in order of time, or another detector",
                         d->chosen[i]->name, d->csv.path);
            return false;
        }
    for (uint32_t i = 0, all = d->chosen_count == 0; i < DS_DETECTORS && all; i++) {
        bool slow = detector(i) == &dc_detector_knn && !d->series && d->csv.rows > KNN_ROWS_MAX;
        if ((d->series || !detector(i)->of_rows) && !slow)
            d->chosen[d->chosen_count++] = detector(i);
    }
    return true;
}

static bool check_labels(const struct ds_detect *d)
{
    for (uint32_t c = 0; c < d->csv.columns; c++) {
        uint32_t place = ds_detect_place(d, c);
        for (uint32_t row = 0; d->label[c] && row < d->csv.rows; row++) {
            double x = d->csv.value[(size_t)row * d->csv.wanted + place];
            if (x == 0 || x == 1 || dc_missing(x))
                continue;
            ds_cmd_usage("detect: row %u of %s has %g in column `%s`: labels are 0 or 1 (an "
                         "anomaly); a column that is no label is named otherwise, or left out with "
                         "--ignore",
                         row + 1, d->csv.path, x, d->csv.column[c].name);
            return false;
        }
    }
    return true;
}

/* ---- output ---------------------------------------------------------------------------------- */

/* As few digits as give back the same number. */
static void add_score(struct dc_text *out, double score)
{
    char text[40];
    if (dc_missing(score))
        return;
    snprintf(text, sizeof text, "%.15g", score);
    if (strtod(text, NULL) != score)
        snprintf(text, sizeof text, "%.17g", score);
    dc_text_add(out, text);
}

static void add_scores(const struct ds_detect *d, struct dc_text *out)
{
    for (uint32_t i = 0; i < d->chosen_count; i++)
        dc_text_printf(out, "%s%s", i > 0 ? "," : "", d->chosen[i]->name);
    dc_text_add(out, "\n");
    for (uint32_t row = 0; row < d->csv.rows; row++) {
        for (uint32_t i = 0; i < d->chosen_count; i++) {
            double score = d->score[(size_t)i * d->csv.rows + row];
            dc_text_add(out, i > 0 ? "," : "");
            if (dc_missing(score) && d->chosen_count == 1)
                dc_text_add(out, "\"\""); /* many readers skip empty lines */
            add_score(out, score);
        }
        dc_text_add(out, "\n");
    }
}

static int write_file(const char *path, struct dc_text *text)
{
    int code = DS_EXIT_FINE;
    errno = 0;
    FILE *file = text->failed ? NULL : fopen(path, "wb");
    if (text->failed)
        ds_cmd_usage("out of memory");
    bool written = file != NULL && fwrite(text->data, 1, text->size, file) == text->size;
    if (file != NULL && fclose(file) != 0)
        written = false;
    if (!written) {
        if (!text->failed)
            ds_cmd_usage("could not write %s: %s", path, strerror(errno));
        code = DS_EXIT_IO;
    }
    dc_text_free(text);
    return code;
}

static int write_scores(const struct ds_detect *d)
{
    struct dc_text text = {0};
    const char *path = ds_args_value(d->args, "-o");
    add_scores(d, &text);
    int code = path == NULL ? ds_cmd_output(&text) : write_file(path, &text);
    if (code == DS_EXIT_FINE)
        ds_detect_judge(d);
    return code;
}

/* Refused before anything is computed. */
static bool output_is_input(const struct ds_detect *d)
{
    const char *path = ds_args_value(d->args, "-o");
    struct stat a, b;
    if (path == NULL || stat(path, &a) != 0 || stat(d->csv.path, &b) != 0 || a.st_dev != b.st_dev ||
        a.st_ino != b.st_ino)
        return false;
    ds_cmd_usage("detect: -o %s is the input: give the scores another name", path);
    return true;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int detect_run(struct ds_detect *d)
{
    struct dc_error error = {0};
    if (!read_options(d))
        return DS_EXIT_USAGE;
    enum dc_status status = ds_csv_open(&d->csv, ds_args_value(d->args, "--input"), &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    if (output_is_input(d) || !take_columns(d))
        return DS_EXIT_USAGE;
    status = ds_csv_read(&d->csv, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    if (!check_labels(d) || !settle_detectors(d))
        return DS_EXIT_USAGE;
    ds_detect_score(d);
    return write_scores(d);
}

static int run(const struct ds_args *args)
{
    struct ds_detect d = {.args = args};
    int code = detect_run(&d);
    ds_csv_free(&d.csv);
    dc_mem_free(d.label);
    dc_mem_free(d.value);
    dc_mem_free(d.score);
    return code;
}

static const struct ds_option options[] = {
    {"--input", "FILE.csv", "what to look for anomalies in; must be given"},
    {"--detector", "NAME",
     "ewma, mad, cusum, iforest, hst or knn; may be repeated [all that\n"
     "suit: ewma and cusum need a series, and more than 20,000 rows\nof a table are compared by "
     "knn "
     "only when it is named]"},
    {"-o", "OUT.csv", "where the scores go [standard output]"},
    {"--label", "COLUMN",
     "holds 1 for an anomaly and 0 else: kept from the detectors, and\nthe AUROC of each is "
     "printed; may be repeated [label]"},
    {"--ignore", "COLUMN", "leaves a column out; may be repeated"},
    {"--series", NULL, "rows are in order of time [when there is a column of times]"},
    {"--table", NULL, "they are not, even if there is a column of times"},
    {"--seed", "N", "of what detectors draw [1]"},
    {"--trees", "N", "of iforest [100]"},
    {"--sample", "N", "rows that each tree of iforest gets [256]"},
    {"--neighbours", "N", "the neighbour to which knn measures the distance [5]"},
    {"--scales", "LIST",
     "of a series: each column is seen as the means of its last so\nmany rows [1,4,16,64,256]"},
    {"--window", "N", "of a series: rows with which mad and iforest compare [1024]"},
    {"--hold", "ROWS",
     "of a series: a row scores 0 unless above all of so many rows\nbefore it, so that an event is "
     "one alarm [0]"},
    {0},
};

const struct ds_command ds_cmd_detect = {
    .name = "detect",
    .operands = "--input FILE.csv",
    .line = "scores the rows of a table or time series by the chain's detectors",
    .details =
        "The first line of the file names its columns; the others hold numbers. An empty cell is\n"
        "a missing value. A column called timestamp, time, date or datetime, and a first column\n"
        "of text, are times: the file is a time series then.\n"
        "\n"
        "The scores are CSV: a column for each detector, a row for each row; larger is stranger,\n"
        "empty where a row cannot be judged. In a table every row is compared with all rows. In\n"
        "a series it is compared with earlier ones alone, and a score is in units of what a\n"
        "tenth of the rows before it exceeded; at least the first hundred rows have none (hst:\n"
        "350).",
    .options = options,
    .run = run,
};

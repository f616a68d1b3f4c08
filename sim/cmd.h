/* The program's commands and what they share.
 *
 * A command is a table entry: name, help, options, a function.  Parsing and `-h` are made from it,
 * so that what is read and what is documented cannot differ:
 *
 *     main.c --name--> struct ds_command --cmd_args.c--> struct ds_args --> run() --> exit code
 *
 * Only these files and progress.c print.  Exit codes: 0 fine; 1 an expectation or invariant failed;
 * 2 bad usage or scenario; 3 could not read or write, or out of memory; 128 + signal. */
#ifndef SIM_CMD_H
#define SIM_CMD_H

#include <signal.h>

#include "sim/progress.h"
#include "sim/scenario/scenario.h"

enum { DS_EXIT_FINE, DS_EXIT_EXPECT, DS_EXIT_USAGE, DS_EXIT_IO };

struct ds_option {
    const char *name;    /* "--seed", "-o" */
    const char *value;   /* what its value is called, or NULL: it has none */
    const char *meaning; /* lines of at most 70 characters; further ones after '\n' */
};

struct ds_args;
struct ds_command {
    const char *name;                /* "run"; "bench phold" */
    const char *operands;            /* "SCENARIO", or "" */
    const char *line;                /* for the list of commands */
    const char *details;             /* paragraphs of the help, or "" */
    const struct ds_option *options; /* ends with a NULL name; may be NULL */
    unsigned operands_min, operands_max;
    int (*run)(const struct ds_args *args);
    int (*dispatch)(int argc, char **argv); /* instead of run: takes its arguments as they are */
};

extern const struct ds_command ds_cmd_run, ds_cmd_check, ds_cmd_verify, ds_cmd_explain,
    ds_cmd_schema, ds_cmd_list, ds_cmd_detect, ds_cmd_bench, ds_cmd_diff, ds_cmd_trace, ds_cmd_fuzz,
    ds_cmd_twins, ds_cmd_tune, ds_cmd_sweep, ds_cmd_rare, ds_cmd_compare, ds_cmd_select,
    ds_cmd_report;

/* ---- cmd_args.c ------------------------------------------------------------------------------ */

struct ds_given {
    const struct ds_option *option;
    const char *value;
};
struct ds_args {
    const struct ds_command *command;
    const char **operand;
    unsigned operands;
    struct ds_given *given; /* in order */
    unsigned givens;
};

/* Parses what stands after the command's name, and runs it; prints help or what is wrong with the
 * arguments.  `--` ends the options. */
int ds_cmd_execute(const struct ds_command *command, int argc, char **argv);
void ds_cmd_help(const struct ds_command *command);

/* The last value of an option; NULL when it was not given ("" for one without value). */
const char *ds_args_value(const struct ds_args *args, const char *option);
/* All values of an option that may be repeated, into values (args->givens at most). */
size_t ds_args_values(const struct ds_args *args, const char *option, const char **values);
/* A whole number in [min, max]: *out is left when the option was not given.  False after a message
 * that says what is wrong. */
bool ds_args_number(const struct ds_args *args, const char *option, uint64_t min, uint64_t max,
                    uint64_t *out);
bool ds_args_threads(const struct ds_args *args,
                     uint32_t *out); /* default: processors, at most 8 */
bool ds_args_time(const struct ds_args *args, const char *option,
                  int64_t *out); /* "5 min", in ns */

/* The nearest among names to what was typed, or NULL; feed it one by one. */
struct ds_guess {
    const char *word, *name;
    unsigned distance;
};
void ds_guess_try(struct ds_guess *guess, const char *candidate);

/* ---- cmd_common.c ---------------------------------------------------------------------------- */

/* "destrasim: error: ..." on standard error; returns DS_EXIT_USAGE. */
int ds_cmd_usage(const char *format, ...) DC_PRINTF(1, 2);
void ds_cmd_warn(const char *format, ...) DC_PRINTF(1, 2);
/* What a failed call said, and the exit code for it. */
int ds_cmd_failed(enum dc_status status, const struct dc_error *error);
/* Writes a text to standard output and frees it; returns an exit code. */
int ds_cmd_output(struct dc_text *text);
/* A whole file, under another name until it is complete. */
enum dc_status ds_cmd_write(const char *path, const struct dc_text *text,
                            struct dc_error *error) DC_MUST_USE;
/* Makes a folder, unless it is there; says what is wrong and returns an exit code. */
int ds_cmd_folder(const char *path);

/* Loads a scenario; all that is wrong with it goes to standard error.  *out needs
 * ds_scenario_free in every case.  Returns an exit code. */
int ds_cmd_load(const char *path, const char *const *overrides, size_t count,
                struct ds_scenario *out);
int ds_cmd_load_text(const struct ds_source *source, struct ds_scenario *out);
/* What a load said, printed and freed: the exit code. */
int ds_cmd_loaded(enum dc_status status, struct ds_diagnostics *d);

/* From here on SIGINT and SIGTERM raise the flag that is returned; the second one kills. */
const volatile sig_atomic_t *ds_cmd_catch_signals(void);
int ds_cmd_caught(void); /* the signal, or 0 */

/* ---- numbers for people ---------------------------------------------------------------------- */

struct ds_word {
    char text[48];
};
struct ds_word ds_word_count(double value);   /* 1,234,567 */
struct ds_word ds_word_short(double value);   /* 1.2 M */
struct ds_word ds_word_time(double seconds);  /* 850 ms, 6 min 12 s */
struct ds_word ds_word_bytes(double bytes);   /* 12.3 MiB */
struct ds_word ds_word_percent(double share); /* 0.034 -> 3.4 % */
struct ds_word ds_word_ratio(double value);   /* three digits: 0.0123, 1.23, 123 */
/* A JSON string with its quotes; a JSON number (null when it is none). */
void ds_json_string(struct dc_text *out, const char *text);
void ds_json_number(struct dc_text *out, double value);

#endif

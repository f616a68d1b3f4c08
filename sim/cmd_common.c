/* What several commands need: messages, loading, signals, numbers for people. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/cmd.h"

/* ---- messages -------------------------------------------------------------------------------- */

static void say(const char *word, const char *format, va_list arguments)
{
    bool colours = ds_terminal_colours(true);
    fprintf(stderr, "destrasim: %s%s%s ", colours ? "\033[1;31m" : "", word,
            colours ? "\033[0m" : "");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int ds_cmd_usage(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("error:", format, arguments);
    va_end(arguments);
    return DS_EXIT_USAGE;
}

void ds_cmd_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("warning:", format, arguments);
    va_end(arguments);
}

/* Lines of `FILE:LINE:COL: error: ...`, the word in colour on a terminal. */
static void print_diagnostics(const char *lines)
{
    static const char word[] = ": error: ";
    bool colours = ds_terminal_colours(true);
    while (*lines != '\0') {
        size_t size = strcspn(lines, "\n");
        const char *at = strstr(lines, word);
        if (colours && at != NULL && at < lines + size)
            fprintf(stderr, "%.*s: \033[1;31merror:\033[0m %.*s\n", (int)(at - lines), lines,
                    (int)(lines + size - at - 9), at + 9);
        else
            fprintf(stderr, "%.*s\n", (int)size, lines);
        lines += size + (lines[size] == '\n');
    }
}

/* The end of `FILE:LINE:COL: ` at the start of a message, or NULL. */
static const char *after_place(const char *text)
{
    for (const char *p = strchr(text, ':'); p != NULL; p = strchr(p + 1, ':')) {
        size_t line = strspn(p + 1, "0123456789");
        if (line == 0 || p[1 + line] != ':')
            continue;
        size_t column = strspn(p + 2 + line, "0123456789");
        if (column > 0 && strncmp(p + 2 + line + column, ": ", 2) == 0)
            return p + 4 + line + column;
    }
    return NULL;
}

int ds_cmd_failed(enum dc_status status, const struct dc_error *error)
{
    const char *text = error->text[0] != '\0' ? error->text : "failed without saying why";
    const char *what = after_place(text);
    if (what != NULL && strncmp(what, "error: ", 7) != 0) {
        struct dc_text line = {0};
        dc_text_put(&line, text, (size_t)(what - text));
        dc_text_printf(&line, "error: %s", what);
        print_diagnostics(line.data != NULL ? line.data : text);
        dc_text_free(&line);
    } else if (what != NULL) {
        print_diagnostics(text);
    } else {
        ds_cmd_usage("%s", text);
    }
    return status == DC_ERR_EXPECT  ? DS_EXIT_EXPECT
           : status == DC_ERR_USAGE ? DS_EXIT_USAGE
                                    : DS_EXIT_IO;
}

int ds_cmd_output(struct dc_text *text)
{
    int code = DS_EXIT_FINE;
    if (text->failed) {
        ds_cmd_usage("out of memory");
        code = DS_EXIT_IO;
    } else if (text->data != NULL) {
        (void)fwrite(text->data, 1, text->size, stdout); /* main asks ferror */
    }
    dc_text_free(text);
    return code;
}

/* ---- files ----------------------------------------------------------------------------------- */

enum dc_status ds_cmd_write(const char *path, const struct dc_text *text, struct dc_error *error)
{
    struct dc_text partial = {0};
    dc_text_printf(&partial, "%s.partial", path);
    if (partial.failed || text->failed) {
        dc_text_free(&partial);
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", path);
    }
    FILE *to = fopen(partial.data, "wb");
    bool good =
        to != NULL && (text->size == 0 || fwrite(text->data, 1, text->size, to) == text->size);
    good = to != NULL && fclose(to) == 0 && good;
    good = good && rename(partial.data, path) == 0;
    int why = errno;
    if (!good && to != NULL)
        (void)unlink(partial.data);
    dc_text_free(&partial);
    return good ? DC_OK
                : dc_error_set(error, DC_ERR_IO, "%s: could not be written: %s", path,
                               strerror(why));
}

int ds_cmd_folder(const char *path)
{
    struct stat there;
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        ds_cmd_usage("%s: could not be made (%s): name another folder with -o", path,
                     strerror(errno));
        return DS_EXIT_IO;
    }
    if (stat(path, &there) != 0 || !S_ISDIR(there.st_mode) || access(path, W_OK) != 0) {
        ds_cmd_usage("%s: is no folder that can be written to: name another one with -o", path);
        return DS_EXIT_IO;
    }
    return DS_EXIT_FINE;
}

/* ---- scenarios ------------------------------------------------------------------------------- */

int ds_cmd_loaded(enum dc_status status, struct ds_diagnostics *d)
{
    struct dc_text text = {0};
    if (status != DC_OK) {
        ds_diagnostics_print(d, &text);
        print_diagnostics(text.data != NULL ? text.data : "destrasim: error: out of memory\n");
    }
    dc_text_free(&text);
    ds_diagnostics_free(d);
    return status == DC_OK ? DS_EXIT_FINE : status == DC_ERR_USAGE ? DS_EXIT_USAGE : DS_EXIT_IO;
}

int ds_cmd_load(const char *path, const char *const *overrides, size_t count,
                struct ds_scenario *out)
{
    struct ds_diagnostics d = {0};
    return ds_cmd_loaded(ds_scenario_load(path, overrides, count, out, &d), &d);
}

int ds_cmd_load_text(const struct ds_source *source, struct ds_scenario *out)
{
    struct ds_diagnostics d = {0};
    return ds_cmd_loaded(ds_scenario_load_text(source, NULL, 0, out, &d), &d);
}

/* ---- signals --------------------------------------------------------------------------------- */

static volatile sig_atomic_t signal_caught;

static void on_signal(int number)
{
    signal_caught = number;
}

const volatile sig_atomic_t *ds_cmd_catch_signals(void)
{
    /* SA_RESETHAND: the second signal ends the process as if nobody listened. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &signal_caught;
}

int ds_cmd_caught(void)
{
    return signal_caught;
}

/* ---- numbers for people ---------------------------------------------------------------------- */

struct ds_word ds_word_count(double value)
{
    struct ds_word out = {""};
    char digits[40];
    if (!(fabs(value) < 1e18)) {
        snprintf(out.text, sizeof out.text, "?");
        return out;
    }
    int n = snprintf(digits, sizeof digits, "%.0f", value), at = 0;
    for (int i = 0; i < n && at + 2 < (int)sizeof out.text; i++) {
        out.text[at++] = digits[i];
        if (digits[i] != '-' && (n - 1 - i) % 3 == 0 && i + 1 < n)
            out.text[at++] = ',';
    }
    out.text[at] = '\0';
    return out;
}

struct ds_word ds_word_ratio(double value)
{
    struct ds_word out;
    double size = fabs(value);
    if (isnan(value))
        snprintf(out.text, sizeof out.text, "-");
    else if (size == 0 || size >= 100)
        snprintf(out.text, sizeof out.text, "%.0f", value);
    else
        snprintf(out.text, sizeof out.text, "%.*f",
                 size >= 10     ? 1
                 : size >= 1    ? 2
                 : size >= 0.01 ? 3
                                : 4,
                 value);
    return out;
}

struct ds_word ds_word_short(double value)
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    struct ds_word out;
    size_t u = 0;
    for (; fabs(value) >= 999.5 && u + 1 < sizeof units / sizeof units[0]; u++)
        value /= 1000;
    if (u == 0)
        snprintf(out.text, sizeof out.text, "%.0f", value);
    else
        snprintf(out.text, sizeof out.text, "%.*f%s", value < 9.95 ? 1 : 0, value, units[u]);
    return out;
}

struct ds_word ds_word_time(double s)
{
    struct ds_word out;
    if (!(s < 1e15))
        snprintf(out.text, sizeof out.text, "?");
    else if (s < 0.9995e-3)
        snprintf(out.text, sizeof out.text, "%.0f us", s * 1e6);
    else if (s < 0.9995)
        snprintf(out.text, sizeof out.text, "%.0f ms", s * 1e3);
    else if (s < 9.995)
        snprintf(out.text, sizeof out.text, "%.2f s", s);
    else if (s < 59.95)
        snprintf(out.text, sizeof out.text, "%.1f s", s);
    else if (s < 3599.5)
        snprintf(out.text, sizeof out.text, "%.0f min %.0f s", floor((s + 0.5) / 60),
                 floor(fmod(s + 0.5, 60)));
    else
        snprintf(out.text, sizeof out.text, "%.0f h %.0f min", floor((s + 30) / 3600),
                 floor(fmod(s + 30, 3600) / 60));
    return out;
}

struct ds_word ds_word_bytes(double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    struct ds_word out;
    size_t u = 0;
    for (; bytes >= 1023.5 && u + 1 < sizeof units / sizeof units[0]; u++)
        bytes /= 1024;
    snprintf(out.text, sizeof out.text, "%.*f %s", u > 0 && bytes < 99.95 ? 1 : 0, bytes, units[u]);
    return out;
}

struct ds_word ds_word_percent(double share)
{
    struct ds_word out;
    double p = share * 100;
    if (isnan(p))
        snprintf(out.text, sizeof out.text, "-");
    else
        snprintf(out.text, sizeof out.text, "%.*f %%",
                 p == 0 || p == 100 ? 0
                 : fabs(p) < 0.1    ? 3
                 : fabs(p) < 1      ? 2
                                    : 1,
                 p);
    return out;
}

void ds_json_string(struct dc_text *out, const char *text)
{
    dc_text_add(out, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            dc_text_printf(out, "\\%c", *p);
        else if (*p < 0x20)
            dc_text_printf(out, "\\u%04x", *p);
        else
            dc_text_put(out, (const char *)p, 1);
    }
    dc_text_add(out, "\"");
}

void ds_json_number(struct dc_text *out, double value)
{
    if (isfinite(value))
        dc_text_printf(out, "%.17g", value);
    else
        dc_text_add(out, "null");
}

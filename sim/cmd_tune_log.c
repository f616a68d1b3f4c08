/* The folder of `tune` and its log; see cmd_tune.h.
 *
 *     destrasim-tune 1 IDENTITY METRICS
 *     KEY SEED STATUS TRACE-DIGEST VALUE VALUE ... | TEXT
 *
 * Values are hexadecimal floating point, so that what is read is what was written.  A line is
 * written by one call and forced to disk before its run counts; a torn last line is cut off. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd_tune.h"

static const char heading[] = "destrasim-tune 1";

const struct ds_tune_run *ds_tune_find(const struct ds_tune *t, uint64_t key, uint64_t seed)
{
    for (size_t i = 0; i < t->dones; i++)
        if (t->done[i]->key == key && t->done[i]->seed == seed)
            return t->done[i];
    return NULL;
}

static struct ds_tune_run *add_run(struct ds_tune *t, double **value)
{
    struct ds_tune_run *run = dc_arena_alloc(&t->arena, sizeof *run);
    *value = dc_arena_alloc(&t->arena, t->metrics * sizeof **value);
    if (t->dones == t->dones_max) {
        size_t room = t->dones_max > 0 ? 2 * t->dones_max : 256;
        struct ds_tune_run **done = dc_mem_grow(t->done, room, sizeof *done);
        if (done == NULL)
            return NULL;
        t->done = done;
        t->dones_max = room;
    }
    if (run == NULL || *value == NULL)
        return NULL;
    run->value = *value;
    t->done[t->dones++] = run;
    return run;
}

static const char *keep_text(struct ds_tune *t, const char *text)
{
    size_t size = strcspn(text, "\n") + 1;
    char *copy = text[0] != '\0' ? dc_arena_alloc(&t->arena, size) : NULL;
    if (copy != NULL)
        memcpy(copy, text, size - 1);
    return copy;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* One line, NUL-terminated; false: it is none of ours. */
static bool read_line(struct ds_tune *t, char *line)
{
    uint64_t key, seed;
    unsigned status;
    char digest[33];
    int used = 0;
    double *value;
    if (sscanf(line, "%16" SCNx64 " %" SCNu64 " %u %32s%n", &key, &seed, &status, digest, &used) !=
            4 ||
        status < DA_RUN_DONE || status > DA_RUN_FAILED)
        return false;
    struct ds_tune_run *run = add_run(t, &value);
    if (run == NULL)
        return false;
    char *at = line + used;
    for (size_t m = 0; m < t->metrics; m++) {
        char *end;
        value[m] = strtod(at, &end);
        if (end == at) {
            t->dones--;
            return false;
        }
        at = end;
    }
    run->key = key;
    run->seed = seed;
    run->status = (uint8_t)status;
    snprintf(run->trace_digest, sizeof run->trace_digest, "%s",
             strcmp(digest, "-") != 0 ? digest : "");
    at = strchr(at, '|');
    if (at == NULL) {
        t->dones--;
        return false;
    }
    run->text = keep_text(t, at[1] == ' ' ? at + 2 : at + 1);
    return true;
}

static int read_log(struct ds_tune *t, char *text, size_t size, const char *first, off_t *whole)
{
    size_t line = strlen(first);
    *whole = 0;
    if (size == 0 || strchr(text, '\n') == NULL)
        return DS_EXIT_FINE; /* it died before its first line was whole */
    if (strncmp(text, heading, strlen(heading)) != 0)
        return ds_cmd_usage("%s/tune.log: is no log of this program: name another folder with -o",
                            t->folder);
    if (strncmp(text, first, line) != 0)
        return ds_cmd_usage("%s: was tuned by another build of the program, or the study's "
                            "scenario or metrics have changed since: its runs cannot be mixed; "
                            "name another folder with -o",
                            t->folder);
    if (size > line && !t->resume)
        return ds_cmd_usage("%s: holds runs of this study already: add --resume to go on from "
                            "there, or name another folder with -o",
                            t->folder);
    for (size_t at = line; at < size;) {
        char *end = memchr(text + at, '\n', size - at);
        *whole = (off_t)at;
        if (end == NULL)
            return DS_EXIT_FINE;
        *end = '\0';
        if (!read_line(t, text + at))
            return ds_cmd_usage("%s/tune.log: damaged, at byte %zu: name another folder with -o",
                                t->folder, at);
        at = (size_t)(end - text) + 1;
        *whole = (off_t)at;
    }
    if (size == line)
        *whole = (off_t)line;
    return DS_EXIT_FINE;
}

/* ---- the folder ------------------------------------------------------------------------------ */

static int refuse(const struct ds_tune *t, const char *what)
{
    ds_cmd_usage("%s%s: %s: name another folder with -o", t->folder, what, strerror(errno));
    return DS_EXIT_IO;
}

static bool slurp(int fd, struct dc_text *out)
{
    char bytes[4096];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        dc_text_put(out, bytes, (size_t)n);
    dc_text_put(out, "", 0);
    return n == 0 && !out->failed;
}

static bool append(int fd, const struct dc_text *text)
{
    return !text->failed && write(fd, text->data, text->size) == (ssize_t)text->size &&
           fdatasync(fd) == 0;
}

static int open_log(struct ds_tune *t)
{
    struct dc_text path = {0}, text = {0}, first = {0};
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    off_t whole = 0;
    dc_text_printf(&path, "%s/tune.log", t->folder);
    dc_text_printf(&first, "%s %016" PRIx64 " %zu\n", heading, t->identity, t->metrics);
    t->log = path.failed ? -1 : open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    int code = t->log < 0 || first.failed ? refuse(t, "/tune.log") : DS_EXIT_FINE;
    if (code == DS_EXIT_FINE && fcntl(t->log, F_SETLK, &lock) != 0 &&
        (errno == EAGAIN || errno == EACCES))
        code = ds_cmd_usage("%s: another tune is at work there: wait for it, or end it", t->folder);
    if (code == DS_EXIT_FINE && !slurp(t->log, &text))
        code = refuse(t, "/tune.log");
    if (code == DS_EXIT_FINE)
        code = read_log(t, text.data, text.size, first.data, &whole);
    if (code == DS_EXIT_FINE &&
        (ftruncate(t->log, whole) != 0 || lseek(t->log, whole, SEEK_SET) != whole ||
         (whole == 0 && !append(t->log, &first))))
        code = refuse(t, "/tune.log");
    dc_text_free(&path);
    dc_text_free(&text);
    dc_text_free(&first);
    return code;
}

int ds_tune_folder(struct ds_tune *t)
{
    int code = ds_cmd_folder(t->folder);
    return code == DS_EXIT_FINE ? open_log(t) : code;
}

/* ---- writing --------------------------------------------------------------------------------- */

enum dc_status ds_tune_keep(struct ds_tune *t, uint64_t key, uint64_t seed,
                            const struct ds_runs_result *result, struct dc_error *error)
{
    struct dc_text line = {0};
    double *value;
    struct ds_tune_run *run = add_run(t, &value);
    if (run == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %zu runs", t->dones);
    *run = (struct ds_tune_run){.key = key, .seed = seed, .value = value};
    run->status = (uint8_t)result->status;
    memcpy(run->trace_digest, result->trace_digest, sizeof run->trace_digest);
    memcpy(value, result->value, t->metrics * sizeof *value);
    run->text = keep_text(t, result->text);
    dc_text_printf(&line, "%016" PRIx64 " %" PRIu64 " %u %s", key, seed, (unsigned)result->status,
                   result->trace_digest[0] != '\0' ? result->trace_digest : "-");
    for (size_t m = 0; m < t->metrics; m++)
        dc_text_printf(&line, " %a", value[m]);
    dc_text_printf(&line, " | %s\n", run->text != NULL ? run->text : "");
    enum dc_status status = DC_OK;
    if (!append(t->log, &line))
        status = dc_error_set(error, DC_ERR_IO, "%s/tune.log: %s", t->folder, strerror(errno));
    dc_text_free(&line);
    return status;
}

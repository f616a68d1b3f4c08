/* Files that a scenario names: read whole, kept in the scenario, so that a results file can embed
 * them and `verify` needs nothing else. */
#include "sim/scenario/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define INPUT_SIZE_MAX ((size_t)256 << 20)
#define INPUTS_MAX 64

int ds_input_read(const char *path, struct dc_text *text)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return errno != 0 ? errno : EIO;
    char buffer[16384];
    size_t n;
    errno = 0;
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0 && text->size <= INPUT_SIZE_MAX)
        dc_text_put(text, buffer, n);
    int error = ferror(file) ? (errno != 0 ? errno : EIO) : 0;
    fclose(file);
    return text->failed ? ENOMEM : text->size > INPUT_SIZE_MAX ? EFBIG : error;
}

static struct ds_input *input_keep(struct ds_bind *b, const char *path, const char *data,
                                   size_t size)
{
    struct ds_scenario *out = b->out;
    if (out->inputs == NULL)
        out->inputs = ds_bind_alloc(b, INPUTS_MAX, sizeof *out->inputs);
    char *copy = ds_yaml_copy(b->arena, data, size);
    if (out->inputs == NULL || copy == NULL) {
        b->d->failed = true;
        return NULL;
    }
    DC_CHECK(out->inputs_count < INPUTS_MAX);
    struct ds_input *input = &out->inputs[out->inputs_count++];
    *input = (struct ds_input){.path = path, .data = copy, .size = size};
    return input;
}

const struct ds_input *ds_bind_input(struct ds_bind *b, const struct ds_yaml *node,
                                     const char *path)
{
    const struct ds_source *source = b->source;
    for (size_t i = 0; i < b->out->inputs_count; i++)
        if (strcmp(b->out->inputs[i].path, path) == 0)
            return &b->out->inputs[i];
    if (b->out->inputs_count == INPUTS_MAX) {
        ds_bind_error(b, node, "a scenario names at most %d files: join some", INPUTS_MAX);
        return NULL;
    }
    for (size_t i = 0; i < source->inputs_count; i++)
        if (strcmp(source->inputs[i].path, path) == 0)
            return input_keep(b, path, source->inputs[i].data, source->inputs[i].size);
    if (source->folder == NULL) {
        ds_bind_error(b, node, "`%s` is not among the files that came with the scenario: embed it",
                      path);
        return NULL;
    }
    struct dc_text full = {0}, text = {0};
    if (path[0] != '/' && source->folder[0] != '\0')
        dc_text_printf(&full, "%s/", source->folder);
    dc_text_add(&full, path);
    int error = full.failed ? ENOMEM : ds_input_read(full.data, &text);
    const struct ds_input *input = NULL;
    b->d->failed |= error == ENOMEM;
    if (error == 0)
        input = input_keep(b, path, text.data != NULL ? text.data : "", text.size);
    else
        ds_bind_error(b, node, "cannot read `%s`: %s: paths are relative to the scenario's folder",
                      full.data != NULL ? full.data : path, strerror(error));
    dc_text_free(&full);
    dc_text_free(&text);
    return input;
}

bool ds_source_open(struct ds_source_file *f, const char *path, const char *what,
                    struct ds_diagnostics *d)
{
    *f = (struct ds_source_file){0};
    int error = ds_input_read(path, &f->text);
    const char *slash = strrchr(path, '/');
    if (slash != NULL)
        dc_text_put(&f->folder, path, slash == path ? 1 : (size_t)(slash - path));
    if (error != 0 || f->folder.failed) {
        ds_diagnostics_add(d, path, (struct ds_place){0, 0},
                           "cannot read the %s: %s: check the path", what,
                           error != 0 ? strerror(error) : "out of memory");
        return false;
    }
    f->source = (struct ds_source){.name = path,
                                   .text = f->text.data != NULL ? f->text.data : "",
                                   .size = f->text.size,
                                   .folder = f->folder.data != NULL ? f->folder.data : ""};
    return true;
}

void ds_source_close(struct ds_source_file *f)
{
    dc_text_free(&f->text);
    dc_text_free(&f->folder);
}

enum dc_status ds_scenario_load(const char *path, const char *const *overrides, size_t count,
                                struct ds_scenario *out, struct ds_diagnostics *d)
{
    struct ds_source_file file;
    enum dc_status status = DC_ERR_IO;
    memset(out, 0, sizeof *out);
    if (ds_source_open(&file, path, "scenario", d))
        status = ds_scenario_load_text(&file.source, overrides, count, out, d);
    ds_source_close(&file);
    return status;
}

/* Opening, laying out and closing a results file; rows.c moves the data.  See record.h.
 *
 * The whole layout (every dimension, dataset, scale and attribute) is made at the start and
 * flushed, so that from then on only chunks, extents and indices change: what a kill can hit is
 * small, and the order of objects in the file does not depend on what happens in the run. */
#include "sim/record/disk.h"
#include "sim/record/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool parent_of(const char *path, char *out, size_t out_max)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
    if (size >= out_max)
        return false;
    memcpy(out, slash == NULL ? "." : path, size);
    out[size] = '\0';
    return true;
}

enum dc_status ds_record_check_path(const char *path, struct dc_error *error)
{
    char parent[4096];
    struct stat s;
    if (path == NULL || path[0] == '\0')
        return dc_error_set(error, DC_ERR_USAGE,
                            "the output file has no name; give one with -o OUT.h5");
    if (path[strlen(path) - 1] == '/' || (stat(path, &s) == 0 && S_ISDIR(s.st_mode)))
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: is a directory; name a file, such as %s%sresult.h5", path, path,
                            path[strlen(path) - 1] == '/' ? "" : "/");
    if (stat(path, &s) == 0 && !S_ISREG(s.st_mode))
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: is not a regular file; name a new or an ordinary file", path);
    if (!parent_of(path, parent, sizeof parent))
        return dc_error_set(error, DC_ERR_USAGE,
                            "the output file's name is too long; choose a shorter one");
    if (stat(parent, &s) != 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: directory %s: %s; make it first: mkdir -p '%s'", path, parent,
                            strerror(errno), parent);
    if (!S_ISDIR(s.st_mode))
        return dc_error_set(error, DC_ERR_USAGE, "%s: %s is not a directory; choose another place",
                            path, parent);
    if (access(parent, W_OK | X_OK) != 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: cannot write to directory %s: %s; choose another place with -o",
                            path, parent, strerror(errno));
    return DC_OK;
}

uint64_t ds_recorder_width(const struct ds_schema *schema, const uint64_t *sizes,
                           const struct ds_column *column)
{
    if (column->across == DS_NONE)
        return 1;
    DC_CHECK(!schema->dims[column->across].grows);
    return sizes[column->across];
}

/* Which dimensions are used, and how many rows of each make a chunk. */
static void plan(struct ds_recorder *r, const struct ds_record_options *options)
{
    for (size_t d = 0; d < r->schema->dim_count; d++) {
        const struct ds_dim *dim = &r->schema->dims[d];
        struct ds_record_dim *state = &r->dims[d];
        uint64_t widest = 1;
        for (size_t t = 0; t < r->schema->table_count; t++) {
            const struct ds_table *table = &r->schema->tables[t];
            for (size_t c = 0; r->tables[t].on && c < table->column_count; c++) {
                const struct ds_column *column = &table->columns[c];
                state->used |= table->dim == (int)d || column->across == (int)d;
                uint64_t bytes =
                    ds_recorder_width(r->schema, options->sizes, column) * ds_h5_value_bytes(column->type);
                if (table->dim == (int)d && bytes > widest)
                    widest = bytes;
            }
        }
        uint64_t rows = DS_CHUNK_BYTES / widest,
                 most = dim->grows ? dim->rows_max : options->sizes[d];
        DC_CHECK(most >= 1);
        state->chunk_rows = rows < 1 ? 1 : rows > most ? most : rows;
        state->size_fixed = dim->grows ? 0 : options->sizes[d];
    }
}

/* flag_values or flag_masks in the column's own type, as CF asks, and the words. */
static bool put_vocabulary(struct ds_recorder *r, const struct ds_record_options *options,
                           hid_t set, const struct ds_column *column)
{
    const struct ds_vocabulary *words = &r->schema->vocabularies[column->vocabulary];
    const char *meanings = words->meanings;
    if (meanings == NULL)
        meanings = options->meanings == NULL ? NULL : options->meanings[column->vocabulary];
    if (meanings == NULL || meanings[0] == '\0')
        return true;
    size_t count = 1;
    for (const char *p = meanings; *p != '\0'; p++)
        count += *p == ' ';
    DC_CHECK(count <= (words->masks ? 8u : column->type == DS_U8 ? 256u : 65536u));
    uint8_t *bytes = dc_mem_alloc(count, 1);
    uint16_t *shorts = dc_mem_alloc(count, 2);
    bool ok = bytes != NULL && shorts != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        shorts[i] = (uint16_t)(words->masks ? 1u << i : i);
        bytes[i] = (uint8_t)shorts[i];
    }
    DC_CHECK(column->type == DS_U8 || column->type == DS_U16);
    ok = ok && ds_h5_put_numbers(set, words->masks ? "flag_masks" : "flag_values", column->type,
                                 column->type == DS_U8 ? (const void *)bytes : shorts, count);
    dc_mem_free(bytes);
    dc_mem_free(shorts);
    return ok && ds_h5_put_text(set, "flag_meanings", meanings);
}

static bool make_column(struct ds_recorder *r, const struct ds_record_options *options, size_t t,
                        size_t c)
{
    const struct ds_table *table = &r->schema->tables[t];
    const struct ds_column *column = &table->columns[c];
    struct ds_record_column *state = &r->tables[t].columns[c];
    const struct ds_record_dim *dim = &r->dims[table->dim];
    char name[128];
    state->width = ds_recorder_width(r->schema, options->sizes, column);
    state->value_bytes = ds_h5_value_bytes(column->type);
    uint64_t bytes = dim->chunk_rows * state->width * state->value_bytes,
             columns = DS_CHUNK_BYTES / 8;
    state->buffer = dc_arena_alloc(&r->memory, bytes);
    r->buffers_bytes += bytes;
    struct ds_h5_shape shape = {
        .rank = column->across == DS_NONE ? 1 : 2,
        .size = {dim->size_fixed, state->width},
        .chunk = {dim->chunk_rows, state->width < columns ? state->width : columns},
        .chunked = true,
        .unlimited = dim->size_fixed == 0,
    };
    snprintf(name, sizeof name, "%s%s", table->prefix, column->name);
    state->set = ds_h5_dataset(r->tables[t].group, name, column->type, &shape);
    return state->buffer != NULL && state->set >= 0 &&
           H5DSattach_scale(state->set, dim->scale, 0) >= 0 &&
           (column->across == DS_NONE ||
            H5DSattach_scale(state->set, r->dims[column->across].scale, 1) >= 0) &&
           ds_h5_put_text(state->set, "units", column->units) &&
           ds_h5_put_text(state->set, "long_name", column->long_name) &&
           (column->vocabulary == DS_NONE || put_vocabulary(r, options, state->set, column));
}

/* Tables of one group stand next to each other in the schema, so the last group is enough. */
static bool make_table(struct ds_recorder *r, const struct ds_record_options *options, size_t t)
{
    const struct ds_table *table = &r->schema->tables[t];
    struct ds_record_table *state = &r->tables[t];
    if (table->group[0] == '\0')
        state->group = r->file;
    else if (t > 0 && r->tables[t - 1].on &&
             strcmp(r->schema->tables[t - 1].group, table->group) == 0)
        state->group = r->tables[t - 1].group;
    else {
        state->group = ds_h5_group(r->file, table->group);
        if (state->group < 0 || !ds_h5_put_text(state->group, "long_name", table->long_name))
            return false;
    }
    for (size_t c = 0; c < table->column_count; c++)
        if (!make_column(r, options, t, c))
            return false;
    return true;
}

static bool make_layout(struct ds_recorder *r, const struct ds_record_options *options)
{
    const int32_t incomplete = 0;
    for (size_t i = 0; i < options->attribute_count; i++)
        if (!ds_h5_put_text(r->file, options->attributes[i].name, options->attributes[i].text))
            return false;
    if (!ds_h5_put_numbers(r->file, "seed", DS_U64, &options->seed, 0) ||
        !ds_h5_put_text(r->file, "trace_digest", "") ||
        !ds_h5_put_text(r->file, "content_digest", ""))
        return false;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t complete =
        H5Acreate2(r->file, "complete", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = complete >= 0 && H5Awrite(complete, H5T_NATIVE_INT32, &incomplete) >= 0;
    H5Aclose(complete);
    H5Sclose(space);
    for (size_t d = 0; ok && d < r->schema->dim_count; d++)
        if (r->dims[d].used) {
            r->dims[d].scale = ds_h5_dim(r->file, &r->schema->dims[d], r->dims[d].size_fixed);
            ok = r->dims[d].scale >= 0;
        }
    for (size_t t = 0; ok && t < r->schema->table_count; t++)
        ok = !r->tables[t].on || make_table(r, options, t);
    if (!ok)
        return false;
    r->summary = ds_h5_group(r->file, "summary");
    return r->summary >= 0 && ds_h5_put_text(r->summary, "long_name", "the run in single numbers");
}

bool ds_recorder_allocate(struct ds_recorder *r, const struct ds_record_options *options)
{
    const char *path = options->path != NULL ? options->path : "";
    size_t size = strlen(path) + 1;
    r->dims = dc_arena_alloc(&r->memory, r->schema->dim_count * sizeof *r->dims);
    r->tables = dc_arena_alloc(&r->memory, r->schema->table_count * sizeof *r->tables);
    r->path = dc_arena_alloc(&r->memory, size);
    r->partial = dc_arena_alloc(&r->memory, size + 8);
    r->begun = dc_arena_alloc(&r->memory, size + 12);
    if (r->dims == NULL || r->tables == NULL || r->path == NULL || r->partial == NULL ||
        r->begun == NULL)
        return false;
    memcpy(r->path, path, size);
    snprintf(r->partial, size + 8, "%s.partial", path);
    snprintf(r->begun, size + 12, "%s.partial.new", path);
    for (size_t d = 0; d < r->schema->dim_count; d++)
        r->dims[d].scale = H5I_INVALID_HID;
    for (size_t t = 0; t < r->schema->table_count; t++) {
        struct ds_record_table *table = &r->tables[t];
        size_t columns = r->schema->tables[t].column_count;
        table->on = (options->tables_off >> t & 1) == 0;
        table->columns = dc_arena_alloc(&r->memory, columns * sizeof *table->columns);
        if (table->columns == NULL)
            return false;
        for (size_t c = 0; c < columns; c++)
            table->columns[c].set = H5I_INVALID_HID;
    }
    return true;
}

void ds_recorder_release(struct ds_recorder *r)
{
    for (size_t t = 0; r->tables != NULL && t < r->schema->table_count; t++)
        dc_arena_free(&r->tables[t].text);
    if (r->driver >= 0)
        H5FDunregister(r->driver);
    struct dc_arena memory = r->memory;
    dc_arena_free(&memory);
    dc_mem_free(r);
}

enum dc_status ds_recorder_open(const struct ds_record_options *options, struct ds_recorder **out,
                                struct dc_error *error)
{
    *out = NULL;
    enum dc_status status = ds_record_check_path(options->path, error);
    if (status != DC_OK)
        return status;
    ds_h5_quiet();
    struct ds_recorder *r = dc_mem_alloc(1, sizeof *r);
    if (r == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", options->path);
    r->schema = options->schema == NULL ? ds_schema_results() : options->schema;
    DC_CHECK(r->schema->table_count <= 64);
    r->driver = r->file = r->summary = H5I_INVALID_HID;
    if (!ds_recorder_allocate(r, options)) {
        ds_recorder_release(r);
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", options->path);
    }
    plan(r, options);
    int probe = open(r->begun, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (probe < 0) {
        status = dc_error_set(error, DC_ERR_IO, "%s: %s", r->partial, strerror(errno));
        ds_recorder_release(r);
        return status;
    }
    close(probe);
    errno = 0;
    r->driver = ds_disk_driver();
    r->file = ds_h5_create(r->begun, r->driver);
    if (r->file < 0) {
        status = ds_h5_failed(error, r->partial, "cannot create");
        ds_recorder_release(r);
        return status;
    }
    errno = 0;
    if (!make_layout(r, options))
        ds_recorder_break(r, "cannot lay out the results (out of memory or disk)", NULL);
    else if (ds_recorder_flush(r, NULL) == DC_OK)
        (void)ds_recorder_reserve(r, 0, NULL);
    if (rename(r->begun, r->partial) != 0 && r->error.status == DC_OK)
        dc_error_set(&r->error, DC_ERR_IO, "%s: cannot be renamed to %s: %s", r->begun, r->partial,
                     strerror(errno));
    if (r->error.status != DC_OK)
        return ds_recorder_close(r, false, NULL, NULL, error);
    *out = r;
    return DC_OK;
}

bool ds_recorder_has(const struct ds_recorder *r, int table)
{
    return r->tables[table].on;
}

enum dc_status ds_recorder_summary(struct ds_recorder *r, const struct ds_scalar *scalar,
                                   struct dc_error *error)
{
    if (r->error.status != DC_OK)
        return ds_recorder_fail(r, error);
    DC_CHECK(scalar->type == DS_U64 || scalar->type == DS_I64 || scalar->type == DS_F64);
    DC_CHECK(strchr(scalar->name, '/') == NULL);
    struct ds_h5_shape shape = {.rank = 0};
    const double nan_value = NAN;
    bool undefined = scalar->type == DS_F64 && isnan(scalar->value.f64);
    const void *value = undefined ? (const void *)&nan_value : &scalar->value;
    errno = 0;
    hid_t set = ds_h5_dataset(r->summary, scalar->name, scalar->type, &shape);
    bool ok =
        set >= 0 &&
        H5Dwrite(set, ds_h5_memory_type(scalar->type), H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0 &&
        ds_h5_put_text(set, "units", scalar->units) &&
        ds_h5_put_text(set, "long_name", scalar->long_name);
    H5Dclose(set);
    return ok ? DC_OK : ds_recorder_break(r, "cannot write the summary", error);
}

static void close_objects(struct ds_recorder *r)
{
    hid_t last = r->file;
    for (size_t t = 0; t < r->schema->table_count; t++) {
        struct ds_record_table *table = &r->tables[t];
        for (size_t c = 0; table->on && c < r->schema->tables[t].column_count; c++)
            if (table->columns[c].set >= 0)
                H5Dclose(table->columns[c].set);
        if (table->on && table->group > 0 && table->group != last) {
            last = table->group;
            H5Gclose(table->group);
        }
    }
    for (size_t d = 0; d < r->schema->dim_count; d++)
        if (r->dims[d].scale >= 0)
            H5Dclose(r->dims[d].scale);
    if (r->summary >= 0)
        H5Gclose(r->summary);
}

/* Everything but `complete` is on disk before `complete` becomes 1. */
static void finish(struct ds_recorder *r, bool complete, const char *trace_digest, char content[65])
{
    for (size_t d = 0; d < r->schema->dim_count && !r->broken; d++)
        if (r->dims[d].used)
            (void)ds_recorder_write_dim(r, d, NULL);
    if (r->broken)
        return;
    complete = complete && r->error.status == DC_OK;
    for (size_t d = 0; complete && d < r->schema->dim_count; d++)
        for (size_t t = 0; t < r->schema->table_count; t++)
            DC_CHECK(!r->tables[t].on || r->schema->tables[t].dim != (int)d ||
                     r->dims[d].size_fixed == 0 || r->dims[d].size == r->dims[d].size_fixed);
    errno = 0;
    if ((trace_digest != NULL && !ds_h5_set_text(r->file, "trace_digest", trace_digest)) ||
        !ds_h5_content(r->file, complete, content) ||
        !ds_h5_set_text(r->file, "content_digest", content)) {
        content[0] = '\0';
        ds_recorder_break(r, "cannot compute or store the digests", NULL);
        return;
    }
    const int32_t yes = 1;
    if (ds_recorder_flush(r, NULL) != DC_OK || !complete)
        return;
    hid_t attribute = H5Aopen(r->file, "complete", H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, H5T_NATIVE_INT32, &yes) < 0)
        ds_recorder_break(r, "cannot mark the results complete", NULL);
    H5Aclose(attribute);
}

enum dc_status ds_recorder_close(struct ds_recorder *r, bool complete, const char *trace_digest,
                                 char content_digest[65], struct dc_error *error)
{
    char content[65] = "";
    if (r->waits) {
        if (content_digest != NULL)
            content_digest[0] = '\0';
        ds_recorder_release(r);
        return DC_OK;
    }
    complete = complete && r->error.status == DC_OK;
    r->closing = true;
    if (!r->broken)
        finish(r, complete, trace_digest, content);
    if (!r->broken && ds_recorder_flush(r, NULL) != DC_OK)
        content[0] = '\0';
    close_objects(r);
    errno = 0;
    if (H5Fclose(r->file) < 0 && !r->broken)
        ds_h5_failed(&r->error, r->partial, "cannot close");
    if (r->error.status == DC_OK && complete && rename(r->partial, r->path) != 0)
        dc_error_set(&r->error, DC_ERR_IO,
                     "%s: cannot rename to %s: %s; the results are complete in the former",
                     r->partial, r->path, strerror(errno));
    if (content_digest != NULL)
        memcpy(content_digest, content, sizeof content);
    enum dc_status status = r->error.status == DC_OK ? DC_OK : ds_recorder_fail(r, error);
    ds_recorder_release(r);
    return status;
}

/* Rows into buffers, buffers into chunks, and the end of the disk; see record.h for the idea. */
#include "sim/record/recorder.h"

#include "sim/record/disk.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum dc_status ds_recorder_fail(struct ds_recorder *r, struct dc_error *error)
{
    return dc_error_set(error, r->error.status, "%s", r->error.text);
}

/* HDF5 keeps dirty metadata that it would try to write again and again, also when closing.  With
 * the disk abandoned all of that succeeds, harmlessly, and the library ends in order. */
enum dc_status ds_recorder_break(struct ds_recorder *r, const char *what, struct dc_error *error)
{
    int reason = ds_disk_reason(r->file);
    if (reason != 0)
        dc_error_set(&r->error, DC_ERR_IO, "%s: %s: %s", r->partial, what, strerror(reason));
    else
        ds_h5_failed(&r->error, r->partial, what);
    ds_disk_abandon(r->file);
    r->broken = true;
    return ds_recorder_fail(r, error);
}

enum dc_status ds_recorder_reserve(struct ds_recorder *r, uint64_t more, struct dc_error *error)
{
    uint64_t need = more + r->buffers_bytes + r->text_bytes + DS_CLOSING_BYTES;
    int reason = ds_disk_reserve(r->file, need);
    if (reason == 0)
        return DC_OK;
    dc_error_set(&r->error, DC_ERR_IO,
                 "%s: %s: no room for another %llu KiB; the results so far are kept in this file; "
                 "free space or choose another place with -o",
                 r->partial, strerror(reason), (unsigned long long)((need + 1023) / 1024));
    return ds_recorder_fail(r, error);
}

static bool write_column(const struct ds_recorder *r, size_t t, size_t c, uint64_t rows)
{
    const struct ds_table *table = &r->schema->tables[t];
    const struct ds_column *column = &table->columns[c];
    const struct ds_record_column *state = &r->tables[t].columns[c];
    const struct ds_record_dim *dim = &r->dims[table->dim];
    int rank = column->across == DS_NONE ? 1 : 2;
    hsize_t start[2] = {dim->size, 0}, count[2] = {rows, state->width},
            size[2] = {dim->size + rows, state->width};
    if (dim->size_fixed == 0 && H5Dset_extent(state->set, size) < 0)
        return false;
    hid_t type = ds_h5_memory_type(column->type), memory = H5Screate_simple(rank, count, NULL);
    hid_t space = H5Dget_space(state->set);
    bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              H5Dwrite(state->set, type, memory, space, H5P_DEFAULT, state->buffer) >= 0;
    int reason = errno;
    H5Sclose(space);
    H5Sclose(memory);
    if (column->type == DS_TEXT)
        H5Tclose(type);
    errno = reason;
    return ok;
}

enum dc_status ds_recorder_flush(struct ds_recorder *r, struct dc_error *error)
{
    if (r->error.status != DC_OK && !r->closing)
        return ds_recorder_fail(r, error);
    errno = 0;
    if (H5Fflush(r->file, H5F_SCOPE_LOCAL) < 0)
        return ds_recorder_break(r, "cannot flush", error);
    return DC_OK;
}

static uint64_t rows_of(const struct ds_recorder *r, size_t d, uint64_t *bytes)
{
    uint64_t rows = UINT64_MAX;
    *bytes = 0;
    for (size_t t = 0; t < r->schema->table_count; t++) {
        if (!r->tables[t].on || r->schema->tables[t].dim != (int)d)
            continue;
        rows = r->tables[t].rows < rows ? r->tables[t].rows : rows;
        for (size_t c = 0; c < r->schema->tables[t].column_count; c++)
            *bytes += r->dims[d].chunk_rows * r->tables[t].columns[c].width *
                      r->tables[t].columns[c].value_bytes;
    }
    return rows == UINT64_MAX ? 0 : rows;
}

enum dc_status ds_recorder_write_dim(struct ds_recorder *r, size_t d, struct dc_error *error)
{
    struct ds_record_dim *dim = &r->dims[d];
    uint64_t bytes, rows = rows_of(r, d, &bytes);
    if (rows == 0)
        return DC_OK;
    if (!r->closing && ds_recorder_reserve(r, bytes + r->text_bytes, error) != DC_OK)
        return r->error.status;
    hsize_t size = dim->size + rows;
    errno = 0;
    if (dim->size_fixed == 0 && H5Dset_extent(dim->scale, &size) < 0)
        return ds_recorder_break(r, "cannot extend a dimension", error);
    for (size_t t = 0; t < r->schema->table_count; t++) {
        const struct ds_table *table = &r->schema->tables[t];
        if (!r->tables[t].on || table->dim != (int)d)
            continue;
        for (size_t c = 0; c < table->column_count; c++)
            if (!write_column(r, t, c, rows))
                return ds_recorder_break(r, "cannot write results", error);
        r->tables[t].rows = 0;
        r->text_bytes -= r->tables[t].text_bytes;
        r->tables[t].text_bytes = 0;
        dc_arena_free(&r->tables[t].text);
    }
    dim->size += rows;
    return ds_recorder_flush(r, error);
}

/* Not-a-number has many bit patterns, and compilers choose different ones. */
static double canonical(double x)
{
    const double nan_value = NAN;
    return isnan(x) ? nan_value : x;
}

static bool put_text(struct ds_recorder *r, struct ds_record_table *table, const char *text,
                     char **out)
{
    size_t size = (text == NULL ? 0 : strlen(text)) + 1;
    *out = dc_arena_alloc(&table->text, size);
    if (*out == NULL)
        return false;
    memcpy(*out, text == NULL ? "" : text, size);
    table->text_bytes += size + 64; /* and its place in the file's heap */
    r->text_bytes += size + 64;
    return true;
}

static bool put_values(struct ds_recorder *r, struct ds_record_table *table,
                       const struct ds_column *column, const struct ds_record_column *state,
                       const void *from)
{
    uint64_t width = state->width;
    uint8_t *to = state->buffer + table->rows * width * state->value_bytes;
    if (column->type == DS_TEXT) {
        DC_CHECK(width == 1);
        return put_text(r, table, *(const char *const *)from, (char **)to);
    }
    double *values = (double *)to;
    const double *doubles = from;
    const uint32_t *fixed = from;
    if (column->type == DS_F64)
        for (uint64_t i = 0; i < width; i++)
            values[i] = canonical(doubles[i]);
    else if (column->type == DS_Q31)
        for (uint64_t i = 0; i < width; i++)
            values[i] = fixed[i] == DS_Q31_NONE ? canonical(NAN) : (double)fixed[i] / 2147483648.0;
    else
        memcpy(to, from, width * state->value_bytes);
    return true;
}

enum dc_status ds_recorder_append(struct ds_recorder *r, int table, const void *row,
                                  struct dc_error *error)
{
    DC_CHECK(table >= 0 && (size_t)table < r->schema->table_count);
    if (r->error.status != DC_OK)
        return ds_recorder_fail(r, error);
    struct ds_record_table *state = &r->tables[table];
    const struct ds_table *schema = &r->schema->tables[table];
    struct ds_record_dim *dim = &r->dims[schema->dim];
    if (!state->on)
        return DC_OK;
    if (r->waits)
        return ds_recorder_keep(r, table, row, error);
    DC_CHECK(state->rows < dim->chunk_rows); /* tables of one dimension go in step */
    DC_CHECK(dim->size_fixed == 0 || dim->size + state->rows < dim->size_fixed);
    for (size_t c = 0; c < schema->column_count; c++) {
        const struct ds_column *column = &schema->columns[c];
        const void *from = (const char *)row + column->offset;
        if (column->across != DS_NONE && !column->inlined)
            from = *(const void *const *)from;
        DC_CHECK(from != NULL);
        if (!put_values(r, state, column, &state->columns[c], from)) {
            dc_error_set(&r->error, DC_ERR_IO, "%s: out of memory", r->partial);
            return ds_recorder_fail(r, error);
        }
    }
    state->rows++;
    uint64_t bytes;
    if (state->rows < dim->chunk_rows || rows_of(r, (size_t)schema->dim, &bytes) < dim->chunk_rows)
        return DC_OK;
    return ds_recorder_write_dim(r, (size_t)schema->dim, error);
}

enum dc_status ds_recorder_append_many(struct ds_recorder *r, int table, const void *rows,
                                       uint64_t count, struct dc_error *error)
{
    enum dc_status status = r->error.status == DC_OK ? DC_OK : ds_recorder_fail(r, error);
    size_t stride = r->schema->tables[table].row_bytes;
    for (uint64_t i = 0; i < count && status == DC_OK; i++)
        status = ds_recorder_append(r, table, (const char *)rows + i * stride, error);
    return status;
}

enum dc_status ds_recorder_input(struct ds_recorder *r, const char *path, const void *content,
                                 uint64_t bytes, const char *digest, struct dc_error *error)
{
    struct ds_row_input row = {path, digest, bytes, r->input_offset};
    enum dc_status status = ds_recorder_append(r, DS_TABLE_INPUTS, &row, error);
    r->input_offset += bytes;
    return status == DC_OK ? ds_recorder_append_many(r, DS_TABLE_INPUT_BYTES, content, bytes, error)
                           : status;
}

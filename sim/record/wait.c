/* A recorder without a file: rows wait in memory, for runs that share their beginning and then part
 * into files of their own (world/branch.c).
 *
 *     keep(row) -> [row struct | arrays | texts] in the arena, chained -> replay -> append, in order
 *
 * A row is copied with everything that it points to, by the schema. */
#include "sim/record/recorder.h"

#include <string.h>

/* Bytes of a value as rows hold it: ds_h5_value_bytes, but fixed point is still that. */
static size_t row_value_bytes(enum ds_type type)
{
    return type == DS_Q31 ? sizeof(uint32_t) : ds_h5_value_bytes(type);
}

static void *copy(struct ds_recorder *r, const void *from, size_t size)
{
    void *to = dc_arena_alloc(&r->memory, size);
    if (to != NULL)
        memcpy(to, from, size);
    return to;
}

/* Puts what a column of the row points to beside it. */
static bool keep_column(struct ds_recorder *r, const struct ds_column *column, uint64_t width,
                        uint8_t *row)
{
    void *at = row + column->offset;
    if (column->across != DS_NONE && !column->inlined) {
        const void *from = *(const void **)at;
        void *to = copy(r, from, width * row_value_bytes(column->type));
        *(void **)at = to;
        return to != NULL;
    }
    if (column->type != DS_TEXT)
        return true;
    const char *text = *(const char **)at;
    if (text == NULL)
        return true;
    *(const char **)at = copy(r, text, strlen(text) + 1);
    return *(const char **)at != NULL;
}

enum dc_status ds_recorder_keep(struct ds_recorder *r, int table, const void *row,
                                struct dc_error *error)
{
    const struct ds_table *schema = &r->schema->tables[table];
    struct ds_record_waiting *w = dc_arena_alloc(&r->memory, sizeof *w);
    bool ok = w != NULL && (w->row = copy(r, row, schema->row_bytes)) != NULL;
    for (size_t c = 0; ok && c < schema->column_count; c++)
        ok = keep_column(r, &schema->columns[c], r->tables[table].columns[c].width, w->row);
    if (!ok) {
        dc_error_set(&r->error, DC_ERR_IO, "out of memory for results that wait for their file");
        return ds_recorder_fail(r, error);
    }
    w->table = table;
    w->next = NULL;
    if (r->last != NULL)
        r->last->next = w;
    else
        r->first = w;
    r->last = w;
    return DC_OK;
}

enum dc_status ds_recorder_wait(const struct ds_record_options *options, struct ds_recorder **out,
                                struct dc_error *error)
{
    *out = NULL;
    struct ds_recorder *r = dc_mem_alloc(1, sizeof *r);
    if (r == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    r->schema = options->schema == NULL ? ds_schema_results() : options->schema;
    r->driver = r->file = r->summary = H5I_INVALID_HID;
    r->waits = true;
    if (!ds_recorder_allocate(r, options)) {
        ds_recorder_release(r);
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    }
    for (size_t t = 0; t < r->schema->table_count; t++)
        for (size_t c = 0; c < r->schema->tables[t].column_count; c++)
            r->tables[t].columns[c].width =
                ds_recorder_width(r->schema, options->sizes, &r->schema->tables[t].columns[c]);
    *out = r;
    return DC_OK;
}

enum dc_status ds_recorder_replay(struct ds_recorder *r, const struct ds_recorder *waiting,
                                  struct dc_error *error)
{
    enum dc_status status = DC_OK;
    for (const struct ds_record_waiting *w = waiting->first; w != NULL && status == DC_OK;
         w = w->next)
        status = ds_recorder_append(r, w->table, w->row, error);
    return status;
}

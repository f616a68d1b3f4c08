/* The recorder's insides, shared by record.c (open, close) and rows.c (rows, chunks, the disk).
 *
 *     dims[d]     scale, size written so far, rows per chunk
 *     tables[t]   group, rows buffered (0 .. rows per chunk of its dimension), its columns
 *     column      dataset, buffer of rows_per_chunk x width values as HDF5 takes them
 *
 * Everything but text lives in one arena; text waits in its table's arena until it is written. */
#ifndef SIM_RECORD_RECORDER_H
#define SIM_RECORD_RECORDER_H

#include "models/base/mem.h"
#include "sim/record/h5.h"
#include "sim/record/record.h"

/* A chunk of the widest column of a dimension is about this large, within interface.md's 64 KiB to
 * 1 MiB; rows of more than this are split. */
#define DS_CHUNK_BYTES ((uint64_t)128 << 10)
/* What closing writes besides buffers: summary, digests, headers, indices. */
#define DS_CLOSING_BYTES ((uint64_t)256 << 10)

struct ds_record_dim {
    hid_t scale;
    uint64_t size;       /* rows in the file; fixed dimension: the rows of its tables */
    uint64_t size_fixed; /* 0 when it grows */
    uint64_t chunk_rows;
    bool used;
};

struct ds_record_column {
    hid_t set;
    uint8_t *buffer;
    uint64_t width; /* values per row */
    size_t value_bytes;
};

struct ds_record_table {
    bool on;
    hid_t group;
    uint64_t rows;
    struct ds_record_column *columns;
    struct dc_arena text;
    uint64_t text_bytes; /* of that */
};

/* Rows that wait for a file (wait.c): each with all that it points to. */
struct ds_record_waiting {
    struct ds_record_waiting *next;
    void *row;
    int table;
};

struct ds_recorder {
    const struct ds_schema *schema;
    char *path, *partial;
    char *begun; /* its name until its layout is on disk: whatever bears the name of partial opens */
    hid_t driver, file, summary;
    struct ds_record_dim *dims;
    struct ds_record_table *tables;
    struct dc_arena memory;
    uint64_t buffers_bytes, text_bytes; /* of all buffers when full; of text that waits */
    uint64_t input_offset;
    bool waits; /* there is no file: */
    struct ds_record_waiting *first, *last;
    bool closing, broken;  /* broken: HDF5 failed, the disk is abandoned */
    struct dc_error error; /* the first failure */
};

/* wait.c: keeps a copy. */
enum dc_status ds_recorder_keep(struct ds_recorder *r, int table, const void *row,
                                struct dc_error *error);
/* record.c: dims and tables; width of a column in a row of so many sizes. */
bool ds_recorder_allocate(struct ds_recorder *r, const struct ds_record_options *options);
uint64_t ds_recorder_width(const struct ds_schema *schema, const uint64_t *sizes,
                           const struct ds_column *column);
void ds_recorder_release(struct ds_recorder *r);

/* Records the first failure of r and hands it to error. */
enum dc_status ds_recorder_fail(struct ds_recorder *r, struct dc_error *error);
/* HDF5 failed: keeps the file as it is on disk from here on, and records why. */
enum dc_status ds_recorder_break(struct ds_recorder *r, const char *what, struct dc_error *error);
/* Reserves room for more bytes and for closing behind the end of the file. */
enum dc_status ds_recorder_reserve(struct ds_recorder *r, uint64_t more, struct dc_error *error);
/* Writes the rows that all tables of dimension d have, as one chunk; drops rows beyond those. */
enum dc_status ds_recorder_write_dim(struct ds_recorder *r, size_t d, struct dc_error *error);

#endif

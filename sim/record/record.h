/* The writer of results: rows in, an HDF5 file out that every tool opens.
 *
 * Rows are buffered per table until a chunk is full; then every table of that dimension writes its
 * chunk, once, and the file is flushed.  So memory does not grow with a run, and a killed run
 * leaves a readable file.  Tables that share a dimension (epochs and node_epoch) therefore are
 * appended to in step: never more than one row apart.
 *
 *     append(row) -> buffers -> [full] -> write chunk, extend dimension, flush -> OUT.h5.partial
 *                                                    close(complete) -> digest, rename -> OUT.h5
 *
 * A full disk: before a chunk is written, room for it and for everything that closing may still
 * write is reserved behind the file's end.  When that is refused the recorder stops there, and
 * closing uses what was reserved before, so HDF5 itself never meets the end of the disk.  If a
 * write fails all the same, the file is left as it was last flushed.
 *
 * One thread at a time.  After a failure every call returns the same status at once; close must
 * still be called. */
#ifndef SIM_RECORD_RECORD_H
#define SIM_RECORD_RECORD_H

#include "models/base/status.h"
#include "sim/record/schema.h"

struct ds_recorder;

struct ds_attribute {
    const char *name, *text; /* UTF-8 */
};

struct ds_record_options {
    const char *path;               /* of the finished file */
    const struct ds_schema *schema; /* NULL: ds_schema_results() */
    uint64_t tables_off;            /* bit per table id: not recorded */
    const uint64_t *sizes;          /* per dimension id; read for fixed dimensions, at least 1 */
    const char *const *meanings;    /* per vocabulary id; read where the schema has none */
    const struct ds_attribute *attributes; /* of the root: title, scenario, build_compiler ... */
    size_t attribute_count;
    uint64_t seed;
};

/* Refuses an output path that cannot work, before a run is set up: DC_ERR_USAGE for an empty name,
 * a directory, a missing or unwritable parent directory.  Touches nothing. */
enum dc_status ds_record_check_path(const char *path, struct dc_error *error) DC_MUST_USE;

/* Creates path.partial with `complete` = 0; until its layout is on disk it is called
 * path.partial.new, so that whatever is called path.partial opens.  Names that begin with build_ and destrasim_version
 * stay out of the content digest.  Everything in options is copied.  DC_ERR_USAGE as above,
 * DC_ERR_IO when the file cannot be written or memory is out; *out is NULL then. */
enum dc_status ds_recorder_open(const struct ds_record_options *options, struct ds_recorder **out,
                                struct dc_error *error) DC_MUST_USE;

/* As open, but there is no file: rows wait in memory, all of them, until ds_recorder_replay or close.
 * Of the options, path and attributes are not looked at. */
enum dc_status ds_recorder_wait(const struct ds_record_options *options, struct ds_recorder **out,
                                struct dc_error *error) DC_MUST_USE;
/* Appends to r what waits in `waiting`, in the order in which it came: the same calls on r would
 * have given the same file. */
enum dc_status ds_recorder_replay(struct ds_recorder *r, const struct ds_recorder *waiting,
                                  struct dc_error *error) DC_MUST_USE;

/* Appends one row, a struct ds_row_* of that table; a table that is off swallows it.
 * DC_ERR_IO when writing failed or the disk is full. */
enum dc_status ds_recorder_append(struct ds_recorder *r, int table, const void *row,
                                  struct dc_error *error) DC_MUST_USE;
/* As count calls, rows lying one after the other. */
enum dc_status ds_recorder_append_many(struct ds_recorder *r, int table, const void *rows,
                                       uint64_t count, struct dc_error *error) DC_MUST_USE;
bool ds_recorder_has(const struct ds_recorder *r, int table);

/* Embeds a file that the scenario names; digest is hex text of the caller's choice. */
enum dc_status ds_recorder_input(struct ds_recorder *r, const char *path, const void *content,
                                 uint64_t bytes, const char *digest,
                                 struct dc_error *error) DC_MUST_USE;

/* One number of /summary; type is DS_U64, DS_I64 or DS_F64 and says which member counts. */
struct ds_scalar {
    const char *name, *units, *long_name;
    enum ds_type type;
    union {
        uint64_t u64;
        int64_t i64;
        double f64;
    } value;
};
enum dc_status ds_recorder_summary(struct ds_recorder *r, const struct ds_scalar *scalar,
                                   struct dc_error *error) DC_MUST_USE;

/* Makes what was written durable against kill -9 now.  Rows of unfinished chunks stay in memory:
 * a chunk is written once. */
enum dc_status ds_recorder_flush(struct ds_recorder *r, struct dc_error *error) DC_MUST_USE;

/* Writes what is buffered and closes; r is gone afterwards, whatever is returned.  complete: stores
 * the digests, sets `complete` = 1 and renames; fixed tables must be full then.  Otherwise (a
 * signal, a failed run) or after a failure, the file stays at path.partial with `complete` = 0.
 * trace_digest is hex text or NULL; content_digest (65 bytes, may be NULL) receives the digest that
 * was stored, or "".  Returns the first failure of the recorder's life. */
enum dc_status ds_recorder_close(struct ds_recorder *r, bool complete, const char *trace_digest,
                                 char content_digest[65], struct dc_error *error) DC_MUST_USE;

#endif

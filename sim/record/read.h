/* Reads a results file back, for verify and diff.
 *
 * Everything is found by name in the file, not in today's schema, so that files of other versions
 * open.  All text is UTF-8, owned by the reader, valid until it is closed. */
#ifndef SIM_RECORD_READ_H
#define SIM_RECORD_READ_H

#include "sim/record/record.h"

struct ds_results;

/* DC_ERR_IO when it is missing, unreadable, or not a results file. */
enum dc_status ds_results_open(const char *path, struct ds_results **out,
                               struct dc_error *error) DC_MUST_USE;
void ds_results_close(struct ds_results *r); /* NULL is fine */

/* A text attribute of the root ("scenario", "trace_digest" ...), or NULL. */
const char *ds_results_text(struct ds_results *r, const char *name);
uint64_t ds_results_seed(struct ds_results *r);
bool ds_results_complete(struct ds_results *r);
/* Length of a dimension by name; 0 when there is none. */
uint64_t ds_results_size(struct ds_results *r, const char *dim);

/* Rows [first, first + rows) of a numeric dataset ("/epochs/blocks", "/digest/node") converted to
 * type (any but DS_TEXT, DS_Q31) into out: rows x the size of its other axis. */
enum dc_status ds_results_read(struct ds_results *r, const char *dataset, uint64_t first,
                               uint64_t rows, enum ds_type type, void *out,
                               struct dc_error *error) DC_MUST_USE;
/* One string of a text column, or NULL. */
const char *ds_results_string(struct ds_results *r, const char *dataset, uint64_t row);
/* Its text attribute ("units"), or NULL; dataset "/" is the root. */
const char *ds_results_attribute(struct ds_results *r, const char *dataset, const char *name);

/* One embedded file; content is owned by the reader.  index < ds_results_size(r, "input"). */
struct ds_results_input {
    const char *path, *digest;
    const void *content;
    uint64_t bytes;
};
enum dc_status ds_results_input(struct ds_results *r, uint64_t index, struct ds_results_input *out,
                                struct dc_error *error) DC_MUST_USE;

/* Summary numbers in the order in which they were written. */
uint64_t ds_results_summary_count(struct ds_results *r);
enum dc_status ds_results_summary(struct ds_results *r, uint64_t index, struct ds_scalar *out,
                                  struct dc_error *error) DC_MUST_USE;

/* Numeric columns of a group ("/epochs"), for diff: calls visit with each dataset's full path. */
enum dc_status ds_results_each(struct ds_results *r, const char *group,
                               void (*visit)(void *context, const char *dataset), void *context,
                               struct dc_error *error) DC_MUST_USE;

/* Digest of the content as it is now: the stored one, unless somebody edited the file. */
enum dc_status ds_results_content_digest(struct ds_results *r, char out[65],
                                         struct dc_error *error) DC_MUST_USE;

#endif

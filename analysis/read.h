/* Reads results files (destrasim run) and study files (sweep) as arrays of doubles and strings.
 *
 * read*.c alone use HDF5 here.  Everything is found by name, so that files of other versions open;
 * what is absent is NULL, not an error, where a function says so. */
#ifndef ANALYSIS_READ_H
#define ANALYSIS_READ_H

#include "models/base/mem.h"

struct da_file;
enum da_file_kind { DA_FILE_RUN, DA_FILE_STUDY };

/* DC_ERR_IO when it is missing, unreadable or neither a run's nor a study's file. */
enum dc_status da_file_open(const char *path, struct da_file **out,
                            struct dc_error *error) DC_MUST_USE;
void da_file_close(struct da_file *f); /* NULL is fine */
enum da_file_kind da_file_kind(const struct da_file *f);

/* A text attribute of a dataset or group ("/" is the root), owned by the file; NULL: none. */
const char *da_file_text(struct da_file *f, const char *object, const char *name);
/* A numeric attribute of the root ("seed", "complete"); fallback: none. */
uint64_t da_file_number(struct da_file *f, const char *name, uint64_t fallback);

/* A numeric dataset as doubles, row by row; owned by the file; value NULL: there is none. */
struct da_array {
    size_t rank, size[3]; /* rank 0: one value */
    size_t count;         /* of all values */
    const double *value;
};
struct da_array da_file_array(struct da_file *f, const char *dataset);
/* A dataset of strings of rank 1 to 3, row by row; owned by the file; NULL and *count 0: there is
 * none. */
const char *const *da_file_strings(struct da_file *f, const char *dataset, size_t *count);
/* The words of an enumeration (flag_meanings, split), by value from 0; NULL: none. */
const char *const *da_file_words(struct da_file *f, const char *dataset, size_t *count);
/* Names of the datasets in a group, in the order in which they were made; NULL: no such group. */
const char *const *da_file_names(struct da_file *f, const char *group, size_t *count);

#endif

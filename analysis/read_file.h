/* What read.c and its rehearsal share; see read.h. */
#ifndef ANALYSIS_READ_FILE_H
#define ANALYSIS_READ_FILE_H

#include "analysis/read.h"

#include <hdf5.h>

struct da_file {
    hid_t file;
    enum da_file_kind kind;
    struct da_file_kept *kept;
    size_t text_bytes; /* of all strings so far */
    struct dc_arena memory;
};

/* NULL: cannot be opened, or out of memory. */
struct da_file *da_file_begin(const char *path);
/* An object of the root or of one of its groups ("/" too), reached by hard links alone. */
hid_t da_file_object(struct da_file *f, const char *name);
/* A text attribute of an object that is open. */
const char *da_file_text_of(struct da_file *f, hid_t at, const char *name);
/* Names of the members of a kind, in the order in which they were made; NULL: no such group. */
const char *const *da_file_members(struct da_file *f, const char *group, H5I_type_t type,
                                   size_t *count);
/* The extent of a dataset, where the file holds as much as it claims, in itself; false: it does
 * not, it has more than values_max values, or a rank above 3. */
bool da_file_extent(hid_t set, hid_t type, size_t values_max, struct da_array *out);
/* Forgets what was read. */
void da_file_forget(struct da_file *f);
/* Reads everything in a process of its own, or does what `read` does there; false: that process
 * died of it, or took too long. */
bool da_file_rehearse(const char *path);
bool da_file_rehearse_with(const char *path, void (*read)(const char *path));

#endif

/* What this folder needs of HDF5, so that every object of a results file is made one way.
 *
 * Bytes must not depend on when, where or how long: no time stamps, fixed format version (V18),
 * creation order tracked and indexed.  HDF5 reports by printing and by hooks at exit; both are
 * switched off, and a failed call becomes text in a dc_error.
 *
 * Dimensions follow netCDF-4 over HDF5's dimension scales: one scale at the root per dimension,
 * every axis attached to one; a dimension without values is a big-endian float32 dataset with
 * netCDF's marker as the scale's name (netCDF-C, libhdf5/nc4hdf.c). */
#ifndef SIM_RECORD_H5_H
#define SIM_RECORD_H5_H

#include "models/base/status.h"
#include "sim/record/schema.h"

#include <hdf5.h>

#define DS_DIM_MARKER "This is a netCDF dimension but not a netCDF variable."

/* No printing, no hook at exit; before any other call of HDF5 in the process, harmless after. */
void ds_h5_quiet(void);

/* An open file or H5I_INVALID_HID.  Created: old contents are lost, writes go through
 * the driver. */
hid_t ds_h5_create(const char *path, hid_t driver);
hid_t ds_h5_open(const char *path);

hid_t ds_h5_group(hid_t parent, const char *name);

/* Types in the file (little-endian; text is variable-length UTF-8, to be closed by the caller for
 * DS_TEXT only) and in memory, and the bytes of a value in memory. */
hid_t ds_h5_file_type(enum ds_type type);
hid_t ds_h5_memory_type(enum ds_type type);
size_t ds_h5_value_bytes(enum ds_type type);
hid_t ds_h5_text_type(void);

/* A dimension without values at the root of file; size is that of a fixed one. */
hid_t ds_h5_dim(hid_t file, const struct ds_dim *dim, uint64_t size);

/* A dataset of rank 0 to 3, contiguous or chunked; its first dimension may be unlimited. */
struct ds_h5_shape {
    int rank;
    hsize_t size[3], chunk[3];
    bool chunked, unlimited;
};
hid_t ds_h5_dataset(hid_t parent, const char *name, enum ds_type type,
                    const struct ds_h5_shape *shape);

/* Attributes; false when HDF5 refuses.  count 0: a scalar. */
bool ds_h5_put_text(hid_t object, const char *name, const char *text);
bool ds_h5_put_numbers(hid_t object, const char *name, enum ds_type type, const void *values,
                       size_t count);
bool ds_h5_set_text(hid_t object, const char *name, const char *text); /* it exists already */
/* Text attribute into memory of dc_mem_alloc, or NULL when absent, not text, or out of memory. */
char *ds_h5_get_text(hid_t object, const char *name);
bool ds_h5_get_number(hid_t object, const char *name, enum ds_type type, void *value);

/* "FILE: what: HDF5's innermost reason". */
enum dc_status ds_h5_failed(struct dc_error *error, const char *path, const char *what);

/* Hash of everything in the file that is content, as 64 hex digits (content.c). */
bool ds_h5_content(hid_t file, int32_t complete, char out[65]);

#endif

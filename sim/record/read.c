/* Reading results back by name; see read.h.  What it hands out it owns, in one arena. */
#include "sim/record/read.h"

#include "models/base/mem.h"
#include "sim/record/h5.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct ds_results {
    char *path;
    hid_t file;
    struct dc_arena memory;
};

static char *keep(struct ds_results *r, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = dc_arena_alloc(&r->memory, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

enum dc_status ds_results_open(const char *path, struct ds_results **out, struct dc_error *error)
{
    *out = NULL;
    ds_h5_quiet();
    FILE *probe = fopen(path, "rb");
    if (probe == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: %s", path, strerror(errno));
    fclose(probe);
    struct ds_results *r = dc_mem_alloc(1, sizeof *r);
    if (r == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", path);
    r->file = H5I_INVALID_HID;
    r->path = keep(r, path);
    if (r->path == NULL) {
        ds_results_close(r);
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", path);
    }
    r->file = ds_h5_open(path);
    int64_t complete;
    uint64_t seed;
    if (r->file < 0)
        dc_error_set(error, DC_ERR_IO, "%s: is not a results file of destrasim, or a damaged one",
                     path);
    else if (H5Aexists(r->file, "complete") <= 0 || H5Aexists(r->file, "scenario") <= 0 ||
             !ds_h5_get_number(r->file, "complete", DS_I64, &complete) ||
             !ds_h5_get_number(r->file, "seed", DS_U64, &seed))
        dc_error_set(error, DC_ERR_IO, "%s: is an HDF5 file, but not one that destrasim wrote",
                     path);
    else {
        *out = r;
        return DC_OK;
    }
    ds_results_close(r);
    return DC_ERR_IO;
}

void ds_results_close(struct ds_results *r)
{
    if (r == NULL)
        return;
    if (r->file >= 0)
        H5Fclose(r->file);
    struct dc_arena memory = r->memory;
    dc_arena_free(&memory);
    dc_mem_free(r);
}

const char *ds_results_attribute(struct ds_results *r, const char *dataset, const char *name)
{
    hid_t object = H5Oopen(r->file, dataset, H5P_DEFAULT);
    if (object < 0)
        return NULL;
    char *text = ds_h5_get_text(object, name);
    const char *kept = text == NULL ? NULL : keep(r, text);
    dc_mem_free(text);
    H5Oclose(object);
    return kept;
}

const char *ds_results_text(struct ds_results *r, const char *name)
{
    return ds_results_attribute(r, "/", name);
}

uint64_t ds_results_seed(struct ds_results *r)
{
    uint64_t seed = 0;
    (void)ds_h5_get_number(r->file, "seed", DS_U64, &seed);
    return seed;
}

bool ds_results_complete(struct ds_results *r)
{
    int64_t complete = 0;
    return ds_h5_get_number(r->file, "complete", DS_I64, &complete) && complete == 1;
}

/* Extent of a dataset; -1 when there is none of that name, or it has more than two dimensions. */
static int extent(struct ds_results *r, const char *dataset, hid_t *set, hsize_t size[2])
{
    *set = H5Dopen2(r->file, dataset, H5P_DEFAULT);
    if (*set < 0)
        return -1;
    hid_t space = H5Dget_space(*set);
    int rank = H5Sget_simple_extent_ndims(space);
    size[0] = size[1] = 1;
    if (rank > 2 || H5Sget_simple_extent_dims(space, size, NULL) < 0)
        rank = -1;
    H5Sclose(space);
    if (rank < 0)
        H5Dclose(*set);
    return rank;
}

uint64_t ds_results_size(struct ds_results *r, const char *dim)
{
    hid_t set;
    hsize_t size[2];
    if (H5Lexists(r->file, dim, H5P_DEFAULT) <= 0 || extent(r, dim, &set, size) < 0)
        return 0;
    H5Dclose(set);
    return size[0];
}

static bool is_number(hid_t set)
{
    hid_t type = H5Dget_type(set);
    H5T_class_t class = H5Tget_class(type);
    H5Tclose(type);
    return class == H5T_INTEGER || class == H5T_FLOAT;
}

enum dc_status ds_results_read(struct ds_results *r, const char *dataset, uint64_t first,
                               uint64_t rows, enum ds_type type, void *out, struct dc_error *error)
{
    hid_t set;
    hsize_t size[2], start[2] = {first, 0};
    DC_CHECK(type != DS_TEXT && type != DS_Q31);
    int rank = extent(r, dataset, &set, size);
    if (rank < 0)
        return dc_error_set(error, DC_ERR_IO, "%s: holds no %s", r->path, dataset);
    if (first > size[0] || rows > size[0] - first || !is_number(set)) {
        H5Dclose(set);
        return dc_error_set(error, DC_ERR_IO, "%s: %s has no numbers in rows %llu to %llu", r->path,
                            dataset, (unsigned long long)first, (unsigned long long)first + rows);
    }
    hsize_t count[2] = {rows, size[1]};
    enum dc_status status = DC_OK;
    hid_t space = H5Dget_space(set),
          memory = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, count, NULL);
    if (rows > 0 &&
        ((rank > 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0) ||
         H5Dread(set, ds_h5_memory_type(type), memory, space, H5P_DEFAULT, out) < 0))
        status = ds_h5_failed(error, r->path, dataset);
    H5Sclose(memory);
    H5Sclose(space);
    H5Dclose(set);
    return status;
}

const char *ds_results_string(struct ds_results *r, const char *dataset, uint64_t row)
{
    hid_t set;
    hsize_t size[2], start[1] = {row}, count[1] = {1};
    char *text = NULL;
    const char *kept = NULL;
    int rank = extent(r, dataset, &set, size);
    if (rank < 0)
        return NULL;
    hid_t stored = H5Dget_type(set);
    if (rank == 1 && row < size[0] && H5Tis_variable_str(stored) > 0) {
        hid_t type = ds_h5_text_type(), space = H5Dget_space(set),
              memory = H5Screate_simple(1, count, NULL);
        if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
            H5Dread(set, type, memory, space, H5P_DEFAULT, &text) >= 0)
            kept = keep(r, text == NULL ? "" : text);
        H5free_memory(text);
        H5Sclose(memory);
        H5Sclose(space);
        H5Tclose(type);
    }
    H5Tclose(stored);
    H5Dclose(set);
    return kept;
}

enum dc_status ds_results_input(struct ds_results *r, uint64_t index, struct ds_results_input *out,
                                struct dc_error *error)
{
    uint64_t offset = 0;
    memset(out, 0, sizeof *out);
    enum dc_status status =
        ds_results_read(r, "/inputs/bytes", index, 1, DS_U64, &out->bytes, error);
    if (status == DC_OK)
        status = ds_results_read(r, "/inputs/offset", index, 1, DS_U64, &offset, error);
    if (status != DC_OK)
        return status;
    uint64_t total = ds_results_size(r, "input_byte");
    out->path = ds_results_string(r, "/inputs/path", index);
    out->digest = ds_results_string(r, "/inputs/digest", index);
    if (out->path == NULL || out->digest == NULL || offset > total || out->bytes > total - offset)
        return dc_error_set(error, DC_ERR_IO, "%s: embedded file %llu is damaged or incomplete",
                            r->path, (unsigned long long)index);
    void *content = dc_arena_alloc(&r->memory, out->bytes + 1);
    if (content == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", r->path);
    out->content = content;
    return ds_results_read(r, "/inputs/content", offset, out->bytes, DS_U8, content, error);
}

static hid_t summary_group(struct ds_results *r)
{
    return H5Lexists(r->file, "summary", H5P_DEFAULT) > 0
               ? H5Gopen2(r->file, "summary", H5P_DEFAULT)
               : H5I_INVALID_HID;
}

uint64_t ds_results_summary_count(struct ds_results *r)
{
    H5G_info_t info = {0};
    hid_t group = summary_group(r);
    if (group < 0)
        return 0;
    (void)H5Gget_info(group, &info);
    H5Gclose(group);
    return info.nlinks;
}

static enum ds_type scalar_type(hid_t set)
{
    hid_t type = H5Dget_type(set);
    enum ds_type result = H5Tget_class(type) == H5T_FLOAT     ? DS_F64
                          : H5Tget_sign(type) == H5T_SGN_NONE ? DS_U64
                                                              : DS_I64;
    H5Tclose(type);
    return result;
}

enum dc_status ds_results_summary(struct ds_results *r, uint64_t index, struct ds_scalar *out,
                                  struct dc_error *error)
{
    char name[256], path[300];
    hid_t group = summary_group(r);
    memset(out, 0, sizeof *out);
    ssize_t size = group < 0 ? -1
                             : H5Lget_name_by_idx(group, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC,
                                                  index, name, sizeof name, H5P_DEFAULT);
    if (group >= 0)
        H5Gclose(group);
    if (size < 0 || (size_t)size >= sizeof name)
        return dc_error_set(error, DC_ERR_IO, "%s: no summary number %llu", r->path,
                            (unsigned long long)index);
    snprintf(path, sizeof path, "/summary/%s", name);
    hid_t set;
    hsize_t extents[2];
    if (extent(r, path, &set, extents) < 0)
        return dc_error_set(error, DC_ERR_IO, "%s: %s cannot be read", r->path, path);
    out->type = scalar_type(set);
    H5Dclose(set);
    out->name = keep(r, name);
    out->units = ds_results_attribute(r, path, "units");
    out->long_name = ds_results_attribute(r, path, "long_name");
    if (out->name == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", r->path);
    return ds_results_read(r, path, 0, 1, out->type, &out->value, error);
}

struct each {
    const char *group;
    void (*visit)(void *context, const char *dataset);
    void *context;
};

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    (void)info;
    const struct each *each = context;
    char path[512];
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    snprintf(path, sizeof path, "%s/%s", strcmp(each->group, "/") == 0 ? "" : each->group, name);
    if (H5Iget_type(object) == H5I_DATASET && H5Aexists(object, "CLASS") <= 0 && is_number(object))
        each->visit(each->context, path);
    H5Oclose(object);
    return 0;
}

enum dc_status ds_results_each(struct ds_results *r, const char *group,
                               void (*visit)(void *context, const char *dataset), void *context,
                               struct dc_error *error)
{
    struct each each = {group, visit, context};
    hid_t object = H5Gopen2(r->file, group, H5P_DEFAULT);
    if (object < 0)
        return dc_error_set(error, DC_ERR_IO, "%s: holds no %s", r->path, group);
    herr_t result = H5Literate(object, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, visit_link, &each);
    H5Gclose(object);
    return result < 0 ? dc_error_set(error, DC_ERR_IO, "%s: %s cannot be read", r->path, group)
                      : DC_OK;
}

enum dc_status ds_results_content_digest(struct ds_results *r, char out[65], struct dc_error *error)
{
    int64_t complete = 0;
    if (!ds_h5_get_number(r->file, "complete", DS_I64, &complete) ||
        !ds_h5_content(r->file, (int32_t)complete, out))
        return dc_error_set(error, DC_ERR_IO, "%s: cannot be read as a whole; it is damaged",
                            r->path);
    return DC_OK;
}

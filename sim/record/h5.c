/* Creation lists, types and attributes over HDF5's C interface; see h5.h. */
#include "sim/record/h5.h"

#include "models/base/mem.h"

#include <errno.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void ds_h5_quiet(void)
{
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    /* What HDF5 keeps of freed memory, by kind and list: a chunk is written once, so little. */
    H5set_free_list_limits(1 << 20, 1 << 16, 1 << 20, 1 << 16, 1 << 20, 1 << 16);
}

static hid_t access_list(void)
{
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (list < 0)
        return list;
    /* No lock: a run's partial file may be looked at, and network file systems often refuse. */
    if (H5Pset_cache(list, 0, 1, 1 << 16, 1.0) < 0 || /* of chunks, per dataset: 64 KiB */
        H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0 ||
        H5Pset_file_locking(list, false, true) < 0 ||
        H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) < 0) {
        H5Pclose(list);
        return H5I_INVALID_HID;
    }
    return list;
}

/* HDF5's cache of metadata would grow to 32 MiB in a long run. */
static bool small_cache(hid_t access)
{
    H5AC_cache_config_t config = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    if (H5Pget_mdc_config(access, &config) < 0)
        return false;
    config.set_initial_size = true;
    config.initial_size = config.min_size = (size_t)1 << 20;
    config.max_size = (size_t)2 << 20;
    return H5Pset_mdc_config(access, &config) >= 0;
}

hid_t ds_h5_create(const char *path, hid_t driver)
{
    const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
    hid_t file = H5I_INVALID_HID, access = access_list(), list = H5Pcreate(H5P_FILE_CREATE);
    if (access >= 0 && list >= 0 && H5Pset_driver(access, driver, NULL) >= 0 &&
        small_cache(access) && H5Pset_obj_track_times(list, false) >= 0 &&
        H5Pset_link_creation_order(list, order) >= 0 &&
        H5Pset_attr_creation_order(list, order) >= 0)
        file = H5Fcreate(path, H5F_ACC_TRUNC, list, access);
    H5Pclose(list);
    H5Pclose(access);
    return file;
}

hid_t ds_h5_open(const char *path)
{
    hid_t access = access_list();
    hid_t file = access < 0 ? access : H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    return file;
}

hid_t ds_h5_group(hid_t parent, const char *name)
{
    const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
    hid_t group = H5I_INVALID_HID, list = H5Pcreate(H5P_GROUP_CREATE);
    if (list >= 0 && H5Pset_obj_track_times(list, false) >= 0 &&
        H5Pset_link_creation_order(list, order) >= 0 &&
        H5Pset_attr_creation_order(list, order) >= 0)
        group = H5Gcreate2(parent, name, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Pclose(list);
    return group;
}

hid_t ds_h5_text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

hid_t ds_h5_file_type(enum ds_type type)
{
    switch (type) {
    case DS_U8: return H5T_STD_U8LE;
    case DS_U16: return H5T_STD_U16LE;
    case DS_U32: return H5T_STD_U32LE;
    case DS_U64: return H5T_STD_U64LE;
    case DS_I64: return H5T_STD_I64LE;
    case DS_F64:
    case DS_Q31: return H5T_IEEE_F64LE;
    case DS_TEXT: return ds_h5_text_type();
    }
    DC_CHECK(!"a type of schema.h");
    return H5I_INVALID_HID;
}

hid_t ds_h5_memory_type(enum ds_type type)
{
    switch (type) {
    case DS_U8: return H5T_NATIVE_UINT8;
    case DS_U16: return H5T_NATIVE_UINT16;
    case DS_U32: return H5T_NATIVE_UINT32;
    case DS_U64: return H5T_NATIVE_UINT64;
    case DS_I64: return H5T_NATIVE_INT64;
    case DS_F64:
    case DS_Q31: return H5T_NATIVE_DOUBLE;
    case DS_TEXT: return ds_h5_text_type();
    }
    DC_CHECK(!"a type of schema.h");
    return H5I_INVALID_HID;
}

size_t ds_h5_value_bytes(enum ds_type type)
{
    switch (type) {
    case DS_U8: return 1;
    case DS_U16: return 2;
    case DS_U32: return 4;
    case DS_TEXT: return sizeof(char *);
    default: return 8;
    }
}

static hid_t dataset_list(void)
{
    const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    if (list >= 0 &&
        (H5Pset_obj_track_times(list, false) < 0 || H5Pset_attr_creation_order(list, order) < 0)) {
        H5Pclose(list);
        return H5I_INVALID_HID;
    }
    return list;
}

/* Storage of the dimension's own dataset is never allocated: nobody writes to it. */
hid_t ds_h5_dim(hid_t file, const struct ds_dim *dim, uint64_t size)
{
    hsize_t now = dim->grows ? 0 : size, most = dim->grows ? H5S_UNLIMITED : size, chunk = 1024;
    char marker[80];
    snprintf(marker, sizeof marker, DS_DIM_MARKER "%10llu", (unsigned long long)now);
    hid_t list = dataset_list(), space = H5Screate_simple(1, &now, &most), scale = H5I_INVALID_HID;
    if (list >= 0 && space >= 0 && (!dim->grows || H5Pset_chunk(list, 1, &chunk) >= 0) &&
        H5Pset_alloc_time(list, dim->grows ? H5D_ALLOC_TIME_INCR : H5D_ALLOC_TIME_LATE) >= 0)
        scale = H5Dcreate2(file, dim->name, H5T_IEEE_F32BE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(list);
    if (scale >= 0 && (H5DSset_scale(scale, marker) < 0 || !ds_h5_put_text(scale, "units", "1") ||
                       !ds_h5_put_text(scale, "long_name", dim->long_name))) {
        H5Dclose(scale);
        return H5I_INVALID_HID;
    }
    return scale;
}

static bool storage(hid_t list, enum ds_type type, const struct ds_h5_shape *shape)
{
    const double nan_value = NAN;
    bool is_float = type == DS_F64 || type == DS_Q31;
    if (is_float && H5Pset_fill_value(list, H5T_NATIVE_DOUBLE, &nan_value) < 0)
        return false;
    if (!shape->chunked)
        return true;
    if (H5Pset_chunk(list, shape->rank, shape->chunk) < 0)
        return false;
    /* Text holds references into a heap, which do not deflate. */
    return type == DS_TEXT || ((ds_h5_value_bytes(type) == 1 || H5Pset_shuffle(list) >= 0) &&
                               H5Pset_deflate(list, 2) >= 0);
}

hid_t ds_h5_dataset(hid_t parent, const char *name, enum ds_type type,
                    const struct ds_h5_shape *shape)
{
    hsize_t most[3] = {shape->unlimited ? H5S_UNLIMITED : shape->size[0], shape->size[1],
                       shape->size[2]};
    hid_t set = H5I_INVALID_HID, list = dataset_list(), access = H5Pcreate(H5P_DATASET_ACCESS);
    hid_t space =
        shape->rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(shape->rank, shape->size, most);
    hid_t file_type = ds_h5_file_type(type);
    /* A chunk cache of nothing: a chunk goes out as soon as it is written, whole. */
    if (list >= 0 && access >= 0 && space >= 0 && storage(list, type, shape) &&
        H5Pset_chunk_cache(access, 1, 0, H5D_CHUNK_CACHE_W0_DEFAULT) >= 0)
        set = H5Dcreate2(parent, name, file_type, space, H5P_DEFAULT, list, access);
    if (type == DS_TEXT)
        H5Tclose(file_type);
    H5Sclose(space);
    H5Pclose(access);
    H5Pclose(list);
    return set;
}

bool ds_h5_put_text(hid_t object, const char *name, const char *text)
{
    hid_t type = ds_h5_text_type(), space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = attribute >= 0 && H5Awrite(attribute, type, &text) >= 0;
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    return ok;
}

bool ds_h5_put_numbers(hid_t object, const char *name, enum ds_type type, const void *values,
                       size_t count)
{
    hsize_t size = count;
    hid_t space = count == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, NULL);
    hid_t attribute =
        H5Acreate2(object, name, ds_h5_file_type(type), space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = attribute >= 0 && H5Awrite(attribute, ds_h5_memory_type(type), values) >= 0;
    H5Aclose(attribute);
    H5Sclose(space);
    return ok;
}

bool ds_h5_set_text(hid_t object, const char *name, const char *text)
{
    hid_t type = ds_h5_text_type(), attribute = H5Aopen(object, name, H5P_DEFAULT);
    bool ok = attribute >= 0 && H5Awrite(attribute, type, &text) >= 0;
    H5Aclose(attribute);
    H5Tclose(type);
    return ok;
}

char *ds_h5_get_text(hid_t object, const char *name)
{
    if (H5Aexists(object, name) <= 0)
        return NULL;
    char *copy = NULL, *text = NULL;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
    hid_t memory = ds_h5_text_type(), space = H5Aget_space(attribute);
    if (H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_npoints(space) == 1 &&
        H5Aread(attribute, memory, &text) >= 0 && text != NULL) {
        size_t size = strlen(text) + 1;
        copy = dc_mem_alloc(size, 1);
        if (copy != NULL)
            memcpy(copy, text, size);
        H5free_memory(text);
    }
    H5Sclose(space);
    H5Tclose(memory);
    H5Tclose(type);
    H5Aclose(attribute);
    return copy;
}

bool ds_h5_get_number(hid_t object, const char *name, enum ds_type type, void *value)
{
    if (H5Aexists(object, name) <= 0)
        return false;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), space = H5Aget_space(attribute);
    bool ok = H5Sget_simple_extent_npoints(space) == 1 &&
              H5Aread(attribute, ds_h5_memory_type(type), value) >= 0;
    H5Sclose(space);
    H5Aclose(attribute);
    return ok;
}

static herr_t innermost(unsigned n, const H5E_error2_t *entry, void *context)
{
    (void)n;
    const char **text = context;
    *text = entry->desc;
    return 1;
}

enum dc_status ds_h5_failed(struct dc_error *error, const char *path, const char *what)
{
    const char *reason = NULL;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &reason);
    if (reason == NULL || reason[0] == '\0')
        reason = errno != 0 ? strerror(errno) : "HDF5 gives no reason";
    return dc_error_set(error, DC_ERR_IO, "%s: %s: %s", path, what, reason);
}

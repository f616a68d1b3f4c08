/* The content digest: names, types, shapes, dimensions, values and attributes of a results file,
 * as they read back, in creation order.
 *
 * Not hashed: how HDF5 stores it (chunks, filters, references between scales and datasets), the
 * build and version attributes and the digest itself.  So the digest agrees between compilers and
 * machines, and between the writer and whoever reads the file later.  Everything is prefixed by
 * its length; numbers are hashed as the file holds them, little-endian. */
#include "models/base/mem.h"
#include "models/crypto/crypto.h"
#include "sim/record/h5.h"

#include <hdf5_hl.h>
#include <string.h>

#define BLOCK_BYTES ((hsize_t)1 << 20)

struct walk {
    struct dc_hasher hasher;
    const int32_t complete; /* what the root's `complete` counts as */
    bool failed;
};

static void hash_text(struct walk *w, const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    dc_hasher_update64(&w->hasher, size);
    dc_hasher_update(&w->hasher, text, size);
}

/* Class, size and sign of a type; false for those that results do not use. */
static bool hash_type(struct walk *w, hid_t type, bool *text)
{
    H5T_class_t class = H5Tget_class(type);
    *text = class == H5T_STRING;
    if (*text)
        hash_text(w, "text");
    else if (class == H5T_INTEGER)
        hash_text(w, H5Tget_sign(type) == H5T_SGN_NONE ? "unsigned" : "signed");
    else if (class == H5T_FLOAT)
        hash_text(w, "float");
    else
        return false;
    dc_hasher_update64(&w->hasher, *text ? 0 : H5Tget_size(type));
    return !*text || H5Tis_variable_str(type) > 0;
}

static bool hash_shape(struct walk *w, hid_t space, int *rank, hsize_t size[H5S_MAX_RANK])
{
    *rank = H5Sget_simple_extent_dims(space, size, NULL);
    if (*rank < 0)
        return false;
    dc_hasher_update64(&w->hasher, (uint64_t)*rank);
    for (int i = 0; i < *rank; i++)
        dc_hasher_update64(&w->hasher, size[i]);
    return true;
}

static void hash_strings(struct walk *w, char **strings, hid_t type, hid_t space, hsize_t count)
{
    for (hsize_t i = 0; i < count; i++)
        hash_text(w, strings[i]);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, strings);
}

static bool excluded(const char *name)
{
    static const char *const structural[] = {"DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"};
    for (size_t i = 0; i < sizeof structural / sizeof structural[0]; i++)
        if (strcmp(name, structural[i]) == 0)
            return true;
    return strncmp(name, "build_", 6) == 0 || strcmp(name, "destrasim_version") == 0 ||
           strcmp(name, "content_digest") == 0;
}

static bool hash_attribute(struct walk *w, hid_t attribute, const char *name)
{
    int rank;
    bool text, ok = false;
    hsize_t size[H5S_MAX_RANK];
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hash_text(w, name);
    if (hash_type(w, type, &text) && hash_shape(w, space, &rank, size)) {
        hsize_t count = (hsize_t)H5Sget_simple_extent_npoints(space);
        size_t bytes = count * H5Tget_size(type);
        void *values = dc_mem_alloc(bytes, 1);
        ok = values != NULL && H5Aread(attribute, type, values) >= 0;
        if (ok && strcmp(name, "complete") == 0)
            dc_hasher_update64(&w->hasher, (uint64_t)w->complete);
        else if (ok && text)
            hash_strings(w, values, type, space, count);
        else if (ok)
            dc_hasher_update(&w->hasher, values, bytes);
        dc_mem_free(values);
    }
    H5Sclose(space);
    H5Tclose(type);
    return ok;
}

static herr_t visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    (void)info;
    struct walk *w = context;
    if (excluded(name))
        return 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (!hash_attribute(w, attribute, name))
        w->failed = true;
    H5Aclose(attribute);
    return w->failed ? -1 : 0;
}

static bool hash_attributes(struct walk *w, hid_t object)
{
    return H5Aiterate2(object, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, visit_attribute, w) >= 0 &&
           !w->failed;
}

/* Rows at a time: whole chunks, about BLOCK_BYTES. */
static hsize_t rows_at_a_time(hid_t set, hsize_t row_bytes)
{
    hsize_t chunk[H5S_MAX_RANK] = {1}, rows;
    hid_t list = H5Dget_create_plist(set);
    if (H5Pget_layout(list) == H5D_CHUNKED)
        (void)H5Pget_chunk(list, H5S_MAX_RANK, chunk);
    H5Pclose(list);
    rows = BLOCK_BYTES / (chunk[0] * row_bytes == 0 ? 1 : chunk[0] * row_bytes);
    return (rows < 1 ? 1 : rows) * chunk[0];
}

static bool hash_values(struct walk *w, hid_t set, hid_t type, bool text, int rank,
                        const hsize_t size[])
{
    hsize_t row = 1, rows = rank == 0 ? 1 : size[0];
    for (int i = 1; i < rank; i++)
        row *= size[i];
    hsize_t step = rank == 0 ? 1 : rows_at_a_time(set, row * H5Tget_size(type));
    step = step > rows ? rows : step;
    void *values = dc_mem_alloc((size_t)(step * row) + 1, H5Tget_size(type));
    bool ok = values != NULL;
    for (hsize_t first = 0; ok && first < rows; first += step) {
        hsize_t start[H5S_MAX_RANK] = {first}, count[H5S_MAX_RANK];
        memcpy(count, size, (size_t)rank * sizeof *count);
        count[0] = rank == 0 ? 1 : rows - first < step ? rows - first : step;
        hid_t space = H5Dget_space(set),
              memory = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, count, NULL);
        ok = (rank == 0 ||
              H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0) &&
             H5Dread(set, type, memory, space, H5P_DEFAULT, values) >= 0;
        if (ok && text)
            hash_strings(w, values, type, memory, count[0] * row);
        else if (ok)
            dc_hasher_update(&w->hasher, values, (size_t)(count[0] * row) * H5Tget_size(type));
        H5Sclose(memory);
        H5Sclose(space);
    }
    dc_mem_free(values);
    return ok;
}

static herr_t visit_scale(hid_t set, unsigned axis, hid_t scale, void *context)
{
    (void)set;
    (void)axis;
    char name[256] = "";
    struct walk *w = context;
    if (H5Iget_name(scale, name, sizeof name) < 0)
        return -1;
    hash_text(w, name);
    return 1;
}

static bool hash_dataset(struct walk *w, hid_t set)
{
    int rank;
    bool text, ok = false;
    hsize_t size[H5S_MAX_RANK] = {0};
    hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    if (hash_type(w, type, &text) && hash_shape(w, space, &rank, size)) {
        bool scale = H5DSis_scale(set) > 0;
        ok = true;
        for (int i = 0; ok && !scale && i < rank; i++)
            ok = H5DSiterate_scales(set, (unsigned)i, NULL, visit_scale, w) >= 0;
        ok =
            ok && (scale || hash_values(w, set, type, text, rank, size)) && hash_attributes(w, set);
    }
    H5Sclose(space);
    H5Tclose(type);
    return ok;
}

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    (void)info;
    struct walk *w = context;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    H5I_type_t kind = H5Iget_type(object);
    hash_text(w, name);
    if (kind == H5I_DATASET)
        w->failed |= !hash_dataset(w, object);
    else if (kind == H5I_GROUP) {
        hash_text(w, "group");
        w->failed |= !hash_attributes(w, object) ||
                     H5Literate(object, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, visit_link, w) < 0;
        hash_text(w, "end");
    } else
        w->failed = true;
    H5Oclose(object);
    return w->failed ? -1 : 0;
}

bool ds_h5_content(hid_t file, int32_t complete, char out[65])
{
    struct walk w = {.complete = complete};
    dc_crypto_init();
    dc_hasher_init(&w.hasher, DC_DOMAIN_TRACE);
    hash_text(&w, "destra/record/v1/content");
    hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
    bool ok = root >= 0 && hash_attributes(&w, root) &&
              H5Literate(root, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, visit_link, &w) >= 0 &&
              !w.failed;
    H5Gclose(root);
    struct dc_hash hash = dc_hasher_final(&w.hasher);
    for (size_t i = 0; i < sizeof hash.b; i++) {
        out[2 * i] = "0123456789abcdef"[hash.b[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[hash.b[i] & 15];
    }
    out[64] = '\0';
    return ok;
}

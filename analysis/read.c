/* Reading by name, as doubles and texts; see read.h.
 *
 * A file may come from anywhere.  Nothing is followed out of it (links, external storage, virtual
 * datasets, filters from elsewhere), sizes are bounded before memory is asked for, and what cannot
 * be read is as if it were not there.  What was read once is kept, so that every figure may ask
 * again. */
#include "analysis/read_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    VALUES_MAX = 1 << 26, /* 512 MiB as doubles */
    STRINGS_MAX = 1 << 20,
    STRINGS_AT_ONCE = 64,
    CHUNK_BYTES_MAX = 1 << 26,
    DEFLATE_MOST = 1032, /* zlib never does better */
    NAME_MAX_BYTES = 512
};

/* One answer that was given. */
struct da_file_kept {
    struct da_file_kept *next;
    const char *name;
    char kind;               /* 'a' an array, 's' strings */
    struct da_array array;   /* of 'a' */
    const char *const *text; /* of 's' */
};

static char *keep_text(struct da_file *f, const char *text, size_t size)
{
    char *copy = dc_arena_alloc(&f->memory, size + 1);
    if (copy != NULL && size > 0)
        memcpy(copy, text, size);
    return copy;
}

static void quiet(void)
{
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0); /* no filter out of a file that lies elsewhere */
}

static hid_t open_file(const char *path)
{
    hid_t file = H5I_INVALID_HID, access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0 && H5Pset_file_locking(access, false, true) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0)
        file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    return file;
}

/* Every link on the way is a hard one (soft and external ones may lead anywhere), and the way is no
 * longer than what is rehearsed. */
static bool is_here(hid_t file, const char *name)
{
    char part[NAME_MAX_BYTES];
    size_t size = strlen(name), links = 0;
    if (size >= sizeof part)
        return false;
    memcpy(part, name, size + 1);
    for (char *at = part + (part[0] == '/'); *at != '\0';) {
        H5L_info_t info;
        char *end = at + strcspn(at, "/"), slash = *end;
        *end = '\0';
        if (end == at || ++links > 2 || H5Lexists(file, part, H5P_DEFAULT) <= 0 ||
            H5Lget_info(file, part, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD)
            return false;
        *end = slash;
        at = end + (slash != '\0');
    }
    return true;
}

hid_t da_file_object(struct da_file *f, const char *name)
{
    if (strcmp(name, "/") == 0)
        return H5Oopen(f->file, "/", H5P_DEFAULT);
    return is_here(f->file, name) ? H5Oopen(f->file, name, H5P_DEFAULT) : H5I_INVALID_HID;
}

static bool exists(struct da_file *f, const char *name, H5I_type_t type)
{
    hid_t object = da_file_object(f, name);
    bool yes = object >= 0 && H5Iget_type(object) == type;
    H5Oclose(object);
    return yes;
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool recognise(struct da_file *f)
{
    if (exists(f, "/value", H5I_DATASET) && exists(f, "/x", H5I_DATASET))
        f->kind = DA_FILE_STUDY;
    else if (exists(f, "/epochs", H5I_GROUP) && da_file_text(f, "/", "scenario") != NULL)
        f->kind = DA_FILE_RUN;
    else
        return false;
    return true;
}

struct da_file *da_file_begin(const char *path)
{
    quiet();
    struct da_file *f = dc_mem_alloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->file = open_file(path);
    if (f->file >= 0)
        return f;
    da_file_close(f);
    return NULL;
}

static bool readable(const char *path, struct dc_error *error)
{
    char byte;
    errno = 0;
    FILE *probe = fopen(path, "rb");
    bool yes = probe != NULL && (fread(&byte, 1, 1, probe) == 1 || errno == 0);
    if (!yes)
        dc_error_set(error, DC_ERR_IO, "%s: %s", path, strerror(errno));
    if (probe != NULL)
        fclose(probe);
    return yes;
}

enum dc_status da_file_open(const char *path, struct da_file **out, struct dc_error *error)
{
    *out = NULL;
    if (!readable(path, error))
        return DC_ERR_IO;
    struct da_file *f = da_file_rehearse(path) ? da_file_begin(path) : NULL;
    if (f == NULL)
        return dc_error_set(
            error, DC_ERR_IO,
            "%s: is not a results file of destrasim, or a damaged or unfinished one", path);
    if (!recognise(f)) {
        da_file_close(f);
        return dc_error_set(error, DC_ERR_IO,
                            "%s: is an HDF5 file, but neither the results of a run nor of a study",
                            path);
    }
    *out = f;
    return DC_OK;
}

void da_file_forget(struct da_file *f)
{
    dc_arena_free(&f->memory);
    memset(&f->memory, 0, sizeof f->memory);
    f->kept = NULL;
    f->text_bytes = 0;
}

void da_file_close(struct da_file *f)
{
    if (f == NULL)
        return;
    if (f->file >= 0)
        H5Fclose(f->file);
    struct dc_arena memory = f->memory;
    dc_arena_free(&memory);
    dc_mem_free(f);
}

enum da_file_kind da_file_kind(const struct da_file *f)
{
    return f->kind;
}

/* ---- attributes ------------------------------------------------------------------------------ */

const char *da_file_text_of(struct da_file *f, hid_t at, const char *name)
{
    char *text = NULL;
    const char *kept = NULL;
    if (at >= 0 && H5Aexists(at, name) > 0) {
        hid_t attribute = H5Aopen(at, name, H5P_DEFAULT), type = H5Aget_type(attribute);
        hid_t space = H5Aget_space(attribute), memory = H5Tcopy(H5T_C_S1);
        H5Tset_size(memory, H5T_VARIABLE);
        H5Tset_cset(memory, H5Tget_cset(type) == H5T_CSET_UTF8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII);
        if (H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_npoints(space) == 1 &&
            H5Aread(attribute, memory, &text) >= 0 && text != NULL)
            kept = keep_text(f, text, strlen(text));
        H5free_memory(text);
        H5Tclose(memory);
        H5Sclose(space);
        H5Tclose(type);
        H5Aclose(attribute);
    }
    return kept;
}

const char *da_file_text(struct da_file *f, const char *object, const char *name)
{
    hid_t at = da_file_object(f, object);
    const char *kept = da_file_text_of(f, at, name);
    H5Oclose(at);
    return kept;
}

static bool is_number(hid_t type)
{
    H5T_class_t class = H5Tget_class(type);
    return (class == H5T_INTEGER || class == H5T_FLOAT) && H5Tget_size(type) <= 16;
}

uint64_t da_file_number(struct da_file *f, const char *name, uint64_t fallback)
{
    uint64_t value = fallback;
    if (H5Aexists(f->file, name) <= 0)
        return fallback;
    hid_t attribute = H5Aopen(f->file, name, H5P_DEFAULT), type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    if (!is_number(type) || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(attribute, H5T_NATIVE_UINT64, &value) < 0)
        value = fallback;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return value;
}

/* ---- datasets -------------------------------------------------------------------------------- */

/* Stored in the file itself, through filters that come with HDF5, in chunks of bounded size. */
static bool storage_is_plain(hid_t set, hid_t type)
{
    hsize_t chunk[3];
    hid_t list = H5Dget_create_plist(set);
    H5D_layout_t layout = H5Pget_layout(list);
    bool plain = list >= 0 && H5Pget_external_count(list) == 0 &&
                 (layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED);
    if (plain && layout == H5D_CHUNKED) {
        int rank = H5Pget_chunk(list, 3, chunk);
        double bytes = (double)H5Tget_size(type);
        for (int i = 0; i < rank && i < 3; i++)
            bytes *= (double)chunk[i];
        plain = rank >= 1 && rank <= 3 && bytes <= CHUNK_BYTES_MAX;
    }
    H5Pclose(list);
    return plain;
}

bool da_file_extent(hid_t set, hid_t type, size_t values_max, struct da_array *out)
{
    hsize_t size[3] = {1, 1, 1};
    hid_t space = H5Dget_space(set);
    H5S_class_t class = H5Sget_simple_extent_type(space);
    int rank = class == H5S_SCALAR   ? 0
               : class == H5S_SIMPLE ? H5Sget_simple_extent_ndims(space)
                                     : -1;
    bool ok =
        rank >= 0 && rank <= 3 && (rank == 0 || H5Sget_simple_extent_dims(space, size, NULL) >= 0);
    H5Sclose(space);
    if (!ok)
        return false;
    double count = (double)size[0] * (double)size[1] * (double)size[2];
    double stored = (double)H5Dget_storage_size(set) * DEFLATE_MOST + CHUNK_BYTES_MAX;
    if (count > (double)values_max || count * (double)H5Tget_size(type) > stored)
        return false;
    out->rank = (size_t)rank;
    for (int i = 0; i < 3; i++)
        out->size[i] = (size_t)size[i];
    out->count = out->size[0] * out->size[1] * out->size[2];
    return storage_is_plain(set, type);
}

static struct da_file_kept *find(struct da_file *f, const char *name, char kind)
{
    for (struct da_file_kept *k = f->kept; k != NULL; k = k->next)
        if (k->kind == kind && strcmp(k->name, name) == 0)
            return k;
    return NULL;
}

static void keep(struct da_file *f, const char *name, char kind, struct da_array array,
                 const char *const *text)
{
    struct da_file_kept *k = dc_arena_alloc(&f->memory, sizeof *k);
    char *copy = keep_text(f, name, strlen(name));
    if (k == NULL || copy == NULL)
        return;
    *k = (struct da_file_kept){f->kept, copy, kind, array, text};
    f->kept = k;
}

static hid_t open_set(struct da_file *f, const char *name)
{
    hid_t set = da_file_object(f, name);
    if (set >= 0 && H5Iget_type(set) == H5I_DATASET)
        return set;
    H5Oclose(set);
    return H5I_INVALID_HID;
}

struct da_array da_file_array(struct da_file *f, const char *dataset)
{
    struct da_file_kept *known = find(f, dataset, 'a');
    if (known != NULL)
        return known->array;
    struct da_array a = {0};
    hid_t set = open_set(f, dataset);
    if (set < 0)
        return a;
    hid_t type = H5Dget_type(set);
    if (is_number(type) && da_file_extent(set, type, VALUES_MAX, &a)) {
        double *value = dc_arena_alloc(&f->memory, (a.count + 1) * sizeof *value);
        if (value != NULL && (a.count == 0 || H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL,
                                                      H5P_DEFAULT, value) >= 0))
            a.value = value;
    }
    H5Tclose(type);
    H5Dclose(set);
    if (a.value == NULL)
        a = (struct da_array){0};
    keep(f, dataset, 'a', a, NULL);
    return a;
}

/* `count` texts of the last axis from `first` on, in row `row` of the axes before it. */
static bool read_some(struct da_file *f, hid_t set, const struct da_array *a, size_t row,
                      size_t first, size_t count, const char **out)
{
    char *text[STRINGS_AT_ONCE] = {NULL};
    hsize_t start[3] = {0}, block[3] = {1, 1, 1}, flat = count;
    start[a->rank - 1] = first;
    block[a->rank - 1] = count;
    for (size_t axis = a->rank - 1; axis-- > 0; row /= a->size[axis])
        start[axis] = row % a->size[axis];
    hid_t type = H5Dget_type(set), space = H5Dget_space(set),
          memory = H5Screate_simple(1, &flat, NULL);
    bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, block, NULL) >= 0 &&
              H5Dread(set, type, memory, space, H5P_DEFAULT, text) >= 0;
    for (size_t i = 0; i < count && ok; i++) {
        size_t bytes = text[i] == NULL ? 0 : strlen(text[i]);
        f->text_bytes += bytes;
        out[i] = f->text_bytes > VALUES_MAX ? NULL : keep_text(f, text[i], bytes);
        ok = out[i] != NULL;
    }
    for (size_t i = 0; i < count; i++)
        H5free_memory(text[i]);
    H5Sclose(memory);
    H5Sclose(space);
    H5Tclose(type);
    return ok;
}

static const char **read_strings(struct da_file *f, hid_t set, const struct da_array *a)
{
    const char **out = dc_arena_alloc(&f->memory, (a->count + 1) * sizeof *out);
    if (out == NULL || a->count == 0)
        return out;
    size_t width = a->size[a->rank - 1];
    for (size_t row = 0; row < a->count / width; row++)
        for (size_t i = 0; i < width; i += STRINGS_AT_ONCE) {
            size_t n = width - i < STRINGS_AT_ONCE ? width - i : STRINGS_AT_ONCE;
            if (!read_some(f, set, a, row, i, n, out + row * width + i))
                return NULL;
        }
    return out;
}

const char *const *da_file_strings(struct da_file *f, const char *dataset, size_t *count)
{
    struct da_file_kept *known = find(f, dataset, 's');
    struct da_array a = {0};
    const char *const *out = NULL;
    hid_t set = known != NULL ? H5I_INVALID_HID : open_set(f, dataset);
    if (set >= 0) {
        hid_t type = H5Dget_type(set);
        if (H5Tis_variable_str(type) > 0 && da_file_extent(set, type, STRINGS_MAX, &a) &&
            a.rank > 0)
            out = read_strings(f, set, &a);
        H5Tclose(type);
        H5Dclose(set);
        keep(f, dataset, 's', a, out);
    } else if (known != NULL) {
        a = known->array;
        out = known->text;
    }
    *count = out == NULL ? 0 : a.count;
    return out;
}

const char *const *da_file_words(struct da_file *f, const char *dataset, size_t *count)
{
    *count = 0;
    const char *all = da_file_text(f, dataset, "flag_meanings");
    if (all == NULL)
        return NULL;
    size_t most = strlen(all) / 2 + 1, n = 0;
    const char **words = dc_arena_alloc(&f->memory, most * sizeof *words);
    for (const char *at = all; words != NULL && *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (size > 0) {
            words[n] = keep_text(f, at, size);
            if (words[n++] == NULL)
                return NULL;
        }
        at += size + (at[size] == ' ');
    }
    *count = words == NULL ? 0 : n;
    return words;
}

/* Member number `i`; 0 when it is not of the type, or no hard link. */
static size_t member(hid_t group, H5_index_t index, hsize_t i, H5I_type_t type,
                     char name[NAME_MAX_BYTES])
{
    H5L_info_t info;
    ssize_t size =
        H5Lget_name_by_idx(group, ".", index, H5_ITER_INC, i, name, NAME_MAX_BYTES, H5P_DEFAULT);
    if (size <= 0 || size >= NAME_MAX_BYTES || H5Lget_info(group, name, &info, H5P_DEFAULT) < 0 ||
        info.type != H5L_TYPE_HARD)
        return 0;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    bool is_it = object >= 0 && H5Iget_type(object) == type;
    H5Oclose(object);
    return is_it ? (size_t)size : 0;
}

const char *const *da_file_members(struct da_file *f, const char *group, H5I_type_t type,
                                   size_t *count)
{
    char name[NAME_MAX_BYTES];
    H5G_info_t info;
    const char **out = NULL;
    hid_t at = da_file_object(f, group);
    *count = 0;
    if (at >= 0 && H5Iget_type(at) == H5I_GROUP && H5Gget_info(at, &info) >= 0 &&
        info.nlinks <= STRINGS_MAX)
        out = dc_arena_alloc(&f->memory, (info.nlinks + 1) * sizeof *out);
    /* A file of another program may have no order of creation. */
    H5_index_t index = out != NULL && info.nlinks > 0 &&
                               H5Lget_name_by_idx(at, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, 0, NULL,
                                                  0, H5P_DEFAULT) < 0
                           ? H5_INDEX_NAME
                           : H5_INDEX_CRT_ORDER;
    for (hsize_t i = 0; out != NULL && i < info.nlinks; i++) {
        size_t size = member(at, index, i, type, name);
        if (size == 0)
            continue;
        out[*count] = keep_text(f, name, size);
        if (out[*count] == NULL)
            break;
        (*count)++;
    }
    H5Oclose(at);
    return out;
}

const char *const *da_file_names(struct da_file *f, const char *group, size_t *count)
{
    return da_file_members(f, group, H5I_DATASET, count);
}

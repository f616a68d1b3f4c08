/* study.h5 back into memory; see read_study.h and sim/record/study.c, which writes it.
 *
 * Variables are found by name.  What must be there is `need`ed; what belongs to a dimension
 * that has no element (no failure, no constraint) is absent from the file. */
#include "analysis/read_study.h"

#include <errno.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

struct in {
    const char *path;
    hid_t file;
    struct da_study *study;
    const char *missing; /* the first variable that was not as it must be */
    bool memory;         /* it ran out */
};

static void *take(struct in *in, size_t count, size_t size)
{
    void *p = dc_arena_alloc(&in->study->arena, count * size + 1);
    if (p == NULL)
        in->memory = true;
    return p;
}

static bool fine(const struct in *in)
{
    return in->missing == NULL && !in->memory;
}

static const char *keep(struct in *in, const char *text)
{
    size_t size = text == NULL ? 1 : strlen(text) + 1;
    char *copy = take(in, size, 1);
    if (copy != NULL && text != NULL)
        memcpy(copy, text, size);
    return copy != NULL ? copy : "";
}

static hid_t text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

/* ---- variables ------------------------------------------------------------------------------- */

/* The dataset, when it has so many values in all; else in->missing. */
static hid_t need(struct in *in, const char *name, size_t count)
{
    if (!fine(in))
        return H5I_INVALID_HID;
    hid_t set = H5Lexists(in->file, name, H5P_DEFAULT) > 0 ? H5Dopen2(in->file, name, H5P_DEFAULT)
                                                           : H5I_INVALID_HID;
    hid_t space = set >= 0 ? H5Dget_space(set) : H5I_INVALID_HID;
    if (set < 0 || H5Sget_simple_extent_npoints(space) != (hssize_t)count) {
        in->missing = name;
        H5Dclose(set);
        set = H5I_INVALID_HID;
    }
    H5Sclose(space);
    return set;
}

static void *numbers(struct in *in, const char *name, hid_t type, size_t count)
{
    if (count == 0)
        return NULL;
    size_t size = H5Tget_size(type);
    hid_t set = need(in, name, count);
    void *value = set >= 0 ? take(in, count, size) : NULL;
    if (value != NULL && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0)
        in->missing = name;
    if (set >= 0)
        H5Dclose(set);
    return fine(in) ? value : NULL;
}

static const char **strings(struct in *in, const char *name, size_t count)
{
    if (count == 0)
        return NULL;
    hid_t set = need(in, name, count), type = text_type(),
          space = set >= 0 ? H5Dget_space(set) : H5I_INVALID_HID;
    const char **kept = set >= 0 ? take(in, count, sizeof *kept) : NULL;
    char **text = set >= 0 ? dc_mem_alloc(count, sizeof *text) : NULL;
    if (set >= 0 && text == NULL)
        in->memory = true;
    if (fine(in) && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0)
        in->missing = name;
    for (size_t i = 0; fine(in) && i < count; i++)
        kept[i] = keep(in, text[i]);
    if (text != NULL) {
        (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, text);
        dc_mem_free(text);
    }
    H5Sclose(space);
    H5Tclose(type);
    if (set >= 0)
        H5Dclose(set);
    return fine(in) ? kept : NULL;
}

/* Length of a dimension; 0: there is none of that name. */
static size_t length(struct in *in, const char *dim)
{
    hsize_t size[3] = {0};
    if (H5Lexists(in->file, dim, H5P_DEFAULT) <= 0)
        return 0;
    hid_t set = H5Dopen2(in->file, dim, H5P_DEFAULT), space = H5Dget_space(set);
    if (H5Sget_simple_extent_ndims(space) == 1)
        (void)H5Sget_simple_extent_dims(space, size, NULL);
    H5Sclose(space);
    H5Dclose(set);
    return (size_t)size[0];
}

static const char *attribute(struct in *in, const char *name)
{
    char *text = NULL;
    const char *kept = "";
    if (H5Aexists(in->file, name) <= 0) {
        in->missing = in->missing != NULL ? in->missing : name;
        return "";
    }
    hid_t object = H5Aopen(in->file, name, H5P_DEFAULT), type = H5Aget_type(object),
          memory = text_type();
    if (H5Tis_variable_str(type) > 0 && H5Aread(object, memory, &text) >= 0)
        kept = keep(in, text);
    else
        in->missing = in->missing != NULL ? in->missing : name;
    H5free_memory(text);
    H5Tclose(memory);
    H5Tclose(type);
    H5Aclose(object);
    return kept;
}

/* ---- the parts ------------------------------------------------------------------------------- */

static void read_root(struct in *in)
{
    static const char *const designs[] = {"grid", "lhs", "sobol", "saltelli", "morris", "list"};
    struct da_study *s = in->study;
    s->name = attribute(in, "name");
    s->title = attribute(in, "study_title");
    s->text = attribute(in, "study");
    s->scenario = attribute(in, "scenario");
    s->version = attribute(in, "destrasim_version");
    const char *design = attribute(in, "design");
    for (size_t i = 0; i < sizeof designs / sizeof designs[0]; i++)
        if (strcmp(design, designs[i]) == 0)
            s->design = (enum da_design)i;
    uint64_t base = 0;
    hid_t object = H5Aopen(in->file, "design_base", H5P_DEFAULT);
    if (object < 0 || H5Aread(object, H5T_NATIVE_UINT64, &base) < 0)
        in->missing = in->missing != NULL ? in->missing : "design_base";
    H5Aclose(object);
    s->base = (size_t)base;
    s->points = length(in, "point");
    s->replications = length(in, "replication");
    s->parameters = length(in, "parameter");
    s->metrics = length(in, "metric");
    s->failures = length(in, "failure");
    s->objectives = length(in, "objective");
    s->constraints = length(in, "constraint");
}

static void read_parameters(struct in *in)
{
    struct da_study *s = in->study;
    size_t n = s->parameters, at = 0, all = length(in, "word");
    const char **path = strings(in, "parameter_path", n);
    const char **label = strings(in, "parameter_label", n);
    const char **unit = strings(in, "parameter_unit", n);
    const uint8_t *scale = numbers(in, "parameter_scale", H5T_NATIVE_UINT8, n);
    const uint8_t *words = numbers(in, "parameter_words", H5T_NATIVE_UINT8, n);
    const double *lo = numbers(in, "parameter_lo", H5T_NATIVE_DOUBLE, n);
    const double *hi = numbers(in, "parameter_hi", H5T_NATIVE_DOUBLE, n);
    const uint64_t *count = numbers(in, "parameter_values", H5T_NATIVE_UINT64, n);
    const char **word = strings(in, "word_text", all);
    struct da_parameter *p = take(in, n, sizeof *p);
    for (size_t i = 0; fine(in) && i < n; i++) {
        if (count[i] > all - at) {
            in->missing = "parameter_values";
            break;
        }
        p[i] = (struct da_parameter){.path = path[i],
                                     .label = label[i],
                                     .unit = unit[i],
                                     .words = words[i] != 0,
                                     .scale = scale[i] != 0 ? DA_LOG : DA_LINEAR,
                                     .lo = lo[i],
                                     .hi = hi[i],
                                     .word = count[i] > 0 ? word + at : NULL,
                                     .words_count = (size_t)count[i]};
        at += (size_t)count[i];
    }
    s->parameter = p;
}

static void read_metrics(struct in *in)
{
    struct da_study *s = in->study;
    const char **name = strings(in, "metric_name", s->metrics);
    const char **unit = strings(in, "metric_unit", s->metrics);
    const char **long_name = strings(in, "metric_long_name", s->metrics);
    struct da_metric *m = take(in, s->metrics, sizeof *m);
    for (size_t i = 0; fine(in) && i < s->metrics; i++)
        m[i] = (struct da_metric){name[i], unit[i], long_name[i]};
    s->metric = m;
}

static void read_results(struct in *in)
{
    struct da_study *s = in->study;
    size_t runs = s->points * s->replications;
    s->seed = numbers(in, "seed", H5T_NATIVE_UINT64, s->replications);
    s->x = numbers(in, "x", H5T_NATIVE_DOUBLE, s->points * s->parameters);
    s->status = numbers(in, "status", H5T_NATIVE_UINT8, runs);
    s->value = numbers(in, "value", H5T_NATIVE_DOUBLE, runs * s->metrics);
    s->trace_digest = strings(in, "trace_digest", runs);
    for (size_t i = 0; fine(in) && i < runs; i++) {
        if (s->trace_digest[i][0] == '\0')
            s->trace_digest[i] = NULL;
        if (s->status[i] > DA_RUN_FAILED)
            in->missing = "status";
    }
}

static void read_failures(struct in *in)
{
    struct da_study *s = in->study;
    const uint64_t *point = numbers(in, "failure_point", H5T_NATIVE_UINT64, s->failures);
    const uint64_t *run = numbers(in, "failure_replication", H5T_NATIVE_UINT64, s->failures);
    const char **text = strings(in, "failure_text", s->failures);
    struct da_failure *f = take(in, s->failures, sizeof *f);
    for (size_t i = 0; fine(in) && i < s->failures; i++) {
        f[i] = (struct da_failure){(size_t)point[i], (size_t)run[i], text[i]};
        if (point[i] >= s->points || run[i] >= s->replications)
            in->missing = "failure_point";
    }
    s->failure = f;
}

static void read_goals(struct in *in)
{
    struct da_study *s = in->study;
    const char **wanted = strings(in, "objective_metric", s->objectives);
    const uint8_t *up = numbers(in, "objective_maximise", H5T_NATIVE_UINT8, s->objectives);
    const char **text = strings(in, "constraint_text", s->constraints);
    const char **metric = strings(in, "constraint_metric", s->constraints);
    const uint8_t *op = numbers(in, "constraint_op", H5T_NATIVE_UINT8, s->constraints);
    const double *value = numbers(in, "constraint_value", H5T_NATIVE_DOUBLE, s->constraints);
    const double *sure = numbers(in, "constraint_confidence", H5T_NATIVE_DOUBLE, s->constraints);
    struct da_objective *o = take(in, s->objectives, sizeof *o);
    struct da_constraint *c = take(in, s->constraints, sizeof *c);
    for (size_t i = 0; fine(in) && i < s->objectives; i++)
        o[i] = (struct da_objective){wanted[i], up[i] != 0};
    for (size_t i = 0; fine(in) && i < s->constraints; i++) {
        c[i] = (struct da_constraint){text[i], metric[i], (enum da_op)op[i], value[i], sure[i]};
        if (op[i] > DA_NE)
            in->missing = "constraint_op";
    }
    s->objective = o;
    s->constraint = c;
}

/* ---- the file -------------------------------------------------------------------------------- */

static hid_t open_file(const char *path)
{
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = H5I_INVALID_HID;
    if (H5Pset_file_locking(access, false, true) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0)
        file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    return file;
}

enum dc_status da_study_read(const char *path, struct da_study *out, struct dc_error *error)
{
    struct in in = {.path = path, .study = out};
    memset(out, 0, sizeof *out);
    FILE *probe = fopen(path, "rb");
    if (probe == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: %s", path, strerror(errno));
    fclose(probe);
    in.file = open_file(path);
    if (in.file < 0)
        return dc_error_set(error, DC_ERR_IO, "%s: is no HDF5 file, or a damaged one", path);
    if (H5Lexists(in.file, "value", H5P_DEFAULT) <= 0 || H5Lexists(in.file, "x", H5P_DEFAULT) <= 0)
        in.missing = "";
    if (fine(&in))
        read_root(&in);
    if (fine(&in) && (out->points == 0 || out->replications == 0))
        in.missing = "point";
    if (fine(&in)) {
        read_parameters(&in);
        read_metrics(&in);
        read_results(&in);
        read_failures(&in);
        read_goals(&in);
    }
    H5Fclose(in.file);
    if (in.memory)
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", path);
    if (in.missing == NULL)
        return DC_OK;
    if (in.missing[0] == '\0')
        return dc_error_set(error, DC_ERR_IO,
                            "%s: is no study's file: `destrasim sweep` writes those as study.h5",
                            path);
    return dc_error_set(error, DC_ERR_IO, "%s: its `%s` is missing or damaged", path, in.missing);
}

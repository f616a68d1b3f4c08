/* study.h5 back into memory; see read_study.h and sim/record/study.c, which writes it.
 *
 * Variables are found by name.  What must be there is `need`ed; what belongs to a dimension
 * that has no element (no failure, no constraint) is absent from the file.  It may come from
 * anywhere: all is read in a process of its own first, and sizes are bounded before they are
 * multiplied. */
#include "analysis/read_study.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/read_file.h"

enum {
    LENGTH_MAX = 1 << 28, /* of a dimension */
    VALUES_MAX = 1 << 30  /* of a variable */
};

struct in {
    struct da_file *file;
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

/* ---- variables ------------------------------------------------------------------------------- */

static void *miss(struct in *in, const char *name)
{
    if (in->missing == NULL)
        in->missing = name;
    return NULL;
}

/* The dataset, when it has so many values in all; else in->missing. */
static hid_t need(struct in *in, const char *name, size_t count)
{
    struct da_array extent = {0};
    if (!fine(in))
        return H5I_INVALID_HID;
    hid_t set = da_file_object(in->file, name);
    if (set >= 0 && H5Iget_type(set) == H5I_DATASET) {
        hid_t type = H5Dget_type(set);
        if (da_file_extent(set, type, count, &extent) && extent.count == count) {
            H5Tclose(type);
            return set;
        }
        H5Tclose(type);
    }
    H5Oclose(set);
    miss(in, name);
    return H5I_INVALID_HID;
}

static void *numbers(struct in *in, const char *name, hid_t type, size_t count)
{
    if (count == 0)
        return NULL;
    hid_t set = need(in, name, count);
    if (set < 0)
        return NULL;
    void *value = take(in, count, H5Tget_size(type));
    if (value != NULL && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0)
        miss(in, name);
    H5Dclose(set);
    return fine(in) ? value : NULL;
}

static const char **strings(struct in *in, const char *name, size_t count)
{
    if (count == 0)
        return NULL;
    hid_t set = need(in, name, count);
    if (set < 0)
        return NULL;
    hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    const char **kept = take(in, count, sizeof *kept);
    char **text = dc_mem_alloc(count, sizeof *text);
    if (text == NULL)
        in->memory = true;
    if (fine(in) && (H5Tis_variable_str(type) <= 0 ||
                     H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0))
        miss(in, name);
    for (size_t i = 0; fine(in) && i < count; i++)
        kept[i] = keep(in, text[i]);
    if (text != NULL && H5Tis_variable_str(type) > 0)
        (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, text);
    dc_mem_free(text);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(set);
    return fine(in) ? kept : NULL;
}

/* Length of a dimension; 0: there is none of that name. */
static size_t length(struct in *in, const char *dim)
{
    hsize_t size[3] = {0};
    hid_t set = da_file_object(in->file, dim);
    if (set < 0)
        return 0;
    hid_t space = H5Iget_type(set) == H5I_DATASET ? H5Dget_space(set) : H5I_INVALID_HID;
    if (H5Sget_simple_extent_ndims(space) == 1)
        (void)H5Sget_simple_extent_dims(space, size, NULL);
    H5Sclose(space);
    H5Oclose(set);
    if (size[0] > LENGTH_MAX)
        miss(in, dim);
    return (size_t)size[0];
}

static const char *attribute(struct in *in, const char *name)
{
    const char *text = da_file_text(in->file, "/", name);
    if (text != NULL)
        return keep(in, text);
    miss(in, name);
    return "";
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
    size_t kind = 0;
    while (kind < sizeof designs / sizeof designs[0] && strcmp(design, designs[kind]) != 0)
        kind++;
    if (kind == sizeof designs / sizeof designs[0])
        miss(in, "design");
    else
        s->design = (enum da_design)kind;
    s->base = (size_t)da_file_number(in->file, "design_base", UINT64_MAX);
    s->points = length(in, "point");
    s->replications = length(in, "replication");
    s->parameters = length(in, "parameter");
    s->metrics = length(in, "metric");
    s->failures = length(in, "failure");
    s->objectives = length(in, "objective");
    s->constraints = length(in, "constraint");
    if (s->points == 0)
        miss(in, "point");
    if (s->replications == 0)
        miss(in, "replication");
    if (s->metrics == 0)
        miss(in, "metric");
    if (s->base > s->points)
        miss(in, "design_base");
    double runs = (double)s->points * (double)s->replications;
    if (runs * fmax((double)s->metrics, 1) > VALUES_MAX)
        miss(in, "value");
    if ((double)s->points * (double)s->parameters > VALUES_MAX)
        miss(in, "x");
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
            miss(in, "parameter_values");
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
            miss(in, "status");
    }
    for (size_t i = 0; fine(in) && i < s->points * s->parameters; i++)
        if (!isfinite(s->x[i]))
            miss(in, "x");
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
            miss(in, "failure_point");
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
            miss(in, "constraint_op");
    }
    s->objective = o;
    s->constraint = c;
}

/* ---- the file -------------------------------------------------------------------------------- */

static enum dc_status read_file(const char *path, struct da_study *out, struct dc_error *error)
{
    struct in in = {.study = out, .file = da_file_begin(path)};
    memset(out, 0, sizeof *out);
    if (in.file == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: is no HDF5 file, or a damaged one", path);
    hid_t value = da_file_object(in.file, "value"), x = da_file_object(in.file, "x");
    bool study = value >= 0 && x >= 0;
    H5Oclose(value);
    H5Oclose(x);
    if (study)
        read_root(&in);
    if (study && fine(&in)) {
        read_parameters(&in);
        read_metrics(&in);
        read_results(&in);
        read_failures(&in);
        read_goals(&in);
    }
    da_file_close(in.file);
    if (!study)
        return dc_error_set(error, DC_ERR_IO,
                            "%s: is no study's file: `destrasim sweep` writes those as study.h5",
                            path);
    if (in.memory)
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", path);
    if (in.missing != NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: its `%s` is missing or damaged", path,
                            in.missing);
    return DC_OK;
}

static void rehearse(const char *path)
{
    struct da_study study;
    struct dc_error error = {0};
    if (read_file(path, &study, &error) != DC_OK)
        return; /* its parent says why */
}

enum dc_status da_study_read(const char *path, struct da_study *out, struct dc_error *error)
{
    memset(out, 0, sizeof *out);
    FILE *probe = fopen(path, "rb");
    if (probe == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: %s", path, strerror(errno));
    fclose(probe);
    if (!da_file_rehearse_with(path, rehearse))
        return dc_error_set(error, DC_ERR_IO, "%s: is damaged", path);
    return read_file(path, out, error);
}

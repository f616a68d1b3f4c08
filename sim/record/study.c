/* study.h5; see study.h.
 *
 * One table of variables (what it is called, over which dimensions, where it lies in struct
 * da_study) makes the file, dataset by dataset, and analysis/read_study.c reads it back by the
 * same names.  Dimensions without an element (no failure, no constraint) are not there, nor are
 * their variables. */
#include "sim/record/study.h"

#include <errno.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analysis/stats.h"
#include "models/base/text.h"
#include "sim/record/disk.h"
#include "sim/record/h5.h"

#define CONFIDENCE 0.95 /* of half_width */
#define CHUNK_BYTES ((hsize_t)256 << 10)

enum dim { POINT, REPLICATION, PARAMETER, METRIC, FAILURE, OBJECTIVE, CONSTRAINT, WORD, DIMS };
static const struct ds_dim dims[DIMS] = {
    {"point", "settings of the parameters, in the order of the design", false, 0},
    {"replication", "runs of a point; the same seed at every point", false, 0},
    {"parameter", "what varies", false, 0},
    {"metric", "numbers of a run's /summary", false, 0},
    {"failure", "runs without data", false, 0},
    {"objective", "what is wanted", false, 0},
    {"constraint", "what must hold", false, 0},
    {"word", "values of parameters that are lists, parameter by parameter", false, 0},
};

struct out {
    const struct da_study *study;
    hid_t file, scale[DIMS];
    hsize_t size[DIMS];
    bool failed;
    struct dc_arena *arena; /* columns that are gathered from structs */
};

static void *gather(struct out *o, hsize_t count, size_t size)
{
    void *column = dc_arena_alloc(o->arena, (size_t)count * size + 1);
    if (column == NULL)
        o->failed = true;
    return column;
}

/* ---- variables ------------------------------------------------------------------------------- */

struct variable {
    const char *name, *units, *long_name;
    enum ds_type type;
    int rank;
    enum dim dim[3];
    const char *meanings; /* of an enumeration, or NULL */
};

static size_t words_in(const char *text)
{
    size_t n = 1;
    for (; *text != '\0'; text++)
        n += *text == ' ';
    return n;
}

static bool put_meanings(hid_t set, const char *meanings)
{
    uint8_t value[32];
    size_t count = words_in(meanings);
    DC_CHECK(count <= sizeof value);
    for (size_t i = 0; i < count; i++)
        value[i] = (uint8_t)i;
    return ds_h5_put_numbers(set, "flag_values", DS_U8, value, count) &&
           ds_h5_put_text(set, "flag_meanings", meanings);
}

/* Chunks of whole rows, near CHUNK_BYTES; small ones and text lie in one piece. */
static void plan_chunks(const struct out *o, const struct variable *v, struct ds_h5_shape *shape)
{
    hsize_t row = ds_h5_value_bytes(v->type);
    for (int i = 1; i < v->rank; i++)
        row *= o->size[v->dim[i]];
    if (v->type == DS_TEXT || v->rank == 0 || row * shape->size[0] <= CHUNK_BYTES)
        return;
    memcpy(shape->chunk, shape->size, sizeof shape->chunk);
    shape->chunk[0] = row >= CHUNK_BYTES ? 1 : CHUNK_BYTES / row;
    for (int i = 1; i < v->rank && row > CHUNK_BYTES; i++) {
        hsize_t parts = (row + CHUNK_BYTES - 1) / CHUNK_BYTES;
        hsize_t now = (shape->size[i] + parts - 1) / parts;
        row = row / shape->size[i] * now;
        shape->chunk[i] = now;
    }
    shape->chunked = true;
}

/* An enumeration's attributes go with it; further ones may be put before H5Dclose. */
static void put(struct out *o, const struct variable *v, const void *data)
{
    struct ds_h5_shape shape = {.rank = v->rank};
    for (int i = 0; i < v->rank; i++) {
        shape.size[i] = o->size[v->dim[i]];
        if (shape.size[i] == 0)
            return;
    }
    if (o->failed)
        return;
    plan_chunks(o, v, &shape);
    hid_t type = ds_h5_memory_type(v->type), set = ds_h5_dataset(o->file, v->name, v->type, &shape);
    bool ok = set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0 &&
              ds_h5_put_text(set, "units", v->units) &&
              ds_h5_put_text(set, "long_name", v->long_name) &&
              (v->meanings == NULL || put_meanings(set, v->meanings));
    for (int i = 0; ok && i < v->rank; i++)
        ok = H5DSattach_scale(set, o->scale[v->dim[i]], (unsigned)i) >= 0;
    if (v->type == DS_TEXT)
        H5Tclose(type);
    if (set >= 0)
        H5Dclose(set);
    o->failed = !ok;
}

static void put_text(struct out *o, const char *name, const char *long_name, enum dim dim,
                     const char *const *text)
{
    if (!o->failed)
        put(o, &(struct variable){name, "1", long_name, DS_TEXT, 1, {dim}, NULL}, text);
}

/* ---- the parts ------------------------------------------------------------------------------- */

static void put_results(struct out *o)
{
    static const struct variable value = {
        "value", "1", "of a metric in a run, in metric_unit; NaN: not measured",
        DS_F64,  3,   {POINT, REPLICATION, METRIC},
        NULL};
    static const struct variable status = {
        "status",
        "1",
        "how a run ended; violated and failed: no data",
        DS_U8,
        2,
        {POINT, REPLICATION},
        "missing done expectation_failed invariant_violated failed"};
    static const struct variable digest = {
        "trace_digest",       "1", "of the run, as in its own file", DS_TEXT, 2,
        {POINT, REPLICATION}, NULL};
    static const struct variable x = {
        "x",    "1", "of a parameter at a point, in parameter_unit; of words their number",
        DS_F64, 2,   {POINT, PARAMETER},
        NULL};
    static const struct variable seed = {
        "seed", "1", "of all runs of a replication", DS_U64, 1, {REPLICATION}, NULL};
    const struct da_study *s = o->study;
    size_t runs = s->points * s->replications;
    const char **text = gather(o, runs, sizeof *text);
    for (size_t i = 0; text != NULL && i < runs; i++)
        text[i] = s->trace_digest != NULL && s->trace_digest[i] != NULL ? s->trace_digest[i] : "";
    put(o, &x, s->x);
    put(o, &seed, s->seed);
    put(o, &value, s->value);
    put(o, &status, s->status);
    put(o, &digest, text);
}

/* What everybody computes first. */
static void put_means(struct out *o)
{
    static const struct variable mean = {
        "mean",          "1", "of a metric's values at a point, in metric_unit", DS_F64, 2,
        {POINT, METRIC}, NULL};
    static const struct variable half = {
        "half_width", "1", "of the mean's 95 % confidence interval (Student's t), in metric_unit",
        DS_F64,       2,   {POINT, METRIC},
        NULL};
    const struct da_study *s = o->study;
    double *sample = gather(o, s->replications, sizeof *sample);
    double *means = gather(o, s->points * s->metrics, sizeof *means);
    double *halves = gather(o, s->points * s->metrics, sizeof *halves);
    for (size_t p = 0; !o->failed && p < s->points; p++)
        for (size_t m = 0; m < s->metrics; m++) {
            size_t n = da_study_sample(s, p, m, sample), at = p * s->metrics + m;
            struct da_estimate e = da_mean_interval(sample, n, CONFIDENCE);
            means[at] = n > 0 ? e.value : NAN;
            halves[at] = n > 1 ? (e.hi - e.lo) / 2 : NAN;
        }
    put(o, &mean, means);
    put(o, &half, halves);
}

static void put_parameters(struct out *o)
{
    static const struct variable scale = {
        "parameter_scale", "1", "on which a range is cut", DS_U8, 1, {PARAMETER}, "linear log"};
    static const struct variable words = {
        "parameter_words", "1", "its values are no numbers", DS_U8, 1, {PARAMETER}, "no yes"};
    static const struct variable lo = {"parameter_lo", "1", "least x, in parameter_unit", DS_F64, 1,
                                       {PARAMETER},    NULL};
    static const struct variable hi = {
        "parameter_hi", "1", "greatest x, in parameter_unit", DS_F64, 1, {PARAMETER}, NULL};
    static const struct variable count = {
        "parameter_values", "1", "how many of word_text are its; 0: a range", DS_U64, 1,
        {PARAMETER},        NULL};
    const struct da_study *s = o->study;
    const char **text[3];
    for (size_t k = 0; k < 3; k++)
        text[k] = gather(o, s->parameters, sizeof **text);
    uint8_t *flag[2] = {gather(o, s->parameters, 1), gather(o, s->parameters, 1)};
    double *bound[2] = {gather(o, s->parameters, 8), gather(o, s->parameters, 8)};
    uint64_t *counts = gather(o, s->parameters, sizeof *counts);
    const char **word = gather(o, o->size[WORD], sizeof *word);
    size_t at = 0;
    for (size_t i = 0; !o->failed && i < s->parameters; i++) {
        const struct da_parameter *p = &s->parameter[i];
        text[0][i] = p->path;
        text[1][i] = p->label;
        text[2][i] = p->unit;
        flag[0][i] = (uint8_t)p->scale;
        flag[1][i] = p->words;
        bound[0][i] = p->lo;
        bound[1][i] = p->hi;
        counts[i] = p->words_count;
        for (size_t k = 0; k < p->words_count; k++)
            word[at++] = p->word[k];
    }
    put_text(o, "parameter_path", "of the scenario's value", PARAMETER, text[0]);
    put_text(o, "parameter_label", "for axes", PARAMETER, text[1]);
    put_text(o, "parameter_unit", "of x", PARAMETER, text[2]);
    put(o, &scale, flag[0]);
    put(o, &words, flag[1]);
    put(o, &lo, bound[0]);
    put(o, &hi, bound[1]);
    put(o, &count, counts);
    put_text(o, "word_text", "values of parameters that are lists, parameter by parameter", WORD,
             word);
}

static void put_metrics(struct out *o)
{
    const struct da_study *s = o->study;
    const char **text[3];
    for (size_t k = 0; k < 3; k++)
        text[k] = gather(o, s->metrics, sizeof **text);
    for (size_t i = 0; !o->failed && i < s->metrics; i++) {
        text[0][i] = s->metric[i].name;
        text[1][i] = s->metric[i].unit;
        text[2][i] = s->metric[i].long_name;
    }
    put_text(o, "metric_name", "as in /summary of a run", METRIC, text[0]);
    put_text(o, "metric_unit", "of its values", METRIC, text[1]);
    put_text(o, "metric_long_name", "what it is", METRIC, text[2]);
}

static void put_failures(struct out *o)
{
    static const struct variable point = {"failure_point", "1", "where", DS_U64, 1,
                                          {FAILURE},       NULL};
    static const struct variable replication = {
        "failure_replication", "1", "which run of it", DS_U64, 1, {FAILURE}, NULL};
    const struct da_study *s = o->study;
    uint64_t *at[2] = {gather(o, s->failures, 8), gather(o, s->failures, 8)};
    const char **text = gather(o, s->failures, sizeof *text);
    for (size_t i = 0; !o->failed && i < s->failures; i++) {
        at[0][i] = s->failure[i].point;
        at[1][i] = s->failure[i].replication;
        text[i] = s->failure[i].text;
    }
    put(o, &point, at[0]);
    put(o, &replication, at[1]);
    put_text(o, "failure_text", "why", FAILURE, text);
}

static void put_goals(struct out *o)
{
    static const struct variable sense = {
        "objective_maximise", "1", "greater is better", DS_U8, 1, {OBJECTIVE}, "no yes"};
    static const struct variable op = {"constraint_op",
                                       "1",
                                       "how it is compared",
                                       DS_U8,
                                       1,
                                       {CONSTRAINT},
                                       "less at_most greater at_least equal unequal"};
    static const struct variable bound = {
        "constraint_value", "1", "with what, in the metric's unit", DS_F64, 1, {CONSTRAINT}, NULL};
    static const struct variable sure = {"constraint_confidence",
                                         "1",
                                         "at which the mean must meet it",
                                         DS_F64,
                                         1,
                                         {CONSTRAINT},
                                         NULL};
    const struct da_study *s = o->study;
    const char **wanted = gather(o, s->objectives, sizeof *wanted);
    uint8_t *up = gather(o, s->objectives, 1), *ops = gather(o, s->constraints, 1);
    const char **text = gather(o, s->constraints, sizeof *text);
    const char **metric = gather(o, s->constraints, sizeof *metric);
    double *value = gather(o, s->constraints, 8), *level = gather(o, s->constraints, 8);
    for (size_t i = 0; !o->failed && i < s->objectives; i++) {
        wanted[i] = s->objective[i].metric;
        up[i] = s->objective[i].maximise;
    }
    for (size_t i = 0; !o->failed && i < s->constraints; i++) {
        const struct da_constraint *c = &s->constraint[i];
        text[i] = c->text;
        metric[i] = c->metric;
        ops[i] = (uint8_t)c->op;
        value[i] = c->value;
        level[i] = c->confidence;
    }
    put_text(o, "objective_metric", "whose mean counts", OBJECTIVE, wanted);
    put(o, &sense, up);
    put_text(o, "constraint_text", "as written", CONSTRAINT, text);
    put_text(o, "constraint_metric", "whose mean counts", CONSTRAINT, metric);
    put(o, &op, ops);
    put(o, &bound, value);
    put(o, &sure, level);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void put_root(struct out *o)
{
    static const char *const designs[] = {"grid", "lhs", "sobol", "saltelli", "morris", "list"};
    const struct da_study *s = o->study;
    const int32_t whole = 1;
    uint64_t base = s->base;
    const struct {
        const char *name, *text;
    } texts[] = {{"title", s->title[0] != '\0' ? s->title : s->name},
                 {"Conventions", "CF-1.10"},
                 {"destrasim_version", s->version},
                 {"name", s->name},
                 {"study_title", s->title},
                 {"study", s->text},
                 {"scenario", s->scenario},
                 {"design", designs[s->design]}};
    for (size_t i = 0; !o->failed && i < sizeof texts / sizeof texts[0]; i++)
        o->failed = !ds_h5_put_text(o->file, texts[i].name, texts[i].text);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t complete =
        H5Acreate2(o->file, "complete", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    o->failed = o->failed || !ds_h5_put_numbers(o->file, "design_base", DS_U64, &base, 0) ||
                H5Awrite(complete, H5T_NATIVE_INT32, &whole) < 0 ||
                !ds_h5_put_text(o->file, "content_digest", "");
    H5Aclose(complete);
    H5Sclose(space);
}

static void write_all(struct out *o)
{
    char content[65];
    put_root(o);
    for (int d = 0; d < DIMS && !o->failed; d++)
        if (o->size[d] > 0) {
            o->scale[d] = ds_h5_dim(o->file, &dims[d], o->size[d]);
            o->failed = o->scale[d] < 0;
        }
    put_parameters(o);
    put_metrics(o);
    put_results(o);
    put_means(o);
    put_failures(o);
    put_goals(o);
    for (int d = 0; d < DIMS; d++)
        if (o->scale[d] >= 0)
            H5Dclose(o->scale[d]);
    o->failed = o->failed || !ds_h5_content(o->file, 1, content) ||
                !ds_h5_set_text(o->file, "content_digest", content) ||
                H5Fflush(o->file, H5F_SCOPE_GLOBAL) < 0 || ds_disk_reason(o->file) != 0;
}

static void measure(struct out *o)
{
    const struct da_study *s = o->study;
    const hsize_t size[DIMS] = {s->points,   s->replications, s->parameters,  s->metrics,
                                s->failures, s->objectives,   s->constraints, 0};
    memcpy(o->size, size, sizeof size);
    for (size_t i = 0; i < s->parameters; i++)
        o->size[WORD] += s->parameter[i].words_count;
    for (int d = 0; d < DIMS; d++)
        o->scale[d] = H5I_INVALID_HID;
}

enum dc_status ds_study_write(const struct da_study *study, const char *path,
                              struct dc_error *error)
{
    struct dc_arena arena = {0};
    struct out o = {.study = study, .arena = &arena};
    struct dc_text partial = {0};
    enum dc_status status = DC_OK;
    dc_text_printf(&partial, "%s.partial", path);
    if (partial.failed)
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", path);
    ds_h5_quiet();
    measure(&o);
    errno = 0;
    hid_t driver = ds_disk_driver();
    o.file = ds_h5_create(partial.data, driver);
    if (o.file >= 0) {
        write_all(&o);
        int reason = ds_disk_reason(o.file);
        if (o.failed && reason != 0)
            status = dc_error_set(error, DC_ERR_IO, "%s: %s", partial.data, strerror(reason));
        else if (o.failed)
            status = ds_h5_failed(error, partial.data, "cannot write (out of memory or disk?)");
        if (o.failed)
            ds_disk_abandon(o.file);
        if (H5Fclose(o.file) < 0 && status == DC_OK)
            status = ds_h5_failed(error, partial.data, "cannot close");
    } else {
        status = ds_h5_failed(error, partial.data, "cannot create");
    }
    H5FDunregister(driver);
    if (status == DC_OK && rename(partial.data, path) != 0)
        status = dc_error_set(error, DC_ERR_IO, "%s: cannot be renamed to %s: %s", partial.data,
                              path, strerror(errno));
    if (status != DC_OK)
        unlink(partial.data);
    dc_arena_free(&arena);
    dc_text_free(&partial);
    return status;
}

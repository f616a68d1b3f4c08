/* The two sides of a comparison: runs as rows, from a study or from results files. */
#include "analysis/compare.h"

#include "analysis/read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static enum dc_status no_memory(struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "out of memory");
}

static const char *copy_text(struct dc_arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = dc_arena_alloc(arena, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

static struct da_run *add_run(struct da_runs *r)
{
    if (r->runs == r->runs_max) {
        size_t more = r->runs_max * 2 + 16;
        struct da_run *grown = dc_mem_grow(r->run, more, sizeof *grown);
        if (grown == NULL)
            return NULL;
        r->run = grown;
        r->runs_max = more;
    }
    r->run[r->runs] = (struct da_run){.point = ""};
    return &r->run[r->runs++];
}

void da_runs_free(struct da_runs *r)
{
    dc_mem_free(r->metric);
    dc_mem_free(r->run);
    dc_arena_free(&r->arena);
    memset(r, 0, sizeof *r);
}

enum dc_status da_runs_add_failed(struct da_runs *r, uint64_t seed, const char *why,
                                  struct dc_error *error)
{
    struct da_run *run = add_run(r);
    if (run == NULL || (run->failed = copy_text(&r->arena, why)) == NULL)
        return no_memory(error);
    run->seed = seed;
    return DC_OK;
}

/* Index of a metric, SIZE_MAX: it is not there. */
static size_t find_metric(const struct da_runs *r, const char *name, size_t guess)
{
    if (guess < r->metrics && strcmp(r->metric[guess].name, name) == 0)
        return guess; /* files of one program have theirs in the same order */
    for (size_t i = 0; i < r->metrics; i++)
        if (strcmp(r->metric[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* The index of a new one; SIZE_MAX: out of memory. */
static size_t add_metric(struct da_runs *r, size_t *max, const struct da_metric *m)
{
    if (r->metrics == *max) {
        size_t more = *max * 2 + 64;
        struct da_metric *grown = dc_mem_grow(r->metric, more, sizeof *grown);
        if (grown == NULL)
            return SIZE_MAX;
        r->metric = grown;
        *max = more;
    }
    const char *long_name = m->long_name != NULL ? m->long_name : m->name;
    struct da_metric own = {copy_text(&r->arena, m->name),
                            copy_text(&r->arena, m->unit != NULL ? m->unit : "1"),
                            copy_text(&r->arena, long_name)};
    if (own.name == NULL || own.unit == NULL || own.long_name == NULL)
        return SIZE_MAX;
    r->metric[r->metrics] = own;
    return r->metrics++;
}

/* ---- a study --------------------------------------------------------------------------------- */

static const char *point_text(const struct da_study *s, size_t point, struct dc_arena *arena)
{
    char text[2048];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < s->parameters && at < sizeof text; i++) {
        const struct da_parameter *p = &s->parameter[i];
        double x = da_study_x(s, point, i);
        const char *gap = i > 0 ? " " : "";
        bool plain = p->unit[0] == '\0' || strcmp(p->unit, "1") == 0;
        int n;
        if (p->words && x >= 0 && (size_t)x < p->words_count)
            n = snprintf(text + at, sizeof text - at, "%s%s=%s", gap, p->path, p->word[(size_t)x]);
        else
            n = snprintf(text + at, sizeof text - at, "%s%s=%.10g%s%s", gap, p->path, x,
                         plain ? "" : " ", plain ? "" : p->unit);
        at += n > 0 ? (size_t)n : 0;
    }
    return copy_text(arena, text);
}

static const char *failure_text(const struct da_study *s, size_t point, size_t replication)
{
    for (size_t i = 0; i < s->failures; i++)
        if (s->failure[i].point == point && s->failure[i].replication == replication)
            return s->failure[i].text;
    return "an invariant was violated";
}

enum dc_status da_runs_of_study(const struct da_study *s, struct da_runs *out,
                                struct dc_error *error)
{
    size_t max = 0;
    memset(out, 0, sizeof *out);
    for (size_t m = 0; m < s->metrics; m++)
        if (find_metric(out, s->metric[m].name, SIZE_MAX) != SIZE_MAX ||
            add_metric(out, &max, &s->metric[m]) != m)
            return dc_error_set(error, DC_ERR_IO, "out of memory, or a metric is there twice");
    for (size_t p = 0; p < s->points; p++) {
        const char *point = point_text(s, p, &out->arena);
        if (point == NULL)
            return no_memory(error);
        for (size_t r = 0; r < s->replications; r++) {
            uint8_t status = s->status[p * s->replications + r];
            if (status == DA_RUN_MISSING)
                continue;
            struct da_run *run = add_run(out);
            if (run == NULL)
                return no_memory(error);
            run->point = point;
            run->seed = s->seed[r];
            if (status != DA_RUN_DONE && status != DA_RUN_EXPECTATION) {
                if ((run->failed = copy_text(&out->arena, failure_text(s, p, r))) == NULL)
                    return no_memory(error);
                continue;
            }
            double *value = dc_arena_alloc(&out->arena, (s->metrics + 1) * sizeof *value);
            if (value == NULL)
                return no_memory(error);
            for (size_t m = 0; m < s->metrics; m++)
                value[m] = da_study_value(s, p, r, m);
            run->value = value;
        }
    }
    return DC_OK;
}

/* ---- results files --------------------------------------------------------------------------- */

/* Are two scenarios, as resolved YAML, the same but for the line of the seed? */
static bool same_scenario(const char *a, const char *b)
{
    for (;;) {
        if (strncmp(a, "seed:", 5) == 0 && strncmp(b, "seed:", 5) == 0) {
            a += strcspn(a, "\n");
            b += strcspn(b, "\n");
        }
        size_t n = strcspn(a, "\n");
        if (n != strcspn(b, "\n") || memcmp(a, b, n) != 0)
            return false;
        a += n;
        b += n;
        if (*a == '\0' || *b == '\0')
            return *a == *b;
        a++;
        b++;
    }
}

static enum dc_status check_file(struct da_file *f, const char *path, const char *first,
                                 const char **scenario, struct dc_error *error)
{
    if (da_file_kind(f) != DA_FILE_RUN)
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: is a study: it is compared with another study", path);
    if (da_file_number(f, "complete", 0) != 1)
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: this run did not come to its end (complete = 0): leave it out",
                            path);
    const char *text = da_file_text(f, "/", "scenario");
    if (text == NULL)
        return dc_error_set(error, DC_ERR_USAGE, "%s: does not say of which scenario it is", path);
    if (*scenario == NULL)
        *scenario = text;
    else if (!same_scenario(*scenario, text))
        return dc_error_set(error, DC_ERR_USAGE,
                            "%s: is of another scenario than %s (`destrasim diff` says in what): "
                            "runs of one side differ in their seed alone",
                            path, first);
    return DC_OK;
}

static enum dc_status read_values(struct da_file *f, struct da_runs *out, size_t *max,
                                  struct da_run *run, struct dc_error *error)
{
    size_t count;
    const char *const *name = da_file_names(f, "/summary", &count);
    double *value = dc_arena_alloc(&out->arena, (out->metrics + count + 1) * sizeof *value);
    if (value == NULL)
        return no_memory(error);
    for (size_t m = 0; m < out->metrics + count; m++)
        value[m] = NAN;
    for (size_t i = 0; name != NULL && i < count; i++) {
        char object[600];
        snprintf(object, sizeof object, "/summary/%s", name[i]);
        struct da_array a = da_file_array(f, object);
        if (a.value == NULL || a.count != 1)
            continue;
        size_t at = find_metric(out, name[i], i);
        if (at == SIZE_MAX) {
            struct da_metric m = {name[i], da_file_text(f, object, "units"),
                                  da_file_text(f, object, "long_name")};
            at = add_metric(out, max, &m);
        }
        if (at == SIZE_MAX)
            return no_memory(error);
        value[at] = a.value[0];
    }
    run->value = value;
    return DC_OK;
}

/* Rows of files that were read before the last metric was met end early: made equally long. */
static enum dc_status widen(struct da_runs *r, const size_t *width, struct dc_error *error)
{
    for (size_t i = 0; i < r->runs; i++) {
        double *value = dc_arena_alloc(&r->arena, (r->metrics + 1) * sizeof *value);
        if (value == NULL)
            return no_memory(error);
        for (size_t m = 0; m < r->metrics; m++)
            value[m] = m < width[i] ? r->run[i].value[m] : NAN;
        r->run[i].value = value;
    }
    return DC_OK;
}

struct reading {
    struct da_runs *out;
    struct da_file *first; /* its scenario is that of all */
    const char *scenario;
    size_t max, *width;
};

static enum dc_status read_file(struct reading *r, const char *const *path, size_t i,
                                struct dc_error *error)
{
    struct da_file *f = NULL;
    enum dc_status status = da_file_open(path[i], &f, error);
    if (status == DC_OK)
        status = check_file(f, path[i], path[0], &r->scenario, error);
    uint64_t seed = status == DC_OK ? da_file_number(f, "seed", 0) : 0;
    for (size_t k = 0; k < r->out->runs && status == DC_OK; k++)
        if (r->out->run[k].seed == seed)
            status = dc_error_set(error, DC_ERR_USAGE,
                                  "%s: has seed %llu, as %s: each seed once on a side", path[i],
                                  (unsigned long long)seed, path[k]);
    struct da_run *run = status == DC_OK ? add_run(r->out) : NULL;
    if (status == DC_OK && run == NULL)
        status = no_memory(error);
    if (status == DC_OK) {
        run->seed = seed;
        status = read_values(f, r->out, &r->max, run, error);
        r->width[i] = r->out->metrics;
    }
    if (i == 0)
        r->first = f;
    else
        da_file_close(f);
    return status;
}

enum dc_status da_runs_of_files(const char *const *path, size_t count, struct da_runs *out,
                                struct dc_error *error)
{
    struct reading r = {.out = out};
    enum dc_status status = DC_OK;
    memset(out, 0, sizeof *out);
    r.width = dc_mem_alloc(count + 1, sizeof *r.width);
    if (r.width == NULL)
        return no_memory(error);
    for (size_t i = 0; i < count && status == DC_OK; i++)
        status = read_file(&r, path, i, error);
    if (status == DC_OK)
        status = widen(out, r.width, error);
    da_file_close(r.first);
    dc_mem_free(r.width);
    return status;
}

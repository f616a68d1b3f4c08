/* A run's file to numbers; see cmd_sweep.h.
 *
 *   p00012-r003.h5      complete, no invariant violated   -> DONE, or EXPECTATION
 *   p00012-r003.failed  "violated" or "failed", then why  -> VIOLATED, FAILED
 *   anything else                                         -> MISSING: it is run again
 *
 * A run that violates an invariant leaves a complete file first.  Its .failed is written before
 * that file goes, so a sweep that dies between the two finds the file, sees what it is, and
 * runs it again. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd_sweep.h"
#include "sim/record/read.h"

static const char word_violated[] = "violated\n", word_failed[] = "failed\n";

static char *keep_text(struct ds_sweep *s, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = dc_arena_alloc(&s->arena, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

/* ---- failures -------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

static enum dc_status read_failure(struct ds_sweep *s, struct ds_sweep_run *run, const char *path,
                                   bool mine, bool *there, struct dc_error *error)
{
    char *text = ds_sweep_slurp(path);
    if (text == NULL)
        return errno == ENOENT ? DC_OK
                               : dc_error_set(error, DC_ERR_IO, "%s: %s", path, strerror(errno));
    bool violated = begins(text, word_violated);
    *there = violated || begins(text, word_failed);
    if (*there) {
        char *why = strchr(text, '\n') + 1;
        size_t size = strlen(why);
        if (size > 0 && why[size - 1] == '\n')
            why[size - 1] = '\0';
        run->text = keep_text(s, why);
    } else if (mine) {
        ds_cmd_warn("%s: is damaged: it is run again", path);
        unlink(path);
    }
    dc_mem_free(text);
    if (*there && run->text == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: out of memory", path);
    if (*there)
        run->status = violated ? DA_RUN_VIOLATED : DA_RUN_FAILED;
    return DC_OK;
}

static enum dc_status write_failure(struct ds_sweep *s, size_t point, uint32_t replication,
                                    const struct ds_runs_result *result, struct dc_error *error)
{
    char *path = ds_sweep_path(s, point, replication, ".failed");
    char *results = ds_sweep_path(s, point, replication, ".h5");
    char *kept = ds_sweep_path(s, point, replication, ".failed.h5");
    struct dc_text text = {0};
    dc_text_printf(&text, "%s%s\n", result->status == DA_RUN_VIOLATED ? word_violated : word_failed,
                   result->text);
    enum dc_status status = ds_cmd_write(path, &text, error);
    if (status == DC_OK && (!s->keep || rename(results, kept) != 0))
        unlink(results);
    dc_text_free(&text);
    dc_mem_free(path);
    dc_mem_free(results);
    dc_mem_free(kept);
    return status;
}

/* ---- results --------------------------------------------------------------------------------- */

static bool named(const char *name, const char *metric)
{
    return metric != NULL && strcmp(name, metric) == 0;
}

/* Is it among what the study keeps? */
static bool wanted(const struct ds_study *study, const char *name)
{
    bool yes = study->metrics == 0 || named(name, study->replications.metric);
    for (size_t i = 0; i < study->metrics && !yes; i++)
        yes = named(name, study->metric[i]);
    for (size_t i = 0; i < study->objectives && !yes; i++)
        yes = named(name, study->objective[i].metric);
    for (size_t i = 0; i < study->constraints && !yes; i++)
        yes = named(name, study->constraint[i].metric);
    return yes;
}

/* Index of a metric, which is added when it is new; SIZE_MAX: out of memory. */
static size_t intern(struct ds_sweep *s, const struct ds_scalar *scalar)
{
    for (size_t k = 0; k < s->metrics; k++) {
        size_t i = (s->metric_next + k) % s->metrics;
        if (strcmp(s->metric[i].name, scalar->name) == 0) {
            s->metric_next = i + 1;
            return i;
        }
    }
    if (s->metrics == s->metrics_max) {
        size_t max = s->metrics_max == 0 ? 256 : 2 * s->metrics_max;
        struct da_metric *grown = dc_mem_grow(s->metric, max, sizeof *grown);
        if (grown == NULL)
            return SIZE_MAX;
        s->metric = grown;
        s->metrics_max = max;
    }
    struct da_metric *m = &s->metric[s->metrics];
    m->name = keep_text(s, scalar->name);
    m->unit = keep_text(s, scalar->units != NULL ? scalar->units : "1");
    m->long_name = keep_text(s, scalar->long_name != NULL ? scalar->long_name : "");
    if (m->name == NULL || m->unit == NULL || m->long_name == NULL)
        return SIZE_MAX;
    s->metric_next = s->metrics + 1;
    return s->metrics++;
}

static double number(const struct ds_scalar *scalar)
{
    return scalar->type == DS_U64   ? (double)scalar->value.u64
           : scalar->type == DS_I64 ? (double)scalar->value.i64
                                    : scalar->value.f64;
}

struct reading {
    struct ds_sweep *s;
    struct ds_sweep_run *run;
    bool violated;
    size_t held; /* expectations of the base scenario that hold */
};

static enum dc_status read_summary(struct reading *g, struct ds_results *results,
                                   struct dc_error *error)
{
    struct ds_sweep *s = g->s;
    struct ds_sweep_run *run = g->run;
    uint64_t count = ds_results_summary_count(results);
    run->metric = dc_arena_alloc(&s->arena, count * sizeof *run->metric + 1);
    run->value = dc_arena_alloc(&s->arena, count * sizeof *run->value + 1);
    if (run->metric == NULL || run->value == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for the numbers of a run");
    for (uint64_t i = 0; i < count; i++) {
        struct ds_scalar scalar;
        enum dc_status status = ds_results_summary(results, i, &scalar, error);
        if (status != DC_OK)
            return status;
        double value = number(&scalar);
        g->violated |= strcmp(scalar.name, "violations") == 0 && value > 0;
        for (size_t e = 0; e < s->base.expects_count; e++)
            g->held += strcmp(s->base.expects[e].metric, scalar.name) == 0 &&
                       ds_expect_holds(&s->base.expects[e], value);
        if (!wanted(&s->study, scalar.name))
            continue;
        size_t metric = intern(s, &scalar);
        if (metric == SIZE_MAX)
            return dc_error_set(error, DC_ERR_IO, "out of memory for the numbers of a run");
        run->metric[run->values] = (uint32_t)metric;
        run->value[run->values++] = value;
    }
    return DC_OK;
}

static enum dc_status read_results(struct reading *g, const char *path, struct dc_error *error)
{
    struct ds_results *results = NULL;
    enum dc_status status = ds_results_open(path, &results, error);
    if (status != DC_OK)
        return status;
    const char *digest = ds_results_text(results, "trace_digest");
    if (!ds_results_complete(results) || digest == NULL)
        status = dc_error_set(error, DC_ERR_IO, "%s: is not complete", path);
    else
        status = read_summary(g, results, error);
    if (status == DC_OK)
        snprintf(g->run->trace_digest, sizeof g->run->trace_digest, "%s", digest);
    ds_results_close(results);
    return status;
}

enum dc_status ds_sweep_read(struct ds_sweep *s, size_t point, uint32_t replication,
                             struct dc_error *error)
{
    struct ds_sweep_run *run = ds_sweep_run(s, point, replication);
    struct reading g = {.s = s, .run = run};
    struct dc_error damage = {0};
    bool mine = s->point[point].mine, there = false;
    char *failed = ds_sweep_path(s, point, replication, ".failed");
    char *path = ds_sweep_path(s, point, replication, ".h5");
    enum dc_status status = read_failure(s, run, failed, mine, &there, error);
    if (there && mine && status == DC_OK)
        unlink(path);
    if (status == DC_OK && !there && access(path, F_OK) == 0) {
        if (read_results(&g, path, &damage) == DC_OK && !g.violated) {
            run->status = g.held == s->base.expects_count ? DA_RUN_DONE : DA_RUN_EXPECTATION;
        } else {
            run->values = 0;
            if (mine && !g.violated)
                ds_cmd_warn("%s: it is run again", damage.text);
            if (mine)
                unlink(path);
        }
    }
    dc_mem_free(failed);
    dc_mem_free(path);
    return status;
}

enum dc_status ds_sweep_ended(struct ds_sweep *s, size_t point, uint32_t replication,
                              const struct ds_runs_result *result, struct dc_error *error)
{
    enum dc_status status = DC_OK;
    ds_sweep_run(s, point, replication)->begun = false;
    if (result->outside)
        return dc_error_set(error, DC_ERR_IO, "%s", result->text);
    if (result->status == DA_RUN_VIOLATED || result->status == DA_RUN_FAILED)
        status = write_failure(s, point, replication, result, error);
    if (status == DC_OK)
        status = ds_sweep_read(s, point, replication, error);
    if (status == DC_OK && ds_sweep_run(s, point, replication)->status == DA_RUN_MISSING)
        status = dc_error_set(error, DC_ERR_IO,
                              "%s/runs/p%05zu-r%03u.h5: was written and is not there, or not whole",
                              s->folder, point, replication);
    return status;
}

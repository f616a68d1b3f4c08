/* All runs' files to one study; see cmd_sweep.h.  A function of the files alone: runs are taken
 * in the order of points and replications, metrics in the order in which they appear so. */
#include <math.h>
#include <string.h>

#include "sim/cmd_sweep.h"

struct merge {
    struct ds_sweep *s;
    struct da_study *out;
    size_t *column; /* of each metric of s, in out; SIZE_MAX: not in it */
};

static void *take(struct merge *m, size_t count, size_t size)
{
    return dc_arena_alloc(&m->out->arena, count * size + 1);
}

static void add_metric(struct merge *m, struct da_metric *list, size_t of)
{
    if (m->column[of] != SIZE_MAX)
        return;
    m->column[of] = m->out->metrics;
    list[m->out->metrics++] = m->s->metric[of];
}

/* One that a study names; when no run has it, it stands there all the same, without a value. */
static void add_named(struct merge *m, struct da_metric *list, const char *name)
{
    if (name == NULL)
        return;
    for (size_t i = 0; i < m->s->metrics; i++)
        if (strcmp(m->s->metric[i].name, name) == 0) {
            add_metric(m, list, i);
            return;
        }
    for (size_t i = 0; i < m->out->metrics; i++)
        if (strcmp(list[i].name, name) == 0)
            return;
    list[m->out->metrics++] = (struct da_metric){name, "1", "no run has measured it"};
}

static bool merge_metrics(struct merge *m)
{
    const struct ds_study *study = &m->s->study;
    size_t most = m->s->metrics + study->metrics + study->objectives + study->constraints + 2;
    struct da_metric *list = take(m, most, sizeof *list);
    m->column = take(m, m->s->metrics, sizeof *m->column);
    if (list == NULL || m->column == NULL)
        return false;
    m->out->metric = list;
    for (size_t i = 0; i < m->s->metrics; i++)
        m->column[i] = SIZE_MAX;
    for (size_t i = 0; i < study->metrics; i++)
        add_named(m, list, study->metric[i]);
    for (size_t p = 0; study->metrics == 0 && p < study->points; p++)
        for (uint32_t r = 0; r < m->s->point[p].decided; r++) {
            const struct ds_sweep_run *run = ds_sweep_run(m->s, p, r);
            for (uint32_t i = 0; i < run->values; i++)
                add_metric(m, list, run->metric[i]);
        }
    for (size_t i = 0; i < study->objectives; i++)
        add_named(m, list, study->objective[i].metric);
    for (size_t i = 0; i < study->constraints; i++)
        add_named(m, list, study->constraint[i].metric);
    add_named(m, list, study->replications.half_width > 0 ? study->replications.metric : NULL);
    if (m->out->metrics == 0) /* no run has data: an axis needs something to stand on */
        add_named(m, list, "virtual_time");
    return true;
}

static void merge_run(struct merge *m, struct da_failure *failure, size_t point, uint32_t r)
{
    struct da_study *out = m->out;
    const struct ds_sweep_run *run = ds_sweep_run(m->s, point, r);
    size_t at = point * out->replications + r;
    out->status[at] = run->status;
    if (run->status == DA_RUN_VIOLATED || run->status == DA_RUN_FAILED) {
        failure[out->failures++] = (struct da_failure){point, r, run->text};
        return;
    }
    out->trace_digest[at] = run->trace_digest;
    for (uint32_t i = 0; i < run->values; i++)
        if (m->column[run->metric[i]] != SIZE_MAX)
            out->value[at * out->metrics + m->column[run->metric[i]]] = run->value[i];
}

static bool merge_runs(struct merge *m)
{
    struct ds_sweep *s = m->s;
    struct da_study *out = m->out;
    for (size_t p = 0; p < s->study.points; p++)
        if (s->point[p].decided > out->replications)
            out->replications = s->point[p].decided;
    size_t runs = out->points * out->replications;
    struct da_failure *failure = take(m, runs, sizeof *failure);
    out->status = take(m, runs, 1);
    out->seed = take(m, out->replications, sizeof *out->seed);
    out->trace_digest = take(m, runs, sizeof *out->trace_digest);
    out->value = take(m, runs * out->metrics, sizeof *out->value);
    out->x = take(m, out->points * out->parameters, sizeof *out->x);
    if (failure == NULL || out->status == NULL || out->seed == NULL || out->trace_digest == NULL ||
        out->value == NULL || out->x == NULL)
        return false;
    out->failure = failure;
    for (size_t i = 0; i < runs * out->metrics; i++)
        out->value[i] = NAN;
    for (size_t r = 0; r < out->replications; r++)
        out->seed[r] = s->study.seed + r;
    for (size_t p = 0; p < out->points; p++) {
        memcpy(out->x + p * out->parameters, s->study.point[p].x, out->parameters * sizeof *out->x);
        for (uint32_t r = 0; r < s->point[p].decided; r++)
            merge_run(m, failure, p, r);
    }
    return true;
}

enum dc_status ds_sweep_merge(struct ds_sweep *s, struct da_study *out, struct dc_error *error)
{
    const struct ds_study *study = &s->study;
    struct merge m = {.s = s, .out = out};
    *out = (struct da_study){.name = study->name,
                             .title = study->title,
                             .text = study->resolved.data,
                             .scenario = s->base_text.data,
                             .version = s->version,
                             .design = study->design,
                             .base = study->base,
                             .parameter = study->parameter,
                             .parameters = study->parameters,
                             .points = study->points,
                             .objective = study->objective,
                             .objectives = study->objectives,
                             .constraint = study->constraint,
                             .constraints = study->constraints};
    if (!merge_metrics(&m) || !merge_runs(&m))
        return dc_error_set(error, DC_ERR_IO, "out of memory for the results of %zu points",
                            out->points);
    return DC_OK;
}

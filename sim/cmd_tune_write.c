/* What `tune` leaves; see cmd_tune.h.
 *
 * tune.h5 is a study whose points are those that were visited, in that order: replications 0, 1 ...
 * have the seeds of the search, and those after them the seeds of the confirmation, which only the
 * optimum has.  optimum.yaml is the scenario there, whole, with the files that it names beside
 * it. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd_tune.h"
#include "sim/record/study.h"

const struct ds_metric *ds_tune_metric(const char *name)
{
    size_t size = strcspn(name, ".");
    for (size_t i = 0; i < ds_metrics_count; i++)
        if (strlen(ds_metrics[i].name) == size && strncmp(ds_metrics[i].name, name, size) == 0)
            return &ds_metrics[i];
    return NULL;
}

/* ---- tune.h5 --------------------------------------------------------------------------------- */

struct merge {
    const struct ds_tune *t;
    struct da_study *out;
    struct da_failure *failure;
    size_t searched; /* replications of the search */
};

static void put_run(struct merge *m, size_t point, size_t replication,
                    const struct ds_tune_run *run)
{
    struct da_study *out = m->out;
    size_t at = point * out->replications + replication;
    out->status[at] = run->status;
    if (run->status == DA_RUN_VIOLATED || run->status == DA_RUN_FAILED) {
        const char *why = run->text != NULL ? run->text : "failed without a reason";
        m->failure[out->failures++] = (struct da_failure){point, replication, why};
        return;
    }
    out->trace_digest[at] = run->trace_digest;
    memcpy(&out->value[at * out->metrics], run->value, out->metrics * sizeof *out->value);
}

static bool make_metrics(struct merge *m)
{
    const struct ds_tune *t = m->t;
    struct da_metric *list = dc_arena_alloc(&m->out->arena, t->metrics * sizeof *list);
    for (size_t i = 0; list != NULL && i < t->metrics; i++) {
        const struct ds_metric *metric = ds_tune_metric(t->metric[i]);
        list[i] = (struct da_metric){t->metric[i], metric != NULL ? metric->unit : "1",
                                     metric != NULL ? metric->meaning : ""};
    }
    m->out->metric = list;
    m->out->metrics = t->metrics;
    return list != NULL;
}

static bool make_runs(struct merge *m)
{
    const struct ds_tune *t = m->t;
    struct da_study *out = m->out;
    size_t runs = out->points * out->replications;
    out->status = dc_arena_alloc(&out->arena, runs + 1);
    out->seed = dc_arena_alloc(&out->arena, (out->replications + 1) * sizeof *out->seed);
    out->trace_digest = dc_arena_alloc(&out->arena, (runs + 1) * sizeof *out->trace_digest);
    out->value = dc_arena_alloc(&out->arena, (runs * out->metrics + 1) * sizeof *out->value);
    out->x = dc_arena_alloc(&out->arena, (out->points * out->parameters + 1) * sizeof *out->x);
    m->failure = dc_arena_alloc(&out->arena, (runs + 1) * sizeof *m->failure);
    if (out->status == NULL || out->seed == NULL || out->trace_digest == NULL ||
        out->value == NULL || out->x == NULL || m->failure == NULL)
        return false;
    out->failure = m->failure;
    for (size_t i = 0; i < runs * out->metrics; i++)
        out->value[i] = NAN;
    for (size_t r = 0; r < out->replications; r++)
        out->seed[r] = r < m->searched ? t->study.seed + r : t->confirm[r - m->searched].seed;
    for (size_t p = 0; p < out->points; p++) {
        memcpy(&out->x[p * out->parameters], t->point[p].x, out->parameters * sizeof *out->x);
        for (size_t r = 0; r < t->point[p].runs; r++)
            put_run(m, p, r, t->point[p].run[r]);
        for (size_t r = 0; p == t->best.point && r < t->confirms; r++)
            put_run(m, p, m->searched + r, t->confirm[r].run);
    }
    return true;
}

static int write_study(const struct ds_tune *t)
{
    const struct ds_study *study = &t->study;
    struct dc_text path = {0};
    struct dc_error error = {0};
    struct da_study out = {.name = study->name,
                           .title = study->title,
                           .text = study->resolved.data,
                           .scenario = t->base_text.data,
                           .version = t->version,
                           .design = DA_LIST,
                           .parameter = study->parameter,
                           .parameters = study->parameters,
                           .points = t->points,
                           .objective = study->objective,
                           .objectives = study->objectives,
                           .constraint = study->constraint,
                           .constraints = study->constraints};
    struct merge m = {.t = t, .out = &out};
    for (size_t p = 0; p < t->points; p++)
        m.searched = t->point[p].runs > m.searched ? t->point[p].runs : m.searched;
    out.replications = m.searched + t->confirms;
    dc_text_printf(&path, "%s/tune.h5", t->folder);
    enum dc_status status = DC_OK;
    if (path.failed || !make_metrics(&m) || !make_runs(&m))
        status = dc_error_set(&error, DC_ERR_IO, "out of memory for the results of %zu points",
                              t->points);
    if (status == DC_OK)
        status = ds_study_write(&out, path.data, &error);
    dc_text_free(&path);
    dc_arena_free(&out.arena);
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

/* ---- optimum.yaml ---------------------------------------------------------------------------- */

static int write_file(const struct ds_tune *t, const char *name, const char *bytes, size_t size)
{
    struct dc_text path = {0}, beside = {0};
    dc_text_printf(&path, "%s/%s", t->folder, name);
    dc_text_printf(&beside, "%s/%s.partial", t->folder, name);
    FILE *to = path.failed || beside.failed ? NULL : fopen(beside.data, "wb");
    bool good = to != NULL && fwrite(bytes, 1, size, to) == size;
    if (to != NULL)
        good = fclose(to) == 0 && good;
    good = good && rename(beside.data, path.data) == 0;
    if (!good)
        ds_cmd_usage("%s/%s: could not be written (%s): choose another folder with -o", t->folder,
                     name, strerror(errno));
    if (!good && to != NULL)
        (void)unlink(beside.data);
    dc_text_free(&path);
    dc_text_free(&beside);
    return good ? DS_EXIT_FINE : DS_EXIT_IO;
}

static const char *base_name(const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    return slash != NULL ? slash + 1 : path;
}

/* The files that the scenario names go beside it, under their last names. */
static int write_inputs(const struct ds_tune *t, struct ds_scenario *scenario)
{
    int code = DS_EXIT_FINE;
    for (size_t i = 0; i < scenario->inputs_count && code == DS_EXIT_FINE; i++) {
        const struct ds_input *input = &scenario->inputs[i];
        code = write_file(t, base_name(input->path), input->data, input->size);
    }
    scenario->network.regions = base_name(scenario->network.regions);
    scenario->network.graph = base_name(scenario->network.graph);
    for (size_t i = 0; i < scenario->groups_count; i++)
        scenario->groups[i].trace = base_name(scenario->groups[i].trace);
    for (size_t i = 0; i < scenario->faults_count; i++)
        scenario->faults[i].trace = base_name(scenario->faults[i].trace);
    return code;
}

static int write_optimum(const struct ds_tune *t)
{
    const struct ds_tune_point *p = &t->point[t->best.point];
    struct ds_scenario scenario;
    struct dc_text text = {0};
    int code =
        ds_cmd_load(t->study.scenario, (const char *const *)p->override, p->overrides, &scenario);
    if (code == DS_EXIT_FINE)
        code = write_inputs(t, &scenario);
    if (code == DS_EXIT_FINE) {
        const struct da_objective *o = &t->study.objective[0];
        scenario.title = "";
        dc_text_printf(&text,
                       "# %s of the study %s: %s %s. By destrasim %s.\n# The same as %s with:\n",
                       ds_tune_good(t) ? "The optimum" : "NOT an optimum, but the nearest to one,",
                       t->study.name, o->maximise ? "maximise" : "minimise", o->metric, t->version,
                       base_name(t->study.scenario));
        for (size_t i = 0; i < p->overrides; i++)
            dc_text_printf(&text, "#     --set '%s'\n", p->override[i]);
        ds_scenario_print_brief(&scenario, &text);
        if (text.failed)
            ds_cmd_usage("out of memory");
        code = text.failed ? DS_EXIT_IO : write_file(t, "optimum.yaml", text.data, text.size);
    }
    dc_text_free(&text);
    ds_scenario_free(&scenario);
    return code;
}

int ds_tune_write(struct ds_tune *t)
{
    int code = write_study(t);
    if (code == DS_EXIT_FINE && t->end != DS_TUNE_NO_DATA && t->best.point != SIZE_MAX)
        code = write_optimum(t);
    return code;
}

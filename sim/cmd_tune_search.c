/* The rounds of `tune`; see cmd_tune.h.  A round's runs are started as processes become free and
 * taken in the order in which they were wanted: which was faster does not show. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/base/rng.h"
#include "sim/cmd_tune.h"

#define WAIT_MS 200

static int no_memory(const struct ds_tune *t)
{
    ds_cmd_usage("%s: out of memory for %zu runs", t->folder, t->dones);
    return DS_EXIT_IO;
}

static uint64_t key_of(const struct ds_tune_want *want)
{
    uint64_t key = dc_name("tune");
    for (size_t i = 0; i < want->overrides; i++)
        key = dc_mix64(key ^ dc_name(want->override[i]));
    return key;
}

/* ---- one round ------------------------------------------------------------------------------- */

static enum dc_status start(struct ds_tune *t, const struct ds_tune_want *want, size_t tag,
                            struct dc_error *error)
{
    char seed[32];
    const char **override = dc_mem_alloc(want->overrides + 1, sizeof *override);
    if (override == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for a run");
    if (want->overrides > 0)
        memcpy(override, want->override, want->overrides * sizeof *override);
    snprintf(seed, sizeof seed, "seed=%llu", (unsigned long long)want->seed);
    override[want->overrides] = seed;
    struct ds_runs_job job = {
        .tag = tag, .override = override, .overrides = want->overrides + 1, .output = NULL};
    enum dc_status status = ds_runs_start(t->pool, &job, error);
    dc_mem_free(override);
    return status;
}

/* False: somebody has interrupted, or an error. */
static bool take(struct ds_tune *t, struct ds_tune_want *want, size_t *running,
                 struct dc_error *error)
{
    struct ds_runs_result result;
    if (!ds_runs_poll(t->pool, WAIT_MS, &result)) {
        ds_tune_progress(t, false);
        return ds_cmd_caught() == 0;
    }
    struct ds_tune_want *w = &want[result.tag];
    --*running;
    if (ds_cmd_caught() != 0) /* it may be what ended the run */
        return false;
    if (result.outside) {
        dc_error_set(error, DC_ERR_IO, "a run could not be made: %s", result.text);
        return false;
    }
    if (ds_tune_keep(t, key_of(w), w->seed, &result, error) != DC_OK)
        return false;
    w->run = t->done[t->dones - 1];
    t->spent++;
    t->fresh++;
    ds_tune_progress(t, false);
    return true;
}

/* Runs what the log does not have. */
static int round_of(struct ds_tune *t, struct ds_tune_want *want, size_t count)
{
    struct dc_error error = {0};
    size_t next = 0, running = 0;
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        want[i].run = ds_tune_find(t, key_of(&want[i]), want[i].seed);
        t->spent += want[i].run != NULL;
    }
    while (good && (next < count || running > 0)) {
        while (next < count && want[next].run != NULL)
            next++;
        if (next < count && ds_runs_free(t->pool) > 0) {
            good = start(t, &want[next], next, &error) == DC_OK;
            running += good;
            next++;
        } else if (running > 0) {
            good = take(t, want, &running, &error);
        }
    }
    if (error.text[0] != '\0') {
        ds_tune_progress_end(t);
        return ds_cmd_failed(error.status, &error);
    }
    return good ? DS_EXIT_FINE : 128 + ds_cmd_caught();
}

/* ---- points ---------------------------------------------------------------------------------- */

/* Settings that the search asked for, as they will be run. */
static int take_points(struct ds_tune *t)
{
    while (t->points < da_bayes_points(t->bayes)) {
        if (t->points == t->points_max) {
            size_t room = t->points_max > 0 ? 2 * t->points_max : 64;
            struct ds_tune_point *point = dc_mem_grow(t->point, room, sizeof *point);
            if (point == NULL)
                return no_memory(t);
            t->point = point;
            t->points_max = room;
        }
        const double *asked = da_bayes_x(t->bayes, t->points);
        double *x = dc_arena_alloc(&t->arena, t->study.parameters * sizeof *x);
        struct ds_tune_point *p = &t->point[t->points];
        *p = (struct ds_tune_point){.x = x};
        p->override =
            x != NULL ? ds_study_overrides(&t->study, asked, &p->overrides, &t->arena) : NULL;
        if (p->override == NULL)
            return no_memory(t);
        for (size_t i = 0; i < t->study.parameters; i++)
            x[i] = ds_study_snap(&t->study, i, asked[i]);
        t->points++;
    }
    return DS_EXIT_FINE;
}

static bool add_run(struct ds_tune_point *p, const struct ds_tune_run *run)
{
    if (p->runs == p->runs_max) {
        size_t room = p->runs_max > 0 ? 2 * p->runs_max : 8;
        const struct ds_tune_run **more = dc_mem_grow(p->run, room, sizeof *more);
        if (more == NULL)
            return false;
        p->run = more;
        p->runs_max = room;
    }
    p->run[p->runs++] = run;
    return true;
}

static bool has_data(const struct ds_tune_run *run)
{
    return run->status == DA_RUN_DONE || run->status == DA_RUN_EXPECTATION;
}

/* What the search is told: constraints of equality as 1 where they are met, else 0. */
static int tell(struct ds_tune *t, size_t point, const struct ds_tune_run *run)
{
    struct dc_error error = {0};
    double value[1 + 64];
    size_t constraints = t->study.constraints;
    DC_CHECK(constraints <= 64);
    value[0] = has_data(run) ? run->value[0] : NAN;
    for (size_t i = 0; i < constraints; i++) {
        const struct da_constraint *c = &t->study.constraint[i];
        double x = has_data(run) ? run->value[t->column[i]] : NAN;
        if (!isnan(x) && (c->op == DA_EQ || c->op == DA_NE))
            x = (x == c->value) == (c->op == DA_EQ);
        value[i + 1] = x;
    }
    size_t seed = (size_t)(run->seed - t->study.seed);
    enum dc_status status = da_bayes_tell(t->bayes, point, seed, value, &error);
    if (status != DC_OK)
        return ds_cmd_failed(status, &error);
    return add_run(&t->point[point], run) ? DS_EXIT_FINE : no_memory(t);
}

/* Visits points: `replications` runs each, a further visit with the next seeds. */
static int visit(struct ds_tune *t, const size_t *point, size_t count)
{
    size_t each = t->study.tune.replications, n = 0;
    struct ds_tune_want *want = dc_mem_alloc(count * each, sizeof *want);
    int code = want != NULL ? take_points(t) : no_memory(t);
    for (size_t i = 0; code == DS_EXIT_FINE && i < count; i++) {
        const struct ds_tune_point *p = &t->point[point[i]];
        size_t earlier = p->runs;
        for (size_t k = 0; k < i; k++)
            earlier += point[k] == point[i] ? each : 0;
        for (size_t r = 0; r < each; r++)
            want[n++] = (struct ds_tune_want){.override = (const char *const *)p->override,
                                              .overrides = p->overrides,
                                              .seed = t->study.seed + earlier + r};
    }
    if (code == DS_EXIT_FINE)
        code = round_of(t, want, n);
    for (size_t i = 0; code == DS_EXIT_FINE && i < n; i++)
        code = tell(t, point[i / each], want[i].run);
    t->searched += code == DS_EXIT_FINE ? n : 0;
    dc_mem_free(want);
    return code;
}

/* ---- the search ------------------------------------------------------------------------------ */

static bool any_data(const struct ds_tune *t)
{
    for (size_t p = 0; p < t->points; p++)
        for (size_t r = 0; r < t->point[p].runs; r++)
            if (has_data(t->point[p].run[r]) && !isnan(t->point[p].run[r]->value[0]))
                return true;
    return false;
}

int ds_tune_search(struct ds_tune *t)
{
    struct dc_error error = {0};
    size_t most = t->budget / t->study.tune.replications, count = 0;
    size_t *point = dc_mem_alloc(most + 1, sizeof *point);
    int code = point != NULL ? DS_EXIT_FINE : no_memory(t);
    t->phase = "first design";
    t->end = DS_TUNE_BUDGET;
    while (code == DS_EXIT_FINE) {
        size_t room = (t->budget - t->searched) / t->study.tune.replications;
        if (room == 0)
            break;
        enum dc_status status = da_bayes_ask(t->bayes, room, point, &count, &error);
        if (status != DC_OK) {
            code = ds_cmd_failed(status, &error);
            break;
        }
        if (count == 0) {
            t->end = DS_TUNE_ENOUGH;
            break;
        }
        code = visit(t, point, count);
        t->rounds++;
        t->phase = "search";
        if (code == DS_EXIT_FINE && !any_data(t)) {
            t->end = DS_TUNE_NO_DATA;
            break;
        }
    }
    dc_mem_free(point);
    if (code == DS_EXIT_FINE && t->end != DS_TUNE_NO_DATA) {
        enum dc_status status = da_bayes_best(t->bayes, &t->best, &error);
        code = status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
    }
    return code;
}

/* ---- confirmation ---------------------------------------------------------------------------- */

static struct ds_tune_want *make_wants(struct ds_tune *t, const char *const *override,
                                       size_t overrides, uint64_t seed, size_t count)
{
    struct ds_tune_want *want = dc_arena_alloc(&t->arena, (count + 1) * sizeof *want);
    for (size_t i = 0; want != NULL && i < count; i++)
        want[i] = (struct ds_tune_want){override, overrides, seed + i, NULL};
    return want;
}

int ds_tune_confirm(struct ds_tune *t)
{
    const struct ds_tune_point *p = &t->point[t->best.point];
    uint64_t used = t->study.replications.most; /* nor any that `sweep` may have seen */
    for (size_t i = 0; i < t->points; i++)
        used = t->point[i].runs > used ? t->point[i].runs : used;
    uint64_t seed = t->study.seed + used, left = t->study.tune.runs - t->searched;
    size_t confirms = t->study.tune.confirm, owns = (size_t)(left > confirms ? left - confirms : 0);
    owns = owns > confirms ? confirms : owns < 2 ? 0 : owns;
    t->confirm = make_wants(t, (const char *const *)p->override, p->overrides, seed, confirms);
    t->own = make_wants(t, t->study.set, t->study.sets, seed, owns);
    if (t->confirm == NULL || t->own == NULL)
        return no_memory(t);
    t->phase = "confirmation";
    int code = round_of(t, t->confirm, confirms);
    t->confirms = code == DS_EXIT_FINE ? confirms : 0;
    t->phase = "comparison";
    if (code == DS_EXIT_FINE && owns > 0)
        code = round_of(t, t->own, owns);
    t->owns = code == DS_EXIT_FINE ? owns : 0;
    return code;
}

size_t ds_tune_sample(const struct ds_tune_want *want, const struct ds_tune_want *other,
                      size_t count, size_t metric, double *out, double *out_other)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!has_data(want[i].run) || isnan(want[i].run->value[metric]))
            continue;
        if (other != NULL) {
            if (!has_data(other[i].run) || isnan(other[i].run->value[metric]))
                continue;
            out_other[n] = other[i].run->value[metric];
        }
        out[n++] = want[i].run->value[metric];
    }
    return n;
}

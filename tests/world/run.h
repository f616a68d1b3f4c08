/* A whole run for a test: a scenario (a file of scenarios/ or text) and overrides in, summary and,
 * where asked for, the results file out.
 *
 *   struct run r = run_file("smoke.yaml", &(struct run_how){.set = {"seed=2"}});
 *   CU_ASSERT_EQUAL(run_value(&r, "halted"), 0);
 *   run_end(&r);
 *
 * Results files go to a fresh folder under TMPDIR and are removed by run_end. */
#ifndef TESTS_WORLD_RUN_H
#define TESTS_WORLD_RUN_H

#include "models/base/mem.h"
#include "sim/record/read.h"
#include "sim/world/world.h"
#include "tests/support/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_SET_MAX 12

struct run_how {
    const char *set[RUN_SET_MAX]; /* "PATH=VALUE", ends at the first NULL */
    uint32_t threads;             /* 0: one */
    uint32_t parallel_events;     /* 0: as the world has it */
    bool results;                 /* keep a results file for run_column */
    int64_t until_ns;
};
struct run {
    struct ds_scenario *scenario; /* the world points to it */
    struct ds_world *world;
    struct ds_summary summary;
    struct ds_results *results;
    char folder[256], path[300];
};

static inline void run_go(struct run *r, enum dc_status status, struct ds_diagnostics *d,
                          const struct run_how *how)
{
    struct dc_text said = {0};
    ds_diagnostics_print(d, &said);
    if (status != DC_OK)
        fprintf(stderr, "%s\n", said.data != NULL ? said.data : "no scenario");
    dc_text_free(&said);
    ds_diagnostics_free(d);
    CU_ASSERT_EQUAL_FATAL(status, DC_OK);
    struct dc_error error = {0};
    struct ds_world_options options = {.threads = how->threads != 0 ? how->threads : 1,
                                       .parallel_events = how->parallel_events,
                                       .until_ns = how->until_ns};
    if (how->results) {
        const char *base = getenv("TMPDIR");
        snprintf(r->folder, sizeof r->folder, "%s/destra-test-XXXXXX",
                 base != NULL ? base : "/tmp");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(r->folder));
        snprintf(r->path, sizeof r->path, "%s/out.h5", r->folder);
        options.output = r->path;
    }
    status = ds_world_create(r->scenario, &options, &r->world, &error);
    if (status == DC_OK)
        status = ds_world_run(r->world, &error);
    if (status == DC_OK)
        status = ds_world_finish(r->world, &r->summary, &error);
    if (status == DC_OK && how->results)
        status = ds_results_open(r->path, &r->results, &error);
    if (status != DC_OK)
        fprintf(stderr, "%s\n", error.text);
    CU_ASSERT_EQUAL_FATAL(status, DC_OK);
}

static inline size_t run_count(const struct run_how *how)
{
    size_t n = 0;
    while (n < RUN_SET_MAX && how->set[n] != NULL)
        n++;
    return n;
}

/* Runs a scenario of scenarios/. */
static inline struct run run_file(const char *name, const struct run_how *how)
{
    struct run r = {.scenario = calloc(1, sizeof *r.scenario)};
    struct ds_diagnostics d = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/scenarios/%s", DESTRA_SOURCE, name);
    enum dc_status s = ds_scenario_load(path, how->set, run_count(how), r.scenario, &d);
    run_go(&r, s, &d, how);
    return r;
}

/* Runs a scenario given as text; files that it names are relative to scenarios/. */
static inline struct run run_text(const char *text, const struct run_how *how)
{
    struct run r = {.scenario = calloc(1, sizeof *r.scenario)};
    struct ds_diagnostics d = {0};
    struct ds_source source = {.name = "test.yaml",
                               .text = text,
                               .size = strlen(text),
                               .folder = DESTRA_SOURCE "/scenarios"};
    enum dc_status s = ds_scenario_load_text(&source, how->set, run_count(how), r.scenario, &d);
    run_go(&r, s, &d, how);
    return r;
}

static inline void run_end(struct run *r)
{
    ds_results_close(r->results);
    if (r->path[0] != '\0') {
        unlink(r->path);
        rmdir(r->folder);
    }
    ds_world_destroy(r->world);
    ds_scenario_free(r->scenario);
    free(r->scenario);
}

/* A number of the summary; a name that is not there fails the test. */
static inline double run_value(const struct run *r, const char *name)
{
    for (size_t i = 0; i < r->summary.scalar_count; i++)
        if (strcmp(r->summary.scalars[i].name, name) == 0)
            return ds_summary_value(&r->summary, name);
    fprintf(stderr, "no %s in the summary\n", name);
    CU_FAIL("a number is missing in the summary");
    return NAN;
}

/* A whole column as doubles or whole numbers, rows x the other axis; to be freed with free(). */
static inline void *run_column(const struct run *r, const char *dataset, uint64_t rows,
                               uint64_t across, enum ds_type type)
{
    struct dc_error error = {0};
    void *out = calloc(rows * across + 1, 8);
    enum dc_status s = ds_results_read(r->results, dataset, 0, rows, type, out, &error);
    if (s != DC_OK)
        fprintf(stderr, "%s\n", error.text);
    CU_ASSERT_EQUAL_FATAL(s, DC_OK);
    return out;
}

static inline uint64_t *run_counts(const struct run *r, const char *dataset, uint64_t rows)
{
    return run_column(r, dataset, rows, 1, DS_U64);
}

/* A column of seconds as whole nanoseconds: exact, because times are whole nanoseconds and a double
 * holds 2^53 of them. */
static inline int64_t *run_times(const struct run *r, const char *dataset, uint64_t rows)
{
    double *s = run_column(r, dataset, rows, 1, DS_F64);
    int64_t *ns = calloc(rows + 1, sizeof *ns);
    for (uint64_t i = 0; i < rows; i++)
        ns[i] = isnan(s[i]) ? INT64_MIN : llround(s[i] * 1e9);
    free(s);
    return ns;
}

/* What must hold in every run: agreement, money, and no honest node slashed for equivocation. */
static inline void run_invariants(const struct run *r)
{
    CU_ASSERT_TRUE(r->summary.invariants_held);
    if (r->summary.violation != NULL)
        fprintf(stderr, "%s\n", r->summary.violation);
    CU_ASSERT_EQUAL(run_value(r, "safety"), 1);
    CU_ASSERT_EQUAL(run_value(r, "supply"), 1);
    CU_ASSERT_EQUAL(run_value(r, "honest_slashed_equivocation"), 0);
}

#endif

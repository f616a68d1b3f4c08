/* A study made up by a test: x from a design or a grid, values from a function and noise. */
#ifndef TESTS_ANALYSIS_MADE_H
#define TESTS_ANALYSIS_MADE_H

#include "analysis/design.h"
#include "analysis/stats.h"
#include "analysis/study.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

#include <math.h>
#include <string.h>

enum { MADE_PARAMETERS = 8, MADE_METRICS = 4 };

static inline void *made_room(struct da_study *s, size_t size)
{
    void *room = dc_arena_alloc(&s->arena, size + !size);
    DC_CHECK(room != NULL);
    return room;
}

/* Parameters "a", "b", .. over 0..1, metrics "m", "n", .., every run done, every value 0. */
static inline struct da_study made_study(size_t parameters, size_t metrics, size_t points,
                                         size_t replications)
{
    static const char *const name[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    static const char *const metric_name[] = {"m", "n", "o", "p"};
    DC_CHECK(parameters <= MADE_PARAMETERS && metrics <= MADE_METRICS);
    struct da_study s = {.name = "made", .title = "", .design = DA_LIST};
    struct da_parameter *p = made_room(&s, parameters * sizeof *p);
    for (size_t j = 0; j < parameters; j++)
        p[j] = (struct da_parameter){.path = name[j], .label = name[j], .unit = "1", .hi = 1};
    struct da_metric *m = made_room(&s, metrics * sizeof *m);
    for (size_t j = 0; j < metrics; j++)
        m[j] = (struct da_metric){metric_name[j], "1", metric_name[j]};
    s.parameter = p;
    s.parameters = parameters;
    s.metric = m;
    s.metrics = metrics;
    s.points = points;
    s.replications = replications;
    s.x = made_room(&s, points * parameters * sizeof *s.x);
    s.value = made_room(&s, points * replications * metrics * sizeof *s.value);
    s.status = made_room(&s, points * replications);
    memset(s.status, DA_RUN_DONE, points * replications);
    return s;
}

/* A study on a design; of a grid x is the level's index. */
static inline struct da_study made_design(const struct da_design_plan *plan, size_t replications)
{
    struct dc_error error = {0};
    size_t rows = da_design_rows(plan, &error);
    DC_CHECK(rows > 0);
    struct da_study s = made_study(plan->factors, 1, rows, replications);
    s.design = plan->kind;
    s.base = plan->base;
    DC_CHECK(da_design_make(plan, s.x, &error) == DC_OK);
    for (size_t i = 0; plan->kind == DA_GRID && i < rows * plan->factors; i++)
        s.x[i] = da_design_level(s.x[i], plan->level[i % plan->factors]);
    return s;
}

static inline double *made_value(struct da_study *s, size_t point, size_t replication,
                                 size_t metric)
{
    return &s->value[(point * s->replications + replication) * s->metrics + metric];
}

static inline double made_uniform(struct dc_stream *s)
{
    return ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
}
static inline double made_normal(struct dc_stream *s)
{
    return da_normal_quantile(made_uniform(s));
}

/* value = f(x) + common noise of the replication + own noise of the run. */
static inline void made_fill(struct da_study *s, double (*f)(const double *x), double common,
                             double own, uint64_t seed)
{
    struct dc_stream draw = dc_stream(seed, dc_name("made"), dc_name("noise"));
    for (size_t r = 0; r < s->replications; r++) {
        double shared = common == 0 ? 0 : common * made_normal(&draw);
        for (size_t i = 0; i < s->points; i++) {
            double noise = own == 0 ? 0 : own * made_normal(&draw);
            *made_value(s, i, r, 0) = f(s->x + i * s->parameters) + shared + noise;
        }
    }
}

/* Whether so few or so many hits of a share p in n trials happen with at most one in 10000: what
 * tests of coverage allow.  `least` alone: coverage above the level is no fault. */
static inline bool made_covers(size_t hits, size_t trials, double p)
{
    struct da_estimate e = da_binomial_interval(hits, trials, 0.9998);
    return e.hi >= p;
}
static inline bool made_covers_exactly(size_t hits, size_t trials, double p)
{
    struct da_estimate e = da_binomial_interval(hits, trials, 0.9998);
    return e.lo <= p && p <= e.hi;
}
static inline bool made_inside(struct da_estimate e, double x)
{
    return e.lo <= x && x <= e.hi;
}

#endif

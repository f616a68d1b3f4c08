/* What changed between two sides, A and B: versions of the program, scenarios or studies.
 *
 *     study.h5, files --> struct da_runs (A) --+
 *                                              +--> da_compare --> per point and metric: change,
 *     study.h5, files --> struct da_runs (B) --+                   interval, p, verdict
 *
 * A hypothesis is a (point, metric); a unit is a seed.  Where both sides ran the same seeds, units
 * are pairs and the test flips the signs of their differences; else units are dealt to the sides
 * anew.  All hypotheses are tested together (Westfall and Young, "Resampling-Based Multiple
 * Testing", 1993, algorithm 4.1, "step-down maxT"):
 *
 *     rearrangement    |z| of each hypothesis          largest of it and all weaker ones
 *     as observed      5.1   2.2   0.9  ...                5.1   2.2   0.9
 *     1                0.3   3.0   1.1                     3.0   3.0   1.1
 *     2                1.9   0.2   0.4                     1.9   0.4   0.4
 *     p of a hypothesis: the share of rows that reach the first; growing from left to right
 *
 * So the probability of any false alarm among them is at most `level`, without assuming anything
 * about the metrics (counts, shares, skew, and how they depend on each other), when the sides'
 * runs are exchangeable: drawn from the same distribution.  Unlike Holm's correction of exact
 * p-values, ten pairs are enough for any number of metrics: the least p is 2/1024.  Fewer than that
 * are enough when 2/2^pairs, or 2/(A+B over A) of independent runs, is at most the level; else
 * every verdict is DA_TOO_FEW.
 *
 * z is Student's t (paired, or Welch's) on the scale of a normal variable (Wallace, 1959), so that
 * metrics with fewer data do not drown the others.  A constant difference has z = infinity. */
#ifndef ANALYSIS_COMPARE_H
#define ANALYSIS_COMPARE_H

#include "analysis/stats.h"
#include "analysis/study.h"

enum da_better { DA_BETTER_NEITHER, DA_BETTER_LOWER, DA_BETTER_HIGHER };
/* Which way a metric of /summary is better; NEITHER where it depends on what one wants. */
enum da_better da_metric_better(const char *metric);

/* ---- the sides ------------------------------------------------------------------------------- */

struct da_run {
    const char *point; /* "protocol.theta=0.3", "" without parameters */
    uint64_t seed;
    const double *value; /* per metric; NaN: not measured.  NULL: it failed */
    const char *failed;  /* why */
};
struct da_runs {
    struct da_metric *metric;
    size_t metrics;
    struct da_run *run;
    size_t runs, runs_max;
    struct dc_arena arena;
};

/* Copies what it needs.  *out is zeroed first and needs da_runs_free in every case. */
enum dc_status da_runs_of_study(const struct da_study *study, struct da_runs *out,
                                struct dc_error *error) DC_MUST_USE;
/* Of results files (destrasim run), with the same scenario but for its seed; their metrics are
 * united.  DC_ERR_IO: one is missing or unreadable; DC_ERR_USAGE: two scenarios, a seed twice, a
 * run that did not end. */
enum dc_status da_runs_of_files(const char *const *path, size_t count, struct da_runs *out,
                                struct dc_error *error) DC_MUST_USE;
/* Adds a run that gave no file. */
enum dc_status da_runs_add_failed(struct da_runs *runs, uint64_t seed, const char *why,
                                  struct dc_error *error) DC_MUST_USE;
void da_runs_free(struct da_runs *runs);

/* ---- the comparison -------------------------------------------------------------------------- */

enum da_verdict {
    DA_SAME,      /* paired: equal in every pair; independent: one value on both sides */
    DA_NOISE,     /* not told from chance at the level */
    DA_BETTER,    /* a change, in a good direction */
    DA_WORSE,     /* in a bad one */
    DA_CHANGED,   /* of a metric without direction */
    DA_TOO_FEW,   /* no such number of runs can show a change at this level */
    DA_UNMEASURED /* one side never measured it */
};
const char *da_verdict_name(enum da_verdict verdict); /* "within noise" */

struct da_change {
    const char *point, *metric, *unit; /* as in A, or B where A has not got it */
    enum da_better better;
    double a, b;                 /* means of what was compared */
    struct da_estimate change;   /* b - a, with Student's interval for this metric alone */
    struct da_estimate relative; /* over |a|, whose own error is left out; NaN where a is 0 */
    size_t count_a, count_b;     /* of runs; paired: of pairs */
    double z;                    /* signed */
    double p;                    /* adjusted for all hypotheses; NaN where none was tested */
    enum da_verdict verdict;
};

struct da_compare_options {
    double level;              /* of any false alarm: 0.01 */
    double confidence;         /* of intervals: 0.99 */
    const char *const *metric; /* these alone: NAME, or NAME.* for all with a suffix; none: all */
    size_t metrics;
    bool independent; /* do not pair by seed */
    uint64_t seed;    /* of drawn rearrangements */
};
struct da_comparison {
    struct da_change *change; /* worst first: worse, changed, better, noise ..., by |z| */
    size_t changes;
    bool paired;
    size_t units_a, units_b;       /* seeds; paired: the same */
    size_t tested;                 /* hypotheses */
    size_t rearrangements;         /* that the p-values come from, the observed one included */
    bool exact;                    /* all of them; else drawn */
    size_t left_out_a, left_out_b; /* runs without a partner: of other points, or other seeds */
    size_t failed_a, failed_b;     /* runs without data */
    struct dc_arena arena;
};

/* *out needs da_comparison_free in every case.  Errors: DC_ERR_USAGE (no common point, an unknown
 * metric, bad options), DC_ERR_IO (memory). */
enum dc_status da_compare(const struct da_runs *a, const struct da_runs *b,
                          const struct da_compare_options *options, struct da_comparison *out,
                          struct dc_error *error) DC_MUST_USE;
void da_comparison_free(struct da_comparison *c);

/* ---- the test alone -------------------------------------------------------------------------- */

/* units x count values, unit by unit, NaN where missing; paired: differences; else the first
 * units_a are of side A.  z [count] and p [count] are set; p is NaN, and the hypothesis left out,
 * where its own data are too few for the level or all equal. */
struct da_rearrange {
    const double *value;
    size_t units, units_a, count; /* units_a: 0 when paired */
    bool paired;
    double level;
    uint64_t seed;
};
struct da_rearranged {
    size_t tested, rearrangements;
    bool exact;
};
struct da_rearranged da_rearrange_test(const struct da_rearrange *r, double *z, double *p);
/* Can so many units show anything at the level? */
bool da_rearrange_enough(size_t units_a, size_t units_b, bool paired, double level);

#endif

/* Rare events by multilevel splitting: the probability that something reaches the last of a row of
 * levels before it ends.
 *
 *     root --level 1--> R copies --level 2--> R copies of each --...--> the last level: a hit
 *
 * Fixed splitting: whatever reaches a level goes on as R copies, each with its own luck from there
 * on. A root with h hits gives h / R^(levels - 1), whose mean is the probability whatever the
 * process does: a copy's weight is the chance that it is one of R.  Roots are independent, so the
 * estimate is a mean of equally distributed numbers, and its uncertainty follows from them alone:
 * nothing is assumed of how copies of one root depend on one another.
 *
 * The interval is Fay and Feuer's (Statistics in Medicine 16, 1997) for sums of weighted events: a
 * gamma distribution with the sum's mean and variance, its upper end with one more event of the
 * largest weight seen.  With R = 1 it is Garwood's for a count.  With R > 1 the variance itself is
 * an estimate from the roots that have hits, m of them, and a skewed one: it is taken 1 + 3/m
 * times, which makes intervals cover on gambler's ruin from three such roots on
 * (tests/analysis/test_split.c). Without any hit the upper end is that of Clopper and Pearson for
 * roots (no root has more than weight 1); where all roots agree, likewise.
 *
 * Sources: Kahn and Harris, 1951; Glasserman et al., "Multilevel splitting for estimating rare
 * event probabilities", Operations Research 47, 1999; L'Ecuyer, Demers and Tuffin, "Rare events,
 * splitting, and quasi-Monte Carlo", ACM TOMACS 17, 2007. */
#ifndef ANALYSIS_SPLIT_H
#define ANALYSIS_SPLIT_H

#include "analysis/stats.h"
#include "models/base/status.h"

/* The key of copy number `copy` (from 0) of what reached level number `level` (from 0) under the
 * key of its parent; of a root: da_split_root_key.  Different for different paths, so all luck may
 * be drawn from streams that it names. */
uint64_t da_split_root_key(uint64_t seed, uint64_t root);
uint64_t da_split_key(uint64_t parent, uint64_t level, uint64_t copy);

/* What a splitting has done so far, by root. */
struct da_split {
    size_t levels;
    uint32_t split;
    size_t roots;      /* that were run */
    uint64_t *hits;    /* of each root: copies that reached the last level */
    uint64_t *reached; /* of each level: copies, all roots together */
};

struct da_split_result {
    struct da_estimate p; /* count: roots */
    double variance;      /* of the estimate */
    uint64_t hits, roots_hit;
    double plain_runs; /* runs of plain Monte Carlo with the same variance; NaN without a hit */
};
struct da_split_result da_split_estimate(const struct da_split *s, double level);

/* ---- a process in memory --------------------------------------------------------------------- */

struct da_split_process {
    size_t state_bytes; /* copied when it splits */
    /* A new state, its luck named by the key. */
    void (*begin)(void *ctx, void *state, uint64_t key);
    /* The luck of a copy from here on. */
    void (*turn)(void *ctx, void *state, uint64_t key);
    /* Goes on until it reaches level number `level` (true) or ends.  It may have reached it. */
    bool (*reach)(void *ctx, void *state, size_t level);
    void *ctx;
};
/* Runs `roots` roots of a seed, depth first: one state for each level is in memory.  *out needs
 * da_split_free.  Errors: DC_ERR_USAGE (no level, no root, a weight that no double holds),
 * DC_ERR_IO (memory). */
enum dc_status da_split_run(const struct da_split_process *process, size_t levels, uint32_t split,
                            size_t roots, uint64_t seed, struct da_split *out,
                            struct dc_error *error) DC_MUST_USE;
/* Zeroed counts for so many levels and roots; likewise. */
enum dc_status da_split_open(size_t levels, uint32_t split, size_t roots, struct da_split *out,
                             struct dc_error *error) DC_MUST_USE;
void da_split_free(struct da_split *s);

#endif

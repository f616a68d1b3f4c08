/* A failing scenario made small: who reads it wants the few events that matter.
 *
 *   faults       delta debugging over the list (ddmin, Zeller and Hildebrandt, "Simplifying and
 *                isolating failure-inducing input", 2002): what is left fails, and without any one of
 *                its faults does not
 *   durations    `every`, `times`, `for`, `restart`, `reselect`: gone, or halved again and again
 *   nodes        groups gone or smaller; members of selectors gone
 *   magnitudes   shares, factors and times of a fault: gone, or halved
 *   horizon      the run ends earlier, expectations are dropped
 *   faults       again, when anything has changed since
 *
 * Which failure counts is the callback's business: it says whether a candidate fails in the same way.
 * The order of candidates is fixed and no candidate is tried twice, so the result is a function of
 * the scenario and the callback, unless time runs out.
 *
 * A candidate is a draft: its selectors and distributions count by their `text` alone, and its groups
 * may be fewer than selectors name.  So it is printed and loaded before it is run, as
 * ds_scenario_print_brief and ds_scenario_load_text do; one that the loader refuses does not fail. */
#ifndef SIM_FAULT_MINIMISE_H
#define SIM_FAULT_MINIMISE_H

#include "sim/scenario/scenario.h"

struct ds_minimise_progress {
    const char *stage; /* "faults", "durations" ... */
    uint32_t calls, calls_max;
    size_t faults_from, faults;
};

struct ds_minimise {
    bool (*fails)(void *ctx, const struct ds_scenario *candidate);
    bool (*over)(void *ctx); /* time is up; NULL: never */
    void (*progress)(void *ctx,
                     const struct ds_minimise_progress *p); /* after each call; or NULL */
    void *ctx;
    uint32_t calls_max; /* of `fails`; 0: no limit */
};

struct ds_minimised {
    struct ds_scenario scenario; /* borrows from the original and from arena; not to be freed */
    struct dc_arena arena;
    uint32_t calls;        /* of `fails` */
    uint32_t faults_calls; /* of these, in the first pass over the faults */
    uint32_t again;        /* candidates that were not tried because they had been */
    bool complete;         /* nothing more can be taken away; false: calls or time ran out */
};

/* Errors: DC_ERR_USAGE when `from` itself does not fail; DC_ERR_IO when out of memory.  *out needs
 * ds_minimised_free in every case. */
enum dc_status ds_minimise(const struct ds_minimise *how, const struct ds_scenario *from,
                           struct ds_minimised *out, struct dc_error *error) DC_MUST_USE;
void ds_minimised_free(struct ds_minimised *minimised);

#endif

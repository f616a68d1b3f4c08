/* Random runs of a scenario: each draws its own sizes, knobs and fault mix.
 *
 *   base scenario --+
 *   (seed, run) ----+--> sizes, knobs --> a subset of the fault kinds --> a schedule --> heal --> YAML
 *
 * A swarm (Groce et al., "Swarm testing", ISSTA 2012) leaves out at random: a run without partitions
 * goes where runs with everything never get.  Everything comes from one stream keyed by (seed, run),
 * so a run is named by two numbers and depends on no other run.
 *
 * Phases of a run:
 *
 *   0 ........ the faults of the schedule, against anybody ........ heal.at .... quorum .... end
 *                                                                   |  all others are stopped
 *                                                                   +--> within: a new block is final
 *
 * Who may be corrupted (behaviours, amnesia, a disk that forgets) is drawn first: validators with less
 * than a third of the power, even where scores move power against the rest (models/README.md 4.11),
 * counting those that leave.  The quorum has more than two thirds of it, and nobody of those.  So a
 * violation is a bug.  Only the base scenario's own faults may break that rule.
 *
 * The result is text, so that what ran and what is mailed are the same thing. */
#ifndef SIM_FAULT_SWARM_H
#define SIM_FAULT_SWARM_H

#include "sim/scenario/scenario.h"

struct ds_swarm {
    const struct ds_scenario *base;
    uint64_t seed;
    uint32_t kinds; /* bits 1 << enum ds_fault_kind that may be drawn; 0: all there are */
};

/* The scenario of run number `run` as YAML; out->failed when out of memory. */
void ds_swarm_print(const struct ds_swarm *swarm, uint64_t run, struct dc_text *out);
/* The seed that it has. */
uint64_t ds_swarm_seed(const struct ds_swarm *swarm, uint64_t run);

/* What a scenario asks of the protocol, so that one made from it asks no more. */
struct ds_swarm_demand {
    double
        corrupt;   /* the most that corrupted validators can have of the power that stays; 1: any */
    double quorum; /* the least that the healed, uncorrupted ones can have; 1: no heal */
};
/* Of a loaded scenario; whoever a selector could draw counts as corrupted. */
struct ds_swarm_demand ds_swarm_demand(const struct ds_scenario *scenario);
/* Whether less than a third is corrupted and more than two thirds are healed, or else no worse than
 * in `than`. */
bool ds_swarm_fair(struct ds_swarm_demand demand, struct ds_swarm_demand than);

#endif

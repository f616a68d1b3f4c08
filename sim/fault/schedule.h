/* The fault script as steps in time: each fault begins, and most end.
 *
 * Steps are sorted by (time, end before begin, place in the script), which is how the world executes
 * them.  Further generators (churn, random schedules) add steps here. */
#ifndef SIM_FAULT_SCHEDULE_H
#define SIM_FAULT_SCHEDULE_H

#include "sim/scenario/scenario.h"

struct ds_fault_step {
    int64_t at_ns;
    uint32_t fault; /* index in the scenario */
    bool begin;
};
struct ds_schedule {
    struct ds_fault_step *step;
    uint32_t count, next; /* next: the first not yet executed */
};

/* Errors: DC_ERR_IO when out of memory. */
enum dc_status ds_schedule_create(const struct ds_scenario *scenario, struct ds_schedule *out,
                                  struct dc_error *error) DC_MUST_USE;
void ds_schedule_free(struct ds_schedule *schedule);

#endif

/* The fault script as steps in time: faults begin, end, look at their selectors anew, and begin
 * again.
 *
 *   at          + gap 0          + gap 1             gaps are drawn from `every`
 *   |-----------|----------------|-------
 *   BEGIN 0     BEGIN 1          BEGIN 2             each begin adds the steps of its occurrence:
 *     |..RESELECT..RESELECT..|END 0                  they may overlap
 *
 * Steps wait in a heap, because what happens next depends on draws and on what a node does; each is
 * taken in order of (time, kind, fault, occurrence, node), which is the order of execution.  An end
 * precedes a begin of the same time.
 *
 * Every random choice of a fault is keyed by (seed, its id, number of the occurrence, number of the
 * look at the selectors): no other fault's coming or going moves it. */
#ifndef SIM_FAULT_SCHEDULE_H
#define SIM_FAULT_SCHEDULE_H

#include "models/base/dist.h"
#include "sim/scenario/scenario.h"

enum ds_fault_step_kind {               /* in the order in which they are taken at one time */
                          DS_STEP_HEAL, /* all faults end; nothing comes after it */
                          DS_STEP_END,  /* of an occurrence */
                          DS_STEP_UP,   /* one node of an occurrence is back: churn, a torn write */
                          DS_STEP_DOWN, /* one node of an occurrence goes: churn */
                          DS_STEP_RESELECT,
                          DS_STEP_BEGIN
};
struct ds_fault_step {
    int64_t at_ns;
    enum ds_fault_step_kind kind;
    uint32_t fault; /* index in the scenario */
    uint32_t node;  /* UP, DOWN */
    uint64_t occurrence;
};
struct ds_schedule {
    struct ds_fault_step *step; /* a heap: the first is the earliest */
    uint32_t count, count_max;
};

/* The first begin of each fault, and the heal.  Errors: DC_ERR_IO when out of memory. */
enum dc_status ds_schedule_create(const struct ds_scenario *scenario, struct ds_schedule *out,
                                  struct dc_error *error) DC_MUST_USE;
void ds_schedule_free(struct ds_schedule *schedule);
void ds_schedule_clear(struct ds_schedule *schedule); /* nothing is left to do */
/* Memory out is fatal. */
void ds_schedule_add(struct ds_schedule *schedule, const struct ds_fault_step *step);
/* When the next step is; INT64_MAX: there is none. */
int64_t ds_schedule_next(const struct ds_schedule *schedule);
/* Takes the next step if it is due at now; false: none is. */
bool ds_schedule_take(struct ds_schedule *schedule, int64_t now_ns, struct ds_fault_step *out);

/* When an occurrence that begins at begin_ns ends by the script, heal not regarded; INT64_MAX: not
 * by itself. */
int64_t ds_fault_end(const struct ds_fault *f, int64_t begin_ns);
/* Whether the next occurrence ends the ones before it: those that have no end of their own, but for
 * kinds whose effect is to stay (crash, exit, disk). */
bool ds_fault_gives_way(const struct ds_fault *f);
/* Time from the begin of an occurrence to that of the next; every: f->every, tabulated. */
int64_t ds_fault_gap(const struct ds_fault *f, const struct dc_dist *every, uint64_t seed,
                     uint64_t occurrence);
/* The identity of one look at a fault's selectors: dc_name of its id for the very first. */
uint64_t ds_fault_identity(const struct ds_fault *f, uint64_t occurrence, uint32_t look);

/* Churn: the n-th time up and the n-th time down of a node, at least 1 ns; the name is the node's
 * identity. */
int64_t ds_churn_time(const struct ds_fault *f, const struct dc_dist *time, uint64_t seed,
                      uint64_t name, uint64_t n, bool down);

#endif

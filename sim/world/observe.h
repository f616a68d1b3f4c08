/* What the world keeps of a run as it goes: it drains what shards collected at barriers, checks
 * invariants, follows every height from proposal to commits, and writes rows.  Everything it
 * computes is a function of the set of what was collected, not of the order, so threads do not
 * show. */
#ifndef SIM_WORLD_OBSERVE_H
#define SIM_WORLD_OBSERVE_H

#include "sim/world/inside.h"

/* Begins the results file at options.output, with what does not change. */
enum dc_status world_observer_file(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
enum dc_status world_observer_create(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
void world_observer_free(struct ds_world *w);
/* Takes what the shards collected since the last barrier. */
void world_observe(struct ds_world *w, int64_t now_ns);
/* A fault happened. */
void world_observe_begun(struct ds_world *w);
struct ds_row_fault;
void world_observe_fault(struct ds_world *w, const struct ds_row_fault *row);
/* Closes rows, computes the summary and closes the file. */
enum dc_status world_observer_finish(struct ds_world *w, struct ds_summary *summary,
                                     struct dc_error *error) DC_MUST_USE;
/* Epochs whose hand-over is final, and the highest final height. */
uint64_t world_epochs_final(const struct ds_world *w);
uint64_t world_height_final(const struct ds_world *w);
/* The highest final block, or genesis; borrowed until the next barrier. */
const struct dc_block *world_block_final(const struct ds_world *w);
/* Nothing has become final anywhere for longer than a few rounds with timeouts take. */
bool world_halted(const struct ds_world *w);

#endif

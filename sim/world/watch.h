/* The watcher's side of a world: what happens is noted by shards as it happens, put in order at
 * barriers, and told.  See struct ds_watch (world.h) for what a watcher may rely on. */
#ifndef SIM_WORLD_WATCH_H
#define SIM_WORLD_WATCH_H

#include "sim/world/inside.h"

enum dc_status world_watch_create(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
void world_watch_free(struct ds_world *w);

/* From a shard, where w->watch is not NULL.  An event that is about to be handled; its digest is
 * already in the node's. */
void world_watch_event(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                       const struct packet *p);
/* A message that leaves at now; lost: NULL, or why it will not arrive. */
void world_watch_send(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                      const struct packet *p, int64_t now_ns, const char *lost);

/* From the barrier.  A fault begins or ends. */
void world_watch_fault(struct ds_world *w, uint32_t fault, bool begin, int64_t now_ns);
/* Before the shards' commits and notes are drained: takes those too, tells all before now. */
void world_watch_barrier(struct ds_world *w, int64_t now_ns);

#endif

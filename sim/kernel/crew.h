/* The threads of a run: one leader, which runs small windows and all serial work, and helpers,
 * which join it for big windows and may do pure side work in between.  Private to sim/kernel.
 *
 * One OpenMP region spans the whole run.  A helper waits for the next phase by looking (a few
 * microseconds, while cores are free), then asleep on a condition variable: small windows follow
 * one another for long stretches, and with more threads than cores a waiting loop would take the
 * leader's time.  Nothing here influences a result. */
#ifndef SIM_KERNEL_CREW_H
#define SIM_KERNEL_CREW_H

#include "models/base/status.h"

struct ds_crew;

struct ds_crew_config {
    uint32_t shards; /* of a phase */
    void *ctx;       /* passed to both */
    void (*shard)(void *ctx, uint32_t shard);
    bool (*idle)(void *ctx, uint32_t thread); /* may be NULL */
};

struct ds_crew *ds_crew_create(const struct ds_crew_config *config); /* NULL: out of memory */
void ds_crew_destroy(struct ds_crew *crew);

/* Runs lead(ctx) in one thread while the others help it; returns when lead has. */
void ds_crew_run(struct ds_crew *crew, void (*lead)(void *ctx));

/* From the leader: runs all shards on all threads; returns when all are done, with their effects
 * visible to the leader and the leader's to them. */
void ds_crew_phase(struct ds_crew *crew);

/* Makes sleeping helpers ask idle() again.  Any thread. */
void ds_crew_wake(struct ds_crew *crew);

#endif

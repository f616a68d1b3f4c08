/* What the files of `rare` share.
 *
 *   cmd_rare.c       arguments, the loop over roots, what is reported
 *   cmd_rare_walk.c  one root: a process that forks copies where a level is reached
 *
 * A root is a run with its own seed.  Where its metric reaches a level, the process forks copies
 * one after another; each takes another turn (ds_world_turn) and goes on to the next level, and
 * what it found comes back through a pipe.  At any time one process of each root runs, and those
 * above it wait with their worlds, which share memory until they differ. */
#ifndef SIM_CMD_RARE_H
#define SIM_CMD_RARE_H

#include "sim/cmd_process.h"
#include "sim/cmd_world.h"

#define DS_RARE_LEVELS_MAX 62

struct ds_rare {
    const char *scenario;
    const char *const *override; /* without the seed */
    size_t overrides;
    const char *metric;
    const double *level;
    size_t levels;
    uint32_t split;
    uint64_t seed; /* root r runs with seed + r */
};

/* What a root, or one copy and all below it, found; passed through a pipe as it is. */
struct ds_rare_count {
    uint64_t hits, reached[DS_RARE_LEVELS_MAX];
    uint64_t events;       /* handled: the effort */
    uint64_t ended_events; /* of the root, when it went to its end without reaching a level */
    uint32_t failed;       /* enum dc_status; DC_OK: what is counted stands */
    char text[1024];       /* why not */
};

/* The whole of root number `root`, in this process; counts into *out, which it zeroes. */
void ds_rare_root(const struct ds_rare *rare, uint64_t root, struct ds_rare_count *out);

#endif

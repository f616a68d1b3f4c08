/* The observer's data, shared by observe.c (draining), rows.c (tables) and summary.c (numbers). */
#ifndef SIM_WORLD_OBSERVER_H
#define SIM_WORLD_OBSERVER_H

#include "sim/world/inside.h"
#include "sim/world/observe.h"

#define OBSERVE_ROWS 128 /* heights kept open at once */
#define OBSERVE_LAG 32   /* a height's row is closed when the chain is so far beyond it */
#define OBSERVE_PROPOSALS 4096

/* One height from its first commit to its row. */
struct height_row {
    uint64_t height;
    struct dc_hash id;
    struct dc_block *block; /* reference held until the row is closed */
    int64_t proposed_ns;
    int64_t *commit_ns; /* of validators; room for all */
    uint32_t commits;
};

struct proposal {
    uint64_t epoch, round;
    int64_t time_ns; /* 0: free */
};

/* What is known of a node's fate: ground truth beside what the chain did to it. */
struct fate {
    uint64_t reward, slashed;
    uint64_t reward_lost; /* estimate: mean honest reward for each epoch ejected */
    uint32_t challenges, failed, passed, flags;
    uint32_t first_failed, first_ejected; /* epoch + 1; 0: never */
    uint32_t ejections;
    uint8_t verdict, cause, k; /* of the epoch that is open */
    uint8_t slashed_equivocation;
};

/* What is collected by epoch while its heights are open. */
#define OBSERVE_EPOCHS 8
struct open_epoch {
    uint64_t epoch;
    struct dc_histogram finality;
    uint64_t rounds_timed_out;
    uint64_t messages, bytes, challenge_bytes; /* of the run until the epoch's end was final */
    double end_s;
};

struct ds_observer {
    struct ds_recorder *recorder; /* or NULL */
    struct height_row row[OBSERVE_ROWS];
    struct proposal proposal[OBSERVE_PROPOSALS], timed_out[OBSERVE_PROPOSALS];
    uint64_t height_final, height_closed;
    int64_t progress_ns, slice_next_ns;
    uint64_t epochs;   /* whose row is written */
    struct fate *fate; /* per node */

    struct commit *commit;
    uint32_t commits, commits_max;
    struct ds_row_trace *trace;
    uint32_t traces, traces_max;
    uint64_t *slice; /* scratch: a digest per node */

    struct ds_row_epoch epoch_row; /* of the epoch that is open */
    struct open_epoch open[OBSERVE_EPOCHS];
    struct dc_histogram finality, request;
    uint64_t messages_before, bytes_before, challenge_bytes_before;
    double end_before_s;
    struct columns *columns; /* rows.c: arrays of a node_epoch row */
    uint64_t height_last;    /* blocks above it are not recorded; UINT64_MAX: all are */

    /* sums over the run */
    uint64_t transactions, rounds_timed_out, conflicts, refused, requests, requests_failed;
    uint64_t supply_breaks, challenges, challenges_cheat, by_cause[4];
    uint64_t honest_settled, honest_failed, flags, flags_false, demands;
    uint64_t pool, reward_cheats, verifier_pay;
    struct ds_scalar *scalar;
    size_t scalars, scalars_max;
    struct dc_arena names;
    struct ds_expectation *expectation;
    char violation[512];
};

/* rows.c: takes a height out of the ring: its block's outcome, its row. */
void world_observe_close(struct ds_world *w, struct height_row *r);
void world_observe_slice(struct ds_world *w, int64_t now_ns);
/* Remembers a failed write: the run ends at this barrier. */
void world_status(struct ds_world *w, enum dc_status status);
struct open_epoch *world_open_epoch(struct ds_observer *o, uint64_t epoch);
/* An epoch's end became final: remembers the traffic until here. */
void world_observe_epoch_end(struct ds_world *w, uint64_t epoch, int64_t now_ns);
/* summary.c */
void world_summarise(struct ds_world *w);
/* Whether the node cheats, and the bytes that challenges caused so far. */
bool world_cheats(const struct ds_world *w, uint32_t node);
struct ds_net_kind_stats world_traffic(const struct ds_world *w, uint32_t kind);

#endif

/* The observer's data, shared by observe.c (draining), open.c (the file), rows.c (tables), spell.c
 * (who cheated when, and was found) and summary.c, score.c, lift.c (numbers). */
#ifndef SIM_WORLD_OBSERVER_H
#define SIM_WORLD_OBSERVER_H

#include <math.h>

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

/* What is known of a node's fate: ground truth beside what the chain did to it.  A *spell* is a time
 * in which a node cheats by one strategy without a break; most cheats have one, as long as the run. */
struct fate {
    uint64_t slashed_honest;  /* while it was honest */
    uint64_t slashed_epoch;   /* in the epoch that is open */
    uint32_t spell;           /* epoch + 1 in which its spell began; 0: it does not cheat */
    uint32_t failed, ejected; /* in the spell: epoch + 1 of the first; 0: not yet */
    uint32_t ejected_honest;  /* the same while it was honest */
    uint8_t ejections;        /* while it was honest */
    uint8_t spell_strategy;   /* index */
    bool flagged;             /* in the spell */
    bool out;                 /* ejected, as of the last row */
    bool slashed_equivocation;
    uint8_t verdict, cause, k; /* of the epoch that is open */
};

/* Sums over the nodes of one strategy. */
struct tally {
    uint64_t nodes; /* playing it: node-epochs over the run, ejected ones too */
    uint64_t in;    /* of those, not ejected */
    uint64_t reward, slashed;
    uint64_t leaked; /* of the reward, what was paid while cheating */
    int64_t payoff;  /* reward - slashed - costs */
    uint64_t washed; /* of the costs, what its purchases from itself burned */
    uint64_t spells, found, detect_5, detect_20, ejected, flagged;
    double mttd, time_to_eject;
};

/* Honest nodes of one class of links. */
struct link_tally {
    uint64_t settled, failed;
};
#define OBSERVE_LINKS 64

/* Numbers that only grow while a run goes on, as of the newest epoch (level.c). */
struct level {
    uint64_t honest_ejections;
    double nearest_ejection, cheat_seat_share;
    bool *out; /* per node: it was ejected */
};

/* What the two other worlds came to (lift.c); NaN where they were not run. */
struct ds_lift {
    double loss_none, loss_audits;
    double found_audits; /* cheats that failed */
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
    struct columns *columns;
    uint64_t height_last; /* blocks above it are not recorded; UINT64_MAX: all are */

    /* sums over the run */
    uint64_t faults; /* occurrences that were executed */
    uint64_t transactions, rounds_timed_out, refused, requests, requests_failed;
    uint64_t supply_breaks, challenges, challenges_cheat, by_cause[DS_CAUSE_COUNT];
    uint64_t challenges_upgraded; /* under the values of protocol.upgrade */
    uint64_t flags, flags_false, demands;
    struct level level;
    uint64_t pool, reward_cheats, honest_reward, honest_epochs; /* of service nodes */
    double fdr, load, theta;                                    /* sums over epochs */
    double forecast_error;
    uint64_t forecasts;
    struct link_tally link[OBSERVE_LINKS];
    struct tally epoch_tally[WORLD_STRATEGIES_MAX], tally[WORLD_STRATEGIES_MAX];
    struct ds_lift lift; /* of lift.c, when the scenario asks for it */
    struct ds_scalar *scalar;
    size_t scalars, scalars_max;
    struct dc_arena names;
    struct ds_expectation *expectation, *sometimes;
    struct ds_invariant *invariant;
};

/* open.c: arrays of a node_epoch row */
struct columns {
    uint32_t *utilisation, *synchronicity, *availability, *quality, *score, *forecast;
    uint8_t *difficulty, *verdict, *cause, *flagged, *strategy;
    double *p_value;
    uint64_t *bond, *reward;
};

/* rows.c: takes a height out of the ring: its block's outcome, its row. */
void world_observe_close(struct ds_world *w, struct height_row *r);
void world_append(struct ds_world *w, int table, const void *row);
void world_observe_slice(struct ds_world *w, int64_t now_ns);
/* Remembers a failed write: the run ends at this barrier. */
void world_status(struct ds_world *w, enum dc_status status);
struct open_epoch *world_open_epoch(struct ds_observer *o, uint64_t epoch);
/* An epoch's end became final: remembers the traffic until here. */
void world_observe_epoch_end(struct ds_world *w, uint64_t epoch, int64_t now_ns);
/* summary.c */
void world_summarise(struct ds_world *w);
/* score.c */
uint64_t world_cheats_found(const struct ds_world *w); /* spells with a failure; after their end */
void world_score(struct ds_world *w);
/* summary.c: a number of the summary. */
void world_scalar_real(struct ds_world *w, const char *name, double value);
/* summary.c: NAME.p50 .p95 .p99 .mean .max of times in ns. */
void world_summary_latency(struct ds_world *w, const char *name, const struct dc_histogram *h);
void world_scalar_count(struct ds_world *w, const char *name, uint64_t value);
double world_scalar(const struct ds_world *w, const char *name);
static inline double world_ratio(double a, double b)
{
    return b == 0 ? NAN : a / b;
}
/* spell.c: spells begin and end as of the first block of an epoch; all end with the run. */
void world_spells_turn(struct ds_world *w, uint64_t epoch);
void world_spell_turn(struct ds_world *w, uint32_t node, uint64_t epoch);
void world_spells_end(struct ds_world *w);
/* One node's epoch: what it earned, into the sums of its strategy. */
void world_tally_node(struct ds_world *w, uint32_t node, uint64_t epoch, uint64_t reward);
void world_tally_epoch(struct ds_world *w, uint64_t epoch); /* writes and adds up the rows */
/* level.c: with the first block of an epoch, final; before any, NULL. */
void world_level_epoch(struct ds_world *w, const struct dc_block *b);
void world_level_rows(struct ds_world *w);
/* lift.c */
enum dc_status world_lift(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
/* The bytes that challenges caused so far. */
struct ds_net_kind_stats world_traffic(const struct ds_world *w, uint32_t kind);

#endif

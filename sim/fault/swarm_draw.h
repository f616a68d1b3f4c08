/* Inside sim/fault: what the files of the swarm share. */
#ifndef SIM_FAULT_SWARM_DRAW_H
#define SIM_FAULT_SWARM_DRAW_H

#include "models/base/rng.h"
#include "sim/fault/swarm.h"

#define DS_SWARM_SECOND INT64_C(1000000000)

/* What a validator may be used for. */
enum ds_swarm_part {
    DS_SWARM_HONEST,
    DS_SWARM_CORRUPT, /* by faults that break what it promised */
    DS_SWARM_LEAVER   /* by faults that take its power away */
};

/* A run as far as it is drawn. */
struct ds_swarm_run {
    struct dc_stream stream;
    struct ds_scenario scenario; /* a copy of the base's: groups are its own */
    uint8_t *part;               /* of each validator, enum ds_swarm_part */
    uint8_t *quorum;             /* of each validator: it is in */
    uint32_t validators, services, clients;
    uint32_t corrupt, leavers; /* validators */
    uint32_t kinds;            /* drawn ones */
    bool collude;              /* the corrupted collude, or else are twins: not both */
    bool followers;            /* services and clients are in the quorum, too */
    int64_t heal_at_ns;        /* faults happen before */
    int64_t within_ns;         /* so long after it something new is final */
};

/* Draws: below n > 0; in [low, high]; log-uniform in [low, high], low > 0; with chance percent. */
uint64_t ds_swarm_below(struct ds_swarm_run *r, uint64_t n);
int64_t ds_swarm_between(struct ds_swarm_run *r, int64_t low, int64_t high);
int64_t ds_swarm_log(struct ds_swarm_run *r, int64_t low, int64_t high);
bool ds_swarm_chance(struct ds_swarm_run *r, unsigned percent);

/* "val[3]" of the v-th validator over all groups. */
void ds_swarm_validator(const struct ds_swarm_run *r, uint32_t v, struct dc_text *out);

/* Faults of the run, as lines of the list. */
void ds_swarm_faults(struct ds_swarm_run *r, struct dc_text *out);

#endif

/* Between the files of the fault script at work.
 *
 *   fault_script   one per fault: its tables, and what is in force
 *     occurrence   one for each time that it happens, until it ends; several may overlap
 *       targets    whom it hits, as its selectors said
 *   plight         one per node: what all occurrences together do to it
 *
 *   faults.c        begins, ends, looks anew, heals        fault_select.c   selectors -> targets
 *   fault_node.c    down, up, paused, slow                 fault_disk.c     images, deadly writes
 *   fault_clock.c   clocks and their timers                fault_defer.c    events that wait
 *   fault_net.c     links and cuts                         fault_people.c   churn, exit, join
 *   fault_byzantine.c                                      fault_record.c   rows of /faults
 *   grief.c
 *
 * Everything happens at barriers, except what the dispatch of a node's own events does to its own
 * plight (fault_defer.c, fault_disk.c, fault_clock.c).  Faults that overlap on one node add up: it
 * is down until nothing keeps it down, with the least that any crash left it; slowness and clock
 * rates multiply, offsets of clocks add. */
#ifndef SIM_WORLD_FAULTS_H
#define SIM_WORLD_FAULTS_H

#include "sim/fault/schedule.h"
#include "sim/workload/outages.h"
#include "sim/world/inside.h"

/* Bytes of a disk, with a reference to the blocks that they name. */
struct world_image {
    uint8_t *bytes; /* NULL: none is kept */
    size_t size;
};

/* Whom selectors chose; arrays have an entry per node. */
struct world_targets {
    bool *node;     /* hit; of links: senders; of partition and bridge: not on the first side */
    bool *other;    /* links: receivers; eclipse: attackers; byzantine: victims; else NULL */
    uint8_t *group; /* partition, bridge: the side, from 1; 0: on none, which is a side too */
    uint32_t sides; /* of group, 0 included */
    uint32_t count; /* of node */
};

/* Churn's memory of one node. */
struct world_outage {
    uint32_t down;  /* outages in force: those of a trace may overlap */
    uint32_t count; /* begun, ever */
    int64_t since_ns;
};

struct world_occurrence {
    struct world_occurrence *next; /* of the same fault; older ones first */
    uint64_t number;
    uint32_t look;    /* how often the selectors were looked at anew */
    int64_t begin_ns; /* when it began */
    int64_t row_ns;   /* when the present targets became its targets */
    int64_t end_ns;   /* by the script; INT64_MAX: none */
    struct world_targets to;
    uint32_t handle;             /* network's */
    bool ruled, split;           /* handle is a rule's; a partition's */
    bool left;                   /* EXIT: they are gone */
    struct world_image *image;   /* DISK, snapshots: per node */
    bool *dead;                  /* DISK: died in a write, and down by this */
    struct world_outage *outage; /* CHURN: per node */
    struct world_grief *grief;
};

struct world_fault {
    struct world_occurrence *first;
    bool chosen;                                   /* `as` is there */
    struct world_targets as;                       /* without `reselect`: as the first time */
    struct dc_dist *every, *latency, *mtbf, *mttr; /* NULL: not given */
    struct ds_outages outages;
    bool *corrupted; /* BYZANTINE with a budget: ever */
    uint32_t corruptions;
};

struct world_script {
    struct ds_schedule schedule;
    struct world_fault *fault; /* as the scenario's */
    uint64_t *centrality;      /* per node, where a selector asks */
    bool *quorum;              /* after the heal: who is of it */
    int64_t ended_ns;          /* when a fault ended last; -1 */
    uint32_t active;           /* occurrences in force */
};

/* An event that waits: of a paused or suspended node. */
struct world_deferred {
    struct ds_event event;
    int64_t ready_ns; /* a message's: when the downlink had it */
};

struct world_plight {
    uint32_t down, held; /* by so many occurrences */
    uint32_t armed;      /* disks that kill */
    uint32_t torn_down;  /* of `down`: torn writes, which a step UP or the heal takes back */
    uint8_t keeps;       /* while down: the least of enum ds_fault_state that a crash left */
    bool unborn;         /* it went down before it ever started */
    bool gone;           /* for good */
    bool resuming;       /* EV_RESUME is under way */
    bool working;        /* ... because it is slow and at work */
    int64_t resume_ns;   /* then: when; an EV_RESUME of another time is void */
    bool excused;
    struct world_image image; /* what its disk holds; none: what the node has */
    struct world_image torn;  /* a later write that was not finished */
    struct world_deferred *list;
    uint32_t next, count, count_max; /* those from `next` on wait */
};

struct world_death {
    int64_t time_ns;
    uint32_t node;
    struct world_image before, after; /* before: without the references to blocks yet */
};

/* fault_select.c */
enum dc_status world_fault_prepare(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
struct world_targets world_fault_select(struct ds_world *w, const struct ds_fault *f,
                                        uint64_t occurrence, uint32_t look);
void world_fault_match(struct ds_world *w, const struct ds_selector *s, uint64_t identity,
                       bool *member);
struct world_targets world_targets_copy(const struct ds_world *w, const struct world_targets *t);
bool world_targets_equal(const struct ds_world *w, const struct world_targets *a,
                         const struct world_targets *b);
void world_targets_free(struct world_targets *t);

/* fault_node.c: reasons for which a node is down or paused; each is taken back once. */
void world_fault_down(struct ds_world *w, uint32_t node, enum ds_fault_state keeps, int64_t now_ns);
void world_fault_up(struct ds_world *w, uint32_t node, int64_t now_ns);
void world_fault_hold(struct ds_world *w, uint32_t node);
void world_fault_release(struct ds_world *w, uint32_t node, int64_t now_ns);
/* Works its factor out again; what it is at is done at the new speed from now on. */
void world_fault_slow(struct ds_world *w, uint32_t node, int64_t now_ns);
/* Works `up` out again. */
void world_fault_flags(struct ds_world *w, uint32_t node);
/* It starts at once from what its disk holds, as after a crash. */
void world_fault_reboot(struct ds_world *w, uint32_t node, int64_t now_ns);

/* fault_disk.c */
struct world_image world_image_of(struct ds_world *w, uint32_t node);
struct world_image world_image_copy(struct ds_world *w, const struct world_image *image);
void world_image_drop(struct ds_world *w, struct world_image *image);
/* The disk that a crash leaves, where a fault lost what was written. */
const struct world_image *world_fault_lost(const struct ds_world *w, uint32_t node);
void world_fault_disk(struct ds_world *w, const struct ds_fault *f, struct world_occurrence *o,
                      uint32_t node, bool begin, int64_t now_ns);
/* At barriers: who died in a write is down. */
void world_fault_deaths(struct ds_world *w);
void world_fault_death_free(struct world_death *death);

/* fault_clock.c */
enum dc_status world_clocks_create(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
void world_clocks_free(struct ds_world *w);
void world_clock_change(struct ds_world *w, uint32_t node, int64_t now_ns);
/* Hands the node both clocks' values at a time. */
void world_clock_read(struct ds_world *w, uint32_t node, int64_t time_ns, struct dc_input *in);
bool world_clock_odd(const struct ds_world *w, uint32_t node);
void world_clock_forget(struct ds_world *w, uint32_t node); /* its timers are void */

/* fault_defer.c: what waits is void. */
void world_fault_forget(struct ds_world *w, uint32_t node, bool timers);

/* fault_net.c */
bool world_fault_is_net(const struct ds_fault *f);
enum dc_status world_fault_net_begin(struct ds_world *w, const struct ds_fault *f,
                                     const struct world_fault *s, struct world_occurrence *o,
                                     int64_t now_ns, struct dc_error *error) DC_MUST_USE;
void world_fault_net_end(struct ds_world *w, struct world_occurrence *o);

/* fault_people.c */
void world_fault_churn_begin(struct ds_world *w, uint32_t fault, struct world_occurrence *o,
                             int64_t now_ns);
void world_fault_churn_step(struct ds_world *w, const struct ds_fault_step *step,
                            struct world_occurrence *o, int64_t now_ns);
void world_fault_churn_end(struct ds_world *w, uint32_t fault, struct world_occurrence *o,
                           int64_t now_ns);
void world_fault_exit(struct ds_world *w, struct world_occurrence *o, bool leave, int64_t now_ns);
void world_fault_revoke_begin(struct ds_world *w, struct world_occurrence *o,
                              const struct world_targets *was, int64_t now_ns);

/* fault_byzantine.c: begins at all targets but those that it had before (`was`); ends at all that
 * it `had` but those that it goes on having (`still`).  was and still may be NULL. */
enum dc_status world_fault_byzantine_begin(struct ds_world *w, uint32_t fault,
                                           struct world_occurrence *o,
                                           const struct world_targets *was,
                                           struct dc_error *error) DC_MUST_USE;
enum dc_status world_fault_byzantine_end(struct ds_world *w, uint32_t fault,
                                         struct world_occurrence *o,
                                         const struct world_targets *had,
                                         const struct world_targets *still,
                                         struct dc_error *error) DC_MUST_USE;
/* A budget's: whom it had stays; of the others at most as many as are left. */
void world_fault_budget(struct ds_world *w, uint32_t fault, const struct world_occurrence *o,
                        struct world_targets *to);

/* fault_record.c: a row of /faults; end_ns INT64_MAX: it was in force when the run ended. */
void world_fault_row(struct ds_world *w, uint32_t fault, uint64_t occurrence,
                     const struct world_targets *to, int64_t begin_ns, int64_t end_ns);
void world_fault_row_node(struct ds_world *w, uint32_t fault, uint64_t occurrence, uint32_t node,
                          int64_t begin_ns, int64_t end_ns);

/* grief.c */
struct world_grief *world_grief_create(struct ds_world *w, const struct ds_fault *f,
                                       uint64_t identity, const bool *target); /* borrows target */
void world_grief_free(struct world_grief *g);
enum dc_status world_grief_run(struct ds_world *w, struct world_grief *g,
                               struct dc_error *error) DC_MUST_USE;
void world_grief_end(struct ds_world *w, struct world_grief *g);

#endif

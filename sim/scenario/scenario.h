/* A scenario, resolved: everything a run is made from, with every default filled in.
 *
 *   YAML file + --set  -->  struct ds_scenario  -->  resolved YAML (embedded in OUT.h5)
 *         ^                                               |
 *         +-----------------------------------------------+   loads again to the same struct
 *
 * One table (table.h) describes every parameter; reading, checking, printing, `explain`, `schema`
 * and the reference page are made from it.  All strings and arrays live in the scenario's arena.
 * Text that a user wrote is never trusted: each mistake becomes a diagnostic with its place, and
 * all of them are reported in one go. */
#ifndef SIM_SCENARIO_SCENARIO_H
#define SIM_SCENARIO_SCENARIO_H

#include "models/base/fixed.h"
#include "models/base/mem.h"
#include "models/base/params.h"
#include "models/base/status.h"
#include "models/base/text.h"

/* Where something stands in a file; line 0: nowhere (a default, or an override). */
struct ds_place {
    uint32_t line, column; /* from 1 */
};

/* ---- values -------------------------------------------------------------------------------- */

enum ds_dist_kind {
    DS_DIST_NONE,        /* `none`: no such effect */
    DS_DIST_AUTO,        /* `auto`: the row of the table says what that means */
    DS_DIST_CONSTANT,    /* (value), or just the value */
    DS_DIST_UNIFORM,     /* (low, high) */
    DS_DIST_NORMAL,      /* (mean, deviation), truncated at the quantity's range */
    DS_DIST_LOGNORMAL,   /* (median, sigma); lognormal(sigma) has a median of 1 */
    DS_DIST_EXPONENTIAL, /* (mean) */
    DS_DIST_PARETO,      /* (minimum, alpha) */
    DS_DIST_WEIBULL,     /* (scale, shape) */
    DS_DIST_BETA,        /* (a, b), on [0, 1] */
    DS_DIST_POISSON,     /* (rate): arrivals */
    DS_DIST_ZIPF         /* (exponent): popularity */
};

/* A distribution as written; tabulated by sim/workload.  Arguments with a unit are in base units
 * (ns, bytes, base units of money, bit/s, 1/s, fractions of 1). */
struct ds_dist_spec {
    enum ds_dist_kind kind;
    uint32_t args_count;
    double args[3];
    double min, max;  /* the quantity's range in base units: draws are clamped to it */
    const char *text; /* as printed in the resolved scenario */
};

enum ds_role { DS_ROLE_VALIDATOR, DS_ROLE_SERVICE, DS_ROLE_CLIENT };
enum ds_service { DS_SERVICE_STORAGE };

enum ds_strategy {
    DS_STRATEGY_HONEST,
    DS_STRATEGY_GHOST,        /* service: declares capacity, holds nothing */
    DS_STRATEGY_PARTIAL,      /* service: lacks the fraction `argument` of what it declared */
    DS_STRATEGY_STALE,        /* service: replays old heads */
    DS_STRATEGY_WASHER,       /* service: `number` of them in a ring buy each other's work to stay
                                 above theta; 1: alone */
    DS_STRATEGY_SILENT,       /* validator: never votes or proposes */
    DS_STRATEGY_EQUIVOCATING, /* validator: signs two of everything */
    DS_STRATEGY_OUTSOURCER,   /* service: fetches its answers from an accomplice */
    DS_STRATEGY_SYBIL,        /* service: `number` identities on one machine */
    DS_STRATEGY_BURST,        /* service: a ghost once its score reaches `argument` */
    DS_STRATEGY_RATIONAL,     /* service: revises its strategy by payoff (group's `rational`) */
    DS_STRATEGY_LYING,        /* validator: says the opposite of what it verified */
    DS_STRATEGY_INFLATOR,     /* client: pays privately with money from nothing */
    DS_STRATEGY_FORGER,       /* client: spends notes of others, with signatures made up */
    DS_STRATEGY_DOUBLE_SPENDER, /* client: spends each note in two payments at once */
    DS_STRATEGY_REPLAYER,     /* client: sends final payments again */
    DS_STRATEGIES
};

/* One entry of a group's mix.  Weights are relative; their sum is above 0. */
struct ds_mix {
    enum ds_strategy strategy;
    dc_q31 argument; /* partial: the missing fraction; burst: the score at which it turns; else 0 */
    uint32_t number; /* washer: size of a ring; sybil: identities on one machine; else 1 */
    double weight;   /* > 0 */
    const char *name; /* "partial(0.3)": what files and summaries call it */
};

/* Where a group's nodes stand: weight by region (or, with a graph, by vertex id). */
struct ds_weight {
    const char *name; /* of a region, vertex id, or a prefix ending in '*' */
    double weight;
};

enum ds_selector_kind {
    DS_SELECT_ALL,
    DS_SELECT_REST,   /* what no other selector of the same fault names; groups only */
    DS_SELECT_ROLE,   /* number: enum ds_role */
    DS_SELECT_GROUP,  /* number: index into scenario->groups */
    DS_SELECT_NODES,  /* group `number`, indices first..last in it */
    DS_SELECT_REGION, /* name: exact, or prefix == true */
    DS_SELECT_SHARE,  /* ppm of `of`, drawn at random, rounded to nearest */
    DS_SELECT_COUNT,  /* count of `of`, drawn at random */
    DS_SELECT_TOP,    /* the share ppm (count == 0) or count of `of` with most of `measure` */
    DS_SELECT_STAKE,  /* drawn at random from `of` while their power is at most ppm of its power */
    DS_SELECT_LEADERS /* leaders of the current round (number 1), or of it and the next three (4) */
};
enum ds_measure { DS_MEASURE_POWER, DS_MEASURE_CENTRALITY };

struct ds_selector {
    enum ds_selector_kind kind;
    uint32_t number;
    uint32_t ppm;
    uint64_t count, first, last;
    const char *name;
    bool prefix;
    enum ds_measure measure;
    const struct ds_selector *of;
    const struct ds_selector *next; /* union with that one; NULL ends */
    const char *text;               /* of the whole union, on its head only */
};

#include "sim/scenario/private.h"

/* ---- sections ------------------------------------------------------------------------------ */

enum ds_topology {
    DS_TOPOLOGY_REGIONS,  /* ds_topology_from_csv on the input `regions` */
    DS_TOPOLOGY_GRAPH,    /* ds_topology_from_gml on the input `graph` */
    DS_TOPOLOGY_GENERATE, /* ds_topology_generate */
    DS_TOPOLOGY_UNIFORM   /* ds_topology_uniform(latency_ns) */
};
/* In the order of enum ds_net_graph_kind. */
enum ds_generate {
    DS_GENERATE_K_REGULAR,
    DS_GENERATE_WATTS_STROGATZ,
    DS_GENERATE_BARABASI_ALBERT,
    DS_GENERATE_ERDOS_RENYI,
    DS_GENERATE_GEOMETRIC
};

enum ds_channels { DS_CHANNELS_OPEN, DS_CHANNELS_CHARGED, DS_CHANNELS_REAL };

struct ds_network {
    enum ds_topology topology;
    struct ds_place place;       /* of the key that chose it, for what set-up refuses */
    const char *regions, *graph; /* paths as written, or NULL: the bytes are in `inputs` */
    const char **region_names;   /* topology REGIONS: the header's names, in the file's order */
    uint32_t regions_count;
    int64_t latency_ns; /* topology UNIFORM */
    struct {
        bool given;
        uint32_t kind;          /* enum ds_generate */
        uint32_t nodes, degree; /* degree: k or m */
        double p, radius;
        struct ds_dist_spec latency; /* of an edge, one way, ns; geometric: of a unit length */
        dc_q31 loss;                 /* of an edge */
    } generate;
    int64_t host_delay_ns;
    struct ds_dist_spec jitter; /* factor on a path's latency, or kind NONE */
    dc_q31 loss;
    uint64_t bandwidth_up, bandwidth_down; /* bit/s; 0: unlimited */
    int64_t queue_max_ns;                  /* 0: unlimited */
    uint32_t channels;                     /* enum ds_channels */
    uint64_t rekey;                        /* frames under one key of a channel */
    struct {
        uint32_t kind, degree; /* enum ds_generate, all but GEOMETRIC */
        double p;              /* WATTS_STROGATZ: rewired share */
    } overlay;
};

struct ds_cpu {
    bool none;      /* `cpu: none`: nothing costs CPU time */
    uint32_t cores; /* work that one node does at a time */
    double speed;   /* virtual costs are divided by it */
};

struct ds_demand {
    struct ds_dist_spec arrivals;    /* POISSON, args[0] requests a second and client; or NONE */
    struct ds_dist_spec popularity;  /* ZIPF or UNIFORM */
    struct ds_dist_spec object_size; /* bytes */
    dc_q31 put_share;                /* share of requests that are puts */
    uint32_t replicas;               /* holders of an object */
    uint32_t deal_epochs;            /* a put pays for so many epochs */
    int64_t timeout_ns;              /* a get without an answer goes to another holder */
    uint32_t retries;
    struct { /* the rate is times 1 + amplitude sin(2 pi (t + phase) / period) */
        bool given;
        dc_q31 amplitude;
        int64_t period_ns, phase_ns;
    } diurnal;
    struct ds_flash *flash; /* crowds: the rate is times `factor` for a while */
    size_t flash_count;
};

struct ds_flash {
    int64_t at_ns, for_ns;
    double factor; /* >= 1 */
    dc_q31 focus;  /* share of the gets meanwhile that ask for one and the same object */
};

/* Nodes whose strategy is `rational`: each epoch, with probability `revise`, one compares its payoff
 * of the epoch with that of another rational node of its group and stratum, drawn at random, and
 * takes over its strategy with probability 1 / (1 + exp(-selection (other - own))), payoffs in
 * mean service rewards (Traulsen et al. 2006); with probability `explore` it takes one of the
 * options at random instead. */
struct ds_rational {
    struct ds_mix *options; /* strategies and their shares at the start */
    size_t options_count;
    dc_q31 revise, explore;
    double selection;
    uint32_t strata; /* of utilisation, equally populated, within each class of links */
};

struct ds_link_class {
    double share; /* of the group's nodes, relative weight > 0 */
    dc_q31 loss;  /* of the messages that such a node sends, beside the network's */
};

struct ds_group {
    const char *name;
    uint32_t role, service; /* enum ds_role; enum ds_service when role is SERVICE */
    uint32_t count;
    uint64_t first;                  /* number of its first node: groups follow one another */
    struct ds_dist_spec bond;        /* base units; AUTO: the least the role and capacity need */
    struct ds_dist_spec capacity;    /* bytes; service nodes */
    struct ds_dist_spec utilisation; /* initial share of capacity under paid deals */
    struct ds_mix *mix;
    size_t mix_count;
    struct ds_weight *place; /* none: everywhere alike */
    size_t place_count;
    uint32_t customers;               /* service: clients that share what a node sells */
    const char *trace;                /* service: CSV of utilisation over time, or NULL */
    struct ds_dist_spec chunk_time;   /* service: reading one chunk, of a node */
    struct ds_dist_spec access_delay; /* of a node's last mile, one way; or NONE */
    double load_noise; /* sigma of a lognormal factor (median 1) on a machine's work, drawn
                                          for each machine and epoch; 0: none */
    struct ds_rational rational; /* service */
    struct ds_demand demand;     /* clients */
    struct ds_payments payments; /* clients */
    struct ds_link_class *links;
    size_t links_count; /* 0: links lose nothing of their own */
    struct ds_place at;
};

/* What happens to whom; scenarios/README.md tells each.  Kinds are bits in a word: at most 32. */
enum ds_fault_kind {
    DS_FAULT_CRASH,      /* nodes stop, and restart with what `state` says */
    DS_FAULT_PAUSE,      /* nodes do nothing for a while; messages and timers wait */
    DS_FAULT_SLOW_CPU,   /* work takes `factor` times as long */
    DS_FAULT_DISK,       /* the disk misbehaves as `disk` says */
    DS_FAULT_CLOCK,      /* clocks are off: ahead, behind, rate */
    DS_FAULT_LINK,       /* latency, loss, duplicates, order, bytes, bandwidth of links */
    DS_FAULT_CLOG,       /* messages are held, and released at the end */
    DS_FAULT_PARTITION,  /* groups cannot reach one another */
    DS_FAULT_ISOLATE,    /* each of `nodes` reaches nobody */
    DS_FAULT_ONE_WAY,    /* messages from src to dst are lost, not those back */
    DS_FAULT_BRIDGE,     /* groups reach one another through `nodes` alone */
    DS_FAULT_RING,       /* each of `nodes` reaches a majority, no two the same one */
    DS_FAULT_ECLIPSE,    /* `nodes` reach `attackers` alone */
    DS_FAULT_ASYNCHRONY, /* every message takes `latency` longer, in any order, until the end */
    DS_FAULT_CHURN,      /* nodes leave and come back by mtbf and mttr, or by a trace */
    DS_FAULT_EXIT,       /* nodes unbond what they have and leave */
    DS_FAULT_JOIN,       /* nodes are not there before `at` */
    DS_FAULT_BYZANTINE,  /* validators deviate from the protocol as `behaviour` says */
    DS_FAULT_GRIEF, /* each epoch, what up to `count` of the challenged nodes send is delayed */
    DS_FAULT_SWARM_KINDS, /* those above are what `fuzz` draws from */
    DS_FAULT_MITM = DS_FAULT_SWARM_KINDS, /* between src and dst somebody answers for the other */
    DS_FAULT_REVOKE, /* the registrar revokes the nodes' certificates */
    DS_FAULT_KINDS
};
enum ds_fault_state {
    DS_STATE_FULL,    /* memory too: a suspended machine */
    DS_STATE_DURABLE, /* what was written */
    DS_STATE_NONE     /* nothing: amnesia */
};
enum ds_fault_disk {
    DS_DISK_LOST_FSYNC,     /* what is written meanwhile is not there after a crash in that time */
    DS_DISK_TORN_WRITE,     /* the node dies in its next write, which is half there */
    DS_DISK_STALE_SNAPSHOT, /* at the end the node starts again from the disk as it was at `at` */
    DS_DISK_FULL            /* the node dies in its next write and stays down until the end */
};
/* In the order of enum dc_behaviour (models/adversary/byzantine.h). */
enum ds_behaviour {
    DS_BEHAVIOUR_EQUIVOCATE,
    DS_BEHAVIOUR_TWINS,
    DS_BEHAVIOUR_WITHHOLD_VOTES,
    DS_BEHAVIOUR_WITHHOLD_BLOCKS,
    DS_BEHAVIOUR_WITHHOLD_VRF,
    DS_BEHAVIOUR_SELECTIVE,
    DS_BEHAVIOUR_DELAY,
    DS_BEHAVIOUR_INVALID_BLOCK,
    DS_BEHAVIOUR_INVALID_SIGNATURE,
    DS_BEHAVIOUR_INVALID_CERTIFICATE,
    DS_BEHAVIOUR_REPLAY,
    DS_BEHAVIOUR_CENSOR,
    DS_BEHAVIOUR_SPAM,
    DS_BEHAVIOUR_DOUBLE_VERDICT,
    DS_BEHAVIOUR_COLLUDE
};

/* A fault happens at `at`, and again after each draw of `every`, `times` in all.  Each time is an
 * occurrence; its random choices are keyed by (seed, id, number of the occurrence). */
struct ds_fault {
    const char *id; /* as written, or a digest of what differs from the defaults */
    uint32_t kind;  /* enum ds_fault_kind */
    int64_t at_ns;
    int64_t for_ns;            /* 0: to the end of the run */
    struct ds_dist_spec every; /* from one begin to the next; NONE: once */
    uint32_t times;            /* UINT32_MAX: to the end of the run */
    int64_t reselect_ns;       /* selectors are looked at anew so often, and at each occurrence;
                                  0: as the first time, for ever */
    const struct ds_selector *nodes;
    int64_t restart_ns;                /* CRASH, DISK torn_write: after the crash; 0: never */
    uint32_t state;                    /* CRASH, CHURN: what survives, enum ds_fault_state */
    uint32_t disk;                     /* DISK: enum ds_fault_disk */
    int64_t ahead_ns, behind_ns;       /* CLOCK: of the wall clock */
    double rate;                       /* CLOCK: of both clocks; 0: they stand still */
    const struct ds_selector **groups; /* PARTITION, BRIDGE: sides that cannot reach one another */
    size_t groups_count;
    const struct ds_selector *src, *dst; /* LINK, CLOG, ONE_WAY, MITM: messages from src to dst */
    bool both;                           /* LINK, CLOG: and those from dst to src */
    uint32_t messages;           /* LINK, CLOG: bits 1 << enum dc_message; UINT32_MAX: all */
    double latency_factor;       /* LINK: on the base latency */
    int64_t latency_add_ns;      /* LINK, GRIEF */
    struct ds_dist_spec latency; /* LINK, ASYNCHRONY: drawn for each message, or NONE */
    dc_q31 loss;                 /* LINK, ASYNCHRONY: further loss */
    dc_q31 burst_loss;           /* LINK: in the bad times of a sender (Gilbert-Elliott) */
    int64_t burst_length_ns, burst_every_ns;    /* LINK: means of bad and of good times */
    dc_q31 duplicate, reorder, corrupt, replay; /* LINK: shares of messages */
    int64_t reorder_by_ns, replay_after_ns;     /* LINK */
    double bandwidth_factor;                    /* LINK: on what src's uplink sends to dst */
    double factor;                              /* SLOW_CPU: costs times this */
    const struct ds_selector *attackers;        /* ECLIPSE */
    struct ds_dist_spec mtbf, mttr;             /* CHURN: time up, time down */
    const char *trace;                          /* CHURN: CSV of outages, or NULL */
    int64_t notice_ns;                          /* EXIT: from unbonding to leaving */
    uint32_t behaviour;                         /* BYZANTINE: enum ds_behaviour */
    const struct ds_selector *victims;          /* BYZANTINE */
    int64_t delay_ns;                           /* BYZANTINE: delay, replay */
    double spam;                                /* BYZANTINE: messages a second */
    dc_q31 share;                               /* BYZANTINE: of what the behaviour could do */
    uint32_t
        budget;     /* BYZANTINE: nodes that it corrupts, ever; UINT32_MAX: all that are selected */
    uint32_t count; /* GRIEF: victims at a time, of `nodes` in T(e); latency_add_ns each */
    struct ds_place place;
};

/* At this time every fault ends for the nodes of `quorum`, which then must make a block final that is
 * proposed later; all other nodes are stopped. */
struct ds_heal {
    bool given;
    int64_t at_ns, within_ns;
    const struct ds_selector *quorum;
};

struct ds_record {
    bool node_epoch, blocks, challenges; /* keep these tables: `all` or `none` */
    bool trace;
    bool lift; /* also run the same without theta, and with as many random audits: theta_lift */
    int64_t slice_ns; /* virtual time between stored digests */
};

enum ds_op { DS_OP_HOLDS, DS_OP_LT, DS_OP_LE, DS_OP_GT, DS_OP_GE, DS_OP_EQ, DS_OP_NE };
struct ds_expect {
    const char *text;   /* as written */
    const char *metric; /* with its suffix: "detect_20.partial" */
    enum ds_op op;      /* HOLDS: the metric is a truth value and must be 1 */
    double value;       /* in the metric's unit of results (s, 1, By, DSYNC, 1/s) */
    struct ds_place place;
};

/* Whether a metric of this value meets it; one that was not measured (NaN) meets nothing. */
bool ds_expect_holds(const struct ds_expect *e, double value);

/* A file that the scenario names. */
struct ds_input {
    const char *path; /* as written */
    const char *data;
    size_t size;
};

struct ds_scenario {
    const char *name;
    const char *title; /* the comment on the file's first line, or "" */
    uint64_t seed;
    uint32_t duration_epochs; /* either this ... */
    int64_t duration_ns;      /* ... or this is above 0 */
    int64_t max_time_ns;      /* the run ends here at the latest */
    struct ds_network network;
    struct ds_cpu cpu;
    uint32_t crypto; /* enum ds_crypto */
    bool memo;
    struct ds_group *groups;
    size_t groups_count;
    uint64_t nodes_count, validators_count, services_count, clients_count;
    struct dc_params protocol; /* delay_typical_ns, delay_max_ns: left 0, set by the world */
    struct dc_upgrade upgrade; /* epoch 0: none */
    bool upgrades;
    bool privacy; /* its numbers are in protocol */
    struct ds_application *applications;
    size_t applications_count;
    struct ds_fault *faults;
    size_t faults_count;
    struct ds_record record;
    struct ds_heal heal;
    struct ds_expect *expects, *sometimes; /* sometimes: over many runs, must hold in one */
    size_t expects_count, sometimes_count;
    struct ds_input *inputs;
    size_t inputs_count;
    const char *file;      /* the scenario's own path or name, for messages */
    struct dc_arena arena; /* owns all of the above */
};
enum ds_crypto { DS_CRYPTO_REAL, DS_CRYPTO_MODELLED };

/* ---- diagnostics --------------------------------------------------------------------------- */

struct ds_diagnostic {
    const char *file, *message;
    struct ds_place place;
};
/* Zero-initialise; sorted by place when a load returns. */
struct ds_diagnostics {
    struct ds_diagnostic *items;
    size_t count, count_max;
    struct dc_arena arena;
    bool failed; /* memory ran out: some are missing */
};
void ds_diagnostics_add(struct ds_diagnostics *d, const char *file, struct ds_place place,
                        const char *format, ...) DC_PRINTF(4, 5);
/* Appends `FILE:LINE:COL: error: MESSAGE` lines. */
void ds_diagnostics_print(const struct ds_diagnostics *d, struct dc_text *out);
void ds_diagnostics_free(struct ds_diagnostics *d);

/* ---- loading and printing ------------------------------------------------------------------ */

/* Where a scenario's text comes from. */
struct ds_source {
    const char *name; /* for messages */
    const char *text;
    size_t size;
    const char *folder;            /* files are relative to it; NULL: no file system at all, */
    const struct ds_input *inputs; /* these alone (they are looked up first in any case) */
    size_t inputs_count;
};

/* Reads, overrides, checks and resolves a scenario.  overrides: "PATH=VALUE" texts, applied in
 * order.  Returns DC_OK; DC_ERR_USAGE with at least one diagnostic; DC_ERR_IO when the file cannot
 * be read or memory runs out (also with a diagnostic, if it fits).  *out is zeroed first and needs
 * ds_scenario_free in every case. */
enum dc_status ds_scenario_load(const char *path, const char *const *overrides, size_t count,
                                struct ds_scenario *out, struct ds_diagnostics *d) DC_MUST_USE;
enum dc_status ds_scenario_load_text(const struct ds_source *source, const char *const *overrides,
                                     size_t count, struct ds_scenario *out,
                                     struct ds_diagnostics *d) DC_MUST_USE;
void ds_scenario_free(struct ds_scenario *scenario);
/* Sets p's delays, of which the round timer is made.  mean, largest: of the one-way delays between
 * places; nodes: in the overlay.  Takes the validators and the network of the scenario, the
 * dissemination of p. */
void ds_scenario_delays(const struct ds_scenario *scenario, uint64_t nodes, int64_t mean_ns,
                        int64_t largest_ns, struct dc_params *p);

/* Resolved YAML, every default spelled out: loads again to the same struct, and prints the same. */
void ds_scenario_print_resolved(const struct ds_scenario *scenario, struct dc_text *out);
/* The same without what is as by default: for people.  Distributions and selectors are printed as
 * their `text`, so that a copy in which texts were replaced can be printed and loaded. */
void ds_scenario_print_brief(const struct ds_scenario *scenario, struct dc_text *out);
/* One fault as an element of `faults`, likewise. */
void ds_scenario_print_item(const struct ds_fault *fault, struct dc_text *out);

/* What one parameter is: path, type, unit, range, default, meaning; a section lists its members.
 * path may name an element (nodes[1].count, nodes.sto.count); "scenario" lists the top, and
 * "reference" is ds_scenario_reference.  An unknown path gives DC_ERR_USAGE and, in *error, the
 * nearest known one. */
enum dc_status ds_scenario_explain(const char *path, struct dc_text *out,
                                   struct dc_error *error) DC_MUST_USE;
/* JSON Schema (2020-12) of scenario files. */
void ds_scenario_schema(struct dc_text *out);
/* The parameter tables of scenarios/README.md, in Markdown. */
void ds_scenario_reference(struct dc_text *out);

/* ---- selectors ----------------------------------------------------------------------------- */

/* What selectors choose from; arrays have nodes_count entries, in node order. */
struct ds_population {
    const struct ds_scenario *scenario;
    const uint32_t *region; /* index into network.region_names, or NULL */
    const uint64_t *power;  /* or NULL: counts as equal */
    const uint64_t *centrality;
    const uint32_t *leaders; /* of the current round and the next ones, or NULL: nobody */
    uint32_t leaders_count;
};
/* Sets member[n] for every chosen node; others are left.  Random choices are the k nodes with the
 * smallest keys of (seed, identity, node name), so that they stay when other faults go.  `rest`
 * chooses nothing here: the caller takes what its other groups left.  Returns how many it set. */
uint64_t ds_selector_match(const struct ds_selector *selector, const struct ds_population *p,
                           uint64_t seed, uint64_t identity, bool *member);

/* ---- metrics ------------------------------------------------------------------------------- */

/* What `expect` can name, models/README.md section 17. */
enum ds_metric_suffix {
    DS_SUFFIX_NONE,
    DS_SUFFIX_STRATEGY, /* .ghost, .partial ...; without: all cheats together */
    DS_SUFFIX_QUANTILE, /* .p50 .p95 .p99 .mean .max, required */
    DS_SUFFIX_KIND,     /* .MESSAGE-KIND; without: all */
    DS_SUFFIX_LINK,     /* .linkN, the N-th class of a group's links, from 0; without: all */
    DS_SUFFIX_APPLICATION, /* .NAME of one of the scenario's applications, required */
    DS_SUFFIX_CONTRACT,    /* .auction, .escrow ...; without: all */
    DS_SUFFIX_CAUSE        /* .foreign, .revoked ...: why a channel refuses; without: all */
};
struct ds_metric {
    const char *name, *unit; /* unit as in results: s, 1, By, DSYNC, 1/s, %, bool */
    enum ds_metric_suffix suffix;
    const char *meaning;
};
extern const struct ds_metric ds_metrics[];
extern const size_t ds_metrics_count;

/* ---- names, for `list` and files ----------------------------------------------------------- */

struct ds_choice {
    const char *name, *meaning;
    uint32_t value;
};
/* Each ends with a NULL name. */
extern const struct ds_choice ds_choices_role[], ds_choices_service[], ds_choices_strategy[],
    ds_choices_fault[], ds_choices_behaviour[], ds_choices_disk[], ds_choices_message[],
    ds_choices_generate[], ds_choices_overlay[], ds_choices_channels[], ds_choices_detector[],
    ds_choices_application[];

#endif

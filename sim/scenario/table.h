/* The one table of parameters, and how to walk it.
 *
 * A row is one parameter; a row's path names it in --set, explain and messages.  Members of a
 * section have its path and a dot before their own name, members of a list's elements `[].`:
 *
 *     network                SECTION         offsets into struct ds_scenario
 *     network.loss           SHARE
 *     nodes                  LIST            of struct ds_group
 *     nodes[].count          COUNT           offsets into struct ds_group
 *     nodes[].demand.retries COUNT           likewise: a section is part of the same struct
 *
 * The order of rows is the order of resolved YAML and of the reference page. */
#ifndef SIM_SCENARIO_TABLE_H
#define SIM_SCENARIO_TABLE_H

#include "sim/scenario/scenario.h"
#include "sim/scenario/value.h"

enum ds_param_type {
    DS_COUNT,     /* uint32_t */
    DS_COUNT64,   /* uint64_t */
    DS_SHARE,     /* dc_q31 */
    DS_PPM,       /* uint32_t, written as a share */
    DS_FACTOR,    /* uint32_t ppm, written as a number */
    DS_TIERS,     /* uint32_t[4] ppm, written as four numbers */
    DS_REAL,      /* double */
    DS_AMOUNT,    /* uint64_t or int64_t in base units of dim */
    DS_AMOUNT32,  /* uint32_t */
    DS_SPAN,      /* uint32_t epochs at offset, or int64_t ns at count_offset */
    DS_DIST,      /* struct ds_dist_spec of dim, kinds allowed */
    DS_ENUM,      /* uint32_t of choices */
    DS_FLAGS,     /* uint32_t, union of choices; written as a list */
    DS_BOOL,      /* bool; choices are its words */
    DS_NAME,      /* identifier */
    DS_PATH,      /* of a file, relative to the scenario */
    DS_SELECTOR,  /* const struct ds_selector * */
    DS_SELECTORS, /* const struct ds_selector ** and count: a list of selectors */
    DS_MIX,       /* struct ds_mix * and count: strategies with weights */
    DS_WEIGHTS,   /* struct ds_weight * and count */
    DS_EXPECTS,   /* struct ds_expect * and count */
    DS_SECTION,
    DS_LIST /* of structs of `size`; pointer at offset, count at count_offset */
};

enum ds_param_flag {
    DS_REQUIRED = 1, /* no default: must be given */
    DS_OPTIONAL = 2, /* no default: may be left out.  A SECTION: bool at count_offset tells */
    DS_DECIDES = 4,  /* an ENUM whose value decides which rows beside it apply (`only`) */
    DS_EACH = 8      /* a SECTION: a scalar is given to each of its members */
};

struct ds_param {
    const char *path;
    enum ds_param_type type;
    enum ds_value_dim dim;
    uint32_t flags;
    size_t offset, count_offset, size;
    const char *fallback; /* the default, as in YAML */
    double min, max;      /* in base units */
    const struct ds_choice *choices;
    uint32_t kinds;   /* DIST: bits of enum ds_dist_kind */
    uint32_t only;    /* bits of the deciding row's values for which this row applies; 0: all */
    const char *zero; /* the word that stands for 0.  A SECTION: sets the bool at count_offset */
    const char *most; /* the word that stands for UINT32_MAX, of rows of 32 bits */
    const char *meaning;
};

/* Rows in order; ds_param_at(n) for n < ds_params_count(). */
size_t ds_params_count(void);
const struct ds_param *ds_param_at(size_t n);

/* The row with this exact path ("" has none), or NULL. */
const struct ds_param *ds_param_find(const char *path, size_t size);
/* The members of `path` ("" for the top, "network", "nodes[]") in order: start with *cursor 0;
 * NULL ends. */
const struct ds_param *ds_param_next(const char *path, size_t *cursor);
/* nodes[1].count, nodes.sto.count and nodes.count to the row nodes[].count, whose path goes into
 * table; a path below a mix or weights (nodes.sto.strategy.ghost) to its row.  NULL: unknown. */
const struct ds_param *ds_param_resolve(const char *path, char *table, size_t size_max);
/* The known path, or name, nearest to an unknown one; NULL: none is near. */
const char *ds_param_suggest(const char *path);
/* The last part of a row's path. */
const char *ds_param_name(const struct ds_param *row);
/* The deciding row among the members of path, or NULL. */
const struct ds_param *ds_param_decider(const char *path);

const struct ds_choice *ds_choice_of(const struct ds_choice *choices, uint32_t value);
const char *ds_choice_name(const struct ds_choice *choices, uint32_t value);
/* "a time", "one of gossip, direct" ... */
void ds_param_describe_type(const struct ds_param *row, struct dc_text *out);
/* "0 s to 1 h", or nothing. */
void ds_param_describe_range(const struct ds_param *row, struct dc_text *out);

extern const struct ds_choice ds_choices_on[], ds_choices_keep[], ds_choices_crypto[],
    ds_choices_trigger[], ds_choices_dissemination[], ds_choices_state[], ds_choices_theta_mode[],
    ds_choices_component[], ds_choices_difficulty[], ds_choices_order[], ds_choices_combine[],
    ds_choices_calibration[];

/* All that give positive values. */
#define DS_KINDS_POSITIVE                                                                          \
    (1u << DS_DIST_CONSTANT | 1u << DS_DIST_UNIFORM | 1u << DS_DIST_NORMAL |                       \
     1u << DS_DIST_LOGNORMAL | 1u << DS_DIST_EXPONENTIAL | 1u << DS_DIST_PARETO |                  \
     1u << DS_DIST_WEIBULL)
extern const struct ds_param ds_rows_network[]; /* and the top level, and cpu */
extern const size_t ds_rows_network_count;
extern const struct ds_param ds_rows_nodes[];
extern const size_t ds_rows_nodes_count;
extern const struct ds_param ds_rows_protocol[];
extern const size_t ds_rows_protocol_count;
extern const struct ds_param ds_rows_money[]; /* the rest of protocol */
extern const size_t ds_rows_money_count;
extern const struct ds_param ds_rows_upgrade[]; /* and the last of it */
extern const size_t ds_rows_upgrade_count;
extern const struct ds_param ds_rows_private[]; /* privacy, applications */
extern const size_t ds_rows_private_count;
extern const struct ds_param ds_rows_fault[];
extern const size_t ds_rows_fault_count;
extern const struct ds_param ds_rows_run[]; /* record, heal, expect, sometimes */
extern const size_t ds_rows_run_count;

#endif

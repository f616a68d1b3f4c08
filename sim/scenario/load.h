/* Inside the loader: what its files share.
 *
 *   yaml.c      text to tree
 *   override.c  --set edits the tree
 *   bind.c      tree to struct, row by row of the table;  word.c: values that are words or lists
 *   selector.c  selectors;  input.c: files that the scenario names
 *   check.c     what one row cannot say alone: names, sums, kinds of network
 *   load.c      the order of all this */
#ifndef SIM_SCENARIO_LOAD_H
#define SIM_SCENARIO_LOAD_H

#include "sim/scenario/table.h"
#include "sim/scenario/yaml.h"

struct ds_bind {
    const struct ds_source *source;
    struct ds_scenario *out;
    struct ds_diagnostics *d;
    struct dc_arena *arena; /* out->arena */
};

/* Adds a diagnostic at a node, in the node's own file. */
void ds_bind_error(struct ds_bind *b, const struct ds_yaml *node, const char *format, ...)
    DC_PRINTF(3, 4);
/* "WHAT: WHY" at a node; frees why. */
void ds_bind_why(struct ds_bind *b, const struct ds_yaml *node, const char *what,
                 struct dc_text *why);
/* Memory from the scenario's arena; on NULL the diagnostics are marked as failed. */
void *ds_bind_alloc(struct ds_bind *b, size_t count, size_t size);

/* Reads every member of the section `path` from map into base, and refuses what it does not know.
 * After the members of the top, their checks. */
void ds_bind_map(struct ds_bind *b, const char *path, const struct ds_yaml *map, void *base);

/* Values that are lists or words (word.c): each reads node into the field of row. */
void ds_bind_choice(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                    void *field);
void ds_bind_flags(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                   uint32_t *field);
void ds_bind_tiers(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                   uint32_t *field);
/* A row of strategies in a group: its own mix, or what its rational nodes choose from. */
void ds_bind_mix(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                 struct ds_group *group);
void ds_bind_weights(struct ds_bind *b, const struct ds_yaml *node, struct ds_group *group);
void ds_bind_expects(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node);

/* A selector, or a list of them as a union; NULL after a diagnostic. */
const struct ds_selector *ds_bind_selector(struct ds_bind *b, const struct ds_yaml *node);
/* How many nodes it matches at most; UINT64_MAX where that depends on where nodes are put. */
uint64_t ds_selector_most(const struct ds_scenario *scenario, const struct ds_selector *s);
void ds_bind_sides(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node,
                   struct ds_fault *fault);

/* The bytes of a file that the scenario names, kept in out->inputs; NULL after a diagnostic. */
const struct ds_input *ds_bind_input(struct ds_bind *b, const struct ds_yaml *node,
                                     const char *path);

/* The words of a comment on the source's first line: its purpose; or "". */
const char *ds_bind_title(struct ds_bind *b);
/* By place, from the one with that index on. */
void ds_diagnostics_sort(struct ds_diagnostics *d, size_t from);

/* Whole file into text; 0, or an errno. */
int ds_input_read(const char *path, struct dc_text *text);
/* A file as a source: what it names is relative to its folder.  what: "scenario", for the message.
 * False after a diagnostic; *f needs ds_source_close in every case. */
struct ds_source_file {
    struct ds_source source;
    struct dc_text text, folder;
};
bool ds_source_open(struct ds_source_file *f, const char *path, const char *what,
                    struct ds_diagnostics *d);
void ds_source_close(struct ds_source_file *f);

/* metric.c: the metric that "NAME.SUFFIX" is one of, and a number in its unit of results; what: the
 * key, for messages.  NULL and false after a diagnostic at node. */
const struct ds_metric *ds_bind_metric(struct ds_bind *b, const struct ds_yaml *node,
                                       const char *what, const char *full);
bool ds_bind_metric_value(struct ds_bind *b, const struct ds_yaml *node, const char *what,
                          const struct ds_metric *metric, const char *text, double *value);
/* "METRIC OP VALUE", or a truth value alone; false after a diagnostic. */
bool ds_bind_expect(struct ds_bind *b, const struct ds_yaml *node, const char *what,
                    struct ds_expect *out);

/* Checks of sections, and of the i-th element of a list, that were read without a mistake. */
void ds_scenario_check_network(struct ds_bind *b, const struct ds_yaml *node);
void ds_scenario_check_nodes(struct ds_bind *b, const struct ds_yaml *node);
void ds_scenario_check_protocol(struct ds_bind *b, const struct ds_yaml *node);
void ds_scenario_check_group(struct ds_bind *b, const struct ds_yaml *node, size_t i);
void ds_scenario_check_fault(struct ds_bind *b, const struct ds_yaml *node, size_t i);
/* check_private.c: an application, and at the end whether privacy, payments and applications fit
 * together. */
void ds_scenario_check_application(struct ds_bind *b, const struct ds_yaml *node, size_t i);
void ds_scenario_check_private(struct ds_bind *b, const struct ds_yaml *root);
/* check_outages.c: what is wrong in the trace of a churn. */
void ds_scenario_check_outages(struct ds_bind *b, const struct ds_yaml *at, const char *path);
/* And of the whole, mistakes or not; resolves what is `auto`. */
void ds_scenario_check_end(struct ds_bind *b, const struct ds_yaml *root);

/* Applies "PATH=VALUE" to the tree; false after a diagnostic. */
bool ds_scenario_override(struct ds_bind *b, struct ds_yaml *root, const char *text);

/* What of a fault differs from the defaults, its id left out: what its default id digests, so that
 * a parameter that is added later changes no id. */
void ds_scenario_print_fault(const struct ds_fault *fault, struct dc_text *out);

/* The name among candidates nearest to `word`, or NULL when none is near; feed it one by one. */
struct ds_nearest {
    const char *word, *name;
    unsigned distance;
};
void ds_nearest_try(struct ds_nearest *n, const char *candidate);

#endif

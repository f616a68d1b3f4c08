/* Inside the loader of studies: what its files share.
 *
 *   study_table.c   the keys of a study: one table for checks, defaults, schema, explain
 *   study.c         the order of loading; files
 *   study_axis.c    one parameter: values or a range to x and to overrides, and back
 *   study_parameter.c  the list of parameters
 *   study_goal.c    objectives, constraints, metrics, replications, tune, rare
 *   study_points.c  the design; every point loaded as a scenario
 *   study_print.c   the study as YAML */
#ifndef SIM_SCENARIO_STUDY_PARTS_H
#define SIM_SCENARIO_STUDY_PARTS_H

#include "sim/scenario/load.h"
#include "sim/scenario/study.h"

/* ---- the table ------------------------------------------------------------------------------- */

enum ds_study_type {
    DS_STUDY_SECTION,
    DS_STUDY_COUNT, /* uint64_t in [min, max] */
    DS_STUDY_SHARE, /* double, strictly between 0 and 1 */
    DS_STUDY_WORD,  /* one of `words`, parted by blanks: its index */
    DS_STUDY_NAME,  /* letters, digits, `_`, `-`, `.` */
    DS_STUDY_TEXT,
    DS_STUDY_TEXTS,  /* a list of texts, or one */
    DS_STUDY_VALUES, /* a list of anything */
    DS_STUDY_SET     /* a mapping of paths to values, or a list of PATH=VALUE */
};

struct ds_study_row {
    const char *path; /* "design.points", "parameters[].range" */
    enum ds_study_type type;
    const char *fallback; /* as in YAML, or NULL: none, or one that `usual` tells */
    const char *usual;    /* the default in words, where it is no constant */
    double min, max;
    const char *words;
    const char *meaning;
};

struct ds_study_load {
    struct ds_bind b; /* b.arena: the study's; b.out: scratch */
    struct ds_study *out;
    const struct ds_yaml *root;
    const char *scenario;         /* as written */
    struct ds_scenario scratch;   /* for b.out */
    struct ds_place *set_place;   /* of each of out->set */
    const char **set_file;        /* likewise: of the study, or of an override */
    const struct ds_yaml *at;     /* where the parameters stand */
    struct ds_scenario base;      /* the scenario with `set` alone */
    struct dc_text scenario_text; /* its bytes */
    struct dc_text scenario_folder;
};

const struct ds_study_row *ds_study_row_find(const char *path);
/* Refuses what `section` ("" for the top, "design", "parameters[]") does not know. */
void ds_study_keys(struct ds_study_load *l, const char *section, const struct ds_yaml *map);
/* The entry for the row `path` in map, which may be NULL; NULL when it is not given.  A key without
 * a value is a diagnostic. */
const struct ds_yaml *ds_study_entry(struct ds_study_load *l, const struct ds_yaml *map,
                                     const char *path);
/* Reads COUNT, SHARE, WORD rows from map, their default when they are not given; false after a
 * diagnostic. */
bool ds_study_count(struct ds_study_load *l, const struct ds_yaml *map, const char *path,
                    uint64_t *out);
bool ds_study_share(struct ds_study_load *l, const struct ds_yaml *map, const char *path,
                    double *out);
bool ds_study_word(struct ds_study_load *l, const struct ds_yaml *map, const char *path,
                   uint32_t *out);
/* Index of text among the words of a row; UINT32_MAX after a diagnostic at node. */
uint32_t ds_study_word_of(struct ds_study_load *l, const struct ds_yaml *node, const char *path);
const char *ds_study_name_of(const char *path); /* the last part of a row's path */

/* The scalars of a list, or one scalar: the n-th is items[n].  False after a diagnostic. */
bool ds_study_texts(struct ds_study_load *l, const struct ds_yaml *node, const char *path,
                    const struct ds_yaml ***items, size_t *count);

/* ---- values ---------------------------------------------------------------------------------- */

enum ds_study_axis_kind {
    DS_AXIS_WORDS,  /* x is the index of a value */
    DS_AXIS_COUNT,  /* a whole number */
    DS_AXIS_EPOCHS, /* a whole number and the word epochs */
    DS_AXIS_AMOUNT, /* a whole number of base units of dim */
    DS_AXIS_PPM,    /* in steps of a millionth */
    DS_AXIS_REAL    /* to nine digits */
};

struct ds_study_axis {
    const char *const *path;
    size_t paths;
    enum ds_study_axis_kind kind;
    enum ds_value_dim dim;
    const struct ds_param *row; /* of the first path */
    size_t values;              /* of a list; 0: a range */
    const char *const *yaml;    /* each value as in PATH=VALUE */
    const char *const *text;    /* each value as written */
    const double *x;
    const char **override;  /* values x paths: PATH=VALUE */
    struct ds_place *place; /* of each value; of a range, its own */
    const char *file;
    bool named; /* the parameter's words are names */
    bool labelled;
};

/* What the table tells of the axis at a path; whether a span is of epochs is for values to say. */
void ds_study_axis_kind(const struct ds_param *row, const char *path, struct ds_study_axis *a);
/* "40 epochs": the size of the number before the word, or 0. */
size_t ds_study_axis_epochs(const char *text);
/* The number that text is on this axis; false and *why when it is none. */
bool ds_study_axis_read(const struct ds_study_axis *a, const char *text, double *x,
                        struct dc_text *why);
/* A number of a range as text with its unit; returns what the text says. */
double ds_study_axis_print(const struct ds_study_axis *a, double x, struct dc_text *out);
const char *ds_study_axis_unit(const struct ds_study_axis *a);
double ds_study_axis_scale(const struct ds_study_axis *a); /* base units in one */

/* A node as YAML on one line. */
void ds_study_flow(const struct ds_yaml *node, struct dc_text *out);
void ds_study_bind_parameters(struct ds_study_load *l);
/* x of the axis, snapped, as text with its unit; of a list the value's index is *value. */
double ds_study_axis_text(const struct ds_study *study, size_t parameter, double x,
                          struct dc_text *out, size_t *value);
/* The overrides of parameter at x into override[0..paths); false: out of memory. */
bool ds_study_axis_override(const struct ds_study *study, size_t parameter, double x,
                            struct dc_arena *arena, const char **override, const char **text);

void ds_study_bind_goals(struct ds_study_load *l);
/* After the points: what depends on their number. */
void ds_study_bind_tune(struct ds_study_load *l);
void ds_study_bind_design(struct ds_study_load *l);
/* Loads the scenario with `set` alone, then each point; diagnostics of both. */
void ds_study_check_base(struct ds_study_load *l);
void ds_study_check_points(struct ds_study_load *l);
void ds_study_print(const struct ds_study_load *l, struct dc_text *out);

/* A copy in the study's arena; NULL marks the diagnostics as failed. */
const char *ds_study_copy(struct ds_study_load *l, const struct dc_text *text);

#endif

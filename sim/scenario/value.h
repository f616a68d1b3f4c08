/* Numbers with units, text to base units and back.
 *
 * Decimal text is read exactly (integers scaled by powers of ten), never through the C library, so
 * that a locale or a library version cannot change a scenario.  Every print reads back to the
 * same value. */
#ifndef SIM_SCENARIO_VALUE_H
#define SIM_SCENARIO_VALUE_H

#include "sim/scenario/scenario.h"

enum ds_value_dim {
    DS_DIM_NUMBER,    /* no unit */
    DS_DIM_SHARE,     /* 0.3 or 30 % */
    DS_DIM_TIME,      /* ns */
    DS_DIM_SIZE,      /* bytes */
    DS_DIM_BANDWIDTH, /* bit/s */
    DS_DIM_MONEY,     /* base units */
    DS_DIM_RATE,      /* 1/s */
    DS_DIMS
};

/* A number and the unit behind it, to the nearest base unit.  False: *why says what is wrong. */
bool ds_value_integer(const char *text, size_t size, enum ds_value_dim dim, uint64_t *out,
                      struct dc_text *why);
bool ds_value_real(const char *text, size_t size, enum ds_value_dim dim, double *out,
                   struct dc_text *why);
bool ds_value_share(const char *text, size_t size, dc_q31 *out, struct dc_text *why);

void ds_value_print_integer(struct dc_text *out, enum ds_value_dim dim, uint64_t value);
void ds_value_print_real(struct dc_text *out, enum ds_value_dim dim, double value);
void ds_value_print_share(struct dc_text *out, dc_q31 value);

const char *ds_value_units(enum ds_value_dim dim);   /* "ns, us, ms, s, min, h or d" */
const char *ds_value_example(enum ds_value_dim dim); /* "30 s" */
const char *ds_value_name(enum ds_value_dim dim);    /* "a time" */

/* The distributions of mask (bits 1 << enum ds_dist_kind).  out->min and max must be set: the
 * range that constants and draws obey.  out->text is made in the arena. */
bool ds_dist_read(const char *text, enum ds_value_dim dim, uint32_t mask, struct dc_arena *arena,
                  struct ds_dist_spec *out, struct dc_text *why);
/* "constant, uniform(low, high) ..." */
void ds_dist_describe(uint32_t mask, struct dc_text *out);

/* Distance of Damerau and Levenshtein (adjacent swaps count one); up to 63 bytes of each. */
unsigned ds_name_distance(const char *a, const char *b);

#endif

/* Distributions as tables: the only user of GSL in the simulator.
 *
 * A table (models/base/dist.h) holds the inverse distribution function at 1,025 equally likely
 * points and again at 1,025 points of the last of those cells.  Between points it is linear.  The
 * two outermost points (where the inverse may be infinite, or steep) are placed so that the mean
 * of their cells is right, which also cuts infinite tails.  Values are rounded to integers of the
 * caller's unit after multiplication by `scale`, and clamped to +-2^61. */
#ifndef SIM_WORKLOAD_TABULATE_H
#define SIM_WORKLOAD_TABULATE_H

#include "models/base/dist.h"
#include "models/base/status.h"

enum ds_tabulate_kind {
    DS_TABULATE_CONSTANT,    /* value */
    DS_TABULATE_UNIFORM,     /* low, high */
    DS_TABULATE_NORMAL,      /* mean, deviation; with bounds: conditioned on lying within them */
    DS_TABULATE_LOGNORMAL,   /* median, sigma of the logarithm */
    DS_TABULATE_EXPONENTIAL, /* mean */
    DS_TABULATE_PARETO,      /* least value, exponent */
    DS_TABULATE_WEIBULL,     /* scale, shape */
    DS_TABULATE_GAMMA,       /* shape, scale */
    DS_TABULATE_BETA,        /* a, b; on [0, 1] */
    DS_TABULATE_KINDS
};
const char *ds_tabulate_kind_name(enum ds_tabulate_kind kind); /* "lognormal", or NULL */
uint32_t ds_tabulate_kind_args(enum ds_tabulate_kind kind);    /* how many of arg[] it reads */

struct ds_tabulate_spec {
    enum ds_tabulate_kind kind;
    double arg[4];
    bool bounded;    /* draws are clamped to [min, max] (a normal is conditioned instead) */
    double min, max; /* before scaling; may be infinite */
    double scale;    /* table value = round(x * scale); 0 means 1.  1 << 20 for a jitter factor */
};

/* Errors: DC_ERR_USAGE naming the distribution and the argument.  Costs 2,049 GSL calls. */
enum dc_status ds_tabulate(const struct ds_tabulate_spec *spec, struct dc_dist *out,
                           struct dc_error *error) DC_MUST_USE;

/* The same distribution's function P(X <= x), by GSL, for tests and reports; x before scaling. */
double ds_tabulate_cdf(const struct ds_tabulate_spec *spec, double x);

/* A digest of a table's integers: what a results file records. */
uint64_t ds_tabulate_digest(const struct dc_dist *table);

/* The exact mean of what the table draws, rounded down. */
int64_t ds_tabulate_mean(const struct dc_dist *table);

#endif

/* Open-loop demand: when requests come, and for what.  Tables at set-up, integers afterwards.
 *
 * Arrivals of a Poisson process have exponential gaps; one table of the unit exponential serves
 * all rates.  Popularity is Zipf's law by the alias method (Walker 1977, Vose 1991): n columns of
 * 2^32, each shared by at most two objects,
 *
 *     column i:  [ object i ....... | object alias[i] ... ]
 *                0             share[i]               2^32
 *
 * so that one 64-bit number chooses a column (by its high product) and a side.
 *
 * A rate that changes with time is a change of time: the n-th arrival is where the integral of the
 * rate has grown by the n-th exponential gap.  The rate is piecewise constant (a day in 64 cells,
 * each with the mean of its stretch of the sine; crowds with their own edges), so the integral is
 * exact in integers, nothing is drawn in vain, and the draws are those of the constant rate. */
#ifndef SIM_WORKLOAD_DEMAND_H
#define SIM_WORKLOAD_DEMAND_H

#include "models/base/dist.h"
#include "models/base/rng.h"
#include "models/base/status.h"

#define DS_POPULARITY_COUNT_MAX (1u << 22)

struct ds_popularity {
    uint32_t count;
    uint32_t *alias; /* [count] */
    uint64_t *share; /* [count], 0..2^32 */
    uint64_t digest;
};

/* Object i, from 0, is asked for in proportion to 1 / (i + 1)^exponent; 0 is uniform.  Integer
 * weights sum to count * 2^32 exactly.  Errors: DC_ERR_USAGE (count 0 or too many, exponent not in
 * [0, 20]), DC_ERR_IO. */
enum dc_status ds_popularity_zipf(uint32_t count, double exponent, struct ds_popularity *out,
                                  struct dc_error *error) DC_MUST_USE;
void ds_popularity_free(struct ds_popularity *p);

static inline uint32_t ds_popularity_at(const struct ds_popularity *p, uint64_t u)
{
    unsigned __int128 m = (unsigned __int128)u * p->count;
    uint32_t i = (uint32_t)(m >> 64);
    return (uint64_t)m >> 32 < p->share[i] ? i : p->alias[i];
}

#define DS_ARRIVALS_ONE (1LL << 32) /* the unit exponential's 1.0 */

struct ds_arrivals {
    struct dc_dist gap; /* unit exponential, DS_ARRIVALS_ONE is 1 */
};
enum dc_status ds_arrivals_init(struct ds_arrivals *a, struct dc_error *error) DC_MUST_USE;

/* The next gap of a Poisson process with this mean gap, from a draw u; at least 1 ns. */
static inline int64_t ds_arrivals_gap_at(const struct ds_arrivals *a, int64_t mean_ns, uint64_t u)
{
    int64_t x = (int64_t)((__int128)dc_dist_at(&a->gap, u) * mean_ns >> 32);
    return x > 0 ? x : 1;
}

#define DS_SHAPE_CELLS 64
#define DS_SHAPE_ONE (1u << 20) /* a factor of 1 */

/* The rate is times factor in [from, to); crowds at the same time multiply. */
struct ds_crowd {
    int64_t from_ns, to_ns;
    uint64_t factor_q20; /* at most 2^32 */
};

struct ds_shape {
    int64_t period_ns, phase_ns; /* period 0: every hour is alike */
    uint64_t day_work;           /* integral of the factor over a period, in ns */
    uint32_t day_q20[DS_SHAPE_CELLS];
    const struct ds_crowd *crowd; /* borrowed */
    size_t crowds;
    int64_t end_ns; /* nothing is asked for from here on */
};

/* Tabulates factor 1 + amplitude sin(2 pi (t + phase) / period); amplitude in [0, 1], period at
 * least DS_SHAPE_CELLS ns, phase >= 0.  The other members stay as they are. */
void ds_shape_day(struct ds_shape *s, double amplitude, int64_t period_ns, int64_t phase_ns);

/* The factor on the rate at a time, in DS_SHAPE_ONE, and until when it holds. */
uint64_t ds_shape_factor(const struct ds_shape *s, int64_t time_ns, int64_t *until_ns);

/* The time at which the integral of the factor, from time_ns on, reaches gap_ns; later than time_ns;
 * INT64_MAX when that is not before end_ns.  Costs a step for each edge on the way; whole periods
 * without a crowd's edge are one. */
int64_t ds_shape_after(const struct ds_shape *s, int64_t time_ns, int64_t gap_ns);

#endif

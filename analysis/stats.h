/* Estimates with their uncertainty.  Samples are arrays of doubles without NaN unless a function
 * says otherwise; level is the confidence, as 0.95; sums run in the order of the sample.
 *
 * Sources: Law, "Simulation Modeling and Analysis", 5th ed. (batch means 9.5.3); White, "An
 * effective truncation heuristic", 1997 (MSER-5); Clopper and Pearson, 1934; David and Nagaraja,
 * "Order Statistics", 3rd ed., 7.1. */
#ifndef ANALYSIS_STATS_H
#define ANALYSIS_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An estimate and its two-sided interval; NaN ends where there are too few data. */
struct da_estimate {
    double value, lo, hi;
    size_t count; /* of observations behind it */
};

int da_rising(const void *a, const void *b); /* order of doubles, for qsort */
double da_mean(const double *x, size_t n);
double da_variance(const double *x, size_t n); /* unbiased, two passes; NaN below 2 */
double da_t_quantile(double p, double df); /* Student's, df degrees of freedom */
double da_normal_quantile(double p);
double da_normal_below(double z);

/* Mean with Student's interval. */
struct da_estimate da_mean_interval(const double *x, size_t n, double level);
/* Mean of a[i] - b[i], likewise: paired by common random numbers. */
struct da_estimate da_paired_interval(const double *a, const double *b, size_t n, double level);
/* Difference of the means of independent samples (Welch). */
struct da_estimate da_welch_interval(const double *a, size_t na, const double *b, size_t nb,
                                     double level);
/* p-quantile of rising values, n >= 1: Hyndman and Fan's type 7, linear between the order
 * statistics at 0 .. n - 1. */
double da_quantile_sorted(const double *x, size_t n, double p);
/* The same of any values, with the narrowest pair of order statistics that covers at least
 * `level`. */
struct da_estimate da_quantile_interval(const double *x, size_t n, double p, double level);
/* Share k/n with the exact interval of Clopper and Pearson. */
struct da_estimate da_binomial_interval(uint64_t k, uint64_t n, double level);

/* How many of the first observations to drop: MSER on means of five, at most half of the series. */
size_t da_mser5(const double *x, size_t n);
/* Mean of a correlated series by non-overlapping batch means: the largest number of batches from 10
 * to 40 whose lag-1 correlation is insignificant (von Neumann's ratio, 10 %), else 10. */
struct da_estimate da_batch_means(const double *x, size_t n, double level);

#endif

/* A Gaussian process through noisy observations: what a computer experiment looks like between its
 * points, and how sure that is.
 *
 *     y_i = f(x_i) + e_i    f ~ GP(mean, k)    e ~ N(0, noise_i + nugget), shared between points
 *
 *     k(a, b) = signal * matern52(r) * exp(-sum over words with a != b of 1 / length)
 *     r^2     = sum over numbers of ((a - b) / length)^2
 *
 * The noise of a point is known from its replications (stochastic kriging: Ankenman, Nelson and
 * Staum, Operations Research 58(2), 2010); common random numbers make it correlated (Chen, Ankenman
 * and Nelson, TOMACS 22(2), 2012).  Lengths, signal and nugget are those of the greatest marginal
 * likelihood times a weak prior, found by BFGS from fixed beginnings (Rasmussen and Williams,
 * "Gaussian Processes for Machine Learning", 2006, 2.3 and 5.4.1); the mean is the generalised
 * least-squares one, and its uncertainty is part of every variance.  Same data, same bytes. */
#ifndef ANALYSIS_GP_H
#define ANALYSIS_GP_H

#include "models/base/mem.h"

enum { DA_GP_INPUTS_MAX = 32 };

/* Borrowed.  Numbers should lie in [0, 1] over the domain: the prior of their lengths expects it.
 * */
struct da_gp_data {
    size_t count, inputs; /* count >= 1, inputs in 1 .. DA_GP_INPUTS_MAX */
    const bool *words; /* of each input: equal or not is all that counts; NULL: all are numbers */
    const double *x;   /* count x inputs */
    const double *y;
    const double *noise;  /* variance of each y; NULL: none is known */
    const double *shared; /* count x count, added to it: covariance of the noise; NULL: none */
};

/* What is fitted, in logarithms: of the lengths, then of signal and nugget in variances of y. */
struct da_gp_hyper {
    double log_length[DA_GP_INPUTS_MAX], log_signal, log_nugget;
};

struct da_gp {
    size_t count, inputs;
    const bool *words;
    double *x;
    double shift, scale; /* y = shift + scale * standardised */
    double mean;         /* of the process, in y */
    struct da_gp_hyper hyper;
    double log_likelihood; /* marginal, of the standardised y */
    /* K = L L', standardised: weight = K^-1 (y - mean), half = L^-1 by columns, ones = K^-1 1 */
    double *weight, *half, *ones;
    double ones_sum;
    struct dc_arena arena;
};

/* k(a, b) with a signal of 1; into slope (inputs, may be NULL) its derivatives by log_length. */
double da_gp_kernel(const struct da_gp_hyper *hyper, size_t inputs, const bool *words,
                    const double *a, const double *b, double *slope);

struct da_gp_guess {
    double mean, variance; /* of f(x), not of an observation */
};

/* Fits.  from: where to begin, and the only place (a fit of nearly the same data), or NULL.  *out
 * needs da_gp_free in every case.  O(count^3) a step.  Errors: DC_ERR_IO (memory), DC_ERR_USAGE
 * (values that are not finite). */
enum dc_status da_gp_fit(const struct da_gp_data *data, const struct da_gp_hyper *from,
                         struct da_gp *out, struct dc_error *error) DC_MUST_USE;
/* The same with hyperparameters that are given. */
enum dc_status da_gp_condition(const struct da_gp_data *data, const struct da_gp_hyper *hyper,
                               struct da_gp *out, struct dc_error *error) DC_MUST_USE;
void da_gp_free(struct da_gp *gp);

/* Log marginal likelihood of standardised y (mean 0, variance 1) under hyperparameters, and into
 * gradient (inputs + 2, may be NULL) its derivatives by them, in their order; -INFINITY where K is
 * not positive definite.  For tests. */
double da_gp_likelihood(const struct da_gp_data *data, const struct da_gp_hyper *hyper,
                        double *gradient);

/* O(count^2).  x: inputs numbers; work: gp->count of them. */
struct da_gp_guess da_gp_predict(const struct da_gp *gp, const double *x, double *work);
/* `paths` draws of f at `places` (count x inputs), jointly, into out (paths x count): row p from
 * stream (seed, p).  O(count^3).  Errors: DC_ERR_IO. */
enum dc_status da_gp_paths(const struct da_gp *gp, const double *places, size_t count, size_t paths,
                           uint64_t seed, uint64_t purpose, double *out,
                           struct dc_error *error) DC_MUST_USE;

#endif

/* See gp.h.  Hyperparameters.
 *
 * What is minimised is -log(likelihood x prior).  The prior keeps what few points cannot tell apart
 * from running away; its pull is that of about one observation:
 *
 *     log length   normal around log(0.5 sqrt(inputs)), of words around 0;  deviation 1.2
 *     log signal   around 0, deviation 1.5
 *     log nugget   around log 1e-5, deviation 4: from nothing to all of the variance */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>
#include <math.h>
#include <string.h>

#include "analysis/gp_work.h"

enum { STEPS = 60, STEPS_WARM = 12 };
static const double length_sd = 1.2, signal_sd = 1.5, nugget_sd = 4;
static const double nugget_mean = -11.512925464970229;
static const double limit = 25; /* of any logarithm, before its exponential is taken */

struct fit {
    struct da_gp_data data; /* standardised */
    double *k, *half, *y, *work, *weight;
    double *own; /* all of these, as one block */
};

static bool fit_open(const struct da_gp_data *data, bool standardise, struct fit *f)
{
    size_t n = data->count, square = n * n;
    *f = (struct fit){.data = *data};
    f->own = dc_mem_alloc(3 * square + 6 * n, sizeof *f->own);
    if (f->own == NULL)
        return false;
    double shift = 0, scale = 1, *y = &f->own[3 * square], *noise = &y[n];
    f->k = f->own;
    f->half = &f->own[square];
    f->y = &noise[n];
    f->work = &f->y[n];
    f->weight = &f->work[n];
    if (standardise)
        da_gp_standardise(data, &shift, &scale);
    for (size_t i = 0; i < n; i++) {
        y[i] = (data->y[i] - shift) / scale;
        noise[i] = data->noise != NULL ? data->noise[i] / (scale * scale) : 0;
    }
    f->data.y = y;
    f->data.noise = noise;
    if (data->shared != NULL) {
        double *shared = &f->own[2 * square];
        for (size_t i = 0; i < square; i++)
            shared[i] = data->shared[i] / (scale * scale);
        f->data.shared = shared;
    }
    return true;
}

/* f->half: W; f->k becomes weight weight' - K^-1, its lower half. */
static void make_pull(struct fit *f)
{
    size_t n = f->data.count;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            f->k[i * n + j] = f->weight[i] * f->weight[j];
    for (size_t r = 0; r < n; r++) {
        const double *restrict row = &f->half[r * n];
        for (size_t i = 0; i <= r; i++) {
            double *restrict out = &f->k[i * n];
            for (size_t j = 0; j <= i; j++)
                out[j] -= row[i] * row[j];
        }
    }
}

static void make_gradient(struct fit *f, const struct da_gp_hyper *hyper, double *gradient)
{
    size_t n = f->data.count, inputs = f->data.inputs;
    double slope[DA_GP_INPUTS_MAX], signal = exp(hyper->log_signal);
    make_pull(f);
    memset(gradient, 0, (inputs + 2) * sizeof *gradient);
    for (size_t a = 0; a < n; a++) {
        gradient[inputs] += 0.5 * f->k[a * n + a] * signal;
        gradient[inputs + 1] += 0.5 * f->k[a * n + a] * exp(hyper->log_nugget);
        for (size_t b = 0; b < a; b++) {
            double pull = f->k[a * n + b] * signal; /* twice a half: both triangles */
            gradient[inputs] +=
                pull * da_gp_kernel(hyper, inputs, f->data.words, &f->data.x[a * inputs],
                                    &f->data.x[b * inputs], slope);
            for (size_t j = 0; j < inputs; j++)
                gradient[j] += pull * slope[j];
        }
    }
}

static double likelihood(struct fit *f, const struct da_gp_hyper *hyper, double *gradient)
{
    size_t n = f->data.count;
    da_gp_matrix(&f->data, hyper, 1, f->k);
    if (!da_gp_factor(f->k, f->half, n))
        return -INFINITY;
    double top = 0, bottom = 0;
    for (size_t i = 0; i < n; i++)
        f->y[i] = 1;
    da_gp_solve(f->half, n, f->y, f->work, f->weight);
    for (size_t i = 0; i < n; i++) {
        top += f->weight[i] * f->data.y[i];
        bottom += f->weight[i];
    }
    for (size_t i = 0; i < n; i++)
        f->y[i] = f->data.y[i] - top / bottom;
    da_gp_solve(f->half, n, f->y, f->work, f->weight);
    double sum = -0.5 * (double)n * log(2 * M_PI);
    for (size_t i = 0; i < n; i++)
        sum += -0.5 * f->y[i] * f->weight[i] + log(f->half[i * n + i]);
    if (gradient != NULL)
        make_gradient(f, hyper, gradient);
    return sum;
}

double da_gp_likelihood(const struct da_gp_data *data, const struct da_gp_hyper *hyper,
                        double *gradient)
{
    struct fit f;
    gsl_set_error_handler_off();
    DC_CHECK(fit_open(data, false, &f));
    double out = likelihood(&f, hyper, gradient);
    dc_mem_free(f.own);
    return out;
}

/* ---- the prior ------------------------------------------------------------------------------- */

static double length_mean(const struct da_gp_data *data, size_t input)
{
    return data->words != NULL && data->words[input] ? 0 : log(0.5 * sqrt((double)data->inputs));
}

/* Of hyperparameter i, its mean into *mean. */
static double prior_sd(const struct da_gp_data *data, size_t i, double *mean)
{
    *mean = i < data->inputs ? length_mean(data, i) : i == data->inputs ? 0 : nugget_mean;
    return i < data->inputs ? length_sd : i == data->inputs ? signal_sd : nugget_sd;
}

static struct da_gp_hyper unpack(const gsl_vector *v, size_t inputs)
{
    struct da_gp_hyper h = {0};
    for (size_t i = 0; i < inputs + 2; i++) {
        double value = fmin(fmax(gsl_vector_get(v, i), -limit), limit);
        if (i < inputs)
            h.log_length[i] = value;
        else if (i == inputs)
            h.log_signal = value;
        else
            h.log_nugget = value;
    }
    return h;
}

static void cost(const gsl_vector *v, void *ctx, double *value, gsl_vector *slope)
{
    struct fit *f = ctx;
    double gradient[DA_GP_INPUTS_MAX + 2] = {0};
    struct da_gp_hyper hyper = unpack(v, f->data.inputs);
    double sum = likelihood(f, &hyper, slope != NULL ? gradient : NULL);
    sum = isfinite(sum) ? -sum : 1e9; /* a wall; what leads back is the prior */
    for (size_t i = 0; i < f->data.inputs + 2; i++) {
        double mean, sd = prior_sd(&f->data, i, &mean), z = (gsl_vector_get(v, i) - mean) / sd;
        sum += 0.5 * z * z;
        if (slope != NULL)
            gsl_vector_set(slope, i, z / sd - gradient[i]);
    }
    if (value != NULL)
        *value = sum;
}

static double cost_f(const gsl_vector *v, void *ctx)
{
    double value;
    cost(v, ctx, &value, NULL);
    return value;
}

static void cost_df(const gsl_vector *v, void *ctx, gsl_vector *slope)
{
    cost(v, ctx, NULL, slope);
}

static void cost_fdf(const gsl_vector *v, void *ctx, double *value, gsl_vector *slope)
{
    cost(v, ctx, value, slope);
}

/* ---- the search ------------------------------------------------------------------------------ */

/* From x, which becomes the best place; returns its cost. */
static double descend(struct fit *f, gsl_multimin_fdfminimizer *m, gsl_vector *x, int steps)
{
    gsl_multimin_function_fdf function = {cost_f, cost_df, cost_fdf, f->data.inputs + 2, f};
    gsl_multimin_fdfminimizer_set(m, &function, x, 0.3, 0.1);
    for (int i = 0; i < steps; i++) {
        if (gsl_multimin_fdfminimizer_iterate(m) != GSL_SUCCESS)
            break; /* no progress: it is there */
        if (gsl_multimin_test_gradient(gsl_multimin_fdfminimizer_gradient(m), 1e-2) == GSL_SUCCESS)
            break;
    }
    gsl_vector_memcpy(x, gsl_multimin_fdfminimizer_x(m));
    return gsl_multimin_fdfminimizer_minimum(m);
}

/* Beginnings: smooth, ordinary and rough, without and with noise. */
static void begin_at(const struct da_gp_data *data, int start, gsl_vector *x)
{
    static const double length[] = {0, -1.2, 1.2, -0.6}, nugget[] = {-14, -9, -3, -2};
    for (size_t i = 0; i < data->inputs; i++)
        gsl_vector_set(x, i, length_mean(data, i) + length[start]);
    gsl_vector_set(x, data->inputs, 0);
    gsl_vector_set(x, data->inputs + 1, nugget[start]);
}

static bool search(struct fit *f, const struct da_gp_hyper *from, struct da_gp_hyper *best)
{
    size_t size = f->data.inputs + 2;
    gsl_vector *x = gsl_vector_alloc(size);
    gsl_multimin_fdfminimizer *m =
        gsl_multimin_fdfminimizer_alloc(gsl_multimin_fdfminimizer_vector_bfgs2, size);
    bool good = x != NULL && m != NULL;
    double least = INFINITY;
    for (int start = 0; good && start < (from != NULL ? 1 : 4); start++) {
        begin_at(&f->data, start, x);
        for (size_t i = 0; from != NULL && i < size; i++)
            gsl_vector_set(x, i,
                           i < f->data.inputs    ? from->log_length[i]
                           : i == f->data.inputs ? from->log_signal
                                                 : from->log_nugget);
        double now = descend(f, m, x, from != NULL ? STEPS_WARM : STEPS);
        if (now < least || start == 0) {
            least = now;
            *best = unpack(x, f->data.inputs);
        }
    }
    if (m != NULL)
        gsl_multimin_fdfminimizer_free(m);
    gsl_vector_free(x);
    return good;
}

enum dc_status da_gp_fit(const struct da_gp_data *data, const struct da_gp_hyper *from,
                         struct da_gp *out, struct dc_error *error)
{
    struct fit f;
    struct da_gp_hyper hyper = {0};
    *out = (struct da_gp){0};
    gsl_set_error_handler_off();
    enum dc_status status = da_gp_check(data, error);
    if (status != DC_OK)
        return status;
    bool good = fit_open(data, true, &f) && search(&f, from, &hyper);
    dc_mem_free(f.own);
    if (!good)
        return dc_error_set(error, DC_ERR_IO, "out of memory for a model of %zu points",
                            data->count);
    return da_gp_condition(data, &hyper, out, error);
}

/* Means, quantiles, shares and their intervals; the distributions are GSL's. */
#include "analysis/stats.h"

#include "models/base/mem.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- samples --------------------------------------------------------------------------------- */

double da_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n > 0 ? sum / (double)n : NAN;
}

double da_variance(const double *x, size_t n)
{
    if (n < 2)
        return NAN;
    double mean = da_mean(x, n), squares = 0, rest = 0;
    for (size_t i = 0; i < n; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
        rest += x[i] - mean; /* what rounding left in the mean */
    }
    double corrected = squares - rest * rest / (double)n;
    return fmax(corrected, 0) / (double)(n - 1);
}

int da_rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double *sorted_copy(const double *x, size_t n)
{
    double *copy = dc_mem_need(n, sizeof *copy, "a sample");
    memcpy(copy, x, n * sizeof *copy);
    qsort(copy, n, sizeof *copy, da_rising);
    return copy;
}

double da_quantile_sorted(const double *x, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t below = (size_t)floor(at);
    if (below + 1 >= n)
        return x[n - 1];
    return x[below] + (at - (double)below) * (x[below + 1] - x[below]);
}

/* ---- distributions --------------------------------------------------------------------------- */

double da_t_quantile(double p, double df)
{
    if (!(p >= 0 && p <= 1) || !(df > 0))
        return NAN;
    if (p == 0 || p == 1)
        return p > 0 ? INFINITY : -INFINITY;
    gsl_set_error_handler_off();
    if (isinf(df))
        return gsl_cdf_ugaussian_Pinv(p);
    return p <= 0.5 ? gsl_cdf_tdist_Pinv(p, df) : gsl_cdf_tdist_Qinv(1 - p, df);
}

double da_normal_quantile(double p)
{
    if (!(p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || p == 1)
        return p > 0 ? INFINITY : -INFINITY;
    gsl_set_error_handler_off();
    return gsl_cdf_ugaussian_Pinv(p);
}

double da_normal_below(double z)
{
    gsl_set_error_handler_off();
    return isnan(z) ? NAN : gsl_cdf_ugaussian_P(z);
}

/* ---- means ----------------------------------------------------------------------------------- */

static struct da_estimate around(double value, double error, double df, size_t count, double level)
{
    struct da_estimate e = {value, NAN, NAN, count};
    if (isnan(value) || isnan(error))
        return e;
    double half = error > 0 ? da_t_quantile(0.5 + level / 2, df) * error : 0;
    e.lo = value - half;
    e.hi = value + half;
    return e;
}

struct da_estimate da_mean_interval(const double *x, size_t n, double level)
{
    double df = (double)n - 1;
    return around(da_mean(x, n), n < 2 ? NAN : sqrt(da_variance(x, n) / (double)n), df, n, level);
}

struct da_estimate da_paired_interval(const double *a, const double *b, size_t n, double level)
{
    if (n == 0)
        return (struct da_estimate){NAN, NAN, NAN, 0};
    double *d = dc_mem_need(n, sizeof *d, "a sample");
    for (size_t i = 0; i < n; i++)
        d[i] = a[i] - b[i];
    struct da_estimate e = da_mean_interval(d, n, level);
    dc_mem_free(d);
    return e;
}

struct da_estimate da_welch_interval(const double *a, size_t na, const double *b, size_t nb,
                                     double level)
{
    double value = da_mean(a, na) - da_mean(b, nb);
    if (na < 2 || nb < 2)
        return (struct da_estimate){value, NAN, NAN, na + nb};
    double va = da_variance(a, na) / (double)na, vb = da_variance(b, nb) / (double)nb;
    double v = va + vb;
    /* Welch and Satterthwaite; a side without variance adds nothing */
    double df = v * v / (va * va / (double)(na - 1) + vb * vb / (double)(nb - 1));
    return around(value, sqrt(v), df, na + nb, level);
}

/* ---- quantiles and shares -------------------------------------------------------------------- */

struct da_estimate da_quantile_interval(const double *x, size_t n, double p, double level)
{
    struct da_estimate e = {NAN, NAN, NAN, n};
    if (n == 0 || !(p >= 0 && p <= 1))
        return e;
    gsl_set_error_handler_off();
    double *s = sorted_copy(x, n);
    e.value = da_quantile_sorted(s, n, p);
    /* below[i]: P(fewer than i of n lie below the quantile), i = 1 .. n.  The pair (i, j) covers it
     * with below[j] - below[i]; per i the least j that is enough moves up only. */
    double *below = dc_mem_need(n + 1, sizeof *below, "a sample");
    for (size_t i = 1; i <= n; i++)
        below[i] = gsl_cdf_binomial_P((unsigned)(i - 1), p, (unsigned)n);
    double best = 0;
    size_t width = SIZE_MAX;
    for (size_t i = 1, j = 2; i < n; i++) {
        if (j <= i)
            j = i + 1;
        while (j <= n && below[j] - below[i] < level)
            j++;
        if (j > n)
            break;
        double covers = below[j] - below[i];
        if (j - i < width || (j - i == width && covers > best)) {
            width = j - i;
            best = covers;
            e.lo = s[i - 1];
            e.hi = s[j - 1];
        }
    }
    dc_mem_free(below);
    dc_mem_free(s);
    return e;
}

/* The x at which the beta distribution reaches p, to the last digit: halving needs no start and
 * converges where Newton's method of gsl_cdf_beta_Pinv gives up (n in the millions). */
static double beta_quantile(double p, double a, double b)
{
    double lo = 0, hi = 1;
    for (int i = 0; i < 1100; i++) {
        double middle = lo + (hi - lo) / 2;
        if (middle <= lo || middle >= hi)
            break;
        if (gsl_cdf_beta_P(middle, a, b) < p)
            lo = middle;
        else
            hi = middle;
    }
    return hi;
}

struct da_estimate da_binomial_interval(uint64_t k, uint64_t n, double level)
{
    struct da_estimate e = {NAN, 0, 1, (size_t)n};
    if (n == 0 || k > n)
        return e;
    gsl_set_error_handler_off();
    double x = (double)k, y = (double)(n - k), tail = (1 - level) / 2;
    e.value = x / (double)n;
    if (k > 0)
        e.lo = beta_quantile(tail, x, y + 1);
    if (k < n) /* by the mirror image, so that k and n - k have mirrored intervals */
        e.hi = 1 - beta_quantile(tail, y, x + 1);
    return e;
}

/* ---- correlated series ----------------------------------------------------------------------- */

size_t da_mser5(const double *x, size_t n)
{
    enum { FIVE = 5 };
    size_t batches = n / FIVE, best = 0;
    if (batches < 2)
        return 0;
    double *y = dc_mem_need(batches, sizeof *y, "a series");
    for (size_t i = 0; i < batches; i++)
        y[i] = da_mean(x + i * FIVE, FIVE);
    /* From the end, with Welford's recurrence: mean and squares of y[d..]. */
    double mean = 0, squares = 0, least = INFINITY;
    for (size_t d = batches; d-- > 0;) {
        double count = (double)(batches - d), step = y[d] - mean;
        mean += step / count;
        squares += step * (y[d] - mean);
        double error = squares / (count * count);
        if (d <= batches / 2 && error <= least) { /* of equals, the one that drops least */
            least = error;
            best = d;
        }
    }
    dc_mem_free(y);
    return best * FIVE;
}

/* Is the lag-1 correlation of y[0..b) insignificant?  Von Neumann's ratio, one-sided: batches that
 * are too short are correlated positively. */
static bool uncorrelated(const double *y, size_t b)
{
    double mean = da_mean(y, b), squares = 0, steps = 0, n = (double)b;
    for (size_t i = 0; i < b; i++)
        squares += (y[i] - mean) * (y[i] - mean);
    for (size_t i = 1; i < b; i++)
        steps += (y[i] - y[i - 1]) * (y[i] - y[i - 1]);
    if (!(squares > 0))
        return true;
    double c = 1 - steps / (2 * squares);
    return c <= da_normal_quantile(0.9) * sqrt((n - 2) / (n * n - 1));
}

struct da_estimate da_batch_means(const double *x, size_t n, double level)
{
    enum { LEAST = 10, MOST = 40 };
    double y[MOST];
    if (n < LEAST)
        return (struct da_estimate){da_mean(x, n), NAN, NAN, n};
    size_t b = n / 2 < MOST ? n / 2 : MOST;
    for (b = b > LEAST ? b : LEAST;; b--) {
        size_t size = n / b, skip = n - size * b; /* of what does not divide, the first are left */
        for (size_t i = 0; i < b; i++)
            y[i] = da_mean(x + skip + i * size, size);
        if (b == LEAST || uncorrelated(y, b))
            break;
    }
    struct da_estimate e = da_mean_interval(y, b, level);
    e.count = n;
    return e;
}

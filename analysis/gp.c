/* See gp.h.  Conditioning and prediction.
 *
 * Everything is of standardised y (mean 0, variance 1).  With K = L L' and W = L^-1, kept by
 * columns (half[j * count + i] = W_ij, i >= j), a prediction is v = W k, column after column: the
 * inner loop adds a multiple of one array to another, which compilers make wide without reordering
 * sums.
 *
 *     mean      = m + k' K^-1 (y - m 1)             m = 1' K^-1 y / 1' K^-1 1
 *     variance  = k(x, x) - |W k|^2 + (1 - 1' K^-1 k)^2 / 1' K^-1 1 */
#include "analysis/gp.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#include "analysis/gp_work.h"
#include "models/base/rng.h"

static const double root5 = 2.2360679774997897;

double da_gp_kernel(const struct da_gp_hyper *hyper, size_t inputs, const bool *words,
                    const double *a, const double *b, double *slope)
{
    double square = 0, differ = 0;
    for (size_t j = 0; j < inputs; j++) {
        if (words != NULL && words[j]) {
            differ += a[j] != b[j] ? exp(-hyper->log_length[j]) : 0;
        } else {
            double d = (a[j] - b[j]) * exp(-hyper->log_length[j]);
            square += d * d;
        }
    }
    double r = sqrt(square), fall = exp(-root5 * r - differ);
    double k = (1 + root5 * r + 5.0 / 3.0 * square) * fall;
    for (size_t j = 0; slope != NULL && j < inputs; j++) {
        double l = exp(-hyper->log_length[j]), d = (a[j] - b[j]) * l;
        slope[j] = words != NULL && words[j] ? (a[j] != b[j] ? k * l : 0)
                                             : 5.0 / 3.0 * (1 + root5 * r) * fall * d * d;
    }
    return k;
}

/* The same by lengths that were inverted once. */
static double kernel(const double *inverse, size_t inputs, const bool *words, const double *a,
                     const double *b)
{
    double square = 0, differ = 0;
    for (size_t j = 0; j < inputs; j++) {
        double d = (a[j] - b[j]) * inverse[j];
        if (words != NULL && words[j])
            differ += a[j] != b[j] ? inverse[j] : 0;
        else
            square += d * d;
    }
    double r = root5 * sqrt(square);
    return (1 + r + 5.0 / 3.0 * square) * exp(-r - differ);
}

/* ---- the matrix ------------------------------------------------------------------------------ */

bool da_gp_factor(double *k, double *half, size_t count)
{
    gsl_matrix_view view = gsl_matrix_view_array(k, count, count);
    if (gsl_linalg_cholesky_decomp1(&view.matrix) != GSL_SUCCESS)
        return false;
    /* Row i of W, in place of row i of `half`: (e_i - sum over j < i of L_ij W_j) / L_ii. */
    memset(half, 0, count * count * sizeof *half);
    for (size_t i = 0; i < count; i++) {
        double *restrict row = &half[i * count];
        row[i] = 1;
        for (size_t j = 0; j < i; j++) {
            double l = k[i * count + j];
            const double *restrict other = &half[j * count];
            for (size_t c = 0; c <= j; c++)
                row[c] -= l * other[c];
        }
        double diagonal = 1 / k[i * count + i];
        if (!isfinite(diagonal))
            return false;
        for (size_t c = 0; c <= i; c++)
            row[c] *= diagonal;
    }
    return true;
}

void da_gp_solve(const double *half, size_t count, const double *y, double *work, double *out)
{
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t j = 0; j <= i; j++)
            sum += half[i * count + j] * y[j];
        work[i] = sum;
    }
    memset(out, 0, count * sizeof *out);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j <= i; j++)
            out[j] += half[i * count + j] * work[i];
}

static void transpose(double *a, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            double t = a[i * count + j];
            a[i * count + j] = a[j * count + i];
            a[j * count + i] = t;
        }
}

enum dc_status da_gp_check(const struct da_gp_data *data, struct dc_error *error)
{
    DC_CHECK(data->count > 0 && data->inputs > 0 && data->inputs <= DA_GP_INPUTS_MAX);
    bool good = true;
    for (size_t i = 0; i < data->count * data->inputs; i++)
        good = good && isfinite(data->x[i]);
    for (size_t i = 0; i < data->count; i++) {
        good = good && isfinite(data->y[i]);
        good = good && (data->noise == NULL || (isfinite(data->noise[i]) && data->noise[i] >= 0));
    }
    for (size_t i = 0; data->shared != NULL && i < data->count * data->count; i++)
        good = good && isfinite(data->shared[i]);
    return good ? DC_OK
                : dc_error_set(error, DC_ERR_USAGE,
                               "a model cannot be fitted to numbers that are not finite");
}

void da_gp_matrix(const struct da_gp_data *data, const struct da_gp_hyper *hyper, double scale,
                  double *k)
{
    double inverse[DA_GP_INPUTS_MAX], signal = exp(hyper->log_signal);
    double nugget = exp(hyper->log_nugget) + DA_GP_JITTER, each = 1 / (scale * scale);
    size_t n = data->count, inputs = data->inputs;
    for (size_t j = 0; j < inputs; j++)
        inverse[j] = exp(-hyper->log_length[j]);
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b <= a; b++) {
            double v = a == b ? signal + nugget
                              : signal * kernel(inverse, inputs, data->words, &data->x[a * inputs],
                                                &data->x[b * inputs]);
            if (a == b && data->noise != NULL)
                v += data->noise[a] * each;
            if (data->shared != NULL)
                v += data->shared[a * n + b] * each;
            k[a * n + b] = k[b * n + a] = v;
        }
}

void da_gp_standardise(const struct da_gp_data *data, double *shift, double *scale)
{
    double sum = 0, square = 0, noise = 0, size = 0;
    for (size_t i = 0; i < data->count; i++)
        sum += data->y[i];
    *shift = sum / (double)data->count;
    for (size_t i = 0; i < data->count; i++) {
        square += (data->y[i] - *shift) * (data->y[i] - *shift);
        noise += data->noise != NULL ? data->noise[i] : 0;
        size = fmax(size, fabs(data->y[i]));
    }
    *scale = sqrt(square / (double)data->count);
    if (!(*scale > 1e-12 * size)) /* constant: only the noise has a size */
        *scale = noise > 0 ? sqrt(noise / (double)data->count) : 1;
}

/* ---- conditioning ---------------------------------------------------------------------------- */

static bool take_memory(const struct da_gp_data *data, struct da_gp *out)
{
    size_t n = data->count, row = n * sizeof(double);
    out->count = n;
    out->inputs = data->inputs;
    out->x = dc_arena_alloc(&out->arena, row * data->inputs);
    bool *words = dc_arena_alloc(&out->arena, data->inputs * sizeof *words);
    out->weight = dc_arena_alloc(&out->arena, row);
    out->ones = dc_arena_alloc(&out->arena, row);
    out->half = dc_arena_alloc(&out->arena, row * n);
    if (out->x == NULL || words == NULL || out->weight == NULL || out->ones == NULL ||
        out->half == NULL)
        return false;
    memcpy(out->x, data->x, row * data->inputs);
    if (data->words != NULL)
        memcpy(words, data->words, data->inputs * sizeof *words);
    out->words = words;
    return true;
}

/* Where K is singular to working precision the nugget is raised, which is what duplicates need. */
static bool factor_somehow(const struct da_gp_data *data, struct da_gp *out, double *k)
{
    for (int i = 0; i < 12; i++) {
        da_gp_matrix(data, &out->hyper, out->scale, k);
        if (da_gp_factor(k, out->half, data->count))
            return true;
        out->hyper.log_nugget = fmax(out->hyper.log_nugget, -20) + 2.302585092994046;
    }
    return false;
}

enum dc_status da_gp_condition(const struct da_gp_data *data, const struct da_gp_hyper *hyper,
                               struct da_gp *out, struct dc_error *error)
{
    *out = (struct da_gp){.hyper = *hyper};
    gsl_set_error_handler_off();
    enum dc_status status = da_gp_check(data, error);
    if (status != DC_OK)
        return status;
    size_t n = data->count;
    double *k = dc_mem_alloc(n * n + 3 * n, sizeof *k);
    if (k == NULL || !take_memory(data, out)) {
        dc_mem_free(k);
        return dc_error_set(error, DC_ERR_IO, "out of memory for a model of %zu points", n);
    }
    double *y = &k[n * n], *ones = &y[n], *work = &ones[n];
    da_gp_standardise(data, &out->shift, &out->scale);
    if (!factor_somehow(data, out, k)) {
        dc_mem_free(k);
        return dc_error_set(error, DC_ERR_USAGE, "a covariance matrix is not positive definite");
    }
    for (size_t i = 0; i < n; i++) {
        y[i] = (data->y[i] - out->shift) / out->scale;
        ones[i] = 1;
    }
    da_gp_solve(out->half, n, ones, work, out->ones);
    double top = 0;
    for (size_t i = 0; i < n; i++) {
        top += out->ones[i] * y[i];
        out->ones_sum += out->ones[i];
    }
    double mean = top / out->ones_sum;
    for (size_t i = 0; i < n; i++)
        y[i] -= mean;
    da_gp_solve(out->half, n, y, work, out->weight);
    out->mean = out->shift + out->scale * mean;
    for (size_t i = 0; i < n; i++)
        out->log_likelihood +=
            -0.5 * y[i] * out->weight[i] + log(out->half[i * n + i]) - 0.5 * log(2 * M_PI);
    transpose(out->half, n);
    dc_mem_free(k);
    return DC_OK;
}

void da_gp_free(struct da_gp *gp)
{
    dc_arena_free(&gp->arena);
    *gp = (struct da_gp){0};
}

/* ---- prediction ------------------------------------------------------------------------------ */

/* v = W k(x) into v (count), k' weight into *mean, 1 - 1' K^-1 k into *rest; work: count. */
static void project(const struct da_gp *gp, const double *x, double *restrict v, double *mean,
                    double *rest)
{
    double inverse[DA_GP_INPUTS_MAX], signal = exp(gp->hyper.log_signal);
    size_t n = gp->count;
    for (size_t j = 0; j < gp->inputs; j++)
        inverse[j] = exp(-gp->hyper.log_length[j]);
    memset(v, 0, n * sizeof *v);
    *mean = 0;
    *rest = 1;
    for (size_t j = 0; j < n; j++) {
        double k = signal * kernel(inverse, gp->inputs, gp->words, x, &gp->x[j * gp->inputs]);
        const double *restrict column = &gp->half[j * n];
        *mean += k * gp->weight[j];
        *rest -= k * gp->ones[j];
        for (size_t i = j; i < n; i++)
            v[i] += k * column[i];
    }
}

struct da_gp_guess da_gp_predict(const struct da_gp *gp, const double *x, double *work)
{
    double mean, rest, square = 0;
    project(gp, x, work, &mean, &rest);
    for (size_t i = 0; i < gp->count; i++)
        square += work[i] * work[i];
    double variance = exp(gp->hyper.log_signal) - square + rest * rest / gp->ones_sum;
    return (struct da_gp_guess){gp->mean + gp->scale * mean,
                                gp->scale * gp->scale * fmax(variance, 0)};
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* Two standard normals of two draws (Box and Muller). */
static void normals(struct dc_stream *s, double out[2])
{
    double u = ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
    double v = ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
    double r = sqrt(-2 * log(u));
    out[0] = r * cos(2 * M_PI * v);
    out[1] = r * sin(2 * M_PI * v);
}

/* Joint covariance of f at the places, standardised, into c; its mean, in y, into mean. */
static void joint(const struct da_gp *gp, const double *places, size_t count, double *c,
                  double *mean, double *work)
{
    size_t n = gp->count;
    double *v = work, *rest = &work[count * n];
    for (size_t i = 0; i < count; i++) {
        double m;
        project(gp, &places[i * gp->inputs], &v[i * n], &m, &rest[i]);
        mean[i] = gp->mean + gp->scale * m;
    }
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b <= a; b++) {
            double product = 0;
            for (size_t i = 0; i < n; i++)
                product += v[a * n + i] * v[b * n + i];
            c[a * count + b] =
                exp(gp->hyper.log_signal) * da_gp_kernel(&gp->hyper, gp->inputs, gp->words,
                                                         &places[a * gp->inputs],
                                                         &places[b * gp->inputs], NULL) -
                product + rest[a] * rest[b] / gp->ones_sum;
        }
}

/* Lower Cholesky factor of c in place, row by row; a pivot that rounding has eaten counts as 0:
 * that place follows from those before it. */
static void factor_semidefinite(double *c, size_t count, double least)
{
    for (size_t i = 0; i < count; i++) {
        double *row = &c[i * count];
        for (size_t j = 0; j <= i; j++) {
            double sum = row[j];
            const double *other = &c[j * count];
            for (size_t k = 0; k < j; k++)
                sum -= row[k] * other[k];
            if (j == i)
                row[j] = sum > least ? sqrt(sum) : 0;
            else
                row[j] = other[j] > 0 ? sum / other[j] : 0;
        }
    }
}

enum dc_status da_gp_paths(const struct da_gp *gp, const double *places, size_t count, size_t paths,
                           uint64_t seed, uint64_t purpose, double *out, struct dc_error *error)
{
    size_t n = gp->count;
    double *c = dc_mem_alloc(count * count + count * n + 3 * count + 2, sizeof *c);
    if (c == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %zu sample paths", paths);
    double *work = &c[count * count], *mean = &work[count * n + count], *z = &mean[count];
    joint(gp, places, count, c, mean, work);
    factor_semidefinite(c, count, 1e-10 * exp(gp->hyper.log_signal));
    for (size_t p = 0; p < paths; p++) {
        struct dc_stream s = dc_stream(seed, p, purpose);
        for (size_t i = 0; i < count; i += 2)
            normals(&s, &z[i]);
        for (size_t i = 0; i < count; i++) {
            double sum = 0;
            for (size_t k = 0; k <= i; k++)
                sum += c[i * count + k] * z[k];
            out[p * count + i] = mean[i] + gp->scale * sum;
        }
    }
    dc_mem_free(c);
    return DC_OK;
}
